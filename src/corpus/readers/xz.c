// SPDX-License-Identifier: Apache-2.0
#include "compression.h"

#ifdef REGMIX_LZMA
#include <lzma.h>
#include <regmix/base.h>
#include <stdlib.h>

enum { MOST_MEMORY = 1 << 29 };  // a file says how much its decoder needs; xz -9: 65 MiB

struct xz {
  lzma_stream z;
  bool over;  // the last stream has ended
};

static void *open_xz(void) {
  struct xz *x = rmx_calloc(1, sizeof *x);
  if (x && lzma_stream_decoder(&x->z, MOST_MEMORY, LZMA_CONCATENATED) == LZMA_OK) return x;
  free(x);
  return NULL;
}

static rmx__unpacked step_xz(void *state, rmx__unpack *u) {
  struct xz *x = state;
  if (x->over) return RMX__UNPACK_BETWEEN;
  x->z.next_in = u->in;
  x->z.avail_in = u->in_left;
  x->z.next_out = u->out;
  x->z.avail_out = u->out_left;
  const lzma_ret code = lzma_code(&x->z, u->last ? LZMA_FINISH : LZMA_RUN);
  u->in = x->z.next_in;
  u->in_left = x->z.avail_in;
  u->out = x->z.next_out;
  u->out_left = x->z.avail_out;
  x->over = code == LZMA_STREAM_END;
  if (x->over) return RMX__UNPACK_BETWEEN;
  if (code == LZMA_OK || code == LZMA_BUF_ERROR) return RMX__UNPACK_GOES_ON;
  u->why = code == LZMA_OPTIONS_ERROR  ? "it has options that liblzma does not know"
           : code == LZMA_FORMAT_ERROR ? "it has bytes that are not xz"
                                       : "its data are damaged";
  if (code != LZMA_MEM_ERROR && code != LZMA_MEMLIMIT_ERROR) return RMX__UNPACK_BROKEN;
  u->why = code == LZMA_MEM_ERROR
               ? "xz needs more of it"
               : "its dictionary needs more than 512 MiB; compress it with xz -9 "
                 "or less";
  return RMX__UNPACK_NO_MEMORY;
}

static void close_xz(void *state) {
  struct xz *x = state;
  lzma_end(&x->z);
  free(x);
}
#endif

const rmx__compression rmx__xz = {
    .name = "xz",
    .suffixes = {".xz"},
    .magic = "\xFD\x37\x7A\x58\x5A\x00",
    .magic_size = 6,
#ifdef REGMIX_LZMA
    .open = open_xz,
    .step = step_xz,
    .close = close_xz,
#else
    .library = "liblzma",
#endif
};
