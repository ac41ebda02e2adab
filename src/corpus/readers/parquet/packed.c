// SPDX-License-Identifier: Apache-2.0
// Unpacks whole numbers.
// Format: apache/parquet-format, Encodings.md.
#include "packed.h"

#include <string.h>

// `width` bits (up to 64) from bit `bit` of p, which ends at `end`; bits after the end are 0.
static uint64_t bits_at(const uint8_t *p, const uint8_t *end, uint64_t bit, unsigned width) {
  uint8_t bytes[16] = {0};
  const uint64_t first = bit / 8, have = (uint64_t)(end - p);
  if (width == 0 || first >= have) return 0;
  memcpy(bytes, p + first, have - first < 9 ? have - first : 9);
  uint64_t low = 0;
  for (int i = 0; i < 8; i++) low |= (uint64_t)bytes[i] << (8 * i);
  const unsigned shift = bit % 8;
  low = low >> shift | (shift ? (uint64_t)bytes[8] << (64 - shift) : 0);
  return width == 64 ? low : low & ((UINT64_C(1) << width) - 1);
}

static bool varint(const uint8_t **p, const uint8_t *end, uint64_t *out) {
  *out = 0;
  for (int shift = 0; shift < 64 && *p < end; shift += 7) {
    const uint8_t b = *(*p)++;
    *out |= (uint64_t)(b & 127) << shift;
    if (!(b & 128)) return true;
  }
  return false;
}

// ---- runs ---------------------------------------------------------------------------------

struct rmx__runs rmx__runs_make(const void *data, size_t size, unsigned width) {
  return (struct rmx__runs){.at = data, .end = (const uint8_t *)data + size, .width = width};
}

static bool next_run(struct rmx__runs *r) {
  uint64_t head;
  if (r->width > 32 || !varint(&r->at, r->end, &head)) return false;
  const uint64_t room = (uint64_t)(r->end - r->at);
  r->packed = head & 1;
  head >>= 1;
  if (r->packed) {  // groups of 8; the last one may be cut off
    if (head > UINT32_MAX / 8) return false;
    uint64_t bytes = head * r->width, numbers = head * 8;
    if (bytes > room) {
      bytes = room;
      numbers = room * 8 / r->width;
    }
    r->packs = r->at;
    r->bit = 0;
    r->at += bytes;
    r->left = (uint32_t)numbers;
    return r->left > 0;
  }
  const unsigned bytes = (r->width + 7) / 8;
  if (head > UINT32_MAX || bytes > room) return false;
  r->value = 0;
  for (unsigned i = 0; i < bytes; i++) r->value |= (uint32_t)*r->at++ << (8 * i);
  r->left = (uint32_t)head;
  return r->left > 0;
}

bool rmx__runs_next(struct rmx__runs *r, uint32_t *value) {
  if (r->left == 0 && !next_run(r)) return false;
  r->left--;
  if (r->packed) {
    *value = (uint32_t)bits_at(r->packs, r->end, r->bit, r->width);
    r->bit += r->width;
  } else {
    *value = r->value;
  }
  return true;
}

// ---- differences ----------------------------------------------------------------------------

static bool zigzag(const uint8_t **p, const uint8_t *end, uint64_t *out) {
  uint64_t x;
  if (!varint(p, end, &x)) return false;
  *out = (x >> 1) ^ -(x & 1);
  return true;
}

bool rmx__deltas_make(struct rmx__deltas *d, const uint8_t *data, const uint8_t *end) {
  enum { MOST = 1 << 20 };
  uint64_t block;
  *d = (struct rmx__deltas){.at = data, .end = end, .first = true};
  if (!varint(&d->at, end, &block) || !varint(&d->at, end, &d->minis) ||
      !varint(&d->at, end, &d->left) || !zigzag(&d->at, end, &d->value))
    return false;
  if (block == 0 || block > MOST || d->minis == 0 || block % d->minis) return false;
  d->each = block / d->minis;
  d->mini = d->minis;  // a block begins
  d->used = d->each;
  return d->each % 8 == 0;
}

// Moves to the next miniblock.
static bool next_mini(struct rmx__deltas *d) {
  if (d->mini < d->minis) d->mini++;
  if (d->mini >= d->minis) {
    if (!zigzag(&d->at, d->end, &d->least) || d->minis > (uint64_t)(d->end - d->at)) return false;
    d->widths = d->at;
    d->at += d->minis;
    d->mini = 0;
  }
  const uint64_t width = d->widths[d->mini], bytes = width * d->each / 8;
  if (width > 64 || bytes > (uint64_t)(d->end - d->at)) return false;
  d->packs = d->at;
  d->at += bytes;
  d->used = 0;
  return true;
}

bool rmx__deltas_next(struct rmx__deltas *d, int64_t *value) {
  if (d->left == 0) return false;
  if (!d->first) {
    if (d->used == d->each && !next_mini(d)) return false;
    const unsigned width = d->widths[d->mini];
    d->value += d->least + bits_at(d->packs, d->end, d->used++ * width, width);
  }
  d->first = false;
  d->left--;
  *value = (int64_t)d->value;
  return true;
}

const uint8_t *rmx__deltas_end(const struct rmx__deltas *d) {
  struct rmx__deltas copy = *d;
  if (copy.left && copy.first) copy.left--;
  while (copy.left) {
    const uint64_t ready = copy.each - copy.used;
    const uint64_t n = copy.left < ready ? copy.left : ready;
    copy.used += n;
    copy.left -= n;
    if (copy.left && !next_mini(&copy)) return NULL;
  }
  return copy.at;
}
