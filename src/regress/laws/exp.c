// SPDX-License-Identifier: Apache-2.0
// The data mixing law (Ye et al. 2024), a sum of exponentials of the weights:
//   L(w) = c + sum_k exp(a_k + t_k . w),  k = 1 .. exp.terms.
// It is fitted as law.c says, with penalties around c = -1 and t = 0, so that directions the runs
// do not cover stay flat.
//
// Cost: 31 fits of some O(N P^2) steps, P = 1 + terms (D + 1); a prediction calls exp `terms`
// times.

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "law.h"
#include "regress/registry.h"
#include "regress/soft_clip.h"

enum { N_STRENGTHS = 6, MAX_TERMS = 64 };
static const double strengths[N_STRENGTHS] = {1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5};

struct mixing {
  struct rmx__law law;  // p: c, then (terms, 1 + D): a_k, t_k
  size_t terms;
};

static size_t terms_of(const struct rmx__law *l) {
  return ((const struct mixing *)l)->terms;
}

static double term(const double *q, const double *w, size_t D) {
  double sum = q[0];
  for (size_t d = 0; d < D; d++) sum += q[1 + d] * w[d];
  return exp(sum);
}

static double at(const struct rmx__law *l, const double *p, const double *w) {
  double y = p[0];
  for (size_t k = 0; k < terms_of(l); k++) y += term(p + 1 + k * (1 + l->D), w, l->D);
  return l->shift + l->scale * y;
}

static void evaluate(void *context, const double *p, double *f, double *J) {
  const struct rmx__law_runs *r = context;
  size_t D = r->law->D, P = r->law->P;
  for (size_t i = 0; i < r->N; i++) {
    double *row = J + i * P;
    f[i] = p[0];
    row[0] = 1;
    for (size_t k = 0; k < terms_of(r->law); k++) {
      size_t at_k = 1 + k * (1 + D);
      double e = term(p + at_k, r->X + i * D, D);
      f[i] += e;
      row[at_k] = e;
      for (size_t d = 0; d < D; d++) row[at_k + 1 + d] = e * r->X[i * D + d];
    }
  }
}

static rmx_status curve(struct rmx__law_runs *runs, const rmx_dataset *data, rmx_arena *arena,
                        rmx__curve *c, rmx_err *err) {
  (void)data, (void)arena, (void)err;
  size_t D = runs->law->D, terms = terms_of(runs->law);
  c->evaluate = evaluate;
  c->centre[0] = -1;
  for (size_t k = 0; k < c->P; k++) c->stiffness[k] = 0.01;
  for (size_t k = 0; k < terms; k++) c->centre[1 + k * (1 + D)] = -log((double)terms);
  return RMX_OK;
}

// Terms that begin the same would stay the same, so each begins with slopes of its own.
static void begin(const struct rmx__law *l, double *p) {
  size_t D = l->D, terms = terms_of(l);
  for (size_t k = 1; k < terms; k++)
    for (size_t d = 0; d < D; d++) p[1 + k * (1 + D) + 1 + d] = (d + k) % terms ? 0.1 : -0.1;
}

static const struct rmx__law_type law = {
    .what = "a mixing law",
    .size = sizeof(struct mixing),
    .strengths = strengths,
    .n_strengths = N_STRENGTHS,
    .on_the_way = {1e-5, 30},
    .last = {1e-9, 200},
    .curve = curve,
    .begin = begin,
    .at = at,
};

static rmx_status make(size_t D, size_t terms, struct mixing **out, rmx_err *err) {
  size_t P = 1 + terms * (1 + D);
  if (!(*out = rmx__law_make(&law, D, P)))
    return rmx_fail_memory(err, P * sizeof(double), law.what);
  (*out)->terms = terms;
  return RMX_OK;
}

static rmx_status fit(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                      const rmx_listener *listener, void **state, rmx_err *err) {
  (void)listener;
  struct mixing *r;
  if (options->exp.terms < 1 || options->exp.terms > MAX_TERMS)
    return rmx_fail(err, RMX_EINPUT, "exp.terms is %lld: wanted 1 to %d",
                    (long long)options->exp.terms, MAX_TERMS);
  RMX_TRY(make(data->D, (size_t)options->exp.terms, &r, err));
  return rmx__law_fit(&r->law, data, seed, NULL, state, err);
}

static rmx_status refit(const rmx_regress_options *options, const void *state,
                        const rmx_dataset *data, uint64_t seed, void **out, rmx_err *err) {
  (void)options;
  struct mixing *r;
  RMX_TRY(make(data->D, terms_of(state), &r, err));
  return rmx__law_fit(&r->law, data, seed, state, out, err);
}

static bool gradient(const void *state, const double *w, double *g) {
  const struct rmx__law *l = state;
  double slope;
  rmx__soft_clip(l->seen, at(l, l->p, w), &slope);
  memset(g, 0, l->D * sizeof *g);
  for (size_t k = 0; k < terms_of(l); k++) {
    const double *q = l->p + 1 + k * (1 + l->D);
    double e = term(q, w, l->D);
    for (size_t d = 0; d < l->D; d++) g[d] += slope * l->scale * e * q[1 + d];
  }
  return true;
}

// A sum of exponentials of linear functions is convex.
static bool convex(const void *state, double sign, double *below) {
  return sign > 0 && rmx__law_convex(state, below);
}

static json_t *to_json(const void *state) {
  return rmx__law_json(state, json_pack("{s:i}", "terms", (int)terms_of(state)));
}

static rmx_status from_json(const json_t *o, const char *path, void **state, size_t *D,
                            rmx_err *err) {
  json_int_t terms = json_integer_value(json_object_get(o, "terms"));
  size_t n = json_array_size(json_object_get(o, "parameters"));
  if (terms < 1 || terms > MAX_TERMS || n < 2 || (n - 1) % (size_t)terms ||
      (n - 1) / (size_t)terms < 2)
    return rmx_fail(err, RMX_EINPUT, "%s: \"parameters\" must be 1 + terms * (1 + domains) numbers",
                    path);
  struct mixing *r;
  RMX_TRY(make((n - 1) / (size_t)terms - 1, (size_t)terms, &r, err));
  return rmx__law_read(&r->law, o, path, state, D, err);
}

const rmx__regressor_kind rmx__exp = {
    .name = "exp",
    .help = "sum of exponentials of the weights (the data mixing law)",
    .extension = "json",
    .fit = fit,
    .refit = refit,
    .predict = rmx__law_predict,
    .gradient = gradient,
    .convex = convex,
    .to_json = to_json,
    .from_json = from_json,
    .release = rmx__law_release,
};
