// SPDX-License-Identifier: Apache-2.0
#include "score.h"

#include <math.h>
#include <regmix/base.h>
#include <stdlib.h>

__extension__ typedef unsigned __int128 wide;

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static wide power(int n) {
  wide p = 1;
  while (n-- > 0) p *= 10;
  return p;
}

// For 0.001 <= x < 1e6, in integers: x is M / 2^s, and x * 10^k has 17 digits before its point.
// n digits are enough if what they say is nearer to x than half the distance to the next double.
static double read_common(double x) {
  int exponent, k = 16;
  const double fraction = frexp(x, &exponent);
  const wide M = (wide)ldexp(fraction, 53);
  const int s = 53 - exponent;
  for (double bound = 10; bound <= x; bound *= 10) k--;
  for (double bound = 1; bound > x; bound /= 10) k++;
  const wide unit = power(k), X = M * unit;
  for (int n = 15; n <= 17; n++) {
    const wide step = power(17 - n) << s, rest = X % step;
    wide digits = X / step;
    if (2 * rest > step || (2 * rest == step && digits % 2 == 1)) digits++;
    const wide said = digits * step;
    const wide error = said > X ? said - X : X - said;
    // up to 15 digits are an exact double, and so is the power: the quotient is x
    if (2 * error < unit && n == 15) return x;
    if (2 * error < unit || n == 17) return (double)(uint64_t)digits / powers[k - (17 - n)];
  }
  return x;
}

static double read_rare(double x) {
  char text[32];
  rmx_double_text(x, text);
  uint64_t digits = 0;
  int decimals = 0;
  const char *p = text;
  for (bool point = false; *p && *p != 'e'; p++) {
    if (*p == '.') {
      point = true;
    } else {
      digits = 10 * digits + (uint64_t)(*p - '0');
      decimals += point;
    }
  }
  if (*p == 'e') decimals -= atoi(p + 1);
  return decimals < 0 || decimals > 300 ? x : (double)digits / pow(10, decimals);
}

double rmx__score_read(double x) {
  const double size = fabs(x);
  if (size == 0 || !isfinite(x)) return x;
  const double read = size >= 0.001 && size < 1e6 ? read_common(size) : read_rare(size);
  return x < 0 ? -read : read;
}
