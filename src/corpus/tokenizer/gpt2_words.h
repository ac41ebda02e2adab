// SPDX-License-Identifier: Apache-2.0
// gpt2_words.h: the words of GPT-2's pattern.
#ifndef RMX_CORPUS_TOKENIZER_GPT2_WORDS_H
#define RMX_CORPUS_TOKENIZER_GPT2_WORDS_H

#include <regmix/base.h>

// The end of the word that starts at `at` (< size). All words together are the text, whatever its
// bytes.
size_t rmx__gpt2_word_end(const char *text, size_t size, size_t at);

#endif
