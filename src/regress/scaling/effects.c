// SPDX-License-Identifier: Apache-2.0
// See effects.h.

#include "effects.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double EARLY = 0.38, SAME_TOKENS = 0.03, SHRINK = 0.1, ENOUGH = 20;
enum { ROUNDS = 60, MAIN = 5 };  // MAIN: mixtures that the main part has

typedef struct keyed {
  rmx_scale at;
  size_t row;
} keyed;

static int by_scale(const void *a, const void *b) {
  const keyed *x = a, *y = b;
  if (x->at.size != y->at.size) return x->at.size < y->at.size ? -1 : 1;
  if (x->at.tokens != y->at.tokens) return x->at.tokens < y->at.tokens ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

// Numbers the mixtures in the order of their first runs.
static rmx_status number_mixtures(const rmx_dataset *data, rmx__grouped *g, rmx_err *err) {
  RMX_OWNED size_t *number = rmx_calloc(data->N, sizeof *number);
  if (!number) return rmx_fail_memory(err, data->N * sizeof *number, "mixtures");
  int largest = 0;
  for (size_t i = 0; data->groups && i < data->N; i++)
    largest = data->groups[i] > largest ? data->groups[i] : largest;
  RMX_OWNED size_t *of_group = rmx_calloc((size_t)largest + 1, sizeof *of_group);
  if (!of_group) return rmx_fail_memory(err, (size_t)largest * sizeof *of_group, "mixtures");
  for (size_t i = 0; i < data->N; i++) {
    size_t *known = data->groups ? &of_group[data->groups[i]] : &number[i];
    if (*known == 0) {
      g->first[g->U] = i;
      *known = ++g->U;
    }
    g->mixture[i] = *known - 1;
  }
  return RMX_OK;
}

// Sorts the runs into cells. at of a cell: the last of its runs.
static rmx_status make_cells(rmx__grouped *g, rmx_err *err) {
  RMX_OWNED keyed *order = rmx_calloc(g->N, sizeof *order);
  if (!order) return rmx_fail_memory(err, g->N * sizeof *order, "the scales of runs");
  for (size_t i = 0; i < g->N; i++) order[i] = (keyed){g->at[i], i};
  qsort(order, g->N, sizeof *order, by_scale);
  double begin = 0;
  for (size_t k = 0; k < g->N; k++) {
    const rmx_scale at = order[k].at;
    if (k == 0 || at.size != order[k - 1].at.size || at.tokens > begin * (1 + SAME_TOKENS)) {
      begin = at.tokens;
      g->C++;
    }
    g->cells[g->C - 1].at = at;
    g->cells[g->C - 1].weight += 1;  // a count, for now
    g->cell[order[k].row] = g->C - 1;
  }
  for (size_t c = 0; c < g->C; c++) {
    size_t last = c;
    while (last + 1 < g->C && g->cells[last + 1].at.size == g->cells[c].at.size) last++;
    const bool early = g->cells[c].at.tokens < EARLY * g->cells[last].at.tokens;
    g->cells[c].weight = early ? 0 : fmin(g->cells[c].weight / ENOUGH, 1);
  }
  return RMX_OK;
}

// The smallest number of a mixture that runs connect with each mixture, into part.
static rmx_status connect(rmx__grouped *g, rmx_err *err) {
  RMX_OWNED size_t *of_cell = rmx_calloc(g->C, sizeof *of_cell);
  if (!of_cell) return rmx_fail_memory(err, g->C * sizeof *of_cell, "the parts of runs");
  for (size_t c = 0; c < g->C; c++) of_cell[c] = g->U;
  for (size_t m = 0; m < g->U; m++) g->part[m] = m;
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < g->N; i++) {
      size_t *a = &of_cell[g->cell[i]], *b = &g->part[g->mixture[i]];
      if (g->cells[g->cell[i]].weight == 0 || *a == *b) continue;
      *a = *b = *a < *b ? *a : *b;
      changed = true;
    }
  }
  return RMX_OK;
}

// Numbers the parts: 0 is the largest, if it has enough mixtures, or all are 0.
static rmx_status find_parts(rmx__grouped *g, rmx_err *err) {
  RMX_TRY(connect(g, err));
  RMX_OWNED size_t *members = rmx_calloc(g->U, sizeof *members);
  if (!members) return rmx_fail_memory(err, g->U * sizeof *members, "the parts of runs");
  size_t main = 0;
  for (size_t m = 0; m < g->U; m++)
    if (++members[g->part[m]] > members[main]) main = g->part[m];
  const bool known = members[main] >= MAIN && 2 * members[main] >= g->U;
  for (size_t m = 0; m < g->U; m++) g->part[m] = !known || g->part[m] == main ? 0 : g->part[m] + 1;
  return RMX_OK;
}

// Alternates between the effects of the cells and those of the mixtures.
static rmx_status split(const rmx_dataset *data, rmx__grouped *g, rmx_err *err) {
  const size_t most = g->U > g->C ? g->U : g->C;
  RMX_OWNED double *sum = rmx_calloc(most, sizeof(double)), *n = rmx_calloc(most, sizeof(double));
  if (!sum || !n) return rmx_fail_memory(err, 2 * most * sizeof(double), "effects");
  for (int round = 0; round < ROUNDS; round++) {
    for (int side = 0; side < 2; side++) {
      memset(sum, 0, most * sizeof(double));
      memset(n, 0, most * sizeof(double));
      for (size_t i = 0; i < g->N; i++) {
        const size_t c = g->cell[i], m = g->mixture[i], to = side ? m : c;
        if (g->cells[c].weight == 0 && side) continue;
        sum[to] += data->y[i] - (side ? g->cells[c].effect : g->effect[m]);
        n[to]++;
      }
      for (size_t c = 0; c < g->C && !side; c++) g->cells[c].effect = sum[c] / n[c];
      for (size_t m = 0; m < g->U && side; m++) g->effect[m] = sum[m] / (n[m] + SHRINK);
    }
  }
  double mean = 0, members = 0;
  for (size_t m = 0; m < g->U; m++) members += g->part[m] == 0;
  for (size_t m = 0; m < g->U; m++) mean += g->part[m] == 0 ? g->effect[m] / members : 0;
  for (size_t m = 0; m < g->U; m++) g->effect[m] -= mean;
  for (size_t c = 0; c < g->C; c++) g->cells[c].effect += mean;
  return RMX_OK;
}

rmx_status rmx__shift_parts(const rmx_dataset *data, rmx__grouped *g, const double *expected,
                            rmx_err *err) {
  const size_t W = g->U + 1;
  RMX_OWNED double *shift = rmx_calloc(W, sizeof(double)), *n = rmx_calloc(W, sizeof(double));
  if (!shift || !n) return rmx_fail_memory(err, 2 * W * sizeof(double), "effects");
  for (size_t m = 0; m < g->U; m++) {
    shift[g->part[m]] += expected[m] - g->effect[m];
    n[g->part[m]]++;
  }
  for (size_t m = 0; m < g->U; m++)
    if (g->part[m]) g->effect[m] += shift[g->part[m]] / n[g->part[m]];
  for (size_t c = 0; c < g->C; c++) {
    double sum = 0, runs = 0;
    bool other = false;
    for (size_t i = 0; i < g->N; i++) {
      if (g->cell[i] != c) continue;
      other |= g->part[g->mixture[i]] != 0;
      sum += data->y[i] - g->effect[g->mixture[i]];
      runs++;
    }
    if (other) g->cells[c].effect = sum / runs;
  }
  return RMX_OK;
}

rmx_status rmx__group_runs(const rmx_dataset *data, rmx_arena *arena, rmx__grouped *out,
                           rmx_err *err) {
  const size_t N = data->N;
  rmx__grouped g = {.N = N,
                    .mixture = rmx_arena_alloc(arena, N, sizeof(size_t)),
                    .cell = rmx_arena_alloc(arena, N, sizeof(size_t)),
                    .first = rmx_arena_alloc(arena, N, sizeof(size_t)),
                    .at = rmx_arena_alloc(arena, N, sizeof(rmx_scale)),
                    .cells = rmx_arena_alloc(arena, N, sizeof(rmx__cell)),
                    .effect = rmx_arena_alloc(arena, N, sizeof(double)),
                    .last_size = rmx_arena_alloc(arena, N, sizeof(double)),
                    .part = rmx_arena_alloc(arena, N, sizeof(size_t)),
                    .doubt = rmx_arena_alloc(arena, N, sizeof(double))};
  if (!g.mixture || !g.cell || !g.first || !g.at || !g.cells || !g.effect || !g.last_size ||
      !g.part || !g.doubt)
    return rmx_fail_memory(err, N * sizeof(rmx__cell), "the scales of runs");
  memset(g.cells, 0, N * sizeof(rmx__cell));
  memset(g.effect, 0, N * sizeof(double));
  memset(g.doubt, 0, N * sizeof(double));
  memset(g.last_size, 0, N * sizeof(double));
  for (size_t i = 0; i < N; i++) {
    const rmx_scale at = data->scales[i];
    g.at[i] = (rmx_scale){at.size > 0 ? at.size : 1, at.tokens > 0 ? at.tokens : 1};
  }
  RMX_TRY(number_mixtures(data, &g, err));
  RMX_TRY(make_cells(&g, err));
  RMX_TRY(find_parts(&g, err));
  RMX_TRY(split(data, &g, err));
  for (size_t i = 0; i < N; i++)
    g.last_size[g.mixture[i]] = fmax(g.last_size[g.mixture[i]], g.at[i].size);
  *out = g;
  return RMX_OK;
}
