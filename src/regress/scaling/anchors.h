// SPDX-License-Identifier: Apache-2.0
// Anchors: a few runs at a scale that the other mixtures were not run at.
//
// A size is covered if K mixtures were run at it, K = 8 or half of the most at any size, and up to
// the tokens that K of them reached. Cells that are not covered are anchors. Their level is
// measured by a few mixtures only, so it is not better known than the differences between these
// mixtures and the others are known there.
//
// Cost: O(sizes N).
#ifndef RMX_REGRESS_SCALING_ANCHORS_H
#define RMX_REGRESS_SCALING_ANCHORS_H

#include "effects.h"

// Gives the cells that are anchors a variance, 1 for now, and the others none. covered: the largest
// size that is covered, and up to what tokens.
rmx_status rmx__mark_anchors(rmx__grouped *g, rmx_scale *covered, rmx_err *err);
// Whether all cells of a size are anchors.
bool rmx__only_anchors(const rmx__level *l, double size);
// The variance of the mean over the runs of a cell: of each run it is that of its own number in
// `of_run` (N).
double rmx__anchor_variance(const rmx__grouped *g, size_t cell, const double *of_run);
// Lowers the weights in the law of the anchors, whose variances are known. The cells of one size
// are off together, so they share the weight of one.
void rmx__weigh_anchors(rmx__level *l);

#endif
