// SPDX-License-Identifier: Apache-2.0
// Cuts text into words. Nearly every byte-level tokenizer uses GPT-2's pattern,
//
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// It matches runs of one class of characters, each with the one space before it, so it needs no
// regular expressions. The scanner below reads each byte once and cannot run out of stack. Other
// patterns (Llama 3's, Qwen's) use PCRE2. If PCRE2 reaches a limit, that is an error; no text is
// lost.
#include "pre_tokenizer.h"

#include <string.h>

#include "corpus/utf8.h"

enum { MAX_STEPS = 1 << 30 };

// Length of the contraction that starts at the apostrophe p, or 0.
static size_t contraction(const char *p, const char *end) {
  if (end - p >= 2 && memchr("stmd", p[1], 4)) return 2;
  if (end - p >= 3 &&
      (memcmp(p, "'re", 3) == 0 || memcmp(p, "'ve", 3) == 0 || memcmp(p, "'ll", 3) == 0))
    return 3;
  return 0;
}

size_t rmx__gpt2_word_end(const char *text, size_t size, size_t at) {
  // The caller cuts a longer run after RMX__LONGEST_WORD bytes. Looking further would read the same
  // bytes many times.
  if (size - at > RMX__LONGEST_WORD + 8) size = at + RMX__LONGEST_WORD + 8;
  const char *p = text + at, *end = text + size;
  if (*p == '\'') {
    size_t n = contraction(p, end);
    if (n) return at + n;
  }
  const char *q = p + (*p == ' ' && p + 1 < end);
  rmx__class class, next;
  size_t n = rmx__class_next(q, end, &class);
  if (class != RMX__SPACE) {
    do q += n;
    while (q < end && (n = rmx__class_next(q, end, &next), next == class));
    return (size_t)(q - text);
  }
  // White space at the end of the text is one word. Before other text its last character is left
  // over, because it may belong to the next word. A single character is a word.
  const char *last = p;
  for (q = p; q < end; q += n) {
    n = rmx__class_next(q, end, &next);
    if (next != RMX__SPACE) return (size_t)((last > p ? last : q) - text);
    last = q;
  }
  return size;
}

rmx_status rmx__pattern_compile(const char *regex, const char *where, rmx__pattern *out,
                                rmx_err *err) {
  int code;
  PCRE2_SIZE offset;
  out->code = pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP, &code,
                            &offset, NULL);
  if (!out->code) {
    char message[128];
    pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof message);
    return rmx_fail(err, RMX_EINPUT, "%s: pre_tokenizer: pattern \"%.200s\": %s at character %zu",
                    where, regex, message, offset);
  }
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

rmx__pre_tokenizer rmx__pre_tokenizer_make(const char *text, size_t size,
                                           const rmx__pattern *pattern, pcre2_match_data *match) {
  return (rmx__pre_tokenizer){.text = text, .size = size, .pattern = pattern, .match = match};
}

// Finds the next match at or after w->at in the valid UTF-8 that ends at valid_end.
static bool find_match(rmx__pre_tokenizer *w, rmx_err *err) {
  PCRE2_SPTR text = (PCRE2_SPTR)w->text;
  const pcre2_code *code = w->pattern->code;
  int found = PCRE2_ERROR_JIT_STACKLIMIT;
  if (w->pattern->jit)
    found = pcre2_jit_match(code, text, w->valid_end, w->at, PCRE2_NOTEMPTY, w->match,
                            w->pattern->limits);
  if (found < 0 &&
      found != PCRE2_ERROR_NOMATCH)  // no JIT, or out of its stack: the interpreter uses the heap
    found = pcre2_match(code, text, w->valid_end, w->at,
                        PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY | PCRE2_NO_JIT, w->match,
                        w->pattern->limits);
  if (found == PCRE2_ERROR_NOMATCH) {
    w->match_start = w->match_end = w->valid_end;
    return true;
  }
  if (found < 0) {
    char message[128];
    pcre2_get_error_message(found, (PCRE2_UCHAR *)message, sizeof message);
    rmx_fail(err, RMX_EINPUT, "the pattern of the tokenizer fails at byte %zu of a document: %s",
             w->at, message);
    return false;
  }
  PCRE2_SIZE *range = pcre2_get_ovector_pointer(w->match);
  w->match_start = range[0];
  w->match_end = range[1];
  return true;
}

bool rmx__pre_tokenizer_next(rmx__pre_tokenizer *w, size_t *start, rmx_err *err) {
  if (w->at >= w->size) return false;
  *start = w->at;
  size_t end;
  if (!w->pattern) {
    end = rmx__gpt2_word_end(w->text, w->size, w->at);
  } else {
    // PCRE2 needs valid UTF-8. It gets the valid pieces, and each bad byte is a word of its own.
    if (w->at >= w->valid_end) {
      w->valid_end = w->at + rmx__utf8_valid_prefix(w->text + w->at, w->size - w->at);
      w->match_start = w->match_end = w->at;
    }
    if (w->at == w->valid_end) {
      end = w->at + 1;
    } else {
      if (w->at >= w->match_end && !find_match(w, err)) return false;
      end = w->at < w->match_start ? w->match_start : w->match_end;
    }
  }
  if (end - w->at > RMX__LONGEST_WORD) end = w->at + RMX__LONGEST_WORD;
  w->at = end;
  return true;
}
