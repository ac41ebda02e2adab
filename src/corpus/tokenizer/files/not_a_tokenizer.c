// SPDX-License-Identifier: Apache-2.0
#include "not_a_tokenizer.h"

#include <ctype.h>
#include <string.h>

// ---- bytes -----------------------------------------------------------------------------

struct start {
  const char *bytes;
  size_t size;
  const char *what;
};
#define START(bytes, what) \
  { bytes, sizeof(bytes) - 1, what }

static const struct start starts[] = {
    START("version https://git-lfs",
          "a pointer of Git LFS, not the file itself: fetch it with git lfs pull"),
    START("\x1F\x8B", "packed with gzip: unpack it with gunzip"),
    START("\x28\xB5\x2F\xFD", "packed with Zstandard: unpack it with zstd -d"),
    START("\xFD"
          "7zXZ",
          "packed with xz: unpack it with unxz"),
    START("BZh", "packed with bzip2: unpack it with bunzip2"),
    START("PK\x03\x04", "a ZIP archive: unpack it, and give the tokenizer.json in it"),
    START("\xFF\xFE", "text in UTF-16: save it as UTF-8"),
    START("\xFE\xFF", "text in UTF-16: save it as UTF-8"),
    START("#version:", "the merges of a BPE: give the vocab.json beside it, or the tokenizer.json"),
};

// Whether the text begins with this, whatever the case and the white space before it.
static bool begins(const char *data, size_t size, const char *text) {
  while (size && isspace((unsigned char)*data)) data++, size--;
  if (size < strlen(text)) return false;
  for (size_t i = 0; text[i]; i++)
    if (tolower((unsigned char)data[i]) != text[i]) return false;
  return true;
}

rmx_status rmx__not_a_tokenizer(const char *data, size_t size, const char *where, rmx_err *err) {
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
    if (size >= starts[i].size && memcmp(data, starts[i].bytes, starts[i].size) == 0)
      return rmx_fail(err, RMX_EINPUT, "%s: %s", where, starts[i].what);
  if (begins(data, size, "<!doctype") || begins(data, size, "<html") || begins(data, size, "<?xml"))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: a page of the web, not the file itself: use the address of the download",
                    where);
  return rmx_fail(
      err, RMX_EINPUT,
      "%s: %s; a tokenizer is read from a tokenizer.json, a tekken.json, a SentencePiece "
      "model, a tiktoken file of ranks, or a vocab.txt of BERT",
      where, size ? "not a tokenizer of a known kind" : "the file is empty");
}

// ---- JSON ------------------------------------------------------------------------------

// Files that stand beside a tokenizer.json, and a key that only they have.
static const char *const others[][2] = {
    {"added_tokens_decoder", "a tokenizer_config.json, which names classes and special tokens"},
    {"tokenizer_class", "a tokenizer_config.json, which names classes and special tokens"},
    {"chat_template", "a tokenizer_config.json, which names classes and special tokens"},
    {"architectures", "a config.json, which describes a model"},
    {"model_type", "a config.json, which describes a model"},
    {"hidden_size", "a config.json, which describes a model"},
    {"weight_map", "the index of a model's weights"},
    {"eos_token", "a special_tokens_map.json, which names special tokens"},
    {"bos_token", "a special_tokens_map.json, which names special tokens"},
    {"eos_token_id", "a generation_config.json"},
};

rmx_status rmx__not_a_tokenizer_json(const json_t *root, const char *where, rmx_err *err) {
  const char *what = NULL;
  for (size_t i = 0; i < sizeof others / sizeof *others && !what; i++)
    if (json_object_get(root, others[i][0])) what = others[i][1];
  if (what)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: %s and not the tokenizer: give the tokenizer.json of the same model",
                    where, what);
  return rmx_fail(err, RMX_EINPUT, "%s: no \"model\": not a tokenizer.json", where);
}

rmx_status rmx__not_json(const json_error_t *at, const char *where, rmx_err *err) {
  switch (json_error_code(at)) {
    case json_error_premature_end_of_input:
      return rmx_fail(err, RMX_EINPUT,
                      "%s:%d: the JSON has no end: the file is cut off; fetch it again", where,
                      at->line);
    case json_error_null_byte_in_key:
    case json_error_null_character:
      return rmx_fail(err, RMX_EINPUT,
                      "%s:%d: a text has the character U+0000 (\\u0000), which is not supported: "
                      "remove this token",
                      where, at->line);
    case json_error_duplicate_key:
      return rmx_fail(err, RMX_EINPUT, "%s:%d: %s: remove one of them", where, at->line, at->text);
    default:
      return rmx_fail(err, RMX_EINPUT, "%s:%d: not JSON: %s", where, at->line, at->text);
  }
}
