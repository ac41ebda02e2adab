// SPDX-License-Identifier: Apache-2.0
// Finds near duplicates by MinHash (Broder, 1997). The resemblance of two documents is the share of
// their rows of RMX__NEAR_WORDS words that both have (Jaccard). A signature of HASHES minima agrees
// in each place with this probability. It is cut into bands of `rows` places. Two documents that
// agree in all places of a band are candidates; so the probability that two documents of
// resemblance s are found is 1 - (1 - s^rows)^bands. `rows` is the largest number with which this
// is at least FOUND at the wanted resemblance.
//
// One hash of each row of words gives one minimum: the high bits of the hash choose the place (one
// permutation hashing, Li, Owen, Zhang, 2012). An empty place takes over the minimum of another
// one, chosen by a hash of its number (Shrivastava, 2017).
//
// The bands of all documents are sorted on disk, as the hashes of exact duplicates are. Documents
// that share a band are candidates: each is paired with the first EARLIER ones. Then the pairs are
// compared (resemblance.c), because s^rows is not small just below the wanted resemblance. Disk: 24
// bytes for each band of a document, and for each pair.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "documents.h"
#include "grams.h"
#include "ordered.h"
#include "resemblance.h"
#include "sorter.h"

enum { HASHES = 256, BATCH_BYTES = 1 << 18, EARLIER = 8 };
#define FOUND 0.9

struct searching {
  const rmx__spool *spool;
  rmx__documents *domains;
  int rows, bands;
  rmx__cursor cursor;
  rmx__sorter sorter;
};

struct signature {
  uint64_t minima[HASHES];
  bool any;
};

struct item {
  rmx__batch batch;
  rmx__grams grams;
  bool begun;
  uint64_t *bands;  // (batch.n, bands)
  bool *has;        // (batch.n) it is long enough
  size_t capacity;  // documents
};

void rmx__near_bands(double resemblance, int *rows, int *bands) {
  *rows = 1;
  for (int r = 1; r <= 64; r++) {
    const double found = 1 - pow(1 - pow(resemblance, r), HASHES / r);
    if (found >= FOUND) *rows = r;
  }
  *bands = HASHES / *rows;
}

// ---- signatures

static uint64_t mix(uint64_t x) {
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93u;
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93u;
  return x ^ x >> 32;
}

static bool add_gram(void *context, uint64_t gram, const char *from, const char *to) {
  struct signature *s = context;
  (void)from, (void)to;
  const uint64_t h = mix(gram);
  uint64_t *minimum = &s->minima[h >> 56];
  if (h < *minimum) *minimum = h;
  s->any = true;
  return true;
}

static void fill_empty(struct signature *s) {
  uint64_t full[HASHES];
  memcpy(full, s->minima, sizeof full);
  for (uint64_t i = 0; i < HASHES; i++)
    for (uint64_t attempt = 1; s->minima[i] == UINT64_MAX; attempt++)
      s->minima[i] = full[mix(i * 1000003 + attempt) >> 56];
}

// The hash of each band; the number of the band is part of it. False: the text has too few words.
static bool hash_bands(const struct searching *s, rmx__grams *g, const char *text, size_t size,
                       uint64_t *bands) {
  static const rmx__gram_filter all = {0};
  struct signature signature = {.any = false};
  for (int i = 0; i < HASHES; i++) signature.minima[i] = UINT64_MAX;
  rmx__grams_walk(g, text, size, &all, add_gram, &signature);
  if (!signature.any) return false;
  fill_empty(&signature);
  for (int b = 0; b < s->bands; b++)
    bands[b] = rmx_hash(&signature.minima[b * s->rows], (size_t)s->rows * sizeof *signature.minima,
                        (uint64_t)b);
  return true;
}

// ---- all documents, in parallel

static rmx_status take(void *context, void *into, uint64_t *bytes, bool *more, rmx_err *err) {
  struct searching *s = context;
  struct item *item = into;
  const rmx__located *d;
  rmx__batch_clear(&item->batch);
  while (item->batch.bytes < BATCH_BYTES && item->batch.n < BATCH_BYTES / 64) {
    RMX_TRY(rmx__cursor_next(&s->cursor, &d, err));
    if (!d) break;
    if (s->spool->fates[d->number] != RMX__DUPLICATE) RMX_TRY(rmx__batch_add(&item->batch, d, err));
  }
  *bytes = item->batch.bytes;
  *more = item->batch.n > 0;
  return RMX_OK;
}

static bool make_room(struct item *item, int bands) {
  if (!item->begun && !rmx__grams_init(&item->grams, RMX__NEAR_WORDS)) return false;
  item->begun = true;
  if (item->capacity >= item->batch.n) return true;
  uint64_t *b = rmx_realloc(item->bands, item->batch.capacity * (size_t)bands, sizeof *b);
  if (b) item->bands = b;
  bool *has = rmx_realloc(item->has, item->batch.capacity, sizeof *has);
  if (has) item->has = has;
  if (b && has) item->capacity = item->batch.capacity;
  return b && has;
}

static rmx_status sign(void *context, void *into, rmx_err *err) {
  const struct searching *s = context;
  struct item *item = into;
  if (!make_room(item, s->bands)) return rmx_fail_memory(err, item->batch.n, "near duplicates");
  RMX_TRY(rmx__batch_read(&item->batch, s->spool, err));
  const char *text = item->batch.text;
  for (size_t i = 0; i < item->batch.n; i++) {
    const size_t size = item->batch.documents[i].size;
    item->has[i] = hash_bands(s, &item->grams, text, size, item->bands + i * (size_t)s->bands);
    text += size;
  }
  return RMX_OK;
}

static rmx_status put(void *context, void *from, bool *more, rmx_err *err) {
  struct searching *s = context;
  const struct item *item = from;
  (void)more;
  for (size_t i = 0; i < item->batch.n; i++) {
    const rmx__located *d = &item->batch.documents[i];
    const uint64_t rank = rmx__document_rank(s->spool, d);
    for (int b = 0; b < s->bands && item->has[i]; b++)
      RMX_TRY(rmx__sorter_add(&s->sorter, item->bands[i * (size_t)s->bands + (size_t)b], rank,
                              d->number, err));
  }
  return RMX_OK;
}

static void release_item(void *item) {
  struct item *i = item;
  rmx__batch_release(&i->batch);
  rmx__grams_release(&i->grams);
  free(i->bands);
  free(i->has);
}

// ---- candidates

// Pairs each document of a band with the first ones. rank: those that validate come first.
static rmx_status pair_up(const rmx__sorter *bands, rmx__sorter *pairs, rmx_err *err) {
  rmx__sorted all = {.sorter = bands, .end = bands->total};
  uint64_t earlier[EARLIER] = {0}, band = 0;
  const rmx__record *r;
  for (size_t n = 0;;) {
    RMX_TRY(rmx__sorted_next(&all, &r, err));
    if (!r) return RMX_OK;
    if (r->key[0] != band) n = 0;
    band = r->key[0];
    for (size_t i = 0; i < n; i++)
      if (earlier[i] != r->key[2]) RMX_TRY(rmx__sorter_add(pairs, r->key[2], earlier[i], 0, err));
    if (n < EARLIER) earlier[n++] = r->key[2];
  }
}

static rmx_status compare(const struct searching *s, double resemblance, int threads,
                          rmx_err *err) {
  rmx__sorter pairs = {.folder = s->spool->folder};
  rmx_status status = pair_up(&s->sorter, &pairs, err);
  if (status == RMX_OK) status = rmx__sorter_finish(&pairs, err);
  if (status == RMX_OK)
    status = rmx__mark_resembling(s->spool, s->domains, &pairs, resemblance, threads, err);
  rmx__sorter_release(&pairs);
  return status;
}

rmx_status rmx__documents_near(const rmx__spool *spool, rmx__documents *d, double resemblance,
                               int threads, rmx_err *err) {
  static const rmx__ordered stages = {sizeof(struct item), take, sign, put, release_item};
  struct searching s = {.spool = spool,
                        .domains = d,
                        .cursor = {.spool = spool},
                        .sorter = {.folder = spool->folder}};
  rmx__near_bands(resemblance, &s.rows, &s.bands);
  rmx_status status = rmx__ordered_run(&stages, threads, &s, err);
  if (status == RMX_OK) status = rmx__sorter_finish(&s.sorter, err);
  if (status == RMX_OK) status = compare(&s, resemblance, threads, err);
  rmx__cursor_release(&s.cursor);
  rmx__sorter_release(&s.sorter);
  return status;
}
