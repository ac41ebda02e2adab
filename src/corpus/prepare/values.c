// SPDX-License-Identifier: Apache-2.0
// The domains of the first documents of files that are divided, before all are read.
#include <stdlib.h>
#include <string.h>

#include "corpus/domains/fields.h"
#include "corpus/domains/route.h"
#include "corpus/domains/top_hosts.h"
#include "corpus/readers/tokens/ids_tokenizer.h"
#include "prepare.h"

// bytes of text to read in all, and of a file; files to open, spread evenly over the list
enum { LOOKED_AT = 64 << 20, OF_A_FILE = 8 << 20, FILES = 512 };
enum { FIELDS_OF = 32 };  // documents of a file whose fields are listed

struct look {
  const rmx_corpus_options *o;
  rmx__router *router;  // NULL: only the fields are wanted
  rmx_values_look *out;
  rmx__top_hosts *names, *hosts, *why;
  rmx__fields_seen fields;
  rmx_buf scratch;
};

static rmx_status route_one(struct look *l, const rmx__reader *r, rmx_err *err) {
  const rmx__routed d = rmx__routed_by(r);
  const char *name;
  if (rmx__router_counts(l->router))
    return rmx__router_count(l->router, &d, &l->scratch, l->hosts, err);
  l->out->n++;
  RMX_TRY(rmx__route(l->router, &d, &l->scratch, &name, err));
  l->out->without += !name;
  return rmx__top_hosts_add(name ? l->names : l->why, name ? name : l->scratch.data, 1)
             ? RMX_OK
             : rmx_fail_memory(err, 0, "the names of domains");
}

static rmx_status look_at_file(struct look *l, const char *path, const rmx__reader_options *o,
                               uint64_t share, rmx_err *err) {
  rmx__reader r;
  RMX_TRY(rmx__reader_open(&r, path, o, err));
  bool more = true;
  uint64_t bytes = 0;
  rmx_status status = RMX_OK;
  for (size_t i = 0; status == RMX_OK && bytes < share; i++) {
    status = rmx__reader_next(&r, &more, err);
    if (status != RMX_OK || !more) break;
    bytes += r.text.size;
    if (i < FIELDS_OF) rmx__fields_look(&l->fields, &r);
    if (l->router) status = route_one(l, &r, err);
    if (status == RMX_OK && rmx_interrupted())
      status = rmx_fail(err, RMX_EINTERRUPTED, "interrupted while %s was read", path);
  }
  l->out->all = l->out->all && !more;
  rmx__reader_close(&r);
  return status;
}

static rmx_status look_at_source(struct look *l, const rmx_domain_source *s, const char *base,
                                 rmx_err *err) {
  rmx__files files;
  rmx__reader_options o = rmx__reader_options_of(l->o, s);
  if (l->router) o.fields = rmx__router_fields(l->router);
  RMX_TRY(rmx__files_find(s, base, &files, err));
  const rmx_strings *list = &files.train;
  const size_t step = (list->n + FILES - 1) / FILES, n = step ? (list->n + step - 1) / step : 1;
  const uint64_t share = LOOKED_AT / n < OF_A_FILE ? LOOKED_AT / n : OF_A_FILE;
  l->out->all = l->out->all && step == 1;
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < list->n && status == RMX_OK; i += step)
    status = look_at_file(l, list->items[i], &o, share, err);
  rmx__files_release(&files);
  return status;
}

// Of the first file of each source, if it has columns.
static rmx_status look_at_columns(struct look *l, const rmx_domain_source *sources, size_t n,
                                  const char *base, rmx_err *err) {
  l->fields.documents = 0;
  for (size_t i = 0; i < n; i++) {
    if (!sources[i].divided && (l->router || !sources[i].files.n)) continue;
    const rmx__reader_options o = rmx__reader_options_of(l->o, &sources[i]);
    rmx__files files;
    RMX_TRY(rmx__files_find(&sources[i], base, &files, err));
    if (files.train.n) rmx__fields_look_at_columns(&l->fields, files.train.items[0], &o);
    rmx__files_release(&files);
  }
  return RMX_OK;
}

static rmx_status look_at_all(struct look *l, const rmx_domain_source *sources, size_t n,
                              const char *base, rmx_err *err) {
  l->out->all = true;
  for (size_t i = 0; i < n; i++)
    if (sources[i].divided || (!l->router && sources[i].files.n))
      RMX_TRY(look_at_source(l, &sources[i], base, err));
  return RMX_OK;
}

// Takes the names and the reasons from the counters.
static rmx_status take_counts(struct look *l, rmx_err *err) {
  rmx_values_look *out = l->out;
  rmx_strings why = {0};
  const size_t most = (size_t)l->o->max_domains + 1;
  out->documents = rmx_calloc(most, sizeof *out->documents);
  bool good = out->documents &&
              rmx__top_hosts_largest(l->names, most, &out->names, out->documents) &&
              rmx__top_hosts_largest(l->why, 4, &why, NULL);
  for (size_t i = 0; good && i < why.n; i++) rmx_few_add(&out->why, why.items[i]);
  rmx_strings_release(&why);
  return good ? RMX_OK : rmx_fail_memory(err, 0, "the names of domains");
}

static rmx_status check_counts(const struct look *l, rmx_err *err) {
  const rmx_values_look *out = l->out;
  char by[160];
  if (out->n == 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: no document was found in the files of corpus.folder; corpus.text_field is "
                    "\"%s\"",
                    rmx_corpus_divided_by(l->o, by), l->o->text_field);
  if (out->names.n == 0)
    return rmx_fail(err, RMX_EINPUT, "%s: none of the first %llu documents has a domain (%s)%s%s",
                    rmx_corpus_divided_by(l->o, by), (unsigned long long)out->n, out->why.text,
                    *out->fields ? "; fields that could divide them: " : "", out->fields);
  if (out->names.n > (size_t)l->o->max_domains) return rmx__too_many_domains(l->o, err);
  // With so many documents, a field whose values all differ is an id.
  enum { MANY = 100 };
  if (!rmx__router_is_closed(l->router) && out->names.n > 1 && out->documents[0] == 1 &&
      (out->all || out->names.n >= MANY))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: no two of %s%llu documents have the same value, as in an id, so no value "
                    "can be a domain%s%s",
                    rmx_corpus_divided_by(l->o, by), out->all ? "all " : "the first ",
                    (unsigned long long)out->n,
                    *out->fields ? "; fields that could divide them: " : "", out->fields);
  return RMX_OK;
}

static rmx_status look(struct look *l, const rmx_domain_source *sources, size_t n, const char *base,
                       rmx_err *err) {
  if (!l->names || !l->hosts || !l->why) return rmx_fail_memory(err, 0, "the names of domains");
  RMX_TRY(look_at_all(l, sources, n, base, err));
  if (l->router && rmx__router_counts(l->router)) {
    RMX_TRY(rmx__router_counted(l->router, l->hosts, err));
    RMX_TRY(look_at_all(l, sources, n, base, err));
  }
  // JSON has its fields in each document; columns are read for the suggestion alone.
  if (l->fields.n == 0 && l->out->without == l->out->n)
    RMX_TRY(look_at_columns(l, sources, n, base, err));
  rmx_buf fields = {0};
  rmx__fields_suggest(&l->fields, &fields);
  if (!fields.failed && fields.size)
    snprintf(l->out->fields, sizeof l->out->fields, "%s", fields.data);
  rmx_buf_release(&fields);
  if (!l->router) return RMX_OK;
  RMX_TRY(take_counts(l, err));
  RMX_TRY(rmx__router_unused(l->router, &l->out->unused, err));
  return check_counts(l, err);
}

static rmx_status values(const rmx_corpus_options *o, const rmx_domain_source *sources, size_t n,
                         const char *base, rmx_values_look *out, rmx_err *err) {
  *out = (rmx_values_look){0};
  struct look l = {.o = o, .out = out};
  if (rmx_corpus_is_divided(o)) RMX_TRY(rmx__router_open(o, sources, n, base, &l.router, err));
  l.names = rmx__router_counters();
  l.hosts = rmx__router_counters();
  l.why = rmx__top_hosts_new(64);
  rmx_status status = look(&l, sources, n, base, err);
  rmx__router_free(l.router);
  rmx__top_hosts_free(l.names);
  rmx__top_hosts_free(l.hosts);
  rmx__top_hosts_free(l.why);
  rmx__fields_release(&l.fields);
  rmx_buf_release(&l.scratch);
  if (status != RMX_OK) rmx_values_look_release(out);
  return status;
}

rmx_status rmx_corpus_values(const rmx_corpus_options *o, const rmx_domain_source *sources,
                             size_t n, const char *base, rmx_values_look *out, rmx_err *err) {
  if (o->ids) return values(o, sources, n, base, out, err);  // the caller has the tokenizer
  struct rmx_ids_tokenizer ids;
  const rmx_corpus_options with = rmx__ids_tokenizer_begin(&ids, o, base);
  const rmx_status status = values(&with, sources, n, base, out, err);
  rmx__ids_tokenizer_end(&ids);
  return status;
}

void rmx_values_look_release(rmx_values_look *v) {
  rmx_strings_release(&v->names);
  rmx_strings_release(&v->unused);
  free(v->documents);
  *v = (rmx_values_look){0};
}
