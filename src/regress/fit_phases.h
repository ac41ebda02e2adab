// SPDX-License-Identifier: Apache-2.0
// Phases in a fit: see fit_phases.c.
#ifndef RMX_REGRESS_FIT_PHASES_H
#define RMX_REGRESS_FIT_PHASES_H

#include "fit.h"

// Sets f->n_phases and phase_share from the columns of a table of mixtures; share (n): as known.
rmx_status rmx__take_phases(rmx_fit *f, const rmx_table *t, const double *share, size_t n,
                            const rmx_listener *to, rmx_err *err);
// Turns the rows X (t->N, f->D) of a table into shares of all tokens.
rmx_status rmx__scale_phases(const rmx_fit *f, const rmx_table *t, double *X, rmx_err *err);

#endif
