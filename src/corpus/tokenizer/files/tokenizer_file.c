// SPDX-License-Identifier: Apache-2.0
// Reads a tokenizer from any of the files that programs keep them in. The content decides which it
// is: a tokenizer.model may be of SentencePiece or of tiktoken, and a .json may be Mistral's.
#include <stdlib.h>
#include <string.h>

#include "corpus/tokenizer/model_lists.h"
#include "corpus/tokenizer/tokenizer.h"
#include "foreign.h"

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
  json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &at);
  if (!root) return rmx_fail(err, RMX_EINPUT, "%s:%d: not JSON: %s", where, at.line, at.text);
  if (!rmx__tekken_is(root)) return rmx__tokenizer_of_tree(root, NULL, where, out, err);
  rmx__foreign foreign = {0};
  rmx_status status = rmx__tekken_read(root, where, &foreign, err);
  json_decref(root);
  return make_foreign(&foreign, status, out, err);
}

static rmx_status unknown_kind(const char *text, size_t size, const char *where, rmx_err *err) {
  static const char pointer[] = "version https://git-lfs";
  if (size >= sizeof pointer - 1 && memcmp(text, pointer, sizeof pointer - 1) == 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: a pointer of Git LFS, not the file itself: fetch it with git lfs pull",
                    where);
  return rmx_fail(
      err, RMX_EINPUT,
      "%s: %s; a tokenizer is read from a tokenizer.json, a tekken.json, a SentencePiece "
      "model, a tiktoken file of ranks, or a vocab.txt of BERT",
      where, size ? "not a tokenizer of a known kind" : "the file is empty");
}

rmx_status rmx__tokenizer_parse(const char *text, size_t size, const char *where,
                                rmx_tokenizer **out, rmx_err *err) {
  rmx__foreign foreign = {0};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (types[i]->is(text, size))
      return make_foreign(&foreign, types[i]->read(text, size, where, &foreign, err), out, err);
  size_t at = 0;
  while (at < size && strchr(" \t\r\n", text[at]) && text[at]) at++;
  if (at < size && text[at] == '{') return parse_json(text, size, where, out, err);
  return unknown_kind(text, size, where, err);
}

rmx_status rmx_tokenizer_read(const char *path, rmx_tokenizer **out, rmx_err *err) {
  char *text;
  size_t size;
  RMX_TRY(rmx_read_file(path, &text, &size, err));
  rmx_status status = rmx__tokenizer_parse(text, size, path, out, err);
  free(text);
  return status;
}
