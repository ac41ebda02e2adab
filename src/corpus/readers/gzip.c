// SPDX-License-Identifier: Apache-2.0
#include <regmix/base.h>
#include <stdlib.h>
#include <zlib.h>

#include "compression.h"

struct gzip {
  z_stream z;
  bool inside;  // of a member
};

static void *open_gzip(void) {
  struct gzip *g = rmx_calloc(1, sizeof *g);
  if (g && inflateInit2(&g->z, 16 + MAX_WBITS) == Z_OK) return g;  // 16: only gzip headers
  free(g);
  return NULL;
}

static rmx__unpacked step_gzip(void *state, rmx__unpack *u) {
  struct gzip *g = state;
  g->z.next_in = (Bytef *)u->in;
  g->z.avail_in = (uInt)u->in_left;
  g->z.next_out = u->out;
  g->z.avail_out = (uInt)u->out_left;
  g->inside = g->inside || u->in_left > 0;
  int code = g->inside ? inflate(&g->z, Z_NO_FLUSH) : Z_OK;
  if (code == Z_STREAM_END) {
    g->inside = false;
    code = inflateReset(&g->z);
  }
  u->in = g->z.next_in;
  u->in_left = g->z.avail_in;
  u->out = g->z.next_out;
  u->out_left = g->z.avail_out;
  u->why = g->z.msg ? g->z.msg : "unknown reason";
  if (code != Z_OK && code != Z_BUF_ERROR) return RMX__UNPACK_BROKEN;
  return g->inside ? RMX__UNPACK_GOES_ON : RMX__UNPACK_BETWEEN;
}

static void close_gzip(void *state) {
  struct gzip *g = state;
  inflateEnd(&g->z);
  free(g);
}

const rmx__compression rmx__gzip = {
    .name = "gzip",
    .suffixes = {".gz"},
    .magic = "\x1F\x8B",
    .magic_size = 2,
    .open = open_gzip,
    .step = step_gzip,
    .close = close_gzip,
};
