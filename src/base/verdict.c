// SPDX-License-Identifier: Apache-2.0
// Whether a paired difference over seeds is more than noise: an interval of Student's t. With three
// seeds three standard errors are passed by chance one time in ten, so the width goes by the seeds
// there are. The variance is each difference's own: models on different mixtures are not equally
// noisy, so one pooled over them would be too small for some.
#include <math.h>
#include <regmix/base.h>

#include "json.h"

enum { FEWEST_SEEDS = 3, BISECTIONS = 200, MAX_TERMS = 300 };

// The continued fraction of the incomplete beta function (Lentz's method), good for x < (a + 1) /
// (a + b + 2).
static double beta_fraction(double a, double b, double x) {
  const double tiny = 1e-300;
  double c = 1, d = 1 - (a + b) * x / (a + 1);
  d = 1 / (fabs(d) < tiny ? tiny : d);
  double h = d;
  for (int i = 1; i <= MAX_TERMS; i++) {
    const double m = i;
    const double terms[2] = {m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                             -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))};
    double by = 1;
    for (int k = 0; k < 2; k++) {
      d = 1 + terms[k] * d;
      c = 1 + terms[k] / c;
      d = 1 / (fabs(d) < tiny ? tiny : d);
      c = fabs(c) < tiny ? tiny : c;
      by = c * d;
      h *= by;
    }
    if (fabs(by - 1) < 1e-15) break;
  }
  return h;
}

// I_x(a, b)
static double beta_part(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
  return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a
                                   : 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double rmx_student_width(double level, double df) {
  if (!(level > 0 && level < 1) || !(df > 0)) return NAN;
  double low = 0, high = 1;
  // P(|T| > t) = I_{df / (df + t^2)}(df / 2, 1 / 2)
  while (beta_part(df / 2, 0.5, df / (df + high * high)) > 1 - level && high < 1e12) high *= 2;
  for (int i = 0; i < BISECTIONS && high - low > 1e-14 * high; i++) {
    const double t = 0.5 * (low + high);
    if (beta_part(df / 2, 0.5, df / (df + t * t)) > 1 - level)
      low = t;
    else
      high = t;
  }
  return 0.5 * (low + high);
}

static bool set_real(json_t *o, const char *key, double x) {
  return json_object_set_new(o, key, rmx__json_known(x)) == 0;
}

rmx_status rmx__verdict_add(json_t *difference, const char *reference, rmx_err *err) {
  const json_t *mean = json_object_get(difference, "mean"), *se = json_object_get(difference, "se");
  const json_int_t n = json_integer_value(json_object_get(difference, "n"));
  const bool enough = reference && n >= FEWEST_SEEDS && json_is_number(mean) && json_is_number(se);
  const double half =
      enough ? rmx_student_width(RMX_VERDICT_LEVEL, (double)(n - 1)) * json_number_value(se) : NAN;
  const double low = json_number_value(mean) - half, high = json_number_value(mean) + half;
  json_t *verdict = !reference ? json_string("the same mixture")
                    : !enough  ? json_string("too few seeds to tell")
                    : low > 0  ? json_sprintf("%s better", reference)
                    : high < 0 ? json_sprintf("%s worse", reference)
                               : json_string("no clear difference");
  const bool good =
      set_real(difference, "low", low) && set_real(difference, "high", high) &&
      json_object_set_new(difference, "level", json_real(RMX_VERDICT_LEVEL)) == 0 &&
      json_object_set_new(difference, "df", enough ? json_integer(n - 1) : json_null()) == 0 &&
      json_object_set_new(difference, "verdict", verdict) == 0;
  return good ? RMX_OK : rmx_fail_memory(err, 0, "a verdict");
}
