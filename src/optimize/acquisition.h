// SPDX-License-Identifier: Apache-2.0
// Which mixtures of a list to run next.
#ifndef RMX_OPTIMIZE_ACQUISITION_H
#define RMX_OPTIMIZE_ACQUISITION_H

#include "regress/gp/conditioned.h"

#define RMX__MIN_OFF 0.02  // share of tokens: less than that is no trial of a direction

// The directions of the simplex that some run moves along: an orthonormal basis.
typedef struct rmx__span {
  size_t D, rank;
  double *basis;  // (D, D) rows
  double *mean;   // (D)
} rmx__span;
// Of the mixtures X (N, D). N may be 0.
rmx_status rmx__span_make(rmx__span *c, const double *X, size_t N, size_t D, rmx_err *err);
void rmx__span_release(rmx__span *c);
// How far w lies off all that the basis spans; off (D), may be NULL: which way.
double rmx__span_distance(const rmx__span *c, const double *w, double *off);
// The basis widened by w's direction; false where it has it already.
bool rmx__span_add(rmx__span *c, const double *w);

typedef struct rmx__pick {
  size_t chosen;
  double expected, sd;  // of the score, before it was chosen
  double improvement;   // expected, on the best
  bool untried;         // chosen among those that move along an untried direction
} rmx__pick;

// Expected improvement of a normal number on `best`, downwards.
double rmx__expected_improvement(double mean, double sd, double best);

// What may be done with a mixture of the list: crowded ones lie next to a pick and are taken when
// all else is.
enum { RMX__FREE, RMX__NEAR_PICK, RMX__TAKEN };

// Picks up to k of the mixtures of b, X (n, D), lowest score wanted. best: of the runs there
// are. allowed (n), may be NULL: the probability that a mixture keeps the limits. taken (n): marks;
// what is picked is marked, and what lies within `min_apart` (share of tokens) of it. cover may be
// NULL; else untried directions are covered first. Returns how many were picked.
size_t rmx__acquisition_batch(rmx__conditioned *b, const double *X, double best,
                              const double *allowed, double min_apart, unsigned char *taken,
                              rmx__span *cover, size_t k, rmx__pick *picks);
// The same where the scores say nothing: the k after which least is unknown of the list as a whole.
rmx_status rmx__acquisition_spread(rmx__conditioned *b, unsigned char *taken, size_t k,
                                   rmx__pick *picks, size_t *n_picked, rmx_err *err);

#endif
