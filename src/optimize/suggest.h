// SPDX-License-Identifier: Apache-2.0
// A batch of suggestions as a thing to be made, named and written.
#ifndef REGMIX_OPTIMIZE_SUGGEST_H
#define REGMIX_OPTIMIZE_SUGGEST_H

#include <regmix/suggest.h>

// Memory for K suggestions; what else is in *s stays.
rmx_status rmx__suggestion_make(rmx_suggestion *s, size_t K, size_t D, rmx_err *err);
// Names that go on after those of the fit's runs and `taken`.
rmx_status rmx__suggestion_name(rmx_suggestion *s, const rmx_fit *fit, const char *const *taken,
                                size_t n_taken, rmx_err *err);
// s->untried_domains, from the runs X (N, D).
void rmx__suggestion_untried(rmx_suggestion *s, const double *X, size_t N, char *const *domains,
                             const rmx_constraints *c);

#endif
