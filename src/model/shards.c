// SPDX-License-Identifier: Apache-2.0
// shards.c: one model that several ranks train together.
//
// Each rank has all weights, and the gradients of its own sequences. The flat block is cut into
// chunks, and each chunk into a piece for each rank, which adds up the gradients of this piece and
// has its moments (Rajbhandari et al. 2020, "ZeRO", stage 2, without its memory for gradients).
//
//   backward pass   each rank sends every piece to its owner, as soon as the gradients are complete
//   step            the owner adds up what it received, in the order of the ranks, in float32, and
//                   updates the weights of the piece
//   at the end      the owner sends the weights of the piece to all others
//
// No sum depends on when a message comes: the same number of ranks gives the same bits each time.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "model.h"

enum { CHUNK = 1 << 20 };  // floats

struct chunk {
  size_t offset, size;  // in the flat block
  size_t each;          // floats of a rank's piece; the last ones may be shorter
  size_t moments;       // where those of this rank's piece are
};

struct rmx__shards {
  rmx_comm *comm;
  struct chunk *chunks;  // (n) in the order in which a backward pass completes them
  size_t n;
  size_t *section_end;  // (layers + 2) chunks that are complete after a section
  size_t moments, widest;
  bool last_pass;
  size_t ready, started, done;  // chunks of this transfer
  bool weights;                 // what is transferred, not the gradients
  struct rmx__transfer transfers[RMX__TRANSFERS];
  struct rmx__piece *pieces;     // (RMX__TRANSFERS, 2, ranks)
  float *whole, *part1, *part2;  // while a checkpoint is written: the moments of all, and own ones
  float *received;               // (RMX__TRANSFERS, ranks, widest) gradients of this rank's piece
};

static size_t ranks_of(const struct rmx__shards *s) {
  return (size_t)s->comm->size;
}

// The piece of a rank in a chunk; *first: its place in the flat block. Returns its floats.
static size_t piece_of(const struct chunk *c, size_t rank, size_t *first) {
  const size_t from = rmx__min(rank * c->each, c->size), end = rmx__min(from + c->each, c->size);
  *first = c->offset + from;
  return end - from;
}

static size_t own_piece(const struct rmx__shards *s, const struct chunk *c, size_t *first) {
  return piece_of(c, (size_t)s->comm->rank, first);
}

// ---- the chunks

// The floats of a section: the embedding, a layer, or what comes after the layers.
static void section_of(const rmx_model *m, size_t section, size_t *from, size_t *end) {
  const size_t layers = (size_t)m->c.layers, embedding = (size_t)(m->c.vocab * m->c.width);
  const size_t after = embedding + rmx_model_parameters_body(&m->c) - (size_t)m->c.width;
  const size_t layer = (after - embedding) / layers;
  *from = section == 0 ? 0 : section > layers ? after : embedding + (section - 1) * layer;
  *end = section == 0 ? embedding : section > layers ? m->size : *from + layer;
}

// Cuts all sections, the last one first. Without memory for the chunks it only counts them.
static void cut(const rmx_model *m, struct rmx__shards *s) {
  s->n = s->moments = s->widest = 0;
  for (size_t section = (size_t)m->c.layers + 2; section-- > 0;) {
    size_t from, end;
    section_of(m, section, &from, &end);
    for (; from < end; from += CHUNK, s->n++) {
      struct chunk c = {.offset = from, .size = rmx__min((size_t)CHUNK, end - from)};
      c.each = rmx__round_up((c.size + ranks_of(s) - 1) / ranks_of(s), 16);
      c.moments = s->moments;
      size_t first;
      s->moments += rmx__round_up(own_piece(s, &c, &first), 16);
      s->widest = rmx__max(s->widest, c.each);
      if (s->chunks) s->chunks[s->n] = c;
    }
    if (s->section_end) s->section_end[section] = s->n;
  }
}

rmx_status rmx__shards_new(const rmx_model *m, rmx_comm *comm, struct rmx__shards **out,
                           rmx_err *err) {
  struct rmx__shards *s = rmx_calloc(1, sizeof *s);
  if (!s) return rmx_fail_memory(err, sizeof *s, "the ranks' parts of a model");
  s->comm = comm;
  cut(m, s);
  const size_t K = ranks_of(s), floats = RMX__TRANSFERS * K * s->widest;
  s->chunks = rmx_calloc(s->n, sizeof *s->chunks);
  s->section_end = rmx_calloc((size_t)m->c.layers + 2, sizeof *s->section_end);
  s->pieces = rmx_calloc(RMX__TRANSFERS * 2 * K, sizeof *s->pieces);
  s->received = rmx_calloc(floats, sizeof *s->received);
  *out = s;
  if (!s->chunks || !s->section_end || !s->pieces || !s->received)
    return rmx_fail_memory(err, floats * sizeof(float), "the ranks' parts of a model");
  cut(m, s);
  return RMX_OK;
}

void rmx__shards_free(struct rmx__shards *s) {
  if (!s) return;
  free(s->chunks);
  free(s->section_end);
  free(s->pieces);
  free(s->received);
  free(s);
}

size_t rmx__shards_moments(const struct rmx__shards *s) {
  return s->moments;
}

// ---- transfers

static float *received_of(const struct rmx__shards *s, size_t place, size_t rank) {
  return s->received + (place * ranks_of(s) + rank) * s->widest;
}

// Gradients: every piece goes to its owner. Weights: this rank's piece goes to all.
static void start_chunk(const rmx_model *m, struct rmx__shards *s, size_t i) {
  const size_t place = i % RMX__TRANSFERS, K = ranks_of(s);
  struct rmx__piece *out = s->pieces + 2 * place * K, *in = out + K;
  size_t own, theirs;
  const size_t own_n = own_piece(s, &s->chunks[i], &own);
  for (size_t r = 0; r < K; r++) {
    const size_t n = piece_of(&s->chunks[i], r, &theirs);
    out[r] = s->weights ? (struct rmx__piece){m->weights + own, own_n}
                        : (struct rmx__piece){m->gradients + theirs, n};
    in[r] = s->weights ? (struct rmx__piece){m->weights + theirs, n}
                       : (struct rmx__piece){received_of(s, place, r), own_n};
  }
  s->transfers[place] = (struct rmx__transfer){.out = out, .in = in};
  s->comm->type->start(s->comm, &s->transfers[place], (int)place);
}

// This rank's piece becomes the sum over the ranks, in their order.
static void add_up(const rmx_model *m, const struct rmx__shards *s, size_t i) {
  enum { BLOCK = 4096 };
  float sum[BLOCK];
  size_t first;
  const size_t n = own_piece(s, &s->chunks[i], &first), own = (size_t)s->comm->rank;
  for (size_t at = 0; at < n; at += BLOCK) {
    const size_t b = rmx__min((size_t)BLOCK, n - at);
    for (size_t r = 0; r < ranks_of(s); r++) {
      const float *x =
          (r == own ? m->gradients + first : received_of(s, i % RMX__TRANSFERS, r)) + at;
      if (r == 0) memcpy(sum, x, b * sizeof *sum);
      for (size_t j = 0; r > 0 && j < b; j++) sum[j] += x[j];
    }
    memcpy(m->gradients + first + at, sum, b * sizeof *sum);
  }
}

// Finishes what has come, starts what is complete; returns at once.
static void progress(const rmx_model *m, struct rmx__shards *s) {
  for (bool moved = true; moved;) {
    moved = false;
    const size_t place = s->done % RMX__TRANSFERS;
    if (s->done < s->started && s->comm->type->done(s->comm, &s->transfers[place], (int)place)) {
      if (!s->weights) add_up(m, s, s->done);
      s->done++;
      moved = true;
    }
    if (s->started < s->ready && s->started - s->done < RMX__TRANSFERS) {
      start_chunk(m, s, s->started++);
      moved = true;
    }
  }
}

static void finish(const rmx_model *m, struct rmx__shards *s) {
  s->ready = s->n;
  while (progress(m, s), s->done < s->n) rmx__comm_pause(s->comm);
  s->ready = s->started = s->done = 0;
}

void rmx__shards_last_pass(rmx_model *m) {
  if (m->shards) m->shards->last_pass = true;
}

void rmx__shards_ready(const rmx_model *m, size_t section, bool slice_is_last) {
  struct rmx__shards *s = m->shards;
  if (!s || !s->last_pass || !slice_is_last) return;
  s->ready = s->section_end[section];
  progress(m, s);
}

// ---- the step

// The square of the norm of all gradients; this rank knows the sums of its own pieces.
static double squared_norm(const rmx_model *m, const struct rmx__shards *s) {
  double sum = 0;
  size_t first;
  for (size_t i = 0; i < s->n; i++) {
    const size_t n = own_piece(s, &s->chunks[i], &first);
    if (n) sum += rmx__threaded_squared_norm(&m->threaded, n, m->gradients + first, m->sums);
  }
  rmx__comm_add(s->comm, &sum, 1);
  return sum;
}

double rmx__shards_step(rmx_model *m, const rmx_adamw *o, double lr, double weight_sum) {
  struct rmx__shards *s = m->shards;
  s->weights = s->last_pass = false;
  finish(m, s);
  double norm;
  RMX__TIMED(m, CLIPPING, norm = sqrt(squared_norm(m, s)) / weight_sum);
  if (isfinite(norm)) {
    m->step++;
    const struct rmx__adamw constants = rmx__adamw_constants(m, o, lr, weight_sum, norm);
    s->weights = true;
    for (size_t i = 0; i < s->n; i++) {
      size_t first;
      const struct chunk *c = &s->chunks[i];
      const size_t n = own_piece(s, c, &first);
      rmx__adamw_of(m, &constants, o->weight_decay, first, n, m->moment1 + c->moments,
                    m->moment2 + c->moments);
      s->ready = i + 1;
      progress(m, s);
    }
    finish(m, s);
    s->weights = false;
  }
  memset(m->gradients, 0, m->size * sizeof(float));
  return norm;
}

// ---- the moments of all, for checkpoints

// Moments of all parameters, on the first rank, from the ranks' parts. whole (size): NULL on the
// others.
static void collect(const rmx_model *m, float *part, float *whole) {
  struct rmx__shards *s = m->shards;
  const size_t K = ranks_of(s);
  struct rmx__piece *out = s->pieces, *in = out + K;
  for (size_t i = 0; i < s->n; i++) {
    size_t own, theirs;
    const size_t own_n = own_piece(s, &s->chunks[i], &own);
    float *mine = part + s->chunks[i].moments;
    for (size_t r = 0; r < K; r++) {
      const size_t n = piece_of(&s->chunks[i], r, &theirs);
      out[r] = (struct rmx__piece){mine, r == 0 ? own_n : 0};
      in[r] = (struct rmx__piece){whole ? whole + theirs : NULL, whole ? n : 0};
    }
    s->transfers[0] = (struct rmx__transfer){.out = out, .in = in};
    s->comm->type->start(s->comm, &s->transfers[0], 0);
    while (!s->comm->type->done(s->comm, &s->transfers[0], 0)) rmx__comm_pause(s->comm);
    if (whole) memcpy(whole + own, mine, own_n * sizeof *whole);
  }
}

rmx_status rmx__shards_begin_save(rmx_model *m, rmx_err *err) {
  struct rmx__shards *s = m->shards;
  if (!s) return RMX_OK;
  const size_t bytes = 2 * m->size * sizeof(float);
  if (s->comm->rank == 0) s->whole = rmx_calloc(2 * m->size, sizeof(float));
  rmx_status status =
      s->comm->rank == 0 && !s->whole
          ? rmx_fail_memory(err, bytes, "the moments of all ranks, for a checkpoint")
          : RMX_OK;
  RMX_TRY(rmx__comm_agree(s->comm, status, err));
  collect(m, m->moment1, s->whole);
  collect(m, m->moment2, s->whole ? s->whole + m->size : NULL);
  if (!s->whole) return RMX_OK;
  s->part1 = m->moment1, s->part2 = m->moment2;
  m->moment1 = s->whole, m->moment2 = s->whole + m->size;
  return RMX_OK;
}

void rmx__shards_end_save(rmx_model *m) {
  struct rmx__shards *s = m->shards;
  if (!s || !s->whole) return;
  if (s->part1) m->moment1 = s->part1, m->moment2 = s->part2;
  free(s->whole);
  s->whole = s->part1 = s->part2 = NULL;
}

void rmx__shards_take(const rmx_model *m, const void *whole, float *part) {
  const struct rmx__shards *s = m->shards;
  size_t first;
  if (!s) {
    if (whole) memcpy(part, whole, m->size * sizeof *part);
    if (!whole) memset(part, 0, m->size * sizeof *part);
    return;
  }
  for (size_t i = 0; i < s->n; i++) {
    const size_t n = own_piece(s, &s->chunks[i], &first);
    float *to = part + s->chunks[i].moments;
    if (whole) memcpy(to, (const char *)whole + first * sizeof *to, n * sizeof *to);
    if (!whole) memset(to, 0, n * sizeof *to);
  }
}
