// SPDX-License-Identifier: Apache-2.0
// pattern.h: the regular expressions of tokenizers.
#ifndef RMX_CORPUS_TOKENIZER_PATTERN_H
#define RMX_CORPUS_TOKENIZER_PATTERN_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <regmix/base.h>

typedef struct rmx__pattern {
  pcre2_code *code;
  pcre2_match_context *limits;
  bool jit;  // compiled to machine code
} rmx__pattern;
// Messages begin with `where`. RMX_EINPUT: the pattern is wrong.
rmx_status rmx__pattern_compile(const char *regex, const char *where, rmx__pattern *out,
                                rmx_err *err);
void rmx__pattern_release(rmx__pattern *p);

// Where a search for one match after the other goes on. Begin with {0, SIZE_MAX}.
typedef struct rmx__search {
  size_t from, last_end;
} rmx__search;
// Finds the next match in valid UTF-8, as Hugging Face's library does. It can be empty, but not
// where the last one ended: then the search goes on one character later. *found is false if there
// is none. `match` is scratch memory of the pattern.
rmx_status rmx__pattern_next(const rmx__pattern *p, pcre2_match_data *match, const char *text,
                             size_t size, rmx__search *search, bool *found, size_t *start,
                             size_t *end, rmx_err *err);

#endif
