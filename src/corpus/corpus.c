// SPDX-License-Identifier: Apache-2.0
// Opens what prepare wrote. corpus.json says what there should be; the token files are checked
// against it.
#include <regmix/corpus.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "domains/value_name.h"
#include "prepare/prepare.h"
#include "token_file.h"

struct rmx_corpus_maps {
  rmx_arena arena;  // memory of the corpus
  rmx_map *maps;    // (2 D)
  size_t n;
};

struct opening {
  const char *folder;
  char *index;  // path of corpus.json
  json_t *root;
  uint64_t tokenizer_hash, hash;
  rmx_corpus *corpus;
};

static rmx_status read_integer(const struct opening *o, const json_t *object, const char *key,
                               int64_t min, int64_t max, int64_t *out, rmx_err *err) {
  const json_t *value = json_object_get(object, key);
  int64_t x = json_integer_value(value);
  if (!json_is_integer(value) || x < min || x > max)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: \"%s\" is not a whole number from %lld to %lld: prepare the corpus again",
                    o->index, key, (long long)min, (long long)max);
  *out = x;
  return RMX_OK;
}

static rmx_status read_hash(const struct opening *o, const char *key, uint64_t *out, rmx_err *err) {
  const char *text;
  RMX_TRY(rmx__json_string(o->root, key, &text, o->index, err));
  char *end;
  *out = strtoull(text, &end, 16);
  if (strlen(text) != 16 || *end)
    return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" is not a hash of 16 digits", o->index, key);
  return RMX_OK;
}

static rmx_status open_part(struct opening *o, const rmx_domain *d, const char *part, size_t tokens,
                            const void **ids, int *width, uint64_t *hash, rmx_err *err) {
  struct rmx_corpus_maps *maps = o->corpus->maps;
  char *path = rmx_format("%s/corpus/%s/%s.bin", o->folder, d->name, part);
  if (!path) return rmx_fail_memory(err, 0, "a path");
  rmx_map *map = &maps->maps[maps->n];
  rmx__token_header header;
  rmx_status status =
      rmx_exists(path) ? rmx_map_open(map, path, err)
                       : rmx_fail(err, RMX_EINPUT, "%s is missing: prepare the corpus again", path);
  if (status == RMX_OK) {
    maps->n++;
    status = rmx__token_file_check(map->data, map->size, o->tokenizer_hash, o->corpus->vocab, path,
                                   &header, err);
  }
  if (status == RMX_OK && header.tokens != tokens)
    status = rmx_fail(err, RMX_EINPUT,
                      "%s: %llu tokens, where corpus.json says %zu: prepare the corpus again", path,
                      (unsigned long long)header.tokens, tokens);
  free(path);
  if (status != RMX_OK) return status;
  *ids = tokens ? (const char *)map->data + sizeof header : NULL;
  *width = (int)header.width;
  *hash = header.hash;
  return RMX_OK;
}

static rmx_status open_domain(struct opening *o, size_t i, const json_t *entry, rmx_err *err) {
  rmx_corpus *c = o->corpus;
  rmx_domain *d = &c->domains[i];
  const char *name;
  RMX_TRY(rmx__json_string(entry, "name", &name, o->index, err));
  RMX_TRY(rmx__domain_name_check(name, o->index, err));
  d->name = rmx_arena_strdup(&c->maps->arena, name);
  if (!d->name) return rmx_fail_memory(err, strlen(name), "a name");
  c->names[i] = d->name;
  d->valid_only = json_is_true(json_object_get(entry, "valid_only"));
  if (!d->valid_only && c->D_train != i)
    return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" is trained on but comes after a valid_only domain",
                    o->index, name);
  c->D_train += !d->valid_only;
  struct {
    const char *key;
    size_t *to;
  } counts[] = {
      {"train_tokens", &d->train_tokens},       {"valid_tokens", &d->valid_tokens},
      {"train_bytes", &d->train_bytes},         {"valid_bytes", &d->valid_bytes},
      {"train_documents", &d->train_documents}, {"valid_documents", &d->valid_documents},
  };
  for (size_t j = 0; j < sizeof counts / sizeof *counts; j++) {
    int64_t x = 0;
    RMX_TRY(read_integer(o, entry, counts[j].key, 0, INT64_MAX, &x, err));
    *counts[j].to = (size_t)x;
  }
  uint64_t train_hash = 0, valid_hash = 0;
  int width = 0;
  if (!d->valid_only)
    RMX_TRY(open_part(o, d, "train", d->train_tokens, &d->train, &width, &train_hash, err));
  RMX_TRY(open_part(o, d, "valid", d->valid_tokens, &d->valid, &d->width, &valid_hash, err));
  if (!d->valid_only && width != d->width)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: \"%s\": its training and validation files have ids of different width",
                    o->index, name);
  o->hash = rmx__corpus_hash_add(o->hash, name, train_hash, valid_hash);
  return RMX_OK;
}

static rmx_status set_prior(rmx_corpus *c, rmx_err *err) {
  double *tokens = rmx_calloc(c->D_train, sizeof *tokens);
  if (!tokens) return rmx_fail_memory(err, c->D_train * sizeof *tokens, "a prior");
  for (size_t i = 0; i < c->D_train; i++) tokens[i] = (double)c->domains[i].train_tokens;
  rmx_mixture_prior(tokens, c->D_train, c->prior);
  free(tokens);
  return RMX_OK;
}

static rmx_status open_all(struct opening *o, rmx_err *err) {
  rmx_corpus *c = o->corpus;
  int64_t version = 0, vocab = 0, end_of_text = 0;
  RMX_TRY(read_integer(o, o->root, "version", 0, INT32_MAX, &version, err));
  if (version != RMX__CORPUS_VERSION)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: version %lld; this program reads %d: prepare the corpus again", o->index,
                    (long long)version, RMX__CORPUS_VERSION);
  RMX_TRY(read_integer(o, o->root, "vocab", 1, 1 << 24, &vocab, err));
  RMX_TRY(read_integer(o, o->root, "end_of_text", 0, vocab - 1, &end_of_text, err));
  RMX_TRY(read_hash(o, "tokenizer_hash", &o->tokenizer_hash, err));
  RMX_TRY(read_hash(o, "hash", &c->hash, err));
  c->tokenizer_hash = o->tokenizer_hash;
  c->vocab = (int)vocab;
  c->end_of_text = (uint32_t)end_of_text;
  const json_t *domains = json_object_get(o->root, "domains");
  size_t n = json_array_size(domains);
  if (n == 0) return rmx_fail(err, RMX_EINPUT, "%s: \"domains\" is missing or empty", o->index);
  rmx_arena *arena = &c->maps->arena;
  c->D = n;
  c->domains = rmx_arena_alloc(arena, n, sizeof *c->domains);
  c->names = rmx_arena_alloc(arena, n, sizeof *c->names);
  c->prior = rmx_arena_alloc(arena, n, sizeof *c->prior);
  c->maps->maps = rmx_arena_alloc(arena, 2 * n, sizeof *c->maps->maps);
  if (!c->domains || !c->names || !c->prior || !c->maps->maps)
    return rmx_fail_memory(err, n * sizeof *c->domains, "a corpus");
  for (size_t i = 0; i < n; i++) RMX_TRY(open_domain(o, i, json_array_get(domains, i), err));
  if (rmx__json_seal_broken(o->root))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: was changed by hand or damaged since `regmix prepare` wrote it: prepare "
                    "the corpus again",
                    o->index);
  if (o->hash != c->hash)
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: the token files next to it are of another corpus: prepare the corpus again", o->index);
  return set_prior(c, err);
}

rmx_status rmx_corpus_open(const char *folder, rmx_corpus **out, rmx_err *err) {
  struct opening o = {.folder = folder, .index = rmx_format("%s/corpus/corpus.json", folder)};
  if (!o.index) return rmx_fail_memory(err, strlen(folder), "a path");
  rmx_status status = RMX_OK;
  if (!rmx_exists(o.index))
    status = rmx_fail(err, RMX_EINPUT, "%s is missing: prepare the corpus first", o.index);
  else
    status = rmx__json_read(o.index, &o.root, err);
  o.corpus = rmx_calloc(1, sizeof *o.corpus);
  struct rmx_corpus_maps *maps = rmx_calloc(1, sizeof *maps);
  if (o.corpus) o.corpus->maps = maps;
  if (status == RMX_OK)
    status =
        o.corpus && maps ? open_all(&o, err) : rmx_fail_memory(err, sizeof *o.corpus, "a corpus");
  if (status == RMX_OK)
    *out = o.corpus;
  else if (o.corpus)
    rmx_corpus_free(o.corpus);
  else
    free(maps);
  json_decref(o.root);
  free(o.index);
  return status;
}

void rmx_corpus_free(rmx_corpus *c) {
  if (!c) return;
  struct rmx_corpus_maps *maps = c->maps;
  for (size_t i = 0; maps && i < maps->n; i++) rmx_map_release(&maps->maps[i]);
  if (maps) rmx_arena_release(&maps->arena);
  free(maps);
  free(c);
}

void rmx_corpus_free_at(rmx_corpus **c) {
  rmx_corpus_free(*c);
}
