// SPDX-License-Identifier: Apache-2.0
// RegMix's search: draw very many mixtures around the prior, predict them all, average the best k. The mean
// of many good mixtures is steadier than the one that a noisy fit likes most.
//
// Blocks of samples are worked out side by side, a wave of blocks at a time; after each wave the calling
// thread takes their scores, in order, into a heap of the best k (worst on top). Memory: one wave and k
// mixtures.

#include <math.h>
#include <regmix/mixture.h>
#include <regmix/optimize.h>
#include <stdlib.h>
#include <string.h>

#include "optimum.h"

enum { BLOCK = 512, WAVE = 32, DRAWS = 20 };

typedef struct candidate {
  double score;
  int64_t number;  // of the sample: breaks ties
  size_t slot;     // where its mixture is kept
} candidate;

typedef struct simulation {
  const rmx_fit *fit;
  const rmx_target *target;
  const double *cap;  // (D) or NULL
  double *alpha;      // (D)
  uint64_t seed;
  int64_t samples, first;  // `first` sample of this wave
  double *X;               // (WAVE * BLOCK, D)
  double *score;           // (WAVE * BLOCK)
  double *metric;          // (WAVE * BLOCK) scratch
  int64_t projected[WAVE];
} simulation;

static bool keeps(const double *w, const double *cap, size_t D) {
  for (size_t d = 0; d < D; d++)
    if (w[d] > cap[d] + 1e-12) return false;
  return true;
}

static int64_t samples_in(const simulation *s, size_t block) {
  int64_t left = s->samples - s->first - (int64_t)block * BLOCK;
  return left < BLOCK ? left : BLOCK;
}

static void do_block(void *context, size_t block) {
  simulation *s = context;
  size_t D = s->fit->D, n = (size_t)samples_in(s, block);
  double *X = s->X + block * BLOCK * D, *score = s->score + block * BLOCK,
         *metric = s->metric + block * BLOCK;
  rmx_rng rng = rmx_rng_make(s->seed, (uint64_t)s->first / BLOCK + block, RMX_FOR_SIMULATION);
  s->projected[block] = 0;
  for (size_t i = 0; i < n; i++) {
    double *w = X + i * D;
    bool kept = false;
    for (int draw = 0; draw < DRAWS && !kept; draw++) {
      rmx_dirichlet(&rng, s->alpha, D, w);
      kept = s->cap == NULL || keeps(w, s->cap, D);
    }
    if (!kept) {
      rmx_mixture_cap(w, s->cap, D);
      s->projected[block]++;
    }
  }
  memset(score, 0, n * sizeof(double));
  for (size_t m = 0; m < s->fit->M; m++) {
    if (s->target->weight[m] == 0) continue;
    rmx_regressor_predict(s->fit->regressors[m], X, n, metric, NULL);
    for (size_t i = 0; i < n; i++) score[i] += s->target->weight[m] * metric[i];
  }
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

static rmx_status check(const rmx_fit *fit, const rmx_target *target, const double *prior, const double *cap,
                        const rmx_optimize_options *o, rmx_err *err) {
  if (o->samples < 1 || o->top < 1 || o->top > o->samples)
    return rmx_fail(err, RMX_EINPUT, "optimize.top is %lld of %lld samples: wanted 1 to optimize.samples",
                    (long long)o->top, (long long)o->samples);
  if (!(o->strength > 0) || !isfinite(o->strength))
    return rmx_fail(err, RMX_EINPUT, "optimize.strength is %g: wanted a positive number", o->strength);
  double sum = 0, reachable = 0, weights = 0;
  for (size_t d = 0; d < fit->D; d++) {
    if (!isfinite(prior[d]) || prior[d] < 0)
      return rmx_fail(err, RMX_EINPUT, "the prior of domain \"%s\" is %g: wanted 0 to 1", fit->domains[d],
                      prior[d]);
    if (cap && (isnan(cap[d]) || cap[d] < 0))
      return rmx_fail(err, RMX_EINPUT, "the cap of domain \"%s\" is %g: wanted 0 to 1", fit->domains[d],
                      cap[d]);
    sum += prior[d];
    if (cap) reachable += fmin(cap[d], 1);
  }
  if (!(sum > 0)) return rmx_fail(err, RMX_EINPUT, "the prior is 0 for every domain");
  if (cap && reachable < 1)
    return rmx_fail(err, RMX_EINPUT,
                    "the caps sum to %.4g < 1: no mixture keeps them; allow more epochs or lower the budget",
                    reachable);
  for (size_t m = 0; m < fit->M; m++) weights += fabs(target->weight[m]);
  if (!(weights > 0) || !isfinite(weights))
    return rmx_fail(err, RMX_EINPUT, "the target has no metric with a weight");
  return RMX_OK;
}

// The best `top` of all samples into `kept` (top, D), best first.
static rmx_status search(simulation *s, int64_t top, int threads, const rmx_listener *listener, double *kept,
                         candidate *heap, int64_t *projected, rmx_err *err) {
  size_t D = s->fit->D, n = 0, k = (size_t)top;
  for (; s->first < s->samples; s->first += WAVE * BLOCK) {
    if (rmx_interrupted()) return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while simulating mixtures");
    int64_t left = s->samples - s->first;
    size_t blocks = left >= WAVE * BLOCK ? WAVE : (size_t)((left + BLOCK - 1) / BLOCK);
    rmx_parallel(threads, blocks, do_block, s);
    for (size_t b = 0; b < blocks; b++) {
      *projected += s->projected[b];
      for (size_t i = b * BLOCK; i < b * BLOCK + (size_t)samples_in(s, b); i++) {
        candidate c = {s->score[i], s->first + (int64_t)i, n};
        if (isnan(c.score)) continue;
        if (n < k) {
          heap[n] = c;
          sift_up(heap, n++);
        } else if (worse(&heap[0], &c)) {
          c.slot = heap[0].slot;
          heap[0] = c;
          sift_down(heap, n, 0);
        } else {
          continue;
        }
        memcpy(kept + c.slot * D, s->X + i * D, D * sizeof(double));
      }
    }
    rmx_progress(listener, "simulate", (double)(s->first + (left < WAVE * BLOCK ? left : WAVE * BLOCK)),
                 (double)s->samples, "mixtures", NULL);
  }
  if (n < k)
    return rmx_fail(err, RMX_ENUMERIC, "only %zu of %lld simulated mixtures have a finite prediction", n,
                    (long long)s->samples);
  qsort(heap, n, sizeof(*heap), best_first);
  return RMX_OK;
}

rmx_status rmx_optimize_simulate(const rmx_fit *fit, const rmx_target *target, const double *prior,
                                 const double *cap, const rmx_optimize_options *o, uint64_t seed, int threads,
                                 const rmx_listener *listener, rmx_optimum *out, rmx_err *err) {
  size_t D = fit->D;
  if (prior == NULL) prior = fit->mean_mixture;
  RMX_TRY(check(fit, target, prior, cap, o, err));
  rmx_arena arena = {0};
  rmx_status status = RMX_OK;
  rmx_optimum best = {.samples = o->samples, .top = o->top};
  size_t k = (size_t)o->top, wave = o->samples < WAVE * BLOCK ? (size_t)o->samples : WAVE * BLOCK;
  simulation s = {.fit = fit, .target = target, .cap = cap, .seed = seed, .samples = o->samples};
  s.alpha = rmx_arena_alloc(&arena, D, sizeof(double));
  s.X = rmx_arena_alloc(&arena, wave, D * sizeof(double));
  s.score = rmx_arena_alloc(&arena, wave, sizeof(double));
  s.metric = rmx_arena_alloc(&arena, wave, sizeof(double));
  double *kept = rmx_arena_alloc(&arena, k, D * sizeof(double)),
         *p = rmx_arena_alloc(&arena, D, sizeof(double));
  candidate *heap = rmx_arena_alloc(&arena, k, sizeof(*heap));
  if (!s.alpha || !s.X || !s.score || !s.metric || !kept || !p || !heap) {
    status = rmx_fail_memory(err, (wave + k) * D * sizeof(double), "a simulation");
    goto done;
  }
  memcpy(p, prior, D * sizeof(double));
  RMX_TRY_GOTO(rmx_mixture_normalise(p, D, err), done);
  for (size_t d = 0; d < D; d++) s.alpha[d] = o->strength * p[d];
  RMX_TRY_GOTO(rmx__optimum_make(&best, fit, err), done);
  RMX_TRY_GOTO(search(&s, o->top, threads, listener, kept, heap, &best.projected, err), done);
  for (size_t i = 0; i < k; i++)
    for (size_t d = 0; d < D; d++) best.mixture[d] += kept[heap[i].slot * D + d] / (double)k;
  for (size_t d = 0; d < D; d++) {
    double square = 0;
    for (size_t i = 0; i < k; i++) square += pow(kept[heap[i].slot * D + d] - best.mixture[d], 2);
    best.spread[d] = k > 1 ? sqrt(square / (double)(k - 1)) : 0;
  }
  RMX_TRY_GOTO(rmx_mixture_normalise(best.mixture, D, err), done);
  RMX_TRY_GOTO(rmx__optimum_describe(&best, fit, target, p, listener, err), done);
  if (best.projected)
    rmx_note(listener, "%lld of %lld simulated mixtures were brought under the caps",
             (long long)best.projected, (long long)o->samples);
done:
  rmx_arena_release(&arena);
  if (status != RMX_OK) {
    rmx_optimum_release(&best);
    return status;
  }
  *out = best;
  return RMX_OK;
}
