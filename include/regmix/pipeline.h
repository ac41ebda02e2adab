/* pipeline.h: an experiment from text to report: what `regmix run` does, one step after another.
 *
 * Uses: base, comm, import, mixture, corpus, kernels, model, eval, train, swarm, regress, optimize,
 * baselines, experiment, export, report.
 *
 * Each step looks at what is there, does what is missing, and reports it through the listener. A
 * kill at any moment loses at most the work since the last checkpoint of a run. The same call
 * continues from there.
 *
 *   rmx_pipeline p = {.program = "/usr/bin/regmix"};
 *   if (rmx_pipeline_open(&p, NULL, "exp/regmix.yaml", NULL, 0, &err) == RMX_OK)
 *     rmx_pipeline_run(&p, &err);
 *   rmx_pipeline_release(&p);
 */
#ifndef RMX_PIPELINE_H
#define RMX_PIPELINE_H

#include <regmix/correlate.h>
#include <regmix/experiment.h>
#include <regmix/optimize.h>
#include <regmix/swarm.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The part of the runs that one process of several trains: part i of n, of the runs that the file
 * `runs` names, one a line, or of all. n = 0: all runs. The parts do not depend on what is done.
 * In the order of the file, or else longest first, run k is in part k mod n. */
typedef struct rmx_slice {
  int64_t i, n;
  const char *runs; /* NULL: all runs, longest first */
} rmx_slice;
/* Reads "I/N", where I is from 0 to N-1. RMX_EUSAGE for anything else. */
rmx_status rmx_slice_parse(const char *text, rmx_slice *out, rmx_err *err);

/* A pipeline: an experiment and how its steps may work. The caller fills in the fields of the first
 * part, or leaves them 0. */
typedef struct rmx_pipeline {
  const char *program;   /* the `regmix` program that trains the runs, as worker processes */
  rmx_listener listener; /* notes, warnings and progress; {0}: none */
  rmx_comm *comm;        /* the ranks that train, of which this is the first; NULL: none */
  bool redo;             /* finished runs may go out of use without a question */
  rmx_slice slice;       /* of the runs that the step `train` trains */
  bool trained;          /* rmx_pipeline_run trains no proxies: it fails where some are not done */
  bool new_tokenizer;    /* prepare trains the tokenizer even if the old one has the settings */
  /* Asked before finished runs go out of use, unless `redo`; false: the step ends with RMX_EINPUT
   * and has changed nothing. NULL: never. */
  bool (*agree)(void *context, const char *message);
  /* Not NULL: a dry run. Each step reports what it would do, and changes nothing. to_do: it would
   * change something. */
  void (*would)(void *context, const char *step, bool to_do, const char *what);
  void *context; /* of agree and would */

  rmx_experiment experiment; /* filled in by rmx_pipeline_open */
  const char *const *typed;  /* (n_typed) settings "key=value" given to rmx_pipeline_open */
  size_t n_typed;
  bool pending;        /* of a dry run: some step would do something */
  struct json_t *left; /* for rmx_pipeline_unchanged */
} rmx_pipeline;

/* Opens the experiment in `folder` (NULL: the folder of `yaml`, else the current one). `settings`
 * (n) of "key=value" replace those of its config; they are borrowed until the release. A bad value
 * in a setting is RMX_EUSAGE, in the file RMX_EINPUT. Release in any case. */
rmx_status rmx_pipeline_open(rmx_pipeline *p, const char *folder, const char *yaml,
                             const char *const *settings, size_t n, rmx_err *err);
void rmx_pipeline_release(rmx_pipeline *p);

/* All steps in order, or what each would do. Cost: what training all runs costs; nothing is done
 * twice. RMX_EINTERRUPTED after rmx_interrupt(). */
rmx_status rmx_pipeline_run(rmx_pipeline *p, rmx_err *err);

typedef enum rmx_step {
  RMX_STEP_PREPARE,  /* text to tokens: corpus/ and tokenizer.json */
  RMX_STEP_SAMPLE,   /* mixtures.csv */
  RMX_STEP_TRAIN,    /* one proxy a mixture: runs/, metrics.csv, metrics-half.csv */
  RMX_STEP_FIT,      /* fit/ */
  RMX_STEP_OPTIMIZE, /* optimum.yaml */
  RMX_STEP_COMPARE,  /* large models on the optimum and compare.against: large/comparison.json */
  RMX_STEP_METHODS,  /* compare.methods, if there are any: compare/methods.json */
  RMX_STEP_REPORT,   /* report.html */
  RMX_STEPS
} rmx_step;
/* One step. It fails where the step before has left nothing, and warns where that is outdated. */
rmx_status rmx_pipeline_step(rmx_pipeline *p, rmx_step step, rmx_err *err);
/* RMX_EINPUT if another process has replaced a file that a step of this pipeline left in the
 * folder: what is read there then is no answer to its config. Ask it after reading, before a result
 * is shown. */
rmx_status rmx_pipeline_unchanged(const rmx_pipeline *p, rmx_err *err);
/* Warns if what the steps before `next` left is not any more what rmx_pipeline_run() would make,
 * since its text, its settings or its tables changed. Cost: the files of the text are listed; those
 * with other times are read if they have 64 MB or less. */
void rmx_pipeline_warn_outdated(const rmx_pipeline *p, rmx_step next);
/* The tree of corpus.json with more facts. Each domain also has "tokens", of both splits;
 * "bytes_per_token"; "mean_bytes" of a document; "prior", the share of the training tokens (null:
 * it has none). "left_out" lists the files that were not read, with the reasons. *out: a new
 * reference. */
rmx_status rmx_prepared_json(rmx_pipeline *p, struct json_t **out, rmx_err *err);
/* Trains a classifier of the domains of the prepared corpus, and writes it to `path`:
 * rmx_corpus_train_classifier(). Notes how many validation documents it gets right. *out: its file,
 * documents, tested, right and accuracy; a new reference. */
rmx_status rmx_train_classifier(rmx_pipeline *p, const char *path, struct json_t **out,
                                rmx_err *err);

/* ---- the experiment's files */

/* The workers that run at a time: config.general.jobs, or one a processor. */
int rmx_worker_jobs(const rmx_experiment *e);
/* The corpus; RMX_EINPUT, naming `regmix prepare`, where there is none. rmx_corpus_free() it. */
rmx_status rmx_experiment_corpus(const rmx_experiment *e, rmx_corpus **corpus, rmx_err *err);
/* Writes resolved.yaml: the config with every default. */
rmx_status rmx_experiment_resolve(const rmx_experiment *e, rmx_err *err);
/* One run a row of mixtures.csv, with the proxy's training. Release with rmx_runs_release. */
rmx_status rmx_proxy_runs(const rmx_experiment *e, const rmx_corpus *corpus, rmx_run **runs,
                          size_t *n, rmx_err *err);
/* The same for swarm k: 0 is that of the section `proxy`, 1 the first of `swarms`, which trains
 * only the first rows. */
rmx_status rmx_swarm_runs(const rmx_experiment *e, size_t k, const rmx_corpus *corpus,
                          rmx_run **runs, size_t *n, rmx_err *err);
void rmx_runs_release(rmx_run *runs, size_t n);
/* Upper bounds of the weights, cap (D_train): from tokens, large.tokens and sample.*. RMX_EINPUT: a
 * name in sample.domain_epochs is no domain. */
rmx_status rmx_weight_caps(const rmx_experiment *e, const rmx_corpus *corpus, double *cap,
                           rmx_err *err);
/* The mixture of optimum.yaml: w (D_train). */
rmx_status rmx_optimum_read(const rmx_experiment *e, const rmx_corpus *corpus, double *w,
                            rmx_err *err);
/* What was set aside: {"runs", "wall_s", "corpora", "bytes", "deleted", "folders": [{"folder",
 * "runs", "wall_s", "corpora", "bytes"}], "tables": [path]}. `remove`: deletes it, but for the
 * tables. A new reference, also on failure. */
rmx_status rmx_set_aside(const rmx_experiment *e, bool remove, const rmx_listener *to,
                         struct json_t **out, rmx_err *err);
/* {"runs": n, state: how many}. A new reference. */
struct json_t *rmx_run_states_json(const rmx_run *runs, size_t n);
/* Sets "proxies", and "swarms" {NAME: states} if there are any, in `out`. */
rmx_status rmx_swarm_states_json(const rmx_experiment *e, const rmx_corpus *corpus,
                                 struct json_t *out, rmx_err *err);

/* ---- where the text is */

/* The domains of the config, or those found in corpus.folder, and the targets among them. */
typedef struct rmx_sources {
  rmx_domain_source *domains; /* (n) the config's, then those of `found` */
  size_t n, n_named;          /* sources; those that are domains, without the divided ones */
  rmx_discovery found;
  size_t *targets, n_targets;
  const char *
      *unknown; /* (n_unknown) targets that may be domains that are not known yet; borrowed */
  size_t n_unknown;
  size_t *apart, n_apart; /* whose validation text is kept out of all training text */
} rmx_sources;
/* Whether some domains are known only after the documents are read. */
bool rmx_sources_are_open(const rmx_sources *s);
/* A target that is not a domain is an error, unless the user's own trainer may report it, or it may
 * be one of the domains that are not known yet. */
rmx_status rmx_sources_find(rmx_pipeline *p, rmx_sources *s, rmx_err *err);
void rmx_sources_release(rmx_sources *s);
/* What is left out, and what was taken for granted, as notes and warnings. */
void rmx_sources_tell(rmx_pipeline *p, const rmx_sources *s);

/* ---- tables of the user's */

/* How the tables are to be read. */
typedef struct rmx_table_form {
  rmx_strings mixture_columns, metric_columns; /* patterns of the columns wanted; n = 0: all */
  char *id;     /* the column that names the runs; "row": their number; NULL: the first column */
  bool any_sum; /* mixtures need not sum to 1 */
  /* columns with the size and the tokens of each run, in either table; NULL: none */
  char *size_column, *tokens_column;
} rmx_table_form;
/* Tables in any form of regmix/import.h, with their runs joined. metrics_path, metrics and `how`
 * may be NULL. Release both. */
rmx_status rmx_tables_read(const rmx_listener *to, const char *mixtures_path,
                           const char *metrics_path, const rmx_table_form *how, rmx_table *mixtures,
                           rmx_table *metrics, rmx_err *err);
/* The tokens of each domain, from a file of domain: tokens (YAML or JSON) or domain,tokens (CSV);
 * "1.5G" is a number here. free() tokens (domains->n), release the names. */
rmx_status rmx_tokens_read(const char *path, rmx_strings *domains, double **tokens, rmx_err *err);
/* The same by domain: tokens (D). Names mean domains as rmx_match_names says; a note lists those
 * that mean none. A domain without tokens is RMX_EINPUT. */
rmx_status rmx_tokens_by_domain(const rmx_listener *to, const char *path,
                                const char *const *domains, size_t D, double *tokens, rmx_err *err);

/* Mixtures drawn around the prior in a file (see rmx_mixture_read), by the config's `sample`: what
 * RMX_STEP_SAMPLE does, without a corpus. Release the table. */
rmx_status rmx_sample_around(const rmx_pipeline *p, const char *prior, rmx_table *out,
                             rmx_err *err);

/* Changes of the domains of a table of mixtures; see rmx_redomain for the texts. */
typedef struct rmx_domains_request {
  rmx_table_form tables;
  rmx_strings add, remove, split, merge, rename;
  double tolerance;
  bool drop;
  char *reuse; /* a file with the ratios of a virtual domain: to or from its members; NULL: none */
} rmx_domains_request;
/* Reads the mixtures of `path` and makes the changes: *t is the table of the runs that stay, *out
 * {"domains", "runs", "directions", "fix_at_zero", "not_measured", "next"}, a new reference. Notes
 * and warnings say the same. Release the table. */
rmx_status rmx_domains_change(const rmx_listener *to, const char *path,
                              const rmx_domains_request *q, rmx_table *t, struct json_t **out,
                              rmx_err *err);

/* The small space of a corpus of which only some domains changed (rmx_reuse_make): *root is its
 * prior and the ratios, which go to the YAML file `out`, if that is not NULL. A new reference. */
rmx_status rmx_domains_reuse(const rmx_listener *to, const rmx_reuse_request *q, const char *out,
                             struct json_t **root, rmx_err *err);

/* ---- before any work */

/* Whether the work that the config describes can be done. *out: {"ok", "problems": [text],
 * "domains": [{"name", "files", "valid_files", "bytes", "format", "valid_only", "target", "ok"}],
 * "left_out": [{"path", "why"}]}, a new reference. RMX_EINTERRUPTED alone is an error. Cost: opens
 * every file of text. */
rmx_status rmx_pipeline_check(rmx_pipeline *p, struct json_t **out, rmx_err *err);
/* What the experiment costs on this machine, and on `cores` such cores (0: not asked).
 * without_text: the files of text need not be there. *out: {"isa", "jobs", "prepare",
 * "proxies", "large", "seconds", "elsewhere", "epochs"}, a new reference. The corpus counts only if
 * it is of this config; without it there is no "epochs": {"repeat", "share", "domains": {name:
 * {"tokens", "proxy_tokens", "largest_weight", "proxies", "large"}}}, how often the proxies and the
 * large run see a domain at the largest weight that a mixture may give it. Cost: trains each model
 * for a second. */
rmx_status rmx_pipeline_plan(rmx_pipeline *p, int64_t cores, bool without_text, struct json_t **out,
                             rmx_err *err);

/* How the runs that are not done are given to Slurm. NULL and 0: as the experiment suggests. */
typedef struct rmx_launch_request {
  int64_t gpus;        /* tasks with one GPU each; 0: no GPU */
  int64_t tasks, cpus; /* tasks, if there are no GPUs; processors of each */
  char *partition, *time;
  int64_t array_limit; /* tasks that may run at a time */
  rmx_strings sbatch;  /* further options of sbatch, "account=NAME" */
  bool then;           /* a job for the steps after training, once all tasks are done */
  bool redo;           /* as in rmx_pipeline */
  bool dry_run;        /* writes nothing and submits nothing */
} rmx_launch_request;
/* Writes a script in slurm/<number>/ and submits it with sbatch. Runs that are done, that a task in
 * the queue has, or that are being trained are left out. *out: {"runs", "tasks", "done", "queued",
 * "script", "then_script", "folder", "job", "then"}, a new reference. RMX_EINPUT where there is no
 * sbatch or where it refuses: then nothing was submitted, or the message says what was. */
rmx_status rmx_pipeline_launch(rmx_pipeline *p, const rmx_launch_request *request,
                               struct json_t **out, rmx_err *err);

/* What is done and what is to do. A new reference; RMX_EINPUT where nothing of an experiment is. */
rmx_status rmx_experiment_status(const rmx_experiment *e, struct json_t **out, rmx_err *err);
/* Whether this machine, and `folder` on it, are fit for the work: {"checks": [{"name", "verdict":
 * "ok"|"warn"|"fail", "found", "advice"}], "failed", "warnings"}. A new reference. */
struct json_t *rmx_doctor(const char *folder);

/* ---- fit */

/* What is to be fitted. The options of requests.h fill it, and so do designated initialisers. */
typedef struct rmx_fit_request {
  char *mixtures, *metrics; /* tables; NULL: the experiment's own, with its half-way metrics */
  rmx_table_form tables;
  /* Instead of the files: tables in memory, whose rows have the same names. Borrowed. */
  const rmx_table *mixture_table, *metric_table;
  rmx_strings only; /* patterns of the metrics to fit; n = 0: all */
  char *tokens;     /* file for rmx_tokens_read; NULL: the experiment's corpus, if it is its own */
  rmx_strings phases;        /* shares of phases, see rmx_phase_shares(); n = 0: sample.phases */
  double budget, run_tokens; /* tokens of the large run and of each run; 0: as the config has it */
  char *out;                 /* folder of the fit; NULL: fit/ of the experiment */
  bool normalize, raw, skip_missing; /* as in rmx_regress_options */
  char *regressor;                   /* over the config's; NULL: the config's */
  rmx_strings higher, lower;         /* patterns, beside the config's */
} rmx_fit_request;
/* Fits the tables and writes the fit. rmx_fit_free() it. */
rmx_status rmx_pipeline_fit(rmx_pipeline *p, const rmx_fit_request *request, rmx_fit **fit,
                            rmx_err *err);
/* {"fit": out, "runs", "cross_validation": {metric: scores out of fold, "higher_is_better",
 * "direction_from", "regressor"}}: a new reference. */
struct json_t *rmx_fit_json(const rmx_fit *f, const char *out);

/* A fit scored on measured runs. */
typedef struct rmx_fit_scores {
  rmx_scores *scores, mean; /* scores (M); the mean over the metrics that were scored */
  rmx_diagnostics *errors;  /* (M) */
  size_t own;             /* of the runs, those that the fit was made from: a warning names them */
  rmx_part_scores *parts; /* (n_parts) of a fit of several sizes or lengths */
  size_t n_parts;
} rmx_fit_scores;
typedef struct rmx_score_request {
  char *fit;                /* folder; not read by rmx_score_tables() */
  char *mixtures, *metrics; /* tables */
  rmx_table_form tables;
  const rmx_table *mixture_table, *metric_table; /* instead of the files; borrowed */
  double
      budget; /* tokens of each of these runs, where the fit counts epochs; 0: as it was fitted */
} rmx_score_request;
/* A fit of several sizes or lengths needs those of each run, in the columns that it remembers. */
rmx_status rmx_score_tables(rmx_fit *f, const rmx_score_request *request, const rmx_listener *to,
                            rmx_fit_scores *s, rmx_err *err);
/* {"metrics": {metric: scores}, "mean": {"spearman", "mse"}, "own_runs"}: a new reference. With
 * parts also "scored": {"size", "tokens", "runs"} of the runs of these scores, "by_size": a list of
 * the same with "metrics" and "mean" for each size, and "all" of all runs. */
struct json_t *rmx_fit_scores_json(const rmx_fit *f, const rmx_fit_scores *s);
void rmx_fit_scores_release(rmx_fit_scores *s);

/* Makes a fit of several sizes and lengths one for "SIZE,TOKENS" ("1.2B,100G"; only one of them
 * where the fit has one column). RMX_EUSAGE where `text` is missing and the fit needs it, where it
 * is given and the fit has no scales, and where it cannot be read. */
rmx_status rmx_fit_for_text(rmx_fit *f, const char *text, rmx_err *err);
/* The predictions of a fit as a table with a column for each metric and, where a scale is asked
 * for, their standard deviations in `sd` (may be NULL), which is empty otherwise. scale: as in
 * rmx_fit_for_text(). Release both. */
rmx_status rmx_predict_tables(rmx_fit *f, const char *mixtures_path, const rmx_table_form *how,
                              const char *scale, double budget, const rmx_listener *to,
                              rmx_table *mean, rmx_table *sd, rmx_err *err);

/* ---- correlate */

typedef struct rmx_correlate_request {
  rmx_strings metrics; /* tables, joined by the names of the runs; n = 0: the experiment's own */
  rmx_table_form tables;
  rmx_correlate_options options; /* its seed and threads are those of the experiment */
} rmx_correlate_request;
/* Which validation loss predicts which score, over the runs. Release the result. */
rmx_status rmx_pipeline_correlate(rmx_pipeline *p, const rmx_correlate_request *request,
                                  rmx_correlations *out, rmx_err *err);

/* ---- optimise */

/* What is asked of a fit, over the config. */
typedef struct rmx_problem_request {
  char *prior, *tokens; /* files */
  rmx_strings target, maximize;
  double budget;
  rmx_strings max_epochs; /* "X" for all domains, "DOMAIN=X" for one */
  rmx_strings phases;     /* shares of the tokens; n = 0: those of the fit */
  rmx_strings given;      /* mixture files of the first phases, which are not searched */
  rmx_problem_options keep;
} rmx_problem_request;
/* Whether any of it is given. */
bool rmx_problem_given(const rmx_problem_request *a);
/* The problem of the config with the request over it. corpus (NULL: none) gives prior and caps
 * where the request does not, and, for an experiment with several swarms, the scale: its large
 * model. The fit predicts runs of the budget from then on, where that makes a difference. A target
 * may be missing. Release with rmx_problem_release. */
rmx_status rmx_problem_pose(rmx_pipeline *p, rmx_fit *f, const rmx_problem_request *a,
                            const rmx_corpus *corpus, rmx_problem *q, rmx_err *err);
bool rmx_has_target(const rmx_fit *f, const rmx_problem *q);
/* -1 where the target is one score that is raised: it is minimised with the other sign within, and
 * shown with its own. Else 1. */
double rmx_shown_sign(const rmx_fit *f, const rmx_problem *q);
/* The metrics of the target that are lowered although no name and no file gives a direction. */
rmx_few rmx_assumed_directions(const rmx_fit *f, const rmx_problem *q);
#define RMX_ASSUMED_DIRECTIONS                                                                \
  "It is assumed that lower is better of %s: no name and no file says so. --maximize METRIC " \
  "raises one."

typedef struct rmx_answer_request {
  char *fit; /* folder; NULL: the experiment's */
  char *out; /* file to write; NULL: optimum.yaml, where nothing but the config is asked */
  rmx_problem_request problem;
  rmx_strings against; /* mixture files to compare the optimum with */
  char *pareto;        /* "METRIC,METRIC": their front too; NULL: none */
  int64_t points;      /* of the front */
  bool quick;          /* the mixture alone: no intervals, no learning curve, no attribution */
  bool no_guard;       /* over the config's optimize.guard */
  rmx_strings search;  /* "samples=1000", ...: over the config's optimize.samples; borrowed */
  bool print_only;     /* no note where the answer is not written */
  int64_t fold;        /* levels of the nodes whose totals the answer has too; 0: none */
  /* Not read here: where a command line checks the values of `search`. */
  rmx_optimize_options how;
} rmx_answer_request;
/* What the optimum would gain without the caps by epochs that it is at. Of a fit with phases the
 * caps and the weights are those of all phases together. */
typedef struct rmx_lifted_caps {
  size_t n;          /* 0: it is at none */
  const char **name; /* (n) of the domains; borrowed from the fit or the problem */
  double *cap;       /* (n) the shares of all tokens that they may have */
  double *weight;    /* (n) their weights without the caps */
  double gain;       /* of the predicted score, 0 or more */
  bool phases;       /* the fit has phases */
  bool extrapolates; /* no run had such weights */
} rmx_lifted_caps;
void rmx_lifted_caps_release(rmx_lifted_caps *l);

/* A problem and its solution, with the fit. */
/* The optimum of each measured size, of a fit of several. */
typedef struct rmx_drift_step {
  rmx_scale at; /* the size, and the longest length of its runs */
  char *name;   /* among the versus of the uncertainty */
  double moved; /* share of the tokens that differs from the optimum asked for */
} rmx_drift_step;
typedef struct rmx_drift {
  size_t n, D;           /* n = 0: not requested, or the fit has one size */
  rmx_drift_step *steps; /* (n) the smallest size first */
  double *mixtures;      /* (n, D) */
} rmx_drift;
void rmx_drift_release(rmx_drift *d);

typedef struct rmx_answer {
  rmx_fit *fit;
  rmx_problem problem;
  const rmx_optimize_options *options; /* borrowed */
  rmx_optimum *optimum;                /* NULL: none was found */
  rmx_front front;                     /* n = 0: not requested */
  /* What it is worth. D, n_versus or the sentence is 0: not requested, or not known. */
  rmx_uncertainty uncertainty;
  rmx_attribution attribution;
  rmx_learning_curve curve;
  rmx_reuse reuse; /* without a name: none. Else optimum.yaml has its members too */
  rmx_drift drift;
  rmx_lifted_caps lifted;
  double *phase_share;        /* of a fit with phases; else NULL */
  bool unmeasured;            /* intervals were asked for, but the answer stays at the prior */
  size_t fold;                /* levels of the nodes whose totals are shown too; 0: none */
  rmx_kept_warnings warnings; /* what the listener was warned of */
} rmx_answer;
/* The totals of the nodes of s->fold levels. A virtual domain of s->reuse counts as its members. */
typedef struct rmx_folded {
  rmx_strings nodes;  /* and domains outside them, as rmx_fold() names them */
  double *weight;     /* (nodes.n) at the optimum */
  double *prior;      /* (nodes.n) */
  double *low, *high; /* (nodes.n) interval of the best total; NULL: no intervals */
} rmx_folded;
/* Release *out in any case. */
rmx_status rmx_answer_fold(const rmx_answer *s, rmx_folded *out, rmx_err *err);
void rmx_folded_release(rmx_folded *f);
/* Whether the optimum of the smallest size is good enough for a larger one. It is if the gain on it
 * of the one asked for is, over its whole interval, less than a quarter of the gain on the prior,
 * and the latter is surely above 0. It is not if the first interval is above 0. Else the runs
 * cannot tell; nor can they if the guard holds the best mixtures of most draws back. */
typedef enum rmx_size_verdict {
  RMX_SIZE_UNKNOWN,
  RMX_SIZE_TOO_SMALL,
  RMX_SIZE_ENOUGH,
} rmx_size_verdict;
rmx_size_verdict rmx_drift_verdict(const rmx_answer *s);
/* A number as it is shown: 4 decimals, but more where the runs differ by less than 0.01 (standard
 * deviation), and fewer where they differ by 10 or more; as in 3.47e-06 where more than six would
 * begin with zeros. In the unit of a metric; of the target; or of a value like `like`. */
enum { RMX_NUMBER = 40 };
const char *rmx_metric_number(const rmx_fit *f, size_t m, double x, char out[RMX_NUMBER]);
const char *rmx_target_number(const rmx_fit *f, const rmx_problem *q, double x,
                              char out[RMX_NUMBER]);
const char *rmx_number_like(double x, double like, char out[RMX_NUMBER]);
/* How the best mixture moves with the size, in a few sentences; free() it. NULL: not known. */
char *rmx_drift_text(const rmx_answer *s);
/* Searches the best mixture of a fit. Release in any case. */
rmx_status rmx_pipeline_optimize(rmx_pipeline *p, const rmx_answer_request *request, rmx_answer *s,
                                 rmx_err *err);
/* "phase 0, 80 % of the tokens: web 60.00 %, ...": phase k of the list of phases in optimum.yaml.
 * The caller's; NULL: no memory. */
char *rmx_phase_text(const struct json_t *phases, size_t k);
void rmx_answer_release(rmx_answer *s);
struct json_t *rmx_answer_json(const rmx_answer *s); /* what optimum.yaml holds: a new reference */
/* Where the answer to a fit without an experiment goes: optimum.yaml beside the fit's folder, or in
 * `folder`, if given. free() it. NULL: an experiment is there, whose optimum stays. A file that
 * regmix did not write is RMX_EINPUT. */
rmx_status rmx_optimum_place(rmx_pipeline *p, const char *folder, const char *fit, char **path,
                             rmx_err *err);
/* RMX_EINPUT where a file with content is there that `regmix optimize` wrote and that was changed
 * by hand since, or, unless a user gave its name, that it did not write. */
rmx_status rmx_optimum_may_replace(const char *path, bool given, rmx_err *err);
/* Writes the answer to a fit's folder as YAML. */
rmx_status rmx_optimum_write(const rmx_experiment *e, const char *path, const rmx_answer *s,
                             const char *fit, rmx_err *err);

typedef struct rmx_next_request {
  char *fit;     /* folder; NULL: the experiment's, if it is there */
  char *pending; /* table of mixtures without results; NULL: the experiment's mixtures.csv */
  char *out;     /* file that will be written: one that would lose runs is RMX_EUSAGE */
  int64_t runs;  /* mixtures wanted */
  int64_t more;  /* of the learning curve: that many more runs; 0: as many again */
  bool no_curve;
  rmx_problem_request problem;
} rmx_next_request;
typedef struct rmx_next {
  rmx_fit *fit;       /* what is known; without runs a fit of nothing, which holds the domains */
  bool measured;      /* it has runs */
  rmx_corpus *corpus; /* the experiment's, or NULL */
  rmx_problem problem;
  rmx_table pending;
  double *X; /* (pending.N, D) */
  rmx_suggestion suggestion;
  rmx_learning_curve curve; /* no sentence: not requested */
  rmx_strings warnings;     /* what the listener was warned of */
} rmx_next;
/* The mixtures to train next. Release in any case. */
rmx_status rmx_pipeline_suggest(rmx_pipeline *p, const rmx_next_request *request, rmx_next *s,
                                rmx_err *err);
/* rmx_suggestion_json() with "learning_curve" and "warnings": a new reference. */
struct json_t *rmx_next_json(const rmx_next *s);
void rmx_next_release(rmx_next *s);

/* RMX_EUSAGE for an output that is the file read (either may be NULL), or a table with one of these
 * n runs in it: their old content would be lost. */
rmx_status rmx_keep_input(const char *out, const char *input, rmx_err *err);
rmx_status rmx_keep_runs(const char *out, char *const *runs, size_t n, rmx_err *err);

/* ---- export */

typedef struct rmx_export_job {
  char *to;                             /* a name of rmx_export_formats */
  char *token_files;                    /* instead: a format of rmx_corpus_export */
  char *model, *type;                   /* instead: a model to write, and its numbers */
  char *out;                            /* file, or the folder of token files; NULL: none */
  char *mixture;                        /* file; NULL: the experiment's optimum.yaml */
  rmx_strings data;                     /* DOMAIN=PATH */
  char *prefix, *suffix, *valid_prefix; /* of the other domains' paths; see rmx_export_request */
  char *tokens;                         /* file for rmx_tokens_read, or NULL */
  double budget;
  int64_t sequence_length;
  int64_t fold;  /* nodes of that many levels instead of their domains; 0: all domains */
  int64_t phase; /* only this one, from 0; -1: all */
  int64_t steps; /* of the training, for stages; 0: not known */
} rmx_export_job;
typedef struct rmx_exported {
  char *from;             /* the file that was read */
  struct json_t *mixture; /* NULL: token files were written */
  rmx_buf text;
} rmx_exported;
/* A mixture as another trainer reads it, also written to job->out; or the corpus as token files.
 * Release in any case. */
rmx_status rmx_pipeline_export(const rmx_pipeline *p, const rmx_export_job *job, rmx_exported *x,
                               rmx_err *err);
void rmx_exported_release(rmx_exported *x);

/* ---- the page */

typedef struct rmx_report_request {
  char *fit, *optimum, *next; /* as in rmx_report_files; NULL: looked for in the folder */
  char *tokens;               /* file for rmx_tokens_read, or NULL */
  double budget;
  char *out; /* NULL: report.html in the folder */
} rmx_report_request;
/* Writes the page of the experiment's folder. RMX_EINPUT where there is nothing to report. *path:
 * where it is; free() it. */
rmx_status rmx_pipeline_report(rmx_pipeline *p, const rmx_report_request *request, char **path,
                               rmx_err *err);

/* ---- large models */

/* The large models of this process begin with the weights of the model at `path`, which is relative
 * to the current folder: `large.init` for one command. */
rmx_status rmx_pipeline_init(rmx_pipeline *p, const char *path, rmx_err *err);
/* Trains the large model on a mixture: prior, uniform, best_single, best_run, single:DOMAIN, a
 * mixture file, or NULL: the optimum. *row: {"name", "mixture", "target_loss", "loss_nats", ...};
 * *folders: those of the runs. */
rmx_status rmx_pipeline_pretrain(rmx_pipeline *p, const char *mixture, size_t seeds,
                                 struct json_t **row, rmx_strings *folders, rmx_err *err);
/* Whether compare.methods and compare.budget can be used, before any work. `typed`, `budget_typed`:
 * the command line gave them, so that an error is RMX_EUSAGE. */
rmx_status rmx_methods_check(rmx_pipeline *p, bool typed, bool budget_typed, rmx_err *err);

/* What failed only once the data were known, such as a name that they do not have: misuse where the
 * command line gave it (`typed`). Not for what is wrong in a file that the command line names. */
rmx_status rmx_refused(bool typed, rmx_err *err);
/* The other way round: a name that would be misuse on the command line came from a file. */
rmx_status rmx_from_file(bool from_file, rmx_err *err);

#ifdef __cplusplus
}
#endif
#endif
