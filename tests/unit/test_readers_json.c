// SPDX-License-Identifier: Apache-2.0
// Documents out of JSON Lines and JSON: whole and broken, the fields that hold the text, and
// others.
#include "base/json.h"
#include "corpus/readers/json_scan.h"
#include "read_documents.h"

START_TEST(json_lines) {
  folder_make();
  put_text("a.jsonl",
           "{\"text\": \"one\"}\n\n{\"id\": 3, \"text\": \"a\\nb \\u00e9 "
           "\\ud83d\\ude00\"}\r\n{\"text\": \"  "
           "\"}\n{\"text\":\"last\"}");
  check(in_folder("a.jsonl"), "%", DOCUMENTS("one", "a\nb \xC3\xA9 \xF0\x9F\x98\x80", "last"));
  struct found f;
  put_text("b.jsonl", "{\"content\": \"one\"}\n{\"content\": \"a\\u0000b\"}\n");
  must(read_all(in_folder("b.jsonl"), "content", "%", false, &f, err));
  ck_assert_uint_eq(f.documents.n, 2);
  rmx_strings_release(&f.documents);
  folder_remove();
}
END_TEST

START_TEST(broken_lines) {
  static const struct {
    const char *line, *message;
  } bad[] = {
      {"{\"text\": \"cut", "b.jsonl:2: not JSON"},
      {"{\"body\": \"x\"}", "b.jsonl:2: \"text\" is missing"},
      {"{\"text\": 7}", "b.jsonl:2: \"text\" is not a string"},
      {"[\"text\"]", "b.jsonl:2: not a JSON object"},
      {"{\"text\": \"a\\x\"}", "b.jsonl:2: not JSON: an unknown escape in the text, at byte 12"},
      {"{\"text\": \"a\\u12\"}", "b.jsonl:2: not JSON: \\u without four"},
      {"{\"text\": \"a\"} {", "b.jsonl:2: not JSON: more text after its end, at byte 15"},
      {"{\"a\": [1, {2}], \"text\": \"a\"}",
       "b.jsonl:2: not JSON: wanted a name in quotes, at byte 12"}};
  folder_make();
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char text[200];
    snprintf(text, sizeof text, "{\"text\":\"one\"}\n%s\n{\"text\":\"three\"}\n", bad[i].line);
    put_text("b.jsonl", text);
    struct found f;
    must_fail(read_all(in_folder("b.jsonl"), "text", "%", false, &f, err), bad[i].message);
    must(read_all(in_folder("b.jsonl"), "text", "%", true, &f, err));
    ck_assert_uint_eq(f.documents.n, 2);
    ck_assert_str_eq(f.documents.items[1], "three");
    ck_assert_uint_eq(f.bad_lines + f.no_text, 1);
    rmx_strings_release(&f.documents);
  }
  folder_remove();
}
END_TEST

// Only the text counts: what other fields hold, and how, does no harm.
START_TEST(odd_fields_do_no_harm) {
  folder_make();
  put_text("a.jsonl",
           "{\"id\": 18446744073709551615,\"text\":\"huge integer\"}\n"
           "{\"text\":\"a \\ud83d b \\udc00\"}\n"
           "{\"score\": NaN,\"text\":\"nan\", \"y\": -Infinity}\n"
           "{\"x\":1e400,\"text\":\"overflow\"}\n"
           "{\"x\": \"a\tb\001\", \"text\":\"raw\ttab\"}\n"
           "{\"text\":null}\n"
           "{\"meta\": {\"text\": \"inner\", \"q\": \"}{\\\"]\"}, \"l\": [[{}], []], \"text\": "
           "\"nested\"}\n"
           "{\"text\": \"first\", \"text\": \"last counts\"}\n"
           "{\"\\u0074ext\": \"escaped name\"}\n"
           "{\"bad\": \"\\ud800\\q\\u12\xFF\", \"text\": \"bad escape elsewhere\"}\n"
           "{\"text\": \"null\", \"text\": null}\n");
  struct found f;
  must(read_all(in_folder("a.jsonl"), "text", "%", false, &f, err));
  static const char *const wanted[] = {"huge integer",
                                       "a \xEF\xBF\xBD b \xEF\xBF\xBD",
                                       "nan",
                                       "overflow",
                                       "raw\ttab",
                                       "nested",
                                       "last counts",
                                       "escaped name",
                                       "bad escape elsewhere"};
  ck_assert_uint_eq(f.documents.n, sizeof wanted / sizeof *wanted);
  for (size_t i = 0; i < f.documents.n; i++) ck_assert_str_eq(f.documents.items[i], wanted[i]);
  ck_assert_uint_eq(f.no_text, 2);
  ck_assert_uint_eq(f.surrogates, 2);
  ck_assert_uint_eq(f.invalid_utf8, 0);
  ck_assert_uint_eq(f.bad_lines, 0);
  rmx_strings_release(&f.documents);
  put_text("b.jsonl",
           "{\"a\": {\"b\": {\"c\": \"deep\"}}}\n{\"a.b.c\": \"whole\"}\n{\"a\": {\"b.c\": "
           "\"half\"}}\n");
  must(read_all(in_folder("b.jsonl"), "a.b.c", "%", false, &f, err));
  ck_assert_uint_eq(f.documents.n, 3);
  ck_assert_str_eq(f.documents.items[0], "deep");
  ck_assert_str_eq(f.documents.items[2], "half");
  rmx_strings_release(&f.documents);
  folder_remove();
}
END_TEST

// A document's other fields: text, numbers and booleans as they are written.
START_TEST(fields_beside_the_text) {
  folder_make();
  put_text("a.jsonl",
           "{\"meta\": {\"set\": \"Pile-CC\", \"n\": 17}, \"text\": \"one\", \"id\": 1e400}\n"
           "{\"text\": \"two\", \"meta\": {\"set\": null, \"n\": true}, \"id\": \"\\u00e9\xFF\"}\n"
           "{\"text\": \"\", \"id\": \"of no document\"}\n"
           "{\"text\": \"three\", \"meta\": [1], \"id\": {\"a\": 1}}\n");
  char *names[] = {"meta.set", "meta.n", "id"};
  const rmx_strings fields = {names, 3, 3};
  const rmx__reader_options o = {"text", "%", false, 0, &fields, NULL, NULL, NULL};
  static const char *const wanted[3][3] = {
      {"Pile-CC", "17", "1e400"}, {NULL, "true", "\xC3\xA9\xEF\xBF\xBD"}, {NULL, NULL, NULL}};
  rmx__reader r;
  bool more;
  must(rmx__reader_open(&r, in_folder("a.jsonl"), &o, err));
  for (size_t i = 0; i < 3; i++) {
    must(rmx__reader_next(&r, &more, err));
    ck_assert(more);
    for (size_t f = 0; f < 3; f++) {
      ck_assert_int_eq(r.has[f], wanted[i][f] != NULL);
      if (wanted[i][f]) ck_assert_str_eq(r.values[f].data, wanted[i][f]);
    }
  }
  must(rmx__reader_next(&r, &more, err));
  ck_assert(!more);
  rmx__reader_close(&r);
  folder_remove();
}
END_TEST

static const char *const text_path = "text";

START_TEST(json_nesting_is_bounded) {
  rmx_buf line = {0};
  rmx__json_look look;
  for (int deep = 0; deep < 2; deep++) {
    const int n = deep ? 1000000 : RMX__JSON_DEPTH - 1;
    line.size = 0;
    rmx_buf_puts(&line, "{\"x\": ");
    for (int i = 0; i < n; i++) rmx_buf_puts(&line, "[");
    for (int i = 0; i < n; i++) rmx_buf_puts(&line, "]");
    rmx_buf_puts(&line, ", \"text\": \"a\"}");
    rmx__json_value value;
    ck_assert_int_eq(rmx__json_scan(line.data, line.size, &text_path, 1, &value, &look), !deep);
  }
  ck_assert_str_eq(look.what, "brackets within more than 256 others");
  rmx_buf_release(&line);
}
END_TEST

// The scanner takes what jansson takes, and finds the same text.
START_TEST(the_scanner_agrees_with_a_parser) {
  static const char *const pieces[] = {
      "{", "}",      "[",    "]",    ",", ":",        "\"text\"", "\"a\"", "\"b\\n\\u00e9\"",
      "1", "-2.5e3", "true", "null", " ", "\"\\\\\"", "\\",       "\""};
  rmx_rng rng = rmx_rng_make(5, 0, RMX_FOR_TEST);
  rmx_buf line = {0}, text = {0};
  size_t objects = 0, texts = 0;
  for (int round = 0; round < 300000; round++) {
    line.size = 0;
    rmx_buf_puts(&line, "{\"text\":");
    for (uint64_t n = rmx_rng_below(&rng, 9); n > 0; n--)
      rmx_buf_puts(&line, pieces[rmx_rng_below(&rng, sizeof pieces / sizeof *pieces)]);
    rmx_buf_puts(&line, rmx_rng_below(&rng, 2) ? "}" : ", \"c\": 1}");
    rmx__json_look look;
    json_t *tree = json_loadb(line.data, line.size, JSON_ALLOW_NUL, NULL);
    rmx__json_value found;
    const bool good = rmx__json_scan(line.data, line.size, &text_path, 1, &found, &look);
    if (json_is_object(tree)) {
      objects++;
      const json_t *value = json_object_get(tree, "text");
      ck_assert(good);
      ck_assert_int_eq(found.kind, json_is_string(value)   ? RMX__JSON_STRING
                                   : json_is_null(value)   ? RMX__JSON_NULL
                                   : json_is_array(value)  ? RMX__JSON_ARRAY
                                   : json_is_object(value) ? RMX__JSON_OBJECT
                                   : value                 ? RMX__JSON_SCALAR
                                                           : RMX__JSON_NONE);
      if (json_is_string(value)) {
        texts++;
        text.size = 0;
        ck_assert(rmx__json_decode(line.data, found, &text, &look));
        ck_assert_uint_eq(text.size, json_string_length(value));
        ck_assert_mem_eq(text.data, json_string_value(value), text.size);
      }
    }
    json_decref(tree);
  }
  ck_assert_uint_gt(objects, 1000);
  ck_assert_uint_gt(texts, 300);
  rmx_buf_release(&line);
  rmx_buf_release(&text);
}
END_TEST

START_TEST(json_arrays_and_objects_over_lines) {
  folder_make();
  put_text("a.json",
           " [\n {\"text\": \"one\"},\n{\"x\": [1, {\"}\": \"]\"}], \"text\":\n\"two\"} "
           ",{\"text\": \"three\"}\n]\n");
  check(in_folder("a.json"), "%", DOCUMENTS("one", "two", "three"));
  put_text("b.json", "{\n  \"text\": \"one\"\n}\n{\n  \"text\": \"two\"\n}\n");
  check(in_folder("b.json"), "%", DOCUMENTS("one", "two"));
  put_text("c.NDJSON", "{\"text\": \"one\"}\n{\"text\": \"two\"}");
  check(in_folder("c.NDJSON"), "%", DOCUMENTS("one", "two"));
  put_text("empty.json", "[]");
  check(in_folder("empty.json"), "%", (const char *const[]){NULL});
  static const struct {
    const char *text, *message;
  } bad[] = {
      {"[{\"text\": \"one\"},\n\n{\"body\": 1}]", "d.json:3: \"text\" is missing"},
      {"[{\"text\": \"one\"},\n{\"text\": \"tw", "d.json:2: not JSON: a string without an end"},
      {"[{\"text\": \"one\"},\n", "d.json:2: the array has no end"},
      {"[{\"text\": \"one\"}]\n{\"text\": \"two\"}",
       "d.json:2: more text after the end of the array"},
      {"[{\"text\": \"one\"}, 7]", "d.json:1: not a JSON object"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct found f;
    put_text("d.json", bad[i].text);
    must_fail(read_all(in_folder("d.json"), "text", "%", false, &f, err), bad[i].message);
    must(read_all(in_folder("d.json"), "text", "%", true, &f, err));
    ck_assert_uint_eq(f.documents.n, 1);
    ck_assert_uint_eq(f.bad_lines + f.no_text, 1);
    rmx_strings_release(&f.documents);
  }
  folder_remove();
}
END_TEST

// Alternatives of the text field, in their order; a list of strings becomes lines.
START_TEST(alternatives_and_lists) {
  folder_make();
  put_text("a.jsonl",
           "{\"text\": \"one\", \"content\": \"not this\"}\n"
           "{\"content\": \"two\", \"text\": null}\n"
           "{\"text\": 7, \"data\": {\"text\": [\"three\", null, \"\\u00e9\\n\"]}}\n"
           "{\"text\": []}\n"
           "{\"content\": null}\n");
  struct found f;
  must(read_all(in_folder("a.jsonl"), "text, content ,data.text", "%", false, &f, err));
  ck_assert_uint_eq(f.documents.n, 3);
  ck_assert_str_eq(f.documents.items[0], "one");
  ck_assert_str_eq(f.documents.items[1], "two");
  ck_assert_str_eq(f.documents.items[2], "three\n\xC3\xA9\n");
  ck_assert_uint_eq(f.no_text, 2);  // an empty list is no text, as in Parquet
  rmx_strings_release(&f.documents);
  put_text("b.jsonl", "{\"text\": [\"a\", 1]}\n");
  must_fail(read_all(in_folder("b.jsonl"), "text", "%", false, &f, err),
            "\"text\" is not a string");
  put_text("b.jsonl", "{\"body\": \"a\"}\n");
  must_fail(read_all(in_folder("b.jsonl"), "text,raw", "%", false, &f, err),
            "none of \"text,raw\" is there");
  folder_remove();
}
END_TEST

// messages.content is the contents of a list of messages, as in Parquet.
START_TEST(paths_through_lists) {
  folder_make();
  put_text("a.jsonl",
           "{\"m\": [{\"role\": \"user\", \"content\": \"a\\u00e9\"}, {\"content\": null},"
           " {\"content\": \"b\"}, {}]}\n"
           "{\"m\": []}\n"
           "{\"m\": [{\"content\": null}]}\n"
           "{\"m\": [[{\"content\": [\"x\", \"y\"]}], [{\"content\": [\"z\"]}, null]]}\n"
           "{\"m\": {\"content\": \"one\"}}\n");
  struct found f;
  must(read_all(in_folder("a.jsonl"), "m.content", "%", false, &f, err));
  ck_assert_uint_eq(f.documents.n, 3);
  ck_assert_str_eq(f.documents.items[0], "a\xC3\xA9\nb");
  ck_assert_str_eq(f.documents.items[1], "x\ny\nz");
  ck_assert_str_eq(f.documents.items[2], "one");
  ck_assert_uint_eq(f.no_text, 2);
  rmx_strings_release(&f.documents);
  put_text("b.jsonl", "{\"m\": [{\"content\": \"a\"}, {\"content\": 7}]}\n");
  must_fail(read_all(in_folder("b.jsonl"), "m.content", "%", false, &f, err),
            "\"m.content\" is not a string");
  must_fail(read_all(in_folder("b.jsonl"), "m.text", "%", false, &f, err), "\"m.text\" is missing");
  folder_remove();
}
END_TEST

// Values and lines longer than a block, and those that end with one.
START_TEST(lines_across_blocks) {
  folder_make();
  rmx_buf b = {0}, text = {0};
  for (int array = 0; array < 2; array++) {
    b.size = 0;
    for (size_t i = 0; i < 40; i++) {
      text.size = 0;
      while (text.size < i * RMX__BLOCK / 16 + i % 3) rmx_buf_puts(&text, "\\\"}\\\\\xC3\xA9]{,");
      rmx_buf_printf(&b, "%s{\"n\": [%zu], \"text\": \"%zu %s\"}", array ? i ? ",\n" : "[" : "", i,
                     i, text.data ? text.data : "");
      rmx_buf_puts(&b, array ? i == 39 ? "]" : "" : "\n");
    }
    put("a.jsonl", b.data, b.size);
    struct found f;
    must(read_all(in_folder("a.jsonl"), "text", "%", false, &f, err));
    ck_assert_uint_eq(f.documents.n, 40);
    for (size_t i = 0; i < 40; i++) {
      const char *d = f.documents.items[i];
      ck_assert_uint_eq(strtoul(d, NULL, 10), i);
      d = strchr(d, ' ') + 1;
      while (*d) {
        ck_assert_mem_eq(d, "\"}\\\xC3\xA9]{,", 8);
        d += 8;
      }
      ck_assert_uint_ge(strlen(f.documents.items[i]), (i * RMX__BLOCK / 16) / 10 * 8);
    }
    rmx_strings_release(&f.documents);
  }
  rmx_buf_release(&b);
  rmx_buf_release(&text);
  folder_remove();
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, json_lines);
  tcase_add_test(tc, broken_lines);
  tcase_add_test(tc, odd_fields_do_no_harm);
  tcase_add_test(tc, fields_beside_the_text);
  tcase_add_test(tc, json_nesting_is_bounded);
  tcase_add_test(tc, the_scanner_agrees_with_a_parser);
  tcase_add_test(tc, json_arrays_and_objects_over_lines);
  tcase_add_test(tc, alternatives_and_lists);
  tcase_add_test(tc, paths_through_lists);
  tcase_add_test(tc, lines_across_blocks);
}
