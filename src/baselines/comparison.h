// SPDX-License-Identifier: Apache-2.0
// comparison.h: what the methods share: they make runs, train them, count their cost, read models.
#ifndef RMX_BASELINES_COMPARISON_H
#define RMX_BASELINES_COMPARISON_H

#include <regmix/baselines.h>

#include "base/json.h"

// The methods, each in the file of its name.
extern const rmx_baseline rmx__human, rmx__prior, rmx__uniform, rmx__unimax, rmx__single;
extern const rmx_baseline rmx__regmix, rmx__regmix_paper, rmx__olmix;
extern const rmx_baseline rmx__ppl, rmx__mixmin, rmx__merge, rmx__law, rmx__climb;
extern const rmx_baseline rmx__doremi, rmx__odm, rmx__aioli, rmx__rho1;

// FLOPs to train on one token, with head and attention. See RMX_FORWARD_PASSES.
rmx_status rmx__comparison_flop(const rmx_comparison *c, const rmx_training *t,
                                double *flop_per_token, rmx_err *err);
// FLOPs of one validation of all domains by a model of this training.
double rmx__comparison_valid_flops(const rmx_comparison *c, const rmx_training *t,
                                   double flop_per_token);
// Room for a mixture in out->mixture, all 0, and an empty out->notes.
rmx_status rmx__baseline_result_make(const rmx_comparison *c, rmx_baseline_result *out,
                                     rmx_err *err);

// A run in <c->folder>/<name>. Takes `controller` (may be NULL). rmx_run_release it.
rmx_status rmx__comparison_run(const rmx_comparison *c, const char *name, const double *mixture,
                               const rmx_training *training, uint64_t seed, bool keep_model,
                               json_t *controller, rmx_run *out, rmx_err *err);
// Trains the runs, and adds their cost to out->flops and out->wall_s. results (n; may be NULL) get
// result.json; release them. A run that failed or diverged is RMX_ENUMERIC.
rmx_status rmx__comparison_train(const rmx_comparison *c, const rmx_run *runs, size_t n,
                                 const char *what, json_t **results, rmx_baseline_result *out,
                                 rmx_err *err);
// FLOPs in a result.json: of training, validation and controller.
double rmx__result_flops(const json_t *result);
// The target of a result's losses; NaN where one is missing.
double rmx__result_target(const rmx_comparison *c, const json_t *result);

// The settings of the proxies, without the evaluation half way.
rmx_training rmx__comparison_proxy(const rmx_comparison *c);
// A proxy on `mixture` with this number of tokens, whose model is kept. It is trained once for all
// methods that need the same. *out is the run, whose folder holds the model. Adds its full cost to
// spent->flops.
rmx_status rmx__comparison_reference(const rmx_comparison *c, const double *mixture, int64_t tokens,
                                     rmx_run *out, rmx_baseline_result *spent, rmx_err *err);
// Threads of a model that the comparison itself uses: what rmx_model_threads takes.
int rmx__comparison_threads(const rmx_comparison *c);
// The model of a run, for forward passes of B sequences of T tokens.
rmx_status rmx__model_of_run(const char *folder, int B, int T, const rmx_kernels *k,
                             rmx_model **out, rmx_err *err);

// {"tokens": at, "mixture": {}} appended to the "track" of notes.
void rmx__track(json_t *notes, double tokens, const double *mixture, const char *const *names,
                size_t D);

// swarm_fit.c: the options of a regressor by name, with every default; rmx_options_release them.
rmx_status rmx__regressor_defaults(const char *name, rmx_regress_options *out, rmx_err *err);
// A fit of the target's metrics to the first runs of the swarm, as many as the budget pays for.
// Adds their cost.
rmx_status rmx__swarm_fit(const rmx_comparison *c, const rmx_regress_options *options,
                          rmx_baseline_result *spent, rmx_fit **out, rmx_err *err);
// A problem on such a fit: the target's weights, the prior, the caps.
rmx_status rmx__swarm_problem(const rmx_comparison *c, const rmx_fit *fit, rmx_problem *q,
                              rmx_err *err);
// RMX_EINPUT if there is no swarm, trained or not.
rmx_status rmx__needs_swarm(const rmx_comparison *c, rmx_err *err);

#endif
