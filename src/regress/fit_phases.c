// SPDX-License-Identifier: Apache-2.0
// Phases in a fit. A run of two phases on D domains is a mixture of 2 D virtual domains
// (phase_0_web, ..., phase_1_web): the weight of one is its share of all tokens. So every
// regressor, and every search with the sum of each phase held, takes phases without knowing it.

#include "fit_phases.h"

#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

// The sum of the columns of each phase in a row; whether each is 1.
static bool sums_of(const rmx_phase_columns *c, const double *x, double *sum) {
  bool one = true;
  for (size_t k = 0; k < c->n; k++) sum[k] = 0;
  for (size_t d = 0; d < c->D; d++) sum[c->of[d]] += x[d];
  for (size_t k = 0; k < c->n; k++) one = one && fabs(sum[k] - 1) <= 0.01;
  return one;
}

// The shares: those that are known, else the sums of the first row if they are shares, else equal
// ones.
static rmx_status find_shares(rmx_fit *f, const rmx_table *t, const rmx_phase_columns *c,
                              const double *share, size_t n, const rmx_listener *to, rmx_err *err) {
  if (n && n != c->n)
    return rmx_fail(err, RMX_EINPUT, "%s: its columns are of %zu phases, but %zu shares are given",
                    t->path ? t->path : "table", c->n, n);
  if (!(f->phase_share = rmx_calloc(c->n, sizeof *f->phase_share)))
    return rmx_fail_memory(err, c->n * sizeof *f->phase_share, "phases");
  f->n_phases = c->n;
  if (n) return memcpy(f->phase_share, share, n * sizeof *share), RMX_OK;
  double total = 0;
  const bool weights = t->N == 0 || sums_of(c, t->x, f->phase_share);
  for (size_t k = 0; k < c->n; k++) total += f->phase_share[k];
  if (!weights && rmx__is_one(total, 0.01)) {
    for (size_t k = 0; k < c->n; k++) f->phase_share[k] /= total;
    return RMX_OK;
  }
  for (size_t k = 0; k < c->n; k++) f->phase_share[k] = 1 / (double)c->n;
  f->phases_assumed = true;
  rmx_note(to,
           "the columns are of %zu phases; it is assumed that they have equal shares of the "
           "tokens. --phases 0.8,0.2 gives others",
           c->n);
  return RMX_OK;
}

rmx_status rmx__take_phases(rmx_fit *f, const rmx_table *t, const double *share, size_t n,
                            const rmx_listener *to, rmx_err *err) {
  RMX_OWNED_BY(rmx_phase_columns_release) rmx_phase_columns c = {0};
  if (rmx_phase_columns_find((const char *const *)t->names, t->D, &c, err) != RMX_OK)
    return t->path ? rmx_fail_in(err, "%s", t->path) : err->status;
  if (c.n == 0 && n)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: %zu shares of phases are given, but its columns are of "
                    "one mixture; wanted columns such as phase_0_%s and phase_1_%s",
                    t->path ? t->path : "table", n, t->names[0], t->names[0]);
  return c.n ? find_shares(f, t, &c, share, n, to, err) : RMX_OK;
}

rmx_status rmx__scale_phases(const rmx_fit *f, const rmx_table *t, double *X, rmx_err *err) {
  if (f->n_phases == 0) return RMX_OK;
  RMX_OWNED_BY(rmx_phase_columns_release) rmx_phase_columns c = {0};
  RMX_TRY(rmx_phase_columns_find((const char *const *)f->domains, f->D, &c, err));
  for (size_t i = 0; i < t->N; i++) {
    RMX_OWNED char *where =
        rmx_format("%s:%d", t->path ? t->path : "row", t->lines ? t->lines[i] : (int)i);
    if (!where) return rmx_fail_memory(err, 64, "a message");
    RMX_TRY(rmx_phases_of_row(&c, f->phase_share, X + i * f->D, where, err));
  }
  return RMX_OK;
}

rmx_status rmx_fit_phases(const rmx_fit *f, const double *w, rmx_phases *out, rmx_phase_columns *c,
                          rmx_err *err) {
  *out = (rmx_phases){0};
  RMX_TRY(rmx_phase_columns_find((const char *const *)f->domains, f->D, c, err));
  if (c->n == 0) return RMX_OK;
  RMX_TRY(rmx_phases_make(c->n, c->n_domains, out, err));
  memcpy(out->share, f->phase_share, c->n * sizeof *out->share);
  for (size_t d = 0; d < f->D; d++)
    out->mixture[c->of[d] * c->n_domains + c->index[d]] = w[d] / f->phase_share[c->of[d]];
  return RMX_OK;
}

size_t rmx_fit_n_phases(const rmx_fit *f) {
  return f->n_phases;
}
