// SPDX-License-Identifier: Apache-2.0
// of_corpus.h: compares a tokenizer.json with the corpus whose ids it made. corpus.json has the
// hash of the tokenizer, so a damaged or replaced file is noticed.
#ifndef RMX_CORPUS_TOKENIZER_OF_CORPUS_H
#define RMX_CORPUS_TOKENIZER_OF_CORPUS_H

#include <regmix/corpus.h>

// RMX_EINPUT: the file is not the tokenizer of the corpus in `folder`, or can't be read.
rmx_status rmx__tokenizer_check(const char *path, const char *folder, rmx_err *err);
// The tokenizer of the corpus in `folder`: corpus/tokenizer.json, else tokenizer.json. free() *out;
// NULL: there is neither. RMX_EINPUT: what is there is of another corpus or damaged.
rmx_status rmx__corpus_tokenizer(const char *folder, char **out, rmx_err *err);

#endif
