// SPDX-License-Identifier: Apache-2.0
// head.c: the output head, with the logits of the whole batch never in memory.
//
//   logits = x W^T,  loss_r = logsumexp(logits_r) - logits_r[label_r]
//   g = weight (softmax(logits) - onehot),  dx = g W,  dW += g^T x
//
// A block of rows at a time, in two sweeps over the vocabulary. The first makes E = exp(logits -
// shift), WORDS columns at a time, adds them up and adds E W to dx while they are in the second
// cache: as in an online softmax (Milakov and Gimelshein 2018), sums and dx are put right where the
// shift of a row has to grow. Now the sums are known, and g = E weight / sum - weight onehot: dx
// and x are scaled by row, and the second sweep adds E^T x to dW. So a logit is written to memory
// once and read once, and not even that without gradients.
//
// E is stored transposed, (words, tokens). The micro-kernel then broadcasts from rows of W and of E
// where they are, x is packed once for all words, and the softmax goes down columns: each lane is a
// token.
//
// Where token weights must be known from the losses first, the same function is called twice, at
// first without gradients: the price is one more product, not V numbers a token.
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "threaded.h"

enum {
  WORDS = 252,  // a block of the vocabulary: whole tiles of 4, 6 and 14 rows
  // a piece of the first sweep: x, dx and a block of E stay in the second cache
  TOKENS = 256,
  ROWS_MIN = 256,  // of a block; more make better use of each pass over W and dW, but more of E
  ROWS_MAX = 512,
  ROWS_PLAIN = 32,
  NR_MAX = 32,
};

static size_t max_rows(size_t V) {
  const size_t rows = ((size_t)1 << 21) / V / 32 * 32;
  return rows < ROWS_MIN ? ROWS_MIN : rows > ROWS_MAX ? ROWS_MAX : rows;
}
// Row stride of E: an odd number of cache lines, so that columns do not share a cache set.
static size_t stride(size_t tokens) {
  return rmx__round_up(tokens, 32) + 16;
}

// ---- as the equations read: for levels without tiles ------------------------

static void plain(const struct rmx__threaded *t, const struct rmx__head *all) {
  float *logits = all->memory;
  for (size_t r = 0; r < all->M; r += ROWS_PLAIN) {
    const struct rmx__head h = rmx__head_rows(all, r, rmx__min(all->M - r, ROWS_PLAIN));
    const size_t M = h.M, C = h.C, V = h.V;
    const struct rmx__gemm to_logits = {.tb = true,
                                        .M = M,
                                        .N = V,
                                        .K = C,
                                        .a = h.x,
                                        .lda = C,
                                        .b = h.w,
                                        .ldb = C,
                                        .c = logits,
                                        .ldc = V};
    const struct rmx__gemm to_dw = {.ta = true,
                                    .M = V,
                                    .N = C,
                                    .K = M,
                                    .a = logits,
                                    .lda = V,
                                    .b = h.x,
                                    .ldb = C,
                                    .c = h.dw,
                                    .ldc = C,
                                    .accumulate = true};
    const struct rmx__gemm to_dx = {
        .M = M, .N = C, .K = V, .a = logits, .lda = V, .b = h.w, .ldb = C, .c = h.dx, .ldc = C};
    rmx__threaded_gemm(t, &to_logits);
    const double since = h.seconds ? rmx_now() : 0;
    rmx__threaded_cross_entropy(t, &(struct rmx__cross_entropy){.M = M,
                                                                .V = V,
                                                                .logits = logits,
                                                                .labels = h.labels,
                                                                .weights = h.weights,
                                                                .losses = h.losses,
                                                                .gradient = h.dx != NULL});
    if (h.seconds) *h.seconds += rmx_now() - since;
    if (!h.dx) continue;
    rmx__threaded_gemm(t, &to_dw);
    rmx__threaded_gemm(t, &to_dx);
  }
}

struct rmx__head rmx__head_rows(const struct rmx__head *h, size_t first, size_t n) {
  struct rmx__head rows = *h;
  rows.M = n, rows.x += first * h->C, rows.labels += first, rows.losses += first;
  if (h->weights) rows.weights += first;
  if (h->dx) rows.dx += first * h->C;
  return rows;
}

// ---- two sweeps ---------------------------------------------------------------

struct head {
  const struct rmx__threaded *t;
  struct rmx__head of;  // a block of rows
  size_t piece, ld;
  float *e;       // (V, ld): E^T of the block
  float *scaled;  // (M, C): x weight / sum
  float *packed;  // the same in panels of nr columns
};

size_t rmx__head_scratch(size_t C) {
  const size_t here =
      TOKENS * C + WORDS * rmx__round_up(C, NR_MAX) + WORDS * stride(TOKENS) + 4 * TOKENS;
  const size_t in_bf16 = rmx__head_bf16_scratch();
  return here > in_bf16 ? here : in_bf16;
}
size_t rmx__head_memory(size_t C, size_t V, bool gradients) {
  const size_t rows = max_rows(V), in_bf16 = rmx__head_bf16_memory(C, V, gradients);
  const size_t here =
      gradients ? V * stride(rows) + rows * (C + rmx__round_up(C, NR_MAX)) : V * ROWS_PLAIN;
  return here > in_bf16 ? here : in_bf16;
}

// What the first sweep has of the tokens of a piece.
struct sums {
  float shift[TOKENS], sum[TOKENS], factor[TOKENS], label_logit[TOKENS];
};

// The shift of some rows grew before the words from `word` on: earlier sums shrink.
static void shrink(const struct head *h, const struct sums *s, size_t at, size_t m, size_t word) {
  const size_t C = h->of.C;
  for (size_t r = 0; r < m; r++) {
    const float scale = s->factor[r];
    if (scale == 1) continue;
    for (size_t i = 0; i < C; i++) h->of.dx[(at + r) * C + i] *= scale;
    for (size_t j = 0; j < word; j++) h->e[j * h->ld + at + r] *= scale;
  }
}

// The sums are known: losses, dx, and what the second sweep takes.
static void finish(const struct head *h, const struct sums *s, size_t at, size_t m) {
  const struct rmx__head *o = &h->of;
  const size_t C = o->C;
  for (size_t r = 0; r < m; r++) {
    const size_t row = at + r;
    const int32_t label = o->labels[row];
    o->losses[row] = label < 0 ? 0 : s->shift[r] - s->label_logit[r] + logf(s->sum[r]);
    if (!o->dx) continue;
    const float weight = label < 0 ? 0 : o->weights ? o->weights[row] : 1;
    const float scale = weight / s->sum[r];
    float *dx = o->dx + row * C, *scaled = h->scaled + row * C;
    const float *x = o->x + row * C;
    if (label < 0) {
      for (size_t i = 0; i < C; i++) dx[i] = scaled[i] = 0;
      continue;
    }
    const float *w = o->w + (size_t)label * C;
    for (size_t i = 0; i < C; i++) {
      scaled[i] = x[i] * scale;
      dx[i] = dx[i] * scale - w[i] * weight;
    }
    h->e[(size_t)label * h->ld + row] -= s->sum[r];
  }
}

static void first_sweep(void *context, size_t i, int thread) {
  const struct head *h = context;
  const struct rmx__head *o = &h->of;
  const rmx_kernels *k = h->t->k;
  const size_t C = o->C, at = i * h->piece, m = rmx__min(h->piece, o->M - at),
               across = rmx__round_up(m, k->nr);
  double *seconds = thread == 0 ? o->seconds : NULL;
  float *xt = h->t->scratch[thread], *words = xt + (size_t)TOKENS * C,
        *block = words + WORDS * rmx__round_up(C, NR_MAX);
  struct sums *s = (struct sums *)(void *)(block + WORDS * stride(TOKENS));
  const size_t ld = o->dx ? h->ld : stride(TOKENS);
  for (size_t r = 0; r < TOKENS; r++) s->shift[r] = -INFINITY, s->sum[r] = 0;
  k->pack_b(xt, C, m, o->x + at * C, C, true);
  for (size_t word = 0; word < o->V; word += WORDS) {
    const size_t n = rmx__min(WORDS, o->V - word);
    const float *w = o->w + word * C;
    float *e = o->dx ? h->e + word * ld + at : block;
    if (o->dx) k->pack_b(words, n, C, w, C, false);
    rmx__gemm_panels(k, &(struct rmx__panels){.M = n,
                                              .N = across,
                                              .K = C,
                                              .a = w,
                                              .a_row = C,
                                              .a_k = 1,
                                              .b = xt,
                                              .panel = C * k->nr,
                                              .c = e,
                                              .ldc = ld});
    const double since = seconds ? rmx_now() : 0;
    for (size_t r = 0; r < m; r++)
      if (o->labels[at + r] >= 0 && (size_t)o->labels[at + r] - word < n)
        s->label_logit[r] = e[((size_t)o->labels[at + r] - word) * ld + r];
    const bool grew = k->softmax_columns(n, across, e, ld, s->shift, s->sum, s->factor);
    if (seconds) *seconds += rmx_now() - since;
    if (!o->dx) continue;
    if (grew && word) shrink(h, s, at, m, word);
    rmx__gemm_panels(k, &(struct rmx__panels){.M = m,
                                              .N = C,
                                              .K = n,
                                              .a = e,
                                              .a_row = 1,
                                              .a_k = ld,
                                              .b = words,
                                              .panel = n * k->nr,
                                              .c = o->dx + at * C,
                                              .ldc = C,
                                              .accumulate = word > 0});
  }
  finish(h, s, at, m);
}

static void pack_panel(void *context, size_t i, int thread) {
  const struct head *h = context;
  const size_t nr = h->t->k->nr, column = i * nr, M = h->of.M, C = h->of.C;
  (void)thread;
  h->t->k->pack_b(h->packed + column * M, M, rmx__min(nr, C - column), h->scaled + column, C,
                  false);
}

static void second_sweep(void *context, size_t i, int thread) {
  const struct head *h = context;
  const struct rmx__head *o = &h->of;
  const size_t word = i * WORDS;
  (void)thread;
  rmx__gemm_panels(h->t->k, &(struct rmx__panels){.M = rmx__min(WORDS, o->V - word),
                                                  .N = o->C,
                                                  .K = o->M,
                                                  .a = h->e + word * h->ld,
                                                  .a_row = h->ld,
                                                  .a_k = 1,
                                                  .b = h->packed,
                                                  .panel = o->M * h->t->k->nr,
                                                  .c = o->dw + word * o->C,
                                                  .ldc = o->C,
                                                  .accumulate = true});
}

void rmx__head_weights(const struct rmx__threaded *t, size_t C, size_t V, const float *w,
                       bool gradients, float *memory) {
  if (t->k->bf16) rmx__head_bf16_weights(t, C, V, w, gradients, memory);
}

static void blocks_of_rows(const struct rmx__threaded *t, const struct rmx__head *all) {
  const size_t M = all->M, C = all->C, V = all->V, blocks = rmx__ceil_div(M, max_rows(V)),
               block = blocks ? rmx__round_up(rmx__ceil_div(M, blocks), NR_MAX) : 0;
  for (size_t r = 0; r < M; r += block) {  // all of one size but the last
    struct head h = {.t = t,
                     .of = rmx__head_rows(all, r, rmx__min(M - r, block)),
                     .ld = stride(block),
                     .e = all->memory};
    h.packed = h.e + V * h.ld;
    h.scaled = h.packed + h.of.M * rmx__round_up(C, NR_MAX);
    h.piece = rmx__min(TOKENS, rmx__round_up(rmx__ceil_div(h.of.M, t->threads), NR_MAX));
    rmx_pool_run(t->pool, rmx__ceil_div(h.of.M, h.piece), first_sweep, &h);
    if (!h.of.dx) continue;
    rmx_pool_run(t->pool, rmx__ceil_div(C, t->k->nr), pack_panel, &h);
    rmx_pool_run(t->pool, rmx__ceil_div(V, WORDS), second_sweep, &h);
  }
}

void rmx__head(const struct rmx__threaded *t, const struct rmx__head *h) {
  if (!t->k->micro_kernel)
    plain(t, h);
  else if (t->k->bf16)
    rmx__head_bf16(t, h);
  else
    blocks_of_rows(t, h);
}
