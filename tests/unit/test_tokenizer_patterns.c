// SPDX-License-Identifier: Apache-2.0
// How a pattern cuts a text into words: by PCRE2, by the program's own reading of GPT-2's pattern,
// and by patterns of Oniguruma.
#include "corpus/utf8.h"
#include "walking.h"

static const char gpt2_pattern[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

// ---- words -----------------------------------------------------------------------------

// A random text of characters that PCRE2's tables and ours put into the same class.
static size_t random_text(rmx_rng *rng, char *out, size_t characters) {
  static const char *const pieces[] = {
      "'s",       "'t",       "'re", "'ve",  "'m", "'ll",      "'d",           "'",
      " ",        "  ",       "\n",  "\r\n", "\t", "\xC2\xA0", "\xE2\x80\x83", "\xE3\x80\x80",
      "\xC2\x85", "a",        "Z",   "0",    "-",  "é",        "字",           "٣",
      "Ⅷ",        "\xCC\x81", "😀",   "_"};
  size_t n = 0;
  for (size_t i = 0; i < characters; i++) {
    const char *piece = pieces[rmx_rng_below(rng, sizeof pieces / sizeof *pieces)];
    memcpy(out + n, piece, strlen(piece));
    n += strlen(piece);
  }
  return n;
}

START_TEST(words_are_those_of_pcre2) {
  struct walking a, b;
  walk_by(&a, NULL);
  walk_by(&b, gpt2_pattern);
  rmx_rng rng = rmx_rng_make(1, 0, RMX_FOR_TEST);
  char text[512];
  rmx_err err = {0};
  for (int round = 0; round < 20000; round++) {
    size_t size = random_text(&rng, text, 1 + rmx_rng_below(&rng, 40));
    walk_over(&a, text, size);
    walk_over(&b, text, size);
    for (bool more = true; more;) {
      rmx__piece x = {0}, y = {0};
      more = rmx__walk_next(a.walk, &x, &err);
      bool more_b = rmx__walk_next(b.walk, &y, &err);
      if (more != more_b || x.text != y.text || x.size != y.size)
        ck_abort_msg("\"%.*s\": \"%.*s\" and \"%.*s\"", (int)size, text, (int)x.size, x.text,
                     (int)y.size, y.text);
    }
    ck_assert_int_eq(err.status, RMX_OK);
  }
  walk_end(&a);
  walk_end(&b);
}
END_TEST

// Every character by itself: PCRE2's Unicode is a version older and takes U+180E for a space. Llama
// 3's pattern looks for a line feed behind every space of a run: more steps than PCRE2 allows by
// itself.
START_TEST(long_runs_in_a_pattern) {
  enum { SIZE = 24 << 20 };
  struct walking w;
  walk_by(&w,
          "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
          "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+");
  char *run = malloc(SIZE);
  for (const char *byte = " a0-"; *byte; byte++) {
    memset(run, *byte, SIZE);
    size_t size = *byte == '0' ? SIZE / 8 : SIZE, at = 0;
    walk_over(&w, run, size);
    rmx_err failure = {0};
    rmx__piece word;
    while (rmx__walk_next(w.walk, &word, &failure)) at += word.size;
    ck_assert_msg(failure.status == RMX_OK, "%s", failure.message);
    ck_assert_uint_eq(at, size);
  }
  free(run);
  walk_end(&w);
}
END_TEST

START_TEST(classes_are_those_of_pcre2) {
  static const char *const patterns[] = {"\\p{L}", "\\p{N}", "\\s"};
  static const rmx__class classes[] = {RMX__LETTER, RMX__NUMBER, RMX__SPACE};
  size_t differ = 0;
  for (int p = 0; p < 3; p++) {
    rmx__pattern pattern;
    must(rmx__pattern_compile(patterns[p], "test", &pattern, err));
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(pattern.code, NULL);
    for (int32_t code = 0; code < 0x110000; code++) {
      if (code >= 0xD800 && code < 0xE000) continue;
      char utf8[4] = {(char)code};
      size_t n = 1;
      if (code >= 0x10000) {
        n = 4;
        utf8[0] = (char)(0xF0 | code >> 18), utf8[1] = (char)(0x80 | (code >> 12 & 63));
        utf8[2] = (char)(0x80 | (code >> 6 & 63)), utf8[3] = (char)(0x80 | (code & 63));
      } else if (code >= 0x800) {
        n = 3;
        utf8[0] = (char)(0xE0 | code >> 12), utf8[1] = (char)(0x80 | (code >> 6 & 63)),
        utf8[2] = (char)(0x80 | (code & 63));
      } else if (code >= 0x80) {
        n = 2;
        utf8[0] = (char)(0xC0 | code >> 6), utf8[1] = (char)(0x80 | (code & 63));
      }
      rmx__class class;
      if (rmx__class_next(utf8, utf8 + n, &class) != n)
        ck_abort_msg("U+%04X is not %zu bytes", (unsigned)code, n);
      bool theirs = pcre2_match(pattern.code, (PCRE2_SPTR)utf8, n, 0, 0, match, NULL) > 0;
      bool ours = class == classes[p];
      if (theirs == ours) continue;
      differ++;
      ck_assert_msg(code == 0x180E || code > 0xC00, "U+%04X is of another class in PCRE2",
                    (unsigned)code);
    }
    pcre2_match_data_free(match);
    rmx__pattern_release(&pattern);
  }
  ck_assert_uint_lt(differ, 10000);
}
END_TEST

START_TEST(words_of_a_known_text) {
  static const char text[] = "I'll go,  he's 12\n\n x!! ";
  static const char *const words[] = {"I",  "'ll", " go",  ",",  " ",  " he",
                                      "'s", " 12", "\n\n", " x", "!!", " "};
  struct walking w;
  walk_by(&w, NULL);
  walk_over(&w, text, strlen(text));
  rmx_err err = {0};
  rmx__piece word;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    ck_assert(rmx__walk_next(w.walk, &word, &err));
    ck_assert_uint_eq(word.size, strlen(words[i]));
    ck_assert_int_eq(memcmp(word.text, words[i], strlen(words[i])), 0);
  }
  ck_assert(!rmx__walk_next(w.walk, &word, &err));
  walk_end(&w);
}
END_TEST

// ---- patterns -------------------------------------------------------------------------------

// Patterns of Oniguruma, known ones and single constructs, a text, and the pieces of the text, as
// Hugging Face's library splits it: the matches and what lies between them.
static const struct {
  const char *regex, *text, *pieces;
} patterns[] = {
    // clang-format off
    {"\\h", "a g\tf", "a| g\t|f"},
    {"[\\h]", "a g", "a| g"},
    {"$", "a\nb", "a|\nb"},
    {"^", "a\nb", "a\n|b"},
    {"a$", "a\na", "a|\n|a"},
    {"\\Z", "a\n", "a|\n"},
    {".", "a\nb", "a|\n|b"},
    {"(?m:.)", "a\nb", "a|\n|b"},
    {"[a-z&&[^b]]", "abc", "a|b|c"},
    {"[a[0-9]]", "a1[]", "a|1|[]"},
    {"\\R", "a\r\nb", "a|\r\n|b"},
    {"(?<n>a)", "ab", "a|b"},
    {"(?i:s)", "sS\305\277", "s|S|\305\277"},
    {"(?i:k)", "kKK", "k|K|K"},
    {"[[:alpha:]]", "a\303\2511", "a|\303\251|1"},
    {"[[:^alpha:]]", "a\303\2511", "a\303\251|1"},
    {"[[:punct:]]", "a$+,", "a|$|+|,"},
    {"[[:word:]]", "a_\303\251", "a|_|\303\251"},
    {"\\p{^L}", "a1", "a|1"},
    {"\\P{L}", "a1", "a|1"},
    {"\\p{Alpha}", "a1", "a|1"},
    {"\\p{Han}", "a\344\270\200", "a|\344\270\200"},
    {"\\d", "1\331\243", "1|\331\243"},
    {"\\w", "a\303\251_\342\200\2151", "a|\303\251|_|\342\200\215|1"},
    {"\\b", "ab cd", "ab| |cd"},
    {"\\s",
     "a\341\240\216\302\205\302\240b\342\200\213",
     "a\341\240\216|\302\205|\302\240|b\342\200\213"},
    {"a++", "aaab", "aaa|b"},
    {"a{2}+", "aaaaa", "aaaa|a"},
    {"a{,2}", "aaa", "aa|a"},
    {"a{2", "a{2", "a{2"},
    {"(?>a+)b", "aab", "aab"},
    {"(?<=a)b", "ab", "a|b"},
    {"(?<!a)b", "ab", "ab"},
    {"\\A", "ab", "ab"},
    {"\\z", "ab", "ab"},
    {"\\O", "a\n", "a|\n"},
    {"\\N", "a\n", "a|\n"},
    {"\\u0061", "ab", "a|b"},
    {"\\x{61}", "ab", "a|b"},
    {"\\x61", "ab", "a|b"},
    {"\\t", "a\t", "a|\t"},
    {"\\e", "ab", "ab"},
    {"[\\d\\-x]", "1-x", "1|-|x"},
    {"[^\\S\\n]", " \n", " |\n"},
    {"[]a]", "]a", "]|a"},
    {"(?#c)a", "a", "a"},
    {"{", "a{", "a|{"},
    {"}", "a}", "a|}"},
    {"]", "a]", "a|]"},
    {"\\p{Lu}", "aA", "a|A"},
    {"\\p{lu}", "aA", "a|A"},
    {"\\p{Uppercase_Letter}", "aA", "a|A"},
    {"\\p{Letter}", "a1", "a|1"},
    {"\\v", "a\013\n", "a|\013|\n"},
    {"\\H", "ag ", "a|g| "},
    {"[\\s\\S]", "a\n", "a|\n"},
    {"\\p{Emoji}", "a😀1", "a|😀|1"},
    {"(?i)a", "Aa", "A|a"},
    {"a|(?i)b|c", "aBC", "a|B|C"},
    {"(?-i:a)", "aA", "a|A"},
    {"[[:space:]]", "a \302\205\341\240\216", "a| |\302\205|\341\240\216"},
    {"(?:a|ab)(?:c|bcd)", "abcd", "abcd"},
    {"a{0}", "ab", "a|b"},
    {"x*", "axxb", "a|xx|b"},
    {"(?=b)", "abab", "a|ba|b"},
    {"[^[:alpha:]0]", "a01", "a0|1"},
    {"[^a[^b]]", "abc", "a|b|c"},
    {"[a&&b]", "ab", "ab"},
    {"[a-c&&b-d]", "abcd", "a|b|c|d"},
    {"[^a-c&&b-d]", "abcd", "a|bc|d"},
    {"\\p{Latin}", "a\321\217", "a|\321\217"},
    {"(?i:'s)", "'s '\305\277 'S", "'s| |'\305\277| |'S"},
    {"(?i:[k])", "kKK", "k|K|K"},
    {"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
     "It's THE HTTPServer's na\303\257ve \346\227\245\346\234\254\350\252\236abc 12345 x"
     "\341\240\2169 '\305\277done...\n\n  end  ",
     "It|'s| THE| HTTPServer|'s| na\303\257ve| \346\227\245\346\234\254\350\252\236abc| 12"
     "345| x|\341\240\216|9| '|\305\277done|...|\n\n | end|  "},
    {"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}"
     "\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     "It's THE HTTPServer's na\303\257ve \346\227\245\346\234\254\350\252\236abc 12345 x"
     "\341\240\2169 '\305\277done...\n\n  end  ",
     "It|'s| THE| HTTPServer|'s| na\303\257ve| \346\227\245\346\234\254\350\252\236abc| |1"
     "23|45| x|\341\240\216|9| '|\305\277done|...\n\n| | end|  "},
    {"[\\p{Han}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*"
     "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p"
     "{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+[\\p{Ll}\\p{Lm}\\p{Lo}"
     "\\p{M}&&[^\\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+"
     "[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     "It's THE HTTPServer's na\303\257ve \346\227\245\346\234\254\350\252\236abc 12345 x"
     "\341\240\2169 '\305\277done...\n\n  end  ",
     "It's| THE| HTTPServer's| na\303\257ve| |\346\227\245\346\234\254\350\252\236|abc| |1"
     "23|45| x|\341\240\216|9| '|\305\277done|...\n\n| | end|  "},
    {" ?[^(\\s|[.,!?\342\200\246\343\200\202\357\274\214\343\200\201\340\245\244\333\224"
     "\330\214])]+",
     "It's THE HTTPServer's na\303\257ve \346\227\245\346\234\254\350\252\236abc 12345 x"
     "\341\240\2169 '\305\277done...\n\n  end  ",
     "It's| THE| HTTPServer's| na\303\257ve| \346\227\245\346\234\254\350\252\236abc| 1234"
     "5| x\341\240\2169| '\305\277done|...\n\n | end|  "},
    {"[0-9][0-9][0-9]",
     "It's THE HTTPServer's na\303\257ve \346\227\245\346\234\254\350\252\236abc 12345 x"
     "\341\240\2169 '\305\277done...\n\n  end  ",
     "It's THE HTTPServer's na\303\257ve \346\227\245\346\234\254\350\252\236abc |123|45 x"
     "\341\240\2169 '\305\277done...\n\n  end  "},
    {"\\p{N}{1,3}",
     "It's THE HTTPServer's na\303\257ve \346\227\245\346\234\254\350\252\236abc 12345 x"
     "\341\240\2169 '\305\277done...\n\n  end  ",
     "It's THE HTTPServer's na\303\257ve \346\227\245\346\234\254\350\252\236abc |123|45| "
     "x\341\240\216|9| '\305\277done...\n\n  end  "},
    {"[\344\270\200-\351\276\245\343\201\200-\343\202\237\343\202\240-\343\203\277]+",
     "It's THE HTTPServer's na\303\257ve \346\227\245\346\234\254\350\252\236abc 12345 x"
     "\341\240\2169 '\305\277done...\n\n  end  ",
     "It's THE HTTPServer's na\303\257ve |\346\227\245\346\234\254\350\252\236|abc 12345 x"
     "\341\240\2169 '\305\277done...\n\n  end  "},
    {"'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}"
     "]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
     "It's THE HTTPServer's na\303\257ve \346\227\245\346\234\254\350\252\236abc 12345 x"
     "\341\240\2169 '\305\277done...\n\n  end  ",
     "It|'s| THE| HTTPServer|'s| na\303\257ve| \346\227\245\346\234\254\350\252\236abc| |1"
     "23|45| x|\341\240\216|9| '|\305\277done|...\n\n| | end|  "},
    {"\\d{1,3}(?=(?:\\d{3})*\\b)",
     "It's THE HTTPServer's na\303\257ve \346\227\245\346\234\254\350\252\236abc 12345 x"
     "\341\240\2169 '\305\277done...\n\n  end  ",
     "It's THE HTTPServer's na\303\257ve \346\227\245\346\234\254\350\252\236abc |12|345| "
     "x\341\240\216|9| '\305\277done...\n\n  end  "},
    {"[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p"
     "{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{L"
     "o}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?"
     "[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     "It's THE HTTPServer's na\303\257ve \346\227\245\346\234\254\350\252\236abc 12345 x"
     "\341\240\2169 '\305\277done...\n\n  end  ",
     "It's| THE| HTTPServer's| na\303\257ve| \346\227\245\346\234\254\350\252\236abc| |123"
     "|45| x|\341\240\216|9| '|\305\277done|...\n\n| | end|  "},
    {"(?:\\r?\\n)+(?!\\r?\\n)",
     "It's THE HTTPServer's na\303\257ve \346\227\245\346\234\254\350\252\236abc 12345 x"
     "\341\240\2169 '\305\277done...\n\n  end  ",
     "It's THE HTTPServer's na\303\257ve \346\227\245\346\234\254\350\252\236abc 12345 x"
     "\341\240\2169 '\305\277done...|\n\n|  end  "},
    {"\\b", "e\314\201a b", "e\314\201a| |b"},
    {"(?i:k)", "aKa", "a|K|a"},
    {"x(?i)b|c", "C xB", "C |xB"},
    {"a{2}?", "aaaaa", "aa|aa|a"},
    {"(?m)a.b", "a\nb", "a\nb"},
    {"[\\W_]+", "ab_c!? d", "ab|_|c|!? |d"},
    {"[^\\W_]+", "ab_c!? d", "ab|_|c|!? |d"},
    // clang-format on
};

START_TEST(patterns_mean_what_they_mean_in_oniguruma) {
  for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
    struct walking w;
    rmx_err failure = {0};
    rmx__piece piece;
    rmx_buf pieces = {0};
    walk_by(&w, patterns[i].regex);
    walk_over(&w, patterns[i].text, strlen(patterns[i].text));
    while (rmx__walk_next(w.walk, &piece, &failure)) {
      if (pieces.size) rmx_buf_puts(&pieces, "|");
      rmx_buf_add(&pieces, piece.text, piece.size);
    }
    ck_assert_msg(failure.status == RMX_OK, "%s", failure.message);
    ck_assert_msg(strcmp(pieces.data, patterns[i].pieces) == 0, "%s: \"%s\", wanted \"%s\"",
                  patterns[i].regex, pieces.data, patterns[i].pieces);
    rmx_buf_release(&pieces);
    walk_end(&w);
  }
}
END_TEST

// ---- walks -------------------------------------------------------------------------------

static void add_pieces(struct rmx__walk *w, size_t most, rmx_buf *out) {
  rmx_err failure = {0};
  rmx__piece piece;
  out->size = 0;
  for (size_t i = 0; i < most && rmx__walk_next(w, &piece, &failure); i++) {
    rmx_buf_printf(out, "%d", piece.first);
    rmx_buf_add(out, piece.text, piece.size);
    rmx_buf_puts(out, "|");
  }
  ck_assert_int_eq(failure.status, RMX_OK);
}

// A walk that was left in the middle of a text starts again as if it were new.
START_TEST(walks_start_again_anywhere) {
  static const char *const rows[] = {
      "{'type':'ByteLevel','add_prefix_space':true,'use_regex':true}",
      "{'type':'ByteLevel','add_prefix_space':false,'use_regex':true}",  // without a list of steps
      "{'type':'WhitespaceSplit'}",
      "{'type':'Split','pattern':{'Regex':'[a-z]+'},'behavior':'MergedWithNext','invert':false}",
      "{'type':'Split','pattern':{'String':' '},'behavior':'MergedWithPrevious','invert':true}",
      "{'type':'Split','pattern':{'Regex':'[ 0-9]'},'behavior':'Contiguous','invert':false}",
      "{'type':'Sequence','pretokenizers':[{'type':'Metaspace','replacement':'_','prepend_scheme':"
      "'first','split':true},{'type':'Digits','individual_digits':false},{'type':'Punctuation',"
      "'behavior':'Contiguous'}]}",
      "{'type':'Sequence','pretokenizers':[{'type':'Punctuation','behavior':'Removed'},{'type':"
      "'FixedLength','length':3}]}",
      "{'type':'Sequence','pretokenizers':[{'type':'Split','pattern':{'Regex':'\\\\s+'},'behavior':"
      "'Removed','invert':false},{'type':'ByteLevel','add_prefix_space':true,'use_regex':true}]}",
  };
  rmx_rng rng = rmx_rng_make(2, 0, RMX_FOR_TEST);
  RMX_OWNED_BY(rmx_buf_release) rmx_buf whole = {0};
  RMX_OWNED_BY(rmx_buf_release) rmx_buf again = {0};
  char text[2][512], json[512];
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    rmx__pre_tokenizer p;
    snprintf(json, sizeof json, "{\"pre_tokenizer\": %s}", rows[i]);
    for (char *c = json; *c; c++) *c = *c == '\'' ? '"' : *c;
    json_auto_t *root = json_loads(json, 0, NULL);
    ck_assert_ptr_nonnull(root);
    must(rmx__pre_tokenizer_read(root, false, "test", &p, err));
    for (size_t round = 0; round < 200; round++) {
      size_t size[2];
      for (int k = 0; k < 2; k++) size[k] = random_text(&rng, text[k], rmx_rng_below(&rng, 20));
      struct rmx__walk *fresh = rmx__walk_new(&p), *used = rmx__walk_new(&p);
      rmx__walk_start(fresh, (rmx__piece){text[0], size[0], round % 2});
      add_pieces(fresh, SIZE_MAX, &whole);
      rmx__walk_start(used, (rmx__piece){text[1], size[1], true});
      add_pieces(used, round % 7, &again);
      rmx__walk_start(used, (rmx__piece){text[0], size[0], round % 2});
      add_pieces(used, SIZE_MAX, &again);
      ck_assert_uint_eq(again.size, whole.size);
      if (whole.size) ck_assert_mem_eq(again.data, whole.data, whole.size);
      add_pieces(used, SIZE_MAX, &again);
      ck_assert_uint_eq(again.size, 0);
      rmx__walk_free(fresh);
      rmx__walk_free(used);
    }
    rmx__pre_tokenizer_release(&p);
  }
}
END_TEST

START_TEST(patterns_that_are_not_known_are_refused) {
  static const char *const refused[][2] = {
      {"\\X", "at byte 1: this escape is not supported"},
      {"a\\Kb", "this escape"},
      {"(a)\\1", "this escape"},
      {"\\G", "this escape"},
      {"(?i:ss)", "match more characters in Oniguruma"},
      {"(?i:\xC3\x9F)", "a letter that is not ASCII"},
      {"(?i:\\p{Lu})", "a property of letters in a group that ignores case"},
      {"(?x)a", "this kind of group is not supported"},
      {"(?~ab)", "this kind of group is not supported"},
      {"(*FAIL)", "this kind of group is not supported"},
      {"[a&&]", "an empty class"},
      {"[b-a]", "the end of a range is before its start"},
      {"[a", "] is missing"},
      {"(a", ") is missing"},
      {"a)", "( is missing"},
      {"*a", "there is nothing to repeat"},
      {"\\p{Nonsense}", "unknown property"},
      {"\\pL", "\\p without {"},
      {"\\xE9", "\\x of a part of a character"}};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    rmx__pattern pattern = {0};
    must_fail(rmx__pattern_compile(refused[i][0], "t.json", &pattern, err), refused[i][1]);
  }
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, patterns_mean_what_they_mean_in_oniguruma);
  tcase_add_test(tc, walks_start_again_anywhere);
  tcase_add_test(tc, patterns_that_are_not_known_are_refused);
  tcase_add_test(tc, words_of_a_known_text);
  tcase_add_test(tc, words_are_those_of_pcre2);
  tcase_add_test(tc, classes_are_those_of_pcre2);
  tcase_add_test(tc, long_runs_in_a_pattern);
}
