// SPDX-License-Identifier: Apache-2.0
// Numbers and strings in the part of their syntax that JSON, YAML and Python have in common, so
// that one function serves all three. Strings: double quotes with the escapes \" \\ \n \r \t
// \uXXXX. Numbers: always with a point, since YAML 1.1 (PyYAML, which most trainers read their
// configs with) takes 1e-05 for a string and 1.0e-05 for a number.
#include <float.h>
#include <math.h>
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/c_number.h"

static void shortest_text(double x, char out[32]) {
  // A number near 0 has fewer digits of its own; elsewhere 15 always survive the way there and
  // back.
  for (int digits = fabs(x) < DBL_MIN ? 1 : 15; digits <= 16; digits++) {
    snprintf(out, 32, "%.*g", digits, x);
    if (strtod(out, NULL) == x) return;
  }
  // Just above a power of two doubles lie wider apart than below it: there 16 digits may do that
  // are not the nearest 16.
  snprintf(out, 32, "%.16Lg", (long double)x * (1 + 0x1p-54L));
  if (strtod(out, NULL) != x) snprintf(out, 32, "%.17g", x);
}

void rmx_double_text(double x, char out[32]) {
  const locale_t had = rmx__c_locale();
  shortest_text(x, out);
  rmx__locale_back(had);
}

void rmx_put_number(rmx_buf *out, double x) {
  char text[32];
  rmx_double_text(x, text);
  size_t digits = strcspn(text, "e");
  rmx_buf_add(out, text, digits);
  if (!memchr(text, '.', digits)) rmx_buf_puts(out, ".0");
  rmx_buf_puts(out, text + digits);
}

// The code point of a character that must not stand in a quoted YAML string as it is (controls,
// what YAML takes for a line break or a byte order mark, and what is no character), and how many
// bytes it has; 0 bytes: any other character.
static size_t unprintable(const unsigned char *s, unsigned *code) {
  if (s[0] < 32 || s[0] == 127) {
    *code = s[0];
    return 1;
  }
  if (s[0] == 0xC2 && s[1] >= 0x80 && s[1] < 0xA0) {  // C1 controls, U+0085 (next line) among them
    *code = s[1];
    return 2;
  }
  // line and paragraph separator
  if (s[0] == 0xE2 && s[1] == 0x80 && (s[2] == 0xA8 || s[2] == 0xA9)) {
    *code = 0x2000u + (s[2] & 0x3Fu);
    return 3;
  }
  // U+FEFF, U+FFFE, U+FFFF
  if (s[0] == 0xEF && ((s[1] == 0xBB && s[2] == 0xBF) || (s[1] == 0xBF && s[2] >= 0xBE))) {
    *code = 0xF000u + ((s[1] & 0x3Fu) << 6) + (s[2] & 0x3Fu);
    return 3;
  }
  return 0;
}

void rmx_put_quoted(rmx_buf *out, const char *s) {
  rmx_buf_puts(out, "\"");
  while (*s) {
    static const char escaped[] = "\"\\\n\r\t", letter[] = "\"\\nrt";
    const char *known = strchr(escaped, *s);
    unsigned code;
    size_t n = known ? 1 : unprintable((const unsigned char *)s, &code);
    if (known)
      rmx_buf_printf(out, "\\%c", letter[known - escaped]);
    else if (n > 0)
      rmx_buf_printf(out, "\\u%04x", code);
    else
      rmx_buf_add(out, s, n = 1);
    s += n;
  }
  rmx_buf_puts(out, "\"");
}

// Words and sentences of plain letters and digits that begin with a letter, and that no YAML takes
// for anything else.
static bool plain(const char *s) {
  static const char *const words[] = {"y",    "n",     "yes",  "no",  "on",  "off",
                                      "true", "false", "null", "nan", "inf", "infinity"};
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/";
  if (!*s || !strchr(letters, s[0])) return false;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcasecmp(s, words[i]) == 0) return false;
  for (; *s; s++)
    if (!strchr(letters, *s) && !strchr("0123456789.-", *s) && !(*s == ' ' && s[1] && s[1] != ' '))
      return false;
  return true;
}

void rmx_put_yaml(rmx_buf *out, const char *s) {
  if (plain(s))
    rmx_buf_puts(out, s);
  else
    rmx_put_quoted(out, s);
}

void rmx_put_shell(rmx_buf *out, const char *s) {
  rmx_buf_puts(out, "'");
  for (; *s; s++) {
    if (*s == '\'')
      rmx_buf_puts(out, "'\\''");
    else
      rmx_buf_add(out, s, 1);
  }
  rmx_buf_puts(out, "'");
}
