// SPDX-License-Identifier: Apache-2.0
// The trainer: the rate's schedule, what a run depends on, validation against its definition, and
// that what a run reports is what its model does.
#include <regmix/swarm.h>
#include <regmix/train.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "corpus_folder.h"

enum { V = 50, TRAIN = 4000, VALID = 333 };

// Two domains in memory: one counts up, one counts down, both with some noise; a third is
// validation only.
static uint16_t ids[3][TRAIN + VALID];
static rmx_domain domains[3];
static const char *names[3] = {"up", "down", "exam"};
static double prior[2] = {0.5, 0.5};
static rmx_corpus corpus = {.D = 3,
                            .D_train = 2,
                            .domains = domains,
                            .names = names,
                            .prior = prior,
                            .vocab = V,
                            .hash = 77};

static void fill_corpus(void) {
  rmx_rng rng = rmx_rng_make(5, 0, RMX_FOR_TEST);
  for (int d = 0; d < 3; d++) {
    for (int i = 0; i < TRAIN + VALID; i++)
      ids[d][i] = (uint16_t)(rmx_rng_below(&rng, 10) == 0 ? (int)rmx_rng_below(&rng, V)
                             : d == 1                     ? V - 1 - i % V
                                                          : i % V);
    domains[d] = (rmx_domain){.name = (char *)names[d],
                              .valid_only = d == 2,
                              .width = 2,
                              .train = d < 2 ? ids[d] : NULL,
                              .train_tokens = d < 2 ? TRAIN : 0,
                              .valid = ids[d] + TRAIN,
                              .valid_tokens = VALID,
                              .valid_bytes = 2 * VALID};
  }
}

static rmx_training a_training(void) {
  rmx_training t = {0};
  must(rmx_options_init(rmx_training_options, rmx_training_options_n, &t, err));
  t.layers = 1, t.heads = 2, t.width = 16, t.ffn = 32, t.context = 32;
  t.tokens = 8192, t.batch_tokens = 256, t.micro_tokens = 128, t.lr = 0.01;
  return t;
}

static void release_training(rmx_training *t) {
  rmx_options_release(rmx_training_options, rmx_training_options_n, t);
}

static rmx_run a_run(const rmx_training *t, const char *name, double w) {
  rmx_run r;
  const double mixture[2] = {w, 1 - w};
  must(rmx_run_make(&(rmx_run_request){.name = name,
                                       .folder = in_folder(name),
                                       .experiment = ".",
                                       .corpus = &corpus,
                                       .mixture = mixture,
                                       .training = t,
                                       .seed = 3,
                                       .keep_model = true},
                    &r, err));
  return r;
}

static json_t *train(const rmx_run *r, const rmx_train_hooks *hooks) {
  const rmx_kernels *k;
  json_t *result;
  char *path = rmx_path_in(r->folder, "result.json");
  must(rmx_kernels_get(NULL, &k, err));
  must(rmx_run_write(r, err));
  must(rmx_train(r, &corpus, k, hooks, err));
  must(rmx__json_read(path, &result, err));
  free(path);
  return result;
}

static double loss_of(const json_t *result, const char *domain) {
  const json_t *x = json_object_get(json_object_get(result, "loss_nats"), domain);
  ck_assert(json_is_number(x));
  return json_number_value(x);
}

START_TEST(the_rate_warms_up_then_holds_or_falls) {
  rmx_training t = a_training();
  t.warmup = 0.1;
  ck_assert_double_eq_tol(rmx_schedule_lr(&t, 1, 0, 100), 0.1, 1e-12);
  ck_assert_double_eq_tol(rmx_schedule_lr(&t, 1, 9, 100), 1, 1e-12);
  ck_assert_double_eq_tol(rmx_schedule_lr(&t, 1, 99, 100), 1, 1e-12);
  must(rmx_option_set(rmx_training_options, rmx_training_options_n, &t, "schedule", "cosine", err));
  ck_assert_double_eq_tol(rmx_schedule_lr(&t, 2, 10, 100), 2, 1e-12);
  ck_assert_double_eq_tol(rmx_schedule_lr(&t, 2, 55, 100), 2 * (0.1 + 0.9 * 0.5), 1e-12);
  ck_assert_double_lt(rmx_schedule_lr(&t, 2, 99, 100), 0.21);
  release_training(&t);
}
END_TEST

START_TEST(a_run_reads_back_and_its_answer_depends_on_the_question) {
  folder_make();
  rmx_training t = a_training();
  rmx_run r = a_run(&t, "one", 0.3), again;
  char before[17], after[17];
  rmx_run_fingerprint(&r, before);
  must(rmx_run_write(&r, err));
  must(rmx_run_read(r.folder, &again, err));
  rmx_run_fingerprint(&again, after);
  ck_assert_str_eq(before, after);
  again.training.checkpoint_s = 1;  // changes no bit of the result
  rmx_run_fingerprint(&again, after);
  ck_assert_str_eq(before, after);
  again.training.lr *= 2;
  rmx_run_fingerprint(&again, after);
  ck_assert_str_ne(before, after);
  rmx_run_fingerprint(&r, before);
  r.mixture[0] += 0.01;
  rmx_run_fingerprint(&r, after);
  ck_assert_str_ne(before, after);
  rmx_run_release(&again);
  rmx_run_release(&r);
  release_training(&t);
  folder_remove();
}
END_TEST

// What version 0.1.0 wrote, with what it hashed it to: of our trainer, and of a command, whose text
// was part of the question then.
#define RUN_OF_0_1_0(command)                                                                      \
  "{\"corpus_hash\": \"55cf97948a5ec998\", \"vocab\": 320, \"seed\": 42, \"mixture\": {\"a\": "    \
  "1.0, \"b\": 0.0, "                                                                              \
  "\"noise\": 0.0}, \"training\": {\"model\": \"nano\", \"layers\": 1, \"heads\": 2, \"width\": "  \
  "32, \"ffn\": 64, "                                                                              \
  "\"context\": 32, \"tokens\": 8000, \"batch_tokens\": 512, \"micro_tokens\": 512, \"lr\": 0.0, " \
  "\"min_lr\": 0.10000000000000001, \"warmup\": 0.050000000000000003, \"schedule\": "              \
  "\"constant\", "                                                                                 \
  "\"beta1\": 0.90000000000000002, \"beta2\": 0.94999999999999996, \"eps\": 1e-8, "                \
  "\"weight_decay\": 0.10000000000000001, \"clip\": 1.0, \"eval_tokens\": 0, \"eval_half\": "      \
  "true, \"evals\": 0, "                                                                           \
  "\"checkpoint_s\": 60.0, \"threads\": 1, \"command\": " command                                  \
  "}, \"name\": \"0001\", \"corpus\": \"oldc\", "                                                  \
  "\"keep_model\": false}"

static rmx_run run_of_0_1_0(const char *name, const char *run, const char *answers) {
  char result[200];
  snprintf(result, sizeof result,
           "{\"status\": \"done\", \"answers\": \"%s\", \"loss_nats\": {\"a\": 1}}", answers);
  must(rmx_mkdirs(in_folder(name), err));
  char *run_path = rmx_path_in(in_folder(name), "run.json"),
       *result_path = rmx_path_in(in_folder(name), "result.json");
  must(rmx_write_file(run_path, run, strlen(run), err));
  must(rmx_write_file(result_path, result, strlen(result), err));
  free(run_path);
  free(result_path);
  rmx_run r;
  must(rmx_run_read(in_folder(name), &r, err));
  return r;
}

START_TEST(results_of_version_0_1_0_still_answer) {
  folder_make();
  rmx_run ours = run_of_0_1_0("ours", RUN_OF_0_1_0("null"), "60276a4772f7ab78");
  ck_assert_int_eq(rmx_run_look(&ours, NULL), RMX_RUN_DONE);
  ours.training.command = rmx_strdup("train.py");
  ck_assert_int_eq(rmx_run_look(&ours, NULL), RMX_RUN_OUTDATED);
  rmx_run_release(&ours);
  rmx_run theirs = run_of_0_1_0(
      "theirs",
      RUN_OF_0_1_0(
          "\"echo \\\"{\\\\\\\"loss_nats\\\\\\\": {\\\\\\\"a\\\\\\\": 1, \\\\\\\"b\\\\\\\": 2, "
          "\\\\\\\"noise\\\\\\\": 3, \\\\\\\"exam\\\\\\\": 4}}\\\" > result.json\""),
      "413fff7ac9018a59");
  ck_assert_int_eq(rmx_run_look(&theirs, NULL), RMX_RUN_DONE);
  free(theirs.training.command);
  theirs.training.command = rmx_strdup("srun train.py");  // another text is no other question
  ck_assert_int_eq(rmx_run_look(&theirs, NULL), RMX_RUN_DONE);
  theirs.training.lr = 0.1;
  ck_assert_int_eq(rmx_run_look(&theirs, NULL), RMX_RUN_OUTDATED);
  theirs.training.lr = 0;
  free(theirs.training.command);
  theirs.training.command = NULL;
  ck_assert_int_eq(rmx_run_look(&theirs, NULL), RMX_RUN_OUTDATED);
  rmx_run_release(&theirs);
  folder_remove();
}
END_TEST

// The loss reported for a domain is the mean over its validation tokens, each predicted from those
// before it in its window: computed here one window at a time from the model that was saved.
START_TEST(reported_losses_are_the_models) {
  folder_make();
  fill_corpus();
  rmx_training t = a_training();
  rmx_run r = a_run(&t, "run", 0.5);
  json_t *result = train(&r, NULL);
  rmx_model_config c;
  const rmx_kernels *k;
  rmx_model *m;
  json_t *extra = NULL;
  char *path = rmx_path_in(r.folder, "model.safetensors");
  must(rmx_training_model(&t, V, &c, err));
  must(rmx_kernels_get(NULL, &k, err));
  must(rmx_model_new(&c, 1, 32, false, k, 0, &m, err));
  must(rmx_model_load(m, path, &extra, err));
  for (int d = 0; d < 3; d++) {
    const uint16_t *text = ids[d] + TRAIN;
    double sum = 0;
    for (int at = 0; at < VALID - 1; at += 32) {
      int T = VALID - 1 - at < 32 ? VALID - 1 - at : 32;
      int32_t tokens[32], labels[32];
      float losses[32];
      for (int i = 0; i < T; i++) tokens[i] = text[at + i], labels[i] = text[at + i + 1];
      rmx_model_losses(m, tokens, labels, 1, T, losses);
      for (int i = 0; i < T; i++) sum += (double)losses[i];
    }
    ck_assert_double_eq_tol(loss_of(result, names[d]), sum / (VALID - 1), 1e-5);
    double bits =
        json_number_value(json_object_get(json_object_get(result, "bits_per_byte"), names[d]));
    ck_assert_double_eq_tol(bits, sum / (VALID - 1) / log(2) / 2, 1e-5);  // two bytes a token here
  }
  ck_assert_double_lt(loss_of(result, "up"), 0.8 * log(V));  // it did learn
  ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(result, "half"), "tokens")),
                   4096);
  json_decref(extra);
  json_decref(result);
  rmx_model_free(m);
  free(path);
  rmx_run_release(&r);
  release_training(&t);
  folder_remove();
}
END_TEST

START_TEST(what_is_trained_on_is_what_is_learnt) {
  folder_make();
  fill_corpus();
  rmx_training t = a_training();
  rmx_run up = a_run(&t, "up-run", 1), down = a_run(&t, "down-run", 0);
  json_t *a = train(&up, NULL), *b = train(&down, NULL);
  ck_assert_double_lt(loss_of(a, "up") + 1, loss_of(a, "down"));
  ck_assert_double_lt(loss_of(b, "down") + 1, loss_of(b, "up"));
  ck_assert_double_lt(loss_of(a, "exam") + 1, loss_of(b, "exam"));  // the exam counts up
  const json_t *epochs = json_object_get(a, "epochs");
  ck_assert_double_gt(json_number_value(json_object_get(epochs, "up")), 2);  // 8192 tokens of 4000
  ck_assert(json_number_value(json_object_get(epochs, "down")) == 0);
  json_decref(a), json_decref(b);
  rmx_run_release(&up), rmx_run_release(&down);
  release_training(&t);
  folder_remove();
}
END_TEST

static size_t evaluations_in(const rmx_run *r, int64_t steps[], size_t most) {
  char *path = rmx_path_in(r->folder, "log.jsonl"), *text;
  size_t size, n = 0;
  must(rmx_read_file(path, &text, &size, err));
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
    json_t *o = json_loads(line, 0, NULL);
    if (json_object_get(o, "valid_nats") && n < most)
      steps[n++] = json_integer_value(json_object_get(o, "step"));
    json_decref(o);
  }
  free(text);
  free(path);
  return n;
}

START_TEST(evaluations_on_the_way_change_no_result) {
  folder_make();
  fill_corpus();
  rmx_training t = a_training();  // 32 steps
  rmx_run plain = a_run(&t, "plain", 0.5);
  t.evals = 5;
  rmx_run often = a_run(&t, "often", 0.5);
  json_t *a = train(&plain, NULL), *b = train(&often, NULL);
  int64_t steps[9];
  ck_assert_uint_eq(evaluations_in(&plain, steps, 9), 2);
  const int64_t wanted[] = {7, 13, 16, 20, 26, 32};  // fifths, rounded up, the middle and the end
  ck_assert_uint_eq(evaluations_in(&often, steps, 9), 6);
  for (size_t i = 0; i < 6; i++) ck_assert_int_eq(steps[i], wanted[i]);
  ck_assert(json_equal(json_object_get(a, "loss_nats"), json_object_get(b, "loss_nats")));
  ck_assert_str_eq(json_string_value(json_object_get(a, "fingerprint")),
                   json_string_value(json_object_get(b, "fingerprint")));
  json_decref(a), json_decref(b);
  rmx_run_release(&plain), rmx_run_release(&often);
  release_training(&t);
  folder_remove();
}
END_TEST

// Stops the training it is told of at step 9.
static void stop_at_nine(void *context, const rmx_train_state *s) {
  (void)context;
  if (s->step == 9) rmx_interrupt();
}

// Threads are no part of the question: a run may be stopped with one and go on with three, to the
// same bits.
START_TEST(threads_may_change_between_two_halves) {
  folder_make();
  fill_corpus();
  rmx_training t = a_training();
  t.threads = 1;
  rmx_run straight = a_run(&t, "straight", 0.5);
  json_t *a = train(&straight, NULL);
  rmx_run halves = a_run(&t, "halves", 0.5);
  const rmx_train_hooks hooks = {.tick = stop_at_nine};
  const rmx_kernels *k;
  must(rmx_kernels_get(NULL, &k, err));
  must(rmx_run_write(&halves, err));
  const pid_t child = fork();  // an interrupt cannot be taken back: it is for a process
  if (child == 0) {
    rmx_err err;
    _exit(rmx_train(&halves, &corpus, k, &hooks, &err) == RMX_EINTERRUPTED ? 0 : 1);
  }
  int code = 1;
  ck_assert(child > 0 && waitpid(child, &code, 0) == child && code == 0);
  halves.training.threads = 3;
  json_t *b = train(&halves, NULL);
  ck_assert(json_equal(json_object_get(a, "loss_nats"), json_object_get(b, "loss_nats")));
  ck_assert_str_eq(json_string_value(json_object_get(a, "fingerprint")),
                   json_string_value(json_object_get(b, "fingerprint")));
  json_decref(a), json_decref(b);
  rmx_run_release(&straight), rmx_run_release(&halves);
  release_training(&t);
  folder_remove();
}
END_TEST

// The stream changes its mixture at the step where the first phase ends, and a run that is stopped
// before and goes on after has the same bits.
START_TEST(phases_change_the_mixture_and_survive_a_stop) {
  folder_make();
  fill_corpus();
  rmx_training t = a_training();
  double share[2] = {0.25, 0.75}, mixture[4] = {1, 0, 0.25, 0.75};
  const rmx_phases phases = {.n = 2, .D = 2, .share = share, .mixture = mixture};
  json_t *results[2];
  char fingerprint[2][17];
  for (int halves = 0; halves < 2; halves++) {
    rmx_run r, again;
    must(rmx_run_make(&(rmx_run_request){.name = "phased",
                                         .folder = in_folder(halves ? "halves" : "straight"),
                                         .experiment = ".",
                                         .corpus = &corpus,
                                         .phases = &phases,
                                         .training = &t,
                                         .seed = 3},
                      &r, err));
    ck_assert_double_eq(r.mixture[0], 0.25 + 0.75 * 0.25);
    const rmx_train_hooks hooks = {.tick = stop_at_nine};  // 8 of 32 steps are the first phase
    const rmx_kernels *k;
    must(rmx_kernels_get(NULL, &k, err));
    must(rmx_run_write(&r, err));
    must(rmx_run_read(r.folder, &again, err));
    rmx_run_fingerprint(&r, fingerprint[0]);
    rmx_run_fingerprint(&again, fingerprint[1]);
    ck_assert_str_eq(fingerprint[0], fingerprint[1]);
    const pid_t child = halves ? fork() : -1;
    if (child == 0) {
      rmx_err err;
      _exit(rmx_train(&again, &corpus, k, &hooks, &err) == RMX_EINTERRUPTED ? 0 : 1);
    }
    int code = 1;
    if (halves) ck_assert(child > 0 && waitpid(child, &code, 0) == child && code == 0);
    results[halves] = train(&r, NULL);
    const double drawn = json_number_value(
        json_object_get(json_object_get(results[halves], "tokens_by_domain"), "up"));
    ck_assert_double_eq_tol(drawn / 8192, 0.4375, 0.005);
    r.phases.share[0] = 0.5, r.phases.share[1] = 0.5;
    rmx_run_fingerprint(&r, fingerprint[1]);
    ck_assert_str_ne(fingerprint[0], fingerprint[1]);
    rmx_run_release(&r), rmx_run_release(&again);
  }
  ck_assert(json_equal(json_object_get(results[0], "loss_nats"),
                       json_object_get(results[1], "loss_nats")));
  json_decref(results[0]), json_decref(results[1]);
  release_training(&t);
  folder_remove();
}
END_TEST

// Half of the tokens, those of greater loss: what is reported as the loss is their mean.
static double kept;
static void harder_half(void *context, rmx_batch *b, const float *losses) {
  double mean = 0;
  const size_t n = (size_t)b->B * (size_t)b->T;
  for (size_t i = 0; i < n; i++) mean += (double)losses[i] / (double)n;
  for (size_t i = 0; i < n; i++) {
    ck_assert(b->weights[i] == 1 &&
              (b->domain[i / (size_t)b->T] == 0 || b->domain[i / (size_t)b->T] == 1));
    b->weights[i] = (double)losses[i] > mean;
    *(double *)context += b->weights[i];
  }
}
static rmx_status control_to_harder_half(const rmx_run *r, const rmx_corpus *c,
                                         const rmx_kernels *k, rmx_controller *out, rmx_err *err) {
  (void)c, (void)k;
  const char *method;
  RMX_TRY(rmx__json_string(r->controller, "method", &method, "run.json", err));
  ck_assert_str_eq(method, "harder half");
  *out = (rmx_controller){.context = &kept, .weigh = harder_half};
  return RMX_OK;
}

START_TEST(tokens_may_be_weighed_by_their_losses) {
  folder_make();
  fill_corpus();
  rmx_training t = a_training();
  rmx_run all = a_run(&t, "all", 0.5), half = a_run(&t, "half", 0.5);
  half.controller = json_pack("{s:s}", "method", "harder half");
  const rmx_kernels *kernels;
  must(rmx_kernels_get(NULL, &kernels, err));
  must(rmx_run_write(&half, err));
  must_fail(rmx_train(&half, &corpus, kernels, NULL, err), "needs method");
  json_t *a = train(&all, NULL),
         *b = train(&half, &(rmx_train_hooks){.make_controller = control_to_harder_half});
  ck_assert(kept > 0.2 * 8192 && kept < 0.8 * 8192);
  ck_assert_double_lt(loss_of(b, "up"), 0.95 * log(V));  // it learns
  ck_assert(loss_of(a, "up") != loss_of(b, "up"));
  json_decref(a), json_decref(b);
  rmx_run_release(&all), rmx_run_release(&half);
  release_training(&t);
  folder_remove();
}
END_TEST

START_TEST(divergence_is_a_result) {
  folder_make();
  fill_corpus();
  rmx_training t = a_training();
  t.lr = 10, t.adamw.clip = 0, t.adamw.weight_decay = 10, t.tokens = 65536;
  rmx_run r = a_run(&t, "wild", 0.5);
  json_t *result = train(&r, NULL);
  ck_assert_str_eq(json_string_value(json_object_get(result, "status")), "diverged");
  ck_assert(json_is_null(json_object_get(result, "loss_nats")));
  json_decref(result);
  rmx_run_release(&r);
  release_training(&t);
  folder_remove();
}
END_TEST

START_TEST(a_run_of_another_corpus_is_refused) {
  folder_make();
  fill_corpus();
  rmx_training t = a_training();
  rmx_run r = a_run(&t, "old", 0.5);
  const rmx_kernels *k;
  must(rmx_kernels_get(NULL, &k, err));
  must(rmx_run_write(&r, err));
  r.corpus_hash++;
  must_fail(rmx_train(&r, &corpus, k, NULL, err), "made for another corpus");
  rmx_run_release(&r);
  t.preset = rmx_strdup("giga");
  rmx_model_config c;
  must_fail(rmx_training_model(&t, V, &c, err), "there are: nano");
  release_training(&t);
  folder_remove();
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, the_rate_warms_up_then_holds_or_falls);
  tcase_add_test(tc, a_run_reads_back_and_its_answer_depends_on_the_question);
  tcase_add_test(tc, results_of_version_0_1_0_still_answer);
  tcase_add_test(tc, reported_losses_are_the_models);
  tcase_add_test(tc, what_is_trained_on_is_what_is_learnt);
  tcase_add_test(tc, evaluations_on_the_way_change_no_result);
  tcase_add_test(tc, threads_may_change_between_two_halves);
  tcase_add_test(tc, phases_change_the_mixture_and_survive_a_stop);
  tcase_add_test(tc, tokens_may_be_weighed_by_their_losses);
  tcase_add_test(tc, divergence_is_a_result);
  tcase_add_test(tc, a_run_of_another_corpus_is_refused);
}
