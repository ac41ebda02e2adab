// SPDX-License-Identifier: Apache-2.0
// problem.h: the optimisation problem: scores, limits and the divergence from a reference.
#ifndef RMX_OPTIMIZE_PROBLEM_H
#define RMX_OPTIMIZE_PROBLEM_H

#include <regmix/mixture.h>
#include <regmix/optimize.h>

#include "regress/fit.h"
#include "regress/registry.h"

// The score of predicted metrics (M) without the limits: that of rmx_target_score() where they are
// kept.
double rmx__plain_score(const rmx_target *t, size_t M, const double *predicted);
// Predicts the metrics that have a weight or a limit at n mixtures X (n, D): y (n, M); the others
// keep what is there. column (n) is scratch.
void rmx__predict_target(const rmx_fit *fit, const rmx_target *t, const double *X, size_t n,
                         double *y, double *column);
// rmx__plain_score of n mixtures: score (n). y (n, M) is scratch.
void rmx__plain_scores(const rmx_fit *fit, const rmx_target *t, const double *X, size_t n,
                       double *y, double *score);

// How far beyond its limit metric m may be.
double rmx__slack(const rmx_target *t, size_t m);

// Limits, and what the worst case is relative to, are values of t's metrics at the mixture than (D;
// NULL: there are none): before (M), by the fit that they were taken from. out->limit and out->base
// (M) become what they are by the functions of `by`; the rest of *out is as in t.
void rmx__target_by(const rmx_target *t, const rmx_fit *by, const double *than,
                    const double *before, rmx_target *out);

// The METRIC,METRIC,... of the group of this name; NULL: there is none. RMX_EINPUT: a group is not
// NAME=METRIC,METRIC,...
rmx_status rmx__metric_group(const rmx_strings *groups, const char *name, const char **parts,
                             rmx_err *err);
// The metrics of this group among M of these names, into members (M); *n = 0: there is no such
// group.
rmx_status rmx__find_group(const char *const *metrics, size_t M, const rmx_strings *groups,
                           const char *name, size_t *members, size_t *n, rmx_err *err);

// Fewer replicates make no intervals.
enum { RMX__FEWEST_REPLICATES = 20 };
rmx_status rmx__check_replicates(const rmx_optimize_options *o, rmx_err *err);

// Adds low <= total weight of the members (D) <= high.
rmx_status rmx__add_share(rmx_constraints *c, const char *name, const char *text,
                          const bool *member, double low, double high, rmx_err *err);

// The names that users type for domains. A weight may count within a part of the tokens (a phase).
enum { RMX__ALL_TOKENS = -1 };
typedef struct rmx__names {
  const char *const *domains;  // (D)
  // The domains that a name stands for: member (D), the name in full, and the part that its weight
  // counts within, or RMX__ALL_TOKENS. NULL: rmx_find_domains(), within all tokens.
  rmx_status (*find)(const void *context, const char *text, bool *member, char **name, int *part,
                     rmx_err *err);
  const void *context;
  const double *share;  // of all tokens, of each part
} rmx__names;
rmx_status rmx__names_find(const rmx__names *names, size_t D, const char *text, bool *member,
                           char **name, int *part, rmx_err *err);
// The share of all tokens that a part has.
double rmx__names_share(const rmx__names *names, int part);
// rmx_constraints_bound(), rmx_constraints_share() and rmx_constraints_order() with such names.
rmx_status rmx__bound(rmx_constraints *c, rmx_bound kind, const char *text, const rmx__names *names,
                      rmx_err *err);
rmx_status rmx__share(rmx_constraints *c, const char *text, const rmx__names *names, rmx_err *err);
rmx_status rmx__order(rmx_constraints *c, const char *text, const rmx__names *names, rmx_err *err);

// A bound on the weight of one domain; of two the tighter one counts.
rmx_status rmx__set_low(rmx_constraints *c, size_t d, double x, const char *text, rmx_err *err);
rmx_status rmx__set_high(rmx_constraints *c, size_t d, double x, const char *text, bool by_epochs,
                         rmx_err *err);

// What domain d has at least, if it has anything (drop_below); 0: no such rule.
double rmx__least_weight(const rmx_constraints *c, size_t d);

// ---- constraints on members of a virtual domain (problem/members.c)

typedef struct rmx__members {
  size_t D, at;         // domains of the small space, and which is virtual; at = D: none is
  const char **names;   // (all.D) the D domains, then the members; borrowed
  double *factor;       // (all.D) 1, or the ratio of a member
  rmx_constraints all;  // to be filled by these names
} rmx__members;
// domains (D): those of the small space. All is borrowed. Release it in each case.
rmx_status rmx__members_make(const rmx_reuse *r, const char *const *domains, size_t D,
                             rmx__members *out, rmx_err *err);
void rmx__members_release(rmx__members *m);
// Adds what m->all asks for to the constraints of the small space.
rmx_status rmx__members_fold(const rmx__members *m, rmx_constraints *to, rmx_err *err);

// KL(w || reference) = sum_d w_d log(w_d / reference_d); 0 without a reference; INFINITY where w
// has some of a domain that the reference lacks.
double rmx__kl(const rmx_constraints *c, const double *w);
// The same, with reference_d >= floor: a large number in place of INFINITY.
double rmx__kl_above(const rmx_constraints *c, const double *w, double floor);
// gradient (D) += factor * that of the divergence.
void rmx__add_kl_gradient(const rmx_constraints *c, const double *w, double factor,
                          double *gradient);

// ---- luck.c: whether metrics that were chosen by their signal show more than luck

// weight, sd (M): of the target before metrics are left out, and over the runs.
rmx_status rmx__target_by_luck(const rmx_fit *f, const double *weight, const double *sd, bool *luck,
                               rmx_err *err);

#endif
