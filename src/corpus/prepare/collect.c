// SPDX-License-Identifier: Apache-2.0
// Reads all text once, from its files into the parts of the spool. Every later step reads the
// spool: duplicates, split, overlaps, the tokenizer's sample, tokens. A thread reads one part at a
// time.
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "corpus/domains/route.h"
#include "documents.h"
#include "prepare.h"

enum { DOCUMENTS_BETWEEN_CHECKS = 64 };  // for progress and interruption

struct collecting {
  const rmx__collect *c;
  rmx__spool *spool;
  pthread_mutex_t lock;
  size_t failed;  // the first part that could not be read
  rmx_err err;
};

// A part that is being read.
struct reading {
  const rmx__collect *c;
  rmx__part *part;
  rmx__part_writer *writer;
  rmx__reader_options how;
  rmx_buf name;
};

// ---- one file

static rmx_status note_facts(struct reading *p, const rmx__reader *r, size_t file, uint64_t bytes,
                             bool none, rmx_err *err) {
  rmx__file_facts f = {.file = file,
                       .bytes = bytes,
                       .invalid_utf8 = r->lost.invalid_utf8,
                       .separators = r->separators,
                       .end_tokens = r->end_tokens,
                       .comment_lines = r->comment_lines,
                       .other_ids = r->other_ids,
                       .text = r->format->flags & RMX__FORMAT_TEXT,
                       .html = r->html,
                       .not_as_named = r->not_as_named,
                       .no_document = none};
  rmx__losses_add(&p->part->lost, &r->lost);
  memcpy(f.guessed, r->guessed, sizeof f.guessed);
  const bool plain = !*f.guessed && !f.invalid_utf8 && !f.end_tokens && !f.comment_lines &&
                     !f.other_ids && !f.html && !f.not_as_named && !none &&
                     !(f.text && !f.separators);
  if (plain && !p->part->end) return RMX_OK;
  return rmx__part_add_facts(p->part, &f, err);
}

// The domain of the present document; *name NULL: that of the source. *none: it has no domain.
static rmx_status route(struct reading *p, const rmx__reader *r, const char **name, bool *none,
                        rmx_err *err) {
  *name = NULL;
  *none = false;
  if (!p->c->sources[p->part->source]->divided) return RMX_OK;
  const rmx__routed by = rmx__routed_by(r);
  RMX_TRY(rmx__route(p->c->router, &by, &p->name, name, err));
  *none = !*name;
  return RMX_OK;
}

static rmx_status add_document(struct reading *p, const rmx__reader *r, rmx_err *err) {
  const char *name;
  bool none;
  RMX_TRY(route(p, r, &name, &none, err));
  if (none) return rmx__part_add_stray(p->part, p->name.data, err);
  const int64_t most = p->c->options->max_domains;
  if (most > 0 && p->part->names.n > (size_t)most) return rmx__too_many_domains(p->c->options, err);
  return rmx__part_writer_add(p->writer, r->text.data, r->text.size, name, err);
}

// Reads whole documents of one file until they have `share` bytes (0: all).
// *none: there is no document.
static rmx_status read_documents(struct reading *p, rmx__reader *r, uint64_t share, bool *none,
                                 rmx_err *err) {
  const uint64_t start = p->part->bytes;
  uint64_t told = 0;
  *none = true;
  rmx_status status = RMX_OK;
  bool more = true;
  for (size_t i = 0; more && status == RMX_OK; i++) {
    if (i % DOCUMENTS_BETWEEN_CHECKS == 0) {
      p->c->read(p->c->context, r->input.compressed - told);
      told = r->input.compressed;
      if (rmx_interrupted())
        return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while %s was read", r->path);
    }
    if (share && p->part->bytes - start >= share) break;
    status = rmx__reader_next(r, &more, err);
    if (more && status == RMX_OK) status = add_document(p, r, err);
    *none = *none && !more;
  }
  p->c->read(p->c->context, r->input.compressed - told);
  return status;
}

// The number of lines before a byte of a file, for messages.
static size_t lines_before(const char *path, uint64_t end) {
  enum { BLOCK = 1 << 16 };
  char block[BLOCK];
  size_t lines = 0;
  FILE *f = rmx_fopen(path, "rb");
  while (f && end) {
    const size_t n = fread(block, 1, end < BLOCK ? (size_t)end : BLOCK, f);
    if (n == 0) break;
    for (size_t i = 0; i < n; i++) lines += block[i] == '\n';
    end -= n;
  }
  if (f) fclose(f);
  return lines;
}

static rmx_status read_file(struct reading *p, size_t file, uint64_t share, size_t lines,
                            rmx_err *err) {
  const uint64_t start = p->part->bytes;
  bool none = false;
  rmx__reader r;
  rmx__reader_options how = p->how;
  if (p->part->begin) how.encoding = "UTF-8";  // the first range decides
  RMX_TRY(rmx__reader_open(&r, rmx__files_of(p->c, p->part)->items[file], &how, err));
  rmx_status status = RMX_OK;
  r.line_number = lines;
  if (p->part->end) status = rmx__input_range(&r.input, p->part->begin, p->part->end, err);
  if (status == RMX_OK) status = read_documents(p, &r, share, &none, err);
  if (status == RMX_OK) status = note_facts(p, &r, file, p->part->bytes - start, none, err);
  rmx__reader_close(&r);
  return status;
}

// ---- one part

// With max_bytes, the remaining budget is divided evenly among the remaining files, so that all
// files are used.
static rmx_status read_files(struct reading *p, size_t lines, rmx_err *err) {
  const uint64_t max = (uint64_t)p->c->options->max_bytes;
  rmx_status status = RMX_OK;
  for (size_t i = p->part->from; i < p->part->to && status == RMX_OK; i++) {
    uint64_t share = 0;
    if (max) {
      if (p->part->bytes >= max) break;
      share = (max - p->part->bytes) / (p->part->to - i);
      if (share == 0) share = 1;
    }
    status = read_file(p, i, share, lines, err);
  }
  return status;
}

static rmx_status read_part(struct collecting *k, rmx__part *part, size_t lines, rmx_err *err) {
  const rmx_domain_source *s = k->c->sources[part->source];
  struct reading p = {.c = k->c, .part = part, .how = rmx__reader_options_of(k->c->options, s)};
  if (s->divided) p.how.fields = rmx__router_fields(k->c->router);
  rmx_status status = rmx__part_writer_open(k->spool, part, &p.writer, err);
  if (status == RMX_OK) status = read_files(&p, lines, err);
  if (status == RMX_OK) status = rmx__part_writer_commit(p.writer, err);
  rmx__part_writer_free(p.writer);
  rmx_buf_release(&p.name);
  return status;
}

static void collect_part(void *context, size_t i) {
  struct collecting *k = context;
  rmx__part *part = &k->spool->parts[i];
  pthread_mutex_lock(&k->lock);
  const bool wanted = i < k->failed;
  pthread_mutex_unlock(&k->lock);
  if (!wanted || rmx_interrupted()) return;
  if (rmx__part_again(k->spool, part)) {
    k->c->read(k->c->context, part->file_bytes);
    return;
  }
  rmx_err err;
  rmx_status status = read_part(k, part, 0, &err);
  // The message has the number of a line. In a range it is counted from the start of the file.
  if (status == RMX_EINPUT && part->begin) {
    const char *path = rmx__files_of(k->c, part)->items[part->from];
    rmx__part_clear(part);
    status = read_part(k, part, lines_before(path, part->begin), &err);
  }
  if (status == RMX_OK) return;
  pthread_mutex_lock(&k->lock);
  if (i < k->failed) {
    k->failed = i;
    k->err = err;
  }
  pthread_mutex_unlock(&k->lock);
}

rmx_status rmx__collect_parts(rmx__spool *s, const rmx__collect *c, rmx_err *err) {
  RMX_TRY(rmx__parts_plan(s, c, err));
  RMX_TRY(rmx__spool_sweep(s, err));
  struct collecting k = {.c = c, .spool = s, .failed = SIZE_MAX};
  pthread_mutex_init(&k.lock, NULL);
  // The error of the first part, so that it does not depend on the threads.
  rmx_parallel(c->threads, s->n, collect_part, &k);
  pthread_mutex_destroy(&k.lock);
  if (k.failed < SIZE_MAX) {
    *err = k.err;
    return err->status;
  }
  return rmx_interrupted() ? rmx_fail(err, RMX_EINTERRUPTED, "interrupted while text was read")
                           : RMX_OK;
}
