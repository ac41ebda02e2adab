// SPDX-License-Identifier: Apache-2.0
// iconv converts, and libuchardet guesses. Unicode with two or four bytes a character is recognised
// here, by its byte order mark or by its zeros.
#include "charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
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

const char *rmx__charset_of_bytes(const char *data, size_t size, size_t *mark) {
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
    *mark = marks[i].size;
    if (size >= *mark && memcmp(data, marks[i].mark, *mark) == 0) return marks[i].name;
  }
  *mark = 0;
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
  return NULL;
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
