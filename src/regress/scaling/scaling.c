// SPDX-License-Identifier: Apache-2.0
// Runs of several sizes and lengths: the level and the shape of a metric, fitted apart,
//   L(w, N, D) = level(N, D) + sd_mix f(w, N, D),
// where the mean of f over the mixtures of the largest size is 0.
// level.h has the law of the level and shape.h the Gaussian process of the shape. The mean over the
// mixtures follows a scaling law well but the mixtures' own curves do not, and a process knows
// nothing of laws: neither alone does as well (docs/results/scaling.md).
//
// The variance of a prediction is that of the level, of the process, of a run's own deviation, and
// of what all of these have wrong:
//   sd_mix^2 (.075^2 + (.08 x)^2),  x^2 = log(N/N_largest)^2 + log(D/D_longest)^2,
// where a logarithm below 0 counts as 0, and N_largest is the largest size with many mixtures. A
// few runs of a larger size (anchors.h) correct its level, but tell little of its shape.
//
// Cost: see shape.h.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "anchors.h"
#include "base/json.h"
#include "effects.h"
#include "regress/gp/matern.h"
#include "regress/json_lists.h"
#include "regress/registry.h"
#include "shape.h"

enum { STEPS = 120, AGAIN_STEPS = 30 };
static const double WRONG_HERE = 0.075, WRONG_AWAY = 0.08, BEGIN[] = {0.1, 0.2, 0.03, 0.1};

typedef struct scaling {
  size_t D, n;
  rmx__value *values;   // (n) by mixture, then size and tokens; y is the metric itself
  rmx_regressor *base;  // the process of the mixtures' effects
  rmx__level level;
  rmx__shape shape;
  double reference;   // size of the mixtures over which the shape has mean 0
  rmx_scale largest;  // size, and the longest tokens of it
  rmx_scale covered;  // the reference, and the longest tokens of it that many mixtures have
  double unknown;     // rmx__shape_unknown() there
  // at the scale of the predictions:
  double mean, mean_sd, wrong;
} scaling;

static void release(void *state) {
  scaling *r = state;
  if (!r) return;
  free(r->values);
  free(r->level.cells);
  rmx__shape_release(&r->shape);
  rmx_regressor_free(r->base);
  free(r);
}

static const rmx__process *base_of(const scaling *r) {
  return r->base->state;
}

// What the form of the shape has wrong at a scale, in units of the sd over mixtures.
static double wrong_at(rmx_scale covered, rmx_scale at) {
  const double by_size = fmax(log(at.size / covered.size), 0),
               by_tokens = fmax(log(at.tokens / covered.tokens), 0);
  return hypot(WRONG_HERE, WRONG_AWAY * hypot(by_size, by_tokens));
}

// The same for anchors, which may lie on either side.
static double wrong_of_anchor(rmx_scale covered, rmx_scale at) {
  return hypot(WRONG_HERE,
               WRONG_AWAY * hypot(log(at.size / covered.size), log(at.tokens / covered.tokens)));
}

static void set_scale(void *state, rmx_scale at) {
  scaling *r = state;
  at = (rmx_scale){at.size > 0 ? at.size : r->largest.size,
                   at.tokens > 0 ? at.tokens : r->largest.tokens};
  rmx__level_at(&r->level, at, &r->mean, &r->mean_sd);
  if (r->level.cells[0].at.size == r->largest.size)  // one size: the law has no term of it
    r->mean_sd = hypot(r->mean_sd, r->level.unit * log(at.size / r->largest.size));
  r->wrong = wrong_at(r->covered, at);
  rmx__shape_set_scale(&r->shape, at);
}

static rmx_status stand_at_largest(scaling *r, rmx_err *err) {
  RMX_OWNED double *scratch = rmx_calloc(r->D + r->shape.U, sizeof(double));
  if (!scratch) return rmx_fail_memory(err, r->shape.U * sizeof(double), "the shape of a metric");
  set_scale(r, r->covered);
  r->unknown = rmx__shape_unknown(&r->shape, scratch);
  set_scale(r, r->largest);
  return RMX_OK;
}

// Computes all that follows from the values, the effects of the cells, the base and theta.
// steps: of the search for theta; 0: it stays.
static rmx_status finish(scaling *r, int steps, rmx_err *err) {
  const size_t U = base_of(r)->N;
  rmx__shape *s = &r->shape;
  s->base = base_of(r);
  s->U = U;
  s->D = r->D;
  s->middle = r->level.middle;
  rmx__level_fit(&r->level);
  s->a = r->level.grid[r->level.best].a;
  s->b = r->level.grid[r->level.best].b;
  s->reference = rmx_calloc(U, sizeof(bool));
  RMX_OWNED rmx__value *values = rmx_calloc(r->n, sizeof *values);
  if (!s->reference || !values) return rmx_fail_memory(err, r->n * sizeof *values, "a shape");
  for (size_t i = 0; i < r->n; i++) {
    values[i] = r->values[i];
    values[i].y = (values[i].y - rmx__level_law(&r->level, values[i].at)) / r->level.unit;
    values[i].anchor = rmx__only_anchors(&r->level, values[i].at.size);
    s->reference[values[i].mixture] |= values[i].at.size == r->reference;
  }
  RMX_TRY(rmx__shape_rows(s, values, r->n, err));
  if (steps) RMX_TRY(rmx__shape_climb(s, steps, err));
  return rmx__shape_solve(s, err);
}

// ---- the fit ----

static int by_mixture(const void *a, const void *b) {
  const rmx__value *x = a, *y = b;
  if (x->mixture != y->mixture) return x->mixture < y->mixture ? -1 : 1;
  if (x->at.size != y->at.size) return x->at.size < y->at.size ? -1 : 1;
  return (x->at.tokens > y->at.tokens) - (x->at.tokens < y->at.tokens);
}

static rmx_status take_runs(scaling *r, const rmx_dataset *data, rmx__grouped *g, rmx_err *err) {
  double log_size = 0, log_tokens = 0, total = 0;
  r->level.n = g->C;
  r->level.cells = rmx_calloc(g->C, sizeof(rmx__cell));
  r->values = rmx_calloc(g->N, sizeof(rmx__value));
  if (!r->level.cells || !r->values)
    return rmx_fail_memory(err, g->N * sizeof(rmx__value), "the runs of a metric");
  RMX_TRY(rmx__mark_anchors(g, &r->covered, err));
  memcpy(r->level.cells, g->cells, g->C * sizeof(rmx__cell));
  for (size_t i = 0; i < g->N; i++) {
    r->largest.size = fmax(r->largest.size, g->at[i].size);
    if (g->cells[g->cell[i]].weight == 0) continue;
    r->values[r->n++] = (rmx__value){g->mixture[i], g->at[i], false, data->y[i]};
  }
  qsort(r->values, r->n, sizeof(rmx__value), by_mixture);
  for (size_t c = 0; c < g->C; c++) {
    const rmx__cell *cell = &g->cells[c];
    if (cell->at.size == r->largest.size) r->largest.tokens = cell->at.tokens;
    log_size += cell->weight * log(cell->at.size);
    log_tokens += cell->weight * log(cell->at.tokens);
    total += cell->weight;
  }
  r->level.middle = (rmx_scale){exp(log_size / total), exp(log_tokens / total)};
  r->reference = r->covered.size;
  return RMX_OK;
}

// Where the runs leave open how the effects of some mixtures compare with those of the main part, a
// process that is fitted to the main part expects them. It is given back in *main.
static rmx_status place_parts(const rmx_regress_options *options, const rmx_dataset *data,
                              rmx__grouped *g, const rmx_dataset *effects, const scaling *near,
                              uint64_t seed, rmx_regressor **main, rmx_err *err) {
  RMX_OWNED double *X = rmx_calloc(g->U, data->D * sizeof(double)),
                   *y = rmx_calloc(3 * g->U, sizeof(double));
  if (!X || !y) return rmx_fail_memory(err, g->U * data->D * sizeof(double), "mixtures");
  rmx_dataset part = *effects;
  double *expected = y + g->U, *sd = expected + g->U;
  part.X = X, part.y = y, part.N = 0;
  for (size_t m = 0; m < g->U; m++) {
    if (g->part[m]) continue;
    memcpy(X + part.N * data->D, effects->X + m * data->D, data->D * sizeof(double));
    y[part.N++] = g->effect[m];
  }
  if (part.N == g->U) return RMX_OK;
  RMX_TRY(near ? rmx__fit_again(options, near->base, &part, seed, main, err)
               : rmx__fit_kind(&rmx__gp, options, NULL, &part, seed, NULL, main, err));
  rmx_regressor_predict(*main, effects->X, g->U, expected, sd);
  for (size_t m = 0; m < g->U; m++) g->doubt[m] = g->part[m] ? sd[m] * sd[m] : 0;
  return rmx__shift_parts(data, g, expected, err);
}

// The process of the mixtures' effects. near: one to begin at, or NULL.
static rmx_status fit_base(scaling *r, const rmx_regress_options *options, const rmx_dataset *data,
                           rmx__grouped *g, const scaling *near, uint64_t seed, rmx_err *err) {
  RMX_OWNED double *X = rmx_calloc(g->U, data->D * sizeof(double));
  if (!X) return rmx_fail_memory(err, g->U * data->D * sizeof(double), "mixtures");
  for (size_t m = 0; m < g->U; m++)
    memcpy(X + m * data->D, data->X + g->first[m] * data->D, data->D * sizeof(double));
  const rmx_dataset effects = {
      .N = g->U, .D = data->D, .X = X, .y = g->effect, .domains = data->domains, .own_domain = -1};
  rmx_regressor *main = NULL;
  rmx_status status = place_parts(options, data, g, &effects, near, seed, &main, err);
  const rmx_regressor *from = main ? main : near ? near->base : NULL;
  if (status == RMX_OK)
    status = from ? rmx__fit_again(options, from, &effects, seed, &r->base, err)
                  : rmx__fit_kind(&rmx__gp, options, NULL, &effects, seed, NULL, &r->base, err);
  rmx_regressor_free(main);
  RMX_TRY(status);
  double largest = 0;
  for (size_t i = 0; i < data->N; i++) largest = fmax(largest, fabs(data->y[i]));
  r->level.unit = fmax(base_of(r)->unit, 1e-9 * largest + 1e-300);
  return RMX_OK;
}

// The anchors count in the law as their effects and what the shape has wrong there let them.
static rmx_status weigh_cells(scaling *r, const rmx__grouped *g, rmx_err *err) {
  RMX_OWNED double *of_run = rmx_calloc(g->N, sizeof(double));
  if (!of_run) return rmx_fail_memory(err, g->N * sizeof(double), "the level of a metric");
  for (size_t i = 0; i < g->N; i++) {
    const double wrong = r->level.unit * wrong_of_anchor(r->covered, g->at[i]);
    of_run[i] = g->doubt[g->mixture[i]] + wrong * wrong;
  }
  for (size_t c = 0; c < g->C; c++) {
    rmx__cell *cell = &r->level.cells[c];
    cell->effect = g->cells[c].effect;
    if (cell->variance > 0) cell->variance = rmx__anchor_variance(g, c, of_run);
  }
  rmx__weigh_anchors(&r->level);
  return RMX_OK;
}

// The mean over the runs of each cell, less what the shape says of their mixtures.
static rmx_status measure_levels(scaling *r, const rmx_dataset *data, const rmx__grouped *g,
                                 rmx_err *err) {
  const double unit = r->level.unit;
  RMX_OWNED double *scratch = rmx_calloc(r->D * (RMX__LANES + 1) + g->U, sizeof(double));
  RMX_OWNED double *of_run = rmx_calloc(g->N, sizeof(double));
  if (!scratch || !of_run)
    return rmx_fail_memory(err, g->N * sizeof(double), "the level of a metric");
  for (size_t c = 0; c < g->C; c++) {
    rmx__cell *cell = &r->level.cells[c];
    const double wrong = wrong_of_anchor(r->covered, cell->at);
    const double around = wrong * wrong + rmx__shape_noise(&r->shape);
    double n = 0, sum = 0;
    rmx__shape_set_scale(&r->shape, cell->at);
    for (size_t i = 0; i < g->N; i++) {
      if (g->cell[i] != c) continue;
      double *variance = cell->variance > 0 ? &of_run[i] : NULL;
      n++;
      sum +=
          data->y[i] - unit * rmx__shape_at(&r->shape, data->X + i * r->D, NULL, variance, scratch);
      if (variance) *variance = unit * unit * (*variance + around);
    }
    cell->level = sum / n;
    if (cell->variance > 0) cell->variance = rmx__anchor_variance(g, c, of_run);
  }
  return rmx__level_settle(&r->level, err);
}

static rmx_status fit_near(const rmx_regress_options *options, const rmx_dataset *data,
                           const scaling *near, uint64_t seed, void **state, rmx_err *err) {
  if (!data->scales)
    return rmx_fail(err, RMX_EINPUT,
                    "regressor \"scaling\" needs the size or the tokens of each run: name their "
                    "columns with --size-column and --tokens-column");
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  rmx__grouped g;
  scaling *r = rmx_calloc(1, sizeof *r);
  if (!r) return rmx_fail_memory(err, sizeof *r, "a fit of several sizes");
  r->D = data->D;
  r->level.rises = data->higher_is_better;
  for (size_t k = 0; k < RMX__SHAPE_PARAMETERS; k++)
    r->shape.theta[k] = near ? near->shape.theta[k] : log(BEGIN[k]);
  rmx_status status = rmx__group_runs(data, &arena, &g, err);
  if (status == RMX_OK) status = take_runs(r, data, &g, err);
  if (status == RMX_OK) status = fit_base(r, options, data, &g, near, seed, err);
  if (status == RMX_OK) status = weigh_cells(r, &g, err);
  if (status == RMX_OK) status = finish(r, near ? AGAIN_STEPS : STEPS, err);
  if (status == RMX_OK) status = measure_levels(r, data, &g, err);
  if (status == RMX_OK) status = stand_at_largest(r, err);
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
  return fit_near(options, data, NULL, seed, state, err);
}

static rmx_status again(const rmx_regress_options *options, const void *state,
                        const rmx_dataset *data, uint64_t seed, void **out, rmx_err *err) {
  return fit_near(options, data, state, seed, out, err);
}

// ---- use ----

static void predict(const void *state, const double *X, size_t n, double *mean, double *sd) {
  const scaling *r = state;
  const double unit = r->level.unit;
  RMX_OWNED double *scratch = rmx_calloc(r->D * (RMX__LANES + 1) + r->shape.U, sizeof(double));
  for (size_t i = 0; i < n; i++) {
    double variance = NAN;
    mean[i] = NAN;
    if (scratch)
      mean[i] = r->mean +
                unit * rmx__shape_at(&r->shape, X + i * r->D, NULL, sd ? &variance : NULL, scratch);
    if (sd)
      sd[i] = hypot(r->mean_sd,
                    unit * sqrt(variance + r->wrong * r->wrong + rmx__shape_noise(&r->shape)));
  }
}

static bool evaluate(const void *state, const double *w, double *mean, double *g) {
  const scaling *r = state;
  RMX_OWNED double *scratch = rmx_calloc(r->D * (RMX__LANES + 1) + r->shape.U, sizeof(double));
  if (!scratch) return false;
  *mean = r->mean + r->level.unit * rmx__shape_at(&r->shape, w, g, NULL, scratch);
  for (size_t d = 0; d < r->D; d++) g[d] *= r->level.unit;
  return true;
}

static bool gradient(const void *state, const double *w, double *g) {
  double mean;
  return evaluate(state, w, &mean, g);
}

// The doubt about what changes with the scale: what the form has wrong, and what the runs leave
// unknown of the slopes in size and tokens, which grows with the distance as a part of the distance
// between the runs' own scales.
static double doubt(const void *state) {
  const scaling *r = state;
  RMX_OWNED double *scratch = rmx_calloc(r->D + r->shape.U, sizeof(double));
  const double more = scratch ? rmx__shape_unknown(&r->shape, scratch) - r->unknown : 0;
  return hypot(r->wrong, sqrt(fmax(more, 0)));
}

// ---- its file ----

static json_t *values_json(const scaling *r) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < r->n; i++) {
    const rmx__value *v = &r->values[i];
    if (json_array_append_new(list, json_pack("[i, f, f, f]", (int)v->mixture, v->at.size,
                                              v->at.tokens, v->y)) != 0) {
      json_decref(list);
      return NULL;
    }
  }
  return list;
}

static json_t *cells_json(const scaling *r) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < r->level.n; i++) {
    const rmx__cell *c = &r->level.cells[i];
    if (json_array_append_new(list, json_pack("[f, f, f, f, f, f]", c->at.size, c->at.tokens,
                                              c->effect, c->level, c->weight, c->variance)) != 0) {
      json_decref(list);
      return NULL;
    }
  }
  return list;
}

static json_t *to_json(const void *state) {
  const scaling *r = state;
  const rmx__law_point *g = &r->level.grid[r->level.best];
  return json_pack(
      "{s:f, s:b, s:[f, f], s:f, s:[f, f], s:[f, f], s:{s:f, s:f, s:f, s:f, s:f}, s:o, s:o, s:o, "
      "s:o}",
      "scale", r->level.unit, "rises", (int)r->level.rises, "middle", r->level.middle.size,
      r->level.middle.tokens, "reference_size", r->reference, "largest", r->largest.size,
      r->largest.tokens, "covered", r->covered.size, r->covered.tokens, "law", "E", g->E, "A", g->A,
      "a", g->a, "B", g->B, "b", g->b, "log_parameters",
      rmx__numbers_json(r->shape.theta, RMX__SHAPE_PARAMETERS), "cells", cells_json(r), "values",
      values_json(r), "base", rmx__regressor_json(r->base));
}

// A row of numbers in a list of rows.
static rmx_status read_row(const json_t *list, size_t i, const char *key, double *out, size_t n,
                           const char *path, rmx_err *err) {
  const json_t *row = json_array_get(list, i);
  bool good = json_array_size(row) == n;
  for (size_t k = 0; good && k < n; k++) {
    good = json_is_number(json_array_get(row, k));
    out[k] = json_number_value(json_array_get(row, k));
    good = good && isfinite(out[k]);
  }
  if (good) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT, "%s: item %zu of \"%s\" must be a list of %zu numbers", path, i,
                  key, n);
}

static rmx_status read_runs(scaling *r, const json_t *o, const char *path, rmx_err *err) {
  const json_t *cells = json_object_get(o, "cells"), *values = json_object_get(o, "values");
  double x[6];
  r->level.n = json_array_size(cells);
  r->n = json_array_size(values);
  r->level.cells = rmx_calloc(r->level.n + 1, sizeof(rmx__cell));
  r->values = rmx_calloc(r->n + 1, sizeof(rmx__value));
  if (!r->level.cells || !r->values)
    return rmx_fail_memory(err, r->n * sizeof(rmx__value), "the runs of a metric");
  if (r->level.n == 0 || r->n == 0)
    return rmx_fail(err, RMX_EINPUT, "%s: \"cells\" or \"values\" is missing or empty", path);
  for (size_t i = 0; i < r->level.n; i++) {
    const bool old = json_array_size(json_array_get(cells, i)) == 5;  // without anchors
    x[5] = 0;
    RMX_TRY(read_row(cells, i, "cells", x, old ? 5 : 6, path, err));
    r->level.cells[i] = (rmx__cell){{x[0], x[1]}, x[2], x[3], x[4], x[5]};
    if (x[5] < 0)
      return rmx_fail(err, RMX_EINPUT, "%s: item %zu of \"cells\": a variance is negative", path,
                      i);
    if (!(x[0] > 0 && x[1] > 0))
      return rmx_fail(err, RMX_EINPUT, "%s: item %zu of \"cells\": a scale is not positive", path,
                      i);
  }
  for (size_t i = 0; i < r->n; i++) {
    RMX_TRY(read_row(values, i, "values", x, 4, path, err));
    if (!(x[0] >= 0 && x[0] < (double)base_of(r)->N && x[1] > 0 && x[2] > 0))
      return rmx_fail(err, RMX_EINPUT,
                      "%s: item %zu of \"values\" names no mixture, or its scale is not positive",
                      path, i);
    r->values[i] = (rmx__value){(size_t)x[0], {x[1], x[2]}, false, x[3]};
  }
  qsort(r->values, r->n, sizeof(rmx__value), by_mixture);
  return RMX_OK;
}

static rmx_status from_json(const json_t *o, const char *path, void **state, size_t *D,
                            rmx_err *err) {
  scaling *r = *state = rmx_calloc(1, sizeof *r);
  const json_t *base = json_object_get(o, "base");
  const char *kind = json_string_value(json_object_get(base, "regressor"));
  double pair[2];
  if (!r) return rmx_fail_memory(err, sizeof *r, "a fit of several sizes");
  if (!kind || strcmp(kind, rmx__gp.name) != 0)
    return rmx_fail(err, RMX_EINPUT, "%s: \"base\" is not a Gaussian process", path);
  RMX_TRY(rmx__regressor_from_json(base, path, &r->base, err));
  *D = r->D = r->base->D;
  RMX_TRY(rmx__json_number(o, "scale", &r->level.unit, path, err));
  r->level.rises = json_is_true(json_object_get(o, "rises"));  // not in older fits
  RMX_TRY(rmx__json_number(o, "reference_size", &r->reference, path, err));
  RMX_TRY(rmx__json_numbers(o, "middle", pair, 2, path, err));
  r->level.middle = (rmx_scale){pair[0], pair[1]};
  RMX_TRY(rmx__json_numbers(o, "largest", pair, 2, path, err));
  r->largest = (rmx_scale){pair[0], pair[1]};
  if (json_object_get(o, "covered"))  // not in older fits
    RMX_TRY(rmx__json_numbers(o, "covered", pair, 2, path, err));
  r->covered = (rmx_scale){pair[0], pair[1]};
  RMX_TRY(rmx__json_numbers(o, "log_parameters", r->shape.theta, RMX__SHAPE_PARAMETERS, path, err));
  RMX_TRY(read_runs(r, o, path, err));
  bool known = false;  // some mixture has the reference size
  for (size_t i = 0; i < r->n; i++) known |= r->values[i].at.size == r->reference;
  if (!known || !(r->level.unit > 0 && r->level.middle.size > 0 && r->level.middle.tokens > 0 &&
                  r->largest.size > 0 && r->largest.tokens > 0 && r->covered.size > 0 &&
                  r->covered.tokens > 0))
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: \"scale\", \"middle\", \"largest\", \"covered\" and \"reference_size\" must be "
        "positive, and some value must have the reference size",
        path);
  if (finish(r, 0, err) != RMX_OK) return rmx_fail_in(err, "%s", path);
  return stand_at_largest(r, err);
}

const rmx__regressor_kind rmx__scaling = {
    .name = "scaling",
    .help = "runs of several sizes and lengths: a law of their level, a process of their shape",
    .extension = "json",
    .fit = fit,
    .again = again,
    .predict = predict,
    .gradient = gradient,
    .evaluate = evaluate,
    .set_scale = set_scale,
    .doubt = doubt,
    .to_json = to_json,
    .from_json = from_json,
    .release = release,
};
