// SPDX-License-Identifier: Apache-2.0
// Decoders and models of a tokenizer.json, each as small as it can be, and files that are refused
// because that encoder would give other ids than they say. What is wanted is what
// Hugging Face's encoder 0.23.2 gives.
#include "base/json.h"
#include "corpus/tokenizer/tokenizer.h"
#include "testing.h"

// A row whose first text is NULL has that of the row before it. JSON has ' for ". Tokens have "|"
// between them.
static const struct {
  const char *decoder, *tokens, *text;
} decoders[] = {
    // clang-format off
    {"null",
     "a|b|Ġc", "a b Ġc"},
    {"{'type':'Fuse'}",
     "a| b|▁c", "a b▁c"},
    {"{'type':'ByteFallback'}",
     "a|<0xC3>|<0xA9>|b", "aéb"},
    {NULL,
     "<0xC3>|x", "\357\277\275x"},
    {NULL,
     "<0xE6>|<0x97>|<0xA5>|<0xE6>", "\357\277\275\357\277\275\357\277\275\357\277\275"},
    {NULL,
     "<0xc3>|<0xa9>", "é"},
    {NULL,
     "<0xGG>|<0x4>", "<0xGG><0x4>"},
    {"{'type':'Sequence','decoders':[{'type':'ByteFallback'},{'type':'Fuse'}]}",
     "<0x41>|<0xFF>|<0xC3>|<0xA9>", "\357\277\275\357\277\275\357\277\275\357\277\275"},
    {"{'type':'Strip','content':'▁','start':1,'stop':0}",
     "▁a|▁▁b|c▁", "a▁bc▁"},
    {"{'type':'Strip','content':'a','start':2,'stop':1}",
     "aaba|baab|aaaa|b", "bbaabab"},
    {"{'type':'Sequence','decoders':[{'type':'Fuse'},{'type':'Strip','content':' ','start':1,"
     "'stop':0}]}",
     " a| b", "a b"},
    {"{'type':'Replace','pattern':{'String':'▁'},'content':' '}",
     "▁a|b▁▁", " ab  "},
    {"{'type':'Replace','pattern':{'Regex':'▁+'},'content':' '}",
     "▁▁a|▁|b", " a b"},
    {"{'type':'Sequence','decoders':[{'type':'Replace','pattern':{'String':'▁'},'content':' '"
     "},{'type':'ByteFallback'},{'type':'Fuse'},{'type':'Strip','content':' ','start':1,'stop"
     "':0}]}",
     "▁a|▁|<0x0A>|b", "a \nb"},
    {"{'type':'Metaspace','replacement':'▁','prepend_scheme':'always','split':true}",
     "▁a|▁b|c▁", "a bc "},
    {NULL,
     "a|▁", "a "},
    {"{'type':'Metaspace','replacement':'▁','prepend_scheme':'first','split':true}",
     "▁a|▁b|c▁", "a bc "},
    {NULL,
     "a|▁", "a "},
    {"{'type':'Metaspace','replacement':'▁','prepend_scheme':'never','split':true}",
     "▁a|▁b|c▁", " a bc "},
    {NULL,
     "a|▁", "a "},
    {"{'type':'BPEDecoder','suffix':'</w>'}",
     "a|b</w>|c</w>", "ab c"},
    {"{'type':'BPEDecoder','suffix':'@'}",
     "a@|b@", "a b"},
    {"{'type':'WordPiece','prefix':'##','cleanup':true}",
     "a|##b|c|.", "ab c."},
    {NULL,
     "do|not|!", "do not!"},
    {NULL,
     "I|'|m", "I ' m"},
    {NULL,
     "##a|##|#|?", "##a #?"},
    {NULL,
     "ca|n't| 's", "can't 's"},
    {"{'type':'WordPiece','prefix':'##','cleanup':false}",
     "a|##b|c|.", "ab c ."},
    {"{'type':'ByteLevel'}",
     "Ġa|Ã©|æĹ|¥", " aé日"},
    {NULL,
     "日|a", "日a"},
    {"{'type':'Sequence','decoders':[{'type':'ByteLevel'},{'type':'Strip','content':' ','star"
     "t':1,'stop':0}]}",
     "Ġa|Ġb", "a b"},
    // clang-format on
};

static const struct {
  const char *model, *text, *ids;
} models[] = {
    // clang-format off
    {"{'type':'BPE','unk_token':'<u>','vocab':{'<u>':0,'a':1,'b':2,'ab':3},'merges':['a b']}",
     "ab ba", "3 2 1"},
    {NULL,
     "axxb", "1 0 0 2"},
    {"{'type':'BPE','unk_token':'<u>','vocab':{'<u>':0,'a':1,'b':2,'ab':3},'merges':['a b'],'"
     "fuse_unk':true}",
     "axxb xx", "1 0 2 0"},
    {"{'type':'BPE','unk_token':null,'vocab':{'a':0,'b':1,'ab':2},'merges':['a b']}",
     "axxb", "2"},
    {"{'type':'BPE','unk_token':'<u>','vocab':{'<u>':0,'a':1,'<0xC3>':2,'<0xA9>':3},'merges':"
     "[],'byte_fallback':true}",
     "aé", "1 2 3"},
    {NULL,
     "aéè", "1 2 3 0"},
    {NULL,
     "èéa", "2 3 0 1"},
    {"{'type':'BPE','unk_token':'<u>','vocab':{'<u>':0,'a':1,'<0xC3>':2,'<0xA9>':3},'merges':"
     "[],'byte_fallback':true,'fuse_unk':true}",
     "èéèèa", "2 3 0 1"},
    {"{'type':'BPE','unk_token':null,'vocab':{'a':0,'<0xC3>':1,'<0xA9>':2},'merges':[],'byte_"
     "fallback':true}",
     "èéa", "1 2 0"},
    {"{'type':'BPE','unk_token':'<u>','vocab':{'<u>':0,'a':1,'b':2,'c':3,'abc':4,'ab':5},'mer"
     "ges':['a b'],'ignore_merges':true}",
     "abc abcc", "4 5 3 3"},
    {"{'type':'BPE','unk_token':'<u>','vocab':{'<u>':0,'a':1,'b':2,'##a':3,'##b':4,'ab':5,'##"
     "ab':6,'aba':7},'merges':['a ##b','##a ##b','ab ##a'],'continuing_subword_prefix':'##'}",
     "aba abab bab xab", "7 5 6 2 6 0 6"},
    {"{'type':'BPE','unk_token':'<u>','vocab':{'<u>':0,'a':1,'b':2,'a</w>':3,'b</w>':4,'ab</w"
     ">':5,'ab':6},'merges':['a b</w>','a b'],'end_of_word_suffix':'</w>'}",
     "ab abab a x", "5 6 5 3 0"},
    {"{'type':'BPE','unk_token':'<u>','vocab':{'<u>':0,'a':1,'##b':2,'##b</w>':3,'a</w>':4,'a"
     "b</w>':5},'merges':['a ##b</w>'],'continuing_subword_prefix':'##','end_of_word_suffix':"
     "'</w>'}",
     "ab abb a", "5 1 2 3 4"},
    {"{'type':'BPE','unk_token':'<u>','vocab':{'<u>':0,'a':1,'##b':2,'ab':3,'<0xC3>':4,'<0xA9"
     ">':5,'<0x23>':6,'<0x78>':7},'merges':['a ##b'],'continuing_subword_prefix':'##','byte_f"
     "allback':true}",
     "abx éé", "3 6 6 7 4 5 6 6 4 5"},
    {"{'type':'BPE','unk_token':'<u>','vocab':{'<u>':0,'a':1,'b':2,'c':3,'ab':4,'bc':5,'abc':"
     "6},'merges':['b c','a b','a bc','ab c']}",
     "abc ababc", "6 4 6"},
    {"{'type':'Unigram','unk_id':0,'byte_fallback':false,'vocab':[['<u>',0],['a',-1.25],['b',"
     "-1.5],['ab',-1.75],['abc',-2]]}",
     "abcab", "4 3"},
    {NULL,
     "axxb xx", "1 0 2 0"},
    {NULL,
     "c", "0"},
    {"{'type':'Unigram','unk_id':0,'byte_fallback':true,'vocab':[['<u>',0],['a',-1.25],['<0xC"
     "3>',-1.5],['<0xA9>',-1.75],['<0x78>',-2]]}",
     "aé", "1 2 3"},
    {NULL,
     "aéxa", "1 2 3 4 1"},
    {NULL,
     "aè", "1 0"},
    {NULL,
     "xè", "0"},
    {"{'type':'Unigram','unk_id':0,'byte_fallback':false,'vocab':[['<u>',0],['a',-1.25],['aa'"
     ",-1.5],['aaa',-1.75],['aaaa',-2]]}",
     "aaaaaaa", "3 4"},
    {"{'type':'WordPiece','unk_token':'<u>','continuing_subword_prefix':'##','max_input_chars"
     "_per_word':5,'vocab':{'<u>':0,'a':1,'ab':2,'##b':3,'##bc':4,'##c':5}}",
     "abc abbc abx aaa", "2 5 2 4 0 0"},
    {NULL,
     "abcbcb abcbc", "0 2 5 4"},
    {"{'type':'WordPiece','unk_token':'<u>','continuing_subword_prefix':'@@','max_input_chars"
     "_per_word':5,'vocab':{'<u>':0,'a':1,'@@b':2}}",
     "ab ab@", "1 2 0"},
    {"{'type':'WordPiece','unk_token':'<u>','continuing_subword_prefix':'','max_input_chars_p"
     "er_word':5,'vocab':{'<u>':0,'a':1,'b':2,'ab':3}}",
     "abab ba", "3 3 2 1"},
    {"{'type':'WordPiece','unk_token':'<u>','continuing_subword_prefix':'##','max_input_chars"
     "_per_word':0,'vocab':{'<u>':0,'a':1,'##a':2}}",
     "a", "0"},
    // clang-format on
};

static json_t *json_of(const char *text) {
  char *copy = rmx_strdup(text);
  for (char *p = copy; *p; p++)
    if (*p == '\'') *p = '"';
  json_t *json = json_loads(copy, JSON_DECODE_ANY, NULL);
  ck_assert_msg(json, "%s", copy);
  free(copy);
  return json;
}

// Takes the reference of the tree.
static rmx_tokenizer *parsed(json_t *root) {
  char *text = json_dumps(root, 0);
  rmx_tokenizer *t = NULL;
  must(rmx__tokenizer_parse(text, strlen(text), "t.json", &t, err));
  json_decref(root);
  free(text);
  return t;
}

// A tokenizer with these tokens. Writes their ids.
static rmx_tokenizer *with_tokens(const char *decoder, const char *tokens, rmx_tokens *ids) {
  json_t *vocab = json_object();
  for (const char *p = tokens; *p;) {
    const size_t size = strcspn(p, "|");
    if (!json_object_getn(vocab, p, size))
      json_object_setn_new(vocab, p, size, json_integer((json_int_t)json_object_size(vocab)));
    ck_assert(rmx__tokens_reserve(ids, 1));
    ids->ids[ids->n++] = (uint32_t)json_integer_value(json_object_getn(vocab, p, size));
    p += size + (p[size] != 0);
  }
  return parsed(json_pack("{s:o, s:{s:s, s:o, s:[]}}", "decoder", json_of(decoder), "model", "type",
                          "BPE", "vocab", vocab, "merges"));
}

START_TEST(decoders_put_tokens_together) {
  const char *decoder = "";
  for (size_t i = 0; i < sizeof decoders / sizeof *decoders; i++) {
    if (decoders[i].decoder) decoder = decoders[i].decoder;
    rmx_tokens ids = {0};
    rmx_buf text = {0};
    rmx_buf_puts(&text, "");
    rmx_tokenizer *t = with_tokens(decoder, decoders[i].tokens, &ids);
    must(rmx_tokenizer_decode(t, ids.ids, ids.n, &text, err));
    ck_assert_msg(strcmp(text.data, decoders[i].text) == 0, "%s: \"%s\" is \"%s\", wanted \"%s\"",
                  decoder, decoders[i].tokens, text.data, decoders[i].text);
    rmx_tokenizer_free(t);
    rmx_tokens_release(&ids);
    rmx_buf_release(&text);
  }
}
END_TEST

START_TEST(models_cut_words) {
  rmx_tokenizer *t = NULL;
  const char *model = "";
  for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
    if (models[i].model) {
      model = models[i].model;
      rmx_tokenizer_free(t);
      t = parsed(json_pack("{s:{s:s}, s:o}", "pre_tokenizer", "type", "WhitespaceSplit", "model",
                           json_of(model)));
    }
    rmx_tokens ids = {0};
    rmx_buf got = {0};
    rmx_buf_puts(&got, "");
    must(rmx_tokenizer_encode(t, RMX_SPECIALS_TEXT, models[i].text, strlen(models[i].text), &ids,
                              err));
    for (size_t k = 0; k < ids.n; k++) rmx_buf_printf(&got, k ? " %u" : "%u", ids.ids[k]);
    ck_assert_msg(strcmp(got.data, models[i].ids) == 0, "%s: \"%s\" is %s, wanted %s", model,
                  models[i].text, got.data, models[i].ids);
    rmx_tokens_release(&ids);
    rmx_buf_release(&got);
  }
  rmx_tokenizer_free(t);
}
END_TEST

// Files with the tokens a and b, and what is refused. NULL: it is read.
static const struct {
  const char *added, *model, *message;
} ids[] = {
    {"{'id':2,'content':'<x>'},{'id':3,'content':'<y>'}", "", NULL},
    {"{'id':0,'content':'a'},{'id':2,'content':'<x>'}", "", NULL},
    {"{'id':2,'content':'<x>'},{'id':2,'content':'<x>'}", "", NULL},
    {"{'id':2,'content':''},{'id':2,'content':'<x>'}", "", NULL},
    {"{'id':7,'content':'<x>'}", "", "\"<x>\" has the id 7, but Hugging Face's library gives it 2"},
    {"{'id':3,'content':'<x>'},{'id':2,'content':'<y>'}", "", "\"<x>\" has the id 3, but"},
    {"{'id':2,'content':'<x>'},{'id':3,'content':'<x>'}", "", "\"<x>\" twice"},
    {"{'id':2,'content':'<x>'},{'id':2,'content':'<x>','special':true}", "",
     "\"<x>\" has the id 2"},
    {"{'id':2,'content':''},{'id':3,'content':'<x>'}", "", "\"<x>\" has the id 3, but"},
    {"{'id':5,'content':'b'}", "", "\"b\" has the id 5, and the id 1 in the vocabulary"},
    {"{'id':'2','content':'<x>'}", "", "the \"id\" of the added token \"<x>\" is not a whole"},
    {"{'id':2,'content':'<x>','special':0}", "", "\"special\" is not true or false"},
    {"", "'unk_token':'<u>',", "\"unk_token\" is \"<u>\", which is not in the vocabulary"},
    {"{'id':2,'content':'<u>'}", "'unk_token':'<u>',", "\"<u>\", which is not in the vocabulary"},
    {"", "'unk_token':'a',", NULL},
};

START_TEST(ids_are_those_of_the_library_or_refused) {
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
    char *text = rmx_format(
        "{'added_tokens':[%s],'model':{'type':'BPE',%s'vocab':{'a':0,'b':1},'merges':[]}}",
        ids[i].added, ids[i].model);
    for (char *p = text; *p; p++)
      if (*p == '\'') *p = '"';
    rmx_tokenizer *t = NULL;
    if (ids[i].message)
      must_fail(rmx__tokenizer_parse(text, strlen(text), "t.json", &t, err), ids[i].message);
    else
      must(rmx__tokenizer_parse(text, strlen(text), "t.json", &t, err));
    rmx_tokenizer_free(t);
    free(text);
  }
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, ids_are_those_of_the_library_or_refused);
  tcase_add_test(tc, decoders_put_tokens_together);
  tcase_add_test(tc, models_cut_words);
}
