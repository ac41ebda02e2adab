// SPDX-License-Identifier: Apache-2.0
// From text to tokens. Within a word, the merge that was learnt first is done first, and of several
// places the leftmost, until none applies. There are three ways to the same result:
//   - a cache of words seen before, which are nearly all in real text;
//   - for short words a scan, O(n^2) without any set-up;
//   - for long words a heap over a linked list, O(n log n), because a word can be a megabyte of one
//     letter.
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "corpus/utf8.h"
#include "tokenizer.h"

enum {
  CACHE_SLOTS = 1 << 14,
  CACHED_BYTES = 26,  // longest word in the cache; a slot is then 64 bytes
  CACHED_IDS = 9,
  SHORT_WORD = 40,  // bytes up to which the scan is faster
};

struct cached {
  uint8_t size, n;  // size 0: free
  char text[CACHED_BYTES];
  uint32_t ids[CACHED_IDS];
};
_Static_assert(sizeof(struct cached) == 64, "a cache slot is one cache line");

// A possible merge: the token at `at` with the next one.
struct candidate {
  uint32_t rank, at, made;
};

struct node {
  uint32_t id, previous, next;  // of the list of remaining tokens; `next` of the last is n
};

struct rmx__encoder {
  struct rmx__encoder *next;
  const rmx_tokenizer *t;
  struct cached *cache;  // (CACHE_SLOTS)
  pcre2_match_data *match;
  struct node *nodes;  // (nnodes) of a long word
  size_t nnodes;
  struct candidate *heap;
  size_t nheap, heap_capacity;
};

struct rmx__encoder *rmx__encoder_new(const rmx_tokenizer *t) {
  struct rmx__encoder *e = rmx_calloc(1, sizeof *e);
  if (!e) return NULL;
  e->t = t;
  e->cache = rmx_calloc(CACHE_SLOTS, sizeof *e->cache);
  if (t->pattern.code) e->match = pcre2_match_data_create_from_pattern(t->pattern.code, NULL);
  if (!e->cache || (t->pattern.code && !e->match)) {
    rmx__encoder_free(e);
    return NULL;
  }
  return e;
}

void rmx__encoder_free(struct rmx__encoder *e) {
  if (!e) return;
  free(e->cache);
  pcre2_match_data_free(e->match);
  free(e->nodes);
  free(e->heap);
  free(e);
}

struct rmx__encoder **rmx__encoder_next(struct rmx__encoder *e) {
  return &e->next;
}

static bool reserve(rmx_tokens *out, size_t more) {
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

// ---- short words -----------------------------------------------------------------

static size_t merge_short(const rmx_tokenizer *t, const char *text, size_t size,
                          uint32_t ids[SHORT_WORD]) {
  // slot[i] is the merge of ids[i] with ids[i+1], NULL if there is none.
  const rmx__pair_slot *slot[SHORT_WORD];
  size_t n = size;
  for (size_t i = 0; i < n; i++) ids[i] = t->byte_id[(uint8_t)text[i]];
  for (size_t i = 0; i + 1 < n; i++) slot[i] = rmx__tokenizer_merge(t, ids[i], ids[i + 1]);
  for (;;) {
    size_t best = n;
    uint32_t rank = UINT32_MAX;
    for (size_t i = 0; i + 1 < n; i++) {
      if (slot[i] && slot[i]->rank < rank) {
        rank = slot[i]->rank;
        best = i;
      }
    }
    if (best == n) return n;
    ids[best] = slot[best]->made;
    n--;
    for (size_t i = best + 1; i < n; i++) {
      ids[i] = ids[i + 1];
      slot[i - 1] = slot[i];
    }
    if (best > 0) slot[best - 1] = rmx__tokenizer_merge(t, ids[best - 1], ids[best]);
    if (best + 1 < n) slot[best] = rmx__tokenizer_merge(t, ids[best], ids[best + 1]);
  }
}

// ---- long words ------------------------------------------------------------------

static bool goes_before(struct candidate x, struct candidate y) {
  return x.rank != y.rank ? x.rank < y.rank : x.at < y.at;
}

static bool offer(struct rmx__encoder *e, uint32_t at, uint32_t n) {
  if (e->nodes[at].next >= n) return true;
  const rmx__pair_slot *slot =
      rmx__tokenizer_merge(e->t, e->nodes[at].id, e->nodes[e->nodes[at].next].id);
  if (!slot) return true;
  if (e->nheap == e->heap_capacity) {
    size_t capacity = e->heap_capacity ? 2 * e->heap_capacity : 1024;
    struct candidate *heap = rmx_realloc(e->heap, capacity, sizeof *heap);
    if (!heap) return false;
    e->heap = heap;
    e->heap_capacity = capacity;
  }
  struct candidate c = {slot->rank, at, slot->made};
  size_t i = e->nheap++;
  for (; i > 0 && goes_before(c, e->heap[(i - 1) / 2]); i = (i - 1) / 2)
    e->heap[i] = e->heap[(i - 1) / 2];
  e->heap[i] = c;
  return true;
}

static struct candidate take(struct rmx__encoder *e) {
  struct candidate top = e->heap[0], c = e->heap[--e->nheap];
  size_t i = 0;
  for (size_t child; (child = 2 * i + 1) < e->nheap; i = child) {
    if (child + 1 < e->nheap && goes_before(e->heap[child + 1], e->heap[child])) child++;
    if (!goes_before(e->heap[child], c)) break;
    e->heap[i] = e->heap[child];
  }
  e->heap[i] = c;
  return top;
}

static bool merge_long(struct rmx__encoder *e, const char *text, size_t size, rmx_tokens *out) {
  uint32_t n = (uint32_t)size;
  if (e->nnodes < size) {
    struct node *nodes = rmx_realloc(e->nodes, size, sizeof *nodes);
    if (!nodes) return false;
    e->nodes = nodes;
    e->nnodes = size;
  }
  for (uint32_t i = 0; i < n; i++)
    e->nodes[i] = (struct node){e->t->byte_id[(uint8_t)text[i]], i ? i - 1 : UINT32_MAX, i + 1};
  e->nheap = 0;
  for (uint32_t i = 0; i < n; i++)
    if (!offer(e, i, n)) return false;
  while (e->nheap) {
    struct candidate c = take(e);
    struct node *left = &e->nodes[c.at];
    // A stale entry: one of the two tokens was merged since, so this pair no longer exists.
    if (left->id == RMX__NO_TOKEN || left->next >= n) continue;
    struct node *right = &e->nodes[left->next];
    const rmx__pair_slot *slot = rmx__tokenizer_merge(e->t, left->id, right->id);
    if (!slot || slot->rank != c.rank) continue;
    left->id = c.made;
    right->id = RMX__NO_TOKEN;
    left->next = right->next;
    if (left->next < n) e->nodes[left->next].previous = c.at;
    if (left->previous != UINT32_MAX && !offer(e, left->previous, n)) return false;
    if (!offer(e, c.at, n)) return false;
  }
  for (uint32_t i = 0; i < n; i = e->nodes[i].next) {
    if (!reserve(out, 1)) return false;
    out->ids[out->n++] = e->nodes[i].id;
  }
  return true;
}

// ---- words, texts ------------------------------------------------------------------

static bool encode_word(struct rmx__encoder *e, const char *text, size_t size, rmx_tokens *out) {
  if (e->t->whole_words) {
    uint32_t id = rmx__tokenizer_find(e->t, text, size);
    if (id != RMX__NO_TOKEN) {
      if (!reserve(out, 1)) return false;
      out->ids[out->n++] = id;
      return true;
    }
  }
  if (size > SHORT_WORD) return merge_long(e, text, size, out);
  if (!reserve(out, SHORT_WORD)) return false;
  uint32_t *ids = out->ids + out->n;
  if (size > CACHED_BYTES) {
    out->n += merge_short(e->t, text, size, ids);
    return true;
  }
  struct cached *c = &e->cache[rmx_hash(text, size, 0) & (CACHE_SLOTS - 1)];
  if (c->size == size && memcmp(c->text, text, size) == 0) {
    memcpy(ids, c->ids, sizeof c->ids);
    out->n += c->n;
    return true;
  }
  size_t n = merge_short(e->t, text, size, ids);
  if (n <= CACHED_IDS) {
    c->size = (uint8_t)size;
    c->n = (uint8_t)n;
    memcpy(c->text, text, size);
    memcpy(c->ids, ids, n * sizeof *ids);
  }
  out->n += n;
  return true;
}

static rmx_status encode_plain(struct rmx__encoder *e, const char *text, size_t size,
                               rmx_tokens *out, rmx_err *err) {
  rmx_buf spaced = {0};
  if (e->t->prefix_space && size && text[0] != ' ') {
    rmx_buf_puts(&spaced, " ");
    rmx_buf_add(&spaced, text, size);
    if (spaced.failed) {
      rmx_buf_release(&spaced);
      return rmx_fail_memory(err, size, "a text to encode");
    }
    text = spaced.data;
    size = spaced.size;
  }
  rmx_status status = RMX_OK;
  rmx__pre_tokenizer words =
      rmx__pre_tokenizer_make(text, size, e->t->pattern.code ? &e->t->pattern : NULL, e->match);
  size_t start;
  while (status == RMX_OK && words.at < size) {
    if (!rmx__pre_tokenizer_next(&words, &start, err))
      status = err->status;
    else if (!encode_word(e, text + start, words.at - start, out))
      status = rmx_fail_memory(err, out->capacity * sizeof *out->ids, "the tokens of a text");
  }
  rmx_buf_release(&spaced);
  return status;
}

// The added token that starts at `at`, or RMX__NO_TOKEN.
static uint32_t added_at(const rmx_tokenizer *t, const char *text, size_t size, size_t at) {
  if (!t->added_first[(uint8_t)text[at]]) return RMX__NO_TOKEN;
  if (at + 1 < size && !t->added_second[(uint8_t)text[at + 1]]) return RMX__NO_TOKEN;
  for (size_t i = 0; i < t->nadded; i++) {
    uint32_t id = t->added[i], n = t->start[id + 1] - t->start[id];
    if (n <= size - at && memcmp(text + at, t->bytes + t->start[id], n) == 0) return id;
  }
  return RMX__NO_TOKEN;
}

static rmx_status encode_segments(struct rmx__encoder *e, const char *text, size_t size,
                                  rmx_tokens *out, rmx_err *err) {
  const rmx_tokenizer *t = e->t;
  size_t from = 0;
  for (size_t at = 0; t->nadded && at < size;) {
    uint32_t id = added_at(t, text, size, at);
    if (id == RMX__NO_TOKEN) {
      at++;
      continue;
    }
    RMX_TRY(encode_plain(e, text + from, at - from, out, err));
    if (!reserve(out, 1)) return rmx_fail_memory(err, out->capacity, "the tokens of a text");
    out->ids[out->n++] = id;
    from = at += t->start[id + 1] - t->start[id];
  }
  return encode_plain(e, text + from, size - from, out, err);
}

// Normalises a text to Unicode's form C. ASCII is in that form already and combines only with what
// follows it. So each run of other characters is normalised with the one ASCII character before it.
// A run that is not UTF-8 has no normal form and stays as it is.
static bool normalise(const char *text, size_t size, rmx_buf *out) {
  for (size_t at = 0; at < size && !out->failed;) {
    size_t run = at + rmx__ascii_prefix(text + at, size - at),
           from = run > at && run < size ? run - 1 : run;
    rmx_buf_add(out, text + at, from - at);
    while (run < size && (uint8_t)text[run] >= 128) run++;
    at = run;
    if (from == run) break;
    utf8proc_uint8_t *composed = NULL;
    utf8proc_ssize_t n =
        utf8proc_map((const utf8proc_uint8_t *)text + from, (utf8proc_ssize_t)(run - from),
                     &composed, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (n == UTF8PROC_ERROR_NOMEM) return false;
    if (n < 0)
      rmx_buf_add(out, text + from, run - from);
    else
      rmx_buf_add(out, composed, (size_t)n);
    free(composed);
  }
  return !out->failed;
}

rmx_status rmx__encoder_run(struct rmx__encoder *e, const char *text, size_t size, rmx_tokens *out,
                            rmx_err *err) {
  if (!e->t->nfc || rmx__ascii_prefix(text, size) == size)
    return encode_segments(e, text, size, out, err);
  rmx_buf normal = {0};
  rmx_status status = normalise(text, size, &normal)
                          ? encode_segments(e, normal.data, normal.size, out, err)
                          : rmx_fail_memory(err, 8 * size, "the normal form of a text");
  rmx_buf_release(&normal);
  return status;
}
