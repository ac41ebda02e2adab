// SPDX-License-Identifier: Apache-2.0
// Predictions without branches, for 512 mixtures at a time, one bit for each.
//
// Each threshold of the model has a set of 512 bits: the mixtures that do not exceed it. A tree
// passes such sets down. Of the set at a node, the mixtures in the threshold's set go left and the
// others go right, which takes two instructions for all 512. Leaves are numbered from left to
// right. The sets at the leaves give the bits of each mixture's leaf number; these are spread to
// bytes, and the leaf's value is looked up and added. With AVX-512 a tree of up to 32 leaves is in
// four registers, and two or three permutations look up eight values.
//
// Mixture i is bit i / 8 of word i % 8. Cost for each mixture and tree: about 1 cycle with AVX-512,
// 2.5 without.

#include <string.h>

#include "trees.h"

enum { ROWS = RMX__BITS_ROWS, MAX_LEAVES = 256, MAX_THRESHOLDS = 1 << 15, IN_REGISTERS = 32 };

typedef uint64_t words __attribute__((vector_size(64)));

// A node splits the set at `leaf`, its leftmost leaf; the right part goes to leaf `right`.
typedef struct branch {
  uint16_t threshold;
  uint8_t leaf, right;
} branch;

struct rmx__bits {
  size_t n, thresholds;
  branch *branches;
  uint32_t *first;  // (n+1) where each tree's branches begin
  double *values;   // of leaves from left to right, each tree's at a multiple of 8
  uint32_t *leaf;   // (n) where each tree's begin
};

typedef struct walk {  // over one tree, leaves from left to right
  const rmx__tree *t;
  const uint32_t *threshold;  // (nodes)
  branch branch[MAX_LEAVES];  // (nodes)
  double *values;
  int leaves;
} walk;

static void visit(walk *w, int at) {
  if (at < 0) {
    w->values[w->leaves++] = w->t->value[~at];
    return;
  }
  branch *here = &w->branch[at];
  *here = (branch){.threshold = (uint16_t)w->threshold[at], .leaf = (uint8_t)w->leaves};
  visit(w, w->t->left[at]);
  here->right = (uint8_t)w->leaves;
  visit(w, w->t->right[at]);
}

// Writes the branches level by level, so that neighbours do not wait for each other.
static void put_in_order(const walk *w, branch *out) {
  int queue[MAX_LEAVES] = {0}, n = w->t->leaves > 1;
  for (int i = 0; i < n; i++) {
    const int left = w->t->left[queue[i]], right = w->t->right[queue[i]];
    out[i] = w->branch[queue[i]];
    if (left >= 0) queue[n++] = left;
    if (right >= 0) queue[n++] = right;
  }
}

bool rmx__bits_suit(const rmx__forest *f, size_t thresholds) {
  for (size_t i = 0; i < f->n; i++)
    if (f->trees[i].leaves > MAX_LEAVES) return false;
  return thresholds <= MAX_THRESHOLDS;
}

struct rmx__bits *rmx__bits_make(rmx__forest *f, const uint32_t *threshold, size_t thresholds) {
  size_t leaves = 0, padded = 0, leaf = 0;
  for (size_t i = 0; i < f->n; i++) {
    leaves += (size_t)f->trees[i].leaves;
    padded += ((size_t)f->trees[i].leaves + 7) / 8 * 8;
  }
  struct rmx__bits *b = rmx_arena_alloc(&f->arena, 1, sizeof *b);
  if (!b || padded > UINT32_MAX) return NULL;
  *b = (struct rmx__bits){.n = f->n, .thresholds = thresholds};
  b->branches = rmx_arena_alloc(&f->arena, leaves, sizeof(branch));
  b->first = rmx_arena_alloc(&f->arena, f->n + 1, sizeof(uint32_t));
  b->values = rmx_arena_alloc(&f->arena, padded + IN_REGISTERS, sizeof(double));
  b->leaf = rmx_arena_alloc(&f->arena, f->n, sizeof(uint32_t));
  if (!b->branches || !b->first || !b->values || !b->leaf) return NULL;
  b->first[0] = 0;
  for (size_t i = 0; i < f->n; i++) {
    const rmx__tree *t = &f->trees[i];
    walk w = {.t = t, .threshold = threshold, .values = b->values + leaf};
    visit(&w, t->leaves > 1 ? 0 : ~0);
    put_in_order(&w, b->branches + b->first[i]);
    b->leaf[i] = (uint32_t)leaf;
    b->first[i + 1] = b->first[i] + (uint32_t)(t->leaves - 1);
    leaf += ((size_t)t->leaves + 7) / 8 * 8;
    threshold += t->leaves - 1;
  }
  return b;
}

size_t rmx__bits_scratch(const struct rmx__bits *b) {
  return (b->thresholds + 1) * sizeof(words);
}

void rmx__bits_set(void *scratch, size_t from, size_t n, const uint16_t *rank, size_t rows) {
  words *below = (words *)scratch + from;
  uint64_t *word = (uint64_t *)below;
  // First the threshold from which on each mixture does not exceed them, then all later ones too.
  // There is one set more than thresholds; the next domain clears it.
  memset(below, 0, (n + 1) * sizeof *below);
  for (size_t r = 0; r < rows; r++) word[(size_t)rank[r] * 8 + r % 8] |= UINT64_C(1) << r / 8;
  for (size_t k = 1; k < n; k++) below[k] |= below[k - 1];
}

// The leaf of each mixture: byte q of word w of index[j] is that of mixture 8 * (8 * q + j) + w.
static inline __attribute__((always_inline)) void find_leaves(const struct rmx__bits *b,
                                                              size_t tree, const words *below,
                                                              words *index) {
  words at[MAX_LEAVES], plane[8];
  const branch *branches = b->branches + b->first[tree];
  const size_t nodes = b->first[tree + 1] - b->first[tree], leaves = nodes + 1,
               groups = (leaves + 7) / 8;
  int planes = 3;
  while (groups > (size_t)1 << (planes - 3)) planes++;
  at[0] = ~(words){0};
  for (size_t i = leaves; i < 8 * groups; i++) at[i] = (words){0};
  for (size_t i = 0; i < nodes; i++) {
    const words all = at[branches[i].leaf], left = all & below[branches[i].threshold];
    at[branches[i].leaf] = left;
    at[branches[i].right] = all ^ left;
  }
  for (int k = 0; k < 8; k++) plane[k] = (words){0};
  for (size_t g = 0; g < groups; g++) {
    const words *a = at + 8 * g;
    const words a23 = a[2] | a[3], a67 = a[6] | a[7], a4567 = a[4] | a[5] | a67;
    plane[0] |= (a[1] | a[3]) | (a[5] | a[7]);
    plane[1] |= a23 | a67;
    plane[2] |= a4567;
    const words any = a[0] | a[1] | a23 | a4567;
    for (int k = 3; k < planes; k++)
      if (g >> (k - 3) & 1) plane[k] |= any;
  }
  for (int j = 0; j < 8; j++) {
    words sum = plane[0] >> j & 0x0101010101010101;
    for (int k = 1; k < planes; k++) sum |= (plane[k] >> j & 0x0101010101010101) << k;
    index[j] = sum;
  }
}

static inline __attribute__((always_inline)) void predict(const struct rmx__bits *b,
                                                          const words *below, size_t rows,
                                                          double *sum) {
  const size_t max_q = (rows + 63) / 64;
  for (size_t i = 0; i < b->n; i++) {
    words index[8];
    uint8_t bytes[8][8][8];
    const double *values = b->values + b->leaf[i];
    find_leaves(b, i, below, index);
    memcpy(bytes, index, sizeof(bytes));
    for (size_t q = 0; q < max_q; q++)
      for (size_t j = 0; j < 8; j++)
        for (size_t w = 0; w < 8; w++) sum[8 * (8 * q + j) + w] += values[bytes[j][w][q]];
  }
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl"))) static void predict_avx512(
    const struct rmx__bits *b, const words *below, size_t rows, double *sum) {
  const size_t max_q = (rows + 63) / 64;
  const __m512i byte = _mm512_set1_epi64(0xff), sixteen = _mm512_set1_epi64(16),
                twenty_four = _mm512_set1_epi64(24);
  for (size_t i = 0; i < b->n; i++) {
    words index[8];
    const double *values = b->values + b->leaf[i];
    const size_t leaves = b->first[i + 1] - b->first[i] + 1;
    find_leaves(b, i, below, index);
    const __m512d v0 = _mm512_loadu_pd(values), v1 = _mm512_loadu_pd(values + 8),
                  v2 = _mm512_loadu_pd(values + 16), v3 = _mm512_loadu_pd(values + 24);
    for (size_t q = 0; q < max_q; q++)
      for (size_t j = 0; j < 8; j++) {
        const __m512i leaf =
            _mm512_srl_epi64((__m512i)index[j], _mm_cvtsi64_si128((long long)(8 * q)));
        double *to = sum + 8 * (8 * q + j);
        __m512d value;
        if (leaves <= IN_REGISTERS) {
          // Permutations use the lowest bits only: 4 of two registers, 3 of one.
          value = _mm512_permutex2var_pd(v0, leaf, v1);
          if (leaves > 16)
            value =
                _mm512_mask_permutexvar_pd(value, _mm512_test_epi64_mask(leaf, sixteen), leaf, v2);
          if (leaves > 24) {
            const __m512i high = _mm512_and_si512(leaf, twenty_four);
            value = _mm512_mask_permutexvar_pd(value, _mm512_cmpeq_epi64_mask(high, twenty_four),
                                               leaf, v3);
          }
        } else {
          value = _mm512_i64gather_pd(_mm512_and_si512(leaf, byte), values, 8);
        }
        _mm512_storeu_pd(to, _mm512_add_pd(_mm512_loadu_pd(to), value));
      }
  }
}

__attribute__((target("avx2"))) static void predict_avx2(const struct rmx__bits *b,
                                                         const words *below, size_t rows,
                                                         double *sum) {
  predict(b, below, rows, sum);
}
#endif

void rmx__bits_predict(const struct rmx__bits *b, const void *scratch, size_t rows, double *sum) {
#if defined(__x86_64__)
  const rmx__level level = rmx__trees_level();
  if (level == RMX__AVX512) return predict_avx512(b, scratch, rows, sum);
  if (level == RMX__AVX2) return predict_avx2(b, scratch, rows, sum);
#endif
  predict(b, scratch, rows, sum);
}
