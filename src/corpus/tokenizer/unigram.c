// SPDX-License-Identifier: Apache-2.0
// The best path is found from left to right (Viterbi). Where every path must pass, which in real
// text is after a few characters, what lies before is decided: its tokens are written and its nodes
// are used again. So memory stays small however long a word is.
#include "unigram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

// SentencePiece's penalty of an unknown character, below the worst score of all tokens.
#define UNKNOWN_PENALTY 10.0

// The best way to reach a byte of the text: the last token and where it starts.
struct rmx__lattice_node {
  double score;
  uint32_t id, from;  // from: offset after the last decided byte; NOWHERE: not reached
};
struct rmx__lattice_token {
  uint32_t id, size;
};
#define NOWHERE UINT32_MAX

// ---- making one ------------------------------------------------------------------------

static void find_bytes(rmx__unigram *u, const rmx__token_text *tokens, size_t n) {
  for (int b = 0; b < 256; b++) u->byte_id[b] = RMX__NO_TOKEN;
  for (size_t i = 0; i < n; i++) {
    if (tokens[i].size != 6 || memcmp(tokens[i].data, "<0x", 3) != 0) continue;
    for (unsigned b = 0; b < 256; b++) {
      char name[8];
      snprintf(name, sizeof name, "<0x%02X>", b);
      if (memcmp(tokens[i].data, name, 6) == 0) u->byte_id[b] = (uint32_t)i;
    }
  }
}

rmx_status rmx__unigram_make(rmx__unigram *u, const rmx__token_text *tokens, const double *scores,
                             const bool *include, size_t n, uint32_t unknown, bool byte_fallback,
                             rmx_err *err) {
  *u = (rmx__unigram){.scores = scores, .unknown = unknown};
  double worst = HUGE_VAL;
  for (size_t i = 0; i < n; i++)
    if (scores[i] < worst) worst = scores[i];
  u->unknown_score = worst - UNKNOWN_PENALTY;
  u->byte_fallback = byte_fallback;
  find_bytes(u, tokens, n);
  return rmx__double_array_make(&u->trie, tokens, include, n, err);
}

void rmx__unigram_release(rmx__unigram *u) {
  rmx__double_array_release(&u->trie);
}

void rmx__lattice_release(rmx__lattice *l) {
  free(l->nodes);
  free(l->path);
  *l = (rmx__lattice){0};
}

// ---- the lattice -----------------------------------------------------------------------

static bool reserve(rmx__lattice *l, size_t n) {
  if (n <= l->capacity) return true;
  size_t capacity = l->capacity ? l->capacity : 256;
  while (capacity < n) capacity *= 2;
  if (capacity >= NOWHERE) return false;
  struct rmx__lattice_node *nodes = rmx_realloc(l->nodes, capacity, sizeof *nodes);
  if (nodes) l->nodes = nodes;
  struct rmx__lattice_token *path = rmx_realloc(l->path, capacity, sizeof *path);
  if (path) l->path = path;
  if (!nodes || !path) return false;
  for (size_t i = l->capacity; i < capacity; i++) nodes[i].from = NOWHERE;
  l->capacity = capacity;
  return true;
}

static void offer(struct rmx__lattice_node *to, double score, uint32_t id, size_t from) {
  if (to->from == NOWHERE || score > to->score)
    *to = (struct rmx__lattice_node){score, id, (uint32_t)from};
}

static size_t character(const rmx__unigram *u, const char *p, const char *end) {
  if (u->bytes || (uint8_t)*p < 128) return 1;
  utf8proc_int32_t code;
  const utf8proc_ssize_t n =
      utf8proc_iterate((const utf8proc_uint8_t *)p, end - p < 4 ? end - p : 4, &code);
  return n > 0 && code >= 0 ? (size_t)n : 1;
}

// Offers all tokens that start at text + at, whose character has `length` bytes, and the unknown
// one. *reach: the furthest byte that a token reaches. False: memory is short.
static bool extend(const rmx__unigram *u, rmx__lattice *l, const char *text, size_t at, size_t size,
                   size_t length, size_t *reach) {
  const double score = l->nodes[at].score;
  uint32_t node = 0;
  bool single = false;
  for (size_t i = at; i < size && rmx__double_array_step(&u->trie, &node, text[i]); i++) {
    const uint32_t id = u->trie.nodes[node].value;
    if (id == RMX__NO_TOKEN) continue;
    if (!reserve(l, i + 2)) return false;
    offer(&l->nodes[i + 1], score + u->scores[id], id, at);
    if (i + 1 > *reach) *reach = i + 1;
    single |= i + 1 == at + length;
  }
  if (single) return true;
  if (!reserve(l, at + length + 1)) return false;
  offer(&l->nodes[at + length], score + u->unknown_score, u->unknown, at);
  if (at + length > *reach) *reach = at + length;
  return true;
}

// ---- the tokens of the best path -------------------------------------------------------

static bool put(rmx_tokens *out, uint32_t id) {
  if (!rmx__tokens_reserve(out, 1)) return false;
  out->ids[out->n++] = id;
  return true;
}

// A run of unknown characters. Together they may be a token that no path used. They become bytes if
// all of these are tokens.
static bool put_unknown(const rmx__unigram *u, const char *text, size_t size, rmx_tokens *out) {
  const uint32_t id = rmx__double_array_find(&u->trie, text, size);
  if (id != RMX__NO_TOKEN) return put(out, id);
  bool bytes = u->byte_fallback;
  for (size_t i = 0; i < size && bytes; i++) bytes = u->byte_id[(uint8_t)text[i]] != RMX__NO_TOKEN;
  if (!bytes) return put(out, u->unknown);
  for (size_t i = 0; i < size; i++)
    if (!put(out, u->byte_id[(uint8_t)text[i]])) return false;
  return true;
}

// Writes the tokens of the first `size` bytes, and makes their nodes fit for use again. *unknown is
// the length of the run of unknown characters that ends here.
static bool decide(const rmx__unigram *u, rmx__lattice *l, const char *text, size_t size,
                   size_t *unknown, rmx_tokens *out) {
  size_t n = 0;
  for (size_t at = size; at > 0; at = l->nodes[at].from)
    l->path[n++] = (struct rmx__lattice_token){l->nodes[at].id, (uint32_t)(at - l->nodes[at].from)};
  for (size_t at = 0; at <= size; at++) l->nodes[at].from = NOWHERE;
  while (n) {
    const struct rmx__lattice_token token = l->path[--n];
    if (token.id == u->unknown) {
      *unknown += token.size;
    } else {
      if (*unknown && !put_unknown(u, text - *unknown, *unknown, out)) return false;
      if (!put(out, token.id)) return false;
      *unknown = 0;
    }
    text += token.size;
  }
  return true;
}

bool rmx__unigram_encode(const rmx__unigram *u, rmx__lattice *l, const char *text, size_t size,
                         rmx_tokens *out) {
  size_t at = 0, reach = 0, unknown = 0;
  if (!reserve(l, 1)) return false;
  l->nodes[0].score = 0;
  while (at < size) {
    const size_t length = character(u, text + at, text + size);
    if (!extend(u, l, text, at, size, length, &reach)) return false;
    at += length;
    if (at < reach) continue;
    // All paths pass here.
    const double score = l->nodes[at].score;
    if (!decide(u, l, text, at, &unknown, out)) return false;
    text += at;
    size -= at;
    at = reach = 0;
    l->nodes[0].score = score;
  }
  return !unknown || put_unknown(u, text - unknown, unknown, out);
}
