// SPDX-License-Identifier: Apache-2.0
// The authors' published runs, where they are: 512 to fit on and 256 unseen, 17 domains, 13
// metrics.
#ifndef RMX_TESTS_NUM_PUBLISHED_H
#define RMX_TESTS_NUM_PUBLISHED_H

#include <regmix/regress.h>

#include "testing.h"

typedef struct published {
  rmx_table train_x, train_y, unseen_x, unseen_y;
} published;

static inline void read_table(const char *folder, const char *name, rmx_table *out) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  must(rmx_csv_read(path, out, err));
}

// Reads the published runs. False, and a line that says so, if they are missing, or the file of
// reference results is (NULL: none is needed).
static inline bool published_read(published *p, const char *test, const char *reference) {
  const char *folder = shared_folder();
  if (!shared_has(test, "data/regmix-paper/train_mixture_1m.csv")) return false;
  if (reference && !shared_has(test, reference)) return false;
  read_table(folder, "data/regmix-paper/train_mixture_1m.csv", &p->train_x);
  read_table(folder, "data/regmix-paper/train_pile_loss_1m.csv", &p->train_y);
  read_table(folder, "data/regmix-paper/test_mixture_1m.csv", &p->unseen_x);
  read_table(folder, "data/regmix-paper/test_pile_loss_1m.csv", &p->unseen_y);
  return true;
}

static inline void published_release(published *p) {
  rmx_table_release(&p->train_x);
  rmx_table_release(&p->train_y);
  rmx_table_release(&p->unseen_x);
  rmx_table_release(&p->unseen_y);
}

// A copy of one metric's column, the metric named as a user would.
static inline double *column_of(const rmx_table *t, const char *metric) {
  size_t k = 0;
  must(rmx_find_name("metric", metric, (const char *const *)t->names, t->D, &k, err));
  double *y = calloc(t->N, sizeof(double));
  for (size_t i = 0; i < t->N; i++) y[i] = t->x[i * t->D + k];
  return y;
}

#endif
