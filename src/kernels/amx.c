// SPDX-License-Identifier: Apache-2.0
// amx.c: the level of processors with AMX-BF16 (Sapphire Rapids and later), and leave to use it.
//
// The state of the tiles is 8 KB a thread, which Linux hands out on request only: arch_prctl(2)
// with ARCH_REQ_XCOMP_PERM, once a process, for all its threads
// (Documentation/arch/x86/xstate.rst). The tiles are only used where they have multiplied some
// whole numbers right.
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernels.h"
#define ISA_TABLE rmx__kernels_amx
#define ISA_NAME "amx"
#define SQRT _mm512_sqrt_ps
#define LARGER _mm512_max_ps
#define SMALLER _mm512_min_ps
#include "amx.inc.h"

static const char *amx_refusal = NULL;  // NULL: may be used

static bool has_tiles(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  return (d >> 24 & 1) && (d >> 22 & 1);  // AMX-TILE, AMX-BF16
}
// Whether the system saves tiles at all: bits 17 and 18 of XCR0.
static bool system_knows_tiles(void) {
  unsigned a, b, c, d, low, high;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return false;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low >> 17 & 3) == 3;
}

static void ask(void) {
  enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
  if (!has_tiles())
    amx_refusal = "the processor has no AMX-BF16";
  else if (!__builtin_cpu_supports("avx512bf16"))
    amx_refusal = "the processor has no AVX512_BF16";
  else if (!system_knows_tiles())
    amx_refusal = "the system does not save the tiles of AMX (Linux does from 5.16 on)";
  else if (syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) != 0)
    amx_refusal = "the system refused the tiles of AMX (arch_prctl ARCH_REQ_XCOMP_PERM)";
  else if (!rmx__multiplies_exactly(&rmx__kernels_amx))
    amx_refusal = "a product of whole numbers by its tiles came out wrong";
}

bool rmx__amx_available(const char **why) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, ask);
  *why = amx_refusal;
  return !amx_refusal;
}
#endif
