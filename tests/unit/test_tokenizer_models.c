// SPDX-License-Identifier: Apache-2.0
// Unigram and WordPiece, and tokenizers in other files than tokenizer.json: each gives the ids of
// its own program, and is written as a tokenizer.json that gives them again.
#include "corpus/tokenizer/score.h"
#include "corpus/tokenizer/tokenizer.h"
#include "corpus/tokenizer/unigram.h"
#include "corpus_folder.h"
#include "protobuf_bytes.h"

#define SPACE "\xE2\x96\x81"  // "▁"

// ---- Unigram by definition -------------------------------------------------------------

enum { TOKENS = 40, LONGEST = 12, UNKNOWN = TOKENS };

// The same by looking at all tokens at all places.
static size_t cut_slowly(const rmx__token_text *tokens, const double *scores, double unknown,
                         const char *text, size_t size, uint32_t *ids) {
  double best[LONGEST + 1] = {0};
  size_t from[LONGEST + 1];
  uint32_t last[LONGEST + 1];
  for (size_t i = 0; i <= size; i++) from[i] = SIZE_MAX;
  for (size_t at = 0; at < size; at++) {
    bool single = false;
    for (size_t length = 1; at + length <= size; length++) {
      for (uint32_t k = 0; k < TOKENS; k++) {
        if (tokens[k].size != length || memcmp(tokens[k].data, text + at, length) != 0) continue;
        single |= length == 1;
        if (from[at + length] != SIZE_MAX && best[at] + scores[k] <= best[at + length]) continue;
        best[at + length] = best[at] + scores[k];
        from[at + length] = at;
        last[at + length] = k;
      }
    }
    if (single || (from[at + 1] != SIZE_MAX && best[at] + unknown <= best[at + 1])) continue;
    best[at + 1] = best[at] + unknown;
    from[at + 1] = at;
    last[at + 1] = UNKNOWN;
  }
  size_t n = 0;
  uint32_t back[LONGEST];
  for (size_t at = size; at > 0; at = from[at])
    if (last[at] != UNKNOWN || n == 0 || back[n - 1] != UNKNOWN) back[n++] = last[at];
  for (size_t i = 0; i < n; i++) ids[i] = back[n - 1 - i];
  return n;
}

// Scores are few, so that many ways to cut have the same sum.
START_TEST(unigram_by_definition) {
  rmx_rng rng = rmx_rng_make(8, 0, RMX_FOR_TEST);
  size_t unknowns = 0;
  for (int round = 0; round < 200; round++) {
    char bytes[TOKENS][4];
    rmx__token_text tokens[TOKENS];
    double scores[TOKENS];
    size_t n = 0;
    while (n < TOKENS) {
      tokens[n] = (rmx__token_text){bytes[n], 1 + rmx_rng_below(&rng, 4)};
      for (size_t k = 0; k < tokens[n].size; k++)
        bytes[n][k] = (char)('a' + (int)rmx_rng_below(&rng, 3));
      scores[n] = -0.7 * (double)(1 + rmx_rng_below(&rng, 4));
      bool known = tokens[n].size == 1 && bytes[n][0] == 'c';  // "c" is unknown
      for (size_t k = 0; k < n; k++)
        known |=
            tokens[k].size == tokens[n].size && memcmp(bytes[k], bytes[n], tokens[n].size) == 0;
      n += !known;
    }
    rmx__unigram u;
    rmx__lattice lattice = {0};
    must(rmx__unigram_make(&u, tokens, scores, NULL, TOKENS, UNKNOWN, false, err));
    for (int text = 0; text < 100; text++) {
      char word[LONGEST];
      uint32_t wanted[LONGEST];
      rmx_tokens out = {0};
      const size_t size = 1 + rmx_rng_below(&rng, LONGEST);
      for (size_t k = 0; k < size; k++) word[k] = (char)('a' + (int)rmx_rng_below(&rng, 3));
      const size_t m = cut_slowly(tokens, scores, u.unknown_score, word, size, wanted);
      ck_assert(rmx__unigram_encode(&u, &lattice, word, size, &out));
      ck_assert_msg(out.n == m && memcmp(out.ids, wanted, m * sizeof *wanted) == 0,
                    "\"%.*s\" is cut in another way", (int)size, word);
      for (size_t i = 0; i < m; i++) unknowns += wanted[i] == UNKNOWN;
      rmx_tokens_release(&out);
    }
    rmx__lattice_release(&lattice);
    rmx__unigram_release(&u);
  }
  ck_assert_uint_gt(unknowns, 100);
}
END_TEST

// From a file of T5: written with all its digits, and as Hugging Face's library reads it. The
// reference is the division, done with a decimal string.
START_TEST(scores_to_the_last_bit) {
  rmx_rng rng = rmx_rng_make(9, 0, RMX_FOR_TEST);
  size_t changed = 0;
  for (int i = 0; i < 20000; i++) {
    // as SentencePiece keeps them: floats
    const double x = (double)(float)(-20 * rmx_rng_uniform(&rng) - 0.01);
    char text[32];
    rmx_double_text(x, text);
    double digits = 0, power = 1;
    uint64_t whole = 0;
    for (const char *p = strpbrk(text, "0123456789"), *point = NULL; *p; p++) {
      if (*p == '.')
        point = p;
      else
        whole = 10 * whole + (uint64_t)(*p - '0'), power *= point ? 10 : 1;
    }
    digits = (double)whole / power;
    ck_assert_msg(rmx__score_read(x) == -digits, "%s", text);
    changed += rmx__score_read(x) != x;
  }
  ck_assert_uint_gt(changed, 100);
  ck_assert_double_eq(rmx__score_read(0), 0);
  ck_assert_double_eq(rmx__score_read(-10), -10);
  ck_assert_double_eq(rmx__score_read(1e-7), 1e-7);
  ck_assert_double_eq(rmx__score_read(-1e300), -1e300);
}
END_TEST

// ---- files -----------------------------------------------------------------------------

static rmx_tokenizer *parsed(const char *data, size_t size, const char *name) {
  rmx_tokenizer *t = NULL;
  must(rmx__tokenizer_parse(data, size, name, &t, err));
  return t;
}

static void check_ids(const rmx_tokenizer *t, const char *text, const char *wanted) {
  rmx_tokens ids = {0};
  rmx_buf got = {0};
  rmx_buf_puts(&got, "");
  must(rmx_tokenizer_encode(t, RMX_SPECIALS_TEXT, text, strlen(text), &ids, err));
  for (size_t i = 0; i < ids.n; i++) rmx_buf_printf(&got, i ? " %u" : "%u", ids.ids[i]);
  ck_assert_msg(strcmp(got.data, wanted) == 0, "\"%s\" is %s, not %s", text, got.data, wanted);
  rmx_tokens_release(&ids);
  rmx_buf_release(&got);
}

static void check_text(const rmx_tokenizer *t, const char *text, const char *wanted) {
  rmx_tokens ids = {0};
  rmx_buf back = {0};
  rmx_buf_puts(&back, "");
  must(rmx_tokenizer_encode(t, RMX_SPECIALS_TEXT, text, strlen(text), &ids, err));
  must(rmx_tokenizer_decode(t, ids.ids, ids.n, &back, err));
  ck_assert_str_eq(back.data, wanted);
  rmx_tokens_release(&ids);
  rmx_buf_release(&back);
}

static void make_folder(void) {
  folder_make();
}

// Written as tokenizer.json and read again it is the same tokenizer.
static rmx_tokenizer *again(rmx_tokenizer *t) {
  const char *path = in_folder("tokenizer.json");
  rmx_tokenizer *read = NULL;
  must(rmx_tokenizer_write(t, path, err));
  must(rmx_tokenizer_read(path, &read, err));
  ck_assert_uint_eq(rmx_tokenizer_hash(t), rmx_tokenizer_hash(read));
  ck_assert_uint_eq(rmx_tokenizer_end_of_text(t), rmx_tokenizer_end_of_text(read));
  ck_assert_int_eq(rmx_tokenizer_vocab(t), rmx_tokenizer_vocab(read));
  rmx_tokenizer_free(t);
  return read;
}

static void refuse(const char *data, size_t size, const char *name, const char *message) {
  rmx_tokenizer *t = NULL;
  must_fail(rmx__tokenizer_parse(data, size, name, &t, err), message);
}

static const char *const pieces[] = {"<unk>", "<s>", "</s>",    SPACE, "a",   "b",
                                     "c",     "ab",  SPACE "a", "bc",  "abc", SPACE "ab"};
enum { PIECES = sizeof pieces / sizeof *pieces };

// A model with these pieces, the best first; type 1 is Unigram, 2 BPE, 4 characters.
static void make_model(rmx_buf *b, int type, bool trim, bool add_space) {
  rmx_buf settings = {0};
  for (int i = 0; i < PIECES; i++)
    put_piece(b, pieces[i], i < 3 ? 0 : -0.5f * (float)i, i == 0 ? 2 : i < 3 ? 3 : 1);
  put_number(&settings, 3, (uint64_t)type);
  put_bytes(b, 2, settings.data, settings.size);
  settings.size = 0;
  put_number(&settings, 3, add_space);
  put_number(&settings, 4, trim);
  put_bytes(b, 3, settings.data, settings.size);
  rmx_buf_release(&settings);
}

START_TEST(sentencepiece_unigram) {
  rmx_buf b = {0};
  make_model(&b, 1, true, true);
  rmx_tokenizer *t = parsed(b.data, b.size, "x.model");
  for (int round = 0; round < 2; round++) {
    ck_assert_uint_eq(rmx_tokenizer_end_of_text(t), 2);
    check_ids(t, "", "");
    check_ids(t, "   ", "");
    check_ids(t, "ab", "3 7");
    check_ids(t, "  ab  bc ", "3 7 3 9");
    check_ids(t, "abc", "3 10");
    check_ids(t, "axyb", "3 4 0 5");  // a run of unknown characters is one token
    check_ids(t, "</s>", "3 0");      // text does not make the token
    check_ids(t, "x" SPACE SPACE, "3 0");
    check_text(t, "  ab  bc ", "ab bc");
    t = again(t);
  }
  rmx_tokenizer_free(t);
  b.size = 0;
  make_model(&b, 1, false, false);
  t = again(parsed(b.data, b.size, "x.model"));
  check_ids(t, " ab  c", "3 7 3 3 6");
  check_text(t, " ab  c", " ab  c");
  rmx_tokenizer_free(t);
  rmx_buf_release(&b);
}
END_TEST

START_TEST(sentencepiece_bpe_and_characters) {
  rmx_buf b = {0};
  make_model(&b, 2, false, true);
  rmx_tokenizer *t = parsed(b.data, b.size, "x.model");
  for (int round = 0; round < 2; round++) {
    check_ids(t, "", "");
    check_ids(t, "ab", "11");
    check_ids(t, "abc", "3 10");
    check_ids(t, " a", "3 8");
    check_ids(t, "xyz", "3 0");
    check_text(t, " abc", " abc");
    t = again(t);
  }
  rmx_tokenizer_free(t);
  b.size = 0;
  make_model(&b, 4, false, true);
  t = again(parsed(b.data, b.size, "x.model"));
  check_ids(t, "abc", "3 4 5 6");
  rmx_tokenizer_free(t);
  b.size = 0;
  make_model(&b, 3, false, true);
  refuse(b.data, b.size, "x.model", "x.model: a SentencePiece model of whole words");
  put_piece(&b, "unused", 0, 5);
  put_bytes(&b, 2, "\x18\x01", 2);
  refuse(b.data, b.size, "x.model", "piece 12, \"unused\", is marked as unused");
  refuse(b.data, b.size - 3, "x.model", "damaged or cut off");
  rmx_buf_release(&b);
}
END_TEST

// User symbols are tokens wherever they stand, and bytes stand for unknown characters.
START_TEST(sentencepiece_user_symbols_and_bytes) {
  for (int type = 1; type <= 2; type++) {
    rmx_buf b = {0}, settings = {0};
    make_model(&b, type, false, true);
    put_piece(&b, "<n>", 0, 4);
    for (int i = 0; i < 256; i++) {
      char name[8];
      snprintf(name, sizeof name, "<0x%02X>", i);
      put_piece(&b, name, 0, 6);
    }
    put_number(&settings, 35, 1);
    put_bytes(&b, 2, settings.data, settings.size);
    rmx_tokenizer *t = parsed(b.data, b.size, "x.model");
    for (int round = 0; round < 2; round++) {
      check_ids(t, "c<n>c", "3 6 12 6");
      check_ids(t, "\xC3\xA9", "3 208 182");
      check_text(t, "\xC3\xA9<n> c", "\xC3\xA9<n> c");
      t = again(t);
    }
    rmx_tokenizer_free(t);
    rmx_buf_release(&b);
    rmx_buf_release(&settings);
  }
}
END_TEST

// ---- tiktoken, tekken, vocab.txt -------------------------------------------------------

// The 256 bytes and two more, with the rank of the first line.
static void make_ranks(rmx_buf *b) {
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (int i = 0; i < 256; i++)
    rmx_buf_printf(b, "%c%c== %d\n", alphabet[i >> 2], alphabet[(i & 3) << 4], i);
  rmx_buf_puts(b, "YWI= 256\nYWJi 257\n");  // ab, abb
}

// Hugging Face's library takes the ids of special tokens from the vocabulary of the model.
static void check_in_vocab(const char *token, int id) {
  json_t *root = NULL;
  must(rmx__json_read(in_folder("tokenizer.json"), &root, err));
  const json_t *vocab = json_object_get(json_object_get(root, "model"), "vocab");
  ck_assert_int_eq(json_integer_value(json_object_get(vocab, token)), id);
  json_decref(root);
}

START_TEST(tiktoken_ranks) {
  rmx_buf b = {0};
  make_ranks(&b);
  rmx_tokenizer *t = parsed(b.data, b.size, "folder/my.gpt2.tiktoken");
  for (int round = 0; round < 2; round++) {
    ck_assert_int_eq(rmx_tokenizer_vocab(t), 259);
    ck_assert_uint_eq(rmx_tokenizer_end_of_text(t), 258);
    check_ids(t, "abb ab", "257 32 256");
    check_ids(t, "\xFF<|endoftext|>", "255 60 124 101 110 100 111 102 116 101 120 116 124 62");
    check_text(t, "abb \xE6\x97\xA5", "abb \xE6\x97\xA5");
    t = again(t);
  }
  rmx_tokenizer_free(t);
  check_in_vocab("<|endoftext|>", 258);
  refuse(b.data, b.size, "gpt2/my.tiktoken", "a tiktoken file of 258 ranks. Its pattern is not");
  refuse(b.data, b.size - 2, "x.gpt2", "x.gpt2:258: another line has the rank 25");
  refuse(b.data, b.size - 5, "x.gpt2", "x.gpt2:258: a line of a tiktoken file is a token");
  rmx_buf_puts(&b, "YWI= 258\n");
  refuse(b.data, b.size, "x.gpt2", "x.gpt2: the ids 256 and 258 are both of the token \"ab\"");
  b.size -= 9;
  rmx_buf_puts(&b, "YWI= 999999999\n");
  refuse(b.data, b.size, "x.gpt2", "x.gpt2:259: the rank 999999999 is too large");
  refuse("IQ== 0\n\r\n=Q== 1", 15, "x.gpt2", "x.gpt2:3: \"=Q==\" is not base64");
  refuse("IQ== 0", 6, "x.gpt2", "no token for the byte");
  rmx_buf_release(&b);
}
END_TEST

START_TEST(tekken_json) {
  rmx_buf ranks = {0}, b = {0};
  make_ranks(&ranks);
  rmx_buf_puts(&b,
               "{\"config\": {\"pattern\": \"[a-z]+|[^a-z]\", \"default_vocab_size\": 261, "
               "\"default_num_special_tokens\": 4}, \"vocab\": [");
  char *line = strtok(ranks.data, " ");
  for (int i = 0; i < 258; i++) {
    rmx_buf_printf(&b, "%s{\"rank\": %d, \"token_bytes\": \"%s\"}", i ? ", " : "", i, line);
    strtok(NULL, "\n");
    line = strtok(NULL, " ");
  }
  rmx_buf_puts(&b,
               "], \"special_tokens\": [{\"rank\": 0, \"token_str\": \"<unk>\"}, {\"rank\": 2, "
               "\"token_str\": \"</s>\"}]}");
  rmx_tokenizer *t = parsed(b.data, b.size, "tekken.json");
  for (int round = 0; round < 2; round++) {
    ck_assert_int_eq(rmx_tokenizer_vocab(t), 261);  // the last rank is not used
    ck_assert_uint_eq(rmx_tokenizer_end_of_text(t), 2);
    check_ids(t, "abb ab", "260 102 36 260");
    t = again(t);
  }
  rmx_tokenizer_free(t);
  check_in_vocab("</s>", 2);
  check_in_vocab("<SPECIAL_1>", 1);
  static const char *const damage[][3] = {
      {"vocab_size\": 261", "vocab_size\": 263", "do not make \"default_vocab_size\": 263"},
      {"\"pattern\"", "\"patterm\"", "\"pattern\" is not a string"},
      {"{\"rank\": 9,", "{\"rank\": 8,", "\"rank\" of entry 9 is not 9"},
      {"\"rank\": 2, \"token_s", "\"rank\": 4, \"token_s", "special token 1"},
      {"CQ==", "C!==", "entry 9 is not base64"},
  };
  for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
    char *copy = rmx_strdup(b.data), *at = strstr(copy, damage[i][0]);
    ck_assert_ptr_nonnull(at);
    memcpy(at, damage[i][1], strlen(damage[i][1]));
    refuse(copy, strlen(copy), "tekken.json", damage[i][2]);
    free(copy);
  }
  rmx_buf_release(&ranks);
  rmx_buf_release(&b);
}
END_TEST

START_TEST(bert_vocabulary) {
  static const char file[] = "[PAD]\n[UNK]\n[CLS]\r\n[SEP]\n[MASK]\na\nb\n##b\n##bc\nab\n,\n##c\n";
  rmx_tokenizer *t = parsed(file, sizeof file - 1, "vocab.txt");
  for (int round = 0; round < 2; round++) {
    ck_assert_uint_eq(rmx_tokenizer_end_of_text(t), 3);
    check_ids(t, "abb AB,abc", "9 7 9 10 9 11");  // no capital letter is a token
    check_ids(t, "abx b [MASK]", "1 6 1 1 1");
    check_ids(t, "abbc", "9 8");
    check_text(t, "abb , b", "abb, b");
    // Punctuation and format characters are those of Unicode 8: U+166D, but not U+1B7D and U+08E2.
    check_ids(t,
              "a\xE1\x99\xAD"
              "b",
              "5 1 6");
    check_ids(t,
              "a\xE1\xAD\xBD"
              "b",
              "1");
    check_ids(t,
              "a\xE0\xA3\xA2"
              "b",
              "1");
    check_ids(t,
              "a\xE2\x80\x8D"
              "bb",
              "9 7");
    t = again(t);
  }
  rmx_tokenizer_free(t);
  static const char cased[] = "[UNK]\na\nA\n";
  t = parsed(cased, sizeof cased - 1, "vocab.txt");
  check_ids(t, "a A", "1 2");
  rmx_tokenizer_free(t);
  refuse("[UNK]\na\nb\na\n", 12, "v.txt", "v.txt:4: line 2 has the token \"a\" already");
  refuse("[UNK]\n\xFF\n", 8, "v.txt", "v.txt:2: the token is not UTF-8");
  // A word of more than 100 characters is unknown, however it could be cut.
  char word[102];
  memset(word, 'b', 101);
  word[0] = 'a';
  word[101] = 0;
  t = parsed(file, sizeof file - 1, "vocab.txt");
  check_ids(t, word, "1");
  rmx_tokenizer_free(t);
}
END_TEST

START_TEST(files_of_no_known_kind) {
  refuse("", 0, "x", "x: the file is empty; a tokenizer is read from");
  refuse("hello", 5, "x", "x: not a tokenizer of a known kind");
  refuse("version https://git-lfs.github.com/spec/v1\n", 43, "x", "pointer of Git LFS");
  refuse("{}", 2, "x.model", "not a tokenizer.json");
  static const char json[] =
      "\n{\n\"a\": {}}                                                        "
      "                                                                  ";
  refuse(json, sizeof json - 1, "x.json", "not a tokenizer.json");
}
END_TEST

// ---- tokenizer.json --------------------------------------------------------------------

#define UNIGRAM(options, vocab) \
  "{\"model\": {\"type\": \"Unigram\", " options " \"vocab\": " vocab "}, \"added_tokens\": []}"

START_TEST(unigram_json_is_checked) {
  static const char *const wrong[][2] = {
      {UNIGRAM("", "[]"), "\"vocab\" is missing, empty"},
      {UNIGRAM("", "{\"a\": 1}"), "\"vocab\" is missing, empty"},
      {UNIGRAM("\"unk_id\": 0,", "[[\"a\"]]"), "entry 0 of \"vocab\" is not [token, score]"},
      {UNIGRAM("\"unk_id\": 0,", "[[\"a\", \"b\"]]"), "the score of token 0 is not a number"},
      {UNIGRAM("\"unk_id\": 1,", "[[\"a\", 0]]"), "\"unk_id\" is not the id of a token"},
      {UNIGRAM("\"unk_id\": -1,", "[[\"a\", 0]]"), "\"unk_id\" is not the id of a token"},
      {UNIGRAM("\"unk_id\": null,", "[[\"a\", 0]]"), "\"unk_id\" is missing"},
      {UNIGRAM("\"unk_id\": 0, \"byte_fallback\": 1,", "[[\"a\", 0]]"), "not true or false"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    refuse(wrong[i][0], strlen(wrong[i][0]), "x.json", wrong[i][1]);
  // As the first files were written, without a type; the example of the library's documentation.
  static const char file[] =
      "{\"model\": {\"unk_id\": 0, \"vocab\": [[\"<unk>\", 0], [\"a\", 0], [\"b\", 0], [\"c\", 0],"
      " [\"d\", 0], [\"cd\", 1], [\"ab\", 2], [\"abc\", 5], [\"abcd\", 10]]}}";
  rmx_tokenizer *t = parsed(file, sizeof file - 1, "x.json");
  check_ids(t, "abcdacdxx", "8 1 5 0");
  rmx_tokenizer_free(t);
}
END_TEST

// A word of ten million bytes, with and without places where all ways to cut meet.
START_TEST(unigram_of_a_long_word) {
  enum { SIZE = 10000000 };
  rmx_buf b = {0};
  make_model(&b, 1, false, false);
  rmx_tokenizer *t = parsed(b.data, b.size, "x.model");
  char *word = malloc(SIZE);
  for (int round = 0; round < 2; round++) {
    rmx_tokens ids = {0};
    for (size_t i = 0; i < SIZE; i++) word[i] = round ? "abcabx"[i % 6] : 'a';
    must(rmx_tokenizer_encode(t, RMX_SPECIALS_TEXT, word, SIZE, &ids, err));
    ck_assert_uint_eq(ids.n, round ? SIZE / 2 : SIZE);
    rmx_tokens_release(&ids);
  }
  free(word);
  rmx_tokenizer_free(t);
  rmx_buf_release(&b);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_checked_fixture(tc, make_folder, folder_remove);
  tcase_add_test(tc, unigram_by_definition);
  tcase_add_test(tc, scores_to_the_last_bit);
  tcase_add_test(tc, sentencepiece_unigram);
  tcase_add_test(tc, sentencepiece_bpe_and_characters);
  tcase_add_test(tc, sentencepiece_user_symbols_and_bytes);
  tcase_add_test(tc, tiktoken_ranks);
  tcase_add_test(tc, tekken_json);
  tcase_add_test(tc, bert_vocabulary);
  tcase_add_test(tc, files_of_no_known_kind);
  tcase_add_test(tc, unigram_json_is_checked);
  tcase_add_test(tc, unigram_of_a_long_word);
}
