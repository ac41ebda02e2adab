// SPDX-License-Identifier: Apache-2.0
// Finds the text of an experiment and prints a list of it before anything is read.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

void rmx_sources_release(rmx_sources *s) {
  rmx_discovery_release(&s->found);
  free(s->targets);
  free(s->apart);
  *s = (rmx_sources){0};
}

// Text that is kept out of the training text: text of valid_only domains, and text of the domains
// in corpus.protect. It does not depend on the target, so another target needs no other corpus.
static rmx_status find_apart(const rmx_experiment *e, const char *const *names, rmx_sources *s,
                             rmx_err *err) {
  const rmx_strings *protect = &e->config.corpus.protect;
  if (!(s->apart = rmx_calloc(s->n + protect->n, sizeof *s->apart)))
    return rmx_fail_memory(err, 0, "names");
  for (size_t i = 0; i < s->n; i++) {
    bool named = s->domains[i].valid_only;
    for (size_t k = 0; k < protect->n; k++)
      named = named || strcmp(protect->items[k], s->domains[i].name) == 0;
    if (named) s->apart[s->n_apart++] = i;
  }
  for (size_t k = 0; k < protect->n; k++) {
    bool known = false;
    for (size_t i = 0; i < s->n; i++) known = known || strcmp(protect->items[k], names[i]) == 0;
    size_t ignored;
    if (!known && rmx_find_name("domain", protect->items[k], names, s->n, &ignored, err) == RMX_OK)
      return rmx_fail(err, RMX_EINPUT, "corpus.protect: no domain \"%s\"; did you mean \"%s\"?",
                      protect->items[k], names[ignored]);
    if (!known) return rmx_fail_in(err, "corpus.protect");
  }
  return RMX_OK;
}

// A target that is not a domain is a metric of the user.
static rmx_status find_targets(rmx_pipeline *p, rmx_sources *s, rmx_err *err) {
  const rmx_config *c = &p->experiment.config;
  const char **names = rmx_calloc(s->n, sizeof *names);
  s->targets = rmx_calloc(c->n_target, sizeof *s->targets);
  rmx_status status = names && s->targets ? RMX_OK : rmx_fail_memory(err, 0, "names");
  for (size_t i = 0; status == RMX_OK && i < s->n; i++) names[i] = s->domains[i].name;
  for (size_t i = 0; status == RMX_OK && i < c->n_target; i++) {
    status =
        rmx_find_name("target", c->target[i].metric, names, s->n, &s->targets[s->n_targets], err);
    if (status == RMX_OK)
      s->n_targets++;
    else if (c->proxy.command)
      status = RMX_OK;
    else if (rmx__was_set(p, "target"))
      status = rmx_refused(true, err);
    else
      rmx_fail_in(err, "%s", p->experiment.config_path ? p->experiment.config_path : "target");
  }
  if (status == RMX_OK) status = find_apart(&p->experiment, names, s, err);
  free(names);
  return status;
}

rmx_status rmx_sources_find(rmx_pipeline *p, rmx_sources *s, rmx_err *err) {
  const rmx_config *c = &p->experiment.config;
  *s = (rmx_sources){.domains = c->domains, .n = c->n_domains};
  if (c->corpus.domain_field)
    return rmx_fail(err, RMX_EINPUT, "corpus.domain_field: prepare cannot divide documents yet");
  if (c->n_domains == 0) {
    if (!c->corpus.folder)
      return rmx_fail(err, RMX_EINPUT, "%s: no text is given; set corpus.domains or corpus.folder",
                      p->experiment.config_path ? p->experiment.config_path : "the config");
    RMX_TRY(rmx_corpus_discover(c->corpus.folder, &c->corpus.leave_out, p->experiment.folder,
                                &s->found, err));
    s->domains = s->found.domains;
    s->n = s->found.n;
  }
  return find_targets(p, s, err);
}

void rmx_sources_tell(rmx_pipeline *p, const rmx_sources *s) {
  rmx_discovery_report(&s->found, &p->listener);
  for (size_t i = 0; i < s->n_targets; i++) {
    const rmx_domain_source *d = &s->domains[s->targets[i]];
    bool apart = false;
    for (size_t k = 0; k < s->n_apart; k++) apart = apart || s->apart[k] == s->targets[i];
    if (!apart && p->experiment.config.corpus.overlap)
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
  if (p->experiment.config.n_domains && p->experiment.config.corpus.folder)
    rmx_warn(&p->listener, "corpus.folder is ignored, because corpus.domains is set");
}

rmx_status rmx__sources_list(rmx_pipeline *p, const rmx_sources *s, rmx_err *err) {
  int width = 6;
  for (size_t i = 0; i < s->n; i++)
    if ((int)strlen(s->domains[i].name) > width) width = (int)strlen(s->domains[i].name);
  rmx_note(&p->listener, "%-*s %9s %8s  %s", width, "domain", "files", "bytes", "format");
  for (size_t i = 0; i < s->n; i++) {
    const rmx_domain_source *d = &s->domains[i];
    rmx_source_look look;
    RMX_TRY(
        rmx_corpus_look(&p->experiment.config.corpus, d, p->experiment.folder, false, &look, err));
    char files[32], bytes[16];
    snprintf(files, sizeof files, look.valid_files ? "%zu+%zu" : "%zu", look.files,
             look.valid_files);
    rmx_note(&p->listener, "%-*s %9s %8s  %s%s", width, d->name, files,
             rmx_count((double)look.bytes, bytes), look.format,
             d->valid_only      ? " (validation only)"
             : look.valid_files ? " (training files + validation files)"
                                : "");
  }
  return RMX_OK;
}