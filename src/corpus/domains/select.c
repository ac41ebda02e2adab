// SPDX-License-Identifier: Apache-2.0
#include "select.h"

#include <fnmatch.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "value_name.h"

// A value as it is given, and whether a document had it.
struct given {
  const char *domain, *value;
  atomic_bool had;
};

// A form of a value that names are compared with.
struct form {
  char *text;
  size_t given;
  bool pattern;
  bool open;  // it is compared with names whose colons are not escaped
};

struct rmx__selection {
  struct given *given;  // (n_given)
  size_t n_given;
  struct form *forms;  // (n) those that are no patterns and not open, sorted; then the others
  size_t n, n_exact;
  bool opens;  // some are open
};

static rmx_status add_form(rmx__selection *s, const struct form *f, rmx_err *err) {
  struct form *more = rmx_realloc(s->forms, s->n + 1, sizeof *more);
  if (more) s->forms = more;
  char *text = more ? rmx_strdup(f->text) : NULL;
  if (!text) return rmx_fail_memory(err, 0, "the values of a domain");
  more[s->n] = *f;
  more[s->n++].text = text;
  s->opens = s->opens || f->open;
  return RMX_OK;
}

// Whether a value, of which `name` was made, is a name itself: only its escapes were escaped.
static bool is_name(const char *value, const char *name) {
  bool escaped = false;
  for (; *value; value++) {
    const bool percent = *value == '%' && strncmp(name, "%25", 3) == 0;
    if (!percent && *value != *name) return false;
    name += percent ? 3 : 1;
    escaped = escaped || percent;
  }
  return escaped && *name == '\0';
}

static size_t colons(const char *text) {
  size_t n = 0;
  for (; *text; text++) n += *text == ':';
  return n;
}

static rmx_status add_value(rmx__selection *s, size_t parts, rmx_err *err) {
  const struct given *g = &s->given[s->n_given];
  RMX_OWNED_BY(rmx_buf_release) rmx_buf name = {0};
  if (!rmx__value_name(g->value, strlen(g->value), true, false, &name))
    return rmx_fail(err, RMX_EINPUT, "corpus.domains.%s: an empty value", g->domain);
  if (name.failed) return rmx_fail_memory(err, 0, "the values of a domain");
  struct form f = {
      .text = name.data, .given = s->n_given++, .pattern = strpbrk(g->value, "*?[") != NULL};
  RMX_TRY(add_form(s, &f, err));
  f.text = (char *)g->value;
  if (is_name(g->value, name.data)) RMX_TRY(add_form(s, &f, err));
  f.text = name.data;
  f.open = parts > 1 && colons(g->value) >= parts;
  return f.open ? add_form(s, &f, err) : RMX_OK;
}

static bool is_exact(const struct form *f) {
  return !f->pattern && !f->open;
}

static int by_text(const void *a, const void *b) {
  const struct form *x = a, *y = b;
  if (is_exact(x) != is_exact(y)) return is_exact(x) ? -1 : 1;
  const int order = is_exact(x) ? strcmp(x->text, y->text) : 0;
  return order ? order : (x->given > y->given) - (x->given < y->given);
}

static rmx_status sort(rmx__selection *s, rmx_err *err) {
  if (s->n) qsort(s->forms, s->n, sizeof *s->forms, by_text);
  while (s->n_exact < s->n && is_exact(&s->forms[s->n_exact])) s->n_exact++;
  for (size_t i = 1; i < s->n_exact; i++) {
    const char *a = s->given[s->forms[i - 1].given].domain, *b = s->given[s->forms[i].given].domain;
    if (strcmp(s->forms[i - 1].text, s->forms[i].text) == 0 && strcmp(a, b) != 0)
      return rmx_fail(err, RMX_EINPUT, "corpus.domains: %s and %s both have the value \"%s\"", a, b,
                      s->forms[i].text);
  }
  return RMX_OK;
}

static rmx_status fill(rmx__selection *s, const rmx_domain_source *sources, size_t n, size_t parts,
                       rmx_err *err) {
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < sources[i].values.n; j++) {
      s->given[s->n_given].domain = sources[i].name;
      s->given[s->n_given].value = sources[i].values.items[j];
      RMX_TRY(add_value(s, parts, err));
    }
  return sort(s, err);
}

rmx_status rmx__selection_open(const rmx_domain_source *sources, size_t n, size_t parts,
                               rmx__selection **out, rmx_err *err) {
  size_t values = 0;
  *out = NULL;
  for (size_t i = 0; i < n; i++) values += sources[i].values.n;
  if (values == 0) return RMX_OK;
  rmx__selection *s = rmx_calloc(1, sizeof *s);
  if (s) s->given = rmx_calloc(values, sizeof *s->given);
  const rmx_status status = s && s->given ? fill(s, sources, n, parts, err)
                                          : rmx_fail_memory(err, 0, "the values of domains");
  if (status == RMX_OK)
    *out = s;
  else
    rmx__selection_free(s);
  return status;
}

void rmx__selection_free(rmx__selection *s) {
  if (!s) return;
  for (size_t i = 0; i < s->n; i++) free(s->forms[i].text);
  free(s->forms);
  free(s->given);
  free(s);
}

static int by_name(const void *name, const void *form) {
  return strcmp(name, ((const struct form *)form)->text);
}

static const struct form *find(const rmx__selection *s, const char *name, const char *open) {
  const struct form *exact =
      s->n_exact ? bsearch(name, s->forms, s->n_exact, sizeof *s->forms, by_name) : NULL;
  if (exact) return exact;
  for (size_t i = s->n_exact; i < s->n; i++) {
    const struct form *f = &s->forms[i];
    const char *wanted = f->open ? open : name;
    if (strcmp(f->text, wanted) == 0 || (f->pattern && fnmatch(f->text, wanted, 0) == 0)) return f;
  }
  return NULL;
}

// Replaces "%3A", which a colon in a value became, by the colon.
static const char *opened(const char *name, rmx_buf *scratch) {
  scratch->size = 0;
  rmx_buf_add(scratch, "", 0);
  for (const char *at; (at = strstr(name, "%3A")); name = at + 3) {
    rmx_buf_add(scratch, name, (size_t)(at - name));
    rmx_buf_puts(scratch, ":");
  }
  rmx_buf_puts(scratch, name);
  return scratch->failed ? "" : scratch->data;
}

const char *rmx__selection_find(const rmx__selection *s, const char *name, rmx_buf *scratch) {
  const struct form *f = find(s, name, s->opens ? opened(name, scratch) : name);
  if (!f) return NULL;
  atomic_store_explicit(&s->given[f->given].had, true, memory_order_relaxed);
  return s->given[f->given].domain;
}

uint64_t rmx__selection_hash(const rmx__selection *s, uint64_t h) {
  for (size_t i = 0; i < s->n_given; i++)
    h = rmx_hash_string(s->given[i].domain, rmx_hash_string(s->given[i].value, h));
  return h;
}

rmx_status rmx__selection_unused(const rmx__selection *s, rmx_strings *out, rmx_err *err) {
  for (size_t i = 0, j; i < s->n_given; i = j) {
    bool any = false;
    for (j = i; j < s->n_given && s->given[j].domain == s->given[i].domain; j++)
      any = any || s->given[j].had;
    for (size_t k = i; any && k < j; k++) {
      if (s->given[k].had) continue;
      RMX_OWNED char *text = rmx_format("%s: \"%s\"", s->given[k].domain, s->given[k].value);
      if (!text || !rmx_strings_add(out, text))
        return rmx_fail_memory(err, 0, "the values of domains");
    }
  }
  return RMX_OK;
}
