// SPDX-License-Identifier: Apache-2.0
// JSON: an object in each line, an array of objects, or objects over several lines.
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "json_scan.h"

enum { TEXT_PATHS = 16 };  // alternatives of text_field

struct json {
  bool by_value;                // an array, or objects over several lines
  bool array;                   // the file begins with one
  bool array_open, array_over;  // an array has begun; has ended
  size_t feeds;                 // line feeds in the present value, to be counted
  char *names;                  // text_field, with a zero after each alternative
  const char *paths[RMX__JSON_PATHS];
  size_t n_text, n;  // paths of the text, which are first; all
  rmx__json_value values[RMX__JSON_PATHS];
};

// ---- values over several lines -----------------------------------------------------------------

// Where in a value the reader is: what is open at the end of a block goes on in the next.
struct value {
  size_t depth;
  bool begun, string, escape;
};

// Skips white space and commas before a value, and the end of the array. NULL: a value begins.
static const char *skip_between(rmx__reader *r, const char *at, const char *end) {
  struct json *j = r->state;
  for (; at < end && *at; at++) {
    if (*at == '[' && j->array_over && r->o.skip_bad) {  // a second array
      r->lost.bad_lines++;
      j->array_over = false;
      j->array_open = true;
    } else if (!strchr(" \t\r\n,]", *at)) {
      break;
    }
    r->line_number += *at == '\n';
    if (*at == ']') j->array_over = true, j->array_open = false;
  }
  return at;
}

// Moves from `at` to the end of the value, or to the end of the block. *over: it is the end of the
// value.
static const char *skip_in_value(struct value *v, const char *at, const char *end, bool *over) {
  while (at < end && !*over) {
    if (v->string) {
      if (!v->escape) at = rmx__json_special(at, end);
      if (at == end) break;
      v->string = v->escape || *at != '"';
      v->escape = !v->escape && *at == '\\';
    } else if (*at == '"') {
      v->string = true;
    } else if (*at == '{' || *at == '[') {
      v->depth++;
    } else if ((*at == '}' || *at == ']') && v->depth > 0) {
      *over = --v->depth == 0;
    } else if (v->depth == 0 && (*over = *at == ',' || *at == ']')) {
      break;  // after a value that is not an object
    }
    at++;
  }
  return at;
}

static size_t count_feeds(const char *at, const char *end) {
  size_t n = 0;
  while ((at = memchr(at, '\n', (size_t)(end - at)))) n++, at++;
  return n;
}

// Reads the next object of an array, or an object over several lines, into r->line. *cut: the
// object is too long, or the file ends within it.
static rmx_status next_value(rmx__reader *r, bool *more, bool *cut, uint64_t *whole, rmx_err *err) {
  rmx__input *s = &r->input;
  struct json *j = r->state;
  struct value v = {0};
  *more = *cut = false;
  r->line_number += j->feeds;
  j->feeds = 0;
  r->line.size = 0;
  rmx_buf_add(&r->line, "", 0);
  for (bool over = false; !over;) {
    RMX_TRY(rmx__input_fill(s, err));
    if (s->ended) {
      *more = v.begun;
      j->array_open = j->array_open && !v.begun;
      return RMX_OK;  // within a value: the scanner will report it
    }
    const char *from = s->block + s->at, *const end = s->block + s->end;
    if (!v.begun) from = skip_between(r, from, end);
    v.begun = from < end;
    const char *at = skip_in_value(&v, from, end, &over);
    const size_t n = (size_t)(at - from),
                 room = r->o.max_document ? r->o.max_document - r->line.size : n;
    j->feeds += count_feeds(from, at);
    *cut = *cut || n > room;
    *whole += n;
    rmx_buf_add(&r->line, from, n < room ? n : room);
    if (r->line.failed) return rmx_fail_memory(err, r->line.size, r->path);
    s->at = (size_t)(at - s->block);
  }
  *more = true;
  return RMX_OK;
}

// ---- an object ---------------------------------------------------------------------------------

struct kinds {
  size_t missing, null, text, other;
};

static bool count_kind(void *context, const rmx__json_value *v) {
  struct kinds *k = context;
  k->missing += v->kind == RMX__JSON_NONE;
  k->null += v->kind == RMX__JSON_NULL;
  k->text += v->kind == RMX__JSON_STRING;
  k->other += v->kind > RMX__JSON_STRING;
  return true;
}

static bool is_list(const rmx__json_value *v) {
  return v->kind == RMX__JSON_ARRAY || v->kind == RMX__JSON_EACH;
}

// What a value is as a text. Without any text, a list is null, or missing in all its elements.
static rmx__json_kind kind_as_text(const rmx__json_value *v) {
  struct kinds k = {0};
  if (!is_list(v)) return v->kind;
  if (!rmx__json_each(v, count_kind, &k) || k.other) return RMX__JSON_OBJECT;
  if (k.text) return RMX__JSON_STRING;
  return k.missing && !k.null ? RMX__JSON_NONE : RMX__JSON_NULL;
}

struct taking {
  rmx__reader *r;
  const char *line;
  rmx__json_look *look;
  bool more;  // not the first
};

static bool take_string(void *context, const rmx__json_value *v) {
  struct taking *t = context;
  if (v->kind != RMX__JSON_STRING) return true;
  if (t->more) rmx_buf_puts(&t->r->text, "\n");
  t->more = true;
  return rmx__json_decode(t->line, *v, &t->r->text, t->look);
}

// Decodes a string, or a list of strings, which become lines.
static bool take_text(rmx__reader *r, const char *line, const rmx__json_value *v,
                      rmx__json_look *look) {
  struct taking t = {r, line, look, false};
  r->text.size = 0;
  return is_list(v) ? rmx__json_each(v, take_string, &t) : take_string(&t, v);
}

static void take_fields(rmx__reader *r, const char *line) {
  const struct json *j = r->state;
  for (size_t i = 0; i < rmx__fields(r); i++) {
    const rmx__json_value *v = &j->values[j->n_text + i];
    rmx__json_look look = {0};
    if (v->kind == RMX__JSON_SCALAR) rmx__set_field(r, i, v->from, (size_t)(v->to - v->from));
    if (v->kind != RMX__JSON_STRING) continue;
    rmx__set_field(r, i, "", 0);
    r->has[i] = rmx__json_decode(line, *v, &r->values[i], &look);
  }
}

// The first characters of a line, for messages.
static const char *beginning(const char *line, size_t size, char out[64]) {
  snprintf(out, 64, "%.*s", size < 40 ? (int)size : 40, line);
  rmx_make_printable(out, "");
  return out;
}

static rmx_status broken(rmx__reader *r, const char *line, size_t size, const rmx__json_look *look,
                         rmx_err *err) {
  char what[256], begins[64];
  r->text.size = 0;
  if (look->no_object) return rmx__unusable(r, &r->lost.bad_lines, size, "not a JSON object", err);
  if (look->too_deep)
    snprintf(what, sizeof what, "%s, at byte %zu of the line, are not read, in no field",
             look->what, look->column);
  else if (size && *line != '{')
    snprintf(what, sizeof what, "not JSON: %s, at byte %zu of the line, which begins \"%s\"",
             look->what, look->column, beginning(line, size, begins));
  else
    snprintf(what, sizeof what, "not JSON: %s, at byte %zu of the line", look->what, look->column);
  return rmx__unusable(r, &r->lost.bad_lines, size, what, err);
}

static rmx_status without_text(rmx__reader *r, size_t bytes, rmx_err *err) {
  const struct json *j = r->state;
  bool null = false, other = false;
  char what[512];
  for (size_t i = 0; i < j->n_text; i++) {
    const rmx__json_kind kind = kind_as_text(&j->values[i]);
    other = other || kind > RMX__JSON_NULL;
    null = null || kind == RMX__JSON_NULL;
  }
  if (!other && null) {  // a document without text, like one of blanks
    r->lost.no_text++;
    return RMX_OK;
  }
  snprintf(what, sizeof what,
           other            ? "\"%s\" is not a string"
           : j->n_text == 1 ? "\"%s\" is missing (corpus.text_field names the field with the text)"
                            : "none of \"%s\" is there (corpus.text_field names the fields that "
                              "can have the text)",
           r->o.text_field);
  return rmx__unusable(r, other ? &r->lost.bad_lines : &r->lost.no_text, bytes, what, err);
}

// Finds the text and the fields of the object in a line.
static rmx_status take_object(rmx__reader *r, const char *line, size_t size, rmx_err *err) {
  struct json *j = r->state;
  rmx__json_look look;
  if (!rmx__json_scan(line, size, j->paths, j->n, j->values, &look))
    return broken(r, line, size, &look, err);
  for (size_t i = 0; i < j->n_text && rmx__is_blank(r->text.data, r->text.size); i++) {
    if (kind_as_text(&j->values[i]) != RMX__JSON_STRING) continue;
    if (!take_text(r, line, &j->values[i], &look)) return broken(r, line, size, &look, err);
    r->document = true;
  }
  if (!r->document) return without_text(r, size, err);
  r->lost.surrogates += look.surrogates;
  r->valid = !look.not_ascii;
  r->raw = line;
  r->raw_size = size;
  take_fields(r, line);
  return RMX_OK;
}

// A broken object may have taken those after it for its own. Reads again from the first that seems
// to begin in it: a brace and a quote after a comma or a line feed.
static rmx_status read_rest_again(rmx__reader *r, rmx_err *err) {
  struct json *j = r->state;
  const char *line = r->line.data, *const end = line + r->line.size;
  bool begins = false, done;
  for (const char *p = line + 1; p < end; p++) {
    if (*p == '{' && begins) {
      const char *q = p + 1;
      while (q < end && strchr(" \t\r\n", *q) && *q) q++;
      if (q < end && *q == '"') {
        RMX_TRY(rmx__input_again(&r->input, p, (size_t)(end - p), &done, err));
        if (!done) return RMX_OK;
        r->lost.bad_bytes -= (uint64_t)(end - p);
        j->feeds = count_feeds(line, p);
        j->array_open = j->array && !j->array_over;
        return RMX_OK;
      }
    }
    begins = *p == ',' || *p == '\n' || (begins && strchr(" \t\r", *p) && *p);
  }
  return RMX_OK;
}

static rmx_status next_json(rmx__reader *r, bool *more, rmx_err *err) {
  struct json *j = r->state;
  rmx__line line;
  if (j->by_value) {
    line.whole = 0;
    RMX_TRY(next_value(r, more, &line.cut, &line.whole, err));
    line.data = r->line.data;
    line.size = r->line.size;
  } else {
    RMX_TRY(rmx__input_line(&r->input, r->o.max_document, &line, more, err));
    r->line_number++;
  }
  if (!*more && !j->array_open) return RMX_OK;
  if (!*more) {
    j->array_open = false;
    return rmx__unusable(r, &r->lost.bad_lines, 0, "the array has no end: the file is cut off",
                         err);
  }
  if (line.cut && !r->o.skip_bad) return rmx__too_long(r, "a line", err);
  if (line.cut) {
    r->lost.bad_lines++;
    r->lost.bad_bytes += line.whole;
    return j->by_value ? read_rest_again(r, err) : RMX_OK;
  }
  if (j->by_value && j->array_over)
    return rmx__unusable(r, &r->lost.bad_lines, line.size, "more text after the end of the array",
                         err);
  if (rmx__is_blank(line.data, line.size)) return RMX_OK;
  const uint64_t bad = r->lost.bad_lines;
  RMX_TRY(take_object(r, line.data, line.size, err));
  return j->by_value && r->lost.bad_lines > bad ? read_rest_again(r, err) : RMX_OK;
}

// ---- the first block ---------------------------------------------------------------------------

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

// The alternatives of text_field, which commas separate, and the further fields.
static rmx_status set_paths(rmx__reader *r, rmx_err *err) {
  struct json *j = r->state;
  if (!(j->names = rmx_strdup(r->o.text_field))) return rmx_fail_memory(err, 0, r->path);
  for (char *name = j->names, *comma; name; name = comma ? comma + 1 : NULL) {
    if ((comma = strchr(name, ','))) *comma = '\0';
    name += strspn(name, " ");
    for (size_t n = strlen(name); n > 0 && name[n - 1] == ' '; n--) name[n - 1] = '\0';
    if (j->n_text == TEXT_PATHS)
      return rmx_fail(err, RMX_EINPUT, "corpus.text_field has more than %d alternatives",
                      TEXT_PATHS);
    j->paths[j->n_text++] = name;
  }
  j->n = j->n_text;
  if (rmx__fields(r) > RMX__JSON_PATHS - TEXT_PATHS)
    return rmx_fail(err, RMX_EINPUT, "%s: more than %d fields are wanted", r->path,
                    RMX__JSON_PATHS - TEXT_PATHS);
  for (size_t i = 0; i < rmx__fields(r); i++) j->paths[j->n++] = r->o.fields->items[i];
  return RMX_OK;
}

static rmx_status open_json(rmx__reader *r, rmx_err *err) {
  rmx__input *s = &r->input;
  struct json *j = r->state = rmx_calloc(1, sizeof *j);
  if (!j) return rmx_fail_memory(err, sizeof *j, r->path);
  RMX_TRY(set_paths(r, err));
  const size_t first = s->at;
  j->by_value = is_by_value(s, &j->array_open);
  j->array = j->array_open;
  if (!j->by_value) return RMX_OK;
  for (size_t i = first; i < s->at; i++) r->line_number += s->block[i] == '\n';
  r->line_number++;
  return RMX_OK;
}

static void close_json(rmx__reader *r) {
  struct json *j = r->state;
  if (j) free(j->names);
  free(j);
}

static const char *const endings[] = {".jsonl", ".json", ".ndjson", NULL};
const rmx__format rmx__format_json = {
    .endings = endings,
    .flags = RMX__FORMAT_COLUMNS | RMX__FORMAT_GUESS,
    .open = open_json,
    .next = next_json,
    .close = close_json,
};
