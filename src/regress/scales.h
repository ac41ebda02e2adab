// SPDX-License-Identifier: Apache-2.0
// The sizes and lengths of the runs of a fit.
#ifndef RMX_REGRESS_SCALES_H
#define RMX_REGRESS_SCALES_H

#include "fit.h"

// Takes the scales of the runs from the tables, where one of them has any. run_of (f->N): rows of
// the metrics; row_of (f->N): rows of the mixtures.
rmx_status rmx__take_scales(rmx_fit *f, const rmx_table *mixtures, const rmx_table *metrics,
                            const size_t *row_of, const size_t *run_of, rmx_err *err);
// Warns where all runs have one size or one length. Where they have both, f has no scales from now
// on.
void rmx__weigh_scales(rmx_fit *f, const rmx_listener *listener);
// Whether runs of these scales, which all have one size (length), leave unknown what changes on the
// way to `at`. Nothing can be said about the errors there then.
bool rmx__size_is_unknown(rmx_scale least, rmx_scale most, rmx_scale at);
bool rmx__tokens_are_unknown(rmx_scale least, rmx_scale most, rmx_scale at);
// The smallest and the largest of each part (n).
void rmx__scale_range(const rmx_scale *scales, size_t n, rmx_scale *least, rmx_scale *most);
// Warns where a fit at one scale answers for one that is far from its runs.
void rmx__warn_of_scale(const rmx_fit *f, const rmx_listener *listener);
// Whether a length is the longest one, but for a few percent.
bool rmx__is_as_long(double tokens, double longest);
// Whether no other run of run i's mixture has its size and is longer. groups (N): equal for runs of
// one mixture; NULL: no two are.
bool rmx__is_last(const rmx_scale *scales, const int *groups, size_t N, size_t i);
// Marks the runs (N) by which a fit is judged: see rmx_fit.
void rmx__judge(const rmx_scale *scales, const int *groups, size_t N, bool *judged);
// Sets f->judged, where the fit has scales.
rmx_status rmx__judge_runs(rmx_fit *f, rmx_err *err);

// What --for wants of a fit with these columns: "SIZE,TOKENS, as in 1.2B,100G".
const char *rmx__scale_wanted(bool size, bool tokens);

#endif
