// SPDX-License-Identifier: Apache-2.0
// Text of other people's files on its way to a terminal or into JSON: no byte that either takes for
// something else.
#include <regmix/base.h>
#include <string.h>
#include <utf8proc.h>

static bool is_control(utf8proc_int32_t c) {
  return c < 32 || (c >= 0x7F && c < 0xA0);
}

// The bytes of the character at `at`, and whether it may be printed. A byte that is not UTF-8
// counts as one character.
static size_t character(const char *at, size_t left, bool *good) {
  utf8proc_int32_t c;
  const utf8proc_ssize_t n =
      utf8proc_iterate((const utf8proc_uint8_t *)at, (utf8proc_ssize_t)left, &c);
  *good = n > 0 && !is_control(c);
  return n > 0 ? (size_t)n : 1;
}

void rmx_make_printable(char *text, const char *kept) {
  const size_t size = strlen(text);
  size_t to = 0;
  bool good;
  for (size_t i = 0, n; i < size; i += n) {
    n = character(text + i, size - i, &good);
    if (good || strchr(kept, text[i])) {
      memmove(text + to, text + i, n);
      to += n;
    } else {
      text[to++] = '?';
    }
  }
  text[to] = '\0';
}

bool rmx_is_printable(const char *text) {
  bool good = true;
  for (size_t left = strlen(text), n; left > 0 && good; text += n, left -= n)
    n = character(text, left, &good);
  return good;
}

bool rmx_is_utf8(const char *text, size_t size, size_t *at) {
  utf8proc_int32_t c;
  for (*at = 0; *at < size;) {
    const utf8proc_ssize_t n =
        utf8proc_iterate((const utf8proc_uint8_t *)text + *at, (utf8proc_ssize_t)(size - *at), &c);
    if (n <= 0) return false;
    *at += (size_t)n;
  }
  return true;
}
