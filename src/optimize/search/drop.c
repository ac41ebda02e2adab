// SPDX-License-Identifier: Apache-2.0
// Searches that drop small weights. Which domains stay is a choice among many: dropping what is too
// small leads to some set of them, and so do the largest weights of the optimum without the rule.
// From the best of these the search goes on to its neighbours: a domain more, a domain less, one
// for another, as long as that lowers the score. A set of domains has a plain search within it; or,
// where nothing was learnt, the mixture in it that is nearest to the prior.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimize/search.h"

enum { MOST_TRIED = 48, MOST_TRIED_COARSE = 24 };

typedef struct choice {
  const rmx_fit *fit;
  const rmx_target *target;  // NULL: the score is the divergence from the prior
  const double *prior;       // (D) of that
  const rmx__feasible *set;
  size_t *order;  // (D) the domains, by the optimum without the rule, the largest first
  bool *in;       // (D) the domains of the best mixture
  bool *next;     // (D) to be tried
  double *w;      // (D) the best mixture
  double *tried;  // (D)
  double score;   // of w; INFINITY: none yet
  int left;       // how many may be tried
} choice;

// The lowest score within a set that has an interior point, from starts (n, D): w (D).
static rmx_status lowest_within(const choice *c, const rmx__feasible *set, const double *starts,
                                size_t n, double *w, double *score, rmx_err *err) {
  if (c->target) return rmx__search_within(c->fit, c->target, set, starts, n, w, score, err);
  RMX_TRY(rmx__feasible_nearest(set, c->prior, false, w, err));
  *score = rmx__divergence(w, c->prior, set->D);
  return RMX_OK;
}

// Whether there may be some of domain d.
static bool may_stay(const choice *c, size_t d) {
  return c->set->high[d] > 0 && c->set->high[d] >= rmx__least_weight(c->set->constraints, d);
}

// Makes c->next the domains of the best mixture, if a search within it lowers the score.
static rmx_status try_next(choice *c, rmx_err *err) {
  const size_t D = c->fit->D;
  RMX_OWNED_BY(rmx__feasible_release) rmx__feasible within = {0};
  bool found = true;
  double score, low = 0, high = 0;
  if (c->left-- <= 0) return RMX_OK;
  RMX_TRY(rmx__feasible_copy(&within, c->set, err));
  for (size_t d = 0; d < D; d++) {
    if (c->next[d])
      within.low[d] = fmax(within.low[d], rmx__least_weight(c->set->constraints, d));
    else if (c->set->constraints->low[d] > 0)
      return RMX_OK;
    else
      within.low[d] = within.high[d] = 0;
    if (within.low[d] > within.high[d]) return RMX_OK;
    low += within.low[d];
    high += within.high[d];
  }
  if (low > 1 + 1e-9 || high < 1 - 1e-9) return RMX_OK;
  rmx_err why = {0};
  rmx_status status = rmx__feasible_find_interior(&within, c->set->interior, &found, &why);
  if (status == RMX_OK && found)
    status =
        lowest_within(c, &within, isfinite(c->score) ? c->w : c->tried, 1, c->tried, &score, &why);
  if (status != RMX_OK && status != RMX_EINPUT) return *err = why, status;
  if (status != RMX_OK || !found || !(score < c->score - 1e-9 * (1 + fabs(score)))) return RMX_OK;
  c->score = score;
  memcpy(c->w, c->tried, D * sizeof *c->w);
  memcpy(c->in, c->next, D * sizeof *c->in);
  return RMX_OK;
}

// The neighbours of the best set: i and k are turned round, or i alone where they are one.
static rmx_status try_neighbours(choice *c, rmx_err *err) {
  const size_t D = c->fit->D;
  for (size_t i = 0; i < D; i++)
    for (size_t j = 0; j <= D && c->left > 0; j++) {
      const size_t a = c->order[i], b = j ? c->order[D - j] : a;
      const double before = c->score;
      if (j && (c->in[a] || !c->in[b])) continue;
      memcpy(c->next, c->in, D * sizeof *c->in);
      c->next[a] = !c->next[a];
      if (j) c->next[b] = false;
      RMX_TRY(try_next(c, err));
      if (c->score < before) return RMX_OK;
    }
  c->left = 0;
  return RMX_OK;
}

// Whether domain a comes before b: what must stay, then by w (D), in units of the least weight, and
// last what cannot stay.
static bool comes_first(const choice *c, const double *w, size_t a, size_t b) {
  const rmx_constraints *k = c->set->constraints;
  const double *low = k->low;
  if ((low[a] > 0) != (low[b] > 0)) return low[a] > 0;
  if (may_stay(c, a) != may_stay(c, b)) return may_stay(c, a);
  return w[a] * rmx__least_weight(k, b) > w[b] * rmx__least_weight(k, a);
}

// The largest weights of w (D), which ignores the rule: one of them, two, and so on.
static rmx_status try_largest(choice *c, const double *w, rmx_err *err) {
  const size_t D = c->fit->D;
  double least = 0;
  for (size_t i = 0; i < D; i++) {
    size_t k = i;
    for (; k > 0 && comes_first(c, w, i, c->order[k - 1]); k--) c->order[k] = c->order[k - 1];
    c->order[k] = i;
  }
  memset(c->next, 0, D * sizeof *c->next);
  for (size_t k = 0; k < D && c->left > 0; k++) {
    least += rmx__least_weight(c->set->constraints, c->order[k]);
    if (least > 1 + 1e-9) break;
    c->next[c->order[k]] = true;
    memcpy(c->tried, w, D * sizeof *w);
    RMX_TRY(try_next(c, err));
  }
  return RMX_OK;
}

// c->w (D) with all weights 0 or large enough, and its score (INFINITY: none is known), become the
// best that other choices of domains lead to. free_of_rule (D): the optimum without the rule.
static rmx_status choose_domains(choice *c, const double *free_of_rule, rmx_err *err) {
  const size_t D = c->fit->D;
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  c->order = rmx_arena_alloc(&arena, D, sizeof *c->order);
  c->in = rmx_arena_alloc(&arena, D, sizeof *c->in);
  c->next = rmx_arena_alloc(&arena, D, sizeof *c->next);
  c->tried = rmx_arena_alloc(&arena, D, sizeof *c->tried);
  if (!c->order || !c->in || !c->next || !c->tried)
    return rmx_fail_memory(err, D * sizeof *c->order, "a search");
  for (size_t d = 0; d < D && isfinite(c->score); d++) c->in[d] = c->w[d] > 1e-9;
  c->left = c->set->coarse ? MOST_TRIED_COARSE : MOST_TRIED;
  RMX_TRY(try_largest(c, free_of_rule, err));
  while (c->left > 0 && isfinite(c->score)) RMX_TRY(try_neighbours(c, err));
  return RMX_OK;
}

// The lowest score with the rule, from starts (n, D): c->w and c->score.
static rmx_status drop_from(choice *c, const double *starts, size_t n, rmx_err *err) {
  const size_t D = c->fit->D;
  RMX_OWNED_BY(rmx__feasible_release) rmx__feasible narrowed = {0};
  RMX_OWNED double *first = rmx_calloc(D, sizeof *first);
  if (!first) return rmx_fail_memory(err, D * sizeof *first, "a search");
  RMX_TRY(rmx__feasible_copy(&narrowed, c->set, err));
  rmx_status status = lowest_within(c, &narrowed, starts, n, c->w, &c->score, err);
  if (status != RMX_OK) return status;
  memcpy(first, c->w, D * sizeof *first);
  for (bool again = true; status == RMX_OK && again;) {
    status = rmx__feasible_drop(&narrowed, c->w, &again, err);
    if (status == RMX_OK && again)
      status = lowest_within(c, &narrowed, starts, n, c->w, &c->score, err);
  }
  if (status != RMX_OK && status != RMX_EINPUT) return status;
  if (status == RMX_EINPUT) c->score = INFINITY;  // err says why, if nothing else is found
  rmx_err other;
  const rmx_status chosen = choose_domains(c, first, &other);
  if (chosen != RMX_OK) return *err = other, chosen;
  return isfinite(c->score) ? RMX_OK : status;
}

rmx_status rmx__search(const rmx_fit *fit, const rmx_target *target, const rmx__feasible *set,
                       const double *starts, size_t n, double *w, double *score, rmx_err *err) {
  if (!(set->constraints->drop_below > 0))
    return rmx__search_within(fit, target, set, starts, n, w, score, err);
  choice c = {.fit = fit, .target = target, .set = set, .w = w, .score = INFINITY};
  const rmx_status status = drop_from(&c, starts, n, err);
  if (score) *score = c.score;
  return status;
}

rmx_status rmx__search_near_prior(const rmx_fit *fit, const rmx__feasible *set, const double *prior,
                                  double *w, rmx_err *err) {
  if (!(set->constraints->drop_below > 0)) return rmx__feasible_nearest(set, prior, false, w, err);
  choice c = {.fit = fit, .prior = prior, .set = set, .w = w, .score = INFINITY};
  return drop_from(&c, NULL, 0, err);
}
