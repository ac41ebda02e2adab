// SPDX-License-Identifier: Apache-2.0
/* small_comparison.h: a comparison for the tests of methods to choose data: tiny models, default
 * options, a trainer that calls rmx_train in this process. */
#ifndef RMX_TESTS_SMALL_COMPARISON_H
#define RMX_TESTS_SMALL_COMPARISON_H

#include <regmix/baselines.h>

#include "testing.h"

typedef struct small_comparison {
  rmx_comparison c;
  rmx_training proxy, large;
  rmx_sample_options sample;
  rmx_regress_options regress;
  rmx_optimize_options optimize;
  rmx_baseline_options options;
  double target[16], cap[16];
  int trained; /* runs that `train` trained */
} small_comparison;

static inline rmx_training small_training(int64_t tokens) {
  rmx_training t = {0};
  must(rmx_options_init(rmx_training_options, rmx_training_options_n, &t, err));
  t.layers = 1, t.heads = 2, t.width = 16, t.ffn = 32, t.context = 32;
  t.tokens = tokens, t.batch_tokens = 256, t.micro_tokens = 256, t.lr = 0.01, t.threads = 1;
  return t;
}

static inline rmx_status train_in_process(void *context, const rmx_run *runs, size_t n,
                                          const char *what, rmx_err *err) {
  small_comparison *s = context;
  const rmx_train_hooks hooks = {.make_controller = rmx_baselines_controller};
  for (size_t i = 0; i < n; i++) {
    if (rmx_run_look(&runs[i], NULL) == RMX_RUN_DONE) continue;
    rmx_corpus *corpus;
    const rmx_kernels *k;
    RMX_TRY(rmx_kernels_get(NULL, &k, err));
    RMX_TRY(rmx_corpus_open(runs[i].corpus, &corpus, err));
    rmx_status status = rmx_run_write(&runs[i], err);
    if (status == RMX_OK) status = rmx_train(&runs[i], corpus, k, &hooks, err);
    rmx_corpus_free(corpus);
    if (status != RMX_OK) return status;
    s->trained++;
  }
  return RMX_OK;
}

/* `folder` and `corpus` are borrowed; the target is each domain equally, the caps are 1. */
static inline void small_comparison_make(small_comparison *s, const char *folder,
                                         const char *experiment, const rmx_corpus *corpus) {
  const rmx_kernels *k;
  *s = (small_comparison){.proxy = small_training(8192), .large = small_training(16384)};
  must(rmx_kernels_get(NULL, &k, err));
  must(rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, &s->regress, err));
  must(rmx_options_init(rmx_baseline_option_table, rmx_baseline_option_table_n, &s->options, err));
  s->sample = (rmx_sample_options){.runs = 16,
                                   .temper = 0.5,
                                   .min_strength = 0.1,
                                   .max_strength = 5,
                                   .strengths = 15,
                                   .tries = 100,
                                   .grid = 2e-4,
                                   .cap_ratio = 15,
                                   .max_epochs = 4,
                                   .min_coverage = 0.1};
  s->optimize = (rmx_optimize_options){.method = (char *)"auto",
                                       .samples = 10000,
                                       .top = 128,
                                       .strength = 1,
                                       .starts = 16,
                                       .guard = true,
                                       .replicates = 0,
                                       .level = 0.9};
  for (size_t d = 0; d < corpus->D; d++) s->target[d] = 1 / (double)corpus->D, s->cap[d] = 1;
  s->c = (rmx_comparison){.folder = folder,
                          .experiment = experiment,
                          .corpus = corpus,
                          .kernels = k,
                          .target = s->target,
                          .cap = s->cap,
                          .proxy = &s->proxy,
                          .large = &s->large,
                          .sample = &s->sample,
                          .regress = &s->regress,
                          .optimize = &s->optimize,
                          .options = &s->options,
                          .budget = 0,
                          .seed = 7,
                          .threads = 1,
                          .train = train_in_process,
                          .context = s};
}

static inline void small_comparison_release(small_comparison *s) {
  rmx_options_release(rmx_training_options, rmx_training_options_n, &s->proxy);
  rmx_options_release(rmx_training_options, rmx_training_options_n, &s->large);
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &s->regress);
  rmx_options_release(rmx_baseline_option_table, rmx_baseline_option_table_n, &s->options);
}

/* FLOPs of one token in training a proxy. */
static inline double small_flop(const small_comparison *s) {
  rmx_model_config m;
  must(rmx_training_model(&s->proxy, s->c.corpus->vocab, &m, err));
  return rmx_model_flop_per_token(&m, (int)s->proxy.context);
}

static inline const rmx_baseline *method(const char *name) {
  const rmx_baseline *b;
  must(rmx_baseline_find(name, &b, err));
  return b;
}

static inline void find(const small_comparison *s, const char *name, rmx_baseline_result *out) {
  *out = (rmx_baseline_result){0};
  must(method(name)->check(&s->c, err));
  must(method(name)->find(&s->c, out, err));
}

static inline double note(const rmx_baseline_result *f, const char *key) {
  const json_t *x = json_object_get(f->notes, key);
  ck_assert_msg(json_is_number(x), "no note \"%s\"", key);
  return json_number_value(x);
}

#endif
