// SPDX-License-Identifier: Apache-2.0
// Most of a line of JSON is the text that is wanted. Many programs write the rest, not always
// correctly. So the rest is skipped by its brackets, commas and quotes, and only the text is
// decoded.
#include "json_text.h"

#include <string.h>
#include <utf8proc.h>

struct scan {
  const char *start, *at, *end;
  rmx__json_look *look;
  rmx_buf *out;
  rmx__json_found found;
};

static bool broken(struct scan *s, const char *at, const char *what) {
  s->look->what = what;
  s->look->column = (size_t)(at - s->start) + 1;
  s->found = RMX__JSON_BROKEN;
  return false;
}

static void skip_space(struct scan *s) {
  while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' || *s->at == '\n'))
    s->at++;
}

// ---- strings --------------------------------------------------------------------------

// Skips the string at s->at; *from .. *to is what is between its quotes.
static bool skip_string(struct scan *s, const char **from, const char **to) {
  const char *quote = s->at++;
  *from = s->at;
  for (;;) {
    const char *close = memchr(s->at, '"', (size_t)(s->end - s->at));
    if (!close) return broken(s, quote, "a string without an end");
    const char *run = close;  // of backslashes before the quote; two are one escaped backslash
    while (run > s->at && run[-1] == '\\') run--;
    s->at = close + 1;
    if ((close - run) % 2) continue;
    *to = close;
    return true;
  }
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The value of the four hexadecimal digits at p; -1 if they are not digits.
static int32_t hex_four(const char *p, const char *end) {
  int32_t code = 0;
  if (end - p < 4) return -1;
  for (int i = 0; i < 4; i++) {
    int digit = hex_digit(p[i]);
    if (digit < 0) return -1;
    code = code * 16 + digit;
  }
  return code;
}

// Appends the character of the digits after "\u" at *p, and moves *p after it. Half of a surrogate
// pair becomes U+FFFD.
static bool escaped_code(struct scan *s, const char **p, const char *end, rmx_buf *out) {
  int32_t code = hex_four(*p, end);
  if (code < 0) return broken(s, *p - 2, "\\u without four hexadecimal digits");
  *p += 4;
  if (code >= 0xD800 && code < 0xDC00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
    int32_t low = hex_four(*p + 2, end);
    if (low >= 0xDC00 && low < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      *p += 6;
    }
  }
  if (code >= 0xD800 && code < 0xE000) {
    s->look->surrogates++;
    code = 0xFFFD;
  }
  utf8proc_uint8_t utf8[4];
  rmx_buf_add(out, utf8, (size_t)utf8proc_encode_char(code, utf8));
  return true;
}

// Decodes the string from .. end into out.
static bool decode(struct scan *s, const char *from, const char *end, rmx_buf *out) {
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  out->size = 0;
  rmx_buf_add(out, "", 0);
  while (from < end) {
    const char *escape = memchr(from, '\\', (size_t)(end - from));
    rmx_buf_add(out, from, (size_t)((escape ? escape : end) - from));
    if (!escape) break;
    from = escape + 2;  // a string never ends with half an escape
    const char *name = memchr(names, escape[1], sizeof names - 1);
    if (name)
      rmx_buf_add(out, &values[name - names], 1);
    else if (escape[1] != 'u')
      return broken(s, escape, "an unknown escape in the text");
    else if (!escaped_code(s, &from, end, out))
      return false;
  }
  return true;
}

// ---- values -----------------------------------------------------------------------------

// The rest of the wanted path after this key: "" if the key is all of it, NULL if it is another
// key.
static const char *rest_behind(const char *wanted, const char *key, size_t size) {
  if (strncmp(wanted, key, size) != 0 || memchr(key, '\0', size)) return NULL;
  if (wanted[size] == '\0') return wanted + size;
  return wanted[size] == '.' ? wanted + size + 1 : NULL;
}

static bool skip_value(struct scan *s, int depth);
static bool scan_object(struct scan *s, const char *wanted, int depth);

// Decodes the wanted value.
static bool take_value(struct scan *s, int depth) {
  const char *from = s->at, *to;
  s->look->surrogates = 0;  // forget an earlier value of the same name
  s->look->scalar = NULL;
  if (from < s->end && *from == '"') {
    if (!skip_string(s, &from, &to) || !decode(s, from, to, s->out)) return false;
    s->found = RMX__JSON_TEXT;
    return true;
  }
  if (!skip_value(s, depth)) return false;
  if (*from != '{' && *from != '[') {
    s->look->scalar = from;
    s->look->scalar_size = (size_t)(s->at - from);
  }
  s->found = s->at - from == 4 && memcmp(from, "null", 4) == 0 ? RMX__JSON_NULL : RMX__JSON_OTHER;
  return true;
}

// Scans one `"key": value` of an object. wanted NULL: nothing in it is wanted.
static bool scan_member(struct scan *s, const char *wanted, int depth) {
  const char *from, *to, *rest = NULL;
  if (s->at == s->end || *s->at != '"') return broken(s, s->at, "wanted a name in quotes");
  if (!skip_string(s, &from, &to)) return false;
  if (wanted && !memchr(from, '\\', (size_t)(to - from))) {
    rest = rest_behind(wanted, from, (size_t)(to - from));
  } else if (wanted) {
    rmx_buf key = {0};
    uint64_t kept = s->look->surrogates;
    bool good = decode(s, from, to, &key);
    if (good && !key.failed) rest = rest_behind(wanted, key.data, key.size);
    s->look->surrogates = kept;
    s->out->failed = s->out->failed || key.failed;
    rmx_buf_release(&key);
    if (!good) return false;
  }
  skip_space(s);
  if (s->at == s->end || *s->at != ':') return broken(s, s->at, "wanted a colon");
  s->at++;
  skip_space(s);
  if (rest && !*rest) return take_value(s, depth);
  if (rest && s->at < s->end && *s->at == '{') return scan_object(s, rest, depth + 1);
  return skip_value(s, depth);
}

// Scans the list from the bracket at s->at to the bracket that closes it.
static bool scan_list(struct scan *s, char close, const char *wanted, int depth) {
  if (depth > RMX__JSON_DEPTH) return broken(s, s->at, "more than 256 nested brackets");
  const char *open = s->at++;
  skip_space(s);
  if (s->at < s->end && *s->at == close) {
    s->at++;
    return true;
  }
  for (;;) {
    if (s->at == s->end) return broken(s, open, "a bracket that is never closed");
    if (!(close == '}' ? scan_member(s, wanted, depth) : skip_value(s, depth))) return false;
    skip_space(s);
    if (s->at == s->end) return broken(s, open, "a bracket that is never closed");
    if (*s->at == close) {
      s->at++;
      return true;
    }
    if (*s->at != ',')
      return broken(s, s->at, close == '}' ? "wanted a comma or }" : "wanted a comma or ]");
    s->at++;
    skip_space(s);
  }
}

static bool scan_object(struct scan *s, const char *wanted, int depth) {
  return scan_list(s, '}', wanted, depth);
}

static bool skip_value(struct scan *s, int depth) {
  const char *from = s->at, *to;
  if (from == s->end) return broken(s, from, "wanted a value");
  if (*from == '"') return skip_string(s, &from, &to);
  if (*from == '{') return scan_list(s, '}', NULL, depth + 1);
  if (*from == '[') return scan_list(s, ']', NULL, depth + 1);
  // Numbers, true, false, null, and what some programs write instead: NaN, -Infinity, 1e999.
  while (s->at < s->end && (strchr("+-._", *s->at) ? *s->at != '\0'
                                                   : (*s->at >= '0' && *s->at <= '9') ||
                                                         (*s->at >= 'a' && *s->at <= 'z') ||
                                                         (*s->at >= 'A' && *s->at <= 'Z')))
    s->at++;
  return s->at > from || broken(s, from, "wanted a value");
}

rmx__json_found rmx__json_text(const char *line, size_t size, const char *field, rmx_buf *out,
                               rmx__json_look *look) {
  *look = (rmx__json_look){0};
  struct scan s = {line, line, line + size, look, out, RMX__JSON_MISSING};
  skip_space(&s);
  bool object = s.at < s.end && *s.at == '{';
  if (!(object ? scan_object(&s, field, 1) : skip_value(&s, 0))) return RMX__JSON_BROKEN;
  skip_space(&s);
  if (s.at < s.end) {
    broken(&s, s.at, "more text after its end");
    return RMX__JSON_BROKEN;
  }
  return object ? s.found : RMX__JSON_NO_OBJECT;
}
