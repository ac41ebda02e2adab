// SPDX-License-Identifier: Apache-2.0
// regmix bench: how fast this machine trains, and how near its limit that is.
#include <regmix/kernels.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct bench_args {
  char *model, *isa;
  int64_t vocab, seq, batch_tokens, micro_tokens;
  double seconds;
};

static double resident_mib(void) {
  long pages = 0, resident = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  if (f && fscanf(f, "%ld %ld", &pages, &resident) != 2) resident = 0;
  if (f) fclose(f);
  return (double)resident * 4096.0 / 1048576.0;
}

static rmx_status run_bench(cli *c, rmx_err *err) {
  const struct bench_args *args = c->own;
  const rmx_kernels *kernels;
  RMX_TRY(rmx_kernels_get(args->isa, &kernels, err));
  rmx_training t = {0};
  rmx_status status = rmx_options_init(rmx_training_options, rmx_training_options_n, &t, err);
  rmx_model_config model;
  double rate = 0, peak = 0;
  if (status == RMX_OK) status = rmx_option_set(rmx_training_options, rmx_training_options_n, &t, "model", args->model, err);
  t.context = args->seq;
  t.batch_tokens = args->batch_tokens;
  t.micro_tokens = args->micro_tokens;
  if (status == RMX_OK) status = rmx_training_model(&t, (int)args->vocab, &model, err);
  if (status == RMX_OK) {
    peak = rmx_kernels_peak_gflops(kernels);
    status = rmx_training_speed(&t, (int)args->vocab, kernels, args->seconds, &rate, err);
  }
  if (status == RMX_OK) {
    double gflop = rmx_model_flop_per_token(&model, (int)t.context) / 1e9, gflops = rate * gflop;
    json_t *o = json_object();
    json_object_set_new(o, "model", json_string(args->model));
    json_object_set_new(o, "vocab", json_integer(args->vocab));
    json_object_set_new(o, "seq", json_integer(args->seq));
    json_object_set_new(o, "tokens_per_s", json_real(rate));
    json_object_set_new(o, "gflop_per_token", json_real(gflop));
    json_object_set_new(o, "gflops", json_real(gflops));
    json_object_set_new(o, "peak_gflops", json_real(peak));
    json_object_set_new(o, "mfu", json_real(gflops / peak));
    json_object_set_new(o, "isa", json_string(rmx_kernels_name(kernels)));
    json_object_set_new(o, "threads", json_integer(1));
    json_object_set_new(o, "rss_mib", json_real(resident_mib()));
    if (c->common.json) cli_print_json(json_incref(o));
    else
      printf("%s, vocabulary %lld, %lld tokens a sequence, level %s, 1 thread:\n  %.0f tokens/s, %.1f GFLOP/s: %.0f %% of the %.1f "
             "GFLOP/s this core can do\n", args->model, (long long)args->vocab, (long long)args->seq, rmx_kernels_name(kernels), rate,
             gflops, 100 * gflops / peak, peak);
    json_decref(o);
  }
  rmx_options_release(rmx_training_options, rmx_training_options_n, &t);
  return status;
}

#define AT(member) offsetof(struct bench_args, member)
static const rmx_option options[] = {
    {"model", RMX_TEXT, AT(model), "1M", 0, 0, "PRESET", "the model"},
    {"vocab", RMX_INT, AT(vocab), "4096", 16, 1e7, "N", "its vocabulary"},
    {"seq", RMX_INT, AT(seq), "512", 8, 65536, "TOKENS", "tokens of a sequence"},
    {"batch_tokens", RMX_INT, AT(batch_tokens), "16384", 1, 1e9, "TOKENS", "tokens of an optimiser step"},
    {"micro_tokens", RMX_INT, AT(micro_tokens), "4096", 1, 1e8, "TOKENS", "tokens of one pass"},
    {"isa", RMX_TEXT, AT(isa), NULL, 0, 0, "LEVEL", "processor level: auto, ref, avx2, avx512"},
    {"seconds", RMX_REAL, AT(seconds), "3", 0.05, 1e6, "S", "how long to measure"},
};
const cli_command cli_bench = {
    .name = "bench", .words = "", .run = run_bench,
    .options = options, .n_options = sizeof options / sizeof *options, .own_size = sizeof(struct bench_args),
    .summary = "measure training speed here, and the share of the processor's limit it reaches",
    .about = "Times whole optimiser steps (forward, backward, clipping, AdamW) of one thread on random tokens, and the limit in a "
             "loop of multiply-adds in registers, in the same process.",
    .examples = "  regmix bench --model 1M --vocab 4096 --seq 512 --json\n",
};
