// SPDX-License-Identifier: Apache-2.0
// Options that several commands have, and what several commands print.
#ifndef RMX_CLI_STEPS_H
#define RMX_CLI_STEPS_H

#include "cli.h"

// A command that reads tables has one rmx_table_form, `tables`, and options of these names.
#define MIXTURE_COLUMNS_OPTION(type, tables)                                                    \
  {                                                                                             \
    "mixture-columns", RMX_LIST, offsetof(type, tables.mixture_columns), NULL, 0, 0, "PATTERN", \
        "columns of --mixtures that contain weights, for example 'config.mixture.*'; may be "   \
        "given several times"                                                                   \
  }
#define METRIC_COLUMNS_OPTION(type, tables)                                                   \
  {                                                                                           \
    "metric-columns", RMX_LIST, offsetof(type, tables.metric_columns), NULL, 0, 0, "PATTERN", \
        "columns of --metrics to read, for example '*_loss'; may be given several times"      \
  }
#define ID_OPTION(type, tables)                                                                \
  {                                                                                            \
    "id", RMX_TEXT, offsetof(type, tables.id), NULL, 0, 0, "COLUMN",                           \
        "column with the names of the runs; row: the number of the row is the name; default: " \
        "the first column"                                                                     \
  }
#define FOR_OPTION(type, member)                                                            \
  {                                                                                         \
    "for", RMX_TEXT, offsetof(type, member), NULL, 0, 0, "SIZE,TOKENS",                     \
        "parameters and tokens of the model to answer for, as in 1.2B,100G; needed if the " \
        "fit has runs of several sizes or lengths"                                          \
  }

#define REDO_OPTION(type)                                                                     \
  {                                                                                           \
    "redo", RMX_BOOL, offsetof(type, redo), "false", 0, 0, NULL,                              \
        "continue if finished runs will no longer be used; they are set aside. Without it a " \
        "script stops there, and a person is asked"                                           \
  }
#define DRY_RUN_OPTION(type)                                                             \
  {                                                                                      \
    "dry-run", RMX_BOOL, offsetof(type, dry_run), "false", 0, 0, NULL,                   \
        "print what each step would do and how long training would take; change nothing" \
  }
// A command that asks something of a fit has one rmx_problem_request, `problem`, these options, and
// those of rmx_search_option_table.
#define PROBLEM_OPTION(type, key, kind, member, low, high, value, help) \
  { key, kind, offsetof(type, problem.member), NULL, low, high, value, help }
#define PROBLEM_OPTIONS(type)                                                                  \
  PROBLEM_OPTION(type, "target", RMX_LIST, target, 0, 0, "NAME[=WEIGHT]",                      \
                 "metric (or group of metrics) to improve: it is lowered, or raised if it is " \
                 "known to be a score; may be given several times"),                           \
      PROBLEM_OPTION(type, "maximize", RMX_LIST, maximize, 0, 0, "NAME[=WEIGHT]",              \
                     "metric to raise, such as an accuracy; may be given several times"),      \
      PROBLEM_OPTION(type, "prior", RMX_TEXT, prior, 0, 0, "FILE",                             \
                     "prior mixture, to draw mixtures around and to measure the gain from; "   \
                     "default: from the corpus, or else the mean of the runs"),                \
      PROBLEM_OPTION(type, "budget", RMX_REAL, budget, 1, 1e18, "TOKENS",                      \
                     "number of tokens of the large run, for caps by epochs"),                 \
      PROBLEM_OPTION(type, "max-epochs", RMX_LIST, max_epochs, 0, 0, "[DOMAIN=]X",             \
                     "largest number of times the large run may repeat a domain (default 4), " \
                     "or one domain; may be given several times"),                             \
      PROBLEM_OPTION(type, "phases", RMX_LIST, phases, 0, 0, "SHARE,SHARE",                    \
                     "shares of the tokens of the phases, for runs with phases"),              \
      PROBLEM_OPTION(type, "given", RMX_LIST, given, 0, 0, "FILE",                             \
                     "mixture that the first phase keeps, while the others are searched"),     \
      PROBLEM_OPTION(type, "tokens", RMX_TEXT, tokens, 0, 0, "FILE",                           \
                     "number of tokens available in each domain, YAML or CSV"),                \
      FOR_OPTION(type, problem.scale)
// Prints a mixture as columns with bars, largest weight first. prior may be NULL, and so may the
// intervals low and high.
void print_mixture(const char *const *names, const double *w, const double *prior,
                   const double *low, const double *high, size_t D);
// fold: print the nodes of that many levels instead of all domains; 0: all domains.
void print_answer(const rmx_answer *s, int64_t fold);
// Prints the gain of the optimum, from optimum.yaml.
rmx_status print_gain_of(const rmx_experiment *e, rmx_err *err);
// Prints compare/methods.json.
rmx_status print_methods_of(const cli *c, rmx_err *err);
// Prints large/comparison.json.
rmx_status print_comparison_of(const cli *c, rmx_err *err);

#endif
