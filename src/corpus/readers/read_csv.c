// SPDX-License-Identifier: Apache-2.0
// A column of a CSV or TSV file (RFC 4180). Only the cells that are wanted are kept, a row at a
// time.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "corpus/sixteen.h"
#include "format.h"

enum where { AT_START, PLAIN, QUOTED, AFTER_QUOTE };

struct csv {
  char comma;
  rmx_strings names;  // of the columns; empty until the first row is read
  int *cell_of;       // (names.n) index of the cell that keeps this column, or -1
  rmx_buf *cells;     // (n_cells) those that can be the text, in turn; then the further fields
  size_t n_cells, n_texts;
  int *cell_of_field;  // (fields) or -1
  // the present row
  enum where where;
  size_t column, bytes;
  size_t feeds;    // line feeds in its quoted cells
  uint64_t whole;  // its bytes in the file
  rmx_buf below;   // with skip_bad: its bytes after the first line feed
  bool blank, too_long;
  const char *wrong;
};

// ---- a row -------------------------------------------------------------------------------------

// Where the present cell is kept, or NULL. All names of the first row are kept in turn.
static rmx_buf *kept_in(struct csv *c, rmx__reader *r) {
  if (!c->cell_of) return &r->line;
  if (c->column >= c->names.n || c->cell_of[c->column] < 0) return NULL;
  return &c->cells[c->cell_of[c->column]];
}

static void keep(struct csv *c, rmx__reader *r, const char *from, const char *to) {
  rmx_buf *into = kept_in(c, r);
  c->bytes += (size_t)(to - from);
  c->blank = c->blank && (from == to || (to - from == 1 && *from == '\r'));
  c->too_long = c->too_long || (r->o.max_document && c->bytes > r->o.max_document);
  if (into && !c->too_long) rmx_buf_add(into, from, (size_t)(to - from));
}

// The present cell ends, and maybe the row.
static void end_cell(struct csv *c, rmx__reader *r, bool row) {
  rmx_buf *into = kept_in(c, r);
  if (row && c->where == PLAIN && into && into->size && into->data[into->size - 1] == '\r')
    into->data[--into->size] = '\0';
  if (!c->cell_of) {
    char *name = into->data ? into->data : "";
    size_t n = strlen(name);
    while (n && strchr(" \t", name[n - 1])) name[--n] = '\0';
    into->failed = !rmx_strings_add(&c->names, name + strspn(name, " \t")) || into->failed;
    into->size = 0;
    rmx_buf_add(into, "", 0);
  }
  c->column++;
  c->where = AT_START;
}

// Reads on from `at` to the end of the row or of the block. *over: it is that of the row.
static const char *read_in_row(struct csv *c, rmx__reader *r, const char *at, const char *end,
                               bool *over) {
  while (at < end && !*over) {
    const char *stop = at;
    if (c->where == AT_START) {
      c->where = *at == '"' ? QUOTED : PLAIN;
      at += *at == '"';
    } else if (c->where == QUOTED) {
      stop = memchr(at, '"', (size_t)(end - at));
      if (!stop) stop = end;
      keep(c, r, at, stop);
      for (const char *p = at; (p = memchr(p, '\n', (size_t)(stop - p))); p++) c->feeds++;
      if (stop < end) c->where = AFTER_QUOTE;
      at = stop + (stop < end);
    } else {
      if (c->where == PLAIN) keep(c, r, at, stop = rmx__find_either(at, end, c->comma, '\n'));
      if (stop == end) return end;
      at = stop + 1;
      if (*stop == c->comma || *stop == '\n') {
        *over = *stop == '\n';
        end_cell(c, r, *over);
      } else if (*stop == '"') {  // two in a row are one
        keep(c, r, stop, stop + 1);
        c->where = QUOTED;
      } else if (*stop != '\r') {
        c->wrong = "text after a closing quote; wanted a comma or the end of the line";
        c->where = PLAIN;
      }
    }
  }
  return at;
}

// Keeps what must be read again if the row is broken: a quote may have been opened by mistake.
static void keep_below(struct csv *c, const char *from, const char *to) {
  if (c->below.size == 0 && c->feeds) {
    const char *feed = memchr(from, '\n', (size_t)(to - from));
    from = feed ? feed + 1 : to;
  }
  if (c->feeds && !c->too_long) rmx_buf_add(&c->below, from, (size_t)(to - from));
}

// Reads the next row; *more is false at the end of the file.
static rmx_status next_row(struct csv *c, rmx__reader *r, bool *more, rmx_err *err) {
  rmx__input *s = &r->input;
  bool over = false;
  r->line_number += 1 + c->feeds;
  c->where = AT_START;
  c->column = c->bytes = c->feeds = 0;
  c->blank = true;
  c->too_long = false;
  c->wrong = NULL;
  c->whole = c->below.size = 0;
  for (size_t i = 0; i < c->n_cells; i++) c->cells[i].size = 0;
  *more = false;
  while (!over) {
    RMX_TRY(rmx__input_fill(s, err));
    if (s->ended) break;
    *more = true;
    const char *at = read_in_row(c, r, s->block + s->at, s->block + s->end, &over);
    c->whole += (uint64_t)(at - (s->block + s->at));
    if (r->o.skip_bad) keep_below(c, s->block + s->at, at);
    s->at = (size_t)(at - s->block);
  }
  if (*more && !over) {  // the last line has no end
    if (c->where == QUOTED) c->wrong = "a quoted cell without an end";
    end_cell(c, r, true);
  }
  bool failed = r->line.failed || c->below.failed;
  for (size_t i = 0; i < c->n_cells; i++) failed = failed || c->cells[i].failed;
  return failed ? rmx_fail_memory(err, c->bytes, r->path) : RMX_OK;
}

// ---- the columns -------------------------------------------------------------------------------

static size_t column_named(const struct csv *c, const char *name, size_t size) {
  size_t i = 0;
  while (i < c->names.n &&
         !(strlen(c->names.items[i]) == size && memcmp(c->names.items[i], name, size) == 0))
    i++;
  return i;
}

// A column that is read must be the only one with its name.
static rmx_status check_column(const struct csv *c, const rmx__reader *r, size_t column,
                               rmx_err *err) {
  for (size_t i = column + 1; i < c->names.n; i++)
    if (strcmp(c->names.items[i], c->names.items[column]) == 0)
      return rmx_fail(err, RMX_EINPUT,
                      "%s:1: columns %zu and %zu are both called \"%s\", so which one to read is "
                      "not known; rename one of them",
                      r->path, column + 1, i + 1, c->names.items[column]);
  return RMX_OK;
}

// Keeps the cells of those alternatives of text_field that are columns.
static void keep_texts(struct csv *c, const char *names) {
  const char *name;
  size_t size;
  while (rmx__next_alternative(&names, &name, &size)) {
    const size_t column = column_named(c, name, size);
    if (column < c->names.n && c->cell_of[column] < 0) c->cell_of[column] = (int)c->n_texts++;
  }
  c->n_cells = c->n_texts;
}

static rmx_status no_column(const struct csv *c, const rmx__reader *r, rmx_err *err) {
  rmx_buf list = {0};
  for (size_t i = 0; i < c->names.n && i < 20; i++)
    rmx_buf_printf(&list, "%s\"%.60s\"", i ? ", " : "", c->names.items[i]);
  if (c->names.n > 20) rmx_buf_printf(&list, " and %zu more", c->names.n - 20);
  rmx_status status =
      rmx_fail(err, RMX_EINPUT,
               "%s: no column \"%s\"; its columns are %s (corpus.text_field names the one with the "
               "text)",
               r->path, r->o.text_field, list.data ? list.data : "none");
  rmx_buf_release(&list);
  return status;
}

static rmx_status choose_columns(struct csv *c, rmx__reader *r, rmx_err *err) {
  const size_t n = rmx__fields(r);
  c->cells = rmx_calloc(c->names.n + n, sizeof *c->cells);
  c->cell_of = rmx_calloc(c->names.n, sizeof *c->cell_of);
  c->cell_of_field = rmx_calloc(n, sizeof *c->cell_of_field);
  if (!c->cells || !c->cell_of || !c->cell_of_field) return rmx_fail_memory(err, n, r->path);
  for (size_t i = 0; i < c->names.n; i++) c->cell_of[i] = -1;
  keep_texts(c, r->o.text_field);
  if (c->n_texts == 0) return no_column(c, r, err);
  for (size_t i = 0; i < c->names.n; i++)
    if (c->cell_of[i] >= 0) RMX_TRY(check_column(c, r, i, err));
  for (size_t i = 0; i < n; i++) {
    const char *name = r->o.fields->items[i];
    const size_t column = column_named(c, name, strlen(name));
    c->cell_of_field[i] = -1;
    if (column == c->names.n) continue;
    RMX_TRY(check_column(c, r, column, err));
    if (c->cell_of[column] < 0) c->cell_of[column] = (int)c->n_cells++;
    c->cell_of_field[i] = c->cell_of[column];
  }
  return RMX_OK;
}

// The comma of a .csv file is a semicolon where the first line has only these.
static char comma_of(const rmx__reader *r) {
  size_t stem;
  rmx__compression_of(r->path, &stem);
  if (strncasecmp(r->path + stem - 4, ".tsv", 4) == 0) return '\t';
  const char *from = r->input.block + r->input.at;
  const size_t n = r->input.end - r->input.at;
  const char *feed = memchr(from, '\n', n);
  const size_t line = feed ? (size_t)(feed - from) : n;
  return !memchr(from, ',', line) && memchr(from, ';', line) ? ';' : ',';
}

static rmx_status open_csv(rmx__reader *r, rmx_err *err) {
  struct csv *c = r->state = rmx_calloc(1, sizeof *c);
  bool more;
  if (!c) return rmx_fail_memory(err, sizeof *c, r->path);
  c->comma = comma_of(r);
  RMX_TRY(next_row(c, r, &more, err));
  if (c->too_long) return rmx__too_long(r, "a row", err);
  if (c->wrong) return rmx_fail(err, RMX_EINPUT, "%s:1: %s", r->path, c->wrong);
  return more ? choose_columns(c, r, err) : RMX_OK;
}

static void give_fields(struct csv *c, rmx__reader *r) {
  for (size_t i = 0; i < rmx__fields(r); i++) {
    if (c->cell_of_field[i] < 0) continue;
    const rmx_buf *cell = &c->cells[c->cell_of_field[i]];
    const char *from = cell->data ? cell->data : "", *to = from + cell->size;
    while (from < to && strchr(" \t", *from) && *from) from++;
    while (from < to && strchr(" \t", to[-1]) && to[-1]) to--;
    if (from < to) rmx__set_field(r, i, from, (size_t)(to - from));
  }
}

static rmx_status read_below_again(struct csv *c, rmx__reader *r, rmx_err *err) {
  bool done;
  RMX_TRY(rmx__input_again(&r->input, c->below.data, c->below.size, &done, err));
  if (!done) return RMX_OK;
  r->lost.bad_bytes -= c->below.size;
  c->feeds = 0;
  return RMX_OK;
}

static rmx_status next_csv(rmx__reader *r, bool *more, rmx_err *err) {
  struct csv *c = r->state;
  char what[128];
  RMX_TRY(next_row(c, r, more, err));
  if (!*more || (c->column == 1 && c->blank)) return RMX_OK;  // the end, or a blank line
  if (c->too_long && !r->o.skip_bad) return rmx__too_long(r, "a row", err);
  if (c->too_long) c->wrong = "too long";
  snprintf(what, sizeof what, "%zu columns, but the first line has %zu", c->column, c->names.n);
  if (c->wrong || c->column != c->names.n) {
    RMX_TRY(rmx__unusable(r, &r->lost.bad_lines, c->whole, c->wrong ? c->wrong : what, err));
    return c->below.size ? read_below_again(c, r, err) : RMX_OK;
  }
  give_fields(c, r);
  size_t i = 0;  // the first with text, or the last
  while (i + 1 < c->n_texts && rmx__is_blank(c->cells[i].data, c->cells[i].size)) i++;
  rmx_buf text = r->text;
  r->text = c->cells[i];
  c->cells[i] = text;
  r->document = true;
  return RMX_OK;
}

static const rmx_strings *columns_of(const rmx__reader *r) {
  const struct csv *c = r->state;
  return c ? &c->names : NULL;
}

static void close_csv(rmx__reader *r) {
  struct csv *c = r->state;
  if (!c) return;
  for (size_t i = 0; i < c->n_cells; i++) rmx_buf_release(&c->cells[i]);
  rmx_buf_release(&c->below);
  rmx_strings_release(&c->names);
  free(c->cells), free(c->cell_of), free(c->cell_of_field);
  free(c);
}

static const char *const endings[] = {".csv", ".tsv", NULL};
const rmx__format rmx__format_cells = {
    .endings = endings,
    .flags = RMX__FORMAT_COLUMNS | RMX__FORMAT_GUESS,
    .open = open_csv,
    .next = next_csv,
    .columns = columns_of,
    .close = close_csv,
};
