// SPDX-License-Identifier: Apache-2.0
// Drops training text that repeats the validation text of a target, because it would make its
// domain look too good. As in the report on GPT-3 (Brown et al., 2020, appendix C), a document is a
// copy if it has 13 words in a row in common with a validation text. A word is a run of letters and
// digits in lower case, so layout and punctuation do not matter. In scripts without spaces a letter
// counts as a word.
//
// Words that many documents of a domain have in common with a target are boilerplate, such as a
// licence, and not a copy. So a row of words counts only if RMX__FEW_DOCUMENTS or fewer documents
// of the domain have it, or one in RMX__OF_DOCUMENTS if that is more. Only documents of this domain
// are counted, so what is dropped from a domain does not depend on the other training domains. The
// price: copies that occur more often are kept.
//
// Memory is bounded. If the targets have more than rmx__limits.overlap_grams rows of words, these
// are divided by their hashes into rounds, and the training text is searched once for each round.
// With many domains, some are searched at a time.
#include <stdlib.h>
#include <string.h>

#include "documents.h"
#include "grams.h"
#include "hash_set.h"
#include "limits.h"
#include "ordered.h"

enum { BATCH_BYTES = 1 << 18 };

struct search {
  const rmx__overlap *o;
  uint32_t *max;      // (o->n) a gram in more documents of the domain is boilerplate
  struct best *best;  // (o->n) for the message: the gram that the most documents share
  size_t round, rounds;
  rmx__hash_set set;  // grams of the targets in this round
  rmx__gram_filter filter;
  _Atomic uint32_t *counts;  // (domains of the group, set.mask + 1) documents that have a gram
  size_t first, last;        // the group: domains first .. last - 1
  bool *group;               // (o->n)
  // the pass over the documents
  rmx__cursor cursor;
  bool judging;  // the second pass, over the documents with a hit
};

struct best {
  uint64_t gram;
  uint32_t count;  // 0: none
};

// ---- the grams of the targets

struct gathering {
  struct search *s;
  rmx_err *err;
  rmx_status status;
};

static bool gather(void *context, uint64_t gram, const char *from, const char *to) {
  struct gathering *g = context;
  struct search *s = g->s;
  (void)from, (void)to;
  bool new;
  if ((gram >> 8) % s->rounds != s->round) return true;
  if (!rmx__hash_set_add(&s->set, gram, &new))
    g->status = rmx_fail_memory(g->err, 16 * s->set.n, "the words of the targets");
  return g->status == RMX_OK && s->set.n <= rmx__limits.overlap_grams;
}

static rmx_status gather_documents(struct search *s, const bool *targets, rmx_err *err) {
  rmx__cursor c = {.spool = s->o->spool, .domains = targets};
  const rmx__located *d;
  rmx__grams g;
  rmx__batch text = {0};
  const rmx__gram_filter all = {0};
  struct gathering gathering = {s, err, RMX_OK};
  rmx_status status = rmx__grams_init(&g, s->o->words)
                          ? RMX_OK
                          : rmx_fail_memory(err, s->o->words * 16, "the words of the targets");
  while (status == RMX_OK && s->set.n <= rmx__limits.overlap_grams &&
         (status = rmx__cursor_next(&c, &d, err)) == RMX_OK && d) {
    if (s->o->spool->fates[d->number] != RMX__VALID) continue;
    rmx__batch_clear(&text);
    status = rmx__batch_add(&text, d, err);
    if (status == RMX_OK) status = rmx__batch_read(&text, s->o->spool, err);
    if (status != RMX_OK) break;
    rmx__grams_walk(&g, text.text, d->size, &all, gather, &gathering);
    status = gathering.status;
  }
  rmx__grams_release(&g);
  rmx__batch_release(&text);
  rmx__cursor_release(&c);
  return status;
}

// 16 bits or more for each gram, in 64 kB to 2 MB, which a processor has in its cache.
static rmx_status make_filter(struct search *s, rmx_err *err) {
  int log2 = 19;
  while (log2 < 24 && (1ull << log2) < 16 * s->set.n) log2++;
  s->filter = (rmx__gram_filter){rmx_calloc((size_t)1 << (log2 - 3), 1), log2};
  if (!s->filter.bits) return rmx_fail_memory(err, 1u << (log2 - 3), "the words of the targets");
  for (size_t i = 0; i <= s->set.mask; i++) {
    if (!s->set.slots[i]) continue;
    const uint64_t bit = rmx__gram_bit(&s->filter, s->set.slots[i]);
    s->filter.bits[bit / 8] |= (uint8_t)(1u << bit % 8);
  }
  return RMX_OK;
}

static void release_grams(struct search *s) {
  rmx__hash_set_release(&s->set);
  free(s->filter.bits);
  s->filter.bits = NULL;
}

// The grams of one round. *fits = false: there are more than fit into memory.
static rmx_status gather_round(struct search *s, bool *fits, rmx_err *err) {
  bool *targets = rmx_calloc(s->o->n, sizeof *targets);
  if (!targets) return rmx_fail_memory(err, s->o->n, "the targets");
  for (size_t t = 0; t < s->o->ntargets; t++) targets[s->o->targets[t]] = true;
  release_grams(s);
  rmx_status status = gather_documents(s, targets, err);
  free(targets);
  *fits = s->set.n <= rmx__limits.overlap_grams;
  return status == RMX_OK && *fits && s->set.n ? make_filter(s, err) : status;
}

// ---- documents of the group, in parallel

// Some documents, and what is found in them.
struct item {
  rmx__batch batch;
  rmx__grams grams;
  bool begun;
  struct search *s;
  // of the present document
  _Atomic uint32_t *counts;  // of its domain
  uint32_t max;
  size_t *slots;  // (n) slots of the set for its grams
  size_t n, capacity;
  bool failed, found;
};

static rmx_status take(void *context, void *into, uint64_t *bytes, bool *more, rmx_err *err) {
  struct search *s = context;
  struct item *item = into;
  const rmx__located *d;
  rmx__batch_clear(&item->batch);
  item->s = s;
  while (item->batch.bytes < BATCH_BYTES) {
    RMX_TRY(rmx__cursor_next(&s->cursor, &d, err));
    if (!d) break;
    const uint8_t fate = s->o->spool->fates[d->number];
    if ((fate & RMX__FATE) == RMX__TRAIN && (!s->judging || fate & RMX__HIT))
      RMX_TRY(rmx__batch_add(&item->batch, d, err));
  }
  *bytes = item->batch.bytes;
  *more = item->batch.n > 0;
  return RMX_OK;
}

static bool note_hit(void *context, uint64_t gram, const char *from, const char *to) {
  struct item *h = context;
  (void)from, (void)to;
  const size_t slot = rmx__hash_set_find(&h->s->set, gram);
  if (slot == SIZE_MAX) return true;
  if (h->n == h->capacity) {
    const size_t capacity = h->capacity ? 2 * h->capacity : 256;
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
  struct item *h = context;
  (void)from, (void)to;
  const size_t slot = rmx__hash_set_find(&h->s->set, gram);
  h->found = slot != SIZE_MAX && h->counts[slot] <= h->max;
  return !h->found;
}

static int by_slot(const void *x, const void *y) {
  const size_t a = *(const size_t *)x, b = *(const size_t *)y;
  return (a > b) - (a < b);
}

// First pass, over all documents: one that shares a gram is counted once for each of these grams,
// and marked.
static void count_document(struct item *h, const char *text, size_t size, uint8_t *fate) {
  h->n = 0;
  rmx__grams_walk(&h->grams, text, size, &h->s->filter, note_hit, h);
  if (h->n == 0) return;
  qsort(h->slots, h->n, sizeof *h->slots, by_slot);
  for (size_t i = 0; i < h->n; i++)
    if (i == 0 || h->slots[i] != h->slots[i - 1]) atomic_fetch_add(&h->counts[h->slots[i]], 1);
  *fate |= RMX__HIT | RMX__SHARES;
}

// Second pass, over the marked documents: is there a gram that is not boilerplate?
static void judge_document(struct item *h, const char *text, size_t size, uint8_t *fate) {
  h->found = false;
  rmx__grams_walk(&h->grams, text, size, &h->s->filter, note_copy, h);
  *fate &= (uint8_t)~RMX__HIT;
  if (h->found) *fate |= RMX__COPY;
}

static rmx_status work(void *context, void *into, rmx_err *err) {
  struct search *s = context;
  struct item *h = into;
  if (!h->begun && !rmx__grams_init(&h->grams, s->o->words)) h->failed = true;
  h->begun = true;
  RMX_TRY(rmx__batch_read(&h->batch, s->o->spool, err));
  const char *text = h->batch.text;
  for (size_t i = 0; i < h->batch.n && !h->failed; i++) {
    const rmx__located *d = &h->batch.documents[i];
    h->counts = s->counts + (d->domain - s->first) * (s->set.mask + 1);
    h->max = s->max[d->domain];
    (s->judging ? judge_document : count_document)(h, text, d->size,
                                                   &s->o->spool->fates[d->number]);
    text += d->size;
  }
  return h->failed ? rmx_fail_memory(err, h->capacity * sizeof *h->slots, "the search for overlaps")
                   : RMX_OK;
}

static rmx_status put(void *context, void *item, bool *more, rmx_err *err) {
  struct search *s = context;
  (void)more, (void)err;
  if (!s->judging) s->o->done(s->o->context, ((struct item *)item)->batch.bytes / s->rounds);
  return RMX_OK;
}

static void release_item(void *item) {
  struct item *h = item;
  rmx__batch_release(&h->batch);
  rmx__grams_release(&h->grams);
  free(h->slots);
}

static rmx_status pass(struct search *s, bool judging, rmx_err *err) {
  static const rmx__ordered ordered = {sizeof(struct item), take, work, put, release_item};
  s->judging = judging;
  s->cursor = (rmx__cursor){.spool = s->o->spool, .domains = s->group};
  const rmx_status status = rmx__ordered_run(&ordered, s->o->threads, s, err);
  rmx__cursor_release(&s->cursor);
  return status;
}

// ---- a domain that would lose too much --------------------------------------

// Among equals the smaller hash wins, because a slot depends on the order of filling.
static void note_best(struct search *s) {
  const size_t slots = s->set.mask + 1;
  for (size_t d = s->first; d < s->last; d++)
    for (size_t i = 0; i < slots; i++) {
      const uint32_t count = s->counts[(d - s->first) * slots + i];
      const uint64_t gram = s->set.slots[i];
      if (count == 0 || count > s->max[d] || count < s->best[d].count) continue;
      if (count > s->best[d].count || gram < s->best[d].gram)
        s->best[d] = (struct best){gram, count};
    }
}

struct example {
  uint64_t gram;
  const char *from, *to;
};

static bool is_example(void *context, uint64_t gram, const char *from, const char *to) {
  struct example *e = context;
  if (gram != e->gram) return true;
  e->from = from;
  e->to = to;
  return false;
}

// The common words that the most documents have, as the first of these documents spells them, on
// one line.
static void put_example(const struct search *s, size_t domain, rmx_buf *out) {
  rmx__grams g;
  rmx__batch text = {0};
  rmx_err ignored;
  const rmx__gram_filter all = {0};
  const rmx__located *d;
  struct example e = {.gram = s->best[domain].gram};
  bool *only = rmx_calloc(s->o->n, sizeof *only);
  rmx__cursor c = {.spool = s->o->spool, .domains = only};
  if (only) only[domain] = true;
  bool good = rmx__grams_init(&g, s->o->words) && only;
  while (good && !e.from && rmx__cursor_next(&c, &d, &ignored) == RMX_OK && d) {
    if (s->o->spool->fates[d->number] != RMX__OVERLAP) continue;
    rmx__batch_clear(&text);
    good = rmx__batch_add(&text, d, &ignored) == RMX_OK &&
           rmx__batch_read(&text, s->o->spool, &ignored) == RMX_OK;
    if (good) rmx__grams_walk(&g, text.text, d->size, &all, is_example, &e);
  }
  for (const char *p = e.from; p && p < e.to; p++) rmx_buf_add(out, (uint8_t)*p < ' ' ? " " : p, 1);
  rmx__grams_release(&g);
  rmx__batch_release(&text);
  rmx__cursor_release(&c);
  free(only);
}

static rmx_status check_loss(const struct search *s, size_t domain, rmx_err *err) {
  const rmx__documents *d = &s->o->domains[domain];
  const double share = (double)d->overlap_bytes / (double)(d->train_bytes + d->overlap_bytes);
  if (d->overlaps == 0 || (d->train > 0 && share <= s->o->max)) return RMX_OK;
  rmx_buf example = {0};
  rmx_buf_add(&example, "", 0);
  put_example(s, domain, &example);
  rmx_status status =
      rmx_fail(err, RMX_EINPUT,
               "domain \"%s\" would lose %.0f %% of its training text (%llu of %llu "
               "documents), which has %zu words in a row in common with the validation text "
               "of a target; the limit is %.0f %% (corpus.max_overlap). The words that the "
               "most documents share: \"%.300s\". Leave the domain out, raise corpus.overlap, "
               "or set it to 0",
               d->name, 100 * share, (unsigned long long)d->overlaps,
               (unsigned long long)(d->overlaps + d->train), s->o->words, 100 * s->o->max,
               example.failed ? "" : example.data);
  rmx_buf_release(&example);
  return status;
}

// ---- all of it --------------------------------------------------------------

// Searches the text of some domains, whose counters fit into memory together.
static rmx_status search_group(struct search *s, rmx_err *err) {
  const size_t slots = s->set.mask + 1, room = rmx__limits.overlap_counts / slots;
  s->last = s->first + (room > 1 ? room : 1);
  if (s->last > s->o->n) s->last = s->o->n;
  for (size_t d = 0; d < s->o->n; d++)
    s->group[d] = d >= s->first && d < s->last && !s->o->domains[d].valid_only;
  s->counts = rmx_calloc((s->last - s->first) * slots, sizeof *s->counts);
  if (!s->counts)
    return rmx_fail_memory(err, slots * sizeof *s->counts, "the words of the targets");
  rmx_status status = pass(s, false, err);
  if (status == RMX_OK) status = pass(s, true, err);
  if (status == RMX_OK) note_best(s);
  free(s->counts);
  return status;
}

static rmx_status search_round(struct search *s, rmx_err *err) {
  for (s->first = 0; s->first < s->o->n; s->first = s->last) RMX_TRY(search_group(s, err));
  return RMX_OK;
}

// Twice as many rounds, until the grams of each fit into memory.
static rmx_status search_rounds(struct search *s, rmx_err *err) {
  bool fits = false;
  s->rounds = 1;
  for (s->round = 0; s->round < s->rounds;) {
    RMX_TRY(gather_round(s, &fits, err));
    if (!fits) {
      s->rounds *= 2;
      s->round = 0;  // what was found before is found again
      continue;
    }
    if (s->set.n) RMX_TRY(search_round(s, err));
    s->round++;
  }
  return RMX_OK;
}

// Marks become fates.
static rmx_status decide(const struct search *s, rmx_err *err) {
  rmx__documents *domains = s->o->domains;
  rmx__cursor c = {.spool = s->o->spool};
  const rmx__located *d;
  rmx_status status;
  while ((status = rmx__cursor_next(&c, &d, err)) == RMX_OK && d) {
    uint8_t *fate = &s->o->spool->fates[d->number];
    if (!(*fate & ~RMX__FATE)) continue;
    if (*fate & RMX__COPY) {
      domains[d->domain].overlaps++;
      domains[d->domain].overlap_bytes += d->size;
    } else {
      domains[d->domain].boilerplate++;
    }
    *fate = *fate & RMX__COPY ? RMX__OVERLAP : RMX__TRAIN;
  }
  rmx__cursor_release(&c);
  return status;
}

rmx_status rmx__documents_overlap(const rmx__overlap *o, rmx_err *err) {
  struct search s = {.o = o,
                     .max = rmx_calloc(o->n, sizeof *s.max),
                     .best = rmx_calloc(o->n, sizeof *s.best),
                     .group = rmx_calloc(o->n, sizeof *s.group)};
  rmx_status status = s.max && s.best && s.group
                          ? rmx__documents_count(o->spool, o->domains, o->n, err)
                          : rmx_fail_memory(err, o->n * sizeof *s.best, "the search for overlaps");
  for (size_t i = 0; i < o->n && status == RMX_OK; i++) {
    const uint64_t share = o->domains[i].train / RMX__OF_DOCUMENTS;
    s.max[i] = share < RMX__FEW_DOCUMENTS ? RMX__FEW_DOCUMENTS
               : share < UINT32_MAX       ? (uint32_t)share
                                          : UINT32_MAX;
  }
  if (status == RMX_OK) status = search_rounds(&s, err);
  if (status == RMX_OK) status = decide(&s, err);
  if (status == RMX_OK) status = rmx__documents_count(o->spool, o->domains, o->n, err);
  for (size_t i = 0; i < o->n && status == RMX_OK; i++) status = check_loss(&s, i, err);
  release_grams(&s);
  free(s.max);
  free(s.best);
  free(s.group);
  return status;
}
