// SPDX-License-Identifier: Apache-2.0
// A classifier of the domains of a corpus: trained on its training documents, the same amount of
// each domain, and tested on its validation documents.
#include <stdlib.h>

#include "fasttext.h"
#include "fasttext_train.h"

#include <regmix/corpus.h>

enum { TRAINED_ON = 64 << 20, TESTED_ON = 1000 };  // bytes in all; documents of a domain

struct making {
  const rmx_corpus *corpus;
  const rmx_tokenizer *tokenizer;
  rmx_buf text;
};

// Decodes a document into m->text.
static rmx_status decode(struct making *m, size_t d, bool valid, const size_t *starts, size_t i,
                         rmx_err *err) {
  const rmx_domain *domain = &m->corpus->domains[d];
  enum { AT_ONCE = 256 };
  uint32_t ids[AT_ONCE];
  size_t n = 0;
  m->text.size = 0;
  for (size_t at = starts[i]; at < starts[i + 1]; at++) {
    const uint32_t id = rmx_token_at(valid ? domain->valid : domain->train, domain->width, at);
    if (id != m->corpus->end_of_text) ids[n++] = id;
    if (n < AT_ONCE && at + 1 < starts[i + 1]) continue;
    RMX_TRY(rmx_tokenizer_decode(m->tokenizer, ids, n, &m->text, err));
    n = 0;
  }
  return RMX_OK;
}

// Adds documents of a domain that are evenly spread, up to `share` bytes.
static rmx_status add_domain(struct making *m, size_t d, size_t share, rmx__labelled *l,
                             rmx_err *err) {
  size_t *starts, n;
  RMX_TRY(rmx_corpus_documents(m->corpus, d, false, &starts, &n, err));
  const size_t step = m->corpus->domains[d].train_bytes / share + 1, first = l->text.size;
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < n && l->text.size - first < share && status == RMX_OK; i += step) {
    status = decode(m, d, false, starts, i, err);
    if (status == RMX_OK)
      status =
          rmx__labelled_add(l, m->text.data ? m->text.data : "", m->text.size, (uint32_t)d, err);
  }
  free(starts);
  return status;
}

static rmx_status test_domain(struct making *m, size_t d, const rmx__fasttext *model,
                              rmx_classifier_made *made, rmx_err *err) {
  size_t *starts, n, label;
  double probability;
  rmx_buf scratch = {0};
  RMX_TRY(rmx_corpus_documents(m->corpus, d, true, &starts, &n, err));
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < n && i < TESTED_ON && status == RMX_OK; i++) {
    status = decode(m, d, true, starts, i, err);
    if (status == RMX_OK)
      status = rmx__fasttext_predict(model, m->text.data ? m->text.data : "", m->text.size,
                                     &scratch, &label, &probability, err);
    made->tested++;
    made->right += status == RMX_OK && label == d;
  }
  rmx_buf_release(&scratch);
  free(starts);
  return status;
}

static rmx_status test(struct making *m, const char *path, rmx_classifier_made *made,
                       rmx_err *err) {
  rmx__fasttext *model;
  RMX_TRY(rmx__fasttext_open(path, &model, err));
  rmx_status status = RMX_OK;
  for (size_t d = 0; d < m->corpus->D_train && status == RMX_OK; d++)
    status = test_domain(m, d, model, made, err);
  rmx__fasttext_free(model);
  return status;
}

rmx_status rmx_corpus_train_classifier(const rmx_corpus *corpus, const rmx_tokenizer *tokenizer,
                                       uint64_t seed, const char *path, const rmx_listener *to,
                                       rmx_classifier_made *made, rmx_err *err) {
  struct making m = {.corpus = corpus, .tokenizer = tokenizer};
  rmx__labelled labelled = {0};
  rmx_status status = RMX_OK;
  *made = (rmx_classifier_made){0};
  for (size_t d = 0; d < corpus->D_train && status == RMX_OK; d++)
    status = add_domain(&m, d, TRAINED_ON / corpus->D_train, &labelled, err);
  made->documents = labelled.n;
  made->bytes = labelled.text.size;
  if (status == RMX_OK)
    status = rmx__fasttext_train(&labelled, corpus->names, corpus->D_train, seed, path, to, err);
  rmx__labelled_release(&labelled);
  if (status == RMX_OK) status = test(&m, path, made, err);
  rmx_buf_release(&m.text);
  return status;
}
