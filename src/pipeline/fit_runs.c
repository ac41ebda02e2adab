// SPDX-License-Identifier: Apache-2.0
// What the results of an experiment's own runs contain besides metrics.csv: the direction of a
// metric of a user's trainer, and the share of the tokens that each domain really got.
//
// Sequences are whole, so a run can't draw every share exactly. If the drawn shares differ by more
// than share_bound of the tokens, the fit uses the drawn shares; otherwise it uses the requested
// ones. Domains that got nothing are reported.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "kept_rows.h"
#include "outdated.h"
#include "steps.h"

static const double share_bound = 0.01;

static json_t *result_of(const rmx_experiment *e, const char *run) {
  RMX_OWNED char *inside = rmx_format("runs/%s/result.json", run),
                 *path = inside ? rmx_experiment_path(e, inside) : NULL;
  json_t *result = NULL;
  rmx_err ignored;
  if (path && rmx_exists(path) && rmx__json_read(path, &result, &ignored) != RMX_OK) result = NULL;
  return result;
}

// The drawn shares (D) of a run; false: the result does not contain them for every domain.
static bool drawn_of(const json_t *result, const rmx_table *mixtures, double *drawn) {
  const json_t *tokens = json_object_get(result, "tokens_by_domain");
  double sum = 0;
  for (size_t d = 0; d < mixtures->D; d++) {
    const json_t *n = json_object_get(tokens, mixtures->names[d]);
    if (!json_is_number(n) || !(json_number_value(n) >= 0)) return false;
    sum += drawn[d] = json_number_value(n);
  }
  for (size_t d = 0; d < mixtures->D && sum > 0; d++) drawn[d] /= sum;
  return sum > 0;
}

// Replaces the requested shares in row w (D) by the drawn ones if they differ by more than
// share_bound. `unseen` (D) counts the runs in which a domain with a weight got nothing.
static bool take_drawn(const double *drawn, double *w, size_t D, size_t *unseen) {
  double moved = 0, sum = 0;
  for (size_t d = 0; d < D; d++) sum += w[d];
  for (size_t d = 0; d < D; d++) {
    moved += fabs(drawn[d] - w[d] / sum) / 2;
    unseen[d] += w[d] > 0 && drawn[d] == 0;
  }
  if (!(moved > share_bound)) return false;
  memcpy(w, drawn, D * sizeof *w);
  return true;
}

// The result is of the mixture in row w: the folder of a run may hold that of another one.
static bool is_of(const json_t *result, const rmx_table *mixtures, const double *w) {
  const json_t *mixture = json_object_get(result, "mixture");
  double sum = 0, moved = 0;
  if (!json_is_object(mixture)) return true;  // it does not say
  for (size_t d = 0; d < mixtures->D; d++) sum += w[d];
  for (size_t d = 0; d < mixtures->D; d++)
    moved += fabs(json_number_value(json_object_get(mixture, mixtures->names[d])) - w[d] / sum) / 2;
  return moved <= share_bound;
}

rmx_status rmx__take_own_runs(rmx_pipeline *p, rmx_table *mixtures, rmx_table *metrics,
                              rmx_err *err) {
  rmx_few changed = {0}, domains = {0};
  RMX_OWNED double *drawn = rmx_calloc(mixtures->D, sizeof *drawn);
  RMX_OWNED size_t *unseen = rmx_calloc(mixtures->D, sizeof *unseen);
  if (!metrics->better) metrics->better = rmx_calloc(metrics->D, sizeof *metrics->better);
  if (!drawn || !unseen || !metrics->better)
    return rmx_fail_memory(err, mixtures->D * sizeof *drawn, "shares");
  for (size_t i = 0; i < mixtures->N; i++) {
    json_auto_t *result = result_of(&p->experiment, mixtures->ids[i]);
    if (result) rmx__take_directions(result, metrics);
    if (result && is_of(result, mixtures, mixtures->x + i * mixtures->D) &&
        drawn_of(result, mixtures, drawn) &&
        take_drawn(drawn, mixtures->x + i * mixtures->D, mixtures->D, unseen))
      rmx_few_add(&changed, mixtures->ids[i]);
  }
  for (size_t d = 0; d < mixtures->D; d++) {
    char text[128];
    if (!unseen[d]) continue;
    snprintf(text, sizeof text, "%.50s (in %zu)", mixtures->names[d], unseen[d]);
    rmx_few_add(&domains, text);
  }
  if (domains.n)
    rmx_note(&p->listener,
             "fit: in some runs %zu domain%s had a weight too small for a single sequence: %s",
             domains.n, rmx_s(domains.n), domains.text);
  if (changed.n)
    rmx_note(&p->listener,
             "fit: %zu of %zu run%s drew shares that differ by more than %g %% of the tokens from "
             "the requested shares; the fit uses the drawn shares: %s",
             changed.n, mixtures->N, rmx_s(mixtures->N), 100 * share_bound, changed.text);
  return RMX_OK;
}

// The result of the run with this name, or of which this row of evaluations.csv is (NAME@TOKENS),
// is one that `regmix train` would use again.
static bool is_used(const rmx_run *runs, size_t n, const char *id, size_t near) {
  for (size_t k = 0; k < n; k++) {
    const rmx_run *r = &runs[(near + k) % n];
    const size_t length = strlen(r->name);
    if (strncmp(r->name, id, length) != 0 || (id[length] && id[length] != '@')) continue;
    const rmx_run_state state = rmx_run_look(r, NULL);
    return state == RMX_RUN_DONE || state == RMX_RUN_DAMAGED;
  }
  return false;
}

// Warns of numbers that are not those of the results. *added: rows that the user added.
static void warn_of_changes(rmx_pipeline *p, const char *metrics, const struct rmx__runs_of *runs,
                            rmx_strings *added) {
  rmx_few changed = {0};
  rmx_err ignored;
  if (rmx__table_look(&p->experiment, rmx__file_name(metrics), runs, &changed, added, &ignored) ==
          RMX_OK &&
      changed.n)
    rmx_warn(&p->listener,
             "%s: the numbers of %zu run%s are not those that `regmix train` wrote (%s); they are "
             "taken as they are. `regmix train` writes those of result.json again",
             metrics, changed.n, rmx_s(changed.n), changed.text);
}

// The runs of the present settings; none if the experiment trained none.
static void todays_runs(const rmx_experiment *e, const rmx_corpus *corpus,
                        struct rmx__runs_of *out) {
  rmx_err ignored;
  if (rmx__experiment_has(e, "runs") &&
      rmx__all_runs(e, corpus, &out->runs, &out->n, &ignored) != RMX_OK)
    out->runs = NULL, out->n = 0;
}

// The rows of a table of metrics that are of runs which the present settings do not use; not those
// that the user added. *rows: how many there are in all.
static void find_unused(const struct rmx__runs_of *runs, const char *metrics,
                        const rmx_strings *added, rmx_few *unused, size_t *rows) {
  RMX_OWNED_BY(rmx_table_release) rmx_table table = {0};
  rmx_err ignored;
  *rows = 0;
  if (!runs->runs || rmx_csv_read(metrics, &table, &ignored) != RMX_OK) return;
  RMX_OWNED const char **names = rmx_calloc(runs->n + 1, sizeof *names);
  for (size_t k = 0; names && k < runs->n; k++) names[k] = runs->runs[k].name;
  for (size_t i = 0; i < table.N; i++) {
    const size_t at = names ? rmx__numbered_name(table.ids[i], names, runs->n) : runs->n;
    const char *id = at < runs->n ? names[at] : table.ids[i];
    if (!rmx_strings_have(added, id) && !is_used(runs->runs, runs->n, id, i))
      rmx_few_add(unused, table.ids[i]);
  }
  *rows = table.N;
}

void rmx__warn_of_unused_runs(rmx_pipeline *p, const char *metrics) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings added = {0};
  RMX_OWNED_BY(rmx__runs_close) struct rmx__runs_of today = {0};
  rmx_few unused = {0};
  rmx_err ignored;
  size_t rows = 0;
  if (rmx_corpus_open(p->experiment.folder, &today.corpus, &ignored) == RMX_OK)
    todays_runs(&p->experiment, today.corpus, &today);
  warn_of_changes(p, metrics, &today, &added);
  find_unused(&today, metrics, &added, &unused, &rows);
  if (unused.n)
    rmx_warn(&p->listener,
             "%s: %zu of %zu row%s %s of runs that the present settings do not use (%s); `regmix "
             "train` trains the runs that they describe, and writes the file again",
             metrics, unused.n, rows, rmx_s(rows), rmx_is(unused.n), unused.text);
}

void rmx__metrics_outdated(const rmx_experiment *e, const rmx_corpus *corpus, rmx_buf *why) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings added = {0};
  RMX_OWNED char *path = rmx_experiment_path(e, "metrics.csv");
  struct rmx__runs_of today = {0};
  rmx_few unused = {0}, changed = {0};
  rmx_err ignored;
  size_t rows = 0;
  todays_runs(e, corpus, &today);
  if (path && rmx__table_look(e, "metrics.csv", &today, &changed, &added, &ignored) == RMX_OK)
    find_unused(&today, path, &added, &unused, &rows);
  rmx_runs_release(today.runs, today.n);
  if (unused.n)
    rmx_buf_printf(why, "%zu of %zu row%s %s of runs that the present settings do not use",
                   unused.n, rows, rmx_s(rows), rmx_is(unused.n));
}
