// SPDX-License-Identifier: Apache-2.0
// Describes the real training run: its tokens, and the available tokens of each domain. Also the
// size of the large models that represent it here.
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "report/parts.h"

// tokens[domain] from the user, else from the optimum, else from the corpus, else from the fit.
static rmx_status put_tokens(const rmx_report_files *files, json_t *data, rmx_err *err) {
  json_t *tokens = json_object(), *item;
  RMX_TRY(rmx__put(data, "tokens", tokens, err));
  const json_t *fit = json_object_get(data, "fit"), *counts = json_object_get(fit, "tokens");
  size_t d;
  json_array_foreach(json_object_get(fit, "domains"), d, item) {
    const json_t *n = json_array_get(counts, d);
    if (json_is_string(item) && json_number_value(n) > 0)
      RMX_TRY(rmx__put(tokens, json_string_value(item), json_real(json_number_value(n)), err));
  }
  json_array_foreach(json_object_get(json_object_get(data, "corpus"), "domains"), d, item) {
    const char *name = json_string_value(json_object_get(item, "name"));
    double n = rmx__get(item, "train_tokens");
    if (name && n > 0) RMX_TRY(rmx__put(tokens, name, json_real(n), err));
  }
  const char *name;
  json_object_foreach(json_object_get(json_object_get(data, "optimum"), "tokens"), name, item)
    if (json_number_value(item) > 0)
      RMX_TRY(rmx__put(tokens, name, json_real(json_number_value(item)), err));
  for (d = 0; d < files->n_domains; d++)
    RMX_TRY(rmx__put(tokens, files->domains[d], json_real(files->tokens[d]), err));
  return RMX_OK;
}

// The record of the part of the corpus that the proxies read, if they match the large run: a new
// reference, or NULL.
static json_t *matched_part(const char *folder, const json_t *config, const json_t *data) {
  const json_t *proxy = json_object_get(config, "proxy");
  const double share =
      rmx__get(proxy, "tokens") / rmx__get(json_object_get(config, "large"), "tokens");
  const char *repeat = json_string_value(json_object_get(proxy, "repeat"));
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  RMX_OWNED char *parts = rmx_path_in(folder, "matched");
  rmx_err ignored;
  if (!parts || !repeat || strcmp(repeat, "none") == 0 || rmx_list(parts, &names, &ignored))
    return NULL;
  for (size_t i = 0; i < names.n; i++) {
    json_t *record = NULL;
    RMX_OWNED char *path = rmx_format("%s/%s/matched.json", parts, names.items[i]);
    if (!path || !rmx_exists(path) || rmx__json_read(path, &record, &ignored)) continue;
    if (rmx__get(record, "share") == share &&
        json_equal(json_object_get(record, "source"),
                   json_object_get(json_object_get(data, "corpus"), "hash")))
      return record;
    json_decref(record);
  }
  return NULL;
}

// What the proxies read: their tokens, and the tokens of each domain that they repeat.
static rmx_status put_proxies(const char *folder, const json_t *config, json_t *data,
                              rmx_err *err) {
  const double tokens = rmx__get(json_object_get(config, "proxy"), "tokens");
  if (!(tokens > 0)) return RMX_OK;
  json_auto_t *part = matched_part(folder, config, data);
  RMX_TRY(rmx__put(data, "proxy_tokens", json_real(tokens), err));
  json_t *read = json_object_get(part ? part : data, "tokens");
  return rmx__put(data, "proxy_domain_tokens", json_incref(read), err);
}

rmx_status rmx__collect_budget(const rmx_report_files *files, const json_t *config, json_t *data,
                               rmx_err *err) {
  RMX_TRY(put_tokens(files, data, err));
  RMX_TRY(put_proxies(files->folder, config, data, err));
  const json_t *optimum = json_object_get(data, "optimum");
  const double known[] = {files->budget,
                          rmx__get(optimum, "budget"),
                          rmx__get(json_object_get(optimum, "for"), "tokens"),
                          rmx__get(json_object_get(data, "comparison"), "tokens"),
                          rmx__get(json_object_get(config, "large"), "tokens"),
                          rmx__get(json_object_get(data, "fit"), "budget")};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i] > 0) return rmx__put(data, "budget_tokens", json_real(known[i]), err);
  return RMX_OK;
}

// large[key] of the first finished large model, or nothing.
static rmx_status take_large(const char *path, json_t *data, rmx_err *err) {
  static const char *const kept[] = {"model", "parameters", "tokens"};
  json_t *result = NULL, *large = json_object();
  if (!large) return rmx_fail_memory(err, 0, "the report's data");
  rmx_status status = rmx__json_read(path, &result, err);
  for (size_t i = 0; i < sizeof kept / sizeof *kept && status == RMX_OK; i++) {
    json_t *value = json_object_get(result, kept[i]);
    if (value) status = rmx__put(large, kept[i], json_incref(value), err);
  }
  json_decref(result);
  if (status == RMX_OK) return rmx__put(data, "large", large, err);
  json_decref(large);
  return status;
}

rmx_status rmx__collect_large(const char *folder, json_t *data, rmx_err *err) {
  rmx_strings names = {0}, seeds = {0};
  char *large = rmx_path_in(folder, "large");
  rmx_status status =
      large ? rmx_list(large, &names, err) : rmx_fail_memory(err, strlen(folder), "a path");
  for (size_t i = 0; i < names.n && status == RMX_OK && !json_object_get(data, "large"); i++) {
    RMX_OWNED char *inside = rmx_path_in(large, names.items[i]);
    // comparison.json is next to the folders
    if (inside && !strchr(names.items[i], '.')) status = rmx_list(inside, &seeds, err);
    for (size_t k = 0; k < seeds.n && status == RMX_OK && !json_object_get(data, "large"); k++) {
      RMX_OWNED char *path = rmx_format("%s/%s/result.json", inside, seeds.items[k]);
      if (path && rmx_exists(path)) status = take_large(path, data, err);
    }
    rmx_strings_release(&seeds);
    seeds = (rmx_strings){0};
  }
  rmx_strings_release(&names);
  free(large);
  return status;
}
