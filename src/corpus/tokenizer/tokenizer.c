// SPDX-License-Identifier: Apache-2.0
// The public functions of the tokenizer.
#include "tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

// ---- making one --------------------------------------------------------------------

static bool index_merges(rmx_tokenizer *t) {
  t->pairs_mask = 15;
  while (t->pairs_mask < 2 * t->nmerges) t->pairs_mask = 2 * t->pairs_mask + 1;
  t->pairs = rmx_calloc(t->pairs_mask + 1, sizeof *t->pairs);
  if (!t->pairs) return false;
  for (size_t i = 0; i <= t->pairs_mask; i++) t->pairs[i].pair = UINT64_MAX;
  for (size_t i = 0; i < t->nmerges; i++) {
    uint64_t pair = rmx__pair(t->merges[i].a, t->merges[i].b);
    size_t at = rmx__pair_hash(pair) & t->pairs_mask;
    while (t->pairs[at].pair != UINT64_MAX && t->pairs[at].pair != pair)
      at = (at + 1) & t->pairs_mask;
    // If a pair is given twice, the last one counts, as in Hugging Face's library.
    t->pairs[at] = (rmx__pair_slot){pair, (uint32_t)i, t->merges[i].made};
  }
  return true;
}

static bool index_texts(rmx_tokenizer *t) {
  t->by_text_mask = 15;
  while (t->by_text_mask < 2 * (size_t)t->vocab) t->by_text_mask = 2 * t->by_text_mask + 1;
  t->by_text = rmx_calloc(t->by_text_mask + 1, sizeof *t->by_text);
  if (!t->by_text) return false;
  memset(t->by_text, 0xFF, (t->by_text_mask + 1) * sizeof *t->by_text);
  for (int i = 0; i < t->vocab; i++) {
    if (t->kind[i] != RMX__TOKEN_BYTES) continue;
    size_t at =
        rmx_hash(t->bytes + t->start[i], t->start[i + 1] - t->start[i], 0) & t->by_text_mask;
    while (t->by_text[at] != RMX__NO_TOKEN) at = (at + 1) & t->by_text_mask;
    t->by_text[at] = (uint32_t)i;
  }
  return true;
}

uint32_t rmx__tokenizer_find(const rmx_tokenizer *t, const char *data, size_t size) {
  for (size_t at = rmx_hash(data, size, 0) & t->by_text_mask;; at = (at + 1) & t->by_text_mask) {
    uint32_t id = t->by_text[at];
    if (id == RMX__NO_TOKEN) return id;
    if (t->start[id + 1] - t->start[id] == size && memcmp(t->bytes + t->start[id], data, size) == 0)
      return id;
  }
}

static bool index_added(rmx_tokenizer *t) {
  for (int i = 0; i < t->vocab; i++) t->nadded += t->kind[i] == RMX__TOKEN_ADDED;
  t->added = rmx_calloc(t->nadded, sizeof *t->added);
  if (!t->added) return false;
  size_t n = 0;
  for (int i = 0; i < t->vocab; i++) {
    if (t->kind[i] != RMX__TOKEN_ADDED) continue;
    const char *bytes = t->bytes + t->start[i];
    uint32_t size = t->start[i + 1] - t->start[i];
    t->added_first[(uint8_t)bytes[0]] = true;
    if (size > 1) t->added_second[(uint8_t)bytes[1]] = true;
    if (size == 1) memset(t->added_second, true, sizeof t->added_second);
    size_t at = n++;
    for (; at > 0 && t->start[t->added[at - 1] + 1] - t->start[t->added[at - 1]] < size; at--)
      t->added[at] = t->added[at - 1];
    t->added[at] = (uint32_t)i;
  }
  return true;
}

// Hash of all that decides which ids a text gets and what they mean.
static uint64_t hash_of(const rmx_tokenizer *t, const char *pattern) {
  size_t V = (size_t)t->vocab;
  uint64_t h = rmx_hash(t->bytes, t->start[V], V);
  h = rmx_hash(t->start, (V + 1) * sizeof *t->start, h);
  h = rmx_hash(t->kind, V, h);
  h = rmx_hash(t->merges, t->nmerges * sizeof *t->merges, h);
  uint32_t rest[] = {t->end_of_text, t->nfc, t->prefix_space, t->whole_words};
  h = rmx_hash(rest, sizeof rest, h);
  return rmx_hash_string(pattern ? pattern : "gpt2", h);
}

static rmx_status read_frame(rmx_tokenizer *t, const char *where, const char **pattern,
                             rmx_err *err) {
  const json_t *normalizer = json_object_get(t->frame, "normalizer");
  t->nfc = json_is_object(normalizer);  // reading a file refuses all other normalisers
  t->whole_words =
      json_is_true(json_object_get(json_object_get(t->frame, "model"), "ignore_merges"));
  const json_t *pre = json_object_get(t->frame, "pre_tokenizer"),
               *list = json_object_get(pre, "pretokenizers");
  size_t n = list ? json_array_size(list) : 1;
  for (size_t i = 0; i < n; i++) {
    const json_t *part = list ? json_array_get(list, i) : pre;
    if (json_is_true(json_object_get(part, "add_prefix_space"))) t->prefix_space = true;
    const char *regex =
        json_string_value(json_object_get(json_object_get(part, "pattern"), "Regex"));
    if (!regex) continue;
    *pattern = regex;
    RMX_TRY(rmx__pattern_compile(regex, where, &t->pattern, err));
  }
  return RMX_OK;
}

rmx_status rmx__tokenizer_make(const rmx__token_text *tokens, const uint8_t *kinds, int vocab,
                               const rmx__merge *merges, size_t nmerges, uint32_t end_of_text,
                               json_t *frame, const char *where, rmx_tokenizer **out,
                               rmx_err *err) {
  size_t V = (size_t)vocab, total = 0;
  for (size_t i = 0; i < V; i++) total += tokens[i].size;
  rmx_tokenizer *t = rmx_calloc(1, sizeof *t);
  if (!t) {
    json_decref(frame);
    return rmx_fail_memory(err, sizeof *t, "a tokenizer");
  }
  pthread_mutex_init(&t->lock, NULL);
  t->frame = frame;
  t->vocab = vocab;
  t->nmerges = nmerges;
  t->end_of_text = end_of_text;
  t->bytes = rmx_calloc(total, 1);
  t->start = rmx_calloc(V + 1, sizeof *t->start);
  t->kind = rmx_calloc(V, 1);
  t->merges = rmx_calloc(nmerges, sizeof *merges);
  rmx_status status = RMX_OK;
  const char *pattern = NULL;
  if (!frame || !t->bytes || !t->start || !t->kind || !t->merges || total > UINT32_MAX)
    goto no_memory;
  for (size_t i = 0; i < V; i++) {
    memcpy(t->bytes + t->start[i], tokens[i].data ? tokens[i].data : "", tokens[i].size);
    t->start[i + 1] = t->start[i] + (uint32_t)tokens[i].size;
  }
  memcpy(t->kind, kinds, V);
  if (nmerges) memcpy(t->merges, merges, nmerges * sizeof *merges);
  if (!index_merges(t) || !index_texts(t) || !index_added(t)) goto no_memory;
  for (int b = 0; b < 256; b++) {
    char byte = (char)b;
    t->byte_id[b] = rmx__tokenizer_find(t, &byte, 1);
    if (t->byte_id[b] == RMX__NO_TOKEN) {
      status =
          rmx_fail(err, RMX_EINPUT,
                   "%s: no token for the byte 0x%02X: only a byte-level vocabulary can encode any "
                   "text",
                   where, b);
      goto failed;
    }
  }
  RMX_TRY_GOTO(read_frame(t, where, &pattern, err), failed);
  t->hash = hash_of(t, pattern);
  *out = t;
  return RMX_OK;
no_memory:
  status = rmx_fail_memory(err, total, "a tokenizer");
failed:
  rmx_tokenizer_free(t);
  return status;
}

void rmx_tokenizer_free(rmx_tokenizer *t) {
  if (!t) return;
  while (t->idle) {
    struct rmx__encoder *e = t->idle;
    t->idle = *rmx__encoder_next(e);
    rmx__encoder_free(e);
  }
  pthread_mutex_destroy(&t->lock);
  rmx__pattern_release(&t->pattern);
  json_decref(t->frame);
  free(t->bytes);
  free(t->start);
  free(t->kind);
  free(t->merges);
  free(t->pairs);
  free(t->by_text);
  free(t->added);
  free(t);
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

rmx_status rmx_tokenizer_train(const char *const *texts, const size_t *sizes, size_t n, int vocab,
                               rmx_tokenizer **out, rmx_err *err) {
  if (vocab < 257 || vocab > 1 << 24)
    return rmx_fail(err, RMX_EINPUT,
                    "a vocabulary of %d tokens; wanted 257 (the bytes and the end of text) to %d",
                    vocab, 1 << 24);
  rmx__merge *merges = NULL;
  size_t nmerges = 0;
  RMX_TRY(rmx__bpe_learn(texts, sizes, n, (size_t)vocab - 257, &merges, &nmerges, err));
  uint32_t V = 257;
  for (size_t i = 0; i < nmerges; i++) {
    merges[i].a++, merges[i].b++, merges[i].made++;
    if (merges[i].made >= V) V = merges[i].made + 1;
  }
  rmx_status status = RMX_OK;
  char *arena = NULL;
  rmx__token_text *tokens = rmx_calloc(V, sizeof *tokens);
  uint8_t *kinds = rmx_calloc(V, 1);
  if (!tokens || !kinds) {
    status = rmx_fail_memory(err, V * sizeof *tokens, "the tokens of a tokenizer");
    goto done;
  }
  RMX_TRY_GOTO(spell(merges, nmerges, tokens, &arena, err), done);
  memset(kinds, RMX__TOKEN_BYTES, V);
  kinds[0] = RMX__TOKEN_SPECIAL;
  status = rmx__tokenizer_make(tokens, kinds, (int)V, merges, nmerges, 0, rmx__tokenizer_frame(),
                               "a trained tokenizer", out, err);
done:
  free(merges);
  free(tokens);
  free(kinds);
  free(arena);
  return status;
}

// ---- using one -------------------------------------------------------------------------

int rmx_tokenizer_vocab(const rmx_tokenizer *t) {
  return t->vocab;
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

rmx_status rmx_tokenizer_encode(const rmx_tokenizer *t, const char *text, size_t size,
                                rmx_tokens *out, rmx_err *err) {
  // Only the list of idle encoders changes, which is not part of the tokenizer's value.
  rmx_tokenizer *owner = (rmx_tokenizer *)t;
  pthread_mutex_lock(&owner->lock);
  struct rmx__encoder *e = owner->idle;
  if (e) owner->idle = *rmx__encoder_next(e);
  pthread_mutex_unlock(&owner->lock);
  if (!e && !(e = rmx__encoder_new(t))) return rmx_fail_memory(err, 1 << 20, "an encoder");
  rmx_status status = rmx__encoder_run(e, text, size, out, err);
  pthread_mutex_lock(&owner->lock);
  *rmx__encoder_next(e) = owner->idle;
  owner->idle = e;
  pthread_mutex_unlock(&owner->lock);
  return status;
}

rmx_status rmx_tokenizer_decode(const rmx_tokenizer *t, const uint32_t *ids, size_t n, rmx_buf *out,
                                rmx_err *err) {
  for (size_t i = 0; i < n; i++) {
    if (ids[i] >= (uint32_t)t->vocab || t->kind[ids[i]] == RMX__TOKEN_NONE)
      return rmx_fail(err, RMX_EINPUT, "token %zu is %u, which is not in the vocabulary of %d", i,
                      ids[i], t->vocab);
    rmx_buf_add(out, t->bytes + t->start[ids[i]], t->start[ids[i] + 1] - t->start[ids[i]]);
  }
  return out->failed ? rmx_fail_memory(err, out->size, "a decoded text") : RMX_OK;
}
