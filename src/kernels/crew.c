// SPDX-License-Identifier: Apache-2.0
/* crew.c: kernels cut into pieces for threads. With one thread each is one call of the kernel. */
#include "crew.h"

#include <string.h>

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}
static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
}
static size_t up_to(size_t n, size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/* ---- products ------------------------------------------------------------ */

struct gemm {
  const struct rmx__crew *c;
  bool ta, tb, accumulate, by_rows;
  size_t M, N, K, lda, ldb, ldc, piece;
  const float *a, *b;
  float *to;
};

static void gemm_piece(void *context, size_t i, int thread) {
  const struct gemm *g = context;
  const size_t at = i * g->piece;
  const size_t row = g->by_rows ? at : 0, column = g->by_rows ? 0 : at;
  const size_t m = g->by_rows ? smaller(g->piece, g->M - at) : g->M;
  const size_t n = g->by_rows ? g->N : smaller(g->piece, g->N - at);
  g->c->k->gemm(g->c->k, g->ta, g->tb, m, n, g->K, g->a + (g->ta ? row : row * g->lda), g->lda,
                g->b + (g->tb ? column * g->ldb : column), g->ldb, g->to + row * g->ldc + column,
                g->ldc, g->accumulate, g->c->scratch[thread]);
}

/* Pieces are whole tiles of any level, and two a thread where that leaves them long: each piece
 * packs the other matrix anew. */
void rmx__crew_gemm(const struct rmx__crew *c, enum rmx__part part, bool ta, bool tb, size_t M,
                    size_t N, size_t K, const float *a, size_t lda, const float *b, size_t ldb,
                    float *to, size_t ldc, bool accumulate) {
  enum { ROWS = 84, COLUMNS = 32, LONG = 768 };
  const double since = rmx__clock(c);
  struct gemm g = {c, ta, tb, accumulate, M > N, M, N, K, lda, ldb, ldc, 0, a, b, to};
  const size_t n = larger(M, N), whole = g.by_rows ? ROWS : COLUMNS;
  const size_t pieces = c->threads == 1                ? 1
                        : n / (2 * c->threads) >= LONG ? 2 * c->threads
                                                       : c->threads;
  g.piece = up_to((n + pieces - 1) / pieces, whole);
  if (pieces == 1 || n <= g.piece)
    c->k->gemm(c->k, ta, tb, M, N, K, a, lda, b, ldb, to, ldc, accumulate, c->scratch[0]);
  else
    rmx_pool_run(c->pool, (n + g.piece - 1) / g.piece, gemm_piece, &g);
  rmx__clocked(c, part, since);
}

/* ---- attention ------------------------------------------------------------ */

struct attention {
  const struct rmx__crew *c;
  size_t T, H, S, heads, piece;
  const float *qkv, *dout;
  float *out, *lse, *dqkv; /* dqkv: backward; else NULL */
};

static void attention_piece(void *context, size_t i, int thread) {
  const struct attention *a = context;
  const rmx_kernels *k = a->c->k;
  const size_t first = i * a->piece, last = smaller(first + a->piece, a->heads);
  if (a->dqkv)
    k->attention_backward(k, first, last, a->T, a->H, a->S, a->qkv, a->out, a->lse, a->dout,
                          a->dqkv, a->c->scratch[thread]);
  else
    k->attention(k, first, last, a->T, a->H, a->S, a->qkv, a->out, a->lse, a->c->scratch[thread]);
}

static void attention(struct attention *a) {
  const struct rmx__crew *c = a->c;
  const double since = rmx__clock(c), exponentials = c->seconds ? c->seconds[RMX__SOFTMAX] : 0;
  a->piece = c->threads == 1 ? a->heads : 1;
  rmx__softmax_seconds = c->seconds ? &c->seconds[RMX__SOFTMAX] : NULL;
  rmx_pool_run(c->pool, (a->heads + a->piece - 1) / a->piece, attention_piece, a);
  rmx__softmax_seconds = NULL;
  rmx__clocked(c, RMX__ATTENTION, since);
  if (c->seconds) c->seconds[RMX__ATTENTION] -= c->seconds[RMX__SOFTMAX] - exponentials;
}

void rmx__crew_attention(const struct rmx__crew *c, size_t B, size_t T, size_t H, size_t S,
                         const float *qkv, float *out, float *lse) {
  attention(&(struct attention){c, T, H, S, B * H, 0, qkv, NULL, out, lse, NULL});
}

void rmx__crew_attention_backward(const struct rmx__crew *c, size_t B, size_t T, size_t H, size_t S,
                                  const float *qkv, const float *out, const float *lse,
                                  const float *dout, float *dqkv) {
  attention(&(struct attention){c, T, H, S, B * H, 0, qkv, dout, (float *)out, (float *)lse, dqkv});
}

/* ---- rows ----------------------------------------------------------------- */

/* What the kernels that go by rows take; each uses what it needs. */
struct rows {
  void (*work)(const struct rows *r, size_t first, size_t n);
  const rmx_kernels *k;
  size_t M, C, T, heads, ld, piece;
  const float *x, *w, *y, *z;
  float *to, *also, *sums;
  const int32_t *ids;
  float eps;
  bool back;
};

static void rows_piece(void *context, size_t i, int thread) {
  const struct rows *r = context;
  (void)thread;
  r->work(r, i * r->piece, smaller(r->piece, r->M - i * r->piece));
}

static void by_rows(const struct rmx__crew *c, enum rmx__part part, struct rows *r) {
  enum { ROWS = 32 };
  const double since = rmx__clock(c);
  r->k = c->k;
  if (!r->piece)
    r->piece = c->threads == 1 ? r->M : larger(up_to(r->M / (4 * c->threads), 4), ROWS);
  rmx_pool_run(c->pool, r->piece ? (r->M + r->piece - 1) / r->piece : 0, rows_piece, r);
  rmx__clocked(c, part, since);
}

static void norm_rows(const struct rows *r, size_t at, size_t n) {
  r->k->rmsnorm(n, r->C, r->x + at * r->C, r->w, r->eps, r->to + at * r->C, r->also + at);
}
void rmx__crew_rmsnorm(const struct rmx__crew *c, size_t M, size_t C, const float *x,
                       const float *w, float eps, float *y, float *rstd) {
  by_rows(
      c, RMX__NORMS,
      &(struct rows){norm_rows, .M = M, .C = C, .x = x, .w = w, .eps = eps, .to = y, .also = rstd});
}

static void norm_back_rows(const struct rows *r, size_t at, size_t n) {
  float *sum = r->sums + at / RMX__NORM_ROWS * r->C;
  memset(sum, 0, r->C * sizeof *sum);
  r->k->rmsnorm_backward(n, r->C, r->x + at * r->C, r->w, r->y + at, r->z + at * r->C,
                         r->to + at * r->C, sum);
}
void rmx__crew_rmsnorm_backward(const struct rmx__crew *c, size_t M, size_t C, const float *x,
                                const float *w, const float *rstd, const float *dy, float *dx,
                                float *dw, float *dws) {
  by_rows(c, RMX__NORMS,
          &(struct rows){norm_back_rows, .M = M, .C = C, .piece = RMX__NORM_ROWS, .x = x, .w = w,
                         .y = rstd, .z = dy, .to = dx, .sums = dws});
  const double since = rmx__clock(c);
  for (size_t at = 0; at < M; at += RMX__NORM_ROWS, dws += C)
    for (size_t i = 0; i < C; i++) dw[i] += dws[i];
  rmx__clocked(c, RMX__NORMS, since);
}
size_t rmx__norm_scratch(size_t M, size_t C) {
  return (M + RMX__NORM_ROWS - 1) / RMX__NORM_ROWS * C;
}

/* The kernel counts positions from its first row: pieces end where sequences do. C is S here. */
static void rope_rows(const struct rows *r, size_t at, size_t n) {
  for (size_t end = at + n; at < end; at += n) {
    const size_t t = at % r->T;
    n = smaller(end - at, r->T - t);
    r->k->rope(n, r->T, r->heads, r->C, r->to + at * r->ld, r->ld, r->x + t * (r->C / 2),
               r->y + t * (r->C / 2), r->back);
  }
}
void rmx__crew_rope(const struct rmx__crew *c, size_t M, size_t T, size_t heads, size_t S, float *x,
                    size_t ld, const float *cosine, const float *sine, bool back) {
  by_rows(c, RMX__ROPE,
          &(struct rows){rope_rows, .M = M, .C = S, .T = T, .heads = heads, .ld = ld, .to = x,
                         .x = cosine, .y = sine, .back = back});
}

static void swiglu_rows(const struct rows *r, size_t at, size_t n) {
  r->k->swiglu(n, r->C, r->x + at * 2 * r->C, r->to + at * r->C);
}
void rmx__crew_swiglu(const struct rmx__crew *c, size_t M, size_t F, const float *gu, float *h) {
  by_rows(c, RMX__SWIGLU, &(struct rows){swiglu_rows, .M = M, .C = F, .x = gu, .to = h});
}

static void swiglu_back_rows(const struct rows *r, size_t at, size_t n) {
  r->k->swiglu_backward(n, r->C, r->x + at * 2 * r->C, r->y + at * r->C, r->also + at * 2 * r->C,
                        r->to + at * r->C);
}
void rmx__crew_swiglu_backward(const struct rmx__crew *c, size_t M, size_t F, const float *gu,
                               const float *dh, float *dgu, float *h) {
  by_rows(c, RMX__SWIGLU,
          &(struct rows){swiglu_back_rows, .M = M, .C = F, .x = gu, .y = dh, .also = dgu, .to = h});
}

static void loss_rows(const struct rows *r, size_t at, size_t n) {
  r->k->cross_entropy(n, r->C, r->to + at * r->C, r->ids + at, r->w ? r->w + at : NULL,
                      r->also + at, r->back);
}
void rmx__crew_cross_entropy(const struct rmx__crew *c, size_t M, size_t V, float *logits,
                             const int32_t *labels, const float *weights, float *losses,
                             bool gradient) {
  by_rows(c, RMX__LOSS,
          &(struct rows){loss_rows, .M = M, .C = V, .to = logits, .ids = labels, .w = weights,
                         .also = losses, .back = gradient});
}

static void gather_rows(const struct rows *r, size_t at, size_t n) {
  r->k->gather(n, r->C, r->w, r->ids + at, r->to + at * r->C);
}
void rmx__crew_gather(const struct rmx__crew *c, size_t M, size_t C, const float *table,
                      const int32_t *ids, float *x) {
  by_rows(c, RMX__EMBEDDING,
          &(struct rows){gather_rows, .M = M, .C = C, .w = table, .ids = ids, .to = x});
}

/* Two rows may go to one: a piece is a share of the table, not of the rows, and takes its rows in
 * order. */
static void scatter_share(void *context, size_t i, int thread) {
  const struct rows *r = context;
  (void)thread;
  for (size_t row = 0; row < r->M; row++)
    if ((size_t)r->ids[row] % r->piece == i)
      r->k->scatter_add(1, r->C, r->x + row * r->C, r->ids + row, r->to);
}
void rmx__crew_scatter_add(const struct rmx__crew *c, size_t M, size_t C, const float *dx,
                           const int32_t *ids, float *dtable) {
  const double since = rmx__clock(c);
  if (c->threads == 1)
    c->k->scatter_add(M, C, dx, ids, dtable);
  else
    rmx_pool_run(
        c->pool, c->threads, scatter_share,
        &(struct rows){
            .k = c->k, .M = M, .C = C, .piece = c->threads, .x = dx, .ids = ids, .to = dtable});
  rmx__clocked(c, RMX__EMBEDDING, since);
}

/* ---- the flat block -------------------------------------------------------- */

struct flat {
  const rmx_kernels *k;
  size_t n, piece;
  const float *x;
  double *sums;
  float *w, *g, *m, *v;
  const struct rmx__adamw *o;
};

static void norm_piece(void *context, size_t i, int thread) {
  const struct flat *f = context;
  (void)thread;
  f->sums[i] = f->k->squared_norm(smaller(f->piece, f->n - i * f->piece), f->x + i * f->piece);
}
double rmx__crew_squared_norm(const struct rmx__crew *c, size_t n, const float *x, double *sums) {
  const double since = rmx__clock(c);
  struct flat f = {.k = c->k, .n = n, .piece = RMX__SUM_PIECE, .x = x, .sums = sums};
  const size_t pieces = (n + f.piece - 1) / f.piece;
  rmx_pool_run(c->pool, pieces, norm_piece, &f);
  double sum = 0;
  for (size_t i = 0; i < pieces; i++) sum += sums[i];
  rmx__clocked(c, RMX__CLIPPING, since);
  return sum;
}

static void adamw_piece(void *context, size_t i, int thread) {
  const struct flat *f = context;
  const size_t at = i * f->piece;
  (void)thread;
  f->k->adamw(smaller(f->piece, f->n - at), f->w + at, f->g + at, f->m + at, f->v + at, f->o);
}
void rmx__crew_adamw(const struct rmx__crew *c, size_t n, float *w, float *g, float *m, float *v,
                     const struct rmx__adamw *o) {
  const double since = rmx__clock(c);
  struct flat f = {
      .k = c->k, .n = n, .piece = RMX__SUM_PIECE, .w = w, .g = g, .m = m, .v = v, .o = o};
  rmx_pool_run(c->pool, (n + f.piece - 1) / f.piece, adamw_piece, &f);
  rmx__clocked(c, RMX__ADAMW, since);
}
