// SPDX-License-Identifier: Apache-2.0
// host.h: the web host of an address, and its registered domain.
#ifndef RMX_CORPUS_DOMAINS_HOST_H
#define RMX_CORPUS_DOMAINS_HOST_H

#include <regmix/base.h>

// The host of a web address, in lower case, without user, port and the dot at its end:
// "https://User@EN.wikipedia.org:443/wiki/A" -> "en.wikipedia.org". The scheme may be missing
// ("example.com/a"). False: the text has no host with a dot, and no address of a computer. `out`
// gets the host.
bool rmx__host_of(const char *url, size_t size, rmx_buf *out);

// The registered domain of a host, which is one label more than a public suffix: "en.wikipedia.org"
// -> "wikipedia.org", "www.bbc.co.uk" -> "bbc.co.uk". It is a part of `host`. A host that is a
// public suffix or the address of a computer is returned whole. With libpsl, the suffixes are those
// of the ICANN section of the public suffix list, so all of blogspot.com is one domain. Without it,
// a suffix is the last label, or the last two if they are like "co.uk".
const char *rmx__registered_domain(const char *host);

// Whether `host` is `site` or below it: "en.wikipedia.org" is below "wikipedia.org".
bool rmx__host_below(const char *host, const char *site);

#endif
