// SPDX-License-Identifier: Apache-2.0
// The fingerprint of a corpus: a hash of the settings and of the content of the text. The path and
// the times of a file are not part of it; they only tell which files need not be read again.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/path.h"
#include "base/stamp.h"
#include "corpus/readers/tokens/ids_tokenizer.h"
#include "corpus/tokenizer/files/foreign.h"
#include "corpus/tokenizer/tokenizer.h"
#include "prepare.h"

enum { BLOCK = 1 << 20 };
// More than this takes a while to hash, so what would be refused afterwards is looked for before.
#define LONG_WORK 256000000
// This much is read to see whether a file with other times has other text.
#define SHORT_WORK 64000000

uint64_t rmx__hash_text(const char *s, uint64_t h) {
  return s ? rmx_hash(s, strlen(s) + 1, h) : rmx_hash("", 0, h);
}

// ---- the content of files

struct one_file {
  const char *path, *name;  // name: relative to base
  struct stat info;
  uint64_t hash;
  bool known;
  rmx_err err;
};

struct hashing {
  struct one_file *files;
};

static void hash_content(void *context, size_t i) {
  struct one_file *f = &((struct hashing *)context)->files[i];
  if (f->known) return;
  FILE *file = rmx_fopen(f->path, "rb");
  char *block = rmx_calloc(BLOCK, 1);
  size_t n = 0;
  if (!file)
    rmx_fail_errno(&f->err, "cannot read %s", f->path);
  else if (!block)
    rmx_fail_memory(&f->err, BLOCK, "a file");
  else
    while ((n = fread(block, 1, BLOCK, file)) > 0 && !rmx_interrupted())
      f->hash = rmx_hash(block, n, f->hash);
  if (file && ferror(file)) rmx_fail_errno(&f->err, "cannot read %s", f->path);
  if (rmx_interrupted())
    rmx_fail(&f->err, RMX_EINTERRUPTED, "interrupted while %s was read", f->path);
  if (file) fclose(file);
  free(block);
}

// Size and times, in the form of files.json. A program can set mtime back, but every write changes
// ctime.
static json_t *facts_of(const struct one_file *f) {
  const struct stat *s = &f->info;
  return json_pack("[I, I, I, I]", (json_int_t)s->st_size,
                   (json_int_t)s->st_mtim.tv_sec * 1000000000 + s->st_mtim.tv_nsec,
                   (json_int_t)s->st_ctim.tv_sec * 1000000000 + s->st_ctim.tv_nsec,
                   (json_int_t)s->st_ino);
}

static rmx_status look(struct one_file *f, const char *base, const json_t *known, rmx_err *err) {
  if (stat(f->path, &f->info) != 0) return rmx_fail_errno(err, "cannot read %s", f->path);
  const size_t n = base ? strlen(base) : 0;
  f->name = n && strncmp(f->path, base, n) == 0 && f->path[n] == '/' ? f->path + n + 1 : f->path;
  const json_t *was = json_object_get(known, f->name);
  json_t *facts = facts_of(f);
  const char *hash = json_string_value(json_array_get(was, 1));
  f->known = hash && facts && json_equal(json_array_get(was, 0), facts);
  if (f->known) f->hash = strtoull(hash, NULL, 16);
  json_decref(facts);
  return RMX_OK;
}

static rmx_status hash_all(struct one_file *files, size_t n, int threads, json_t *memo,
                           rmx_err *err) {
  struct hashing h = {files};
  rmx_parallel(threads, n, hash_content, &h);
  for (size_t i = 0; i < n; i++) {
    if (files[i].err.status != RMX_OK) {
      *err = files[i].err;
      return err->status;
    }
    if (memo)
      json_object_set_new(memo, files[i].name,
                          json_pack("[o, o]", facts_of(&files[i]), rmx__hex_json(files[i].hash)));
  }
  return RMX_OK;
}

// ---- all of it

// *hash: that of the content of a file, seeded.
static rmx_status add_content(const char *base, const char *name, uint64_t seed, uint64_t *hash,
                              rmx_err *err) {
  char *path = rmx_path_in(base, name);
  struct one_file f = {.path = path};
  if (path) hash_content(&(struct hashing){&f}, 0);
  free(path);
  if (!path) return rmx_fail_memory(err, 0, "a path");
  *hash = rmx_hash(&f.hash, sizeof f.hash, seed);
  if (f.err.status != RMX_OK) *err = f.err;
  return f.err.status;
}

// The file of the tokenizer, and the merges.txt that belongs to a vocab.json.
static rmx_status add_tokenizer(const char *base, const char *name, uint64_t *hash, rmx_err *err) {
  char *path = rmx_path_in(base, name), *file = NULL;
  rmx_status status =
      path ? rmx__tokenizer_find(path, &file, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) status = add_content(NULL, file, 2, hash, err);
  if (status == RMX_OK && strcmp(rmx__file_name(file), "vocab.json") == 0) {
    char *merges = rmx__vocab_json_merges(file);
    if (!merges) status = rmx_fail_memory(err, 0, "a path");
    if (merges && rmx_exists(merges)) status = add_content(NULL, merges, *hash, hash, err);
    free(merges);
  }
  free(path);
  free(file);
  return status;
}

rmx_status rmx__tokenizer_fingerprint(const rmx_corpus_options *o, const char *base,
                                      uint64_t *fingerprint, rmx_err *err) {
  const int64_t trained[] = {o->vocab, o->tokenizer_bytes};
  *fingerprint = rmx_hash(trained, sizeof trained, 1);
  if (o->tokenizer) RMX_TRY(add_tokenizer(base, o->tokenizer, fingerprint, err));
  if (o->end_of_text) *fingerprint = rmx__hash_text(o->end_of_text, *fingerprint);
  return RMX_OK;
}

static uint64_t add_list(const struct one_file *f, size_t n, uint64_t h) {
  h = rmx_hash(&n, sizeof n, h);
  for (size_t i = 0; i < n; i++)
    h = rmx_hash(&f[i].hash, sizeof f[i].hash, rmx__hash_text(rmx__file_name(f[i].path), h));
  return h;
}

static uint64_t hash_strings(const rmx_strings *list, uint64_t h) {
  h = rmx_hash(&list->n, sizeof list->n, h);
  for (size_t i = 0; i < list->n; i++) h = rmx__hash_text(list->items[i], h);
  return h;
}

// How documents are divided; *h stays if they are not.
static rmx_status divided_hash(const rmx_corpus_options *o, const char *base, uint64_t *h,
                               rmx_err *err) {
  if (!rmx_corpus_is_divided(o)) return RMX_OK;
  if (o->hosts.n == 0) *h = rmx_hash(&o->max_hosts, sizeof o->max_hosts, *h);
  *h = hash_strings(&o->hosts, rmx__hash_text(o->domain_field, *h));
  *h = rmx_hash(&o->min_probability, sizeof o->min_probability, *h);
  *h = hash_strings(&o->protect, *h);  // names of domains that the sources may not have
  for (size_t i = 0; i < o->classifier.n; i++)
    RMX_TRY(add_content(base, o->classifier.items[i], *h, h, err));
  return RMX_OK;
}

// Increase a number if such text is read in another way. A corpus whose settings do not have it
// stays current.
enum {
  ALTERNATIVES = 1,  // of text_field: an empty one gives way to the next
  NEAR = 1,          // duplicates: candidates are compared
  ENCODING = 1,      // a file that is UTF-8 is read so
};

static uint64_t hash_encoding(const char *name, uint64_t h) {
  const int64_t version = ENCODING;
  return rmx_hash(&version, sizeof version, rmx__hash_text(name, h));
}

static uint64_t hash_text_field(const char *name, uint64_t h) {
  const int64_t version = ALTERNATIVES;
  h = rmx__hash_text(name, h);
  return name && strchr(name, ',') ? rmx_hash(&version, sizeof version, h) : h;
}

static uint64_t settings_hash(const rmx_corpus_options *o, size_t n, const size_t *apart,
                              size_t n_apart) {
  const int64_t whole[] = {o->max_valid_tokens, o->max_bytes, o->max_document,
                           o->skip_bad,         o->dedup,     o->overlap,
                           (int64_t)n};
  uint64_t h = rmx_hash(whole, sizeof whole, 3);  // 3: increase it if text is read in another way
  h = rmx_hash(&o->valid_fraction, sizeof o->valid_fraction, h);
  if (o->near_duplicates > 0) {
    const int64_t version = NEAR;
    h = rmx_hash(&o->near_duplicates, sizeof o->near_duplicates, h);
    h = rmx_hash(&version, sizeof version, h);
  }
  h = rmx__hash_text(o->separator, hash_text_field(o->text_field, h));
  if (rmx__specials_of(o) == RMX_SPECIALS_TOKENS) h = rmx__hash_text("specials", h);
  if (o->encoding && *o->encoding) h = hash_encoding(o->encoding, h);
  return o->overlap ? rmx_hash(apart, n_apart * sizeof *apart, h) : h;
}

static rmx_status fill_files(const rmx__files *found, struct one_file *files, const char *base,
                             const json_t *known, rmx_err *err) {
  for (size_t i = 0; i < found->train.n + found->valid.n; i++) {
    files[i].path =
        i < found->train.n ? found->train.items[i] : found->valid.items[i - found->train.n];
    RMX_TRY(look(&files[i], base, known, err));
  }
  return RMX_OK;
}

// *complete (NULL: files that are not known are read): they are few, so they are read.
static rmx_status hash_sources(const rmx_corpus_request *r, const rmx__files *found,
                               const json_t *known, json_t *memo, bool *complete, uint64_t *h,
                               rmx_err *err) {
  const rmx_domain_source *sources = r->sources;
  const size_t n = r->n;
  size_t all = 0;
  for (size_t i = 0; i < n; i++) all += found[i].train.n + found[i].valid.n;
  struct one_file *files = rmx_calloc(all, sizeof *files), *at = files;
  rmx_status status = files ? RMX_OK : rmx_fail_memory(err, all * sizeof *files, "a list of files");
  for (size_t i = 0; i < n && status == RMX_OK; i++) {
    status = fill_files(&found[i], at, r->base, known, err);
    at += found[i].train.n + found[i].valid.n;
  }
  uint64_t unread = 0;
  for (size_t i = 0; i < all && status == RMX_OK; i++)
    if (!files[i].known) unread += (uint64_t)files[i].info.st_size + 1;
  if (complete) *complete = unread <= SHORT_WORK;
  if (status == RMX_OK && !complete && unread > LONG_WORK) status = rmx__early_check(r, err);
  if (status == RMX_OK && (!complete || *complete))
    status = hash_all(files, all, r->threads, memo, err);
  at = files;
  for (size_t i = 0; i < n && status == RMX_OK; i++) {
    *h = rmx__hash_text(sources[i].separator, hash_text_field(sources[i].text_field,
                                                              rmx__hash_text(sources[i].name, *h)));
    const int64_t valid_only = sources[i].valid_only;
    *h = rmx_hash(&valid_only, sizeof valid_only, *h);
    if (sources[i].encoding) *h = hash_encoding(sources[i].encoding, *h);
    if (sources[i].values.n) *h = hash_strings(&sources[i].values, *h);
    *h = add_list(at, found[i].train.n, *h);
    *h = add_list(at + found[i].train.n, found[i].valid.n, *h);
    at += found[i].train.n + found[i].valid.n;
  }
  free(files);
  return status;
}

// Adds the file if it has another content than `seen`.
static rmx_status find_changed(const char *path, const char *base, const json_t *seen,
                               rmx_few *changed, rmx_err *err) {
  struct one_file f = {.path = path};
  if (look(&f, base, seen, err) != RMX_OK) {  // it is gone
    rmx_few_add(changed, path);
    return RMX_OK;
  }
  const char *hash = json_string_value(json_array_get(json_object_get(seen, f.name), 1));
  char now[17];
  if (f.known || !hash) return RMX_OK;
  hash_content(&(struct hashing){&f}, 0);
  if (f.err.status != RMX_OK) *err = f.err;
  RMX_TRY(f.err.status);
  rmx__hex(f.hash, now);
  if (strcmp(now, hash) != 0) rmx_few_add(changed, path);
  return RMX_OK;
}

rmx_status rmx__text_is_unchanged(const rmx_corpus_request *r, const rmx__files *found,
                                  const json_t *seen, rmx_err *err) {
  rmx_few changed = {0};
  for (size_t i = 0; i < r->n; i++)
    for (size_t k = 0; k < found[i].train.n + found[i].valid.n; k++) {
      const bool train = k < found[i].train.n;
      RMX_TRY(
          find_changed(train ? found[i].train.items[k] : found[i].valid.items[k - found[i].train.n],
                       r->base, seen, &changed, err));
    }
  if (changed.n == 0) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%zu file%s changed while the text was read (%s), so it is not known which of "
                  "their text was; wait until nothing writes there, then give the same command "
                  "again",
                  changed.n, rmx_s((double)changed.n), changed.text);
}

static rmx_status source_hash(const rmx_corpus_request *r, const json_t *known, json_t *memo,
                              bool *complete, uint64_t *hash, rmx_err *err) {
  uint64_t h = 0, asked = 0;
  rmx__files *found = rmx_calloc(r->n, sizeof *found);
  rmx_status status = found ? rmx__tokenizer_fingerprint(r->options, r->base, &asked, err)
                            : rmx_fail_memory(err, r->n * sizeof *found, "a list of files");
  for (size_t i = 0; i < r->n && status == RMX_OK; i++)
    status = rmx__files_find(&r->sources[i], r->base, &found[i], err);
  if (status == RMX_OK) {
    h = rmx_hash(&asked, sizeof asked, settings_hash(r->options, r->n, r->targets, r->ntargets));
    status = divided_hash(r->options, r->base, &h, err);
  }
  if (status == RMX_OK) status = hash_sources(r, found, known, memo, complete, &h, err);
  for (size_t i = 0; found && i < r->n; i++) rmx__files_release(&found[i]);
  free(found);
  if (status == RMX_OK) *hash = h;
  return status;
}

rmx_status rmx_corpus_source_hash(const rmx_corpus_request *r, const json_t *known, json_t *memo,
                                  uint64_t *hash, rmx_err *err) {
  return source_hash(r, known, memo, NULL, hash, err);
}

rmx_status rmx_corpus_is_current(const rmx_corpus_request *r, const char *folder, bool *is,
                                 rmx_err *err) {
  bool complete = false;
  uint64_t hash = 0;
  char hex[17];
  rmx_err ignored;
  json_t *known = rmx_corpus_files_seen(folder), *index = NULL;
  char *path = rmx_format("%s/corpus/corpus.json", folder);
  rmx_status status = path ? RMX_OK : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK && known && rmx_exists(path)) rmx__json_read(path, &index, &ignored);
  if (index) status = source_hash(r, known, NULL, &complete, &hash, err);
  rmx__hex(hash, hex);
  const char *had = json_string_value(json_object_get(index, "fingerprint"));
  *is = status == RMX_OK && complete && had && strcmp(had, hex) == 0;
  json_decref(known);
  json_decref(index);
  free(path);
  return status;
}

// ---- as version 0.1.0 did it: paths, sizes and times, and the targets

static rmx_status add_file_0_1(const char *path, uint64_t *h, rmx_err *err) {
  struct stat info;
  if (stat(path, &info) != 0) return rmx_fail_errno(err, "cannot read %s", path);
  int64_t facts[] = {(int64_t)info.st_size, (int64_t)info.st_mtim.tv_sec,
                     (int64_t)info.st_mtim.tv_nsec};
  *h = rmx_hash(facts, sizeof facts, rmx__hash_text(path, *h));
  return RMX_OK;
}

rmx_status rmx_corpus_source_hash_0_1(const rmx_corpus_request *r, uint64_t *hash, rmx_err *err) {
  const rmx_corpus_options *o = r->options;
  const rmx_domain_source *sources = r->sources;
  const size_t n = r->n, *targets = r->targets, ntargets = r->ntargets;
  const char *base = r->base;
  uint64_t h = 1;
  int64_t whole[] = {o->max_valid_tokens, o->max_bytes, o->skip_bad,        o->dedup,
                     o->overlap,          o->vocab,     o->tokenizer_bytes, (int64_t)n,
                     (int64_t)ntargets};
  h = rmx_hash(whole, sizeof whole, h);
  h = rmx_hash(&o->valid_fraction, sizeof o->valid_fraction, h);
  h = rmx__hash_text(o->separator, rmx__hash_text(o->text_field, h));
  if (o->end_of_text) h = rmx__hash_text(o->end_of_text, h);
  if (rmx__specials_of(o) == RMX_SPECIALS_TOKENS) h = rmx__hash_text("specials", h);
  for (size_t i = 0; i < ntargets; i++) h = rmx_hash(&targets[i], sizeof targets[i], h);
  if (o->tokenizer) {
    char *path = rmx_path_in(base, o->tokenizer);
    rmx_status status = path ? add_file_0_1(path, &h, err) : rmx_fail_memory(err, 0, "a path");
    free(path);
    RMX_TRY(status);
  }
  for (size_t i = 0; i < n; i++) {
    rmx__files files;
    RMX_TRY(rmx__files_find(&sources[i], base, &files, err));
    h = rmx__hash_text(sources[i].separator,
                       rmx__hash_text(sources[i].text_field, rmx__hash_text(sources[i].name, h)));
    size_t facts[] = {sources[i].valid_only, files.train.n, files.valid.n};
    h = rmx_hash(facts, sizeof facts, h);
    rmx_status status = RMX_OK;
    for (size_t j = 0; j < files.train.n && status == RMX_OK; j++)
      status = add_file_0_1(files.train.items[j], &h, err);
    for (size_t j = 0; j < files.valid.n && status == RMX_OK; j++)
      status = add_file_0_1(files.valid.items[j], &h, err);
    rmx__files_release(&files);
    RMX_TRY(status);
  }
  *hash = h;
  return RMX_OK;
}

json_t *rmx_corpus_files_seen(const char *folder) {
  json_t *seen = NULL;
  rmx_err ignored;
  char *path = folder ? rmx_format("%s/corpus/files.json", folder) : NULL;
  if (path && rmx_exists(path)) rmx__json_read(path, &seen, &ignored);
  free(path);
  return seen;
}
