// SPDX-License-Identifier: Apache-2.0
// The fixed mixture: shares exact to one sequence, each window of an epoch once, the same bits
// after a restart.
#include "base/json.h"
#include "corpus/permutation.h"
#include "corpus_folder.h"

// A corpus in memory: domain d has tokens d * 1000000 + i, so that a sequence tells where it comes
// from.
static rmx_corpus *a_corpus(const size_t *tokens, size_t D) {
  static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
  rmx_corpus *c = rmx_calloc(1, sizeof *c);
  c->D = c->D_train = D;
  c->domains = rmx_calloc(D, sizeof *c->domains);
  c->names = rmx_calloc(D, sizeof *c->names);
  c->hash = 0xFEDCBA9876543210u;
  for (size_t d = 0; d < D; d++) {
    uint32_t *ids = rmx_calloc(tokens[d], sizeof *ids);
    for (size_t i = 0; i < tokens[d]; i++) ids[i] = (uint32_t)(d * 1000000 + i);
    c->names[d] = names[d % 8];
    c->domains[d] = (rmx_domain){
        .name = (char *)c->names[d], .train_tokens = tokens[d], .width = 4, .train = ids};
  }
  return c;
}

static void a_corpus_free(rmx_corpus *c) {
  for (size_t d = 0; d < c->D; d++) free((void *)c->domains[d].train);
  free(c->domains);
  free(c->names);
  free(c);
}

START_TEST(an_order_is_a_permutation) {
  for (uint64_t n = 1; n < 3000; n = n < 70 ? n + 1 : n * 3 / 2) {
    for (uint32_t k = 0; k < 5; k++) {
      rmx__permutation o = rmx__permutation_make(n, (uint32_t[]){k, 7});
      bool *seen = rmx_calloc(n, 1);
      for (uint64_t i = 0; i < n; i++) {
        uint64_t x = rmx__permutation_at(&o, i);
        ck_assert_uint_lt(x, n);
        ck_assert(!seen[x]);
        seen[x] = true;
      }
      free(seen);
    }
  }
  rmx__permutation large = rmx__permutation_make((uint64_t)1 << 40, (uint32_t[]){1, 2});
  ck_assert_uint_lt(rmx__permutation_at(&large, 12345), (uint64_t)1 << 40);
}
END_TEST

// Over many keys each of the 120 orders of five is as likely: chi-square of 119 degrees of freedom.
START_TEST(orders_are_even) {
  enum { KEYS = 24000 };
  int counts[5 * 5 * 5 * 5 * 5] = {0}, distinct = 0;
  for (uint32_t k = 0; k < KEYS; k++) {
    rmx__permutation o = rmx__permutation_make(5, (uint32_t[]){k, 99});
    size_t code = 0;
    for (uint64_t i = 0; i < 5; i++) code = 5 * code + rmx__permutation_at(&o, i);
    counts[code]++;
  }
  double chi = 0, wanted = KEYS / 120.0;
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    if (!counts[i]) continue;
    distinct++;
    chi += (counts[i] - wanted) * (counts[i] - wanted) / wanted;
  }
  ck_assert_int_eq(distinct, 120);
  ck_assert_double_lt(chi, 119 + 5 * sqrt(2 * 119));
  ck_assert_double_gt(chi, 119 - 5 * sqrt(2 * 119));
}
END_TEST

START_TEST(shares_are_exact_to_one_sequence) {
  enum { D = 8, T = 4, STEPS = 3000 };
  const size_t tokens[D] = {50, 500, 70, 5000, 90, 11, 300, 40};
  rmx_corpus *c = a_corpus(tokens, D);
  rmx_rng rng = rmx_rng_make(1, 0, RMX_FOR_TEST);
  rmx_batch b;
  must(rmx_batch_make(&b, 1, T, err));
  for (int round = 0; round < 60; round++) {
    double w[D], sum = 0;
    for (size_t d = 0; d < D; d++) {
      w[d] = round % 3 == 0 ? (d ? 0.5 / (D - 1) : 0.5) : rmx_rng_gamma(&rng, 0.3);
      if (round % 3 == 1 && d % 2) w[d] = 0;
      sum += w[d];
    }
    for (size_t d = 0; d < D; d++) w[d] /= sum;
    rmx_stream *s = NULL;
    must(rmx_stream_fixed(c, w, T, 5, &s, err));
    for (int n = 1; n <= STEPS; n++) {
      rmx_err failure = {0};
      if (s->type->next(s, &b, &failure) != RMX_OK) ck_abort_msg("%s", failure.message);
      if (b.tokens[0] / 1000000 != b.domain[0]) ck_abort_msg("tokens of another domain");
      for (size_t d = 0; d < D; d++) {
        double off = n * s->mixture[d] - (double)s->sequences[d];
        if (!(fabs(off) < 1 + 1e-9))
          ck_abort_msg("after %d sequences domain %zu is %g off", n, d, off);
        if (w[d] == 0 && s->sequences[d])
          ck_abort_msg("domain %zu has no weight and gave a sequence", d);
      }
    }
    s->type->free(s);
  }
  rmx_batch_release(&b);
  a_corpus_free(c);
}
END_TEST

START_TEST(each_window_of_an_epoch_once) {
  enum { T = 16 };
  const size_t tokens[] = {T + 1, T + 2, 2 * T, 2 * T + 1, 100, 1000, 1003};
  for (size_t k = 0; k < sizeof tokens / sizeof *tokens; k++) {
    rmx_corpus *c = a_corpus(&tokens[k], 1);
    rmx_stream *s = NULL;
    rmx_batch b;
    must(rmx_batch_make(&b, 1, T, err));
    must(rmx_stream_fixed(c, &(double){1}, T, 3, &s, err));
    size_t shifts = 0;
    int32_t last_shift = -1;
    for (int epoch = 0; epoch < 12; epoch++) {
      bool seen[1003] = {false};
      int32_t shift = -1;
      size_t windows = 0;
      while (s->epochs[0] < epoch + 1) {
        must(s->type->next(s, &b, err));
        int32_t from = b.tokens[0];
        for (int t = 0; t < T; t++) {
          ck_assert_int_eq(b.tokens[t], from + t);
          ck_assert_int_eq(b.labels[t], from + t + 1);
          ck_assert(b.weights[t] == 1.0f);
        }
        ck_assert(!seen[from]);
        seen[from] = true;
        if (shift < 0) shift = from % T;
        ck_assert_int_eq(from % T, shift);
        windows++;
      }
      ck_assert_double_eq(s->epochs[0], epoch + 1);
      ck_assert_uint_eq(windows, (tokens[k] - 1 - (size_t)shift) / T);
      shifts += shift != last_shift;
      last_shift = shift;
    }
    if (tokens[k] >= 2 * T) ck_assert_uint_gt(shifts, 4);
    s->type->free(s);
    rmx_batch_release(&b);
    a_corpus_free(c);
  }
}
END_TEST

START_TEST(a_saved_stream_goes_on_with_the_same_bits) {
  enum { B = 3, T = 8, D = 3 };
  const size_t tokens[D] = {40, 333, 120};
  const double w[D] = {0.3, 0.1 + 1e-3, 0.599};
  rmx_corpus *c = a_corpus(tokens, D);
  rmx_stream *s = NULL, *again = NULL;
  rmx_batch a, b;
  must(rmx_batch_make(&a, B, T, err));
  must(rmx_batch_make(&b, B, T, err));
  must(rmx_stream_fixed(c, w, T, 11, &s, err));
  for (int round = 0; round < 40; round++) {
    for (int n = 0; n < round; n++) must(s->type->next(s, &a, err));
    json_t *state = s->type->save(s);
    char *text = json_dumps(state, JSON_REAL_PRECISION(17));  // through a file, as a checkpoint is
    json_decref(state);
    state = json_loads(text, 0, NULL);
    free(text);
    must(rmx_stream_fixed(c, (double[]){0, 0, 1}, T, 11, &again, err));
    must(again->type->load(again, state, err));
    json_decref(state);
    for (int n = 0; n < 10; n++) {
      must(s->type->next(s, &a, err));
      must(again->type->next(again, &b, err));
      ck_assert_mem_eq(a.tokens, b.tokens, sizeof(int32_t) * B * T);
      ck_assert_mem_eq(a.labels, b.labels, sizeof(int32_t) * B * T);
      ck_assert_mem_eq(a.domain, b.domain, sizeof(int32_t) * B);
      ck_assert_mem_eq(s->epochs, again->epochs, sizeof(double) * D);
      ck_assert_mem_eq(s->sequences, again->sequences, sizeof(uint64_t) * D);
      ck_assert_mem_eq(s->mixture, again->mixture, sizeof(double) * D);
    }
    again->type->free(again);
  }
  s->type->free(s);
  rmx_batch_release(&a);
  rmx_batch_release(&b);
  a_corpus_free(c);
}
END_TEST

// Seeds shuffle windows and change nothing else; the mixture does not change the order within a
// domain.
START_TEST(what_the_order_depends_on) {
  enum { T = 8, D = 2, N = 60 };
  const size_t tokens[D] = {4000, 4000};
  rmx_corpus *c = a_corpus(tokens, D);
  rmx_stream *s[3];
  rmx_batch b;
  must(rmx_batch_make(&b, 1, T, err));
  must(rmx_stream_fixed(c, (double[]){0.5, 0.5}, T, 1, &s[0], err));
  must(rmx_stream_fixed(c, (double[]){0.5, 0.5}, T, 2, &s[1], err));
  must(rmx_stream_fixed(c, (double[]){0.25, 0.75}, T, 1, &s[2], err));
  int32_t first[3][D][N], domains[3][N], n[3][D] = {{0}};
  for (int k = 0; k < 3; k++) {
    for (int i = 0; i < N; i++) {
      must(s[k]->type->next(s[k], &b, err));
      domains[k][i] = b.domain[0];
      first[k][b.domain[0]][n[k][b.domain[0]]++] = b.tokens[0];
    }
    s[k]->type->free(s[k]);
  }
  ck_assert_mem_eq(domains[0], domains[1], sizeof domains[0]);
  ck_assert_int_eq(n[2][0], N / 4);
  ck_assert_mem_eq(first[0][0], first[2][0], sizeof(int32_t) * N / 4);
  ck_assert_mem_eq(first[0][1], first[2][1], sizeof(int32_t) * N / 2);
  int same = 0, alike = 0;
  for (int i = 0; i < N / 2; i++) {
    same += first[0][0][i] == first[1][0][i];
    alike += first[0][0][i] == first[0][1][i] - 1000000;
  }
  ck_assert_int_lt(same, 5);
  ck_assert_int_lt(alike, 5);
  rmx_batch_release(&b);
  a_corpus_free(c);
}
END_TEST

START_TEST(narrow_ids) {
  uint16_t ids[40];
  for (int i = 0; i < 40; i++) ids[i] = (uint16_t)(65535 - i);
  rmx_domain d = {.name = (char *)"a", .train_tokens = 40, .width = 2, .train = ids};
  const char *name = "a";
  rmx_corpus c = {.D = 1, .D_train = 1, .domains = &d, .names = &name};
  rmx_stream *s = NULL;
  rmx_batch b;
  must(rmx_batch_make(&b, 4, 8, err));
  must(rmx_stream_fixed(&c, &(double){1}, 8, 1, &s, err));
  must(s->type->next(s, &b, err));
  for (int i = 0; i < 4 * 8; i++) {
    ck_assert_int_gt(b.tokens[i], 65000);
    ck_assert_int_eq(b.labels[i], b.tokens[i] - 1);
  }
  s->type->free(s);
  rmx_batch_release(&b);
}
END_TEST

START_TEST(errors_of_streams) {
  const size_t tokens[] = {100, 8};
  rmx_corpus *c = a_corpus(tokens, 2);
  rmx_stream *s = NULL;
  rmx_batch b;
  must_fail(rmx_stream_fixed(c, (double[]){0.5, 0.5}, 8, 1, &s, err),
            "domain \"b\" has 8 training tokens; a sequence needs 9");
  must_fail(rmx_stream_fixed(c, (double[]){0.5, 0.1}, 8, 1, &s, err), "the mixture of a stream");
  must_fail(rmx_stream_fixed(c, (double[]){NAN, 1}, 8, 1, &s, err), "the mixture of a stream");
  must_fail(rmx_stream_fixed(c, (double[]){-0.1, 1.1}, 8, 1, &s, err), "the mixture of a stream");
  must(rmx_stream_fixed(c, (double[]){1, 0}, 8, 1, &s, err));  // too short, but not drawn
  must(rmx_batch_make(&b, 2, 9, err));
  must_fail(s->type->next(s, &b, err), "a batch with 9 tokens in a sequence; the stream has 8");
  rmx_batch_release(&b);
  must(rmx_batch_make(&b, 2, 8, err));
  must(s->type->next(s, &b, err));
  s->mixture[0] = 0, s->mixture[1] = 1;  // as an `observe` could
  must_fail(s->type->next(s, &b, err), "domain \"b\" has 8 training tokens");
  // States of other streams are refused.
  json_t *state = s->type->save(s);
  rmx_stream *other = NULL;
  must(rmx_stream_fixed(c, (double[]){1, 0}, 8, 2, &other, err));
  must_fail(other->type->load(other, state, err), "a stream with seed 0000000000000001");
  other->type->free(other);
  must(rmx_stream_fixed(c, (double[]){1, 0}, 7, 1, &other, err));
  must_fail(other->type->load(other, state, err), "a stream with context 8; this one has 7");
  other->type->free(other);
  json_object_set_new(state, "position", json_pack("[i,i]", 1000, 0));
  must_fail(s->type->load(s, state, err), "domain \"a\" at window 1000");
  json_object_set_new(state, "position", json_pack("[i]", 1));
  must_fail(s->type->load(s, state, err), "\"position\" is not a list of 2 numbers");
  json_object_set_new(state, "corpus", json_string("0"));
  must_fail(s->type->load(s, state, err), "a stream with corpus 0");
  json_decref(state);
  s->type->free(s);
  rmx_batch_release(&b);
  must_fail(rmx_batch_make(&b, 0, 8, err), "a batch of 0 sequences");
  a_corpus_free(c);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, an_order_is_a_permutation);
  tcase_add_test(tc, orders_are_even);
  tcase_add_test(tc, shares_are_exact_to_one_sequence);
  tcase_add_test(tc, each_window_of_an_epoch_once);
  tcase_add_test(tc, a_saved_stream_goes_on_with_the_same_bits);
  tcase_add_test(tc, what_the_order_depends_on);
  tcase_add_test(tc, narrow_ids);
  tcase_add_test(tc, errors_of_streams);
}
