// SPDX-License-Identifier: Apache-2.0
// controller.h: what the methods that control a training share, and the step of each method as a
// function of numbers, for tests.
#ifndef RMX_BASELINES_CONTROLLER_H
#define RMX_BASELINES_CONTROLLER_H

#include "base/json.h"
#include "comparison.h"

// ---- checks before any training: RMX_EINPUT, headed by the method's name

// `t` uses the trainer of regmix: only this one can be controlled, and its model can be
// read.
rmx_status rmx__check_ours(const char *method, const char *section, const rmx_training *t,
                           rmx_err *err);
// There are two or more domains, each with text for one sequence of `t`, since no domain may be
// left out.
rmx_status rmx__check_domains(const rmx_comparison *c, const char *method, const rmx_training *t,
                              rmx_err *err);
// A training of `tokens` by `t` has enough optimiser steps; `spent` names what the budget pays
// for.
rmx_status rmx__check_tokens(const rmx_comparison *c, const char *method, const rmx_training *t,
                             double tokens, const char *spent, rmx_err *err);

// Tokens of one optimiser step.
double rmx__step_tokens(const rmx_training *t);
// FLOPs of all validations of a training by `t`: at the end, and half way if it does that.
double rmx__comparison_all_valid_flops(const rmx_comparison *c, const rmx_training *t,
                                       double flop_per_token);

// ---- numbers in a state

json_t *rmx__state_numbers(const double *x, size_t n);
// RMX_EINPUT if `key` is not a list of n numbers.
rmx_status rmx__state_numbers_read(const json_t *o, const char *key, double *x, size_t n,
                                   const char *what, rmx_err *err);

// ---- the mean of a mixture over the steps of a training

typedef struct rmx__mean {
  size_t D;
  double *sum;  // (D)
  double steps;
} rmx__mean;
rmx_status rmx__mean_make(rmx__mean *m, size_t D, rmx_err *err);
void rmx__mean_add(rmx__mean *m, const double *mixture);
// {domain: weight}; of no steps: all 0
json_t *rmx__mean_json(const rmx__mean *m, const char *const *names);
json_t *rmx__mean_save(const rmx__mean *m);
rmx_status rmx__mean_load(rmx__mean *m, const json_t *state, const char *what, rmx_err *err);

// ---- reference.c: a trained model, and its losses on the present batch

typedef struct rmx__reference {
  rmx_model *model;
  // tokens per pass: a sequence, or its own context if that is shorter
  size_t window;
  float *losses;          // (micro, T) of the last batch
  double tokens;          // scored so far
  double flop_per_token;  // of a forward pass
} rmx__reference;

// {"folder", "answers"} for the controller of a run: the folder of the reference `ref`,
// relative to the experiment, and its fingerprint. A new reference; NULL if memory is short.
json_t *rmx__reference_json(const rmx_comparison *c, const rmx_run *ref);
// Opens the "reference" of r->controller, for micro-batches of r. RMX_EINPUT if it is missing
// or was trained again with other settings.
rmx_status rmx__reference_open(const rmx_run *r, const rmx_kernels *k, rmx__reference *out,
                               rmx_err *err);
void rmx__reference_release(rmx__reference *f);
// Its loss on every token of the batch (B, T); valid until the next call.
const float *rmx__reference_losses(rmx__reference *f, const rmx_batch *b);

// ---- the step of each method

// DoReMi: alpha (K) <- (1 - smoothing) norm(alpha exp(eta lambda)) + smoothing / K.
void rmx__doremi_update(double *alpha, const double *lambda, size_t K, double eta,
                        double smoothing);
// ODM: the mixture pi_t (K) of step t (0-based) after the warm-up, from the rewards (K).
void rmx__odm_mixture(bool code, const double *reward, size_t K, int64_t t, double explore,
                      double *mixture);
// Aioli: A (K, K), by how much a step on domain j lowers loss i. It is solved from the drops (K, K)
// measured under smoothed one-hot mixtures, shifted to be positive, its rows are weighted by `goal`
// (K), and it is divided by its sum. Rows of goal 0 are 0. false: no loss changed.
bool rmx__aioli_solve(const double *drop, const double *goal, size_t K, double one_hot, double *A);
// Rho-1: weights (n) 1 for the `keep` largest loss - reference (the first of equal ones), else 0.
void rmx__rho_select(const float *losses, const float *reference, size_t n, size_t keep,
                     float *weights);

#endif
