// SPDX-License-Identifier: Apache-2.0
// hostile_names FOLDER: writes names that one reader or another takes for something else into
// tree.yaml, tree.json and table.csv, as keys and as values, with numbers of every size, and reads
// all of them back. test_files.sh holds the files against other programs' readers. Ends with 1 and
// a word where something differs.
#include <float.h>
#include <math.h>
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

// clang-format off
static const char *const names[] = {
    "NO", "no", "No", "on", "OFF", "y", "N", "yes", "True", "FALSE", "null", "Null", "~", "", " ",
    "  lead", "trail  ", "two  spaces", "3e-05", "3.0e-05", "1e5", "12:30", "12:30:45", "1:2",
    "1_000", "0x1F", "0o17", "017", "0b101", "1.", ".5", "+1", "-1", "-", "--", "---", "...",
    ".inf", "-.inf", ".nan", "nan", "NaN", "inf", "1e400", "2026-11-28", "2026-11-28T01:02:03Z",
    "2026-11-28 01:02:03", "<<", "=", "!", "!!str x", "&a", "*a", "? x", "?", ": x", ":", "a: b",
    "a:", "a:b", "a #b", "#x", "a#b", "- x", "-x", "@x", "`x`", "%x", "%YAML 1.2", "|", ">",
    "{a: 1}", "{", "}", "[1, 2]", "[", "]", ",", "a, b", "'", "\"", "it's", "say \"hi\"", "\\",
    "\\n", "a\\", "tab\tinside", "\ttab", "tab\t", "a\nb", "\na", "a\n", "a\r\nb", "\r", "\x01",
    "\x1b[31m", "\x7f", "\xC2\x80", "a\xC2\x85" "b", "\xC2\xA0", "a\xE2\x80\xA8" "b",
    "\xE2\x80\xA9", "\xEF\xBB\xBF", "\xEF\xBB\xBFstart", "mid\xEF\xBB\xBF", "\xEF\xBF\xBE",
    "\xEF\xBF\xBF", "\xEF\xBF\xBD", "\xC3\xA9t\xC3\xA9", "\xE6\x96\x87\xE5\xAD\x97",
    "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF", "a/b", "../x", "/", "metric/the pile", "train",
    "mixture", "<b>&amp;", "$HOME", "`id`", "%s%n", "a;b", "a|b", "key\xE2\x80\xAE" "evil", "e5",
    "_1", "a -", "a - b",
};
static const double numbers[] = {
    0, 1, -1, 0.1, 0.7, 1.0 / 3, 2.0 / 3, 1e-5, 3e-5, 1e5, 1e15, 1e16, 1e17, 1e22, 1e23, 5e-324,
    DBL_MIN, DBL_MAX, 0x1p-24, 0x1p-44, 0.30000000000000004, 123456789.125, -2.5e-7,
};
// clang-format on

static json_t *tree_of(const char *const *keys, size_t n) {
  rmx_rng rng = rmx_rng_make(1, 1, RMX_FOR_TEST);
  json_t *weights = json_object(), *strings = json_array(), *reals = json_array(),
         *deep = json_object();
  for (size_t i = 0; i < n; i++) {
    json_object_set_new(weights, keys[i], json_real(rmx_rng_uniform(&rng)));
    json_array_append_new(strings, json_string(keys[i]));
    json_object_set_new(deep, keys[i],
                        json_pack("{s:s, s:[{}, [], n, b, I]}", keys[n - 1 - i], keys[i], "list", 1,
                                  (json_int_t)1 << 53));
  }
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    json_array_append_new(reals, json_real(numbers[i]));
  for (int i = 0; i < 500; i++) {
    uint64_t bits = rmx_rng_u64(&rng);
    double x;
    memcpy(&x, &bits, sizeof x);
    if (isfinite(x)) json_array_append_new(reals, json_real(x));
  }
  return json_pack("{s:o, s:o, s:o, s:o}", "weights", weights, "strings", strings, "reals", reals,
                   "deep", deep);
}

static int fail(const char *what) {
  printf("%s\n", what);
  return 1;
}

static int trees(const char *folder, const json_t *tree) {
  rmx_err err = {0};
  rmx__yaml yaml = {0};
  json_t *json = NULL;
  char *y = rmx_path_in(folder, "tree.yaml"), *j = rmx_path_in(folder, "tree.json");
  rmx_status status = rmx__yaml_write(y, tree, "Names of all kinds.\nMore of them.", &err);
  if (status == RMX_OK) status = rmx__json_write(j, tree, &err);
  if (status == RMX_OK) status = rmx__yaml_read(y, &yaml, &err);
  if (status == RMX_OK) status = rmx__json_read(j, &json, &err);
  int bad = status != RMX_OK                         ? fail(err.message)
            : !json_equal((json_t *)tree, yaml.root) ? fail("tree.yaml reads back otherwise")
            : !json_equal((json_t *)tree, json)      ? fail("tree.json reads back otherwise")
                                                     : 0;
  json_decref(json);
  rmx__yaml_release(&yaml);
  free(y);
  free(j);
  return bad;
}

static int table(const char *folder, const char *file, const char *const *keys, size_t n) {
  rmx_err err = {0};
  rmx_table t, again = {0};
  char *path = rmx_path_in(folder, file);
  size_t first = n;  // a column without a name is refused, so the empty one is a row's alone
  if (rmx_table_make(&t, keys[0], n, n - 1, &err) != RMX_OK) return fail(err.message);
  for (size_t i = 0, j = 0; i < n; i++) {
    t.ids[i] = rmx_strdup(keys[i]);
    if (*keys[i])
      t.names[j++] = rmx_strdup(keys[i]);
    else
      first = i;
  }
  for (size_t i = 0; i < n * (n - 1); i++)
    t.x[i] = i % 7 ? 1.0 / (double)(i + 1) : numbers[i % (sizeof numbers / sizeof *numbers)];
  if (first == n) return fail("the names have no empty one");
  rmx_status status = rmx_csv_write(path, &t, &err);
  if (status == RMX_OK) status = rmx_csv_read(path, &again, &err);
  bool same = status == RMX_OK && again.N == t.N && again.D == t.D &&
              strcmp(again.id_name, t.id_name) == 0 &&
              memcmp(again.x, t.x, n * (n - 1) * sizeof *t.x) == 0;
  for (size_t i = 0; same && i < n; i++) same = strcmp(again.ids[i], t.ids[i]) == 0;
  for (size_t j = 0; same && j + 1 < n; j++) same = strcmp(again.names[j], t.names[j]) == 0;
  rmx_table_release(&again);
  rmx_table_release(&t);
  free(path);
  return status != RMX_OK ? fail(err.message) : same ? 0 : fail("a table reads back otherwise");
}

int main(int argc, char **argv) {
  enum {
    PLAIN = sizeof names / sizeof *names,
    RANDOM = 300,
    LONG = 3,
    ALL = PLAIN + RANDOM + LONG
  };
  if (argc != 2) return fail("usage: hostile_names FOLDER");
  char *made[ALL] = {0};
  for (size_t i = 0; i < PLAIN; i++) made[i] = rmx_strdup(names[i]);
  rmx_rng rng = rmx_rng_make(7, 1, RMX_FOR_TEST);
  // what is special, at random; the number makes them differ
  for (size_t i = PLAIN; i < PLAIN + RANDOM; i++) {
    rmx_buf b = {0};
    for (int k = 0; k < 6; k++)
      rmx_buf_puts(&b, rmx_rng_below(&rng, 3) ? names[rmx_rng_below(&rng, PLAIN)] : " ");
    rmx_buf_printf(&b, "%zu", i);
    made[i] = b.data;
  }
  for (size_t i = 0; i < LONG; i++) {  // 1500 bytes of letters, of controls, and of accents
    rmx_buf b = {0};
    for (int k = 0; k < 750; k++)
      rmx_buf_puts(&b, i == 0 ? "ab" : i == 1 ? "\x01\x02" : "\xC3\xA9");
    made[PLAIN + RANDOM + i] = b.data;
  }
  json_t *tree = tree_of((const char *const *)made, ALL);
  int bad = trees(argv[1], tree) || table(argv[1], "table.csv", (const char *const *)made, ALL);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers && !bad; i++) {
    char text[32];
    rmx_double_text(numbers[i], text);
    if (strtod(text, NULL) != numbers[i]) bad = fail(text);
  }
  json_decref(tree);
  for (size_t i = 0; i < ALL; i++) free(made[i]);
  return bad;
}
