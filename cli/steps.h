// SPDX-License-Identifier: Apache-2.0
// The steps of the pipeline, one a command. Each looks at what is there, does what is missing or
// answers another question, and says so; `regmix run` is all of them in order.
#ifndef REGMIX_STEPS_H
#define REGMIX_STEPS_H

#include <regmix/suggest.h>
#include <regmix/swarm.h>
#include <regmix/uncertainty.h>

#include "cli.h"

// How the user's tables are to be read: a command that reads tables has one such struct, `tables`,
// and options of these names.
typedef struct table_args {
  rmx_strings mixture_columns, metric_columns;
  char *id;
  bool any_sum;  // mixtures need not sum to 1
} table_args;
// The user's tables, in any form of regmix/import.h, their runs made to meet. metrics_path, metrics
// and `how` may be NULL.
rmx_status read_tables(const cli *c, const char *mixtures_path, const char *metrics_path,
                       const table_args *how, rmx_table *mixtures, rmx_table *metrics,
                       rmx_err *err);
// Of an experiment's own runs: the shares drawn where they differ materially from those asked for,
// and the directions that their results say, into its tables.
rmx_status take_own_runs(const cli *c, const rmx_experiment *e, rmx_table *mixtures,
                         rmx_table *metrics, rmx_err *err);
#define MIXTURE_COLUMNS_OPTION(type)                                                               \
  {                                                                                                \
    "mixture-columns", RMX_LIST, offsetof(type, tables.mixture_columns), NULL, 0, 0, "PATTERN",    \
        "the columns of --mixtures that are weights, as 'config.mixture.*'; may be given several " \
        "times"                                                                                    \
  }
#define METRIC_COLUMNS_OPTION(type)                                                           \
  {                                                                                           \
    "metric-columns", RMX_LIST, offsetof(type, tables.metric_columns), NULL, 0, 0, "PATTERN", \
        "the columns of --metrics wanted, as '*_loss'; may be given several times"            \
  }
#define ID_OPTION(type)                                                                       \
  {                                                                                           \
    "id", RMX_TEXT, offsetof(type, tables.id), NULL, 0, 0, "COLUMN",                          \
        "the column that names the runs, in tables with columns; row: the number of the row " \
        "names it; default: the first column"                                                 \
  }
// What --mixtures and --metrics may be, for the text of a command's help.
#define TABLES_ABOUT                                                                          \
  "A table may be CSV (a run a row, named in the first column), Olmix's ratios.csv and "      \
  "metrics.csv, a Weights & Biases CSV "                                                      \
  "export (the same file for both; runs that did not finish are left out), a folder of YAML " \
  "mixtures (n1.yaml, ...), or, for "                                                         \
  "metrics, a folder of lm-evaluation-harness results. Which it is, is seen by looking."

// The tokens there are of each domain, from a file of domain: tokens (YAML or JSON) or
// domain,tokens (CSV); "1.5G" is a number here. free() tokens (domains->n), release the names.
rmx_status read_tokens(const char *path, rmx_strings *domains, double **tokens, rmx_err *err);
// The same by domain: tokens (D). Names mean domains as rmx_match_names says; a note lists those
// that mean none. A domain without tokens is RMX_EINPUT.
rmx_status tokens_by_domain(const cli *c, const char *path, const char *const *domains, size_t D,
                            double *tokens, rmx_err *err);

// ---- a dry run (dry_run.c): steps say what they would do, and change nothing
typedef struct cli_dry_run cli_dry_run;
cli_dry_run *dry_run_begin(void);             // NULL when memory is short
void dry_run_end(cli_dry_run *d, bool json);  // prints what was said, and releases it
bool dry_run_pending(const cli *c);           // a step so far would do something
// What a step found. In a dry run it is kept, and true says that the step ends here; else it is a
// note where nothing is to do.
bool step_tells(const cli *c, const char *step, bool to_do, const char *fmt, ...) RMX_PRINTF(4, 5);
// In a dry run: how many of the runs are to do, and how long that would take; true. Else false.
bool step_tells_runs(const cli *c, const rmx_experiment *e, const char *step, const rmx_run *runs,
                     size_t n);

// Opens the experiment of -C (or of the yaml given) with --set applied. `needed`: it must have a
// regmix.yaml.
rmx_status open_experiment(const cli *c, const char *yaml, bool needed, rmx_experiment *e,
                           rmx_err *err);
int worker_jobs(const rmx_experiment *e);

// The domains of the config, or those found in corpus.folder, and which of them are targets
// (sources.c).
typedef struct sources {
  rmx_domain_source *domains;  // (n) the config's or those of `found`
  size_t n;
  rmx_discovery found;
  size_t *targets, n_targets;
  size_t *apart, n_apart;  // whose validation text is kept out of all training text
} sources;
// Targets are looked for by name; one that is no domain is an error, unless a trainer of the user's
// may report it.
rmx_status find_sources(const cli *c, const rmx_experiment *e, sources *s, rmx_err *err);
void release_sources(sources *s);
// What is left out, and what was taken for granted, as notes and warnings.
void tell_sources(const cli *c, const rmx_experiment *e, const sources *s);
// A note a domain: its files, bytes and formats. An error where one has none.
rmx_status print_sources(const cli *c, const rmx_experiment *e, const sources *s, rmx_err *err);

rmx_status step_prepare(const cli *c, const rmx_experiment *e, rmx_err *err);
rmx_status step_sample(const cli *c, const rmx_experiment *e, rmx_err *err);
rmx_status step_train(const cli *c, const rmx_experiment *e, rmx_err *err);
rmx_status step_fit(const cli *c, const rmx_experiment *e, rmx_err *err);
rmx_status step_optimize(const cli *c, const rmx_experiment *e, rmx_err *err);
rmx_status step_compare(const cli *c, const rmx_experiment *e, rmx_err *err);
rmx_status step_report(const cli *c, const rmx_experiment *e, rmx_err *err);

// Sees to it that corpus/ is of these sources (prepared.c): takes one that is there, or prepares
// it.
rmx_status prepare_corpus(const cli *c, const rmx_experiment *e, const sources *s,
                          bool new_tokenizer, rmx_err *err);
rmx_status write_resolved(const rmx_experiment *e, rmx_err *err);
// Asks what step_train would ask, before anything is written.
rmx_status step_agree(const cli *c, const rmx_experiment *e, rmx_err *err);
// The corpus of an experiment; where there is none, says that `regmix prepare` makes it.
rmx_status open_corpus(const rmx_experiment *e, rmx_corpus **corpus, rmx_err *err);
// One run per row of mixtures.csv, with the proxy's training. Release with release_runs.
rmx_status proxy_runs(const rmx_experiment *e, const rmx_corpus *corpus, rmx_run **runs, size_t *n,
                      rmx_err *err);
// The same of a table that is not written yet.
rmx_status runs_of_table(const rmx_experiment *e, const rmx_corpus *corpus, const rmx_table *t,
                         rmx_run **runs, size_t *n, rmx_err *err);
void release_runs(rmx_run *runs, size_t n);
json_t *run_states_json(const rmx_run *runs, size_t n);  // {"runs": n, state: how many}
// Upper bounds of the weights, from tokens, large.tokens and sample.*: (D_train).
void weight_caps(const rmx_experiment *e, const rmx_corpus *corpus, double *cap);
// Finished runs and what they took (redo.c).
typedef struct finished {
  size_t runs;
  double wall_s;
} finished;
void count_finished(finished *f, const json_t *result);
// Whether these may go out of use: --redo, or a person on a terminal says so. `why`: "would no
// longer be used (...)".
rmx_status ask_redo(const cli *c, const finished *f, const char *why, rmx_err *err);
// The same of what stands in the folders of the runs (n) to be trained, unless all of these were
// trained before and set aside. mixtures_count: a run of another mixture is a finished run that
// goes out of use; else (large models, whose mixtures are found on the way) it is another model,
// and the former is set aside without a question.
rmx_status ask_redo_runs(const cli *c, const rmx_run *runs, size_t n, bool mixtures_count,
                         rmx_err *err);
// The same where other runs (next) will take the place of runs (now).
rmx_status ask_redo_instead(const cli *c, const rmx_run *now, size_t n, const rmx_run *next,
                            size_t n_next, rmx_err *err);
// What was set aside (gc.c): {"runs", "wall_s", "corpora", "bytes"}.
rmx_status set_aside_json(const rmx_experiment *e, json_t **out, rmx_err *err);
#define REDO_OPTION(type)                                                                         \
  {                                                                                               \
    "redo", RMX_BOOL, offsetof(type, redo), "false", 0, 0, NULL,                                  \
        "go on where finished runs will no longer be used; without it a script stops there, and " \
        "a person is asked. They are set aside"                                                   \
  }
// Trains runs in worker processes and says how it went; `what` heads the progress.
rmx_status train_runs(const cli *c, const rmx_experiment *e, const rmx_corpus *corpus,
                      const rmx_run *runs, size_t n, const char *what, rmx_err *err);
// The mixture in optimum.yaml (D_train).
rmx_status read_optimum(const rmx_experiment *e, const rmx_corpus *corpus, double *w, rmx_err *err);
// Sets the weights of the target's metrics in `weight` (M), which is 0; a metric named twice is
// RMX_EINPUT.
rmx_status target_weights(const rmx_target_term *terms, size_t n, const char *const *metrics,
                          size_t M, double *weight, rmx_err *err);
// What the command line asks of a fit, over the config: a command has one such struct and
// QUESTION_OPTIONS in its table.
typedef struct question_args {
  char *prior, *tokens;
  rmx_strings target, maximize;
  double budget, max_epochs;
  rmx_question_options keep;
} question_args;
// Whether any of it was given.
bool question_given(const question_args *a);
// The question of the config with the command line's over it. corpus (NULL: none) gives prior and
// caps where the command line does not. The fit predicts runs of the budget from then on, where
// that makes a difference. A target may be missing. Release with rmx_question_release.
rmx_status ask(const cli *c, const rmx_experiment *e, rmx_fit *f, const question_args *a,
               const rmx_corpus *corpus, rmx_question *q, rmx_err *err);
bool has_target(const rmx_fit *f, const rmx_question *q);
#define QUESTION_AT(type, member) offsetof(type, question.member)
#define QUESTION_OPTIONS(type)                                                                      \
  {"target",                                                                                        \
   RMX_LIST,                                                                                        \
   QUESTION_AT(type, target),                                                                       \
   NULL,                                                                                            \
   0,                                                                                               \
   0,                                                                                               \
   "NAME[=WEIGHT]",                                                                                 \
   "metric (or group of metrics) to be improved: lowered, or raised where it is known to be a "     \
   "score; may be given several times"},                                                            \
      {"maximize", RMX_LIST,        QUESTION_AT(type, maximize),       NULL, 0,                     \
       0,          "NAME[=WEIGHT]", "metric to be raised (accuracies)"},                            \
      {"metric-group",                                                                              \
       RMX_LIST,                                                                                    \
       QUESTION_AT(type, keep.metric_group),                                                        \
       NULL,                                                                                        \
       0,                                                                                           \
       0,                                                                                           \
       "NAME=METRIC,...",                                                                           \
       "metrics whose mean can be a target, by this name"},                                         \
      {"no-worse",                                                                                  \
       RMX_LIST,                                                                                    \
       QUESTION_AT(type, keep.no_worse),                                                            \
       NULL,                                                                                        \
       0,                                                                                           \
       0,                                                                                           \
       "METRIC[=SLACK]",                                                                            \
       "metric (or group) predicted no worse than under --than, by more than the slack"},           \
      {"worst",                                                                                     \
       RMX_BOOL,                                                                                    \
       QUESTION_AT(type, keep.worst),                                                               \
       "false",                                                                                     \
       0,                                                                                           \
       0,                                                                                           \
       NULL,                                                                                        \
       "improve the worst of the target's metrics, relative to --than, not their sum"},             \
      {"than",                                                                                      \
       RMX_TEXT,                                                                                    \
       QUESTION_AT(type, keep.than),                                                                \
       NULL,                                                                                        \
       0,                                                                                           \
       0,                                                                                           \
       "FILE",                                                                                      \
       "mixture that --no-worse and --worst compare with; default: the prior"},                     \
      {"prior",                                                                                     \
       RMX_TEXT,                                                                                    \
       QUESTION_AT(type, prior),                                                                    \
       NULL,                                                                                        \
       0,                                                                                           \
       0,                                                                                           \
       "FILE",                                                                                      \
       "mixture to sample around, YAML or CSV; default: the corpus', else the mean of the runs"},   \
      {"floor", RMX_LIST,        QUESTION_AT(type, keep.floor), NULL, 0,                            \
       0,       "DOMAIN=WEIGHT", "the least weight of a domain"},                                   \
      {"cap", RMX_LIST,        QUESTION_AT(type, keep.cap),      NULL, 0,                           \
       0,     "DOMAIN=WEIGHT", "the greatest weight of a domain"},                                  \
      {"fix", RMX_LIST,        QUESTION_AT(type, keep.fix), NULL, 0,                                \
       0,     "DOMAIN=WEIGHT", "the weight of a domain"},                                           \
      {"share", RMX_LIST, QUESTION_AT(type, keep.share), NULL,                                      \
       0,       0,        "NAME=LOW..HIGH:DOMAIN,...",   "the weight of several domains together"}, \
      {"budget",                                                                                    \
       RMX_REAL,                                                                                    \
       QUESTION_AT(type, budget),                                                                   \
       NULL,                                                                                        \
       1,                                                                                           \
       1e18,                                                                                        \
       "TOKENS",                                                                                    \
       "tokens of the large run, for caps by epochs"},                                              \
      {"max-epochs",                                                                                \
       RMX_REAL,                                                                                    \
       QUESTION_AT(type, max_epochs),                                                               \
       NULL,                                                                                        \
       1e-6,                                                                                        \
       1e9,                                                                                         \
       "X",                                                                                         \
       "times a domain may be repeated in it at most (default 4)"},                                 \
      {"tokens",                                                                                    \
       RMX_TEXT,                                                                                    \
       QUESTION_AT(type, tokens),                                                                   \
       NULL,                                                                                        \
       0,                                                                                           \
       0,                                                                                           \
       "FILE",                                                                                      \
       "tokens there are of each domain: YAML or CSV, domain and count"},                           \
      {"drop-below",                                                                                \
       RMX_REAL,                                                                                    \
       QUESTION_AT(type, keep.drop_below),                                                          \
       NULL,                                                                                        \
       1e-9,                                                                                        \
       1,                                                                                           \
       "X",                                                                                         \
       "a weight is 0 or at least this"},                                                           \
      {"reference",                                                                                 \
       RMX_TEXT,                                                                                    \
       QUESTION_AT(type, keep.reference),                                                           \
       NULL,                                                                                        \
       0,                                                                                           \
       0,                                                                                           \
       "FILE",                                                                                      \
       "mixture not to stray from; default: the prior"},                                            \
      {"max-kl", RMX_REAL, QUESTION_AT(type, keep.max_kl),         NULL, 1e-9,                      \
       1e3,      "NATS",   "divergence from the reference at most"},                                \
  {                                                                                                 \
    "kl-penalty", RMX_REAL, QUESTION_AT(type, keep.kl_penalty), NULL, 1e-9, 1e9, "X",               \
        "times the divergence from the reference is added to the score"                             \
  }
// Prints a mixture as columns with bars, largest weight first. prior may be NULL, and so may the
// intervals low and high.
void print_mixture(const char *const *names, const double *w, const double *prior,
                   const double *low, const double *high, size_t D);
// A question and what came of it, with the fit it was asked of.
typedef struct answer {
  rmx_fit *fit;
  rmx_question question;
  const rmx_optimize_options *options;  // borrowed
  rmx_optimum optimum;
  rmx_front front;  // n = 0: none was asked for
  // What it is worth; D, n_versus or the sentence 0: not asked, or not to be had.
  rmx_uncertainty uncertainty;
  rmx_attribution attribution;
  rmx_learning_curve curve;
} answer;
json_t *answer_json(const answer *s);  // what optimum.yaml holds: a new reference
void print_answer(const answer *s);
// what optimum.yaml says the optimum gains
rmx_status print_gain_of(const rmx_experiment *e, rmx_err *err);
// Where the answer to a fit without an experiment goes: optimum.yaml beside the fit's folder, or in
// that of -C. free() it. NULL: an experiment is there, whose optimum stays. A file that regmix did
// not write is RMX_EINPUT.
rmx_status optimum_place(const cli *c, const rmx_experiment *e, const char *fit, char **path,
                         rmx_err *err);
// RMX_EINPUT where a file with content is there that `regmix optimize` did not write.
rmx_status optimum_may_replace(const char *path, rmx_err *err);
// Writes the answer to a fit's folder as YAML. corpus may be NULL, and so may question: the hash of
// what was asked.
rmx_status write_optimum(const rmx_experiment *e, const char *path, const answer *s,
                         const char *fit, const rmx_corpus *corpus, const char *question,
                         rmx_err *err);
// The hash of a fit's fit.json; false: there is none.
bool fit_hash(const char *fit, char out[17]);
// A comparison of large models (comparison.c). A mixture with a name is a contender; each of its
// seeds is a run.
typedef struct contender {
  char name[128];
  char detail_key[16], detail[128];  // which domain, which run
  double *mixture;                   // (D_train)
  json_t *controller;                // of its runs, or NULL
  // whose corpus it trains on, with `corpus` open; NULL: the comparison's
  char *experiment;
  rmx_corpus *corpus;
} contender;
typedef struct comparison {
  const rmx_experiment *e;
  rmx_corpus *corpus;
  contender *contenders;  // (n)
  size_t n, seeds;
  rmx_run *runs;   // (n, seeds)
  double *loss;    // (n, seeds, D) of the corpus' domains, NaN where diverged
  double *target;  // (n, seeds)
  double *flops;   // (n)
  double *weight;  // (D) of each domain's loss in the target
} comparison;
// Opens the corpus, makes room for n contenders, which the caller fills in. Release in any case.
rmx_status comparison_begin(comparison *c, const rmx_experiment *e, size_t n, size_t seeds,
                            bool with_target, rmx_err *err);
// The contender that a mixture's name means: optimum, prior, uniform, best_single, best_run,
// single:DOMAIN, a mixture file. RMX_EUSAGE for what is none of them.
rmx_status contender_named(const comparison *c, const char *name, contender *out, rmx_err *err);
rmx_status comparison_runs(comparison *c, rmx_err *err);  // makes c->runs
// c->loss, target and flops, once they are trained
rmx_status comparison_read(comparison *c, rmx_err *err);
void comparison_release(comparison *c);
// {"mean","se"[,"n"]} of those of x (n, stride apart) that are numbers.
json_t *mean_and_error(const double *x, size_t n, size_t stride, bool with_n);
json_t *comparison_losses(const comparison *c, size_t i);  // domain: {"mean","se"}
// of the target's paired difference, with its verdict
json_t *comparison_against(const comparison *c, size_t i, size_t other);
// such a one, as four columns: mean, low, high, verdict
void print_difference(const json_t *difference);
json_t *comparison_target(const comparison *c);             // metric: weight
void print_number(const json_t *x, int width, int digits);  // "-" for what is none
// Whether compare.methods and compare.budget are such, before any work; `typed`, `budget_typed`:
// options of the command gave them.
rmx_status check_methods(const cli *c, const rmx_experiment *e, bool typed, bool budget_typed,
                         rmx_err *err);
// The comparison of compare.methods (methods.c), if there are any: trains what each needs, then
// large models.
rmx_status step_methods(const cli *c, const rmx_experiment *e, rmx_err *err);
// Prints compare/methods.json.
rmx_status print_methods_of(const rmx_experiment *e, bool json, rmx_err *err);
// Prints large/comparison.json.
rmx_status print_comparison_of(const rmx_experiment *e, bool json, rmx_err *err);
// What made a file: version, seed, corpus. A new reference.
json_t *made_by(const rmx_experiment *e, const rmx_corpus *corpus);

#endif
