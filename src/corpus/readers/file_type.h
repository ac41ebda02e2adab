// SPDX-License-Identifier: Apache-2.0
/* file_type.h: what a file is that is not read as text, and what to do about it. */
#ifndef RMX_CORPUS_READERS_FILE_TYPE_H
#define RMX_CORPUS_READERS_FILE_TYPE_H

#include <stdbool.h>
#include <stddef.h>

/* By its first bytes (size of them): "a Git LFS pointer, not the file itself: `git lfs pull`
 * fetches it"; NULL: nothing known speaks against text. */
const char *rmx__type_of_bytes(const char *data, size_t size);
/* Whether the first bytes are those of a web page. */
bool rmx__is_html(const char *data, size_t size);

typedef enum rmx__file_use {
  RMX__FILE_UNKNOWN,  /* nothing is known of it */
  RMX__FILE_DATA,     /* data in a form that is not read: text is lost with it */
  RMX__FILE_NOT_DATA, /* beside the data: a licence, a checksum, a hidden file */
} rmx__file_use;

/* By its name (without folders), why it is not read; for a name whose ending is read, NULL where it
 * is to be read. */
const char *rmx__type_of_name(const char *name, rmx__file_use *use);

#endif
