// SPDX-License-Identifier: Apache-2.0
// From text to ids: along the chain that model.h describes.
#include <stdlib.h>
#include <string.h>

#include "corpus/utf8.h"
#include "tokenizer.h"

struct rmx__encoder {
  struct rmx__encoder *next;
  const rmx_tokenizer *t;
  struct rmx__walk *walk;
  void *model;  // scratch memory of the model
  bool specials;
  rmx_buf normal[2], repaired[2];
};

struct rmx__encoder *rmx__encoder_new(const rmx_tokenizer *t) {
  struct rmx__encoder *e = rmx_calloc(1, sizeof *e);
  if (!e) return NULL;
  e->t = t;
  e->walk = rmx__walk_new(&t->pre_tokenizer);
  e->model = t->type->scratch_new(t);
  if (e->walk && e->model) return e;
  rmx__encoder_free(e);
  return NULL;
}

void rmx__encoder_free(struct rmx__encoder *e) {
  if (!e) return;
  rmx__walk_free(e->walk);
  if (e->model) e->t->type->scratch_free(e->model);
  for (int i = 0; i < 2; i++) {
    rmx_buf_release(&e->normal[i]);
    rmx_buf_release(&e->repaired[i]);
  }
  free(e);
}

struct rmx__encoder **rmx__encoder_next(struct rmx__encoder *e) {
  return &e->next;
}

static rmx_status no_memory(const rmx_tokens *out, rmx_err *err) {
  return rmx_fail_memory(err, out->capacity * sizeof *out->ids, "the tokens of a text");
}

static rmx_status encode_words(struct rmx__encoder *e, rmx__piece text, rmx_tokens *out,
                               rmx_err *err) {
  const rmx__model_type *type = e->t->type;
  rmx_err failure = {0};
  rmx__piece word;
  rmx__walk_start(e->walk, text);
  while (rmx__walk_next(e->walk, &word, &failure))
    if (!type->encode(e->t, e->model, word.text, word.size, out)) return no_memory(out, err);
  if (failure.status != RMX_OK) *err = failure;
  return failure.status;
}

static rmx_status put_id(uint32_t id, rmx_tokens *out, rmx_err *err) {
  if (!rmx__tokens_reserve(out, 1)) return no_memory(out, err);
  out->ids[out->n++] = id;
  return RMX_OK;
}

// A search for added tokens before the normalizer, or after it.
static rmx__added_search search_in(const struct rmx__encoder *e, const rmx__trie *trie,
                                   const char *text, size_t size) {
  return (rmx__added_search){.tokens = &e->t->added,
                             .trie = trie,
                             .kind = e->t->vocabulary.kind,
                             .specials = e->specials,
                             .text = text,
                             .size = size};
}

// A piece of the text between added tokens. first: it starts where the text starts.
static rmx_status encode_piece(struct rmx__encoder *e, const char *text, size_t size, bool first,
                               rmx_tokens *out, rmx_err *err) {
  RMX_TRY(rmx__normalizer_run(&e->t->normalizer, text, size, e->normal, &text, &size, err));
  rmx__added_search s = search_in(e, &e->t->added.normal, text, size);
  size_t start, end;
  uint32_t id;
  while (rmx__added_next(&s, &start, &end, &id)) {
    const rmx__piece piece = {text + start, end - start, first && start == 0};
    RMX_TRY(id == RMX__NO_TOKEN ? encode_words(e, piece, out, err) : put_id(id, out, err));
  }
  return RMX_OK;
}

// Text that is not UTF-8 is repaired, unless all bytes have tokens.
static rmx_status repair(struct rmx__encoder *e, const char **text, size_t *size, rmx_err *err) {
  if (e->t->any_bytes || rmx__utf8_valid_prefix(*text, *size) == *size) return RMX_OK;
  rmx_buf *copy = &e->repaired[0];
  copy->size = 0;
  rmx_buf_add(copy, *text, *size);
  rmx__utf8_repair(copy, &e->repaired[1]);
  if (copy->failed) return rmx_fail_memory(err, *size, "a text to encode");
  *text = copy->data;
  *size = copy->size;
  return RMX_OK;
}

rmx_status rmx__encoder_run(struct rmx__encoder *e, rmx_specials specials, const char *text,
                            size_t size, rmx_tokens *out, rmx_err *err) {
  e->specials = specials == RMX_SPECIALS_TOKENS;
  RMX_TRY(repair(e, &text, &size, err));
  rmx__added_search s = search_in(e, &e->t->added.raw, text, size);
  size_t start, end;
  uint32_t id;
  while (rmx__added_next(&s, &start, &end, &id))
    RMX_TRY(id == RMX__NO_TOKEN ? encode_piece(e, text + start, end - start, start == 0, out, err)
                                : put_id(id, out, err));
  return RMX_OK;
}
