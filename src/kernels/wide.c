// SPDX-License-Identifier: Apache-2.0
// wide.c: the code of avx512.c with each vector taken apart into two of AVX2. Slow, and not in the
// list of levels: it is there so that the logic of the wide vectors and tiles can be tested on a
// processor without AVX-512.
#if defined(__x86_64__)
#include <math.h>
#include <string.h>

#include "kernels.h"
#define ISA_TABLE rmx__kernels_wide
#define ISA_NAME "wide"
#define VEC_BYTES 64
#define MR 14
#include "vector.inc.h"
#endif
