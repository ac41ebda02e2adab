// SPDX-License-Identifier: Apache-2.0
// The mixture of a feasible set that is nearest to a given one, by divergence. Where there are only
// bounds, that is the given one scaled between them; else a search finds it.

#include <math.h>
#include <nlopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "optimize/feasible.h"

// Of what the given mixture has nothing, any amount would be infinitely far.
static const double FLOOR = 1e-9, NOTHING = 1e-7;

typedef struct divergence {
  const double *from;  // (n)
  double most;         // what it may be
} divergence;

static double divergence_of(unsigned n, const double *w, double *gradient, void *context) {
  const divergence *q = context;
  double sum = 0;
  for (size_t d = 0; d < n; d++) {
    const double x = fmax(w[d], 1e-15), log_ratio = log(x / fmax(q->from[d], FLOOR));
    sum += x * log_ratio;
    if (gradient) gradient[d] = log_ratio + 1;
  }
  return sum - q->most;
}

double rmx__divergence(const double *w, const double *from, size_t D) {
  divergence q = {.from = from};
  return divergence_of((unsigned)D, w, NULL, &q);
}

typedef struct row {
  const double *factor;  // NULL: all 1
  double sign, limit;    // sign * sum of factor * w <= limit
} row;

static double row_of(unsigned n, const double *w, double *gradient, void *context) {
  const row *q = context;
  double sum = 0;
  for (size_t d = 0; d < n; d++) {
    double a = q->factor ? q->factor[d] : 1;
    sum += a * w[d];
    if (gradient) gradient[d] = q->sign * a;
  }
  return q->sign * sum - q->limit;
}

// From the interior point to w (D). rows (2 for each share) is scratch.
static rmx_status search(const rmx__feasible *r, const double *from, bool within_kl, row *rows,
                         double *w, rmx_err *err) {
  const rmx_constraints *c = r->constraints;
  divergence q = {.from = from}, reference = {c->reference, c->max_kl};
  row whole = {NULL, 1, 1};
  nlopt_opt o = nlopt_create(NLOPT_LD_SLSQP, (unsigned)r->D);
  if (!o) return rmx__short_of(0), rmx_fail_memory(err, r->D * r->D * sizeof *w, "a search");
  nlopt_set_lower_bounds(o, r->low);
  nlopt_set_upper_bounds(o, r->high);
  nlopt_set_min_objective(o, divergence_of, &q);
  nlopt_add_equality_constraint(o, row_of, &whole, 1e-10);
  for (size_t i = 0; i < c->n_shares; i++) {
    rows[2 * i] = (row){c->shares[i].factor, 1, c->shares[i].high};
    rows[2 * i + 1] = (row){c->shares[i].factor, -1, -c->shares[i].low};
    if (isfinite(c->shares[i].high))
      nlopt_add_inequality_constraint(o, row_of, &rows[2 * i], 1e-10);
    nlopt_add_inequality_constraint(o, row_of, &rows[2 * i + 1], 1e-10);
  }
  if (within_kl) nlopt_add_inequality_constraint(o, divergence_of, &reference, 1e-10);
  nlopt_set_ftol_abs(o, 1e-12);
  nlopt_set_maxeval(o, 500);
  double least;
  memcpy(w, r->interior, r->D * sizeof *w);
  const nlopt_result end = nlopt_optimize(o, w, &least);
  nlopt_destroy(o);
  if (end != NLOPT_OUT_OF_MEMORY) return RMX_OK;
  return rmx__short_of(0), rmx_fail_memory(err, r->D * r->D * sizeof *w, "a search");
}

rmx_status rmx__feasible_nearest(const rmx__feasible *r, const double *from, bool linear, double *w,
                                 rmx_err *err) {
  const rmx_constraints *c = r->constraints;
  bool (*const contains)(const rmx__feasible *, const double *) =
      linear ? rmx__feasible_contains_linear : rmx__feasible_contains_convex;
  memcpy(w, from, r->D * sizeof *w);
  rmx__feasible_scale(r, w);
  if (contains(r, w)) return RMX_OK;
  RMX_OWNED row *rows = rmx_calloc(2 * c->n_shares + 1, sizeof *rows);
  RMX_OWNED double *scaled = rmx_calloc(r->D, sizeof *scaled);
  if (!rows || !scaled) return rmx_fail_memory(err, r->D * sizeof *scaled, "a search");
  memcpy(scaled, from, r->D * sizeof *scaled);
  if (!linear) rmx__feasible_project_convex(r, scaled);
  RMX_TRY(search(r, from, !linear && c->reference && isfinite(c->max_kl), rows, w, err));
  for (size_t d = 0; d < r->D; d++)
    if (!(w[d] > NOTHING)) w[d] = 0;
  rmx__feasible_scale(r, w);
  if (!contains(r, w)) rmx__feasible_pull(r, w, contains);
  if (!linear && rmx__divergence(scaled, from, r->D) < rmx__divergence(w, from, r->D))
    memcpy(w, scaled, r->D * sizeof *w);
  return RMX_OK;
}
