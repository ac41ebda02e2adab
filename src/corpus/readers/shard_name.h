// SPDX-License-Identifier: Apache-2.0
/* shard_name.h: what the name of a file of a corpus says: of which shard it is, and of which part
 * of its domain. */
#ifndef RMX_CORPUS_READERS_SHARD_NAME_H
#define RMX_CORPUS_READERS_SHARD_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* Length of a name (size bytes of it) without the number of its shard: "c4-train.00000-of-01024" ->
 * "c4-train", "part-0001" -> "part", "wiki_000" -> "wiki", "file007" -> "file". Words stay
 * ("en-fr"), and so do numbers that are part of one ("python3", "top500"); a name that is a number
 * alone stays whole. */
size_t rmx__without_shard(const char *name, size_t size);
/* Of a folder's name only "_01_of_10" is taken for such a number. */
size_t rmx__without_folder_number(const char *name);

typedef enum rmx__role {
  RMX__ROLE_NONE,
  RMX__ROLE_TRAIN,
  RMX__ROLE_VALID,
  RMX__ROLE_TEST,
  RMX__ROLES
} rmx__role;
/* train, training; valid, validation, val, dev, eval, heldout; test: in any letters. */
rmx__role rmx__role_of_word(const char *word, size_t size);
/* Of the first or the last of several words of a name, parted by - _ or . ; where it stands. */
rmx__role rmx__role_in_name(const char *name, size_t *from, size_t *size);
/* Of a folder on the way: "validation/a.jsonl". */
rmx__role rmx__role_of_path(const char *path);

#endif
