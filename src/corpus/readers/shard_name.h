// SPDX-License-Identifier: Apache-2.0
// shard_name.h: shard numbers and splits in the names of files and folders.
#ifndef RMX_CORPUS_READERS_SHARD_NAME_H
#define RMX_CORPUS_READERS_SHARD_NAME_H

#include <stdbool.h>
#include <stddef.h>

// Length of a name (size bytes of it) without the number of its shard: "c4-train.00000-of-01024" ->
// "c4-train", "part-0001" -> "part", "wiki_000" -> "wiki", "file007" -> "file". A UUID or a hash is
// such a number too: "arxiv_023827cd-7ee8-42e6-aa7b-661731f4c70f" -> "arxiv". Words stay ("en-fr"),
// and so do numbers that are part of a word ("python3", "top500") or the whole name.
size_t rmx__without_shard(const char *name, size_t size);
// The start of 8 or more hexadecimal digits at the end of a name; size if there are none. They may
// be a word: "defaced0".
size_t rmx__hex_before(const char *name, size_t size);
// Whether a name is only a number, a UUID or a hash.
bool rmx__is_shard_id(const char *name);
// The same for the name of a folder, where only "_01_of_10" is such a number.
size_t rmx__without_folder_number(const char *name);

typedef enum rmx__role {
  RMX__ROLE_NONE,
  RMX__ROLE_TRAIN,
  RMX__ROLE_VALID,
  RMX__ROLE_TEST,
  RMX__ROLES
} rmx__role;
// The split that a word names: train, training; valid, validation, val, dev, eval, heldout; test.
// Upper or lower case.
rmx__role rmx__role_of_word(const char *word, size_t size);
// The same for the last or the first word of a name, separated by - _ or . ; name[*from ..] is the
// word, *size bytes long.
rmx__role rmx__role_in_name(const char *name, size_t *from, size_t *size);
// The same for a folder in a path: "validation/a.jsonl".
rmx__role rmx__role_of_path(const char *path);

#endif
