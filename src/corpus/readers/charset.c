// SPDX-License-Identifier: Apache-2.0
// iconv converts, and libuchardet guesses. Unicode with two or four bytes a character is recognised
// here, by its byte order mark or by its zeros.
#include "charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>
#ifdef REGMIX_UCHARDET
#include <uchardet/uchardet.h>
#endif

#include "corpus/utf8.h"

struct rmx__charset {
  iconv_t iconv;
};

rmx__charset *rmx__charset_open(const char *path, const char *name, rmx_err *err) {
  rmx__charset *c = rmx_calloc(1, sizeof *c);
  if (!c) {
    rmx_fail_memory(err, sizeof *c, path);
    return NULL;
  }
  c->iconv = iconv_open("UTF-8", name);
  if (c->iconv != (iconv_t)-1) return c;
  rmx_fail(
      err, RMX_EINPUT,
      "%s: this system does not know the character set \"%s\"; `iconv -l` lists those it knows "
      "(corpus.encoding)",
      path, name);
  free(c);
  return NULL;
}

void rmx__charset_close(rmx__charset *c) {
  if (!c) return;
  iconv_close(c->iconv);
  free(c);
}

size_t rmx__charset_convert(rmx__charset *c, const char **from, size_t *n, bool last, char *to,
                            size_t room, uint64_t *wrong) {
  char *in = (char *)*from, *out = to;
  size_t left = room;
  while (*n > 0) {
    if (iconv(c->iconv, &in, n, &out, &left) != (size_t)-1 || errno == E2BIG) break;
    if (errno == EINVAL && !last) break;  // a character that goes on in the next block
    if (left < 3) break;
    memcpy(out, "\xEF\xBF\xBD", 3);
    out += 3, left -= 3;
    in++, --*n;
    ++*wrong;
  }
  *from = in;
  return room - left;
}

// ---- which character set -----------------------------------------------------------------------

static const struct {
  const char *mark;
  size_t size;
  const char *name;
} marks[] = {
    {"\xFF\xFE\0\0", 4, "UTF-32LE"},
    {"\0\0\xFE\xFF", 4, "UTF-32BE"},
    {"\xFF\xFE", 2, "UTF-16LE"},
    {"\xFE\xFF", 2, "UTF-16BE"},
};

bool rmx__charset_has_one_byte(const char *name) {
  char in[] = "\xC3\xA9", out[16], *from = in, *to = out;
  size_t n = 2, room = sizeof out, characters = 0;
  const iconv_t c = iconv_open("UTF-8", name);
  if (c == (iconv_t)-1) return false;
  const bool good = iconv(c, &from, &n, &to, &room) != (size_t)-1;
  for (const char *p = out; p < to; p++) characters += ((uint8_t)*p & 0xC0) != 0x80;
  iconv_close(c);
  return good && n == 0 && characters == 2;
}

const char *rmx__charset_of_mark(const char *data, size_t size, size_t *mark) {
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
    *mark = marks[i].size;
    if (size >= *mark && memcmp(data, marks[i].mark, *mark) == 0) return marks[i].name;
  }
  *mark = 0;
  return NULL;
}

// ---- without a mark

// Whether a character is hardly ever in a text.
static bool is_odd(uint32_t code) {
  if (code < ' ') return !code || !strchr("\t\n\r\f", (int)code);
  const utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)code);
  return c == UTF8PROC_CATEGORY_CN || c == UTF8PROC_CATEGORY_CO || c == UTF8PROC_CATEGORY_CS;
}

static bool is_usual(uint32_t code) {
  return code == '\n' || code == ' ' || code == 0x3001 || code == 0x3002 || code == 0xFF0C ||
         (code < 128 && rmx__ascii_class[code] != RMX__OTHER);
}

static bool is_utf32(const uint8_t *p, size_t size, bool big) {
  const size_t n = size / 4;
  size_t odd = 0;
  for (size_t i = 0; i < n; i++, p += 4) {
    const uint32_t code = big ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | p[2] << 8 | p[3]
                              : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | p[1] << 8 | p[0];
    if (code > 0x10FFFF) return false;
    odd += is_odd(code);
  }
  return n >= 4 && odd <= n / 50;
}

// How much the text looks like UTF-16, from 0: neighbours are of the same script, and spaces and
// line feeds are where they would be.
static double utf16_score(const uint8_t *p, size_t size, bool big) {
  const size_t n = size / 2;
  size_t odd = 0, same = 0, usual = 0;
  unsigned before = 0;
  for (size_t i = 0; i < n; i++) {
    const unsigned high = p[2 * i + !big], unit = high << 8 | p[2 * i + big];
    same += i && high == before;
    before = high;
    usual += is_usual(unit);
    if (unit >= 0xD800 && unit < 0xDC00 && i + 1 < n) {
      if ((p[2 * i + 2 + !big] & 0xFC) != 0xDC) return 0;
      i++;
    } else {
      odd += is_odd(unit);
    }
  }
  return n >= 16 && odd <= n / 100 ? (double)(same + 2 * usual) / (double)n : 0;
}

// Text of one byte a character has hardly any control characters; UTF-16 has, as half characters.
static const char *by_characters(const char *data, size_t size) {
  const uint8_t *p = (const uint8_t *)data;
  size_t controls = 0;
  for (size_t i = 0; i < size; i++) controls += p[i] < 9 || (p[i] > 13 && p[i] < 27);
  if (controls <= size / 200) return NULL;
  if (is_utf32(p, size, false)) return "UTF-32LE";
  if (is_utf32(p, size, true)) return "UTF-32BE";
  const double little = utf16_score(p, size, false), big = utf16_score(p, size, true);
  const bool foreign = rmx__utf8_valid_prefix(data, size) + 4 < size;
  const double least = foreign ? 0.1 : 0.5;
  if (little >= least && little > 1.5 * big) return "UTF-16LE";
  return big >= least && big > 1.5 * little ? "UTF-16BE" : NULL;
}

const char *rmx__charset_of_bytes(const char *data, size_t size, size_t *mark) {
  const char *marked = rmx__charset_of_mark(data, size, mark);
  if (marked) return marked;
  size_t zeros[4] = {0}, n = size / 4;
  for (size_t i = 0; i < 4 * n; i++) zeros[i % 4] += data[i] == '\0';
    // Of ASCII text all bytes are zero but the first, or the last, of each character. One of four
    // bytes of a character is always zero.
#define MOST(k) (zeros[k] > n - n / 4)
#define FEW(k) (zeros[k] <= n / 10)
  if (n == 0) return NULL;
  if (zeros[3] == n && MOST(2) && MOST(1) && FEW(0)) return "UTF-32LE";
  if (zeros[0] == n && MOST(1) && MOST(2) && FEW(3)) return "UTF-32BE";
  if (MOST(1) && MOST(3) && FEW(0) && FEW(2)) return "UTF-16LE";
  if (MOST(0) && MOST(2) && FEW(1) && FEW(3)) return "UTF-16BE";
  return by_characters(data, size);
#undef MOST
#undef FEW
}

#ifdef REGMIX_UCHARDET
// Whether the bytes beyond ASCII are mostly no UTF-8, and enough for a guess.
static bool is_foreign(const char *data, size_t size) {
  enum { FEWEST = 8 };
  size_t wrong = 0, right = 0;
  for (size_t i = 0; i < size;) {
    const size_t good = rmx__utf8_valid_prefix(data + i, size - i);
    for (size_t k = i; k < i + good; k++) right += (data[k] & 0xC0) == 0xC0;
    i += good;
    if (i < size && size - i >= 4) wrong++;  // not what is cut off at the end
    i++;
  }
  return wrong >= FEWEST && right <= wrong / 10;
}
#endif

bool rmx__charset_guess(const char *data, size_t size, char name[64]) {
  name[0] = '\0';
#ifdef REGMIX_UCHARDET
  if (!is_foreign(data, size)) return false;
  uchardet_t u = uchardet_new();
  if (u && uchardet_handle_data(u, data, size) == 0) {
    uchardet_data_end(u);
    snprintf(name, 64, "%s", uchardet_get_charset(u));
  }
  if (u) uchardet_delete(u);
#else
  (void)data, (void)size;
#endif
  return *name && strcmp(name, "ASCII") != 0 && strncmp(name, "UTF", 3) != 0;
}
