// SPDX-License-Identifier: Apache-2.0
// Methods that fit laws to proxies they choose: power laws against their own form; data mixing laws
// and CLIMB with losses that are known functions of the mixture in place of trainings.
#include "base/json.h"
#include "baselines/climb.h"
#include "baselines/comparison.h"
#include "baselines/law.h"
#include "regress/fit.h"
#include "small_comparison.h"
#include "unit/corpus_folder.h"

// ---- the power laws

START_TEST(power_laws_give_back_their_own_form) {
  const double alpha = 0.73, floors[] = {1.2, 0.4, 2.5}, amounts[] = {0.8, 2, 0.01};
  double x[9], y[3][9];
  rmx__power_law laws[3];
  for (int i = 0; i < 9; i++) x[i] = 1e5 * (4 + i);
  for (int k = 0; k < 3; k++) {
    for (int i = 0; i < 9; i++) y[k][i] = floors[k] + amounts[k] * pow(x[i] / x[8], -alpha);
    laws[k] = (rmx__power_law){.x = x, .y = y[k], .n = 9};
  }
  double got = 0, rms;
  rmx__power_law_fit(laws, 3, 0.05, &got, &rms);
  ck_assert_double_eq_tol(got, alpha, 1e-4);
  ck_assert_double_lt(rms, 1e-7);
  for (int k = 0; k < 3; k++) {
    ck_assert_double_eq_tol(laws[k].floor, floors[k], 1e-3);
    ck_assert_double_eq_tol(rmx__power_law_at(&laws[k], got, 5e7),
                            floors[k] + amounts[k] * pow(5e7 / x[8], -alpha), 1e-3);
  }
  // One point far off moves little: Huber's loss.
  y[1][4] += 3;
  got = 0;
  rmx__power_law_fit(laws, 3, 0.001, &got, &rms);
  ck_assert_double_eq_tol(rmx__power_law_at(&laws[1], got, x[0]),
                          floors[1] + amounts[1] * pow(x[0] / x[8], -alpha), 0.02);
  // Two points and an exponent that is held: exact. A curve that rises is its mean.
  got = 0.55;
  rmx__power_law two = {.x = x, .y = (double[]){2, 1.9}, .n = 2};
  rmx__power_law_fit(&two, 1, 0.08, &got, &rms);
  ck_assert(got == 0.55 && rms < 1e-12);
  rmx__power_law up = {.x = x, .y = (double[]){1.50, 1.52}, .n = 2};
  rmx__power_law_fit(&up, 1, 0.08, &got, &rms);
  ck_assert(up.amount == 0);
  ck_assert_double_eq_tol(up.floor, 1.51, 1e-9);
  // Where the floor would be below nothing it is nothing.
  rmx__power_law low = {.x = x, .y = (double[]){1, 0.2}, .n = 2};
  rmx__power_law_fit(&low, 1, 0.08, &got, &rms);
  ck_assert(low.floor == 0 && low.amount > 0);
}
END_TEST

// ---- trainings that are functions

enum { D = 3, TARGETS = 2 };
static uint16_t no_ids[1000];
static rmx_domain domains[D + 1];
static const char *names[D + 1] = {"a", "b", "c", "exam"};
static double prior[D] = {0.3, 0.3, 0.4};
static rmx_corpus corpus = {.D = D + 1,
                            .D_train = D,
                            .domains = domains,
                            .names = names,
                            .prior = prior,
                            .vocab = 50,
                            .hash = 5};

static void make_corpus(void) {
  for (int d = 0; d <= D; d++)
    domains[d] = (rmx_domain){.name = (char *)names[d],
                              .valid_only = d == D,
                              .width = 2,
                              .train = d < D ? no_ids : NULL,
                              .train_tokens = d < D ? 100000 : 0,
                              .valid = no_ids,
                              .valid_tokens = 300,
                              .valid_bytes = 600};
}

typedef struct functions {
  small_comparison s;
  double (*loss)(const rmx_run *r, size_t domain, double tokens);
  int trained;
} functions;

// Writes what a training would have left.
static rmx_status pretend(void *context, const rmx_run *runs, size_t n, const char *what,
                          rmx_err *err) {
  functions *f = context;
  for (size_t i = 0; i < n; i++) {
    const rmx_run *r = &runs[i];
    if (rmx_run_look(r, NULL) == RMX_RUN_DONE) continue;
    f->trained++;
    RMX_TRY(rmx_run_write(r, err));
    char answers[17], *result = rmx_path_in(r->folder, "result.json"),
                      *log = rmx_path_in(r->folder, "log.jsonl");
    rmx_buf lines = {0};
    rmx_run_fingerprint(r, answers);
    json_t *end = json_object();
    const int64_t evals = r->training.evals > 0 ? r->training.evals : 1;
    for (int64_t e = 1; e <= evals; e++) {
      const double tokens = (double)r->training.tokens * (double)e / (double)evals;
      rmx_buf_printf(&lines, "{\"step\":%d,\"tokens\":%.17g,\"valid_nats\":{", (int)e, tokens);
      for (size_t d = 0; d < corpus.D; d++) {
        const double loss = f->loss(r, d, tokens);
        rmx_buf_printf(&lines, "%s\"%s\":%.17g", d ? "," : "", names[d], loss);
        if (e == evals) json_object_set_new(end, names[d], json_real(loss));
      }
      rmx_buf_puts(&lines, "}}\n");
    }
    json_t *o = json_pack("{s:s, s:s, s:o, s:f, s:f, s:f}", "status", "done", "answers", answers,
                          "loss_nats", end, "flops", 1e6, "valid_flops", 0.0, "wall_s", 0.5);
    rmx_status status = rmx_write_file(log, lines.data, lines.size, err);
    if (status == RMX_OK) status = rmx__json_write(result, o, err);
    json_decref(o);
    rmx_buf_release(&lines);
    free(result), free(log);
    if (status != RMX_OK) return status;
  }
  return RMX_OK;
}

static void functions_make(functions *f, double (*loss)(const rmx_run *, size_t, double)) {
  folder_make();
  make_corpus();
  small_comparison_make(&f->s, test_folder, test_folder, &corpus);
  f->loss = loss;
  f->trained = 0;
  f->s.c.train = pretend;
  f->s.c.context = f;
}

static void functions_release(functions *f) {
  small_comparison_release(&f->s);
  folder_remove();
}

// ---- data mixing laws

static const double c[D + 1] = {1.1, 1.3, 1.0, 1.2},
                          t[D + 1][D] = {
                              {-1.2, .3, .2}, {.1, -1.5, .4}, {.3, .2, -0.9}, {-0.4, -1.1, 0.9}};
static double large_body;
static double exponent_of_sizes;

static double mixing_law(const double *w, size_t d) {
  double sum = 0;
  for (int k = 0; k < D; k++) sum += t[d][k] * w[k];
  return c[d] + exp(sum);
}

// Nested: the mixing law holds at the large model's size and tokens.
static double nested(const rmx_run *r, size_t d, double tokens) {
  rmx_model_config m;
  must(rmx_training_model(&r->training, 50, &m, err));
  const double size = (double)rmx_model_parameters_body(&m) / large_body;
  const double here = 0.9 + (mixing_law(r->mixture, d) - 0.9) * pow(size, -exponent_of_sizes);
  return 0.5 + (here - 0.5) * pow(tokens / 16384, -0.7);
}

static double nested_target(const small_comparison *s, const double *w) {
  double sum = 0;
  for (size_t d = 0; d <= D; d++) sum += s->target[d] * mixing_law(w, d);
  return sum;
}

static void run_law(int64_t sizes, double exponent, double tolerance) {
  functions f;
  functions_make(&f, nested);
  small_comparison *s = &f.s;
  rmx_model_config m;
  s->proxy.layers = 2, s->proxy.width = 32, s->proxy.ffn = 64;
  s->large.layers = 4, s->large.width = 64, s->large.ffn = 128;
  must(rmx_training_model(&s->large, 50, &m, err));
  large_body = (double)rmx_model_parameters_body(&m);
  exponent_of_sizes = exponent;
  s->c.budget = small_flop(s) * 8192 * 40;
  s->options.law.mixtures = 20;
  s->options.law.sizes = sizes;
  s->target[0] = 0.3, s->target[1] = 0, s->target[2] = 0, s->target[3] = 0.7;
  s->cap[1] = 0.6;
  rmx_baseline_result found;
  find(s, "law", &found);
  ck_assert_int_eq(f.trained, 20 * (int)sizes);
  ck_assert_double_eq_tol(note(&found, "steps_exponent"), 0.7, 1e-3);
  ck_assert_double_lt(note(&found, "steps_rms"), 1e-6);
  if (sizes > 1) ck_assert_double_eq_tol(note(&found, "sizes_exponent"), exponent, 1e-3);
  // The best of the law itself, on a grid under the cap.
  double least = INFINITY, w[D];
  for (int i = 0; i <= 200; i++)
    for (int j = 0; i + j <= 200; j++) {
      w[0] = i / 200.0, w[1] = j / 200.0, w[2] = 1 - w[0] - w[1];
      if (w[1] <= 0.6 && nested_target(s, w) < least) least = nested_target(s, w);
    }
  ck_assert_double_le(found.mixture[1], 0.6 + 1e-6);
  ck_assert_double_lt(nested_target(s, found.mixture), least + tolerance);
  ck_assert_double_gt(nested_target(s, prior), least + 10 * tolerance);
  ck_assert_double_eq_tol(note(&found, "predicted"), nested_target(s, found.mixture), 3e-3);
  // All evaluations are counted: the pretended results count a million each, and no validation.
  const double lines = note(&found, "evaluations");
  double valid = 0;
  for (int k = 0; k < sizes; k++) {
    rmx_run r;
    rmx_err ignored;
    char name[32];
    snprintf(name, sizeof name, "law-%d-001", k + 1);
    ck_assert(rmx_run_read(in_folder(name), &r, &ignored) == RMX_OK);
    must(rmx_training_model(&r.training, 50, &m, err));
    valid += 4 * 299 * rmx_model_flop_per_token(&m, 32) / 3;
    rmx_run_release(&r);
  }
  ck_assert_double_eq_tol(found.flops, 20 * (double)sizes * 1e6 + 20 * lines * valid, 1);
  rmx_baseline_result_release(&found);
  functions_release(&f);
}

START_TEST(laws_of_three_sizes_are_nested_and_recovered) {
  run_law(3, 0.4, 2e-3);
}
END_TEST
START_TEST(two_sizes_do_with_an_exponent_that_is_held) {
  run_law(2, 0.55, 2e-3);
}
END_TEST

// Where validation text is long, each evaluation looks at less of it, so that they take a third of
// the budget at most.
START_TEST(evaluations_do_not_eat_the_budget) {
  functions f;
  functions_make(&f, nested);
  large_body = 1e4, exponent_of_sizes = 0.5;
  for (int d = 0; d <= D; d++) domains[d].valid_tokens = 20001;
  f.s.options.law.sizes = 1;
  f.s.options.law.mixtures = 10;
  f.s.c.budget = 10 * small_flop(&f.s) * 6 * 4 * 6000;  // of evaluations at 18000 tokens alone
  rmx_baseline_result found;
  find(&f.s, "law", &found);
  const double look = note(&found, "evaluation_tokens"), evals = note(&found, "evaluations"),
               tokens = note(&found, "tokens");
  ck_assert(evals == 6 && look < 20000 / 2 && look >= 4096);
  const double evaluations = 10 * evals * 4 * look * small_flop(&f.s) / 3;
  ck_assert_double_le(evaluations, f.s.c.budget / 3);
  ck_assert_double_le(evaluations + 10 * tokens * small_flop(&f.s), f.s.c.budget);
  ck_assert_double_ge(evaluations + 10 * tokens * small_flop(&f.s), 0.98 * f.s.c.budget);
  rmx_baseline_result_release(&found);
  functions_release(&f);
}
END_TEST

// ---- CLIMB

static double bowl(const rmx_run *r, size_t d, double tokens) {
  static const double best[D] = {0.15, 0.7, 0.15};
  double sum = d == D ? 2 : 2.5;
  for (int k = 0; k < D; k++) sum += (d == D ? 1.5 : 0.3) * pow(r->mixture[k] - best[k], 2);
  return sum;
}

static double bowl_at(const double *w) {
  rmx_run r = {.mixture = (double *)w};
  return bowl(&r, D, 0);
}

static void climb_budget(functions *f, double runs) {
  double valid = 4 * 299.0 / 3;
  f->s.c.budget = runs * small_flop(&f->s) * (8192 + valid) * 1.0001;
  for (int d = 0; d < D; d++) f->s.target[d] = 0;
  f->s.target[D] = 1;
}

START_TEST(climb_comes_nearer_from_round_to_round) {
  functions f;
  functions_make(&f, bowl);
  climb_budget(&f, 56);
  ck_assert(rmx__climb_share(112, 3, 0) == 64 && rmx__climb_share(112, 3, 1) == 32 &&
            rmx__climb_share(112, 3, 2) == 16);
  for (size_t N = 18; N < 60; N++)
    ck_assert_uint_eq(
        rmx__climb_share(N, 3, 0) + rmx__climb_share(N, 3, 1) + rmx__climb_share(N, 3, 2), N);
  f.s.options.climb.pool = 2000;
  rmx_baseline_result found;
  find(&f.s, "climb", &found);
  ck_assert_int_eq(f.trained, 56);
  ck_assert_double_eq_tol(found.flops, 56e6, 1);
  const json_t *track = json_object_get(found.notes, "track");
  ck_assert_uint_eq(json_array_size(track), 3);
  double w[D], first, means[3] = {0};
  for (int d = 0; d < D; d++)
    w[d] = json_number_value(
        json_object_get(json_object_get(json_array_get(track, 0), "mixture"), names[d]));
  first = bowl_at(w);
  ck_assert_double_lt(bowl_at(found.mixture), first);
  ck_assert_double_lt(bowl_at(found.mixture), 2.02);
  // Later runs are better ones.
  static const int runs[3] = {32, 16, 8};
  double trained[56][D];
  int n = 0;
  for (int r = 0; r < 3; r++)
    for (int i = 0; i < runs[r]; i++) {
      char name[40];
      rmx_run run;
      snprintf(name, sizeof name, "climb-%d-%03d", r + 1, i + 1);
      must(rmx_run_read(in_folder(name), &run, err));
      means[r] += bowl_at(run.mixture) / runs[r];
      memcpy(trained[n], run.mixture, sizeof trained[n]);
      for (int k = 0; k < n; k++)
        ck_assert_msg(memcmp(trained[k], trained[n], sizeof trained[n]) != 0, "%s is run %d again",
                      name, k + 1);
      n++;
      rmx_run_release(&run);
    }
  ck_assert_double_lt(means[1], 2 + (means[0] - 2) / 2);
  ck_assert_double_lt(means[2], means[1]);
  rmx_baseline_result_release(&found);
  functions_release(&f);
}
END_TEST

// One round is a regression on its runs, and the best of the pool by it.
START_TEST(one_round_is_regression_with_the_argmax) {
  functions f;
  functions_make(&f, bowl);
  climb_budget(&f, 20);
  f.s.options.climb.rounds = 1;
  f.s.options.climb.pool = 500;
  rmx_baseline_result found;
  find(&f.s, "climb", &found);
  ck_assert(f.trained == 20 && found.converged == RMX_NO_ROUNDS);
  rmx_table X = {0}, Y = {0};
  must(rmx_table_make(&X, "run", 20, D, err));
  must(rmx_table_make(&Y, "run", 20, 1, err));
  for (int d = 0; d < D; d++) X.names[d] = rmx_strdup(names[d]);
  Y.names[0] = rmx_strdup("exam_val_loss");
  for (int i = 0; i < 20; i++) {
    char name[40];
    rmx_run run;
    snprintf(name, sizeof name, "climb-1-%03d", i + 1);
    must(rmx_run_read(in_folder(name), &run, err));
    X.ids[i] = rmx_strdup(name), Y.ids[i] = rmx_strdup(name);
    memcpy(X.x + i * D, run.mixture, sizeof(double[D]));
    Y.x[i] = bowl_at(run.mixture);
    rmx_run_release(&run);
  }
  rmx_regress_options options;
  rmx_fit *fit;
  must(rmx__climb_regress(&options, err));
  must(rmx_fit_tables(
      &(rmx_fit_tables_request){
          .options = &options, .mixtures = &X, .metrics = &Y, .seed = f.s.c.seed, .threads = 1},
      &fit, err));
  double pool[500 * D], score[500];
  must(rmx__climb_pool(&f.s.c, 500, pool, err));
  rmx_regressor_predict(fit->regressors[0], pool, 500, score, NULL);
  size_t best = 0, ties = 0;
  for (size_t i = 1; i < 500; i++) best = score[i] < score[best] ? i : best;
  for (size_t i = 0; i < 500; i++) ties += score[i] == score[best];
  ck_assert(memcmp(found.mixture, pool + best * D, sizeof(double[D])) == 0);
  ck_assert(note(&found, "predicted") == score[best] && note(&found, "ties") == (double)ties &&
            ties < 400);
  rmx_fit_free(fit);
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &options);
  rmx_table_release(&X), rmx_table_release(&Y);
  rmx_baseline_result_release(&found);
  functions_release(&f);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, power_laws_give_back_their_own_form);
  tcase_add_test(tc, laws_of_three_sizes_are_nested_and_recovered);
  tcase_add_test(tc, two_sizes_do_with_an_exponent_that_is_held);
  tcase_add_test(tc, evaluations_do_not_eat_the_budget);
  tcase_add_test(tc, climb_comes_nearer_from_round_to_round);
  tcase_add_test(tc, one_round_is_regression_with_the_argmax);
}
