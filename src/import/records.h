// SPDX-License-Identifier: Apache-2.0
// records.h: the records of binary logs, with their checksums: event files of TensorBoard
// (TFRecord) and .wandb files (the log format of LevelDB).
#ifndef RMX_IMPORT_RECORDS_H
#define RMX_IMPORT_RECORDS_H

#include <regmix/base.h>

typedef struct rmx__records {
  const char *path;  // borrowed
  FILE *file;
  rmx_buf data;  // the present record
  uint64_t at;   // bytes of the file before it
  uint64_t size;
  bool cut;  // the file ends inside a record: its writer was stopped, or goes on
} rmx__records;

// Opens a file. Close it in any case.
rmx_status rmx__records_open(rmx__records *r, const char *path, rmx_err *err);
void rmx__records_close(rmx__records *r);
// Reads the next record into r->data; *more is false at the end. RMX_EINPUT: a checksum is wrong.
rmx_status rmx__records_next_tf(rmx__records *r, bool *more, rmx_err *err);
rmx_status rmx__records_next_leveldb(rmx__records *r, bool *more, rmx_err *err);

// CRC-32C (Castagnoli).
uint32_t rmx__crc32c(const void *data, size_t size);

#endif
