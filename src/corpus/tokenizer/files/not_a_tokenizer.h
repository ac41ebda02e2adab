// SPDX-License-Identifier: Apache-2.0
// not_a_tokenizer.h: what a file is that is given as a tokenizer and is none.
#ifndef RMX_CORPUS_TOKENIZER_FILES_NOT_A_TOKENIZER_H
#define RMX_CORPUS_TOKENIZER_FILES_NOT_A_TOKENIZER_H

#include "base/json.h"

// RMX_EINPUT with what the bytes of a file are, as far as it is known, and what to give instead.
rmx_status rmx__not_a_tokenizer(const char *data, size_t size, const char *where, rmx_err *err);
// The same for the tree of a JSON file that has no model.
rmx_status rmx__not_a_tokenizer_json(const json_t *root, const char *where, rmx_err *err);
// The same for what jansson says of a text that it does not read.
rmx_status rmx__not_json(const json_error_t *at, const char *where, rmx_err *err);

#endif
