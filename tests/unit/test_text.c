// SPDX-License-Identifier: Apache-2.0
// Numbers, counts, durations and strings as text, and text as numbers and options: a table of each,
// with both sides of every bound.
#include "testing.h"

#define COUNT(table) (sizeof table / sizeof *(table))

// The shortest text that reads back as the same double (as Python's repr has it).
START_TEST(numbers_have_no_digit_too_many) {
  static const struct {
    double x;
    const char *text;
  } cases[] = {{0, "0"},
               {-0.0, "-0"},
               {1, "1"},
               {-2.5, "-2.5"},
               {0.1, "0.1"},
               {1.0 / 3, "0.3333333333333333"},
               {0.1 + 0.2, "0.30000000000000004"},
               {1e15, "1e+15"},
               {123456789012345680, "1.2345678901234568e+17"},
               {5e-324, "5e-324"},
               {2.2250738585072014e-308, "2.2250738585072014e-308"},
               {2.2250738585072009e-308, "2.225073858507201e-308"},
               {1.7976931348623157e308, "1.7976931348623157e+308"},
               // powers of two, where the nearest 16 digits do not do and others do
               {0x1p-1017, "7.120236347223045e-307"},
               {0x1p-957, "8.209073602596753e-289"},
               {0x1p-44, "5.684341886080802e-14"},
               {9007199254740993.0, "9007199254740992"}};
  char text[32];
  for (size_t i = 0; i < COUNT(cases); i++) {
    rmx_double_text(cases[i].x, text);
    ck_assert_str_eq(text, cases[i].text);
    ck_assert(strtod(text, NULL) == cases[i].x);
  }
  rmx_rng rng = rmx_rng_make(1, 2, RMX_FOR_TEST);
  for (int i = 0; i < 20000; i++) {
    const double x = rmx_rng_normal(&rng) * exp(300 * rmx_rng_normal(&rng) / 3);
    rmx_double_text(x, text);
    ck_assert_msg(strtod(text, NULL) == x, "%s is not %.17g", text, x);
  }
}
END_TEST

START_TEST(numbers_of_yaml_have_a_point) {
  static const struct {
    double x;
    const char *text;
  } cases[] = {{1, "1.0"}, {1e-5, "1.0e-05"}, {2.5e300, "2.5e+300"}, {0.5, "0.5"}, {-3, "-3.0"}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    RMX_OWNED_BY(rmx_buf_release) rmx_buf b = {0};
    rmx_put_number(&b, cases[i].x);
    ck_assert_str_eq(b.data, cases[i].text);
  }
}
END_TEST

START_TEST(counts_and_durations_change_their_unit) {
  static const struct {
    double x;
    const char *text;
  } counts[] = {{0, "0"},          {1, "1"},         {9999, "9999"},          {10000, "10 k"},
                {999499, "999 k"}, {999500, "1 M"},  {1.25e6, "1.25 M"},      {9.994e8, "999 M"},
                {9.996e8, "1 G"},  {4.5e10, "45 G"}, {9.994e11, "999 G"},     {9.996e11, "1 T"},
                {1.2e13, "12 T"},  {-5, "-5"},       {1.234e15, "1.23e+03 T"}},
    times[] = {{0, "0.0 s"},         {0.04, "0.0 s"},      {9.94, "9.9 s"},
               {9.95, "10 s"},       {9.96, "10 s"},       {89.4, "89 s"},
               {90, "1 min 30 s"},   {125, "2 min 5 s"},   {5399, "89 min 59 s"},
               {5400, "1 h 30 min"}, {7325, "2 h 2 min"},  {172799, "47 h 59 min"},
               {172800, "2.0 days"}, {950400, "11.0 days"}};
  char text[32], count[16];
  for (size_t i = 0; i < COUNT(counts); i++)
    ck_assert_str_eq(rmx_count(counts[i].x, count), counts[i].text);
  for (size_t i = 0; i < COUNT(times); i++)
    ck_assert_str_eq(rmx_duration(times[i].x, text), times[i].text);
  static const double others[] = {0, 2, 1.5, 11};
  ck_assert_str_eq(rmx_s(1), "");
  ck_assert_str_eq(rmx_is(1), "is");
  ck_assert_str_eq(rmx_has(1), "has");
  for (size_t i = 0; i < COUNT(others); i++) {
    ck_assert_str_eq(rmx_s(others[i]), "s");
    ck_assert_str_eq(rmx_is(others[i]), "are");
    ck_assert_str_eq(rmx_has(others[i]), "have");
  }
}
END_TEST

START_TEST(text_is_a_number_or_nothing) {
  static const struct {
    const char *text;
    double x;
  } good[] = {{"0", 0},        {"-3", -3},    {"2k", 2e3}, {"2K", 2e3},
              {"1.5M", 1.5e6}, {"2G", 2e9},   {"2B", 2e9}, {"1T", 1e12},
              {"3e-4", 3e-4},  {"1e3k", 1e6}, {".5", 0.5}},
    durations[] = {{"90", 90},     {"90s", 90},    {"90 s", 90},   {"2sec", 2}, {"2m", 120},
                   {"15min", 900}, {"1.5h", 5400}, {"2d", 172800}, {"0", 0}};
  static const char *const bad[] = {"",    " ",    "k",     "2kk", "2 k", "2q",  "nan",
                                    "inf", "-inf", "1e999", "1,5", "--1", "one", "0x10"},
                           *const no_durations[] = {"",    "s",   "-1s",  "2w",  "2hours",
                                                    "nan", "inf", "1s1s", "2ss", "min"};
  double x;
  int64_t n;
  for (size_t i = 0; i < COUNT(good); i++) {
    must(rmx_parse_real(good[i].text, "x", &x, err));
    ck_assert(x == good[i].x);
  }
  for (size_t i = 0; i < COUNT(durations); i++) {
    must(rmx_parse_duration(durations[i].text, "x", &x, err));
    ck_assert(x == durations[i].x);
  }
  for (size_t i = 0; i < COUNT(bad); i++) {
    must_fail(rmx_parse_real(bad[i], "the x", &x, err), "the x: \"");
    must_fail(rmx_parse_int(bad[i], "the x", &n, err), "is not a whole number");
  }
  for (size_t i = 0; i < COUNT(no_durations); i++)
    must_fail(rmx_parse_duration(no_durations[i], "x", &x, err), "is not a duration");
  static const char *const parts[] = {"0.5", "1e-1", "1.5", "9.1e18", "0.0001k"};
  for (size_t i = 0; i < COUNT(parts); i++)
    must_fail(rmx_parse_int(parts[i], "n", &n, err), "is not a whole number");
  must(rmx_parse_int("-1.5k", "n", &n, err));
  ck_assert_int_eq(n, -1500);
  must(rmx_parse_int("9223372036854775807", "n", &n, err));
  ck_assert(n == INT64_MAX);
}
END_TEST

struct settings {
  int64_t n;
  double x, limit, time;
  bool yes;
  char *text, *kind;
  rmx_strings list;
};
#define AT(member) offsetof(struct settings, member)
static const rmx_option table[] = {
    {"n", RMX_INT, AT(n), "3", 1, 10, "N", "a number"},
    {"x", RMX_REAL, AT(x), "0.5", 0, 1, "X", "a share"},
    {"limit", RMX_REAL, AT(limit), "none", 1e-3, 9, "X", "a limit, or none"},
    {"time", RMX_DURATION, AT(time), "1min", 0, 3600, "TIME", "a duration"},
    {"yes", RMX_BOOL, AT(yes), "true", 0, 0, NULL, "yes or no"},
    {"text", RMX_TEXT, AT(text), NULL, 0, 0, "TEXT", "any text"},
    {"kind", RMX_CHOICE, AT(kind), "one", 0, 0, "one|other|third", "a choice"},
    {"list", RMX_LIST, AT(list), NULL, 0, 0, "ITEM", "a list"},
};

START_TEST(options_are_held_to_their_bounds) {
  static const struct {
    const char *key, *value, *error;  // NULL: it is taken
  } cases[] = {
      {"n", "1", NULL},
      {"n", "10", NULL},
      {"n", "0", "n: 0 is out of bounds; it goes from 1 to 10"},
      {"n", "11", "n: 11 is out of bounds; it goes from 1 to 10"},
      {"n", "2.5", "n: \"2.5\" is not a whole number"},
      {"x", "0", NULL},
      {"x", "1", NULL},
      {"x", "-0.01", "x: -0.01 is out of bounds; it goes from 0 to 1"},
      {"x", "1.01", "x: 1.01 is out of bounds; it goes from 0 to 1"},
      {"limit", "none", NULL},
      {"limit", "0.001", NULL},
      {"limit", "0", "limit: 0 is out of bounds; it goes from 0.001 to 9, or is none"},
      {"limit", "no", "limit: \"no\" is not a number"},
      {"time", "1h", NULL},
      {"time", "2h", "time: 2h is out of bounds; it goes from 0 to 3600"},
      {"time", "2x", "time: \"2x\" is not a duration"},
      {"yes", "true", NULL},
      {"yes", "yes", NULL},
      {"yes", "false", NULL},
      {"yes", "no", NULL},
      {"yes", "1", "yes: \"1\" is neither true nor false"},
      {"text", "", NULL},
      {"kind", "one", NULL},
      {"kind", "other", NULL},
      {"kind", "third", NULL},
      {"kind", "", "kind: \"\" is none of one|other|third"},
      {"kind", "on", "kind: \"on\" is none of"},
      {"kind", "one|other", "is none of"},
      {"kind", "ones", "is none of"},
      {"list", "a", NULL},
      {"kimd", "one", "unknown key \"kimd\"; did you mean \"kind\"?"},
      {"zebra", "one", "unknown key \"zebra\""},
  };
  struct settings s = {0};
  must(rmx_options_init(table, COUNT(table), &s, err));
  ck_assert(s.n == 3 && s.x == 0.5 && s.limit == 0 && s.time == 60 && s.yes && !s.text);
  ck_assert_str_eq(s.kind, "one");
  for (size_t i = 0; i < COUNT(cases); i++) {
    if (cases[i].error)
      must_fail(rmx_option_set(table, COUNT(table), &s, cases[i].key, cases[i].value, err),
                cases[i].error);
    else
      must(rmx_option_set(table, COUNT(table), &s, cases[i].key, cases[i].value, err));
  }
  // The last that was taken is there.
  ck_assert(s.n == 10 && s.x == 1 && s.limit == 0.001 && s.time == 3600 && !s.yes);
  ck_assert_str_eq(s.text, "");
  ck_assert_str_eq(s.kind, "third");
  ck_assert(s.list.n == 1 && strcmp(s.list.items[0], "a") == 0);
  // As JSON: a word for 0 stays that word, and what is not set is null.
  static const char *const as_json[] = {"10",    "1.0",  "0.001",     "3600.0",
                                        "false", "\"\"", "\"third\"", "[\"a\"]"};
  for (size_t i = 0; i < COUNT(table); i++) {
    json_auto_t *value = rmx__option_json(&table[i], &s);
    RMX_OWNED char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    ck_assert_str_eq(text, as_json[i]);
  }
  s.limit = 0;
  json_auto_t *word = rmx__option_json(&table[2], &s);
  ck_assert_str_eq(json_string_value(word), "none");
  rmx_options_release(table, COUNT(table), &s);
  ck_assert(!s.text && !s.kind && s.list.n == 0);
  json_auto_t *nothing = rmx__option_json(&table[5], &s);
  ck_assert(json_is_null(nothing));
}
END_TEST

// Strings for YAML, which needs quotes around what it would take for something else, and for sh.
START_TEST(strings_are_quoted_where_they_must_be) {
  static const char *const plain[] = {"a",    "web_en", "a/b.c-d", "two words", "yesterday",
                                      "nano", "_x",     "/tmp/x",  "e5",        "infinite"},
                           *const quoted[] = {"",         "y",    "N",     "Yes",  "no",  "on",
                                              "OFF",      "true", "False", "null", "NaN", "inf",
                                              "Infinity", "1",    "-a",    ".5",   "~",   "a:b",
                                              "a #b",     " a",   "a ",    "a  b", "*x",  "a\"b",
                                              "[a]",      "{",    "1e5"};
  for (size_t i = 0; i < COUNT(plain); i++) {
    RMX_OWNED_BY(rmx_buf_release) rmx_buf b = {0};
    rmx_put_yaml(&b, plain[i]);
    ck_assert_str_eq(b.data, plain[i]);
  }
  for (size_t i = 0; i < COUNT(quoted); i++) {
    RMX_OWNED_BY(rmx_buf_release) rmx_buf b = {0};
    rmx_put_yaml(&b, quoted[i]);
    ck_assert_msg(b.data[0] == '"' && b.data[b.size - 1] == '"', "%s", b.data);
    json_auto_t *back = json_loads(b.data, JSON_DECODE_ANY, NULL);
    ck_assert_str_eq(json_string_value(back), quoted[i]);
  }
  static const struct {
    const char *string, *text;
  } escapes[] = {{"a\"b\\c", "\"a\\\"b\\\\c\""},
                 {"\n\r\t", "\"\\n\\r\\t\""},
                 {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
                 {"\xc2\x80\xc2\x85\xc2\x9f", "\"\\u0080\\u0085\\u009f\""},
                 {"\xc2\xa0\xc3\xa9", "\"\xc2\xa0\xc3\xa9\""},  // no controls: as they are
                 {"\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa",
                  "\"\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa\""},
                 {"\xef\xbb\xbe\xef\xbb\xbf\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf",
                  "\"\xef\xbb\xbe\\ufeff\xef\xbf\xbd\\ufffe\\uffff\""}};
  for (size_t i = 0; i < COUNT(escapes); i++) {
    RMX_OWNED_BY(rmx_buf_release) rmx_buf b = {0};
    rmx_put_quoted(&b, escapes[i].string);
    ck_assert_str_eq(b.data, escapes[i].text);
  }
  RMX_OWNED_BY(rmx_buf_release) rmx_buf shell = {0};
  rmx_put_shell(&shell, "it's $x \\ \"y\"");
  ck_assert_str_eq(shell.data, "'it'\\''s $x \\ \"y\"'");
}
END_TEST

// What a terminal could take for an order becomes a question mark.
START_TEST(text_of_others_is_made_printable) {
  static const struct {
    const char *text, *kept, *printed;
  } cases[] = {{"plain \xc3\xa9", "", "plain \xc3\xa9"},
               {"\x1b[31m", "", "?[31m"},
               {"a\nb\tc", "\n\t", "a\nb\tc"},
               {"a\nb\tc", "\t", "a?b\tc"},
               {"\x7f\xc2\x9b\xc2\xa0", "", "??\xc2\xa0"},
               {"\xff\xc3", "", "??"},
               {"", "", ""}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    char text[64];
    strcpy(text, cases[i].text);
    ck_assert(rmx_is_printable(text) ==
              (strcmp(cases[i].text, cases[i].printed) == 0 && !*cases[i].kept));
    rmx_make_printable(text, cases[i].kept);
    ck_assert_str_eq(text, cases[i].printed);
  }
  size_t at;
  ck_assert(rmx_is_utf8("a\xc3\xa9", 3, &at) && at == 3);
  ck_assert(!rmx_is_utf8("a\xc3\xa9\xff", 4, &at) && at == 3);
  ck_assert(!rmx_is_utf8("\xc3", 1, &at) && at == 0);
  ck_assert(rmx_is_utf8("", 0, &at) && at == 0);
}
END_TEST

START_TEST(paths_in_a_folder) {
  static const struct {
    const char *folder, *path, *wanted;
  } cases[] = {{"exp", "a", "exp/a"},
               {"exp/", "a/b", "exp/a/b"},
               {"/x", "a", "/x/a"},
               {"exp", "/a", "/a"},
               {"exp", "~/a", "/home/me/a"},
               {NULL, "~/a", "/home/me/a"},
               {"exp", "~", "exp/~"},
               {"exp", "~a", "exp/~a"},
               {"exp", "a/~/b", "exp/a/~/b"},
               {".", "a", "a"},
               {"", "a", "a"},
               {NULL, "a", "a"},
               {"./", "a", "./a"},
               {"exp", "", "exp/"}};
  setenv("HOME", "/home/me", 1);
  for (size_t i = 0; i < COUNT(cases); i++) {
    RMX_OWNED char *path = rmx_path_in(cases[i].folder, cases[i].path);
    ck_assert_str_eq(path, cases[i].wanted);
  }
  unsetenv("HOME");
  RMX_OWNED char *path = rmx_path_in("exp", "~/a");
  ck_assert_str_eq(path, "exp/~/a");
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, paths_in_a_folder);
  tcase_add_test(tc, numbers_have_no_digit_too_many);
  tcase_add_test(tc, numbers_of_yaml_have_a_point);
  tcase_add_test(tc, counts_and_durations_change_their_unit);
  tcase_add_test(tc, text_is_a_number_or_nothing);
  tcase_add_test(tc, options_are_held_to_their_bounds);
  tcase_add_test(tc, strings_are_quoted_where_they_must_be);
  tcase_add_test(tc, text_of_others_is_made_printable);
}
