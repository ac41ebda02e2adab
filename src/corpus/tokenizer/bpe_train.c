// SPDX-License-Identifier: Apache-2.0
// Learns byte-pair merges: Sennrich, Haddow and Birch, "Neural machine translation of rare words
// with subword units" (ACL 2016), on bytes as in GPT-2. In each step the most frequent pair of
// neighbours (among equals, the one with the smaller ids) becomes a new token.
//
// The distinct words of the text are counted once. Each pair has its count and the words it was
// seen in. A heap orders the pairs by their counts when they were added; a stale entry is added
// again with the present count (lazy deletion). So a merge costs the words that it changes, not the
// text.
#include <stdlib.h>
#include <string.h>

#include "bpe.h"
#include "byte_alphabet.h"
#include "gpt2_words.h"

enum {
  // longer words (base64, rows of dashes) are counted in pieces of this number of bytes
  LONGEST_PIECE = 1024,
  MIN_COUNT = 2,  // a pair that occurs once is not worth a token
};

// ---- distinct words ----------------------------------------------------------

struct word {
  const char *text;
  uint32_t size;
  uint64_t hash;
  int64_t count;
};

struct word_counts {
  struct word *words;  // (n)
  uint32_t *slots;     // (mask + 1) index + 1 into words; 0: free
  size_t n, capacity, mask;
};

static bool grow_word_slots(struct word_counts *w) {
  size_t mask = w->mask ? 2 * w->mask + 1 : (1 << 10) - 1;
  uint32_t *slots = rmx_calloc(mask + 1, sizeof *slots);
  struct word *words = rmx_realloc(w->words, (mask + 1) / 2, sizeof *words);
  if (words) w->words = words;
  if (!slots || !words) {
    free(slots);
    return false;
  }
  for (size_t i = 0; i < w->n; i++) {
    size_t at = w->words[i].hash & mask;
    while (slots[at]) at = (at + 1) & mask;
    slots[at] = (uint32_t)i + 1;
  }
  free(w->slots);
  w->slots = slots;
  w->mask = mask;
  w->capacity = (mask + 1) / 2;
  return true;
}

static bool count_word(struct word_counts *w, const char *text, size_t size) {
  if (w->n == w->capacity && !grow_word_slots(w)) return false;
  uint64_t hash = rmx_hash(text, size, 0);
  size_t at = hash & w->mask;
  for (; w->slots[at]; at = (at + 1) & w->mask) {
    struct word *word = &w->words[w->slots[at] - 1];
    if (word->hash == hash && word->size == size && memcmp(word->text, text, size) == 0) {
      word->count++;
      return true;
    }
  }
  w->words[w->n] = (struct word){text, (uint32_t)size, hash, 1};
  w->slots[at] = (uint32_t)++w->n;
  return true;
}

static rmx_status count_words(struct word_counts *w, const char *text, size_t size, rmx_err *err) {
  for (size_t start = 0, end; start < size; start = end) {
    end = rmx__gpt2_word_end(text, size, start);
    for (size_t at = start; at < end; at += LONGEST_PIECE) {
      size_t left = end - at;
      if (!count_word(w, text + at, left < LONGEST_PIECE ? left : LONGEST_PIECE))
        return rmx_fail_memory(err, w->n * sizeof(struct word),
                               "the words a tokenizer is trained on");
    }
  }
  return RMX_OK;
}

// ---- pairs: counts, where they are, and a heap by count ------------------------

struct pair {
  uint64_t ids;  // a << 32 | b; UINT64_MAX: free
  int64_t count;
  uint32_t *words;  // (n) words it was seen in; some twice, some no longer have it
  uint32_t n, capacity;
};

struct entry {
  int64_t count;
  uint64_t ids;
};

struct learning {
  struct word_counts counts;
  uint32_t *symbols;  // the tokens of all words, one after the other
  size_t *first;      // (n words) where each starts in symbols
  uint32_t *length;   // (n words) its present number of tokens
  struct pair *pairs;
  size_t npairs, mask;
  struct entry *heap;
  size_t nheap, heap_capacity;
  uint64_t *touched;  // pairs whose counts rose in this merge
  size_t ntouched, touched_capacity;
  bool failed;  // no memory
};

static bool before(struct entry x, struct entry y) {
  return x.count != y.count ? x.count > y.count : x.ids < y.ids;
}

static void heap_push(struct learning *l, struct entry e) {
  if (l->nheap == l->heap_capacity) {
    size_t capacity = l->heap_capacity ? 2 * l->heap_capacity : 4096;
    struct entry *heap = rmx_realloc(l->heap, capacity, sizeof *heap);
    if (!heap) {
      l->failed = true;
      return;
    }
    l->heap = heap;
    l->heap_capacity = capacity;
  }
  size_t i = l->nheap++;
  for (; i > 0 && before(e, l->heap[(i - 1) / 2]); i = (i - 1) / 2)
    l->heap[i] = l->heap[(i - 1) / 2];
  l->heap[i] = e;
}

static struct entry heap_pop(struct learning *l) {
  struct entry top = l->heap[0], e = l->heap[--l->nheap];
  size_t i = 0;
  for (size_t child; (child = 2 * i + 1) < l->nheap; i = child) {
    if (child + 1 < l->nheap && before(l->heap[child + 1], l->heap[child])) child++;
    if (!before(l->heap[child], e)) break;
    l->heap[i] = l->heap[child];
  }
  l->heap[i] = e;
  return top;
}

static struct pair *pair_slot(struct pair *pairs, size_t mask, uint64_t ids) {
  size_t at = rmx__pair_hash(ids) & mask;
  while (pairs[at].ids != ids && pairs[at].ids != UINT64_MAX) at = (at + 1) & mask;
  return &pairs[at];
}

static void grow_pairs(struct learning *l) {
  size_t mask = l->mask ? 2 * l->mask + 1 : (1 << 10) - 1;
  struct pair *pairs = rmx_calloc(mask + 1, sizeof *pairs);
  if (!pairs) {
    l->failed = true;
    return;
  }
  for (size_t i = 0; i <= mask; i++) pairs[i].ids = UINT64_MAX;
  for (size_t i = 0; l->pairs && i <= l->mask; i++)
    if (l->pairs[i].ids != UINT64_MAX) *pair_slot(pairs, mask, l->pairs[i].ids) = l->pairs[i];
  free(l->pairs);
  l->pairs = pairs;
  l->mask = mask;
}

// Adds `by` to the count of the pair (a, b), which occurs in word `word`.
static void change(struct learning *l, uint32_t a, uint32_t b, int64_t by, uint32_t word) {
  uint64_t ids = rmx__pair(a, b);
  if (2 * (l->npairs + 1) > l->mask) grow_pairs(l);
  if (l->failed) return;
  struct pair *p = pair_slot(l->pairs, l->mask, ids);
  if (p->ids == UINT64_MAX) {
    p->ids = ids;
    l->npairs++;
  }
  p->count += by;
  if (by < 0 || (p->n && p->words[p->n - 1] == word)) return;
  if (p->n == p->capacity) {
    uint32_t capacity = p->capacity ? 2 * p->capacity : 4;
    uint32_t *words = rmx_realloc(p->words, capacity, sizeof *words);
    if (!words) {
      l->failed = true;
      return;
    }
    p->words = words;
    p->capacity = capacity;
  }
  p->words[p->n++] = word;
}

static void touch(struct learning *l, uint32_t a, uint32_t b) {
  uint64_t ids = rmx__pair(a, b);
  if (l->ntouched && l->touched[l->ntouched - 1] == ids) return;
  if (l->ntouched == l->touched_capacity) {
    size_t capacity = l->touched_capacity ? 2 * l->touched_capacity : 1024;
    uint64_t *touched = rmx_realloc(l->touched, capacity, sizeof *touched);
    if (!touched) {
      l->failed = true;
      return;
    }
    l->touched = touched;
    l->touched_capacity = capacity;
  }
  l->touched[l->ntouched++] = ids;
}

// Replaces each (a, b) in a word, from the left. All counts stay exact.
static void merge_in_word(struct learning *l, uint32_t word, rmx__merge m) {
  uint32_t *s = l->symbols + l->first[word], n = l->length[word], kept = 0;
  int64_t count = l->counts.words[word].count;
  for (uint32_t i = 0; i < n; i++) {
    if (i + 1 == n || s[i] != m.a || s[i + 1] != m.b) {
      s[kept++] = s[i];
      continue;
    }
    change(l, m.a, m.b, -count, word);
    if (kept) {
      change(l, s[kept - 1], m.a, -count, word);
      change(l, s[kept - 1], m.made, count, word);
      touch(l, s[kept - 1], m.made);
    }
    if (i + 2 < n) {
      change(l, m.b, s[i + 2], -count, word);
      change(l, m.made, s[i + 2], count, word);
      touch(l, m.made, s[i + 2]);
    }
    s[kept++] = m.made;
    i++;
  }
  l->length[word] = kept;
}

static int by_value(const void *x, const void *y) {
  uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
  return (a > b) - (a < b);
}

static void merge_everywhere(struct learning *l, rmx__merge m) {
  struct pair *p = pair_slot(l->pairs, l->mask, rmx__pair(m.a, m.b));
  // The list is detached first, because the table may grow and move while words change.
  uint32_t *words = p->words, n = p->n;
  p->words = NULL;
  p->n = p->capacity = 0;
  l->ntouched = 0;
  for (uint32_t i = 0; i < n && !l->failed; i++) merge_in_word(l, words[i], m);
  free(words);
  if (l->ntouched) qsort(l->touched, l->ntouched, sizeof *l->touched, by_value);
  for (size_t i = 0; i < l->ntouched && !l->failed; i++) {
    if (i && l->touched[i] == l->touched[i - 1]) continue;
    int64_t count = pair_slot(l->pairs, l->mask, l->touched[i])->count;
    if (count >= MIN_COUNT) heap_push(l, (struct entry){count, l->touched[i]});
  }
}

// ---- tokens made so far, so that the same bytes never get two ids ---------------

struct made {
  rmx_buf bytes;    // of all tokens
  size_t *start;    // (n + 1)
  uint32_t *slots;  // (mask + 1) id + 1
  size_t n, mask;
};

static bool made_init(struct made *t, size_t wanted) {
  size_t mask = 1023;
  while (mask < 2 * (wanted + 256)) mask = 2 * mask + 1;
  t->mask = mask;
  t->slots = rmx_calloc(mask + 1, sizeof *t->slots);
  t->start = rmx_calloc(wanted + 258, sizeof *t->start);
  return t->slots && t->start;
}

// The id of the token with these bytes; a new id if there is none.
static uint32_t made_id(struct made *t, const char *data, size_t size, bool *new) {
  size_t at = rmx_hash(data, size, 0) & t->mask;
  for (; t->slots[at]; at = (at + 1) & t->mask) {
    uint32_t id = t->slots[at] - 1;
    size_t start = t->start[id];
    if (t->start[id + 1] - start == size && memcmp(t->bytes.data + start, data, size) == 0) {
      *new = false;
      return id;
    }
  }
  rmx_buf_add(&t->bytes, data, size);
  t->start[++t->n] = t->bytes.size;
  t->slots[at] = (uint32_t)t->n;
  *new = true;
  return (uint32_t)t->n - 1;
}

static uint32_t made_pair(struct made *t, uint32_t a, uint32_t b, rmx_buf *scratch, bool *new) {
  scratch->size = 0;
  rmx_buf_add(scratch, t->bytes.data + t->start[a], t->start[a + 1] - t->start[a]);
  rmx_buf_add(scratch, t->bytes.data + t->start[b], t->start[b + 1] - t->start[b]);
  return scratch->failed || t->bytes.failed ? 0 : made_id(t, scratch->data, scratch->size, new);
}

// ---- the whole -----------------------------------------------------------------

static bool spell_words(struct learning *l) {
  uint8_t order[256];
  uint32_t id_of[256];
  rmx__byte_order(order);
  for (uint32_t i = 0; i < 256; i++) id_of[order[i]] = i;
  size_t n = l->counts.n, total = 0;
  for (size_t i = 0; i < n; i++) total += l->counts.words[i].size;
  l->symbols = rmx_calloc(total, sizeof *l->symbols);
  l->first = rmx_calloc(n, sizeof *l->first);
  l->length = rmx_calloc(n, sizeof *l->length);
  if (!l->symbols || !l->first || !l->length) return false;
  size_t at = 0;
  for (size_t i = 0; i < n && !l->failed; i++) {
    const struct word *word = &l->counts.words[i];
    l->first[i] = at;
    l->length[i] = word->size;
    for (uint32_t j = 0; j < word->size; j++) l->symbols[at + j] = id_of[(uint8_t)word->text[j]];
    for (uint32_t j = 0; j + 1 < word->size; j++)
      change(l, l->symbols[at + j], l->symbols[at + j + 1], word->count, (uint32_t)i);
    at += word->size;
  }
  for (size_t i = 0; l->pairs && i <= l->mask && !l->failed; i++)
    if (l->pairs[i].ids != UINT64_MAX && l->pairs[i].count >= MIN_COUNT)
      heap_push(l, (struct entry){l->pairs[i].count, l->pairs[i].ids});
  return !l->failed;
}

// The most frequent pair by its present count; false if none is left.
static bool best_pair(struct learning *l, uint64_t *ids) {
  while (l->nheap && !l->failed) {
    struct entry e = heap_pop(l);
    int64_t count = pair_slot(l->pairs, l->mask, e.ids)->count;
    if (count == e.count) {
      *ids = e.ids;
      return true;
    }
    // A pair whose count rose was added again at that time.
    if (count < e.count && count >= MIN_COUNT) heap_push(l, (struct entry){count, e.ids});
  }
  return false;
}

struct learnt {
  rmx__merge *merges;
  size_t n, capacity;
};

static bool has_merge(const struct learnt *t, rmx__merge m) {
  for (size_t i = 0; i < t->n; i++)
    if (t->merges[i].a == m.a && t->merges[i].b == m.b) return true;
  return false;
}

// false: there is no memory
static bool add_merge(struct learnt *t, rmx__merge m) {
  if (t->n == t->capacity) {
    const size_t capacity = t->capacity ? 2 * t->capacity : 1024;
    rmx__merge *more = rmx_realloc(t->merges, capacity, sizeof *more);
    if (!more) return false;
    t->merges = more;
    t->capacity = capacity;
  }
  t->merges[t->n++] = m;
  return true;
}

static bool merge_best_pairs(struct learning *l, struct made *made, size_t wanted, rmx_buf *scratch,
                             struct learnt *learnt) {
  uint64_t ids;
  bool new;
  while (made->n < 256 + wanted && best_pair(l, &ids)) {
    if (rmx_interrupted()) return true;
    rmx__merge m = {.a = (uint32_t)(ids >> 32), .b = (uint32_t)ids};
    m.made = made_pair(made, m.a, m.b, scratch, &new);
    if (scratch->failed || made->bytes.failed) return false;
    // If other tokens give the same bytes, this is a second merge to the same token. If the same
    // pair comes again (another merge made its tokens neighbours), there is nothing to add.
    if ((new || !has_merge(learnt, m)) && !add_merge(learnt, m)) return false;
    merge_everywhere(l, m);
  }
  return !l->failed;
}

static void release_learning(struct learning *l) {
  free(l->counts.words);
  free(l->counts.slots);
  free(l->symbols);
  free(l->first);
  free(l->length);
  for (size_t i = 0; l->pairs && i <= l->mask; i++) free(l->pairs[i].words);
  free(l->pairs);
  free(l->heap);
  free(l->touched);
}

static rmx_status learn(struct learning *l, struct made *made, rmx_buf *scratch,
                        const char *const *texts, const size_t *sizes, size_t n, size_t wanted,
                        struct learnt *learnt, rmx_err *err) {
  for (size_t i = 0; i < n; i++) RMX_TRY(count_words(&l->counts, texts[i], sizes[i], err));
  bool enough = made_init(made, wanted) && spell_words(l), new;
  uint8_t order[256];
  rmx__byte_order(order);
  for (int i = 0; enough && i < 256; i++) made_id(made, (const char *)&order[i], 1, &new);
  enough = enough && merge_best_pairs(l, made, wanted, scratch, learnt);
  if (!enough) return rmx_fail_memory(err, 0, "the training of a tokenizer");
  return rmx_interrupted()
             ? rmx_fail(err, RMX_EINTERRUPTED, "interrupted while the tokenizer was trained")
             : RMX_OK;
}

rmx_status rmx__bpe_learn(const char *const *texts, const size_t *sizes, size_t n, size_t wanted,
                          rmx__merge **merges, size_t *nmerges, rmx_err *err) {
  struct learning l = {0};
  struct made made = {0};
  struct learnt learnt = {0};
  rmx_buf scratch = {0};
  const rmx_status status = learn(&l, &made, &scratch, texts, sizes, n, wanted, &learnt, err);
  if (status == RMX_OK) {
    *merges = learnt.merges;
    *nmerges = learnt.n;
  } else {
    free(learnt.merges);
  }
  release_learning(&l);
  free(made.start);
  free(made.slots);
  rmx_buf_release(&made.bytes);
  rmx_buf_release(&scratch);
  return status;
}
