// SPDX-License-Identifier: Apache-2.0
// The public functions of the tokenizer.
#include "tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "bpe.h"
#include "byte_alphabet.h"

void rmx_tokenizer_free(rmx_tokenizer *t) {
  if (!t) return;
  while (t->idle) {
    struct rmx__encoder *e = t->idle;
    t->idle = *rmx__encoder_next(e);
    rmx__encoder_free(e);
  }
  pthread_mutex_destroy(&t->lock);
  if (t->model) t->type->free(t->model);
  rmx__vocabulary_release(&t->vocabulary);
  rmx__added_tokens_release(&t->added);
  rmx__normalizer_release(&t->normalizer);
  rmx__pre_tokenizer_release(&t->pre_tokenizer);
  rmx__decoder_release(&t->decoder);
  json_decref(t->frame);
  free(t);
}

// The steps that leave bytes that are not UTF-8 as they are.
static bool steps_take_any_bytes(const rmx_tokenizer *t) {
  for (size_t i = 0; i < t->normalizer.n; i++)
    if (t->normalizer.changes[i].run != rmx__change_form) return false;
  for (size_t i = 0; i < t->pre_tokenizer.n; i++) {
    const rmx__step_type *type = t->pre_tokenizer.steps[i].type;
    if (type != &rmx__step_gpt2 && type != &rmx__step_regex && type != &rmx__step_bytes)
      return false;
  }
  return t->byte_level;
}

rmx_status rmx__tokenizer_finish(rmx_tokenizer *t, const char *where, rmx_err *err) {
  t->any_bytes = steps_take_any_bytes(t) && t->type->any_bytes && t->type->any_bytes(t->model);
  RMX_TRY(rmx__decoder_read(t->frame, where, &t->decoder, err));
  t->decodes_bytes = t->byte_level &&
                     (t->decoder.n == 0 || (t->decoder.n == 1 && rmx__decodes_bytes(&t->decoder)));
  rmx__end_of_text_guess(t);
  RMX_TRY(rmx__added_tokens_index(&t->added, &t->normalizer, t->vocabulary.kind, err));
  rmx__tokenizer_hash_all(t);
  return RMX_OK;
}

// ---- training one --------------------------------------------------------------------

// The bytes of each token: 0 is the end of text, 1 .. 256 are the bytes, then the merges follow.
static rmx_status spell(const rmx__merge *merges, size_t nmerges, rmx__token_text *tokens,
                        char **arena, rmx_err *err) {
  static const char end_of_text[] = "<|endoftext|>";
  size_t total = 256;
  uint8_t order[256];
  rmx__byte_order(order);
  tokens[0] = (rmx__token_text){end_of_text, sizeof end_of_text - 1};
  for (size_t i = 0; i < 256; i++) tokens[1 + i].size = 1;
  for (size_t i = 0; i < nmerges; i++) {
    rmx__merge m = merges[i];
    tokens[m.made].size = tokens[m.a].size + tokens[m.b].size;
    total += tokens[m.made].size;
  }
  char *at = *arena = rmx_calloc(total, 1);
  if (!at) return rmx_fail_memory(err, total, "the tokens of a tokenizer");
  for (size_t i = 0; i < 256; i++) {
    *at = (char)order[i];
    tokens[1 + i].data = at++;
  }
  for (size_t i = 0; i < nmerges; i++) {
    const rmx__token_text *a = &tokens[merges[i].a], *b = &tokens[merges[i].b];
    tokens[merges[i].made].data = at;
    memcpy(at, a->data, a->size);
    memcpy(at + a->size, b->data, b->size);
    at += a->size + b->size;
  }
  return RMX_OK;
}

// A tokenizer with these tokens (vocab) and merges (n).
static rmx_status assemble(const rmx__token_text *tokens, const uint8_t *kinds, int vocab,
                           const rmx__merge *merges, size_t n, rmx_tokenizer **out, rmx_err *err) {
  static const char where[] = "a trained tokenizer", end_of_text[] = "<|endoftext|>";
  json_t *tree = rmx__tokenizer_frame();
  if (!tree) return rmx_fail_memory(err, 0, where);
  rmx__bpe *model = NULL;
  RMX_TRY(rmx__tokenizer_begin(tree, where, out, err));
  rmx_tokenizer *t = *out;
  RMX_TRY(rmx__vocabulary_make(&t->vocabulary, tokens, kinds, vocab, err));
  const rmx__added_token end = {
      .text = (char *)end_of_text, .size = sizeof end_of_text - 1, .special = true};
  RMX_TRY(rmx__added_tokens_add(&t->added, end, err));
  RMX_TRY(rmx__bpe_make(t, json_object_get(tree, "model"), merges, n, where, &model, err));
  t->model = model;
  return rmx__tokenizer_finish(t, where, err);
}

rmx_status rmx_tokenizer_train(const char *const *texts, const size_t *sizes, size_t n, int vocab,
                               rmx_tokenizer **out, rmx_err *err) {
  if (vocab < 257 || vocab > RMX__MAX_TOKENS)
    return rmx_fail(err, RMX_EINPUT,
                    "a vocabulary of %d tokens; wanted 257 (the bytes and the end of text) to %d",
                    vocab, RMX__MAX_TOKENS);
  rmx__merge *merges = NULL;
  size_t nmerges = 0;
  RMX_TRY(rmx__bpe_learn(texts, sizes, n, (size_t)vocab - 257, &merges, &nmerges, err));
  uint32_t V = 257;
  for (size_t i = 0; i < nmerges; i++) {
    merges[i].a++, merges[i].b++, merges[i].made++;
    if (merges[i].made >= V) V = merges[i].made + 1;
  }
  rmx_status status = RMX_OK;
  rmx_tokenizer *t = NULL;
  char *arena = NULL;
  rmx__token_text *tokens = rmx_calloc(V, sizeof *tokens);
  uint8_t *kinds = rmx_calloc(V, 1);
  if (!tokens || !kinds) {
    status = rmx_fail_memory(err, V * sizeof *tokens, "the tokens of a tokenizer");
    goto done;
  }
  RMX_TRY_GOTO(spell(merges, nmerges, tokens, &arena, err), done);
  memset(kinds, RMX__TOKEN_BYTES | RMX__IN_MODEL, V);
  kinds[0] = RMX__TOKEN_SPECIAL | RMX__IN_MODEL;
  RMX_TRY_GOTO(assemble(tokens, kinds, (int)V, merges, nmerges, &t, err), done);
  *out = t;
done:
  if (status != RMX_OK) rmx_tokenizer_free(t);
  free(merges);
  free(tokens);
  free(kinds);
  free(arena);
  return status;
}

// ---- using one -------------------------------------------------------------------------

int rmx_tokenizer_vocab(const rmx_tokenizer *t) {
  return t->vocabulary.n;
}
uint32_t rmx_tokenizer_end_of_text(const rmx_tokenizer *t) {
  return t->end_of_text;
}
uint64_t rmx_tokenizer_hash(const rmx_tokenizer *t) {
  return t->hash;
}

void rmx_tokens_release(rmx_tokens *t) {
  free(t->ids);
  *t = (rmx_tokens){0};
}

rmx_status rmx_tokenizer_encode(const rmx_tokenizer *t, rmx_specials specials, const char *text,
                                size_t size, rmx_tokens *out, rmx_err *err) {
  // Only the list of idle encoders changes, which is not part of the tokenizer's value.
  rmx_tokenizer *owner = (rmx_tokenizer *)t;
  pthread_mutex_lock(&owner->lock);
  struct rmx__encoder *e = owner->idle;
  if (e) owner->idle = *rmx__encoder_next(e);
  pthread_mutex_unlock(&owner->lock);
  if (!e && !(e = rmx__encoder_new(t))) return rmx_fail_memory(err, 1 << 20, "an encoder");
  rmx_status status = rmx__encoder_run(e, specials, text, size, out, err);
  pthread_mutex_lock(&owner->lock);
  *rmx__encoder_next(e) = owner->idle;
  owner->idle = e;
  pthread_mutex_unlock(&owner->lock);
  return status;
}

// The text of a token as the decoder gets it: of an added token, what the file calls it, or what
// the normalizer makes of that. A normalizer that spells bytes does what the decoder undoes.
static void put_token(const rmx_tokenizer *t, uint32_t id, rmx_buf *out) {
  rmx__token_text text = rmx__vocabulary_text(&t->vocabulary, id);
  const bool undone = t->normalizer.spells && t->decodes_bytes;
  const char *normal = undone ? NULL : rmx__added_normal(&t->added, id);
  if (normal) {
    rmx_buf_puts(out, normal);
    return;
  }
  if (t->byte_level && t->vocabulary.in_model[id] && !t->decodes_bytes)
    rmx__spell_bytes(text.data, text.size, out);
  else
    rmx_buf_add(out, text.data, text.size);
}

rmx_status rmx_tokenizer_decode(const rmx_tokenizer *t, const uint32_t *ids, size_t n, rmx_buf *out,
                                rmx_err *err) {
  rmx__texts texts = {0};
  for (size_t i = 0; i < n; i++) {
    if (ids[i] >= (uint32_t)t->vocabulary.n || t->vocabulary.kind[ids[i]] == RMX__TOKEN_NONE) {
      rmx__texts_release(&texts);
      return rmx_fail(err, RMX_EINPUT,
                      "the id %u, which is number %zu, is not in the vocabulary of %d", ids[i],
                      i + 1, t->vocabulary.n);
    }
    put_token(t, ids[i], t->decodes_bytes ? out : &texts.bytes);
    if (!t->decodes_bytes) rmx__texts_end(&texts);
  }
  rmx_status status = t->decodes_bytes ? RMX_OK : rmx__decoder_run(&t->decoder, &texts, out, err);
  rmx__texts_release(&texts);
  if (status != RMX_OK) return status;
  return out->failed ? rmx_fail_memory(err, out->size, "a decoded text") : RMX_OK;
}
