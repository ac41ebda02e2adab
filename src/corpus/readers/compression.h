// SPDX-License-Identifier: Apache-2.0
// compression.h: the compressions that files of text may have.
#ifndef RMX_CORPUS_READERS_COMPRESSION_H
#define RMX_CORPUS_READERS_COMPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum rmx__unpacked {
  RMX__UNPACK_GOES_ON,
  RMX__UNPACK_BETWEEN,  // nothing is begun: before the first stream, or between two
  RMX__UNPACK_BROKEN,
  RMX__UNPACK_NO_MEMORY,
} rmx__unpacked;

// One step: the decoder takes bytes from `in`, puts bytes to `out`, and moves both.
typedef struct rmx__unpack {
  const uint8_t *in;
  size_t in_left;
  uint8_t *out;
  size_t out_left;
  bool last;        // no more bytes follow those of `in`
  const char *why;  // if BROKEN or NO_MEMORY; static
} rmx__unpack;

// A compression, in a file of its own; each is a row of the table in compression.c. A file may have
// several streams in a row.
typedef struct rmx__compression {
  const char *name;         // "gzip"
  const char *suffixes[3];  // ".gz", NULL
  const char *magic;        // the first bytes of a file
  size_t magic_size;
  const char *library;  // what this build lacks to read it; NULL: nothing
  void *(*open)(void);  // the state of a decoder; NULL: no memory
  rmx__unpacked (*step)(void *state, rmx__unpack *u);
  void (*close)(void *state);
} rmx__compression;

extern const rmx__compression rmx__gzip, rmx__zstd, rmx__xz, rmx__bzip2, rmx__lz4;

// The compression of a file by its name, and the length of the name without its suffix. NULL: none.
const rmx__compression *rmx__compression_of(const char *path, size_t *stem);
// The one whose files begin like this; NULL: none.
const rmx__compression *rmx__compression_of_bytes(const char *data, size_t size);
// ".gz, .zst" for messages.
extern const char rmx__compressions_known[];

#endif
