// SPDX-License-Identifier: Apache-2.0
// Reads the user's tables of mixtures and metrics, in the format of whichever program wrote them.
#include <sys/stat.h>

#include <regmix/import.h>

#include "steps.h"

// Each column that was named must be in one of the tables.
static rmx_status check_scales(const rmx_table_form *how, const rmx_table *mixtures,
                               const rmx_table *metrics, rmx_err *err) {
  const bool sizes = mixtures->sizes || metrics->sizes,
             tokens = mixtures->tokens || metrics->tokens;
  const bool size = how->size_column && !sizes;
  if (!size && (!how->tokens_column || tokens)) return RMX_OK;
  return rmx_fail(
      err, RMX_EUSAGE,
      "%s: no column \"%s\" for the %s of the runs; add it (`fit --%s-column` names the column)",
      metrics->path ? metrics->path : "table", size ? how->size_column : how->tokens_column,
      size ? "size" : "tokens", size ? "size" : "tokens");
}

rmx_status rmx_tables_read(const rmx_listener *to, const char *mixtures_path,
                           const char *metrics_path, const rmx_table_form *how, rmx_table *mixtures,
                           rmx_table *metrics, rmx_err *err) {
  static const rmx_table_form as_they_are = {0};
  if (!how) how = &as_they_are;
  const rmx_strings *weights = &how->mixture_columns, *measured = &how->metric_columns;
  struct stat info;
  const bool one_file =
      metrics_path && rmx__same_file(mixtures_path, metrics_path, &info) && !S_ISDIR(info.st_mode);
  rmx_import_options o = {.what = RMX_IMPORT_MIXTURES,
                          .columns = (const char *const *)weights->items,
                          .n_columns = weights->n,
                          .mixed = one_file,
                          .id = how->id,
                          .any_sum = how->any_sum,
                          .size_column = how->size_column,
                          .tokens_column = how->tokens_column};
  if (metrics) *metrics = (rmx_table){0};
  RMX_TRY(rmx_import_table(mixtures_path, &o, to, mixtures, err));
  if (!metrics_path) return RMX_OK;
  o.what = RMX_IMPORT_METRICS;
  o.columns = (const char *const *)measured->items;
  o.n_columns = measured->n;
  rmx_status status = rmx_import_table(metrics_path, &o, to, metrics, err);
  if (status == RMX_OK) status = rmx_import_join(mixtures, metrics, to, err);
  if (status == RMX_OK) status = rmx_import_replicates(mixtures, metrics, one_file, to, err);
  if (status == RMX_OK) status = check_scales(how, mixtures, metrics, err);
  if (status == RMX_OK) return RMX_OK;
  rmx_table_release(mixtures);
  rmx_table_release(metrics);
  return status;
}
