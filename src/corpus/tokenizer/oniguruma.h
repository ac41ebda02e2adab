// SPDX-License-Identifier: Apache-2.0
// oniguruma.h: Hugging Face's patterns are of Oniguruma, in the syntax of Ruby; ours are of PCRE2.
#ifndef RMX_CORPUS_TOKENIZER_ONIGURUMA_H
#define RMX_CORPUS_TOKENIZER_ONIGURUMA_H

#include <regmix/base.h>

// Appends a pattern of PCRE2 that means the same. Messages begin with `where`. RMX_EINPUT: the
// pattern has a construct that has no equal in PCRE2, or that is not known.
rmx_status rmx__oniguruma_translate(const char *regex, const char *where, rmx_buf *out,
                                    rmx_err *err);

#endif
