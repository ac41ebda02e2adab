// SPDX-License-Identifier: Apache-2.0
#include "route.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "fasttext.h"
#include "host.h"
#include "select.h"
#include "top_hosts.h"
#include "value_name.h"

// Counters of hosts: a host with more than 1/COUNTERS of all documents cannot be missed.
enum { COUNTERS = 65536 };

// Names of files in the folder of the domains; a value with such a name begins with an escape.
static const char *const files_of_corpus[] = {"corpus.json", "tokenizer.json", "files.json"};

static const char other[] = "other";  // hosts and labels that are not wanted

// A part of a name, such as source of source:host(url).
struct part {
  const char *field;  // NULL: the label of a classifier
  size_t value;       // index of the field
  bool host;
  rmx__fasttext *classifier;
};

struct rmx__router {
  const rmx_corpus_options *o;
  rmx_strings fields;
  struct part *parts;
  size_t n_parts;
  rmx_strings hosts;          // sorted: those given, or the largest
  bool counting;              // the hosts must be counted first
  atomic_bool *host_had;      // (hosts.n) of given hosts: a document had it
  rmx__selection *selection;  // NULL: every value is a domain
};

bool rmx_corpus_is_divided(const rmx_corpus_options *o) {
  return o->domain_field != NULL || o->classifier.n > 0;
}

const char *rmx_corpus_divided_by(const rmx_corpus_options *o, char out[160]) {
  if (o->domain_field)
    snprintf(out, 160, "corpus.domain_field (%.100s)%s", o->domain_field,
             o->classifier.n ? " and corpus.classifier" : "");
  else
    snprintf(out, 160, "corpus.classifier (%.100s)",
             o->classifier.n ? o->classifier.items[0] : "none");
  return out;
}

// ---- corpus.domain_field

static rmx_status wrong_field(const rmx_corpus_options *o, const char *what, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT,
                  "corpus.domain_field: %s in \"%s\"; wanted the name of a field, such as "
                  "meta.source, or host(FIELD), or several of them joined with \":\"",
                  what, o->domain_field);
}

// Adds the part in text (size bytes): FIELD or host(FIELD).
static rmx_status add_part(rmx__router *r, const char *text, size_t size, rmx_err *err) {
  const char *open = memchr(text, '(', size), *end = text + size;
  const bool call = open && size && end[-1] == ')';
  if (call && !(open - text == 4 && memcmp(text, "host", 4) == 0))
    return wrong_field(r->o, "an unknown function", err);
  const char *from = call ? open + 1 : text;
  if (call) end--;
  while (from < end && *from == ' ') from++;
  while (from < end && end[-1] == ' ') end--;
  if (from == end) return wrong_field(r->o, "an empty part", err);
  char *field = rmx_format("%.*s", (int)(end - from), from);
  bool good = field && rmx_strings_add(&r->fields, field);
  free(field);
  if (!good) return rmx_fail_memory(err, size, "corpus.domain_field");
  const size_t value = r->fields.n - 1;
  r->parts[r->n_parts++] =
      (struct part){.field = r->fields.items[value], .value = value, .host = call};
  r->counting = r->counting || (call && r->o->hosts.n == 0);
  return RMX_OK;
}

static rmx_status add_fields(rmx__router *r, rmx_err *err) {
  size_t hosts = 0;
  for (const char *text = r->o->domain_field, *end; text; text = *end ? end + 1 : NULL) {
    end = strchrnul(text, ':');
    RMX_TRY(add_part(r, text, (size_t)(end - text), err));
    hosts += r->parts[r->n_parts - 1].host;
  }
  if (hosts > 1) return wrong_field(r->o, "more than one host()", err);
  if (r->o->hosts.n && hosts == 0)
    return rmx_fail(err, RMX_EINPUT,
                    "corpus.hosts needs a field with web addresses, as in `corpus.domain_field: "
                    "host(url)`");
  return RMX_OK;
}

static rmx_status add_classifiers(rmx__router *r, const char *base, rmx_err *err) {
  for (size_t i = 0; i < r->o->classifier.n; i++) {
    struct part *p = &r->parts[r->n_parts++];
    char *path = rmx_path_in(base, r->o->classifier.items[i]);
    rmx_status status =
        path ? rmx__fasttext_open(path, &p->classifier, err) : rmx_fail_memory(err, 0, "a path");
    free(path);
    if (status != RMX_OK) return rmx_fail_in(err, "corpus.classifier");
  }
  return RMX_OK;
}

static rmx_status add_parts(rmx__router *r, const char *base, rmx_err *err) {
  size_t most = 1 + r->o->classifier.n;
  for (const char *p = r->o->domain_field; p && *p; p++) most += *p == ':';
  if (!(r->parts = rmx_calloc(most, sizeof *r->parts)))
    return rmx_fail_memory(err, most, "corpus.domain_field");
  RMX_TRY(add_fields(r, err));
  return add_classifiers(r, base, err);
}

// ---- corpus.hosts

static rmx_status add_hosts(rmx__router *r, rmx_err *err) {
  rmx_buf host = {0};
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < r->o->hosts.n && status == RMX_OK; i++) {
    const char *given = r->o->hosts.items[i];
    if (!rmx__host_of(given, strlen(given), &host))
      status = rmx_fail(err, RMX_EINPUT,
                        "corpus.hosts: \"%s\" is not a host; wanted a name such as "
                        "en.wikipedia.org",
                        given);
    else if (!rmx_strings_add(&r->hosts, host.data))
      status = rmx_fail_memory(err, 0, "corpus.hosts");
  }
  rmx_buf_release(&host);
  rmx_strings_sort(&r->hosts);
  if (status == RMX_OK && r->hosts.n &&
      !(r->host_had = rmx_calloc(r->hosts.n, sizeof *r->host_had)))
    status = rmx_fail_memory(err, 0, "corpus.hosts");
  return status;
}

// The given host that this host is or is below; the longest of several. For counted hosts: its
// registered domain, if that is one of the largest.
static const char *wanted_host(const rmx__router *r, const char *host) {
  const bool given = r->o->hosts.n > 0;
  for (const char *at = given ? host : rmx__registered_domain(host); at;) {
    char *const *found =
        r->hosts.n ? bsearch(&at, r->hosts.items, r->hosts.n, sizeof *r->hosts.items, rmx__by_text)
                   : NULL;
    if (found && r->host_had)
      atomic_store_explicit(&r->host_had[found - r->hosts.items], true, memory_order_relaxed);
    if (found) return *found;
    const char *dot = given ? strchr(at, '.') : NULL;
    at = dot ? dot + 1 : NULL;
  }
  return other;
}

// ---- the router

rmx_status rmx__router_open(const rmx_corpus_options *o, const rmx_domain_source *sources, size_t n,
                            const char *base, rmx__router **out, rmx_err *err) {
  rmx__router *r = rmx_calloc(1, sizeof *r);
  if (!r) return rmx_fail_memory(err, sizeof *r, "the domains");
  r->o = o;
  rmx_status status = add_parts(r, base, err);
  if (status == RMX_OK) status = add_hosts(r, err);
  if (status == RMX_OK) status = rmx__selection_open(sources, n, r->n_parts, &r->selection, err);
  if (status != RMX_OK) {
    rmx__router_free(r);
    return status;
  }
  *out = r;
  return RMX_OK;
}

void rmx__router_free(rmx__router *r) {
  if (!r) return;
  for (size_t i = 0; i < r->n_parts; i++) rmx__fasttext_free(r->parts[i].classifier);
  rmx__selection_free(r->selection);
  free(r->host_had);
  free(r->parts);
  rmx_strings_release(&r->fields);
  rmx_strings_release(&r->hosts);
  free(r);
}

const rmx_strings *rmx__router_fields(const rmx__router *r) {
  return &r->fields;
}

bool rmx__router_is_closed(const rmx__router *r) {
  return r->selection;
}

rmx_status rmx__too_many_domains(const rmx_corpus_options *o, rmx_err *err) {
  char by[160];
  return rmx_fail(err, RMX_EINPUT,
                  "%s: more than %lld different values, which would be as many domains; name "
                  "another field, name the wanted values in corpus.domains, or raise "
                  "corpus.max_domains",
                  rmx_corpus_divided_by(o, by), (long long)o->max_domains);
}

rmx_status rmx__router_unused(const rmx__router *r, rmx_strings *out, rmx_err *err) {
  for (size_t i = 0; r->host_had && i < r->hosts.n; i++) {
    if (r->host_had[i]) continue;
    RMX_OWNED char *text = rmx_format("corpus.hosts: %s", r->hosts.items[i]);
    if (!text || !rmx_strings_add(out, text)) return rmx_fail_memory(err, 0, "corpus.hosts");
  }
  return r->selection ? rmx__selection_unused(r->selection, out, err) : RMX_OK;
}

static uint64_t hash_text(const char *s, uint64_t h) {
  return rmx_hash(s, strlen(s) + 1, h);
}

uint64_t rmx__router_hash(const rmx__router *r) {
  uint64_t h = rmx_hash(&r->o->min_probability, sizeof r->o->min_probability, 0);
  for (size_t i = 0; i < r->n_parts; i++) {
    const struct part *p = &r->parts[i];
    const uint64_t content = p->classifier ? rmx__fasttext_file_hash(p->classifier) : p->host;
    h = rmx_hash(&content, sizeof content, hash_text(p->field ? p->field : "", h));
  }
  for (size_t i = 0; i < r->hosts.n; i++) h = hash_text(r->hosts.items[i], h);
  return r->selection ? rmx__selection_hash(r->selection, h) : h;
}

// Replaces the content of a buffer by the reason why a document has no domain.
static rmx_status no_domain(rmx_buf *why, const char *fmt, const char *what, rmx_err *err) {
  why->size = 0;
  rmx_buf_printf(why, fmt, what);
  return why->failed ? rmx_fail_memory(err, why->size, "a reason") : RMX_OK;
}

static rmx_status put_host(const rmx__router *r, const struct part *p, const rmx_buf *value,
                           rmx_buf *name, bool *has, rmx_err *err) {
  rmx_buf host = {0};
  *has = rmx__host_of(value->data, value->size, &host);
  if (*has) {
    const char *wanted = wanted_host(r, host.data);
    rmx__value_name(wanted, strlen(wanted), name->size == 0, r->n_parts > 1, name);
  }
  const bool failed = host.failed;
  rmx_buf_release(&host);
  if (failed) return rmx_fail_memory(err, value->size, "a host");
  return *has ? RMX_OK : no_domain(name, "field \"%s\" has no web address", p->field, err);
}

// Labels that are the names of domains have escapes already: those from `from` on are not escaped
// twice.
static void keep_escapes(rmx_buf *name, size_t from) {
  for (char *at = name->failed ? NULL : name->data + from; at && (at = strstr(at, "%25")); at++) {
    if (strspn(at + 3, "0123456789ABCDEF") < 2) continue;
    memmove(at + 1, at + 3, strlen(at + 3) + 1);
    name->size -= 2;
  }
}

static rmx_status put_label(const rmx__router *r, const struct part *p, const rmx__routed *d,
                            rmx_buf *name, bool *has, rmx_err *err) {
  rmx_buf scratch = {0};
  size_t label = 0;
  double probability = 0;
  rmx_status status =
      rmx__fasttext_predict(p->classifier, d->text, d->size, &scratch, &label, &probability, err);
  rmx_buf_release(&scratch);
  RMX_TRY(status);
  const char *text = probability > 0 && probability >= r->o->min_probability
                         ? rmx__fasttext_label(p->classifier, label)
                         : other;
  const size_t from = name->size;
  *has = rmx__value_name(text, strlen(text), name->size == 0, r->n_parts > 1, name);
  if (*has) keep_escapes(name, from);
  return *has ? RMX_OK : no_domain(name, "the label of the classifier is empty%s", "", err);
}

// Appends a part of the name. *has false: there is none, and `name` holds the reason.
static rmx_status put_part(const rmx__router *r, const struct part *p, const rmx__routed *d,
                           rmx_buf *name, bool *has, rmx_err *err) {
  *has = false;
  if (p->classifier) return put_label(r, p, d, name, has, err);
  const rmx_buf *value = &d->values[p->value];
  if (!d->has[p->value])
    return no_domain(name, "field \"%s\" is missing or is not one value", p->field, err);
  if (p->host && value->data) return put_host(r, p, value, name, has, err);
  *has = value->data &&
         rmx__value_name(value->data, value->size, name->size == 0, r->n_parts > 1, name);
  return *has ? RMX_OK : no_domain(name, "field \"%s\" is empty", p->field, err);
}

static void escape_file(rmx_buf *name) {
  char first[8];
  for (size_t i = 0; i < sizeof files_of_corpus / sizeof *files_of_corpus; i++) {
    const char *file = files_of_corpus[i];
    if (name->failed || strcmp(name->data, file) != 0) continue;
    snprintf(first, sizeof first, "%%%02X", (unsigned char)file[0]);
    name->size = 0;
    rmx_buf_puts(name, first);
    rmx_buf_puts(name, file + 1);
    return;
  }
}

// The domain of corpus.domains that selects the name in `scratch`.
static rmx_status select_domain(const rmx__router *r, rmx_buf *scratch, const char **name,
                                rmx_err *err) {
  RMX_OWNED char *value = rmx_strdup(scratch->data);
  if (!value) return rmx_fail_memory(err, scratch->size, "the name of a domain");
  *name = rmx__selection_find(r->selection, value, scratch);
  return *name ? RMX_OK : no_domain(scratch, "\"%.60s\" is not in corpus.domains", value, err);
}

rmx_status rmx__route(const rmx__router *r, const rmx__routed *d, rmx_buf *scratch,
                      const char **name, rmx_err *err) {
  *name = NULL;
  scratch->size = 0;
  rmx_buf_add(scratch, "", 0);
  for (size_t i = 0; i < r->n_parts; i++) {
    bool has = true;
    if (i) rmx_buf_puts(scratch, ":");
    RMX_TRY(put_part(r, &r->parts[i], d, scratch, &has, err));
    if (!has) return RMX_OK;
  }
  if (scratch->failed) return rmx_fail_memory(err, scratch->size, "the name of a domain");
  if (r->selection) return select_domain(r, scratch, name, err);
  escape_file(scratch);
  if (scratch->failed) return rmx_fail_memory(err, scratch->size, "the name of a domain");
  if (scratch->size > RMX__LONGEST_NAME)
    return no_domain(scratch, "the value has more than 199 bytes%s", "", err);
  *name = scratch->data;
  return RMX_OK;
}

// ---- the largest hosts

bool rmx__router_counts(const rmx__router *r) {
  return r->counting;
}

rmx__top_hosts *rmx__router_counters(void) {
  return rmx__top_hosts_new(COUNTERS);
}

rmx_status rmx__router_count(const rmx__router *r, const rmx__routed *d, rmx_buf *scratch,
                             rmx__top_hosts *counts, rmx_err *err) {
  size_t i = 0;
  while (i < r->n_parts && !r->parts[i].host) i++;
  if (i == r->n_parts) return RMX_OK;
  const rmx_buf *value = &d->values[r->parts[i].value];
  if (!d->has[r->parts[i].value] || !value->data ||
      !rmx__host_of(value->data, value->size, scratch))
    return RMX_OK;
  return rmx__top_hosts_add(counts, rmx__registered_domain(scratch->data), 1)
             ? RMX_OK
             : rmx_fail_memory(err, 0, "the counts of hosts");
}

rmx_status rmx__router_counted(rmx__router *r, const rmx__top_hosts *counts, rmx_err *err) {
  const size_t n = (size_t)(r->o->max_hosts > 0 ? r->o->max_hosts : 1);
  r->counting = false;
  if (!rmx__top_hosts_largest(counts, n, &r->hosts, NULL))
    return rmx_fail_memory(err, 0, "the counts of hosts");
  rmx_strings_sort(&r->hosts);
  return RMX_OK;
}
