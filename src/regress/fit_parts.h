// SPDX-License-Identifier: Apache-2.0
// The files in the folder of a fit, and hashes that show whether they belong together.
#ifndef RMX_REGRESS_FIT_PARTS_H
#define RMX_REGRESS_FIT_PARTS_H

#include <regmix/regress.h>

#include "base/json.h"

#define RMX__FIT_JSON "fit.json"
#define RMX__CROSS_VALIDATION "cross-validation.csv"
#define RMX__CROSS_VALIDATION_COLUMNS "run,metric,fold,true,predicted"

// Adds the hash of a file, and of the runs in fit.json, to `hashes`.
rmx_status rmx__hash_part(const char *folder, const char *name, json_t *hashes, rmx_err *err);
rmx_status rmx__hash_runs(const rmx_fit *f, json_t *hashes, rmx_err *err);
// RMX_EINPUT unless the files in the folder, and the runs in fit.json (at path), are those that
// were written together. Fits of 0.1.0 have no hashes and pass.
rmx_status rmx__check_parts(const char *folder, const json_t *fit, rmx_err *err);
rmx_status rmx__check_runs(const rmx_fit *f, const json_t *fit, const char *path, rmx_err *err);
// The names of the files in the folder that belong to its fit.
rmx_status rmx__fit_parts(const char *folder, rmx_strings *out, rmx_err *err);
// Puts the fit that was written into `out` in its place, one process at a time.
rmx_status rmx__fit_put(rmx_outfolder *out, rmx_err *err);

#endif
