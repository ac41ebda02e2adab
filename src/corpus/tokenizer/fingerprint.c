// SPDX-License-Identifier: Apache-2.0
// The hash of all that decides which ids a text gets and what they mean. Token files store it. A
// byte-level tokenizer of the kinds that version 0.1.0 read has the hash that it had there.
#include <string.h>
#include <utf8proc.h>

#include "bpe.h"
#include "tokenizer.h"

// The pattern of such a tokenizer: that of GPT-2 is "gpt2". NULL: another kind.
static const char *pattern_of(const rmx_tokenizer *t, bool *prefix_space) {
  const rmx__pre_tokenizer *p = &t->pre_tokenizer;
  *prefix_space = false;
  if (p->n != 1) return NULL;
  const rmx__step *s = &p->steps[0];
  *prefix_space = s->add;
  if (s->type == &rmx__step_gpt2) return "gpt2";
  bool cuts =
      s->type == &rmx__step_regex && s->behaviour == (s->invert ? RMX__REMOVED : RMX__ISOLATED);
  return cuts ? s->text : NULL;
}

static bool is_plain(const rmx_tokenizer *t) {
  if (t->type != &rmx__bpe_type || !((const rmx__bpe *)t->model)->plain) return false;
  for (size_t i = 0; i < t->normalizer.n; i++)
    if (t->normalizer.changes[i].run != rmx__change_form ||
        t->normalizer.changes[i].form != (UTF8PROC_STABLE | UTF8PROC_COMPOSE))
      return false;
  for (size_t i = 0; i < t->added.n; i++) {
    const rmx__added_token *a = &t->added.tokens[i];
    if (!a->special && (a->single_word || a->lstrip || a->rstrip)) return false;
  }
  return true;
}

void rmx__tokenizer_hash_all(rmx_tokenizer *t) {
  const rmx__vocabulary *v = &t->vocabulary;
  size_t V = (size_t)v->n;
  bool prefix_space, plain = is_plain(t);
  const char *pattern = pattern_of(t, &prefix_space);
  uint64_t h = rmx_hash(v->bytes, v->start[V], V);
  h = rmx_hash(v->start, (V + 1) * sizeof *v->start, h);
  h = rmx_hash(v->kind, V, h);
  h = t->type->hash(t->model, h);
  bool whole_words = plain && ((const rmx__bpe *)t->model)->whole_words;
  uint32_t rest[] = {t->end_of_text, plain && t->normalizer.n > 0, prefix_space, whole_words};
  h = rmx_hash(rest, sizeof rest, h);
  if (plain && pattern) {
    t->hash = rmx_hash_string(pattern, h);
    return;
  }
  static const char *const parts[] = {"normalizer", "pre_tokenizer", "added_tokens", "model"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    uint64_t part = rmx__json_hash(json_object_get(t->frame, parts[i]));
    h = rmx_hash(&part, sizeof part, h);
  }
  t->hash = h;
}
