// SPDX-License-Identifier: Apache-2.0
// A SentencePiece model as a tokenizer.json. What SentencePiece does to a text is written as steps
// that Hugging Face's library has, in the same order:
//
//   charsmap     Precompiled
//   trim         Replace rows of spaces by one, and those at both ends by nothing
//   add_space    Prepend "▁", or Replace the end of the text by it
//   escape       Replace " " by "▁"
//
// Where no piece has a "▁" inside, no piece crosses the start of a word: the text is cut there,
// which changes nothing and lets words be remembered.
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "corpus/tokenizer/charsmap.h"
#include "foreign.h"
#include "ranks.h"
#include "sentencepiece.h"

static const char space_mark[] = "\xE2\x96\x81";  // "▁"
enum { MARK = sizeof space_mark - 1 };

// ---- steps -----------------------------------------------------------------------------

static json_t *replace(bool regex, const char *from, const char *to) {
  return json_pack("{s:s, s:{s:s}, s:s}", "type", "Replace", "pattern", regex ? "Regex" : "String",
                   from, "content", to);
}

// User tokens are cut out of the text after it was normalised. They are normalised for that
// themselves, so a space must not be put before one that stands alone.
static json_t *add_space(const rmx__spm *m, const char *space) {
  rmx_buf regex = {0};
  rmx_buf_puts(&regex, m->suffix ? "\\z(?<=[\\s\\S])" : "\\A(?=[\\s\\S])");
  size_t users = 0;
  for (size_t i = 0; i < m->n; i++) {
    if (m->types[i] != RMX__PIECE_USER) continue;
    rmx_buf_puts(&regex, users++ ? "|" : m->suffix ? "(?<!" : "(?!(?:");
    if (m->suffix) rmx_buf_puts(&regex, "\\A");
    for (size_t k = 0; k < m->pieces[i].size; k++) {
      const char c = m->pieces[i].data[k];
      if ((uint8_t)c < 128 && strchr("\\^$.[]|()?*+{}-&#/ ", c)) rmx_buf_puts(&regex, "\\");
      rmx_buf_add(&regex, &c, 1);
    }
  }
  if (users) rmx_buf_puts(&regex, m->suffix ? ")" : ")\\z)");
  json_t *step = regex.failed ? NULL
                 : users || m->suffix
                     ? replace(true, regex.data, space)
                     : json_pack("{s:s, s:s}", "type", "Prepend", "prepend", space);
  rmx_buf_release(&regex);
  return step;
}

static json_t *normalizer(const rmx__spm *m) {
  json_t *steps = json_array();
  if (m->charsmap.size) {
    rmx_buf map = {0};
    rmx__base64_encode(m->charsmap.data, m->charsmap.size, &map);
    json_array_append_new(steps, map.failed ? NULL
                                            : json_pack("{s:s, s:s}", "type", "Precompiled",
                                                        "precompiled_charsmap", map.data));
    rmx_buf_release(&map);
  }
  if (m->trim) {
    json_array_append_new(steps, replace(true, " {2,}", " "));
    json_array_append_new(
        steps,
        replace(true, m->escape ? "(?<![ \xE2\x96\x81])[ \xE2\x96\x81]+\\z|\\A " : "\\A | \\z",
                ""));
  }
  if (m->add_space) json_array_append_new(steps, add_space(m, m->escape ? space_mark : " "));
  if (m->escape) json_array_append_new(steps, replace(false, " ", space_mark));
  const size_t wanted = (m->charsmap.size != 0) + 2 * m->trim + m->add_space + m->escape;
  if (json_array_size(steps) != wanted) {
    json_decref(steps);
    return NULL;
  }
  return json_pack("{s:s, s:o}", "type", "Sequence", "normalizers", steps);
}

// Whether no piece has the mark of a space but at its start, and that mark alone is a piece: else
// rows of unknown words would be one token each.
static bool words_are_apart(const rmx__spm *m) {
  bool apart = m->escape && !m->suffix, alone = false;
  for (size_t i = 0; i < m->n && apart; i++) {
    const rmx__token_text t = m->pieces[i];
    if (m->types[i] != RMX__PIECE_NORMAL) continue;
    alone |= t.size == MARK && memcmp(t.data, space_mark, MARK) == 0;
    for (size_t at = 1; at + MARK <= t.size && apart; at++)
      apart = memcmp(t.data + at, space_mark, MARK) != 0;
  }
  return apart && alone;
}

static json_t *pre_tokenizer(const rmx__spm *m) {
  return words_are_apart(m) ? json_pack("{s:s, s:s, s:s, s:b}", "type", "Metaspace", "replacement",
                                        space_mark, "prepend_scheme", "never", "split", 1)
                            : json_null();
}

static json_t *decoder(const rmx__spm *m) {
  json_t *steps = json_array();
  if (m->escape) json_array_append_new(steps, replace(false, space_mark, " "));
  if (m->byte_fallback) json_array_append_new(steps, json_pack("{s:s}", "type", "ByteFallback"));
  json_array_append_new(steps, json_pack("{s:s}", "type", "Fuse"));
  if (m->add_space)
    json_array_append_new(steps, json_pack("{s:s, s:s, s:i, s:i}", "type", "Strip", "content", " ",
                                           "start", !m->suffix, "stop", m->suffix));
  return json_pack("{s:s, s:o}", "type", "Sequence", "decoders", steps);
}

static json_t *model(const rmx__spm *m) {
  if (m->type == RMX__SPM_UNIGRAM)
    return json_pack("{s:s, s:I, s:b, s:[]}", "type", "Unigram", "unk_id", (json_int_t)m->unknown,
                     "byte_fallback", m->byte_fallback, "vocab");
  return json_pack("{s:s, s:n, s:s%, s:n, s:n, s:b, s:b, s:b, s:{}, s:[]}", "type", "BPE",
                   "dropout", "unk_token", m->pieces[m->unknown].data, m->pieces[m->unknown].size,
                   "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", 1,
                   "byte_fallback", m->byte_fallback, "ignore_merges", 0, "vocab", "merges");
}

// ---- tokens ----------------------------------------------------------------------------

// Whether a user token stays what it is when it is normalised alone.
static bool stays(const rmx__spm *m, const rmx__charsmap *map, rmx__token_text t) {
  rmx_buf normal = {0};
  if (m->charsmap.size) rmx__charsmap_apply(map, t.data, t.size, &normal);
  const bool same = !m->charsmap.size || (!normal.failed && normal.size == t.size &&
                                          memcmp(normal.data, t.data, t.size) == 0);
  rmx_buf_release(&normal);
  const bool ends = t.data[0] == ' ' || t.data[t.size - 1] == ' ' ||
                    (t.size >= MARK && memcmp(t.data + t.size - MARK, space_mark, MARK) == 0);
  return same && !(m->trim && ends);
}

static rmx_status add_pieces(rmx__foreign *f, const rmx__spm *m, rmx_err *err) {
  rmx__charsmap map = {0};
  if (m->charsmap.size)
    RMX_TRY(rmx__charsmap_read(&map, m->charsmap.data, m->charsmap.size, f->list.where, err));
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < m->n && status == RMX_OK; i++) {
    const rmx__token_text t = m->pieces[i];
    const bool user = m->types[i] == RMX__PIECE_USER,
               special = m->types[i] == RMX__PIECE_CONTROL || m->types[i] == RMX__PIECE_UNKNOWN;
    const uint8_t kind = special ? RMX__TOKEN_SPECIAL : user ? RMX__TOKEN_ADDED : RMX__TOKEN_BYTES;
    status = rmx__token_list_set(&f->list, (int64_t)i, t.data, t.size, kind | RMX__IN_MODEL, err);
    if (status == RMX_OK && (special || user))
      status =
          rmx__foreign_add(f, (int64_t)i, t.data, t.size, special, user && stays(m, &map, t), err);
  }
  rmx__charsmap_release(&map);
  return status;
}

struct scored {
  double score;
  uint32_t id;
};

static int best_first(const void *a, const void *b) {
  const struct scored *x = a, *y = b;
  if (x->score != y->score) return x->score > y->score ? -1 : 1;
  return x->id < y->id ? -1 : x->id > y->id;
}

// The ranks of pieces: the best score comes first.
static uint32_t *ranks_of(const rmx__spm *m) {
  struct scored *order = rmx_calloc(m->n, sizeof *order);
  uint32_t *ranks = rmx_calloc(m->n, sizeof *ranks);
  for (size_t i = 0; order && i < m->n; i++) order[i] = (struct scored){m->scores[i], (uint32_t)i};
  if (order) qsort(order, m->n, sizeof *order, best_first);
  for (size_t i = 0; order && ranks && i < m->n; i++) ranks[order[i].id] = (uint32_t)i;
  if (!order) {
    free(ranks);
    ranks = NULL;
  }
  free(order);
  return ranks;
}

static rmx_status add_merges(rmx__foreign *f, const rmx__spm *m, rmx_err *err) {
  if (m->type == RMX__SPM_CHAR) return RMX_OK;
  uint32_t *ranks = ranks_of(m);
  rmx__token_text *pieces = rmx_calloc(m->n, sizeof *pieces);
  for (size_t i = 0; pieces && i < m->n; i++)
    if (m->types[i] == RMX__PIECE_NORMAL || m->types[i] == RMX__PIECE_USER)
      pieces[i] = m->pieces[i];
  const rmx_status status = ranks && pieces ? rmx__ranks_to_merges(pieces, ranks, m->n, true,
                                                                   &f->merges, &f->nmerges, err)
                                            : rmx_fail_memory(err, m->n * sizeof *pieces, "merges");
  free(ranks);
  free(pieces);
  return status;
}

static rmx_status check(const rmx__spm *m, const char *where, rmx_err *err) {
  if (m->type == RMX__SPM_WORD)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: a SentencePiece model of whole words: all words outside of it are one "
                    "unknown token; use a model of the type unigram or bpe",
                    where);
  for (size_t i = 0; i < m->n; i++)
    if (m->types[i] == RMX__PIECE_UNUSED)
      return rmx_fail(err, RMX_EINPUT,
                      "%s: piece %zu, \"%.*s\", is marked as unused, which a tokenizer.json cannot "
                      "say; remove such pieces",
                      where, i, m->pieces[i].size < 100 ? (int)m->pieces[i].size : 100,
                      m->pieces[i].data);
  return RMX_OK;
}

static rmx_status convert(const rmx__spm *m, rmx__foreign *f, rmx_err *err) {
  RMX_TRY(check(m, f->list.where, err));
  f->frame =
      json_pack("{s:s, s:n, s:n, s:[], s:o, s:o, s:n, s:o, s:o}", "version", "1.0", "truncation",
                "padding", "added_tokens", "normalizer", normalizer(m), "pre_tokenizer",
                pre_tokenizer(m), "post_processor", "decoder", decoder(m), "model", model(m));
  if (!f->frame) return rmx_fail_memory(err, 0, "a tokenizer");
  RMX_TRY(add_pieces(f, m, err));
  if (m->type != RMX__SPM_UNIGRAM) return add_merges(f, m, err);
  f->scores = rmx_calloc(m->n, sizeof *f->scores);
  if (!f->scores) return rmx_fail_memory(err, m->n * sizeof *f->scores, "scores");
  memcpy(f->scores, m->scores, m->n * sizeof *f->scores);
  return RMX_OK;
}

static rmx_status read_model(const char *data, size_t size, const char *where, rmx__foreign *out,
                             rmx_err *err) {
  rmx__spm m;
  out->list.where = where;
  RMX_TRY(rmx__spm_read(&m, data, size, where, err));
  const rmx_status status = convert(&m, out, err);
  rmx__spm_release(&m);
  return status;
}

const rmx__foreign_type rmx__spm_file_type = {rmx__spm_is, read_model};
