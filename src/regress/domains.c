// SPDX-License-Identifier: Apache-2.0
// What the files of the smooth regressors share: "domains", the names or null.

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "regressor.h"

void rmx__domains_free(char **names, size_t D) {
  for (size_t d = 0; names && d < D; d++) free(names[d]);
  free(names);
}

rmx_status rmx__domains_copy(const char *const *names, size_t D, char ***out, rmx_err *err) {
  if (names == NULL) {
    *out = NULL;
    return RMX_OK;
  }
  char **copy = rmx_calloc(D, sizeof(char *));
  bool failed = copy == NULL;
  for (size_t d = 0; d < D && !failed; d++) failed = (copy[d] = rmx_strdup(names[d])) == NULL;
  if (failed) {
    rmx__domains_free(copy, D);
    return rmx_fail_memory(err, D * sizeof(char *), "names of domains");
  }
  *out = copy;
  return RMX_OK;
}

json_t *rmx__domains_json(char *const *names, size_t D) {
  return names ? rmx__names_json((const char *const *)names, D) : json_null();
}

rmx_status rmx__domains_read(const json_t *o, size_t D, const char *path, char ***out,
                             rmx_err *err) {
  const json_t *list = json_object_get(o, "domains");
  *out = NULL;
  if (list == NULL || json_is_null(list)) return RMX_OK;
  const char **names = rmx_calloc(D, sizeof(char *));
  if (names == NULL) return rmx_fail_memory(err, D * sizeof(char *), "names of domains");
  rmx_status status = RMX_OK;
  for (size_t d = 0; d < D && status == RMX_OK; d++) {
    names[d] = json_string_value(json_array_get(list, d));
    if (names[d] == NULL || json_array_size(list) != D)
      status = rmx_fail(err, RMX_EINPUT,
                        "%s: \"domains\" must be %zu names, one for each coefficient", path, D);
  }
  if (status == RMX_OK) status = rmx__domains_copy(names, D, out, err);
  free(names);
  return status;
}
