// SPDX-License-Identifier: Apache-2.0
/* input.h: the bytes of a file, decompressed, line by line or in blocks. */
#ifndef RMX_CORPUS_READERS_INPUT_H
#define RMX_CORPUS_READERS_INPUT_H

#include <regmix/base.h>

typedef struct rmx__input rmx__input;

/* One way of packing: a row of the table in input.c, chosen by the end of the file's name. */
typedef struct rmx__compression {
  const char *suffix; /* ".gz"; "" for plain files, the last row */
  rmx_status (*open)(rmx__input *s, rmx_err *err);
  /* Up to `size` bytes; *got = 0 is the end. A broken or cut-off archive is an error. */
  rmx_status (*read)(rmx__input *s, void *into, size_t size, size_t *got, rmx_err *err);
  void (*close)(rmx__input *s);
} rmx__compression;

struct rmx__input {
  const char *path; /* the caller's */
  const rmx__compression *compression;
  FILE *file;
  void *state; /* of the packing */
  char *block; /* (RMX__BLOCK) bytes read but not yet given out: block[at .. end] */
  size_t at, end;
  uint64_t compressed; /* bytes of the file itself read so far */
  bool started, ended;
};

enum { RMX__BLOCK = 1 << 17 };

rmx_status rmx__input_open(rmx__input *s, const char *path, rmx_err *err);
/* The bytes at hand, block[at .. end]: at least one, but at the end of the file, where `ended` is
 * set. The caller moves `at` on. A byte order mark at the start of the file is skipped. */
rmx_status rmx__input_fill(rmx__input *s, rmx_err *err);
/* Has the first bytes at hand, as many as there are up to `size` (at most RMX__BLOCK). Before
 * anything else is read. */
rmx_status rmx__input_peek(rmx__input *s, size_t size, rmx_err *err);
/* The next line without its line feed, into `line`; *more is false at the end. Of a line of more
 * than `most` bytes (0: any) `line` keeps the first of them, and *cut is set: memory is bounded,
 * whatever the file unpacks to. */
rmx_status rmx__input_line(rmx__input *s, rmx_buf *line, size_t max, bool *more, bool *cut,
                           rmx_err *err);
void rmx__input_close(rmx__input *s);

/* The packing of a file by its name, and the length of the name without the packing's suffix. */
const rmx__compression *rmx__compression_of(const char *path, size_t *stem);
/* ".gz, .zst" for messages. */
extern const char rmx__compressions_known[];

#endif
