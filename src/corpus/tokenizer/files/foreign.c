// SPDX-License-Identifier: Apache-2.0
#include "foreign.h"

#include <stdlib.h>
#include <string.h>

#include "corpus/tokenizer/byte_alphabet.h"
#include "corpus/tokenizer/tokenizer.h"
#include "corpus/tokenizer/unigram.h"
#include "corpus/tokenizer/wordpiece.h"
#include "ranks.h"

void rmx__foreign_release(rmx__foreign *f) {
  rmx__token_list_release(&f->list);
  free(f->merges);
  free(f->scores);
  json_decref(f->frame);
  *f = (rmx__foreign){0};
}

rmx_status rmx__foreign_add(rmx__foreign *f, int64_t id, const char *text, size_t size,
                            bool special, bool normalized, rmx_err *err) {
  json_t *entry = json_pack("{s:I, s:s%, s:b, s:b, s:b, s:b, s:b}", "id", (json_int_t)id, "content",
                            text, size, "single_word", 0, "lstrip", 0, "rstrip", 0, "normalized",
                            normalized, "special", special);
  if (json_array_append_new(json_object_get(f->frame, "added_tokens"), entry) != 0)
    return rmx_fail_memory(err, size, "an added token");
  return RMX_OK;
}

rmx_status rmx__foreign_special(rmx__foreign *f, int64_t id, const char *text, size_t size,
                                rmx_err *err) {
  // The key of the vocabulary is the text itself. If it is not one of GPT-2's alphabet, the frame
  // has it; else it means the bytes that it spells.
  json_t *vocab = json_object_get(json_object_get(f->frame, "model"), "vocab");
  f->list.scratch.size = 0;
  const bool spells = rmx__unspell_bytes(text, size, &f->list.scratch);
  if (f->list.scratch.failed ||
      (!spells && json_object_setn_new(vocab, text, size, json_integer(id)) != 0))
    return rmx_fail_memory(err, size, "a special token");
  RMX_TRY(rmx__token_list_set(&f->list, id, spells ? f->list.scratch.data : text,
                              spells ? f->list.scratch.size : size,
                              RMX__TOKEN_SPECIAL | RMX__IN_MODEL, err));
  return rmx__foreign_add(f, id, text, size, true, false, err);
}

rmx_status rmx__foreign_byte_level(rmx__foreign *f, const char *pattern, bool nfc, rmx_err *err) {
  json_t *steps = json_array();
  if (pattern)
    json_array_append_new(steps, json_pack("{s:s, s:{s:s}, s:s, s:b}", "type", "Split", "pattern",
                                           "Regex", pattern, "behavior", "Isolated", "invert", 0));
  json_array_append_new(
      steps, json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", 0,
                       "trim_offsets", 0, "use_regex", !pattern));
  f->frame = json_pack(
      "{s:s, s:n, s:n, s:[], s:o, s:{s:s, s:o}, s:n, s:{s:s, s:b, s:b, s:b},"
      " s:{s:s, s:n, s:n, s:n, s:n, s:b, s:b, s:b, s:{}, s:[]}}",
      "version", "1.0", "truncation", "padding", "added_tokens", "normalizer",
      nfc ? json_pack("{s:s}", "type", "NFC") : json_null(), "pre_tokenizer", "type", "Sequence",
      "pretokenizers", steps, "post_processor", "decoder", "type", "ByteLevel", "add_prefix_space",
      1, "trim_offsets", 1, "use_regex", 1, "model", "type", "BPE", "dropout", "unk_token",
      "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", 0, "byte_fallback", 0,
      "ignore_merges", 1, "vocab", "merges");
  if (!f->frame || json_array_size(steps) != (pattern ? 2u : 1u))
    return rmx_fail_memory(err, 0, "a tokenizer");
  f->list.byte_level = true;
  return RMX_OK;
}

rmx_status rmx__foreign_merge(rmx__foreign *f, rmx_err *err) {
  const size_t n = (size_t)f->list.n;
  rmx__token_text *tokens = rmx_calloc(n, sizeof *tokens);
  if (!tokens) return rmx_fail_memory(err, n * sizeof *tokens, "merges");
  for (size_t i = 0; i < n; i++)
    if (f->list.kinds[i] == (RMX__TOKEN_BYTES | RMX__IN_MODEL)) tokens[i] = f->list.tokens[i];
  const rmx_status status =
      rmx__ranks_to_merges(tokens, NULL, n, false, &f->merges, &f->nmerges, err);
  free(tokens);
  return status;
}

// ---- making the tokenizer --------------------------------------------------------------

static rmx_status read_added(rmx_tokenizer *t, rmx_err *err) {
  const json_t *list = json_object_get(t->frame, "added_tokens");
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *entry = json_array_get(list, i), *content = json_object_get(entry, "content");
    const rmx__added_token token = {
        .text = (char *)json_string_value(content),
        .size = json_string_length(content),
        .id = (uint32_t)json_integer_value(json_object_get(entry, "id")),
        .special = json_is_true(json_object_get(entry, "special")),
        .normalized = json_is_true(json_object_get(entry, "normalized")),
    };
    RMX_TRY(rmx__added_tokens_add(&t->added, token, err));
  }
  return RMX_OK;
}

static rmx_status make_model(rmx_tokenizer *t, const rmx__foreign *f, rmx_err *err) {
  json_t *model = json_object_get(t->frame, "model");
  const char *where = f->list.where;
  if (t->type == &rmx__unigram_type)
    return rmx__unigram_model(t, model, f->scores, (size_t)f->list.n, where, &t->model, err);
  if (t->type != &rmx__bpe_type) return t->type->make(t, model, where, &t->model, err);
  rmx__bpe *bpe = NULL;
  RMX_TRY(rmx__bpe_make(t, model, f->merges, f->nmerges, where, &bpe, err));
  t->model = bpe;
  return RMX_OK;
}

// The model WordPiece keeps its vocabulary in the tree.
static rmx_status put_vocab(const rmx_tokenizer *t, const rmx__foreign *f, rmx_err *err) {
  json_t *vocab = json_object_get(json_object_get(t->frame, "model"), "vocab");
  for (int i = 0; t->type == &rmx__wordpiece_type && i < f->list.n; i++)
    if (f->list.tokens[i].size &&
        json_object_setn_new(vocab, f->list.tokens[i].data, f->list.tokens[i].size,
                             json_integer(i)) != 0)
      return rmx_fail_memory(err, f->list.tokens[i].size, "a token");
  return RMX_OK;
}

static rmx_status two_ids(const rmx_tokenizer *t, const char *where, uint32_t a, uint32_t b,
                          rmx_err *err) {
  const rmx__token_text text = rmx__vocabulary_text(&t->vocabulary, b);
  return rmx_fail(err, RMX_EINPUT, "%s: the ids %u and %u are both of the token \"%.*s\"", where, a,
                  b, text.size < 100 ? (int)text.size : 100, text.data);
}

// A tokenizer.json has one id for each text.
static rmx_status check_doubles(const rmx_tokenizer *t, const char *where, rmx_err *err) {
  const rmx__vocabulary *v = &t->vocabulary;
  for (uint32_t i = 0; i < (uint32_t)v->n; i++) {
    if (v->kind[i] == RMX__TOKEN_NONE) continue;
    const rmx__token_text text = rmx__vocabulary_text(v, i);
    const uint32_t found = rmx__vocabulary_find(v, text.data, text.size);
    if (found != i && (v->in_model[i] || found != RMX__NO_TOKEN))
      return two_ids(t, where, found, i, err);
  }
  return RMX_OK;
}

static rmx_status finish(rmx_tokenizer *t, const rmx__foreign *f, rmx_err *err) {
  RMX_TRY(put_vocab(t, f, err));
  RMX_TRY(read_added(t, err));
  RMX_TRY(rmx__vocabulary_make(&t->vocabulary, f->list.tokens, f->list.kinds, f->list.n, err));
  RMX_TRY(check_doubles(t, f->list.where, err));
  RMX_TRY(make_model(t, f, err));
  return rmx__tokenizer_finish(t, f->list.where, err);
}

rmx_status rmx__foreign_make(rmx__foreign *f, rmx_tokenizer **out, rmx_err *err) {
  rmx_tokenizer *t = NULL;
  rmx_status status = rmx__tokenizer_begin(f->frame, f->list.where, &t, err);
  f->frame = NULL;
  if (status == RMX_OK) status = finish(t, f, err);
  if (status == RMX_OK)
    *out = t;
  else
    rmx_tokenizer_free(t);
  return status;
}
