// SPDX-License-Identifier: Apache-2.0
// vocab.json and merges.txt: a byte-level BPE as GPT-2 has it. How words are cut, and which tokens
// are special, is in the program that uses the files. It is done as GPT-2 does it; a number of
// tokens that is known to belong to another pattern is refused.
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "foreign.h"

bool rmx__vocab_json_is(const json_t *root) {
  const char *key;
  json_t *id;
  json_object_foreach((json_t *)root, key, id)
    if (!json_is_integer(id)) return false;
  return json_object_size(root) > 0;
}

char *rmx__vocab_json_merges(const char *path) {
  const char *slash = strrchr(path, '/');
  return rmx_format("%.*smerges.txt", slash ? (int)(slash + 1 - path) : 0, path);
}

static rmx_status check_size(const json_t *vocab, const char *where, rmx_err *err) {
  static const struct {
    size_t tokens;
    const char *models;
  } known[] = {{49152, "StarCoder and SmolLM"}, {151643, "Qwen"}, {49408, "CLIP"}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (json_object_size(vocab) == known[i].tokens)
      return rmx_fail(err, RMX_EINPUT,
                      "%s: the vocabulary of %s, whose words are not those of GPT-2; give its "
                      "tokenizer.json",
                      where, known[i].models);
  return RMX_OK;
}

// Lines of two tokens with a space between them, after a line of the version.
static rmx_status read_merges(const char *path, json_t *merges, rmx_err *err) {
  char *text;
  RMX_TRY(rmx_read_file(path, &text, NULL, err));
  rmx_status status = RMX_OK;
  size_t number = 1;
  for (char *at = text, *next; *at && status == RMX_OK; at = next, number++) {
    const size_t size = strcspn(at, "\r\n");
    next = at + size + strspn(at + size, "\r");
    next += *next == '\n';
    if (!size || (number == 1 && strncmp(at, "#version", 8) == 0)) continue;
    at[size] = 0;
    const char *space = strchr(at, ' ');
    if (!space || strchr(space + 1, ' ') || space == at || !space[1])
      status =
          rmx_fail(err, RMX_EINPUT, "%s:%zu: not two tokens with a space between them: \"%.100s\"",
                   path, number, at);
    else if (json_array_append_new(merges, json_string(at)) != 0)
      status = rmx_fail(err, RMX_EINPUT, "%s:%zu: the merge is not UTF-8", path, number);
  }
  free(text);
  return status;
}

// Those that programs make special in such a vocabulary.
static rmx_status add_specials(rmx__foreign *f, const json_t *vocab, rmx_err *err) {
  static const char *const names[] = {"<|endoftext|>", "<s>", "<pad>", "</s>", "<unk>", "<mask>"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const json_t *id = json_object_get(vocab, names[i]);
    if (id)
      RMX_TRY(rmx__foreign_add(f, json_integer_value(id), names[i], strlen(names[i]), true, false,
                               err));
  }
  return RMX_OK;
}

rmx_status rmx__vocab_json_tree(const json_t *vocab, const char *where, json_t **out,
                                rmx_err *err) {
  char *path = rmx__vocab_json_merges(where);
  rmx__foreign f = {.list.where = where};
  rmx_status status = path ? check_size(vocab, where, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK && !rmx_exists(path))
    status =
        rmx_fail(err, RMX_EINPUT,
                 "%s: the vocabulary of a BPE without its merges: put merges.txt beside it, or "
                 "give the tokenizer.json of the same model",
                 where);
  if (status == RMX_OK) status = rmx__foreign_byte_level(&f, NULL, false, err);
  if (status == RMX_OK) status = add_specials(&f, vocab, err);
  json_t *model = json_object_get(f.frame, "model");
  if (status == RMX_OK) status = read_merges(path, json_object_get(model, "merges"), err);
  if (status == RMX_OK && (json_object_set(model, "vocab", (json_t *)vocab) != 0 ||
                           json_object_set_new(model, "ignore_merges", json_false()) != 0))
    status = rmx_fail_memory(err, 0, "a tokenizer");
  if (status == RMX_OK) *out = json_incref(f.frame);
  rmx__foreign_release(&f);
  free(path);
  return status;
}
