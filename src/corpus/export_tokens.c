// SPDX-License-Identifier: Apache-2.0
// The tokens of a corpus as the token files of other programs.
//   Megatron  NVIDIA/Megatron-LM, megatron/core/datasets/indexed_dataset.py: _IndexWriter
//   nanoGPT   karpathy/nanoGPT, data/openwebtext/prepare.py: ids alone
//   OLMo      allenai/OLMo-core, NumpyFSLDataset: ids alone, in files named .npy
#include <regmix/corpus.h>
#include <stdlib.h>
#include <string.h>

#include "base/npy.h"
#include "exported_files.h"

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

// ---- the folder -------------------------------------------------------------------------------

struct export {
  const rmx_corpus *corpus;
  const rmx_token_export *how;
  const struct format *format;
  rmx__exported files;
  int width;  // bytes of an id
};

static struct source source_of(const struct export *x, size_t d, bool valid) {
  const rmx_domain *domain = &x->corpus->domains[d];
  return (struct source){.corpus = x->corpus,
                         .d = d,
                         .valid = valid,
                         .ids = valid ? domain->valid : domain->train,
                         .tokens = valid ? domain->valid_tokens : domain->train_tokens,
                         .width = domain->width,
                         .out_width = x->width};
}

// What is done with each file: `index` tells the second file of a domain from the first.
typedef rmx_status each_file(struct export *x, const struct source *s, bool index, const char *name,
                             rmx_err *err);

static rmx_status for_each_file(struct export *x, each_file *act, rmx_err *err) {
  const struct format *f = x->format;
  for (size_t d = 0; d < x->corpus->D; d++)
    for (int k = 0; k < 4; k++) {
      const bool index = k % 2;
      const struct source s = source_of(x, d, k / 2);
      if (!s.tokens || (index && !f->index)) continue;
      RMX_OWNED char *name =
          rmx_format("%s/%s%s", s.valid ? "valid" : "train", x->corpus->domains[d].name,
                     index ? f->index_ending : f->ending);
      RMX_TRY(name ? act(x, &s, index, name, err) : rmx_fail_memory(err, 0, "a path"));
    }
  return RMX_OK;
}

static rmx_status announce(struct export *x, const struct source *s, bool index, const char *name,
                           rmx_err *err) {
  (void)s, (void)index;
  return rmx__exported_add(&x->files, name, err);
}

static rmx_status write_named(struct export *x, const struct source *s, bool index,
                              const char *name, rmx_err *err) {
  const struct format *f = x->format;
  RMX_OWNED char *path = rmx_path_in(x->how->folder, name);
  if (!path) return rmx_fail_memory(err, 0, "a path");
  return write_file(s, path, index ? f->index : f->first, index ? NULL : write_ids, err);
}

// The tokenizer goes with its ids.
static rmx_status copy_tokenizer(const struct export *x, rmx_err *err) {
  if (!x->how->tokenizer) return RMX_OK;
  RMX_OWNED char *to = rmx_path_in(x->how->folder, "tokenizer.json"), *data = NULL;
  size_t size;
  RMX_TRY(to ? rmx_read_file(x->how->tokenizer, &data, &size, err)
             : rmx_fail_memory(err, 0, "a path"));
  return rmx_write_file(to, data, size, err);
}

static rmx_status write_folder(struct export *x, rmx_err *err) {
  RMX_TRY(rmx__exported_open(&x->files, x->how->folder, x->how->format, err));
  if (x->how->tokenizer) RMX_TRY(rmx__exported_add(&x->files, "tokenizer.json", err));
  RMX_TRY(for_each_file(x, announce, err));
  RMX_TRY(rmx__exported_begin(&x->files, err));
  RMX_TRY(for_each_file(x, write_named, err));
  RMX_TRY(copy_tokenizer(x, err));
  return rmx__exported_end(&x->files, err);
}

static rmx_status make_folders(const char *folder, rmx_err *err) {
  static const char *const splits[] = {"train", "valid"};
  for (size_t i = 0; i < 2; i++) {
    RMX_OWNED char *path = rmx_path_in(folder, splits[i]);
    RMX_TRY(path ? rmx_mkdirs(path, err) : rmx_fail_memory(err, 0, "a path"));
  }
  return RMX_OK;
}

rmx_status rmx_corpus_export(const rmx_corpus *corpus, const rmx_token_export *how, int *width,
                             rmx_err *err) {
  struct export x = {.corpus = corpus, .how = how, .format = find(how->format, err)};
  rmx_lock lock;
  if (!x.format) return err->status;
  x.width = *width = corpus->vocab < x.format->narrow_below ? 2 : 4;
  RMX_TRY(make_folders(how->folder, err));
  RMX_TRY(rmx_folder_lock(how->folder, "another process is writing token files into this folder",
                          how->listener, &lock, err));
  const rmx_status status = write_folder(&x, err);
  rmx__exported_release(&x.files);
  rmx_folder_unlock(&lock);
  return status;
}
