// SPDX-License-Identifier: Apache-2.0
// Documents out of files: text and JSON Lines, plain and packed, whole and broken.
#include <sys/stat.h>
#ifdef REGMIX_LZMA
#include <lzma.h>
#endif
#ifdef REGMIX_BZ2
#include <bzlib.h>
#endif
#ifdef REGMIX_LZ4
#include <lz4frame.h>
#endif
#include <utf8proc.h>

#include "base/json.h"
#include "corpus/readers/json_scan.h"
#include "corpus/readers/reader.h"
#include "corpus/utf8.h"
#include "corpus_folder.h"

struct found {
  rmx_strings documents;
  uint64_t bad_lines, bad_bytes, no_text, empty, invalid_utf8, surrogates;
};

static rmx_status read_all(const char *path, const char *field, const char *separator,
                           bool skip_bad, struct found *out, rmx_err *err) {
  rmx__reader r;
  *out = (struct found){0};
  const rmx__reader_options o = {field, separator, skip_bad, 0, NULL, NULL, NULL, NULL};
  RMX_TRY(rmx__reader_open(&r, path, &o, err));
  rmx_status status = RMX_OK;
  bool more = true;
  while (status == RMX_OK && more) {
    status = rmx__reader_next(&r, &more, err);
    if (more && status == RMX_OK) ck_assert(rmx_strings_add(&out->documents, r.text.data));
  }
  out->bad_lines = r.lost.bad_lines;
  out->no_text = r.lost.no_text;
  out->bad_bytes = r.lost.bad_bytes;
  out->empty = r.lost.empty;
  out->invalid_utf8 = r.lost.invalid_utf8;
  out->surrogates = r.lost.surrogates;
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

#ifdef REGMIX_LZMA
static size_t xz_bytes(const char *text, size_t size, char *out, size_t room) {
  size_t n = 0;
  ck_assert_int_eq(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, (const uint8_t *)text, size,
                                           (uint8_t *)out, &n, room),
                   LZMA_OK);
  return n;
}
#endif
#ifdef REGMIX_BZ2
static size_t bzip2_bytes(const char *text, size_t size, char *out, size_t room) {
  unsigned n = (unsigned)room;
  ck_assert_int_eq(BZ2_bzBuffToBuffCompress(out, &n, (char *)text, (unsigned)size, 1, 0, 0), BZ_OK);
  return n;
}
#endif
#ifdef REGMIX_LZ4
static size_t lz4_bytes(const char *text, size_t size, char *out, size_t room) {
  const LZ4F_preferences_t as_the_program = {
      .frameInfo = {.contentChecksumFlag = LZ4F_contentChecksumEnabled}};
  const size_t n = LZ4F_compressFrame(out, room, text, size, &as_the_program);
  ck_assert(!LZ4F_isError(n));
  return n;
}
#endif

static const struct {
  const char *suffix;
  size_t (*pack)(const char *text, size_t size, char *out, size_t room);
} packers[] = {
    {".gz", gzip_bytes},   {".zst", zstd_bytes}, {".ZSTD", zstd_bytes},
#ifdef REGMIX_LZMA
    {".xz", xz_bytes},
#endif
#ifdef REGMIX_BZ2
    {".bz2", bzip2_bytes},
#endif
#ifdef REGMIX_LZ4
    {".lz4", lz4_bytes},
#endif
};
enum { PACKERS = sizeof packers / sizeof *packers };

// Each whole, and as two streams in a row, as pigz and cat make them.
START_TEST(packed_files) {
  folder_make();
  size_t size;
  char *text = much_text(&size), *packed = malloc(2 * size);
  struct found plain, other;
  put("a.txt", text, size);
  must(read_all(in_folder("a.txt"), "text", "%", false, &plain, err));
  ck_assert_uint_eq(plain.documents.n, 40000);
  const size_t half = (size_t)(strstr(text + size / 2, "%\n") + 2 - text);
  for (size_t p = 0; p < PACKERS; p++)
    for (int two = 0; two < 2; two++) {
      char name[32];
      snprintf(name, sizeof name, "b.txt%s", packers[p].suffix);
      size_t n = packers[p].pack(text, two ? half : size, packed, 2 * size);
      if (two) n += packers[p].pack(text + half, size - half, packed + n, 2 * size - n);
      put(name, packed, n);
      must(read_all(in_folder(name), "text", "%", false, &other, err));
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
  for (size_t p = 0; p < PACKERS; p++) {
    char name[32];
    snprintf(name, sizeof name, "a.txt%s", packers[p].suffix);
    size_t n = packers[p].pack(text, size, packed, 2 * size);
    size_t cuts[] = {0, 1, 5, 12, 100, n / 2, n - 9, n - 1, n / 2 > RMX__BLOCK ? RMX__BLOCK : 99};
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

// What a download or a second compression leaves under a name that is known.
START_TEST(files_that_are_something_else) {
  static const char xml[] =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code></Error>\n";
  static const struct {
    const char *name, *bytes, *message;
  } files[] = {
      {"a.jsonl", xml, "a.jsonl: this is the error AccessDenied of a server; the download failed"},
      {"a.csv", xml, "a.csv: this is the error AccessDenied"},
      {"a.jsonl.gz", xml, "broken gzip file: it is the error AccessDenied"},
      {"a.parquet", xml, "not Parquet: this is the error AccessDenied"},
      {"a.jsonl", "\n <Error><Code>NoSuchKey</Code>", "this is the error NoSuchKey"},
      {"a.jsonl", "<?xml version=\"1.0\"?><r/>", "a.jsonl: this is XML"},
      {"a.jsonl", "<HEAD><TITLE>404", "this is a web page; the download failed"},
      {"a.jsonl", "Entry not found", "at byte 7 of the line, which begins \"Entry not found\""},
  };
  struct found f;
  folder_make();
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    put_text(files[i].name, files[i].bytes);
    must_fail(read_all(in_folder(files[i].name), "text", "%", false, &f, err), files[i].message);
  }
  char once[512], twice[512];
  size_t n = gzip_bytes("{\"text\": \"a\"}\n", 14, once, sizeof once);
  put("b.jsonl.gz", twice, gzip_bytes(once, n, twice, sizeof twice));
  must_fail(read_all(in_folder("b.jsonl.gz"), "text", "%", false, &f, err),
            "it is compressed twice: in this gzip file is a gzip file; uncompress it once");
  put("b.jsonl.zst", twice, zstd_bytes(once, n, twice, sizeof twice));
  must_fail(read_all(in_folder("b.jsonl.zst"), "text", "%", false, &f, err),
            "in this Zstandard file is a gzip file");
  char wanted[100];
  for (size_t p = 0; p < PACKERS; p++) {
    if (strcmp(packers[p].suffix, ".xz") == 0) continue;  // liblzma calls it damaged
    n = packers[p].pack("{\"text\": \"a\"}\n", 14, once, sizeof once);
    memcpy(once + n, "garbage and more", 16);
    char name[32];
    snprintf(name, sizeof name, "c.jsonl%s", packers[p].suffix);
    put(name, once, n + 16);
    snprintf(wanted, sizeof wanted, "it ends well at byte %zu, but what follows is not", n);
    must_fail(read_all(in_folder(name), "text", "%", false, &f, err), wanted);
  }
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

START_TEST(files_are_named_for_what_they_are) {
  static const struct {
    const char *name, *bytes;
    size_t size;
    const char *message;
  } files[] = {
      {"a.jsonl", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n", 50,
       "a Git LFS pointer"},
      {"a.txt", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n", 50, "git lfs pull"},
      {"a.json.gz", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n", 50,
       "broken gzip file: it is a Git LFS pointer"},
      {"a.jsonl.zst", "<!DOCTYPE html><html><head>", 27, "broken Zstandard file: it is a web page"},
      {"a.jsonl", "\n<html><head><title>403", 23, "this is a web page; the download failed"},
      {"a.txt.gz", "plain text\n", 11, "broken gzip file: it is not compressed"},
      {"a.txt", "h\0\0\0e\0l\0\1\1", 10, "many of its bytes are zero"},
      {"a.txt", "PAR1\x15\x04", 6, "a Parquet file"},
      {"a.jsonl", "\x1F\x8B\x08\0", 4, "a gzip file; end its name in .gz"},
  };
  folder_make();
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    struct found f;
    put(files[i].name, files[i].bytes, files[i].size);
    must_fail(read_all(in_folder(files[i].name), "text", "%", false, &f, err), files[i].message);
    must_fail(read_all(in_folder(files[i].name), "text", "%", true, &f, err), files[i].name);
  }
  folder_remove();
}
END_TEST

// A hundred megabytes in ten kilobytes: what is kept of them is bounded.
START_TEST(lines_and_documents_have_a_limit) {
  folder_make();
  const size_t size = 100 << 20;
  char *zeros = malloc(size), *packed = malloc(2 * size);
  char names[PACKERS + 1][32];
  memset(zeros, 'a', size);
  memcpy(zeros, "{\"text\": \"", 10);
  static const char tail[] = "\"}\n{\"text\": \"short\"}\n";
  memcpy(zeros + size - strlen(tail), tail, strlen(tail));
  for (size_t p = 0; p < PACKERS; p++) {
    snprintf(names[p], sizeof names[p], "bomb.jsonl%s", packers[p].suffix);
    put(names[p], packed, packers[p].pack(zeros, size, packed, 2 * size));
  }
  free(packed);
  put_text("lines.txt", "short\n%\none\ntwo\nthree\nfour\nfive\n%\nlast\n");
  strcpy(names[PACKERS], "lines.txt");
  for (int i = 0; i <= PACKERS; i++)
    for (int skip = 0; skip < 2; skip++) {
      rmx__reader r;
      rmx__reader_options o = {"text", "%",  skip, i == PACKERS ? 12 : 1 << 20,
                               NULL,   NULL, NULL, NULL};
      bool more = true;
      size_t n = 0;
      must(rmx__reader_open(&r, in_folder(names[i]), &o, err));
      rmx_err e = {0};
      while (more && rmx__reader_next(&r, &more, &e) == RMX_OK) n += more;
      if (i == PACKERS) {
        ck_assert_uint_eq(n, 1);
        ck_assert_ptr_nonnull(strstr(e.message, "lines.txt:5: a document of more than 12 bytes"));
      } else if (skip) {
        ck_assert_int_eq(e.status, RMX_OK);
        ck_assert_uint_eq(n, 1);
        ck_assert_uint_eq(r.lost.bad_lines, 1);
      } else {
        ck_assert_ptr_nonnull(strstr(
            e.message,
            ":1: a line of more than 1048576 bytes: divide it, or raise corpus.max_document"));
      }
      ck_assert_uint_le(r.input.long_line.capacity, 4 << 20);
      rmx__reader_close(&r);
    }
  free(zeros);
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

static void add_tests(TCase *tc) {
  tcase_add_test(tc, text_and_its_separators);
  tcase_add_test(tc, json_lines);
  tcase_add_test(tc, broken_lines);
  tcase_add_test(tc, invalid_utf8_is_replaced_and_counted);
  tcase_add_test(tc, packed_files);
  tcase_add_test(tc, cut_off_and_damaged_archives);
  tcase_add_test(tc, what_follows_a_broken_row);
  tcase_add_test(tc, files_that_are_something_else);
  tcase_add_test(tc, unknown_and_missing_files);
  tcase_add_test(tc, odd_fields_do_no_harm);
  tcase_add_test(tc, fields_beside_the_text);
  tcase_add_test(tc, json_nesting_is_bounded);
  tcase_add_test(tc, the_scanner_agrees_with_a_parser);
  tcase_add_test(tc, json_arrays_and_objects_over_lines);
  tcase_add_test(tc, files_are_named_for_what_they_are);
  tcase_add_test(tc, lines_and_documents_have_a_limit);
  tcase_add_test(tc, alternatives_and_lists);
  tcase_add_test(tc, empty_alternatives);
  tcase_add_test(tc, paths_through_lists);
  tcase_add_test(tc, lines_across_blocks);
  tcase_add_test(tc, valid_utf8);
  tcase_add_test(tc, prefixes);
}
