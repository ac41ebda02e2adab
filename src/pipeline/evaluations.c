// SPDX-License-Identifier: Apache-2.0
// evaluations.csv: all that the runs measured on the way, in one table of mixtures and metrics with
// the size of the model and the tokens seen. Tables of experiments with other proxy sizes can be
// put below each other: `regmix fit --size-column size --tokens-column tokens` fits them together.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "steps.h"

enum { FIRST = 2 };  // columns before those of the mixture: size, tokens

// One line of log.jsonl as a row; false: it is not an evaluation.
static bool fill_row(const json_t *line, const rmx_run *run, const rmx_corpus *corpus, double size,
                     const rmx_table *t, double *x) {
  const json_t *nats = json_object_get(line, "valid_nats");
  if (!nats) return false;
  x[0] = size;
  x[1] = json_number_value(json_object_get(line, "tokens"));
  for (size_t d = 0; d < run->D; d++) x[FIRST + d] = run->mixture[d];
  for (size_t k = FIRST + run->D; k < t->D; k++) {
    const json_t *loss = json_object_get(nats, corpus->names[k - FIRST - run->D]);
    x[k] = json_is_number(loss) ? json_number_value(loss) : NAN;
  }
  return x[1] > 0;
}

// Adds the evaluations of a finished run to the table, which grows.
static rmx_status add_run(const rmx_run *run, const rmx_corpus *corpus, rmx_table *t,
                          rmx_err *err) {
  rmx_model_config m;
  RMX_OWNED char *text = NULL, *path = rmx_path_in(run->folder, "log.jsonl");
  size_t size;
  char *rest;
  RMX_TRY(path ? rmx_training_model(&run->training, corpus->vocab, &m, err)
               : rmx_fail_memory(err, 0, "a path"));
  if (!rmx_exists(path)) return RMX_OK;  // a trainer of the user's need not write one
  RMX_TRY(rmx_read_file(path, &text, &size, err));
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    json_auto_t *o = json_loads(line, 0, NULL);
    double *x = rmx_realloc(t->x, (t->N + 1) * t->D, sizeof *x);
    if (x) t->x = x;
    char **ids = rmx_realloc(t->ids, t->N + 1, sizeof *ids);
    if (ids) t->ids = ids;
    if (!x || !ids) return rmx_fail_memory(err, t->N * t->D * sizeof *x, "evaluations");
    double *row = t->x + t->N * t->D;
    if (!o || !fill_row(o, run, corpus, (double)rmx_model_parameters_body(&m), t, row)) continue;
    if (!(t->ids[t->N] = rmx_format("%s@%.0f", run->name, row[1])))
      return rmx_fail_memory(err, 0, "a name");
    t->N++;
  }
  return RMX_OK;
}

static rmx_status name_columns(const rmx_run *run, const rmx_corpus *corpus, rmx_table *t,
                               rmx_err *err) {
  for (size_t k = 0; k < t->D; k++) {
    const char *domain = k < FIRST            ? NULL
                         : k < FIRST + run->D ? run->domains[k - FIRST]
                                              : corpus->names[k - FIRST - run->D];
    t->names[k] = k < FIRST            ? rmx_strdup(k ? "tokens" : "size")
                  : k < FIRST + run->D ? rmx_format("mixture.%s", domain)
                                       : rmx_format("%s_val_loss", domain);
    if (!t->names[k]) return rmx_fail_memory(err, 0, "a name");
  }
  return RMX_OK;
}

rmx_status rmx__write_evaluations(const rmx_experiment *e, const rmx_corpus *corpus,
                                  const rmx_run *runs, size_t n, rmx_err *err) {
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  RMX_OWNED char *path = rmx_experiment_path(e, "evaluations.csv");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  if (n == 0) return RMX_OK;
  RMX_TRY(rmx_table_make(&t, "run", 0, FIRST + runs[0].D + corpus->D, err));
  RMX_TRY(name_columns(&runs[0], corpus, &t, err));
  for (size_t i = 0; i < n; i++) {
    json_auto_t *result = NULL;
    if (rmx_run_look(&runs[i], &result) == RMX_RUN_DONE)
      RMX_TRY(add_run(&runs[i], corpus, &t, err));
  }
  return t.N ? rmx_csv_write(path, &t, err) : RMX_OK;
}
