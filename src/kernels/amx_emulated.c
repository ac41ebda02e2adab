// SPDX-License-Identifier: Apache-2.0
// amx_emulated.c: the code of amx.c with the instructions on tiles taken apart into C, and the
// vectors into two of AVX2. Very slow, and not in the list of levels: it is there so that the logic
// of amx.c can be tested on a processor without AMX.
#if defined(__x86_64__)
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernels.h"
#define ISA_TABLE rmx__kernels_amx_emulated
#define ISA_NAME "amx-emulated"
#define AMX_EMULATED
#include "amx.inc.h"
#endif
