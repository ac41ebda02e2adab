// SPDX-License-Identifier: Apache-2.0
// See law.h.
//
// Cost of a fit: 5 folds and all runs, times the strengths, times some 10 steps of O(N P^2).

#include "law.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "regress/blas.h"
#include "regress/folds.h"
#include "regress/json_lists.h"
#include "regress/soft_clip.h"

enum { FOLDS = 5, MAX_STRENGTHS = 8 };

void *rmx__law_make(const struct rmx__law_type *type, size_t D, size_t P) {
  struct rmx__law *l = rmx_calloc(1, type->size);
  if (!l) return NULL;
  l->type = type;
  l->D = D;
  l->P = P;
  if ((l->p = rmx_calloc(P + type->extra * D, sizeof *l->p))) return l;
  free(l);
  return NULL;
}

void rmx__law_release(void *state) {
  struct rmx__law *l = state;
  if (!l) return;
  rmx__domains_free(l->names, l->D);
  free(l->p);
  free(l);
}

static rmx_status curve_of(struct rmx__law *l, const rmx_dataset *data, rmx_arena *arena,
                           rmx__curve *c, rmx_err *err) {
  RMX_TRY(rmx__curve_make(c, data->N, l->P, arena, err));
  struct rmx__law_runs *runs = rmx_arena_alloc(arena, 1, sizeof *runs);
  if (!runs) return rmx_fail_memory(err, sizeof *runs, l->type->what);
  *runs = (struct rmx__law_runs){.law = l, .N = data->N, .X = data->X};
  c->context = runs;
  for (size_t i = 0; i < data->N; i++) {
    c->y[i] = (data->y[i] - l->shift) / l->scale;
    if (data->row_weights) c->weight[i] = data->row_weights[i];
  }
  return l->type->curve(runs, data, arena, c, err);
}

static void begin(const struct rmx__law *l, const rmx__curve *c, double *p) {
  memcpy(p, c->centre, l->P * sizeof *p);
  if (l->type->begin) l->type->begin(l, p);
}

static rmx_status minimise(const struct rmx__law *l, rmx__curve *c, const rmx_dataset *data,
                           double strength, struct rmx__law_care care, double *p, rmx_err *err) {
  return l->robust ? rmx__marquardt_robust(c, strength, care.tolerance, care.steps, p,
                                           data->row_weights, err)
                   : rmx__marquardt(c, strength, care.tolerance, care.steps, p, err);
}

static void derive(struct rmx__law *l, const double *p) {
  if (l->type->derive) l->type->derive(l, p);
}

// Fits each strength to the runs outside of fold f and adds its error on those in it to `error`:
// squared, or absolute where outliers must not count.
static rmx_status try_fold(struct rmx__law *l, const rmx_dataset *data, const int *fold, int f,
                           rmx_arena *arena, double *error, rmx_err *err) {
  rmx_dataset train;
  rmx__curve c = {0};
  double *p = rmx_arena_alloc(arena, l->P, sizeof *p);
  if (!p) return rmx_fail_memory(err, l->P * sizeof *p, l->type->what);
  RMX_TRY(rmx__without_fold(data, fold, f, arena, &train, err));
  RMX_TRY(curve_of(l, &train, arena, &c, err));
  begin(l, &c, p);
  for (size_t s = 0; s < l->type->n_strengths; s++) {
    RMX_TRY(minimise(l, &c, &train, l->type->strengths[s], l->type->on_the_way, p, err));
    derive(l, p);
    for (size_t i = 0; i < data->N; i++) {
      if (fold[i] != f) continue;
      double y = l->type->at(l, p, data->X + i * l->D);
      double e = rmx__soft_clip(l->seen, y, NULL) - data->y[i];
      error[s] += (data->row_weights ? data->row_weights[i] : 1) * (l->robust ? fabs(e) : e * e);
    }
  }
  return RMX_OK;
}

// *least: the error that the strength chosen has.
static rmx_status choose_strength(struct rmx__law *l, const rmx_dataset *data, uint64_t seed,
                                  double *least, rmx_err *err) {
  double error[MAX_STRENGTHS] = {0};
  int *fold = rmx_calloc(data->N, sizeof *fold);
  if (!fold) return rmx_fail_memory(err, data->N * sizeof *fold, "folds");
  rmx_status status = RMX_OK;
  size_t k = rmx__folds(data->groups, data->N, FOLDS, seed, fold), best = 0;
  for (size_t f = 0; f < k && k > 1 && status == RMX_OK; f++) {
    RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
    status = try_fold(l, data, fold, (int)f, &arena, error, err);
  }
  free(fold);
  for (size_t s = 1; s < l->type->n_strengths; s++)
    if (error[s] < error[best]) best = s;
  l->strength = l->type->strengths[best];
  *least = error[best];
  return status;
}

// The units of y: its best value is 0, or of a law that rises, its worst.
static void take_units(struct rmx__law *l, bool rises) {
  l->scale = rises ? -fabs(l->scale) : fabs(l->scale);
  l->shift = l->seen[rises];
}

// The strength, and whether the law rises: as the mirror image of a loss, a score does. But scores
// saturate at both ends, and some follow the law itself better; cross-validation tells.
static rmx_status choose(struct rmx__law *l, const rmx_dataset *data, uint64_t seed, rmx_err *err) {
  double mirrored, plain;
  RMX_TRY(choose_strength(l, data, seed, &mirrored, err));
  if (!data->higher_is_better || l->type->harms) return RMX_OK;
  const double strength = l->strength;
  take_units(l, false);
  RMX_TRY(choose_strength(l, data, seed, &plain, err));
  if (plain < mirrored) return RMX_OK;
  take_units(l, true);
  l->strength = strength;
  return RMX_OK;
}

// Fits l->p at l->strength, from `near` or down the strengths.
static rmx_status fit_to(struct rmx__law *l, const rmx_dataset *data, const struct rmx__law *near,
                         rmx_arena *arena, rmx_err *err) {
  const struct rmx__law_type *type = l->type;
  rmx__curve c = {0};
  RMX_TRY(curve_of(l, data, arena, &c, err));
  if (near && type->begin_at) {
    type->begin_at(l, near);
    return minimise(l, &c, data, l->strength, type->warm, l->p, err);
  }
  begin(l, &c, l->p);
  for (size_t s = 0; s < type->n_strengths && type->strengths[s] > l->strength; s++)
    RMX_TRY(minimise(l, &c, data, type->strengths[s], type->on_the_way, l->p, err));
  return minimise(l, &c, data, l->strength, type->last, l->p, err);
}

rmx_status rmx__law_fit(struct rmx__law *l, const rmx_dataset *data, uint64_t seed,
                        const struct rmx__law *near, void **state, rmx_err *err) {
  rmx_arena arena = {0};
  rmx_status status = RMX_OK;
  if (near && near->scale == 0) near = NULL;
  const bool rises = near ? near->scale < 0 : data->higher_is_better;
  RMX_TRY_GOTO(rmx__blas_ready(err), done);
  RMX_TRY_GOTO(rmx__domains_copy(data->domains, data->D, &l->names, err), done);
  l->scale = rmx__spread(data, l->seen);
  take_units(l, rises);
  l->strength = near ? near->strength : l->type->strengths[0];
  if (l->scale != 0) {  // else the constant is predicted
    if (!near) RMX_TRY_GOTO(choose(l, data, seed, err), done);
    RMX_TRY_GOTO(fit_to(l, data, near, &arena, err), done);
  }
  derive(l, l->p);
done:
  rmx_arena_release(&arena);
  if (status == RMX_OK)
    *state = l;
  else
    rmx__law_release(l);
  return status;
}

double rmx__law_at(const void *state, const double *w) {
  const struct rmx__law *l = state;
  return l->type->at_large ? l->type->at_large(l, w) : l->type->at(l, l->p, w);
}

void rmx__law_predict(const void *state, const double *X, size_t n, double *mean, double *sd) {
  const struct rmx__law *l = state;
  for (size_t i = 0; i < n; i++) {
    mean[i] = rmx__soft_clip(l->seen, rmx__law_at(l, X + i * l->D), NULL);
    if (sd) sd[i] = NAN;
  }
}

bool rmx__law_convex(const struct rmx__law *l, double *below) {
  return l->scale >= 0 && rmx__soft_clip_convex(l->seen, rmx__law_at, l, l->D, below);
}

// ---- the file ----

json_t *rmx__law_json(const struct rmx__law *l, json_t *own) {
  const struct rmx__law_type *type = l->type;
  json_t *o = json_pack("{s:o}", "domains", rmx__domains_json(l->names, l->D));
  bool failed = !o || (own && json_object_update(o, own) != 0);
  json_t *shared = json_pack("{s:f, s:f, s:f, s:[f, f]}", "strength", l->strength, "shift",
                             l->shift, "scale", l->scale, "seen", l->seen[0], l->seen[1]);
  failed = failed || !shared || json_object_update(o, shared) != 0;
  const double *p = l->p;
  for (size_t i = 0; i < type->n_numbers && !failed; i++)
    failed = json_object_set_new(o, type->numbers[i], json_real(*p++)) != 0;
  for (size_t i = 0; i < type->n_vectors && !failed; i++, p += l->D)
    failed = json_object_set_new(o, type->vectors[i], rmx__numbers_json(p, l->D)) != 0;
  if (!type->vectors && !failed)
    failed = json_object_set_new(o, "parameters", rmx__numbers_json(p, l->P)) != 0;
  json_decref(own);
  json_decref(shared);
  if (!failed) return o;
  json_decref(o);
  return NULL;
}

rmx_status rmx__law_open(const struct rmx__law_type *type, const json_t *o, const char *path,
                         struct rmx__law **out, rmx_err *err) {
  size_t D = json_array_size(json_object_get(o, type->vectors[0]));
  if (D == 0)
    return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" must be a list of numbers, one for each domain",
                    path, type->vectors[0]);
  struct rmx__law *l = rmx__law_make(type, D, type->n_numbers + type->n_vectors * D);
  if (!l) return rmx_fail_memory(err, type->n_vectors * D * sizeof *l->p, type->what);
  *out = l;
  return RMX_OK;
}

rmx_status rmx__law_read(struct rmx__law *l, const json_t *o, const char *path, void **state,
                         size_t *D, rmx_err *err) {
  const struct rmx__law_type *type = l->type;
  double *p = l->p;
  *state = l;
  *D = l->D;
  RMX_TRY(rmx__json_number(o, "strength", &l->strength, path, err));
  RMX_TRY(rmx__json_number(o, "shift", &l->shift, path, err));
  RMX_TRY(rmx__json_number(o, "scale", &l->scale, path, err));
  RMX_TRY(rmx__json_numbers(o, "seen", l->seen, 2, path, err));
  for (size_t i = 0; i < type->n_numbers; i++)
    RMX_TRY(rmx__json_number(o, type->numbers[i], p++, path, err));
  for (size_t i = 0; i < type->n_vectors; i++, p += l->D)
    RMX_TRY(rmx__json_numbers(o, type->vectors[i], p, l->D, path, err));
  if (!type->vectors) RMX_TRY(rmx__json_numbers(o, "parameters", p, l->P, path, err));
  RMX_TRY(rmx__domains_read(o, l->D, path, &l->names, err));
  derive(l, l->p);
  return RMX_OK;
}
