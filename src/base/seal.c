// SPDX-License-Identifier: Apache-2.0
// Whether a file was changed after it was written: it keeps the hash of its own content. Only what
// the file says counts, not how: spaces, the order of keys and the digits of a number are free.
#include <regmix/base.h>
#include <string.h>

#include "base/stamp.h"
#include "json.h"

static const char SEAL[] = "content_hash";

static uint64_t hash_object(const json_t *object) {
  uint64_t sum = 0;
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)object, key, value) {
    if (strcmp(key, SEAL) != 0) sum += rmx_hash_string(key, rmx__json_hash(value));
  }
  return rmx_hash(&sum, sizeof sum, JSON_OBJECT);
}

uint64_t rmx__json_hash(const json_t *tree) {
  if (!tree) return 0;
  if (json_is_object(tree)) return hash_object(tree);
  if (json_is_string(tree)) return rmx_hash_string(json_string_value(tree), JSON_STRING);
  if (json_is_number(tree)) {
    const double x = json_number_value(tree) + 0.0;  // -0 as 0
    return rmx_hash(&x, sizeof x, JSON_REAL);
  }
  uint64_t hash = rmx_hash(NULL, 0, (uint64_t)json_typeof(tree));
  size_t i;
  json_t *value;
  json_array_foreach(tree, i, value) {
    const uint64_t item = rmx__json_hash(value);
    hash = rmx_hash(&item, sizeof item, hash);
  }
  return hash;
}

static json_t *seal_of(const json_t *object) {
  return rmx__hex_json(rmx__json_hash(object));
}

bool rmx__json_seal(json_t *object) {
  json_object_del(object, SEAL);
  return json_object_set_new(object, SEAL, seal_of(object)) == 0;
}

bool rmx__json_seal_broken(const json_t *object) {
  const json_t *seal = json_object_get(object, SEAL);
  json_auto_t *wanted = seal ? seal_of(object) : NULL;
  return wanted && !json_equal(seal, wanted);
}
