// SPDX-License-Identifier: Apache-2.0
// regmix plan: computes the cost of an experiment before it starts.
#include <math.h>

#include "steps.h"

struct plan_args {
  int64_t cores;
  bool without_text;
};

static void print_elsewhere(const json_t *o) {
  const json_t *proxies = json_object_get(o, "proxies"), *large = json_object_get(o, "large");
  char time[3][32];
  cli_print(
      "On %.0f core%s like these it takes about %s: proxies %s (%.0f at a time), large models %s "
      "(%.0f at a time).\n  This assumes that those cores are as fast as the cores here when all "
      "are busy, and that they are not short of memory.\n",
      cli_get(o, "cores"), rmx_s(cli_get(o, "cores")), rmx_duration(cli_get(o, "seconds"), time[0]),
      rmx_duration(cli_get(proxies, "seconds"), time[1]), cli_get(proxies, "jobs"),
      rmx_duration(cli_get(large, "seconds"), time[2]), cli_get(large, "jobs"));
}

static void cost_heads(cli_table *t) {
  static const char *const heads[] = {"",         "runs", "parameters", "tokens",   "FLOPs",
                                      "tokens/s", "time", "threads",    "MiB each", "disk MiB"};
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) cli_cell(t, "%s", heads[i]);
}

static void cost_cells(cli_table *t, const char *what, const json_t *o) {
  char text[32];
  cli_cell(t, "%s", what);
  cli_cell(t, "%.0f", cli_get(o, "runs"));
  cli_cell(t, "%s", rmx_count(cli_get(o, "parameters"), text));
  cli_cell(t, "%s", rmx_count(cli_get(o, "tokens_each"), text));
  cli_cell(t, "%.3g", cli_get(o, "flops"));
  cli_cell(t, "%s", rmx_count(cli_get(o, "tokens_per_s"), text));
  cli_cell(t, "%s", rmx_duration(cli_get(o, "seconds"), text));
  cli_cell(t, "%.0f", cli_get(o, "threads"));
  cli_cell(t, "%.0f", cli_get(o, "memory_mib"));
  cli_cell(t, "%.0f", cli_get(o, "disk_mib"));
}

// How often each domain is seen, at the largest weight that a mixture may give it.
static void print_epochs(const json_t *o) {
  const char *name;
  json_t *d;
  cli_table t = {.align = "lrrrrr"};
  static const char *const heads[] = {"domain", "tokens",  "proxies read",
                                      "weight", "proxies", "large"};
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) cli_cell(&t, "%s", heads[i]);
  json_object_foreach(json_object_get(o, "domains"), name, d) {
    char text[16];
    cli_cell(&t, "%s", name);
    cli_cell(&t, "%s", rmx_count(cli_get(d, "tokens"), text));
    cli_cell(&t, "%s", rmx_count(cli_get(d, "proxy_tokens"), text));
    cli_cell(&t, "%.3f", cli_get(d, "largest_weight"));
    cli_cell(&t, "%.2f", cli_get(d, "proxies"));
    cli_cell(&t, "%.2f", cli_get(d, "large"));
  }
  cli_print("\nEpochs at the largest weight (proxy.repeat: %s):\n", cli_text(o, "repeat"));
  cli_table_print(&t);
}

static void print_plan(const json_t *root) {
  const json_t *proxies = json_object_get(root, "proxies"), *large = json_object_get(root, "large"),
               *elsewhere = json_object_get(root, "elsewhere"),
               *text = json_object_get(root, "prepare");
  char time[32], twice[32], share[16];
  const char *name;
  json_t *swarm;
  cli_table t = {.align = "lrrrrrrRrr"};
  cost_heads(&t);
  cli_cell(&t, "prepare");
  for (int i = 0; i < 5; i++) cli_cell(&t, "%s", "");
  cli_cell(&t, "%s", rmx_duration(cli_get(text, "seconds"), time));
  cli_cell(&t, "%s", "");
  cli_cell(&t, "%s", "");
  cli_cell(&t, "%.0f", cli_get(text, "disk_mib"));
  cost_cells(&t, "proxies", proxies);
  json_object_foreach(json_object_get(root, "swarms"), name, swarm) {
    char what[64];
    snprintf(what, sizeof what, "- %s", name);
    cost_cells(&t, what, swarm);
  }
  cost_cells(&t, "large models", large);
  cli_table_print(&t);
  cli_print(
      "\nOn this machine it takes about %s in all, with %.0f worker%s at a time (processor level "
      "%s; each model was measured for a second).\n",
      rmx_duration(cli_get(root, "seconds"), time), cli_get(root, "jobs"),
      rmx_s(cli_get(root, "jobs")), cli_text(root, "isa"));
  const double idle = fmin(cli_get(proxies, "processors_had"), cli_get(large, "processors_had"));
  if (idle < 0.9)
    cli_print(
        "Other programs were running during the measurement, so it had only %.0f %% of the "
        "processors that it needed. Without them it is faster.\n",
        100 * idle);
  if (cli_get(root, "score_seconds") > 0)
    cli_print("Scoring the models on the tasks takes %s of it.\n",
              rmx_duration(cli_get(root, "score_seconds"), time));
  if (elsewhere) print_elsewhere(elsewhere);
  cli_print(
      "FLOPs include the output head, attention and validation, which takes %s of the proxies. The "
      "proxies cost %s times the FLOPs of one large model.\nProxies that are trained for "
      "too few tokens rank the mixtures wrongly. Twice the tokens per proxy would take %s.\n",
      rmx_duration(cli_get(proxies, "valid_seconds"), time),
      rmx_count(cli_get(proxies, "flops") / (cli_get(large, "flops") / cli_get(large, "runs")),
                share),
      rmx_duration(2 * cli_get(proxies, "seconds"), twice));
  if (json_object_get(root, "epochs")) print_epochs(json_object_get(root, "epochs"));
}

static rmx_status run_plan(cli *c, rmx_err *err) {
  const struct plan_args *args = c->own;
  json_t *root;
  RMX_TRY(cli_open(c, c->words.n ? c->words.items[0] : NULL, true, err));
  RMX_TRY(rmx_pipeline_plan(&c->pipeline, args->cores, args->without_text, &root, err));
  return cli_show(c, root, print_plan);
}

static const rmx_option options[] = {
    {"cores", RMX_INT, offsetof(struct plan_args, cores), NULL, 1, 1e6, "N",
     "also print how long a machine with this many cores would take"},
    {"without-text", RMX_BOOL, offsetof(struct plan_args, without_text), "false", 0, 0, NULL,
     "do not check whether the target and the files of text exist"},
};
const rmx_command cli_plan = {
    .name = "plan",
    .words = "[REGMIX.YAML]",
    .max_words = 1,
    .run = run_plan,
    CLI_OPTIONS(options, struct plan_args),
    .summary = "print what it will cost: runs, tokens, FLOPs, memory, disk, time on this machine",
};
