// SPDX-License-Identifier: Apache-2.0
// Whether higher or lower values of each metric are better. In this order: the user says it, the
// results file says it, the name of the metric says it and the values do not contradict it, or
// lower is assumed, with a warning.

#include "directions.h"

#include <fnmatch.h>
#include <string.h>

#include "fit.h"

const char *rmx_direction_from_text(rmx_direction_from from) {
  static const char *const texts[] = {"assumed", "name", "harness", "user"};
  return texts[from];
}

// The column that a pattern without wildcards names, as users type names; SIZE_MAX: none.
static size_t named(const char *pattern, const rmx_table *t) {
  size_t column;
  rmx_err unknown;
  if (strpbrk(pattern, "*?[") || rmx_find_name("metric", pattern, (const char *const *)t->names,
                                               t->D, &column, &unknown) != RMX_OK)
    return SIZE_MAX;
  return column;
}

static bool matches(const char *pattern, const rmx_table *t, size_t column) {
  return strcmp(pattern, t->names[column]) == 0 || fnmatch(pattern, t->names[column], 0) == 0 ||
         named(pattern, t) == column;
}

// The first pattern of the list that matches a column, or NULL.
static const char *match_of(const rmx_strings *patterns, const rmx_table *t, size_t column) {
  for (size_t i = 0; i < patterns->n; i++)
    if (matches(patterns->items[i], t, column)) return patterns->items[i];
  return NULL;
}

static rmx_status check_patterns(const rmx_strings *patterns, const char *key, const rmx_table *t,
                                 rmx_err *err) {
  for (size_t i = 0; i < patterns->n; i++) {
    bool found = false;
    for (size_t k = 0; k < t->D && !found; k++) found = matches(patterns->items[i], t, k);
    if (found) continue;
    rmx_few names = {0};
    for (size_t k = 0; k < t->D; k++) rmx_few_add(&names, t->names[k]);
    return rmx_fail(err, RMX_EINPUT, "%s \"%s\" matches none of the %zu metric%s (%s)", key,
                    patterns->items[i], t->D, rmx_s(t->D), names.text);
  }
  return RMX_OK;
}

rmx_status rmx__direction_of(const rmx_regress_options *o, const rmx_table *metrics, size_t column,
                             rmx_better *better, rmx_direction_from *from, rmx_err *err) {
  const char *up = match_of(&o->higher_is_better, metrics, column),
             *down = match_of(&o->lower_is_better, metrics, column);
  if (up && down)
    return rmx_fail(err, RMX_EINPUT,
                    "metric \"%s\" matches both higher_is_better \"%s\" and lower_is_better \"%s\"",
                    metrics->names[column], up, down);
  *better = up ? RMX_BETTER_HIGH : down ? RMX_BETTER_LOW : RMX_BETTER_UNSAID;
  *from = RMX_DIRECTION_USER;
  if (*better == RMX_BETTER_UNSAID && metrics->better) {
    *better = metrics->better[column];
    *from = RMX_DIRECTION_HARNESS;
  }
  if (*better == RMX_BETTER_UNSAID) {
    *better = rmx_better_by_values(metrics->names[column], metrics->N ? metrics->x + column : NULL,
                                   metrics->N, metrics->D);
    *from = RMX_DIRECTION_NAME;
  }
  if (*better == RMX_BETTER_UNSAID) *from = RMX_DIRECTION_ASSUMED;
  return RMX_OK;
}

rmx_status rmx__check_directions(const rmx_regress_options *o, const rmx_table *metrics,
                                 rmx_err *err) {
  RMX_TRY(check_patterns(&o->higher_is_better, "higher_is_better", metrics, err));
  RMX_TRY(check_patterns(&o->lower_is_better, "lower_is_better", metrics, err));
  for (size_t m = 0; m < metrics->D; m++) {
    rmx_better better;
    rmx_direction_from from;
    RMX_TRY(rmx__direction_of(o, metrics, m, &better, &from, err));
  }
  return RMX_OK;
}

rmx_status rmx__directions(rmx_fit *f, const rmx_table *metrics, const size_t *column,
                           const rmx_listener *listener, rmx_err *err) {
  const rmx_strings *high = &f->options.higher_is_better, *low = &f->options.lower_is_better;
  rmx_few raised = {0}, assumed = {0}, contrary = {0};
  RMX_TRY(check_patterns(high, "higher_is_better", metrics, err));
  RMX_TRY(check_patterns(low, "lower_is_better", metrics, err));
  for (size_t m = 0; m < f->M; m++) {
    rmx_better better;
    RMX_TRY(
        rmx__direction_of(&f->options, metrics, column[m], &better, &f->direction_from[m], err));
    f->higher_is_better[m] = better == RMX_BETTER_HIGH;
    if (better == RMX_BETTER_UNSAID)
      rmx_few_add(rmx_better_by_name(f->metrics[m]) ? &contrary : &assumed, f->metrics[m]);
    if (better == RMX_BETTER_HIGH) rmx_few_add(&raised, f->metrics[m]);
  }
  if (raised.n)
    rmx_note(listener, "%zu of %zu metric%s %s taken as a score, higher is better: %s", raised.n,
             f->M, rmx_s(f->M), rmx_is(raised.n), raised.text);
  if (assumed.n)
    rmx_warn(listener,
             "%zu of %zu metric%s %s not say by %s name whether higher is better, so lower is "
             "taken as better: %s; "
             "say which are scores with --higher-is-better PATTERN, and which are losses with "
             "--lower-is-better PATTERN "
             "(fit.higher_is_better and fit.lower_is_better in regmix.yaml)",
             assumed.n, f->M, rmx_s(f->M), assumed.n == 1 ? "does" : "do",
             assumed.n == 1 ? "its" : "their", assumed.text);
  if (contrary.n)
    rmx_warn(listener,
             "%zu of %zu metric%s may have another sign than %s name says: %s; all values are "
             "negative (of a negated metric: positive). Lower is taken as better; "
             "--higher-is-better PATTERN or --lower-is-better PATTERN says which it is "
             "(fit.higher_is_better and fit.lower_is_better in regmix.yaml)",
             contrary.n, f->M, rmx_s(f->M), contrary.n == 1 ? "its" : "their", contrary.text);
  return RMX_OK;
}
