// SPDX-License-Identifier: Apache-2.0
#include "value_name.h"

#include <ctype.h>
#include <string.h>

#include "corpus/utf8.h"

static bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_escape(const char *at, const char *end) {
  return end - at >= 3 && isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2]);
}

bool rmx__value_name(const char *value, size_t size, bool start, bool part, rmx_buf *out) {
  const char *end = value + size, *first = value, *last = end;
  while (first < end && is_space(*first)) first++;
  if (first == end) return false;
  while (is_space(last[-1])) last--;
  for (const char *p = value; p < end; p++) {
    int32_t code = 0;
    rmx__class class;
    const size_t bytes = rmx__utf8_next(p, end, &code, &class);
    if (bytes > 1) {
      rmx_buf_add(out, p, bytes);
      p += bytes - 1;
      continue;
    }
    const bool plain = code >= ' ' && *p != 0x7F && !strchr("/,\"=", *p) &&
                       !(*p == ' ' && (p < first || p >= last)) && !(*p == ':' && part) &&
                       !(start && p == value && (*p == '.' || *p == '-')) &&
                       !(*p == '%' && is_escape(p, end));
    if (plain)
      rmx_buf_add(out, p, 1);
    else
      rmx_buf_printf(out, "%%%02X", (unsigned char)*p);
  }
  return true;
}

rmx_status rmx__domain_name_check(const char *name, const char *where, rmx_err *err) {
  if (!name || !*name) return rmx_fail(err, RMX_EINPUT, "%s: a domain without a name", where);
  // The folder of the domains also holds these files of the corpus.
  bool good = name[0] != '.' && !strchr(name, '/') && strlen(name) < 200 &&
              strcmp(name, "corpus.json") != 0 && strcmp(name, "tokenizer.json") != 0 &&
              strcmp(name, "files.json") != 0;
  for (const char *c = name; *c; c++) good = good && (uint8_t)*c >= ' ' && *c != 0x7F;
  if (!good)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: domain \"%.200s\": a name must have no '/', no control characters, no '.' "
                    "at the start and fewer than 200 bytes, and must not be the name of a file of "
                    "the corpus",
                    where, name);
  return RMX_OK;
}
