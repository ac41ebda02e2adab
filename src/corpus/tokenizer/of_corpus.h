// SPDX-License-Identifier: Apache-2.0
// of_corpus.h: whether a tokenizer.json is the one that made the ids of a corpus. corpus.json has
// its hash, so a damaged or replaced file is noticed.
#ifndef RMX_CORPUS_TOKENIZER_OF_CORPUS_H
#define RMX_CORPUS_TOKENIZER_OF_CORPUS_H

#include <regmix/corpus.h>

// RMX_EINPUT: the file is not the tokenizer of the corpus in `folder`, or can't be read.
rmx_status rmx__tokenizer_check(const char *path, const char *folder, rmx_err *err);
// The tokenizer of the corpus in `folder`: corpus/tokenizer.json, else tokenizer.json. free() *out;
// NULL: there is neither. RMX_EINPUT: what is there is of another corpus or damaged.
rmx_status rmx__corpus_tokenizer(const char *folder, char **out, rmx_err *err);

#endif
