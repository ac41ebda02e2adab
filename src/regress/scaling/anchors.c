// SPDX-License-Identifier: Apache-2.0
// See anchors.h.

#include "anchors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ENOUGH = 8 };

static int descending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x < y) - (x > y);
}

// The longest tokens of each mixture at a size (U), from the most on; returns how many have any.
static size_t reached(const rmx__grouped *g, double size, double *tokens) {
  size_t n = 0;
  memset(tokens, 0, g->U * sizeof *tokens);
  for (size_t i = 0; i < g->N; i++) {
    const rmx_scale at = g->cells[g->cell[i]].at;
    if (at.size == size) tokens[g->mixture[i]] = fmax(tokens[g->mixture[i]], at.tokens);
  }
  qsort(tokens, g->U, sizeof *tokens, descending);
  while (n < g->U && tokens[n] > 0) n++;
  return n;
}

static size_t end_of_size(const rmx__grouped *g, size_t first) {
  size_t end = first;
  while (end < g->C && g->cells[end].at.size == g->cells[first].at.size) end++;
  return end;
}

rmx_status rmx__mark_anchors(rmx__grouped *g, rmx_scale *covered, rmx_err *err) {
  RMX_OWNED double *tokens = rmx_calloc(g->U, sizeof *tokens);
  if (!tokens) return rmx_fail_memory(err, g->U * sizeof *tokens, "the scales of runs");
  size_t most = 0;
  for (size_t c = 0; c < g->C; c = end_of_size(g, c)) {
    const size_t n = reached(g, g->cells[c].at.size, tokens);
    most = n > most ? n : most;
  }
  const size_t enough = most < 2 * ENOUGH ? (most + 1) / 2 : ENOUGH;
  for (size_t c = 0, end; c < g->C; c = end) {
    const rmx_scale at = {g->cells[c].at.size, 0};
    const size_t n = reached(g, at.size, tokens);
    end = end_of_size(g, c);
    if (n >= enough) *covered = (rmx_scale){at.size, tokens[enough - 1]};
    for (size_t k = c; k < end; k++)
      g->cells[k].variance = n < enough || g->cells[k].at.tokens > tokens[enough - 1];
  }
  return RMX_OK;
}

bool rmx__only_anchors(const rmx__level *l, double size) {
  for (size_t c = 0; c < l->n; c++)
    if (l->cells[c].at.size == size && l->cells[c].variance == 0) return false;
  return true;
}

double rmx__anchor_variance(const rmx__grouped *g, size_t cell, const double *of_run) {
  double sum = 0, runs = 0, mixtures = 0;
  for (size_t i = 0; i < g->N; i++) {
    bool first = g->cell[i] == cell;
    if (!first) continue;
    sum += of_run[i];
    runs++;
    for (size_t k = 0; k < i && first; k++)
      first = g->cell[k] != cell || g->mixture[k] != g->mixture[i];
    mixtures += first;
  }
  return sum / (runs * mixtures);  // runs of one mixture are off together
}

void rmx__weigh_anchors(rmx__level *l) {
  const double misfit = rmx__level_misfit(l);
  for (size_t c = 0; c < l->n; c++) {
    size_t together = 0;
    for (size_t k = 0; k < l->n; k++)
      together += l->cells[k].at.size == l->cells[c].at.size && l->cells[k].variance > 0 &&
                  l->cells[k].weight > 0;
    const double doubt = (double)together * l->cells[c].variance / (misfit * misfit);
    if (l->cells[c].weight > 0) l->cells[c].weight = 1 / (1 / l->cells[c].weight + doubt);
  }
}
