// SPDX-License-Identifier: Apache-2.0
// Reads a tokenizer from any of the files that programs keep them in. The content decides which it
// is: a tokenizer.model may be of SentencePiece or of tiktoken, and a .json may be Mistral's.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "corpus/tokenizer/model_lists.h"
#include "corpus/tokenizer/tokenizer.h"
#include "foreign.h"
#include "not_a_tokenizer.h"

static const rmx__foreign_type *const types[] = {&rmx__spm_file_type, &rmx__tiktoken_type,
                                                 &rmx__vocab_txt_type};

static rmx_status make_foreign(rmx__foreign *f, rmx_status status, rmx_tokenizer **out,
                               rmx_err *err) {
  if (status == RMX_OK) status = rmx__foreign_make(f, out, err);
  rmx__foreign_release(f);
  return status;
}

// Reads a tokenizer.json of BPE without a tree of its vocabulary and merges. False: it must be read
// with one, which also finds what is wrong with it.
static bool parse_lists(const char *text, size_t size, const char *where, rmx_tokenizer **out) {
  rmx__model_lists lists = {0};
  rmx_buf rest = {0};
  rmx_err err;
  json_t *root = rmx__model_lists_take(text, size, &lists, &rest)
                     ? json_loadb(rest.data, rest.size, JSON_REJECT_DUPLICATES, NULL)
                     : NULL;
  const json_t *model = json_object_get(root, "model");
  // the paths "model.vocab" and "model.merges" are also those of keys with a dot
  const bool same = json_object_size(json_object_get(model, "vocab")) == 0 &&
                    json_array_size(json_object_get(model, "merges")) == 0 &&
                    !json_object_get(root, "model.vocab") && !json_object_get(root, "model.merges");
  bool good =
      root && same && rmx__tokenizer_of_tree(json_incref(root), &lists, where, out, &err) == RMX_OK;
  json_decref(root);
  rmx_buf_release(&rest);
  rmx__model_lists_release(&lists);
  return good;
}

static rmx_status parse_json(const char *text, size_t size, const char *where, rmx_tokenizer **out,
                             rmx_err *err) {
  json_error_t at;
  if (parse_lists(text, size, where, out)) return RMX_OK;
  json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &at), *tree = NULL;
  if (!root) return rmx__not_json(&at, where, err);
  rmx__foreign foreign = {0};
  rmx_status status;
  if (rmx__tekken_is(root)) {
    status = make_foreign(&foreign, rmx__tekken_read(root, where, &foreign, err), out, err);
  } else if (rmx__vocab_json_is(root)) {
    status = rmx__vocab_json_tree(root, where, &tree, err);
    if (status == RMX_OK) status = rmx__tokenizer_of_tree(tree, NULL, where, out, err);
  } else if (!json_is_object(json_object_get(root, "model"))) {
    status = rmx__not_a_tokenizer_json(root, where, err);
  } else {
    return rmx__tokenizer_of_tree(root, NULL, where, out, err);
  }
  json_decref(root);
  return status;
}

rmx_status rmx__tokenizer_parse(const char *text, size_t size, const char *where,
                                rmx_tokenizer **out, rmx_err *err) {
  rmx__foreign foreign = {0};
  if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) text += 3, size -= 3;  // a mark of UTF-8
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (types[i]->is(text, size))
      return make_foreign(&foreign, types[i]->read(text, size, where, &foreign, err), out, err);
  size_t at = 0;
  while (at < size && strchr(" \t\r\n", text[at]) && text[at]) at++;
  if (at < size && text[at] == '{') return parse_json(text, size, where, out, err);
  return rmx__not_a_tokenizer(text, size, where, err);
}

// ---- where it is -----------------------------------------------------------------------

rmx_status rmx__tokenizer_find(const char *path, char **file, rmx_err *err) {
  static const char *const names[] = {"tokenizer.json", "tekken.json", "tokenizer.model",
                                      "spiece.model",   "vocab.json",  "vocab.txt"};
  struct stat info;
  if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
    *file = rmx_strdup(path);
    return *file ? RMX_OK : rmx_fail_memory(err, 0, "a path");
  }
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    *file = rmx_path_in(path, names[i]);
    if (!*file) return rmx_fail_memory(err, 0, "a path");
    if (rmx_exists(*file)) return RMX_OK;
    free(*file);
    *file = NULL;
  }
  return rmx_fail(err, RMX_EINPUT,
                  "%s: a folder without a tokenizer; wanted in it: tokenizer.json, tekken.json, "
                  "tokenizer.model, spiece.model, vocab.json with merges.txt, or vocab.txt",
                  path);
}

rmx_status rmx_tokenizer_read(const char *path, rmx_tokenizer **out, rmx_err *err) {
  char *text, *file = NULL;
  size_t size;
  RMX_TRY(rmx__tokenizer_find(path, &file, err));
  rmx_status status = rmx_read_file(file, &text, &size, err);
  if (status == RMX_OK) {
    status = rmx__tokenizer_parse(text, size, file, out, err);
    free(text);
  }
  free(file);
  return status;
}
