// SPDX-License-Identifier: Apache-2.0
// Token files of other programs. Their ids are turned into text with the tokenizer that they were
// made with, so that all that is done to text can be done to them. The same tokenizer gives the
// same ids again; documents of which this is not true are counted.
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "tokens/ids_tokenizer.h"
#include "tokens/token_source.h"

struct tokens {
  rmx__token_source source;
  const rmx_tokenizer *tokenizer;
  rmx_tokens ids, again;       // of the present document; those of its text
  size_t at, bytes, in_piece;  // the present piece: in the file; its bytes; those that are used
  // the first document with other ids: its number, and the place and the id where they differ
  size_t other, other_at;
  uint32_t other_id;
};

// Whether the end of text is in the file. If not, its samples are documents.
static rmx_status find_ends(struct tokens *t, bool *found, rmx_err *err) {
  const rmx__token_source *s = &t->source;
  const uint32_t end = rmx_tokenizer_end_of_text(t->tokenizer);
  *found = false;
  for (size_t i = 0; i < s->n && !*found; i++) {
    size_t from = 0, bytes = 0;
    RMX_TRY(s->piece(s, i, &from, &bytes, err));
    const uint8_t *p = (const uint8_t *)s->file.data + from;
    for (size_t k = 0; k + s->width <= bytes && !*found; k += s->width)
      *found = rmx__token_number(p + k, s->width) == end;
  }
  return RMX_OK;
}

static rmx_status open_tokens(rmx__reader *r, rmx_err *err) {
  struct tokens *t = r->state = rmx_calloc(1, sizeof *t);
  if (!t) return rmx_fail_memory(err, sizeof *t, r->path);
  const bool named = r->o.ids && r->o.ids->path;
  if (named) RMX_TRY(rmx__ids_tokenizer_get(r->o.ids, r->path, &t->tokenizer, err));
  const int vocab = named ? rmx_tokenizer_vocab(t->tokenizer) : 0;
  RMX_TRY(rmx__token_source_open(&t->source, r->path, vocab, r->o.text_field, err));
  if (t->source.text) return RMX_OK;
  if (!named) return rmx__ids_tokenizer_get(r->o.ids, r->path, &t->tokenizer, err);
  bool ends = true;
  if (t->source.n > 1 && !t->source.documents) RMX_TRY(find_ends(t, &ends, err));
  t->source.documents = t->source.documents || !ends;
  return RMX_OK;
}

static void close_tokens(rmx__reader *r) {
  struct tokens *t = r->state;
  if (!t) return;
  rmx__token_source_close(&t->source);
  rmx_tokens_release(&t->ids);
  rmx_tokens_release(&t->again);
  free(t);
}

// ---- a document -------------------------------------------------------------------------------

static rmx_status next_piece(rmx__reader *r, bool *more, rmx_err *err) {
  struct tokens *t = r->state;
  rmx__token_source *s = &t->source;
  *more = s->next < s->n;
  if (!*more) return RMX_OK;
  RMX_TRY(s->piece(s, s->next++, &t->at, &t->bytes, err));
  t->in_piece = 0;
  r->input.compressed = t->at;
  if (!s->text && t->bytes % s->width)
    return rmx__token_broken(s, "a piece is not a whole number of ids", err);
  return RMX_OK;
}

static rmx_status add_id(struct tokens *t, uint64_t id, rmx_err *err) {
  const rmx__token_source *s = &t->source;
  if (id >= (uint64_t)rmx_tokenizer_vocab(t->tokenizer))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: id %llu at byte %zu is not in the vocabulary of corpus.tokenizer, which "
                    "has %d: the ids are of another tokenizer, or have another size than %u bytes",
                    s->path, (unsigned long long)id, t->at + t->in_piece,
                    rmx_tokenizer_vocab(t->tokenizer), s->width);
  if (t->ids.n == t->ids.capacity) {
    const size_t capacity = t->ids.capacity ? 2 * t->ids.capacity : 1024;
    uint32_t *ids = rmx_realloc(t->ids.ids, capacity, sizeof *ids);
    if (!ids) return rmx_fail_memory(err, capacity * sizeof *ids, s->path);
    t->ids.ids = ids;
    t->ids.capacity = capacity;
  }
  t->ids.ids[t->ids.n++] = (uint32_t)id;
  return RMX_OK;
}

// Takes ids up to the end of the document, which is not one of them. *ended: it was there.
static rmx_status take_ids(rmx__reader *r, bool *ended, rmx_err *err) {
  struct tokens *t = r->state;
  const rmx__token_source *s = &t->source;
  const uint32_t end = rmx_tokenizer_end_of_text(t->tokenizer);
  const uint8_t *p = (const uint8_t *)s->file.data + t->at;
  for (*ended = false; t->in_piece < t->bytes && !*ended; t->in_piece += s->width) {
    const uint64_t id = rmx__token_number(p + t->in_piece, s->width);
    const bool last = t->in_piece + s->width == t->bytes;
    *ended = id == end && (!s->documents || last);
    if (!*ended) RMX_TRY(add_id(t, id, err));
    if (r->o.max_document && t->ids.n > r->o.max_document)
      return rmx__too_long(r, "a document (is this the end of text of corpus.tokenizer?)", err);
  }
  *ended = *ended || s->documents;
  return RMX_OK;
}

static rmx_status decode(rmx__reader *r, rmx_err *err) {
  struct tokens *t = r->state;
  RMX_TRY(rmx_tokenizer_decode(t->tokenizer, t->ids.ids, t->ids.n, &r->text, err));
  if (r->text.failed) return rmx_fail_memory(err, r->text.size, r->path);
  t->again.n = 0;
  RMX_TRY(rmx_tokenizer_encode(t->tokenizer, r->o.ids->specials, r->text.data, r->text.size,
                               &t->again, err));
  const size_t n = t->again.n < t->ids.n ? t->again.n : t->ids.n;
  size_t same = 0;
  while (same < n && t->again.ids[same] == t->ids.ids[same]) same++;
  if (same == t->ids.n && same == t->again.n) return RMX_OK;
  if (r->other_ids++ == 0) {
    t->other = r->line_number;
    t->other_at = same;
    t->other_id = same < t->ids.n ? t->ids.ids[same] : rmx_tokenizer_end_of_text(t->tokenizer);
  }
  return RMX_OK;
}

// Some documents may have been made in another way. With more than a tenth of them, the tokenizer
// is another one.
static rmx_status check_share(const rmx__reader *r, rmx_err *err) {
  const struct tokens *t = r->state;
  if (r->o.skip_bad || r->other_ids * 10 <= r->line_number) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s: %llu of %zu documents have other ids than corpus.tokenizer gives for their "
                  "text (the first is document %zu, from its token %zu, id %u): use the tokenizer "
                  "that they were made with; corpus.skip_bad takes the new ids",
                  r->path, (unsigned long long)r->other_ids, r->line_number, t->other,
                  t->other_at + 1, t->other_id);
}

static rmx_status next_document(rmx__reader *r, bool *more, rmx_err *err) {
  struct tokens *t = r->state;
  bool ended = false, pieces = true;
  t->ids.n = 0;
  while (!ended) {
    if (t->in_piece == t->bytes) {
      RMX_TRY(next_piece(r, &pieces, err));
      if (!pieces) break;
    }
    RMX_TRY(take_ids(r, &ended, err));
  }
  enum { FIRST = 200 };
  *more = ended || t->ids.n > 0;
  r->input.compressed = t->at + t->in_piece;
  if (!*more || r->line_number == FIRST) RMX_TRY(check_share(r, err));
  if (!*more) return RMX_OK;
  r->line_number++;
  r->document = true;
  if (t->ids.n) return decode(r, err);
  rmx_buf_add(&r->text, "", 0);  // an empty document is skipped
  return RMX_OK;
}

// Of the columns that can be the text, takes the first that has some.
static rmx_status next_text(rmx__reader *r, bool *more, rmx_err *err) {
  struct tokens *t = r->state;
  rmx__token_source *s = &t->source;
  const size_t sample = s->next;
  s->column = s->columns[0];
  RMX_TRY(next_piece(r, more, err));
  if (!*more) return RMX_OK;
  r->line_number++;
  r->document = true;
  for (size_t k = 0; k < s->n_columns && rmx__is_blank(r->text.data, r->text.size); k++) {
    s->column = s->columns[k];
    if (k) RMX_TRY(s->piece(s, sample, &t->at, &t->bytes, err));
    if (r->o.max_document && t->bytes > r->o.max_document)
      return rmx__too_long(r, "a document", err);
    r->text.size = 0;
    rmx_buf_add(&r->text, (const char *)s->file.data + t->at, t->bytes);
  }
  return RMX_OK;
}

static rmx_status next_tokens(rmx__reader *r, bool *more, rmx_err *err) {
  const struct tokens *t = r->state;
  return t->source.text ? next_text(r, more, err) : next_document(r, more, err);
}

static const char *const endings[] = {".bin", ".npy", ".mds", NULL};
const rmx__format rmx__format_tokens = {
    .endings = endings,
    .flags = RMX__FORMAT_RANDOM,
    .open = open_tokens,
    .next = next_tokens,
    .close = close_tokens,
};
