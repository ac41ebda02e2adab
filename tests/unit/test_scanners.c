// SPDX-License-Identifier: Apache-2.0
// The scanners of known patterns, held against PCRE2: on random text, and on every character in
// several contexts. Characters that PCRE2's Unicode tables, which may be older, put elsewhere are
// left out.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <utf8proc.h>

#include "corpus/category.h"
#include "corpus/tokenizer/scanners.h"
#include "testing.h"

static pcre2_code *compiled(const char *regex) {
  int code;
  PCRE2_SIZE at;
  pcre2_code *p = pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP,
                                &code, &at, NULL);
  ck_assert_msg(p != NULL, "%s: error at %zu", regex, at);
  pcre2_jit_compile(p, PCRE2_JIT_COMPLETE);
  return p;
}

// All matches of one pattern in a text are the same.
static void check_matches(const rmx__known_pattern *known, const pcre2_code *code,
                          pcre2_match_data *match, const char *text, size_t size) {
  const PCRE2_SIZE *range = pcre2_get_ovector_pointer(match);
  for (size_t from = 0; from < size;) {
    const int found = pcre2_match(code, (PCRE2_SPTR)text, size, from, 0, match, NULL);
    size_t start = 0;
    const size_t end = known->scan(text, size, from, &start);
    const bool same = found < 0 ? end == 0 : end == range[1] && start == range[0];
    if (!same) {
      rmx_buf shown = {0};
      rmx_put_quoted(&shown, text);
      ck_abort_msg("%s\nfrom %zu of %s: found %zu to %zu; wanted %zu to %zu", known->regex, from,
                   shown.data, start, end, found < 0 ? 0 : range[0], found < 0 ? 0 : range[1]);
    }
    ck_assert(!known->all || start == from);
    if (end == 0) return;
    from = end;
  }
}

static bool agrees(const pcre2_code *classes, pcre2_match_data *match, const char *utf8,
                   size_t size, int32_t code) {
  static const uint8_t of_group[] = {RMX__UPPER, RMX__LOWER, RMX__CASELESS, RMX__MARK,
                                     RMX__DIGIT, RMX__SIGN,  RMX__SPACES};
  const int found = pcre2_match(classes, (PCRE2_SPTR)utf8, size, 0, 0, match, NULL);
  const uint8_t ours = rmx__category(code), theirs = found > 1 ? of_group[found - 2] : 0;
  return ours ? ours & theirs : !theirs;
}

// Marks the characters that PCRE2 sees as we do, and returns how many it does not.
static size_t same_category(bool *same) {
  pcre2_code *classes = compiled(
      "([\\p{Lu}\\p{Lt}])|(\\p{Ll})|([\\p{Lm}\\p{Lo}])|(\\p{M})|(\\p{N})|([\\p{P}\\p{S}])|"
      "(\\s)");
  pcre2_match_data *match = pcre2_match_data_create_from_pattern(classes, NULL);
  size_t differ = 0;
  for (int32_t code = 0; code < 0x110000; code++) {
    utf8proc_uint8_t utf8[4];
    if (code >= 0xD800 && code <= 0xDFFF) continue;
    const size_t n = (size_t)utf8proc_encode_char(code, utf8);
    same[code] = agrees(classes, match, (const char *)utf8, n, code);
    differ += !same[code];
  }
  pcre2_match_data_free(match);
  pcre2_code_free(classes);
  return differ;
}

START_TEST(categories_are_those_of_pcre2) {
  static bool same[0x110000];
  const size_t differ = same_category(same);
  // U+180E, and what PCRE2 10.42 (Unicode 14) does not know
  ck_assert_uint_le(differ, 12000);
  for (int32_t code = 0; code < 0x800; code++) ck_assert_msg(same[code], "U+%04X", (unsigned)code);
  ck_assert_uint_eq(rmx__category(0x180E), 0);
  ck_assert_uint_eq(rmx__category(0x2EE5D), RMX__CASELESS);  // of Unicode 15.1
  ck_assert_uint_eq(rmx__category(0x10D40), RMX__DIGIT);     // of Unicode 16
  ck_assert_uint_eq(rmx__category(0x10D8E), RMX__SIGN);
  ck_assert_uint_eq(rmx__category(0x10FFFF), 0);
}
END_TEST

// Of the long runs of one category each pattern gets the ends, and others of what is between. A
// pattern that names a character itself (龥) gets those beside it.
static bool is_tried(int32_t code, size_t pattern) {
  const size_t between = FEW_CASES ? 509 : 61;
  if (code < 0x3400 || (size_t)code % between == pattern) return true;
  if (code >= 0x9FA0 && code < 0x9FB0) return true;
  const uint8_t category = rmx__category(code);
  return category != rmx__category(code - 1) || category != rmx__category(code + 1);
}

START_TEST(every_character) {
  static const char *const contexts[][2] = {{"", ""},      {"a", "b"},   {" ", "A"},   {".", " x"},
                                            {"'", "s 1"},  {"\n", "\n"}, {"1", "2'"},  {"Ab", "Cd"},
                                            {"  ", "  ."}, {"字", "ー"}, {"\t", "'LL"}};
  static bool same[0x110000];
  same_category(same);
  for (size_t k = 0; k < rmx__known_patterns_n; k++) {
    pcre2_code *code = compiled(rmx__known_patterns[k].regex);
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(code, NULL);
    for (int32_t c = 0; c < 0x110000; c++) {
      if (!same[c] || !is_tried(c, k)) continue;
      char text[512];
      size_t n = 0;
      for (size_t i = 0; i < sizeof contexts / sizeof *contexts; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s", contexts[i][0]);
        n += (size_t)utf8proc_encode_char(c, (utf8proc_uint8_t *)text + n);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s", contexts[i][1]);
      }
      check_matches(&rmx__known_patterns[k], code, match, text, n);
    }
    pcre2_match_data_free(match);
    pcre2_code_free(code);
  }
}
END_TEST

START_TEST(random_text) {
  // clang-format off
  static const char *const pieces[] = {
      "'s", "'T", "'re", "'vE", "'m", "'lL", "'d", "'ſ", "'", " ", " ", "  ", "\n", "\r\n", "\t",
      "/", "//", "\v", "\xC2\xA0", "\u3000", "\xC2\x85", "a", "Z", "z", "ab", "AB", "Ab", "0", "12",
      "-", "é", "É", "ǅ", "字", "ー", "ª", "ʰ", "٣", "Ⅷ", "\u0301", "\u093F", "😀",
      "_", "`", "{", "\x01", "\u200D", "\uE000", "ß", "ı", "K", "かな", "。"};
  // clang-format on
  char text[512];
  rmx_rng rng = rmx_rng_make(1, 0, RMX_FOR_TEST);
  for (size_t k = 0; k < rmx__known_patterns_n; k++) {
    pcre2_code *code = compiled(rmx__known_patterns[k].regex);
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(code, NULL);
    for (int i = 0; i < (FEW_CASES ? 6000 : 60000); i++) {
      size_t n = 0;
      for (uint64_t left = rmx_rng_below(&rng, 16) + 1; left; left--) {
        const char *piece = pieces[rmx_rng_below(&rng, sizeof pieces / sizeof *pieces)];
        memcpy(text + n, piece, strlen(piece) + 1);
        n += strlen(piece);
      }
      check_matches(&rmx__known_patterns[k], code, match, text, n);
    }
    pcre2_match_data_free(match);
    pcre2_code_free(code);
  }
}
END_TEST

// Long runs take time in proportion to their length, and end where PCRE2 would end.
START_TEST(long_runs) {
  enum { LONG = 3000000 };
  char *text = rmx_calloc(LONG + 2, 1);
  static const char fills[] = " \nAa1-";
  for (size_t f = 0; f < sizeof fills - 1; f++) {
    memset(text, fills[f], LONG);
    strcpy(text + LONG, "x");
    for (size_t k = 0; k < rmx__known_patterns_n; k++) {
      size_t start, at = 0, end;
      while (at <= LONG && (end = rmx__known_patterns[k].scan(text, LONG + 1, at, &start)))
        at = end;
      ck_assert_uint_le(at, LONG + 1);
    }
  }
  free(text);
}
END_TEST

START_TEST(only_the_same_pattern) {
  for (size_t k = 0; k < rmx__known_patterns_n; k++)
    ck_assert(rmx__known_pattern_of(rmx__known_patterns[k].regex) == &rmx__known_patterns[k]);
  ck_assert(!rmx__known_pattern_of(""));
  ck_assert(!rmx__known_pattern_of("\\p{N}{1,4}"));
  ck_assert(rmx__known_pattern_of(rmx__gpt2_pattern) == &rmx__known_patterns[0]);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, categories_are_those_of_pcre2);
  tcase_add_test(tc, every_character);
  tcase_add_test(tc, random_text);
  tcase_add_test(tc, long_runs);
  tcase_add_test(tc, only_the_same_pattern);
}
