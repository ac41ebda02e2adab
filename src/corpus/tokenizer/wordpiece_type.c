// SPDX-License-Identifier: Apache-2.0
// The model "WordPiece" of a tokenizer.json: its options, its tokens, and the words that were cut
// before.
#include <stdlib.h>
#include <string.h>

#include "byte_alphabet.h"
#include "tokenizer.h"
#include "word_cache.h"
#include "wordpiece.h"

static rmx_status read_tokens(const json_t *json, rmx__token_list *list, rmx_err *err) {
  json_t *vocab = json_object_get(json, "vocab"), *id;
  if (!json_is_object(vocab))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: model: \"vocab\" is missing or not a map of tokens to ids", list->where);
  const char *key;
  json_object_foreach(vocab, key, id) RMX_TRY(rmx__token_list_add(list, key, id, err));
  return RMX_OK;
}

static rmx_status read_options(const rmx_tokenizer *t, const json_t *json, const char *where,
                               const char **prefix, uint32_t *unknown, size_t *longest,
                               rmx_err *err) {
  const json_t *p = json_object_get(json, "continuing_subword_prefix"),
               *u = json_object_get(json, "unk_token"),
               *n = json_object_get(json, "max_input_chars_per_word");
  if ((p && !json_is_string(p)) || (u && !json_is_string(u)))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: model: \"continuing_subword_prefix\" or \"unk_token\" is not a string",
                    where);
  if (n && (!json_is_integer(n) || json_integer_value(n) < 0))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: model: \"max_input_chars_per_word\" is not a whole number, 0 or more",
                    where);
  *prefix = p ? json_string_value(p) : "##";
  *longest = n ? (size_t)json_integer_value(n) : 100;
  const char *name = u ? json_string_value(u) : "[UNK]";
  *unknown = rmx__vocabulary_find(&t->vocabulary, name, strlen(name));
  if (*unknown == RMX__NO_TOKEN)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: model: the vocabulary does not have the unknown token \"%.100s\"", where,
                    name);
  return RMX_OK;
}

static void free_model(void *model) {
  if (model) rmx__wordpiece_release(model);
  free(model);
}

// Special tokens are never found in a text by the model: they would be in it otherwise.
static rmx_status make(const rmx_tokenizer *t, json_t *json, const char *where, void **model,
                       rmx_err *err) {
  const size_t n = (size_t)t->vocabulary.n;
  const char *prefix = "";
  uint32_t unknown = RMX__NO_TOKEN;
  size_t longest = 0;
  RMX_TRY(read_options(t, json, where, &prefix, &unknown, &longest, err));
  rmx__wordpiece *w = rmx_calloc(1, sizeof *w);
  rmx__token_text *tokens = rmx_calloc(n, sizeof *tokens);
  bool *include = rmx_calloc(n, sizeof *include);
  for (uint32_t i = 0; w && tokens && include && i < n; i++) {
    tokens[i] = rmx__vocabulary_text(&t->vocabulary, i);
    include[i] = t->vocabulary.in_model[i] && t->vocabulary.kind[i] != RMX__TOKEN_SPECIAL;
  }
  const rmx_status status =
      w && tokens && include
          ? rmx__wordpiece_make(w, tokens, include, n, prefix, unknown, longest, err)
          : rmx_fail_memory(err, n * sizeof *tokens, "a tokenizer");
  free(tokens);
  free(include);
  if (status == RMX_OK)
    *model = w;
  else
    free_model(w);
  return status;
}

static bool write(const rmx_tokenizer *t, json_t *json) {
  (void)t, (void)json;  // `make` removes nothing
  return true;
}

static uint64_t hash(const void *model, uint64_t h) {
  const rmx__wordpiece *w = model;
  const uint64_t rest[] = {w->unknown, w->longest};
  return rmx_hash(rest, sizeof rest, h);
}

static bool makes(const rmx_tokenizer *t, uint32_t id) {
  const rmx__wordpiece *w = t->model;
  const rmx__token_text text = rmx__vocabulary_text(&t->vocabulary, id);
  return rmx__double_array_find(&w->trie, text.data, text.size) != RMX__NO_TOKEN ||
         id == w->unknown;
}

static void *scratch_new(const rmx_tokenizer *t) {
  (void)t;
  return rmx__cache_new();
}

static bool encode_new(void *model, const char *word, size_t size, rmx_tokens *out) {
  return rmx__wordpiece_encode(model, word, size, out);
}

static bool encode(const rmx_tokenizer *t, void *scratch, const char *word, size_t size,
                   rmx_tokens *out) {
  return rmx__cache_encode(scratch, word, size, encode_new, t->model, out);
}

const rmx__model_type rmx__wordpiece_type = {
    .name = "WordPiece",
    .tokens = read_tokens,
    .make = make,
    .free = free_model,
    .hash = hash,
    .write = write,
    .makes = makes,
    .scratch_new = scratch_new,
    .scratch_free = free,
    .encode = encode,
};
