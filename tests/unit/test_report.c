// SPDX-License-Identifier: Apache-2.0
// What the report reads from a folder, number by number, and that the page holds it and nothing
// that could break out.
#include <fcntl.h>
#include <regmix/report.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/parts.h"
#include "testing.h"

static char *folder;

static void make_folder(void) {
  static char name[64];
  snprintf(name, sizeof name, "%s/XXXXXX", scratch_folder);
  ck_assert_ptr_nonnull(mkdtemp(name));
  folder = name;
}

static void remove_folder(void) {
  must(rmx_remove_tree(folder, err));
}

static const char *in_folder(const char *file) {
  static char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, file);
  return path;
}

static void put(const char *file, const char *text) {
  char path[256];
  snprintf(path, sizeof path, "%s", in_folder(file));
  char *slash = strrchr(path, '/');
  *slash = '\0';
  must(rmx_mkdirs(path, err));
  must(rmx_write_file(in_folder(file), text, strlen(text), err));
}

static json_t *collect(void) {
  json_t *data = NULL;
  must(rmx_report_collect(&(rmx_report_files){.folder = folder}, &data, err));
  return data;
}

// A value by keys and indices: at(data, "runs", "values", 0, 1) with numbers as text.
static json_t *at(json_t *value, const char *path) {
  char copy[256], *rest = copy;
  snprintf(copy, sizeof copy, "%s", path);
  for (char *step; (step = strsep(&rest, "/"));)
    value = json_is_array(value) ? json_array_get(value, (size_t)atoi(step))
                                 : json_object_get(value, step);
  ck_assert_msg(value != NULL, "there is no %s", path);
  return value;
}
#define number(data, path) json_number_value(at(data, path))
#define text(data, path) json_string_value(at(data, path))

static bool warned(json_t *data, const char *about) {
  json_t *warnings = at(data, "warnings");
  for (size_t i = 0; i < json_array_size(warnings); i++)
    if (strstr(json_string_value(json_array_get(warnings, i)), about)) return true;
  return false;
}

static void put_tables(void) {
  put("mixtures.csv", "run,a,b\nr1,0.1,0.9\nr2,0.4,0.6\nr3,0.7,0.3\nr4,1,0\n");
  put("metrics.csv", "run,a_val_loss,b_val_loss\nr3,2,5\nr1,4,3\nr2,3,4\nstranger,9,9\n");
  put("metrics-half.csv", "run,b_val_loss,a_val_loss\nr1,3.5,4.4\nr2,4.6,\nr3,5.5,2.2\n");
}

START_TEST(empty_folder_has_a_page) {
  json_t *data = collect();
  ck_assert_ptr_null(json_object_get(data, "runs"));
  ck_assert_uint_eq(json_array_size(at(data, "warnings")), 0);
  json_decref(data);
  must(rmx_report_write(&(rmx_report_files){.folder = folder}, NULL, err));
  ck_assert(rmx_exists(in_folder("report.html")));
}
END_TEST

START_TEST(absent_folder) {
  must_fail(rmx_report_write(&(rmx_report_files){.folder = "/tmp/regmix-there-is-none"},
                             "/tmp/x.html", err),
            "no such folder");
}
END_TEST

START_TEST(runs_are_joined_by_name) {
  put_tables();
  json_t *data = collect();
  ck_assert_uint_eq(json_array_size(at(data, "runs/ids")),
                    3);  // r4 was not measured, the stranger has no mixture
  ck_assert_str_eq(text(data, "runs/ids/0"), "r3");
  ck_assert_double_eq(number(data, "runs/mixtures/0/0"), 0.7);
  ck_assert_double_eq(number(data, "runs/values/1/0"), 4);
  ck_assert_double_eq(number(data, "runs/half/1/0"), 4.4);  // columns in another order
  ck_assert_double_eq(number(data, "runs/half/1/1"), 3.5);
  ck_assert(json_is_null(at(data, "runs/half/2/0")));
  ck_assert(warned(data, "3 of 4 mixtures"));
  json_decref(data);
}
END_TEST

START_TEST(a_fit_that_is_older_than_its_tables) {
  static const char fit[] =
      "{\"ids\": [\"r1\", \"r2\"], \"domains\": [\"a\", \"b\"], \"metrics\": [{\"name\": "
      "\"a_val_loss\", \"values\": [4, 3]}], \"mixtures\": [[0.1, 0.9], [0.4, 0.6]]}";
  char optimum[200];
  put_tables();
  put("fit/fit.json", fit);
  snprintf(optimum, sizeof optimum, "made_by:\n  fit: '%016llx'\n",
           (unsigned long long)rmx_hash(fit, strlen(fit), 0));
  put("optimum.yaml", optimum);
  json_t *data = collect();
  ck_assert(warned(data, "0 of its runs are gone from them or have other values, and 1 run is"));
  ck_assert(!warned(data, "another fit"));
  json_decref(data);
  put("metrics.csv", "run,a_val_loss,b_val_loss\nr1,4,3\nr2,3,4\n");
  data = collect();
  ck_assert(!warned(data, "The fit is older"));
  json_decref(data);
  put("metrics.csv", "run,a_val_loss,b_val_loss\nr1,4.5,3\n");
  data = collect();
  ck_assert(warned(data, "2 of its runs are gone from them or have other values, and 0 runs"));
  json_decref(data);
  put("optimum.yaml", "made_by:\n  fit: '0123456789abcdef'\n");
  data = collect();
  ck_assert(warned(data, "found with another fit"));
  json_decref(data);
  unlink(in_folder("fit/fit.json"));
  data = collect();
  ck_assert(warned(data, "is not here any more"));
  json_decref(data);
}
END_TEST

// Two sizes of five mixtures. The predictions know the sizes, and have the mixtures of the larger
// one in the wrong order.
START_TEST(scores_of_several_sizes_are_those_of_the_largest) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf fit = {0}, folds = {0};
  rmx_buf_printf(&fit,
                 "{\"domains\": [\"a\", \"b\"], \"metrics\": [{\"name\": \"x\", \"values\": "
                 "[1, 2, 3, 4, 5, 11, 12, 13, 14, 15]}, {\"name\": \"y\", \"values\": "
                 "[1, 2, 3, 4, 5, 11, 12, 13, 14, 15]}], \"ids\": [");
  for (int i = 0; i < 10; i++) rmx_buf_printf(&fit, "%s\"r%d\"", i ? ", " : "", i);
  rmx_buf_puts(&fit, "], \"mixtures\": [");
  for (int i = 0; i < 10; i++)
    rmx_buf_printf(&fit, "%s[0.%d, 0.%d]", i ? ", " : "", 1 + i % 5, 9 - i % 5);
  rmx_buf_puts(&fit,
               "], \"scales\": {\"sizes\": [5, 5, 5, 5, 5, 1, 1, 1, 1, 1], \"tokens\": "
               "[9, 9, 9, 9, 9, 9, 9, 9, 9, 9]}}");
  rmx_buf_puts(&folds, "run,metric,fold,true,predicted\n");
  for (int i = 0; i < 10; i++)
    for (int m = 0; m < 2; m++)
      rmx_buf_printf(&folds, "r%d,%c,0,%d,%d\n", i, "xy"[m], i < 5 ? 1 + i : 6 + i,
                     i < 5 ? 5 - i : 6 + i);
  put("fit/fit.json", fit.data);
  put("fit/cross-validation.csv", folds.data);
  put("optimum.yaml", "mixture: {a: 0.1, b: 0.9}\ntarget: {x: 1, y: 1}\n");
  json_t *data = collect();
  ck_assert_double_eq(number(data, "folds/x/scores/n"), 5);
  ck_assert_double_eq_tol(number(data, "folds/x/scores/spearman"), -1, 1e-12);
  ck_assert_double_eq_tol(number(data, "folds/weighted target/scores/spearman"), -1, 1e-12);
  ck_assert_uint_eq(json_array_size(at(data, "folds/x/run")), 10);  // all are shown
  ck_assert_double_eq(number(data, "effects/n"), 5);
  ck_assert_double_eq_tol(number(data, "effects/spearman/0/0"), 1, 1e-12);
  ck_assert(warned(data, "So the optimum is only a guess"));
  json_decref(data);
}
END_TEST

// The search stayed at the prior: the page says that this is the answer, not a guess.
START_TEST(nothing_learnt_leaves_the_prior) {
  put_tables();
  put("fit/cross-validation.csv",
      "run,metric,fold,true,predicted\nr1,a_val_loss,0,4,2\n"
      "r2,a_val_loss,0,3,3\nr3,a_val_loss,0,2,4\n");
  put("optimum.yaml",
      "mixture: {a: 0.4, b: 0.6}\nprior: {a: 0.4, b: 0.6}\nscore: 3\nscore_prior: 3\n"
      "target: {a_val_loss: 1}\nmethod: prior\n");
  json_t *data = collect();
  ck_assert(warned(data, "So the answer is the prior."));
  ck_assert(!warned(data, "guess"));
  ck_assert(!warned(data, "No gain is expected"));  // the answer itself says it
  json_decref(data);
}
END_TEST

START_TEST(effects_are_rank_correlations) {
  put_tables();
  json_t *data = collect();
  // more a, lower loss on a
  ck_assert_double_eq_tol(number(data, "effects/spearman/0/0"), -1, 1e-12);
  ck_assert_double_eq_tol(number(data, "effects/spearman/0/1"), 1, 1e-12);
  ck_assert_double_eq_tol(number(data, "effects/spearman/1/0"), 1, 1e-12);
  ck_assert_double_eq_tol(number(data, "half_agreement/b_val_loss"), 1, 1e-12);
  ck_assert(json_is_null(at(data, "half_agreement/a_val_loss")));  // two pairs say nothing
  json_decref(data);
}
END_TEST

START_TEST(weighted_target_is_one_more_metric) {
  put_tables();
  put("optimum.yaml",
      "mixture: {a: 0.5, b: 0.5}\ntarget: {a_val_loss: 1, b_val_loss: 0.5}\nscore: 4\nscore_prior: "
      "5\n");
  put("fit/fit.json", "{\"domains\": [\"a\", \"b\"], \"metrics\": [], \"mixtures\": []}");
  put("fit/cross-validation.csv",
      "run,metric,fold,true,predicted\nr1,a_val_loss,0,4,4.1\nr2,a_val_loss,1,3,3\nr3,a_val_loss,0,"
      "2,2\n"
      "r1,b_val_loss,0,3,3.2\nr2,b_val_loss,1,4,4\n");
  json_t *data = collect();
  ck_assert_str_eq(text(data, "target/name"), "weighted target");
  ck_assert_str_eq(text(data, "runs/metrics/0"), "weighted target");
  ck_assert_double_eq(number(data, "runs/values/0/0"), 2 + 0.5 * 5);
  ck_assert_double_eq(number(data, "runs/values/0/2"), 5);
  ck_assert_double_eq_tol(number(data, "runs/half/1/0"), 4.4 + 0.5 * 3.5, 1e-12);
  json_t *folds = at(data, "folds/weighted target");
  ck_assert_uint_eq(json_array_size(at(folds, "run")), 2);  // r3 lacks b
  ck_assert_double_eq_tol(number(folds, "true/0"), 5.5, 1e-12);
  ck_assert_double_eq_tol(number(folds, "predicted/0"), 5.7, 1e-12);
  ck_assert_double_eq_tol(number(folds, "scores/mse"), 0.04 / 2, 1e-12);
  json_decref(data);
}
END_TEST

START_TEST(fit_folder_alone) {
  put("fit.json",
      "{\"domains\": [\"a\", \"b\"], \"metrics\": [{\"name\": \"m\"}], \"mixtures\": [[0.1, 0.9], "
      "[0.5, "
      "0.5], [0.8, 0.2]]}");
  put("cross-validation.csv",
      "run,metric,fold,true,predicted\r\n1,\"m, \"\"x\"\"\",0,3,3.5\r\n2,\"m, "
      "\"\"x\"\"\",1,2,2\r\n3,\"m, "
      "\"\"x\"\"\",2,1,1\r\n");
  json_t *data = collect();
  ck_assert_str_eq(text(data, "runs/metrics/0"), "m, \"x\"");
  ck_assert_double_eq(number(data, "runs/mixtures/2/0"), 0.8);
  ck_assert_double_eq(number(data, "runs/values/2/0"), 1);
  ck_assert_double_eq_tol(number(data, "effects/spearman/0/0"), -1, 1e-12);
  ck_assert_double_eq_tol(number(data, "folds/m, \"x\"/scores/mae"), 0.5 / 3, 1e-12);
  json_decref(data);
}
END_TEST

START_TEST(curves_are_thinned_and_mended) {
  put("optimum.yaml", "mixture: {a: 1}\ntarget: {a_val_loss: 2}\n");
  rmx_buf log = {0};
  for (int step = 1; step <= 1000; step++)
    rmx_buf_printf(&log, "{\"step\": %d, \"tokens\": %d, \"loss_nats\": %g}\n", step, 10 * step,
                   5.0);
  rmx_buf_puts(&log,
               "{\"step\": 1000, \"tokens\": 10000, \"valid_nats\": {\"a\": 3.5, \"b\": 4}}\n");
  rmx_buf_puts(&log,
               // resumed: what came after is told anew
               "{\"step\": 501, \"tokens\": 5010, \"loss_nats\": 4.0}\n");
  rmx_buf_puts(&log, "{\"step\": 502, \"tok");  // and killed
  put("runs/r1/log.jsonl", log.data);
  rmx_buf_release(&log);
  put("runs/r2/log.jsonl",
      "{\"step\": 1, \"tokens\": 10, \"loss_nats\": 6}\n{\"step\": 2, \"tokens\": 20, "
      "\"loss_nats\": "
      "null}\n");
  put("runs/r2/result.json",
      "{\"run\": \"r2\", \"status\": \"diverged\", \"tokens\": 20, \"flops\": 7, \"wall_s\": 1.5}");
  json_t *data = collect();
  json_t *losses = at(data, "curves/0/loss");
  ck_assert_uint_eq(json_array_size(losses), 100);
  ck_assert_double_eq_tol(number(data, "curves/0/loss/0"), 5, 1e-12);
  ck_assert_double_eq_tol(number(data, "curves/0/loss/99"), (5 * 5 + 4) / 6.0,
                          1e-12);  // 501 points: 99 fives of five, then six
  ck_assert_double_eq_tol(number(data, "curves/0/valid/0/1"), 2 * 3.5, 1e-12);
  ck_assert_uint_eq(json_array_size(at(data, "curves/1/loss")), 1);
  ck_assert(json_is_true(at(data, "curves/1/diverged")));
  ck_assert_double_eq(number(data, "proxies/diverged"), 1);
  ck_assert_double_eq(number(data, "proxies/flops"), 7);
  ck_assert(warned(data, "1 of 1 runs diverged"));
  ck_assert(warned(data, "1 line(s) of the logs"));
  json_decref(data);
}
END_TEST

START_TEST(warnings_say_what_is_wrong) {
  put_tables();
  put("resolved.yaml", "large:\n  tokens: 1000\n");
  put("corpus/corpus.json",
      "{\"domains\": [{\"name\": \"a\", \"train_tokens\": 100}, {\"name\": \"b\", "
      "\"train_tokens\": 900}]}");
  put("optimum.yaml",
      "mixture: {a: 0.9, b: 0.1}\ntarget: {a_val_loss: 1}\nscore: 4\nscore_prior: 3.9\ndistance: "
      "0.5\n"
      "typical_distance: 0.1\noutside: [a]\n");
  put("large/comparison.json",
      "{\"rows\": [{\"name\": \"optimum\"}, {\"name\": \"prior\", \"against_optimum\": {\"mean\": "
      "0.01, "
      "\"se\": 0.01, \"n\": 3}},"
      "{\"name\": \"uniform\", \"against_optimum\": {\"mean\": -0.05, \"se\": 0.01, \"n\": 3}}]}");
  put("fit/fit.json", "{\"half_agreement\": {\"a_val_loss\": 0.4}}");
  json_t *data = collect();
  const char *const wanted[] = {"The weight of a is outside",
                                "far from every run: 50 %",
                                "No gain is expected",
                                "may be noise",
                                "the uniform mixture is better than the optimum",
                                "interval 0.0070 to 0.0930",
                                "few runs: 3 for 2",
                                "Spearman 0.40",
                                "see a 9.0 times"};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    ck_assert_msg(warned(data, wanted[i]), "no warning has \"%s\"", wanted[i]);
  ck_assert_double_eq(number(data, "budget_tokens"), 1000);
  json_decref(data);
}
END_TEST

START_TEST(two_seeds_give_no_verdict) {
  put("large/comparison.json",
      "{\"rows\": [{\"name\": \"optimum\"}, {\"name\": \"prior\", \"against_optimum\": {\"mean\": "
      "-9, \"se\": 0.01, \"n\": 2}}]}");
  json_t *data = collect();
  ck_assert(json_is_null(at(data, "comparison/rows/1/against_optimum/low")));
  ck_assert(warned(data, "too few seeds"));
  ck_assert(!warned(data, "better"));
  json_decref(data);
}
END_TEST

static const char *const one_fit =
    "{\"domains\": [\"a\", \"b\"], \"mixtures\": [[0.5, 0.5]], \"tokens\": [100, 400], \"budget\": "
    "1000,"
    " \"metrics\": [{\"name\": \"acc\", \"higher_is_better\": true}, {\"name\": \"loss\"}, "
    "{\"name\": \"other_acc\", \"higher_is_better\": true}]}";

START_TEST(what_gets_worse_is_told_by_its_direction) {
  put("fit/fit.json", one_fit);
  put("optimum.yaml",
      "mixture: {a: 1, b: 0}\ntarget: {acc: -1}\nscore: -0.6\nscore_prior: -0.5\npredicted: {acc: "
      "0.6, loss: 3, other_acc: 0.2}\n"
      "predicted_prior: {acc: 0.5, loss: 3.5, other_acc: 0.4}\ngain: {predicted: 0.1, estimate: "
      "0.05, interval: [0.01, 0.09]}\n");
  json_t *data = collect();
  ck_assert(warned(data,
                   "1 of 2 other metrics is predicted to be worse than at the prior. The "
                   "worst one is other_acc, by 0.2000"));
  ck_assert(!warned(data, "No gain"));
  json_decref(data);
}
END_TEST

START_TEST(a_fit_that_knows_nothing_is_a_warning) {
  put("fit/fit.json", one_fit);
  put("optimum.yaml", "mixture: {a: 1, b: 0}\ntarget: {loss: 1}\nscore: 3\nscore_prior: 4\n");
  put("fit/cross-validation.csv",
      "run,metric,fold,true,predicted\nr1,loss,0,1,3\nr2,loss,1,2,2\nr3,loss,0,3,1\nr4,loss,0,2.5,"
      "0\n");
  json_t *data = collect();
  ck_assert(warned(data, "The fit has learnt nothing about loss"));
  json_decref(data);
}
END_TEST

START_TEST(a_fit_that_is_named_comes_with_its_own_optimum) {
  put_tables();  // of other runs
  put("regmix.yaml", "");
  put("optimum.yaml", "mixture: {x: 1}\n");
  put("theirs/fit/fit.json", one_fit);
  put("theirs/optimum.yaml", "mixture: {a: 0.9, b: 0.1}\n");
  char fit[256], other[256];
  snprintf(fit, sizeof fit, "%s", in_folder("theirs/fit"));
  snprintf(other, sizeof other, "%s", in_folder("optimum.yaml"));
  json_t *data = NULL;
  rmx_report_files files = {.folder = folder, .fit = fit};
  must(rmx_report_collect(&files, &data, err));
  ck_assert_double_eq(number(data, "optimum/mixture/a"), 0.9);
  ck_assert_ptr_null(json_object_get(data, "waiting"));  // the tables are of other runs
  ck_assert(json_is_false(at(data, "experiment")));
  json_decref(data);
  files.optimum = other;
  must(rmx_report_collect(&files, &data, err));
  ck_assert_double_eq(number(data, "optimum/mixture/x"), 1);
  json_decref(data);
  files.optimum = "/tmp/regmix-there-is-none";
  must_fail(rmx_report_collect(&files, &(json_t *){NULL}, err), "`regmix optimize` makes it");
  files = (rmx_report_files){.folder = folder, .fit = folder};
  must_fail(rmx_report_collect(&files, &(json_t *){NULL}, err), "found no fit.json in it");
}
END_TEST

START_TEST(tokens_and_budget_of_whoever_says_them) {
  put("fit/fit.json", one_fit);
  json_t *data = collect();
  ck_assert_double_eq(number(data, "tokens/b"), 400);
  ck_assert_double_eq(number(data, "budget_tokens"), 1000);
  json_decref(data);
  const char *const domains[] = {"b"};
  const double tokens[] = {7000};
  const rmx_report_files files = {
      .folder = folder, .budget = 5e9, .domains = domains, .tokens = tokens, .n_domains = 1};
  must(rmx_report_collect(&files, &data, err));
  ck_assert_double_eq(number(data, "tokens/a"), 100);
  ck_assert_double_eq(number(data, "tokens/b"), 7000);
  ck_assert_double_eq(number(data, "budget_tokens"), 5e9);
  json_decref(data);
}
END_TEST

START_TEST(runs_to_come_and_what_each_run_took) {
  put_tables();
  put("next.csv", "run,a,b\nn1,0.3,0.7\n");
  put("runs/r1/result.json",
      "{\"status\": \"done\", \"wall_s\": 4, \"epochs\": {\"a\": 0.5, \"b\": 3.5}}");
  put("runs/r4/result.json", "{\"status\": \"diverged\", \"loss_nats\": null}");
  json_t *data = collect();
  ck_assert_str_eq(text(data, "waiting/ids/0"), "r4");
  ck_assert_double_eq(number(data, "waiting/mixtures/0/0"), 1);
  ck_assert_str_eq(text(data, "next/ids/0"), "n1");
  ck_assert_double_eq(number(data, "next/mixtures/0/1"), 0.7);
  ck_assert_str_eq(text(data, "results/r1/most"), "b");
  ck_assert_double_eq(number(data, "results/r1/epochs"), 3.5);
  ck_assert_str_eq(text(data, "results/r4/status"), "diverged");
  json_decref(data);
  rmx_report_files files = {.folder = folder, .next = "/tmp/regmix-there-is-none"};
  must_fail(rmx_report_collect(&files, &(json_t *){NULL}, err), "regmix-there-is-none");
}
END_TEST

START_TEST(the_date_is_that_of_the_newest_file) {
  put("fit/fit.json", one_fit);
  put("optimum.yaml", "mixture: {a: 1, b: 0}\n");
  struct timespec old[2] = {{.tv_sec = 86400}, {.tv_sec = 86400}},
                  newer[2] = {{.tv_sec = 950000000}, {.tv_sec = 950000000}};
  utimensat(AT_FDCWD, in_folder("fit/fit.json"), old, 0);
  utimensat(AT_FDCWD, in_folder("optimum.yaml"), newer, 0);
  unsetenv("SOURCE_DATE_EPOCH");
  json_t *data = collect();
  ck_assert_str_eq(text(data, "date"), "2000-02-08");
  json_decref(data);
  setenv("SOURCE_DATE_EPOCH", "172800", 1);
  data = collect();
  ck_assert_str_eq(text(data, "date"), "1970-01-03");
  json_decref(data);
  unsetenv("SOURCE_DATE_EPOCH");
}
END_TEST

static const char *const two_methods =
    "{\"methods\": {\"regmix\": {\"weights\": {\"a\": 0.25, \"b\": 0.75}, \"target_loss\": "
    "{\"mean\": 3.5, "
    "\"se\": 0.01, \"n\": 3}, \"search_flops\": 1e12, \"notes\": {}},"
    " \"odm\": {\"weights\": null, \"target_loss\": {\"mean\": null, \"se\": null, \"n\": 0}, "
    "\"status\": "
    "\"search diverged\", \"notes\": {\"form\": \"paper\", \"track\": [%s]}}},"
    " \"order\": [\"regmix\", \"odm\"], \"target\": {\"a_val_loss\": 1}, \"seeds\": 3}";

static void put_methods(size_t points) {
  rmx_buf track = {0};
  for (size_t i = 0; i < points; i++)
    rmx_buf_printf(&track, "%s{\"tokens\": %zu, \"mixture\": {\"a\": %g, \"b\": %s}}",
                   i ? ", " : "", 10 * (i + 1), (double)i / 1000, i == 0 ? "null" : "0.5");
  char *file = rmx_format(two_methods, points ? track.data : "");
  put("compare/methods.json", file);
  free(file);
  rmx_buf_release(&track);
}

START_TEST(methods_go_in_with_their_tracks_thinned) {
  put_methods(1000);
  json_t *data = collect(), *track = at(data, "methods/tracks/odm");
  ck_assert_str_eq(text(data, "methods/order/1"), "odm");
  ck_assert_double_eq(number(data, "methods/methods/regmix/target_loss/mean"), 3.5);
  ck_assert_str_eq(text(data, "methods/methods/odm/notes/form"), "paper");
  ck_assert_ptr_null(json_object_get(at(data, "methods/methods/odm/notes"), "track"));
  ck_assert_uint_eq(json_object_size(at(data, "methods/tracks")), 1);
  ck_assert_uint_eq(json_array_size(at(track, "tokens")), 200);
  ck_assert_uint_eq(json_array_size(at(track, "mixture/a")), 200);
  ck_assert_double_eq(number(track, "tokens/0"), 10);
  ck_assert_double_eq(number(track, "tokens/199"), 10000);
  ck_assert_double_eq(number(track, "mixture/a/199"), 0.999);
  for (size_t k = 1; k < 200; k++) {  // points as they are, evenly spaced
    const double before = json_number_value(json_array_get(at(track, "tokens"), k - 1));
    const double tokens = json_number_value(json_array_get(at(track, "tokens"), k));
    ck_assert(tokens - before == 50 || tokens - before == 60);
    ck_assert_double_eq_tol(json_number_value(json_array_get(at(track, "mixture/a"), k)),
                            tokens / 1e4 - 0.001, 1e-12);
  }
  ck_assert(json_is_null(at(track, "mixture/b/0")));
  ck_assert_str_eq(text(data, "target/name"), "a_val_loss");  // nobody else said one
  json_decref(data);
}
END_TEST

START_TEST(methods_with_short_tracks_or_none) {
  json_t *data = collect();
  ck_assert_ptr_null(json_object_get(data, "methods"));
  json_decref(data);
  for (size_t points = 0; points < 4; points++) {
    put_methods(points);
    data = collect();
    json_t *track = json_object_get(at(data, "methods/tracks"), "odm");
    ck_assert_uint_eq(json_array_size(json_object_get(track, "tokens")), points);
    if (points > 1) ck_assert_double_eq(number(track, "mixture/a/1"), 0.001);
    json_decref(data);
  }
}
END_TEST

START_TEST(broken_methods_are_named) {
  put("compare/methods.json", "{\"methods\": {");
  must_fail(rmx_report_collect(&(rmx_report_files){.folder = folder}, &(json_t *){NULL}, err),
            "compare/methods.json:1");
  put("compare/methods.json", "{\"order\": []}");
  must_fail(rmx_report_collect(&(rmx_report_files){.folder = folder}, &(json_t *){NULL}, err),
            "wanted a map \"methods\"");
  put("compare/methods.json", "{\"methods\": {}, \"order\": {}}");
  must_fail(rmx_report_collect(&(rmx_report_files){.folder = folder}, &(json_t *){NULL}, err),
            "wanted a list \"order\"");
  put("compare/methods.json", "{\"methods\": {\"a\": {}}, \"order\": [\"a\", 3]}");
  must_fail(rmx_report_collect(&(rmx_report_files){.folder = folder}, &(json_t *){NULL}, err),
            "entry 2 is not a name");
  put("compare/methods.json", "{\"methods\": {\"a\": {}}, \"order\": [\"a\", \"b\"]}");
  must_fail(rmx_report_collect(&(rmx_report_files){.folder = folder}, &(json_t *){NULL}, err),
            "\"b\" in the order is not among the methods");
}
END_TEST

static const char *const three_runs =
    "{\"version\": 1, \"domains\": [\"a\", \"b\"], \"raw\": false, \"mixtures\": [[0.1, 0.9], "
    "[0.5, 0.5], "
    "[0.8, "
    "0.2]], \"metrics\": [{\"name\": \"m\", \"file\": \"m.json\"}, {\"name\": \"n\", \"file\": "
    "\"n.json\"}, "
    "{\"name\": "
    "\"t\", \"file\": \"t.txt\"}]}";

static const char *const two_run_gp =
    "{\"regressor\": \"gp\", \"version\": 1, \"domains\": [\"a\", \"b\"], \"runs\": 2, \"shift\": "
    "3, "
    "\"scale\": 0.5, "
    "\"seen\": [2, 4], \"leave_one_out_rmse\": 0.1, \"log_ripple\": -0.5, \"log_linear\": 0, "
    "\"log_noise\": "
    "-2, "
    "\"log_length\": [0, 0], \"log_eps\": [-3, -3], \"alpha\": [0.12345678901234567, -0.1], "
    "\"row_weights\": "
    "[1, 1], "
    "\"mixtures\": [0.1, 0.9, 0.8, 0.2]}";

// Two trees: one of three leaves, b <= 0.25 first, and then a <= 0.5 on the left; one that is a
// leaf.
static const char *const two_trees =
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\n"
    "objective=regression\nfeature_names=a b\nfeature_infos=[0:1] [0:1]\ntree_sizes=1 1\n\n"
    "Tree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=1 0\nsplit_gain=1 1\nthreshold=0.25 0.5\n"
    "decision_type=2 2\nleft_child=1 -1\nright_child=-2 -3\nleaf_value=1.5 -0.25 2\nleaf_weight=1 "
    "1 1\n"
    "leaf_count=1 1 1\ninternal_value=0 0\ninternal_weight=1 1\ninternal_count=3 2\nis_linear=0\n"
    "shrinkage=1\n\n\n"
    "Tree=1\nnum_leaves=1\nnum_cat=0\nleaf_value=0.125\nis_linear=0\nshrinkage=1\n\n\nend of "
    "trees\n";

START_TEST(functions_come_with_the_runs_they_need) {
  put("fit/fit.json", three_runs);
  put("fit/m.json",
      "{\"regressor\": \"ridge\", \"version\": 1, \"domains\": null, \"sqrt\": false, \"alpha\": "
      "1, "
      "\"intercept\": 3, "
      "\"coefficients\": [0.1, 0.2]}");
  put("fit/n.json", two_run_gp);
  put("fit/t.txt", two_trees);
  put("optimum.yaml", "mixture: {b: 0.75, a: 0.25}\n");
  json_t *data = collect(), *gp = at(data, "functions/metrics/1/function");
  ck_assert_str_eq(text(data, "functions/metrics/0/name"), "m");
  ck_assert_double_eq(number(data, "functions/metrics/0/function/coefficients/1"), 0.2);
  ck_assert_ptr_null(json_object_get(gp, "mixtures"));
  // the first run and the last have the metric
  ck_assert_uint_eq(json_array_size(at(gp, "rows")), 2);
  ck_assert_double_eq(number(gp, "rows/0"), 0);
  ck_assert_double_eq(number(gp, "rows/1"), 2);
  ck_assert_double_eq(number(data, "functions/mixtures/2/0"), 0.8);
  ck_assert_double_eq(number(data, "functions/optimum/0"), 0.25);
  ck_assert(json_is_null(at(data, "functions/prior")));
  ck_assert_str_eq(text(data, "functions/formats/0/name"), "csv");
  ck_assert(json_is_true(at(data, "functions/formats/4/paths")));
  json_t *trees = at(data, "functions/metrics/2/function");
  // splits in the order of domains: a <= 0.5 is the first
  const int nodes[] = {1, 0, -1, -1, -1, -1};
  const double values[] = {1.5, 2, -0.25, 0.125};
  ck_assert_uint_eq(json_array_size(at(trees, "nodes")), 6);
  for (size_t i = 0; i < 6; i++)
    ck_assert_int_eq(json_integer_value(json_array_get(at(trees, "nodes"), i)), nodes[i]);
  for (size_t i = 0; i < 4; i++)
    ck_assert_double_eq_tol(
        number(trees, "unit") * json_number_value(json_array_get(at(trees, "values"), i)),
        values[i], 1e-13);
  ck_assert_double_eq(number(trees, "threshold/1"), 0.25);
  ck_assert_double_eq(number(trees, "feature/1"), 1);
  json_decref(data);
}
END_TEST

START_TEST(functions_in_the_page_have_all_their_digits) {
  put("fit/fit.json", three_runs);
  put("fit/n.json", two_run_gp);  // the other two are not there: they are left out
  must(rmx_report_write(&(rmx_report_files){.folder = folder}, in_folder("page.html"), err));
  char *page;
  size_t size;
  must(rmx_read_file(in_folder("page.html"), &page, &size, err));
  char *from = strstr(page, "id=\"functions\">");
  ck_assert_ptr_nonnull(from);
  from += strlen("id=\"functions\">");
  json_t *functions = json_loadb(from, (size_t)(strstr(from, "</script") - from), 0, NULL);
  ck_assert_uint_eq(json_array_size(at(functions, "metrics")), 1);
  ck_assert_double_eq(number(functions, "metrics/0/function/alpha/0"), 0.12345678901234567);
  json_decref(functions);
  free(page);
}
END_TEST

START_TEST(broken_functions_are_named) {
  put("fit/fit.json", three_runs);
  put("fit/m.json",
      "{\"regressor\": \"ridge\", \"version\": 1, \"sqrt\": false, \"alpha\": 1, \"intercept\": 3, "
      "\"coefficients\": [0.1, 0.2, 0.3]}");
  must_fail(rmx_report_collect(&(rmx_report_files){.folder = folder}, &(json_t *){NULL}, err),
            "m.json: found 3 domains, but fit.json has 2");
  put("fit/m.json", "{\"regressor\": \"none\", \"version\": 1}");
  must_fail(rmx_report_collect(&(rmx_report_files){.folder = folder}, &(json_t *){NULL}, err),
            "m.json: there is no regressor");
  must(rmx_remove_tree(in_folder("fit/m.json"), err));
  put("fit/t.txt", "tree\nversion=v4\n");
  must_fail(rmx_report_collect(&(rmx_report_files){.folder = folder}, &(json_t *){NULL}, err),
            "t.txt");
}
END_TEST

// Counts a text in the page.
static int occurrences(const char *page, const char *what) {
  int n = 0;
  for (const char *p = page; (p = strstr(p, what)); p += strlen(what)) n++;
  return n;
}

START_TEST(page_is_whole_and_nothing_breaks_out) {
  put("mixtures.csv", "run,\"</script><b>&\"\"'\",b\nr1,0.1,0.9\n");
  put("metrics.csv", "run,\"<!--\"\nr1,3\n");
  put("resolved.yaml", "note: \"</script><script>broken()</script>\"\n");
  must(rmx_report_write(&(rmx_report_files){.folder = folder}, in_folder("page.html"), err));
  char *page;
  size_t size;
  must(rmx_read_file(in_folder("page.html"), &page, &size, err));
  ck_assert_uint_eq(strlen(page), size);
  ck_assert_int_eq(occurrences(page, "</script"), 4);
  ck_assert_int_eq(occurrences(page, "<!--\\\""), 0);
  ck_assert_int_eq(occurrences(page, "<b>"), 0);
  ck_assert_int_eq(occurrences(page, "broken()"), 1);
  ck_assert_int_eq(occurrences(page, "src=\"http"), 0);
  ck_assert_int_eq(occurrences(page, "sourceMappingURL"), 0);
  // Each module of the chart library ends where the next one begins.
  const char *module = strstr(page, "vegaModules[\"");
  for (const char *next; module && (next = strstr(module + 1, "vegaModules[\"")); module = next)
    ck_assert_msg(memcmp(next - 4, "\n};\n", 4) == 0, "%.60s", next);
  if (module) ck_assert_ptr_nonnull(strstr(module, "\n};\n"));
  // What is embedded reads back as what was collected.
  char *from = strstr(page, "id=\"data\">"), *to = from ? strstr(from, "</script") : NULL;
  ck_assert_ptr_nonnull(to);
  json_t *embedded = json_loadb(from + strlen("id=\"data\">"),
                                (size_t)(to - from) - strlen("id=\"data\">"), 0, NULL);
  json_t *data = collect();
  ck_assert(json_equal(embedded, data));
  json_decref(embedded);
  json_decref(data);
  free(page);
}
END_TEST

START_TEST(the_title_is_text) {
  char name[300], wanted[200];
  snprintf(name, sizeof name, "%s", in_folder("a<b>&c"));
  must(rmx_mkdirs(name, err));
  must(rmx_report_write(&(rmx_report_files){.folder = name}, in_folder("page.html"), err));
  RMX_OWNED char *page = NULL;
  must(rmx_read_file(in_folder("page.html"), &page, NULL, err));
  snprintf(wanted, sizeof wanted, "<title>a&lt;b>&amp;c");
  ck_assert_ptr_nonnull(strstr(page, wanted));
  snprintf(wanted, sizeof wanted, "<h1 id=\"title\">a&lt;b>&amp;c");
  ck_assert_ptr_nonnull(strstr(page, wanted));
}
END_TEST

START_TEST(broken_files_are_named) {
  put("fit/fit.json", "{\"domains\": [");
  must_fail(rmx_report_collect(&(rmx_report_files){.folder = folder}, &(json_t *){NULL}, err),
            "fit/fit.json:1");
  put("fit/fit.json", "[]");
  must_fail(rmx_report_collect(&(rmx_report_files){.folder = folder}, &(json_t *){NULL}, err),
            "wanted a map");
  put("fit/fit.json", "{}");
  put("fit/cross-validation.csv", "run,metric\n");
  must_fail(rmx_report_collect(&(rmx_report_files){.folder = folder}, &(json_t *){NULL}, err),
            "cross-validation.csv:1");
  put("fit/cross-validation.csv", "run,metric,fold,true,predicted\na,\"m\n2\",0,1,1\nb,m\n");
  must_fail(rmx_report_collect(&(rmx_report_files){.folder = folder}, &(json_t *){NULL}, err),
            "cross-validation.csv:4: found 2 fields");
  put("fit/cross-validation.csv", "run,metric,fold,true,predicted\n");
  put("mixtures.csv", "run,a\nr1,many\n");
  must_fail(rmx_report_collect(&(rmx_report_files){.folder = folder}, &(json_t *){NULL}, err),
            "mixtures.csv:2");
}
END_TEST

// Builds that are to be the same later have a latest date.
START_TEST(dates_have_a_bound) {
  static const struct {
    const char *said;
    int64_t wanted;
  } cases[] = {{NULL, 1000000},      {"999999", 999999},   {"1000000", 1000000},
               {"1000001", 1000000}, {"2000000", 1000000}, {"", 1000000},
               {"0", 1000000},       {"-5", 1000000},      {"5x", 1000000}};
  put("file", "");
  const struct timespec times[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
  ck_assert_int_eq(utimensat(AT_FDCWD, in_folder("file"), times, 0), 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    unsetenv("SOURCE_DATE_EPOCH");
    if (cases[i].said) setenv("SOURCE_DATE_EPOCH", cases[i].said, 1);
    ck_assert_int_eq(rmx__changed(in_folder("file")), cases[i].wanted);
  }
  unsetenv("SOURCE_DATE_EPOCH");
  ck_assert_int_eq(rmx__changed(in_folder("none")), 0);
  json_t *date = rmx__date(86400);
  ck_assert_str_eq(json_string_value(date), "1970-01-02");
  json_decref(date);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_checked_fixture(tc, make_folder, remove_folder);
  tcase_add_test(tc, dates_have_a_bound);
  tcase_add_test(tc, empty_folder_has_a_page);
  tcase_add_test(tc, absent_folder);
  tcase_add_test(tc, runs_are_joined_by_name);
  tcase_add_test(tc, a_fit_that_is_older_than_its_tables);
  tcase_add_test(tc, effects_are_rank_correlations);
  tcase_add_test(tc, scores_of_several_sizes_are_those_of_the_largest);
  tcase_add_test(tc, nothing_learnt_leaves_the_prior);
  tcase_add_test(tc, weighted_target_is_one_more_metric);
  tcase_add_test(tc, fit_folder_alone);
  tcase_add_test(tc, curves_are_thinned_and_mended);
  tcase_add_test(tc, warnings_say_what_is_wrong);
  tcase_add_test(tc, two_seeds_give_no_verdict);
  tcase_add_test(tc, what_gets_worse_is_told_by_its_direction);
  tcase_add_test(tc, a_fit_that_knows_nothing_is_a_warning);
  tcase_add_test(tc, a_fit_that_is_named_comes_with_its_own_optimum);
  tcase_add_test(tc, tokens_and_budget_of_whoever_says_them);
  tcase_add_test(tc, runs_to_come_and_what_each_run_took);
  tcase_add_test(tc, the_date_is_that_of_the_newest_file);
  tcase_add_test(tc, methods_go_in_with_their_tracks_thinned);
  tcase_add_test(tc, methods_with_short_tracks_or_none);
  tcase_add_test(tc, broken_methods_are_named);
  tcase_add_test(tc, functions_come_with_the_runs_they_need);
  tcase_add_test(tc, functions_in_the_page_have_all_their_digits);
  tcase_add_test(tc, broken_functions_are_named);
  tcase_add_test(tc, page_is_whole_and_nothing_breaks_out);
  tcase_add_test(tc, the_title_is_text);
  tcase_add_test(tc, broken_files_are_named);
}
