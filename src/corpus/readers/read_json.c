// SPDX-License-Identifier: Apache-2.0
// JSON: an object in each line, an array of objects, or objects over several lines.
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "json_text.h"

struct json {
  bool by_value;                // an array, or objects over several lines
  bool array_open, array_over;  // an array has begun; has ended
  size_t feeds;                 // line feeds in the present value, to be counted
};

// Reads the next object of an array, or an object over several lines, into r->line. It counts
// brackets and skips strings. *cut: the object is too long, or the file ends within it.
static rmx_status next_value(rmx__reader *r, bool *more, bool *cut, rmx_err *err) {
  rmx__input *s = &r->input;
  struct json *j = r->state;
  size_t depth = 0;
  bool string = false, escape = false, begun = false;
  *more = *cut = false;
  r->line_number += j->feeds;
  j->feeds = 0;
  r->line.size = 0;
  rmx_buf_add(&r->line, "", 0);
  for (;;) {
    RMX_TRY(rmx__input_fill(s, err));
    if (s->ended) {
      *more = begun;
      j->array_open = j->array_open && !begun;
      return RMX_OK;  // within a value: the scanner will report it
    }
    const char *from = s->block + s->at, *end = s->block + s->end, *at = from;
    bool over = false;
    for (; at < end && !over; at++) {
      if (*at == '\n') ++*(begun ? &j->feeds : &r->line_number);
      if (!begun && *at && strchr(" \t\r\n,]", *at)) {
        if (*at == ']') j->array_over = true, j->array_open = false;
        from = at + 1;
        continue;
      }
      begun = true;
      if (string) {
        if (escape)
          escape = false;
        else if (*at == '\\')
          escape = true;
        else if (*at == '"')
          string = false;
        continue;
      }
      if (*at == '"')
        string = true;
      else if (*at == '{' || *at == '[')
        depth++;
      else if ((*at == '}' || *at == ']') && depth > 0)
        over = --depth == 0;
      // after a value that is not an object
      else if (depth == 0 && (over = *at == ',' || *at == ']'))
        break;
    }
    size_t n = (size_t)(at - from), room = r->o.max_document ? r->o.max_document - r->line.size : n;
    *cut = *cut || n > room;
    rmx_buf_add(&r->line, from, n < room ? n : room);
    if (r->line.failed) return rmx_fail_memory(err, r->line.size, r->path);
    s->at = (size_t)(at - s->block);
    if (!over) continue;
    *more = true;
    return RMX_OK;
  }
}

static void take_fields(rmx__reader *r) {
  rmx__json_look look;
  for (size_t i = 0; i < rmx__fields(r); i++) {
    rmx__json_found found =
        rmx__json_text(r->line.data, r->line.size, r->o.fields->items[i], &r->values[i], &look);
    r->has[i] = found == RMX__JSON_TEXT || (found == RMX__JSON_OTHER && look.scalar);
    if (r->has[i] && found == RMX__JSON_OTHER) rmx__set_field(r, i, look.scalar, look.scalar_size);
  }
}

// Finds the text and the fields of the object in r->line.
static rmx_status take_object(rmx__reader *r, rmx_err *err) {
  rmx__json_look look;
  char what[512];
  rmx__json_found found =
      rmx__json_text(r->line.data, r->line.size, r->o.text_field, &r->text, &look);
  if (r->text.failed) return rmx_fail_memory(err, r->line.size, r->path);
  if (found != RMX__JSON_TEXT) r->text.size = 0;
  switch (found) {
    case RMX__JSON_TEXT:
      take_fields(r);
      r->invalid_utf8 += look.surrogates;
      return RMX_OK;
    case RMX__JSON_NULL:  // a document without text, like one of blanks
      r->no_text++;
      return RMX_OK;
    case RMX__JSON_MISSING:
      snprintf(what, sizeof what,
               "\"%s\" is missing (corpus.text_field names the field with the text)",
               r->o.text_field);
      return rmx__unusable(r, &r->no_text, what, err);
    case RMX__JSON_OTHER:
      snprintf(what, sizeof what, "\"%s\" is not a string", r->o.text_field);
      return rmx__unusable(r, &r->bad_lines, what, err);
    case RMX__JSON_NO_OBJECT:
      return rmx__unusable(r, &r->bad_lines, "not a JSON object", err);
    case RMX__JSON_BROKEN:
      break;
  }
  snprintf(what, sizeof what, "not JSON: %s, at byte %zu of the line", look.what, look.column);
  return rmx__unusable(r, &r->bad_lines, what, err);
}

static rmx_status next_json(rmx__reader *r, bool *more, rmx_err *err) {
  struct json *j = r->state;
  bool cut;
  if (j->by_value) {
    RMX_TRY(next_value(r, more, &cut, err));
  } else {
    RMX_TRY(rmx__input_line(&r->input, &r->line, r->o.max_document, more, &cut, err));
    r->line_number++;
  }
  if (!*more && !j->array_open) return RMX_OK;
  if (!*more) {
    j->array_open = false;
    return rmx__unusable(r, &r->bad_lines, "the array has no end: the file is cut off", err);
  }
  if (cut && !r->o.skip_bad) return rmx__too_long(r, "a line", err);
  if (cut) {
    r->bad_lines++;
    return RMX_OK;
  }
  if (j->by_value && j->array_over)
    return rmx__unusable(r, &r->bad_lines, "more text after the end of the array", err);
  return rmx__is_blank(r->line.data, r->line.size) ? RMX_OK : take_object(r, err);
}

// Whether JSON is an array, or has objects over several lines. Such an object has its brace alone
// in the first line.
static bool is_by_value(rmx__input *s, bool *array) {
  const char *p = s->block + s->at, *end = s->block + s->end;
  while (p < end && strchr(" \t\r\n", *p) && *p) p++;
  if (p == end) return false;
  if (*p == '[') {
    const char *q = p + 1;
    while (q < end && strchr(" \t\r\n", *q) && *q) q++;
    if (q < end && *q != '{' && *q != ']') return false;
    s->at = (size_t)(p + 1 - s->block);
    *array = true;
    return true;
  }
  if (*p++ != '{') return false;
  while (p < end && (*p == ' ' || *p == '\t' || *p == '\r')) p++;
  return p < end && *p == '\n';
}

static rmx_status open_json(rmx__reader *r, rmx_err *err) {
  rmx__input *s = &r->input;
  struct json *j = r->state = rmx_calloc(1, sizeof *j);
  if (!j) return rmx_fail_memory(err, sizeof *j, r->path);
  const size_t first = s->at;
  j->by_value = is_by_value(s, &j->array_open);
  if (!j->by_value) return RMX_OK;
  for (size_t i = first; i < s->at; i++) r->line_number += s->block[i] == '\n';
  r->line_number++;
  return RMX_OK;
}

static void close_json(rmx__reader *r) {
  free(r->state);
}

static const char *const endings[] = {".jsonl", ".json", ".ndjson", NULL};
const rmx__format rmx__format_json = {
    .endings = endings,
    .flags = RMX__FORMAT_COLUMNS,
    .open = open_json,
    .next = next_json,
    .close = close_json,
};
