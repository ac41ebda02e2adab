// SPDX-License-Identifier: Apache-2.0
// threaded.c: kernels cut into pieces for threads. With one thread each is one call of the kernel.
#include "threaded.h"

#include <string.h>

#include "base/num.h"

// ---- products ------------------------------------------------------------

struct product {
  const struct rmx__threaded *t;
  const struct rmx__gemm *g;
  bool by_rows;
  size_t piece;
};

static void gemm_piece(void *context, size_t i, int thread) {
  const struct product *p = context;
  struct rmx__gemm g = *p->g;
  const size_t at = i * p->piece;
  if (p->by_rows) {
    g.M = rmx__min(p->piece, g.M - at);
    g.a += g.ta ? at : at * g.lda;
    g.c += at * g.ldc;
  } else {
    g.N = rmx__min(p->piece, g.N - at);
    g.b += g.tb ? at * g.ldb : at;
    g.c += at;
  }
  p->t->k->gemm(p->t->k, &g, p->t->scratch[thread]);
}

// Pieces are whole tiles of any level, and two a thread where that leaves them long: each piece
// packs the other matrix anew.
void rmx__threaded_gemm(const struct rmx__threaded *t, const struct rmx__gemm *g) {
  enum { ROWS = 84, COLUMNS = 32, LONG = 768 };
  struct product p = {.t = t, .g = g, .by_rows = g->M > g->N};
  const size_t n = rmx__max(g->M, g->N);
  const size_t pieces = t->threads == 1                ? 1
                        : n / (2 * t->threads) >= LONG ? 2 * t->threads
                                                       : t->threads;
  p.piece = rmx__round_up(rmx__ceil_div(n, pieces), p.by_rows ? ROWS : COLUMNS);
  if (pieces == 1 || n <= p.piece)
    t->k->gemm(t->k, g, t->scratch[0]);
  else
    rmx_pool_run(t->pool, rmx__ceil_div(n, p.piece), gemm_piece, &p);
}

void rmx__threaded_linear(const struct rmx__threaded *t, size_t M, size_t in, size_t out,
                          const float *x, const float *w, float *y, bool accumulate) {
  rmx__threaded_gemm(t, &(struct rmx__gemm){.M = M,
                                            .N = out,
                                            .K = in,
                                            .a = x,
                                            .lda = in,
                                            .b = w,
                                            .ldb = in,
                                            .tb = true,
                                            .c = y,
                                            .ldc = out,
                                            .accumulate = accumulate});
}

// ---- attention ------------------------------------------------------------

struct heads {
  const struct rmx__threaded *t;
  const struct rmx__attention *a;
  bool back;
  size_t n, piece;
};

static void heads_piece(void *context, size_t i, int thread) {
  const struct heads *h = context;
  const rmx_kernels *k = h->t->k;
  struct rmx__attention a = *h->a;
  if (thread > 0) a.seconds = NULL;
  const size_t first = i * h->piece, last = rmx__min(first + h->piece, h->n);
  (h->back ? k->attention_backward : k->attention)(k, &a, first, last, h->t->scratch[thread]);
}

static void attention(const struct rmx__threaded *t, const struct rmx__attention *a, bool back) {
  struct heads h = {.t = t, .a = a, .back = back, .n = a->B * a->H};
  h.piece = t->threads == 1 ? h.n : 1;
  rmx_pool_run(t->pool, rmx__ceil_div(h.n, h.piece), heads_piece, &h);
}
void rmx__threaded_attention(const struct rmx__threaded *t, const struct rmx__attention *a) {
  attention(t, a, false);
}
void rmx__threaded_attention_backward(const struct rmx__threaded *t,
                                      const struct rmx__attention *a) {
  attention(t, a, true);
}

// ---- rows -----------------------------------------------------------------

// A kernel that can be cut at any row: `work` does n rows of `of` from row `first` on.
struct rows {
  const rmx_kernels *k;
  void (*work)(const rmx_kernels *k, const void *of, size_t first, size_t n);
  const void *of;
  size_t M, piece;
};

static void rows_piece(void *context, size_t i, int thread) {
  const struct rows *r = context;
  (void)thread;
  r->work(r->k, r->of, i * r->piece, rmx__min(r->piece, r->M - i * r->piece));
}

// piece: rows, or 0: as suits the number of threads.
static void by_rows(const struct rmx__threaded *t, size_t M, size_t piece, const void *of,
                    void (*work)(const rmx_kernels *k, const void *of, size_t first, size_t n)) {
  enum { ROWS = 32 };
  struct rows r = {.k = t->k, .work = work, .of = of, .M = M, .piece = piece};
  if (!piece)
    r.piece = t->threads == 1 ? M : rmx__max(rmx__round_up(M / (4 * t->threads), 4), ROWS);
  rmx_pool_run(t->pool, r.piece ? rmx__ceil_div(M, r.piece) : 0, rows_piece, &r);
}

static void norm_rows(const rmx_kernels *k, const void *of, size_t at, size_t n) {
  struct rmx__rmsnorm o = *(const struct rmx__rmsnorm *)of;
  o.M = n, o.x += at * o.C, o.y += at * o.C, o.rstd += at;
  k->rmsnorm(&o);
}
void rmx__threaded_rmsnorm(const struct rmx__threaded *t, const struct rmx__rmsnorm *n) {
  by_rows(t, n->M, 0, n, norm_rows);
}

// dw is here the sums of all pieces, one after the other.
static void norm_back_rows(const rmx_kernels *k, const void *of, size_t at, size_t n) {
  struct rmx__rmsnorm o = *(const struct rmx__rmsnorm *)of;
  o.M = n, o.x += at * o.C, o.rstd += at, o.dy += at * o.C, o.dx += at * o.C;
  o.dw += at / RMX__NORM_ROWS * o.C;
  memset(o.dw, 0, o.C * sizeof *o.dw);
  k->rmsnorm_backward(&o);
}
void rmx__threaded_rmsnorm_backward(const struct rmx__threaded *t, const struct rmx__rmsnorm *n,
                                    float *dws) {
  struct rmx__rmsnorm o = *n;
  o.dw = dws;
  by_rows(t, n->M, RMX__NORM_ROWS, &o, norm_back_rows);
  for (size_t at = 0; at < n->M; at += RMX__NORM_ROWS, dws += n->C)
    for (size_t i = 0; i < n->C; i++) n->dw[i] += dws[i];
}
size_t rmx__norm_scratch(size_t M, size_t C) {
  return rmx__ceil_div(M, RMX__NORM_ROWS) * C;
}

// The kernel counts positions from its first row: pieces end where sequences do.
static void rope_rows(const rmx_kernels *k, const void *of, size_t at, size_t n) {
  const struct rmx__rope *all = of;
  for (size_t end = at + n; at < end; at += n) {
    struct rmx__rope o = *all;
    const size_t t = at % o.T;
    o.M = n = rmx__min(end - at, o.T - t);
    o.x += at * o.ld, o.cosine += t * (o.S / 2), o.sine += t * (o.S / 2);
    k->rope(&o);
  }
}
void rmx__threaded_rope(const struct rmx__threaded *t, const struct rmx__rope *r) {
  by_rows(t, r->M, 0, r, rope_rows);
}

static void swiglu_rows(const rmx_kernels *k, const void *of, size_t at, size_t n) {
  struct rmx__swiglu o = *(const struct rmx__swiglu *)of;
  o.M = n, o.gu += at * 2 * o.F, o.h += at * o.F;
  k->swiglu(&o);
}
void rmx__threaded_swiglu(const struct rmx__threaded *t, const struct rmx__swiglu *s) {
  by_rows(t, s->M, 0, s, swiglu_rows);
}

static void swiglu_back_rows(const rmx_kernels *k, const void *of, size_t at, size_t n) {
  struct rmx__swiglu o = *(const struct rmx__swiglu *)of;
  o.M = n, o.gu += at * 2 * o.F, o.h += at * o.F, o.dh += at * o.F, o.dgu += at * 2 * o.F;
  k->swiglu_backward(&o);
}
void rmx__threaded_swiglu_backward(const struct rmx__threaded *t, const struct rmx__swiglu *s) {
  by_rows(t, s->M, 0, s, swiglu_back_rows);
}

static void loss_rows(const rmx_kernels *k, const void *of, size_t at, size_t n) {
  struct rmx__cross_entropy o = *(const struct rmx__cross_entropy *)of;
  o.M = n, o.logits += at * o.V, o.labels += at, o.losses += at;
  if (o.weights) o.weights += at;
  k->cross_entropy(&o);
}
void rmx__threaded_cross_entropy(const struct rmx__threaded *t,
                                 const struct rmx__cross_entropy *e) {
  by_rows(t, e->M, 0, e, loss_rows);
}

// ---- the embedding ----------------------------------------------------------

struct table {
  const rmx_kernels *k;
  size_t M, C, shares;
  const int32_t *ids;
  const float *from;  // table (gather), or dx
  float *to;          // x, or dtable
};

static void gather_rows(const rmx_kernels *k, const void *of, size_t at, size_t n) {
  const struct table *o = of;
  k->gather(n, o->C, o->from, o->ids + at, o->to + at * o->C);
}
void rmx__threaded_gather(const struct rmx__threaded *t, size_t M, size_t C, const float *table,
                          const int32_t *ids, float *x) {
  by_rows(t, M, 0, &(struct table){.C = C, .ids = ids, .from = table, .to = x}, gather_rows);
}

// Two rows may go to one: a piece is a share of the table, not of the rows, and takes its rows in
// order.
static void scatter_share(void *context, size_t i, int thread) {
  const struct table *o = context;
  (void)thread;
  for (size_t row = 0; row < o->M; row++)
    if ((size_t)o->ids[row] % o->shares == i)
      o->k->scatter_add(1, o->C, o->from + row * o->C, o->ids + row, o->to);
}
void rmx__threaded_scatter_add(const struct rmx__threaded *t, size_t M, size_t C, const float *dx,
                               const int32_t *ids, float *dtable) {
  struct table o = {t->k, M, C, .shares = t->threads, .ids = ids, .from = dx, .to = dtable};
  if (t->threads == 1)
    t->k->scatter_add(M, C, dx, ids, dtable);
  else
    rmx_pool_run(t->pool, t->threads, scatter_share, &o);
}

// ---- the flat block --------------------------------------------------------

struct flat {
  const rmx_kernels *k;
  size_t n;
  const float *x;
  double *sums;
  float *w, *g, *m, *v;
  const struct rmx__adamw *o;
};

static void norm_piece(void *context, size_t i, int thread) {
  const struct flat *f = context;
  const size_t at = i * RMX__SUM_PIECE;
  (void)thread;
  f->sums[i] = f->k->squared_norm(rmx__min(RMX__SUM_PIECE, f->n - at), f->x + at);
}
double rmx__threaded_squared_norm(const struct rmx__threaded *t, size_t n, const float *x,
                                  double *sums) {
  struct flat f = {.k = t->k, .n = n, .x = x, .sums = sums};
  const size_t pieces = rmx__ceil_div(n, RMX__SUM_PIECE);
  rmx_pool_run(t->pool, pieces, norm_piece, &f);
  double sum = 0;
  for (size_t i = 0; i < pieces; i++) sum += sums[i];
  return sum;
}

static void adamw_piece(void *context, size_t i, int thread) {
  const struct flat *f = context;
  const size_t at = i * RMX__SUM_PIECE;
  (void)thread;
  f->k->adamw(rmx__min(RMX__SUM_PIECE, f->n - at), f->w + at, f->g + at, f->m + at, f->v + at,
              f->o);
}
void rmx__threaded_adamw(const struct rmx__threaded *t, size_t n, float *w, float *g, float *m,
                         float *v, const struct rmx__adamw *o) {
  struct flat f = {.k = t->k, .n = n, .w = w, .g = g, .m = m, .v = v, .o = o};
  rmx_pool_run(t->pool, rmx__ceil_div(n, RMX__SUM_PIECE), adamw_piece, &f);
}
