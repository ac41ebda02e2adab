// SPDX-License-Identifier: Apache-2.0
// The formats of a corpus: text with a line that separates documents, and JSON with an object in
// each line.
#include "reader.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "corpus/utf8.h"
#include "file_type.h"
#include "json_text.h"

enum { LOOKED_AT = 4096 };  // first bytes, which tell the type of a file

// ---- text ------------------------------------------------------------------------------

static bool is_blank(const char *text, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (!strchr(" \t\r\n\v\f", text[i]) || text[i] == '\0') return false;
  return true;
}

static bool is_separator(const char *separator, const char *line, size_t size) {
  if (size && line[size - 1] == '\r') size--;
  if (!*separator) return is_blank(line, size);
  return strlen(separator) == size && memcmp(line, separator, size) == 0;
}

static rmx_status too_long(const rmx__reader *r, const char *what, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT,
                  "%s:%zu: %s of more than %llu bytes: divide it, or raise corpus.max_document "
                  "(it must fit into memory)",
                  r->path, r->line_number, what, (unsigned long long)r->o.max_document);
}

// Counts lines which suggest that the separator is wrong.
static void look_at_line(rmx__reader *r, const char *line, size_t size) {
  static const char *const ends[] = {"<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>",
                                     "<|im_end|>"};
  if (size && line[size - 1] == '\r') size--;
  if (size == 0) return;
  if (line[0] == '%') {
    r->comment_lines += size > 1 && r->o.separator[0] == '%' && !r->o.separator[1];
    return;
  }
  for (size_t i = 0; line[0] == '<' && i < sizeof ends / sizeof *ends; i++)
    if (strlen(ends[i]) == size && memcmp(line, ends[i], size) == 0) r->end_tokens++;
}

static rmx_status next_text(rmx__reader *r, bool *more, rmx_err *err) {
  const bool whole = strcmp(r->o.separator, "none") == 0;
  bool first = true, line, cut;
  r->text.size = 0;
  *more = false;
  for (;;) {
    RMX_TRY(rmx__input_line(&r->input, &r->line, r->o.max_document, &line, &cut, err));
    if (!line) return RMX_OK;
    *more = true;
    r->line_number++;
    if (!whole && !cut && is_separator(r->o.separator, r->line.data, r->line.size)) {
      r->separators++;
      return RMX_OK;
    }
    look_at_line(r, r->line.data, r->line.size);
    if (cut || (r->o.max_document && r->text.size + r->line.size + !first > r->o.max_document))
      return too_long(r, "a document", err);
    if (!first) rmx_buf_puts(&r->text, "\n");
    rmx_buf_add(&r->text, r->line.data, r->line.size);
    if (r->text.failed) return rmx_fail_memory(err, r->text.size, r->path);
    first = false;
  }
}

// ---- JSON ---------------------------------------------------------------------------------

// Reads the next object of an array, or an object over several lines, into r->line. It counts
// brackets and skips strings. *cut: the object is too long, or the file ends within it.
static rmx_status next_value(rmx__reader *r, bool *more, bool *cut, rmx_err *err) {
  rmx__input *s = &r->input;
  size_t depth = 0;
  bool string = false, escape = false, begun = false;
  *more = *cut = false;
  r->line_number += r->feeds;
  r->feeds = 0;
  r->line.size = 0;
  rmx_buf_add(&r->line, "", 0);
  for (;;) {
    RMX_TRY(rmx__input_fill(s, err));
    if (s->ended) {
      *more = begun;
      r->array_open = r->array_open && !begun;
      return RMX_OK;  // within a value: the scanner will report it
    }
    const char *from = s->block + s->at, *end = s->block + s->end, *at = from;
    bool over = false;
    for (; at < end && !over; at++) {
      if (*at == '\n') ++*(begun ? &r->feeds : &r->line_number);
      if (!begun && *at && strchr(" \t\r\n,]", *at)) {
        if (*at == ']') r->array_over = true, r->array_open = false;
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

static rmx_status unusable(rmx__reader *r, uint64_t *counter, const char *what, rmx_err *err) {
  if (r->o.skip_bad) {
    ++*counter;
    return RMX_OK;
  }
  return rmx_fail(err, RMX_EINPUT,
                  "%s:%zu: %s; repair the line, or set corpus.skip_bad to skip such lines", r->path,
                  r->line_number, what);
}

// Finds the text of the object in r->line; *good: it is in r->text.
static rmx_status take_object(rmx__reader *r, bool *good, rmx_err *err) {
  rmx__json_look look;
  char what[512];
  rmx__json_found found =
      rmx__json_text(r->line.data, r->line.size, r->o.text_field, &r->text, &look);
  if (r->text.failed) return rmx_fail_memory(err, r->line.size, r->path);
  *good = found == RMX__JSON_TEXT;
  switch (found) {
    case RMX__JSON_TEXT:
      r->invalid_utf8 += look.surrogates;
      return RMX_OK;
    case RMX__JSON_NULL:  // a document without text, like one of blanks
      r->no_text++;
      return RMX_OK;
    case RMX__JSON_MISSING:
      snprintf(what, sizeof what,
               "\"%s\" is missing (corpus.text_field names the field with the text)",
               r->o.text_field);
      return unusable(r, &r->no_text, what, err);
    case RMX__JSON_OTHER:
      snprintf(what, sizeof what, "\"%s\" is not a string", r->o.text_field);
      return unusable(r, &r->bad_lines, what, err);
    case RMX__JSON_NO_OBJECT:
      return unusable(r, &r->bad_lines, "not a JSON object", err);
    case RMX__JSON_BROKEN:
      break;
  }
  snprintf(what, sizeof what, "not JSON: %s, at byte %zu of the line", look.what, look.column);
  return unusable(r, &r->bad_lines, what, err);
}

static rmx_status next_json(rmx__reader *r, bool *more, rmx_err *err) {
  for (bool good = false, cut; !good;) {
    if (r->by_value) {
      RMX_TRY(next_value(r, more, &cut, err));
    } else {
      RMX_TRY(rmx__input_line(&r->input, &r->line, r->o.max_document, more, &cut, err));
      r->line_number++;
    }
    if (!*more && !r->array_open) return RMX_OK;
    if (!*more) {
      r->array_open = false;
      return unusable(r, &r->bad_lines, "the array has no end: the file is cut off", err);
    }
    if (cut && !r->o.skip_bad) return too_long(r, "a line", err);
    if (cut) {
      r->bad_lines++;
    } else if (r->by_value && r->array_over) {
      RMX_TRY(unusable(r, &r->bad_lines, "more text after the end of the array", err));
    } else if (!is_blank(r->line.data, r->line.size)) {
      RMX_TRY(take_object(r, &good, err));
    }
  }
  return RMX_OK;
}

// ---- the first bytes ---------------------------------------------------------------------------

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

// Refuses a file that is not text, before anything is read, and says what it is.
static rmx_status look(rmx__reader *r, rmx_err *err) {
  rmx__input *s = &r->input;
  r->looked = true;
  r->line_number = 0;
  RMX_TRY(rmx__input_peek(s, LOOKED_AT, err));
  size_t n = s->end - s->at < LOOKED_AT ? s->end - s->at : LOOKED_AT;
  const char *first = s->block + s->at, *kind = rmx__type_of_bytes(first, n);
  const bool json = r->format->next == next_json;
  r->html = rmx__is_html(first, n);
  if (!kind && json && r->html) kind = "a web page, not JSON; the download failed, fetch it again";
  if (kind) return rmx_fail(err, RMX_EINPUT, "%s: this is %s", r->path, kind);
  if (json && is_by_value(s, &r->array_open)) {
    r->by_value = true;
    for (const char *p = first; p < s->block + s->at; p++) r->line_number += *p == '\n';
    r->line_number++;
  }
  return RMX_OK;
}

// ---- the table ------------------------------------------------------------------------------

static const rmx__format formats[] = {
    {".jsonl", next_json},
    {".json", next_json},
    {".ndjson", next_json},
    {".txt", next_text},
};
enum { NFORMATS = sizeof formats / sizeof *formats };

const rmx__format *rmx__format_of(const char *path) {
  size_t stem;
  rmx__compression_of(path, &stem);
  for (size_t i = 0; i < NFORMATS; i++) {
    size_t n = strlen(formats[i].extension);
    if (n < stem && strncasecmp(path + stem - n, formats[i].extension, n) == 0) return &formats[i];
  }
  return NULL;
}

size_t rmx__stem(const char *path) {
  size_t stem;
  rmx__compression_of(path, &stem);
  const rmx__format *format = rmx__format_of(path);
  return format ? stem - strlen(format->extension) : stem;
}

void rmx__formats_known(rmx_buf *out) {
  for (size_t i = 0; i < NFORMATS; i++)
    rmx_buf_printf(out, "%s%s", i ? ", " : "", formats[i].extension);
  rmx_buf_printf(out, ", each as it is or compressed (%s)", rmx__compressions_known);
}

rmx_status rmx__reader_open(rmx__reader *r, const char *path, const rmx__reader_options *o,
                            rmx_err *err) {
  *r = (rmx__reader){.path = path, .o = *o, .format = rmx__format_of(path)};
  if (!r->format) {
    rmx_buf known = {0};
    rmx__formats_known(&known);
    const char *slash = strrchr(path, '/');
    rmx__file_use use;
    const char *why = rmx__type_of_name(slash ? slash + 1 : path, &use);
    rmx_status status =
        rmx_fail(err, RMX_EINPUT, "%s: unknown type of file; known are %s%s%s", path,
                 known.data ? known.data : "", use == RMX__FILE_DATA ? "; " : "",
                 use == RMX__FILE_DATA ? why : "");
    rmx_buf_release(&known);
    return status;
  }
  return rmx__input_open(&r->input, path, err);
}

rmx_status rmx__reader_next(rmx__reader *r, bool *more, rmx_err *err) {
  if (!r->looked) RMX_TRY(look(r, err));
  for (;;) {
    RMX_TRY(r->format->next(r, more, err));
    if (!*more) return RMX_OK;
    if (r->text.size) r->invalid_utf8 += rmx__utf8_repair(&r->text, &r->scratch);
    if (r->text.failed) return rmx_fail_memory(err, r->text.size, r->path);
    if (!is_blank(r->text.data, r->text.size)) return RMX_OK;
  }
}

void rmx__reader_close(rmx__reader *r) {
  rmx__input_close(&r->input);
  rmx_buf_release(&r->text);
  rmx_buf_release(&r->line);
  rmx_buf_release(&r->scratch);
}

// Each replaced byte has become the three bytes of U+FFFD.
static uint64_t bytes_before(uint64_t replaced, uint64_t bytes) {
  return bytes > 3 * replaced ? bytes - 2 * replaced : replaced;
}

double rmx__share_replaced(uint64_t replaced, uint64_t bytes) {
  return replaced ? (double)replaced / (double)bytes_before(replaced, bytes) : 0;
}

rmx_status rmx__fail_charset(const char *domain, const char *path, uint64_t replaced,
                             uint64_t bytes, size_t more_files, rmx_err *err) {
  char more[64] = "";
  if (more_files) snprintf(more, sizeof more, " (and in %zu more of its files)", more_files);
  return rmx_fail(err, RMX_EINPUT,
                  "domain \"%s\": %s: %llu of %llu bytes are not UTF-8%s, so the text is in "
                  "another character set; convert it, for example with `iconv -f WINDOWS-1252 -t "
                  "UTF-8 FILE > NEW`, leave the file out, or set corpus.skip_bad to read it with "
                  "these bytes replaced",
                  domain, path, (unsigned long long)replaced,
                  (unsigned long long)bytes_before(replaced, bytes), more);
}
