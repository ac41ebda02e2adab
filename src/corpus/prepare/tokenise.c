// SPDX-License-Identifier: Apache-2.0
// From documents to token files. The threads encode some hundred kilobytes at a time, which are
// written in the order of the documents. So the files do not depend on the number of threads, and
// memory does not depend on the size of the corpus.
#include <stdlib.h>

#include "corpus/token_file.h"
#include "limits.h"
#include "ordered.h"
#include "prepare.h"
#include "sorter.h"

enum { BATCH_BYTES = 1 << 18 };

struct writing {
  const rmx__tokenise *r;
  rmx__token_writer *writers;  // (r->n) open for the domains that are written now
  rmx__tokenised *out;         // (r->n)
  // where the documents come from: the spool in its order, or a list sorted by hash
  rmx__cursor cursor;
  rmx__sorted *sorted;
  uint64_t max_tokens;  // of a list; 0: no limit
};

struct item {
  rmx__batch batch;
  rmx_tokens tokens;
  size_t *ends;  // (batch.n) tokens up to the end of each document
  size_t capacity;
};

// ---- the three stages

static rmx_status take_listed(struct writing *w, struct item *item, rmx_err *err) {
  const rmx__record *r;
  while (item->batch.bytes < BATCH_BYTES) {
    rmx__located d;
    RMX_TRY(rmx__sorted_next(w->sorted, &r, err));
    if (!r) break;
    RMX_TRY(rmx__spool_locate(w->r->spool, r->key[2], &d, err));
    RMX_TRY(rmx__batch_add(&item->batch, &d, err));
  }
  return RMX_OK;
}

static rmx_status take(void *context, void *into, uint64_t *bytes, bool *more, rmx_err *err) {
  struct writing *w = context;
  struct item *item = into;
  const rmx__located *d;
  rmx__batch_clear(&item->batch);
  if (w->sorted) RMX_TRY(take_listed(w, item, err));
  while (!w->sorted && item->batch.bytes < BATCH_BYTES) {
    RMX_TRY(rmx__cursor_next(&w->cursor, &d, err));
    if (!d) break;
    if (w->r->spool->fates[d->number] == RMX__TRAIN) RMX_TRY(rmx__batch_add(&item->batch, d, err));
  }
  *bytes = item->batch.bytes;
  *more = item->batch.n > 0;
  return RMX_OK;
}

static rmx_status add_end(const rmx_tokenizer *t, rmx_tokens *tokens, rmx_err *err) {
  if (tokens->n == tokens->capacity) {
    const size_t capacity = tokens->capacity + tokens->capacity / 4 + 64;
    uint32_t *ids = rmx_realloc(tokens->ids, capacity, sizeof *ids);
    if (!ids) return rmx_fail_memory(err, capacity * sizeof *ids, "the tokens of a document");
    tokens->ids = ids;
    tokens->capacity = capacity;
  }
  tokens->ids[tokens->n++] = rmx_tokenizer_end_of_text(t);
  return RMX_OK;
}

static rmx_status encode(void *context, void *into, rmx_err *err) {
  const struct writing *w = context;
  struct item *item = into;
  RMX_TRY(rmx__batch_read(&item->batch, w->r->spool, err));
  if (item->capacity < item->batch.n) {
    size_t *ends = rmx_realloc(item->ends, item->batch.capacity, sizeof *ends);
    if (!ends) return rmx_fail_memory(err, item->batch.capacity * sizeof *ends, "a batch");
    item->ends = ends;
    item->capacity = item->batch.capacity;
  }
  const char *text = item->batch.text;
  item->tokens.n = 0;
  for (size_t i = 0; i < item->batch.n; i++) {
    const size_t size = item->batch.documents[i].size;
    RMX_TRY(rmx_tokenizer_encode(w->r->tokenizer, w->r->specials, text, size, &item->tokens, err));
    RMX_TRY(add_end(w->r->tokenizer, &item->tokens, err));
    item->ends[i] = item->tokens.n;
    text += size;
  }
  return RMX_OK;
}

// Counts the documents and the bytes in the first `keep` tokens. Each document ends with one end of
// text, except perhaps the last.
static rmx_status count_cut(const rmx_tokenizer *t, const rmx_tokens *tokens, size_t keep,
                            rmx__tokenised *out, rmx_err *err) {
  uint32_t end_of_text = rmx_tokenizer_end_of_text(t);
  rmx_buf text = {0};
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < keep && status == RMX_OK; i++) {
    bool ends = tokens->ids[i] == end_of_text;
    out->documents += ends || i + 1 == keep;
    if (!ends) status = rmx_tokenizer_decode(t, &tokens->ids[i], 1, &text, err);
  }
  out->bytes += text.size;
  rmx_buf_release(&text);
  return status;
}

// All documents of a batch belong to one domain, and the file ends within them.
static rmx_status put_cut(struct writing *w, const struct item *item, bool *more, rmx_err *err) {
  const uint32_t d = item->batch.documents[0].domain;
  const size_t keep = (size_t)(w->max_tokens - w->out[d].tokens);
  RMX_TRY(count_cut(w->r->tokenizer, &item->tokens, keep, &w->out[d], err));
  rmx__token_writer_add(&w->writers[d], item->tokens.ids, keep);
  w->out[d].tokens += keep;
  *more = false;
  return RMX_OK;
}

static rmx_status put(void *context, void *from, bool *more, rmx_err *err) {
  struct writing *w = context;
  const struct item *item = from;
  const rmx__located *docs = item->batch.documents;
  w->r->done(w->r->context, item->batch.bytes);
  if (w->max_tokens && item->tokens.n > w->max_tokens - w->out[docs->domain].tokens)
    return put_cut(w, item, more, err);
  for (size_t i = 0, j; i < item->batch.n; i = j) {  // documents of one domain in a row
    const uint32_t d = docs[i].domain;
    const size_t first = i ? item->ends[i - 1] : 0;
    for (j = i; j < item->batch.n && docs[j].domain == d; j++) w->out[d].bytes += docs[j].size;
    w->out[d].documents += j - i;
    w->out[d].tokens += item->ends[j - 1] - first;
    rmx__token_writer_add(&w->writers[d], item->tokens.ids + first, item->ends[j - 1] - first);
  }
  *more = !w->max_tokens || w->out[docs->domain].tokens < w->max_tokens;
  return RMX_OK;
}

static void release_item(void *item) {
  struct item *i = item;
  rmx__batch_release(&i->batch);
  rmx_tokens_release(&i->tokens);
  free(i->ends);
}

static const rmx__ordered stages = {sizeof(struct item), take, encode, put, release_item};

// ---- files

static rmx_status begin_file(struct writing *w, size_t d, rmx_err *err) {
  const rmx_tokenizer *t = w->r->tokenizer;
  w->out[d] = (rmx__tokenised){0};
  return rmx__token_writer_open(&w->writers[d], w->r->paths[d], rmx_tokenizer_vocab(t),
                                rmx_tokenizer_hash(t), err);
}

rmx_status rmx__tokenise_train(const rmx__tokenise *r, const bool *wanted, rmx__tokenised *out,
                               rmx_err *err) {
  struct writing w = {.r = r,
                      .writers = rmx_calloc(r->n, sizeof *w.writers),
                      .out = out,
                      .cursor = {.spool = r->spool, .domains = wanted}};
  rmx_status status =
      w.writers ? RMX_OK : rmx_fail_memory(err, r->n * sizeof *w.writers, "token files");
  bool any = false;
  for (size_t d = 0; d < r->n && status == RMX_OK; d++) {
    if (wanted[d]) status = begin_file(&w, d, err);
    any = any || wanted[d];
  }
  if (status == RMX_OK && any) status = rmx__ordered_run(&stages, r->threads, &w, err);
  for (size_t d = 0; d < r->n && status == RMX_OK; d++)
    if (wanted[d]) status = rmx__token_writer_commit(&w.writers[d], &out[d].hash, err);
  for (size_t d = 0; w.writers && d < r->n; d++) rmx__token_writer_discard(&w.writers[d]);
  rmx__cursor_release(&w.cursor);
  free(w.writers);
  return status;
}

rmx_status rmx__tokenise_listed(const rmx__tokenise *r, size_t domain, const rmx__sorted *list,
                                uint64_t max_tokens, rmx__tokenised *out, rmx_err *err) {
  rmx__sorted *sorted = rmx_calloc(1, sizeof *sorted);
  struct writing w = {.r = r,
                      .writers = rmx_calloc(r->n, sizeof *w.writers),
                      .out = out,
                      .sorted = sorted,
                      .max_tokens = max_tokens};
  rmx_status status = sorted && w.writers ? begin_file(&w, domain, err)
                                          : rmx_fail_memory(err, sizeof *sorted, "token files");
  if (status == RMX_OK) {
    *sorted = *list;
    status = rmx__ordered_run(&stages, r->threads, &w, err);
  }
  if (status == RMX_OK)
    status = rmx__token_writer_commit(&w.writers[domain], &out[domain].hash, err);
  if (w.writers) rmx__token_writer_discard(&w.writers[domain]);
  free(w.writers);
  free(sorted);
  return status;
}
