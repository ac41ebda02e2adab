// SPDX-License-Identifier: Apache-2.0
// Comparisons of large models as tables: large/comparison.json and compare/methods.json.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

// "-" if x is not a number.
static void print_number(const json_t *x, int width, int digits) {
  if (json_is_number(x))
    printf("%*.*f", width, digits, json_number_value(x));
  else
    printf("%*s", width, "-");
}

// A paired difference as four columns: mean, low, high, verdict.
static void print_difference(const json_t *difference) {
  const json_t *verdict = json_object_get(difference, "verdict");
  print_number(json_object_get(difference, "mean"), 13, 4);
  print_number(json_object_get(difference, "low"), 9, 4);
  print_number(json_object_get(difference, "high"), 9, 4);
  if (json_is_string(verdict)) printf("  %s", json_string_value(verdict));
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

// What the numbers are: "nats per token", or the scores of the target.
static void print_unit(const json_t *target) {
  const char *name, *between = "";
  json_t *weight;
  if (is_loss(target)) {
    printf("nats per token");
    return;
  }
  printf("target score: ");
  json_object_foreach((json_t *)(uintptr_t)target, name, weight) {
    const double w = json_number_value(weight);
    printf("%s", between);
    if (w != 1) printf("%g x ", w);
    printf("%s", rmx_shown(name));
    between = " + ";
  }
}

static void print_comparison(const json_t *root) {
  size_t i;
  json_t *row;
  printf("  %-22s %12s %8s   %13s %8s %8s\n", "large model on",
         is_loss(json_object_get(root, "target")) ? "target loss" : "target score", "se",
         "minus optimum", "from", "to");
  json_array_foreach(json_object_get(root, "rows"), i, row) {
    const json_t *detail = json_object_get(row, "domain") ? json_object_get(row, "domain")
                                                          : json_object_get(row, "run");
    char name[300];
    snprintf(name, sizeof name, "%s%s%s%s", cli_text(row, "name"), detail ? " (" : "",
             detail ? json_string_value(detail) : "", detail ? ")" : "");
    const json_t *loss = json_object_get(row, "target_loss"),
                 *against = json_object_get(row, "against_optimum");
    printf("  %-*s ", rmx_pad(rmx_shown(name), 22), rmx_shown(name));
    print_number(json_object_get(loss, "mean"), 12, 4);
    print_number(json_object_get(loss, "se"), 9, 4);
    if (i > 0) {
      printf("   ");
      print_difference(against);
    }
    putchar('\n');
  }
  const size_t seeds = json_array_size(json_object_get(root, "seeds"));
  printf("  (");
  print_unit(json_object_get(root, "target"));
  printf("; differences are paired over %zu seed%s; from, to: %.0f %% t interval)\n", seeds,
         rmx_s(seeds), 100 * RMX_VERDICT_LEVEL);
}

rmx_status print_comparison_of(const cli *c, rmx_err *err) {
  json_t *tree;
  RMX_TRY(cli_read(c, "large/comparison.json", &tree, err));
  return cli_show(c, tree, print_comparison);
}

// ---- the methods

static void print_weights(const json_t *root) {
  const json_t *order = json_object_get(root, "order"), *methods = json_object_get(root, "methods"),
               *first = NULL;
  size_t i;
  json_t *name;
  json_array_foreach(order, i, name) {
    first = json_object_get(json_object_get(methods, json_string_value(name)), "weights");
    if (json_is_object(first)) break;
  }
  printf("\nThe weights of each method, %%:\n  %-16s", "");
  const char *domain;
  json_t *w;
  json_object_foreach((json_t *)first, domain, w) printf(" %9.9s", rmx_shown(domain));
  putchar('\n');
  json_array_foreach(order, i, name) {
    const json_t *method = json_object_get(methods, json_string_value(name)),
                 *weights = json_object_get(method, "weights");
    if (!json_is_object(weights)) continue;
    printf("  %-16s", rmx_shown(json_string_value(name)));
    json_object_foreach((json_t *)weights, domain, w) printf(" %9.2f", 100 * json_number_value(w));
    printf("%s\n", json_is_true(json_object_get(method, "chooses_while_training"))
                       ? "  chose while training"
                       : "");
  }
}

static void print_methods(const json_t *root) {
  const json_t *order = json_object_get(root, "order"), *methods = json_object_get(root, "methods");
  const char *first = json_string_value(json_array_get(order, 0));
  size_t i;
  json_t *name;
  printf("  %-16s %11s %8s %13s %10s   minus %-7.7s %8s %8s\n", "method", "target loss", "se",
         "search FLOPs", "search", rmx_shown(first), "from", "to");
  json_array_foreach(order, i, name) {
    const json_t *o = json_object_get(methods, json_string_value(name)),
                 *loss = json_object_get(o, "target_loss");
    const json_t *against = json_object_get(o, "against_first"),
                 *converged = json_object_get(o, "converged");
    const char *status = cli_text(o, "status");
    char time[32];
    printf("  %-16s ", rmx_shown(json_string_value(name)));
    print_number(json_object_get(loss, "mean"), 11, 4);
    print_number(json_object_get(loss, "se"), 9, 4);
    printf(" %13.3g %10s   ", cli_get(o, "search_flops"),
           rmx_duration(cli_get(o, "search_wall_s"), time));
    if (i && strcmp(status, "search diverged") != 0) print_difference(against);
    if (strcmp(status, "done") != 0) printf("  %s", status);
    if (json_is_boolean(converged))
      printf("  (%s)", json_is_true(converged) ? "converged" : "did not converge");
    putchar('\n');
  }
  const double seeds = cli_get(root, "seeds");
  printf(
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
