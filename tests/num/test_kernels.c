// SPDX-License-Identifier: Apache-2.0
/* Every fast kernel against the reference: sizes that fill no tile, strides, special values, same
 * bits twice.
 */
#include "../testing.h"

#include <stdio.h>

#include "kernels/bf16.h"
#include "kernels/threaded.h"

enum { MOST = 16 }; /* levels */

/* The levels to test: all this processor runs, and those that run the logic of AVX-512 and of AMX
 * anywhere.
 */
static size_t levels(const rmx_kernels *list[MOST]) {
  static const char *const hidden[] = {"wide", "amx-emulated"};
  const char *names[MOST];
  size_t n = 0;
  for (size_t i = 0, all = rmx_kernels_available(names, MOST - 2); i < all; i++)
    must(rmx_kernels_get(names[i], &list[n++], err));
  rmx_err err;
  for (size_t i = 0; i < 2; i++)
    if (rmx_kernels_get(hidden[i], &list[n], &err) == RMX_OK) n++;
  return n;
}

static float *normals(size_t n, uint64_t seed) {
  float *x = malloc((n + 1) * sizeof *x);
  ck_assert_ptr_nonnull(x);
  rmx_rng rng = rmx_rng_make(seed, 0, RMX_FOR_TEST);
  for (size_t i = 0; i < n; i++) x[i] = (float)rmx_rng_normal(&rng);
  return x;
}
static float *copy_of(const float *x, size_t n) {
  float *y = malloc((n + 1) * sizeof *y);
  ck_assert_ptr_nonnull(y);
  memcpy(y, x, n * sizeof *y);
  return y;
}

/* Largest |got - wanted| in units of float rounding at the scale of the largest number wanted. */
static double error(const float *got, const float *wanted, size_t n) {
  double most = 0, scale = 1e-30;
  for (size_t i = 0; i < n; i++) {
    if (!(fabs((double)got[i] - wanted[i]) <= most)) most = fabs((double)got[i] - wanted[i]);
    if (fabs(wanted[i]) > scale) scale = fabs(wanted[i]);
  }
  return most / scale / 6e-8;
}
#define close(level, what, got, wanted, n, bound)                                    \
  do {                                                                               \
    double error_ = error(got, wanted, n);                                           \
    ck_assert_msg(error_ <= (bound), "%s: %s is off by %.1f roundings (at most %g)", \
                  (level)->name, what, error_, (double)(bound));                     \
  } while (0)

/* What a level is held to where it rounds operands to bfloat16 and others do not: some such
 * roundings more.
 */
static double allowed(const rmx_kernels *k, double bound, double bf16_roundings) {
  return bound + (k->bf16 ? bf16_roundings * RMX__BF16_ROUNDING / 6e-8 : 0);
}
/* x as products of level k take it. */
static float *as_operand(const rmx_kernels *k, const float *x, size_t n) {
  float *y = copy_of(x, n);
  for (size_t i = 0; k->bf16 && i < n; i++) y[i] = rmx__bf16_round(y[i]);
  return y;
}

static const size_t sizes[] = {1, 2, 3, 5, 6, 7, 13, 15, 16, 17, 31, 33, 64, 100};
enum { SIZES = sizeof sizes / sizeof *sizes };

START_TEST(gemm_of_odd_shapes) {
  const rmx_kernels *list[MOST], *ref = NULL;
  const size_t n_levels = levels(list);
  must(rmx_kernels_get("ref", &ref, err));
  float *scratch = normals(rmx__gemm_scratch(), 1);
  rmx_rng rng = rmx_rng_make(2, 0, RMX_FOR_TEST);
  for (int round = 0; round < (FEW_CASES ? 40 : 150); round++) {
    size_t M = sizes[rmx_rng_below(&rng, SIZES)], N = sizes[rmx_rng_below(&rng, SIZES)];
    size_t K = sizes[rmx_rng_below(&rng, SIZES)];
    if (round % 10 == 0) K = 600;  /* more than one block in depth, */
    if (round % 25 == 1) M = 350;  /* in rows, */
    if (round % 25 == 2) N = 1050; /* and in columns */
    if (round == 3) K = 0;
    const bool ta = round & 1, tb = round & 2, add = round & 4;
    const size_t gap = round % 3 ? rmx_rng_below(&rng, 9) : 400;
    const size_t lda = (ta ? M : K) + gap, ldb = (tb ? K : N) + gap, ldc = N + gap;
    float *a = normals((ta ? K : M) * lda, 3), *b = normals((tb ? N : K) * ldb, 4),
          *start = normals(M * ldc, 5);
    for (size_t l = 0; l < n_levels; l++) {
      float *a_l = as_operand(list[l], a, (ta ? K : M) * lda),
            *b_l = as_operand(list[l], b, (tb ? N : K) * ldb);
      float *wanted = copy_of(start, M * ldc), *got = copy_of(start, M * ldc);
      ref->gemm(ref,
                &(struct rmx__gemm){.ta = ta,
                                    .tb = tb,
                                    .M = M,
                                    .N = N,
                                    .K = K,
                                    .a = a_l,
                                    .lda = lda,
                                    .b = b_l,
                                    .ldb = ldb,
                                    .c = wanted,
                                    .ldc = ldc,
                                    .accumulate = add},
                scratch);
      list[l]->gemm(list[l],
                    &(struct rmx__gemm){.ta = ta,
                                        .tb = tb,
                                        .M = M,
                                        .N = N,
                                        .K = K,
                                        .a = a,
                                        .lda = lda,
                                        .b = b,
                                        .ldb = ldb,
                                        .c = got,
                                        .ldc = ldc,
                                        .accumulate = add},
                    scratch);
      close(list[l], "gemm", got, wanted, M * ldc, 2 + sqrt((double)K));
      for (size_t i = 0; i < M; i++)
        for (size_t j = N; j < ldc; j++)
          ck_assert(got[i * ldc + j] == start[i * ldc + j]); /* the gap is not ours */
      free(got), free(wanted), free(a_l), free(b_l);
    }
    free(a), free(b), free(start);
  }
  free(scratch);
}
END_TEST

START_TEST(gemm_rows_do_not_know_of_each_other) {
  const rmx_kernels *list[MOST];
  const size_t M = 200, N = 70, K = 300;
  float *a = normals(M * K, 1), *b = normals(K * N, 2), *all = normals(M * N, 3),
        *one = normals(N, 4);
  float *scratch = normals(rmx__gemm_scratch(), 1);
  for (size_t l = 0, n = levels(list); l < n; l++) {
    list[l]->gemm(
        list[l],
        &(struct rmx__gemm){
            .M = M, .N = N, .K = K, .a = a, .lda = K, .b = b, .ldb = N, .c = all, .ldc = N},
        scratch);
    for (size_t i = 0; i < M; i += 7) {
      list[l]->gemm(list[l],
                    &(struct rmx__gemm){.M = 1,
                                        .N = N,
                                        .K = K,
                                        .a = a + i * K,
                                        .lda = K,
                                        .b = b,
                                        .ldb = N,
                                        .c = one,
                                        .ldc = N},
                    scratch);
      ck_assert_mem_eq(one, all + i * N, N * sizeof *one);
    }
  }
  free(a), free(b), free(all), free(one), free(scratch);
}
END_TEST

START_TEST(gemm_hands_on_nan_and_infinity) {
  const rmx_kernels *list[MOST];
  enum { M = 19, N = 37, K = 21 };
  float *a = normals(M * K, 1), *b = normals(K * N, 2), c[M * N],
        *scratch = normals(rmx__gemm_scratch(), 1);
  a[3 * K + 4] = NAN;       /* row 3 */
  b[5 * N + 36] = INFINITY; /* column 36, the last, beside the padding */
  for (size_t l = 0, n = levels(list); l < n; l++) {
    list[l]->gemm(list[l],
                  &(struct rmx__gemm){
                      .M = M, .N = N, .K = K, .a = a, .lda = K, .b = b, .ldb = N, .c = c, .ldc = N},
                  scratch);
    for (size_t i = 0; i < M; i++)
      for (size_t j = 0; j < N; j++) {
        if (i == 3)
          ck_assert(isnan(c[i * N + j]));
        else if (j == 36)
          ck_assert(isinf(c[i * N + j]));
        else
          ck_assert(isfinite(c[i * N + j]));
      }
  }
  free(a), free(b), free(scratch);
}
END_TEST

/* What a level packs is what the scalar definition says, bit for bit, whatever the number: products
 * with 1 show it. */
START_TEST(operands_are_rounded_as_defined) {
  static const uint32_t special[] = {
      0x00000000, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffffffff,
      0x00000001, 0x007fffff, 0x807fffff, 0x00800000, 0x80800000, 0x7f7fffff, 0xff7fffff,
      0x7f7f7fff, 0x7f7f8000, 0x7f7effff, 0x3f808000, 0x3f818000, 0x3f807fff, 0x3f808001,
      0xbf808000, 0xbf818000, 0x3f80ffff, 0x3fffffff, 0x33333333};
  enum { SPECIAL = sizeof special / sizeof *special, N = 32 * 37 };
  float *x = malloc(N * sizeof *x), packed[32 * 48], *scratch = normals(rmx__gemm_scratch(), 1);
  ck_assert_ptr_nonnull(x);
  ck_assert_float_eq(rmx__bf16_round(1 + 1.0f / 256), 1); /* to even */
  ck_assert_float_eq(rmx__bf16_round(1 + 3.0f / 256), 1 + 1.0f / 64);
  ck_assert(isnan(rmx__bf16_round(NAN)) && isinf(rmx__bf16_round(-INFINITY)) &&
            rmx__bf16_round(1e-40f) == 0);
  ck_assert(isinf(rmx__bf16_round(3.4e38f)) && isfinite(rmx__bf16_round(3.38e38f)));
  rmx_rng rng = rmx_rng_make(8, 0, RMX_FOR_TEST);
  for (size_t i = 0; i < N; i++) {
    const uint32_t bits =
        i < SPECIAL ? special[i] : (uint32_t)(rmx_rng_uniform(&rng) * 4294967296.0);
    memcpy(&x[i], &bits, sizeof bits);
  }
  const rmx_kernels *list[MOST];
  for (size_t l = 0, n = levels(list); l < n; l++) {
    const rmx_kernels *k = list[l];
    if (!k->bf16) continue;
    /* Columns of B, 32 of depth 37, plain and transposed; rows of A alike. Word w of column j. */
    for (int form = 0; form < 4; form++) {
      const bool is_a = form & 1, transposed = form & 2;
      const size_t lines = is_a ? k->mr : 32, depth = 37, words = rmx__words(k, depth);
      /* line i, depth d at x[i * 37 + d], else x[d * 32 + i] */
      const bool lines_first = is_a != transposed;
      ck_assert_uint_eq(words, 32);
      if (is_a)
        k->pack_a(packed, lines, depth, x, lines_first ? 37 : 32, transposed);
      else
        k->pack_b(packed, depth, lines, x, lines_first ? 37 : 32, transposed);
      for (size_t i = 0; i < lines; i++)
        for (size_t d = 0; d < 2 * words; d++) {
          uint16_t halves[2];
          memcpy(halves, packed + (is_a ? i * words + d / 2 : d / 2 * k->nr + i), sizeof halves);
          const uint16_t wanted =
              d < depth ? rmx__bf16_of(x[lines_first ? i * 37 + d : d * 32 + i]) : 0;
          ck_assert_msg(halves[d % 2] == wanted,
                        "%s, form %d: line %zu, depth %zu is %04x, wanted %04x", k->name, form, i,
                        d, halves[d % 2], wanted);
        }
    }
  }
  free(x), free(scratch);
}
END_TEST

/* That the bound of the tests above is a bound: operands rounded to bfloat16 are not the float
 * product. */
START_TEST(bf16_is_not_float) {
  const rmx_kernels *list[MOST], *ref = NULL;
  enum { N = 40 };
  must(rmx_kernels_get("ref", &ref, err));
  float *a = normals(N * N, 1), *b = normals(N * N, 2), c[N * N], wanted[N * N];
  float *scratch = normals(rmx__gemm_scratch(), 1);
  ref->gemm(ref,
            &(struct rmx__gemm){
                .M = N, .N = N, .K = N, .a = a, .lda = N, .b = b, .ldb = N, .c = wanted, .ldc = N},
            scratch);
  for (size_t l = 0, n = levels(list); l < n; l++) {
    list[l]->gemm(list[l],
                  &(struct rmx__gemm){
                      .M = N, .N = N, .K = N, .a = a, .lda = N, .b = b, .ldb = N, .c = c, .ldc = N},
                  scratch);
    /* in roundings to bfloat16 */
    const double off = error(c, wanted, N * N) * 6e-8 / RMX__BF16_ROUNDING;
    ck_assert_msg(list[l]->bf16 ? off > 0.1 && off < 2 : off < 1e-3, "%s is off by %g",
                  list[l]->name, off);
  }
  free(a), free(b), free(scratch);
}
END_TEST

START_TEST(attention_forward_and_backward) {
  static const size_t shapes[][4] = {/* B, T, H, S */
                                     {1, 1, 1, 2},   {2, 5, 3, 4},   {1, 47, 2, 16},
                                     {2, 48, 1, 8},  {1, 49, 2, 6},  {1, 130, 2, 24},
                                     {2, 97, 1, 34}, {1, 200, 1, 64}};
  const rmx_kernels *list[MOST], *ref = NULL;
  const size_t n_levels = levels(list);
  must(rmx_kernels_get("ref", &ref, err));
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
    const size_t B = shapes[s][0], T = shapes[s][1], H = shapes[s][2], S = shapes[s][3], C = H * S,
                 n = B * T * C;
    float *qkv = normals(3 * n, 1), *dout = normals(n, 2),
          *scratch = normals(rmx__attention_scratch(T, S), 3);
    float *out = normals(n, 4), *lse = normals(B * H * T, 5), *dqkv = normals(3 * n, 6);
    float *out_ref = normals(n, 7), *lse_ref = normals(B * H * T, 8), *dqkv_ref = normals(3 * n, 9);
    ref->attention(ref,
                   &(struct rmx__attention){
                       .B = B, .T = T, .H = H, .S = S, .qkv = qkv, .out = out_ref, .lse = lse_ref},
                   0, B * H, scratch);
    ref->attention_backward(ref,
                            &(struct rmx__attention){.B = B,
                                                     .T = T,
                                                     .H = H,
                                                     .S = S,
                                                     .qkv = qkv,
                                                     .out = out_ref,
                                                     .lse = lse_ref,
                                                     .dout = dout,
                                                     .dqkv = dqkv_ref},
                            0, B * H, scratch);
    for (size_t l = 0; l < n_levels; l++) {
      list[l]->attention(list[l],
                         &(struct rmx__attention){
                             .B = B, .T = T, .H = H, .S = S, .qkv = qkv, .out = out, .lse = lse},
                         0, B * H, scratch);
      close(list[l], "attention", out, out_ref, n, allowed(list[l], 40, 4));
      close(list[l], "log-sum-exp", lse, lse_ref, B * H * T, allowed(list[l], 10, 6));
      list[l]->attention_backward(list[l],
                                  &(struct rmx__attention){.B = B,
                                                           .T = T,
                                                           .H = H,
                                                           .S = S,
                                                           .qkv = qkv,
                                                           .out = out,
                                                           .lse = lse,
                                                           .dout = dout,
                                                           .dqkv = dqkv},
                                  0, B * H, scratch);
      close(list[l], "gradient of attention", dqkv, dqkv_ref, 3 * n, allowed(list[l], 100, 8));
    }
    free(qkv), free(dout), free(scratch), free(out), free(lse), free(dqkv), free(out_ref),
        free(lse_ref), free(dqkv_ref);
  }
}
END_TEST

/* Rows of odd lengths through the elementwise kernels. */
START_TEST(rows) {
  const rmx_kernels *list[MOST], *ref = NULL;
  const size_t n_levels = levels(list), M = 5;
  must(rmx_kernels_get("ref", &ref, err));
  for (size_t s = 0; s < SIZES; s++) {
    const size_t C = sizes[s], n = M * C;
    float *x = normals(2 * n, 1), *w = normals(C, 2), *dy = normals(n, 3), *dx0 = normals(n, 4),
          *dw0 = normals(C, 5);
    float *y = normals(n, 6), *y_ref = normals(n, 6), rstd[8], rstd_ref[8];
    float *wide = normals(2 * n, 7), *wide_ref = normals(2 * n, 7);
    const int32_t ids[] = {2, 0, 2, 1, 2};
    for (size_t l = 0; l < n_levels; l++) {
      const rmx_kernels *k = list[l];
      ref->rmsnorm(&(struct rmx__rmsnorm){
          .M = M, .C = C, .x = x, .w = w, .eps = 1e-5f, .y = y_ref, .rstd = rstd_ref});
      k->rmsnorm(&(struct rmx__rmsnorm){
          .M = M, .C = C, .x = x, .w = w, .eps = 1e-5f, .y = y, .rstd = rstd});
      close(k, "rmsnorm", y, y_ref, n, 8);
      close(k, "rstd", rstd, rstd_ref, M, 8);
      float *dx = copy_of(dx0, n), *dw = copy_of(dw0, C), *dx_ref = copy_of(dx0, n),
            *dw_ref = copy_of(dw0, C);
      ref->rmsnorm_backward(&(struct rmx__rmsnorm){
          .M = M, .C = C, .x = x, .w = w, .rstd = rstd_ref, .dy = dy, .dx = dx_ref, .dw = dw_ref});
      k->rmsnorm_backward(&(struct rmx__rmsnorm){
          .M = M, .C = C, .x = x, .w = w, .rstd = rstd_ref, .dy = dy, .dx = dx, .dw = dw});
      close(k, "dx of rmsnorm", dx, dx_ref, n, 16);
      close(k, "dw of rmsnorm", dw, dw_ref, C, 16);

      ref->swiglu(&(struct rmx__swiglu){.M = M, .F = C, .gu = x, .h = y_ref});
      k->swiglu(&(struct rmx__swiglu){.M = M, .F = C, .gu = x, .h = y});
      close(k, "swiglu", y, y_ref, n, 8);
      ref->swiglu_backward(
          &(struct rmx__swiglu){.M = M, .F = C, .gu = x, .dh = dy, .dgu = wide_ref, .h = y_ref});
      k->swiglu_backward(
          &(struct rmx__swiglu){.M = M, .F = C, .gu = x, .dh = dy, .dgu = wide, .h = y});
      close(k, "h of swiglu again", y, y_ref, n, 8);
      close(k, "gradient of swiglu", wide, wide_ref, 2 * n, 16);

      memset(y, 0, n * sizeof *y), memset(y_ref, 0, n * sizeof *y);
      ref->scatter_add(M, C, x, ids, y_ref);
      k->scatter_add(M, C, x, ids, y);
      close(k, "scatter_add", y, y_ref, n, 1);
      k->gather(M, C, x, ids, y);
      for (size_t r = 0; r < M; r++)
        ck_assert_mem_eq(y + r * C, x + (size_t)ids[r] * C, C * sizeof *y);
      ck_assert_double_eq_tol(k->squared_norm(2 * n, x), ref->squared_norm(2 * n, x),
                              1e-6 * ref->squared_norm(2 * n, x));

      const float weights[] = {1, 0, 2, 0.5f, 3};
      const int32_t labels[] = {0, (int32_t)C - 1, -1, (int32_t)(C / 2), 0};
      float *g = copy_of(x, n), *g_ref = copy_of(x, n), loss[8], loss_ref[8];
      ref->cross_entropy(&(struct rmx__cross_entropy){.M = M,
                                                      .V = C,
                                                      .logits = g_ref,
                                                      .labels = labels,
                                                      .weights = weights,
                                                      .losses = loss_ref,
                                                      .gradient = true});
      k->cross_entropy(&(struct rmx__cross_entropy){.M = M,
                                                    .V = C,
                                                    .logits = g,
                                                    .labels = labels,
                                                    .weights = weights,
                                                    .losses = loss,
                                                    .gradient = true});
      close(k, "loss", loss, loss_ref, M, 8);
      close(k, "gradient of the logits", g, g_ref, n, 8);
      ck_assert(loss[2] == 0 && g[2 * C] == 0);
      memcpy(g, x, n * sizeof *g);
      k->cross_entropy(&(struct rmx__cross_entropy){
          .M = M, .V = C, .logits = g, .labels = labels, .weights = weights, .losses = loss});
      close(k, "loss without gradient", loss, loss_ref, M, 8);
      free(dx), free(dw), free(dx_ref), free(dw_ref), free(g), free(g_ref);
    }
    free(x), free(w), free(dy), free(dx0), free(dw0), free(y), free(y_ref), free(wide),
        free(wide_ref);
  }
}
END_TEST

START_TEST(rope_turns_and_turns_back) {
  const rmx_kernels *list[MOST], *ref = NULL;
  const size_t n_levels = levels(list), M = 14, T = 7, H = 3;
  must(rmx_kernels_get("ref", &ref, err));
  for (size_t S = 2; S <= 66; S += 8) {
    const size_t ld = H * S + 5, half = S / 2;
    float *x = normals(M * ld, 1), *cosine = normals(T * half, 2), *sine = normals(T * half, 3);
    for (size_t i = 0; i < T * half; i++) cosine[i] = cosf((float)i), sine[i] = sinf((float)i);
    float *wanted = copy_of(x, M * ld);
    ref->rope(&(struct rmx__rope){
        .M = M, .T = T, .heads = H, .S = S, .x = wanted, .ld = ld, .cosine = cosine, .sine = sine});
    /* The equation itself, at one place: row 9 is at position 2; head 1, pair 0. */
    const double c = cosine[2 * half], s = sine[2 * half], p = x[9 * ld + S],
                 q = x[9 * ld + S + half];
    ck_assert_double_eq_tol(wanted[9 * ld + S], p * c - q * s, 1e-6);
    ck_assert_double_eq_tol(wanted[9 * ld + S + half], q * c + p * s, 1e-6);
    for (size_t l = 0; l < n_levels; l++) {
      float *got = copy_of(x, M * ld);
      list[l]->rope(&(struct rmx__rope){
          .M = M, .T = T, .heads = H, .S = S, .x = got, .ld = ld, .cosine = cosine, .sine = sine});
      close(list[l], "rope", got, wanted, M * ld, 4);
      list[l]->rope(&(struct rmx__rope){.M = M,
                                        .T = T,
                                        .heads = H,
                                        .S = S,
                                        .x = got,
                                        .ld = ld,
                                        .cosine = cosine,
                                        .sine = sine,
                                        .back = true});
      close(list[l], "rope and back", got, x, M * ld, 4);
      free(got);
    }
    free(x), free(cosine), free(sine), free(wanted);
  }
}
END_TEST

START_TEST(equations) {
  const rmx_kernels *list[MOST];
  for (size_t l = 0, n = levels(list); l < n; l++) {
    const rmx_kernels *k = list[l];
    const float x[] = {3, 4}, w[] = {1, 2};
    float y[2], rstd;
    k->rmsnorm(&(struct rmx__rmsnorm){
        .M = 1, .C = 2, .x = x, .w = w, .eps = 0, .y = y, .rstd = &rstd}); /* rms = sqrt(12.5) */
    ck_assert_double_eq_tol(y[0], 3 / sqrt(12.5), 1e-6);
    ck_assert_double_eq_tol(y[1], 8 / sqrt(12.5), 1e-6);
    const float gu[] = {0, 100, -100, -1000, 5, 6, 7, 8};
    float h[4];
    k->swiglu(&(struct rmx__swiglu){.M = 1, .F = 4, .gu = gu, .h = h});
    ck_assert(h[0] == 0 && h[1] == 600);
    ck_assert(fabs(h[2]) < 1e-30 && h[3] == 0);
    float logits[] = {0, 0, 0, 0, 1000, 0, 0, 0, -INFINITY, 0, -INFINITY, -INFINITY};
    const int32_t labels[] = {2, 0, 1};
    float losses[3];
    k->cross_entropy(&(struct rmx__cross_entropy){
        .M = 3, .V = 4, .logits = logits, .labels = labels, .losses = losses, .gradient = true});
    ck_assert_double_eq_tol(losses[0], log(4), 1e-6);
    ck_assert(losses[1] == 0 && losses[2] == 0);
    ck_assert_double_eq_tol(logits[2], -0.75, 1e-6);
    ck_assert_double_eq_tol(logits[3], 0.25, 1e-6);
    float bad[] = {1, NAN, 2};
    k->cross_entropy(&(struct rmx__cross_entropy){.M = 1,
                                                  .V = 3,
                                                  .logits = bad,
                                                  .labels = (const int32_t[]){0},
                                                  .losses = losses,
                                                  .gradient = true});
    ck_assert_msg(isnan(losses[0]) && isnan(bad[2]), "%s: a NaN was lost", k->name);
  }
}
END_TEST

/* softmax of a single pair gives e^x / (1 + e^x): the vector exponential against libm over its
 * whole range.
 */
START_TEST(exponential_is_accurate) {
  const rmx_kernels *list[MOST];
  for (size_t l = 0, n = levels(list); l < n; l++)
    for (double x = -86; x < 0; x += 0.0173) {
      float pair[2] = {(float)x, 0}, loss;
      list[l]->cross_entropy(&(struct rmx__cross_entropy){.M = 1,
                                                          .V = 2,
                                                          .logits = pair,
                                                          .labels = (const int32_t[]){1},
                                                          .losses = &loss,
                                                          .gradient = true});
      const double e = exp((double)(float)x), wanted = e / (1 + e);
      ck_assert_msg(fabs(pair[0] / wanted - 1) < 4e-7, "%s: exp(%g) is off by %g", list[l]->name, x,
                    pair[0] / wanted - 1);
    }
}
END_TEST

static void head_of(const struct rmx__threaded *c, size_t M, size_t C, size_t V, const float *x,
                    const float *w, const int32_t *labels, const float *weights, float *losses,
                    float *dx, float *dw, float *memory) {
  rmx__head_weights(c, C, V, w, dx != NULL, memory);
  rmx__head(c, &(struct rmx__head){.M = M,
                                   .C = C,
                                   .V = V,
                                   .x = x,
                                   .w = w,
                                   .labels = labels,
                                   .weights = weights,
                                   .losses = losses,
                                   .dx = dx,
                                   .dw = dw,
                                   .memory = memory});
}

START_TEST(head_is_the_sum_of_its_parts) {
  const rmx_kernels *list[MOST], *ref = NULL;
  const size_t n_levels = levels(list), M = 401, C = 20, V = 37; /* more rows than a block */
  must(rmx_kernels_get("ref", &ref, err));
  float *x = normals(M * C, 1), *w = normals(V * C, 2), *weights = normals(M, 3),
        *scratch = normals(rmx__gemm_scratch() + rmx__head_scratch(C), 4),
        *block = normals(rmx__head_memory(C, V, true), 5);
  float *logits = normals(M * V, 5), *losses = normals(M, 6), *dx = normals(M * C, 7),
        *dw = normals(V * C, 8);
  float *dx_ref = normals(M * C, 9), *dw_ref = normals(V * C, 8), *losses_ref = normals(M, 1);
  int32_t labels[401];
  for (size_t i = 0; i < M; i++) labels[i] = (int32_t)(i * 7 % V);
  ref->gemm(ref,
            &(struct rmx__gemm){.tb = true,
                                .M = M,
                                .N = V,
                                .K = C,
                                .a = x,
                                .lda = C,
                                .b = w,
                                .ldb = C,
                                .c = logits,
                                .ldc = V},
            scratch);
  ref->cross_entropy(&(struct rmx__cross_entropy){.M = M,
                                                  .V = V,
                                                  .logits = logits,
                                                  .labels = labels,
                                                  .weights = weights,
                                                  .losses = losses_ref,
                                                  .gradient = true});
  ref->gemm(ref,
            &(struct rmx__gemm){.ta = true,
                                .M = V,
                                .N = C,
                                .K = M,
                                .a = logits,
                                .lda = V,
                                .b = x,
                                .ldb = C,
                                .c = dw_ref,
                                .ldc = C,
                                .accumulate = true},
            scratch);
  ref->gemm(
      ref,
      &(struct rmx__gemm){
          .M = M, .N = C, .K = V, .a = logits, .lda = V, .b = w, .ldb = C, .c = dx_ref, .ldc = C},
      scratch);
  float *start = copy_of(dw, V * C);
  for (size_t l = 0; l < n_levels; l++) {
    memcpy(dw, start, V * C * sizeof *dw);
    const struct rmx__threaded alone = {.k = list[l], .threads = 1, .scratch = {scratch}};
    head_of(&alone, M, C, V, x, w, labels, weights, losses, dx, dw, block);
    close(list[l], "losses", losses, losses_ref, M, allowed(list[l], 20, 2));
    close(list[l], "dx", dx, dx_ref, M * C, allowed(list[l], 20, 4));
    close(list[l], "dw", dw, dw_ref, V * C, allowed(list[l], 40, 4));
    head_of(&alone, M, C, V, x, w, labels, NULL, losses, NULL, NULL, block);
    close(list[l], "losses alone", losses, losses_ref, M, allowed(list[l], 20, 2));
  }
  free(x), free(w), free(weights), free(scratch), free(block), free(logits), free(losses), free(dx),
      free(dw);
  free(dx_ref), free(dw_ref), free(losses_ref), free(start);
}
END_TEST

/* Words later in the vocabulary are so much likelier for some rows that what was summed up before
 * must shrink; and a piece of the rows more or less, or another thread, changes no bit. */
START_TEST(head_of_logits_that_grow) {
  const rmx_kernels *list[MOST], *ref = NULL;
  enum { M = 300, C = 9, V = 1100 };
  const size_t n_levels = levels(list);
  must(rmx_kernels_get("ref", &ref, err));
  const size_t each = rmx__gemm_scratch() + rmx__head_scratch(C);
  float *x = normals(M * C, 1), *w = normals(V * C, 2), *scratch = normals(3 * each, 3);
  float *memory = normals(rmx__head_memory(C, V, true), 4);
  float *losses = normals(M, 5), *dx = normals(M * C, 6), *dw = normals(V * C, 7),
        *start = copy_of(dw, V * C);
  float *losses_ref = normals(M, 5), *dx_ref = normals(M * C, 6), *dw_ref = copy_of(dw, V * C);
  int32_t labels[M];
  for (size_t i = 0; i < M; i++) labels[i] = i % 11 == 5 ? -1 : (int32_t)(i * 97 % V);
  for (size_t j = 0; j < V; j++) w[j * C] = 0.2f * (float)j; /* logits of -600 to 600 */
  const struct rmx__threaded spec = {.k = ref, .threads = 1, .scratch = {scratch}};
  rmx_pool *pool = NULL;
  must(rmx_pool_new(3, &pool, err));
  for (size_t l = 0; l < n_levels; l++) {
    /* Operands rounded beforehand: at logits of 600 another rounding is another model. */
    float *x_l = as_operand(list[l], x, M * C), *w_l = as_operand(list[l], w, V * C);
    memcpy(dw_ref, start, V * C * sizeof *dw);
    head_of(&spec, M, C, V, x_l, w_l, labels, NULL, losses_ref, dx_ref, dw_ref, memory);
    memcpy(dw, start, V * C * sizeof *dw);
    const struct rmx__threaded alone = {.k = list[l], .threads = 1, .scratch = {scratch}};
    head_of(&alone, M, C, V, x_l, w_l, labels, NULL, losses, dx, dw, memory);
    close(list[l], "losses", losses, losses_ref, M, 20);
    close(list[l], "dx", dx, dx_ref, M * C,
          allowed(list[l], 400, 4)); /* exp of a logit of 600, which is known to 3e-5 */
    close(list[l], "dw", dw, dw_ref, V * C, allowed(list[l], 400, 4));
    for (size_t i = 5; i < M; i += 11)
      ck_assert(losses[i] == 0 && dx[i * C] == 0 && dx[i * C + C - 1] == 0);
    float *losses_3 = normals(M, 5), *dx_3 = normals(M * C, 6), *dw_3 = copy_of(start, V * C);
    const struct rmx__threaded three = {.k = list[l],
                                        .pool = pool,
                                        .threads = 3,
                                        .scratch = {scratch, scratch + each, scratch + 2 * each}};
    head_of(&three, M, C, V, x_l, w_l, labels, NULL, losses_3, dx_3, dw_3, memory);
    ck_assert_mem_eq(losses_3, losses, M * sizeof *losses);
    ck_assert_mem_eq(dx_3, dx, M * C * sizeof *dx);
    ck_assert_mem_eq(dw_3, dw, V * C * sizeof *dw);
    head_of(&three, M, C, V, x_l, w_l, labels, NULL, losses_3, NULL, NULL, memory);
    ck_assert_mem_eq(losses_3, losses, M * sizeof *losses);
    free(losses_3), free(dx_3), free(dw_3), free(x_l), free(w_l);
  }
  rmx_pool_free(pool);
  free(x), free(w), free(scratch), free(memory), free(losses), free(dx), free(dw), free(start),
      free(losses_ref);
  free(dx_ref), free(dw_ref);
}
END_TEST

/* Logits far apart, and larger the later they come: shifts must move, again and again, in the head
 * and in attention, and no exponential overflow. The label of some rows is the largest by far, of
 * some the smallest, of some none. */
START_TEST(logits_far_apart) {
  const rmx_kernels *list[MOST], *ref = NULL;
  const size_t n_levels = levels(list), M = 40, C = 4, V = 700;
  must(rmx_kernels_get("ref", &ref, err));
  float *x = normals(M * C, 1), *w = normals(V * C, 2), *weights = normals(M, 3);
  float *scratch = normals(rmx__gemm_scratch() + rmx__head_scratch(C), 4);
  float *memory = normals(rmx__head_memory(C, V, true), 5);
  float *losses = normals(M, 6), *dx = normals(M * C, 7), *dw = normals(V * C, 8);
  float *losses_ref = normals(M, 6), *dx_ref = normals(M * C, 7), *dw_ref = normals(V * C, 8);
  int32_t labels[40];
  for (size_t i = 0; i < V; i++)
    for (size_t j = 0; j < C; j++)
      w[i * C + j] = j == 0 ? (float)(i / 100 * 64) : (float)(i % 8) / 8;
  for (size_t r = 0; r < M; r++) {
    for (size_t j = 0; j < C; j++)
      x[r * C + j] = j == 0 ? (float)(r % 5) / 2 : (float)(r % 3) - 1; /* exact in bf16 */
    labels[r] = r % 4 == 3 ? -1 : r % 4 == 2 ? (int32_t)V - 1 : (int32_t)(r * 17 % V);
  }
  const struct rmx__threaded plain = {.k = ref, .threads = 1, .scratch = {scratch}};
  head_of(&plain, M, C, V, x, w, labels, weights, losses_ref, dx_ref, dw_ref, memory);
  for (size_t l = 0; l < n_levels; l++) {
    float *start = normals(V * C, 8);
    memcpy(dw, start, V * C * sizeof *dw);
    const struct rmx__threaded alone = {.k = list[l], .threads = 1, .scratch = {scratch}};
    head_of(&alone, M, C, V, x, w, labels, weights, losses, dx, dw, memory);
    close(list[l], "losses far apart", losses, losses_ref, M, 20);
    close(list[l], "dx far apart", dx, dx_ref, M * C, allowed(list[l], 40, 4));
    close(list[l], "dw far apart", dw, dw_ref, V * C, allowed(list[l], 40, 4));
    free(start);
  }
  enum { T = 300, S = 2 };
  float *qkv = normals(3 * T * S, 1), *out = normals(T * S, 2), *lse = normals(T, 3),
        *dqkv = normals(3 * T * S, 4);
  float *out_ref = normals(T * S, 2), *lse_ref = normals(T, 3), *dqkv_ref = normals(3 * T * S, 4);
  float *dout = normals(T * S, 5), *room = normals(rmx__attention_scratch(T, S), 6);
  /* the scores of later keys exceed those of the first by 70 and more */
  for (size_t t = 0; t < T; t++) {
    qkv[t * 3 * S] = 1, qkv[t * 3 * S + 1] = 0;
    qkv[t * 3 * S + S] = t < 128 ? (float)(t % 4) : t < 256 ? 128 : 256;
  }
  ref->attention(ref,
                 &(struct rmx__attention){
                     .B = 1, .T = T, .H = 1, .S = S, .qkv = qkv, .out = out_ref, .lse = lse_ref},
                 0, 1, room);
  ref->attention_backward(ref,
                          &(struct rmx__attention){.B = 1,
                                                   .T = T,
                                                   .H = 1,
                                                   .S = S,
                                                   .qkv = qkv,
                                                   .out = out_ref,
                                                   .lse = lse_ref,
                                                   .dout = dout,
                                                   .dqkv = dqkv_ref},
                          0, 1, room);
  for (size_t l = 0; l < n_levels; l++) {
    list[l]->attention(list[l],
                       &(struct rmx__attention){
                           .B = 1, .T = T, .H = 1, .S = S, .qkv = qkv, .out = out, .lse = lse},
                       0, 1, room);
    close(list[l], "attention far apart", out, out_ref, T * S, allowed(list[l], 40, 8));
    close(list[l], "its log-sum-exp", lse, lse_ref, T, allowed(list[l], 10, 2));
    list[l]->attention_backward(list[l],
                                &(struct rmx__attention){.B = 1,
                                                         .T = T,
                                                         .H = 1,
                                                         .S = S,
                                                         .qkv = qkv,
                                                         .out = out,
                                                         .lse = lse,
                                                         .dout = dout,
                                                         .dqkv = dqkv},
                                0, 1, room);
    for (size_t i = 0; i < 3 * T * S; i++) ck_assert(isfinite(dqkv[i]));
  }
  free(x), free(w), free(weights), free(scratch), free(memory), free(losses), free(dx), free(dw);
  free(losses_ref), free(dx_ref), free(dw_ref), free(qkv), free(out), free(lse), free(dqkv),
      free(out_ref);
  free(lse_ref), free(dqkv_ref), free(dout), free(room);
}
END_TEST

/* Where logits of one block and exponentials of another are made in one call: the same bits as one
 * after the other, however many there are of either. */
START_TEST(head_block_is_its_two_parts) {
  const rmx_kernels *list[MOST];
  const size_t n_levels = levels(list);
  static const size_t logit_rows[] = {1, 31, 32, 33, 128}, exponential_rows[] = {0, 1, 2, 127, 128},
                      depths[] = {7, 256};
  for (size_t l = 0; l < n_levels; l++)
    for (size_t i = 0; list[l]->head_block && i < 5 * 5 * 2; i++) {
      const rmx_kernels *k = list[l];
      const size_t rows = logit_rows[i % 5], others = exponential_rows[i / 5 % 5],
                   C = depths[i / 25], words = rmx__bf16_words(C);
      float *w = normals(rows * C, 1), *x = normals(32 * C, 2),
            *a = normals((rows + 32) * words, 3), *b = normals(32 * words, 4);
      float *before = normals(128 * 32, 5), *shift = normals(32, 6);
      k->pack_a(a, rows, C, w, C, false);
      k->pack_b(b, C, 32, x, C, true);
      float *logits[2], *sums[2], *packed[2], *e[2];
      for (int way = 0; way < 2; way++) {
        logits[way] = normals(128 * 32, 7), sums[way] = normals(32, 8);
        packed[way] = normals(64 * 32, 9), e[way] = normals(128 * 24, 10);
        const struct rmx__exponentials of = {.rows = others,
                                             .ld = 24,
                                             .logits = before,
                                             .shift = shift,
                                             .sums = sums[way],
                                             .packed = packed[way],
                                             .e = e[way]};
        k->begin();
        if (way == 0) {
          rmx__gemm_packed(k, &(struct rmx__panels){.M = rows,
                                                    .N = 32,
                                                    .K = words,
                                                    .a = a,
                                                    .b = b,
                                                    .panel = 0,
                                                    .c = logits[way],
                                                    .ldc = 32});
          k->head_exponentials(&of);
        } else {
          k->head_block(rows, words, a, b, logits[way], &of);
        }
        k->end();
      }
      ck_assert_mem_eq(logits[0], logits[1], rows * 32 * sizeof(float));
      ck_assert_mem_eq(sums[0], sums[1], 32 * sizeof(float));
      ck_assert_mem_eq(packed[0], packed[1], 64 * 32 * sizeof(float));
      ck_assert_mem_eq(e[0], e[1], 128 * 24 * sizeof(float));
      for (int way = 0; way < 2; way++)
        free(logits[way]), free(sums[way]), free(packed[way]), free(e[way]);
      free(w), free(x), free(a), free(b), free(before), free(shift);
    }
}
END_TEST

/* What a level that was never run here must pass before it is used, and would not if its tiles were
 * wrong. */
static const rmx_kernels *right;
static void wrong_micro_kernel(size_t m, size_t n, size_t K, const float *a, size_t a_row,
                               size_t a_k, const float *b, float *c, size_t ldc, bool accumulate) {
  right->micro_kernel(m, n, K - 16, a, a_row, a_k, b, c, ldc, accumulate);
}
static void wrong_block(size_t rows, size_t depth, const float *a, const float *b, float *logits,
                        const struct rmx__exponentials *of) {
  right->head_block(rows - 1, depth, a, b, logits, of);
  logits[(rows - 1) * 32]++;
}
START_TEST(tiles_are_checked_before_they_are_used) {
  const rmx_kernels *list[MOST];
  for (size_t l = 0, n = levels(list); l < n; l++) {
    if (!list[l]->bf16) continue;
    right = list[l];
    ck_assert_msg(rmx__multiplies_exactly(right), "%s", right->name);
    rmx_kernels wrong = *right;
    wrong.micro_kernel = wrong_micro_kernel;
    ck_assert(!rmx__multiplies_exactly(&wrong));
    if (right->head_block) {
      wrong = *right;
      wrong.head_block = wrong_block;
      ck_assert(!rmx__multiplies_exactly(&wrong));
    }
  }
}
END_TEST

START_TEST(adamw_of_any_length) {
  const rmx_kernels *list[MOST], *ref = NULL;
  const size_t n_levels = levels(list);
  must(rmx_kernels_get("ref", &ref, err));
  const struct rmx__adamw o = {0.9f, 0.95f, 1e-8f, 1e-2f, 0.1f, 0.5f, 10, 20};
  for (size_t s = 0; s < SIZES; s++)
    for (size_t l = 0; l < n_levels; l++) {
      const size_t n = sizes[s];
      float *state[2][4];
      for (int i = 0; i < 2; i++)
        for (uint64_t j = 0; j < 4; j++) state[i][j] = normals(n, j);
      for (size_t i = 0; i < n; i++) state[0][3][i] = state[1][3][i] = fabsf(state[0][3][i]);
      list[l]->adamw(n, state[0][0], state[0][1], state[0][2], state[0][3], &o);
      ref->adamw(n, state[1][0], state[1][1], state[1][2], state[1][3], &o);
      close(list[l], "w of adamw", state[0][0], state[1][0], n, 4);
      close(list[l], "m of adamw", state[0][2], state[1][2], n, 4);
      close(list[l], "v of adamw", state[0][3], state[1][3], n, 4);
      for (size_t i = 0; i < n; i++) ck_assert(state[0][1][i] == 0);
      for (int i = 0; i < 2; i++)
        for (int j = 0; j < 4; j++) free(state[i][j]);
    }
}
END_TEST

START_TEST(levels_are_chosen) {
  const rmx_kernels *k = NULL;
  const char *names[MOST];
  const size_t n = rmx_kernels_available(names, MOST);
  ck_assert_uint_ge(n, 2);
  ck_assert_str_eq(names[0], "ref");
  unsetenv("REGMIX_ISA");
  must(rmx_kernels_get(NULL, &k, err));
  ck_assert_str_eq(rmx_kernels_name(k), names[n - 1]);
  setenv("REGMIX_ISA", "ref", 1);
  must(rmx_kernels_get("auto", &k, err));
  ck_assert_str_eq(rmx_kernels_name(k), "ref");
  must(rmx_kernels_get(names[n - 1], &k, err)); /* the argument wins */
  ck_assert_str_eq(rmx_kernels_name(k), names[n - 1]);
  setenv("REGMIX_ISA", "avx3", 1);
  must_fail(rmx_kernels_get(NULL, &k, err), "$REGMIX_ISA: processor level \"avx3\"");
  must_fail(rmx_kernels_get("sse9", &k, err), "available: ref, simd128");
  rmx_err err;
  if (rmx_kernels_get("amx", &k, &err) != RMX_OK) /* says why */
    ck_assert_msg(strstr(err.message, "has no") || strstr(err.message, "the system"), "%s",
                  err.message);
  unsetenv("REGMIX_ISA");
  must(rmx_kernels_get(NULL, &k, err));
  const double peak = rmx_kernels_peak_gflops(k);
  ck_assert(peak > 0 && isfinite(peak));
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, gemm_of_odd_shapes);
  tcase_add_test(tc, gemm_rows_do_not_know_of_each_other);
  tcase_add_test(tc, gemm_hands_on_nan_and_infinity);
  tcase_add_test(tc, operands_are_rounded_as_defined);
  tcase_add_test(tc, bf16_is_not_float);
  tcase_add_test(tc, attention_forward_and_backward);
  tcase_add_test(tc, rows);
  tcase_add_test(tc, rope_turns_and_turns_back);
  tcase_add_test(tc, equations);
  tcase_add_test(tc, exponential_is_accurate);
  tcase_add_test(tc, head_is_the_sum_of_its_parts);
  tcase_add_test(tc, head_of_logits_that_grow);
  tcase_add_test(tc, logits_far_apart);
  tcase_add_test(tc, head_block_is_its_two_parts);
  tcase_add_test(tc, tiles_are_checked_before_they_are_used);
  tcase_add_test(tc, adamw_of_any_length);
  tcase_add_test(tc, levels_are_chosen);
}
