// SPDX-License-Identifier: Apache-2.0
#include "compression.h"

#ifdef REGMIX_BZ2
#include <bzlib.h>
#include <regmix/base.h>
#include <stdlib.h>

struct bzip2 {
  bz_stream z;
  bool inside;  // of a stream
};

static void *open_bzip2(void) {
  return rmx_calloc(1, sizeof(struct bzip2));
}

static rmx__unpacked step_bzip2(void *state, rmx__unpack *u) {
  struct bzip2 *b = state;
  if (!b->inside && u->in_left == 0) return RMX__UNPACK_BETWEEN;
  u->why = "no memory";
  if (!b->inside && BZ2_bzDecompressInit(&b->z, 0, 0) != BZ_OK) return RMX__UNPACK_NO_MEMORY;
  b->inside = true;
  b->z.next_in = (char *)u->in;
  b->z.avail_in = (unsigned)u->in_left;
  b->z.next_out = (char *)u->out;
  b->z.avail_out = (unsigned)u->out_left;
  const int code = BZ2_bzDecompress(&b->z);
  u->in = (const uint8_t *)b->z.next_in;
  u->in_left = b->z.avail_in;
  u->out = (uint8_t *)b->z.next_out;
  u->out_left = b->z.avail_out;
  if (code == BZ_OK) return RMX__UNPACK_GOES_ON;
  BZ2_bzDecompressEnd(&b->z);
  b->inside = false;
  if (code == BZ_STREAM_END) return RMX__UNPACK_BETWEEN;
  u->why = code == BZ_DATA_ERROR_MAGIC ? "it has bytes that are not bzip2" : "its data are damaged";
  return code == BZ_MEM_ERROR ? RMX__UNPACK_NO_MEMORY : RMX__UNPACK_BROKEN;
}

static void close_bzip2(void *state) {
  struct bzip2 *b = state;
  if (b->inside) BZ2_bzDecompressEnd(&b->z);
  free(b);
}
#endif

const rmx__compression rmx__bzip2 = {
    .name = "bzip2",
    .suffixes = {".bz2"},
    .magic = "BZh",
    .magic_size = 3,
#ifdef REGMIX_BZ2
    .open = open_bzip2,
    .step = step_bzip2,
    .close = close_bzip2,
#else
    .library = "libbz2",
#endif
};
