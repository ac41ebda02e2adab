// SPDX-License-Identifier: Apache-2.0
// Ridge regression, intercept free (Hoerl & Kennard 1970):
//   min_{b, v} sum_i r_i (y_i - b - v.f(w_i))^2 + alpha |v|^2,   f(w) = w or sqrt(w), r_i row weights.
// With weighted means taken out of f and y: (F'RF + alpha I) v = F'R y, by Cholesky; b = mean y - v . mean f.
// Cost: O(N D^2 + D^3).

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "regressor.h"

typedef struct ridge {
  size_t D;
  bool sqrt;
  double alpha, intercept;
  double *v;     // (D)
  char **names;  // (D) or NULL
} ridge;

static void release(void *state) {
  ridge *r = state;
  if (r == NULL) return;
  for (size_t d = 0; r->names && d < r->D; d++) free(r->names[d]);
  free(r->names);
  free(r->v);
  free(r);
}

static ridge *make(size_t D) {
  ridge *r = rmx_calloc(1, sizeof(*r));
  if (r == NULL) return NULL;
  r->D = D;
  r->v = rmx_calloc(D, sizeof(double));
  r->names = rmx_calloc(D, sizeof(char *));
  if (r->v && r->names) return r;
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
  if (bad == 0) LAPACKE_dpotrs(LAPACK_ROW_MAJOR, 'L', n, 1, A, n, r->v, 1);
  rmx__blas_leave();
  if (bad != 0 || !(rcond > 1e-15)) {
    status = rmx_fail(err, RMX_ENUMERIC,
                      "metric \"%s\": the ridge system is singular (weights sum to 1, so one direction is "
                      "never seen): raise ridge.alpha "
                      "from %g, to 1e-6 for one",
                      data->metric ? data->metric : "", r->alpha);
    goto done;
  }
  r->intercept = y_mean;
  for (size_t d = 0; d < D; d++) r->intercept -= r->v[d] * mean[d];
done:
  rmx_arena_release(&arena);
  return status;
}

static rmx_status fit(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                      const rmx_listener *listener, void **state, rmx_err *err) {
  (void)seed;
  RMX_TRY(rmx__blas_ready(err));
  if (!(options->ridge.alpha >= 0) || !isfinite(options->ridge.alpha))
    return rmx_fail(err, RMX_EINPUT, "ridge.alpha is %g: wanted 0 or more", options->ridge.alpha);
  if (data->N < data->D + 2)
    rmx_warn(listener,
             "metric \"%s\": %zu runs for %zu domains: ridge needs %zu to be more than its penalty; train "
             "more runs",
             data->metric ? data->metric : "", data->N, data->D, data->D + 2);
  ridge *r = make(data->D);
  if (r == NULL) return rmx_fail_memory(err, data->D * sizeof(double), "a ridge regression");
  r->alpha = options->ridge.alpha;
  r->sqrt = options->ridge.sqrt;
  rmx_status status = solve(r, data, err);
  for (size_t d = 0; status == RMX_OK && data->domains && d < data->D; d++)
    if ((r->names[d] = rmx_strdup(data->domains[d])) == NULL) status = rmx_fail_memory(err, 64, "a name");
  if (status != RMX_OK) {
    release(r);
    return status;
  }
  *state = r;
  return RMX_OK;
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
  // The slope of sqrt at 0 is infinite; that at 1e-12 is steep enough to say which way is up.
  for (size_t d = 0; d < r->D; d++) g[d] = r->sqrt ? 0.5 * r->v[d] / sqrt(fmax(w[d], 1e-12)) : r->v[d];
  return true;
}

static rmx_status write(const void *state, const char *path, rmx_err *err) {
  const ridge *r = state;
  json_t *names = r->D && r->names[0] ? rmx__names_json((const char *const *)r->names, r->D) : json_null();
  json_t *o = json_pack("{s:s, s:i, s:o, s:b, s:f, s:f, s:o}", "regressor", "ridge", "version", 1, "domains",
                        names, "sqrt", (int)r->sqrt, "alpha", r->alpha, "intercept", r->intercept,
                        "coefficients", rmx__numbers_json(r->v, r->D));
  if (o == NULL) return rmx_fail_memory(err, r->D * sizeof(json_t), "a ridge file");
  rmx_status status = rmx_json_write(path, o, err);
  json_decref(o);
  return status;
}

static rmx_status read(const char *text, size_t size, const char *path, void **state, size_t *D,
                       rmx_err *err) {
  json_error_t where;
  json_t *o = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
  if (o == NULL) return rmx_fail(err, RMX_EINPUT, "%s:%d: %s", path, where.line, where.text);
  rmx_status status = RMX_OK;
  ridge *r = NULL;
  json_t *v = json_object_get(o, "coefficients"), *names = json_object_get(o, "domains"),
         *root = json_object_get(o, "sqrt");
  if (!json_is_array(v) || json_array_size(v) == 0 || !json_is_boolean(root)) {
    status = rmx_fail(err, RMX_EINPUT,
                      "%s: a ridge file has \"coefficients\" (numbers) and \"sqrt\" (true or false)", path);
    goto done;
  }
  if (json_integer_value(json_object_get(o, "version")) != 1) {
    status = rmx_fail(err, RMX_EINPUT, "%s: \"version\" is not 1: written by a newer regmix?", path);
    goto done;
  }
  if ((r = make(json_array_size(v))) == NULL) {
    status = rmx_fail_memory(err, json_array_size(v) * sizeof(double), "a ridge regression");
    goto done;
  }
  r->sqrt = json_is_true(root);
  RMX_TRY_GOTO(rmx_json_number(o, "alpha", &r->alpha, path, err), done);
  RMX_TRY_GOTO(rmx_json_number(o, "intercept", &r->intercept, path, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "coefficients", r->v, r->D, path, err), done);
  if (json_is_array(names)) {
    for (size_t d = 0; d < r->D; d++) {
      const char *name = json_string_value(json_array_get(names, d));
      if (name == NULL || json_array_size(names) != r->D) {
        status = rmx_fail(err, RMX_EINPUT, "%s: \"domains\" must be %zu names, one for each coefficient",
                          path, r->D);
        goto done;
      }
      if ((r->names[d] = rmx_strdup(name)) == NULL) {
        status = rmx_fail_memory(err, strlen(name), "a name");
        goto done;
      }
    }
  }
done:
  json_decref(o);
  if (status != RMX_OK) {
    release(r);
    return status;
  }
  *state = r;
  *D = r->D;
  return RMX_OK;
}

const rmx__regressor_kind rmx__ridge = {
    .name = "ridge",
    .help = "linear in the weights, penalised (ridge regression)",
    .extension = "json",
    .fit = fit,
    .predict = predict,
    .gradient = gradient,
    .write = write,
    .read = read,
    .release = release,
};
