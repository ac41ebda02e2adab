/* suggest.h: which mixtures to train next, and whether more are worth their while. A second door of
 * the room `optimize`.
 *
 * Uses: base, mixture, regress, optimize.
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

typedef struct rmx_suggest_options {
  int64_t runs;       /* K mixtures wanted: 8 */
  int64_t candidates; /* mixtures they are chosen from: 4096 */
  double grid;        /* weights are multiples of it: 2e-4 */
} rmx_suggest_options;
extern const rmx_suggest_options rmx_suggest_defaults;

/* Why a mixture is proposed. */
typedef enum rmx_suggest_why {
  RMX_SUGGEST_IMPROVES, /* it may be better than the best there is */
  RMX_SUGGEST_UNTRIED,  /* it goes where no two runs differ */
  /* there are too few runs to tell: all of them together leave least unknown */
  RMX_SUGGEST_SPREADS,
} rmx_suggest_why;

typedef struct rmx_suggestion {
  size_t K, D;
  double *mixtures;  /* (K, D) */
  double *predicted; /* (K) the target's score; NaN where there are too few runs */
  double *sd;        /* (K) how sure; NaN there */
  /* (K) expected, on the best of the runs and of the suggestions before; NaN there */
  double *improvement;
  rmx_suggest_why *why; /* (K) */
  char **ids;           /* (K) names that go on after those there are */
  size_t runs;          /* that have all metrics of the target */
  double best;          /* predicted score of the best of them; NaN where there are too few */
  /* directions in which no two runs differ, though they might: as many runs are needed at least */
  size_t untried;
  /* "c" (in no run), "a with b" (always in the same proportion); comma between, cut off */
  char untried_domains[256];
} rmx_suggestion;

/* The next options->runs mixtures to train. The lowest score of problem->target is looked for
 * among mixtures that keep problem->constraints and lie around problem->prior (NULL: the mean
 * mixture of the runs, with a share for domains that no run has), around the best runs and around
 * what is predicted best. fit may be NULL where there are no runs yet: `domains` are the names
 * then, and the prior is needed; with fewer than 5 runs too the mixtures are spread out. How sure
 * one may be is said by a Gaussian process on the score; the prediction is the process' and the
 * fit's.
 *
 * pending (n_pending, D): mixtures chosen before whose metrics are not known yet. None is proposed
 * that is pending or a run. `taken` (n_taken): further names that are given away.
 *
 * The answer depends on seed and data, not on threads. RMX_EINPUT where the constraints leave no
 * mixture, or where the fit does not hold its runs. Cost: one fit of a Gaussian process where the
 * fit has none, then O(candidates (N + K) N). */
rmx_status rmx_suggest(const rmx_fit *fit, const char *const *domains, const rmx_problem *problem,
                       const double *pending, size_t n_pending, const char *const *taken,
                       size_t n_taken, const rmx_suggest_options *options, uint64_t seed,
                       int threads, const rmx_listener *listener, rmx_suggestion *out,
                       rmx_err *err);
/* run, one column a domain: as mixtures.csv. */
rmx_status rmx_suggestion_table(const rmx_suggestion *s, const char *const *domains, rmx_table *out,
                                rmx_err *err);
/* {"suggestions":[{"run","mixture":{},"predicted","sd","improvement","why"}],
 *  "runs","best","untried":{"directions","domains"}}: a new reference. */
struct json_t *rmx_suggestion_json(const rmx_suggestion *s, const char *const *domains);
void rmx_suggestion_release(rmx_suggestion *s);

/* The same choice among n given mixtures X (n, D), such as runs known already that are replayed:
 * which k to take next, chosen (k), in order. `fitted`: a gp or an ensemble, fitted to `known`.
 * Returns in *n_chosen fewer where n < k. */
rmx_status rmx_suggest_among(const rmx_regressor *fitted, const rmx_dataset *known, const double *X,
                             size_t n, size_t k, size_t *chosen, size_t *n_chosen, rmx_err *err);

/* ---- are there enough runs? --------------------------------------------------- */

typedef struct rmx_learning_curve {
  size_t n;         /* sizes; 0 where there are too few runs to tell */
  int64_t *runs;    /* (n) fitted to so many */
  double *rmse;     /* (n) of the target's score on runs not fitted to: median over resamples */
  double *spearman; /* (n) the same; NaN where it cannot be said */
  /* (n) true score of the run predicted best less the best, of the runs not fitted to: mean */
  double *regret;
  double floor, drop, power; /* rmse(N) = floor + drop * N^-power, fitted to these */
  int64_t runs_now;          /* that have all metrics of the target */
  double rmse_now;           /* by that curve */
  int64_t more_runs;
  double rmse_more; /* by that curve, with so many more */
  /* of the score at the optimum, from so many more runs; NaN where there are too few to tell */
  double expected_gain;
  bool enough;        /* that is less than the gain worth a run */
  char sentence[256]; /* all of it, for people */
} rmx_learning_curve;

/* What `more` (0: as many again) more runs, drawn as these were, would bring. Subsets of the fit's
 * runs, by replicate group, are fitted with what was chosen kept, and scored on the same quarter of
 * the runs left out. The gain is what the Gaussian process expects of its own minimum
 * (learning_curve.c). With fewer than 20 different mixtures the sentence says so. The same on any
 * number of threads. Cost: about 60 fits a metric of the target, fewer where there are many. */
rmx_status rmx_learning_curve_make(const rmx_fit *fit, const rmx_target *target, int64_t more,
                                   uint64_t seed, int threads, const rmx_listener *listener,
                                   rmx_learning_curve *out, rmx_err *err);
/* {"runs":[],"rmse":[],"spearman":[],"regret":[],"runs_now","rmse_now","more_runs","rmse_more",
 *  "expected_gain","enough","sentence"}; null where there are too few runs to tell: a new
 * reference. */
struct json_t *rmx_learning_curve_json(const rmx_learning_curve *c);
void rmx_learning_curve_release(rmx_learning_curve *c);

#ifdef __cplusplus
}
#endif
#endif
