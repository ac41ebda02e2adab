// SPDX-License-Identifier: Apache-2.0
// Batches: what a stream fills.
#include <regmix/corpus.h>
#include <stdlib.h>

rmx_status rmx_batch_make(rmx_batch *b, int B, int T, rmx_err *err) {
  *b = (rmx_batch){.B = B, .T = T};
  if (B < 1 || T < 1)
    return rmx_fail(err, RMX_EUSAGE, "a batch of %d sequences of %d tokens", B, T);
  size_t n = (size_t)B * (size_t)T;
  b->tokens = rmx_calloc(n, sizeof *b->tokens);
  b->labels = rmx_calloc(n, sizeof *b->labels);
  b->weights = rmx_calloc(n, sizeof *b->weights);
  b->domain = rmx_calloc((size_t)B, sizeof *b->domain);
  if (b->tokens && b->labels && b->weights && b->domain) return RMX_OK;
  rmx_batch_release(b);
  return rmx_fail_memory(err, 12 * n, "a batch");
}

void rmx_batch_release(rmx_batch *b) {
  free(b->tokens);
  free(b->labels);
  free(b->weights);
  free(b->domain);
  *b = (rmx_batch){0};
}
