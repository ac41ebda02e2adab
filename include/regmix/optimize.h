/* optimize.h: from fitted functions and a target to the mixture to train on.
 *
 * Uses: base, mixture, regress.
 */
#ifndef RMX_OPTIMIZE_H
#define RMX_OPTIMIZE_H

#include <math.h>
#include <regmix/base.h>
#include <regmix/regress.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rmx_optimize_options {
  /* "simulate": the recipe's; "search": by gradient, for functions that have one; "auto" (or NULL):
   * search where all of the target's have one */
  char *method;
  int64_t samples;    /* mixtures simulated: 100000 */
  int64_t top;        /* the mean of this many best is the optimum: 128 */
  double strength;    /* alpha = strength * prior (so sum alpha = strength): 1 */
  int64_t starts;     /* of a search: 16 */
  bool guard;         /* stay where the runs are: true */
  int64_t replicates; /* of the bootstrap behind every interval: 200; 0: no intervals */
  double level;       /* of the intervals: 0.9 */
} rmx_optimize_options;

/* ---- what is to be improved ------------------------------------------------ */

/* score(w) = sum_m weight_m * metric_m(w), to be minimised (a metric to be maximised has a negative
 * weight); or, of the worst case, score(w) = max_m |weight_m| * (metric_m(w) - base_m), turned
 * round for a negative weight, over the metrics that have one. In both, under sign_m * metric_m(w)
 * <= limit_m. */
typedef struct rmx_target {
  double *weight; /* (M) of the fit's metrics */
  bool worst;     /* the maximum, not the sum */
  double *base;   /* (M) */
  double *sign;   /* (M) -1 where higher is better, else 1 */
  double *limit;  /* (M) INFINITY: none */
} rmx_target;
/* A target without any weight, base or limit. */
rmx_status rmx_target_make(const rmx_fit *fit, rmx_target *out, rmx_err *err);
/* From what a user typed: each of `minimize` and `maximize` is NAME or NAME=WEIGHT (weight > 0, 1
 * if not given). NAME is one of `groups` (each NAME=METRIC,METRIC,..., its weight shared among them
 * equally) or a metric, found as by rmx_find_name; a metric named twice is RMX_EINPUT. A metric of
 * which higher is better (fit->higher_is_better) is maximised though it stands among `minimize`,
 * and that is told through the listener. Both empty: the fit's metrics, equally. */
rmx_status rmx_target_parse(const rmx_fit *fit, const rmx_strings *minimize,
                            const rmx_strings *maximize, const rmx_strings *groups,
                            const rmx_listener *listener, rmx_target *out, rmx_err *err);
/* "METRIC[=SLACK]" or "GROUP[=SLACK]": predicted no worse than at the mixture `than` (D), by more
 * than SLACK (0). */
rmx_status rmx_target_no_worse(const rmx_fit *fit, const char *text, const rmx_strings *groups,
                               const double *than, rmx_target *t, rmx_err *err);
/* Makes it the worst case relative to the mixture `than` (D). */
void rmx_target_worst(const rmx_fit *fit, const double *than, rmx_target *t);
/* The score of n rows of predicted metrics (n, M) into score (n); INFINITY where a limit is passed
 * by more than 1e-6. */
void rmx_target_score(const rmx_target *t, size_t M, const double *predicted, size_t n,
                      double *score);
void rmx_target_release(rmx_target *t);

/* ---- what a mixture must keep to ------------------------------------------- */

/* A set of domains that has a share of its own: low <= sum of its weights <= high. */
typedef struct rmx_share {
  char *name;
  bool *member; /* (D) */
  double low, high;
  char *text; /* as the user gave it, for messages */
} rmx_share;

typedef struct rmx_constraints {
  size_t D;
  double *low, *high;           /* (D) of each weight; both equal: the weight is fixed */
  char **low_text, **high_text; /* (D) what set them, for messages; NULL: nothing did */
  rmx_share *shares;            /* (n_shares) */
  size_t n_shares;
  double drop_below; /* a weight is 0 or at least this; 0: no such rule */
  double *reference; /* (D) or NULL: the mixture not to stray from */
  /* KL(w || reference) = sum_d w_d log(w_d / reference_d) <= max_kl nats; INFINITY: none */
  double max_kl;
  double kl_penalty; /* score(w) + kl_penalty * KL(w || reference); 0: none */
} rmx_constraints;
/* Weights from 0 to 1, nothing else. */
rmx_status rmx_constraints_make(size_t D, rmx_constraints *out, rmx_err *err);
void rmx_constraints_release(rmx_constraints *c);
typedef enum rmx_bound { RMX_FLOOR, RMX_CAP, RMX_FIX } rmx_bound;
/* "NAME=X" as the user typed it behind --floor, --cap or --fix. Where a bound is given twice the
 * tighter one counts. */
rmx_status rmx_constraints_bound(rmx_constraints *c, rmx_bound kind, const char *text,
                                 const char *const *domains, rmx_err *err);
/* "NAME=LOW..HIGH:domain,domain,...", either of LOW and HIGH may be left out; or "NAME=X:..." for
 * both. */
rmx_status rmx_constraints_share(rmx_constraints *c, const char *text, const char *const *domains,
                                 rmx_err *err);
/* w_d <= max_epochs * tokens_d / budget. */
rmx_status rmx_constraints_epochs(rmx_constraints *c, const double *tokens, double budget,
                                  double max_epochs, const char *const *domains, rmx_err *err);
/* w_d <= cap_d; `text` (a format with one %s, the domain) says in messages where that came from. */
rmx_status rmx_constraints_caps(rmx_constraints *c, const double *cap, const char *text,
                                const char *const *domains, rmx_err *err);
/* RMX_EINPUT where no mixture keeps them: names a smallest set that clashes. Metrics' limits are
 * not looked at. */
rmx_status rmx_constraints_check(const rmx_constraints *c, const char *const *domains,
                                 rmx_err *err);
/* The largest amount by which w (D) passes any of them, 0: it keeps them all. */
double rmx_constraints_excess(const rmx_constraints *c, const double *w);
/* {"floor":{domain:x},"cap":{},"share":{name:{"low","high","domains"}},
 *  "drop_below","max_kl","kl_penalty","reference"}, without the empty ones: a new reference. */
struct json_t *rmx_constraints_json(const rmx_constraints *c, const char *const *domains);

/* ---- the search ------------------------------------------------------------ */

/* Where a prior comes from: the mean mixture of the runs, the shares of the tokens that the corpus
 * has, or a file of the user's. A gain is counted from the prior, so every result says which it
 * is. */
typedef enum rmx_prior_kind { RMX_PRIOR_RUNS, RMX_PRIOR_CORPUS, RMX_PRIOR_FILE } rmx_prior_kind;

/* All that a search is asked. */
typedef struct rmx_problem {
  rmx_target target;
  rmx_constraints constraints;
  /* (D) what simulated mixtures are drawn around and the gain is counted from; NULL: the mean of
   * the runs */
  double *prior;
  rmx_prior_kind prior_kind; /* where it comes from */
  char prior_text[256];      /* the same in words: "the mean of the 24 runs" */
} rmx_problem;
/* No weight, no constraint, the mean mixture of the runs as prior. */
rmx_status rmx_problem_make(const rmx_fit *fit, rmx_problem *out, rmx_err *err);
/* Says where the prior comes from; file (NULL unless it is one) is its name. */
void rmx_problem_set_origin(rmx_problem *q, const rmx_fit *fit, rmx_prior_kind kind,
                            const char *file);
/* "runs", "corpus" or "file". */
const char *rmx_prior_kind_name(rmx_prior_kind kind);
void rmx_problem_release(rmx_problem *q);

typedef struct rmx_optimum {
  size_t D, M;
  double *mixture; /* (D) */
  /* (D) of "simulate": standard deviation over the best k; of "search": 0 */
  double *spread;
  double *predicted;         /* (M) at the mixture */
  double *predicted_prior;   /* (M) at the prior */
  double score, score_prior; /* less the penalty of the divergence */
  /* the lowest predicted score among the runs of the fit, whatever the constraints */
  double best_run_score;
  double distance;         /* L1 distance to the nearest run, halved: share of tokens that differ */
  double typical_distance; /* median over runs of the same to their nearest neighbour */
  bool outside;            /* some weight lies outside the range the runs covered */
  char outside_domains[256]; /* their names, comma between; cut off at whole names */
  bool *outside_domain;      /* (D) which */
  bool far;                  /* distance is over twice the typical one */
  const char *method;        /* static text */
  int64_t samples, top;      /* of "simulate", as asked */
  /* samples that no draw brought under the constraints, so a projection did */
  int64_t projected;
  int64_t starts; /* of "search": how many were tried */
  bool guarded;   /* was held where the runs are */
  /* of "search", held there: the best without the guard; NaN: not known */
  double unguarded_score;
  bool convex; /* the fitted score is convex on the feasible set */
  double gap;  /* no mixture allowed scores lower by more than this; NaN: not known */
  /* root mean square error of the score so far from the runs; NaN: not known */
  double expected_error;
  size_t mixtures; /* different ones among the runs */
  double r2;       /* of the target's score out of fold; NaN: not known */
  bool learnt;     /* the fit says something of the target; */
  /* else what is wrong: then the optimum is the prior, and method "prior" */
  char why_not[256];
} rmx_optimum;

/* The mixture with the lowest score among those allowed, by options->method:
 *   simulate  draws options->samples mixtures from Dirichlet(strength * prior) and averages the
 *             best `top`. A sample that breaks a constraint is drawn again, up to 20 times, then
 *             the last one is brought inside. Memory does not grow with samples.
 *   search    descends the gradient from options->starts mixtures (SLSQP), for functions that
 *             have one: trees are RMX_EINPUT. Where the score is convex the optimum is exact up
 *             to `gap`.
 * The optimum keeps every constraint to 1e-6. Where no mixture can, this is RMX_EINPUT, and the
 * message names a smallest set of constraints that exclude each other.
 *
 * With options->guard the weights stay within the range that the runs covered, and the mixture
 * within twice the typical distance of a run. Where the constraints leave nothing there, a warning
 * says so and the guard is dropped. With the guard a fit that predicts unseen runs no better than
 * their mean (r2 <= 0) is not used: the answer is the prior, projected into the constraints, with a
 * warning. For a flat function, or runs of one mixture, this is so without the guard too. A warning
 * is given where the optimum lies outside what the runs covered, or far from all of them. The
 * answer is the same on any number of threads. */
rmx_status rmx_optimize(const rmx_fit *fit, const rmx_problem *problem,
                        const rmx_optimize_options *options, uint64_t seed, int threads,
                        const rmx_listener *listener, rmx_optimum *out, rmx_err *err);
void rmx_optimum_release(rmx_optimum *o);
/* {"mixture":{domain:weight},"predicted":{metric:value},...}: a new reference. */
struct json_t *rmx_optimum_json(const rmx_optimum *o, const rmx_fit *fit);

/* What the gain costs: metrics predicted worse at the optimum than at the prior, by more than a
 * thousandth of their standard deviation over the runs, in the direction that the target's sign
 * says. A target of one metric is left out. */
typedef struct rmx_worse {
  size_t n, of;   /* so many of so many metrics */
  bool others;    /* those are the metrics beside the target's only one; else all there are */
  size_t *metric; /* (n) the worst first, in units of that deviation */
  double *by;     /* (n) above 0, in the metric's own unit */
} rmx_worse;
rmx_status rmx_optimum_worse(const rmx_optimum *o, const rmx_fit *fit, const rmx_target *target,
                             rmx_worse *out, rmx_err *err);
void rmx_worse_release(rmx_worse *w);

/* The table of methods: name and one line of help each. Returns how many; either may be NULL. */
size_t rmx_optimize_methods(const char *names[], const char *help[], size_t max);

/* The front of two metrics: mixtures of which none is better in both. */
typedef struct rmx_front {
  size_t n, D, M;
  size_t a, b; /* the two metrics */
  /* (n) weight of the first metric's score, the other has 1 - share; both in units of their
   * range */
  double *share;
  double *mixture;   /* (n, D) */
  double *predicted; /* (n, M) */
} rmx_front;
/* Searches `points` (2 or more) weightings of metrics a and b, from b alone to a alone; dominated
 * points are left out. The problem's target is not used, but its limits are. */
rmx_status rmx_pareto(const rmx_fit *fit, const rmx_problem *problem, size_t a, size_t b,
                      size_t points, const rmx_optimize_options *options, uint64_t seed,
                      int threads, const rmx_listener *listener, rmx_front *out, rmx_err *err);
void rmx_front_release(rmx_front *f);
/* [{"share","metrics":[a, b],"mixture":{},"predicted":{}}]: a new reference. */
struct json_t *rmx_front_json(const rmx_front *f, const rmx_fit *fit);

#ifdef __cplusplus
}
#endif
#endif
