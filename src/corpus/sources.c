// SPDX-License-Identifier: Apache-2.0
// Where the text of a corpus is: globs to files, and a hash of them to tell whether
// what was prepared is still what was asked for.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "documents.h"
#include "reader.h"

// ---- globs to files ----------------------------------------------------------------------

char *rmx__as_pattern(const char *path) {
  rmx_buf b = {0};
  rmx_buf_add(&b, "", 0);
  for (; *path; path++) {
    if (strchr("*?[]{}\\", *path)) rmx_buf_puts(&b, "\\");
    rmx_buf_add(&b, path, 1);
  }
  if (b.failed) rmx_buf_release(&b);
  return b.data;
}

static rmx_status find(const char *name, const rmx_strings *globs, const char *base, rmx_strings *out,
                       uint64_t *bytes, rmx_err *err) {
  for (size_t i = 0; i < globs->n; i++) {
    char *folder = rmx__as_pattern(base ? base : ""),
         *pattern = folder ? rmx_path_in(folder, globs->items[i]) : NULL;
    free(folder);
    if (!pattern) return rmx_fail_memory(err, strlen(globs->items[i]), "a path");
    size_t first = out->n;
    rmx_status status = rmx_glob(pattern, out, err);
    if (status == RMX_OK && out->n == first)
      status = rmx_fail(err, RMX_EINPUT, "domain \"%s\": no file matches %s", name, pattern);
    free(pattern);
    RMX_TRY(status);
    for (size_t j = first; j < out->n; j++) {
      const char *path = out->items[j];
      struct stat info;
      if (stat(path, &info) != 0) return rmx_fail_errno(err, "domain \"%s\": cannot read %s", name, path);
      if (!S_ISREG(info.st_mode))
        return rmx_fail(err, RMX_EINPUT,
                        "domain \"%s\": %s is not a file; name the files in it, as in %s/*.jsonl", name, path,
                        path);
      for (size_t k = 0; k < first; k++)
        if (strcmp(out->items[k], path) == 0)
          return rmx_fail(err, RMX_EINPUT, "domain \"%s\": %s is matched by two of its patterns", name, path);
      *bytes += (uint64_t)info.st_size;
    }
  }
  return RMX_OK;
}

rmx_status rmx__files_find(const rmx_domain_source *source, const char *base, rmx__files *out, rmx_err *err) {
  *out = (rmx__files){0};
  if (source->files.n == 0 && !(source->valid_only && source->valid_files.n))
    return rmx_fail(err, RMX_EINPUT, "domain \"%s\": no files are given", source->name);
  rmx_status status = find(source->name, &source->files, base, &out->train, &out->bytes, err);
  if (status == RMX_OK)
    status = find(source->name, &source->valid_files, base, &out->valid, &out->bytes, err);
  if (status != RMX_OK) rmx__files_release(out);
  return status;
}

void rmx__files_release(rmx__files *f) {
  rmx_strings_release(&f->train);
  rmx_strings_release(&f->valid);
}

// ---- what was asked for, as a number -------------------------------------------------------------

static uint64_t hash_text(const char *s, uint64_t h) {
  return s ? rmx_hash(s, strlen(s) + 1, h) : rmx_hash("", 0, h);
}

static rmx_status hash_file(const char *path, uint64_t *h, rmx_err *err) {
  struct stat info;
  if (stat(path, &info) != 0) return rmx_fail_errno(err, "cannot read %s", path);
  int64_t facts[] = {(int64_t)info.st_size, (int64_t)info.st_mtim.tv_sec, (int64_t)info.st_mtim.tv_nsec};
  *h = rmx_hash(facts, sizeof facts, hash_text(path, *h));
  return RMX_OK;
}

rmx_status rmx_corpus_source_hash(const rmx_corpus_options *o, const rmx_domain_source *sources, size_t n,
                                  const size_t *targets, size_t ntargets, const char *base, uint64_t *hash,
                                  rmx_err *err) {
  uint64_t h = 2;  // rises with the way text is treated
  int64_t whole[] = {o->max_valid_tokens, o->max_bytes, o->skip_bad,      o->dedup, o->overlap, o->vocab,
                     o->tokenizer_bytes,  (int64_t)n,   (int64_t)ntargets};
  h = rmx_hash(whole, sizeof whole, h);
  h = rmx_hash(&o->valid_fraction, sizeof o->valid_fraction, h);
  h = rmx_hash(&o->max_document, sizeof o->max_document, h);
  h = hash_text(o->separator, hash_text(o->text_field, h));
  for (size_t i = 0; i < ntargets; i++) h = rmx_hash(&targets[i], sizeof targets[i], h);
  if (o->tokenizer) {
    char *path = rmx_path_in(base, o->tokenizer);
    rmx_status status = path ? hash_file(path, &h, err) : rmx_fail_memory(err, 0, "a path");
    free(path);
    RMX_TRY(status);
  }
  for (size_t i = 0; i < n; i++) {
    rmx__files files;
    RMX_TRY(rmx__files_find(&sources[i], base, &files, err));
    h = hash_text(sources[i].separator, hash_text(sources[i].text_field, hash_text(sources[i].name, h)));
    size_t facts[] = {sources[i].valid_only, files.train.n, files.valid.n};
    h = rmx_hash(facts, sizeof facts, h);
    rmx_status status = RMX_OK;
    for (size_t j = 0; j < files.train.n && status == RMX_OK; j++)
      status = hash_file(files.train.items[j], &h, err);
    for (size_t j = 0; j < files.valid.n && status == RMX_OK; j++)
      status = hash_file(files.valid.items[j], &h, err);
    rmx__files_release(&files);
    RMX_TRY(status);
  }
  *hash = h;
  return RMX_OK;
}
