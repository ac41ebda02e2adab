// SPDX-License-Identifier: Apache-2.0
#include "fasttext_train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fasttext.h"

enum {
  DIM = 16,
  EPOCHS = 5,
  BUCKETS = 1 << 17,  // of pairs of words
  MOST_WORDS = 1 << 19,
  LEAST_COUNT = 2,
};
static const float first_step = 0.5f;
static const char end_word[] = "</s>";

rmx_status rmx__labelled_add(rmx__labelled *l, const char *text, size_t size, uint32_t label,
                             rmx_err *err) {
  if (l->n == l->capacity) {
    const size_t capacity = l->capacity ? 2 * l->capacity : 256;
    struct rmx__labelled_text *items = rmx_realloc(l->items, capacity, sizeof *items);
    if (!items) return rmx_fail_memory(err, capacity * sizeof *items, "labelled text");
    l->items = items;
    l->capacity = capacity;
  }
  l->items[l->n++] = (struct rmx__labelled_text){l->text.size, size, label};
  rmx_buf_add(&l->text, text, size);
  return l->text.failed ? rmx_fail_memory(err, size, "labelled text") : RMX_OK;
}

void rmx__labelled_release(rmx__labelled *l) {
  rmx_buf_release(&l->text);
  free(l->items);
  *l = (rmx__labelled){0};
}

// ---- the words

struct word {
  const char *text;
  size_t size;
  uint32_t hash;
  int64_t count;
};

struct trainer {
  const rmx__labelled *l;
  const char *const *labels;
  size_t n_labels;
  struct word *words;  // (n_words) the most frequent first
  size_t n_words, capacity;
  uint32_t *table;             // (slots) index plus 1 by hash; 0: free
  size_t slots;                // a power of two
  int64_t tokens, *documents;  // documents (n_labels)
  float *input, *output;       // (n_words + BUCKETS, DIM), (n_labels, DIM)
  size_t *rows;                // of the present text
  uint32_t *hashes;
  float *scores;  // (n_labels)
};

static uint32_t *slot_of(struct trainer *t, const char *word, size_t size, uint32_t hash) {
  size_t slot = hash & (t->slots - 1);
  for (; t->table[slot]; slot = (slot + 1) & (t->slots - 1)) {
    const struct word *w = &t->words[t->table[slot] - 1];
    if (w->hash == hash && w->size == size && memcmp(w->text, word, size) == 0) break;
  }
  return &t->table[slot];
}

// Makes the table again, with twice the slots that the words need.
static bool fill_table(struct trainer *t) {
  size_t slots = 1024;
  while (slots < 4 * t->n_words) slots *= 2;
  uint32_t *table = rmx_calloc(slots, sizeof *table);
  if (!table) return false;
  free(t->table);
  t->table = table;
  t->slots = slots;
  for (size_t i = 0; i < t->n_words; i++)
    *slot_of(t, t->words[i].text, t->words[i].size, t->words[i].hash) = (uint32_t)i + 1;
  return true;
}

static bool count_word(struct trainer *t, const char *text, size_t size) {
  const uint32_t hash = rmx__fasttext_hash(text, size);
  if (2 * t->n_words >= t->slots && !fill_table(t)) return false;
  uint32_t *slot = slot_of(t, text, size, hash);
  t->tokens++;
  if (*slot) {
    t->words[*slot - 1].count++;
    return true;
  }
  if (t->n_words == t->capacity) {
    const size_t capacity = t->capacity ? 2 * t->capacity : 4096;
    struct word *words = rmx_realloc(t->words, capacity, sizeof *words);
    if (!words) return false;
    t->words = words;
    t->capacity = capacity;
  }
  t->words[t->n_words++] = (struct word){text, size, hash, 1};
  *slot = (uint32_t)t->n_words;
  return true;
}

static int by_count(const void *a, const void *b) {
  const struct word *x = a, *y = b;
  if (x->count != y->count) return x->count > y->count ? -1 : 1;
  const int order = memcmp(x->text, y->text, x->size < y->size ? x->size : y->size);
  return order ? order : (x->size > y->size) - (x->size < y->size);
}

// Counts the words of all texts, and keeps those that occur at least twice.
static rmx_status find_words(struct trainer *t, rmx_err *err) {
  bool good = fill_table(t);
  for (size_t i = 0; i < t->l->n && good; i++) {
    const struct rmx__labelled_text *text = &t->l->items[i];
    const char *at = t->l->text.data + text->offset, *end = at + text->size, *stop;
    t->documents[text->label]++;
    for (size_t n = 0; good && n < RMX__CLASSIFIED_WORDS; n++, at = stop) {
      at = rmx__fasttext_next_word(at, end);
      stop = rmx__fasttext_word_end(at, end);
      if (at == end) break;
      good = count_word(t, at, (size_t)(stop - at));
    }
    good = good && count_word(t, end_word, sizeof end_word - 1);
  }
  if (!good)
    return rmx_fail_memory(err, t->n_words * sizeof *t->words, "the words of a classifier");
  qsort(t->words, t->n_words, sizeof *t->words, by_count);
  size_t kept = 0;
  while (kept < t->n_words && kept < MOST_WORDS && t->words[kept].count >= LEAST_COUNT) kept++;
  t->n_words = kept;
  return fill_table(t) ? RMX_OK : rmx_fail_memory(err, 0, "the words of a classifier");
}

// ---- the descent

// The rows of a text: its words, then its pairs of words.
static size_t rows_of(struct trainer *t, const struct rmx__labelled_text *text) {
  const char *at = t->l->text.data + text->offset, *end = at + text->size, *stop = at;
  size_t n = 0, rows = 0;
  for (bool over = false; !over && n <= RMX__CLASSIFIED_WORDS; at = stop) {
    at = rmx__fasttext_next_word(at, end);
    stop = rmx__fasttext_word_end(at, end);
    over = at == end || n == RMX__CLASSIFIED_WORDS;
    const char *word = over ? end_word : at;
    const size_t size = over ? sizeof end_word - 1 : (size_t)(stop - at);
    const uint32_t hash = rmx__fasttext_hash(word, size), *slot = slot_of(t, word, size, hash);
    if (*slot) t->rows[rows++] = *slot - 1;
    t->hashes[n++] = hash;
  }
  for (size_t i = 1; i < n; i++) {
    const uint64_t before = (uint64_t)(int64_t)(int32_t)t->hashes[i - 1];
    t->rows[rows++] = t->n_words + rmx__fasttext_ngram(before, t->hashes[i]) % BUCKETS;
  }
  return rows;
}

// The shares of the labels, from their scores.
static void softmax(float *scores, size_t n) {
  float most = scores[0], sum = 0;
  for (size_t i = 1; i < n; i++) most = fmaxf(most, scores[i]);
  for (size_t i = 0; i < n; i++) sum += scores[i] = expf(scores[i] - most);
  for (size_t i = 0; i < n; i++) scores[i] /= sum;
}

static void learn(struct trainer *t, const struct rmx__labelled_text *text, float step) {
  const size_t n = rows_of(t, text);
  float hidden[DIM] = {0}, gradient[DIM] = {0};
  if (n == 0) return;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < DIM; j++) hidden[j] += t->input[t->rows[i] * DIM + j];
  for (size_t j = 0; j < DIM; j++) hidden[j] /= (float)n;
  for (size_t k = 0; k < t->n_labels; k++) {
    t->scores[k] = 0;
    for (size_t j = 0; j < DIM; j++) t->scores[k] += t->output[k * DIM + j] * hidden[j];
  }
  softmax(t->scores, t->n_labels);
  for (size_t k = 0; k < t->n_labels; k++) {
    const float alpha = step * ((float)(k == text->label) - t->scores[k]);
    for (size_t j = 0; j < DIM; j++) {
      gradient[j] += alpha * t->output[k * DIM + j];
      t->output[k * DIM + j] += alpha * hidden[j];
    }
  }
  for (size_t j = 0; j < DIM; j++) gradient[j] /= (float)n;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < DIM; j++) t->input[t->rows[i] * DIM + j] += gradient[j];
}

static rmx_status descend(struct trainer *t, uint64_t seed, const rmx_listener *to, rmx_err *err) {
  const size_t n = t->l->n;
  size_t *order = rmx_calloc(n, sizeof *order);
  if (!order) return rmx_fail_memory(err, n * sizeof *order, "a classifier");
  rmx_rng weights = rmx_rng_make(seed, 0, RMX_FOR_WEIGHTS);
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < (t->n_words + BUCKETS) * DIM; i++)
    t->input[i] = (float)((2 * rmx_rng_uniform(&weights) - 1) / DIM);
  for (size_t epoch = 0; epoch < EPOCHS && status == RMX_OK; epoch++) {
    rmx_rng rng = rmx_rng_make(seed, epoch, RMX_FOR_ORDER);
    for (size_t i = 0; i < n; i++) order[i] = i;
    rmx_rng_shuffle(&rng, order, n);
    for (size_t i = 0; i < n && status == RMX_OK; i++) {
      const double done = ((double)epoch + (double)i / (double)n) / EPOCHS;
      learn(t, &t->l->items[order[i]], first_step * (float)(1 - done));
      if (i % 256 == 0) rmx_progress(to, "training the classifier", 100 * done, 100, "%", NULL);
      if (i % 256 == 0 && rmx_interrupted())
        status = rmx_fail(err, RMX_EINTERRUPTED, "interrupted while a classifier was trained");
    }
  }
  free(order);
  return status;
}

// ---- the file

static void put_i32(FILE *f, int32_t x) {
  fwrite(&x, sizeof x, 1, f);
}

static void put_i64(FILE *f, int64_t x) {
  fwrite(&x, sizeof x, 1, f);
}

static void put_settings(FILE *f) {
  const int32_t settings[] = {RMX__FASTTEXT_MAGIC,
                              RMX__FASTTEXT_VERSION,
                              DIM,
                              5,  // ws
                              EPOCHS,
                              LEAST_COUNT,
                              5,  // neg
                              2,  // n-grams of words
                              RMX__FASTTEXT_SOFTMAX,
                              RMX__FASTTEXT_SUPERVISED,
                              BUCKETS,
                              0,     // minn
                              0,     // maxn
                              100};  // lrUpdateRate
  const double t = 1e-4;
  fwrite(settings, sizeof settings, 1, f);
  fwrite(&t, sizeof t, 1, f);
}

static void put_dictionary(FILE *f, const struct trainer *t) {
  put_i32(f, (int32_t)(t->n_words + t->n_labels));
  put_i32(f, (int32_t)t->n_words);
  put_i32(f, (int32_t)t->n_labels);
  put_i64(f, t->tokens);
  put_i64(f, -1);  // not pruned
  for (size_t i = 0; i < t->n_words; i++) {
    fwrite(t->words[i].text, 1, t->words[i].size, f);
    fputc(0, f);
    put_i64(f, t->words[i].count);
    fputc(0, f);
  }
  for (size_t i = 0; i < t->n_labels; i++) {
    fputs("__label__", f);
    for (const char *c = t->labels[i]; *c; c++)
      fputc(*c == ' ' ? '_' : *c, f);  // a label is one word
    fputc(0, f);
    put_i64(f, t->documents[i]);
    fputc(1, f);
  }
}

static void put_matrix(FILE *f, const float *x, size_t rows) {
  fputc(0, f);  // not quantised
  put_i64(f, (int64_t)rows);
  put_i64(f, DIM);
  fwrite(x, sizeof *x, rows * DIM, f);
}

static rmx_status write_model(const struct trainer *t, const char *path, rmx_err *err) {
  rmx_outfile out = {0};
  RMX_TRY(rmx_outfile_open(&out, path, err));
  put_settings(out.file);
  put_dictionary(out.file, t);
  put_matrix(out.file, t->input, t->n_words + BUCKETS);
  put_matrix(out.file, t->output, t->n_labels);
  return rmx_outfile_commit(&out, err);
}

static rmx_status train(struct trainer *t, uint64_t seed, const char *path, const rmx_listener *to,
                        rmx_err *err) {
  t->documents = rmx_calloc(t->n_labels, sizeof *t->documents);
  t->scores = rmx_calloc(t->n_labels, sizeof *t->scores);
  t->output = rmx_calloc(t->n_labels * DIM, sizeof *t->output);
  t->hashes = rmx_calloc(RMX__CLASSIFIED_WORDS + 1, sizeof *t->hashes);
  t->rows = rmx_calloc(2 * (RMX__CLASSIFIED_WORDS + 1), sizeof *t->rows);
  if (!t->documents || !t->scores || !t->output || !t->hashes || !t->rows)
    return rmx_fail_memory(err, t->n_labels * DIM * sizeof *t->output, "a classifier");
  RMX_TRY(find_words(t, err));
  t->input = rmx_calloc((t->n_words + BUCKETS) * DIM, sizeof *t->input);
  if (!t->input) return rmx_fail_memory(err, BUCKETS * DIM * sizeof *t->input, "a classifier");
  RMX_TRY(descend(t, seed, to, err));
  return write_model(t, path, err);
}

rmx_status rmx__fasttext_train(const rmx__labelled *l, const char *const *labels, size_t n_labels,
                               uint64_t seed, const char *path, const rmx_listener *to,
                               rmx_err *err) {
  struct trainer t = {.l = l, .labels = labels, .n_labels = n_labels};
  const rmx_status status = train(&t, seed, path, to, err);
  free(t.words), free(t.table), free(t.documents), free(t.input), free(t.output);
  free(t.rows), free(t.hashes), free(t.scores);
  return status;
}
