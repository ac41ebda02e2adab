// SPDX-License-Identifier: Apache-2.0
#include "vocabulary.h"

#include <stdlib.h>
#include <string.h>

static bool index_texts(rmx__vocabulary *v) {
  v->by_text_mask = 15;
  while (v->by_text_mask < 2 * (size_t)v->n) v->by_text_mask = 2 * v->by_text_mask + 1;
  v->by_text = rmx_calloc(v->by_text_mask + 1, sizeof *v->by_text);
  if (!v->by_text) return false;
  memset(v->by_text, 0xFF, (v->by_text_mask + 1) * sizeof *v->by_text);
  for (int i = 0; i < v->n; i++) {
    if (!v->in_model[i]) continue;
    size_t at =
        rmx_hash(v->bytes + v->start[i], v->start[i + 1] - v->start[i], 0) & v->by_text_mask;
    while (v->by_text[at] != RMX__NO_TOKEN) at = (at + 1) & v->by_text_mask;
    v->by_text[at] = (uint32_t)i;
  }
  return true;
}

rmx_status rmx__vocabulary_make(rmx__vocabulary *v, const rmx__token_text *tokens,
                                const uint8_t *kinds, int n, rmx_err *err) {
  size_t total = 0;
  for (int i = 0; i < n; i++) total += tokens[i].size;
  *v = (rmx__vocabulary){.n = n};
  v->bytes = rmx_calloc(total, 1);
  v->start = rmx_calloc((size_t)n + 1, sizeof *v->start);
  v->kind = rmx_calloc((size_t)n, 1);
  v->in_model = rmx_calloc((size_t)n, sizeof *v->in_model);
  if (!v->bytes || !v->start || !v->kind || !v->in_model || total > UINT32_MAX)
    return rmx_fail_memory(err, total, "a vocabulary");
  for (int i = 0; i < n; i++) {
    memcpy(v->bytes + v->start[i], tokens[i].data ? tokens[i].data : "", tokens[i].size);
    v->start[i + 1] = v->start[i] + (uint32_t)tokens[i].size;
  }
  for (int i = 0; i < n; i++) {
    v->kind[i] = kinds[i] & (uint8_t)~RMX__IN_MODEL;
    v->in_model[i] = kinds[i] & RMX__IN_MODEL;
  }
  return index_texts(v) ? RMX_OK : rmx_fail_memory(err, (size_t)n, "a vocabulary");
}

void rmx__vocabulary_release(rmx__vocabulary *v) {
  free(v->bytes);
  free(v->start);
  free(v->kind);
  free(v->in_model);
  free(v->by_text);
  *v = (rmx__vocabulary){0};
}

uint32_t rmx__vocabulary_find(const rmx__vocabulary *v, const char *data, size_t size) {
  for (size_t at = rmx_hash(data, size, 0) & v->by_text_mask;; at = (at + 1) & v->by_text_mask) {
    uint32_t id = v->by_text[at];
    if (id == RMX__NO_TOKEN) return id;
    if (v->start[id + 1] - v->start[id] == size && memcmp(v->bytes + v->start[id], data, size) == 0)
      return id;
  }
}
