// SPDX-License-Identifier: Apache-2.0
// How the best mixture moves with the size of the model: the optimum of each measured size, how far
// it is from the one asked for, and what the latter gains on it. The gains have intervals from the
// same draws as all others, which hold doubt about what changes with the size.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "optimize/search.h"
#include "regress/fit.h"
#include "steps.h"

enum { ENOUGH = 5 };  // mixtures that make a size worth an optimum
// A loss that is surely a smaller part of the gain on the prior does not matter.
static const double MATTERS = 0.25;
// A part of the draws whose best mixture the guard holds back, above which it says where the best
// mixtures are.
static const double HELD = 0.5;

void rmx_drift_release(rmx_drift *d) {
  for (size_t k = 0; k < d->n; k++) free(d->steps[k].name);
  free(d->steps);
  free(d->mixtures);
  *d = (rmx_drift){0};
}

static int by_size(const void *a, const void *b) {
  const rmx_drift_step *x = a, *y = b;
  return (x->at.size > y->at.size) - (x->at.size < y->at.size);
}

// The sizes of the runs of a fit, each at its longest length.
static rmx_status list_sizes(const rmx_fit *f, rmx_drift *d, rmx_err *err) {
  if (!(d->steps = rmx_calloc(f->N, sizeof *d->steps)))
    return rmx_fail_memory(err, f->N * sizeof *d->steps, "sizes");
  for (size_t i = 0; i < f->N; i++) {
    size_t k = 0;
    while (k < d->n && d->steps[k].at.size != f->scales[i].size) k++;
    if (k == d->n) d->steps[d->n++].at = f->scales[i];
    d->steps[k].at.tokens = fmax(d->steps[k].at.tokens, f->scales[i].tokens);
  }
  size_t kept = 0;
  for (size_t k = 0; k < d->n; k++) {
    size_t runs = 0;
    for (size_t i = 0; i < f->N; i++)
      runs +=
          f->scales[i].size == d->steps[k].at.size && f->scales[i].tokens == d->steps[k].at.tokens;
    if (runs >= ENOUGH) d->steps[kept++] = d->steps[k];
  }
  d->n = kept;
  qsort(d->steps, d->n, sizeof *d->steps, by_size);
  return RMX_OK;
}

// Runs of one size do not tell how anything moves with it.
static bool has_sizes(const rmx_fit *f) {
  for (size_t i = 1; rmx_fit_has_scales(f) && i < f->N; i++)
    if (f->scales[i].size != f->scales[0].size) return true;
  return false;
}

rmx_status rmx__drift_begin(const rmx_fit *f, rmx_drift *d, rmx_err *err) {
  if (!has_sizes(f)) return RMX_OK;
  RMX_TRY(list_sizes(f, d, err));
  d->D = f->D;
  if (!(d->mixtures = rmx_calloc(d->n + 1, f->D * sizeof(double))))
    return rmx_fail_memory(err, d->n * f->D * sizeof(double), "optima");
  for (size_t k = 0; k < d->n; k++) {
    RMX_OWNED char *at = rmx_scale_text(d->steps[k].at);
    if (!at || !(d->steps[k].name = rmx_format("the optimum for %s", at)))
      return rmx_fail_memory(err, 64, "a name");
  }
  return RMX_OK;
}

static void leave_out(rmx_drift *d, size_t k) {
  free(d->steps[k].name);
  memmove(d->steps + k, d->steps + k + 1, (--d->n - k) * sizeof *d->steps);
}

// The optimum of step k, at whose scale the fit is; a step without one is left out, with a note.
static rmx_status find_step(const rmx_optimize_request *quiet, const rmx_listener *to,
                            const double *best, rmx_drift *d, size_t k, rmx_err *err) {
  RMX_OWNED_BY(rmx_optimum_free_at) rmx_optimum *there = NULL;
  double *w = d->mixtures + k * d->D;
  const rmx_status status = rmx_optimize(quiet, &there, err);
  if (status == RMX_EINPUT || status == RMX_ENUMERIC) {
    rmx_note(to, "%s is not known: %s", d->steps[k].name, err->message);
    return leave_out(d, k), RMX_OK;
  }
  if (status != RMX_OK) return status;
  memcpy(w, rmx_optimum_mixture(there), d->D * sizeof(double));
  d->steps[k].moved = rmx__total_variation(w, best, d->D);
  return RMX_OK;
}

rmx_status rmx__drift_find(const rmx_optimize_request *how, rmx_answer *s, rmx_err *err) {
  const size_t M = s->fit->M;
  rmx_drift *d = &s->drift;
  RMX_OWNED double *work = rmx_calloc(M, 3 * sizeof *work);
  if (!work) return rmx_fail_memory(err, M * 3 * sizeof *work, "optima");
  double *before = work + 2 * M;
  rmx_problem here = *how->problem;
  here.target.limit = work;
  here.target.base = work + M;
  rmx_optimize_request quiet = *how;
  quiet.problem = &here;
  quiet.listener = NULL;
  for (size_t m = 0; m < M && here.than; m++)
    rmx_regressor_predict(s->fit->regressors[m], here.than, 1, &before[m], NULL);
  rmx_status status = RMX_OK;
  for (size_t k = 0, left = d->n; left > 0 && status == RMX_OK; left--) {
    const size_t n = d->n;
    rmx_fit_set_scale(s->fit, d->steps[k].at);
    rmx__target_by(&how->problem->target, s->fit, here.than, before, &here.target);
    status = find_step(&quiet, how->listener, rmx_optimum_mixture(s->optimum), d, k, err);
    k += d->n == n;
  }
  rmx_fit_set_scale(s->fit, s->fit->at);
  return status;
}

// What the intervals say of optimum k; NULL where there are none.
static const rmx_versus *gain_on(const rmx_answer *s, size_t k) {
  for (size_t i = 0; i < s->uncertainty.n_versus; i++)
    if (strcmp(s->uncertainty.versus[i].name, s->drift.steps[k].name) == 0)
      return &s->uncertainty.versus[i];
  return NULL;
}

// The domains whose weight in optimum k is not in the interval at the scale asked for.
static json_t *outside(const rmx_answer *s, size_t k) {
  json_t *list = json_array();
  const rmx_uncertainty *u = &s->uncertainty;
  for (size_t d = 0; d < u->D; d++) {
    const double w = s->drift.mixtures[k * s->drift.D + d];
    if (w < u->low[d] - 1e-9 || w > u->high[d] + 1e-9)
      json_array_append_new(list, json_string(s->fit->domains[d]));
  }
  return list;
}

// Whether every metric of the target has a law with the same differences between mixtures at all
// sizes. Its best mixture cannot move, whatever the truth does.
static bool cannot_move(const rmx_answer *s) {
  const rmx_target *t = &s->problem.target;
  for (size_t m = 0; m < s->fit->M; m++)
    if ((t->weight[m] != 0 || isfinite(t->limit[m])) &&
        strcmp(rmx_regressor_name(s->fit->regressors[m]), "additive-law") != 0)
      return false;
  return true;
}

// What keeps the runs from telling whether the smallest size is good enough, whatever the gain on
// its optimum v seems to be; NULL: nothing does.
static const char *cannot_tell(const rmx_answer *s, const rmx_versus *v) {
  if (cannot_move(s)) return "the additive law has the same best mixture for all sizes";
  if (s->uncertainty.at_distance_limit > HELD)
    return "the guard keeps the best mixtures of all sizes near the runs";
  if (!(s->uncertainty.versus[0].low > 0) && !(v->low > 0))
    return "they do not show that the answer is better than the prior";
  return NULL;
}

// What the intervals say of the smallest size; NULL where there is nothing to ask.
static const rmx_versus *gain_on_smallest(const rmx_answer *s) {
  return s->drift.n && s->drift.steps[0].at.size < s->fit->at.size ? gain_on(s, 0) : NULL;
}

rmx_size_verdict rmx_drift_verdict(const rmx_answer *s) {
  const rmx_versus *v = gain_on_smallest(s);
  if (!v || cannot_tell(s, v)) return RMX_SIZE_UNKNOWN;
  if (v->low > 0) return RMX_SIZE_TOO_SMALL;
  const double matters = MATTERS * fmax(s->uncertainty.versus[0].estimate, 0);
  return v->high <= matters ? RMX_SIZE_ENOUGH : RMX_SIZE_UNKNOWN;
}

static const char *const verdicts[] = {
    [RMX_SIZE_UNKNOWN] = "These runs cannot tell whether the smallest size is good enough",
    [RMX_SIZE_TOO_SMALL] = "The smallest size is not good enough",
    [RMX_SIZE_ENOUGH] = "The smallest size is good enough",
};

// "; the weights of web and code leave their intervals"
static void put_outside(rmx_buf *b, const json_t *names) {
  const size_t n = json_array_size(names);
  for (size_t i = 0; i < n; i++)
    rmx_buf_printf(b, "%s%s",
                   i       ? ", "
                   : n > 1 ? "; these weights leave their intervals: "
                           : "; this weight leaves its interval: ",
                   json_string_value(json_array_get(names, i)));
}

char *rmx_drift_text(const rmx_answer *s) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf b = {0};
  const rmx_versus *v = gain_on_smallest(s);
  if (!v) return NULL;
  RMX_OWNED char *at = rmx_scale_text(s->fit->at), *from = rmx_scale_text(s->drift.steps[0].at);
  json_auto_t *beyond = outside(s, 0);
  const char *verdict = verdicts[rmx_drift_verdict(s)], *why = cannot_tell(s, v);
  char gain[RMX_NUMBER], low[RMX_NUMBER], high[RMX_NUMBER];
  rmx_buf_printf(&b, "From %s to %s the best mixture moves by %.0f %% of the tokens",
                 from ? from : "", at ? at : "", 100 * s->drift.steps[0].moved);
  put_outside(&b, beyond);
  rmx_buf_printf(&b, ". %s: ", verdict);
  if (why)
    rmx_buf_printf(&b, "%s.", why);
  else if (v->same)
    rmx_buf_printf(&b, "its optimum is the same mixture.");
  else
    rmx_buf_printf(&b, "the gain on its optimum is %s, %.0f %% interval %s to %s.",
                   rmx_target_number(s->fit, &s->problem, v->estimate, gain),
                   100 * s->uncertainty.level, rmx_target_number(s->fit, &s->problem, v->low, low),
                   rmx_target_number(s->fit, &s->problem, v->high, high));
  return b.failed ? NULL : rmx_strdup(b.data);
}

// null: the runs cannot tell.
static json_t *enough_json(rmx_size_verdict verdict) {
  return verdict == RMX_SIZE_UNKNOWN ? json_null() : json_boolean(verdict == RMX_SIZE_ENOUGH);
}

json_t *rmx__drift_json(const rmx_answer *s) {
  const rmx_drift *d = &s->drift;
  json_t *steps = json_array();
  for (size_t k = 0; k < d->n; k++) {
    const rmx_versus *v = gain_on(s, k);
    json_t *one = json_pack(
        "{s:f, s:f, s:o, s:f}", "size", d->steps[k].at.size, "tokens", d->steps[k].at.tokens,
        "mixture",
        rmx_mixture_json(d->mixtures + k * d->D, (const char *const *)s->fit->domains, d->D),
        "moved", d->steps[k].moved);
    if (v) {
      json_object_set_new(one, "gain",
                          json_pack("{s:f, s:f, s:[f, f]}", "predicted", v->gain, "estimate",
                                    v->estimate, "interval", v->low, v->high));
      json_object_set_new(one, "outside", outside(s, k));
    }
    json_array_append_new(steps, one);
  }
  json_t *root = json_pack("{s:f, s:f, s:o}", "size", s->fit->at.size, "tokens", s->fit->at.tokens,
                           "sizes", steps);
  if (s->uncertainty.n_versus)
    json_object_set_new(root, "smallest_is_enough", enough_json(rmx_drift_verdict(s)));
  RMX_OWNED char *text = rmx_drift_text(s);
  if (text) json_object_set_new(root, "sentence", json_string(text));
  return root;
}
