// SPDX-License-Identifier: Apache-2.0
// A file is one message of sentencepiece_model.proto, whose field numbers stand below.
#include "sentencepiece.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/protobuf.h"
#include "corpus/tokenizer/double_array.h"
#include "corpus/utf8.h"

enum { MAX_PIECES = 1 << 24 };
enum { PIECES = 1, TRAINER = 2, NORMALIZER = 3 };                    // of the file
enum { PIECE_TEXT = 1, PIECE_SCORE = 2, PIECE_TYPE = 3 };            // of a piece
enum { MODEL_TYPE = 3, SUFFIX = 24, BYTE_FALLBACK = 35, EOS = 42 };  // of TRAINER
enum { CHARSMAP = 2, ADD_SPACE = 3, TRIM = 4, ESCAPE = 5 };          // of NORMALIZER

bool rmx__spm_is(const char *data, size_t size) {
  rmx__proto file = {.data = data, .size = size};
  rmx__proto_field field, inner;
  if (!rmx__proto_next(&file, &field) || field.number != PIECES || field.kind != RMX__PROTO_BYTES)
    return false;
  rmx__proto piece = {.data = field.data, .size = field.size};
  while (rmx__proto_next(&piece, &inner))
    if (inner.number > PIECE_TYPE) return false;
  return !piece.broken;
}

static rmx_status damaged(const char *where, const char *what, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT,
                  "%s: the SentencePiece model is damaged or cut off: %s; fetch it again", where,
                  what);
}

// ---- pieces ----------------------------------------------------------------------------

static rmx_status read_piece(rmx__spm *m, size_t i, const rmx__proto_field *field,
                             const char *where, rmx_err *err) {
  rmx__proto message = {.data = field->data, .size = field->size};
  rmx__proto_field f;
  uint64_t type = RMX__PIECE_NORMAL;
  while (rmx__proto_next(&message, &f)) {
    if (f.number == PIECE_TEXT && f.kind == RMX__PROTO_BYTES)
      m->pieces[i] = (rmx__token_text){f.data, f.size};
    else if (f.number == PIECE_SCORE)
      m->scores[i] = (double)rmx__proto_float(&f);
    else if (f.number == PIECE_TYPE && f.kind == RMX__PROTO_VARINT)
      type = f.value;
  }
  const rmx__token_text text = m->pieces[i];
  if (message.broken) return damaged(where, "a piece does not end", err);
  if (!text.size || memchr(text.data, 0, text.size) ||
      rmx__utf8_valid_prefix(text.data, text.size) != text.size)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: piece %zu is %s; the SentencePiece model is damaged, or made by hand",
                    where, i, text.size ? "not UTF-8" : "empty");
  if (!isfinite(m->scores[i]))
    return rmx_fail(err, RMX_EINPUT, "%s: the score of piece %zu, \"%.*s\", is not a number", where,
                    i, text.size < 100 ? (int)text.size : 100, text.data);
  if (type < RMX__PIECE_NORMAL || type > RMX__PIECE_BYTE)
    return rmx_fail(err, RMX_EINPUT, "%s: piece %zu, \"%.*s\", is of the unknown type %d", where, i,
                    text.size < 100 ? (int)text.size : 100, text.data,
                    type > INT32_MAX ? INT32_MAX : (int)type);
  m->types[i] = (uint8_t)type;
  return RMX_OK;
}

static rmx_status find_doubles(const rmx__spm *m, const char *where, rmx_err *err) {
  uint32_t *order = rmx__sorted_keys(m->pieces, m->n);
  if (!order) return rmx_fail_memory(err, m->n * sizeof *order, "the pieces of a tokenizer");
  rmx_status status = RMX_OK;
  for (size_t i = 1; i < m->n && status == RMX_OK; i++) {
    const rmx__token_text a = m->pieces[order[i - 1]], b = m->pieces[order[i]];
    if (a.size == b.size && memcmp(a.data, b.data, a.size) == 0)
      status = rmx_fail(err, RMX_EINPUT, "%s: the pieces %u and %u are both \"%.*s\"", where,
                        order[i - 1], order[i], a.size < 100 ? (int)a.size : 100, a.data);
  }
  free(order);
  return status;
}

static rmx_status find_unknown(rmx__spm *m, const char *where, rmx_err *err) {
  size_t found = 0;
  for (size_t i = 0; i < m->n; i++) {
    if (m->types[i] != RMX__PIECE_UNKNOWN) continue;
    m->unknown = i;
    found++;
  }
  if (found == 1) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s: a SentencePiece model has one unknown piece (\"<unk>\"); this one has %zu",
                  where, found);
}

// ---- settings --------------------------------------------------------------------------

static rmx_status read_trainer(rmx__spm *m, const rmx__proto_field *field, const char *where,
                               rmx_err *err) {
  rmx__proto message = {.data = field->data, .size = field->size};
  rmx__proto_field f;
  while (rmx__proto_next(&message, &f)) {
    if (f.kind != RMX__PROTO_VARINT) continue;
    if (f.number == MODEL_TYPE) {
      if (f.value < RMX__SPM_UNIGRAM || f.value > RMX__SPM_CHAR)
        return rmx_fail(err, RMX_EINPUT,
                        "%s: the model is of type %d; supported are 1 (unigram), 2 (bpe) and 4 "
                        "(char)",
                        where, f.value > INT32_MAX ? INT32_MAX : (int)f.value);
      m->type = (rmx__spm_type)f.value;
    } else if (f.number == SUFFIX) {
      m->suffix = f.value != 0;
    } else if (f.number == BYTE_FALLBACK) {
      m->byte_fallback = f.value != 0;
    } else if (f.number == EOS) {
      m->end_of_text = (int32_t)(uint32_t)f.value;
    }
  }
  return message.broken ? damaged(where, "its settings do not end", err) : RMX_OK;
}

static rmx_status read_normalizer(rmx__spm *m, const rmx__proto_field *field, const char *where,
                                  rmx_err *err) {
  rmx__proto message = {.data = field->data, .size = field->size};
  rmx__proto_field f;
  while (rmx__proto_next(&message, &f)) {
    if (f.number == CHARSMAP && f.kind == RMX__PROTO_BYTES)
      m->charsmap = (rmx__token_text){f.data, f.size};
    else if (f.kind == RMX__PROTO_VARINT && f.number == ADD_SPACE)
      m->add_space = f.value != 0;
    else if (f.kind == RMX__PROTO_VARINT && f.number == TRIM)
      m->trim = f.value != 0;
    else if (f.kind == RMX__PROTO_VARINT && f.number == ESCAPE)
      m->escape = f.value != 0;
  }
  return message.broken ? damaged(where, "its normalizer does not end", err) : RMX_OK;
}

// ---- the file --------------------------------------------------------------------------

static rmx_status allocate(rmx__spm *m, const char *data, size_t size, const char *where,
                           rmx_err *err) {
  rmx__proto file = {.data = data, .size = size};
  rmx__proto_field f;
  while (rmx__proto_next(&file, &f)) m->n += f.number == PIECES && f.kind == RMX__PROTO_BYTES;
  if (file.broken) return damaged(where, "a part does not end", err);
  if (m->n == 0)
    return rmx_fail(err, RMX_EINPUT, "%s: a SentencePiece model without pieces", where);
  if (m->n > MAX_PIECES)
    return rmx_fail(err, RMX_EINPUT, "%s: %zu pieces; at most %d are supported", where, m->n,
                    MAX_PIECES);
  m->pieces = rmx_calloc(m->n, sizeof *m->pieces);
  m->scores = rmx_calloc(m->n, sizeof *m->scores);
  m->types = rmx_calloc(m->n, 1);
  return m->pieces && m->scores && m->types
             ? RMX_OK
             : rmx_fail_memory(err, m->n * sizeof *m->pieces, "the pieces of a tokenizer");
}

static rmx_status read_all(rmx__spm *m, const char *data, size_t size, const char *where,
                           rmx_err *err) {
  RMX_TRY(allocate(m, data, size, where, err));
  rmx__proto file = {.data = data, .size = size};
  rmx__proto_field f;
  for (size_t i = 0; rmx__proto_next(&file, &f);) {
    if (f.kind != RMX__PROTO_BYTES) continue;
    if (f.number == PIECES) RMX_TRY(read_piece(m, i++, &f, where, err));
    if (f.number == TRAINER) RMX_TRY(read_trainer(m, &f, where, err));
    if (f.number == NORMALIZER) RMX_TRY(read_normalizer(m, &f, where, err));
  }
  if (m->end_of_text < 0 || (size_t)m->end_of_text >= m->n ||
      m->types[m->end_of_text] != RMX__PIECE_CONTROL)
    m->end_of_text = -1;
  RMX_TRY(find_unknown(m, where, err));
  return find_doubles(m, where, err);
}

rmx_status rmx__spm_read(rmx__spm *m, const char *data, size_t size, const char *where,
                         rmx_err *err) {
  *m = (rmx__spm){.type = RMX__SPM_UNIGRAM, .trim = true, .add_space = true, .escape = true};
  m->end_of_text = 2;  // as the protocol says where the file does not
  const rmx_status status = read_all(m, data, size, where, err);
  if (status != RMX_OK) rmx__spm_release(m);
  return status;
}

void rmx__spm_release(rmx__spm *m) {
  free(m->pieces);
  free(m->scores);
  free(m->types);
  *m = (rmx__spm){0};
}
