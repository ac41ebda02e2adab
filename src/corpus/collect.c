// SPDX-License-Identifier: Apache-2.0
// Reads all text of a domain once into a temporary file without a name, and maps it. So every later
// step (duplicates, split, overlaps, the tokenizer's sample, tokens) can access each document, and
// the system decides how much of the text is in memory.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/temporary.h"
#include "corpus/readers/reader.h"
#include "documents.h"

enum { DOCUMENTS_BETWEEN_CHECKS = 64 };  // for progress and interruption

static rmx_status spool_open(FILE **out, const char *folder, rmx_err *err) {
  char *path = NULL;
  int fd = rmx__temporary(folder, &path);
  rmx_status status = RMX_OK;
  if (fd < 0 || !(*out = rmx_fdopen(fd, "w+b"))) {
    status = rmx_fail_errno(err, "cannot make a temporary file in %s", folder);
    if (fd >= 0) close(fd);
  }
  if (path) unlink(path);
  rmx__temporary_done(path);
  return status;
}

static rmx_status spool_map(FILE *spool, uint64_t size, const char *folder, rmx_map *out,
                            rmx_err *err) {
  if (fflush(spool) != 0)
    return rmx_fail_errno(err, "cannot write %llu bytes of text to a temporary file in %s",
                          (unsigned long long)size, folder);
  if (size == 0) return RMX_OK;
  void *data = mmap(NULL, size, PROT_READ, MAP_SHARED, fileno(spool), 0);
  if (data == MAP_FAILED) return rmx_fail_errno(err, "cannot map a temporary file in %s", folder);
  *out = (rmx_map){data, size};
  return RMX_OK;
}

static rmx_status add(rmx__documents *d, FILE *spool, const rmx_buf *text, rmx__fate fate,
                      const char *folder, rmx_err *err) {
  if (d->n == d->capacity) {
    size_t capacity = d->capacity ? 2 * d->capacity : 256;
    rmx__document *items = rmx_realloc(d->items, capacity, sizeof *items);
    if (!items) return rmx_fail_memory(err, capacity * sizeof *items, "a list of documents");
    d->items = items;
    d->capacity = capacity;
  }
  errno = 0;
  if (fwrite(text->data, 1, text->size, spool) != text->size)
    return rmx_fail_errno(err, "cannot write %llu bytes of text to a temporary file in %s",
                          (unsigned long long)(d->bytes + text->size), folder);
  d->items[d->n++] =
      (rmx__document){rmx_hash(text->data, text->size, 0), d->bytes, text->size, fate};
  d->bytes += text->size;
  return RMX_OK;
}

// Counts files whose separator seems to be wrong, and files that are not text. Keeps the name of
// the first file for each warning.
static void note_warnings(rmx__documents *d, const rmx__reader *r, uint64_t bytes) {
  const double replaced = rmx__share_replaced(r->invalid_utf8, bytes);
  if (replaced > RMX__MANY_REPLACED && d->foreign.files++ == 0) {
    d->foreign.path = r->path;
    d->foreign.replaced = r->invalid_utf8;
    d->foreign.bytes = bytes;
  }
  enum { FEW_LINES = 3, MUCH_TEXT = 10000000 };
  const bool text = r->format->flags & RMX__FORMAT_TEXT;
  const bool seen[RMX__TEXT_WARNINGS] = {
      [RMX__WARN_END_TOKEN] = r->end_tokens >= FEW_LINES,
      [RMX__WARN_COMMENTS] =
          r->separators && r->comment_lines >= FEW_LINES && r->comment_lines >= r->separators,
      [RMX__WARN_NO_SEPARATOR] = text && r->separators == 0 && r->end_tokens < FEW_LINES &&
                                 bytes >= MUCH_TEXT && strcmp(r->o.separator, "none") != 0,
      [RMX__WARN_HTML] = text && r->html,
      [RMX__WARN_CHARSET] = replaced > RMX__SOME_REPLACED,
  };
  for (size_t i = 0; i < RMX__TEXT_WARNINGS; i++)
    if (seen[i] && d->warnings[i].files++ == 0) d->warnings[i].path = r->path;
}

// Reads whole documents of one file until they have `share` bytes (0: all).
static rmx_status collect_file(rmx__documents *d, FILE *spool, const char *path, rmx__fate fate,
                               uint64_t share, const rmx__collect_options *o, rmx_err *err) {
  rmx__reader r;
  RMX_TRY(rmx__reader_open(&r, path, &o->reader, err));
  rmx_status status = RMX_OK;
  uint64_t start = d->bytes, told = 0;
  bool more = true;
  for (size_t i = 0; more && status == RMX_OK; i++) {
    if (i % DOCUMENTS_BETWEEN_CHECKS == 0) {
      o->read(o->context, r.input.compressed - told);
      told = r.input.compressed;
      if (rmx_interrupted()) {
        status = rmx_fail(err, RMX_EINTERRUPTED, "interrupted while %s was read", path);
        break;
      }
    }
    if (share && d->bytes - start >= share) break;
    status = rmx__reader_next(&r, &more, err);
    if (more && status == RMX_OK) status = add(d, spool, &r.text, fate, o->folder, err);
  }
  o->read(o->context, r.input.compressed - told);
  d->bad_lines += r.bad_lines;
  d->no_text += r.no_text;
  d->invalid_utf8 += r.invalid_utf8;
  note_warnings(d, &r, d->bytes - start);
  rmx__reader_close(&r);
  return status;
}

rmx_status rmx__documents_collect(rmx__documents *d, const rmx__files *files,
                                  const rmx__collect_options *o, rmx_err *err) {
  FILE *spool = NULL;
  RMX_TRY(spool_open(&spool, o->folder, err));
  rmx_status status = RMX_OK;
  const rmx_strings *parts[] = {&files->train, &files->valid};
  for (int p = 0; p < 2; p++) {
    rmx__fate fate = p == 1 || d->valid_only ? RMX__VALID : RMX__TRAIN;
    uint64_t first = d->bytes;
    for (size_t i = 0; i < parts[p]->n && status == RMX_OK; i++) {
      uint64_t used = d->bytes - first, share = 0;
      if (o->max_bytes) {
        if (used >= o->max_bytes) break;
        share = (o->max_bytes - used) / (parts[p]->n - i);
        if (share == 0) share = 1;
      }
      status = collect_file(d, spool, parts[p]->items[i], fate, share, o, err);
    }
  }
  d->files = files->train.n + files->valid.n;
  if (status == RMX_OK && d->foreign.files && !o->reader.skip_bad)
    status = rmx__fail_charset(d->name, d->foreign.path, d->foreign.replaced, d->foreign.bytes,
                               d->foreign.files - 1, err);
  if (status == RMX_OK) status = spool_map(spool, d->bytes, o->folder, &d->text, err);
  fclose(spool);
  return status;
}

void rmx__documents_release(rmx__documents *d) {
  free(d->items);
  rmx_map_release(&d->text);
  *d = (rmx__documents){0};
}
