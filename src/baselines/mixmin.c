// SPDX-License-Identifier: Apache-2.0
// MixMin (Thudi et al., "MixMin: Finding Data Mixtures via Convex Minimization", 2025, arXiv
// 2502.10510): one proxy is trained on each domain alone; the result mixes their probabilities so
// that the target's documents x_n, of L_n tokens each, are most likely,
//   min over lambda of  -sum_n v_n log sum_p lambda_p P_p(x_n),   v_n = w_d / (N_d L_n),
// where P_p(x) is the probability of the whole document under the proxy of domain p. The paper has
// one target, where v_n is proportional to 1 / L_n. Here the target may be a set of domains with
// weights w_d and N_d documents each.
//
// The problem is convex. It is solved with EM instead of the published exponentiated gradient (step
// 1, 100 steps), which hardly moves if documents are long, since its gradient is of order 1 / L:
//   lambda_p <- sum_n v_n r_np / sum_n v_n,
//   r_np = lambda_p P_p(x_n) / Z_n,   Z_n = sum_q lambda_q P_q(x_n).
// Certificate: with g_p = sum_n v_n P_p(x_n) / Z_n / sum_n v_n, no mixture is better by more than
// max_p g_p - 1 (times sum v). EM has converged when that is below mixmin.tolerance. (The published
// code fits to 80 % of the target; here to all of it.)
//
// The method sees the validation text of the target, on which the swarm's metrics are measured too.
// A target that must stay unseen needs another split for every method. With long documents r_np is
// 0 or 1; then lambda is the share of documents for which each proxy gives the highest probability.
// mixmin.window cuts the text into shorter documents.
//
// Cost: K (D F + validation + target F / 3) with K domains. The budget determines D, the tokens per
// proxy.
#include "mixmin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "comparison.h"
#include "passages.h"

enum { MAX_ITERATIONS = 100000 };

// ---- the convex problem

// P (N, K) from log P: each row divided by its largest, which changes no responsibility.
static void rows_of_probability(const double *logp, size_t N, size_t K, double *P) {
  for (size_t n = 0; n < N; n++) {
    double max = -INFINITY;
    for (size_t p = 0; p < K; p++) max = fmax(max, logp[n * K + p]);
    for (size_t p = 0; p < K; p++) P[n * K + p] = exp(logp[n * K + p] - max);
  }
}

rmx_status rmx__mixmin_em(const double *logp, const double *v, size_t N, size_t K, double tolerance,
                          double *lambda, double *certificate, int64_t *iterations, rmx_err *err) {
  double *P = rmx_calloc(N * K, sizeof *P), *g = rmx_calloc(K, sizeof *g), sum = 0;
  rmx_status status =
      P && g ? RMX_OK : rmx_fail_memory(err, N * K * sizeof *P, "probabilities of documents");
  for (size_t n = 0; n < N; n++) sum += v[n];
  if (status == RMX_OK) rows_of_probability(logp, N, K, P);
  for (size_t p = 0; p < K; p++) lambda[p] = 1 / (double)K;
  for (*iterations = 0; status == RMX_OK; ++*iterations) {
    memset(g, 0, K * sizeof *g);
    for (size_t n = 0; n < N; n++) {
      double Z = 0;
      for (size_t p = 0; p < K; p++) Z += lambda[p] * P[n * K + p];
      for (size_t p = 0; p < K; p++) g[p] += v[n] / sum * P[n * K + p] / Z;
    }
    double max = -INFINITY;
    for (size_t p = 0; p < K; p++) max = fmax(max, g[p]);
    *certificate = max - 1;
    if (!isfinite(max))
      status = rmx_fail(err, RMX_ENUMERIC, "mixmin: the probability of a document is not a number");
    if (*certificate < tolerance || *iterations == MAX_ITERATIONS || status != RMX_OK) break;
    for (size_t p = 0; p < K; p++) lambda[p] *= g[p];  // which keeps their sum
  }
  if (status == RMX_OK) status = rmx_mixture_normalise(lambda, K, err);
  free(P);
  free(g);
  return status;
}

// ---- the target's text

struct target {
  size_t *domain;         // (n) of corpus->D
  rmx__passage *passage;  // (n)
  double *v;              // (n)
  size_t n;
  double tokens;
};

static void target_release(struct target *t) {
  free(t->domain);
  free(t->passage);
  free(t->v);
  *t = (struct target){0};
}

// The documents of domain d, up to the tokens that validation looks at; windows of them where asked
// for.
static rmx_status add_domain(const rmx_comparison *c, size_t d, struct target *t, rmx_err *err) {
  const size_t limit = rmx_evaluate_tokens(c->corpus, d, c->proxy->eval_tokens) + 1,
               window = (size_t)c->options->mixmin.window;
  RMX_OWNED size_t *starts = NULL;
  size_t documents, first = t->n;
  RMX_TRY(rmx_corpus_documents(c->corpus, d, true, &starts, &documents, err));
  const size_t room = t->n + (window ? limit / window + 1 : documents);
  rmx__passage *passage = rmx_realloc(t->passage, room, sizeof *passage);
  if (passage) t->passage = passage;
  size_t *domain = rmx_realloc(t->domain, room, sizeof *domain);
  if (domain) t->domain = domain;
  double *v = rmx_realloc(t->v, room, sizeof *v);
  if (v) t->v = v;
  if (!passage || !domain || !v)
    return rmx_fail_memory(err, room * sizeof *v, "the target's documents");
  for (size_t i = 0, at = 0; at < limit; i++) {
    size_t to = window ? at + window : starts[i + 1];
    if (to > limit) to = limit;
    t->passage[t->n] = (rmx__passage){at, to};
    t->domain[t->n++] = d;
    at = to;
  }
  for (size_t i = first; i < t->n; i++) {
    const double L = (double)(t->passage[i].to - t->passage[i].from);
    t->v[i] = c->target[d] / ((double)(t->n - first) * L);
    t->tokens += L;
  }
  return RMX_OK;
}

static rmx_status read_target(const rmx_comparison *c, struct target *t, rmx_err *err) {
  *t = (struct target){0};
  rmx_status status = RMX_OK;
  for (size_t d = 0; d < c->corpus->D && status == RMX_OK; d++) {
    if (c->target[d] == 0) continue;
    if (c->target[d] < 0)
      status = rmx_fail(err, RMX_EINPUT,
                        "mixmin: the target asks for a higher loss on \"%s\", but MixMin can only "
                        "lower losses; give it a weight above 0",
                        c->corpus->names[d]);
    else if (c->corpus->domains[d].valid_tokens < 2)
      status = rmx_fail(err, RMX_EINPUT, "mixmin: the target \"%s\" has no validation text",
                        c->corpus->names[d]);
    else
      status = add_domain(c, d, t, err);
  }
  if (status == RMX_OK && t->n == 0)
    status =
        rmx_fail(err, RMX_EINPUT, "mixmin: no target is set; add `target: DOMAIN` to regmix.yaml");
  if (status != RMX_OK) target_release(t);
  return status;
}

// ---- the proxies

static rmx_status afford(const rmx_comparison *c, const struct target *target, rmx_training *t,
                         rmx_err *err) {
  const size_t K = c->corpus->D_train;
  double flop;
  *t = rmx__comparison_proxy(c);
  RMX_TRY(rmx__comparison_flop(c, t, &flop, err));
  return rmx__budget_tokens(c, t,
                            c->budget / (double)K - target->tokens * flop / RMX_FORWARD_PASSES, 1,
                            "mixmin", K, &t->tokens, err);
}

static rmx_status check(const rmx_comparison *c, rmx_err *err) {
  RMX_OWNED_BY(target_release) struct target target = {0};
  rmx_training t;
  if (c->corpus->D_train < 2)
    return rmx_fail(err, RMX_EINPUT,
                    "mixmin: the corpus has one domain; a mixture needs two or more");
  if (rmx_training_is_outside(c->proxy))
    return rmx_fail(
        err, RMX_EINPUT,
        "mixmin: the method needs the probability of documents from its proxies, and those of your "
        "own trainer do not give it; leave out the method, or "
        "set proxy.trainer to regmix");
  for (size_t d = 0; d < c->corpus->D_train; d++)
    if (c->corpus->domains[d].train_tokens < (size_t)c->proxy->context + 1)
      return rmx_fail(err, RMX_EINPUT,
                      "mixmin: \"%s\" has %zu training tokens, too few to train a proxy on it "
                      "alone; wanted more than a sequence (%lld)",
                      c->corpus->names[d], c->corpus->domains[d].train_tokens,
                      (long long)c->proxy->context);
  RMX_TRY(read_target(c, &target, err));
  return afford(c, &target, &t, err);
}

// Log-probabilities of the target's documents under the proxy of domain p, into column p of logp
// (n, K).
static rmx_status ask(const rmx_comparison *c, const rmx_run *proxy, const struct target *t,
                      size_t p, double *nats, double *logp, rmx_baseline_result *out,
                      rmx_err *err) {
  for (size_t i = 0, j; i < t->n; i = j) {
    const rmx_domain *domain = &c->corpus->domains[t->domain[i]];
    for (j = i; j < t->n && t->domain[j] == t->domain[i];) j++;
    RMX_TRY(rmx__passage_nats(c, proxy, domain->valid, domain->width, t->passage + i, j - i,
                              "mixmin: scoring the target", nats, out, err));
    for (size_t n = i; n < j; n++) logp[n * c->corpus->D_train + p] = -nats[n - i];
  }
  return RMX_OK;
}

static rmx_status solve(const rmx_comparison *c, const struct target *t, const double *logp,
                        rmx_baseline_result *out, rmx_err *err) {
  double certificate;
  int64_t iterations;
  const double began = rmx_now();
  RMX_TRY(rmx__mixmin_em(logp, t->v, t->n, c->corpus->D_train, c->options->mixmin.tolerance,
                         out->mixture, &certificate, &iterations, err));
  out->wall_s += rmx_now() - began;
  out->converged = certificate < c->options->mixmin.tolerance ? RMX_CONVERGED : RMX_NOT_CONVERGED;
  json_object_set_new(out->notes, "form",
                      json_string("as in the paper, with EM instead of its gradient steps"));
  json_object_set_new(out->notes, "documents", json_integer((json_int_t)t->n));
  json_object_set_new(out->notes, "document_tokens", json_real(t->tokens / (double)t->n));
  json_object_set_new(out->notes, "iterations", json_integer((json_int_t)iterations));
  json_object_set_new(out->notes, "certificate", json_real(certificate));
  json_object_set_new(out->notes, "looked_at", json_string("the target's validation text"));
  return RMX_OK;
}

static rmx_status find(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err) {
  const size_t K = c->corpus->D_train;
  struct target target;
  rmx_training t;
  RMX_TRY(rmx__baseline_result_make(c, out, err));
  RMX_TRY(read_target(c, &target, err));
  rmx_run *runs = rmx_calloc(K, sizeof *runs);
  double *alone = rmx_calloc(K, sizeof *alone), *nats = rmx_calloc(target.n, sizeof *nats),
         *logp = rmx_calloc(target.n * K, sizeof *logp);
  rmx_status status = runs && alone && nats && logp
                          ? RMX_OK
                          : rmx_fail_memory(err, target.n * K * sizeof *logp, "scores");
  if (status == RMX_OK) status = afford(c, &target, &t, err);
  for (size_t p = 0; p < K && status == RMX_OK; p++) {
    char name[32];
    snprintf(name, sizeof name, "mixmin-%03zu", p + 1);
    memset(alone, 0, K * sizeof *alone);
    alone[p] = 1;
    status = rmx__comparison_run(c, name, alone, &t, c->seed, true, NULL, &runs[p], err);
  }
  if (status == RMX_OK)
    status = rmx__comparison_train(c, runs, K, "mixmin: a proxy for each domain", NULL, out, err);
  for (size_t p = 0; p < K && status == RMX_OK; p++)
    status = ask(c, &runs[p], &target, p, nats, logp, out, err);
  if (status == RMX_OK)
    json_object_set_new(out->notes, "proxy_tokens", json_integer((json_int_t)t.tokens));
  if (status == RMX_OK) status = solve(c, &target, logp, out, err);
  for (size_t p = 0; runs && p < K; p++) rmx_run_release(&runs[p]);
  free(runs);
  free(alone);
  free(nats);
  free(logp);
  target_release(&target);
  return status;
}

const rmx_baseline rmx__mixmin = {
    .sees_target = true,
    .name = "mixmin",
    .help =
        "trains a proxy on each domain, and mixes their probabilities so that the target text is "
        "most likely",
    .source = "Thudi et al. 2025, arXiv 2502.10510",
    .suits = "Suits few domains that are very different, and a target that has text",
    .check = check,
    .find = find,
};
