// SPDX-License-Identifier: Apache-2.0
/* comparison_corpus.h: a small corpus in memory whose answer is known, a comparison on it whose
 * runs are trained in this process, and what the tests of the methods compare. The corpus: up to
 * MOST domains of written ids; fill them, then corpus_close. */
#ifndef RMX_TESTS_UNIT_COMPARISON_CORPUS_H
#define RMX_TESTS_UNIT_COMPARISON_CORPUS_H

#include <regmix/baselines.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "corpus_folder.h"

enum { MOST = 4, V = 64, ROOM = 80000, VALID = 2049 };

static uint16_t text[MOST][ROOM + VALID];
static rmx_domain domains[MOST];
static const char *names[MOST];
static double prior[MOST];
static rmx_corpus corpus;
static const rmx_kernels *kernels;

/* Ids of every kind of text, from a generator of its own: the same whatever else is made. */
typedef void writer(rmx_rng *rng, uint16_t *ids, size_t n);

/* Nothing to be learnt but that all ids are as likely. */
static inline void noise(rmx_rng *rng, uint16_t *ids, size_t n) {
  for (size_t i = 0; i < n; i++) ids[i] = (uint16_t)rmx_rng_below(rng, V);
}

/* Two ids in turn: learnt at once. */
static inline void easy(rmx_rng *rng, uint16_t *ids, size_t n) {
  (void)rng;
  for (size_t i = 0; i < n; i++) ids[i] = (uint16_t)(i % 2);
}

/* Each id has one that follows it, in an order with no rule but itself; one in ten begins anew
 * anywhere. */
static inline void language(rmx_rng *rng, uint16_t *ids, size_t n) {
  size_t next[V];
  rmx_rng order = rmx_rng_make(11, 0, RMX_FOR_TEST);
  for (size_t v = 0; v < V; v++) next[v] = v;
  rmx_rng_shuffle(&order, next, V);
  ids[0] = 0;
  for (size_t i = 1; i < n; i++)
    ids[i] = (uint16_t)(rmx_rng_below(rng, 10) == 0 ? rmx_rng_below(rng, V) : next[ids[i - 1]]);
}

static inline void corpus_domain(size_t d, const char *name, writer *write, size_t tokens) {
  rmx_rng rng = rmx_rng_make(5, d, RMX_FOR_TEST);
  ck_assert(d < MOST && tokens <= ROOM);
  write(&rng, text[d], tokens + VALID);
  names[d] = name;
  domains[d] = (rmx_domain){.name = (char *)name,
                            .width = 2,
                            .train = text[d],
                            .train_tokens = tokens,
                            .valid = text[d] + tokens,
                            .valid_tokens = VALID,
                            .valid_bytes = 2 * VALID};
}

static inline void corpus_close(size_t D) {
  double sum = 0;
  for (size_t d = 0; d < D; d++) sum += (double)domains[d].train_tokens;
  for (size_t d = 0; d < D; d++) prior[d] = (double)domains[d].train_tokens / sum;
  corpus = (rmx_corpus){.D = D,
                        .D_train = D,
                        .domains = domains,
                        .names = names,
                        .prior = prior,
                        .vocab = V,
                        .hash = 77 + D};
  must(rmx_kernels_get(NULL, &kernels, err));
}

static inline rmx_training a_training(int64_t tokens) {
  rmx_training t = {0};
  must(rmx_options_init(rmx_training_options, rmx_training_options_n, &t, err));
  t.layers = 1, t.heads = 2, t.width = 32, t.ffn = 64, t.context = 32, t.threads = 1;
  t.tokens = tokens, t.batch_tokens = 256, t.micro_tokens = 128, t.lr = 0.01, t.eval_half = false;
  return t;
}

static inline void release_training(rmx_training *t) {
  rmx_options_release(rmx_training_options, rmx_training_options_n, t);
}

/* ---- one run */

/* Takes over controller, which may be NULL. */
static inline rmx_run a_run(const rmx_training *t, const char *name, const double *mixture,
                            json_t *controller) {
  rmx_run r;
  must(rmx_run_make(&(rmx_run_request){.name = name,
                                       .folder = in_folder(name),
                                       .experiment = test_folder,
                                       .corpus = &corpus,
                                       .mixture = mixture,
                                       .training = t,
                                       .seed = 3,
                                       .keep_model = true},
                    &r, err));
  r.controller = controller;
  return r;
}

static inline json_t *result_of(const rmx_run *r) {
  json_t *result;
  char *path = rmx_path_in(r->folder, "result.json");
  must(rmx__json_read(path, &result, err));
  free(path);
  return result;
}

static inline json_t *train_with(const rmx_run *r, rmx_make_controller *make) {
  must(rmx_run_write(r, err));
  must(rmx_train(r, &corpus, kernels, &(rmx_train_hooks){.make_controller = make}, err));
  return result_of(r);
}

static inline json_t *train(const rmx_run *r) {
  return train_with(r, rmx_baselines_controller);
}

static inline double number_in(const json_t *o, const char *key) {
  const json_t *x = json_object_get(o, key);
  ck_assert_msg(json_is_number(x), "no number \"%s\"", key);
  return json_number_value(x);
}

static inline double loss_of(const json_t *result, const char *domain) {
  return number_in(json_object_get(result, "loss_nats"), domain);
}

/* All weights of two runs' models, bit for bit. */
static inline bool same_model(const rmx_run *a, const rmx_run *b) {
  char *paths[2] = {rmx_path_in(a->folder, "model.safetensors"),
                    rmx_path_in(b->folder, "model.safetensors")},
       *data[2];
  size_t size[2];
  for (int i = 0; i < 2; i++) must(rmx_read_file(paths[i], &data[i], &size[i], err));
  const bool same = size[0] == size[1] && memcmp(data[0], data[1], size[0]) == 0;
  for (int i = 0; i < 2; i++) free(data[i]), free(paths[i]);
  return same;
}

/* The same weights and the same losses reported. */
static inline void must_be_equal(const rmx_run *a, const rmx_run *b) {
  json_t *x = result_of(a), *y = result_of(b);
  ck_assert_msg(same_model(a, b), "%s and %s end with different weights", a->name, b->name);
  ck_assert(json_equal(json_object_get(x, "loss_nats"), json_object_get(y, "loss_nats")));
  ck_assert(
      json_equal(json_object_get(x, "tokens_by_domain"), json_object_get(y, "tokens_by_domain")));
  json_decref(x), json_decref(y);
}

/* ---- a comparison */

static rmx_baseline_options comparison_options;
static rmx_training comparison_proxy, comparison_large;
static double comparison_target[MOST];
static size_t comparison_trained; /* runs */

static rmx_status train_here(void *context, const rmx_run *runs, size_t n, const char *what,
                             rmx_err *err) {
  (void)context, (void)what;
  for (size_t i = 0; i < n; i++) {
    if (rmx_run_look(&runs[i], NULL) == RMX_RUN_DONE) continue;
    comparison_trained++;
    RMX_TRY(rmx_run_write(&runs[i], err));
    RMX_TRY(rmx_train(&runs[i], &corpus, kernels,
                      &(rmx_train_hooks){.make_controller = rmx_baselines_controller}, err));
  }
  return RMX_OK;
}

/* On the corpus as it is; the first domain is the target. */
static inline rmx_comparison a_comparison(int64_t proxy_tokens, int64_t large_tokens,
                                          double budget) {
  must(rmx_options_init(rmx_baseline_option_table, rmx_baseline_option_table_n, &comparison_options,
                        err));
  comparison_proxy = a_training(proxy_tokens), comparison_large = a_training(large_tokens);
  memset(comparison_target, 0, sizeof comparison_target);
  comparison_target[0] = 1;
  comparison_trained = 0;
  static char folder[128];
  snprintf(folder, sizeof folder, "%s/compare", test_folder);
  return (rmx_comparison){.folder = folder,
                          .experiment = test_folder,
                          .corpus = &corpus,
                          .kernels = kernels,
                          .target = comparison_target,
                          .proxy = &comparison_proxy,
                          .large = &comparison_large,
                          .options = &comparison_options,
                          .budget = budget,
                          .seed = 3,
                          .threads = 1,
                          .train = train_here};
}

static inline void comparison_release(void) {
  rmx_options_release(rmx_baseline_option_table, rmx_baseline_option_table_n, &comparison_options);
  release_training(&comparison_proxy), release_training(&comparison_large);
}

static inline void set_option(const char *key, const char *value) {
  must(rmx_option_set(rmx_baseline_option_table, rmx_baseline_option_table_n, &comparison_options,
                      key, value, err));
}

static inline const rmx_baseline *method(const char *name) {
  const rmx_baseline *b;
  must(rmx_baseline_find(name, &b, err));
  return b;
}

/* The large run of what was found, trained. */
static inline rmx_run large_run(const char *name, const rmx_baseline_result *found) {
  return a_run(&comparison_large, name, found->mixture,
               found->controller ? json_deep_copy(found->controller) : NULL);
}

#endif
