// SPDX-License-Identifier: Apache-2.0
/* Every fast kernel but products and the head, against the reference: sizes that fill no tile,
 * strides, special values.
 */
#include "kernel_levels.h"

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
  tcase_add_test(tc, attention_forward_and_backward);
  tcase_add_test(tc, rows);
  tcase_add_test(tc, rope_turns_and_turns_back);
  tcase_add_test(tc, equations);
  tcase_add_test(tc, exponential_is_accurate);
  tcase_add_test(tc, adamw_of_any_length);
  tcase_add_test(tc, levels_are_chosen);
}
