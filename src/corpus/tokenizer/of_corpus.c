// SPDX-License-Identifier: Apache-2.0
#include "of_corpus.h"

#include <stdlib.h>

#include "base/json.h"
#include "tokenizer.h"

rmx_status rmx__tokenizer_check(const char *path, const char *folder, rmx_err *err) {
  RMX_OWNED char *index = rmx_path_in(folder, "corpus/corpus.json");
  json_auto_t *corpus = NULL;
  rmx_tokenizer *t = NULL;
  if (!index) return rmx_fail_memory(err, 0, "a path");
  RMX_TRY(rmx__json_read(index, &corpus, err));
  const char *hex = json_string_value(json_object_get(corpus, "tokenizer_hash"));
  const uint64_t wanted = hex ? strtoull(hex, NULL, 16) : 0;
  const rmx_status status = rmx_tokenizer_read(path, &t, err);
  if (status != RMX_OK && status != RMX_EINPUT) return status;
  bool same = t && rmx_tokenizer_hash(t) == wanted;
  if (t && !same) {  // another token of it may have been named to end a text
    const json_int_t end = json_integer_value(json_object_get(corpus, "end_of_text"));
    if (end >= 0 && end < rmx_tokenizer_vocab(t)) rmx__end_of_text_set(t, (uint32_t)end);
    same = rmx_tokenizer_hash(t) == wanted;
  }
  rmx_tokenizer_free(t);
  if (same) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s: is not the tokenizer that made the token files in %s/corpus: it was changed "
                  "or damaged; `regmix prepare` makes it again",
                  path, folder);
}

rmx_status rmx__corpus_tokenizer(const char *folder, char **out, rmx_err *err) {
  // A corpus of version 0.1.0, and a part of a corpus, have it only in the folder above.
  static const char *const places[] = {"corpus/tokenizer.json", "tokenizer.json"};
  bool any = false;
  *out = NULL;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    RMX_OWNED char *path = rmx_path_in(folder, places[i]);
    rmx_err other;
    if (!path) return rmx_fail_memory(err, 0, "a path");
    if (!rmx_exists(path)) continue;
    if (rmx__tokenizer_check(path, folder, any ? &other : err) == RMX_OK) {
      *out = path, path = NULL;
      return RMX_OK;
    }
    any = true;
  }
  return any ? err->status : RMX_OK;
}
