// SPDX-License-Identifier: Apache-2.0
// packed.h: whole numbers as Parquet packs them: runs (levels, indices of a dictionary) and
// differences (lengths of strings). The numbers are unpacked one by one, so a stated count costs no
// memory.
#ifndef RMX_CORPUS_READERS_PARQUET_PACKED_H
#define RMX_CORPUS_READERS_PARQUET_PACKED_H

#include <regmix/base.h>

// RLE/bit-packed hybrid: runs of one value, and runs of packed values.
struct rmx__runs {
  const uint8_t *at, *end;
  unsigned width;  // bits of a number, up to 32
  uint32_t left;   // numbers of the present run
  bool packed;
  uint32_t value;        // of a run of one value
  const uint8_t *packs;  // of a packed run
  uint64_t bit;          // of the next number in it
};
struct rmx__runs rmx__runs_make(const void *data, size_t size, unsigned width);
// False: there are no more numbers, or the bytes are broken.
bool rmx__runs_next(struct rmx__runs *r, uint32_t *value);

// Delta binary packing: a first value, then blocks of differences.
struct rmx__deltas {
  const uint8_t *at, *end;
  uint64_t left;   // numbers
  uint64_t minis;  // miniblocks of a block
  uint64_t each;   // numbers of a miniblock
  uint64_t value;  // the last one; sums wrap
  bool first;
  uint64_t least;         // difference of the present block
  const uint8_t *widths;  // (minis)
  uint64_t mini, used;    // the present miniblock, and numbers of it that were used
  const uint8_t *packs;   // of the present miniblock
};
// False: the bytes are broken.
bool rmx__deltas_make(struct rmx__deltas *d, const uint8_t *data, const uint8_t *end);
bool rmx__deltas_next(struct rmx__deltas *d, int64_t *value);
// The first byte after all numbers, or NULL. It leaves d as it is.
const uint8_t *rmx__deltas_end(const struct rmx__deltas *d);

#endif
