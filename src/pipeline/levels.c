// SPDX-License-Identifier: Apache-2.0
// The processor levels of the machines that train one swarm. Levels differ by rounding: a loss by
// far less than two seeds differ, but no longer the same bits.
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "steps.h"

rmx_status rmx__check_level(rmx_pipeline *p, const rmx_run *runs, size_t n, rmx_err *err) {
  const rmx_kernels *kernels;
  char host[256] = "";
  const char *other = NULL;
  size_t differ = 0;
  if (n == 0 || rmx_training_is_outside(&runs[0].training)) return RMX_OK;
  gethostname(host, sizeof host - 1);
  if (rmx_kernels_get(p->experiment.config.general.isa, &kernels, err) != RMX_OK)
    return rmx_fail_in(err, "node %s", host);
  const char *own = rmx_kernels_name(kernels);
  RMX_OWNED char *seen = NULL;
  for (size_t k = 0; k < n; k++) {
    json_auto_t *result = NULL;
    rmx_run_look(&runs[k], &result);
    const char *isa = json_string_value(json_object_get(json_object_get(result, "made_by"), "isa"));
    if (!isa || strcmp(isa, own) == 0) continue;
    if (differ++ == 0) other = seen = rmx_strdup(isa);
  }
  if (other)
    rmx_warn(&p->listener,
             "%zu finished run%s of this swarm %s trained at level %s, and node %s trains at level "
             "%s: their losses differ by rounding. For the same bits on all nodes, set isa: to a "
             "level that all of them have, or take nodes of one kind (--sbatch constraint=...)",
             differ, rmx_s((double)differ), differ == 1 ? "was" : "were", other, host, own);
  return RMX_OK;
}
