// SPDX-License-Identifier: Apache-2.0
// Training text that repeats what a target is measured with would make any mixture of it look good. As in
// the report on GPT-3 (Brown et al., 2020, appendix C) a document is a copy when it has 13 words in a row in
// common with a validation text. A word is a run of letters and digits in lower case, so layout and
// punctuation hide nothing; in scripts without spaces a whole phrase counts as one word, so there the test is
// weaker.
//
// With h_i the hashes of the words, the hash of n words is sum h_i P^(n-1-i) mod 2^64, which moves on by one
// word in constant time. Memory: 16 to 32 bytes a word of the targets' validation text.
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "documents.h"
#include "hash_set.h"
#include "utf8.h"

#define P 0x9E3779B97F4A7C15u

struct grams {
  size_t n;        // words in a gram
  uint64_t power;  // P^n
  uint64_t *ring;  // (n) hashes of the last words
};

static bool grams_init(struct grams *g, size_t n) {
  *g = (struct grams){n, 1, rmx_calloc(n, sizeof *g->ring)};
  for (size_t i = 0; i < n; i++) g->power *= P;
  return g->ring != NULL;
}

// Reads one word from *at on; false at the end of the text.
static bool next_word(const char **at, const char *end, rmx_buf *word) {
  word->size = 0;
  while (*at < end) {
    rmx__class class;
    int32_t code;
    size_t n = rmx__utf8_next(*at, end, &code, &class);
    bool inside = class == RMX__LETTER || class == RMX__NUMBER;
    if (!inside && word->size) return true;
    if (inside) {
      utf8proc_uint8_t lower[4];
      rmx_buf_add(word, lower, (size_t)utf8proc_encode_char(utf8proc_tolower(code), lower));
    }
    *at += n;
  }
  return word->size > 0;
}

// Calls `each` with the hash of every gram of a text until it returns false.
static void walk(struct grams *g, const char *text, size_t size, rmx_buf *word,
                 bool (*each)(void *context, uint64_t gram), void *context) {
  const char *at = text, *end = text + size;
  uint64_t gram = 0;
  for (size_t i = 0; next_word(&at, end, word) && !word->failed; i++) {
    uint64_t h = rmx_hash(word->data, word->size, 0), *oldest = &g->ring[i % g->n];
    gram = gram * P + h - (i >= g->n ? g->power * *oldest : 0);
    *oldest = h;
    // The last multiplication leaves good high bits and poor low ones; the set looks at the low ones.
    if (i + 1 >= g->n && !each(context, gram ^ gram >> 32)) return;
  }
}

struct gathering {
  rmx__hash_set *set;
  bool failed;
};

static bool gather(void *context, uint64_t gram) {
  struct gathering *g = context;
  bool new;
  g->failed = !rmx__hash_set_add(g->set, gram, &new);
  return !g->failed;
}

struct finding {
  const rmx__hash_set *set;
  bool found;
};

static bool find(void *context, uint64_t gram) {
  struct finding *f = context;
  f->found = rmx__hash_set_has(f->set, gram);
  return !f->found;
}

// ---- over the training documents, in parallel ----------------------------------------------

enum { DOCUMENTS_A_PIECE = 256 };

struct piece {
  rmx__documents *domain;
  size_t from, to;
  bool failed;
};

struct search {
  const rmx__hash_set *set;
  size_t words;
  struct piece *pieces;
};

static void search_piece(void *context, size_t i) {
  struct search *s = context;
  struct piece *piece = &s->pieces[i];
  struct grams g;
  rmx_buf word = {0};
  piece->failed = !grams_init(&g, s->words);
  for (size_t j = piece->from; j < piece->to && !piece->failed && !rmx_interrupted(); j++) {
    rmx__document *doc = &piece->domain->items[j];
    if (doc->fate != RMX__TRAIN) continue;
    struct finding f = {s->set, false};
    walk(&g, rmx__document_text(piece->domain, doc), doc->size, &word, find, &f);
    if (f.found) doc->fate = RMX__OVERLAP;
    piece->failed = word.failed;
  }
  free(g.ring);
  rmx_buf_release(&word);
}

static rmx_status search_all(rmx__documents *d, size_t n, const rmx__hash_set *set, size_t words, int threads,
                             rmx_err *err) {
  size_t npieces = 0;
  for (size_t i = 0; i < n; i++) npieces += (d[i].n + DOCUMENTS_A_PIECE - 1) / DOCUMENTS_A_PIECE;
  struct piece *pieces = rmx_calloc(npieces, sizeof *pieces);
  if (!pieces) return rmx_fail_memory(err, npieces * sizeof *pieces, "the search for overlaps");
  size_t at = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t from = 0; from < d[i].n; from += DOCUMENTS_A_PIECE) {
      size_t to = from + DOCUMENTS_A_PIECE < d[i].n ? from + DOCUMENTS_A_PIECE : d[i].n;
      pieces[at++] = (struct piece){&d[i], from, to, false};
    }
  struct search s = {set, words, pieces};
  rmx_parallel(threads, npieces, search_piece, &s);
  bool failed = false;
  for (size_t i = 0; i < npieces; i++) failed = failed || pieces[i].failed;
  free(pieces);
  if (failed) return rmx_fail_memory(err, words * sizeof(uint64_t), "the search for overlaps");
  if (rmx_interrupted()) return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while overlaps were looked for");
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < d[i].n; j++) d[i].overlaps += d[i].items[j].fate == RMX__OVERLAP;
  return RMX_OK;
}

rmx_status rmx__documents_overlap(rmx__documents *d, size_t n, const size_t *targets, size_t ntargets,
                                  size_t words, int threads, rmx_err *err) {
  rmx__hash_set set = {0};
  struct gathering gathering = {&set, false};
  struct grams g;
  rmx_buf word = {0};
  bool good = grams_init(&g, words);
  for (size_t t = 0; t < ntargets; t++) {
    const rmx__documents *target = &d[targets[t]];
    for (size_t i = 0; i < target->n && good; i++) {
      const rmx__document *doc = &target->items[i];
      if (doc->fate != RMX__VALID) continue;
      walk(&g, rmx__document_text(target, doc), doc->size, &word, gather, &gathering);
      good = !gathering.failed && !word.failed;
    }
  }
  free(g.ring);
  rmx_buf_release(&word);
  rmx_status status = good ? RMX_OK : rmx_fail_memory(err, 16 * set.n, "the words of the targets");
  if (status == RMX_OK && set.n) status = search_all(d, n, &set, words, threads, err);
  rmx__hash_set_release(&set);
  return status;
}
