// SPDX-License-Identifier: Apache-2.0
// Of a fit to runs of several sizes, the runs that it is judged by: those of the largest size. Over
// all runs a score would mostly say that larger models are better.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "regress/rows.h"
#include "regress/scales.h"
#include "report/parts.h"

// Whether fit.json holds the mixture and the scale of each of its N runs, of D domains.
static bool is_whole(const json_t *fit, size_t N, size_t D) {
  const json_t *of = json_object_get(fit, "scales"), *rows = json_object_get(fit, "mixtures");
  if (json_array_size(rows) != N || json_array_size(json_object_get(of, "sizes")) != N ||
      json_array_size(json_object_get(of, "tokens")) != N)
    return false;
  for (size_t i = 0; i < N; i++)
    if (json_array_size(json_array_get(rows, i)) != D) return false;
  return N > 0 && D > 0;
}

// Its mixtures (N, D) and scales (N).
static void read_rows(const json_t *fit, size_t N, size_t D, double *X, rmx_scale *scales) {
  const json_t *of = json_object_get(fit, "scales"), *rows = json_object_get(fit, "mixtures");
  const json_t *sizes = json_object_get(of, "sizes"), *tokens = json_object_get(of, "tokens");
  for (size_t i = 0; i < N; i++) {
    scales[i] = (rmx_scale){json_number_value(json_array_get(sizes, i)),
                            json_number_value(json_array_get(tokens, i))};
    for (size_t d = 0; d < D; d++)
      X[i * D + d] = json_number_value(json_array_get(json_array_get(rows, i), d));
  }
}

rmx_status rmx__judged_runs(const json_t *fit, json_t **out, rmx_err *err) {
  const json_t *ids = json_object_get(fit, "ids");
  const size_t N = json_array_size(ids), D = json_array_size(json_object_get(fit, "domains"));
  *out = NULL;
  if (!json_is_object(json_object_get(fit, "scales")) || !is_whole(fit, N, D)) return RMX_OK;
  RMX_OWNED double *X = rmx_calloc(N, D * sizeof *X);
  RMX_OWNED rmx_scale *scales = rmx_calloc(N, sizeof *scales);
  RMX_OWNED int *groups = rmx_calloc(N, sizeof *groups);
  RMX_OWNED bool *judged = rmx_calloc(N, sizeof *judged);
  if (!X || !scales || !groups || !judged)
    return rmx_fail_memory(err, N * D * sizeof *X, "the sizes of the runs");
  read_rows(fit, N, D, X, scales);
  RMX_TRY(rmx__replicate_groups(X, N, D, groups, err));
  rmx__judge(scales, groups, N, judged);
  json_auto_t *names = json_object();
  if (!names) return rmx_fail_memory(err, N, "the sizes of the runs");
  for (size_t i = 0; i < N; i++) {
    const char *name = json_string_value(json_array_get(ids, i));
    if (name && judged[i]) RMX_TRY(rmx__put(names, name, json_true(), err));
  }
  *out = json_incref(names);
  return RMX_OK;
}
