// SPDX-License-Identifier: Apache-2.0
// passages.h: the log-probability of passages of text under a model, and the number of training
// tokens that a budget pays for.
#ifndef RMX_BASELINES_PASSAGES_H
#define RMX_BASELINES_PASSAGES_H

#include <regmix/baselines.h>

// Tokens from .. to - 1 of a token file.
typedef struct rmx__passage {
  size_t from, to;
} rmx__passage;

// nats[i] = -log P(passage i) under the model of `run`, summed over the passage's tokens. The first
// token is predicted from the token before it in the file; for a document that is the end of the
// text before (at the start of the file, an end of text). A passage longer than the context is cut
// into windows, and the first token of each window is predicted from the token before alone, as in
// validation. Windows are sorted by length, and padded to the longest of a pass. Adds the cost to
// `result`: a forward pass for each token, padding too. The numbers are kept in the run's folder,
// and are not computed again (but their cost is added again). RMX_EINTERRUPTED when asked to
// stop.
rmx_status rmx__passage_nats(const rmx_comparison *c, const rmx_run *run, const void *ids,
                             int width, const rmx__passage *passages, size_t n, const char *what,
                             double *nats, rmx_baseline_result *result, rmx_err *err);

// The number of tokens that `flops` pay for, in whole steps of this training, after `valid`
// validations of all domains. RMX_EINPUT, headed by `method`, if that is fewer than RMX__MIN_STEPS
// steps; `models`: how many models share the budget.
enum { RMX__MIN_STEPS = 8 };
rmx_status rmx__budget_tokens(const rmx_comparison *c, const rmx_training *t, double flops,
                              double valid, const char *method, size_t models, int64_t *tokens,
                              rmx_err *err);

#endif
