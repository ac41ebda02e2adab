// SPDX-License-Identifier: Apache-2.0
// Documents out of packed files, whole and broken, and out of files that are not what their name
// says.
#ifdef REGMIX_LZMA
#include <lzma.h>
#endif
#ifdef REGMIX_BZ2
#include <bzlib.h>
#endif
#ifdef REGMIX_LZ4
#include <lz4frame.h>
#endif

#include "read_documents.h"

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

// Many megabytes in ten kilobytes: what is kept of them is bounded.
START_TEST(lines_and_documents_have_a_limit) {
  folder_make();
  const size_t size = (FEW_CASES ? 20 : 100) << 20;
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

static void add_tests(TCase *tc) {
  tcase_add_test(tc, packed_files);
  tcase_add_test(tc, cut_off_and_damaged_archives);
  tcase_add_test(tc, files_that_are_something_else);
  tcase_add_test(tc, files_are_named_for_what_they_are);
  tcase_add_test(tc, lines_and_documents_have_a_limit);
}
