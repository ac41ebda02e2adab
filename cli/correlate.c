// SPDX-License-Identifier: Apache-2.0
// regmix correlate: prints which validation loss predicts which score.
#include <stdlib.h>
#include <string.h>

#include <regmix/requests.h>

#include "cli.h"

enum { SHOWN = 12 };  // losses of a score

static const rmx_correlations *sorted;
static size_t sorted_by;

static int by_agreement(const void *a, const void *b) {
  const rmx_correlation *pairs = sorted->pairs;
  const double x = pairs[*(const size_t *)a * sorted->S + sorted_by].agreement,
               y = pairs[*(const size_t *)b * sorted->S + sorted_by].agreement;
  if (x != x || y != y) return (x != x) - (y != y);
  return (x < y) - (x > y);
}

static void pair_cells(cli_table *t, const rmx_correlations *c, size_t l, size_t s) {
  const rmx_correlation *p = &c->pairs[l * c->S + s];
  char text[2][CLI_NUMBER];
  const bool known = p->low == p->low;
  cli_cell(t, "%s", c->losses[l]);
  cli_cell(t, "%s", cli_number(p->rho, 3, 'f', text[0]));
  cli_cell(t, "%s%s%s", known ? cli_number(p->low, 3, 'f', text[0]) : "", known ? " to " : "",
           known ? cli_number(p->high, 3, 'f', text[1]) : "");
  cli_cell(t, "%s",
           p->rho != p->rho ? "too few runs with different values"
           : !p->told       ? "not known from these runs"
           : !p->clear      ? "not clear among so many pairs"
                            : "");
}

static rmx_status print_score(const rmx_correlations *c, size_t s, rmx_err *err) {
  RMX_OWNED size_t *order = rmx_calloc(c->L, sizeof *order);
  if (!order) return rmx_fail_memory(err, c->L * sizeof *order, "losses");
  for (size_t l = 0; l < c->L; l++) order[l] = l;
  sorted = c;
  sorted_by = s;
  qsort(order, c->L, sizeof *order, by_agreement);
  cli_table t = {.align = "lrrl", .indent = 2};
  cli_print("%s%s\n", rmx_shown(c->scores[s]),
            c->better[s] == RMX_BETTER_HIGH  ? " (higher is better, so a good loss has -1)"
            : c->better[s] == RMX_BETTER_LOW ? " (lower is better, so a good loss has 1)"
                                             : " (it is assumed that lower is better)");
  cli_cell(&t, "loss");
  cli_cell(&t, "spearman");
  cli_cell(&t, "95 %% interval");
  cli_cell(&t, "%s", "");
  for (size_t k = 0; k < c->L && k < SHOWN; k++) pair_cells(&t, c, order[k], s);
  cli_table_print(&t);
  if (c->L > SHOWN) cli_print("  ... and %zu more (--json has all)\n", c->L - SHOWN);
  return RMX_OK;
}

static rmx_status run_correlate(cli *c, rmx_err *err) {
  const rmx_correlate_request *args = c->own;
  RMX_OWNED_BY(rmx_correlations_release) rmx_correlations result = {0};
  RMX_OWNED_BY(rmx_buf_release) rmx_buf text = {0};
  RMX_TRY(cli_open(c, NULL, false, err));
  if (args->metrics.n == 0) rmx_pipeline_warn_outdated(&c->pipeline, RMX_STEP_OPTIMIZE);
  RMX_TRY(rmx_pipeline_correlate(&c->pipeline, args, &result, err));
  rmx_correlations_text(&result, &text);
  if (c->common.json) {
    json_t *tree = rmx_correlations_json(&result);
    if (tree) json_object_set_new(tree, "text", json_string(text.data ? text.data : ""));
    return cli_print_json(tree), RMX_OK;
  }
  for (size_t s = 0; s < result.S; s++) RMX_TRY(print_score(&result, s, err));
  if (text.data) rmx_make_printable(text.data, "\n");
  cli_print("%s\n", text.data ? text.data : "");
  return RMX_OK;
}

#define AT(member) offsetof(rmx_correlate_request, member)
static const rmx_option correlate_options[] = {
    {"metrics", RMX_LIST, AT(metrics), NULL, 0, 0, "FILE",
     "table of losses and scores, a run in each row; may be given several times (default: "
     "metrics.csv of the experiment)"},
    RMX_METRIC_COLUMNS_OPTION(rmx_correlate_request, tables),
    RMX_ID_OPTION(rmx_correlate_request, tables),
    {"losses", RMX_LIST, AT(options.losses), NULL, 0, 0, "PATTERN",
     "metrics that are validation losses (default: those whose names end in loss)"},
    {"scores", RMX_LIST, AT(options.scores), NULL, 0, 0, "PATTERN",
     "metrics that are scores (default: all others)"},
    {"replicates", RMX_INT, AT(options.replicates), "2000", 100, 1e6, "N",
     "number of bootstrap samples for the intervals"},
};
#undef AT
const rmx_command cli_correlate = {
    .name = "correlate",
    .words = "",
    .run = run_correlate,
    CLI_OPTIONS(correlate_options, rmx_correlate_request),
    .summary = "show which validation loss predicts which score",
};
