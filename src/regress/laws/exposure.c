// SPDX-License-Identifier: Apache-2.0
// The metric by epochs seen, for a large run that will repeat small domains. A run of B tokens on
// the mixture w sees domain j, which has n_j tokens, e_j = w_j B / n_j times:
//   y = c - sum_j a_j (1 - exp(-r_j s_j)) + sum_j p_j h(e_j / t_j),
//   s_j = u(e_j) n_j / B,  u(e) = e up to 1, then 1 + R_j (1 - exp(-(e - 1) / R_j)),
//   h(x) = log(1 + exp(4 (x - 1))) / 4,  p_j >= 0.
// u is the value of repeated tokens (Muennighoff et al. 2023, "Scaling data-constrained language
// models", eq. 5). R_j is theirs, 15.39, unless the runs repeat domain j and show another. So s is
// the share of the tokens as if none were repeated: w itself up to one epoch. The gain of a share
// saturates at the rate r_j. Beyond t_j epochs (about four, unless the runs say otherwise) a domain
// does harm that grows with the epochs: p_j for each further t_j.
//
// What carries over from runs of T tokens to a large run of B tokens? That the gain depends on
// shares is what every regression on proxy runs assumes. The cost of repetition depends on epochs.
// So a fit uses e_j = w_j T / n_j, and a prediction uses w_j B / n_j. Where no run repeated a
// domain, p_j stays 0 and R_j 15.39, so only u, which comes from the literature, describes
// repetition: it bounds what a small domain can give, but claims no harm.
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
#define AT_LOG_LASTING(D) (AT_A + 4 * (D))  // log R_j
#define N_PARAMETERS(D) (AT_A + 5 * (D))
static const char *const numbers[] = {"c"};
static const char *const vectors[] = {"a", "log_r", "p", "log_t", "log_lasting"};

struct exposure {
  struct rmx__law law;
  double *r, *t, *lasting;  // (D) exp of log_r, log_t and log_lasting
  double *tokens;           // (D) tokens that each domain has
  double budget;            // tokens of the run to be predicted
  double run_tokens;
};

// Sets the pointers into the memory that law.c made.
static struct exposure *with_pointers(struct rmx__law *l) {
  struct exposure *x = (struct exposure *)l;
  x->r = l->p + l->P;
  x->t = x->r + l->D;
  x->lasting = x->t + l->D;
  x->tokens = x->lasting + l->D;
  return x;
}

static void derive(struct rmx__law *l, const double *p) {
  struct exposure *x = (struct exposure *)l;
  for (size_t d = 0; d < l->D; d++) {
    x->r[d] = exp(p[AT_LOG_R(l->D) + d]);
    x->t[d] = exp(p[AT_LOG_T(l->D) + d]);
    x->lasting[d] = exp(p[AT_LOG_LASTING(l->D) + d]);
  }
}

// The share w as if nothing were repeated, where repetition lasts R epochs. slope, by_log_R: by the
// weight, and by the logarithm of R.
static double share(double w, double tokens, double budget, double R, double *slope,
                    double *by_log_R) {
  const double epochs = w * budget / tokens;
  *slope = 1;
  *by_log_R = 0;
  if (!(epochs > 1)) return w;
  const double again = epochs - 1, kept = exp(-again / R);
  *slope = kept;
  *by_log_R = (R * (1 - kept) - again * kept) * tokens / budget;
  return (1 + R * (1 - kept)) * tokens / budget;
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
    double v = fmax(w[d], 0), by_w, by_R,
           s = share(v, x->tokens[d], x->run_tokens, x->lasting[d], &by_w, &by_R),
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
  const double *epochs_of = runs->extra;
  derive(runs->law, p);
  for (size_t i = 0; i < runs->N; i++) {
    const double *w = runs->X + i * D, *e = epochs_of + i * D;
    double *row = J + i * P;
    f[i] = p[AT_C];
    row[AT_C] = 1;
    for (size_t d = 0; d < D; d++) {
      double by_w, by_R, slope, h = harm(e[d] / r->t[d], &slope), a = p[AT_A + d];
      const double s = share(fmax(w[d], 0), r->tokens[d], r->run_tokens, r->lasting[d], &by_w,
                             &by_R),
                   left = exp(-r->r[d] * s);
      f[i] += a * (left - 1) + p[AT_P(D) + d] * h;
      row[AT_A + d] = left - 1;
      row[AT_LOG_R(D) + d] = -a * r->r[d] * s * left;
      row[AT_P(D) + d] = h;
      row[AT_LOG_T(D) + d] = -p[AT_P(D) + d] * slope * e[d] / r->t[d];
      row[AT_LOG_LASTING(D) + d] = -a * r->r[d] * left * by_R;
    }
  }
}

static rmx_status curve(struct rmx__law_runs *runs, const rmx_dataset *data, rmx_arena *arena,
                        rmx__curve *c, rmx_err *err) {
  const struct exposure *r = (const struct exposure *)runs->law;
  size_t N = data->N, D = data->D;
  double *e = runs->extra = rmx_arena_alloc(arena, N * D, sizeof *e), mean = 0;
  if (!e) return rmx_fail_memory(err, N * D * sizeof *e, "an exposure law");
  for (size_t i = 0; i < N * D; i++) e[i] = fmax(data->X[i], 0) * r->run_tokens / r->tokens[i % D];
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
    c->centre[AT_LOG_LASTING(D) + d] = log(LASTING);
    c->stiffness[AT_LOG_LASTING(D) + d] = 4;
    c->low[AT_LOG_LASTING(D) + d] = log(0.25);
    c->high[AT_LOG_LASTING(D) + d] = log(1000);
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
    double by_w, by_R, slope, x = fmax(w[d], 0),
                              s = share(x, r->tokens[d], r->budget, r->lasting[d], &by_w, &by_R);
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
    .extra = 4,
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
    .harms = true,
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

// Files of older versions have no R_j of their own.
static json_t *with_lasting(const json_t *o) {
  json_t *all = json_copy((json_t *)o);
  if (!all || json_object_get(all, "log_lasting")) return all;
  json_t *list = json_array();
  for (size_t d = 0; d < json_array_size(json_object_get(o, "a")); d++)
    json_array_append_new(list, json_real(log(LASTING)));
  json_object_set_new(all, "log_lasting", list);
  return all;
}

static rmx_status from_json(const json_t *file, const char *path, void **state, size_t *D,
                            rmx_err *err) {
  json_auto_t *o = with_lasting(file);
  if (!o) return rmx_fail_memory(err, 0, "an exposure law");
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
