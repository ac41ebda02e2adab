// SPDX-License-Identifier: Apache-2.0
// Aioli (Chen et al., "Aioli: A Unified Optimization Framework for Language Model Data Mixing",
// 2024, arXiv 2411.05735; its aioli_trainer.py): the online linear law. In rounds, the training of
// the large model learns how each domain changes each loss, and moves its mixture:
//   explore  in shuffled sweeps, s steps on each mixture that has h of domain j and the rest even;
//            the drops of the validation losses i meanwhile are added to D_ij
//   solve    D = A P^T, P the mixtures explored, h on the diagonal; A -= min(A, 0);  A /= sum A
//   move     p_j <- norm(p_j exp(eta sum_i A_ij)), and the rest of the round is drawn by p, at
//            first uniform
// P = a I + b 1 1^T with b = (1 - h) / (K - 1), a = h - b and a + K b = 1, so
//   A_ij = (D_ij - b sum_k D_ik) / a.
// In the form "code" (`smoothing` above 0), the moving mean of A with share `smoothing` of the old
// values moves the first mixture, so that no two weights ever differ by more than e^eta. Published
// for 2, 3 and 7 domains: h .625 .5 .75, sweeps 4 4 2, s 4 6 10 of rounds of 250 250 200 steps, eta
// .2 .1 1, smoothing .1 .5 .1. With 7 domains 140 of 200 steps explore. Here s is the same share of
// a round (one step or more, if 0.7 of the round or less then explores), and a short training has
// four rounds, or as many as fit.
//
// The goal: if the target names only training domains, its weighted loss; the rows of A are
// weighted, and domains without a weight are not evaluated. Otherwise the paper's goal, the mean
// loss of the training domains on their validation text; the method does not see a target outside
// them.
//
// Cost: (1 + K sweeps) validations per round, each a forward pass. If the budget does not pay for
// eval_tokens per domain, they are shorter.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "controller.h"

bool rmx__aioli_solve(const double *drop, const double *goal, size_t K, double one_hot, double *A) {
  const double b = (1 - one_hot) / (double)(K - 1), a = one_hot - b;
  double min = 0, sum = 0;
  for (size_t i = 0; i < K; i++) {
    double row = 0;
    for (size_t j = 0; j < K; j++) row += drop[i * K + j];
    for (size_t j = 0; j < K; j++) {
      A[i * K + j] = goal[i] > 0 ? (drop[i * K + j] - b * row) / a : 0;
      min = fmin(min, A[i * K + j]);
    }
  }
  for (size_t i = 0; i < K; i++)
    for (size_t j = 0; j < K; j++) sum += A[i * K + j] = goal[i] * (A[i * K + j] - min);
  if (!(sum > 0) || !isfinite(sum)) return false;
  for (size_t i = 0; i < K * K; i++) A[i] /= sum;
  return true;
}

// ---- the large model's training

struct rounds {
  const rmx_corpus *corpus;
  uint64_t seed;
  size_t K;
  double eta, one_hot, smoothing, flop_per_token;
  int64_t rounds, sweeps, explore, eval_tokens;  // explore: steps of one exploration
  rmx_stream *stream;
  double *goal, *start, *mixture, *before, *now;  // (K) each, one block
  double *drop, *A, *mean_A;                      // (K, K), after them
  size_t *order;                                  // (K) of the present sweep
  // rounds that changed the mixture; tokens of all evaluations
  double updates, looked;
  rmx__mean mean;
};

// Follows from (seed, round, sweep) alone.
static size_t domain_explored(struct rounds *s, int64_t round, int64_t exploration) {
  rmx_rng rng = rmx_rng_make(s->seed, (uint64_t)round, RMX_FOR_EXPLORATION);
  const int64_t K = (int64_t)s->K;
  for (int64_t sweep = 0; sweep <= exploration / K; sweep++) {
    for (size_t d = 0; d < s->K; d++) s->order[d] = d;
    rmx_rng_shuffle(&rng, s->order, s->K);
  }
  return s->order[exploration % K];
}

static void look(struct rounds *s, rmx_model *m, rmx_batch *scratch, float *losses) {
  for (size_t d = 0; d < s->K; d++) {
    if (!(s->goal[d] > 0)) continue;
    s->now[d] = rmx_evaluate(m, s->corpus, d, s->eval_tokens, scratch, losses);
    s->looked += (double)rmx_evaluate_tokens(s->corpus, d, s->eval_tokens);
  }
}

static void move(struct rounds *s) {
  const size_t K = s->K;
  for (size_t i = 0; i < K * K; i++) s->drop[i] /= (double)s->sweeps;
  if (!rmx__aioli_solve(s->drop, s->goal, K, s->one_hot, s->A)) return;
  const double old = s->updates > 0 ? s->smoothing : 0;
  for (size_t i = 0; i < K * K; i++) s->mean_A[i] = old * s->mean_A[i] + (1 - old) * s->A[i];
  s->updates++;
  double sum = 0;
  for (size_t j = 0; j < K; j++) {
    double gain = 0;
    for (size_t i = 0; i < K; i++) gain += s->mean_A[i * K + j];
    sum += s->mixture[j] = (s->smoothing > 0 ? s->start[j] : s->mixture[j]) * exp(s->eta * gain);
  }
  for (size_t j = 0; j < K; j++) s->mixture[j] /= sum;
}

static void explore_or_follow(struct rounds *s, int64_t round, int64_t done, rmx_model *m,
                              rmx_batch *scratch, float *losses) {
  const size_t K = s->K;
  look(s, m, scratch, losses);
  if (done == 0)
    memset(s->drop, 0, K * K * sizeof *s->drop);
  else {
    const size_t j = domain_explored(s, round, done - 1);
    for (size_t i = 0; i < K; i++) s->drop[i * K + j] += s->before[i] - s->now[i];
  }
  memcpy(s->before, s->now, K * sizeof *s->before);
  if (done == (int64_t)K * s->sweeps) {
    move(s);
    memcpy(s->stream->mixture, s->mixture, K * sizeof *s->mixture);
    return;
  }
  const size_t j = domain_explored(s, round, done);
  for (size_t d = 0; d < K; d++)
    s->stream->mixture[d] = d == j ? s->one_hot : (1 - s->one_hot) / (double)(K - 1);
}

static rmx_status aioli_before_step(void *context, rmx_model *m, int64_t step, int64_t steps,
                                    rmx_batch *scratch, float *losses, rmx_err *err) {
  (void)err;
  struct rounds *s = context;
  const int64_t length = steps / s->rounds;
  // the last takes what is left over
  const int64_t round = step / length < s->rounds ? step / length : s->rounds - 1;
  const int64_t at = step - round * length, done = at / s->explore;
  if (at % s->explore == 0 && done <= (int64_t)s->K * s->sweeps)
    explore_or_follow(s, round, done, m, scratch, losses);
  rmx__mean_add(&s->mean, s->stream->mixture);
  return RMX_OK;
}

static json_t *aioli_save(const void *context) {
  const struct rounds *s = context;
  const size_t K = s->K;
  return json_pack("{s:o, s:o, s:o, s:o, s:f, s:f, s:o}", "mixture",
                   rmx__state_numbers(s->mixture, K), "before", rmx__state_numbers(s->before, K),
                   "drop", rmx__state_numbers(s->drop, K * K), "mean_A",
                   rmx__state_numbers(s->mean_A, K * K), "updates", s->updates, "looked", s->looked,
                   "mean", rmx__mean_save(&s->mean));
}

static rmx_status aioli_load(void *context, const json_t *state, rmx_err *err) {
  static const char what[] = "the state of aioli";
  struct rounds *s = context;
  const size_t K = s->K;
  RMX_TRY(rmx__state_numbers_read(state, "mixture", s->mixture, K, what, err));
  RMX_TRY(rmx__state_numbers_read(state, "before", s->before, K, what, err));
  RMX_TRY(rmx__state_numbers_read(state, "drop", s->drop, K * K, what, err));
  RMX_TRY(rmx__state_numbers_read(state, "mean_A", s->mean_A, K * K, what, err));
  RMX_TRY(rmx__json_number(state, "updates", &s->updates, what, err));
  RMX_TRY(rmx__json_number(state, "looked", &s->looked, what, err));
  return rmx__mean_load(&s->mean, json_object_get(state, "mean"), what, err);
}

static json_t *aioli_report(const void *context) {
  const struct rounds *s = context;
  return json_pack("{s:o, s:o, s:f, s:o}", "mixture", rmx__mean_json(&s->mean, s->corpus->names),
                   "final", rmx_mixture_json(s->mixture, s->corpus->names, s->K), "updates",
                   s->updates, "A", rmx__state_numbers(s->mean_A, s->K * s->K));
}

static double aioli_flops(const void *context) {
  const struct rounds *s = context;
  return s->looked * s->flop_per_token / RMX_FORWARD_PASSES;
}

static void aioli_free(void *context) {
  struct rounds *s = context;
  if (!s) return;
  free(s->mean.sum);
  free(s->goal);
  free(s->order);
  free(s);
}

static rmx_status whole(const rmx_run *r, const char *key, int64_t *out, rmx_err *err) {
  double x;
  RMX_TRY(rmx__json_number(r->controller, key, &x, r->name, err));
  *out = (int64_t)x;
  return *out >= 1
             ? RMX_OK
             : rmx_fail(err, RMX_EINPUT, "run %s: \"%s\" is %g; wanted 1 or more", r->name, key, x);
}

static rmx_status read_settings(struct rounds *s, const rmx_run *r, rmx_err *err) {
  rmx_model_config model;
  RMX_TRY(rmx__json_number(r->controller, "eta", &s->eta, r->name, err));
  RMX_TRY(rmx__json_number(r->controller, "one_hot", &s->one_hot, r->name, err));
  RMX_TRY(rmx__json_number(r->controller, "smoothing", &s->smoothing, r->name, err));
  RMX_TRY(whole(r, "rounds", &s->rounds, err));
  RMX_TRY(whole(r, "sweeps", &s->sweeps, err));
  RMX_TRY(whole(r, "explore_steps", &s->explore, err));
  RMX_TRY(whole(r, "eval_tokens", &s->eval_tokens, err));
  RMX_TRY(rmx_training_model(&r->training, r->vocab, &model, err));
  s->flop_per_token = rmx_model_flop_per_token(&model, (int)r->training.context);
  if (s->K < 2 || !(s->one_hot > 1 / (double)s->K))
    return rmx_fail(err, RMX_EINPUT,
                    "run %s: \"one_hot\" is %g for %zu domains, which explores nothing; wanted "
                    "more than an even share",
                    r->name, s->one_hot, s->K);
  if ((int64_t)s->K * s->sweeps * s->explore >= rmx_training_steps(&r->training) / s->rounds)
    return rmx_fail(err, RMX_EINPUT, "run %s: a round has %lld steps, too few for its sweeps",
                    r->name, (long long)(rmx_training_steps(&r->training) / s->rounds));
  return RMX_OK;
}

static rmx_status make_state(struct rounds *s, const rmx_run *r, rmx_err *err) {
  const size_t K = s->K, n = 5 * K + 3 * K * K;
  s->goal = rmx_calloc(n, sizeof(double));
  s->order = rmx_calloc(K, sizeof *s->order);
  if (!s->goal || !s->order)
    return rmx_fail_memory(err, n * sizeof(double), "the law of a mixture");
  s->start = s->goal + K;
  s->mixture = s->goal + 2 * K;
  s->before = s->goal + 3 * K;
  s->now = s->goal + 4 * K;
  s->drop = s->goal + 5 * K;
  s->A = s->drop + K * K;
  s->mean_A = s->drop + 2 * K * K;
  memcpy(s->start, r->mixture, K * sizeof *s->start);
  memcpy(s->mixture, r->mixture, K * sizeof *s->mixture);
  RMX_TRY(rmx__state_numbers_read(r->controller, "goal", s->goal, K, r->name, err));
  RMX_TRY(rmx__mean_make(&s->mean, K, err));
  return rmx_stream_fixed(s->corpus, r->mixture, (int)r->training.context, r->seed, &s->stream,
                          err);
}

static rmx_status aioli_controller(const rmx_run *r, const rmx_corpus *corpus,
                                   const rmx_kernels *kernels, rmx_controller *out, rmx_err *err) {
  (void)kernels;
  struct rounds *s = rmx_calloc(1, sizeof *s);
  if (!s) return rmx_fail_memory(err, sizeof *s, "Aioli");
  *s = (struct rounds){.corpus = corpus, .K = r->D, .seed = r->seed};
  rmx_status status = read_settings(s, r, err);
  if (status == RMX_OK) status = make_state(s, r, err);
  if (status != RMX_OK) {
    aioli_free(s);
    return status;
  }
  *out = (rmx_controller){.context = s,
                          .stream = s->stream,
                          .before_step = aioli_before_step,
                          .save = aioli_save,
                          .load = aioli_load,
                          .report = aioli_report,
                          .flops = aioli_flops,
                          .free = aioli_free};
  return RMX_OK;
}

// ---- the plan: the settings with their defaults; there is no search

struct plan {
  double eta, one_hot;
  int64_t rounds, sweeps, explore, eval_tokens;
  bool target;  // the goal is the target, else the mean of the training domains
};

static bool target_is_inside(const rmx_comparison *c) {
  double inside = 0;
  for (size_t d = 0; d < c->corpus->D; d++) {
    if (d >= c->corpus->D_train && c->target[d] != 0) return false;
    if (c->target[d] < 0) return false;
    inside += c->target[d];
  }
  return inside > 0;
}

static double goal_of(const rmx_comparison *c, const struct plan *p, size_t d) {
  return p->target ? c->target[d] : 1 / (double)c->corpus->D_train;
}

// Steps of each exploration if the training has this number of rounds: `share` of a round, or one
// step if that is within `most`. One step is always left that follows the mixture.
static int64_t explore_steps(int64_t steps, int64_t rounds, double share, double max,
                             int64_t explorations) {
  const double length = (double)(steps / rounds);
  int64_t each = (int64_t)(share * length / (double)explorations);
  if (each < 1 && (double)explorations <= max * length) each = 1;
  const int64_t room = (steps / rounds - 1) / explorations;
  return each < room ? each : room;
}

static rmx_status plan_eval(const rmx_comparison *c, struct plan *p, rmx_err *err) {
  enum { LEAST = 128 };
  const size_t K = c->corpus->D_train;
  double flop, looked = 0;
  RMX_TRY(rmx__comparison_flop(c, c->large, &flop, err));
  for (size_t d = 0; d < K; d++) {
    if (rmx_evaluate_tokens(c->corpus, d, 0) == 0)
      return rmx_fail(err, RMX_EINPUT,
                      "aioli: \"%s\" has no validation text, and the method evaluates on it",
                      c->corpus->names[d]);
    looked += goal_of(c, p, d) > 0;
  }
  const double looks = (double)p->rounds * (double)(1 + (int64_t)K * p->sweeps),
               max = c->budget / (looks * looked * flop / RMX_FORWARD_PASSES);
  p->eval_tokens = c->options->aioli.eval_tokens;
  if ((double)p->eval_tokens > max) p->eval_tokens = (int64_t)max;
  if (p->eval_tokens >=
      (c->options->aioli.eval_tokens < LEAST ? c->options->aioli.eval_tokens : LEAST))
    return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "aioli: %.0f evaluations on %.0f domains leave %.0f validation tokens per domain "
                  "within %.3g FLOPs; lower aioli.rounds or aioli.sweeps, or raise compare.budget",
                  looks, looked, max, c->budget);
}

static rmx_status plan_of(const rmx_comparison *c, struct plan *p, rmx_err *err) {
  static const struct {
    size_t domains;
    double eta, one_hot, explore;
    int64_t sweeps, round;
  } published[] = {
      {2, 0.2, 0.625, 0.13, 4, 250}, {4, 0.1, 0.5, 0.29, 4, 250}, {SIZE_MAX, 1, 0.75, 0.7, 2, 200}};
  const rmx_aioli_options *o = &c->options->aioli;
  const size_t K = c->corpus->D_train;
  const int64_t steps = rmx_training_steps(c->large);
  size_t row = 0;
  while (K > published[row].domains) row++;
  *p = (struct plan){.eta = o->eta > 0 ? o->eta : published[row].eta,
                     .one_hot = o->one_hot > 0 ? o->one_hot : published[row].one_hot,
                     .sweeps = o->sweeps > 0 ? o->sweeps : published[row].sweeps,
                     .target = target_is_inside(c)};
  const double share = o->explore > 0 ? o->explore : published[row].explore,
               max = o->explore > 0 ? 0 : 0.7;
  const int64_t explorations = (int64_t)K * p->sweeps, by_length = steps / published[row].round;
  if (!(p->one_hot > 1 / (double)K))
    return rmx_fail(err, RMX_EINPUT,
                    "aioli: the explored domain gets a weight of %g, which is not above the even "
                    "share of %.3g; raise aioli.one_hot",
                    p->one_hot, 1 / (double)K);
  p->rounds = o->rounds > 0 ? o->rounds : by_length > 4 ? by_length : 4;
  // Fewer rounds rather than none, if their number is not set.
  while (o->rounds == 0 && p->rounds > 1 &&
         explore_steps(steps, p->rounds, share, max, explorations) < 1)
    p->rounds--;
  p->explore = explore_steps(steps, p->rounds, share, max, explorations);
  if (p->explore < 1)
    return rmx_fail(
        err, RMX_EINPUT,
        "aioli: %lld steps in %lld rounds are too few to explore %zu domains %lld times in %g of "
        "each round; lengthen the large training, or lower aioli.rounds or aioli.sweeps",
        (long long)steps, (long long)p->rounds, K, (long long)p->sweeps, fmax(share, max));
  return plan_eval(c, p, err);
}

static rmx_status aioli_check(const rmx_comparison *c, rmx_err *err) {
  struct plan p;
  RMX_TRY(rmx__check_ours("aioli", "large", c->large, err));
  RMX_TRY(rmx__check_domains(c, "aioli", c->large, err));
  return plan_of(c, &p, err);
}

static rmx_status aioli_find(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err) {
  const rmx_aioli_options *o = &c->options->aioli;
  const size_t K = c->corpus->D_train;
  struct plan p;
  RMX_TRY(rmx__baseline_result_make(c, out, err));
  RMX_TRY(plan_of(c, &p, err));
  json_t *goal = json_array();
  for (size_t d = 0; d < K; d++) {
    out->mixture[d] = 1 / (double)K;
    json_array_append_new(goal, json_real(goal_of(c, &p, d)));
  }
  out->controller =
      json_pack("{s:s, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:o}", "method", "aioli", "eta", p.eta,
                "one_hot", p.one_hot, "smoothing", o->smoothing, "rounds", (json_int_t)p.rounds,
                "sweeps", (json_int_t)p.sweeps, "explore_steps", (json_int_t)p.explore,
                "eval_tokens", (json_int_t)p.eval_tokens, "goal", goal);
  if (!out->controller) return rmx_fail_memory(err, 0, "a controller");
  json_object_set_new(out->notes, "form", json_string(o->smoothing > 0 ? "code" : "paper"));
  json_object_set_new(
      out->notes, "goal",
      json_string(p.target ? "the target" : "the mean loss of the training domains"));
  json_object_set_new(out->notes, "explored",
                      json_real((double)(p.rounds * p.explore * (int64_t)K * p.sweeps) /
                                (double)rmx_training_steps(c->large)));
  static const char *const kept[] = {"eta",    "one_hot",       "rounds",
                                     "sweeps", "explore_steps", "eval_tokens"};
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
    json_object_set(out->notes, kept[i], json_object_get(out->controller, kept[i]));
  return RMX_OK;
}

const rmx_baseline rmx__aioli = {
    .sees_target = true,
    .name = "aioli",
    .help =
        "chooses the mixture during the training: explores each domain, and raises the weights of "
        "those that lower the losses",
    .source = "Chen et al. 2024, arXiv 2411.05735",
    .suits =
        "Suits one long training without a search, if the model should be good on all training "
        "domains",
    .check = aioli_check,
    .find = aioli_find,
    .make_controller = aioli_controller,
};
