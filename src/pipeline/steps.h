// SPDX-License-Identifier: Apache-2.0
// The steps of the pipeline and their shared functions.
#ifndef RMX_PIPELINE_STEPS_H
#define RMX_PIPELINE_STEPS_H

#include <regmix/pipeline.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/stamp.h"
#include "experiment/files.h"
#include "optimize/problem.h"

rmx_status rmx__step_prepare(rmx_pipeline *p, rmx_err *err);
rmx_status rmx__step_sample(rmx_pipeline *p, rmx_err *err);
rmx_status rmx__step_train(rmx_pipeline *p, rmx_err *err);
// Trains what methods read of the runs: of several swarms, that of the section `proxy` alone.
rmx_status rmx__train_proxies(rmx_pipeline *p, rmx_err *err);
rmx_status rmx__step_fit(rmx_pipeline *p, rmx_err *err);
rmx_status rmx__step_optimize(rmx_pipeline *p, rmx_err *err);
rmx_status rmx__step_compare(rmx_pipeline *p, rmx_err *err);
rmx_status rmx__step_methods(rmx_pipeline *p, rmx_err *err);
rmx_status rmx__step_report(rmx_pipeline *p, rmx_err *err);

// ---- another command in the same folder (own_files.c)

// Remembers the files that a step has left, for rmx_pipeline_unchanged(), which it asks first.
rmx_status rmx__left_by(rmx_pipeline *p, rmx_step step, rmx_err *err);
// The same of a file that a step wrote from this tree.
rmx_status rmx__left_tree(rmx_pipeline *p, const char *name, const json_t *tree, rmx_err *err);
// RMX_EINPUT where runs (n) that were trained, but for those that failed, have no result of this
// config any more (train.c).
rmx_status rmx__are_still_ours(const rmx_run *runs, size_t n, size_t failed, rmx_err *err);

// ---- a dry run (dry_run.c)

// Whether an earlier step would do something.
bool rmx__is_pending(const rmx_pipeline *p);
// Reports what a step found. In a dry run it returns true, and the step ends here. Otherwise it
// prints a note if nothing needs to be done.
bool rmx__would(rmx_pipeline *p, const char *step, bool to_do, const char *fmt, ...)
    RMX_PRINTF(4, 5);
// In a dry run: reports how many runs would be trained and how long that would take; true. Else
// false.
bool rmx__would_train(rmx_pipeline *p, const char *step, const rmx_run *runs, size_t n);

// Whether a setting gave this key, or one below it.
bool rmx__was_set(const rmx_pipeline *p, const char *key);
// What failed later and names a key of --set is misuse.
rmx_status rmx__refused_setting(const rmx_pipeline *p, rmx_err *err);
// What made a file: version, seed, corpus (NULL: none). A new reference.
json_t *rmx__made_by(const rmx_experiment *e, const rmx_corpus *corpus);

// ---- corpus

// Prints a note for each domain: its files, bytes and formats. A domain without files is an error.
rmx_status rmx__sources_list(rmx_pipeline *p, const rmx_sources *s, rmx_err *err);

// RMX_EINPUT: mixtures.csv would have these n names as columns, and they would be taken for columns
// of phases.
rmx_status rmx__are_not_phases(const char *const *names, size_t n, rmx_err *err);

// The files that are not read, with the reasons: an array, a new reference.
rmx_status rmx__left_out_json(const rmx_pipeline *p, const rmx_sources *s, json_t **out,
                              rmx_err *err);
// Warns of files that belong to several domains (shared_files.c).
void rmx__tell_shared_files(const rmx_pipeline *p, const rmx_sources *s);
// Warns of files beside those of the corpus that are named as further parts of one of them, and
// that no pattern matches (more_parts.c).
void rmx__tell_more_parts(const rmx_pipeline *p, const rmx_sources *s);
// Notes the table of the domains of a corpus.json.
void rmx__note_domains(const rmx_pipeline *p, const json_t *index);

// ---- the corpus of the proxies (matched.c)

typedef enum rmx__repeat {
  RMX__REPEAT_NONE,   // they read the whole corpus
  RMX__REPEAT_SAME,   // so do they, but they have as many tokens as the large run
  RMX__REPEAT_MATCH,  // they repeat each domain as often as the large run will
  RMX__REPEAT_KEEP,   // they would, but finished ones do not, and are kept
} rmx__repeat;
rmx__repeat rmx__repeat_of(const rmx_experiment *e, const rmx_corpus *corpus);
// Writes the part of the corpus that the proxies read, unless they read all or it is there.
rmx_status rmx__match_corpus(rmx_pipeline *p, const rmx_corpus *corpus, rmx_err *err);
// Warns of RMX__REPEAT_KEEP.
void rmx__warn_of_repetition(rmx_pipeline *p, const rmx_corpus *corpus);

typedef struct rmx__proxy_corpus {
  const rmx_corpus *corpus;  // what the proxies read; its hash is 0 if it is not written yet
  const char *folder;        // that holds it
  char *path;
  rmx_corpus *opened, missing;
} rmx__proxy_corpus;
// Release in any case.
rmx_status rmx__proxy_corpus_open(const rmx_experiment *e, const rmx_corpus *corpus,
                                  rmx__proxy_corpus *out, rmx_err *err);
void rmx__proxy_corpus_release(rmx__proxy_corpus *c);
// Whether the proxies were trained on such a part. Cost: no corpus is opened.
bool rmx__proxies_match(const rmx_experiment *e);
// How often each domain is seen, for a plan: {"repeat", "share", "domains": {name: {"tokens",
// "proxy_tokens", "largest_weight", "proxies", "large"}}}: the epochs at the largest weight that a
// mixture may have. A new reference.
json_t *rmx__epochs_json(const rmx_experiment *e, const rmx_corpus *corpus);

// ---- caps by epochs (epochs.c)

// The number of "X" or "NAME=X"; `what` heads the messages.
rmx_status rmx__epochs_of(const char *text, const char *what, double *epochs, rmx_err *err);
// Sets most (n) from "X" and "NAME=X". The numbers of names count in any order, and the last of two
// for one name; `what` heads the messages.
rmx_status rmx__take_epochs(const rmx_strings *list, const char *what, const char *const *names,
                            size_t n, double *most, rmx_err *err);
// rmx_weight_caps() for a large run of `budget` tokens.
rmx_status rmx__weight_caps(const rmx_experiment *e, const rmx_corpus *corpus, double budget,
                            double *cap, rmx_err *err);
// Sets s->lifted, from a search without the caps by epochs that the optimum is at, and notes it.
rmx_status rmx__lift_caps(const rmx_optimize_request *how, rmx_answer *s, rmx_err *err);
json_t *rmx__lifted_json(const rmx_lifted_caps *l);  // a new reference
// `folded` of an answer: {"levels", "mixture", "prior", "interval"}. A new reference; NULL: no
// memory.
json_t *rmx__folded_json(const rmx_answer *s);

// ---- phases (phases.c)

// What the columns of a fit are, and the shares of its phases that the user gave or the fit has.
typedef struct rmx__phased {
  rmx_phase_columns columns;  // n = 0: there are no phases
  double *share;
} rmx__phased;
// RMX_EUSAGE: shares that do not suit the fit. Release in any case.
rmx_status rmx__search_phases(const rmx_fit *f, const rmx_strings *asked, rmx__phased *out,
                              rmx_err *err);
void rmx__phased_release(rmx__phased *p);
// What users may type for columns of phases: a domain or a node of them over all phases, or columns
// and nodes of one phase. Without phases: the names alone. out must stay where it is.
typedef struct rmx__phased_names {
  rmx__names names;
  const rmx_phase_columns *columns;
} rmx__phased_names;
void rmx__phased_names_make(const char *const *names, const rmx_phase_columns *columns,
                            const double *share, rmx__phased_names *out);
// Constraints: the sum of each phase; caps (n_domains) over all phases, which messages call `what`;
// the mixtures of the first phases.
rmx_status rmx__hold_phases(const char *const *names, const rmx_phase_columns *c,
                            const double *share, rmx_constraints *k, rmx_err *err);
rmx_status rmx__phase_caps(const rmx_fit *f, const rmx__phased *p, const double *cap,
                           const char *what, bool by_epochs, rmx_constraints *k, rmx_err *err);
rmx_status rmx__give_phases(const rmx_fit *f, const rmx__phased *p, const rmx_strings *files,
                            rmx_constraints *k, rmx_err *err);
// The given first phases, in the prior (f->D) that the answer is compared with.
rmx_status rmx__prior_given(const rmx_fit *f, const rmx__phased *p, const rmx_strings *files,
                            double *prior, rmx_err *err);
// w (f->D): the mixture `one` (n_domains) in every phase.
void rmx__phased_mixture(const rmx_fit *f, const rmx__phased *p, const double *one, double *w);
// [{"share","mixture"}] of w (f->D); share NULL: those of the fit. A new reference.
json_t *rmx__phases_json(const rmx_fit *f, const double *w, const double *share);
void rmx__tell_phases(const rmx_listener *to, const json_t *list);
// The domains of these phases; none: it has none.
rmx_status rmx__phase_names(const char *path, rmx_strings *names, rmx_err *err);
// The phases of an optimum.yaml, by domain; n = 0: it has none. Release it.
rmx_status rmx__phases_read(const char *path, const char *const *names, size_t D, rmx_phases *out,
                            rmx_err *err);

// ---- runs

// The experiment with the training of swarm k in the place of the proxy's; it borrows from e.
rmx_experiment rmx__swarm_view(const rmx_experiment *e, size_t k);
// The runs of all swarms.
rmx_status rmx__all_runs(const rmx_experiment *e, const rmx_corpus *corpus, rmx_run **runs,
                         size_t *n, rmx_err *err);
// The same of a table that has not been written yet.
rmx_status rmx__runs_of_table(const rmx_experiment *e, const rmx_corpus *corpus, const rmx_table *t,
                              rmx_run **runs, size_t *n, rmx_err *err);
// How many of the runs have no end yet: neither a result nor a divergence.
size_t rmx__count_open(const rmx_run *runs, size_t n);
// Trains runs in worker processes and reports how it went; `what` heads the progress. *failed: how
// many failed, as may_fail allows; once their results are read: rmx__are_still_ours().
rmx_status rmx__train_runs(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *runs, size_t n,
                           const char *what, size_t *failed, rmx_err *err);
// The runs of all swarms, with the corpus. `write`: writes the part of it that the proxies read,
// if it is not there. Close in any case.
struct rmx__runs_of {
  rmx_corpus *corpus;
  rmx_run *runs;
  size_t n;
};
rmx_status rmx__runs_open(rmx_pipeline *p, bool write, struct rmx__runs_of *out, rmx_err *err);
void rmx__runs_close(struct rmx__runs_of *r);
// Asks for the same consent as rmx__step_train, before anything is written.
rmx_status rmx__agree_to_train(rmx_pipeline *p, rmx_err *err);
// mixtures.csv was drawn for other settings or another corpus, so `regmix run` would draw it again.
// A file of the user's own never is.
bool rmx__mixtures_are_stale(const rmx_experiment *e, const rmx_corpus *corpus);
#define RMX__STALE_MIXTURES                                                                     \
  "mixtures.csv was drawn for other settings or another corpus, so `regmix run` would draw it " \
  "again and not use runs of these mixtures"
// RMX_EINPUT where runs of the proxies are not done, beyond those that may fail.
rmx_status rmx__are_trained(rmx_pipeline *p, rmx_err *err);
// Puts into the tables of an experiment's own runs the shares that were drawn, if they differ much
// from the requested ones, and the directions that the results give.
rmx_status rmx__take_own_runs(rmx_pipeline *p, rmx_table *mixtures, rmx_table *metrics,
                              rmx_err *err);

// Writes a table of these runs again. Columns and rows that the user added to it are kept, if their
// runs are the same as then. A file in which numbers of regmix were changed is set aside, and one
// with something that can't be kept (kept_tables.c).
rmx_status rmx__table_write(rmx_pipeline *p, const char *name, const rmx_table *t,
                            const struct rmx__runs_of *runs, rmx_err *err);
// The names of rows that were changed since, and of those that the user added. runs: today's, if
// they are known; a row that the user added to another run than today's is not among these then.
rmx_status rmx__table_look(const rmx_experiment *e, const char *name,
                           const struct rmx__runs_of *runs, rmx_few *changed, rmx_strings *added,
                           rmx_err *err);
// Copies a table to .set-aside/, under a name of its content; free() *to.
rmx_status rmx__set_file_aside(const rmx_experiment *e, const char *name, const char *path,
                               char **to, rmx_err *err);
// Whether regmix wrote rows into it.
bool rmx__table_has_results(const rmx_experiment *e, const char *name);
// RMX_EINPUT: it is the user's, and of no form in which regmix could write further rows.
rmx_status rmx__table_may_grow(const rmx_experiment *e, const char *name, rmx_err *err);
// Warns if numbers of metrics.csv were changed, and if rows of it are of runs that `regmix train`
// would not use again.
void rmx__warn_of_unused_runs(rmx_pipeline *p, const char *metrics);

// ---- a part of the runs (slice.c)

// `chosen` gets copies of p->slice's part (*m) of the runs; what they point to stays the runs'.
// free() it.
rmx_status rmx__slice_runs(const rmx_pipeline *p, const rmx_run *runs, size_t n, rmx_run **chosen,
                           size_t *m, rmx_err *err);
// RMX_EINPUT: this machine does not have the processor level of the config. A warning where
// finished runs were trained at another level than this machine's.
rmx_status rmx__check_level(rmx_pipeline *p, const rmx_run *runs, size_t n, rmx_err *err);
// Adds the indices of the runs that the file names, in its order. RMX_EINPUT for a name that is not
// a run's. order (n) has room for all; each run counts once.
rmx_status rmx__runs_in_file(const char *path, const rmx_run *runs, size_t n, size_t *order,
                             size_t *m, rmx_err *err);

// ---- scores on tasks (task_files.c, task_scores.c, task_columns.c)

// The files of eval.tasks are there, and their names differ.
rmx_status rmx__check_tasks(const rmx_experiment *e, rmx_err *err);
// The bytes of text that each model is scored on, about.
rmx_status rmx__task_bytes(const rmx_experiment *e, double *bytes, rmx_err *err);
// Whether a metric is a score that eval.tasks measures: "TASK/acc".
bool rmx__is_task_score(const rmx_experiment *e, const char *metric);
// Finished runs that did not keep their model would be trained again: asks for consent.
rmx_status rmx__agree_to_keep_models(rmx_pipeline *p, const rmx_run *runs, size_t n, rmx_err *err);
// Scores the models of the finished runs on what is new, and writes scores.json in their folders.
rmx_status rmx__score_runs(rmx_pipeline *p, const rmx_run *runs, size_t n, const char *what,
                           rmx_err *err);
// The names of the scores of runs, and of each run its scores.json (n), of the tasks of the config
// alone. Release both.
rmx_status rmx__task_metrics(const rmx_experiment *e, const rmx_run *runs, size_t n,
                             rmx_strings *names, json_t **scores, rmx_err *err);
// A score in scores.json, by the name of its metric; NaN: it is not there.
double rmx__task_score(const json_t *scores, const char *metric);
// Adds these scores to a table of metrics, and to `facts` what is known of each: {"chance",
// "standard_error", "low", "high", "sd"}. Warns of accuracies that are no better than guessing.
rmx_status rmx__add_task_scores(rmx_pipeline *p, const rmx_run *runs, size_t n, rmx_table *t,
                                json_t *facts, rmx_err *err);

// ---- finished runs that would go out of use (redo.c)

typedef struct rmx__finished {
  size_t runs, timed;  // timed: whose time is known; a trainer of the user need not report it
  double wall_s;       // of these
  size_t scored;       // runs without a result, of which the user wrote rows of metrics.csv
} rmx__finished;
enum { RMX__TOOK = 80 };
// ", which took 3.1 s,", or how many of them took it; "" where no time is known.
const char *rmx__took(const rmx__finished *f, char out[RMX__TOOK]);
void rmx__count_finished(rmx__finished *f, const json_t *result);
// Whether these may go out of use. `why`: "would no longer be used (...)".
rmx_status rmx__agree(rmx_pipeline *p, const rmx__finished *f, const char *why, rmx_err *err);
// The same for the finished runs in the folders of the runs (n) to be trained, unless all of these
// were trained before and set aside. mixtures_count: a run of another mixture is a finished run
// that goes out of use; else (large models, whose mixtures are found on the way) it is another
// model, and the former is set aside without a question.
rmx_status rmx__agree_to_outdate(rmx_pipeline *p, const rmx_run *runs, size_t n,
                                 bool mixtures_count, rmx_err *err);
// The same where other runs (next), which may be fewer, will take the place of runs (now). scored:
// rows that the user added to metrics.csv and that would be of other mixtures then.
rmx_status rmx__agree_to_replace(rmx_pipeline *p, const rmx_run *now, size_t n, const rmx_run *next,
                                 size_t n_next, size_t scored, rmx_err *err);

// Finished runs in runs/ that are none of these runs (n): unused_runs.c. Their folders are added to
// `folders`, which may be NULL.
rmx_status rmx__unused_runs(const rmx_experiment *e, const rmx_run *runs, size_t n,
                            rmx__finished *out, rmx_few *names, rmx_strings *folders, rmx_err *err);
// Whether those of them that the tables of the experiment have may go out of use. *some: there are.
rmx_status rmx__agree_to_leave(rmx_pipeline *p, const rmx_run *runs, size_t n, bool *some,
                               rmx_err *err);
// Notes how many there are and how long they took.
rmx_status rmx__tell_unused(rmx_pipeline *p, const rmx_run *runs, size_t n, rmx_err *err);

// Whether two names mean one file; *info: what the first is.
bool rmx__same_file(const char *a, const char *b, struct stat *info);

// What a plan must know about the text (plan_text.c).
struct rmx__plan_text {
  int vocab;
  double bytes;          // of text, uncompressed
  double *valid_tokens;  // of one evaluation, by rmx__training_at; free() it
  double task_tokens;    // that each model is scored on
  double seconds;        // of prepare
  // sums of the caps of the domains' weights: as estimated; if each byte were a token. 1: enough
  double caps, most_caps;
  double spool, tokens;  // bytes on disk while it works; of the token files
  json_t *epochs;        // rmx__epochs_json; NULL: the corpus is not there yet
};
// Whether the proxies leave their models: as the config asks, or since tasks score them.
bool rmx__keeps_models(const rmx_config *c);
// The trainings of a config: 0 is the proxy's, 1 the large model's, then those of the swarms.
const rmx_training *rmx__training_at(const rmx_config *c, size_t i);
// The same before and after `prepare`: only a corpus of this config counts. without_text: the files
// need not be there.
rmx_status rmx__plan_text(rmx_pipeline *p, bool without_text, struct rmx__plan_text *out,
                          rmx_err *err);
// RMX_EINPUT: the folder of the corpus has files that `prepare` did not write, and it would replace
// them (prepared.c).
rmx_status rmx__corpus_is_own(const rmx_experiment *e, rmx_err *err);
// Test number i of what a later step would refuse, by the config alone; *there: there is such a
// test (refused.c).
rmx_status rmx__refused_later(const rmx_pipeline *p, size_t i, bool *there, rmx_err *err);
// The message where the caps of the weights sum to less than 1.
void rmx__caps_text(const rmx_experiment *e, double sum, char out[400]);
// The request for the corpus of the experiment (prepared.c).
rmx_corpus_request rmx__corpus_request(const rmx_pipeline *p, const rmx_sources *s);

// ---- fit and optimum

// ---- directions of metrics (directions.c)

// Sets the directions of those metrics that "higher_is_better" of a tree names. metrics->better is
// there.
void rmx__take_directions(const json_t *tree, rmx_table *metrics);
// Makes metrics->better and sets the directions that runs and tasks reported (metrics.json).
rmx_status rmx__reported_directions(const rmx_experiment *e, rmx_table *metrics, rmx_err *err);
// Settles metrics->better: patterns of the options, what is there, names. RMX_BETTER_UNSAID remains
// where nothing says it.
rmx_status rmx__settled_directions(const rmx_regress_options *o, rmx_table *metrics, rmx_err *err);
// RMX_EUSAGE: the target, or a limit, has a metric that is called by a task alone, and nothing says
// whether it is a score or a loss.
rmx_status rmx__ask_directions(const rmx_fit *f, const rmx_target *t, rmx_err *err);
// The same of one metric.
rmx_status rmx__ask_direction_of(const char *metric, rmx_better better, rmx_err *err);
// {metric: {"higher_is_better", "from"}} of the metrics of the target and of its limits: a new
// reference.
json_t *rmx__directions_json(const rmx_fit *f, const rmx_target *t);
// metrics->better of metrics of an experiment, as its fit has them.
rmx_status rmx__directions_in(const rmx_experiment *e, rmx_table *metrics, rmx_err *err);

// A fit to runs of another tokenizer counts tokens, and so weights and losses, in another way than
// the corpus of the experiment: a warning.
void rmx__warn_of_tokenizer(rmx_pipeline *p, const rmx_fit *f);
// Sets the weights of the target's metrics in `weight` (M), which is 0, and in `group` (M, or NULL)
// which of these groups they are of; a metric named twice is RMX_EINPUT.
rmx_status rmx__target_weights(const rmx_config *c, const rmx_strings *groups,
                               const char *const *metrics, size_t M, double *weight, int *group,
                               rmx_err *err);
// The target of the config in a target of a fit (rmx_target_make): scores get a negative weight,
// and the listener (or NULL) a note of it. Without a target, the only metric is it.
rmx_status rmx__target_of_config(const rmx_config *c, const rmx_strings *groups, const rmx_fit *f,
                                 rmx_target *t, const rmx_listener *listener, rmx_err *err);
// RMX_EINPUT where an optimum that `regmix optimize` wrote was changed since.
rmx_status rmx__optimum_is_whole(const char *path, rmx_err *err);
// rmx_optimum_write with what it was made from: corpus and stamp, or NULL.
rmx_status rmx__optimum_write(const rmx_experiment *e, const char *path, const rmx_answer *s,
                              const char *fit, const rmx_corpus *corpus,
                              const struct rmx__stamp *stamp, rmx_err *err);

// ---- a comparison of large models (large_models.c). A mixture with a name is a contender; each of
// its seeds is a run.
typedef struct contender {
  char name[128];
  char detail_key[16], detail[128];  // which domain, which run
  double *mixture;                   // (D_train)
  rmx_phases phases;                 // of which it is the mean; n = 0: none
  json_t *controller;                // of its runs, or NULL
  // whose corpus it trains on, with `corpus` open; NULL: the comparison's
  char *experiment;
  rmx_corpus *corpus;
  bool failed;  // it has no mixture, and no models
  size_t same;  // the first contender with the same mixture, which has the models of both
} contender;
typedef struct comparison {
  const rmx_experiment *e;
  rmx_corpus *corpus;
  contender *contenders;  // (n)
  size_t n, seeds;
  rmx_run *runs;       // (n, seeds)
  double *loss;        // (n, seeds, D) of the corpus' domains, NaN where diverged
  double *target;      // (n, seeds)
  double *flops;       // (n)
  double *weight;      // (D + others.n) of each metric in the target; negative: it is raised
  rmx_strings others;  // metrics that are not losses of domains, of metrics.csv
  rmx_strings scores;  // those that the large models were measured on
  double *score;       // (n, seeds, scores.n)
} comparison;
// Opens the corpus, makes room for n contenders, which the caller fills in. Release in any case.
rmx_status rmx__comparison_begin(comparison *c, const rmx_experiment *e, size_t n, size_t seeds,
                                 bool with_target, rmx_err *err);
// RMX_EUSAGE where the target was typed (--set target=) and is none of this corpus.
rmx_status rmx__comparison_typed_target(rmx_pipeline *p, rmx_err *err);
// The contender that a mixture's name means: optimum, prior, uniform, best_single, best_run,
// single:DOMAIN, a mixture file. RMX_EUSAGE for what is none of them.
rmx_status rmx__contender_named(const comparison *c, const char *name, contender *out,
                                rmx_err *err);
// Makes c->runs, and finds contenders that are the same: one mixture is trained once.
rmx_status rmx__comparison_runs(comparison *c, rmx_err *err);
// The runs that are to be trained, each once, borrowed from c: release the array alone. *n of them.
rmx_status rmx__comparison_models(const comparison *c, const rmx_listener *listener, rmx_run **runs,
                                  size_t *n, rmx_err *err);
// c->loss, target and flops, once they are trained
rmx_status rmx__comparison_read(comparison *c, rmx_err *err);
void rmx__comparison_release(comparison *c);
// {"mean","se"[,"n"]} of the numbers in x (n values, one each `stride`); NaN is left out.
json_t *rmx__mean_and_error(const double *x, size_t n, size_t stride, bool with_n);
json_t *rmx__comparison_losses(const comparison *c, size_t i);  // domain: {"mean","se"}
json_t *rmx__comparison_scores(const comparison *c, size_t i);  // metric: {"mean","se"}
// A metric that is no loss of a domain, of a run with this result and scores.json; NaN: unknown.
double rmx__other_metric(const json_t *result, const json_t *scores, const char *name);
// The target of such a run.
double rmx__target_of(const comparison *c, const json_t *result, const json_t *scores);
// of the target's paired difference, with its verdict
json_t *rmx__comparison_against(const comparison *c, size_t i, size_t other);
json_t *rmx__comparison_target(const comparison *c);  // metric: weight

// Makes a fit of several scales one for the scale that was typed, else for that of the config, else
// for the large model of an experiment with several swarms (corpus not NULL).
rmx_status rmx__fit_for(const rmx_experiment *e, rmx_fit *f, const char *typed,
                        const rmx_corpus *corpus, rmx_err *err);
// Lists the measured sizes of a fit, before it becomes one of a single scale.
rmx_status rmx__drift_begin(const rmx_fit *f, rmx_drift *d, rmx_err *err);
// Searches the optimum of each of these sizes; s->optimum is that of the scale asked for.
rmx_status rmx__drift_find(const rmx_optimize_request *how, rmx_answer *s, rmx_err *err);
json_t *rmx__drift_json(const rmx_answer *s);  // a new reference

// Writes evaluations.csv of the runs that are done.
rmx_status rmx__write_evaluations(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *runs,
                                  size_t n, rmx_err *err);

// Warns if `path` is an optimum that `regmix optimize` wrote and that was changed by hand since.
void rmx__optimum_warn(const char *path, const rmx_listener *to);

// ---- reuse.c

// rmx_tokens_by_domain(), where the prior's file may have a virtual domain: that has the tokens at
// which its scarcest member is read once.
rmx_status rmx__reuse_tokens(const rmx_listener *to, const char *prior, const char *path,
                             const char *const *domains, size_t D, double *tokens, rmx_err *err);
// Adds to an error about an unknown domain that it is part of the virtual one of the prior's file.
rmx_status rmx__reuse_explain(const char *prior, rmx_err *err);
// Replaces the virtual domain in the maps of an answer by its members; "searched" has the maps as
// they were found.
void rmx__reuse_expand_answer(const rmx_reuse *r, json_t *root);

#endif
