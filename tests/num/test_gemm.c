// SPDX-License-Identifier: Apache-2.0
/* Products of matrices at every level, beside the reference: shapes that fill no tile, strides,
 * special values, operands in bfloat16.
 */
#include "kernel_levels.h"

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

static void add_tests(TCase *tc) {
  tcase_add_test(tc, gemm_of_odd_shapes);
  tcase_add_test(tc, gemm_rows_do_not_know_of_each_other);
  tcase_add_test(tc, gemm_hands_on_nan_and_infinity);
  tcase_add_test(tc, operands_are_rounded_as_defined);
  tcase_add_test(tc, bf16_is_not_float);
  tcase_add_test(tc, tiles_are_checked_before_they_are_used);
}
