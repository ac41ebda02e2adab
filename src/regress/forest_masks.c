// SPDX-License-Identifier: Apache-2.0
// Predictions without branches, 64 mixtures at a time (after QuickScorer: Lucchese et al., SIGIR 2015).
//
// Number a tree's leaves from left to right. A node whose test fails (w > threshold) rules out the leaves of
// its left child; the leaf a mixture falls into is the first that no failed test ruled out. So all tests of a
// tree may be made in any order, and a test of 64 mixtures is a few vector instructions on bytes: ranks are
// bytes where a domain has at most 255 thresholds, and the ruled-out leaves are up to four planes of eight
// bits. Tests lie in the order plane, node.
//
// Cost a mixture and tree: about 5 instructions for the tests, 6 to find the leaf and add its value.

#include <string.h>

#include "trees.h"

enum { ROWS = RMX__MASK_ROWS, PLANES = 4, MOST_LEAVES = 8 * PLANES };

typedef int8_t bytes __attribute__((vector_size(32)));

typedef struct test {
  uint16_t domain;
  int8_t rank;  // less 128: processors compare signed bytes
  int8_t rules_out;
} test;

struct rmx__masks {
  size_t n;
  test *tests;
  uint32_t *end;   // (n, PLANES): where each plane's tests end
  double *values;  // leaves from left to right, tree by tree
  uint32_t *leaf;  // (n) where each tree's begin
};

typedef struct walk {  // over one tree, leaves from left to right
  const rmx__tree *t;
  const uint16_t *rank;  // (nodes) of the threshold of each
  double *values;
  int leaves;
  uint32_t rules_out[MOST_LEAVES];  // (nodes) the leaves of the left child
} walk;

static void visit(walk *w, int at) {
  if (at < 0) {
    w->values[w->leaves++] = w->t->value[~at];
    return;
  }
  int first = w->leaves;
  visit(w, w->t->left[at]);
  for (int leaf = first; leaf < w->leaves; leaf++) w->rules_out[at] |= UINT32_C(1) << leaf;
  visit(w, w->t->right[at]);
}

bool rmx__masks_suit(const rmx__forest *f, const size_t *first) {
  for (size_t i = 0; i < f->n; i++)
    if (f->trees[i].leaves > MOST_LEAVES) return false;
  for (size_t d = 0; d < f->D; d++)
    if (first[d + 1] - first[d] > 255) return false;
  return true;
}

struct rmx__masks *rmx__masks_make(rmx__forest *f, const uint16_t *rank) {
  size_t leaves = 0, n_tests = 0, leaf = 0, node = 0;
  for (size_t i = 0; i < f->n; i++) leaves += (size_t)f->trees[i].leaves;
  struct rmx__masks *m = rmx_arena_alloc(&f->arena, 1, sizeof(*m));
  if (m == NULL) return NULL;
  m->n = f->n;
  m->tests = rmx_arena_alloc(&f->arena, leaves * PLANES, sizeof(test));
  m->end = rmx_arena_alloc(&f->arena, f->n * PLANES, sizeof(uint32_t));
  m->values = rmx_arena_alloc(&f->arena, leaves, sizeof(double));
  m->leaf = rmx_arena_alloc(&f->arena, f->n, sizeof(uint32_t));
  if (!m->tests || !m->end || !m->values || !m->leaf) return NULL;
  for (size_t i = 0; i < f->n; i++) {
    const rmx__tree *t = &f->trees[i];
    walk w = {.t = t, .values = m->values + leaf};
    visit(&w, t->leaves > 1 ? 0 : ~0);
    m->leaf[i] = (uint32_t)leaf;
    for (int plane = 0; plane < PLANES; plane++) {
      for (int k = 0; k < t->leaves - 1; k++) {
        uint8_t here = (uint8_t)(w.rules_out[k] >> (8 * plane));
        if (here)
          m->tests[n_tests++] =
              (test){(uint16_t)t->feature[k], (int8_t)(rank[node + (size_t)k] - 128), (int8_t)here};
      }
      m->end[i * PLANES + (size_t)plane] = (uint32_t)n_tests;
    }
    leaf += (size_t)t->leaves;
    node += (size_t)t->leaves - 1;
  }
  return m;
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
__attribute__((target_clones("avx2", "default")))
#endif
void rmx__masks_predict(const struct rmx__masks *m, const int8_t *rank, double *mean) {
  // rank (D, ROWS), each less 128; mean (ROWS) is added to.
  uint32_t at = 0;
  for (size_t i = 0; i < m->n; i++) {
    uint8_t out[PLANES][ROWS] __attribute__((aligned(32)));
    for (int plane = 0; plane < PLANES; plane++) {
      bytes a = {0}, b = {0};
      for (const uint32_t end = m->end[i * PLANES + (size_t)plane]; at < end; at++) {
        const test t = m->tests[at];
        const bytes *r = (const bytes *)(rank + (size_t)t.domain * ROWS);
        a |= (r[0] > t.rank) & t.rules_out;
        b |= (r[1] > t.rank) & t.rules_out;
      }
      memcpy(out[plane], &a, sizeof(a));
      memcpy(out[plane] + sizeof(a), &b, sizeof(b));
    }
    uint32_t ruled_out[ROWS];
    for (int r = 0; r < ROWS; r++)
      ruled_out[r] =
          out[0][r] | (uint32_t)out[1][r] << 8 | (uint32_t)out[2][r] << 16 | (uint32_t)out[3][r] << 24;
    const double *values = m->values + m->leaf[i];
    for (int r = 0; r < ROWS; r++) mean[r] += values[__builtin_ctz(~ruled_out[r])];
  }
}
