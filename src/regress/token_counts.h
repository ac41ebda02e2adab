// SPDX-License-Identifier: Apache-2.0
// How many tokens each domain has, for a fit by epochs.
#ifndef RMX_REGRESS_TOKEN_COUNTS_H
#define RMX_REGRESS_TOKEN_COUNTS_H

#include <regmix/regress.h>

// Takes over what is known about tokens, in the fit's order of domains, and warns where a fit by
// epochs has no runs that repeated their data. RMX_EINPUT: a domain has no count, or none above 0.
rmx_status rmx__take_token_counts(rmx_fit *f, const rmx_exposure *x, const rmx_listener *listener,
                                  rmx_err *err);

#endif
