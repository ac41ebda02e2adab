// SPDX-License-Identifier: Apache-2.0
// The chain of a normalizer, and the changes that replace, add and remove text.
#include "normalizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "byte_alphabet.h"
#include "characters.h"
#include "charsmap.h"
#include "files/base64.h"
#include "part.h"

enum { MAX_CHANGES = 64 };

static void release(rmx__change *c) {
  rmx__pattern_release(&c->pattern);
  free(c->text);
  free(c->content);
  if (c->charsmap) rmx__charsmap_release(c->charsmap);
  free(c->charsmap);
  *c = (rmx__change){0};
}

static rmx_status add(rmx__normalizer *n, rmx__change change, const rmx__part *part, rmx_err *err) {
  rmx_status status = RMX_OK;
  if (n->n == MAX_CHANGES)
    status = rmx__part_fail(part, err, "there are more than 64 steps");
  else if (n->spells)
    status = rmx__part_fail(part, err, "the text is in bytes already");
  rmx__change *changes = status == RMX_OK ? rmx_realloc(n->changes, n->n + 1, sizeof change) : NULL;
  if (!changes) {
    release(&change);
    return status != RMX_OK ? status : rmx_fail_memory(err, sizeof change, "a tokenizer");
  }
  n->changes = changes;
  changes[n->n++] = change;
  return RMX_OK;
}

// ---- replacing, adding, removing --------------------------------------------------------

static rmx_status prepend(const rmx__change *c, const char *text, size_t size, rmx_buf *out,
                          bool *same, rmx_err *err) {
  (void)same, (void)err;
  rmx_buf_add(out, c->content, c->content_size);
  rmx_buf_add(out, text, size);
  return RMX_OK;
}

// Replaces one byte, as a space is by "▁" in every second step: no call for each word.
static void replace_byte(const rmx__change *c, const char *text, size_t size, rmx_buf *out) {
  size_t places = 0;
  for (size_t i = 0; i < size; i++) places += text[i] == *c->text;
  if (!rmx__buf_reserve(out, size + places * c->content_size)) return;
  char *to = out->data + out->size;
  for (size_t i = 0; i < size; i++) {
    if (text[i] != *c->text)
      *to++ = text[i];
    else
      for (size_t k = 0; k < c->content_size; k++) *to++ = c->content[k];
  }
  out->size = (size_t)(to - out->data);
  *to = 0;
}

static rmx_status replace_string(const rmx__change *c, const char *text, size_t size, rmx_buf *out,
                                 bool *same, rmx_err *err) {
  (void)err;
  const char *p = text, *end = text + size, *at = memmem(text, size, c->text, c->text_size);
  *same = !at;
  if (*same) return RMX_OK;
  if (c->text_size == 1) {
    replace_byte(c, text, size, out);
    return RMX_OK;
  }
  for (; at; at = memmem(p, (size_t)(end - p), c->text, c->text_size)) {
    rmx_buf_add(out, p, (size_t)(at - p));
    rmx_buf_add(out, c->content, c->content_size);
    p = at + c->text_size;
  }
  rmx_buf_add(out, p, (size_t)(end - p));
  return RMX_OK;
}

static rmx_status replace_regex(const rmx__change *c, const char *text, size_t size, rmx_buf *out,
                                bool *same, rmx_err *err) {
  (void)same;
  pcre2_match_data *match = pcre2_match_data_create_from_pattern(c->pattern.code, NULL);
  if (!match) return rmx_fail_memory(err, 0, "a pattern");
  rmx_status status;
  size_t at = 0, start, end;
  rmx__search search = {.last_end = SIZE_MAX};
  bool found;
  while ((status = rmx__pattern_next(&c->pattern, match, text, size, &search, &found, &start, &end,
                                     err)) == RMX_OK &&
         found) {
    rmx_buf_add(out, text + at, start - at);
    rmx_buf_add(out, c->content, c->content_size);
    at = end;
  }
  rmx_buf_add(out, text + at, size - at);
  pcre2_match_data_free(match);
  return status;
}

static rmx_status strip(const rmx__change *c, const char *text, size_t size, rmx_buf *out,
                        bool *same, rmx_err *err) {
  (void)same, (void)err;
  size_t start = 0, stop = 0;  // stop: the end of the last character that is not a space
  int32_t code;
  bool begun = !c->left;
  for (size_t at = 0, n; at < size; at += n) {
    n = rmx__character(text + at, text + size, &code);
    bool space = rmx__is_whitespace(code);
    if (!begun && space) start = at + n;
    if (!space) begun = true;
    if (!space) stop = at + n;
  }
  if (!c->right) stop = size;
  if (stop > start) rmx_buf_add(out, text + start, stop - start);
  return RMX_OK;
}

static rmx_status spell(const rmx__change *c, const char *text, size_t size, rmx_buf *out,
                        bool *same, rmx_err *err) {
  (void)c, (void)same, (void)err;
  rmx__spell_bytes(text, size, out);
  return RMX_OK;
}

static rmx_status precompiled(const rmx__change *c, const char *text, size_t size, rmx_buf *out,
                              bool *same, rmx_err *err) {
  (void)err;
  *same = rmx__charsmap_leaves(c->charsmap, text, size);
  if (!*same) rmx__charsmap_apply(c->charsmap, text, size, out);
  return RMX_OK;
}

// ---- reading -------------------------------------------------------------------------------

static rmx_status read_prepend(const rmx__part *part, void *into, rmx_err *err) {
  const char *content;
  RMX_TRY(rmx__part_string(part, "prepend", &content, err));
  rmx__change c = {.run = prepend, .content = rmx_strdup(content), .content_size = strlen(content)};
  return c.content ? add(into, c, part, err) : rmx_fail_memory(err, 0, "a tokenizer");
}

static rmx_status read_replace(const rmx__part *part, void *into, rmx_err *err) {
  const char *text, *content;
  bool regex;
  RMX_TRY(rmx__part_pattern(part, &text, &regex, err));
  RMX_TRY(rmx__part_string(part, "content", &content, err));
  if (!*text) return rmx__part_fail(part, err, "\"pattern\" is empty");
  rmx__change c = {.run = regex ? replace_regex : replace_string};
  char where[512];
  snprintf(where, sizeof where, "%s: normalizer: part %zu of %zu", part->where, part->i, part->n);
  if (regex) RMX_TRY(rmx__pattern_compile(text, where, &c.pattern, err));
  c.text = rmx_strdup(text);
  c.content = rmx_strdup(content);
  if (!c.text || !c.content) {
    release(&c);
    return rmx_fail_memory(err, 0, "a tokenizer");
  }
  c.text_size = strlen(text);
  c.content_size = strlen(content);
  return add(into, c, part, err);
}

static rmx_status read_form(const rmx__part *part, void *into, rmx_err *err) {
  rmx__change c = {.run = rmx__change_form, .form = UTF8PROC_STABLE};
  c.form |= strchr(part->type, 'K') ? UTF8PROC_COMPAT : 0;
  c.form |= strchr(part->type, 'C') ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  return add(into, c, part, err);
}

static rmx_status read_lowercase(const rmx__part *part, void *into, rmx_err *err) {
  return add(into, (rmx__change){.run = rmx__change_lowercase}, part, err);
}

static rmx_status read_strip(const rmx__part *part, void *into, rmx_err *err) {
  rmx__change c = {.run = strip};
  RMX_TRY(rmx__part_flag(part, "strip_left", false, &c.left, err));
  RMX_TRY(rmx__part_flag(part, "strip_right", false, &c.right, err));
  return add(into, c, part, err);
}

static rmx_status read_accents(const rmx__part *part, void *into, rmx_err *err) {
  return add(into, (rmx__change){.run = rmx__change_accents}, part, err);
}

static rmx_status read_nmt(const rmx__part *part, void *into, rmx_err *err) {
  return add(into, (rmx__change){.run = rmx__change_nmt}, part, err);
}

static rmx_status read_bert(const rmx__part *part, void *into, rmx_err *err) {
  rmx__change c = {.run = rmx__change_bert};
  RMX_TRY(rmx__part_flag(part, "clean_text", true, &c.clean, err));
  RMX_TRY(rmx__part_flag(part, "handle_chinese_chars", true, &c.chinese, err));
  RMX_TRY(rmx__part_flag(part, "lowercase", true, &c.lowercase, err));
  RMX_TRY(rmx__part_flag(part, "strip_accents", c.lowercase, &c.accents, err));
  return add(into, c, part, err);
}

static rmx_status read_byte_level(const rmx__part *part, void *into, rmx_err *err) {
  RMX_TRY(add(into, (rmx__change){.run = spell}, part, err));
  ((rmx__normalizer *)into)->spells = true;
  return RMX_OK;
}

static rmx_status read_precompiled(const rmx__part *part, void *into, rmx_err *err) {
  const char *text;
  RMX_TRY(rmx__part_string(part, "precompiled_charsmap", &text, err));
  size_t size = strlen(text);
  rmx__change c = {.run = precompiled, .charsmap = rmx_calloc(1, sizeof(rmx__charsmap))};
  char *data = rmx_calloc(size / 4 * 3 + 1, 1);
  rmx_status status = RMX_OK;
  if (!data || !c.charsmap)
    status = rmx_fail_memory(err, size, "a precompiled_charsmap");
  else if (!rmx__base64_decode(text, size, data, &size))
    status = rmx__part_fail(part, err, "\"precompiled_charsmap\" is not base64");
  else
    status = rmx__charsmap_read(c.charsmap, data, size, part->where, err);
  free(data);
  if (status == RMX_OK) return add(into, c, part, err);
  free(c.charsmap);
  return status;
}

static const rmx__part_type types[] = {
    {"BertNormalizer", read_bert},
    {"ByteLevel", read_byte_level},
    {"Lowercase", read_lowercase},
    {"NFC", read_form},
    {"NFD", read_form},
    {"NFKC", read_form},
    {"NFKD", read_form},
    {"Nmt", read_nmt},
    {"Precompiled", read_precompiled},
    {"Prepend", read_prepend},
    {"Replace", read_replace},
    {"Strip", read_strip},
    {"StripAccents", read_accents},
};

rmx_status rmx__normalizer_read(const json_t *root, const char *where, rmx__normalizer *out,
                                rmx_err *err) {
  return rmx__parts_read(root, "normalizer", "normalizers", types, sizeof types / sizeof *types,
                         where, out, err);
}

void rmx__normalizer_release(rmx__normalizer *n) {
  for (size_t i = 0; i < n->n; i++) release(&n->changes[i]);
  free(n->changes);
  *n = (rmx__normalizer){0};
}

rmx_status rmx__normalizer_run(const rmx__normalizer *n, const char *text, size_t size,
                               rmx_buf buffers[2], const char **out, size_t *out_size,
                               rmx_err *err) {
  int next = 0;
  for (size_t i = 0; i < n->n && size; i++) {
    rmx_buf *to = &buffers[next];
    bool same = false;
    to->size = 0;
    RMX_TRY(n->changes[i].run(&n->changes[i], text, size, to, &same, err));
    if (to->failed) return rmx_fail_memory(err, size, "the normal form of a text");
    if (same) continue;
    text = to->size ? to->data : "";
    size = to->size;
    next = !next;
  }
  *out = text;
  *out_size = size;
  return RMX_OK;
}
