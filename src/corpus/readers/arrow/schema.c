// SPDX-License-Identifier: Apache-2.0
// The schema of an Arrow file.
// Format: apache/arrow, format/Schema.fbs.
#include "schema.h"

#include <stdlib.h>

enum { MOST_FIELDS = 100000 };

static rmx_status broken(const struct rmx__arrow_schema *s, const char *what, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT, "%s: broken Arrow file: %s", s->path, what);
}

bool rmx__arrow_is_list(int type) {
  return type == RMX__ARROW_LIST || type == RMX__ARROW_LARGE_LIST ||
         type == RMX__ARROW_FIXED_LIST || type == RMX__ARROW_LIST_VIEW ||
         type == RMX__ARROW_LARGE_LIST_VIEW;
}

// ---- one field ---------------------------------------------------------------------------------

// The buffers of each type, without further ones of views.
static bool set_buffers(struct rmx__arrow_field *e, bool union_is_dense) {
  static const uint8_t buffers[] = {
      [RMX__ARROW_INT] = 2,
      [RMX__ARROW_REAL] = 2,
      [RMX__ARROW_BINARY] = 3,
      [RMX__ARROW_UTF8] = 3,
      [RMX__ARROW_BOOL] = 2,
      [7] = 2,
      [8] = 2,
      [9] = 2,
      [10] = 2,
      [11] = 2,
      [RMX__ARROW_LIST] = 2,
      [RMX__ARROW_STRUCT] = 1,
      [RMX__ARROW_UNION] = 1,
      [RMX__ARROW_FIXED_BINARY] = 2,
      [RMX__ARROW_FIXED_LIST] = 1,
      [RMX__ARROW_MAP] = 2,
      [18] = 2,
      [RMX__ARROW_LARGE_BINARY] = 3,
      [RMX__ARROW_LARGE_UTF8] = 3,
      [RMX__ARROW_LARGE_LIST] = 2,
      [RMX__ARROW_RUNS] = 0,
      [RMX__ARROW_BINARY_VIEW] = 2,
      [RMX__ARROW_UTF8_VIEW] = 2,
      [RMX__ARROW_LIST_VIEW] = 3,
      [RMX__ARROW_LARGE_LIST_VIEW] = 3,
  };
  if (e->type < RMX__ARROW_NULL || e->type >= (int)sizeof buffers) return false;
  e->buffers = buffers[e->type];
  if (e->type == RMX__ARROW_UNION && union_is_dense) e->buffers = 2;
  e->variadic = e->type == RMX__ARROW_BINARY_VIEW || e->type == RMX__ARROW_UTF8_VIEW;
  return true;
}

// The bytes that the bits fill, or 0 if they do not fill whole bytes.
static unsigned whole_bytes(int64_t bits) {
  return bits == 8 || bits == 16 || bits == 32 || bits == 64 ? (unsigned)bits / 8 : 0;
}

static rmx_status read_field(struct rmx__arrow_schema *s, struct rmx__flat *f, size_t table,
                             struct rmx__arrow_field *e, rmx_err *err) {
  enum { TYPE_KIND = 2, TYPE = 3, DICTIONARY = 4 };
  static const unsigned reals[] = {2, 4, 8};
  const size_t type = rmx__flat_table(f, table, TYPE);
  const size_t dictionary = rmx__flat_table(f, table, DICTIONARY);
  *e = (struct rmx__arrow_field){.dictionary = -1, .index_bytes = 4};
  e->type = (int)rmx__flat_number(f, table, TYPE_KIND, 1, 0);
  if (!set_buffers(e, rmx__flat_number(f, type, 0, 2, 0) == 1))
    return broken(s, "a column has an unknown type", err);
  if (e->type == RMX__ARROW_INT) {
    e->bytes = whole_bytes(rmx__flat_number(f, type, 0, 4, 0));
    e->is_unsigned = rmx__flat_number(f, type, 1, 1, 0) == 0;
  } else if (e->type == RMX__ARROW_REAL) {
    const int64_t precision = rmx__flat_number(f, type, 0, 2, 0);
    e->bytes = precision >= 0 && precision < 3 ? reals[precision] : 0;
  } else if (e->type == RMX__ARROW_FIXED_BINARY || e->type == RMX__ARROW_FIXED_LIST) {
    const int64_t n = rmx__flat_number(f, type, 0, 4, 0);
    e->bytes = n > 0 ? (unsigned)n : 0;
  }
  if (!dictionary) return RMX_OK;
  const size_t index = rmx__flat_table(f, dictionary, 1);
  e->dictionary = rmx__flat_number(f, dictionary, 0, 8, 0) & INT64_MAX;
  if (index) {
    e->index_bytes = whole_bytes(rmx__flat_number(f, index, 0, 4, 0));
    e->index_unsigned = rmx__flat_number(f, index, 1, 1, 0) == 0;
  }
  return e->index_bytes ? RMX_OK : broken(s, "a dictionary has an unknown index", err);
}

// ---- the tree ---------------------------------------------------------------------------------

static rmx_status add(struct rmx__arrow_schema *s, size_t *i, rmx_err *err) {
  if (s->n >= MOST_FIELDS) return broken(s, "it has too many columns", err);
  if (s->n == s->capacity) {
    const size_t capacity = s->capacity ? 2 * s->capacity : 64;
    struct rmx__arrow_field *fields = rmx_realloc(s->fields, capacity, sizeof *fields);
    if (fields) s->fields = fields;
    struct rmx__column_name *names = fields ? rmx_realloc(s->names, capacity, sizeof *names) : NULL;
    if (!names) return rmx_fail_memory(err, capacity * sizeof *fields, s->path);
    s->names = names;
    s->capacity = capacity;
  }
  *i = s->n++;
  s->fields[*i] = (struct rmx__arrow_field){.type = RMX__ARROW_STRUCT, .dictionary = -1};
  s->names[*i] = (struct rmx__column_name){.name = ""};
  return RMX_OK;
}

// Adds the fields in a vector of a table, and theirs. RMX__COLUMN_DEPTH bounds the recursion.
static rmx_status add_children(struct rmx__arrow_schema *s, struct rmx__flat *f, size_t table,
                               unsigned vector, size_t parent, rmx_err *err) {
  enum { NAME = 0, CHILDREN = 5 };
  size_t n, i = 0, first = rmx__flat_vector(f, table, vector, 4, &n);
  const int depth = s->names[parent].depth + 1;
  if (depth > RMX__COLUMN_DEPTH) return broken(s, "its columns are nested too deeply", err);
  for (size_t k = 0; k < n && !f->broken; k++) {
    const size_t child = rmx__flat_element(f, first, k);
    if (!child) break;
    RMX_TRY(add(s, &i, err));
    struct rmx__column_name *name = &s->names[i];
    name->name = rmx__flat_string(f, child, NAME, &name->size);
    name->parent = parent;
    name->depth = (uint8_t)depth;
    name->part_of_list = rmx__arrow_is_list(s->fields[parent].type);
    RMX_TRY(read_field(s, f, child, &s->fields[i], err));
    RMX_TRY(add_children(s, f, child, CHILDREN, i, err));
  }
  s->fields[parent].children = (unsigned)n;
  s->names[parent].end = s->n;
  return f->broken ? broken(s, "its schema cannot be read", err) : RMX_OK;
}

rmx_status rmx__arrow_schema_read(struct rmx__arrow_schema *s, struct rmx__flat *f, size_t table,
                                  rmx_err *err) {
  enum { ENDIANNESS = 0, FIELDS = 1 };
  size_t root = 0;
  if (rmx__flat_number(f, table, ENDIANNESS, 2, 0) != 0)
    return broken(s, "its numbers are big-endian, which is not read", err);
  RMX_TRY(add(s, &root, err));
  return add_children(s, f, table, FIELDS, root, err);
}

void rmx__arrow_schema_release(struct rmx__arrow_schema *s) {
  free(s->fields);
  free(s->names);
}

// ---- a wanted column ---------------------------------------------------------------------------

static rmx_status check_type(const struct rmx__arrow_schema *s, size_t i, const char *name,
                             bool text, rmx_err *err) {
  static const char *const names[] = {
      [RMX__ARROW_NULL] = "always null",
      [RMX__ARROW_INT] = "a whole number",
      [RMX__ARROW_REAL] = "a number",
      [RMX__ARROW_BINARY] = NULL,
      [RMX__ARROW_BOOL] = "true or false",
      [7] = "a decimal number",
      [8] = "a date",
      [9] = "a time",
      [10] = "a date and time",
      [11] = "an interval",
      [RMX__ARROW_UNION] = "a union",
      [18] = "a duration",
      [RMX__ARROW_RUNS] = "encoded in runs",
      [RMX__ARROW_LARGE_LIST_VIEW] = NULL,
  };
  const struct rmx__arrow_field *e = &s->fields[i];
  const char *is = names[e->type];
  const bool plain = (e->type == RMX__ARROW_INT || e->type == RMX__ARROW_REAL) && e->bytes &&
                     (e->type != RMX__ARROW_REAL || e->bytes > 2);
  if (!is || (!text && (plain || e->type == RMX__ARROW_BOOL))) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT, "%s: column \"%.200s\" is %s; wanted %s", s->path, name, is,
                  text ? "text" : "text, a number, or true or false");
}

// Whether the reader can go through a column to those in it.
static bool is_passed(const struct rmx__arrow_field *e) {
  const bool list = e->type == RMX__ARROW_LIST || e->type == RMX__ARROW_LARGE_LIST ||
                    e->type == RMX__ARROW_MAP || (e->type == RMX__ARROW_FIXED_LIST && e->bytes);
  return e->dictionary < 0 && (list || e->type == RMX__ARROW_STRUCT);
}

rmx_status rmx__arrow_schema_find(const struct rmx__arrow_schema *s, const char *name, bool text,
                                  size_t *leaf, rmx_err *err) {
  size_t i = rmx__column_find(s->names, s->n, name);
  *leaf = 0;
  if (i == 0) return RMX_OK;
  const size_t found = i;
  while (s->fields[i].children == 1) i++;  // a list of texts has one column
  if (s->fields[i].children) return rmx__column_divided(s->names, found, s->path, name, err);
  if (s->fields[i].type == RMX__ARROW_STRUCT || rmx__arrow_is_list(s->fields[i].type) ||
      (s->fields[i].type == RMX__ARROW_FIXED_BINARY && !s->fields[i].bytes))
    return rmx_fail(err, RMX_EINPUT, "%s: column \"%.200s\" has no values", s->path, name);
  for (size_t k = s->names[i].parent; k; k = s->names[k].parent)
    if (!is_passed(&s->fields[k]))
      return rmx_fail(err, RMX_EINPUT,
                      "%s: column \"%.200s\" is in a column of a kind that is not read (a union, a "
                      "dictionary, a list view, or lists of no elements)",
                      s->path, name);
  RMX_TRY(check_type(s, i, name, text, err));
  *leaf = i;
  return RMX_OK;
}
