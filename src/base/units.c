// SPDX-License-Identifier: Apache-2.0
// Counts and durations as text for people.
#include <stdio.h>

#include <regmix/base.h>

const char *rmx_count(double x, char out[16]) {
  if (x >= 9.995e11)
    snprintf(out, 16, "%.3g T", x / 1e12);
  else if (x >= 9.995e8)
    snprintf(out, 16, "%.3g G", x / 1e9);
  else if (x >= 9.995e5)
    snprintf(out, 16, "%.3g M", x / 1e6);
  else if (x >= 1e4)
    snprintf(out, 16, "%.0f k", x / 1e3);
  else
    snprintf(out, 16, "%.0f", x);
  return out;
}

const char *rmx_s(double n) {
  return n == 1 ? "" : "s";
}

const char *rmx_is(double n) {
  return n == 1 ? "is" : "are";
}

const char *rmx_has(double n) {
  return n == 1 ? "has" : "have";
}

const char *rmx_duration(double s, char out[32]) {
  if (s < 9.95)
    snprintf(out, 32, "%.1f s", s);
  else if (s < 90)
    snprintf(out, 32, "%.0f s", s);
  else if (s < 5400)
    snprintf(out, 32, "%d min %d s", (int)s / 60, (int)s % 60);
  else if (s < 2 * 86400.0)
    snprintf(out, 32, "%d h %d min", (int)(s / 3600), (int)(s / 60) % 60);
  else
    snprintf(out, 32, "%.1f days", s / 86400);
  return out;
}
