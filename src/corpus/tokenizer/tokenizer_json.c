// SPDX-License-Identifier: Apache-2.0
// Reads and writes Hugging Face's tokenizer.json. Only byte-level BPE is supported: the model
// "BPE"; the pre-tokenizer "ByteLevel" with GPT-2's pattern, or a "Split" by a regular expression
// before a "ByteLevel" without one; no normaliser, or "NFC". A file that would give other ids than
// that library is refused. One difference is intended: special tokens are not recognised in
// documents.
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/json.h"
#include "tokenizer.h"

enum { MAX_TOKENS = 1 << 24 };

// In order of preference: GPT-2 and most others; Llama 3; Llama 1 and 2, Gemma.
const char *const rmx__specials_that_end_text[] = {"<|endoftext|>", "<|end_of_text|>", "</s>",
                                                   "<eos>", NULL};

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

// ---- reading -------------------------------------------------------------------------

struct reading {
  const char *where;
  json_t *root;
  rmx_arena arena;
  rmx__token_text *tokens;  // (vocab)
  uint8_t *kinds;
  int vocab;
  rmx__merge *merges;
  size_t nmerges;
  int32_t char_byte[0x144];  // table of rmx__char_to_byte(); the alphabet ends at U+0143
};

static const char *type_of(const json_t *object) {
  const char *type = json_string_value(json_object_get(object, "type"));
  return type ? type : "";
}

static bool is_type(const json_t *object, const char *type) {
  return strcmp(type_of(object), type) == 0;
}

static rmx_status check_model(const struct reading *r, const json_t *model, rmx_err *err) {
  if (!json_is_object(model))
    return rmx_fail(err, RMX_EINPUT, "%s: no \"model\": not a tokenizer.json", r->where);
  const json_t *type = json_object_get(model, "type");
  if (type && !is_type(model, "BPE"))  // files from before 2021 have no type
    return rmx_fail(err, RMX_EINPUT,
                    "%s: model type \"%s\"; only byte-level \"BPE\" is supported (GPT-2, GPT-NeoX, "
                    "Llama 3, Qwen)",
                    r->where, type_of(model));
  if (!json_is_object(json_object_get(model, "vocab")))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: model: \"vocab\" is missing or not a map of tokens to ids", r->where);
  if (!json_is_array(json_object_get(model, "merges")))
    return rmx_fail(err, RMX_EINPUT, "%s: model: \"merges\" is missing or not a list", r->where);
  if (json_number_value(json_object_get(model, "dropout")) != 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: model: \"dropout\" is set: encoding would be random; set it to null",
                    r->where);
  static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
  for (size_t i = 0; i < 2; i++) {
    const json_t *affix = json_object_get(model, affixes[i]);
    if (json_is_string(affix) && json_string_length(affix))
      return rmx_fail(err, RMX_EINPUT, "%s: model: \"%s\" is set, but byte-level BPE has none",
                      r->where, affixes[i]);
  }
  return RMX_OK;
}

static rmx_status check_normalizer(const struct reading *r, json_t *root, rmx_err *err) {
  json_t *normalizer = json_object_get(root, "normalizer"),
         *list = json_object_get(normalizer, "normalizers");
  if (!normalizer || json_is_null(normalizer)) return RMX_OK;
  bool sequence = is_type(normalizer, "Sequence") && json_is_array(list);
  size_t n = sequence ? json_array_size(list) : 1;
  for (size_t i = 0; i < n; i++) {
    const json_t *part = sequence ? json_array_get(list, i) : normalizer;
    if (!is_type(part, "NFC"))
      return rmx_fail(err, RMX_EINPUT, "%s: normalizer \"%s\"; supported are none and \"NFC\"",
                      r->where, type_of(part));
  }
  // An empty sequence means none: the rest of this file expects a map or null.
  if (n == 0) json_object_set_new(root, "normalizer", json_null());
  return RMX_OK;
}

static rmx_status check_pre_tokenizer(const struct reading *r, const json_t *root, rmx_err *err) {
  const json_t *pre = json_object_get(root, "pre_tokenizer"),
               *list = json_object_get(pre, "pretokenizers");
  bool sequence = is_type(pre, "Sequence") && json_is_array(list), split = false,
       byte_level = false;
  if (json_is_array(list) != sequence)
    return rmx_fail(err, RMX_EINPUT, "%s: pre_tokenizer is not a sequence", r->where);
  size_t n = sequence ? json_array_size(list) : 1;
  for (size_t i = 0; i < n; i++) {
    const json_t *part = sequence ? json_array_get(list, i) : pre;
    bool last = i + 1 == n;
    if (is_type(part, "ByteLevel") && last) {
      const json_t *use = json_object_get(part, "use_regex");
      if (json_is_false(use) != split)
        return rmx_fail(err, RMX_EINPUT, "%s: pre_tokenizer: %s", r->where,
                        split ? "a \"Split\" before a \"ByteLevel\" with use_regex: set it to false"
                              : "a \"ByteLevel\" without use_regex needs one \"Split\" before it");
      byte_level = true;
    } else if (is_type(part, "Split") && !split && !last) {
      const char *behaviour = json_string_value(json_object_get(part, "behavior"));
      bool invert = json_is_true(json_object_get(part, "invert"));
      bool known = behaviour && (strcmp(behaviour, invert ? "Removed" : "Isolated") == 0);
      if (!known || !json_is_string(json_object_get(json_object_get(part, "pattern"), "Regex")))
        return rmx_fail(err, RMX_EINPUT,
                        "%s: pre_tokenizer: \"Split\" must have a pattern \"Regex\" and the "
                        "behaviour \"Isolated\"",
                        r->where);
      split = true;
    } else {
      return rmx_fail(err, RMX_EINPUT,
                      "%s: pre_tokenizer: \"%s\" as part %zu of %zu; supported are \"ByteLevel\", "
                      "and one \"Split\" "
                      "followed by \"ByteLevel\"",
                      r->where, type_of(part), i + 1, n);
    }
  }
  if (!byte_level)
    return rmx_fail(err, RMX_EINPUT, "%s: pre_tokenizer: no \"ByteLevel\"", r->where);
  return RMX_OK;
}

static rmx_status check_id(const struct reading *r, const json_t *id, const char *token,
                           rmx_err *err) {
  if (!json_is_integer(id) || json_integer_value(id) < 0 || json_integer_value(id) >= MAX_TOKENS)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: the id of token \"%.100s\" is not a whole number from 0 to %d", r->where,
                    token, MAX_TOKENS - 1);
  return RMX_OK;
}

static rmx_status count_ids(struct reading *r, json_t *vocab, const json_t *added, rmx_err *err) {
  const char *token;
  json_t *id;
  json_int_t max = -1;
  json_object_foreach(vocab, token, id) {
    RMX_TRY(check_id(r, id, token, err));
    if (json_integer_value(id) > max) max = json_integer_value(id);
  }
  for (size_t i = 0; i < json_array_size(added); i++) {
    const json_t *entry = json_array_get(added, i);
    const char *content;
    RMX_TRY(rmx__json_string(entry, "content", &content, r->where, err));
    id = json_object_get(entry, "id");
    RMX_TRY(check_id(r, id, content, err));
    if (json_integer_value(id) > max) max = json_integer_value(id);
  }
  r->vocab = (int)max + 1;
  r->tokens = rmx_calloc((size_t)r->vocab, sizeof *r->tokens);
  r->kinds = rmx_calloc((size_t)r->vocab, 1);
  return r->tokens && r->kinds ? RMX_OK : rmx_fail_memory(err, (size_t)r->vocab, "a vocabulary");
}

// Sets token `id` to its own text, or to the bytes that it spells if all of it is of the byte
// alphabet.
static rmx_status set_token(struct reading *r, size_t id, const char *text, bool spelt,
                            uint8_t kind, rmx_err *err) {
  size_t size = strlen(text), n = 0;
  char *bytes = rmx_arena_alloc(&r->arena, size, 1);
  if (!bytes) return rmx_fail_memory(err, size, "a token");
  for (size_t at = 0; spelt && at < size;) {
    utf8proc_int32_t code;
    // jansson has checked it
    at += (size_t)utf8proc_iterate((const utf8proc_uint8_t *)text + at, -1, &code);
    int byte = code < 0x144 ? r->char_byte[code] : -1;
    if (byte < 0) {
      spelt = false;
      kind = RMX__TOKEN_SPECIAL;
      break;
    }
    bytes[n++] = (char)byte;
  }
  if (!spelt) {
    memcpy(bytes, text, size);
    n = size;
  }
  r->tokens[id] = (rmx__token_text){bytes, n};
  r->kinds[id] = kind;
  return RMX_OK;
}

static rmx_status read_vocab(struct reading *r, json_t *vocab, rmx_err *err) {
  const char *token;
  json_t *value;
  json_object_foreach(vocab, token, value) {
    size_t id = (size_t)json_integer_value(value);
    if (r->kinds[id])
      return rmx_fail(err, RMX_EINPUT, "%s: two tokens have the id %zu", r->where, id);
    if (!*token)
      return rmx_fail(err, RMX_EINPUT, "%s: the token with id %zu is empty", r->where, id);
    RMX_TRY(set_token(r, id, token, true, RMX__TOKEN_BYTES, err));
  }
  return RMX_OK;
}

static rmx_status read_added(struct reading *r, const json_t *vocab, const json_t *added,
                             rmx_err *err) {
  for (size_t i = 0; i < json_array_size(added); i++) {
    const json_t *entry = json_array_get(added, i);
    const char *content = json_string_value(json_object_get(entry, "content"));
    size_t id = (size_t)json_integer_value(json_object_get(entry, "id"));
    bool special = json_is_true(json_object_get(entry, "special"));
    if (!*content)
      return rmx_fail(err, RMX_EINPUT, "%s: the added token with id %zu is empty", r->where, id);
    const json_t *in_vocab = json_object_get(vocab, content);
    bool clash =
        in_vocab ? (size_t)json_integer_value(in_vocab) != id : r->kinds[id] != RMX__TOKEN_NONE;
    if (clash)
      return rmx_fail(err, RMX_EINPUT, "%s: added token \"%.100s\" has the id %zu of another token",
                      r->where, content, id);
    static const char *const flags[] = {"single_word", "lstrip", "rstrip"};
    for (size_t f = 0; f < 3 && !special; f++)
      if (json_is_true(json_object_get(entry, flags[f])))
        return rmx_fail(err, RMX_EINPUT, "%s: added token \"%.100s\": \"%s\" is not supported",
                        r->where, content, flags[f]);
    RMX_TRY(set_token(r, id, content, false, special ? RMX__TOKEN_SPECIAL : RMX__TOKEN_ADDED, err));
  }
  return RMX_OK;
}

static rmx_status merge_part(const struct reading *r, const json_t *vocab, size_t i,
                             const char *part, size_t size, uint32_t *id, rmx_err *err) {
  const json_t *value = json_object_getn(vocab, part, size);
  if (!value)
    return rmx_fail(err, RMX_EINPUT, "%s: merge %zu: \"%.*s\" is not in the vocabulary", r->where,
                    i, (int)(size < 100 ? size : 100), part);
  *id = (uint32_t)json_integer_value(value);
  return RMX_OK;
}

static rmx_status read_merges(struct reading *r, const json_t *vocab, const json_t *merges,
                              rmx_err *err) {
  r->merges = rmx_calloc(json_array_size(merges), sizeof *r->merges);
  if (!r->merges)
    return rmx_fail_memory(err, json_array_size(merges) * sizeof *r->merges, "merges");
  rmx_buf joined = {0};
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < json_array_size(merges) && status == RMX_OK; i++) {
    // "a b", or ["a", "b"] since 2024
    const json_t *merge = json_array_get(merges, i);
    const char *a = json_string_value(merge), *b = NULL;
    size_t na = 0;
    if (a) {
      const char *space = strchr(a, ' ');
      if (space && !strchr(space + 1, ' ')) {
        na = (size_t)(space - a);
        b = space + 1;
      }
    } else if (json_array_size(merge) == 2) {
      a = json_string_value(json_array_get(merge, 0));
      b = json_string_value(json_array_get(merge, 1));
      na = a ? strlen(a) : 0;
    }
    if (!a || !b || !na || !*b) {
      status = rmx_fail(err, RMX_EINPUT, "%s: merge %zu is neither \"a b\" nor [\"a\", \"b\"]",
                        r->where, i);
      break;
    }
    joined.size = 0;
    rmx_buf_add(&joined, a, na);
    rmx_buf_puts(&joined, b);
    if (joined.failed) {
      status = rmx_fail_memory(err, na, "a merge");
      break;
    }
    rmx__merge *m = &r->merges[i];
    RMX_TRY_GOTO(merge_part(r, vocab, i, a, na, &m->a, err), done);
    RMX_TRY_GOTO(merge_part(r, vocab, i, b, strlen(b), &m->b, err), done);
    RMX_TRY_GOTO(merge_part(r, vocab, i, joined.data, joined.size, &m->made, err), done);
  }
  r->nmerges = json_array_size(merges);
done:
  rmx_buf_release(&joined);
  return status;
}

// A token that merges can make from plain text cannot be the end of text.
static bool is_made(const struct reading *r, uint32_t id) {
  if (r->kinds[id] != RMX__TOKEN_BYTES) return false;
  for (size_t i = 0; i < r->nmerges; i++)
    if (r->merges[i].made == id) return true;
  return false;
}

static rmx_status find_end_of_text(struct reading *r, uint32_t *id, rmx_err *err) {
  for (const char *const *name = rmx__specials_that_end_text; *name; name++) {
    size_t size = strlen(*name);
    for (int i = 0; i < r->vocab; i++) {
      if (r->kinds[i] == RMX__TOKEN_NONE || r->tokens[i].size != size) continue;
      if (memcmp(r->tokens[i].data, *name, size) != 0 || is_made(r, (uint32_t)i)) continue;
      r->kinds[i] = RMX__TOKEN_SPECIAL;
      *id = (uint32_t)i;
      return RMX_OK;
    }
  }
  return rmx_fail(
      err, RMX_EINPUT,
      "%s: no token that ends a text; looked for <|endoftext|>, <|end_of_text|>, </s>, <eos>",
      r->where);
}

static rmx_status read_all(struct reading *r, rmx_tokenizer **out, rmx_err *err) {
  json_t *model = json_object_get(r->root, "model");
  RMX_TRY(check_model(r, model, err));
  RMX_TRY(check_normalizer(r, r->root, err));
  RMX_TRY(check_pre_tokenizer(r, r->root, err));
  json_t *vocab = json_object_get(model, "vocab"), *merges = json_object_get(model, "merges");
  const json_t *added = json_object_get(r->root, "added_tokens");
  RMX_TRY(count_ids(r, vocab, added, err));
  RMX_TRY(read_vocab(r, vocab, err));
  RMX_TRY(read_added(r, vocab, added, err));
  RMX_TRY(read_merges(r, vocab, merges, err));
  uint32_t end_of_text = 0;
  RMX_TRY(find_end_of_text(r, &end_of_text, err));
  // What the tokenizer holds itself is removed from the frame; the tokens it cannot spell stay.
  json_t *rest = json_object();
  const char *token;
  json_t *id;
  json_object_foreach(vocab, token, id)
    if (r->kinds[json_integer_value(id)] != RMX__TOKEN_BYTES) json_object_set(rest, token, id);
  if (json_object_set_new(model, "vocab", rest) != 0 ||
      json_object_set_new(model, "merges", json_array()) != 0)
    return rmx_fail_memory(err, 0, "a tokenizer");
  return rmx__tokenizer_make(r->tokens, r->kinds, r->vocab, r->merges, r->nmerges, end_of_text,
                             json_incref(r->root), r->where, out, err);
}

rmx_status rmx__tokenizer_parse(const char *text, size_t size, const char *where,
                                rmx_tokenizer **out, rmx_err *err) {
  json_error_t at;
  struct reading r = {.where = where};
  r.root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &at);
  if (!r.root) return rmx_fail(err, RMX_EINPUT, "%s:%d: not JSON: %s", where, at.line, at.text);
  for (int32_t c = 0; c < 0x144; c++) r.char_byte[c] = rmx__char_to_byte(c);
  rmx_status status = read_all(&r, out, err);
  json_decref(r.root);
  rmx_arena_release(&r.arena);
  free(r.tokens);
  free(r.kinds);
  free(r.merges);
  return status;
}

rmx_status rmx_tokenizer_read(const char *path, rmx_tokenizer **out, rmx_err *err) {
  char *text;
  size_t size;
  RMX_TRY(rmx_read_file(path, &text, &size, err));
  rmx_status status = rmx__tokenizer_parse(text, size, path, out, err);
  free(text);
  return status;
}

// ---- writing -------------------------------------------------------------------------

static void spell_token(const rmx_tokenizer *t, uint32_t id, rmx_buf *out) {
  for (uint32_t i = t->start[id]; i < t->start[id + 1]; i++) {
    utf8proc_uint8_t utf8[4];
    rmx_buf_add(out, utf8,
                (size_t)utf8proc_encode_char(rmx__byte_to_char((uint8_t)t->bytes[i]), utf8));
  }
}

static bool put_vocab(const rmx_tokenizer *t, json_t *model, rmx_buf *scratch) {
  json_t *vocab = json_object();
  bool good = vocab != NULL;
  const json_t *rest = json_object_get(model, "vocab");
  // tokens that the frame spells, by id
  const char **others = rmx_calloc((size_t)t->vocab, sizeof *others);
  const char *token;
  json_t *id;
  json_object_foreach((json_t *)rest, token, id)
    if (others) others[json_integer_value(id)] = token;
  for (int i = 0; i < t->vocab && good && others; i++) {
    if (t->kind[i] == RMX__TOKEN_BYTES) {
      scratch->size = 0;
      spell_token(t, (uint32_t)i, scratch);
      good = !scratch->failed && json_object_set_new(vocab, scratch->data, json_integer(i)) == 0;
    } else if (others[i]) {
      good = json_object_set_new(vocab, others[i], json_integer(i)) == 0;
    }
  }
  good = good && others;
  free(others);
  if (!good) json_decref(vocab);
  return good && json_object_set_new(model, "vocab", vocab) == 0;
}

static bool put_merges(const rmx_tokenizer *t, json_t *model, rmx_buf *scratch) {
  json_t *merges = json_object_get(model, "merges");
  for (size_t i = 0; i < t->nmerges; i++) {
    scratch->size = 0;
    spell_token(t, t->merges[i].a, scratch);
    rmx_buf_puts(scratch, " ");
    spell_token(t, t->merges[i].b, scratch);
    if (scratch->failed ||
        json_array_append_new(merges, json_stringn(scratch->data, scratch->size)) != 0)
      return false;
  }
  return true;
}

rmx_status rmx_tokenizer_write(const rmx_tokenizer *t, const char *path, rmx_err *err) {
  rmx_buf scratch = {0};
  json_t *root = json_deep_copy(t->frame), *model = json_object_get(root, "model");
  rmx_status status = root && put_vocab(t, model, &scratch) && put_merges(t, model, &scratch)
                          ? rmx__json_write(path, root, err)
                          : rmx_fail_memory(err, 0, "a tokenizer.json");
  json_decref(root);
  rmx_buf_release(&scratch);
  return status;
}
