// SPDX-License-Identifier: Apache-2.0
// Finds the text of an experiment and prints a list of it before anything is read.
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "optimize/problem.h"
#include "steps.h"

void rmx_sources_release(rmx_sources *s) {
  rmx_discovery_release(&s->found);
  free(s->domains);
  free(s->targets);
  free(s->unknown);
  free(s->apart);
  *s = (rmx_sources){0};
}

// Text that is kept out of the training text: text of valid_only domains, and text of the domains
// in corpus.protect. It does not depend on the target, so another target needs no other corpus.
static rmx_status find_apart(const rmx_pipeline *p, const char *const *names, rmx_sources *s,
                             rmx_err *err) {
  const rmx_strings *protect = &p->experiment.config.corpus.protect;
  if (!(s->apart = rmx_calloc(s->n_named + protect->n, sizeof *s->apart)))
    return rmx_fail_memory(err, 0, "names");
  for (size_t i = 0; i < s->n_named; i++) {
    bool named = s->domains[i].valid_only;
    for (size_t k = 0; k < protect->n; k++)
      named = named || strcmp(protect->items[k], s->domains[i].name) == 0;
    if (named) s->apart[s->n_apart++] = i;
  }
  for (size_t k = 0; k < protect->n; k++) {
    bool known = false;
    for (size_t i = 0; i < s->n_named; i++)
      known = known || strcmp(protect->items[k], names[i]) == 0;
    size_t ignored;
    if (!known && rmx_sources_are_open(s)) continue;
    if (!known &&
        rmx_find_name("domain", protect->items[k], names, s->n_named, &ignored, err) == RMX_OK)
      return rmx_fail(err, rmx__was_set(p, "corpus.protect") ? RMX_EUSAGE : RMX_EINPUT,
                      "corpus.protect: no domain \"%s\"; did you mean \"%s\"?", protect->items[k],
                      names[ignored]);
    if (known) continue;
    rmx_fail_in(err, "corpus.protect");
    return rmx__refused_setting(p, err);
  }
  return RMX_OK;
}

static rmx_status no_target(const rmx_pipeline *p, rmx_err *err) {
  if (rmx__was_set(p, "target")) return rmx_refused(true, err);
  return rmx_fail_in(err, "%s", p->experiment.config_path ? p->experiment.config_path : "target");
}

// A domain that is a target. One that is no domain is a metric of the user.
static rmx_status find_target(rmx_pipeline *p, const char *const *names, const char *target,
                              bool of_group, rmx_sources *s, rmx_err *err) {
  size_t at;
  if (rmx_find_name("target", target, names, s->n_named, &at, err) == RMX_OK) {
    for (size_t i = 0; i < s->n_targets; i++)
      if (s->targets[i] == at)
        return rmx_fail(err, RMX_EINPUT, "target: \"%s\" is given twice, once as \"%s\"", names[at],
                        target);
    s->targets[s->n_targets++] = at;
    return RMX_OK;
  }
  if (p->experiment.config.proxy.command || rmx__is_task_score(&p->experiment, target))
    return RMX_OK;
  if (!rmx_sources_are_open(s)) return no_target(p, err);
  if (!of_group) s->unknown[s->n_unknown++] = target;
  return RMX_OK;
}

// The domains whose losses match a pattern of a group.
static rmx_status find_matches(rmx_pipeline *p, const char *const *names, const char *pattern,
                               rmx_sources *s, rmx_err *err) {
  const rmx_config *c = &p->experiment.config;
  bool any = c->proxy.command || c->eval.tasks.n || rmx_sources_are_open(s);
  for (size_t i = 0; i < s->n_named; i++) {
    RMX_OWNED char *metric = rmx_format("%s_val_loss", names[i]);
    if (!metric) return rmx_fail_memory(err, 0, "a name");
    if (fnmatch(pattern, metric, 0) != 0) continue;
    RMX_TRY(find_target(p, names, names[i], true, s, err));
    any = true;
  }
  if (any) return RMX_OK;
  rmx_fail(err, RMX_EINPUT, "pattern \"%s\" matches the loss of no domain (NAME_val_loss)",
           pattern);
  return no_target(p, err);
}

static rmx_status find_members(rmx_pipeline *p, const char *const *names, const char *parts,
                               rmx_sources *s, rmx_err *err) {
  for (const char *at = parts; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
    RMX_OWNED char *part = rmx_format("%.*s", (int)strcspn(at, ","), at);
    if (!part) return rmx_fail_memory(err, 0, "a name");
    RMX_TRY(strpbrk(part, "*?[") ? find_matches(p, names, part, s, err)
                                 : find_target(p, names, part, true, s, err));
  }
  return RMX_OK;
}

rmx_status rmx__are_not_phases(const char *const *names, size_t n, rmx_err *err) {
  RMX_OWNED_BY(rmx_phase_columns_release) rmx_phase_columns c = {0};
  if (n == 0 || (rmx_phase_columns_find(names, n, &c, err) == RMX_OK && c.n == 0)) return RMX_OK;
  return rmx_fail(
      err, RMX_EINPUT,
      "the names of the domains are those of columns of phases (\"%s\"), so the table of "
      "mixtures could not be read; rename the domains: no \"phase\" and no \"stage\" "
      "before a number",
      names[0]);
}

// Those that are trained on become columns of mixtures.csv.
static rmx_status check_names(const rmx_sources *s, rmx_err *err) {
  RMX_OWNED const char **names = rmx_calloc(s->n_named, sizeof *names);
  size_t n = 0;
  if (!names) return rmx_fail_memory(err, 0, "names");
  for (size_t i = 0; i < s->n_named; i++)
    if (!s->domains[i].valid_only) names[n++] = s->domains[i].name;
  return rmx__are_not_phases(names, n, err);
}

static rmx_status find_targets(rmx_pipeline *p, rmx_sources *s, rmx_err *err) {
  const rmx_config *c = &p->experiment.config;
  const rmx_strings *groups = &c->search.problem.metric_group;
  RMX_OWNED const char **names = rmx_calloc(s->n_named, sizeof *names);
  bool any = c->n_target == 0;
  s->targets = rmx_calloc(s->n_named, sizeof *s->targets);
  s->unknown = rmx_calloc(c->n_target, sizeof *s->unknown);
  if (!names || !s->targets || !s->unknown) return rmx_fail_memory(err, 0, "names");
  for (size_t i = 0; i < s->n_named; i++) names[i] = s->domains[i].name;
  for (size_t i = 0; i < c->n_target; i++) {
    const char *parts;
    any = any || c->target[i].weight != 0;
    if (rmx__metric_group(groups, c->target[i].metric, &parts, err) != RMX_OK)
      return rmx_refused(rmx__was_set(p, "optimize.metric_group"), err);
    RMX_TRY(parts ? find_members(p, names, parts, s, err)
                  : find_target(p, names, c->target[i].metric, false, s, err));
  }
  if (!any)
    return rmx_fail(
        err, RMX_EINPUT,
        "target: all its weights are 0, so there is nothing to improve; give one of its "
        "metrics a weight");
  return find_apart(p, names, s, err);
}

bool rmx_sources_are_open(const rmx_sources *s) {
  bool selected = false;
  for (size_t i = 0; i < s->n; i++) selected = selected || s->domains[i].values.n;
  return s->n > s->n_named && !selected;
}

static rmx_status find_found(const rmx_pipeline *p, rmx_sources *s, rmx_err *err) {
  const rmx_config *c = &p->experiment.config;
  const bool divide = rmx_corpus_is_divided(&c->corpus);
  if (c->n_domains && !divide) return RMX_OK;
  if (!c->corpus.folder) {
    rmx_fail(err, RMX_EINPUT,
             divide ? "%s: corpus.domain_field and corpus.classifier need corpus.folder, the "
                      "folder of the files that it divides"
                    : "%s: no text is given; set corpus.domains or corpus.folder",
             p->experiment.config_path ? p->experiment.config_path : "the config");
    return divide ? rmx__refused_setting(p, err) : err->status;
  }
  return (divide ? rmx_corpus_discover_files : rmx_corpus_discover)(
      c->corpus.folder, &c->corpus.leave_out, p->experiment.folder, &s->found, err);
}

rmx_status rmx_sources_find(rmx_pipeline *p, rmx_sources *s, rmx_err *err) {
  const rmx_config *c = &p->experiment.config;
  *s = (rmx_sources){0};
  RMX_TRY(find_found(p, s, err));
  s->domains = rmx_calloc(c->n_domains + s->found.n, sizeof *s->domains);
  if (!s->domains) return rmx_fail_memory(err, 0, "the domains");
  for (size_t i = 0; i < c->n_domains; i++) s->domains[s->n++] = c->domains[i];
  for (size_t i = 0; i < s->found.n; i++) s->domains[s->n++] = s->found.domains[i];
  s->n_named = s->n - (rmx_corpus_is_divided(&c->corpus) ? s->found.n : 0);
  RMX_TRY(check_names(s, err));
  return find_targets(p, s, err);
}

// Warns of keys that are set and change nothing.
static void warn_unused_keys(const rmx_pipeline *p) {
  const rmx_corpus_options *o = &p->experiment.config.corpus;
  const bool divided = rmx_corpus_is_divided(o),
             hosts = o->domain_field && strstr(o->domain_field, "host(");
  const struct {
    const char *key;
    bool unused;
    const char *needs;
  } keys[] = {
      {"hosts", o->hosts.n && !o->domain_field, "corpus.domain_field: host(FIELD)"},
      {"max_hosts", o->max_hosts != 20 && !hosts, "corpus.domain_field: host(FIELD)"},
      {"max_hosts", o->max_hosts != 20 && hosts && o->hosts.n, "a config without corpus.hosts"},
      {"max_domains", o->max_domains != 1000 && !divided,
       "corpus.domain_field or corpus.classifier"},
      {"min_probability", o->min_probability > 0 && !o->classifier.n, "corpus.classifier"},
      {"leave_out", o->leave_out.n && (!o->folder || (p->experiment.config.n_domains && !divided)),
       o->folder ? "a config without corpus.domains" : "corpus.folder"},
      {"vocab", o->vocab != 4096 && o->tokenizer, "a config without corpus.tokenizer"},
  };
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (keys[i].unused)
      rmx_warn(&p->listener, "corpus.%s has no effect: it needs %s", keys[i].key, keys[i].needs);
}

// Warns of settings of a domain that are for files, where it has none.
static void warn_unused_parts(const rmx_pipeline *p) {
  const rmx_config *c = &p->experiment.config;
  for (size_t i = 0; i < c->n_domains; i++) {
    const rmx_domain_source *d = &c->domains[i];
    const char *key = d->text_field      ? "text_field"
                      : d->separator     ? "separator"
                      : d->encoding      ? "encoding"
                      : d->valid_files.n ? "valid_files"
                                         : NULL;
    if (key && d->values.n)
      rmx_warn(&p->listener,
               "corpus.domains.%s.%s has no effect: the domain has no files of its own; set "
               "corpus.%s instead",
               d->name, key, key);
  }
}

void rmx_sources_tell(rmx_pipeline *p, const rmx_sources *s) {
  rmx_discovery_report(&s->found, &p->listener);
  warn_unused_keys(p);
  warn_unused_parts(p);
  rmx__tell_shared_files(p, s);
  rmx__tell_more_parts(p, s);
  for (size_t i = 0; i < s->n_targets; i++) {
    const rmx_domain_source *d = &s->domains[s->targets[i]];
    bool apart = false;
    for (size_t k = 0; k < s->n_apart; k++) apart = apart || s->apart[k] == s->targets[i];
    const rmx_corpus_options *o = &p->experiment.config.corpus;
    if (!o->dedup && !d->valid_only && !(apart && o->overlap))
      rmx_warn(&p->listener,
               "%s: the target is also a training domain, and corpus.dedup is false, so copies of "
               "its validation text stay in the training text",
               d->name);
    else if (!apart && o->overlap)
      rmx_note(
          &p->listener,
          "%s: the target is also a training domain. Exact copies of its validation text are kept "
          "out of all training text; `protect: [%s]` under corpus also keeps near copies out",
          d->name, d->name);
    else if (!d->valid_only)
      rmx_note(&p->listener,
               "%s: the target is also a training domain; its validation text is kept out of all "
               "training text",
               d->name);
  }
  if (p->experiment.config.n_domains && p->experiment.config.corpus.folder &&
      !rmx_corpus_is_divided(&p->experiment.config.corpus))
    rmx_warn(&p->listener, "corpus.folder is ignored, because corpus.domains is set");
}

static rmx_status list_source(rmx_pipeline *p, const rmx_domain_source *d, int width,
                              rmx_err *err) {
  const rmx_corpus_options *o = &p->experiment.config.corpus;
  rmx_source_look look;
  char by[160];
  rmx_corpus_divided_by(o, by);
  if (d->values.n) {
    rmx_note(&p->listener, "%-*s %9s %8s  selected by %s%s", width, d->name, "-", "-", by,
             d->valid_only ? " (validation only)" : "");
    return RMX_OK;
  }
  RMX_TRY(rmx_corpus_look(o, d, p->experiment.folder, false, &look, err));
  char files[32], bytes[16];
  snprintf(files, sizeof files, look.valid_files ? "%zu+%zu" : "%zu", look.files, look.valid_files);
  rmx_note(&p->listener, "%-*s %9s %8s  %s%s%s%s", width, d->name, files,
           rmx_count((double)look.bytes, bytes), look.format,
           d->valid_only      ? " (validation only)"
           : look.valid_files ? " (training files + validation files)"
                              : "",
           d->divided ? ", divided by " : "", d->divided ? by : "");
  return RMX_OK;
}

rmx_status rmx__sources_list(rmx_pipeline *p, const rmx_sources *s, rmx_err *err) {
  int width = 6;
  for (size_t i = 0; i < s->n; i++)
    if ((int)strlen(s->domains[i].name) > width) width = (int)strlen(s->domains[i].name);
  rmx_note(&p->listener, "%-*s %9s %8s  %s", width, "domain", "files", "bytes", "format");
  for (size_t i = 0; i < s->n; i++) RMX_TRY(list_source(p, &s->domains[i], width, err));
  return RMX_OK;
}
