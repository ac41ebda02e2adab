// SPDX-License-Identifier: Apache-2.0
// Power law + linear, the shape of losses over mixtures (after the mixing laws of Ye et al. 2024
// and the data scaling laws of Hestness et al. 2017):
//   L(w) = E + exp(a) D(w)^(-b) + v.w,   D(w) = exp(t0) + sum_j exp(tau_j) (w_j + 1e-4)^(g_j).
// D is the amount of data that counts for the metric. A domain adds exp(tau_j) to it, with
// diminishing returns where g_j < 1. It is fitted as law.c says. Own-domain form: the penalty
// centres tau at +1 for the domain that the metric measures, at -1 for all others.
//
// Cost: 41 fits of about ten O(N D^2) steps; a prediction calls exp and log 2 D times.

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "law.h"
#include "regress/gp/matern.h"
#include "regress/registry.h"
#include "regress/soft_clip.h"

enum { N_STRENGTHS = 8 };
static const double strengths[N_STRENGTHS] = {1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5};
static const double FLOOR = 1e-4;

// Positions of the parameters in p.
enum { AT_E, AT_A, AT_LOG_B, AT_T0, AT_TAU };
#define AT_LOG_G(D) (AT_TAU + (D))
#define AT_V(D) (AT_TAU + 2 * (D))
#define N_PARAMETERS(D) (AT_TAU + 3 * (D))
static const char *const numbers[] = {"E", "a", "log_b", "t0"};
static const char *const vectors[] = {"tau", "log_g", "v"};

struct power {
  struct rmx__law law;
  bool own;
};

// The powers g (D): exp of log_g.
static double *powers(const struct rmx__law *l) {
  return l->p + l->P;
}

static void derive(struct rmx__law *l, const double *p) {
  for (size_t j = 0; j < l->D; j++) powers(l)[j] = exp(p[AT_LOG_G(l->D) + j]);
}

static void evaluate(void *context, const double *p, double *f, double *J) {
  const struct rmx__law_runs *r = context;
  size_t D = r->law->D, P = r->law->P;
  double b = exp(p[AT_LOG_B]), at_rest = exp(p[AT_T0]);
  const double *g_of = powers(r->law);
  derive(r->law, p);
  for (size_t i = 0; i < r->N; i++) {
    const double *w = r->X + i * D, *log_w = r->extra + i * D;
    double *row = J + i * P, data = at_rest, linear = 0;
    for (size_t j = 0; j < D; j++) row[AT_TAU + j] = p[AT_TAU + j] + g_of[j] * log_w[j];
    rmx__exp_many(row + AT_TAU, D, row + AT_TAU);
    for (size_t j = 0; j < D; j++) {
      double g = g_of[j], u = row[AT_TAU + j];
      row[AT_TAU + j] = u;
      row[AT_LOG_G(D) + j] = u * g * log_w[j];
      row[AT_V(D) + j] = w[j];
      data += u;
      linear += p[AT_V(D) + j] * w[j];
    }
    double log_data = log(data), law = exp(p[AT_A] - b * log_data), slope = -b * law / data;
    f[i] = p[AT_E] + law + linear;
    row[AT_E] = 1;
    row[AT_A] = law;
    row[AT_LOG_B] = -b * law * log_data;
    row[AT_T0] = slope * at_rest;
    for (size_t k = AT_TAU; k < AT_V(D); k++) row[k] *= slope;
  }
}

static rmx_status curve(struct rmx__law_runs *runs, const rmx_dataset *data, rmx_arena *arena,
                        rmx__curve *c, rmx_err *err) {
  size_t N = data->N, D = data->D;
  bool own = ((const struct power *)runs->law)->own;
  double *log_w = runs->extra = rmx_arena_alloc(arena, N * D, sizeof *log_w);
  if (!log_w) return rmx_fail_memory(err, N * D * sizeof *log_w, "a power law");
  for (size_t i = 0; i < N * D; i++) log_w[i] = log(fmax(data->X[i], 0) + FLOOR);
  c->evaluate = evaluate;
  // Since sum w = 1, only these penalties separate E from v, and a from t0 and tau.
  const double centre[] = {-1, 0, log(0.5), -1}, scale[] = {.1, .1, .3, .3};
  for (size_t k = 0; k < AT_TAU; k++) {
    c->centre[k] = centre[k];
    c->stiffness[k] = scale[k] * scale[k];
  }
  for (size_t j = 0; j < D; j++) {
    c->centre[AT_TAU + j] = own && data->own_domain == (int)j ? 1 : -1;
    c->stiffness[AT_TAU + j] = 1;
    c->centre[AT_LOG_G(D) + j] = log(0.5);
    c->stiffness[AT_LOG_G(D) + j] = 4;
    c->low[AT_LOG_G(D) + j] = -3;
    c->high[AT_LOG_G(D) + j] = 1;
    c->stiffness[AT_V(D) + j] = 9;
  }
  return RMX_OK;
}

static double at(const struct rmx__law *l, const double *p, const double *w) {
  size_t D = l->D;
  const double *g = powers(l);
  double data = exp(p[AT_T0]), linear = 0;
  for (size_t j = 0; j < D; j++) {
    data += exp(p[AT_TAU + j] + g[j] * log(fmax(w[j], 0) + FLOOR));
    linear += p[AT_V(D) + j] * w[j];
  }
  return l->shift + l->scale * (p[AT_E] + exp(p[AT_A] - exp(p[AT_LOG_B]) * log(data)) + linear);
}

static void begin_at(struct rmx__law *l, const struct rmx__law *near) {
  double unit = near->scale / l->scale;
  size_t D = l->D;
  memcpy(l->p, near->p, N_PARAMETERS(D) * sizeof *l->p);
  l->p[AT_E] = (near->p[AT_E] * near->scale + near->shift - l->shift) / l->scale;
  l->p[AT_A] += log(unit);
  for (size_t j = 0; j < D; j++) l->p[AT_V(D) + j] *= unit;
}

static const struct rmx__law_type law = {
    .what = "a power law",
    .size = sizeof(struct power),
    .extra = 1,
    .strengths = strengths,
    .n_strengths = N_STRENGTHS,
    .on_the_way = {1e-4, 30},
    .last = {1e-7, 200},
    // A refit is one of many, to folds or to resampled runs. Where a step gains less than 1e-5 of
    // the sum its error is below their noise, and that takes a third of the steps.
    .warm = {1e-5, 100},
    .curve = curve,
    .begin_at = begin_at,
    .derive = derive,
    .at = at,
    .numbers = numbers,
    .vectors = vectors,
    .n_numbers = sizeof numbers / sizeof *numbers,
    .n_vectors = sizeof vectors / sizeof *vectors,
};

static rmx_status fit_from(const rmx_power_options *o, const void *near, const rmx_dataset *data,
                           uint64_t seed, void **state, rmx_err *err) {
  struct power *r = rmx__law_make(&law, data->D, N_PARAMETERS(data->D));
  if (!r) return rmx_fail_memory(err, data->D * 3 * sizeof(double), "a power law");
  r->own = o->own;
  r->law.robust = o->robust;
  return rmx__law_fit(&r->law, data, seed, near, state, err);
}

static rmx_status fit(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                      const rmx_listener *listener, void **state, rmx_err *err) {
  (void)listener;
  return fit_from(&options->power, NULL, data, seed, state, err);
}

static rmx_status refit(const rmx_regress_options *options, const void *state,
                        const rmx_dataset *data, uint64_t seed, void **out, rmx_err *err) {
  return fit_from(&options->power, state, data, seed, out, err);
}

static bool evaluate_at(const void *state, const double *w, double *mean, double *g) {
  const struct rmx__law *l = state;
  size_t D = l->D;
  const double *p = l->p;
  double b = exp(p[AT_LOG_B]), data = exp(p[AT_T0]);
  for (size_t j = 0; j < D; j++) {
    double x = fmax(w[j], 0) + FLOOR, power_j = powers(l)[j],
           u = exp(p[AT_TAU + j] + power_j * log(x));
    data += u;
    g[j] = u * power_j / x;
  }
  double slope = -b * exp(p[AT_A] - b * log(data)) / data;
  double clip_slope, linear = 0;
  for (size_t j = 0; j < D; j++) linear += p[AT_V(D) + j] * w[j];
  *mean = rmx__soft_clip(l->seen,
                         l->shift + l->scale * (p[AT_E] + exp(p[AT_A] - b * log(data)) + linear),
                         &clip_slope);
  clip_slope *= l->scale;
  for (size_t j = 0; j < D; j++) g[j] = clip_slope * (slope * g[j] + p[AT_V(D) + j]);
  return true;
}

static bool gradient(const void *state, const double *w, double *g) {
  double mean;
  return evaluate_at(state, w, &mean, g);
}

// D(w) is concave where every g_j <= 1, and then D^(-b) is convex.
static bool convex(const void *state, double sign, double *below) {
  const struct rmx__law *l = state;
  bool yes = sign > 0;
  for (size_t j = 0; j < l->D; j++) yes = yes && powers(l)[j] <= 1;
  return yes && rmx__law_convex(l, below);
}

static json_t *to_json(const void *state) {
  return rmx__law_json(state, NULL);
}

static rmx_status from_json(const json_t *o, const char *path, void **state, size_t *D,
                            rmx_err *err) {
  struct rmx__law *l;
  RMX_TRY(rmx__law_open(&law, o, path, &l, err));
  return rmx__law_read(l, o, path, state, D, err);
}

const rmx__regressor_kind rmx__power = {
    .name = "power",
    .help = "power law of the data that counts, plus linear",
    .extension = "json",
    .fit = fit,
    .refit = refit,
    .predict = rmx__law_predict,
    .gradient = gradient,
    .evaluate = evaluate_at,
    .convex = convex,
    .to_json = to_json,
    .from_json = from_json,
    .release = rmx__law_release,
};
