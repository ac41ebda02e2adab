// SPDX-License-Identifier: Apache-2.0
// The forward pass over trees of tokens, and the scores of branches.
//
// Items lie one after the other in one matrix of rows: the shared tokens of an item, then its
// branches, each but for its last token. So every product is one large product over all of them.
// Only attention goes item by item: a row sees the shared rows before it, and in a branch the rows
// of that branch before it. A branch's rows have the positions that follow the shared ones.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "lm.h"

enum { ROWS = 2048, QUERIES = 64, HEAD_FLOATS = 4 << 20 };

// A run of rows that see each other: the shared tokens of an item, or one branch.
struct segment {
  size_t first, n;                // rows
  size_t shared_first, shared_n;  // rows that all of them see; 0 for the shared tokens themselves
};

struct pass {
  const rmx_lm *m;
  size_t rows;  // (M) that are used
  int32_t *tokens;
  size_t *position;
  struct segment *segments;  // (segments_n)
  size_t segments_n;
  size_t longest;  // rows that one row may see
  float *x, *normed, *rstd, *qkv, *attention, *gate_up, *hidden;
  float *cosine, *sine;  // (positions, S / 2)
  float *scores;         // of each thread: (QUERIES, ld) and (QUERIES) twice
  size_t scores_each;
  float *picked, *logits, *losses;  // of the head: (heads_rows, C), (heads_rows, V), (heads_rows)
  int32_t *labels;
  size_t head_rows;
  rmx_arena arena;
};

// ---- memory ------------------------------------------------------------------

static rmx_status make_pass(struct pass *p, const rmx_lm *m, size_t rows, size_t longest,
                            rmx_err *err) {
  const rmx_lm_config *c = &m->c;
  const size_t C = (size_t)c->width, F = (size_t)c->ffn, half = (size_t)c->head_width / 2,
               HS = (size_t)(c->heads * c->head_width);
  rmx_arena *a = &p->arena;
  p->m = m;
  p->longest = longest;
  p->head_rows = rmx__max(1, rmx__min(rows, HEAD_FLOATS / (size_t)c->vocab));
  p->scores_each = QUERIES * (rmx__round_up(longest, 64) + 64) + 2 * QUERIES;
  p->tokens = rmx_arena_alloc(a, rows, sizeof *p->tokens);
  p->position = rmx_arena_alloc(a, rows, sizeof *p->position);
  p->segments = rmx_arena_alloc(a, rows, sizeof *p->segments);
  p->x = rmx_arena_alloc(a, rows * C, sizeof(float));
  p->normed = rmx_arena_alloc(a, rows * C, sizeof(float));
  p->rstd = rmx_arena_alloc(a, rows, sizeof(float));
  p->qkv = rmx_arena_alloc(a, rows * rmx__lm_qkv(c), sizeof(float));
  p->attention = rmx_arena_alloc(a, rows * HS, sizeof(float));
  p->gate_up = rmx_arena_alloc(a, rows * 2 * F, sizeof(float));
  p->hidden = rmx_arena_alloc(a, rows * F, sizeof(float));
  p->cosine = rmx_arena_alloc(a, longest * half, sizeof(float));
  p->sine = rmx_arena_alloc(a, longest * half, sizeof(float));
  p->scores = rmx_arena_alloc(a, p->scores_each * m->threaded.threads, sizeof(float));
  p->picked = rmx_arena_alloc(a, p->head_rows * C, sizeof(float));
  p->logits = rmx_arena_alloc(a, p->head_rows * (size_t)c->vocab, sizeof(float));
  p->losses = rmx_arena_alloc(a, p->head_rows, sizeof(float));
  p->labels = rmx_arena_alloc(a, p->head_rows, sizeof *p->labels);
  if (!p->tokens || !p->position || !p->segments || !p->x || !p->normed || !p->rstd || !p->qkv ||
      !p->attention || !p->gate_up || !p->hidden || !p->cosine || !p->sine || !p->scores ||
      !p->picked || !p->logits || !p->losses || !p->labels)
    return rmx_fail_memory(err, rows * (3 * C + 3 * F) * sizeof(float), "a pass of a model");
  for (size_t t = 0; t < longest; t++)
    for (size_t i = 0; i < half; i++) {
      p->cosine[t * half + i] = (float)cos((double)t * m->frequency[i]);
      p->sine[t * half + i] = (float)sin((double)t * m->frequency[i]);
    }
  return RMX_OK;
}

static void release(struct pass *p) {
  rmx_arena_release(&p->arena);
}

// ---- rows ----------------------------------------------------------------------

static void add_segment(struct pass *p, const int32_t *tokens, size_t n, size_t position,
                        size_t shared_first, size_t shared_n) {
  p->segments[p->segments_n++] = (struct segment){p->rows, n, shared_first, shared_n};
  for (size_t i = 0; i < n; i++) {
    p->tokens[p->rows] = tokens[i];
    p->position[p->rows++] = position + i;
  }
}

static size_t rows_of(const rmx_lm_item *item) {
  size_t n = item->shared_n;
  for (size_t i = 0; i < item->branches_n; i++) n += item->branches[i].n - 1;
  return n;
}

static size_t labels_of(const rmx_lm_item *item) {
  size_t n = 0;
  for (size_t i = 0; i < item->branches_n; i++) n += item->branches[i].n;
  return n;
}

static void add_item(struct pass *p, const rmx_lm_item *item) {
  const size_t first = p->rows;
  add_segment(p, item->shared, item->shared_n, 0, 0, 0);
  for (size_t i = 0; i < item->branches_n; i++)
    if (item->branches[i].n > 1)
      add_segment(p, item->branches[i].tokens, item->branches[i].n - 1, item->shared_n, first,
                  item->shared_n);
}

// ---- layers ----------------------------------------------------------------------

// y (rows, out) = or += x (rows, in) W^T.
static void linear(const struct pass *p, size_t rows, size_t in, size_t out, const float *x,
                   const float *w, float *y, bool add) {
  rmx__threaded_linear(&p->m->threaded, rows, in, out, x, w, y, add);
}

static void norm(const struct pass *p, size_t rows, const float *x, const float *w, float *y) {
  rmx__threaded_rmsnorm(&p->m->threaded, &(struct rmx__rmsnorm){.M = rows,
                                                                .C = (size_t)p->m->c.width,
                                                                .eps = (float)p->m->c.norm_eps,
                                                                .x = x,
                                                                .w = w,
                                                                .y = y,
                                                                .rstd = p->rstd});
}

// Turns the pairs of channels (i, i + S/2) of the heads of q and k.
static void rotate_row(void *context, size_t row, int thread) {
  const struct pass *p = context;
  const rmx_lm_config *c = &p->m->c;
  const size_t S = (size_t)c->head_width, half = S / 2, heads = (size_t)(c->heads + c->kv_heads);
  const float *cosine = p->cosine + p->position[row] * half,
              *sine = p->sine + p->position[row] * half;
  (void)thread;
  for (size_t h = 0; h < heads; h++) {
    float *x = p->qkv + row * rmx__lm_qkv(c) + h * S;
    for (size_t i = 0; i < half; i++) {
      const float a = x[i], b = x[i + half];
      x[i] = a * cosine[i] - b * sine[i];
      x[i + half] = b * cosine[i] + a * sine[i];
    }
  }
}

// Softmax of row r over its first `valid` + r columns, without its division: 1 / sum goes to
// `inverse`.
static void softmax(size_t rows, size_t columns, size_t valid, float scale, float *s, size_t ld,
                    float *inverse) {
  for (size_t r = 0; r < rows; r++) {
    float max = -INFINITY;
    double sum = 0;
    for (size_t j = 0; j < valid + r; j++) max = fmaxf(max, s[r * ld + j]);
    for (size_t j = 0; j < valid + r; j++)
      sum += s[r * ld + j] = expf(scale * (s[r * ld + j] - max));
    for (size_t j = valid + r; j < columns; j++) s[r * ld + j] = 0;
    inverse[r] = (float)(1 / sum);
  }
}

// What a head of some queries of a segment needs.
struct queries {
  const struct pass *p;
  const struct segment *of;
  size_t first, n;  // rows of the segment
  size_t head;
  float *scores, *scratch;
};

// C (rows, N) = or += A op(B), with a head's matrices of rows that lie far apart.
static void small_product(const struct queries *q, const struct rmx__gemm *g) {
  const rmx_kernels *k = q->p->m->threaded.k;
  if (g->K > 0 && g->N > 0) k->gemm(k, g, q->scratch);
}

static void attend(const struct queries *q) {
  const struct pass *p = q->p;
  const rmx_lm_config *c = &p->m->c;
  const size_t S = (size_t)c->head_width, Q = rmx__lm_qkv(c), H = (size_t)c->heads,
               KV = (size_t)c->kv_heads, own = q->first + q->n, shared = q->of->shared_n,
               columns = shared + own, ld = rmx__round_up(columns, 64), key = q->head * KV / H;
  const float *keys = p->qkv + (H + key) * S, *values = p->qkv + (H + KV + key) * S;
  const size_t row = q->of->first + q->first;
  float *lse = q->scores + QUERIES * ld, *inverse = lse + QUERIES,
        *out = p->attention + row * H * S + q->head * S;
  struct rmx__gemm scores = {.M = q->n, .N = shared, .K = S, .lda = Q, .ldb = Q, .ldc = ld};
  scores.a = p->qkv + row * Q + q->head * S;
  scores.b = keys + q->of->shared_first * Q;
  scores.tb = true;
  scores.c = q->scores;
  small_product(q, &scores);
  scores.N = own;
  scores.b = keys + q->of->first * Q;
  scores.c = q->scores + shared;
  small_product(q, &scores);
  const float scale = (float)(1 / sqrt((double)S));
  const size_t valid = shared + q->first + 1;
  const rmx_kernels *k = p->m->threaded.k;
  if (k->softmax_causal)
    k->softmax_causal(q->n, columns, valid, scale, q->scores, ld, lse, inverse);
  else
    softmax(q->n, columns, valid, scale, q->scores, ld, inverse);
  struct rmx__gemm sum = {.M = q->n, .N = S, .K = own, .lda = ld, .ldb = Q, .ldc = H * S};
  sum.a = q->scores + shared;
  sum.b = values + q->of->first * Q;
  sum.c = out;
  small_product(q, &sum);
  sum.K = shared;
  sum.a = q->scores;
  sum.b = values + q->of->shared_first * Q;
  sum.accumulate = true;
  small_product(q, &sum);
  for (size_t r = 0; r < q->n; r++)
    for (size_t i = 0; i < S; i++) out[r * H * S + i] *= inverse[r];
}

static void attend_segment(void *context, size_t i, int thread) {
  const struct pass *p = context;
  const size_t H = (size_t)p->m->c.heads;
  const struct segment *s = &p->segments[i / H];
  struct queries q = {.p = p, .of = s, .head = i % H};
  q.scores = p->scores + (size_t)thread * p->scores_each;
  q.scratch = p->m->threaded.scratch[thread];
  for (q.first = 0; q.first < s->n; q.first += QUERIES) {
    q.n = rmx__min(QUERIES, s->n - q.first);
    attend(&q);
  }
}

// Leaves the residual stream after the last layer in p->x.
static void forward(struct pass *p) {
  const rmx_lm *m = p->m;
  const size_t M = p->rows, C = (size_t)m->c.width, F = (size_t)m->c.ffn, Q = rmx__lm_qkv(&m->c),
               HS = (size_t)(m->c.heads * m->c.head_width);
  rmx__threaded_gather(&m->threaded, M, C, m->embedding, p->tokens, p->x);
  for (int64_t l = 0; l < m->c.layers; l++) {
    const struct rmx__lm_layer *w = &m->layers[l];
    norm(p, M, p->x, w->attention_norm, p->normed);
    linear(p, M, C, Q, p->normed, w->qkv, p->qkv, false);
    rmx_pool_run(m->threaded.pool, M, rotate_row, p);
    rmx_pool_run(m->threaded.pool, p->segments_n * (size_t)m->c.heads, attend_segment, p);
    linear(p, M, HS, C, p->attention, w->out, p->x, true);
    norm(p, M, p->x, w->ffn_norm, p->normed);
    linear(p, M, C, 2 * F, p->normed, w->gate_up, p->gate_up, false);
    rmx__threaded_swiglu(&m->threaded,
                         &(struct rmx__swiglu){.M = M, .F = F, .gu = p->gate_up, .h = p->hidden});
    linear(p, M, F, C, p->hidden, w->down, p->x, true);
  }
}

// Weights that are finite may still be so large that the sums are not.
static rmx_status check_stream(const struct pass *p, rmx_err *err) {
  const size_t n = p->rows * (size_t)p->m->c.width;
  bool good = true;
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, &p->x[i], sizeof bits);
    good &= (bits & 0x7f800000) != 0x7f800000;
  }
  if (good) return RMX_OK;
  return rmx_fail(
      err, RMX_EINPUT,
      "the model computes numbers that are NaN or infinite; its weights may be too large");
}

// ---- the head ---------------------------------------------------------------------

// Logits of rows that were copied to p->picked.
static void head(struct pass *p, size_t n, float *logits) {
  const size_t C = (size_t)p->m->c.width;
  norm(p, n, p->picked, p->m->norm, p->normed);
  linear(p, n, C, (size_t)p->m->c.vocab, p->normed, p->m->head, logits, false);
}

// A label of the head, and the branch that its loss belongs to.
struct wanted {
  size_t row;
  int32_t label;
  rmx_lm_branch *branch;
};

static bool is_largest(const float *logits, size_t V, int32_t label) {
  const float x = logits[label];
  bool largest = true;
  for (size_t j = 0; j < (size_t)label; j++) largest &= logits[j] < x;
  for (size_t j = (size_t)label + 1; j < V; j++) largest &= logits[j] <= x;
  return largest;
}

static void judge(struct pass *p, const struct wanted *wanted, size_t n) {
  const size_t C = (size_t)p->m->c.width, V = (size_t)p->m->c.vocab;
  for (size_t at = 0; at < n; at += p->head_rows) {
    const size_t rows = rmx__min(p->head_rows, n - at);
    for (size_t i = 0; i < rows; i++) {
      memcpy(p->picked + i * C, p->x + wanted[at + i].row * C, C * sizeof(float));
      p->labels[i] = wanted[at + i].label;
    }
    head(p, rows, p->logits);
    for (size_t i = 0; i < rows; i++)
      wanted[at + i].branch->greedy &= is_largest(p->logits + i * V, V, p->labels[i]);
    rmx__threaded_cross_entropy(
        &p->m->threaded,
        &(struct rmx__cross_entropy){
            .M = rows, .V = V, .logits = p->logits, .labels = p->labels, .losses = p->losses});
    for (size_t i = 0; i < rows; i++) wanted[at + i].branch->log_likelihood -= (double)p->losses[i];
  }
}

// The rows of the labels of items, in the order of add_item().
static size_t list_wanted(rmx_lm_item *items, size_t n, struct wanted *out) {
  size_t first = 0, found = 0;
  for (size_t i = 0; i < n; i++) {
    size_t row = first + items[i].shared_n;
    for (size_t b = 0; b < items[i].branches_n; b++) {
      rmx_lm_branch *branch = &items[i].branches[b];
      branch->log_likelihood = 0;
      branch->greedy = true;
      for (size_t t = 0; t < branch->n; t++)
        out[found++] = (struct wanted){t == 0 ? first + items[i].shared_n - 1 : row + t - 1,
                                       branch->tokens[t], branch};
      row += branch->n - 1;
    }
    first = row;
  }
  return found;
}

// ---- the two entries ----------------------------------------------------------------

static rmx_status check_tokens(const rmx_lm *m, const int32_t *tokens, size_t n, rmx_err *err) {
  for (size_t i = 0; i < n; i++)
    if (tokens[i] < 0 || tokens[i] >= m->c.vocab)
      return rmx_fail(
          err, RMX_EINPUT,
          "the id %d is not in the model's vocabulary of %lld; the tokenizer may belong "
          "to another model",
          tokens[i], (long long)m->c.vocab);
  return RMX_OK;
}

static rmx_status check_item(const rmx_lm *m, const rmx_lm_item *item, rmx_err *err) {
  size_t longest = 1;
  RMX_TRY(check_tokens(m, item->shared, item->shared_n, err));
  for (size_t b = 0; b < item->branches_n; b++) {
    RMX_TRY(check_tokens(m, item->branches[b].tokens, item->branches[b].n, err));
    longest = rmx__max(longest, item->branches[b].n);
  }
  if (item->shared_n + longest - 1 <= (size_t)m->c.context) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "a text of %zu tokens is longer than the model's context of %lld",
                  item->shared_n + longest - 1, (long long)m->c.context);
}

// Adds items from `at` on, as long as their rows and their labels fit into `room` each.
static size_t fill(struct pass *p, const rmx_lm_item *items, size_t at, size_t n, size_t room) {
  size_t taken = 0, labels = 0;
  p->rows = p->segments_n = 0;
  while (at + taken < n) {
    const rmx_lm_item *next = &items[at + taken];
    labels += labels_of(next);
    if (p->rows + rows_of(next) > room || labels > room) break;
    add_item(p, next);
    taken++;
  }
  return taken;
}

rmx_status rmx_lm_score(rmx_lm *m, rmx_lm_item *items, size_t n, const rmx_listener *listener,
                        rmx_err *err) {
  size_t most = ROWS, longest = 1;
  for (size_t i = 0; i < n; i++) {
    RMX_TRY(check_item(m, &items[i], err));
    most = rmx__max(most, rmx__max(rows_of(&items[i]), labels_of(&items[i])));
    for (size_t b = 0; b < items[i].branches_n; b++)
      longest = rmx__max(longest, items[i].shared_n + items[i].branches[b].n);
  }
  RMX_OWNED struct wanted *wanted = rmx_calloc(most, sizeof *wanted);
  if (!wanted) return rmx_fail_memory(err, most * sizeof *wanted, "a list of labels");
  RMX_OWNED_BY(release) struct pass p = {0};
  RMX_TRY(make_pass(&p, m, most, longest, err));
  for (size_t at = 0; at < n;) {
    const size_t taken = fill(&p, items, at, n, most);
    forward(&p);
    RMX_TRY(check_stream(&p, err));
    judge(&p, wanted, list_wanted(items + at, taken, wanted));
    at += taken;
    rmx_progress(listener, "items", (double)at, (double)n, "items", NULL);
    if (rmx_interrupted()) return rmx_fail(err, RMX_EINTERRUPTED, "interrupted");
  }
  return RMX_OK;
}

// logits (n - from, V): of what follows the tokens (n) from `from` on.
static rmx_status logits_from(rmx_lm *m, const int32_t *tokens, size_t n, size_t from,
                              float *logits, rmx_err *err) {
  const rmx_lm_item item = {.shared = tokens, .shared_n = n};
  const size_t C = (size_t)m->c.width, V = (size_t)m->c.vocab;
  RMX_TRY(check_item(m, &item, err));
  RMX_OWNED_BY(release) struct pass p = {0};
  RMX_TRY(make_pass(&p, m, n, n, err));
  add_item(&p, &item);
  forward(&p);
  RMX_TRY(check_stream(&p, err));
  for (size_t at = from; at < n; at += p.head_rows) {
    const size_t rows = rmx__min(p.head_rows, n - at);
    memcpy(p.picked, p.x + at * C, rows * C * sizeof(float));
    head(&p, rows, logits + (at - from) * V);
  }
  return RMX_OK;
}

rmx_status rmx_lm_logits(rmx_lm *m, const int32_t *tokens, size_t n, float *logits, rmx_err *err) {
  return logits_from(m, tokens, n, 0, logits, err);
}

rmx_status rmx_lm_next(rmx_lm *m, const int32_t *tokens, size_t n, float *logits, rmx_err *err) {
  return logits_from(m, tokens, n, n - 1, logits, err);
}
