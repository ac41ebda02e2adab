// SPDX-License-Identifier: Apache-2.0
// Chooses the text that a tokenizer is trained on: the same amount of each domain, so that it
// favours no mixture.
#include <stdlib.h>

#include "prepare.h"

struct sampling {
  const rmx__documents *d;
  uint64_t available, share;
};

static int by_available(const void *x, const void *y) {
  const struct sampling *a = *(struct sampling *const *)x, *b = *(struct sampling *const *)y;
  if (a->available != b->available) return a->available < b->available ? -1 : 1;
  return (a->d > b->d) - (a->d < b->d);
}

// Beginning with the smallest domain, each gets an even share of what is left, or all that it has.
static rmx_status divide(struct sampling *s, size_t n, uint64_t bytes, rmx_err *err) {
  struct sampling **order = rmx_calloc(n, sizeof *order);
  if (!order) return rmx_fail_memory(err, n * sizeof *order, "the tokenizer's sample");
  for (size_t i = 0; i < n; i++) order[i] = &s[i];
  qsort(order, n, sizeof *order, by_available);
  for (size_t i = 0; i < n; i++) {
    uint64_t even = bytes / (n - i);
    order[i]->share = order[i]->available < even ? order[i]->available : even;
    bytes -= order[i]->share;
  }
  free(order);
  return RMX_OK;
}

struct list {
  const char **texts;
  size_t *sizes, n, capacity;
};

static bool append(struct list *l, const char *text, size_t size) {
  if (l->n == l->capacity) {
    size_t capacity = l->capacity ? 2 * l->capacity : 256;
    const char **texts = rmx_realloc(l->texts, capacity, sizeof *texts);
    if (texts) l->texts = texts;
    size_t *sizes = rmx_realloc(l->sizes, capacity, sizeof *sizes);
    if (sizes) l->sizes = sizes;
    if (!texts || !sizes) return false;
    l->capacity = capacity;
  }
  l->texts[l->n] = text;
  l->sizes[l->n++] = size;
  return true;
}

static rmx_status take(const struct sampling *s, struct list *l, rmx_err *err) {
  size_t *order, n;
  RMX_TRY(rmx__documents_by_hash(s->d, RMX__TRAIN, &order, &n, err));
  uint64_t left = s->share;
  bool good = true;
  for (size_t i = 0; i < n && left && good; i++) {
    const rmx__document *doc = &s->d->items[order[i]];
    const char *text = rmx__document_text(s->d, doc);
    uint64_t size = doc->size < left ? doc->size : left;
    left -= size;
    while (size && size < doc->size && ((uint8_t)text[size] & 0xC0) == 0x80)
      size--;  // do not cut a character
    if (size) good = append(l, text, size);
  }
  free(order);
  return good ? RMX_OK : rmx_fail_memory(err, l->n * sizeof *l->texts, "the tokenizer's sample");
}

rmx_status rmx__tokenizer_sample(const rmx__documents *d, size_t n, uint64_t bytes,
                                 const char ***texts, size_t **sizes, size_t *ntexts,
                                 rmx_err *err) {
  struct sampling *s = rmx_calloc(n, sizeof *s);
  if (!s) return rmx_fail_memory(err, n * sizeof *s, "the tokenizer's sample");
  for (size_t i = 0; i < n; i++) {
    s[i].d = &d[i];
    for (size_t j = 0; j < d[i].n; j++)
      if (d[i].items[j].fate == RMX__TRAIN) s[i].available += d[i].items[j].size;
  }
  struct list l = {0};
  rmx_status status = divide(s, n, bytes, err);
  for (size_t i = 0; i < n && status == RMX_OK; i++) status = take(&s[i], &l, err);
  free(s);
  if (status != RMX_OK) {
    free(l.texts);
    free(l.sizes);
    return status;
  }
  *texts = l.texts;
  *sizes = l.sizes;
  *ntexts = l.n;
  return RMX_OK;
}
