// SPDX-License-Identifier: Apache-2.0
// Mistral's tekken.json:
//
//   {"config": {"pattern", "default_vocab_size", "default_num_special_tokens"},
//    "vocab": [{"rank", "token_bytes"}], "special_tokens": [{"rank", "token_str"}]}
//
// The ids begin with the special tokens; the tokens of the vocabulary follow in the order of their
// ranks. The file has more of them than are used.
#include <string.h>

#include "base64.h"
#include "foreign.h"

// Those of the files that name none.
static const char *const specials[] = {"<unk>",
                                       "<s>",
                                       "</s>",
                                       "[INST]",
                                       "[/INST]",
                                       "[AVAILABLE_TOOLS]",
                                       "[/AVAILABLE_TOOLS]",
                                       "[TOOL_RESULTS]",
                                       "[/TOOL_RESULTS]",
                                       "[TOOL_CALLS]",
                                       "[IMG]",
                                       "<pad>",
                                       "[IMG_BREAK]",
                                       "[IMG_END]",
                                       "[PREFIX]",
                                       "[MIDDLE]",
                                       "[SUFFIX]",
                                       "[SYSTEM_PROMPT]",
                                       "[/SYSTEM_PROMPT]",
                                       "[TOOL_CONTENT]"};
enum { SPECIALS = sizeof specials / sizeof *specials };

static rmx_status count_of(const rmx__foreign *f, const json_t *config, const char *key,
                           size_t *out, rmx_err *err) {
  const json_t *value = json_object_get(config, key);
  if (!json_is_integer(value) || json_integer_value(value) < 0 ||
      json_integer_value(value) > RMX__MAX_TOKENS)
    return rmx_fail(err, RMX_EINPUT, "%s: config: \"%s\" is not a whole number from 0 to %d",
                    f->list.where, key, RMX__MAX_TOKENS);
  *out = (size_t)json_integer_value(value);
  return RMX_OK;
}

static rmx_status add_special(rmx__foreign *f, size_t id, const char *text, rmx_err *err) {
  if (id < (size_t)f->list.n && f->list.kinds[id] != RMX__TOKEN_NONE)
    return rmx_fail(err, RMX_EINPUT, "%s: two special tokens have the rank %zu", f->list.where, id);
  return rmx__foreign_special(f, (int64_t)id, text, strlen(text), err);
}

static rmx_status add_specials(rmx__foreign *f, const json_t *list, size_t n, rmx_err *err) {
  const size_t given = json_is_array(list) ? json_array_size(list) : SPECIALS;
  for (size_t i = 0; i < given && (list || i < n); i++) {
    const json_t *entry = json_array_get(list, i), *rank = json_object_get(entry, "rank");
    const char *text = list ? json_string_value(json_object_get(entry, "token_str")) : specials[i];
    const json_int_t id = list ? json_integer_value(rank) : (json_int_t)i;
    if (!text || !*text || (list && !json_is_integer(rank)) || id < 0 || (size_t)id >= n)
      return rmx_fail(
          err, RMX_EINPUT,
          "%s: special token %zu: \"token_str\" is not a text, or \"rank\" is not a whole "
          "number below %zu",
          f->list.where, i, n);
    RMX_TRY(add_special(f, (size_t)id, text, err));
  }
  for (size_t id = 0; id < n; id++) {
    char filler[32];
    if (id < (size_t)f->list.n && f->list.kinds[id] != RMX__TOKEN_NONE) continue;
    snprintf(filler, sizeof filler, "<SPECIAL_%zu>", id);
    RMX_TRY(add_special(f, id, filler, err));
  }
  return RMX_OK;
}

static rmx_status add_token(rmx__foreign *f, const json_t *entry, size_t rank, size_t id,
                            rmx_err *err) {
  const json_t *text = json_object_get(entry, "token_bytes");
  const size_t size = json_string_length(text);
  if (json_integer_value(json_object_get(entry, "rank")) != (json_int_t)rank)
    return rmx_fail(err, RMX_EINPUT, "%s: vocab: \"rank\" of entry %zu is not %zu", f->list.where,
                    rank, rank);
  char *bytes = rmx_arena_alloc(&f->list.arena, size / 4 * 3 + 1, 1);
  size_t n;
  if (!bytes) return rmx_fail_memory(err, size, "a token");
  if (!rmx__base64_decode(size ? json_string_value(text) : "", size, bytes, &n) || n == 0)
    return rmx_fail(err, RMX_EINPUT, "%s: vocab: \"token_bytes\" of entry %zu is not base64",
                    f->list.where, rank);
  return rmx__token_list_set(&f->list, (int64_t)id, bytes, n, RMX__TOKEN_BYTES | RMX__IN_MODEL,
                             err);
}

bool rmx__tekken_is(const json_t *root) {
  return json_is_object(json_object_get(root, "config")) &&
         json_is_array(json_object_get(root, "vocab"));
}

rmx_status rmx__tekken_read(const json_t *root, const char *where, rmx__foreign *out,
                            rmx_err *err) {
  const json_t *config = json_object_get(root, "config"), *vocab = json_object_get(root, "vocab"),
               *pattern = json_object_get(config, "pattern"),
               *given = json_object_get(root, "special_tokens");
  size_t size = 0, nspecials = 0;
  out->list.where = where;
  RMX_TRY(count_of(out, config, "default_vocab_size", &size, err));
  RMX_TRY(count_of(out, config, "default_num_special_tokens", &nspecials, err));
  if (!json_is_string(pattern))
    return rmx_fail(err, RMX_EINPUT, "%s: config: \"pattern\" is not a string", where);
  if (size < nspecials || size - nspecials > json_array_size(vocab))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: %zu special tokens and %zu tokens in \"vocab\" do not make "
                    "\"default_vocab_size\": %zu; the file is damaged",
                    where, nspecials, json_array_size(vocab), size);
  if (nspecials > json_array_size(vocab) + (1 << 16))
    return rmx_fail(err, RMX_EINPUT, "%s: config: %zu special tokens for %zu others", where,
                    nspecials, json_array_size(vocab));
  RMX_TRY(rmx__foreign_byte_level(out, json_string_value(pattern), false, err));
  RMX_TRY(add_specials(out, json_is_null(given) ? NULL : given, nspecials, err));
  for (size_t i = 0; i < size - nspecials; i++)
    RMX_TRY(add_token(out, json_array_get(vocab, i), i, nspecials + i, err));
  return rmx__foreign_merge(out, err);
}
