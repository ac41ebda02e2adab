// SPDX-License-Identifier: Apache-2.0
// Power law + linear, the shape that losses take over mixtures (after the mixing laws of Ye et al.
// 2024 and the data scaling laws of Hestness et al. 2017):
//   L(w) = E + exp(a) D(w)^(-b) + v.w,   D(w) = exp(t0) + sum_j exp(tau_j) (w_j + 1e-4)^(g_j),
// D is the data that counts for the metric: a domain adds to it exp(tau_j), with falling returns
// where g_j < 1. On y scaled to unit sd and least value 0, by penalised least squares
// (marquardt.c); the penalty's strength is the one of eight that cross-validation inside the runs
// finds best, each fold fitted from the strongest on, every fit starting at the one before.
// Own-domain form: tau's centre is +1, not -1, for the domain that the metric measures.
//
// Predictions far beyond what was seen are bent over (bend.c).
//
// Cost: 41 fits of about ten O(N D^2) steps; a prediction is 2 D calls of exp and log.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "marquardt.h"
#include "matern.h"
#include "regressor.h"

enum { FOLDS = 5, N_STRENGTHS = 8 };
static const double strengths[N_STRENGTHS] = {1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5};
static const double FLOOR = 1e-4;

// Where each parameter stands in p.
enum { AT_E, AT_A, AT_LOG_B, AT_T0, AT_TAU };
#define AT_LOG_G(D) (AT_TAU + (D))
#define AT_V(D) (AT_TAU + 2 * (D))
#define N_PARAMETERS(D) (AT_TAU + 3 * (D))

typedef struct power {
  size_t D;
  double *p;  // (4 + 3 D)
  double *g;  // (D) the powers: exp of log_g
  double strength, shift, scale;
  double seen[2];  // least and greatest value
  char **names;    // (D) or NULL
} power;

static void release(void *state) {
  power *r = state;
  if (r == NULL) return;
  rmx__domains_free(r->names, r->D);
  free(r->p);
  free(r->g);
  free(r);
}

static power *make(size_t D) {
  power *r = rmx_calloc(1, sizeof(*r));
  if (r == NULL) return NULL;
  r->D = D;
  r->p = rmx_calloc(N_PARAMETERS(D), sizeof(double));
  r->g = rmx_calloc(D, sizeof(double));
  if (r->p && r->g) return r;
  release(r);
  return NULL;
}

// ---- fitting ----

typedef struct runs {
  size_t N, D;
  const double *w;  // (N, D)
  double *log_w;    // (N, D) log(w + FLOOR)
  double *g;        // (D) scratch
} runs;

static void evaluate(void *context, const double *p, double *f, double *J) {
  const runs *r = context;
  size_t D = r->D, P = N_PARAMETERS(D);
  double b = exp(p[AT_LOG_B]), at_rest = exp(p[AT_T0]);
  for (size_t j = 0; j < D; j++) r->g[j] = exp(p[AT_LOG_G(D) + j]);
  for (size_t i = 0; i < r->N; i++) {
    const double *w = r->w + i * D, *log_w = r->log_w + i * D;
    double *row = J + i * P, data = at_rest, linear = 0;
    for (size_t j = 0; j < D; j++) row[AT_TAU + j] = p[AT_TAU + j] + r->g[j] * log_w[j];
    rmx__exp_many(row + AT_TAU, D, row + AT_TAU);
    for (size_t j = 0; j < D; j++) {
      double g = r->g[j], u = row[AT_TAU + j];
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

static rmx_status curve_of(const power *r, const rmx_dataset *data, bool own, rmx_arena *arena,
                           rmx__curve *c, rmx_err *err) {
  size_t N = data->N, D = data->D;
  RMX_TRY(rmx__curve_make(c, N, N_PARAMETERS(D), arena, err));
  runs *x = rmx_arena_alloc(arena, 1, sizeof(*x));
  double *log_w = rmx_arena_alloc(arena, N * D, sizeof(double)),
         *g = rmx_arena_alloc(arena, D, sizeof(double));
  if (!x || !log_w || !g) return rmx_fail_memory(err, N * D * sizeof(double), "a power law");
  *x = (runs){N, D, data->X, log_w, g};
  for (size_t i = 0; i < N * D; i++) log_w[i] = log(fmax(data->X[i], 0) + FLOOR);
  for (size_t i = 0; i < N; i++) {
    c->y[i] = (data->y[i] - r->shift) / r->scale;
    if (data->row_weights) c->weight[i] = data->row_weights[i];
  }
  c->evaluate = evaluate;
  c->context = x;
  // E against v on sum w = 1, and a against t0 and tau, are told apart by these penalties alone.
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

// How near the minimum a fit is walked. That of each strength need not be reached, the last one is;
// a fit like many others, to folds or to runs as they might have been, is off by less than their
// noise where the sum falls by 1e-5 a step, which takes a third of the steps.
typedef enum care_taken { ON_THE_WAY, OF_MANY, LAST } care_taken;
static const double tolerances[] = {1e-4, 1e-5, 1e-7};
static const int most_steps[] = {30, 100, 200};

static rmx_status fit_at(rmx__curve *c, const rmx_power_options *o, const rmx_dataset *data,
                         double strength, care_taken care, double *p, rmx_err *err) {
  double tolerance = tolerances[care];
  int steps = most_steps[care];
  return o->robust ? rmx__marquardt_robust(c, strength, tolerance, steps, p, data->row_weights, err)
                   : rmx__marquardt(c, strength, tolerance, steps, p, err);
}

// g (D): the powers themselves, from their logarithms.
static void powers(size_t D, const double *p, double *g) {
  for (size_t j = 0; j < D; j++) g[j] = exp(p[AT_LOG_G(D) + j]);
}

static double law(const power *r, const double *p, const double *g, const double *w) {
  size_t D = r->D;
  double data = exp(p[AT_T0]), linear = 0;
  for (size_t j = 0; j < D; j++) {
    data += exp(p[AT_TAU + j] + g[j] * log(fmax(w[j], 0) + FLOOR));
    linear += p[AT_V(D) + j] * w[j];
  }
  return r->shift + r->scale * (p[AT_E] + exp(p[AT_A] - exp(p[AT_LOG_B]) * log(data)) + linear);
}

// The error of each strength on runs its fit has not seen: squared, or absolute where outliers are
// not to count.
static rmx_status cross_validate(power *r, const rmx_power_options *o, const rmx_dataset *data,
                                 uint64_t seed, double error[N_STRENGTHS], rmx_err *err) {
  size_t N = data->N;
  int *fold = rmx_calloc(N, sizeof(int));
  if (fold == NULL) return rmx_fail_memory(err, N * sizeof(int), "folds");
  rmx_status status = RMX_OK;
  rmx_arena arena = {0};
  size_t k = rmx_folds(data->groups, N, FOLDS, seed, fold);
  for (size_t f = 0; f < k && k > 1; f++) {
    rmx_dataset train;
    rmx__curve c = {0};
    rmx_arena_release(&arena);
    RMX_TRY_GOTO(rmx__without_fold(data, fold, (int)f, &arena, &train, err), done);
    RMX_TRY_GOTO(curve_of(r, &train, o->own, &arena, &c, err), done);
    double *p = rmx_arena_alloc(&arena, c.P, sizeof(double));
    if (p == NULL) {
      status = rmx_fail_memory(err, c.P * sizeof(double), "a power law");
      goto done;
    }
    memcpy(p, c.centre, c.P * sizeof(double));
    for (size_t s = 0; s < N_STRENGTHS; s++) {
      RMX_TRY_GOTO(fit_at(&c, o, &train, strengths[s], ON_THE_WAY, p, err), done);
      powers(data->D, p, r->g);
      for (size_t i = 0; i < N; i++) {
        if (fold[i] != (int)f) continue;
        double e = rmx__bend(r->seen, law(r, p, r->g, data->X + i * data->D), NULL) - data->y[i];
        error[s] += (data->row_weights ? data->row_weights[i] : 1) * (o->robust ? fabs(e) : e * e);
      }
    }
  }
done:
  rmx_arena_release(&arena);
  free(fold);
  return status;
}

// The law of `from` in the units of r, where the search for its own begins.
static void begin_at(power *r, const power *from) {
  double unit = from->scale / r->scale;
  size_t D = r->D;
  memcpy(r->p, from->p, N_PARAMETERS(D) * sizeof(double));
  r->p[AT_E] = (from->p[AT_E] * from->scale + from->shift - r->shift) / r->scale;
  r->p[AT_A] += log(unit);
  for (size_t j = 0; j < D; j++) r->p[AT_V(D) + j] *= unit;
}

// near: a fit to other runs, whose strength is kept and whose law is begun with; NULL: chosen, and
// begun with the strongest.
static rmx_status fit_with(const rmx_power_options *o, const rmx_dataset *data, uint64_t seed,
                           const power *near, void **state, rmx_err *err) {
  RMX_TRY(rmx__blas_ready(err));
  power *r = make(data->D);
  if (r == NULL) return rmx_fail_memory(err, data->D * 3 * sizeof(double), "a power law");
  rmx_arena arena = {0};
  rmx_status status = RMX_OK;
  rmx__curve c = {0};
  double error[N_STRENGTHS] = {0};
  RMX_TRY_GOTO(rmx__domains_copy(data->domains, data->D, &r->names, err), done);
  r->scale = rmx__spread(data, r->seen);
  r->shift = r->seen[0];
  if (r->scale == 0) {  // all the same: that is what is predicted
    r->strength = strengths[0];
    goto done;
  }
  bool warm = near && near->scale > 0;
  if (warm) {
    r->strength = near->strength;
  } else {
    RMX_TRY_GOTO(cross_validate(r, o, data, seed, error, err), done);
    size_t best = 0;
    for (size_t s = 1; s < N_STRENGTHS; s++)
      if (error[s] < error[best]) best = s;
    r->strength = strengths[best];
  }
  RMX_TRY_GOTO(curve_of(r, data, o->own, &arena, &c, err), done);
  if (warm)
    begin_at(r, near);
  else
    memcpy(r->p, c.centre, c.P * sizeof(double));
  for (size_t s = 0; s < N_STRENGTHS && strengths[s] > r->strength && !warm; s++)
    RMX_TRY_GOTO(fit_at(&c, o, data, strengths[s], ON_THE_WAY, r->p, err), done);
  RMX_TRY_GOTO(fit_at(&c, o, data, r->strength, warm ? OF_MANY : LAST, r->p, err), done);
done:
  rmx_arena_release(&arena);
  if (status != RMX_OK) {
    release(r);
    return status;
  }
  powers(r->D, r->p, r->g);
  *state = r;
  return RMX_OK;
}

static rmx_status fit(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                      const rmx_listener *listener, void **state, rmx_err *err) {
  (void)listener;
  return fit_with(&options->power, data, seed, NULL, state, err);
}

static rmx_status refit(const rmx_regress_options *options, const void *state,
                        const rmx_dataset *data, uint64_t seed, void **out, rmx_err *err) {
  return fit_with(&options->power, data, seed, state, out, err);
}

// ---- use ----

static void predict(const void *state, const double *X, size_t n, double *mean, double *sd) {
  const power *r = state;
  for (size_t i = 0; i < n; i++) {
    mean[i] = rmx__bend(r->seen, law(r, r->p, r->g, X + i * r->D), NULL);
    if (sd) sd[i] = NAN;
  }
}

static bool evaluate_at(const void *state, const double *w, double *mean, double *g) {
  const power *r = state;
  size_t D = r->D;
  const double *p = r->p;
  double b = exp(p[AT_LOG_B]), data = exp(p[AT_T0]);
  for (size_t j = 0; j < D; j++) {
    double x = fmax(w[j], 0) + FLOOR, power_j = r->g[j], u = exp(p[AT_TAU + j] + power_j * log(x));
    data += u;
    g[j] = u * power_j / x;
  }
  double slope = -b * exp(p[AT_A] - b * log(data)) / data;
  double bent, linear = 0;
  for (size_t j = 0; j < D; j++) linear += p[AT_V(D) + j] * w[j];
  *mean = rmx__bend(r->seen,
                    r->shift + r->scale * (p[AT_E] + exp(p[AT_A] - b * log(data)) + linear), &bent);
  bent *= r->scale;
  for (size_t j = 0; j < D; j++) g[j] = bent * (slope * g[j] + p[AT_V(D) + j]);
  return true;
}

static bool gradient(const void *state, const double *w, double *g) {
  double mean;
  return evaluate_at(state, w, &mean, g);
}

static double law_at(const void *state, const double *w) {
  const power *r = state;
  return law(r, r->p, r->g, w);
}

// D(w) is concave where every g_j <= 1, and then D^(-b) is convex.
static bool convex(const void *state, double sign, double *below) {
  const power *r = state;
  bool yes = sign > 0;
  for (size_t j = 0; j < r->D; j++) yes = yes && r->g[j] <= 1;
  return yes && rmx__bend_convex(r->seen, law_at, r, r->D, below);
}

// ---- its file ----

static json_t *to_json(const void *state) {
  const power *r = state;
  size_t D = r->D;
  return json_pack(
      "{s:o, s:f, s:f, s:f, s:[f, f], s:f, s:f, s:f, s:f, s:o, s:o, s:o}", "domains",
      rmx__domains_json(r->names, D), "strength", r->strength, "shift", r->shift, "scale", r->scale,
      "seen", r->seen[0], r->seen[1], "E", r->p[AT_E], "a", r->p[AT_A], "log_b", r->p[AT_LOG_B],
      "t0", r->p[AT_T0], "tau", rmx__numbers_json(r->p + AT_TAU, D), "log_g",
      rmx__numbers_json(r->p + AT_LOG_G(D), D), "v", rmx__numbers_json(r->p + AT_V(D), D));
}

static rmx_status from_json(const json_t *o, const char *path, void **state, size_t *D,
                            rmx_err *err) {
  rmx_status status = RMX_OK;
  size_t n = json_array_size(json_object_get(o, "tau"));
  if (n == 0)
    return rmx_fail(err, RMX_EINPUT, "%s: \"tau\" must be a list of numbers, one a domain", path);
  power *r = make(n);
  if (r == NULL) return rmx_fail_memory(err, n * 3 * sizeof(double), "a power law");
  const struct {
    const char *key;
    double *at;
  } numbers[] = {{"strength", &r->strength}, {"shift", &r->shift}, {"scale", &r->scale},
                 {"E", &r->p[AT_E]},         {"a", &r->p[AT_A]},   {"log_b", &r->p[AT_LOG_B]},
                 {"t0", &r->p[AT_T0]}};
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
    RMX_TRY_GOTO(rmx__json_number(o, numbers[i].key, numbers[i].at, path, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "seen", r->seen, 2, path, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "tau", r->p + AT_TAU, n, path, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "log_g", r->p + AT_LOG_G(n), n, path, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "v", r->p + AT_V(n), n, path, err), done);
  RMX_TRY_GOTO(rmx__domains_read(o, n, path, &r->names, err), done);
done:
  if (status != RMX_OK) {
    release(r);
    return status;
  }
  powers(n, r->p, r->g);
  *state = r;
  *D = n;
  return RMX_OK;
}

const rmx__regressor_kind rmx__power = {
    .name = "power",
    .help = "power law of the data that counts, plus linear",
    .extension = "json",
    .fit = fit,
    .refit = refit,
    .predict = predict,
    .gradient = gradient,
    .evaluate = evaluate_at,
    .convex = convex,
    .to_json = to_json,
    .from_json = from_json,
    .release = release,
};
