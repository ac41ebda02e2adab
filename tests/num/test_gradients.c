// SPDX-License-Identifier: Apache-2.0
/* Gradients against central differences, in the direction that says most: for each tensor v = its
 * gradient / its norm, where (f(w + h v) - f(w - h v)) / 2 h must be the norm, and along a random
 * direction for all tensors together. */
#include "../testing.h"

#include <regmix/model.h>

#include "kernels/kernels.h"

static const rmx_model_config tiny = {.layers = 2,
                                      .heads = 2,
                                      .width = 12,
                                      .ffn = 20,
                                      .vocab = 23,
                                      .context = 9,
                                      .rope_base = 10000,
                                      .norm_eps = 1e-5};
/* What else a Llama may be: grouped queries, heads whose channels are not the width together, a
 * tied head, positions that are scaled. */
static const rmx_model_config grouped = {.layers = 2,
                                         .heads = 4,
                                         .width = 12,
                                         .ffn = 20,
                                         .vocab = 23,
                                         .context = 9,
                                         .rope_base = 10000,
                                         .norm_eps = 1e-5,
                                         .kv_heads = 2,
                                         .head_width = 6,
                                         .rope_factor = 4,
                                         .rope_low = 1,
                                         .rope_high = 4,
                                         .rope_original = 16,
                                         .tied = true};
enum { B = 2, T = 9 };

struct problem {
  rmx_model *m;
  int32_t tokens[B * T], labels[B * T];
  float weights[B * T];
};

static void make(struct problem *p, const char *isa, const rmx_model_config *c) {
  const rmx_kernels *k = NULL;
  must(rmx_kernels_get(isa, &k, err));
  must(rmx_model_new(c, B, T, true, k, 7, &p->m, err));
  rmx_rng rng = rmx_rng_make(3, 0, RMX_FOR_TEST);
  for (int i = 0; i < B * T; i++) {
    p->tokens[i] = (int32_t)rmx_rng_below(&rng, (uint64_t)tiny.vocab);
    p->labels[i] = (int32_t)rmx_rng_below(&rng, (uint64_t)tiny.vocab);
    p->weights[i] = (float)rmx_rng_uniform(&rng);
  }
  /* Weights far from their start, so that attention and norms have something to say. */
  const rmx_tensor *tensors;
  const size_t n = rmx_model_tensors(p->m, &tensors);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < tensors[i].size; j++)
      rmx_model_weights(p->m)[tensors[i].offset + j] += 0.3f * (float)rmx_rng_normal(&rng);
}

static double objective(struct problem *p) {
  float losses[B * T];
  double sum = 0;
  rmx_model_losses(p->m, p->tokens, p->labels, B, T, losses);
  for (int i = 0; i < B * T; i++) sum += (double)p->weights[i] * losses[i];
  return sum;
}

/* d/dh of the objective along `direction`, which is (n) from `offset` on; error O(h^4). */
static double slope(struct problem *p, const float *direction, size_t offset, size_t n) {
  float *w = rmx_model_weights(p->m) + offset;
  float *kept = malloc(n * sizeof *kept);
  ck_assert_ptr_nonnull(kept);
  memcpy(kept, w, n * sizeof *w);
  const double h = 0.01, at[] = {-2, -1, 1, 2}, factor[] = {1, -8, 8, -1};
  double sum = 0;
  for (int s = 0; s < 4; s++) {
    for (size_t i = 0; i < n; i++) w[i] = (float)(kept[i] + at[s] * h * direction[i]);
    sum += factor[s] * objective(p);
  }
  memcpy(w, kept, n * sizeof *w);
  free(kept);
  return sum / (12 * h);
}

/* Weights as a selection of tokens gives them: those of large losses, by how large. They are
 * constants to the gradient, and stay in p.weights for the difference quotients. */
static void weigh(void *context, const float *losses, size_t n, float *weights) {
  (void)context;
  for (size_t i = 0; i < n; i++) weights[i] = losses[i] > 2 ? losses[i] - 2 : 0;
}

static void check_of(const char *isa, const rmx_model_config *c, double tolerance, bool weighed) {
  struct problem p;
  make(&p, isa, c);
  float losses[B * T];
  const rmx_weigher by = {NULL, weigh};
  if (weighed)
    rmx_model_backward_weighed(p.m, p.tokens, p.labels, &by, B, T, losses, p.weights);
  else
    rmx_model_backward(p.m, p.tokens, p.labels, p.weights, B, T, losses);
  const rmx_tensor *tensors;
  const size_t n = rmx_model_tensors(p.m, &tensors), all = rmx_model_parameters(c);
  const float *g = rmx_model_gradients(p.m);
  float *v = malloc(all * sizeof *v);
  ck_assert_ptr_nonnull(v);
  for (size_t i = 0; i < n; i++) {
    double norm = 0;
    for (size_t j = 0; j < tensors[i].size; j++) norm += pow(g[tensors[i].offset + j], 2);
    norm = sqrt(norm);
    ck_assert_msg(norm > 1e-3, "%s: no gradient", tensors[i].name);
    for (size_t j = 0; j < tensors[i].size; j++) v[j] = (float)(g[tensors[i].offset + j] / norm);
    const double d = slope(&p, v, tensors[i].offset, tensors[i].size);
    ck_assert_msg(fabs(d / norm - 1) < tolerance, "%s, %s: gradient %.6g, difference quotient %.6g",
                  isa, tensors[i].name, norm, d);
  }
  for (uint64_t round = 0; round < 4; round++) {
    rmx_rng rng = rmx_rng_make(5, round, RMX_FOR_TEST);
    double dot = 0, norm = 0, length = 0;
    for (size_t j = 0; j < all; j++)
      v[j] = (float)rmx_rng_normal(&rng), length += (double)v[j] * v[j];
    for (size_t j = 0; j < all; j++) {
      v[j] = (float)(v[j] / sqrt(length));
      dot += (double)v[j] * g[j];
      norm += (double)g[j] * g[j];
    }
    const double d = slope(&p, v, 0, all);
    ck_assert_msg(fabs(d - dot) < tolerance * sqrt(norm),
                  "%s, direction %d: gradient %.6g, difference quotient %.6g", isa, (int)round, dot,
                  d);
  }
  free(v);
  rmx_model_free(p.m);
}

static void check(const char *isa, double tolerance, bool weighed) {
  check_of(isa, &tiny, tolerance, weighed);
  check_of(isa, &grouped, tolerance, weighed);
}

START_TEST(of_every_tensor) {
  check("ref", 1e-3, false);
}
END_TEST

/* The best level whose products are of float, as difference quotients need it. */
static const char *best_float(void) {
  static const char *names[16];
  const rmx_kernels *k = NULL;
  for (size_t n = rmx_kernels_available(names, 16); n-- > 0;) {
    must(rmx_kernels_get(names[n], &k, err));
    if (!k->bf16) return names[n];
  }
  return "ref";
}

START_TEST(of_every_tensor_in_the_best_level) {
  check(best_float(), 2e-3, false);
}
END_TEST

/* Rounding to bfloat16 makes steps of a loss that should be smooth, so that its difference
 * quotients say little: those levels are held to the gradient of ref. Their own rounding is at most
 * 1/512 of an operand, by chance of either sign; what is computed passes some ten of them. */
static void near_the_reference(const rmx_model_config *c) {
  static const char *const levels[] = {"avx512bf16", "amx", "amx-emulated"};
  struct problem wanted;
  make(&wanted, "ref", c);
  float losses_wanted[B * T], losses[B * T];
  rmx_model_backward(wanted.m, wanted.tokens, wanted.labels, wanted.weights, B, T, losses_wanted);
  for (size_t l = 0; l < 3; l++) {
    const rmx_kernels *k;
    rmx_err err;
    if (rmx_kernels_get(levels[l], &k, &err) != RMX_OK) continue;
    struct problem p;
    make(&p, levels[l], c);
    rmx_model_backward(p.m, p.tokens, p.labels, p.weights, B, T, losses);
    for (int i = 0; i < B * T; i++)
      ck_assert_double_eq_tol(losses[i], losses_wanted[i], 0.02 * (1 + losses_wanted[i]));
    const rmx_tensor *tensors;
    const size_t n = rmx_model_tensors(p.m, &tensors);
    for (size_t i = 0; i < n; i++) {
      double apart = 0, norm = 0;
      for (size_t j = tensors[i].offset; j < tensors[i].offset + tensors[i].size; j++) {
        const double g = rmx_model_gradients(p.m)[j], g_wanted = rmx_model_gradients(wanted.m)[j];
        apart += (g - g_wanted) * (g - g_wanted), norm += g_wanted * g_wanted;
      }
      const double share = sqrt(apart / norm);
      ck_assert_msg(share < 0.05 && share > 1e-5, "%s, %s: gradient is %g of its length off",
                    levels[l], tensors[i].name, share);
    }
    rmx_model_free(p.m);
  }
  rmx_model_free(wanted.m);
}

START_TEST(in_bf16_are_near_the_reference) {
  near_the_reference(&tiny);
  near_the_reference(&grouped);
}
END_TEST

START_TEST(with_weights_from_the_losses) {
  check("ref", 1e-3, true);
  check(best_float(), 2e-3, true);
}
END_TEST

/* A micro-batch of more sequences than go through the layers at once: its losses are those of each
 * sequence by itself, and its gradients are their sum. */
START_TEST(of_many_slices) {
  enum { MANY = 70, V = 23 };
  const rmx_kernels *k = NULL;
  rmx_model *many, *one;
  static int32_t tokens[MANY * T], labels[MANY * T];
  static float weights[MANY * T], losses[2][MANY * T], chosen[2][MANY * T];
  const rmx_weigher by = {NULL, weigh};
  const size_t n = rmx_model_parameters(&tiny);
  must(rmx_kernels_get("ref", &k, err));
  for (int weighed = 0; weighed < 2; weighed++) {
    must(rmx_model_new(&tiny, MANY, T, true, k, 7, &many, err));
    must(rmx_model_new(&tiny, 1, T, true, k, 7, &one, err));
    rmx_rng rng = rmx_rng_make(4, 0, RMX_FOR_TEST);
    for (int i = 0; i < MANY * T; i++) {
      tokens[i] = (int32_t)rmx_rng_below(&rng, V);
      labels[i] = (int32_t)rmx_rng_below(&rng, V);
      weights[i] = (float)rmx_rng_uniform(&rng);
    }
    rmx_model_losses(many, tokens, labels, MANY, T, losses[0]);
    for (int i = 0; i < MANY; i++)
      rmx_model_losses(one, tokens + i * T, labels + i * T, 1, T, losses[1] + i * T);
    for (int i = 0; i < MANY * T; i++) ck_assert_float_eq_tol(losses[0][i], losses[1][i], 1e-5f);
    if (weighed)
      rmx_model_backward_weighed(many, tokens, labels, &by, MANY, T, losses[0], chosen[0]);
    else
      rmx_model_backward(many, tokens, labels, weights, MANY, T, losses[0]);
    for (int i = 0; i < MANY; i++) {
      const int at = i * T;
      if (weighed)
        rmx_model_backward_weighed(one, tokens + at, labels + at, &by, 1, T, losses[1] + at,
                                   chosen[1] + at);
      else
        rmx_model_backward(one, tokens + at, labels + at, weights + at, 1, T, losses[1] + at);
    }
    for (int i = 0; i < MANY * T; i++) {
      ck_assert_float_eq_tol(losses[0][i], losses[1][i], 1e-5f);
      if (weighed) ck_assert_float_eq_tol(chosen[0][i], chosen[1][i], 1e-5f);
    }
    double norm = 0, off = 0;
    const float *g = rmx_model_gradients(many), *sum = rmx_model_gradients(one);
    for (size_t j = 0; j < n; j++) norm += pow(sum[j], 2), off += pow(g[j] - sum[j], 2);
    ck_assert_msg(norm > 0 && sqrt(off) < 1e-5 * sqrt(norm), "%g of %g", sqrt(off), sqrt(norm));
    rmx_model_free(many);
    rmx_model_free(one);
  }
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, with_weights_from_the_losses);
  tcase_add_test(tc, of_many_slices);
  tcase_add_test(tc, of_every_tensor);
  tcase_add_test(tc, in_bf16_are_near_the_reference);
  tcase_add_test(tc, of_every_tensor_in_the_best_level);
}
