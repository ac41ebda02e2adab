// SPDX-License-Identifier: Apache-2.0
// regmix bench: how fast this machine trains, and how close that is to its limit.
#include <regmix/kernels.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct bench_args {
  char *model, *isa;
  int64_t vocab, seq, batch_tokens, micro_tokens, threads;
  double seconds;
  bool breakdown;
};

static bool is_product(const char *part) {
  static const char *const products[] = {"qkv", "attention", "projections", "mlp", "head"};
  for (size_t i = 0; i < sizeof products / sizeof *products; i++)
    if (strcmp(part, products[i]) == 0) return true;
  return false;
}

struct measured {
  rmx_speed speed;
  double gflop, gflops, valid, not_products;  // valid: GFLOP/s of validation
  double peak, limit;                         // GFLOP/s of a core, and of all that were used
  int threads;
};

// The values that --isa can have on this machine, slowest first.
static json_t *levels_tree(void) {
  const char *names[16];
  const size_t n = rmx_kernels_available(names, sizeof names / sizeof *names);
  json_t *list = json_array();
  for (size_t i = 0; i < n; i++) json_array_append_new(list, json_string(names[i]));
  return list;
}

static json_t *bench_tree(const struct bench_args *args, const rmx_kernels *kernels,
                          const struct measured *m) {
  json_t *o = json_object();
  json_object_set_new(o, "model", json_string(args->model));
  json_object_set_new(o, "vocab", json_integer(args->vocab));
  json_object_set_new(o, "seq", json_integer(args->seq));
  json_object_set_new(o, "tokens_per_s", json_real(m->speed.tokens_per_s));
  json_object_set_new(o, "gflop_per_token", json_real(m->gflop));
  json_object_set_new(o, "gflops", json_real(m->gflops));
  json_object_set_new(o, "peak_gflops", json_real(m->peak));
  json_object_set_new(o, "mfu", json_real(m->gflops / m->limit));
  json_object_set_new(o, "valid_tokens_per_s", json_real(m->speed.valid_tokens_per_s));
  json_object_set_new(o, "valid_mfu", json_real(m->valid / m->limit));
  json_object_set_new(o, "isa", json_string(rmx_kernels_name(kernels)));
  json_object_set_new(o, "levels", levels_tree());
  json_object_set_new(o, "threads", json_integer(m->threads));
  json_object_set_new(o, "processors", json_real(m->speed.processor));
  json_object_set_new(o, "rss_mib", json_real(m->speed.rss_mib));
  json_object_set_new(o, "rss_anon_mib", json_real(m->speed.rss_anon_mib));
  if (!args->breakdown) return o;
  json_t *parts = json_object();
  for (size_t i = 0; i < rmx_model_parts_n; i++)
    json_object_set_new(parts, rmx_model_parts[i], json_real(m->speed.parts[i]));
  json_object_set_new(parts, "data", json_real(m->speed.data));
  json_object_set_new(parts, "other", json_real(m->speed.other));
  json_object_set_new(o, "breakdown", parts);
  json_object_set_new(o, "not_products", json_real(m->not_products));
  return o;
}

static void print_bench(const struct bench_args *args, const rmx_kernels *kernels,
                        const struct measured *m) {
  cli_print("%s, vocabulary %lld, %lld tokens a sequence, level %s, %d thread%s:\n", args->model,
            (long long)args->vocab, (long long)args->seq, rmx_kernels_name(kernels), m->threads,
            m->threads > 1 ? "s" : "");
  cli_print(
      "  training    %9.0f tokens/s, %7.1f GFLOP/s: %.0f %% of the %.1f GFLOP/s that this %s do\n",
      m->speed.tokens_per_s, m->gflops, 100 * m->gflops / m->limit, m->limit,
      m->threads > 1 ? "many cores can" : "core can");
  cli_print("  validation  %9.0f tokens/s, %7.1f GFLOP/s: %.0f %%\n", m->speed.valid_tokens_per_s,
            m->valid, 100 * m->valid / m->limit);
  cli_print("  memory      %9.0f MiB, of which %.0f MiB anonymous\n", m->speed.rss_mib,
            m->speed.rss_anon_mib);
  if (m->speed.processor < 0.97 * m->threads)
    cli_print("  other processes were running too, so this one had %.2f processors\n",
              m->speed.processor);
  if (!args->breakdown) return;
  cli_print("share of a step, %%:\n");
  for (size_t i = 0; i < rmx_model_parts_n; i++)
    cli_print("  %-14s %5.1f%s\n", rmx_model_parts[i], 100 * m->speed.parts[i],
              is_product(rmx_model_parts[i]) ? "  matrix products" : "");
  cli_print("  %-14s %5.1f\n  %-14s %5.1f\n", "data", 100 * m->speed.data, "other",
            100 * m->speed.other);
  cli_print("  everything except matrix products: %.1f\n", 100 * m->not_products);
}

static rmx_status measure(const struct bench_args *args, const rmx_training *t,
                          const rmx_kernels *kernels, struct measured *m, rmx_err *err) {
  rmx_model_config model;
  if (rmx_training_model(t, (int)args->vocab, &model, err) != RMX_OK) return rmx_refused(true, err);
  m->gflop = rmx_model_flop_per_token(&model, (int)t->context) / 1e9;
  m->threads = (int)args->threads;
  // Before and after: the speed of a core changes with its clock.
  m->peak = rmx_kernels_peak_gflops(kernels);
  RMX_TRY(rmx_training_speed(t, (int)args->vocab, kernels, args->seconds, &m->speed, err));
  const double after = rmx_kernels_peak_gflops(kernels);
  if (after > m->peak) m->peak = after;
  m->limit = m->peak * m->threads;
  m->gflops = m->speed.tokens_per_s * m->gflop;
  m->valid = m->speed.valid_tokens_per_s * m->gflop / 3;
  return RMX_OK;
}

static rmx_status run_bench(cli *c, rmx_err *err) {
  const struct bench_args *args = c->own;
  const rmx_kernels *kernels;
  if (rmx_kernels_get(args->isa, &kernels, err) != RMX_OK)
    return rmx_refused(args->isa != NULL, err);
  rmx_training t = {0};
  struct measured m = {0};
  rmx_status status = rmx_options_init(rmx_training_options, rmx_training_options_n, &t, err);
  if (status == RMX_OK)
    status =
        rmx_option_set(rmx_training_options, rmx_training_options_n, &t, "model", args->model, err);
  t.context = args->seq;
  t.batch_tokens = args->batch_tokens;
  t.micro_tokens = args->micro_tokens;
  t.threads = args->threads;
  if (args->breakdown && !(m.speed.parts = rmx_calloc(rmx_model_parts_n, sizeof *m.speed.parts)))
    status = rmx_fail_memory(err, 0, "the breakdown");
  if (status == RMX_OK) status = measure(args, &t, kernels, &m, err);
  if (status == RMX_OK) {
    m.not_products = m.speed.data + m.speed.other;
    for (size_t i = 0; m.speed.parts && i < rmx_model_parts_n; i++)
      if (!is_product(rmx_model_parts[i])) m.not_products += m.speed.parts[i];
    if (c->common.json)
      cli_print_json(bench_tree(args, kernels, &m));
    else
      print_bench(args, kernels, &m);
  }
  free(m.speed.parts);
  rmx_options_release(rmx_training_options, rmx_training_options_n, &t);
  return status;
}

#define AT(member) offsetof(struct bench_args, member)
static const rmx_option options[] = {
    {"model", RMX_TEXT, AT(model), "1M", 0, 0, "PRESET",
     "preset of the model: nano, mini, 1M, ..."},
    {"vocab", RMX_INT, AT(vocab), "4096", 16, 1e7, "N", "vocabulary size of the model"},
    {"seq", RMX_INT, AT(seq), "512", 8, 65536, "TOKENS", "tokens per sequence"},
    {"batch_tokens", RMX_INT, AT(batch_tokens), "16384", 1, 1e9, "TOKENS",
     "tokens per optimiser step"},
    {"micro_tokens", RMX_INT, AT(micro_tokens), "4096", 1, 1e8, "TOKENS",
     "tokens per forward and backward pass"},
    {"threads", RMX_INT, AT(threads), "1", 1, 64, "K", "number of threads"},
    {"breakdown", RMX_BOOL, AT(breakdown), "false", 0, 0, NULL,
     "also print the share of a step that each kernel takes"},
    {"isa", RMX_TEXT, AT(isa), NULL, 0, 0, "LEVEL",
     "instruction set of the kernels: auto, ref, simd128, avx2, avx512, avx512bf16 or amx"},
    {"seconds", RMX_REAL, AT(seconds), "3", 0.05, 1e6, "S",
     "duration of the measurement in seconds"},
};
const rmx_command cli_bench = {
    .name = "bench",
    .words = "",
    .run = run_bench,
    CLI_OPTIONS(options, struct bench_args),
    .summary =
        "measure the training speed of this machine, as a share of the limit of its processor",
};
