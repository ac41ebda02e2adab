// SPDX-License-Identifier: Apache-2.0
// The shape of a metric: the differences between mixtures as a function of size and tokens,
//   f(w, N, D) = f0(w) + f1(w) u(N) + f2(w) v(D),
//   u = ((N/N0)^-a - 1) / a,  v = ((D/D0)^-b - 1) / b,
// with a and b of the level's law. f0 is a Gaussian process with the covariance k of gp.h: its
// lengths and warps are those of a process fitted to the effects of the mixtures, which are their
// means over sizes and tokens. f1 and f2 have the covariances r1^2 k and r2^2 k. Each f also has a
// constant of variance 1. At a size with few mixtures (anchors) the law may be wrong, which is no
// difference between mixtures: the runs there share a further constant of variance 1. A run (a
// mixture at one size) has a deviation of its own (sd nu), and each of its values has noise (sd
// sigma). All of it is in units of the sd over the mixtures.
//
// Of the values of one run only two combinations depend on f: the projections on 1 and v (or one,
// where there is one value). So a run has two rows, however many values it has.
//
// r1, r2, nu and sigma maximise their posterior, with log r1, log r2 ~ N(log .1, 1.5), log nu ~
// N(log .05, 1.5), log sigma ~ N(log .03, 1.5).
//
// Cost: O(n^3) of n rows, about 100 times to fit; O(U^2) to change the scale, O(U D) for a mean and
// O(U^2) for an sd, U the number of different mixtures.
#ifndef RMX_REGRESS_SCALING_SHAPE_H
#define RMX_REGRESS_SCALING_SHAPE_H

#include "regress/gp/gp.h"

enum { RMX__OF_SIZE, RMX__OF_TOKENS, RMX__OWN, RMX__NOISE, RMX__SHAPE_PARAMETERS };

// A value of a run: what the shape is fitted to.
typedef struct rmx__value {
  size_t mixture;  // of the base process
  rmx_scale at;
  bool anchor;  // of a size with few mixtures
  double y;     // less the law, in units of the sd over mixtures
} rmx__value;

typedef struct rmx__shape_row {
  size_t mixture, run;
  double f[3];    // of f0, f1, f2
  double anchor;  // its size, if there are only anchors; or 0
  double y;
  double noise;  // variance over sigma^2
} rmx__shape_row;

typedef struct rmx__shape {
  const rmx__process *base;  // borrowed
  size_t U, D, n;
  double a, b;
  rmx_scale middle;                        // N0, D0
  double theta[RMX__SHAPE_PARAMETERS];     // logarithms
  rmx__shape_row *rows;                    // (n)
  double noise_share;                      // mean over the runs of 1 / number of values
  double left_over, free_values;           // squares that the rows do not have, and their number
  bool *reference;                         // (U) mixtures over which the shape has mean 0
  double *alpha;                           // (n) K^-1 y
  double *S;                               // (3 U, 3 U): K^-1, summed by mixture and f
  double *K0;                              // (U, U)
  double *near_reference, mean_reference;  // (U) mean of k over the reference; mean over both sides
  // At a scale:
  double *packed, *by_z, offset;  // (blocks, lanes) (D): the mean
  double *G, prior;               // (U, U): the variance
} rmx__shape;

// Makes the rows of n values, which are sorted by run (equal mixture and size). s->base, a, b,
// middle and reference are set.
rmx_status rmx__shape_rows(rmx__shape *s, const rmx__value *values, size_t n, rmx_err *err);
// Finds theta in up to `steps` evaluations, from where it is.
rmx_status rmx__shape_climb(rmx__shape *s, int steps, rmx_err *err);
// Computes what predictions need, with theta as it is.
rmx_status rmx__shape_solve(rmx__shape *s, rmx_err *err);
// From now on predictions are for this scale.
void rmx__shape_set_scale(rmx__shape *s, rmx_scale at);
// What the runs leave unknown of f(w, N, D) at the scale of the predictions: its variance at the
// mixtures of the runs, as a part of that of f_0 before any run. z (D + U) is scratch.
double rmx__shape_unknown(const rmx__shape *s, double *z);
// The shape at w (D), and its slope by w into slope (D) and its variance, unless they are NULL. z
// (D (RMX__LANES + 1) + U) is scratch.
double rmx__shape_at(const rmx__shape *s, const double *w, double *slope, double *variance,
                     double *z);
// The variance of a run around the shape: of its own deviation and of the noise, averaged over the
// values of a run.
double rmx__shape_noise(const rmx__shape *s);
void rmx__shape_release(rmx__shape *s);

#endif
