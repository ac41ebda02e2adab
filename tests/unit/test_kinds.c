// SPDX-License-Identifier: Apache-2.0
// Documents out of other kinds of files than JSON and .txt: CSV, WARC, prose and source code.
#include <iconv.h>

#include "corpus/readers/reader.h"
#include "corpus_folder.h"

// Reads a file with two further fields; each document as "text|first|second", "-" for none.
static rmx_status read_all(const char *name, const rmx__reader_options *o, rmx_strings *out,
                           uint64_t *skipped, rmx_err *err) {
  rmx__reader r;
  bool more = true;
  *out = (rmx_strings){0};
  RMX_TRY(rmx__reader_open(&r, in_folder(name), o, err));
  rmx_status status = RMX_OK;
  while (status == RMX_OK && more) {
    status = rmx__reader_next(&r, &more, err);
    if (status != RMX_OK || !more) break;
    rmx_buf b = {0};
    rmx_buf_add(&b, r.text.data, r.text.size);
    for (size_t i = 0; o->fields && i < o->fields->n; i++)
      rmx_buf_printf(&b, "|%s", r.has[i] ? r.values[i].data : "-");
    ck_assert(rmx_strings_add(out, b.data));
    rmx_buf_release(&b);
  }
  if (skipped) *skipped = r.lost.bad_lines + r.lost.no_text;
  rmx__reader_close(&r);
  if (status != RMX_OK) rmx_strings_release(out);
  return status;
}

static void check(const char *name, const rmx__reader_options *o, const char *const *documents) {
  rmx_strings found;
  must(read_all(name, o, &found, NULL, err));
  size_t n = 0;
  for (; documents[n]; n++) {
    ck_assert_uint_lt(n, found.n);
    ck_assert_str_eq(found.items[n], documents[n]);
  }
  ck_assert_uint_eq(found.n, n);
  rmx_strings_release(&found);
}
#define DOCUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static char *field_names[] = {"url", "lang"};
static const rmx_strings two_fields = {field_names, 2, 2};
static const rmx__reader_options plain = {.text_field = "text", .separator = "%"};
static const rmx__reader_options with_fields = {
    .text_field = "body, text", .separator = "%", .fields = &two_fields};

START_TEST(a_column_of_csv) {
  folder_make();
  put_text("a.csv",
           "\xEF\xBB\xBFid, url ,text\r\n1,http://a,one\r\n\r\n"
           "2,,\"two \"\"quoted\"\", with\na line, and\r\nanother\"\r\n3,\" u \", spaces stay \r\n"
           "4,x,\"\"\n5,\"\",last");
  check("a.csv", &with_fields,
        DOCUMENTS("one|http://a|-", "two \"quoted\", with\na line, and\r\nanother|-|-",
                  " spaces stay |u|-", "last|-|-"));
  put_text("b.TSV", "lang\ttext\nen\tone, \"two\"\nde\t\"with\ttab\"\n");
  check("b.TSV", &with_fields, DOCUMENTS("one, \"two\"|-|en", "with\ttab|-|de"));
  put_text("c.csv", "text;lang\n\"a;b\";en\n");
  check("c.csv", &with_fields, DOCUMENTS("a;b|-|en"));
  put_text("d.csv", "text\nonly\none column\n");
  check("d.csv", &plain, DOCUMENTS("only", "one column"));
  put_text("e.csv", "");
  check("e.csv", &plain, (const char *const[]){NULL});
  put_text("f.csv", "text,body\nfrom text,one\n,from body\n\" \",\n");
  check("f.csv", &with_fields, DOCUMENTS("one|-|-", "from body|-|-"));
  put_text("g.csv", "text,body\none,\n, two\n");
  check("g.csv", &with_fields, DOCUMENTS("one|-|-", " two|-|-"));
  folder_remove();
}
END_TEST

START_TEST(broken_csv) {
  static const struct {
    const char *text, *message;
    size_t documents;  // with skip_bad
  } bad[] = {
      {"id,txt\n1,a\n", "no column \"text\"; its columns are \"id\", \"txt\" (corpus.text_field",
       0},
      {"id,text\n1,a\n2\n3,c\n", "bad.csv:3: 1 columns, but the first line has 2", 2},
      {"id,text\n1,a,b\n", "bad.csv:2: 3 columns, but", 0},
      {"id,text\n1,\"a\nb\"\n2,\"a\" b\n3,c\n", "bad.csv:4: text after a closing quote", 2},
      {"id,text\n1,a\n2,\"never\nends", "bad.csv:3: a quoted cell without an end", 1},
  };
  folder_make();
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    put_text("bad.csv", bad[i].text);
    rmx_strings found;
    rmx__reader_options o = plain;
    must_fail(read_all("bad.csv", &o, &found, NULL, err), bad[i].message);
    o.skip_bad = true;
    if (i == 0) continue;
    uint64_t skipped;
    must(read_all("bad.csv", &o, &found, &skipped, err));
    ck_assert_uint_eq(found.n, bad[i].documents);
    ck_assert_uint_eq(skipped, i == 4 ? 2 : 1);  // each line of the last row is broken
    rmx_strings_release(&found);
  }
  folder_remove();
}
END_TEST

// Cells across blocks, and a quote that swallows the file: its memory is bounded.
START_TEST(large_csv) {
  folder_make();
  rmx_buf b = {0};
  rmx_buf_puts(&b, "text,skip\n");
  for (size_t i = 0; i < 30; i++) {
    rmx_buf_puts(&b, "\"");
    for (size_t j = 0; j < i * RMX__BLOCK / 80 + i; j++) rmx_buf_puts(&b, "ab,\"\"\ncd,");
    rmx_buf_printf(&b, "%zu\",\"x\"\"y\"\n", i);
  }
  put("a.csv", b.data, b.size);
  rmx_strings found;
  must(read_all("a.csv", &plain, &found, NULL, err));
  ck_assert_uint_eq(found.n, 30);
  for (size_t i = 0; i < 30; i++) {
    const size_t cells = i * RMX__BLOCK / 80 + i;
    ck_assert_uint_eq(strlen(found.items[i]), cells * 8 + (i < 10 ? 1 : 2));
    if (cells) ck_assert_mem_eq(found.items[i] + 8 * (cells - 1), "ab,\"\ncd,", 8);
  }
  rmx_strings_release(&found);
  rmx_buf_puts(&b, "\"");
  for (int i = 0; i < 500000; i++) rmx_buf_puts(&b, "never ends\n");
  put("a.csv", b.data, b.size);
  rmx__reader_options o = plain;
  o.max_document = 1 << 20;
  must_fail(read_all("a.csv", &o, &found, NULL, err), "a row of more than 1048576 bytes");
  rmx_buf_release(&b);
  folder_remove();
}
END_TEST

static void add_record(rmx_buf *b, const char *type, const char *content_type, const char *url,
                       const char *content) {
  rmx_buf_printf(b,
                 "WARC/1.0\r\nWARC-Type: %s\r\nwarc-target-uri: %s\r\nContent-Type: %s\r\n"
                 "Content-Length: %zu\r\n\r\n%s\r\n\r\n",
                 type, url, content_type, strlen(content), content);
}

START_TEST(warc_records) {
  folder_make();
  rmx_buf b = {0};
  add_record(&b, "warcinfo", "application/warc-fields", "-", "Software-Info: x\r\n");
  add_record(&b, "conversion", "text/plain", "http://a.org/1", "one\n\nWARC/1.0\r\nnot a header\n");
  add_record(&b, "request", "application/http", "http://a.org/2", "GET / HTTP/1.1\r\n\r\n");
  add_record(&b, "response", "application/http; msgtype=response", "http://a.org/2",
             "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\n\r\ntwo");
  add_record(&b, "response", "application/http; msgtype=response", "http://a.org/3",
             "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>three</html>");
  add_record(&b, "resource", "text/plain", "file:///four", "four");
  put("a.warc", b.data, b.size);
  char *packed = malloc(2 * b.size);
  put("a.warc.wet.gz", packed, gzip_bytes(b.data, b.size, packed, 2 * b.size));
  static const char *const names[] = {"a.warc", "a.warc.wet.gz"};
  for (int i = 0; i < 2; i++)
    check(names[i], &with_fields,
          DOCUMENTS("one\n\nWARC/1.0\r\nnot a header\n|http://a.org/1|-", "two|http://a.org/2|-",
                    "four|file:///four|-"));
  rmx_strings found;
  uint64_t skipped;
  must(read_all("a.warc", &plain, &found, &skipped, err));
  ck_assert_uint_eq(skipped, 1);
  rmx_strings_release(&found);
  put("cut.warc", b.data, b.size - 6);
  must_fail(read_all("cut.warc", &plain, &found, NULL, err), "record 6: the file ends within it");
  b.size = 0;
  add_record(&b, "response", "application/http", "http://a.org/3",
             "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>three</html>");
  put("pages.warc", b.data, b.size);
  must_fail(read_all("pages.warc", &plain, &found, NULL, err), "give the WET file");
  put_text("bad.warc", "WARC/1.0\r\nContent-Length: many\r\n\r\n");
  must_fail(read_all("bad.warc", &plain, &found, NULL, err), "record 1: its Content-Length");
  put_text("bad.warc", "hello\r\n\r\n");
  must_fail(read_all("bad.warc", &plain, &found, NULL, err), "it does not begin with WARC/");
  put_text("bad.warc",
           "WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 99999999999999\r\n\r\n");
  rmx__reader_options o = plain;
  o.max_document = 1 << 20;
  must_fail(read_all("bad.warc", &o, &found, NULL, err), "a record of more than 1048576 bytes");
  free(packed);
  rmx_buf_release(&b);
  folder_remove();
}
END_TEST

// A file is a document, whatever lines it has, unless its domain has a separator of its own.
START_TEST(files_of_text) {
  folder_make();
  static const char *const names[] = {"a.md", "b.PY", "c.tex", "d.html", "e.rst", "f.h"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    put_text(names[i], "one\n%\ntwo\n\nthree\n");
    check(names[i], &plain, DOCUMENTS("one\n%\ntwo\n\nthree"));
    rmx__reader_options o = plain;
    o.file_separator = "";
    check(names[i], &o, DOCUMENTS("one\n%\ntwo", "three"));
  }
  put_text("d.html", "<!DOCTYPE html><html><p>text</p></html>\n");
  check("d.html", &plain, DOCUMENTS("<!DOCTYPE html><html><p>text</p></html>"));
  rmx_strings found;
  must_fail((put_text("page.csv", "<html><head>"), read_all("page.csv", &plain, &found, NULL, err)),
            "this is a web page; the download failed");
  folder_remove();
}
END_TEST

// Lines that suggest that the separator is wrong.
START_TEST(lines_that_look_like_separators) {
  static const char text[] =
      "one\n<|endoftext|>\ntwo\r\n<|end_of_text|>\r\n</s>\n<eos>\n<|im_end|>\n"
      "<|endoftext|> and more\n </s>\n<s>\n<\n% a comment\n%\n%%\n\n";
  rmx__reader r;
  folder_make();
  put_text("a.txt", text);
  for (int percent = 1; percent >= 0; percent--) {
    const rmx__reader_options o = {.text_field = "text", .separator = percent ? "%" : "----"};
    bool more = true;
    must(rmx__reader_open(&r, in_folder("a.txt"), &o, err));
    while (more) must(rmx__reader_next(&r, &more, err));
    ck_assert_uint_eq(r.end_tokens, 5);
    ck_assert_uint_eq(r.comment_lines, percent ? 2 : 0);
    rmx__reader_close(&r);
  }
  folder_remove();
}
END_TEST

START_TEST(a_file_of_an_unknown_kind) {
  rmx__reader r;
  folder_make();
  put_text("a.foo", "text");
  must_fail(rmx__reader_open(&r, in_folder("a.foo"), &plain, err),
            "a.foo: unknown type of file; known are .jsonl, .json, .ndjson, .txt, .csv, .tsv, "
            ".warc, .wet, .md, .html and source code, each as it is or compressed (.gz, .zst, "
            ".zstd, .xz, .bz2, .lz4), and .parquet, .parq, .pq, .arrow, .arrows, .feather, .ipc, "
            ".bin, .npy, .mds");
  folder_remove();
}
END_TEST

static void put_converted(const char *name, const char *to, const char *mark, size_t mark_size,
                          const char *text) {
  iconv_t c = iconv_open(to, "UTF-8");
  ck_assert(c != (iconv_t)-1);
  size_t n = strlen(text), room = 4 * n + 8 + mark_size, left = room - mark_size;
  char *out = malloc(room), *at = out + mark_size, *from = (char *)text;
  memcpy(out, mark, mark_size);
  ck_assert_uint_eq(iconv(c, &from, &n, &at, &left), 0);
  put(name, out, (size_t)(at - out));
  iconv_close(c);
  free(out);
}

static const char russian[] =
    "\xD0\x94\xD0\xBE\xD0\xB1\xD1\x80\xD1\x8B\xD0\xB9 \xD0\xB4\xD0\xB5\xD0\xBD\xD1\x8C, "
    "\xD0\xBA\xD0\xB0\xD0\xBA \xD0\xB4\xD0\xB5\xD0\xBB\xD0\xB0? \xD0\xAD\xD1\x82\xD0\xBE "
    "\xD1\x80\xD1\x83\xD1\x81\xD1\x81\xD0\xBA\xD0\xB8\xD0\xB9 "
    "\xD1\x82\xD0\xB5\xD0\xBA\xD1\x81\xD1\x82.";

START_TEST(character_sets) {
  static const struct {
    const char *name, *set, *mark;
    size_t size;
  } sets[] = {{"a.txt", "UTF-16LE", "\xFF\xFE", 2},
              {"b.txt", "UTF-16BE", "\xFE\xFF", 2},
              {"c.txt", "UTF-32LE", "\xFF\xFE\0\0", 4},
              {"d.txt", "UTF-32BE", "\0\0\xFE\xFF", 4},
              {"e.txt", "UTF-16LE", "", 0},
              {"f.txt", "UTF-16BE", "", 0},
              {"g.txt", "UTF-32LE", "", 0},
              {"h.txt", "UTF-32BE", "", 0}};
  folder_make();
  const char *text = "one, two and three\n%\nna\xC3\xAFve\n";
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    put_converted(sets[i].name, sets[i].set, sets[i].mark, sets[i].size, text);
    check(sets[i].name, &plain, DOCUMENTS("one, two and three", "na\xC3\xAFve"));
  }
  put_converted("a.jsonl", "UTF-16LE", "\xFF\xFE", 2, "{\"text\": \"\xE4\xBD\xA0\\n\"}\n");
  check("a.jsonl", &plain, DOCUMENTS("\xE4\xBD\xA0\n"));
  put_converted("w.txt", "WINDOWS-1251", "", 0, russian);
  rmx__reader_options o = plain;
  o.encoding = "windows-1251";
  check("w.txt", &o, DOCUMENTS(russian));
  o.encoding = "klingon";
  rmx_strings found;
  must_fail(read_all("w.txt", &o, &found, NULL, err),
            "does not know the character set \"klingon\"");
#ifdef REGMIX_UCHARDET
  check("w.txt", &plain, DOCUMENTS(russian));
#endif
  put("few.txt", "caf\xE9 and th\xE9\n", 13);  // too few to guess
  check("few.txt", &plain, DOCUMENTS("caf\xEF\xBF\xBD and th\xEF\xBF\xBD"));
  folder_remove();
}
END_TEST

// Without a mark, other scripts than Latin have few zeros.
START_TEST(sixteen_bits_without_a_mark) {
  static const char chinese[] =
      "\xE4\xBB\x8A\xE5\xA4\xA9\xE5\xA4\xA9\xE6\xB0\x94\xE5\xBE\x88\xE5\xA5\xBD\xEF\xBC"
      "\x8C\xE6\x88\x91\xE4\xBB\xAC\xE5\x8E\xBB\xE5\x85\xAC\xE5\x9B\xAD\xE3\x80\x82\xE4"
      "\xBD\xA0\xE4\xB9\x9F\xE6\x9D\xA5\xE5\x90\xA7\xEF\xBC\x8C\xE5\xA5\xBD\xE5\x90\x97"
      "\xE3\x80\x82";
  static const char pairs[] =  // with characters that take two units
      "\xE4\xBB\x8A\xE5\xA4\xA9\xF0\x9F\x98\x80\xE5\xA4\xA9\xE6\xB0\x94\xE5\xBE\x88\xE5"
      "\xA5\xBD\xEF\xBC\x8C\xE6\x88\x91\xE4\xBB\xAC\xE5\x8E\xBB\xE5\x85\xAC\xE5\x9B\xAD"
      "\xE3\x80\x82\xF0\x9F\x98\x81\xE4\xBD\xA0\xE4\xB9\x9F\xE6\x9D\xA5\xE5\x90\xA7\xEF"
      "\xBC\x8C\xE5\xA5\xBD\xE5\x90\x97\xE3\x80\x82";
  static const char *const texts[] = {russian, chinese, pairs};
  static const char *const sets[] = {"UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"};
  folder_make();
  for (size_t t = 0; t < 3; t++)
    for (size_t i = 0; i < 4; i++) {
      put_converted("a.txt", sets[i], "", 0, texts[t]);
      check("a.txt", &plain, DOCUMENTS(texts[t]));
    }
  folder_remove();
}
END_TEST

static bool read_as_named(const char *name, const char *bytes, const char *set, const char *text) {
  rmx__reader r;
  rmx__reader_options o = plain;
  bool more;
  put_text(name, bytes);
  o.encoding = set;
  must(rmx__reader_open(&r, in_folder(name), &o, err));
  must(rmx__reader_next(&r, &more, err));
  ck_assert_str_eq(r.text.data, text);
  const bool named = !r.not_as_named;
  rmx__reader_close(&r);
  return named;
}

// What is UTF-8 is read so, whatever set is named.
START_TEST(a_named_set_and_utf8) {
  folder_make();
  const char *wanted = "na\xC3\xAFve";
  ck_assert(read_as_named("a.txt", "na\xEFve", "windows-1252", wanted));
  ck_assert(read_as_named("a.txt", "naive", "windows-1252", "naive"));
  ck_assert(!read_as_named("a.txt", wanted, "windows-1252", wanted));
  ck_assert(!read_as_named("a.txt", "\xEF\xBB\xBFnaive", "windows-1252", "naive"));
  ck_assert(!read_as_named("a.jsonl", "{\"text\": \"na\xC3\xAFve\"}\n", "cp1252", wanted));
  // UTF-8 by chance: two characters of GBK.
  ck_assert(read_as_named("a.txt", "\xC4\xA3\xC4\xA3", "GBK", "\xE6\xA8\xA1\xE6\xA8\xA1"));
  ck_assert(!read_as_named("a.txt", russian, "GBK", russian));
  // The byte that is not UTF-8 comes late.
  rmx_buf b = {0};
  while (b.size < 3 * RMX__BLOCK) rmx_buf_puts(&b, "na\xC3\xAFve ");
  const size_t size = b.size;
  rmx_buf_puts(&b, "na\xEFve");
  put("late.txt", b.data, b.size);
  rmx__reader r;
  rmx__reader_options o = plain;
  o.encoding = "windows-1252";
  bool more;
  for (int late = 0; late < 2; late++) {
    put("late.txt", b.data, late ? b.size : size);
    must(rmx__reader_open(&r, in_folder("late.txt"), &o, err));
    must(rmx__reader_next(&r, &more, err));
    ck_assert_int_eq(r.not_as_named, !late);
    rmx__reader_close(&r);
  }
  rmx_buf_release(&b);
  folder_remove();
}
END_TEST

#ifdef REGMIX_UCHARDET
START_TEST(guesses) {
  folder_make();
  rmx_buf b = {0};
  char name[64];
  rmx_buf_printf(&b, "{\"text\": \"%s\"}\n", russian);
  put_converted("a.jsonl", "WINDOWS-1251", "", 0, b.data);
  check("a.jsonl", &plain, DOCUMENTS(russian));
  // After much ASCII, for an error's message.
  b.size = 0;
  for (int i = 0; i < 50000; i++) rmx_buf_printf(&b, "line %d\n", i);
  rmx_buf_puts(&b, russian);
  put_converted("late.txt", "KOI8-R", "", 0, b.data);
  ck_assert(rmx__charset_guess_file(in_folder("late.txt"), name));
  ck_assert_str_eq(name, "KOI8-R");
  rmx_err e;
  rmx__fail_charset("r", in_folder("late.txt"), NULL, 5, 9, 0, &e);
  ck_assert(strstr(e.message, "it looks like KOI8-R: set corpus.encoding: KOI8-R, or"));
  rmx__fail_charset("r", in_folder("late.txt"), "shift_jis", 5, 9, 0, &e);
  ck_assert(strstr(e.message, "bytes are not shift_jis"));
  rmx_buf_release(&b);
  folder_remove();
}
END_TEST
#endif

// Text over many blocks, whose characters and lines end anywhere, and a character that is cut off.
START_TEST(converted_blocks) {
  folder_make();
  rmx_buf b = {0};
  for (size_t i = 0; i < 60000; i++) {
    rmx_buf_printf(&b, "%zu \xF0\x9F\x98\x80", i);
    if (i % 997 == 0) rmx_buf_puts(&b, "\n%\n");
  }
  put("plain.txt", b.data, b.size);
  put_converted("a.txt", "UTF-16LE", "\xFF\xFE", 2, b.data);
  rmx_strings wanted, found;
  must(read_all("plain.txt", &plain, &wanted, NULL, err));
  must(read_all("a.txt", &plain, &found, NULL, err));
  ck_assert_uint_eq(found.n, wanted.n);
  for (size_t i = 0; i < found.n; i++) ck_assert_str_eq(found.items[i], wanted.items[i]);
  rmx_strings_release(&wanted);
  rmx_strings_release(&found);
  put("cut.txt", "\xFF\xFEo\0n\0e\0\x3D\xD8", 10);  // half a surrogate pair
  check("cut.txt", &plain, DOCUMENTS("one\xEF\xBF\xBD\xEF\xBF\xBD"));
  rmx_buf_release(&b);
  folder_remove();
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, lines_that_look_like_separators);
  tcase_add_test(tc, a_file_of_an_unknown_kind);
  tcase_add_test(tc, a_column_of_csv);
  tcase_add_test(tc, broken_csv);
  tcase_add_test(tc, large_csv);
  tcase_add_test(tc, warc_records);
  tcase_add_test(tc, files_of_text);
  tcase_add_test(tc, character_sets);
  tcase_add_test(tc, sixteen_bits_without_a_mark);
  tcase_add_test(tc, a_named_set_and_utf8);
#ifdef REGMIX_UCHARDET
  tcase_add_test(tc, guesses);
#endif
  tcase_add_test(tc, converted_blocks);
}
