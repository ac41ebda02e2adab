// SPDX-License-Identifier: Apache-2.0
// Nothing is done while the program has a point in its numbers, as all have that never call
// setlocale().
#include "base/c_number.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t with_points;

static void make(void) {
  with_points = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
}

locale_t rmx__c_locale(void) {
  if (strcmp(localeconv()->decimal_point, ".") == 0) return (locale_t)0;
  pthread_once(&once, make);
  return with_points ? uselocale(with_points) : (locale_t)0;
}

void rmx__locale_back(locale_t had) {
  if (had) uselocale(had);
}

double rmx__strtod(const char *text, char **end) {
  const locale_t had = rmx__c_locale();
  const double x = strtod(text, end);
  rmx__locale_back(had);
  return x;
}
