// SPDX-License-Identifier: Apache-2.0
// Which way each metric of an experiment is better. What compares runs by a metric without a fit
// asks here, so that it decides as the fit does: the patterns of the config, then those with which
// the fit was made (`regmix fit --higher-is-better`), then what the trainer or the tasks reported,
// then the name.
#include "regress/directions.h"

#include <math.h>
#include <string.h>

#include "regress/fit.h"
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

static rmx_status ask(const char *metric, rmx_err *err) {
  return rmx_fail(
      err, RMX_EUSAGE,
      "\"%s\" %s, and nothing says which. `regmix fit --higher-is-better %s` or "
      "`--lower-is-better %s` says it (fit.higher_is_better and fit.lower_is_better in "
      "regmix.yaml, higher_is_better in the result.json of a trainer)",
      metric,
      rmx_is_task_name(metric)
          ? "is the name of a task, so it may be a score (better high) or a loss "
            "(better low)"
          : "may have another sign than its name says, since all values are negative (of "
            "a negated metric: positive), so it may be better high or low",
      metric, metric);
}

// Whether a metric whose direction is not known must not be guessed: it is the name of a task, or
// the values contradict its name.
static bool must_be_said(const char *metric) {
  return rmx_is_task_name(metric) || rmx_better_by_name(metric) != RMX_BETTER_UNSAID;
}

rmx_status rmx__ask_directions(const rmx_fit *f, const rmx_target *t, rmx_err *err) {
  for (size_t m = 0; m < f->M; m++) {
    const bool counts = t->weight[m] > 0 || (t->limit[m] < INFINITY && t->weight[m] == 0);
    if (counts && t->sign[m] > 0 && f->direction_from &&
        f->direction_from[m] == RMX_DIRECTION_ASSUMED && must_be_said(f->metrics[m]))
      return ask(f->metrics[m], err);
  }
  return RMX_OK;
}

rmx_status rmx__ask_direction_of(const char *metric, rmx_better better, rmx_err *err) {
  return better == RMX_BETTER_UNSAID && must_be_said(metric) ? ask(metric, err) : RMX_OK;
}

json_t *rmx__directions_json(const rmx_fit *f, const rmx_target *t) {
  json_t *all = json_object();
  for (size_t m = 0; m < f->M; m++) {
    if (t->weight[m] == 0 && !(t->limit[m] < INFINITY)) continue;
    const bool turned = t->sign[m] < 0 && !(f->higher_is_better && f->higher_is_better[m]);
    const rmx_direction_from from = turned              ? RMX_DIRECTION_USER
                                    : f->direction_from ? f->direction_from[m]
                                                        : RMX_DIRECTION_ASSUMED;
    json_object_set_new(all, f->metrics[m],
                        json_pack("{s:b, s:s}", "higher_is_better", t->sign[m] < 0, "from",
                                  rmx_direction_from_text(from)));
  }
  return all;
}

rmx_status rmx__directions_in(const rmx_experiment *e, rmx_table *metrics, rmx_err *err) {
  RMX_TRY(rmx__reported_directions(e, metrics, err));
  RMX_TRY(take_from_fit(e, metrics, err));
  return rmx__settled_directions(&e->config.regress, metrics, err);
}
