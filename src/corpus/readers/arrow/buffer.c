// SPDX-License-Identifier: Apache-2.0
// Reads the buffers of a batch.
#include "buffer.h"

enum { WINDOW = 1 << 18, MOST = 1 << 30 };  // bytes of a window, and of a compressed buffer

rmx_status rmx__arrow_broken(const struct rmx__arrow_source *s, const char *what, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT, "%s: broken Arrow file: %s", s->file.path, what);
}

rmx_status rmx__arrow_buffer_begin(rmx__arrow_buffer *b, struct rmx__arrow_source *s, uint64_t at,
                                   uint64_t n, rmx_err *err) {
  uint8_t head[8];
  *b = (rmx__arrow_buffer){.at = at, .size = n, .block = b->block};
  b->block.size = 0;
  if (s->codec == RMX__CODEC_NONE || n == 0) return RMX_OK;
  if (n < sizeof head) return rmx__arrow_broken(s, "a compressed buffer has no size", err);
  RMX_TRY(rmx__random_access_read(&s->file, at, head, sizeof head, err));
  const uint64_t size = rmx__u64_at(head);
  b->at = at + sizeof head;
  b->size = n - sizeof head;
  if (size == UINT64_MAX) return RMX_OK;  // -1: this one is not compressed
  if (size > MOST)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: a compressed column of one batch has %llu bytes; at most %d are read: "
                    "write the file with smaller batches",
                    s->file.path, (unsigned long long)size, MOST);
  b->packed = b->size;
  b->size = size;
  if (size && (b->packed == 0 || !rmx__codec_can_give(s->codec, (size_t)b->packed, size)))
    return rmx__arrow_broken(s, "a compressed buffer has an impossible size", err);
  return RMX_OK;
}

static rmx_status load(rmx__arrow_buffer *b, struct rmx__arrow_source *s, rmx_err *err) {
  rmx__block packed = {0};
  rmx_status status;
  char what[200];
  RMX_TRY_GOTO(rmx__block_reserve(&packed, (size_t)b->packed, s->file.path, err), done);
  RMX_TRY_GOTO(rmx__block_reserve(&b->block, (size_t)b->size, s->file.path, err), done);
  RMX_TRY_GOTO(rmx__random_access_read(&s->file, b->at, packed.data, (size_t)b->packed, err), done);
  const char *wrong = rmx__codec_decompress(&s->state, s->codec, packed.data, (size_t)b->packed,
                                            b->block.data, (size_t)b->size);
  b->block.size = (size_t)b->size;
  b->loaded = !wrong;
  if (wrong) {
    snprintf(what, sizeof what, "a buffer cannot be decompressed: %s", wrong);
    status = rmx__arrow_broken(s, what, err);
  }
done:
  rmx__block_release(&packed);
  return status;
}

rmx_status rmx__arrow_buffer_get(rmx__arrow_buffer *b, struct rmx__arrow_source *s, uint64_t from,
                                 uint64_t n, const uint8_t **out, rmx_err *err) {
  if (from > b->size || n > b->size - from)
    return rmx__arrow_broken(s, "a value reaches out of its buffer", err);
  if (b->packed && !b->loaded) RMX_TRY(load(b, s, err));
  if (!b->packed && (from < b->window || from + n > b->window + b->block.size)) {
    const uint64_t left = b->size - from, some = left < WINDOW ? left : WINDOW;
    const uint64_t size = n > some ? n : some;
    RMX_TRY(rmx__block_reserve(&b->block, (size_t)size, s->file.path, err));
    RMX_TRY(rmx__random_access_read(&s->file, b->at + from, b->block.data, (size_t)size, err));
    b->block.size = (size_t)size;
    b->window = from;
  }
  *out = b->block.data ? b->block.data + (from - b->window) : (const uint8_t *)"";
  return RMX_OK;
}

rmx_status rmx__arrow_buffer_number(rmx__arrow_buffer *b, struct rmx__arrow_source *s, uint64_t k,
                                    unsigned bytes, bool is_unsigned, int64_t *out, rmx_err *err) {
  const uint8_t *p;
  uint64_t x = 0;
  if (k > b->size) return rmx__arrow_broken(s, "a value reaches out of its buffer", err);
  RMX_TRY(rmx__arrow_buffer_get(b, s, k * bytes, bytes, &p, err));
  for (unsigned i = 0; i < bytes; i++) x |= (uint64_t)p[i] << (8 * i);
  const unsigned shift = 64 - 8 * bytes;
  *out = is_unsigned ? (int64_t)x : (int64_t)(x << shift) >> shift;
  return RMX_OK;
}

rmx_status rmx__arrow_buffer_bit(rmx__arrow_buffer *b, struct rmx__arrow_source *s, uint64_t k,
                                 bool *out, rmx_err *err) {
  const uint8_t *p;
  RMX_TRY(rmx__arrow_buffer_get(b, s, k / 8, 1, &p, err));
  *out = *p >> k % 8 & 1;
  return RMX_OK;
}
