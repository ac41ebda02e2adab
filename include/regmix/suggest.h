/* suggest.h: which mixtures to train next, and whether more runs are worth it. Part of the door of
 * the room `optimize`.
 */
#ifndef RMX_SUGGEST_H
#define RMX_SUGGEST_H

#include <regmix/base.h>
#include <regmix/optimize.h>
#include <regmix/regress.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the next runs ---------------------------------------------------------- */

/* Why a mixture is proposed. */
typedef enum rmx_suggest_why {
  RMX_SUGGEST_IMPROVES, /* it may be better than the best there is */
  RMX_SUGGEST_UNTRIED,  /* it goes where no two runs differ */
  /* the runs teach nothing about the score: the batch leaves the smallest total variance */
  RMX_SUGGEST_SPREADS,
} rmx_suggest_why;

typedef struct rmx_suggestion {
  size_t K, D;
  double *mixtures;  /* (K, D) */
  double *predicted; /* (K) the target's score; NaN with too few runs */
  double *sd;        /* (K) its standard deviation; NaN there */
  /* (K) expected, on the best of the runs and of the suggestions before; NaN there */
  double *improvement;
  rmx_suggest_why *why; /* (K) */
  char **ids;           /* (K) names that continue those of the runs */
  size_t runs;          /* that have all metrics of the target */
  double best;          /* predicted score of the best of them; NaN where there are too few */
  /* directions in which no two runs differ, though they could; at least that many runs are needed
   * */
  size_t untried;
  /* "c" (in no run), "a with b" (always in the same proportion); comma between, cut off */
  char untried_domains[256];
  char why_not[256]; /* why the runs teach nothing about the target; "": they teach something */
} rmx_suggestion;

/* The request. Fields that are left out have their defaults. All is borrowed. */
typedef struct rmx_suggest_request {
  const rmx_fit *fit;         /* NULL: there are no runs yet */
  const char *const *domains; /* (D) names, where fit is NULL */
  const rmx_problem *problem;
  const double *pending; /* (n_pending, D) mixtures chosen before whose metrics are not known yet */
  size_t n_pending;
  const char *const *taken; /* (n_taken) names in use, beside those of the runs */
  size_t n_taken;
  int64_t runs;       /* K mixtures wanted; 0: 8 */
  int64_t candidates; /* mixtures they are chosen from; 0: 4096, or 4 K if that is more */
  double grid;        /* weights are multiples of it; 0: 2e-4 */
  uint64_t seed;
  int threads;                  /* 0: 1 */
  const rmx_listener *listener; /* NULL: none */
} rmx_suggest_request;
/* The next mixtures to train. Low scores of problem->target are sought among mixtures that keep
 * problem->constraints: around problem->prior (NULL: the mean mixture of the runs, with a share for
 * domains that no run has), around the best runs, and around the lowest predictions. Uncertainty
 * comes from a Gaussian process fitted to the scores; the mean averages the process and the fit.
 * Without runs, which needs a prior, with fewer than 5 of them, or where the fit has learnt nothing
 * about the target (as of rmx_optimize()), the mixtures are spread out.
 * No mixture is proposed that is pending or a run.
 *
 * The answer depends on seed and data, not on threads. Release *out. RMX_EINPUT where the
 * constraints leave no mixture, or where the fit does not hold its runs. Cost: one fit of a
 * Gaussian process where the fit has none, then O(candidates (N + K) N). */
rmx_status rmx_suggest(const rmx_suggest_request *request, rmx_suggestion *out, rmx_err *err);
/* run, one column a domain: as mixtures.csv. */
rmx_status rmx_suggestion_table(const rmx_suggestion *s, const char *const *domains, rmx_table *out,
                                rmx_err *err);
/* {"suggestions":[{"run","mixture":{},"predicted","sd","improvement","why"}],
 *  "runs","best","untried":{"directions","domains"},"why_not"}: a new reference. */
struct json_t *rmx_suggestion_json(const rmx_suggestion *s, const char *const *domains);
void rmx_suggestion_release(rmx_suggestion *s);

/* ---- are there enough runs? --------------------------------------------------- */

typedef struct rmx_learning_curve {
  size_t n;         /* sizes; 0 with too few runs */
  int64_t *runs;    /* (n) number of runs fitted */
  double *rmse;     /* (n) of the target's score on runs not fitted to: median over resamples */
  double *spearman; /* (n) the same; NaN: undefined */
  /* (n) true score of the run predicted best less the best, of the runs not fitted to: mean */
  double *regret;
  double floor, drop, power; /* rmse(N) = floor + drop * N^-power, fitted to these */
  int64_t runs_now;          /* that have all metrics of the target */
  double rmse_now;           /* by that curve */
  int64_t more_runs;
  double rmse_more; /* by that curve, with more_runs more */
  /* of the score at the optimum that the constraints and limits allow, from more_runs more runs;
   * NaN with too few runs, or where no such mixture was found */
  double expected_gain;
  bool enough;        /* that is less than the gain worth a run */
  char sentence[256]; /* all of it, for people */
} rmx_learning_curve;

/* What `more` (0: as many again) more runs, drawn as the present ones were, would bring. Subsets of
 * the fit's runs, by replicate group, are fitted with the chosen settings kept, and scored on the
 * same quarter of the runs left out. The gain is what the Gaussian process expects at its
 * minimum (src/optimize/suggest/expected_gain.c). With fewer than 20 different mixtures, the
 * sentence is about that. It uses the fit, the problem's target, seed, threads and listener of the
 * request. The same on any number of threads. Release *out. RMX_EINPUT where the fit does not hold
 * its runs. Cost: about 60 fits a metric of the target, fewer where there are many. */
rmx_status rmx_learning_curve_make(const rmx_optimize_request *request, int64_t more,
                                   rmx_learning_curve *out, rmx_err *err);
/* {"runs":[],"rmse":[],"spearman":[],"regret":[],"runs_now","rmse_now","more_runs","rmse_more",
 *  "expected_gain","enough","sentence"}; null with too few runs. A new
 * reference. */
struct json_t *rmx_learning_curve_json(const rmx_learning_curve *c);
void rmx_learning_curve_release(rmx_learning_curve *c);

#ifdef __cplusplus
}
#endif
#endif
