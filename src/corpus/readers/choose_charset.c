// SPDX-License-Identifier: Apache-2.0
// In which character set a file is read. A byte order mark is right. Then a file that is UTF-8 to
// its end is UTF-8, even if corpus.encoding names another set: most corpora have some such files.
// Then corpus.encoding is right, and without it what the first bytes look like.
#include <string.h>
#include <strings.h>

#include "corpus/utf8.h"
#include "file_type.h"
#include "format.h"

enum { LOOKED_AT = 4096, GUESSED_FROM = 1 << 16 };

static bool is_utf8_name(const char *name) {
  return strcasecmp(name, "utf-8") == 0 || strcasecmp(name, "utf8") == 0;
}

// Whether all of a file is UTF-8, and has characters beyond ASCII: enough of them that it cannot be
// chance. One is enough if the named set would make two characters of it. Reads the file up to the
// first byte that is not UTF-8.
static rmx_status is_all_utf8(const char *path, const char *named, bool *is, rmx_err *err) {
  const uint64_t enough = rmx__charset_has_one_byte(named) ? 1 : 8;
  rmx__utf8_check check = {0};
  rmx__input s;
  RMX_TRY(rmx__input_open(&s, path, false, err));
  rmx_status status;
  bool good = true;
  while ((status = rmx__input_fill(&s, err)) == RMX_OK && !s.ended && good) {
    good = rmx__utf8_check_on(&check, s.block + s.at, s.end - s.at);
    s.at = s.end;
  }
  rmx__input_close(&s);
  *is = good && !check.open && check.characters >= enough;
  return status;
}

// The set of a file for which corpus.encoding names one. *name is changed to NULL: UTF-8.
static rmx_status with_name(rmx__reader *r, const char *first, size_t n, const char **name,
                            size_t *mark, rmx_err *err) {
  const char *marked = rmx__charset_of_mark(first, n, mark);
  if (marked) {
    r->not_as_named = strncasecmp(*name, "utf", 3) != 0 && strncasecmp(*name, "ucs", 3) != 0;
    *name = marked;
    return RMX_OK;
  }
  r->not_as_named = r->input.at == 3;  // after the mark of UTF-8
  if (!r->not_as_named) RMX_TRY(is_all_utf8(r->path, *name, &r->not_as_named, err));
  if (r->not_as_named) *name = NULL;
  return RMX_OK;
}

rmx_status rmx__choose_charset(rmx__reader *r, rmx_err *err) {
  rmx__input *s = &r->input;
  RMX_TRY(rmx__input_peek(s, GUESSED_FROM, err));
  const char *first = s->block + s->at, *name = r->o.encoding;
  const size_t n = s->end - s->at;
  size_t mark = 0;
  if (name && is_utf8_name(name)) return RMX_OK;
  if (name) {
    RMX_TRY(with_name(r, first, n, &name, &mark, err));
  } else {
    name = rmx__charset_of_bytes(first, n < LOOKED_AT ? n : LOOKED_AT, &mark);
    if (!name && r->format->flags & RMX__FORMAT_GUESS && !rmx__type_of_bytes(first, n) &&
        rmx__charset_guess(first, n, r->guessed))
      name = r->guessed;
  }
  return name ? rmx__input_convert(s, name, mark, err) : RMX_OK;
}

bool rmx__charset_is_sure(const char *named, const char *first, size_t n) {
  char name[64];
  size_t mark;
  if (named) return is_utf8_name(named);
  return !rmx__charset_of_bytes(first, n < LOOKED_AT ? n : LOOKED_AT, &mark) &&
         !rmx__charset_guess(first, n, name);
}

// ---- text that is not UTF-8 --------------------------------------------------------------------

// Appends what is around the bytes that are not UTF-8.
static void add_around(const char *p, size_t n, rmx_buf *out) {
  enum { BEFORE = 64, AFTER = 192 };
  size_t end = 0;
  for (size_t at = 0; at < n && out->size < GUESSED_FROM;) {
    at += rmx__utf8_valid_prefix(p + at, n - at);
    if (at == n) return;
    const size_t from = at > end + BEFORE ? at - BEFORE : end;
    end = n - at > AFTER ? at + AFTER : n;
    rmx_buf_add(out, p + from, end - from);
    at = end;
  }
}

bool rmx__charset_guess_file(const char *path, char name[64]) {
  rmx__input s;
  rmx_err ignored;
  rmx_buf sample = {0};
  name[0] = '\0';
  if (rmx__input_open(&s, path, false, &ignored) != RMX_OK) return false;
  while (sample.size < GUESSED_FROM && rmx__input_fill(&s, &ignored) == RMX_OK && !s.ended) {
    add_around(s.block + s.at, s.end - s.at, &sample);
    s.at = s.end;
  }
  const bool good = !sample.failed && rmx__charset_guess(sample.data, sample.size, name);
  rmx_buf_release(&sample);
  rmx__input_close(&s);
  return good;
}

// Each replaced byte has become the three bytes of U+FFFD.
static uint64_t bytes_before(uint64_t replaced, uint64_t bytes) {
  return bytes > 3 * replaced ? bytes - 2 * replaced : replaced;
}

double rmx__share_replaced(uint64_t replaced, uint64_t bytes) {
  return replaced ? (double)replaced / (double)bytes_before(replaced, bytes) : 0;
}

rmx_status rmx__fail_charset(const char *domain, const char *path, const char *named,
                             uint64_t replaced, uint64_t bytes, size_t more_files, rmx_err *err) {
  char more[64] = "", name[64], convert[256] = "";
  const bool other = named && !is_utf8_name(named);
  if (more_files) snprintf(more, sizeof more, " (and in %zu more of its files)", more_files);
  if (!other && rmx__charset_guess_file(path, name))
    snprintf(
        convert, sizeof convert,
        "; it looks like %.40s: set corpus.encoding: %.40s, or convert it with `iconv -f %.40s "
        "-t UTF-8 FILE > NEW`",
        name, name, name);
  return rmx_fail(err, RMX_EINPUT,
                  "domain \"%s\": %s: %llu of %llu bytes are not %s%s, so the text is in another "
                  "character set%s; name the right one with corpus.encoding (`iconv -l` lists "
                  "them), leave the file out, or set corpus.skip_bad to read it with these bytes "
                  "replaced",
                  domain, path, (unsigned long long)replaced,
                  (unsigned long long)bytes_before(replaced, bytes), other ? named : "UTF-8", more,
                  convert);
}
