// SPDX-License-Identifier: Apache-2.0
// What came back: the results of the runs as one table.
#include <math.h>
#include <regmix/swarm.h>
#include <stdlib.h>

static const json_t *nats_of(const json_t *result, bool half) {
  return json_object_get(half ? json_object_get(result, "half") : result, "loss_nats");
}

static rmx_status fill(const rmx_run *runs, size_t n, const rmx_corpus *corpus, bool half, rmx_table *out, rmx_err *err) {
  size_t rows = 0;
  for (size_t d = 0; d < corpus->D; d++)
    if (!(out->names[d] = rmx_format("%s_val_loss", corpus->names[d]))) return rmx_fail_memory(err, 0, "a table");
  for (size_t i = 0; i < n; i++) {
    json_t *result = NULL;
    if (rmx_run_look(&runs[i], &result) == RMX_RUN_DONE) {
      const json_t *nats = nats_of(result, half);
      for (size_t d = 0; d < corpus->D; d++) {
        const json_t *x = json_object_get(nats, corpus->names[d]);
        out->x[rows * out->D + d] = json_is_number(x) ? json_number_value(x) : NAN;
      }
      out->ids[rows] = rmx_strdup(runs[i].name);
      if (!out->ids[rows++]) {
        json_decref(result);
        return rmx_fail_memory(err, 0, "a table");
      }
    }
    json_decref(result);
  }
  for (size_t i = rows; i < out->N; i++) free(out->ids[i]);
  out->N = rows;
  return RMX_OK;
}

rmx_status rmx_swarm_metrics(const rmx_run *runs, size_t n, const rmx_corpus *corpus, bool half, rmx_table *out,
                             size_t *left_out, rmx_err *err) {
  RMX_TRY(rmx_table_make(out, "run", n, corpus->D, err));
  rmx_status status = fill(runs, n, corpus, half, out, err);
  if (status == RMX_OK && left_out) *left_out = n - out->N;
  if (status != RMX_OK) rmx_table_release(out);
  return status;
}
