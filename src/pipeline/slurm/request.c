// SPDX-License-Identifier: Apache-2.0
// Whether a request to launch can be met: each option is one that sbatch takes, and that the script
// does not set itself.
#include "request.h"

#include <ctype.h>
#include <string.h>

// The value of an option goes into a script, where a new line would begin another one.
static rmx_status check_value(const char *name, const char *value, const char *allowed,
                              rmx_err *err) {
  bool good = value && *value;
  for (const char *c = value; good && *c; c++)
    good = allowed ? isalnum((unsigned char)*c) || strchr(allowed, *c) : (unsigned char)*c >= ' ';
  if (good || !value) return RMX_OK;
  return rmx_fail(err, RMX_EUSAGE, "--%s \"%s\" is not what sbatch takes", name, value);
}

// What the script sets itself, or relies on.
static rmx_status check_option(const char *option, rmx_err *err) {
  static const struct {
    const char *name, *instead;
  } own[] = {{"array", "--tasks sets how many tasks there are, and --array-limit how many run"},
             {"time", "--time sets the limit"},
             {"partition", "--partition chooses it"},
             {"cpus-per-task", "--cpus sets the processors of a task"},
             {"output", "the logs are in the folder slurm/ of the experiment"},
             {"error", "the logs are in the folder slurm/ of the experiment"},
             {"open-mode", "the log of a task is appended to"},
             {"signal", "with --time, a task is warned before its limit"},
             {"requeue", "the script has it"},
             {"no-requeue", "a preempted task is queued again and goes on from its checkpoint"},
             {"nodes", "a task is one process; --tasks and --cpus set how many and how large"},
             {"ntasks", "a task is one process; --tasks and --cpus set how many and how large"},
             {"wrap", "launch writes the script"},
             {"wait", "`regmix status` shows how the tasks stand"},
             {"test-only", "--dry-run shows the script"}};
  const char *name = option + strspn(option, "-");
  const int n = (int)strcspn(name, "= ");
  if (n < 2)
    return rmx_fail(err, RMX_EUSAGE,
                    "--sbatch \"%s\": wanted the long name of an option, as in account=NAME",
                    option);
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)  // sbatch knows an option by its beginning
    if (strncmp(name, own[i].name, (size_t)n) == 0)
      return rmx_fail(err, RMX_EUSAGE, "--sbatch %s: launch sets %s itself; %s", option,
                      own[i].name, own[i].instead);
  return RMX_OK;
}

rmx_status rmx__launch_check(const rmx_pipeline *p, const rmx_launch_request *r, rmx_err *err) {
  const rmx_training *t = &p->experiment.config.proxy;
  RMX_TRY(check_value("partition", r->partition, "_-.,", err));
  RMX_TRY(check_value("time", r->time, ":-", err));
  for (size_t i = 0; i < r->sbatch.n; i++) {
    RMX_TRY(check_value("sbatch", r->sbatch.items[i], NULL, err));
    RMX_TRY(check_option(r->sbatch.items[i], err));
  }
  if (r->gpus && !rmx_training_is_outside(t))
    return rmx_fail(err, RMX_EUSAGE,
                    "--gpus %lld: regmix's own trainer uses no GPU; set proxy.trainer: pytorch, or "
                    "leave --gpus out",
                    (long long)r->gpus);
  if (r->gpus && r->tasks)
    return rmx_fail(err, RMX_EUSAGE, "--gpus gives each GPU a task; leave --tasks out");
  return RMX_OK;
}
