// SPDX-License-Identifier: Apache-2.0
/* head.c: the output head, with the logits of the whole batch never in memory.
 *
 *   logits = x W^T,  loss_r = logsumexp(logits_r) - logits_r[label_r]
 *   g = weight (softmax(logits) - onehot),  dx = g W,  dW += g^T x
 *
 * A block of rows at a time, in two sweeps over the vocabulary. The first makes E = exp(logits -
 * shift), WORDS columns at a time, adds them up and adds E W to dx while they are in the second
 * cache: as in an online softmax (Milakov and Gimelshein 2018), sums and dx are put right where the
 * shift of a row has to grow. Now the sums are known, and g = E weight / sum - weight onehot: dx
 * and x are scaled by row, and the second sweep adds E^T x to dW. So a logit is written to memory
 * once and read once, and not even that without gradients.
 *
 * E lies transposed, words by tokens: the words' rows of W and of E are then what the tile
 * broadcasts from, where they are, x is packed once for all words, and the softmax goes down
 * columns, a lane a token.
 *
 * Where token weights must be known from the losses first, the same function is called twice, at
 * first without gradients: the price is one more product, not V numbers a token.
 */
#include <math.h>
#include <string.h>

#include "crew.h"

enum {
  WORDS = 252, /* a block of the vocabulary: whole tiles of 4, 6 and 14 rows */
  /* a piece of the first sweep: x, dx and a block of E stay in the second cache */
  TOKENS = 256,
  ROWS_LEAST = 256, /* of a block; more make better use of each pass over W and dW, but more of E */
  ROWS_MOST = 512,
  ROWS_PLAIN = 32,
  NR_MAX = 32,
};

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}
static size_t up_to(size_t n, size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}
static size_t most_rows(size_t V) {
  const size_t rows = ((size_t)1 << 21) / V / 32 * 32;
  return rows < ROWS_LEAST ? ROWS_LEAST : rows > ROWS_MOST ? ROWS_MOST : rows;
}
/* Row stride of E: an odd number of cache lines, so that columns do not share a cache set. */
static size_t stride(size_t tokens) {
  return up_to(tokens, 32) + 16;
}

/* ---- as the equations read: for levels without tiles ------------------------ */

static void plain(const struct rmx__crew *c, size_t M, size_t C, size_t V, const float *x,
                  const float *w, const int32_t *labels, const float *weights, float *losses,
                  float *dx, float *dw, float *logits) {
  for (size_t r = 0; r < M; r += ROWS_PLAIN) {
    const size_t m = smaller(M - r, ROWS_PLAIN);
    rmx__crew_gemm(c, RMX__HEAD, false, true, m, V, C, x + r * C, C, w, C, logits, V, false);
    rmx__crew_cross_entropy(c, m, V, logits, labels + r, weights ? weights + r : NULL, losses + r,
                            dx != NULL);
    if (!dx) continue;
    rmx__crew_gemm(c, RMX__HEAD, true, false, V, C, m, logits, V, x + r * C, C, dw, C, true);
    rmx__crew_gemm(c, RMX__HEAD, false, false, m, C, V, logits, V, w, C, dx + r * C, C, false);
  }
}

/* ---- two sweeps --------------------------------------------------------------- */

struct head {
  const struct rmx__crew *c;
  size_t M, C, V, piece, ld;
  const float *x, *w, *weights;
  const int32_t *labels;
  float *losses, *dx, *dw;
  float *e;      /* (V, ld): E^T of a block of rows */
  float *scaled; /* (M, C): x weight / sum */
  float *packed; /* the same in panels of nr columns */
};

size_t rmx__head_scratch(size_t C) {
  const size_t here = TOKENS * C + WORDS * up_to(C, NR_MAX) + WORDS * stride(TOKENS) + 4 * TOKENS;
  const size_t in_bf16 = rmx__head_bf16_scratch();
  return here > in_bf16 ? here : in_bf16;
}
size_t rmx__head_memory(size_t C, size_t V, bool gradients) {
  const size_t rows = most_rows(V), in_bf16 = rmx__head_bf16_memory(C, V, gradients);
  const size_t here = gradients ? V * stride(rows) + rows * (C + up_to(C, NR_MAX)) : V * ROWS_PLAIN;
  return here > in_bf16 ? here : in_bf16;
}

/* What the first sweep has of the tokens of a piece. */
struct sums {
  /* right: the logit of the label */
  float shift[TOKENS], sum[TOKENS], factor[TOKENS], right[TOKENS];
};

/* The shift of some rows grew before the words from `word` on: what was summed up before
 * shrinks. */
static void shrink(const struct head *h, const struct sums *s, size_t at, size_t m, size_t word) {
  for (size_t r = 0; r < m; r++) {
    const float by = s->factor[r];
    if (by == 1) continue;
    for (size_t i = 0; i < h->C; i++) h->dx[(at + r) * h->C + i] *= by;
    for (size_t j = 0; j < word; j++) h->e[j * h->ld + at + r] *= by;
  }
}

/* The sums are known: losses, dx, and what the second sweep takes. */
static void finish(const struct head *h, const struct sums *s, size_t at, size_t m) {
  for (size_t r = 0; r < m; r++) {
    const size_t row = at + r, C = h->C;
    const int32_t label = h->labels[row];
    h->losses[row] = label < 0 ? 0 : s->shift[r] - s->right[r] + logf(s->sum[r]);
    if (!h->dx) continue;
    const float weight = label < 0 ? 0 : h->weights ? h->weights[row] : 1, by = weight / s->sum[r];
    float *dx = h->dx + row * C, *scaled = h->scaled + row * C;
    const float *x = h->x + row * C;
    if (label < 0) {
      for (size_t i = 0; i < C; i++) dx[i] = scaled[i] = 0;
      continue;
    }
    const float *w = h->w + (size_t)label * C;
    for (size_t i = 0; i < C; i++) {
      scaled[i] = x[i] * by;
      dx[i] = dx[i] * by - w[i] * weight;
    }
    h->e[(size_t)label * h->ld + row] -= s->sum[r];
  }
}

static void first_sweep(void *context, size_t i, int thread) {
  const struct head *h = context;
  const rmx_kernels *k = h->c->k;
  const size_t C = h->C, at = i * h->piece, m = smaller(h->piece, h->M - at),
               across = up_to(m, k->nr);
  double *seconds = thread == 0 ? h->c->seconds : NULL;
  float *xt = h->c->scratch[thread], *words = xt + (size_t)TOKENS * C,
        *block = words + WORDS * up_to(C, NR_MAX);
  struct sums *s = (struct sums *)(void *)(block + WORDS * stride(TOKENS));
  const size_t ld = h->dx ? h->ld : stride(TOKENS);
  for (size_t r = 0; r < TOKENS; r++) s->shift[r] = -INFINITY, s->sum[r] = 0;
  k->pack_b(xt, C, m, h->x + at * C, C, true);
  for (size_t word = 0; word < h->V; word += WORDS) {
    const size_t n = smaller(WORDS, h->V - word);
    const float *w = h->w + word * C;
    float *e = h->dx ? h->e + word * ld + at : block;
    if (h->dx) k->pack_b(words, n, C, w, C, false);
    rmx__gemm_panels(k, n, across, C, w, C, 1, xt, C * k->nr, e, ld, false);
    const double since = seconds ? rmx_now() : 0;
    for (size_t r = 0; r < m; r++)
      if (h->labels[at + r] >= 0 && (size_t)h->labels[at + r] - word < n)
        s->right[r] = e[((size_t)h->labels[at + r] - word) * ld + r];
    const bool grew = k->softmax_columns(n, across, e, ld, s->shift, s->sum, s->factor);
    if (seconds) seconds[RMX__LOSS] += rmx_now() - since;
    if (!h->dx) continue;
    if (grew && word) shrink(h, s, at, m, word);
    rmx__gemm_panels(k, m, C, n, e, 1, ld, words, n * k->nr, h->dx + at * C, C, word > 0);
  }
  finish(h, s, at, m);
}

static void pack_panel(void *context, size_t i, int thread) {
  const struct head *h = context;
  const size_t nr = h->c->k->nr, column = i * nr;
  (void)thread;
  h->c->k->pack_b(h->packed + column * h->M, h->M, smaller(nr, h->C - column), h->scaled + column,
                  h->C, false);
}

static void second_sweep(void *context, size_t i, int thread) {
  const struct head *h = context;
  const size_t word = i * WORDS, n = smaller(WORDS, h->V - word);
  (void)thread;
  rmx__gemm_panels(h->c->k, n, h->C, h->M, h->e + word * h->ld, h->ld, 1, h->packed,
                   h->M * h->c->k->nr, h->dw + word * h->C, h->C, true);
}

void rmx__head_weights(const struct rmx__crew *c, size_t C, size_t V, const float *w,
                       bool gradients, float *memory) {
  if (c->k->bf16) rmx__head_bf16_weights(c, C, V, w, gradients, memory);
}

void rmx__head(const struct rmx__crew *c, size_t M, size_t C, size_t V, const float *x,
               const float *w, const int32_t *labels, const float *weights, float *losses,
               float *dx, float *dw, float *memory) {
  const size_t blocks = (M + most_rows(V) - 1) / most_rows(V),
               block = up_to((M + blocks - 1) / blocks, NR_MAX); /* of one size */
  if (!c->k->tile) {
    plain(c, M, C, V, x, w, labels, weights, losses, dx, dw, memory);
    return;
  }
  if (c->k->bf16) {
    rmx__head_bf16(c, M, C, V, x, w, labels, weights, losses, dx, dw, memory);
    return;
  }
  for (size_t r = 0; r < M; r += block) {
    struct head h = {c,
                     smaller(M - r, block),
                     C,
                     V,
                     0,
                     stride(block),
                     x + r * C,
                     w,
                     weights ? weights + r : NULL,
                     labels + r,
                     losses + r,
                     dx ? dx + r * C : NULL,
                     dw,
                     memory,
                     NULL,
                     NULL};
    const double since = rmx__clock(c), softmax = c->seconds ? c->seconds[RMX__LOSS] : 0;
    h.packed = memory + V * h.ld;
    h.scaled = h.packed + h.M * up_to(C, NR_MAX);
    h.piece = smaller(TOKENS, up_to((h.M + c->threads - 1) / c->threads, NR_MAX));
    rmx_pool_run(c->pool, (h.M + h.piece - 1) / h.piece, first_sweep, &h);
    if (dx) {
      rmx_pool_run(c->pool, (C + c->k->nr - 1) / c->k->nr, pack_panel, &h);
      rmx_pool_run(c->pool, (V + WORDS - 1) / WORDS, second_sweep, &h);
    }
    rmx__clocked(c, RMX__HEAD, since);
    if (c->seconds) c->seconds[RMX__HEAD] -= c->seconds[RMX__LOSS] - softmax;
  }
}
