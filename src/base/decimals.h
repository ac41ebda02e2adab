// SPDX-License-Identifier: Apache-2.0
// How many decimals a number is shown with: they follow how much values like it differ.
#ifndef RMX_BASE_DECIMALS_H
#define RMX_BASE_DECIMALS_H

enum { RMX__DECIMAL = 40 };
// 4 where the standard deviation of such values is 0.01 to 10, or not known; one more for each
// tenth below that, one less for each tenfold above it.
int rmx__decimals(double spread);
// x with this number of decimals. If there are more than six and the first ones are zeros, it is
// written as 3.47e-06. A zero has no sign.
const char *rmx__decimal(double x, int decimals, char out[RMX__DECIMAL]);

#endif
