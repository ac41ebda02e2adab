// SPDX-License-Identifier: Apache-2.0
// kept.h: files of a user's own that an output would replace.
#ifndef RMX_BASE_KEPT_H
#define RMX_BASE_KEPT_H

#include <regmix/base.h>

// Before the file `next` becomes `target`, which the user named as `given` (rmx_keep_others): what
// is there is moved to target~ if it begins otherwise.
rmx_status rmx__keep_other(const char *given, const char *target, const char *next, rmx_err *err);

#endif
