// SPDX-License-Identifier: Apache-2.0
// regmix sample: the random mixtures of the proxies, into mixtures.csv.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

void weight_caps(const rmx_experiment *e, const rmx_corpus *corpus, double *cap) {
  double *tokens = rmx_calloc(corpus->D_train, sizeof *tokens);
  for (size_t d = 0; tokens && d < corpus->D_train; d++)
    tokens[d] = (double)corpus->domains[d].train_tokens;
  double budget = e->config.sample.max_epochs > 0 ? (double)e->config.large.tokens : 0.0;
  rmx_sample_caps(&e->config.sample, corpus->prior, tokens ? tokens : corpus->prior,
                  tokens ? budget : 0.0, corpus->D_train, cap);
  free(tokens);
}

// mixtures.json beside mixtures.csv remembers what the file was made from and what it held, so that
// a file of the user's own is told from an old one of ours.
static uint64_t file_hash(const char *path) {
  char *text;
  size_t size;
  rmx_err ignored;
  if (!rmx_exists(path) || rmx_read_file(path, &text, &size, &ignored) != RMX_OK) return 0;
  uint64_t hash = rmx_hash(text, size, 1);
  free(text);
  return hash;
}

static uint64_t asked_hash(const rmx_experiment *e, const rmx_corpus *corpus, const double *cap) {
  json_t *config = rmx_config_json(&e->config), *o = json_object();
  json_object_set(o, "sample", json_object_get(config, "sample"));
  json_object_set_new(o, "seed", json_integer(e->config.general.seed));
  json_object_set_new(o, "prior", rmx_mixture_json(corpus->prior, corpus->names, corpus->D_train));
  json_object_set_new(o, "cap", rmx_mixture_json(cap, corpus->names, corpus->D_train));
  char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
  uint64_t hash = rmx_hash_string(text ? text : "", 2);
  free(text);
  json_decref(o);
  json_decref(config);
  return hash;
}

static uint64_t hex_of(const json_t *o, const char *key) {
  const char *text = json_string_value(json_object_get(o, key));
  return text ? strtoull(text, NULL, 16) : 0;
}

static rmx_status draw_mixtures(const rmx_experiment *e, const rmx_corpus *corpus,
                                const double *cap, rmx_table *t, rmx_err *err) {
  size_t N = (size_t)e->config.sample.runs, D = corpus->D_train;
  RMX_TRY(rmx_table_make(t, "run", N, D, err));
  rmx_status status = rmx_sample_mixtures(&e->config.sample, corpus->prior, cap, corpus->names, D,
                                          (uint64_t)e->config.general.seed, t->x, err);
  for (size_t d = 0; status == RMX_OK && d < D; d++)
    if (!(t->names[d] = rmx_strdup(corpus->names[d]))) status = rmx_fail_memory(err, 0, "names");
  for (size_t i = 0; status == RMX_OK && i < N; i++)
    if (!(t->ids[i] = rmx_format("%04zu", i + 1))) status = rmx_fail_memory(err, 0, "names");
  if (status == RMX_OK && !(t->path = rmx_experiment_path(e, "mixtures.csv")))
    status = rmx_fail_memory(err, 0, "a path");
  if (status != RMX_OK) rmx_table_release(t);
  return status;
}

// Runs that are finished and would not be asked for any more.
static rmx_status ask_first(const cli *c, const rmx_experiment *e, const rmx_corpus *corpus,
                            const rmx_table *t, rmx_err *err) {
  rmx_run *now = NULL, *next = NULL;
  size_t n_now = 0, n_next = 0;
  rmx_err ignored;
  // of other domains: they are out of use already
  if (proxy_runs(e, corpus, &now, &n_now, &ignored) != RMX_OK) return RMX_OK;
  rmx_status status = runs_of_table(e, corpus, t, &next, &n_next, err);
  if (status == RMX_OK) status = ask_redo_instead(c, now, n_now, next, n_next, err);
  release_runs(now, n_now);
  if (next) release_runs(next, n_next);
  return status;
}

static json_t *hex(uint64_t x) {
  return json_sprintf("%016llx", (unsigned long long)x);
}

// The record goes before the file and knows the hash of both the old and the new one: a kill in
// between leaves no file that would pass for the user's own.
static rmx_status write_mixtures(const rmx_table *t, const char *path, const char *record,
                                 uint64_t asked, rmx_err *err) {
  char *new = rmx_format("%s.new", path);
  rmx_status status = new ? rmx_csv_write(new, t, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) {
    json_t *o = json_object();
    json_object_set_new(o, "asked", hex(asked));
    json_object_set_new(o, "content", hex(file_hash(new)));
    json_object_set_new(o, "before", hex(file_hash(path)));
    status = rmx_json_write(record, o, err);
    json_decref(o);
  }
  if (status == RMX_OK && rename(new, path) != 0)
    status = rmx_fail_errno(err, "cannot write %s", path);
  free(new);
  return status;
}

static void tell_excluded(const cli *c, const rmx_experiment *e, const rmx_corpus *corpus,
                          const double *cap) {
  bool *excluded = rmx_calloc(corpus->D_train, sizeof *excluded);
  if (excluded)
    rmx_sample_excluded(&e->config.sample, corpus->prior, cap, corpus->D_train, excluded);
  for (size_t d = 0; excluded && d < corpus->D_train; d++)
    if (excluded[d])
      rmx_warn(&c->listener,
               "domain \"%s\" has too few tokens to be in any mixture (its cap, %.2g, is below the "
               "grid, %.2g): nothing will be "
               "known about it; raise sample.max_epochs or lower sample.grid or large.tokens",
               corpus->names[d], cap[d], e->config.sample.grid);
  free(excluded);
}

static rmx_status sample_into(const cli *c, const rmx_experiment *e, const rmx_corpus *corpus,
                              const char *path, const char *record, rmx_err *err) {
  rmx_err ignored;
  json_t *had = NULL;
  double *cap = rmx_calloc(corpus->D_train, sizeof *cap);
  if (!cap) return rmx_fail_memory(err, 0, "caps");
  weight_caps(e, corpus, cap);
  uint64_t asked = asked_hash(e, corpus, cap), content = file_hash(path);
  if (rmx_exists(record)) rmx_json_read(record, &had, &ignored);
  bool current = had && content == hex_of(had, "content"),
       ours = current || (had && content == hex_of(had, "before"));
  rmx_status status = RMX_OK;
  if (content && !ours) {
    step_tells(c, "sample", false, "mixtures.csv is your own; kept as it is");
  } else if (content && current && asked == hex_of(had, "asked")) {
    step_tells(c, "sample", false, "mixtures.csv is up to date");
  } else if (!step_tells(c, "sample", true, "would draw %lld mixtures%s",
                         (long long)e->config.sample.runs,
                         content ? ", since the settings or the corpus changed" : "")) {
    rmx_table t = {0};
    if (content)
      rmx_note(&c->listener,
               "sample: the settings or the corpus changed; drawing the mixtures again");
    status = draw_mixtures(e, corpus, cap, &t, err);
    if (status == RMX_OK && content) status = ask_first(c, e, corpus, &t, err);
    if (status == RMX_OK) status = write_mixtures(&t, path, record, asked, err);
    rmx_table_release(&t);
    if (status == RMX_OK) tell_excluded(c, e, corpus, cap);
    if (status == RMX_OK)
      rmx_note(&c->listener, "sample: %lld mixtures of %zu domains",
               (long long)e->config.sample.runs, corpus->D_train);
  }
  json_decref(had);
  free(cap);
  return status;
}

rmx_status step_sample(const cli *c, const rmx_experiment *e, rmx_err *err) {
  rmx_corpus *corpus;
  RMX_TRY(open_corpus(e, &corpus, err));
  char *path = rmx_experiment_path(e, "mixtures.csv"),
       *record = rmx_experiment_path(e, "mixtures.json");
  rmx_status status = path && record ? sample_into(c, e, corpus, path, record, err)
                                     : rmx_fail_memory(err, 0, "a path");
  free(path);
  free(record);
  rmx_corpus_free(corpus);
  return status;
}

static void print_mixtures_json(const char *path, const rmx_table *t) {
  cli_print_json(json_pack("{s:o, s:I, s:o}", "path", path ? json_string(path) : json_null(),
                           "runs", (json_int_t)t->N, "mixtures", cli_table_json(t)));
}

static rmx_status print_sample_json(const rmx_experiment *e, rmx_err *err) {
  rmx_table t = {0};
  char *path = rmx_experiment_path(e, "mixtures.csv");
  rmx_status status = path ? rmx_csv_read(path, &t, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) print_mixtures_json(path, &t);
  rmx_table_release(&t);
  free(path);
  return status;
}

// Mixtures from a prior of the user's, without a corpus: for those who train elsewhere.
struct sample_args {
  char *prior, *out;
  bool redo;
};

static rmx_status sample_from_prior(const cli *c, const rmx_experiment *e, const char *prior_path,
                                    const char *out, rmx_err *err) {
  rmx_yaml yaml;
  RMX_TRY(rmx_yaml_read(prior_path, &yaml, err));
  const json_t *map = yaml.root;
  if (json_is_object(json_object_get(map, "train"))) map = json_object_get(map, "train");
  if (json_is_object(json_object_get(map, "mixture"))) map = json_object_get(map, "mixture");
  size_t D = json_object_size(map), N = (size_t)e->config.sample.runs, d = 0;
  const char *name;
  json_t *value;
  rmx_table t = {0};
  double *prior = rmx_calloc(2 * D, sizeof *prior);
  rmx_status status =
      prior ? rmx_table_make(&t, "run", N, D, err) : rmx_fail_memory(err, 0, "the prior");
  if (status == RMX_OK && D == 0)
    status = rmx_fail(err, RMX_EINPUT, "%s: no map `domain: weight` in it", prior_path);
  json_object_foreach((json_t *)map, name, value) {
    if (status != RMX_OK) break;
    if (!json_is_number(value))
      status = rmx_fail(err, RMX_EINPUT, "%s: weight of \"%s\" is no number", prior_path, name);
    else if (!(t.names[d] = rmx_strdup(name)))
      status = rmx_fail_memory(err, 0, "names");
    else
      prior[d++] = json_number_value(value);
  }
  if (status == RMX_OK)
    status = rmx_mixture_check(prior, D, (const char *const *)t.names, 0.01, prior_path, err);
  if (status == RMX_OK) {
    rmx_sample_caps(&e->config.sample, prior, prior, 0.0, D, prior + D);
    status = rmx_sample_mixtures(&e->config.sample, prior, prior + D, (const char *const *)t.names,
                                 D, (uint64_t)e->config.general.seed, t.x, err);
  }
  for (size_t i = 0; status == RMX_OK && i < N; i++)
    if (!(t.ids[i] = rmx_format("%04zu", i + 1))) status = rmx_fail_memory(err, 0, "names");
  if (status == RMX_OK && out) status = rmx_csv_write(out, &t, err);
  if (status == RMX_OK && c->common.json)
    print_mixtures_json(out, &t);
  else if (status == RMX_OK && !out)
    status = rmx_csv_print(stdout, &t, err);
  rmx_table_release(&t);
  free(prior);
  rmx_yaml_release(&yaml);
  return status;
}

static rmx_status run_sample(cli *c, rmx_err *err) {
  struct sample_args *args = c->own;
  rmx_experiment e;
  RMX_TRY(open_experiment(c, NULL, !args->prior, &e, err));
  *c->may_redo = args->redo;
  rmx_status status =
      args->prior ? sample_from_prior(c, &e, args->prior, args->out, err) : step_sample(c, &e, err);
  if (status == RMX_OK && !args->prior && c->common.json) status = print_sample_json(&e, err);
  rmx_experiment_release(&e);
  return status;
}

#define AT(member) offsetof(struct sample_args, member)
static const rmx_option options[] = {
    {"prior", RMX_TEXT, AT(prior), NULL, 0, 0, "FILE",
     "YAML map `domain: weight` to sample around, without a corpus"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE",
     "with --prior: the CSV to write; default: stdout"},
    REDO_OPTION(struct sample_args),
};
const cli_command cli_sample = {
    .name = "sample",
    .words = "",
    .run = run_sample,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .own_size = sizeof(struct sample_args),
    .summary = "draw the random mixtures the proxies are trained on, into mixtures.csv",
    .about =
        "Draws sample.runs mixtures around the prior (each domain's share of the tokens, "
        "tempered), within caps that follow "
        "from the tokens there are and large.tokens. A mixtures.csv of your own is left alone.",
    .examples =
        "  regmix sample -C exp --set sample.runs=128\n  regmix sample --prior prior.yaml --set "
        "sample.runs=512 --out mixtures.csv\n",
};
