// SPDX-License-Identifier: Apache-2.0
// score.h: the score of a token, to the last bit.
#ifndef RMX_CORPUS_TOKENIZER_SCORE_H
#define RMX_CORPUS_TOKENIZER_SCORE_H

// What Hugging Face's library reads where a file has the score x in the fewest digits that tell it
// from other doubles. It reads an integer of these digits and divides it by a power of ten, so the
// last bit can differ from x. Where two ways to cut a word have the same sum, that bit decides.
double rmx__score_read(double x);

#endif
