// SPDX-License-Identifier: Apache-2.0
// fasttext_train.h: trains a classifier of text, and writes it in fastText's format.
#ifndef RMX_CORPUS_DOMAINS_FASTTEXT_TRAIN_H
#define RMX_CORPUS_DOMAINS_FASTTEXT_TRAIN_H

#include <regmix/base.h>

// Texts with their labels, in memory. {0} is empty.
typedef struct rmx__labelled {
  rmx_buf text;  // of all texts
  struct rmx__labelled_text {
    size_t offset, size;
    uint32_t label;
  } * items;  // (n)
  size_t n, capacity;
} rmx__labelled;
rmx_status rmx__labelled_add(rmx__labelled *l, const char *text, size_t size, uint32_t label,
                             rmx_err *err);
void rmx__labelled_release(rmx__labelled *l);

// Trains a linear classifier of words and pairs of words with the softmax loss: stochastic gradient
// descent with a falling step, as fastText does it. The order of the texts and the first weights
// depend only on `seed`. Texts count up to RMX__CLASSIFIED_WORDS words. Writes `path`.
// RMX_EINTERRUPTED. Cost: a second for some 10 MB of text; memory for the words, and 8 MB.
enum { RMX__CLASSIFIED_WORDS = 1000 };
rmx_status rmx__fasttext_train(const rmx__labelled *l, const char *const *labels, size_t n_labels,
                               uint64_t seed, const char *path, const rmx_listener *to,
                               rmx_err *err);

#endif
