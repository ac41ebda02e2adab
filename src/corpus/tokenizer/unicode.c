// SPDX-License-Identifier: Apache-2.0
// Changes that look at characters: Unicode's normal forms, small letters, accents, and what the
// normalizers of NMT and BERT remove.
#include <stdlib.h>
#include <string.h>

#include "characters.h"
#include "corpus/utf8.h"
#include "normalizer.h"

// ASCII is in every normal form already and combines only with what follows it. So each run of
// other characters is normalised with the one ASCII character before it. A run that is not UTF-8
// has no normal form and stays as it is.
rmx_status rmx__change_form(const rmx__change *c, const char *text, size_t size, rmx_buf *out,
                            bool *same, rmx_err *err) {
  size_t at = rmx__ascii_prefix(text, size);
  *same = at == size;
  for (at = 0; at < size && !*same && !out->failed;) {
    size_t run = at + rmx__ascii_prefix(text + at, size - at),
           from = run > at && run < size ? run - 1 : run;
    rmx_buf_add(out, text + at, from - at);
    while (run < size && (uint8_t)text[run] >= 128) run++;
    at = run;
    if (from == run) break;
    utf8proc_uint8_t *normal = NULL;
    utf8proc_ssize_t n =
        utf8proc_map((const utf8proc_uint8_t *)text + from, (utf8proc_ssize_t)(run - from), &normal,
                     (utf8proc_option_t)c->form);
    if (n == UTF8PROC_ERROR_NOMEM) return rmx_fail_memory(err, run - from, "the form of a text");
    if (n < 0)
      rmx_buf_add(out, text + from, run - from);
    else
      rmx_buf_add(out, normal, (size_t)n);
    free(normal);
  }
  return RMX_OK;
}

// Passes all characters through a function, which returns how many it has put into `to`.
typedef size_t change_one(const rmx__change *c, int32_t code, int32_t to[3]);
static rmx_status change_each(change_one *one, const rmx__change *c, const char *text, size_t size,
                              rmx_buf *out) {
  for (const char *p = text, *end = text + size; p < end;) {
    int32_t code, to[3];
    p += rmx__character(p, end, &code);
    size_t n = one(c, code, to);
    for (size_t i = 0; i < n; i++) {
      utf8proc_uint8_t utf8[4];
      rmx_buf_add(out, utf8, (size_t)utf8proc_encode_char(to[i], utf8));
    }
  }
  return RMX_OK;
}

// The one character whose small letter is two characters is a capital I with a dot.
static size_t lowercase_one(const rmx__change *c, int32_t code, int32_t to[3]) {
  (void)c;
  to[0] = code < 128 ? (code >= 'A' && code <= 'Z' ? code + 32 : code) : utf8proc_tolower(code);
  if (code != 0x130) return 1;
  to[0] = 'i';
  to[1] = 0x307;
  return 2;
}

rmx_status rmx__change_lowercase(const rmx__change *c, const char *text, size_t size, rmx_buf *out,
                                 bool *same, rmx_err *err) {
  (void)same, (void)err;
  return change_each(lowercase_one, c, text, size, out);
}

static size_t without_mark(const rmx__change *c, int32_t code, int32_t to[3]) {
  (void)c;
  to[0] = code;
  utf8proc_category_t category = utf8proc_category(code);
  return category != UTF8PROC_CATEGORY_MN && category != UTF8PROC_CATEGORY_MC &&
         category != UTF8PROC_CATEGORY_ME;
}

rmx_status rmx__change_accents(const rmx__change *c, const char *text, size_t size, rmx_buf *out,
                               bool *same, rmx_err *err) {
  (void)err;
  *same = rmx__ascii_prefix(text, size) == size;
  return *same ? RMX_OK : change_each(without_mark, c, text, size, out);
}

static size_t nmt_one(const rmx__change *c, int32_t code, int32_t to[3]) {
  (void)c;
  to[0] = code;
  if ((code >= 1 && code <= 8) || code == 0xB || (code >= 0xE && code <= 0x1F) || code == 0x7F ||
      code == 0x8F || code == 0x9F)
    return 0;
  if (code == 9 || code == 0xA || code == 0xC || code == 0xD || code == 0x1680 ||
      (code >= 0x200B && code <= 0x200F) || code == 0x2028 || code == 0x2029 || code == 0x2581 ||
      code == 0xFEFF || code == 0xFFFD)
    to[0] = ' ';
  return 1;
}

rmx_status rmx__change_nmt(const rmx__change *c, const char *text, size_t size, rmx_buf *out,
                           bool *same, rmx_err *err) {
  (void)same, (void)err;
  return change_each(nmt_one, c, text, size, out);
}

// ---- BERT ------------------------------------------------------------------------------

static bool is_control(int32_t code) {
  if (code == '\t' || code == '\n' || code == '\r') return false;
  switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CS:
      return true;
    default:
      return false;
  }
}

static bool is_chinese(int32_t code) {
  static const int32_t blocks[][2] = {{0x4E00, 0x9FFF},   {0x3400, 0x4DBF},   {0x20000, 0x2A6DF},
                                      {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF},
                                      {0xF900, 0xFAFF},   {0x2F800, 0x2FA1F}};
  for (size_t i = 0; code >= 0x3400 && i < sizeof blocks / sizeof *blocks; i++)
    if (code >= blocks[i][0] && code <= blocks[i][1]) return true;
  return false;
}

static size_t clean_one(const rmx__change *c, int32_t code, int32_t to[3]) {
  if (c->clean) {
    if (code == 0 || code == 0xFFFD || is_control(code)) return 0;
    if (rmx__is_whitespace(code)) code = ' ';
  }
  to[0] = code;
  if (!c->chinese || !is_chinese(code)) return 1;
  to[0] = to[2] = ' ';
  to[1] = code;
  return 3;
}

static size_t without_accent(const rmx__change *c, int32_t code, int32_t to[3]) {
  (void)c;
  to[0] = code;
  return utf8proc_category(code) != UTF8PROC_CATEGORY_MN;
}

rmx_status rmx__change_bert(const rmx__change *c, const char *text, size_t size, rmx_buf *out,
                            bool *same, rmx_err *err) {
  const rmx__change nfd = {.form = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE};
  rmx_buf one = {0}, two = {0};
  change_each(clean_one, c, text, size, &one);
  rmx_status status = one.failed ? rmx_fail_memory(err, size, "a text") : RMX_OK;
  if (c->accents && status == RMX_OK && one.size) {
    status = rmx__change_form(&nfd, one.data, one.size, &two, same, err);
    if (!*same) {
      one.size = 0;
      change_each(without_accent, c, two.data, two.size, &one);
    }
  }
  *same = false;
  if (status == RMX_OK && one.size && c->lowercase)
    change_each(lowercase_one, c, one.data, one.size, out);
  else if (status == RMX_OK && one.size)
    rmx_buf_add(out, one.data, one.size);
  if (status == RMX_OK && (one.failed || two.failed)) status = rmx_fail_memory(err, size, "a text");
  rmx_buf_release(&one);
  rmx_buf_release(&two);
  return status;
}
