// SPDX-License-Identifier: Apache-2.0
// fasttext.h: classifiers of text in the files of fastText (.bin, and .ftz, whose matrices are
// quantised). A text is the mean of the vectors of its words and n-grams. A linear layer turns it
// into scores of the labels. Joulin, Grave, Bojanowski, Mikolov, "Bag of tricks for efficient text
// classification", EACL 2017; "FastText.zip", 2016.
#ifndef RMX_CORPUS_DOMAINS_FASTTEXT_H
#define RMX_CORPUS_DOMAINS_FASTTEXT_H

#include <regmix/base.h>

typedef struct rmx__fasttext rmx__fasttext;

// Opens a supervised model. The file is mapped. RMX_EINPUT: it is another type of file or of model,
// or its parts do not fit together. Free the result with rmx__fasttext_free().
rmx_status rmx__fasttext_open(const char *path, rmx__fasttext **out, rmx_err *err);
void rmx__fasttext_free(rmx__fasttext *m);

// Hash of the file.
uint64_t rmx__fasttext_file_hash(const rmx__fasttext *m);
// The labels, without "__label__" at the start.
size_t rmx__fasttext_labels(const rmx__fasttext *m);
const char *rmx__fasttext_label(const rmx__fasttext *m, size_t i);

// The most probable label of a text, which is read as one line. It is that of `fasttext predict`.
// `scratch` is memory. Several threads can use one model. *probability is 0 for a text without any
// known word. RMX_EINPUT: the model gives no finite number. Cost: a row of the model for each word
// and n-gram, and the scores of all labels.
rmx_status rmx__fasttext_predict(const rmx__fasttext *m, const char *text, size_t size,
                                 rmx_buf *scratch, size_t *label, double *probability,
                                 rmx_err *err);

// fastText's hash of a word: FNV-1a, on signed bytes.
uint32_t rmx__fasttext_hash(const char *word, size_t size);
// The hash of the n-gram that ends with a word, from that of the n-gram before it.
static inline uint64_t rmx__fasttext_ngram(uint64_t before, uint32_t word) {
  return before * 116049371 + (uint64_t)(int64_t)(int32_t)word;
}
// The end of the word that begins at `at`; the start of the next word after white space.
const char *rmx__fasttext_word_end(const char *at, const char *end);
const char *rmx__fasttext_next_word(const char *at, const char *end);

enum { RMX__FASTTEXT_MAGIC = 793712314, RMX__FASTTEXT_VERSION = 12, RMX__FASTTEXT_SUPERVISED = 3 };
enum { RMX__FASTTEXT_HS = 1, RMX__FASTTEXT_NS, RMX__FASTTEXT_SOFTMAX, RMX__FASTTEXT_OVA };

#endif
