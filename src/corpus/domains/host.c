// SPDX-License-Identifier: Apache-2.0
#include "host.h"

#include <ctype.h>
#include <string.h>

#ifdef REGMIX_LIBPSL
#include <libpsl.h>
#endif

// The end of the scheme and the two slashes; the start of the text if there is no scheme.
static const char *after_scheme(const char *at, const char *end) {
  const char *p = at;
  while (p < end && (isalnum((unsigned char)*p) || (*p && strchr("+-.", *p)))) p++;
  if (p > at && end - p >= 3 && memcmp(p, "://", 3) == 0) return p + 3;
  return end - at >= 2 && memcmp(at, "//", 2) == 0 ? at + 2 : at;
}

static bool is_host_byte(char c) {
  return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.' || (unsigned char)c >= 0x80;
}

static bool is_ip6(const char *at, const char *end) {
  bool colon = false;
  for (; at < end; at++) {
    colon = colon || *at == ':';
    if (!isxdigit((unsigned char)*at) && *at != ':' && *at != '.') return false;
  }
  return colon;
}

static bool is_port(const char *at, const char *end) {
  while (at < end && isdigit((unsigned char)*at)) at++;
  return at == end;
}

bool rmx__host_of(const char *url, size_t size, rmx_buf *out) {
  const char *at = url, *end = url + size;
  while (at < end && isspace((unsigned char)*at)) at++;
  at = after_scheme(at, end);
  const char *stop = at, *user = NULL;
  for (; stop < end && *stop && !strchr("/?#\\ \t\r\n", *stop); stop++)
    if (*stop == '@') user = stop;
  if (user) at = user + 1;
  out->size = 0;
  if (at < stop && *at == '[') {  // an address of IPv6
    const char *close = memchr(at, ']', (size_t)(stop - at));
    if (!close || !is_ip6(at + 1, close)) return false;
    rmx_buf_add(out, at, (size_t)(close + 1 - at));
    return !out->failed;
  }
  const char *colon = memchr(at, ':', (size_t)(stop - at));
  if (colon && !is_port(colon + 1, stop)) return false;  // such as "mailto:a@b.c"
  if (colon) stop = colon;
  while (stop > at && stop[-1] == '.') stop--;
  bool dot = false;
  for (const char *p = at; p < stop; p++) {
    if (!is_host_byte(*p) || (*p == '.' && (p == at || p[-1] == '.'))) return false;
    dot = dot || *p == '.';
  }
  if (!dot) return false;
  rmx_buf_add(out, at, (size_t)(stop - at));
  for (size_t i = 0; !out->failed && i < out->size; i++)
    if (out->data[i] >= 'A' && out->data[i] <= 'Z') out->data[i] += 'a' - 'A';
  return !out->failed;
}

// Four numbers, or an address of IPv6. A top-level domain is never a number.
static bool is_address(const char *host) {
  const char *last = strrchr(host, '.');
  if (host[0] == '[') return true;
  if (!last || !last[1]) return false;
  for (const char *p = last + 1; *p; p++)
    if (!isdigit((unsigned char)*p)) return false;
  return true;
}

// A suffix under which anybody can register a name.
static bool is_suffix(const char *name) {
#ifdef REGMIX_LIBPSL
  const psl_ctx_t *list = psl_builtin();
  if (list) return psl_is_public_suffix2(list, name, PSL_TYPE_ICANN);
#endif
  static const char *const second[] = {"ac",  "co",  "com", "edu", "go",  "gob", "gouv",
                                       "gov", "gv",  "ltd", "me",  "mil", "ne",  "net",
                                       "nhs", "nic", "nom", "or",  "org", "plc", "sch"};
  const char *dot = strchr(name, '.');
  if (!dot) return true;
  const size_t n = (size_t)(dot - name);
  if (strlen(dot + 1) != 2) return false;  // not a country
  for (size_t i = 0; i < sizeof second / sizeof *second; i++)
    if (strlen(second[i]) == n && memcmp(second[i], name, n) == 0) return true;
  return false;
}

const char *rmx__registered_domain(const char *host) {
  if (is_address(host)) return host;
  const char *wider = host;
  for (const char *at = host, *dot; !is_suffix(at); at = dot + 1) {
    wider = at;
    if (!(dot = strchr(at, '.'))) break;
  }
  return wider;
}

bool rmx__host_below(const char *host, const char *site) {
  const size_t n = strlen(host), m = strlen(site);
  return n >= m && strcmp(host + n - m, site) == 0 && (n == m || host[n - m - 1] == '.');
}
