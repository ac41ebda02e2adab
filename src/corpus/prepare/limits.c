// SPDX-License-Identifier: Apache-2.0
// About 64 MB for a sort, and 256 MB for the search for overlaps.
#include "limits.h"

struct rmx__limits rmx__limits = {
    .part_bytes = 64 << 20,
    .sort_records = 2 << 20,
    .overlap_grams = 8000000,
    .overlap_counts = 16 << 20,
    .open_outputs = 64,
};
