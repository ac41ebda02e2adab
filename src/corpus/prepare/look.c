// SPDX-License-Identifier: Apache-2.0
// Looks at the files of a domain before the long work: can they be opened, and can their first
// documents be read?
#include <stdlib.h>
#include <string.h>

#include "corpus/readers/format.h"
#include "corpus/readers/tokens/ids_tokenizer.h"
#include "prepare.h"

// The endings of format and compression: "A.JSONL.gz" -> ".JSONL.gz".
static const char *ending(const char *path) {
  return path + rmx__stem(path);
}

static void add_format(rmx_source_look *look, const char *path) {
  const char *e = ending(path);
  const size_t n = strlen(e), room = sizeof look->format;
  for (const char *at = look->format; (at = strstr(at, e)); at += n)
    if (at[n] == '\0' || at[n] == ',') return;
  const size_t used = strlen(look->format);
  if (used + n + 3 < room) snprintf(look->format + used, room - used, "%s%s", used ? ", " : "", e);
}

// Whether the text of a file is larger than the file.
static bool is_packed(const char *path) {
  size_t stem;
  const rmx__format *f = rmx__format_of(path);
  return rmx__compression_of(path, &stem) || f == &rmx__format_parquet || f == &rmx__format_arrow;
}

// The search for two different documents in the files of a domain.
typedef struct searched {
  const char *domain;
  bool dedup;
  size_t different;  // different documents found, up to 2
  uint64_t first;    // hash of the first
  uint64_t copies;   // of the first
  uint64_t bytes;    // read of all files
  bool all;          // all was read
} searched;

enum { LOOKED_AT = 1 << 16, SEARCHED = 64 << 20 };  // bytes of a file, and of a domain

static void found(searched *s, const rmx_buf *text) {
  const uint64_t hash = rmx_hash(text->data, text->size, 0);
  s->bytes += text->size;
  if (s->different == 0)
    s->first = hash;
  else if (s->dedup && hash == s->first) {
    s->copies++;
    return;
  }
  if (s->different < 2) s->different++;
}

// Reads the first documents of a file. A file without documents is not an error here: the domain
// may have others. share: bytes of it that prepare reads; 0: all.
static rmx_status try_file(const char *path, const rmx__reader_options *o, searched *s,
                           uint64_t share, rmx_source_look *look, rmx_err *err) {
  rmx__reader r;
  RMX_TRY(rmx__reader_open(&r, path, o, err));
  bool more = true;
  uint64_t bytes = 0;
  rmx_status status = RMX_OK;
  while (status == RMX_OK && more &&
         (bytes < LOOKED_AT || (s->different < 2 && s->bytes < SEARCHED))) {
    status = rmx__reader_next(&r, &more, err);
    if (status != RMX_OK || !more) break;
    bytes += r.text.size;
    found(s, &r.text);
    if (share && bytes >= share) more = false;
  }
  s->all = s->all && !more;
  if (status == RMX_OK && bytes == 0) rmx_few_add(&look->without_text, path);
  const double replaced = rmx__share_replaced(r.lost.invalid_utf8, bytes);
  if (replaced > RMX__SOME_REPLACED) rmx_few_add(&look->not_utf8, path);
  if (status == RMX_OK && replaced > RMX__MANY_REPLACED && !o->skip_bad)
    status = rmx__fail_charset(s->domain, path, o->encoding, r.lost.invalid_utf8, bytes, 0, err);
  rmx__reader_close(&r);
  return status;
}

static rmx_status look(const rmx_corpus_options *options, const rmx_domain_source *source,
                       const char *base, bool read, rmx_source_look *out, rmx_err *err) {
  *out = (rmx_source_look){0};
  rmx__files files;
  RMX_TRY(rmx__files_find(source, base, &files, err));
  out->files = files.train.n;
  out->valid_files = files.valid.n;
  out->bytes = files.bytes;
  out->unread = files.unread;
  const rmx__reader_options o = rmx__reader_options_of(options, source);
  searched s = {.domain = source->name, .dedup = options->dedup, .all = read};
  const uint64_t max = (uint64_t)options->max_bytes;
  rmx_status status = RMX_OK;
  const rmx_strings *lists[] = {&files.train, &files.valid};
  for (size_t l = 0; l < 2; l++)
    for (size_t i = 0; i < lists[l]->n && status == RMX_OK; i++) {
      const char *path = lists[l]->items[i];
      if (rmx__format_of(path)) add_format(out, path);
      if (i == 0) s.bytes = 0;
      const uint64_t left = max > s.bytes ? (max - s.bytes) / (lists[l]->n - i) : 0,
                     share = max ? (left ? left : 1) : 0;
      out->packed = out->packed || is_packed(path);
      if (max && s.bytes >= max) continue;
      if (read || !rmx__format_of(path)) status = try_file(path, &o, &s, share, out, err);
      if (status == RMX_OK && rmx_interrupted())
        status = rmx_fail(err, RMX_EINTERRUPTED, "interrupted while %s was read", path);
    }
  // Without validation text of its own, the domain must be split.
  out->one_document = s.all && s.different == 1 && !source->valid_only && files.valid.n == 0;
  out->copies = s.copies;
  rmx__files_release(&files);
  return status;
}

rmx_status rmx_corpus_look(const rmx_corpus_options *options, const rmx_domain_source *source,
                           const char *base, bool read, rmx_source_look *out, rmx_err *err) {
  struct rmx_ids_tokenizer ids;
  const rmx_corpus_options with = rmx__ids_tokenizer_begin(&ids, options, base);
  const rmx_status status = look(&with, source, base, read, out, err);
  rmx__ids_tokenizer_end(&ids);
  return status;
}
