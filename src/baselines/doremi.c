// SPDX-License-Identifier: Apache-2.0
// DoReMi (Xie et al., "DoReMi: Optimizing Data Mixtures Speeds Up Language Model Pretraining",
// NeurIPS 2023, arXiv 2305.10429): a small proxy is trained by Group DRO against a reference of its
// own size; the mean of its domain weights is the mixture. Algorithm 1, with K domains and
// alpha_0 = 1/K, at each step t:
//   batch      drawn uniformly over the domains, independent of alpha
//   lambda_i   = mean over domain i's tokens of max(l_theta - l_ref, 0), clipped token by token
//   alpha_t    = (1 - c) norm(alpha_{t-1} exp(eta lambda)) + c / K
//   theta      steps on sum_i alpha_t,i (mean l_theta of domain i): form "paper"
//              or sum w l / sum w over the batch, w = alpha_t,i / (sampling share of i): form
//              "code" (trainer.py)
// The result is the mean of alpha_1 .. alpha_T ("code": alpha_0 too). In rounds, the result is the
// mixture of the next reference, until no weight changes by more than the tolerance. Published: eta
// 1, c 1e-3; the first reference is trained on the prior.
//
// A step is one micro-batch, so that it uses the alpha of its own batch. Every domain gives the
// same number of sequences, to within one. A domain that is not in a batch keeps its last lambda.
// Before its first lambda it gets the mean of the others, which hardly changes its share (the
// published code starts at ln V, and jumps). Its weight in the loss of that step goes to the
// others.
//
// Clipping token by token leaves a small excess on a domain that cannot be learnt, since two models
// differ on it by chance. When all else is learnt, such a domain gains weight.
//
// Cost of a round of D tokens: D (2 F + F / 3), where F is the FLOPs to train on a token. The
// budget determines D.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "controller.h"

void rmx__doremi_update(double *alpha, const double *lambda, size_t K, double eta,
                        double smoothing) {
  double max = -INFINITY, sum = 0;
  for (size_t i = 0; i < K; i++) max = fmax(max, eta * lambda[i]);
  for (size_t i = 0; i < K; i++) sum += alpha[i] *= exp(eta * lambda[i] - max);
  for (size_t i = 0; i < K; i++)
    alpha[i] = (1 - smoothing) * (alpha[i] / sum) + smoothing / (double)K;
}

// ---- the proxy's training

struct dro {
  const rmx_corpus *corpus;
  rmx__reference reference;
  bool code;
  double eta, smoothing;
  size_t K;
  // (K) each, one block; the last two are of the present batch
  double *alpha, *lambda, *excess, *tokens;
  double *shares;  // (K) by which batches are drawn
  rmx__mean mean;
  json_t *seen;   // (K) true if a domain has had a lambda
  double absent;  // pairs of a step and a domain that it lacked
  int64_t step, steps;
  double step_tokens;
  json_t *notes;  // with the track of alpha
};

static void remember(struct dro *s) {
  const int64_t every = s->steps > 50 ? s->steps / 50 : 1;
  rmx__mean_add(&s->mean, s->alpha);
  if (s->step % every == 0 || s->step == s->steps)
    rmx__track(s->notes, (double)s->step * s->step_tokens, s->alpha, s->corpus->names, s->K);
}

static void measure(struct dro *s, const rmx_batch *b, const float *losses) {
  const float *reference = rmx__reference_losses(&s->reference, b);
  const size_t T = (size_t)b->T;
  for (size_t i = 0; i < s->K; i++) s->excess[i] = s->tokens[i] = 0;
  for (size_t i = 0; i < (size_t)b->B; i++) {
    double sum = 0;
    for (size_t t = 0; t < T; t++)
      sum += fmax((double)losses[i * T + t] - (double)reference[i * T + t], 0);
    s->excess[b->domain[i]] += sum;
    s->tokens[b->domain[i]] += (double)T;
  }
}

static void update(struct dro *s) {
  double mean = 0, present = 0;
  for (size_t i = 0; i < s->K; i++) {
    if (s->tokens[i] == 0) continue;
    s->lambda[i] = s->excess[i] / s->tokens[i];
    json_array_set_new(s->seen, i, json_true());
    mean += s->lambda[i];
    present++;
  }
  for (size_t i = 0; i < s->K; i++)
    if (!json_is_true(json_array_get(s->seen, i))) s->lambda[i] = mean / present;
  s->absent += (double)s->K - present;
  rmx__doremi_update(s->alpha, s->lambda, s->K, s->eta, s->smoothing);
}

// Weights are 1 where alpha is uniform and counts are equal: such a step is a plain one, bit for
// bit.
static void dro_weigh(void *context, rmx_batch *b, const float *losses) {
  struct dro *s = context;
  const size_t T = (size_t)b->T;
  const double all = (double)b->B * (double)T;
  measure(s, b, losses);
  update(s);
  s->step++;
  remember(s);
  for (size_t i = 0; i < (size_t)b->B; i++) {
    const size_t d = (size_t)b->domain[i];
    const double w = s->alpha[d] * (s->code ? 1 / s->shares[d] : all / s->tokens[d]);
    for (size_t t = 0; t < T; t++) b->weights[i * T + t] = (float)w;
  }
}

static json_t *dro_save(const void *context) {
  const struct dro *s = context;
  return json_pack(
      "{s:o, s:o, s:O, s:o, s:f, s:f, s:I, s:o}", "alpha", rmx__state_numbers(s->alpha, s->K),
      "lambda", rmx__state_numbers(s->lambda, s->K), "seen", s->seen, "mean",
      rmx__mean_save(&s->mean), "absent", s->absent, "scored", s->reference.tokens, "step",
      (json_int_t)s->step, "track", json_deep_copy(json_object_get(s->notes, "track")));
}

static rmx_status dro_load(void *context, const json_t *state, rmx_err *err) {
  static const char what[] = "the state of doremi";
  struct dro *s = context;
  double step;
  RMX_TRY(rmx__state_numbers_read(state, "alpha", s->alpha, s->K, what, err));
  RMX_TRY(rmx__state_numbers_read(state, "lambda", s->lambda, s->K, what, err));
  RMX_TRY(rmx__mean_load(&s->mean, json_object_get(state, "mean"), what, err));
  RMX_TRY(rmx__json_number(state, "absent", &s->absent, what, err));
  RMX_TRY(rmx__json_number(state, "scored", &s->reference.tokens, what, err));
  RMX_TRY(rmx__json_number(state, "step", &step, what, err));
  if (json_array_size(json_object_get(state, "seen")) != s->K ||
      !json_is_array(json_object_get(state, "track")))
    return rmx_fail(err, RMX_EINPUT, "%s: \"seen\" or \"track\" is not a list", what);
  s->step = (int64_t)step;
  json_decref(s->seen);
  s->seen = json_deep_copy(json_object_get(state, "seen"));
  json_object_set_new(s->notes, "track", json_deep_copy(json_object_get(state, "track")));
  return s->seen ? RMX_OK : rmx_fail_memory(err, 0, what);
}

static json_t *dro_report(const void *context) {
  const struct dro *s = context;
  json_t *o = json_object();
  json_object_set_new(o, "mixture", rmx__mean_json(&s->mean, s->corpus->names));
  json_object_set_new(o, "final", rmx_mixture_json(s->alpha, s->corpus->names, s->K));
  json_object_set_new(o, "lambda", rmx_mixture_json(s->lambda, s->corpus->names, s->K));
  json_object_set_new(o, "absent",
                      json_real(s->step ? s->absent / (double)s->step / (double)s->K : 0));
  json_object_set(o, "track", json_object_get(s->notes, "track"));
  return o;
}

static double dro_flops(const void *context) {
  const struct dro *s = context;
  return s->reference.tokens * s->reference.flop_per_token;
}

static void dro_free(void *context) {
  struct dro *s = context;
  if (!s) return;
  rmx__reference_release(&s->reference);
  json_decref(s->seen);
  json_decref(s->notes);
  free(s->mean.sum);
  free(s->alpha);
  free(s);
}

static rmx_status read_settings(struct dro *s, const rmx_run *r, rmx_err *err) {
  const char *form;
  RMX_TRY(rmx__json_string(r->controller, "form", &form, r->name, err));
  RMX_TRY(rmx__json_number(r->controller, "eta", &s->eta, r->name, err));
  RMX_TRY(rmx__json_number(r->controller, "smoothing", &s->smoothing, r->name, err));
  s->code = strcmp(form, "code") == 0;
  if (rmx_training_micro_batch(&r->training) < rmx_training_batch(&r->training))
    return rmx_fail(
        err, RMX_EINPUT,
        "run %s: DoReMi needs steps of one micro-batch; set micro_tokens to batch_tokens or more",
        r->name);
  for (size_t d = 0; d < r->D; d++)
    if (!(r->mixture[d] > 0))
      return rmx_fail(err, RMX_EINPUT,
                      "run %s: DoReMi draws from every domain, but \"%s\" has weight 0; wanted a "
                      "weight above 0",
                      r->name, r->domains[d]);
  return RMX_OK;
}

static rmx_status make_state(struct dro *s, const rmx_run *r, rmx_err *err) {
  const size_t K = s->K;
  if (!(s->alpha = rmx_calloc(5 * K, sizeof(double))) || !(s->seen = json_array()) ||
      !(s->notes = json_object()))
    return rmx_fail_memory(err, 5 * K * sizeof(double), "the weights of domains");
  s->lambda = s->alpha + K;
  s->excess = s->alpha + 2 * K;
  s->tokens = s->alpha + 3 * K;
  s->shares = s->alpha + 4 * K;
  for (size_t i = 0; i < K; i++) {
    s->alpha[i] = 1 / (double)K;
    s->shares[i] = r->mixture[i];
    json_array_append_new(s->seen, json_false());
  }
  RMX_TRY(rmx__mean_make(&s->mean, K, err));
  rmx__track(s->notes, 0, s->alpha, s->corpus->names, K);
  if (s->code) rmx__mean_add(&s->mean, s->alpha);
  return RMX_OK;
}

static rmx_status doremi_controller(const rmx_run *r, const rmx_corpus *corpus,
                                    const rmx_kernels *kernels, rmx_controller *out, rmx_err *err) {
  struct dro *s = rmx_calloc(1, sizeof *s);
  if (!s) return rmx_fail_memory(err, sizeof *s, "DoReMi");
  *s = (struct dro){.corpus = corpus,
                    .K = r->D,
                    .steps = rmx_training_steps(&r->training),
                    .step_tokens = rmx__step_tokens(&r->training)};
  rmx_status status = read_settings(s, r, err);
  if (status == RMX_OK) status = make_state(s, r, err);
  if (status == RMX_OK) status = rmx__reference_open(r, kernels, &s->reference, err);
  if (status != RMX_OK) {
    dro_free(s);
    return status;
  }
  *out = (rmx_controller){.context = s,
                          .weigh = dro_weigh,
                          .save = dro_save,
                          .load = dro_load,
                          .report = dro_report,
                          .flops = dro_flops,
                          .free = dro_free};
  return RMX_OK;
}

// ---- the search

// Tokens of a reference and of a proxy, so that all rounds are within the budget: whole steps.
static rmx_status tokens_of(const rmx_comparison *c, double *tokens, rmx_err *err) {
  const rmx_training *t = c->proxy;
  double flop;
  RMX_TRY(rmx__comparison_flop(c, t, &flop, err));
  const double valid = 2 * rmx__comparison_all_valid_flops(c, t, flop);
  *tokens = (c->budget / (double)c->options->doremi.rounds - valid) /
            (flop * (2 + 1.0 / RMX_FORWARD_PASSES));
  *tokens = floor(*tokens / rmx__step_tokens(t)) * rmx__step_tokens(t);
  return RMX_OK;
}

static rmx_status doremi_check(const rmx_comparison *c, rmx_err *err) {
  double tokens;
  RMX_TRY(rmx__check_ours("doremi", "proxy", c->proxy, err));
  RMX_TRY(rmx__check_domains(c, "doremi", c->proxy, err));
  RMX_TRY(tokens_of(c, &tokens, err));
  return rmx__check_tokens(c, "doremi", c->proxy, tokens,
                           c->options->doremi.rounds > 1 ? "its references and proxies, in rounds,"
                                                         : "a reference and a proxy",
                           err);
}

// The proxy of one round; *result is its result.json.
static rmx_status train_proxy(const rmx_comparison *c, int64_t round, int64_t tokens,
                              const rmx_run *reference, json_t **result, rmx_baseline_result *out,
                              rmx_err *err) {
  const rmx_doremi_options *o = &c->options->doremi;
  const size_t K = c->corpus->D_train;
  rmx_training t = *c->proxy;
  t.tokens = tokens;
  t.micro_tokens = rmx_training_batch(&t) * t.context;
  char *name = rmx_format("doremi-%lld", (long long)round);
  double *uniform = rmx_calloc(K, sizeof *uniform);
  json_t *controller =
      json_pack("{s:s, s:s, s:f, s:f, s:o}", "method", "doremi", "form", o->form, "eta", o->eta,
                "smoothing", o->smoothing, "reference", rmx__reference_json(c, reference));
  rmx_run proxy = {0};
  rmx_status status = RMX_OK;
  if (!name || !uniform || !controller) {
    status = rmx_fail_memory(err, 0, "a proxy");
    json_decref(controller);
  }
  for (size_t i = 0; uniform && i < K; i++) uniform[i] = 1 / (double)K;
  if (status == RMX_OK)
    status = rmx__comparison_run(c, name, uniform, &t, c->seed, false, controller, &proxy, err);
  if (status == RMX_OK) status = rmx__comparison_train(c, &proxy, 1, "doremi", result, out, err);
  rmx_run_release(&proxy);
  free(uniform);
  free(name);
  return status;
}

// What the round's proxy found, put into the notes and into `mixture`; returns the most that a
// weight moved.
static double take_up(const rmx_comparison *c, const json_t *result, int64_t round, int64_t tokens,
                      json_t *notes, double *mixture) {
  const json_t *found = json_object_get(result, "steering"),
               *mean = json_object_get(found, "mixture");
  double moved = 0;
  for (size_t d = 0; d < c->corpus->D_train; d++) {
    const double w = json_number_value(json_object_get(mean, c->corpus->names[d]));
    moved = fmax(moved, fabs(w - mixture[d]));
    mixture[d] = w;
  }
  json_t *track = json_object_get(notes, "track"), *point;
  size_t i;
  json_array_foreach(json_object_get(found, "track"), i, point) {
    json_t *copy = json_deep_copy(point);
    json_object_set_new(copy, "tokens",
                        json_real((double)((round - 1) * tokens) +
                                  json_number_value(json_object_get(point, "tokens"))));
    json_array_append_new(track, copy);
  }
  json_array_append_new(json_object_get(notes, "moved"), json_real(moved));
  json_object_set(notes, "final", json_object_get(found, "final"));
  json_object_set(notes, "absent", json_object_get(found, "absent"));
  return moved;
}

static rmx_status doremi_find(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err) {
  const rmx_doremi_options *o = &c->options->doremi;
  double tokens;
  RMX_TRY(rmx__baseline_result_make(c, out, err));
  RMX_TRY(tokens_of(c, &tokens, err));
  json_object_set_new(out->notes, "form", json_string(o->form));
  json_object_set_new(out->notes, "tokens", json_real(tokens));
  json_object_set_new(out->notes, "moved", json_array());
  json_object_set_new(out->notes, "track", json_array());
  memcpy(out->mixture, c->corpus->prior, c->corpus->D_train * sizeof *out->mixture);
  out->converged = o->rounds > 1 ? RMX_NOT_CONVERGED : RMX_NO_ROUNDS;
  for (int64_t round = 1; round <= o->rounds && out->converged != RMX_CONVERGED; round++) {
    rmx_run reference = {0};
    json_t *result = NULL;
    RMX_TRY(rmx__comparison_reference(c, out->mixture, (int64_t)tokens, &reference, out, err));
    rmx_status status = train_proxy(c, round, (int64_t)tokens, &reference, &result, out, err);
    rmx_run_release(&reference);
    RMX_TRY(status);
    const double moved = take_up(c, result, round, (int64_t)tokens, out->notes, out->mixture);
    json_decref(result);
    if (o->rounds > 1 && moved <= o->tolerance) out->converged = RMX_CONVERGED;
    json_object_set_new(out->notes, "rounds", json_integer(round));
  }
  return rmx_mixture_normalise(out->mixture, c->corpus->D_train, err);
}

const rmx_baseline rmx__doremi = {
    .name = "doremi",
    .help =
        "trains a proxy with Group DRO, which raises the weights of domains where it is much worse "
        "than a reference, and takes the mean of the weights",
    .source = "Xie et al. 2023, arXiv 2305.10429",
    .suits =
        "Suits training without a target, if the loss on every domain should come near that of a "
        "reference",
    .check = doremi_check,
    .find = doremi_find,
    .make_controller = doremi_controller,
};
