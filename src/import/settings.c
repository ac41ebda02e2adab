// SPDX-License-Identifier: Apache-2.0
// Columns of numbers that are settings of the runs (a learning rate, a seed, a size), and neither
// weights nor metrics. In a table of mixtures the other columns show it: without it each row sums
// to 1, or to 100.

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "formats.h"

static double value_at(const rmx_cells *t, size_t i, size_t j) {
  double x;
  return rmx__is_number(t->cells[i * t->C + j], &x) ? x : NAN;
}

// Whether all rows of the chosen columns sum to `wanted`, without the column `one` and those that
// `without` marks.
static bool sums_to(const rmx__chosen *c, const bool *without, size_t one, double wanted,
                    double tolerance) {
  const rmx_cells *t = c->s->cells;
  size_t rows = 0;
  for (size_t i = 0; i < t->N; i++) {
    double sum = 0;
    if (c->out && c->out[i]) continue;
    for (size_t j = 0; j < t->C; j++)
      if (c->chosen[j] && j != one && !(without && without[j])) sum += value_at(t, i, j);
    if (!(fabs(sum - wanted) <= tolerance)) return false;
    rows++;
  }
  return rows > 0;
}

static rmx_status refuse(const rmx__chosen *c, const bool *without, size_t one, double wanted,
                         rmx_err *err) {
  const rmx_cells *t = c->s->cells;
  rmx_few names = {0};
  size_t first = t->C;
  for (size_t j = 0; j < t->C; j++) {
    if (!c->chosen[j] || !(j == one || (without && without[j]))) continue;
    rmx_few_add(&names, t->header[j]);
    if (first == t->C) first = j;
  }
  size_t row = 0;
  while (c->out && c->out[row]) row++;
  return rmx_fail(
      err, RMX_EINPUT,
      "%s:%d: column \"%.80s\": %.40s: all rows sum to %g without the column%s %s, so %s no "
      "weight%s; choose the columns of the weights with --mixture-columns 'PATTERN', or remove %s",
      t->path, t->lines[row], t->header[first], t->cells[row * t->C + first], wanted,
      rmx_s(names.n), names.text, names.n == 1 ? "it is" : "they are", rmx_s(names.n),
      names.n == 1 ? "it" : "them");
}

rmx_status rmx__check_weights(const rmx__chosen *c, rmx_err *err) {
  static const double exact = 1e-6, sums[] = {1, 100};
  const rmx_cells *t = c->s->cells;
  RMX_OWNED bool *large = rmx_calloc(t->C, sizeof *large);
  if (!large) return rmx_fail_memory(err, t->C, t->path);
  size_t n = 0, n_large = 0;
  for (size_t j = 0; j < t->C; j++) {
    for (size_t i = 0; i < t->N && c->chosen[j]; i++) {
      const double x = value_at(t, i, j);
      large[j] = large[j] || x > 1.01 || x < 0;
    }
    n += c->chosen[j];
    n_large += large[j];
  }
  if (t->N < 2 || n < 3) return RMX_OK;
  for (size_t k = 0; k < 2; k++)
    if (sums_to(c, NULL, t->C, sums[k], exact * sums[k])) return RMX_OK;
  if (n_large && n_large + 1 < n && sums_to(c, large, t->C, 1, 0.01))
    return refuse(c, large, t->C, 1, err);
  for (size_t k = 0; k < 2; k++)
    for (size_t j = 0; j < t->C; j++)
      if (c->chosen[j] && sums_to(c, NULL, j, sums[k], exact * sums[k]))
        return refuse(c, NULL, j, sums[k], err);
  return RMX_OK;
}

void rmx__tell_settings(const rmx__chosen *c) {
  static const char *const names[] = {
      "seed",       "model_size", "size",     "params",   "n_params",      "parameters",
      "num_params", "tokens",     "n_tokens", "lr",       "learning_rate", "batch_size",
      "epochs",     "steps",      "layers",   "n_layers", "d_model"};
  const rmx_cells *t = c->s->cells;
  rmx_few found = {0};
  for (size_t j = 0; j < t->C; j++)
    for (size_t k = 0; c->chosen[j] && k < sizeof names / sizeof *names; k++)
      if (strcasecmp(t->header[j], names[k]) == 0) rmx_few_add(&found, t->header[j]);
  if (found.n)
    rmx_warn(c->s->listener,
             "%s: %zu column%s read as %s, but %s like a setting of the runs: %s; choose the "
             "metrics with --metric-columns 'PATTERN', and name the size and the length of runs "
             "that differ in them with --size-column and --tokens-column",
             t->path, found.n, found.n == 1 ? " is" : "s are",
             found.n == 1 ? "a metric" : "metrics", found.n == 1 ? "looks" : "look", found.text);
}
