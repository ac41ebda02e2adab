// SPDX-License-Identifier: Apache-2.0
// isa.c: which table of kernels this processor takes.
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

static bool always(void) {
  return true;
}

bool rmx__multiplies_exactly(const rmx_kernels *k) {
  enum { M = 45, N = 44, K = 70, WORDS = (K + 31) / 32 * 16, ROOM = 64 };
  float a[M * K], b[K * N], packed_a[ROOM * WORDS], packed_b[ROOM * WORDS], c[ROOM * N],
      wanted[M * N];
  for (int i = 0; i < M * K; i++) a[i] = (float)(i * 7 % 17 - 8);
  for (int i = 0; i < K * N; i++) b[i] = (float)(i * 5 % 13 - 6);
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) {
      wanted[i * N + j] = 0;
      for (int n = 0; n < K; n++) wanted[i * N + j] += a[i * K + n] * b[n * N + j];
    }
  memset(packed_a, 0, sizeof packed_a);
  k->pack_a(packed_a, M, K, a, K, false);
  k->pack_b(packed_b, K, N, b, N, false);
  bool exact = true;
  if (k->begin) k->begin();
  for (int times = 1; times <= 2; times++) {
    rmx__gemm_packed(k, &(struct rmx__panels){.M = M,
                                              .N = N,
                                              .K = WORDS,
                                              .a = packed_a,
                                              .b = packed_b,
                                              .panel = WORDS * k->nr,
                                              .c = c,
                                              .ldc = N,
                                              .accumulate = times == 2});
    for (int i = 0; i < M * N; i++) exact = exact && c[i] == (float)times * wanted[i];
  }
  if (k->head_block) {
    const struct rmx__exponentials none = {.logits = c, .shift = wanted, .sums = wanted};
    k->head_block(M, WORDS, packed_a, packed_b, c, &none);
    for (int i = 0; i < M; i++)
      for (int j = 0; j < (int)k->nr; j++)
        exact = exact && c[i * (int)k->nr + j] == wanted[i * N + j];
  }
  if (k->end) k->end();
  return exact;
}

rmx_status rmx_kernels_check(const rmx_kernels *k, rmx_err *err) {
  enum { M = 45, N = 44, K = 70 };
  float *a = rmx_calloc(M * K + K * N + M * N + rmx__gemm_scratch(), sizeof *a);
  if (!a) return rmx_fail_memory(err, rmx__gemm_scratch() * sizeof *a, "a product");
  float *b = a + M * K, *c = b + K * N, *scratch = c + M * N;
  for (int i = 0; i < M * K; i++) a[i] = (float)(i * 7 % 17 - 8);
  for (int i = 0; i < K * N; i++) b[i] = (float)(i * 5 % 13 - 6);
  const struct rmx__gemm product = {
      .M = M, .N = N, .K = K, .a = a, .lda = K, .b = b, .ldb = N, .c = c, .ldc = N};
  k->gemm(k, &product, scratch);
  bool exact = true;
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) {
      float wanted = 0;
      for (int n = 0; n < K; n++) wanted += a[i * K + n] * b[n * N + j];
      exact = exact && c[i * N + j] == wanted;
    }
  free(a);
  return exact ? RMX_OK
               : rmx_fail(err, RMX_ENUMERIC, "processor level %s multiplies whole numbers wrongly",
                          k->name);
}

#if defined(__x86_64__)
static bool has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
static bool has_avx512(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
}
static bool has_avx512bf16(void) {
  return has_avx512() && __builtin_cpu_supports("avx512bf16");
}
static bool has_amx(void) {
  const char *why;
  return rmx__amx_available(&why);
}
#endif

static const struct isa {
  const rmx_kernels *kernels;
  bool (*runs_here)(void);
  bool listed;
} isas[] = {
    // worst first
    {&rmx__kernels_ref, always, true},
    {&rmx__kernels_simd128, always, true},
#if defined(__x86_64__)
    {&rmx__kernels_wide, has_avx2, false},
    {&rmx__kernels_avx2, has_avx2, true},
    {&rmx__kernels_avx512, has_avx512, true},
    {&rmx__kernels_amx_emulated, has_avx2, false},
    {&rmx__kernels_avx512bf16, has_avx512bf16, true},
    {&rmx__kernels_amx, has_amx, true},
#endif
};
enum { ISAS = sizeof isas / sizeof *isas };

size_t rmx_kernels_available(const char *list[], size_t max) {
  size_t n = 0;
  for (size_t i = 0; i < ISAS; i++)
    if (isas[i].listed && isas[i].runs_here() && n < max) list[n++] = isas[i].kernels->name;
  return n;
}

rmx_status rmx_kernels_get(const char *isa, const rmx_kernels **out, rmx_err *err) {
  const char *from = "isa";
  if (!isa || !*isa || !strcmp(isa, "auto")) {
    isa = getenv("REGMIX_ISA");
    from = "$REGMIX_ISA";
  }
  const bool best = !isa || !*isa || !strcmp(isa, "auto");
  for (size_t i = ISAS; i-- > 0;)
    if (best ? isas[i].listed && isas[i].runs_here() : !strcmp(isa, isas[i].kernels->name)) {
      if (!isas[i].runs_here()) break;
      *out = isas[i].kernels;
      return RMX_OK;
    }
#if defined(__x86_64__)
  const char *why;
  if (!strcmp(isa, rmx__kernels_amx.name) && !rmx__amx_available(&why))
    return rmx_fail(err, RMX_EINPUT, "%s: processor level \"%s\" is not available here: %s", from,
                    isa, why);
#endif
  const char *list[ISAS];
  char names[128] = "";
  for (size_t i = 0, n = rmx_kernels_available(list, ISAS); i < n; i++) {
    strcat(names, i ? ", " : "");
    strcat(names, list[i]);
  }
  return rmx_fail(
      err, RMX_EINPUT,
      "%s: processor level \"%s\" is unknown or not available here; available: %s, or auto", from,
      isa, names);
}

const char *rmx_kernels_name(const rmx_kernels *k) {
  return k->name;
}

// The best of many short bursts: what the processor can do, not what others left of it.
double rmx_kernels_peak_gflops(const rmx_kernels *k) {
  const size_t rounds = 200000;
  double best = 0;
  const double start = rmx_now();
  do {
    float value = 0.999f;
    const double before = rmx_now();
    const double flops = k->peak(rounds, &value);
    const double gflops = flops / (rmx_now() - before) * 1e-9;
    if (gflops > best && value == value) best = gflops;
  } while (rmx_now() - start < 0.05);
  return best;
}
