// SPDX-License-Identifier: Apache-2.0
// file_type.h: what a file is that is not read as text, and what to do with it.
#ifndef RMX_CORPUS_READERS_FILE_TYPE_H
#define RMX_CORPUS_READERS_FILE_TYPE_H

#include <stdbool.h>
#include <stddef.h>

// What a file is by its first `size` bytes: "a Git LFS pointer, not the file itself: `git lfs pull`
// fetches it". NULL: it can be text.
const char *rmx__type_of_bytes(const char *data, size_t size);
typedef enum rmx__file_use {
  RMX__FILE_UNKNOWN,   // unknown ending
  RMX__FILE_DATA,      // data in a format that is not read: text is lost
  RMX__FILE_NOT_DATA,  // a licence, a checksum, a hidden file
} rmx__file_use;

// Why a file with this name (without folders) is not read. NULL: it is read.
const char *rmx__type_of_name(const char *name, rmx__file_use *use);

// What a server sent instead of a file, for messages: a web page, or an error in XML, with its
// code. NULL: neither.
const char *rmx__page_of_bytes(const char *data, size_t size, char what[160]);

#endif
