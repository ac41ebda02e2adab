// SPDX-License-Identifier: Apache-2.0
// Whether the fit has learnt anything about the target, and what is left to say where it has not.
#ifndef REGMIX_OPTIMIZE_LEARNT_H
#define REGMIX_OPTIMIZE_LEARNT_H

#include "methods.h"

// Sets o->r2, o->mixtures, o->learnt and o->why_not; warns of what makes the fit doubtful.
rmx_status rmx__look_what_was_learnt(const rmx__asked *a, rmx_optimum *o, rmx_err *err);
// The answer of a fit that has learnt nothing: the prior, brought under the constraints. INFINITY
// in *score where it passes a limit of the target, which a search may keep.
rmx_status rmx__stay_at_prior(const rmx__asked *a, rmx_optimum *o, double *score, rmx_err *err);

#endif
