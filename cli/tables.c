// SPDX-License-Identifier: Apache-2.0
// The tables of mixtures and metrics a user names, in whatever form another program wrote them.
#include <sys/stat.h>

#include <regmix/import.h>

#include "steps.h"

static bool same_file(const char *a, const char *b) {
  struct stat x, y;
  return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino && !S_ISDIR(x.st_mode);
}

rmx_status read_tables(const cli *c, const char *mixtures_path, const char *metrics_path, const rmx_strings *mixture_columns,
                       const rmx_strings *metric_columns, rmx_table *mixtures, rmx_table *metrics, rmx_err *err) {
  static const rmx_strings none = {0};
  const rmx_strings *weights = mixture_columns ? mixture_columns : &none, *measured = metric_columns ? metric_columns : &none;
  bool mixed = metrics_path && same_file(mixtures_path, metrics_path);
  if (metrics) *metrics = (rmx_table){0};
  RMX_TRY(rmx_import_table(mixtures_path, &(rmx_import_options){RMX_IMPORT_MIXTURES, (const char *const *)weights->items, weights->n, mixed},
                           &c->listener, mixtures, err));
  if (!metrics_path) return RMX_OK;
  rmx_status status =
      rmx_import_table(metrics_path, &(rmx_import_options){RMX_IMPORT_METRICS, (const char *const *)measured->items, measured->n, mixed},
                       &c->listener, metrics, err);
  if (status == RMX_OK) status = rmx_import_meet(mixtures, metrics, &c->listener, err);
  if (status == RMX_OK) return RMX_OK;
  rmx_table_release(mixtures);
  rmx_table_release(metrics);
  return status;
}
