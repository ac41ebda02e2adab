// SPDX-License-Identifier: Apache-2.0
#include "cost.h"

#include <stdlib.h>

double rmx__run_cost(const rmx_run *r) {
  rmx_model_config model;
  rmx_err ignored;
  if (rmx_training_model(&r->training, r->vocab, &model, &ignored) != RMX_OK) return 0;
  return (double)rmx_model_parameters(&model) * (double)r->training.tokens;
}

struct costed {
  double cost;
  size_t run;
};

static int dearer(const void *a, const void *b) {
  const struct costed *x = a, *y = b;
  if (x->cost != y->cost) return x->cost > y->cost ? -1 : 1;
  return x->run < y->run ? -1 : x->run > y->run;
}

void rmx__longest_first(const rmx_run *runs, size_t n, size_t *order) {
  RMX_OWNED struct costed *all = rmx_calloc(n, sizeof *all);
  for (size_t k = 0; all && k < n; k++) all[k] = (struct costed){rmx__run_cost(&runs[k]), k};
  if (all) qsort(all, n, sizeof *all, dearer);
  for (size_t k = 0; k < n; k++) order[k] = all ? all[k].run : k;
}
