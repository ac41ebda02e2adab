// SPDX-License-Identifier: Apache-2.0
// The schema of a Parquet file is a tree of named columns, written as a list: each element, then
// its children. Here the wanted columns are found in it by their dotted paths.
#include <stdlib.h>

#include "corpus/readers/column_names.h"
#include "footer.h"
#include "thrift.h"

enum { REQUIRED, OPTIONAL, REPEATED };
enum { NO_TYPE = -1 };
// What a column means: those that are not strings or plain numbers.
enum meaning { PLAIN, LIST, UNSIGNED, OTHER };

struct element {
  int64_t children;
  int type;
  int64_t width;
  int repetition;
  enum meaning meaning;
  const char *called;  // for messages, if OTHER
  uint8_t def, rep;
  size_t ordinal;  // of a leaf
};

struct schema {
  const char *path;
  struct element *items;           // (n)
  struct rmx__column_name *names;  // (n)
  size_t n, capacity, leaves;
};

// ---- one element -----------------------------------------------------------------------

static void set_meaning(struct element *e, enum meaning meaning, const char *called) {
  e->meaning = meaning;
  e->called = called;
}

// The older way to say what a column means: a number.
static void converted(struct element *e, int64_t type) {
  static const char *const others[] = {
      [5] = "a decimal number", [6] = "a date",           [7] = "a time", [8] = "a time",
      [9] = "a date and time",  [10] = "a date and time", [20] = "BSON",  [21] = "an interval",
  };
  if (e->meaning != PLAIN) return;
  if (type == 3) set_meaning(e, LIST, NULL);
  if (type >= 11 && type <= 14) set_meaning(e, UNSIGNED, NULL);
  if (type >= 0 && type < (int64_t)(sizeof others / sizeof *others) && others[type])
    set_meaning(e, OTHER, others[type]);
}

static void read_integer_type(struct rmx__thrift *t, struct element *e) {
  int field, last = 0;
  while ((field = rmx__thrift_field(t, &last))) {
    if (field == RMX__FIELD(2, FALSE)) set_meaning(e, UNSIGNED, NULL);
    rmx__thrift_skip(t, field);
  }
}

// The newer way: a union, of which one field is set.
static void read_logical_type(struct rmx__thrift *t, struct element *e) {
  static const char *const others[] = {
      [5] = "a decimal number",     [6] = "a date",     [7] = "a time",
      [8] = "a date and time",      [13] = "BSON",      [14] = "a UUID",
      [15] = "a number of 16 bits", [16] = "a variant", [17] = "a geometry",
      [18] = "a geography",
  };
  int field, last = 0;
  while ((field = rmx__thrift_field(t, &last))) {
    if (field == RMX__FIELD(10, STRUCT)) {
      read_integer_type(t, e);
      continue;
    }
    if (field == RMX__FIELD(3, STRUCT)) set_meaning(e, LIST, NULL);
    const int id = field / 16;
    if (id < (int)(sizeof others / sizeof *others) && others[id]) set_meaning(e, OTHER, others[id]);
    rmx__thrift_skip(t, field);
  }
}

static void read_element(struct rmx__thrift *t, struct element *e, struct rmx__column_name *name) {
  int field, last = 0;
  *e = (struct element){.type = NO_TYPE};
  *name = (struct rmx__column_name){.name = ""};
  while ((field = rmx__thrift_field(t, &last))) switch (field) {
      case RMX__FIELD(1, I32):
        e->type = (int)(rmx__thrift_int(t) & 255);
        break;
      case RMX__FIELD(2, I32):
        e->width = rmx__thrift_int(t);
        break;
      case RMX__FIELD(3, I32):
        e->repetition = (int)(rmx__thrift_int(t) & 255);
        break;
      case RMX__FIELD(4, BINARY):
        name->name = rmx__thrift_bytes(t, &name->size);
        break;
      case RMX__FIELD(5, I32):
        e->children = rmx__thrift_int(t);
        break;
      case RMX__FIELD(6, I32):
        converted(e, rmx__thrift_int(t));
        break;
      case RMX__FIELD(10, STRUCT):
        read_logical_type(t, e);
        break;
      default:
        rmx__thrift_skip(t, field);
    }
}

// ---- the tree ----------------------------------------------------------------------------

static rmx_status broken(const struct schema *s, const char *what, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT, "%s: broken Parquet file: %s", s->path, what);
}

static rmx_status more_room(struct schema *s, rmx_err *err) {
  if (s->n < s->capacity) return RMX_OK;
  const size_t capacity = s->capacity ? 2 * s->capacity : 64;
  struct element *items = rmx_realloc(s->items, capacity, sizeof *items);
  if (items) s->items = items;
  struct rmx__column_name *names = items ? rmx_realloc(s->names, capacity, sizeof *names) : NULL;
  if (!names) return rmx_fail_memory(err, capacity * sizeof *items, s->path);
  s->names = names;
  s->capacity = capacity;
  return RMX_OK;
}

// The next element, whose parent is known.
static rmx_status add_element(struct schema *s, struct rmx__thrift *t, size_t parent,
                              rmx_err *err) {
  RMX_TRY(more_room(s, err));
  struct element *e = &s->items[s->n], *p = &s->items[parent];
  struct rmx__column_name *name = &s->names[s->n++], *above = &s->names[parent];
  read_element(t, e, name);
  if (t->broken) return broken(s, "its schema cannot be read", err);
  if (e == p) {  // the root
    e->repetition = REQUIRED;
    return RMX_OK;
  }
  name->parent = parent;
  name->depth = (uint8_t)(above->depth + 1);
  name->part_of_list =
      p->meaning == LIST || (above->part_of_list && p->children == 1 && p->repetition == REPEATED &&
                             s->items[above->parent].meaning == LIST);
  e->def = (uint8_t)(p->def + (e->repetition != REQUIRED));
  e->rep = (uint8_t)(p->rep + (e->repetition == REPEATED));
  if (name->depth > RMX__COLUMN_DEPTH) return broken(s, "its columns are nested too deeply", err);
  if (e->children == 0) e->ordinal = s->leaves, s->leaves += e->type != NO_TYPE;
  return RMX_OK;
}

static rmx_status read_tree(struct schema *s, struct rmx__thrift *t, rmx_err *err) {
  int type;
  const size_t n = rmx__thrift_list(t, &type);
  size_t parent = 0;
  if (n == 0 || type != RMX__THRIFT_STRUCT) return broken(s, "it has no schema", err);
  RMX_TRY(add_element(s, t, 0, err));
  // Of an element whose children are being read, `end` counts those that are left.
  s->names[0].end = (size_t)s->items[0].children;
  for (size_t i = 1; i < n; i++) {
    while (s->names[parent].end == 0) {
      s->names[parent].end = i;
      if (parent == 0) return broken(s, "its schema has more columns than stated", err);
      parent = s->names[parent].parent;
    }
    s->names[parent].end--;
    RMX_TRY(add_element(s, t, parent, err));
    const struct element *e = &s->items[i];
    if (e->children < 0 || (uint64_t)e->children > n)
      return broken(s, "its schema has an impossible number of columns", err);
    s->names[i].end = e->children ? (size_t)e->children : i + 1;
    if (e->children) parent = i;
  }
  while (s->names[parent].end == 0) {
    s->names[parent].end = n;
    if (parent == 0) return RMX_OK;
    parent = s->names[parent].parent;
  }
  return broken(s, "its schema has fewer columns than stated", err);
}

// ---- a wanted column ------------------------------------------------------------------------

static rmx_status fail_type(const struct schema *s, const char *name, const char *is,
                            const char *wanted, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT, "%s: column \"%.200s\" is %s; wanted %s", s->path, name, is,
                  wanted);
}

static rmx_status set_leaf(const struct schema *s, size_t i, const char *name, bool text,
                           rmx__parquet_leaf *out, rmx_err *err) {
  static const char *const names[] = {"true or false",           "a whole number", "a whole number",
                                      "a date and time (INT96)", "a number",       "a number"};
  static const uint32_t widths[] = {0, 4, 8, 12, 4, 8, 0, 0};
  static const char any[] = "text, a number, or true or false";
  const struct element *e = &s->items[i];
  if (e->type < 0 || e->type > RMX__PARQUET_FIXED)
    return fail_type(s, name, "a value of an unknown type", any, err);
  if (e->meaning == OTHER) return fail_type(s, name, e->called, text ? "text" : any, err);
  if (text && e->type < RMX__PARQUET_BYTES) return fail_type(s, name, names[e->type], "text", err);
  if (e->type == RMX__PARQUET_INT96) return fail_type(s, name, names[e->type], any, err);
  *out = (rmx__parquet_leaf){.name = name,
                             .ordinal = e->ordinal,
                             .type = (rmx__parquet_type)e->type,
                             .width = widths[e->type],
                             .is_unsigned = e->meaning == UNSIGNED,
                             .max_def = e->def,
                             .max_rep = e->rep};
  if (e->type != RMX__PARQUET_FIXED) return RMX_OK;
  if (e->width <= 0 || e->width > INT32_MAX)
    return broken(s, "a value of a fixed size has no size", err);
  out->width = (uint32_t)e->width;
  return RMX_OK;
}

static rmx_status find_leaf(const struct schema *s, const char *name, bool text,
                            rmx__parquet_leaf *out, rmx_err *err) {
  size_t i = rmx__column_find(s->names, s->n, name);
  out->ordinal = RMX__PARQUET_MISSING;
  if (i == 0) return RMX_OK;
  const size_t found = i;
  while (s->items[i].children == 1) i++;  // a list of texts has one column
  if (s->items[i].children) return rmx__column_divided(s->names, found, s->path, name, err);
  return set_leaf(s, i, name, text, out, err);
}

static rmx_status find_leaves(const struct schema *s, const struct rmx__wanted *w,
                              rmx__parquet_leaf *leaves, rmx_err *err) {
  rmx_err wrong, why = {.status = RMX_OK};
  size_t found = 0;
  for (size_t i = 0; i < w->texts; i++) {
    const bool good = find_leaf(s, w->names[i], true, &leaves[i], &wrong) == RMX_OK;
    if (!good && why.status == RMX_OK) why = wrong;
    if (!good) leaves[i].ordinal = RMX__PARQUET_MISSING;
    found += leaves[i].ordinal != RMX__PARQUET_MISSING;
  }
  RMX_TRY(rmx__texts_found(w, found, &why, s->names, s->n, s->path, err));
  for (size_t i = w->texts; i < w->n; i++)
    RMX_TRY(find_leaf(s, w->names[i], false, &leaves[i], err));
  return RMX_OK;
}

rmx_status rmx__parquet_schema_find(const uint8_t *data, size_t size, const char *path,
                                    const struct rmx__wanted *w, rmx__parquet_leaf *leaves,
                                    size_t *nleaves, rmx_err *err) {
  struct schema s = {.path = path};
  struct rmx__thrift t = {data, data + size, false, false};
  int field, last = 0;
  rmx_status status = broken(&s, "it has no schema", err);
  while ((field = rmx__thrift_field(&t, &last))) {
    if (field != RMX__FIELD(2, LIST)) {
      rmx__thrift_skip(&t, field);
      continue;
    }
    RMX_TRY_GOTO(read_tree(&s, &t, err), done);
    break;
  }
  if (s.n) RMX_TRY_GOTO(find_leaves(&s, w, leaves, err), done);
  *nleaves = s.leaves;
  if (s.n) status = RMX_OK;
done:
  free(s.items);
  free(s.names);
  return status;
}
