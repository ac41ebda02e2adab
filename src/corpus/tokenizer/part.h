// SPDX-License-Identifier: Apache-2.0
// part.h: the parts of a tokenizer.json: {"type": "Split", ...}, or a "Sequence" of such parts.
#ifndef RMX_CORPUS_TOKENIZER_PART_H
#define RMX_CORPUS_TOKENIZER_PART_H

#include <regmix/base.h>

#include "base/json.h"

typedef struct rmx__part {
  const char *where;  // the file
  const char *chain;  // "normalizer", "pre_tokenizer" or "decoder"
  const json_t *json;
  const char *type;
  size_t i, n;  // this is part i (from 1) of n
} rmx__part;

// Reads a part, and adds what it means to `into`.
typedef struct rmx__part_type {
  const char *name;  // "type"
  rmx_status (*read)(const rmx__part *part, void *into, rmx_err *err);
} rmx__part_type;

// Reads root[chain]: nothing, a part, or a sequence of parts, which it has under the key `list`.
// RMX_EINPUT: a type that is not in `types` (ntypes).
rmx_status rmx__parts_read(const json_t *root, const char *chain, const char *list,
                           const rmx__part_type *types, size_t ntypes, const char *where,
                           void *into, rmx_err *err);

// RMX_EINPUT with a message that names the part. `what`: the rest of the sentence.
rmx_status rmx__part_fail(const rmx__part *part, rmx_err *err, const char *what);
// The values of a part. A key that is missing or null has the value `missing`.
rmx_status rmx__part_flag(const rmx__part *part, const char *key, bool missing, bool *out,
                          rmx_err *err);
rmx_status rmx__part_count(const rmx__part *part, const char *key, size_t missing, size_t *out,
                           rmx_err *err);
// *out is part of the tree. RMX_EINPUT: the string is missing, or has a zero byte.
rmx_status rmx__part_string(const rmx__part *part, const char *key, const char **out, rmx_err *err);
// A string of one character.
rmx_status rmx__part_character(const rmx__part *part, const char *key, const char **out,
                               rmx_err *err);
// "pattern": {"String": text} or {"Regex": text}, or text alone, which is a string.
rmx_status rmx__part_pattern(const rmx__part *part, const char **text, bool *regex, rmx_err *err);

#endif
