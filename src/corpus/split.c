// SPDX-License-Identifier: Apache-2.0
// Splits documents into training and validation. The hash of a document alone decides.
#include <stdlib.h>

#include "documents.h"

static size_t count(const rmx__documents *d, rmx__fate fate) {
  size_t n = 0;
  for (size_t i = 0; i < d->n; i++) n += d->items[i].fate == fate;
  return n;
}

static rmx_status too_few(const rmx__documents *d, size_t kept, rmx_err *err) {
  if (d->n == 0)
    return rmx_fail(err, RMX_EINPUT, "domain \"%s\": no text in its %zu file%s", d->name, d->files,
                    d->files == 1 ? "" : "s");
  if (kept == 0)
    return rmx_fail(err, RMX_EINPUT,
                    "domain \"%s\": all of its %zu document%s duplicates, of this or another "
                    "domain: leave the domain out, or set dedup to false",
                    d->name, d->n, d->n == 1 ? " is" : "s are");
  char copies[96] = "";
  if (d->duplicates)
    snprintf(copies, sizeof copies, " left (%llu dropped as duplicates)",
             (unsigned long long)d->duplicates);
  return rmx_fail(err, RMX_EINPUT,
                  "domain \"%s\" has 1 document%s, but needs one for training and one for "
                  "validation: give valid_files, or a separator that cuts it into several",
                  d->name, copies);
}

rmx_status rmx__documents_split(rmx__documents *d, double fraction, rmx_err *err) {
  size_t train = count(d, RMX__TRAIN), valid = count(d, RMX__VALID);
  if (d->valid_only || d->given_split) {
    if (valid && (train || d->valid_only)) return RMX_OK;
    if (d->n == 0 || train + valid == 0) return too_few(d, 0, err);
    return rmx_fail(err, RMX_EINPUT, "domain \"%s\": no text to %s", d->name,
                    valid ? "train on" : "validate with in its valid_files");
  }
  if (train < 2) return too_few(d, train, err);
  rmx__document *lowest = NULL, *highest = NULL;
  for (size_t i = 0; i < d->n; i++) {
    rmx__document *doc = &d->items[i];
    if (doc->fate != RMX__TRAIN) continue;
    if (!lowest || doc->hash < lowest->hash) lowest = doc;
    if (!highest || doc->hash >= highest->hash) highest = doc;
  }
  for (size_t i = 0; i < d->n; i++) {
    rmx__document *doc = &d->items[i];
    if (doc->fate == RMX__TRAIN && (double)doc->hash < fraction * 0x1p64) doc->fate = RMX__VALID;
  }
  lowest->fate = RMX__VALID;
  highest->fate = RMX__TRAIN;
  return RMX_OK;
}

struct key {
  uint64_t hash;
  size_t index;
};

static int by_hash(const void *x, const void *y) {
  const struct key *a = x, *b = y;
  if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
  return (a->index > b->index) - (a->index < b->index);
}

rmx_status rmx__documents_by_hash(const rmx__documents *d, rmx__fate fate, size_t **order,
                                  size_t *n, rmx_err *err) {
  size_t kept = count(d, fate), at = 0;
  struct key *keys = rmx_calloc(kept, sizeof *keys);
  size_t *indices = rmx_calloc(kept, sizeof *indices);
  if (!keys || !indices) {
    free(keys);
    free(indices);
    return rmx_fail_memory(err, kept * sizeof *keys, "an order of documents");
  }
  for (size_t i = 0; i < d->n; i++)
    if (d->items[i].fate == fate) keys[at++] = (struct key){d->items[i].hash, i};
  if (kept) qsort(keys, kept, sizeof *keys, by_hash);
  for (size_t i = 0; i < kept; i++) indices[i] = keys[i].index;
  free(keys);
  *order = indices;
  *n = kept;
  return RMX_OK;
}
