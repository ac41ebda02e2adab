// SPDX-License-Identifier: Apache-2.0
#include "script.h"

#include <ctype.h>
#include <string.h>

#include "base/path.h"

static void option(rmx_buf *out, const char *name, const char *value) {
  rmx_buf_printf(out, "#SBATCH --%s=%s\n", name, value);
}

static void number(rmx_buf *out, const char *name, int64_t value) {
  rmx_buf_printf(out, "#SBATCH --%s=%lld\n", name, (long long)value);
}

// The name of a job: of the experiment's folder, without what a name should not have in it.
static void put_name(rmx_buf *out, const char *experiment) {
  rmx_buf_puts(out, "#SBATCH --job-name=regmix-");
  for (const char *c = rmx__file_name(experiment); *c; c++)
    rmx_buf_add(out, isalnum((unsigned char)*c) ? c : "_", 1);
  rmx_buf_puts(out, "\n");
}

// In a name of a file, % stands for what Slurm puts there.
static void put_output(rmx_buf *out, const char *folder, const char *name) {
  rmx_buf_puts(out, "#SBATCH --output=\"");
  for (const char *c = folder; *c; c++) rmx_buf_add(out, *c == '%' ? "%%" : c, *c == '%' ? 2 : 1);
  rmx_buf_printf(out, "/%s\"\n#SBATCH --open-mode=append\n", name);
}

static void put_choices(const struct rmx__slurm_job *j, int64_t cpus, rmx_buf *out) {
  const rmx_launch_request *r = j->request;
  number(out, "nodes", 1);
  number(out, "ntasks", 1);
  number(out, "cpus-per-task", cpus);
  if (j->gpu) option(out, "gres", "gpu:1");
  if (r->partition) option(out, "partition", r->partition);
  if (r->time) option(out, "time", r->time);
  for (size_t i = 0; i < r->sbatch.n; i++)
    rmx_buf_printf(out, "#SBATCH --%s\n", r->sbatch.items[i] + strspn(r->sbatch.items[i], "-"));
  if (r->time) rmx_buf_printf(out, "#SBATCH --signal=B:USR1@%lld\n", (long long)j->notice_s);
  rmx_buf_puts(out, "#SBATCH --requeue\n");
}

static void put_places(const struct rmx__slurm_job *j, rmx_buf *out) {
  rmx_buf_puts(out, "\nregmix=");
  rmx_put_shell(out, j->program);
  rmx_buf_puts(out, "\nexperiment=");
  rmx_put_shell(out, j->experiment);
  rmx_buf_puts(out, "\nlaunch=");
  rmx_put_shell(out, j->folder);
  rmx_buf_puts(out, "\n");
}

static void put_settings(const struct rmx__slurm_job *j, rmx_buf *out) {
  for (size_t i = 0; i < j->p->n_typed; i++) {
    rmx_buf_puts(out, " --set ");
    rmx_put_shell(out, j->p->typed[i]);
  }
}

// Waits for the program, which was started in the background.
static void put_wait(rmx_buf *out) {
  rmx_buf_puts(out,
               " &\n"
               "program=$!\n"
               "trap 'kill -s USR1 \"$program\"' USR1       # before the time limit\n"
               "trap 'kill -s TERM \"$program\"' TERM INT   # preempted or cancelled\n"
               "wait \"$program\"\n"
               "code=$?\n"
               "while kill -s 0 \"$program\" 2> /dev/null; do\n"
               "  wait \"$program\"\n"
               "  code=$?\n"
               "done\n"
               "echo \"ended $code\" > \"$state\"\n"
               "# Stopped before the time limit: the task continues from its checkpoints, but not "
               "without end,\n# since a trainer of your own may have none.\n"
               "if [ \"$code\" -eq 75 ] && [ \"${SLURM_RESTART_COUNT:-0}\" -lt 100 ]; then\n"
               "  scontrol requeue \"$SLURM_JOB_ID\"\n"
               "fi\n"
               "exit \"$code\"\n");
}

void rmx__slurm_array(const struct rmx__slurm_job *j, rmx_buf *out) {
  const rmx_launch_request *r = j->request;
  rmx_buf_printf(
      out,
      "#!/bin/sh\n"
      "# Written by `regmix launch slurm`. The same command submits what is not done.\n"
      "# %zu of %zu run%s in %zu task%s. runs.txt has the names of the runs. The tasks take "
      "them in turn:\n# the first run is for task 0, the next one for task 1, and so on; after "
      "the last task, for task 0 again.\n",
      j->runs, j->all, rmx_s((double)j->all), j->tasks, rmx_s((double)j->tasks));
  put_name(out, j->experiment);
  rmx_buf_printf(out, "#SBATCH --array=0-%zu", j->tasks - 1);
  if (r->array_limit) rmx_buf_printf(out, "%%%lld", (long long)r->array_limit);
  rmx_buf_puts(out, "\n");
  put_choices(j, j->cpus, out);
  put_output(out, j->folder, "%a.txt");
  put_places(j, out);
  rmx_buf_puts(
      out,
      "task=$SLURM_ARRAY_TASK_ID\n"
      "state=\"$launch/$task.state\"  # for `regmix status`\n"
      "\n"
      "fail() {\n"
      "  echo \"regmix: node $(hostname): $1\" >&2\n"
      "  echo ended 1 > \"$state\"\n"
      "  exit 1\n"
      "}\n"
      "[ -x \"$regmix\" ] || fail \"there is no program $regmix; install it on every node, or in a "
      "folder that all share\"\n"
      "[ -r \"$experiment/corpus/corpus.json\" ] || fail \"there is no corpus in $experiment; put "
      "the experiment on a file system that all nodes share, or leave this node out (--sbatch "
      "exclude=$(hostname))\"\n"
      "\n"
      "echo \"running 0 $(hostname)\" > \"$state\"\n"
      "\"$regmix\" train -C \"$experiment\"");
  rmx_buf_printf(out, " --slice \"$task/%zu\" --runs \"$launch/runs.txt\" --jobs %lld%s", j->tasks,
                 (long long)j->jobs, j->redo ? " --redo" : "");
  put_settings(j, out);
  put_wait(out);
}

void rmx__slurm_then(const struct rmx__slurm_job *j, rmx_buf *out) {
  rmx_buf_puts(out,
               "#!/bin/sh\n# Written by `regmix launch slurm --then`: the steps after "
               "training.\n");
  put_name(out, j->experiment);
  put_choices(j, j->then_cpus, out);
  put_output(out, j->folder, "then.txt");
  put_places(j, out);
  rmx_buf_puts(out,
               "state=\"$launch/then.state\"  # for `regmix status`\n"
               "\n"
               "echo \"running 0 $(hostname)\" > \"$state\"\n"
               "\"$regmix\" run -C \"$experiment\" --trained");
  put_settings(j, out);
  put_wait(out);
}
