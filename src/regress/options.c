// SPDX-License-Identifier: Apache-2.0
// The options of all regressors: one table for the config, --set and the man page.

#include "options.h"

#define AT(member) offsetof(rmx_regress_options, member)

const rmx_option rmx_regress_option_table[] = {
    {"fit.regressor", RMX_CHOICE, AT(regressor), "auto", 0, 0,
     "ridge|trees|exp|power|exposure|gp|shared|ensemble|scaling|additive-law|full-law|auto",
     "kind of function that is fitted from mixture to metric"},
    {"fit.folds", RMX_INT, AT(folds), "5", 2, 1000, "N", "number of folds of the cross-validation"},
    {"fit.skip_missing", RMX_BOOL, AT(skip_missing), "false", 0, 0, NULL,
     "leave runs without a value of a metric out of its fit (always so for diverged runs of an "
     "experiment)"},
    {"fit.normalize", RMX_BOOL, AT(normalize), "false", 0, 0, NULL,
     "divide mixtures that do not sum to 1 (percentages, rounded shares) by their sum; otherwise "
     "they are an error"},
    {"fit.higher_is_better", RMX_LIST, AT(higher_is_better), NULL, 0, 0, "PATTERN",
     "metrics of which higher is better, such as '*_acc' (default: as their names say)"},
    {"fit.lower_is_better", RMX_LIST, AT(lower_is_better), NULL, 0, 0, "PATTERN",
     "metrics of which lower is better (default: as their names say)"},
    {"ridge.alpha", RMX_REAL, AT(ridge.alpha), "1", 0, 1e12, "X",
     "penalty on the squared coefficients; the intercept has none"},
    {"ridge.sqrt", RMX_BOOL, AT(ridge.sqrt), "false", 0, 0, NULL,
     "use the square roots of the weights as features"},
    {"trees.rounds", RMX_INT, AT(trees.rounds), "1000", 0, 1000000, "N",
     "number of boosting rounds; 0: chosen by cross-validation inside the runs"},
    {"trees.learning_rate", RMX_REAL, AT(trees.learning_rate), "0.01", 1e-9, 1, "X",
     "factor on the values of each tree"},
    {"trees.leaves", RMX_INT, AT(trees.leaves), "31", 2, 65536, "N",
     "largest number of leaves per tree"},
    {"trees.min_data_in_leaf", RMX_INT, AT(trees.min_data_in_leaf), "20", 1, 1e9, "N",
     "smallest number of runs per leaf"},
    {"trees.min_hessian", RMX_REAL, AT(trees.min_hessian), "0.001", 0, 1e12, "X",
     "smallest sum of row weights per leaf"},
    {"trees.max_bin", RMX_INT, AT(trees.max_bin), "255", 2, 65535, "N",
     "largest number of bins for the weights of a domain"},
    {"trees.min_data_in_bin", RMX_INT, AT(trees.min_data_in_bin), "3", 1, 1e9, "N",
     "smallest number of runs per bin"},
    {"trees.lambda_l1", RMX_REAL, AT(trees.lambda_l1), "0", 0, 1e12, "X",
     "L1 penalty on leaf values"},
    {"trees.lambda_l2", RMX_REAL, AT(trees.lambda_l2), "0", 0, 1e12, "X",
     "L2 penalty on leaf values"},
    {"trees.min_gain", RMX_REAL, AT(trees.min_gain), "0", 0, 1e12, "X", "smallest gain of a split"},
    {"trees.max_depth", RMX_INT, AT(trees.max_depth), "-1", -1, 1e6, "N",
     "largest depth of a tree; -1 for no limit"},
    {"exp.terms", RMX_INT, AT(exp.terms), "1", 1, 64, "N",
     "number of exponential terms in the sum"},
    {"power.own", RMX_BOOL, AT(power.own), "true", 0, 0, NULL,
     "expect the domain that a metric measures to count for more"},
    {"power.robust", RMX_BOOL, AT(power.robust), "false", 0, 0, NULL,
     "assume errors with Student's t distribution, for noisy metrics"},
};
const size_t rmx_regress_option_table_n =
    sizeof(rmx_regress_option_table) / sizeof(rmx_regress_option_table[0]);

static bool copy_list(const rmx_strings *from, rmx_strings *to) {
  for (size_t i = 0; i < from->n; i++)
    if (!rmx_strings_add(to, from->items[i])) return false;
  return true;
}

rmx_status rmx__options_copy(const rmx_regress_options *options, rmx_regress_options *out,
                             rmx_err *err) {
  rmx_regress_options o = *options;
  o.higher_is_better = o.lower_is_better = (rmx_strings){0};
  o.regressor = rmx_strdup(options->regressor ? options->regressor : "");
  bool good = o.regressor && copy_list(&options->higher_is_better, &o.higher_is_better) &&
              copy_list(&options->lower_is_better, &o.lower_is_better);
  if (!good) {
    rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &o);
    return rmx_fail_memory(err, 64, "options of a fit");
  }
  *out = o;
  return RMX_OK;
}
