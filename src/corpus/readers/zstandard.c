// SPDX-License-Identifier: Apache-2.0
#include <regmix/base.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "compression.h"

struct zstd {
  ZSTD_DStream *stream;
  bool between;  // two frames
};

static void *open_zstd(void) {
  struct zstd *z = rmx_calloc(1, sizeof *z);
  if (z && (z->stream = ZSTD_createDStream())) {
    ZSTD_DCtx_setParameter(z->stream, ZSTD_d_windowLogMax, 31);  // files of zstd --long need it
    return z;
  }
  free(z);
  return NULL;
}

static rmx__unpacked step_zstd(void *state, rmx__unpack *u) {
  struct zstd *z = state;
  if (z->between && u->in_left == 0) return RMX__UNPACK_BETWEEN;
  ZSTD_inBuffer in = {u->in, u->in_left, 0};
  ZSTD_outBuffer out = {u->out, u->out_left, 0};
  const size_t wants = ZSTD_decompressStream(z->stream, &out, &in);
  u->in += in.pos, u->in_left -= in.pos;
  u->out += out.pos, u->out_left -= out.pos;
  z->between = wants == 0;
  if (!ZSTD_isError(wants)) return z->between ? RMX__UNPACK_BETWEEN : RMX__UNPACK_GOES_ON;
  u->why = ZSTD_getErrorName(wants);
  if (ZSTD_getErrorCode(wants) != ZSTD_error_memory_allocation) return RMX__UNPACK_BROKEN;
  u->why =
      "its window is large, since it was made by zstd --long or --ultra: compress it without these "
      "options, or provide more memory";
  return RMX__UNPACK_NO_MEMORY;
}

static void close_zstd(void *state) {
  struct zstd *z = state;
  ZSTD_freeDStream(z->stream);
  free(z);
}

const rmx__compression rmx__zstd = {
    .name = "Zstandard",
    .suffixes = {".zst", ".zstd"},
    .magic = "\x28\xB5\x2F\xFD",
    .magic_size = 4,
    .open = open_zstd,
    .step = step_zstd,
    .close = close_zstd,
};
