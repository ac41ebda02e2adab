// SPDX-License-Identifier: Apache-2.0
// The level of a metric, which is its mean over the mixtures, as a function of size and tokens.
//
// A cell is a pair of size and tokens. The law of its level is
//   E + A (N/N0)^-a + B (D/D0)^-b,  log a ~ N(log .3, .5), log b ~ N(log .4, .5),  A, B >= 0
// (Hoffmann et al. 2022, eq. 10), with the posterior of (a, b) on a grid. A score rises: A, B <= 0.
// To the law is added what it leaves over at the measured cells, interpolated in log D and in log N
// and constant beyond them. So one or two runs at the size to be predicted correct the law's level
// there: by what they are off the law of the other sizes, times the share of that which the doubt
// about that law explains. The rest is doubt about how the shape sees their mixtures.
//
// Cost: O(cells) for each of 441 points of the grid.
#ifndef RMX_REGRESS_SCALING_LEVEL_H
#define RMX_REGRESS_SCALING_LEVEL_H

#include <regmix/regress.h>

enum { RMX__LEVEL_STEPS = 21, RMX__LEVEL_GRID = RMX__LEVEL_STEPS * RMX__LEVEL_STEPS };

typedef struct rmx__cell {
  rmx_scale at;
  double effect;  // mean over the mixtures, for the law
  double level;   // the same, less the differences between mixtures that the shape explains
  double weight;  // of the cell in the law, 0 to 1
  // Of an anchor, a cell with few of the mixtures: the variance of its level. 0: not an anchor.
  double variance;
} rmx__cell;

typedef struct rmx__law_point {
  double a, b, E, A, B, weight;  // weight: of the posterior, sum 1
} rmx__law_point;

typedef struct rmx__level {
  size_t n;
  rmx__cell *cells;  // (n) by size, then tokens; owned
  rmx_scale middle;  // N0, D0
  double unit;       // sd of the metric over the mixtures
  bool rises;        // with size and tokens: a score
  rmx__law_point grid[RMX__LEVEL_GRID];
  size_t best;  // of the grid
} rmx__level;

// Fits the law to the effects of l->cells, in units of l->unit.
void rmx__level_fit(rmx__level *l);
// The misfit of the law at a cell of weight 1, a standard deviation.
double rmx__level_misfit(const rmx__level *l);
// The levels and variances of the anchors become those given their measurements and the law of the
// other sizes.
rmx_status rmx__level_settle(rmx__level *l, rmx_err *err);
// The most likely law at a scale.
double rmx__level_law(const rmx__level *l, rmx_scale at);
// The level at a scale, and the standard deviation of that: of the law's exponents, of the law (a
// tenth of the change from the measured cells), of what the size itself is worth, and of anchors.
void rmx__level_at(const rmx__level *l, rmx_scale at, double *mean, double *sd);

#endif
