// SPDX-License-Identifier: Apache-2.0
// Finds exact duplicates by a 64-bit hash of the text. Among 100 million different documents, the
// probability that two share a hash is 3 in 10,000.
#include "documents.h"
#include "hash_set.h"

static rmx_status mark(rmx__documents *d, rmx__fate fate, rmx__hash_set *seen, rmx_err *err) {
  for (size_t i = 0; i < d->n; i++) {
    bool new;
    if (d->items[i].fate != fate) continue;
    if (!rmx__hash_set_add(seen, d->items[i].hash, &new))
      return rmx_fail_memory(err, 16 * seen->n, "hashes of documents");
    if (new) continue;
    d->items[i].fate = RMX__DUPLICATE;
    d->duplicates++;
  }
  return RMX_OK;
}

rmx_status rmx__documents_dedup(rmx__documents *d, size_t n, rmx_err *err) {
  rmx__hash_set seen = {0};
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < n && status == RMX_OK; i++) status = mark(&d[i], RMX__VALID, &seen, err);
  for (size_t i = 0; i < n && status == RMX_OK; i++) status = mark(&d[i], RMX__TRAIN, &seen, err);
  rmx__hash_set_release(&seen);
  return status;
}
