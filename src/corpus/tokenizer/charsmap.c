// SPDX-License-Identifier: Apache-2.0
#include "charsmap.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { SHORT_GRAPHEME = 5 };

// ---- darts' units ----------------------------------------------------------------------

static bool has_leaf(uint32_t unit) {
  return unit >> 8 & 1;
}
// The byte that leads here; of a leaf it is no byte.
static uint32_t label(uint32_t unit) {
  return unit & (1u << 31 | 0xFF);
}
static uint32_t offset(uint32_t unit) {
  return unit >> 10 << ((unit & 1u << 9) >> 6);
}

// The form of the shortest key that the text begins with, or NULL.
static const char *find(const rmx__charsmap *m, const char *text, size_t size) {
  size_t at = offset(m->units[0]);
  for (size_t i = 0; i < size && text[i]; i++) {
    at ^= (uint8_t)text[i];
    if (at >= m->n || label(m->units[at]) != (uint8_t)text[i]) return NULL;
    const uint32_t unit = m->units[at];
    at ^= offset(unit);
    if (!has_leaf(unit)) continue;
    const size_t form = at < m->n ? m->units[at] & 0x7FFFFFFF : SIZE_MAX;
    return form < m->size ? m->forms + form : NULL;
  }
  return NULL;
}

// ---- reading -------------------------------------------------------------------------

rmx_status rmx__charsmap_read(rmx__charsmap *m, const char *data, size_t size, const char *where,
                              rmx_err *err) {
  *m = (rmx__charsmap){0};
  const uint8_t *bytes = (const uint8_t *)data;
  const size_t array = size < 4 ? SIZE_MAX
                                : (size_t)bytes[0] | (size_t)bytes[1] << 8 |
                                      (size_t)bytes[2] << 16 | (size_t)bytes[3] << 24;
  if (array == SIZE_MAX || array > size - 4 || array % 4 != 0 || array == 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: precompiled_charsmap: its %zu bytes are not a double array and its normal "
                    "forms; the file is damaged",
                    where, size);
  m->n = array / 4;
  m->size = size - 4 - array;
  m->units = rmx_calloc(m->n, sizeof *m->units);
  m->forms = rmx_calloc(m->size + 1, 1);
  if (!m->units || !m->forms) {
    rmx__charsmap_release(m);
    return rmx_fail_memory(err, size, "a precompiled_charsmap");
  }
  for (size_t i = 0; i < m->n; i++) {
    const uint8_t *unit = bytes + 4 + 4 * i;
    m->units[i] = (uint32_t)unit[0] | (uint32_t)unit[1] << 8 | (uint32_t)unit[2] << 16 |
                  (uint32_t)unit[3] << 24;
  }
  memcpy(m->forms, data + 4 + array, m->size);
  for (uint32_t byte = 0; byte < 128; byte++) {
    const size_t at = offset(m->units[0]) ^ byte;
    const char text = (char)byte;
    m->plain[byte] = byte == 0 || at >= m->n || label(m->units[at]) != byte;
    m->ascii[byte] = find(m, &text, 1);
  }
  return RMX_OK;
}

void rmx__charsmap_release(rmx__charsmap *m) {
  free(m->units);
  free(m->forms);
  *m = (rmx__charsmap){0};
}

// ---- applying ------------------------------------------------------------------------

// Reads a character: its length, and its code, -1 where it is not UTF-8.
static size_t read_char(const char *p, const char *end, utf8proc_int32_t *code) {
  const utf8proc_ssize_t n =
      utf8proc_iterate((const utf8proc_uint8_t *)p, end - p < 4 ? end - p : 4, code);
  if (n > 0 && *code >= 0) return (size_t)n;
  *code = -1;
  return 1;
}

static size_t grapheme_size(const char *text, const char *end) {
  utf8proc_int32_t before, code, state = 0;
  size_t n = read_char(text, end, &before);
  while (before >= 0 && text + n < end) {
    const size_t more = read_char(text + n, end, &code);
    if (code < 0 || utf8proc_grapheme_break_stateful(before, code, &state)) break;
    n += more;
    before = code;
  }
  return n;
}

static void apply_grapheme(const rmx__charsmap *m, const char *text, size_t size, rmx_buf *out) {
  const char *form = size <= SHORT_GRAPHEME ? find(m, text, size) : NULL;
  if (form) {
    rmx_buf_puts(out, form);
    return;
  }
  for (size_t at = 0; at < size;) {
    utf8proc_int32_t code;
    const size_t n = read_char(text + at, text + size, &code);
    form = code >= 0 ? find(m, text + at, n) : NULL;
    if (form)
      rmx_buf_puts(out, form);
    else
      rmx_buf_add(out, text + at, n);
    at += n;
  }
}

// Length of what stays as it is: ASCII that begins no key, without the last character before other
// text, which may be of its grapheme. A line feed may follow a return in one grapheme.
static size_t plain_prefix(const rmx__charsmap *m, const char *text, const char *end) {
  const char *p = text;
  while (p < end && (uint8_t)*p < 128 && m->plain[(uint8_t)*p] && *p != '\r') p++;
  return (size_t)(p - text) - (p > text && p < end && (uint8_t)*p >= 128);
}

// Whether an ASCII character is a grapheme by itself, as most are.
static bool stands_alone(const char *text, const char *end) {
  return (uint8_t)text[0] < 128 && text[0] != '\r' && (text + 1 == end || (uint8_t)text[1] < 128);
}

bool rmx__charsmap_leaves(const rmx__charsmap *m, const char *text, size_t size) {
  return plain_prefix(m, text, text + size) == size;
}

void rmx__charsmap_apply(const rmx__charsmap *m, const char *text, size_t size, rmx_buf *out) {
  const char *end = text + size;
  while (text < end) {
    const size_t plain = plain_prefix(m, text, end);
    if (plain) rmx_buf_add(out, text, plain);
    text += plain;
    if (text == end) break;
    if (stands_alone(text, end)) {
      const char *form = m->ascii[(uint8_t)*text];
      rmx_buf_add(out, form ? form : text, form ? strlen(form) : 1);
      text++;
      continue;
    }
    const size_t n = grapheme_size(text, end);
    apply_grapheme(m, text, n, out);
    text += n;
  }
}
