// SPDX-License-Identifier: Apache-2.0
// A rank that waits for orders of the first one.
#include <stdlib.h>
#include <string.h>

#include "comm/comm.h"
#include "ranks.h"
#include "train/run_json.h"

static rmx_status train_spread(const json_t *order, const rmx_ranks *to, rmx_err *err) {
  const json_t *list = json_object_get(order, "runs");
  rmx_swarm_options options = {
      .program = to->program,
      .isa = json_string_value(json_object_get(order, "isa")),
      .experiment = json_string_value(json_object_get(order, "experiment")),
      .jobs_given = json_is_true(json_object_get(order, "jobs_given")),
      .tries = 2,
      .what = json_string_value(json_object_get(order, "what"))};
  options.jobs = options.jobs_given ? (int)json_integer_value(json_object_get(order, "jobs"))
                                    : rmx_processors();
  rmx_swarm_outcome outcome = {0};
  RMX_TRY(rmx__ranks_check_levels(to->comm, options.isa, err));
  RMX_OWNED rmx_run *runs = rmx_calloc(json_array_size(list), sizeof *runs);
  rmx_status status = runs ? RMX_OK : rmx_fail_memory(err, 0, "the runs of a rank");
  size_t i, n = 0;
  json_t *one;
  json_array_foreach(list, i, one) {
    if (status != RMX_OK || json_integer_value(json_object_get(one, "rank")) != to->comm->rank)
      continue;
    status = rmx__run_of_json(json_object_get(one, "run"),
                              json_string_value(json_object_get(one, "folder")), &runs[n], err);
    n += status == RMX_OK;
  }
  if (status == RMX_OK && n)
    status = rmx_swarm_train(runs, n, &options, to->listener, &outcome, err);
  for (i = 0; i < n; i++) rmx_run_release(&runs[i]);
  return rmx__ranks_end(to->comm, status, &outcome, err);
}

static rmx_status train_together(const json_t *order, const rmx_ranks *to, rmx_err *err) {
  const json_t *one = json_object_get(order, "run");
  RMX_OWNED_BY(rmx_run_release) rmx_run r = {0};
  const rmx_train_hooks hooks = {.comm = to->comm};
  const rmx_status status = rmx__run_of_json(
      json_object_get(one, "run"), json_string_value(json_object_get(one, "folder")), &r, err);
  if (status != RMX_OK) return status;
  return rmx__ranks_train_ours(&r, json_string_value(json_object_get(order, "isa")), &hooks, err);
}

rmx_status rmx_swarm_serve(const rmx_ranks *to, rmx_err *err) {
  for (;;) {
    RMX_OWNED char *text = rmx__comm_text(to->comm, NULL, true);
    json_auto_t *order = text ? json_loads(text, 0, NULL) : NULL;
    const char *what = json_string_value(json_object_get(order, "do"));
    if (!what) return rmx_fail_memory(err, 0, "an order to the ranks");
    if (strcmp(what, "end") == 0) return RMX_OK;
    to->comm->agreed = false;
    const rmx_status status =
        strcmp(what, "spread") == 0 ? train_spread(order, to, err) : train_together(order, to, err);
    if (status != RMX_OK && !to->comm->agreed) return status;
  }
}
