// SPDX-License-Identifier: Apache-2.0
// limits.h: how much of a corpus is in memory at a time. None of these changes the result. Tests
// make them small.
#ifndef RMX_CORPUS_PREPARE_LIMITS_H
#define RMX_CORPUS_PREPARE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

struct rmx__limits {
  uint64_t part_bytes;    // of files, in a part of the spool
  size_t sort_records;    // of 24 bytes, sorted in memory
  size_t overlap_grams;   // of the targets' text, searched for at a time
  size_t overlap_counts;  // counters of documents, 4 bytes each
  size_t open_outputs;    // token files written at a time
};
extern struct rmx__limits rmx__limits;

#endif
