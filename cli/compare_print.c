// SPDX-License-Identifier: Apache-2.0
// Comparisons of large models as tables: large/comparison.json and compare/methods.json.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

// sign times x; "-" if x is not a number.
static void number_cell(cli_table *t, const json_t *x, double sign) {
  char text[CLI_NUMBER];
  cli_cell(t, "%s",
           cli_number(json_is_number(x) ? sign * json_number_value(x) : NAN, 4, 'f', text));
}

// A paired difference as four columns: mean, low, high, verdict. sign: -1 for a score.
static void difference_cells(cli_table *t, const json_t *difference, double sign) {
  number_cell(t, json_object_get(difference, "mean"), sign);
  number_cell(t, json_object_get(difference, sign < 0 ? "high" : "low"), sign);
  number_cell(t, json_object_get(difference, sign < 0 ? "low" : "high"), sign);
  cli_cell(t, "%s", cli_text(difference, "verdict"));
}

static void empty_cells(cli_table *t, int n) {
  while (n-- > 0) cli_cell(t, "%s", "");
}

// Whether all that is in the target are losses of domains.
static bool is_loss(const json_t *target) {
  const char *name;
  json_t *weight;
  json_object_foreach((json_t *)(uintptr_t)target, name, weight) {
    const char *end = strstr(name, "_val_loss");
    if (!end || end[9]) return false;
  }
  return true;
}

// A target of scores alone is computed with negative weights. A person reads the scores.
static double sign_of(const json_t *target) {
  const char *name;
  json_t *weight;
  json_object_foreach((json_t *)(uintptr_t)target, name, weight) {
    if (json_number_value(weight) >= 0) return 1;
  }
  return json_object_size(target) ? -1 : 1;
}

// What the numbers are: "nats per token", or the scores of the target.
static void print_unit(const json_t *target) {
  const char *name, *between = "";
  json_t *weight;
  if (is_loss(target)) {
    cli_print("nats per token");
    return;
  }
  cli_print("target score: ");
  json_object_foreach((json_t *)(uintptr_t)target, name, weight) {
    const double w = sign_of(target) * json_number_value(weight);
    cli_print("%s", between);
    if (w != 1) cli_print("%g x ", w);
    cli_print("%s", rmx_shown(name));
    between = " + ";
  }
}

void print_comparison(const json_t *root) {
  cli_table t = {.align = "lrrrrrl", .indent = 2};
  const double sign = sign_of(json_object_get(root, "target"));
  size_t i;
  json_t *row;
  cli_cell(&t, "large model on");
  cli_cell(&t, is_loss(json_object_get(root, "target")) ? "target loss" : "target score");
  cli_cell(&t, "se");
  cli_cell(&t, "minus optimum");
  cli_cell(&t, "from");
  cli_cell(&t, "to");
  cli_cell(&t, "%s", "");
  json_array_foreach(json_object_get(root, "rows"), i, row) {
    const json_t *detail = json_object_get(row, "domain") ? json_object_get(row, "domain")
                                                          : json_object_get(row, "run"),
                 *loss = json_object_get(row, "target_loss");
    cli_cell(&t, "%s%s%s%s", cli_text(row, "name"), detail ? " (" : "",
             detail ? json_string_value(detail) : "", detail ? ")" : "");
    number_cell(&t, json_object_get(loss, "mean"), sign);
    number_cell(&t, json_object_get(loss, "se"), 1);
    if (i > 0)
      difference_cells(&t, json_object_get(row, "against_optimum"), sign);
    else
      empty_cells(&t, 4);
  }
  cli_table_print(&t);
  const size_t seeds = json_array_size(json_object_get(root, "seeds"));
  cli_print("  (");
  print_unit(json_object_get(root, "target"));
  cli_print("; differences are paired over %zu seed%s; from, to: %.0f %% t interval)\n", seeds,
            rmx_s(seeds), 100 * RMX_VERDICT_LEVEL);
}

rmx_status print_comparison_of(const cli *c, rmx_err *err) {
  json_t *tree;
  RMX_TRY(cli_read(c, "large/comparison.json", &tree, err));
  return cli_show(c, tree, print_comparison);
}

// ---- the methods

// The weights of the first method that has some: the domains.
static const json_t *first_weights(const json_t *root) {
  size_t i;
  json_t *name;
  json_array_foreach(json_object_get(root, "order"), i, name) {
    const json_t *weights = json_object_get(
        json_object_get(json_object_get(root, "methods"), json_string_value(name)), "weights");
    if (json_is_object(weights)) return weights;
  }
  return NULL;
}

// A row for each domain and a column for each method.
static void print_weights(const json_t *root) {
  const json_t *order = json_object_get(root, "order"), *methods = json_object_get(root, "methods");
  char align[64];
  size_t i, n = 0;
  json_t *name, *w;
  const char *domain;
  RMX_OWNED_BY(rmx_buf_release) rmx_buf while_training = {0};
  cli_table t = {.align = align, .indent = 2};
  cli_cell(&t, "domain");
  align[n++] = 'l';
  json_array_foreach(order, i, name) {
    const json_t *method = json_object_get(methods, json_string_value(name));
    if (!json_is_object(json_object_get(method, "weights")) || n + 1 == sizeof align) continue;
    cli_cell(&t, "%s", json_string_value(name));
    align[n++] = 'r';
    if (json_is_true(json_object_get(method, "chooses_while_training")))
      rmx_buf_printf(&while_training, "%s%s", while_training.size ? ", " : "",
                     json_string_value(name));
  }
  align[n] = '\0';
  json_object_foreach((json_t *)first_weights(root), domain, w) {
    cli_cell(&t, "%s", domain);
    size_t k = 1;
    json_array_foreach(order, i, name) {
      const json_t *weights =
          json_object_get(json_object_get(methods, json_string_value(name)), "weights");
      if (json_is_object(weights) && k++ < n)
        cli_cell(&t, "%.2f", 100 * json_number_value(json_object_get(weights, domain)));
    }
  }
  cli_print("\nThe weights of each method, %%:\n");
  cli_table_print(&t);
  if (while_training.size)
    cli_print("  (%s chose while training)\n", rmx_shown(while_training.data));
}

// How it ended, if not well, and whether its search did.
static void ending_cell(cli_table *t, const json_t *method, const char *verdict) {
  const json_t *converged = json_object_get(method, "converged");
  const char *status = cli_text(method, "status");
  if (strcmp(status, "done") == 0) status = "";
  cli_cell(t, "%s%s%s%s%s", verdict, *verdict && *status ? "  " : "", status,
           !json_is_boolean(converged) ? ""
           : *verdict || *status       ? "  "
                                       : "",
           !json_is_boolean(converged) ? ""
           : json_is_true(converged)   ? "(converged)"
                                       : "(did not converge)");
}

static void print_methods(const json_t *root) {
  const json_t *order = json_object_get(root, "order"), *methods = json_object_get(root, "methods");
  const char *first = json_string_value(json_array_get(order, 0));
  static const char *const heads[] = {"method", "target loss", "se", "search FLOPs", "search"};
  cli_table t = {.align = "lrrrrrrrl", .indent = 2};
  size_t i;
  json_t *name;
  for (i = 0; i < sizeof heads / sizeof *heads; i++) cli_cell(&t, "%s", heads[i]);
  cli_cell(&t, "minus %s", first ? first : "");
  cli_cell(&t, "from");
  cli_cell(&t, "to");
  cli_cell(&t, "%s", "");
  json_array_foreach(order, i, name) {
    const json_t *o = json_object_get(methods, json_string_value(name)),
                 *loss = json_object_get(o, "target_loss"),
                 *against = json_object_get(o, "against_first");
    const bool compared = i && strcmp(cli_text(o, "status"), "search diverged") != 0;
    char time[32];
    cli_cell(&t, "%s", json_string_value(name));
    number_cell(&t, json_object_get(loss, "mean"), 1);
    number_cell(&t, json_object_get(loss, "se"), 1);
    cli_cell(&t, "%.3g", cli_get(o, "search_flops"));
    cli_cell(&t, "%s", rmx_duration(cli_get(o, "search_wall_s"), time));
    if (compared) {
      number_cell(&t, json_object_get(against, "mean"), 1);
      number_cell(&t, json_object_get(against, "low"), 1);
      number_cell(&t, json_object_get(against, "high"), 1);
    } else {
      empty_cells(&t, 3);
    }
    ending_cell(&t, o, compared ? cli_text(against, "verdict") : "");
  }
  cli_table_print(&t);
  const double seeds = cli_get(root, "seeds");
  cli_print(
      "  (nats per token over %.0f seed%s; differences are paired; from, to: %.0f %% t interval;\n "
      " search: all FLOPs and processor time to find the mixture; each method could use %.3g "
      "FLOPs)\n",
      seeds, rmx_s(seeds), 100 * RMX_VERDICT_LEVEL, cli_get(root, "budget_flops"));
  print_weights(root);
}

rmx_status print_methods_of(const cli *c, rmx_err *err) {
  json_t *tree;
  RMX_TRY(cli_read(c, "compare/methods.json", &tree, err));
  return cli_show(c, tree, print_methods);
}
