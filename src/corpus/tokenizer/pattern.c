// SPDX-License-Identifier: Apache-2.0
// Patterns are matched by PCRE2. If it reaches a limit, that is an error; no text is lost.
#include "pattern.h"

#include "characters.h"
#include "oniguruma.h"

enum { MAX_STEPS = 1 << 30 };

// Line ends as in Oniguruma, whatever this PCRE2 was built with.
static pcre2_code *compile(const char *pattern, int *code, PCRE2_SIZE *offset) {
  pcre2_compile_context *context = pcre2_compile_context_create(NULL);
  if (!context) return NULL;
  pcre2_set_newline(context, PCRE2_NEWLINE_LF);
  pcre2_set_bsr(context, PCRE2_BSR_UNICODE);
  pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                       PCRE2_UTF | PCRE2_UCP, code, offset, context);
  pcre2_compile_context_free(context);
  return compiled;
}

rmx_status rmx__pattern_compile(const char *regex, const char *where, rmx__pattern *out,
                                rmx_err *err) {
  int code = 0;
  PCRE2_SIZE offset = 0;
  rmx_buf translated = {0};
  rmx_status status = rmx__oniguruma_translate(regex, where, &translated, err);
  if (status == RMX_OK) {
    out->code = compile(translated.data, &code, &offset);
    if (!out->code) {
      char message[128] = "";
      pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof message);
      status = rmx_fail(err, RMX_EINPUT, "%s: pattern \"%.200s\": %s", where, regex, message);
    }
  }
  rmx_buf_release(&translated);
  if (status != RMX_OK) return status;
  // The limit of the library, ten million steps, is too low for a long run of spaces: Llama 3's
  // pattern looks for a line feed after each. This limit still ends a pattern that never would.
  out->limits = pcre2_match_context_create(NULL);
  if (!out->limits) return rmx_fail_memory(err, 0, "a pattern");
  pcre2_set_match_limit(out->limits, MAX_STEPS);
  out->jit = pcre2_jit_compile(out->code, PCRE2_JIT_COMPLETE) == 0;
  return RMX_OK;
}

void rmx__pattern_release(rmx__pattern *p) {
  pcre2_code_free(p->code);
  pcre2_match_context_free(p->limits);
  p->code = NULL;
  p->limits = NULL;
}

// The first match at or after `from`.
static rmx_status find(const rmx__pattern *p, pcre2_match_data *match, const char *text,
                       size_t size, size_t from, bool *found, rmx_err *err) {
  PCRE2_SPTR subject = (PCRE2_SPTR)text;
  int result = PCRE2_ERROR_JIT_STACKLIMIT;
  if (p->jit) result = pcre2_jit_match(p->code, subject, size, from, 0, match, p->limits);
  // Without JIT, or out of its stack: the interpreter uses the heap.
  if (result < 0 && result != PCRE2_ERROR_NOMATCH)
    result = pcre2_match(p->code, subject, size, from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, match,
                         p->limits);
  *found = result >= 0;
  if (result >= 0 || result == PCRE2_ERROR_NOMATCH) return RMX_OK;
  char message[128];
  pcre2_get_error_message(result, (PCRE2_UCHAR *)message, sizeof message);
  return rmx_fail(err, RMX_EINPUT,
                  "the pattern of the tokenizer fails at byte %zu of a document: %s", from,
                  message);
}

rmx_status rmx__pattern_next(const rmx__pattern *p, pcre2_match_data *match, const char *text,
                             size_t size, rmx__search *search, bool *found, size_t *start,
                             size_t *end, rmx_err *err) {
  const PCRE2_SIZE *range = pcre2_get_ovector_pointer(match);
  *found = false;
  while (search->from <= size) {
    RMX_TRY(find(p, match, text, size, search->from, found, err));
    if (!*found) return RMX_OK;
    *start = range[0];
    *end = range[1];
    if (*end > *start || *end != search->last_end) {
      search->from = search->last_end = *end;
      return RMX_OK;
    }
    *found = false;
    int32_t code;
    search->from +=
        search->from < size ? rmx__character(text + search->from, text + size, &code) : 1;
  }
  return RMX_OK;
}
