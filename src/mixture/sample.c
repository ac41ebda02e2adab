// SPDX-License-Identifier: Apache-2.0
// Random mixtures for the proxy runs: RegMix's recipe (Liu et al. 2025, and the authors' sampler)
// with three repairs.
//
//   alpha = strength * prior^temper / sum,  strength one of S log-spaced values, at random for each
//   candidate; w ~ Dirichlet(alpha), rejected over a cap, zeroed below the grid, rounded to the
//   grid.
//
// The authors draw 100 N candidates, drop duplicates and keep N at random. Candidates are
// independent and identically distributed, so the first N distinct ones are the same choice and
// need less memory. Repairs: rounding keeps the sum (largest remainders) and the caps; every domain
// that can be non-zero is non-zero in a guaranteed share of the rows; tight caps still give a
// sample.
//
// Where the names form a tree, the weights of its nodes are drawn first (sample_tree.h).
//
// All weights are counted in grid steps ("units"; a mixture has G = 1/grid units), so that caps,
// sums and duplicates are comparisons of whole numbers. Cost: O(candidates * D) time, O(N * D)
// memory.

#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "sample_tree.h"

typedef struct sampler {
  const rmx_sample_options *o;
  size_t N, D;
  int64_t G;           // units of a whole mixture
  double *tempered;    // (D) prior^temper / sum over the domains that can be non-zero; 0 elsewhere
  double *cap;         // (D) in whole units, as a share; 0 for excluded domains
  int64_t *cap_units;  // (D)
  int64_t *units;      // (N, D) the rows so far
  double *strength;    // (N) of each row
  uint64_t *hash;      // (N) of each row
  size_t n;            // rows so far
  double *alpha, *w;   // (D) scratch
  double *rest;        // (D) scratch: remainders
  int64_t *row;        // (D) scratch
  rmx__nested nested;  // empty: draw from one distribution over all domains
} sampler;

static int64_t cap_in_units(double cap, int64_t G) {
  double units = floor(fmin(cap, 1) * (double)G + 1e-6);
  return units > 0 ? (int64_t)units : 0;
}

void rmx_sample_caps(const rmx_sample_options *o, const double *prior, const double *tokens,
                     double budget, size_t D, double *cap) {
  for (size_t d = 0; d < D; d++)
    cap[d] = fmin(1, budget > 0 ? o->max_epochs * tokens[d] / budget : o->cap_ratio * prior[d]);
}

size_t rmx_sample_excluded(const rmx_sample_options *o, const double *prior, const double *cap,
                           size_t D, bool *excluded) {
  size_t n = 0;
  for (size_t d = 0; d < D; d++) {
    bool out = !(prior[d] > 0) || cap_in_units(cap[d], llround(1 / o->grid)) < 1;
    if (excluded) excluded[d] = out;
    n += out;
  }
  return n;
}

// Turns shares w (D; sum 1) into whole units (sum `total`, each from min[d] to max[d]; min may be
// NULL), by largest remainders; ties go to the first. False if the bounds leave no room.
static bool round_to_units(const sampler *s, const double *w, int64_t total, const int64_t *max,
                           const int64_t *min, int64_t *out) {
  int64_t left = total;
  for (size_t d = 0; d < s->D; d++) {
    double exact = w[d] * (double)total;
    out[d] = (int64_t)floor(exact + 1e-9);
    if (out[d] > max[d]) out[d] = max[d];
    if (min && out[d] < min[d]) out[d] = min[d];
    s->rest[d] = exact - (double)out[d];
    left -= out[d];
  }
  for (; left != 0;) {
    size_t best = s->D;
    for (size_t d = 0; d < s->D; d++) {
      if (left > 0 ? !(w[d] > 0 && out[d] < max[d]) : !(out[d] > (min ? min[d] : 0))) continue;
      if (best == s->D || (left > 0 ? s->rest[d] > s->rest[best] : s->rest[d] < s->rest[best]))
        best = d;
    }
    if (best == s->D) return false;
    int64_t step = left > 0 ? 1 : -1;
    out[best] += step;
    s->rest[best] -= (double)step;
    left -= step;
  }
  return true;
}

static bool is_new(const sampler *s, const int64_t *row, uint64_t hash, size_t except) {
  for (size_t i = 0; i < s->n; i++)
    if (i != except && s->hash[i] == hash &&
        memcmp(s->units + i * s->D, row, s->D * sizeof(*row)) == 0)
      return false;
  return true;
}

// Draws one candidate into s->row; false if it is rejected.
static bool draw(sampler *s, uint64_t seed, uint64_t candidate, bool repair, double *strength) {
  const rmx_sample_options *o = s->o;
  rmx_rng rng = rmx_rng_make(seed, candidate, RMX_FOR_MIXTURES);
  uint64_t k = rmx_rng_below(&rng, (uint64_t)o->strengths);
  double position = o->strengths > 1 ? (double)k / (double)(o->strengths - 1) : 0;
  *strength = o->min_strength * pow(o->max_strength / o->min_strength, position);
  for (size_t d = 0; d < s->D; d++) s->alpha[d] = *strength * s->tempered[d];
  if (s->nested.D)
    rmx__nested_draw(&s->nested, &rng, *strength, s->w);
  else
    rmx_dirichlet(&rng, s->alpha, s->D, s->w);
  if (repair) rmx_mixture_cap(s->w, s->cap, s->D);
  double sum = 0;
  for (size_t d = 0; d < s->D; d++) {
    if (s->w[d] > s->cap[d] + 1e-12) return false;
    if (s->w[d] < o->grid * (1 - 1e-9)) s->w[d] = 0;
    sum += s->w[d];
  }
  if (!(sum > 0)) return false;
  for (size_t d = 0; d < s->D; d++) s->w[d] /= sum;
  if (repair) rmx_mixture_cap(s->w, s->cap, s->D);
  for (size_t d = 0; d < s->D; d++)
    if (s->w[d] > s->cap[d] + 1e-12) return false;
  return round_to_units(s, s->w, s->G, s->cap_units, NULL, s->row);
}

static void keep(sampler *s, size_t i, const int64_t *row, double strength) {
  memcpy(s->units + i * s->D, row, s->D * sizeof(*row));
  s->hash[i] = rmx_hash(row, s->D * sizeof(*row), 0);
  s->strength[i] = strength;
}

static rmx_status draw_rows(sampler *s, uint64_t seed, rmx_err *err) {
  uint64_t tries = (uint64_t)s->o->tries * s->N;
  for (uint64_t c = 0; c < 2 * tries && s->n < s->N; c++) {
    if (c % 1024 == 0 && rmx_interrupted())
      return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while sampling mixtures");
    double strength;
    if (!draw(s, seed, c, c >= tries, &strength)) continue;
    if (!is_new(s, s->row, rmx_hash(s->row, s->D * sizeof *s->row, 0), SIZE_MAX)) continue;
    keep(s, s->n++, s->row, strength);
  }
  if (s->n < s->N)
    return rmx_fail(err, RMX_EINPUT,
                    "only %zu of the %zu requested mixtures were found among %llu candidates; "
                    "lower sample.runs, make sample.grid (%g) finer, raise sample.max_strength "
                    "(%g) or raise sample.tries (%lld)",
                    s->n, s->N, (unsigned long long)(2 * tries), s->o->grid, s->o->max_strength,
                    (long long)s->o->tries);
  return RMX_OK;
}

// A number from density ~ w^(a-1) (1-w)^(b-1) on [lo, hi], 0 < lo <= hi < 1: inverse distribution
// of the first factor, acceptance by the second.
static double truncated_beta(rmx_rng *rng, double a, double b, double lo, double hi) {
  double low = pow(lo, a), high = pow(hi, a), w = lo;
  double bound = pow(b >= 1 ? 1 - lo : 1 - hi, b - 1);
  for (int i = 0; i < 1000; i++) {
    double u = rmx_rng_uniform(rng);
    w = a > 1e-6 ? pow(low + u * (high - low), 1 / a) : lo * pow(hi / lo, u);
    w = fmin(fmax(w, lo), hi);
    if (rmx_rng_uniform(rng) * bound <= pow(1 - w, b - 1)) break;
  }
  return w;
}

// Gives domain d a weight in row i, where it has none; false if that is impossible.
static bool insert(sampler *s, size_t i, size_t d, rmx_rng *rng) {
  const int64_t *old = s->units + i * s->D;
  int64_t removable = 0;
  for (size_t j = 0; j < s->D; j++) removable += old[j] > 0 ? old[j] - 1 : 0;
  int64_t max = s->cap_units[d] < removable ? s->cap_units[d] : removable;
  if (max < 1) return false;
  double a = s->strength[i] * s->tempered[d], b = s->strength[i] * (1 - s->tempered[d]);
  double lo = 1 / (double)s->G, hi = fmin((double)max / (double)s->G, 1 - 1e-9);
  int64_t k = llround(truncated_beta(rng, a, b, lo, fmax(lo, hi)) * (double)s->G);
  k = k < 1 ? 1 : k > max ? max : k;
  int64_t *min = s->row + s->D, *ceiling = s->row + 2 * s->D;
  for (size_t j = 0; j < s->D; j++) {
    s->w[j] = (double)old[j] / (double)s->G;
    min[j] = old[j] > 0;
    ceiling[j] = old[j];
  }
  if (!round_to_units(s, s->w, s->G - k, ceiling, min, s->row)) return false;
  s->row[d] = k;
  if (!is_new(s, s->row, rmx_hash(s->row, s->D * sizeof *s->row, 0), i)) return false;
  keep(s, i, s->row, s->strength[i]);
  return true;
}

static rmx_status cover(sampler *s, const char *const *names, uint64_t seed, rmx_err *err) {
  size_t wanted = (size_t)ceil(s->o->min_coverage * (double)s->N - 1e-9);
  RMX_OWNED size_t *order = rmx_calloc(s->N, sizeof(size_t));
  if (!order) return rmx_fail_memory(err, s->N * sizeof(size_t), "sampling mixtures");
  for (size_t d = 0; d < s->D; d++) {
    if (s->cap_units[d] < 1) continue;
    size_t have = 0, without = 0;
    for (size_t i = 0; i < s->N; i++) {
      if (s->units[i * s->D + d] > 0)
        have++;
      else
        order[without++] = i;
    }
    // Each domain has its own random stream, separate from those of the candidates.
    rmx_rng rng = rmx_rng_make(seed, (UINT64_C(1) << 31) + d, RMX_FOR_MIXTURES);
    rmx_rng_shuffle(&rng, order, without);
    for (int pass = 0; pass < 8 && have < wanted; pass++)
      for (size_t i = 0; i < without && have < wanted; i++)
        if (s->units[order[i] * s->D + d] == 0) have += insert(s, order[i], d, &rng);
    if (have < wanted)
      return rmx_fail(err, RMX_EINPUT,
                      "domain \"%s\" is non-zero in %zu of %zu mixtures, but sample.min_coverage "
                      "%g needs %zu, and a mixture has only %lld grid steps; make sample.grid (%g) "
                      "finer or lower sample.min_coverage",
                      names[d], have, s->N, s->o->min_coverage, wanted, (long long)s->G,
                      s->o->grid);
  }
  return RMX_OK;
}

// The number of mixtures on the grid within the caps (1e10 if there are more).
static rmx_status count_mixtures(const sampler *s, double *count, rmx_err *err) {
  size_t G = (size_t)s->G;
  RMX_OWNED double *ways = rmx_calloc(G + 1, sizeof(double)),
                   *sums = rmx_calloc(G + 2, sizeof(double));
  if (!ways || !sums)
    return rmx_fail_memory(err, (2 * G + 3) * sizeof(double), "sampling mixtures");
  ways[0] = 1;
  for (size_t d = 0; d < s->D; d++) {
    size_t cap = (size_t)s->cap_units[d];
    for (size_t g = 0; g <= G; g++) sums[g + 1] = sums[g] + ways[g];
    // Limited to 1e10, so that the sums stay whole numbers that a double holds exactly.
    for (size_t g = 0; g <= G; g++)
      ways[g] = fmin(1e10, sums[g + 1] - (g > cap ? sums[g - cap] : 0));
  }
  *count = ways[G];
  return RMX_OK;
}

static rmx_status check_options(const rmx_sample_options *o, const double *prior, const double *cap,
                                size_t D, const char *const *names, rmx_err *err) {
  if (D == 0) return rmx_fail(err, RMX_EINPUT, "a mixture needs at least one domain");
  if (o->runs < 1)
    return rmx_fail(err, RMX_EINPUT, "sample.runs is %lld; wanted at least 1", (long long)o->runs);
  if (o->tries < 1 || o->strengths < 1)
    return rmx_fail(err, RMX_EINPUT,
                    "sample.tries (%lld) and sample.strengths (%lld) must be at least 1",
                    (long long)o->tries, (long long)o->strengths);
  if (!(o->min_strength > 0) || !(o->max_strength >= o->min_strength) || !isfinite(o->max_strength))
    return rmx_fail(
        err, RMX_EINPUT,
        "sample.min_strength (%g) must be positive and not larger than sample.max_strength (%g)",
        o->min_strength, o->max_strength);
  if (!(o->grid >= 1e-5 && o->grid <= 1) ||
      fabs(1 / o->grid - (double)llround(1 / o->grid)) > 1e-6 / o->grid)
    return rmx_fail(
        err, RMX_EINPUT,
        "sample.grid is %g; wanted a number from 1e-5 to 1 that divides 1 (0.0002, 0.001, ...)",
        o->grid);
  if (!(o->min_coverage >= 0 && o->min_coverage <= 1))
    return rmx_fail(err, RMX_EINPUT,
                    "sample.min_coverage is %g; wanted a share of the mixtures, 0 to 1",
                    o->min_coverage);
  if (!(o->temper >= 0) || !isfinite(o->temper))
    return rmx_fail(err, RMX_EINPUT, "sample.temper is %g; wanted 0 (uniform) to 1 (the prior)",
                    o->temper);
  for (size_t d = 0; d < D; d++) {
    if (!isfinite(prior[d]) || prior[d] < 0)
      return rmx_fail(err, RMX_EINPUT, "the prior of domain \"%s\" is %g; wanted 0 to 1", names[d],
                      prior[d]);
    if (isnan(cap[d]) || cap[d] < 0)
      return rmx_fail(err, RMX_EINPUT, "the cap of domain \"%s\" is %g; wanted 0 to 1", names[d],
                      cap[d]);
  }
  return RMX_OK;
}

static rmx_status check_caps(const sampler *s, const double *prior, const double *cap,
                             rmx_err *err) {
  double sum = 0;
  int64_t units = 0;
  bool by_ratio = true;
  for (size_t d = 0; d < s->D; d++) {
    if (prior[d] > 0) sum += fmin(cap[d], 1);
    by_ratio &= fabs(cap[d] - fmin(1, s->o->cap_ratio * prior[d])) < 1e-12;
    units += s->cap_units[d];
  }
  if (units >= s->G) return RMX_OK;
  if (sum >= 1)
    return rmx_fail(err, RMX_EINPUT,
                    "the caps sum to %.4g, but rounded down to the grid of %g they sum to %.4g < "
                    "1; make sample.grid finer",
                    sum, s->o->grid, (double)units / (double)s->G);
  double bound = by_ratio ? s->o->cap_ratio : s->o->max_epochs,
         share = (double)units / (double)s->G;
  if (!(share > 0))
    return rmx_fail(err, RMX_EINPUT,
                    "every cap is below one grid step (%g); raise %s or make sample.grid finer",
                    s->o->grid, by_ratio ? "sample.cap_ratio" : "sample.max_epochs");
  return rmx_fail(err, RMX_EINPUT, "the caps sum to %.4g < 1; raise %s from %g to at least %.1f%s",
                  share, by_ratio ? "sample.cap_ratio" : "sample.max_epochs", bound,
                  ceil(bound / share * 10) / 10, by_ratio ? "" : " or lower large.tokens");
}

// Draws the rows: out (N, D).
static rmx_status fill(sampler *s, const char *const *names, uint64_t seed, double *out,
                       rmx_err *err) {
  double possible = 0;
  RMX_TRY(count_mixtures(s, &possible, err));
  if (possible < (double)s->N)
    return rmx_fail(err, RMX_EINPUT,
                    "only %.0f different mixtures exist on a grid of %g within the caps, but %zu "
                    "were requested; make sample.grid finer or lower sample.runs",
                    possible, s->o->grid, s->N);
  RMX_TRY(draw_rows(s, seed, err));
  RMX_TRY(cover(s, names, seed, err));
  for (size_t i = 0; i < s->N * s->D; i++) out[i] = (double)s->units[i] / (double)s->G;
  return RMX_OK;
}

rmx_status rmx_sample_mixtures(const rmx_sample_options *o, const double *prior, const double *cap,
                               const char *const *names, size_t D, uint64_t seed, double *out,
                               rmx_err *err) {
  RMX_TRY(check_options(o, prior, cap, D, names, err));
  size_t N = (size_t)o->runs;
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  sampler s = {.o = o, .N = N, .D = D, .G = llround(1 / o->grid)};
  s.units = N <= SIZE_MAX / D ? rmx_arena_alloc(&arena, N * D, sizeof(int64_t)) : NULL;
  s.strength = rmx_arena_alloc(&arena, N, sizeof(double));
  s.hash = rmx_arena_alloc(&arena, N, sizeof(uint64_t));
  double *reals = rmx_arena_alloc(&arena, D, 5 * sizeof(double));
  s.cap_units = rmx_arena_alloc(&arena, D, sizeof(int64_t));
  s.row = rmx_arena_alloc(&arena, D, 3 * sizeof(int64_t));
  if (!s.units || !s.strength || !s.hash || !reals || !s.cap_units || !s.row)
    return rmx_fail_memory(err, N * D * sizeof(int64_t), "sampling mixtures");
  s.tempered = reals;
  s.cap = reals + D;
  s.alpha = reals + 2 * D;
  s.w = reals + 3 * D;
  s.rest = reals + 4 * D;
  for (size_t d = 0; d < D; d++) {
    s.cap_units[d] = prior[d] > 0 ? cap_in_units(cap[d], s.G) : 0;
    s.cap[d] = (double)s.cap_units[d] / (double)s.G;
    s.w[d] = s.cap_units[d] > 0 ? prior[d] : 0;
  }
  RMX_TRY(check_caps(&s, prior, cap, err));
  rmx_mixture_temper(s.w, D, o->temper, s.tempered);
  rmx_status status = RMX_OK;
  if (o->tree && rmx_names_form_a_tree(names, D))
    status = rmx__nested_make(&s.nested, names, s.w, D, o->temper, s.tempered, err);
  if (status == RMX_OK) status = fill(&s, names, seed, out, err);
  rmx__nested_release(&s.nested);
  return status;
}
