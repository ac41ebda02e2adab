// SPDX-License-Identifier: Apache-2.0
// The model "BPE" of a tokenizer.json: its options, its vocabulary and its merges.
#include "bpe.h"

#include <stdlib.h>
#include <string.h>

#include "byte_alphabet.h"
#include "characters.h"
#include "model_lists.h"
#include "tokenizer.h"

enum { LONGEST_AFFIX = 64 };

static rmx_status read_tokens(const json_t *json, rmx__token_list *list, rmx_err *err) {
  json_t *vocab = json_object_get(json, "vocab"), *id;
  if (!json_is_object(vocab))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: model: \"vocab\" is missing or not a map of tokens to ids", list->where);
  if (!json_is_array(json_object_get(json, "merges")))
    return rmx_fail(err, RMX_EINPUT, "%s: model: \"merges\" is missing or not a list", list->where);
  const char *key;
  json_object_foreach(vocab, key, id) RMX_TRY(rmx__token_list_add(list, key, id, err));
  const rmx__model_lists *lists = list->lists;
  for (size_t i = 0; lists && i < lists->n; i++) {
    const rmx__list_entry *e = &lists->entries[i];
    RMX_TRY(rmx__token_list_add_key(list, lists->keys.data + e->start, e->size, e->id, err));
  }
  return RMX_OK;
}

// ---- merges ------------------------------------------------------------------------

static rmx_status merge_part(const json_t *vocab, const char *where, size_t i, const char *part,
                             size_t size, uint32_t *id, rmx_err *err) {
  const json_t *value = json_object_getn(vocab, part, size);
  if (!value)
    return rmx_fail(err, RMX_EINPUT, "%s: merge %zu: \"%.*s\" is not in the vocabulary", where, i,
                    (int)(size < 100 ? size : 100), part);
  *id = (uint32_t)json_integer_value(value);
  return RMX_OK;
}

// The parts of a merge: "a b", or ["a", "b"] since 2024.
static bool split_merge(const json_t *merge, rmx__token_text *a, rmx__token_text *b) {
  const char *text = json_string_value(merge), *space = text ? strchr(text, ' ') : NULL;
  if (space && !strchr(space + 1, ' ')) {
    *a = (rmx__token_text){text, (size_t)(space - text)};
    *b = (rmx__token_text){space + 1, strlen(space + 1)};
  } else if (!text && json_array_size(merge) == 2) {
    const json_t *left = json_array_get(merge, 0), *right = json_array_get(merge, 1);
    *a = (rmx__token_text){json_string_value(left), json_string_length(left)};
    *b = (rmx__token_text){json_string_value(right), json_string_length(right)};
  }
  return a->size && b->size;
}

// The merged token has the prefix of its second part removed.
static rmx_status read_merge(const json_t *vocab, const json_t *merge, size_t i, size_t prefix,
                             const char *where, rmx_buf *joined, rmx__merge *out, rmx_err *err) {
  rmx__token_text a = {0}, b = {0};
  if (!split_merge(merge, &a, &b))
    return rmx_fail(err, RMX_EINPUT, "%s: merge %zu is neither \"a b\" nor [\"a\", \"b\"]", where,
                    i);
  RMX_TRY(merge_part(vocab, where, i, a.data, a.size, &out->a, err));
  RMX_TRY(merge_part(vocab, where, i, b.data, b.size, &out->b, err));
  if (b.size < prefix)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: merge %zu: \"%.100s\" is shorter than \"continuing_subword_prefix\"",
                    where, i, b.data);
  joined->size = 0;
  rmx_buf_add(joined, a.data, a.size);
  rmx_buf_add(joined, b.data + prefix, b.size - prefix);
  if (joined->failed) return rmx_fail_memory(err, a.size, "a merge");
  return merge_part(vocab, where, i, joined->data, joined->size, &out->made, err);
}

static rmx_status read_merges(const json_t *json, const char *where, rmx__merge **out, size_t *n,
                              rmx_err *err) {
  const json_t *list = json_object_get(json, "merges"), *vocab = json_object_get(json, "vocab");
  size_t prefix = json_string_length(json_object_get(json, "continuing_subword_prefix"));
  *n = json_array_size(list);
  rmx__merge *merges = *out = rmx_calloc(*n, sizeof *merges);
  if (!merges) return rmx_fail_memory(err, *n * sizeof *merges, "merges");
  rmx_buf joined = {0};
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < *n && status == RMX_OK; i++)
    status = read_merge(vocab, json_array_get(list, i), i, prefix, where, &joined, &merges[i], err);
  rmx_buf_release(&joined);
  return status;
}

static bool index_merges(rmx__bpe *m) {
  m->pairs_mask = 15;
  while (m->pairs_mask < 2 * m->nmerges) m->pairs_mask = 2 * m->pairs_mask + 1;
  m->pairs = rmx_calloc(m->pairs_mask + 1, sizeof *m->pairs);
  if (!m->pairs) return false;
  for (size_t i = 0; i <= m->pairs_mask; i++) m->pairs[i].pair = UINT64_MAX;
  for (size_t i = 0; i < m->nmerges; i++) {
    uint64_t pair = rmx__pair(m->merges[i].a, m->merges[i].b);
    size_t at = rmx__pair_hash(pair) & m->pairs_mask;
    while (m->pairs[at].pair != UINT64_MAX && m->pairs[at].pair != pair)
      at = (at + 1) & m->pairs_mask;
    // If a pair is given twice, the last one counts, as in Hugging Face's library.
    m->pairs[at] = (rmx__pair_slot){pair, (uint32_t)i, m->merges[i].made};
  }
  return true;
}

// ---- the first tokens of a word ------------------------------------------------------

// Finds the token of each byte, and of each ASCII character. With bytes missing, *missing is one.
static void find_bytes(const rmx_tokenizer *t, rmx__bpe *m, int *missing) {
  *missing = -1;
  for (int b = 255; b >= 0; b--) {
    char byte = (char)b, code[8];
    snprintf(code, sizeof code, "<0x%02X>", (uint8_t)b);
    m->byte_id[b] = m->byte_level ? rmx__vocabulary_find(&t->vocabulary, &byte, 1)
                                  : rmx__vocabulary_find(&t->vocabulary, code, 6);
    if (b < 128) m->ascii_id[b] = rmx__vocabulary_find(&t->vocabulary, &byte, 1);
    // UTF-8 has no bytes 0xC0, 0xC1, and 0xF5 to 0xFF. Falcon has no tokens for some control
    // characters and for the last planes of Unicode: they get no ids, as in Hugging Face's library.
    const bool control = b < ' ' && b != '\t' && b != '\n' && b != '\r',
               rare = m->byte_level ? control || b >= 0xF1 : b >= 0xF5;
    if (m->byte_id[b] == RMX__NO_TOKEN && b != 0xC0 && b != 0xC1 && !rare) *missing = b;
    if (m->byte_id[b] == RMX__NO_TOKEN) m->plain = false;
  }
}

static bool find_first_merges(rmx__bpe *m) {
  if (!m->plain) return true;
  m->first = rmx_calloc(256 * 256, sizeof *m->first);
  for (int i = 0; m->first && i < 256 * 256; i++)
    m->first[i].rank = rmx__bpe_rank(m, m->byte_id[i >> 8], m->byte_id[i & 255], &m->first[i].made);
  return m->first != NULL;
}

static uint32_t last_character(rmx__token_text t) {
  size_t at = t.size;
  do at--;
  while (at > 0 && ((uint8_t)t.data[at] & 0xC0) == 0x80);
  int32_t code;
  rmx__character(t.data + at, t.data + t.size, &code);
  return (uint32_t)code;
}

static uint32_t first_character(rmx__token_text t) {
  int32_t code;
  rmx__character(t.data, t.data + t.size, &code);
  return (uint32_t)code;
}

// Which characters can be joined by any merge. Without such a pair a text can be cut between two
// characters, and each part encoded alone, with the same result. Without a pre-tokenizer, as in
// Llama 2, a word is a whole document: it is cut into parts that are short and seen often. Where an
// unknown token or an affix could be in the way, there is no such table.
static rmx_status find_joins(const rmx_tokenizer *t, rmx__bpe *m, int missing, rmx_err *err) {
  if (m->byte_level || m->prefix || m->suffix || !m->byte_fallback || missing >= 0) return RMX_OK;
  for (size_t i = 0; i < m->nmerges; i++)
    for (int b = 0; b < 256; b++)
      if (m->byte_id[b] == m->merges[i].a || m->byte_id[b] == m->merges[i].b) return RMX_OK;
  m->joins = rmx_calloc(RMX__JOINS / 64, sizeof *m->joins);
  if (!m->joins) return rmx_fail_memory(err, RMX__JOINS / 8, "a tokenizer");
  for (size_t i = 0; i < m->nmerges; i++) {
    size_t at = rmx__join(last_character(rmx__vocabulary_text(&t->vocabulary, m->merges[i].a)),
                          first_character(rmx__vocabulary_text(&t->vocabulary, m->merges[i].b)));
    m->joins[at / 64] |= (uint64_t)1 << at % 64;
  }
  return RMX_OK;
}

// ---- options ---------------------------------------------------------------------------

static rmx_status read_affix(const json_t *json, const char *key, const char *where, char **out,
                             rmx_err *err) {
  const json_t *affix = json_object_get(json, key);
  if (affix && !json_is_null(affix) && !json_is_string(affix))
    return rmx_fail(err, RMX_EINPUT, "%s: model: \"%s\" is not a string", where, key);
  if (!json_string_length(affix)) return RMX_OK;
  if (json_string_length(affix) > LONGEST_AFFIX)
    return rmx_fail(err, RMX_EINPUT, "%s: model: \"%s\" has more than %d bytes", where, key,
                    LONGEST_AFFIX);
  *out = rmx_strdup(json_string_value(affix));
  return *out ? RMX_OK : rmx_fail_memory(err, 0, "a tokenizer");
}

static rmx_status read_flag(const json_t *json, const char *key, const char *where, bool *out,
                            rmx_err *err) {
  const json_t *flag = json_object_get(json, key);
  if (flag && !json_is_null(flag) && !json_is_boolean(flag))
    return rmx_fail(err, RMX_EINPUT, "%s: model: \"%s\" is not true or false", where, key);
  *out = json_is_true(flag);
  return RMX_OK;
}

static rmx_status read_unknown(const rmx_tokenizer *t, const json_t *json, const char *where,
                               rmx__bpe *m, rmx_err *err) {
  const json_t *name = json_object_get(json, "unk_token");
  m->unknown = RMX__NO_TOKEN;
  if (!name || json_is_null(name)) return RMX_OK;
  if (!json_is_string(name))
    return rmx_fail(err, RMX_EINPUT, "%s: model: \"unk_token\" is not a string", where);
  m->unknown =
      rmx__vocabulary_find(&t->vocabulary, json_string_value(name), json_string_length(name));
  return RMX_OK;
}

// An unknown token that is not in the vocabulary: characters without a token would be lost.
static rmx_status check_unknown(const json_t *json, const rmx__bpe *m, const char *where,
                                rmx_err *err) {
  const char *name = json_string_value(json_object_get(json, "unk_token"));
  bool complete = m->byte_level || m->byte_fallback;
  for (int b = 0; b < 0xF5 && complete; b++)
    complete = m->byte_id[b] != RMX__NO_TOKEN || b == 0xC0 || b == 0xC1;
  if (!name || m->unknown != RMX__NO_TOKEN || complete) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s: model: \"unk_token\" is \"%.100s\", which is not in the vocabulary of the "
                  "model; put it there, or name a token that is there",
                  where, name);
}

static rmx_status read_options(const rmx_tokenizer *t, const json_t *json, const char *where,
                               rmx__bpe *m, rmx_err *err) {
  const json_t *dropout = json_object_get(json, "dropout");
  if (dropout && !json_is_null(dropout) && json_number_value(dropout) != 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: model: \"dropout\" is set: encoding would be random; set it to null",
                    where);
  m->byte_level = t->byte_level;
  RMX_TRY(read_affix(json, "continuing_subword_prefix", where, &m->prefix, err));
  RMX_TRY(read_affix(json, "end_of_word_suffix", where, &m->suffix, err));
  RMX_TRY(read_flag(json, "ignore_merges", where, &m->whole_words, err));
  RMX_TRY(read_flag(json, "byte_fallback", where, &m->byte_fallback, err));
  RMX_TRY(read_flag(json, "fuse_unk", where, &m->fuse_unknown, err));
  return read_unknown(t, json, where, m, err);
}

static void free_model(void *model) {
  rmx__bpe *m = model;
  if (!m) return;
  free(m->merges);
  free(m->pairs);
  free(m->prefix);
  free(m->suffix);
  free(m->joins);
  free(m->first);
  free(m);
}

rmx_status rmx__bpe_make(const rmx_tokenizer *t, const json_t *json, const rmx__merge *merges,
                         size_t n, const char *where, rmx__bpe **out, rmx_err *err) {
  rmx__bpe *m = rmx_calloc(1, sizeof *m);
  if (!m) return rmx_fail_memory(err, sizeof *m, "a tokenizer");
  rmx_status status = RMX_OK;
  int missing;
  m->merges = rmx_calloc(n, sizeof *m->merges);
  m->nmerges = n;
  if (!m->merges) {
    status = rmx_fail_memory(err, n * sizeof *m->merges, "merges");
    goto failed;
  }
  if (n) memcpy(m->merges, merges, n * sizeof *m->merges);
  if (!index_merges(m)) {
    status = rmx_fail_memory(err, n * sizeof *m->pairs, "merges");
    goto failed;
  }
  RMX_TRY_GOTO(read_options(t, json, where, m, err), failed);
  m->plain = m->byte_level && !m->prefix && !m->suffix;
  find_bytes(t, m, &missing);
  if (m->byte_level && missing >= 0 && m->unknown == RMX__NO_TOKEN) {
    status = rmx_fail(err, RMX_EINPUT,
                      "%s: no token for the byte 0x%02X: only a byte-level vocabulary can encode "
                      "any text",
                      where, (unsigned)missing);
    goto failed;
  }
  RMX_TRY_GOTO(check_unknown(json, m, where, err), failed);
  RMX_TRY_GOTO(find_joins(t, m, missing, err), failed);
  if (!find_first_merges(m)) {
    status = rmx_fail_memory(err, 256 * 256 * sizeof *m->first, "merges");
    goto failed;
  }
  *out = m;
  return RMX_OK;
failed:
  free_model(m);
  return status;
}

// ---- writing ---------------------------------------------------------------------------

// Appends a token as the vocabulary of the file has it.
static void spell_token(const rmx_tokenizer *t, uint32_t id, rmx_buf *out) {
  rmx__token_text token = rmx__vocabulary_text(&t->vocabulary, id);
  if (t->byte_level)
    rmx__spell_bytes(token.data, token.size, out);
  else
    rmx_buf_add(out, token.data, token.size);
}

// The key of a token in the file: `others` has those that spell_token() does not give.
static void put_key(const rmx_tokenizer *t, uint32_t id, const char **others, rmx_buf *out) {
  if (others[id])
    rmx_buf_puts(out, others[id]);
  else
    spell_token(t, id, out);
}

static bool put_vocab(const rmx_tokenizer *t, json_t *json, const char **others, rmx_buf *out) {
  json_t *vocab = json_object();
  bool good = vocab != NULL;
  for (int i = 0; i < t->vocabulary.n && good; i++) {
    if (!t->vocabulary.in_model[i]) continue;
    out->size = 0;
    put_key(t, (uint32_t)i, others, out);
    good = !out->failed &&
           json_object_setn_new(vocab, out->size ? out->data : "", out->size, json_integer(i)) == 0;
  }
  if (!good) json_decref(vocab);
  return good && json_object_set_new(json, "vocab", vocab) == 0;
}

static bool put_merges(const rmx_tokenizer *t, json_t *json, const char **others, rmx_buf *out) {
  const rmx__bpe *m = t->model;
  json_t *merges = json_object_get(json, "merges");
  for (size_t i = 0; i < m->nmerges; i++) {
    out->size = 0;
    put_key(t, m->merges[i].a, others, out);
    size_t a = out->size;
    rmx_buf_puts(out, " ");
    put_key(t, m->merges[i].b, others, out);
    if (out->failed) return false;
    // A token with a space in it needs the form of two strings.
    size_t b = out->size - a - 1;
    bool spaces = memchr(out->data, ' ', a) || memchr(out->data + a + 1, ' ', b);
    json_t *merge = spaces ? json_pack("[s%,s%]", out->data, a, out->data + a + 1, b)
                           : json_stringn(out->data, out->size);
    if (json_array_append_new(merges, merge) != 0) return false;
  }
  return true;
}

static bool write(const rmx_tokenizer *t, json_t *json) {
  const char **others = rmx_calloc((size_t)t->vocabulary.n, sizeof *others), *key;
  json_t *rest = json_incref(json_object_get(json, "vocab")), *id;
  rmx_buf scratch = {0};
  json_object_foreach(rest, key, id)
    if (others) others[json_integer_value(id)] = key;
  bool good =
      others && put_vocab(t, json, others, &scratch) && put_merges(t, json, others, &scratch);
  json_decref(rest);
  free(others);
  rmx_buf_release(&scratch);
  return good;
}

// Adds a token to `rest`, if its key is not what spell_token() gives.
static bool keep(const rmx_tokenizer *t, const char *key, size_t size, uint32_t id, json_t *rest,
                 rmx_buf *spelt) {
  spelt->size = 0;
  spell_token(t, id, spelt);
  const bool same = spelt->size == size && (size == 0 || memcmp(spelt->data, key, size) == 0);
  return !spelt->failed && (same || json_object_setn_new(rest, key, size, json_integer(id)) == 0);
}

// Leaves in `json` only the tokens that spell_token() does not give: vocabulary and merges are in
// memory once.
static bool take_out(const rmx_tokenizer *t, json_t *json) {
  json_t *rest = json_object(), *vocab = json_object_get(json, "vocab"), *id;
  const char *key;
  rmx_buf spelt = {0};
  bool good = true;
  json_object_foreach(vocab, key, id)
    good = good && keep(t, key, strlen(key), (uint32_t)json_integer_value(id), rest, &spelt);
  for (size_t i = 0; t->lists && i < t->lists->n && good; i++) {
    const rmx__list_entry *e = &t->lists->entries[i];
    good = keep(t, t->lists->keys.data + e->start, e->size, e->id, rest, &spelt);
  }
  good = json_object_set_new(json, "vocab", rest) == 0 && good &&
         json_object_set_new(json, "merges", json_array()) == 0;
  rmx_buf_release(&spelt);
  return good;
}

// ---- the type -----------------------------------------------------------------------

static rmx_status make(const rmx_tokenizer *t, json_t *json, const char *where, void **model,
                       rmx_err *err) {
  rmx__merge *merges = NULL;
  size_t n = 0;
  rmx__bpe *m = NULL;
  rmx_status status = RMX_OK;
  if (t->lists) {
    status = rmx__bpe_make(t, json, t->lists->merges, t->lists->nmerges, where, &m, err);
  } else {
    status = read_merges(json, where, &merges, &n, err);
    if (status == RMX_OK) status = rmx__bpe_make(t, json, merges, n, where, &m, err);
  }
  free(merges);
  *model = m;
  if (status == RMX_OK && !take_out(t, json)) status = rmx_fail_memory(err, 0, "a tokenizer");
  return status;
}

static uint64_t hash(const void *model, uint64_t h) {
  const rmx__bpe *m = model;
  return rmx_hash(m->merges, m->nmerges * sizeof *m->merges, h);
}

static bool makes(const rmx_tokenizer *t, uint32_t id) {
  const rmx__bpe *m = t->model;
  for (size_t i = 0; i < m->nmerges; i++)
    if (m->merges[i].made == id) return true;
  rmx__token_text token = rmx__vocabulary_text(&t->vocabulary, id);
  int32_t code;
  return token.size == 1 ||
         (!t->byte_level && token.size > 0 &&
          rmx__character(token.data, token.data + token.size, &code) == token.size);
}

static bool any_bytes(const void *model) {
  return ((const rmx__bpe *)model)->plain;
}

const rmx__model_type rmx__bpe_type = {
    .name = "BPE",
    .tokens = read_tokens,
    .make = make,
    .free = free_model,
    .hash = hash,
    .write = write,
    .makes = makes,
    .any_bytes = any_bytes,
    .scratch_new = rmx__bpe_scratch_new,
    .scratch_free = rmx__bpe_scratch_free,
    .encode = rmx__bpe_encode,
};
