// SPDX-License-Identifier: Apache-2.0
// Mixtures to choose from.
#ifndef REGMIX_OPTIMIZE_CANDIDATES_H
#define REGMIX_OPTIMIZE_CANDIDATES_H

#include "optimize/search.h"

// A list of different mixtures, that grows.
typedef struct rmx__candidates {
  size_t n, room, D;
  double *X;       // (room, D)
  uint64_t *hash;  // (room)
  uint64_t seed;
  size_t drawn;  // random streams used
} rmx__candidates;

rmx_status rmx__candidates_make(rmx__candidates *c, size_t D, size_t room, uint64_t seed,
                                rmx_err *err);
void rmx__candidates_release(rmx__candidates *c);
// Adds w (D) as it is; false where it is there already or there is no room.
bool rmx__candidates_add(rmx__candidates *c, const double *w);
// Draws `wanted` mixtures around the prior (D), at the sampler's strengths, and adds those that are
// new and can be brought into the feasible set; grid: weights are multiples of it where the
// constraints let them, 0: any.
rmx_status rmx__candidates_around_prior(rmx__candidates *c, const double *prior,
                                        const rmx__feasible *set, double grid, size_t wanted,
                                        int threads, rmx_err *err);
// The same near the mixtures `centres` (n, D), in turn: far to very near, and moves of tokens from
// one domain to another.
rmx_status rmx__candidates_near(rmx__candidates *c, const double *centres, size_t n,
                                const double *prior, const rmx__feasible *set, double grid,
                                size_t wanted, int threads, rmx_err *err);

#endif
