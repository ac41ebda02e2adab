// SPDX-License-Identifier: Apache-2.0
// Lists of numbers and names in JSON files.
#ifndef RMX_REGRESS_JSON_LISTS_H
#define RMX_REGRESS_JSON_LISTS_H

#include <regmix/base.h>

#include "base/json.h"

// Reads member `key`, a list of n finite numbers, into out (n). path: for messages.
rmx_status rmx__json_numbers(const json_t *object, const char *key, double *out, size_t n,
                             const char *path, rmx_err *err);
// New references; NULL if memory is short.
json_t *rmx__numbers_json(const double *x, size_t n);
json_t *rmx__names_json(const char *const *names, size_t n);

// The names of domains, (D) or NULL, in a smooth regressor and in its file.
rmx_status rmx__domains_copy(const char *const *names, size_t D, char ***out, rmx_err *err);
void rmx__domains_free(char **names, size_t D);
json_t *rmx__domains_json(char *const *names, size_t D);
rmx_status rmx__domains_read(const json_t *o, size_t D, const char *path, char ***out,
                             rmx_err *err);

#endif
