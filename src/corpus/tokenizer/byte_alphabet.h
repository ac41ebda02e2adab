// SPDX-License-Identifier: Apache-2.0
// byte_alphabet.h: GPT-2's alphabet, which has a printable character for each byte.
#ifndef RMX_CORPUS_TOKENIZER_BYTE_ALPHABET_H
#define RMX_CORPUS_TOKENIZER_BYTE_ALPHABET_H

#include <regmix/base.h>

// The bytes in the order of their characters.
void rmx__byte_order(uint8_t order[256]);
int32_t rmx__byte_to_char(uint8_t byte);
int rmx__char_to_byte(int32_t code);  // -1: not in the alphabet

// Appends the characters of bytes, and the bytes of characters. rmx__unspell_bytes() appends
// nothing and returns false if a character is not in the alphabet.
void rmx__spell_bytes(const char *bytes, size_t size, rmx_buf *out);
bool rmx__unspell_bytes(const char *text, size_t size, rmx_buf *out);

#endif
