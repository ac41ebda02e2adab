// SPDX-License-Identifier: Apache-2.0
// Reads and writes Hugging Face's tokenizer.json. Its parts are read by normalizer.c,
// pre_tokenizer.c, decoder.c and the models. A file that would give other ids than that library is
// refused. Two differences are intended: special tokens are not recognised in documents unless it
// is asked for, and a post-processor adds no ids, because a corpus ends each document by itself.
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "bpe.h"
#include "byte_alphabet.h"
#include "model_lists.h"
#include "tokenizer.h"
#include "unigram.h"
#include "wordpiece.h"

json_t *rmx__tokenizer_frame(void) {
  static const char frame[] =
      "{\"version\": \"1.0\", \"truncation\": null, \"padding\": null,"
      " \"added_tokens\": [{\"id\": 0, \"content\": \"<|endoftext|>\", \"single_word\": false, "
      "\"lstrip\": "
      "false,"
      "   \"rstrip\": false, \"normalized\": false, \"special\": true}],"
      " \"normalizer\": null,"
      " \"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false, "
      "\"trim_offsets\": true,"
      "   \"use_regex\": true},"
      " \"post_processor\": null,"
      " \"decoder\": {\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": true, "
      "\"use_regex\": true},"
      " \"model\": {\"type\": \"BPE\", \"dropout\": null, \"unk_token\": null, "
      "\"continuing_subword_prefix\": null,"
      "   \"end_of_word_suffix\": null, \"fuse_unk\": false, \"byte_fallback\": false, "
      "\"ignore_merges\": "
      "false,"
      "   \"vocab\": {\"<|endoftext|>\": 0}, \"merges\": []}}";
  return json_loads(frame, 0, NULL);
}

// ---- tokens ----------------------------------------------------------------------------

void rmx__token_list_release(rmx__token_list *l) {
  rmx_arena_release(&l->arena);
  rmx_buf_release(&l->scratch);
  free(l->tokens);
  free(l->kinds);
  *l = (rmx__token_list){0};
}

static rmx_status reserve(rmx__token_list *l, int64_t id, rmx_err *err) {
  if (id < l->n) return RMX_OK;
  if (id >= l->capacity) {
    int capacity = l->capacity ? l->capacity : 1024;
    while (capacity <= id) capacity *= 2;
    rmx__token_text *tokens = rmx_realloc(l->tokens, (size_t)capacity, sizeof *tokens);
    if (tokens) l->tokens = tokens;
    uint8_t *kinds = rmx_realloc(l->kinds, (size_t)capacity, 1);
    if (kinds) l->kinds = kinds;
    if (!tokens || !kinds) return rmx_fail_memory(err, (size_t)capacity, "a vocabulary");
    l->capacity = capacity;
  }
  memset(l->tokens + l->n, 0, (size_t)(id + 1 - l->n) * sizeof *l->tokens);
  memset(l->kinds + l->n, 0, (size_t)(id + 1 - l->n));
  l->n = (int)id + 1;
  return RMX_OK;
}

rmx_status rmx__token_list_set(rmx__token_list *l, int64_t id, const char *text, size_t size,
                               uint8_t kind, rmx_err *err) {
  if (id < 0 || id >= RMX__MAX_TOKENS)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: the id of token \"%.100s\" is not a whole number from 0 to %d", l->where,
                    text, RMX__MAX_TOKENS - 1);
  RMX_TRY(reserve(l, id, err));
  char *copy = rmx_arena_alloc(&l->arena, size, 1);
  if (!copy) return rmx_fail_memory(err, size, "a token");
  if (size) memcpy(copy, text, size);
  l->tokens[id] = (rmx__token_text){copy, size};
  l->kinds[id] = kind;
  return RMX_OK;
}

rmx_status rmx__token_list_add_key(rmx__token_list *l, const char *key, size_t size, int64_t id,
                                   rmx_err *err) {
  uint8_t kind = RMX__TOKEN_BYTES | RMX__IN_MODEL;
  if (id >= 0 && id < l->n && l->kinds[id])
    return rmx_fail(err, RMX_EINPUT, "%s: two tokens have the id %lld", l->where, (long long)id);
  if (!l->byte_level) return rmx__token_list_set(l, id, key, size, kind, err);
  l->scratch.size = 0;
  const bool spelt = rmx__unspell_bytes(key, size, &l->scratch);
  if (l->scratch.failed) return rmx_fail_memory(err, size, "a token");
  if (!spelt) return rmx__token_list_set(l, id, key, size, RMX__TOKEN_SPECIAL | RMX__IN_MODEL, err);
  return rmx__token_list_set(l, id, size ? l->scratch.data : key, l->scratch.size, kind, err);
}

rmx_status rmx__token_list_add(rmx__token_list *l, const char *key, const json_t *id,
                               rmx_err *err) {
  return rmx__token_list_add_key(l, key, strlen(key),
                                 json_is_integer(id) ? json_integer_value(id) : -1, err);
}

// ---- all of it -----------------------------------------------------------------------------

static const rmx__model_type *const models[] = {&rmx__bpe_type, &rmx__unigram_type,
                                                &rmx__wordpiece_type};
enum { MODELS = sizeof models / sizeof *models };

// Files from before 2021 do not have the type of the model.
static const rmx__model_type *model_named(const json_t *model) {
  const char *name = json_string_value(json_object_get(model, "type"));
  if (!name && json_object_get(model, "merges")) name = "BPE";
  if (!name && json_object_get(model, "max_input_chars_per_word")) name = "WordPiece";
  if (!name && json_is_array(json_object_get(model, "vocab"))) name = "Unigram";
  for (int i = 0; name && i < MODELS; i++)
    if (strcmp(models[i]->name, name) == 0) return models[i];
  return NULL;
}

static rmx_status find_model(rmx_tokenizer *t, const char *where, rmx_err *err) {
  const json_t *model = json_object_get(t->frame, "model");
  if (!json_is_object(model))
    return rmx_fail(err, RMX_EINPUT, "%s: no \"model\": not a tokenizer.json", where);
  t->type = model_named(model);
  if (t->type) return RMX_OK;
  char known[64] = "";
  for (int i = 0; i < MODELS; i++)
    snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "",
             models[i]->name);
  const char *name = json_string_value(json_object_get(model, "type"));
  return rmx_fail(err, RMX_EINPUT, "%s: model type \"%s\" is not supported; supported: %s", where,
                  name ? name : "", known);
}

rmx_status rmx__tokenizer_begin(json_t *root, const char *where, rmx_tokenizer **out,
                                rmx_err *err) {
  rmx_tokenizer *t = *out = rmx_calloc(1, sizeof *t);
  if (!t) {
    json_decref(root);
    return rmx_fail_memory(err, sizeof *t, "a tokenizer");
  }
  pthread_mutex_init(&t->lock, NULL);
  t->frame = root;
  t->end_of_text = RMX__NO_TOKEN;
  RMX_TRY(find_model(t, where, err));
  RMX_TRY(rmx__normalizer_read(root, where, &t->normalizer, err));
  RMX_TRY(rmx__pre_tokenizer_read(root, t->normalizer.spells, where, &t->pre_tokenizer, err));
  t->byte_level = t->pre_tokenizer.byte_level;
  return RMX_OK;
}

static rmx_status read_all(rmx_tokenizer *t, const char *where, rmx__token_list *l, rmx_err *err) {
  json_t *model = json_object_get(t->frame, "model");
  l->where = where;
  l->byte_level = t->byte_level;
  RMX_TRY(t->type->tokens(model, l, err));
  RMX_TRY(rmx__added_tokens_read(t, model, l, err));
  RMX_TRY(rmx__vocabulary_make(&t->vocabulary, l->tokens, l->kinds, l->n, err));
  RMX_TRY(t->type->make(t, model, where, &t->model, err));
  return rmx__tokenizer_finish(t, where, err);
}

rmx_status rmx__tokenizer_of_tree(json_t *root, const rmx__model_lists *lists, const char *where,
                                  rmx_tokenizer **out, rmx_err *err) {
  rmx_tokenizer *t = NULL;
  rmx__token_list tokens = {.lists = lists};
  rmx_status status = rmx__tokenizer_begin(root, where, &t, err);
  if (t) t->lists = lists;
  if (status == RMX_OK) status = read_all(t, where, &tokens, err);
  if (t) t->lists = NULL;
  rmx__token_list_release(&tokens);
  if (status == RMX_OK)
    *out = t;
  else
    rmx_tokenizer_free(t);
  return status;
}

rmx_status rmx_tokenizer_write(const rmx_tokenizer *t, const char *path, rmx_err *err) {
  json_t *root = json_deep_copy(t->frame);
  rmx_status status = root && t->type->write(t, json_object_get(root, "model"))
                          ? rmx__json_write(path, root, err)
                          : rmx_fail_memory(err, 0, "a tokenizer.json");
  json_decref(root);
  return status;
}
