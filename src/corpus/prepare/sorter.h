// SPDX-License-Identifier: Apache-2.0
// sorter.h: sorts any number of records in bounded memory.
#ifndef RMX_CORPUS_PREPARE_SORTER_H
#define RMX_CORPUS_PREPARE_SORTER_H

#include <regmix/base.h>

// A record is three numbers. The first decides, then the second, then the third.
typedef struct rmx__record {
  uint64_t key[3];
} rmx__record;

// {.folder = ...} is empty; the folder is for temporary files.
typedef struct rmx__sorter {
  const char *folder;
  rmx__record *records;  // (n) in memory
  size_t n, capacity;
  int file;  // sorted runs, one after the other; later all records in order
  bool spilled;
  struct rmx__sorted_run *runs;  // (n_runs)
  size_t n_runs;
  uint64_t total;
} rmx__sorter;
rmx_status rmx__sorter_add(rmx__sorter *s, uint64_t a, uint64_t b, uint64_t c, rmx_err *err);
// Call it after the last `add`, and before the first `read`.
rmx_status rmx__sorter_finish(rmx__sorter *s, rmx_err *err);
// Records at .. at + n - 1 of the s->total, in order.
rmx_status rmx__sorter_read(const rmx__sorter *s, uint64_t at, size_t n, rmx__record *out,
                            rmx_err *err);
void rmx__sorter_release(rmx__sorter *s);

// Reads records at .. end - 1 in order: {.sorter = s, .at = at, .end = end}.
typedef struct rmx__sorted {
  const rmx__sorter *sorter;
  uint64_t at, end;
  size_t used, n;  // of the buffer
  rmx__record buffer[512];
} rmx__sorted;
// *out is NULL at the end; else it is valid until the next call.
rmx_status rmx__sorted_next(rmx__sorted *r, const rmx__record **out, rmx_err *err);

#endif
