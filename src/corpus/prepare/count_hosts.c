// SPDX-License-Identifier: Apache-2.0
// Counts the web hosts of all documents, before the documents are divided by the largest of them.
#include <stdlib.h>

#include "corpus/domains/route.h"
#include "corpus/domains/top_hosts.h"
#include "ordered.h"
#include "prepare.h"

struct counting {
  rmx__router *router;
  const rmx__count *c;
  size_t source, file;  // the next one; validation files come after the others
  rmx__top_hosts *all;
};

// The hosts of one file.
struct counted {
  const char *path;
  const rmx_domain_source *source;
  rmx__top_hosts *hosts;
};

static rmx_status take(void *context, void *item, uint64_t *bytes, bool *more, rmx_err *err) {
  (void)err;
  struct counting *k = context;
  struct counted *one = item;
  for (; k->source < k->c->n; k->source++, k->file = 0) {
    const rmx__files *files = &k->c->files[k->source];
    if (!k->c->sources[k->source]->divided || k->file == files->train.n + files->valid.n) continue;
    one->source = k->c->sources[k->source];
    one->path = k->file < files->train.n ? files->train.items[k->file]
                                         : files->valid.items[k->file - files->train.n];
    *bytes = 4 << 20;  // of its counters
    *more = true;
    k->file++;
    return RMX_OK;
  }
  *more = false;
  return RMX_OK;
}

static rmx_status count(struct counting *k, struct counted *one, rmx__reader *r, rmx_buf *scratch,
                        rmx_err *err) {
  uint64_t told = 0;
  bool more = true;
  for (size_t i = 0; more; i++) {
    RMX_TRY(rmx__reader_next(r, &more, err));
    const rmx__routed d = rmx__routed_by(r);
    if (more) RMX_TRY(rmx__router_count(k->router, &d, scratch, one->hosts, err));
    if (more && i % 256) continue;
    k->c->read(k->c->context, r->input.compressed - told);
    told = r->input.compressed;
    if (rmx_interrupted())
      return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while %s was read", one->path);
  }
  return RMX_OK;
}

static rmx_status work(void *context, void *item, rmx_err *err) {
  struct counting *k = context;
  struct counted *one = item;
  rmx__reader_options o = rmx__reader_options_of(k->c->options, one->source);
  o.fields = rmx__router_fields(k->router);
  rmx__top_hosts_free(one->hosts);
  if (!(one->hosts = rmx__router_counters())) return rmx_fail_memory(err, 0, "the counts of hosts");
  rmx__reader r;
  rmx_buf scratch = {0};
  RMX_TRY(rmx__reader_open(&r, one->path, &o, err));
  const rmx_status status = count(k, one, &r, &scratch, err);
  rmx__reader_close(&r);
  rmx_buf_release(&scratch);
  return status;
}

static rmx_status put(void *context, void *item, bool *more, rmx_err *err) {
  (void)more;
  struct counting *k = context;
  return rmx__top_hosts_merge(k->all, ((struct counted *)item)->hosts)
             ? RMX_OK
             : rmx_fail_memory(err, 0, "the counts of hosts");
}

static void release(void *item) {
  rmx__top_hosts_free(((struct counted *)item)->hosts);
}

rmx_status rmx__router_count_all(rmx__router *r, const rmx__count *c, rmx_err *err) {
  if (!rmx__router_counts(r)) return RMX_OK;
  static const rmx__ordered stages = {sizeof(struct counted), take, work, put, release};
  struct counting k = {.router = r, .c = c, .all = rmx__router_counters()};
  if (!k.all) return rmx_fail_memory(err, 0, "the counts of hosts");
  rmx_status status = rmx__ordered_run(&stages, c->threads, &k, err);
  if (status == RMX_OK) status = rmx__router_counted(r, k.all, err);
  rmx__top_hosts_free(k.all);
  return status;
}
