// SPDX-License-Identifier: Apache-2.0
// Adds the verdict of each paired difference (src/base/verdict.c) to comparisons that were written
// before verdicts were stored.
#include <regmix/report.h>
#include <string.h>

#include "base/json.h"
#include "report/parts.h"

static rmx_status add(json_t *difference, const char *reference, rmx_err *err) {
  if (!json_is_object(difference) || json_object_get(difference, "verdict")) return RMX_OK;
  return rmx__verdict_add(difference, reference, err);
}

rmx_status rmx__collect_verdicts(json_t *data, rmx_err *err) {
  const json_t *rows = json_object_get(json_object_get(data, "comparison"), "rows");
  for (size_t i = 0; i < json_array_size(rows); i++) {
    const json_t *row = json_array_get(rows, i);
    const char *name = json_string_value(json_object_get(row, "name"));
    if (name && strcmp(name, "optimum") != 0)
      RMX_TRY(add(json_object_get(row, "against_optimum"), "optimum", err));
  }
  const json_t *file = json_object_get(data, "methods"), *order = json_object_get(file, "order");
  const char *first = json_string_value(json_array_get(order, 0));
  for (size_t i = 1; first && i < json_array_size(order); i++) {
    const char *name = json_string_value(json_array_get(order, i));
    json_t *method = json_object_get(json_object_get(file, "methods"), name ? name : "");
    RMX_TRY(add(json_object_get(method, "against_first"), first, err));
  }
  return RMX_OK;
}
