// SPDX-License-Identifier: Apache-2.0
// Finds exact duplicates by a 64-bit hash of the text. Among 100 million different documents, the
// probability that two share a hash is 3 in 10,000. All hashes are sorted on disk, so memory is
// bounded.
#include "documents.h"
#include "sorter.h"

#define TRAINS (1ull << 32)

uint64_t rmx__document_rank(const rmx__spool *s, const rmx__located *d) {
  return d->domain + (s->fates[d->number] == RMX__TRAIN ? TRAINS : 0);
}

static rmx_status gather(const rmx__spool *s, rmx__sorter *sorter, rmx_err *err) {
  rmx__cursor c = {.spool = s};
  const rmx__located *d;
  rmx_status status;
  while ((status = rmx__cursor_next(&c, &d, err)) == RMX_OK && d) {
    status = rmx__sorter_add(sorter, d->hash, rmx__document_rank(s, d), d->number, err);
    if (status != RMX_OK) break;
  }
  rmx__cursor_release(&c);
  return status;
}

// Marks all but the first document of each hash.
static rmx_status mark_repeats(const rmx__spool *s, rmx__documents *d, const rmx__sorter *sorter,
                               rmx_err *err) {
  enum { RECORDS_BETWEEN_COOLINGS = 1 << 24 };
  rmx__sorted all = {.sorter = sorter, .end = sorter->total};
  const rmx__record *r;
  uint64_t last = 0;
  for (uint64_t i = 0;; i++) {
    RMX_TRY(rmx__sorted_next(&all, &r, err));
    if (!r) return RMX_OK;
    uint8_t *was = &s->fates[r->key[2]];
    if (i && r->key[0] == last && *was != RMX__DUPLICATE) {
      rmx__documents *domain = &d[r->key[1] % TRAINS];
      *was = RMX__DUPLICATE;
      domain->duplicates++;
    }
    last = r->key[0];
    if (i % RECORDS_BETWEEN_COOLINGS == 0) rmx__spool_cool(s);
  }
}

rmx_status rmx__documents_dedup(const rmx__spool *s, rmx__documents *d, size_t n, rmx_err *err) {
  (void)n;
  rmx__sorter sorter = {.folder = s->folder};
  rmx_status status = gather(s, &sorter, err);
  if (status == RMX_OK) status = rmx__sorter_finish(&sorter, err);
  if (status == RMX_OK) status = mark_repeats(s, d, &sorter, err);
  rmx__sorter_release(&sorter);
  return status;
}
