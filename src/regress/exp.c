// SPDX-License-Identifier: Apache-2.0
// The data mixing law (Ye et al. 2024), a sum of exponentials of the weights:
//   L(w) = c + sum_k exp(a_k + t_k . w),  k = 1 .. exp.terms,
// on y scaled to unit sd and least value 0, by penalised least squares (marquardt.c): c around -1,
// t around 0, so that what the runs do not tell stays flat. The penalty's strength is the one of
// six that cross-validation inside the runs finds best. Predictions far beyond what was seen are
// bent over (bend.c).
//
// Cost: 31 fits of some O(N P^2) steps, P = 1 + terms (D + 1); a prediction is `terms` calls of
// exp.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "marquardt.h"
#include "regressor.h"

enum { FOLDS = 5, N_STRENGTHS = 6, MOST_TERMS = 64 };
static const double strengths[N_STRENGTHS] = {1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5};

typedef struct mixing {
  size_t D, terms;
  double *p;  // c, then (terms, 1 + D): a_k, t_k
  double strength, shift, scale, seen[2];
  char **names;  // (D) or NULL
} mixing;

static size_t n_parameters(size_t D, size_t terms) {
  return 1 + terms * (1 + D);
}

static void release(void *state) {
  mixing *r = state;
  if (r == NULL) return;
  rmx__domains_free(r->names, r->D);
  free(r->p);
  free(r);
}

static mixing *make(size_t D, size_t terms) {
  mixing *r = rmx_calloc(1, sizeof(*r));
  if (r == NULL) return NULL;
  r->D = D;
  r->terms = terms;
  if ((r->p = rmx_calloc(n_parameters(D, terms), sizeof(double))) != NULL) return r;
  free(r);
  return NULL;
}

static double term(const double *q, const double *w, size_t D) {
  double sum = q[0];
  for (size_t d = 0; d < D; d++) sum += q[1 + d] * w[d];
  return exp(sum);
}

static double law(const mixing *r, const double *p, const double *w) {
  double y = p[0];
  for (size_t k = 0; k < r->terms; k++) y += term(p + 1 + k * (1 + r->D), w, r->D);
  return r->shift + r->scale * y;
}

typedef struct runs {
  size_t N, D, terms;
  const double *w;  // (N, D)
} runs;

static void evaluate(void *context, const double *p, double *f, double *J) {
  const runs *r = context;
  size_t D = r->D, P = n_parameters(D, r->terms);
  for (size_t i = 0; i < r->N; i++) {
    double *row = J + i * P;
    f[i] = p[0];
    row[0] = 1;
    for (size_t k = 0; k < r->terms; k++) {
      size_t at = 1 + k * (1 + D);
      double e = term(p + at, r->w + i * D, D);
      f[i] += e;
      row[at] = e;
      for (size_t d = 0; d < D; d++) row[at + 1 + d] = e * r->w[i * D + d];
    }
  }
}

static rmx_status curve_of(const mixing *r, const rmx_dataset *data, rmx_arena *arena,
                           rmx__curve *c, rmx_err *err) {
  size_t N = data->N, D = data->D;
  RMX_TRY(rmx__curve_make(c, N, n_parameters(D, r->terms), arena, err));
  runs *x = rmx_arena_alloc(arena, 1, sizeof(*x));
  if (x == NULL) return rmx_fail_memory(err, sizeof(*x), "a mixing law");
  *x = (runs){N, D, r->terms, data->X};
  c->evaluate = evaluate;
  c->context = x;
  for (size_t i = 0; i < N; i++) {
    c->y[i] = (data->y[i] - r->shift) / r->scale;
    if (data->row_weights) c->weight[i] = data->row_weights[i];
  }
  c->centre[0] = -1;
  c->stiffness[0] = 0.01;
  for (size_t k = 0; k < r->terms; k++) {
    size_t at = 1 + k * (1 + D);
    c->centre[at] = -log((double)r->terms);
    c->stiffness[at] = 0.01;
    for (size_t d = 0; d < D; d++) c->stiffness[at + 1 + d] = 0.01;
  }
  return RMX_OK;
}

// Terms that begin the same would stay the same: each leans its own way.
static void begin(const mixing *r, const rmx__curve *c, double *p) {
  memcpy(p, c->centre, c->P * sizeof(double));
  for (size_t k = 1; k < r->terms; k++)
    for (size_t d = 0; d < r->D; d++)
      p[1 + k * (1 + r->D) + 1 + d] = (d + k) % r->terms ? 0.1 : -0.1;
}

// Down the strengths to `last`, each from the one before; `error`, where wanted, on the runs of
// `all` in fold f.
static rmx_status path(const mixing *r, rmx__curve *c, double last, const rmx_dataset *all,
                       const int *fold, int f, double *error, double *p, rmx_err *err) {
  begin(r, c, p);
  for (size_t s = 0; s < N_STRENGTHS && strengths[s] >= last; s++) {
    bool end = strengths[s] == last && error == NULL;
    RMX_TRY(rmx__marquardt(c, strengths[s], end ? 1e-9 : 1e-5, end ? 200 : 30, p, err));
    for (size_t i = 0; error && i < all->N; i++) {
      if (fold[i] != f) continue;
      double e = rmx__bend(r->seen, law(r, p, all->X + i * all->D), NULL) - all->y[i];
      error[s] += (all->row_weights ? all->row_weights[i] : 1) * e * e;
    }
  }
  return RMX_OK;
}

static rmx_status choose_strength(mixing *r, const rmx_dataset *data, uint64_t seed, rmx_err *err) {
  double error[N_STRENGTHS] = {0};
  int *fold = rmx_calloc(data->N, sizeof(int));
  double *p = rmx_calloc(n_parameters(data->D, r->terms), sizeof(double));
  rmx_status status = fold && p ? RMX_OK : rmx_fail_memory(err, data->N * sizeof(int), "folds");
  size_t k = status == RMX_OK ? rmx_folds(data->groups, data->N, FOLDS, seed, fold) : 0;
  for (size_t f = 0; f < k && k > 1 && status == RMX_OK; f++) {
    rmx_arena arena = {0};
    rmx_dataset train;
    rmx__curve c = {0};
    status = rmx__without_fold(data, fold, (int)f, &arena, &train, err);
    if (status == RMX_OK) status = curve_of(r, &train, &arena, &c, err);
    if (status == RMX_OK)
      status = path(r, &c, strengths[N_STRENGTHS - 1], data, fold, (int)f, error, p, err);
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

static rmx_status fit_with(size_t terms, const rmx_dataset *data, uint64_t seed, double strength,
                           void **state, rmx_err *err) {
  RMX_TRY(rmx__blas_ready(err));
  mixing *r = make(data->D, terms);
  if (r == NULL) return rmx_fail_memory(err, terms * data->D * sizeof(double), "a mixing law");
  rmx_arena arena = {0};
  rmx_status status = RMX_OK;
  rmx__curve c = {0};
  RMX_TRY_GOTO(rmx__domains_copy(data->domains, data->D, &r->names, err), done);
  r->scale = rmx__spread(data, r->seen);
  r->shift = r->seen[0];
  r->strength = isnan(strength) ? strengths[0] : strength;
  if (r->scale == 0) goto done;  // all the same: that is what is predicted
  if (isnan(strength)) RMX_TRY_GOTO(choose_strength(r, data, seed, err), done);
  RMX_TRY_GOTO(curve_of(r, data, &arena, &c, err), done);
  RMX_TRY_GOTO(path(r, &c, r->strength, NULL, NULL, 0, NULL, r->p, err), done);
done:
  rmx_arena_release(&arena);
  if (status != RMX_OK) {
    release(r);
    return status;
  }
  *state = r;
  return RMX_OK;
}

static rmx_status fit(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                      const rmx_listener *listener, void **state, rmx_err *err) {
  (void)listener;
  if (options->exp.terms < 1 || options->exp.terms > MOST_TERMS)
    return rmx_fail(err, RMX_EINPUT, "exp.terms is %lld: wanted 1 to %d",
                    (long long)options->exp.terms, MOST_TERMS);
  return fit_with((size_t)options->exp.terms, data, seed, NAN, state, err);
}

static rmx_status refit(const rmx_regress_options *options, const void *state,
                        const rmx_dataset *data, uint64_t seed, void **out, rmx_err *err) {
  (void)options;
  const mixing *r = state;
  return fit_with(r->terms, data, seed, r->strength, out, err);
}

static void predict(const void *state, const double *X, size_t n, double *mean, double *sd) {
  const mixing *r = state;
  for (size_t i = 0; i < n; i++) {
    mean[i] = rmx__bend(r->seen, law(r, r->p, X + i * r->D), NULL);
    if (sd) sd[i] = NAN;
  }
}

static bool gradient(const void *state, const double *w, double *g) {
  const mixing *r = state;
  double bent;
  rmx__bend(r->seen, law(r, r->p, w), &bent);
  memset(g, 0, r->D * sizeof(double));
  for (size_t k = 0; k < r->terms; k++) {
    const double *q = r->p + 1 + k * (1 + r->D);
    double e = term(q, w, r->D);
    for (size_t d = 0; d < r->D; d++) g[d] += bent * r->scale * e * q[1 + d];
  }
  return true;
}

static double law_at(const void *state, const double *w) {
  const mixing *r = state;
  return law(r, r->p, w);
}

// Exponentials of linear functions, all added, are convex.
static bool convex(const void *state, double sign, double *below) {
  const mixing *r = state;
  return sign > 0 && rmx__bend_convex(r->seen, law_at, r, r->D, below);
}

static json_t *to_json(const void *state) {
  const mixing *r = state;
  return json_pack("{s:o, s:i, s:f, s:f, s:f, s:[f, f], s:o}", "domains",
                   rmx__domains_json(r->names, r->D), "terms", (int)r->terms, "strength",
                   r->strength, "shift", r->shift, "scale", r->scale, "seen", r->seen[0],
                   r->seen[1], "parameters", rmx__numbers_json(r->p, n_parameters(r->D, r->terms)));
}

static rmx_status from_json(const json_t *o, const char *path_, void **state, size_t *D,
                            rmx_err *err) {
  json_int_t terms = json_integer_value(json_object_get(o, "terms"));
  size_t n = json_array_size(json_object_get(o, "parameters"));
  if (terms < 1 || terms > MOST_TERMS || n < 2 || (n - 1) % (size_t)terms ||
      (n - 1) / (size_t)terms < 2)
    return rmx_fail(err, RMX_EINPUT, "%s: \"parameters\" must be 1 + terms * (1 + domains) numbers",
                    path_);
  size_t domains = (n - 1) / (size_t)terms - 1;
  mixing *r = make(domains, (size_t)terms);
  if (r == NULL) return rmx_fail_memory(err, n * sizeof(double), "a mixing law");
  rmx_status status = RMX_OK;
  RMX_TRY_GOTO(rmx__json_number(o, "strength", &r->strength, path_, err), done);
  RMX_TRY_GOTO(rmx__json_number(o, "shift", &r->shift, path_, err), done);
  RMX_TRY_GOTO(rmx__json_number(o, "scale", &r->scale, path_, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "seen", r->seen, 2, path_, err), done);
  RMX_TRY_GOTO(rmx__json_numbers(o, "parameters", r->p, n, path_, err), done);
  RMX_TRY_GOTO(rmx__domains_read(o, domains, path_, &r->names, err), done);
done:
  if (status != RMX_OK) {
    release(r);
    return status;
  }
  *state = r;
  *D = domains;
  return RMX_OK;
}

const rmx__regressor_kind rmx__exp = {
    .name = "exp",
    .help = "sum of exponentials of the weights (the data mixing law)",
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
