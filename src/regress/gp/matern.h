// SPDX-License-Identifier: Apache-2.0
// Sums over the runs of a Gaussian process, several at once. They are most of the cost of a
// prediction.
#ifndef RMX_REGRESS_MATERN_H
#define RMX_REGRESS_MATERN_H

#include <regmix/base.h>

enum { RMX__LANES = 8, RMX__QUERIES = 4 };
// Blocks of RMX__LANES that hold N runs.
#define RMX__BLOCKS(N) (((N) + RMX__LANES - 1) / RMX__LANES)

// Packs Z (D, N) to `packed` (blocks, D + 1, RMX__LANES): D numbers of each run, then their sum of
// squares. The last block is filled up with zeros.
void rmx__pack(const double *Z, size_t N, size_t D, double *packed);
// sum (RMX__QUERIES) = sum_i alpha_i M(|z_q - Z_i|) for z (D, RMX__QUERIES). alpha (blocks,
// RMX__LANES) ends with zeros.
void rmx__matern_sums(const double *packed, const double *alpha, size_t blocks, size_t D,
                      const double *z, double *sum);
// The same for one mixture z (D), with the same bits.
double rmx__matern_sum(const double *packed, const double *alpha, size_t blocks, size_t D,
                       const double *z);
// The sum at z (D), and its slope by z into slope (D). work (D, RMX__LANES) is scratch.
double rmx__matern_slope(const double *packed, const double *alpha, size_t blocks, size_t D,
                         const double *z, double *work, double *slope);
// M of n squared distances, and its slope by the squared distance (may be NULL).
void rmx__matern_many(const double *r2, size_t n, double *m, double *slope);
// exp of n numbers, which are first clamped to -700 .. 700. x and out may be the same.
void rmx__exp_many(const double *x, size_t n, double *out);
// Solves L x = k for RMX__LANES right sides at once. L (N, N) by columns; k (N, RMX__LANES) becomes
// x.
void rmx__solve_lanes(const double *L, size_t N, double *k);

#endif
