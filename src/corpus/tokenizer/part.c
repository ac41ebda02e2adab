// SPDX-License-Identifier: Apache-2.0
#include "part.h"

#include <string.h>
#include <utf8proc.h>

enum { MAX_DEPTH = 8, MAX_PARTS = 64 };

rmx_status rmx__part_fail(const rmx__part *part, rmx_err *err, const char *what) {
  return rmx_fail(err, RMX_EINPUT, "%s: %s: part %zu of %zu, \"%.60s\": %s", part->where,
                  part->chain, part->i, part->n, part->type, what);
}

static rmx_status wrong(const rmx__part *part, const char *key, const char *wanted, rmx_err *err) {
  char what[200];
  snprintf(what, sizeof what, "\"%s\" is not %s", key, wanted);
  return rmx__part_fail(part, err, what);
}

static const json_t *value_of(const rmx__part *part, const char *key) {
  const json_t *value = json_object_get(part->json, key);
  return json_is_null(value) ? NULL : value;
}

rmx_status rmx__part_flag(const rmx__part *part, const char *key, bool missing, bool *out,
                          rmx_err *err) {
  const json_t *value = value_of(part, key);
  if (value && !json_is_boolean(value)) return wrong(part, key, "true or false", err);
  *out = value ? json_is_true(value) : missing;
  return RMX_OK;
}

rmx_status rmx__part_count(const rmx__part *part, const char *key, size_t missing, size_t *out,
                           rmx_err *err) {
  const json_t *value = value_of(part, key);
  if (value && (!json_is_integer(value) || json_integer_value(value) < 0))
    return wrong(part, key, "a whole number, 0 or more", err);
  *out = value ? (size_t)json_integer_value(value) : missing;
  return RMX_OK;
}

rmx_status rmx__part_string(const rmx__part *part, const char *key, const char **out,
                            rmx_err *err) {
  const json_t *value = value_of(part, key);
  if (!json_is_string(value)) return wrong(part, key, "a string", err);
  *out = json_string_value(value);
  if (strlen(*out) != json_string_length(value))
    return wrong(part, key, "a string without the character U+0000", err);
  return RMX_OK;
}

rmx_status rmx__part_character(const rmx__part *part, const char *key, const char **out,
                               rmx_err *err) {
  RMX_TRY(rmx__part_string(part, key, out, err));
  utf8proc_int32_t code;
  utf8proc_ssize_t size = utf8proc_iterate((const utf8proc_uint8_t *)*out, -1, &code);
  if (size <= 0 || strlen(*out) != (size_t)size || !**out)
    return wrong(part, key, "one character", err);
  return RMX_OK;
}

rmx_status rmx__part_pattern(const rmx__part *part, const char **text, bool *regex, rmx_err *err) {
  const json_t *pattern = json_object_get(part->json, "pattern");
  *regex = json_object_get(pattern, "Regex") != NULL;
  const rmx__part inner = {part->where, part->chain, pattern, part->type, part->i, part->n};
  if (json_is_object(pattern))
    return rmx__part_string(&inner, *regex ? "Regex" : "String", text, err);
  return rmx__part_string(part, "pattern", text, err);
}

// ---- sequences -----------------------------------------------------------------------

static rmx_status unknown_type(const rmx__part *part, const rmx__part_type *types, size_t ntypes,
                               rmx_err *err) {
  char known[400] = "";
  for (size_t i = 0; i < ntypes; i++) {
    size_t at = strlen(known);
    snprintf(known + at, sizeof known - at, "%s%s", i ? ", " : "", types[i].name);
  }
  return rmx_fail(err, RMX_EINPUT,
                  "%s: %s: part %zu of %zu, \"%.60s\", is not supported; supported are %s, and "
                  "Sequence",
                  part->where, part->chain, part->i, part->n, part->type, known);
}

static rmx_status read_parts(const rmx__part *part, const char *list, const rmx__part_type *types,
                             size_t ntypes, int depth, void *into, rmx_err *err) {
  if (strcmp(part->type, "Sequence") == 0) {
    const json_t *parts = json_object_get(part->json, list);
    if (!json_is_array(parts) || json_array_size(parts) > MAX_PARTS || depth == MAX_DEPTH)
      return wrong(part, list, "a list of 64 parts or fewer, nested 8 times or fewer", err);
    for (size_t i = 0; i < json_array_size(parts); i++) {
      const json_t *json = json_array_get(parts, i);
      const char *type = json_string_value(json_object_get(json, "type"));
      const rmx__part inner = {part->where,      part->chain, json,
                               type ? type : "", i + 1,       json_array_size(parts)};
      RMX_TRY(read_parts(&inner, list, types, ntypes, depth + 1, into, err));
    }
    return RMX_OK;
  }
  for (size_t i = 0; i < ntypes; i++)
    if (strcmp(part->type, types[i].name) == 0) return types[i].read(part, into, err);
  return unknown_type(part, types, ntypes, err);
}

rmx_status rmx__parts_read(const json_t *root, const char *chain, const char *list,
                           const rmx__part_type *types, size_t ntypes, const char *where,
                           void *into, rmx_err *err) {
  const json_t *json = json_object_get(root, chain);
  if (!json || json_is_null(json)) return RMX_OK;
  const char *type = json_string_value(json_object_get(json, "type"));
  if (!type)
    return rmx_fail(err, RMX_EINPUT, "%s: %s is neither null nor a map with a \"type\"", where,
                    chain);
  const rmx__part part = {where, chain, json, type, 1, 1};
  return read_parts(&part, list, types, ntypes, 0, into, err);
}
