// SPDX-License-Identifier: Apache-2.0
// What runs cost, to share them among processes.
#ifndef RMX_SWARM_COST_H
#define RMX_SWARM_COST_H

#include <regmix/train.h>

// What a run costs: parameters times tokens. 0 where its model is not known.
double rmx__run_cost(const rmx_run *r);
// order (n): the runs, those that cost most first.
void rmx__longest_first(const rmx_run *runs, size_t n, size_t *order);

#endif
