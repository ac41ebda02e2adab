// SPDX-License-Identifier: Apache-2.0
// Results of EleutherAI's lm-evaluation-harness, and those of lighteval and OLMES (olmes.c) turned
// into its layout: results[TASK]["METRIC,FILTER"] is a number (a bare
// "METRIC" before version 0.4), METRIC_stderr its error, and higher_is_better[TASK][METRIC] the
// direction. A metric is called TASK where the task has one, else TASK/METRIC, else
// TASK/METRIC/FILTER. If a run has several files, the newest result of a task counts.

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/path.h"
#include "formats.h"

typedef struct metric {
  char *task, *name, *filter, *title;
  int direction;  // 1: higher is better, 0: lower is better, -1: unknown
  const char *said_by;
} metric;

typedef struct results {
  const rmx__source *s;
  rmx__run_files files;
  metric *metrics;  // (n)
  size_t n, capacity;
  json_t *index;  // "task\nmetric\nfilter": its place in metrics
  json_t **runs;  // (n_runs) the same key: value
  const char **run_names;
  size_t n_runs;
  size_t newer;         // results replaced by newer ones
  const char *below;    // the folders of the present file below that of its run
  rmx_few moved;        // results that were replaced by newer ones of another folder
  rmx_few other;        // files that are not results
  rmx_few not_numbers;  // values that are lists, truth values or the like
  rmx_few lost;         // limited results that were replaced by full ones
  json_t *setups;       // "n-shot\ntask": how it was measured first
  rmx_few setup;        // results that were measured in another way
  json_t *groups;       // group: true if the file also has results of its members
} results;

// OLMES writes one file of JSON Lines: metrics-all.jsonl.
static bool is_result_file(const char *path) {
  return rmx__ends_in(path, ".json") ||
         (strncmp(rmx__file_name(path), "metrics", 7) == 0 && rmx__ends_in(path, ".jsonl"));
}
static const rmx__file_kind json_files = {is_result_file, ".json file", true};

static bool sniff(const rmx__source *s) {
  if (s->cells) return false;
  if (s->folder) return s->options->what == RMX_IMPORT_METRICS;
  return s->pattern || is_result_file(s->path);
}

static int said_direction(const json_t *tree, const char *task, const char *name) {
  const json_t *directions = json_object_get(json_object_get(tree, "higher_is_better"), task);
  if (json_is_object(directions)) directions = json_object_get(directions, name);
  return json_is_boolean(directions) ? json_is_true(directions) : -1;
}

static rmx_status find_metric(results *r, const char *key, const char *task, const char *name,
                              size_t length, const char *filter, metric **out, rmx_err *err) {
  const json_t *place = json_object_get(r->index, key);
  if (place) {
    *out = &r->metrics[json_integer_value(place)];
    return RMX_OK;
  }
  if (r->n == r->capacity) {
    size_t capacity = r->capacity ? 2 * r->capacity : 64;
    metric *grown = rmx_realloc(r->metrics, capacity, sizeof *grown);
    if (!grown) return rmx_fail_memory(err, capacity * sizeof *grown, "metrics");
    r->metrics = grown;
    r->capacity = capacity;
  }
  metric *m = &r->metrics[r->n];
  *m = (metric){.task = rmx_strdup(task),
                .name = rmx_format("%.*s", (int)length, name),
                .filter = rmx_strdup(filter),
                .direction = -1};
  bool good = m->task && m->name && m->filter &&
              json_object_set_new(r->index, key, json_integer((json_int_t)r->n)) == 0;
  r->n++;
  *out = m;
  return good ? RMX_OK : rmx_fail_memory(err, 64, "metrics");
}

static bool is_error_of(const char *name, size_t length) {
  static const char tail[] = "_stderr";
  size_t n = sizeof tail - 1;
  return length >= n && strncmp(name + length - n, tail, n) == 0;
}

// Whether a task was measured on part of its samples: --limit, recorded in the config of the file
// and, by task, in n-samples.
static bool is_limited(const json_t *tree, const char *task) {
  const json_t *n = json_object_get(json_object_get(tree, "n-samples"), task);
  const json_t *original = json_object_get(n, "original"),
               *effective = json_object_get(n, "effective");
  if (json_is_number(original) && json_is_number(effective))
    return json_number_value(effective) < json_number_value(original);
  return json_number_value(json_object_get(json_object_get(tree, "config"), "limit")) > 0;
}

// Notes the folder of a value, and whether it replaces one of another folder, such as another
// checkpoint of the run.
static rmx_status keep_place(results *r, const char *task, json_t *values, const char *full,
                             bool had, rmx_err *err) {
  RMX_OWNED char *mark = rmx_format("below\n%s", full);
  const char *was = mark ? json_string_value(json_object_get(values, mark)) : NULL;
  if (had && was && strcmp(was, r->below) != 0) {
    char text[160];
    snprintf(text, sizeof text, "%.40s of %.40s (%.30s, not %.30s)", task,
             r->run_names[r->n_runs - 1], r->below, was);
    rmx_few_add(&r->moved, text);
  }
  return mark && json_object_set_new_nocheck(values, mark, json_string_nocheck(r->below)) == 0
             ? RMX_OK
             : rmx_fail_memory(err, 64, "metrics");
}

// Keeps the newest value of a run, but prefers a full value to a limited one. A limited value has a
// mark next to it.
static rmx_status keep_value(results *r, const char *task, json_t *values, const char *full,
                             double value, bool limited, rmx_err *err) {
  RMX_OWNED char *mark = rmx_format("limited\n%s", full);
  bool had = json_object_get(values, full) != NULL,
       had_limited = mark && json_object_get(values, mark) != NULL;
  if (!mark) {
    return rmx_fail_memory(err, 64, "metrics");
  } else if (had && limited && !had_limited) {
    rmx_few_add(&r->lost, task);
  } else {
    if (had && had_limited && !limited)
      rmx_few_add(&r->lost, task);
    else
      r->newer += had && json_number_value(json_object_get(values, full)) != value;
    RMX_TRY(keep_place(r, task, values, full, had, err));
    bool good = json_object_set_new(values, full, json_real(value)) == 0;
    if (limited)
      good = good && json_object_set_new(values, mark, json_true()) == 0;
    else
      json_object_del(values, mark);
    if (!good) return rmx_fail_memory(err, 64, "metrics");
  }
  return RMX_OK;
}

// Texts that are in results besides the numbers: the name of the task, and that a value is missing.
static bool is_no_value(const char *key, const json_t *value) {
  static const char *const texts[] = {"N/A", "NaN", "nan", "-"};
  const char *text = json_string_value(value);
  if (!text) return false;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (strcmp(text, texts[i]) == 0) return true;
  return strcmp(key, "alias") == 0 || !text[strspn(text, " ")];
}

static rmx_status take_result(results *r, const char *path, const json_t *tree, json_t *values,
                              const char *task, const char *key, const json_t *value,
                              rmx_err *err) {
  const char *comma = strchr(key, ',');
  size_t length = comma ? (size_t)(comma - key) : strlen(key);
  if (is_error_of(key, length) || json_is_null(value) || is_no_value(key, value)) return RMX_OK;
  // the harness's own "not measured": 999
  if (length == strlen("bypass") && strncmp(key, "bypass", length) == 0) return RMX_OK;
  if (!json_is_number(value)) {
    char where[160];
    snprintf(where, sizeof where, "results.%.60s.\"%.60s\"", task, key);
    rmx_few_add(&r->not_numbers, where);
    return RMX_OK;
  }
  RMX_OWNED char *full =
      rmx_format("%s\n%.*s\n%s", task, (int)length, key, comma ? comma + 1 : "none");
  if (!full) return rmx_fail_memory(err, 64, "metrics");
  metric *m = NULL;
  RMX_TRY(find_metric(r, full, task, key, length, comma ? comma + 1 : "none", &m, err));
  int direction = said_direction(tree, task, m->name);
  if (direction >= 0 && m->direction >= 0 && direction != m->direction)
    return rmx_fail(err, RMX_EINPUT, "%s: higher_is_better.%s.%s is %s, but %s in %s", path, task,
                    m->name, direction ? "true" : "false", m->direction ? "true" : "false",
                    m->said_by);
  if (direction >= 0 && m->direction < 0) {
    m->direction = direction;
    m->said_by = path;
  }
  return keep_value(r, task, values, full, json_number_value(value), is_limited(tree, task), err);
}

// Groups whose members have results in the same file.
static rmx_status take_groups(results *r, const json_t *tree, rmx_err *err) {
  const json_t *all = json_object_get(tree, "results");
  const char *group;
  json_t *members, *member;
  size_t i;
  json_object_foreach(json_object_get(tree, "group_subtasks"), group, members) {
    json_array_foreach(members, i, member) {
      const char *name = json_string_value(member);
      if (!name || strcmp(name, group) == 0 || !json_object_get(all, name) ||
          !json_object_get(all, group))
        continue;
      if (json_object_set_new(r->groups, group, json_true()) != 0)
        return rmx_fail_memory(err, 64, "groups");
    }
  }
  return RMX_OK;
}

// Notes the shots and the version of a task, and whether another result has others.
static rmx_status take_setup(results *r, const json_t *tree, const char *task, rmx_err *err) {
  static const struct {
    const char *key, *name;
  } parts[] = {{"n-shot", "shots"}, {"versions", "version"}};
  for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
    json_t *x = json_object_get(json_object_get(tree, parts[k].key), task);
    RMX_OWNED char *mark = rmx_format("%s\n%s", parts[k].key, task);
    if (!mark) return rmx_fail_memory(err, 64, "metrics");
    if (!json_is_number(x)) continue;
    const json_t *had = json_object_get(r->setups, mark);
    if (!had && json_object_set(r->setups, mark, x) != 0)
      return rmx_fail_memory(err, 64, "metrics");
    if (!had || json_number_value(had) == json_number_value(x)) continue;
    char text[160];
    snprintf(text, sizeof text, "%.40s of %.40s (%s %g, not %g)", task, r->run_names[r->n_runs - 1],
             parts[k].name, json_number_value(x), json_number_value(had));
    rmx_few_add(&r->setup, text);
  }
  return RMX_OK;
}

static rmx_status take_tree(results *r, const char *path, const json_t *tree, json_t *values,
                            rmx_err *err) {
  const char *task, *key;
  json_t *all = json_object_get(tree, "results"), *one, *value;
  RMX_TRY(take_groups(r, tree, err));
  json_object_foreach(all, task, one) {
    if (!json_is_object(one))
      return rmx_fail(err, RMX_EINPUT, "%s: results.%s is not a map of metrics", path, task);
    RMX_TRY(take_setup(r, tree, task, err));
    bool filtered =
        false;  // since 0.4 a metric has a filter after a comma; "samples" and similar keys have
                // none
    json_object_foreach(one, key, value) filtered = filtered || strchr(key, ',') != NULL;
    json_object_foreach(one, key, value) {
      if (filtered && !strchr(key, ',')) continue;
      if (strcmp(key, "sample_len") == 0 || strcmp(key, "samples") == 0) continue;
      RMX_TRY(take_result(r, path, tree, values, task, key, value, err));
    }
  }
  return RMX_OK;
}

// Lines of JSON become a list.
static rmx_status read_lines(const char *path, json_t **out, rmx_err *err) {
  RMX_OWNED char *text = NULL;
  size_t size;
  RMX_TRY(rmx_read_file(path, &text, &size, err));
  RMX_OWNED_BY(rmx_buf_release) rmx_buf list = {0};
  for (char *line = text, *end; *line; line = *end ? end + 1 : end) {
    end = line + strcspn(line, "\n");
    rmx_buf_printf(&list, "%s%.*s\n", strspn(line, " \t\r") < (size_t)(end - line) ? "," : "",
                   (int)(end - line), line);
  }
  if (!list.failed) rmx_buf_puts(&list, "]");
  if (list.failed) return rmx_fail_memory(err, size, path);
  char *first = strchr(list.data, ',');
  if (first) *first = '[';
  return rmx__json_parse_python(first ? first : "[]", strlen(first ? first : "[]"), path, "null",
                                out, err);
}

static rmx_status read_tree(const char *path, json_t **out, rmx_err *err) {
  if (rmx__ends_in(path, ".jsonl")) return read_lines(path, out, err);
  const rmx_status status = rmx__json_read_python(path, "null", out, err);
  if (status == RMX_OK || !strstr(err->message, "end of file expected")) return status;
  return rmx_fail(err, RMX_EINPUT,
                  "%s: more than one JSON object in the file; wanted a result of "
                  "lm-evaluation-harness (one object per file), or a table of runs as CSV",
                  path);
}

static rmx_status take_file(results *r, const rmx__run_file *f, rmx_err *err) {
  json_auto_t *tree = NULL, *other = NULL;
  RMX_TRY(read_tree(f->path, &tree, err));
  if (rmx__as_harness(tree, &other, err) != RMX_OK) return rmx_fail_in(err, "%s", f->path);
  const json_t *given = other ? other : tree;
  if (!json_is_object(json_object_get(given, "results"))) {
    rmx_few_add(&r->other, f->path);
    if (r->files.n > 1) return RMX_OK;
    return rmx_fail(err, RMX_EINPUT,
                    "%s: no map \"results\"; wanted a result of lm-evaluation-harness, lighteval "
                    "or OLMES",
                    f->path);
  }
  if (r->n_runs == 0 || strcmp(r->run_names[r->n_runs - 1], f->run) != 0) {
    r->run_names[r->n_runs] = f->run;
    if (!(r->runs[r->n_runs++] = json_object())) return rmx_fail_memory(err, 64, "runs");
  }
  r->below = f->below;
  return take_tree(r, f->path, given, r->runs[r->n_runs - 1], err);
}

static rmx_status take_files(results *r, rmx_err *err) {
  for (size_t i = 0; i < r->files.n; i++) RMX_TRY(take_file(r, &r->files.items[i], err));
  if (r->n_runs == 0 || r->n == 0)
    return rmx_fail(err, RMX_EINPUT, "%s: %zu .json files, none with a metric under \"results\"",
                    r->s->path, r->files.n);
  return RMX_OK;
}

static rmx_status title_metrics(results *r, rmx_err *err) {
  for (size_t i = 0; i < r->n; i++) {
    metric *m = &r->metrics[i];
    size_t of_task = 0, of_name = 0;
    for (size_t k = 0; k < r->n; k++) {
      if (strcmp(r->metrics[k].task, m->task) != 0) continue;
      of_task++;
      of_name += strcmp(r->metrics[k].name, m->name) == 0;
    }
    m->title = of_task == 1   ? rmx_strdup(m->task)
               : of_name == 1 ? rmx_format("%s/%s", m->task, m->name)
                              : rmx_format("%s/%s/%s", m->task, m->name, m->filter);
    if (!m->title) return rmx_fail_memory(err, 64, "metrics");
    for (size_t k = 0; k < i; k++)
      if (strcmp(r->metrics[k].title, m->title) == 0)
        return rmx_fail(err, RMX_EINPUT, "%s: two metrics would have the same name \"%s\"",
                        r->s->path, m->title);
  }
  return RMX_OK;
}

// The requested metrics; every pattern must match one.
static rmx_status choose(const results *r, bool *chosen, size_t *n, rmx_err *err) {
  const rmx_import_options *o = r->s->options;
  for (size_t i = 0; i < r->n; i++) chosen[i] = o->n_columns == 0;
  for (size_t p = 0; p < o->n_columns; p++) {
    size_t found = 0;
    for (size_t i = 0; i < r->n; i++)
      if (fnmatch(o->columns[p], r->metrics[i].title, 0) == 0) {
        chosen[i] = true;
        found++;
      }
    if (!found)
      return rmx_fail(err, RMX_EUSAGE, "%s: no metric matches \"%s\"; the first of %zu is \"%s\"",
                      r->s->path, o->columns[p], r->n, r->metrics[0].title);
  }
  *n = 0;
  for (size_t i = 0; i < r->n; i++) *n += chosen[i];
  return RMX_OK;
}

static rmx_status fill(results *r, rmx_table *out, rmx_err *err) {
  size_t D = 0, d = 0;
  bool *chosen = rmx_calloc(r->n, sizeof *chosen);
  rmx_status status = chosen ? choose(r, chosen, &D, err) : rmx_fail_memory(err, r->n, "metrics");
  if (status == RMX_OK) status = rmx_table_make(out, "run", r->n_runs, D, err);
  if (status == RMX_OK && !(out->better = rmx_calloc(D, sizeof *out->better)))
    status = rmx_fail_memory(err, D, "metrics");
  for (size_t i = 0; status == RMX_OK && i < r->n; i++) {
    const metric *m = &r->metrics[i];
    if (!chosen[i]) continue;
    // Files of old versions do not record the direction. A title may be only the task, so the name
    // of the metric decides.
    out->better[d] = m->direction < 0    ? rmx_better_by_name(m->name)
                     : m->direction == 1 ? RMX_BETTER_HIGH
                                         : RMX_BETTER_LOW;
    out->names[d] = rmx_strdup(m->title);
    char *key = rmx_format("%s\n%s\n%s", m->task, m->name, m->filter);
    if (!out->names[d] || !key) status = rmx_fail_memory(err, 64, "metrics");
    for (size_t n = 0; status == RMX_OK && n < r->n_runs; n++) {
      const json_t *value = json_object_get(r->runs[n], key);
      out->x[n * D + d] = value ? json_real_value(value) : NAN;
    }
    free(key);
    d++;
  }
  for (size_t n = 0; status == RMX_OK && n < r->n_runs; n++) {
    out->lines[n] = 1;
    if (!(out->ids[n] = rmx_strdup(r->run_names[n]))) status = rmx_fail_memory(err, 64, "runs");
  }
  free(chosen);
  return status;
}

static void send_notes(const results *r, const rmx_table *out) {
  const rmx_listener *to = r->s->listener;
  const char *path = r->s->path;
  rmx_few limited = {0}, groups = {0};
  for (size_t n = 0; n < r->n_runs; n++) {
    const char *key;
    json_t *value;
    bool any = false;
    json_object_foreach(r->runs[n], key, value) any = any || strncmp(key, "limited\n", 8) == 0;
    if (any) rmx_few_add(&limited, r->run_names[n]);
  }
  for (size_t i = 0; i < r->n; i++) {
    bool chosen = false;
    for (size_t d = 0; d < out->D; d++)
      chosen = chosen || strcmp(out->names[d], r->metrics[i].title) == 0;
    if (chosen && json_object_get(r->groups, r->metrics[i].task))
      rmx_few_add(&groups, r->metrics[i].title);
  }
  if (r->newer)
    rmx_note(to, "%s: %zu result%s measured more than once; the newest counts", path, r->newer,
             r->newer == 1 ? " was" : "s were");
  if (r->setup.n)
    rmx_warn(to,
             "%s: %zu result%s measured in another way than those of the same task before, so they "
             "do not compare: %s",
             path, r->setup.n, r->setup.n == 1 ? " was" : "s were", r->setup.text);
  if (r->moved.n)
    rmx_warn(to,
             "%s: %zu result%s of a run %s in several of its folders, and the newest counts: %s; "
             "give each checkpoint a folder of its own, or a pattern of the files",
             path, r->moved.n, rmx_s(r->moved.n), rmx_is(r->moved.n), r->moved.text);
  if (r->lost.n)
    rmx_warn(to,
             "%s: %zu result%s on part of the samples (--limit) %s replaced by full results, newer "
             "or not: %s",
             path, r->lost.n, rmx_s(r->lost.n), rmx_is(r->lost.n), r->lost.text);
  if (limited.n)
    rmx_warn(to,
             "%s: for %zu of %zu run%s some metric was measured only on part of the samples "
             "(--limit), which does not compare with full results: %s",
             path, limited.n, r->n_runs, rmx_s(r->n_runs), limited.text);
  if (r->not_numbers.n)
    rmx_warn(to, "%s: %zu value%s not read: %s", path, r->not_numbers.n,
             r->not_numbers.n == 1 ? " is not a number and is" : "s are not numbers and are",
             r->not_numbers.text);
  if (groups.n)
    rmx_warn(to,
             "%s: some metrics (%zu) are groups of other metrics, so a mean over all metrics "
             "counts those twice: %s; choose metrics with --metric-columns or --metric",
             path, groups.n, groups.text);
  if (r->other.n)
    rmx_warn(to, "%s: %zu .json file%s %s no map \"results\" and %s not read: %s", path, r->other.n,
             rmx_s(r->other.n), rmx_has(r->other.n), rmx_is(r->other.n), r->other.text);
}

static rmx_status read_harness(const rmx__source *s, rmx_table *out, rmx_err *err) {
  if (s->options->what != RMX_IMPORT_METRICS)
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: JSON results contain metrics, not mixtures; wanted CSV or a folder of YAML mixtures",
        s->path);
  results r = {.s = s, .index = json_object(), .setups = json_object(), .groups = json_object()};
  rmx_status status = r.index && r.setups && r.groups
                          ? rmx__run_files_find(s, &json_files, &r.files, err)
                          : rmx_fail_memory(err, 64, "metrics");
  if (status == RMX_OK) {
    r.runs = rmx_calloc(r.files.n, sizeof *r.runs);
    r.run_names = rmx_calloc(r.files.n, sizeof *r.run_names);
    if (!r.runs || !r.run_names) status = rmx_fail_memory(err, r.files.n * sizeof *r.runs, "runs");
  }
  if (status == RMX_OK) status = take_files(&r, err);
  if (status == RMX_OK) status = title_metrics(&r, err);
  if (status == RMX_OK) status = fill(&r, out, err);
  if (status == RMX_OK) {
    rmx_note(s->listener, "%s: %zu metric%s of %zu run%s, from %zu result%s", s->path, out->D,
             rmx_s(out->D), out->N, rmx_s(out->N), r.files.n - r.other.n,
             rmx_s(r.files.n - r.other.n));
    send_notes(&r, out);
  }
  for (size_t i = 0; i < r.n; i++) {
    free(r.metrics[i].task);
    free(r.metrics[i].name);
    free(r.metrics[i].filter);
    free(r.metrics[i].title);
  }
  for (size_t i = 0; i < r.n_runs; i++) json_decref(r.runs[i]);
  free(r.metrics);
  free(r.runs);
  free(r.run_names);
  json_decref(r.index);
  json_decref(r.setups);
  json_decref(r.groups);
  rmx__run_files_release(&r.files);
  return status;
}

const rmx__table_format rmx__format_harness = {
    .name = "harness",
    .help =
        "results of lm-evaluation-harness, lighteval or OLMES (a .json file, a folder or a "
        "pattern)",
    .sniff = sniff,
    .read = read_harness,
};
