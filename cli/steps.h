// SPDX-License-Identifier: Apache-2.0
// Options that several commands have, and what several commands print.
#ifndef RMX_CLI_STEPS_H
#define RMX_CLI_STEPS_H

#include "cli.h"

// A command that reads tables has one rmx_table_form, `tables`, and options of these names.
#define MIXTURE_COLUMNS_OPTION(type, tables)                                                       \
  {                                                                                                \
    "mixture-columns", RMX_LIST, offsetof(type, tables.mixture_columns), NULL, 0, 0, "PATTERN",    \
        "the columns of --mixtures that are weights, as 'config.mixture.*'; may be given several " \
        "times"                                                                                    \
  }
#define METRIC_COLUMNS_OPTION(type, tables)                                                   \
  {                                                                                           \
    "metric-columns", RMX_LIST, offsetof(type, tables.metric_columns), NULL, 0, 0, "PATTERN", \
        "the columns of --metrics wanted, as '*_loss'; may be given several times"            \
  }
#define ID_OPTION(type, tables)                                                               \
  {                                                                                           \
    "id", RMX_TEXT, offsetof(type, tables.id), NULL, 0, 0, "COLUMN",                          \
        "the column that names the runs, in tables with columns; row: the number of the row " \
        "names it; default: the first column"                                                 \
  }

#define REDO_OPTION(type)                                                                         \
  {                                                                                               \
    "redo", RMX_BOOL, offsetof(type, redo), "false", 0, 0, NULL,                                  \
        "go on where finished runs will no longer be used; without it a script stops there, and " \
        "a person is asked. They are set aside"                                                   \
  }
#define DRY_RUN_OPTION(type)                                                            \
  {                                                                                     \
    "dry-run", RMX_BOOL, offsetof(type, dry_run), "false", 0, 0, NULL,                  \
        "say what each step would do, and how long training would take; change nothing" \
  }
// A command that asks something of a fit has one rmx_problem_request, `problem`, and these options.
#define PROBLEM_AT(type, member) offsetof(type, problem.member)
// clang-format off
#define PROBLEM_OPTIONS(type)                                                                      \
  {"target", RMX_LIST, PROBLEM_AT(type, target), NULL, 0, 0, "NAME[=WEIGHT]",                      \
   "metric (or group of metrics) to be improved: lowered, or raised where it is known to be a "    \
   "score; may be given several times"},                                                           \
  {"maximize", RMX_LIST, PROBLEM_AT(type, maximize), NULL, 0, 0, "NAME[=WEIGHT]",                  \
   "metric to be raised (accuracies)"},                                                            \
  {"metric-group", RMX_LIST, PROBLEM_AT(type, keep.metric_group), NULL, 0, 0, "NAME=METRIC,...",   \
   "metrics whose mean can be a target, by this name"},                                            \
  {"no-worse", RMX_LIST, PROBLEM_AT(type, keep.no_worse), NULL, 0, 0, "METRIC[=SLACK]",            \
   "metric (or group) predicted no worse than under --than, by more than the slack"},              \
  {"worst", RMX_BOOL, PROBLEM_AT(type, keep.worst), "false", 0, 0, NULL,                           \
   "improve the worst of the target's metrics, relative to --than, not their sum"},                \
  {"than", RMX_TEXT, PROBLEM_AT(type, keep.than), NULL, 0, 0, "FILE",                              \
   "mixture that --no-worse and --worst compare with; default: the prior"},                        \
  {"prior", RMX_TEXT, PROBLEM_AT(type, prior), NULL, 0, 0, "FILE",                                 \
   "mixture to sample around, YAML or CSV; default: the corpus', else the mean of the runs"},      \
  {"floor", RMX_LIST, PROBLEM_AT(type, keep.floor), NULL, 0, 0, "DOMAIN=WEIGHT",                   \
   "the least weight of a domain"},                                                                \
  {"cap", RMX_LIST, PROBLEM_AT(type, keep.cap), NULL, 0, 0, "DOMAIN=WEIGHT",                       \
   "the greatest weight of a domain"},                                                             \
  {"fix", RMX_LIST, PROBLEM_AT(type, keep.fix), NULL, 0, 0, "DOMAIN=WEIGHT",                       \
   "the weight of a domain"},                                                                      \
  {"share", RMX_LIST, PROBLEM_AT(type, keep.share), NULL, 0, 0, "NAME=LOW..HIGH:DOMAIN,...",       \
   "the weight of several domains together"},                                                      \
  {"budget", RMX_REAL, PROBLEM_AT(type, budget), NULL, 1, 1e18, "TOKENS",                          \
   "tokens of the large run, for caps by epochs"},                                                 \
  {"max-epochs", RMX_REAL, PROBLEM_AT(type, max_epochs), NULL, 1e-6, 1e9, "X",                     \
   "times a domain may be repeated in it at most (default 4)"},                                    \
  {"tokens", RMX_TEXT, PROBLEM_AT(type, tokens), NULL, 0, 0, "FILE",                               \
   "tokens there are of each domain: YAML or CSV, domain and count"},                              \
  {"drop-below", RMX_REAL, PROBLEM_AT(type, keep.drop_below), NULL, 1e-9, 1, "X",                  \
   "a weight is 0 or at least this"},                                                              \
  {"reference", RMX_TEXT, PROBLEM_AT(type, keep.reference), NULL, 0, 0, "FILE",                    \
   "mixture not to stray from; default: the prior"},                                               \
  {"max-kl", RMX_REAL, PROBLEM_AT(type, keep.max_kl), NULL, 1e-9, 1e3, "NATS",                     \
   "divergence from the reference at most"},                                                       \
  {"kl-penalty", RMX_REAL, PROBLEM_AT(type, keep.kl_penalty), NULL, 1e-9, 1e9, "X",                \
   "times the divergence from the reference is added to the score"}
// clang-format on
// Prints a mixture as columns with bars, largest weight first. prior may be NULL, and so may the
// intervals low and high.
void print_mixture(const char *const *names, const double *w, const double *prior,
                   const double *low, const double *high, size_t D);
void print_answer(const rmx_answer *s);
// what optimum.yaml says the optimum gains
rmx_status print_gain_of(const rmx_experiment *e, rmx_err *err);
// rmx_scores_json() as a tree, a new reference; NULL where memory is short.
json_t *scores_json(const rmx_scores *s, const rmx_diagnostics *d);
// Prints compare/methods.json.
rmx_status print_methods_of(const rmx_experiment *e, bool json, rmx_err *err);
// Prints large/comparison.json.
rmx_status print_comparison_of(const rmx_experiment *e, bool json, rmx_err *err);

#endif
