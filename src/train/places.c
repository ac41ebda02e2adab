// SPDX-License-Identifier: Apache-2.0
#include "places.h"

#include <stdlib.h>

#include "base/json.h"

// The absolute path; one that cannot be found out stays as it is.
static json_t *absolute(const char *path) {
  RMX_OWNED char *real = path ? rmx_realpath(path) : NULL;
  json_t *text = real ? json_string(real) : path ? json_string(path) : json_null();
  return text;
}

static json_t *token_file(const char *folder, const char *domain, const char *part) {
  RMX_OWNED char *path = rmx_format("%s/corpus/%s/%s.bin", folder, domain, part);
  json_t *text = path && rmx_exists(path) ? absolute(path) : json_null();
  return text;
}

static json_t *domains_of(const char *folder, const json_t *corpus) {
  static const char *const counts[] = {"train_tokens", "valid_tokens", "train_bytes",
                                       "valid_bytes"};
  json_t *domains = json_object(), *entry;
  size_t i;
  json_array_foreach(json_object_get(corpus, "domains"), i, entry) {
    const char *name = json_string_value(json_object_get(entry, "name"));
    json_t *o = json_object();
    if (!name) continue;
    bool valid_only = json_is_true(json_object_get(entry, "valid_only"));
    json_object_set_new(o, "train", valid_only ? json_null() : token_file(folder, name, "train"));
    json_object_set_new(o, "valid", token_file(folder, name, "valid"));
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
      json_object_set(o, counts[k], json_object_get(entry, counts[k]));
    json_object_set_new(domains, name, o);
  }
  return domains;
}

rmx_status rmx__run_tokenizer(const rmx_run *r, char **out, rmx_err *err) {
  // A corpus of version 0.1.0 has it only beside.
  static const char *const places[] = {"corpus/tokenizer.json", "tokenizer.json"};
  *out = NULL;
  for (size_t i = 0; !*out && i < sizeof places / sizeof *places; i++) {
    RMX_OWNED char *path = rmx_path_in(r->corpus, places[i]);
    if (!path) return rmx_fail_memory(err, 0, "a path");
    if (rmx_exists(path) && !(*out = rmx_strdup(path))) return rmx_fail_memory(err, 0, "a path");
  }
  return RMX_OK;
}

rmx_status rmx__run_places(const rmx_run *r, json_t *o, rmx_err *err) {
  RMX_OWNED char *index = rmx_path_in(r->corpus, "corpus/corpus.json"), *tokenizer = NULL;
  json_auto_t *corpus = NULL;
  if (!index) return rmx_fail_memory(err, 0, "a path");
  RMX_TRY(rmx__run_tokenizer(r, &tokenizer, err));
  if (rmx_exists(index)) RMX_TRY(rmx__json_read(index, &corpus, err));
  json_object_set_new(o, "folder", absolute(r->folder));
  json_object_set_new(o, "corpus", absolute(r->corpus));
  if (tokenizer) json_object_set_new(o, "tokenizer", absolute(tokenizer));
  if (corpus) {
    json_object_set(o, "end_of_text", json_object_get(corpus, "end_of_text"));
    json_object_set_new(o, "domains", domains_of(r->corpus, corpus));
  }
  return RMX_OK;
}
