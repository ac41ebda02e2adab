// SPDX-License-Identifier: Apache-2.0
// See features.h.

#include "features.h"

#include <stdlib.h>
#include <string.h>

#include "mixture/domain_tree.h"
#include "regress/name_order.h"

void rmx__features_slope(const rmx__features *f, double *slope) {
  for (size_t q = 0; q < f->Q; q++)
    for (size_t i = f->start[q]; i < f->start[q + 1]; i++) slope[f->member[i]] += slope[f->D + q];
}

void rmx__features_release(rmx__features *f) {
  free(f->start);
  free(f->member);
  *f = (rmx__features){0};
}

static rmx_status no_memory(size_t n, rmx_err *err) {
  return rmx_fail_memory(err, n * sizeof(size_t), "totals of domains");
}

rmx_status rmx__features_copy(const rmx__features *f, rmx__features *out, rmx_err *err) {
  *out = (rmx__features){.D = f->D};
  if (f->Q == 0) return RMX_OK;
  size_t n = f->start[f->Q];
  out->start = rmx_calloc(f->Q + 1, sizeof(size_t));
  out->member = rmx_calloc(n, sizeof(size_t));
  if (!out->start || !out->member) {
    rmx__features_release(out);
    return no_memory(n + f->Q, err);
  }
  out->Q = f->Q;
  memcpy(out->start, f->start, (f->Q + 1) * sizeof(size_t));
  memcpy(out->member, f->member, n * sizeof(size_t));
  return RMX_OK;
}

// Appends a total unless an earlier one has the same members. There is memory for it.
static void add(rmx__features *f, const size_t *member, size_t n) {
  if (n < 2 || n == f->D) return;
  for (size_t q = 0; q < f->Q; q++)
    if (f->start[q + 1] - f->start[q] == n &&
        memcmp(f->member + f->start[q], member, n * sizeof *member) == 0)
      return;
  memcpy(f->member + f->start[f->Q], member, n * sizeof *member);
  f->start[f->Q + 1] = f->start[f->Q] + n;
  f->Q++;
}

// Appends the domains whose names end with the same part as that of d, if d is the first of them.
static void add_leaf(rmx__features *f, const char *const *names, size_t d, size_t *same) {
  const char *leaf = rmx__domain_leaf(names[d]);
  size_t n = 0;
  if (leaf == names[d]) return;
  for (size_t e = 0; e < f->D; e++) {
    const char *other = rmx__domain_leaf(names[e]);
    if (other == names[e] || strcmp(other, leaf) != 0) continue;
    if (e < d) return;
    same[n++] = e;
  }
  add(f, same, n);
}

rmx_status rmx__features_by_name(const char *const *names, size_t D, rmx__features *out,
                                 rmx_err *err) {
  *out = (rmx__features){.D = D};
  if (!names) return RMX_OK;
  rmx__domain_tree t;
  RMX_TRY(rmx__domain_tree_make(names, D, &t, err));
  size_t n = D;
  for (size_t k = 0; k < t.n; k++) n += t.node[k].n;
  out->start = rmx_calloc(t.n + D + 1, sizeof(size_t));
  out->member = rmx_calloc(n, sizeof(size_t));
  RMX_OWNED size_t *same = rmx_calloc(D, sizeof(size_t));
  bool failed = !out->start || !out->member || !same;
  for (size_t k = 0; k < t.n && !failed; k++) add(out, t.node[k].member, t.node[k].n);
  for (size_t d = 0; d < D && !failed && t.n > 1; d++) add_leaf(out, names, d, same);
  rmx__domain_tree_release(&t);
  if (!failed) return RMX_OK;
  rmx__features_release(out);
  return no_memory(n, err);
}

// Of a total: the first of its domains by name, then how many it has.
typedef struct place {
  size_t first, members, feature;
} place;

static int by_first(const void *a, const void *b) {
  const place *x = a, *y = b;
  if (x->first != y->first) return x->first < y->first ? -1 : 1;
  return (x->members > y->members) - (x->members < y->members);
}

rmx_status rmx__features_order(const rmx__features *f, const char *const *names, size_t *order,
                               rmx_err *err) {
  const size_t D = f->D;
  RMX_OWNED size_t *rank = rmx_calloc(D, sizeof *rank);
  RMX_OWNED place *totals = rmx_calloc(f->Q + 1, sizeof *totals);
  if (!rank || !totals) return no_memory(D, err);
  for (size_t d = 0; d < D; d++) order[d] = d;
  if (names) RMX_TRY(rmx__name_order(names, D, order, err));
  for (size_t k = 0; k < D; k++) rank[order[k]] = k;
  for (size_t q = 0; q < f->Q; q++) {
    totals[q] = (place){D, f->start[q + 1] - f->start[q], D + q};
    for (size_t i = f->start[q]; i < f->start[q + 1]; i++)
      if (rank[f->member[i]] < totals[q].first) totals[q].first = rank[f->member[i]];
  }
  qsort(totals, f->Q, sizeof *totals, by_first);
  for (size_t q = 0; q < f->Q; q++) order[D + q] = totals[q].feature;
  return RMX_OK;
}

json_t *rmx__features_json(const rmx__features *f) {
  json_t *totals = json_array();
  for (size_t q = 0; totals && q < f->Q; q++) {
    json_t *one = json_array();
    bool failed = json_array_append_new(totals, one) != 0;
    for (size_t i = f->start[q]; i < f->start[q + 1] && !failed; i++)
      failed = json_array_append_new(one, json_integer((json_int_t)f->member[i])) != 0;
    if (!failed) continue;
    json_decref(totals);
    return NULL;
  }
  return totals;
}

rmx_status rmx__features_read(const json_t *list, size_t n_features, const char *path,
                              rmx__features *out, rmx_err *err) {
  size_t Q = json_array_size(list), n = 0;
  if ((list && !json_is_array(list)) || Q >= n_features)
    return rmx_fail(err, RMX_EINPUT, "%s: \"totals\" must be a list of fewer than %zu lists", path,
                    n_features);
  *out = (rmx__features){.D = n_features - Q};
  for (size_t q = 0; q < Q; q++) n += json_array_size(json_array_get(list, q));
  if (Q == 0) return RMX_OK;
  out->start = rmx_calloc(Q + 1, sizeof(size_t));
  out->member = rmx_calloc(n + 1, sizeof(size_t));
  if (!out->start || !out->member) return no_memory(n, err);
  for (size_t q = 0; q < Q; q++) {
    const json_t *one = json_array_get(list, q);
    out->start[q + 1] = out->start[q];
    for (size_t i = 0; i < json_array_size(one); i++) {
      const json_t *d = json_array_get(one, i);
      json_int_t at = json_integer_value(d);
      if (!json_is_integer(d) || at < 0 || (size_t)at >= out->D)
        return rmx_fail(err, RMX_EINPUT, "%s: item %zu of \"totals\" must be indices below %zu",
                        path, q, out->D);
      out->member[out->start[q + 1]++] = (size_t)at;
    }
  }
  out->Q = Q;
  return RMX_OK;
}
