// SPDX-License-Identifier: Apache-2.0
/* corpus_folder.h: a temporary folder for the tests of a corpus, and short ways to write files into
 * it. */
#ifndef RMX_TESTS_UNIT_CORPUS_FOLDER_H
#define RMX_TESTS_UNIT_CORPUS_FOLDER_H

#include <regmix/corpus.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/json.h"
#include "testing.h"

static char test_folder[64];

static inline const char *folder_make(void) {
  snprintf(test_folder, sizeof test_folder, "%s/XXXXXX", scratch_folder);
  ck_assert_ptr_nonnull(mkdtemp(test_folder));
  return test_folder;
}

static inline void folder_remove(void) {
  must(rmx_remove_tree(test_folder, err));
}

/* The path of a file in the folder; good until eight more were asked for. */
static inline const char *in_folder(const char *name) {
  static char paths[8][320];
  static int at;
  at = (at + 1) % 8;
  snprintf(paths[at], sizeof paths[at], "%s/%s", test_folder, name);
  return paths[at];
}

static inline void put(const char *name, const char *text, size_t size) {
  const char *path = in_folder(name);
  char *parent = rmx_strdup(path);
  *strrchr(parent, '/') = '\0';
  must(rmx_mkdirs(parent, err));
  free(parent);
  must(rmx_write_file(path, text, size, err));
}

static inline void put_text(const char *name, const char *text) {
  put(name, text, strlen(text));
}

static inline size_t gzip_bytes(const char *text, size_t size, char *out, size_t room) {
  z_stream z = {.next_in = (Bytef *)text,
                .avail_in = (uInt)size,
                .next_out = (Bytef *)out,
                .avail_out = (uInt)room};
  ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
  size_t n = room - z.avail_out;
  deflateEnd(&z);
  return n;
}

static inline size_t zstd_bytes(const char *text, size_t size, char *out, size_t room) {
  size_t n = ZSTD_compress(out, room, text, size, 3);
  ck_assert(!ZSTD_isError(n));
  return n;
}

/* What `prepare` does by default, sized for tests. */
static inline rmx_corpus_options small_options(void) {
  return (rmx_corpus_options){.text_field = "text",
                              .separator = "%",
                              .valid_fraction = 0.1,
                              .dedup = true,
                              .overlap = 13,
                              .max_overlap = 0.9,
                              .vocab = 300,
                              .tokenizer_bytes = 1000000};
}

/* A domain of the files that match one pattern. */
static inline rmx_domain_source source_of(const char *name, const char *pattern) {
  rmx_domain_source s = {.name = rmx_strdup(name)};
  ck_assert(rmx_strings_add(&s.files, pattern));
  return s;
}

static inline void source_release(rmx_domain_source *s) {
  free(s->name);
  free(s->text_field);
  free(s->separator);
  rmx_strings_release(&s->files);
  rmx_strings_release(&s->valid_files);
}

/* n random words, different for each (seed, i). */
static inline void sentence(rmx_buf *out, uint64_t seed, uint64_t i, int n) {
  static const char *const words[] = {"river",   "stone",   "winter", "garden", "letter", "window",
                                      "silver",  "morning", "engine", "paper",  "music",  "north",
                                      "harbour", "candle",  "forest", "market"};
  rmx_rng rng = rmx_rng_make(seed, i, RMX_FOR_TEST);
  for (int w = 0; w < n; w++)
    rmx_buf_printf(out, "%s%s%u", w ? " " : "", words[rmx_rng_below(&rng, 16)],
                   rmx_rng_u32(&rng) % 100);
}

/* A number of a domain in <experiment>/corpus/corpus.json; -1: there is none. */
static inline int64_t index_number(const char *experiment, const char *domain, const char *key) {
  char path[300];
  snprintf(path, sizeof path, "%s/corpus/corpus.json", in_folder(experiment));
  json_t *root = NULL, *entry;
  must(rmx__json_read(path, &root, err));
  size_t i;
  int64_t found = -1;
  json_array_foreach(json_object_get(root, "domains"), i, entry)
    if (strcmp(json_string_value(json_object_get(entry, "name")), domain) == 0)
      found = json_integer_value(json_object_get(entry, key));
  json_decref(root);
  return found;
}

static inline void put_sentences(const char *name, uint64_t seed, int n) {
  rmx_buf b = {0};
  bool json = strstr(name, ".jsonl") != NULL;
  for (int i = 0; i < n; i++) {
    rmx_buf_puts(&b, json ? "{\"text\": \"" : "");
    sentence(&b, seed, (uint64_t)i, 20 + i % 30);
    rmx_buf_puts(&b, json ? "\"}\n" : "\n%\n");
  }
  if (strstr(name, ".gz")) {
    char *packed = malloc(b.size);
    size_t size = gzip_bytes(b.data, b.size, packed, b.size);
    put(name, packed, size);
    free(packed);
  } else {
    put(name, b.data, b.size);
  }
  rmx_buf_release(&b);
}

static inline rmx_status prepare_corpus(const rmx_corpus_options *o, const rmx_domain_source *s,
                                        size_t n, const size_t *targets, size_t ntargets,
                                        const char *to, int threads, rmx_err *err) {
  return rmx_corpus_prepare(&(rmx_corpus_request){.options = o,
                                                  .sources = s,
                                                  .n = n,
                                                  .targets = targets,
                                                  .ntargets = ntargets,
                                                  .base = test_folder,
                                                  .folder = in_folder(to),
                                                  .threads = threads},
                            err);
}

// The documents of a part of a domain, decoded, sorted.

#endif
