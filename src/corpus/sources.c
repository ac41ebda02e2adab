// SPDX-License-Identifier: Apache-2.0
// Where the text of a corpus is: globs to files, a folder to domains, and a hash of both to tell whether
// what was prepared is still what was asked for.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "documents.h"
#include "reader.h"

// ---- globs to files ----------------------------------------------------------------------

// A path as the pattern that matches it alone.
static char *as_pattern(const char *path) {
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
    char *folder = as_pattern(base ? base : ""),
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

// ---- a folder to domains --------------------------------------------------------------------

static rmx_domain_source *domain_named(rmx_domain_source **list, size_t *n, const char *name, size_t size) {
  for (size_t i = 0; i < *n; i++)
    if (strlen((*list)[i].name) == size && memcmp((*list)[i].name, name, size) == 0) return &(*list)[i];
  rmx_domain_source *more = rmx_realloc(*list, *n + 1, sizeof *more);
  if (!more) return NULL;
  *list = more;
  more[*n] = (rmx_domain_source){.name = rmx_format("%.*s", (int)size, name)};
  return more[*n].name ? &more[(*n)++] : NULL;
}

static rmx_status add_file(rmx_domain_source **list, size_t *n, const char *name, size_t size,
                           const char *folder, const char *file, rmx_err *err) {
  rmx_domain_source *d = domain_named(list, n, name, size);
  char *path = rmx_path_in(folder, file), *pattern = path ? as_pattern(path) : NULL;
  bool good = d && pattern && rmx_strings_add(&d->files, pattern);
  free(path);
  free(pattern);
  return good ? RMX_OK : rmx_fail_memory(err, 0, "a list of domains");
}

// `wiki-0001.jsonl.gz` -> "wiki"; `fortunes.txt` -> "fortunes"
static size_t domain_part(const char *file) {
  size_t stem;
  rmx__packing_of(file, &stem);
  stem -= strlen(rmx__format_of(file)->extension);
  for (size_t i = stem; i > 1; i--)
    if (file[i - 1] == '-') return i - 1;
  return stem;
}

static rmx_status discover(const char *folder, const char *base, rmx_domain_source **list, size_t *n,
                           rmx_err *err) {
  rmx_strings names = {0}, inside = {0};
  char *at = rmx_path_in(base, folder);
  rmx_status status = at ? rmx_list(at, &names, err) : rmx_fail_memory(err, strlen(folder), "a path");
  for (size_t i = 0; i < names.n && status == RMX_OK; i++) {
    const char *name = names.items[i];
    // What is listed is seen from here, what is kept is seen from `base`.
    char *path = rmx_path_in(at, name), *kept = rmx_path_in(folder, name);
    struct stat info;
    bool is_folder = path && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    if (!path || !kept)
      status = rmx_fail_memory(err, strlen(folder), "a path");
    else if (is_folder)
      status = rmx_list(path, &inside, err);
    else if (rmx__format_of(name))
      status = add_file(list, n, name, domain_part(name), folder, name, err);
    for (size_t j = 0; j < inside.n && status == RMX_OK; j++)
      if (rmx__format_of(inside.items[j]))
        status = add_file(list, n, name, strlen(name), kept, inside.items[j], err);
    rmx_strings_release(&inside);
    free(path);
    free(kept);
  }
  rmx_strings_release(&names);
  free(at);
  return status;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const rmx_domain_source *)a)->name, ((const rmx_domain_source *)b)->name);
}

rmx_status rmx_corpus_discover(const char *folder, const char *base, rmx_domain_source **out, size_t *n,
                               rmx_err *err) {
  rmx_domain_source *list = NULL;
  size_t found = 0;
  rmx_status status = discover(folder, base, &list, &found, err);
  if (status == RMX_OK && found == 0) {
    rmx_buf known = {0};
    rmx__formats_known(&known);
    status =
        rmx_fail(err, RMX_EINPUT,
                 "%s: no domains here; wanted a folder for each, or files <domain>-*.jsonl; known are %s",
                 folder, known.data ? known.data : "");
    rmx_buf_release(&known);
  }
  if (status != RMX_OK) {
    rmx_domain_sources_release(list, found);
    return status;
  }
  qsort(list, found, sizeof *list, by_name);
  *out = list;
  *n = found;
  return RMX_OK;
}

void rmx_domain_sources_release(rmx_domain_source *list, size_t n) {
  for (size_t i = 0; i < n; i++) {
    free(list[i].name);
    free(list[i].text_field);
    free(list[i].separator);
    rmx_strings_release(&list[i].files);
    rmx_strings_release(&list[i].valid_files);
  }
  free(list);
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
