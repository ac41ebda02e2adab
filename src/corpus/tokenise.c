// SPDX-License-Identifier: Apache-2.0
// From documents to a token file. In each round the threads encode some hundred kilobytes each,
// which are then written in order. So the file does not depend on the number of threads, and the
// memory does not depend on the size of the corpus.
#include <stdlib.h>

#include "prepare.h"
#include "token_file.h"

enum { PIECE_BYTES = 1 << 18, PIECES_A_THREAD = 4 };

struct piece {
  size_t from, to;  // indices into order
  uint64_t bytes;
  rmx_tokens tokens;
  rmx_err err;
};

struct round {
  const struct rmx__tokenise *request;
  struct piece *pieces;
};

static void encode_piece(void *context, size_t i) {
  const struct round *round = context;
  const struct rmx__tokenise *r = round->request;
  struct piece *p = &round->pieces[i];
  uint32_t end_of_text = rmx_tokenizer_end_of_text(r->tokenizer);
  p->tokens.n = 0;
  for (size_t j = p->from; j < p->to && p->err.status == RMX_OK; j++) {
    const rmx__document *doc = &r->documents->items[r->order[j]];
    if (rmx_tokenizer_encode(r->tokenizer, RMX_SPECIALS_TEXT, rmx__document_text(r->documents, doc),
                             doc->size, &p->tokens, &p->err) != RMX_OK)
      return;
    if (p->tokens.n == p->tokens.capacity) {
      uint32_t *ids = rmx_realloc(p->tokens.ids, 2 * p->tokens.capacity + 1, sizeof *ids);
      if (!ids) {
        rmx_fail_memory(&p->err, p->tokens.n * sizeof *ids, "the tokens of a document");
        return;
      }
      p->tokens.ids = ids;
      p->tokens.capacity = 2 * p->tokens.capacity + 1;
    }
    p->tokens.ids[p->tokens.n++] = end_of_text;
  }
}

// Counts the documents and the bytes in the first `keep` tokens of a piece. Each document ends with
// one end of text, except perhaps the last.
static rmx_status count_cut(const rmx_tokenizer *t, const struct piece *p, size_t keep,
                            rmx__tokenised *out, rmx_err *err) {
  uint32_t end_of_text = rmx_tokenizer_end_of_text(t);
  rmx_buf text = {0};
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < keep && status == RMX_OK; i++) {
    bool ends = p->tokens.ids[i] == end_of_text;
    out->documents += ends || i + 1 == keep;
    if (!ends) status = rmx_tokenizer_decode(t, &p->tokens.ids[i], 1, &text, err);
  }
  out->bytes += text.size;
  rmx_buf_release(&text);
  return status;
}

static rmx_status add_piece(const rmx_tokenizer *t, struct piece *p, uint64_t max_tokens,
                            rmx__token_writer *w, rmx__tokenised *out, rmx_err *err) {
  if (p->err.status != RMX_OK) {
    *err = p->err;
    return err->status;
  }
  uint64_t room = max_tokens ? max_tokens - out->tokens : UINT64_MAX;
  if (p->tokens.n > room) {
    RMX_TRY(count_cut(t, p, (size_t)room, out, err));
    p->tokens.n = (size_t)room;
  } else {
    out->documents += p->to - p->from;
    out->bytes += p->bytes;
  }
  rmx__token_writer_add(w, p->tokens.ids, p->tokens.n);
  out->tokens += p->tokens.n;
  return RMX_OK;
}

rmx_status rmx__tokenise(const struct rmx__tokenise *r, const char *path, rmx__tokenised *out,
                         rmx_err *err) {
  const size_t max = (size_t)(r->threads > 1 ? r->threads : 1) * PIECES_A_THREAD;
  struct piece *pieces = rmx_calloc(max, sizeof *pieces);
  if (!pieces) return rmx_fail_memory(err, max * sizeof *pieces, "the tokens of a domain");
  *out = (rmx__tokenised){0};
  rmx__token_writer w = {0};
  rmx_status status;
  const rmx_tokenizer *t = r->tokenizer;
  RMX_TRY_GOTO(rmx__token_writer_open(&w, path, rmx_tokenizer_vocab(t), rmx_tokenizer_hash(t), err),
               done);
  struct round round = {r, pieces};
  for (size_t at = 0; at < r->n && !(r->max_tokens && out->tokens == r->max_tokens);) {
    if (rmx_interrupted()) {
      status = rmx_fail(err, RMX_EINTERRUPTED, "interrupted while %s was written", path);
      goto done;
    }
    size_t k = 0;
    uint64_t bytes = 0;
    for (; k < max && at < r->n; k++) {
      struct piece *p = &pieces[k];
      p->from = at;
      p->bytes = 0;
      while (at < r->n && p->bytes < PIECE_BYTES)
        p->bytes += r->documents->items[r->order[at++]].size;
      p->to = at;
      bytes += p->bytes;
    }
    rmx_parallel(r->threads, k, encode_piece, &round);
    for (size_t i = 0; i < k && !(r->max_tokens && out->tokens == r->max_tokens); i++)
      RMX_TRY_GOTO(add_piece(t, &pieces[i], r->max_tokens, &w, out, err), done);
    r->done(r->context, bytes);
  }
  status = rmx__token_writer_commit(&w, &out->hash, err);
done:
  rmx__token_writer_discard(&w);
  for (size_t i = 0; i < max; i++) rmx_tokens_release(&pieces[i].tokens);
  free(pieces);
  return status;
}
