// SPDX-License-Identifier: Apache-2.0
// What a plan must know about the text: its size, the vocabulary, the amount of validation. All of
// it is estimated from the sizes of the files, so the plan is the same before and after prepare.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

// Measured on English text, source code and German (docs/results/corpus.md).
#define BYTES_A_SECOND 40e6  // that one core prepares
#define COMPRESSED 4.0       // bytes of text for each byte of a compressed file

const rmx_training *rmx__training_at(const rmx_config *c, size_t i) {
  return i == 0 ? &c->proxy : i == 1 ? &c->large : &c->swarms[i - 2].training;
}

struct estimate {
  const rmx_config *config;
  double bytes_a_token;
  double all, *valid;
  double caps, most_caps;  // sums of the caps: estimated; if each byte were a token
  bool packed;
};

static double bytes_of(struct estimate *e, const rmx_source_look *look) {
  e->packed = e->packed || look->packed;
  return (double)look->bytes * (look->packed ? COMPRESSED : 1);
}

static double least(double x, int64_t limit) {
  return limit > 0 && x > (double)limit ? (double)limit : x;
}

// Adds a domain with text of `bytes` bytes, of which a share validates.
static void add_domain(struct estimate *e, double bytes, double share) {
  const rmx_config *c = e->config;
  bytes = least(bytes, c->corpus.max_bytes);
  e->all += bytes;
  // The first token has nothing before it that it could be predicted from.
  const double epochs = c->sample.max_epochs / (double)c->large.tokens,
               train = (1 - share) * bytes * epochs;
  e->most_caps += fmin(1, train);
  e->caps += fmin(1, train / e->bytes_a_token);
  const double valid = least(share * bytes / e->bytes_a_token, c->corpus.max_valid_tokens) - 1;
  for (size_t i = 0; i < 2 + c->n_swarms; i++)
    e->valid[i] += least(valid, rmx__training_at(c, i)->eval_tokens);
}

static rmx_status add_source(struct estimate *e, const rmx_pipeline *p, const rmx_domain_source *s,
                             rmx_err *err) {
  rmx_source_look look;
  RMX_TRY(rmx_corpus_look(&e->config->corpus, s, p->experiment.folder, false, &look, err));
  const double files = (double)(look.files + look.valid_files);
  add_domain(e, bytes_of(e, &look),
             s->valid_only                   ? 1
             : files > 0 && look.valid_files ? (double)look.valid_files / files
                                             : e->config->corpus.valid_fraction);
  return RMX_OK;
}

// The domains of divided sources are those of the first documents.
static rmx_status add_divided(struct estimate *e, const rmx_pipeline *p, const rmx_sources *s,
                              rmx_err *err) {
  double bytes = 0, documents = 0;
  for (size_t i = 0; i < s->n; i++) {
    rmx_source_look look;
    if (!s->domains[i].divided) continue;
    RMX_TRY(rmx_corpus_look(&e->config->corpus, &s->domains[i], p->experiment.folder, false, &look,
                            err));
    bytes += least(bytes_of(e, &look), e->config->corpus.max_bytes);
  }
  rmx_values_look values;
  RMX_TRY(
      rmx_corpus_values(&e->config->corpus, s->domains, s->n, p->experiment.folder, &values, err));
  for (size_t i = 0; i < values.names.n; i++) documents += (double)values.documents[i];
  for (size_t i = 0; i < values.names.n; i++)
    add_domain(e, bytes * (double)values.documents[i] / documents,
               e->config->corpus.valid_fraction);
  rmx_values_look_release(&values);
  return RMX_OK;
}

static rmx_status estimate(struct estimate *e, const rmx_pipeline *p, const rmx_sources *s,
                           rmx_err *err) {
  bool divided = false;
  for (size_t i = 0; i < s->n; i++) {
    divided = divided || s->domains[i].divided;
    if (!s->domains[i].divided && s->domains[i].values.n == 0)
      RMX_TRY(add_source(e, p, &s->domains[i], err));
  }
  return divided ? add_divided(e, p, s, err) : RMX_OK;
}

// Of the tokenizer that the config names.
static rmx_status read_vocab(const rmx_pipeline *p, int *vocab, rmx_err *err) {
  rmx_tokenizer *t = NULL;
  char *path = rmx_experiment_path(&p->experiment, p->experiment.config.corpus.tokenizer);
  rmx_status status = path ? rmx_tokenizer_read(path, &t, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) *vocab = rmx_tokenizer_vocab(t);
  rmx_tokenizer_free(t);
  free(path);
  return status;
}

static rmx_status look_at_text(rmx_pipeline *p, struct estimate *e, struct rmx__plan_text *out,
                               rmx_err *err) {
  rmx_sources s = {0};
  bool current = false;
  rmx_corpus *corpus = NULL;
  rmx_err ignored;
  rmx_status status = rmx_sources_find(p, &s, err);
  if (status == RMX_OK && (status = estimate(e, p, &s, err)) != RMX_OK)
    rmx_fail_in(err, "no text to plan for; --without-text makes a plan without text");
  if (status == RMX_OK) {
    const rmx_corpus_request r = rmx__corpus_request(p, &s);
    status = rmx_corpus_is_current(&r, p->experiment.folder, &current, err);
  }
  rmx_sources_release(&s);
  if (status != RMX_OK || !current ||
      rmx_experiment_corpus(&p->experiment, &corpus, &ignored) != RMX_OK)
    return status;
  out->epochs = rmx__epochs_json(&p->experiment, corpus);
  rmx_corpus_free(corpus);
  return RMX_OK;
}

rmx_status rmx__plan_text(rmx_pipeline *p, bool without_text, struct rmx__plan_text *out,
                          rmx_err *err) {
  const rmx_config *c = &p->experiment.config;
  struct estimate e = {.config = c,
                       .bytes_a_token = c->corpus.tokenizer || c->corpus.vocab > 8192 ? 4.2 : 2.7};
  RMX_OWNED double *valid = e.valid = rmx_calloc(2 + c->n_swarms, sizeof *valid);
  *out = (struct rmx__plan_text){.vocab = (int)c->corpus.vocab};
  if (!valid) return rmx_fail_memory(err, 0, "a plan");
  for (size_t i = 0; without_text && i < c->n_domains; i++)
    add_domain(&e, 2e5 * e.bytes_a_token, 1);
  if (without_text)
    e.all = 0;
  else
    RMX_TRY(look_at_text(p, &e, out, err));
  if (c->corpus.tokenizer) RMX_TRY(read_vocab(p, &out->vocab, err));
  if (!without_text) RMX_TRY(rmx__task_bytes(&p->experiment, &out->task_tokens, err));
  out->task_tokens /= e.bytes_a_token;
  out->bytes = e.all;
  out->caps = without_text || c->sample.max_epochs <= 0 ? 1 : e.caps;
  out->most_caps = e.packed || out->caps >= 1 ? 1 : e.most_caps;
  out->valid_tokens = e.valid;
  valid = NULL;
  out->seconds = e.all / (BYTES_A_SECOND * fmax(1, rmx_worker_jobs(&p->experiment)));
  out->spool = 1.1 * e.all;
  out->tokens = e.all / e.bytes_a_token * (out->vocab <= 65536 ? 2 : 4);
  return RMX_OK;
}

void rmx__caps_text(const rmx_experiment *e, double sum, char out[400]) {
  snprintf(out, 400,
           "the caps of the domains' weights sum to %.3g, less than 1, so no mixture is possible: "
           "large.tokens is more than sample.max_epochs (%g) times the whole text; lower "
           "large.tokens or raise sample.max_epochs",
           sum, e->config.sample.max_epochs);
}
