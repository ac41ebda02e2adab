/* optimize.h: from fitted functions and a target to the mixture to train on. It includes
 * uncertainty.h (how sure that mixture is) and suggest.h (which runs to train next): one door.
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

/* ---- options: one table for the config, the command line, help and defaults -------------- */

/* How the search is done. */
typedef struct rmx_optimize_options {
  /* "simulate": the recipe's; "search": by gradient, for functions that have one; "auto" (or NULL):
   * search where all of the target's have one */
  char *method;
  int64_t samples;    /* mixtures simulated: 100000 */
  int64_t top;        /* the mean of this many best is the optimum: 128 */
  double strength;    /* alpha = strength * prior (so sum alpha = strength): 1 */
  int64_t starts;     /* of a search: 16 */
  bool guard;         /* stay where the runs are: true */
  int64_t replicates; /* of the bootstrap for the intervals: 200; 0: no intervals */
  double level;       /* coverage of the intervals: 0.9 */
} rmx_optimize_options;

/* What the optimum must keep, as text: see rmx_constraints and rmx_target. */
typedef struct rmx_problem_options {
  rmx_strings floor, cap, fix, share; /* DOMAIN=WEIGHT, NAME=LOW..HIGH:DOMAIN,... */
  rmx_strings ordered;                /* A<B<C */
  rmx_strings metric_group;           /* NAME=METRIC,... */
  rmx_strings no_worse;               /* METRIC[=SLACK], than under `than` */
  char *than, *reference;             /* mixture files; NULL: the prior */
  char *scale; /* "SIZE,TOKENS" to answer for, see rmx_fit_for_text(); NULL */
  bool worst;  /* the worst of the target's metrics, relative to `than` */
  double drop_below, max_kl, kl_penalty;
  char *weigh;       /* the metrics of the target: "equal" or "signal" */
  double min_signal; /* metrics with less signal to noise are left out of it */
} rmx_problem_options;

typedef struct rmx_search_options {
  rmx_optimize_options how;
  rmx_problem_options problem;
} rmx_search_options;
/* Of an rmx_search_options: "samples", "max_kl", ... The config has them as optimize.max_kl, the
 * command line as --max-kl. */
extern const rmx_option rmx_search_option_table[];
extern const size_t rmx_search_option_table_n;

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
  /* (M) how far beyond its limit a metric may be: 1e-6, or a millionth of the range of its values
   * if that is less; NULL: 1e-6 for all */
  double *slack;
  int *group; /* (M) the group that it was named by, from 1; 0: by itself */
  /* what rmx_target_weigh() did: the metrics that it left out (M), and whether all were too weak */
  bool *left_out, too_weak;
  double min_signal; /* that was wanted; 0: none */
  bool by_signal;    /* the score is in standard deviations */
  bool by_luck; /* metrics were left out, and what the others show may be their luck: the prior is
                 * the optimum */
} rmx_target;
/* A target without any weight, base or limit. */
rmx_status rmx_target_make(const rmx_fit *fit, rmx_target *out, rmx_err *err);
/* From what a user typed: each of `minimize` and `maximize` is NAME or NAME=WEIGHT (weight > 0, 1
 * if not given). NAME is one of `groups` (each NAME=METRIC,METRIC,..., its weight shared among them
 * equally) or a metric, found as by rmx_find_name; a metric named twice is RMX_EINPUT. A metric of
 * which higher is better (fit->higher_is_better) is maximised even among `minimize`, with a
 * note. Both empty: the fit's metrics, equally. */
rmx_status rmx_target_parse(const rmx_fit *fit, const rmx_strings *minimize,
                            const rmx_strings *maximize, const rmx_strings *groups,
                            const rmx_listener *listener, rmx_target *out, rmx_err *err);
/* "METRIC[=SLACK]" or "GROUP[=SLACK]": predicted no worse than at the mixture `than` (D), by more
 * than SLACK (0). */
rmx_status rmx_target_no_worse(const rmx_fit *fit, const char *text, const rmx_strings *groups,
                               const double *than, rmx_target *t, rmx_err *err);
/* Leaves out the metrics whose signal to noise (rmx_diagnostics) is below min_signal, with a
 * warning that names them; if that were all of them, the target stays and is `too_weak`, and the
 * prior is its optimum. by_signal: metrics without any signal are left out so too, and each other
 * one counts in units of its standard deviation over the runs, times the share of its variance
 * that is signal, q^2 / (1 + q^2) of the signal to noise q. What a group weighs as a whole stays
 * as it is; by_signal, so does what the metrics outside of groups weigh together. If the metrics
 * that are left show no more than the luck of the best of that many, it is `by_luck`. A target of
 * metrics of different kinds gets a note if it is not by signal.
 */
rmx_status rmx_target_weigh(const rmx_fit *fit, bool by_signal, double min_signal,
                            const rmx_listener *listener, rmx_target *t, rmx_err *err);
/* Makes it the worst case relative to the mixture `than` (D). */
void rmx_target_worst(const rmx_fit *fit, const double *than, rmx_target *t);
/* The score of n rows of predicted metrics (n, M) into score (n); INFINITY where a limit is passed
 * by more than the slack. */
void rmx_target_score(const rmx_target *t, size_t M, const double *predicted, size_t n,
                      double *score);
/* The domain with the lowest predicted score when all tokens come from it. Limits are not used. */
rmx_status rmx_target_best_domain(const rmx_fit *fit, const rmx_target *t, size_t *domain,
                                  rmx_err *err);
void rmx_target_release(rmx_target *t);

/* ---- what a mixture must keep to ------------------------------------------- */

/* A linear constraint: low <= sum_d factor_d w_d <= high. Bounds on the total weight of a group of
 * domains have the factors 1 and 0. An order, weight(A) <= weight(B), has -1 for the domains of A
 * and 1 for those of B, low 0, and no upper bound. */
typedef struct rmx_share {
  char *name;       /* of the group; of an order "A<B" */
  double *factor;   /* (D) */
  double low, high; /* high INFINITY: none */
  char *text;       /* as the user gave it, for messages */
  bool by_epochs;   /* what bounds it above is how often its text may be repeated */
} rmx_share;

typedef struct rmx_constraints {
  size_t D;
  double *low, *high;           /* (D) of each weight; both equal: the weight is fixed */
  char **low_text, **high_text; /* (D) the text that set them, for messages; NULL: none */
  bool *by_epochs;              /* (D) what bounds it above is how often its text may be repeated */
  rmx_share *shares;            /* (n_shares) */
  size_t n_shares;
  double drop_below; /* a weight is 0 or at least this; 0: no such rule */
  /* (D) where it differs among the domains, or NULL: a weight is 0 or at least this. A domain that
   * stands for others has enough for the smallest of them; in a column of a phase it is drop_below
   * of the phase. */
  double *least;
  double *reference; /* (D) or NULL: the mixture to stay near */
  /* KL(w || reference) = sum_d w_d log(w_d / reference_d) <= max_kl nats; INFINITY: none */
  double max_kl;
  double kl_penalty; /* score(w) + kl_penalty * KL(w || reference); 0: none */
} rmx_constraints;
/* Weights from 0 to 1, nothing else. */
rmx_status rmx_constraints_make(size_t D, rmx_constraints *out, rmx_err *err);
void rmx_constraints_release(rmx_constraints *c);
typedef enum rmx_bound { RMX_FLOOR, RMX_CAP, RMX_FIX } rmx_bound;
/* "NAME=X" as the user typed it after --floor, --cap or --fix. NAME is a domain or a node of their
 * tree (rmx_find_domains), whose total weight is then bounded. Where a bound is given twice the
 * tighter one counts. */
rmx_status rmx_constraints_bound(rmx_constraints *c, rmx_bound kind, const char *text,
                                 const char *const *domains, rmx_err *err);
/* "NAME=LOW..HIGH:domain,domain,...", either of LOW and HIGH may be left out; or "NAME=X:..." for
 * both. Each domain may be a node of their tree. Without ":domain,..." NAME is the node itself. */
rmx_status rmx_constraints_share(rmx_constraints *c, const char *text, const char *const *domains,
                                 rmx_err *err);
/* "A<B<C": the weight of A is at most that of B, and that of B at most that of C. Each is a domain
 * or a node. RMX_EINPUT where A and B share a domain, and where all orders that were given form a
 * cycle. */
rmx_status rmx_constraints_order(rmx_constraints *c, const char *text, const char *const *domains,
                                 rmx_err *err);
/* w_d <= max_epochs * tokens / budget, for one domain; and for all of them. */
rmx_status rmx_constraints_domain_epochs(rmx_constraints *c, size_t d, double tokens, double budget,
                                         double max_epochs, const char *const *domains,
                                         rmx_err *err);
rmx_status rmx_constraints_epochs(rmx_constraints *c, const double *tokens, double budget,
                                  double max_epochs, const char *const *domains, rmx_err *err);
/* w_d <= cap_d; `text` (a format with one %s, the domain) says in messages where that came from. */
rmx_status rmx_constraints_caps(rmx_constraints *c, const double *cap, const char *text,
                                const char *const *domains, rmx_err *err);
/* The same, for caps that are how often a domain may be repeated. */
rmx_status rmx_constraints_epoch_caps(rmx_constraints *c, const double *cap, const char *text,
                                      const char *const *domains, rmx_err *err);
/* RMX_EINPUT where no mixture keeps them: the message names an irreducible infeasible subset.
 * Metrics' limits are not checked. */
rmx_status rmx_constraints_check(const rmx_constraints *c, const char *const *domains,
                                 rmx_err *err);
/* The largest amount by which w (D) exceeds any of them; 0: it keeps them all. */
double rmx_constraints_excess(const rmx_constraints *c, const double *w);
/* {"floor":{domain:x},"cap":{},"share":{name:{"low","high","domains"}},
 *  "ordered":["A<B"],"drop_below","max_kl","kl_penalty","reference"}, without the empty ones: a new
 * reference. */
struct json_t *rmx_constraints_json(const rmx_constraints *c, const char *const *domains);

/* ---- the search ------------------------------------------------------------ */

/* Where a prior comes from: the mean mixture of the runs, the shares of the tokens that the corpus
 * has, or a file of the user's. A gain is counted from the prior, so every result says which it
 * is. */
typedef enum rmx_prior_kind { RMX_PRIOR_RUNS, RMX_PRIOR_CORPUS, RMX_PRIOR_FILE } rmx_prior_kind;

/* An optimisation problem. */
typedef struct rmx_problem {
  rmx_target target;
  rmx_constraints constraints;
  /* (D) what simulated mixtures are drawn around and the gain is counted from; NULL: the mean of
   * the runs */
  double *prior;
  /* (D) the mixture that the target's limits and its worst case are relative to; NULL: there is
   * none */
  double *than;
  rmx_prior_kind prior_kind; /* where it comes from */
  char prior_text[256];      /* the same in words: "the mean of the 24 runs" */
  /* what caps by epochs follow from, where they were asked for: the tokens of the large run, and
   * those that each domain has (counted.n) */
  double budget, *tokens;
  rmx_strings counted;
} rmx_problem;
/* No weight, no constraint, the mean mixture of the runs as prior. */
rmx_status rmx_problem_make(const rmx_fit *fit, rmx_problem *out, rmx_err *err);
/* Says where the prior comes from; file (NULL unless it is one) is its name. */
void rmx_problem_set_origin(rmx_problem *q, const rmx_fit *fit, rmx_prior_kind kind,
                            const char *file);
/* "runs", "corpus" or "file". */
const char *rmx_prior_kind_name(rmx_prior_kind kind);
void rmx_problem_release(rmx_problem *q);

/* What a search is given. Fields that are left out have their defaults. All is borrowed. */
typedef struct rmx_optimize_request {
  const rmx_fit *fit;
  const rmx_problem *problem;
  const rmx_optimize_options *options; /* NULL: those of rmx_optimize_defaults */
  uint64_t seed;
  int threads;                  /* 0: 1 */
  const rmx_listener *listener; /* of notes, warnings and progress; NULL: none */
} rmx_optimize_request;
extern const rmx_optimize_options rmx_optimize_defaults;

typedef struct rmx_optimum rmx_optimum;
/* The mixture with the lowest score among those allowed, by options->method:
 *   simulate  draws options->samples mixtures from Dirichlet(strength * prior) and averages the
 *             best `top`. A sample that breaks a constraint is drawn again, up to 20 times, then
 *             the last one is moved inside. Memory does not grow with samples.
 *   search    descends the gradient from options->starts mixtures (SLSQP), for functions that
 *             have one: trees are RMX_EINPUT. Where the score is convex the optimum is exact up
 *             to rmx_optimum_gap.
 * The optimum keeps every constraint to 1e-6. Where no mixture can, this is RMX_EINPUT, and the
 * message names a smallest set of constraints that exclude each other.
 *
 * With options->guard the weights stay within the range that the runs covered, and the mixture
 * within twice the typical distance of a run. If the constraints allow no such mixture, there is
 * a warning, and the guard is dropped. With the guard a fit that predicts unseen runs no better
 * than their mean (R2 <= 0) is not used: the answer is the prior, moved into the constraints, with
 * a warning. For a flat function, or runs of one mixture, this is so without the guard too. A
 * warning is given where the optimum lies outside what the runs covered, or far from all of them.
 * The answer is the same on any number of threads.
 *
 * *out is the caller's: rmx_optimum_free() it. Errors: RMX_EINPUT, RMX_ENUMERIC (nothing finite was
 * found), RMX_ENOMEM, RMX_EINTERRUPTED. Cost: `samples` predictions of each metric, or `starts`
 * times some 50 gradients and quadratic programs of O(D^3). */
rmx_status rmx_optimize(const rmx_optimize_request *request, rmx_optimum **out, rmx_err *err);
void rmx_optimum_free(rmx_optimum *o);
void rmx_optimum_free_at(rmx_optimum **o); /* for RMX_OWNED_BY */

/* What the optimum is. Pointers belong to it. */
const double *rmx_optimum_mixture(const rmx_optimum *o);   /* (D) */
const double *rmx_optimum_predicted(const rmx_optimum *o); /* (M) at the mixture */
/* (D) whether the guard holds the weight at the end of the range that the runs covered: then the
 * best weight may lie beyond it, as its interval may */
const bool *rmx_optimum_at_limit(const rmx_optimum *o);
/* The largest distance to the nearest run that the guard allows; INFINITY: any. And whether the
 * optimum has it: then better mixtures may be farther from the runs. */
double rmx_optimum_distance_limit(const rmx_optimum *o);
bool rmx_optimum_at_distance_limit(const rmx_optimum *o);
const double *rmx_optimum_predicted_prior(const rmx_optimum *o); /* (M) at the prior */
/* The target's score there, without the penalty of the divergence; to be low. */
double rmx_optimum_score(const rmx_optimum *o);
double rmx_optimum_score_prior(const rmx_optimum *o);
/* The lowest predicted score among the runs of the fit, whatever the constraints. */
double rmx_optimum_best_run_score(const rmx_optimum *o);
/* The root mean square error of the score that is to be expected there; NaN: not known. */
double rmx_optimum_expected_error(const rmx_optimum *o);
/* No allowed mixture scores lower by more than this; NaN: not known. */
double rmx_optimum_gap(const rmx_optimum *o);
/* The distance to the nearest run, as the share of tokens that differ (half the L1 distance); and
 * the median of that over the runs. */
double rmx_optimum_distance(const rmx_optimum *o);
double rmx_optimum_typical_distance(const rmx_optimum *o);
/* "simulate", "search", or "prior" where the fit has learnt nothing, or the mixture found is
 * expected to be worse than the prior. Static text. */
const char *rmx_optimum_method(const rmx_optimum *o);
/* Why the fit has learnt nothing about the target, or why the prior is better than what it found;
 * NULL: neither is so. */
const char *rmx_optimum_why_not(const rmx_optimum *o);
bool rmx_optimum_learnt(const rmx_optimum *o); /* the fit has learnt something about the target */
/* {"mixture":{domain:weight},"predicted":{metric:value},...}: all of the above and more. A new
 * reference; NULL: no memory. */
struct json_t *rmx_optimum_json(const rmx_optimum *o, const rmx_fit *fit);

/* What the gain costs: metrics predicted worse at the optimum than at the prior, by more than a
 * thousandth of their standard deviation over the runs, in the direction that the target's sign
 * says. A target of one metric is left out. */
typedef struct rmx_worse {
  size_t n, of;   /* n metrics of `of` get worse */
  bool others;    /* `of` leaves out the target's only metric; else it is all metrics */
  size_t *metric; /* (n) the worst first, in units of that deviation */
  double *by;     /* (n) above 0, in the metric's own unit */
} rmx_worse;
rmx_status rmx_optimum_worse(const rmx_optimum *o, const rmx_fit *fit, const rmx_target *target,
                             rmx_worse *out, rmx_err *err);
void rmx_worse_release(rmx_worse *w);

/* The Pareto front of two metrics: mixtures of which none is better in both. */
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
 * points are left out. The problem's target is not used, but its limits are. Errors: those of
 * rmx_optimize. Cost: `points` searches. */
rmx_status rmx_pareto(const rmx_optimize_request *request, size_t a, size_t b, size_t points,
                      rmx_front *out, rmx_err *err);
void rmx_front_release(rmx_front *f);
/* [{"share","metrics":[a, b],"mixture":{},"predicted":{}}]: a new reference. */
struct json_t *rmx_front_json(const rmx_front *f, const rmx_fit *fit);

#ifdef __cplusplus
}
#endif

#include <regmix/suggest.h>
#include <regmix/uncertainty.h>
#endif
