// SPDX-License-Identifier: Apache-2.0
// CSV tables of numbers (RFC 4180), whose first column names the rows.
#include <errno.h>
#include <math.h>
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/c_number.h"
#include "base/number_advice.h"

// Spaces around a field, or around its quotes, are no part of it, and a byte order mark is not one
// after a quote.
static bool needs_quotes(const char *text) {
  size_t n = strlen(text);
  return strpbrk(text, ",\"\r\n") ||
         (n && (strchr(" \t", text[0]) || strchr(" \t", text[n - 1]))) ||
         strncmp(text, "\xEF\xBB\xBF", 3) == 0;
}

void rmx_csv_field(rmx_buf *out, const char *text) {
  if (!needs_quotes(text)) {
    rmx_buf_puts(out, text);
    return;
  }
  rmx_buf_puts(out, "\"");
  for (; *text; text++) rmx_buf_printf(out, *text == '"' ? "\"\"" : "%c", *text);
  rmx_buf_puts(out, "\"");
}

// A cursor over the text of a file. A record's fields are unquoted in place.
struct cursor {
  const char *path;
  char *at, *end;
  int line;  // of the record read last
  int next_line;
  char **fields;
  size_t n, capacity;
};

static rmx_status add_field(struct cursor *c, char *field, rmx_err *err) {
  if (c->n == c->capacity) {
    size_t capacity = c->capacity ? 2 * c->capacity : 32;
    char **fields = rmx_realloc(c->fields, capacity, sizeof *fields);
    if (!fields) return rmx_fail_memory(err, capacity, c->path);
    c->fields = fields;
    c->capacity = capacity;
  }
  c->fields[c->n++] = field;
  return RMX_OK;
}

static void skip_blanks(struct cursor *c) {
  while (c->at < c->end && (*c->at == ' ' || *c->at == '\t')) c->at++;
}

// Reads the next record that is not blank; n = 0 at the end of the file.
static rmx_status next_record(struct cursor *c, rmx_err *err) {
  c->n = 0;
  while (c->at < c->end && (*c->at == '\n' || *c->at == '\r')) {
    if (*c->at == '\n') c->next_line++;
    c->at++;
  }
  c->line = c->next_line;
  while (c->at < c->end) {
    skip_blanks(c);
    char *field = c->at, *to = c->at;
    if (c->at < c->end && *c->at == '"') {
      for (c->at++;; c->at++) {
        if (c->at >= c->end)
          return rmx_fail(err, RMX_EINPUT, "%s:%d: a quoted field does not end", c->path, c->line);
        if (*c->at == '"' && c->at + 1 < c->end && c->at[1] == '"')
          c->at++;
        else if (*c->at == '"')
          break;
        if (*c->at == '\n') c->next_line++;
        *to++ = *c->at;
      }
      c->at++;
      skip_blanks(c);
      while (c->at < c->end && *c->at == '\r') c->at++;
      if (c->at < c->end && *c->at != ',' && *c->at != '\n')
        return rmx_fail(err, RMX_EINPUT,
                        "%s:%d: text after a closing quote; wanted a comma or the end of the line",
                        c->path, c->line);
    } else {
      while (c->at < c->end && *c->at != ',' && *c->at != '\n') *to++ = *c->at++;
      while (to > field && (to[-1] == ' ' || to[-1] == '\r' || to[-1] == '\t')) to--;
    }
    while (c->at < c->end && *c->at == '\r') c->at++;
    char stop = c->at < c->end ? *c->at : '\n';
    *to = '\0';
    RMX_TRY(add_field(c, field, err));
    if (c->at < c->end) c->at++;
    if (stop == '\n') {
      c->next_line++;
      return RMX_OK;
    }
    if (c->at >= c->end) return add_field(c, c->end, err);  // a comma was the last byte
  }
  return RMX_OK;
}

// "1,234": thousands, or a decimal comma.
static bool has_one_group(const char *text, const char *comma) {
  text += strspn(text, "+-");
  return comma > text && comma - text <= 3 && *text != '0' && strlen(comma + 1) == 3;
}

const char *rmx__number_advice(const char *text) {
  const char *comma = strchr(text, ','), *point = strchr(text, '.');
  const size_t n = strlen(text), digits_n = strspn(text, "+-0123456789,.eE");
  if (n > 1 && digits_n == n - 1 && text[n - 1] == '%')
    return "; write it without the sign (tr -d % < old.csv > new.csv)";
  if (!comma || digits_n < n) return "";
  if (point && point < comma)
    return "; write it without points between its digits, and with a point for the decimal comma";
  if (point || strchr(comma + 1, ',')) return "; write it without commas between its digits";
  return has_one_group(text, comma) ? "; write it without the comma if it is between thousands, or "
                                      "with a point if it is a "
                                      "decimal comma"
                                    : "; write a point for the decimal comma, as in 0.5";
}

static rmx_status number_of(const struct cursor *c, const char *column, const char *text,
                            double *out, rmx_err *err) {
  if (!*text || strcasecmp(text, "na") == 0 || strcasecmp(text, "nan") == 0 ||
      strcasecmp(text, "null") == 0) {
    *out = NAN;
    return RMX_OK;
  }
  char *end;
  double x = rmx__strtod(text, &end);
  if (*end || !isfinite(x) || strpbrk(text, "xX"))  // strtod takes hexadecimal too
    return rmx_fail(err, RMX_EINPUT, "%s:%d: column \"%s\": \"%.40s\" is not a number%s", c->path,
                    c->line, column, text, rmx__number_advice(text));
  *out = x;
  return RMX_OK;
}

static rmx_status header_of(struct cursor *c, rmx_table *t, rmx_err *err) {
  RMX_TRY(next_record(c, err));
  if (c->n == 0)
    return rmx_fail(err, RMX_EINPUT, "%s: empty; wanted a header line and rows", c->path);
  if (c->n < 2)
    return rmx_fail(
        err, RMX_EINPUT,
        "%s:%d: one column only; wanted a column of run names, then numbers, with commas", c->path,
        c->line);
  t->id_name = rmx_strdup(c->fields[0]);
  t->names = rmx_calloc(c->n - 1, sizeof *t->names);
  if (!t->id_name || !t->names) return rmx_fail_memory(err, 0, c->path);
  for (size_t j = 1; j < c->n; j++) {
    for (size_t k = 0; k < t->D; k++)
      if (strcmp(t->names[k], c->fields[j]) == 0)
        return rmx_fail(err, RMX_EINPUT, "%s:%d: two columns are named \"%s\"; rename one", c->path,
                        c->line, c->fields[j]);
    if (!*c->fields[j])
      return rmx_fail(err, RMX_EINPUT, "%s:%d: column %zu has no name", c->path, c->line, j + 1);
    if (!(t->names[t->D] = rmx_strdup(c->fields[j]))) return rmx_fail_memory(err, 0, c->path);
    t->D++;
  }
  return RMX_OK;
}

static rmx_status rows_of(struct cursor *c, rmx_table *t, rmx_err *err) {
  size_t capacity = 0;
  for (;;) {
    RMX_TRY(next_record(c, err));
    if (c->n == 0) return RMX_OK;
    if (c->n != t->D + 1)
      return rmx_fail(err, RMX_EINPUT, "%s:%d: %zu fields, the header has %zu", c->path, c->line,
                      c->n, t->D + 1);
    if (t->N == capacity) {
      size_t grown = capacity ? 2 * capacity : 64;
      char **ids = rmx_realloc(t->ids, grown, sizeof *ids);
      if (ids) t->ids = ids;
      int *lines = rmx_realloc(t->lines, grown, sizeof *lines);
      if (lines) t->lines = lines;
      double *x = rmx_realloc(t->x, grown, t->D * sizeof *x);
      if (x) t->x = x;
      if (!ids || !lines || !x) return rmx_fail_memory(err, grown * t->D * sizeof *x, c->path);
      capacity = grown;
    }
    for (size_t j = 0; j < t->D; j++)
      RMX_TRY(number_of(c, t->names[j], c->fields[j + 1], &t->x[t->N * t->D + j], err));
    if (!(t->ids[t->N] = rmx_strdup(c->fields[0]))) return rmx_fail_memory(err, 0, c->path);
    t->lines[t->N++] = c->line;
  }
}

// What to do with a file that spreadsheets save as "Unicode text".
static const char *utf16_advice(const char *text, size_t size) {
  const bool marked =
      size > 1 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0);
  const bool wide = size > 3 && (!text[0] != !text[1]) && (!text[2] != !text[3]);
  return marked || wide ? ": this looks like UTF-16; save it as UTF-8 (iconv -f UTF-16 -t UTF-8 < "
                          "old.csv > new.csv)"
                        : "";
}

// Names are kept as they are in JSON and YAML, which hold nothing but UTF-8.
static rmx_status is_utf8_text(const char *path, const char *text, size_t size, rmx_err *err) {
  size_t at;
  if (memchr(text, '\0', size))
    return rmx_fail(err, RMX_EINPUT, "%s: not text (it has NUL bytes)%s", path,
                    utf16_advice(text, size));
  if (rmx_is_utf8(text, size, &at)) return RMX_OK;
  int line = 1;
  for (size_t i = 0; i < at; i++) line += text[i] == '\n';
  return rmx_fail(err, RMX_EINPUT,
                  "%s:%d: the byte 0x%02x is not UTF-8; wanted UTF-8 text (if it is Latin-1: iconv "
                  "-f latin1 -t utf-8 old.csv > new.csv)",
                  path, line, (unsigned char)text[at]);
}

// Lines that end with carriage returns alone, as spreadsheets of the Macintosh save them.
static void unify_ends(char *text, size_t size) {
  if (memchr(text, '\n', size)) return;
  for (char *at = text; (at = memchr(at, '\r', (size_t)(text + size - at)));) *at = '\n';
}

rmx_status rmx_csv_read(const char *path, rmx_table *out, rmx_err *err) {
  *out = (rmx_table){0};
  char *text;
  size_t size;
  RMX_TRY(rmx_read_file(path, &text, &size, err));
  struct cursor c = {.path = path, .at = text, .end = text + size, .next_line = 1};
  if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) c.at += 3;
  unify_ends(text, size);
  rmx_status status = is_utf8_text(path, text, size, err);
  if (status == RMX_OK && !(out->path = rmx_strdup(path))) status = rmx_fail_memory(err, 0, path);
  if (status == RMX_OK) status = header_of(&c, out, err);
  if (status == RMX_OK) status = rows_of(&c, out, err);
  if (status == RMX_OK && out->N == 0)
    status = rmx_fail(err, RMX_EINPUT, "%s: a header but no rows", path);
  free(c.fields);
  free(text);
  if (status != RMX_OK) rmx_table_release(out);
  return status;
}

static rmx_status cells_of(struct cursor *c, rmx_cells *t, rmx_err *err) {
  RMX_TRY(next_record(c, err));
  if (c->n == 0)
    return rmx_fail(err, RMX_EINPUT, "%s: empty; wanted a header line and rows", c->path);
  t->C = c->n;
  if (!(t->header = rmx_calloc(t->C, sizeof *t->header)))
    return rmx_fail_memory(err, t->C, c->path);
  memcpy(t->header, c->fields, t->C * sizeof *t->header);
  for (size_t capacity = 0;;) {
    RMX_TRY(next_record(c, err));
    if (c->n == 0) return RMX_OK;
    if (c->n != t->C)
      return rmx_fail(err, RMX_EINPUT, "%s:%d: %zu fields, the header has %zu", c->path, c->line,
                      c->n, t->C);
    if (t->N == capacity) {
      size_t grown = capacity ? 2 * capacity : 64;
      const char **cells = rmx_realloc(t->cells, grown, t->C * sizeof *cells);
      if (cells) t->cells = cells;
      int *lines = rmx_realloc(t->lines, grown, sizeof *lines);
      if (lines) t->lines = lines;
      if (!cells || !lines) return rmx_fail_memory(err, grown * t->C * sizeof *cells, c->path);
      capacity = grown;
    }
    memcpy(t->cells + t->N * t->C, c->fields, t->C * sizeof *t->cells);
    t->lines[t->N++] = c->line;
  }
}

rmx_status rmx_csv_cells(const char *path, rmx_cells *out, rmx_err *err) {
  *out = (rmx_cells){0};
  size_t size;
  RMX_TRY(rmx_read_file(path, &out->text, &size, err));
  struct cursor c = {.path = path, .at = out->text, .end = out->text + size, .next_line = 1};
  if (size >= 3 && memcmp(out->text, "\xEF\xBB\xBF", 3) == 0) c.at += 3;
  unify_ends(out->text, size);
  rmx_status status = is_utf8_text(path, out->text, size, err);
  if (status == RMX_OK && !(out->path = rmx_strdup(path))) status = rmx_fail_memory(err, 0, path);
  if (status == RMX_OK) status = cells_of(&c, out, err);
  if (status == RMX_OK && out->N == 0)
    status = rmx_fail(err, RMX_EINPUT, "%s: a header but no rows", path);
  free(c.fields);
  if (status != RMX_OK) rmx_cells_release(out);
  return status;
}

void rmx_cells_release(rmx_cells *c) {
  free(c->path);
  free(c->text);
  free(c->header);
  free(c->cells);
  free(c->lines);
  *c = (rmx_cells){0};
}

static void table_text(const rmx_table *t, rmx_buf *b) {
  rmx_csv_field(b, t->id_name);
  for (size_t j = 0; j < t->D; j++) {
    rmx_buf_puts(b, ",");
    rmx_csv_field(b, t->names[j]);
  }
  rmx_buf_puts(b, "\n");
  for (size_t i = 0; i < t->N; i++) {
    rmx_csv_field(b, t->ids[i]);
    for (size_t j = 0; j < t->D; j++) {
      char number[32] = "";
      if (!isnan(t->x[i * t->D + j])) rmx_double_text(t->x[i * t->D + j], number);
      rmx_buf_printf(b, ",%s", number);
    }
    rmx_buf_puts(b, "\n");
  }
}

rmx_status rmx_csv_write(const char *path, const rmx_table *t, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf b = {0};
  table_text(t, &b);
  return b.failed ? rmx_fail_memory(err, b.size, path) : rmx_write_file(path, b.data, b.size, err);
}

rmx_status rmx_csv_print(FILE *f, const rmx_table *t, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf b = {0};
  table_text(t, &b);
  if (b.failed) return rmx_fail_memory(err, b.size, "a table");
  fwrite(b.data, 1, b.size, f);  // errors stay on the stream
  return RMX_OK;
}

rmx_status rmx_table_make(rmx_table *out, const char *id_name, size_t N, size_t D, rmx_err *err) {
  *out = (rmx_table){.id_name = rmx_strdup(id_name),
                     .ids = rmx_calloc(N, sizeof(char *)),
                     .lines = rmx_calloc(N, sizeof(int)),
                     .names = rmx_calloc(D, sizeof(char *)),
                     .x = D && N > SIZE_MAX / D ? NULL : rmx_calloc(N * D, sizeof(double))};
  bool good = out->id_name && out->ids && out->lines && out->names && out->x;
  out->N = N;
  out->D = D;
  if (!good) {
    out->N = out->ids ? N : 0;
    out->D = out->names ? D : 0;
    rmx_table_release(out);
    return rmx_fail_memory(err, N * D * sizeof(double), "a table");
  }
  return RMX_OK;
}

void rmx_table_release(rmx_table *t) {
  for (size_t i = 0; t->ids && i < t->N; i++) free(t->ids[i]);
  for (size_t j = 0; t->names && j < t->D; j++) free(t->names[j]);
  free(t->ids);
  free(t->names);
  free(t->lines);
  free(t->x);
  free(t->better);
  free(t->sizes);
  free(t->tokens);
  free(t->id_name);
  free(t->path);
  *t = (rmx_table){0};
}
