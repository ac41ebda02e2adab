// SPDX-License-Identifier: Apache-2.0
// See json_lists.h.

#include "json_lists.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

json_t *rmx__numbers_json(const double *x, size_t n) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < n; i++)
    if (json_array_append_new(list, json_real(x[i])) != 0) {
      json_decref(list);
      return NULL;
    }
  return list;
}

json_t *rmx__names_json(const char *const *names, size_t n) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < n; i++)
    if (json_array_append_new(list, json_string(names[i])) != 0) {
      json_decref(list);
      return NULL;
    }
  return list;
}

rmx_status rmx__json_numbers(const json_t *object, const char *key, double *out, size_t n,
                             const char *path, rmx_err *err) {
  const json_t *list = json_object_get(object, key);
  if (!json_is_array(list) || json_array_size(list) != n)
    return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" must be a list of %zu numbers", path, key, n);
  for (size_t i = 0; i < n; i++) {
    const json_t *x = json_array_get(list, i);
    out[i] = json_number_value(x);
    if (!json_is_number(x) || !isfinite(out[i]))
      return rmx_fail(err, RMX_EINPUT, "%s: item %zu of \"%s\" is not a number", path, i, key);
  }
  return RMX_OK;
}

void rmx__domains_free(char **names, size_t D) {
  for (size_t d = 0; names && d < D; d++) free(names[d]);
  free(names);
}

rmx_status rmx__domains_copy(const char *const *names, size_t D, char ***out, rmx_err *err) {
  if (!names) {
    *out = NULL;
    return RMX_OK;
  }
  char **copy = rmx_calloc(D, sizeof(char *));
  bool failed = !copy;
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
  if (!list || json_is_null(list)) return RMX_OK;
  RMX_OWNED const char **names = rmx_calloc(D, sizeof(char *));
  if (!names) return rmx_fail_memory(err, D * sizeof(char *), "names of domains");
  for (size_t d = 0; d < D; d++) {
    names[d] = json_string_value(json_array_get(list, d));
    if (!names[d] || json_array_size(list) != D)
      return rmx_fail(err, RMX_EINPUT,
                      "%s: \"domains\" must be %zu names, one for each coefficient", path, D);
  }
  return rmx__domains_copy(names, D, out, err);
}
