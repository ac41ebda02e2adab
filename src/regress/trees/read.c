// SPDX-License-Identifier: Apache-2.0
// Reads LightGBM's text model. Everything in the file is checked before it is used: counts before
// memory is allocated, features and children before they are followed. Models with categories,
// linear leaves or several outputs are errors.

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/c_number.h"
#include "trees.h"

// The text, taken line by line.
typedef struct reader {
  const char *path;
  const char *next, *end;
  int line;        // of the line last taken, 1-based
  const char *at;  // that line
  size_t length;
} reader;

static bool take_line(reader *r) {
  if (r->next >= r->end) return false;
  r->at = r->next;
  const char *feed = memchr(r->next, '\n', (size_t)(r->end - r->next));
  r->length = (size_t)((feed ? feed : r->end) - r->at);
  r->next = feed ? feed + 1 : r->end;
  if (r->length && r->at[r->length - 1] == '\r') r->length--;
  r->line++;
  return true;
}

// The value of "key=value" if the line has that key, else NULL.
static const char *value_of(const reader *r, const char *key) {
  size_t n = strlen(key);
  return r->length > n && memcmp(r->at, key, n) == 0 && r->at[n] == '=' ? r->at + n + 1 : NULL;
}

static rmx_status wrong(const reader *r, rmx_err *err, const char *what) {
  return rmx_fail(err, RMX_EINPUT, "%s:%d: %s", r->path, r->line, what);
}

// Reads exactly n numbers up to the end of the line. The text ends with a NUL, so strtod stops
// there.
static rmx_status take_reals(const reader *r, const char *p, double *out, size_t n, rmx_err *err) {
  const char *end = r->at + r->length;
  for (size_t i = 0; i < n; i++) {
    while (p < end && *p == ' ') p++;
    char *stop;
    if (p >= end)
      return rmx_fail(err, RMX_EINPUT, "%s:%d: %zu numbers, wanted %zu", r->path, r->line, i, n);
    out[i] = rmx__strtod(p, &stop);
    if (stop == p || stop > end || !isfinite(out[i]) || (stop < end && *stop != ' '))
      return rmx_fail(err, RMX_EINPUT, "%s:%d: item %zu is not a number", r->path, r->line, i + 1);
    p = stop;
  }
  while (p < end && *p == ' ') p++;
  return p == end ? RMX_OK
                  : rmx_fail(err, RMX_EINPUT, "%s:%d: more than %zu numbers", r->path, r->line, n);
}

static rmx_status take_ints(const reader *r, const char *p, int *out, size_t n, rmx_err *err) {
  const char *end = r->at + r->length;
  for (size_t i = 0; i < n; i++) {
    double x;
    const char *stop = p;
    while (stop < end && *stop == ' ') stop++;
    const char *from = stop;
    while (stop < end && *stop != ' ') stop++;
    reader item = *r;
    item.at = from;
    item.length = (size_t)(stop - from);
    RMX_TRY(take_reals(&item, from, &x, 1, err));
    if (x != floor(x) || fabs(x) > 2147483647.0)
      return wrong(r, err, "a number is not whole or too large");
    out[i] = (int)x;
    p = stop;
  }
  while (p < end && *p == ' ') p++;
  return p == end ? RMX_OK
                  : rmx_fail(err, RMX_EINPUT, "%s:%d: more than %zu numbers", r->path, r->line, n);
}

static rmx_status take_int(const reader *r, const char *p, int min, int max, int *out,
                           rmx_err *err) {
  RMX_TRY(take_ints(r, p, out, 1, err));
  if (*out < min || *out > max)
    return rmx_fail(err, RMX_EINPUT, "%s:%d: got %d, wanted %d to %d", r->path, r->line, *out, min,
                    max);
  return RMX_OK;
}

// Reads f->D words separated by blanks into out (D), in the forest's memory.
static rmx_status take_words(const reader *r, const char *p, rmx__forest *f, char **out,
                             rmx_err *err) {
  const char *end = r->at + r->length;
  for (size_t i = 0; i < f->D; i++) {
    while (p < end && *p == ' ') p++;
    const char *from = p;
    while (p < end && *p != ' ') p++;
    if (p == from)
      return rmx_fail(err, RMX_EINPUT, "%s:%d: %zu words, wanted %zu", r->path, r->line, i, f->D);
    out[i] = rmx_arena_alloc(&f->arena, (size_t)(p - from) + 1, 1);
    if (!out[i]) return rmx_fail_memory(err, (size_t)(p - from), "a name");
    memcpy(out[i], from, (size_t)(p - from));
  }
  return RMX_OK;
}

static rmx_status read_header(reader *r, rmx__forest **out, rmx_err *err) {
  rmx__forest *f = NULL;
  rmx_status status = RMX_OK;
  const char *v;
  int x;
  if (!take_line(r) || r->length != 4 || memcmp(r->at, "tree", 4) != 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: not a text model of LightGBM: its first line is not \"tree\"", r->path);
  while (take_line(r) && r->length > 0) {
    if ((v = value_of(r, "num_class")) || (v = value_of(r, "num_tree_per_iteration"))) {
      if (take_int(r, v, 1, 1, &x, err) != RMX_OK) {
        status = rmx_fail_in(err, "only models with one output can be read");
        goto done;
      }
    } else if ((v = value_of(r, "objective"))) {
      size_t n = (size_t)(r->at + r->length - v);
      if (n < 10 || memcmp(v, "regression", 10) != 0 || (n > 10 && v[10] != ' ')) {
        status = wrong(r, err, "the objective is not \"regression\": other models cannot be read");
        goto done;
      }
    } else if ((v = value_of(r, "max_feature_idx"))) {
      RMX_TRY_GOTO(take_int(r, v, 0, 65534, &x, err), done);
      if (f) {
        status = wrong(r, err, "max_feature_idx is given twice");
        goto done;
      }
      if ((f = rmx__forest_make((size_t)x + 1)) == NULL) {
        status = rmx_fail_memory(err, (size_t)x * sizeof(char *), "a model of trees");
        goto done;
      }
    } else if ((v = value_of(r, "feature_names")) || (v = value_of(r, "feature_infos"))) {
      if (!f) {
        status = wrong(r, err, "max_feature_idx must come before this line");
        goto done;
      }
      RMX_TRY_GOTO(take_words(r, v, f, r->at[8] == 'n' ? f->names : f->infos, err), done);
    }
  }
  if (!f || !f->names[0] || !f->infos[0])
    status = rmx_fail(err, RMX_EINPUT,
                      "%s: max_feature_idx, feature_names or feature_infos is missing", r->path);
done:
  if (status != RMX_OK) {
    rmx__forest_free(f);
    return status;
  }
  *out = f;
  return RMX_OK;
}

// Whether it is a tree: every node and leaf is reached from the root exactly once. Children come
// after their parents, since nodes are numbered in the order of splits, so no walk is endless.
static bool is_tree(const rmx__tree *t, size_t D) {
  int inner = t->leaves - 1;
  for (int i = 0; i < inner; i++) {
    if (t->feature[i] < 0 || (size_t)t->feature[i] >= D) return false;
    for (int side = 0; side < 2; side++) {
      int child = side ? t->right[i] : t->left[i];
      if (child >= 0 ? child <= i || child >= inner : ~child >= t->leaves) return false;
    }
  }
  size_t n = (size_t)t->leaves + (size_t)inner;
  RMX_OWNED bool *seen = rmx_calloc(n, sizeof(bool));
  bool once = seen;
  for (int i = 0; i < inner && once; i++)
    for (int side = 0; side < 2 && once; side++) {
      int child = side ? t->right[i] : t->left[i];
      bool *it = &seen[child >= 0 ? child : inner + ~child];
      once = !*it;
      *it = true;
    }
  return once;
}

// A line of a tree with one number for each leaf or each split.
static const struct field {
  const char *key;
  enum { REALS, FLOATS, INTS } kind;
  enum { MAY_BE_EMPTY, OF_SPLITS, OF_LEAVES } numbers;
  bool needed;
  size_t offset;  // of its array in rmx__tree
} fields[] = {
    {"leaf_value", REALS, OF_LEAVES, true, offsetof(rmx__tree, value)},
    {"leaf_weight", REALS, MAY_BE_EMPTY, false, offsetof(rmx__tree, weight)},
    {"leaf_count", INTS, MAY_BE_EMPTY, false, offsetof(rmx__tree, count)},
    {"split_feature", INTS, OF_SPLITS, true, offsetof(rmx__tree, feature)},
    {"split_gain", FLOATS, OF_SPLITS, false, offsetof(rmx__tree, gain)},
    {"threshold", REALS, OF_SPLITS, true, offsetof(rmx__tree, threshold)},
    {"decision_type", INTS, OF_SPLITS, true, offsetof(rmx__tree, type)},
    {"left_child", INTS, OF_SPLITS, true, offsetof(rmx__tree, left)},
    {"right_child", INTS, OF_SPLITS, true, offsetof(rmx__tree, right)},
    {"internal_value", REALS, OF_SPLITS, false, offsetof(rmx__tree, inner_value)},
    {"internal_weight", REALS, OF_SPLITS, false, offsetof(rmx__tree, inner_weight)},
    {"internal_count", INTS, OF_SPLITS, false, offsetof(rmx__tree, inner_count)},
};
enum { FIELDS = sizeof fields / sizeof *fields };

static rmx_status take_floats(const reader *r, const char *v, float *out, size_t n, rmx_err *err) {
  RMX_OWNED double *all = rmx_calloc(n, sizeof(double));
  if (!all) return rmx_fail_memory(err, n * sizeof(double), "a tree");
  RMX_TRY(take_reals(r, v, all, n, err));
  for (size_t i = 0; i < n; i++) out[i] = (float)all[i];
  return RMX_OK;
}

static rmx_status take_field(const reader *r, const struct field *f, const char *v, rmx__tree *t,
                             bool *seen, rmx_err *err) {
  size_t n = (size_t)t->leaves - (f->numbers == OF_SPLITS);
  void *array;
  if (n == 0 || (f->numbers == MAY_BE_EMPTY && v == r->at + r->length)) return RMX_OK;
  memcpy(&array, (const char *)t + f->offset, sizeof array);
  *seen = true;
  if (f->kind == REALS) return take_reals(r, v, array, n, err);
  return f->kind == INTS ? take_ints(r, v, array, n, err) : take_floats(r, v, array, n, err);
}

static rmx_status take_leaves(const reader *r, const char *v, rmx__forest *f, rmx__tree *t,
                              rmx_err *err) {
  // Each leaf takes two bytes of the text or more, so a larger count is wrong.
  int x, max_leaves = r->end - r->next > 200000 ? 100000 : (int)((r->end - r->next) / 2);
  RMX_TRY(take_int(r, v, 1, max_leaves > 1 ? max_leaves : 1, &x, err));
  if (t->leaves) return wrong(r, err, "num_leaves is given twice");
  return rmx__tree_make(&f->arena, x, t) ? RMX_OK : rmx_fail_memory(err, (size_t)x * 64, "a tree");
}

static bool plain_splits(const rmx__tree *t) {
  for (int i = 0; i < t->leaves - 1; i++)
    if (t->type[i] < 0 || t->type[i] > 15 || t->type[i] & 1 || (t->type[i] >> 2) % 2 == 1)
      return false;
  return true;
}

// A line of a tree. seen (FIELDS): the arrays that were read.
static rmx_status take_tree_line(const reader *r, rmx__forest *f, rmx__tree *t, bool *seen,
                                 rmx_err *err) {
  const char *v;
  int x;
  if ((v = value_of(r, "num_leaves"))) return take_leaves(r, v, f, t, err);
  if ((v = value_of(r, "num_cat")) || (v = value_of(r, "is_linear"))) {
    RMX_TRY(take_int(r, v, 0, 1000000, &x, err));
    return x ? wrong(r, err, "trees with categories or linear leaves cannot be read") : RMX_OK;
  }
  const char *shrinkage = value_of(r, "shrinkage");
  for (size_t i = 0; i < FIELDS; i++) {
    if (!(v = value_of(r, fields[i].key))) continue;
    if (t->leaves) return take_field(r, &fields[i], v, t, &seen[i], err);
    if (fields[i].needed) return wrong(r, err, "num_leaves must come first");
  }
  if (shrinkage && !t->leaves) return wrong(r, err, "num_leaves must come first");
  return shrinkage ? take_reals(r, shrinkage, &t->shrinkage, 1, err) : RMX_OK;
}

// The lines of one tree, up to the empty one.
static rmx_status read_tree(reader *r, rmx__forest *f, rmx__tree *t, rmx_err *err) {
  int first = r->line;
  bool seen[FIELDS] = {false};
  *t = (rmx__tree){0};
  while (take_line(r) && r->length > 0) RMX_TRY(take_tree_line(r, f, t, seen, err));
  bool whole = t->leaves > 0;
  for (size_t i = 0; i < FIELDS; i++)
    if (fields[i].needed && (fields[i].numbers != OF_SPLITS || t->leaves > 1))
      whole = whole && seen[i];
  if (!whole)
    return rmx_fail(err, RMX_EINPUT,
                    "%s:%d: this tree lacks one of num_leaves, split_feature, threshold, "
                    "decision_type, left_child, right_child, leaf_value",
                    r->path, first);
  if (!plain_splits(t))
    return rmx_fail(err, RMX_EINPUT,
                    "%s:%d: splits on categories or with zero as missing cannot be read", r->path,
                    first);
  if (!is_tree(t, f->D))
    return rmx_fail(err, RMX_EINPUT, "%s:%d: this tree's features or children are impossible",
                    r->path, first);
  return RMX_OK;
}

static bool is_line(const reader *r, const char *text) {
  return r->length == strlen(text) && memcmp(r->at, text, r->length) == 0;
}

// All trees, to the line "end of trees". free() *trees (f->n), also after a failure.
static rmx_status read_trees(reader *r, rmx__forest *f, rmx__tree **trees, rmx_err *err) {
  size_t capacity = 0;
  bool whole = false;
  while (!whole && take_line(r)) {
    whole = is_line(r, "end of trees");
    if (whole || r->length == 0) continue;
    int number;
    const char *v = value_of(r, "Tree");
    if (!v) return wrong(r, err, "wanted a line Tree=<number> or \"end of trees\"");
    RMX_TRY(take_int(r, v, 0, 10000000, &number, err));
    if (f->n == capacity) {
      capacity = capacity ? 2 * capacity : 256;
      rmx__tree *more = rmx_realloc(*trees, capacity, sizeof *more);
      if (!more) return rmx_fail_memory(err, capacity * sizeof *more, "a model of trees");
      *trees = more;
    }
    RMX_TRY(read_tree(r, f, &(*trees)[f->n], err));
    f->n++;
  }
  if (whole && f->n) return RMX_OK;
  return rmx_fail(
      err, RMX_EINPUT, "%s:%d: %s", r->path, r->line,
      f->n ? "the file ends before \"end of trees\": it was cut off" : "the model has no trees");
}

rmx_status rmx__forest_parse(const char *text, size_t size, const char *path, rmx__forest **out,
                             rmx_err *err) {
  reader r = {.path = path, .next = text, .end = text + size};
  RMX_OWNED_BY(rmx__forest_free_at) rmx__forest *f = NULL;
  RMX_OWNED rmx__tree *trees = NULL;
  const char *parameters = NULL;
  RMX_TRY(read_header(&r, &f, err));
  RMX_TRY(read_trees(&r, f, &trees, err));
  while (!parameters && take_line(&r))
    if (is_line(&r, "parameters:")) parameters = r.next;
  f->trees = rmx_arena_alloc(&f->arena, f->n, sizeof *trees);
  f->parameters = rmx_arena_strdup(&f->arena, parameters ? parameters : "");
  if (!f->trees || !f->parameters)
    return rmx_fail_memory(err, f->n * sizeof *trees, "a model of trees");
  memcpy(f->trees, trees, f->n * sizeof *trees);
  RMX_TRY(rmx__forest_compile(f, err));
  *out = f;
  f = NULL;
  return RMX_OK;
}
