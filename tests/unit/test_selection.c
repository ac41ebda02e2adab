// SPDX-License-Identifier: Apache-2.0
// Methods that look at documents: a part of a corpus as a corpus, perplexity selection, MixMin; on
// text of which is known what they must find.
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/json.h"
#include "baselines/comparison.h"
#include "baselines/mixmin.h"
#include "baselines/passages.h"
#include "corpus_folder.h"
#include "small_comparison.h"

// Two domains of plain text in words of their own, of the letters a to m; in "web" one document of
// six is garbage: random letters n to z. "exam" is text like "book", for validation alone.
static void write_domain(const char *file, const char *const *words, int n_words, int documents,
                         bool garbage, uint64_t seed) {
  rmx_rng rng = rmx_rng_make(seed, 0, RMX_FOR_TEST);
  rmx_buf text = {0};
  for (int i = 0; i < documents; i++) {
    const int words_n = 25 + (int)rmx_rng_below(&rng, 20);
    int at = (int)rmx_rng_below(&rng, (uint64_t)n_words);
    for (int w = 0; w < words_n; w++) {
      if (garbage && i % 6 == 5)
        for (int k = 0; k < 4; k++) rmx_buf_printf(&text, "%c", 'n' + (int)rmx_rng_below(&rng, 13));
      else
        rmx_buf_puts(&text, words[at = (at + 1 + (int)rmx_rng_below(&rng, 2)) % n_words]);
      rmx_buf_puts(&text, w % 8 == 7 ? "\n" : " ");
    }
    rmx_buf_puts(&text, "\n%\n");
  }
  put(file, text.data, text.size);
  rmx_buf_release(&text);
}

static const char *const book[] = {"abide", "called", "deed", "fable", "glide", "hedge", "image"};
static const char *const web[] = {"click", "label", "beach", "media",
                                  "dice",  "cable", "jail",  "kid"};

static rmx_corpus *corpus;
static char experiment[128], folder[128];

static void prepare(void) {
  folder_make();
  write_domain("text/book.txt", book, 7, 120, false, 1);
  write_domain("text/web.txt", web, 8, 120, true, 2);
  write_domain("text/exam.txt", book, 7, 20, false, 3);
  rmx_domain_source sources[] = {source_of("book", "text/book.txt"),
                                 source_of("web", "text/web.txt"),
                                 source_of("exam", "text/exam.txt")};
  sources[2].valid_only = true;
  rmx_corpus_options options = small_options();
  options.overlap = 0;
  snprintf(experiment, sizeof experiment, "%s", in_folder("experiment"));
  snprintf(folder, sizeof folder, "%s", in_folder("experiment/compare"));
  must(rmx_mkdirs(folder, err));
  const rmx_corpus_request request = {.options = &options,
                                      .sources = sources,
                                      .n = 3,
                                      .base = test_folder,
                                      .folder = experiment,
                                      .threads = 1};
  must(rmx_corpus_prepare(&request, err));
  must(rmx_corpus_open(experiment, &corpus, err));
  for (int i = 0; i < 3; i++) source_release(&sources[i]);
}

static void clear(void) {
  rmx_corpus_free(corpus);
  folder_remove();
}

// Tokens, and tokens of garbage documents, of a domain's training text.
static void count(const rmx_corpus *c, size_t d, double *all, double *garbage) {
  rmx_tokenizer *t;
  must(rmx_tokenizer_read(in_folder("experiment/tokenizer.json"), &t, err));
  size_t *starts, n;
  must(rmx_corpus_documents(c, d, false, &starts, &n, err));
  *all = *garbage = 0;
  for (size_t i = 0; i < n; i++) {
    rmx_buf text = {0};
    uint32_t ids[2000];
    const size_t L = starts[i + 1] - starts[i];
    for (size_t k = 0; k < L; k++)
      ids[k] = rmx_token_at(c->domains[d].train, c->domains[d].width, starts[i] + k);
    ck_assert(ids[L - 1] == c->end_of_text);
    must(rmx_tokenizer_decode(t, ids, L - 1, &text, err));
    *all += (double)L;
    if (strpbrk(text.data, "nopqrstuvwxyz")) *garbage += (double)L;
    rmx_buf_release(&text);
  }
  free(starts);
  rmx_tokenizer_free(t);
}

START_TEST(a_part_of_a_corpus_is_a_corpus) {
  prepare();
  size_t n[2], *starts[2];
  bool keep[2][200] = {{0}};
  for (size_t d = 0; d < 2; d++)
    must(rmx_corpus_documents(corpus, d, false, &starts[d], &n[d], err));
  ck_assert(n[0] == corpus->domains[0].train_documents &&
            n[1] == corpus->domains[1].train_documents);
  keep[0][3] = keep[0][7] = true;
  const bool *rows[] = {keep[0], keep[1]};
  const char *some = in_folder("some");
  must(rmx_corpus_subset(corpus, experiment, rows, some, err));
  rmx_corpus *part;
  must(rmx_corpus_open(some, &part, err));
  const size_t a = starts[0][4] - starts[0][3], b = starts[0][8] - starts[0][7];
  ck_assert(part->domains[0].train_tokens == a + b && part->domains[1].train_tokens == 0 &&
            part->domains[0].train_documents == 2);
  for (size_t i = 0; i < a; i++)
    ck_assert(rmx_token_at(part->domains[0].train, 2, i) ==
              rmx_token_at(corpus->domains[0].train, 2, starts[0][3] + i));
  for (size_t i = 0; i < b; i++)
    ck_assert(rmx_token_at(part->domains[0].train, 2, a + i) ==
              rmx_token_at(corpus->domains[0].train, 2, starts[0][7] + i));
  ck_assert(part->prior[0] == 1 && part->prior[1] == 0 && part->hash != corpus->hash);
  ck_assert(part->D == 3 && part->domains[2].valid_tokens == corpus->domains[2].valid_tokens);
  rmx_corpus_free(part);
  // Another part in the same folder takes its place.
  keep[1][0] = true;
  must(rmx_corpus_subset(corpus, experiment, rows, some, err));
  must(rmx_corpus_open(some, &part, err));
  ck_assert(part->domains[1].train_tokens == starts[1][1]);
  rmx_corpus_free(part);
  free(starts[0]), free(starts[1]);
  clear();
}
END_TEST

// The documents of domain d that are chosen for a number of tokens.
static bool *choice(size_t d, double wanted, size_t least, size_t *tokens) {
  bool *keep;
  must(rmx_corpus_choose(corpus, d, wanted, least, &keep, tokens, err));
  return keep;
}

START_TEST(a_larger_choice_contains_the_smaller_ones) {
  prepare();
  size_t n, *starts, before = 0, tokens, longest = 0;
  must(rmx_corpus_documents(corpus, 0, false, &starts, &n, err));
  for (size_t i = 0; i < n; i++)
    if (starts[i + 1] - starts[i] > longest) longest = starts[i + 1] - starts[i];
  const double all = (double)corpus->domains[0].train_tokens;
  bool *smaller = NULL;
  for (int k = 1; k <= 10; k++) {
    bool *keep = choice(0, all * k / 10, 1, &tokens);
    ck_assert_double_le(fabs((double)tokens - all * k / 10), (double)longest / 2 + 1);
    ck_assert(tokens > before);
    for (size_t i = 0; smaller && i < n; i++) ck_assert(!smaller[i] || keep[i]);
    free(smaller);
    smaller = keep;
    before = tokens;
  }
  ck_assert(tokens == corpus->domains[0].train_tokens);
  free(smaller);
  // At least a sequence, even if a millionth of the domain is wanted; all of it, if it is short.
  free(choice(0, 1e-6 * all, 100, &tokens));
  ck_assert(tokens >= 100 && tokens < 100 + longest);
  free(choice(0, 1e-6 * all, (size_t)all + 1, &tokens));
  ck_assert(tokens == corpus->domains[0].train_tokens);
  free(starts);
  clear();
}
END_TEST

// The budget for two references of so many steps each, scoring and validation.
static void afford_references(small_comparison *s, double steps) {
  double valid = 0;
  for (size_t d = 0; d < corpus->D; d++) valid += (double)rmx_evaluate_tokens(corpus, d, 0);
  const double pool = (double)(corpus->domains[0].train_tokens + corpus->domains[1].train_tokens);
  s->c.budget = small_flop(s) * (2 * (steps * 256 + valid / 3) + pool / 3) * 1.0001;
}

static void band(small_comparison *s, const char *name, double keep, bool by_domain) {
  free(s->options.ppl.band);
  s->options.ppl.band = rmx_strdup(name);
  s->options.ppl.keep = keep;
  s->options.ppl.by_domain = by_domain;
}

START_TEST(perplexity_drops_planted_garbage) {
  prepare();
  small_comparison s;
  small_comparison_make(&s, folder, experiment, corpus);
  afford_references(&s, 60);
  double all[2], garbage[2];
  for (size_t d = 0; d < 2; d++) count(corpus, d, &all[d], &garbage[d]);
  const double total = all[0] + all[1], planted = garbage[1] / total;
  ck_assert(garbage[0] == 0 && planted > 0.1 && planted < 0.35);
  const struct {
    const char *band;
    double keep;
    bool by_domain;
    bool clean;
  } cases[] = {{"low", 0.5, false, true},
               {"middle", 0.3, false, true},
               {"high", planted, false, false},
               {"low", 0.5, true, true}};
  double lowest[4], highest[4];  // scores kept
  for (size_t i = 0; i < 4; i++) {
    rmx_baseline_result f;
    rmx_corpus *part;
    band(&s, cases[i].band, cases[i].keep, cases[i].by_domain);
    find(&s, "ppl", &f);
    must(rmx_corpus_open(f.experiment, &part, err));
    double kept[2], bad[2];
    for (size_t d = 0; d < 2; d++) count(part, d, &kept[d], &bad[d]);
    if (cases[i].clean)
      ck_assert_msg(bad[1] == 0, "%s: %g tokens of garbage kept", cases[i].band, bad[1]);
    else
      ck_assert_msg(bad[1] > 0.95 * (kept[0] + kept[1]), "%s: %g of %g tokens are garbage",
                    cases[i].band, bad[1], kept[0] + kept[1]);
    // To within half a document at each end of the band.
    ck_assert_double_eq_tol((kept[0] + kept[1]) / total, cases[i].keep, 400 / total);
    ck_assert_double_eq_tol(note(&f, "kept_share"), (kept[0] + kept[1]) / total, 1e-12);
    ck_assert_double_eq_tol(f.mixture[0], kept[0] / (kept[0] + kept[1]), 1e-12);
    if (cases[i].by_domain)
      ck_assert_double_eq_tol(f.mixture[0], corpus->prior[0], 0.01);
    else if (cases[i].clean)
      ck_assert_double_gt(fabs(f.mixture[0] - corpus->prior[0]), 0.03);
    const json_t *nats = json_object_get(f.notes, "kept_nats");
    lowest[i] = json_number_value(json_array_get(nats, 0)),
    highest[i] = json_number_value(json_array_get(nats, 1));
    ck_assert_int_eq(s.trained, 2);                   // references once, for all bands
    ck_assert_double_le(f.flops, s.c.budget * 1.02);  // windows are filled up
    ck_assert_double_ge(f.flops, s.c.budget * 0.98);
    rmx_corpus_free(part);
    rmx_baseline_result_release(&f);
  }
  ck_assert(lowest[0] < lowest[1] && lowest[1] < highest[0] && highest[0] < highest[1] &&
            highest[1] < lowest[2]);
  small_comparison_release(&s);
  clear();
}
END_TEST

// Mean nats per token of the documents of a part, each by itself, window by window.
static double mean_nats(const char *run, const rmx_corpus *part) {
  const rmx_kernels *k;
  rmx_model *m;
  must(rmx_kernels_get(NULL, &k, err));
  must(rmx__model_of_run(run, 1, 32, k, &m, err));
  double sum = 0, tokens = 0;
  for (size_t d = 0; d < part->D_train; d++) {
    size_t *starts, n;
    must(rmx_corpus_documents(part, d, false, &starts, &n, err));
    for (size_t i = 0; i < n; i++)
      for (size_t at = starts[i]; at < starts[i + 1]; at += 32) {
        int32_t in[32], out[32];
        float losses[32];
        const size_t T = starts[i + 1] - at < 32 ? starts[i + 1] - at : 32;
        for (size_t j = 0; j < T; j++) {
          const void *ids = part->domains[d].train;
          out[j] = (int32_t)rmx_token_at(ids, 2, at + j);
          in[j] =
              (int32_t)(at + j == starts[i] ? part->end_of_text : rmx_token_at(ids, 2, at + j - 1));
        }
        rmx_model_losses(m, in, out, 1, (int)T, losses);
        for (size_t j = 0; j < T; j++) sum += (double)losses[j];
        tokens += (double)T;
      }
    free(starts);
  }
  rmx_model_free(m);
  return sum / tokens;
}

// Another process that writes a half, until somebody waits for it.
static atomic_int waited;
static void note_wait(void *context, const char *message) {
  (void)context;
  waited += strstr(message, "another process is writing") != NULL;
}
static void *write_for_a_while(void *lock) {
  for (int i = 0; i < 3000 && !waited; i++) usleep(1000);
  rmx_folder_unlock(lock);
  return NULL;
}

START_TEST(halves_score_each_other_and_scores_are_kept) {
  prepare();
  small_comparison s;
  small_comparison_make(&s, folder, experiment, corpus);
  afford_references(&s, 40);
  rmx_baseline_result f, again;
  band(&s, "middle", 0.5, false);
  find(&s, "ppl", &f);
  char pattern[200];
  rmx_strings found = {0};
  snprintf(pattern, sizeof pattern, "%s/ppl-*/half-*", folder);
  must(rmx_glob(pattern, &found, err));
  ck_assert_uint_eq(found.n, 2);
  rmx_corpus *half[2];
  double tokens = 0;
  for (size_t h = 0; h < 2; h++) {
    must(rmx_corpus_open(found.items[h], &half[h], err));
    for (size_t d = 0; d < 2; d++) {
      tokens += (double)half[h]->domains[d].train_tokens;
      ck_assert_double_eq_tol(
          (double)half[h]->domains[d].train_tokens / (double)corpus->domains[d].train_tokens, 0.5,
          0.03);
    }
  }
  ck_assert(tokens == (double)(corpus->domains[0].train_tokens + corpus->domains[1].train_tokens));
  const json_t *means = json_object_get(f.notes, "mean_nats_of_halves");
  for (size_t h = 0; h < 2; h++) {
    char other[200], own[200];
    snprintf(other, sizeof other, "%s/ppl-reference-%zu", folder, 2 - h);
    snprintf(own, sizeof own, "%s/ppl-reference-%zu", folder, h + 1);
    const double said = json_number_value(json_array_get(means, h));
    ck_assert_double_eq_tol(said, mean_nats(other, half[h]), 1e-5);
    ck_assert_double_gt(fabs(said - mean_nats(own, half[h])), 1e-3);
    rmx_corpus_free(half[h]);
  }
  // Once more: nothing is trained, nothing scored, all counted. A file of scores that is damaged is
  // made anew.
  const rmx_listener listener = {.note = note_wait};
  rmx_lock lock;
  pthread_t writer;
  must(rmx_folder_lock(found.items[0], NULL, NULL, &lock, err));
  ck_assert_int_eq(pthread_create(&writer, NULL, write_for_a_while, &lock), 0);
  s.c.listener = &listener;
  find(&s, "ppl", &again);
  pthread_join(writer, NULL);
  ck_assert_int_eq(waited, 1);
  ck_assert(s.trained == 2 && again.flops == f.flops);
  ck_assert(json_equal(json_object_get(f.notes, "kept_share_of"),
                       json_object_get(again.notes, "kept_share_of")));
  rmx_baseline_result_release(&again);
  rmx_strings nats = {0};
  snprintf(pattern, sizeof pattern, "%s/ppl-reference-1/nats-*.bin", folder);
  must(rmx_glob(pattern, &nats, err));
  ck_assert_uint_eq(nats.n, 2);  // of each domain
  char *data;
  size_t size;
  must(rmx_read_file(nats.items[0], &data, &size, err));
  memset(data + size - 64, 0, 64);
  must(rmx_write_file(nats.items[0], data, size, err));
  find(&s, "ppl", &again);
  ck_assert(json_equal(json_object_get(f.notes, "kept_share_of"),
                       json_object_get(again.notes, "kept_share_of")));
  ck_assert(again.flops == f.flops);
  free(data);
  rmx_strings_release(&found);
  rmx_strings_release(&nats);
  rmx_baseline_result_release(&f), rmx_baseline_result_release(&again);
  small_comparison_release(&s);
  clear();
}
END_TEST

START_TEST(the_whole_band_is_plain_training_bit_for_bit) {
  prepare();
  small_comparison s;
  small_comparison_make(&s, folder, experiment, corpus);
  afford_references(&s, 10);
  const char *const bands[] = {"low", "middle", "high"};
  for (int i = 0; i < 3; i++) {
    rmx_baseline_result f;
    rmx_corpus *part;
    band(&s, bands[i], 1, i == 1);
    find(&s, "ppl", &f);
    must(rmx_corpus_open(f.experiment, &part, err));
    ck_assert(part->hash == corpus->hash && note(&f, "kept_share") == 1);
    ck_assert(memcmp(f.mixture, corpus->prior, 2 * sizeof *f.mixture) == 0);
    if (i == 0) {
      rmx_run runs[2];
      json_t *results[2];
      rmx_baseline_result spent = {0};
      must(rmx_run_make(&(rmx_run_request){.name = "plain",
                                           .folder = in_folder("plain"),
                                           .experiment = experiment,
                                           .corpus = corpus,
                                           .mixture = corpus->prior,
                                           .training = &s.large,
                                           .seed = 1,
                                           .keep_model = true},
                        &runs[0], err));
      must(rmx_run_make(&(rmx_run_request){.name = "selected",
                                           .folder = in_folder("selected"),
                                           .experiment = f.experiment,
                                           .corpus = part,
                                           .mixture = f.mixture,
                                           .training = &s.large,
                                           .seed = 1,
                                           .keep_model = true},
                        &runs[1], err));
      must(rmx__comparison_train(&s.c, runs, 2, "both", results, &spent, err));
      ck_assert(json_equal(json_object_get(results[0], "loss_nats"),
                           json_object_get(results[1], "loss_nats")));
      ck_assert(json_equal(json_object_get(results[0], "fingerprint"),
                           json_object_get(results[1], "fingerprint")));
      char *models[2];
      size_t sizes[2];
      must(rmx_read_file(in_folder("plain/model.safetensors"), &models[0], &sizes[0], err));
      must(rmx_read_file(in_folder("selected/model.safetensors"), &models[1], &sizes[1], err));
      ck_assert(sizes[0] == sizes[1] && memcmp(models[0], models[1], sizes[0]) == 0);
      for (int r = 0; r < 2; r++)
        json_decref(results[r]), rmx_run_release(&runs[r]), free(models[r]);
    }
    rmx_corpus_free(part);
    rmx_baseline_result_release(&f);
  }
  small_comparison_release(&s);
  clear();
}
END_TEST

START_TEST(what_is_lacking_is_said_before_training) {
  prepare();
  small_comparison s;
  small_comparison_make(&s, folder, experiment, corpus);
  s.c.budget = small_flop(&s) * 10;
  must_fail(method("ppl")->check(&s.c, err), "raise --budget");
  must_fail(method("mixmin")->check(&s.c, err), "raise --budget");
  must_fail(method("law")->check(&s.c, err), "raise --budget");
  must_fail(method("merge")->check(&s.c, err), "raise merge.score or --budget");
  must_fail(method("climb")->check(&s.c, err), "raise --budget");
  s.c.budget = 1e15;
  band(&s, "low", 1e-4, false);
  must_fail(method("ppl")->check(&s.c, err), "raise ppl.keep");
  band(&s, "low", 0.005, true);  // enough of both, not of each
  must_fail(method("ppl")->check(&s.c, err), "or set ppl.by_domain to false");
  band(&s, "low", 0.5, false);
  s.proxy.command = rmx_strdup("true");
  must_fail(method("ppl")->check(&s.c, err), "own trainer");
  must_fail(method("mixmin")->check(&s.c, err), "own trainer");
  must_fail(method("law")->check(&s.c, err), "own trainer");
  must_fail(method("merge")->check(&s.c, err), "set proxy.trainer to regmix");
  free(s.proxy.command);
  s.proxy.command = NULL;
  rmx_corpus one = *corpus;
  one.D_train = 1;
  s.c.corpus = &one;
  must_fail(method("mixmin")->check(&s.c, err), "one domain");
  must_fail(method("law")->check(&s.c, err), "one domain");
  must_fail(method("merge")->check(&s.c, err), "the only domain");
  must_fail(method("climb")->check(&s.c, err), "one domain");
  s.c.corpus = corpus;
  s.target[1] = -1;
  must_fail(method("mixmin")->check(&s.c, err), "asks for a higher loss");
  s.target[0] = s.target[1] = s.target[2] = 0;
  must_fail(method("mixmin")->check(&s.c, err), "no target");
  must_fail(method("merge")->check(&s.c, err), "no target");
  s.target[2] = 1;
  s.options.law.mixtures = 3;
  must_fail(method("law")->check(&s.c, err), "law.mixtures=4");
  s.options.law.mixtures = 4, s.options.law.sizes = 8;
  must_fail(method("law")->check(&s.c, err), "cannot be made smaller");
  s.options.climb.pool = 10;
  must_fail(method("climb")->check(&s.c, err), "raise climb.pool");
  ck_assert_int_eq(s.trained, 0);
  small_comparison_release(&s);
  clear();
}
END_TEST

// ---- MixMin

// All documents of two tokens from three distributions over five symbols, each as often as the
// mixture says: the likeliest mixture of the three is that mixture.
START_TEST(em_gives_back_a_known_mixture) {
  const double p[3][5] = {{.5, .2, .1, .1, .1}, {.1, .1, .6, .1, .1}, {.05, .05, .1, .3, .5}},
               truth[3] = {.6, .3, .1};
  double logp[25 * 3], v[25], lambda[3], certificate;
  int64_t iterations;
  for (int i = 0; i < 25; i++) {
    v[i] = 0;
    for (int k = 0; k < 3; k++) {
      logp[i * 3 + k] = log(p[k][i / 5]) + log(p[k][i % 5]);
      v[i] += truth[k] * exp(logp[i * 3 + k]);
    }
  }
  must(rmx__mixmin_em(logp, v, 25, 3, 1e-10, lambda, &certificate, &iterations, err));
  for (int k = 0; k < 3; k++) ck_assert_double_eq_tol(lambda[k], truth[k], 1e-5);
  ck_assert(certificate < 1e-10 && iterations > 3 && iterations < 100000);
  // A scale of the weights, and a factor of a document's probabilities, mean nothing: nor do
  // probabilities no double holds.
  double again[3];
  for (int i = 0; i < 25; i++) {
    v[i] *= 17;
    for (int k = 0; k < 3; k++) logp[i * 3 + k] -= 5000 + i;
  }
  must(rmx__mixmin_em(logp, v, 25, 3, 1e-10, again, &certificate, &iterations, err));
  for (int k = 0; k < 3; k++) ck_assert_double_eq_tol(again[k], lambda[k], 1e-9);
  // One best everywhere: all of it.
  for (int i = 0; i < 25; i++)
    logp[i * 3 + 1] = logp[i * 3] + 0.7, logp[i * 3 + 2] = logp[i * 3] - 0.3;
  must(rmx__mixmin_em(logp, v, 25, 3, 1e-6, lambda, &certificate, &iterations, err));
  ck_assert_double_gt(lambda[1], 1 - 1e-5);
  ck_assert(certificate < 1e-6);
}
END_TEST

static double mean_of_inverse_lengths(size_t d) {
  size_t *starts, n;
  double sum = 0;
  must(rmx_corpus_documents(corpus, d, true, &starts, &n, err));
  for (size_t i = 0; i < n; i++) sum += 1 / (double)(starts[i + 1] - starts[i]) / (double)n;
  free(starts);
  return sum;
}

START_TEST(mixmin_finds_what_the_target_is_made_of) {
  prepare();
  small_comparison s;
  small_comparison_make(&s, folder, experiment, corpus);
  s.c.budget = small_flop(&s) * 2 * 256 * 70;
  rmx_baseline_result f;
  s.target[0] = s.target[1] = 0, s.target[2] = 1;
  find(&s, "mixmin", &f);
  ck_assert_double_gt(f.mixture[0], 0.999);  // the exam is of books
  ck_assert(f.converged == RMX_CONVERGED && note(&f, "certificate") < 1e-6);
  ck_assert_int_eq(s.trained, 2);
  ck_assert_double_le(f.flops, s.c.budget * 1.02);
  ck_assert_double_ge(f.flops, s.c.budget * 0.9);
  rmx_baseline_result_release(&f);
  // A target of both, whose documents are long enough to be plainly of one: shares are the weights,
  // by 1 / L.
  s.target[0] = 0.7, s.target[1] = 0.3, s.target[2] = 0;
  find(&s, "mixmin", &f);
  const double a = 0.7 * mean_of_inverse_lengths(0), b = 0.3 * mean_of_inverse_lengths(1);
  ck_assert_double_eq_tol(f.mixture[0], a / (a + b), 0.03);
  const double documents = note(&f, "documents");
  rmx_baseline_result_release(&f);
  s.options.mixmin.window = 16;
  find(&s, "mixmin", &f);
  ck_assert_double_gt(note(&f, "documents"), 3 * documents);
  ck_assert_double_le(note(&f, "document_tokens"), 16);
  ck_assert_double_eq_tol(f.mixture[0], 0.7, 0.1);  // of windows all alike
  rmx_baseline_result_release(&f);
  small_comparison_release(&s);
  clear();
}
END_TEST

// The weights of the run `name` of the comparison; free them.
static float *weights_of(const small_comparison *s, const char *name, size_t *n) {
  char path[256];
  rmx_model *m;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  must(rmx__model_of_run(path, 1, (int)s->proxy.context, s->c.kernels, &m, err));
  *n = rmx_model_parameters(rmx_model_config_of(m));
  float *w = malloc(*n * sizeof *w);
  memcpy(w, rmx_model_weights(m), *n * sizeof *w);
  rmx_model_free(m);
  return w;
}

static double distance(const float *a, const float *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)(a[i] - b[i]) * (double)(a[i] - b[i]);
  return sqrt(sum);
}

START_TEST(merging_finds_what_the_target_is_made_of) {
  prepare();
  small_comparison s;
  small_comparison_make(&s, folder, experiment, corpus);
  s.c.budget = small_flop(&s) * 4 * 256 * 100;
  s.options.merge.mixtures = 64;
  rmx_baseline_result f, again;
  s.target[0] = s.target[1] = 0, s.target[2] = 1;
  must(method("merge")->check(&s.c, err));
  find(&s, "merge", &f);
  ck_assert_int_eq(s.trained, 3);          // the start and two branches
  ck_assert_double_gt(f.mixture[0], 0.8);  // the exam is of books
  ck_assert_double_lt(note(&f, "score"), note(&f, "score_of_prior") - 0.01);
  ck_assert_double_le(f.flops, s.c.budget * 1.02);
  ck_assert_double_ge(f.flops, s.c.budget * 0.8);
  find(&s, "merge", &again);  // nothing is trained again
  ck_assert_int_eq(s.trained, 3);
  ck_assert_mem_eq(f.mixture, again.mixture, 2 * sizeof(double));
  rmx_baseline_result_release(&again);
  // A cap binds, and costs.
  s.cap[0] = 0.3;
  find(&s, "merge", &again);
  ck_assert_double_le(again.mixture[0], 0.3 + 1e-9);
  ck_assert_double_gt(note(&again, "score"), note(&f, "score"));
  rmx_baseline_result_release(&again);
  rmx_baseline_result_release(&f);
  small_comparison_release(&s);
  clear();
}
END_TEST

START_TEST(branches_begin_where_the_start_ended) {
  prepare();
  small_comparison s;
  small_comparison_make(&s, folder, experiment, corpus);
  s.c.budget = small_flop(&s) * 4 * 256 * 100;
  s.options.merge.mixtures = 16;
  s.target[0] = s.target[1] = 0, s.target[2] = 1;
  size_t n;
  rmx_baseline_result f;
  s.options.merge.lr = 1e-6;  // the branches hardly move
  find(&s, "merge", &f);
  float *still_a = weights_of(&s, "merge-001", &n), *still_b = weights_of(&s, "merge-002", &n);
  ck_assert_double_lt(distance(still_a, still_b, n), 1e-3);
  ck_assert_double_eq_tol(note(&f, "score"), note(&f, "score_of_prior"), 1e-4);
  rmx_baseline_result_release(&f);
  s.options.merge.lr = 1;
  find(&s, "merge", &f);
  float *a = weights_of(&s, "merge-001", &n), *b = weights_of(&s, "merge-002", &n);
  ck_assert_double_gt(distance(a, b, n), 0.1);
  ck_assert_double_lt(distance(a, still_a, n), distance(a, b, n));  // they share their start
  rmx_baseline_result_release(&f);
  free(still_a), free(still_b), free(a), free(b);
  small_comparison_release(&s);
  clear();
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, a_part_of_a_corpus_is_a_corpus);
  tcase_add_test(tc, a_larger_choice_contains_the_smaller_ones);
  tcase_add_test(tc, perplexity_drops_planted_garbage);
  tcase_add_test(tc, halves_score_each_other_and_scores_are_kept);
  tcase_add_test(tc, the_whole_band_is_plain_training_bit_for_bit);
  tcase_add_test(tc, what_is_lacking_is_said_before_training);
  tcase_add_test(tc, em_gives_back_a_known_mixture);
  tcase_add_test(tc, mixmin_finds_what_the_target_is_made_of);
  tcase_add_test(tc, merging_finds_what_the_target_is_made_of);
  tcase_add_test(tc, branches_begin_where_the_start_ended);
}
