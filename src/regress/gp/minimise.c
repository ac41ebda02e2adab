// SPDX-License-Identifier: Apache-2.0
// L-BFGS with the settings that suit a likelihood.
#include <regmix/base.h>

#include "minimise.h"

static int stop_when_interrupted(void *instance, const lbfgsfloatval_t *x, const lbfgsfloatval_t *g,
                                 lbfgsfloatval_t value, lbfgsfloatval_t x_norm,
                                 lbfgsfloatval_t g_norm, lbfgsfloatval_t step, int n, int k,
                                 int tries) {
  return rmx_interrupted();
}

int rmx__gp_minimise(size_t n, double *x, int steps, lbfgs_evaluate_t evaluate, void *context) {
  lbfgs_parameter_t how;
  lbfgs_parameter_init(&how);
  how.m = 20;
  how.epsilon = 1e-3;
  how.past = 4;
  how.delta = 1e-5;
  how.max_iterations = steps;
  how.max_linesearch = 20;
  how.linesearch = LBFGS_LINESEARCH_BACKTRACKING_WOLFE;  // it works with infinite values
  double value;
  return lbfgs((int)n, x, &value, evaluate, stop_when_interrupted, context, &how);
}
