// SPDX-License-Identifier: Apache-2.0
// The domains that are found in a folder of text, and what of it is not read.
#include <fcntl.h>
#include <sys/stat.h>

#include "base/json.h"
#include "corpus/prepare/documents.h"
#include "corpus/readers/shard_name.h"
#include "corpus/token_file.h"
#include "corpus_folder.h"

START_TEST(domains_found_in_a_folder) {
  folder_make();
  put_sentences("all [1]/wiki/x.jsonl", 1, 10);
  put_sentences("all [1]/wiki/y.txt", 2, 10);
  put_text("all [1]/wiki/README.md", "no text of the corpus");
  put_sentences("all [1]/code-00.jsonl.gz", 3, 10);
  put_sentences("all [1]/code-01.jsonl", 4, 10);
  put_sentences("all [1]/books.txt", 5, 10);
  put_text("all [1]/notes.md", "no text of the corpus");
  rmx_discovery f;
  must(rmx_corpus_discover("all [1]", NULL, test_folder, &f, err));
  ck_assert_uint_eq(f.n, 3);
  ck_assert_str_eq(f.domains[0].name, "books");
  ck_assert_str_eq(f.domains[1].name, "code");
  ck_assert_str_eq(f.domains[2].name, "wiki");
  ck_assert_uint_eq(f.domains[1].files.n, 2);
  ck_assert_uint_eq(f.domains[2].files.n, 2);
  ck_assert_uint_eq(f.n_left_out, 2);
  rmx_corpus_options o = small_options();
  must(prepare_corpus(&o, f.domains, f.n, NULL, 0, "exp", 1, err));
  ck_assert_int_eq(index_number("exp", "code", "documents"), 20);
  ck_assert_int_eq(index_number("exp", "wiki", "documents"), 20);
  rmx_discovery_release(&f);
  put_text("nothing/notes.md", "");
  must_fail(rmx_corpus_discover("nothing", NULL, test_folder, &f, err), "no domains here");
  must_fail(rmx_corpus_discover("absent", NULL, test_folder, &f, err), "no domains here");
  folder_remove();
}
END_TEST

// The domains of a folder as "name:files+valid_files ...", what is left out as "path (why); ...".
static rmx_buf found, left;
static rmx_status look_for(const char *folder, const char *leave, rmx_err *err) {
  rmx_discovery f;
  rmx_strings leave_out = {0};
  if (leave) ck_assert(rmx_strings_add(&leave_out, leave));
  rmx_buf_release(&found);
  rmx_buf_release(&left);
  rmx_buf_puts(&found, "");
  rmx_buf_puts(&left, "");
  rmx_status status = rmx_corpus_discover(folder, &leave_out, test_folder, &f, err);
  rmx_strings_release(&leave_out);
  if (status != RMX_OK) return status;
  for (size_t i = 0; i < f.n; i++) {
    rmx_buf_printf(&found, "%s%s:%zu", i ? " " : "", f.domains[i].name, f.domains[i].files.n);
    if (f.domains[i].valid_files.n) rmx_buf_printf(&found, "+%zu", f.domains[i].valid_files.n);
  }
  for (size_t i = 0; i < f.n_left_out; i++)
    rmx_buf_printf(&left, "%s%s (%s)", i ? "; " : "", f.left_out[i].path, f.left_out[i].why);
  rmx_discovery_release(&f);
  return RMX_OK;
}

static void touch(const char *name) {
  put_text(name, "{\"text\": \"a\"}\n");
}

START_TEST(nothing_is_left_out_in_silence) {
  folder_make();
  touch("t/web/a.jsonl");
  touch("t/c4/en/c4-train.00000-of-01024.json.gz");
  touch("t/dclm/global-shard_01_of_10/local-shard_0_of_10/x.jsonl.zstd");
  touch("t/dclm/readme.jsonl");
  touch("t/web/000_00000.orc");
  touch("t/web/.cache/download/b.jsonl");
  touch("t/web/._a.jsonl");
  touch("t/web/a.jsonl~");
  touch("t/web/LICENSE");
  touch("t/web/_SUCCESS");
  touch("t/web/b.TXT");
  touch("t/web/deep/er/c.NDJSON.GZ");
  put_text("t/web/empty.txt", "");
  ck_assert_int_eq(mkfifo(in_folder("t/web/pipe.jsonl"), 0600), 0);
  ck_assert_int_eq(symlink("nowhere", in_folder("t/web/link.jsonl")), 0);
  ck_assert_int_eq(symlink("../..", in_folder("t/web/deep/loop")), 0);
  ck_assert_int_eq(symlink("..", in_folder("t/web/deep/er/loop")), 0);
  must(rmx_mkdirs(in_folder("t/hollow"), err));
  must(look_for("t", NULL, err));
  ck_assert_str_eq(found.data, "c4:1 dclm:2 web:3");
  static const char *const wanted[] = {"t/web/000_00000.orc (ORC is not read; convert it",
                                       "t/web/.cache (hidden",
                                       "t/web/._a.jsonl (hidden",
                                       "t/web/a.jsonl~ (backup",
                                       "t/web/LICENSE (a licence",
                                       "t/web/_SUCCESS (marks",
                                       "t/web/empty.txt (empty files",
                                       "t/web/pipe.jsonl (only regular files",
                                       "t/web/link.jsonl (a link that leads nowhere",
                                       "t/web/deep/loop (a link to a folder that contains it",
                                       "t/web/deep/er/loop (a link to a folder that contains it",
                                       "t/hollow (an empty folder is not a domain"};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    ck_assert_msg(strstr(left.data, wanted[i]), "%s is not in %s", wanted[i], left.data);
  folder_remove();
}
END_TEST

START_TEST(a_domain_is_never_lost_in_silence) {
  folder_make();
  touch("t/web/a.jsonl");
  touch("t/fw/000_00000.orc");
  touch("t/fw/000_00001.orc");
  must_fail(look_for("t", NULL, err),
            "t: 1 domain would be lost: \"fw\". No file of \"fw\" can be read (2; the first is "
            "t/fw/000_00000.orc: ORC");
  must_fail(look_for("t", NULL, err), "corpus.leave_out: fw");
  must(look_for("t", "fw", err));
  ck_assert_str_eq(found.data, "web:1");
  ck_assert_ptr_nonnull(strstr(left.data, "t/fw (a pattern of corpus.leave_out matches it)"));
  must(rmx_remove_tree(in_folder("t/fw"), err));
  touch("t/pubmed-01.wat.gz");
  must_fail(look_for("t", NULL, err), "\"pubmed\"");
  must(look_for("t", "*.wat.gz", err));
  must(rmx_remove_tree(in_folder("t/pubmed-01.wat.gz"), err));
  touch("t/code/main.xyz");
  must_fail(look_for("t", NULL, err),
            "its ending is unknown; if it is plain text, end its name in .txt");
  must(rmx_remove_tree(in_folder("t/code"), err));
  put_text("t/books/b.txt", "");
  must_fail(look_for("t", NULL, err), "empty files have no text");
  folder_remove();
}
END_TEST

// Files that these patterns find; "-" for an error.
static void check_files(const char *pattern, const char *wanted) {
  rmx_domain_source s = source_of("d", pattern);
  rmx__files files;
  rmx_err e = {0};
  rmx_buf b = {0};
  rmx_buf_add(&b, "", 0);
  if (rmx__files_find(&s, test_folder, &files, &e) != RMX_OK) rmx_buf_puts(&b, e.message);
  const size_t base = strlen(test_folder) + 1;
  for (size_t i = 0; !e.status && i < files.train.n; i++)
    rmx_buf_printf(&b, "%s%s", i ? " " : "", files.train.items[i] + base);
  ck_assert_msg(strstr(b.data, wanted) && (e.status || strcmp(b.data, wanted) == 0), "%s: %s",
                pattern, b.data);
  rmx_buf_release(&b);
  if (!e.status) rmx__files_release(&files);
  source_release(&s);
}

START_TEST(folders_of_any_depth_in_a_pattern) {
  folder_make();
  touch("t/a.jsonl");
  touch("t/x/b.jsonl.gz");
  touch("t/x/y/c.jsonl");
  touch("t/x/y/README.md");
  touch("t/x/y/d.md");
  touch("t/x/.hidden/e.jsonl");
  ck_assert_int_eq(symlink("..", in_folder("t/x/y/up")), 0);
  check_files("t/**/*.jsonl", "t/a.jsonl t/x/y/c.jsonl");
  check_files("t/**/y/*.jsonl", "t/x/y/c.jsonl");
  check_files("t/**/*.{md,gz}", "t/x/b.jsonl.gz t/x/y/d.md");
  check_files("t/x/y/*.md", "t/x/y/README.md t/x/y/d.md");
  const char *all = "t/a.jsonl t/x/b.jsonl.gz t/x/y/c.jsonl t/x/y/d.md";
  check_files("t", all);
  check_files("t/", all);
  check_files("t/**", all);
  check_files("t/**/*.zst", "no file matches");
  check_files("t/**/x/**", "t/x/b.jsonl.gz t/x/y/c.jsonl t/x/y/d.md");
  check_files("t/**/x/**/*.jsonl", "t/x/y/c.jsonl");
  touch("t/x/z/x/g.jsonl");
  check_files("t/**/x/**/*.jsonl", "t/x/y/c.jsonl t/x/z/x/g.jsonl");
  must(rmx_remove_tree(in_folder("t/x/z"), err));
  touch("t/x/notes.odd");
  check_files("t/**", all);
  rmx_domain_source odd = source_of("d", "t");
  rmx__files some;
  must(rmx__files_find(&odd, test_folder, &some, err));
  ck_assert_str_eq(some.unread.text, "notes.odd");
  rmx__files_release(&some);
  source_release(&odd);
  touch("t/x/f.orc");
  check_files("t/**", "t/x/f.orc: ORC is not read; convert it to JSON lines; give a pattern");
  check_files("t/x/*.gz", "t/x/b.jsonl.gz");
  must(rmx_remove_tree(in_folder("t"), err));
  touch("t/a\nb/c.jsonl");
  must(look_for("t", NULL, err));
  ck_assert_str_eq(found.data, "a%0Ab:1");
  folder_remove();
}
END_TEST

START_TEST(names_of_shards_are_cut_and_words_are_not) {
  static const struct {
    const char *name, *domain;
  } names[] = {{"c4-train.00000-of-01024", "c4-train"},
               {"part-0001", "part"},
               {"wiki_000", "wiki"},
               {"en-fr", "en-fr"},
               {"file007", "file"},
               {"python3", "python3"},
               {"top500", "top500"},
               {"wiki-00000-of-00010-a09b74b3ef9c3b56", "wiki"},
               {"x.01", "x"},
               {"00001", "00001"},
               {"a_of_b", "a_of_b"},
               {"shard_3_of_8", "shard"},
               {"web", "web"},
               {"", ""},
               {"-1", "-1"},
               {"cafe-babe", "cafe-babe"},
               {"arxiv_023827cd-7ee8-42e6-aa7b-661731f4c70f", "arxiv"},
               {"arxiv_023827cd-7ee8-42e6-aa7b", "arxiv"},
               {"filtered_08cdfa755e6d4d89b673d5bd1acee5f6", "filtered"},
               {"part-00012-023827cd-7ee8-42e6-aa7b-661731f4c70f-c000", "part"},
               {"en_head-0000", "en_head"},
               {"023827cd-7ee8-42e6-aa7b-661731f4c70f", "023827cd-7ee8-42e6-aa7b-661731f4c70f"},
               {"deadbeefdeadbeef", "deadbeefdeadbeef"},
               {"x023827cd-7ee8-42e6-aa7b", "x023827cd-7ee8-42e6-aa7b"},
               {"global-shard_01_of_10", "global-shard"},
               {"web_0a1b2c3d", "web"},
               {"web-9F2E77B0A1", "web"},
               {"cafe2024", "cafe2024"},
               {"web_deadbeef", "web_deadbeef"},
               {"face2face", "face2face"}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char cut[64];
    snprintf(cut, sizeof cut, "%.*s", (int)rmx__without_shard(names[i].name, strlen(names[i].name)),
             names[i].name);
    ck_assert_str_eq(cut, names[i].domain);
  }
  folder_make();
  char name[64];
  for (int i = 0; i < 3; i++) {
    snprintf(name, sizeof name, "t/c4-train.%05d-of-00003.jsonl", i);
    touch(name);
    snprintf(name, sizeof name, "numbers/%05d.jsonl", i);
    touch(name);
    snprintf(name, sizeof name, "ids/023827cd-7ee8-42e6-aa7b-661731f4c7%02d.jsonl", i);
    touch(name);
  }
  touch("t/en-fr.jsonl");
  touch("t/en-de.jsonl");
  must(look_for("t", NULL, err));
  ck_assert_str_eq(found.data, "c4-train:3 en-de:1 en-fr:1");
  // Digits that could be a word or a number are a shard's if those of others clearly are.
  static const char *const hashes[] = {"0a1b2c3d", "deadbeef", "1234567a", "12345678"};
  for (int i = 0; i < 4; i++) {
    snprintf(name, sizeof name, "hex/web-%s.jsonl.gz", hashes[i]);
    touch(name);
    snprintf(name, sizeof name, "bare/%s.jsonl", hashes[i]);
    touch(name);
  }
  touch("hex/code-deadbeef.jsonl");
  must(look_for("hex", NULL, err));
  ck_assert_str_eq(found.data, "code-deadbeef:1 web:4");
  must(look_for("bare", NULL, err));
  ck_assert_str_eq(found.data, "bare:4");
  must(look_for("numbers", NULL, err));
  ck_assert_str_eq(found.data, "numbers:3");
  must(look_for("ids", NULL, err));
  ck_assert_str_eq(found.data, "ids:3");
  folder_remove();
}
END_TEST

START_TEST(validation_and_test_files_are_recognised) {
  folder_make();
  touch("t/web/train.jsonl");
  touch("t/web/validation-00000.jsonl");
  touch("t/web/test.jsonl");
  touch("t/code/train/a.jsonl");
  touch("t/code/Dev/a.jsonl");
  touch("t/code/test/a.jsonl");
  touch("t/c4/c4-train.00000-of-00002.json");
  touch("t/c4/c4-validation.00000-of-00001.json");
  touch("t/c4/test-of-time.jsonl");  // a book, not a test
  touch("t/flat-train-0.jsonl");
  touch("t/flat-valid-0.jsonl");
  touch("t/papers.jsonl");
  touch("t/papers_test.jsonl");
  touch("t/test/a.jsonl");       // a domain of that name
  touch("t/exam/test.jsonl");    // nothing to set it apart from
  touch("t/latest-test.jsonl");  // no sibling
  must(look_for("t", NULL, err));
  ck_assert_str_eq(found.data,
                   "c4:2+1 code:1+1 exam:1 flat-train:1+1 latest-test:1 papers:1 test:1 web:1+1");
  static const char *const tests[] = {"t/web/test.jsonl (test files",
                                      "t/code/test/a.jsonl (test files",
                                      "t/papers_test.jsonl (test files"};
  for (size_t i = 0; i < 3; i++) ck_assert_msg(strstr(left.data, tests[i]), "%s", left.data);
  touch("u/train.jsonl");
  touch("u/valid.jsonl");
  must_fail(look_for("u", NULL, err), "\"train\" and \"valid\" are splits of one domain");
  touch("u/web.jsonl");  // that does not make them domains
  must_fail(look_for("u", NULL, err), "\"train\" and \"valid\" are splits of one domain");
  // Without a training split, they belong to nobody.
  touch("v/web.jsonl");
  touch("v/code/a.jsonl");
  touch("v/test-00000-of-00001.jsonl");
  touch("v/Validation.jsonl");
  must(look_for("v", NULL, err));
  ck_assert_str_eq(found.data, "code:1 web:1");
  ck_assert_ptr_nonnull(strstr(left.data, "v/test-00000-of-00001.jsonl (a test file that"));
  ck_assert_ptr_nonnull(strstr(left.data, "v/Validation.jsonl (validation text that"));
  folder_remove();
}
END_TEST

// What an experiment writes is never text, wherever the text is.
START_TEST(an_experiment_is_not_text) {
  folder_make();
  touch("web/a.jsonl");
  touch("code/a.jsonl");
  touch("inner/regmix.yaml");
  touch("inner/tokenizer.json");
  touch("inner/mixtures.csv");
  touch("inner/runs/0/log.jsonl");
  touch("inner/large/optimum/1/log.jsonl");
  touch("inner/fit/fit.json");
  touch("inner/corpus/corpus.json");
  touch("inner/corpus/web/train.bin");
  touch("inner/more/b.jsonl");
  must(look_for(".", NULL, err));
  ck_assert_str_eq(found.data, "code:1 inner:1 web:1");
  check_files("**/*.jsonl", "code/a.jsonl inner/more/b.jsonl web/a.jsonl");
  check_files("**/*.bin", "no file matches");
  // A folder with such a name that the experiment has not written is not lost in silence.
  touch("corpus/a.jsonl");
  must_fail(look_for(".", NULL, err), "1 domain would be lost: \"corpus\"");
  must_fail(look_for(".", NULL, err), "the experiment writes a folder of this name here");
  touch("corpus/corpus.json");
  must(look_for(".", NULL, err));
  folder_remove();
}
END_TEST

START_TEST(names_of_folders_become_names_of_domains) {
  folder_make();
  touch("t/a,b/a.jsonl");
  touch("t/-x/a.jsonl");
  touch("t/quo\"te.jsonl");
  touch("t/latin\xe9/a.jsonl");
  touch("t/caf\xc3\xa9/a.jsonl");
  must(look_for("t", NULL, err));
  ck_assert_str_eq(found.data, "%2Dx:1 a%2Cb:1 caf\xc3\xa9:1 latin%E9:1 quo%22te:1");
  folder_remove();
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, domains_found_in_a_folder);
  tcase_add_test(tc, nothing_is_left_out_in_silence);
  tcase_add_test(tc, a_domain_is_never_lost_in_silence);
  tcase_add_test(tc, folders_of_any_depth_in_a_pattern);
  tcase_add_test(tc, names_of_shards_are_cut_and_words_are_not);
  tcase_add_test(tc, validation_and_test_files_are_recognised);
  tcase_add_test(tc, an_experiment_is_not_text);
  tcase_add_test(tc, names_of_folders_become_names_of_domains);
}
