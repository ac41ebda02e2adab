// SPDX-License-Identifier: Apache-2.0
// Finds exact duplicates by a 64-bit hash of the text. Among 100 million different documents, the
// probability that two share a hash is 3 in 10,000. All hashes are sorted on disk, so memory is
// bounded.
#include "documents.h"
#include "sorter.h"

#define TRAINS (1ull << 32)  // documents that validate come before those that train

static rmx_status gather(const rmx__spool *s, rmx__sorter *sorter, rmx_err *err) {
  rmx__cursor c = {.spool = s};
  const rmx__located *d;
  rmx_status status;
  while ((status = rmx__cursor_next(&c, &d, err)) == RMX_OK && d) {
    const uint64_t rank = d->domain + (s->fates[d->number] == RMX__TRAIN ? TRAINS : 0);
    status = rmx__sorter_add(sorter, d->hash, rank, d->number, err);
    if (status != RMX_OK) break;
  }
  rmx__cursor_release(&c);
  return status;
}

// All but the first document of each hash are duplicates.
static rmx_status mark(const rmx__spool *s, rmx__documents *d, const rmx__sorter *sorter,
                       rmx_err *err) {
  enum { RECORDS_BETWEEN_COOLINGS = 1 << 24 };
  rmx__sorted all = {.sorter = sorter, .end = sorter->total};
  const rmx__record *r;
  uint64_t last = 0;
  for (uint64_t i = 0;; i++) {
    RMX_TRY(rmx__sorted_next(&all, &r, err));
    if (!r) return RMX_OK;
    if (i && r->key[0] == last) {
      s->fates[r->key[2]] = RMX__DUPLICATE;
      d[r->key[1] % TRAINS].duplicates++;
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
  if (status == RMX_OK) status = mark(s, d, &sorter, err);
  rmx__sorter_release(&sorter);
  return status;
}
