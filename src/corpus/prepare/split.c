// SPDX-License-Identifier: Apache-2.0
// Splits documents into training and validation. The hash of a document alone decides.
#include <stdlib.h>

#include "documents.h"

rmx_status rmx__documents_count(const rmx__spool *s, rmx__documents *d, size_t n, rmx_err *err) {
  rmx__cursor c = {.spool = s};
  const rmx__located *doc;
  rmx_status status;
  for (size_t i = 0; i < n; i++)
    d[i].n = d[i].bytes = d[i].train = d[i].train_bytes = d[i].valid = 0;
  while ((status = rmx__cursor_next(&c, &doc, err)) == RMX_OK && doc) {
    rmx__documents *domain = &d[doc->domain];
    domain->n++;
    domain->bytes += doc->size;
    domain->valid += s->fates[doc->number] == RMX__VALID;
    if (s->fates[doc->number] != RMX__TRAIN) continue;
    domain->train++;
    domain->train_bytes += doc->size;
  }
  rmx__cursor_release(&c);
  return status;
}

static rmx_status too_few(const rmx__documents *d, uint64_t kept, rmx_err *err) {
  if (d->n == 0)
    return rmx_fail(err, RMX_EINPUT, "domain \"%s\": no text in its %zu file%s", d->name, d->files,
                    d->files == 1 ? "" : "s");
  if (kept == 0)
    return rmx_fail(err, RMX_EINPUT,
                    "domain \"%s\": all of its %llu document%s duplicates, of this or another "
                    "domain: leave the domain out, or set dedup to false",
                    d->name, (unsigned long long)d->n, d->n == 1 ? " is" : "s are");
  char copies[96] = "";
  if (d->duplicates)
    snprintf(copies, sizeof copies, " left (%llu dropped as duplicates)",
             (unsigned long long)d->duplicates);
  return rmx_fail(err, RMX_EINPUT,
                  "domain \"%s\" has 1 document%s, but needs one for training and one for "
                  "validation: give valid_files, or a separator that cuts it into several",
                  d->name, copies);
}

static rmx_status check(const rmx__documents *d, rmx_err *err) {
  if (!d->valid_only && !d->given_split) return d->train < 2 ? too_few(d, d->train, err) : RMX_OK;
  if (d->valid && (d->train || d->valid_only)) return RMX_OK;
  if (d->n == 0 || d->train + d->valid == 0) return too_few(d, 0, err);
  return rmx_fail(err, RMX_EINPUT, "domain \"%s\": no text to %s%s", d->name,
                  d->valid ? "train on" : "validate with in its valid_files",
                  d->valid && d->duplicates
                      ? ": all of it is also in texts for validation; name each file once"
                      : "");
}

// The documents of a domain with the lowest and the highest hash.
struct ends {
  uint64_t lowest, lowest_number, highest, highest_number;
  bool found;
};

static void look_at(struct ends *e, const rmx__located *doc) {
  if (!e->found || doc->hash < e->lowest) {
    e->lowest = doc->hash;
    e->lowest_number = doc->number;
  }
  if (!e->found || doc->hash >= e->highest) {
    e->highest = doc->hash;
    e->highest_number = doc->number;
  }
  e->found = true;
}

static rmx_status split(const rmx__spool *s, const rmx__documents *d, size_t n, double fraction,
                        struct ends *ends, rmx_err *err) {
  rmx__cursor c = {.spool = s};
  const rmx__located *doc;
  rmx_status status;
  while ((status = rmx__cursor_next(&c, &doc, err)) == RMX_OK && doc) {
    if (s->fates[doc->number] != RMX__TRAIN || d[doc->domain].given_split) continue;
    look_at(&ends[doc->domain], doc);
    if ((double)doc->hash < fraction * 0x1p64) s->fates[doc->number] = RMX__VALID;
  }
  rmx__cursor_release(&c);
  for (size_t i = 0; i < n && status == RMX_OK; i++) {
    if (!ends[i].found) continue;
    s->fates[ends[i].lowest_number] = RMX__VALID;
    s->fates[ends[i].highest_number] = RMX__TRAIN;
  }
  return status;
}

rmx_status rmx__documents_split(const rmx__spool *s, rmx__documents *d, size_t n, double fraction,
                                rmx_err *err) {
  RMX_TRY(rmx__documents_count(s, d, n, err));
  for (size_t i = 0; i < n; i++) RMX_TRY(check(&d[i], err));
  struct ends *ends = rmx_calloc(n, sizeof *ends);
  if (!ends) return rmx_fail_memory(err, n * sizeof *ends, "a split");
  const rmx_status status = split(s, d, n, fraction, ends, err);
  free(ends);
  return status;
}
