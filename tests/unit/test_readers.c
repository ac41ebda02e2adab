// SPDX-License-Identifier: Apache-2.0
// Documents out of files: text and its separators, bytes that are no UTF-8, what is broken or
// empty.
#include <sys/stat.h>
#include <utf8proc.h>

#include "corpus/utf8.h"
#include "read_documents.h"

START_TEST(text_and_its_separators) {
  folder_make();
  put_text("a.txt", "one\ntwo\n%\n\nthree\r\n%\r\n%\n \t\n%\nfour");
  check(in_folder("a.txt"), "%", DOCUMENTS("one\ntwo", "\nthree\r", "four"));
  put_text("b.txt", "one\ntwo\n\n\n \t\r\nthree % four\n%\n");
  check(in_folder("b.txt"), "", DOCUMENTS("one\ntwo", "three % four\n%"));
  check(in_folder("b.txt"), "none", DOCUMENTS("one\ntwo\n\n\n \t\r\nthree % four\n%"));
  put_text("c.txt", "\xEF\xBB\xBFmarked");
  check(in_folder("c.txt"), "%", DOCUMENTS("marked"));
  put_text("d.txt", "");
  check(in_folder("d.txt"), "%", (const char *const[]){NULL});
  folder_remove();
}
END_TEST

START_TEST(invalid_utf8_is_replaced_and_counted) {
  folder_make();
  put("a.txt", "caf\xE9 \xC3\xA9\xFF\xF0\x9F\x98", 12);  // Latin-1, good, never, cut off
  put("a.jsonl", "{\"text\": \"caf\xE9\"}\n", 17);
  struct found f;
  must(read_all(in_folder("a.txt"), "text", "%", false, &f, err));
  ck_assert_str_eq(f.documents.items[0],
                   "caf\xEF\xBF\xBD \xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  ck_assert_uint_eq(f.invalid_utf8, 5);
  rmx_strings_release(&f.documents);
  must(read_all(in_folder("a.jsonl"), "text", "%", false, &f, err));
  ck_assert_str_eq(f.documents.items[0], "caf\xEF\xBF\xBD");
  ck_assert_uint_eq(f.invalid_utf8, 1);
  rmx_strings_release(&f.documents);
  folder_remove();
}
END_TEST

// With skip_bad a broken row or object takes only itself, also if a quote in it is never closed.
START_TEST(what_follows_a_broken_row) {
  folder_make();
  rmx_buf csv = {0}, array = {0}, lines = {0}, two = {0};
  rmx_buf_puts(&csv, "id,text\n");
  rmx_buf_puts(&array, "[\n");
  for (int i = 0; i < 20000; i++) {
    const bool bad = i == 5 || i == 400 || i == 19999;
    rmx_buf_printf(&csv,
                   bad     ? "%d,\"never closed %d\n"
                   : i % 3 ? "%d,row %d\n"
                           : "%d,\"a\nb %d\"\n",
                   i, i);
    rmx_buf_printf(&array, bad ? "{\"text\": \"never closed %d},\n" : "{\"text\": \"row %d\"}%s\n",
                   i, i == 19999 ? "" : ",");
    rmx_buf_printf(&lines, bad ? "{\n \"text\": \"no %d}\n" : "{\n \"text\": \"row %d\"\n}\n", i);
    if (i == 300) rmx_buf_puts(&two, "[");
    if (i >= 300) rmx_buf_printf(&two, "%s{\"text\": \"%d\"}", i == 300 ? "" : ", ", i);
    if (i == 9999) rmx_buf_puts(&two, "]\n[{\"text\": \"first\"}");
  }
  rmx_buf_puts(&array, "]\n");
  rmx_buf_puts(&two, "]\n");
  put("a.csv", csv.data, csv.size);
  put("a.json", array.data, array.size);
  put("b.json", lines.data, lines.size);
  put("c.json", two.data, two.size);
  static const char *const names[] = {"a.csv", "a.json", "b.json", "c.json"};
  static const size_t wanted[] = {19997, 19997, 19997, 19701}, bad[] = {3, 3, 3, 1};
  for (size_t i = 0; i < 4; i++) {
    struct found f;
    must(read_all(in_folder(names[i]), "text", "%", true, &f, err));
    ck_assert_uint_ge(f.documents.n, wanted[i] - (i == 0));  // the second half of a cell is a row
    ck_assert_uint_le(f.documents.n, wanted[i]);
    ck_assert_uint_ge(f.bad_lines, bad[i]);
    ck_assert_uint_le(f.bad_lines, bad[i] + 2);
    ck_assert_uint_lt(f.bad_bytes, 200);
    rmx_strings_release(&f.documents);
    ck_assert_int_eq(read_all(in_folder(names[i]), "text", "%", false, &f, &(rmx_err){0}),
                     RMX_EINPUT);
  }
  // No file makes it read for ever: each line opens a quote and closes none.
  csv.size = 0;
  rmx_buf_puts(&csv, "text,id\n");
  for (int i = 0; i < 30000; i++) rmx_buf_printf(&csv, "\"a\"\",%d\n", i);
  put("d.csv", csv.data, csv.size);
  struct found f;
  must(read_all(in_folder("d.csv"), "text", "%", true, &f, err));
  ck_assert_uint_gt(f.bad_lines, 0);
  rmx_strings_release(&f.documents);
  rmx_buf_release(&csv), rmx_buf_release(&array), rmx_buf_release(&lines), rmx_buf_release(&two);
  folder_remove();
}
END_TEST

START_TEST(unknown_and_missing_files) {
  rmx__reader r;
  const rmx__reader_options o = {"text", "%", false, 0, NULL, NULL, NULL, NULL};
  must_fail(
      rmx__reader_open(&r, "a/b.orc", &o, err),
      "a/b.orc: unknown type of file; known are .jsonl, .json, .ndjson, .txt, .csv, .tsv, .warc, "
      ".wet, .md, .html and source code, each as it "
      "is or compressed (.gz, .zst, .zstd, .xz, .bz2, .lz4), and .parquet, .parq, .pq, .arrow, ");
  must_fail(rmx__reader_open(&r, "a/b.orc", &o, err), "; ORC is not read");
  must_fail(rmx__reader_open(&r, "x.gz", &o, err), "unknown type of file");
  must_fail(rmx__reader_open(&r, ".txt", &o, err), "unknown type of file");
  must_fail(rmx__reader_open(&r, "/nonexistent/b.txt", &o, err), "cannot read /nonexistent/b.txt");
  must_fail(rmx__reader_open(&r, "/dev/null", &o, err), "unknown type of file");
  folder_make();
  ck_assert_int_eq(mkfifo(in_folder("pipe.txt"), 0600), 0);
  must_fail(rmx__reader_open(&r, in_folder("pipe.txt"), &o, err), "it is not a regular file");
  folder_remove();
}
END_TEST

START_TEST(columns_of_one_name) {
  struct found f;
  folder_make();
  put("a.csv", "id,text,text\n1,a,b\n", 19);
  must_fail(read_all(in_folder("a.csv"), "text", "", false, &f, err),
            "a.csv:1: columns 2 and 3 are both called \"text\"");
  put("a.csv", "id,id,text\n1,2,b\n", 17);
  must(read_all(in_folder("a.csv"), "text", "", false, &f, err));  // columns that are not read
  rmx_strings_release(&f.documents);
  folder_remove();
}
END_TEST

// "" and blanks give way to the next alternative; without any text the document is counted.
START_TEST(empty_alternatives) {
  folder_make();
  put_text("a.jsonl",
           "{\"text\": \"\", \"body\": \"one\"}\n"
           "{\"text\": \" \\n\\t\", \"body\": [\"two\", \"\"]}\n"
           "{\"text\": \"\", \"body\": \" \"}\n\n"
           "{\"text\": \"\"}\n"
           "{\"text\": [\"\", null], \"body\": null}\n"
           "{\"text\": null, \"body\": \"three\"}\n");
  struct found f;
  must(read_all(in_folder("a.jsonl"), "text,body", "%", false, &f, err));
  ck_assert_uint_eq(f.documents.n, 3);
  ck_assert_str_eq(f.documents.items[0], "one");
  ck_assert_str_eq(f.documents.items[1], "two\n");
  ck_assert_str_eq(f.documents.items[2], "three");
  ck_assert_uint_eq(f.empty, 3);
  ck_assert_uint_eq(f.no_text, 0);
  rmx_strings_release(&f.documents);
  put_text("a.txt", "%\none\n%\n%\n \n%\ntwo\n%\n\n");
  must(read_all(in_folder("a.txt"), "text", "%", false, &f, err));
  ck_assert_uint_eq(f.documents.n, 2);
  ck_assert_uint_eq(f.empty, 2);
  rmx_strings_release(&f.documents);
  must(read_all(in_folder("a.txt"), "text", "", false, &f, err));
  ck_assert_uint_eq(f.empty, 0);  // blank lines in a row are no documents
  rmx_strings_release(&f.documents);
  put_text("b.md", " \n");
  must(read_all(in_folder("b.md"), "text", "%", false, &f, err));
  ck_assert_uint_eq(f.empty, 1);
  rmx_strings_release(&f.documents);
  folder_remove();
}
END_TEST

// Length of the longest valid prefix, one character at a time.
static size_t valid_by_utf8proc(const char *text, size_t size) {
  size_t i = 0;
  while (i < size) {
    utf8proc_int32_t code;
    const utf8proc_ssize_t left = size - i < 4 ? (utf8proc_ssize_t)(size - i) : 4;
    const utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text + i, left, &code);
    if (n <= 0 || code < 0) return i;
    i += (size_t)n;
  }
  return i;
}

START_TEST(valid_utf8) {
  rmx_rng rng = rmx_rng_make(10, 0, RMX_FOR_TEST);
  static const uint8_t edges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0,
                                  0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
                                  0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF, 'a'};
  char text[2000];
  for (int round = 0; round < 200000; round++) {  // any few edges
    size_t n = rmx_rng_below(&rng, 6);
    for (size_t i = 0; i < n; i++) text[i] = (char)edges[rmx_rng_below(&rng, sizeof edges)];
    ck_assert_uint_eq(rmx__utf8_valid_prefix(text, n), valid_by_utf8proc(text, n));
  }
  for (int round = 0; round < 3000; round++) {  // long text with one wrong byte, or none
    size_t n = 0;
    const uint64_t ascii = rmx_rng_below(&rng, 100);
    while (n + 4 < sizeof text) {
      const uint64_t kind = rmx_rng_below(&rng, 100);
      const int32_t code = kind < ascii    ? 'a'
                           : kind % 3 == 0 ? 0xE9
                           : kind % 3 == 1 ? 0x4E00
                                           : 0x1F600;
      n += (size_t)utf8proc_encode_char(code, (utf8proc_uint8_t *)text + n);
    }
    n -= rmx_rng_below(&rng, 4);
    if (round % 2) text[rmx_rng_below(&rng, n)] = (char)rmx_rng_below(&rng, 256);
    ck_assert_uint_eq(rmx__utf8_valid_prefix(text, n), valid_by_utf8proc(text, n));
  }
}
END_TEST

START_TEST(prefixes) {
  rmx_rng rng = rmx_rng_make(9, 0, RMX_FOR_TEST);
  char text[64];
  for (int round = 0; round < 20000; round++) {
    size_t n = rmx_rng_below(&rng, sizeof text), ascii = 0;
    for (size_t i = 0; i < n; i++)
      text[i] =
          (char)(rmx_rng_below(&rng, 30) ? rmx_rng_below(&rng, 128) : rmx_rng_below(&rng, 256));
    while (ascii < n && (uint8_t)text[ascii] < 128) ascii++;
    ck_assert_uint_eq(rmx__ascii_prefix(text, n), ascii);
    ck_assert_uint_ge(rmx__utf8_valid_prefix(text, n), ascii);
  }
  ck_assert_uint_eq(rmx__utf8_valid_prefix("ab\xC3\xA9\xC3", 5), 4);
  ck_assert_uint_eq(rmx__utf8_valid_prefix("\xED\xA0\x80", 3), 0);  // a surrogate
  ck_assert_uint_eq(rmx__utf8_valid_prefix("\xC0\x80", 2), 0);      // too long a form
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, text_and_its_separators);
  tcase_add_test(tc, invalid_utf8_is_replaced_and_counted);
  tcase_add_test(tc, what_follows_a_broken_row);
  tcase_add_test(tc, unknown_and_missing_files);
  tcase_add_test(tc, columns_of_one_name);
  tcase_add_test(tc, empty_alternatives);
  tcase_add_test(tc, valid_utf8);
  tcase_add_test(tc, prefixes);
}
