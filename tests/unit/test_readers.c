// SPDX-License-Identifier: Apache-2.0
// Documents out of files: text and JSON Lines, plain and packed, whole and broken.
#include "corpus/reader.h"
#include "corpus/utf8.h"
#include "corpus_folder.h"

struct found {
  rmx_strings documents;
  uint64_t bad_lines, invalid_utf8;
};

static rmx_status read_all(const char *path, const char *field, const char *separator, bool skip_bad,
                           struct found *out, rmx_err *err) {
  rmx__reader r;
  *out = (struct found){0};
  RMX_TRY(rmx__reader_open(&r, path, field, separator, skip_bad, err));
  rmx_status status = RMX_OK;
  bool more = true;
  while (status == RMX_OK && more) {
    status = rmx__reader_next(&r, &more, err);
    if (more && status == RMX_OK) ck_assert(rmx_strings_add(&out->documents, r.text.data));
  }
  out->bad_lines = r.bad_lines;
  out->invalid_utf8 = r.invalid_utf8;
  rmx__reader_close(&r);
  if (status != RMX_OK) rmx_strings_release(&out->documents);
  return status;
}

static void check(const char *path, const char *separator, const char *const *documents) {
  struct found f;
  must(read_all(path, "text", separator, false, &f, err));
  size_t n = 0;
  for (; documents[n]; n++) {
    ck_assert_uint_lt(n, f.documents.n);
    ck_assert_str_eq(f.documents.items[n], documents[n]);
  }
  ck_assert_uint_eq(f.documents.n, n);
  rmx_strings_release(&f.documents);
}
#define DOCUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

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

START_TEST(json_lines) {
  folder_make();
  put_text("a.jsonl",
           "{\"text\": \"one\"}\n\n{\"id\": 3, \"text\": \"a\\nb \\u00e9 \\ud83d\\ude00\"}\r\n{\"text\": \"  "
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
  } bad[] = {{"{\"text\": \"cut", "b.jsonl:2: not JSON"},
             {"{\"body\": \"x\"}", "b.jsonl:2: \"text\" is missing"},
             {"{\"text\": 7}", "b.jsonl:2: \"text\" is not a string"},
             {"[\"text\"]", "b.jsonl:2: not a JSON object"},
             {"{\"text\": \"\\ud800\"}", "b.jsonl:2: not JSON"}};
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
    ck_assert_uint_eq(f.bad_lines, 1);
    rmx_strings_release(&f.documents);
  }
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

// Text that fills several blocks, compresses badly, and has one document a line.
static char *much_text(size_t *size) {
  rmx_buf b = {0};
  rmx_rng rng = rmx_rng_make(1, 0, RMX_FOR_TEST);
  for (int i = 0; i < 40000; i++) rmx_buf_printf(&b, "%d %08x\n%%\n", i, rmx_rng_u32(&rng));
  *size = b.size;
  return b.data;
}

START_TEST(packed_files) {
  folder_make();
  size_t size;
  char *text = much_text(&size), *packed = malloc(2 * size);
  put("a.txt", text, size);
  size_t gz = gzip_bytes(text, size, packed, 2 * size);
  put("a.txt.gz", packed, gz);
  size_t half = (size_t)(strstr(text + size / 2, "%\n") + 2 - text),
         one = gzip_bytes(text, half, packed, 2 * size);
  size_t two = gzip_bytes(text + half, size - half, packed + one, 2 * size - one);
  put("two.txt.gz", packed, one + two);  // members in a row, as pigz and cat make them
  size_t zst = zstd_bytes(text, size, packed, 2 * size);
  put("a.txt.zst", packed, zst);
  one = zstd_bytes(text, half, packed, 2 * size);
  two = zstd_bytes(text + half, size - half, packed + one, 2 * size - one);
  put("two.txt.zst", packed, one + two);
  struct found plain, other;
  must(read_all(in_folder("a.txt"), "text", "%", false, &plain, err));
  ck_assert_uint_eq(plain.documents.n, 40000);
  static const char *const names[] = {"a.txt.gz", "two.txt.gz", "a.txt.zst", "two.txt.zst"};
  for (int i = 0; i < 4; i++) {
    must(read_all(in_folder(names[i]), "text", "%", false, &other, err));
    ck_assert_uint_eq(other.documents.n, plain.documents.n);
    for (size_t j = 0; j < plain.documents.n; j++)
      ck_assert_str_eq(plain.documents.items[j], other.documents.items[j]);
    rmx_strings_release(&other.documents);
  }
  rmx_strings_release(&plain.documents);
  free(text);
  free(packed);
  folder_remove();
}
END_TEST

// Cut off anywhere, an archive is an error; never a shorter corpus.
START_TEST(cut_off_and_damaged_archives) {
  folder_make();
  size_t size;
  char *text = much_text(&size), *packed = malloc(2 * size);
  struct found f;
  for (int z = 0; z < 2; z++) {
    const char *name = z ? "a.txt.zst" : "a.txt.gz";
    size_t n = (z ? zstd_bytes : gzip_bytes)(text, size, packed, 2 * size);
    size_t cuts[] = {0, 1, 5, 12, 100, n / 2, RMX__BLOCK, n - 9, n - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
      put(name, packed, cuts[i]);
      must_fail(read_all(in_folder(name), "text", "%", false, &f, err), "ends too early");
      must_fail(read_all(in_folder(name), "text", "%", false, &f, err), name);
    }
    packed[n / 2] ^= 0x55;
    packed[n / 2 + 1] ^= 0x55;
    put(name, packed, n);
    rmx_err damage = {0};
    ck_assert_int_eq(read_all(in_folder(name), "text", "%", false, &f, &damage), RMX_EINPUT);
    put(name, text, size);  // not packed at all
    must_fail(read_all(in_folder(name), "text", "%", false, &f, err), "broken");
  }
  free(text);
  free(packed);
  folder_remove();
}
END_TEST

START_TEST(unknown_and_missing_files) {
  rmx__reader r;
  must_fail(rmx__reader_open(&r, "a/b.parquet", "text", "%", false, err),
            "a/b.parquet: unknown kind of file; known are .jsonl, .txt, each as it is or packed (.gz, .zst)");
  must_fail(rmx__reader_open(&r, "x.gz", "text", "%", false, err), "unknown kind of file");
  must_fail(rmx__reader_open(&r, ".txt", "text", "%", false, err), "unknown kind of file");
  must_fail(rmx__reader_open(&r, "/nonexistent/b.txt", "text", "%", false, err),
            "cannot read /nonexistent/b.txt");
}
END_TEST

START_TEST(prefixes) {
  rmx_rng rng = rmx_rng_make(9, 0, RMX_FOR_TEST);
  char text[64];
  for (int round = 0; round < 20000; round++) {
    size_t n = rmx_rng_below(&rng, sizeof text), ascii = 0;
    for (size_t i = 0; i < n; i++)
      text[i] = (char)(rmx_rng_below(&rng, 30) ? rmx_rng_below(&rng, 128) : rmx_rng_below(&rng, 256));
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
  tcase_add_test(tc, json_lines);
  tcase_add_test(tc, broken_lines);
  tcase_add_test(tc, invalid_utf8_is_replaced_and_counted);
  tcase_add_test(tc, packed_files);
  tcase_add_test(tc, cut_off_and_damaged_archives);
  tcase_add_test(tc, unknown_and_missing_files);
  tcase_add_test(tc, prefixes);
}
