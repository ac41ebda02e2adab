// SPDX-License-Identifier: Apache-2.0
// Scanners of known patterns. Each gives what PCRE2 gives for its pattern, and is many times as
// fast. They read each byte once or twice and need no stack.
//
// The patterns have parts in common, and so have the scanners. The last part of most is
//
//    ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
//
// for signs and white space.
#include "scanners.h"

#include <string.h>

#include "corpus/category.h"

#define ENGLISH "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define SPACES "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

// The category of the character at p, in valid UTF-8, and its size.
static inline size_t look(const char *p, unsigned *category) {
  const uint8_t *b = (const uint8_t *)p;
  if (b[0] < 0x80) {
    *category = rmx__ascii_category[b[0]];
    return 1;
  }
  if (b[0] < 0xE0) {
    *category = rmx__category((b[0] & 0x1F) << 6 | (b[1] & 0x3F));
    return 2;
  }
  if (b[0] < 0xF0) {
    *category = rmx__category((b[0] & 0x0F) << 12 | (b[1] & 0x3F) << 6 | (b[2] & 0x3F));
    return 3;
  }
  *category =
      rmx__category((b[0] & 0x07) << 18 | (b[1] & 0x3F) << 12 | (b[2] & 0x3F) << 6 | (b[3] & 0x3F));
  return 4;
}

// Whether a character of these categories is at p.
static inline bool is(const char *p, const char *end, unsigned categories) {
  unsigned category;
  if (p >= end) return false;
  look(p, &category);
  return category & categories;
}

// Where a run of characters of these categories ends.
static inline const char *skip(const char *p, const char *end, unsigned categories) {
  unsigned category;
  while (p < end) {
    const size_t n = look(p, &category);
    if (!(category & categories)) break;
    p += n;
  }
  return p;
}

// The same for characters that are not of these categories.
static inline const char *skip_others(const char *p, const char *end, unsigned categories) {
  unsigned category;
  while (p < end) {
    const size_t n = look(p, &category);
    if (category & categories) break;
    p += n;
  }
  return p;
}

// 's|'t|'re|'ve|'m|'ll|'d at p
static size_t small_contraction(const char *p, const char *end) {
  if (end - p < 2 || *p != '\'') return 0;
  if (memchr("stmd", p[1], 4)) return 2;
  const bool three =
      end - p > 2 && ((memchr("rv", p[1], 2) && p[2] == 'e') || (p[1] == 'l' && p[2] == 'l'));
  return three ? 3 : 0;
}

// ENGLISH at p: the same in capital letters, too. U+017F is an s.
static size_t contraction(const char *p, const char *end) {
  if (end - p < 2 || *p != '\'') return 0;
  if (memchr("sStTmMdD", p[1], 8)) return 2;
  if (end - p < 3) return 0;
  if (memcmp(p + 1, "\xC5\xBF", 2) == 0) return 3;
  const char first = p[1] | 0x20, second = p[2] | 0x20;
  return ((first == 'r' || first == 'v') && second == 'e') || (first == 'l' && second == 'l') ? 3
                                                                                              : 0;
}

// \p{N}{1,most}
static const char *digits(const char *p, const char *end, int most) {
  unsigned category;
  for (int i = 0; i < most && p < end; i++) {
    const size_t n = look(p, &category);
    if (!(category & RMX__DIGIT)) break;
    p += n;
  }
  return p;
}

// \s+(?!\S)|\s+ at p, where white space is; with `newlines` before that \s*[\r\n]+
static const char *spaces(const char *p, const char *end, bool newlines) {
  const char *at = p, *last = p, *after_newline = NULL;
  unsigned category;
  while (at < end) {
    const size_t n = look(at, &category);
    if (!(category & RMX__SPACES)) break;
    last = at;
    at += n;
    if (newlines && category & RMX__NEWLINE) after_newline = at;
  }
  if (after_newline) return after_newline;
  // White space at the end of the text is one word. Before other text its last character is left
  // over, because it may belong to the next word. A single character is a word.
  return at >= end || last == p ? at : last;
}

//  ?[^\s\p{L}\p{N}]+[\r\n]* at p, or spaces(). slash: [\r\n/]*
static const char *signs_or_spaces(const char *p, const char *end, bool slash) {
  const unsigned others = RMX__SPACES | RMX__LETTERS | RMX__DIGIT;
  const char *at = p + (*p == ' '), *after = skip_others(at, end, others);
  if (after == at) return spaces(p, end, true);
  while (after < end && (*after == '\r' || *after == '\n' || (slash && *after == '/'))) after++;
  return after;
}

// ---- GPT-2 ----------------------------------------------------------------------------

#define GPT2_PATTERN \
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
const char rmx__gpt2_pattern[] = GPT2_PATTERN;

static size_t scan_gpt2(const char *text, size_t size, size_t from, size_t *start) {
  const char *p = text + from, *end = text + size, *word = p + (*p == ' ');
  const size_t english = small_contraction(p, end);
  *start = from;
  if (english) return from + english;
  unsigned category = RMX__SPACES;
  if (word < end) look(word, &category);
  if (category & RMX__LETTERS) return (size_t)(skip(word, end, RMX__LETTERS) - text);
  if (category & RMX__DIGIT) return (size_t)(skip(word, end, RMX__DIGIT) - text);
  if (category & RMX__SPACES) return (size_t)(spaces(p, end, false) - text);
  return (size_t)(skip_others(word, end, RMX__LETTERS | RMX__DIGIT | RMX__SPACES) - text);
}

// ---- GPT-3.5, Llama 3, Qwen 2 ------------------------------------------------------

#define LETTERS_PATTERN(digits) \
  ENGLISH "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" digits "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" SPACES

static inline size_t letters(const char *text, size_t size, size_t from, int most_digits) {
  const char *p = text + from, *end = text + size;
  const size_t english = contraction(p, end);
  if (english) return from + english;
  unsigned category;
  const char *after = p + look(p, &category);
  if (category & RMX__DIGIT) return (size_t)(digits(p, end, most_digits) - text);
  if (category & RMX__LETTERS || (!(category & RMX__NEWLINE) && is(after, end, RMX__LETTERS)))
    return (size_t)(skip(after, end, RMX__LETTERS) - text);
  return (size_t)(signs_or_spaces(p, end, false) - text);
}

static size_t scan_gpt4(const char *text, size_t size, size_t from, size_t *start) {
  *start = from;
  return letters(text, size, from, 3);
}

static size_t scan_qwen2(const char *text, size_t size, size_t from, size_t *start) {
  *start = from;
  return letters(text, size, from, 1);
}

// ---- GPT-4o, Llama 4, Mistral's tekken ------------------------------------------------

#define CAPITALS "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define SMALLS "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define CASES_PATTERN(english, digits)                                                        \
  "[^\\r\\n\\p{L}\\p{N}]?" CAPITALS "*" SMALLS "+" english "|[^\\r\\n\\p{L}\\p{N}]?" CAPITALS \
  "+" SMALLS "*" english "|" digits "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" SPACES

enum {
  CAPITAL = RMX__UPPER | RMX__CASELESS | RMX__MARK,
  SMALL = RMX__LOWER | RMX__CASELESS | RMX__MARK,
};

// CAPITALS*SMALLS+ at p. NULL: no match.
static const char *capitals_smalls(const char *p, const char *end) {
  const char *small = NULL;  // the end of the last character that can be a small one
  unsigned category;
  while (p < end) {
    const size_t n = look(p, &category);
    if (!(category & CAPITAL)) break;
    p += n;
    if (category & SMALL) small = p;
  }
  const char *after = skip(p, end, SMALL);
  return after > p ? after : small;
}

// CAPITALS+SMALLS* at p, where capitals_smalls() has no match.
static const char *capitals(const char *p, const char *end) {
  const char *after = skip(p, end, CAPITAL);
  return after > p ? after : NULL;
}

static inline size_t cases(const char *text, size_t size, size_t from, bool english,
                           int most_digits) {
  const char *p = text + from, *end = text + size, *word = NULL;
  unsigned category;
  const char *after = p + look(p, &category);
  if (category & RMX__DIGIT) return (size_t)(digits(p, end, most_digits) - text);
  const bool prefix = !(category & (RMX__NEWLINE | RMX__LETTERS));
  if (prefix) word = capitals_smalls(after, end);
  if (!word) word = capitals_smalls(p, end);
  if (!word && prefix) word = capitals(after, end);
  if (!word) word = capitals(p, end);
  if (word) return (size_t)(word - text) + (english ? contraction(word, end) : 0);
  return (size_t)(signs_or_spaces(p, end, true) - text);
}

static size_t scan_gpt4o(const char *text, size_t size, size_t from, size_t *start) {
  *start = from;
  return cases(text, size, from, true, 3);
}

static size_t scan_tekken(const char *text, size_t size, size_t from, size_t *start) {
  *start = from;
  return cases(text, size, from, false, 1);
}

// ---- DeepSeek: three patterns, one after the other --------------------------------------

#define DEEPSEEK_PATTERN                                  \
  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+" \
  "|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| "          \
  "?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"

static bool is_english(char c) {
  return (uint8_t)((c | 0x20) - 'a') < 26;
}

// A match at p. NULL: there is none.
static const char *deepseek(const char *p, const char *end) {
  const unsigned letters = RMX__LETTERS | RMX__MARK;
  unsigned category;
  const char *after = p + look(p, &category);
  if (category & RMX__SIGN && (uint8_t)*p < 128 && after < end && is_english(*after)) {
    while (after < end && is_english(*after)) after++;
    return after;
  }
  if (category & letters || (!(category & (RMX__NEWLINE | RMX__SIGN)) && is(after, end, letters)))
    return skip(after, end, letters);
  const char *sign = p + (*p == ' ');
  after = skip(sign, end, RMX__SIGN);
  if (after > sign) {
    while (after < end && (*after == '\r' || *after == '\n')) after++;
    return after;
  }
  return category & RMX__SPACES ? spaces(p, end, true) : NULL;
}

static size_t scan_deepseek(const char *text, size_t size, size_t from, size_t *start) {
  unsigned category;
  for (const char *p = text + from, *end = text + size; p < end; p += look(p, &category)) {
    const char *after = deepseek(p, end);
    *start = (size_t)(p - text);
    if (after) return (size_t)(after - text);
  }
  return 0;
}

static size_t scan_digits(const char *text, size_t size, size_t from, size_t *start) {
  const char *end = text + size, *p = skip_others(text + from, end, RMX__DIGIT);
  *start = (size_t)(p - text);
  return p < end ? (size_t)(digits(p, end, 3) - text) : 0;
}

// [一-龥぀-ゟ゠-ヿ]: three bytes, U+3040 to U+30FF and U+4E00 to U+9FA5
static bool is_east_asian(const char *p) {
  const uint8_t *b = (const uint8_t *)p;
  if (b[0] < 0xE3 || b[0] > 0xE9) return false;
  const int32_t code = (b[0] & 0x0F) << 12 | (b[1] & 0x3F) << 6 | (b[2] & 0x3F);
  return (code >= 0x3040 && code <= 0x30FF) || (code >= 0x4E00 && code <= 0x9FA5);
}

static size_t scan_east_asian(const char *text, size_t size, size_t from, size_t *start) {
  const char *p = text + from, *end = text + size;
  // only first bytes of three-byte characters pass
  while (p < end && !is_east_asian(p)) p++;
  *start = (size_t)(p - text);
  while (p < end && is_east_asian(p)) p += 3;
  return p > text + *start ? (size_t)(p - text) : 0;
}

// ---- the table -----------------------------------------------------------------------------

const rmx__known_pattern rmx__known_patterns[] = {
    {GPT2_PATTERN, scan_gpt2, true},
    {LETTERS_PATTERN("\\p{N}{1,3}"), scan_gpt4, true},  // Llama 3, OLMo 2, Phi-4, too
    {LETTERS_PATTERN("\\p{N}"), scan_qwen2, true},
    {CASES_PATTERN(ENGLISH "?", "\\p{N}{1,3}"), scan_gpt4o, true},  // gpt-oss, Llama 4, too
    {CASES_PATTERN("", "\\p{N}"), scan_tekken, true},
    {DEEPSEEK_PATTERN, scan_deepseek, false},
    {"\\p{N}{1,3}", scan_digits, false},
    {"[一-龥぀-ゟ゠-ヿ]+", scan_east_asian, false},
};
const size_t rmx__known_patterns_n = sizeof rmx__known_patterns / sizeof *rmx__known_patterns;

const rmx__known_pattern *rmx__known_pattern_of(const char *regex) {
  for (size_t i = 0; i < rmx__known_patterns_n; i++)
    if (strcmp(rmx__known_patterns[i].regex, regex) == 0) return &rmx__known_patterns[i];
  return NULL;
}
