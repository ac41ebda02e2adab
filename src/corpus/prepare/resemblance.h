// SPDX-License-Identifier: Apache-2.0
// resemblance.h: which of the pairs of documents that may resemble each other really do.
#ifndef RMX_CORPUS_PREPARE_RESEMBLANCE_H
#define RMX_CORPUS_PREPARE_RESEMBLANCE_H

#include "documents.h"
#include "sorter.h"

// pairs: records (number of a document, number of an earlier one, 0), sorted. Marks the first of a
// pair as RMX__NEAR if the share of their rows of RMX__NEAR_WORDS words that both have is `least`
// or more.
rmx_status rmx__mark_resembling(const rmx__spool *s, rmx__documents *d, const rmx__sorter *pairs,
                                double least, int threads, rmx_err *err);

#endif
