// SPDX-License-Identifier: Apache-2.0
// Reads a tokenizer from any of the files that programs keep them in. The content decides which it
// is: a tokenizer.model may be of SentencePiece or of tiktoken, and a .json may be Mistral's.
#include <stdlib.h>
#include <string.h>

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

static rmx_status parse_json(const char *text, size_t size, const char *where, rmx_tokenizer **out,
                             rmx_err *err) {
  json_error_t at;
  json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &at);
  if (!root) return rmx_fail(err, RMX_EINPUT, "%s:%d: not JSON: %s", where, at.line, at.text);
  if (!rmx__tekken_is(root)) return rmx__tokenizer_of_tree(root, where, out, err);
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
