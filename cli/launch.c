// SPDX-License-Identifier: Apache-2.0
// regmix launch: gives the runs that are not done to a batch system.
#include <string.h>

#include "steps.h"

static void print_scripts(const json_t *root) {
  printf("%s", cli_text(root, "script"));
  if (*cli_text(root, "then_script"))
    printf("\n# ---- and once all tasks are done:\n%s", cli_text(root, "then_script"));
}

static void print_job(const json_t *root) {
  const double runs = cli_get(root, "runs"), tasks = cli_get(root, "tasks");
  if (*cli_text(root, "job"))
    cli_print("job %s: %.0f run%s in %.0f task%s; the scripts and logs are in %s\n",
              cli_text(root, "job"), runs, rmx_s(runs), tasks, rmx_s(tasks),
              cli_text(root, "folder"));
  if (*cli_text(root, "then"))
    cli_print("job %s: the steps after training\n", cli_text(root, "then"));
  cli_print("`regmix status` shows how the tasks stand\n");
}

static rmx_status run_launch(cli *c, rmx_err *err) {
  const rmx_launch_request *request = c->own;
  json_t *root;
  if (c->words.n == 0 || strcmp(c->words.items[0], "slurm") != 0)
    return rmx_fail(err, RMX_EUSAGE, "%s%s%s; `regmix launch slurm` is what there is",
                    c->words.n ? "no batch system \"" : "the batch system is missing",
                    c->words.n ? c->words.items[0] : "", c->words.n ? "\"" : "");
  RMX_TRY(cli_open(c, NULL, true, err));
  RMX_TRY(rmx_pipeline_launch(&c->pipeline, request, &root, err));
  return cli_show(c, root, request->dry_run ? print_scripts : print_job);
}

#define AT(member) offsetof(rmx_launch_request, member)
static const rmx_option options[] = {
    {"gpus", RMX_INT, AT(gpus), "0", 0, 100000, "N",
     "number of GPUs: one task for each, which trains its part of the runs in one process; 0: "
     "none"},
    {"partition", RMX_TEXT, AT(partition), NULL, 0, 0, "P", "partition of the cluster"},
    {"time", RMX_TEXT, AT(time), NULL, 0, 0, "T",
     "time limit of a task, as in 2:00:00; a task that reaches it continues in a new one"},
    {"array-limit", RMX_INT, AT(array_limit), "0", 0, 1000000, "N",
     "number of tasks that run at the same time; 0: as many as there is room for"},
    {"tasks", RMX_INT, AT(tasks), "0", 0, 1000000, "N",
     "number of tasks, without --gpus; 0: one a run, at most 256"},
    {"cpus", RMX_INT, AT(cpus), "0", 0, 4096, "N",
     "processors of a task; 0: as many as one run has threads"},
    {"sbatch", RMX_LIST, AT(sbatch), NULL, 0, 0, "OPTION",
     "further option of sbatch, as in account=NAME or mem=8G; may be given several times"},
    {"then", RMX_BOOL, AT(then), "false", 0, 0, NULL,
     "also submit the steps after training, as a job that starts once all tasks are done"},
    REDO_OPTION(rmx_launch_request),
    {"dry-run", RMX_BOOL, AT(dry_run), "false", 0, 0, NULL,
     "print the script; write and submit nothing"},
};
const rmx_command cli_launch = {
    .name = "launch",
    .words = "slurm",
    .max_words = 1,
    .run = run_launch,
    CLI_OPTIONS(options, rmx_launch_request),
    .summary = "submit the runs that are not done to a Slurm cluster",
};
