// SPDX-License-Identifier: Apache-2.0
// Values of mixtures at scales, split into an effect of the mixture and an effect of the scale.
#ifndef RMX_REGRESS_SCALING_EFFECTS_H
#define RMX_REGRESS_SCALING_EFFECTS_H

#include "level.h"

// A data set by mixture and cell.
typedef struct rmx__grouped {
  size_t N, U, C;     // values, mixtures, cells
  size_t *mixture;    // (N)
  size_t *cell;       // (N)
  size_t *first;      // (U) a row with each mixture
  rmx_scale *at;      // (N) of each value; a scale that is not known is 1
  rmx__cell *cells;   // (C) by size, then tokens
  double *effect;     // (U) of each mixture, mean 0
  double *last_size;  // (U) the largest size of each mixture
  size_t *part;       // (U) 0: of the main part, see below
  double *doubt;      // (U) variance of an effect that was expected, or 0
} rmx__grouped;

// Groups the runs, in `arena`. Cells of one size whose tokens differ by less than 3 % are one. The
// first part of a training, below 0.38 of the longest of its size, counts in no effect: there the
// law does not hold. With equal weight, y = mixture + cell + rest is fitted by least squares, where
// effects of mixtures are drawn to 0 as much as by a tenth of a run.
//
// Mixtures and cells are of one part where runs connect them. If the largest part has half of the
// mixtures, the runs do not tell how the effects of another part compare with its effects: of a
// mixture that was run at a size of its own they do not tell which of the two is worse. Such
// effects have mean 0 in each part, until rmx__shift_parts().
rmx_status rmx__group_runs(const rmx_dataset *data, rmx_arena *arena, rmx__grouped *out,
                           rmx_err *err);
// Adds to the effects of each part but the main one a number that makes their mean that of
// expected (U), and subtracts it from the effects of its cells.
rmx_status rmx__shift_parts(const rmx_dataset *data, rmx__grouped *g, const double *expected,
                            rmx_err *err);

#endif
