// SPDX-License-Identifier: Apache-2.0
// model.c: the memory of a model, laid out before it is allocated, and its first weights.
//
// One block holds all: weights, gradients and both moments as flat vectors of the same layout, then
// the activations of one slice. A micro-batch goes through the layers a slice at a time, about
// SLICE_ROWS tokens of whole sequences: what a layer writes the next finds in cache, and
// activations cost the same memory for any micro-batch.
#include "model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/num.h"

enum { SLICE_ROWS = 512 };

// ---- the table of tensors ----------------------------------------------

enum start { NORMAL, RESIDUAL, ONE };

struct spec {
  const char *name;
  size_t member;  // offset in struct rmx__parameters or rmx__layer_parameters
  char rows, columns;
  enum start start;
};

#define SHAPE(rows, columns) (#rows)[0], (#columns)[0]
#define ONCE_SPEC(member, name, shape, start) \
  {name, offsetof(struct rmx__parameters, member), shape, start},
#define LAYER_SPEC(member, name, shape, start) \
  {name, offsetof(struct rmx__layer_parameters, member), shape, start},
static const struct spec before[] = {RMX__TENSORS(ONCE_SPEC, RMX__NOTHING, RMX__NOTHING)};
static const struct spec each[] = {RMX__TENSORS(RMX__NOTHING, LAYER_SPEC, RMX__NOTHING)};
static const struct spec after[] = {RMX__TENSORS(RMX__NOTHING, RMX__NOTHING, ONCE_SPEC)};
enum {
  BEFORE = sizeof before / sizeof *before,
  EACH = sizeof each / sizeof *each,
  AFTER = sizeof after / sizeof *after,
};

// Tensor i of the flat block: its line of the table and its layer.
static const struct spec *spec_of(size_t L, size_t i, size_t *layer) {
  *layer = i >= BEFORE && i < BEFORE + L * EACH ? (i - BEFORE) / EACH : 0;
  if (i < BEFORE) return &before[i];
  if (i < BEFORE + L * EACH) return &each[(i - BEFORE) % EACH];
  return &after[i - BEFORE - L * EACH];
}

size_t rmx__tensors_n(const rmx_model_config *c) {
  return BEFORE + (size_t)c->layers * EACH + AFTER - (c->tied ? 1 : 0);  // the head is the last
}

static int64_t size_of(const rmx_model_config *c, char letter) {
  switch (letter) {
    case 'V':
      return c->vocab;
    case 'C':
      return c->width;
    case 'F':
      return c->ffn;
    case 'Q':
      return (int64_t)rmx__model_queries(c);
    default:
      return (int64_t)rmx__model_keys(c);  // 'K'
  }
}

void rmx__tensors_of(const rmx_model_config *c, rmx_tensor *tensors) {
  const size_t L = (size_t)c->layers;
  size_t offset = 0;
  for (size_t i = 0; i < rmx__tensors_n(c); i++) {
    rmx_tensor *t = &tensors[i];
    size_t layer;
    const struct spec *s = spec_of(L, i, &layer);
    const char letters[] = {s->rows, s->columns};
    memset(t, 0, sizeof *t);
    if (i >= BEFORE && i < BEFORE + L * EACH)
      snprintf(t->name, sizeof t->name, "layers.%zu.%s", layer, s->name);
    else
      snprintf(t->name, sizeof t->name, "%s", s->name);
    t->ndim = s->columns == '1' ? 1 : 2;
    t->size = 1;
    for (int d = 0; d < t->ndim; d++) {
      t->shape[d] = size_of(c, letters[d]);
      t->size *= (size_t)t->shape[d];
    }
    t->offset = offset;
    offset += t->size;
  }
}

static void point_into(const rmx_model *m, struct rmx__parameters *p, float *block) {
  for (size_t i = 0; i < m->tensors_n; i++) {
    size_t layer;
    const struct spec *s = spec_of((size_t)m->c.layers, i, &layer);
    const bool once = i < BEFORE || i >= BEFORE + (size_t)m->c.layers * EACH;
    char *of = once ? (char *)p : (char *)&p->layers[layer];
    *(float **)(void *)(of + s->member) = block + m->tensors[i].offset;
  }
  if (m->c.tied) p->head = p->embedding;
}

// ---- layout -------------------------------------------------------------

// Hands out pieces of a block, 64-byte aligned; without a block it only counts.
struct arena {
  float *block;
  size_t used;  // floats
};
static float *take(struct arena *at, size_t n) {
  float *piece = at->block ? at->block + at->used : NULL;
  at->used += rmx__round_up(n, 16);
  return piece;
}

static size_t slice_rows(size_t B, size_t T) {
  const size_t sequences = T >= SLICE_ROWS ? 1 : SLICE_ROWS / T;
  return T * (sequences < B ? sequences : B);
}

// What one thread needs for itself, in whole cache lines.
static size_t scratch_of(const rmx_model *m) {
  const size_t attention = rmx__attention_scratch(m->T, (size_t)m->c.head_width);
  const size_t head = rmx__head_scratch((size_t)m->c.width);
  return rmx__round_up(rmx__max(rmx__gemm_scratch(), rmx__max(attention, head)), 16);
}

// Places all arrays of m in `block`; returns the floats they take.
static size_t lay_out(rmx_model *m, float *block) {
  const size_t C = (size_t)m->c.width, F = (size_t)m->c.ffn, H = (size_t)m->c.heads,
               S = (size_t)m->c.head_width, M = m->rows;
  const size_t Q = rmx__model_queries(&m->c), K = rmx__model_keys(&m->c);
  const size_t V = (size_t)m->c.vocab, L = (size_t)m->c.layers;
  struct arena at = {block, 0};
  m->weights = take(&at, m->size);
  if (m->training) {
    m->gradients = take(&at, m->size);
    const size_t own = m->shards ? rmx__shards_moments(m->shards) : m->size;
    m->moment1 = take(&at, own);
    m->moment2 = take(&at, own);
  }
  m->cosine = take(&at, m->T * S / 2);
  m->sine = take(&at, m->T * S / 2);
  struct rmx__layer_activations a = {0};
  for (size_t l = 0; l < L; l++) {
    if (l == 0 || m->training)
      a = (struct rmx__layer_activations){
          .x = take(&at, M * C),
          .rstd = take(&at, M),
          .qkv = take(&at, M * 3 * Q),
          .lse = take(&at, M * H),
          .attention = take(&at, M * Q),
          .middle = take(&at, M * C),
          .middle_rstd = take(&at, M),
          .gate_up = take(&at, M * 2 * F),
      };
    if (block) m->layers[l] = a;
  }
  m->x = m->training ? take(&at, M * C) : a.x;
  m->rstd = take(&at, M);
  m->normed = take(&at, M * C);
  m->hidden = take(&at, M * F);
  if (m->training) {
    m->dhidden = take(&at, M * F);
    m->dx = take(&at, M * C);
    m->dnormed = take(&at, M * rmx__max(C, Q));
    m->dwide = take(&at, M * rmx__max(3 * Q, 2 * F));
  }
  if (K < Q) m->narrow = take(&at, M * (Q + 2 * K));
  m->head_memory = take(&at, rmx__head_memory(C, V, m->training));
  if (m->training) {
    m->norm_sums = take(&at, rmx__norm_scratch(M, C));
    m->sums = (double *)(void *)take(&at, 2 * (m->size / RMX__SUM_PIECE + 1));
  }
  m->scratch = take(&at, scratch_of(m));
  return at.used;
}

size_t rmx_model_memory(const rmx_model_config *c, int B, int T, int threads) {
  rmx_model m = {.c = rmx__model_config_full(c),
                 .training = true,
                 .B = (size_t)B,
                 .T = (size_t)T,
                 .size = rmx_model_parameters(c)};
  m.rows = slice_rows(m.B, m.T);
  const size_t others = threads > 1 ? (size_t)threads - 1 : 0;
  return (lay_out(&m, NULL) + others * scratch_of(&m)) * sizeof(float) + sizeof m +
         rmx__tensors_n(&m.c) * sizeof(rmx_tensor) +
         (size_t)c->layers * (2 * sizeof *m.w.layers + sizeof *m.layers);
}

// ---- first weights ------------------------------------------------------

// Standard deviation sqrt(2 / (5 C)) (the "small" one of Nguyen and Salazar 2019, as the recipe's
// code has it; 0.025 at width 256), divided by sqrt(2 L) for what writes into the residual stream.
// A fixed 0.02 would start narrow models nearly at zero, where they learn slowly.
static void first_weights(rmx_model *m, uint64_t seed) {
  const double normal = sqrt(0.4 / (double)m->c.width),
               residual = normal / sqrt(2.0 * (double)m->c.layers);
  for (size_t i = 0; i < m->tensors_n; i++) {
    size_t layer;
    const enum start start = spec_of((size_t)m->c.layers, i, &layer)->start;
    const rmx_tensor *t = &m->tensors[i];
    rmx_rng rng = rmx_rng_make(seed, rmx_hash_string(t->name, 0), RMX_FOR_WEIGHTS);
    const double deviation = start == RESIDUAL ? residual : normal;
    for (size_t j = 0; j < t->size; j++)
      m->weights[t->offset + j] = start == ONE ? 1 : (float)(deviation * rmx_rng_normal(&rng));
  }
}

static void rotation_tables(rmx_model *m) {
  const size_t half = (size_t)m->c.head_width / 2;
  for (size_t t = 0; t < m->T; t++)
    for (size_t i = 0; i < half; i++) {
      const double angle = (double)t * rmx__model_frequency(&m->c, i);
      m->cosine[t * half + i] = (float)cos(angle);
      m->sine[t * half + i] = (float)sin(angle);
    }
}

// Large pages where the system has them: a tile reads and writes rows that lie pages apart.
static int allocate(void **block, size_t bytes) {
  enum { LARGE_PAGE = 1 << 21 };
  const bool large = bytes >= 4 * LARGE_PAGE;
  const int failed = posix_memalign(block, large ? LARGE_PAGE : 64, bytes);
#ifdef MADV_HUGEPAGE
  if (!failed && large) madvise(*block, bytes, MADV_HUGEPAGE);
#endif
  return failed;
}

static rmx_status new_model(const rmx_model_config *config, int B, int T, bool training,
                            const rmx_kernels *k, uint64_t seed, rmx_comm *comm, rmx_model **out,
                            rmx_err *err) {
  const rmx_model_config full = rmx__model_config_full(config), *c = &full;
  RMX_TRY(rmx__model_config_check(c, err));
  if (B < 1 || B > 1 << 20)
    return rmx_fail(err, RMX_EUSAGE, "model: micro-batch of %d sequences, must lie in 1 .. %d", B,
                    1 << 20);
  if (T < 1 || T > c->context)
    return rmx_fail(err, RMX_EUSAGE,
                    "model: sequences of %d tokens, must lie in 1 .. %lld (the context)", T,
                    (long long)c->context);
  rmx_model *m = rmx_calloc(1, sizeof *m);
  if (!m) return rmx_fail_memory(err, sizeof *m, "the model");
  *m = (rmx_model){.c = *c, .training = training, .B = (size_t)B, .T = (size_t)T};
  m->rows = slice_rows(m->B, m->T);
  m->size = rmx_model_parameters(c);
  m->tensors_n = rmx__tensors_n(c);
  m->tensors = rmx_calloc(m->tensors_n, sizeof *m->tensors);
  m->layers = rmx_calloc((size_t)c->layers, sizeof *m->layers);
  m->w.layers = rmx_calloc((size_t)c->layers, sizeof *m->w.layers);
  m->g.layers = rmx_calloc((size_t)c->layers, sizeof *m->g.layers);
  rmx_status status = RMX_OK;
  if (m->tensors) rmx__tensors_of(c, m->tensors);
  if (m->tensors && rmx_comm_size(comm) > 1) status = rmx__shards_new(m, comm, &m->shards, err);
  if (status != RMX_OK) {
    rmx_model_free(m);
    return status;
  }
  const size_t bytes = lay_out(m, NULL) * sizeof(float);
  void *block = NULL;
  if (!m->tensors || !m->layers || !m->w.layers || !m->g.layers || allocate(&block, bytes)) {
    rmx_model_free(m);
    return rmx_fail_memory(err, bytes, "the model; a smaller micro-batch or model needs less");
  }
  memset(block, 0, bytes);
  m->block = block;
  lay_out(m, m->block);
  m->threaded = (struct rmx__threaded){.k = k, .threads = 1, .scratch = {m->scratch}};
  point_into(m, &m->w, m->weights);
  if (training) point_into(m, &m->g, m->gradients);
  first_weights(m, seed);
  rotation_tables(m);
  *out = m;
  return RMX_OK;
}

rmx_status rmx_model_new(const rmx_model_config *c, int B, int T, bool training,
                         const rmx_kernels *k, uint64_t seed, rmx_model **out, rmx_err *err) {
  return new_model(c, B, T, training, k, seed, NULL, out, err);
}

rmx_status rmx__model_new_shared(const rmx_model_config *c, int B, int T, const rmx_kernels *k,
                                 uint64_t seed, rmx_comm *comm, rmx_model **out, rmx_err *err) {
  return new_model(c, B, T, true, k, seed, comm, out, err);
}

void rmx_model_free(rmx_model *m) {
  if (!m) return;
  rmx__shards_free(m->shards);
  free(m->tensors);
  free(m->layers);
  free(m->w.layers);
  free(m->g.layers);
  rmx_pool_free(m->threaded.pool);
  free(m->more_scratch);
  free(m->block);
  free(m);
}

rmx_status rmx_model_threads(rmx_model *m, int threads, rmx_err *err) {
  if (threads < 1 || threads > RMX__MAX_THREADS)
    return rmx_fail(err, RMX_EUSAGE, "model: %d threads, must lie in 1 .. %d", threads,
                    RMX__MAX_THREADS);
  rmx_pool *pool = NULL;
  void *scratch = NULL;
  const size_t own = scratch_of(m), bytes = ((size_t)threads - 1) * own * sizeof(float);
  if (bytes && posix_memalign(&scratch, 64, bytes))
    return rmx_fail_memory(err, bytes, "the threads of a model; fewer need less");
  if (threads > 1) {
    const rmx_status status = rmx_pool_new(threads, &pool, err);
    if (status != RMX_OK) {
      free(scratch);
      return status;
    }
  }
  rmx_pool_free(m->threaded.pool);
  free(m->more_scratch);
  m->more_scratch = scratch;
  m->threaded.pool = pool;
  m->threaded.threads = (size_t)threads;
  for (size_t i = 1; i < (size_t)threads; i++)
    m->threaded.scratch[i] = m->more_scratch + (i - 1) * own;
  return RMX_OK;
}

#define PART_TEXT(part, name) name,
const char *const rmx_model_parts[] = {RMX__PARTS(PART_TEXT)};
const size_t rmx_model_parts_n = RMX__PARTS_N;

void rmx_model_clock(rmx_model *m, double *seconds) {
  m->seconds = seconds;
}

const rmx_model_config *rmx_model_config_of(const rmx_model *m) {
  return &m->c;
}

size_t rmx_model_tensors(const rmx_model *m, const rmx_tensor **out) {
  *out = m->tensors;
  return m->tensors_n;
}
float *rmx_model_weights(rmx_model *m) {
  return m->weights;
}
float *rmx_model_gradients(rmx_model *m) {
  return m->gradients;
}
