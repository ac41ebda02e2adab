// SPDX-License-Identifier: Apache-2.0
// What `check` finds in the text: its files, its domains, its tokenizer.
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "corpus/prepare/prepare.h"
#include "corpus/tokenizer/of_corpus.h"

// A domain with fewer bytes than a sequence has tokens can't fill a sequence, since a token has at
// least one byte.
static void check_size(struct rmx__check *k, const rmx_domain_source *d,
                       const rmx_source_look *look) {
  const rmx_training *t = &k->p->experiment.config.proxy;
  const int64_t max = k->p->experiment.config.corpus.max_bytes;
  if (!d->valid_only && !look->packed && look->bytes < (uint64_t)t->context + 1)
    rmx__problem(k,
                 "domain \"%s\": its text has %llu byte%s, too few for one sequence of %lld tokens "
                 "(proxy.context)",
                 d->name, (unsigned long long)look->bytes, rmx_s((double)look->bytes),
                 (long long)t->context);
  const size_t files = look->files + look->valid_files;
  if (look->without_text.n == files)
    rmx__problem(k, "domain \"%s\": no text in its %zu file%s", d->name, files,
                 rmx_s((double)files));
  else if (look->without_text.n)
    rmx_warn(&k->p->listener, "%s: no text in %zu of its files (%s)", d->name, look->without_text.n,
             look->without_text.text);
  if (look->one_document && max && (int64_t)look->bytes > max)
    rmx__problem(
        k,
        "domain \"%s\": corpus.max_bytes is %lld, so only 1 document is read, but it needs one "
        "for training and one for validation: raise corpus.max_bytes",
        d->name, (long long)max);
  else if (look->one_document)
    rmx__problem(
        k,
        "domain \"%s\" has 1 document%s, but needs one for training and one for validation: "
        "give valid_files, or a separator that cuts it into several",
        d->name, look->copies ? ", the others being copies of it" : "");
  rmx__warn_unread(d->name, &look->unread, &k->p->listener);
  if (look->not_utf8.n)
    rmx_warn(&k->p->listener,
             "%s: some bytes are not UTF-8 in %zu of its files (%s), and prepare replaces them; if "
             "the text is in another character set, convert it, for example with `iconv -f "
             "WINDOWS-1252 -t UTF-8 FILE > NEW`",
             d->name, look->not_utf8.n, look->not_utf8.text);
  k->text_bytes += (double)look->bytes * (look->packed ? 4 : 1);
}

static bool is_target(const struct rmx__check *k, size_t i) {
  for (size_t t = 0; t < k->sources.n_targets; t++)
    if (k->sources.targets[t] == i) return true;
  return false;
}

static json_t *format_of(const struct rmx__check *k, const rmx_domain_source *d,
                         const char *format) {
  char by[160];
  rmx_corpus_divided_by(&k->p->experiment.config.corpus, by);
  if (d->values.n) return json_sprintf("selected by %s", by);
  return d->divided ? json_sprintf("%s, divided by %s", format, by) : json_string(format);
}

static void check_domain(struct rmx__check *k, size_t i) {
  const rmx_domain_source *d = &k->sources.domains[i];
  rmx_source_look look;
  rmx_err err;
  rmx_status status = rmx_corpus_look(&k->p->experiment.config.corpus, d, k->p->experiment.folder,
                                      true, &look, &err);
  rmx__hold(k, NULL, status, &err);
  json_t *o = json_object();
  json_object_set_new(o, "name", json_string(d->name));
  json_object_set_new(o, "files", json_integer((json_int_t)look.files));
  json_object_set_new(o, "valid_files", json_integer((json_int_t)look.valid_files));
  json_object_set_new(o, "bytes", json_integer((json_int_t)look.bytes));
  json_object_set_new(o, "format", format_of(k, d, look.format));
  json_object_set_new(o, "valid_only", json_boolean(d->valid_only));
  json_object_set_new(o, "target", json_boolean(is_target(k, i)));
  json_object_set_new(o, "ok", json_boolean(status == RMX_OK));
  if (d->divided) json_object_set_new(o, "divided", json_true());
  json_array_append_new(k->domains, o);
  if (status == RMX_OK && d->values.n == 0) check_size(k, d, &look);
}

// ---- the domains of divided sources

json_t *rmx__values_json(const rmx_values_look *v) {
  json_t *list = json_array();
  for (size_t i = 0; i < v->names.n; i++)
    json_array_append_new(list, json_pack("{s:s, s:I}", "name", v->names.items[i], "documents",
                                          (json_int_t)v->documents[i]));
  return list;
}

// Values and hosts that the config names and no document has.
static void warn_unused(const struct rmx__check *k) {
  const rmx_values_look *v = &k->values;
  char first[64] = "no document";
  if (!v->all)
    snprintf(first, sizeof first, "none of the first %llu documents", (unsigned long long)v->n);
  rmx__warn_unused(&v->unused, first, &k->p->listener);
}

static void note_values(const struct rmx__check *k) {
  const rmx_values_look *v = &k->values;
  enum { SHOWN = 40 };
  RMX_OWNED_BY(rmx_buf_release) rmx_buf text = {0};
  for (size_t i = 0; i < v->names.n && i < SHOWN; i++)
    rmx_buf_printf(&text, "%s%s (%llu)", i ? ", " : "", v->names.items[i],
                   (unsigned long long)v->documents[i]);
  if (!text.failed && v->names.n)
    rmx_note(&k->p->listener, "domains of %s %llu document%s: %s%s", v->all ? "all" : "the first",
             (unsigned long long)v->n, rmx_s((double)v->n), text.data,
             v->names.n > SHOWN ? ", ..." : "");
  if (v->without)
    rmx_warn(&k->p->listener, "%llu of these documents %s no domain: %s",
             (unsigned long long)v->without, rmx_has((double)v->without), v->why.text);
  warn_unused(k);
}

// Whether each wanted domain was seen.
static void check_wanted(struct rmx__check *k) {
  for (size_t i = 0; i < k->sources.n_named; i++) {
    const rmx_domain_source *d = &k->sources.domains[i];
    bool seen = d->values.n == 0;
    for (size_t j = 0; j < k->values.names.n; j++)
      seen = seen || strcmp(k->values.names.items[j], d->name) == 0;
    if (!seen && k->values.all)
      rmx__problem(k, "corpus.domains.%s: no document belongs to it", d->name);
    else if (!seen)
      rmx_warn(&k->p->listener, "corpus.domains.%s: none of the first %llu documents belongs to it",
               d->name, (unsigned long long)k->values.n);
  }
}

// A name that should be that of a domain: a warning if it may be seen later.
static void check_seen(struct rmx__check *k, const char *what, const char *where,
                       const char *name) {
  const rmx_values_look *v = &k->values;
  size_t ignored;
  rmx_err err;
  for (size_t i = 0; i < k->sources.n_named; i++)
    if (strcmp(k->sources.domains[i].name, name) == 0) return;
  if (rmx_find_name(what, name, (const char *const *)v->names.items, v->names.n, &ignored, &err) ==
      RMX_OK)
    return;
  if (v->all)
    rmx__problem(k, "%s%s", where, err.message);
  else
    rmx_warn(&k->p->listener, "%s%s (in the first %llu documents)", where, err.message,
             (unsigned long long)v->n);
}

// The names of domains that only the documents give.
static void check_open(struct rmx__check *k) {
  const rmx_config *c = &k->p->experiment.config;
  const rmx_values_look *v = &k->values;
  k->uncertain = !v->all;
  for (size_t i = 0; i < k->sources.n_unknown; i++)
    check_seen(k, "target", "", k->sources.unknown[i]);
  for (size_t i = 0; i < c->corpus.protect.n; i++)
    check_seen(k, "domain", "corpus.protect: ", c->corpus.protect.items[i]);
  for (size_t i = 0; i < k->sources.n_named; i++)
    for (size_t j = 0; j < v->names.n; j++)
      if (strcmp(v->names.items[j], k->sources.domains[i].name) == 0)
        rmx__problem(k, "corpus.domains.%s: a domain with files of its own has the name of a value",
                     v->names.items[j]);
}

static void check_values(struct rmx__check *k) {
  const rmx_config *c = &k->p->experiment.config;
  rmx_err err;
  if (k->sources.n == k->sources.n_named) return;
  rmx_status status = rmx_corpus_values(&c->corpus, k->sources.domains, k->sources.n,
                                        k->p->experiment.folder, &k->values, &err);
  rmx__hold(k, NULL, status, &err);
  if (status != RMX_OK) return;
  note_values(k);
  check_wanted(k);
  if (rmx_sources_are_open(&k->sources)) check_open(k);
}

// Of a single domain: fields that could divide it.
static void suggest_fields(struct rmx__check *k) {
  RMX_OWNED_BY(rmx_values_look_release) rmx_values_look look = {0};
  rmx_err ignored;
  if (rmx_corpus_is_divided(&k->p->experiment.config.corpus) ||
      rmx_corpus_values(&k->p->experiment.config.corpus, k->sources.domains, k->sources.n,
                        k->p->experiment.folder, &look, &ignored) != RMX_OK)
    return;
  if (*look.fields)
    rmx__problem(k, "corpus.domain_field could divide the documents by one of these fields: %s",
                 look.fields);
}

static void check_domains(struct rmx__check *k) {
  const rmx_config *c = &k->p->experiment.config;
  rmx_err err;
  rmx__hold(k, NULL, rmx_sources_find(k->p, &k->sources, &err), &err);
  if (k->sources.n) rmx_sources_tell(k->p, &k->sources);
  if (c->n_target == 0)
    rmx__problem(k, "no target is set; add one to the config, for example `target: %s`",
                 k->sources.n_named ? k->sources.domains[0].name : "wikipedia");
  rmx__hold(k, NULL, rmx__check_tasks(&k->p->experiment, &err), &err);
  check_values(k);
  k->names = rmx_calloc(k->sources.n + k->values.names.n, sizeof *k->names);
  for (size_t i = 0; i < k->sources.n && k->names; i++) {
    check_domain(k, i);
    if (!k->sources.domains[i].valid_only && i < k->sources.n_named)
      k->names[k->n_train++] = k->sources.domains[i].name;
  }
  for (size_t i = 0; i < k->values.names.n && k->names && rmx_sources_are_open(&k->sources); i++)
    k->names[k->n_train++] = k->values.names.items[i];
  if (k->names && rmx_sources_are_open(&k->sources))
    rmx__hold(k, NULL, rmx__are_not_phases(k->names, k->n_train, &err), &err);
  if (k->sources.n && k->n_train == 0)
    rmx__problem(k, "no domain to train on: all domains are valid_only");
  if (k->n_train == 1)
    rmx__problem(k, "only one domain to train on (\"%s\"): a mixture needs at least two",
                 k->names[0]);
  if (k->n_train == 1) suggest_fields(k);
}

// The tokenizer of the corpus that is there.
static void check_own_tokenizer(struct rmx__check *k) {
  RMX_OWNED char *path = NULL;
  rmx_err err;
  if (rmx__experiment_has(&k->p->experiment, "corpus/corpus.json"))
    rmx__hold(k, NULL, rmx__corpus_tokenizer(k->p->experiment.folder, &path, &err), &err);
}

// A corpus of other text or settings will be replaced, if it is the experiment's own.
static void check_corpus(struct rmx__check *k) {
  const rmx_corpus_request r = rmx__corpus_request(k->p, &k->sources);
  rmx_err err;
  if (rmx_corpus_is_current(&r, k->p->experiment.folder, &k->current, &err) != RMX_OK)
    k->current = false;
  else if (!k->current)
    rmx__hold(k, NULL, rmx__corpus_is_own(&k->p->experiment, &err), &err);
}

static void check_tokenizer(struct rmx__check *k) {
  const rmx_corpus_options *o = &k->p->experiment.config.corpus;
  rmx_err err;
  rmx_tokenizer *t = NULL;
  rmx__hold(k, NULL, rmx__end_of_text_check(o, &err), &err);
  if (!o->tokenizer) return;
  char *path = rmx_experiment_path(&k->p->experiment, o->tokenizer);
  if (path) rmx__hold(k, "corpus.tokenizer", rmx_tokenizer_read(path, &t, &err), &err);
  if (t)
    rmx__hold(k, "corpus.tokenizer", rmx_tokenizer_set_end_of_text(t, o->end_of_text, &err), &err);
  if (t) rmx_tokenizer_free(t);
  free(path);
}

void rmx__check_text(struct rmx__check *k) {
  check_domains(k);
  check_corpus(k);
  check_tokenizer(k);
  check_own_tokenizer(k);
}
