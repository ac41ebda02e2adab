// SPDX-License-Identifier: Apache-2.0
// Writes LightGBM's text model, version 4, with the lines that LightGBM writes and reads.
// Thresholds and leaf values have 17 digits; numbers that no reader computes with have 6.
// tree_sizes: the bytes of each tree's text.

#include <stdlib.h>
#include <string.h>

#include "trees.h"

static void add_ints(rmx_buf *b, const char *key, const int *x, int n) {
  rmx_buf_printf(b, "%s=", key);
  for (int i = 0; i < n; i++) rmx_buf_printf(b, "%s%d", i ? " " : "", x[i]);
  rmx_buf_puts(b, "\n");
}

static void add_reals(rmx_buf *b, const char *key, const double *x, int n, int digits) {
  rmx_buf_printf(b, "%s=", key);
  for (int i = 0; i < n; i++) rmx_buf_printf(b, "%s%.*g", i ? " " : "", digits, x[i]);
  rmx_buf_puts(b, "\n");
}

static void add_tree(rmx_buf *b, const rmx__tree *t, size_t number) {
  int inner = t->leaves - 1;
  rmx_buf_printf(b, "Tree=%zu\nnum_leaves=%d\nnum_cat=0\n", number, t->leaves);
  add_ints(b, "split_feature", t->feature, inner);
  rmx_buf_puts(b, "split_gain=");
  for (int i = 0; i < inner; i++) rmx_buf_printf(b, "%s%g", i ? " " : "", (double)t->gain[i]);
  rmx_buf_puts(b, "\n");
  add_reals(b, "threshold", t->threshold, inner, 17);
  add_ints(b, "decision_type", t->type, inner);
  add_ints(b, "left_child", t->left, inner);
  add_ints(b, "right_child", t->right, inner);
  add_reals(b, "leaf_value", t->value, t->leaves, 17);
  add_reals(b, "leaf_weight", t->weight, t->leaves, 17);
  add_ints(b, "leaf_count", t->count, t->leaves);
  add_reals(b, "internal_value", t->inner_value, inner, 6);
  add_reals(b, "internal_weight", t->inner_weight, inner, 6);
  add_ints(b, "internal_count", t->inner_count, inner);
  rmx_buf_printf(b, "is_linear=0\nshrinkage=%g\n\n\n", t->shrinkage);
}

typedef struct use {
  size_t splits, feature;
} use;

static int by_use(const void *a, const void *b) {
  const use *x = a, *y = b;
  if (x->splits != y->splits) return x->splits < y->splits ? 1 : -1;
  return (x->feature > y->feature) - (x->feature < y->feature);
}

rmx_status rmx__forest_text(const rmx__forest *f, rmx_buf *out, rmx_err *err) {
  rmx_buf trees = {0};
  rmx_buf_printf(out,
                 "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_"
                 "feature_idx=%zu\n"
                 "objective=regression\nfeature_names=",
                 f->D - 1);
  for (size_t d = 0; d < f->D; d++) rmx_buf_printf(out, "%s%s", d ? " " : "", f->names[d]);
  rmx_buf_puts(out, "\nfeature_infos=");
  for (size_t d = 0; d < f->D; d++) rmx_buf_printf(out, "%s%s", d ? " " : "", f->infos[d]);
  rmx_buf_puts(out, "\ntree_sizes=");
  for (size_t i = 0; i < f->n; i++) {
    size_t before = trees.size;
    add_tree(&trees, &f->trees[i], i);
    rmx_buf_printf(out, "%s%zu", i ? " " : "", trees.size - before);
  }
  rmx_buf_puts(out, "\n\n");
  rmx_buf_add(out, trees.data, trees.size);
  rmx_buf_puts(out, "end of trees\n\nfeature_importances:\n");
  use *uses = rmx_calloc(f->D, sizeof *uses);
  if (uses) {
    for (size_t d = 0; d < f->D; d++) uses[d].feature = d;
    for (size_t i = 0; i < f->n; i++)
      for (int k = 0; k < f->trees[i].leaves - 1; k++) uses[f->trees[i].feature[k]].splits++;
    qsort(uses, f->D, sizeof *uses, by_use);
    for (size_t d = 0; d < f->D && uses[d].splits; d++)
      rmx_buf_printf(out, "%s=%zu\n", f->names[uses[d].feature], uses[d].splits);
  }
  rmx_buf_puts(out, "\nparameters:\n");
  rmx_buf_puts(out, f->parameters);
  bool failed = !uses || out->failed || trees.failed;
  free(uses);
  rmx_buf_release(&trees);
  return failed ? rmx_fail_memory(err, out->size, "the text of trees") : RMX_OK;
}
