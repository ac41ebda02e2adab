// SPDX-License-Identifier: Apache-2.0
// passages.h: how likely a model holds passages of text, and how many tokens of training a budget
// pays for.
#ifndef RMX_BASELINES_PASSAGES_H
#define RMX_BASELINES_PASSAGES_H

#include <regmix/baselines.h>

// Tokens from .. to - 1 of a token file.
typedef struct rmx__passage {
  size_t from, to;
} rmx__passage;

// nats[i] = -log P(passage i) under the model that `run` left, summed over the passage's tokens.
// The first token is predicted from the one before it in the file, which for a document is the end
// of the text before (at the start of the file an end of text is put there). A passage longer than
// the context goes in windows of it side by side, the first token of each predicted from the one
// before alone, as in validation. Windows go through the model by length, those of a pass filled up
// to the longest. Adds to `result` what that took: a forward pass, F / 3, of each token, the
// filling counted too. The numbers are kept in the run's folder, so that the same question is not
// computed again (and costs what it cost then). RMX_EINTERRUPTED when asked to stop.
rmx_status rmx__passage_nats(const rmx_comparison *c, const rmx_run *run, const void *ids,
                             int width, const rmx__passage *passages, size_t n, const char *what,
                             double *nats, rmx_baseline_result *result, rmx_err *err);

// Tokens that `flops` train a model of this training on, in whole steps, after `valid` validations
// of all domains. RMX_EINPUT, headed by `method`, where that is less than LEAST_STEPS of them;
// `models`: how many share the budget.
enum { RMX__LEAST_STEPS = 8 };
rmx_status rmx__budget_tokens(const rmx_comparison *c, const rmx_training *t, double flops,
                              double valid, const char *method, size_t models, int64_t *tokens,
                              rmx_err *err);

#endif
