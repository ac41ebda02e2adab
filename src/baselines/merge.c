// SPDX-License-Identifier: Apache-2.0
// Merging: DeMix (Li et al., 2026, arXiv 2602.00747) and MergeMix (Wang et al., 2026, arXiv
// 2601.17858). From a common start, one model is trained on each domain. The model of a mixture w
// is the average of their weights,
//   theta(w) = sum_p w_p theta_p,
// so thousands of mixtures get a loss without training. The result is the mixture whose averaged
// model has the lowest loss on the target.
//
// As in MergeMix, a branch is trained on its domain alone, with a constant learning rate and not
// for long, so that the branches stay near the start. (In DeMix about half of its text is general.)
// These parts differ. The published starts are models that were pre-trained at scale; here the
// start is a proxy trained on the prior with merge.start of the budget. The published searches fit
// a surrogate to the scores; here the search goes on in rounds, since a score is cheap and has no
// noise. The first round scores mixtures of a Dirichlet around the prior. Each later one scores
// points between the best mixture so far and new ones of the Dirichlet, each time half as far.
//
// The score of a mixture is a guess at the loss of a model that is trained on it: nothing ensures
// that averaging keeps the order of the mixtures. The method sees the validation text of the
// target.
//
// Cost: the start, a training and a validation per domain, and for each scored mixture a forward
// pass over the target's text and K multiplications and additions per weight. Memory: the weights
// of K + 1 models.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "climb.h"
#include "controller.h"
#include "passages.h"

enum { ROUNDS = 4, LEAST_MIXTURES = 16 };

// ---- a branch: a training that begins with the weights of the start

struct branch {
  rmx__reference start;
};

static rmx_status branch_before_step(void *context, rmx_model *m, int64_t step, int64_t steps,
                                     rmx_batch *scratch, float *losses, rmx_err *err) {
  (void)steps, (void)scratch, (void)losses, (void)err;
  struct branch *b = context;
  if (step == 0)
    memcpy(rmx_model_weights(m), rmx_model_weights(b->start.model),
           rmx_model_parameters(rmx_model_config_of(m)) * sizeof(float));
  rmx__reference_release(&b->start);
  return RMX_OK;
}

static void branch_free(void *context) {
  struct branch *b = context;
  if (b) rmx__reference_release(&b->start);
  free(b);
}

static rmx_status branch_controller(const rmx_run *r, const rmx_corpus *corpus,
                                    const rmx_kernels *kernels, rmx_controller *out, rmx_err *err) {
  (void)corpus;
  struct branch *b = rmx_calloc(1, sizeof *b);
  if (!b) return rmx_fail_memory(err, sizeof *b, "a branch");
  rmx_model_config own;
  rmx_status status = rmx_training_model(&r->training, r->vocab, &own, err);
  if (status == RMX_OK) status = rmx__reference_open(r, kernels, &b->start, err);
  if (status == RMX_OK &&
      rmx_model_parameters(rmx_model_config_of(b->start.model)) != rmx_model_parameters(&own))
    status = rmx_fail(err, RMX_EINPUT,
                      "run %s: its start has other sizes than its own model; run the method again",
                      r->name);
  if (status != RMX_OK) {
    branch_free(b);
    return status;
  }
  *out = (rmx_controller){.context = b, .before_step = branch_before_step, .free = branch_free};
  return RMX_OK;
}

// ---- what the budget pays for

struct merge {
  const rmx_comparison *c;
  size_t K, parameters;
  rmx_training branch;
  int64_t start_tokens;
  double flop, score_flops;  // of one scored mixture
  size_t mixtures;           // scored in all
  // while it scores
  rmx_model *model;
  float *each, *losses;  // (K, parameters); scratch
  rmx_batch batch;
  double *pool;  // (mixtures, K)
};

static void release(struct merge *g) {
  rmx_model_free(g->model);
  rmx_batch_release(&g->batch);
  free(g->each);
  free(g->losses);
  free(g->pool);
}

static double target_tokens(const rmx_comparison *c) {
  double tokens = 0;
  for (size_t d = 0; d < c->corpus->D; d++)
    if (c->target[d] != 0)
      tokens += (double)rmx_evaluate_tokens(c->corpus, d, c->options->merge.eval_tokens);
  return tokens;
}

static rmx_status afford(const rmx_comparison *c, struct merge *g, rmx_err *err) {
  const rmx_merge_options *o = &c->options->merge;
  rmx_model_config model;
  *g = (struct merge){.c = c, .K = c->corpus->D_train, .branch = *c->proxy};
  g->branch.eval_half = false;
  RMX_TRY(rmx_training_model(&g->branch, c->corpus->vocab, &model, err));
  g->parameters = rmx_model_parameters(&model);
  g->branch.schedule = (char *)"constant";  // borrowed, as in *c->proxy
  g->branch.lr = o->lr * rmx_training_lr(c->proxy, &model);
  RMX_TRY(rmx__comparison_flop(c, c->proxy, &g->flop, err));
  g->score_flops =
      target_tokens(c) * g->flop / RMX_FORWARD_PASSES + 2 * (double)g->K * (double)g->parameters;
  g->mixtures = (size_t)fmin((double)o->mixtures, floor(o->score * c->budget / g->score_flops));
  if (g->mixtures < LEAST_MIXTURES)
    return rmx_fail(err, RMX_EINPUT,
                    "merge: a share of %g of the budget pays for %zu scored mixtures, fewer than "
                    "%d; raise merge.score or --budget, or lower merge.eval_tokens",
                    o->score, g->mixtures, LEAST_MIXTURES);
  const double left = c->budget - (double)g->mixtures * g->score_flops;
  const double valid = c->proxy->eval_half ? 2 : 1;  // the start is a proxy like others
  RMX_TRY(
      rmx__budget_tokens(c, &g->branch, left * o->start, valid, "merge", 1, &g->start_tokens, err));
  return rmx__budget_tokens(c, &g->branch, left * (1 - o->start) / (double)g->K, 1, "merge", g->K,
                            &g->branch.tokens, err);
}

static rmx_status check(const rmx_comparison *c, rmx_err *err) {
  struct merge g;
  RMX_TRY(rmx__check_ours("merge", "proxy", c->proxy, err));
  RMX_TRY(rmx__check_domains(c, "merge", c->proxy, err));
  if (target_tokens(c) == 0)
    return rmx_fail(err, RMX_EINPUT,
                    "merge: no target is set; add `target: DOMAIN` to regmix.yaml");
  return afford(c, &g, err);
}

// ---- the models

static rmx_status make_branches(const struct merge *g, const rmx_run *start, rmx_run *runs,
                                rmx_err *err) {
  RMX_OWNED double *alone = rmx_calloc(g->K, sizeof *alone);
  if (!alone) return rmx_fail_memory(err, g->K * sizeof *alone, "a mixture");
  for (size_t p = 0; p < g->K; p++) {
    char name[32];
    snprintf(name, sizeof name, "merge-%03zu", p + 1);
    memset(alone, 0, g->K * sizeof *alone);
    alone[p] = 1;
    json_t *controller =
        json_pack("{s:s, s:o}", "method", "merge", "reference", rmx__reference_json(g->c, start));
    if (!controller) return rmx_fail_memory(err, 0, "a controller");
    RMX_TRY(rmx__comparison_run(g->c, name, alone, &g->branch, g->c->seed, true, controller,
                                &runs[p], err));
  }
  return RMX_OK;
}

// The weights of each branch, one after the other in g->each; and a model to score with.
static rmx_status read_models(struct merge *g, const rmx_run *runs, rmx_err *err) {
  const int B = (int)rmx_training_micro_batch(&g->branch), T = (int)g->branch.context;
  const size_t tokens = (size_t)B * (size_t)T;
  g->each = rmx_calloc(g->K * g->parameters, sizeof *g->each);
  g->losses = rmx_calloc(tokens, sizeof *g->losses);
  if (!g->each || !g->losses)
    return rmx_fail_memory(err, g->K * g->parameters * sizeof *g->each, "the models to merge");
  for (size_t p = 0; p < g->K; p++) {
    rmx_model_free(g->model);
    g->model = NULL;
    RMX_TRY(rmx__model_of_run(runs[p].folder, B, T, g->c->kernels, &g->model, err));
    memcpy(g->each + p * g->parameters, rmx_model_weights(g->model),
           g->parameters * sizeof *g->each);
  }
  RMX_TRY(rmx_model_threads(g->model, rmx__comparison_threads(g->c), err));
  return rmx_batch_make(&g->batch, B, T, err);
}

static rmx_status train_models(struct merge *g, rmx_baseline_result *out, rmx_err *err) {
  rmx_run start = {0};
  RMX_OWNED rmx_run *runs = rmx_calloc(g->K, sizeof *runs);
  if (!runs) return rmx_fail_memory(err, g->K * sizeof *runs, "the runs");
  RMX_TRY(rmx__comparison_reference(g->c, g->c->corpus->prior, g->start_tokens, &start, out, err));
  rmx_status status = make_branches(g, &start, runs, err);
  if (status == RMX_OK)
    status =
        rmx__comparison_train(g->c, runs, g->K, "merge: a model for each domain", NULL, out, err);
  if (status == RMX_OK) status = read_models(g, runs, err);
  for (size_t p = 0; p < g->K; p++) rmx_run_release(&runs[p]);
  rmx_run_release(&start);
  return status;
}

// ---- the search

static double score(struct merge *g, const double *w) {
  const rmx_comparison *c = g->c;
  float *theta = rmx_model_weights(g->model);
  memset(theta, 0, g->parameters * sizeof *theta);
  for (size_t p = 0; p < g->K; p++) {
    const float weight = (float)w[p], *from = g->each + p * g->parameters;
    if (weight == 0) continue;
    for (size_t i = 0; i < g->parameters; i++) theta[i] += weight * from[i];
  }
  double sum = 0;
  for (size_t d = 0; d < c->corpus->D; d++)
    if (c->target[d] != 0)
      sum += c->target[d] * rmx_evaluate(g->model, c->corpus, d, c->options->merge.eval_tokens,
                                         &g->batch, g->losses);
  return sum;
}

// Moves the new mixture i of a later round towards the best: by a quarter to all of `reach`.
static void approach(double *w, const double *best, size_t K, size_t i, double reach) {
  const double t = reach * (double)(i % 4 + 1) / 4;
  for (size_t p = 0; p < K; p++) w[p] = (1 - t) * best[p] + t * w[p];
}

static rmx_status search(struct merge *g, double *best, double *scores, rmx_err *err) {
  const size_t each = (g->mixtures + ROUNDS - 1) / ROUNDS;
  if (!(g->pool = rmx_calloc(g->mixtures * g->K, sizeof *g->pool)))
    return rmx_fail_memory(err, g->mixtures * g->K * sizeof *g->pool, "mixtures");
  RMX_TRY(rmx__climb_pool(g->c, g->mixtures, g->pool, err));
  memcpy(g->pool, g->c->corpus->prior, g->K * sizeof *g->pool);
  rmx_mixture_cap(g->pool, g->c->cap, g->K);
  scores[1] = INFINITY;
  for (size_t i = 0; i < g->mixtures; i++) {
    double *w = g->pool + i * g->K;
    if (rmx_interrupted())
      return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while scoring merged models");
    if (i >= each) approach(w, best, g->K, i, pow(0.5, (double)(i / each - 1)));
    const double x = score(g, w);
    if (i == 0) scores[0] = x;
    rmx_progress(g->c->listener, "merge: scoring mixtures", (double)(i + 1), (double)g->mixtures,
                 "mixtures", NULL);
    if (!(x < scores[1])) continue;
    scores[1] = x;
    memcpy(best, w, g->K * sizeof *best);
  }
  return isfinite(scores[1]) ? RMX_OK
                             : rmx_fail(err, RMX_ENUMERIC,
                                        "merge: no merged model has a finite loss; lower merge.lr");
}

static void take_notes(const struct merge *g, const double *scores, json_t *notes) {
  json_object_set_new(notes, "form", json_string("search in rounds over averaged models"));
  json_object_set_new(notes, "start_tokens", json_integer((json_int_t)g->start_tokens));
  json_object_set_new(notes, "branch_tokens", json_integer((json_int_t)g->branch.tokens));
  json_object_set_new(notes, "mixtures", json_integer((json_int_t)g->mixtures));
  json_object_set_new(notes, "score", json_real(scores[1]));
  json_object_set_new(notes, "score_of_prior", rmx__json_known(scores[0]));
  json_object_set_new(notes, "looked_at", json_string("the target's validation text"));
}

static rmx_status find(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err) {
  struct merge g;
  double scores[2] = {0};  // of the prior, of the best
  RMX_TRY(rmx__baseline_result_make(c, out, err));
  RMX_TRY(afford(c, &g, err));
  rmx_status status = train_models(&g, out, err);
  const double began = rmx_now();
  if (status == RMX_OK) status = search(&g, out->mixture, scores, err);
  out->wall_s += rmx_now() - began;
  out->flops += (double)g.mixtures * g.score_flops;
  if (status == RMX_OK) take_notes(&g, scores, out->notes);
  release(&g);
  return status;
}

const rmx_baseline rmx__merge = {
    .sees_target = true,
    .name = "merge",
    .help =
        "trains a model for each domain from a common start, and scores mixtures by averages of "
        "their weights",
    .source = "DeMix, arXiv 2602.00747, and MergeMix, arXiv 2601.17858, both 2026",
    .suits = "Suits a trained start, and the wish to score thousands of mixtures",
    .check = check,
    .find = find,
    .make_controller = branch_controller,
};
