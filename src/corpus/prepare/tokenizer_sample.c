// SPDX-License-Identifier: Apache-2.0
// Chooses the text that a tokenizer is trained on: the same amount of each domain, so that it
// favours no mixture.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "prepare.h"
#include "sorter.h"

struct sampling {
  const rmx__spool *spool;
  const rmx__documents *domains;  // (n)
  size_t n;                       // domains that are trained on; they are first
  uint64_t *shares;               // (n) bytes to take of each domain
  uint64_t *below;                // (n) only documents with hashes up to this are looked at
  bool *wanted;                   // (all domains)
  rmx__tokenizer_sample *out;
  size_t capacity, room;
};

struct domain {
  uint64_t available;
  size_t i;
};

static int by_available(const void *x, const void *y) {
  const struct domain *a = x, *b = y;
  if (a->available != b->available) return a->available < b->available ? -1 : 1;
  return (a->i > b->i) - (a->i < b->i);
}

// Beginning with the smallest domain, each gets an even share of what is left, or all that it has.
static rmx_status divide(struct sampling *s, uint64_t bytes, rmx_err *err) {
  struct domain *order = rmx_calloc(s->n, sizeof *order);
  if (!order) return rmx_fail_memory(err, s->n * sizeof *order, "the tokenizer's sample");
  for (size_t i = 0; i < s->n; i++) order[i] = (struct domain){s->domains[i].train_bytes, i};
  if (s->n) qsort(order, s->n, sizeof *order, by_available);
  for (size_t i = 0; i < s->n; i++) {
    const uint64_t even = bytes / (s->n - i);
    const uint64_t share = order[i].available < even ? order[i].available : even;
    s->shares[order[i].i] = share;
    bytes -= share;
  }
  free(order);
  return RMX_OK;
}

// ---- documents in ascending order of their hashes

// Hashes are random, so documents with hashes up to twice the share of the text have it nearly
// always. `tries` widens this until they do.
static void set_limits(struct sampling *s, int tries) {
  for (size_t i = 0; i < s->n; i++) {
    const double all = (double)s->domains[i].train_bytes,
                 part = all > 0 ? ldexp((double)s->shares[i] / all, tries) : 1;
    s->below[i] = part < 1 ? (uint64_t)(part * 0x1p64) : UINT64_MAX;
    s->wanted[i] = s->shares[i] > 0;
  }
}

// *enough: the documents below the limits have the shares.
static rmx_status gather(struct sampling *s, rmx__sorter *sorter, bool *enough, rmx_err *err) {
  uint64_t *found = rmx_calloc(s->n, sizeof *found);
  if (!found) return rmx_fail_memory(err, s->n * sizeof *found, "the tokenizer's sample");
  rmx__cursor c = {.spool = s->spool, .domains = s->wanted};
  const rmx__located *d;
  rmx_status status;
  while ((status = rmx__cursor_next(&c, &d, err)) == RMX_OK && d) {
    if (s->spool->fates[d->number] != RMX__TRAIN || d->hash > s->below[d->domain]) continue;
    found[d->domain] += d->size;
    status = rmx__sorter_add(sorter, d->domain, d->hash, d->number, err);
    if (status != RMX_OK) break;
  }
  rmx__cursor_release(&c);
  *enough = true;
  for (size_t i = 0; i < s->n; i++) *enough = *enough && found[i] >= s->shares[i];
  free(found);
  return status == RMX_OK ? rmx__sorter_finish(sorter, err) : status;
}

static bool append(struct sampling *s, const char *text, size_t size) {
  rmx__tokenizer_sample *o = s->out;
  if (o->n == s->capacity) {
    const size_t capacity = s->capacity ? 2 * s->capacity : 256;
    size_t *sizes = rmx_realloc(o->sizes, capacity, sizeof *sizes);
    if (!sizes) return false;
    o->sizes = sizes;
    s->capacity = capacity;
  }
  memcpy(o->text + o->bytes, text, size);
  o->bytes += size;
  o->sizes[o->n++] = size;
  return true;
}

static rmx_status take(struct sampling *s, const rmx__sorter *sorter, rmx_err *err) {
  rmx__sorted all = {.sorter = sorter, .end = sorter->total};
  const rmx__record *r;
  rmx__batch b = {0};
  rmx_status status;
  while ((status = rmx__sorted_next(&all, &r, err)) == RMX_OK && r) {
    uint64_t *left = &s->shares[r->key[0]];
    rmx__located d;
    if (*left == 0) continue;
    rmx__batch_clear(&b);
    status = rmx__spool_locate(s->spool, r->key[2], &d, err);
    if (status == RMX_OK) status = rmx__batch_add(&b, &d, err);
    if (status == RMX_OK) status = rmx__batch_read(&b, s->spool, err);
    if (status != RMX_OK) break;
    uint64_t size = d.size < *left ? d.size : *left;
    *left -= size;
    while (size && size < d.size && ((uint8_t)b.text[size] & 0xC0) == 0x80)
      size--;  // do not cut a character
    if (size && !append(s, b.text, size))
      status = rmx_fail_memory(err, s->capacity, "the tokenizer's sample");
    if (status != RMX_OK) break;
  }
  rmx__batch_release(&b);
  return status;
}

static rmx_status sample(struct sampling *s, uint64_t bytes, rmx_err *err) {
  RMX_TRY(divide(s, bytes, err));
  uint64_t room = 0;
  for (size_t i = 0; i < s->n; i++) room += s->shares[i];
  if (!(s->out->text = rmx_calloc(room, 1)))
    return rmx_fail_memory(err, room, "the tokenizer's sample");
  rmx_status status = RMX_OK;
  bool enough = false;
  for (int tries = 1; !enough && status == RMX_OK; tries++) {
    rmx__sorter sorter = {.folder = s->spool->folder};
    set_limits(s, tries);
    status = gather(s, &sorter, &enough, err);
    if (status == RMX_OK && enough) status = take(s, &sorter, err);
    rmx__sorter_release(&sorter);
  }
  return status;
}

rmx_status rmx__tokenizer_sample_take(const rmx__spool *spool, const rmx__documents *d, size_t n,
                                      size_t n_all, uint64_t bytes, rmx__tokenizer_sample *out,
                                      rmx_err *err) {
  *out = (rmx__tokenizer_sample){0};
  struct sampling s = {.spool = spool,
                       .domains = d,
                       .n = n,
                       .shares = rmx_calloc(n, sizeof *s.shares),
                       .below = rmx_calloc(n, sizeof *s.below),
                       .wanted = rmx_calloc(n_all, sizeof *s.wanted),
                       .out = out};
  rmx_status status = s.shares && s.below && s.wanted
                          ? sample(&s, bytes, err)
                          : rmx_fail_memory(err, n * 16, "the tokenizer's sample");
  if (status == RMX_OK && !(out->texts = rmx_calloc(out->n, sizeof *out->texts)))
    status = rmx_fail_memory(err, out->n * sizeof *out->texts, "the tokenizer's sample");
  uint64_t at = 0;
  for (size_t i = 0; i < out->n && status == RMX_OK; at += out->sizes[i++])
    out->texts[i] = out->text + at;
  free(s.shares);
  free(s.below);
  free(s.wanted);
  if (status != RMX_OK) rmx__tokenizer_sample_release(out);
  return status;
}

void rmx__tokenizer_sample_release(rmx__tokenizer_sample *s) {
  free(s->text);
  free(s->texts);
  free(s->sizes);
  *s = (rmx__tokenizer_sample){0};
}
