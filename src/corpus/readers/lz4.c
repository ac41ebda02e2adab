// SPDX-License-Identifier: Apache-2.0
// The frame format of lz4, which the program of this name writes.
#include "compression.h"

#ifdef REGMIX_LZ4
#include <lz4frame.h>
#include <regmix/base.h>
#include <stdlib.h>

struct lz4 {
  LZ4F_dctx *stream;
  bool inside;  // of a frame
};

static void *open_lz4(void) {
  struct lz4 *l = rmx_calloc(1, sizeof *l);
  if (l && !LZ4F_isError(LZ4F_createDecompressionContext(&l->stream, LZ4F_VERSION))) return l;
  free(l);
  return NULL;
}

static rmx__unpacked step_lz4(void *state, rmx__unpack *u) {
  struct lz4 *l = state;
  if (!l->inside && u->in_left == 0) return RMX__UNPACK_BETWEEN;
  size_t in = u->in_left, out = u->out_left;
  const size_t wants = LZ4F_decompress(l->stream, u->out, &out, u->in, &in, NULL);
  u->why = LZ4F_getErrorName(wants);
  if (LZ4F_isError(wants)) return RMX__UNPACK_BROKEN;
  u->in += in, u->in_left -= in;
  u->out += out, u->out_left -= out;
  l->inside = wants != 0;
  return l->inside ? RMX__UNPACK_GOES_ON : RMX__UNPACK_BETWEEN;
}

static void close_lz4(void *state) {
  struct lz4 *l = state;
  LZ4F_freeDecompressionContext(l->stream);
  free(l);
}
#endif

const rmx__compression rmx__lz4 = {
    .name = "lz4",
    .suffixes = {".lz4"},
    .magic = "\x04\x22\x4D\x18",
    .magic_size = 4,
#ifdef REGMIX_LZ4
    .open = open_lz4,
    .step = step_lz4,
    .close = close_lz4,
#else
    .library = "liblz4",
#endif
};
