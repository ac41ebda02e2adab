// SPDX-License-Identifier: Apache-2.0
// Scores a fit on tables of measured runs.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "regress/fit.h"
#include "steps.h"

// Whether one of the fit's runs has this mixture and, of some metric, the value measured for the
// run of this name.
static bool is_own(const rmx_fit *f, const double *w, const char *id, const rmx_table *metrics) {
  size_t row = 0, column;
  rmx_err unknown;
  while (row < metrics->N && strcmp(metrics->ids[row], id) != 0) row++;
  for (size_t k = 0; row < metrics->N && k < f->N; k++) {
    double off = 0;
    for (size_t d = 0; d < f->D; d++) off = fmax(off, fabs(f->runs[k * f->D + d] - w[d]));
    for (size_t m = 0; off < 1e-9 && m < f->M; m++)
      if (rmx_find_name("metric", f->metrics[m], (const char *const *)metrics->names, metrics->D,
                        &column, &unknown) == RMX_OK &&
          metrics->x[row * metrics->D + column] == f->truth[k * f->M + m])
        return true;
  }
  return false;
}

static void warn_of_own(const rmx_listener *to, const rmx_fit *f, size_t own, size_t of) {
  double spearman = 0, r2 = 0;
  size_t n = 0;
  for (size_t m = 0; m < f->M; m++)
    if (isfinite(f->cv[m].spearman) && isfinite(f->cv[m].r2)) {
      spearman += f->cv[m].spearman;
      r2 += f->cv[m].r2;
      n++;
    }
  rmx_warn(to,
           "%s%zu of the %zu runs %s the fit was made from, so these scores are too good; on runs "
           "that it had not seen (out of fold) the mean Spearman over its metrics is %.4f and the "
           "mean R2 %.4f",
           own == of ? "all " : "", own, of, own == 1 ? "is a run that" : "are runs that",
           n ? spearman / (double)n : NAN, n ? r2 / (double)n : NAN);
}

// Runs that the fit was made from: their mixture and a value of theirs are among the fit's.
static size_t count_own(const rmx_fit *f, const rmx_table *mixtures, const rmx_table *metrics,
                        rmx_err *err) {
  RMX_OWNED double *X = NULL;
  size_t n = 0;
  if (!f->truth || rmx_fit_mixtures(f, mixtures, &X, err) != RMX_OK) return 0;
  for (size_t i = 0; i < mixtures->N; i++) n += is_own(f, X + i * f->D, mixtures->ids[i], metrics);
  return n;
}

static rmx_status score(const rmx_fit *f, const rmx_table *mixtures, const rmx_table *metrics,
                        const rmx_listener *to, rmx_fit_scores *s, rmx_err *err) {
  s->scores = rmx_calloc(f->M, sizeof *s->scores);
  s->errors = rmx_calloc(f->M, sizeof *s->errors);
  if (!s->scores || !s->errors) return rmx_fail_memory(err, 0, "scores");
  RMX_TRY(rmx_fit_score_tables(f, mixtures, metrics, to, s->scores, &s->mean, s->errors, err));
  s->own = count_own(f, mixtures, metrics, err);
  if (s->own > 0) warn_of_own(to, f, s->own, mixtures->N);
  return RMX_OK;
}

rmx_status rmx_score_tables(rmx_fit *f, const char *mixtures_path, const char *metrics_path,
                            const rmx_table_form *how, double budget, const rmx_listener *to,
                            rmx_fit_scores *s, rmx_err *err) {
  rmx_table_form tables = *how;
  RMX_OWNED_BY(rmx_table_release) rmx_table mixtures = {0}, metrics = {0};
  tables.any_sum = f->options.normalize;
  RMX_TRY(rmx_tables_read(to, mixtures_path, metrics_path, &tables, &mixtures, &metrics, err));
  rmx_fit_set_budget(f, budget);
  return score(f, &mixtures, &metrics, to, s, err);
}

void rmx_fit_scores_release(rmx_fit_scores *s) {
  free(s->scores);
  free(s->errors);
}
