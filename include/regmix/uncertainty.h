/* uncertainty.h: how sure an optimum is, and what each domain does for it. A third door of the room
 * `optimize`.
 *
 * Uses: base, mixture, regress, optimize.
 */
#ifndef RMX_UNCERTAINTY_H
#define RMX_UNCERTAINTY_H

#include <regmix/base.h>
#include <regmix/optimize.h>
#include <regmix/regress.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- intervals ----------------------------------------------------------------- */

/* The optimum against a given mixture. */
typedef struct rmx_versus {
  char *name;
  double *mixture; /* (D) */
  /* predicted there; what the optimum is predicted to save: that minus the optimum's */
  double score, gain;
  /* the gain corrected for how much too good such a promise is: the headline; in the interval */
  double estimate;
  double low, high;   /* interval of the gain */
  double probability; /* that it is above 0 */
} rmx_versus;

typedef struct rmx_uncertainty {
  size_t D;
  double level; /* of every interval: 0.9 */
  /* behind them; fewer than asked where some had no mixture that keeps the target's limits */
  int64_t replicates;
  double *low, *high; /* (D) interval of each weight of the best mixture */
  rmx_versus *versus; /* (n_versus) the prior first */
  size_t n_versus;
} rmx_uncertainty;

/* Intervals of options->level by options->replicates functions drawn from what the runs leave open
 * (src/regress/gp/posterior.c). For each draw f_b the best mixture w_b under the problem's
 * constraints is searched: its weights' quantiles, with the optimum's own, are the intervals of the
 * weights. Then runs are made from f_b, as noisy as the real ones, fitted, and the optimum v_b of
 * that fit is found; what the fit promises it to gain, less what it really gains by f_b, is how
 * much such a promise is wrong, and the interval of the gain is the promise less the quantiles of
 * that; its median is the corrected estimate. So it knows that the best of many noisy predictions
 * is too good to be true.
 *
 * against (n): further mixtures (D) the optimum is set against, with names. The answer is the same
 * on any number of threads. RMX_EINPUT where the fit does not hold its runs, or has fewer than 5
 * different mixtures. Cost: two searches and a refit a metric, for each replicate. */
rmx_status rmx_uncertainty_make(const rmx_fit *fit, const rmx_problem *problem,
                                const rmx_optimum *optimum, const rmx_optimize_options *options,
                                const char *const *names, const double *const *against, size_t n,
                                uint64_t seed, int threads, const rmx_listener *listener,
                                rmx_uncertainty *out, rmx_err *err);
/* Adds "level", "replicates", "interval", "gain" ("predicted", "estimate", "interval") and "versus"
 * ("score", "gain", "estimate", "interval", "probability", "verdict") to the tree of the
 * optimum. */
rmx_status rmx_uncertainty_json(const rmx_uncertainty *u, const rmx_fit *fit, struct json_t *into,
                                rmx_err *err);
void rmx_uncertainty_release(rmx_uncertainty *u);
/* "better", "worse", or "not clearly better" where the interval of the gain includes 0. */
const char *rmx_versus_verdict(const rmx_versus *v);

/* ---- attribution ---------------------------------------------------------------- */

typedef struct rmx_attribution {
  size_t D, M;
  /* (M, D) change of the metric when 1 % of the tokens moves from all to the domain */
  double *at_prior, *at_optimum;
  /* (D) best score with the domain's weight held at 0, or under the guard at the least that a run
   * has of it; NaN where that may not be */
  double *without;
  double *loss; /* (D) that minus the best score, by the same search */
} rmx_attribution;

/* What each domain does to each metric, and what the optimum would lose without it. Cost: D
 * searches. */
rmx_status rmx_attribution_make(const rmx_fit *fit, const rmx_problem *problem,
                                const rmx_optimum *optimum, const rmx_optimize_options *options,
                                uint64_t seed, int threads, rmx_attribution *out, rmx_err *err);
/* {"prior":{metric:{domain:x}},"optimum":{},"without":{domain:{"score","loss"}}}: a new
 * reference. */
struct json_t *rmx_attribution_json(const rmx_attribution *a, const rmx_fit *fit);
void rmx_attribution_release(rmx_attribution *a);

#ifdef __cplusplus
}
#endif
#endif
