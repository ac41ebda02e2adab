// SPDX-License-Identifier: Apache-2.0
// regmix sample: writes the random mixtures of the proxies to mixtures.csv.
#include <stdlib.h>
#include <string.h>

#include "base/folder_lock.h"
#include "base/json.h"
#include "base/kept.h"
#include "scored.h"
#include "steps.h"

// mixtures.json records what mixtures.csv was made from and what it contained. So a file that the
// user wrote differs from an old one of regmix.
static rmx_status content_of(const char *path, uint64_t *out, rmx_err *err) {
  *out = 0;  // there is no file
  return rmx_exists(path) ? rmx__file_hash(path, 1, out, err) : RMX_OK;
}

// What the mixtures are drawn from. Release it. Flat names are drawn as they were before there was
// a tree, so their stamp is the same. !with_tree: the stamp of mixtures from that time.
static struct rmx__stamp stamp_of(const rmx_experiment *e, const rmx_corpus *corpus,
                                  const double *cap, bool with_tree) {
  struct rmx__stamp s = {.fingerprint = 2};
  json_t *config = rmx_config_json(&e->config), *o = json_object();
  json_t *sample = json_object_get(config, "sample");
  if (!with_tree || !rmx_names_form_a_tree(corpus->names, corpus->D_train))
    json_object_del(sample, "tree");
  // keys that did not exist when older mixtures were drawn
  if (e->config.sample.phases.n == 0) json_object_del(sample, "phases");
  if (e->config.sample.domain_epochs.n == 0) json_object_del(sample, "domain_epochs");
  json_object_set(o, "sample", sample);
  json_object_set_new(o, "seed", json_integer(e->config.general.seed));
  json_object_set_new(o, "prior", rmx_mixture_json(corpus->prior, corpus->names, corpus->D_train));
  json_object_set_new(o, "cap", rmx_mixture_json(cap, corpus->names, corpus->D_train));
  rmx__stamp_add_json(&s, "settings and corpus", o, JSON_COMPACT | JSON_SORT_KEYS);
  json_decref(o);
  json_decref(config);
  return s;
}

// Whether the record says that the file had this content.
static bool had_content(const json_t *record, const char *key, uint64_t content) {
  const char *text = json_string_value(json_object_get(record, key));
  return text && strtoull(text, NULL, 16) == content;
}

// The table of mixtures drawn around a prior, within caps: both (D).
static rmx_status draw(const rmx_experiment *e, const double *prior, const double *cap,
                       const char *const *names, size_t D, rmx_table *t, rmx_err *err) {
  const rmx_sample_options *o = &e->config.sample;
  const uint64_t seed = (uint64_t)e->config.general.seed;
  rmx_phases phases = {.D = D};
  RMX_OWNED double *share = NULL;
  RMX_TRY(rmx_phase_shares(&o->phases, "sample.phases", &share, &phases.n, err));
  phases.share = share;
  const size_t blocks = phases.n ? phases.n : 1;
  RMX_TRY(rmx_table_make(t, "run", (size_t)o->runs, blocks * D, err));
  rmx_status status = phases.n ? rmx_sample_phases(o, &phases, prior, cap, names, seed, t->x, err)
                               : rmx_sample_mixtures(o, prior, cap, names, D, seed, t->x, err);
  for (size_t j = 0; status == RMX_OK && j < t->D; j++) {
    t->names[j] =
        phases.n ? rmx_format("phase_%zu_%s", j / D, names[j % D]) : rmx_strdup(names[j % D]);
    if (!t->names[j]) status = rmx_fail_memory(err, 0, "names");
  }
  for (size_t i = 0; status == RMX_OK && i < t->N; i++)
    if (!(t->ids[i] = rmx_format("%04zu", i + 1))) status = rmx_fail_memory(err, 0, "names");
  if (status != RMX_OK) rmx_table_release(t);
  return status;
}

// The experiment with phases as the columns of the old mixtures.csv have them: which runs these are
// does not depend on the shares.
static rmx_status view_of(const rmx_experiment *e, const rmx_table *old, rmx_experiment *view,
                          rmx_strings *shares, rmx_err *err) {
  RMX_OWNED_BY(rmx_phase_columns_release) rmx_phase_columns c = {0};
  *view = *e;
  RMX_TRY(rmx_phase_columns_find((const char *const *)old->names, old->D, &c, err));
  if (c.n == e->config.sample.phases.n) return RMX_OK;
  for (size_t k = 0; k < c.n; k++) {
    RMX_OWNED char *share = rmx_format("%.17g", 1.0 / (double)c.n);
    if (!share || !rmx_strings_add(shares, share)) return rmx_fail_memory(err, 64, "phases");
  }
  view->config.sample.phases = *shares;
  return RMX_OK;
}

// Rows of metrics.csv that the user wrote and that would be of other mixtures.
static rmx_status count_scored(const rmx_experiment *e, const rmx_table *old, const rmx_table *t,
                               const struct rmx__runs_of *now, size_t *scored, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings added = {0};
  rmx_few changed = {0}, moved = {0};
  rmx_err ignored;
  *scored = 0;
  RMX_TRY(rmx__scored_look(e, RMX__SCORED_SEAL, NULL, err));
  if (rmx__table_look(e, "metrics.csv", now, &changed, &added, &ignored) != RMX_OK) return RMX_OK;
  RMX_TRY(rmx__scored_moved(old, t, &added, &moved, err));
  *scored = moved.n;
  return RMX_OK;
}

// Finished runs that would no longer be used, and rows of the user's.
static rmx_status ask_first(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_table *t,
                            rmx_err *err) {
  RMX_OWNED_BY(rmx_table_release) rmx_table old = {0};
  RMX_OWNED_BY(rmx_strings_release) rmx_strings shares = {0};
  struct rmx__runs_of now = {0};
  rmx_run *next = NULL;
  rmx_experiment view;
  size_t n_next = 0, scored = 0;
  rmx_err ignored;
  if (rmx_csv_read(t->path, &old, &ignored) != RMX_OK) return RMX_OK;
  // of other domains: they are already out of use
  if (view_of(&p->experiment, &old, &view, &shares, &ignored) != RMX_OK ||
      rmx__all_runs(&view, corpus, &now.runs, &now.n, &ignored) != RMX_OK)
    now.runs = NULL, now.n = 0;
  rmx_status status = rmx__runs_of_table(&p->experiment, corpus, t, &next, &n_next, err);
  if (status == RMX_OK) status = count_scored(&p->experiment, &old, t, &now, &scored, err);
  if (status == RMX_OK)
    status = rmx__agree_to_replace(p, now.runs, now.n, next, n_next, scored, err);
  rmx_runs_release(now.runs, now.n);
  if (next) rmx_runs_release(next, n_next);
  return status;
}

// Runs may have been trained elsewhere on the former mixtures.
static rmx_status keep_mixtures(rmx_pipeline *p, const char *path, rmx_err *err) {
  RMX_OWNED char *to = NULL;
  RMX_TRY(rmx__set_file_aside(&p->experiment, "mixtures.csv", path, &to, err));
  rmx_note(&p->listener, "sample: the former mixtures.csv is kept as %s", to);
  return RMX_OK;
}

// A mixtures.json without the hash of a mixtures.csv is none of ours.
static rmx_status keep_other_record(const char *path, rmx_err *err) {
  json_auto_t *had = NULL;
  rmx_err ignored;
  if (!rmx_exists(path)) return RMX_OK;
  const bool ours =
      rmx__json_read(path, &had, &ignored) == RMX_OK && json_object_get(had, "content");
  return ours ? RMX_OK : rmx__keep(path, err);
}

// The record is written before the file and contains the hash of both the old and the new file.
// After a kill in between, the file is still not taken for the user's own. One process at a time
// writes the two.
static rmx_status write_mixtures(const rmx_table *t, const char *path, const char *record,
                                 const struct rmx__stamp *stamp, rmx_err *err) {
  RMX_OWNED char *text = NULL;
  size_t size = 0;
  uint64_t before = 0;
  RMX_OWNED_BY(rmx_folder_unlock) rmx_lock lock = {.fd = -1};
  FILE *f = open_memstream(&text, &size);
  rmx_status status = f ? rmx_csv_print(f, t, err) : rmx_fail_memory(err, 0, "a table");
  if (f && fclose(f) != 0 && status == RMX_OK) status = rmx_fail_memory(err, size, "a table");
  RMX_TRY(status);
  RMX_TRY(rmx__lock_beside(path, &lock, err));
  RMX_TRY(content_of(path, &before, err));
  json_auto_t *o = json_object();
  rmx__stamp_put(stamp, o);
  json_object_set_new(o, "content", rmx__hex_json(rmx_hash(text, size, 1)));
  json_object_set_new(o, "before", rmx__hex_json(before));
  RMX_TRY(keep_other_record(record, err));
  RMX_TRY(rmx__json_write(record, o, err));
  return rmx_write_file(path, text, size, err);
}

static void tell_excluded(rmx_pipeline *p, const rmx_corpus *corpus, const double *cap) {
  RMX_OWNED bool *excluded = rmx_calloc(corpus->D_train, sizeof *excluded);
  if (excluded)
    rmx_sample_excluded(&p->experiment.config.sample, corpus->prior, cap, corpus->D_train,
                        excluded);
  for (size_t d = 0; excluded && d < corpus->D_train; d++)
    if (excluded[d])
      rmx_warn(&p->listener,
               "domain \"%s\" has too few tokens to be in any mixture (its cap %.2g is below the "
               "grid %.2g), so its effect can't be measured; raise sample.max_epochs, or lower "
               "sample.grid or large.tokens",
               corpus->names[d], cap[d], p->experiment.config.sample.grid);
}

// A mixtures.csv that regmix did not write, or that was changed since. A truncated file is an
// error.
static rmx_status keep_own(rmx_pipeline *p, const char *path, bool drawn, rmx_err *err) {
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  rmx_err why;
  if (rmx_csv_read(path, &t, &why) != RMX_OK)
    return rmx_fail(err, why.status, "%s. Delete the file to draw the mixtures again", why.message);
  if (drawn)
    rmx__would(
        p, "sample", false,
        "mixtures.csv was changed since it was drawn, so it is kept as it is, with %zu run%s", t.N,
        rmx_s(t.N));
  else
    rmx__would(p, "sample", false, "mixtures.csv is your own, so it is kept as it is");
  return RMX_OK;
}

static rmx_status sample_into(rmx_pipeline *p, const rmx_corpus *corpus, const char *path,
                              const char *record, rmx_err *err) {
  rmx_err ignored;
  json_t *had = NULL;
  uint64_t content;
  RMX_TRY(content_of(path, &content, err));
  double *cap = rmx_calloc(corpus->D_train, sizeof *cap);
  if (!cap) return rmx_fail_memory(err, 0, "caps");
  if (rmx_weight_caps(&p->experiment, corpus, cap, err) != RMX_OK) {
    free(cap);
    return rmx__refused_setting(p, err);
  }
  struct rmx__stamp stamp = stamp_of(&p->experiment, corpus, cap, true),
                    before = stamp_of(&p->experiment, corpus, cap, false);
  if (rmx_exists(record)) rmx__json_read(record, &had, &ignored);
  const bool current = had_content(had, "content", content),
             ours = current || had_content(had, "before", content);
  rmx_status status = RMX_OK;
  if (content && !ours) {
    status = keep_own(p, path, had != NULL, err);
  } else if (content && current &&
             (rmx__stamp_same(&stamp, had, "asked", NULL) ||
              rmx__stamp_same(&before, had, "asked", NULL))) {
    rmx__would(p, "sample", false, "mixtures.csv is up to date");
  } else if (!rmx__would(p, "sample", true, "would draw %lld mixture%s%s",
                         (long long)p->experiment.config.sample.runs,
                         rmx_s((double)p->experiment.config.sample.runs),
                         content ? " because the settings or the corpus changed" : "")) {
    rmx_table t = {0};
    if (content)
      rmx_note(&p->listener,
               "sample: the settings or the corpus changed, so the mixtures are drawn again");
    status = rmx__are_not_phases(corpus->names, corpus->D_train, err);
    if (status == RMX_OK)
      status = draw(&p->experiment, corpus->prior, cap, corpus->names, corpus->D_train, &t, err);
    if (status != RMX_OK) status = rmx__refused_setting(p, err);
    if (status == RMX_OK && !(t.path = rmx_strdup(path)))
      status = rmx_fail_memory(err, 0, "a path");
    if (status == RMX_OK && content) status = ask_first(p, corpus, &t, err);
    if (status == RMX_OK && content) status = keep_mixtures(p, path, err);
    if (status == RMX_OK) status = write_mixtures(&t, path, record, &stamp, err);
    rmx_table_release(&t);
    if (status == RMX_OK) tell_excluded(p, corpus, cap);
    if (status == RMX_OK)
      rmx_note(&p->listener, "sample: %lld mixture%s of %zu domain%s",
               (long long)p->experiment.config.sample.runs,
               rmx_s((double)p->experiment.config.sample.runs), corpus->D_train,
               rmx_s(corpus->D_train));
  }
  rmx__stamp_release(&stamp);
  rmx__stamp_release(&before);
  json_decref(had);
  free(cap);
  return status;
}

bool rmx__mixtures_are_stale(const rmx_experiment *e, const rmx_corpus *corpus) {
  RMX_OWNED char *path = rmx_experiment_path(e, "mixtures.csv"),
                 *record = rmx_experiment_path(e, "mixtures.json");
  RMX_OWNED double *cap = rmx_calloc(corpus->D_train, sizeof *cap);
  json_auto_t *had = NULL;
  rmx_err ignored;
  if (!path || !record || !cap || !rmx_exists(path) || !rmx_exists(record) ||
      rmx__json_read(record, &had, &ignored) != RMX_OK ||
      rmx_weight_caps(e, corpus, cap, &ignored) != RMX_OK)
    return false;
  uint64_t content = 0;
  if (content_of(path, &content, &ignored) != RMX_OK) return false;
  if (!had_content(had, "content", content)) return had_content(had, "before", content);
  struct rmx__stamp stamp = stamp_of(e, corpus, cap, true),
                    before = stamp_of(e, corpus, cap, false);
  const bool same =
      rmx__stamp_same(&stamp, had, "asked", NULL) || rmx__stamp_same(&before, had, "asked", NULL);
  rmx__stamp_release(&stamp);
  rmx__stamp_release(&before);
  return !same;
}

rmx_status rmx__step_sample(rmx_pipeline *p, rmx_err *err) {
  rmx_corpus *corpus;
  RMX_TRY(rmx_experiment_corpus(&p->experiment, &corpus, err));
  char *path = rmx_experiment_path(&p->experiment, "mixtures.csv"),
       *record = rmx_experiment_path(&p->experiment, "mixtures.json");
  rmx_status status = path && record ? sample_into(p, corpus, path, record, err)
                                     : rmx_fail_memory(err, 0, "a path");
  free(path);
  free(record);
  rmx_corpus_free(corpus);
  return status;
}

rmx_status rmx_sample_around(const rmx_pipeline *p, const char *prior_path, rmx_table *out,
                             rmx_err *err) {
  const rmx_experiment *e = &p->experiment;
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  *out = (rmx_table){0};
  RMX_TRY(rmx_mixture_names(prior_path, &names, err));
  const size_t D = names.n;
  const char *const *domains = (const char *const *)names.items;
  RMX_OWNED double *prior = rmx_calloc(D, sizeof *prior), *cap = rmx_calloc(D, sizeof *cap);
  RMX_TRY(prior && cap ? rmx_mixture_read(prior_path, domains, D, prior, err)
                       : rmx_fail_memory(err, 2 * D * sizeof *prior, "the prior"));
  rmx_sample_caps(&e->config.sample, prior, prior, 0.0, D, cap);
  const rmx_status status = draw(e, prior, cap, domains, D, out, err);
  return status == RMX_OK ? status : rmx__refused_setting(p, err);
}
