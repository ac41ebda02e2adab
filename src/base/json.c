// SPDX-License-Identifier: Apache-2.0
// JSON files through jansson, with messages that name file and line.
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>

rmx_status rmx_json_read(const char *path, json_t **out, rmx_err *err) {
  char *text;
  size_t size;
  RMX_TRY(rmx_read_file(path, &text, &size, err));
  json_error_t where;
  json_t *tree = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
  free(text);
  if (!tree) return rmx_fail(err, RMX_EINPUT, "%s:%d: not JSON: %s", path, where.line, where.text);
  *out = tree;
  return RMX_OK;
}

char *rmx_json_text(const json_t *tree) {
  char *text = json_dumps(tree, JSON_INDENT(2) | JSON_REAL_PRECISION(17) | JSON_ENCODE_ANY);
  if (!text) return NULL;
  char *line = rmx_format("%s\n", text);
  free(text);
  return line;
}

rmx_status rmx_json_write(const char *path, const json_t *tree, rmx_err *err) {
  char *text = rmx_json_text(tree);
  if (!text) return rmx_fail_memory(err, 0, path);
  rmx_status status = rmx_write_file(path, text, strlen(text), err);
  free(text);
  return status;
}

rmx_status rmx_json_number(const json_t *object, const char *key, double *out, const char *what, rmx_err *err) {
  const json_t *value = json_object_get(object, key);
  if (!json_is_number(value)) return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" is missing or not a number", what, key);
  *out = json_number_value(value);
  return RMX_OK;
}

rmx_status rmx_json_string(const json_t *object, const char *key, const char **out, const char *what, rmx_err *err) {
  const json_t *value = json_object_get(object, key);
  if (!json_is_string(value)) return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" is missing or not a string", what, key);
  *out = json_string_value(value);
  return RMX_OK;
}
