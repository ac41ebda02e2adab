// SPDX-License-Identifier: Apache-2.0
// The scores on tasks become columns of metrics.csv.
#include <math.h>
#include <string.h>

#include "steps.h"
#include "task_scores.h"

double rmx__task_score(const json_t *scores, const char *metric) {
  const char *slash = strrchr(metric, '/');
  RMX_OWNED char *name = slash ? rmx_format("%.*s", (int)(slash - metric), metric) : NULL,
                 *key = slash ? rmx_format("%s,none", slash + 1) : NULL;
  const json_t *x =
      name && key ? json_object_get(json_object_get(json_object_get(scores, "results"), name), key)
                  : NULL;
  return json_is_number(x) ? json_number_value(x) : NAN;
}

// The names of the metrics of a task, in the order in which it was scored.
static rmx_status add_names(const json_t *scores, const char *name, rmx_strings *out,
                            rmx_err *err) {
  const char *key;
  json_t *value;
  json_object_foreach(json_object_get(json_object_get(scores, "results"), name), key, value) {
    const char *comma = strchr(key, ',');
    if (!json_is_number(value) || !comma || strstr(key, "_stderr,")) continue;
    RMX_OWNED char *metric = rmx_format("%s/%.*s", name, (int)(comma - key), key);
    if (!metric || (!rmx_strings_have(out, metric) && !rmx_strings_add(out, metric)))
      return rmx_fail_memory(err, 0, "names of metrics");
  }
  return RMX_OK;
}

rmx_status rmx__task_metrics(const rmx_experiment *e, const rmx_run *runs, size_t n,
                             rmx_strings *names, json_t **scores, rmx_err *err) {
  RMX_OWNED_BY(rmx__tasks_release) rmx__tasks tasks = {0};
  if (e->config.eval.tasks.n) RMX_TRY(rmx__tasks_read(e, &tasks, err));
  for (size_t i = 0; i < n && tasks.n; i++) {
    char hash[17];
    RMX_OWNED char *folder = rmx__scored_model(&runs[i], hash);
    if (!(scores[i] = rmx__scores_read(&runs[i]))) return rmx_fail_memory(err, 0, "scores");
    for (size_t k = 0; k < tasks.n; k++)
      if (folder && rmx__is_scored(scores[i], &tasks.list[k], hash))
        RMX_TRY(add_names(scores[i], tasks.list[k].name, names, err));
      else
        json_object_del(json_object_get(scores[i], "results"), tasks.list[k].name);
  }
  return RMX_OK;
}

static rmx_better direction_of(json_t *const *scores, size_t n, const char *metric) {
  const char *slash = strrchr(metric, '/');
  for (size_t i = 0; i < n; i++) {
    RMX_OWNED char *name = rmx_format("%.*s", (int)(slash - metric), metric);
    const json_t *high =
        name ? json_object_get(
                   json_object_get(json_object_get(scores[i], "higher_is_better"), name), slash + 1)
             : NULL;
    if (json_is_boolean(high)) return json_is_true(high) ? RMX_BETTER_HIGH : RMX_BETTER_LOW;
  }
  return rmx_better_by_name(metric);
}

// What is known about a score over the runs: {"chance", "standard_error", "low", "high", "sd"}.
static json_t *facts_of(const rmx_table *t, size_t column, json_t *const *scores, size_t n) {
  const char *metric = t->names[column], *slash = strrchr(metric, '/');
  RMX_OWNED char *name = rmx_format("%.*s", (int)(slash - metric), metric),
                 *error = rmx_format("%s_stderr", metric);
  double low = INFINITY, high = -INFINITY, sum = 0, squares = 0, errors = 0, k = 0, known = 0;
  json_t *o = json_object();
  for (size_t i = 0; i < t->N; i++) {
    const double x = t->x[i * t->D + column];
    if (!isfinite(x)) continue;
    low = fmin(low, x), high = fmax(high, x);
    sum += x, squares += x * x, k++;
  }
  for (size_t i = 0; i < n && name && error; i++) {
    const json_t *chance = json_object_get(json_object_get(scores[i], "chance"), name);
    const double x = rmx__task_score(scores[i], error);
    if (isfinite(x)) errors += x, known++;
    if (json_is_number(chance) && strncmp(slash + 1, "acc", 3) == 0)
      json_object_set(o, "chance", (json_t *)chance);
  }
  if (known > 0) json_object_set_new(o, "standard_error", json_real(errors / known));
  if (k > 0) {
    json_object_set_new(o, "low", json_real(low));
    json_object_set_new(o, "high", json_real(high));
    json_object_set_new(o, "sd", json_real(sqrt(fmax(squares / k - sum / k * sum / k, 0))));
  }
  return o;
}

// Says which accuracies are no better than guessing, or differ less than they are uncertain.
static void tell(const rmx_pipeline *p, const char *metric, const json_t *facts) {
  const json_t *chance = json_object_get(facts, "chance"),
               *error = json_object_get(facts, "standard_error"),
               *high = json_object_get(facts, "high");
  const double se = json_number_value(error), sd = json_number_value(json_object_get(facts, "sd"));
  const bool guesses = chance && json_number_value(high) < json_number_value(chance) + 3 * se,
             same = error && sd < 1.5 * se;
  const char *slash = strrchr(metric, '/');
  if (!json_is_number(high) || strncmp(slash + 1, "acc", 3) != 0 || !(guesses || same)) return;
  char level[48] = "";
  if (chance) snprintf(level, sizeof level, "guessing gives %.3g, ", json_number_value(chance));
  rmx_warn(&p->listener,
           "%s: the runs have %.3g to %.3g; %sthe standard error of one is %.2g. %s; %.*s/"
           "bits_per_byte is the better target for small models",
           metric, json_number_value(json_object_get(facts, "low")), json_number_value(high), level,
           se, guesses ? "That is not clearly better than guessing" : "They differ by little more",
           (int)(slash - metric), metric);
}

// The table with columns for the scores of `names`. scores (n) of the runs.
static rmx_status widen(const rmx_table *t, const rmx_run *runs, size_t n, const rmx_strings *names,
                        json_t *const *scores, rmx_table *out, rmx_err *err) {
  const size_t D = t->D + names->n;
  RMX_TRY(rmx_table_make(out, t->id_name, t->N, D, err));
  if (!(out->better = rmx_calloc(D, sizeof *out->better)))
    return rmx_fail_memory(err, D, "a table");
  for (size_t d = 0; d < D; d++) {
    const char *name = d < t->D ? t->names[d] : names->items[d - t->D];
    if (d >= t->D)
      out->better[d] = direction_of(scores, n, name);
    else if (t->better)
      out->better[d] = t->better[d];
    if (!(out->names[d] = rmx_strdup(name))) return rmx_fail_memory(err, 0, "a name");
  }
  for (size_t i = 0; i < t->N; i++) {
    size_t at = 0;
    while (at < n && strcmp(runs[at].name, t->ids[i]) != 0) at++;
    if (!(out->ids[i] = rmx_strdup(t->ids[i]))) return rmx_fail_memory(err, 0, "a name");
    for (size_t d = 0; d < D; d++)
      out->x[i * D + d] = d < t->D ? t->x[i * t->D + d]
                          : at < n ? rmx__task_score(scores[at], names->items[d - t->D])
                                   : NAN;
  }
  return RMX_OK;
}

static rmx_status add_scores(const rmx_pipeline *p, const rmx_run *runs, size_t n,
                             const rmx_strings *names, json_t *const *scores, rmx_table *t,
                             json_t *facts, rmx_err *err) {
  RMX_OWNED_BY(rmx_table_release) rmx_table both = {0};
  if (names->n == 0) return RMX_OK;
  RMX_TRY(widen(t, runs, n, names, scores, &both, err));
  for (size_t k = 0; k < names->n; k++) {
    json_t *o = facts_of(&both, t->D + k, scores, n);
    tell(p, names->items[k], o);
    if (json_object_set_new(facts, names->items[k], o) != 0)
      return rmx_fail_memory(err, 0, "scores");
  }
  const rmx_table had = *t;
  *t = both;
  both = had;
  return RMX_OK;
}

rmx_status rmx__add_task_scores(rmx_pipeline *p, const rmx_run *runs, size_t n, rmx_table *t,
                                json_t *facts, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  RMX_OWNED json_t **scores = rmx_calloc(n, sizeof *scores);
  if (!scores) return rmx_fail_memory(err, n * sizeof *scores, "scores");
  rmx_status status = rmx__task_metrics(&p->experiment, runs, n, &names, scores, err);
  if (status == RMX_OK) status = add_scores(p, runs, n, &names, scores, t, facts, err);
  for (size_t i = 0; i < n; i++) json_decref(scores[i]);
  return status;
}
