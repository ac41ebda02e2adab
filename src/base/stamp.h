// SPDX-License-Identifier: Apache-2.0
// stamp.h: what an output was made from, and so whether it is up to date.
//
// A step names each of its inputs and adds its content. The *fingerprint* is one hash of all of
// them in their order; each input has a hash of its own as well. The output keeps both:
// "fingerprint" and "inputs". The next time, the step makes its stamp again. If the fingerprint is
// the same, the output is up to date. If not, the hashes of the inputs tell which input changed.
//
//   struct rmx__stamp s = {0};                      // or {.fingerprint = seed}
//   rmx__stamp_add_text(&s, "settings", text);
//   rmx__stamp_add_file(&s, "metrics.csv", path);
//   if (!rmx__stamp_same(&s, made_by, "question", &changed)) ... make the output, and then
//   rmx__stamp_put(&s, made_by);
//   rmx__stamp_release(&s);
//
// A fingerprint starts with the number that `fingerprint` has at first. Each piece of content is
// hashed with the number before it as seed. These are the numbers of version 0.1.0, so its outputs
// stay up to date; it kept them under other keys, which `old` names.
#ifndef RMX_BASE_STAMP_H
#define RMX_BASE_STAMP_H

#include "json.h"

struct rmx__stamp {
  uint64_t fingerprint;
  json_t *inputs;  // name: hash; NULL before the first. Incomplete if memory was short, which
                   // only makes the list of changed inputs shorter
};

// Adds content to the input of this name. Several pieces may be added to one input.
void rmx__stamp_add(struct rmx__stamp *s, const char *input, const void *data, size_t size);
void rmx__stamp_add_text(struct rmx__stamp *s, const char *input, const char *text);
// The value as json_dumps writes it with `flags` (jansson's).
void rmx__stamp_add_json(struct rmx__stamp *s, const char *input, const json_t *value,
                         size_t flags);
// False, and nothing is added, if the file can't be read. `path` may be NULL.
bool rmx__stamp_add_file(struct rmx__stamp *s, const char *input, const char *path);
// Names an input whose content is in the fingerprint by other means, as its start or as part of
// another: `hash` is only compared to tell whether this input changed.
void rmx__stamp_note(struct rmx__stamp *s, const char *input, uint64_t hash);
void rmx__stamp_release(struct rmx__stamp *s);

// Sets "fingerprint" and "inputs" (left out if there are none) of an object.
void rmx__stamp_put(const struct rmx__stamp *s, json_t *object);
// The fingerprint that an object keeps: that of "fingerprint", else of the key `old` (may be NULL).
// NULL: none.
const char *rmx__fingerprint_in(const json_t *object, const char *old);
// Whether the object has this fingerprint. If not, the names of the inputs that differ are added to
// `changed` (may be NULL), with ", " between them: none if the object does not keep its inputs.
bool rmx__stamp_same(const struct rmx__stamp *s, const json_t *object, const char *old,
                     rmx_buf *changed);
// Adds "changed: NAMES" to `why` where the object keeps another fingerprint. An object without one
// was not made from a stamp.
void rmx__stamp_tell(const struct rmx__stamp *s, const json_t *object, const char *old,
                     rmx_buf *why);

// 16 hexadecimal digits, as all hashes are written.
void rmx__hex(uint64_t hash, char out[17]);
json_t *rmx__hex_json(uint64_t hash);  // a new reference
// The hash of a file's content, with `seed`.
rmx_status rmx__file_hash(const char *path, uint64_t seed, uint64_t *hash, rmx_err *err);

#endif
