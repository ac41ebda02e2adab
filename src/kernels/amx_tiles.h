// SPDX-License-Identifier: Apache-2.0
// amx_tiles.h: the six instructions on tiles that amx.inc.h uses: of the processor, or with
// AMX_EMULATED in C, so that the code around them runs where they are not.
//
// A tile is 16 rows of 64 bytes, in the emulation as in the configuration that we load. Numbers are
// those of the Intel manual's pseudo-code of TDPBF16PS: denormal operands count as zeros, even and
// odd depths are summed apart from zero on, their sum is added to the tile, and denormal results
// are zeros. (What an actual processor does with the order of sums within one instruction is its
// own affair; nothing here depends on it.)
#ifndef RMX_KERNELS_AMX_TILES_H
#define RMX_KERNELS_AMX_TILES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "bf16.h"

// What LDTILECFG reads: palette 1, rows and bytes a row of each of eight tiles.
struct rmx__tile_config {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
};

#ifndef AMX_EMULATED
#include <immintrin.h>

#define TILE_CONFIGURE(config) _tile_loadconfig(config)
#define TILE_RELEASE() _tile_release()
#define TILE_ZERO(t) _tile_zero(t)
// GCC 12 does not know that the instruction reads memory: what was written must have been before
// it.
#define TILE_LOAD(t, from, bytes)      \
  do {                                 \
    __asm__ volatile("" ::: "memory"); \
    _tile_loadd(t, from, bytes);       \
  } while (0)
#define TILE_STORE(t, to, bytes) _tile_stored(t, to, bytes)
#define TILE_MULTIPLY_ADD(c, a, b) _tile_dpbf16ps(c, a, b)
#define STREAM(to, words) _mm512_stream_si512((__m512i *)(void *)(to), (__m512i)(words))
#define STREAM_END() _mm_sfence()

#else

// Each thread has tiles of its own, and none before it has configured them: their use is then an
// exception, here a trap.
static _Thread_local struct {
  bool configured;
  unsigned char row[8][16][64];
} emulated;

static inline void emulated_configure(const struct rmx__tile_config *c) {
  if (c->palette != 1 || c->start_row != 0) __builtin_trap();
  for (int t = 0; t < 8; t++)
    if (c->rows[t] != 16 || c->row_bytes[t] != 64) __builtin_trap();
  memset(&emulated, 0, sizeof emulated);
  emulated.configured = true;
}
static inline void emulated_release(void) {
  emulated.configured = false;
}
static inline void emulated_check(void) {
  if (!emulated.configured) __builtin_trap();
}
static inline void emulated_load(int t, const void *from, size_t bytes) {
  emulated_check();
  for (size_t r = 0; r < 16; r++) memcpy(emulated.row[t][r], (const char *)from + r * bytes, 64);
}
static inline void emulated_store(int t, void *to, size_t bytes) {
  emulated_check();
  for (size_t r = 0; r < 16; r++) memcpy((char *)to + r * bytes, emulated.row[t][r], 64);
}
static inline float emulated_flush(float x) {
  return fabsf(x) < 0x1p-126f ? copysignf(0, x) : x;
}
static inline void emulated_multiply_add(int c, int a, int b) {
  emulated_check();
  for (size_t m = 0; m < 16; m++) {
    float even[16] = {0}, odd[16] = {0}, sums[16];
    for (size_t k = 0; k < 16; k++) {
      uint32_t x, row[16];
      memcpy(&x, emulated.row[a][m] + 4 * k, sizeof x);
      memcpy(row, emulated.row[b][k], sizeof row);
      const float x0 = emulated_flush(rmx__bf16_value((uint16_t)x));
      const float x1 = emulated_flush(rmx__bf16_value((uint16_t)(x >> 16)));
      for (size_t n = 0; n < 16; n++) {
        // Products of two bfloat16 are exact: fused or not makes no difference.
        even[n] = emulated_flush(even[n] + x0 * emulated_flush(rmx__bf16_value((uint16_t)row[n])));
        odd[n] =
            emulated_flush(odd[n] + x1 * emulated_flush(rmx__bf16_value((uint16_t)(row[n] >> 16))));
      }
    }
    memcpy(sums, emulated.row[c][m], sizeof sums);
    for (size_t n = 0; n < 16; n++)
      sums[n] = emulated_flush(sums[n] + emulated_flush(even[n] + odd[n]));
    memcpy(emulated.row[c][m], sums, sizeof sums);
  }
}

#define TILE_CONFIGURE(config) emulated_configure(config)
#define TILE_RELEASE() emulated_release()
#define TILE_ZERO(t) (emulated_check(), memset(emulated.row[t], 0, sizeof emulated.row[t]))
#define TILE_LOAD(t, from, bytes) emulated_load(t, from, bytes)
#define TILE_STORE(t, to, bytes) emulated_store(t, to, bytes)
#define TILE_MULTIPLY_ADD(c, a, b) emulated_multiply_add(c, a, b)
#define STREAM_END()
#endif

#endif
