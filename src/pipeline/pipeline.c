// SPDX-License-Identifier: Apache-2.0
// A pipeline's experiment, opened, and what its steps look up in it.
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "steps.h"

bool rmx__was_set(const rmx_pipeline *p, const char *key) {
  const size_t n = strlen(key);
  for (size_t i = 0; i < p->n_typed; i++)
    if (strncmp(p->typed[i], key, n) == 0 && (p->typed[i][n] == '=' || p->typed[i][n] == '.'))
      return true;
  return false;
}

rmx_status rmx_refused(bool typed, rmx_err *err) {
  if (typed && err->status == RMX_EINPUT) err->status = RMX_EUSAGE;
  return err->status;
}

rmx_status rmx__refused_setting(const rmx_pipeline *p, rmx_err *err) {
  for (size_t i = 0; i < p->n_typed; i++) {
    RMX_OWNED char *key = rmx_format("%.*s", (int)strcspn(p->typed[i], "="), p->typed[i]);
    if (key && strstr(err->message, key)) return rmx_refused(true, err);
  }
  return err->status;
}

rmx_status rmx_from_file(bool from_file, rmx_err *err) {
  if (from_file && err->status == RMX_EUSAGE) err->status = RMX_EINPUT;
  return err->status;
}

// Checks what no option table can check in --set: a model and a processor level. Otherwise they
// would fail later, as if the config were wrong.
static rmx_status check_settings(rmx_pipeline *p, rmx_err *err) {
  enum { ANY_VOCABULARY = 4096 };
  rmx_model_config model;
  const rmx_kernels *kernels;
  if (rmx__was_set(p, "proxy") &&
      rmx_training_model(&p->experiment.config.proxy, ANY_VOCABULARY, &model, err) != RMX_OK)
    return rmx_fail_in(err, "proxy"), rmx_refused(true, err);
  if (rmx__was_set(p, "large") &&
      rmx_training_model(&p->experiment.config.large, ANY_VOCABULARY, &model, err) != RMX_OK)
    return rmx_fail_in(err, "large"), rmx_refused(true, err);
  for (size_t i = 0; i < p->experiment.config.n_swarms; i++) {
    const rmx_swarm_config *s = &p->experiment.config.swarms[i];
    if (rmx__was_set(p, "swarms") &&
        rmx_training_model(&s->training, ANY_VOCABULARY, &model, err) != RMX_OK)
      return rmx_fail_in(err, "swarms.%s", s->name), rmx_refused(true, err);
  }
  if (rmx__was_set(p, "isa") &&
      rmx_kernels_get(p->experiment.config.general.isa, &kernels, err) != RMX_OK)
    return rmx_refused(true, err);
  return RMX_OK;
}

rmx_status rmx_pipeline_open(rmx_pipeline *p, const char *folder, const char *yaml,
                             const char *const *settings, size_t n, rmx_err *err) {
  RMX_TRY(rmx_experiment_open(folder, yaml, settings, n, &p->experiment, err));
  p->typed = settings;
  p->n_typed = n;
  return check_settings(p, err);
}

void rmx_pipeline_release(rmx_pipeline *p) {
  rmx_experiment_release(&p->experiment);
  p->experiment = (rmx_experiment){0};
  json_decref(p->left);
  p->left = NULL;
}

int rmx_worker_jobs(const rmx_experiment *e) {
  return e->config.general.jobs > 0 ? (int)e->config.general.jobs : rmx_processors();
}

rmx_status rmx_experiment_corpus(const rmx_experiment *e, rmx_corpus **corpus, rmx_err *err) {
  if (!rmx__experiment_has(e, "corpus/corpus.json"))
    return rmx_fail(err, RMX_EINPUT, "no corpus in %s yet; `regmix prepare` makes one", e->folder);
  return rmx_corpus_open(e->folder, corpus, err);
}

json_t *rmx__made_by(const rmx_experiment *e, const rmx_corpus *corpus) {
  json_t *o = json_object();
  json_object_set_new(o, "version", json_string(rmx_version()));
  json_object_set_new(o, "seed", json_integer(e->config.general.seed));
  if (corpus) json_object_set_new(o, "corpus", rmx__hex_json(corpus->hash));
  return o;
}

rmx_status rmx_experiment_resolve(const rmx_experiment *e, rmx_err *err) {
  RMX_OWNED char *path = rmx_experiment_path(e, "resolved.yaml");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  json_auto_t *tree = rmx_config_json(&e->config);
  RMX_TRY(rmx_mkdirs(e->folder, err));
  RMX_TRY(rmx_keep_others(path, err));
  return rmx__yaml_write(path, tree, "The settings of regmix.yaml, with all defaults.", err);
}
