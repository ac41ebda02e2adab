// SPDX-License-Identifier: Apache-2.0
#include "records.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum { BLOCK = 32768, HEADER = 7 };  // of LevelDB: a block, and the header of a piece

// By half bytes.
uint32_t rmx__crc32c(const void *data, size_t size) {
  static const uint32_t half[16] = {0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1,
                                    0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
                                    0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9,
                                    0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75};
  uint32_t crc = ~0u;
  for (const uint8_t *p = data, *end = p + size; p < end; p++) {
    crc ^= *p;
    crc = crc >> 4 ^ half[crc & 15];
    crc = crc >> 4 ^ half[crc & 15];
  }
  return ~crc;
}

static uint64_t little_endian(const uint8_t *p, size_t bytes) {
  uint64_t x = 0;
  for (size_t i = 0; i < bytes; i++) x |= (uint64_t)p[i] << 8 * i;
  return x;
}

rmx_status rmx__records_open(rmx__records *r, const char *path, rmx_err *err) {
  struct stat info;
  *r = (rmx__records){.path = path, .file = rmx_fopen(path, "rb")};
  if (!r->file || fstat(fileno(r->file), &info) != 0)
    return rmx_fail_errno(err, "cannot open %s", path);
  if (!S_ISREG(info.st_mode)) return rmx_fail(err, RMX_EINPUT, "%s: not a regular file", path);
  r->size = (uint64_t)info.st_size;
  return RMX_OK;
}

void rmx__records_close(rmx__records *r) {
  if (r->file) fclose(r->file);
  rmx_buf_release(&r->data);
  *r = (rmx__records){0};
}

// Appends bytes of the file to the record. False: the file has fewer.
static bool take(rmx__records *r, uint64_t bytes) {
  char block[8192];
  if (bytes > r->size - r->at) return false;
  for (uint64_t left = bytes; left > 0;) {
    const size_t n = left < sizeof block ? (size_t)left : sizeof block;
    if (fread(block, 1, n, r->file) != n) return false;
    rmx_buf_add(&r->data, block, n);
    left -= n;
  }
  r->at += bytes;
  return true;
}

static rmx_status damaged(const rmx__records *r, uint64_t at, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT,
                  "%s: the record at byte %llu is damaged: its checksum is another one", r->path,
                  (unsigned long long)at);
}

static uint32_t masked(uint32_t crc) {
  return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

// length (8 bytes), its checksum (4), data, their checksum (4)
rmx_status rmx__records_next_tf(rmx__records *r, bool *more, rmx_err *err) {
  const uint64_t from = r->at;
  r->data.size = 0;
  *more = false;
  if (r->at == r->size) return RMX_OK;
  r->cut = true;
  if (!take(r, 12)) return RMX_OK;
  const uint8_t *head = (const uint8_t *)r->data.data;
  const uint64_t length = little_endian(head, 8);
  if (masked(rmx__crc32c(head, 8)) != little_endian(head + 8, 4)) return damaged(r, from, err);
  r->data.size = 0;
  if (length > r->size - r->at || r->size - r->at - length < 4) return RMX_OK;
  if (!take(r, length + 4)) return RMX_OK;
  if (r->data.failed) return rmx_fail_memory(err, (size_t)length, r->path);
  r->cut = false;
  r->data.size = (size_t)length;
  const uint8_t *data = (const uint8_t *)r->data.data;
  if (masked(rmx__crc32c(data, r->data.size)) != little_endian(data + length, 4))
    return damaged(r, from, err);
  return *more = true, RMX_OK;
}

// A piece of a record: checksum (4), length (2), type (1), data. *type 0: the file ends.
static rmx_status next_piece(rmx__records *r, unsigned *type, rmx_err *err) {
  enum { TYPE = 6 };
  const uint64_t left = BLOCK - r->at % BLOCK, from = r->at;
  const size_t had = r->data.size;
  *type = 0;
  if (left < HEADER && !take(r, left)) return RMX_OK;  // zeros at the end of a block
  r->data.size = had;
  if (!take(r, HEADER)) return RMX_OK;
  if (r->data.failed) return rmx_fail_memory(err, HEADER, r->path);
  uint8_t head[HEADER];
  memcpy(head, r->data.data + had, HEADER);
  const size_t length = (size_t)little_endian(head + 4, 2);
  r->data.size = had;
  if (!take(r, length)) return RMX_OK;
  if (r->data.failed) return rmx_fail_memory(err, length, r->path);
  uint32_t crc = (uint32_t)crc32(0, head + TYPE, 1);
  if (length) crc = (uint32_t)crc32(crc, (const Bytef *)r->data.data + had, (uInt)length);
  if (crc != little_endian(head, 4) || head[TYPE] < 1 || head[TYPE] > 4)
    return damaged(r, from, err);
  *type = head[TYPE];
  return RMX_OK;
}

rmx_status rmx__records_next_leveldb(rmx__records *r, bool *more, rmx_err *err) {
  enum { FULL = 1, FIRST, MIDDLE, LAST };
  unsigned type;
  r->data.size = 0;
  *more = false;
  if (r->at == r->size) return RMX_OK;
  r->cut = true;
  for (bool first = true;; first = false) {
    const uint64_t from = r->at;
    RMX_TRY(next_piece(r, &type, err));
    if (type == 0) return RMX_OK;
    if (first != (type == FULL || type == FIRST)) return damaged(r, from, err);
    if (type == FULL || type == LAST) break;
  }
  r->cut = false;
  return *more = true, RMX_OK;
}
