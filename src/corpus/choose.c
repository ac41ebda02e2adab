// SPDX-License-Identifier: Apache-2.0
// Chooses some of the documents of a domain: those with the smallest hashes, until they have as
// many tokens as are wanted. So a larger choice contains every smaller one, and a choice depends on
// the texts alone, not on their order.
#include <math.h>
#include <regmix/corpus.h>
#include <stdlib.h>

struct document {
  uint64_t hash;
  size_t index, tokens;
};

static int by_hash(const void *a, const void *b) {
  const struct document *x = a, *y = b;
  if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
  return x->index < y->index ? -1 : x->index > y->index;
}

// How many of the documents (n), in their order, come nearest to the tokens that are wanted, with
// `least` tokens or more, if there are that many.
static size_t nearest(const struct document *list, size_t n, double wanted, size_t least) {
  size_t count = 0, tokens = 0;
  while (count < n) {
    const double with = (double)(tokens + list[count].tokens);
    if (tokens >= least && fabs(with - wanted) >= fabs((double)tokens - wanted)) break;
    tokens += list[count++].tokens;
  }
  return count;
}

rmx_status rmx_corpus_choose(const rmx_corpus *corpus, size_t d, double wanted, size_t least,
                             bool **keep, size_t *tokens, rmx_err *err) {
  const rmx_domain *domain = &corpus->domains[d];
  RMX_OWNED size_t *starts = NULL;
  size_t n;
  RMX_TRY(rmx_corpus_documents(corpus, d, false, &starts, &n, err));
  RMX_OWNED struct document *list = rmx_calloc(n + 1, sizeof *list);
  *keep = rmx_calloc(n + 1, sizeof **keep);
  if (!list || !*keep) {
    free(*keep);
    *keep = NULL;
    return rmx_fail_memory(err, n * sizeof *list, "a choice of documents");
  }
  const size_t width = (size_t)domain->width;
  for (size_t i = 0; i < n; i++) {
    const size_t size = starts[i + 1] - starts[i];
    const uint8_t *ids = (const uint8_t *)domain->train + starts[i] * width;
    list[i] = (struct document){rmx_hash(ids, size * width, 0), i, size};
  }
  qsort(list, n, sizeof *list, by_hash);
  const size_t chosen = nearest(list, n, wanted, least);
  *tokens = 0;
  for (size_t i = 0; i < chosen; i++) {
    (*keep)[list[i].index] = true;
    *tokens += list[i].tokens;
  }
  return RMX_OK;
}
