// SPDX-License-Identifier: Apache-2.0
// The steps of the pipeline, one a command. Each looks at what is there, does what is missing or
// answers another question, and says so; `regmix run` is all of them in order.
#ifndef REGMIX_STEPS_H
#define REGMIX_STEPS_H

#include <regmix/swarm.h>

#include "cli.h"

// Opens the experiment of -C (or of the yaml given) with --set applied. `needed`: it must have a regmix.yaml.
rmx_status open_experiment(const cli *c, const char *yaml, bool needed, rmx_experiment *e, rmx_err *err);
int worker_jobs(const rmx_experiment *e);

rmx_status step_prepare(const cli *c, const rmx_experiment *e, rmx_err *err);
rmx_status step_sample(const cli *c, const rmx_experiment *e, rmx_err *err);
rmx_status step_train(const cli *c, const rmx_experiment *e, rmx_err *err);
rmx_status step_fit(const cli *c, const rmx_experiment *e, rmx_err *err);
rmx_status step_optimize(const cli *c, const rmx_experiment *e, rmx_err *err);
rmx_status step_compare(const cli *c, const rmx_experiment *e, rmx_err *err);
rmx_status step_report(const cli *c, const rmx_experiment *e, rmx_err *err);

// The corpus of an experiment; where there is none, says that `regmix prepare` makes it.
rmx_status open_corpus(const rmx_experiment *e, rmx_corpus **corpus, rmx_err *err);
// One run per row of mixtures.csv, with the proxy's training. Release with release_runs.
rmx_status proxy_runs(const rmx_experiment *e, const rmx_corpus *corpus, rmx_run **runs, size_t *n, rmx_err *err);
void release_runs(rmx_run *runs, size_t n);
// Upper bounds of the weights, from tokens, large.tokens and sample.*: (D_train).
void weight_caps(const rmx_experiment *e, const rmx_corpus *corpus, double *cap);
// Trains runs in worker processes and says how it went; `what` heads the progress.
rmx_status train_runs(const cli *c, const rmx_experiment *e, const rmx_corpus *corpus, const rmx_run *runs, size_t n,
                      const char *what, rmx_err *err);
// The mixture in optimum.yaml (D_train).
rmx_status read_optimum(const rmx_experiment *e, const rmx_corpus *corpus, double *w, rmx_err *err);
// Adds the weights of the target's metrics (M) to `weight`.
rmx_status target_weights(const rmx_target_term *terms, size_t n, const char *const *metrics, size_t M, double *weight,
                          rmx_err *err);
// Prints a mixture as two columns with bars, largest weight first.
void print_mixture(const char *const *names, const double *w, const double *prior, size_t D);
// Prints large/comparison.json.
rmx_status print_comparison_of(const rmx_experiment *e, bool json, rmx_err *err);
// What made a file: version, seed, corpus. A new reference.
json_t *made_by(const rmx_experiment *e, const rmx_corpus *corpus);

#endif
