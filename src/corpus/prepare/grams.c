// SPDX-License-Identifier: Apache-2.0
// With h_i the hashes of the words, the hash of n words is sum h_i P^(n-1-i) mod 2^64. It can be
// updated by one word in constant time. The hash of a word is computed with each of its bytes, so
// a text is looked at once.
#include "grams.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "corpus/utf8.h"

#define P 0x9E3779B97F4A7C15u
#define Q 0xD6E8FEB86659FD93u  // of words

bool rmx__grams_init(rmx__grams *g, size_t n) {
  *g = (rmx__grams){n, 1, rmx_calloc(n, sizeof *g->ring), rmx_calloc(n, sizeof *g->starts)};
  for (size_t i = 0; i < n; i++) g->power *= P;
  return g->ring && g->starts;
}

void rmx__grams_release(rmx__grams *g) {
  free(g->ring);
  free(g->starts);
}

// ASCII letters and digits in lower case; 0: another byte.
static const uint8_t lower[256] = {
    ['0'] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ['A'] = 'a', 'b', 'c',
    'd',         'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n',         'o', 'p',
    'q',         'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', ['a'] = 'a', 'b', 'c',
    'd',         'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n',         'o', 'p',
    'q',         'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
};

static inline uint64_t add_byte(uint64_t h, uint8_t byte) {
  return (h ^ byte) * Q;
}

// Whether a letter or digit is of a script that is written without spaces between words. Each of
// these is a word.
static bool is_alone(int32_t code) {
  static const struct {
    int32_t first, last;
  } ranges[] = {
      {0x0E00, 0x0EFF},    // Thai, Lao
      {0x1000, 0x109F},    // Burmese
      {0x1780, 0x17FF},    // Khmer
      {0x1950, 0x1AAF},    // Tai Le, New Tai Lue, Buginese, Tai Tham
      {0x1B00, 0x1B7F},    // Balinese
      {0x3005, 0x312F},    // marks of Chinese and Japanese, Hiragana, Katakana, Bopomofo
      {0x31A0, 0x31FF},    // more of these
      {0x3400, 0xA4CF},    // Chinese, Yi
      {0xA500, 0xA63F},    // Vai
      {0xA980, 0xA9FF},    // Javanese, more Burmese
      {0xAA60, 0xAADF},    // more Burmese, Tai Viet
      {0xF900, 0xFAFF},    // Chinese
      {0xFF66, 0xFF9F},    // narrow Katakana
      {0x12000, 0x1467F},  // cuneiform, hieroglyphs
      {0x17000, 0x1B2FF},  // Tangut, more Japanese, Nushu
      {0x20000, 0x3FFFF},  // Chinese
  };
  for (size_t i = 0; code >= ranges[0].first && i < sizeof ranges / sizeof *ranges; i++)
    if (code >= ranges[i].first && code <= ranges[i].last) return true;
  return false;
}

// Adds a character that is not ASCII; false: it is not part of this word. *size: its bytes. *alone:
// it is a word; then it is only added if it is the first.
static bool add_character(const char *at, const char *end, size_t *size, uint64_t *h, bool first,
                          bool *alone) {
  rmx__class class;
  int32_t code;
  *size = rmx__utf8_next(at, end, &code, &class);
  if (class != RMX__LETTER && class != RMX__NUMBER) return false;
  *alone = is_alone(code);
  if (*alone && !first) return false;
  utf8proc_uint8_t bytes[4];
  const size_t n = (size_t)utf8proc_encode_char(utf8proc_tolower(code), bytes);
  for (size_t i = 0; i < n; i++) *h = add_byte(*h, bytes[i]);
  return true;
}

// Reads one word from *at on; false at the end of the text.
static inline bool next_word(const char **at, const char *end, const char **start, uint64_t *hash) {
  const char *p = *at;
  size_t size;
  uint64_t h = Q;
  bool alone = false;
  for (;; p += size) {  // to the first character of a word
    if (p == end) return *at = p, false;
    size = 1;
    if (lower[(uint8_t)*p]) break;
    if ((uint8_t)*p < 0x80) continue;
    if (add_character(p, end, &size, &h, true, &alone)) break;
  }
  *start = p;
  if ((uint8_t)*p >= 0x80) p += size;
  while (p < end && !alone) {
    const uint8_t c = lower[(uint8_t)*p];
    if (c) {
      h = add_byte(h, c);
      p++;
      continue;
    }
    if ((uint8_t)*p < 0x80 || !add_character(p, end, &size, &h, false, &alone)) break;
    p += size;
  }
  *at = p;
  *hash = h ^ h >> 29;
  return true;
}

void rmx__grams_walk(rmx__grams *g, const char *text, size_t size, const rmx__gram_filter *filter,
                     rmx__gram_visit *each, void *context) {
  const char *at = text, *end = text + size, *start = text;
  uint64_t gram = 0, h;
  size_t i = 0;
  bool full = false;
  while (next_word(&at, end, &start, &h)) {
    gram = gram * P + h - (full ? g->power * g->ring[i] : 0);
    g->ring[i] = h;
    g->starts[i] = start;
    if (++i == g->n) i = 0, full = true;
    if (!full) continue;
    // The last multiplication leaves good high bits and poor low ones, but the set uses the low
    // ones.
    const uint64_t mixed = gram ^ gram >> 32;
    const uint64_t bit = filter->bits ? rmx__gram_bit(filter, mixed) : 0;
    if (filter->bits && !(filter->bits[bit / 8] & 1u << bit % 8)) continue;
    if (!each(context, mixed, g->starts[i], at)) return;
  }
}
