// SPDX-License-Identifier: Apache-2.0
// Reads "added_tokens" of a tokenizer.json. Hugging Face's library does not use the ids of this
// list: a token that the model has keeps the id that it has there, and the others get the next free
// ids in the order of the list. A file that says something else would have other ids there, so it
// is refused.
#include <stdlib.h>
#include <string.h>

#include "double_array.h"
#include "model_lists.h"
#include "tokenizer.h"

struct reading {
  rmx_tokenizer *t;
  rmx__token_list *list;
  const json_t *vocab;
  int64_t next;  // the id that the next new token gets
};

static rmx_status read_flag(const json_t *entry, const char *key, const char *where, bool *out,
                            rmx_err *err) {
  const json_t *flag = json_object_get(entry, key);
  if (flag && !json_is_boolean(flag))
    return rmx_fail(err, RMX_EINPUT, "%s: added_tokens: \"%s\" is not true or false", where, key);
  *out = json_is_true(flag);
  return RMX_OK;
}

static rmx_status read_entry(const json_t *entry, const char *where, rmx__added_token *a,
                             rmx_err *err) {
  const char *content;
  RMX_TRY(rmx__json_string(entry, "content", &content, where, err));
  const json_t *id = json_object_get(entry, "id");
  if (!json_is_integer(id) || json_integer_value(id) < 0 ||
      json_integer_value(id) >= RMX__MAX_TOKENS)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: the \"id\" of the added token \"%.100s\" is not a whole number from 0 to "
                    "%d",
                    where, content, RMX__MAX_TOKENS - 1);
  *a = (rmx__added_token){
      .text = (char *)content, .size = strlen(content), .id = (uint32_t)json_integer_value(id)};
  RMX_TRY(read_flag(entry, "special", where, &a->special, err));
  RMX_TRY(read_flag(entry, "single_word", where, &a->single_word, err));
  RMX_TRY(read_flag(entry, "lstrip", where, &a->lstrip, err));
  RMX_TRY(read_flag(entry, "rstrip", where, &a->rstrip, err));
  return read_flag(entry, "normalized", where, &a->normalized, err);
}

// The id that the model has for a token; -1 if it has none. A vocabulary that is a list (of a
// Unigram) is only looked through if the token is not where the entry says.
static int64_t id_in_model(const struct reading *r, const rmx__added_token *a) {
  const rmx__token_list *l = r->list;
  if (l->lists) {
    const rmx__list_entry *entry = rmx__model_lists_find(l->lists, a->text, a->size);
    return entry ? (int64_t)entry->id : -1;
  }
  if (json_is_object(r->vocab)) {
    const json_t *id = json_object_get(r->vocab, a->text);
    return id ? json_integer_value(id) : -1;
  }
  const char *there = json_string_value(json_array_get(json_array_get(r->vocab, a->id), 0));
  if (there && strcmp(there, a->text) == 0) return (int64_t)a->id;
  for (size_t i = json_array_size(r->vocab); i-- > 0;) {
    there = json_string_value(json_array_get(json_array_get(r->vocab, i), 0));
    if (there && strcmp(there, a->text) == 0) return (int64_t)i;
  }
  return -1;
}

static rmx_status check_id(struct reading *r, const rmx__added_token *a, rmx_err *err) {
  const int64_t there = id_in_model(r, a), wanted = there >= 0 ? there : r->next;
  const char *where = r->list->where;
  r->next += there < 0;
  if (there >= 0 && a->id != there)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: the added token \"%.100s\" has the id %u, and the id %lld in the "
                    "vocabulary of the model; give it one id",
                    where, a->text, a->id, (long long)there);
  if (a->id != wanted)
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: the added token \"%.100s\" has the id %u, but Hugging Face's library gives "
        "it %lld, the next one: put it into the vocabulary of the model, or list the "
        "added tokens in the order of their ids and without gaps after the %lld tokens "
        "of the model",
        where, a->text, a->id, (long long)wanted, (long long)(r->next - 1));
  if (there < 0 && wanted < r->list->n && r->list->kinds[wanted])
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: the id %lld is of the added token \"%.100s\" and of the token \"%.100s\" of "
        "the model",
        where, (long long)wanted, a->text, r->list->tokens[wanted].data);
  return RMX_OK;
}

// Whether the list has this entry already, as it is.
static bool is_repeated(const rmx__added_tokens *list, const rmx__added_token *a) {
  for (size_t i = 0; i < list->n; i++) {
    const rmx__added_token *b = &list->tokens[i];
    if (b->id == a->id && strcmp(b->text, a->text) == 0)
      return b->special == a->special && b->single_word == a->single_word &&
             b->lstrip == a->lstrip && b->rstrip == a->rstrip && b->normalized == a->normalized;
  }
  return false;
}

static rmx_status read_token(struct reading *r, const json_t *entry, rmx_err *err) {
  rmx__token_list *l = r->list;
  rmx__added_token a;
  RMX_TRY(read_entry(entry, l->where, &a, err));
  const bool used = a.id < (uint32_t)l->n && l->kinds[a.id];
  const uint8_t kind = a.special ? RMX__TOKEN_SPECIAL : RMX__TOKEN_ADDED;
  if (!a.size) {  // no text has it; that library leaves it out
    if (used) l->kinds[a.id] = (l->kinds[a.id] & RMX__IN_MODEL) | kind;
    return RMX_OK;
  }
  if (used && is_repeated(&r->t->added, &a)) return RMX_OK;
  RMX_TRY(check_id(r, &a, err));
  if (used)
    l->kinds[a.id] = (l->kinds[a.id] & RMX__IN_MODEL) | kind;
  else
    RMX_TRY(rmx__token_list_set(l, a.id, a.text, a.size, kind, err));
  return rmx__added_tokens_add(&r->t->added, a, err);
}

static rmx_status refuse_doubles(const rmx__added_tokens *a, const char *where, rmx_err *err) {
  rmx__token_text *texts = rmx_calloc(a->n, sizeof *texts);
  for (size_t i = 0; texts && i < a->n; i++)
    texts[i] = (rmx__token_text){a->tokens[i].text, a->tokens[i].size};
  uint32_t *order = texts ? rmx__sorted_keys(texts, a->n) : NULL;
  rmx_status status = order ? RMX_OK : rmx_fail_memory(err, a->n, "added tokens");
  for (size_t i = 1; i < a->n && status == RMX_OK; i++) {
    const rmx__added_token *x = &a->tokens[order[i - 1]], *y = &a->tokens[order[i]];
    if (x->size == y->size && memcmp(x->text, y->text, x->size) == 0)
      status =
          rmx_fail(err, RMX_EINPUT,
                   "%s: \"added_tokens\" has \"%.100s\" twice, with other ids or flags; remove "
                   "one of them",
                   where, x->text);
  }
  free(texts);
  free(order);
  return status;
}

rmx_status rmx__added_tokens_read(rmx_tokenizer *t, const json_t *model, rmx__token_list *l,
                                  rmx_err *err) {
  const json_t *list = json_object_get(t->frame, "added_tokens");
  if (list && !json_is_array(list) && !json_is_null(list))
    return rmx_fail(err, RMX_EINPUT, "%s: \"added_tokens\" is not a list", l->where);
  struct reading r = {.t = t, .list = l, .vocab = json_object_get(model, "vocab")};
  for (int i = 0; i < l->n; i++) r.next += (l->kinds[i] & RMX__IN_MODEL) != 0;
  for (size_t i = 0; i < json_array_size(list); i++)
    RMX_TRY(read_token(&r, json_array_get(list, i), err));
  return t->added.n ? refuse_doubles(&t->added, l->where, err) : RMX_OK;
}
