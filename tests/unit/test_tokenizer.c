// SPDX-License-Identifier: Apache-2.0
// The tokenizer: merges as a naive implementation learns and applies them, any bytes there and
// back, tokenizer.json read and written.
#include <time.h>

#include "base/json.h"
#include "corpus/tokenizer/bpe.h"
#include "corpus/tokenizer/byte_alphabet.h"
#include "corpus/tokenizer/model_lists.h"
#include "corpus/tokenizer/tokenizer.h"
#include "corpus/utf8.h"
#include "corpus_folder.h"
#include "walking.h"

static const char sample[] =
    "It's the end of the world as we know it, and they'll say we've had 1234 chances.\r\n\r\n"
    "Ünïcödé — naïve café, Straße; 日本語のテキスト、東京。 "
    "\xF0\x9F\x98\x80\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9\n"
    "\tint main(void) { return 0; }  \n   x = [1, 22, 333]\n\n\nthe end of the world, the end";

static rmx_tokenizer *trained(const char *text, int vocab) {
  rmx_tokenizer *t = NULL;
  size_t size = strlen(text);
  must(rmx_tokenizer_train(&text, &size, 1, vocab, &t, err));
  return t;
}

static const rmx__bpe *bpe_of(const rmx_tokenizer *t) {
  return t->model;
}

static void check_round_trip(const rmx_tokenizer *t, const char *text, size_t size) {
  rmx_tokens tokens = {0};
  rmx_buf back = {0};
  must(rmx_tokenizer_encode(t, RMX_SPECIALS_TEXT, text, size, &tokens, err));
  must(rmx_tokenizer_decode(t, tokens.ids, tokens.n, &back, err));
  ck_assert_uint_eq(back.size, size);
  ck_assert(size == 0 || memcmp(back.data, text, size) == 0);
  rmx_tokens_release(&tokens);
  rmx_buf_release(&back);
}

// ---- training ----------------------------------------------------------------------------

// The definition, word by word and pair by pair, with everything counted anew for every merge.
struct naive {
  uint32_t *ids[4096];
  size_t n[4096], words;
  char *token[2048];
  size_t size[2048], tokens;
};

static void naive_merge(struct naive *v, uint32_t a, uint32_t b, uint32_t made) {
  for (size_t w = 0; w < v->words; w++) {
    size_t kept = 0;
    for (size_t i = 0; i < v->n[w]; i++) {
      bool here = i + 1 < v->n[w] && v->ids[w][i] == a && v->ids[w][i + 1] == b;
      v->ids[w][kept++] = here ? made : v->ids[w][i];
      i += here;
    }
    v->n[w] = kept;
  }
}

static bool naive_best(const struct naive *v, uint32_t *a, uint32_t *b) {
  static uint32_t counts[1024][1024];
  for (size_t x = 0; x < v->tokens; x++) memset(counts[x], 0, v->tokens * sizeof counts[x][0]);
  uint32_t best = 1;
  for (size_t w = 0; w < v->words; w++)
    for (size_t i = 0; i + 1 < v->n[w]; i++) counts[v->ids[w][i]][v->ids[w][i + 1]]++;
  for (uint32_t x = 0; x < v->tokens; x++)
    for (uint32_t y = 0; y < v->tokens; y++)
      if (counts[x][y] > best) best = counts[ *a = x][ *b = y];
  return best > 1;
}

static void check_against_naive(const char *text, size_t size, int vocab) {
  static struct naive v;
  memset(&v, 0, sizeof v);
  uint8_t order[256];
  rmx__byte_order(order);
  uint32_t id_of[256];
  for (uint32_t i = 0; i < 256; i++) {
    id_of[order[i]] = i + 1;
    v.token[i + 1] = (char *)malloc(1);
    v.token[i + 1][0] = (char)order[i];
    v.size[i + 1] = 1;
  }
  v.tokens = 257;
  rmx_err failure = {0};
  struct walking w;
  rmx__piece word;
  walk_by(&w, NULL);
  walk_over(&w, text, size);
  while (rmx__walk_next(w.walk, &word, &failure)) {
    ck_assert_uint_lt(v.words, 4096);
    v.ids[v.words] = rmx_calloc(word.size, sizeof(uint32_t));
    for (size_t i = 0; i < word.size; i++) v.ids[v.words][i] = id_of[(uint8_t)word.text[i]];
    v.n[v.words++] = word.size;
  }
  walk_end(&w);
  rmx_tokenizer *t = NULL;
  must(rmx_tokenizer_train(&text, &size, 1, vocab, &t, err));
  size_t merges = 0;
  uint32_t a = 0, b = 0, done[2048][2];
  while ((int)v.tokens < vocab && naive_best(&v, &a, &b)) {
    size_t n = v.size[a] + v.size[b];
    char *joined = malloc(n);
    memcpy(joined, v.token[a], v.size[a]);
    memcpy(joined + v.size[a], v.token[b], v.size[b]);
    uint32_t made = 0;
    for (uint32_t i = 1; i < v.tokens && !made; i++)
      if (v.size[i] == n && memcmp(v.token[i], joined, n) == 0) made = i;
    bool again = false;
    for (size_t i = 0; i < merges; i++) again = again || (done[i][0] == a && done[i][1] == b);
    if (made) {
      free(joined);
    } else {
      made = (uint32_t)v.tokens++;
      v.token[made] = joined;
      v.size[made] = n;
    }
    if (!again) {
      ck_assert_uint_lt(merges, bpe_of(t)->nmerges);
      ck_assert_msg(bpe_of(t)->merges[merges].a == a && bpe_of(t)->merges[merges].b == b &&
                        bpe_of(t)->merges[merges].made == made,
                    "merge %zu is (%u, %u) -> %u, by definition (%u, %u) -> %u", merges,
                    bpe_of(t)->merges[merges].a, bpe_of(t)->merges[merges].b,
                    bpe_of(t)->merges[merges].made, a, b, made);
      done[merges][0] = a;
      done[merges++][1] = b;
    }
    naive_merge(&v, a, b, made);
  }
  ck_assert_uint_eq(merges, bpe_of(t)->nmerges);
  ck_assert_int_eq(rmx_tokenizer_vocab(t), (int)v.tokens);
  // Encoding by the ranks gives what applying the merges one after the other gives.
  rmx_tokens tokens = {0};
  must(rmx_tokenizer_encode(t, RMX_SPECIALS_TEXT, text, size, &tokens, err));
  size_t at = 0;
  for (size_t i = 0; i < v.words; i++)
    for (size_t j = 0; j < v.n[i]; j++, at++)
      if (at >= tokens.n || tokens.ids[at] != v.ids[i][j])
        ck_abort_msg("token %zu of the text differs", at);
  ck_assert_uint_eq(at, tokens.n);
  rmx_tokens_release(&tokens);
  rmx_tokenizer_free(t);
  for (size_t i = 0; i < v.words; i++) free(v.ids[i]);
  for (size_t i = 0; i < v.tokens; i++) free(v.token[i]);
}

START_TEST(merges_by_definition) {
  char text[6000];
  size_t n = 0;
  while (n + sizeof sample < sizeof text) {
    memcpy(text + n, sample, sizeof sample - 1);
    n += sizeof sample - 1;
  }
  check_against_naive(text, n, 600);
  // Few letters give long runs, overlapping pairs, and tokens that are made in two ways.
  rmx_rng rng = rmx_rng_make(2, 0, RMX_FOR_TEST);
  for (int round = 0; round < 20; round++) {
    for (n = 0; n < 3000; n++) text[n] = "aaab c"[rmx_rng_below(&rng, 6)];
    check_against_naive(text, n, 330 + 10 * round);
  }
}
END_TEST

START_TEST(merges_by_hand) {
  // ab 4 times, then (ab)(ab) twice: the third merge has nothing left that occurs twice.
  rmx_tokenizer *t = trained("abab\nabab", 1000);
  uint32_t a = bpe_of(t)->byte_id['a'], b = bpe_of(t)->byte_id['b'];
  ck_assert_uint_eq(a, 1 + 'a' - '!');
  ck_assert_int_eq(rmx_tokenizer_vocab(t), 259);
  ck_assert_uint_eq(bpe_of(t)->nmerges, 2);
  ck_assert(bpe_of(t)->merges[0].a == a && bpe_of(t)->merges[0].b == b &&
            bpe_of(t)->merges[0].made == 257);
  ck_assert(bpe_of(t)->merges[1].a == 257 && bpe_of(t)->merges[1].b == 257 &&
            bpe_of(t)->merges[1].made == 258);
  rmx_tokens tokens = {0};
  must(rmx_tokenizer_encode(t, RMX_SPECIALS_TEXT, "ababab b", 8, &tokens, err));
  const uint32_t wanted[] = {258, 257, bpe_of(t)->byte_id[' '], b};
  ck_assert_uint_eq(tokens.n, 4);
  ck_assert_mem_eq(tokens.ids, wanted, sizeof wanted);
  rmx_tokens_release(&tokens);
  rmx_tokenizer_free(t);
  must_fail(rmx_tokenizer_train(NULL, NULL, 0, 256, &t, err), "256 tokens; wanted 257");
  t = NULL;
  must(rmx_tokenizer_train(NULL, NULL, 0, 257, &t, err));  // no text at all: bytes
  ck_assert_int_eq(rmx_tokenizer_vocab(t), 257);
  rmx_tokenizer_free(t);
}
END_TEST

// ---- encoding ------------------------------------------------------------------------------

START_TEST(any_bytes_there_and_back) {
  rmx_tokenizer *t = trained(sample, 280);
  check_round_trip(t, "", 0);
  check_round_trip(t, sample, strlen(sample));
  char all[256];
  for (int i = 0; i < 256; i++) all[i] = (char)i;
  check_round_trip(t, all, sizeof all);
  // all of it invalid
  check_round_trip(t, "\xFF\xFE\xC0\x80\xED\xA0\x80\xF4\x90\x80\x80\xE2\x82", 13);
  check_round_trip(t, "<|endoftext|>", 13);
  rmx_rng rng = rmx_rng_make(3, 0, RMX_FOR_TEST);
  char random[400];
  for (int round = 0; round < 3000; round++) {
    size_t n = rmx_rng_below(&rng, sizeof random);
    for (size_t i = 0; i < n; i++) random[i] = (char)rmx_rng_u32(&rng);
    check_round_trip(t, random, n);
  }
  rmx_tokenizer_free(t);
}
END_TEST

START_TEST(long_runs) {
  rmx_tokenizer *t = trained("aaaaaaaa aaaaaaaa        \n\n\n\n\n\n\n\n --------", 300);
  enum { SIZE = 1 << 20 };
  char *run = malloc(SIZE);
  for (const char *byte = "a \n-\x80\xE3"; *byte; byte++) {
    memset(run, *byte, SIZE);
    check_round_trip(t, run, SIZE);
    run[SIZE - 1] = 'x';
    check_round_trip(t, run, SIZE);
  }
  // The same bytes through a pattern of PCRE2, which would need a large stack for them.
  char json[4096];
  snprintf(json, sizeof json, "%s",
           "{\"added_tokens\":[{\"id\":256,\"content\":\"<|endoftext|>\",\"special\":true}],\"pre_"
           "tokenizer\":"
           "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":"
           "\"(?:(\\\\s)|[^a])+|\\\\s+(?!\\\\S)|a+\"},\"behavior\":\"Isolated\"},{\"type\":"
           "\"ByteLevel\",\"use_"
           "regex\":false}]},"
           "\"model\":{\"type\":\"BPE\",\"merges\":[],\"vocab\":{");
  rmx_buf text = {0};
  rmx_buf_puts(&text, json);
  for (int b = 0; b < 256; b++) {
    int32_t c = rmx__byte_to_char((uint8_t)b);
    rmx_buf_printf(&text, "%s\"\\u%04x\":%d", b ? "," : "", (unsigned)c, b);
  }
  rmx_buf_puts(&text, "}}}");
  rmx_tokenizer *other = NULL;
  must(rmx__tokenizer_parse(text.data, text.size, "test", &other, err));
  for (const char *byte = "a \n-\x80\xE3"; *byte; byte++) {
    memset(run, *byte, SIZE / 16);
    check_round_trip(other, run, SIZE / 16);
    run[SIZE / 16 - 1] = 'x';
    check_round_trip(other, run, SIZE / 16);
  }
  rmx_buf_release(&text);
  rmx_tokenizer_free(other);
  rmx_tokenizer_free(t);
  free(run);
}
END_TEST

static double cpu_s(void) {
  return (double)clock() / CLOCKS_PER_SEC;
}

// Ten megabytes without a space, or of spaces alone, cost ten times one: in both ways to words, and
// in training.
START_TEST(ten_megabytes_without_a_space) {
  enum { LARGE = 10 << 20, SMALL = LARGE / 8 };
  static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  rmx_tokenizer *own = trained("aaaaaaaa aaaaaaaa        \n\n\n\n\n\n\n\n --------", 300),
                *learnt = NULL;
  rmx_rng rng = rmx_rng_make(1, 0, RMX_FOR_TEST);
  char *run = malloc(LARGE);
  for (int kind = 0; kind < 3; kind++) {
    for (size_t i = 0; i < LARGE; i++)
      run[i] = kind == 0 ? 'a' : kind == 1 ? ' ' : base64[rmx_rng_below(&rng, 64)];
    run[SMALL - 1] = run[LARGE - 1] = 'x';
    double spent[2] = {0};
    for (int large = 0; large < 2; large++) {
      const size_t size = large ? LARGE : SMALL;
      rmx_tokens out = {0};
      double began = cpu_s();
      must(rmx_tokenizer_encode(own, RMX_SPECIALS_TEXT, run, size, &out, err));
      if (kind == 2)
        must(rmx_tokenizer_train((const char *const[]){run}, (size_t[]){size}, 1, 600, &learnt,
                                 err));
      spent[large] = cpu_s() - began;
      rmx_tokens_release(&out);
      if (learnt) rmx_tokenizer_free(learnt);
      learnt = NULL;
    }
    ck_assert_msg(spent[1] < 25 * spent[0] + 0.5, "kind %d: %g s for 1.25 MB, %g s for 10 MB", kind,
                  spent[0], spent[1]);
  }
  rmx_tokenizer_free(own);
  free(run);
}
END_TEST

// Words around the length where the heap takes over from the scan: both must find the same tokens
// as applying merge after merge.
START_TEST(short_and_long_words_agree) {
  rmx_tokenizer *t = trained("abcabcabdabdacbacbabab abcabc abab cacaca bdbdbd aabbaabb", 290);
  rmx_rng rng = rmx_rng_make(4, 0, RMX_FOR_TEST);
  for (int round = 0; round < 3000; round++) {
    char word[180];
    uint32_t ids[180];
    size_t n = 20 + rmx_rng_below(&rng, 160), left = n;
    for (size_t i = 0; i < n; i++) word[i] = "abcd"[rmx_rng_below(&rng, 4)];
    for (size_t i = 0; i < n; i++) ids[i] = bpe_of(t)->byte_id[(uint8_t)word[i]];
    for (size_t m = 0; m < bpe_of(t)->nmerges; m++) {
      size_t kept = 0;
      for (size_t i = 0; i < left; i++) {
        bool here = i + 1 < left && ids[i] == bpe_of(t)->merges[m].a &&
                    ids[i + 1] == bpe_of(t)->merges[m].b;
        ids[kept++] = here ? bpe_of(t)->merges[m].made : ids[i];
        i += here;
      }
      left = kept;
    }
    rmx_tokens tokens = {0};
    must(rmx_tokenizer_encode(t, RMX_SPECIALS_TEXT, word, n, &tokens, err));
    ck_assert_uint_eq(tokens.n, left);
    ck_assert_mem_eq(tokens.ids, ids, left * sizeof *ids);
    rmx_tokens_release(&tokens);
  }
  rmx_tokenizer_free(t);
}
END_TEST

struct encoding {
  const rmx_tokenizer *t;
  rmx_tokens tokens[64];
  rmx_err errors[64];
};

static void encode_one(void *context, size_t i) {
  struct encoding *e = context;
  rmx_tokenizer_encode(e->t, RMX_SPECIALS_TEXT, sample + i % 16, strlen(sample) - i % 16,
                       &e->tokens[i], &e->errors[i]);
}

START_TEST(threads_share_a_tokenizer) {
  static struct encoding e;
  rmx_tokenizer *t = trained(sample, 280);
  e.t = t;
  rmx_parallel(4, 64, encode_one, &e);
  for (size_t i = 0; i < 64; i++) {
    ck_assert_int_eq(e.errors[i].status, RMX_OK);
    ck_assert_uint_eq(e.tokens[i].n, e.tokens[i % 16].n);
    ck_assert_mem_eq(e.tokens[i].ids, e.tokens[i % 16].ids, e.tokens[i].n * sizeof(uint32_t));
  }
  for (size_t i = 0; i < 64; i++) rmx_tokens_release(&e.tokens[i]);
  rmx_tokenizer_free(t);
}
END_TEST

START_TEST(unknown_ids_are_refused) {
  rmx_tokenizer *t = trained(sample, 270);
  rmx_buf out = {0};
  const uint32_t ids[] = {5, 270};
  must_fail(rmx_tokenizer_decode(t, ids, 2, &out, err),
            "the id 270, which is number 2, is not in the vocabulary of 270");
  rmx_buf_release(&out);
  rmx_tokenizer_free(t);
}
END_TEST

// ---- tokenizer.json ----------------------------------------------------------------------------

START_TEST(written_and_read_again) {
  folder_make();
  rmx_tokenizer *t = trained(sample, 280), *again = NULL, *third = NULL;
  must(rmx_tokenizer_write(t, in_folder("a.json"), err));
  must(rmx_tokenizer_read(in_folder("a.json"), &again, err));
  ck_assert_uint_eq(rmx_tokenizer_hash(t), rmx_tokenizer_hash(again));
  ck_assert_int_eq(rmx_tokenizer_vocab(t), rmx_tokenizer_vocab(again));
  ck_assert_uint_eq(rmx_tokenizer_end_of_text(again), 0);
  check_round_trip(again, sample, strlen(sample));
  must(rmx_tokenizer_write(again, in_folder("b.json"), err));
  must(rmx_tokenizer_read(in_folder("b.json"), &third, err));
  ck_assert_uint_eq(rmx_tokenizer_hash(t), rmx_tokenizer_hash(third));
  char *a, *b;
  size_t na, nb;
  must(rmx_read_file(in_folder("a.json"), &a, &na, err));
  must(rmx_read_file(in_folder("b.json"), &b, &nb, err));
  ck_assert_uint_eq(na, nb);
  ck_assert_mem_eq(a, b, na);
  free(a);
  free(b);
  rmx_tokenizer *other = trained(sample, 281);
  ck_assert_uint_ne(rmx_tokenizer_hash(t), rmx_tokenizer_hash(other));
  rmx_tokenizer_free(t);
  rmx_tokenizer_free(again);
  rmx_tokenizer_free(third);
  rmx_tokenizer_free(other);
  folder_remove();
}
END_TEST

// A tree like a real file's: bytes, "he", "hello" with merges in `style`.
static json_t *a_tokenizer(bool pairs) {
  json_t *root = rmx__tokenizer_frame(), *model = json_object_get(root, "model");
  json_t *vocab = json_object_get(model, "vocab"), *merges = json_object_get(model, "merges");
  for (int b = 0; b < 256; b++) {
    char key[8];
    int32_t c = rmx__byte_to_char((uint8_t)b);
    snprintf(key, sizeof key, c < 128 ? "%c" : "%c%c", c < 128 ? c : 0xC0 | c >> 6,
             0x80 | (c & 63));
    json_object_set_new(vocab, key, json_integer(1 + b));
  }
  static const char *const made[][3] = {
      {"h", "e", "he"}, {"l", "l", "ll"}, {"he", "ll", "hell"}, {"hell", "o", "hello"}};
  for (int i = 0; i < 4; i++) {
    json_object_set_new(vocab, made[i][2], json_integer(257 + i));
    json_array_append_new(merges, pairs ? json_pack("[s,s]", made[i][0], made[i][1])
                                        : json_sprintf("%s %s", made[i][0], made[i][1]));
  }
  return root;
}

static rmx_status parse(const json_t *root, rmx_tokenizer **out, rmx_err *err) {
  char *text = json_dumps(root, 0);
  rmx_status status = rmx__tokenizer_parse(text, strlen(text), "t.json", out, err);
  free(text);
  return status;
}

static void check_ids(const rmx_tokenizer *t, const char *text, const uint32_t *ids, size_t n) {
  rmx_tokens tokens = {0};
  must(rmx_tokenizer_encode(t, RMX_SPECIALS_TEXT, text, strlen(text), &tokens, err));
  ck_assert_uint_eq(tokens.n, n);
  ck_assert_mem_eq(tokens.ids, ids, n * sizeof *ids);
  rmx_tokens_release(&tokens);
}

START_TEST(real_files_in_their_variants) {
  rmx_tokenizer *a = NULL, *b = NULL, *c = NULL;
  json_t *root = a_tokenizer(false), *pairs = a_tokenizer(true);
  must(parse(root, &a, err));
  must(parse(pairs, &b, err));
  ck_assert_uint_eq(rmx_tokenizer_hash(a), rmx_tokenizer_hash(b));
  check_ids(a, "hello he", (uint32_t[]){260, 1 + ' ', 257}, 3);
  // Text does not end itself: the special token is spelt out.
  rmx_tokens tokens = {0};
  must(rmx_tokenizer_encode(a, RMX_SPECIALS_TEXT, "<|endoftext|>", 13, &tokens, err));
  ck_assert_uint_eq(tokens.n, 13);
  rmx_tokens_release(&tokens);
  // Added tokens that are not special are found first, the longest one.
  json_t *added = json_object_get(root, "added_tokens");
  json_array_append_new(added,
                        json_pack("{s:i,s:s,s:b}", "id", 261, "content", "  ", "special", 0));
  json_array_append_new(added,
                        json_pack("{s:i,s:s,s:b}", "id", 262, "content", "   ", "special", 0));
  must(parse(root, &c, err));
  ck_assert_int_eq(rmx_tokenizer_vocab(c), 263);
  check_ids(c, "hello     he", (uint32_t[]){260, 262, 261, 257}, 4);
  must_fail(rmx_tokenizer_decode(c, (uint32_t[]){280}, 1, &(rmx_buf){0}, err), "id 280");
  rmx_tokenizer_free(c);
  // Llama 3's way: a pattern of its own, whole words, NFC.
  json_object_set_new(root, "normalizer", json_pack("{s:s}", "type", "NFC"));
  json_object_set_new(
      root, "pre_tokenizer",
      json_pack("{s:s, s:[{s:s, s:{s:s}, s:s, s:b}, {s:s, s:b, s:b}]}", "type", "Sequence",
                "pretokenizers", "type", "Split", "pattern", "Regex",
                "\\p{N}{1,3}|\\p{L}+|[^\\p{N}\\p{L}]+", "behavior", "Isolated", "invert", 0, "type",
                "ByteLevel", "add_prefix_space", 0, "use_regex", 0));
  json_t *model = json_object_get(root, "model");
  json_object_set_new(model, "ignore_merges", json_true());
  json_object_set_new(json_object_get(model, "vocab"), "1234", json_integer(270));
  json_array_remove(added, 2), json_array_remove(added, 1);
  json_object_set_new(json_object_get(model, "vocab"), "123", json_integer(271));
  must(parse(root, &c, err));
  check_ids(c, "1234he", (uint32_t[]){271, 1 + '4', 257}, 3);
  check_ids(c, "e\xCC\x81", (uint32_t[]){1 + 0xC3, 1 + 0xA9}, 2);  // e and an accent become é
  check_ids(c, "e\xCC\x81\xFF!", (uint32_t[]){1 + 'e', 1 + 0xCC, 1 + 0x81, 1 + 0xFF, 1 + '!'}, 5);
  folder_make();
  must(rmx_tokenizer_write(c, in_folder("c.json"), err));
  rmx_tokenizer *d = NULL;
  must(rmx_tokenizer_read(in_folder("c.json"), &d, err));
  ck_assert_uint_eq(rmx_tokenizer_hash(c), rmx_tokenizer_hash(d));
  ck_assert_uint_ne(rmx_tokenizer_hash(c), rmx_tokenizer_hash(a));
  folder_remove();
  rmx_tokenizer_free(a);
  rmx_tokenizer_free(b);
  rmx_tokenizer_free(c);
  rmx_tokenizer_free(d);
  json_decref(root);
  json_decref(pairs);
}
END_TEST

static void check_refused(void (*spoil)(json_t *root, json_t *model), const char *message) {
  json_t *root = a_tokenizer(false);
  spoil(root, json_object_get(root, "model"));
  rmx_tokenizer *t = NULL;
  must_fail(parse(root, &t, err), message);
  json_decref(root);
}

static void unigram(json_t *root, json_t *model) {
  (void)root, json_object_set_new(model, "type", json_string("Nonsense"));
}
static void no_model(json_t *root, json_t *model) {
  (void)model, json_object_del(root, "model");
}
static void dropout(json_t *root, json_t *model) {
  (void)root, json_object_set_new(model, "dropout", json_real(0.1));
}
static void suffix(json_t *root, json_t *model) {
  (void)root, json_object_set_new(model, "end_of_word_suffix", json_integer(1));
}
static void normalizer(json_t *root, json_t *model) {
  (void)model, json_object_set_new(root, "normalizer", json_pack("{s:s}", "type", "Upper"));
}
static void scripts(json_t *root, json_t *model) {
  (void)model,
      json_object_set_new(root, "pre_tokenizer",
                          json_pack("{s:s,s:[{s:s},{s:s}]}", "type", "Sequence", "pretokenizers",
                                    "type", "ByteLevel", "type", "UnicodeScripts"));
}
static void no_regex(json_t *root, json_t *model) {
  (void)model,
      json_object_set_new(json_object_get(root, "pre_tokenizer"), "use_regex", json_string("no"));
}
static void twice_in_bytes(json_t *root, json_t *model) {
  (void)model,
      json_object_set_new(root, "pre_tokenizer",
                          json_pack("{s:s,s:[{s:s},{s:s}]}", "type", "Sequence", "pretokenizers",
                                    "type", "ByteLevel", "type", "ByteLevel"));
}
static void no_byte(json_t *root, json_t *model) {
  (void)root, json_object_del(json_object_get(model, "vocab"), "A");
}
static void twice(json_t *root, json_t *model) {
  (void)root, json_object_set_new(json_object_get(model, "vocab"), "xyz", json_integer(7));
}
static void negative(json_t *root, json_t *model) {
  (void)root, json_object_set_new(json_object_get(model, "vocab"), "xyz", json_integer(-7));
}
static void huge(json_t *root, json_t *model) {
  (void)root, json_object_set_new(json_object_get(model, "vocab"), "xyz", json_integer(1 << 30));
}
static void bad_merge(json_t *root, json_t *model) {
  (void)root, json_array_append_new(json_object_get(model, "merges"), json_string("x y"));
}
static void odd_merge(json_t *root, json_t *model) {
  (void)root, json_array_append_new(json_object_get(model, "merges"), json_string("x y z"));
}
static void clash(json_t *root, json_t *model) {
  (void)model,
      json_array_append_new(json_object_get(root, "added_tokens"),
                            json_pack("{s:i,s:s,s:b}", "id", 9, "content", "<x>", "special", 1));
}
START_TEST(what_is_not_supported_is_refused) {
  check_refused(unigram, "model type \"Nonsense\" is not supported; supported: BPE");
  check_refused(no_model, "no \"model\"");
  check_refused(dropout, "\"dropout\" is set");
  check_refused(suffix, "\"end_of_word_suffix\" is not a string");
  check_refused(normalizer, "normalizer: part 1 of 1, \"Upper\", is not supported; supported are");
  check_refused(scripts, "pre_tokenizer: part 2 of 2, \"UnicodeScripts\", is not supported");
  check_refused(no_regex, "part 1 of 1, \"ByteLevel\": \"use_regex\" is not true or false");
  check_refused(twice_in_bytes, "part 2 of 2, \"ByteLevel\": the text is in bytes already");
  check_refused(no_byte, "no token for the byte 0x41");
  check_refused(twice, "two tokens have the id 7");
  check_refused(negative, "the id of token \"xyz\" is not a whole number");
  check_refused(huge, "the id of token \"xyz\" is not a whole number");
  check_refused(bad_merge, "merge 4: \"xy\" is not in the vocabulary");
  check_refused(odd_merge, "merge 4 is neither");
  check_refused(clash,
                "the added token \"<x>\" has the id 9, but Hugging Face's library gives it 261");
  rmx_tokenizer *t = NULL;
  must_fail(rmx__tokenizer_parse("{\n\n]", 4, "t.json", &t, err), "t.json:3: not JSON");
  must_fail(rmx_tokenizer_read("/nonexistent/t.json", &t, err), "/nonexistent/t.json");
}
END_TEST

// Reading the lists of a file without a tree gives the tokenizer that a tree gives.
static void check_lists(const char *text, const rmx_tokenizer *wanted) {
  rmx__model_lists lists = {0};
  rmx_buf rest = {0};
  rmx_tokenizer *tree = NULL, *quick = NULL;
  json_error_t at;
  ck_assert(rmx__model_lists_take(text, strlen(text), &lists, &rest));
  ck_assert_uint_lt(rest.size, strlen(text));
  must(rmx__tokenizer_of_tree(json_loads(text, 0, &at), NULL, "tree", &tree, err));
  must(rmx__tokenizer_of_tree(json_loads(rest.data, 0, &at), &lists, "lists", &quick, err));
  ck_assert_uint_eq(rmx_tokenizer_hash(quick), rmx_tokenizer_hash(tree));
  if (wanted) ck_assert_uint_eq(rmx_tokenizer_hash(quick), rmx_tokenizer_hash(wanted));
  must(rmx_tokenizer_write(quick, in_folder("quick.json"), err));
  must(rmx_tokenizer_write(tree, in_folder("tree.json"), err));
  char *one, *other;
  must(rmx_read_file(in_folder("quick.json"), &one, NULL, err));
  must(rmx_read_file(in_folder("tree.json"), &other, NULL, err));
  ck_assert_str_eq(one, other);
  free(one), free(other);
  rmx_tokenizer_free(tree);
  rmx_tokenizer_free(quick);
  rmx_buf_release(&rest);
  rmx__model_lists_release(&lists);
}

static void check_no_lists(const char *model) {
  rmx__model_lists lists = {0};
  rmx_buf rest = {0};
  char *text = rmx_format("{\"model\": {%s}}", model);
  ck_assert_msg(!rmx__model_lists_take(text, strlen(text), &lists, &rest), "%s", model);
  rmx_buf_release(&rest);
  rmx__model_lists_release(&lists);
  free(text);
}

START_TEST(lists_without_a_tree) {
  rmx_tokenizer *t = trained(sample, 290);
  char *text;
  must(rmx_tokenizer_write(t, in_folder("lists.json"), err));
  must(rmx_read_file(in_folder("lists.json"), &text, NULL, err));
  check_lists(text, t);
  // the same with escapes, merges of two strings, and more white space
  rmx_buf other = {0};
  const char *at = text;
  for (const char *merges = strchr(strstr(text, "\"merges\""), '['); *at; at++) {
    if (strncmp(at, "\xC4\xA0", 2) == 0) {
      rmx_buf_puts(&other, "\\u0120");
      at++;
    } else if (at > merges && *at == ' ' && !strchr(" \"\n]}", at[1])) {
      rmx_buf_puts(&other, "\" ,\t\"");
    } else if (at > merges && *at == '"' && at[-1] == ' ' && at[-2] == ' ') {
      rmx_buf_puts(&other, "[\"");
    } else if (at > merges && *at == '"' && (at[1] == ',' || at[1] == '\n')) {
      rmx_buf_puts(&other, "\"]");
    } else {
      rmx_buf_add(&other, at, 1);
    }
  }
  check_lists(other.data, t);
  rmx_buf_release(&other);
  free(text);
  rmx_tokenizer_free(t);
  check_no_lists("\"vocab\": {\"a\": 0, \"a\": 1}, \"merges\": [\"a a\"]");  // twice
  check_no_lists("\"vocab\": {\"a\": 0, \"aa\": 1.0}, \"merges\": [\"a a\"]");
  check_no_lists("\"vocab\": {\"a\": 0, \"aa\": 01}, \"merges\": [\"a a\"]");
  check_no_lists("\"vocab\": {\"a\": 0, \"aa\": 99999999}, \"merges\": [\"a a\"]");
  check_no_lists("\"vocab\": {\"a\": 0, \"aa\": 1,}, \"merges\": [\"a a\"]");
  check_no_lists("\"vocab\": {\"a\": 0, \"a\\u0000\": 1}, \"merges\": [\"a a\"]");
  check_no_lists("\"vocab\": {\"a\": 0, \"\\ud800\": 1}, \"merges\": [\"a a\"]");
  check_no_lists("\"vocab\": {\"a\": 0, \"\xFF\": 1}, \"merges\": [\"a a\"]");
  check_no_lists("\"vocab\": {\"a\": 0, \"aa\": 1}, \"merges\": [\"a b\"]");
  check_no_lists("\"vocab\": {\"a\": 0, \"aa\": 1}, \"merges\": [\"a a a\"]");
  check_no_lists("\"vocab\": {\"a\": 0, \"aa\": 1}, \"merges\": [[\"a\", \"a\", \"a\"]]");
  check_no_lists("\"vocab\": {\"a\": 0, \"aa\": 1}, \"merges\": [\"a a\"] , \"type\": \"X\"");
  check_no_lists("\"vocab\": [], \"merges\": [\"a a\"]");
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, lists_without_a_tree);
  tcase_add_test(tc, merges_by_hand);
  tcase_add_test(tc, merges_by_definition);
  tcase_add_test(tc, any_bytes_there_and_back);
  tcase_add_test(tc, long_runs);
  tcase_add_test(tc, ten_megabytes_without_a_space);
  tcase_add_test(tc, short_and_long_words_agree);
  tcase_add_test(tc, threads_share_a_tokenizer);
  tcase_add_test(tc, unknown_ids_are_refused);
  tcase_add_test(tc, written_and_read_again);
  tcase_add_test(tc, real_files_in_their_variants);
  tcase_add_test(tc, what_is_not_supported_is_refused);
}
