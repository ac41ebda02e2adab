// SPDX-License-Identifier: Apache-2.0
// From sources and the names that divided documents got to the domains of a corpus. Domains that
// are trained on come first: those of sources in their order, then the names of divided documents.
#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "corpus/domains/route.h"
#include "corpus/domains/value_name.h"
#include "prepare.h"

static bool add_name(rmx__preparing *p, const char *name, bool valid_only, bool given_split) {
  const size_t n = p->names.n;
  rmx__documents *documents = rmx_realloc(p->documents, n + 1, sizeof *documents);
  if (documents) p->documents = documents;
  bool *flags = rmx_realloc(p->valid_only, n + 1, sizeof *flags);
  if (flags) p->valid_only = flags;
  if (!documents || !flags || !rmx_strings_add(&p->names, name)) return false;
  documents[n] = (rmx__documents){.valid_only = valid_only, .given_split = given_split};
  flags[n] = valid_only;
  return true;
}

static bool is_source(const rmx__preparing *p, const char *name) {
  for (size_t i = 0; i < p->n_sources; i++)
    if (!p->sources[i]->divided && strcmp(p->sources[i]->name, name) == 0) return true;
  return false;
}

// Whether a domain has files of its own.
static bool is_filed(const rmx__preparing *p, const char *name) {
  for (size_t i = 0; i < p->n_sources; i++)
    if (!p->sources[i]->divided && p->sources[i]->values.n == 0 &&
        strcmp(p->sources[i]->name, name) == 0)
      return true;
  return false;
}

// A value must not give a domain that has files of its own.
static rmx_status check_values(const rmx__preparing *p, const rmx_strings *names, rmx_err *err) {
  char by[160];
  for (size_t j = 0; j < names->n; j++)
    if (is_filed(p, names->items[j]))
      return rmx_fail(
          err, RMX_EINPUT,
          "%s gives the name \"%s\", which is also a domain with files of its own: give "
          "that domain another name in corpus.domains",
          rmx_corpus_divided_by(p->options, by), names->items[j]);
  return RMX_OK;
}

// The names in all parts that are not those of sources, sorted, each once.
static rmx_status new_names(const rmx__preparing *p, rmx_strings *out, rmx_err *err) {
  rmx_strings all = {0};
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < p->spool.n && status == RMX_OK; i++) {
    const rmx_strings *names = &p->spool.parts[i].names;
    status = check_values(p, names, err);
    for (size_t j = 0; j < names->n && status == RMX_OK; j++)
      if (!is_source(p, names->items[j]) && !rmx_strings_add(&all, names->items[j]))
        status = rmx_fail_memory(err, 0, "the names of domains");
    if (i % 64 == 63 || i + 1 == p->spool.n) {  // so that the list stays short
      rmx_strings_sort(&all);
      rmx_strings once = {0};
      for (size_t j = 0; j < all.n && status == RMX_OK; j++)
        if ((j == 0 || strcmp(all.items[j - 1], all.items[j]) != 0) &&
            !rmx_strings_add(&once, all.items[j]))
          status = rmx_fail_memory(err, 0, "the names of domains");
      rmx_strings_release(&all);
      all = once;
    }
  }
  *out = all;
  return status;
}

static rmx_status add_sources(rmx__preparing *p, bool valid_only, rmx_err *err) {
  for (size_t i = 0; i < p->n_sources; i++) {
    const rmx_domain_source *s = p->sources[i];
    if (s->divided || s->valid_only != valid_only) continue;
    p->domain_of[i] = p->names.n;
    if (!add_name(p, s->name, valid_only, s->valid_files.n > 0))
      return rmx_fail_memory(err, 0, "a domain");
  }
  return RMX_OK;
}

// Training and validation documents of a name.
struct split {
  uint64_t train, valid;
};

static void count_names(const rmx__preparing *p, const rmx_strings *names, struct split *counts) {
  for (size_t i = 0; i < p->spool.n; i++) {
    const rmx__part *part = &p->spool.parts[i];
    for (size_t j = 0; j < part->names.n; j++) {
      char *const *found = bsearch(&part->names.items[j], names->items, names->n,
                                   sizeof *names->items, rmx__by_text);
      if (!found) continue;
      struct split *of = &counts[found - names->items];
      *(part->valid ? &of->valid : &of->train) += part->counts[j];
    }
  }
}

// Leaves out names that have no document for training, or none for validation.
static rmx_status drop_rare(const rmx__preparing *p, rmx_strings *names, rmx_err *err) {
  struct split *counts = rmx_calloc(names->n, sizeof *counts);
  if (!counts) return rmx_fail_memory(err, names->n * sizeof *counts, "the names of domains");
  rmx_few rare = {0};
  size_t kept = 0;
  if (names->n) count_names(p, names, counts);
  for (size_t i = 0; i < names->n; i++) {
    if (counts[i].train > 1 || (counts[i].train && counts[i].valid)) {
      names->items[kept++] = names->items[i];
      continue;
    }
    rmx_few_add(&rare, names->items[i]);
    free(names->items[i]);
  }
  names->n = kept;
  free(counts);
  if (rare.n == 0) return RMX_OK;
  rmx_warn(p->listener,
           "%zu value%s left out, since a domain needs a document for training and one for "
           "validation: %s",
           rare.n, rare.n == 1 ? " is" : "s are", rare.text);
  char by[160];
  return kept ? RMX_OK
              : rmx_fail(err, RMX_EINPUT, "%s: no value has two documents",
                         rmx_corpus_divided_by(p->options, by));
}

static rmx_status add_new(rmx__preparing *p, rmx_err *err) {
  rmx_strings names = {0};
  rmx_status status = new_names(p, &names, err);
  const int64_t max = p->options->max_domains;
  if (status == RMX_OK && max > 0 && names.n > (size_t)max)
    status = rmx__too_many_domains(p->options, err);
  if (status == RMX_OK) status = drop_rare(p, &names, err);
  for (size_t i = 0; i < names.n && status == RMX_OK; i++) {
    status = rmx__domain_name_check(names.items[i], "corpus.domain_field", err);
    if (status == RMX_OK && !add_name(p, names.items[i], false, false))
      status = rmx_fail_memory(err, 0, "a domain");
  }
  rmx_strings_release(&names);
  return status;
}

// ---- documents of parts get their domains

struct named {
  const char *name;
  size_t domain;
};

static int by_name(const void *x, const void *y) {
  return strcmp(((const struct named *)x)->name, ((const struct named *)y)->name);
}

static rmx_status set_part(const rmx__preparing *p, rmx__part *part, const struct named *names,
                           rmx_err *err) {
  const size_t n = part->names.n ? part->names.n : 1;
  part->domains = rmx_calloc(n, sizeof *part->domains);
  part->stray = rmx_calloc(n, sizeof *part->stray);
  if (!part->domains || !part->stray)
    return rmx_fail_memory(err, n * sizeof *part->domains, "a part of the text");
  part->domains[0] = p->domain_of[part->source] == SIZE_MAX ? 0 : p->domain_of[part->source];
  for (size_t i = 0; i < part->names.n; i++) {
    const struct named wanted = {.name = part->names.items[i]};
    const struct named *found = bsearch(&wanted, names, p->n, sizeof *names, by_name);
    part->domains[i] = found ? found->domain : 0;
    part->stray[i] = !found;
  }
  return RMX_OK;
}

static rmx_status set_parts(const rmx__preparing *p, rmx_err *err) {
  struct named *names = rmx_calloc(p->n, sizeof *names);
  if (!names) return rmx_fail_memory(err, p->n * sizeof *names, "the names of domains");
  for (size_t i = 0; i < p->n; i++) names[i] = (struct named){p->names.items[i], i};
  if (p->n) qsort(names, p->n, sizeof *names, by_name);
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < p->spool.n && status == RMX_OK; i++)
    status = set_part(p, &p->spool.parts[i], names, err);
  free(names);
  return status;
}

// ---- all of it

// Names that the request gives without a source must be those of domains that were found.
static rmx_status find_names(rmx__preparing *p, const rmx_corpus_request *r, rmx_err *err) {
  const rmx_strings *protect = &p->options->protect;
  const char *const *names = (const char *const *)p->names.items;
  size_t at;
  if (!p->router) return RMX_OK;
  for (size_t i = 0; i < r->n_expected; i++)
    RMX_TRY(rmx_find_name("target", r->expected[i], names, p->n, &at, err));
  for (size_t i = 0; i < protect->n; i++) {
    if (is_source(p, protect->items[i])) continue;
    if (rmx_find_name("domain", protect->items[i], names, p->n, &at, err) != RMX_OK)
      return rmx_fail_in(err, "corpus.protect");
    p->targets[p->ntargets++] = at;
  }
  return RMX_OK;
}

static rmx_status set_targets(rmx__preparing *p, const rmx_corpus_request *r, rmx_err *err) {
  p->targets = rmx_calloc(r->ntargets + p->options->protect.n, sizeof *p->targets);
  if (!p->targets) return rmx_fail_memory(err, r->ntargets * sizeof *p->targets, "the targets");
  for (size_t t = 0; t < r->ntargets; t++)
    for (size_t i = 0; i < p->n; i++)
      if (strcmp(r->sources[r->targets[t]].name, p->names.items[i]) == 0)
        p->targets[p->ntargets++] = i;
  return find_names(p, r, err);
}

// Of domains that were found: each needs a document for training and one for validation. If their
// validation text is in files of its own, these are not split.
static rmx_status check_found(rmx__preparing *p, rmx_err *err) {
  rmx_few short_of = {0};
  uint64_t *documents = rmx_calloc(p->n, sizeof *documents);
  if (!documents) return rmx_fail_memory(err, p->n * sizeof *documents, "the domains");
  for (size_t i = 0; i < p->spool.n; i++) {
    const rmx__part *part = &p->spool.parts[i];
    for (size_t j = 0; j < part->names.n; j++) {
      if (part->stray[j]) continue;
      documents[part->domains[j]] += part->counts[j];
      if (part->valid && part->counts[j]) p->documents[part->domains[j]].given_split = true;
    }
  }
  for (size_t d = 0; d < p->n && p->router; d++)
    if (!is_filed(p, p->names.items[d]) && documents[d] == 0) {
      free(documents);
      return rmx_fail(
          err, RMX_EINPUT,
          "corpus.domains.%s: no document belongs to it; correct its name or its values, "
          "or remove it",
          p->names.items[d]);
    }
  for (size_t d = 0; d < p->n && p->router; d++)
    if (!is_filed(p, p->names.items[d]) && documents[d] < 2)
      rmx_few_add(&short_of, p->names.items[d]);
  free(documents);
  return short_of.n == 0
             ? RMX_OK
             : rmx_fail(err, RMX_EINPUT,
                        "%zu domain%s fewer than two documents, but need%s one for training and "
                        "one for validation: %s; add text, or remove them from corpus.domains",
                        short_of.n, short_of.n == 1 ? " has" : "s have", short_of.n == 1 ? "s" : "",
                        short_of.text);
}

// What is known of the files of a source goes to its domain.
static void sum_up(rmx__preparing *p) {
  for (size_t i = 0; i < p->n_sources; i++)
    if (p->domain_of[i] < SIZE_MAX)
      p->documents[p->domain_of[i]].files = p->files[i].train.n + p->files[i].valid.n;
  for (size_t i = 0; i < p->spool.n; i++) {
    const rmx__part *part = &p->spool.parts[i];
    if (p->domain_of[part->source] == SIZE_MAX) continue;
    rmx__documents *d = &p->documents[p->domain_of[part->source]];
    rmx__losses_add(&d->lost, &part->lost);
  }
}

rmx_status rmx__domains_list(rmx__preparing *p, const rmx_corpus_request *r, rmx_err *err) {
  p->domain_of = rmx_calloc(p->n_sources, sizeof *p->domain_of);
  if (!p->domain_of) return rmx_fail_memory(err, p->n_sources * 8, "the domains");
  for (size_t i = 0; i < p->n_sources; i++) p->domain_of[i] = SIZE_MAX;
  RMX_TRY(add_sources(p, false, err));
  RMX_TRY(add_new(p, err));
  p->ntrain = p->names.n;
  RMX_TRY(add_sources(p, true, err));
  p->n = p->names.n;
  for (size_t i = 0; i < p->n; i++) p->documents[i].name = p->names.items[i];
  RMX_TRY(set_parts(p, err));
  RMX_TRY(check_found(p, err));
  sum_up(p);
  return set_targets(p, r, err);
}

void rmx__domains_release(rmx__preparing *p) {
  rmx_strings_release(&p->names);
  free(p->documents);
  free(p->valid_only);
  free(p->domain_of);
  free(p->targets);
}
