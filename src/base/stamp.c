// SPDX-License-Identifier: Apache-2.0
// What an output was made from: one fingerprint, and a hash of each input.
#include "stamp.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"

void rmx__hex(uint64_t hash, char out[17]) {
  snprintf(out, 17, "%016llx", (unsigned long long)hash);
}

json_t *rmx__hex_json(uint64_t hash) {
  char text[17];
  rmx__hex(hash, text);
  return json_string(text);
}

void rmx__stamp_note(struct rmx__stamp *s, const char *input, uint64_t hash) {
  if (!s->inputs) s->inputs = json_object();
  json_object_set_new(s->inputs, input, rmx__hex_json(hash));
}

void rmx__stamp_add(struct rmx__stamp *s, const char *input, const void *data, size_t size) {
  const char *before = json_string_value(json_object_get(s->inputs, input));
  s->fingerprint = rmx_hash(data, size, s->fingerprint);
  rmx__stamp_note(s, input, rmx_hash(data, size, before ? strtoull(before, NULL, 16) : 0));
}

void rmx__stamp_add_text(struct rmx__stamp *s, const char *input, const char *text) {
  rmx__stamp_add(s, input, text, strlen(text));
}

void rmx__stamp_add_json(struct rmx__stamp *s, const char *input, const json_t *value,
                         size_t flags) {
  RMX_OWNED char *text = json_dumps(value, flags);
  rmx__stamp_add_text(s, input, text ? text : "");
}

bool rmx__stamp_add_file(struct rmx__stamp *s, const char *input, const char *path) {
  RMX_OWNED char *data = NULL;
  size_t size;
  rmx_err ignored;
  if (!path || !rmx_exists(path) || rmx_read_file(path, &data, &size, &ignored) != RMX_OK)
    return false;
  rmx__stamp_add(s, input, data, size);
  return true;
}

void rmx__stamp_release(struct rmx__stamp *s) {
  json_decref(s->inputs);
  *s = (struct rmx__stamp){0};
}

void rmx__stamp_put(const struct rmx__stamp *s, json_t *object) {
  json_object_set_new(object, "fingerprint", rmx__hex_json(s->fingerprint));
  if (s->inputs) json_object_set(object, "inputs", s->inputs);
}

const char *rmx__fingerprint_in(const json_t *object, const char *old) {
  const char *found = json_string_value(json_object_get(object, "fingerprint"));
  return found || !old ? found : json_string_value(json_object_get(object, old));
}

static void list_changed(const json_t *now, const json_t *before, rmx_buf *changed) {
  const char *input;
  json_t *hash;
  const size_t start = changed->size;
  json_object_foreach((json_t *)now, input, hash) {
    if (!json_equal(hash, json_object_get(before, input)))
      rmx_buf_printf(changed, "%s%s", changed->size > start ? ", " : "", input);
  }
  json_object_foreach((json_t *)before, input, hash) {
    if (!json_object_get(now, input))
      rmx_buf_printf(changed, "%s%s", changed->size > start ? ", " : "", input);
  }
}

bool rmx__stamp_same(const struct rmx__stamp *s, const json_t *object, const char *old,
                     rmx_buf *changed) {
  char wanted[17];
  const char *found = rmx__fingerprint_in(object, old);
  const json_t *inputs = json_object_get(object, "inputs");
  rmx__hex(s->fingerprint, wanted);
  if (found && strcmp(found, wanted) == 0) return true;
  if (changed && json_is_object(inputs)) list_changed(s->inputs, inputs, changed);
  return false;
}

rmx_status rmx__file_hash(const char *path, uint64_t seed, uint64_t *hash, rmx_err *err) {
  RMX_OWNED char *data = NULL;
  size_t size;
  RMX_TRY(rmx_read_file(path, &data, &size, err));
  *hash = rmx_hash(data, size, seed);
  return RMX_OK;
}

void rmx__stamp_tell(const struct rmx__stamp *s, const json_t *object, const char *old,
                     rmx_buf *why) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf changed = {0};
  if (!rmx__fingerprint_in(object, old) || rmx__stamp_same(s, object, old, &changed)) return;
  rmx_buf_printf(why, "changed: %s", changed.size ? changed.data : "its settings");
}
