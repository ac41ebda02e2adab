// SPDX-License-Identifier: Apache-2.0
// The files of other tokenizers, and what they are made of: protobuf, base64, double arrays.
#include "base/protobuf.h"
#include "corpus/tokenizer/byte_alphabet.h"
#include "corpus/tokenizer/charsmap.h"
#include "corpus/tokenizer/double_array.h"
#include "corpus/tokenizer/files/base64.h"
#include "corpus/tokenizer/files/ranks.h"
#include "corpus/tokenizer/files/sentencepiece.h"
#include "corpus/tokenizer/tokenizer.h"
#include "corpus_folder.h"
#include "protobuf_bytes.h"

#define TEXT(s) ((rmx__token_text){s, sizeof(s) - 1})
#define SPACE "\xE2\x96\x81"  // "▁"

START_TEST(base64_is_that_of_the_standard) {
  static const char *const pairs[][2] = {
      {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
      {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xFF\xFE\xFB", "//77"}};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    rmx_buf text = {0};
    char bytes[16];
    size_t n;
    rmx_buf_add(&text, "", 0);
    rmx__base64_encode(pairs[i][0], strlen(pairs[i][0]), &text);
    ck_assert_str_eq(text.data, pairs[i][1]);
    ck_assert(rmx__base64_decode(text.data, text.size, bytes, &n));
    ck_assert_uint_eq(n, strlen(pairs[i][0]));
    ck_assert(memcmp(bytes, pairs[i][0], n) == 0);
    rmx_buf_release(&text);
  }
  static const char *const wrong[] = {
      "Zg=", "Zg", "Z===", "Zh==", "Zm9=", "Zg==Zg==", "Z\n==", "===="};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    char bytes[16];
    size_t n;
    ck_assert_msg(!rmx__base64_decode(wrong[i], strlen(wrong[i]), bytes, &n), "%s", wrong[i]);
  }
}
END_TEST

START_TEST(protobuf_fields) {
  rmx_buf b = {0};
  put_number(&b, 3, UINT64_MAX);
  put_bytes(&b, 1, "abc", 3);
  put_float(&b, 2, 1.5f);
  put_varint(&b, 4 << 3 | 1);
  rmx_buf_add(&b, "\1\2\3\4\5\6\7\10", 8);
  rmx__proto p = {.data = b.data, .size = b.size};
  rmx__proto_field f;
  ck_assert(rmx__proto_next(&p, &f) && f.number == 3 && f.value == UINT64_MAX);
  ck_assert(rmx__proto_next(&p, &f) && f.number == 1 && f.size == 3 && !memcmp(f.data, "abc", 3));
  ck_assert(rmx__proto_next(&p, &f) && f.number == 2 && rmx__proto_float(&f) == 1.5f);
  ck_assert(rmx__proto_next(&p, &f) && f.value == 0x0807060504030201);
  ck_assert(isnan(rmx__proto_float(&f)));
  ck_assert(!rmx__proto_next(&p, &f) && !p.broken);
  // Each shorter message ends after a whole field, or is broken.
  size_t whole = 0;
  for (size_t size = 0; size < b.size; size++) {
    rmx__proto cut = {.data = b.data, .size = size};
    while (rmx__proto_next(&cut, &f)) {
    }
    whole += !cut.broken;
  }
  ck_assert_uint_eq(whole, 4);
  static const char *const broken[] = {"\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", "\x02\x00",
                                       "\x0B", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    rmx__proto bad = {.data = broken[i], .size = strlen(broken[i])};
    ck_assert(!rmx__proto_next(&bad, &f) && bad.broken);
  }
  rmx_buf_release(&b);
}
END_TEST

// ---- tries -----------------------------------------------------------------------------

enum { KEYS = 3000 };

START_TEST(trie_finds_what_is_in_it) {
  rmx_rng rng = rmx_rng_make(5, 0, RMX_FOR_TEST);
  static char bytes[KEYS][12];
  static rmx__token_text keys[KEYS];
  static bool include[KEYS];
  for (size_t i = 0; i < KEYS; i++) {
    keys[i] = (rmx__token_text){bytes[i], 1 + rmx_rng_below(&rng, 11)};
    for (size_t k = 0; k < keys[i].size; k++)
      bytes[i][k] = (char)(rmx_rng_below(&rng, 3) ? 'a' + (int)rmx_rng_below(&rng, 4)
                                                  : (int)rmx_rng_below(&rng, 256));
    include[i] = i % 7 != 0;
  }
  rmx__double_array t;
  must(rmx__double_array_make(&t, keys, include, KEYS, err));
  for (size_t round = 0; round < 2 * KEYS; round++) {
    // a key, or one with its last byte changed
    char text[12];
    const size_t i = round % KEYS, size = keys[i].size;
    memcpy(text, bytes[i], size);
    text[size - 1] = (char)(text[size - 1] + (round >= KEYS));
    uint32_t wanted = RMX__NO_TOKEN;
    for (uint32_t k = 0; k < KEYS; k++)
      if (include[k] && keys[k].size == size && memcmp(bytes[k], text, size) == 0) wanted = k;
    ck_assert_uint_eq(rmx__double_array_find(&t, text, size), wanted);
  }
  ck_assert_uint_eq(rmx__double_array_find(&t, "", 0), RMX__NO_TOKEN);
  rmx__double_array_release(&t);
  must(rmx__double_array_make(&t, keys, NULL, 0, err));
  ck_assert_uint_eq(rmx__double_array_find(&t, "a", 1), RMX__NO_TOKEN);
  rmx__double_array_release(&t);
}
END_TEST

static int by_bytes(rmx__token_text a, rmx__token_text b) {
  const int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
  return order ? order : (a.size > b.size) - (a.size < b.size);
}

START_TEST(keys_are_sorted_by_their_bytes) {
  static const rmx__token_text keys[] = {
      TEXT("abcdefghij"), TEXT("abcdefgh"), TEXT("abcdefghi"),   TEXT("b"),
      TEXT("abcdefgh\0"), TEXT("\xFF"),     TEXT("a\0"),         TEXT("a"),
      TEXT("b"),          TEXT(""),         TEXT("abcdefgh\0b"), TEXT("abcdefgha")};
  enum { N = sizeof keys / sizeof *keys };
  uint32_t *order = rmx__sorted_keys(keys, N);
  for (size_t i = 1; i < N; i++) {
    const int c = by_bytes(keys[order[i - 1]], keys[order[i]]);
    ck_assert(c < 0 || (c == 0 && order[i - 1] < order[i]));
  }
  free(order);
}
END_TEST

// ---- merges ----------------------------------------------------------------------------

START_TEST(each_way_to_make_a_token_is_a_merge) {
  static const rmx__token_text tokens[] = {TEXT("a"),  TEXT("b"),   TEXT("aa"), TEXT(""),
                                           TEXT("ab"), TEXT("aab"), TEXT("x"),  TEXT("yz")};
  // The ways to make "aab" are a + ab and aa + b.
  static const rmx__merge wanted[] = {{0, 0, 2}, {0, 1, 4}, {0, 4, 5}, {2, 1, 5}};
  rmx__merge *merges = NULL;
  size_t n = 0;
  must(rmx__ranks_to_merges(tokens, NULL, 8, false, &merges, &n, err));
  ck_assert_uint_eq(n, 4);
  ck_assert(memcmp(merges, wanted, sizeof wanted) == 0);
  free(merges);
  static const uint32_t ranks[] = {0, 1, 5, 2, 3, 4, 6, 7};
  static const rmx__merge ranked[] = {{0, 1, 4}, {2, 1, 5}, {0, 4, 5}, {0, 0, 2}};
  must(rmx__ranks_to_merges(tokens, ranks, 8, true, &merges, &n, err));
  ck_assert_uint_eq(n, 4);
  ck_assert(memcmp(merges, ranked, sizeof ranked) == 0);
  free(merges);
}
END_TEST

// ---- character maps --------------------------------------------------------------------

// A map of one byte each: a leaf of every key, as darts lays it out. Keys are ASCII.
static void make_charsmap(rmx_buf *out, const char *const (*rules)[2], size_t n) {
  uint32_t units[1024] = {0};
  rmx_buf forms = {0};
  units[0] = 256u << 10;  // the root's children are units 256 ^ byte
  for (size_t i = 0; i < n; i++) {
    const uint32_t byte = (uint8_t)rules[i][0][0], leaf = 512 + (uint32_t)i;
    units[256 ^ byte] = (256 ^ byte ^ leaf) << 10 | 1u << 8 | byte;
    units[leaf] = 1u << 31 | (uint32_t)forms.size;
    rmx_buf_add(&forms, rules[i][1], strlen(rules[i][1]) + 1);
  }
  const uint32_t size = sizeof units;
  rmx_buf_add(out, &size, 4);
  rmx_buf_add(out, units, sizeof units);
  rmx_buf_add(out, forms.data, forms.size);
  rmx_buf_release(&forms);
}

static void check_normal(const rmx__charsmap *m, const char *text, const char *wanted) {
  rmx_buf out = {0};
  rmx_buf_add(&out, "", 0);
  rmx__charsmap_apply(m, text, strlen(text), &out);
  ck_assert_msg(strcmp(out.data, wanted) == 0, "\"%s\" becomes \"%s\", not \"%s\"", text, out.data,
                wanted);
  rmx_buf_release(&out);
}

START_TEST(charsmap_replaces_graphemes_and_characters) {
  static const char *const rules[][2] = {{"a", "[A]"}, {"\r", " "}, {"\t", ""}, {"b", "B"}};
  rmx_buf file = {0};
  make_charsmap(&file, rules, 4);
  rmx__charsmap m;
  must(rmx__charsmap_read(&m, file.data, file.size, "test", err));
  check_normal(&m, "", "");
  check_normal(&m, "xyz", "xyz");
  check_normal(&m, "xab\tz", "x[A]Bz");
  // A short grapheme is replaced by the form of its first character; of a long one only that
  // character is.
  check_normal(&m, "xa\xCC\x81y", "x[A]y");
  check_normal(&m, "xa\xCC\x81\xCC\x81\xCC\x81y", "x[A]\xCC\x81\xCC\x81\xCC\x81y");
  check_normal(&m, "x\r\ny\rz", "x y z");
  check_normal(&m, "b\xCC\xCC\x81", "B\xCC\xCC\x81");  // the second byte is not UTF-8
  check_normal(&m, "\xE6\x97\xA5 a", "\xE6\x97\xA5 [A]");
  rmx__charsmap_release(&m);
  for (size_t size = 0; size < 5; size++)
    must_fail(rmx__charsmap_read(&m, file.data, size, "x.model", err), "x.model: precompiled_cha");
  memcpy(file.data, "\xFF\xFF\xFF\x7F", 4);
  must_fail(rmx__charsmap_read(&m, file.data, file.size, "x.model", err), "damaged");
  rmx_buf_release(&file);
}
END_TEST

// Wherever the units of a damaged array lead, they are read inside the array.
START_TEST(charsmap_of_noise) {
  rmx_rng rng = rmx_rng_make(6, 0, RMX_FOR_TEST);
  for (int round = 0; round < 300; round++) {
    uint32_t file[65];
    const char text[] = "abc\xC3\xA9\xE6\x97\xA5 \r\n a\xCC\x81";
    file[0] = 4u * (uint32_t)(1 + rmx_rng_below(&rng, 60));
    for (size_t i = 1; i < 65; i++)
      file[i] = rmx_rng_u32(&rng) & (round % 2 ? 0x3FFFF : UINT32_MAX);
    rmx__charsmap m;
    rmx_buf out = {0};
    must(rmx__charsmap_read(&m, (const char *)file, sizeof file, "test", err));
    rmx__charsmap_apply(&m, text, sizeof text - 1, &out);
    rmx_buf_release(&out);
    rmx__charsmap_release(&m);
  }
}
END_TEST

// ---- SentencePiece ---------------------------------------------------------------------

static void make_model(rmx_buf *b) {
  put_piece(b, "<unk>", 0, 2);
  put_piece(b, "<s>", 0, 3);
  put_piece(b, "</s>", 0, 3);
  put_piece(b, SPACE "a", -1.5f, 1);
  put_piece(b, "<sep>", 0, 4);
}

START_TEST(sentencepiece_model) {
  rmx_buf b = {0}, settings = {0};
  make_model(&b);
  ck_assert(rmx__spm_is(b.data, b.size));
  ck_assert(!rmx__spm_is("\nabc", 4) && !rmx__spm_is("{}", 2) && !rmx__spm_is("", 0));
  rmx__spm m;
  must(rmx__spm_read(&m, b.data, b.size, "test", err));
  ck_assert_uint_eq(m.n, 5);
  ck_assert_uint_eq(m.unknown, 0);
  ck_assert_int_eq(m.end_of_text, 2);
  ck_assert_int_eq(m.type, RMX__SPM_UNIGRAM);
  ck_assert(m.trim && m.add_space && m.escape && !m.suffix && !m.byte_fallback);
  ck_assert_double_eq(m.scores[3], -1.5);
  ck_assert_int_eq(m.types[4], RMX__PIECE_USER);
  rmx__spm_release(&m);

  put_number(&settings, 3, 2);            // model_type
  put_number(&settings, 24, 1);           // treat_whitespace_as_suffix
  put_number(&settings, 35, 1);           // byte_fallback
  put_number(&settings, 42, UINT64_MAX);  // eos_id: -1
  put_bytes(&b, 2, settings.data, settings.size);
  settings.size = 0;
  put_bytes(&settings, 2, "map", 3);
  put_number(&settings, 3, 0);
  put_number(&settings, 4, 0);
  put_number(&settings, 5, 0);
  put_bytes(&b, 3, settings.data, settings.size);
  must(rmx__spm_read(&m, b.data, b.size, "test", err));
  ck_assert_int_eq(m.type, RMX__SPM_BPE);
  ck_assert_int_eq(m.end_of_text, -1);
  ck_assert(!m.trim && !m.add_space && !m.escape && m.suffix && m.byte_fallback);
  ck_assert_uint_eq(m.charsmap.size, 3);
  rmx__spm_release(&m);
  // Cut off anywhere it is refused, but between two parts.
  for (size_t size = 0; size < b.size; size++) {
    rmx_err failure = {0};
    if (rmx__spm_read(&m, b.data, size, "test", &failure) == RMX_OK)
      rmx__spm_release(&m);
    else
      ck_assert_str_ne(failure.message, "");
  }
  rmx_buf_release(&settings);
  rmx_buf_release(&b);
}
END_TEST

static void refuse_piece(const char *text, float score, int type, const char *message) {
  rmx_buf b = {0};
  rmx__spm m;
  make_model(&b);
  put_piece(&b, text, score, type);
  must_fail(rmx__spm_read(&m, b.data, b.size, "x.model", err), message);
  rmx_buf_release(&b);
}

START_TEST(sentencepiece_damage_is_named) {
  refuse_piece("b", NAN, 1, "x.model: the score of piece 5, \"b\", is not a number");
  refuse_piece("b", INFINITY, 1, "not a number");
  refuse_piece("", 0, 1, "piece 5 is empty");
  refuse_piece("\xE2\x96", 0, 1, "piece 5 is not UTF-8");
  refuse_piece("b", 0, 9, "piece 5, \"b\", is of the unknown type 9");
  refuse_piece("b", 0, 2, "one unknown piece (\"<unk>\"); this one has 2");
  refuse_piece(SPACE "a", -3, 1, "the pieces 3 and 5 are both \"" SPACE "a\"");
  rmx_buf b = {0};
  rmx__spm m;
  must_fail(rmx__spm_read(&m, "", 0, "x.model", err), "without pieces");
  make_model(&b);
  must_fail(rmx__spm_read(&m, b.data, b.size - 1, "x.model", err), "damaged or cut off");
  put_bytes(&b, 2, "\x18\x09", 2);
  must_fail(rmx__spm_read(&m, b.data, b.size, "x.model", err), "of type 9");
  rmx_buf_release(&b);
}
END_TEST

// ---- what is given in place of a tokenizer ---------------------------------------------

START_TEST(other_files_are_named) {
  static const char *const files[][2] = {
      {"", "the file is empty"},
      {"hello", "not a tokenizer of a known kind"},
      {"\x1F\x8B\x08", "packed with gzip: unpack it"},
      {"\x28\xB5\x2F\xFDx", "packed with Zstandard: unpack it"},
      {"PK\x03\x04", "a ZIP archive"},
      {"\xFF\xFE{", "text in UTF-16"},
      {"\n<!DOCTYPE html><html>", "a page of the web, not the file itself"},
      {"<HTML>", "a page of the web"},
      {"#version: 0.2\na b\n", "the merges of a BPE: give the vocab.json beside it"},
      {"version https://git-lfs.github.com/spec/v1", "a pointer of Git LFS"},
      {"{\"tokenizer_class\": \"X\"}", "a tokenizer_config.json, which"},
      {"{\"architectures\": [\"X\"]}", "a config.json, which describes a model and not the tok"},
      {"{\"eos_token\": \"</s>\"}", "a special_tokens_map.json"},
      {"{\"a\": {}}", "no \"model\": not a tokenizer.json"},
      {"{\"model\": {\n\"vocab\": {\"a\": 1", "x.json:2: the JSON has no end: the file is cut off"},
      {"{\"a\\u0000\": 1}", "x.json:1: a text has the character U+0000"},
      {"{\"a\": 1, \"a\": 2}", "duplicate object key"},
      {"{\"a\": 1, \"b\": 2}", "x.json: the vocabulary of a BPE without its merges"},
  };
  rmx_tokenizer *t = NULL;
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    must_fail(rmx__tokenizer_parse(files[i][0], strlen(files[i][0]), "x.json", &t, err),
              files[i][1]);
}
END_TEST

// GPT-2's first files: a vocabulary of bytes, two merges, and a line of the version.
static void put_two_files(const char *folder) {
  char name[64];
  json_t *vocab = json_pack("{s:i}", "<|endoftext|>", 0);
  for (int b = 0; b < 256; b++) {
    rmx_buf spelt = {0};
    rmx__spell_bytes((const char[]){(char)b}, 1, &spelt);
    json_object_setn_new(vocab, spelt.data, spelt.size, json_integer(1 + b));
    rmx_buf_release(&spelt);
  }
  json_object_set_new(vocab, "ab", json_integer(257));
  json_object_set_new(vocab,
                      "\xC4\xA0"
                      "ab",
                      json_integer(258));
  char *text = json_dumps(vocab, 0);
  snprintf(name, sizeof name, "%s/vocab.json", folder);
  put(name, text, strlen(text));
  snprintf(name, sizeof name, "%s/merges.txt", folder);
  const char *merges = "#version: 0.2\r\na b\r\n\xC4\xA0 ab\n";
  put(name, merges, strlen(merges));
  free(text);
  json_decref(vocab);
}

static void check_read(const char *path) {
  static const uint32_t wanted[] = {257, 258, 0};
  rmx_tokenizer *t = NULL;
  rmx_tokens ids = {0};
  must(rmx_tokenizer_read(in_folder(path), &t, err));
  must(rmx_tokenizer_encode(t, RMX_SPECIALS_TOKENS, "ab ab<|endoftext|>", 18, &ids, err));
  ck_assert_uint_eq(ids.n, 3);
  ck_assert_mem_eq(ids.ids, wanted, sizeof wanted);
  ck_assert_uint_eq(rmx_tokenizer_end_of_text(t), 0);
  must(rmx_tokenizer_write(t, in_folder("again/tokenizer.json"), err));
  rmx_tokens_release(&ids);
  rmx_tokenizer_free(t);
}

START_TEST(what_can_be_used_is_used) {
  folder_make();
  rmx_tokenizer *t = NULL;
  put_two_files("two");
  must(rmx_mkdirs(in_folder("again"), err));
  check_read("two/vocab.json");
  check_read("two");    // a folder with these files
  check_read("again");  // a folder with a tokenizer.json
  char *text, *marked;
  must(rmx_read_file(in_folder("again/tokenizer.json"), &text, NULL, err));
  marked = rmx_format("\xEF\xBB\xBF%s", text);
  put("marked.json", marked, strlen(marked));
  check_read("marked.json");
  free(text);
  free(marked);
  put("two/merges.txt", "a b c\n", 6);
  must_fail(rmx_tokenizer_read(in_folder("two"), &t, err), "merges.txt:1: not two tokens");
  must(rmx_mkdirs(in_folder("none"), err));
  must_fail(rmx_tokenizer_read(in_folder("none"), &t, err), "a folder without a tokenizer");
  folder_remove();
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, other_files_are_named);
  tcase_add_test(tc, what_can_be_used_is_used);
  tcase_add_test(tc, base64_is_that_of_the_standard);
  tcase_add_test(tc, protobuf_fields);
  tcase_add_test(tc, trie_finds_what_is_in_it);
  tcase_add_test(tc, keys_are_sorted_by_their_bytes);
  tcase_add_test(tc, each_way_to_make_a_token_is_a_merge);
  tcase_add_test(tc, charsmap_replaces_graphemes_and_characters);
  tcase_add_test(tc, charsmap_of_noise);
  tcase_add_test(tc, sentencepiece_model);
  tcase_add_test(tc, sentencepiece_damage_is_named);
}
