// SPDX-License-Identifier: Apache-2.0
// BERT's vocab.txt: a token a line, whose number is its id. How a text is cut is not in the file:
// it is done as BERT does, with small letters if no token has a capital one.
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "corpus/tokenizer/double_array.h"
#include "corpus/utf8.h"
#include "foreign.h"

static const char *const specials[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
enum { SPECIALS = sizeof specials / sizeof *specials };

// The line at `at`, without what ends it. *next is the start of the next one.
static rmx__token_text line_at(const char *data, size_t size, size_t at, size_t *next) {
  const char *feed = memchr(data + at, '\n', size - at);
  size_t end = feed ? (size_t)(feed - data) : size;
  *next = feed ? end + 1 : size;
  while (end > at && strchr("\r\t ", data[end - 1])) end--;
  return (rmx__token_text){data + at, end - at};
}

static bool is(rmx__token_text t, const char *text) {
  return t.size == strlen(text) && memcmp(t.data, text, t.size) == 0;
}

static bool is_vocab_txt(const char *data, size_t size) {
  if (memchr(data, 0, size)) return false;
  for (size_t at = 0, next; at < size; at = next)
    if (is(line_at(data, size, at, &next), "[UNK]")) return true;
  return false;
}

static bool has_capital(rmx__token_text t) {
  if (t.data[0] == '[') return false;
  for (size_t at = 0; at < t.size;) {
    utf8proc_int32_t code;
    const utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)t.data + at,
                                                (utf8proc_ssize_t)(t.size - at), &code);
    if (n <= 0) return false;
    if (utf8proc_category(code) == UTF8PROC_CATEGORY_LU) return true;
    at += (size_t)n;
  }
  return false;
}

static rmx_status read_lines(rmx__foreign *f, const char *data, size_t size, bool *capitals,
                             rmx_err *err) {
  int64_t id = 0;
  for (size_t at = 0, next; at < size; at = next, id++) {
    const rmx__token_text t = line_at(data, size, at, &next);
    if (!t.size) continue;
    if (rmx__utf8_valid_prefix(t.data, t.size) != t.size)
      return rmx_fail(err, RMX_EINPUT, "%s:%lld: the token is not UTF-8", f->list.where,
                      (long long)id + 1);
    bool special = false;
    for (size_t i = 0; i < SPECIALS; i++) special |= is(t, specials[i]);
    *capitals |= has_capital(t);
    const uint8_t kind = special ? RMX__TOKEN_SPECIAL : RMX__TOKEN_BYTES;
    RMX_TRY(rmx__token_list_set(&f->list, id, t.data, t.size, kind | RMX__IN_MODEL, err));
  }
  return RMX_OK;
}

static rmx_status refuse_doubles(const rmx__foreign *f, rmx_err *err) {
  const rmx__token_text *tokens = f->list.tokens;
  uint32_t *order = rmx__sorted_keys(tokens, (size_t)f->list.n);
  if (!order) return rmx_fail_memory(err, (size_t)f->list.n, "the order of tokens");
  rmx_status status = RMX_OK;
  for (int i = 1; i < f->list.n && status == RMX_OK; i++) {
    const rmx__token_text a = tokens[order[i - 1]], b = tokens[order[i]];
    if (a.size && a.size == b.size && memcmp(a.data, b.data, a.size) == 0)
      status =
          rmx_fail(err, RMX_EINPUT, "%s:%u: line %u has the token \"%.*s\" already", f->list.where,
                   order[i] + 1, order[i - 1] + 1, a.size < 100 ? (int)a.size : 100, a.data);
  }
  free(order);
  return status;
}

static rmx_status read_vocab_txt(const char *data, size_t size, const char *where,
                                 rmx__foreign *out, rmx_err *err) {
  bool capitals = false;
  out->list.where = where;
  RMX_TRY(read_lines(out, data, size, &capitals, err));
  RMX_TRY(refuse_doubles(out, err));
  out->frame = json_pack(
      "{s:s, s:n, s:n, s:[], s:{s:s, s:b, s:b, s:n, s:b}, s:{s:s}, s:n, s:{s:s, s:s, s:b},"
      " s:{s:s, s:s, s:s, s:i, s:{}}}",
      "version", "1.0", "truncation", "padding", "added_tokens", "normalizer", "type",
      "BertNormalizer", "clean_text", 1, "handle_chinese_chars", 1, "strip_accents", "lowercase",
      !capitals, "pre_tokenizer", "type", "BertPreTokenizer", "post_processor", "decoder", "type",
      "WordPiece", "prefix", "##", "cleanup", 1, "model", "type", "WordPiece", "unk_token", "[UNK]",
      "continuing_subword_prefix", "##", "max_input_chars_per_word", 100, "vocab");
  if (!out->frame) return rmx_fail_memory(err, 0, "a tokenizer");
  for (int i = 0; i < out->list.n; i++)
    if (out->list.kinds[i] == (RMX__TOKEN_SPECIAL | RMX__IN_MODEL))
      RMX_TRY(rmx__foreign_add(out, i, out->list.tokens[i].data, out->list.tokens[i].size, true,
                               false, err));
  return RMX_OK;
}

const rmx__foreign_type rmx__vocab_txt_type = {is_vocab_txt, read_vocab_txt};
