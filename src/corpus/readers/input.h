// SPDX-License-Identifier: Apache-2.0
// input.h: the bytes of a file, decompressed, line by line or in blocks.
#ifndef RMX_CORPUS_READERS_INPUT_H
#define RMX_CORPUS_READERS_INPUT_H

#include <regmix/base.h>

#include "charset.h"
#include "compression.h"

typedef struct rmx__input rmx__input;

struct rmx__input {
  const char *path;                     // borrowed
  const rmx__compression *compression;  // NULL: none
  FILE *file;
  struct rmx__unpacking *unpacking;
  char *block;  // (RMX__BLOCK) block[at .. end] are bytes that were read and not used yet
  size_t at, end;
  rmx__charset *charset;  // from which the bytes are converted; NULL: they are UTF-8
  struct {                // bytes that are not converted yet
    char *data;           // (RMX__BLOCK) data[at .. end]
    size_t at, end;
    bool ended;
  } raw;
  struct {  // bytes that are read again before those that follow
    char *data;
    size_t at, end;
  } again;
  uint64_t reread;       // bytes that were read again, in all
  uint64_t undecodable;  // bytes that could not be converted
  rmx_buf long_line;     // one that does not fit into a block
  uint64_t compressed;   // bytes of the file itself read so far
  uint64_t range;        // bytes of the file to read; 0: all
  bool started;
  bool file_ended;  // all was read from the file
  bool ended;       // and all was used
  bool fed;         // the last line that was given ended with a line feed
};

enum { RMX__BLOCK = 1 << 18 };

// file_alone: for formats that read the file themselves; only `file` can be used then, and a
// compressed file is refused.
rmx_status rmx__input_open(rmx__input *s, const char *path, bool file_alone, rmx_err *err);
// Reads only the bytes begin .. end - 1 of a file that is not compressed. Call it before anything
// is read.
rmx_status rmx__input_range(rmx__input *s, uint64_t begin, uint64_t end, rmx_err *err);
// Makes at least one byte available in block[at .. end], or sets `ended` at the end of the file.
// The caller advances `at`. A byte order mark at the start of the file is skipped.
rmx_status rmx__input_fill(rmx__input *s, rmx_err *err);
// Makes the first `size` bytes available (RMX__BLOCK or fewer), or all if the file has fewer. Call
// it before anything else is read.
rmx_status rmx__input_peek(rmx__input *s, size_t size, rmx_err *err);
typedef struct rmx__line {
  const char *data;  // until the next call
  size_t size;
  uint64_t whole;  // bytes of the line, if it was cut
  bool cut;
} rmx__line;
// Converts all bytes that were not used yet, and those that follow, from a character set by its
// name. `mark` bytes are skipped. RMX_EINPUT: the system does not know the character set.
rmx_status rmx__input_convert(rmx__input *s, const char *charset, size_t mark, rmx_err *err);
// Gives the next line, without its line feed; *more is false at the end. Of a line of more than
// `max` bytes (0: no limit) only these are given and `cut` is set, so memory is bounded for any
// file. Most lines stay where they were read; only a line longer than a block is copied.
rmx_status rmx__input_line(rmx__input *s, size_t max, rmx__line *line, bool *more, rmx_err *err);
// Puts bytes back that were used, so that they are read again before all others. *done = false: too
// many bytes were read again in this file already, and these are not.
rmx_status rmx__input_again(rmx__input *s, const char *data, size_t n, bool *done, rmx_err *err);
void rmx__input_close(rmx__input *s);

#endif
