// SPDX-License-Identifier: Apache-2.0
// The next runs: candidates are drawn around the prior, the best runs and what is predicted best
// (candidates.c), and a batch is chosen of them by the posterior of a Gaussian process on the score
// (acquisition.c). The process is part of an ensemble: the mean of power law and process predicts
// better from few runs than the process alone, and the process gives the uncertainty.
//
// Where there are fewer than 5 different runs, all scores are the same, or the fit has learnt
// nothing about the target, the scores say nothing. Then the batch is chosen that most lowers the
// total variance over mixtures around the prior, and no gain is promised.
//
// Replayed on published runs (bench/suggest.c) the best of 768 is reached with a small part of the
// runs that random order takes, and so it is by the lowest prediction alone; expected improvement
// is used for the cases in which the prediction is wrong about the place.

#include "optimize/suggest.h"

#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "optimize/search.h"

enum {
  DEFAULT_RUNS = 8,
  DEFAULT_CANDIDATES = 4096,
  MIN_RUNS = 5,
  SPREAD_AMONG = 1024,
  CENTRES = 16
};
static const double DEFAULT_GRID = 2e-4, SLACK = 1e-6, MIN_ALLOWED = 0.05, MIN_APART = 0.01;

typedef struct suggester {
  const rmx_fit *fit;  // never NULL
  const rmx_problem *q;
  const rmx_suggest_request *o;
  size_t D;
  double *prior;  // (D)
  rmx__feasible set;
  rmx__candidates list;    // the runs, the pending, the candidates
  size_t n_runs, n_known;  // of the list
  const rmx__score_model *model;
} suggester;

static rmx_status check(const rmx_suggest_request *o, rmx_err *err) {
  const rmx_fit *fit = o->fit;
  const rmx_problem *q = o->problem;
  size_t D = q->constraints.D;
  if (fit && fit->D != D)
    return rmx_fail(err, RMX_EUSAGE, "constraints on %zu domains, but the fit has %zu", D, fit->D);
  if (D == 0) return rmx_fail(err, RMX_EINPUT, "a mixture needs at least one domain");
  if (o->runs < 1 || o->runs > 100000)
    return rmx_fail(err, RMX_EINPUT, "%lld runs to suggest: wanted 1 to 100000",
                    (long long)o->runs);
  if (o->candidates < o->runs)
    return rmx_fail(err, RMX_EINPUT,
                    "%lld candidates for %lld runs: wanted at least as many candidates as runs",
                    (long long)o->candidates, (long long)o->runs);
  if (!(o->grid >= 1e-5 && o->grid <= 1) || fabs(1 / o->grid - round(1 / o->grid)) > 1e-6 / o->grid)
    return rmx_fail(err, RMX_EINPUT,
                    "a grid of %g: it must divide 1 and lie in 1e-5 to 1 (0.0002, 0.001, ...)",
                    o->grid);
  if (fit == NULL && q->prior == NULL)
    return rmx_fail(err, RMX_EINPUT,
                    "without runs the mixtures are drawn around a prior: none is given");
  return RMX_OK;
}

// What candidates are drawn around. A domain that no run has would never be drawn around their
// mean.
static rmx_status set_prior(suggester *s, rmx_err *err) {
  size_t D = s->D;
  s->prior = rmx_calloc(D, sizeof(double));
  if (s->prior == NULL) return rmx_fail_memory(err, D * sizeof(double), "a prior");
  const double *given = s->q->prior ? s->q->prior : s->fit->mean_mixture;
  memcpy(s->prior, given, D * sizeof(double));
  for (size_t d = 0; d < D; d++)
    if (!isfinite(s->prior[d]) || s->prior[d] < 0)
      return rmx_fail(err, RMX_EINPUT, "the prior of domain \"%s\" is %g: wanted 0 to 1",
                      s->fit->domains[d], s->prior[d]);
  RMX_TRY(rmx_mixture_normalise(s->prior, D, err));
  for (size_t d = 0; d < D; d++)
    if (s->prior[d] == 0 && s->q->prior == NULL && s->q->constraints.high[d] > 0)
      s->prior[d] = 1 / (double)D;
  rmx_mixture_temper(s->prior, D, 0.5, s->prior);
  return RMX_OK;
}

static double penalty(const suggester *s, const double *w) {
  const rmx_constraints *c = &s->q->constraints;
  return c->kl_penalty > 0 ? c->kl_penalty * rmx__kl_above(c, w, 1e-300) : 0;
}

static double normal_below(double x) {
  return 0.5 * erfc(-x * M_SQRT1_2);
}

// The probability that each of n mixtures keeps the target's limits, the metrics taken as
// independent.
static rmx_status set_allowed(const suggester *s, const double *X, size_t n, double *allowed,
                              rmx_err *err) {
  const rmx_target *t = &s->q->target;
  RMX_OWNED double *mean = rmx_calloc(2 * n, sizeof(double));
  if (!mean) return rmx_fail_memory(err, 2 * n * sizeof(double), "limits of metrics");
  double *sd = mean + n;
  for (size_t i = 0; i < n; i++) allowed[i] = 1;
  for (size_t m = 0; m < s->fit->M; m++) {
    if (!isfinite(t->limit[m])) continue;
    double default_sd = sqrt(s->fit->cv[m].mse);
    rmx_regressor_predict(s->fit->regressors[m], X, n, mean, sd);
    for (size_t i = 0; i < n; i++) {
      double room = t->limit[m] - t->sign[m] * mean[i],
             doubt = isfinite(sd[i]) ? sd[i] : default_sd;
      allowed[i] *= doubt > 0 ? normal_below(room / doubt) : room >= 0;
    }
  }
  return RMX_OK;
}

// The list begins with what is known, so that none of it is proposed.
static rmx_status begin_list(suggester *s, size_t candidates, uint64_t seed, rmx_err *err) {
  const rmx_fit *f = s->fit;
  RMX_TRY(rmx__candidates_make(&s->list, s->D, f->N + s->o->n_pending + candidates, seed, err));
  for (size_t i = 0; i < f->N; i++) rmx__candidates_add(&s->list, f->runs + i * s->D);
  s->n_runs = s->list.n;
  for (size_t i = 0; i < s->o->n_pending; i++)
    rmx__candidates_add(&s->list, s->o->pending + i * s->D);
  s->n_known = s->list.n;
  return RMX_OK;
}

// The mixtures of lowest predicted score in the list, those that break something aside: centres
// (CENTRES, D).
static rmx_status lowest(const suggester *s, double *centres, size_t *n, rmx_err *err) {
  const rmx__candidates *c = &s->list;
  RMX_OWNED double *mean = rmx_calloc(2 * c->n, sizeof(double));
  if (!mean) return rmx_fail_memory(err, c->n * sizeof(double), "predictions of candidates");
  double *allowed = mean + c->n;
  RMX_TRY(set_allowed(s, c->X, c->n, allowed, err));
  rmx_regressor_predict(s->model->r, c->X, c->n, mean, NULL);
  for (size_t i = 0; i < c->n; i++) {
    const double *w = c->X + i * s->D;
    mean[i] = s->model->scale * mean[i] + penalty(s, w);
    if (allowed[i] < MIN_ALLOWED ||
        (i < s->n_known && rmx_constraints_excess(&s->q->constraints, w) > SLACK))
      mean[i] = NAN;
  }
  for (*n = 0; *n < CENTRES; ++*n) {
    size_t best = c->n;
    for (size_t i = 0; i < c->n; i++)
      if (!isnan(mean[i]) && (best == c->n || mean[i] < mean[best])) best = i;
    if (best == c->n) break;
    memcpy(centres + *n * s->D, c->X + best * s->D, s->D * sizeof(double));
    mean[best] = NAN;
  }
  return RMX_OK;
}

// The smallest number of runs that move along every direction in which the candidates differ.
static rmx_status count_untried(const suggester *s, size_t *count, rmx_err *err) {
  rmx__span c;
  RMX_TRY(rmx__span_make(&c, s->list.X, s->n_known, s->D, err));
  for (*count = 0;; ++*count) {
    if (rmx_interrupted())
      return rmx__span_release(&c),
             rmx_fail(err, RMX_EINTERRUPTED, "interrupted while looking for the next runs");
    size_t farthest = s->list.n;
    double max = RMX__MIN_OFF;
    for (size_t i = s->n_known; i < s->list.n; i++) {
      double off = rmx__span_distance(&c, s->list.X + i * s->D, NULL);
      if (off > max) max = off, farthest = i;
    }
    if (farthest == s->list.n || !rmx__span_add(&c, s->list.X + farthest * s->D)) break;
  }
  rmx__span_release(&c);
  return RMX_OK;
}

static rmx_status improve(suggester *s, rmx_suggestion *out, rmx__pick *picks, size_t *n_picked,
                          rmx_err *err) {
  size_t half = (size_t)s->o->candidates / 2, D = s->D, n_centres = 0;
  RMX_OWNED_BY(rmx__conditioned_release) rmx__conditioned b = {0};
  RMX_OWNED_BY(rmx__span_release) rmx__span span = {0};
  RMX_OWNED double *centres = rmx_calloc(CENTRES, D * sizeof(double)), *allowed = NULL;
  RMX_OWNED unsigned char *taken = NULL;
  if (!centres) return rmx_fail_memory(err, CENTRES * D * sizeof(double), "candidates");
  rmx__draw how = {s->prior, &s->set, s->o->grid, s->o->threads};
  RMX_TRY(rmx__candidates_around_prior(&s->list, &how, half, err));
  for (int time = 0; time < 2; time++) {
    RMX_TRY(lowest(s, centres, &n_centres, err));
    RMX_TRY(rmx__candidates_near(&s->list, &how, centres, n_centres, (half + 1) / 2, err));
  }
  size_t n = s->list.n;
  allowed = rmx_calloc(n, sizeof(double));
  taken = rmx_calloc(n, 1);
  if (!allowed || !taken) return rmx_fail_memory(err, n * sizeof(double), "candidates");
  RMX_TRY(count_untried(s, &out->untried, err));
  RMX_TRY(set_allowed(s, s->list.X, n, allowed, err));
  RMX_TRY(rmx__conditioned_make(&b, s->model->r, s->list.X, n, D,
                                s->o->n_pending + (size_t)s->o->runs, err));
  rmx__conditioned_scale(&b, s->model->scale);
  out->best = INFINITY;
  double best = INFINITY, worst = -INFINITY;
  for (size_t i = 0; i < n; i++) {
    const double *w = s->list.X + i * D;
    b.mean[i] += penalty(s, w);
    if (i >= s->n_known) continue;
    worst = fmax(worst, b.mean[i]);
    taken[i] = RMX__TAKEN;
    if (i >= s->n_runs) rmx__conditioned_add(&b, i, 0);
    if (allowed[i] < 0.5 || rmx_constraints_excess(&s->q->constraints, w) > SLACK) continue;
    best = fmin(best, b.mean[i]);
    if (i < s->n_runs) out->best = best;
  }
  // Where no run keeps all limits, a mixture that does and is no worse than any run is progress.
  if (!isfinite(best)) best = worst;
  RMX_TRY(rmx__span_make(&span, s->list.X, s->n_known, D, err));
  *n_picked = rmx__acquisition_batch(&b, s->list.X, best, allowed, MIN_APART, taken, &span,
                                     (size_t)s->o->runs, picks);
  if (!isfinite(out->best)) out->best = NAN;
  return RMX_OK;
}

static rmx_status spread(suggester *s, rmx__pick *picks, size_t *n_picked, rmx_err *err) {
  rmx__draw how = {s->prior, &s->set, s->o->grid, s->o->threads};
  RMX_TRY(rmx__candidates_around_prior(&s->list, &how, 2 * SPREAD_AMONG + (size_t)s->o->runs, err));
  size_t among = s->n_known + (SPREAD_AMONG > s->o->runs ? SPREAD_AMONG : (size_t)s->o->runs);
  size_t n = s->list.n < among ? s->list.n : among;
  RMX_OWNED_BY(rmx__conditioned_release) rmx__conditioned b = {0};
  RMX_OWNED unsigned char *taken = rmx_calloc(n, 1);
  if (!taken) return rmx_fail_memory(err, n, "candidates");
  RMX_TRY(
      rmx__conditioned_make(&b, NULL, s->list.X, n, s->D, s->n_known + (size_t)s->o->runs, err));
  for (size_t i = 0; i < s->n_known; i++) {
    taken[i] = RMX__TAKEN;
    rmx__conditioned_add(&b, i, 0);
  }
  RMX_TRY(rmx__acquisition_spread(&b, taken, (size_t)s->o->runs, picks, n_picked, err));
  for (size_t i = 0; i < *n_picked; i++) picks[i].expected = picks[i].sd = NAN;
  return RMX_OK;
}

static size_t different(const rmx_dataset *data, bool *constant) {
  size_t n = 0;
  *constant = true;
  for (size_t i = 0; i < data->N; i++) {
    bool seen = false;
    for (size_t k = 0; k < i && !seen; k++) seen = data->groups[k] == data->groups[i];
    n += !seen;
    *constant &= data->y[i] == data->y[0];
  }
  return n;
}

static rmx_status fill(const suggester *s, const rmx__pick *picks, bool spreads,
                       rmx_suggestion *out) {
  for (size_t i = 0; i < out->K; i++) {
    const rmx__pick *p = &picks[i];
    memcpy(out->mixtures + i * s->D, s->list.X + p->chosen * s->D, s->D * sizeof(double));
    out->predicted[i] = p->expected;
    out->sd[i] = p->sd;
    out->improvement[i] = p->improvement;
    out->why[i] = spreads      ? RMX_SUGGEST_SPREADS
                  : p->untried ? RMX_SUGGEST_UNTRIED
                               : RMX_SUGGEST_IMPROVES;
  }
  return RMX_OK;
}

// Sets out->why_not, by the rule that the optimum is weighed by. A fit that is too coarse for its
// runs, as trees may be, does not count where the model of the score predicts unseen runs.
static rmx_status weigh_fit(const suggester *s, const rmx_dataset *scored, uint64_t seed,
                            rmx_suggestion *out, rmx_err *err) {
  const rmx_target *t = &s->q->target;
  rmx_optimum o = {0};
  const rmx__task task = {.fit = s->fit, .problem = s->q, .prior = s->prior};
  RMX_TRY(rmx__check_what_was_learnt(&task, &o, err));
  double r2 = NAN;
  if (*o.why_not && !t->too_weak) RMX_TRY(rmx__score_model_r2(s->fit, t, scored, seed, &r2, err));
  if (!(r2 > 0)) memcpy(out->why_not, o.why_not, sizeof out->why_not);
  return RMX_OK;
}

static rmx_status suggest(suggester *s, uint64_t seed, rmx_suggestion *out, rmx_err *err) {
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  rmx_dataset scored = {0};
  RMX_OWNED_BY(rmx__score_model_release) rmx__score_model model = {0};
  RMX_OWNED rmx__pick *picks = rmx_calloc((size_t)s->o->runs, sizeof(*picks));
  size_t n_picked = 0;
  bool spreads = true, constant;
  if (!picks) return rmx_fail_memory(err, (size_t)s->o->runs * sizeof(*picks), "suggestions");
  if (s->fit->N > 0) {
    RMX_TRY(rmx__scored_runs(s->fit, &s->q->target, &arena, &scored, NULL, err));
    spreads = different(&scored, &constant) < MIN_RUNS;
    if (!spreads) RMX_TRY(weigh_fit(s, &scored, seed, out, err));
    spreads = spreads || constant || *out->why_not;
  }
  out->runs = scored.N;
  out->best = NAN;
  size_t candidates =
      spreads ? 2 * SPREAD_AMONG + (size_t)s->o->runs : (size_t)s->o->candidates + 2;
  RMX_TRY(begin_list(s, candidates, seed, err));
  if (spreads) {
    RMX_TRY(spread(s, picks, &n_picked, err));
  } else {
    RMX_TRY(rmx__score_model_make(&model, s->fit, &s->q->target, &scored, seed, err));
    s->model = &model;
    RMX_TRY(improve(s, out, picks, &n_picked, err));
  }
  if (n_picked < (size_t)s->o->runs)
    return rmx_fail(
        err, RMX_EINPUT,
        "found only %zu new mixture%s on the grid that keep%s the constraints, %lld were "
        "wanted: loosen the constraints, "
        "make the grid (%g) finer or ask for fewer",
        n_picked, rmx_s(n_picked), n_picked == 1 ? "s" : "", (long long)s->o->runs, s->o->grid);
  RMX_TRY(rmx__suggestion_make(out, n_picked, s->D, err));
  return fill(s, picks, spreads, out);
}

rmx_status rmx_suggest(const rmx_suggest_request *given, rmx_suggestion *out, rmx_err *err) {
  rmx_suggest_request request = *given;
  if (request.runs == 0) request.runs = DEFAULT_RUNS;
  if (request.candidates == 0)
    request.candidates =
        request.runs > DEFAULT_CANDIDATES / 4 ? 4 * request.runs : DEFAULT_CANDIDATES;
  if (request.grid == 0) request.grid = DEFAULT_GRID;
  const rmx_fit *fit = request.fit;
  const rmx_problem *problem = request.problem;
  const rmx_listener *listener = request.listener;
  *out = (rmx_suggestion){0};
  RMX_TRY(check(&request, err));
  size_t D = problem->constraints.D;
  rmx_fit none = {.D = D, .domains = (char **)request.domains};
  suggester s = {.fit = fit ? fit : &none,
                 .q = problem,
                 .o = &request,

                 .D = D};
  rmx_status status = set_prior(&s, err);
  if (status == RMX_OK)
    status = rmx__feasible_make(&s.set, s.fit, &problem->constraints, false, s.prior, NULL, err);
  if (status == RMX_OK) status = suggest(&s, request.seed, out, err);
  if (status == RMX_OK)
    status = rmx__suggestion_name(out, s.fit, request.taken, request.n_taken, err);
  if (status == RMX_OK && out->untried > 0) {
    rmx__suggestion_untried(out, s.fit->runs, s.fit->N, s.fit->domains, &problem->constraints);
    rmx_note(listener, "%zu direction%s in which no two runs differ%s%s%s: the first %s",
             out->untried, rmx_s(out->untried), out->untried_domains[0] ? " (" : "",
             out->untried_domains, out->untried_domains[0] ? ")" : "",
             out->untried == 1 ? "mixture covers it" : "mixtures cover them");
    if (out->untried > out->K)
      rmx_warn(listener, "trying every direction takes at least %zu runs; %zu %s suggested",
               out->untried, out->K, rmx_is(out->K));
  }
  rmx__feasible_release(&s.set);
  rmx__candidates_release(&s.list);
  free(s.prior);
  if (status != RMX_OK) rmx_suggestion_release(out);
  return status;
}
