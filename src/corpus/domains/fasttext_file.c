// SPDX-License-Identifier: Apache-2.0
// Reads the file of a classifier. Nothing in it is trusted: every size is checked against the size
// of the file before it is used.
#include <stdlib.h>
#include <string.h>

#include "fasttext_model.h"

enum { MOST_COLUMNS = 65536, MOST_LABELS = 1 << 20, OLD_VERSION = 11 };

struct cursor {
  const char *at, *end;
  bool failed;  // the file is too short
};

static const char *take(struct cursor *c, uint64_t n, uint64_t size) {
  if (c->failed || (size && n > (uint64_t)(c->end - c->at) / size)) {
    c->failed = true;
    return NULL;
  }
  const char *from = c->at;
  c->at += n * size;
  return from;
}

static int32_t take_i32(struct cursor *c) {
  int32_t x = 0;
  const char *from = take(c, 1, sizeof x);
  if (from) memcpy(&x, from, sizeof x);
  return x;
}

static int64_t take_i64(struct cursor *c) {
  int64_t x = 0;
  const char *from = take(c, 1, sizeof x);
  if (from) memcpy(&x, from, sizeof x);
  return x;
}

static bool take_bool(struct cursor *c) {
  const char *from = take(c, 1, 1);
  return from && *from;
}

static rmx_status damaged(const rmx__fasttext *m, const char *what, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT, "%s: the classifier is damaged: %s", m->path, what);
}

static rmx_status too_short(const rmx__fasttext *m, rmx_err *err) {
  return damaged(m, "the file ends too early; copy it again", err);
}

// ---- settings

static rmx_status read_settings(rmx__fasttext *m, struct cursor *c, rmx_err *err) {
  if (m->map.size < 8 || take_i32(c) != RMX__FASTTEXT_MAGIC)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: not a classifier; wanted a .bin or .ftz file of `fasttext supervised` or "
                    "of `regmix prepare --train-classifier`",
                    m->path);
  const int32_t version = take_i32(c);
  if (version != RMX__FASTTEXT_VERSION && version != OLD_VERSION)
    return rmx_fail(err, RMX_EINPUT, "%s: version %d of fastText's format; known are 11 and 12",
                    m->path, version);
  m->dim = take_i32(c);
  take(c, 4, 4);  // ws, epoch, minCount, neg
  m->word_ngrams = take_i32(c);
  m->loss = take_i32(c);
  const int32_t model = take_i32(c);
  m->bucket = take_i32(c);
  m->minn = take_i32(c);
  m->maxn = take_i32(c);
  take(c, 1, 4);  // lrUpdateRate
  take(c, 1, 8);  // t
  if (c->failed) return too_short(m, err);
  if (model != RMX__FASTTEXT_SUPERVISED)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: a model of word vectors, not a classifier; wanted one of `fasttext "
                    "supervised`",
                    m->path);
  if (version == OLD_VERSION) m->maxn = 0;  // as fastText reads these
  if (m->dim < 1 || m->dim > MOST_COLUMNS || m->bucket < 0 || m->loss < RMX__FASTTEXT_HS ||
      m->loss > RMX__FASTTEXT_OVA)
    return damaged(m, "settings out of range", err);
  return RMX_OK;
}

// ---- words and labels

static rmx_status read_entry(rmx__fasttext *m, struct cursor *c, int32_t i, int64_t *count,
                             rmx_err *err) {
  const char *zero = c->failed ? NULL : memchr(c->at, '\0', (size_t)(c->end - c->at));
  if (!zero) return too_short(m, err);
  const size_t size = (size_t)(zero - c->at);
  if (size > 1 << 20) return damaged(m, "a word of more than 1 MB", err);
  m->entries[i] =
      (struct rmx__fasttext_word){c->at, (uint32_t)size, rmx__fasttext_hash(c->at, size)};
  c->at = zero + 1;
  *count = take_i64(c);
  const bool label = take_bool(c);
  if (c->failed) return too_short(m, err);
  if (label != (i >= m->words)) return damaged(m, "words and labels are mixed", err);
  return RMX_OK;
}

// The slot of an entry with this text; a free one if there is none.
static uint32_t slot_of(const rmx__fasttext *m, const char *word, size_t size, uint32_t hash) {
  uint32_t slot = hash & (m->slots - 1);
  for (; m->table[slot]; slot = (slot + 1) & (m->slots - 1)) {
    const struct rmx__fasttext_word *e = &m->entries[m->table[slot] - 1];
    if (e->hash == hash && e->size == size && memcmp(e->text, word, size) == 0) break;
  }
  return slot;
}

int32_t rmx__fasttext_find(const rmx__fasttext *m, const char *word, size_t size, uint32_t hash) {
  return (int32_t)m->table[slot_of(m, word, size, hash)] - 1;
}

static rmx_status fill_table(rmx__fasttext *m, rmx_err *err) {
  const int32_t n = m->words + m->labels;
  for (m->slots = 16; m->slots < 2 * (uint32_t)n;) m->slots *= 2;
  if (!(m->table = rmx_calloc(m->slots, sizeof *m->table)))
    return rmx_fail_memory(err, m->slots * sizeof *m->table, "a classifier");
  for (int32_t i = 0; i < n; i++) {
    const struct rmx__fasttext_word *e = &m->entries[i];
    const uint32_t slot = slot_of(m, e->text, e->size, e->hash);
    if (!m->table[slot]) m->table[slot] = (uint32_t)i + 1;
  }
  return RMX_OK;
}

int rmx__fasttext_by_hash(const void *a, const void *b) {
  const struct rmx__fasttext_kept *x = a, *y = b;
  return (x->hash > y->hash) - (x->hash < y->hash);
}

static rmx_status read_kept(rmx__fasttext *m, struct cursor *c, rmx_err *err) {
  const char *from = m->n_kept > 0 ? take(c, (uint64_t)m->n_kept, 8) : c->at;
  if (!from || c->failed) return too_short(m, err);
  if (m->n_kept <= 0) return RMX_OK;
  if (!(m->kept = rmx_calloc((size_t)m->n_kept, sizeof *m->kept)))
    return rmx_fail_memory(err, (size_t)m->n_kept * sizeof *m->kept, "a classifier");
  memcpy(m->kept, from, (size_t)m->n_kept * 8);
  qsort(m->kept, (size_t)m->n_kept, sizeof *m->kept, rmx__fasttext_by_hash);
  return RMX_OK;
}

// counts (labels) of the labels, for the tree.
static rmx_status read_dictionary(rmx__fasttext *m, struct cursor *c, int64_t **counts,
                                  rmx_err *err) {
  const int32_t size = take_i32(c);
  m->words = take_i32(c);
  m->labels = take_i32(c);
  take_i64(c);  // tokens
  m->n_kept = take_i64(c);
  if (c->failed) return too_short(m, err);
  if (m->words < 0 || m->labels < 1 || m->labels > MOST_LABELS ||
      (int64_t)m->words + m->labels != size)
    return damaged(m, "a wrong number of words or labels", err);
  if ((uint64_t)size > (uint64_t)(c->end - c->at) / 10) return too_short(m, err);
  m->entries = rmx_calloc((size_t)size, sizeof *m->entries);
  *counts = rmx_calloc((size_t)m->labels, sizeof **counts);
  if (!m->entries || !*counts)
    return rmx_fail_memory(err, (size_t)size * sizeof *m->entries, "a classifier");
  for (int32_t i = 0; i < size; i++) {
    int64_t count = 0;
    RMX_TRY(read_entry(m, c, i, &count, err));
    if (i >= m->words) (*counts)[i - m->words] = count;
  }
  RMX_TRY(read_kept(m, c, err));
  return fill_table(m, err);
}

// ---- matrices

static rmx_status read_dense(rmx__fasttext *m, struct cursor *c, struct rmx__fasttext_matrix *x,
                             rmx_err *err) {
  x->rows = take_i64(c);
  x->columns = take_i64(c);
  if (c->failed) return too_short(m, err);
  if (x->rows < 0 || x->columns != m->dim) return damaged(m, "a matrix of a wrong size", err);
  x->dense = take(c, (uint64_t)x->rows, (uint64_t)x->columns * sizeof(float));
  return c->failed ? too_short(m, err) : RMX_OK;
}

static rmx_status read_quantiser(rmx__fasttext *m, struct cursor *c, struct rmx__quantiser *q,
                                 int64_t columns, rmx_err *err) {
  q->dim = take_i32(c);
  q->nsubq = take_i32(c);
  q->dsub = take_i32(c);
  q->lastdsub = take_i32(c);
  if (c->failed) return too_short(m, err);
  if (q->dim != columns || q->dsub < 1 || q->nsubq < 1 || q->lastdsub < 1 ||
      q->lastdsub > q->dsub || (int64_t)(q->nsubq - 1) * q->dsub + q->lastdsub != columns)
    return damaged(m, "a quantised matrix of a wrong size", err);
  q->centroids = take(c, RMX__CENTROIDS, (uint64_t)q->dim * sizeof(float));
  return c->failed ? too_short(m, err) : RMX_OK;
}

static rmx_status read_quantised(rmx__fasttext *m, struct cursor *c, struct rmx__fasttext_matrix *x,
                                 rmx_err *err) {
  const bool norms = take_bool(c);
  x->rows = take_i64(c);
  x->columns = take_i64(c);
  const int32_t codes = take_i32(c);
  if (c->failed) return too_short(m, err);
  if (x->rows < 0 || codes < 0 || x->columns != m->dim)
    return damaged(m, "a quantised matrix of a wrong size", err);
  x->codes = (const uint8_t *)take(c, (uint64_t)codes, 1);
  RMX_TRY(read_quantiser(m, c, &x->quantiser, x->columns, err));
  if (x->rows > codes || x->rows * x->quantiser.nsubq != codes)
    return damaged(m, "a quantised matrix of a wrong size", err);
  if (norms) {
    x->norms = (const uint8_t *)take(c, (uint64_t)x->rows, 1);
    RMX_TRY(read_quantiser(m, c, &x->norm_quantiser, 1, err));
  }
  return c->failed ? too_short(m, err) : RMX_OK;
}

static rmx_status read_matrices(rmx__fasttext *m, struct cursor *c, rmx_err *err) {
  const bool quantised = take_bool(c);
  RMX_TRY((quantised ? read_quantised : read_dense)(m, c, &m->input, err));
  if (!quantised && m->n_kept >= 0) return damaged(m, "it is pruned but not quantised", err);
  const bool output = take_bool(c);
  RMX_TRY((quantised && output ? read_quantised : read_dense)(m, c, &m->output, err));
  if (m->output.rows != m->labels || m->input.rows < m->words)
    return damaged(m, "the sizes of the matrices and of the dictionary differ", err);
  if (c->at != c->end) return damaged(m, "there is more after its end", err);
  return RMX_OK;
}

// ---- the tree of the labels

// A Huffman tree, built as fastText does: the least two of the leaves, from the last, and of the
// nodes, from the first.
static rmx_status build_tree(rmx__fasttext *m, const int64_t *counts, rmx_err *err) {
  const int32_t n = m->labels;
  const int64_t most = 1000000000000, none = 1000000000000000;
  m->tree = rmx_calloc(2 * (size_t)n - 1, sizeof *m->tree);
  if (!m->tree) return rmx_fail_memory(err, (size_t)n * sizeof *m->tree, "a classifier");
  for (int32_t i = 0; i < 2 * n - 1; i++)
    m->tree[i] = (struct rmx__fasttext_node){-1, -1,
                                             i >= n             ? none
                                             : counts[i] < 0    ? 0
                                             : counts[i] > most ? most
                                                                : counts[i]};
  int32_t leaf = n - 1, node = n;
  for (int32_t i = n; i < 2 * n - 1; i++) {
    int32_t least[2];
    for (int j = 0; j < 2; j++)
      least[j] = leaf >= 0 && m->tree[leaf].count < m->tree[node].count ? leaf-- : node++;
    m->tree[i].left = least[0];
    m->tree[i].right = least[1];
    m->tree[i].count = m->tree[least[0]].count + m->tree[least[1]].count;
  }
  return RMX_OK;
}

// ---- all of it

static rmx_status read_all(rmx__fasttext *m, rmx_err *err) {
  const char *data = m->map.size ? m->map.data : "";
  struct cursor c = {data, data + m->map.size, false};
  int64_t *counts = NULL;
  rmx_status status = read_settings(m, &c, err);
  if (status == RMX_OK) status = read_dictionary(m, &c, &counts, err);
  if (status == RMX_OK) status = read_matrices(m, &c, err);
  if (status == RMX_OK && m->loss == RMX__FASTTEXT_HS) status = build_tree(m, counts, err);
  free(counts);
  return status;
}

rmx_status rmx__fasttext_open(const char *path, rmx__fasttext **out, rmx_err *err) {
  rmx__fasttext *m = rmx_calloc(1, sizeof *m);
  if (!m || !(m->path = rmx_strdup(path))) {
    free(m);
    return rmx_fail_memory(err, sizeof *m, "a classifier");
  }
  rmx_status status = rmx_map_open(&m->map, path, err);
  if (status == RMX_OK) status = read_all(m, err);
  if (status != RMX_OK) {
    rmx__fasttext_free(m);
    return status;
  }
  *out = m;
  return RMX_OK;
}

void rmx__fasttext_free(rmx__fasttext *m) {
  if (!m) return;
  rmx_map_release(&m->map);
  free(m->path);
  free(m->entries);
  free(m->table);
  free(m->kept);
  free(m->tree);
  free(m);
}
