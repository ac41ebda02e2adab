/* mixture.h: points on the simplex over the domains, and how random ones are drawn.
 *
 * Uses: base.
 *
 * A mixture w (D) is the share of training *tokens* from each domain: w_d >= 0, sum w = 1.
 */
#ifndef REGMIX_MIXTURE_H
#define REGMIX_MIXTURE_H

#include <regmix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Checks weights (D) as a user gave them: finite, not negative, sum within `slack` of 1
 * (0.01 by convention); then divides by the sum. `where` ("m.csv:12") heads the message. */
rmx_status rmx_mixture_check(double *w, size_t D, const char *const *names, double slack, const char *where,
                             rmx_err *err);
/* Divides by the sum; RMX_ENUMERIC where that is not a positive number. */
rmx_status rmx_mixture_normalise(double *w, size_t D, rmx_err *err);
/* prior_d = tokens_d / sum tokens. */
void rmx_mixture_prior(const double *tokens, size_t D, double *prior);
/* out_d = p_d^exponent / sum: an exponent below 1 tempers a mixture towards uniform; 0 stays 0. */
void rmx_mixture_temper(const double *p, size_t D, double exponent, double *out);
/* Draws from Dirichlet(alpha) (D); some alpha may be 0 (the weight is then 0), not all. Works for
 * shapes far below 1 (gamma numbers are drawn in logarithms). */
void rmx_dirichlet(rmx_rng *rng, const double *alpha, size_t D, double *w);
/* The mixture nearest to w (in Kullback-Leibler divergence) that keeps the caps: w_d <- min(cap_d, scale *
 * w_d) with the one scale that makes the sum 1. Where all weights that are not 0 stand at their caps, the
 * rest goes to the others in proportion to their caps. Needs sum cap >= 1. Cost O(D^2) at worst. */
void rmx_mixture_cap(double *w, const double *cap, size_t D);

/* Reads one mixture: YAML map `domain: weight` (at top, or under `mixture:`/`train:` as in the
 * authors' files), JSON the same, CSV with columns domain,weight or with one row. Domains not
 * named get 0; unknown ones are an error. w (D). */
rmx_status rmx_mixture_read(const char *path, const char *const *names, size_t D, double *w, rmx_err *err);
json_t *rmx_mixture_json(const double *w, const char *const *names, size_t D); /* new reference */

/* The recipe of RegMix for random mixtures (../../docs/method.md; RegMix code, synthesize_mixture.py):
 * temper the prior, Dirichlet at log-spaced strengths, caps, a grid. */
typedef struct rmx_sample_options {
  int64_t runs;                      /* N mixtures wanted */
  double temper;                     /* exponent on the prior before drawing: 0.5 */
  double min_strength, max_strength; /* 0.1 .. 5.0 */
  int64_t strengths;                 /* log-spaced steps between them: 15 */
  int64_t tries;                     /* candidates per mixture wanted: 100 */
  double grid;                       /* weights are multiples of it, smaller ones are 0: 2e-4 */
  double cap_ratio;    /* weight_d <= min(cap_ratio * prior_d, 1), where no budget is known: 15 */
  double max_epochs;   /* with a budget: weight_d <= max_epochs * tokens_d / budget: 4 */
  double min_coverage; /* each feasible domain is non-zero in this share of the mixtures: 0.1 */
} rmx_sample_options;

/* Draws options->runs mixtures. prior (D); cap (D) upper bounds (rmx_sample_caps). out (N, D).
 * Every returned row keeps its caps, lies on the grid, and differs from all others (so by 2 grid steps in L1
 * at least); each domain that can be non-zero (prior > 0, cap >= grid) is so in ceil(min_coverage * N) rows
 * or more. The first N distinct accepted candidates are kept, which is a random choice of N among all of
 * them. Where the caps reject too many, candidates are brought under them (rmx_mixture_cap). Coverage: a
 * Dirichlet vector given w_d in [lo, hi] is a truncated Beta w_d and, independent of it, the rest scaled by 1
 * - w_d; so rows without a domain that is short of coverage are given a w_d drawn so, and the rest of the row
 * is scaled down. A request that cannot be met is RMX_EINPUT and says which bound to loosen. */
rmx_status rmx_sample_mixtures(const rmx_sample_options *options, const double *prior, const double *cap,
                               const char *const *names, size_t D, uint64_t seed, double *out, rmx_err *err);
/* Which domains every sample leaves at 0, because the prior is 0 or the cap is below the grid:
 * excluded (D) or NULL; returns how many. For a warning to the user. */
size_t rmx_sample_excluded(const rmx_sample_options *options, const double *prior, const double *cap,
                           size_t D, bool *excluded);
/* cap_d = min(1, max_epochs * tokens_d / budget) with a budget > 0, else min(1, cap_ratio * prior_d). */
void rmx_sample_caps(const rmx_sample_options *options, const double *prior, const double *tokens,
                     double budget, size_t D, double *cap);

#ifdef __cplusplus
}
#endif
#endif
