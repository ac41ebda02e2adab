// SPDX-License-Identifier: Apache-2.0
// Token files of other programs: written from a corpus, read back, and refused where they are
// broken.
#include "corpus/readers/reader.h"
#include "corpus/readers/tokens/ids_tokenizer.h"
#include "corpus_folder.h"

static struct rmx_ids_tokenizer ids;
static uint32_t end_of_text;

// A tokenizer of 300 words.
static void make_tokenizer(void) {
  const char *texts[] = {"to be or not to be, that is the question: whether it is nobler to be"};
  const size_t sizes[] = {strlen(texts[0])};
  ids = (struct rmx_ids_tokenizer){.path = "tokenizer.json", .base = "."};
  pthread_mutex_init(&ids.lock, NULL);
  must(rmx_tokenizer_train(texts, sizes, 1, 300, &ids.tokenizer, err));
  end_of_text = rmx_tokenizer_end_of_text(ids.tokenizer);
}

static void begin(void) {
  folder_make();
  make_tokenizer();
}

static void end(void) {
  rmx__ids_tokenizer_end(&ids);
  folder_remove();
}

static const char *const documents[] = {"to be", "or not to be?", "\xC3\xA9 that is", "the end"};
enum { N = sizeof documents / sizeof *documents };

// Appends the ids of document i, each of `width` bytes.
static void add_ids(rmx_buf *out, int i, size_t width, bool end) {
  rmx_tokens t = {0};
  must(rmx_tokenizer_encode(ids.tokenizer, RMX_SPECIALS_TEXT, documents[i], strlen(documents[i]),
                            &t, err));
  for (size_t k = 0; k <= t.n; k++) {
    const uint64_t id = k < t.n ? t.ids[k] : end_of_text;
    if (k < t.n || end) rmx_buf_add(out, &id, width);
  }
  rmx_tokens_release(&t);
}

static void put_buf(const char *name, rmx_buf *b) {
  put(name, b->data, b->size);
  rmx_buf_release(b);
}

static void number(rmx_buf *out, uint64_t x, size_t bytes) {
  rmx_buf_add(out, &x, bytes);
}

static rmx_status read_all(const char *name, rmx__reader *r, rmx_strings *out, rmx_err *err) {
  const rmx__reader_options o = {.text_field = "text", .separator = "%", .ids = &ids};
  RMX_TRY(rmx__reader_open(r, in_folder(name), &o, err));
  for (bool more = true;;) {
    RMX_TRY(rmx__reader_next(r, &more, err));
    if (!more) return RMX_OK;
    ck_assert(rmx_strings_add(out, r->text.data));
  }
}

static void gives_documents(const char *name) {
  rmx_strings found = {0};
  rmx__reader r;
  must(read_all(name, &r, &found, err));
  ck_assert_uint_eq(found.n, N);
  for (size_t i = 0; i < N; i++) ck_assert_str_eq(found.items[i], documents[i]);
  ck_assert_uint_eq(r.other_ids, 0);
  rmx__reader_close(&r);
  rmx_strings_release(&found);
}

static void fails(const char *name, const char *message) {
  rmx_strings found = {0};
  rmx__reader r;
  must_fail(read_all(name, &r, &found, err), message);
  rmx__reader_close(&r);
  rmx_strings_release(&found);
}

// ---- reading ---------------------------------------------------------------------------------

START_TEST(ids_alone) {
  begin();
  for (size_t width = 2; width <= 4; width += 2) {
    rmx_buf b = {0};
    for (int i = 0; i < N; i++) add_ids(&b, i, width, true);
    put_buf("a.bin", &b);
    gives_documents("a.bin");
    // the last document may have no end
    for (int i = 0; i < N; i++) add_ids(&b, i, width, i + 1 < N);
    put_buf("a.npy", &b);
    gives_documents("a.npy");
  }
  put("empty.bin", "", 0);
  fails("empty.bin", "the file is empty");
  put("odd.bin", "abc", 3);
  fails("odd.bin", "3 bytes are not a whole number of ids, which have 2 bytes each");
  put("far.bin", "\xFF\x01", 2);
  fails("far.bin", "id 511 at byte 0 is not in the vocabulary of corpus.tokenizer, which has ");
  end();
}
END_TEST

// An end of text after another one ends a document without ids.
START_TEST(documents_without_ids_are_empty) {
  begin();
  rmx_buf b = {0};
  rmx_strings found = {0};
  rmx__reader r;
  number(&b, end_of_text, 2);
  for (int i = 0; i < N; i++) {
    add_ids(&b, i, 2, true);
    number(&b, end_of_text, 2);
  }
  put_buf("a.bin", &b);
  must(read_all("a.bin", &r, &found, err));
  ck_assert_uint_eq(found.n, N);
  for (size_t i = 0; i < N && i < found.n; i++) ck_assert_str_eq(found.items[i], documents[i]);
  ck_assert_uint_eq(r.lost.empty, N + 1);
  rmx__reader_close(&r);
  rmx_strings_release(&found);
  end();
}
END_TEST

static void put_npy(const char *name, const char *type, const char *shape, size_t width) {
  rmx_buf b = {0}, head = {0};
  rmx_buf_printf(&head, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }\n", type, shape);
  rmx_buf_add(&b, "\x93NUMPY\x01\x00", 8);
  number(&b, head.size, 2);
  rmx_buf_add(&b, head.data, head.size);
  for (int i = 0; i < N; i++) add_ids(&b, i, width, true);
  put_buf(name, &b);
  rmx_buf_release(&head);
}

START_TEST(arrays_of_numpy) {
  begin();
  rmx_buf all = {0};
  char shape[32];
  for (int i = 0; i < N; i++) add_ids(&all, i, 1, true);
  snprintf(shape, sizeof shape, "%zu,", all.size);
  put_npy("a.npy", "<u2", shape, 2);
  gives_documents("a.npy");
  snprintf(shape, sizeof shape, "1, %zu", all.size);
  put_npy("b.npy", "<i8", shape, 8);
  gives_documents("b.npy");
  put_npy("c.npy", "<f4", shape, 4);
  fails("c.npy", "an array that does not hold ids");
  put_npy("d.npy", "<u4", "1000,", 4);
  fails("d.npy", "its header states 1000 ids of 4 bytes, but ");
  put("e.npy", "\x93NUMPY\x01\x00\xFF\xFF{}", 12);
  fails("e.npy", "the header of NumPy is cut off");
  rmx_buf_release(&all);
  end();
}
END_TEST

START_TEST(litdata_and_its_index) {
  begin();
  rmx_buf b = {0}, data = {0};
  number(&b, N, 4);
  for (int i = 0; i <= N; i++) {
    number(&b, 4 + 4 * (N + 1) + data.size, 4);
    if (i < N) add_ids(&data, i, 4, false);  // samples are documents if no end of text is there
  }
  rmx_buf_add(&b, data.data, data.size);
  put_buf("lit/chunk-0-0.bin", &b);
  rmx_buf_release(&data);
  const char *const index =
      "{\"chunks\": [{\"filename\": \"chunk-0-0.bin\", \"chunk_size\": %d}], \"config\": "
      "{\"data_format\": [\"%s\"]}}";
  char text[256];
  snprintf(text, sizeof text, index, N, "no_header_tensor:16");
  put_text("lit/index.json", text);
  gives_documents("lit/chunk-0-0.bin");
  snprintf(text, sizeof text, index, N + 1, "no_header_tensor:16");
  put_text("lit/index.json", text);
  fails("lit/chunk-0-0.bin", "it has 4 samples, but index.json states 5");
  snprintf(text, sizeof text, index, N, "jpeg");
  put_text("lit/index.json", text);
  fails("lit/chunk-0-0.bin", "does not hold ids (data_format is jpeg");
  end();
}
END_TEST

// A shard with a column of text, or of ids of 8 bytes, after one of a fixed size.
static void put_mds(const char *name, bool text) {
  rmx_buf b = {0}, data = {0};
  number(&b, N, 4);
  for (int i = 0; i <= N; i++) {
    number(&b, 4 + 4 * (N + 1) + data.size, 4);
    if (i == N) break;
    rmx_buf value = {0};
    if (text)
      rmx_buf_puts(&value, documents[i]);
    else
      add_ids(&value, i, 8, i % 2);  // two documents run on into the next sample
    number(&data, value.size, 4);
    number(&data, 77, 8);  // the other column
    rmx_buf_add(&data, value.data, value.size);
    rmx_buf_release(&value);
  }
  rmx_buf_add(&b, data.data, data.size);
  put_buf(name, &b);
  rmx_buf_release(&data);
}

START_TEST(mds_with_text_and_with_ids) {
  begin();
  const char *const index =
      "{\"version\": 2, \"shards\": [{\"column_encodings\": [\"int\", \"%s\"], \"column_names\": "
      "[\"id\", \"%s\"], \"column_sizes\": [8, null], \"raw_data\": {\"basename\": "
      "\"shard.00000.mds\"}, \"samples\": 4, \"version\": 2}]}";
  char text[512];
  put_mds("mds/shard.00000.mds", true);
  snprintf(text, sizeof text, index, "str", "text");
  put_text("mds/index.json", text);
  gives_documents("mds/shard.00000.mds");
  put_mds("mds/shard.00000.mds", false);
  snprintf(text, sizeof text, index, "bytes", "tokens");
  put_text("mds/index.json", text);
  rmx_strings found = {0};
  rmx__reader r;
  must(read_all("mds/shard.00000.mds", &r, &found, err));
  ck_assert_uint_eq(found.n, 2);
  ck_assert_str_eq(found.items[0], "to beor not to be?");
  rmx__reader_close(&r);
  rmx_strings_release(&found);
  snprintf(text, sizeof text, index, "jpeg", "picture");
  put_text("mds/index.json", text);
  fails("mds/shard.00000.mds", "a shard without a column \"text\" of text");
  put_text("mds/index.json", "{\"shards\": []}");
  fails("mds/shard.00000.mds", "index.json in its folder is missing, or lacks this shard");
  end();
}
END_TEST

START_TEST(another_tokenizer_is_noticed) {
  begin();
  rmx_buf b = {0};
  const char *const letters = "be";
  for (int i = 0; i < 40; i++) {  // every document as single bytes
    for (const char *c = letters; *c; c++) {
      rmx_tokens t = {0};
      must(rmx_tokenizer_encode(ids.tokenizer, RMX_SPECIALS_TEXT, c, 1, &t, err));
      number(&b, t.ids[0], 2);
      rmx_tokens_release(&t);
    }
    number(&b, end_of_text, 2);
  }
  put_buf("a.bin", &b);
  fails("a.bin", "40 of 40 documents have other ids than corpus.tokenizer gives for their text");
  ids.path = NULL;
  fails("a.bin", "a file of token ids; set corpus.tokenizer to the tokenizer that they were made");
  end();
}
END_TEST

// A document of Megatron with the end of text in its middle.
START_TEST(special_tokens_in_a_document) {
  begin();
  rmx_buf b = {0}, index = {0};
  add_ids(&b, 0, 2, true);
  add_ids(&b, 1, 2, true);
  rmx_buf_add(&index, "MMIDIDX\0\0\1\0\0\0\0\0\0\0\10", 18);
  number(&index, 1, 8);
  number(&index, 2, 8);
  number(&index, b.size / 2, 4);
  for (uint64_t i = 0; i < 3; i++) number(&index, i / 2, 8);  // a place, two documents
  put_buf("a.bin", &b);
  put_buf("a.idx", &index);
  fails("a.bin", "1 of 1 documents have other ids");
  ids.specials = RMX_SPECIALS_TOKENS;
  rmx_strings found = {0};
  rmx__reader r;
  must(read_all("a.bin", &r, &found, err));
  ck_assert_uint_eq(found.n, 1);
  ck_assert_str_eq(found.items[0], "to be<|endoftext|>or not to be?");
  rmx__reader_close(&r);
  rmx_strings_release(&found);
  end();
}
END_TEST

// ---- writing, and reading that back -----------------------------------------------------------

static rmx_corpus *corpus;

static void make_corpus(void) {
  rmx_corpus_options o = small_options();
  rmx_buf text = {0};
  for (int i = 0; i < 60; i++) rmx_buf_printf(&text, "document %d is about %d\n%%\n", i, i * i);
  put_text("d.txt", text.data);
  rmx_buf_release(&text);
  o.overlap = 0;
  rmx_domain_source s = source_of("d", in_folder("d.txt"));
  must(rmx_corpus_prepare(&(rmx_corpus_request){.options = &o,
                                                .sources = &s,
                                                .n = 1,
                                                .base = test_folder,
                                                .threads = 1,
                                                .folder = in_folder("exp")},
                          err));
  source_release(&s);
  must(rmx_corpus_open(in_folder("exp"), &corpus, err));
}

// Megatron's index, byte by byte.
static void check_index(void) {
  size_t *starts, n, size;
  char *data;
  rmx_buf wanted = {0};
  must(rmx_corpus_documents(corpus, 0, false, &starts, &n, err));
  rmx_buf_add(&wanted, "MMIDIDX\0\0\1\0\0\0\0\0\0\0\10", 18);
  number(&wanted, n, 8);
  number(&wanted, n + 1, 8);
  for (size_t i = 0; i < n; i++) number(&wanted, starts[i + 1] - starts[i], 4);
  for (size_t i = 0; i < n; i++) number(&wanted, starts[i] * 2, 8);
  for (size_t i = 0; i <= n; i++) number(&wanted, i, 8);
  must(rmx_read_file(in_folder("out/train/d.idx"), &data, &size, err));
  ck_assert_uint_eq(size, wanted.size);
  ck_assert_mem_eq(data, wanted.data, size);
  free(data);
  free(starts);
  rmx_buf_release(&wanted);
}

// The exported file gives the ids of the corpus when it is prepared again.
static void check_round_trip(const char *name) {
  rmx__reader r;
  rmx_strings found = {0};
  rmx_tokens t = {0};
  size_t at = 0;
  must(read_all(name, &r, &found, err));
  ck_assert_uint_eq(r.other_ids, 0);
  rmx__reader_close(&r);
  for (size_t i = 0; i < found.n; i++) {
    t.n = 0;
    must(rmx_tokenizer_encode(ids.tokenizer, RMX_SPECIALS_TEXT, found.items[i],
                              strlen(found.items[i]), &t, err));
    for (size_t k = 0; k < t.n; k++)
      ck_assert_uint_eq(t.ids[k], rmx_token_at(corpus->domains[0].train, 2, at++));
    ck_assert_uint_eq(end_of_text, rmx_token_at(corpus->domains[0].train, 2, at++));
  }
  ck_assert_uint_eq(at, corpus->domains[0].train_tokens);
  rmx_tokens_release(&t);
  rmx_strings_release(&found);
}

static int width;

static rmx_status export_as(const char *format, const char *folder, rmx_err *err) {
  const rmx_token_export how = {.format = format, .folder = in_folder(folder)};
  return rmx_corpus_export(corpus, &how, &width, err);
}

START_TEST(a_corpus_goes_out_and_comes_back) {
  folder_make();
  make_corpus();
  ids = (struct rmx_ids_tokenizer){.path = "exp/tokenizer.json", .base = test_folder};
  pthread_mutex_init(&ids.lock, NULL);
  const rmx_tokenizer *t;
  must(rmx__ids_tokenizer_get(&ids, "", &t, err));
  end_of_text = corpus->end_of_text;
  must(export_as("megatron", "out", err));
  ck_assert_int_eq(width, 2);
  check_index();
  check_round_trip("out/train/d.bin");
  must(export_as("nanogpt", "flat", err));
  check_round_trip("flat/train/d.bin");
  ck_assert(rmx_exists(in_folder("flat/valid/d.bin")) &&
            !rmx_exists(in_folder("flat/train/d.idx")));
  must(export_as("olmo", "out", err));
  check_round_trip("out/train/d.npy");
  must(export_as("npy", "out", err));
  check_round_trip("out/train/d.npy");
  must_fail(export_as("megatrom", "out", err), "megatron");
  rmx_corpus_free(corpus);
  end();
}
END_TEST

static void spoil(const char *from, size_t at, char with, size_t cut, const char *message) {
  char *data;
  size_t size;
  must(rmx_read_file(in_folder(from), &data, &size, err));
  char *copy = rmx_calloc(size, 1);
  memcpy(copy, data, size);
  if (at) copy[at] = with;
  put(from, copy, size - cut);
  fails("out/train/d.bin", message);
  put(from, data, size);
  free(copy);
  free(data);
}

START_TEST(an_index_that_disagrees) {
  folder_make();
  make_corpus();
  ids = (struct rmx_ids_tokenizer){.path = "exp/tokenizer.json", .base = test_folder};
  pthread_mutex_init(&ids.lock, NULL);
  must(export_as("megatron", "out", err));
  spoil("out/train/d.bin", 0, 0, 2, "d.idx disagrees with ");
  spoil("out/train/d.bin", 0, 0, 2, "the index has more than ");
  spoil("out/train/d.idx", 0, 0, 8, "it is cut off");
  spoil("out/train/d.idx", 1, 'X', 0, "it is not an index of Megatron-LM");
  spoil("out/train/d.idx", 17, 7, 0, "its type cannot hold ids");
  spoil("out/train/d.idx", 17, 4, 0, "a sequence has another place");
  spoil("out/train/d.idx", 34, 1, 0, "a sequence has another place");
  spoil("out/train/d.idx", 25, 1, 0, "it is cut off");
  rmx_corpus_free(corpus);
  end();
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, ids_alone);
  tcase_add_test(tc, documents_without_ids_are_empty);
  tcase_add_test(tc, arrays_of_numpy);
  tcase_add_test(tc, litdata_and_its_index);
  tcase_add_test(tc, mds_with_text_and_with_ids);
  tcase_add_test(tc, another_tokenizer_is_noticed);
  tcase_add_test(tc, special_tokens_in_a_document);
  tcase_add_test(tc, a_corpus_goes_out_and_comes_back);
  tcase_add_test(tc, an_index_that_disagrees);
}
