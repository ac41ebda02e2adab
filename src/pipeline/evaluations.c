// SPDX-License-Identifier: Apache-2.0
// evaluations.csv: all that the runs measured on the way, in one table of mixtures and metrics with
// the size of the model and the tokens seen. An experiment with several swarms is fitted to it.
// Tables of several experiments can be put below each other: `regmix fit --size-column size
// --tokens-column tokens` fits them together.
//
// A run of phases has a column for each phase and domain. What it measured on the way is what a
// shorter run would have measured: until the end of the first phase, one whose phases all have the
// first mixture.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "steps.h"

enum { FIRST = 2 };  // columns before those of the mixture: size, tokens

struct writing {
  const rmx_corpus *corpus;
  rmx_table *t;
  size_t W;           // columns of the mixture
  rmx_table results;  // what the runs measured at their end; N = 0: only logs are read
  rmx_few without;    // runs whose log is missing or was changed
};

static rmx_status add_row(struct writing *w, const rmx_run *run, double size, double tokens,
                          rmx_err *err) {
  rmx_table *t = w->t;
  double *x = rmx_realloc(t->x, (t->N + 1) * t->D, sizeof *x);
  if (x) t->x = x;
  char **ids = rmx_realloc(t->ids, t->N + 1, sizeof *ids);
  if (ids) t->ids = ids;
  if (!x || !ids) return rmx_fail_memory(err, t->N * t->D * sizeof *x, "evaluations");
  if (!(t->ids[t->N] = rmx_format("%s@%.0f", run->name, tokens)))
    return rmx_fail_memory(err, 0, "a name");
  double *row = t->x + t->N++ * t->D;
  row[0] = size;
  row[1] = tokens;
  for (size_t k = FIRST; k < t->D; k++) row[k] = NAN;
  return RMX_OK;
}

static double tokens_of_step(const rmx_run *run) {
  return (double)(rmx_training_batch(&run->training) * run->training.context);
}

// How much of the tokens from `low` to `high` (shares of those seen) phase j of the run had.
static double part_of(const rmx_run *run, size_t j, double low, double high, double seen) {
  const rmx_phases *p = &run->phases;
  const int64_t steps = rmx_training_steps(&run->training);
  const double each = tokens_of_step(run);
  double before = 0;
  for (size_t k = 0; k < j; k++) before += p->share[k];
  const double from = (double)llround(before * (double)steps) * each,
               to = j + 1 < p->n ? (double)llround((before + p->share[j]) * (double)steps) * each
                                 : INFINITY;
  return fmax(fmin(to, high * seen) - fmax(from, low * seen), 0) / ((high - low) * seen);
}

// The tokens seen as a run with phases of the same shares would have them: a phase has the mean
// mixture of its part. So up to the end of the first phase all phases have its mixture.
static void fill_phases(const rmx_run *run, double seen, double *x) {
  const rmx_phases *p = &run->phases;
  double low = 0;
  memset(x, 0, p->n * p->D * sizeof *x);
  for (size_t k = 0; k < p->n; low += p->share[k++])
    for (size_t j = 0; j < p->n; j++) {
      const double part = part_of(run, j, low, low + p->share[k], seen);
      for (size_t d = 0; d < p->D && part > 0; d++)
        x[k * p->D + d] += p->share[k] * part * p->mixture[j * p->D + d];
    }
}

static void fill_mixture(const rmx_run *run, double *row, bool end) {
  const rmx_phases *p = &run->phases;
  if (p->n && !end)
    fill_phases(run, row[1], row + FIRST);
  else if (p->n)
    for (size_t k = 0; k < p->n * p->D; k++) row[FIRST + k] = p->share[k / p->D] * p->mixture[k];
  else
    memcpy(row + FIRST, run->mixture, run->D * sizeof *row);
}

// Adds a row of losses, {domain: nats}, unless the table has one of this run and length, which is
// among the rows from `first` on.
static rmx_status add_losses(struct writing *w, const rmx_run *run, double size, size_t first,
                             double tokens, const json_t *nats, rmx_err *err) {
  for (size_t i = first; i < w->t->N; i++)
    if (w->t->x[i * w->t->D + 1] == tokens) return RMX_OK;
  if (!(tokens > 0)) return RMX_OK;
  RMX_TRY(add_row(w, run, size, tokens, err));
  double *row = w->t->x + (w->t->N - 1) * w->t->D;
  fill_mixture(run, row,
               tokens >= (double)rmx_training_steps(&run->training) * tokens_of_step(run));
  for (size_t k = 0; k < w->corpus->D; k++) {
    const json_t *loss = json_object_get(nats, w->corpus->names[k]);
    if (json_is_number(loss)) row[FIRST + w->W + k] = json_number_value(loss);
  }
  return RMX_OK;
}

// Numbers of tokens, both included.
struct span {
  double low, high;
};

static bool inside(double tokens, struct span s) {
  return tokens >= s.low && tokens <= s.high;
}

// The lines of log.jsonl that are evaluations within the span.
static rmx_status add_log(struct writing *w, const rmx_run *run, const json_t *result, double size,
                          struct span span, rmx_err *err) {
  RMX_OWNED char *text = NULL, *path = rmx_path_in(run->folder, "log.jsonl");
  const char *wanted = json_string_value(json_object_get(result, "log_hash"));
  size_t length;
  char *rest;
  const size_t first = w->t->N;
  if (!path) return rmx_fail_memory(err, 0, "a path");
  if (!rmx_exists(path)) {  // a trainer of the user's need not write one
    if (wanted || !rmx_training_is_outside(&run->training)) rmx_few_add(&w->without, run->name);
    return RMX_OK;
  }
  RMX_TRY(rmx_read_file(path, &text, &length, err));
  uint64_t hash = 0;
  if (wanted) RMX_TRY(rmx_log_hash(text, length, &hash, err));
  if (wanted && strtoull(wanted, NULL, 16) != hash) {
    rmx_few_add(&w->without, run->name);
    return RMX_OK;
  }
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    json_auto_t *o = json_loads(line, 0, NULL);
    const json_t *nats = json_object_get(o, "valid_nats");
    const double tokens = json_number_value(json_object_get(o, "tokens"));
    if (nats && inside(tokens, span)) RMX_TRY(add_losses(w, run, size, first, tokens, nats, err));
  }
  return RMX_OK;
}

// The row of all that the run measured at its end.
static rmx_status add_end(struct writing *w, const rmx_run *run, double size, double tokens,
                          rmx_err *err) {
  const rmx_table *r = &w->results;
  size_t i = 0;
  while (i < r->N && strcmp(r->ids[i], run->name) != 0) i++;
  if (i == r->N) return RMX_OK;
  RMX_TRY(add_row(w, run, size, tokens, err));
  double *row = w->t->x + (w->t->N - 1) * w->t->D;
  fill_mixture(run, row, true);
  memcpy(row + FIRST + w->W, r->x + i * r->D, r->D * sizeof *row);
  return RMX_OK;
}

// What a run measured on the way counts as that of a shorter run, before it had `end` tokens.
// - A cosine schedule has not lowered its learning rate by then: none.
// - Of a run with phases only the end of the first phase has made fits better, if it is near that
//   of the run: from three quarters of the tokens on.
static struct span shorter_runs(const rmx_run *run, double end) {
  const double last = end - 1;
  if (strcmp(run->training.schedule, "cosine") == 0) return (struct span){0, 0};
  if (run->phases.n == 0) return (struct span){0, last};
  const double steps = (double)rmx_training_steps(&run->training),
               first = (double)llround(run->phases.share[0] * steps) / steps * end;
  return (struct span){0.75 * end, fmin(first, last)};
}

static rmx_status add_run(struct writing *w, const rmx_run *run, const json_t *result,
                          rmx_err *err) {
  rmx_model_config m;
  const size_t first = w->t->N;
  RMX_TRY(rmx_training_model(&run->training, w->corpus->vocab, &m, err));
  const double size = (double)rmx_model_parameters_body(&m);
  if (w->results.N == 0) return add_log(w, run, result, size, (struct span){0, INFINITY}, err);
  const json_t *half = json_object_get(result, "half");
  double end = json_number_value(json_object_get(result, "tokens")),
         middle = json_number_value(json_object_get(half, "tokens"));
  if (!(end > 0)) end = (double)run->training.tokens;
  if (half && !(middle > 0)) middle = floor(end / 2);
  const struct span shorter = shorter_runs(run, end);
  RMX_TRY(add_log(w, run, result, size, shorter, err));
  if (half && inside(middle, shorter))
    RMX_TRY(add_losses(w, run, size, first, middle, json_object_get(half, "loss_nats"), err));
  return add_end(w, run, size, end, err);
}

static char *name_of(const struct writing *w, const rmx_run *run, size_t k) {
  if (k < FIRST) return rmx_strdup(k ? "tokens" : "size");
  k -= FIRST;
  if (k < w->W && run->phases.n)
    return rmx_format("mixture.phase_%zu_%s", k / run->D, run->domains[k % run->D]);
  if (k < w->W) return rmx_format("mixture.%s", run->domains[k]);
  k -= w->W;
  return k < w->corpus->D ? rmx_format("%s_val_loss", w->corpus->names[k])
                          : rmx_strdup(w->results.names[k]);
}

static rmx_status fill(struct writing *w, const rmx_run *runs, size_t n, rmx_err *err) {
  const size_t M = w->results.N ? w->results.D : w->corpus->D;
  w->W = runs[0].phases.n ? runs[0].phases.n * runs[0].D : runs[0].D;
  RMX_TRY(rmx_table_make(w->t, "run", 0, FIRST + w->W + M, err));
  for (size_t k = 0; k < w->t->D; k++)
    if (!(w->t->names[k] = name_of(w, &runs[0], k))) return rmx_fail_memory(err, 0, "a name");
  for (size_t i = 0; i < n; i++) {
    json_auto_t *result = NULL;
    if (rmx_run_look(&runs[i], &result) == RMX_RUN_DONE) RMX_TRY(add_run(w, &runs[i], result, err));
  }
  return RMX_OK;
}

// A metric of the trainer's must not have the name of a column of the table.
static rmx_status check_names(const struct writing *w, rmx_err *err) {
  for (size_t k = w->corpus->D; k < w->results.D; k++) {
    const char *name = w->results.names[k];
    if (strcmp(name, "size") != 0 && strcmp(name, "tokens") != 0 && strcmp(name, "run") != 0 &&
        strncmp(name, "mixture.", 8) != 0)
      continue;
    return rmx_fail(
        err, RMX_EINPUT,
        "evaluations.csv, which several swarms are fitted to, has a column \"%s\", so no "
        "metric can have that name; rename it in \"metrics\" of each runs/*/result.json "
        "and in the trainer",
        name);
  }
  return RMX_OK;
}

rmx_status rmx__write_evaluations(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *runs,
                                  size_t n, rmx_err *err) {
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  struct writing w = {.corpus = corpus, .t = &t};
  if (n == 0) return RMX_OK;
  if (p->experiment.config.n_swarms)
    RMX_TRY(rmx_swarm_metrics(runs, n, corpus, false, &w.results, NULL, err));
  rmx_status status = check_names(&w, err);
  if (status == RMX_OK) status = fill(&w, runs, n, err);
  rmx_table_release(&w.results);
  RMX_TRY(status);
  if (w.without.n)
    rmx_warn(&p->listener,
             "evaluations.csv: log.jsonl of %zu run%s is missing or was changed since result.json "
             "was written (%s); what it measured on the way is left out",
             w.without.n, rmx_s(w.without.n), w.without.text);
  const struct rmx__runs_of of = {.runs = (rmx_run *)runs, .n = n};
  return t.N ? rmx__table_write(p, "evaluations.csv", &t, &of, err) : RMX_OK;
}
