// SPDX-License-Identifier: Apache-2.0
// The parts of a tokenizer.json: normalizers, steps of pre-tokenizers, and added tokens with their
// flags. Each row is a small tokenizer whose tokens are single characters. The last character of a
// word has a token of its own, so the ids show where a text was cut. What is wanted are the ids of
// Hugging Face's encoder 0.23.2.
#include "base/json.h"
#include "corpus/tokenizer/byte_alphabet.h"
#include "corpus/tokenizer/tokenizer.h"
#include "testing.h"

// A row whose parts are NULL has those of the row before it. Parts have ' for ". What is wanted has
// "|" after the last character of a word, and an added token in braces. A character that has no
// token is "?".
struct case_of_part {
  const char *parts, *text, *wanted;
};

static const char alphabet[] =
    "abcdefghixyzABCDEFXYZ0123456789.,!-_$<>#'\" \n\t▁"
    "éèñßıİΣσςŠ日本ªⅧ٣①½ﬁＡ\314\201\314\200\314"
    "\207\302\240\343\200\200\302\205\341\240\216\342\200\215\340\244\203\341\262\211\341\262"
    "\212\360\221\274\202Ġ";

static const struct case_of_part normalizers[] = {
    // clang-format off
    {"'normalizer':null",
     "", ""},
    {NULL,
     "aé A", "aé A|"},
    {"'normalizer':{'type':'NFC'}",
     "e\314\201 e\314\200", "é è|"},
    {"'normalizer':{'type':'NFD'}",
     "é", "e\314\201|"},
    {"'normalizer':{'type':'NFKC'}",
     "ﬁ Ａ ½", "fi A 1?2|"},
    {"'normalizer':{'type':'NFKD'}",
     "éﬁ", "e\314\201fi|"},
    {"'normalizer':{'type':'Lowercase'}",
     "AÉŠİΣ \341\262\211", "aé?i\314\207σ \341\262\212|"},
    {"'normalizer':{'type':'StripAccents'}",
     "ae\314\201a\340\244\203b\360\221\274\202", "aeab\360\221\274\202|"},
    {"'normalizer':{'type':'Nmt'}",
     "a\342\200\215b\302\240c\tx", "a b\302\240c x|"},
    {NULL,
     "a\302\205b", "a\302\205b|"},
    {"'normalizer':{'type':'Strip','strip_left':true,'strip_right':true}",
     " \n a b\t\302\240 ", "a b|"},
    {NULL,
     "  ", ""},
    {"'normalizer':{'type':'Strip','strip_left':true,'strip_right':false}",
     "  a ", "a |"},
    {"'normalizer':{'type':'Strip','strip_left':false,'strip_right':true}",
     " a  ", " a|"},
    {"'normalizer':{'type':'Prepend','prepend':'▁'}",
     "a", "▁a|"},
    {NULL,
     "", ""},
    {NULL,
     " a", "▁ a|"},
    {"'normalizer':{'type':'Replace','pattern':{'String':'ab'},'content':'x'}",
     "abcab", "xcx|"},
    {NULL,
     "ba", "ba|"},
    {"'normalizer':{'type':'Replace','pattern':{'Regex':'[ab]+'},'content':'x'}",
     "abcab", "xcx|"},
    {NULL,
     "c", "c|"},
    {"'normalizer':{'type':'Replace','pattern':{'String':'a'},'content':''}",
     "abca", "bc|"},
    {NULL,
     "a", ""},
    {"'normalizer':{'type':'Replace','pattern':{'Regex':'(a)(b)?'},'content':'$1'}",
     "ab", "$1|"},
    {"'normalizer':{'type':'BertNormalizer','clean_text':true,'handle_chinese_chars':true,'st"
     "rip_accents':null,'lowercase':true}",
     "É日\ta\342\200\215", "e 日  a|"},
    {"'normalizer':{'type':'BertNormalizer','clean_text':false,'handle_chinese_chars':false,'"
     "strip_accents':null,'lowercase':false}",
     "É日\ta", "?日\ta|"},
    {"'normalizer':{'type':'BertNormalizer','clean_text':false,'handle_chinese_chars':false,'"
     "strip_accents':true,'lowercase':false}",
     "ÉA", "EA|"},
    {"'normalizer':{'type':'BertNormalizer','clean_text':false,'handle_chinese_chars':false,'"
     "strip_accents':false,'lowercase':true}",
     "ÉA", "éa|"},
    {"'normalizer':{'type':'Sequence','normalizers':[{'type':'Lowercase'},{'type':'Prepend','"
     "prepend':'A'},{'type':'Replace','pattern':{'String':' '},'content':'▁'}]}",
     "A B", "Aa▁b|"},
    {"'normalizer':{'type':'Sequence','normalizers':[]}",
     "A", "A|"},
    // clang-format on
};

static const struct case_of_part pre_tokenizers[] = {
    // clang-format off
    {"'pre_tokenizer':{'type':'Metaspace','replacement':'▁','prepend_scheme':'always','split'"
     ":true}",
     "a b", "▁a|▁b|"},
    {NULL,
     " a  b", "▁a|▁|▁b|"},
    {NULL,
     "▁a", "▁a|"},
    {"'pre_tokenizer':{'type':'Metaspace','replacement':'▁','prepend_scheme':'first','split':"
     "true}",
     "a b", "▁a|▁b|"},
    {NULL,
     " a  b", "▁a|▁|▁b|"},
    {NULL,
     "▁a", "▁a|"},
    {"'pre_tokenizer':{'type':'Metaspace','replacement':'▁','prepend_scheme':'never','split':"
     "true}",
     "a b", "a|▁b|"},
    {NULL,
     " a  b", "▁a|▁|▁b|"},
    {NULL,
     "▁a", "▁a|"},
    {"'pre_tokenizer':{'type':'Metaspace','replacement':'▁','prepend_scheme':'always','split'"
     ":false}",
     "a b", "▁a▁b|"},
    {NULL,
     " a  b", "▁a▁▁b|"},
    {NULL,
     "▁a", "▁a|"},
    {"'pre_tokenizer':{'type':'Metaspace','replacement':'▁','prepend_scheme':'first','split':"
     "false}",
     "a b", "▁a▁b|"},
    {NULL,
     " a  b", "▁a▁▁b|"},
    {NULL,
     "▁a", "▁a|"},
    {"'pre_tokenizer':{'type':'Metaspace','replacement':'▁','prepend_scheme':'first','split':"
     "true},'added_tokens':[{'id':157,'content':'<x>','special':true}]",
     "a<x>b c", "▁a|{<x>}b|▁c|"},
    {"'pre_tokenizer':{'type':'Metaspace','replacement':'▁','prepend_scheme':'always','split'"
     ":true},'added_tokens':[{'id':157,'content':'<x>','special':true}]",
     "a<x>b c", "▁a|{<x>}▁b|▁c|"},
    {"'pre_tokenizer':{'type':'Metaspace','replacement':'_','prepend_scheme':'always','split'"
     ":true}",
     "a b_c", "_a|_b|_c|"},
    {"'pre_tokenizer':{'type':'Sequence','pretokenizers':[{'type':'Digits','individual_digits"
     "':true},{'type':'Metaspace','replacement':'▁','prepend_scheme':'first','split':true}]}",
     "a1 2b", "▁a|1|▁|2|b|"},
    {"'pre_tokenizer':{'type':'Digits','individual_digits':true}",
     "a12b٣①½Ⅷ", "a|1|2|b|٣|①|½|Ⅷ|"},
    {"'pre_tokenizer':{'type':'Digits','individual_digits':false}",
     "a12b٣①½Ⅷ", "a|12|b|٣①½Ⅷ|"},
    {"'pre_tokenizer':{'type':'Punctuation','behavior':'Removed'}",
     "a,.b$ c", "a|b| c|"},
    {"'pre_tokenizer':{'type':'Punctuation','behavior':'Isolated'}",
     "a,.b$ c", "a|,|.|b|$| c|"},
    {"'pre_tokenizer':{'type':'Punctuation','behavior':'MergedWithPrevious'}",
     "a,.b$ c", "a,|.|b$| c|"},
    {"'pre_tokenizer':{'type':'Punctuation','behavior':'MergedWithNext'}",
     "a,.b$ c", "a|,|.b|$ c|"},
    {"'pre_tokenizer':{'type':'Punctuation','behavior':'Contiguous'}",
     "a,.b$ c", "a|,.|b|$| c|"},
    {"'pre_tokenizer':{'type':'Punctuation'}",
     "a..b", "a|.|.|b|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'String':'a'},'behavior':'Removed'}",
     "aabca", "bc|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'Regex':'[ab]'},'behavior':'Removed'}",
     "cabxbac", "c|x|c|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'Regex':'[ab]'},'behavior':'Removed','invert"
     "':true}",
     "cabxbac", "a|b|b|a|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'String':'a'},'behavior':'Isolated'}",
     "aabca", "a|a|bc|a|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'Regex':'[ab]'},'behavior':'Isolated'}",
     "cabxbac", "c|a|b|x|b|a|c|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'Regex':'[ab]'},'behavior':'Isolated','inver"
     "t':true}",
     "cabxbac", "c|a|b|x|b|a|c|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'String':'a'},'behavior':'MergedWithPrevious"
     "'}",
     "aabca", "a|a|bca|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'Regex':'[ab]'},'behavior':'MergedWithPrevio"
     "us'}",
     "cabxbac", "ca|b|xb|a|c|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'Regex':'[ab]'},'behavior':'MergedWithPrevio"
     "us','invert':true}",
     "cabxbac", "c|a|bx|b|ac|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'String':'a'},'behavior':'MergedWithNext'}",
     "aabca", "a|abc|a|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'Regex':'[ab]'},'behavior':'MergedWithNext'}",
     "cabxbac", "c|a|bx|b|ac|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'Regex':'[ab]'},'behavior':'MergedWithNext',"
     "'invert':true}",
     "cabxbac", "ca|b|xb|a|c|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'String':'a'},'behavior':'Contiguous'}",
     "aabca", "aa|bc|a|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'Regex':'[ab]'},'behavior':'Contiguous'}",
     "cabxbac", "c|ab|x|ba|c|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'Regex':'[ab]'},'behavior':'Contiguous','inv"
     "ert':true}",
     "cabxbac", "c|ab|x|ba|c|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'Regex':'x*'},'behavior':'Isolated'}",
     "axxb", "a|xx|b|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'Regex':'(?=b)'},'behavior':'Isolated'}",
     "abab", "a|ba|b|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'Regex':'\\\\p{Punct}+'},'behavior':'Isolate"
     "d'}",
     "a$.!b", "a$|.!|b|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'Regex':'[[:punct:]]+'},'behavior':'Isolated"
     "'}",
     "a$.!b", "a|$.!|b|"},
    {"'pre_tokenizer':{'type':'Split','pattern':{'Regex':'\\\\p{L}+'},'behavior':'Isolated'}",
     "1\341\262\211\341\262\2122", "1|\341\262\211\341\262\212|2|"},
    {"'pre_tokenizer':{'type':'Whitespace'}",
     "a_b, c--d\314\201", "a_b|,|c|--|d\314\201|"},
    {"'pre_tokenizer':{'type':'WhitespaceSplit'}",
     " a\302\240b\302\205c\343\200\200d\341\240\216e", "a|b|c|d\341\240\216e|"},
    {"'pre_tokenizer':{'type':'BertPreTokenizer'}",
     "a,b. $c", "a|,|b|.|$|c|"},
    {"'pre_tokenizer':{'type':'CharDelimiterSplit','delimiter':'x'}",
     "axbxxc", "a|b|c|"},
    {"'pre_tokenizer':{'type':'FixedLength','length':2}",
     "abcde", "ab|cd|e|"},
    {"'pre_tokenizer':{'type':'Sequence','pretokenizers':[{'type':'WhitespaceSplit'},{'type':"
     "'Punctuation','behavior':'MergedWithNext'},{'type':'Digits','individual_digits':false}]"
     "}",
     "a,1 b", "a|,|1|b|"},
    {"'pre_tokenizer':{'type':'Sequence','pretokenizers':[]}",
     "a b", "a b|"},
    // clang-format on
};

static const struct case_of_part added_tokens[] = {
    // clang-format off
    {"'added_tokens':[{'id':157,'content':'xy'}]",
     "a xy  bxy xya", "a |{xy}  b|{xy} |{xy}a|"},
    {NULL,
     "xyxy", "{xy}{xy}"},
    {"'added_tokens':[{'id':157,'content':'xy','single_word':true}]",
     "a xy  bxy xya", "a |{xy}  bxy xya|"},
    {NULL,
     "xyxy", "xyxy|"},
    {"'added_tokens':[{'id':157,'content':'xy','lstrip':true}]",
     "a xy  bxy xya", "a|{xy}  b|{xy}{xy}a|"},
    {NULL,
     "xyxy", "{xy}{xy}"},
    {"'added_tokens':[{'id':157,'content':'xy','rstrip':true}]",
     "a xy  bxy xya", "a |{xy}b|{xy}{xy}a|"},
    {NULL,
     "xyxy", "{xy}{xy}"},
    {"'added_tokens':[{'id':157,'content':'xy','lstrip':true,'rstrip':true}]",
     "a xy  bxy xya", "a|{xy}b|{xy}{xy}a|"},
    {NULL,
     "xyxy", "{xy}{xy}"},
    {"'added_tokens':[{'id':157,'content':'xy','single_word':true,'lstrip':true,'rstrip':true"
     "}]",
     "a xy  bxy xya", "a|{xy}bxy xya|"},
    {NULL,
     "xyxy", "xyxy|"},
    {"'added_tokens':[{'id':157,'content':'xy','normalized':true}]",
     "a xy  bxy xya", "a |{xy}  b|{xy} |{xy}a|"},
    {NULL,
     "xyxy", "{xy}{xy}"},
    {"'added_tokens':[{'id':157,'content':'xy','single_word':true,'normalized':true}]",
     "a xy  bxy xya", "a |{xy}  bxy xya|"},
    {NULL,
     "xyxy", "xyxy|"},
    {"'added_tokens':[{'id':157,'content':'xy','lstrip':true,'normalized':true}]",
     "a xy  bxy xya", "a|{xy}  b|{xy}{xy}a|"},
    {NULL,
     "xyxy", "{xy}{xy}"},
    {"'added_tokens':[{'id':157,'content':'xy','rstrip':true,'normalized':true}]",
     "a xy  bxy xya", "a |{xy}b|{xy}{xy}a|"},
    {NULL,
     "xyxy", "{xy}{xy}"},
    {"'added_tokens':[{'id':157,'content':'xy','lstrip':true,'rstrip':true,'normalized':true}"
     "]",
     "a xy  bxy xya", "a|{xy}b|{xy}{xy}a|"},
    {NULL,
     "xyxy", "{xy}{xy}"},
    {"'added_tokens':[{'id':157,'content':'xy','single_word':true,'lstrip':true,'rstrip':true"
     ",'normalized':true}]",
     "a xy  bxy xya", "a|{xy}bxy xya|"},
    {NULL,
     "xyxy", "xyxy|"},
    {"'added_tokens':[{'id':157,'content':'xy','special':true}]",
     "a xy  bxy xya", "a |{xy}  b|{xy} |{xy}a|"},
    {NULL,
     "xyxy", "{xy}{xy}"},
    {"'added_tokens':[{'id':157,'content':'xy','single_word':true,'special':true}]",
     "a xy  bxy xya", "a |{xy}  bxy xya|"},
    {NULL,
     "xyxy", "xyxy|"},
    {"'added_tokens':[{'id':157,'content':'xy','lstrip':true,'special':true}]",
     "a xy  bxy xya", "a|{xy}  b|{xy}{xy}a|"},
    {NULL,
     "xyxy", "{xy}{xy}"},
    {"'added_tokens':[{'id':157,'content':'xy','rstrip':true,'special':true}]",
     "a xy  bxy xya", "a |{xy}b|{xy}{xy}a|"},
    {NULL,
     "xyxy", "{xy}{xy}"},
    {"'added_tokens':[{'id':157,'content':'xy','lstrip':true,'rstrip':true,'special':true}]",
     "a xy  bxy xya", "a|{xy}b|{xy}{xy}a|"},
    {NULL,
     "xyxy", "{xy}{xy}"},
    {"'added_tokens':[{'id':157,'content':'xy','single_word':true,'lstrip':true,'rstrip':true"
     ",'special':true}]",
     "a xy  bxy xya", "a|{xy}bxy xya|"},
    {NULL,
     "xyxy", "xyxy|"},
    {"'added_tokens':[{'id':157,'content':'xy','normalized':true,'special':true}]",
     "a xy  bxy xya", "a |{xy}  b|{xy} |{xy}a|"},
    {NULL,
     "xyxy", "{xy}{xy}"},
    {"'added_tokens':[{'id':157,'content':'xy','single_word':true,'normalized':true,'special'"
     ":true}]",
     "a xy  bxy xya", "a |{xy}  bxy xya|"},
    {NULL,
     "xyxy", "xyxy|"},
    {"'added_tokens':[{'id':157,'content':'xy','lstrip':true,'normalized':true,'special':true"
     "}]",
     "a xy  bxy xya", "a|{xy}  b|{xy}{xy}a|"},
    {NULL,
     "xyxy", "{xy}{xy}"},
    {"'added_tokens':[{'id':157,'content':'xy','rstrip':true,'normalized':true,'special':true"
     "}]",
     "a xy  bxy xya", "a |{xy}b|{xy}{xy}a|"},
    {NULL,
     "xyxy", "{xy}{xy}"},
    {"'added_tokens':[{'id':157,'content':'xy','lstrip':true,'rstrip':true,'normalized':true,"
     "'special':true}]",
     "a xy  bxy xya", "a|{xy}b|{xy}{xy}a|"},
    {NULL,
     "xyxy", "{xy}{xy}"},
    {"'added_tokens':[{'id':157,'content':'xy','single_word':true,'lstrip':true,'rstrip':true"
     ",'normalized':true,'special':true}]",
     "a xy  bxy xya", "a|{xy}bxy xya|"},
    {NULL,
     "xyxy", "xyxy|"},
    {"'added_tokens':[{'id':157,'content':'xy','rstrip':true},{'id':158,'content':'yx','lstri"
     "p':true}]",
     "xy  yx xyyx", "{xy}{yx} |{xy}{yx}"},
    {"'added_tokens':[{'id':157,'content':'  ','lstrip':true,'rstrip':true},{'id':158,'conten"
     "t':'xz','rstrip':true}]",
     "xz    xz", "{xz}{xz}"},
    {NULL,
     "    ", "{  }"},
    {"'added_tokens':[{'id':157,'content':'xz','rstrip':true},{'id':158,'content':' \\t'}]",
     "axz \t b", "a|{xz}{ \t} b|"},
    {"'added_tokens':[{'id':157,'content':'\\n\\t','lstrip':true,'rstrip':true}]",
     "\n\t\n\t \n\ta", "{\n\t}a|"},
    {"'added_tokens':[{'id':157,'content':'ab'},{'id':158,'content':'abc'},{'id':159,'content"
     "':'bc'}]",
     "abcab bc", "{abc}{ab} |{bc}"},
    {"'normalizer':{'type':'Lowercase'},'added_tokens':[{'id':157,'content':'Ab','normalized'"
     ":true},{'id':158,'content':'CD'}]",
     "ab AB Ab cd CD", "{Ab} |{Ab} |{Ab} cd |{CD}"},
    {"'normalizer':{'type':'Prepend','prepend':'▁'},'added_tokens':[{'id':157,'content':'xz',"
     "'normalized':true},{'id':158,'content':'yz'}]",
     "xz", "{xz}"},
    {NULL,
     "axzyz", "▁axz|{yz}"},
    {NULL,
     "yzxz", "{yz}{xz}"},
    {"'added_tokens':[{'id':157,'content':'xz'}],'normalizer':{'type':'Lowercase'},'pre_token"
     "izer':{'type':'WhitespaceSplit'}",
     "A xzB XZ", "a|{xz}b|xz|"},
    // clang-format on
};

static const struct case_of_part byte_level[] = {
    // clang-format off
    {"'pre_tokenizer':{'type':'ByteLevel','add_prefix_space':false,'use_regex':true}",
     "I'll é 12", "I|'ll| é| 12|"},
    {"'pre_tokenizer':{'type':'ByteLevel','add_prefix_space':true,'use_regex':true}",
     "a b", " a| b|"},
    {NULL,
     " a", " a|"},
    {NULL,
     "\na", " |\n|a|"},
    {"'pre_tokenizer':{'type':'ByteLevel','add_prefix_space':false,'use_regex':false}",
     "a b", "a b|"},
    {"'pre_tokenizer':{'type':'ByteLevel','add_prefix_space':true,'use_regex':false}",
     "a b", " a b|"},
    {"'pre_tokenizer':{'type':'ByteLevel','add_prefix_space':true,'use_regex':true},'added_to"
     "kens':[{'id':512,'content':'<x>','special':true}]",
     "a<x>b", " a|{<x>} b|"},
    {"'pre_tokenizer':{'type':'Sequence','pretokenizers':[{'type':'Whitespace'},{'type':'Byte"
     "Level','add_prefix_space':true,'use_regex':false}]}",
     "a b", " a| b|"},
    {"'pre_tokenizer':{'type':'Sequence','pretokenizers':[{'type':'ByteLevel','add_prefix_spa"
     "ce':false,'use_regex':false},{'type':'Split','pattern':{'String':'Ġ'},'behavior':'Merge"
     "dWithNext'}]}",
     "a b é", "a| b| é|"},
    {"'pre_tokenizer':{'type':'Sequence','pretokenizers':[{'type':'Digits','individual_digits"
     "':true},{'type':'ByteLevel','add_prefix_space':false,'use_regex':true}]}",
     "a 12b", "a| |1|2|b|"},
    {"'normalizer':{'type':'ByteLevel'}",
     "a é", "a é|"},
    // clang-format on
};

// ---- the tokenizer -------------------------------------------------------------------

static void add_pair(json_t *vocab, const char *text, size_t size) {
  char key[16];
  snprintf(key, sizeof key, "%.*s</w>", (int)size, text);
  json_object_setn_new(vocab, text, size, json_integer((json_int_t)json_object_size(vocab)));
  json_object_set_new(vocab, key, json_integer((json_int_t)json_object_size(vocab)));
}

static json_t *characters(void) {
  json_t *vocab = json_pack("{s:i}", "?", 0);
  for (const char *p = alphabet, *end = p + strlen(p), *next; p < end; p = next) {
    next = p + 1;
    while ((*next & 0xC0) == 0x80) next++;
    add_pair(vocab, p, (size_t)(next - p));
  }
  return vocab;
}

static json_t *bytes(void) {
  json_t *vocab = json_object();
  for (int b = 0; b < 256; b++) {
    rmx_buf spelt = {0};
    rmx__spell_bytes((const char[]){(char)b}, 1, &spelt);
    add_pair(vocab, spelt.data, spelt.size);
    rmx_buf_release(&spelt);
  }
  return vocab;
}

static rmx_tokenizer *make(const char *parts, bool byte_level) {
  json_t *model = json_pack("{s:s, s:s, s:o, s:[]}", "type", "BPE", "end_of_word_suffix", "</w>",
                            "vocab", byte_level ? bytes() : characters(), "merges");
  if (!byte_level) json_object_set_new(model, "unk_token", json_string("?"));
  char *with = rmx_format("{%s}", parts);
  for (char *p = with; *p; p++)
    if (*p == '\'') *p = '"';
  json_t *root = json_loads(with, 0, NULL);
  ck_assert_msg(root, "%s", with);
  json_object_set_new(root, "model", model);
  char *text = json_dumps(root, 0);
  rmx_tokenizer *t = NULL;
  must(rmx__tokenizer_parse(text, strlen(text), "t.json", &t, err));
  json_decref(root);
  free(with);
  free(text);
  return t;
}

static void put_token(const rmx_tokenizer *t, uint32_t id, rmx_buf *out) {
  const rmx__token_text text = rmx__vocabulary_text(&t->vocabulary, id);
  const bool added = t->vocabulary.kind[id] != RMX__TOKEN_BYTES && !t->vocabulary.in_model[id];
  const char *end = added ? NULL : memmem(text.data, text.size, "</w>", 4);
  rmx_buf_puts(out, added ? "{" : "");
  rmx_buf_add(out, text.data, end ? (size_t)(end - text.data) : text.size);
  rmx_buf_puts(out, added ? "}" : end ? "|" : "");
}

static void check(const struct case_of_part *rows, size_t n, bool byte_level) {
  const char *parts = "";
  rmx_tokenizer *t = NULL;
  for (size_t i = 0; i < n; i++) {
    if (rows[i].parts) {
      parts = rows[i].parts;
      rmx_tokenizer_free(t);
      t = make(parts, byte_level);
    }
    rmx_tokens ids = {0};
    rmx_buf got = {0};
    rmx_buf_puts(&got, "");
    must(rmx_tokenizer_encode(t, RMX_SPECIALS_TOKENS, rows[i].text, strlen(rows[i].text), &ids,
                              err));
    for (size_t k = 0; k < ids.n; k++) put_token(t, ids.ids[k], &got);
    ck_assert_msg(strcmp(got.data, rows[i].wanted) == 0, "%s: \"%s\" is \"%s\", wanted \"%s\"",
                  parts, rows[i].text, got.data, rows[i].wanted);
    rmx_buf_release(&got);
    rmx_tokens_release(&ids);
  }
  rmx_tokenizer_free(t);
}

#define CHECK(rows, byte_level) check(rows, sizeof(rows) / sizeof *(rows), byte_level)

START_TEST(parts_change_a_text) {
  CHECK(normalizers, false);
}
END_TEST

START_TEST(parts_cut_a_text) {
  CHECK(pre_tokenizers, false);
}
END_TEST

START_TEST(parts_spell_bytes) {
  CHECK(byte_level, true);
}
END_TEST

START_TEST(parts_and_added_tokens) {
  CHECK(added_tokens, false);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, parts_change_a_text);
  tcase_add_test(tc, parts_cut_a_text);
  tcase_add_test(tc, parts_spell_bytes);
  tcase_add_test(tc, parts_and_added_tokens);
}
