// SPDX-License-Identifier: Apache-2.0
// Files of columns. tests/fuzz/columns.py writes the same rows in many ways; they are read back
// here and changed, so that each kind of fault is met once.
#include <dirent.h>

#include "corpus/readers/reader.h"
#include "corpus_folder.h"

// The program that wrote the files has the same rows.
enum { ROWS = 20, FIELDS = 5 };

static bool text_of(int i, rmx_buf *out) {
  out->size = 0;
  if (i % 7 == 3) return false;
  rmx_buf_printf(out, "text %d ", i);
  for (int k = 0; k < i % 4; k++) rmx_buf_puts(out, "\xC3\xA9");
  for (int k = 0; k < i * 3; k++) rmx_buf_puts(out, "na");
  return true;
}

static void check_fields(const rmx__reader *r, int i) {
  char wanted[FIELDS][64];
  snprintf(wanted[0], 64, "http://host%d.example/%d", i % 3, i);
  snprintf(wanted[1], 64, "%d", i % 2 ? -i * i : i * i);
  snprintf(wanted[2], 64, "%g", i * 0.5);
  snprintf(wanted[3], 64, "%s", i % 2 ? "false" : "true");
  snprintf(wanted[4], 64, "inner %d", i);
  for (int k = 0; k < FIELDS; k++) {
    ck_assert_int_eq(r->has[k], k != 1 || i % 3 != 0);
    if (r->has[k]) ck_assert_str_eq(r->values[k].data, wanted[k]);
  }
  ck_assert(!r->has[FIELDS]);  // a list
}

static void check_rows(const char *path) {
  char *names[] = {"url", "number", "score", "flag", "meta.text", "parts"};
  const rmx_strings fields = {names, FIELDS + 1, FIELDS + 1};
  const rmx__reader_options o = {"text", "%", false, 0, &fields, NULL, NULL, NULL};
  rmx__reader r;
  rmx_buf text = {0};
  bool more;
  must(rmx__reader_open(&r, path, &o, err));
  for (int i = 0; i < ROWS; i++) {
    if (!text_of(i, &text)) continue;
    must(rmx__reader_next(&r, &more, err));
    ck_assert(more);
    ck_assert_str_eq(r.text.data, text.data);
    ck_assert_uint_eq(r.line_number, i + 1);
    check_fields(&r, i);
  }
  must(rmx__reader_next(&r, &more, err));
  ck_assert(!more);
  ck_assert_uint_eq(r.lost.no_text, 3);
  rmx__reader_close(&r);
  rmx_buf_release(&text);
}

static void check_lists(const char *path) {
  const rmx__reader_options o = {"parts", "%", false, 0, NULL, NULL, NULL, NULL};
  rmx__reader r;
  char wanted[32];
  bool more;
  must(rmx__reader_open(&r, path, &o, err));
  for (int i = 0; i < ROWS; i++) {
    if (i % 5 < 2) continue;
    must(rmx__reader_next(&r, &more, err));
    snprintf(wanted, sizeof wanted, "p%d\nq", i);
    ck_assert_str_eq(r.text.data, wanted);
  }
  must(rmx__reader_next(&r, &more, err));
  ck_assert(!more);
  rmx__reader_close(&r);
}

// Whether this build reads such a file.
static bool is_read(const char *name) {
#ifdef REGMIX_LZ4
  return true;
#else
  return !strstr(name, "lz4");
#endif
}

static void check_folder(const char *kind) {
  char path[512];
  size_t files = 0;
  snprintf(path, sizeof path, "%s/%s", SEEDS, kind);
  DIR *folder = opendir(path);
  ck_assert_ptr_nonnull(folder);
  for (struct dirent *e; (e = readdir(folder));) {
    if (e->d_name[0] == '.' || !is_read(e->d_name)) continue;
    snprintf(path, sizeof path, "%s/%s/%s", SEEDS, kind, e->d_name);
    check_rows(path);
    check_lists(path);
    files++;
  }
  closedir(folder);
  ck_assert_uint_ge(files, 5);
}

START_TEST(parquet_in_every_encoding_and_compression) {
  check_folder("parquet");
}
END_TEST

START_TEST(arrow_in_every_layout_and_compression) {
  check_folder("arrow");
}
END_TEST

// ---- faults ------------------------------------------------------------------------------------

static char *file;  // a seed, to be changed
static size_t file_size;

static void take_seed(const char *name) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", SEEDS, name);
  free(file);
  must(rmx_read_file(path, &file, &file_size, err));
}

static rmx_status read_to_end(rmx__reader *r, size_t *n, rmx_err *err) {
  for (bool more = true;;) {
    RMX_TRY(rmx__reader_next(r, &more, err));
    if (!more) return RMX_OK;
    if (n) ++*n;
  }
}

// Writes the changed seed as `name`, and reads column `text` of it. It fails with `message`.
static void fails(const char *name, const char *text, const char *message) {
  const rmx__reader_options o = {text, "%", false, 0, NULL, NULL, NULL, NULL};
  rmx__reader r;
  put(name, file, file_size);
  must(rmx__reader_open(&r, in_folder(name), &o, err));
  must_fail(read_to_end(&r, NULL, err), message);
  rmx__reader_close(&r);
}

static size_t find(const char *bytes, size_t n) {
  for (size_t i = 0; i + n <= file_size; i++)
    if (memcmp(file + i, bytes, n) == 0) return i;
  ck_abort_msg("the bytes are not in the file");
  return 0;
}

START_TEST(parquet_faults_are_named) {
  folder_make();
  take_seed("parquet/none.parquet");
  fails("a.parquet", "nix",
        "no column \"nix\"; its columns are text, url, number, score, flag, meta.text, parts");
  fails("a.parquet", "number", "column \"number\" is a whole number; wanted text");
  fails("a.parquet", "met", "no column \"met\"");
  const size_t whole = file_size;
  file_size = whole - 1;
  fails("a.parquet", "text", "cut off: its end, the footer, is missing; fetch it again");
  file_size = 10;
  fails("a.parquet", "text", "cut off");
  file_size = 0;
  fails("a.parquet", "text", "the file is empty");
  file_size = whole;
  file[whole - 5] = 1;  // size of the footer
  fails("a.parquet", "text", "its footer is larger than the file");
  file[whole - 5] = 0;
  memcpy(file + whole - 4, "PARE", 4);
  fails("a.parquet", "text", "the Parquet file is encrypted");
  memcpy(file + whole - 4, "PAR1", 4);
  file[find("text 1 ", 7) - 3] = 1;  // a length
  fails("a.parquet", "text", "column \"text\", row group 1: a value reaches out of its page");
  memcpy(file, "<!DOCTYPE html>", 15);
  fails("a.parquet", "text", "not Parquet: this is a web page");
  put("a.parquet.gz", file, file_size);
  rmx__reader r;
  const rmx__reader_options o = {"text", "%", false, 0, NULL, NULL, NULL, NULL};
  must_fail(rmx__reader_open(&r, in_folder("a.parquet.gz"), &o, err), "uncompress it");
  folder_remove();
}
END_TEST

START_TEST(parquet_pages_are_checked) {
  folder_make();
  take_seed("parquet/dictionary.parquet");
  file[find("text 1 ", 7)] = 'T';
  fails("a.parquet", "text", "a page does not have its checksum");
  take_seed("parquet/snappy.parquet");
  file[find("text 0 ", 7) - 5] = '\xFF';  // no literal, but a copy from far before
  fails("a.parquet", "text", "a page cannot be decompressed: ");
  take_seed("parquet/zstd-v2.parquet");
  file[find("\x28\xB5\x2F\xFD", 4) + 8] ^= 64;
  fails("a.parquet", "text", "row group 1: a page ");
  folder_remove();
}
END_TEST

START_TEST(arrow_faults_are_named) {
  folder_make();
  take_seed("arrow/file.arrow");
  fails("a.arrow", "nix",
        "no column \"nix\"; its columns are text, url, number, score, flag, meta.text, parts");
  fails("a.arrow", "number", "column \"number\" is a whole number; wanted text");
  const size_t whole = file_size;
  file_size = whole - 1;
  fails("a.arrow", "text", "cut off: its end, the footer, is missing; fetch it again");
  file_size = whole;
  memset(file + whole - 10, 127, 4);  // size of the footer
  fails("a.arrow", "text", "its footer is larger than it");
  memcpy(file, "FEA1", 4);
  fails("a.feather", "text", "Feather of version 1 is not read");
  memcpy(file, "PAR1", 4);
  fails("a.arrow", "text", "not Arrow: this is a Parquet file; end its name in .parquet");
  take_seed("arrow/plain.arrow");
  file_size -= 100;
  fails("a.arrow", "text", "the Arrow file is cut off, in a message; fetch it again");
  take_seed("arrow/plain.arrow");
  file[find("text 0 ", 7) - 13] = 1;  // an offset
  fails("a.arrow", "text", "broken Arrow file: ");
  take_seed("arrow/plain-zstd.arrow");
  file[find("\x28\xB5\x2F\xFD", 4) + 8] ^= 64;
  fails("a.arrow", "text", "broken Arrow file: ");
  file_size = 3;
  fails("a.arrow", "text", "not Arrow");
  folder_remove();
}
END_TEST

START_TEST(alternatives_of_the_text) {
  static const char *const files[] = {"parquet/snappy.parquet", "arrow/view.arrow"};
  char path[512];
  bool more;
  folder_make();
  for (size_t i = 0; i < 2; i++) {
    const rmx__reader_options o = {.text_field = "content , url,text", .separator = "%"};
    rmx__reader r;
    snprintf(path, sizeof path, "%s/%s", SEEDS, files[i]);
    must(rmx__reader_open(&r, path, &o, err));
    must(rmx__reader_next(&r, &more, err));
    ck_assert_str_eq(r.text.data, "http://host0.example/0");
    rmx__reader_close(&r);
  }
  take_seed(files[0]);
  fails("a.parquet", "content, body", "no column \"content, body\"; its columns are text, url");
  folder_remove();
}
END_TEST

// Each row takes the first alternative with text; a field that is no column is missing.
START_TEST(alternatives_of_each_row) {
  static const char *const files[] = {"parquet/snappy.parquet", "arrow/view.arrow"};
  char *names[] = {"nix", "meta.text"};
  const rmx_strings fields = {names, 2, 2};
  const rmx__reader_options o = {.text_field = "text,url", .separator = "%", .fields = &fields};
  char path[512], url[64];
  bool more;
  for (size_t k = 0; k < 2; k++) {
    rmx__reader r;
    rmx_buf text = {0};
    snprintf(path, sizeof path, "%s/%s", SEEDS, files[k]);
    must(rmx__reader_open(&r, path, &o, err));
    for (int i = 0; i < ROWS; i++) {
      must(rmx__reader_next(&r, &more, err));
      snprintf(url, sizeof url, "http://host%d.example/%d", i % 3, i);
      ck_assert_str_eq(r.text.data, text_of(i, &text) ? text.data : url);
      ck_assert(!r.has[0] && r.has[1]);
    }
    ck_assert_uint_eq(r.lost.no_text + r.lost.empty, 0);
    rmx__reader_close(&r);
    rmx_buf_release(&text);
  }
}
END_TEST

START_TEST(a_row_has_a_limit) {
  folder_make();
  take_seed("parquet/delta-bytes.parquet");
  put("a.parquet", file, file_size);
  rmx__reader r;
  rmx__reader_options o = {"text", "%", false, 100, NULL, NULL, NULL, NULL};
  must(rmx__reader_open(&r, in_folder("a.parquet"), &o, err));
  must_fail(read_to_end(&r, NULL, err), "a.parquet:16: a row of more than 100 bytes");
  rmx__reader_close(&r);
  o.skip_bad = true;
  must(rmx__reader_open(&r, in_folder("a.parquet"), &o, err));
  size_t n = 0;
  must(read_to_end(&r, &n, err));
  ck_assert_uint_eq(r.lost.bad_lines, 4);
  ck_assert_uint_eq(n, ROWS - 3 - 4);
  rmx__reader_close(&r);
  folder_remove();
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, parquet_in_every_encoding_and_compression);
  tcase_add_test(tc, parquet_faults_are_named);
  tcase_add_test(tc, parquet_pages_are_checked);
  tcase_add_test(tc, arrow_in_every_layout_and_compression);
  tcase_add_test(tc, arrow_faults_are_named);
  tcase_add_test(tc, alternatives_of_the_text);
  tcase_add_test(tc, alternatives_of_each_row);
  tcase_add_test(tc, a_row_has_a_limit);
}
