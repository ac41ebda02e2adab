// SPDX-License-Identifier: Apache-2.0
/* attention.c: causal attention, a block of queries at a time, never (T, T) in memory.
 *
 *   S = Q K^T / sqrt(S),  P = softmax(S) over keys not after the query,  O = P V
 *   dV = P^T dO,  dP = dO V^T,  dS = P (dP - rowsum(dO O)),  dQ = dS K / sqrt(S),  dK = dS^T Q / sqrt(S)
 *
 * After FlashAttention (Dao et al. 2022): the forward pass keeps only the log-sum-exp of each row, the
 * backward pass computes P again from it. Blocks of rows stop at the diagonal, so that nearly half of the
 * square is never touched. K and V are packed once per head and serve all blocks of queries: memory O(T), per
 * head.
 */
#include "kernels.h"

_Thread_local double *rmx__softmax_seconds;

enum { ROWS = 48 /* queries a block: whole tiles of 4, 6, 12 or nearly of 14 rows */, NR_MAX = 32 };

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}
static size_t round_up(size_t n, size_t to) {
  return (n + to - 1) / to * to;
}

/* Row stride of a block of scores: an odd number of cache lines, so that columns do not share a cache set. */
static size_t score_stride(size_t T) {
  return round_up(T, 32) + 16;
}

struct scratch {
  float *kt, *vt;    /* packed K^T and V^T: (T / nr, S, nr) */
  float *kv;         /* packed V (forward) or K (backward): (S / nr, T, nr) */
  float *q, *dout;   /* packed blocks of Q and dO: (S / nr, ROWS, nr) */
  float *s, *dp;     /* blocks of scores and of their gradients: (ROWS, score_stride) */
  float delta[ROWS]; /* rowsum(dO O) */
};

static size_t carve(struct scratch *w, float *at, size_t T, size_t S) {
  float *const start = at;
  const size_t across = round_up(T, NR_MAX) * S, along = T * round_up(S, NR_MAX);
  const size_t block = ROWS * round_up(S, NR_MAX), scores = ROWS * score_stride(T);
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
  const size_t across = round_up(T, NR_MAX) * S, along = T * round_up(S, NR_MAX);
  return 2 * across + along + 2 * ROWS * round_up(S, NR_MAX) + 2 * ROWS * score_stride(T);
}

void rmx__attention_blocked(const rmx_kernels *k, size_t first, size_t last, size_t T, size_t H, size_t S,
                            const float *qkv, float *out, float *lse, float *scratch) {
  const size_t C = H * S, ld = 3 * C, ld_s = score_stride(T);
  const float scale = (float)(1 / __builtin_sqrt((double)S));
  struct scratch w;
  carve(&w, scratch, T, S);
  for (size_t head = first; head < last; head++) {
    const size_t b = head / H, h = head % H;
    const float *q = qkv + b * T * ld + h * S;
    float *o = out + b * T * C + h * S;
    k->pack_b(w.kt, S, T, q + C, ld, true);
    k->pack_b(w.kv, T, S, q + 2 * C, ld, false);
    for (size_t i = 0; i < T; i += ROWS) {
      size_t rows = smaller(T - i, ROWS), keys = i + rows;
      rmx__gemm_panels(k, rows, keys, S, q + i * ld, ld, 1, w.kt, S * k->nr, w.s, ld_s, false);
      const double since = rmx__softmax_seconds ? rmx_now() : 0;
      k->softmax_causal(rows, keys, i + 1, scale, w.s, ld_s, lse + head * T + i);
      if (rmx__softmax_seconds) *rmx__softmax_seconds += rmx_now() - since;
      rmx__gemm_panels(k, rows, S, keys, w.s, ld_s, 1, w.kv, T * k->nr, o + i * C, C, false);
    }
  }
}

void rmx__attention_blocked_backward(const rmx_kernels *k, size_t first, size_t last, size_t T, size_t H,
                                     size_t S, const float *qkv, const float *out, const float *lse,
                                     const float *dout, float *dqkv, float *scratch) {
  const size_t C = H * S, ld = 3 * C, ld_s = score_stride(T);
  const float scale = (float)(1 / __builtin_sqrt((double)S));
  struct scratch w;
  carve(&w, scratch, T, S);
  for (size_t head = first; head < last; head++) {
    const size_t b = head / H, h = head % H;
    const float *q = qkv + b * T * ld + h * S;
    float *dq = dqkv + b * T * ld + h * S;
    k->pack_b(w.kt, S, T, q + C, ld, true);
    k->pack_b(w.vt, S, T, q + 2 * C, ld, true);
    k->pack_b(w.kv, T, S, q + C, ld, false);
    /* Last block first: it sees all keys, so it writes dK and dV where the others add. */
    const size_t end = (T - 1) / ROWS * ROWS;
    for (size_t i = end + ROWS; i > 0;) {
      i -= ROWS;
      const size_t rows = smaller(T - i, ROWS), keys = i + rows;
      const bool add = i < end;
      const float *o_i = out + (b * T + i) * C + h * S, *do_i = dout + (b * T + i) * C + h * S;
      k->row_dots(rows, S, do_i, C, o_i, C, w.delta);
      rmx__gemm_panels(k, rows, keys, S, q + i * ld, ld, 1, w.kt, S * k->nr, w.s, ld_s, false);
      rmx__gemm_panels(k, rows, keys, S, do_i, C, 1, w.vt, S * k->nr, w.dp, ld_s, false);
      const double since = rmx__softmax_seconds ? rmx_now() : 0;
      k->softmax_causal_backward(rows, keys, i + 1, scale, w.s, w.dp, ld_s, lse + head * T + i, w.delta);
      if (rmx__softmax_seconds) *rmx__softmax_seconds += rmx_now() - since;
      k->pack_b(w.dout, rows, S, do_i, C, false);
      k->pack_b(w.q, rows, S, q + i * ld, ld, false);
      rmx__gemm_panels(k, rows, S, keys, w.dp, ld_s, 1, w.kv, T * k->nr, dq + i * ld, ld, false);
      rmx__gemm_panels(k, keys, S, rows, w.dp, 1, ld_s, w.q, rows * k->nr, dq + C, ld, add);
      rmx__gemm_panels(k, keys, S, rows, w.s, 1, ld_s, w.dout, rows * k->nr, dq + 2 * C, ld, add);
    }
  }
}
