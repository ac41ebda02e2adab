// SPDX-License-Identifier: Apache-2.0
// regmix status: prints what exists and what is still to be done.
#include <string.h>

#include "steps.h"

static void print_states(const char *what, const json_t *states) {
  const char *name;
  json_t *value;
  cli_print("%-11s ", rmx_shown(what));
  json_object_foreach((json_t *)states, name, value)
    cli_print(strcmp(name, "runs") == 0 ? "%2$lld %1$s" : ", %2$lld %1$s", name,
              (long long)json_integer_value(value));
  cli_print("\n");
}

// The tasks of a job.
static void print_launch(const json_t *o) {
  static const char *const states[] = {"done", "running", "pending", "preempted", "failed"};
  const char *comma = ": ";
  double left = 0, all = 0;
  for (size_t i = 0; i < sizeof states / sizeof *states; i++) all += cli_get(o, states[i]);
  if (all == 0) return;
  cli_print("slurm       job %s", cli_text(o, "job"));
  for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
    const double n = cli_get(o, states[i]);
    if (n > 0) cli_print("%s%.0f task%s %s", comma, n, rmx_s(n), states[i]), comma = ", ";
    if (i > 0) left += n;
  }
  if (cli_get(o, "pending") > 0 && *cli_text(o, "reason"))
    cli_print(" (Slurm's reason to wait: %s)", cli_text(o, "reason"));
  if (left > 0 && !json_is_true(json_object_get(o, "slurm_answered")))
    cli_print("; Slurm did not answer, so this is what the folder shows");
  if (cli_get(o, "failed") + cli_get(o, "preempted") > 0)
    cli_print(" (`regmix launch slurm` submits what is not done)");
  cli_print("\n");
}

// The job after it.
static void print_then(const json_t *o) {
  const char *state = cli_text(o, "then_state"), *how = state;
  if (!*state) return;
  if (strcmp(state, "failed") == 0) how = "not done: it failed or was cancelled";
  cli_print("slurm       job %s: the steps after training are %s", cli_text(o, "then"), how);
  if (strcmp(state, "pending") == 0 && *cli_text(o, "then_reason"))
    cli_print(" (Slurm's reason to wait: %s)", cli_text(o, "then_reason"));
  if (strcmp(state, "pending") != 0)
    cli_print("; their output is in %s", rmx_shown(cli_text(o, "then_log")));
  if (strcmp(state, "failed") == 0 || strcmp(state, "preempted") == 0)
    cli_print(" (`regmix launch slurm --then` submits them again)");
  cli_print("\n");
}

static void print_status(const json_t *root) {
  char count[16];
  const char *name;
  json_t *value;
  cli_print("experiment  %s\n", rmx_shown(cli_text(root, "folder")));
  const json_t *corpus = json_object_get(root, "corpus"),
               *proxies = json_object_get(root, "proxies");
  if (corpus)
    cli_print("corpus      %.0f domain%s, %s training tokens\n", cli_get(corpus, "domains"),
              rmx_s(cli_get(corpus, "domains")), rmx_count(cli_get(corpus, "train_tokens"), count));
  else
    cli_print("corpus      not prepared (regmix prepare)\n");
  const char *why = cli_text(json_object_get(root, "outdated"), "corpus");
  if (*why) cli_print("            outdated: %s\n", why);
  if (proxies)
    print_states("proxies", proxies);
  else
    cli_print("proxies     no mixtures yet (regmix sample)\n");
  if (json_is_true(json_object_get(root, "mixtures_stale")))
    puts(
        "            mixtures.csv was drawn for other settings or another corpus; `regmix run` or "
        "`regmix sample` draws it again");
  json_object_foreach(json_object_get(root, "swarms"), name, value) print_states(name, value);
  const json_t *launches = json_object_get(root, "slurm"), *launch;
  size_t i;
  json_array_foreach(launches, i, launch) {
    print_launch(launch);
    print_then(launch);
  }
  cli_print("large       %.0f model%s trained\n", cli_get(root, "large_models"),
            rmx_s(cli_get(root, "large_models")));
  const json_t *aside = json_object_get(root, "set_aside");
  const double runs = cli_get(aside, "runs"), corpora = cli_get(aside, "corpora");
  if (cli_get(aside, "bytes") > 0)
    cli_print(
        "set aside   %.0f finished run%s of other settings, %.0f %s, %sB (`regmix gc` deletes "
        "them)\n",
        runs, rmx_s(runs), corpora, corpora == 1 ? "corpus" : "corpora",
        rmx_count(cli_get(aside, "bytes"), count));
  json_object_foreach(json_object_get(root, "files"), name, value) {
    why = cli_text(json_object_get(root, "outdated"), name);
    cli_print("%-22s %s%s\n", name, *why ? "outdated: " : json_is_true(value) ? "there" : "-", why);
  }
  if (json_object_size(json_object_get(root, "outdated")))
    cli_print("`regmix run` makes again what is outdated\n");
}

static rmx_status run_status(cli *c, rmx_err *err) {
  json_t *root;
  RMX_TRY(cli_open(c, NULL, false, err));
  RMX_TRY(rmx_experiment_status(&c->pipeline.experiment, &root, err));
  return cli_show(c, root, print_status);
}

const rmx_command cli_status = {
    .name = "status",
    .words = "",
    .run = run_status,
    .summary = "print what is done and what is still to be done",
};
