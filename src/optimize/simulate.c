// SPDX-License-Identifier: Apache-2.0
// RegMix's search: draw very many mixtures around the prior, predict them all, average the best k.
// The mean of many good mixtures is steadier than the one that a noisy fit likes most.
//
// Blocks of samples are worked out side by side, a wave of blocks at a time; after each wave the
// calling thread takes their scores, in order, into a heap of the best k (worst on top). Memory:
// one wave and k mixtures. A sample is sorted into the orders, if there are any. One that breaks
// another constraint is drawn again, up to 20 times, then brought inside. Whether it lies near a
// run, which takes a look at all of them, is asked of those alone that would enter the heap. What
// is allowed need not be convex: where the mean breaks a rule, it is drawn towards the best sample.

#include "optimize/search.h"

#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "mixture/dirichlet.h"

enum { BLOCK = 512, WAVE = 32, DRAWS = 20 };

typedef struct candidate {
  double score;
  int64_t number;  // of the sample: breaks ties
  size_t slot;     // where its mixture is kept
} candidate;

typedef struct simulation {
  const rmx_fit *fit;
  const rmx_target *target;
  const rmx__feasible *set;
  int draws;      // of one sample
  double *alpha;  // (D)
  uint64_t seed;
  int64_t samples, first;  // `first` sample of this wave
  double *X;               // (WAVE * BLOCK, D)
  double *score;           // (WAVE * BLOCK)
  double *y;               // (WAVE * BLOCK, M) scratch
  double *column;          // (WAVE * BLOCK) scratch
  int64_t projected[WAVE];
  bool far;  // some sample was left out for lying far from the runs
} simulation;

static int64_t samples_in(const simulation *s, size_t block) {
  int64_t left = s->samples - s->first - (int64_t)block * BLOCK;
  return left < BLOCK ? left : BLOCK;
}

// The scores of n mixtures, with the penalty; y (n, M) and column (n) are scratch.
static void score_of(const simulation *s, const double *X, size_t n, double *y, double *column,
                     double *score) {
  const rmx_constraints *c = s->set->constraints;
  const rmx_target *t = s->target;
  rmx__predict_target(s->fit, t, X, n, y, column);
  rmx_target_score(t, s->fit->M, y, n, score);
  for (size_t i = 0; i < n && c->kl_penalty > 0; i++)
    score[i] += c->kl_penalty * rmx__kl(c, X + i * s->fit->D);
}

static void do_block(void *context, size_t block) {
  simulation *s = context;
  size_t D = s->fit->D, M = s->fit->M, n = (size_t)samples_in(s, block), at = block * BLOCK;
  double *X = s->X + at * D;
  rmx_rng rng = rmx_rng_make(s->seed, (uint64_t)s->first / BLOCK + block, RMX_FOR_SIMULATION);
  s->projected[block] = 0;
  for (size_t i = 0; i < n; i++) {
    bool kept = false;
    for (int draw = 0; draw < s->draws && !kept; draw++) {
      rmx__dirichlet_in(&rng, s->alpha, s->set->order, D, X + i * D);
      rmx__feasible_sort(s->set, X + i * D);
      kept = rmx__feasible_contains_convex(s->set, X + i * D);
    }
    if (!kept) {
      rmx__feasible_project_convex(s->set, X + i * D);
      s->projected[block]++;
    }
  }
  score_of(s, X, n, s->y + at * M, s->column + at, s->score + at);
}

static bool worse(const candidate *a, const candidate *b) {
  return a->score > b->score || (a->score == b->score && a->number > b->number);
}

static void sift_down(candidate *heap, size_t n, size_t i) {
  for (;;) {
    size_t worst = i;
    for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
      if (worse(&heap[child], &heap[worst])) worst = child;
    if (worst == i) return;
    candidate c = heap[i];
    heap[i] = heap[worst];
    heap[worst] = c;
    i = worst;
  }
}

static void sift_up(candidate *heap, size_t i) {
  while (i > 0 && worse(&heap[i], &heap[(i - 1) / 2])) {
    candidate c = heap[i];
    heap[i] = heap[(i - 1) / 2];
    heap[(i - 1) / 2] = c;
    i = (i - 1) / 2;
  }
}

static int best_first(const void *a, const void *b) {
  return worse(a, b) ? 1 : worse(b, a) ? -1 : 0;
}

// Whether the sample may be averaged: it keeps the limits and lies near a run.
static bool allowed(simulation *s, double score, const double *w) {
  if (!isfinite(score)) return false;
  if (isinf(s->set->radius) ||
      rmx__nearest_run(s->set->runs, s->set->N, s->fit->D, w, NULL) <= s->set->radius)
    return true;
  s->far = true;
  return false;
}

// The best `top` of all samples into `kept` (top, D), in heap (top) best first; *n: how many there
// are.
static rmx_status collect(simulation *s, int64_t top, int threads, const rmx_listener *listener,
                          double *kept, candidate *heap, size_t *found, int64_t *projected,
                          rmx_err *err) {
  size_t D = s->fit->D, n = 0, k = (size_t)top;
  for (s->first = 0; s->first < s->samples; s->first += WAVE * BLOCK) {
    if (rmx_interrupted())
      return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while simulating mixtures");
    int64_t left = s->samples - s->first;
    size_t blocks = left >= WAVE * BLOCK ? WAVE : (size_t)((left + BLOCK - 1) / BLOCK);
    rmx_parallel(threads, blocks, do_block, s);
    for (size_t b = 0; b < blocks; b++) {
      *projected += s->projected[b];
      for (size_t i = b * BLOCK; i < b * BLOCK + (size_t)samples_in(s, b); i++) {
        candidate c = {s->score[i], s->first + (int64_t)i, n};
        if (isnan(c.score) || (n == k && !worse(&heap[0], &c))) continue;
        if (!allowed(s, c.score, s->X + i * D)) continue;
        if (n < k) {
          heap[n] = c;
          sift_up(heap, n++);
        } else {
          c.slot = heap[0].slot;
          heap[0] = c;
          sift_down(heap, n, 0);
        }
        memcpy(kept + c.slot * D, s->X + i * D, D * sizeof(double));
      }
    }
    rmx_progress(listener, "simulate",
                 (double)(s->first + (left < WAVE * BLOCK ? left : WAVE * BLOCK)),
                 (double)s->samples, "mixtures", NULL);
  }
  *found = n;
  if (n == 0 && s->far)
    return rmx_fail(err, RMX_EINPUT,
                    "none of %lld simulated mixtures lies near the runs: simulate more "
                    "(--samples), from a prior "
                    "nearer to them, or without the guard (--no-guard)",
                    (long long)s->samples);
  if (n == 0)
    return rmx_fail(err, RMX_EINPUT,
                    "none of %lld simulated mixtures keeps the metrics' limits, or has a finite "
                    "prediction: allow more "
                    "slack (--no-worse METRIC=SLACK), or simulate more (--samples)",
                    (long long)s->samples);
  qsort(heap, n, sizeof(*heap), best_first);
  return RMX_OK;
}

// Whether w is a mixture that may be proposed.
static bool keeps_all(const simulation *s, const double *w) {
  double score;
  if (!rmx__feasible_contains(s->set, w)) return false;
  score_of(s, w, 1, s->y, s->column, &score);
  return isfinite(score);
}

// The mean of the samples in the heap into o->mixture, and their spread.
static void average(const simulation *s, const double *kept, const candidate *heap, size_t n,
                    rmx_optimum *o) {
  size_t D = s->fit->D;
  const double *best = kept + heap[0].slot * D;
  memset(o->mixture, 0, D * sizeof(double));
  for (size_t i = 0; i < n; i++)
    for (size_t d = 0; d < D; d++) o->mixture[d] += kept[heap[i].slot * D + d] / (double)n;
  for (size_t d = 0; d < D; d++) {
    double square = 0;
    for (size_t i = 0; i < n; i++) square += pow(kept[heap[i].slot * D + d] - o->mixture[d], 2);
    o->spread[d] = n > 1 ? sqrt(square / (double)(n - 1)) : 0;
  }
  rmx__feasible_project_convex(s->set, o->mixture);
  double out = 0, in = 1, *w = s->X;  // all samples have been looked at
  if (keeps_all(s, o->mixture)) return;
  for (int i = 0; i < 40; i++) {
    double t = (out + in) / 2;
    for (size_t d = 0; d < D; d++) w[d] = o->mixture[d] + t * (best[d] - o->mixture[d]);
    if (keeps_all(s, w))
      in = t;
    else
      out = t;
  }
  for (size_t d = 0; d < D; d++) o->mixture[d] += in * (best[d] - o->mixture[d]);
}

static rmx_status run(const rmx__task *a, const rmx__feasible *set, rmx_optimum *o, rmx_err *err) {
  size_t D = a->fit->D, M = a->fit->M;
  const rmx_optimize_options *options = a->options;
  if (options->samples < 1 || options->top < 1 || options->top > options->samples)
    return rmx_fail(err, RMX_EINPUT,
                    "optimize.top is %lld of %lld samples: wanted 1 to optimize.samples",
                    (long long)options->top, (long long)options->samples);
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  size_t k = (size_t)options->top,
         wave = options->samples < WAVE * BLOCK ? (size_t)options->samples : WAVE * BLOCK;
  RMX_OWNED_BY(rmx__feasible_release) rmx__feasible within = {0};
  RMX_TRY(rmx__feasible_copy(&within, set, err));
  simulation s = {.fit = a->fit,
                  .target = &a->problem->target,
                  .set = &within,
                  .seed = a->seed,
                  .samples = options->samples};
  s.alpha = rmx_arena_alloc(&arena, D, sizeof(double));
  s.X = rmx_arena_alloc(&arena, wave, D * sizeof(double));
  s.score = rmx_arena_alloc(&arena, wave, sizeof(double));
  s.y = rmx_arena_alloc(&arena, wave, M * sizeof(double));
  s.column = rmx_arena_alloc(&arena, wave, sizeof(double));
  double *kept = rmx_arena_alloc(&arena, k, D * sizeof(double));
  candidate *heap = rmx_arena_alloc(&arena, k, sizeof(*heap));
  if (!s.alpha || !s.X || !s.score || !s.y || !s.column || !kept || !heap)
    return rmx_fail_memory(err, (wave + k) * (D + M) * sizeof(double), "a simulation");
  o->samples = options->samples;
  o->top = options->top;
  for (bool again = true; again;) {  // once, but for drop_below
    size_t n = 0;
    double sum = 0;
    s.draws = DRAWS;
    for (size_t d = 0; d < D; d++) {
      sum += s.alpha[d] = within.high[d] > 0 ? options->strength * a->prior[d] : 0;
      if (within.low[d] > 0 && within.high[d] - within.low[d] < 1e-9)
        s.draws = 1;  // no draw has that very weight
    }
    for (size_t i = 0; i < within.constraints->n_shares; i++)
      if (within.constraints->shares[i].high - within.constraints->shares[i].low < 1e-9)
        s.draws = 1;
    // Where the prior has nothing of all that is allowed, draws go around the centre.
    for (size_t d = 0; d < D && !(sum > 0); d++)
      s.alpha[d] = options->strength * within.interior[d];
    o->projected = 0;
    RMX_TRY(collect(&s, options->top, a->threads, a->listener, kept, heap, &n, &o->projected, err));
    average(&s, kept, heap, n, o);
    RMX_TRY(rmx__feasible_drop(&within, o->mixture, &again, err));
  }
  if (o->projected)
    rmx_note(a->listener, "%lld of %lld simulated mixtures were moved into the constraints",
             (long long)o->projected, (long long)options->samples);
  return RMX_OK;
}

const rmx__method rmx__simulate = {
    .name = "simulate",
    .run = run,
};
