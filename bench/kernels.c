// SPDX-License-Identifier: Apache-2.0
/* kernels.c: how fast the kernels and a whole training step are, against what the processor can do.
 *
 *   bench-kernels [LEVEL]
 *
 * One thread. Every line: what, GFLOP/s of the best repetition, its share of the peak of a loop
 * that only multiplies and adds in registers. FLOPs of attention and of the step count the lower
 * triangle only.
 */
#include <regmix/model.h>
#include <stdlib.h>

#include "kernels/threaded.h"

static double peak;

static float *numbers(size_t n) {
  float *x = aligned_alloc(64, (n * sizeof *x + 64) / 64 * 64);
  if (!x) exit(1);
  rmx_rng rng = rmx_rng_make(1, n, RMX_FOR_TEST);
  for (size_t i = 0; i < n; i++) x[i] = (float)rmx_rng_uniform(&rng) - 0.5f;
  return x;
}

/* Repeats `statement` for 0.3 s; `best` is the seconds of the fastest. */
#define TIME(best, statement)                                     \
  do {                                                            \
    const double start_ = rmx_now();                              \
    best = 1e9;                                                   \
    do {                                                          \
      const double before_ = rmx_now();                           \
      statement;                                                  \
      if (rmx_now() - before_ < best) best = rmx_now() - before_; \
    } while (rmx_now() - start_ < 0.3);                           \
  } while (0)

static void print(const char *what, double flops, double seconds) {
  printf("%-34s %7.1f GFLOP/s  %3.0f %%\n", what, flops / seconds * 1e-9,
         100 * flops / seconds * 1e-9 / peak);
}

static void bench_gemm(const rmx_kernels *k) {
  static const struct {
    size_t M, N, K;
    bool ta, tb;
  } shapes[] = {
      {256, 256, 256, 0, 0},
      {512, 512, 512, 0, 0},
      {1024, 1024, 1024, 0, 0},
      {1024, 192, 64, 0, 1},
      {1024, 64, 192, 0, 0},
      {192, 64, 1024, 1, 0},
      {1024, 768, 256, 0, 1},
      {768, 256, 1024, 1, 0},
      {384, 1024, 64, 0, 1},
      {252, 4096, 256, 0, 1},
      {4096, 256, 252, 1, 0},
      {252, 256, 4096, 0, 0},
      /* a slice of the 1M proxy: q, k and v, gate and up, down, forward and their gradients */
      {512, 768, 256, 0, 1},
      {768, 256, 512, 1, 0},
      {512, 256, 768, 0, 0},
      {512, 1024, 256, 0, 1},
      {1024, 256, 512, 1, 0},
      {512, 256, 1024, 0, 0},
      {512, 256, 512, 0, 1},
      {256, 512, 512, 1, 0},
  };
  float *scratch = numbers(rmx__gemm_scratch());
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    const size_t M = shapes[i].M, N = shapes[i].N, K = shapes[i].K;
    const bool ta = shapes[i].ta, tb = shapes[i].tb;
    float *a = numbers(M * K), *b = numbers(K * N), *c = numbers(M * N);
    double s;
    TIME(s, k->gemm(k,
                    &(struct rmx__gemm){.ta = ta,
                                        .tb = tb,
                                        .M = M,
                                        .N = N,
                                        .K = K,
                                        .a = a,
                                        .lda = ta ? M : K,
                                        .b = b,
                                        .ldb = tb ? K : N,
                                        .c = c,
                                        .ldc = N,
                                        .accumulate = ta},
                    scratch));
    char what[64];
    snprintf(what, sizeof what, "gemm %s %s %zu x %zu x %zu", ta ? "A^T" : "A", tb ? "B^T" : "B", M,
             N, K);
    print(what, 2.0 * (double)M * (double)N * (double)K, s);
    free(a), free(b), free(c);
  }
  free(scratch);
}

static void bench_attention(const rmx_kernels *k) {
  /* T, H, S */
  static const size_t shapes[][3] = {{128, 2, 32}, {512, 8, 32}, {2048, 8, 32}, {2048, 8, 64}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    const size_t T = shapes[i][0], H = shapes[i][1], S = shapes[i][2], C = H * S, B = 2048 / T;
    float *qkv = numbers(B * T * 3 * C), *out = numbers(B * T * C), *lse = numbers(B * H * T);
    float *dout = numbers(B * T * C), *dqkv = numbers(B * T * 3 * C),
          *scratch = numbers(rmx__attention_scratch(T, S));
    double forward, back;
    TIME(forward,
         k->attention(k,
                      &(struct rmx__attention){
                          .B = B, .T = T, .H = H, .S = S, .qkv = qkv, .out = out, .lse = lse},
                      0, B * H, scratch));
    TIME(back, k->attention_backward(k,
                                     &(struct rmx__attention){.B = B,
                                                              .T = T,
                                                              .H = H,
                                                              .S = S,
                                                              .qkv = qkv,
                                                              .out = out,
                                                              .lse = lse,
                                                              .dout = dout,
                                                              .dqkv = dqkv},
                                     0, B * H, scratch));
    char what[64];
    const double flops = 2.0 * (double)(B * T * T * C);
    snprintf(what, sizeof what, "attention T %zu, %zu heads of %zu", T, H, S);
    print(what, flops, forward);
    print("  backward", 2.5 * flops, back);
    free(qkv), free(out), free(lse), free(dout), free(dqkv), free(scratch);
  }
}

static void bench_head(const rmx_kernels *k) {
  static const size_t vocabularies[] = {4096, 50432};
  for (size_t i = 0; i < 2; i++) {
    const size_t M = 512, C = 256, V = vocabularies[i];
    float *x = numbers(M * C), *w = numbers(V * C), *losses = numbers(M), *dx = numbers(M * C),
          *dw = numbers(V * C);
    float *memory = numbers(rmx__head_memory(C, V, true)),
          *scratch = numbers(rmx__gemm_scratch() + rmx__head_scratch(C));
    int32_t labels[512];
    for (size_t r = 0; r < M; r++) labels[r] = (int32_t)(r * 97 % V);
    const struct rmx__threaded alone = {.k = k, .threads = 1, .scratch = {scratch}};
    const double flops = 2.0 * (double)(M * V * C);
    double forward, all;
    TIME(forward, rmx__head(&alone, &(struct rmx__head){.M = M,
                                                        .C = C,
                                                        .V = V,
                                                        .x = x,
                                                        .w = w,
                                                        .labels = labels,
                                                        .losses = losses,
                                                        .memory = memory}));
    TIME(all, rmx__head(&alone, &(struct rmx__head){.M = M,
                                                    .C = C,
                                                    .V = V,
                                                    .x = x,
                                                    .w = w,
                                                    .labels = labels,
                                                    .losses = losses,
                                                    .dx = dx,
                                                    .dw = dw,
                                                    .memory = memory}));
    char what[64];
    snprintf(what, sizeof what, "head of %zu words", V);
    print(what, flops, forward);
    print("  with gradients", 3 * flops, all);
    free(x), free(w), free(losses), free(dx), free(dw), free(memory), free(scratch);
  }
}

static void bench_rows(const rmx_kernels *k) {
  const size_t M = 1024, C = 256, F = 512, V = 4096, n = 1 << 18;
  float *x = numbers(n), *y = numbers(n), *w = numbers(n), *z = numbers(M * 2 * F),
        *h = numbers(M * F);
  float *logits = numbers(252 * V), *losses = numbers(M), *moment = calloc(n, sizeof *moment);
  int32_t labels[1024];
  if (!moment) exit(1);
  for (size_t i = 0; i < M; i++) labels[i] = (int32_t)i;
  const struct rmx__adamw constants = {.9f, .95f, 1e-8f, 1e-3f, .1f, 1, 1, 1};
  double s;
  TIME(s, k->rmsnorm(&(struct rmx__rmsnorm){
              .M = M, .C = C, .x = x, .w = w, .eps = 1e-5f, .y = y, .rstd = losses}));
  printf("%-34s %7.2f ns a number\n", "rmsnorm", s * 1e9 / (double)(M * C));
  TIME(s, k->rmsnorm_backward(&(struct rmx__rmsnorm){
              .M = M, .C = C, .x = x, .w = w, .rstd = losses, .dy = x, .dx = y, .dw = w}));
  printf("%-34s %7.2f ns a number\n", "  backward", s * 1e9 / (double)(M * C));
  TIME(s, k->swiglu(&(struct rmx__swiglu){.M = M, .F = F, .gu = z, .h = h}));
  printf("%-34s %7.2f ns a number\n", "swiglu", s * 1e9 / (double)(M * F));
  TIME(s, k->cross_entropy(&(struct rmx__cross_entropy){.M = 252,
                                                        .V = V,
                                                        .logits = logits,
                                                        .labels = labels,
                                                        .losses = losses,
                                                        .gradient = true}));
  printf("%-34s %7.2f ns a logit\n", "cross-entropy with gradient", s * 1e9 / (252.0 * (double)V));
  TIME(s, k->adamw(n, w, x, moment, moment, &constants));
  printf("%-34s %7.2f ns a parameter\n", "adamw", s * 1e9 / (double)n);
  free(x), free(y), free(w), free(z), free(h), free(logits), free(losses), free(moment);
}

static void bench_step(const rmx_kernels *k, const char *name, int V, int T, int B, int micro) {
  const rmx_model_preset *p = rmx_model_preset_find(name);
  const rmx_model_config c = {.layers = p->layers,
                              .heads = p->heads,
                              .width = p->width,
                              .ffn = p->ffn,
                              .vocab = V,
                              .context = T,
                              .rope_base = 10000,
                              .norm_eps = 1e-5};
  rmx_err err;
  rmx_model *m;
  if (rmx_model_new(&c, micro, T, true, k, 1, &m, &err) != RMX_OK) {
    fprintf(stderr, "%s\n", err.message);
    exit(1);
  }
  int32_t *tokens = calloc((size_t)(B * T) + 1, sizeof *tokens);
  float *losses = numbers((size_t)(B * T));
  if (!tokens) exit(1);
  rmx_rng rng = rmx_rng_make(1, 0, RMX_FOR_TEST);
  for (int i = 0; i <= B * T; i++) tokens[i] = (int32_t)rmx_rng_below(&rng, (uint64_t)V);
  const rmx_adamw adamw = {0.9, 0.95, 1e-8, 0.1, 1.0};
  double s;
  TIME(s, {
    for (int b = 0; b < B; b += micro)
      rmx_model_backward(m, tokens + b * T, tokens + b * T + 1, NULL, micro, T, losses + b * T);
    rmx_model_step(m, &adamw, 1e-4, B * T);
  });
  char what[64];
  snprintf(what, sizeof what, "step %s V %d T %d B %d", name, V, T, B);
  print(what, rmx_model_flop_per_token(&c, T) * B * T, s);
  printf("%-34s %7.0f tokens/s\n", "", B * T / s);
  free(tokens), free(losses);
  rmx_model_free(m);
}

int main(int argc, char **argv) {
  const rmx_kernels *k;
  rmx_err err;
  if (rmx_kernels_get(argc > 1 ? argv[1] : NULL, &k, &err) != RMX_OK) {
    fprintf(stderr, "%s\n", err.message);
    return 1;
  }
  peak = rmx_kernels_peak_gflops(k);
  printf("%s: peak %.1f GFLOP/s of one thread\n", rmx_kernels_name(k), peak);
  bench_gemm(k);
  bench_attention(k);
  bench_head(k);
  bench_rows(k);
  bench_step(k, "nano", 1024, 128, 16, 16);
  bench_step(k, "mini", 1024, 128, 16, 16);
  bench_step(k, "nano", 4096, 128, 16, 16);
  bench_step(k, "mini", 4096, 128, 16, 16);
  bench_step(k, "1M", 4096, 512, 32, 8);
  return 0;
}
