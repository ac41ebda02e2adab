/* kernels.h: the numeric inner loops, one table of functions per processor level, picked once.
 *
 * Uses: base.
 *
 * All arrays are float32, row-major. `ref` reads like the equations and is the specification;
 * every other level is tested against it. Same level, same bits: no result depends on alignment, on
 * the number of threads or on what else runs.
 *
 *   ref         the equations, sums in double; slow
 *   simd128     vectors of 4 floats: SSE2, NEON, whatever the compiler has
 *   avx2        of 8, with fused multiply-adds
 *   avx512      of 16
 *   avx512bf16  of 16; operands of matrix products rounded to bfloat16, sums in float (VDPBF16PS:
 *               AMD from Zen 4, Intel from Cooper Lake on). The same bits on one kind of processor.
 *   amx         the same products by tiles (TDPBF16PS: Intel from Sapphire Rapids on). Tested
 *               through an emulation of the six instructions on tiles; it has not been run on such
 *               a processor yet.
 */
#ifndef RMX_KERNELS_H
#define RMX_KERNELS_H

#include <regmix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* the table: src/kernels/kernels.h documents each function */
typedef struct rmx_kernels rmx_kernels;

/* The table for level `isa` (a name of the above; NULL or "auto": $REGMIX_ISA if set, else the best
 * this processor has). RMX_EINPUT for an unknown level or one this processor lacks, with those it
 * has; for amx, with the reason: tiles are the system's to grant. */
rmx_status rmx_kernels_get(const char *isa, const rmx_kernels **out, rmx_err *err);
const char *rmx_kernels_name(const rmx_kernels *k);
/* Whether a product of whole numbers comes out exactly, as it must at every level: RMX_ENUMERIC.
 * Takes a millisecond. */
rmx_status rmx_kernels_check(const rmx_kernels *k, rmx_err *err);
/* The levels this build has and this processor can run, worst first. Returns how many; names into
 * list[]. */
size_t rmx_kernels_available(const char *list[], size_t max);
/* GFLOP/s of one thread in a register-only multiply-add loop of this level: the limit. Takes ~50
 * ms. */
double rmx_kernels_peak_gflops(const rmx_kernels *k);

#ifdef __cplusplus
}
#endif
#endif
