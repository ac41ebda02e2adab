// SPDX-License-Identifier: Apache-2.0
#include "fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { MOST_FIELDS = 64, MOST_VALUES = 256, LONGEST_VALUE = 64, SUGGESTED = 3 };

struct rmx__field_seen {
  char *path;
  size_t documents, n;
  uint64_t values[MOST_VALUES];  // (n) hashes of the different values
};

static struct rmx__field_seen *field_of(rmx__fields_seen *f, const char *path) {
  for (size_t i = 0; i < f->n; i++)
    if (strcmp(f->items[i].path, path) == 0) return &f->items[i];
  if (f->n == MOST_FIELDS) return NULL;
  struct rmx__field_seen *more = rmx_realloc(f->items, f->n + 1, sizeof *more);
  if (!more) return NULL;
  f->items = more;
  memset(&more[f->n], 0, sizeof *more);
  more[f->n].path = rmx_strdup(path);
  return more[f->n].path ? &more[f->n++] : NULL;
}

static void see(rmx__fields_seen *f, const char *path, const char *value) {
  struct rmx__field_seen *field = strlen(value) <= LONGEST_VALUE ? field_of(f, path) : NULL;
  if (!field || !*value) return;
  const uint64_t hash = rmx_hash_string(value, 0);
  field->documents++;
  for (size_t i = 0; i < field->n; i++)
    if (field->values[i] == hash) return;
  if (field->n < MOST_VALUES) field->values[field->n++] = hash;
}

// text: the field of the text, which is no domain.
static void look_in(rmx__fields_seen *f, const json_t *object, const char *text, const char *above,
                    int depth) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)object, key, value) {
    char *path = *above ? rmx_format("%s.%s", above, key) : rmx_strdup(key);
    if (path && json_is_string(value) && strcmp(path, text) != 0)
      see(f, path, json_string_value(value));
    if (path && json_is_object(value) && depth < 2) look_in(f, value, text, path, depth + 1);
    free(path);
  }
}

void rmx__fields_look(rmx__fields_seen *f, const rmx__reader *r) {
  json_t *object = r->raw ? json_loadb(r->raw, r->raw_size, 0, NULL) : NULL;
  f->documents++;
  look_in(f, object, r->o.text_field ? r->o.text_field : "", "", 1);
  json_decref(object);
}

// Looks at one column in the first documents. *documents: how many these are.
static void look_at_column(rmx__fields_seen *f, const char *path, rmx__reader_options o,
                           char *column, size_t *documents) {
  enum { DOCUMENTS = 32 };
  const rmx_strings fields = {&column, 1, 1};
  rmx__reader r;
  rmx_err ignored;
  bool more = true;
  o.fields = &fields;
  *documents = 0;
  if (rmx__reader_open(&r, path, &o, &ignored) != RMX_OK) return;
  while (*documents < DOCUMENTS && rmx__reader_next(&r, &more, &ignored) == RMX_OK && more) {
    ++*documents;
    if (r.has[0]) see(f, column, r.values[0].data);
  }
  rmx__reader_close(&r);
}

void rmx__fields_look_at_columns(rmx__fields_seen *f, const char *path,
                                 const rmx__reader_options *o) {
  rmx__reader r;
  rmx_err ignored;
  bool more;
  size_t documents = 0, most = 0;
  rmx__reader_options plain = *o;
  plain.fields = NULL;
  if (rmx__reader_open(&r, path, &plain, &ignored) != RMX_OK) return;
  const rmx_strings *columns = r.format->columns && rmx__reader_next(&r, &more, &ignored) == RMX_OK
                                   ? r.format->columns(&r)
                                   : NULL;
  for (size_t i = 0; columns && i < columns->n && i < MOST_FIELDS; i++) {
    if (strcmp(columns->items[i], o->text_field) == 0) continue;
    look_at_column(f, path, plain, columns->items[i], &documents);
    if (documents > most) most = documents;
  }
  f->documents += most;
  rmx__reader_close(&r);
}

// Better is: fewer values.
static int by_values(const void *a, const void *b) {
  const struct rmx__field_seen *x = a, *y = b;
  return x->n != y->n ? (x->n > y->n) - (x->n < y->n) : strcmp(x->path, y->path);
}

bool rmx__fields_suggest(rmx__fields_seen *f, rmx_buf *out) {
  size_t given = 0;
  if (f->n) qsort(f->items, f->n, sizeof *f->items, by_values);
  for (size_t i = 0; i < f->n && given < SUGGESTED; i++) {
    const struct rmx__field_seen *s = &f->items[i];
    if (s->n < 2 || s->n == MOST_VALUES || 2 * s->n > s->documents ||
        10 * s->documents < 9 * f->documents)
      continue;
    rmx_buf_printf(out, "%s%s (%zu values)", given++ ? ", " : "", s->path, s->n);
  }
  return given > 0;
}

void rmx__fields_release(rmx__fields_seen *f) {
  for (size_t i = 0; i < f->n; i++) free(f->items[i].path);
  free(f->items);
  *f = (rmx__fields_seen){0};
}
