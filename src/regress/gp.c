// SPDX-License-Identifier: Apache-2.0
// Gaussian process (Rasmussen & Williams 2006): the metric is a sample of all smooth functions of the warped
// weights log(1 + w / eps) / log(1 + 1 / eps), of which those are kept that pass near the runs.
//   mean(w) = k(w)' K^-1 y,  var(w) = k(w, w) - k(w)' K^-1 k(w)
// with the covariance of gp_likelihood.c: Matern 5/2 with one length a domain, plus linear, plus noise.
// Lengths, warps and noise are those of greatest posterior; of many runs, 256 find them first and all improve
// them. Predictions far beyond what was seen are bent over (bend.c). sd is that of the metric's mean, noise
// aside.
//
// Cost: about a hundred O(N^3) steps; O(N D) a mean, O(N^2) an sd.

#include "gp.h"

#include <stdlib.h>
#include <string.h>

#include "regressor.h"

enum { FIRST = 256, STEPS = 100, LAST_STEPS = 8, REFIT_LENGTHS = 128, CHUNK = 64 };

typedef struct gp {
  size_t N, D;
  double *theta;               // (3 + 2 D)
  double *X, *weight, *alpha;  // (N, D) (N) (N)
  double *Z;                   // (D, N) warped
  double *L;                   // (N, N) by columns
  double *eps, *scale;         // (D) of the warp
  double shift, unit, seen[2];
  double leave_one_out;  // root mean square error
  double ripple, linear, constant;
  double *by_domain;  // (D) of the linear part
  char **names;       // (D) or NULL
} gp;

static void release(void *state) {
  gp *r = state;
  if (r == NULL) return;
  rmx__domains_free(r->names, r->D);
  free(r->theta);
  free(r->X);
  free(r->weight);
  free(r->alpha);
  free(r->Z);
  free(r->L);
  free(r->eps);
  free(r);
}

static gp *make(size_t N, size_t D) {
  gp *r = rmx_calloc(1, sizeof(*r));
  if (r == NULL) return NULL;
  r->N = N;
  r->D = D;
  r->theta = rmx_calloc(GP_N_PARAMETERS(D), sizeof(double));
  r->X = rmx_calloc(N, D * sizeof(double));
  r->Z = rmx_calloc(N, D * sizeof(double));
  r->weight = rmx_calloc(N, sizeof(double));
  r->alpha = rmx_calloc(N, sizeof(double));
  r->L = rmx_calloc(N, N * sizeof(double));
  r->eps = rmx_calloc(3 * D, sizeof(double));
  if (r->theta && r->X && r->Z && r->weight && r->alpha && r->L && r->eps) {
    r->scale = r->eps + D;
    r->by_domain = r->scale + D;
    return r;
  }
  release(r);
  return NULL;
}

// Works out what use needs from X, theta and the targets y (NULL: those of a constant).
static rmx_status finish(gp *r, const double *y, double *left_out, rmx_err *err) {
  size_t N = r->N, D = r->D;
  r->ripple = exp(2 * r->theta[GP_RIPPLE]);
  r->linear = exp(2 * r->theta[GP_LINEAR]);
  for (size_t d = 0; d < D; d++) {
    r->eps[d] = exp(r->theta[GP_EPS(D) + d]);
    r->scale[d] = exp(-r->theta[GP_LENGTH + d]) / log1p(1 / r->eps[d]);
    for (size_t i = 0; i < N; i++)
      r->Z[d * N + i] = log1p(fmax(r->X[i * D + d], 0) / r->eps[d]) * r->scale[d];
  }
  rmx__gp_problem q = {N, D, r->X, y, r->weight};
  return rmx__gp_solve(&q, r->theta, r->alpha, r->L, left_out, err);
}

static void sum_alpha(gp *r) {
  r->constant = 0;
  for (size_t i = 0; i < r->N; i++) r->constant += r->alpha[i];
  for (size_t d = 0; d < r->D; d++) {
    r->by_domain[d] = 0;
    for (size_t i = 0; i < r->N; i++) r->by_domain[d] += r->alpha[i] * r->Z[d * r->N + i];
  }
}

static rmx_status find_theta(const rmx__gp_problem *q, double *theta, rmx_err *err) {
  size_t N = q->N, D = q->D;
  rmx__gp_centre(D, theta);
  if (N <= FIRST + FIRST / 4) return rmx__gp_climb(q, STEPS, theta, err);
  rmx_arena arena = {0};
  rmx_status status = RMX_OK;
  double *X = rmx_arena_alloc(&arena, FIRST * D, sizeof(double)),
         *y = rmx_arena_alloc(&arena, FIRST, sizeof(double));
  double *weight = rmx_arena_alloc(&arena, FIRST, sizeof(double));
  if (X && y && weight) {
    for (size_t i = 0; i < FIRST; i++) {
      size_t row = i * N / FIRST;
      memcpy(X + i * D, q->X + row * D, D * sizeof(double));
      y[i] = q->y[row];
      weight[i] = q->weight[row];
    }
    rmx__gp_problem first = {FIRST, D, X, y, weight};
    status = rmx__gp_climb(&first, STEPS, theta, err);
    if (status == RMX_OK) status = rmx__gp_climb(q, LAST_STEPS, theta, err);
  } else {
    status = rmx_fail_memory(err, FIRST * D * sizeof(double), "a Gaussian process");
  }
  rmx_arena_release(&arena);
  return status;
}

static rmx_status fit_with(const rmx_dataset *data, const double *theta, void **state, rmx_err *err) {
  RMX_TRY(rmx__blas_ready(err));
  size_t D = data->D, N = 0;
  for (size_t i = 0; i < data->N; i++) N += data->row_weights == NULL || data->row_weights[i] > 0;
  gp *r = make(N, D);
  double *y = rmx_calloc(2 * N, sizeof(double)), *left_out = y + N, mean = 0, total = 0, square = 0;
  rmx_status status = RMX_OK;
  if (!r || !y) {
    status = rmx_fail_memory(err, N * N * sizeof(double), "a Gaussian process");
    goto done;
  }
  RMX_TRY_GOTO(rmx__domains_copy(data->domains, D, &r->names, err), done);
  r->seen[0] = INFINITY;
  r->seen[1] = -INFINITY;
  for (size_t i = 0, n = 0; i < data->N; i++) {
    double weight = data->row_weights ? data->row_weights[i] : 1;
    if (weight == 0) continue;
    memcpy(r->X + n * D, data->X + i * D, D * sizeof(double));
    r->weight[n] = weight;
    y[n++] = data->y[i];
    mean += weight * data->y[i];
    total += weight;
    r->seen[0] = fmin(r->seen[0], data->y[i]);
    r->seen[1] = fmax(r->seen[1], data->y[i]);
  }
  for (size_t i = 0; i < N; i++) square += r->weight[i] * (y[i] - mean / total) * (y[i] - mean / total);
  bool constant = r->seen[0] == r->seen[1];
  r->shift = constant ? r->seen[0] : mean / total;
  r->unit = constant ? 0 : sqrt(square / total);
  for (size_t i = 0; i < N; i++) {
    y[i] = constant ? 0 : (y[i] - r->shift) / r->unit;
    r->weight[i] /= total / (double)N;
  }
  rmx__gp_problem q = {N, D, r->X, y, r->weight};
  if (theta)
    memcpy(r->theta, theta, GP_N_PARAMETERS(D) * sizeof(double));
  else if (constant)
    rmx__gp_centre(D, r->theta);
  else
    RMX_TRY_GOTO(find_theta(&q, r->theta, err), done);
  RMX_TRY_GOTO(finish(r, y, left_out, err), done);
  sum_alpha(r);
  for (size_t i = 0; i < N; i++) r->leave_one_out += left_out[i] * left_out[i] / (double)N;
  r->leave_one_out = r->unit * sqrt(r->leave_one_out);
done:
  free(y);
  if (status != RMX_OK) {
    release(r);
    return status;
  }
  *state = r;
  return RMX_OK;
}

static rmx_status fit(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                      const rmx_listener *listener, void **state, rmx_err *err) {
  (void)options;
  (void)seed;
  (void)listener;
  return fit_with(data, NULL, state, err);
}

// Of few runs the parameters know too much of each one to be kept.
static rmx_status refit(const rmx_regress_options *options, const void *state, const rmx_dataset *data,
                        uint64_t seed, void **out, rmx_err *err) {
  (void)options;
  (void)seed;
  return fit_with(data, data->N <= REFIT_LENGTHS ? NULL : ((const gp *)state)->theta, out, err);
}

// ---- use ----

// The same bits at any width, since no sum's order changes with it.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

// Squared distances of z (D) to `n` runs from `first` on.
WIDE static void distances(const gp *r, const double *z, size_t first, size_t n, double *r2) {
  for (size_t i = 0; i < n; i++) r2[i] = 0;
  for (size_t d = 0; d < r->D; d++) {
    const double *Z = r->Z + d * r->N + first, at = z[d];
    for (size_t i = 0; i < n; i++) r2[i] += (at - Z[i]) * (at - Z[i]);
  }
}

// The constant and the linear part are summed over the runs beforehand.
static double mean_at(const gp *r, const double *z) {
  double ripple = 0, linear = 0, r2[CHUNK], slope;
  for (size_t first = 0; first < r->N; first += CHUNK) {
    size_t n = r->N - first < CHUNK ? r->N - first : CHUNK;
    distances(r, z, first, n, r2);
    for (size_t i = 0; i < n; i++) ripple += r->alpha[first + i] * rmx__matern(r2[i], &slope);
  }
  for (size_t d = 0; d < r->D; d++) linear += r->by_domain[d] * z[d];
  return r->shift + r->unit * (r->constant + r->ripple * ripple + r->linear * linear);
}

static double warp(const gp *r, size_t d, double w) {
  return log1p(fmax(w, 0) / r->eps[d]) * r->scale[d];
}

// k (N) is scratch: the covariance with each run, then L x = k, column by column.
static double sd_at(const gp *r, const double *z, double *k) {
  double variance = 1 + r->ripple, slope;
  distances(r, z, 0, r->N, k);
  for (size_t i = 0; i < r->N; i++) k[i] = 1 + r->ripple * rmx__matern(k[i], &slope);
  for (size_t d = 0; d < r->D; d++) {
    variance += r->linear * z[d] * z[d];
    for (size_t i = 0; i < r->N; i++) k[i] += r->linear * z[d] * r->Z[d * r->N + i];
  }
  for (size_t j = 0; j < r->N; j++) {
    const double *L = r->L + j * r->N;
    double x = k[j] / L[j];
    variance -= x * x;
    for (size_t i = j + 1; i < r->N; i++) k[i] -= x * L[i];
  }
  return r->unit * sqrt(fmax(variance, 0));
}

static void predict(const void *state, const double *X, size_t n, double *mean, double *sd) {
  const gp *r = state;
  double *z = rmx_calloc(r->D + r->N, sizeof(double)), *k = z + r->D;
  for (size_t i = 0; i < n; i++) {
    if (z == NULL) {  // no way to say so but this
      mean[i] = NAN;
      if (sd) sd[i] = NAN;
      continue;
    }
    for (size_t d = 0; d < r->D; d++) z[d] = warp(r, d, X[i * r->D + d]);
    mean[i] = rmx__bend(r->seen, mean_at(r, z), NULL);
    if (sd) sd[i] = sd_at(r, z, k);
  }
  free(z);
}

static bool gradient(const void *state, const double *w, double *g) {
  const gp *r = state;
  double *z = rmx_calloc(r->D, sizeof(double)), r2[CHUNK], slope, bent;
  if (z == NULL) return false;
  for (size_t d = 0; d < r->D; d++) {
    z[d] = warp(r, d, w[d]);
    g[d] = r->linear * r->by_domain[d];
  }
  for (size_t first = 0; first < r->N; first += CHUNK) {
    size_t n = r->N - first < CHUNK ? r->N - first : CHUNK;
    distances(r, z, first, n, r2);
    for (size_t i = 0; i < n; i++) {
      rmx__matern(r2[i], &slope);
      double by = 2 * r->ripple * slope * r->alpha[first + i];
      for (size_t d = 0; d < r->D; d++) g[d] += by * (z[d] - r->Z[d * r->N + first + i]);
    }
  }
  rmx__bend(r->seen, mean_at(r, z), &bent);
  for (size_t d = 0; d < r->D; d++) g[d] *= bent * r->unit * r->scale[d] / (r->eps[d] + fmax(w[d], 0));
  free(z);
  return true;
}

// ---- its file ----

static json_t *to_json(const void *state) {
  const gp *r = state;
  size_t D = r->D, N = r->N;
  return json_pack("{s:o, s:i, s:f, s:f, s:[f, f], s:f, s:f, s:f, s:f, s:o, s:o, s:o, s:o, s:o}", "domains",
                   rmx__domains_json(r->names, D), "runs", (int)N, "shift", r->shift, "scale", r->unit,
                   "seen", r->seen[0], r->seen[1], "leave_one_out_rmse", r->leave_one_out, "log_ripple",
                   r->theta[GP_RIPPLE], "log_linear", r->theta[GP_LINEAR], "log_noise", r->theta[GP_NOISE],
                   "log_length", rmx__numbers_json(r->theta + GP_LENGTH, D), "log_eps",
                   rmx__numbers_json(r->theta + GP_EPS(D), D), "alpha", rmx__numbers_json(r->alpha, N),
                   "row_weights", rmx__numbers_json(r->weight, N), "mixtures",
                   rmx__numbers_json(r->X, N * D));
}

static rmx_status from_json(const json_t *o, const char *path, void **state, size_t *n_domains,
                            rmx_err *err) {
  size_t D = json_array_size(json_object_get(o, "log_length")),
         N = json_array_size(json_object_get(o, "alpha"));
  if (D == 0 || N == 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: \"log_length\" (one a domain) and \"alpha\" (one a run) must be there", path);
  if (json_array_size(json_object_get(o, "mixtures")) != N * D)
    return rmx_fail(err, RMX_EINPUT, "%s: \"mixtures\" must be a list of %zu numbers", path, N * D);
  gp *r = make(N, D);
  double *y = rmx_calloc(N, sizeof(double)), *alpha = NULL;
  rmx_status status = RMX_OK;
  if (!r || !y || (alpha = rmx_calloc(N, sizeof(double))) == NULL) {
    status = rmx_fail_memory(err, N * N * sizeof(double), "a Gaussian process");
    goto done;
  }
  const struct {
    const char *key;
    double *at;
  } numbers[] = {{"shift", &r->shift},
                 {"scale", &r->unit},
                 {"leave_one_out_rmse", &r->leave_one_out},
                 {"log_ripple", &r->theta[GP_RIPPLE]},
                 {"log_linear", &r->theta[GP_LINEAR]},
                 {"log_noise", &r->theta[GP_NOISE]}};
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
    RMX_TRY_GOTO(rmx_json_number(o, numbers[i].key, numbers[i].at, path, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "seen", r->seen, 2, path, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "log_length", r->theta + GP_LENGTH, D, path, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "log_eps", r->theta + GP_EPS(D), D, path, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "alpha", alpha, N, path, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "row_weights", r->weight, N, path, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "mixtures", r->X, N * D, path, err), done);
  RMX_TRY_GOTO(rmx__domains_read(o, D, path, &r->names, err), done);
  for (size_t i = 0; i < N; i++)
    if (!(r->weight[i] > 0)) {
      status = rmx_fail(err, RMX_EINPUT, "%s: item %zu of \"row_weights\" is not above 0", path, i);
      goto done;
    }
  RMX_TRY_GOTO(rmx__blas_ready(err), done);
  if (finish(r, y, NULL, err) != RMX_OK) {
    status = rmx_fail_in(err, "%s", path);
    goto done;
  }
  memcpy(r->alpha, alpha, N * sizeof(double));
  sum_alpha(r);
done:
  free(y);
  free(alpha);
  if (status != RMX_OK) {
    release(r);
    return status;
  }
  *state = r;
  *n_domains = D;
  return RMX_OK;
}

const rmx__regressor_kind rmx__gp = {
    .name = "gp",
    .help = "Gaussian process on warped weights, with a standard deviation",
    .extension = "json",
    .fit = fit,
    .refit = refit,
    .predict = predict,
    .gradient = gradient,
    .to_json = to_json,
    .from_json = from_json,
    .release = release,
};
