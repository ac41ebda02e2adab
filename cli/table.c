// SPDX-License-Identifier: Apache-2.0
// Tables that fit the terminal, or 80 columns in a file: closer columns, then heads in two lines,
// then columns that say the same in every row left out, then names cut in their middle, then
// several tables below each other.
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

enum { MOST = 24, SHORTEST = 16 };  // columns of a table; of a terminal that a cut name keeps

struct layout {
  size_t rows;
  int width[MOST], gap;
  bool shown[MOST];
  bool split;  // heads of two words have two lines
};

void cli_cell(cli_table *t, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  RMX_OWNED char *text = cli_vformat(fmt, args);
  va_end(args);
  // a name of the user's
  if (text) rmx_make_printable(text, "");
  t->failed = !text || !rmx_strings_add(&t->cells, text) || t->failed;
}

static const char *cell(const cli_table *t, size_t row, size_t column) {
  return t->cells.items[row * strlen(t->align) + column];
}

// The upper or the lower line of a head that is split.
static const char *part_of(const char *head, bool upper, char out[64]) {
  const char *blank = strchr(head, ' ');
  snprintf(out, 64, "%.*s", upper ? (int)(blank ? blank - head : 0) : 63,
           blank && !upper ? blank + 1 : head);
  return out;
}

static void measure(const cli_table *t, struct layout *l) {
  char part[64];
  for (size_t c = 0; t->align[c]; c++) {
    l->width[c] = 0;
    for (size_t i = 0; i < l->rows; i++) {
      const bool head = i == 0 && c && l->split;
      int width = rmx_columns(head ? part_of(cell(t, 0, c), true, part) : cell(t, i, c));
      if (width > l->width[c]) l->width[c] = width;
      if (head) width = rmx_columns(part_of(cell(t, 0, c), false, part));
      if (width > l->width[c]) l->width[c] = width;
    }
  }
}

static int total(const cli_table *t, const struct layout *l) {
  int sum = t->indent;
  for (size_t c = 0; t->align[c]; c++)
    if (l->shown[c]) sum += l->width[c] + (c ? l->gap : 0);
  return sum;
}

// The first text below the head of a column; "": none.
static const char *text_in_all(const cli_table *t, const struct layout *l, size_t c) {
  for (size_t i = 1; i < l->rows; i++)
    if (*cell(t, i, c)) return cell(t, i, c);
  return "";
}

static bool says_the_same(const cli_table *t, const struct layout *l, size_t c) {
  if (t->align[c] != 'L' && t->align[c] != 'R') return false;
  const char *first = text_in_all(t, l, c);
  for (size_t i = 1; i < l->rows; i++)
    if (*cell(t, i, c) && strcmp(cell(t, i, c), first) != 0) return false;
  return *first && l->shown[c];
}

// *text: what the columns that are left out say in every row.
static void leave_out(const cli_table *t, struct layout *l, int room, rmx_buf *text) {
  for (size_t c = 1; t->align[c] && total(t, l) > room; c++) {
    if (!says_the_same(t, l, c)) continue;
    l->shown[c] = false;
    rmx_buf_printf(text, "%s%s: %s", text->size ? ", " : "", cell(t, 0, c), text_in_all(t, l, c));
  }
}

// What row i has in a column; row -1 is the upper line of the heads.
static const char *shown_in(const cli_table *t, const struct layout *l, int i, size_t c,
                            char part[64]) {
  if (i > 0 || (c == 0 && i == 0) || !l->split) return cell(t, (size_t)i, c);
  return c ? part_of(cell(t, 0, c), i < 0, part) : "";
}

// Row i of the columns from `first` up to `end`, after the names.
static void print_row(const cli_table *t, const struct layout *l, int i, size_t first, size_t end) {
  size_t last = 0;
  char cut[RMX_CUT], part[64];
  for (size_t c = first; c < end; c++)
    if (l->shown[c] && *shown_in(t, l, i, c, part)) last = c;
  const char *name = rmx_cut(shown_in(t, l, i, 0, part), l->width[0], cut);
  if (last || *name)
    cli_print("%*s%-*s", t->indent, "", last ? rmx_pad(name, l->width[0]) : 0, name);
  for (size_t c = first; c <= last; c++) {
    if (!l->shown[c]) continue;
    const char *text = shown_in(t, l, i, c, part);
    const bool left = t->align[c] == 'l' || t->align[c] == 'L';
    const int width = rmx_pad(text, l->width[c]);
    cli_print("%*s%*s", l->gap, "", !left ? width : c == last ? 0 : -width, text);
  }
  if (i >= 0 || last) cli_print("\n");
}

static void print_parts(const cli_table *t, const struct layout *l, int room) {
  const size_t C = strlen(t->align);
  for (size_t first = 1, end; first < C; first = end) {
    int used = t->indent + l->width[0];
    for (end = first; end < C; end++) {
      const int more = l->shown[end] ? l->gap + l->width[end] : 0;
      if (end > first && used + more > room) break;
      used += more;
    }
    for (int i = l->split ? -1 : 0; i < (int)l->rows; i++) print_row(t, l, i, first, end);
  }
}

// Names that would look alike stay longer.
static void cut_names(const cli_table *t, struct layout *l, int room) {
  const int wanted = l->width[0] - (total(t, l) - room);
  RMX_OWNED const char **names = rmx_calloc(l->rows, sizeof *names);
  for (size_t i = 0; names && i < l->rows; i++) names[i] = cell(t, i, 0);
  if (names) l->width[0] = rmx_cut_width(names, l->rows, wanted > SHORTEST ? wanted : SHORTEST);
}

void cli_table_print(cli_table *t) {
  const size_t C = strlen(t->align);
  const int room = rmx_terminal_columns(STDOUT_FILENO);
  RMX_OWNED_BY(rmx_buf_release) rmx_buf same = {0};
  struct layout l = {.rows = t->cells.n / C, .gap = 2};
  for (size_t c = 0; c < C; c++) l.shown[c] = true;
  measure(t, &l);
  if (total(t, &l) > room) l.gap = 1;
  l.split = total(t, &l) > room;
  measure(t, &l);
  leave_out(t, &l, room, &same);
  if (isatty(STDOUT_FILENO) && total(t, &l) > room) cut_names(t, &l, room);
  if (!t->failed) print_parts(t, &l, room);
  if (same.size) cli_print("%*sin all rows: %s\n", t->indent, "", same.data);
  rmx_strings_release(&t->cells);
}
