// SPDX-License-Identifier: Apache-2.0
// The log-probability of passages of text: forward passes over windows, and a file that keeps the
// sums.
#include "passages.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "comparison.h"

struct window {
  size_t passage, from;
  int size;
};

// Longest first, so that the windows of a pass need little padding; else in order.
static int by_size(const void *a, const void *b) {
  const struct window *x = a, *y = b;
  if (x->size != y->size) return x->size > y->size ? -1 : 1;
  if (x->passage != y->passage) return x->passage < y->passage ? -1 : 1;
  return x->from < y->from ? -1 : x->from > y->from;
}

static rmx_status cut(const rmx__passage *passages, size_t n, int T, struct window **out,
                      size_t *windows, rmx_err *err) {
  size_t k = 0;
  for (size_t i = 0; i < n; i++)
    k += (passages[i].to - passages[i].from + (size_t)T - 1) / (size_t)T;
  struct window *w = rmx_calloc(k, sizeof *w);
  if (!w) return rmx_fail_memory(err, k * sizeof *w, "windows of text");
  *windows = k;
  k = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t at = passages[i].from; at < passages[i].to; at += (size_t)T) {
      const size_t left = passages[i].to - at;
      w[k++] = (struct window){i, at, left < (size_t)T ? (int)left : T};
    }
  qsort(w, k, sizeof *w, by_size);
  *out = w;
  return RMX_OK;
}

struct text {
  const void *ids;
  int width;
  uint32_t end_of_text;
};

// Windows w (b) as a batch of b sequences as long as the first; labels of the filling are none.
static void lay_out(const struct text *x, const struct window *w, int b, rmx_batch *batch) {
  const int t = w[0].size;
  for (int i = 0; i < b; i++)
    for (int j = 0; j < t; j++) {
      const size_t k = w[i].from + (size_t)j, to = (size_t)i * (size_t)t + (size_t)j;
      const bool there = j < w[i].size;
      batch->tokens[to] =
          (int32_t)(there && k > 0 ? rmx_token_at(x->ids, x->width, k - 1) : x->end_of_text);
      batch->labels[to] = there ? (int32_t)rmx_token_at(x->ids, x->width, k) : -1;
    }
}

static rmx_status pass_all(rmx_model *m, int B, int T, const struct text *x,
                           const rmx__passage *passages, size_t n, const rmx_listener *listener,
                           const char *what, double *nats, double *tokens, rmx_err *err) {
  RMX_OWNED struct window *w = NULL;
  size_t windows = 0;
  RMX_OWNED_BY(rmx_batch_release) rmx_batch batch = {0};
  memset(nats, 0, n * sizeof *nats);
  RMX_TRY(cut(passages, n, T, &w, &windows, err));
  RMX_OWNED float *losses = rmx_calloc((size_t)B * (size_t)T, sizeof *losses);
  RMX_TRY(losses ? rmx_batch_make(&batch, B, T, err) : rmx_fail_memory(err, 0, "a batch"));
  for (size_t at = 0; at < windows;) {
    if (rmx_interrupted()) return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while scoring text");
    const int b = windows - at < (size_t)B ? (int)(windows - at) : B, t = w[at].size;
    lay_out(x, w + at, b, &batch);
    rmx_model_losses(m, batch.tokens, batch.labels, b, t, losses);
    for (int i = 0; i < b; i++)
      for (int j = 0; j < w[at + (size_t)i].size; j++)
        nats[w[at + (size_t)i].passage] += (double)losses[i * t + j];
    *tokens += (double)b * t;
    at += (size_t)b;
    rmx_progress(listener, what, (double)at, (double)windows, "windows", NULL);
  }
  return RMX_OK;
}

// ---- the file they are kept in

struct header {
  char magic[8];
  uint64_t question, n, hash;  // hash: that of the numbers, which follow
  double tokens, wall_s;
};
static const char magic[8] = {'R', 'M', 'X', 'N', 'A', 'T', 'S', '1'};

static uint64_t question_of(const rmx_run *run, const struct text *x, const rmx__passage *passages,
                            size_t n) {
  char fingerprint[17];
  rmx_run_fingerprint(run, fingerprint);
  size_t end = 0;
  for (size_t i = 0; i < n; i++) end = passages[i].to > end ? passages[i].to : end;
  const uint64_t text = rmx_hash(x->ids ? x->ids : "", end * (size_t)x->width,
                                 rmx_hash_string(fingerprint, x->end_of_text));
  return rmx_hash(passages, n * sizeof *passages, text);
}

static bool read_kept(const char *path, uint64_t question, size_t n, double *nats,
                      struct header *h) {
  RMX_OWNED char *data = NULL;
  size_t size;
  rmx_err ignored;
  if (!rmx_exists(path) || rmx_read_file(path, &data, &size, &ignored) != RMX_OK) return false;
  bool good = size == sizeof *h + n * sizeof *nats;
  if (good) {
    memcpy(h, data, sizeof *h);
    good = memcmp(h->magic, magic, sizeof magic) == 0 && h->question == question && h->n == n &&
           h->hash == rmx_hash(data + sizeof *h, n * sizeof *nats, 0);
  }
  if (good) memcpy(nats, data + sizeof *h, n * sizeof *nats);
  return good;
}

static rmx_status keep(const char *path, struct header *h, const double *nats, rmx_err *err) {
  rmx_outfile o = {0};
  memcpy(h->magic, magic, sizeof magic);
  h->hash = rmx_hash(nats, h->n * sizeof *nats, 0);
  RMX_TRY(rmx_outfile_open(&o, path, err));
  fwrite(h, sizeof *h, 1, o.file);
  fwrite(nats, sizeof *nats, h->n, o.file);
  return rmx_outfile_commit(&o, err);
}

static rmx_status compute(const rmx_comparison *c, const rmx_run *run, const struct text *x,
                          const rmx__passage *passages, const char *what, struct header *h,
                          double *nats, rmx_err *err) {
  const double began = rmx_now();
  const int B = (int)rmx_training_micro_batch(&run->training), T = (int)run->training.context;
  rmx_model *m;
  RMX_TRY(rmx__model_of_run(run->folder, B, T, c->kernels, &m, err));
  rmx_status status = rmx_model_threads(m, rmx__comparison_threads(c), err);
  if (status == RMX_OK)
    status = pass_all(m, B, T, x, passages, (size_t)h->n, c->listener, what, nats, &h->tokens, err);
  rmx_model_free(m);
  h->wall_s = rmx_now() - began;
  return status;
}

rmx_status rmx__passage_nats(const rmx_comparison *c, const rmx_run *run, const void *ids,
                             int width, const rmx__passage *passages, size_t n, const char *what,
                             double *nats, rmx_baseline_result *result, rmx_err *err) {
  if (n == 0) return RMX_OK;
  const struct text x = {ids, width, c->corpus->end_of_text};
  struct header h = {.question = question_of(run, &x, passages, n), .n = n};
  double flop;
  RMX_TRY(rmx__comparison_flop(c, &run->training, &flop, err));
  char *path = rmx_format("%s/nats-%016llx.bin", run->folder, (unsigned long long)h.question);
  if (!path) return rmx_fail_memory(err, 0, "a path");
  rmx_status status = RMX_OK;
  if (!read_kept(path, h.question, n, nats, &h)) {
    h = (struct header){.question = h.question, .n = n};
    status = compute(c, run, &x, passages, what, &h, nats, err);
    if (status == RMX_OK) status = keep(path, &h, nats, err);
  }
  free(path);
  result->flops += h.tokens * flop / RMX_FORWARD_PASSES;
  result->wall_s += h.wall_s;
  return status;
}

rmx_status rmx__budget_tokens(const rmx_comparison *c, const rmx_training *t, double flops,
                              double valid, const char *method, size_t models, int64_t *tokens,
                              rmx_err *err) {
  double flop;
  RMX_TRY(rmx__comparison_flop(c, t, &flop, err));
  const double step = (double)(rmx_training_batch(t) * t->context),
               fixed = valid * rmx__comparison_valid_flops(c, t, flop);
  const double steps = floor((flops - fixed) / flop / step * (1 + 1e-12));
  if (!(steps >= RMX__MIN_STEPS)) {
    const double each = fixed + RMX__MIN_STEPS * step * flop;
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: with a budget of %.3g FLOPs each of the %zu models gets %.3g, but it costs %.3g to "
        "train one for %d steps and validate it; raise --budget, or use smaller proxies",
        method, c->budget, models, flops, each, RMX__MIN_STEPS);
  }
  *tokens = (int64_t)(fmin(steps, 9e15 / step) * step);
  return RMX_OK;
}
