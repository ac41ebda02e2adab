// SPDX-License-Identifier: Apache-2.0
// Writes a model as a GGUF file, version 3, which llama.cpp reads.
//
//   magic, version, tensors, keys
//   each key: name, type, value;  each tensor: name, shape (innermost first), type, offset
//   the numbers, each tensor at a multiple of 32 bytes
//
// llama.cpp turns neighbouring channels of a head (2 i, 2 i + 1), Hugging Face's files the channels
// (i, i + S/2). So the rows of q and k change places.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gguf.h"
#include "lm.h"

enum { ALIGN = 32, BLOCK = 32 };

// ---- sizes -------------------------------------------------------------------------

static void put_sizes(struct rmx__gguf_keys *k, const rmx_lm_config *c) {
  rmx__gguf_string(k, "general.architecture", "llama");
  rmx__gguf_u32(k, "general.alignment", ALIGN);
  rmx__gguf_u32(k, "llama.block_count", (uint32_t)c->layers);
  rmx__gguf_u32(k, "llama.context_length", (uint32_t)c->context);
  rmx__gguf_u32(k, "llama.embedding_length", (uint32_t)c->width);
  rmx__gguf_u32(k, "llama.feed_forward_length", (uint32_t)c->ffn);
  rmx__gguf_u32(k, "llama.attention.head_count", (uint32_t)c->heads);
  rmx__gguf_u32(k, "llama.attention.head_count_kv", (uint32_t)c->kv_heads);
  rmx__gguf_u32(k, "llama.attention.key_length", (uint32_t)c->head_width);
  rmx__gguf_u32(k, "llama.attention.value_length", (uint32_t)c->head_width);
  rmx__gguf_u32(k, "llama.rope.dimension_count", (uint32_t)c->head_width);
  rmx__gguf_u32(k, "llama.vocab_size", (uint32_t)c->vocab);
  rmx__gguf_f32(k, "llama.attention.layer_norm_rms_epsilon", (float)c->norm_eps);
  rmx__gguf_f32(k, "llama.rope.freq_base", (float)c->rope_base);
  if (c->rope_factor > 1 && c->rope_original <= 0) {
    rmx__gguf_string(k, "llama.rope.scaling.type", "linear");
    rmx__gguf_f32(k, "llama.rope.scaling.factor", (float)c->rope_factor);
  }
}

// ---- tensors -----------------------------------------------------------------------

// A matrix (rows, columns), or with one row a vector. turn: rows of heads of this width change
// places; 0: they stay.
struct tensor {
  char name[64];
  const float *data;
  size_t rows, columns, turn;
  rmx_gguf_type type;
  size_t offset;
};

struct file {
  const rmx_lm *m;
  rmx_gguf_type type;
  struct tensor *tensors;  // (n)
  size_t n;
};

// As ggml numbers them.
static const struct {
  uint32_t ggml, file;
  size_t block, bytes;  // bytes of a block of numbers
} types[] = {[RMX_GGUF_F32] = {0, 0, 1, 4},
             [RMX_GGUF_F16] = {1, 1, 1, 2},
             [RMX_GGUF_BF16] = {30, 32, 1, 2},
             [RMX_GGUF_Q8_0] = {8, 7, BLOCK, 2 + BLOCK}};

static size_t bytes_of(const struct tensor *t) {
  return t->rows * t->columns / types[t->type].block * types[t->type].bytes;
}

// Vectors stay float32, and so do matrices whose rows are not whole blocks.
static void add(struct file *f, const char *name, const float *data, size_t rows, size_t columns,
                size_t turn) {
  struct tensor *t = &f->tensors[f->n];
  const bool whole = columns % types[f->type].block == 0;
  *t = (struct tensor){.data = data, .rows = rows, .columns = columns, .turn = turn};
  snprintf(t->name, sizeof t->name, "%s", name);
  t->type = rows > 1 && whole ? f->type : RMX_GGUF_F32;
  if (f->n > 0) {
    const struct tensor *last = t - 1;
    t->offset = (last->offset + bytes_of(last) + ALIGN - 1) / ALIGN * ALIGN;
  }
  f->n++;
}

static void add_layer(struct file *f, size_t l) {
  const rmx_lm_config *c = &f->m->c;
  const struct rmx__lm_layer *w = &f->m->layers[l];
  const size_t C = (size_t)c->width, F = (size_t)c->ffn, S = (size_t)c->head_width,
               HS = (size_t)c->heads * S, KS = (size_t)c->kv_heads * S;
  const struct {
    const char *name;
    const float *data;
    size_t rows, columns, turn;
  } list[] = {{"attn_norm", w->attention_norm, 1, C, 0},
              {"attn_q", w->qkv, HS, C, S},
              {"attn_k", w->qkv + HS * C, KS, C, S},
              {"attn_v", w->qkv + (HS + KS) * C, KS, C, 0},
              {"attn_output", w->out, C, HS, 0},
              {"ffn_norm", w->ffn_norm, 1, C, 0},
              {"ffn_gate", w->gate_up, F, C, 0},
              {"ffn_up", w->gate_up + F * C, F, C, 0},
              {"ffn_down", w->down, C, F, 0}};
  for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
    char name[64];
    snprintf(name, sizeof name, "blk.%zu.%s.weight", l, list[i].name);
    add(f, name, list[i].data, list[i].rows, list[i].columns, list[i].turn);
  }
}

// Llama 3's scaling is a tensor there: what each frequency is divided by.
static void divisors(const rmx_lm_config *c, const double *frequency, float *out) {
  for (int64_t i = 0; i < c->head_width / 2; i++)
    out[i] = (float)(pow(c->rope_base, -2.0 * (double)i / (double)c->head_width) / frequency[i]);
}

// ---- numbers -------------------------------------------------------------------------

static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static uint16_t to_bf16(float x) {
  const uint32_t bits = bits_of(x);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// Rounds to the nearest, ties to even.
static uint16_t to_half(float x) {
  const uint16_t sign = (uint16_t)(bits_of(x) >> 16 & 0x8000);
  const double a = fabs((double)x);
  if (!(a < 65520)) return sign | 0x7c00;
  if (a < 0x1p-14) return sign | (uint16_t)rint(a * 0x1p24);
  int exponent;
  const double fraction = frexp(a, &exponent);  // in [0.5, 1)
  const uint32_t rounded = (uint32_t)rint(fraction * 2048);
  return sign | (uint16_t)(((uint32_t)(exponent + 13) << 10) + rounded);
}

// A block is its largest magnitude / 127 and 32 numbers in units of that.
static void put_q8(const float *x, FILE *out) {
  float largest = 0;
  int8_t numbers[BLOCK];
  for (size_t i = 0; i < BLOCK; i++) largest = fmaxf(largest, fabsf(x[i]));
  const float unit = largest / 127, inverse = unit > 0 ? 1 / unit : 0;
  const uint16_t half = to_half(unit);
  for (size_t i = 0; i < BLOCK; i++) numbers[i] = (int8_t)roundf(x[i] * inverse);
  fwrite(&half, sizeof half, 1, out);
  fwrite(numbers, 1, BLOCK, out);
}

static void put_row(const struct tensor *t, const float *x, FILE *out) {
  if (t->type == RMX_GGUF_F32) fwrite(x, sizeof *x, t->columns, out);
  for (size_t i = 0; t->type == RMX_GGUF_Q8_0 && i < t->columns; i += BLOCK) put_q8(x + i, out);
  for (size_t i = 0; (t->type == RMX_GGUF_F16 || t->type == RMX_GGUF_BF16) && i < t->columns; i++) {
    const uint16_t y = t->type == RMX_GGUF_F16 ? to_half(x[i]) : to_bf16(x[i]);
    fwrite(&y, sizeof y, 1, out);
  }
}

// Row 2 i + j of a head is their row i + j S/2.
static void put_tensor(const struct tensor *t, FILE *out) {
  for (size_t r = 0; r < t->rows; r++) {
    size_t from = r;
    if (t->turn) {
      const size_t in = r % t->turn;
      from = r - in + in / 2 + in % 2 * (t->turn / 2);
    }
    put_row(t, t->data + from * t->columns, out);
  }
  static const char zeros[ALIGN];
  fwrite(zeros, 1, (ALIGN - bytes_of(t) % ALIGN) % ALIGN, out);
}

// ---- the file -----------------------------------------------------------------------------

static void put_list(rmx_buf *b, const struct file *f) {
  for (size_t i = 0; i < f->n; i++) {
    const struct tensor *t = &f->tensors[i];
    rmx__gguf_put_text(b, t->name);
    rmx__gguf_put_u32(b, t->rows > 1 ? 2 : 1);
    rmx__gguf_put_u64(b, t->columns);
    if (t->rows > 1) rmx__gguf_put_u64(b, t->rows);
    rmx__gguf_put_u32(b, types[t->type].ggml);
    rmx__gguf_put_u64(b, t->offset);
  }
}

static rmx_status write_file(const struct file *f, const struct rmx__gguf_keys *keys,
                             const char *path, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf front = {0};
  rmx_buf_add(&front, "GGUF", 4);
  rmx__gguf_put_u32(&front, 3);
  rmx__gguf_put_u64(&front, f->n);
  rmx__gguf_put_u64(&front, keys->n);
  rmx_buf_add(&front, keys->text.data, keys->text.size);
  put_list(&front, f);
  static const char zeros[ALIGN];
  rmx_buf_add(&front, zeros, (ALIGN - front.size % ALIGN) % ALIGN);
  if (front.failed || keys->text.failed)
    return rmx_fail_memory(err, front.size, "the keys of a GGUF file");
  rmx_outfile out = {0};
  RMX_TRY(rmx_outfile_open(&out, path, err));
  fwrite(front.data, 1, front.size, out.file);
  for (size_t i = 0; i < f->n && !rmx_interrupted(); i++) put_tensor(&f->tensors[i], out.file);
  if (!rmx_interrupted()) return rmx_outfile_commit(&out, err);
  rmx_outfile_discard(&out);
  return rmx_fail(err, RMX_EINTERRUPTED, "interrupted");
}

rmx_status rmx_lm_write_gguf(const rmx_lm *m, const char *tokenizer, rmx_gguf_type type,
                             const char *path, rmx_err *err) {
  const rmx_lm_config *c = &m->c;
  const size_t C = (size_t)c->width, V = (size_t)c->vocab, half = (size_t)c->head_width / 2;
  struct file f = {.m = m, .type = type};
  RMX_OWNED struct tensor *tensors = rmx_calloc((size_t)c->layers * 9 + 4, sizeof *tensors);
  RMX_OWNED float *scaling = rmx_calloc(half, sizeof *scaling);
  RMX_OWNED_BY(rmx__gguf_keys_release) struct rmx__gguf_keys keys = {0};
  if (!tensors || !scaling) return rmx_fail_memory(err, half * sizeof *scaling, "a GGUF file");
  f.tensors = tensors;
  put_sizes(&keys, c);
  rmx__gguf_u32(&keys, "general.file_type", types[type].file);
  RMX_TRY(rmx__gguf_tokenizer(&keys, tokenizer, (size_t)c->vocab, err));
  add(&f, "token_embd.weight", m->embedding, V, C, 0);
  for (size_t l = 0; l < (size_t)c->layers; l++) add_layer(&f, l);
  add(&f, "output_norm.weight", m->norm, 1, C, 0);
  if (!c->tied) add(&f, "output.weight", m->head, V, C, 0);
  if (c->rope_original > 0) {
    divisors(c, m->frequency, scaling);
    add(&f, "rope_freqs.weight", scaling, 1, half, 0);
  }
  return write_file(&f, &keys, path, err);
}
