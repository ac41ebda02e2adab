// SPDX-License-Identifier: Apache-2.0
// regmix correlate: the tables of metrics that it reads, joined into one.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <regmix/import.h>

#include "regress/join.h"
#include "steps.h"

// The rows of two tables that are of the same run: partner (to->N). Warns of those that are of one
// table alone.
static rmx_status match(const rmx_table *to, const rmx_table *from, size_t *partner,
                        const rmx_listener *listener, rmx_err *err) {
  RMX_OWNED size_t *back = rmx_calloc(from->N, sizeof *back);
  if (!back) return rmx_fail_memory(err, from->N * sizeof *back, "joining tables");
  RMX_TRY(rmx__join(to, from, partner, err));
  RMX_TRY(rmx__join(from, to, back, err));
  rmx__join_warn(to, from, partner, "without its metrics", listener);
  rmx__join_warn(from, to, back, "left out", listener);
  return RMX_OK;
}

// Adds the columns of another table, by the names of the runs. Runs that only `from` has are left
// out.
static rmx_status add_columns(rmx_table *to, const rmx_table *from, const rmx_listener *listener,
                              rmx_err *err) {
  const size_t D = to->D + from->D;
  RMX_OWNED size_t *partner = rmx_calloc(to->N, sizeof *partner);
  if (!partner) return rmx_fail_memory(err, to->N * sizeof *partner, "joining tables");
  RMX_TRY(match(to, from, partner, listener, err));
  RMX_OWNED_BY(rmx_table_release) rmx_table both = {0};
  RMX_TRY(rmx_table_make(&both, to->id_name, to->N, D, err));
  if (!(both.better = rmx_calloc(D, sizeof *both.better)) || !(both.path = rmx_strdup(to->path)))
    return rmx_fail_memory(err, D, "a table");
  for (size_t d = 0; d < D; d++) {
    const rmx_table *t = d < to->D ? to : from;
    const size_t k = d < to->D ? d : d - to->D;
    for (size_t e = 0; e < to->D && t == from; e++)
      if (strcmp(to->names[e], from->names[k]) == 0)
        return rmx_fail(err, RMX_EINPUT, "%s: metric \"%s\" is in another table, too", from->path,
                        from->names[k]);
    if (!(both.names[d] = rmx_strdup(t->names[k]))) return rmx_fail_memory(err, 0, "a name");
    both.better[d] = t->better ? t->better[k] : RMX_BETTER_UNSAID;
  }
  for (size_t i = 0; i < to->N; i++) {
    const size_t row = partner[i];
    if (!(both.ids[i] = rmx_strdup(to->ids[i]))) return rmx_fail_memory(err, 0, "a name");
    for (size_t d = 0; d < D; d++)
      both.x[i * D + d] = d < to->D        ? to->x[i * to->D + d]
                          : row < SIZE_MAX ? from->x[row * from->D + d - to->D]
                                           : NAN;
  }
  const rmx_table had = *to;
  *to = both;
  both = had;
  return RMX_OK;
}

static rmx_status read_files(const rmx_pipeline *p, const rmx_correlate_request *q, rmx_table *t,
                             rmx_err *err) {
  const rmx_import_options o = {.what = RMX_IMPORT_METRICS,
                                .columns = (const char *const *)q->tables.metric_columns.items,
                                .n_columns = q->tables.metric_columns.n,
                                .id = q->tables.id};
  for (size_t i = 0; i < q->metrics.n; i++) {
    RMX_OWNED_BY(rmx_table_release) rmx_table more = {0};
    RMX_TRY(rmx_import_table(q->metrics.items[i], &o, &p->listener, i ? &more : t, err));
    if (i) RMX_TRY(rmx_import_join(t, &more, &p->listener, err));
    if (i) RMX_TRY(add_columns(t, &more, &p->listener, err));
  }
  return RMX_OK;
}

static rmx_status read_own(const rmx_pipeline *p, rmx_table *t, rmx_err *err) {
  RMX_OWNED char *path = rmx_experiment_path(&p->experiment, "metrics.csv");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  if (!rmx_exists(path))
    return rmx_fail(err, RMX_EINPUT,
                    "no %s yet; `regmix train` writes it, and --metrics FILE gives another table",
                    path);
  RMX_TRY(rmx_csv_read(path, t, err));
  return rmx__directions_in(&p->experiment, t, err);
}

rmx_status rmx_pipeline_correlate(rmx_pipeline *p, const rmx_correlate_request *q,
                                  rmx_correlations *out, rmx_err *err) {
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  RMX_TRY(q->metrics.n ? read_files(p, q, &t, err) : read_own(p, &t, err));
  if (q->metrics.n) RMX_TRY(rmx__settled_directions(&p->experiment.config.regress, &t, err));
  rmx_correlate_options o = q->options;
  o.seed = (uint64_t)p->experiment.config.general.seed;
  o.threads = rmx_processors();
  return rmx_correlate(&t, &o, out, err);
}
