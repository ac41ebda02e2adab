// SPDX-License-Identifier: Apache-2.0
// Parquet files that are written here field by field, so that each field of the footer and of a
// page can be missing or wrong; and the kinds of numbers. Column x is as the test wants it, column
// t has two texts.
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "corpus/readers/cell.h"
#include "corpus/readers/codec.h"
#include "corpus/readers/reader.h"
#include "corpus_folder.h"

#define NONE INT64_MIN  // the field is not written

struct spec {
  int64_t type, width, repetition, converted, bits, is_signed, children;  // of the schema
  int64_t page_type, page_size, page_packed, page_values, encoding, definition, crc;
  int64_t leaf_type, codec, values, size, data_at, dictionary_at, elsewhere, encrypted, metadata;
  int64_t group_rows, columns, group_columns, keys;
  const char *name;
  const char *more;  // a further field of the footer and of the page: its type and its bytes
  size_t more_size;
};

static const struct spec text_column = {.type = 6,
                                        .width = NONE,
                                        .converted = NONE,
                                        .bits = NONE,
                                        .children = 2,
                                        .page_size = NONE,
                                        .page_packed = NONE,
                                        .page_values = 2,
                                        .definition = 3,
                                        .crc = NONE,
                                        .leaf_type = 6,
                                        .values = 2,
                                        .size = NONE,
                                        .data_at = 4,
                                        .dictionary_at = NONE,
                                        .elsewhere = NONE,
                                        .encrypted = NONE,
                                        .metadata = 1,
                                        .group_rows = 2,
                                        .columns = 2,
                                        .group_columns = 1,
                                        .keys = NONE,
                                        .name = "x"};
static const char two_texts[] = "\3\0\0\0one\5\0\0\0three";
enum { TWO_TEXTS = sizeof two_texts - 1 };

// ---- Thrift's compact protocol

enum { I32 = 5, I64, BINARY = 8, LIST, STRUCT = 12 };

static void varint(rmx_buf *b, uint64_t x) {
  for (; x > 127; x >>= 7) rmx_buf_add(b, &(char){(char)(x | 128)}, 1);
  rmx_buf_add(b, &(char){(char)x}, 1);
}

static void head(rmx_buf *b, int *last, int id, int type) {
  rmx_buf_add(b, &(char){(char)((id - *last) << 4 | type)}, 1);
  *last = id;
}

static void number(rmx_buf *b, int *last, int id, int type, int64_t x) {
  if (x == NONE) return;
  head(b, last, id, type);
  varint(b, (uint64_t)x << 1 ^ (uint64_t)(x >> 63));
}

static void name(rmx_buf *b, int *last, int id, const char *text) {
  head(b, last, id, BINARY);
  varint(b, strlen(text));
  rmx_buf_puts(b, text);
}

static void list(rmx_buf *b, int *last, int id, int64_t n) {
  head(b, last, id, LIST);
  rmx_buf_add(b, &(char){(char)(n << 4 | STRUCT)}, 1);
}

static void stop(rmx_buf *b) {
  rmx_buf_add(b, "", 1);
}

static void further(rmx_buf *b, int *last, int id, const struct spec *s) {
  if (!s->more) return;
  head(b, last, id, s->more[0]);
  rmx_buf_add(b, s->more + 1, s->more_size - 1);
}

// ---- the file

static void add_page(rmx_buf *b, const struct spec *s, const void *values, size_t size) {
  int last = 0, inner = 0;
  number(b, &last, 1, I32, s->page_type);
  number(b, &last, 2, I32, s->page_size == NONE ? (int64_t)size : s->page_size);
  number(b, &last, 3, I32, s->page_packed == NONE ? (int64_t)size : s->page_packed);
  number(b, &last, 4, I32, s->crc);
  head(b, &last, 5, STRUCT);
  number(b, &inner, 1, I32, s->page_values);
  number(b, &inner, 2, I32, s->encoding);
  number(b, &inner, 3, I32, s->definition);
  number(b, &inner, 4, I32, 3);
  further(b, &inner, 5, s);
  stop(b);
  further(b, &last, 6, s);
  stop(b);
  rmx_buf_add(b, values, size);
}

static void add_integer_type(rmx_buf *b, const struct spec *s) {
  int type = 0, width = 0;
  head(b, &type, 10, STRUCT);
  head(b, &width, 1, 3);  // a byte
  rmx_buf_add(b, &(char){(char)s->bits}, 1);
  head(b, &width, 2, s->is_signed ? 1 : 2);
  stop(b);
  stop(b);
}

static void add_element(rmx_buf *b, const struct spec *s) {
  int at = 0;
  number(b, &at, 1, I32, s->type);
  number(b, &at, 2, I32, s->width);
  number(b, &at, 3, I32, s->repetition);
  name(b, &at, 4, s->name);
  number(b, &at, 6, I32, s->converted);
  if (s->bits != NONE) {
    head(b, &at, 10, STRUCT);
    add_integer_type(b, s);
  }
  stop(b);
}

static void add_chunk(rmx_buf *b, const struct spec *s) {
  int at = 0, inner = 0;
  if (s->elsewhere != NONE) name(b, &at, 1, s->elsewhere ? "other.parquet" : "");
  number(b, &at, 2, I64, 4);
  if (s->metadata != NONE) {
    head(b, &at, 3, STRUCT);
    number(b, &inner, 1, I32, s->leaf_type);
    number(b, &inner, 4, I32, s->codec);
    number(b, &inner, 5, I64, s->values);
    further(b, &inner, 6, s);
    number(b, &inner, 7, I64, s->size);
    number(b, &inner, 9, I64, s->data_at);
    number(b, &inner, 11, I64, s->dictionary_at);
    stop(b);
  }
  if (s->encrypted == 8) head(b, &at, 8, STRUCT), stop(b);
  if (s->encrypted == 9) name(b, &at, 9, "key");
  stop(b);
}

static void add_group(rmx_buf *b, const struct spec *x, const struct spec *t) {
  int at = 0;
  if (x->group_columns != NONE) {
    list(b, &at, 1, x->columns);
    for (int64_t i = 0; i < x->columns; i++) add_chunk(b, i ? t : x);
  }
  number(b, &at, 3, I64, x->group_rows);
  stop(b);
}

static void add_footer(rmx_buf *b, const struct spec *x, const struct spec *t) {
  int last = 0, root = 0;
  number(b, &last, 1, I32, 1);
  list(b, &last, 2, 3);
  name(b, &root, 4, "schema");
  number(b, &root, 5, I32, x->children);
  stop(b);
  add_element(b, x);
  add_element(b, t);
  further(b, &last, 3, x);
  list(b, &last, 4, 1);
  add_group(b, x, t);
  if (x->keys != NONE) head(b, &last, 8, STRUCT), stop(b);
  stop(b);
}

// The bytes of the values of column x. Its chunk has the size that it has unless a size is set.
static const char *write_file(const struct spec *wanted, const void *values, size_t size) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf b = {0};
  struct spec x = *wanted, t = text_column;
  rmx_buf_puts(&b, "PAR1");
  add_page(&b, &x, values, size);
  if (x.size == NONE) x.size = (int64_t)b.size - 4;
  t.name = "t";
  t.data_at = (int64_t)b.size;
  add_page(&b, &t, two_texts, TWO_TEXTS);
  t.size = (int64_t)b.size - t.data_at;
  const size_t end = b.size;
  add_footer(&b, &x, &t);
  const uint32_t footer = (uint32_t)(b.size - end);
  rmx_buf_add(&b, &footer, 4);  // the processors that this is tested on are little-endian
  rmx_buf_puts(&b, "PAR1");
  put("a.parquet", b.data, b.size);
  return in_folder("a.parquet");
}

// ---- what is read

static rmx_status read_text(const char *path, rmx_strings *out, rmx_err *err) {
  const rmx__reader_options o = {.text_field = "x", .separator = "%"};
  rmx__reader r;
  bool more = true;
  RMX_TRY(rmx__reader_open(&r, path, &o, err));
  rmx_status status = RMX_OK;
  uint64_t before = 0;
  while (status == RMX_OK && more) {
    status = rmx__reader_next(&r, &more, err);
    ck_assert_uint_ge(r.input.compressed, before);  // bytes that are read, for the progress
    before = r.input.compressed;
    if (status == RMX_OK && more) ck_assert(rmx_strings_add(out, r.text.data));
  }
  if (status == RMX_OK) {
    RMX_OWNED char *whole = NULL;
    size_t size;
    must(rmx_read_file(path, &whole, &size, err));
    ck_assert_uint_gt(before, size / 2);
    ck_assert_uint_lt(before, 2 * size);
  }
  rmx__reader_close(&r);
  return status;
}

static void check_fault(size_t member, int64_t value, const char *message) {
  struct spec s = text_column;
  rmx_strings found = {0};
  memcpy((char *)&s + member, &value, sizeof value);
  const char *path = write_file(&s, two_texts, TWO_TEXTS);
  if (message) {
    must_fail(read_text(path, &found, err), message);
  } else {
    must(read_text(path, &found, err));
    ck_assert_uint_eq(found.n, 2);
    ck_assert_str_eq(found.items[0], "one");
    ck_assert_str_eq(found.items[1], "three");
  }
  rmx_strings_release(&found);
}

#define IN(member) offsetof(struct spec, member)
START_TEST(each_field_of_a_file) {
  static const struct {
    size_t member;
    int64_t value;
    const char *message;  // NULL: the file is read
  } cases[] = {
      {IN(page_type), 0, NULL},
      {IN(converted), 0, NULL},
      {IN(definition), 4, NULL},  // there are no levels
      {IN(elsewhere), 0, NULL},
      {IN(dictionary_at), 4, NULL},
      {IN(dictionary_at), 0, NULL},
      {IN(dictionary_at), -1, NULL},
      {IN(codec), NONE, "its compression is unknown"},
      {IN(codec), 8, "its compression is unknown"},
      {IN(codec), 3, "column \"x\" is compressed with LZO, which is not read"},
      {IN(codec), 4, "column \"x\" is compressed with Brotli, which is not read"},
      {IN(codec), 1, "a page cannot be decompressed"},
      {IN(leaf_type), NONE, "a column has another type in a row group than in the schema"},
      {IN(leaf_type), 7, "a column has another type in a row group than in the schema"},
      {IN(metadata), NONE, "a row group does not say where its columns are"},
      {IN(elsewhere), 1, "its columns are in other files"},
      {IN(encrypted), 8, "the Parquet file is encrypted"},
      {IN(encrypted), 9, "the Parquet file is encrypted"},
      {IN(keys), 1, "the Parquet file is encrypted"},
      {IN(data_at), NONE, "a column lies outside of the file"},
      {IN(data_at), 3, "a column lies outside of the file"},
      {IN(data_at), 1 << 20, "a column lies outside of the file"},
      {IN(dictionary_at), 3, "a column lies outside of the file"},
      {IN(size), -1, "a column lies outside of the file"},
      {IN(size), 1 << 20, "a column lies outside of the file"},
      {IN(size), 5, "the header of a page cannot be read"},
      {IN(size), 0, "it has fewer values than stated"},
      {IN(values), -1, "a column lies outside of the file"},
      {IN(values), 1, "a page has more values than its column"},
      {IN(values), 3, "it has more values than rows"},
      {IN(group_rows), NONE, "a row group cannot be read"},
      {IN(group_rows), -1, "a row group cannot be read"},
      {IN(group_rows), 3, "row group 1"},
      {IN(group_columns), NONE, "a row group cannot be read"},
      {IN(columns), 0, "a row group has another number of columns than the schema"},
      {IN(columns), 3, "a row group has another number of columns than the schema"},
      {IN(columns), 1, "a row group has another number of columns than the schema"},
      {IN(children), 3, "its schema has fewer columns than stated"},
      {IN(children), 1, "its schema has more columns than stated"},
      {IN(type), 8, "column \"x\" is a value of an unknown type"},
      {IN(type), 7, "a value of a fixed size has no size"},
      {IN(type), 1, "column \"x\" is a whole number; wanted text"},
      {IN(converted), 5, "column \"x\" is a decimal number; wanted text"},
      {IN(converted), 21, "column \"x\" is an interval; wanted text"},
      {IN(page_size), NONE, NULL},
      {IN(page_size), -1, "a page reaches out of its column"},
      {IN(page_packed), -1, "a page reaches out of its column"},
      {IN(page_packed), TWO_TEXTS + 1, "a page reaches out of its column"},
      {IN(page_packed), TWO_TEXTS - 1, "a value reaches out of its page"},
      {IN(page_values), NONE, "a page has more values than its column"},
      {IN(page_values), -1, "a page has more values than its column"},
      {IN(page_values), 3, "a page has more values than its column"},
      {IN(page_values), 1, "it has fewer values than stated"},
      {IN(encoding), NONE, "values of an unknown encoding (-1)"},
      {IN(encoding), 1, "values of an unknown encoding (1)"},
      {IN(crc), 1, "a page does not have its checksum"},
  };
  folder_make();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    check_fault(cases[i].member, cases[i].value, cases[i].message);
  folder_remove();
}
END_TEST

// Fields that are not known are skipped, whatever their type.
START_TEST(further_fields_of_any_type) {
#define MORE(bytes) \
  { bytes, sizeof bytes - 1 }
  static const struct {
    const char *bytes;
    size_t size;
  } fields[] = {
      MORE("\1"),                                                          // true
      MORE("\2"),                                                          // false
      MORE("\3\0"),                                                        // a byte
      MORE("\4\177"),                                                      // 16 bits
      MORE("\5\200\1"),                                                    // 32 bits
      MORE("\6\377\377\377\377\377\377\377\377\377\1"),                    // 64 bits
      MORE("\7\0\0\0\0\0\0\0\0"),                                          // a double
      MORE("\10\2\0\0"),                                                   // bytes
      MORE("\11\41\0\0"),                                                  // a list of two flags
      MORE("\11\6"),                                                       // no numbers
      MORE("\11\370\20\1x\1x\1x\1x\1x\1x\1x\1x\1x\1x\1x\1x\1x\1x\1x\1x"),  // 16 texts
      MORE("\12\47\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),                      // a set of doubles
      MORE("\13\0"),                                                       // an empty map
      MORE("\13\2\205\1a\2\1b\4"),       // a map of texts to numbers
      MORE("\14\0"),                     // an empty struct
      MORE("\14\30\1a\34\25\2\0\21\0"),  // a struct with a text, a struct and a flag
      MORE("\11\54\25\2\0\25\4\0"),      // a list of two structs
  };
  folder_make();
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    struct spec s = text_column;
    rmx_strings found = {0};
    s.more = fields[i].bytes;
    s.more_size = fields[i].size;
    must(read_text(write_file(&s, two_texts, TWO_TEXTS), &found, err));
    ck_assert_uint_eq(found.n, 2);
    ck_assert_str_eq(found.items[1], "three");
    rmx_strings_release(&found);
    s.keys = 1;
    must_fail(read_text(write_file(&s, two_texts, TWO_TEXTS), &found, err), "encrypted");
  }
  struct spec s = text_column;
  rmx_strings found = {0};
  s.more = "\17";  // no type
  s.more_size = 1;
  must_fail(read_text(write_file(&s, two_texts, TWO_TEXTS), &found, err), "cannot be read");
  folder_remove();
}
END_TEST

// What a page says of its size is not believed beyond what its compression can do.
START_TEST(pages_that_would_be_too_large) {
  static const struct {
    rmx__codec codec;
    uint64_t times;
  } cases[] = {{RMX__CODEC_NONE, 1},       {RMX__CODEC_SNAPPY, 22},      {RMX__CODEC_GZIP, 1032},
               {RMX__CODEC_LZ4, 255},      {RMX__CODEC_LZ4_HADOOP, 255}, {RMX__CODEC_ZSTD, 65536},
               {RMX__CODEC_LZ4_FRAME, 255}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (size_t n = 0; n < 1000; n += 100) {
      const uint64_t most = cases[i].times * (n + 65) - 1;
      ck_assert(rmx__codec_can_give(cases[i].codec, n, most));
      ck_assert(!rmx__codec_can_give(cases[i].codec, n, most + 1));
    }
}
END_TEST

// ---- numbers

// Column x has two numbers of `bytes` bytes each in the file. It is read as a field.
static void check_numbers(struct spec s, const void *values, size_t bytes, const char *first,
                          const char *second) {
  char *names[] = {"x"};
  const rmx_strings fields = {names, 1, 1};
  const rmx__reader_options o = {.text_field = "t", .separator = "%", .fields = &fields};
  rmx__reader r;
  bool more;
  s.leaf_type = s.type;
  must(rmx__reader_open(&r, write_file(&s, values, 2 * bytes), &o, err));
  must(rmx__reader_next(&r, &more, err));
  ck_assert_str_eq(r.text.data, "one");
  ck_assert_str_eq(r.values[0].data, first);
  must(rmx__reader_next(&r, &more, err));
  ck_assert_str_eq(r.text.data, "three");
  ck_assert_str_eq(r.values[0].data, second);
  must(rmx__reader_next(&r, &more, err));
  ck_assert(!more);
  rmx__reader_close(&r);
}

START_TEST(numbers_of_columns_are_text) {
  static const int32_t narrow[] = {-1, 70000};
  static const int64_t wide[] = {-1, INT64_MIN};
  static const float floats[] = {0.1f, -FLT_MAX};
  static const double doubles[] = {0.1, -DBL_MAX};
  struct spec s = text_column;
  folder_make();
  s.type = 1;
  check_numbers(s, narrow, 4, "-1", "70000");
  for (s.converted = 11; s.converted <= 14; s.converted++)
    check_numbers(s, narrow, 4, "4294967295", "70000");
  s.converted = 15;
  check_numbers(s, narrow, 4, "-1", "70000");
  s.converted = NONE;
  s.bits = 32;
  check_numbers(s, narrow, 4, "4294967295", "70000");
  s.is_signed = 1;
  check_numbers(s, narrow, 4, "-1", "70000");
  s.type = 2;
  check_numbers(s, wide, 8, "-1", "-9223372036854775808");
  s.is_signed = 0;
  check_numbers(s, wide, 8, "18446744073709551615", "9223372036854775808");
  s.bits = NONE;
  s.type = 4;
  check_numbers(s, floats, 4, "0.1", "-3.4028235e+38");
  s.type = 5;
  check_numbers(s, doubles, 8, "0.1", "-1.7976931348623157e+308");
  s.type = 0;
  check_numbers(s, "\2\0", 1, "false", "true");
  s.type = 7;
  s.width = 3;
  check_numbers(s, "abcxyz", 3, "abc", "xyz");
  folder_remove();
}
END_TEST

static const char *cell;
static rmx_buf cell_text;
#define CELL(kind, ...) \
  (cell_text.size = 0, rmx__cell_add_##kind(&cell_text, __VA_ARGS__), cell = cell_text.data)

START_TEST(numbers_have_the_fewest_digits) {
  static const struct {
    unsigned bytes;
    const char *as_signed, *as_unsigned;
  } widths[] = {{1, "-2", "254"},
                {2, "-2", "65534"},
                {4, "-2", "4294967294"},
                {8, "-2", "18446744073709551614"}};
  static const float floats[] = {0, 1, -0.5f, 0.1f, 16777216, 1e-45f, 3.4028235e38f, 1.1f, 0.3f};
  static const char *const wanted[] = {
      "0", "1", "-0.5", "0.1", "16777216", "1.4013e-45", "3.4028235e+38", "1.1", "0.3"};
  for (size_t i = 0; i < 4; i++) {
    const uint64_t x = (uint64_t)-2 ^ (i < 3 ? UINT64_C(255) << 56 : 0);  // above it is anything
    ck_assert_str_eq(CELL(whole, x, widths[i].bytes, false), widths[i].as_signed);
    ck_assert_str_eq(CELL(whole, x, widths[i].bytes, true), widths[i].as_unsigned);
    ck_assert_str_eq(CELL(whole, 127, widths[i].bytes, false), "127");
  }
  for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
    ck_assert_str_eq(CELL(float, floats[i]), wanted[i]);
  ck_assert_str_eq(CELL(float, NAN), "nan");
  ck_assert_str_eq(CELL(double, 0.3), "0.3");
  ck_assert_str_eq(CELL(double, 0.1 + 0.2), "0.30000000000000004");
  ck_assert_str_eq(CELL(bool, true), "true");
  ck_assert_str_eq(CELL(bool, false), "false");
  rmx_buf_release(&cell_text);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, each_field_of_a_file);
  tcase_add_test(tc, further_fields_of_any_type);
  tcase_add_test(tc, pages_that_would_be_too_large);
  tcase_add_test(tc, numbers_of_columns_are_text);
  tcase_add_test(tc, numbers_have_the_fewest_digits);
}
