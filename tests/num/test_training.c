// SPDX-License-Identifier: Apache-2.0
/* The model as a whole: what it computes does not depend on how it is computed, and it learns. */
#include "../testing.h"

#include <malloc.h>
#include <regmix/model.h>

#include "kernels/kernels.h"

static const rmx_model_config small = {.layers = 2,
                                       .heads = 2,
                                       .width = 32,
                                       .ffn = 48,
                                       .vocab = 50,
                                       .context = 64,
                                       .rope_base = 10000,
                                       .norm_eps = 1e-5};
static const rmx_adamw adamw = {0.9, 0.95, 1e-8, 0.1, 1.0};
enum { T = 64 };

static rmx_model *model_of(const char *isa, int B, uint64_t seed) {
  const rmx_kernels *k = NULL;
  rmx_model *m = NULL;
  must(rmx_kernels_get(isa, &k, err));
  must(rmx_model_new(&small, B, T, true, k, seed, &m, err));
  return m;
}

/* Sequences with something to learn: the next token is 3 t + 1 with now and then a random one. */
static void batch(int32_t *tokens, int32_t *labels, int B, uint64_t seed) {
  rmx_rng rng = rmx_rng_make(seed, 0, RMX_FOR_TEST);
  int32_t now = 1;
  for (int i = 0; i < B * T; i++) {
    tokens[i] = now;
    now = rmx_rng_below(&rng, 8) ? (now * 3 + 1) % (int32_t)small.vocab
                                 : (int32_t)rmx_rng_below(&rng, (uint64_t)small.vocab);
    labels[i] = now;
  }
}

static double distance(const float *x, const float *y, size_t n) {
  double d = 0, s = 0;
  for (size_t i = 0; i < n; i++) d += pow((double)x[i] - y[i], 2), s += pow(y[i], 2);
  return sqrt(d / s);
}

enum { MANY = 40 }; /* sequences: more than a slice */

START_TEST(no_weights_are_all_ones) {
  static int32_t tokens[MANY * T], labels[MANY * T];
  static float ones[MANY * T], losses[2][MANY * T];
  const size_t n = rmx_model_parameters(&small);
  batch(tokens, labels, MANY, 1);
  for (int i = 0; i < MANY * T; i++) ones[i] = 1;
  rmx_model *a = model_of(NULL, MANY, 1), *b = model_of(NULL, MANY, 1);
  rmx_model_backward(a, tokens, labels, NULL, MANY, T, losses[0]);
  rmx_model_backward(b, tokens, labels, ones, MANY, T, losses[1]);
  ck_assert_mem_eq(losses[0], losses[1], sizeof losses[0]);
  ck_assert_mem_eq(rmx_model_gradients(a), rmx_model_gradients(b), n * sizeof(float));
  rmx_model_losses(b, tokens, labels, MANY, T, losses[1]); /* forward only: the same numbers */
  ck_assert_mem_eq(losses[0], losses[1], sizeof losses[0]);
  rmx_model_free(a), rmx_model_free(b);
}
END_TEST

START_TEST(micro_batches_add_up) {
  static int32_t tokens[MANY * T], labels[MANY * T];
  static float losses[2][MANY * T];
  batch(tokens, labels, MANY, 1);
  rmx_model *whole = model_of(NULL, MANY, 1), *parts = model_of(NULL, MANY, 1);
  rmx_model_backward(whole, tokens, labels, NULL, MANY, T, losses[0]);
  for (int b = 0; b < MANY; b += 8)
    rmx_model_backward(parts, tokens + b * T, labels + b * T, NULL, 8, T, losses[1] + b * T);
  ck_assert_mem_eq(losses[0], losses[1], sizeof losses[0]);
  const double d = distance(rmx_model_gradients(parts), rmx_model_gradients(whole),
                            rmx_model_parameters(&small));
  ck_assert_msg(d < 1e-6, "gradients differ by %g", d);
  rmx_model_free(whole), rmx_model_free(parts);
}
END_TEST

START_TEST(weights_of_tokens_scale_their_gradient) {
  static int32_t tokens[4 * T], labels[4 * T];
  static float weights[4 * T], losses[4 * T];
  batch(tokens, labels, 4, 1);
  /* twice the first two, not the others */
  for (int i = 0; i < 4 * T; i++) weights[i] = i < 2 * T ? 2 : 0;
  rmx_model *a = model_of(NULL, 4, 1), *b = model_of(NULL, 4, 1);
  rmx_model_backward(a, tokens, labels, weights, 4, T, losses);
  for (int i = 0; i < 2; i++) rmx_model_backward(b, tokens, labels, NULL, 2, T, losses);
  const double d =
      distance(rmx_model_gradients(a), rmx_model_gradients(b), rmx_model_parameters(&small));
  ck_assert_msg(d < 1e-6, "gradients differ by %g", d);
  for (int i = 2 * T; i < 4 * T; i++) weights[i] = 1, labels[i] = -1; /* no label is weight 0 */
  rmx_model *c = model_of(NULL, 4, 1);
  rmx_model_backward(c, tokens, labels, weights, 4, T, losses);
  ck_assert_mem_eq(rmx_model_gradients(a), rmx_model_gradients(c),
                   rmx_model_parameters(&small) * sizeof(float));
  ck_assert(losses[4 * T - 1] == 0);
  rmx_model_free(a), rmx_model_free(b), rmx_model_free(c);
}
END_TEST

static void train(rmx_model *m, int steps, int B, float *losses) {
  int32_t tokens[8 * T], labels[8 * T];
  for (int s = 0; s < steps; s++) {
    batch(tokens, labels, B, (uint64_t)s);
    rmx_model_backward(m, tokens, labels, NULL, B, T, losses);
    ck_assert(isfinite(rmx_model_step(m, &adamw, 3e-3, B * T)));
  }
}

START_TEST(same_level_same_bits) {
  float losses[2][8 * T];
  const char *names[16];
  for (size_t l = 0, n = rmx_kernels_available(names, 16); l < n; l++) {
    rmx_model *a = model_of(names[l], 8, 1), *b = model_of(names[l], 4, 1);
    train(a, 3, 4, losses[0]);
    train(b, 3, 4, losses[1]); /* room for fewer sequences changes nothing either */
    ck_assert_mem_eq(losses[0], losses[1], 4 * T * sizeof(float));
    ck_assert_mem_eq(rmx_model_weights(a), rmx_model_weights(b),
                     rmx_model_parameters(&small) * sizeof(float));
    rmx_model_free(a), rmx_model_free(b);
  }
}
END_TEST

START_TEST(levels_agree_over_twenty_steps) {
  float losses[2 * T], wanted[2 * T];
  rmx_model *ref = model_of("ref", 2, 1);
  const int steps = FEW_CASES ? 5 : 20;
  train(ref, steps, 2, wanted);
  const char *names[16];
  size_t n = rmx_kernels_available(names, 14);
  static const char *const hidden[] = {"wide", "amx-emulated"};
  const rmx_kernels *k = NULL;
  rmx_err err;
  for (size_t i = 0; i < 2; i++)
    if (rmx_kernels_get(hidden[i], &k, &err) == RMX_OK) names[n++] = hidden[i];
  for (size_t l = 1; l < n; l++) {
    rmx_model *m = model_of(names[l], 2, 1);
    train(m, steps, 2, losses);
    const double d = distance(losses, wanted, 2 * T);
    must(rmx_kernels_get(names[l], &k, err));
    ck_assert_msg(d < (k->bf16 ? 5e-3 : 1e-3), "%s: losses after %d steps differ from ref by %g",
                  names[l], steps, d);
    rmx_model_free(m);
  }
  rmx_model_free(ref);
}
END_TEST

START_TEST(memorises_a_sequence) {
  int32_t tokens[T], labels[T];
  float losses[T];
  rmx_rng rng = rmx_rng_make(9, 0, RMX_FOR_TEST);
  for (int i = 0; i < T; i++) tokens[i] = (int32_t)rmx_rng_below(&rng, (uint64_t)small.vocab);
  for (int i = 0; i < T; i++) labels[i] = tokens[(i + 1) % T];
  rmx_model *m = model_of(NULL, 1, 1);
  double first = 0, last = 0;
  for (int step = 0; step < 150; step++) {
    rmx_model_backward(m, tokens, labels, NULL, 1, T, losses);
    rmx_model_step(m, &adamw, 5e-3, T);
    last = 0;
    for (int i = 0; i < T; i++) last += losses[i] / T;
    if (step == 0) first = last;
  }
  ck_assert_msg(fabs(first - log((double)small.vocab)) < 0.5, "first loss %g, chance is %g", first,
                log((double)small.vocab));
  ck_assert_msg(last < 0.05, "loss %g after 150 steps", last);
  rmx_model_free(m);
}
END_TEST

/* The future must not be seen: a token changes no loss before it. */
START_TEST(attention_is_causal) {
  int32_t tokens[T], labels[T];
  float losses[2][T];
  batch(tokens, labels, 1, 1);
  rmx_model *m = model_of(NULL, 1, 1);
  rmx_model_losses(m, tokens, labels, 1, T, losses[0]);
  tokens[50] = (tokens[50] + 1) % (int32_t)small.vocab;
  rmx_model_losses(m, tokens, labels, 1, T, losses[1]);
  ck_assert_mem_eq(losses[0], losses[1], 50 * sizeof(float));
  ck_assert(losses[0][50] != losses[1][50] && losses[0][T - 1] != losses[1][T - 1]);
  rmx_model_free(m);
}
END_TEST

/* A model not in training computes the same losses in less memory. */
START_TEST(evaluation_needs_no_gradients) {
  int32_t tokens[2 * T], labels[2 * T];
  float losses[2][2 * T];
  batch(tokens, labels, 2, 1);
  const rmx_kernels *k = NULL;
  must(rmx_kernels_get(NULL, &k, err));
  rmx_model *a = model_of(NULL, 2, 4), *b = NULL;
  must(rmx_model_new(&small, 2, T, false, k, 4, &b, err));
  ck_assert_ptr_null(rmx_model_gradients(b));
  rmx_model_losses(a, tokens, labels, 2, T, losses[0]);
  rmx_model_losses(b, tokens, labels, 2, T, losses[1]);
  ck_assert_mem_eq(losses[0], losses[1], sizeof losses[0]);
  /* fewer and shorter than it has room for */
  rmx_model_losses(b, tokens, labels, 1, T / 2, losses[1]);
  ck_assert_mem_eq(losses[0], losses[1], T / 2 * sizeof(float));
  rmx_model_free(a), rmx_model_free(b);
}
END_TEST

/* The first step of AdamW is known in advance: m / sqrt(v) = g / |g|, so each weight moves by lr
 * (sign(g) + decay w). */
START_TEST(adamw_first_step_is_exact) {
  const char *names[16];
  for (size_t l = 0, n_levels = rmx_kernels_available(names, 16); l < n_levels; l++) {
    rmx_model *m = model_of(names[l], 1, 1);
    const rmx_tensor *tensors;
    const size_t n = rmx_model_tensors(m, &tensors), all = rmx_model_parameters(&small);
    float *before = malloc(all * sizeof *before), *w = rmx_model_weights(m),
          *g = rmx_model_gradients(m);
    ck_assert_ptr_nonnull(before);
    memcpy(before, w, all * sizeof *w);
    for (size_t i = 0; i < all; i++) g[i] = i % 3 == 0 ? 5.0f : i % 3 == 1 ? -7.0f : 0;
    double norm = 0;
    for (size_t i = 0; i < all; i++) norm += (double)g[i] * g[i];
    const double lr = 0.25, said = rmx_model_step(m, &adamw, lr, 2);
    ck_assert_double_eq_tol(said, sqrt(norm) / 2, 1e-4 * said);
    for (size_t t = 0; t < n; t++)
      for (size_t i = tensors[t].offset; i < tensors[t].offset + tensors[t].size; i++) {
        const double sign = i % 3 == 0   ? 1
                            : i % 3 == 1 ? -1
                                         : 0,
                     decay = tensors[t].ndim > 1 ? 0.1 * before[i] : 0;
        ck_assert_double_eq_tol(w[i], before[i] - lr * (sign + decay), 2e-6);
        ck_assert(g[i] == 0);
      }
    free(before);
    rmx_model_free(m);
  }
}
END_TEST

/* Second step by hand with beta1 = beta2 = 0.5 and no decay: g = 4 then 8 (t = 1, 2):
 * m = 2, 5; v = 8, 36; m^ = 5 / 0.75, v^ = 36 / 0.75, step = (20/3) / sqrt(48). */
START_TEST(adamw_second_step_is_exact) {
  const rmx_adamw o = {0.5, 0.5, 0, 0, 0};
  rmx_model *m = model_of(NULL, 1, 1);
  float *w = rmx_model_weights(m), *g = rmx_model_gradients(m);
  const size_t all = rmx_model_parameters(&small);
  const double before = w[11];
  for (int step = 1; step <= 2; step++) {
    for (size_t i = 0; i < all; i++) g[i] = (float)(4 * step);
    rmx_model_step(m, &o, 0.125, 1);
  }
  ck_assert_double_eq_tol(w[11], before - 0.125 * (1 + 20.0 / 3 / sqrt(48)), 1e-6);
  rmx_model_free(m);
}
END_TEST

START_TEST(a_step_of_nan_is_not_taken) {
  rmx_model *m = model_of(NULL, 1, 1);
  const size_t all = rmx_model_parameters(&small);
  float *w = rmx_model_weights(m), *g = rmx_model_gradients(m),
        *before = malloc(all * sizeof *before);
  ck_assert_ptr_nonnull(before);
  memcpy(before, w, all * sizeof *w);
  g[17] = NAN;
  ck_assert(isnan(rmx_model_step(m, &adamw, 1e-3, 1)));
  ck_assert_mem_eq(before, w, all * sizeof *w);
  ck_assert(g[17] == 0);
  free(before);
  rmx_model_free(m);
}
END_TEST

START_TEST(sizes_of_the_presets) {
  const struct {
    const char *name;
    double body, all;
  } published[] = {{"1M", 1.31e6, 27.1e6},
                   {"60M", 59e6, 59e6 + 2 * 50432 * 768},
                   {"1B", 1.13e9, 1.13e9 + 2 * 50432 * 2048.}};
  for (size_t i = 0; i < 3; i++) {
    const rmx_model_preset *p = rmx_model_preset_find(published[i].name);
    ck_assert_ptr_nonnull(p);
    const rmx_model_config c = {.layers = p->layers,
                                .heads = p->heads,
                                .width = p->width,
                                .ffn = p->ffn,
                                .vocab = 50432,
                                .context = 2048,
                                .rope_base = 10000,
                                .norm_eps = 1e-5};
    ck_assert_double_eq_tol((double)rmx_model_parameters_body(&c), published[i].body,
                            0.005 * published[i].body);
    ck_assert_double_eq_tol((double)rmx_model_parameters(&c), published[i].all,
                            0.005 * published[i].all);
  }
  ck_assert_ptr_null(rmx_model_preset_find("2M"));
  for (size_t i = 0; i < rmx_model_presets_n; i++) {
    const rmx_model_preset *p = &rmx_model_presets[i];
    ck_assert(p->width % p->heads == 0 && p->width / p->heads % 2 == 0 && p->lr > 0);
  }
}
END_TEST

/* which has an allocator of its own */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
START_TEST(memory_is_what_was_said) {
  for (int B = 1; B <= 64; B *= 8) {
    const struct mallinfo2 before = mallinfo2();
    rmx_model *m = model_of(NULL, B, 1);
    const struct mallinfo2 now = mallinfo2();
    const double taken =
        (double)(now.uordblks + now.hblkhd) - (double)(before.uordblks + before.hblkhd);
    ck_assert_double_eq_tol((double)rmx_model_memory(&small, B, T, 1), taken, 8192);
    rmx_model_free(m);
  }
}
END_TEST

START_TEST(a_step_allocates_nothing) {
  float losses[8 * T];
  for (int threads = 1; threads <= 3; threads++) {
    const struct mallinfo2 none = mallinfo2();
    rmx_model *m = model_of(NULL, 8, 1);
    must(rmx_model_threads(m, threads, err));
    const struct mallinfo2 before = mallinfo2();
    const double taken =
        (double)(before.uordblks + before.hblkhd) - (double)(none.uordblks + none.hblkhd);
    /* The pool itself has room for the handles of all threads it may have. */
    ck_assert_double_eq_tol((double)rmx_model_memory(&small, 8, T, threads), taken, 24576);
    train(m, 2, 8, losses);
    const struct mallinfo2 after = mallinfo2();
    ck_assert_uint_eq(before.uordblks, after.uordblks);
    ck_assert_uint_eq(before.hblkhd, after.hblkhd);
    rmx_model_free(m);
  }
}
END_TEST
#endif

START_TEST(wrong_configs_are_told) {
  const rmx_kernels *k = NULL;
  rmx_model *m = NULL;
  must(rmx_kernels_get("ref", &k, err));
  rmx_model_config c = small;
  c.heads = 3;
  must_fail(rmx_model_new(&c, 1, T, true, k, 1, &m, err), "not a multiple of heads");
  c.heads = 32;
  must_fail(rmx_model_new(&c, 1, T, true, k, 1, &m, err), "must be even");
  c = small, c.layers = 0;
  must_fail(rmx_model_new(&c, 1, T, true, k, 1, &m, err), "layers is 0");
  c = small, c.norm_eps = NAN;
  must_fail(rmx_model_new(&c, 1, T, true, k, 1, &m, err), "norm_eps");
  must_fail(rmx_model_new(&small, 0, T, true, k, 1, &m, err), "micro-batch of 0");
  must_fail(rmx_model_new(&small, 1, T + 1, true, k, 1, &m, err), "sequences of 65");
}
END_TEST

/* ---- threads ------------------------------------------------------------------ */

/* Sizes of which none is a multiple of a tile or a thread; two slices and a part. */
static const rmx_model_config odd = {.layers = 2,
                                     .heads = 3,
                                     .width = 42,
                                     .ffn = 50,
                                     .vocab = 131,
                                     .context = 200,
                                     .rope_base = 10000,
                                     .norm_eps = 1e-5};
enum { ODD_B = 7, ODD_T = 150 };

static void train_odd(const char *isa, int threads, float *losses, float *weights) {
  static int32_t tokens[ODD_B * ODD_T], labels[ODD_B * ODD_T];
  const rmx_kernels *k = NULL;
  rmx_model *m = NULL;
  must(rmx_kernels_get(isa, &k, err));
  must(rmx_model_new(&odd, ODD_B, ODD_T, true, k, 1, &m, err));
  must(rmx_model_threads(m, threads, err));
  rmx_rng rng = rmx_rng_make(3, 0, RMX_FOR_TEST);
  for (int step = 0; step < 3; step++) {
    for (int i = 0; i < ODD_B * ODD_T; i++) {
      tokens[i] = (int32_t)rmx_rng_below(&rng, (uint64_t)odd.vocab);
      labels[i] = (int32_t)rmx_rng_below(&rng, (uint64_t)odd.vocab);
    }
    rmx_model_backward(m, tokens, labels, NULL, ODD_B, ODD_T, losses);
    rmx_model_step(m, &adamw, 1e-2, ODD_B * ODD_T);
  }
  rmx_model_losses(m, tokens, labels, ODD_B, ODD_T, losses);
  memcpy(weights, rmx_model_weights(m), rmx_model_parameters(&odd) * sizeof *weights);
  rmx_model_free(m);
}

START_TEST(threads_change_no_bit) {
  static float losses[2][ODD_B * ODD_T];
  const size_t n = rmx_model_parameters(&odd);
  float *weights[2] = {malloc(n * sizeof(float)), malloc(n * sizeof(float))};
  ck_assert(weights[0] && weights[1]);
  const char *names[16];
  size_t levels = rmx_kernels_available(names, 15);
  const rmx_kernels *k;
  rmx_err err;
  if (rmx_kernels_get("amx-emulated", &k, &err) == RMX_OK) names[levels++] = "amx-emulated";
  for (size_t l = 1; l < levels; l++) { /* ref is too slow */
    train_odd(names[l], 1, losses[0], weights[0]);
    for (int threads = 2; threads <= 5; threads += FEW_CASES ? 3 : 1) {
      train_odd(names[l], threads, losses[1], weights[1]);
      ck_assert_msg(!memcmp(losses[0], losses[1], sizeof losses[0]),
                    "%s: losses differ with %d threads", names[l], threads);
      ck_assert_msg(!memcmp(weights[0], weights[1], n * sizeof(float)),
                    "%s: weights differ with %d threads", names[l], threads);
    }
  }
  free(weights[0]), free(weights[1]);
}
END_TEST

START_TEST(threads_may_change_on_the_way) {
  float losses[2][8 * T];
  rmx_model *b = model_of(NULL, 8, 1);
  must(rmx_model_threads(b, 3, err));
  train(b, 2, 8, losses[1]);
  must(rmx_model_threads(b, 2, err));
  train(b, 2, 8, losses[1]);
  must(rmx_model_threads(b, 1, err));
  train(b, 2, 8, losses[1]);
  rmx_model *c = model_of(NULL, 8, 1);
  for (int i = 0; i < 3; i++) train(c, 2, 8, losses[0]);
  ck_assert_mem_eq(losses[0], losses[1], sizeof losses[0]);
  ck_assert_mem_eq(rmx_model_weights(c), rmx_model_weights(b),
                   rmx_model_parameters(&small) * sizeof(float));
  must_fail(rmx_model_threads(b, 0, err), "0 threads");
  must_fail(rmx_model_threads(b, 65, err), "65 threads");
  rmx_model_free(b), rmx_model_free(c);
}
END_TEST

START_TEST(the_clock_counts_every_part) {
  float losses[8 * T];
  double seconds[32] = {0};
  ck_assert(rmx_model_parts_n <= 32);
  rmx_model *m = model_of(NULL, 8, 1);
  rmx_model_clock(m, seconds);
  const double since = rmx_now();
  train(m, 20, 8, losses);
  const double whole = rmx_now() - since;
  double sum = 0;
  for (size_t i = 0; i < rmx_model_parts_n; i++) {
    ck_assert_msg(seconds[i] > 0, "%s took no time", rmx_model_parts[i]);
    sum += seconds[i];
  }
  ck_assert_msg(sum <= whole && sum > 0.5 * whole, "parts %g s, whole %g s", sum, whole);
  rmx_model_clock(m, NULL);
  const double before = seconds[0];
  train(m, 1, 8, losses);
  ck_assert(seconds[0] == before);
  rmx_model_free(m);
}
END_TEST

/* ---- weights from losses ------------------------------------------------------- */

struct seen {
  int calls;
  size_t n;
  double loss;
  bool constant;
  const int32_t *labels, *domains;
  float bound; /* of the losses that count, where not constant */
};
static void weigh(void *context, const float *losses, size_t n, float *weights) {
  struct seen *s = context;
  s->calls++, s->n = n;
  for (size_t i = 0; i < n; i++) {
    s->loss += losses[i];
    if (!s->constant)
      weights[i] = s->labels[i] < 0 || losses[i] < s->bound ? 0 : s->domains[i] ? 0.5f : 2;
  }
}

START_TEST(weighed_by_one_is_not_weighed) {
  static int32_t tokens[MANY * T], labels[MANY * T];
  static float ones[MANY * T], losses[2][MANY * T];
  batch(tokens, labels, MANY, 1);
  for (int i = 0; i < MANY * T; i++) ones[i] = 1;
  labels[3] = -1;
  for (int threads = 1; threads <= 2; threads++)
    /* one slice, whose activations serve twice; several */
    for (int B = 3; B <= MANY; B += MANY - 3) {
      rmx_model *a = model_of(NULL, MANY, 1), *b = model_of(NULL, MANY, 1);
      must(rmx_model_threads(b, threads, err));
      struct seen seen = {.constant = true};
      const rmx_weigher by = {&seen, weigh};
      rmx_model_backward(a, tokens, labels, NULL, B, T, losses[0]);
      rmx_model_backward_weighed(b, tokens, labels, &by, B, T, losses[1], ones);
      ck_assert_int_eq(seen.calls, 1);
      ck_assert_uint_eq(seen.n, (size_t)(B * T));
      ck_assert_mem_eq(losses[0], losses[1], (size_t)(B * T) * sizeof(float));
      ck_assert_mem_eq(rmx_model_gradients(a), rmx_model_gradients(b),
                       rmx_model_parameters(&small) * sizeof(float));
      rmx_model_free(a), rmx_model_free(b);
    }
}
END_TEST

/* Weights set from the losses are those of a pass that is told them. */
START_TEST(weighed_by_losses_is_weighed_by_those_weights) {
  static int32_t tokens[MANY * T], labels[MANY * T], domains[MANY * T];
  static float weights[MANY * T], losses[2][MANY * T];
  batch(tokens, labels, MANY, 1);
  for (int i = 0; i < MANY * T; i++) domains[i] = i / T % 2;
  rmx_model *a = model_of(NULL, MANY, 1), *b = model_of(NULL, MANY, 1);
  struct seen seen = {
      .bound = (float)log((double)small.vocab), .labels = labels, .domains = domains};
  const rmx_weigher by = {&seen, weigh};
  rmx_model_backward_weighed(a, tokens, labels, &by, MANY, T, losses[0], weights);
  double sum = 0;
  int kept = 0;
  for (int i = 0; i < MANY * T; i++) {
    kept += weights[i] > 0;
    sum += losses[0][i];
    ck_assert(weights[i] == (losses[0][i] < seen.bound ? 0 : domains[i] ? 0.5f : 2));
  }
  ck_assert(kept > MANY * T / 10 && kept < MANY * T * 9 / 10);
  ck_assert_double_eq_tol(seen.loss, sum, 1e-9 * sum);
  rmx_model_backward(b, tokens, labels, weights, MANY, T, losses[1]);
  ck_assert_mem_eq(losses[0], losses[1], sizeof losses[0]);
  ck_assert_mem_eq(rmx_model_gradients(a), rmx_model_gradients(b),
                   rmx_model_parameters(&small) * sizeof(float));
  rmx_model_free(a), rmx_model_free(b);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, threads_change_no_bit);
  tcase_add_test(tc, threads_may_change_on_the_way);
  tcase_add_test(tc, the_clock_counts_every_part);
  tcase_add_test(tc, weighed_by_one_is_not_weighed);
  tcase_add_test(tc, weighed_by_losses_is_weighed_by_those_weights);
  tcase_add_test(tc, no_weights_are_all_ones);
  tcase_add_test(tc, micro_batches_add_up);
  tcase_add_test(tc, weights_of_tokens_scale_their_gradient);
  tcase_add_test(tc, same_level_same_bits);
  tcase_add_test(tc, levels_agree_over_twenty_steps);
  tcase_add_test(tc, memorises_a_sequence);
  tcase_add_test(tc, attention_is_causal);
  tcase_add_test(tc, evaluation_needs_no_gradients);
  tcase_add_test(tc, adamw_first_step_is_exact);
  tcase_add_test(tc, adamw_second_step_is_exact);
  tcase_add_test(tc, a_step_of_nan_is_not_taken);
  tcase_add_test(tc, sizes_of_the_presets);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  tcase_add_test(tc, memory_is_what_was_said);
  tcase_add_test(tc, a_step_allocates_nothing);
#endif
  tcase_add_test(tc, wrong_configs_are_told);
}
