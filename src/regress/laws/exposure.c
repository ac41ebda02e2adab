// SPDX-License-Identifier: Apache-2.0
// The metric by epochs seen, for a large run that will repeat small domains. A run of B tokens on
// the mixture w sees domain j, which has n_j tokens, e_j = w_j B / n_j times:
//   y = c - sum_j a_j (1 - exp(-r_j s_j)) + sum_j p_j h(e_j / t_j),
//   s_j = u(e_j) n_j / B,  u(e) = e up to 1, then 1 + R (1 - exp(-(e - 1) / R)),  R = 15.39,
//   h(x) = log(1 + exp(4 (x - 1))) / 4,  p_j >= 0.
// u is the value of repeated tokens (Muennighoff et al. 2023, "Scaling data-constrained language
// models", eq. 5 and its fitted R*). So s is the share of the tokens as if none were repeated: w
// itself up to one epoch. The gain of a share saturates at the rate r_j. Beyond t_j epochs (about
// four, unless the runs say otherwise) a domain does harm that grows with the epochs: p_j for each
// further t_j.
//
// What carries over from runs of T tokens to a large run of B tokens? That the gain depends on
// shares is what every regression on proxy runs assumes. The cost of repetition depends on epochs.
// So a fit uses e_j = w_j T / n_j, and a prediction uses w_j B / n_j. Where no run repeated a
// domain, p_j stays 0 and only u, which comes from the literature, describes repetition: it bounds
// what a small domain can give, but claims no harm.
//
// It is fitted as law.c says. Cost: 31 fits of some O(N D^2) steps; a prediction calls exp up to
// 4 D times.

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "law.h"
#include "regress/json_lists.h"
#include "regress/registry.h"
#include "regress/soft_clip.h"

enum { N_STRENGTHS = 6 };
static const double strengths[N_STRENGTHS] = {1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5};
static const double LASTING = 15.39, STEEP = 4;

// Positions of the parameters in p.
enum { AT_C, AT_A };
#define AT_LOG_R(D) (AT_A + (D))
#define AT_P(D) (AT_A + 2 * (D))
#define AT_LOG_T(D) (AT_A + 3 * (D))
#define N_PARAMETERS(D) (AT_A + 4 * (D))
static const char *const numbers[] = {"c"};
static const char *const vectors[] = {"a", "log_r", "p", "log_t"};

struct exposure {
  struct rmx__law law;
  double *r, *t;   // (D) exp of log_r and log_t
  double *tokens;  // (D) tokens that each domain has
  double budget;   // tokens of the run to be predicted
  double run_tokens;
};

// Sets the pointers into the memory that law.c made.
static struct exposure *with_pointers(struct rmx__law *l) {
  struct exposure *x = (struct exposure *)l;
  x->r = l->p + l->P;
  x->t = x->r + l->D;
  x->tokens = x->t + l->D;
  return x;
}

static void derive(struct rmx__law *l, const double *p) {
  struct exposure *x = (struct exposure *)l;
  for (size_t d = 0; d < l->D; d++) {
    x->r[d] = exp(p[AT_LOG_R(l->D) + d]);
    x->t[d] = exp(p[AT_LOG_T(l->D) + d]);
  }
}

// The share as if nothing were repeated. slope: by the weight; may be NULL.
static double share(double w, double tokens, double budget, double *slope) {
  double epochs = w * budget / tokens;
  if (slope) *slope = 1;
  if (!(epochs > 1)) return w;
  double kept = exp(-(epochs - 1) / LASTING);
  if (slope) *slope = kept;
  return (1 + LASTING * (1 - kept)) * tokens / budget;
}

// h and its slope at x = e / t.
static double harm(double x, double *slope) {
  double z = STEEP * (x - 1), e = exp(-fabs(z));
  if (slope) *slope = (z > 0 ? 1 : e) / (1 + e);
  return (fmax(z, 0) + log1p(e)) / STEEP;
}

static double at(const struct rmx__law *l, const double *p, const double *w) {
  const struct exposure *x = (const struct exposure *)l;
  size_t D = l->D;
  double y = p[AT_C];
  for (size_t d = 0; d < D; d++) {
    double v = fmax(w[d], 0), s = share(v, x->tokens[d], x->run_tokens, NULL),
           e = v * x->run_tokens / x->tokens[d];
    y += p[AT_A + d] * expm1(-x->r[d] * s);
    if (p[AT_P(D) + d] > 0) y += p[AT_P(D) + d] * harm(e / x->t[d], NULL);
  }
  return l->shift + l->scale * y;
}

static void evaluate(void *context, const double *p, double *f, double *J) {
  const struct rmx__law_runs *runs = context;
  const struct exposure *r = (const struct exposure *)runs->law;
  size_t D = r->law.D, P = r->law.P;
  const double *share_of = runs->extra, *epochs_of = runs->extra + runs->N * D;
  derive(runs->law, p);
  for (size_t i = 0; i < runs->N; i++) {
    const double *s = share_of + i * D, *e = epochs_of + i * D;
    double *row = J + i * P;
    f[i] = p[AT_C];
    row[AT_C] = 1;
    for (size_t d = 0; d < D; d++) {
      double left = exp(-r->r[d] * s[d]), slope, h = harm(e[d] / r->t[d], &slope), a = p[AT_A + d];
      f[i] += a * (left - 1) + p[AT_P(D) + d] * h;
      row[AT_A + d] = left - 1;
      row[AT_LOG_R(D) + d] = -a * r->r[d] * s[d] * left;
      row[AT_P(D) + d] = h;
      row[AT_LOG_T(D) + d] = -p[AT_P(D) + d] * slope * e[d] / r->t[d];
    }
  }
}

static rmx_status curve(struct rmx__law_runs *runs, const rmx_dataset *data, rmx_arena *arena,
                        rmx__curve *c, rmx_err *err) {
  const struct exposure *r = (const struct exposure *)runs->law;
  size_t N = data->N, D = data->D;
  double *s = runs->extra = rmx_arena_alloc(arena, 2 * N * D, sizeof *s), *e = s + N * D, mean = 0;
  if (!s) return rmx_fail_memory(err, 2 * N * D * sizeof *s, "an exposure law");
  for (size_t i = 0; i < N * D; i++) {
    double w = fmax(data->X[i], 0), tokens = r->tokens[i % D];
    s[i] = share(w, tokens, r->run_tokens, NULL);
    e[i] = w * r->run_tokens / tokens;
  }
  c->evaluate = evaluate;
  for (size_t i = 0; i < N; i++) mean += c->y[i] / (double)N;
  c->centre[AT_C] = mean;
  c->stiffness[AT_C] = 0.01;
  for (size_t d = 0; d < D; d++) {
    c->centre[AT_A + d] = data->own_domain == (int)d ? 1 : 0;
    c->stiffness[AT_A + d] = 0.1;
    c->centre[AT_LOG_R(D) + d] = log(10);
    c->stiffness[AT_LOG_R(D) + d] = 1;
    c->low[AT_LOG_R(D) + d] = log(0.01);
    c->high[AT_LOG_R(D) + d] = log(1e4);
    c->stiffness[AT_P(D) + d] = 1;
    c->low[AT_P(D) + d] = 0;
    c->centre[AT_LOG_T(D) + d] = log(4);
    c->stiffness[AT_LOG_T(D) + d] = 4;
    c->low[AT_LOG_T(D) + d] = log(0.25);
    c->high[AT_LOG_T(D) + d] = log(256);
  }
  return RMX_OK;
}

// y before the clip, for the run to be predicted; its slope by w, without the scale, into gradient
// (D; may be NULL).
static double value(const struct exposure *r, const double *w, double *gradient) {
  size_t D = r->law.D;
  const double *p = r->law.p;
  double y = p[AT_C];
  for (size_t d = 0; d < D; d++) {
    double by_w, slope, x = fmax(w[d], 0), s = share(x, r->tokens[d], r->budget, &by_w);
    double per_w = r->budget / r->tokens[d] / r->t[d], h = harm(x * per_w, &slope);
    y += p[AT_A + d] * expm1(-r->r[d] * s) + p[AT_P(D) + d] * h;
    if (gradient)
      gradient[d] =
          -p[AT_A + d] * r->r[d] * exp(-r->r[d] * s) * by_w + p[AT_P(D) + d] * slope * per_w;
  }
  return r->law.shift + r->law.scale * y;
}

static double at_large(const struct rmx__law *l, const double *w) {
  return value((const struct exposure *)l, w, NULL);
}

static const struct rmx__law_type law = {
    .what = "an exposure law",
    .size = sizeof(struct exposure),
    .extra = 3,
    .strengths = strengths,
    .n_strengths = N_STRENGTHS,
    .on_the_way = {1e-4, 30},
    .last = {1e-8, 200},
    .curve = curve,
    .derive = derive,
    .at = at,
    .at_large = at_large,
    .numbers = numbers,
    .vectors = vectors,
    .n_numbers = sizeof numbers / sizeof *numbers,
    .n_vectors = sizeof vectors / sizeof *vectors,
};

static rmx_status check_exposure(const rmx_dataset *data, rmx_err *err) {
  if (!data->tokens || !(data->budget > 0))
    return rmx_fail(
        err, RMX_EINPUT,
        "regressor \"exposure\" must know %s%s%s: give --tokens FILE (domain: tokens) and --budget "
        "TOKENS, or fit an experiment, which has both (its corpus and large.tokens)",
        data->tokens ? "" : "how many tokens there are of each domain",
        !data->tokens && !(data->budget > 0) ? " and " : "",
        data->budget > 0 ? "" : "how many the large run will see");
  for (size_t d = 0; d < data->D; d++)
    if (!(data->tokens[d] > 0) || !isfinite(data->tokens[d]))
      return rmx_fail(err, RMX_EINPUT, "domain \"%s\" has %g tokens: exposure wants more than 0",
                      data->domains ? data->domains[d] : "", data->tokens[d]);
  if (!isfinite(data->budget) || !(data->run_tokens >= 0) || !isfinite(data->run_tokens))
    return rmx_fail(err, RMX_EINPUT,
                    "a budget of %g tokens, runs of %g: wanted finite numbers above 0",
                    data->budget, data->run_tokens);
  return RMX_OK;
}

static rmx_status fit_from(const void *near, const rmx_dataset *data, uint64_t seed, void **state,
                           rmx_err *err) {
  RMX_TRY(check_exposure(data, err));
  struct rmx__law *l = rmx__law_make(&law, data->D, N_PARAMETERS(data->D));
  if (!l) return rmx_fail_memory(err, 8 * data->D * sizeof(double), "an exposure law");
  struct exposure *r = with_pointers(l);
  memcpy(r->tokens, data->tokens, data->D * sizeof *r->tokens);
  r->budget = data->budget;
  r->run_tokens = data->run_tokens > 0 ? data->run_tokens : data->budget;
  return rmx__law_fit(l, data, seed, near, state, err);
}

static rmx_status fit(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                      const rmx_listener *listener, void **state, rmx_err *err) {
  (void)options, (void)listener;
  return fit_from(NULL, data, seed, state, err);
}

static rmx_status refit(const rmx_regress_options *options, const void *state,
                        const rmx_dataset *data, uint64_t seed, void **out, rmx_err *err) {
  (void)options;
  return fit_from(state, data, seed, out, err);
}

static bool gradient(const void *state, const double *w, double *g) {
  const struct rmx__law *l = state;
  double slope;
  rmx__soft_clip(l->seen, value(state, w, g), &slope);
  for (size_t d = 0; d < l->D; d++) g[d] *= slope * l->scale;
  return true;
}

static void set_budget(void *state, double tokens) {
  struct exposure *r = state;
  r->budget = tokens > 0 ? tokens : r->run_tokens;
}

static json_t *to_json(const void *state) {
  const struct exposure *r = state;
  return rmx__law_json(
      &r->law, json_pack("{s:o, s:f, s:f}", "tokens", rmx__numbers_json(r->tokens, r->law.D),
                         "budget", r->budget, "run_tokens", r->run_tokens));
}

static rmx_status from_json(const json_t *o, const char *path, void **state, size_t *D,
                            rmx_err *err) {
  struct rmx__law *l;
  RMX_TRY(rmx__law_open(&law, o, path, &l, err));
  *state = l;
  struct exposure *r = with_pointers(l);
  RMX_TRY(rmx__json_number(o, "budget", &r->budget, path, err));
  RMX_TRY(rmx__json_number(o, "run_tokens", &r->run_tokens, path, err));
  RMX_TRY(rmx__json_numbers(o, "tokens", r->tokens, l->D, path, err));
  RMX_TRY(rmx__law_read(l, o, path, state, D, err));
  bool sound = r->budget > 0 && r->run_tokens > 0;
  for (size_t d = 0; d < l->D; d++) sound &= r->tokens[d] > 0 && l->p[AT_P(l->D) + d] >= 0;
  if (sound) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s: \"budget\", \"run_tokens\" and \"tokens\" must be above 0, and \"p\" must "
                  "be 0 or more",
                  path);
}

const rmx__regressor_kind rmx__exposure = {
    .name = "exposure",
    .help =
        "by epochs seen: saturating gains, harm from repeating; wants token counts and a budget",
    .extension = "json",
    .fit = fit,
    .refit = refit,
    .predict = rmx__law_predict,
    .gradient = gradient,
    .set_budget = set_budget,
    .to_json = to_json,
    .from_json = from_json,
    .release = rmx__law_release,
};
