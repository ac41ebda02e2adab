// SPDX-License-Identifier: Apache-2.0
// How many columns a text takes on a terminal.
#include <string.h>
#include <utf8proc.h>

#include <regmix/command.h>

// The code point at `text` and its number of bytes; a byte that is not UTF-8 stands for itself.
static int code_point(const char *text, int *bytes) {
  utf8proc_int32_t c;
  const utf8proc_ssize_t n =
      utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)strnlen(text, 4), &c);
  *bytes = n > 0 ? (int)n : 1;
  return n > 0 ? c : '?';
}

int rmx_columns(const char *text) {
  int columns = 0, bytes;
  for (; *text; text += bytes) columns += utf8proc_charwidth(code_point(text, &bytes));
  return columns;
}

const char *rmx_shown(const char *name) {
  enum { RING = 8, BYTES = 256 };  // as many as one line can print
  static char ring[RING][BYTES];
  static int next;
  if (rmx_is_printable(name)) return name;
  char *copy = ring[next = (next + 1) % RING];
  snprintf(copy, BYTES, "%s", name);
  rmx_make_printable(copy, "");
  return copy;
}

int rmx_pad(const char *text, int width) {
  return width + (int)strlen(text) - rmx_columns(text);
}

int rmx_width(const char *const *names, size_t n, int least) {
  for (size_t i = 0; i < n; i++)
    if (rmx_columns(rmx_shown(names[i])) > least) least = rmx_columns(rmx_shown(names[i]));
  return least;
}
