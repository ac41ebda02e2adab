// SPDX-License-Identifier: Apache-2.0
// Turns runs/*/log.jsonl into learning curves, and runs/*/result.json into the cost of the proxies.
//
// A page draws about a hundred points per curve, but a log may have ten thousand. So neighbouring
// steps are averaged, both loss and tokens, until all runs together have few enough points. The
// program that writes a log can be killed at any byte, so a line that is not JSON is counted and
// skipped. If a run was resumed from its checkpoint, some steps are logged twice; the later line
// counts.
#include <math.h>
#include <regmix/report.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "report/parts.h"

enum { POINTS_A_RUN = 100, POINTS_IN_ALL = 60000 };

typedef struct point {
  double tokens, loss;
} point;

typedef struct series {
  point *points;
  size_t n, capacity;
} series;

static rmx_status add_point(series *s, double tokens, double loss, rmx_err *err) {
  while (s->n && s->points[s->n - 1].tokens >= tokens) s->n--;
  if (s->n == s->capacity) {
    size_t capacity = s->capacity ? 2 * s->capacity : 256;
    point *points = rmx_realloc(s->points, capacity, sizeof *points);
    if (!points) return rmx_fail_memory(err, capacity * sizeof *points, "a learning curve");
    s->points = points;
    s->capacity = capacity;
  }
  s->points[s->n++] = (point){tokens, loss};
  return RMX_OK;
}

static void thin(series *s, size_t most) {
  if (s->n <= most) return;
  for (size_t k = 0; k < most; k++) {
    size_t from = k * s->n / most, to = (k + 1) * s->n / most;
    point sum = {0, 0};
    for (size_t i = from; i < to; i++)
      sum.tokens += s->points[i].tokens, sum.loss += s->points[i].loss;
    s->points[k] = (point){sum.tokens / (double)(to - from), sum.loss / (double)(to - from)};
  }
  s->n = most;
}

// The value of the target, if an evaluation measured all of its metrics: {"foldoc": 3.4} has
// foldoc_val_loss.
static double target_of(const json_t *valid, json_t *weights) {
  double sum = 0;
  const char *metric;
  json_t *weight;
  json_object_foreach(weights, metric, weight) {
    double value = rmx__get(valid, metric);
    size_t stem = strlen(metric);
    if (isnan(value) && stem > 9 && strcmp(metric + stem - 9, "_val_loss") == 0) {
      RMX_OWNED char *domain = rmx_format("%.*s", (int)(stem - 9), metric);
      if (domain) value = rmx__get(valid, domain);
    }
    sum += json_number_value(weight) * value;
  }
  return json_object_size(weights) ? sum : NAN;
}

static rmx_status read_log(const char *path, json_t *weights, series *train, series *valid,
                           size_t *unreadable, rmx_err *err) {
  char *text;
  size_t size;
  RMX_TRY(rmx_read_file(path, &text, &size, err));
  rmx_status status = RMX_OK;
  for (char *line = text, *end = text + size; status == RMX_OK && line < end;) {
    char *stop = memchr(line, '\n', (size_t)(end - line));
    size_t length = (size_t)((stop ? stop : end) - line);
    json_t *entry = length ? json_loadb(line, length, 0, NULL) : NULL;
    double tokens = rmx__get(entry, "tokens"), loss = rmx__get(entry, "loss_nats");
    double target = target_of(json_object_get(entry, "valid_nats"), weights);
    if (length && !entry) ++*unreadable;
    if (tokens > 0 && isfinite(loss)) status = add_point(train, tokens, loss, err);
    if (status == RMX_OK && tokens > 0 && isfinite(target))
      status = add_point(valid, tokens, target, err);
    json_decref(entry);
    line += length + 1;
  }
  free(text);
  return status;
}

static rmx_status put_curve(json_t *curves, const char *run, bool diverged, const series *train,
                            const series *valid, rmx_err *err) {
  json_t *tokens = json_array(), *loss = json_array(), *marks = json_array();
  json_t *curve = json_pack("{s:o, s:b, s:o, s:o, s:o}", "run", rmx__text(run), "diverged",
                            diverged, "tokens", tokens, "loss", loss, "valid", marks);
  RMX_TRY(rmx__add(curves, curve, err));
  for (size_t i = 0; i < train->n; i++) {
    RMX_TRY(rmx__add(tokens, json_integer((json_int_t)llround(train->points[i].tokens)), err));
    RMX_TRY(rmx__add(loss, json_real(train->points[i].loss), err));
  }
  for (size_t i = 0; i < valid->n; i++)
    RMX_TRY(
        rmx__add(marks, json_pack("[f, f]", valid->points[i].tokens, valid->points[i].loss), err));
  return RMX_OK;
}

// Sums over the finished runs, and the times at which the first and the last one finished.
typedef struct cost {
  size_t done, diverged, unreadable;
  int64_t first, last;
  double tokens, flops, wall_s;
  json_t *example;  // the first result: its model and the program that made it
} cost;

static void add_cost(cost *c, json_t *result, bool diverged) {
  double tokens = rmx__get(result, "tokens"), flops = rmx__get(result, "flops"),
         wall_s = rmx__get(result, "wall_s");
  c->done++;
  c->diverged += diverged;
  if (isfinite(tokens)) c->tokens += tokens;
  if (isfinite(flops)) c->flops += flops;
  if (isfinite(wall_s)) c->wall_s += wall_s;
  if (!c->example) c->example = json_incref(result);
}

// results[run]: the values in the table of runs.
static rmx_status put_result(const char *run, const json_t *result, json_t *results, rmx_err *err) {
  const char *status = json_string_value(json_object_get(result, "status")), *domain, *most = NULL;
  double epochs = 0;
  json_t *times;
  json_object_foreach(json_object_get(result, "epochs"), domain, times) {
    if (!(json_number_value(times) > epochs)) continue;
    epochs = json_number_value(times);
    most = domain;
  }
  json_auto_t *name = rmx__text(run);
  if (!name) return rmx_fail_memory(err, strlen(run), "a name");
  rmx_status put =
      rmx__put(results, json_string_value(name),
               json_pack("{s:s, s:o, s:o, s:o, s:s?}", "status", status ? status : "done", "wall_s",
                         rmx__json_known(rmx__get(result, "wall_s")), "tokens",
                         rmx__json_known(rmx__get(result, "tokens")), "epochs",
                         most ? rmx__json_known(epochs) : json_null(), "most", most),
               err);
  return put;
}

static rmx_status read_run(const char *folder, const char *run, size_t most, json_t *data, cost *c,
                           rmx_err *err) {
  char *log = rmx_format("%s/runs/%s/log.jsonl", folder, run);
  char *result_path = rmx_format("%s/runs/%s/result.json", folder, run);
  json_t *result = NULL;
  series train = {0}, valid = {0};
  bool diverged = false;
  rmx_status status = log && result_path ? RMX_OK : rmx_fail_memory(err, strlen(folder), "a path");
  if (status == RMX_OK && rmx_exists(result_path)) {
    RMX_TRY_GOTO(rmx__json_read(result_path, &result, err), done);
    const char *said = json_string_value(json_object_get(result, "status"));
    diverged = said && strcmp(said, "diverged") == 0;
    add_cost(c, result, diverged);
    int64_t when = rmx__changed(result_path);
    if (!c->first || when < c->first) c->first = when;
    if (when > c->last) c->last = when;
    RMX_TRY_GOTO(put_result(run, result, json_object_get(data, "results"), err), done);
    RMX_TRY_GOTO(rmx__note_change(data, result_path, err), done);
  }
  if (status == RMX_OK && rmx_exists(log)) {
    json_t *weights = json_object_get(json_object_get(data, "target"), "weights");
    RMX_TRY_GOTO(read_log(log, weights, &train, &valid, &c->unreadable, err), done);
    thin(&train, most);
    thin(&valid, most);
    if (train.n)
      status = put_curve(json_object_get(data, "curves"), run, diverged, &train, &valid, err);
  }
done:
  json_decref(result);
  free(train.points);
  free(valid.points);
  free(log);
  free(result_path);
  return status;
}

static rmx_status put_cost(const cost *c, size_t runs, json_t *data, rmx_err *err) {
  json_t *out = json_pack("{s:I, s:I, s:I, s:I, s:f, s:f, s:f}", "runs", (json_int_t)runs, "done",
                          (json_int_t)c->done, "diverged", (json_int_t)c->diverged,
                          "unreadable_lines", (json_int_t)c->unreadable, "tokens", c->tokens,
                          "flops", c->flops, "wall_s", c->wall_s);
  RMX_TRY(rmx__put(data, "proxies", out, err));
  if (c->first) RMX_TRY(rmx__put(out, "first", rmx__date(c->first), err));
  if (c->last) RMX_TRY(rmx__put(out, "last", rmx__date(c->last), err));
  static const char *const kept[] = {"model", "parameters", "steps", "seed", "made_by"};
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
    json_t *value = json_object_get(c->example, kept[i]);
    if (value) RMX_TRY(rmx__put(out, kept[i], json_incref(value), err));
  }
  return RMX_OK;
}

rmx_status rmx__collect_curves(const char *folder, json_t *data, rmx_err *err) {
  rmx_strings names = {0};
  cost c = {0};
  char *runs = rmx_path_in(folder, "runs");
  rmx_status status =
      runs ? rmx_list(runs, &names, err) : rmx_fail_memory(err, strlen(folder), "a path");
  if (status != RMX_OK || names.n == 0) goto done;
  RMX_TRY_GOTO(rmx__put(data, "curves", json_array(), err), done);
  RMX_TRY_GOTO(rmx__put(data, "results", json_object(), err), done);
  size_t most = POINTS_IN_ALL / names.n;
  if (most > POINTS_A_RUN) most = POINTS_A_RUN;
  if (most < 8) most = 8;
  for (size_t i = 0; i < names.n; i++)
    RMX_TRY_GOTO(read_run(folder, names.items[i], most, data, &c, err), done);
  status = put_cost(&c, names.n, data, err);
done:
  json_decref(c.example);
  rmx_strings_release(&names);
  free(runs);
  return status;
}
