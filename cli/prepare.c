// SPDX-License-Identifier: Apache-2.0
// regmix prepare: text to tokens.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

// Of --set, what no option table can check: a model and a processor level. Later they would fail as if the config were wrong.
static rmx_status check_settings(const cli *c, const rmx_experiment *e, rmx_err *err) {
  enum { ANY_VOCABULARY = 4096 };
  rmx_model_config model;
  const rmx_kernels *kernels;
  if (cli_was_set(c, "proxy") && rmx_training_model(&e->config.proxy, ANY_VOCABULARY, &model, err) != RMX_OK)
    return rmx_fail_in(err, "proxy"), cli_refused(true, err);
  if (cli_was_set(c, "large") && rmx_training_model(&e->config.large, ANY_VOCABULARY, &model, err) != RMX_OK)
    return rmx_fail_in(err, "large"), cli_refused(true, err);
  if (cli_was_set(c, "isa") && rmx_kernels_get(e->config.general.isa, &kernels, err) != RMX_OK) return cli_refused(true, err);
  return RMX_OK;
}

rmx_status open_experiment(const cli *c, const char *yaml, bool needed, rmx_experiment *e, rmx_err *err) {
  RMX_TRY(rmx_experiment_open(c->common.folder, yaml, (const char *const *)c->common.settings.items,
                              c->common.settings.n, e, err));
  rmx_status status = RMX_OK;
  if (needed && !e->config_path)
    status = rmx_fail(err, RMX_EINPUT, "no regmix.yaml in %s; `regmix init` writes one, -C DIR names another folder", e->folder);
  if (status == RMX_OK) status = check_settings(c, e, err);
  if (status != RMX_OK) rmx_experiment_release(e);
  return status;
}

int worker_jobs(const rmx_experiment *e) {
  return e->config.general.jobs > 0 ? (int)e->config.general.jobs : rmx_processors();
}

rmx_status open_corpus(const rmx_experiment *e, rmx_corpus **corpus, rmx_err *err) {
  char *path = rmx_experiment_path(e, "corpus/corpus.json");
  bool there = path && rmx_exists(path);
  free(path);
  if (!there) return rmx_fail(err, RMX_EINPUT, "no corpus in %s yet; `regmix prepare` makes it", e->folder);
  return rmx_corpus_open(e->folder, corpus, err);
}

json_t *made_by(const rmx_experiment *e, const rmx_corpus *corpus) {
  json_t *o = json_object();
  json_object_set_new(o, "version", json_string(rmx_version()));
  json_object_set_new(o, "seed", json_integer(e->config.general.seed));
  if (corpus) {
    char hash[17];
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)corpus->hash);
    json_object_set_new(o, "corpus", json_string(hash));
  }
  return o;
}

static bool up_to_date(const rmx_experiment *e, uint64_t hash) {
  rmx_err ignored;
  char *path = rmx_experiment_path(e, "corpus/corpus.json"), wanted[17];
  json_t *tree = NULL;
  snprintf(wanted, sizeof wanted, "%016llx", (unsigned long long)hash);
  bool same = false;
  if (path && rmx_exists(path) && rmx_json_read(path, &tree, &ignored) == RMX_OK) {
    const char *had = json_string_value(json_object_get(tree, "source_hash"));
    same = had && strcmp(had, wanted) == 0;
    json_decref(tree);
  }
  free(path);
  return same;
}

static rmx_status write_resolved(const rmx_experiment *e, rmx_err *err) {
  char *path = rmx_experiment_path(e, "resolved.yaml");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  json_t *tree = rmx_config_json(&e->config);
  rmx_status status = rmx_mkdirs(e->folder, err);
  if (status == RMX_OK) status = rmx_yaml_write(path, tree, "What regmix.yaml asks, with every default.", err);
  json_decref(tree);
  free(path);
  return status;
}

rmx_status step_prepare(const cli *c, const rmx_experiment *e, rmx_err *err) {
  RMX_TRY(write_resolved(e, err));
  sources s = {0};
  uint64_t hash;
  rmx_status status = find_sources(c, e, &s, err);
  const rmx_corpus_options *o = &e->config.corpus;
  if (status == RMX_OK) tell_sources(c, e, &s);
  if (status == RMX_OK) status = rmx_corpus_source_hash(o, s.domains, s.n, s.targets, s.n_targets, e->folder, &hash, err);
  if (status == RMX_OK && !up_to_date(e, hash)) {
    char *path = rmx_experiment_path(e, "corpus/corpus.json");
    if (path && rmx_exists(path))
      rmx_note(&c->listener, "prepare: the text or its settings changed; preparing the corpus again");
    free(path);
    status = print_sources(c, e, &s, err);
    if (status == RMX_OK)
      status = rmx_corpus_prepare(o, s.domains, s.n, s.targets, s.n_targets, e->folder, e->folder, worker_jobs(e),
                                &c->listener, err);
  } else if (status == RMX_OK) {
    rmx_note(&c->listener, "prepare: the corpus is up to date");
  }
  release_sources(&s);
  return status;
}

static rmx_status run_prepare(cli *c, rmx_err *err) {
  rmx_experiment e;
  RMX_TRY(open_experiment(c, c->words.n ? c->words.items[0] : NULL, true, &e, err));
  rmx_status status = step_prepare(c, &e, err);
  json_t *tree = NULL;
  char *path = rmx_experiment_path(&e, "corpus/corpus.json");
  if (status == RMX_OK && c->common.json) {
    status = rmx_json_read(path, &tree, err);
    if (status == RMX_OK) cli_print_json(tree);
  }
  free(path);
  rmx_experiment_release(&e);
  return status;
}

const cli_command cli_prepare = {
    .name = "prepare", .words = "[REGMIX.YAML]", .most_words = 1, .run = run_prepare,
    .summary = "text to tokens: tokenizer, training and validation files of each domain",
    .about = "Reads the text of every domain: .txt, and .jsonl, .ndjson or .json (an object a line, or an array), all of them also "
             "packed as .gz or .zst. Prints the domains and their files first, and every file that is not read with the reason. Then "
             "it drops exact duplicates and what stands in the target's text too, trains a byte-level BPE tokenizer (or takes one), splits each domain by a hash of the document, "
             "and writes corpus/ and tokenizer.json. Done again only when the text or its settings changed.",
    .examples = "  regmix prepare -C exp\n  regmix prepare -C exp --set corpus.vocab=8192\n",
};
