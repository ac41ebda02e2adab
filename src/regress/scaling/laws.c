// SPDX-License-Identifier: Apache-2.0
// Scaling laws of mixture, size and tokens (Shukor et al. 2025, "Scaling Laws for Optimal Data
// Mixtures"), for comparison with scaling.c:
//   L(w, N, D) = E + 1 / sum_j C_j (w_j + .001)^g_j + A(w) (N/N0)^-a + B(w) (D/D0)^-b.
// additive-law: A and B are constants. full-law: A = exp(p + q.w), and B in the same way, where the
// paper has powers of linear functions of w. Both are positive and have a parameter for each
// domain.
// A score, which rises with size and tokens, is fitted upside down.
// Penalised least squares to y with a standard deviation of 1 and a min of 0, strength .1, with
// these centres and scales: E: -1, .1; log a: log .3, 3; log b: log .4, 3; log A, log B: 0, .3;
// log C: 0, 1; log g: log .5, 2; q: 0, 1. The first part of a training counts as little as
// effects.h says. The standard deviation is a rule of thumb from the residuals r of the runs,
// 1.2 rms(r) (1 + x / 2 + x^2 / 2), x the distance of scaling.c.
//
// Cost: about fifty O(N P^2) steps of P = 2 D + 5 or 4 D + 5 parameters; O(D) for a mean.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "effects.h"
#include "regress/json_lists.h"
#include "regress/laws/marquardt.h"
#include "regress/registry.h"

enum { AT_E, AT_LOG_a, AT_LOG_b, AT_LOG_A, AT_LOG_B, AT_LOG_C, STEPS = 60 };
#define AT_LOG_G(D) (AT_LOG_C + (D))
#define AT_QA(D) (AT_LOG_C + 2 * (D))
#define AT_QB(D) (AT_LOG_C + 3 * (D))
static const double FLOOR = 1e-3, STRENGTH = 0.1, TOLERANCE = 1e-5;
// Of doubt(). The differences between mixtures change by .08 to .2 of their standard deviation for
// each factor of e in size (medians over the metrics of three public sets of swarms).
static const double WRONG_HERE = 0.075, AWAY_FULL = 0.1, AWAY_ADDITIVE = 0.15;

struct law {
  size_t D, P;
  bool full;
  double *p;            // (P)
  double shift, scale;  // the metric is shift + scale * y; of a score scale is below 0
  double rms;           // of the residuals of y
  rmx_scale middle, largest, at;
  char **names;  // (D) or NULL
};

static void release(void *state) {
  struct law *l = state;
  if (!l) return;
  rmx__domains_free(l->names, l->D);
  free(l->p);
  free(l);
}

static struct law *make(size_t D, bool full) {
  struct law *l = rmx_calloc(1, sizeof *l);
  if (!l) return NULL;
  *l = (struct law){.D = D, .P = AT_LOG_C + (full ? 4 : 2) * D, .full = full};
  if ((l->p = rmx_calloc(l->P, sizeof(double)))) return l;
  free(l);
  return NULL;
}

// y at w and a scale; its slopes by p into J (P) and by w into g (D), unless they are NULL.
static double value(const struct law *l, const double *p, const double *w, rmx_scale at, double *J,
                    double *g) {
  const size_t D = l->D;
  const double a = exp(p[AT_LOG_a]), b = exp(p[AT_LOG_b]);
  const double size = log(at.size / l->middle.size), tokens = log(at.tokens / l->middle.tokens);
  const double A = exp(p[AT_LOG_A] + (l->full ? rmx__dot(p + AT_QA(D), w, D) : 0) - a * size),
               B = exp(p[AT_LOG_B] + (l->full ? rmx__dot(p + AT_QB(D), w, D) : 0) - b * tokens);
  double data = 0;
  for (size_t d = 0; d < D; d++)
    data += exp(p[AT_LOG_C + d] + exp(p[AT_LOG_G(D) + d]) * log(fmax(w[d], 0) + FLOOR));
  if (J) {
    J[AT_E] = 1;
    J[AT_LOG_a] = -a * size * A;
    J[AT_LOG_b] = -b * tokens * B;
    J[AT_LOG_A] = A;
    J[AT_LOG_B] = B;
  }
  for (size_t d = 0; d < D; d++) {
    const double log_w = log(fmax(w[d], 0) + FLOOR), power = exp(p[AT_LOG_G(D) + d]);
    const double part = exp(p[AT_LOG_C + d] + power * log_w), slope = -part / (data * data);
    if (J) {
      J[AT_LOG_C + d] = slope;
      J[AT_LOG_G(D) + d] = slope * power * log_w;
      if (l->full) J[AT_QA(D) + d] = A * w[d];
      if (l->full) J[AT_QB(D) + d] = B * w[d];
    }
    if (g) {
      g[d] = slope * power / (fmax(w[d], 0) + FLOOR);
      if (l->full) g[d] += A * p[AT_QA(D) + d] + B * p[AT_QB(D) + d];
    }
  }
  return p[AT_E] + 1 / data + A + B;
}

struct runs {  // the context of a curve
  const struct law *law;
  const rmx_dataset *data;
  const rmx_scale *at;
};

static void evaluate_runs(void *context, const double *p, double *f, double *J) {
  const struct runs *r = context;
  for (size_t i = 0; i < r->data->N; i++)
    f[i] = value(r->law, p, r->data->X + i * r->law->D, r->at[i], J + i * r->law->P, NULL);
}

static void set_penalties(const struct law *l, rmx__curve *c) {
  static const double centre[] = {-1, -1.204, -0.916, 0, 0}, scale[] = {0.1, 3, 3, 0.3, 0.3};
  for (size_t k = 0; k < l->P; k++) {
    const bool power = k >= AT_LOG_G(l->D) && k < AT_QA(l->D);
    c->centre[k] = k < AT_LOG_C ? centre[k] : power ? log(0.5) : 0;
    c->stiffness[k] = k < AT_LOG_C ? scale[k] * scale[k] : power ? 4 : 1;
    if (power) c->low[k] = -3, c->high[k] = 1;
    if (k == AT_LOG_a || k == AT_LOG_b) c->low[k] = log(0.01), c->high[k] = log(3);
  }
}

// The units of y and of the scales.
static void take_units(struct law *l, const rmx_dataset *data, const rmx__grouped *g) {
  double best = INFINITY, mean = 0, square = 0, size = 0, tokens = 0;
  const double n = (double)data->N, side = data->higher_is_better ? -1 : 1;
  for (size_t i = 0; i < data->N; i++) {
    best = fmin(best, side * data->y[i]);
    mean += data->y[i] / n;
    size += log(g->at[i].size) / n;
    tokens += log(g->at[i].tokens) / n;
    l->largest.size = fmax(l->largest.size, g->at[i].size);
  }
  for (size_t i = 0; i < data->N; i++) {
    square += (data->y[i] - mean) * (data->y[i] - mean) / n;
    if (g->at[i].size == l->largest.size)
      l->largest.tokens = fmax(l->largest.tokens, g->at[i].tokens);
  }
  l->shift = side * best;
  l->scale = side * (square > 0 ? sqrt(square) : 1);
  l->middle = (rmx_scale){exp(size), exp(tokens)};
  l->at = l->largest;
}

static rmx_status fit_curve(struct law *l, const rmx_dataset *data, const struct law *near,
                            rmx_arena *arena, rmx_err *err) {
  rmx__grouped g;
  rmx__curve c;
  RMX_TRY(rmx__group_runs(data, arena, &g, err));
  take_units(l, data, &g);
  RMX_TRY(rmx__curve_make(&c, data->N, l->P, arena, err));
  struct runs runs = {l, data, g.at};
  c.evaluate = evaluate_runs;
  c.context = &runs;
  for (size_t i = 0; i < data->N; i++) {
    c.y[i] = (data->y[i] - l->shift) / l->scale;
    c.weight[i] = g.cells[g.cell[i]].weight > 0;
    if (data->row_weights) c.weight[i] *= data->row_weights[i];
  }
  set_penalties(l, &c);
  memcpy(l->p, near ? near->p : c.centre, l->P * sizeof(double));
  RMX_TRY(rmx__marquardt(&c, STRENGTH, TOLERANCE, STEPS, l->p, err));
  double square = 0, n = 0;
  for (size_t i = 0; i < data->N; i++) {
    const double *w = data->X + i * l->D, off = value(l, l->p, w, g.at[i], NULL, NULL) - c.y[i];
    square += c.weight[i] * off * off;
    n += c.weight[i];
  }
  l->rms = n > 0 ? sqrt(square / n) : 0;
  return RMX_OK;
}

static rmx_status fit_near(bool full, const rmx_dataset *data, const struct law *near, void **state,
                           rmx_err *err) {
  if (!data->scales)
    return rmx_fail(err, RMX_EINPUT,
                    "regressor \"%s-law\" needs the size or the tokens of each run: name their "
                    "columns with --size-column and --tokens-column",
                    full ? "full" : "additive");
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  struct law *l = make(data->D, full);
  rmx_status status = l ? rmx__domains_copy(data->domains, data->D, &l->names, err)
                        : rmx_fail_memory(err, data->D * sizeof(double), "a scaling law");
  if (status == RMX_OK) status = fit_curve(l, data, near, &arena, err);
  if (status != RMX_OK) {
    release(l);
    return status;
  }
  *state = l;
  return RMX_OK;
}

#define FIT(name, is_full)                                                                  \
  static rmx_status fit_##name(const rmx_regress_options *options, const rmx_dataset *data, \
                               uint64_t seed, const rmx_listener *listener, void **state,   \
                               rmx_err *err) {                                              \
    (void)options;                                                                          \
    (void)seed;                                                                             \
    (void)listener;                                                                         \
    return fit_near(is_full, data, NULL, state, err);                                       \
  }
FIT(additive, false)
FIT(full, true)

static rmx_status again(const rmx_regress_options *options, const void *state,
                        const rmx_dataset *data, uint64_t seed, void **out, rmx_err *err) {
  const struct law *near = state;
  (void)options;
  (void)seed;
  return fit_near(near->full, data, near, out, err);
}

// ---- use ----

static void set_scale(void *state, rmx_scale at) {
  struct law *l = state;
  l->at = (rmx_scale){at.size > 0 ? at.size : l->largest.size,
                      at.tokens > 0 ? at.tokens : l->largest.tokens};
}

static void predict(const void *state, const double *X, size_t n, double *mean, double *sd) {
  const struct law *l = state;
  const double x = hypot(fmax(log(l->at.size / l->largest.size), 0),
                         fmax(log(l->at.tokens / l->largest.tokens), 0));
  for (size_t i = 0; i < n; i++) {
    mean[i] = l->shift + l->scale * value(l, l->p, X + i * l->D, l->at, NULL, NULL);
    if (sd) sd[i] = 1.2 * fabs(l->scale) * l->rms * (1 + 0.5 * x + 0.5 * x * x);
  }
}

// The doubt about the differences between mixtures at another scale, in units of their standard
// deviation: that of scaling.c, and more for what the law cannot show. One law for all mixtures has
// the same best mixture at every scale; in the other the mixtures differ by smooth functions alone.
static double doubt(const void *state) {
  const struct law *l = state;
  const double by_size = fmax(log(l->at.size / l->largest.size), 0),
               by_tokens = fmax(log(l->at.tokens / l->largest.tokens), 0);
  return hypot(WRONG_HERE, (l->full ? AWAY_FULL : AWAY_ADDITIVE) * hypot(by_size, by_tokens));
}

static bool gradient(const void *state, const double *w, double *g) {
  const struct law *l = state;
  value(l, l->p, w, l->at, NULL, g);
  for (size_t d = 0; d < l->D; d++) g[d] *= l->scale;
  return true;
}

// ---- its file ----

static json_t *to_json(const void *state) {
  const struct law *l = state;
  return json_pack("{s:o, s:f, s:f, s:f, s:[f, f], s:[f, f], s:o}", "domains",
                   rmx__domains_json(l->names, l->D), "shift", l->shift, "scale", l->scale, "rms",
                   l->rms, "middle", l->middle.size, l->middle.tokens, "largest", l->largest.size,
                   l->largest.tokens, "parameters", rmx__numbers_json(l->p, l->P));
}

static rmx_status read_law(bool full, const json_t *o, const char *path, void **state, size_t *D,
                           rmx_err *err) {
  const size_t P = json_array_size(json_object_get(o, "parameters")), each = full ? 4 : 2;
  double pair[2];
  if (P <= AT_LOG_C || (P - AT_LOG_C) % each != 0)
    return rmx_fail(err, RMX_EINPUT, "%s: \"parameters\" must be a list of %d + %zu D numbers",
                    path, AT_LOG_C, each);
  struct law *l = *state = make((P - AT_LOG_C) / each, full);
  if (!l) return rmx_fail_memory(err, P * sizeof(double), "a scaling law");
  *D = l->D;
  RMX_TRY(rmx__json_number(o, "shift", &l->shift, path, err));
  RMX_TRY(rmx__json_number(o, "scale", &l->scale, path, err));
  RMX_TRY(rmx__json_number(o, "rms", &l->rms, path, err));
  RMX_TRY(rmx__json_numbers(o, "middle", pair, 2, path, err));
  l->middle = (rmx_scale){pair[0], pair[1]};
  RMX_TRY(rmx__json_numbers(o, "largest", pair, 2, path, err));
  l->largest = l->at = (rmx_scale){pair[0], pair[1]};
  if (!(l->middle.size > 0 && l->middle.tokens > 0 && l->largest.size > 0 && l->largest.tokens > 0))
    return rmx_fail(err, RMX_EINPUT, "%s: \"middle\" and \"largest\" must be positive", path);
  RMX_TRY(rmx__json_numbers(o, "parameters", l->p, P, path, err));
  return rmx__domains_read(o, l->D, path, &l->names, err);
}

static rmx_status read_additive(const json_t *o, const char *path, void **state, size_t *D,
                                rmx_err *err) {
  return read_law(false, o, path, state, D, err);
}

static rmx_status read_full(const json_t *o, const char *path, void **state, size_t *D,
                            rmx_err *err) {
  return read_law(true, o, path, state, D, err);
}

const rmx__regressor_kind rmx__additive_law = {
    .name = "additive-law",
    .help = "scaling law of mixture, size and tokens, each with a term of its own",
    .extension = "json",
    .fit = fit_additive,
    .again = again,
    .predict = predict,
    .gradient = gradient,
    .set_scale = set_scale,
    .doubt = doubt,
    .to_json = to_json,
    .from_json = read_additive,
    .release = release,
};

const rmx__regressor_kind rmx__full_law = {
    .name = "full-law",
    .help = "scaling law whose terms of size and tokens depend on the mixture",
    .extension = "json",
    .fit = fit_full,
    .again = again,
    .predict = predict,
    .gradient = gradient,
    .set_scale = set_scale,
    .doubt = doubt,
    .to_json = to_json,
    .from_json = read_full,
    .release = release,
};
