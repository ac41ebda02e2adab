// SPDX-License-Identifier: Apache-2.0
// amx.inc.h: products by the tiles of AMX (TDPBF16PS), the rest by vectors of sixteen. amx.c is
// this with the instructions, amx_emulated.c with their emulation; amx_tiles.h has both.
//
// A block of C is 2 x 2 tiles of 16 x 16 sums; a step takes two tiles of A and two of B, 32 deep,
// and multiplies each with each, so that every tile loaded is used twice. Panels of bf16.inc.h are
// tiles as they lie: rows of A are words along the depth, rows of B words of one depth.
//
// A thread has tiles between begin_tiles and end_tiles only, so that the system need not save 8 KB
// of them whenever it takes another thread.
#define VEC_BYTES 64
#define MR 32
#define BF16
#define BEGIN begin_tiles
#define END end_tiles
#define HEAD_BLOCK head_block

struct rmx__exponentials;
static void begin_tiles(void);
static void end_tiles(void);
static void head_block(size_t rows, size_t depth, const float *a, const float *b, float *logits,
                       const struct rmx__exponentials *of);
#include "amx_tiles.h"
#include "vector.inc.h"

static const struct rmx__tile_config all_tiles = {
    .palette = 1,
    .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
    .rows = {16, 16, 16, 16, 16, 16, 16, 16},
};

static void begin_tiles(void) {
  TILE_CONFIGURE(&all_tiles);
}
static void end_tiles(void) {
  STREAM_END();
  TILE_RELEASE();
}

INLINE void zero_sums(void) {
  TILE_ZERO(0);
  TILE_ZERO(1);
  TILE_ZERO(2);
  TILE_ZERO(3);
}
INLINE void store_sums(bool both, float *to, size_t ld) {
  const size_t bytes = ld * sizeof *to;
  TILE_STORE(0, to, bytes);
  TILE_STORE(1, to + 16, bytes);
  if (!both) return;
  TILE_STORE(2, to + 16 * ld, bytes);
  TILE_STORE(3, to + 16 * ld + 16, bytes);
}

// Tiles 0 to 3 += A B, 2 x 2 of them, over one tile of depth; with one row of tiles 0 and 1
// only.
INLINE void multiply_add_step(bool both, const float *a, size_t a_row, const float *b) {
  const size_t a_bytes = a_row * sizeof *a, b_bytes = NR * sizeof *b;
  TILE_LOAD(6, b, b_bytes);
  TILE_LOAD(7, b + 16, b_bytes);
  TILE_LOAD(4, a, a_bytes);
  TILE_MULTIPLY_ADD(0, 4, 6);
  TILE_MULTIPLY_ADD(1, 4, 7);
  if (!both) return;
  TILE_LOAD(5, a + 16 * a_row, a_bytes);
  TILE_MULTIPLY_ADD(2, 5, 6);
  TILE_MULTIPLY_ADD(3, 5, 7);
}

// The same over K words. Panels are as deep as a tile or a multiple of it, and as high and wide as
// two; what lies in rows and columns that are not there meets sums that nobody reads. Meanwhile the
// rows of C that come next, from `next` on, are asked of memory: without that, the tiles wait for
// them. Rows that are no farther apart than a block is wide lie in the first cache already.
INLINE void multiply_add_panels(bool both, size_t K, const float *a, size_t a_row, const float *b,
                                const float *next, size_t ldc) {
  const size_t each = ldc > NR ? (16 * MR + K - 1) / K : 0;
  for (size_t k = 0; k < K; k += 16, a += 16, b += 16 * NR) {
    for (size_t r = 0; r < each; r++, next += ldc) {
      __builtin_prefetch(next, 1);
      __builtin_prefetch(next + 16, 1);
    }
    multiply_add_step(both, a, a_row, b);
  }
}

CALLED void micro_kernel(size_t m, size_t n, size_t K, const float *a, size_t a_row, size_t a_k,
                         const float *b, float *c, size_t ldc, bool accumulate) {
  float corner[MR * NR] __attribute__((aligned(64)));  // where the block is no whole one
  const bool both = m > 16, whole = m == MR && n == NR;
  float *to = whole ? c : corner;
  const size_t ld = whole ? ldc : NR, bytes = ld * sizeof *to;
  (void)a_k;
  if (accumulate) {
    if (!whole) {
      memset(corner, 0, sizeof corner);
      for (size_t i = 0; i < m; i++) memcpy(corner + i * NR, c + i * ldc, n * sizeof *c);
    }
    TILE_LOAD(0, to, bytes);
    TILE_LOAD(1, to + 16, bytes);
    if (both) {
      TILE_LOAD(2, to + 16 * ld, bytes);
      TILE_LOAD(3, to + 16 * ld + 16, bytes);
    }
  } else {
    zero_sums();
  }
  if (both)
    multiply_add_panels(true, K, a, a_row, b, c + MR * ldc, ldc);
  else
    multiply_add_panels(false, K, a, a_row, b, c + MR * ldc, ldc);
  store_sums(both, to, ld);
  if (!whole)
    for (size_t i = 0; i < m; i++) memcpy(c + i * ldc, corner + i * NR, n * sizeof *c);
}

// Whole tiles, and after each step of four products, which keep the tiles busy for 64 cycles, as
// many exponentials as it takes to be through when they are. No register of tiles is free for a
// step to begin before the last has: what is to be done meanwhile must lie between them.
CALLED void head_block(size_t rows, size_t depth, const float *a, const float *b, float *logits,
                       const struct rmx__exponentials *of) {
  const size_t steps = (rows + MR - 1) / MR * (depth / 16);
  const struct rmx__exponentials x = *of;
  const size_t each = ((x.rows + 1) / 2 + steps - 1) / steps;
  const vf base[2] = {load(x.shift) * LOG2E, load(x.shift + VL) * LOG2E};
  vf sums[2] = {load(x.sums), load(x.sums + VL)};
  size_t v = 0;
  for (size_t i = 0; i < rows; i += MR, a += MR * depth, logits += MR * NR) {
    zero_sums();
    for (size_t k = 0; k < depth; k += 16) {
      multiply_add_step(true, a + k, depth, b + k * NR);
      for (size_t j = 0; j < each && v < x.rows; j++, v += 2)
        exponentials_of_two(&x, v, base, sums);
    }
    store_sums(true, logits, NR);
  }
  exponentials_end(&x);
  store(x.sums, sums[0]);
  store(x.sums + VL, sums[1]);
}

// Four sums, so that none waits for the last of its own; the tiles of A and B stay where they
// are.
static double peak(size_t n, float *out) {
  float block[256] __attribute__((aligned(64)));
  n = n / 16 + 1;  // a round takes as long as sixteen of the vectors'
  for (size_t i = 0; i < 256; i += VL)
    store_words(block + i, words_along(splat(*out), splat(*out)));
  begin_tiles();
  TILE_LOAD(4, block, 64);
  TILE_LOAD(5, block, 64);
  TILE_LOAD(6, block, 64);
  TILE_LOAD(7, block, 64);
  zero_sums();
  for (size_t k = 0; k < n; k++) {
    TILE_MULTIPLY_ADD(0, 4, 6);
    TILE_MULTIPLY_ADD(1, 4, 7);
    TILE_MULTIPLY_ADD(2, 5, 6);
    TILE_MULTIPLY_ADD(3, 5, 7);
  }
  float all = 0;
  TILE_STORE(0, block, 64);
  for (size_t i = 0; i < 256; i++) all += block[i];
  TILE_STORE(1, block, 64);
  for (size_t i = 0; i < 256; i++) all += block[i];
  TILE_STORE(2, block, 64);
  for (size_t i = 0; i < 256; i++) all += block[i];
  TILE_STORE(3, block, 64);
  for (size_t i = 0; i < 256; i++) all += block[i];
  end_tiles();
  *out = all;
  return 4 * 2.0 * 16 * 16 * 32 * (double)n;
}
