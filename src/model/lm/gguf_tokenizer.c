// SPDX-License-Identifier: Apache-2.0
// The tokenizer of a tokenizer.json as keys of a GGUF file. llama.cpp has byte-level BPE under the
// name "gpt2", with the split of words known by a name.
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "gguf.h"

enum { NORMAL = 1, CONTROL = 3, USER = 4, UNUSED = 5 };  // kinds of tokens

// The patterns that llama.cpp has, by what only they contain.
static const struct {
  const char *contains, *name;
} patterns[] = {
    {"[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}", "gpt-4o"},
    {"\\p{N}{1,3}", "llama-bpe"},
    {"[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}", "qwen2"},
};

// The name of the split of words; NULL: llama.cpp has no name for it.
static const char *split_of(const json_t *pre) {
  const char *type = json_string_value(json_object_get(pre, "type"));
  const json_t *parts = json_object_get(pre, "pretokenizers");
  if (!type) return NULL;
  if (strcmp(type, "ByteLevel") == 0 && !json_is_true(json_object_get(pre, "add_prefix_space")) &&
      !json_is_false(json_object_get(pre, "use_regex")))
    return "gpt-2";
  if (strcmp(type, "Sequence") != 0 || json_array_size(parts) != 2) return NULL;
  const char *regex = json_string_value(
      json_object_get(json_object_get(json_array_get(parts, 0), "pattern"), "Regex"));
  for (size_t i = 0; regex && i < sizeof patterns / sizeof *patterns; i++)
    if (strstr(regex, patterns[i].contains)) return patterns[i].name;
  return NULL;
}

struct lists {
  const char **tokens;  // (n)
  int32_t *types;       // (n)
  size_t n;
  char *unused;  // names of entries without a token
};

static void release(struct lists *l) {
  free(l->tokens);
  free(l->types);
  free(l->unused);
  *l = (struct lists){0};
}

static rmx_status set(struct lists *l, const char *path, const char *text, const json_t *id,
                      int32_t type, rmx_err *err) {
  const json_int_t i = json_integer_value(id);
  if (!text || !json_is_integer(id) || i < 0 || (size_t)i >= l->n)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: the token \"%.40s\" has the id %lld, and the model has %zu entries", path,
                    text ? text : "", (long long)i, l->n);
  l->tokens[i] = text;
  l->types[i] = type;
  return RMX_OK;
}

static rmx_status list_tokens(const json_t *tree, const char *path, struct lists *l, rmx_err *err) {
  enum { NAME = 32 };
  const char *text;
  json_t *id, *added;
  size_t i;
  l->tokens = rmx_calloc(l->n, sizeof *l->tokens);
  l->types = rmx_calloc(l->n, sizeof *l->types);
  l->unused = rmx_calloc(l->n, NAME);
  if (!l->tokens || !l->types || !l->unused) return rmx_fail_memory(err, l->n * NAME, "tokens");
  for (i = 0; i < l->n; i++) {
    snprintf(l->unused + i * NAME, NAME, "[PAD%zu]", i);
    l->tokens[i] = l->unused + i * NAME;
    l->types[i] = UNUSED;
  }
  json_object_foreach(json_object_get(json_object_get(tree, "model"), "vocab"), text, id)
    RMX_TRY(set(l, path, text, id, NORMAL, err));
  json_array_foreach(json_object_get(tree, "added_tokens"), i, added)
    RMX_TRY(set(l, path, json_string_value(json_object_get(added, "content")),
                json_object_get(added, "id"),
                json_is_true(json_object_get(added, "special")) ? CONTROL : USER, err));
  return RMX_OK;
}

// Merges are "a b", or in newer files ["a", "b"].
static rmx_status put_merges(struct rmx__gguf_keys *k, const json_t *merges, rmx_err *err) {
  const size_t n = json_array_size(merges);
  RMX_OWNED_BY(rmx_strings_release) rmx_strings made = {0};
  RMX_OWNED const char **list = rmx_calloc(n + 1, sizeof *list);
  if (!list) return rmx_fail_memory(err, n * sizeof *list, "merges");
  for (size_t i = 0; i < n; i++) {
    const json_t *merge = json_array_get(merges, i);
    const char *a = json_string_value(json_array_get(merge, 0)),
               *b = json_string_value(json_array_get(merge, 1));
    RMX_OWNED char *text = a && b
                               ? rmx_format("%s %s", a, b)
                               : rmx_strdup(json_is_string(merge) ? json_string_value(merge) : "");
    if (!text || !rmx_strings_add(&made, text)) return rmx_fail_memory(err, n * 16, "merges");
  }
  for (size_t i = 0; i < n; i++) list[i] = made.items[i];
  rmx__gguf_strings(k, "tokenizer.ggml.merges", list, n);
  return RMX_OK;
}

static rmx_status check(const json_t *tree, const char *path, const char **split, rmx_err *err) {
  const json_t *model = json_object_get(tree, "model");
  const char *type = json_string_value(json_object_get(model, "type"));
  *split = split_of(json_object_get(tree, "pre_tokenizer"));
  const json_t *normalizer = json_object_get(tree, "normalizer");
  if (!type || strcmp(type, "BPE") != 0 || json_is_true(json_object_get(model, "byte_fallback")))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: only byte-level BPE can be written to a GGUF file, this is another kind",
                    path);
  if (normalizer && !json_is_null(normalizer))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: the tokenizer normalizes text, which byte-level BPE of llama.cpp does not",
                    path);
  if (*split) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s: llama.cpp has no name for the way in which this tokenizer splits words",
                  path);
}

static rmx_status put_all(struct rmx__gguf_keys *k, const json_t *tree, const char *path,
                          size_t vocab, rmx_err *err) {
  RMX_OWNED_BY(release) struct lists l = {.n = vocab};
  const char *split;
  RMX_TRY(check(tree, path, &split, err));
  RMX_TRY(list_tokens(tree, path, &l, err));
  rmx__gguf_string(k, "tokenizer.ggml.model", "gpt2");
  rmx__gguf_string(k, "tokenizer.ggml.pre", split);
  rmx__gguf_strings(k, "tokenizer.ggml.tokens", l.tokens, l.n);
  rmx__gguf_i32s(k, "tokenizer.ggml.token_type", l.types, l.n);
  RMX_TRY(put_merges(k, json_object_get(json_object_get(tree, "model"), "merges"), err));
  static const char *const ends[] = {"<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>"};
  for (size_t e = 0; e < sizeof ends / sizeof *ends; e++)
    for (size_t i = 0; i < l.n; i++) {
      if (l.types[i] != CONTROL || strcmp(l.tokens[i], ends[e]) != 0) continue;
      rmx__gguf_u32(k, "tokenizer.ggml.bos_token_id", (uint32_t)i);
      rmx__gguf_u32(k, "tokenizer.ggml.eos_token_id", (uint32_t)i);
      e = sizeof ends / sizeof *ends - 1;
      break;
    }
  rmx__gguf_bool(k, "tokenizer.ggml.add_bos_token", false);
  return RMX_OK;
}

rmx_status rmx__gguf_tokenizer(struct rmx__gguf_keys *k, const char *path, size_t vocab,
                               rmx_err *err) {
  json_t *tree;
  RMX_TRY(rmx__json_read(path, &tree, err));
  const rmx_status status = put_all(k, tree, path, vocab, err);
  json_decref(tree);
  return status;
}
