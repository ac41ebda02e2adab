// SPDX-License-Identifier: Apache-2.0
// Reports what exists of an experiment and what is still to be done.
#include <stdlib.h>

#include "base/json.h"
#include "outdated.h"
#include "slurm/launches.h"
#include "steps.h"

// The number of results of large models: large/<name>/<seed>/result.json.
static size_t large_models(const rmx_experiment *e) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings found = {0};
  rmx_err ignored;
  RMX_OWNED char *pattern = rmx_experiment_path(e, "large/*/*/result.json");
  if (pattern) rmx_glob(pattern, &found, &ignored);
  return found.n;
}

static rmx_status add_launches(const rmx_experiment *e, const rmx_corpus *corpus, json_t *root,
                               rmx_err *err) {
  RMX_OWNED_BY(rmx__launches_release) struct rmx__launches launches = {0};
  rmx_run *runs = NULL;
  size_t n = 0;
  if (!rmx__experiment_has(e, RMX__LAUNCHES)) return RMX_OK;
  RMX_TRY(rmx__all_runs(e, corpus, &runs, &n, err));
  const rmx_status status = rmx__launches_look(e, runs, n, &launches, err);
  if (launches.n) json_object_set_new(root, "slurm", rmx__launches_json(&launches));
  rmx_runs_release(runs, n);
  return status;
}

static rmx_status fill(const rmx_experiment *e, json_t *root, rmx_err *err) {
  json_object_set_new(root, "folder", json_string(e->folder));
  rmx_corpus *corpus = NULL;
  if (rmx__experiment_has(e, "corpus/corpus.json")) {
    RMX_TRY(rmx_corpus_open(e->folder, &corpus, err));
    json_t *o = json_object();
    double tokens = 0;
    for (size_t d = 0; d < corpus->D; d++) tokens += (double)corpus->domains[d].train_tokens;
    json_object_set_new(o, "domains", json_integer((json_int_t)corpus->D));
    json_object_set_new(o, "train_tokens", json_real(tokens));
    json_object_set_new(root, "corpus", o);
  }
  if (corpus && rmx__experiment_has(e, "mixtures.csv")) {
    rmx_status status = rmx_swarm_states_json(e, corpus, root, err);
    json_object_set_new(root, "mixtures_stale", json_boolean(rmx__mixtures_are_stale(e, corpus)));
    if (status == RMX_OK) status = add_launches(e, corpus, root, err);
    if (status != RMX_OK) {
      rmx_corpus_free(corpus);
      return status;
    }
  }
  if (corpus) rmx_corpus_free(corpus);
  json_object_set_new(root, "large_models", json_integer((json_int_t)large_models(e)));
  json_t *aside = NULL;
  RMX_TRY(rmx_set_aside(e, false, NULL, &aside, err));
  json_object_del(aside, "folders");
  json_object_del(aside, "deleted");
  json_object_set_new(root, "set_aside", aside);
  static const char *const files[] = {"metrics.csv", "fit/fit.json", "optimum.yaml",
                                      "large/comparison.json", "report.html"};
  json_t *o = json_object();
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    json_object_set_new(o, files[i], json_boolean(rmx__experiment_has(e, files[i])));
  json_object_set_new(root, "files", o);
  if (e->config_path) json_object_set_new(root, "outdated", rmx__outdated(e, RMX__MADE_REPORT));
  return RMX_OK;
}

// A folder that contains nothing of an experiment is probably a typing error.
static rmx_status anything_there(const rmx_experiment *e, rmx_err *err) {
  static const char *const parts[] = {
      "corpus/corpus.json", "mixtures.csv", "metrics.csv", "fit/fit.json",
      "optimum.yaml",       "large",        "runs"};
  bool any = e->config_path != NULL;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    any = any || rmx__experiment_has(e, parts[i]);
  if (any) return RMX_OK;
  if (!rmx__experiment_has(e, ".")) return rmx_fail(err, RMX_EINPUT, "no folder %s", e->folder);
  return rmx_fail(err, RMX_EINPUT,
                  "no experiment in %s: no regmix.yaml and no result of a step; `regmix init` "
                  "starts one, -C DIR chooses another folder",
                  e->folder);
}

rmx_status rmx_experiment_status(const rmx_experiment *e, json_t **out, rmx_err *err) {
  RMX_TRY(anything_there(e, err));
  json_t *root = json_object();
  rmx_status status = fill(e, root, err);
  if (status == RMX_OK)
    *out = root;
  else
    json_decref(root);
  return status;
}
