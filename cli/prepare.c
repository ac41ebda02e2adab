// SPDX-License-Identifier: Apache-2.0
// regmix prepare: text to tokens.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

// Of --set, what no option table can check: a model and a processor level. Later they would fail as
// if the config were wrong.
static rmx_status check_settings(const cli *c, const rmx_experiment *e, rmx_err *err) {
  enum { ANY_VOCABULARY = 4096 };
  rmx_model_config model;
  const rmx_kernels *kernels;
  if (cli_was_set(c, "proxy") &&
      rmx_training_model(&e->config.proxy, ANY_VOCABULARY, &model, err) != RMX_OK)
    return rmx_fail_in(err, "proxy"), cli_refused(true, err);
  if (cli_was_set(c, "large") &&
      rmx_training_model(&e->config.large, ANY_VOCABULARY, &model, err) != RMX_OK)
    return rmx_fail_in(err, "large"), cli_refused(true, err);
  if (cli_was_set(c, "isa") && rmx_kernels_get(e->config.general.isa, &kernels, err) != RMX_OK)
    return cli_refused(true, err);
  return RMX_OK;
}

rmx_status open_experiment(const cli *c, const char *yaml, bool needed, rmx_experiment *e,
                           rmx_err *err) {
  RMX_TRY(rmx_experiment_open(c->common.folder, yaml, (const char *const *)c->common.settings.items,
                              c->common.settings.n, e, err));
  rmx_status status = RMX_OK;
  if (needed && !e->config_path)
    status = rmx_fail(err, RMX_EINPUT,
                      "no regmix.yaml in %s; `regmix init` writes one, -C DIR names another folder",
                      e->folder);
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
  if (!there)
    return rmx_fail(err, RMX_EINPUT, "no corpus in %s yet; `regmix prepare` makes it", e->folder);
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

rmx_status write_resolved(const rmx_experiment *e, rmx_err *err) {
  char *path = rmx_experiment_path(e, "resolved.yaml");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  json_t *tree = rmx_config_json(&e->config);
  rmx_status status = rmx_mkdirs(e->folder, err);
  if (status == RMX_OK)
    status = rmx_yaml_write(path, tree, "What regmix.yaml asks, with every default.", err);
  json_decref(tree);
  free(path);
  return status;
}

static rmx_status prepare(const cli *c, const rmx_experiment *e, bool new_tokenizer, rmx_err *err) {
  sources s = {0};
  rmx_status status = find_sources(c, e, &s, err);
  if (status == RMX_OK) tell_sources(c, e, &s);
  if (status == RMX_OK) status = prepare_corpus(c, e, &s, new_tokenizer, err);
  release_sources(&s);
  return status;
}

rmx_status step_prepare(const cli *c, const rmx_experiment *e, rmx_err *err) {
  return prepare(c, e, false, err);
}

struct prepare_args {
  bool redo, new_tokenizer;
};

static rmx_status run_prepare(cli *c, rmx_err *err) {
  rmx_experiment e;
  RMX_TRY(open_experiment(c, c->words.n ? c->words.items[0] : NULL, true, &e, err));
  const struct prepare_args *args = c->own;
  *c->may_redo = args->redo;
  rmx_status status = prepare(c, &e, args->new_tokenizer, err);
  if (status == RMX_OK) status = write_resolved(&e, err);
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

static const rmx_option options[] = {
    {"new-tokenizer", RMX_BOOL, offsetof(struct prepare_args, new_tokenizer), "false", 0, 0, NULL,
     "train the tokenizer on the present text; without it the one of before is kept as long as its "
     "settings are"},
    REDO_OPTION(struct prepare_args),
};
const cli_command cli_prepare = {
    .name = "prepare",
    .words = "[REGMIX.YAML]",
    .most_words = 1,
    .run = run_prepare,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .own_size = sizeof(struct prepare_args),
    .summary = "text to tokens: tokenizer, training and validation files of each domain",
    .about =
        "Reads the text of every domain: .txt, and .jsonl, .ndjson or .json (an object a line, or "
        "an array), all of them also "
        "packed as .gz or .zst. Prints the domains and their files first, and every file that is "
        "not read with the reason. Then "
        "it drops exact duplicates and what stands in validation-only text too, trains a "
        "byte-level BPE tokenizer (or takes one), splits each domain by a hash of the document, "
        "and writes corpus/ and tokenizer.json.\n\n"
        "It is done again only when the content of the text or its settings changed. The tokenizer "
        "is then kept, and so are the token files of "
        "domains whose documents stayed the same. The target has no part in it. The corpus of "
        "before is set aside, in .set-aside/, and used again "
        "when its text and settings return; `regmix gc` deletes it.",
    .examples = "  regmix prepare -C exp\n  regmix prepare -C exp --set corpus.vocab=8192 --redo\n",
};
