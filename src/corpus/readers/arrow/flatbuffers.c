// SPDX-License-Identifier: Apache-2.0
// Reads FlatBuffers. A table begins with the distance back to its list of fields, which has the
// place of each field in the table.
// Format: google/flatbuffers, docs/source/internals.md.
#include "flatbuffers.h"

static size_t broken(struct rmx__flat *f) {
  f->broken = true;
  return 0;
}

static bool has(const struct rmx__flat *f, size_t at, size_t bytes) {
  return at <= f->size && bytes <= f->size - at;
}

int64_t rmx__flat_number_at(const struct rmx__flat *f, size_t at, unsigned bytes) {
  uint64_t x = 0;
  if (!has(f, at, bytes)) return 0;
  for (unsigned i = 0; i < bytes; i++) x |= (uint64_t)f->data[at + i] << (8 * i);
  const unsigned shift = 64 - 8 * bytes;
  return (int64_t)(x << shift) >> shift;
}

// Follows the distance at `at` to what lies after it, which has at least 4 bytes.
static size_t follow(struct rmx__flat *f, size_t at) {
  if (!has(f, at, 4)) return broken(f);
  const uint32_t distance = (uint32_t)rmx__flat_number_at(f, at, 4);
  return distance && has(f, at, distance) && has(f, at + distance, 4) ? at + distance : broken(f);
}

// The place of field i of a table, or 0.
static size_t field(struct rmx__flat *f, size_t table, unsigned i, unsigned bytes) {
  if (table == 0) return 0;
  const int64_t list = (int64_t)table - rmx__flat_number_at(f, table, 4);
  if (!has(f, table, 4) || list < 0 || !has(f, (size_t)list, 4)) return broken(f);
  const size_t size = (uint16_t)rmx__flat_number_at(f, (size_t)list, 2);
  if (size < 4 || !has(f, (size_t)list, size)) return broken(f);
  if (4 + 2 * (size_t)i + 2 > size) return 0;
  const size_t at = (uint16_t)rmx__flat_number_at(f, (size_t)list + 4 + 2 * (size_t)i, 2);
  if (at == 0) return 0;
  return has(f, table + at, bytes) ? table + at : broken(f);
}

size_t rmx__flat_root(struct rmx__flat *f) {
  return follow(f, 0);
}

int64_t rmx__flat_number(struct rmx__flat *f, size_t table, unsigned i, unsigned bytes,
                         int64_t absent) {
  const size_t at = field(f, table, i, bytes);
  return at ? rmx__flat_number_at(f, at, bytes) : absent;
}

size_t rmx__flat_table(struct rmx__flat *f, size_t table, unsigned i) {
  const size_t at = field(f, table, i, 4);
  return at ? follow(f, at) : 0;
}

size_t rmx__flat_vector(struct rmx__flat *f, size_t table, unsigned i, size_t bytes, size_t *n) {
  const size_t at = rmx__flat_table(f, table, i);
  *n = at ? (uint32_t)rmx__flat_number_at(f, at, 4) : 0;
  if (at == 0 || *n <= (f->size - at - 4) / bytes) return at ? at + 4 : 0;
  *n = 0;
  return broken(f);
}

const char *rmx__flat_string(struct rmx__flat *f, size_t table, unsigned i, size_t *size) {
  const size_t at = rmx__flat_vector(f, table, i, 1, size);
  return at ? (const char *)f->data + at : "";
}

size_t rmx__flat_element(struct rmx__flat *f, size_t first, size_t k) {
  return follow(f, first + 4 * k);
}
