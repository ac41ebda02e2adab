// SPDX-License-Identifier: Apache-2.0
// The methods that control a training: their steps against numbers; where they must do nothing,
// that they are plain training bit for bit; that a stopped run goes on with the same bits; what
// they spend; what they refuse before any training.
#include "base/json.h"
#include "comparison_corpus.h"

#include "baselines/controller.h"

// ---- the step of each, against numbers

START_TEST(doremi_moves_its_weights_as_published) {
  const double lambda[3] = {0.3, 0.1, 0},
               wanted[2][3] = {{0.39064, 0.31989, 0.28948}, {0.45045, 0.30211, 0.24744}};
  double alpha[3] = {1.0 / 3, 1.0 / 3, 1.0 / 3};
  for (int t = 0; t < 2; t++) {
    rmx__doremi_update(alpha, lambda, 3, 1, 1e-3);
    for (int i = 0; i < 3; i++) ck_assert_double_eq_tol(alpha[i], wanted[t][i], 5e-6);
  }
  double still[3] = {1.0 / 3, 1.0 / 3, 1.0 / 3};
  for (int t = 0; t < 1000; t++) rmx__doremi_update(still, lambda, 3, 0, 1e-3);
  for (int i = 0; i < 3; i++) ck_assert_double_eq_tol(still[i], 1.0 / 3, 1e-15);
  double far[2] = {0.5, 0.5};
  rmx__doremi_update(far, (const double[2]){2000, 0}, 2, 1, 0.1);  // exp(2000) is no number
  ck_assert_double_eq_tol(far[0], 0.95, 1e-12);
}
END_TEST

START_TEST(odm_mixes_as_published) {
  double p[4];
  rmx__odm_mixture(false, (const double[2]){1, 2}, 2, 4, 1, p);
  ck_assert_double_eq_tol(p[0], 0.4653840, 1e-6);
  ck_assert_double_eq_tol(p[1], 0.5346160, 1e-6);
  rmx__odm_mixture(true, (const double[2]){1, 3}, 2, 4, 1, p);
  ck_assert_double_eq_tol(p[0], 0.3971763, 1e-6);
  // Uniform before K ln K steps, whatever the rewards: 4 ln 4 = 5.5.
  rmx__odm_mixture(false, (const double[4]){1, 9, 2, 0}, 4, 5, 1, p);
  for (int i = 0; i < 4; i++) ck_assert_double_eq_tol(p[i], 0.25, 1e-12);
  // Equal rewards: uniform, at any time, with or without exploration.
  for (int t = 0; t < 100; t += 33)
    for (int code = 0; code < 2; code++) {
      rmx__odm_mixture(code, (const double[4]){7, 7, 7, 7}, 4, t, code, p);
      for (int i = 0; i < 4; i++) ck_assert(p[i] == 0.25);
    }
  // Without exploration nothing is kept for who earns nothing.
  rmx__odm_mixture(true, (const double[2]){0, 3}, 2, 1000, 0, p);
  ck_assert(p[0] == 0 && p[1] == 1);
}
END_TEST

START_TEST(aioli_solves_for_the_law) {
  enum { K = 3 };
  const double A[K][K] = {{0.2, 0.1, 0}, {0.05, 0.3, 0.05}, {0, 0.1, 0.2}}, h = 0.5, rest = 0.25,
               even[K] = {1.0 / 3, 1.0 / 3, 1.0 / 3};
  double drop[K * K] = {0}, found[K * K];
  for (int i = 0; i < K; i++)
    for (int j = 0; j < K; j++)
      for (int k = 0; k < K; k++) drop[i * K + j] += A[i][k] * (k == j ? h : rest);
  ck_assert(rmx__aioli_solve(drop, even, K, h, found));
  for (int i = 0; i < K * K; i++) ck_assert_double_eq_tol(found[i], A[i / K][i % K], 1e-12);
  // A goal of one loss is its row alone, which then sums to 1.
  ck_assert(rmx__aioli_solve(drop, (const double[K]){1, 0, 0}, K, h, found));
  for (int i = 0; i < K * K; i++)
    ck_assert_double_eq_tol(found[i], i / K == 0 ? A[0][i] / 0.3 : 0, 1e-12);
  // What is below 0 is brought up to it: rows less 0.1 each, and a share of the sum again.
  for (int i = 0; i < K * K; i++) drop[i] -= 0.1;
  ck_assert(rmx__aioli_solve(drop, even, K, h, found));
  for (int i = 0; i < K * K; i++) ck_assert_double_eq_tol(found[i], A[i / K][i % K], 1e-12);
  memset(drop, 0, sizeof drop);
  ck_assert(!rmx__aioli_solve(drop, even, K, h, found));
  drop[4] = NAN;
  ck_assert(!rmx__aioli_solve(drop, even, K, h, found));
}
END_TEST

// Ranks counted one by one: how many go before token i.
START_TEST(selection_takes_the_greatest_excess_first_of_equals) {
  enum { N = 97 };
  rmx_rng rng = rmx_rng_make(8, 0, RMX_FOR_TEST);
  float losses[N], reference[N], weights[N];
  for (int i = 0; i < N; i++)
    losses[i] = (float)rmx_rng_below(&rng, 12) / 4,
    reference[i] = (float)rmx_rng_below(&rng, 12) / 4;
  for (size_t keep = 1; keep <= N; keep += 8) {
    rmx__rho_select(losses, reference, N, keep, weights);
    for (int i = 0; i < N; i++) {
      size_t before = 0;
      const float x = losses[i] - reference[i];
      for (int j = 0; j < N; j++)
        before += losses[j] - reference[j] > x || (losses[j] - reference[j] == x && j < i);
      ck_assert_msg(weights[i] == (before < keep), "token %d of rank %zu, %zu kept: weight %g", i,
                    before, keep, (double)weights[i]);
    }
  }
}
END_TEST

// ---- a reference

// The tests' two domains: a language and half as much noise.
static void two_domains(void) {
  corpus_domain(0, "words", language, 20000);
  corpus_domain(1, "noise", noise, 10000);
  corpus_close(2);
}

// Settings and a trained reference for a run of the method: a new reference.
static json_t *with_reference(json_t *controller, rmx_run *reference) {
  rmx_comparison c = a_comparison(4096, 8192, 1);
  rmx_baseline_result found = {0};
  must(rmx__comparison_reference(&c, prior, 4096, reference, &found, err));
  ck_assert(found.flops > 0);
  json_object_set_new(controller, "reference", rmx__reference_json(&c, reference));
  rmx_baseline_result_release(&found);
  comparison_release();
  return controller;
}

static json_t *doremi_settings(const char *form, double eta) {
  return json_pack("{s:s, s:s, s:f, s:f}", "method", "doremi", "form", form, "eta", eta,
                   "smoothing", 1e-3);
}

// Losses asked for one window at a time are those of the batch.
static void windows_must_agree(int context, const json_t *controller, const char *folder) {
  rmx_training t = a_training(1024);
  rmx_run r = a_run(&t, "scored", prior, json_deep_copy(controller));
  rmx__reference f;
  rmx_model *m;
  rmx_batch b;
  rmx_stream *s;
  must(rmx__reference_open(&r, kernels, &f, err));
  must(rmx__model_of_run(folder, 1, context, kernels, &m, err));
  must(rmx_batch_make(&b, 4, 32, err));
  must(rmx_stream_fixed(&corpus, prior, 32, 3, &s, err));
  must(s->type->next(s, &b, err));
  const float *losses = rmx__reference_losses(&f, &b);
  ck_assert(f.tokens == 4 * 32);
  for (int i = 0; i < 4; i++)
    for (int at = 0; at < 32; at += context) {
      const int n = 32 - at < context ? 32 - at : context;
      float one[32];
      rmx_model_losses(m, b.tokens + i * 32 + at, b.labels + i * 32 + at, 1, n, one);
      for (int k = 0; k < n; k++) ck_assert_float_eq_tol(losses[i * 32 + at + k], one[k], 1e-5f);
    }
  s->type->free(s);
  rmx_batch_release(&b);
  rmx_model_free(m);
  rmx__reference_release(&f);
  rmx_run_release(&r);
  release_training(&t);
}

START_TEST(a_reference_may_have_a_shorter_context) {
  folder_make();
  two_domains();
  // 12, 20, 24, 28 leave a shorter window at the end
  for (int context = 12; context <= 48; context += 4) {
    rmx_training t = a_training(512);
    t.context = context;
    const char *name = context < 16 ? "short" : "reference";
    rmx_run reference = a_run(&t, name, prior, NULL);
    json_decref(train(&reference));
    rmx_comparison c = a_comparison(4096, 8192, 1);
    json_t *controller = json_pack("{s:o}", "reference", rmx__reference_json(&c, &reference));
    // as seen from the experiment
    ck_assert_str_eq(
        json_string_value(json_object_get(json_object_get(controller, "reference"), "folder")),
        name);
    windows_must_agree(context < 32 ? context : 32, controller, reference.folder);
    json_decref(controller);
    comparison_release();
    rmx_run_release(&reference);
    release_training(&t);
    must(rmx_remove_tree(in_folder(name), err));
  }
  folder_remove();
}
END_TEST

START_TEST(another_reference_is_refused) {
  folder_make();
  two_domains();
  rmx_run reference;
  rmx_controller s = {0};
  rmx_training t = a_training(8192);
  t.micro_tokens = t.batch_tokens;
  rmx_run r = a_run(&t, "proxy", prior, with_reference(doremi_settings("paper", 1), &reference));
  must(rmx_baselines_controller(&r, &corpus, kernels, &s, err));
  s.free(s.context);
  r.training.micro_tokens = 128;
  must_fail(rmx_baselines_controller(&r, &corpus, kernels, &s, err),
            "needs steps of one micro-batch");
  r.training.micro_tokens = 256;
  json_t *o = json_object_get(r.controller, "reference");
  json_object_set_new(o, "answers", json_string("0123456789abcdef"));
  must_fail(rmx_baselines_controller(&r, &corpus, kernels, &s, err),
            "trained again with other settings");
  json_object_set_new(o, "folder", json_string("compare/nowhere"));
  must_fail(rmx_baselines_controller(&r, &corpus, kernels, &s, err), "compare/nowhere/result.json");
  json_object_set_new(r.controller, "method", json_string("prior"));
  must_fail(rmx_baselines_controller(&r, &corpus, kernels, &s, err), "has no controller");
  rmx_run_release(&r), rmx_run_release(&reference);
  release_training(&t);
  folder_remove();
}
END_TEST

// ---- a step of DoReMi on batches made by hand: what a batch lacks, what tokens weigh

// Gives the training a batch of two sequences, each token of domain d at loss reference +
// excess[d].
static void weigh_by_hand(const rmx_controller *s, rmx__reference *f, rmx_batch *b, int first,
                          int second, const double *excess) {
  float losses[64];
  b->domain[0] = first, b->domain[1] = second;
  for (int i = 0; i < 64; i++) b->tokens[i] = i % V, b->labels[i] = (i + 1) % V, b->weights[i] = 1;
  const float *reference = rmx__reference_losses(f, b);
  for (int i = 0; i < 64; i++) losses[i] = reference[i] + (float)excess[b->domain[i / 32]];
  s->weigh(s->context, b, losses);
}

START_TEST(a_domain_that_a_batch_lacks_keeps_its_excess) {
  folder_make();
  corpus_domain(0, "words", language, 20000), corpus_domain(1, "noise", noise, 10000),
      corpus_domain(2, "easy", easy, 10000);
  corpus_close(3);
  const double uniform[3] = {1.0 / 3, 1.0 / 3, 1.0 / 3};
  for (int code = 0; code < 2; code++) {
    rmx_run reference;
    rmx_training t = a_training(256);
    t.batch_tokens = t.micro_tokens = 64;
    rmx_run r = a_run(&t, "proxy", uniform,
                      with_reference(doremi_settings(code ? "code" : "paper", 1), &reference));
    rmx_controller s = {0};
    rmx__reference f;
    rmx_batch b;
    must(rmx_baselines_controller(&r, &corpus, kernels, &s, err));
    must(rmx__reference_open(&r, kernels, &f, err));
    must(rmx_batch_make(&b, 2, 32, err));
    // Domain 2 was never seen: it takes the mean of the others, 0.2.
    weigh_by_hand(&s, &f, &b, 0, 1, (const double[3]){0.3, 0.1, 9});
    const double first[3] = {0.3671316, 0.3006423, 0.3322261},
                 then[3] = {0.4271034, 0.2864634, 0.2864332};
    for (int i = 0; i < 2; i++)
      ck_assert_double_eq_tol((double)b.weights[32 * i], first[i] * (code ? 3 : 2), 2e-6);
    // Now it is below its reference, which is clipped, and the others keep what they had.
    weigh_by_hand(&s, &f, &b, 2, 2, (const double[3]){9, 9, -0.5});
    ck_assert_double_eq_tol((double)b.weights[63], then[2] * (code ? 3 : 1), 2e-6);
    json_t *found = s.report(s.context), *final = json_object_get(found, "final"),
           *mean = json_object_get(found, "mixture");
    for (int d = 0; d < 3; d++) {
      ck_assert_double_eq_tol(number_in(final, names[d]), then[d], 2e-6);
      // The published code's mean has the first weights in it.
      ck_assert_double_eq_tol(number_in(mean, names[d]),
                              code ? (1.0 / 3 + first[d] + then[d]) / 3 : (first[d] + then[d]) / 2,
                              2e-6);
    }
    ck_assert_double_eq_tol(number_in(found, "absent"), 3.0 / 6, 1e-12);
    json_decref(found);
    s.free(s.context);
    rmx__reference_release(&f);
    rmx_batch_release(&b);
    rmx_run_release(&r), rmx_run_release(&reference);
    release_training(&t);
    must(rmx_remove_tree(in_folder("compare"), err));
  }
  folder_remove();
}
END_TEST

// ---- where a method has nothing to do it is plain training, bit for bit

// Both trainings on the same mixture; the controlled one through `make`.
static void must_be_plain(const rmx_training *t, const double *mixture, const char *name,
                          json_t *controller, rmx_make_controller *make) {
  char plain_name[32];
  snprintf(plain_name, sizeof plain_name, "%s-plain", name);
  rmx_run plain = a_run(t, plain_name, mixture, NULL),
          controlled = a_run(t, name, mixture, controller);
  json_decref(train(&plain));
  json_decref(train_with(&controlled, make));
  must_be_equal(&plain, &controlled);
  rmx_run_release(&plain), rmx_run_release(&controlled);
}

START_TEST(doremi_of_one_domain_is_plain) {
  folder_make();
  corpus_domain(0, "words", language, 20000);
  corpus_close(1);
  rmx_training t = a_training(8192);
  t.micro_tokens = t.batch_tokens;
  rmx_run reference;
  must_be_plain(&t, (const double[1]){1}, "paper",
                with_reference(doremi_settings("paper", 1), &reference), rmx_baselines_controller);
  rmx_run_release(&reference);
  must_be_plain(&t, (const double[1]){1}, "code",
                with_reference(doremi_settings("code", 1), &reference), rmx_baselines_controller);
  rmx_run_release(&reference);
  release_training(&t);
  folder_remove();
}
END_TEST

START_TEST(doremi_that_does_not_move_is_uniform) {
  folder_make();
  two_domains();
  const double uniform[2] = {0.5, 0.5};
  rmx_training t = a_training(8192);
  t.micro_tokens = t.batch_tokens;
  rmx_run reference;
  must_be_plain(&t, uniform, "paper", with_reference(doremi_settings("paper", 0), &reference),
                rmx_baselines_controller);
  rmx_run_release(&reference);
  must_be_plain(&t, uniform, "code", with_reference(doremi_settings("code", 0), &reference),
                rmx_baselines_controller);
  rmx_run_release(&reference);
  release_training(&t);
  folder_remove();
}
END_TEST

static json_t *odm_settings(const char *form, double warmup, double explore) {
  return json_pack("{s:s, s:s, s:f, s:f, s:f}", "method", "odm", "form", form, "smoothing", 0.9,
                   "warmup", warmup, "explore", explore);
}

START_TEST(odm_that_only_warms_up_is_plain) {
  folder_make();
  two_domains();
  rmx_training t = a_training(8192);
  must_be_plain(&t, prior, "paper", odm_settings("paper", 1, 1), rmx_baselines_controller);
  must_be_plain(&t, prior, "code", odm_settings("code", 1, 1), rmx_baselines_controller);
  release_training(&t);
  folder_remove();
}
END_TEST

// A stream told that every token costs the same.
static rmx_stream_type told_equal;
static void (*told)(rmx_stream *s, const rmx_batch *batch, const float *losses);
static void tell_equal(rmx_stream *s, const rmx_batch *batch, const float *losses) {
  static float same[1024];
  (void)losses;
  for (int i = 0; i < 1024; i++) same[i] = 2.5f;
  told(s, batch, same);
}
static rmx_status control_told_equal(const rmx_run *r, const rmx_corpus *c, const rmx_kernels *k,
                                     rmx_controller *out, rmx_err *err) {
  RMX_TRY(rmx_baselines_controller(r, c, k, out, err));
  told_equal = *out->stream->type;
  told = told_equal.observe;
  told_equal.observe = tell_equal;
  out->stream->type = &told_equal;
  return RMX_OK;
}

START_TEST(odm_without_exploration_on_equal_rewards_is_uniform) {
  folder_make();
  two_domains();
  rmx_training t = a_training(8192);
  must_be_plain(&t, (const double[2]){0.5, 0.5}, "paper", odm_settings("paper", 0, 0),
                control_told_equal);
  must_be_plain(&t, (const double[2]){0.5, 0.5}, "code", odm_settings("code", 0, 0),
                control_told_equal);
  release_training(&t);
  folder_remove();
}
END_TEST

// What the mixture was at every step, as its stream has it.
static double drawn[64];
static const rmx_stream *watched;
static rmx_status (*unwatched)(void *, rmx_model *, int64_t, int64_t, rmx_batch *, float *,
                               rmx_err *);
static rmx_status watch(void *context, rmx_model *m, int64_t step, int64_t steps,
                        rmx_batch *scratch, float *losses, rmx_err *err) {
  if (unwatched) RMX_TRY(unwatched(context, m, step, steps, scratch, losses, err));
  drawn[step] = watched->mixture[0];
  return RMX_OK;
}
static rmx_status control_watched(const rmx_run *r, const rmx_corpus *c, const rmx_kernels *k,
                                  rmx_controller *out, rmx_err *err) {
  RMX_TRY(rmx_baselines_controller(r, c, k, out, err));
  unwatched = out->before_step;
  out->before_step = watch;
  watched = out->stream;
  return RMX_OK;
}

// The losses of each step, by domain, as the stream was told them; two micro-batches a step.
static double step_loss[64][2], step_tokens[64][2];
static int micro_batches;
static void listen(rmx_stream *s, const rmx_batch *batch, const float *losses) {
  for (int i = 0; i < batch->B * batch->T; i++) {
    step_loss[micro_batches / 2][batch->domain[i / batch->T]] += (double)losses[i];
    step_tokens[micro_batches / 2][batch->domain[i / batch->T]]++;
  }
  micro_batches++;
  told(s, batch, losses);
}
static rmx_status control_listened(const rmx_run *r, const rmx_corpus *c, const rmx_kernels *k,
                                   rmx_controller *out, rmx_err *err) {
  RMX_TRY(control_watched(r, c, k, out, err));
  told_equal = *out->stream->type;
  told = told_equal.observe;
  told_equal.observe = listen;
  out->stream->type = &told_equal;
  memset(step_loss, 0, sizeof step_loss), memset(step_tokens, 0, sizeof step_tokens);
  micro_batches = 0;
  return RMX_OK;
}

// Twenty steps of warm-up by the prior, then pi_0 and so on, from rewards computed here.
START_TEST(odm_follows_its_equations) {
  folder_make();
  two_domains();
  rmx_training t = a_training(40 * 256);
  for (int code = 0; code < 2; code++) {
    rmx_run r =
        a_run(&t, code ? "code" : "paper", prior, odm_settings(code ? "code" : "paper", 0.5, 0.7));
    json_t *result = train_with(&r, control_listened);
    double R[2] = {0, 0}, wanted[2], mean = 0;
    for (int step = 0; step < 40; step++) {
      mean += drawn[step] / 40;
      if (step < 20) {
        ck_assert_double_eq_tol(drawn[step], prior[0], 1e-12);
        continue;
      }
      rmx__odm_mixture(code, R, 2, step - 20, 0.7, wanted);
      ck_assert_double_eq_tol(drawn[step], wanted[0], 1e-9);
      for (int d = 0; d < 2; d++) {
        const double loss = step_loss[step][d] / step_tokens[step][d];
        R[d] = 0.9 * R[d] + 0.1 * (code ? exp(loss) : loss / wanted[d]);
      }
    }
    ck_assert(drawn[20] == 0.5 && fabs(drawn[39] - 0.5) > 0.01);
    const json_t *found = json_object_get(result, "steering");
    ck_assert_double_eq_tol(number_in(json_object_get(found, "mixture"), "words"), mean, 1e-12);
    ck_assert_double_eq_tol(number_in(json_object_get(found, "reward"), "noise"), R[1], 1e-9);
    json_decref(result);
    rmx_run_release(&r);
  }
  release_training(&t);
  folder_remove();
}
END_TEST

static json_t *rho_settings(double keep, double warmup) {
  return json_pack("{s:s, s:f, s:f}", "method", "rho1", "keep", keep, "warmup", warmup);
}

START_TEST(selection_of_all_tokens_is_plain) {
  folder_make();
  two_domains();
  rmx_training t = a_training(8192);
  must_be_plain(&t, prior, "one", rho_settings(1, 0.1), rmx_baselines_controller);
  rmx_run reference;
  // All of a micro-batch by rounding: ranked, and none left out.
  must_be_plain(&t, prior, "nearly", with_reference(rho_settings(0.999, 0), &reference),
                rmx_baselines_controller);
  rmx_run_release(&reference);
  must_be_plain(&t, prior, "warming", with_reference(rho_settings(0.3, 1), &reference),
                rmx_baselines_controller);
  rmx_run_release(&reference);
  release_training(&t);
  folder_remove();
}
END_TEST

static json_t *aioli_settings(double eta, double smoothing) {
  return json_pack("{s:s, s:f, s:f, s:f, s:i, s:i, s:i, s:i, s:[f, f]}", "method", "aioli", "eta",
                   eta, "one_hot", 0.75, "smoothing", smoothing, "rounds", 2, "sweeps", 2,
                   "explore_steps", 3, "eval_tokens", 500, "goal", 0.5, 0.5);
}

// 33 steps, rounds of 16 and 17: 12 of each explore, three steps on each domain, twice.
START_TEST(aioli_explores_in_sweeps_and_is_uniform_between_them_without_a_step) {
  folder_make();
  two_domains();
  rmx_training t = a_training(33 * 256);
  rmx_run r = a_run(&t, "still", (const double[2]){0.5, 0.5}, aioli_settings(0, 0)),
          moved = a_run(&t, "moved", (const double[2]){0.5, 0.5}, aioli_settings(1, 0));
  json_t *result = train_with(&r, control_watched);
  double mean = 0;
  int firsts = 0;
  for (int step = 0; step < 33; step++) {
    const int at = step < 16 ? step : step - 16;
    mean += drawn[step] / 33;
    if (at >= 12)
      ck_assert(drawn[step] == 0.5);
    else
      ck_assert(drawn[step] == 0.75 || drawn[step] == 0.25);
    if (at < 12 && at % 3) ck_assert(drawn[step] == drawn[step - 1]);
    // a sweep has each once
    if (at < 12 && at % 6 == 3) ck_assert(drawn[step] + drawn[step - 3] == 1);
    firsts += at < 12 && drawn[step] == 0.75;
  }
  ck_assert_int_eq(firsts, 12);
  const json_t *found = json_object_get(result, "steering");
  ck_assert_double_eq_tol(number_in(json_object_get(found, "mixture"), "words"), mean, 1e-12);
  ck_assert(number_in(json_object_get(found, "final"), "words") == 0.5);
  // Ten looks at two domains, forward passes.
  const double flop = number_in(result, "flops") / number_in(result, "tokens");
  ck_assert_double_eq_tol(number_in(result, "steering_flops"), 10 * 2 * 500 * flop / 3, 1);
  json_decref(result);
  result = train_with(&moved, control_watched);
  ck_assert(drawn[15] != 0.5 && drawn[32] != drawn[15]);
  json_decref(result);
  rmx_run_release(&r), rmx_run_release(&moved);
  release_training(&t);
  folder_remove();
}
END_TEST

// ---- a stopped run goes on with the same bits

static int64_t stop_after;
static void stop(void *context, const rmx_train_state *s) {
  (void)context;
  if (s->step == stop_after) rmx_interrupt();
}

static void must_resume(const rmx_training *t, const double *mixture, const char *name,
                        const json_t *controller) {
  char halves_name[32];
  rmx_run straight = a_run(t, name, mixture, json_deep_copy(controller));
  json_t *a = train(&straight);
  for (stop_after = 2; stop_after < 32; stop_after += 9) {
    snprintf(halves_name, sizeof halves_name, "%s-%d", name, (int)stop_after);
    rmx_run halves = a_run(t, halves_name, mixture, json_deep_copy(controller));
    must(rmx_run_write(&halves, err));
    const pid_t child = fork();  // an interrupt cannot be taken back: it is for a process
    if (child == 0) {
      rmx_err err;
      _exit(rmx_train(&halves, &corpus, kernels,
                      &(rmx_train_hooks){.tick = stop, .make_controller = rmx_baselines_controller},
                      &err) == RMX_EINTERRUPTED
                ? 0
                : 1);
    }
    int code = 1;
    ck_assert(child > 0 && waitpid(child, &code, 0) == child && code == 0);
    json_t *b = train(&halves);
    must_be_equal(&straight, &halves);
    ck_assert_msg(json_equal(json_object_get(a, "steering"), json_object_get(b, "steering")),
                  "%s stopped at %d found something else", name, (int)stop_after);
    ck_assert(json_number_value(json_object_get(a, "steering_flops")) ==
              json_number_value(json_object_get(b, "steering_flops")));
    json_decref(b);
    rmx_run_release(&halves);
  }
  json_decref(a);
  rmx_run_release(&straight);
}

START_TEST(stopped_runs_go_on_with_the_same_bits) {
  folder_make();
  two_domains();
  const double uniform[2] = {0.5, 0.5};
  rmx_training t = a_training(8192), whole = a_training(8192), one = a_training(2048);
  whole.batch_tokens = whole.micro_tokens = 96;  // three sequences: counts differ from step to step
  // one: there is always a domain that keeps its excess
  one.batch_tokens = one.micro_tokens = 32;
  rmx_run reference;
  json_t *controller = with_reference(doremi_settings("paper", 1), &reference);
  must_resume(&whole, uniform, "doremi", controller);
  must_resume(&one, uniform, "doremi-one", controller);
  json_decref(controller);
  rmx_run_release(&reference);
  controller = with_reference(rho_settings(0.6, 0.2), &reference);
  must_resume(&t, prior, "rho1", controller);
  json_decref(controller);
  rmx_run_release(&reference);
  for (int code = 0; code < 2; code++) {
    controller = odm_settings(code ? "code" : "paper", 0.1, 0.5);
    must_resume(&t, prior, code ? "odm-code" : "odm-paper", controller);
    json_decref(controller);
    controller = aioli_settings(1, code ? 0.5 : 0);
    must_resume(&t, uniform, code ? "aioli-code" : "aioli-paper", controller);
    json_decref(controller);
  }
  release_training(&t), release_training(&whole), release_training(&one);
  folder_remove();
}
END_TEST

// ---- what they spend

START_TEST(doremi_spends_its_budget_and_trains_a_reference_once) {
  folder_make();
  two_domains();
  rmx_comparison c = a_comparison(4096, 4096, 1);
  double flop, tokens;
  must(rmx__comparison_flop(&c, &comparison_proxy, &flop, err));
  const double valid = rmx__comparison_valid_flops(&c, &comparison_proxy, flop);
  c.budget = flop * 20000;
  rmx_baseline_result found = {0}, again = {0}, rounds = {0};
  must(method("doremi")->check(&c, err));
  must(method("doremi")->find(&c, &found, err));
  tokens = number_in(found.notes, "tokens");
  ck_assert_double_eq_tol(found.flops, tokens * flop * (2 + 1.0 / 3) + 2 * valid, 10);
  ck_assert(found.flops <= c.budget && found.flops + 256 * flop * 2.4 > c.budget);
  ck_assert(found.converged == RMX_NO_ROUNDS && comparison_trained == 2);
  ck_assert_uint_ge(json_array_size(json_object_get(found.notes, "track")), 20);
  must(method("doremi")->find(&c, &again, err));
  ck_assert(comparison_trained == 2 && again.flops == found.flops &&
            again.mixture[0] == found.mixture[0]);
  // Any move is small enough: it comes to rest in the first of three rounds, for a third of the
  // budget.
  set_option("doremi.rounds", "3"), set_option("doremi.tolerance", "1");
  c.budget *= 3;
  rmx_baseline_result_release(&again);
  must(method("doremi")->find(&c, &again, err));
  ck_assert(again.converged == RMX_CONVERGED && number_in(again.notes, "rounds") == 1 &&
            again.flops < c.budget / 3);
  // None is: all rounds are spent, each with the reference of the last one's mixture.
  set_option("doremi.rounds", "2"), set_option("doremi.tolerance", "0");
  comparison_trained = 0;
  must(method("doremi")->find(&c, &rounds, err));
  ck_assert(rounds.converged == RMX_NOT_CONVERGED && number_in(rounds.notes, "rounds") == 2 &&
            comparison_trained == 4);
  ck_assert(json_array_size(json_object_get(rounds.notes, "moved")) == 2 &&
            rounds.flops <= c.budget && rounds.flops > 0.95 * c.budget);
  rmx_baseline_result_release(&found), rmx_baseline_result_release(&again),
      rmx_baseline_result_release(&rounds);
  comparison_release();
  folder_remove();
}
END_TEST

START_TEST(selection_and_aioli_stay_within_their_budget) {
  folder_make();
  two_domains();
  rmx_comparison c = a_comparison(4096, 60 * 256, 1);
  double flop;
  must(rmx__comparison_flop(&c, &comparison_proxy, &flop, err));
  c.budget = flop * 15000;
  static const char *const which[] = {"rho1", "aioli"};
  for (int i = 0; i < 2; i++) {
    rmx_baseline_result found = {0};
    must(method(which[i])->check(&c, err));
    must(method(which[i])->find(&c, &found, err));
    rmx_run r = large_run(which[i], &found);
    json_t *result = train(&r);
    const double spent = found.flops + number_in(result, "steering_flops");
    ck_assert_msg(spent <= c.budget * (1 + 1e-9) && spent > 0.95 * c.budget, "%s spent %g of %g",
                  which[i], spent, c.budget);
    ck_assert(i == 1 || number_in(json_object_get(result, "steering"), "kept") < 0.61);
    json_decref(result);
    rmx_run_release(&r);
    rmx_baseline_result_release(&found);
  }
  // Who keeps all needs no reference.
  rmx_baseline_result found = {0};
  set_option("rho.keep", "1");
  c.budget = 1, comparison_trained = 0;
  must(method("rho1")->check(&c, err));
  must(method("rho1")->find(&c, &found, err));
  ck_assert(comparison_trained == 0 && found.flops == 0);
  rmx_baseline_result_release(&found);
  comparison_release();
  folder_remove();
}
END_TEST

// ---- what they refuse before any training

START_TEST(what_is_missing_is_said_before_any_training) {
  folder_make();
  two_domains();
  rmx_comparison c = a_comparison(4096, 60 * 256, 1e15);
  static const char *const methods[] = {"doremi", "odm", "aioli", "rho1"};
  for (int i = 0; i < 4; i++) must(method(methods[i])->check(&c, err));
  c.budget = 1e6;
  must_fail(method("doremi")->check(&c, err), "raise compare.budget");
  must_fail(method("rho1")->check(&c, err), "raise compare.budget");
  must_fail(method("aioli")->check(&c, err), "raise compare.budget");
  must(method("odm")->check(&c, err));  // which costs nothing
  c.budget = 1e15;
  comparison_large.tokens = 8 * 256;
  must_fail(method("aioli")->check(&c, err), "too few to explore");
  comparison_large.tokens = 60 * 256;
  set_option("aioli.one_hot", "0.5");
  must_fail(method("aioli")->check(&c, err), "raise aioli.one_hot");
  set_option("aioli.one_hot", "0");
  comparison_large.command = (char *)"true";
  for (int i = 1; i < 4; i++) must_fail(method(methods[i])->check(&c, err), "large.command");
  comparison_large.command = NULL;
  comparison_proxy.command = (char *)"true";
  must_fail(method("doremi")->check(&c, err), "proxy.command");
  must_fail(method("rho1")->check(&c, err), "proxy.command");
  comparison_proxy.command = NULL;
  domains[1].train_tokens = 32;
  for (int i = 0; i < 3; i++)
    must_fail(method(methods[i])->check(&c, err),
              "\"noise\" has 32 training tokens, and a sequence needs 33");
  corpus.D = corpus.D_train = 1;
  for (int i = 0; i < 3; i++)
    must_fail(method(methods[i])->check(&c, err), "two or more to choose between");
  must(method("rho1")->check(&c, err));
  ck_assert(comparison_trained == 0);
  comparison_release();
  folder_remove();
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, doremi_moves_its_weights_as_published);
  tcase_add_test(tc, odm_mixes_as_published);
  tcase_add_test(tc, aioli_solves_for_the_law);
  tcase_add_test(tc, selection_takes_the_greatest_excess_first_of_equals);
  tcase_add_test(tc, a_reference_may_have_a_shorter_context);
  tcase_add_test(tc, another_reference_is_refused);
  tcase_add_test(tc, a_domain_that_a_batch_lacks_keeps_its_excess);
  tcase_add_test(tc, doremi_of_one_domain_is_plain);
  tcase_add_test(tc, doremi_that_does_not_move_is_uniform);
  tcase_add_test(tc, odm_that_only_warms_up_is_plain);
  tcase_add_test(tc, odm_without_exploration_on_equal_rewards_is_uniform);
  tcase_add_test(tc, odm_follows_its_equations);
  tcase_add_test(tc, selection_of_all_tokens_is_plain);
  tcase_add_test(tc, aioli_explores_in_sweeps_and_is_uniform_between_them_without_a_step);
  tcase_add_test(tc, stopped_runs_go_on_with_the_same_bits);
  tcase_add_test(tc, doremi_spends_its_budget_and_trains_a_reference_once);
  tcase_add_test(tc, selection_and_aioli_stay_within_their_budget);
  tcase_add_test(tc, what_is_missing_is_said_before_any_training);
}
