// SPDX-License-Identifier: Apache-2.0
// Which way each metric of an experiment is better. What compares runs by a metric without a fit
// asks here, so that it decides as the fit does: the patterns of the config, then those with which
// the fit was made (`regmix fit --higher-is-better`), then what the trainer or the tasks reported,
// then the name.
#include "regress/directions.h"

#include <string.h>

#include "steps.h"

void rmx__take_directions(const json_t *tree, rmx_table *metrics) {
  const json_t *said = json_object_get(tree, "higher_is_better");
  for (size_t m = 0; m < metrics->D; m++) {
    const json_t *high = json_object_get(said, metrics->names[m]);
    if (json_is_boolean(high))
      metrics->better[m] = json_is_true(high) ? RMX_BETTER_HIGH : RMX_BETTER_LOW;
  }
}

rmx_status rmx__reported_directions(const rmx_experiment *e, rmx_table *metrics, rmx_err *err) {
  json_auto_t *tree = NULL;
  RMX_TRY(rmx__experiment_read(e, "metrics.json", &tree, err));
  if (!metrics->better && !(metrics->better = rmx_calloc(metrics->D, sizeof *metrics->better)))
    return rmx_fail_memory(err, metrics->D * sizeof *metrics->better, "a table");
  if (tree) rmx__take_directions(tree, metrics);
  return RMX_OK;
}

// Those that a user gave to the fit of the experiment. What needs the fit itself finds its damage.
static rmx_status take_from_fit(const rmx_experiment *e, rmx_table *metrics, rmx_err *err) {
  json_auto_t *tree = NULL;
  const json_t *one;
  size_t i;
  const rmx_status status = rmx__experiment_read(e, "fit/fit.json", &tree, err);
  if (status == RMX_ENOMEM) return status;
  json_array_foreach(json_object_get(tree, "metrics"), i, one) {
    const char *name = json_string_value(json_object_get(one, "name")),
               *from = json_string_value(json_object_get(one, "direction_from"));
    if (!name || !from || strcmp(from, rmx_direction_from_text(RMX_DIRECTION_USER)) != 0) continue;
    for (size_t m = 0; m < metrics->D; m++)
      if (strcmp(metrics->names[m], name) == 0)
        metrics->better[m] = json_is_true(json_object_get(one, "higher_is_better"))
                                 ? RMX_BETTER_HIGH
                                 : RMX_BETTER_LOW;
  }
  return RMX_OK;
}

rmx_status rmx__settled_directions(const rmx_regress_options *o, rmx_table *metrics, rmx_err *err) {
  RMX_OWNED rmx_better *better = rmx_calloc(metrics->D, sizeof *better);
  rmx_direction_from from;
  if (!better) return rmx_fail_memory(err, metrics->D * sizeof *better, "a table");
  for (size_t m = 0; m < metrics->D; m++)
    RMX_TRY(rmx__direction_of(o, metrics, m, &better[m], &from, err));
  rmx_better *had = metrics->better;
  metrics->better = better;
  better = had;
  return RMX_OK;
}

rmx_status rmx__directions_in(const rmx_experiment *e, rmx_table *metrics, rmx_err *err) {
  RMX_TRY(rmx__reported_directions(e, metrics, err));
  RMX_TRY(take_from_fit(e, metrics, err));
  return rmx__settled_directions(&e->config.regress, metrics, err);
}
