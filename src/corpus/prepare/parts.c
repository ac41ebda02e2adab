// SPDX-License-Identifier: Apache-2.0
// Divides the files of a corpus into parts. Many small files are one part; a large file of JSON
// lines is divided into ranges, which begin at lines.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "corpus/domains/route.h"
#include "corpus/readers/format.h"
#include "corpus/readers/tokens/ids_tokenizer.h"
#include "documents.h"
#include "limits.h"
#include "prepare.h"

// Increase it if documents are read in another way.
enum { SPOOL_VERSION = 3, BLOCK = 1 << 16 };

struct planning {
  rmx__spool *spool;
  const rmx__collect *c;
  size_t capacity;
  uint64_t settings;  // hash of what applies to the present source
  rmx__part part;     // that files are added to
};

// All settings that the documents of a source depend on, beside its files.
static uint64_t settings_hash(const rmx__collect *c, size_t source) {
  const rmx_corpus_options *o = c->options;
  const rmx_domain_source *s = c->sources[source];
  const rmx__reader_options r = rmx__reader_options_of(o, s);
  const int64_t numbers[] = {SPOOL_VERSION, r.skip_bad, (int64_t)r.max_document, o->max_bytes};
  uint64_t h = rmx_hash(numbers, sizeof numbers, 0);
  h = rmx__hash_text(r.file_separator,
                     rmx__hash_text(r.separator, rmx__hash_text(r.text_field, h)));
  if (r.encoding) h = rmx__hash_text(r.encoding, h);
  if (!s->divided) return h;
  const uint64_t router = rmx__router_hash(c->router);
  return rmx_hash(&router, sizeof router, h);
}

static rmx_status add_part(struct planning *p, rmx_err *err) {
  rmx__spool *s = p->spool;
  if (s->n == p->capacity) {
    p->capacity = p->capacity ? 2 * p->capacity : 64;
    rmx__part *parts = rmx_realloc(s->parts, p->capacity, sizeof *parts);
    if (!parts) return rmx_fail_memory(err, p->capacity * sizeof *parts, "the parts of the text");
    s->parts = parts;
  }
  s->parts[s->n++] = p->part;
  return RMX_OK;
}

// Starts a part at a file.
static void begin(struct planning *p, size_t source, bool valid, size_t file) {
  p->part =
      (rmx__part){.source = source, .valid = valid, .from = file, .to = file, .key = p->settings};
}

// A file that was written again has other times, even if its size is the same.
static void add_to_key(struct planning *p, const char *path, const struct stat *info) {
  const int64_t facts[] = {info->st_size,          info->st_mtim.tv_sec,  info->st_mtim.tv_nsec,
                           info->st_ctim.tv_sec,   info->st_ctim.tv_nsec, (int64_t)info->st_ino,
                           (int64_t)p->part.begin, (int64_t)p->part.end};
  p->part.key = rmx_hash(facts, sizeof facts, rmx__hash_text(path, p->part.key));
  const rmx_tokenizer *t;
  rmx_err ignored;  // it is reported when the file is read
  if (rmx__format_of(path) == &rmx__format_tokens &&
      rmx__ids_tokenizer_get(p->c->options->ids, path, &t, &ignored) == RMX_OK)
    p->part.key ^= rmx_tokenizer_hash(t);
}

// ---- large files

// Whether each line is an object. Of an array, or of objects over several lines, the ranges would
// not be known without reading it.
// If the file may have another character set, a range could not know which one.
static bool is_json_lines(const char *path, const char *encoding, int fd) {
  static const char *const endings[] = {".jsonl", ".ndjson", ".json"};
  char first[BLOCK];
  const size_t n = strlen(path);
  bool known = false;
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    const size_t k = strlen(endings[i]);
    known = known || (k < n && strcasecmp(path + n - k, endings[i]) == 0);
  }
  const ssize_t size = known ? pread(fd, first, sizeof first, 0) : 0;
  return size > 2 && first[0] == '{' && (first[1] == '"' || first[1] == ' ') &&
         rmx__charset_is_sure(encoding, first, (size_t)size);
}

// The start of the first line at byte `at` or after it that looks like an object; the size of the
// file if there is none. Reads the byte before `at` as well.
static uint64_t cut_at(int fd, uint64_t at, uint64_t size) {
  char block[BLOCK + 2];
  bool feed = false;
  for (uint64_t from = at - 1; from < size;) {
    const ssize_t n = pread(fd, block, sizeof block, (off_t)from);
    if (n <= 2) break;
    for (ssize_t i = 0; i < n - 2; i++) {
      if (feed && block[i] == '{' && (block[i + 1] == '"' || block[i + 1] == ' '))
        return from + (uint64_t)i;
      feed = block[i] == '\n';
    }
    from += (uint64_t)n - 2;
  }
  return size;
}

static rmx_status add_ranges(struct planning *p, const char *path, int fd, const struct stat *info,
                             rmx_err *err) {
  const uint64_t size = (uint64_t)info->st_size, step = rmx__limits.part_bytes;
  const rmx__part start = p->part;
  for (uint64_t at = 0, end; at < size; at = end) {
    end = size - at > step ? cut_at(fd, at + step, size) : size;
    p->part = start;
    p->part.to = start.from + 1;
    p->part.begin = at;
    p->part.end = end;
    p->part.file_bytes = end - at;
    add_to_key(p, path, info);
    RMX_TRY(add_part(p, err));
    if (rmx_interrupted()) return rmx_fail(err, RMX_EINTERRUPTED, "interrupted");
  }
  return RMX_OK;
}

// *done: the file is divided into parts of its own.
static rmx_status try_ranges(struct planning *p, const char *path, const struct stat *info,
                             bool *done, rmx_err *err) {
  *done = false;
  if ((uint64_t)info->st_size < 2 * rmx__limits.part_bytes || p->c->options->max_bytes)
    return RMX_OK;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return rmx_fail_errno(err, "cannot read %s", path);
  rmx_status status = RMX_OK;
  const char *encoding =
      rmx__reader_options_of(p->c->options, p->c->sources[p->part.source]).encoding;
  if ((*done = is_json_lines(path, encoding, fd))) status = add_ranges(p, path, fd, info, err);
  close(fd);
  return status;
}

// ---- all files

static rmx_status plan_list(struct planning *p, size_t source, bool valid, rmx_err *err) {
  const rmx__files *files = &p->c->files[source];
  const rmx_strings *list = valid ? &files->valid : &files->train;
  begin(p, source, valid, 0);
  for (size_t i = 0; i < list->n; i++) {
    struct stat info;
    bool ranges = false;
    if (stat(list->items[i], &info) != 0)
      return rmx_fail_errno(err, "cannot read %s", list->items[i]);
    const uint64_t size = (uint64_t)info.st_size;
    // With max_bytes, what is read of a file depends on the files before it: one part.
    if (p->part.to > p->part.from && !p->c->options->max_bytes &&
        p->part.file_bytes + size > rmx__limits.part_bytes) {
      RMX_TRY(add_part(p, err));
      begin(p, source, valid, i);
    }
    if (p->part.to == p->part.from) RMX_TRY(try_ranges(p, list->items[i], &info, &ranges, err));
    if (ranges) {
      begin(p, source, valid, i + 1);
      continue;
    }
    add_to_key(p, list->items[i], &info);
    p->part.file_bytes += size;
    p->part.to = i + 1;
  }
  return p->part.to > p->part.from ? add_part(p, err) : RMX_OK;
}

rmx_status rmx__parts_plan(rmx__spool *s, const rmx__collect *c, rmx_err *err) {
  struct planning p = {.spool = s, .c = c};
  for (size_t i = 0; i < c->n; i++) {
    p.settings = settings_hash(c, i);
    RMX_TRY(plan_list(&p, i, false, err));
    RMX_TRY(plan_list(&p, i, true, err));
  }
  return RMX_OK;
}
