// SPDX-License-Identifier: Apache-2.0
// Two commands may work in one folder. A command remembers what its steps left there, and stops
// where another one has replaced it: an answer is never made from, or printed of, files of both.
#include <stdlib.h>
#include <string.h>

#include "outdated.h"
#include "steps.h"

static const char METHODS[] = "compare/methods.json";

static const struct {
  rmx_step step;
  const char *name;
} files[] = {
    {RMX_STEP_PREPARE, "corpus/corpus.json"}, {RMX_STEP_SAMPLE, "mixtures.csv"},
    {RMX_STEP_TRAIN, "metrics.csv"},          {RMX_STEP_TRAIN, "metrics.json"},
    {RMX_STEP_TRAIN, "evaluations.csv"},      {RMX_STEP_FIT, "fit/fit.json"},
    {RMX_STEP_OPTIMIZE, "optimum.yaml"},
};

// The same methods take another time in each process.
static uint64_t hash_of_methods(const json_t *tree) {
  json_auto_t *copy = json_deep_copy(tree);
  const char *name;
  json_t *method;
  json_object_del(copy, "content_hash");
  json_object_foreach(json_object_get(copy, "methods"), name, method)
    json_object_del(method, "search_wall_s");
  RMX_OWNED char *text = copy ? json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
  return text ? rmx_hash(text, strlen(text), 0) : 0;
}

static uint64_t hash_of_tree(const char *name, const json_t *tree) {
  if (strcmp(name, METHODS) == 0) return hash_of_methods(tree);
  RMX_OWNED char *text = rmx__json_dump(tree);
  return text ? rmx_hash(text, strlen(text), 0) : 0;
}

// 0: there is no such file.
static rmx_status hash_of_file(const rmx_experiment *e, const char *name, uint64_t *hash,
                               rmx_err *err) {
  RMX_OWNED char *path = rmx_experiment_path(e, name);
  json_auto_t *tree = NULL;
  *hash = 0;
  if (!path) return rmx_fail_memory(err, 0, "a path");
  if (!rmx_exists(path)) return RMX_OK;
  if (strcmp(name, METHODS) != 0) return rmx__file_hash(path, 0, hash, err);
  RMX_TRY(rmx__json_read(path, &tree, err));
  *hash = hash_of_methods(tree);
  return RMX_OK;
}

static rmx_status remember(rmx_pipeline *p, const char *name, uint64_t hash, rmx_err *err) {
  if (!p->left) p->left = json_object();
  return json_object_set_new(p->left, name, rmx__hex_json(hash)) == 0
             ? RMX_OK
             : rmx_fail_memory(err, 0, "the files of the folder");
}

rmx_status rmx__left_tree(rmx_pipeline *p, const char *name, const json_t *tree, rmx_err *err) {
  return remember(p, name, hash_of_tree(name, tree), err);
}

static rmx_status replaced(const rmx_experiment *e, const char *name, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT,
                  "another process works in %s with other settings, and has replaced %s since this "
                  "command wrote it. No answer is made from the files of both. Wait until it has "
                  "ended and give the same command again, or use a folder for each of them",
                  e->folder, name);
}

// The fit and the optimum carry the fingerprint of the question that they answer: one that another
// process wrote in the moment before this one looks is found by it.
static rmx_status answer_our_question(const rmx_experiment *e, rmx_step step, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf why = {0};
  rmx_corpus *corpus = NULL;
  if (step == RMX_STEP_FIT) rmx__fit_outdated(e, &why);
  if (step == RMX_STEP_OPTIMIZE) {
    RMX_TRY(rmx_experiment_corpus(e, &corpus, err));
    rmx__optimum_outdated(e, corpus, &why);
    rmx_corpus_free(corpus);
  }
  if (!why.size) return RMX_OK;
  return replaced(e, step == RMX_STEP_FIT ? "fit/fit.json" : "optimum.yaml", err);
}

rmx_status rmx__left_by(rmx_pipeline *p, rmx_step step, rmx_err *err) {
  if (p->would) return RMX_OK;
  RMX_TRY(rmx_pipeline_unchanged(p, err));
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    uint64_t hash;
    if (files[i].step != step) continue;
    RMX_TRY(hash_of_file(&p->experiment, files[i].name, &hash, err));
    RMX_TRY(remember(p, files[i].name, hash, err));
  }
  return answer_our_question(&p->experiment, step, err);
}

rmx_status rmx_pipeline_unchanged(const rmx_pipeline *p, rmx_err *err) {
  const char *name;
  json_t *hash;
  json_object_foreach(p->left, name, hash) {
    char now[17];
    uint64_t found;
    RMX_TRY(hash_of_file(&p->experiment, name, &found, err));
    rmx__hex(found, now);
    if (strcmp(now, json_string_value(hash)) != 0) return replaced(&p->experiment, name, err);
  }
  return RMX_OK;
}
