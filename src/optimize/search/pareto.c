// SPDX-License-Identifier: Apache-2.0
// The Pareto front of two metrics: each alone first, which gives the best value of both, a* and b*,
// and the ranges between; then, for shares s between 0 and 1, the mixture with the lowest
//   max(s (a(w) - a*) / range_a, (1 - s) (b(w) - b*) / range_b)
// (weighted Chebyshev, Steuer & Choo 1983), which finds the hollow parts of a front too, as
// weighted sums do not.

#include "optimize/search.h"

#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "regress/fit.h"

typedef struct walk {
  rmx_optimize_request request;  // with the two below
  rmx_problem q;                 // borrows all but its target
  rmx_listener quiet;            // progress only
} walk;

static rmx_status step(walk *k, double *mixture, double *predicted, rmx_err *err) {
  RMX_OWNED_BY(rmx_optimum_free_at) rmx_optimum *o = NULL;
  RMX_TRY(rmx_optimize(&k->request, &o, err));
  memcpy(mixture, o->mixture, o->D * sizeof(double));
  memcpy(predicted, o->predicted, o->M * sizeof(double));
  return RMX_OK;
}

// Leaves out points that another is as good as in both and better in one, and of equals all but the
// first.
static void drop_dominated(rmx_front *f, size_t a, size_t b, const double *sign) {
  size_t kept = 0;
  RMX_OWNED bool *out = rmx_calloc(f->n, sizeof(bool));
  for (size_t i = 0; out && i < f->n; i++)
    for (size_t j = 0; j < f->n && !out[i]; j++) {
      const double *x = f->predicted + i * f->M, *y = f->predicted + j * f->M;
      double da = sign[a] * (y[a] - x[a]), db = sign[b] * (y[b] - x[b]);
      out[i] = i != j && !out[j] && da <= 0 && db <= 0 && (da < 0 || db < 0 || j < i);
    }
  for (size_t i = 0; out && i < f->n; i++) {
    if (out[i]) continue;
    f->share[kept] = f->share[i];
    memmove(f->mixture + kept * f->D, f->mixture + i * f->D, f->D * sizeof(double));
    memmove(f->predicted + kept * f->M, f->predicted + i * f->M, f->M * sizeof(double));
    kept++;
  }
  if (out) f->n = kept;
}

static rmx_status go(walk *k, rmx_front *f, size_t a, size_t b, rmx_err *err) {
  rmx_target *t = &k->q.target;
  size_t D = f->D, M = f->M, last = f->n - 1;
  const double *at_a = f->predicted + last * M, *at_b = f->predicted;
  for (size_t i = 0; i <= last; i++) f->share[i] = (double)i / (double)last;
  for (int side = 0; side < 2; side++) {  // share 0 is b alone
    size_t m = side ? a : b, i = side ? last : 0;
    memset(t->weight, 0, M * sizeof(double));
    t->weight[m] = t->sign[m];
    RMX_TRY(step(k, f->mixture + i * D, f->predicted + i * M, err));
  }
  double range_a = fabs(at_b[a] - at_a[a]), range_b = fabs(at_a[b] - at_b[b]);
  if (!(range_a > 0)) range_a = 1;
  if (!(range_b > 0)) range_b = 1;
  t->worst = true;
  t->base[a] = at_a[a];
  t->base[b] = at_b[b];
  for (size_t i = 1; i < last; i++) {
    memset(t->weight, 0, M * sizeof(double));
    t->weight[a] = t->sign[a] * f->share[i] / range_a;
    t->weight[b] = t->sign[b] * (1 - f->share[i]) / range_b;
    RMX_TRY(step(k, f->mixture + i * D, f->predicted + i * M, err));
  }
  drop_dominated(f, a, b, t->sign);
  return RMX_OK;
}

rmx_status rmx_pareto(const rmx_optimize_request *request, size_t a, size_t b, size_t points,
                      rmx_front *out, rmx_err *err) {
  const rmx_fit *fit = request->fit;
  const rmx_problem *problem = request->problem;
  const rmx_listener *listener = request->listener;
  if (a >= fit->M || b >= fit->M || a == b)
    return rmx_fail(err, RMX_EINPUT, "a Pareto front is of two metrics, got %s twice",
                    a < fit->M ? fit->metrics[a] : "one");
  if (points < 2)
    return rmx_fail(err, RMX_EINPUT, "a Pareto front of %zu points: wanted 2 or more", points);
  rmx_front f = {.n = points, .D = fit->D, .a = a, .b = b, .M = fit->M};
  walk k = {.request = *request, .q = *problem};
  k.request.problem = &k.q;
  k.request.listener = &k.quiet;
  if (listener)
    k.quiet = (rmx_listener){.context = listener->context, .progress = listener->progress};
  RMX_TRY(rmx_target_make(fit, &k.q.target, err));
  f.share = rmx_calloc(points, sizeof(double));
  f.mixture = rmx_calloc(points, f.D * sizeof(double));
  f.predicted = rmx_calloc(points, f.M * sizeof(double));
  rmx_status status =
      f.share && f.mixture && f.predicted
          ? RMX_OK
          : rmx_fail_memory(err, points * (f.D + f.M) * sizeof(double), "a Pareto front");
  memcpy(k.q.target.limit, problem->target.limit, f.M * sizeof(double));
  memcpy(k.q.target.sign, problem->target.sign, f.M * sizeof(double));
  if (status == RMX_OK) status = go(&k, &f, a, b, err);
  rmx_target_release(&k.q.target);
  if (status != RMX_OK)
    rmx_front_release(&f);
  else
    *out = f;
  return status;
}

void rmx_front_release(rmx_front *f) {
  free(f->share);
  free(f->mixture);
  free(f->predicted);
  *f = (rmx_front){0};
}

json_t *rmx_front_json(const rmx_front *f, const rmx_fit *fit) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < f->n; i++) {
    json_t *predicted = json_object();
    for (size_t m = 0; m < f->M; m++) {
      double y = f->predicted[i * f->M + m];
      json_object_set_new(predicted, fit->metrics[m], rmx__json_known(y));
    }
    json_array_append_new(
        list,
        json_pack("{s:f, s:[s, s], s:o, s:o}", "share", f->share[i], "metrics", fit->metrics[f->a],
                  fit->metrics[f->b], "mixture",
                  rmx_mixture_json(f->mixture + i * f->D, (const char *const *)fit->domains, f->D),
                  "predicted", predicted));
  }
  return list;
}
