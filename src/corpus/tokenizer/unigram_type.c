// SPDX-License-Identifier: Apache-2.0
// The model "Unigram" of a tokenizer.json: its options, its tokens with their scores, and the words
// that were cut before.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "byte_alphabet.h"
#include "score.h"
#include "tokenizer.h"
#include "unigram.h"
#include "word_cache.h"

struct unigram {
  rmx__unigram core;
  double *scores;  // (n) as the file has them
  double *read;    // (n) as Hugging Face's library reads them
  size_t n;        // tokens of the model
};

// ---- reading ---------------------------------------------------------------------------

static rmx_status read_tokens(const json_t *json, rmx__token_list *list, rmx_err *err) {
  const json_t *vocab = json_object_get(json, "vocab");
  if (!json_is_array(vocab) || json_array_size(vocab) == 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: model: \"vocab\" is missing, empty or not a list of tokens and scores",
                    list->where);
  if (json_array_size(vocab) > RMX__MAX_TOKENS)
    return rmx_fail(err, RMX_EINPUT, "%s: model: more than %d tokens", list->where,
                    RMX__MAX_TOKENS);
  for (size_t i = 0; i < json_array_size(vocab); i++) {
    const json_t *entry = json_array_get(vocab, i), *text = json_array_get(entry, 0);
    if (json_array_size(entry) != 2 || !json_is_string(text))
      return rmx_fail(err, RMX_EINPUT, "%s: model: entry %zu of \"vocab\" is not [token, score]",
                      list->where, i);
    json_t *id = json_integer((json_int_t)i);
    if (!id) return rmx_fail_memory(err, 0, "a token");
    const rmx_status status = rmx__token_list_add(list, json_string_value(text), id, err);
    json_decref(id);
    if (status != RMX_OK) return status;
  }
  return RMX_OK;
}

static rmx_status read_scores(const json_t *vocab, const char *where, double *scores,
                              rmx_err *err) {
  for (size_t i = 0; i < json_array_size(vocab); i++) {
    const json_t *score = json_array_get(json_array_get(vocab, i), 1);
    scores[i] = json_number_value(score);
    if (!json_is_number(score) || !isfinite(scores[i]))
      return rmx_fail(err, RMX_EINPUT, "%s: model: the score of token %zu is not a number", where,
                      i);
  }
  return RMX_OK;
}

// Without an unknown token only words are encoded whose characters are all tokens, as bytes are.
static rmx_status read_unknown(const rmx_tokenizer *t, const json_t *json, const char *where,
                               struct unigram *m, uint32_t *unknown, rmx_err *err) {
  const json_t *id = json_object_get(json, "unk_id");
  *unknown = RMX__NO_TOKEN;
  if (json_is_integer(id) && json_integer_value(id) >= 0 && (size_t)json_integer_value(id) < m->n) {
    *unknown = (uint32_t)json_integer_value(id);
    return RMX_OK;
  }
  if (id && !json_is_null(id))
    return rmx_fail(err, RMX_EINPUT, "%s: model: \"unk_id\" is not the id of a token", where);
  for (int b = 0; b < 256; b++) {
    const char byte = (char)b;
    if (t->byte_level && rmx__vocabulary_find(&t->vocabulary, &byte, 1) != RMX__NO_TOKEN) continue;
    return rmx_fail(err, RMX_EINPUT,
                    "%s: model: \"unk_id\" is missing: the id of the token for characters that are "
                    "not in the vocabulary",
                    where);
  }
  return RMX_OK;
}

static void free_model(void *model) {
  struct unigram *m = model;
  if (!m) return;
  rmx__unigram_release(&m->core);
  free(m->scores);
  free(m->read);
  free(m);
}

// Special tokens are never found in a text by the model: they would be in it otherwise.
static rmx_status make_core(const rmx_tokenizer *t, struct unigram *m, uint32_t unknown,
                            bool byte_fallback, rmx_err *err) {
  rmx__token_text *tokens = rmx_calloc(m->n, sizeof *tokens);
  bool *include = rmx_calloc(m->n, sizeof *include);
  for (uint32_t i = 0; tokens && include && i < m->n; i++) {
    tokens[i] = rmx__vocabulary_text(&t->vocabulary, i);
    include[i] = t->vocabulary.kind[i] != RMX__TOKEN_SPECIAL;
  }
  const rmx_status status =
      tokens && include
          ? rmx__unigram_make(&m->core, tokens, m->read, include, m->n, unknown, byte_fallback, err)
          : rmx_fail_memory(err, m->n * sizeof *tokens, "a tokenizer");
  m->core.bytes = t->byte_level;
  free(tokens);
  free(include);
  return status;
}

rmx_status rmx__unigram_model(const rmx_tokenizer *t, const json_t *json, const double *scores,
                              size_t n, const char *where, void **model, rmx_err *err) {
  const json_t *fallback = json_object_get(json, "byte_fallback");
  if (fallback && !json_is_null(fallback) && !json_is_boolean(fallback))
    return rmx_fail(err, RMX_EINPUT, "%s: model: \"byte_fallback\" is not true or false", where);
  struct unigram *m = rmx_calloc(1, sizeof *m);
  uint32_t unknown = RMX__NO_TOKEN;
  rmx_status status = RMX_OK;
  if (m) {
    m->n = n;
    m->scores = rmx_calloc(n, sizeof *m->scores);
    m->read = rmx_calloc(n, sizeof *m->read);
  }
  if (!m || !m->scores || !m->read) {
    status = rmx_fail_memory(err, n * sizeof *scores, "a tokenizer");
    goto failed;
  }
  memcpy(m->scores, scores, n * sizeof *scores);
  for (size_t i = 0; i < n; i++) m->read[i] = rmx__score_read(scores[i]);
  RMX_TRY_GOTO(read_unknown(t, json, where, m, &unknown, err), failed);
  RMX_TRY_GOTO(make_core(t, m, unknown, json_is_true(fallback), err), failed);
  *model = m;
  return RMX_OK;
failed:
  free_model(m);
  return status;
}

static rmx_status make(const rmx_tokenizer *t, json_t *json, const char *where, void **model,
                       rmx_err *err) {
  const json_t *vocab = json_object_get(json, "vocab");
  const size_t n = json_array_size(vocab);
  double *scores = rmx_calloc(n, sizeof *scores);
  if (!scores) return rmx_fail_memory(err, n * sizeof *scores, "the scores of a tokenizer");
  rmx_status status = read_scores(vocab, where, scores, err);
  if (status == RMX_OK) status = rmx__unigram_model(t, json, scores, n, where, model, err);
  free(scores);
  // The tokens and their scores are in memory once.
  if (status == RMX_OK && json_object_set_new(json, "vocab", json_array()) != 0)
    return rmx_fail_memory(err, 0, "a tokenizer");
  return status;
}

// ---- writing, comparing ----------------------------------------------------------------

static bool write(const rmx_tokenizer *t, json_t *json) {
  const struct unigram *m = t->model;
  json_t *vocab = json_object_get(json, "vocab");
  rmx_buf text = {0};
  bool good = true;
  for (uint32_t i = 0; good && i < m->n; i++) {
    const rmx__token_text token = rmx__vocabulary_text(&t->vocabulary, i);
    text.size = 0;
    if (t->byte_level && t->vocabulary.kind[i] == RMX__TOKEN_BYTES)
      rmx__spell_bytes(token.data, token.size, &text);
    else
      rmx_buf_add(&text, token.data, token.size);
    good = !text.failed &&
           json_array_append_new(vocab, json_pack("[s%, f]", text.data ? text.data : "", text.size,
                                                  m->scores[i])) == 0;
  }
  rmx_buf_release(&text);
  return good;
}

static uint64_t hash(const void *model, uint64_t h) {
  const struct unigram *m = model;
  const uint32_t rest[] = {m->core.unknown, m->core.byte_fallback, m->core.bytes};
  h = rmx_hash(m->scores, m->n * sizeof *m->scores, h);
  return rmx_hash(rest, sizeof rest, h);
}

static bool makes(const rmx_tokenizer *t, uint32_t id) {
  const struct unigram *m = t->model;
  const rmx__token_text text = rmx__vocabulary_text(&t->vocabulary, id);
  return rmx__double_array_find(&m->core.trie, text.data, text.size) != RMX__NO_TOKEN ||
         id == m->core.unknown;
}

// ---- encoding --------------------------------------------------------------------------

struct scratch {
  const rmx__unigram *core;
  rmx__lattice lattice;
  rmx__cached *cache;
};

static void *scratch_new(const rmx_tokenizer *t) {
  struct scratch *s = rmx_calloc(1, sizeof *s);
  if (!s) return NULL;
  s->core = &((const struct unigram *)t->model)->core;
  s->cache = rmx__cache_new();
  if (s->cache) return s;
  free(s);
  return NULL;
}

static void scratch_free(void *scratch) {
  struct scratch *s = scratch;
  rmx__lattice_release(&s->lattice);
  free(s->cache);
  free(s);
}

static bool encode_new(void *scratch, const char *word, size_t size, rmx_tokens *out) {
  struct scratch *s = scratch;
  if (rmx__unigram_encode(s->core, &s->lattice, word, size, out)) return true;
  rmx__lattice_release(&s->lattice);  // half filled
  return false;
}

static bool encode(const rmx_tokenizer *t, void *scratch, const char *word, size_t size,
                   rmx_tokens *out) {
  (void)t;
  return rmx__cache_encode(((struct scratch *)scratch)->cache, word, size, encode_new, scratch,
                           out);
}

const rmx__model_type rmx__unigram_type = {
    .name = "Unigram",
    .tokens = read_tokens,
    .make = make,
    .free = free_model,
    .hash = hash,
    .write = write,
    .makes = makes,
    .scratch_new = scratch_new,
    .scratch_free = scratch_free,
    .encode = encode,
};
