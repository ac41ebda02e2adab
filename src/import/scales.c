// SPDX-License-Identifier: Apache-2.0
// The columns of a table that hold the size of each run's model and the tokens it was trained on.

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/c_number.h"
#include "formats.h"

static bool is_called(const rmx__source *s, size_t j, const char *name) {
  return name && strcmp(s->cells->header[j], name) == 0;
}

bool rmx__is_scale(const rmx__source *s, size_t j) {
  return is_called(s, j, s->options->size_column) || is_called(s, j, s->options->tokens_column);
}

static rmx_status read_cell(const rmx__source *s, size_t i, size_t j, double *out, rmx_err *err) {
  const rmx_cells *t = s->cells;
  const char *text = t->cells[i * t->C + j];
  rmx_err unread;
  char *unit;
  if (rmx_parse_count(text, "a scale", out, &unread) == RMX_OK && *out > 0) return RMX_OK;
  rmx__strtod(text, &unit);
  return rmx_fail(
      err, RMX_EINPUT,
      "%s:%d: column \"%s\": \"%.40s\" is not a positive number%s; wanted a number such "
      "as 600k, 122M, 1.2B or 680000000",
      t->path, t->lines[i], t->header[j], text,
      unit > text && isalpha((unsigned char)*unit) ? " with a unit that is known (k, M, G or B, T)"
                                                   : "");
}

static rmx_status read_column(const rmx__source *s, const char *name, const bool *left_out,
                              size_t N, double **out, rmx_err *err) {
  const rmx_cells *t = s->cells;
  size_t j = 0, row = 0;
  while (j < t->C && !is_called(s, j, name)) j++;
  if (j == t->C) return RMX_OK;
  if (!(*out = rmx_calloc(N, sizeof **out)))
    return rmx_fail_memory(err, N * sizeof **out, "the scales of runs");
  for (size_t i = 0; i < t->N; i++)
    if (!left_out || !left_out[i]) RMX_TRY(read_cell(s, i, j, &(*out)[row++], err));
  return RMX_OK;
}

rmx_status rmx__import_scales(const rmx__source *s, const bool *left_out, rmx_table *out,
                              rmx_err *err) {
  RMX_TRY(read_column(s, s->options->size_column, left_out, out->N, &out->sizes, err));
  return read_column(s, s->options->tokens_column, left_out, out->N, &out->tokens, err);
}
