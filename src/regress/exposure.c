// SPDX-License-Identifier: Apache-2.0
// The metric by epochs seen, for a large run that will repeat small domains. A run of B tokens on
// the mixture w sees domain j, of which there are n_j tokens, e_j = w_j B / n_j times:
//   y = c - sum_j a_j (1 - exp(-r_j s_j)) + sum_j p_j h(e_j / t_j),
//   s_j = u(e_j) n_j / B,  u(e) = e up to 1, then 1 + R (1 - exp(-(e - 1) / R)),  R = 15.39,
//   h(x) = log(1 + exp(4 (x - 1))) / 4,  p_j >= 0.
// u is the worth of repeated tokens (Muennighoff et al. 2023, "Scaling data-constrained language
// models", eq. 5 and its fitted R*), so s is the share of the tokens as if none were repeated: w
// itself up to one epoch. The gain of a share saturates at the rate r_j; past t_j epochs (about
// four, until the runs say otherwise) a domain does harm that grows with the epochs, p_j for each
// further t_j.
//
// What carries over from runs of T tokens to a large run of B: that the gain goes by shares is what
// every regression of proxies assumes; what repetition costs goes by epochs. So a fit uses e_j =
// w_j T / n_j, a prediction w_j B / n_j. Where no run repeated a domain, p_j stays 0 and only u,
// the literature's, knows of repetition: it bounds what a small domain can give, but claims no
// harm.
//
// Least squares with penalties (marquardt.c) on y scaled to unit sd and least value 0; their
// strength is the one of six that cross-validation inside the runs finds best. Far predictions are
// bent over (bend.c).
//
// Cost: 31 fits of some O(N D^2) steps; a prediction is 4 D calls of exp at most.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "marquardt.h"
#include "regressor.h"

enum { FOLDS = 5, N_STRENGTHS = 6 };
static const double strengths[N_STRENGTHS] = {1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5};
static const double LASTING = 15.39, STEEP = 4;

// Where each parameter stands in p.
enum { AT_C, AT_A };
#define AT_LOG_R(D) (AT_A + (D))
#define AT_P(D) (AT_A + 2 * (D))
#define AT_LOG_T(D) (AT_A + 3 * (D))
#define N_PARAMETERS(D) (AT_A + 4 * (D))

typedef struct exposure {
  size_t D;
  double *p;       // (1 + 4 D)
  double *r, *t;   // (D) exp of log_r and log_t
  double *tokens;  // (D) there are
  double budget;   // tokens of the run that is predicted
  double run_tokens;
  double strength, shift, scale, seen[2];
  char **names;  // (D) or NULL
} exposure;

static void release(void *state) {
  exposure *r = state;
  if (r == NULL) return;
  rmx__domains_free(r->names, r->D);
  free(r->p);
  free(r);
}

static exposure *make(size_t D) {
  exposure *r = rmx_calloc(1, sizeof(*r));
  if (r == NULL) return NULL;
  r->D = D;
  if ((r->p = rmx_calloc(N_PARAMETERS(D) + 3 * D, sizeof(double))) == NULL) {
    free(r);
    return NULL;
  }
  r->r = r->p + N_PARAMETERS(D);
  r->t = r->r + D;
  r->tokens = r->t + D;
  return r;
}

static void exponentials(exposure *r, const double *p) {
  for (size_t d = 0; d < r->D; d++) {
    r->r[d] = exp(p[AT_LOG_R(r->D) + d]);
    r->t[d] = exp(p[AT_LOG_T(r->D) + d]);
  }
}

// The share as if nothing were repeated; slope: by the weight, may be NULL.
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

// ---- fitting ----

typedef struct runs {
  exposure *r;  // its r and t are scratch here
  size_t N;
  double *share, *epochs;  // (N, D)
} runs;

static double law(const exposure *r, const double *p, const double *s, const double *e) {
  size_t D = r->D;
  double y = p[AT_C];
  for (size_t d = 0; d < D; d++) {
    y += p[AT_A + d] * expm1(-r->r[d] * s[d]);
    if (p[AT_P(D) + d] > 0) y += p[AT_P(D) + d] * harm(e[d] / r->t[d], NULL);
  }
  return r->shift + r->scale * y;
}

static void evaluate(void *context, const double *p, double *f, double *J) {
  const runs *x = context;
  exposure *r = x->r;
  size_t D = r->D, P = N_PARAMETERS(D);
  exponentials(r, p);
  for (size_t i = 0; i < x->N; i++) {
    const double *s = x->share + i * D, *e = x->epochs + i * D;
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

static rmx_status curve_of(exposure *r, const rmx_dataset *data, rmx_arena *arena, rmx__curve *c,
                           rmx_err *err) {
  size_t N = data->N, D = data->D;
  RMX_TRY(rmx__curve_make(c, N, N_PARAMETERS(D), arena, err));
  runs *x = rmx_arena_alloc(arena, 1, sizeof(*x));
  double *s = rmx_arena_alloc(arena, N * D, sizeof(double)),
         *e = rmx_arena_alloc(arena, N * D, sizeof(double)), mean = 0;
  if (!x || !s || !e) return rmx_fail_memory(err, N * D * sizeof(double), "an exposure law");
  *x = (runs){r, N, s, e};
  for (size_t i = 0; i < N * D; i++) {
    double w = fmax(data->X[i], 0), tokens = r->tokens[i % D];
    s[i] = share(w, tokens, r->run_tokens, NULL);
    e[i] = w * r->run_tokens / tokens;
  }
  c->evaluate = evaluate;
  c->context = x;
  for (size_t i = 0; i < N; i++) {
    c->y[i] = (data->y[i] - r->shift) / r->scale;
    mean += c->y[i] / (double)N;
    if (data->row_weights) c->weight[i] = data->row_weights[i];
  }
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

// Down the strengths to `last`, each from the one before; `error`, where wanted, on the runs in
// fold f of those of `all`.
static rmx_status path(exposure *r, rmx__curve *c, double last, const runs *all,
                       const rmx_dataset *data, const int *fold, int f, double *error, double *p,
                       rmx_err *err) {
  memcpy(p, c->centre, c->P * sizeof(double));
  for (size_t s = 0; s < N_STRENGTHS && strengths[s] >= last; s++) {
    bool end = strengths[s] == last && error == NULL;
    RMX_TRY(rmx__marquardt(c, strengths[s], end ? 1e-8 : 1e-4, end ? 200 : 30, p, err));
    if (error == NULL) continue;
    exponentials(r, p);
    for (size_t i = 0; i < all->N; i++) {
      if (fold[i] != f) continue;
      double y = law(r, p, all->share + i * r->D, all->epochs + i * r->D);
      double e = rmx__bend(r->seen, y, NULL) - data->y[i];
      error[s] += (data->row_weights ? data->row_weights[i] : 1) * e * e;
    }
  }
  return RMX_OK;
}

static rmx_status choose_strength(exposure *r, const rmx_dataset *data, const runs *all,
                                  uint64_t seed, rmx_err *err) {
  double error[N_STRENGTHS] = {0};
  int *fold = rmx_calloc(data->N, sizeof(int));
  double *p = rmx_calloc(N_PARAMETERS(data->D), sizeof(double));
  rmx_status status = fold && p ? RMX_OK : rmx_fail_memory(err, data->N * sizeof(int), "folds");
  size_t k = status == RMX_OK ? rmx_folds(data->groups, data->N, FOLDS, seed, fold) : 0;
  for (size_t f = 0; f < k && k > 1 && status == RMX_OK; f++) {
    rmx_arena arena = {0};
    rmx_dataset train;
    rmx__curve c = {0};
    status = rmx__without_fold(data, fold, (int)f, &arena, &train, err);
    if (status == RMX_OK) status = curve_of(r, &train, &arena, &c, err);
    if (status == RMX_OK)
      status = path(r, &c, strengths[N_STRENGTHS - 1], all, data, fold, (int)f, error, p, err);
    rmx_arena_release(&arena);
  }
  size_t best = 0;
  for (size_t s = 1; s < N_STRENGTHS; s++)
    if (error[s] < error[best]) best = s;
  r->strength = strengths[best];
  free(fold);
  free(p);
  return status;
}

static rmx_status check_exposure(const rmx_dataset *data, rmx_err *err) {
  if (data->tokens == NULL || !(data->budget > 0))
    return rmx_fail(
        err, RMX_EINPUT,
        "regressor \"exposure\" must know %s%s%s: give --tokens FILE (domain: tokens) and --budget "
        "TOKENS, or fit an experiment, whose corpus and large.tokens say so",
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

static rmx_status fit_with(const rmx_dataset *data, uint64_t seed, double strength, void **state,
                           rmx_err *err) {
  RMX_TRY(check_exposure(data, err));
  RMX_TRY(rmx__blas_ready(err));
  exposure *r = make(data->D);
  if (r == NULL) return rmx_fail_memory(err, 8 * data->D * sizeof(double), "an exposure law");
  rmx_arena arena = {0};
  rmx_status status = RMX_OK;
  rmx__curve c = {0};
  memcpy(r->tokens, data->tokens, data->D * sizeof(double));
  r->budget = data->budget;
  r->run_tokens = data->run_tokens > 0 ? data->run_tokens : data->budget;
  RMX_TRY_GOTO(rmx__domains_copy(data->domains, data->D, &r->names, err), done);
  r->scale = rmx__spread(data, r->seen);
  r->shift = r->seen[0];
  r->strength = isnan(strength) ? strengths[0] : strength;
  if (r->scale == 0) goto done;  // all the same: that is what is predicted
  RMX_TRY_GOTO(curve_of(r, data, &arena, &c, err), done);
  if (isnan(strength)) RMX_TRY_GOTO(choose_strength(r, data, c.context, seed, err), done);
  RMX_TRY_GOTO(path(r, &c, r->strength, NULL, NULL, NULL, 0, NULL, r->p, err), done);
done:
  rmx_arena_release(&arena);
  if (status != RMX_OK) {
    release(r);
    return status;
  }
  exponentials(r, r->p);
  *state = r;
  return RMX_OK;
}

static rmx_status fit(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                      const rmx_listener *listener, void **state, rmx_err *err) {
  (void)options;
  (void)listener;
  return fit_with(data, seed, NAN, state, err);
}

static rmx_status refit(const rmx_regress_options *options, const void *state,
                        const rmx_dataset *data, uint64_t seed, void **out, rmx_err *err) {
  (void)options;
  return fit_with(data, seed, ((const exposure *)state)->strength, out, err);
}

// ---- use ----

static double at(const exposure *r, const double *w, double *gradient) {
  size_t D = r->D;
  const double *p = r->p;
  double y = p[AT_C];
  for (size_t d = 0; d < D; d++) {
    double by_w, slope, x = fmax(w[d], 0), s = share(x, r->tokens[d], r->budget, &by_w);
    double per_w = r->budget / r->tokens[d] / r->t[d], h = harm(x * per_w, &slope);
    y += p[AT_A + d] * expm1(-r->r[d] * s) + p[AT_P(D) + d] * h;
    if (gradient)
      gradient[d] =
          -p[AT_A + d] * r->r[d] * exp(-r->r[d] * s) * by_w + p[AT_P(D) + d] * slope * per_w;
  }
  return r->shift + r->scale * y;
}

static void predict(const void *state, const double *X, size_t n, double *mean, double *sd) {
  const exposure *r = state;
  for (size_t i = 0; i < n; i++) {
    mean[i] = rmx__bend(r->seen, at(r, X + i * r->D, NULL), NULL);
    if (sd) sd[i] = NAN;
  }
}

static bool gradient(const void *state, const double *w, double *g) {
  const exposure *r = state;
  double bent;
  rmx__bend(r->seen, at(r, w, g), &bent);
  for (size_t d = 0; d < r->D; d++) g[d] *= bent * r->scale;
  return true;
}

static void set_budget(void *state, double tokens) {
  exposure *r = state;
  r->budget = tokens > 0 ? tokens : r->run_tokens;
}

// ---- its file ----

static json_t *to_json(const void *state) {
  const exposure *r = state;
  size_t D = r->D;
  return json_pack(
      "{s:o, s:o, s:f, s:f, s:f, s:f, s:f, s:[f, f], s:f, s:o, s:o, s:o, s:o}", "domains",
      rmx__domains_json(r->names, D), "tokens", rmx__numbers_json(r->tokens, D), "budget",
      r->budget, "run_tokens", r->run_tokens, "strength", r->strength, "shift", r->shift, "scale",
      r->scale, "seen", r->seen[0], r->seen[1], "c", r->p[AT_C], "a",
      rmx__numbers_json(r->p + AT_A, D), "log_r", rmx__numbers_json(r->p + AT_LOG_R(D), D), "p",
      rmx__numbers_json(r->p + AT_P(D), D), "log_t", rmx__numbers_json(r->p + AT_LOG_T(D), D));
}

static rmx_status from_json(const json_t *o, const char *path_, void **state, size_t *D,
                            rmx_err *err) {
  rmx_status status = RMX_OK;
  size_t n = json_array_size(json_object_get(o, "log_r"));
  if (n == 0)
    return rmx_fail(err, RMX_EINPUT, "%s: \"log_r\" must be a list of numbers, one a domain",
                    path_);
  exposure *r = make(n);
  if (r == NULL) return rmx_fail_memory(err, 8 * n * sizeof(double), "an exposure law");
  const struct {
    const char *key;
    double *at;
  } numbers[] = {{"budget", &r->budget}, {"run_tokens", &r->run_tokens}, {"strength", &r->strength},
                 {"shift", &r->shift},   {"scale", &r->scale},           {"c", &r->p[AT_C]}};
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
    RMX_TRY_GOTO(rmx__json_number(o, numbers[i].key, numbers[i].at, path_, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "seen", r->seen, 2, path_, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "tokens", r->tokens, n, path_, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "a", r->p + AT_A, n, path_, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "log_r", r->p + AT_LOG_R(n), n, path_, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "p", r->p + AT_P(n), n, path_, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "log_t", r->p + AT_LOG_T(n), n, path_, err), done);
  RMX_TRY_GOTO(rmx__domains_read(o, n, path_, &r->names, err), done);
  bool sound = r->budget > 0 && r->run_tokens > 0;
  for (size_t d = 0; d < n; d++) sound &= r->tokens[d] > 0 && r->p[AT_P(n) + d] >= 0;
  if (!sound)
    status = rmx_fail(
        err, RMX_EINPUT,
        "%s: \"budget\", \"run_tokens\" and \"tokens\" must be above 0, \"p\" not below", path_);
done:
  if (status != RMX_OK) {
    release(r);
    return status;
  }
  exponentials(r, r->p);
  *state = r;
  *D = n;
  return RMX_OK;
}

const rmx__regressor_kind rmx__exposure = {
    .name = "exposure",
    .help =
        "by epochs seen: saturating gains, harm from repeating; wants token counts and a budget",
    .extension = "json",
    .fit = fit,
    .refit = refit,
    .predict = predict,
    .gradient = gradient,
    .set_budget = set_budget,
    .to_json = to_json,
    .from_json = from_json,
    .release = release,
};
