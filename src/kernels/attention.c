// SPDX-License-Identifier: Apache-2.0
// attention.c: causal attention, a block of queries at a time, never (T, T) in memory.
//
//   S = Q K^T / sqrt(S),  P = softmax(S) over keys not after the query,  O = P V
//   dV = P^T dO,  dP = dO V^T,  dS = P (dP - rowsum(dO O)),
//   dQ = dS K / sqrt(S),  dK = dS^T Q / sqrt(S)
//
// After FlashAttention (Dao et al. 2022): the forward pass keeps only the log-sum-exp of each row,
// the backward pass computes P again from it. Tiles above the diagonal are left out, so that nearly
// half of the square is never touched. K and V are packed once per head and serve all blocks of
// queries: memory O(T), per head.
#include "base/num.h"
#include "kernels.h"

enum { ROWS_MAX = 84, ROWS_MIN = 42 /* whole tiles of 6 and 14 rows */, NR_MAX = 32 };

// Queries of a block. More make longer sums of what is added to dK and dV; the scores stay in the
// second cache.
static size_t block_rows(size_t T) {
  return T <= 1024 ? ROWS_MAX : ROWS_MIN;
}
// Row stride of a block of scores: an odd number of cache lines, so that columns do not share a
// cache set.
static size_t score_stride(size_t T) {
  return rmx__round_up(T, 32) + 16;
}

struct scratch {
  float *kt, *vt;          // packed K^T and V^T: (T / nr, S, nr)
  float *kv;               // packed V (forward) or K (backward): (S / nr, T, nr)
  float *q, *dout;         // packed blocks of Q and dO: (S / nr, rows, nr)
  float *s, *dp;           // blocks of scores and of their gradients: (rows, score_stride)
  float of_row[ROWS_MAX];  // 1 / rowsum(exp S) (forward) or rowsum(dO O) (backward)
};

static size_t lay_out(struct scratch *w, float *at, size_t T, size_t S) {
  float *const start = at;
  const size_t across = rmx__round_up(T, NR_MAX) * S, along = T * rmx__round_up(S, NR_MAX);
  const size_t block = block_rows(T) * rmx__round_up(S, NR_MAX),
               scores = block_rows(T) * score_stride(T);
  w->kt = at, at += across;
  w->vt = at, at += across;
  w->kv = at, at += along;
  w->q = at, at += block;
  w->dout = at, at += block;
  w->s = at, at += scores;
  w->dp = at, at += scores;
  return (size_t)(at - start);
}

size_t rmx__attention_scratch(size_t T, size_t S) {
  const size_t across = rmx__round_up(T, NR_MAX) * S, along = T * rmx__round_up(S, NR_MAX);
  const size_t here =
      2 * across + along + 2 * block_rows(T) * (rmx__round_up(S, NR_MAX) + score_stride(T));
  const size_t in_bf16 = rmx__attention_bf16_scratch(T, S);
  return here > in_bf16 ? here : in_bf16;
}

// The products of a block of queries, its first being number i, with the keys 0 .. i + rows - 1
// that it sees.
struct block {
  const rmx_kernels *k;
  size_t i, rows, keys, S, ld_s;
};

// s (rows, keys) = a bt: S or dP, from rows of Q or dO and packed K^T or V^T. Whole panels are
// written.
static void scores(const struct block *b, const float *a, size_t lda, const float *bt, float *s) {
  const rmx_kernels *k = b->k;
  for (size_t j = 0; j < b->keys; j += k->nr)
    for (size_t r = j > b->i ? (j - b->i) / k->mr * k->mr : 0; r < b->rows; r += k->mr)
      k->micro_kernel(rmx__min(b->rows - r, k->mr), k->nr, b->S, a + r * lda, lda, 1, bt + j * b->S,
                      s + r * b->ld_s + j, b->ld_s, false);
}

// to (rows, S) = s kv: O or dQ, from packed V or K of T keys.
static void of_queries(const struct block *b, const float *s, const float *kv, size_t T, float *to,
                       size_t ld) {
  const rmx_kernels *k = b->k;
  for (size_t j = 0; j < b->S; j += k->nr)
    for (size_t r = 0; r < b->rows; r += k->mr)
      k->micro_kernel(rmx__min(b->rows - r, k->mr), rmx__min(b->S - j, k->nr),
                      rmx__min(b->keys, b->i + r + k->mr), s + r * b->ld_s, b->ld_s, 1, kv + j * T,
                      to + r * ld + j, ld, false);
}

// to (keys, S) = or += s^T q: dK or dV, from packed Q or dO.
static void of_keys(const struct block *b, const float *s, const float *q, float *to, size_t ld,
                    bool add) {
  const rmx_kernels *k = b->k;
  for (size_t j = 0; j < b->S; j += k->nr)
    for (size_t key = 0; key < b->keys; key += k->mr) {
      const size_t first = key > b->i ? key - b->i : 0;  // that sees it
      k->micro_kernel(rmx__min(b->keys - key, k->mr), rmx__min(b->S - j, k->nr), b->rows - first,
                      s + first * b->ld_s + key, 1, b->ld_s, q + j * b->rows + first * k->nr,
                      to + key * ld + j, ld, add);
    }
}

void rmx__attention_blocked(const rmx_kernels *k, const struct rmx__attention *a, size_t first,
                            size_t last, float *scratch) {
  const size_t T = a->T, H = a->H, S = a->S, C = H * S, ld = 3 * C, ld_s = score_stride(T);
  const float scale = (float)(1 / __builtin_sqrt((double)S));
  struct scratch w;
  lay_out(&w, scratch, T, S);
  for (size_t head = first; head < last; head++) {
    const size_t b = head / H, h = head % H;
    const float *q = a->qkv + b * T * ld + h * S;
    float *o = a->out + b * T * C + h * S;
    k->pack_b(w.kt, S, T, q + C, ld, true);
    k->pack_b(w.kv, T, S, q + 2 * C, ld, false);
    for (size_t i = 0; i < T; i += block_rows(T)) {
      const size_t rows = rmx__min(T - i, block_rows(T));
      const struct block block = {k, i, rows, i + rows, S, ld_s};
      scores(&block, q + i * ld, ld, w.kt, w.s);
      const double since = a->seconds ? rmx_now() : 0;
      k->softmax_causal(rows, i + rows, i + 1, scale, w.s, ld_s, a->lse + head * T + i, w.of_row);
      if (a->seconds) *a->seconds += rmx_now() - since;
      of_queries(&block, w.s, w.kv, T, o + i * C, C);
      k->scale_rows(rows, S, o + i * C, C, w.of_row);
    }
  }
}

void rmx__attention_blocked_backward(const rmx_kernels *k, const struct rmx__attention *a,
                                     size_t first, size_t last, float *scratch) {
  const size_t T = a->T, H = a->H, S = a->S, C = H * S, ld = 3 * C, ld_s = score_stride(T);
  const float scale = (float)(1 / __builtin_sqrt((double)S));
  struct scratch w;
  lay_out(&w, scratch, T, S);
  for (size_t head = first; head < last; head++) {
    const size_t b = head / H, h = head % H;
    const float *q = a->qkv + b * T * ld + h * S;
    float *dq = a->dqkv + b * T * ld + h * S;
    k->pack_b(w.kt, S, T, q + C, ld, true);
    k->pack_b(w.vt, S, T, q + 2 * C, ld, true);
    k->pack_b(w.kv, T, S, q + C, ld, false);
    // Last block first: it sees all keys, so it writes dK and dV where the others add.
    const size_t all = block_rows(T), end = (T - 1) / all * all;
    for (size_t i = end + all; i > 0;) {
      i -= all;
      const size_t rows = rmx__min(T - i, all);
      const struct block block = {k, i, rows, i + rows, S, ld_s};
      const bool add = i < end;
      const size_t at = (b * T + i) * C + h * S;
      const float *o_i = a->out + at, *do_i = a->dout + at;
      k->row_dots(rows, S, do_i, C, o_i, C, w.of_row);
      scores(&block, q + i * ld, ld, w.kt, w.s);
      scores(&block, do_i, C, w.vt, w.dp);
      const double since = a->seconds ? rmx_now() : 0;
      k->softmax_causal_backward(rows, i + rows, i + 1, scale, w.s, w.dp, ld_s,
                                 a->lse + head * T + i, w.of_row);
      if (a->seconds) *a->seconds += rmx_now() - since;
      k->pack_b(w.dout, rows, S, do_i, C, false);
      k->pack_b(w.q, rows, S, q + i * ld, ld, false);
      of_queries(&block, w.dp, w.kv, T, dq + i * ld, ld);
      of_keys(&block, w.dp, w.q, dq + C, ld, add);
      of_keys(&block, w.s, w.dout, dq + 2 * C, ld, add);
    }
  }
}
