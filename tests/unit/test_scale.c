// SPDX-License-Identifier: Apache-2.0
// A corpus in bounded memory: neither the number of threads, nor how much is in memory at a time,
// nor an interruption changes a bit of it.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <utf8proc.h>

#include "base/json.h"
#include "corpus/prepare/limits.h"
#include "corpus/prepare/ordered.h"
#include "corpus/prepare/sorter.h"
#include "corpus_folder.h"

// Documents from .. to - 1 of a seed, as lines of JSON with their source, or as text.
static void put_documents(const char *name, uint64_t seed, int from, int to) {
  rmx_buf b = {0};
  const bool json = strstr(name, ".jsonl") != NULL;
  for (int i = from; i < to; i++) {
    if (json) rmx_buf_printf(&b, "{\"meta\": {\"source\": \"part %d\"}, \"text\": \"", i % 3);
    sentence(&b, seed, (uint64_t)i, 20 + i % 30);
    rmx_buf_puts(&b, json ? "\"}\n" : "\n%\n");
  }
  put(name, b.data, b.size);
  rmx_buf_release(&b);
}

// ---- a corpus with everything that can happen to a document: copies within and between domains,
// words of a target, validation files, a file large enough for ranges

enum { DOMAINS = 4 };
static rmx_domain_source sources[DOMAINS];
static rmx_corpus_options options;

static void make_corpus(void) {
  folder_make();
  put_documents("large.jsonl", 1, 0, 400);
  put_documents("small/1.jsonl", 2, 0, 20);
  put_documents("small/2.jsonl", 2, 10, 40);
  put_documents("small/3.jsonl", 1, 7, 30);
  put_documents("small/4.txt", 3, 0, 30);
  put_documents("held.jsonl", 4, 0, 30);
  put_documents("own.jsonl", 5, 0, 50);
  put_documents("own_valid.jsonl", 6, 0, 20);
  sources[0] = source_of("large", "large.jsonl");
  sources[1] = source_of("small", "small/*");
  sources[2] = source_of("held", "held.jsonl");
  sources[2].valid_only = true;
  sources[3] = source_of("own", "own.jsonl");
  ck_assert(rmx_strings_add(&sources[3].valid_files, "own_valid.jsonl"));
  rmx_buf b = {0};  // parts of validation documents inside others
  for (int i = 0; i < 30; i++) {
    rmx_buf_printf(&b, "{\"text\": \"%d before ", i);
    sentence(&b, i % 2 ? 4 : 6, (uint64_t)i / 2, 15 + i % 10);
    rmx_buf_printf(&b, " and %d after\"}\n", i);
  }
  put("small/5.jsonl", b.data, b.size);
  rmx_buf_release(&b);
  options = small_options();
  options.max_valid_tokens = 400;
}

static void remove_corpus(void) {
  for (int i = 0; i < DOMAINS; i++) source_release(&sources[i]);
  folder_remove();
}

static void count_notes(void *context, const char *message) {
  size_t n, all;
  if (sscanf(message, "prepare: %zu of %zu parts of the text were read", &n, &all) == 2)
    *(size_t *)context = n;
}

// *again: parts that were read before.
static rmx_status prepare(const char *to, int threads, size_t *again, rmx_err *err) {
  static const size_t targets[] = {2, 3};
  *again = 0;
  const rmx_listener listener = {.context = again, .note = count_notes};
  return rmx_corpus_prepare(&(rmx_corpus_request){.options = &options,
                                                  .sources = sources,
                                                  .n = DOMAINS,
                                                  .targets = targets,
                                                  .ntargets = 2,
                                                  .base = test_folder,
                                                  .folder = in_folder(to),
                                                  .threads = threads,
                                                  .listener = &listener},
                            err);
}

static void same_file(const char *one, const char *two, const char *name) {
  char path[2][400], *data[2];
  size_t size[2];
  const char *const folders[] = {one, two};
  for (int i = 0; i < 2; i++) {
    snprintf(path[i], sizeof path[i], "%s/corpus/%s", in_folder(folders[i]), name);
    must(rmx_read_file(path[i], &data[i], &size[i], err));
  }
  ck_assert_msg(size[0] == size[1] && memcmp(data[0], data[1], size[0]) == 0, "%s and %s differ",
                path[0], path[1]);
  free(data[0]);
  free(data[1]);
}

static void same_corpus(const char *one, const char *two) {
  static const char *const files[] = {"corpus.json",     "tokenizer.json",  "large/train.bin",
                                      "large/valid.bin", "small/train.bin", "small/valid.bin",
                                      "held/valid.bin",  "own/train.bin",   "own/valid.bin"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) same_file(one, two, files[i]);
  ck_assert(!rmx_exists(in_folder("two/.prepare")));
}

static const struct rmx__limits small_limits = {.part_bytes = 1500,
                                                .sort_records = 20,
                                                .overlap_grams = 200,
                                                .overlap_counts = 1500,
                                                .open_outputs = 2};

START_TEST(threads_and_memory_change_no_bit) {
  make_corpus();
  size_t again;
  must(prepare("one", 1, &again, err));
  ck_assert_int_eq(index_number("one", "small", "duplicates"), 10 + 23);
  ck_assert_int_gt(index_number("one", "small", "overlaps"), 20);
  const struct rmx__limits usual = rmx__limits;
  for (int small = 0; small < 2; small++)
    for (int threads = 1; threads <= 5; threads += 2) {
      if (small) rmx__limits = small_limits;
      must(prepare("two", threads, &again, err));
      same_corpus("one", "two");
      must(rmx_remove_tree(in_folder("two"), err));
    }
  rmx__limits = usual;
  remove_corpus();
}
END_TEST

// The line of an error is counted from the start of the file, whichever range it is in.
START_TEST(lines_of_ranges) {
  make_corpus();
  rmx_buf b = {0};
  for (int i = 1; i <= 300; i++) {
    rmx_buf_puts(&b, i == 211 || i == 250 ? "{\"text\": broken" : "{\"text\": \"");
    sentence(&b, 9, (uint64_t)i, 20);
    rmx_buf_puts(&b, "\"}\n");
  }
  put("large.jsonl", b.data, b.size);
  rmx_buf_release(&b);
  const struct rmx__limits usual = rmx__limits;
  size_t again;
  for (int small = 0; small < 2; small++)
    for (int threads = 1; threads <= 4; threads += 3) {
      if (small) rmx__limits = small_limits;
      must_fail(prepare("two", threads, &again, err), "large.jsonl:211: not JSON");
    }
  rmx__limits = usual;
  remove_corpus();
}
END_TEST

// ---- interruptions

static int calls, last_call;

static void die(void *context, const char *what, double done, double total, const char *unit,
                const char *detail) {
  (void)context, (void)what, (void)done, (void)total, (void)unit, (void)detail;
  if (++calls == last_call) kill(getpid(), SIGKILL);
}

// Prepares in another process, which is killed at its n-th sign of progress. False: it ended
// before.
static bool killed_at(int n) {
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    static const size_t targets[] = {2, 3};
    rmx_err err;
    calls = 0;
    last_call = n;
    const rmx_listener listener = {.progress = die};
    const rmx_status status = rmx_corpus_prepare(&(rmx_corpus_request){.options = &options,
                                                                       .sources = sources,
                                                                       .n = DOMAINS,
                                                                       .targets = targets,
                                                                       .ntargets = 2,
                                                                       .base = test_folder,
                                                                       .folder = in_folder("two"),
                                                                       .threads = 2,
                                                                       .listener = &listener},
                                                 &err);
    _exit(status == RMX_OK ? 0 : 1);
  }
  int status;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  return WIFSIGNALED(status);
}

START_TEST(killed_and_resumed) {
  make_corpus();
  size_t again, most = 0;
  must(prepare("one", 1, &again, err));
  const struct rmx__limits usual = rmx__limits;
  rmx__limits = small_limits;
  rmx_rng rng = rmx_rng_make(11, 0, RMX_FOR_TEST);
  for (int i = 0; i < 6; i++) {
    const int at = 1 + (int)rmx_rng_below(&rng, i < 3 ? 60 : 200);
    if (!killed_at(at)) continue;
    ck_assert(!rmx_exists(in_folder("two/corpus/corpus.json")) || at > 60);
    if (i % 2) killed_at(at + 10);
    must(prepare("two", 2, &again, err));
    most = again > most ? again : most;
    same_corpus("one", "two");
    must(rmx_remove_tree(in_folder("two"), err));
  }
  ck_assert_uint_gt(most, 20);
  rmx__limits = usual;
  remove_corpus();
}
END_TEST

// Of what was read before, only what is still right is used: a file was written again, a setting
// was changed, a part is damaged.
START_TEST(only_what_is_right_is_used_again) {
  make_corpus();
  size_t again, whole;
  const struct rmx__limits usual = rmx__limits;
  rmx__limits = small_limits;
  put_text("own_valid.jsonl", "{\"broken\"\n");
  must_fail(prepare("two", 2, &again, err), "own_valid.jsonl:1");  // before anything is read
  rmx_buf late = {0};
  for (int i = 0; i < 20; i++) {
    rmx_buf_puts(&late, "{\"text\": \"");
    sentence(&late, 6, (uint64_t)i, 20 + i % 30);
    rmx_buf_puts(&late, i < 19 ? "\"}\n" : "\n");
  }
  put("own_valid.jsonl", late.data, late.size);
  rmx_buf_release(&late);
  must_fail(prepare("two", 2, &again, err), "own_valid.jsonl:20");
  must_fail(prepare("two", 2, &whole, err), "own_valid.jsonl:20");
  put_documents("own_valid.jsonl", 6, 0, 20);
  put_documents("small/4.txt", 3, 0, 31);
  must(prepare("one", 1, &again, err));
  must(prepare("two", 2, &again, err));
  ck_assert_uint_gt(again, 20);
  same_corpus("one", "two");
  // a damaged part
  must(rmx_remove_tree(in_folder("two"), err));
  ck_assert(killed_at(120));
  rmx_strings names = {0};
  must(rmx_list(in_folder("two/.prepare"), &names, err));
  ck_assert_uint_gt(names.n, 20);
  char path[400], *data;
  size_t size;
  for (size_t i = 0; i < names.n; i += 7) {
    snprintf(path, sizeof path, "%s/%s", in_folder("two/.prepare"), names.items[i]);
    must(rmx_read_file(path, &data, &size, err));
    data[size / 2] ^= 1;
    must(rmx_write_file(path, data, i % 2 ? size : size / 2, err));
    free(data);
  }
  must(prepare("two", 2, &again, err));
  ck_assert_uint_gt(again, 5);
  same_corpus("one", "two");
  // another setting
  must(rmx_remove_tree(in_folder("two"), err));
  ck_assert(killed_at(120));
  options.separator = (char *)"none";
  must(prepare("two", 2, &again, err));
  ck_assert_uint_eq(again, 0);
  rmx_strings_release(&names);
  rmx__limits = usual;
  remove_corpus();
}
END_TEST

// No room on the disk: the error names it, and what was read before is used afterwards.
START_TEST(no_room_on_the_disk) {
  make_corpus();
  size_t again;
  must(prepare("one", 1, &again, err));
  struct rlimit had, low = {3000, RLIM_INFINITY};
  ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &had), 0);
  low.rlim_max = had.rlim_max;
  signal(SIGXFSZ, SIG_IGN);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &low), 0);
  must_fail(prepare("two", 2, &again, err), "File too large");
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &had), 0);
  must(prepare("two", 2, &again, err));
  same_corpus("one", "two");
  remove_corpus();
}
END_TEST

// ---- documents of one file in several domains

START_TEST(one_file_of_many_domains) {
  folder_make();
  put_documents("all.jsonl", 1, 0, 300);
  const struct rmx__limits usual = rmx__limits;
  rmx_domain_source s = source_of("all", "all.jsonl");
  s.divided = true;
  rmx_corpus_options o = small_options();
  o.domain_field = (char *)"meta.source";
  o.max_domains = 100;
  for (int small = 0; small < 2; small++) {
    if (small) rmx__limits = small_limits;
    must(rmx_corpus_prepare(&(rmx_corpus_request){.options = &o,
                                                  .sources = &s,
                                                  .n = 1,
                                                  .base = test_folder,
                                                  .folder = in_folder(small ? "two" : "one"),
                                                  .threads = 2},
                            err));
  }
  rmx__limits = usual;
  rmx_corpus *c = NULL;
  must(rmx_corpus_open(in_folder("two"), &c, err));
  ck_assert_uint_eq(c->D, 3);
  for (size_t d = 0; d < 3; d++) {
    char file[100];
    ck_assert_uint_eq(c->domains[d].train_documents + c->domains[d].valid_documents, 100);
    snprintf(file, sizeof file, "%s/train.bin", c->names[d]);
    same_file("one", "two", file);
    snprintf(file, sizeof file, "%s/valid.bin", c->names[d]);
    same_file("one", "two", file);
  }
  rmx_corpus_free(c);
  source_release(&s);
  folder_remove();
}
END_TEST

// ---- near duplicates

// A document of 200 words of which `edits` are others.
static void put_edited(rmx_buf *b, uint64_t i, int edits, uint64_t seed) {
  rmx_buf text = {0};
  sentence(&text, 21, i, 200);
  rmx_rng rng = rmx_rng_make(seed, i, RMX_FOR_TEST);
  for (int e = 0; e < edits; e++) text.data[rmx_rng_below(&rng, (uint32_t)text.size)] = 'q';
  rmx_buf_printf(b, "%s\n%%\n", text.data);
  rmx_buf_release(&text);
}

START_TEST(edited_copies_are_dropped) {
  folder_make();
  rmx_buf a = {0}, b = {0}, c = {0};
  for (uint64_t i = 0; i < 60; i++) put_edited(&a, i, 0, 1);
  for (uint64_t i = 0; i < 60; i++) {
    put_edited(i % 2 ? &a : &b, i, 1, 2);        // nearly the same, here or in another domain
    put_edited(&b, 100 + i, 0, 1);               // others
    if (i < 40) put_edited(&c, 100 + i, 60, 3);  // of these a quarter of the rows is left
    if (i < 20) put_edited(&c, 200 + i, 0, 1);
  }
  put("a.txt", a.data, a.size);
  put("b.txt", b.data, b.size);
  put("c.txt", c.data, c.size);
  rmx_domain_source s[] = {source_of("a", "a.txt"), source_of("b", "b.txt"),
                           source_of("c", "c.txt")};
  rmx_corpus_options o = small_options();
  const struct rmx__limits usual = rmx__limits;
  for (int near = 0; near < 2; near++)
    for (int threads = 1; threads <= 4; threads += 3) {
      o.near_duplicates = near ? 0.8 : 0;
      if (threads > 1) rmx__limits = small_limits;
      must(
          rmx_corpus_prepare(&(rmx_corpus_request){.options = &o,
                                                   .sources = s,
                                                   .n = 3,
                                                   .base = test_folder,
                                                   .folder = in_folder(threads > 1 ? "two" : "one"),
                                                   .threads = threads},
                             err));
      rmx__limits = usual;
      if (threads == 1) continue;
      same_file("one", "two", "corpus.json");
      same_file("one", "two", "b/train.bin");
      ck_assert_int_eq(index_number("one", "a", "near_duplicates"), near ? 30 : 0);
      ck_assert_int_eq(index_number("one", "b", "near_duplicates"), near ? 30 : 0);
      ck_assert_int_eq(index_number("one", "c", "near_duplicates"), 0);
      ck_assert_int_eq(index_number("one", "c", "documents"), 60);
    }
  source_release(&s[0]), source_release(&s[1]), source_release(&s[2]);
  rmx_buf_release(&a), rmx_buf_release(&b), rmx_buf_release(&c);
  folder_remove();
}
END_TEST

static rmx_status make(const rmx_corpus_options *o, const rmx_domain_source *s, bool target,
                       rmx_err *err) {
  const size_t first = 0;
  return rmx_corpus_prepare(&(rmx_corpus_request){.options = o,
                                                  .sources = s,
                                                  .n = 2,
                                                  .targets = &first,
                                                  .ntargets = target,
                                                  .base = test_folder,
                                                  .folder = in_folder("exp"),
                                                  .threads = 2},
                            err);
}

// Candidates are compared, so that none below the wanted resemblance is dropped.
START_TEST(only_what_resembles_is_dropped) {
  static const struct {
    double wanted;
    int edits, least, most;  // copies of 60 that are dropped
  } cases[] = {{1, 1, 0, 0},     {1, 0, 60, 60},    {0.9, 4, 0, 3},
               {0.9, 1, 55, 60}, {0.75, 3, 55, 60}, {0.6, 14, 0, 3}};
  folder_make();
  rmx_domain_source s[] = {source_of("a", "a.txt"), source_of("b", "b.txt")};
  rmx_corpus_options o = small_options();
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    rmx_buf a = {0}, b = {0};
    for (uint64_t i = 0; i < 60; i++) {
      put_edited(&a, i, 0, 1);
      rmx_buf_puts(&b, "- ");  // no exact duplicate
      put_edited(&b, i, cases[k].edits, 2);
      if (i < 20) put_edited(&b, 100 + i, 0, 1);
    }
    put("a.txt", a.data, a.size);
    put("b.txt", b.data, b.size);
    rmx_buf_release(&a), rmx_buf_release(&b);
    o.near_duplicates = cases[k].wanted;
    must(make(&o, s, false, err));
    const int64_t near = index_number("exp", "b", "near_duplicates");
    ck_assert_int_ge(near, cases[k].least);
    ck_assert_int_le(near, cases[k].most);
    ck_assert_int_eq(index_number("exp", "a", "near_duplicates"), 0);
  }
  o.near_duplicates = 0.005;
  must_fail(make(&o, s, false, err), "near_duplicates is 0.005; wanted 0, or");
  source_release(&s[0]), source_release(&s[1]);
  folder_remove();
}
END_TEST

// Chinese, Japanese and Thai have no spaces between words.
START_TEST(text_without_spaces) {
  static const int firsts[] = {0x4E00, 0x3041, 0x0E01}, counts[] = {2000, 80, 40};
  folder_make();
  for (size_t script = 0; script < 3; script++) {
    rmx_buf valid = {0}, train = {0}, line = {0};
    rmx_rng rng = rmx_rng_make(7, script, RMX_FOR_TEST);
    for (int i = 0; i < 40; i++) {
      line.size = 0;
      for (int k = 0; k < 60; k++) {
        utf8proc_uint8_t bytes[4];
        const int32_t code =
            firsts[script] + (int32_t)rmx_rng_below(&rng, (uint32_t)counts[script]);
        rmx_buf_add(&line, bytes, (size_t)utf8proc_encode_char(code, bytes));
      }
      if (i < 20) rmx_buf_printf(&valid, "%s\n%%\n", line.data);
      if (i % 4 == 0)  // a part of it, in another text
        rmx_buf_printf(&train, "%d one two %.*s three\n%%\n", i, 75, line.data + 30);
      rmx_buf_printf(&train, "text number %d: four five six %d seven\n%%\n", i, i * i);
      if (i >= 20) rmx_buf_printf(&train, "%s\n%%\nsome more %s\n%%\n", line.data, line.data);
    }
    put("valid.txt", valid.data, valid.size);
    put("train.txt", train.data, train.size);
    rmx_buf_release(&valid), rmx_buf_release(&train), rmx_buf_release(&line);
    rmx_domain_source s[] = {source_of("target", "valid.txt"), source_of("b", "train.txt")};
    put_text("other.txt", "one more\n%\nand another one\n");
    s[0].valid_only = true;
    ck_assert(rmx_strings_add(&s[1].valid_files, "other.txt"));
    rmx_corpus_options o = small_options();
    o.near_duplicates = 0.8;
    must(make(&o, s, true, err));
    ck_assert_int_eq(index_number("exp", "b", "overlaps"), 5);
    ck_assert_int_ge(index_number("exp", "b", "near_duplicates"), 18);
    source_release(&s[0]), source_release(&s[1]);
  }
  folder_remove();
}
END_TEST

// ---- the parts

static int by_key(const void *x, const void *y) {
  const uint64_t *a = ((const rmx__record *)x)->key, *b = ((const rmx__record *)y)->key;
  for (int i = 0; i < 3; i++)
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  return 0;
}

START_TEST(records_are_sorted) {
  folder_make();
  const struct rmx__limits usual = rmx__limits;
  for (size_t n = 0; n < 3000; n = 3 * n + 1)
    for (size_t room = 1; room < 5000; room *= 9) {
      rmx__limits.sort_records = room;
      rmx__sorter s = {.folder = test_folder};
      rmx__record *wanted = calloc(n + 1, sizeof *wanted);
      rmx_rng rng = rmx_rng_make(n, room, RMX_FOR_TEST);
      for (size_t i = 0; i < n; i++) {
        wanted[i] = (rmx__record){{rmx_rng_below(&rng, 5), rmx_rng_below(&rng, 5), i}};
        must(rmx__sorter_add(&s, wanted[i].key[0], wanted[i].key[1], wanted[i].key[2], err));
      }
      must(rmx__sorter_finish(&s, err));
      qsort(wanted, n, sizeof *wanted, by_key);
      const rmx__record *r;
      rmx__sorted all = {.sorter = &s, .at = n / 3, .end = n};
      for (size_t i = n / 3; i <= n; i++) {
        must(rmx__sorted_next(&all, &r, err));
        ck_assert(i == n ? !r : by_key(r, &wanted[i]) == 0);
      }
      rmx__sorter_release(&s);
      free(wanted);
    }
  rmx__limits = usual;
  folder_remove();
}
END_TEST

struct numbers {
  uint64_t next, end, fails, sum, puts, stop;
};

static rmx_status take(void *context, void *item, uint64_t *bytes, bool *more, rmx_err *err) {
  struct numbers *n = context;
  (void)err;
  *(uint64_t *)item = n->next;
  *bytes = n->next % 10 == 0 ? RMX__IN_FLIGHT : 1;
  *more = n->next++ < n->end;
  return RMX_OK;
}

static rmx_status work(void *context, void *item, rmx_err *err) {
  const struct numbers *n = context;
  const uint64_t i = *(uint64_t *)item;
  if (i % 7 == 0) usleep(300);
  return n->fails && i >= n->fails && i % 2
             ? rmx_fail(err, RMX_EINPUT, "number %llu", (unsigned long long)i)
             : RMX_OK;
}

static rmx_status put_number(void *context, void *item, bool *more, rmx_err *err) {
  struct numbers *n = context;
  (void)err;
  ck_assert_uint_eq(*(uint64_t *)item, n->puts++);
  *more = n->puts != n->stop;
  return RMX_OK;
}

static void release(void *item) {
  (void)item;
}

START_TEST(items_are_put_in_order) {
  const rmx__ordered o = {sizeof(uint64_t), take, work, put_number, release};
  for (int threads = 1; threads <= 7; threads += 3) {
    struct numbers n = {.end = 300};
    must(rmx__ordered_run(&o, threads, &n, err));
    ck_assert_uint_eq(n.puts, 300);
    n = (struct numbers){.end = 300, .fails = 100};
    must_fail(rmx__ordered_run(&o, threads, &n, err), "number 101");
    ck_assert_uint_eq(n.puts, 101);
    n = (struct numbers){.end = 300, .stop = 50};
    must(rmx__ordered_run(&o, threads, &n, err));
    ck_assert_uint_eq(n.puts, 50);
    n = (struct numbers){.end = 0};
    must(rmx__ordered_run(&o, threads, &n, err));
  }
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, threads_and_memory_change_no_bit);
  tcase_add_test(tc, lines_of_ranges);
  tcase_add_test(tc, killed_and_resumed);
  tcase_add_test(tc, only_what_is_right_is_used_again);
  tcase_add_test(tc, no_room_on_the_disk);
  tcase_add_test(tc, one_file_of_many_domains);
  tcase_add_test(tc, edited_copies_are_dropped);
  tcase_add_test(tc, only_what_resembles_is_dropped);
  tcase_add_test(tc, text_without_spaces);
  tcase_add_test(tc, records_are_sorted);
  tcase_add_test(tc, items_are_put_in_order);
}
