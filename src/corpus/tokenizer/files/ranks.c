// SPDX-License-Identifier: Apache-2.0
// The tokens that a token begins with stand before it in the order of their bytes, each one on the
// way to it. So one pass over the sorted tokens has them on a stack, and only the rest of the token
// must be looked up.
#include "ranks.h"

#include <stdlib.h>
#include <string.h>

#include "corpus/tokenizer/double_array.h"

struct finding {
  const rmx__token_text *tokens;
  const uint32_t *order;    // (n) tokens by their bytes
  uint32_t *by_text, mask;  // ids by the hash of their texts
  rmx__merge *merges;
  size_t n, capacity;
};

static bool is(const rmx__token_text *t, const char *data, size_t size) {
  return t->size == size && memcmp(t->data, data, size) == 0;
}

static uint32_t find(const struct finding *f, const char *data, size_t size) {
  for (size_t at = rmx_hash(data, size, 0) & f->mask;; at = (at + 1) & f->mask)
    if (f->by_text[at] == RMX__NO_TOKEN || is(&f->tokens[f->by_text[at]], data, size))
      return f->by_text[at];
}

static bool index_tokens(struct finding *f, size_t n) {
  size_t mask = 15;
  while (mask < 2 * n) mask = 2 * mask + 1;
  f->mask = (uint32_t)mask;
  f->by_text = rmx_calloc(mask + 1, sizeof *f->by_text);
  if (!f->by_text) return false;
  memset(f->by_text, 0xFF, (mask + 1) * sizeof *f->by_text);
  for (size_t i = 0; i < n; i++) {
    if (!f->tokens[i].size) continue;
    size_t at = rmx_hash(f->tokens[i].data, f->tokens[i].size, 0) & mask;
    while (f->by_text[at] != RMX__NO_TOKEN) at = (at + 1) & mask;
    f->by_text[at] = (uint32_t)i;
  }
  return true;
}

static bool add(struct finding *f, uint32_t a, uint32_t b, uint32_t made) {
  if (f->n == f->capacity) {
    const size_t capacity = f->capacity ? 2 * f->capacity : 4096;
    rmx__merge *merges = rmx_realloc(f->merges, capacity, sizeof *merges);
    if (!merges) return false;
    f->merges = merges;
    f->capacity = capacity;
  }
  f->merges[f->n++] = (rmx__merge){a, b, made};
  return true;
}

// Adds the merges of all tokens, in the order of their bytes.
static bool find_merges(struct finding *f, size_t n) {
  uint32_t *stack = rmx_calloc(n, sizeof *stack);
  size_t depth = 0;
  bool good = stack != NULL;
  for (size_t i = 0; good && i < n; i++) {
    const uint32_t id = f->order[i];
    const rmx__token_text *t = &f->tokens[id];
    while (depth && (f->tokens[stack[depth - 1]].size > t->size ||
                     memcmp(f->tokens[stack[depth - 1]].data, t->data,
                            f->tokens[stack[depth - 1]].size) != 0))
      depth--;
    for (size_t k = 0; good && k < depth; k++) {
      const size_t head = f->tokens[stack[k]].size;
      const uint32_t rest =
          head < t->size ? find(f, t->data + head, t->size - head) : RMX__NO_TOKEN;
      if (rest != RMX__NO_TOKEN) good = add(f, stack[k], rest, id);
    }
    if (t->size) stack[depth++] = id;
  }
  free(stack);
  return good;
}

// Sorts by the rank of what is made. The merges of one token are neighbours already, those with the
// shorter first part first.
static bool sort(struct finding *f, const uint32_t *ranks, size_t n, bool longer_first) {
  uint32_t *by_rank = rmx_calloc(n + 1, sizeof *by_rank), *first = rmx_calloc(n + 1, sizeof *first);
  rmx__merge *sorted = rmx_calloc(f->n, sizeof *sorted);
  const bool good = by_rank && first && sorted;
  for (size_t i = 0; good && i < n; i++) by_rank[ranks ? ranks[i] : i] = (uint32_t)i;
  for (size_t i = f->n; good && i-- > 0;) first[f->merges[i].made] = (uint32_t)i + 1;
  size_t out = 0;
  for (size_t i = 0; good && i < n; i++) {
    const uint32_t id = by_rank[i], from = first[id];
    size_t to = from;
    while (from && to <= f->n && f->merges[to - 1].made == id) to++;
    for (size_t k = from; from && k < to; k++)
      sorted[out++] = f->merges[longer_first ? to - 1 - (k - from) - 1 : k - 1];
  }
  free(by_rank);
  free(first);
  if (good) {
    free(f->merges);
    f->merges = sorted;
  } else {
    free(sorted);
  }
  return good;
}

rmx_status rmx__ranks_to_merges(const rmx__token_text *tokens, const uint32_t *ranks, size_t n,
                                bool longer_first, rmx__merge **merges, size_t *nmerges,
                                rmx_err *err) {
  uint32_t *order = rmx__sorted_keys(tokens, n);
  struct finding f = {.tokens = tokens, .order = order};
  const bool good =
      order && index_tokens(&f, n) && find_merges(&f, n) && sort(&f, ranks, n, longer_first);
  free(order);
  free(f.by_text);
  if (!good) {
    free(f.merges);
    return rmx_fail_memory(err, n * sizeof *order, "merges");
  }
  *merges = f.merges;
  *nmerges = f.n;
  return RMX_OK;
}
