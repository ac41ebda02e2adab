// SPDX-License-Identifier: Apache-2.0
// Token selection (Rho-1; Lin et al., "Rho-1: Not All Tokens Are What You Need", NeurIPS 2024,
// arXiv 2404.07965): the loss counts the tokens with the largest excess loss over a reference,
//   loss = sum over kept of l_theta / number kept,  kept = the top share `keep` by l_theta - l_ref,
// so tokens that are learnt already, or cannot be learnt, are skipped. Published: keep 0.6, and 0.7
// for 7B.
//
// These parts differ. Tokens are ranked in a micro-batch (the paper does not say where, and no
// training code was published); of equal tokens the first one is kept. The published runs continue
// a trained model. From scratch, the excess in the first steps only shows which tokens are easy for
// the reference, so all tokens count in a warm-up, a tenth of the steps. The published reference is
// tuned on text of high quality. Here it is a proxy trained on the prior, with the tokens that the
// budget pays for after its passes in the large run. The method does not choose between domains:
// the mixture is the prior.
//
// It skips noise as long as the model can learn from the reference. Once it knows as much, the
// excess is random, and noise is kept as often as it occurs (tests/unit/test_controller_answers.c).
//
// Cost: the reference, and its forward pass over each token of the large run after the warm-up.
// Skipped tokens save only their part of the backward pass of the head.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "controller.h"

// Floats in their order as numbers without sign.
static uint32_t order_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static uint32_t excess(const float *losses, const float *reference, size_t i) {
  return order_of(losses[i] - reference[i]);
}

void rmx__rho_select(const float *losses, const float *reference, size_t n, size_t keep,
                     float *weights) {
  // The greatest threshold that `keep` or more reach, bit by bit.
  uint32_t threshold = 0;
  for (uint32_t bit = 0x80000000u; bit; bit >>= 1) {
    size_t reach = 0;
    for (size_t i = 0; i < n; i++) reach += excess(losses, reference, i) >= (threshold | bit);
    if (reach >= keep) threshold |= bit;
  }
  size_t above = 0;
  for (size_t i = 0; i < n; i++) above += excess(losses, reference, i) > threshold;
  for (size_t i = 0; i < n; i++) {
    const uint32_t x = excess(losses, reference, i);
    weights[i] = x > threshold;
    if (x != threshold || above == keep) continue;
    weights[i] = 1;
    above++;
  }
}

// ---- the large model's training

struct selection {
  const rmx_corpus *corpus;
  rmx__reference reference;  // without a model where all tokens are kept
  double keep;
  size_t D;
  int64_t step, warmup;
  double *kept, *seen;  // (D) tokens after the warm-up, one block
};

static rmx_status rho_before_step(void *context, rmx_model *m, int64_t step, int64_t steps,
                                  rmx_batch *scratch, float *losses, rmx_err *err) {
  (void)m, (void)steps, (void)scratch, (void)losses, (void)err;
  ((struct selection *)context)->step = step;
  return RMX_OK;
}

static void rho_weigh(void *context, rmx_batch *b, const float *losses) {
  struct selection *s = context;
  if (!s->reference.model || s->step < s->warmup) return;
  const size_t T = (size_t)b->T, n = (size_t)b->B * T;
  const double keep = floor(s->keep * (double)n + 0.5);
  rmx__rho_select(losses, rmx__reference_losses(&s->reference, b), n, keep < 1 ? 1 : (size_t)keep,
                  b->weights);
  for (size_t i = 0; i < n; i++) {
    s->kept[b->domain[i / T]] += (double)b->weights[i];
    s->seen[b->domain[i / T]]++;
  }
}

static json_t *rho_save(const void *context) {
  const struct selection *s = context;
  return json_pack("{s:o, s:o, s:f}", "kept", rmx__state_numbers(s->kept, s->D), "seen",
                   rmx__state_numbers(s->seen, s->D), "scored", s->reference.tokens);
}

static rmx_status rho_load(void *context, const json_t *state, rmx_err *err) {
  static const char what[] = "the state of rho1";
  struct selection *s = context;
  RMX_TRY(rmx__state_numbers_read(state, "kept", s->kept, s->D, what, err));
  RMX_TRY(rmx__state_numbers_read(state, "seen", s->seen, s->D, what, err));
  return rmx__json_number(state, "scored", &s->reference.tokens, what, err);
}

// Which share of each domain's tokens counted, once they were chosen.
static json_t *rho_report(const void *context) {
  const struct selection *s = context;
  json_t *by_domain = json_object();
  double kept = 0, seen = 0;
  for (size_t d = 0; d < s->D; d++) {
    kept += s->kept[d];
    seen += s->seen[d];
    if (s->seen[d] > 0)
      json_object_set_new(by_domain, s->corpus->names[d], json_real(s->kept[d] / s->seen[d]));
  }
  return json_pack("{s:f, s:o}", "kept", seen > 0 ? kept / seen : 1.0, "kept_by_domain", by_domain);
}

static double rho_flops(const void *context) {
  const struct selection *s = context;
  return s->reference.tokens * s->reference.flop_per_token;
}

static void rho_free(void *context) {
  struct selection *s = context;
  if (!s) return;
  rmx__reference_release(&s->reference);
  free(s->kept);
  free(s);
}

static rmx_status make_selection(struct selection *s, const rmx_run *r, const rmx_kernels *kernels,
                                 rmx_err *err) {
  double warmup;
  RMX_TRY(rmx__json_number(r->controller, "keep", &s->keep, r->name, err));
  RMX_TRY(rmx__json_number(r->controller, "warmup", &warmup, r->name, err));
  s->warmup = (int64_t)ceil(warmup * (double)rmx_training_steps(&r->training));
  if (!(s->kept = rmx_calloc(2 * s->D, sizeof(double))))
    return rmx_fail_memory(err, 2 * s->D * sizeof(double), "counts");
  s->seen = s->kept + s->D;
  return s->keep < 1 ? rmx__reference_open(r, kernels, &s->reference, err) : RMX_OK;
}

static rmx_status rho_controller(const rmx_run *r, const rmx_corpus *corpus,
                                 const rmx_kernels *kernels, rmx_controller *out, rmx_err *err) {
  struct selection *s = rmx_calloc(1, sizeof *s);
  if (!s) return rmx_fail_memory(err, sizeof *s, "a selection");
  *s = (struct selection){.corpus = corpus, .D = r->D};
  const rmx_status status = make_selection(s, r, kernels, err);
  if (status != RMX_OK) {
    rho_free(s);
    return status;
  }
  *out = (rmx_controller){.context = s,
                          .before_step = rho_before_step,
                          .weigh = rho_weigh,
                          .save = rho_save,
                          .load = rho_load,
                          .report = rho_report,
                          .flops = rho_flops,
                          .free = rho_free};
  return RMX_OK;
}

// ---- the search: the reference

// What the budget leaves for it after its passes in the large run, in whole steps.
static rmx_status tokens_of(const rmx_comparison *c, double *tokens, rmx_err *err) {
  const rmx_rho_options *o = &c->options->rho;
  const double large = rmx__step_tokens(c->large) * (double)rmx_training_steps(c->large);
  double flop;
  RMX_TRY(rmx__comparison_flop(c, c->proxy, &flop, err));
  const double passes = large * (1 - o->warmup) * flop / RMX_FORWARD_PASSES;
  *tokens = (c->budget - passes - rmx__comparison_all_valid_flops(c, c->proxy, flop)) / flop;
  *tokens = floor(*tokens / rmx__step_tokens(c->proxy)) * rmx__step_tokens(c->proxy);
  return RMX_OK;
}

static rmx_status rho_check(const rmx_comparison *c, rmx_err *err) {
  double tokens;
  RMX_TRY(rmx__check_ours("rho1", "large", c->large, err));
  if (c->options->rho.keep >= 1) return RMX_OK;  // nothing to rank
  RMX_TRY(rmx__check_ours("rho1", "proxy", c->proxy, err));
  RMX_TRY(tokens_of(c, &tokens, err));
  return rmx__check_tokens(c, "rho1", c->proxy, tokens,
                           "the passes of its reference in the large run", err);
}

static rmx_status train_reference(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err) {
  rmx_run reference = {0};
  double tokens;
  RMX_TRY(tokens_of(c, &tokens, err));
  RMX_TRY(rmx__comparison_reference(c, c->corpus->prior, (int64_t)tokens, &reference, out, err));
  json_object_set_new(out->controller, "reference", rmx__reference_json(c, &reference));
  rmx_run_release(&reference);
  json_object_set_new(out->notes, "reference", json_string("the proxy on the natural mixture"));
  json_object_set_new(out->notes, "reference_tokens", json_real(tokens));
  return RMX_OK;
}

static rmx_status rho_find(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err) {
  const rmx_rho_options *o = &c->options->rho;
  RMX_TRY(rmx__baseline_result_make(c, out, err));
  memcpy(out->mixture, c->corpus->prior, c->corpus->D_train * sizeof *out->mixture);
  json_object_set_new(out->notes, "keep", json_real(o->keep));
  json_object_set_new(out->notes, "ranked_in", json_string("micro-batch"));
  out->controller =
      json_pack("{s:s, s:f, s:f}", "method", "rho1", "keep", o->keep, "warmup", o->warmup);
  if (!out->controller) return rmx_fail_memory(err, 0, "a controller");
  return o->keep < 1 ? train_reference(c, out, err) : RMX_OK;
}

const rmx_baseline rmx__rho1 = {
    .name = "rho1",
    .help = "selects tokens: only those with the largest excess loss over a reference model count",
    .source = "Lin et al. 2024, arXiv 2404.07965",
    .suits = "Suits documents with noise inside them, if the mixture is already chosen",
    .check = rho_check,
    .find = rho_find,
    .make_controller = rho_controller,
};
