// SPDX-License-Identifier: Apache-2.0
// route.h: the domain of each document, by what is in it: by the values of its fields, by the web
// host in a field, or by a classifier of text.
#ifndef RMX_CORPUS_DOMAINS_ROUTE_H
#define RMX_CORPUS_DOMAINS_ROUTE_H

#include <regmix/corpus.h>

#include "corpus/readers/reader.h"

typedef struct rmx__router rmx__router;

// sources (n): if some have `values`, the documents of all other values belong to no domain. The
// options and the sources must outlive the router. RMX_EINPUT: corpus.domain_field cannot be
// understood, or two settings exclude each other. Free the result with rmx__router_free().
rmx_status rmx__router_open(const rmx_corpus_options *o, const rmx_domain_source *sources, size_t n,
                            const char *base, rmx__router **out, rmx_err *err);
void rmx__router_free(rmx__router *r);

// The fields that the reader must find (rmx__reader_options.fields).
const rmx_strings *rmx__router_fields(const rmx__router *r);

// Whether all names are known before a document is read; they are those of the sources.
bool rmx__router_is_closed(const rmx__router *r);

// The error for more than max_domains different names.
rmx_status rmx__too_many_domains(const rmx_corpus_options *o, rmx_err *err);

// What a document is divided by. values (n), has (n): of the fields, in the order of
// rmx__router_fields().
typedef struct rmx__routed {
  const char *text;
  size_t size;
  const rmx_buf *values;
  const bool *has;
} rmx__routed;

static inline rmx__routed rmx__routed_by(const rmx__reader *r) {
  return (rmx__routed){r->text.data, r->text.size, r->values, r->has};
}

// The domain of a document. *name NULL: it belongs to none, and `scratch` holds the reason, a
// sentence without a full stop that is the same for all documents with the same reason. The name is
// in the router or in `scratch`. Several threads can use one router. Cost: O(length of the values);
// a classifier reads the text.
rmx_status rmx__route(const rmx__router *r, const rmx__routed *d, rmx_buf *scratch,
                      const char **name, rmx_err *err);

// Adds what is named in corpus.hosts and corpus.domains and no document had so far: "corpus.hosts:
// HOST", "DOMAIN: VALUE".
rmx_status rmx__router_unused(const rmx__router *r, rmx_strings *out, rmx_err *err);

// ---- the largest hosts, which must be counted before documents are divided

typedef struct rmx__top_hosts rmx__top_hosts;

// Whether documents must be counted first.
bool rmx__router_counts(const rmx__router *r);
// Counts the host of a document in `counts`, which belongs to one thread.
rmx_status rmx__router_count(const rmx__router *r, const rmx__routed *d, rmx_buf *scratch,
                             rmx__top_hosts *counts, rmx_err *err);
// New counters for one thread or one file; free them with rmx__top_hosts_free().
rmx__top_hosts *rmx__router_counters(void);
// Ends the counting: from here on, the names of the largest hosts are domains.
rmx_status rmx__router_counted(rmx__router *r, const rmx__top_hosts *counts, rmx_err *err);

// All files of divided sources, to be counted.
typedef struct rmx__count {
  const rmx_corpus_options *options;
  const rmx_domain_source *const *sources;  // (n)
  const struct rmx__files *files;           // (n)
  size_t n;
  int threads;
  void (*read)(void *context, uint64_t bytes);  // reports bytes read; called by any thread
  void *context;
} rmx__count;
// Counts the hosts of all documents, if that is needed. The counters of a file are merged in the
// order of the files, so the result does not depend on the threads. Cost: reads all files.
rmx_status rmx__router_count_all(rmx__router *r, const rmx__count *c, rmx_err *err);

// A hash of all that the domain of a document depends on: settings, models, and the hosts.
uint64_t rmx__router_hash(const rmx__router *r);

#endif
