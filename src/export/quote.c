// SPDX-License-Identifier: Apache-2.0
// Numbers and strings in the part of their syntax that JSON, YAML and Python have in common, so that one
// function serves all three. Strings: double quotes with the escapes \" \\ \uXXXX. Numbers: always with a
// point, since YAML 1.1 (PyYAML, which most trainers read their configs with) takes 1e-05 for a string
// and 1.0e-05 for a number.
#include <string.h>
#include <strings.h>

#include "export/blend.h"

void rmx__put_number(rmx_buf *out, double x) {
  char text[32];
  rmx_double_text(x, text);
  size_t digits = strcspn(text, "e");
  rmx_buf_add(out, text, digits);
  if (!memchr(text, '.', digits)) rmx_buf_puts(out, ".0");
  rmx_buf_puts(out, text + digits);
}

// The code point of a character that must not stand in a quoted YAML string as it is (controls, and what YAML
// takes for a line break or a byte order mark), and how many bytes it has; 0 bytes: any other character.
static size_t unprintable(const unsigned char *s, unsigned *code) {
  if (s[0] < 32 || s[0] == 127) {
    *code = s[0];
    return 1;
  }
  if (s[0] == 0xC2 && s[1] >= 0x80 && s[1] < 0xA0) {  // C1 controls, U+0085 (next line) among them
    *code = s[1];
    return 2;
  }
  if (s[0] == 0xE2 && s[1] == 0x80 && (s[2] == 0xA8 || s[2] == 0xA9)) {  // line and paragraph separator
    *code = 0x2000u + (s[2] & 0x3Fu);
    return 3;
  }
  if (s[0] == 0xEF && s[1] == 0xBB && s[2] == 0xBF) {
    *code = 0xFEFF;
    return 3;
  }
  return 0;
}

void rmx__put_quoted(rmx_buf *out, const char *s) {
  rmx_buf_puts(out, "\"");
  while (*s) {
    unsigned code;
    size_t n = unprintable((const unsigned char *)s, &code);
    if (n > 0) {
      rmx_buf_printf(out, "\\u%04x", code);
    } else {
      if (*s == '"' || *s == '\\') rmx_buf_puts(out, "\\");
      rmx_buf_add(out, s, n = 1);
    }
    s += n;
  }
  rmx_buf_puts(out, "\"");
}

static bool plain(const char *s) {
  static const char *const words[] = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/";
  if (!*s || !strchr(letters, s[0])) return false;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcasecmp(s, words[i]) == 0) return false;
  for (; *s; s++)
    if (!strchr(letters, *s) && !strchr("0123456789.-", *s)) return false;
  return true;
}

void rmx__put_yaml(rmx_buf *out, const char *s) {
  if (plain(s))
    rmx_buf_puts(out, s);
  else
    rmx__put_quoted(out, s);
}
