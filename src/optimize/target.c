// SPDX-License-Identifier: Apache-2.0
// Targets as people type them: NAME or NAME=WEIGHT, to be minimised or maximised.

#include <math.h>
#include <regmix/optimize.h>
#include <stdlib.h>
#include <string.h>

static rmx_status add(const rmx_fit *fit, const char *text, double sign, rmx_target *t, rmx_err *err) {
  double weight = 1;
  size_t m = 0;
  char *name = rmx_strdup(text);
  if (name == NULL) return rmx_fail_memory(err, strlen(text), "a target");
  const char *const *metrics = (const char *const *)fit->metrics;
  rmx_status status = RMX_OK;
  rmx_err whole;
  // A metric whose own name has an "=" is found whole; else the last "=" parts the weight.
  char *equals = strrchr(name, '=');
  if (equals && rmx_find_name("metric", name, metrics, fit->M, &m, &whole) != RMX_OK) {
    *equals = '\0';
    status = rmx_parse_real(equals + 1, "the weight of a target", &weight, err);
  }
  if (status == RMX_OK) status = rmx_find_name("metric", name, metrics, fit->M, &m, err);
  if (status == RMX_OK && (!(weight > 0) || !isfinite(weight)))
    status =
        rmx_fail(err, RMX_EINPUT,
                 "target \"%s\": the weight must be positive; use maximize for what should be high", text);
  if (status == RMX_OK && t->weight[m] != 0)
    status = rmx_fail(err, RMX_EINPUT, "metric \"%s\" is a target twice", fit->metrics[m]);
  if (status == RMX_OK) t->weight[m] = sign * weight;
  free(name);
  return status;
}

rmx_status rmx_target_parse(const rmx_fit *fit, const char *const *minimize, size_t n_minimize,
                            const char *const *maximize, size_t n_maximize, rmx_target *out, rmx_err *err) {
  rmx_target t = {rmx_calloc(fit->M, sizeof(double))};
  if (t.weight == NULL) return rmx_fail_memory(err, fit->M * sizeof(double), "a target");
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < n_minimize && status == RMX_OK; i++) status = add(fit, minimize[i], 1, &t, err);
  for (size_t i = 0; i < n_maximize && status == RMX_OK; i++) status = add(fit, maximize[i], -1, &t, err);
  for (size_t m = 0; m < fit->M && n_minimize + n_maximize == 0; m++) t.weight[m] = 1 / (double)fit->M;
  if (status != RMX_OK) {
    rmx_target_release(&t);
    return status;
  }
  *out = t;
  return RMX_OK;
}

void rmx_target_release(rmx_target *t) {
  free(t->weight);
  t->weight = NULL;
}
