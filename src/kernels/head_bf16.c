// SPDX-License-Identifier: Apache-2.0
/* head_bf16.c: the output head of the levels that multiply in bfloat16, with no logit ever in
 * memory.
 *
 *   l = W x^T (V, M),  e = exp(l - shift_r),  s_r = sum_v e_vr,
 *   loss_r = shift_r + log s_r - l[label_r, r]
 *   dx^T = W^T e * (weight_r / s_r),  dW += e (x * weight_r / s_r),
 *   and at the label - weight_r more
 *
 * The transpose is what makes it one pass: sums over the vocabulary are then sums of whole vectors;
 * a row of e in bfloat16 is a left operand as it stands, two rows side by side are a right one; and
 * what divides a row goes into the other operand, or the result. A block of 128 tokens of the
 * vocabulary meets 32 rows of x: the logits stay in the first cache for as long as it takes to make
 * them e, dx^T takes e from there, and what is left behind is e in bfloat16, for the second pass
 * over the vocabulary, which is dW's and must know all of s.
 *
 * The shift is the largest logit of the first block, not of all: e^60 is far from the largest
 * float, so it moves only for a logit that is 60 above it, when what was computed so far is scaled.
 * The label itself is left out of e and added in float: its gradient is a difference of nearly
 * equal numbers where the model is sure, which bfloat16 could not hold.
 *
 * W is packed once for all rows until it changes, as the left operand of both products. The
 * exponentials of a block come after the logits of the next, or in one call with them, head_block,
 * where the processor has tiles beside its vectors and can do both at a time (the call's time is
 * then the product's).
 */
#include <math.h>
#include <string.h>

#include "bf16.h"
#include "crew.h"

enum { ROWS = 512, PANEL = 32, BLOCK = 128, BLOCK_LEAST = 112, MR_MAX = 32 };

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}
static size_t round_up(size_t n, size_t to) {
  return (n + to - 1) / to * to;
}

struct head {
  const struct rmx__crew *c;
  size_t M, C, V; /* M: rows of this block, at most ROWS */
  const float *x, *w, *weights;
  const int32_t *labels;
  float *losses, *dx, *dw; /* dx, dw: NULL without gradients */
  size_t piece;            /* panels, or rows of the vocabulary, of a piece of work */

  const float *left, *across;                  /* W and W^T, packed */
  float *e;                                    /* (V, words of M) */
  float *xs;                                   /* x as right operand: panels of 32 of its rows */
  float *dxt;                                  /* (panel, C, 32); later x, scaled */
  float *scaled;                               /* that as right operand */
  float *shift, *sums, *right, *scale, *label; /* (ROWS); the last: what is added at the label */
};

/* Tokens of the vocabulary at a time: whole tiles. */
static size_t tokens(const rmx_kernels *k) {
  return BLOCK / k->mr * k->mr;
}

/* ---- memory ----------------------------------------------------------------- */

/* W: left operands of depth C, a row a token; and for each block of the vocabulary W^T, of its
 * depth. */
static size_t left_size(size_t C, size_t V) {
  return round_up(V, MR_MAX) * rmx__bf16_words(C);
}
static size_t across_size(size_t C, size_t V) {
  return ((V / BLOCK_LEAST + 1) * C + MR_MAX) * rmx__bf16_words(BLOCK);
}

size_t rmx__head_bf16_memory(size_t C, size_t V, bool gradients) {
  const size_t forward = left_size(C, V) + ROWS * rmx__bf16_words(C) + 5 * ROWS;
  return forward +
         (gradients ? across_size(C, V) + ROWS * C + rmx__bf16_words(ROWS) * round_up(C, PANEL) +
                          round_up(V, MR_MAX) * rmx__bf16_words(ROWS)
                    : 0);
}
/* Of each thread: logits of two blocks, and e as right operand. */
size_t rmx__head_bf16_scratch(void) {
  return 2 * BLOCK * PANEL + rmx__bf16_words(BLOCK) * PANEL;
}

static void carve(struct head *h, float *at) {
  h->left = at, at += left_size(h->C, h->V);
  h->xs = at, at += ROWS * rmx__bf16_words(h->C);
  h->shift = at, at += ROWS;
  h->sums = at, at += ROWS;
  h->right = at, at += ROWS;
  h->scale = at, at += ROWS;
  h->label = at, at += ROWS;
  if (!h->dx) return;
  h->across = at, at += across_size(h->C, h->V);
  h->dxt = at, at += ROWS * h->C;
  h->scaled = at, at += rmx__bf16_words(ROWS) * round_up(h->C, PANEL);
  h->e = at;
}

/* ---- weights ---------------------------------------------------------------- */

struct weights {
  const rmx_kernels *k;
  size_t C, V;
  const float *w;
  float *left, *across; /* across: NULL without gradients */
};

static void weights_piece(void *context, size_t i, int thread) {
  const struct weights *s = context;
  const size_t C = s->C, v = i * tokens(s->k), rows = smaller(s->V - v, tokens(s->k));
  (void)thread;
  s->k->pack_a(s->left + v * rmx__bf16_words(C), rows, C, s->w + v * C, C, false);
  if (s->across)
    s->k->pack_a(s->across + i * C * rmx__bf16_words(BLOCK), C, rows, s->w + v * C, C, true);
}

void rmx__head_bf16_weights(const struct rmx__crew *c, size_t C, size_t V, const float *w,
                            bool gradients, float *memory) {
  const double since = rmx__clock(c);
  struct head places = {.C = C, .V = V, .dx = gradients ? memory : NULL};
  carve(&places, memory);
  struct weights s = {c->k, C, V, w, (float *)places.left, (float *)places.across};
  rmx_pool_run(c->pool, (V + tokens(c->k) - 1) / tokens(c->k), weights_piece, &s);
  rmx__clocked(c, RMX__HEAD, since);
}

/* ---- rows ------------------------------------------------------------------- */

/* Multiplies what was computed for row r with the shift `before` so that it is as if with `now`. */
static void shift_row(const struct head *h, size_t r, size_t v_done, float before, float now) {
  const float factor = expf(before - now);
  h->sums[r] *= factor;
  if (!h->dx) return;
  const size_t words = rmx__bf16_words(h->M);
  for (size_t c = 0; c < h->C; c++) h->dxt[(r / PANEL * h->C + c) * PANEL + r % PANEL] *= factor;
  for (size_t v = 0; v < v_done; v++) {
    uint16_t *e = (uint16_t *)(void *)(h->e + v * words) + r;
    *e = rmx__bf16_of(rmx__bf16_value(*e) * factor);
  }
}

/* The logits of `rows` tokens of the vocabulary from v on, for the rows of a panel. */
struct block {
  size_t panel, v, rows;
  float *logits;
};

/* The logit of the label is taken out, and shifts move where they must. */
static void before_exponentials(const struct head *h, const struct block *b) {
  const size_t first = b->panel * PANEL, n = smaller(h->M - first, PANEL), v = b->v, rows = b->rows;
  float *logits = b->logits;
  float most[PANEL];
  for (size_t r = 0; r < n; r++) {
    const int64_t at = (int64_t)h->labels[first + r] - (int64_t)v;
    if (h->labels[first + r] < 0 || at < 0 || at >= (int64_t)rows) continue;
    h->right[first + r] = logits[(size_t)at * PANEL + r];
    logits[(size_t)at * PANEL + r] = -INFINITY;
  }
  if (!h->c->k->head_largest(rows, logits, h->shift + first, most)) return;
  for (size_t r = 0; r < PANEL; r++) {
    float *shift = &h->shift[first + r];
    if (!(most[r] - *shift > 60)) continue;
    if (v > 0) shift_row(h, first + r, v, *shift, most[r]);
    *shift = most[r];
  }
}

static void finish_panel(const struct head *h, size_t panel) {
  const size_t first = panel * PANEL, n = smaller(h->M - first, PANEL), C = h->C;
  for (size_t r = first; r < first + n; r++) {
    const double shift = h->shift[r], right = h->right[r];
    const double most = right > shift ? right : shift;
    const double lse = most + log(h->sums[r] * exp(shift - most) + exp(right - most));
    const int32_t label = h->labels[r];
    const float weight = label < 0 ? 0 : h->weights ? h->weights[r] : 1;
    h->losses[r] = label < 0 ? 0 : (float)(lse - right);
    if (!h->dx) continue;
    h->scale[r] = label < 0 ? 0 : (float)(weight * exp(shift - lse));
    h->label[r] = label < 0 ? 0 : (float)(weight * expm1(right - lse));
    const float *from = h->dxt + panel * C * PANEL + (r - first);
    const float *of_label = h->w + (label < 0 ? 0 : (size_t)label) * C;
    float *dx = h->dx + r * C;
    for (size_t c = 0; c < C; c++)
      dx[c] = h->scale[r] * from[c * PANEL] + h->label[r] * of_label[c];
  }
}

/* What becomes of a block of logits, whose rows of e are also left in `packed`; no rows:
 * nothing. */
static struct rmx__exponentials exponentials_of(const struct head *h, const struct block *b,
                                                float *packed) {
  const size_t first = b->panel * PANEL, words = rmx__bf16_words(h->M);
  return (struct rmx__exponentials){
      .rows = b->rows,
      .logits = b->logits,
      .shift = h->shift + first,
      .sums = h->sums + first,
      .packed = h->dx ? packed : NULL,
      .e = h->dx ? h->e + b->v * words + first / 2 : NULL,
      .ld = words,
  };
}

static void make_exponentials(const struct head *h, const struct block *b, float *packed,
                              double *clock) {
  const double since = clock ? rmx_now() : 0;
  const struct rmx__exponentials of = exponentials_of(h, b, packed);
  h->c->k->head_exponentials(&of);
  if (clock) clock[RMX__LOSS] += rmx_now() - since;
}

static void add_to_dx(const struct head *h, const struct block *b, const float *packed) {
  const size_t depth = rmx__bf16_words(b->rows), C = h->C;
  if (!h->dx || !b->rows) return;
  rmx__gemm_packed(h->c->k, C, PANEL, depth,
                   h->across + b->v / tokens(h->c->k) * C * rmx__bf16_words(BLOCK), packed, 0,
                   h->dxt + b->panel * C * PANEL, PANEL, b->v > 0);
}

/* Share i of n of so many floats, into the second cache. */
static void prefetch(const float *from, size_t floats, size_t i, size_t n) {
  enum { LINE = 16 };
  for (size_t at = floats * i / n; at < floats * (i + 1) / n; at += LINE)
    __builtin_prefetch(from + at, 0, 2);
}

/* A number of panels against all of the vocabulary. */
static void panels_piece(void *context, size_t i, int thread) {
  const struct head *h = context;
  const rmx_kernels *k = h->c->k;
  const size_t deep = rmx__bf16_words(h->C);
  const size_t begin = i * h->piece, end = smaller(begin + h->piece, round_up(h->M, PANEL) / PANEL);
  float *logits = h->c->scratch[thread], *spare = logits + BLOCK * PANEL,
        *packed = spare + BLOCK * PANEL;
  double *const clock = thread == 0 ? h->c->seconds : NULL;
  for (size_t r = begin * PANEL; r < end * PANEL; r++) {
    h->shift[r] = -1e38f;
    h->sums[r] = h->right[r] = 0;
  }
  /* whose exponentials are still to be made: of no rows yet */
  struct block last = {.panel = begin};
  if (k->begin) k->begin();
  for (size_t v = 0; v < h->V; v += tokens(k))
    for (size_t p = begin; p < end; p++) {
      const struct block now = {p, v, smaller(h->V - v, tokens(k)), logits};
      const float *w = h->left + v * deep, *x = h->xs + p * deep * PANEL;
      const size_t after = smaller(v + tokens(k), h->V), block = h->C * rmx__bf16_words(BLOCK);
      prefetch(h->left + after * deep, smaller(h->V - after, tokens(k)) * deep, p - begin,
               end - begin);
      if (h->dx && after < h->V)
        prefetch(h->across + after / tokens(k) * block, block, p - begin, end - begin);
      if (k->head_block) {
        const struct rmx__exponentials of_last = exponentials_of(h, &last, packed);
        k->head_block(now.rows, deep, w, x, now.logits, &of_last);
      } else {
        rmx__gemm_packed(k, now.rows, PANEL, deep, w, x, 0, now.logits, PANEL, false);
        make_exponentials(h, &last, packed, clock);
      }
      add_to_dx(h, &last, packed);
      const double since = clock ? rmx_now() : 0;
      before_exponentials(h, &now);
      if (clock) clock[RMX__LOSS] += rmx_now() - since;
      last = now;
      logits = spare;
      spare = last.logits;
    }
  make_exponentials(h, &last, packed, clock);
  add_to_dx(h, &last, packed);
  if (k->end) k->end();
  const double since = clock ? rmx_now() : 0;
  for (size_t p = begin; p < end; p++) finish_panel(h, p);
  if (clock) clock[RMX__LOSS] += rmx_now() - since;
}

/* dW of a number of rows of the vocabulary. */
static void vocabulary_piece(void *context, size_t i, int thread) {
  const struct head *h = context;
  const rmx_kernels *k = h->c->k;
  const size_t C = h->C, words = rmx__bf16_words(h->M);
  const size_t begin = i * h->piece, end = smaller(begin + h->piece, h->V);
  (void)thread;
  if (k->begin) k->begin();
  for (size_t v = begin; v < end; v += tokens(k))
    rmx__gemm_packed(k, smaller(end - v, tokens(k)), C, words, h->e + v * words, h->scaled,
                     words * PANEL, h->dw + v * C, C, true);
  if (k->end) k->end();
  for (size_t r = 0; r < h->M; r++) {
    const int32_t label = h->labels[r];
    if (label < 0 || (size_t)label < begin || (size_t)label >= end) continue;
    float *dw = h->dw + (size_t)label * C;
    for (size_t c = 0; c < C; c++) dw[c] += h->label[r] * h->x[r * C + c];
  }
}

void rmx__head_bf16(const struct rmx__crew *c, size_t M, size_t C, size_t V, const float *x,
                    const float *w, const int32_t *labels, const float *weights, float *losses,
                    float *dx, float *dw, float *memory) {
  const double since = rmx__clock(c), of_loss = c->seconds ? c->seconds[RMX__LOSS] : 0;
  const size_t blocks = (M + ROWS - 1) / ROWS,
               rows = blocks ? round_up((M + blocks - 1) / blocks, PANEL) : 0;
  for (size_t r = 0; r < M; r += rows) {
    struct head h = {.c = c,
                     .M = smaller(M - r, rows),
                     .C = C,
                     .V = V,
                     .x = x + r * C,
                     .w = w,
                     .weights = weights ? weights + r : NULL,
                     .labels = labels + r,
                     .losses = losses + r,
                     .dx = dx ? dx + r * C : NULL,
                     .dw = dw};
    carve(&h, memory);
    c->k->pack_b(h.xs, C, h.M, h.x, C, true);
    const size_t panels = round_up(h.M, PANEL) / PANEL;
    h.piece = (panels + c->threads - 1) / c->threads;
    rmx_pool_run(c->pool, (panels + h.piece - 1) / h.piece, panels_piece, &h);
    if (!dx) continue;
    for (size_t i = 0; i < h.M; i++)
      for (size_t j = 0; j < C; j++) h.dxt[i * C + j] = h.scale[i] * h.x[i * C + j];
    c->k->pack_b(h.scaled, h.M, C, h.dxt, C, false);
    h.piece =
        c->threads == 1 ? V : round_up((V + 4 * c->threads - 1) / (4 * c->threads), tokens(c->k));
    rmx_pool_run(c->pool, (V + h.piece - 1) / h.piece, vocabulary_piece, &h);
  }
  rmx__clocked(c, RMX__HEAD, since);
  if (c->seconds) c->seconds[RMX__HEAD] -= c->seconds[RMX__LOSS] - of_loss;
}
