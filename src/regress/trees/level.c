// SPDX-License-Identifier: Apache-2.0
// The instructions that trees may use: those of this processor, up to REGMIX_ISA if that is set.
// Results do not depend on it.

#include <stdlib.h>
#include <string.h>

#include "trees.h"

rmx__level rmx__trees_level(void) {
#if defined(__x86_64__)
  const char *max_level = getenv("REGMIX_ISA");
  const bool any = !max_level || *max_level == 0 || strcmp(max_level, "auto") == 0 ||
                   strcmp(max_level, "avx512") == 0;
  if (any && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    return RMX__AVX512;
  if ((any || strcmp(max_level, "avx2") == 0) && __builtin_cpu_supports("avx2")) return RMX__AVX2;
#endif
  return RMX__PLAIN;
}
