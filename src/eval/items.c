// SPDX-License-Identifier: Apache-2.0
// A line of a task file becomes candidates to score.
#include "items.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static rmx_status wrong(const char *where, const char *what, rmx_err *err) {
  return rmx_fail(
      err, RMX_EINPUT,
      "%s: %s; wanted {\"context\": \"...\", \"choices\": [\"...\", ...], \"answer\": K}", where,
      what);
}

static bool is_list_of_texts(const json_t *list) {
  size_t i;
  json_t *text;
  json_array_foreach(list, i, text)
    if (!json_is_string(text)) return false;
  return json_array_size(list) > 0;
}

static rmx_status make_room(rmx__eval_item *item, rmx_err *err) {
  item->contexts = rmx_calloc(item->n, sizeof *item->contexts);
  item->choices = rmx_calloc(item->n, sizeof *item->choices);
  item->bytes = rmx_calloc(item->n, sizeof *item->bytes);
  item->scores = rmx_calloc(item->n, sizeof *item->scores);
  item->greedy = rmx_calloc(item->n, sizeof *item->greedy);
  if (item->contexts && item->choices && item->bytes && item->scores && item->greedy) return RMX_OK;
  return rmx_fail_memory(err, item->n * 40, "an item of a task");
}

static rmx_status take_texts(rmx__eval_item *item, const char *where, rmx_err *err) {
  const json_t *context = json_object_get(item->line, "context"),
               *contexts = json_object_get(item->line, "contexts"),
               *choices = json_object_get(item->line, "choices");
  if (!choices) return wrong(where, "\"choices\" is missing", err);
  if (!context && !contexts) return wrong(where, "\"context\" is missing", err);
  if (json_is_array(choices) && json_array_size(choices) == 0)
    return wrong(where, "\"choices\" is empty", err);
  if (context && contexts) return wrong(where, "has both \"context\" and \"contexts\"", err);
  if (!is_list_of_texts(choices)) return wrong(where, "\"choices\" is not a list of strings", err);
  if (contexts && !is_list_of_texts(contexts))
    return wrong(where, "\"contexts\" is not a list of strings", err);
  if (!contexts && !json_is_string(context))
    return wrong(where, "\"context\" is not a string", err);
  if (contexts && json_array_size(choices) != 1)
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: %zu choices with \"contexts\"; several contexts are compared by one choice", where,
        json_array_size(choices));
  item->n = json_array_size(contexts ? contexts : choices);
  RMX_TRY(make_room(item, err));
  for (size_t i = 0; i < item->n; i++) {
    const json_t *choice = json_array_get(choices, contexts ? 0 : i);
    item->contexts[i] = json_string_value(contexts ? json_array_get(contexts, i) : context);
    item->choices[i] = json_string_value(choice);
    item->bytes[i] = json_string_length(choice);
    if (item->bytes[i] == 0) return wrong(where, "a choice is empty", err);
  }
  return RMX_OK;
}

rmx_status rmx__eval_item_read(rmx__eval_item *item, const char *line, size_t size,
                               const char *where, rmx_err *err) {
  json_error_t json;
  *item = (rmx__eval_item){.line = json_loadb(line, size, JSON_REJECT_DUPLICATES, &json)};
  if (!json_is_object(item->line))
    return wrong(where, item->line ? "not a JSON object" : rmx__json_why(&json), err);
  RMX_TRY(take_texts(item, where, err));
  const json_t *answer = json_object_get(item->line, "answer");
  if (!answer) return wrong(where, "\"answer\" is missing", err);
  if (!json_is_integer(answer)) return wrong(where, "\"answer\" is not a whole number", err);
  if (json_integer_value(answer) < 0 || (size_t)json_integer_value(answer) >= item->n)
    return rmx_fail(err, RMX_EINPUT, "%s: the answer is %lld, wanted 0 to %zu (it counts from 0)",
                    where, (long long)json_integer_value(answer), item->n - 1);
  item->answer = (size_t)json_integer_value(answer);
  item->part = json_string_value(json_object_get(item->line, "task"));
  return RMX_OK;
}

void rmx__eval_item_release(rmx__eval_item *item) {
  json_decref(item->line);
  free(item->contexts);
  free(item->choices);
  free(item->bytes);
  free(item->scores);
  free(item->greedy);
  *item = (rmx__eval_item){0};
}
