// SPDX-License-Identifier: Apache-2.0
// What came back: the results of the runs as one table.
#include <math.h>
#include <regmix/swarm.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static const json_t *nats_of(const json_t *result, bool half) {
  return json_object_get(half ? json_object_get(result, "half") : result, "loss_nats");
}

// What the results measured beside losses: names in the order of their first appearance, and their
// directions (may be NULL).
struct others {
  rmx_strings names;
  rmx_better *better;
  size_t *by;  // which run said it first
};

static rmx_status grow(struct others *o, const char *name, rmx_err *err) {
  const size_t n = o->names.n;
  rmx_better *better = rmx_realloc(o->better, n + 1, sizeof *better);
  if (better) o->better = better;
  size_t *by = rmx_realloc(o->by, n + 1, sizeof *by);
  if (by) o->by = by;
  if (!better || !by || !rmx_strings_add(&o->names, name))
    return rmx_fail_memory(err, 0, "names of metrics");
  o->better[n] = RMX_BETTER_UNSAID;
  return RMX_OK;
}

static rmx_status add_others(const rmx_run *runs, size_t run, const json_t *result,
                             struct others *o, rmx_err *err) {
  const json_t *directions = json_object_get(result, "higher_is_better");
  const char *name;
  json_t *value;
  json_object_foreach(json_object_get(result, "metrics"), name, value) {
    size_t at = 0;
    while (at < o->names.n && strcmp(o->names.items[at], name) != 0) at++;
    if (at == o->names.n) RMX_TRY(grow(o, name, err));
    const json_t *high = json_object_get(directions, name);
    if (!json_is_boolean(high)) continue;
    const rmx_better better = json_is_true(high) ? RMX_BETTER_HIGH : RMX_BETTER_LOW;
    if (o->better[at] != RMX_BETTER_UNSAID && o->better[at] != better)
      return rmx_fail(
          err, RMX_EINPUT,
          "the runs contradict each other: by result.json of run %s higher values of "
          "\"%s\" are better, by that of run %s lower ones; remove the folder of the run "
          "that is wrong, and call `regmix train`",
          runs[better == RMX_BETTER_HIGH ? run : o->by[at]].name, name,
          runs[better == RMX_BETTER_HIGH ? o->by[at] : run].name);
    if (o->better[at] == RMX_BETTER_UNSAID) o->by[at] = run;
    o->better[at] = better;
  }
  return RMX_OK;
}

static rmx_status find_others(const rmx_run *runs, size_t n, struct others *o, rmx_err *err) {
  rmx_status status = RMX_OK;
  for (size_t i = 0; status == RMX_OK && i < n; i++) {
    json_auto_t *result = NULL;
    if (rmx_run_look(&runs[i], &result) == RMX_RUN_DONE)
      status = add_others(runs, i, result, o, err);
  }
  return status;
}

static rmx_status name_columns(const rmx_corpus *corpus, const struct others *o, rmx_table *out,
                               rmx_err *err) {
  if (o->names.n && !(out->better = rmx_calloc(out->D, sizeof *out->better)))
    return rmx_fail_memory(err, 0, "a table");
  for (size_t k = 0; k < out->D; k++) {
    out->names[k] = k < corpus->D ? rmx_format("%s_val_loss", corpus->names[k])
                                  : rmx_strdup(o->names.items[k - corpus->D]);
    if (!out->names[k]) return rmx_fail_memory(err, 0, "a table");
    if (out->better) out->better[k] = k < corpus->D ? RMX_BETTER_LOW : o->better[k - corpus->D];
  }
  return RMX_OK;
}

static void fill_row(const json_t *result, const rmx_corpus *corpus, bool half,
                     const rmx_table *out, double *x) {
  const json_t *nats = nats_of(result, half), *metrics = json_object_get(result, "metrics");
  for (size_t k = 0; k < out->D; k++) {
    const json_t *value = k < corpus->D ? json_object_get(nats, corpus->names[k])
                                        : json_object_get(metrics, out->names[k]);
    x[k] = json_is_number(value) ? json_number_value(value) : NAN;
  }
}

static rmx_status fill(const rmx_run *runs, size_t n, const rmx_corpus *corpus, bool half,
                       rmx_table *out, rmx_err *err) {
  size_t rows = 0;
  for (size_t i = 0; i < n; i++) {
    json_t *result = NULL;
    bool done = rmx_run_look(&runs[i], &result) == RMX_RUN_DONE;
    if (done) fill_row(result, corpus, half, out, out->x + rows * out->D);
    json_decref(result);
    if (done && !(out->ids[rows++] = rmx_strdup(runs[i].name)))
      return rmx_fail_memory(err, 0, "a table");
  }
  out->N = rows;
  return RMX_OK;
}

rmx_status rmx_swarm_metrics(const rmx_run *runs, size_t n, const rmx_corpus *corpus, bool half,
                             rmx_table *out, size_t *left_out, rmx_err *err) {
  struct others others = {0};
  *out = (rmx_table){0};
  rmx_status status = half ? RMX_OK : find_others(runs, n, &others, err);
  if (status == RMX_OK) status = rmx_table_make(out, "run", n, corpus->D + others.names.n, err);
  if (status == RMX_OK) status = name_columns(corpus, &others, out, err);
  if (status == RMX_OK) status = fill(runs, n, corpus, half, out, err);
  if (status == RMX_OK && left_out) *left_out = n - out->N;
  if (status != RMX_OK) rmx_table_release(out);
  rmx_strings_release(&others.names);
  free(others.better), free(others.by);
  return status;
}
