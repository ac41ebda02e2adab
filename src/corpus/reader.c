// SPDX-License-Identifier: Apache-2.0
// The formats a corpus may come in: text with a line that separates documents, and JSON Lines.
#include "reader.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

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

static rmx_status next_text(rmx__reader *r, bool *more, rmx_err *err) {
  bool whole = strcmp(r->separator, "none") == 0, first = true, line;
  r->text.size = 0;
  *more = false;
  for (;;) {
    RMX_TRY(rmx__source_line(&r->source, &r->line, &line, err));
    if (!line) return RMX_OK;
    *more = true;
    r->line_number++;
    if (!whole && is_separator(r->separator, r->line.data, r->line.size)) return RMX_OK;
    if (!first) rmx_buf_puts(&r->text, "\n");
    rmx_buf_add(&r->text, r->line.data, r->line.size);
    first = false;
  }
}

// ---- JSON Lines ---------------------------------------------------------------------------

static rmx_status bad_line(rmx__reader *r, const char *what, rmx_err *err) {
  if (r->skip_bad) {
    r->bad_lines++;
    return RMX_OK;
  }
  return rmx_fail(err, RMX_EINPUT, "%s:%zu: %s; repair the line, or set skip_bad to pass over such lines",
                  r->path, r->line_number, what);
}

static rmx_status next_json(rmx__reader *r, bool *more, rmx_err *err) {
  for (;;) {
    RMX_TRY(rmx__source_line(&r->source, &r->line, more, err));
    if (!*more) return RMX_OK;
    r->line_number++;
    if (is_blank(r->line.data, r->line.size)) continue;
    r->invalid_utf8 += rmx__utf8_repair(&r->line, &r->scratch);
    if (r->line.failed) return rmx_fail_memory(err, r->line.size, r->path);
    json_error_t at;
    json_t *object = json_loadb(r->line.data, r->line.size, JSON_ALLOW_NUL, &at);
    const json_t *text = json_object_get(object, r->text_field);
    char what[256];
    if (json_is_string(text)) {
      r->text.size = 0;
      rmx_buf_add(&r->text, json_string_value(text), json_string_length(text));
      json_decref(object);
      return RMX_OK;
    }
    if (!object)
      snprintf(what, sizeof what, "not JSON: %s", at.text);
    else if (!json_is_object(object))
      snprintf(what, sizeof what, "not a JSON object");
    else
      snprintf(what, sizeof what, "\"%s\" is %s", r->text_field, text ? "not a string" : "missing");
    json_decref(object);
    RMX_TRY(bad_line(r, what, err));
  }
}

// ---- the table ------------------------------------------------------------------------------

static const rmx__format formats[] = {
    {".jsonl", next_json},
    {".txt", next_text},
};
enum { NFORMATS = sizeof formats / sizeof *formats };

const rmx__format *rmx__format_of(const char *path) {
  size_t stem;
  rmx__packing_of(path, &stem);
  for (size_t i = 0; i < NFORMATS; i++) {
    size_t n = strlen(formats[i].extension);
    if (n < stem && memcmp(path + stem - n, formats[i].extension, n) == 0) return &formats[i];
  }
  return NULL;
}

void rmx__formats_known(rmx_buf *out) {
  for (size_t i = 0; i < NFORMATS; i++) rmx_buf_printf(out, "%s%s", i ? ", " : "", formats[i].extension);
  rmx_buf_printf(out, ", each as it is or packed (%s)", rmx__packings_known);
}

rmx_status rmx__reader_open(rmx__reader *r, const char *path, const char *text_field, const char *separator,
                            bool skip_bad, rmx_err *err) {
  *r = (rmx__reader){.path = path, .text_field = text_field, .separator = separator, .skip_bad = skip_bad};
  r->format = rmx__format_of(path);
  if (!r->format) {
    rmx_buf known = {0};
    rmx__formats_known(&known);
    rmx_status status = rmx_fail(err, RMX_EINPUT, "%s: unknown kind of file; known are %s", path,
                                 known.data ? known.data : "");
    rmx_buf_release(&known);
    return status;
  }
  return rmx__source_open(&r->source, path, err);
}

rmx_status rmx__reader_next(rmx__reader *r, bool *more, rmx_err *err) {
  for (;;) {
    RMX_TRY(r->format->next(r, more, err));
    if (!*more) return RMX_OK;
    if (r->text.size) r->invalid_utf8 += rmx__utf8_repair(&r->text, &r->scratch);
    if (r->text.failed) return rmx_fail_memory(err, r->text.size, r->path);
    if (!is_blank(r->text.data, r->text.size)) return RMX_OK;
  }
}

void rmx__reader_close(rmx__reader *r) {
  rmx__source_close(&r->source);
  rmx_buf_release(&r->text);
  rmx_buf_release(&r->line);
  rmx_buf_release(&r->scratch);
}
