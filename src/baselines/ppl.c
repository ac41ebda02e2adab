// SPDX-License-Identifier: Apache-2.0
// Perplexity selection (Marion et al., "When Less is More: Investigating Data Pruning for
// Pretraining LLMs at Scale", 2023, arXiv 2309.04564; Ankner et al., "Perplexed by Perplexity",
// 2024, arXiv 2405.20541): documents are ranked by their perplexity under a reference model, and a
// band of the ranks is kept. A document's score is
//   s(x) = -(1/L) sum_t log P_ref(x_t | x_<t),   perplexity e^s,
// with the end of text among its L tokens. A document longer than the context is cut into windows;
// the first token of a window is predicted from the token before alone, and all tokens count
// equally. (Marion et al. score sequences of the context's length; Ankner et al. whole documents,
// as here.) Let q be the share of all tokens in documents with a lower score, plus half of the
// document itself. The band keeps
//   low: q <= keep,   high: q >= 1 - keep,   middle: |q - 1/2| <= keep / 2,
// so shares and ties are counted in tokens. One rank over all domains (both papers) shifts the
// mixture towards the domains whose text is in the band. A rank for each domain (ppl.by_domain)
// keeps the mixture, to within a document.
//
// The reference must not have seen the text that it scores. Both papers reserve text for it. Here
// no text is lost: the documents of each domain are divided into two halves by their hash (equal
// documents stay together), with about the same number of tokens. A reference is trained on each
// half, with the shares of that half, and scores the other half. So scores of the two halves are
// comparable to within the difference of the references; the notes have both means.
//
// The result is a smaller corpus, <comparison>/ppl-KEY/BAND/, and its shares of tokens as the
// mixture. A domain that keeps fewer tokens than a sequence needs is left out. With keep 1 the
// result is the corpus itself, with the same hash.
//
// Cost: 2 (D_r F + validation) + pool F / 3. The references get what the budget leaves after the
// pool is scored.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "comparison.h"
#include "passages.h"

// The training documents of all domains, one after the other.
struct pool {
  size_t D, n;
  size_t *first;           // (D + 1) of each domain's documents
  rmx__passage *document;  // (n) in its domain's file
  uint8_t *half;           // (n) 0 or 1
  double *score;           // (n) nats per token
  bool *keep;              // (n)
  double tokens;
};

static void pool_release(struct pool *p) {
  free(p->first);
  free(p->document);
  free(p->half);
  free(p->score);
  free(p->keep);
  *p = (struct pool){0};
}

static rmx_status pool_make(const rmx_corpus *corpus, struct pool *p, rmx_err *err) {
  *p = (struct pool){.D = corpus->D_train,
                     .first = rmx_calloc(corpus->D_train + 1, sizeof *p->first)};
  rmx_status status = p->first ? RMX_OK : rmx_fail_memory(err, 0, "documents");
  for (size_t d = 0; d < p->D && status == RMX_OK; d++) {
    size_t *starts, n;
    status = rmx_corpus_documents(corpus, d, false, &starts, &n, err);
    if (status != RMX_OK) break;
    rmx__passage *grown = rmx_realloc(p->document, p->n + n + 1, sizeof *grown);
    if (!grown)
      status = rmx_fail_memory(err, (p->n + n) * sizeof *grown, "documents");
    else
      p->document = grown;
    for (size_t i = 0; i < n && status == RMX_OK; i++)
      p->document[p->n++] = (rmx__passage){starts[i], starts[i + 1]};
    p->first[d + 1] = p->n;
    p->tokens += (double)corpus->domains[d].train_tokens;
    free(starts);
  }
  p->half = rmx_calloc(p->n, sizeof *p->half);
  p->score = rmx_calloc(p->n, sizeof *p->score);
  p->keep = rmx_calloc(p->n, sizeof *p->keep);
  if (status == RMX_OK && !(p->half && p->score && p->keep))
    status = rmx_fail_memory(err, p->n * sizeof *p->score, "documents");
  if (status != RMX_OK) pool_release(p);
  return status;
}

static double length_of(const struct pool *p, size_t i) {
  return (double)(p->document[i].to - p->document[i].from);
}

// ---- the two halves

struct dealt {
  uint64_t hash;
  size_t document;
};

static int by_hash(const void *a, const void *b) {
  const struct dealt *x = a, *y = b;
  if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
  return x->document < y->document ? -1 : x->document > y->document;
}

static rmx_status deal(const rmx_corpus *corpus, uint64_t seed, struct pool *p, rmx_err *err) {
  RMX_OWNED struct dealt *list = rmx_calloc(p->n, sizeof *list);
  if (!list) return rmx_fail_memory(err, p->n * sizeof *list, "documents");
  for (size_t d = 0; d < p->D; d++) {
    const rmx_domain *domain = &corpus->domains[d];
    const size_t n = p->first[d + 1] - p->first[d], width = (size_t)domain->width;
    for (size_t i = 0; i < n; i++) {
      const rmx__passage *x = &p->document[p->first[d] + i];
      list[i] = (struct dealt){
          rmx_hash((const char *)domain->train + x->from * width, (x->to - x->from) * width, seed),
          p->first[d] + i};
    }
    qsort(list, n, sizeof *list, by_hash);
    double tokens[2] = {0, 0};
    for (size_t i = 0; i < n; i++) {
      const bool same = i > 0 && list[i].hash == list[i - 1].hash;
      const uint8_t half = same ? p->half[list[i - 1].document] : tokens[1] < tokens[0];
      p->half[list[i].document] = half;
      tokens[half] += length_of(p, list[i].document);
    }
  }
  return RMX_OK;
}

// ---- the band

struct ranked {
  double score;
  size_t document;
};

static int by_score(const void *a, const void *b) {
  const struct ranked *x = a, *y = b;
  if (x->score != y->score) return x->score < y->score ? -1 : 1;
  return x->document < y->document ? -1 : x->document > y->document;
}

// Marks those of the documents from .. to - 1 that lie in the band.
static void rank(const rmx_ppl_options *o, struct pool *p, size_t from, size_t to,
                 struct ranked *list) {
  double all = 0, before = 0, low = 0, high = 1;
  if (strcmp(o->band, "low") == 0)
    high = o->keep;
  else if (strcmp(o->band, "high") == 0)
    low = 1 - o->keep;
  else
    low = (1 - o->keep) / 2, high = (1 + o->keep) / 2;
  for (size_t i = from; i < to; i++) {
    list[i - from] = (struct ranked){p->score[i], i};
    all += length_of(p, i);
  }
  qsort(list, to - from, sizeof *list, by_score);
  for (size_t i = 0; i < to - from; i++) {
    const double length = length_of(p, list[i].document), middle = (before + length / 2) / all;
    p->keep[list[i].document] = middle >= low && middle <= high;
    before += length;
  }
}

static rmx_status choose(const rmx_ppl_options *o, struct pool *p, rmx_err *err) {
  RMX_OWNED struct ranked *list = rmx_calloc(p->n, sizeof *list);
  if (!list) return rmx_fail_memory(err, p->n * sizeof *list, "ranks");
  if (!o->by_domain) rank(o, p, 0, p->n, list);
  for (size_t d = 0; o->by_domain && d < p->D; d++) rank(o, p, p->first[d], p->first[d + 1], list);
  return RMX_OK;
}

// ---- what it takes

static rmx_status afford(const rmx_comparison *c, double pool, rmx_training *t, rmx_err *err) {
  double flop;
  *t = rmx__comparison_proxy(c);
  RMX_TRY(rmx__comparison_flop(c, t, &flop, err));
  const double scoring = pool * flop / RMX_FORWARD_PASSES;
  if (!(c->budget > scoring))
    return rmx_fail(err, RMX_EINPUT,
                    "ppl: to score %.3g tokens of training text costs %.3g FLOPs, but the budget "
                    "is %.3g; raise --budget, or use a smaller proxy",
                    pool, scoring, c->budget);
  return rmx__budget_tokens(c, t, (c->budget - scoring) / 2, 1, "ppl", 2, &t->tokens, err);
}

// Whether some half has no domain with a sequence to train on; there is an error for a domain that
// is too short in one half.
static rmx_status check_halves(const rmx_comparison *c, const struct pool *p, rmx_err *err) {
  const double min = (double)(c->proxy->context + 1);
  for (int h = 0; h < 2; h++) {
    size_t usable = 0;
    for (size_t d = 0; d < p->D; d++) {
      double tokens = 0;
      for (size_t i = p->first[d]; i < p->first[d + 1]; i++)
        tokens += p->half[i] == h ? length_of(p, i) : 0;
      usable += tokens >= min;
      if (tokens < min && p->first[d + 1] > p->first[d])
        rmx_warn(c->listener,
                 "ppl: one half of \"%s\" has %.0f tokens, fewer than a sequence, so the reference "
                 "trained on it does not know this domain",
                 c->corpus->names[d], tokens);
    }
    if (usable == 0)
      return rmx_fail(err, RMX_EINPUT,
                      "ppl: too little text to train a reference on half of it; no half of a "
                      "domain has the %.0f tokens of a sequence",
                      min);
  }
  return RMX_OK;
}

static rmx_status check(const rmx_comparison *c, rmx_err *err) {
  const rmx_ppl_options *o = &c->options->ppl;
  const double min = (double)(c->large->context + 1);
  struct pool p;
  rmx_training t;
  if (rmx_training_is_outside(c->proxy))
    return rmx_fail(
        err, RMX_EINPUT,
        "ppl: the method needs the perplexity of documents under a reference, and a model of your "
        "own trainer does not give it; leave out the method, or "
        "set proxy.trainer to regmix");
  RMX_TRY(pool_make(c->corpus, &p, err));
  rmx_status status = RMX_OK;
  if (p.tokens * o->keep < min)
    status = rmx_fail(err, RMX_EINPUT,
                      "ppl: %g of %.0f training tokens are fewer than a sequence of the large "
                      "model needs (%.0f); raise ppl.keep",
                      o->keep, p.tokens, min);
  for (size_t d = 0; d < p.D && status == RMX_OK && o->by_domain; d++) {
    const double tokens = (double)c->corpus->domains[d].train_tokens;
    if (tokens * o->keep < min)
      status = rmx_fail(err, RMX_EINPUT,
                        "ppl: %g of the %.0f tokens of \"%s\" are fewer than a sequence of the "
                        "large model needs (%.0f); raise ppl.keep, or set ppl.by_domain to false",
                        o->keep, tokens, c->corpus->names[d], min);
  }
  if (status == RMX_OK) status = deal(c->corpus, c->seed, &p, err);
  if (status == RMX_OK) status = check_halves(c, &p, err);
  if (status == RMX_OK) status = afford(c, p.tokens, &t, err);
  pool_release(&p);
  return status;
}

// ---- scoring

// One process at a time: another one on the same comparison would remove what is half written.
static rmx_status write_part(const rmx_comparison *c, const struct pool *p, const bool *keep,
                             const char *folder, rmx_corpus **out, rmx_err *err) {
  const bool **rows = rmx_calloc(p->D, sizeof *rows);
  if (!rows) return rmx_fail_memory(err, p->D * sizeof *rows, "a part of the corpus");
  for (size_t d = 0; d < p->D; d++) rows[d] = keep + p->first[d];
  rmx_lock lock = {.fd = -1};
  rmx_status status = rmx_mkdirs(folder, err);
  if (status == RMX_OK)
    status = rmx_folder_lock(folder, "another process is writing a part of the corpus", c->listener,
                             &lock, err);
  if (status == RMX_OK) status = rmx_corpus_subset(c->corpus, c->experiment, rows, folder, err);
  rmx_folder_unlock(&lock);
  free(rows);
  return status == RMX_OK ? rmx_corpus_open(folder, out, err) : status;
}

// The share of tokens among the domains that can fill a sequence; the others are listed.
static rmx_status natural(const rmx_corpus *corpus, int64_t context, double *mixture,
                          json_t *left_out, rmx_err *err) {
  bool all = true;
  memcpy(mixture, corpus->prior, corpus->D_train * sizeof *mixture);
  for (size_t d = 0; d < corpus->D_train; d++) {
    if (corpus->domains[d].train_tokens >= (size_t)context + 1) continue;
    mixture[d] = 0;
    all = false;
    if (left_out) json_array_append_new(left_out, json_string(corpus->names[d]));
  }
  // else not a bit is to change
  return all ? RMX_OK : rmx_mixture_normalise(mixture, corpus->D_train, err);
}

struct reference {
  rmx_corpus *corpus;
  rmx_run run;
  char *folder;
};

static rmx_status reference_make(const rmx_comparison *c, const struct pool *p, const char *folder,
                                 int half, const rmx_training *t, struct reference *r,
                                 rmx_err *err) {
  char name[32];
  snprintf(name, sizeof name, "half-%d", half + 1);
  RMX_OWNED bool *keep = rmx_calloc(p->n, sizeof *keep);
  RMX_OWNED double *mixture = rmx_calloc(p->D, sizeof *mixture);
  r->folder = rmx_path_in(folder, name);
  if (!keep || !mixture || !r->folder) return rmx_fail_memory(err, p->n, "half of the documents");
  for (size_t i = 0; i < p->n; i++) keep[i] = p->half[i] == half;
  RMX_TRY(write_part(c, p, keep, r->folder, &r->corpus, err));
  RMX_TRY(natural(r->corpus, t->context, mixture, NULL, err));
  rmx_comparison own = *c;
  own.corpus = r->corpus;
  own.experiment = r->folder;
  snprintf(name, sizeof name, "ppl-reference-%d", half + 1);
  return rmx__comparison_run(&own, name, mixture, t, c->seed, true, NULL, &r->run, err);
}

static void reference_release(struct reference *r) {
  rmx_run_release(&r->run);
  rmx_corpus_free(r->corpus);
  free(r->folder);
}

// The documents of one half of domain d, by the reference of the other.
static rmx_status score_half(const rmx_comparison *c, struct pool *p, size_t d, int half,
                             const rmx_run *reference, rmx_baseline_result *out, rmx_err *err) {
  const rmx_domain *domain = &c->corpus->domains[d];
  const size_t from = p->first[d], max = p->first[d + 1] - from;
  RMX_OWNED rmx__passage *passages = rmx_calloc(max, sizeof *passages);
  RMX_OWNED double *nats = rmx_calloc(max, sizeof *nats);
  if (!passages || !nats) return rmx_fail_memory(err, max * sizeof *nats, "scores");
  size_t n = 0;
  for (size_t i = from; i < from + max; i++)
    if (p->half[i] == half) passages[n++] = p->document[i];
  RMX_TRY(rmx__passage_nats(c, reference, domain->train, domain->width, passages, n,
                            "ppl: scoring documents", nats, out, err));
  n = 0;
  for (size_t i = from; i < from + max; i++)
    if (p->half[i] == half) p->score[i] = nats[n++] / length_of(p, i);
  return RMX_OK;
}

static rmx_status score_all(const rmx_comparison *c, struct pool *p, const char *folder,
                            const rmx_training *t, rmx_baseline_result *out, rmx_err *err) {
  struct reference r[2] = {0};
  rmx_run runs[2];  // borrowed
  rmx_status status = RMX_OK;
  for (int h = 0; h < 2 && status == RMX_OK; h++) {
    status = reference_make(c, p, folder, h, t, &r[h], err);
    runs[h] = r[h].run;
  }
  if (status == RMX_OK)
    status = rmx__comparison_train(c, runs, 2, "ppl: two references", NULL, out, err);
  for (int h = 0; h < 2; h++)
    for (size_t d = 0; d < p->D && status == RMX_OK; d++)
      status = score_half(c, p, d, h, &r[1 - h].run, out, err);
  for (int h = 0; h < 2; h++) reference_release(&r[h]);
  return status;
}

// ---- the answer

static void add_notes(const rmx_comparison *c, const struct pool *p, const rmx_training *t,
                      rmx_baseline_result *out) {
  json_t *shares = json_object(), *means = json_object(), *halves = json_array();
  double kept = 0, lowest = INFINITY, highest = -INFINITY, sum[2] = {0, 0}, tokens[2] = {0, 0};
  for (size_t d = 0; d < p->D; d++) {
    double all = 0, part = 0, nats = 0;
    for (size_t i = p->first[d]; i < p->first[d + 1]; i++) {
      const double L = length_of(p, i);
      all += L;
      nats += L * p->score[i];
      sum[p->half[i]] += L * p->score[i];
      tokens[p->half[i]] += L;
      if (!p->keep[i]) continue;
      part += L;
      lowest = fmin(lowest, p->score[i]);
      highest = fmax(highest, p->score[i]);
    }
    kept += part;
    json_object_set_new(shares, c->corpus->names[d], all > 0 ? json_real(part / all) : json_null());
    json_object_set_new(means, c->corpus->names[d], all > 0 ? json_real(nats / all) : json_null());
  }
  for (int h = 0; h < 2; h++)
    json_array_append_new(halves, tokens[h] > 0 ? json_real(sum[h] / tokens[h]) : json_null());
  json_object_set_new(out->notes, "form",
                      json_string("whole documents; two halves that score each other"));
  json_object_set_new(out->notes, "band", json_string(c->options->ppl.band));
  json_object_set_new(out->notes, "by_domain", json_boolean(c->options->ppl.by_domain));
  json_object_set_new(out->notes, "kept_tokens", json_real(kept));
  json_object_set_new(out->notes, "kept_share", json_real(kept / p->tokens));
  json_object_set_new(out->notes, "kept_share_of", shares);
  if (kept > 0) json_object_set_new(out->notes, "kept_nats", json_pack("[f, f]", lowest, highest));
  json_object_set_new(out->notes, "mean_nats_of", means);
  json_object_set_new(out->notes, "mean_nats_of_halves", halves);
  json_object_set_new(out->notes, "epochs", json_real((double)c->large->tokens / kept));
  json_object_set_new(out->notes, "reference_tokens", json_integer((json_int_t)t->tokens));
}

static rmx_status make_corpus(const rmx_comparison *c, const struct pool *p, const char *folder,
                              rmx_baseline_result *out, rmx_err *err) {
  const rmx_ppl_options *o = &c->options->ppl;
  rmx_corpus *part = NULL;
  json_t *left_out = json_array();
  out->experiment =
      rmx_format("%s/%s-%g%s", folder, o->band, o->keep, o->by_domain ? "-by-domain" : "");
  rmx_status status = out->experiment ? write_part(c, p, p->keep, out->experiment, &part, err)
                                      : rmx_fail_memory(err, 0, "a path");
  size_t usable = 0;
  for (size_t d = 0; status == RMX_OK && d < p->D; d++)
    usable += part->domains[d].train_tokens >= (size_t)c->large->context + 1;
  if (status == RMX_OK && usable == 0)
    status = rmx_fail(err, RMX_EINPUT,
                      "ppl: no domain keeps the %lld tokens of a sequence; raise ppl.keep",
                      (long long)c->large->context + 1);
  if (status == RMX_OK) status = natural(part, c->large->context, out->mixture, left_out, err);
  if (json_array_size(left_out)) json_object_set(out->notes, "left_out", left_out);
  json_decref(left_out);
  rmx_corpus_free(part);
  return status;
}

static rmx_status find(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err) {
  RMX_OWNED_BY(pool_release) struct pool p = {0};
  rmx_training t;
  RMX_TRY(rmx__baseline_result_make(c, out, err));
  RMX_TRY(pool_make(c->corpus, &p, err));
  const uint64_t key = rmx_hash(&c->seed, sizeof c->seed, c->corpus->hash);
  RMX_OWNED char *name = rmx_format("ppl-%08llx", (unsigned long long)key & 0xffffffff),
                 *folder = name ? rmx_path_in(c->folder, name) : NULL;
  RMX_TRY(folder ? deal(c->corpus, c->seed, &p, err) : rmx_fail_memory(err, 0, "a path"));
  RMX_TRY(afford(c, p.tokens, &t, err));
  RMX_TRY(score_all(c, &p, folder, &t, out, err));
  const double began = rmx_now();
  RMX_TRY(choose(&c->options->ppl, &p, err));
  add_notes(c, &p, &t, out);
  RMX_TRY(make_corpus(c, &p, folder, out, err));
  out->wall_s += rmx_now() - began;
  return RMX_OK;
}

const rmx_baseline rmx__ppl = {
    .name = "ppl",
    .help = "keeps the documents whose perplexity under a reference model is in a band",
    .source = "Marion et al. 2023, arXiv 2309.04564; Ankner et al. 2024, arXiv 2405.20541",
    .suits = "Suits text of uneven quality, if there is more of it than the large run needs",
    .check = check,
    .find = find,
};
