// SPDX-License-Identifier: Apache-2.0
// base64.h: bytes in text (RFC 4648, the standard alphabet).
#ifndef RMX_CORPUS_TOKENIZER_FILES_BASE64_H
#define RMX_CORPUS_TOKENIZER_FILES_BASE64_H

#include <regmix/base.h>

// Writes the bytes of a text (size characters, with its padding) to `out`, which has room for
// 3 * (size / 4) bytes. False: it is not base64.
bool rmx__base64_decode(const char *text, size_t size, char *out, size_t *n);
void rmx__base64_encode(const char *data, size_t size, rmx_buf *out);

#endif
