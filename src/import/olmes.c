// SPDX-License-Identifier: Apache-2.0
// Results of other programs in the layout of lm-evaluation-harness.
//
// OLMES: task-NNN-NAME-metrics.json has {"task_name", "task_config", "metrics": {name: number},
// "num_instances"}; metrics-all.jsonl has one such object a line, and metrics.json a list of them
// under "tasks". A task is called by its alias ("arc_challenge:rc::olmes"), or by its name.
//
// lighteval: {"config_general", "results": {"suite|task|shots": {name: number, name_stderr: ...},
// "all": their mean}, "config_tasks": {task: {"metric" or "metrics": [{"metric_name",
// "higher_is_better"}]}}}.

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "formats.h"

static rmx_status no_memory(rmx_err *err) {
  return rmx_fail_memory(err, 64, "results");
}

// ---- OLMES ---------------------------------------------------------------------------------

// Which way its own names are better, where their words say the opposite or nothing.
static int olmes_direction(const char *name) {
  static const struct {
    const char *start;
    int better;
  } starts[] = {{"primary_score", 1}, {"sum_logits", 1},      {"logits_per", 1},
                {"correct_prob", 1},  {"bits_per_byte", 0},   {"no_answer", 0},
                {"num_", -1},         {"predicted_index", -1}};
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
    if (strncmp(name, starts[i].start, strlen(starts[i].start)) == 0) return starts[i].better;
  return -1;
}

static const char *olmes_name(const json_t *task) {
  const json_t *config = json_object_get(task, "task_config");
  const char *alias = json_string_value(json_object_get(task, "alias"));
  if (!alias)
    alias = json_string_value(json_object_get(json_object_get(config, "metadata"), "alias"));
  if (!alias) alias = json_string_value(json_object_get(task, "task_name"));
  return alias ? alias : json_string_value(json_object_get(task, "task"));
}

static bool is_olmes_task(const json_t *task) {
  return json_is_object(json_object_get(task, "metrics")) && olmes_name(task);
}

// Counts and the texts of predictions are no scores.
static rmx_status take_olmes_task(const json_t *task, json_t *results, json_t *directions,
                                  json_t *shots, rmx_err *err) {
  json_t *given = json_object_get(json_object_get(task, "task_config"), "num_shots");
  const char *key, *name = olmes_name(task);
  json_t *value;
  if (json_object_get(results, name))
    return rmx_fail(err, RMX_EINPUT,
                    "the task \"%.120s\" has two results, so it is not known which one counts; "
                    "wanted an alias of its own for each (task_config.metadata.alias)",
                    name);
  json_t *scores = json_object(), *better = json_object();
  bool good = json_object_set_new(results, name, scores) == 0 &&
              json_object_set_new(directions, name, better) == 0 &&
              (!json_is_integer(given) || json_object_set(shots, name, given) == 0);
  json_object_foreach(json_object_get(task, "metrics"), key, value) {
    const int direction = olmes_direction(key);
    if (!json_is_number(value) || strchr(key, ',') || strncmp(key, "num_", 4) == 0) continue;
    good = good && json_object_set(scores, key, value) == 0 &&
           (direction < 0 || json_object_set_new(better, key, json_boolean(direction)) == 0);
  }
  return good ? RMX_OK : no_memory(err);
}

// Whether a task before it in the list is the same, with the same results.
static bool is_repeated(const json_t *list, size_t i) {
  const json_t *task = json_array_get(list, i);
  for (size_t k = 0; k < i; k++) {
    const json_t *other = json_array_get(list, k);
    if (is_olmes_task(other) && strcmp(olmes_name(other), olmes_name(task)) == 0 &&
        json_equal(json_object_get(other, "metrics"), json_object_get(task, "metrics")))
      return true;
  }
  return false;
}

static rmx_status from_olmes(const json_t *list, json_t **out, rmx_err *err) {
  json_t *results = json_object(), *directions = json_object(), *shots = json_object(), *task;
  size_t i;
  *out = json_pack("{s:o, s:o, s:o}", "results", results, "higher_is_better", directions, "n-shot",
                   shots);
  if (!*out) return no_memory(err);
  json_array_foreach(list, i, task)
    if (is_olmes_task(task) && !is_repeated(list, i))
      RMX_TRY(take_olmes_task(task, results, directions, shots, err));
  return RMX_OK;
}

// The list of tasks in a tree, a new reference; NULL: it is not of OLMES.
static json_t *olmes_tasks(json_t *tree) {
  if (is_olmes_task(tree)) return json_pack("[O]", tree);
  json_t *list = json_is_array(tree) ? tree : json_object_get(tree, "tasks");
  if (!json_is_array(list)) list = json_object_get(tree, "metrics");
  return json_is_array(list) && is_olmes_task(json_array_get(list, 0)) ? json_incref(list) : NULL;
}

// ---- lighteval -------------------------------------------------------------------------------

// "lighteval|arc:easy|25|0" and "arc:easy|25" are called "arc:easy".
static char *lighteval_name(const char *task) {
  const char *first = strchr(task, '|'), *second = first ? strchr(first + 1, '|') : NULL;
  if (!first) return rmx_strdup(task);
  return second ? rmx_format("%.*s", (int)(second - first - 1), first + 1)
                : rmx_format("%.*s", (int)(first - task), task);
}

// The shots in "lighteval|arc:easy|25|0" and "arc:easy|25"; -1: there are none.
static json_int_t lighteval_shots(const char *task) {
  const char *first = strchr(task, '|'), *second = first ? strchr(first + 1, '|') : NULL;
  const char *at = second ? second : first;
  char *end;
  const long n = at ? strtol(at + 1, &end, 10) : -1;
  return at && end > at + 1 && (!*end || *end == '|') && n >= 0 ? n : -1;
}

static rmx_status take_directions(const json_t *config, json_t *better, rmx_err *err) {
  const json_t *metrics = json_object_get(config, "metrics"), *metric;
  size_t i;
  if (!json_is_array(metrics)) metrics = json_object_get(config, "metric");
  json_array_foreach(metrics, i, metric) {
    const char *name = json_string_value(json_object_get(metric, "metric_name"));
    const json_t *high = json_object_get(metric, "higher_is_better");
    if (name && json_is_boolean(high) &&
        json_object_set_new(better, name, json_boolean(json_is_true(high))) != 0)
      return no_memory(err);
    const char *inner;
    json_t *value;
    json_object_foreach((json_t *)high, inner, value)
      if (json_is_boolean(value) && json_object_set(better, inner, value) != 0)
        return no_memory(err);
  }
  return RMX_OK;
}

static rmx_status take_lighteval_task(const json_t *tree, const char *task, json_t *scores,
                                      json_t *results, json_t *directions, json_t *shots,
                                      rmx_err *err) {
  RMX_OWNED char *name = lighteval_name(task);
  json_t *better = json_object();
  const json_int_t n = lighteval_shots(task);
  if (name && n >= 0 && json_object_set_new(shots, name, json_integer(n)) != 0)
    return no_memory(err);
  if (!name || json_object_set(results, name, scores) != 0 ||
      json_object_set_new(directions, name, better) != 0)
    return no_memory(err);
  const json_t *configs = json_object_get(tree, "config_tasks"),
               *config = json_object_get(configs, task);
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)configs, key, value)  // there the shots are not always in the name
    if (!config && strncmp(task, key, strlen(key)) == 0 && task[strlen(key)] == '|') config = value;
  return take_directions(config, better, err);
}

// Whether two tasks have the same name without suite and shots.
static bool names_collide(const json_t *all) {
  json_auto_t *seen = json_object();
  const char *task;
  json_t *scores;
  json_object_foreach((json_t *)all, task, scores) {
    RMX_OWNED char *name = lighteval_name(task);
    if (!name || json_object_get(seen, name)) return true;
    json_object_set_new(seen, name, json_true());
  }
  return false;
}

// "mmlu:_average|5" is a group: the mean of the tasks that begin with "mmlu:".
static rmx_status add_groups(const json_t *results, json_t *groups, rmx_err *err) {
  static const char tail[] = ":_average";
  const char *name, *other;
  json_t *ignored;
  json_object_foreach((json_t *)results, name, ignored) {
    const char *at = strstr(name, tail);
    if (!at || (at[sizeof tail - 1] && at[sizeof tail - 1] != '|')) continue;
    json_t *members = json_array();
    if (json_object_set_new(groups, name, members) != 0) return no_memory(err);
    json_object_foreach((json_t *)results, other, ignored)
      if (strncmp(other, name, (size_t)(at - name) + 1) == 0 && strcmp(other, name) != 0 &&
          json_array_append_new(members, json_string(other)) != 0)
        return no_memory(err);
  }
  return RMX_OK;
}

static rmx_status from_lighteval(const json_t *tree, json_t **out, rmx_err *err) {
  json_t *results = json_object(), *directions = json_object(), *groups = json_object(),
         *shots = json_object(), *scores, *all = json_object_get(tree, "results");
  const char *task;
  *out = json_pack("{s:o, s:o, s:o, s:o}", "results", results, "higher_is_better", directions,
                   "group_subtasks", groups, "n-shot", shots);
  if (!*out) return no_memory(err);
  const bool collide = names_collide(all);
  json_object_foreach(all, task, scores) {
    if (strcmp(task, "all") == 0 && json_object_size(all) > 1) continue;
    if (collide
            ? json_object_set(results, task, scores) != 0
            : take_lighteval_task(tree, task, scores, results, directions, shots, err) != RMX_OK)
      return no_memory(err);
  }
  RMX_TRY(add_groups(results, groups, err));
  const json_t *limit = json_object_get(json_object_get(tree, "config_general"), "max_samples");
  if (json_number_value(limit) > 0 &&
      json_object_set_new(*out, "config", json_pack("{s:O}", "limit", limit)) != 0)
    return no_memory(err);
  return RMX_OK;
}

rmx_status rmx__as_harness(json_t *tree, json_t **out, rmx_err *err) {
  *out = NULL;
  json_auto_t *tasks = olmes_tasks(tree);
  if (tasks) return from_olmes(tasks, out, err);
  if (json_object_get(tree, "config_general") && json_is_object(json_object_get(tree, "results")))
    return from_lighteval(tree, out, err);
  return RMX_OK;
}
