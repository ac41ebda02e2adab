// SPDX-License-Identifier: Apache-2.0
// Packs boosted trees for the page. LightGBM's text needs 40 bytes per node and contains much that
// predictions do not need. Here a tree is the list of its nodes in preorder, left first. A split is
// an index into the list of all distinct (feature, threshold). A leaf is -1, and its value is the
// next one of `values`: a multiple of `unit`, which is 1e-13 of the largest value (so the sum of a
// thousand trees is correct to 1e-10).
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/c_number.h"
#include "base/json.h"
#include "report/parts.h"

typedef struct split {
  double threshold;
  int feature;
} split;

// The lines of one tree. The text was already checked by its regressor.
typedef struct tree {
  size_t leaves;
  int *feature, *left, *right;
  double *threshold, *value;
} tree;

typedef struct forest {
  tree *trees;
  size_t n;
  split *splits;  // of all trees, then sorted and distinct
  size_t n_splits;
  double greatest;  // value
} forest;

static rmx_status no_memory(rmx_err *err, size_t n) {
  return rmx_fail_memory(err, n * sizeof(double), "the trees of a fit");
}

static rmx_status take(rmx_arena *arena, const char *at, size_t n, int **ints, double **reals,
                       rmx_err *err) {
  if (ints && !(*ints = rmx_arena_alloc(arena, n, sizeof(int)))) return no_memory(err, n);
  if (reals && !(*reals = rmx_arena_alloc(arena, n, sizeof(double)))) return no_memory(err, n);
  for (size_t i = 0; i < n; i++) {
    char *end;
    double x = rmx__strtod(at, &end);
    if (ints) (*ints)[i] = (int)x;
    if (reals) (*reals)[i] = x;
    at = end;
  }
  return RMX_OK;
}

static const char *value_of(const char *line, const char *key) {
  size_t n = strlen(key);
  return strncmp(line, key, n) == 0 && line[n] == '=' ? line + n + 1 : NULL;
}

static rmx_status take_line(rmx_arena *arena, const char *line, tree *t, rmx_err *err) {
  const char *v;
  size_t inner = t->leaves ? t->leaves - 1 : 0;
  if ((v = value_of(line, "num_leaves"))) t->leaves = strtoull(v, NULL, 10);
  if ((v = value_of(line, "split_feature"))) return take(arena, v, inner, &t->feature, NULL, err);
  if ((v = value_of(line, "threshold"))) return take(arena, v, inner, NULL, &t->threshold, err);
  if ((v = value_of(line, "left_child"))) return take(arena, v, inner, &t->left, NULL, err);
  if ((v = value_of(line, "right_child"))) return take(arena, v, inner, &t->right, NULL, err);
  if ((v = value_of(line, "leaf_value"))) return take(arena, v, t->leaves, NULL, &t->value, err);
  return RMX_OK;
}

static rmx_status parse(char *text, rmx_arena *arena, forest *f, rmx_err *err) {
  size_t n = 0;
  for (const char *at = text; (at = strstr(at, "\nTree=")); at++) n++;
  if (!(f->trees = rmx_arena_alloc(arena, n, sizeof *f->trees))) return no_memory(err, n);
  char *rest = text;
  for (char *line; (line = strsep(&rest, "\n")) && strncmp(line, "end of trees", 12) != 0;) {
    if (value_of(line, "Tree")) f->n++;
    if (f->n) RMX_TRY(take_line(arena, line, &f->trees[f->n - 1], err));
  }
  return RMX_OK;
}

static int by_split(const void *a, const void *b) {
  const split *x = a, *y = b;
  if (x->feature != y->feature) return x->feature < y->feature ? -1 : 1;
  return (x->threshold > y->threshold) - (x->threshold < y->threshold);
}

static rmx_status find_splits(rmx_arena *arena, forest *f, rmx_err *err) {
  size_t n = 0;
  for (size_t i = 0; i < f->n; i++) n += f->trees[i].leaves - 1;
  if (!(f->splits = rmx_arena_alloc(arena, n, sizeof *f->splits))) return no_memory(err, n);
  n = 0;
  for (size_t i = 0; i < f->n; i++) {
    const tree *t = &f->trees[i];
    for (size_t k = 0; k + 1 < t->leaves; k++)
      f->splits[n++] = (split){t->threshold[k], t->feature[k]};
    for (size_t k = 0; k < t->leaves; k++) f->greatest = fmax(f->greatest, fabs(t->value[k]));
  }
  qsort(f->splits, n, sizeof *f->splits, by_split);
  for (size_t i = 0; i < n; i++)
    if (i == 0 || by_split(&f->splits[i], &f->splits[f->n_splits - 1]) != 0)
      f->splits[f->n_splits++] = f->splits[i];
  return RMX_OK;
}

// Left first; right children wait on the stack.
static rmx_status walk(const forest *f, const tree *t, double unit, int *stack, json_t *nodes,
                       json_t *values, rmx_err *err) {
  size_t waiting = 0;
  stack[waiting++] = t->leaves > 1 ? 0 : ~0;
  while (waiting) {
    int at = stack[--waiting];
    if (at < 0) {
      RMX_TRY(rmx__add(nodes, json_integer(-1), err));
      RMX_TRY(rmx__add(values, json_integer(llround(t->value[~at] / unit)), err));
      continue;
    }
    split key = {t->threshold[at], t->feature[at]};
    const split *hit = bsearch(&key, f->splits, f->n_splits, sizeof key, by_split);
    RMX_TRY(rmx__add(nodes, json_integer(hit - f->splits), err));
    stack[waiting++] = t->right[at];
    stack[waiting++] = t->left[at];
  }
  return RMX_OK;
}

static rmx_status pack(const forest *f, rmx_arena *arena, json_t *out, rmx_err *err) {
  double unit = f->greatest > 0 ? pow(10, floor(log10(f->greatest)) - 13) : 1;
  json_t *feature = json_array(), *threshold = json_array(), *nodes = json_array(),
         *values = json_array();
  RMX_TRY(rmx__put(out, "regressor", json_string("trees"), err));
  RMX_TRY(rmx__put(out, "trees", json_integer((json_int_t)f->n), err));
  RMX_TRY(rmx__put(out, "unit", json_real(unit), err));
  rmx_status status = rmx__put(out, "feature", feature, err);
  if (status == RMX_OK) status = rmx__put(out, "threshold", threshold, err);
  if (status == RMX_OK) status = rmx__put(out, "nodes", nodes, err);
  if (status == RMX_OK) status = rmx__put(out, "values", values, err);
  RMX_TRY(status);
  for (size_t i = 0; i < f->n_splits; i++) {
    RMX_TRY(rmx__add(feature, json_integer(f->splits[i].feature), err));
    RMX_TRY(rmx__add(threshold, json_real(f->splits[i].threshold), err));
  }
  size_t most = 1;
  for (size_t i = 0; i < f->n; i++) most = f->trees[i].leaves > most ? f->trees[i].leaves : most;
  int *stack = rmx_arena_alloc(arena, most + 1, sizeof *stack);
  if (!stack) return no_memory(err, most);
  for (size_t i = 0; i < f->n; i++) RMX_TRY(walk(f, &f->trees[i], unit, stack, nodes, values, err));
  return RMX_OK;
}

rmx_status rmx__pack_trees(const char *path, json_t **out, rmx_err *err) {
  char *text;
  size_t size;
  RMX_TRY(rmx_read_file(path, &text, &size, err));
  rmx_arena arena = {0};
  forest f = {0};
  json_t *packed = json_object();
  rmx_status status = packed ? parse(text, &arena, &f, err) : no_memory(err, 1);
  if (status == RMX_OK) status = find_splits(&arena, &f, err);
  if (status == RMX_OK) status = pack(&f, &arena, packed, err);
  rmx_arena_release(&arena);
  free(text);
  if (status == RMX_OK)
    *out = packed;
  else
    json_decref(packed);
  return status;
}
