// SPDX-License-Identifier: Apache-2.0
// ODM (Albalak et al., "Efficient Online Data Mixing For Language Model Pre-Training", 2023, arXiv
// 2312.02406): each domain is an arm of a bandit, and its training loss is the reward, so domains
// with a high loss are drawn more. The large model chooses during its training; nothing is trained
// before. With K domains, t counted from the end of the warm-up,
//   eps_t = min(1 / K, sqrt(ln K / (K t))),  eps_0 = 1 / K
// form "paper", EXP3 with importance weights:
//   pi_t = (1 - K eps_t) softmax(eps_{t-1} R) + eps_t;
//   of domains drawn: R_i <- a R_i + (1 - a) loss_i / pi_i
// form "code" (data_sampling_utils.py, SmoothedMeanWeightUpdater):
//   pi_t = (1 - K eps_t) R / sum R + eps_t;
//   of domains drawn: R_i <- a R_i + (1 - a) exp(loss_i)
// In the warm-up, batches are drawn from the prior, and R stays 0. Published: a 0.9, warm-up 2 % of
// the steps.
//
// These parts differ. An optimiser step draws all its sequences in the shares pi (to within one
// sequence); the paper draws one random domain for each micro-batch. loss_i is the mean over the
// step's sequences of domain i. A domain that was never drawn has the mean reward of the others,
// not 0. `explore` scales the floor eps_t, not the rate eps_{t-1}. Until t = K ln K the mixture is
// uniform.
//
// Cost: none.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "controller.h"

static double rate(size_t K, int64_t t) {
  const double even = 1 / (double)K;
  return t < 1 ? even : fmin(even, sqrt(log((double)K) / ((double)K * (double)t)));
}

void rmx__odm_mixture(bool code, const double *reward, size_t K, int64_t t, double explore,
                      double *mixture) {
  const double floor_t = explore * rate(K, t), step = rate(K, t - 1);
  double max = -INFINITY, sum = 0;
  for (size_t i = 0; i < K; i++) max = fmax(max, reward[i]);
  for (size_t i = 0; i < K; i++)
    sum += mixture[i] = code ? (max > 0 ? reward[i] / max : 1) : exp(step * (reward[i] - max));
  for (size_t i = 0; i < K; i++)
    mixture[i] = (1 - (double)K * floor_t) * (mixture[i] / sum) + floor_t;
}

// The bandit outlives its stream, so that its result can be reported.
struct bandit {
  const rmx_corpus *corpus;
  bool code;
  double smoothing, explore;
  size_t K;
  int64_t step, steps, warmup;
  int64_t batch, given;    // sequences of a step, and those of this step so far
  double *reward, *known;  // (K) R as above, and the same with the mean where there is none
  double *times;           // (K) steps in which each gave a reward
  double *loss, *tokens;   // (K) of this step
  double *mixture;         // (K) of the stream
  rmx__mean mean;
};

// ---- the stream: the fixed one, whose mixture moves

struct stream {
  rmx_stream base;  // mixture and counts are those of `inner`
  rmx_stream *inner;
  struct bandit *bandit;
};

static rmx_status odm_next(rmx_stream *s, rmx_batch *into, rmx_err *err) {
  rmx_stream *inner = ((struct stream *)s)->inner;
  return inner->type->next(inner, into, err);
}

static json_t *odm_stream_save(const rmx_stream *s) {
  const rmx_stream *inner = ((const struct stream *)s)->inner;
  return inner->type->save(inner);
}

static rmx_status odm_stream_load(rmx_stream *s, const json_t *state, rmx_err *err) {
  rmx_stream *inner = ((struct stream *)s)->inner;
  return inner->type->load(inner, state, err);
}

static void odm_stream_free(rmx_stream *s) {
  struct stream *o = (struct stream *)s;
  o->bandit->mixture = NULL;
  o->inner->type->free(o->inner);
  free(o);
}

static void choose(struct bandit *b) {
  double mean = 0, n = 0;
  for (size_t i = 0; i < b->K; i++)
    if (b->times[i] > 0) mean += b->reward[i], n++;
  for (size_t i = 0; i < b->K; i++)
    b->known[i] = b->times[i] > 0 ? b->reward[i] : n > 0 ? mean / n : 0;
  rmx__odm_mixture(b->code, b->known, b->K, b->step - b->warmup, b->explore, b->mixture);
}

static void reward(struct bandit *b) {
  for (size_t i = 0; i < b->K; i++) {
    if (b->tokens[i] == 0) continue;
    const double loss = b->loss[i] / b->tokens[i];
    b->reward[i] = b->smoothing * b->reward[i] +
                   (1 - b->smoothing) * (b->code ? exp(loss) : loss / b->mixture[i]);
    b->times[i]++;
  }
}

static void odm_observe(rmx_stream *s, const rmx_batch *batch, const float *losses) {
  struct bandit *b = ((struct stream *)s)->bandit;
  const size_t T = (size_t)batch->T;
  for (size_t i = 0; i < (size_t)batch->B; i++) {
    for (size_t t = 0; t < T; t++) b->loss[batch->domain[i]] += (double)losses[i * T + t];
    b->tokens[batch->domain[i]] += (double)T;
  }
  b->given += batch->B;
  if (b->given < b->batch) return;
  rmx__mean_add(&b->mean, b->mixture);
  if (b->step >= b->warmup) reward(b);
  b->step++;
  b->given = 0;
  for (size_t i = 0; i < b->K; i++) b->loss[i] = b->tokens[i] = 0;
  if (b->step >= b->warmup && b->step < b->steps) choose(b);
}

static const rmx_stream_type odm_type = {"odm",           odm_next,        odm_observe,
                                         odm_stream_save, odm_stream_load, odm_stream_free};

static rmx_status make_stream(struct bandit *b, const rmx_run *r, rmx_stream **out, rmx_err *err) {
  struct stream *s = rmx_calloc(1, sizeof *s);
  if (!s) return rmx_fail_memory(err, sizeof *s, "a stream");
  const rmx_status status =
      rmx_stream_fixed(b->corpus, r->mixture, (int)r->training.context, r->seed, &s->inner, err);
  if (status != RMX_OK) {
    free(s);
    return status;
  }
  s->base = *s->inner;
  s->base.type = &odm_type;
  s->bandit = b;
  b->mixture = s->base.mixture;
  *out = &s->base;
  return RMX_OK;
}

// ---- the controller. It has state between steps alone, when the sums of a step are 0.

static json_t *odm_save(const void *context) {
  const struct bandit *b = context;
  return json_pack("{s:I, s:o, s:o, s:o}", "step", (json_int_t)b->step, "reward",
                   rmx__state_numbers(b->reward, b->K), "times", rmx__state_numbers(b->times, b->K),
                   "mean", rmx__mean_save(&b->mean));
}

static rmx_status odm_load(void *context, const json_t *state, rmx_err *err) {
  static const char what[] = "the state of odm";
  struct bandit *b = context;
  double step;
  RMX_TRY(rmx__json_number(state, "step", &step, what, err));
  RMX_TRY(rmx__state_numbers_read(state, "reward", b->reward, b->K, what, err));
  RMX_TRY(rmx__state_numbers_read(state, "times", b->times, b->K, what, err));
  b->step = (int64_t)step;
  return rmx__mean_load(&b->mean, json_object_get(state, "mean"), what, err);
}

static json_t *odm_report(const void *context) {
  const struct bandit *b = context;
  return json_pack("{s:o, s:o, s:o}", "mixture", rmx__mean_json(&b->mean, b->corpus->names),
                   "final", rmx_mixture_json(b->mixture, b->corpus->names, b->K), "reward",
                   rmx_mixture_json(b->reward, b->corpus->names, b->K));
}

static void odm_free(void *context) {
  struct bandit *b = context;
  if (!b) return;
  free(b->mean.sum);
  free(b->reward);
  free(b);
}

static rmx_status make_bandit(struct bandit *b, const rmx_run *r, rmx_err *err) {
  const char *form;
  double warmup;
  RMX_TRY(rmx__json_string(r->controller, "form", &form, r->name, err));
  RMX_TRY(rmx__json_number(r->controller, "smoothing", &b->smoothing, r->name, err));
  RMX_TRY(rmx__json_number(r->controller, "explore", &b->explore, r->name, err));
  RMX_TRY(rmx__json_number(r->controller, "warmup", &warmup, r->name, err));
  b->code = strcmp(form, "code") == 0;
  b->steps = rmx_training_steps(&r->training);
  b->batch = rmx_training_batch(&r->training);
  b->warmup = (int64_t)ceil(warmup * (double)b->steps);
  if (!(b->reward = rmx_calloc(5 * b->K, sizeof(double))))
    return rmx_fail_memory(err, 5 * b->K * sizeof(double), "rewards");
  b->known = b->reward + b->K;
  b->times = b->reward + 2 * b->K;
  b->loss = b->reward + 3 * b->K;
  b->tokens = b->reward + 4 * b->K;
  return rmx__mean_make(&b->mean, b->K, err);
}

static rmx_status odm_controller(const rmx_run *r, const rmx_corpus *corpus,
                                 const rmx_kernels *kernels, rmx_controller *out, rmx_err *err) {
  (void)kernels;
  struct bandit *b = rmx_calloc(1, sizeof *b);
  rmx_stream *stream = NULL;
  if (!b) return rmx_fail_memory(err, sizeof *b, "a bandit");
  *b = (struct bandit){.corpus = corpus, .K = r->D};
  rmx_status status = make_bandit(b, r, err);
  if (status == RMX_OK) status = make_stream(b, r, &stream, err);
  if (status != RMX_OK) {
    odm_free(b);
    return status;
  }
  if (b->warmup == 0) choose(b);
  *out = (rmx_controller){.context = b,
                          .stream = stream,
                          .save = odm_save,
                          .load = odm_load,
                          .report = odm_report,
                          .free = odm_free};
  return RMX_OK;
}

// ---- the search, which is none

static rmx_status odm_check(const rmx_comparison *c, rmx_err *err) {
  RMX_TRY(rmx__check_ours("odm", "large", c->large, err));
  return rmx__check_domains(c, "odm", c->large, err);
}

static rmx_status odm_find(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err) {
  const rmx_odm_options *o = &c->options->odm;
  RMX_TRY(rmx__baseline_result_make(c, out, err));
  memcpy(out->mixture, c->corpus->prior, c->corpus->D_train * sizeof *out->mixture);
  json_object_set_new(out->notes, "form", json_string(o->form));
  out->controller =
      json_pack("{s:s, s:s, s:f, s:f, s:f}", "method", "odm", "form", o->form, "smoothing",
                o->smoothing, "warmup", o->warmup, "explore", o->explore);
  return out->controller ? RMX_OK : rmx_fail_memory(err, 0, "a controller");
}

const rmx_baseline rmx__odm = {
    .name = "odm",
    .help =
        "chooses the mixture during the training, as a bandit whose rewards are the training "
        "losses of the domains",
    .source = "Albalak et al. 2023, arXiv 2312.02406",
    .suits =
        "Suits a single training without a search and without a target; domains with a high loss "
        "are drawn more, noise too",
    .check = odm_check,
    .find = odm_find,
    .make_controller = odm_controller,
};
