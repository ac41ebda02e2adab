/* regress.h: functions fitted from mixture to metric.
 *
 * Uses: base, mixture.
 */
#ifndef RMX_REGRESS_H
#define RMX_REGRESS_H

#include <regmix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a fit sees: N runs, D domains. Borrowed pointers; NULL where unknown. */
typedef struct rmx_dataset {
  size_t N, D;
  const double *X;           /* (N, D) mixtures */
  const double *y;           /* (N) the metric */
  const double *row_weights; /* (N) or NULL: all 1 */
  /* (N) replicate group of each run (same mixture), or NULL: each its own */
  const int *groups;
  const char *const *domains; /* (D) names, for messages */
  const char *metric;         /* name, for messages */
  int own_domain;             /* index of the metric's own domain, or -1 */
  const double *tokens;       /* (D) tokens there are of each domain, or NULL */
  double budget;              /* tokens of the run that is to be predicted, the large one, or 0 */
  double run_tokens;          /* tokens of each run of X, or 0: as many as the budget */
} rmx_dataset;

typedef struct rmx_ridge_options {
  double alpha; /* penalty on the weights, intercept free: 1 */
  bool sqrt;    /* features sqrt(w) in place of w */
} rmx_ridge_options;

/* LightGBM's names and defaults where the recipe does not say otherwise. */
typedef struct rmx_trees_options {
  /* 1000; 0: as many as cross-validation inside the training runs finds best, up to 3000 */
  int64_t rounds;
  double learning_rate;                  /* 0.01 */
  int64_t leaves;                        /* 31 */
  int64_t min_data_in_leaf;              /* 20 */
  double min_hessian;                    /* 1e-3 */
  int64_t max_bin;                       /* 255 */
  int64_t min_data_in_bin;               /* 3 */
  double lambda_l1, lambda_l2, min_gain; /* 0 0 0 */
  int64_t max_depth;                     /* -1: no limit */
} rmx_trees_options;

/* The data mixing law. */
typedef struct rmx_exp_options {
  int64_t terms; /* exponentials in the sum: 1 */
} rmx_exp_options;

/* Power law + linear. */
typedef struct rmx_power_options {
  bool own;    /* a metric's own domain is expected to count for more: true */
  bool robust; /* Student's t errors: false */
} rmx_power_options;

/* Every regressor's options in one struct, so that the config has one section each. */
typedef struct rmx_regress_options {
  /* "ridge", "trees", "exp", "power", "exposure", "gp", "ensemble"; "auto", the default */
  char *regressor;
  int64_t folds; /* of cross-validation: 5 */
  /* a run without a value of a metric is left out of its fit; false: it is an error */
  bool skip_missing;
  /* mixtures that do not sum to 1 within 1 % are divided by their sum and told; false: an error */
  bool normalize;
  /* glob patterns (or names) of metrics whose direction is given */
  rmx_strings higher_is_better, lower_is_better;
  rmx_ridge_options ridge;
  rmx_trees_options trees;
  rmx_exp_options exp;
  rmx_power_options power;
} rmx_regress_options;
/* The option table of rmx_regress_options (keys "fit.regressor", "fit.folds", "ridge.alpha",
 * "trees.rounds", ...), in one place for the config, `--set` and the man page. */
extern const rmx_option rmx_regress_option_table[];
extern const size_t rmx_regress_option_table_n;

typedef struct rmx_regressor rmx_regressor; /* a fitted function */

/* Fits `options->regressor` to the data. Too few runs for it, a constant metric and the like are
 * told through `listener` (it still fits what can be fitted) or are RMX_EINPUT where nothing can
 * be. */
rmx_status rmx_regress_fit(const rmx_regress_options *options, const rmx_dataset *data,
                           uint64_t seed, const rmx_listener *listener, rmx_regressor **out,
                           rmx_err *err);
/* Fits the same kind to other data with all that `fitted` has chosen for itself (strengths,
 * lengths, rounds) kept: what folds and bootstraps are made of. Cheaper than a fit where there was
 * something to choose. */
rmx_status rmx_regress_refit(const rmx_regress_options *options, const rmx_regressor *fitted,
                             const rmx_dataset *data, uint64_t seed, rmx_regressor **out,
                             rmx_err *err);
/* mean (n), sd (n; may be NULL; NaN where the regressor has none). X (n, D). Thread-safe. */
void rmx_regressor_predict(const rmx_regressor *r, const double *X, size_t n, double *mean,
                           double *sd);
/* d mean / d w at one w (D) into gradient (D); false where the regressor has none (trees). */
bool rmx_regressor_gradient(const rmx_regressor *r, const double *w, double *gradient);
/* Both at one w; about half the cost of the two where the function is long to compute. */
bool rmx_regressor_evaluate(const rmx_regressor *r, const double *w, double *mean,
                            double *gradient);
/* What is predicted from now on is a run of so many tokens; 0: of as many as the runs it was fitted
 * to had. False where predictions do not depend on it: of all regressors but exposure. Not
 * thread-safe. */
bool rmx_regressor_set_budget(rmx_regressor *r, double tokens);
/* Whether sign * mean(w) (sign 1 or -1) is convex over those mixtures w where mean(w) <= *below
 * (INFINITY: over them all), by its fitted parameters; false: not, or not known. There, what is
 * lowest nearby is lowest of all. */
bool rmx_regressor_convex(const rmx_regressor *r, double sign, double *below);
const char *rmx_regressor_name(const rmx_regressor *r);
size_t rmx_regressor_domains(const rmx_regressor *r);
/* One file: JSON for the smooth ones, LightGBM's text for trees (extension by
 * rmx_regressor_extension). */
rmx_status rmx_regressor_write(const rmx_regressor *r, const char *path, rmx_err *err);
rmx_status rmx_regressor_read(const char *path, rmx_regressor **out, rmx_err *err);
const char *rmx_regressor_extension(const rmx_regressor *r);
void rmx_regressor_free(rmx_regressor *r);
/* The table of regressors: name and one line of help each. Returns how many; either may be NULL. */
size_t rmx_regressors(const char *names[], const char *help[], size_t max);

/* ---- scores and cross-validation ------------------------------------------ */

typedef struct rmx_scores {
  size_t n;
  double spearman; /* ties share the mean rank; NaN when either side is constant */
  double mse, mae, r2;
} rmx_scores;
void rmx_score(const double *truth, const double *predicted, size_t n, rmx_scores *out);
double rmx_spearman(const double *a, const double *b, size_t n);

/* How far predictions of runs not fitted to can be relied on. The sides are those of a loss; of a
 * metric of which higher is better they turn. NaN where it cannot be said. */
typedef struct rmx_diagnostics {
  size_t n;
  double rmse;
  double regret_at_1; /* truth of the run predicted best less the best truth: at least 0 */
  /* mean of truth less prediction over the 5 % of the runs (3 at least) predicted best: above 0 the
   * predictions promise too much there */
  double optimism;
  /* sd of equal runs, pooled over the groups of more than one; what no fit can go below */
  double noise;
  size_t replicates; /* such groups */
} rmx_diagnostics;
/* groups (n): equal for runs of the same mixture; NULL: none are. */
rmx_status rmx_diagnose(const double *truth, const double *predicted, const int *groups, size_t n,
                        bool higher_is_better, rmx_diagnostics *out, rmx_err *err);
/* Adds "rmse","regret_at_1","optimism","noise" (a NaN as null),"replicates" to `object`; false if
 * memory is short. */
bool rmx_diagnostics_add(const rmx_diagnostics *d, struct json_t *object);

/* {"n","spearman","mse","mae","r2"}, a NaN as null: a new reference; NULL if memory is short. */
struct json_t *rmx_scores_json(const rmx_scores *s);

/* Deals the runs to k folds: replicate groups stay whole, folds differ by at most one group's size.
 * fold (N), 0..k-1. Returns the folds made: fewer than k where there are fewer groups, 0 where
 * memory is short. */
size_t rmx_folds(const int *groups, size_t N, size_t k, uint64_t seed, int *fold);

/* k-fold cross-validation, folds split by replicate group, keyed by seed. predicted (N) out of
 * fold, fold (N). With fewer than two groups it is RMX_EINPUT. */
rmx_status rmx_cross_validate(const rmx_regress_options *options, const rmx_dataset *data,
                              uint64_t seed, double *predicted, int *fold, rmx_err *err);

/* ---- a fit folder: one regressor per metric -------------------------------- */

/* How the direction of a metric is known: taken as a loss since nobody says, from its name
 * (rmx_better_by_name), from the results file (rmx_table.better), or given by the user. */
typedef enum rmx_direction_from {
  RMX_DIRECTION_ASSUMED,
  RMX_DIRECTION_NAME,
  RMX_DIRECTION_HARNESS,
  RMX_DIRECTION_USER,
} rmx_direction_from;
/* "assumed", "name", "harness", "user": as in fit.json. */
const char *rmx_direction_from_text(rmx_direction_from from);

typedef struct rmx_fit {
  size_t D, M;
  char **domains;             /* (D) */
  char **metrics;             /* (M) */
  rmx_regressor **regressors; /* (M) */
  rmx_scores *cv;             /* (M) out-of-fold scores */
  bool raw;                   /* rows were not normalised: predict and score obey */
  double *mean_mixture;       /* (D) of the runs: the default prior of optimize */
  /* (N, D) the mixtures it was fitted on: how far a proposal lies from them */
  double *runs;
  size_t N;
  int64_t folds; /* of the cross-validation */
  /* What it was fitted to; NULL in a folder written before these were kept: */
  char **run_ids; /* (N) */
  double *truth;  /* (N, M) the metrics, NaN where a run has none */
  /* (N, M) predictions of models that have not seen the run's replicate group */
  double *out_of_fold;
  int *groups;                        /* (N) replicate group: equal for equal mixtures */
  bool *higher_is_better;             /* (M) the metric is a score; false: a loss, or nobody said */
  rmx_direction_from *direction_from; /* (M) how that is known */
  double *tokens;                     /* (D) there are of each domain, or NULL where nobody said */
  double budget, run_tokens;          /* as in rmx_dataset, or 0 */
  /* hash of the tokenizer of the corpus behind the runs, or 0 where nobody said */
  uint64_t tokenizer;
  rmx_regress_options options; /* as asked, own copy */
  /* (N, M) of the cross-validation, -1 where a run was left out; NULL where it is not known */
  int *fold;
  struct json_t *more; /* further keys for fit.json when it is written, or NULL; owned */
} rmx_fit;
/* Fits every metric of `metrics` (all rows of both tables joined on their first column; a row
 * missing in either is told). Runs with the same mixture are one replicate group. Cross-validates.
 * Metrics named in `only` (n_only may be 0: all). The direction of a metric is the user's
 * (options->higher_is_better, lower_is_better; a pattern that matches no column of `metrics` is
 * RMX_EINPUT), else what metrics->better says, else what its name says, else it is taken as a loss,
 * with a warning. Rows must sum to 1 within 1 % (any sum above 0 with options->normalize) and are
 * normalised unless raw. A run without any value, and a metric with fewer than three where runs
 * lack it, are left out and told. A run without a value of a metric is RMX_EINPUT; with
 * options->skip_missing it is left out of that metric's fit and told. cross_validation (may be
 * NULL): run, the out-of-fold prediction of each metric. The result depends on no number of
 * threads. Cost: (folds + 1) fits a metric. */
rmx_status rmx_fit_tables(const rmx_regress_options *options, const rmx_table *mixtures,
                          const rmx_table *metrics, const char *const *only, size_t n_only,
                          bool raw, uint64_t seed, int threads, const rmx_listener *listener,
                          rmx_fit **out, rmx_table *cross_validation, rmx_err *err);
/* What is known of the tokens behind the mixtures: wanted by exposure, kept in the fit. */
typedef struct rmx_exposure {
  const double *tokens; /* (D) there are of each domain */
  /* (D) their names, in any order; found among the columns by rmx_find_name */
  const char *const *domains;
  size_t D;
  double budget; /* tokens of the large run */
  /* tokens of each run of the tables, or 0: as many as the budget, of as much data; or both less in
   * the same proportion, which are as many epochs */
  double run_tokens;
} rmx_exposure;
/* The same where that is known; `exposure` may be NULL. */
rmx_status rmx_fit_tables_exposed(const rmx_regress_options *options, const rmx_table *mixtures,
                                  const rmx_table *metrics, const char *const *only, size_t n_only,
                                  bool raw, const rmx_exposure *exposure, uint64_t seed,
                                  int threads, const rmx_listener *listener, rmx_fit **out,
                                  rmx_table *cross_validation, rmx_err *err);
/* Whether the fit of metric m predicts unseen runs better than their mean does: its R2 out of fold
 * is above 0. "learnt" in fit.json. */
bool rmx_fit_learnt(const rmx_fit *f, size_t m);
/* Of metric m's predictions out of fold. RMX_EINPUT where the fit does not hold them. */
rmx_status rmx_fit_diagnose(const rmx_fit *f, size_t m, rmx_diagnostics *out, rmx_err *err);
/* rmx_regressor_set_budget() of every metric's regressor; false where none depends on it. */
bool rmx_fit_set_budget(rmx_fit *f, double tokens);
/* <folder>/fit.json (names, regressor of each, scores, raw, runs, made_by, a hash of every part),
 * one file per metric, cross-validation.csv. The folder is written whole, beside its place, and
 * takes the place of an older fit; files in that which are not the fit's stay. Otherwise as
 * rmx_fit_may_write. */
rmx_status rmx_fit_write(const rmx_fit *f, const char *folder, const struct json_t *made_by,
                         rmx_err *err);
/* Parts that were not written together, or changed since, are RMX_EINPUT; the message names the
 * file. */
rmx_status rmx_fit_read(const char *folder, rmx_fit **out, rmx_err *err);
/* Whether a fit may be written there: RMX_EUSAGE where it is a file, or a folder that holds other
 * things and no fit. */
rmx_status rmx_fit_may_write(const char *folder, rmx_err *err);
void rmx_fit_free(rmx_fit *f);
/* The data metric m was fitted to, in `arena`: the runs that have a value of it. RMX_EINPUT where
 * the fit does not hold them. */
rmx_status rmx_fit_dataset(const rmx_fit *f, size_t m, rmx_arena *arena, rmx_dataset *out,
                           rmx_err *err);
/* Checks and brings a table of mixtures into the fit's order of domains: X (N, D), free() it.
 * Columns are matched by rmx_find_name; rows are checked and normalised unless the fit is raw. */
rmx_status rmx_fit_mixtures(const rmx_fit *f, const rmx_table *mixtures, double **X, rmx_err *err);
/* The predictions of all metrics for a table of mixtures: run, one column a metric.
 * rmx_table_release() it.
 */
rmx_status rmx_fit_predict_table(const rmx_fit *f, const rmx_table *mixtures, rmx_table *out,
                                 rmx_err *err);
/* Scores on measured runs (rows joined on the first column). scores (M): n = 0 and NaN where
 * `metrics` lacks the metric; mean: over the metrics that were scored (n: how many); errors (M) or
 * NULL. No metric or no run in common is RMX_EINPUT. */
rmx_status rmx_fit_score_tables(const rmx_fit *f, const rmx_table *mixtures,
                                const rmx_table *metrics, const rmx_listener *listener,
                                rmx_scores *scores, rmx_scores *mean, rmx_diagnostics *errors,
                                rmx_err *err);

/* The BLAS library that fits are made with: its name, version and kernels; whether it solves a
 * system with a known answer (RMX_ENUMERIC: it does not). */
enum { RMX_BLAS_NAME = 128 };
void rmx_blas_name(char out[RMX_BLAS_NAME]);
rmx_status rmx_blas_check(rmx_err *err);

#ifdef __cplusplus
}
#endif
#endif
