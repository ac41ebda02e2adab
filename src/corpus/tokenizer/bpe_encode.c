// SPDX-License-Identifier: Apache-2.0
// From words to tokens. Within a word, the merge that was learnt first is done first, and of
// several places the leftmost, until none applies. There are three ways to the same result:
//   - a cache of words seen before, which are nearly all in real text;
//   - for short words a scan, O(n^2) without any set-up;
//   - for long words a heap over a linked list, O(n log n), because a word can be a megabyte of one
//     letter.
#include <stdlib.h>
#include <string.h>

#include "bpe.h"
#include "characters.h"
#include "tokenizer.h"
#include "word_cache.h"

enum {
  SHORT_WORD = 128,     // bytes up to which the scan is faster
  KEPT_NODES = 1 << 16  // scratch memory for longer words is given back
};

struct node {
  uint32_t id, previous, next;  // of the list of remaining tokens; `next` of the last is n
};

struct scratch {
  const rmx__bpe *m;
  const rmx__vocabulary *vocabulary;
  rmx__cached *cache;
  uint32_t *symbols;   // (nnodes) the first tokens of a long word
  struct node *nodes;  // (nnodes)
  size_t nnodes;
  uint64_t *heap;  // possible merges: rank << 32 | place of the first token, the least on top
  size_t nheap, heap_capacity;
  rmx_buf affixed;  // a character with its prefix and suffix
};

void *rmx__bpe_scratch_new(const rmx_tokenizer *t) {
  struct scratch *e = rmx_calloc(1, sizeof *e);
  if (!e) return NULL;
  e->m = t->model;
  e->vocabulary = &t->vocabulary;
  e->cache = rmx__cache_new();
  if (e->cache) return e;
  free(e);
  return NULL;
}

static void give_back(struct scratch *e) {
  free(e->symbols);
  free(e->nodes);
  free(e->heap);
  e->symbols = NULL;
  e->nodes = NULL;
  e->heap = NULL;
  e->nnodes = e->heap_capacity = 0;
}

void rmx__bpe_scratch_free(void *scratch) {
  struct scratch *e = scratch;
  if (!e) return;
  give_back(e);
  free(e->cache);
  rmx_buf_release(&e->affixed);
  free(e);
}

bool rmx__tokens_reserve(rmx_tokens *out, size_t more) {
  if (out->capacity - out->n >= more) return true;
  size_t capacity = out->capacity ? out->capacity : 256;
  while (capacity - out->n < more) {
    if (capacity > SIZE_MAX / 2) return false;
    capacity *= 2;
  }
  uint32_t *ids = rmx_realloc(out->ids, capacity, sizeof *ids);
  if (!ids) return false;
  out->ids = ids;
  out->capacity = capacity;
  return true;
}

// ---- the first tokens of a word ----------------------------------------------------

struct spelling {
  uint32_t *ids;
  size_t n;
  bool unknown;  // an unknown token is still to be added: more characters may become part of it
};

static void add_unknown(struct spelling *s, uint32_t unknown) {
  if (s->unknown) s->ids[s->n++] = unknown;
  s->unknown = false;
}

// The tokens of a character that has none of its own, as in Hugging Face's library: the tokens of
// its bytes if all of them exist (an unknown token before them then comes after them), or the
// unknown token, or nothing.
static void spell_strange(const rmx__bpe *m, const char *text, size_t size, struct spelling *s) {
  bool bytes = m->byte_fallback;
  for (size_t i = 0; i < size; i++) bytes = bytes && m->byte_id[(uint8_t)text[i]] != RMX__NO_TOKEN;
  if (bytes) {
    for (size_t i = 0; i < size; i++) s->ids[s->n++] = m->byte_id[(uint8_t)text[i]];
  } else if (m->unknown != RMX__NO_TOKEN) {
    if (!m->fuse_unknown) add_unknown(s, m->unknown);
    s->unknown = true;
  }
}

// One character (of a byte-level vocabulary: byte), with the affixes that it has in this place.
static bool spell_one(struct scratch *e, const char *text, size_t size, bool first, bool last,
                      struct spelling *s) {
  const rmx__bpe *m = e->m;
  const char *p = text;
  size_t n = size;
  if ((!first && m->prefix) || (last && m->suffix)) {
    e->affixed.size = 0;
    if (!first && m->prefix) rmx_buf_puts(&e->affixed, m->prefix);
    rmx_buf_add(&e->affixed, text, size);
    if (last && m->suffix) rmx_buf_puts(&e->affixed, m->suffix);
    if (e->affixed.failed) return false;
    p = e->affixed.data;
    n = e->affixed.size;
  }
  uint32_t id = n == 1 && !m->byte_level && (uint8_t)*p < 128
                    ? m->ascii_id[(uint8_t)*p]
                    : rmx__vocabulary_find(e->vocabulary, p, n);
  if (id != RMX__NO_TOKEN) {
    add_unknown(s, m->unknown);
    s->ids[s->n++] = id;
  } else {
    spell_strange(m, p, n, s);
  }
  return true;
}

// Writes the tokens of the characters of a word to ids (size + room for affixes) and their number
// to n. False: memory is short.
static bool spell(struct scratch *e, const char *text, size_t size, uint32_t *ids, size_t *n) {
  const rmx__bpe *m = e->m;
  if (m->plain) {
    for (size_t i = 0; i < size; i++) ids[i] = m->byte_id[(uint8_t)text[i]];
    *n = size;
    return true;
  }
  struct spelling s = {.ids = ids};
  for (size_t at = 0, more; at < size; at += more) {
    more = 1;
    while (!m->byte_level && at + more < size && ((uint8_t)text[at + more] & 0xC0) == 0x80) more++;
    if (!spell_one(e, text + at, more, at == 0, at + more == size, &s)) return false;
  }
  add_unknown(&s, m->unknown);
  *n = s.n;
  return true;
}

// ---- short words -----------------------------------------------------------------

// Merges ids (n) in place and returns how many are left. bytes (n): those that they are the tokens
// of, if the model is plain.
static size_t merge_short(const rmx__bpe *m, const char *bytes, uint32_t *ids, size_t n) {
  // of ids[i] with ids[i + 1]; signed, because SSE2 compares signed numbers only
  int32_t rank[SHORT_WORD];
  uint32_t made[SHORT_WORD];
  for (size_t i = 0; i + 1 < n; i++) {
    if (m->first) {
      const rmx__first_merge *f = &m->first[(uint8_t)bytes[i] << 8 | (uint8_t)bytes[i + 1]];
      rank[i] = f->rank, made[i] = f->made;
    } else {
      rank[i] = rmx__bpe_rank(m, ids[i], ids[i + 1], &made[i]);
    }
  }
  while (n > 1) {
    int32_t least = RMX__NO_RANK;
    for (size_t i = 0; i + 1 < n; i++) least = rank[i] < least ? rank[i] : least;
    if (least == RMX__NO_RANK) break;
    size_t best = 0;
    while (rank[best] != least) best++;
    ids[best] = made[best];
    n--;
    memmove(ids + best + 1, ids + best + 2, (n - best - 1) * sizeof *ids);
    if (best + 1 < n) {
      memmove(rank + best + 1, rank + best + 2, (n - best - 2) * sizeof *rank);
      memmove(made + best + 1, made + best + 2, (n - best - 2) * sizeof *made);
      rank[best] = rmx__bpe_rank(m, ids[best], ids[best + 1], &made[best]);
    }
    if (best > 0) rank[best - 1] = rmx__bpe_rank(m, ids[best - 1], ids[best], &made[best - 1]);
  }
  return n;
}

// ---- long words ------------------------------------------------------------------

static bool offer(struct scratch *e, uint32_t at, uint32_t n) {
  if (e->nodes[at].next >= n) return true;
  const rmx__pair_slot *slot =
      rmx__bpe_merge(e->m, e->nodes[at].id, e->nodes[e->nodes[at].next].id);
  if (!slot) return true;
  if (e->nheap == e->heap_capacity) {
    size_t capacity = e->heap_capacity ? 2 * e->heap_capacity : 1024;
    uint64_t *heap = rmx_realloc(e->heap, capacity, sizeof *heap);
    if (!heap) return false;
    e->heap = heap;
    e->heap_capacity = capacity;
  }
  const uint64_t c = (uint64_t)slot->rank << 32 | at;
  size_t i = e->nheap++;
  for (; i > 0 && c < e->heap[(i - 1) / 2]; i = (i - 1) / 2) e->heap[i] = e->heap[(i - 1) / 2];
  e->heap[i] = c;
  return true;
}

static uint64_t take(struct scratch *e) {
  const uint64_t top = e->heap[0], c = e->heap[--e->nheap];
  size_t i = 0;
  for (size_t child; (child = 2 * i + 1) < e->nheap; i = child) {
    child += child + 1 < e->nheap && e->heap[child + 1] < e->heap[child];
    if (e->heap[child] >= c) break;
    e->heap[i] = e->heap[child];
  }
  e->heap[i] = c;
  return top;
}

static bool reserve_nodes(struct scratch *e, size_t size) {
  if (e->nnodes >= size) return true;
  uint32_t *symbols = rmx_realloc(e->symbols, size, sizeof *symbols);
  if (symbols) e->symbols = symbols;
  struct node *nodes = rmx_realloc(e->nodes, size, sizeof *nodes);
  if (nodes) e->nodes = nodes;
  if (!symbols || !nodes) return false;
  e->nnodes = size;
  return true;
}

// Merges e->symbols (n) and appends what is left to out.
static bool merge_long(struct scratch *e, uint32_t n, rmx_tokens *out) {
  for (uint32_t i = 0; i < n; i++)
    e->nodes[i] = (struct node){e->symbols[i], i ? i - 1 : UINT32_MAX, i + 1};
  e->nheap = 0;
  for (uint32_t i = 0; i < n; i++)
    if (!offer(e, i, n)) return false;
  while (e->nheap) {
    const uint64_t c = take(e);
    const uint32_t at = (uint32_t)c;
    struct node *left = &e->nodes[at];
    // A stale entry: one of the two tokens was merged since, so this pair no longer exists.
    if (left->id == RMX__NO_TOKEN || left->next >= n) continue;
    struct node *right = &e->nodes[left->next];
    const rmx__pair_slot *slot = rmx__bpe_merge(e->m, left->id, right->id);
    if (!slot || slot->rank != c >> 32) continue;
    left->id = slot->made;
    right->id = RMX__NO_TOKEN;
    left->next = right->next;
    if (left->next < n) e->nodes[left->next].previous = at;
    if (left->previous != UINT32_MAX && !offer(e, left->previous, n)) return false;
    if (!offer(e, at, n)) return false;
  }
  for (uint32_t i = 0; i < n; i = e->nodes[i].next) {
    if (!rmx__tokens_reserve(out, 1)) return false;
    out->ids[out->n++] = e->nodes[i].id;
  }
  return true;
}

// ---- words ---------------------------------------------------------------------------

// Affixes can make a character more than its bytes.
static size_t most_symbols(const rmx__bpe *m, size_t size) {
  size_t affix = (m->prefix ? strlen(m->prefix) : 0) + (m->suffix ? strlen(m->suffix) : 0);
  return affix && m->byte_fallback ? size * (1 + affix) : size;
}

static bool encode_long(struct scratch *e, const char *text, size_t size, rmx_tokens *out) {
  size_t n;
  const bool good = reserve_nodes(e, most_symbols(e->m, size)) &&
                    spell(e, text, size, e->symbols, &n) && merge_long(e, (uint32_t)n, out);
  if (e->nnodes > KEPT_NODES) give_back(e);
  return good;
}

// The token that is the whole word, if such tokens are not merged.
static uint32_t whole_word(const struct scratch *e, const char *text, size_t size) {
  const uint32_t id =
      e->m->whole_words ? rmx__vocabulary_find(e->vocabulary, text, size) : RMX__NO_TOKEN;
  return id != RMX__NO_TOKEN && e->vocabulary->kind[id] != RMX__TOKEN_SPECIAL ? id : RMX__NO_TOKEN;
}

// whole: the text is a word, not a part of one.
static bool merge(struct scratch *e, const char *text, size_t size, bool whole, uint32_t *ids,
                  size_t *n) {
  *n = 1;
  if (whole && (ids[0] = whole_word(e, text, size)) != RMX__NO_TOKEN) return true;
  if (!spell(e, text, size, ids, n)) return false;
  *n = merge_short(e->m, text, ids, *n);
  return true;
}

static bool encode_short(struct scratch *e, const char *text, size_t size, bool whole,
                         rmx_tokens *out) {
  if (!rmx__tokens_reserve(out, SHORT_WORD)) return false;
  uint32_t *ids = out->ids + out->n;
  size_t n;
  if (size > RMX__CACHED_BYTES || (e->m->whole_words && !whole)) {
    if (!merge(e, text, size, whole, ids, &n)) return false;
    out->n += n;
    return true;
  }
  uint64_t key[4];
  rmx__cache_key(text, size, key);
  rmx__cached *c = rmx__cache_slot(e->cache, key, size);
  if (rmx__cache_has(c, key, size)) {
    memcpy(ids, c->ids, sizeof c->ids);
    out->n += c->n;
    return true;
  }
  if (!merge(e, text, size, whole, ids, &n)) return false;
  rmx__cache_put(c, key, size, ids, n);
  out->n += n;
  return true;
}

static bool encode_part(struct scratch *e, const char *text, size_t size, bool whole,
                        rmx_tokens *out) {
  while (size > RMX__LONGEST_WORD) {
    size_t part = RMX__LONGEST_WORD;
    while (!e->m->byte_level && ((uint8_t)text[part] & 0xC0) == 0x80) part--;
    if (!encode_long(e, text, part, out)) return false;
    text += part;
    size -= part;
  }
  return most_symbols(e->m, size) > SHORT_WORD ? encode_long(e, text, size, out)
                                               : encode_short(e, text, size, whole, out);
}

// Cuts a word where no merge can join two characters.
static bool encode_parts(struct scratch *e, const char *text, size_t size, rmx_tokens *out) {
  size_t start = 0;
  int32_t left = -1, right;
  for (size_t at = 0, more; at < size; at += more, left = right) {
    more = rmx__character(text + at, text + size, &right);
    if (at == 0) continue;
    size_t join = rmx__join((uint32_t)left, (uint32_t)right);
    if (e->m->joins[join / 64] >> join % 64 & 1) continue;
    if (!encode_part(e, text + start, at - start, false, out)) return false;
    start = at;
  }
  return encode_part(e, text + start, size - start, false, out);
}

bool rmx__bpe_encode(const rmx_tokenizer *t, void *scratch, const char *word, size_t size,
                     rmx_tokens *out) {
  struct scratch *e = scratch;
  (void)t;
  if (!e->m->joins && size <= SHORT_WORD && most_symbols(e->m, size) <= SHORT_WORD)
    return encode_short(e, word, size, true, out);
  const uint32_t id = whole_word(e, word, size);
  if (id != RMX__NO_TOKEN) {
    if (!rmx__tokens_reserve(out, 1)) return false;
    out->ids[out->n++] = id;
    return true;
  }
  return e->m->joins ? encode_parts(e, word, size, out) : encode_part(e, word, size, false, out);
}
