// SPDX-License-Identifier: Apache-2.0
// Snappy's block format: the size of the text, then elements. An element is a literal (bytes to
// copy from the input) or a copy of bytes that were written before. The two lowest bits of its
// first byte tell which.
// Format: google/snappy, format_description.txt.
#include <string.h>

#include "codec.h"

struct output {
  uint8_t *start, *at, *end;
};

// Copies n bytes from `offset` bytes before. The two may overlap: then the bytes repeat.
static bool copy_back(struct output *o, size_t offset, size_t n) {
  if (offset == 0 || offset > (size_t)(o->at - o->start) || n > (size_t)(o->end - o->at))
    return false;
  const uint8_t *from = o->at - offset;
  uint8_t *to = o->at;
  o->at += n;
  if (offset >= 16 && o->end - to >= 64) {  // n is 64 or less; what is too much is overwritten
    for (size_t i = 0; i < n; i += 16) memcpy(to + i, from + i, 16);
  } else if (offset >= n) {
    memcpy(to, from, n);
  } else {
    for (size_t i = 0; i < n; i++) to[i] = from[i];
  }
  return true;
}

static uint32_t little(const uint8_t *p, size_t n) {
  uint32_t x = 0;
  for (size_t i = 0; i < n; i++) x |= (uint32_t)p[i] << (8 * i);
  return x;
}

// Copies a literal; *p is after its first byte. Sizes above 60 follow in 1 to 4 bytes.
static bool literal(struct output *o, uint8_t tag, const uint8_t **p, const uint8_t *end) {
  size_t n = tag >> 2;
  if (n >= 60) {
    const size_t bytes = n - 59;
    if ((size_t)(end - *p) < bytes) return false;
    n = little(*p, bytes);
    *p += bytes;
  }
  n++;
  if (n > (size_t)(end - *p) || n > (size_t)(o->end - o->at)) return false;
  if (n <= 16 && end - *p >= 16 && o->end - o->at >= 16)
    memcpy(o->at, *p, 16);
  else
    memcpy(o->at, *p, n);
  *p += n;
  o->at += n;
  return true;
}

static bool element(struct output *o, const uint8_t **p, const uint8_t *end) {
  static const uint8_t extra[] = {0, 1, 2, 4};  // bytes after the first of each kind
  const uint8_t tag = *(*p)++, kind = tag & 3;
  if (kind == 0) return literal(o, tag, p, end);
  if (end - *p < extra[kind]) return false;
  uint32_t offset = little(*p, extra[kind]);
  *p += extra[kind];
  if (kind == 1) return copy_back(o, offset | (uint32_t)(tag >> 5) << 8, 4 + ((tag >> 2) & 7));
  return copy_back(o, offset, 1 + (size_t)(tag >> 2));
}

const char *rmx__snappy(const uint8_t *from, size_t n, uint8_t *to, size_t size) {
  const uint8_t *p = from, *end = from + n;
  uint64_t stated = 0;
  int shift = 0;
  do {
    if (p == end || shift > 28) return "its size is missing";
    stated |= (uint64_t)(*p & 127) << shift;
    shift += 7;
  } while (*p++ & 128);
  if (stated != size) return "it states another size than its header";
  struct output o = {to, to, to + size};
  while (p < end)
    if (!element(&o, &p, end)) return "an element reaches out of the block";
  return o.at == o.end ? NULL : "it ends too early";
}
