// SPDX-License-Identifier: Apache-2.0
// MinHash only finds candidates. Here their texts are read, and their rows of words compared. Of
// rows that occur twice in a document one counts. Of a document with very many rows those with the
// smallest hashes count: they are a random sample, and the same one in both documents.
#include "resemblance.h"

#include <stdlib.h>
#include <string.h>

#include "grams.h"
#include "ordered.h"

enum { PAIRS = 64, MOST_ROWS = 1 << 20, KEPT_TEXT = 1 << 20 };

// The rows of a document: hashes in ascending order. Those up to `limit` are there.
struct rows {
  uint64_t number;  // of the document
  bool known;
  uint64_t *hashes;  // (n)
  size_t n, capacity;
  uint64_t limit;
  bool failed;
};

struct comparing {
  const rmx__spool *spool;
  rmx__documents *domains;
  double least;
  rmx__sorted pairs;
  rmx__record next;  // read already
  bool more;
};

struct item {
  struct {
    uint64_t document, earlier;
    size_t domain;  // of the document
    bool resembles;
  } * pairs;  // (n) those of one document are next to each other
  size_t n, capacity;
  rmx__grams grams;
  bool begun;
  rmx__batch text;
  struct rows document, earlier;
};

// ---- the rows of a document

static int by_value(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static void sort_once(struct rows *r) {
  size_t n = 0;
  if (r->n) qsort(r->hashes, r->n, sizeof *r->hashes, by_value);
  for (size_t i = 0; i < r->n; i++)
    if (i == 0 || r->hashes[i] != r->hashes[i - 1]) r->hashes[n++] = r->hashes[i];
  r->n = n;
}

// Keeps the smaller half of the hashes.
static void halve(struct rows *r) {
  sort_once(r);
  if (r->n <= MOST_ROWS / 2) return;
  r->n = MOST_ROWS / 2;
  r->limit = r->hashes[r->n - 1];
}

static bool add_row(void *context, uint64_t gram, const char *from, const char *to) {
  struct rows *r = context;
  (void)from, (void)to;
  gram *= 0x9E3779B97F4A7C15u;  // the order of the hashes is random
  gram ^= gram >> 32;
  if (gram > r->limit) return true;
  if (r->n == MOST_ROWS) halve(r);
  if (r->n == r->capacity) {
    const size_t capacity = r->capacity ? 2 * r->capacity : 1024;
    uint64_t *hashes = rmx_realloc(r->hashes, capacity, sizeof *hashes);
    r->failed = !hashes;
    if (!hashes) return false;
    r->hashes = hashes;
    r->capacity = capacity;
  }
  r->hashes[r->n++] = gram;
  return true;
}

static rmx_status read_rows(const rmx__spool *s, struct item *item, uint64_t number,
                            struct rows *out, rmx_err *err) {
  static const rmx__gram_filter all = {0};
  rmx__located d;
  if (out->known && out->number == number) return RMX_OK;
  RMX_TRY(rmx__spool_locate(s, number, &d, err));
  rmx__batch_clear(&item->text);
  RMX_TRY(rmx__batch_add(&item->text, &d, err));
  RMX_TRY(rmx__batch_read(&item->text, s, err));
  out->number = number;
  out->n = 0;
  out->limit = UINT64_MAX;
  rmx__grams_walk(&item->grams, item->text.text, d.size, &all, add_row, out);
  if (item->text.room > KEPT_TEXT) rmx__batch_release(&item->text);
  if (out->failed) return rmx_fail_memory(err, out->capacity * 8, "near duplicates");
  sort_once(out);
  out->known = true;
  return RMX_OK;
}

// The share of the rows of either document that both have.
static double resemblance(const struct rows *a, const struct rows *b) {
  const uint64_t limit = a->limit < b->limit ? a->limit : b->limit;
  size_t i = 0, k = 0, both = 0, any = 0;
  while ((i < a->n && a->hashes[i] <= limit) || (k < b->n && b->hashes[k] <= limit)) {
    const uint64_t x = i < a->n ? a->hashes[i] : UINT64_MAX,
                   y = k < b->n ? b->hashes[k] : UINT64_MAX;
    both += x == y && i < a->n && k < b->n;
    any++;
    const bool first = i < a->n && (k == b->n || x <= y);
    const bool second = k < b->n && (i == a->n || y <= x);
    i += first;
    k += second;
  }
  return any ? (double)both / (double)any : 0;
}

// ---- all pairs, in parallel

static rmx_status next_pair(struct comparing *c, rmx_err *err) {
  const rmx__record *r;
  RMX_TRY(rmx__sorted_next(&c->pairs, &r, err));
  c->more = r;
  if (r) c->next = *r;
  return RMX_OK;
}

static rmx_status add_pair(struct item *item, const rmx__record *r, rmx_err *err) {
  if (item->n == item->capacity) {
    const size_t capacity = item->capacity ? 2 * item->capacity : PAIRS;
    void *pairs = rmx_realloc(item->pairs, capacity, sizeof *item->pairs);
    if (!pairs) return rmx_fail_memory(err, capacity * sizeof *item->pairs, "near duplicates");
    item->pairs = pairs;
    item->capacity = capacity;
  }
  memset(&item->pairs[item->n], 0, sizeof *item->pairs);
  item->pairs[item->n].document = r->key[0];
  item->pairs[item->n++].earlier = r->key[1];
  return RMX_OK;
}

// Takes all pairs of some documents. A pair that several bands gave is taken once.
static rmx_status take(void *context, void *into, uint64_t *bytes, bool *more, rmx_err *err) {
  struct comparing *c = context;
  struct item *item = into;
  rmx__record last = {{0}};
  item->n = 0;
  while (c->more && (item->n < PAIRS || c->next.key[0] == last.key[0])) {
    const bool again = item->n && memcmp(&c->next, &last, sizeof last) == 0;
    last = c->next;
    if (!again) RMX_TRY(add_pair(item, &last, err));
    RMX_TRY(next_pair(c, err));
  }
  *bytes = 0;
  *more = item->n > 0;
  return RMX_OK;
}

static rmx_status work(void *context, void *into, rmx_err *err) {
  const struct comparing *c = context;
  struct item *item = into;
  rmx__located d;
  if (!item->begun && !rmx__grams_init(&item->grams, RMX__NEAR_WORDS))
    return rmx_fail_memory(err, RMX__NEAR_WORDS * 16, "near duplicates");
  item->begun = true;
  bool found = false;
  for (size_t i = 0; i < item->n; i++) {
    if (i && item->pairs[i].document != item->pairs[i - 1].document) found = false;
    if (found) continue;
    RMX_TRY(read_rows(c->spool, item, item->pairs[i].document, &item->document, err));
    RMX_TRY(read_rows(c->spool, item, item->pairs[i].earlier, &item->earlier, err));
    found = resemblance(&item->document, &item->earlier) >= c->least;
    item->pairs[i].resembles = found;
    if (!found) continue;
    RMX_TRY(rmx__spool_locate(c->spool, item->pairs[i].document, &d, err));
    item->pairs[i].domain = d.domain;
  }
  return RMX_OK;
}

static rmx_status put(void *context, void *from, bool *more, rmx_err *err) {
  struct comparing *c = context;
  const struct item *item = from;
  (void)more, (void)err;
  for (size_t i = 0; i < item->n; i++) {
    if (!item->pairs[i].resembles) continue;
    c->spool->fates[item->pairs[i].document] = RMX__NEAR;
    c->domains[item->pairs[i].domain].near++;
  }
  return RMX_OK;
}

static void release_item(void *from) {
  struct item *item = from;
  free(item->pairs);
  free(item->document.hashes);
  free(item->earlier.hashes);
  rmx__grams_release(&item->grams);
  rmx__batch_release(&item->text);
}

rmx_status rmx__mark_resembling(const rmx__spool *s, rmx__documents *d, const rmx__sorter *pairs,
                                double least, int threads, rmx_err *err) {
  static const rmx__ordered stages = {sizeof(struct item), take, work, put, release_item};
  struct comparing c = {
      .spool = s, .domains = d, .least = least, .pairs = {.sorter = pairs, .end = pairs->total}};
  RMX_TRY(next_pair(&c, err));
  return rmx__ordered_run(&stages, threads, &c, err);
}
