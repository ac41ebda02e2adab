// SPDX-License-Identifier: Apache-2.0
// Finds added tokens as Hugging Face's library does: from the left, the longest one at each place.
#include "added_tokens.h"

#include <stdlib.h>
#include <string.h>

#include "characters.h"

rmx_status rmx__added_tokens_add(rmx__added_tokens *a, rmx__added_token token, rmx_err *err) {
  if (a->n % 64 == 0) {
    rmx__added_token *tokens = rmx_realloc(a->tokens, a->n + 64, sizeof *tokens);
    if (!tokens) return rmx_fail_memory(err, a->n * sizeof *tokens, "added tokens");
    a->tokens = tokens;
  }
  token.text = rmx_strdup(token.text);
  if (!token.text) return rmx_fail_memory(err, token.size, "an added token");
  a->tokens[a->n++] = token;
  return RMX_OK;
}

void rmx__added_tokens_release(rmx__added_tokens *a) {
  for (size_t i = 0; i < a->n; i++) {
    free(a->tokens[i].text);
    free(a->tokens[i].normal);
  }
  free(a->tokens);
  free(a->raw.nodes);
  free(a->normal.nodes);
  *a = (rmx__added_tokens){0};
}

const char *rmx__added_normal(const rmx__added_tokens *a, uint32_t id) {
  for (size_t i = 0; a->any_normal && i < a->n; i++)
    if (a->tokens[i].id == id) return a->tokens[i].normal;
  return NULL;
}

// ---- the trees -------------------------------------------------------------------------

static uint32_t new_node(rmx__trie *t, uint8_t byte, uint32_t sibling) {
  if (t->n == t->capacity) {
    size_t capacity = t->capacity ? 2 * t->capacity : 256;
    rmx__trie_node *nodes = rmx_realloc(t->nodes, capacity, sizeof *nodes);
    if (!nodes) return 0;
    t->nodes = nodes;
    t->capacity = capacity;
  }
  if (t->n == 0) t->n = 1;  // node 0 is no node
  t->nodes[t->n] = (rmx__trie_node){.byte = byte, .sibling = sibling};
  return (uint32_t)t->n++;
}

static uint32_t child_of(const rmx__trie *t, uint32_t node, uint8_t byte) {
  uint32_t child = t->nodes[node].child;
  while (child && t->nodes[child].byte != byte) child = t->nodes[child].sibling;
  return child;
}

static bool insert(rmx__trie *t, const char *text, size_t size, uint32_t token) {
  uint8_t byte = (uint8_t)text[0];
  uint32_t node = t->first[byte];
  if (!node && !(node = t->first[byte] = new_node(t, byte, 0))) return false;
  for (int b = 0; b < 256; b++) {
    const unsigned pair = (uint8_t)text[0] << 8 | b;
    if (size == 1 || (uint8_t)text[1] == b) t->pairs[pair / 8] |= 1u << pair % 8;
  }
  for (size_t i = 1; i < size; i++) {
    byte = (uint8_t)text[i];
    uint32_t next = child_of(t, node, byte);
    if (!next) {
      next = new_node(t, byte, t->nodes[node].child);
      if (!next) return false;
      t->nodes[node].child = next;
    }
    node = next;
  }
  t->nodes[node].token = token + 1;
  return true;
}

static rmx_status keep_normal(rmx__added_tokens *a, size_t i, const char *text, size_t size,
                              rmx_err *err) {
  rmx__added_token *token = &a->tokens[i];
  if (size == token->size && memcmp(text, token->text, size) == 0) return RMX_OK;
  token->normal = rmx_format("%.*s", (int)size, text);
  a->any_normal = true;
  return token->normal ? RMX_OK : rmx_fail_memory(err, size, "an added token");
}

rmx_status rmx__added_tokens_index(rmx__added_tokens *a, const rmx__normalizer *n,
                                   const uint8_t *kind, rmx_err *err) {
  rmx_buf buffers[2] = {{0}, {0}};
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < a->n && status == RMX_OK; i++) {
    const char *text = a->tokens[i].text;
    size_t size = a->tokens[i].size;
    if (a->tokens[i].normalized)
      status = rmx__normalizer_run(n, text, size, buffers, &text, &size, err);
    if (a->tokens[i].normalized && status == RMX_OK) status = keep_normal(a, i, text, size, err);
    rmx__trie *trie = a->tokens[i].normalized ? &a->normal : &a->raw;
    if (kind[a->tokens[i].id] != RMX__TOKEN_SPECIAL) trie->any_plain = true;
    if (status == RMX_OK && size && !insert(trie, text, size, (uint32_t)i))
      status = rmx_fail_memory(err, size, "added tokens");
  }
  rmx_buf_release(&buffers[0]);
  rmx_buf_release(&buffers[1]);
  return status;
}

// ---- looking for them --------------------------------------------------------------------

// The longest token at `at` that may be recognised, and its end.
static const rmx__added_token *longest_at(const rmx__added_search *s, size_t at, size_t *end) {
  const rmx__added_token *found = NULL;
  for (uint32_t node = s->trie->first[(uint8_t)s->text[at]]; node;) {
    uint32_t token = s->trie->nodes[node].token;
    at++;
    if (token && (s->specials || s->kind[s->tokens->tokens[token - 1].id] != RMX__TOKEN_SPECIAL)) {
      found = &s->tokens->tokens[token - 1];
      *end = at;
    }
    node = at < s->size ? child_of(s->trie, node, (uint8_t)s->text[at]) : 0;
  }
  return found;
}

static bool word_before(const char *text, size_t at) {
  if (at == 0) return false;
  size_t from = at - 1;
  while (from > 0 && ((uint8_t)text[from] & 0xC0) == 0x80) from--;
  int32_t code;
  rmx__character(text + from, text + at, &code);
  return rmx__is_word(code);
}

static bool word_after(const char *text, size_t size, size_t at) {
  int32_t code;
  if (at >= size) return false;
  rmx__character(text + at, text + size, &code);
  return rmx__is_word(code);
}

static size_t space_before(const char *text, size_t at) {
  for (size_t from = at; from > 0; at = from) {
    do from--;
    while (from > 0 && ((uint8_t)text[from] & 0xC0) == 0x80);
    int32_t code;
    rmx__character(text + from, text + at, &code);
    if (!rmx__is_whitespace(code)) break;
  }
  return at;
}

static size_t space_after(const char *text, size_t size, size_t at) {
  int32_t code;
  for (size_t n; at < size; at += n) {
    n = rmx__character(text + at, text + size, &code);
    if (!rmx__is_whitespace(code)) break;
  }
  return at;
}

// The next place where a token can start, or the last byte.
static size_t skip_others(const rmx__trie *t, const char *text, size_t size, size_t at) {
  const uint8_t *p = (const uint8_t *)text;
  for (; at + 1 < size; at++) {
    const unsigned pair = p[at] << 8 | p[at + 1];
    if (t->pairs[pair / 8] >> pair % 8 & 1) break;
  }
  return at;
}

// Finds the next token at or after s->at: its start and end in the text, as they were written.
static const rmx__added_token *find(rmx__added_search *s, size_t *start, size_t *end) {
  const rmx__trie *t = s->trie;
  for (; s->at < s->size; s->at++) {
    s->at = skip_others(t, s->text, s->size, s->at);
    if (!t->first[(uint8_t)s->text[s->at]]) continue;
    const rmx__added_token *token = longest_at(s, s->at, end);
    if (!token) continue;
    *start = s->at;
    if (!token->single_word ||
        (!word_before(s->text, *start) && !word_after(s->text, s->size, *end)))
      return token;
    s->at = *end - 1;
  }
  return NULL;
}

// Finds the next token and what it covers with the white space beside it. A token that only covers
// what the one before it took already is left out, as in Hugging Face's library.
static void find_covered(rmx__added_search *s, size_t *start) {
  size_t stop = 0;
  while ((s->found = find(s, start, &stop))) {
    s->at = stop;
    if (s->found->lstrip) *start = space_before(s->text, *start);
    if (s->found->lstrip && *start < s->from) *start = s->from;
    if (s->found->rstrip) stop = space_after(s->text, s->size, stop);
    s->found_end = stop;
    if (*start < stop) return;
  }
}

bool rmx__added_next(rmx__added_search *s, size_t *start, size_t *end, uint32_t *id) {
  *id = RMX__NO_TOKEN;
  *start = s->from;
  if (!s->found && (s->specials ? s->trie->n > 0 : s->trie->any_plain)) {
    find_covered(s, end);
    if (s->found && s->from < *end) return true;
  }
  if (s->found) {
    *id = s->found->id;
    *end = s->from = s->found_end;
    s->found = NULL;
    return true;
  }
  *end = s->from = s->size;
  return *start < *end;
}
