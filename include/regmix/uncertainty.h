/* uncertainty.h: how sure an optimum is, and what each domain does for it. Part of the door of the
 * room `optimize`.
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

/* A mixture that the optimum is compared with. */
typedef struct rmx_rival {
  const char *name;
  const double *mixture; /* (D) */
  /* The same fit found it as its answer to another question: its optimum for a smaller size. What
   * the fit predicts for it is as optimistic as what it predicts for the optimum, so the gain over
   * it is not corrected. */
  bool found;
} rmx_rival;

/* The optimum against a given mixture. */
typedef struct rmx_versus {
  char *name;
  double *mixture; /* (D) */
  /* the score predicted there; the predicted gain: that minus the optimum's score */
  double score, gain;
  /* the gain, corrected for the optimism of a minimum of noisy predictions; in the interval */
  double estimate;
  double low, high;   /* interval of the gain */
  double probability; /* that it is above 0 */
  bool found;         /* see rmx_rival */
  bool same;          /* it is the optimum's own mixture: nothing is compared, all gains are 0 */
} rmx_versus;

typedef struct rmx_uncertainty {
  size_t D;
  double level; /* of every interval: 0.9 */
  /* used; fewer than requested if some had no mixture that keeps the target's limits */
  int64_t replicates;
  double *low, *high; /* (D) interval of each weight of the best mixture */
  /* (D) whether the interval ends at an end of the range of the runs, where the guard holds the
   * weight, or beyond it */
  bool *cut_low, *cut_high;
  /* the share of the draws whose best mixture is as far from the runs as the guard allows the
   * answer to be, or farther */
  double at_distance_limit;
  double *best;       /* (replicates, D) the best mixture of each draw, from which they come */
  rmx_versus *versus; /* (n_versus) the prior first */
  size_t n_versus;
} rmx_uncertainty;

/* Intervals of options->level from options->replicates functions f_b, drawn from the posterior over
 * loss functions (src/regress/gp/posterior.c). For each draw:
 *   weights  the best mixture w_b of f_b under the problem's constraints is searched, up to twice
 *            as far from the runs as the guard allows. The quantiles of its weights, with the
 *            optimum's own, are the intervals of the weights.
 *   gain     runs are simulated from f_b, as noisy as the real ones, and fitted; v_b is the optimum
 *            of that fit. The gain that the fit predicts for v_b, less its gain by f_b, is the
 *            error of such a prediction. The interval of the gain is the prediction less the
 *            quantiles of that error; its median is the corrected estimate.
 * Draws of several metrics are correlated as their errors out of fold are.
 * What the problem wants no worse than at problem->than is so by each function itself.
 *
 * against (n): more mixtures to compare the optimum with. Of one that the fit found, the error is
 * that of the difference between the two mixtures themselves, less its median. The answer is the
 * same on any number of threads. Release *out. RMX_EINPUT where the fit does not hold its runs, or
 * has fewer than 5 different mixtures. Cost: two searches and a refit a metric, for each
 * replicate. */
rmx_status rmx_uncertainty_make(const rmx_optimize_request *request, const rmx_optimum *optimum,
                                const rmx_rival *against, size_t n, rmx_uncertainty *out,
                                rmx_err *err);
/* Adds "level", "replicates", "interval", "interval_cut" ("low", "high", "distance"), "gain"
 * ("predicted", "estimate", "interval") and "versus" ("score", "gain", "estimate", "interval",
 * "probability", "verdict") to the tree of the optimum. */
rmx_status rmx_uncertainty_json(const rmx_uncertainty *u, const rmx_fit *fit, struct json_t *into,
                                rmx_err *err);
/* The intervals of n totals of domains: share (n, D) is the share of each domain that counts in
 * each total, w (D) the optimum, whose totals are inside. low, high (n). Cost: O(replicates n D).
 */
rmx_status rmx_uncertainty_totals(const rmx_uncertainty *u, const double *w, const double *share,
                                  size_t n, double *low, double *high, rmx_err *err);
void rmx_uncertainty_release(rmx_uncertainty *u);
/* "better", "worse", "not clearly better" where the interval of the gain includes 0, or "the same
 * mixture". */
const char *rmx_versus_verdict(const rmx_versus *v);

/* ---- attribution ---------------------------------------------------------------- */

typedef struct rmx_attribution {
  size_t D, M;
  /* (M, D) change of the metric when 1 % of the tokens moves from all to the domain */
  double *at_prior, *at_optimum;
  /* (D) best score with the domain's weight held at 0, or under the guard at the smallest weight in
   * a run; NaN if that is not allowed */
  double *without;
  double *loss; /* (D) that minus the best score, by the same search */
} rmx_attribution;

/* What each domain does to each metric, and what the optimum would lose without it. Release *out.
 * Errors: RMX_ENOMEM, RMX_EINTERRUPTED. Cost: D searches. */
rmx_status rmx_attribution_make(const rmx_optimize_request *request, const rmx_optimum *optimum,
                                rmx_attribution *out, rmx_err *err);
/* {"prior":{metric:{domain:x}},"optimum":{},"without":{domain:{"score","loss"}}}: a new
 * reference. */
struct json_t *rmx_attribution_json(const rmx_attribution *a, const rmx_fit *fit);
void rmx_attribution_release(rmx_attribution *a);

#ifdef __cplusplus
}
#endif
#endif
