// SPDX-License-Identifier: Apache-2.0
/* head.c: the output head, with the logits of the whole batch never in memory.
 *
 *   logits = x W^T,  loss_r = logsumexp(logits_r) - logits_r[label_r]
 *   g = weight (softmax(logits) - onehot),  dx = g W,  dW += g^T x
 *
 * A block of rows at a time: its logits are made, turned into their gradient in place, and used up while they
 * are still in cache. Where token weights must be known from the losses first, the same function is called
 * twice, at first without gradients: the price is one more product, not V numbers a token.
 */
#include "crew.h"

/* Rows of a block, at most. More rows make better use of each pass over W and dW, fewer keep the logits in
 * cache. */
static size_t most_rows(size_t V) {
  const size_t rows = ((size_t)1 << 21) / V;
  return rows < 256 ? 256 : rows > 516 ? 516 : rows;
}

size_t rmx__head_logits(size_t V) {
  return most_rows(V) * V;
}

void rmx__head(const struct rmx__crew *c, size_t M, size_t C, size_t V, const float *x, const float *w,
               const int32_t *labels, const float *weights, float *losses, float *dx, float *dw,
               float *logits) {
  const size_t blocks = (M + most_rows(V) - 1) / most_rows(V),
               block = (M + blocks - 1) / blocks; /* of one size */
  for (size_t r = 0; r < M; r += block) {
    size_t m = M - r < block ? M - r : block;
    rmx__crew_gemm(c, RMX__HEAD, false, true, m, V, C, x + r * C, C, w, C, logits, V, false);
    rmx__crew_cross_entropy(c, m, V, logits, labels + r, weights ? weights + r : NULL, losses + r,
                            dx != NULL);
    if (!dx) continue;
    rmx__crew_gemm(c, RMX__HEAD, true, false, V, C, m, logits, V, x + r * C, C, dw, C, true);
    rmx__crew_gemm(c, RMX__HEAD, false, false, m, C, V, logits, V, w, C, dx + r * C, C, false);
  }
}
