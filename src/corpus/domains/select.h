// SPDX-License-Identifier: Apache-2.0
// select.h: the domains of corpus.domains that name values, or patterns of values, of documents.
#ifndef RMX_CORPUS_DOMAINS_SELECT_H
#define RMX_CORPUS_DOMAINS_SELECT_H

#include <regmix/corpus.h>

typedef struct rmx__selection rmx__selection;

// The values of the sources (n), for names with `parts` parts. A value may be written as the
// documents have it, or as the name of a domain is printed, with escapes. A colon in a value of
// several parts may stand for itself. *out NULL: no source has values. RMX_EINPUT: a value is
// empty, or two domains have the same. The sources must outlive the result.
rmx_status rmx__selection_open(const rmx_domain_source *sources, size_t n, size_t parts,
                               rmx__selection **out, rmx_err *err);
void rmx__selection_free(rmx__selection *s);
// The domain of the documents with this name, or NULL. `scratch` is memory. Several threads can use
// one selection.
const char *rmx__selection_find(const rmx__selection *s, const char *name, rmx_buf *scratch);
uint64_t rmx__selection_hash(const rmx__selection *s, uint64_t h);
// Adds "DOMAIN: VALUE" for each value that no name had so far. Domains without any name are left
// out.
rmx_status rmx__selection_unused(const rmx__selection *s, rmx_strings *out, rmx_err *err);

#endif
