// SPDX-License-Identifier: Apache-2.0
// Ridge regression, intercept free (Hoerl & Kennard 1970):
//   min_{b, v} sum_i r_i (y_i - b - v.f(w_i))^2 + alpha |v|^2,
// f(w) = w or sqrt(w), r_i row weights. With weighted means taken out of f and y:
//   (F'RF + alpha I) v = F'R y by Cholesky,   b = mean y - v . mean f.
// Cost: O(N D^2 + D^3).

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "regress/blas.h"
#include "regress/json_lists.h"
#include "regress/registry.h"

typedef struct ridge {
  size_t D;
  bool sqrt;
  double alpha, intercept;
  double *v;     // (D)
  char **names;  // (D) or NULL
} ridge;

static void release(void *state) {
  ridge *r = state;
  if (!r) return;
  rmx__domains_free(r->names, r->D);
  free(r->v);
  free(r);
}

static ridge *make(size_t D) {
  ridge *r = rmx_calloc(1, sizeof *r);
  if (!r) return NULL;
  r->D = D;
  r->v = rmx_calloc(D, sizeof(double));
  if (r->v) return r;
  release(r);
  return NULL;
}

static double feature(const ridge *r, double w) {
  return r->sqrt ? sqrt(w > 0 ? w : 0) : w;
}

static rmx_status solve(ridge *r, const rmx_dataset *data, rmx_err *err) {
  size_t N = data->N, D = data->D;
  rmx_arena arena = {0};
  double *A = rmx_arena_alloc(&arena, D * D, sizeof(double)),
         *mean = rmx_arena_alloc(&arena, D, sizeof(double));
  double *f = rmx_arena_alloc(&arena, D, sizeof(double));
  rmx_status status = RMX_OK;
  if (!A || !mean || !f) {
    status = rmx_fail_memory(err, D * D * sizeof(double), "a ridge regression");
    goto done;
  }
  double total = 0, y_mean = 0, norm = 0, rcond = 0;
  for (size_t i = 0; i < N; i++) {
    double weight = data->row_weights ? data->row_weights[i] : 1;
    total += weight;
    y_mean += weight * data->y[i];
    for (size_t d = 0; d < D; d++) mean[d] += weight * feature(r, data->X[i * D + d]);
  }
  y_mean /= total;
  for (size_t d = 0; d < D; d++) mean[d] /= total;
  for (size_t i = 0; i < N; i++) {
    double weight = data->row_weights ? data->row_weights[i] : 1;
    for (size_t d = 0; d < D; d++) f[d] = feature(r, data->X[i * D + d]) - mean[d];
    for (size_t d = 0; d < D; d++) {
      r->v[d] += weight * f[d] * (data->y[i] - y_mean);
      for (size_t e = 0; e <= d; e++) A[d * D + e] += weight * f[d] * f[e];
    }
  }
  for (size_t d = 0; d < D; d++) {
    double column = 0;
    A[d * D + d] += r->alpha;
    for (size_t e = 0; e < D; e++) column += fabs(e <= d ? A[d * D + e] : A[e * D + d]);
    norm = fmax(norm, column);
  }
  int n = (int)D;
  rmx__blas_enter();
  int bad = norm > 0 ? LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', n, A, n) : 1;
  if (bad == 0) bad = LAPACKE_dpocon(LAPACK_ROW_MAJOR, 'L', n, A, n, norm, &rcond);
  if (bad == 0) bad = LAPACKE_dpotrs(LAPACK_ROW_MAJOR, 'L', n, 1, A, n, r->v, 1);
  rmx__blas_leave();
  if (bad == LAPACK_WORK_MEMORY_ERROR || bad == LAPACK_TRANSPOSE_MEMORY_ERROR) {
    status = rmx_fail_memory(err, 2 * D * D * sizeof(double), "a ridge regression");
    goto done;
  }
  if (bad != 0 || !(rcond > 1e-15)) {
    status = rmx_fail(
        err, RMX_ENUMERIC,
        "metric \"%s\": the ridge system is singular (weights sum to 1, so no run differs in one "
        "direction): raise ridge.alpha from %g, for example to 1e-6",
        data->metric ? data->metric : "", r->alpha);
    goto done;
  }
  r->intercept = y_mean;
  for (size_t d = 0; d < D; d++) r->intercept -= r->v[d] * mean[d];
done:
  rmx_arena_release(&arena);
  return status;
}

static rmx_status fit_with(double alpha, bool root, const rmx_dataset *data, void **state,
                           rmx_err *err) {
  RMX_TRY(rmx__blas_ready(err));
  ridge *r = make(data->D);
  if (!r) return rmx_fail_memory(err, data->D * sizeof(double), "a ridge regression");
  r->alpha = alpha;
  r->sqrt = root;
  rmx_status status = solve(r, data, err);
  if (status == RMX_OK) status = rmx__domains_copy(data->domains, data->D, &r->names, err);
  if (status != RMX_OK) {
    release(r);
    return status;
  }
  *state = r;
  return RMX_OK;
}

static rmx_status fit(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                      const rmx_listener *listener, void **state, rmx_err *err) {
  (void)seed;
  if (!(options->ridge.alpha >= 0) || !isfinite(options->ridge.alpha))
    return rmx_fail(err, RMX_EINPUT, "ridge.alpha is %g: wanted 0 or more", options->ridge.alpha);
  if (data->N < data->D + 2)
    rmx_warn(listener,
             "metric \"%s\" has %zu runs for %zu domains: with fewer than %zu, ridge follows its "
             "penalty; train more runs",
             data->metric ? data->metric : "", data->N, data->D, data->D + 2);
  return fit_with(options->ridge.alpha, options->ridge.sqrt, data, state, err);
}

static rmx_status refit(const rmx_regress_options *options, const void *state,
                        const rmx_dataset *data, uint64_t seed, void **out, rmx_err *err) {
  (void)options;
  (void)seed;
  const ridge *r = state;
  return fit_with(r->alpha, r->sqrt, data, out, err);
}

static void predict(const void *state, const double *X, size_t n, double *mean, double *sd) {
  const ridge *r = state;
  for (size_t i = 0; i < n; i++) {
    double sum = r->intercept;
    for (size_t d = 0; d < r->D; d++) sum += r->v[d] * feature(r, X[i * r->D + d]);
    mean[i] = sum;
    if (sd) sd[i] = NAN;
  }
}

static bool gradient(const void *state, const double *w, double *g) {
  const ridge *r = state;
  // The slope of sqrt at 0 is infinite; that at 1e-12 is steep enough to give the direction.
  for (size_t d = 0; d < r->D; d++)
    g[d] = r->sqrt ? 0.5 * r->v[d] / sqrt(fmax(w[d], 1e-12)) : r->v[d];
  return true;
}

// Linear functions are convex. Square roots are concave, so each needs sign * v <= 0.
static bool convex(const void *state, double sign, double *below) {
  const ridge *r = state;
  (void)below;
  bool yes = true;
  for (size_t d = 0; d < r->D && r->sqrt; d++) yes = yes && sign * r->v[d] <= 0;
  return yes;
}

static json_t *to_json(const void *state) {
  const ridge *r = state;
  return json_pack("{s:o, s:b, s:f, s:f, s:o}", "domains", rmx__domains_json(r->names, r->D),
                   "sqrt", (int)r->sqrt, "alpha", r->alpha, "intercept", r->intercept,
                   "coefficients", rmx__numbers_json(r->v, r->D));
}

static rmx_status from_json(const json_t *o, const char *path, void **state, size_t *D,
                            rmx_err *err) {
  const json_t *root = json_object_get(o, "sqrt");
  size_t n = json_array_size(json_object_get(o, "coefficients"));
  if (n == 0 || !json_is_boolean(root))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: a ridge file has \"coefficients\" (numbers) and \"sqrt\" (true or false)",
                    path);
  ridge *r = *state = make(n);
  *D = n;
  if (!r) return rmx_fail_memory(err, n * sizeof(double), "a ridge regression");
  r->sqrt = json_is_true(root);
  RMX_TRY(rmx__json_number(o, "alpha", &r->alpha, path, err));
  RMX_TRY(rmx__json_number(o, "intercept", &r->intercept, path, err));
  RMX_TRY(rmx__json_numbers(o, "coefficients", r->v, n, path, err));
  return rmx__domains_read(o, n, path, &r->names, err);
}

const rmx__regressor_kind rmx__ridge = {
    .name = "ridge",
    .help = "linear in the weights, penalised (ridge regression)",
    .extension = "json",
    .fit = fit,
    .refit = refit,
    .predict = predict,
    .gradient = gradient,
    .convex = convex,
    .to_json = to_json,
    .from_json = from_json,
    .release = release,
};
