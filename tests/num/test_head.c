// SPDX-License-Identifier: Apache-2.0
/* The head (logits, losses and their gradients in one), at every level: the sum of its parts, and
 * the same bits on any number of threads.
 */
#include "kernel_levels.h"

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

static void add_tests(TCase *tc) {
  tcase_add_test(tc, head_is_the_sum_of_its_parts);
  tcase_add_test(tc, head_of_logits_that_grow);
  tcase_add_test(tc, logits_far_apart);
  tcase_add_test(tc, head_block_is_its_two_parts);
}
