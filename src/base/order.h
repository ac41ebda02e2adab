// SPDX-License-Identifier: Apache-2.0
// Orders for qsort and bsearch.
#ifndef RMX_BASE_ORDER_H
#define RMX_BASE_ORDER_H

int rmx__ascending(const void *a, const void *b);  // of double, the smallest first; no NaN
int rmx__by_text(const void *a, const void *b);    // of char *, as strcmp

#endif
