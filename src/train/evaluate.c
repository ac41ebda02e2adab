// SPDX-License-Identifier: Apache-2.0
// Validation: the mean cross-entropy of a domain's held-out tokens, each predicted from those
// before it in its window. Windows stand side by side, so every token but the first is a label
// once.
#include "step.h"

size_t rmx_evaluate_tokens(const rmx_corpus *corpus, size_t d, int64_t max_tokens) {
  size_t n = corpus->domains[d].valid_tokens;
  if (n < 2) return 0;
  n -= 1;
  return max_tokens > 0 && (size_t)max_tokens < n ? (size_t)max_tokens : n;
}

// The sum of the losses of the windows that are this rank's, of all of them in turn.
static double sum_of(rmx_model *m, const rmx_corpus *corpus, size_t d, size_t n, rmx_batch *scratch,
                     float *losses, const rmx_comm *comm) {
  const rmx_domain *domain = &corpus->domains[d];
  size_t at = 0, turn = 0;
  double sum = 0.0;
  while (at < n) {
    // Whole windows as many as fit; what is left at the end makes one shorter window.
    size_t T = (size_t)scratch->T, B = (size_t)scratch->B;
    if (n - at < T) T = n - at;
    if (B > (n - at) / T) B = (n - at) / T;
    const size_t from = at;
    at += B * T;
    if (turn++ % (size_t)comm->size != (size_t)comm->rank) continue;
    for (size_t i = 0; i < B * T; i++) {
      scratch->tokens[i] = (int32_t)rmx_token_at(domain->valid, domain->width, from + i);
      scratch->labels[i] = (int32_t)rmx_token_at(domain->valid, domain->width, from + i + 1);
    }
    rmx_model_losses(m, scratch->tokens, scratch->labels, (int)B, (int)T, losses);
    for (size_t i = 0; i < B * T; i++) sum += (double)losses[i];
  }
  return sum;
}

double rmx_evaluate(rmx_model *m, const rmx_corpus *corpus, size_t d, int64_t max_tokens,
                    rmx_batch *scratch, float *losses) {
  const size_t n = rmx_evaluate_tokens(corpus, d, max_tokens);
  return sum_of(m, corpus, d, n, scratch, losses, rmx__comm_of(NULL)) / (double)n;
}

double rmx__evaluate_shared(struct rmx__stepper *s, const rmx_corpus *corpus, size_t d,
                            int64_t max_tokens) {
  const size_t n = rmx_evaluate_tokens(corpus, d, max_tokens);
  double sum = sum_of(s->model, corpus, d, n, &s->batch, s->losses, s->comm);
  rmx__comm_add(s->comm, &sum, 1);
  return sum / (double)n;
}
