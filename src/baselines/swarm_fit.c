// SPDX-License-Identifier: Apache-2.0
// A fit to the swarm, for the methods that are one: the runs that the budget pays for, counted, as
// tables.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "comparison.h"
#include "regress/fit.h"

rmx_status rmx__regressor_defaults(const char *name, rmx_regress_options *out, rmx_err *err) {
  *out = (rmx_regress_options){0};
  rmx_status status =
      rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, out, err);
  free(out->regressor);
  out->regressor = rmx_strdup(name);
  if (status == RMX_OK && !out->regressor) status = rmx_fail_memory(err, 0, "options");
  if (status == RMX_OK) return RMX_OK;
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, out);
  *out = (rmx_regress_options){0};
  return status;
}

rmx_status rmx__needs_swarm(const rmx_comparison *c, rmx_err *err) {
  if (c->swarm_n >= 2) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%zu mixtures are too few for a fit; `--set sample.runs=24` draws more",
                  c->swarm_n);
}

// The first runs whose cost together is within the budget: a swarm of that size would have had just
// them.
static size_t affordable(const rmx_comparison *c, rmx_baseline_result *result) {
  double flops = 0;
  for (size_t i = 0; i < c->swarm_n; i++) {
    json_t *run = NULL;
    rmx_run_look(&c->swarm[i], &run);
    const double cost = rmx__result_flops(run);
    const double wall = json_number_value(json_object_get(run, "wall_s"));
    json_decref(run);
    if (i > 0 && flops + cost > c->budget * (1 + 1e-9)) return i;
    flops += cost;
    result->flops += cost;
    result->wall_s += wall;
  }
  return c->swarm_n;
}

// The rows of the runs that are done. The metrics of the target alone, so that nothing is fitted in
// vain.
static rmx_status tables(const rmx_comparison *c, size_t n, rmx_table *mixtures, rmx_table *metrics,
                         rmx_err *err) {
  const size_t D = c->corpus->D_train;
  RMX_TRY(rmx_swarm_metrics(c->swarm, n, c->corpus, false, metrics, NULL, err));
  RMX_TRY(rmx_table_make(mixtures, "run", metrics->N, D, err));
  for (size_t d = 0; d < D; d++)
    if (!(mixtures->names[d] = rmx_strdup(c->corpus->names[d])))
      return rmx_fail_memory(err, 0, "a table");
  for (size_t i = 0, row = 0; i < n && row < metrics->N; i++) {
    if (strcmp(c->swarm[i].name, metrics->ids[row]) != 0) continue;
    memcpy(mixtures->x + row * D, c->swarm[i].mixture, D * sizeof *mixtures->x);
    if (!(mixtures->ids[row++] = rmx_strdup(c->swarm[i].name)))
      return rmx_fail_memory(err, 0, "a table");
  }
  return RMX_OK;
}

rmx_status rmx__swarm_fit(const rmx_comparison *c, const rmx_regress_options *options,
                          rmx_baseline_result *result, rmx_fit **out, rmx_err *err) {
  RMX_OWNED_BY(rmx_table_release) rmx_table mixtures = {0}, metrics = {0};
  const size_t n = affordable(c, result);
  RMX_TRY(tables(c, n, &mixtures, &metrics, err));
  RMX_OWNED const char **only = rmx_calloc(c->corpus->D, sizeof *only);
  size_t wanted = 0;
  if (!only) return rmx_fail_memory(err, 0, "names");
  // The weights of the target are signed already, and patterns may be of scores that are not here.
  rmx_regress_options plain = *options;
  plain.higher_is_better = plain.lower_is_better = (rmx_strings){0};
  for (size_t d = 0; d < c->corpus->D; d++)
    if (c->target[d] != 0) only[wanted++] = metrics.names[d];
  RMX_TRY(rmx_fit_tables(&(rmx_fit_tables_request){.options = &plain,
                                                   .mixtures = &mixtures,
                                                   .metrics = &metrics,
                                                   .only = only,
                                                   .n_only = wanted,
                                                   .seed = c->seed,
                                                   .threads = c->threads,
                                                   .listener = c->listener},
                         out, err));
  json_object_set_new(result->notes, "runs", json_integer((json_int_t)metrics.N));
  return RMX_OK;
}

rmx_status rmx__swarm_problem(const rmx_comparison *c, const rmx_fit *fit, rmx_problem *q,
                              rmx_err *err) {
  const size_t D = c->corpus->D_train;
  RMX_TRY(rmx_problem_make(fit, q, err));
  for (size_t m = 0; m < fit->M; m++) {
    size_t d;
    RMX_TRY(rmx_find_name("metric", fit->metrics[m], c->corpus->names, c->corpus->D, &d, err));
    q->target.weight[m] = c->target[d];
  }
  free(q->prior);
  if (!(q->prior = rmx_calloc(D, sizeof *q->prior))) return rmx_fail_memory(err, 0, "a prior");
  memcpy(q->prior, c->corpus->prior, D * sizeof *q->prior);
  return rmx_constraints_caps(&q->constraints, c->cap, "the cap of %s", c->corpus->names, err);
}
