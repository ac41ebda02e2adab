// SPDX-License-Identifier: Apache-2.0
/* matmul.c: the bare matrix products of a training step against OpenBLAS and, where it was there at
 * build time, oneDNN.
 *
 *   peer_matmul [LEVEL]
 *
 * One thread each. A line a product: GFLOP/s of ours and of each peer, in turn, median of the
 * repetitions, and our ratio to the best peer. Each call packs whatever it packs, from the same
 * row-major arrays. bf16 is oneDNN's alone: arrays of bf16 in, fp32 out, which leaves the rounding
 * of the inputs out of its time.
 */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

#include "kernels/kernels.h"

extern void openblas_set_num_threads(int n);
extern char *openblas_get_corename(void);

struct product {
  const char *what;
  size_t M, N, K;
  bool ta, tb;
};

/* Of a slice of 512 tokens of the preset 1M, F = 512, C = 256; the head takes 252 rows at a
 * time. */
#define SHAPES(V)                                                                 \
  {"head      x W^T", 252, V, 256, 0, 1}, {"head dx   g W", 252, 256, V, 0, 0}, { \
    "head dW   g^T x", V, 256, 252, 1, 0                                          \
  }
static const struct product products[] = {
    {"qkv       x W^T", 512, 768, 256, 0, 1},
    {"qkv dx    g W", 512, 256, 768, 0, 0},
    {"qkv dW    g^T x", 768, 256, 512, 1, 0},
    {"wo        x W^T", 512, 256, 256, 0, 1},
    {"gate, up  x W^T", 512, 1024, 256, 0, 1},
    {"down      x W^T", 512, 256, 512, 0, 1},
    {"down dW   g^T x", 256, 512, 512, 1, 0},
    SHAPES(4096),
    SHAPES(50432),
};

struct task {
  const struct product *p;
  const rmx_kernels *k;
  float *a, *b, *c, *scratch;
#ifdef HAVE_ONEDNN
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  dnnl_primitive_t bf16;
  dnnl_exec_arg_t args[3];
#endif
};

static void *numbers(size_t n) {
  float *x = aligned_alloc(64, (n * sizeof *x + 63) / 64 * 64);
  if (!x) exit(1);
  rmx_rng rng = rmx_rng_make(1, n, RMX_FOR_TEST);
  for (size_t i = 0; i < n; i++) x[i] = (float)rmx_rng_uniform(&rng) - 0.5f;
  return x;
}

static void run_ours(const struct task *t) {
  const struct product *p = t->p;
  t->k->gemm(t->k,
             &(struct rmx__gemm){.ta = p->ta,
                                 .tb = p->tb,
                                 .M = p->M,
                                 .N = p->N,
                                 .K = p->K,
                                 .a = t->a,
                                 .lda = p->ta ? p->M : p->K,
                                 .b = t->b,
                                 .ldb = p->tb ? p->K : p->N,
                                 .c = t->c,
                                 .ldc = p->N},
             t->scratch);
}

static void run_openblas(const struct task *t) {
  const struct product *p = t->p;
  cblas_sgemm(CblasRowMajor, p->ta ? CblasTrans : CblasNoTrans, p->tb ? CblasTrans : CblasNoTrans,
              (int)p->M, (int)p->N, (int)p->K, 1, t->a, (int)(p->ta ? p->M : p->K), t->b,
              (int)(p->tb ? p->K : p->N), 0, t->c, (int)p->N);
}

#ifdef HAVE_ONEDNN
static void sure(dnnl_status_t status, const char *what) {
  if (status == dnnl_success) return;
  fprintf(stderr, "peer_matmul: oneDNN: %s: status %d\n", what, (int)status);
  exit(1);
}

static void run_onednn(const struct task *t) {
  const struct product *p = t->p;
  sure(dnnl_sgemm(p->ta ? 'T' : 'N', p->tb ? 'T' : 'N', (dnnl_dim_t)p->M, (dnnl_dim_t)p->N,
                  (dnnl_dim_t)p->K, 1, t->a, (dnnl_dim_t)(p->ta ? p->M : p->K), t->b,
                  (dnnl_dim_t)(p->tb ? p->K : p->N), 0, t->c, (dnnl_dim_t)p->N),
       "sgemm");
}

/* A primitive whose arrays are a, b and c themselves; bf16 numbers take half of a and of b. */
static void make_bf16(struct task *t) {
  const struct product *p = t->p;
  const dnnl_dim_t M = (dnnl_dim_t)p->M, N = (dnnl_dim_t)p->N, K = (dnnl_dim_t)p->K;
  dnnl_memory_desc_t a, b, c;
  dnnl_matmul_desc_t d;
  dnnl_primitive_desc_t made;
  sure(dnnl_memory_desc_init_by_strides(&a, 2, (dnnl_dims_t){M, K}, dnnl_bf16,
                                        p->ta ? (dnnl_dims_t){1, M} : (dnnl_dims_t){K, 1}),
       "A");
  sure(dnnl_memory_desc_init_by_strides(&b, 2, (dnnl_dims_t){K, N}, dnnl_bf16,
                                        p->tb ? (dnnl_dims_t){1, K} : (dnnl_dims_t){N, 1}),
       "B");
  sure(dnnl_memory_desc_init_by_strides(&c, 2, (dnnl_dims_t){M, N}, dnnl_f32, (dnnl_dims_t){N, 1}),
       "C");
  sure(dnnl_matmul_desc_init(&d, &a, &b, NULL, &c), "matmul");
  sure(dnnl_primitive_desc_create(&made, &d, NULL, t->engine, NULL), "matmul of bf16");
  sure(dnnl_primitive_create(&t->bf16, made), "matmul of bf16");
  dnnl_primitive_desc_destroy(made);
  const struct {
    int arg;
    const dnnl_memory_desc_t *of;
    void *at;
  } arrays[3] = {{DNNL_ARG_SRC, &a, t->a}, {DNNL_ARG_WEIGHTS, &b, t->b}, {DNNL_ARG_DST, &c, t->c}};
  for (int i = 0; i < 3; i++) {
    t->args[i].arg = arrays[i].arg;
    sure(dnnl_memory_create(&t->args[i].memory, arrays[i].of, t->engine, arrays[i].at), "memory");
  }
}

static void free_bf16(struct task *t) {
  for (int i = 0; i < 3; i++) dnnl_memory_destroy(t->args[i].memory);
  dnnl_primitive_destroy(t->bf16);
}

static void run_bf16(const struct task *t) {
  sure(dnnl_primitive_execute(t->bf16, t->stream, 3, t->args), "execute");
  sure(dnnl_stream_wait(t->stream), "wait");
}
#endif

static const struct rival {
  const char *name;
  void (*run)(const struct task *t);
} rivals[] = {
    {"ours", run_ours},
    {"OpenBLAS", run_openblas},
#ifdef HAVE_ONEDNN
    {"oneDNN", run_onednn},
    {"oneDNN bf16", run_bf16},
#endif
};
enum { RIVALS = sizeof rivals / sizeof *rivals, REPETITIONS = 25 };

static int by_size(const void *x, const void *y) {
  const double a = *(const double *)x, b = *(const double *)y;
  return a < b ? -1 : a > b;
}

/* All must have computed the same thing before it is worth timing: the first row of C as ours has
 * it, but for what the rounding of the inputs to bf16 makes of it (numbers of up to 1/2, K of
 * them). */
static void check(const struct task *t, int rival, float *first) {
  const size_t N = t->p->N;
  if (rival == 0) memcpy(first, t->c, N * sizeof *first);
  for (size_t j = 0; j < N; j++)
    if (!(fabsf(t->c[j] - first[j]) <= 2e-3f * sqrtf((float)t->p->K))) {
      fprintf(stderr, "peer_matmul: %s: %s has %g where ours has %g\n", t->p->what,
              rivals[rival].name, (double)t->c[j], (double)first[j]);
      exit(1);
    }
}

/* The rivals in turn, so that what else the machine does falls on all alike. */
static void measure(struct task *t, double gflops[RIVALS]) {
  static double seconds[RIVALS][REPETITIONS];
  const struct product *p = t->p;
  float *first = numbers(p->N);
  for (int i = -1; i < REPETITIONS; i++)
    for (int r = 0; r < RIVALS; r++) {
      const double before = rmx_now();
      rivals[r].run(t);
      if (i >= 0)
        seconds[r][i] = rmx_now() - before;
      else if (!strstr(rivals[r].name, "bf16"))
        check(t, r, first);
    }
  for (int r = 0; r < RIVALS; r++) {
    qsort(seconds[r], REPETITIONS, sizeof(double), by_size);
    gflops[r] = 2e-9 * (double)p->M * (double)p->N * (double)p->K / seconds[r][REPETITIONS / 2];
  }
  free(first);
}

int main(int argc, char **argv) {
  struct task t = {0};
  rmx_err err;
  if (rmx_kernels_get(argc > 1 ? argv[1] : NULL, &t.k, &err) != RMX_OK) {
    fprintf(stderr, "peer_matmul: %s\n", err.message);
    return 1;
  }
  openblas_set_num_threads(1);
#ifdef HAVE_ONEDNN
  sure(dnnl_engine_create(&t.engine, dnnl_cpu, 0), "engine");
  sure(dnnl_stream_create(&t.stream, t.engine, dnnl_stream_default_flags), "stream");
#else
  printf("oneDNN: not there when this was built (Debian: libdnnl-dev)\n");
#endif
  const double peak = rmx_kernels_peak_gflops(t.k);
  printf("ours: level %s, peak %.0f GFLOP/s; OpenBLAS for %s\n%-16s %5s %5s %5s",
         rmx_kernels_name(t.k), peak, openblas_get_corename(), "product", "M", "N", "K");
  for (int r = 0; r < RIVALS; r++) printf(" %11s", rivals[r].name);
  printf("   of peak  to best fp32 peer\n");
  double ratio = 0;
  const size_t n = sizeof products / sizeof *products;
  t.scratch = numbers(rmx__gemm_scratch());
  for (size_t i = 0; i < n; i++) {
    const struct product *p = t.p = &products[i];
    double gflops[RIVALS], best = 0;
    t.a = numbers(p->M * p->K), t.b = numbers(p->K * p->N), t.c = numbers(p->M * p->N);
#ifdef HAVE_ONEDNN
    make_bf16(&t);
#endif
    measure(&t, gflops);
    printf("%-16s %5zu %5zu %5zu", p->what, p->M, p->N, p->K);
    for (int r = 0; r < RIVALS; r++) printf(" %11.1f", gflops[r]);
    for (int r = 1; r < RIVALS; r++)
      if (!strstr(rivals[r].name, "bf16") && gflops[r] > best) best = gflops[r];
    printf("  %6.0f %%  %.2f\n", 100 * gflops[0] / peak, gflops[0] / best);
    ratio += log(gflops[0] / best) / (double)n;
#ifdef HAVE_ONEDNN
    free_bf16(&t);
#endif
    free(t.a), free(t.b), free(t.c);
  }
  printf("geometric mean of the ratios: %.2f\n", exp(ratio));
  free(t.scratch);
  return 0;
}
