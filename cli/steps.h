// SPDX-License-Identifier: Apache-2.0
// Options that several commands have, and what several commands print.
#ifndef RMX_CLI_STEPS_H
#define RMX_CLI_STEPS_H

#include <regmix/requests.h>

#include "cli.h"

#define REDO_OPTION(type)                                                                     \
  {                                                                                           \
    "redo", RMX_BOOL, offsetof(type, redo), "false", 0, 0, NULL,                              \
        "continue if finished runs will no longer be used; they are set aside. Without it a " \
        "script stops there, and a person is asked (not where only an optimum moved)"         \
  }
#define DRY_RUN_OPTION(type)                                                             \
  {                                                                                      \
    "dry-run", RMX_BOOL, offsetof(type, dry_run), "false", 0, 0, NULL,                   \
        "print what each step would do and how long training would take; change nothing" \
  }
// What is marked with | in a table of a mixture, by domain: weights, and ends of intervals.
typedef struct cli_marks {
  const bool *weight, *low, *high;  // (D) each may be NULL
} cli_marks;
// Prints a mixture as columns with bars, largest weight first. prior may be NULL, and so may the
// interval low and high, and marks.
void print_mixture(const char *const *names, const double *w, const double *prior,
                   const double *low, const double *high, const cli_marks *marks, size_t D);
// The nodes of s->fold levels in place of all domains; 0: all domains.
void print_answer(const rmx_answer *s);
// Prints the gain of the optimum, the tree of an optimum.yaml.
void print_gain(const json_t *optimum);
// Prints compare/methods.json.
rmx_status print_methods_of(const cli *c, rmx_err *err);
// Prints the tree of large/comparison.json.
void print_comparison(const json_t *root);
// Prints large/comparison.json, or shows it as JSON.
rmx_status print_comparison_of(const cli *c, rmx_err *err);

#endif
