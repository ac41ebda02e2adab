// SPDX-License-Identifier: Apache-2.0
// make_fit FOLDER: an experiment with every regressor in one fit, for the tests of the page:
// FOLDER/fit, FOLDER/queries.csv with mixtures to predict (corners, edges, the middle, random
// ones), corpus.json and optimum.yaml. There is a metric for each kind of the registry as it was
// fitted, more of the same with random parameters (and so with random weights of an ensemble), and
// some that `auto` chose. Names are such that each export format must think about its quotes.
#include <math.h>
#include <regmix/mixture.h>
#include <regmix/regress.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "regress/fit.h"
#include "regress/registry.h"

enum { N = 90, D = 5, QUERIES = 40, MOST = 64, FITTED = 8, SHAKEN = 3, AUTO = 2 };
static const char *const domains[D] = {"no", "a\"b", "\xCF\x80", "c,d", "e-1/x"};
// ridge stands first on the weights, then on their roots.
static const char *const kinds[FITTED] = {"ridge", "ridge", "trees",    "exp",
                                          "power", "gp",    "ensemble", "exposure"};
static const char *const metrics[FITTED] = {"ridge_loss",    "root_loss",    "trees_loss",
                                            "exp_loss",      "power_loss",   "gp_loss",
                                            "ensemble_loss", "exposure_loss"};

static void stop(rmx_status status, const rmx_err *err) {
  if (status == RMX_OK) return;
  fprintf(stderr, "make_fit: %s\n", err->message);
  exit(1);
}
#define MUST(call)     \
  do {                 \
    rmx_err e = {0};   \
    rmx_err *err = &e; \
    stop((call), err); \
  } while (0)

static void make_table(rmx_table *t, size_t rows, size_t columns, const char *const *names,
                       char letter) {
  MUST(rmx_table_make(t, "run", rows, columns, err));
  for (size_t i = 0; i < rows; i++) t->ids[i] = rmx_format("%c%zu", letter, i);
  for (size_t d = 0; d < columns; d++) t->names[d] = rmx_strdup(names[d]);
}

// Runs keep to the middle, so that queries go far beyond what they saw, where functions bend over.
static void draw(rmx_rng *rng, double strength, double *w) {
  double alpha[D];
  for (size_t d = 0; d < D; d++) alpha[d] = strength;
  rmx_dirichlet(rng, alpha, D, w);
}

static void fill(size_t M, rmx_table *mixtures, rmx_table *values, rmx_table *queries) {
  rmx_rng rng = rmx_rng_make(11, 0, 0);
  for (size_t i = 0; i < N; i++) {
    double *w = &mixtures->x[i * D], *y = &values->x[i * M];
    draw(&rng, 2, w);
    for (size_t m = 0; m < M; m++)
      y[m] = 3 - 2 * w[m % D] + 0.5 * exp(-7 * w[m % D]) + 1.5 * w[(m + 1) % D] +
             0.02 * rmx_rng_normal(&rng);
  }
  for (size_t i = 0; i < 6; i++) values->x[(7 * i) * M + 5] = NAN;  // runs that the gp has not seen
  for (size_t i = 0; i < QUERIES; i++) {
    double *w = &queries->x[i * D];
    draw(&rng, 0.4, w);
    for (size_t d = 0; d < D && i < 2 * D + 1; d++)
      w[d] = i < D ? d == i : i < 2 * D ? 0.5 * (d == i - D || d == (i - D + 1) % D) : 1.0 / D;
  }
}

static rmx_fit *fit_one(const char *kind, bool root, const char *metric, const rmx_table *mixtures,
                        const rmx_table *values) {
  rmx_regress_options options = {0};
  MUST(rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, &options, err));
  free(options.regressor);
  options.regressor = rmx_strdup(kind);
  options.ridge.sqrt = root;
  options.trees.min_data_in_leaf = 4;
  options.trees.rounds = 300;
  options.exp.terms = 2;
  options.skip_missing = true;
  rmx_fit *fit = NULL;
  const double tokens[D] = {5e4, 8e4, 1e5, 2e5, 1e4};
  const rmx_exposure exposure = {tokens, domains, D, 3e5, 1e5};
  MUST(rmx_fit_tables(&(rmx_fit_tables_request){.options = &options,
                                                .mixtures = mixtures,
                                                .metrics = values,
                                                .only = &metric,
                                                .n_only = metric ? 1 : 0,
                                                .exposure = &exposure,
                                                .seed = 5,
                                                .threads = 1},
                      &fit, err));
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &options);
  return fit;
}

static void write_text(const char *folder, const char *file, const char *text) {
  char *path = rmx_path_in(folder, file);
  MUST(rmx_write_file(path, text, strlen(text), err));
  free(path);
}

// Another function of the same kind: every real number that is no mixture, and may be any, times a
// random factor and with something added.
static void shake(json_t *o, rmx_rng *rng) {
  static const char *const kept[] = {"mixtures", "seen", "row_weights"}, *const positive[] = {
                                                                             "scale", "tokens",
                                                                             "budget", "a", "p"};
  const char *key;
  json_t *value;
  json_object_foreach(o, key, value) {
    bool keep = false, above_zero = false;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) keep |= strcmp(key, kept[i]) == 0;
    for (size_t i = 0; i < sizeof positive / sizeof *positive; i++)
      above_zero |= strcmp(key, positive[i]) == 0;
    if (json_is_object(value)) shake(value, rng);
    if (keep) continue;
    size_t n = json_is_array(value) ? json_array_size(value) : 1;
    for (size_t i = 0; i < n; i++) {
      json_t *x = json_is_array(value) ? json_array_get(value, i) : value;
      if (!json_is_real(x)) continue;
      double factor = exp(0.2 * rmx_rng_normal(rng)),
             more = above_zero ? 0 : 0.1 * rmx_rng_normal(rng);
      json_real_set(x, strcmp(key, "weight") == 0 ? rmx_rng_uniform(rng)
                                                  : factor * json_real_value(x) + more);
    }
  }
}

// The file of a Gaussian process, with the totals of two groups of domains as further features.
static void add_totals(json_t *o, rmx_rng *rng) {
  static const char *const lists[] = {"log_length", "log_eps"};
  json_object_set_new(o, "totals", json_pack("[[i, i], [i, i, i]]", 0, 2, 1, 3, 4));
  json_object_set_new(o, "amplitude", json_real(1.5));
  for (size_t i = 0; i < 4; i++)
    json_array_append_new(json_object_get(o, lists[i % 2]),
                          json_real((i % 2 ? -3 : 1) + 0.3 * rmx_rng_normal(rng)));
}

static rmx_regressor *shaken(const rmx_regressor *r, bool totals, const char *folder,
                             rmx_rng *rng) {
  char *path = rmx_path_in(folder, "shaken.json");
  json_t *o = NULL;
  rmx_regressor *out = NULL;
  MUST(rmx_mkdirs(folder, err));
  MUST(rmx_regressor_write(r, path, err));
  MUST(rmx__json_read(path, &o, err));
  shake(o, rng);
  if (totals) add_totals(o, rng);
  MUST(rmx__json_write(path, o, err));
  MUST(rmx_regressor_read(path, &out, err));
  remove(path);
  json_decref(o);
  free(path);
  return out;
}

// The names of all metrics; returns how many.
static size_t name_metrics(const char *names[MOST]) {
  const char *all[MOST];
  size_t M = 0, n = rmx__regressors(all, NULL, MOST);
  for (; M < FITTED; M++) names[M] = metrics[M];
  for (size_t k = 0; k < n; k++) {
    bool automatic = strcmp(all[k], "auto") == 0, tree = strcmp(all[k], "trees") == 0;
    for (int i = 0; i < (automatic ? AUTO : tree ? 0 : SHAKEN); i++)
      names[M++] = rmx_format("%s%s_%d", automatic ? "" : "random_", all[k], i + 1);
  }
  return M;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  rmx_table mixtures = {0}, values = {0}, queries = {0};
  const char *names[MOST];
  size_t M = name_metrics(names);
  make_table(&mixtures, N, D, domains, 'r');
  make_table(&values, N, M, names, 'r');
  make_table(&queries, QUERIES, D, domains, 'q');
  fill(M, &mixtures, &values, &queries);
  rmx_fit *all = fit_one("ridge", false, NULL, &mixtures, &values);
  rmx_rng rng = rmx_rng_make(12, 0, 0);
  for (size_t m = 1; m < M; m++) {
    size_t like = 0;  // of random_KIND_I: the fitted one of that kind
    bool shared = strncmp(names[m], "random_shared", 13) == 0;
    for (size_t k = 0; k < FITTED && strncmp(names[m], "random_", 7) == 0; k++)
      if (strncmp(names[m] + 7, kinds[k], strlen(kinds[k])) == 0) like = k;
    if (shared) like = 5;  // such a file is that of a gp
    rmx_regressor *r = like ? shaken(all->regressors[like], shared, argv[1], &rng) : NULL;
    if (!r) {
      rmx_fit *one = fit_one(m < FITTED ? kinds[m] : "auto", m == 1, names[m], &mixtures, &values);
      r = one->regressors[0];
      one->regressors[0] = NULL;
      rmx_fit_free(one);
    }
    rmx_regressor_free(all->regressors[m]);
    all->regressors[m] = r;
  }
  char *folder = rmx_path_in(argv[1], "fit"), *corpus = rmx_path_in(argv[1], "corpus");
  char *path = rmx_path_in(argv[1], "queries.csv");
  MUST(rmx_fit_write(all, folder, NULL, err));
  MUST(rmx_csv_write(path, &queries, err));
  MUST(rmx_mkdirs(corpus, err));
  rmx_buf text = {0};
  rmx_buf_puts(&text, "{\"domains\": [");
  for (size_t d = 0; d < D; d++)
    rmx_buf_printf(&text, "%s{\"name\": \"%s\", \"train_documents\": %zu, \"train_tokens\": %zu}",
                   d ? ", " : "", d == 1 ? "a\\\"b" : domains[d], 17 + 5 * d, 90001 + 31337 * d);
  rmx_buf_puts(&text, "]}\n");
  write_text(corpus, "corpus.json", text.data);
  write_text(
      argv[1], "optimum.yaml",
      "mixture: {\"no\": 0.12345678901234567, \"a\\\"b\": 1.7e-05, \"\xCF\x80\": 0, \"c,d\": 0.5, "
      "\"e-1/x\": 0.37652621098765432}\n"
      "prior: {\"no\": 0.2, \"a\\\"b\": 0.2, \"\xCF\x80\": 0.2, \"c,d\": 0.2, \"e-1/x\": 0.2}\n"
      "target: {gp_loss: 1, ridge_loss: 0.5}\nscore: 4\nscore_prior: 5\n");
  rmx_buf_release(&text);
  free(path);
  free(folder);
  free(corpus);
  rmx_fit_free(all);
  rmx_table_release(&mixtures);
  rmx_table_release(&values);
  rmx_table_release(&queries);
  return 0;
}
