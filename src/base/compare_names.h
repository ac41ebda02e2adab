// SPDX-License-Identifier: Apache-2.0
#ifndef RMX_BASE_COMPARE_NAMES_H
#define RMX_BASE_COMPARE_NAMES_H

// Compares names as people sort them: a number in them by its value, so that r2 is before r10.
// Only equal names compare as 0.
int rmx__compare_names(const char *a, const char *b);

#endif
