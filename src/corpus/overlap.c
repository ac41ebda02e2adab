// SPDX-License-Identifier: Apache-2.0
// Drops training text that repeats the validation text of a target, because it would make its
// domain look too good. As in the report on GPT-3 (Brown et al., 2020, appendix C), a document is a
// copy if it has 13 words in a row in common with a validation text. A word is a run of letters and
// digits in lower case, so layout and punctuation do not matter. In scripts without spaces a whole
// phrase counts as one word, so the test is weaker there.
//
// Words that many documents of a domain have in common with a target are boilerplate, such as a
// licence, and not a copy. So a row of words counts only if RMX__FEW_DOCUMENTS or fewer documents
// of the domain have it, or one in RMX__OF_DOCUMENTS if that is more. Only documents of this domain
// are counted, so what is dropped from a domain does not depend on the other training domains. The
// price: copies that occur more often are kept.
//
// With h_i the hashes of the words, the hash of n words is sum h_i P^(n-1-i) mod 2^64. It can be
// updated by one word in constant time. Memory: 24 to 48 bytes for each word of the validation
// text of the targets.
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "documents.h"
#include "hash_set.h"
#include "utf8.h"

#define P 0x9E3779B97F4A7C15u

struct grams {
  size_t n;             // words in a gram
  uint64_t power;       // P^n
  uint64_t *ring;       // (n) hashes of the last words
  const char **starts;  // (n) where they are in the text
};

static bool grams_init(struct grams *g, size_t n) {
  *g = (struct grams){n, 1, rmx_calloc(n, sizeof *g->ring), rmx_calloc(n, sizeof *g->starts)};
  for (size_t i = 0; i < n; i++) g->power *= P;
  return g->ring && g->starts;
}

static void grams_release(struct grams *g) {
  free(g->ring);
  free(g->starts);
}

// Reads one word from *at on; false at the end of the text.
static bool next_word(const char **at, const char *end, const char **start, rmx_buf *word) {
  word->size = 0;
  while (*at < end) {
    rmx__class class;
    int32_t code;
    size_t n = rmx__utf8_next(*at, end, &code, &class);
    bool inside = class == RMX__LETTER || class == RMX__NUMBER;
    if (!inside && word->size) return true;
    if (inside) {
      if (word->size == 0) *start = *at;
      utf8proc_uint8_t lower[4];
      rmx_buf_add(word, lower, (size_t)utf8proc_encode_char(utf8proc_tolower(code), lower));
    }
    *at += n;
  }
  return word->size > 0;
}

// Calls `each` with the hash and the place of every gram of a text, until it returns false.
static void walk(struct grams *g, const char *text, size_t size, rmx_buf *word,
                 bool (*each)(void *context, uint64_t gram, const char *from, const char *to),
                 void *context) {
  const char *at = text, *end = text + size, *start = text;
  uint64_t gram = 0;
  for (size_t i = 0; next_word(&at, end, &start, word) && !word->failed; i++) {
    uint64_t h = rmx_hash(word->data, word->size, 0), *oldest = &g->ring[i % g->n];
    gram = gram * P + h - (i >= g->n ? g->power * *oldest : 0);
    *oldest = h;
    g->starts[i % g->n] = start;
    // The last multiplication leaves good high bits and poor low ones, but the set uses the low
    // ones.
    if (i + 1 >= g->n && !each(context, gram ^ gram >> 32, g->starts[(i + 1) % g->n], at)) return;
  }
}

struct gathering {
  rmx__hash_set *set;
  bool failed;
};

static bool gather(void *context, uint64_t gram, const char *from, const char *to) {
  struct gathering *g = context;
  (void)from, (void)to;
  bool new;
  g->failed = !rmx__hash_set_add(g->set, gram, &new);
  return !g->failed;
}

// ---- the training documents of one domain, in parallel -----------------------------------------

enum { DOCUMENTS_A_PIECE = 256 };

struct search {
  rmx__documents *domain;
  const rmx__hash_set *set;  // of the targets' grams
  _Atomic uint32_t *counts;  // (set->mask + 1) for each gram: documents of the domain that have it
  uint32_t max;              // a gram in more documents is boilerplate
  size_t words;
  atomic_bool failed;
};

struct hits {
  const struct search *search;
  size_t *slots;  // (n) slots of the set for the grams of one document
  size_t n, capacity;
  bool failed, found;
};

static bool note_hit(void *context, uint64_t gram, const char *from, const char *to) {
  struct hits *h = context;
  (void)from, (void)to;
  size_t slot = rmx__hash_set_find(h->search->set, gram);
  if (slot == SIZE_MAX) return true;
  if (h->n == h->capacity) {
    size_t capacity = h->capacity ? 2 * h->capacity : 256;
    size_t *slots = rmx_realloc(h->slots, capacity, sizeof *slots);
    h->failed = !slots;
    if (!slots) return false;
    h->slots = slots;
    h->capacity = capacity;
  }
  h->slots[h->n++] = slot;
  return true;
}

static bool note_copy(void *context, uint64_t gram, const char *from, const char *to) {
  struct hits *h = context;
  (void)from, (void)to;
  size_t slot = rmx__hash_set_find(h->search->set, gram);
  h->found = slot != SIZE_MAX && h->search->counts[slot] <= h->search->max;
  return !h->found;
}

static int by_slot(const void *x, const void *y) {
  size_t a = *(const size_t *)x, b = *(const size_t *)y;
  return (a > b) - (a < b);
}

// Counts a document once for each gram that it shares with the targets.
static void count_hits(const struct search *s, struct hits *h) {
  if (h->n) qsort(h->slots, h->n, sizeof *h->slots, by_slot);
  for (size_t i = 0; i < h->n; i++)
    if (i == 0 || h->slots[i] != h->slots[i - 1]) atomic_fetch_add(&s->counts[h->slots[i]], 1);
}

// Visits the documents of a piece that have the fate. `note` sees the grams of each, then `judge`
// decides on its fate.
static void walk_piece(struct search *s, size_t piece, rmx__fate fate,
                       bool (*note)(void *context, uint64_t gram, const char *from, const char *to),
                       void (*judge)(struct hits *h, rmx__document *doc)) {
  struct grams g;
  rmx_buf word = {0};
  struct hits h = {.search = s};
  bool good = grams_init(&g, s->words);
  size_t from = piece * DOCUMENTS_A_PIECE, to = from + DOCUMENTS_A_PIECE;
  for (size_t j = from; j < to && j < s->domain->n && good && !rmx_interrupted(); j++) {
    rmx__document *doc = &s->domain->items[j];
    if (doc->fate != fate) continue;
    h.n = 0;
    h.found = false;
    walk(&g, rmx__document_text(s->domain, doc), doc->size, &word, note, &h);
    judge(&h, doc);
    good = !word.failed && !h.failed;
  }
  if (!good) s->failed = true;
  grams_release(&g);
  free(h.slots);
  rmx_buf_release(&word);
}

static void mark_sharing(struct hits *h, rmx__document *doc) {
  count_hits(h->search, h);
  if (h->n) doc->fate = RMX__OVERLAP;
}

static void unmark_boilerplate(struct hits *h, rmx__document *doc) {
  if (!h->found) doc->fate = RMX__BOILERPLATE;
}

// First pass, over all documents: those that share a gram are counted and marked.
static void count_piece(void *context, size_t piece) {
  walk_piece(context, piece, RMX__TRAIN, note_hit, mark_sharing);
}

// Second pass, over the marked documents: those that share only boilerplate are unmarked.
static void judge_piece(void *context, size_t piece) {
  walk_piece(context, piece, RMX__OVERLAP, note_copy, unmark_boilerplate);
}

// ---- a domain that would lose too much --------------------------------------

struct example {
  const struct search *search;
  size_t slot;
  const char *from, *to;
};

static bool is_example(void *context, uint64_t gram, const char *from, const char *to) {
  struct example *e = context;
  if (rmx__hash_set_find(e->search->set, gram) != e->slot) return true;
  e->from = from;
  e->to = to;
  return false;
}

// The common words that the most documents have, as the first of these documents spells them, on
// one line.
static void put_example(const struct search *s, rmx_buf *out) {
  struct grams g;
  rmx_buf word = {0};
  struct example e = {.search = s, .slot = SIZE_MAX};
  for (size_t i = 0; i <= s->set->mask; i++) {
    if (s->counts[i] == 0 || s->counts[i] > s->max) continue;
    // Among equals the smaller hash wins, because a slot depends on the order of filling.
    if (e.slot == SIZE_MAX || s->counts[i] > s->counts[e.slot] ||
        (s->counts[i] == s->counts[e.slot] && s->set->slots[i] < s->set->slots[e.slot]))
      e.slot = i;
  }
  if (e.slot != SIZE_MAX && grams_init(&g, s->words)) {
    for (size_t j = 0; j < s->domain->n && !e.from; j++) {
      const rmx__document *doc = &s->domain->items[j];
      if (doc->fate == RMX__OVERLAP)
        walk(&g, rmx__document_text(s->domain, doc), doc->size, &word, is_example, &e);
    }
    grams_release(&g);
  }
  rmx_buf_release(&word);
  for (const char *p = e.from; p && p < e.to; p++) rmx_buf_add(out, (uint8_t)*p < ' ' ? " " : p, 1);
}

static rmx_status check_loss(const struct search *s, double max, rmx_err *err) {
  const rmx__documents *d = s->domain;
  uint64_t left = 0, documents = 0;
  for (size_t i = 0; i < d->n; i++)
    if (d->items[i].fate == RMX__TRAIN) left += d->items[i].size, documents++;
  const double share = (double)d->overlap_bytes / (double)(left + d->overlap_bytes);
  if (d->overlaps == 0 || (documents > 0 && share <= max)) return RMX_OK;
  rmx_buf example = {0};
  rmx_buf_add(&example, "", 0);
  put_example(s, &example);
  rmx_status status =
      rmx_fail(err, RMX_EINPUT,
               "domain \"%s\" would lose %.0f %% of its training text (%llu of %llu "
               "documents), which has %zu words in a row in common with the validation text "
               "of a target; the limit is %.0f %% (corpus.max_overlap). The words that the "
               "most documents share: \"%.300s\". Leave the domain out, raise corpus.overlap, "
               "or set it to 0",
               d->name, 100 * share, (unsigned long long)d->overlaps,
               (unsigned long long)(d->overlaps + documents), s->words, 100 * max,
               example.failed ? "" : example.data);
  rmx_buf_release(&example);
  return status;
}

// ---- all of it --------------------------------------------------------------

static rmx_status search_domain(rmx__documents *d, struct search *s, double max, int threads,
                                rmx_err *err) {
  const size_t npieces = (d->n + DOCUMENTS_A_PIECE - 1) / DOCUMENTS_A_PIECE;
  size_t documents = 0;
  for (size_t i = 0; i < d->n; i++) documents += d->items[i].fate == RMX__TRAIN;
  if (documents == 0) return RMX_OK;
  const size_t share = documents / RMX__OF_DOCUMENTS;
  s->domain = d;
  s->max = share < RMX__FEW_DOCUMENTS ? RMX__FEW_DOCUMENTS
           : share < UINT32_MAX       ? (uint32_t)share
                                      : UINT32_MAX;
  for (size_t i = 0; i <= s->set->mask; i++) s->counts[i] = 0;
  rmx_parallel(threads, npieces, count_piece, s);
  if (!s->failed) rmx_parallel(threads, npieces, judge_piece, s);
  if (s->failed)
    return rmx_fail_memory(err, s->words * sizeof(uint64_t), "the search for overlaps");
  if (rmx_interrupted())
    return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while overlaps were searched for");
  for (size_t i = 0; i < d->n; i++) {
    rmx__document *doc = &d->items[i];
    if (doc->fate == RMX__OVERLAP) d->overlaps++, d->overlap_bytes += doc->size;
    if (doc->fate != RMX__BOILERPLATE) continue;
    doc->fate = RMX__TRAIN;
    d->boilerplate++;
  }
  return check_loss(s, max, err);
}

static rmx_status gather_targets(const rmx__documents *d, const size_t *targets, size_t ntargets,
                                 size_t words, rmx__hash_set *set, rmx_err *err) {
  struct gathering gathering = {set, false};
  struct grams g;
  rmx_buf word = {0};
  bool good = grams_init(&g, words);
  for (size_t t = 0; t < ntargets; t++) {
    const rmx__documents *target = &d[targets[t]];
    for (size_t i = 0; i < target->n && good; i++) {
      const rmx__document *doc = &target->items[i];
      if (doc->fate != RMX__VALID) continue;
      walk(&g, rmx__document_text(target, doc), doc->size, &word, gather, &gathering);
      good = !gathering.failed && !word.failed;
    }
  }
  grams_release(&g);
  rmx_buf_release(&word);
  return good ? RMX_OK : rmx_fail_memory(err, 16 * set->n, "the words of the targets");
}

rmx_status rmx__documents_overlap(rmx__documents *d, size_t n, const size_t *targets,
                                  size_t ntargets, size_t words, double max, int threads,
                                  rmx_err *err) {
  rmx__hash_set set = {0};
  rmx_status status = gather_targets(d, targets, ntargets, words, &set, err);
  if (status == RMX_OK && set.n) {
    struct search s = {
        .set = &set, .words = words, .counts = rmx_calloc(set.mask + 1, sizeof *s.counts)};
    if (!s.counts)
      status = rmx_fail_memory(err, (set.mask + 1) * sizeof *s.counts, "the words of the targets");
    for (size_t i = 0; i < n && status == RMX_OK; i++)
      status = search_domain(&d[i], &s, max, threads, err);
    free(s.counts);
  }
  rmx__hash_set_release(&set);
  return status;
}
