// SPDX-License-Identifier: Apache-2.0
// Values in the tree that a page is made from.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "parts.h"

rmx_status rmx__put(json_t *object, const char *key, json_t *value, rmx_err *err) {
  if (json_object_set_new(object, key, value) != 0)
    return rmx_fail_memory(err, strlen(key), "the report's data");
  return RMX_OK;
}

rmx_status rmx__add(json_t *array, json_t *value, rmx_err *err) {
  if (json_array_append_new(array, value) != 0)
    return rmx_fail_memory(err, sizeof(json_t *), "the report's data");
  return RMX_OK;
}

json_t *rmx__text(const char *s) {
  json_t *text = json_string(s);
  if (text) return text;
  RMX_OWNED char *copy = rmx_strdup(s);
  for (char *c = copy; c && *c; c++)
    if ((unsigned char)*c >= 0x80) *c = '?';
  text = copy ? json_string(copy) : NULL;
  return text;
}

double rmx__get(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  return json_is_number(value) ? json_number_value(value) : NAN;
}
