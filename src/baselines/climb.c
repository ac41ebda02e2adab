// SPDX-License-Identifier: Apache-2.0
// CLIMB (Diao et al., "CLIMB: CLustering-based Iterative Data Mixture Bootstrapping for Language
// Model Pre-training", 2025, arXiv 2504.13161), its search: rounds of propose, train, fit. Each
// round proposes mixtures near the best predictions of the fit to all runs so far.
//   round 1      n_1 mixtures from a Dirichlet on the token counts are trained
//   round r > 1  trees fitted to all runs so far rank a pool of mixtures; n_r of the best climb.top
//                of it are drawn at random among those not trained yet, and trained
//   end          trees fitted to all runs; the best predicted mixture of the pool
// n_r halves from round to round, 4 : 2 : 1 of climb.rounds = 3 (64, 32, 16 there).
//
// The trees are as published: depth 4 or less, 5 runs or more per leaf, L1 and L2 penalties (1e-3
// and 1 here; the paper does not give them). Cross-validation inside the runs chooses the number of
// trees; in the paper a validation split does. The paper does not say from which share of the
// ranking it draws (climb.top). The domains are those of the corpus, without clustering and quality
// filters. The score is the target's sum of losses, with a fit for each of its domains. `converged`
// means that the last round moved the best mixture by 1 % of the tokens or less. Trees are
// piecewise constant: `ties` counts the mixtures of the pool with the best prediction, and the
// first of them is used. The best prediction is optimistic.
//
// Cost: N (D F + validation) with the D tokens of the proxies. The budget determines N.
#include "climb.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "comparison.h"
#include "regress/fit.h"

enum { MIN_FIRST = 10 };  // trees with 5 runs per leaf cannot split fewer
static const double at_rest = 0.01;

rmx_status rmx__climb_pool(const rmx_comparison *c, size_t n, double *pool, rmx_err *err) {
  const size_t D = c->corpus->D_train;
  const rmx_sample_options *s = c->sample;
  RMX_OWNED double *alpha = rmx_calloc(D, sizeof *alpha);
  if (!alpha) return rmx_fail_memory(err, D * sizeof *alpha, "a mixture");
  for (size_t i = 0; i < n; i++) {
    const double t =
        s->strengths > 1 ? (double)(i % (size_t)s->strengths) / (double)(s->strengths - 1) : 0;
    const double strength = s->min_strength * pow(s->max_strength / s->min_strength, t);
    rmx_rng rng = rmx_rng_make(c->seed, i, RMX_FOR_CANDIDATES);
    for (size_t d = 0; d < D; d++) alpha[d] = strength * c->corpus->prior[d];
    rmx_dirichlet(&rng, alpha, D, pool + i * D);
    rmx_mixture_cap(pool + i * D, c->cap, D);
  }
  return RMX_OK;
}

rmx_status rmx__climb_regress(rmx_regress_options *out, rmx_err *err) {
  RMX_TRY(rmx__regressor_defaults("trees", out, err));
  out->trees.rounds = 0;
  out->trees.max_depth = 4;
  out->trees.leaves = 16;
  out->trees.min_data_in_leaf = 5;
  out->trees.lambda_l1 = 1e-3;
  out->trees.lambda_l2 = 1;
  return RMX_OK;
}

size_t rmx__climb_share(size_t N, size_t rounds, size_t r) {
  double before = 0, weight = 1, sum = 0;
  for (size_t i = 0; i < rounds; i++, weight /= 2) {
    before += i < r ? weight : 0;
    sum += weight;
  }
  const double mine = pow(0.5, (double)r);
  return (size_t)(llround((before + mine) / sum * (double)N) - llround(before / sum * (double)N));
}

static rmx_status afford(const rmx_comparison *c, size_t *N, rmx_err *err) {
  const rmx_training t = rmx__comparison_proxy(c);
  const size_t rounds = (size_t)c->options->climb.rounds;
  double flop;
  RMX_TRY(rmx__comparison_flop(c, &t, &flop, err));
  const double tokens = (double)(rmx_training_steps(&t) * rmx_training_batch(&t) * t.context);
  const double cost = tokens * flop + rmx__comparison_valid_flops(c, &t, flop);
  size_t min = MIN_FIRST;
  while (min < 1 << 20 && (rmx__climb_share(min, rounds, 0) < MIN_FIRST ||
                           rmx__climb_share(min, rounds, rounds - 1) < 1))
    min++;
  *N = (size_t)fmin(1e6, floor(c->budget / cost * (1 + 1e-12)));
  if (*N >= min) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "climb: the budget of %.3g FLOPs pays for %zu proxies, but %zu rounds, with %d "
                  "or more proxies in the first, need %zu; raise --budget to %.3g, lower "
                  "climb.rounds or use a smaller proxy",
                  c->budget, *N, rounds, MIN_FIRST, min, (double)min * cost);
}

static rmx_status check(const rmx_comparison *c, rmx_err *err) {
  size_t N;
  if (c->corpus->D_train < 2)
    return rmx_fail(err, RMX_EINPUT,
                    "climb: the corpus has one domain; a mixture needs two or more");
  RMX_TRY(afford(c, &N, err));
  // A mixture trained is not drawn again: the pool must last.
  if ((double)N > (double)c->options->climb.pool)
    return rmx_fail(err, RMX_EINPUT,
                    "climb: a pool of %lld mixtures is too small for %zu runs; raise climb.pool",
                    (long long)c->options->climb.pool, N);
  return RMX_OK;
}

// ---- a round

struct climb {
  const rmx_comparison *c;
  rmx_training training;
  size_t N, n;    // runs in all, runs so far
  rmx_run *runs;  // (N)
  size_t P;
  double *pool;                       // (P, D)
  double *score;                      // (P) predicted
  size_t *order;                      // (P) best first
  bool *trained;                      // (P)
  double tokens, predicted, *column;  // (P) scratch
  size_t ties;
};

static void release(struct climb *k) {
  for (size_t i = 0; k->runs && i < k->N; i++) rmx_run_release(&k->runs[i]);
  free(k->runs);
  free(k->pool);
  free(k->score);
  free(k->order);
  free(k->trained);
  free(k->column);
}

static rmx_status prepare(const rmx_comparison *c, struct climb *k, rmx_err *err) {
  *k = (struct climb){
      .c = c, .training = rmx__comparison_proxy(c), .P = (size_t)c->options->climb.pool};
  RMX_TRY(afford(c, &k->N, err));
  k->runs = rmx_calloc(k->N, sizeof *k->runs);
  k->pool = rmx_calloc(k->P * c->corpus->D_train, sizeof *k->pool);
  k->score = rmx_calloc(k->P, sizeof *k->score);
  k->order = rmx_calloc(k->P, sizeof *k->order);
  k->trained = rmx_calloc(k->P, sizeof *k->trained);
  k->column = rmx_calloc(k->P, sizeof *k->column);
  if (!k->runs || !k->pool || !k->score || !k->order || !k->trained || !k->column)
    return rmx_fail_memory(err, k->P * c->corpus->D_train * sizeof *k->pool, "a pool of mixtures");
  return rmx__climb_pool(c, k->P, k->pool, err);
}

struct candidate {
  double score;
  size_t index;
};

static int best_first(const void *a, const void *b) {
  const struct candidate *x = a, *y = b;
  if (x->score != y->score) return x->score < y->score ? -1 : 1;
  return x->index < y->index ? -1 : x->index > y->index;
}

static rmx_status sort_pool(struct climb *k, rmx_err *err) {
  RMX_OWNED struct candidate *list = rmx_calloc(k->P, sizeof *list);
  if (!list) return rmx_fail_memory(err, k->P * sizeof *list, "a ranking");
  for (size_t i = 0; i < k->P; i++) list[i] = (struct candidate){k->score[i], i};
  qsort(list, k->P, sizeof *list, best_first);
  for (size_t i = 0; i < k->P; i++) k->order[i] = list[i].index;
  for (k->ties = 0; k->ties < k->P && list[k->ties].score == list[0].score;) k->ties++;
  k->predicted = list[0].score;
  return RMX_OK;
}

// Ranks the pool by a fit to all runs so far.
static rmx_status rank(struct climb *k, rmx_fit **out, rmx_err *err) {
  rmx_comparison own = *k->c;
  own.swarm = k->runs;
  own.swarm_n = k->n;
  own.budget = INFINITY;
  rmx_baseline_result counted = {0};  // these runs have been, when they were trained
  rmx_regress_options regress = {0};
  RMX_TRY(rmx__climb_regress(&regress, err));
  rmx_status status = rmx__swarm_fit(&own, &regress, &counted, out, err);
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &regress);
  rmx_baseline_result_release(&counted);
  if (status != RMX_OK) return status;
  memset(k->score, 0, k->P * sizeof *k->score);
  for (size_t m = 0; m < (*out)->M; m++) {
    size_t d;
    RMX_TRY(rmx_find_name("metric", (*out)->metrics[m], own.corpus->names, own.corpus->D, &d, err));
    rmx_regressor_predict((*out)->regressors[m], k->pool, k->P, k->column, NULL);
    for (size_t i = 0; i < k->P; i++) k->score[i] += own.target[d] * k->column[i];
  }
  return sort_pool(k, err);
}

// n mixtures (n, D), drawn at random among the best of the pool.
static void draw(struct climb *k, size_t round, size_t n, double *mixtures) {
  const size_t D = k->c->corpus->D_train;
  size_t max = (size_t)ceil(k->c->options->climb.top * (double)k->P), m = 0;
  if (max < n) max = n;
  size_t *list = k->order;
  for (size_t i = 0; i < k->P && m < max; i++)
    // m <= i: what is overwritten has been looked at
    if (!k->trained[k->order[i]]) list[m++] = k->order[i];
  rmx_rng rng = rmx_rng_make(k->c->seed, k->P + round, RMX_FOR_CANDIDATES);
  rmx_rng_shuffle(&rng, list, m);
  for (size_t i = 0; i < n; i++) {
    memcpy(mixtures + i * D, k->pool + list[i] * D, D * sizeof *mixtures);
    k->trained[list[i]] = true;
  }
}

static rmx_status propose(struct climb *k, size_t round, size_t n, double *mixtures, rmx_err *err) {
  const rmx_comparison *c = k->c;
  if (round > 0) {
    draw(k, round, n, mixtures);
    return RMX_OK;
  }
  rmx_sample_options sample = *c->sample;
  sample.runs = (int64_t)n;
  sample.temper = 1;
  return rmx_sample_mixtures(&sample, c->corpus->prior, c->cap, c->corpus->names,
                             c->corpus->D_train, c->seed, mixtures, err);
}

static rmx_status train_round(struct climb *k, size_t round, size_t n, rmx_baseline_result *out,
                              rmx_err *err) {
  const size_t D = k->c->corpus->D_train;
  double *mixtures = rmx_calloc(n * D, sizeof *mixtures);
  rmx_status status = mixtures ? propose(k, round, n, mixtures, err)
                               : rmx_fail_memory(err, n * D * sizeof *mixtures, "mixtures");
  for (size_t i = 0; i < n && status == RMX_OK; i++) {
    char name[48];
    snprintf(name, sizeof name, "climb-%zu-%03zu", round + 1, i + 1);
    status = rmx__comparison_run(k->c, name, mixtures + i * D, &k->training, k->c->seed, false,
                                 NULL, &k->runs[k->n + i], err);
  }
  free(mixtures);
  char what[48];
  snprintf(what, sizeof what, "climb: round %zu", round + 1);
  if (status == RMX_OK)
    status = rmx__comparison_train(k->c, k->runs + k->n, n, what, NULL, out, err);
  k->n += n;
  k->tokens += (double)n * (double)k->training.tokens;
  return status;
}

static rmx_status find(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err) {
  const size_t D = c->corpus->D_train, rounds = (size_t)c->options->climb.rounds;
  struct climb k;
  RMX_TRY(rmx__baseline_result_make(c, out, err));
  rmx_status status = prepare(c, &k, err);
  double moved = NAN;
  for (size_t r = 0; r < rounds && status == RMX_OK; r++) {
    rmx_fit *fit = NULL;
    status = train_round(&k, r, rmx__climb_share(k.N, rounds, r), out, err);
    const double began = rmx_now();
    if (status == RMX_OK) status = rank(&k, &fit, err);
    out->wall_s += rmx_now() - began;
    if (status == RMX_OK) {
      const double *best = k.pool + k.order[0] * D;
      moved = 0;
      for (size_t d = 0; d < D; d++) moved += fabs(best[d] - out->mixture[d]) / 2;
      memcpy(out->mixture, best, D * sizeof *best);
      rmx__track(out->notes, k.tokens, best, c->corpus->names, D);
      const double rho = fit->cv[0].spearman;
      json_object_set_new(out->notes, "spearman_out_of_fold", rmx__json_known(rho));
    }
    rmx_fit_free(fit);
  }
  if (status == RMX_OK) {
    if (rounds > 1) out->converged = moved <= at_rest ? RMX_CONVERGED : RMX_NOT_CONVERGED;
    if (rounds > 1) json_object_set_new(out->notes, "moved", json_real(moved));
    json_object_set_new(out->notes, "form",
                        json_string("the search of the paper, on the domains of the corpus"));
    json_object_set_new(out->notes, "runs", json_integer((json_int_t)k.N));
    json_object_set_new(out->notes, "rounds", json_integer((json_int_t)rounds));
    json_object_set_new(out->notes, "predicted", json_real(k.predicted));
    json_object_set_new(out->notes, "ties", json_integer((json_int_t)k.ties));
  }
  release(&k);
  return status;
}

const rmx_baseline rmx__climb = {
    // rmx__climb is the search of optimize
    .sees_target = true,
    .name = "climb",
    .help =
        "fits in rounds: each round fits all runs so far, and trains new ones among the best "
        "predicted mixtures",
    .source = "Diao et al. 2025, arXiv 2504.13161",
    .suits = "Suits a budget for many proxies, most of which should be near the answer",
    .check = check,
    .find = find,
};
