// SPDX-License-Identifier: Apache-2.0
// flatbuffers.h: reads FlatBuffers, in which Arrow writes its metadata. A table is its position; 0
// is no table. Every position is checked, and a broken one sets `broken` and reads as absent.
#ifndef RMX_CORPUS_READERS_ARROW_FLATBUFFERS_H
#define RMX_CORPUS_READERS_ARROW_FLATBUFFERS_H

#include <regmix/base.h>

struct rmx__flat {
  const uint8_t *data;
  size_t size;
  bool broken;
};

size_t rmx__flat_root(struct rmx__flat *f);
// A number of `bytes` (1, 2, 4, 8) in field `i` of a table, with its sign, or `absent`.
int64_t rmx__flat_number(struct rmx__flat *f, size_t table, unsigned i, unsigned bytes,
                         int64_t absent);
size_t rmx__flat_table(struct rmx__flat *f, size_t table, unsigned i);
const char *rmx__flat_string(struct rmx__flat *f, size_t table, unsigned i, size_t *size);
// The first of the n elements, which have the given size. An absent vector has no elements.
size_t rmx__flat_vector(struct rmx__flat *f, size_t table, unsigned i, size_t bytes, size_t *n);
// Table k of a vector of tables that begins at `first`.
size_t rmx__flat_element(struct rmx__flat *f, size_t first, size_t k);
// A number of a struct in a vector, whose place is known.
int64_t rmx__flat_number_at(const struct rmx__flat *f, size_t at, unsigned bytes);

#endif
