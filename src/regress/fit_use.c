// SPDX-License-Identifier: Apache-2.0
// A fit used on tables: finds its domains among their columns, and predicts.

#include <regmix/regress.h>
#include <stdlib.h>
#include <string.h>

#include "fit.h"
#include "fit_phases.h"
#include "registry.h"
#include "rows.h"

// The columns that a mixture needs, for a message.
static const char *columns_of(const rmx_fit *f, char out[300]) {
  if (f->n_phases)
    snprintf(out, 300,
             "a column for each domain of each of the %zu phases, such as \"%.80s\" and \"%.80s\"",
             f->n_phases, f->domains[0], f->domains[f->D - 1]);
  else
    snprintf(out, 300, "columns such as \"%.100s\"", f->domains[0]);
  return out;
}

rmx_status rmx_fit_mixtures(const rmx_fit *f, const rmx_table *t, double **out, rmx_err *err) {
  const char *path = t->path ? t->path : "table";
  RMX_OWNED size_t *column = rmx_calloc(f->D, sizeof(size_t)),
                   *index = rmx_calloc(t->D, sizeof(size_t));
  RMX_OWNED double *X = rmx_calloc(t->N, f->D * sizeof(double));
  if (!column || !index || !X)
    return rmx_fail_memory(err, t->N * f->D * sizeof(double), "mixtures");
  if (rmx_match_names("domain", (const char *const *)t->names, t->D,
                      (const char *const *)f->domains, f->D, index, err) != RMX_OK)
    return rmx_fail_in(err, "%s", path);
  char wanted[300];
  for (size_t d = 0; d < f->D; d++) column[d] = t->D;
  for (size_t c = 0; c < t->D; c++) {
    if (index[c] == f->D)
      return rmx_fail(err, RMX_EINPUT, "%s: column \"%s\" is not a domain of the fit; wanted %s",
                      path, t->names[c], columns_of(f, wanted));
    column[index[c]] = c;
  }
  for (size_t d = 0; d < f->D; d++) {
    if (column[d] < t->D) continue;
    return rmx_fail(err, RMX_EINPUT,
                    "%s: no column for the domain \"%s\" of the fit; wanted all %zu domains (0 for "
                    "one that is not used)",
                    path, f->domains[d], f->D);
  }
  for (size_t i = 0; i < t->N; i++)
    for (size_t d = 0; d < f->D; d++) X[i * f->D + d] = t->x[i * t->D + column[d]];
  RMX_TRY(rmx__scale_phases(f, t, X, err));
  RMX_TRY(rmx__check_rows(t, (const char *const *)f->domains, f->D, f->raw, f->options.normalize, X,
                          NULL, err));
  *out = X;
  X = NULL;
  return RMX_OK;
}

rmx_status rmx_fit_predict_table(const rmx_fit *f, const rmx_table *mixtures, rmx_table *out,
                                 rmx_err *err) {
  RMX_OWNED double *X = NULL, *mean = rmx_calloc(mixtures->N, sizeof(double));
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  if (!mean) return rmx_fail_memory(err, mixtures->N * sizeof(double), "predictions");
  RMX_TRY(rmx_fit_mixtures(f, mixtures, &X, err));
  RMX_TRY(rmx_table_make(&t, "run", mixtures->N, f->M, err));
  bool failed = false;
  for (size_t i = 0; i < t.N; i++) failed |= (t.ids[i] = rmx_strdup(mixtures->ids[i])) == NULL;
  for (size_t m = 0; m < t.D; m++) {
    failed |= (t.names[m] = rmx_strdup(f->metrics[m])) == NULL;
    rmx_regressor_predict(f->regressors[m], X, t.N, mean, NULL);
    for (size_t i = 0; i < t.N; i++) t.x[i * t.D + m] = mean[i];
  }
  if (failed) return rmx_fail_memory(err, t.N * 64, "predictions");
  *out = t;
  t = (rmx_table){0};
  return RMX_OK;
}
