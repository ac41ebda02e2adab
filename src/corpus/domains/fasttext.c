// SPDX-License-Identifier: Apache-2.0
// The label of a text. Sums are in fastText's order and precision, so the labels are the same.
#include "fasttext.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fasttext_model.h"

static const char end_word[] = "</s>", label_prefix[] = "__label__";
enum { PREFIX = sizeof label_prefix - 1, END = sizeof end_word - 1 };

uint32_t rmx__fasttext_hash(const char *word, size_t size) {
  uint32_t h = 2166136261u;
  for (size_t i = 0; i < size; i++) h = (h ^ (uint32_t)(int8_t)word[i]) * 16777619u;
  return h;
}

static bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

const char *rmx__fasttext_word_end(const char *at, const char *end) {
  while (at < end && !is_space(*at)) at++;
  return at;
}

const char *rmx__fasttext_next_word(const char *at, const char *end) {
  while (at < end && is_space(*at)) at++;
  return at;
}

uint64_t rmx__fasttext_file_hash(const rmx__fasttext *m) {
  return rmx_hash(m->map.data, m->map.size, 0);
}

size_t rmx__fasttext_labels(const rmx__fasttext *m) {
  return (size_t)m->labels;
}

const char *rmx__fasttext_label(const rmx__fasttext *m, size_t i) {
  const char *text = m->entries[(size_t)m->words + i].text;
  return strncmp(text, label_prefix, PREFIX) == 0 ? text + PREFIX : text;
}

// ---- rows of the matrices

static float float_at(const char *data, size_t i) {
  float x;
  memcpy(&x, data + i * sizeof x, sizeof x);
  return x;
}

// Where the centroids of part p of a vector begin, and how many numbers each has.
static const char *centroids_of(const struct rmx__quantiser *q, int32_t p, int32_t *size) {
  *size = p == q->nsubq - 1 ? q->lastdsub : q->dsub;
  return q->centroids + (size_t)p * RMX__CENTROIDS * (size_t)q->dsub * sizeof(float);
}

static float norm_of(const struct rmx__fasttext_matrix *x, int64_t row) {
  return x->norms ? float_at(x->norm_quantiser.centroids, x->norms[row]) : 1;
}

static void add_row(const struct rmx__fasttext_matrix *x, int64_t row, float *sum) {
  if (x->dense) {
    const char *data = x->dense + (size_t)row * (size_t)x->columns * sizeof(float);
    for (int64_t j = 0; j < x->columns; j++) sum[j] += float_at(data, (size_t)j);
    return;
  }
  const struct rmx__quantiser *q = &x->quantiser;
  const uint8_t *codes = x->codes + row * q->nsubq;
  const float norm = norm_of(x, row);
  for (int32_t p = 0, size; p < q->nsubq; p++) {
    const char *c = centroids_of(q, p, &size);
    for (int32_t j = 0; j < size; j++)
      sum[p * q->dsub + j] += norm * float_at(c, (size_t)codes[p] * (size_t)size + (size_t)j);
  }
}

static float dot_row(const struct rmx__fasttext_matrix *x, int64_t row, const float *v) {
  float sum = 0;
  if (x->dense) {
    const char *data = x->dense + (size_t)row * (size_t)x->columns * sizeof(float);
    for (int64_t j = 0; j < x->columns; j++) sum += float_at(data, (size_t)j) * v[j];
    return sum;
  }
  const struct rmx__quantiser *q = &x->quantiser;
  const uint8_t *codes = x->codes + row * q->nsubq;
  for (int32_t p = 0, size; p < q->nsubq; p++) {
    const char *c = centroids_of(q, p, &size);
    for (int32_t j = 0; j < size; j++)
      sum += v[p * q->dsub + j] * float_at(c, (size_t)codes[p] * (size_t)size + (size_t)j);
  }
  return sum * norm_of(x, row);
}

// ---- the vector of a text

struct sum {
  const rmx__fasttext *m;
  float *hidden;  // (dim)
  uint64_t rows;
};

static void add(struct sum *s, int64_t row) {
  if (row >= s->m->input.rows) return;  // of a damaged model
  add_row(&s->m->input, row, s->hidden);
  s->rows++;
}

// Adds the n-gram with this hash, if the model has it.
static void add_ngram(struct sum *s, uint64_t hash) {
  const rmx__fasttext *m = s->m;
  struct rmx__fasttext_kept wanted = {(int32_t)(hash % (uint64_t)m->bucket), 0}, *found = &wanted;
  if (m->n_kept == 0) return;
  wanted.row = wanted.hash;
  if (m->n_kept > 0)
    found = bsearch(&wanted, m->kept, (size_t)m->n_kept, sizeof *m->kept, rmx__fasttext_by_hash);
  if (found && found->row >= 0) add(s, (int64_t)m->words + found->row);
}

static size_t character_end(const char *word, size_t size, size_t at) {
  for (at++; at < size && ((uint8_t)word[at] & 0xC0) == 0x80;) at++;
  return at;
}

// Adds the n-grams of characters of "<word>", of minn to maxn characters.
static void add_subwords(struct sum *s, const char *word, size_t size) {
  const rmx__fasttext *m = s->m;
  for (size_t i = 0; i < size; i++) {
    uint32_t h = 2166136261u;
    if (((uint8_t)word[i] & 0xC0) == 0x80) continue;
    size_t j = i;
    for (int32_t n = 1; j < size && n <= m->maxn; n++) {
      for (const size_t next = character_end(word, size, j); j < next; j++)
        h = (h ^ (uint32_t)(int8_t)word[j]) * 16777619u;
      if (n >= m->minn && !(n == 1 && (i == 0 || j == size))) add_ngram(s, h);
    }
  }
}

// Adds a word and its n-grams of characters. bracketed: memory. False: it is a label.
static bool add_word(struct sum *s, const char *word, size_t size, uint32_t hash,
                     rmx_buf *bracketed) {
  const rmx__fasttext *m = s->m;
  const int32_t id = rmx__fasttext_find(m, word, size, hash);
  if (id >= m->words || (id < 0 && size >= PREFIX && memcmp(word, label_prefix, PREFIX) == 0))
    return false;
  if (id >= 0) add(s, id);
  if (m->maxn <= 0 || m->bucket == 0 || (size == END && memcmp(word, end_word, END) == 0))
    return true;
  bracketed->size = 0;
  rmx_buf_add(bracketed, "<", 1);
  rmx_buf_add(bracketed, word, size);
  rmx_buf_add(bracketed, ">", 1);
  if (!bracketed->failed) add_subwords(s, bracketed->data, bracketed->size);
  return true;
}

// hashes: of the words (n).
static void add_word_ngrams(struct sum *s, const uint32_t *hashes, size_t n) {
  const rmx__fasttext *m = s->m;
  if (m->word_ngrams < 2 || m->bucket == 0) return;
  for (size_t i = 0; i < n; i++) {
    uint64_t h = (uint64_t)(int64_t)(int32_t)hashes[i];
    for (size_t j = i + 1; j < n && j < i + (size_t)m->word_ngrams; j++)
      add_ngram(s, h = rmx__fasttext_ngram(h, hashes[j]));
  }
}

static rmx_status add_text(struct sum *s, const char *text, size_t size, rmx_buf *hashes,
                           rmx_err *err) {
  rmx_buf bracketed = {0};
  bool over = false;
  for (const char *at = text, *end = text + size, *stop; !over; at = stop) {
    at = rmx__fasttext_next_word(at, end);
    stop = rmx__fasttext_word_end(at, end);
    const char *word = at < end ? at : end_word;
    const size_t n = at < end ? (size_t)(stop - at) : END;
    const uint32_t hash = rmx__fasttext_hash(word, n);
    over = n == END && memcmp(word, end_word, END) == 0;  // in the text, too, as fastText does
    if (add_word(s, word, n, hash, &bracketed)) rmx_buf_add(hashes, &hash, sizeof hash);
  }
  const bool failed = bracketed.failed || hashes->failed;
  rmx_buf_release(&bracketed);
  if (failed) return rmx_fail_memory(err, size, "the words of a document");
  add_word_ngrams(s, (const uint32_t *)(const void *)hashes->data, hashes->size / sizeof(uint32_t));
  return RMX_OK;
}

// ---- the label of a vector

static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}

// The label with the largest score, and its share of the exponentials, or its own probability.
static void best_of_all(const rmx__fasttext *m, const float *hidden, size_t *label,
                        double *probability) {
  float best = dot_row(&m->output, 0, hidden);
  double sum = 1;  // of the exponentials, relative to the best
  *label = 0;
  for (int32_t i = 1; i < m->labels; i++) {
    const float score = dot_row(&m->output, i, hidden);
    if (score > best) {
      sum = sum * exp((double)best - (double)score) + 1;
      best = score;
      *label = (size_t)i;
    } else {
      sum += exp((double)score - (double)best);
    }
  }
  *probability = m->loss == RMX__FASTTEXT_SOFTMAX ? 1 / sum : sigmoid(best);
}

// Searches the tree for the leaf with the largest product of probabilities; branches that are worse
// than the best leaf are not entered.
static rmx_status best_of_tree(const rmx__fasttext *m, const float *hidden, size_t *label,
                               double *probability, rmx_err *err) {
  struct open {
    int32_t node;
    double score;
  } *stack = rmx_calloc((size_t)m->labels + 1, sizeof *stack);
  if (!stack) return rmx_fail_memory(err, (size_t)m->labels * sizeof *stack, "a tree of labels");
  double best = -INFINITY;
  size_t n = 0;
  *label = 0;
  stack[n++] = (struct open){2 * m->labels - 2, 0};
  while (n > 0) {
    const struct open at = stack[--n];
    const struct rmx__fasttext_node *node = &m->tree[at.node];
    if (!(at.score > best)) continue;
    if (node->left < 0) {
      best = at.score;
      *label = (size_t)at.node;
      continue;
    }
    const double right = sigmoid(dot_row(&m->output, at.node - m->labels, hidden));
    stack[n++] = (struct open){node->right, at.score + log(right + 1e-5)};
    stack[n++] = (struct open){node->left, at.score + log(1 - right + 1e-5)};
  }
  free(stack);
  *probability = exp(best);
  return RMX_OK;
}

rmx_status rmx__fasttext_predict(const rmx__fasttext *m, const char *text, size_t size,
                                 rmx_buf *scratch, size_t *label, double *probability,
                                 rmx_err *err) {
  float *hidden = rmx_calloc((size_t)m->dim, sizeof *hidden);
  if (!hidden) return rmx_fail_memory(err, (size_t)m->dim * sizeof *hidden, "a classifier");
  struct sum s = {m, hidden, 0};
  scratch->size = 0;
  *label = 0;
  *probability = 0;
  rmx_status status = add_text(&s, text, size, scratch, err);
  if (status == RMX_OK && s.rows) {
    const float scale = (float)(1.0 / (double)s.rows);
    for (int32_t i = 0; i < m->dim; i++) hidden[i] *= scale;
    if (m->tree)
      status = best_of_tree(m, hidden, label, probability, err);
    else
      best_of_all(m, hidden, label, probability);
    if (status == RMX_OK && !isfinite(*probability))
      status = rmx_fail(err, RMX_EINPUT,
                        "%s: the classifier is damaged: it has numbers that are "
                        "not finite",
                        m->path);
  }
  free(hidden);
  return status;
}
