// SPDX-License-Identifier: Apache-2.0
// Which token ends a text. Files do not say it. A name that is known is taken if the text cannot
// forge it: first of the special tokens, then of the other added ones, then of the rest of the
// vocabulary. Names of tokens that end a message of a chat are not known names, because a text of a
// corpus is not a message.
#include <ctype.h>
#include <string.h>

#include "byte_alphabet.h"
#include "tokenizer.h"

// In order of preference: GPT-2 and most others; Llama 3; Llama 1 and 2, Mistral, T5; Gemma;
// DeepSeek; Kimi; Command R; Claude; others; BERT, which has nothing better.
static const char *const names[] = {
    "<|endoftext|>", "<|end_of_text|>", "</s>",    "<eos>", "<｜end▁of▁sentence｜>",
    "[EOS]",         "<EOS_TOKEN>",     "<|eos|>", "<EOS>", "<EOT>",
    "<|EOS|>",       "<end_of_text>",   "[SEP]"};

static const rmx__added_token *added_named(const rmx_tokenizer *t, const char *name, size_t size) {
  for (size_t i = 0; i < t->added.n; i++)
    if (t->added.tokens[i].size == size && memcmp(t->added.tokens[i].text, name, size) == 0)
      return &t->added.tokens[i];
  return NULL;
}

// An entry of the vocabulary of the model. In bytes, names are spelt.
static uint32_t plain_named(const rmx_tokenizer *t, const char *name) {
  rmx_buf bytes = {0};
  size_t size = strlen(name);
  bool spelt = t->byte_level && rmx__unspell_bytes(name, size, &bytes) && !bytes.failed;
  uint32_t id =
      rmx__vocabulary_find(&t->vocabulary, spelt ? bytes.data : name, spelt ? bytes.size : size);
  rmx_buf_release(&bytes);
  return id;
}

static void set(rmx_tokenizer *t, uint32_t id) {
  uint8_t *kind = t->vocabulary.kind;
  if (t->end_of_text != RMX__NO_TOKEN) kind[t->end_of_text] = t->end_kind;
  t->end_of_text = id;
  t->end_kind = kind[id];
  kind[id] = RMX__TOKEN_SPECIAL;
}

// A token that can come from plain text cannot be the end of text.
static bool can_be_forged(const rmx_tokenizer *t, uint32_t id) {
  return t->vocabulary.kind[id] == RMX__TOKEN_BYTES && t->type->makes(t, id);
}

void rmx__end_of_text_guess(rmx_tokenizer *t) {
  enum { SPECIAL, ADDED, PLAIN, RANKS };
  for (int rank = 0; rank < RANKS; rank++) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
      const rmx__added_token *a = added_named(t, names[i], strlen(names[i]));
      uint32_t id = rank == PLAIN ? plain_named(t, names[i]) : a ? a->id : RMX__NO_TOKEN;
      if (id == RMX__NO_TOKEN || (rank == SPECIAL && !a->special) || can_be_forged(t, id)) continue;
      set(t, id);
      return;
    }
  }
}

void rmx__end_of_text_set(rmx_tokenizer *t, uint32_t id) {
  set(t, id);
  rmx__tokenizer_hash_all(t);
}

// ---- when the user names it, or has to ---------------------------------------------------

static bool looks_like_an_end(const char *name) {
  static const char *const hints[] = {"end", "eos", "eot", "</s", "sep", "eod", "stop"};
  char small[64] = "";
  for (size_t i = 0; name[i] && i + 1 < sizeof small; i++)
    small[i] = (char)tolower((unsigned char)name[i]);
  for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
    if (strstr(small, hints[i])) return true;
  return false;
}

// Names of special tokens: those that look like an end of text, or else any.
static void put_candidates(const rmx_tokenizer *t, rmx_buf *out) {
  enum { MOST = 6 };
  for (int likely = 1; likely >= 0 && !out->size; likely--) {
    int n = 0;
    for (size_t i = 0; i < t->added.n && n < MOST; i++) {
      const rmx__added_token *a = &t->added.tokens[i];
      if (!a->special || (likely && !looks_like_an_end(a->text))) continue;
      rmx_buf_printf(out, "%s%.60s", n++ ? ", " : "", a->text);
    }
  }
  if (!out->size) rmx_buf_puts(out, "none: the file has no special tokens");
}

static rmx_status must_be_named(const rmx_tokenizer *t, const char *found, rmx_err *err) {
  rmx_buf candidates = {0};
  put_candidates(t, &candidates);
  rmx_status status =
      candidates.failed
          ? rmx_fail_memory(err, 0, "a message")
          : rmx_fail(err, RMX_EINPUT,
                     "%s; set corpus.end_of_text to the token that ends a text; candidates: %s",
                     found, candidates.data);
  rmx_buf_release(&candidates);
  return status;
}

rmx_status rmx_tokenizer_set_end_of_text(rmx_tokenizer *t, const char *name, rmx_err *err) {
  char found[256];
  if (!name) {
    if (t->end_of_text != RMX__NO_TOKEN) return RMX_OK;
    return must_be_named(t, "the tokenizer has no token that is known to end a text", err);
  }
  const rmx__added_token *a = added_named(t, name, strlen(name));
  uint32_t id = a ? a->id : plain_named(t, name);
  if (id == RMX__NO_TOKEN) {
    snprintf(found, sizeof found, "the tokenizer has no token \"%.100s\"", name);
    return must_be_named(t, found, err);
  }
  if (can_be_forged(t, id)) {
    snprintf(found, sizeof found, "the token \"%.100s\" can come from plain text", name);
    return must_be_named(t, found, err);
  }
  rmx__end_of_text_set(t, id);
  return RMX_OK;
}
