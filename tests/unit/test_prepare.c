// SPDX-License-Identifier: Apache-2.0
// From files to a corpus and back: what goes in comes out, in the part it belongs to, whatever the
// threads; duplicates and overlaps are found; what is wrong is named.
#include <fcntl.h>
#include <sys/stat.h>

#include "base/json.h"
#include "corpus/prepare/documents.h"
#include "corpus/readers/shard_name.h"
#include "corpus/token_file.h"
#include "corpus_folder.h"

static rmx_strings documents_of(const char *experiment, const char *domain, bool valid) {
  char path[300];
  snprintf(path, sizeof path, "%s/tokenizer.json", in_folder(experiment));
  rmx_tokenizer *t = NULL;
  rmx_corpus *c = NULL;
  must(rmx_tokenizer_read(path, &t, err));
  must(rmx_corpus_open(in_folder(experiment), &c, err));
  rmx_strings out = {0};
  size_t i;
  must(rmx_find_name("domain", domain, c->names, c->D, &i, err));
  const rmx_domain *d = &c->domains[i];
  const void *ids = valid ? d->valid : d->train;
  size_t n = valid ? d->valid_tokens : d->train_tokens, bytes = 0;
  rmx_buf text = {0};
  rmx_buf_puts(&text, "");
  for (size_t k = 0; k < n; k++) {
    uint32_t id = rmx_token_at(ids, d->width, k);
    if (id != c->end_of_text) must(rmx_tokenizer_decode(t, &id, 1, &text, err));
    if (id != c->end_of_text && k + 1 < n) continue;
    ck_assert(rmx_strings_add(&out, text.data));
    bytes += text.size;
    text.size = 0;
    rmx_buf_puts(&text, "");
  }
  ck_assert_uint_eq(out.n, valid ? d->valid_documents : d->train_documents);
  ck_assert_uint_eq(bytes, valid ? d->valid_bytes : d->train_bytes);
  rmx_buf_release(&text);
  rmx_tokenizer_free(t);
  rmx_corpus_free(c);
  rmx_strings_sort(&out);
  return out;
}

static bool contains(const rmx_strings *s, const char *item) {
  for (size_t i = 0; i < s->n; i++)
    if (strcmp(s->items[i], item) == 0) return true;
  return false;
}

static uint64_t source_hash(const rmx_corpus_options *o, const rmx_domain_source *s, size_t n) {
  uint64_t h = 0;
  const rmx_corpus_request r = {
      .options = o, .sources = s, .n = n, .base = test_folder, .threads = 1};
  must(rmx_corpus_source_hash(&r, NULL, NULL, &h, err));
  return h;
}

// ---- the whole -----------------------------------------------------------------------------

START_TEST(what_goes_in_comes_out) {
  folder_make();
  put_sentences("a/1.jsonl", 1, 150);
  put_sentences("a/2.jsonl.gz", 2, 150);
  put_sentences("b.txt", 3, 200);
  put_sentences("target.txt", 4, 50);
  rmx_domain_source s[] = {source_of("target", "target.txt"), source_of("second", "b.txt"),
                           source_of("first", "a/*")};
  s[0].valid_only = true;
  rmx_corpus_options o = small_options();
  must(prepare_corpus(&o, s, 3, (size_t[]){0}, 1, "exp", 1, err));
  rmx_corpus *c = NULL, *d = NULL;
  must(rmx_corpus_open(in_folder("exp"), &c, err));
  ck_assert_uint_eq(c->D, 3);
  ck_assert_uint_eq(c->D_train, 2);
  ck_assert_str_eq(c->names[0], "second");
  ck_assert_str_eq(c->names[1], "first");
  ck_assert_str_eq(c->names[2], "target");
  ck_assert(c->domains[2].valid_only && !c->domains[0].valid_only);
  ck_assert_int_eq(c->vocab, 300);
  ck_assert_uint_eq(c->end_of_text, 0);
  ck_assert_int_eq(c->domains[0].width, 2);
  double sum = (double)(c->domains[0].train_tokens + c->domains[1].train_tokens);
  ck_assert_double_eq_tol(c->prior[0], (double)c->domains[0].train_tokens / sum, 1e-15);
  ck_assert_uint_eq(c->domains[2].train_tokens, 0);
  ck_assert_uint_eq(c->domains[2].valid_documents, 50);
  size_t valid = c->domains[1].valid_documents;
  ck_assert(valid >= 10 && valid <= 60);  // a tenth of 300
  ck_assert_uint_eq(c->domains[1].train_documents, 300 - valid);
  // Each document is in one part, once.
  rmx_strings train = documents_of("exp", "first", false),
              held = documents_of("exp", "first", true);
  rmx_buf text = {0};
  for (uint64_t file = 1; file <= 2; file++)
    for (uint64_t i = 0; i < 150; i++) {
      text.size = 0;
      sentence(&text, file, i, 20 + (int)i % 30);
      ck_assert(contains(&train, text.data) != contains(&held, text.data));
    }
  rmx_buf_release(&text);
  rmx_strings_release(&train);
  rmx_strings_release(&held);
  // Threads make no difference, nor does doing it again over what is there.
  must(prepare_corpus(&o, s, 3, (size_t[]){0}, 1, "exp4", 4, err));
  must(prepare_corpus(&o, s, 3, (size_t[]){0}, 1, "exp4", 3, err));
  must(rmx_corpus_open(in_folder("exp4"), &d, err));
  ck_assert_uint_eq(c->hash, d->hash);
  rmx_corpus_free(c);
  rmx_corpus_free(d);
  for (int i = 0; i < 3; i++) source_release(&s[i]);
  folder_remove();
}
END_TEST

START_TEST(more_files_leave_the_split_as_it_was) {
  folder_make();
  put_sentences("a/1.txt", 1, 200);
  rmx_domain_source s = source_of("a", "a/*.txt");
  rmx_corpus_options o = small_options();
  must(prepare_corpus(&o, &s, 1, NULL, 0, "before", 1, err));
  put_sentences("a/0.txt", 2, 100);
  put_sentences("a/2.txt", 3, 100);
  must(prepare_corpus(&o, &s, 1, NULL, 0, "after", 2, err));
  for (int valid = 0; valid < 2; valid++) {
    rmx_strings before = documents_of("before", "a", valid),
                after = documents_of("after", "a", valid);
    for (size_t i = 0; i < before.n; i++) ck_assert(contains(&after, before.items[i]));
    ck_assert_uint_gt(after.n, before.n);
    rmx_strings_release(&before);
    rmx_strings_release(&after);
  }
  source_release(&s);
  folder_remove();
}
END_TEST

START_TEST(small_domains_get_both_parts) {
  folder_make();
  rmx_domain_source s = source_of("a", "a.txt");
  rmx_corpus_options o = small_options();
  for (int n = 2; n < 6; n++) {
    for (int fraction = 0; fraction < 3; fraction++) {
      put_sentences("a.txt", (uint64_t)n, n);
      o.valid_fraction = (double[]){0, 0.05, 0.999}[fraction];
      must(prepare_corpus(&o, &s, 1, NULL, 0, "exp", 1, err));
      int64_t train = index_number("exp", "a", "train_documents"),
              valid = index_number("exp", "a", "valid_documents");
      ck_assert_int_ge(train, 1);
      ck_assert_int_ge(valid, 1);
      ck_assert_int_eq(train + valid, n);
    }
  }
  source_release(&s);
  folder_remove();
}
END_TEST

START_TEST(validation_files_of_their_own) {
  folder_make();
  put_sentences("train.txt", 1, 40);
  put_sentences("held.txt", 2, 12);
  rmx_buf copy = {0};
  sentence(&copy, 2, 5, 25);  // a validation document, in the training text too
  rmx_buf_puts(&copy, "\n%\n");
  put("again.txt", copy.data, copy.size);
  rmx_domain_source s = source_of("a", "train.txt");
  ck_assert(rmx_strings_add(&s.files, "again.txt"));
  ck_assert(rmx_strings_add(&s.valid_files, "held.txt"));
  rmx_corpus_options o = small_options();
  must(prepare_corpus(&o, &s, 1, NULL, 0, "exp", 1, err));
  ck_assert_int_eq(index_number("exp", "a", "train_documents"), 40);
  ck_assert_int_eq(index_number("exp", "a", "valid_documents"), 12);
  ck_assert_int_eq(index_number("exp", "a", "duplicates"), 1);
  rmx_buf_release(&copy);
  source_release(&s);
  folder_remove();
}
END_TEST

START_TEST(planted_duplicates) {
  folder_make();
  put_sentences("a.txt", 1, 50);
  put_sentences("b.txt", 2, 50);
  rmx_buf extra = {0};
  for (uint64_t i = 0; i < 7; i++) {  // of the other domain
    sentence(&extra, 1, 3 * i, 20 + (int)(3 * i) % 30);
    rmx_buf_puts(&extra, "\n%\n");
  }
  for (uint64_t i = 0; i < 4; i++) {  // of its own, twice
    for (int k = 0; k < 2; k++) {
      sentence(&extra, 2, 5 * i, 20 + (int)(5 * i) % 30);
      rmx_buf_puts(&extra, "\n%\n");
    }
  }
  put("b2.txt", extra.data, extra.size);
  rmx_buf_release(&extra);
  rmx_domain_source s[] = {source_of("a", "a.txt"), source_of("b", "b*.txt")};
  rmx_corpus_options o = small_options();
  must(prepare_corpus(&o, s, 2, NULL, 0, "exp", 2, err));
  ck_assert_int_eq(index_number("exp", "a", "duplicates"), 0);
  ck_assert_int_eq(index_number("exp", "b", "duplicates"), 15);
  ck_assert_int_eq(index_number("exp", "b", "documents"), 50);
  o.dedup = false;
  must(prepare_corpus(&o, s, 2, NULL, 0, "exp", 2, err));
  ck_assert_int_eq(index_number("exp", "b", "duplicates"), 0);
  ck_assert_int_eq(index_number("exp", "b", "documents"), 65);
  source_release(&s[0]);
  source_release(&s[1]);
  folder_remove();
}
END_TEST

// Thirteen words of a target in a row, in other letters, punctuation and layout; twelve are no
// copy.
START_TEST(planted_overlaps) {
  folder_make();
  put_sentences("a.txt", 1, 60);
  put_sentences("target.txt", 2, 30);
  rmx_buf text = {0}, planted = {0};
  static const struct {
    uint64_t document;
    int from, words;
  } plants[] = {{3, 0, 13}, {7, 5, 13}, {11, 2, 12}, {20, 0, 20}, {25, 8, 12}};
  for (size_t p = 0; p < 5; p++) {
    text.size = 0;
    sentence(&text, 2, plants[p].document, 20 + (int)plants[p].document % 30);
    rmx_buf_puts(&planted, "Something before:\n");
    int word = 0;
    for (char *w = strtok(text.data, " "); w; w = strtok(NULL, " "), word++)
      if (word >= plants[p].from && word < plants[p].from + plants[p].words) {
        w[0] = (char)(w[0] - 'a' + 'A');
        rmx_buf_printf(&planted, "%s%s", w, word % 2 ? ",\n\t" : " - ");
      }
    rmx_buf_printf(&planted, "and something else %zu.\n%%\n", p);
  }
  put("b.txt", planted.data, planted.size);
  rmx_buf_release(&text);
  rmx_buf_release(&planted);
  rmx_domain_source s[] = {source_of("target", "target.txt"), source_of("a", "a.txt"),
                           source_of("b", "b.txt")};
  s[0].valid_only = true;
  ck_assert(rmx_strings_add(&s[2].valid_files, "a.txt"));
  rmx_corpus_options o = small_options();
  o.dedup = false;
  must(prepare_corpus(&o, s, 3, (size_t[]){0}, 1, "exp", 2, err));
  ck_assert_int_eq(index_number("exp", "b", "overlaps"), 3);
  ck_assert_int_eq(index_number("exp", "b", "train_documents"), 2);
  ck_assert_int_eq(index_number("exp", "a", "overlaps"), 0);
  ck_assert_int_eq(index_number("exp", "target", "valid_documents"), 30);
  o.overlap = 12;
  must_fail(prepare_corpus(&o, s, 3, (size_t[]){0}, 1, "exp", 2, err),
            "domain \"b\" would lose 100 % of its training text (5 of 5 documents), which has "
            "12 words in a row");
  o.overlap = 13;
  o.max_overlap = 0.5;
  must_fail(prepare_corpus(&o, s, 3, (size_t[]){0}, 1, "exp", 2, err),
            "The words that the most documents share: \"");
  must_fail(prepare_corpus(&o, s, 3, (size_t[]){0}, 1, "exp", 2, err),
            "the limit is 50 % (corpus.max_overlap)");
  o.max_overlap = 0.9;
  o.overlap = 0;
  must(prepare_corpus(&o, s, 3, (size_t[]){0}, 1, "exp", 2, err));
  ck_assert_int_eq(index_number("exp", "b", "train_documents"), 5);
  o.overlap = 13;
  must(prepare_corpus(&o, s, 3, NULL, 0, "exp", 2, err));  // no targets, nothing to protect
  ck_assert_int_eq(index_number("exp", "b", "train_documents"), 5);
  for (int i = 0; i < 3; i++) source_release(&s[i]);
  folder_remove();
}
END_TEST

// A licence that both have is no copy; an exam's sentence is, though ten documents quote it.
// Neither the threads nor the names of the files matter.
START_TEST(boilerplate_is_no_copy) {
  static const char licence[] =
      "Permission is hereby granted free of charge to any person obtaining a copy of this software "
      "and associated files to deal";
  folder_make();
  rmx_buf exam = {0}, text = {0}, sentences[2] = {{0}};
  sentence(&sentences[0], 50, 1, 15);
  sentence(&sentences[1], 50, 2, 15);
  rmx_buf_printf(&exam, "%s\n%%\n%s\n%%\n%s\n%%\n", licence, sentences[0].data, sentences[1].data);
  put("exam.txt", exam.data, exam.size);
  char first[64] = "";
  for (int round = 0; round < 3; round++) {
    for (int file = 0; file < 2; file++) {
      text.size = 0;
      for (uint64_t i = 0; i < 100; i++) {
        sentence(&text, 60 + (uint64_t)file, i, 20);
        if (i < 50) rmx_buf_printf(&text, "\n// %s\n", licence);
        // in ten documents of the two files
        if (i >= 50 && i < 55) rmx_buf_printf(&text, " %s ", sentences[0].data);
        if (i >= 60 && i < 66) rmx_buf_printf(&text, " %s ", sentences[1].data);  // in twelve
        rmx_buf_puts(&text, "\n%\n");
      }
      char name[32];
      snprintf(name, sizeof name, "code-%d.txt", round == 2 ? 1 - file : file);
      put(name, text.data, text.size);
    }
    rmx_domain_source s[] = {source_of("code", "code-*.txt"), source_of("exam", "exam.txt")};
    s[1].valid_only = true;
    rmx_corpus_options o = small_options();
    o.valid_fraction = 0;
    must(prepare_corpus(&o, s, 2, (size_t[]){1}, 1, "exp", round == 1 ? 4 : 1, err));
    ck_assert_int_eq(index_number("exp", "code", "overlaps"), 10);
    ck_assert_int_eq(index_number("exp", "code", "boilerplate"), 111);  // one more validates
    ck_assert_int_eq(index_number("exp", "code", "documents"), 190);
    char counts[64];
    snprintf(counts, sizeof counts, "%lld", (long long)index_number("exp", "code", "train_bytes"));
    if (round == 0) strcpy(first, counts);
    ck_assert_str_eq(counts, first);
    source_release(&s[0]);
    source_release(&s[1]);
  }
  rmx_buf_release(&exam);
  rmx_buf_release(&text);
  rmx_buf_release(&sentences[0]);
  rmx_buf_release(&sentences[1]);
  folder_remove();
}
END_TEST

START_TEST(limits) {
  folder_make();
  put_sentences("a/1.txt", 1, 100);
  put_sentences("a/2.txt", 2, 100);
  put_sentences("a/3.txt", 3, 3);
  rmx_domain_source s = source_of("a", "a/*.txt");
  rmx_corpus_options o = small_options();
  o.valid_fraction = 0.3;
  must(prepare_corpus(&o, &s, 1, NULL, 0, "all", 1, err));
  rmx_strings all = documents_of("all", "a", true);
  for (int64_t limit = 100; limit < 1000; limit += 123) {
    o.max_valid_tokens = limit;
    must(prepare_corpus(&o, &s, 1, NULL, 0, "some", 1, err));
    ck_assert_int_eq(index_number("some", "a", "valid_tokens"), limit);
    rmx_strings some = documents_of("some", "a", true);  // checks the bytes counted, too
    ck_assert_uint_lt(some.n, all.n);
    ck_assert_int_eq(index_number("some", "a", "valid_left_out"), (int64_t)(all.n - some.n));
    size_t whole = 0;
    for (size_t i = 0; i < some.n; i++) whole += contains(&all, some.items[i]);
    ck_assert_uint_ge(whole + 1, some.n);  // the last one may be cut
    rmx_strings_release(&some);
  }
  rmx_strings_release(&all);
  // Half of the text: from all files.
  o.max_valid_tokens = 0;
  o.max_bytes = 16000;
  must(prepare_corpus(&o, &s, 1, NULL, 0, "some", 1, err));
  int64_t bytes =
      index_number("some", "a", "train_bytes") + index_number("some", "a", "valid_bytes");
  ck_assert_int_ge(bytes, 10000);
  ck_assert_int_le(bytes, 17500);
  rmx_strings train = documents_of("some", "a", false), held = documents_of("some", "a", true);
  rmx_buf text = {0};
  for (uint64_t file = 1; file <= 3; file++) {
    text.size = 0;
    sentence(&text, file, 0, 20);
    ck_assert(contains(&train, text.data) || contains(&held, text.data));
  }
  rmx_buf_release(&text);
  rmx_strings_release(&train);
  rmx_strings_release(&held);
  source_release(&s);
  folder_remove();
}
END_TEST

START_TEST(a_given_tokenizer) {
  folder_make();
  put_sentences("a.txt", 1, 50);
  rmx_domain_source s = source_of("a", "a.txt");
  rmx_corpus_options o = small_options();
  o.vocab = 280;
  must(prepare_corpus(&o, &s, 1, NULL, 0, "one", 1, err));
  o.tokenizer = (char *)"one/tokenizer.json";
  o.vocab = 999;
  must(prepare_corpus(&o, &s, 1, NULL, 0, "two", 1, err));
  rmx_corpus *one = NULL, *two = NULL;
  must(rmx_corpus_open(in_folder("one"), &one, err));
  must(rmx_corpus_open(in_folder("two"), &two, err));
  ck_assert_uint_eq(one->hash, two->hash);
  ck_assert_int_eq(two->vocab, 280);
  rmx_corpus_free(one);
  rmx_corpus_free(two);
  o.tokenizer = (char *)"a.txt";
  must_fail(prepare_corpus(&o, &s, 1, NULL, 0, "two", 1, err),
            "a.txt: not a tokenizer of a known kind");
  source_release(&s);
  folder_remove();
}
END_TEST

// A tokenizer with one more special token, <|pad|>.
static uint32_t put_padded(const char *from, const char *to) {
  json_t *root = NULL;
  must(rmx__json_read(in_folder(from), &root, err));
  const size_t next = json_object_size(json_object_get(json_object_get(root, "model"), "vocab"));
  json_array_append_new(
      json_object_get(root, "added_tokens"),
      json_pack("{s:i,s:s,s:b}", "id", (int)next, "content", "<|pad|>", "special", 1));
  char path[300];
  snprintf(path, sizeof path, "%s", in_folder(to));
  must(rmx__json_write(path, root, err));
  json_decref(root);
  return (uint32_t)next;
}

static size_t count_id(const char *experiment, uint32_t id, uint32_t *end_of_text) {
  rmx_corpus *c = NULL;
  must(rmx_corpus_open(in_folder(experiment), &c, err));
  const rmx_domain *d = &c->domains[0];
  size_t n = 0;
  for (size_t i = 0; i < d->train_tokens; i++) n += rmx_token_at(d->train, d->width, i) == id;
  *end_of_text = c->end_of_text;
  rmx_corpus_free(c);
  return n;
}

START_TEST(special_tokens_and_the_end_of_text) {
  folder_make();
  put_text("a.txt", "one <|pad|> two\n%\nthree\n%\nfour <|pad|>\n%\nfive\n%\nsix <|pad|>\n");
  rmx_domain_source s = source_of("a", "a.txt");
  rmx_corpus_options o = small_options();
  o.vocab = 280;
  must(prepare_corpus(&o, &s, 1, NULL, 0, "one", 1, err));
  const uint32_t pad = put_padded("one/tokenizer.json", "padded.json");
  o.tokenizer = (char *)"padded.json";
  uint64_t hash = source_hash(&o, &s, 1);
  uint32_t end;
  must(prepare_corpus(&o, &s, 1, NULL, 0, "two", 1, err));
  ck_assert_uint_eq(count_id("two", pad, &end), 0);
  ck_assert_uint_eq(end, 0);
  o.specials = (char *)"tokens";
  ck_assert_uint_ne(source_hash(&o, &s, 1), hash);
  must(rmx_corpus_prepare(&(rmx_corpus_request){.options = &o,
                                                .sources = &s,
                                                .n = 1,
                                                .base = test_folder,
                                                .folder = in_folder("three"),
                                                .before = in_folder("two"),
                                                .threads = 1},
                          err));
  ck_assert_uint_gt(count_id("three", pad, &end), 0);  // the files of "two" are not used again
  o.specials = NULL;
  o.end_of_text = (char *)"<|pad|>";
  ck_assert_uint_ne(source_hash(&o, &s, 1), hash);
  must(prepare_corpus(&o, &s, 1, NULL, 0, "four", 1, err));
  ck_assert_uint_gt(count_id("four", pad, &end), 1);
  ck_assert_uint_eq(end, pad);
  o.end_of_text = (char *)"</s>";
  must_fail(prepare_corpus(&o, &s, 1, NULL, 0, "five", 1, err),
            "no token \"</s>\"; set corpus.end_of_text to the token that ends a text; candidates: "
            "<|endoftext|>");
  source_release(&s);
  folder_remove();
}
END_TEST

// ---- what can be wrong ------------------------------------------------------

static void check_error(const char *pattern, const char *message) {
  rmx_domain_source s = source_of("mine", pattern);
  rmx_corpus_options o = small_options();
  must_fail(prepare_corpus(&o, &s, 1, NULL, 0, "exp", 1, err), message);
  ck_assert(!rmx_exists(in_folder("exp/corpus/corpus.json")));
  source_release(&s);
}

START_TEST(errors_name_what_is_wrong) {
  folder_make();
  check_error("none-*.txt", "domain \"mine\": no file matches");
  put_text("a.orc", "x");
  check_error("a.orc", "a.orc: unknown type of file; known are");
  put_text("empty.txt", "\n%\n \n%\n");
  check_error("empty.txt", "domain \"mine\": no text in its 1 file");
  put_text("single.txt", "one document\n%\n");
  check_error("single.txt", "domain \"mine\" has 1 document");
  put_text("same.txt", "one document\n%\none document\n%\n");
  check_error("same.txt", "domain \"mine\" has 1 document left (1 dropped as duplicates");
  put_text("bad.jsonl", "{\"text\": \"a\"}\n{\"text\"\n");
  check_error("bad.jsonl", "bad.jsonl:2: not JSON");
  check_error("*", "is not a file; give a pattern");  // the folder exp
  ck_assert_int_eq(mkfifo(in_folder("pipe.jsonl"), 0600), 0);
  check_error("pipe.jsonl", "pipe.jsonl is a pipe, which is not read; write its data to a file");
  check_error("**/*.jsonl", "pipe.jsonl is a pipe, which is not read");
  unlink(in_folder("pipe.jsonl"));
  put_sentences("a.txt", 1, 10);
  rmx_domain_source s[] = {source_of("a", "a.txt"), source_of("a", "a.txt")};
  rmx_corpus_options o = small_options();
  must_fail(prepare_corpus(&o, s, 2, NULL, 0, "exp", 1, err), "two domains are called \"a\"");
  must_fail(prepare_corpus(&o, s, 0, NULL, 0, "exp", 1, err), "no domain to train on");
  must_fail(prepare_corpus(&o, s, 1, (size_t[]){1}, 1, "exp", 1, err), "target 1 of 1 domains");
  free(s[1].name);
  s[1].name = rmx_strdup("../a");
  must_fail(prepare_corpus(&o, s, 2, NULL, 0, "exp", 1, err), "domain \"../a\"");
  free(s[1].name);
  s[1].name = rmx_strdup("b");
  must_fail(prepare_corpus(&o, s, 2, NULL, 0, "exp", 1, err),
            "domain \"b\": all of its 10 documents are duplicates");
  s[0].valid_only = true;
  must_fail(prepare_corpus(&o, s, 1, NULL, 0, "exp", 1, err), "all are valid_only");
  s[0].valid_only = false;
  ck_assert(rmx_strings_add(&s[0].files, "*.txt"));
  must_fail(prepare_corpus(&o, s, 1, NULL, 0, "exp", 1, err), "matches two of its patterns");
  o.valid_fraction = 1;
  must_fail(prepare_corpus(&o, s, 1, NULL, 0, "exp", 1, err), "valid_fraction is 1");
  // Broken lines may be skipped.
  put_text("bad.jsonl",
           "{\"text\": \"a\"}\n{\"text\"\n{\"text\": \"b\"}\n{\"t\": 1}\n{\"text\": \"c\"}\n"
           "{\"text\": \"\"}\n{\"text\": \" \\t\"}\n");
  rmx_domain_source bad = source_of("bad", "bad.jsonl");
  o = small_options();
  o.skip_bad = true;
  must(prepare_corpus(&o, &bad, 1, NULL, 0, "exp", 1, err));
  ck_assert_int_eq(index_number("exp", "bad", "bad_lines"), 1);
  ck_assert_int_eq(index_number("exp", "bad", "no_text"), 1);
  ck_assert_int_eq(index_number("exp", "bad", "empty"), 2);
  ck_assert_int_eq(index_number("exp", "bad", "documents"), 3);
  source_release(&bad);
  source_release(&s[0]);
  source_release(&s[1]);
  folder_remove();
}
END_TEST

static void count_progress(void *context, const char *what, double done, double total,
                           const char *unit, const char *detail) {
  (void)what, (void)done, (void)total, (void)unit, (void)detail;
  ++*(int *)context;
}

// What would stop the work later is found before any domain is read.
START_TEST(what_would_fail_later_fails_first) {
  folder_make();
  put_sentences("good.txt", 1, 50);
  put_sentences("more.jsonl", 2, 50);
  put_text("nofield.jsonl", "{\"body\": \"a\"}\n");
  put_text("later/b.xyz", "x");
  put_sentences("later/a.txt", 3, 9);
  put_text("tokenizer.json", "{\"model\": {\"type\": \"odd\"}}");
  static const char *const cases[][3] = {{"nofield.jsonl", NULL, "\"text\" is missing"},
                                         {"later/*", NULL, "b.xyz: unknown type of file"},
                                         {"more.jsonl", "tokenizer.json", "tokenizer.json"},
                                         {"more.jsonl", "absent.json", "absent.json"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int calls = 0;
    rmx_listener listener = {.context = &calls, .progress = count_progress};
    rmx_domain_source s[] = {source_of("good", "good.txt"), source_of("other", cases[i][0])};
    rmx_corpus_options o = small_options();
    o.tokenizer = (char *)cases[i][1];
    rmx_corpus_request r = {.options = &o,
                            .sources = s,
                            .n = 2,
                            .base = test_folder,
                            .folder = in_folder("exp"),
                            .threads = 2,
                            .listener = &listener};
    must_fail(rmx_corpus_prepare(&r, err), cases[i][2]);
    ck_assert_int_eq(calls, 0);
    source_release(&s[0]);
    source_release(&s[1]);
  }
  folder_remove();
}
END_TEST

static void change_while_reading(void *context, const char *what, double done, double total,
                                 const char *unit, const char *detail) {
  (void)done, (void)total, (void)unit, (void)detail;
  const char **text = context;
  if (!strstr(what, "reading") || !*text) return;
  if (**text)
    put_text("changing.jsonl", *text);
  else
    unlink(in_folder("changing.jsonl"));
  *text = NULL;
}

// A file that grows, shrinks or goes away while the text is read: no corpus is left whose
// fingerprint is that of other text. The same content again is no change.
START_TEST(files_that_change_while_they_are_read) {
  static const char before[] = "{\"text\": \"one\"}\n{\"text\": \"two\"}\n";
  static const char *const after[] = {
      "{\"text\": \"one\"}\n{\"text\": \"two\"}\n{\"text\": \"3\"}\n", "{\"text\": \"one\"}\n", "",
      before};
  for (size_t i = 0; i < sizeof after / sizeof *after; i++) {
    folder_make();
    put_text("changing.jsonl", before);
    put_sentences("good.txt", 1, 50);
    const char *text = after[i];
    rmx_listener listener = {.context = &text, .progress = change_while_reading};
    rmx_domain_source s[] = {source_of("changing", "changing.jsonl"),
                             source_of("good", "good.txt")};
    rmx_corpus_options o = small_options();
    rmx_corpus_request r = {.options = &o,
                            .sources = s,
                            .n = 2,
                            .base = test_folder,
                            .folder = in_folder("exp"),
                            .threads = 1,
                            .listener = &listener};
    if (after[i] == before)
      must(rmx_corpus_prepare(&r, err));
    else if (*after[i])
      must_fail(rmx_corpus_prepare(&r, err), "1 file changed while the text was read");
    else
      must_fail(rmx_corpus_prepare(&r, err), "changing.jsonl");
    ck_assert_ptr_null(text);
    ck_assert_int_eq(rmx_exists(in_folder("exp/corpus/corpus.json")), after[i] == before);
    source_release(&s[0]);
    source_release(&s[1]);
    folder_remove();
  }
}
END_TEST

START_TEST(damaged_corpora_are_not_believed) {
  folder_make();
  put_sentences("a.txt", 1, 100);
  rmx_domain_source s = source_of("a", "a.txt");
  rmx_corpus_options o = small_options();
  rmx_corpus *c = NULL;
  must_fail(rmx_corpus_open(in_folder("exp"), &c, err),
            "corpus.json is missing: prepare the corpus first");
  must(prepare_corpus(&o, &s, 1, NULL, 0, "exp", 1, err));
  must(rmx_corpus_open(in_folder("exp"), &c, err));
  rmx_corpus_free(c);
  char *good;
  size_t size;
  must(rmx_read_file(in_folder("exp/corpus/a/train.bin"), &good, &size, err));
  static const struct {
    size_t at;
    int flip;
    const char *message;
  } damages[] = {{0, 1, "not a token file"},
                 {8, 3, "a token file of version 2"},
                 {12, 1, "3 bytes per id"},
                 {16, 1, "tokens in its header"},
                 {24, 1, "tokens of another tokenizer"},
                 {32, 1, "damaged"},
                 {64 + 100, 1, "damaged"}};
  char *bad = malloc(size);
  for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
    memcpy(bad, good, size);
    bad[damages[i].at] ^= (char)damages[i].flip;
    put("exp/corpus/a/train.bin", bad, size);
    must_fail(rmx_corpus_open(in_folder("exp"), &c, err), damages[i].message);
    must_fail(rmx_corpus_open(in_folder("exp"), &c, err), "a/train.bin");
  }
  for (size_t cut = 0; cut < size; cut = cut < 70 ? cut + 1 : 2 * cut) {
    put("exp/corpus/a/train.bin", good, cut);
    must_fail(rmx_corpus_open(in_folder("exp"), &c, err),
              cut < 64 ? "not a token file" : "tokens in its header");
  }
  // An id beyond the vocabulary, with the right hash.
  memcpy(bad, good, size);
  bad[64 + 101] = 0x7F;
  uint64_t hash = rmx_hash(bad + 64, size - 64, 0);
  memcpy(bad + 32, &hash, 8);
  put("exp/corpus/a/train.bin", bad, size);
  must_fail(rmx_corpus_open(in_folder("exp"), &c, err), "in a vocabulary of 300");
  // A whole token file of the same tokenizer and length, but other text.
  memcpy(bad, good, size);
  bad[64] = bad[64] ^ 1;
  hash = rmx_hash(bad + 64, size - 64, 0);
  memcpy(bad + 32, &hash, 8);
  put("exp/corpus/a/train.bin", bad, size);
  must_fail(rmx_corpus_open(in_folder("exp"), &c, err), "of another corpus");
  put("exp/corpus/a/train.bin", good, size);
  must(rmx_corpus_open(in_folder("exp"), &c, err));
  rmx_corpus_free(c);
  put_text("exp/corpus/corpus.json", "{\"version\": 2}");
  must_fail(rmx_corpus_open(in_folder("exp"), &c, err), "version 2; this program reads 1");
  put_text("exp/corpus/corpus.json", "{\"version\": 1, \"vocab\": 300, \"end_of_text\": 300}");
  must_fail(rmx_corpus_open(in_folder("exp"), &c, err),
            "\"end_of_text\" is not a whole number from 0 to 299");
  free(good);
  free(bad);
  source_release(&s);
  folder_remove();
}
END_TEST

START_TEST(the_source_hash_tells_changes) {
  folder_make();
  put_sentences("a.txt", 1, 10);
  rmx_domain_source s = source_of("a", "*.txt");
  rmx_corpus_options o = small_options();
  uint64_t first = source_hash(&o, &s, 1);
  ck_assert_uint_eq(source_hash(&o, &s, 1), first);
  o.vocab++;
  ck_assert_uint_ne(source_hash(&o, &s, 1), first);
  o.vocab--;
  s.valid_only = true;
  ck_assert_uint_ne(source_hash(&o, &s, 1), first);
  s.valid_only = false;
  struct timespec later[2] = {{1, 0}, {1, 0}};
  put_sentences("b.txt", 2, 10);
  ck_assert_uint_ne(source_hash(&o, &s, 1), first);
  ck_assert_int_eq(unlink(in_folder("b.txt")), 0);
  ck_assert_uint_eq(source_hash(&o, &s, 1), first);
  ck_assert_int_eq(utimensat(AT_FDCWD, in_folder("a.txt"), later, 0), 0);
  ck_assert_uint_eq(source_hash(&o, &s, 1), first);  // the content decides
  put_sentences("a.txt", 3, 10);
  ck_assert_uint_ne(source_hash(&o, &s, 1), first);
  source_release(&s);
  folder_remove();
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, files_that_change_while_they_are_read);
  tcase_add_test(tc, what_goes_in_comes_out);
  tcase_add_test(tc, more_files_leave_the_split_as_it_was);
  tcase_add_test(tc, small_domains_get_both_parts);
  tcase_add_test(tc, validation_files_of_their_own);
  tcase_add_test(tc, planted_duplicates);
  tcase_add_test(tc, planted_overlaps);
  tcase_add_test(tc, boilerplate_is_no_copy);
  tcase_add_test(tc, limits);
  tcase_add_test(tc, a_given_tokenizer);
  tcase_add_test(tc, special_tokens_and_the_end_of_text);
  tcase_add_test(tc, errors_name_what_is_wrong);
  tcase_add_test(tc, what_would_fail_later_fails_first);
  tcase_add_test(tc, damaged_corpora_are_not_believed);
  tcase_add_test(tc, the_source_hash_tells_changes);
}
