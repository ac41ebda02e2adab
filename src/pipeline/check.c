// SPDX-License-Identifier: Apache-2.0
// Tests whether a config can be run, without running it. A check that finds a problem does not stop
// the others, so one call reports all problems.
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/json.h"
#include "corpus/prepare/prepare.h"
#include "corpus/tokenizer/of_corpus.h"
#include "optimize/problem.h"
#include "regress/directions.h"
#include "steps.h"
#include "swarm/pytorch.h"

struct check {
  rmx_pipeline *p;
  rmx_sources sources;
  rmx_values_look values;  // of divided sources
  const char **names;      // (n_train) of the domains trained on
  size_t n_train;
  bool current;    // the corpus is of this config
  bool uncertain;  // there may be domains that were not seen in the first documents
  json_t *problems, *domains;
  double text_bytes;  // of all files, uncompressed
};

static void problem(struct check *k, const char *fmt, ...) RMX_PRINTF(2, 3);
static void problem(struct check *k, const char *fmt, ...) {
  char text[1200];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  rmx_make_printable(text, "\n\t");
  json_array_append_new(k->problems, json_string(text));
}

// The problems of a config.
static void hold(struct check *k, const char *where, rmx_status status, const rmx_err *err) {
  if (status == RMX_OK) return;
  if (where)
    problem(k, "%s: %s", where, err->message);
  else
    problem(k, "%s", err->message);
}

// ---- the text

// A domain with fewer bytes than a sequence has tokens can't fill a sequence, since a token has at
// least one byte.
static void check_size(struct check *k, const rmx_domain_source *d, const rmx_source_look *look) {
  const rmx_training *t = &k->p->experiment.config.proxy;
  const int64_t max = k->p->experiment.config.corpus.max_bytes;
  if (!d->valid_only && !look->packed && look->bytes < (uint64_t)t->context + 1)
    problem(k,
            "domain \"%s\": its text has %llu byte%s, too few for one sequence of %lld tokens "
            "(proxy.context)",
            d->name, (unsigned long long)look->bytes, rmx_s((double)look->bytes),
            (long long)t->context);
  const size_t files = look->files + look->valid_files;
  if (look->without_text.n == files)
    problem(k, "domain \"%s\": no text in its %zu file%s", d->name, files, rmx_s((double)files));
  else if (look->without_text.n)
    rmx_warn(&k->p->listener, "%s: no text in %zu of its files (%s)", d->name, look->without_text.n,
             look->without_text.text);
  if (look->one_document && max && (int64_t)look->bytes > max)
    problem(k,
            "domain \"%s\": corpus.max_bytes is %lld, so only 1 document is read, but it needs one "
            "for training and one for validation: raise corpus.max_bytes",
            d->name, (long long)max);
  else if (look->one_document)
    problem(k,
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

static bool is_target(const struct check *k, size_t i) {
  for (size_t t = 0; t < k->sources.n_targets; t++)
    if (k->sources.targets[t] == i) return true;
  return false;
}

static json_t *format_of(const struct check *k, const rmx_domain_source *d, const char *format) {
  char by[160];
  rmx_corpus_divided_by(&k->p->experiment.config.corpus, by);
  if (d->values.n) return json_sprintf("selected by %s", by);
  return d->divided ? json_sprintf("%s, divided by %s", format, by) : json_string(format);
}

static void check_domain(struct check *k, size_t i) {
  const rmx_domain_source *d = &k->sources.domains[i];
  rmx_source_look look;
  rmx_err err;
  rmx_status status = rmx_corpus_look(&k->p->experiment.config.corpus, d, k->p->experiment.folder,
                                      true, &look, &err);
  hold(k, NULL, status, &err);
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

static json_t *values_tree(const rmx_values_look *v) {
  json_t *list = json_array();
  for (size_t i = 0; i < v->names.n; i++)
    json_array_append_new(list, json_pack("{s:s, s:I}", "name", v->names.items[i], "documents",
                                          (json_int_t)v->documents[i]));
  return list;
}

// Values and hosts that the config names and no document has.
static void warn_unused(const struct check *k) {
  const rmx_values_look *v = &k->values;
  char first[64] = "no document";
  if (!v->all)
    snprintf(first, sizeof first, "none of the first %llu documents", (unsigned long long)v->n);
  rmx__warn_unused(&v->unused, first, &k->p->listener);
}

static void note_values(const struct check *k) {
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
static void check_wanted(struct check *k) {
  for (size_t i = 0; i < k->sources.n_named; i++) {
    const rmx_domain_source *d = &k->sources.domains[i];
    bool seen = d->values.n == 0;
    for (size_t j = 0; j < k->values.names.n; j++)
      seen = seen || strcmp(k->values.names.items[j], d->name) == 0;
    if (!seen && k->values.all)
      problem(k, "corpus.domains.%s: no document belongs to it", d->name);
    else if (!seen)
      rmx_warn(&k->p->listener, "corpus.domains.%s: none of the first %llu documents belongs to it",
               d->name, (unsigned long long)k->values.n);
  }
}

// A name that should be that of a domain: a warning if it may be seen later.
static void check_seen(struct check *k, const char *what, const char *where, const char *name) {
  const rmx_values_look *v = &k->values;
  size_t ignored;
  rmx_err err;
  for (size_t i = 0; i < k->sources.n_named; i++)
    if (strcmp(k->sources.domains[i].name, name) == 0) return;
  if (rmx_find_name(what, name, (const char *const *)v->names.items, v->names.n, &ignored, &err) ==
      RMX_OK)
    return;
  if (v->all)
    problem(k, "%s%s", where, err.message);
  else
    rmx_warn(&k->p->listener, "%s%s (in the first %llu documents)", where, err.message,
             (unsigned long long)v->n);
}

// The names of domains that only the documents give.
static void check_open(struct check *k) {
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
        problem(k, "corpus.domains.%s: a domain with files of its own has the name of a value",
                v->names.items[j]);
}

static void check_values(struct check *k) {
  const rmx_config *c = &k->p->experiment.config;
  rmx_err err;
  if (k->sources.n == k->sources.n_named) return;
  rmx_status status = rmx_corpus_values(&c->corpus, k->sources.domains, k->sources.n,
                                        k->p->experiment.folder, &k->values, &err);
  hold(k, NULL, status, &err);
  if (status != RMX_OK) return;
  note_values(k);
  check_wanted(k);
  if (rmx_sources_are_open(&k->sources)) check_open(k);
}

// Of a single domain: fields that could divide it.
static void suggest_fields(struct check *k) {
  RMX_OWNED_BY(rmx_values_look_release) rmx_values_look look = {0};
  rmx_err ignored;
  if (rmx_corpus_is_divided(&k->p->experiment.config.corpus) ||
      rmx_corpus_values(&k->p->experiment.config.corpus, k->sources.domains, k->sources.n,
                        k->p->experiment.folder, &look, &ignored) != RMX_OK)
    return;
  if (*look.fields)
    problem(k, "corpus.domain_field could divide the documents by one of these fields: %s",
            look.fields);
}

static void check_text(struct check *k) {
  const rmx_config *c = &k->p->experiment.config;
  rmx_err err;
  hold(k, NULL, rmx_sources_find(k->p, &k->sources, &err), &err);
  if (k->sources.n) rmx_sources_tell(k->p, &k->sources);
  if (c->n_target == 0)
    problem(k, "no target is set; add one to the config, for example `target: %s`",
            k->sources.n_named ? k->sources.domains[0].name : "wikipedia");
  hold(k, NULL, rmx__check_tasks(&k->p->experiment, &err), &err);
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
    hold(k, NULL, rmx__are_not_phases(k->names, k->n_train, &err), &err);
  if (k->sources.n && k->n_train == 0)
    problem(k, "no domain to train on: all domains are valid_only");
  if (k->n_train == 1)
    problem(k, "only one domain to train on (\"%s\"): a mixture needs at least two", k->names[0]);
  if (k->n_train == 1) suggest_fields(k);
}

// A corpus of other text or settings will be replaced.
// The tokenizer of the corpus that is there.
static void check_own_tokenizer(struct check *k) {
  RMX_OWNED char *path = NULL;
  rmx_err err;
  if (rmx__experiment_has(&k->p->experiment, "corpus/corpus.json"))
    hold(k, NULL, rmx__corpus_tokenizer(k->p->experiment.folder, &path, &err), &err);
}

static void check_corpus(struct check *k) {
  const rmx_corpus_request r = rmx__corpus_request(k->p, &k->sources);
  rmx_err err;
  if (rmx_corpus_is_current(&r, k->p->experiment.folder, &k->current, &err) != RMX_OK)
    k->current = false;
  else if (!k->current)
    hold(k, NULL, rmx__corpus_is_own(&k->p->experiment, &err), &err);
}

static void check_tokenizer(struct check *k) {
  const rmx_corpus_options *o = &k->p->experiment.config.corpus;
  rmx_err err;
  rmx_tokenizer *t = NULL;
  hold(k, NULL, rmx__end_of_text_check(o, &err), &err);
  if (!o->tokenizer) return;
  char *path = rmx_experiment_path(&k->p->experiment, o->tokenizer);
  if (path) hold(k, "corpus.tokenizer", rmx_tokenizer_read(path, &t, &err), &err);
  if (t) hold(k, "corpus.tokenizer", rmx_tokenizer_set_end_of_text(t, o->end_of_text, &err), &err);
  if (t) rmx_tokenizer_free(t);
  free(path);
}

// ---- bounds of the mixtures, and the mixtures that they are compared with

static void check_bounds(struct check *k) {
  const rmx_problem_options *q = &k->p->experiment.config.search.problem;
  RMX_OWNED_BY(rmx_constraints_release) rmx_constraints c = {0};
  rmx_err err;
  if (k->uncertain || k->n_train == 0 || rmx_constraints_make(k->n_train, &c, &err) != RMX_OK)
    return;
  const struct {
    const char *key;
    const rmx_strings *texts;
    rmx_bound kind;
  } bounds[] = {{"optimize.floor", &q->floor, RMX_FLOOR},
                {"optimize.cap", &q->cap, RMX_CAP},
                {"optimize.fix", &q->fix, RMX_FIX}};
  for (size_t b = 0; b < 3; b++)
    for (size_t i = 0; i < bounds[b].texts->n; i++)
      hold(k, bounds[b].key,
           rmx_constraints_bound(&c, bounds[b].kind, bounds[b].texts->items[i], k->names, &err),
           &err);
  for (size_t i = 0; i < q->share.n; i++)
    hold(k, "optimize.share", rmx_constraints_share(&c, q->share.items[i], k->names, &err), &err);
  for (size_t i = 0; i < q->ordered.n; i++)
    hold(k, "optimize.ordered", rmx_constraints_order(&c, q->ordered.items[i], k->names, &err),
         &err);
  hold(k, "optimize", rmx_constraints_check(&c, k->names, &err), &err);
}

// ---- the question

// The losses of the domains, which are all metrics that there will be; n = 0: that is not known.
static rmx_status losses_of(const struct check *k, rmx_strings *out, rmx_err *err) {
  const rmx_config *c = &k->p->experiment.config;
  if (c->proxy.command || c->eval.tasks.n || k->uncertain || rmx_sources_are_open(&k->sources))
    return RMX_OK;
  for (size_t i = 0; i < k->sources.n_named; i++) {
    RMX_OWNED char *name = rmx_format("%s_val_loss", k->sources.domains[i].name);
    if (!name || !rmx_strings_add(out, name)) return rmx_fail_memory(err, 0, "names of metrics");
  }
  return RMX_OK;
}

// METRIC or METRIC=SLACK, a metric or a group.
static rmx_status check_limit(const rmx_strings *losses, const rmx_strings *groups,
                              const char *text, rmx_err *err) {
  const char *const *names = (const char *const *)losses->items, *equals = strrchr(text, '=');
  RMX_OWNED char *name = rmx_format("%.*s", equals ? (int)(equals - text) : -1, text);
  RMX_OWNED size_t *members = rmx_calloc(losses->n, sizeof *members);
  size_t n;
  if (!name || !members) return rmx_fail_memory(err, 0, "a limit");
  RMX_TRY(rmx__find_group(names, losses->n, groups, name, members, &n, err));
  return n ? RMX_OK : rmx_find_name("metric", name, names, losses->n, members, err);
}

static void check_groups(struct check *k, const rmx_strings *groups) {
  for (size_t i = 0; i < groups->n; i++)
    for (size_t j = 0; j < i; j++) {
      const size_t n = strcspn(groups->items[i], "=");
      if (n == strcspn(groups->items[j], "=") &&
          strncmp(groups->items[i], groups->items[j], n) == 0)
        problem(k, "optimize.metric_group: two groups have the name \"%.*s\"", (int)n,
                groups->items[i]);
    }
}

static void check_question(struct check *k) {
  const rmx_search_options *s = &k->p->experiment.config.search;
  const rmx_problem_options *q = &s->problem;
  RMX_OWNED_BY(rmx_strings_release) rmx_strings losses = {0};
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  rmx_err err;
  if (s->how.replicates > 0 && s->how.replicates < RMX__FEWEST_REPLICATES)
    problem(k,
            "optimize.replicates: %lld are too few for intervals; wanted %d or more, or 0 for no "
            "intervals",
            (long long)s->how.replicates, RMX__FEWEST_REPLICATES);
  if (q->than && !q->worst && q->no_worse.n == 0)
    problem(k, "optimize.than needs optimize.no_worse or optimize.worst");
  if (q->reference && !(q->max_kl > 0) && !(q->kl_penalty > 0))
    problem(k, "optimize.reference needs optimize.max_kl or optimize.kl_penalty");
  check_groups(k, &q->metric_group);
  hold(k, NULL, losses_of(k, &losses, &err), &err);
  for (size_t i = 0; losses.n && i < q->no_worse.n; i++)
    hold(k, "optimize.no_worse", check_limit(&losses, &q->metric_group, q->no_worse.items[i], &err),
         &err);
  if (losses.n == 0) return;
  rmx_status status = rmx_table_make(&t, "run", 0, losses.n, &err);
  for (size_t i = 0; i < losses.n && status == RMX_OK; i++)
    if (!(t.names[i] = rmx_strdup(losses.items[i]))) status = rmx_fail_memory(&err, 0, "a name");
  if (status == RMX_OK) status = rmx__check_directions(&k->p->experiment.config.regress, &t, &err);
  hold(k, "fit", status, &err);
}

static void check_mixture_file(struct check *k, const char *key, const char *name) {
  RMX_OWNED char *path = rmx_experiment_path(&k->p->experiment, name);
  RMX_OWNED double *w = rmx_calloc(k->n_train, sizeof *w);
  rmx_err err;
  if (path && !rmx_exists(path))
    problem(k, "%s: no file %s", key, path);
  else if (path && w && k->n_train && !k->uncertain)
    hold(k, key, rmx_mixture_read(path, k->names, k->n_train, w, &err), &err);
}

static void check_rivals(struct check *k) {
  static const char *const known[] = {"prior", "uniform", "best_single", "best_run"};
  enum { KNOWN = sizeof known / sizeof *known };
  const rmx_config *c = &k->p->experiment.config;
  rmx_err err;
  for (size_t i = 0; i < c->compare.against.n; i++) {
    const char *name = c->compare.against.items[i];
    bool is_known = false;
    for (size_t j = 0; j < KNOWN; j++) is_known = is_known || strcmp(name, known[j]) == 0;
    if (is_known || k->n_train == 0 || k->uncertain) continue;
    size_t at;
    RMX_OWNED char *path = rmx_experiment_path(&k->p->experiment, name);
    const int nearest = rmx_nearest(name, known, KNOWN);
    if (strncmp(name, "single:", 7) == 0)
      hold(k, "compare.against", rmx_find_name("domain", name + 7, k->names, k->n_train, &at, &err),
           &err);
    else if (path && !rmx_exists(path) && nearest >= 0)
      problem(k, "compare.against: no file \"%s\"; did you mean \"%s\"?", name, known[nearest]);
    else
      check_mixture_file(k, "compare.against", name);
  }
  hold(k, NULL, rmx_methods_check(k->p, false, false, &err), &err);
  if (c->search.problem.than) check_mixture_file(k, "optimize.than", c->search.problem.than);
  if (c->search.problem.reference)
    check_mixture_file(k, "optimize.reference", c->search.problem.reference);
}

// Before the corpus is prepared, the sizes of the files may show that the caps are too small.
static void check_caps_of_files(struct check *k) {
  struct rmx__plan_text text;
  rmx_err ignored;  // it is a problem of the files
  char message[400];
  const rmx_status status = rmx__plan_text(k->p, false, &text, &ignored);
  free(text.valid_tokens);
  json_decref(text.epochs);
  if (status != RMX_OK) return;
  rmx__caps_text(&k->p->experiment, text.most_caps < 1 ? text.most_caps : text.caps, message);
  if (text.most_caps < 1)
    problem(k, "%s", message);
  else if (text.caps < 1)
    rmx_warn(&k->p->listener, "by the sizes of the files, %s", message);
}

static void check_context(struct check *k, const rmx_corpus *corpus, const char *section,
                          const rmx_training *t) {
  for (size_t d = 0; d < corpus->D_train; d++)
    if (corpus->domains[d].train_tokens < (size_t)t->context + 1)
      problem(k, "domain \"%s\": its %zu tokens are fewer than one sequence of %lld (%s.context)",
              corpus->names[d], corpus->domains[d].train_tokens, (long long)t->context, section);
}

// The upper bounds of sampling follow from the corpus. Their sum must be at least 1.
static void check_caps(struct check *k) {
  rmx_corpus *corpus = NULL;
  rmx_err err;
  if (!k->current || rmx_experiment_corpus(&k->p->experiment, &corpus, &err) != RMX_OK) {
    check_caps_of_files(k);
    return;
  }
  double *cap = rmx_calloc(corpus->D_train, sizeof *cap), sum = 0;
  const rmx_status status =
      cap ? rmx_weight_caps(&k->p->experiment, corpus, cap, &err) : RMX_ENOMEM;
  const bool known = status == RMX_OK;
  if (cap) hold(k, NULL, status, &err);
  for (size_t d = 0; known && d < corpus->D_train; d++) sum += cap[d];
  char message[400];
  rmx__caps_text(&k->p->experiment, sum, message);
  if (known && sum < 1) problem(k, "%s", message);
  check_context(k, corpus, "proxy", &k->p->experiment.config.proxy);
  if (rmx__mixtures_are_stale(&k->p->experiment, corpus))
    rmx_warn(&k->p->listener, "%s", RMX__STALE_MIXTURES);
  free(cap);
  rmx_corpus_free(corpus);
}

// ---- trainings

// The first word of a command that is a program, after assignments. NULL: a builtin of the shell,
// or too complex to analyse.
static char *program_of(const char *command) {
  static const char *const own[] = {
      "cd",    "exec",  "set",   "export", "if",     "for",     "while",  "case", "echo", "test",
      "[",     "true",  "false", ".",      "source", "eval",    "printf", "read", "trap", "ulimit",
      "umask", "unset", "until", "exit",   ":",      "command", "time",   "!"};
  for (;;) {
    command += strspn(command, " \t\n");
    const size_t n = strcspn(command, " \t\n;&|<>");
    if (n == 0 || strcspn(command, "'\"`$(){}\\*?") < n) return NULL;
    const char *equals = memchr(command, '=', n);
    if (equals && equals > command) {
      command += n;
      continue;
    }
    char *word = rmx_format("%.*s", (int)n, command);
    for (size_t i = 0; word && i < sizeof own / sizeof *own; i++)
      if (strcmp(word, own[i]) == 0) {
        free(word);
        return NULL;
      }
    return word;
  }
}

static bool on_path(const char *program) {
  const char *path = getenv("PATH");
  for (const char *at = path ? path : "/usr/bin:/bin"; *at;) {
    const size_t n = strcspn(at, ":");
    char *whole = rmx_format("%.*s/%s", (int)n, at, program);
    const bool there = whole && access(whole, X_OK) == 0;
    free(whole);
    if (there) return true;
    at += n + (at[n] == ':');
  }
  return false;
}

static void check_command(struct check *k, const char *key, const char *command) {
  RMX_OWNED char *program = command ? program_of(command) : NULL;
  if (!program) return;
  // A word with a dot or a slash that is a file of the experiment means that file.
  RMX_OWNED char *path = rmx_experiment_path(&k->p->experiment, program);
  const bool there = path && rmx_exists(path),
             here = strchr(program, '/') || (strchr(program, '.') && there);
  if (path && here && access(path, X_OK) != 0)
    problem(k, "%s: %s %s", key, path, there ? "is not executable (chmod +x)" : "does not exist");
  else if (!here && !on_path(program))
    problem(k, "%s: no program \"%s\" on the PATH", key, program);
}

static void check_training(struct check *k, const char *what, const rmx_training *t) {
  rmx_model_config model;
  rmx_err err;
  char key[96];
  snprintf(key, sizeof key, "%s.command", what);
  check_command(k, key, t->command);
  if (rmx_training_is_pytorch(t)) hold(k, what, rmx__pytorch_check(&err), &err);
  if (t->command) return;  // only the command knows its model
  hold(k, what, rmx_training_model(t, (int)k->p->experiment.config.corpus.vocab, &model, &err),
       &err);
  const int64_t sequences = t->context > 0 ? t->tokens / t->context : 0;
  if (sequences < (int64_t)k->n_train)
    problem(k,
            "%s.tokens: %lld tokens give %lld sequences of %lld tokens, fewer than the %zu "
            "domains; raise it",
            what, (long long)t->tokens, (long long)sequences, (long long)t->context, k->n_train);
}

// Mixtures that there are, or that will be drawn.
static size_t mixtures_of(const rmx_pipeline *p) {
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  RMX_OWNED char *path = rmx_experiment_path(&p->experiment, "mixtures.csv");
  rmx_err ignored;
  const bool there = path && rmx_exists(path) && rmx_csv_read(path, &t, &ignored) == RMX_OK;
  return there ? t.N : (size_t)p->experiment.config.sample.runs;
}

static void check_swarms(struct check *k) {
  const rmx_config *c = &k->p->experiment.config;
  const char *scale = c->search.problem.scale;
  rmx_scale at;
  rmx_err err;
  if (scale) hold(k, "optimize.for", rmx_scale_parse(scale, true, true, &at, &err), &err);
  if (scale && c->n_swarms == 0)
    problem(k,
            "optimize.for: the runs have one size and one length; add a swarm of another "
            "(`swarms`), or remove the key");
  if (c->n_swarms && !rmx_regressor_takes_scales(c->regress.regressor))
    problem(k,
            "fit.regressor: \"%s\" fits runs of one size and length, but there are several "
            "swarms; use \"auto\" or \"scaling\"",
            c->regress.regressor);
  for (size_t i = 0; i < c->n_swarms; i++) {
    const rmx_swarm_config *s = &c->swarms[i];
    char section[80];
    snprintf(section, sizeof section, "swarms.%s", s->name);
    check_training(k, section, &s->training);
    if (s->runs > (int64_t)mixtures_of(k->p))
      problem(k, "%s.runs: %lld runs, but there are %zu mixtures; raise sample.runs or lower it",
              section, (long long)s->runs, mixtures_of(k->p));
    rmx_corpus *corpus = NULL;
    if (k->current && rmx_experiment_corpus(&k->p->experiment, &corpus, &err) == RMX_OK)
      check_context(k, corpus, section, &s->training);
    rmx_corpus_free(corpus);
  }
}

static void check_machine(struct check *k) {
  const rmx_config *c = &k->p->experiment.config;
  const rmx_kernels *kernels;
  rmx_err err;
  hold(k, NULL, rmx_kernels_get(c->general.isa, &kernels, &err), &err);
  struct statvfs disk;
  if (statvfs(k->p->experiment.folder, &disk) != 0) return;
  rmx_model_config model;
  double weights = 0;
  if (!c->large.command &&
      rmx_training_model(&c->large, (int)c->corpus.vocab, &model, &err) == RMX_OK)
    weights = 4.0 * (double)rmx_model_parameters(&model);
  double models = weights * (double)(c->compare.against.n + 1) * (double)c->compare.seeds;
  if (rmx__keeps_models(c) && !c->proxy.command &&
      rmx_training_model(&c->proxy, (int)c->corpus.vocab, &model, &err) == RMX_OK)
    models += 4.0 * (double)rmx_model_parameters(&model) * (double)c->sample.runs;
  // A second copy of the text while it is prepared, then its tokens: two bytes for about four bytes
  // of text.
  const double wanted = 1.5 * k->text_bytes + models + 25e3 * (double)c->sample.runs,
               there = (double)disk.f_bavail * (double)disk.f_frsize;
  char a[16], b[16];
  if (wanted > there)
    problem(k, "%s: about %sB of disk space are needed, but only %sB are free",
            k->p->experiment.folder, rmx_count(wanted, a), rmx_count(there, b));
}

// Tables that a fit reads, in which numbers were changed by hand.
static void check_tables(struct check *k) {
  static const char *const names[] = {"metrics.csv", "evaluations.csv"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    RMX_OWNED_BY(rmx_strings_release) rmx_strings added = {0};
    rmx_few changed = {0};
    rmx_err err;
    hold(k, names[i], rmx__table_look(&k->p->experiment, names[i], &changed, &added, &err), &err);
    if (changed.n)
      problem(k,
              "%s: the numbers of %zu run%s are not those that `regmix train` wrote (%s); `regmix "
              "train` writes those of result.json again, and keeps the changed file",
              names[i], changed.n, rmx_s(changed.n), changed.text);
  }
}

static json_t *left_out(const struct check *k) {
  json_t *list = NULL;
  rmx_err ignored;  // it is a problem of its domain
  return rmx__left_out_json(k->p, &k->sources, &list, &ignored) == RMX_OK ? list : json_array();
}

rmx_status rmx_pipeline_check(rmx_pipeline *p, json_t **out, rmx_err *err) {
  struct check k = {.p = p, .problems = json_array(), .domains = json_array()};
  check_text(&k);
  check_corpus(&k);
  check_tokenizer(&k);
  check_own_tokenizer(&k);
  check_bounds(&k);
  check_question(&k);
  check_rivals(&k);
  check_caps(&k);
  check_training(&k, "proxy", &p->experiment.config.proxy);
  check_training(&k, "large", &p->experiment.config.large);
  check_swarms(&k);
  check_tables(&k);
  check_machine(&k);
  *out = json_pack("{s:b, s:o, s:o, s:o, s:o}", "ok", json_array_size(k.problems) == 0, "problems",
                   k.problems, "domains", k.domains, "values", values_tree(&k.values), "left_out",
                   left_out(&k));
  rmx_values_look_release(&k.values);
  rmx_sources_release(&k.sources);
  free(k.names);
  return rmx_interrupted() ? rmx_fail(err, RMX_EINTERRUPTED, "interrupted") : RMX_OK;
}
