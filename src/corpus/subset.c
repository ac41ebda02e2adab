// SPDX-License-Identifier: Apache-2.0
// A subset of a corpus: some of its documents, as a corpus of its own that can be trained on.
#include <regmix/corpus.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/stamp.h"
#include "prepare/prepare.h"
#include "token_file.h"

rmx_status rmx_corpus_documents(const rmx_corpus *corpus, size_t d, bool valid, size_t **starts,
                                size_t *n, rmx_err *err) {
  const rmx_domain *domain = &corpus->domains[d];
  const void *ids = valid ? domain->valid : domain->train;
  const size_t tokens = valid ? domain->valid_tokens : domain->train_tokens;
  size_t ends = 0, k = 0;
  for (size_t i = 0; i < tokens; i++)
    ends += i + 1 == tokens || rmx_token_at(ids, domain->width, i) == corpus->end_of_text;
  size_t *at = rmx_calloc(ends + 1, sizeof *at);
  if (!at) return rmx_fail_memory(err, (ends + 1) * sizeof *at, "the documents of a domain");
  for (size_t i = 0; i < tokens; i++)
    if (i + 1 == tokens || rmx_token_at(ids, domain->width, i) == corpus->end_of_text)
      at[++k] = i + 1;
  *starts = at;
  *n = ends;
  return RMX_OK;
}

// ---- writing one

struct subset {
  const rmx_corpus *corpus;
  const char *source, *folder;
  const bool *const *keep;
  uint64_t tokenizer_hash, hash;
  json_t *root;  // of corpus.json; at first that of the source
};

// Hash of the corpus and of the documents kept. It tells whether a folder holds them already.
static rmx_status fingerprint(const struct subset *p, char out[17], rmx_err *err) {
  uint64_t h = p->corpus->hash;
  for (size_t d = 0; d < p->corpus->D_train; d++) {
    size_t *starts, n;
    RMX_TRY(rmx_corpus_documents(p->corpus, d, false, &starts, &n, err));
    free(starts);
    h = rmx_hash(p->keep[d], n * sizeof **p->keep, h);
  }
  rmx__hex(h, out);
  return RMX_OK;
}

static bool is_there(const struct subset *p, const char *index, const char *wanted) {
  json_t *root = NULL;
  rmx_err ignored;
  if (!rmx_exists(index) || rmx__json_read(index, &root, &ignored) != RMX_OK) return false;
  const char *got = rmx__fingerprint_in(root, "source_hash");
  const bool same = got && strcmp(got, wanted) == 0;
  json_decref(root);
  rmx_corpus *opened = NULL;
  if (!same || rmx_corpus_open(p->folder, &opened, &ignored) != RMX_OK) return false;
  rmx_corpus_free(opened);
  return true;
}

static void add_tokens(rmx__token_writer *w, const rmx_domain *domain, size_t from, size_t to) {
  uint32_t ids[4096];
  while (from < to) {
    size_t n = to - from < 4096 ? to - from : 4096;
    for (size_t i = 0; i < n; i++) ids[i] = rmx_token_at(domain->train, domain->width, from + i);
    rmx__token_writer_add(w, ids, n);
    from += n;
  }
}

static rmx_status write_kept(const struct subset *p, size_t d, const char *path, json_t *entry,
                             uint64_t *hash, rmx_err *err) {
  const rmx_domain *domain = &p->corpus->domains[d];
  size_t *starts, n, documents = 0;
  RMX_TRY(rmx_corpus_documents(p->corpus, d, false, &starts, &n, err));
  rmx__token_writer w = {0};
  rmx_status status = rmx__token_writer_open(&w, path, p->corpus->vocab, p->tokenizer_hash, err);
  for (size_t i = 0; status == RMX_OK && i < n; i++) {
    if (!p->keep[d][i]) continue;
    add_tokens(&w, domain, starts[i], starts[i + 1]);
    documents++;
  }
  const size_t tokens = w.tokens;
  if (status == RMX_OK) status = rmx__token_writer_commit(&w, hash, err);
  rmx__token_writer_discard(&w);
  free(starts);
  if (status != RMX_OK) return status;
  const double share = domain->train_tokens ? (double)tokens / (double)domain->train_tokens : 0;
  // A file that was cut off may count one document less than it has pieces.
  if (documents > domain->train_documents) documents = domain->train_documents;
  json_object_set_new(entry, "documents",
                      json_integer((json_int_t)(documents + domain->valid_documents)));
  json_object_set_new(entry, "train_documents", json_integer((json_int_t)documents));
  json_object_set_new(entry, "train_tokens", json_integer((json_int_t)tokens));
  json_object_set_new(entry, "train_bytes",
                      json_integer((json_int_t)((double)domain->train_bytes * share + 0.5)));
  return RMX_OK;
}

// A second name for the same file, or a copy if the file system has no links.
rmx_status rmx__link_file(const char *from, const char *to, rmx_err *err) {
  if (link(from, to) == 0) return RMX_OK;
  rmx_map map = {0};
  RMX_TRY(rmx_map_open(&map, from, err));
  rmx_status status = rmx_write_file(to, map.data ? map.data : "", map.size, err);
  rmx_map_release(&map);
  return status;
}

static rmx_status write_domain(struct subset *p, size_t d, rmx_err *err) {
  const rmx_domain *domain = &p->corpus->domains[d];
  char *folder = rmx_format("%s/corpus/%s", p->folder, domain->name);
  char *train = rmx_format("%s/corpus/%s/train.bin", p->folder, domain->name);
  char *from = rmx_format("%s/corpus/%s/valid.bin", p->source, domain->name);
  char *valid = rmx_format("%s/corpus/%s/valid.bin", p->folder, domain->name);
  uint64_t train_hash = 0;
  rmx_status status = folder && train && from && valid ? rmx_mkdirs(folder, err)
                                                       : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK && d < p->corpus->D_train)
    status = write_kept(p, d, train, json_array_get(json_object_get(p->root, "domains"), d),
                        &train_hash, err);
  if (status == RMX_OK) status = rmx__link_file(from, valid, err);
  const uint64_t valid_hash =
      rmx_hash(domain->valid ? domain->valid : "", domain->valid_tokens * (size_t)domain->width, 0);
  p->hash = rmx__corpus_hash_add(p->hash, domain->name, train_hash, valid_hash);
  free(folder);
  free(train);
  free(from);
  free(valid);
  return status;
}

static rmx_status write_all(struct subset *p, const char *index, const char *wanted, rmx_err *err) {
  char *corpus = rmx_path_in(p->folder, "corpus"), *from = rmx_path_in(p->source, "tokenizer.json"),
       *tokenizer = rmx_path_in(p->folder, "tokenizer.json");
  rmx_status status = corpus && from && tokenizer ? rmx_remove_tree(corpus, err)
                                                  : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) status = rmx_mkdirs(corpus, err);
  if (status == RMX_OK && rmx_exists(from) && !rmx_exists(tokenizer))
    status = rmx__link_file(from, tokenizer, err);
  for (size_t d = 0; d < p->corpus->D && status == RMX_OK; d++) status = write_domain(p, d, err);
  free(corpus);
  free(from);
  free(tokenizer);
  if (status != RMX_OK) return status;
  json_object_set_new(p->root, "hash", rmx__hex_json(p->hash));
  json_object_del(p->root, "source_hash");  // of the whole corpus, as 0.1.0 wrote it
  json_object_set_new(p->root, "fingerprint", json_string(wanted));
  return rmx__json_seal(p->root) ? rmx__json_write(index, p->root, err)
                                 : rmx_fail_memory(err, 0, "a corpus");
}

static rmx_status read_source(struct subset *p, rmx_err *err) {
  const char *text;
  char *path = rmx_format("%s/corpus/corpus.json", p->source);
  if (!path) return rmx_fail_memory(err, 0, "a path");
  rmx_status status = rmx__json_read(path, &p->root, err);
  if (status == RMX_OK) status = rmx__json_string(p->root, "tokenizer_hash", &text, path, err);
  if (status == RMX_OK) p->tokenizer_hash = strtoull(text, NULL, 16);
  if (status == RMX_OK && json_array_size(json_object_get(p->root, "domains")) != p->corpus->D)
    status = rmx_fail(
        err, RMX_EINPUT,
        "%s: this corpus has other domains than the one that was opened; it was changed since then",
        path);
  free(path);
  return status;
}

rmx_status rmx_corpus_subset(const rmx_corpus *corpus, const char *source, const bool *const *keep,
                             const char *folder, rmx_err *err) {
  struct subset p = {.corpus = corpus, .source = source, .folder = folder, .keep = keep};
  char wanted[17], *index = rmx_format("%s/corpus/corpus.json", folder);
  rmx_status status = index ? fingerprint(&p, wanted, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK && !is_there(&p, index, wanted)) {
    status = read_source(&p, err);
    if (status == RMX_OK) status = write_all(&p, index, wanted, err);
  }
  json_decref(p.root);
  free(index);
  return status;
}
