// SPDX-License-Identifier: Apache-2.0
#include "wordpiece.h"

#include <string.h>

rmx_status rmx__wordpiece_make(rmx__wordpiece *w, const rmx__token_text *tokens,
                               const bool *include, size_t n, const char *prefix, uint32_t unknown,
                               size_t longest, rmx_err *err) {
  *w = (rmx__wordpiece){.unknown = unknown, .longest = longest};
  RMX_TRY(rmx__double_array_make(&w->trie, tokens, include, n, err));
  for (; *prefix && w->inside != RMX__NO_TOKEN; prefix++)
    if (!rmx__double_array_step(&w->trie, &w->inside, *prefix)) w->inside = RMX__NO_TOKEN;
  return RMX_OK;
}

void rmx__wordpiece_release(rmx__wordpiece *w) {
  rmx__double_array_release(&w->trie);
}

// The longest token below `node` that the text begins with: its id, or RMX__NO_TOKEN.
static uint32_t longest(const rmx__double_array *t, uint32_t node, const char *text, size_t size,
                        size_t *length) {
  uint32_t id = RMX__NO_TOKEN;
  for (size_t i = 0; i < size && rmx__double_array_step(t, &node, text[i]); i++) {
    if (t->nodes[node].value == RMX__NO_TOKEN) continue;
    id = t->nodes[node].value;
    *length = i + 1;
  }
  return id;
}

static size_t characters(const char *text, size_t size) {
  size_t n = 0;
  for (size_t i = 0; i < size; i++) n += ((uint8_t)text[i] & 0xC0) != 0x80;
  return n;
}

bool rmx__wordpiece_encode(const rmx__wordpiece *w, const char *text, size_t size,
                           rmx_tokens *out) {
  const size_t before = out->n;
  bool known = size <= w->longest || characters(text, size) <= w->longest;
  uint32_t node = 0;
  size_t length = 0;
  for (size_t at = 0; known && at < size; at += length, node = w->inside) {
    const uint32_t id = node == RMX__NO_TOKEN
                            ? RMX__NO_TOKEN
                            : longest(&w->trie, node, text + at, size - at, &length);
    known = id != RMX__NO_TOKEN;
    if (!known) break;
    if (!rmx__tokens_reserve(out, 1)) return false;
    out->ids[out->n++] = id;
  }
  if (known) return true;
  out->n = before;
  if (!rmx__tokens_reserve(out, 1)) return false;
  out->ids[out->n++] = w->unknown;
  return true;
}
