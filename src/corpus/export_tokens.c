// SPDX-License-Identifier: Apache-2.0
// The tokens of a corpus as the token files of other programs.
//   Megatron  NVIDIA/Megatron-LM, megatron/core/datasets/indexed_dataset.py: _IndexWriter
//   nanoGPT   karpathy/nanoGPT, data/openwebtext/prepare.py: ids alone
//   OLMo      allenai/OLMo-core, NumpyFSLDataset: ids alone, in files named .npy
#include <regmix/corpus.h>
#include <stdlib.h>
#include <string.h>

#include "base/npy.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "numbers are written as they are in memory, little endian"
#endif

// One file: the documents of a domain's training or validation text.
struct source {
  const rmx_corpus *corpus;
  size_t d;
  bool valid;
  const void *ids;
  size_t tokens;
  int width, out_width;  // bytes of an id in the corpus, and in the file
};

// ---- ids --------------------------------------------------------------------------------------

static rmx_status write_ids(const struct source *s, FILE *file, const char *path, rmx_err *err) {
  enum { SOME = 4096 };
  union {
    uint16_t narrow[SOME];
    uint32_t wide[SOME];
  } block;
  for (size_t at = 0; at < s->tokens;) {
    const size_t n = s->tokens - at < SOME ? s->tokens - at : SOME;
    for (size_t i = 0; i < n; i++) {
      const uint32_t id = rmx_token_at(s->ids, s->width, at + i);
      if (s->out_width == 2)
        block.narrow[i] = (uint16_t)id;
      else
        block.wide[i] = id;
    }
    fwrite(&block, (size_t)s->out_width, n, file);
    at += n;
    if (rmx_interrupted())
      return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while %s was written", path);
  }
  return RMX_OK;
}

static rmx_status write_npy_header(const struct source *s, FILE *file, const char *path,
                                   rmx_err *err) {
  (void)path, (void)err;
  rmx__npy_header(file, s->out_width == 2 ? "<u2" : "<u4", s->tokens, 0);
  return RMX_OK;
}

// ---- Megatron's index ---------------------------------------------------------------------------

static void put(FILE *file, uint64_t x, size_t bytes) {
  fwrite(&x, bytes, 1, file);
}

// Lengths and places of the documents, and which sequence each one begins with: they have one each.
static rmx_status write_index(const struct source *s, FILE *file, const char *path, rmx_err *err) {
  enum { VERSION = 1, INT32 = 4, UINT16 = 8 };  // codes of types
  size_t *starts, n;
  RMX_TRY(rmx_corpus_documents(s->corpus, s->d, s->valid, &starts, &n, err));
  rmx_status status = RMX_OK;
  fwrite("MMIDIDX\0", 9, 1, file);
  put(file, VERSION, 8);
  put(file, s->out_width == 2 ? UINT16 : INT32, 1);
  put(file, n, 8);
  put(file, n + 1, 8);
  for (size_t i = 0; i < n && status == RMX_OK; i++) {
    if (starts[i + 1] - starts[i] > INT32_MAX)
      status = rmx_fail(err, RMX_EINPUT, "%s: document %zu has more than 2^31 tokens", path, i + 1);
    put(file, starts[i + 1] - starts[i], 4);
  }
  for (size_t i = 0; i < n; i++) put(file, starts[i] * (size_t)s->out_width, 8);
  for (size_t i = 0; i <= n; i++) put(file, i, 8);
  free(starts);
  return status;
}

// ---- the formats ------------------------------------------------------------------------------

typedef rmx_status write_part(const struct source *s, FILE *file, const char *path, rmx_err *err);

static const struct format {
  const char *name;
  const char *ending;
  int narrow_below;   // with fewer words in the vocabulary an id has 2 bytes
  write_part *first;  // what is before the ids; NULL: nothing
  const char *index_ending;
  write_part *index;  // a second file; NULL: none
} formats[] = {
    {"megatron", ".bin", 65500, NULL, ".idx", write_index},
    {"nanogpt", ".bin", 65537, NULL, NULL, NULL},
    {"olmo", ".npy", 65537, NULL, NULL, NULL},
    {"npy", ".npy", 65537, write_npy_header, NULL, NULL},
};

static const struct format *find(const char *name, rmx_err *err) {
  enum { N = sizeof formats / sizeof *formats };
  const char *names[N];
  for (size_t i = 0; i < N; i++) {
    names[i] = formats[i].name;
    if (strcmp(name, names[i]) == 0) return &formats[i];
  }
  rmx_unknown_name("format of token files", name, names, N, err);
  return NULL;
}

static rmx_status write_file(const struct source *s, const char *path, write_part *first,
                             write_part *then, rmx_err *err) {
  rmx_outfile out = {0};
  RMX_TRY(rmx_outfile_open(&out, path, err));
  rmx_status status = first ? first(s, out.file, path, err) : RMX_OK;
  if (status == RMX_OK && then) status = then(s, out.file, path, err);
  if (status == RMX_OK) return rmx_outfile_commit(&out, err);
  rmx_outfile_discard(&out);
  return status;
}

static rmx_status write_split(const struct format *f, const struct source *s, const char *folder,
                              rmx_err *err) {
  const char *name = s->corpus->domains[s->d].name, *split = s->valid ? "valid" : "train";
  rmx_status status = RMX_OK;
  for (int k = 0; k < (f->index ? 2 : 1) && status == RMX_OK; k++) {
    char *path = rmx_format("%s/%s/%s%s", folder, split, name, k ? f->index_ending : f->ending);
    if (!path) return rmx_fail_memory(err, 0, "a path");
    status = write_file(s, path, k ? f->index : f->first, k ? NULL : write_ids, err);
    free(path);
  }
  return status;
}

static rmx_status make_folders(const char *folder, rmx_err *err) {
  static const char *const splits[] = {"train", "valid"};
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < 2 && status == RMX_OK; i++) {
    char *path = rmx_format("%s/%s", folder, splits[i]);
    status = path ? rmx_mkdirs(path, err) : rmx_fail_memory(err, 0, "a path");
    free(path);
  }
  return status;
}

rmx_status rmx_corpus_export(const rmx_corpus *corpus, const char *format, const char *folder,
                             int *width, rmx_err *err) {
  const struct format *f = find(format, err);
  if (!f) return err->status;
  *width = corpus->vocab < f->narrow_below ? 2 : 4;
  RMX_TRY(make_folders(folder, err));
  for (size_t d = 0; d < corpus->D; d++)
    for (int valid = 0; valid < 2; valid++) {
      const rmx_domain *domain = &corpus->domains[d];
      const struct source s = {.corpus = corpus,
                               .d = d,
                               .valid = valid,
                               .ids = valid ? domain->valid : domain->train,
                               .tokens = valid ? domain->valid_tokens : domain->train_tokens,
                               .width = domain->width,
                               .out_width = *width};
      if (s.tokens) RMX_TRY(write_split(f, &s, folder, err));
    }
  return RMX_OK;
}
