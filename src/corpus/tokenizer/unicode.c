// SPDX-License-Identifier: Apache-2.0
// Changes that look at characters: Unicode's normal forms, small letters, accents, and what the
// normalizers of NMT and BERT remove.
#include <stdlib.h>
#include <string.h>

#include "characters.h"
#include "corpus/utf8.h"
#include "normalizer.h"

// Hugging Face's normal forms are those of Unicode 9. These characters, which are newer, have a
// decomposition or a combining class today; there they stay as they are.
static const int32_t newer[][2] = {
    // clang-format off
    {0x7FD, 0x7FD}, {0x897, 0x89F}, {0x8CA, 0x8D3}, {0x9FE, 0x9FE}, {0xC3C, 0xC3C}, {0xD3B, 0xD3C},
    {0xEBA, 0xEBA}, {0x1715, 0x1715}, {0x1ABF, 0x1ADD}, {0x1AE0, 0x1AEB}, {0x1DF6, 0x1DFA},
    {0x32FF, 0x32FF}, {0xA7F1, 0xA7F4}, {0xA82C, 0xA82C}, {0xAB69, 0xAB69}, {0x105C9, 0x105C9},
    {0x105E4, 0x105E4}, {0x10781, 0x10785}, {0x10787, 0x107B0}, {0x107B2, 0x107BA},
    {0x10D24, 0x10D27}, {0x10D69, 0x10D6D}, {0x10EAB, 0x10EAC}, {0x10EFA, 0x10EFB},
    {0x10EFD, 0x10EFF}, {0x10F46, 0x10F50}, {0x10F82, 0x10F85}, {0x11070, 0x11070},
    {0x1133B, 0x1133B}, {0x11383, 0x11383}, {0x11385, 0x11385}, {0x1138E, 0x1138E},
    {0x11391, 0x11391}, {0x113C5, 0x113C5}, {0x113C7, 0x113C8}, {0x113CE, 0x113D0},
    {0x1145E, 0x1145E}, {0x11839, 0x1183A}, {0x11938, 0x11938}, {0x1193D, 0x1193E},
    {0x11943, 0x11943}, {0x119E0, 0x119E0}, {0x11A34, 0x11A34}, {0x11A47, 0x11A47},
    {0x11A99, 0x11A99}, {0x11D42, 0x11D42}, {0x11D44, 0x11D45}, {0x11D97, 0x11D97},
    {0x11F41, 0x11F42}, {0x16121, 0x16128}, {0x1612F, 0x1612F}, {0x16D68, 0x16D6A},
    {0x16FF0, 0x16FF1}, {0x1CCD6, 0x1CCF9}, {0x1E030, 0x1E06D}, {0x1E08F, 0x1E08F},
    {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE}, {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF},
    {0x1E5EE, 0x1E5EF}, {0x1E6E3, 0x1E6E3}, {0x1E6E6, 0x1E6E6}, {0x1E6EE, 0x1E6EF},
    {0x1E6F5, 0x1E6F5}, {0x1F16C, 0x1F16C}, {0x1FBF0, 0x1FBF9},
    // clang-format on
};

static bool is_in(const int32_t (*ranges)[2], size_t n, int32_t code) {
  size_t low = 0, high = n;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (ranges[middle][1] < code)
      low = middle + 1;
    else
      high = middle;
  }
  return low < n && code >= ranges[low][0];
}

#define IS_IN(ranges, code) is_in(ranges, sizeof(ranges) / sizeof *(ranges), code)

// Where the characters that are not ASCII, nor newer, end.
static size_t run_end(const char *text, size_t size, size_t at, size_t *newer_size) {
  *newer_size = 0;
  while (at < size && (uint8_t)text[at] >= 128) {
    int32_t code;
    size_t n = rmx__character(text + at, text + size, &code);
    if (IS_IN(newer, code)) {
      *newer_size = n;
      break;
    }
    at += n;
  }
  return at;
}

static rmx_status put_form(const rmx__change *c, const char *text, size_t size, rmx_buf *out,
                           rmx_err *err) {
  utf8proc_uint8_t *normal = NULL;
  utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)size, &normal,
                                    (utf8proc_option_t)c->form);
  if (n == UTF8PROC_ERROR_NOMEM) return rmx_fail_memory(err, size, "the form of a text");
  if (n < 0)
    rmx_buf_add(out, text, size);
  else
    rmx_buf_add(out, normal, (size_t)n);
  free(normal);
  return RMX_OK;
}

// ASCII is in every normal form already and combines only with what follows it. So each run of
// other characters is normalised with the one ASCII character before it. A run that is not UTF-8
// has no normal form and stays as it is.
rmx_status rmx__change_form(const rmx__change *c, const char *text, size_t size, rmx_buf *out,
                            bool *same, rmx_err *err) {
  *same = rmx__ascii_prefix(text, size) == size;
  for (size_t at = 0; at < size && !*same && !out->failed;) {
    size_t ascii = at + rmx__ascii_prefix(text + at, size - at), skipped,
           from = ascii > at && ascii < size ? ascii - 1 : ascii;
    rmx_buf_add(out, text + at, from - at);
    at = run_end(text, size, ascii, &skipped);
    if (at > from) RMX_TRY(put_form(c, text + from, at - from, out, err));
    rmx_buf_add(out, text + at, skipped);
    at += skipped;
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

// Capital letters of Unicode 15 to 17, which the system's table may not have, and how far their
// small letters are.
static const struct {
  int32_t first, last, distance;
} capitals[] = {{0x1C89, 0x1C89, 1},    {0xA7CB, 0xA7CB, 0x264 - 0xA7CB},
                {0xA7CC, 0xA7CC, 1},    {0xA7CE, 0xA7CE, 1},
                {0xA7D2, 0xA7D2, 1},    {0xA7D4, 0xA7D4, 1},
                {0xA7DA, 0xA7DA, 1},    {0xA7DC, 0xA7DC, 0x19B - 0xA7DC},
                {0x10D50, 0x10D65, 32}, {0x16EA0, 0x16EB8, 27}};

// The one character whose small letter is two characters is a capital I with a dot.
static size_t lowercase_one(const rmx__change *c, int32_t code, int32_t to[3]) {
  (void)c;
  to[0] = code < 128 ? (code >= 'A' && code <= 'Z' ? code + 32 : code) : utf8proc_tolower(code);
  for (size_t i = 0; code >= capitals[0].first && i < sizeof capitals / sizeof *capitals; i++)
    if (code >= capitals[i].first && code <= capitals[i].last) to[0] = code + capitals[i].distance;
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

// Marks are those of Unicode 9 in Hugging Face's library. These came later, or were no marks.
static const int32_t no_marks[][2] = {
    // clang-format off
    {0x7FD, 0x7FD}, {0x897, 0x8D3}, {0x9FE, 0x9FE}, {0xAFA, 0xAFF}, {0xB55, 0xB55},
    {0xC04, 0xC3C}, {0xCF3, 0xD00}, {0xD3B, 0xD3C}, {0xD81, 0xD81}, {0xEBA, 0xEBA},
    {0xECE, 0xECE}, {0x1715, 0x1715}, {0x180F, 0x180F}, {0x1ABF, 0x1AEB}, {0x1CF7, 0x1CF7},
    {0x1DF6, 0x1DFA}, {0xA82C, 0xA82C}, {0xA8FF, 0xA8FF}, {0x10D24, 0x10F85}, {0x11070, 0x11074},
    {0x110C2, 0x110C2}, {0x11145, 0x11146}, {0x111C9, 0x111C9}, {0x111CE, 0x111CF},
    {0x11241, 0x11241}, {0x1133B, 0x1133B}, {0x113B8, 0x113E2}, {0x1145E, 0x1145E},
    {0x1182C, 0x11B67}, {0x11D31, 0x1612F}, {0x16F4F, 0x16F4F}, {0x16F7F, 0x16F87},
    {0x16FE4, 0x16FF1}, {0x1CF00, 0x1CF46}, {0x1E08F, 0x1E6F5},
    // clang-format on
};

static size_t without_mark(const rmx__change *c, int32_t code, int32_t to[3]) {
  (void)c;
  to[0] = code;
  if (code < 0x300) return 1;
  utf8proc_category_t category = utf8proc_category(code);
  const bool mark = category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
                    category == UTF8PROC_CATEGORY_ME;
  // two that are letters today
  return code != 0x1CF2 && code != 0x1CF3 && (!mark || IS_IN(no_marks, code));
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

// The categories are those of Unicode 8: format characters that came later are left as they are.
static bool is_later_format(int32_t code) {
  return code == 0x0890 || code == 0x0891 || code == 0x08E2 || code == 0x110CD ||
         (code >= 0x13430 && code <= 0x1343F);
}

static bool is_control(int32_t code) {
  if (code == '\t' || code == '\n' || code == '\r' || is_later_format(code)) return false;
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

// Here marks are those of Unicode 8.
static const int32_t no_accents[][2] = {
    // clang-format off
    {0x7FD, 0x7FD}, {0x897, 0x8E1}, {0x9FE, 0x9FE}, {0xAFA, 0xAFF}, {0xB55, 0xB55},
    {0xC04, 0xC3C}, {0xD00, 0xD00}, {0xD3B, 0xD3C}, {0xD81, 0xD81}, {0xEBA, 0xEBA},
    {0xECE, 0xECE}, {0x180F, 0x1886}, {0x1ABF, 0x1AEB}, {0x1DF6, 0x1DFB}, {0xA82C, 0xA82C},
    {0xA8C5, 0xA8C5}, {0xA8FF, 0xA8FF}, {0xA9BD, 0xA9BD}, {0x10D24, 0x10F85}, {0x11070, 0x11074},
    {0x110C2, 0x110C2}, {0x111C9, 0x111C9}, {0x111CF, 0x111CF}, {0x1123E, 0x11241},
    {0x1133B, 0x1133B}, {0x113B8, 0x1145E}, {0x1182F, 0x1612F}, {0x16F4F, 0x16F4F},
    {0x16FE4, 0x16FE4}, {0x1CF00, 0x1CF46}, {0x1E000, 0x1E6F5}, {0x1E944, 0x1E94A},
    // clang-format on
};

static size_t without_accent(const rmx__change *c, int32_t code, int32_t to[3]) {
  (void)c;
  to[0] = code;
  if (code < 0x300) return 1;
  const bool accent = utf8proc_category(code) == UTF8PROC_CATEGORY_MN;
  return code != 0x1734 && (!accent || IS_IN(no_accents, code));
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
