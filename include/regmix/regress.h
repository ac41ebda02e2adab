/* regress.h: functions fitted from mixture to metric.
 *
 * Uses: base, mixture.
 *
 * N runs, D domains, M metrics; (N, D) is row-major, N rows of D. Where a function says nothing
 * else, it returns RMX_ENOMEM where memory is short, RMX_EINTERRUPTED after rmx_interrupt(), and
 * RMX_OK; pointers that it returns belong to the object they come from.
 */
#ifndef RMX_REGRESS_H
#define RMX_REGRESS_H

#include <regmix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- options --------------------------------------------------------------- */

typedef struct rmx_ridge_options {
  double alpha; /* penalty on the weights; the intercept has none: 1 */
  bool sqrt;    /* the features are sqrt(w) instead of w: false */
} rmx_ridge_options;

/* LightGBM's names, and its defaults unless the recipe gives others. */
typedef struct rmx_trees_options {
  /* 1000; 0: the number that cross-validation inside the training runs finds best, up to 3000 */
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

/* The power law with a linear part. */
typedef struct rmx_power_options {
  bool own;    /* the metric's own domain is expected to count for more: true */
  bool robust; /* Student's t errors: false */
} rmx_power_options;

/* The options of every regressor, so that the config has one section for each. Fill it with
 * rmx_options_init(), release it with rmx_options_release(). */
typedef struct rmx_regress_options {
  /* "ridge", "trees", "exp", "power", "exposure", "gp", "shared", "ensemble", "scaling",
   * "additive-law", "full-law" or "auto" (the default) */
  char *regressor;
  int64_t folds; /* of the cross-validation: 5 */
  /* true: a run without a value of a metric is left out of its fit; false: it is RMX_EINPUT */
  bool skip_missing;
  /* true: mixtures that do not sum to 1 within 1 % are divided by their sum, with a warning; false:
   * they are RMX_EINPUT */
  bool normalize;
  /* names or glob patterns of the metrics whose direction the user gives */
  rmx_strings higher_is_better, lower_is_better;
  rmx_ridge_options ridge;
  rmx_trees_options trees;
  rmx_exp_options exp;
  rmx_power_options power;
} rmx_regress_options;
/* The options as a table (keys "fit.regressor", "fit.folds", "ridge.alpha", "trees.rounds", ...),
 * for the config, `--set` and the man page. */
extern const rmx_option rmx_regress_option_table[];
extern const size_t rmx_regress_option_table_n;

/* ---- one regressor --------------------------------------------------------- */

/* The size of a run's model, in parameters, and the tokens it was trained on. 0: not known, and
 * then the same in all runs. */
typedef struct rmx_scale {
  double size, tokens;
} rmx_scale;

/* The runs that a function is fitted to. All pointers are borrowed. */
typedef struct rmx_dataset {
  size_t N, D;
  const double *X;           /* (N, D) mixtures */
  const double *y;           /* (N) the metric */
  const double *row_weights; /* (N); NULL: all 1 */
  /* (N) replicate group of each run, equal for runs of the same mixture; NULL: no two are equal */
  const int *groups;
  const char *const *domains; /* (D) names, for messages and files; or NULL */
  const char *metric;         /* name, for messages; or NULL */
  int own_domain;             /* the domain that the metric measures; -1: none */
  const double *tokens;       /* (D) how many tokens each domain has; NULL: not known */
  double budget;              /* tokens of the run to be predicted, the large one; 0: not known */
  double run_tokens;          /* tokens of each run of X; 0: the same as `budget` */
  const rmx_scale *scales;    /* (N) of each run; NULL: all have the same */
  bool higher_is_better;      /* the metric is a score, which rises with size and tokens */
} rmx_dataset;

typedef struct rmx_regressor rmx_regressor; /* a fitted function */

/* Whether a regressor with this name fits runs of several sizes or lengths. */
bool rmx_regressor_takes_scales(const char *name);
/* Whether it fits no others. */
bool rmx_regressor_needs_scales(const char *name);
/* Fits options->regressor to the data. Warns through `listener` of a constant metric, of too few
 * runs for this regressor and the like. RMX_EINPUT where nothing can be fitted (no runs, a value
 * that is not finite, an unknown regressor, an option out of range); RMX_ENUMERIC where a system is
 * singular. *out: rmx_regressor_free() it. Cost: the head of the file of each kind in src/regress
 * says it. */
rmx_status rmx_regress_fit(const rmx_regress_options *options, const rmx_dataset *data,
                           uint64_t seed, const rmx_listener *listener, rmx_regressor **out,
                           rmx_err *err);
/* Predicts n mixtures X (n, D): mean (n) and, unless it is NULL, the standard deviation sd (n; NaN
 * where the regressor has none). NaN where memory is short. Thread-safe. */
void rmx_regressor_predict(const rmx_regressor *r, const double *X, size_t n, double *mean,
                           double *sd);
/* The derivative of the mean by w (D) at w, into gradient (D). False where the regressor has none
 * (trees) or memory is short. Thread-safe. */
bool rmx_regressor_gradient(const rmx_regressor *r, const double *w, double *gradient);
/* The kind: "ridge", "gp", ...; of a fit by "auto", the kind that it chose. */
const char *rmx_regressor_name(const rmx_regressor *r);
size_t rmx_regressor_domains(const rmx_regressor *r); /* D */
/* Writes one file: LightGBM's text for trees, JSON for the other kinds. RMX_EIO. */
rmx_status rmx_regressor_write(const rmx_regressor *r, const char *path, rmx_err *err);
/* Reads what rmx_regressor_write() or LightGBM wrote. RMX_EINPUT for any other file, RMX_EIO.
 * *out: rmx_regressor_free() it. */
rmx_status rmx_regressor_read(const char *path, rmx_regressor **out, rmx_err *err);
void rmx_regressor_free(rmx_regressor *r); /* r may be NULL */

/* ---- scores ---------------------------------------------------------------- */

typedef struct rmx_scores {
  size_t n;
  double spearman; /* ties share the mean rank; NaN where either side is constant */
  double mse, mae, r2;
} rmx_scores;
/* Compares n predictions with the truth (n). Values that cannot be computed are NaN. Cost:
 * O(n log n). */
void rmx_score(const double *truth, const double *predicted, size_t n, rmx_scores *out);
/* The rank correlation of a and b (n); NaN where one is constant or has a NaN, or memory is short.
 * Cost: O(n log n). */
double rmx_spearman(const double *a, const double *b, size_t n);

/* How far predictions of runs that were not fitted can be trusted. The signs are those of a loss;
 * they turn for a metric of which higher is better. Values that are not known are NaN. */
typedef struct rmx_diagnostics {
  size_t n;
  double rmse;
  double regret_at_1; /* truth of the run predicted best, less the best truth: 0 or more */
  /* mean of truth less prediction over the 5 % of the runs (3 or more) that are predicted best;
   * above 0: the predictions promise too much there */
  double optimism;
  /* standard deviation of runs of one mixture, pooled over the groups of more than one run: no fit
   * can have a smaller error */
  double noise;
  size_t replicates;    /* the number of these groups */
  size_t noise_freedom; /* degrees of freedom of the noise: their runs less their number */
  /* the standard deviation of what the mixtures change, over that of the noise. The noise is that
   * of equal runs, if they are enough to tell (four degrees of freedom or more), but no more than
   * the error of the predictions; else it is that error. 0: nothing but noise. */
  double signal_to_noise;
  bool signal_from_replicates; /* whether equal runs told the noise */
  /* share of the runs whose value is in the 90 % interval of its prediction; known where runs of
   * several scales are scored */
  double coverage;
} rmx_diagnostics;

/* Scores as a JSON object, a new reference: "n", "spearman", "mse", "mae", "r2" and, unless d is
 * NULL, "rmse", "regret_at_1", "optimism", "noise", "replicates", "noise_freedom",
 * "signal_to_noise"; a NaN is
 * null. NULL where memory
 * is short. */
struct json_t *rmx_scores_json(const rmx_scores *s, const rmx_diagnostics *d);

/* ---- a fit: one regressor for each metric ---------------------------------- */

/* Where the direction of a metric comes from: it is assumed to be a loss, its name says it
 * (rmx_better_by_name), the results file says it (rmx_table.better), or the user gave it. */
typedef enum rmx_direction_from {
  RMX_DIRECTION_ASSUMED,
  RMX_DIRECTION_NAME,
  RMX_DIRECTION_HARNESS,
  RMX_DIRECTION_USER,
} rmx_direction_from;
/* "assumed", "name", "harness", "user": as in fit.json. */
const char *rmx_direction_from_text(rmx_direction_from from);

typedef struct rmx_fit rmx_fit;

/* What is known about the tokens of the mixtures: "exposure" needs it, every fit keeps it. */
typedef struct rmx_exposure {
  const double *tokens; /* (D) how many tokens each domain has */
  /* (D) their names, in any order; matched with the columns of the mixtures by rmx_find_name */
  const char *const *domains;
  size_t D;
  double budget; /* tokens of the large run */
  /* tokens of each run of the tables; 0: the same as the budget, or fewer of a corpus that is
   * smaller in the same proportion: the runs saw each domain as often as the large run will */
  double run_tokens;
} rmx_exposure;

/* What rmx_fit_tables() fits. Fill it with designated initialisers: a member that is left out, and
 * so 0, has its default. All pointers are borrowed. */
typedef struct rmx_fit_tables_request {
  const rmx_regress_options *options; /* required */
  const rmx_table *mixtures;          /* required: a run in each row, a domain in each column */
  const rmx_table *metrics;           /* required: a run in each row, a metric in each column */
  const char *const *only;            /* (n_only) the metrics to fit; NULL: all */
  size_t n_only;
  const double *phase_share;    /* (n_phases) of the tokens, if the columns are of phases */
  size_t n_phases;              /* 0: as the rows say, else equal */
  bool raw;                     /* true: rows that sum to 1 within 1 % stay as they are */
  const rmx_exposure *exposure; /* NULL: not known */
  /* the names of the columns that mixtures->sizes, ->tokens (or those of metrics) came from, which
   * the fit remembers; NULL: none. A run without a value of a metric is then always left out of its
   * fit, with a warning. */
  const char *size_column, *tokens_column;
  uint64_t seed;
  int threads;                  /* 0: as many as there are processors */
  const rmx_listener *listener; /* NULL: none */
} rmx_fit_tables_request;
/* Fits every metric and cross-validates each fit. The rows of both tables are joined on their first
 * column. Runs with the same mixture are one replicate group, which is never split by a fold.
 *
 * Rows that do not sum to 1 within 1 % are RMX_EINPUT (see options->normalize). Rows without a
 * partner, runs without any value, and metrics with fewer than three values where other runs have
 * one, are left out with a warning. A run without a value of a metric is RMX_EINPUT (see
 * options->skip_missing). So are a name that is given twice, tables without a common run, and a
 * pattern of options->higher_is_better or lower_is_better that matches no column. A name in `only`
 * that is unknown or there twice is RMX_EUSAGE.
 *
 * The direction of a metric is the user's (options), else that of metrics->better, else what its
 * name says, else it is assumed to be a loss, with a warning. The result does not depend on the
 * number of threads or on the order of the rows: the runs of the fit are in the order of their
 * names (r2 before r10). *out: rmx_fit_free() it. Cost: folds + 1 fits for each metric; with
 * "shared", and with "auto" where metrics are fitted together, folds + 1 fits for each cluster of
 * them. */
rmx_status rmx_fit_tables(const rmx_fit_tables_request *request, rmx_fit **out, rmx_err *err);

size_t rmx_fit_n_domains(const rmx_fit *f);                   /* D */
size_t rmx_fit_n_metrics(const rmx_fit *f);                   /* M */
size_t rmx_fit_n_runs(const rmx_fit *f);                      /* N */
const char *const *rmx_fit_domains(const rmx_fit *f);         /* (D) names */
const char *const *rmx_fit_metrics(const rmx_fit *f);         /* (M) names */
const rmx_regress_options *rmx_fit_options(const rmx_fit *f); /* as requested */
/* Of metric m; the fit owns it. */
const rmx_regressor *rmx_fit_regressor(const rmx_fit *f, size_t m);
/* How many phases its runs have, whose columns are phase_0_DOMAIN, phase_1_DOMAIN, ...: the weight
 * of a column is then its share of all tokens. 0: each run has one mixture. */
size_t rmx_fit_n_phases(const rmx_fit *f);
/* Of a fit with phases: the phases of a mixture w (D), and what the columns are, whose names belong
 * to the fit. Without phases both are empty. Release both. */
struct rmx_phases;
struct rmx_phase_columns;
rmx_status rmx_fit_phases(const rmx_fit *f, const double *w, struct rmx_phases *out,
                          struct rmx_phase_columns *columns, rmx_err *err);
/* The scores out of fold of metric m. */
const rmx_scores *rmx_fit_cv(const rmx_fit *f, size_t m);
/* The folds of the cross-validation: no more than there are different mixtures. */
int64_t rmx_fit_folds(const rmx_fit *f);
/* Whether metric m is a score, higher is better, and where that comes from. */
bool rmx_fit_higher_is_better(const rmx_fit *f, size_t m);
rmx_direction_from rmx_fit_direction_from(const rmx_fit *f, size_t m);
/* What metric m measures: what its name says, else an accuracy where the values are shares of a
 * whole number of questions, such as 0.41 and 0.43. */
rmx_metric_kind rmx_fit_kind(const rmx_fit *f, size_t m);
/* Whether the fit of metric m predicts unseen runs better than their mean does: its R2 out of fold
 * is above 0. */
bool rmx_fit_learnt(const rmx_fit *f, size_t m);
/* The errors out of fold of metric m. RMX_EINPUT where the fit does not hold its runs (fits of old
 * versions). */
rmx_status rmx_fit_diagnose(const rmx_fit *f, size_t m, rmx_diagnostics *out, rmx_err *err);
/* From now on predictions are for a run of that many tokens; 0: as many as the fitted runs had.
 * False if no prediction depends on it: only those of "exposure" do. Not thread-safe. */
bool rmx_fit_set_budget(rmx_fit *f, double tokens);
/* Whether the runs of the fit have several sizes or lengths. Such a fit predicts for the scale
 * asked for; until then for the largest of its runs. */
bool rmx_fit_has_scales(const rmx_fit *f);
/* Why no interval can be given where the fit answers for another size or length: all its runs have
 * one. A new text; NULL: it can, or memory is short. */
char *rmx_fit_no_intervals(const rmx_fit *f);
/* The columns of the tables that hold the size and the tokens of each run; NULL: none. */
const char *rmx_fit_size_column(const rmx_fit *f);
const char *rmx_fit_tokens_column(const rmx_fit *f);
/* Makes it a fit at one scale: it predicts for `at`, and its runs are one for each mixture, its
 * largest and longest, with the predicted change on the way to `at` added to its values. RMX_EUSAGE
 * where the fit has no scales, or where a part of `at` that it needs is not positive. Not
 * thread-safe. */
rmx_status rmx_fit_for(rmx_fit *f, rmx_scale at, rmx_err *err);
/* From now on the functions predict for this scale; the runs of the fit stay as they are. */
void rmx_fit_set_scale(rmx_fit *f, rmx_scale at);
/* "1.2B,20G", "1.2B" or "20G", by what is wanted; *at is 0 where nothing is. RMX_EUSAGE: it is
 * another text, or a number is not positive. */
rmx_status rmx_scale_parse(const char *text, bool size, bool tokens, rmx_scale *at, rmx_err *err);
/* "1.2B,20G"; free() it. NULL where memory is short. */
char *rmx_scale_text(rmx_scale at);
/* Checks a table of mixtures and brings its columns into the fit's order of domains. Columns are
 * matched by rmx_find_name; rows are normalised unless the fit is raw. RMX_EINPUT where columns or
 * rows do not suit. *X (mixtures->N, D): free() it. */
rmx_status rmx_fit_mixtures(const rmx_fit *f, const rmx_table *mixtures, double **X, rmx_err *err);
/* The predictions of all metrics for a table of mixtures: a column "run", then one for each metric.
 * RMX_EINPUT as rmx_fit_mixtures(). rmx_table_release() it. */
rmx_status rmx_fit_predict_table(const rmx_fit *f, const rmx_table *mixtures, rmx_table *out,
                                 rmx_err *err);
/* Scores the fit on measured runs; rows are joined on the first column. scores (M): n = 0 and NaN
 * where `metrics` lacks the metric. mean: over the n metrics that were scored, less those with one
 * value in all runs. errors (M; may be NULL). RMX_EINPUT where no metric or no run is in common,
 * and as rmx_fit_mixtures(). A fit of several scales is scored on the runs of the largest size that
 * has five or more, at its last length; on all, if no size has. */
rmx_status rmx_fit_score_tables(const rmx_fit *f, const rmx_table *mixtures,
                                const rmx_table *metrics, const rmx_listener *listener,
                                rmx_scores *scores, rmx_scores *mean, rmx_diagnostics *errors,
                                rmx_err *err);
/* The scores of runs of one size, at its last length, or of all runs. */
typedef struct rmx_part_scores {
  rmx_scale at; /* 0: all runs */
  size_t runs;
  rmx_scores *scores, mean; /* scores (M) */
  rmx_diagnostics *errors;  /* (M) */
  bool judged;              /* whether rmx_fit_score_tables() scores these */
} rmx_part_scores;
/* The same, and the scores of the parts: of all runs, then of each size, the smallest first.
 * Without scales there are none (*parts stays NULL). Of `errors`, the coverage is that of all runs.
 * rmx_part_scores_free() them in any case. */
rmx_status rmx_fit_score_parts(const rmx_fit *f, const rmx_table *mixtures,
                               const rmx_table *metrics, const rmx_listener *listener,
                               rmx_scores *scores, rmx_scores *mean, rmx_diagnostics *errors,
                               rmx_part_scores **parts, size_t *n_parts, rmx_err *err);
void rmx_part_scores_free(rmx_part_scores *parts, size_t n);

/* Writes <folder>/fit.json, one file for each metric, and cross-validation.csv. The folder is
 * written under another name and then takes the place of an older fit; files in the old folder that
 * are not the fit's stay (rmx_kept_others() names those whose name the fit takes). made_by: the
 * text of a JSON object to be kept in fit.json; NULL: {}. RMX_EIO, and as rmx_fit_may_write(). */
rmx_status rmx_fit_write(const rmx_fit *f, const char *folder, const char *made_by, rmx_err *err);
/* RMX_EUSAGE where no fit may be written there: it is a file, or a folder that holds other things
 * and no fit. */
rmx_status rmx_fit_may_write(const char *folder, rmx_err *err);
/* Reads a folder that rmx_fit_write() wrote. RMX_EINPUT where its files were not written together
 * or have changed since; the message names the file. *out: rmx_fit_free() it. */
rmx_status rmx_fit_read(const char *folder, rmx_fit **out, rmx_err *err);
/* Copies the files of a fit, and no others, into the folder `to`, as rmx_fit_write() writes them
 * there. A copy to its own place does nothing. A warning to the listener names a file of the user
 * that is kept under another name. Errors: those of rmx_fit_read() and rmx_fit_write(). */
rmx_status rmx_fit_copy(const char *from, const char *to, const rmx_listener *listener,
                        rmx_err *err);
void rmx_fit_free(rmx_fit *f);     /* f may be NULL */
void rmx_fit_free_at(rmx_fit **f); /* for RMX_OWNED_BY */

/* ---- the BLAS library that fits use ---------------------------------------- */

enum { RMX_BLAS_NAME = 128 };
/* Its name, version and kernels. */
void rmx_blas_name(char out[RMX_BLAS_NAME]);
/* Solves a system whose solution is known. RMX_ENUMERIC where the library solves it wrongly. */
rmx_status rmx_blas_check(rmx_err *err);

#ifdef __cplusplus
}
#endif
#endif
