// SPDX-License-Identifier: Apache-2.0
// A file of 200,000 tokens and 450,000 merges has 30 MB. A tree of it takes seconds to make and
// several hundred megabytes.
#include "model_lists.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "corpus/readers/json_scan.h"
#include "corpus/utf8.h"

struct cursor {
  const char *p, *end;
};

static void skip_blanks(struct cursor *c) {
  while (c->p < c->end && (*c->p == ' ' || *c->p == '\n' || *c->p == '\t' || *c->p == '\r')) c->p++;
}

static bool take(struct cursor *c, char wanted) {
  skip_blanks(c);
  if (c->p >= c->end || *c->p != wanted) return false;
  c->p++;
  return true;
}

// ---- strings ---------------------------------------------------------------------------

// Four hexadecimal digits at c->p; -1 if there are others.
static int32_t hexadecimal(struct cursor *c) {
  int32_t code = 0;
  if (c->end - c->p < 4) return -1;
  for (int i = 0; i < 4; i++) {
    const char digit = *c->p++, letter = (char)(digit | 0x20);
    if (digit >= '0' && digit <= '9')
      code = code << 4 | (digit - '0');
    else if (letter >= 'a' && letter <= 'f')
      code = code << 4 | (letter - 'a' + 10);
    else
      return -1;
  }
  return code;
}

static bool take_character(struct cursor *c, rmx_buf *out) {
  int32_t code = hexadecimal(c);
  if (code >= 0xD800 && code < 0xDC00 && c->end - c->p > 2 && c->p[0] == '\\' && c->p[1] == 'u') {
    c->p += 2;
    const int32_t low = hexadecimal(c);
    code = low >= 0xDC00 && low < 0xE000 ? 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00) : -1;
  }
  utf8proc_uint8_t utf8[4];
  if (code <= 0 || (code >= 0xD800 && code < 0xE000)) return false;
  rmx_buf_add(out, utf8, (size_t)utf8proc_encode_char(code, utf8));
  return true;
}

// Appends the string at c to `out`. False: it is not one that a strict reader takes.
static bool take_string(struct cursor *c, rmx_buf *out) {
  static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
  if (!take(c, '"')) return false;
  while (c->p < c->end) {
    const char *from = c->p;
    while (c->p < c->end && *c->p != '"' && *c->p != '\\' && (uint8_t)*c->p >= 0x20) c->p++;
    rmx_buf_add(out, from, (size_t)(c->p - from));
    if (c->end - c->p < 2) return false;
    if (*c->p == '"') {
      c->p++;
      return !out->failed;
    }
    if (*c->p != '\\') return false;
    const char *escape = memchr(escapes, c->p[1], sizeof escapes - 1);
    c->p += 2;
    if (escape)
      rmx_buf_add(out, meanings + (escape - escapes), 1);
    else if (c->p[-1] != 'u' || !take_character(c, out))
      return false;
  }
  return false;
}

// ---- the vocabulary ----------------------------------------------------------------------

static bool take_id(struct cursor *c, uint32_t *id) {
  uint32_t value = 0;
  skip_blanks(c);
  const char *from = c->p;
  for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++) {
    value = 10 * value + (uint32_t)(*c->p - '0');
    if (value >= RMX__MAX_TOKENS) return false;
  }
  *id = value;
  return c->p > from && (c->p == from + 1 || *from != '0');
}

static bool take_entry(struct cursor *c, rmx__model_lists *l) {
  if (l->n == l->capacity) {
    const size_t capacity = l->capacity ? 2 * l->capacity : 1 << 15;
    rmx__list_entry *entries = rmx_realloc(l->entries, capacity, sizeof *entries);
    if (!entries) return false;
    l->entries = entries;
    l->capacity = capacity;
  }
  rmx__list_entry *e = &l->entries[l->n];
  e->start = l->keys.size;
  if (!take_string(c, &l->keys) || !take(c, ':') || !take_id(c, &e->id)) return false;
  e->size = (uint32_t)(l->keys.size - e->start);
  l->n++;
  return true;
}

static bool is_key(const rmx__model_lists *l, const rmx__list_entry *e, const char *key,
                   size_t size) {
  return e->size == size && memcmp(l->keys.data + e->start, key, size) == 0;
}

// The slot of a key, or the free one where it belongs.
static uint64_t *slot_of(const rmx__model_lists *l, const char *key, size_t size, uint64_t hash) {
  size_t at = hash & l->mask;
  for (; l->slots[at]; at = (at + 1) & l->mask)
    if (l->slots[at] >> 32 == hash >> 32 &&
        is_key(l, &l->entries[(uint32_t)l->slots[at] - 1], key, size))
      break;
  return &l->slots[at];
}

// False: a key is there twice.
static bool index_keys(rmx__model_lists *l) {
  l->mask = 15;
  while (l->mask < 2 * l->n) l->mask = 2 * l->mask + 1;
  l->slots = rmx_calloc(l->mask + 1, sizeof *l->slots);
  for (size_t i = 0; l->slots && i < l->n; i++) {
    const char *key = l->keys.data + l->entries[i].start;
    const uint64_t hash = rmx_hash(key, l->entries[i].size, 0);
    uint64_t *slot = slot_of(l, key, l->entries[i].size, hash);
    if (*slot) return false;
    *slot = hash >> 32 << 32 | (i + 1);
  }
  return l->slots != NULL;
}

const rmx__list_entry *rmx__model_lists_find(const rmx__model_lists *l, const char *key,
                                             size_t size) {
  const uint64_t slot = *slot_of(l, key, size, rmx_hash(key, size, 0));
  return slot ? &l->entries[(uint32_t)slot - 1] : NULL;
}

static bool take_vocab(struct cursor c, rmx__model_lists *l) {
  if (!take(&c, '{')) return false;
  do {
    if (!take_entry(&c, l)) return false;
  } while (take(&c, ','));
  return take(&c, '}') && index_keys(l);
}

// ---- the merges ----------------------------------------------------------------------------

// "a b", or ["a", "b"]: the two parts without anything between them, and the size of the first.
static bool take_parts(struct cursor *c, rmx_buf *joined, size_t *first) {
  joined->size = 0;
  if (take(c, '[')) {
    if (!take_string(c, joined)) return false;
    *first = joined->size;
    return take(c, ',') && take_string(c, joined) && take(c, ']');
  }
  if (!take_string(c, joined)) return false;
  char *space = memchr(joined->data, ' ', joined->size);
  if (!space || memchr(space + 1, ' ', joined->size - (size_t)(space + 1 - joined->data)))
    return false;
  *first = (size_t)(space - joined->data);
  memmove(space, space + 1, joined->size - *first - 1);
  joined->size--;
  return true;
}

static bool take_merge(struct cursor *c, rmx__model_lists *l, rmx_buf *joined) {
  size_t first;
  if (!take_parts(c, joined, &first) || !first || first == joined->size) return false;
  const rmx__list_entry *a = rmx__model_lists_find(l, joined->data, first),
                        *b = rmx__model_lists_find(l, joined->data + first, joined->size - first),
                        *made = rmx__model_lists_find(l, joined->data, joined->size);
  if (!a || !b || !made) return false;
  if (l->nmerges == l->merges_capacity) {
    const size_t capacity = l->merges_capacity ? 2 * l->merges_capacity : 1 << 15;
    rmx__merge *merges = rmx_realloc(l->merges, capacity, sizeof *merges);
    if (!merges) return false;
    l->merges = merges;
    l->merges_capacity = capacity;
  }
  l->merges[l->nmerges++] = (rmx__merge){a->id, b->id, made->id};
  return true;
}

static bool take_merges(struct cursor c, rmx__model_lists *l) {
  if (!take(&c, '[')) return false;
  rmx_buf joined = {0};
  bool good = true;
  do good = take_merge(&c, l, &joined);
  while (good && take(&c, ','));
  rmx_buf_release(&joined);
  return good && take(&c, ']');
}

// ---- both ------------------------------------------------------------------------------------

static bool is_text(rmx__json_value v, const char *text) {
  return v.kind == RMX__JSON_STRING && (size_t)(v.to - v.from) == strlen(text) &&
         memcmp(v.from, text, strlen(text)) == 0;
}

static void put_rest(const char *text, size_t size, rmx__json_value first, rmx__json_value last,
                     rmx_buf *rest) {
  rmx_buf_add(rest, text, (size_t)(first.from - text));
  rmx_buf_puts(rest, first.kind == RMX__JSON_OBJECT ? "{}" : "[]");
  rmx_buf_add(rest, first.to, (size_t)(last.from - first.to));
  rmx_buf_puts(rest, last.kind == RMX__JSON_OBJECT ? "{}" : "[]");
  rmx_buf_add(rest, last.to, (size_t)(text + size - last.to));
}

bool rmx__model_lists_take(const char *text, size_t size, rmx__model_lists *out, rmx_buf *rest) {
  static const char *const paths[] = {"model.vocab", "model.merges", "model.type",
                                      "model.continuing_subword_prefix"};
  rmx__json_value found[4];
  rmx__json_look look = {0};
  if (!rmx__json_scan(text, size, paths, 4, found, &look)) return false;
  const rmx__json_value vocab = found[0], merges = found[1], type = found[2], prefix = found[3];
  if (vocab.kind != RMX__JSON_OBJECT || merges.kind != RMX__JSON_ARRAY ||
      (type.kind != RMX__JSON_NONE && !is_text(type, "BPE")) ||
      (prefix.kind > RMX__JSON_NULL && !is_text(prefix, "")) ||
      rmx__utf8_valid_prefix(text, size) != size)
    return false;
  if (!take_vocab((struct cursor){vocab.from, vocab.to}, out) ||
      !take_merges((struct cursor){merges.from, merges.to}, out))
    return false;
  if (vocab.from < merges.from)
    put_rest(text, size, vocab, merges, rest);
  else
    put_rest(text, size, merges, vocab, rest);
  return !rest->failed;
}

void rmx__model_lists_release(rmx__model_lists *l) {
  rmx_buf_release(&l->keys);
  free(l->entries);
  free(l->slots);
  free(l->merges);
  *l = (rmx__model_lists){0};
}
