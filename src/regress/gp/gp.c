// SPDX-License-Identifier: Apache-2.0
// Gaussian process (Rasmussen & Williams 2006). Of all smooth functions of the warped weights
// log(1 + w / eps) / log(1 + 1 / eps), it keeps those that pass near the runs:
//   mean(w) = k(w)' K^-1 y,  var(w) = k(w, w) - k(w)' K^-1 k(w)
// with the covariance of likelihood.c: Matern 5/2 with one length for each domain, a linear part
// and noise. Lengths, warps and noise maximise their posterior. With many runs, 256 of them
// determine the parameters first, and all runs improve them. Predictions far beyond the values seen
// are clipped softly (soft_clip.c). sd is that of the metric's mean, without noise.
//
// Cost: about a hundred O(N^3) steps; O(N D) for a mean, O(N^2) for an sd.

#include "gp.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "matern.h"
#include "regress/blas.h"
#include "regress/json_lists.h"
#include "regress/registry.h"
#include "regress/soft_clip.h"

enum { FIRST = 256, STEPS = 100, LAST_STEPS = 8, AGAIN_STEPS = 10, REFIT_LENGTHS = 128 };

typedef rmx__process gp;

static void release(void *state) {
  gp *r = state;
  if (!r) return;
  rmx__domains_free(r->names, r->D);
  rmx__features_release(&r->features);
  free(r->theta);
  if (r->seen_features != r->X) free(r->seen_features);
  free(r->X);
  free(r->weight);
  free(r->alpha);
  free(r->Z);
  free(r->L);
  free(r->eps);
  free(r->packed);
  free(r);
}

// Takes the features.
static gp *make(size_t N, rmx__features *features) {
  gp *r = rmx_calloc(1, sizeof *r);
  if (!r) return NULL;
  size_t D = features->D, F = rmx__features_n(features);
  r->N = N;
  r->D = D;
  r->F = F;
  r->features = *features;
  *features = (rmx__features){0};
  r->theta = rmx_calloc(GP_N_PARAMETERS(F), sizeof(double));
  r->X = rmx_calloc(N, D * sizeof(double));
  r->seen_features = F > D ? rmx_calloc(N, F * sizeof(double)) : r->X;
  r->Z = rmx_calloc(N, F * sizeof(double));
  r->weight = rmx_calloc(N, sizeof(double));
  r->alpha = rmx_calloc(N, sizeof(double));
  r->L = rmx_calloc(N, N * sizeof(double));
  r->eps = rmx_calloc(3 * F, sizeof(double));
  r->packed = rmx_calloc(RMX__BLOCKS(N) * (F + 2), RMX__LANES * sizeof(double));
  if (r->theta && r->X && r->seen_features && r->Z && r->weight && r->alpha && r->L && r->eps &&
      r->packed) {
    r->scale = r->eps + F;
    r->by_feature = r->scale + F;
    return r;
  }
  release(r);
  return NULL;
}

static void fill_features(gp *r) {
  for (size_t i = 0; i < r->N && r->seen_features != r->X; i++)
    for (size_t k = 0; k < r->F; k++)
      r->seen_features[i * r->F + k] = rmx__feature(&r->features, r->X + i * r->D, k);
}

// Computes what predictions need from the features, theta and the targets y (N).
static rmx_status finish(gp *r, const double *y, double *left_out, rmx_err *err) {
  size_t N = r->N, F = r->F;
  r->signal = exp(2 * r->theta[GP_SIGNAL]);
  r->linear = exp(2 * r->theta[GP_LINEAR]);
  for (size_t k = 0; k < F; k++) {
    r->eps[k] = exp(r->theta[GP_EPS(F) + k]);
    r->scale[k] = exp(-r->theta[GP_LENGTH + k]) / log1p(1 / r->eps[k]);
    for (size_t i = 0; i < N; i++)
      r->Z[k * N + i] = log1p(fmax(r->seen_features[i * F + k], 0) / r->eps[k]) * r->scale[k];
  }
  rmx__gp_problem q = {N, F, r->seen_features, y, r->weight};
  return rmx__gp_solve(&q, r->theta, r->alpha, r->L, left_out, err);
}

// alpha (blocks, RMX__LANES), stored after the packed runs.
static double *packed_alpha(const gp *r) {
  return r->packed + RMX__BLOCKS(r->N) * (r->F + 1) * RMX__LANES;
}

static void sum_alpha(gp *r) {
  rmx__pack(r->Z, r->N, r->F, r->packed);
  memcpy(packed_alpha(r), r->alpha, r->N * sizeof(double));
  r->constant = 0;
  for (size_t i = 0; i < r->N; i++) r->constant += r->alpha[i];
  for (size_t k = 0; k < r->F; k++) {
    r->by_feature[k] = 0;
    for (size_t i = 0; i < r->N; i++) r->by_feature[k] += r->alpha[i] * r->Z[k * r->N + i];
  }
}

static rmx_status find_theta(const rmx__gp_problem *q, double *theta, rmx_err *err) {
  size_t N = q->N, D = q->D;
  rmx__gp_centre(D, theta);
  if (N <= FIRST + FIRST / 4) return rmx__gp_climb(q, STEPS, theta, err);
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
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
    RMX_TRY(rmx__gp_climb(&first, STEPS, theta, err));
    RMX_TRY(rmx__gp_climb(q, LAST_STEPS, theta, err));
  } else {
    return rmx_fail_memory(err, FIRST * D * sizeof(double), "a Gaussian process");
  }
  return RMX_OK;
}

// How a process is fitted.
struct how {
  const rmx__features *features;  // NULL: the weights
  const double *theta;            // initial parameters; NULL: they are searched
  bool climb;                     // theta is improved
  double amplitude;               // see rmx__process; 0: none
  int near_steps;                 // theta is improved near where it begins
};

// Copies the runs of weight above 0 to the process, and their values to y.
static void take_runs(gp *r, const rmx_dataset *data, double *y) {
  double mean = 0, total = 0, square = 0;
  size_t N = r->N, D = r->D;
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
  fill_features(r);
  for (size_t i = 0; i < N; i++)
    square += r->weight[i] * (y[i] - mean / total) * (y[i] - mean / total);
  bool constant = r->seen[0] == r->seen[1];
  r->shift = constant ? r->seen[0] : mean / total;
  r->unit = constant ? 0 : sqrt(square / total);
  if (r->amplitude > 0) r->unit *= r->amplitude;
  for (size_t i = 0; i < N; i++) {
    y[i] = constant ? 0 : (y[i] - r->shift) / r->unit;
    r->weight[i] /= total / (double)N;
  }
}

static rmx_status fit_with(const rmx_dataset *data, const struct how *how, void **state,
                           rmx_err *err) {
  RMX_TRY(rmx__blas_ready(err));
  size_t N = 0;
  for (size_t i = 0; i < data->N; i++) N += !data->row_weights || data->row_weights[i] > 0;
  rmx__features features = {.D = data->D};
  if (how->features) RMX_TRY(rmx__features_copy(how->features, &features, err));
  gp *r = make(N, &features);
  double *y = rmx_calloc(2 * N, sizeof(double));
  rmx_status status = RMX_OK;
  if (!r || !y) {
    rmx__features_release(&features);
    status = rmx_fail_memory(err, N * N * sizeof(double), "a Gaussian process");
    goto done;
  }
  RMX_TRY_GOTO(rmx__domains_copy(data->domains, r->D, &r->names, err), done);
  r->amplitude = how->amplitude;
  take_runs(r, data, y);
  bool constant = r->unit == 0;
  rmx__gp_problem q = {N, r->F, r->seen_features, y, r->weight};
  if (how->theta) {
    memcpy(r->theta, how->theta, GP_N_PARAMETERS(r->F) * sizeof(double));
    if (how->climb && !constant) RMX_TRY_GOTO(rmx__gp_climb(&q, AGAIN_STEPS, r->theta, err), done);
    if (how->near_steps && !constant)
      RMX_TRY_GOTO(rmx__gp_climb_near(&q, how->near_steps, r->theta, err), done);
  } else if (constant)
    rmx__gp_centre(r->F, r->theta);
  else
    RMX_TRY_GOTO(find_theta(&q, r->theta, err), done);
  RMX_TRY_GOTO(finish(r, y, how->theta ? NULL : y + N, err), done);
  sum_alpha(r);
  if (how->theta) {  // a refit: the leave-one-out error is not needed
    r->leave_one_out = NAN;
  } else {
    const double *left_out = y + N;
    for (size_t i = 0; i < N; i++) r->leave_one_out += left_out[i] * left_out[i] / (double)N;
    r->leave_one_out = r->unit * sqrt(r->leave_one_out);
  }
done:
  free(y);
  if (status != RMX_OK) {
    release(r);
    return status;
  }
  *state = r;
  return RMX_OK;
}

rmx_status rmx__gp_at(const rmx_dataset *data, const double *theta, rmx_regressor **out,
                      rmx_err *err) {
  void *state;
  RMX_TRY(fit_with(data, &(struct how){.theta = theta}, &state, err));
  return rmx__regressor_of(&rmx__gp, data->D, state, out, err);
}

rmx_status rmx__gp_shared(const rmx_dataset *data, const rmx__features *features,
                          const double *theta, double amplitude, int steps, rmx_regressor **out,
                          rmx_err *err) {
  void *state;
  struct how how = {
      .features = features, .theta = theta, .amplitude = amplitude, .near_steps = steps};
  RMX_TRY(fit_with(data, &how, &state, err));
  return rmx__regressor_of(&rmx__gp, data->D, state, out, err);
}

static rmx_status fit(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                      const rmx_listener *listener, void **state, rmx_err *err) {
  (void)options;
  (void)seed;
  (void)listener;
  return fit_with(data, &(struct how){0}, state, err);
}

// With few runs, hyperparameters fitted to all of them would leak the held-out run, so they are
// fitted again. Those that several metrics share stay.
static rmx_status fit_like(const gp *r, bool climb, const rmx_dataset *data, void **out,
                           rmx_err *err) {
  if (r->amplitude > 0)
    return fit_with(
        data, &(struct how){.features = &r->features, .theta = r->theta, .amplitude = r->amplitude},
        out, err);
  const double *theta = data->N <= REFIT_LENGTHS ? NULL : r->theta;
  return fit_with(data, &(struct how){.theta = theta, .climb = climb}, out, err);
}

static rmx_status refit(const rmx_regress_options *options, const void *state,
                        const rmx_dataset *data, uint64_t seed, void **out, rmx_err *err) {
  (void)options;
  (void)seed;
  return fit_like(state, false, data, out, err);
}

static rmx_status again(const rmx_regress_options *options, const void *state,
                        const rmx_dataset *data, uint64_t seed, void **out, rmx_err *err) {
  (void)options;
  (void)seed;
  return fit_like(state, true, data, out, err);
}

// ---- use ----

// The mean at z. The sums of the constant and the linear part over the runs were made before;
// `curved` is the sum of the Matern part.
static double mean_at(const gp *r, const double *z, size_t stride, double curved) {
  double linear = 0;
  for (size_t k = 0; k < r->F; k++) linear += r->by_feature[k] * z[k * stride];
  return r->shift + r->unit * (r->constant + r->signal * curved + r->linear * linear);
}

void rmx__process_warp(const rmx__process *p, const double *w, double *z, size_t stride) {
  for (size_t k = 0; k < p->F; k++)
    z[k * stride] = log1p(fmax(rmx__feature(&p->features, w, k), 0) / p->eps[k]) * p->scale[k];
}

void rmx__process_slope(const rmx__process *p, const double *w, double *slope) {
  for (size_t k = 0; k < p->F; k++)
    slope[k] = slope[k] * p->scale[k] / (p->eps[k] + fmax(rmx__feature(&p->features, w, k), 0));
  rmx__features_slope(&p->features, slope);
}

// Writes the covariances with the runs to one lane of k (N, RMX__LANES); returns the variance at z.
// m (2 N) is scratch.
static double covariances(const gp *r, const double *z, double *m, double *k) {
  double own = 1 + r->signal, *r2 = m + r->N;
  memset(r2, 0, r->N * sizeof(double));
  for (size_t d = 0; d < r->F; d++)
    for (size_t i = 0; i < r->N; i++) {
      double gap = z[d] - r->Z[d * r->N + i];
      r2[i] += gap * gap;
    }
  rmx__matern_many(r2, r->N, m, NULL);
  for (size_t i = 0; i < r->N; i++) m[i] = 1 + r->signal * m[i];
  for (size_t d = 0; d < r->F; d++) {
    double at = r->linear * z[d];
    own += at * z[d];
    for (size_t i = 0; i < r->N; i++) m[i] += at * r->Z[d * r->N + i];
  }
  for (size_t i = 0; i < r->N; i++) k[i * RMX__LANES] = m[i];
  return own;
}

static void predict(const void *state, const double *X, size_t n, double *mean, double *sd) {
  const gp *r = state;
  size_t D = r->D, F = r->F, N = r->N, blocks = RMX__BLOCKS(N);
  RMX_OWNED double *z =
      rmx_calloc(F * RMX__LANES + (sd ? N * (RMX__LANES + 2) : 0), sizeof(double));
  double *k = z + F * RMX__LANES, *m = k + N * RMX__LANES, curved[RMX__QUERIES],
         variance[RMX__LANES];
  for (size_t i = 0; !z && i < n; i++) {  // memory is short: there is no status to return
    mean[i] = NAN;
    if (sd) sd[i] = NAN;
  }
  for (size_t first = 0; z && first < n; first += RMX__QUERIES) {
    if (n - first == 1) {
      rmx__process_warp(r, X + first * D, z, 1);
      curved[0] = rmx__matern_sum(r->packed, packed_alpha(r), blocks, F, z);
      mean[first] = rmx__soft_clip(r->seen, mean_at(r, z, 1, curved[0]), NULL);
      break;
    }
    size_t here = n - first < RMX__QUERIES ? n - first : RMX__QUERIES;
    memset(z, 0, F * RMX__QUERIES * sizeof(double));
    for (size_t q = 0; q < here; q++)
      rmx__process_warp(r, X + (first + q) * D, z + q, RMX__QUERIES);
    rmx__matern_sums(r->packed, packed_alpha(r), blocks, F, z, curved);
    for (size_t q = 0; q < here; q++)
      mean[first + q] = rmx__soft_clip(r->seen, mean_at(r, z + q, RMX__QUERIES, curved[q]), NULL);
  }
  for (size_t first = 0; z && sd && first < n; first += RMX__LANES) {
    size_t here = n - first < RMX__LANES ? n - first : RMX__LANES;
    memset(k, 0, N * RMX__LANES * sizeof(double));
    for (size_t q = 0; q < here; q++) {
      rmx__process_warp(r, X + (first + q) * D, z, 1);
      variance[q] = covariances(r, z, m, k + q);
    }
    rmx__solve_lanes(r->L, N, k);
    for (size_t q = 0; q < here; q++) {
      for (size_t i = 0; i < N; i++) variance[q] -= k[i * RMX__LANES + q] * k[i * RMX__LANES + q];
      sd[first + q] = r->unit * sqrt(fmax(variance[q], 0));
    }
  }
}

static bool evaluate(const void *state, const double *w, double *mean, double *g) {
  const gp *r = state;
  size_t F = r->F;
  RMX_OWNED double *z = rmx_calloc(F * (2 + RMX__LANES), sizeof(double));
  double clip_slope, *slope = z + F;
  if (!z) return false;
  rmx__process_warp(r, w, z, 1);
  double curved =
      rmx__matern_slope(r->packed, packed_alpha(r), RMX__BLOCKS(r->N), F, z, z + 2 * F, slope);
  *mean = rmx__soft_clip(r->seen, mean_at(r, z, 1, curved), &clip_slope);
  for (size_t k = 0; k < F; k++)
    slope[k] = (r->signal * slope[k] + r->linear * r->by_feature[k]) * clip_slope * r->unit;
  rmx__process_slope(r, w, slope);
  memcpy(g, slope, r->D * sizeof(double));
  return true;
}

static bool gradient(const void *state, const double *w, double *g) {
  double mean;
  return evaluate(state, w, &mean, g);
}

// ---- its file ----

static json_t *to_json(const void *state) {
  const gp *r = state;
  size_t F = r->F, N = r->N;
  json_t *o =
      json_pack("{s:o, s:i, s:f, s:f, s:[f, f], s:o, s:f, s:f, s:f, s:o, s:o, s:o, s:o, s:o}",
                "domains", rmx__domains_json(r->names, r->D), "runs", (int)N, "shift", r->shift,
                "scale", r->unit, "seen", r->seen[0], r->seen[1], "leave_one_out_rmse",
                isnan(r->leave_one_out) ? json_null() : json_real(r->leave_one_out), "log_signal",
                r->theta[GP_SIGNAL], "log_linear", r->theta[GP_LINEAR], "log_noise",
                r->theta[GP_NOISE], "log_length", rmx__numbers_json(r->theta + GP_LENGTH, F),
                "log_eps", rmx__numbers_json(r->theta + GP_EPS(F), F), "alpha",
                rmx__numbers_json(r->alpha, N), "row_weights", rmx__numbers_json(r->weight, N),
                "mixtures", rmx__numbers_json(r->X, N * r->D));
  if (!o || !(r->amplitude > 0)) return o;
  if (json_object_set_new(o, "amplitude", json_real(r->amplitude)) == 0 &&
      json_object_set_new(o, "totals", rmx__features_json(&r->features)) == 0)
    return o;
  json_decref(o);
  return NULL;
}

static rmx_status from_json(const json_t *o, const char *path, void **state, size_t *n_domains,
                            rmx_err *err) {
  size_t F = json_array_size(json_object_get(o, "log_length")),
         N = json_array_size(json_object_get(o, "alpha"));
  if (F == 0 || N == 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: \"log_length\" (one for each feature) or \"alpha\" (one for each run) is "
                    "missing",
                    path);
  RMX_OWNED_BY(rmx__features_release) rmx__features features = {0};
  RMX_TRY(rmx__features_read(json_object_get(o, "totals"), F, path, &features, err));
  size_t D = features.D;
  if (json_array_size(json_object_get(o, "mixtures")) != N * D)
    return rmx_fail(err, RMX_EINPUT, "%s: \"mixtures\" must be a list of %zu numbers", path, N * D);
  gp *r = *state = make(N, &features);
  *n_domains = D;
  RMX_OWNED double *y = rmx_calloc(N, sizeof(double)), *alpha = rmx_calloc(N, sizeof(double));
  if (!r || !y || !alpha) return rmx_fail_memory(err, N * N * sizeof(double), "a Gaussian process");
  const struct {
    const char *key;
    double *at;
  } numbers[] = {
      {"shift", &r->shift},
      {"scale", &r->unit},
      // "log_ripple": its name in files of 0.1.0
      {json_object_get(o, "log_ripple") ? "log_ripple" : "log_signal", &r->theta[GP_SIGNAL]},
      {"log_linear", &r->theta[GP_LINEAR]},
      {"log_noise", &r->theta[GP_NOISE]}};
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
    RMX_TRY(rmx__json_number(o, numbers[i].key, numbers[i].at, path, err));
  r->leave_one_out = NAN;
  if (!json_is_null(json_object_get(o, "leave_one_out_rmse")))
    RMX_TRY(rmx__json_number(o, "leave_one_out_rmse", &r->leave_one_out, path, err));
  RMX_TRY(rmx__json_numbers(o, "seen", r->seen, 2, path, err));
  RMX_TRY(rmx__json_numbers(o, "log_length", r->theta + GP_LENGTH, F, path, err));
  RMX_TRY(rmx__json_numbers(o, "log_eps", r->theta + GP_EPS(F), F, path, err));
  RMX_TRY(rmx__json_numbers(o, "alpha", alpha, N, path, err));
  RMX_TRY(rmx__json_numbers(o, "row_weights", r->weight, N, path, err));
  RMX_TRY(rmx__json_numbers(o, "mixtures", r->X, N * D, path, err));
  fill_features(r);
  if (json_object_get(o, "amplitude")) {
    RMX_TRY(rmx__json_number(o, "amplitude", &r->amplitude, path, err));
    if (!(r->amplitude > 0))
      return rmx_fail(err, RMX_EINPUT, "%s: \"amplitude\" is %g: it must be above 0", path,
                      r->amplitude);
  }
  RMX_TRY(rmx__domains_read(o, D, path, &r->names, err));
  for (size_t i = 0; i < N; i++)
    if (!(r->weight[i] > 0))
      return rmx_fail(err, RMX_EINPUT, "%s: item %zu of \"row_weights\" must be above 0", path, i);
  RMX_TRY(rmx__blas_ready(err));
  if (finish(r, y, NULL, err) != RMX_OK) return rmx_fail_in(err, "%s", path);
  memcpy(r->alpha, alpha, N * sizeof(double));
  sum_alpha(r);
  return RMX_OK;
}

const rmx__regressor_kind rmx__gp = {
    .name = "gp",
    .help = "Gaussian process on warped weights, with a standard deviation",
    .extension = "json",
    .fit = fit,
    .refit = refit,
    .again = again,
    .predict = predict,
    .gradient = gradient,
    .evaluate = evaluate,
    .to_json = to_json,
    .from_json = from_json,
    .release = release,
};
