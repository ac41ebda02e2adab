// SPDX-License-Identifier: Apache-2.0
// Decimals of numbers that are shown.
#include "base/decimals.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int rmx__decimals(double spread) {
  enum { USUAL = 4, MOST = 15 };
  if (!isfinite(spread) || !(spread > 0)) return USUAL;
  const int power = (int)fmax(floor(log10(spread)), -MOST);
  if (power < -2) return 2 - power < MOST ? 2 - power : MOST;
  if (power < 1) return USUAL;
  return power < USUAL ? USUAL - power : 0;
}

const char *rmx__decimal(double x, int decimals, char out[RMX__DECIMAL]) {
  enum { READABLE = 6 };
  const double size = fabs(x);
  const bool zeros = decimals > READABLE && size < 1e-3;
  const int figures = zeros && size > 0 ? (int)floor(log10(size)) + decimals + 1 : 1;
  if (zeros && size < 0.5 * pow(10, -decimals))
    snprintf(out, RMX__DECIMAL, "0");
  else if (zeros)
    snprintf(out, RMX__DECIMAL, figures > 1 ? "%#.*g" : "%.*g", figures > 1 ? figures : 1, x);
  else
    snprintf(out, RMX__DECIMAL, size < 1e15 ? "%.*f" : "%.*g", size < 1e15 ? decimals : 6, x);
  if (*out == '-' && strspn(out + 1, "0.") == strlen(out + 1)) memmove(out, out + 1, strlen(out));
  return out;
}
