// SPDX-License-Identifier: Apache-2.0
// head_bf16.c: the output head of the levels that multiply in bfloat16, with no logit ever in
// memory.
//
//   l = W x^T (V, M),  e = exp(l - shift_r),  s_r = sum_v e_vr,
//   loss_r = shift_r + log s_r - l[label_r, r]
//   dx^T = W^T e * (weight_r / s_r),  dW += e (x * weight_r / s_r),
//   and at the label - weight_r more
//
// The transpose is what makes it one pass: sums over the vocabulary are then sums of whole vectors;
// a row of e in bfloat16 is a left operand as it stands, two rows side by side are a right one; and
// what divides a row goes into the other operand, or the result. A block of 128 tokens of the
// vocabulary meets 32 rows of x: the logits stay in the first cache for as long as it takes to make
// them e, dx^T takes e from there, and what is left behind is e in bfloat16, for the second pass
// over the vocabulary, which is dW's and must know all of s.
//
// The shift is the largest logit of the first block, not of all: e^60 is far from the largest
// float, so it moves only for a logit that is 60 above it, when what was computed so far is scaled.
// The label itself is left out of e and added in float: its gradient is a difference of nearly
// equal numbers where the model is sure, which bfloat16 could not hold.
//
// W is packed once for all rows until it changes, as the left operand of both products. The
// exponentials of a block come after the logits of the next, or in one call with them, head_block,
// where the processor has tiles beside its vectors and can do both at a time (the call's time is
// then the product's).
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "bf16.h"
#include "threaded.h"

enum { ROWS = 512, PANEL = 32, BLOCK = 128, BLOCK_MIN = 112, MR_MAX = 32 };

struct head {
  const struct rmx__threaded *t;
  struct rmx__head of;  // a block of at most ROWS rows
  size_t piece;         // panels, or rows of the vocabulary, of a piece of work

  float *left, *across;         // W and W^T, packed
  float *e;                     // (V, words of M)
  float *xs;                    // x as right operand: panels of 32 of its rows
  float *dxt;                   // (panel, C, 32); later x, scaled
  float *scaled;                // that as right operand
  float *shift, *sums, *scale;  // (ROWS)
  float *label_logit;           // (ROWS)
  float *at_label;              // (ROWS): what is added to the gradient at the label
};

// Tokens of the vocabulary at a time: whole tiles.
static size_t tokens(const rmx_kernels *k) {
  return BLOCK / k->mr * k->mr;
}

// ---- memory -----------------------------------------------------------------

// W: left operands of depth C, a row a token; and for each block of the vocabulary W^T, of its
// depth.
static size_t left_size(size_t C, size_t V) {
  return rmx__round_up(V, MR_MAX) * rmx__bf16_words(C);
}
static size_t across_size(size_t C, size_t V) {
  return ((V / BLOCK_MIN + 1) * C + MR_MAX) * rmx__bf16_words(BLOCK);
}

size_t rmx__head_bf16_memory(size_t C, size_t V, bool gradients) {
  const size_t forward = left_size(C, V) + ROWS * rmx__bf16_words(C) + 5 * ROWS;
  return forward + (gradients ? across_size(C, V) + ROWS * C +
                                    rmx__bf16_words(ROWS) * rmx__round_up(C, PANEL) +
                                    rmx__round_up(V, MR_MAX) * rmx__bf16_words(ROWS)
                              : 0);
}
// Of each thread: logits of two blocks, and e as right operand.
size_t rmx__head_bf16_scratch(void) {
  return 2 * BLOCK * PANEL + rmx__bf16_words(BLOCK) * PANEL;
}

static void lay_out(struct head *h, float *at) {
  const size_t C = h->of.C, V = h->of.V;
  h->left = at, at += left_size(C, V);
  h->xs = at, at += ROWS * rmx__bf16_words(C);
  h->shift = at, at += ROWS;
  h->sums = at, at += ROWS;
  h->label_logit = at, at += ROWS;
  h->scale = at, at += ROWS;
  h->at_label = at, at += ROWS;
  if (!h->of.dx) return;
  h->across = at, at += across_size(C, V);
  h->dxt = at, at += ROWS * C;
  h->scaled = at, at += rmx__bf16_words(ROWS) * rmx__round_up(C, PANEL);
  h->e = at;
}

// ---- weights ----------------------------------------------------------------

static void weights_piece(void *context, size_t i, int thread) {
  const struct head *h = context;
  const rmx_kernels *k = h->t->k;
  const size_t C = h->of.C, v = i * tokens(k), rows = rmx__min(h->of.V - v, tokens(k));
  const float *w = h->of.w + v * C;
  (void)thread;
  k->pack_a(h->left + v * rmx__bf16_words(C), rows, C, w, C, false);
  if (h->across) k->pack_a(h->across + i * C * rmx__bf16_words(BLOCK), C, rows, w, C, true);
}

void rmx__head_bf16_weights(const struct rmx__threaded *t, size_t C, size_t V, const float *w,
                            bool gradients, float *memory) {
  struct head h = {.t = t, .of = {.C = C, .V = V, .w = w, .dx = gradients ? memory : NULL}};
  lay_out(&h, memory);
  rmx_pool_run(t->pool, rmx__ceil_div(V, tokens(t->k)), weights_piece, &h);
}

// ---- rows -------------------------------------------------------------------

// Multiplies what was computed for row r with the shift `before` so that it is as if with `now`.
static void shift_row(const struct head *h, size_t r, size_t v_done, float before, float now) {
  const float factor = expf(before - now);
  h->sums[r] *= factor;
  if (!h->of.dx) return;
  const size_t words = rmx__bf16_words(h->of.M);
  for (size_t c = 0; c < h->of.C; c++)
    h->dxt[(r / PANEL * h->of.C + c) * PANEL + r % PANEL] *= factor;
  for (size_t v = 0; v < v_done; v++) {
    uint16_t *e = (uint16_t *)(void *)(h->e + v * words) + r;
    *e = rmx__bf16_of(rmx__bf16_value(*e) * factor);
  }
}

// The logits of `rows` tokens of the vocabulary from v on, for the rows of a panel.
struct block {
  size_t panel, v, rows;
  float *logits;
};

// The logit of the label is taken out, and shifts move where they must.
static void before_exponentials(const struct head *h, const struct block *b) {
  const size_t first = b->panel * PANEL, n = rmx__min(h->of.M - first, PANEL), v = b->v,
               rows = b->rows;
  float *logits = b->logits;
  float max[PANEL];
  for (size_t r = 0; r < n; r++) {
    const int64_t at = (int64_t)h->of.labels[first + r] - (int64_t)v;
    if (h->of.labels[first + r] < 0 || at < 0 || at >= (int64_t)rows) continue;
    h->label_logit[first + r] = logits[(size_t)at * PANEL + r];
    logits[(size_t)at * PANEL + r] = -INFINITY;
  }
  if (!h->t->k->head_max(rows, logits, h->shift + first, max)) return;
  for (size_t r = 0; r < PANEL; r++) {
    float *shift = &h->shift[first + r];
    if (!(max[r] - *shift > 60)) continue;
    if (v > 0) shift_row(h, first + r, v, *shift, max[r]);
    *shift = max[r];
  }
}

static void finish_panel(const struct head *h, size_t panel) {
  const size_t first = panel * PANEL, n = rmx__min(h->of.M - first, PANEL), C = h->of.C;
  for (size_t r = first; r < first + n; r++) {
    const double shift = h->shift[r], label_logit = h->label_logit[r];
    const double max = label_logit > shift ? label_logit : shift;
    const double lse = max + log(h->sums[r] * exp(shift - max) + exp(label_logit - max));
    const int32_t label = h->of.labels[r];
    const float weight = label < 0 ? 0 : h->of.weights ? h->of.weights[r] : 1;
    h->of.losses[r] = label < 0 ? 0 : (float)(lse - label_logit);
    if (!h->of.dx) continue;
    h->scale[r] = label < 0 ? 0 : (float)(weight * exp(shift - lse));
    h->at_label[r] = label < 0 ? 0 : (float)(weight * expm1(label_logit - lse));
    const float *from = h->dxt + panel * C * PANEL + (r - first);
    const float *of_label = h->of.w + (label < 0 ? 0 : (size_t)label) * C;
    float *dx = h->of.dx + r * C;
    for (size_t c = 0; c < C; c++)
      dx[c] = h->scale[r] * from[c * PANEL] + h->at_label[r] * of_label[c];
  }
}

// What becomes of a block of logits, whose rows of e are also left in `packed`; no rows:
// nothing.
static struct rmx__exponentials exponentials_of(const struct head *h, const struct block *b,
                                                float *packed) {
  enum { FAR = 4 << 20 };  // floats that no cache of one core holds
  const size_t first = b->panel * PANEL, words = rmx__bf16_words(h->of.M);
  return (struct rmx__exponentials){
      .rows = b->rows,
      .logits = b->logits,
      .shift = h->shift + first,
      .sums = h->sums + first,
      .packed = h->of.dx ? packed : NULL,
      .e = h->of.dx ? h->e + b->v * words + first / 2 : NULL,
      .ld = words,
      .e_is_far = h->of.V * words > FAR && (uintptr_t)h->e % 64 == 0,
  };
}

static void make_exponentials(const struct head *h, const struct block *b, float *packed,
                              double *clock) {
  const double since = clock ? rmx_now() : 0;
  const struct rmx__exponentials of = exponentials_of(h, b, packed);
  h->t->k->head_exponentials(&of);
  if (clock) *clock += rmx_now() - since;
}

static void add_to_dx(const struct head *h, const struct block *b, const float *packed) {
  const size_t depth = rmx__bf16_words(b->rows), C = h->of.C;
  if (!h->of.dx || !b->rows) return;
  rmx__gemm_packed(h->t->k, &(struct rmx__panels){.M = C,
                                                  .N = PANEL,
                                                  .K = depth,
                                                  .a = h->across + b->v / tokens(h->t->k) * C *
                                                                       rmx__bf16_words(BLOCK),
                                                  .b = packed,
                                                  .c = h->dxt + b->panel * C * PANEL,
                                                  .ldc = PANEL,
                                                  .accumulate = b->v > 0});
}

// Share i of n of so many floats, into the second cache.
static void prefetch(const float *from, size_t floats, size_t i, size_t n) {
  enum { LINE = 16 };
  for (size_t at = floats * i / n; at < floats * (i + 1) / n; at += LINE)
    __builtin_prefetch(from + at, 0, 2);
}

// A number of panels against all of the vocabulary.
static void panels_piece(void *context, size_t i, int thread) {
  const struct head *h = context;
  const rmx_kernels *k = h->t->k;
  const size_t deep = rmx__bf16_words(h->of.C);
  const size_t begin = i * h->piece,
               end = rmx__min(begin + h->piece, rmx__round_up(h->of.M, PANEL) / PANEL);
  float *logits = h->t->scratch[thread], *spare = logits + BLOCK * PANEL,
        *packed = spare + BLOCK * PANEL;
  double *const clock = thread == 0 ? h->of.seconds : NULL;
  for (size_t r = begin * PANEL; r < end * PANEL; r++) {
    h->shift[r] = -1e38f;
    h->sums[r] = h->label_logit[r] = 0;
  }
  // whose exponentials are still to be made: of no rows yet
  struct block last = {.panel = begin};
  if (k->begin) k->begin();
  for (size_t v = 0; v < h->of.V; v += tokens(k))
    for (size_t p = begin; p < end; p++) {
      const struct block now = {p, v, rmx__min(h->of.V - v, tokens(k)), logits};
      const float *w = h->left + v * deep, *x = h->xs + p * deep * PANEL;
      const size_t after = rmx__min(v + tokens(k), h->of.V),
                   block = h->of.C * rmx__bf16_words(BLOCK);
      prefetch(h->left + after * deep, rmx__min(h->of.V - after, tokens(k)) * deep, p - begin,
               end - begin);
      if (h->of.dx && after < h->of.V)
        prefetch(h->across + after / tokens(k) * block, block, p - begin, end - begin);
      if (k->head_block) {
        const struct rmx__exponentials of_last = exponentials_of(h, &last, packed);
        k->head_block(now.rows, deep, w, x, now.logits, &of_last);
      } else {
        rmx__gemm_packed(k, &(struct rmx__panels){.M = now.rows,
                                                  .N = PANEL,
                                                  .K = deep,
                                                  .a = w,
                                                  .b = x,
                                                  .c = now.logits,
                                                  .ldc = PANEL});
        make_exponentials(h, &last, packed, clock);
      }
      add_to_dx(h, &last, packed);
      const double since = clock ? rmx_now() : 0;
      before_exponentials(h, &now);
      if (clock) *clock += rmx_now() - since;
      last = now;
      logits = spare;
      spare = last.logits;
    }
  make_exponentials(h, &last, packed, clock);
  add_to_dx(h, &last, packed);
  if (k->end) k->end();
  const double since = clock ? rmx_now() : 0;
  for (size_t p = begin; p < end; p++) finish_panel(h, p);
  if (clock) *clock += rmx_now() - since;
}

// dW of a number of rows of the vocabulary.
static void vocabulary_piece(void *context, size_t i, int thread) {
  const struct head *h = context;
  const rmx_kernels *k = h->t->k;
  const size_t C = h->of.C, words = rmx__bf16_words(h->of.M);
  const size_t begin = i * h->piece, end = rmx__min(begin + h->piece, h->of.V);
  (void)thread;
  if (k->begin) k->begin();
  for (size_t v = begin; v < end; v += tokens(k))
    rmx__gemm_packed(k, &(struct rmx__panels){.M = rmx__min(end - v, tokens(k)),
                                              .N = C,
                                              .K = words,
                                              .a = h->e + v * words,
                                              .b = h->scaled,
                                              .panel = words * PANEL,
                                              .c = h->of.dw + v * C,
                                              .ldc = C,
                                              .accumulate = true});
  if (k->end) k->end();
  for (size_t r = 0; r < h->of.M; r++) {
    const int32_t label = h->of.labels[r];
    if (label < 0 || (size_t)label < begin || (size_t)label >= end) continue;
    float *dw = h->of.dw + (size_t)label * C;
    for (size_t c = 0; c < C; c++) dw[c] += h->at_label[r] * h->of.x[r * C + c];
  }
}

void rmx__head_bf16(const struct rmx__threaded *t, const struct rmx__head *all) {
  const rmx_kernels *k = t->k;
  const size_t M = all->M, C = all->C, V = all->V, blocks = rmx__ceil_div(M, ROWS),
               rows = blocks ? rmx__round_up(rmx__ceil_div(M, blocks), PANEL) : 0;
  for (size_t r = 0; r < M; r += rows) {
    struct head h = {.t = t, .of = rmx__head_rows(all, r, rmx__min(M - r, rows))};
    const struct rmx__head *o = &h.of;
    lay_out(&h, all->memory);
    k->pack_b(h.xs, C, o->M, o->x, C, true);
    const size_t panels = rmx__ceil_div(o->M, PANEL);
    h.piece = rmx__ceil_div(panels, t->threads);
    rmx_pool_run(t->pool, rmx__ceil_div(panels, h.piece), panels_piece, &h);
    if (!o->dx) continue;
    for (size_t i = 0; i < o->M; i++)
      for (size_t j = 0; j < C; j++) h.dxt[i * C + j] = h.scale[i] * o->x[i * C + j];
    k->pack_b(h.scaled, o->M, C, h.dxt, C, false);
    h.piece = t->threads == 1 ? V : rmx__round_up(rmx__ceil_div(V, 4 * t->threads), tokens(k));
    rmx_pool_run(t->pool, rmx__ceil_div(V, h.piece), vocabulary_piece, &h);
  }
}
