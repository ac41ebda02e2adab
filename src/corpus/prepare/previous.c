// SPDX-License-Identifier: Apache-2.0
// Uses parts of the previous corpus again: its tokenizer, and the token files of domains whose
// documents have not changed.
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "corpus/token_file.h"
#include "prepare.h"

static uint64_t hex_of(const json_t *o, const char *key) {
  const char *text = json_string_value(json_object_get(o, key));
  return text ? strtoull(text, NULL, 16) : 0;
}

void rmx__previous_open(rmx__previous *b, const char *folder) {
  rmx_err ignored;
  *b = (rmx__previous){.folder = folder};
  char *path = folder ? rmx_format("%s/corpus/corpus.json", folder) : NULL;
  if (path && rmx_exists(path)) rmx__json_read(path, &b->index, &ignored);
  b->tokenizer_hash = hex_of(b->index, "tokenizer_hash");
  free(path);
}

void rmx__previous_release(rmx__previous *b) {
  json_decref(b->index);
  *b = (rmx__previous){0};
}

// The tokenizer of a corpus is next to its token files. Version 0.1.0 wrote it only to the folder
// above.
rmx_tokenizer *rmx__previous_tokenizer(const rmx__previous *b, const rmx_corpus_options *o,
                                       uint64_t fingerprint) {
  static const char *const places[] = {"corpus/tokenizer.json", "tokenizer.json"};
  const json_t *was = json_object_get(b->index, "tokenizer_fingerprint");
  // Version 0.1.0 did not store a fingerprint: a tokenizer of the wanted size is accepted.
  const bool same = was ? hex_of(b->index, "tokenizer_fingerprint") == fingerprint
                        : json_integer_value(json_object_get(b->index, "vocab")) == o->vocab;
  for (size_t i = 0; b->index && same && i < sizeof places / sizeof *places; i++) {
    char *path = rmx_path_in(b->folder, places[i]);
    rmx_tokenizer *t = NULL;
    rmx_err ignored;
    if (path && rmx_exists(path) && rmx_tokenizer_read(path, &t, &ignored) != RMX_OK) t = NULL;
    free(path);
    if (t && rmx_tokenizer_hash(t) == b->tokenizer_hash) return t;
    rmx_tokenizer_free(t);
  }
  return NULL;
}

static const json_t *domain_of(const rmx__previous *b, const char *name) {
  size_t i;
  const json_t *domain;
  json_array_foreach(json_object_get(b->index, "domains"), i, domain) {
    const char *is = json_string_value(json_object_get(domain, "name"));
    if (is && strcmp(is, name) == 0) return domain;
  }
  return NULL;
}

static uint64_t count_of(const json_t *domain, const char *split, const char *what) {
  char key[32];
  snprintf(key, sizeof key, "%s_%s", split, what);
  return (uint64_t)json_integer_value(json_object_get(domain, key));
}

bool rmx__previous_take(const rmx__previous *b, const rmx_tokenizer *t, const char *name,
                        const char *split, uint64_t text, const char *path, rmx__tokenised *out) {
  char key[32];
  const json_t *domain = domain_of(b, name);
  snprintf(key, sizeof key, "%s_text", split);
  if (!domain || b->tokenizer_hash != rmx_tokenizer_hash(t) || hex_of(domain, key) != text)
    return false;
  char *from = rmx_format("%s/corpus/%s/%s.bin", b->folder, name, split);
  rmx_map map = {0};
  rmx_err ignored;
  rmx__token_header header;
  bool good = from && rmx_exists(from) && rmx_map_open(&map, from, &ignored) == RMX_OK &&
              rmx__token_file_check(map.data, map.size, b->tokenizer_hash, rmx_tokenizer_vocab(t),
                                    from, &header, &ignored) == RMX_OK &&
              header.tokens == count_of(domain, split, "tokens");
  rmx_map_release(&map);
  good = good && rmx__link_file(from, path, &ignored) == RMX_OK;
  if (good)
    *out = (rmx__tokenised){.tokens = header.tokens,
                            .bytes = count_of(domain, split, "bytes"),
                            .documents = count_of(domain, split, "documents"),
                            .hash = header.hash};
  free(from);
  return good;
}
