// SPDX-License-Identifier: Apache-2.0
// Prints an optimum as a table with bars and sentences.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "steps.h"

// The domains by their weights, the largest first. free() it.
static size_t *by_weight(const double *w, size_t D) {
  size_t *order = rmx_calloc(D, sizeof *order);
  for (size_t d = 0; order && d < D; d++) {
    size_t j = d;
    for (; j > 0 && w[d] > w[order[j - 1]]; j--) order[j] = order[j - 1];
    order[j] = d;
  }
  return order;
}

static char mark(const bool *of, size_t d) {
  return of && of[d] ? '|' : ' ';
}

void print_mixture(const char *const *names, const double *w, const double *prior,
                   const double *low, const double *high, const cli_marks *marks, size_t D) {
  static const cli_marks none = {0};
  enum { LEAST_BAR = 10, LEAST_NAME = 16 };
  RMX_OWNED size_t *order = by_weight(w, D);
  int width = rmx_width(names, D, 6);
  if (!order || D == 0) return;
  if (!marks) marks = &none;
  const double most = w[order[0]] > 1e-12 ? w[order[0]] : 1e-12;
  const int taken = 14 + (low ? 14 : 0) + (prior ? 10 : 0),
            room = rmx_terminal_columns(STDOUT_FILENO) - taken;
  if (isatty(STDOUT_FILENO) && width > room - LEAST_BAR)
    width = rmx_cut_width(names, D, room - LEAST_BAR > LEAST_NAME ? room - LEAST_BAR : LEAST_NAME);
  int bar = low ? 30 : 40;
  if (bar > room - width) bar = room - width > LEAST_BAR ? room - width : LEAST_BAR;
  cli_print("  %-*s  %8s%s%s\n", width, "domain", "weight", low ? "   from     to" : "",
            prior ? "     prior" : "");
  for (size_t i = 0; i < D; i++) {
    const size_t d = order[i];
    char cut[RMX_CUT];
    const char *name = rmx_cut(rmx_shown(names[d]), width, cut);
    cli_print("  %-*s  %7.2f%%%c", rmx_pad(name, width), name, 100 * w[d], mark(marks->weight, d));
    if (low)
      cli_print("%6.1f%c%6.1f%c", 100 * low[d], mark(marks->low, d), 100 * high[d],
                mark(marks->high, d));
    if (prior) cli_print(" %7.2f%% ", 100 * prior[d]);
    cli_print(" ");
    for (int k = 0; k < (int)(bar * w[d] / most + 0.5); k++) cli_print("#");
    cli_print("\n");
  }
}

// Prints how many metrics get worse, the three worst ones, and what to do about it.
static void print_worse(const rmx_answer *s) {
  RMX_OWNED_BY(rmx_worse_release) rmx_worse w = {0};
  rmx_err no_memory;
  if (rmx_optimum_worse(s->optimum, s->fit, &s->problem.target, &w, &no_memory) != RMX_OK) return;
  if (w.n)
    cli_print("%zu of the %zu %smetrics %s predicted worse than at the prior: ", w.n, w.of,
              w.others ? "other " : "", rmx_is(w.n));
  for (size_t k = 0; k < w.n && k < 3; k++)
    cli_print("%s%s by %.4g", k ? ", " : "", rmx_shown(rmx_fit_metrics(s->fit)[w.metric[k]]),
              w.by[k]);
  if (w.n)
    cli_print("%s --no-worse METRIC keeps a metric from getting worse.\n", w.n > 3 ? ", ..." : ".");
}

// Prints in which direction each metric of the target is improved, and where that is a guess.
static void print_directions(const rmx_answer *s) {
  const rmx_fit *f = s->fit;
  const double *weight = s->problem.target.weight;
  for (int up = 0; up < 2; up++) {
    rmx_few names = {0};
    for (size_t m = 0; m < rmx_fit_n_metrics(f); m++)
      if (up ? weight[m] < 0 : weight[m] > 0) rmx_few_add(&names, rmx_shown(rmx_fit_metrics(f)[m]));
    if (names.n)
      cli_print("%s: %s%s\n", up ? "Raised" : "Lowered", names.text, rmx_full_stop(names.text));
  }
  const char *before = "Left out, since the signal to noise is too low: ";
  for (size_t m = 0; m < rmx_fit_n_metrics(f); m++) {
    if (!s->problem.target.left_out[m]) continue;
    cli_print("%s%s", before, rmx_shown(rmx_fit_metrics(f)[m]));
    before = ", ";
  }
  if (*before == ',') cli_print(".\n");
  if (s->problem.target.by_signal)
    cli_print(
        "Each metric counts in units of its standard deviation over the runs, times the share of "
        "its variance that is signal.\n");
  const rmx_few assumed = rmx_assumed_directions(f, &s->problem);
  if (assumed.n) cli_print("  " RMX_ASSUMED_DIRECTIONS "\n", rmx_shown(assumed.text));
}

static void print_front(const rmx_answer *s) {
  const rmx_fit *f = s->fit;
  const char *a = rmx_shown(rmx_fit_metrics(f)[s->front.a]),
             *b = rmx_shown(rmx_fit_metrics(f)[s->front.b]);
  cli_print(
      "\nPareto front of %s (A) and %s (B). No mixture here is better than another in both.\n  %6s "
      "%12s %12s  largest weights\n",
      a, b, "share", "A", "B");
  for (size_t i = 0; i < s->front.n; i++) {
    const double *w = s->front.mixture + i * rmx_fit_n_domains(f),
                 *y = s->front.predicted + i * rmx_fit_n_metrics(f);
    char one[RMX_NUMBER], other[RMX_NUMBER];
    cli_print("  %6.2f %12s %12s ", s->front.share[i],
              rmx_metric_number(f, s->front.a, y[s->front.a], one),
              rmx_metric_number(f, s->front.b, y[s->front.b], other));
    double last = INFINITY;
    for (int k = 0; k < 3; k++) {  // the three largest
      size_t most = rmx_fit_n_domains(f);
      for (size_t d = 0; d < rmx_fit_n_domains(f); d++)
        if (w[d] < last && (most == rmx_fit_n_domains(f) || w[d] > w[most])) most = d;
      if (most == rmx_fit_n_domains(f) || w[most] < 0.005) break;
      cli_print(" %s %.0f%%", rmx_shown(rmx_fit_domains(f)[most]), 100 * w[most]);
      last = w[most];
    }
    cli_print("\n");
  }
}

// "99 %"; a probability that the replicates can't resolve is printed as "over" or "under" a bound.
static void probability_text(double p, int64_t replicates, char out[32]) {
  double least = 1 / (double)replicates;
  if (p > 1 - least)
    snprintf(out, 32, "over %.3g %%", 100 * (1 - least));
  else if (p < least)
    snprintf(out, 32, "under %.2g %%", 100 * least);
  else
    snprintf(out, 32, "%.3g %%", 100 * p);
}

// A number in the unit of the target.
static const char *in_target(const rmx_answer *s, double x, char out[RMX_NUMBER]) {
  return rmx_target_number(s->fit, &s->problem, x, out);
}

// Prints the corrected estimate, which lies in its interval, and the prediction of the fit if it
// differs.
static void print_versus(const rmx_answer *s) {
  const rmx_uncertainty *u = &s->uncertainty;
  for (size_t k = 0; k < u->n_versus; k++) {
    const rmx_versus *v = &u->versus[k];
    char probability[32];
    probability_text(v->probability, u->replicates, probability);
    if (k)
      cli_print("Compared with %s the optimum ", rmx_shown(v->name));
    else
      cli_print("Compared with the prior (%s) the optimum ", rmx_shown(s->problem.prior_text));
    if (v->same) {
      cli_print("is %s.\n", rmx_versus_verdict(v));
      continue;
    }
    char gain[RMX_NUMBER], low[RMX_NUMBER], high[RMX_NUMBER], predicted[RMX_NUMBER];
    cli_print("gains %s, %.0f %% interval %s to %s", in_target(s, v->estimate, gain),
              100 * u->level, in_target(s, v->low, low), in_target(s, v->high, high));
    if (strcmp(in_target(s, v->gain, predicted), gain) != 0)
      cli_print(" (the fit predicts %s)", predicted);
    cli_print("; better with probability %s.\n", probability);
    if (v->low <= 0)
      cli_print("  That is %s%s.\n", rmx_versus_verdict(v),
                v->high < 0 ? "" : ": the interval includes 0");
  }
}

// Prints the domains without which the optimum would be worse, the largest loss first. One that is
// shown as 0 is none.
static void print_losses(const rmx_answer *s) {
  const rmx_attribution *a = &s->attribution;
  const rmx_fit *f = s->fit;
  char text[RMX_NUMBER];
  double last = INFINITY;
  for (int k = 0; k < 3; k++) {
    size_t most = a->D;
    for (size_t d = 0; d < a->D; d++)
      if (a->loss[d] < last && (most == a->D || a->loss[d] > a->loss[most])) most = d;
    if (most == a->D || !(a->loss[most] > 0) ||
        strspn(in_target(s, a->loss[most], text), "0.") == strlen(text))
      break;
    cli_print("%s %s (by %s)",
              k ? "," : "Without one of these domains the best mixture would be worse:",
              rmx_shown(rmx_fit_domains(f)[most]), text);
    last = a->loss[most];
  }
  if (isfinite(last)) cli_print(".\n");
}

// Prints how far the prediction can be trusted.
static void print_worth(const rmx_answer *s) {
  const rmx_optimum *o = s->optimum;
  const double gain = rmx_optimum_score_prior(o) - rmx_optimum_score(o),
               sign = rmx_shown_sign(s->fit, &s->problem);
  char score[RMX_NUMBER], prior[RMX_NUMBER], apart[RMX_NUMBER];
  cli_print("The fit predicts a %s of %s, and %s at the prior. This is %s %s.\n",
            s->problem.target.worst ? "worst case"
            : sign < 0              ? "score"
                                    : "target",
            in_target(s, sign * rmx_optimum_score(o), score),
            in_target(s, sign * rmx_optimum_score_prior(o), prior), in_target(s, fabs(gain), apart),
            gain >= 0 ? "better" : "worse");
  if (isfinite(rmx_optimum_expected_error(o)))
    cli_print(
        "The error of a prediction at this distance from the runs is about %.2g (root mean square "
        "over runs left out%s)%s.\n",
        rmx_optimum_expected_error(o),
        s->drift.n ? ", and doubt about the change with the size" : "",
        !s->drift.n && gain > 0 && gain < rmx_optimum_expected_error(o)
            ? ", which is more than the gain"
            : "");
  if (isfinite(rmx_optimum_gap(o)))
    cli_print(
        "The fitted function is convex, so no allowed mixture has a prediction that is better by "
        "more than %.1g.\n",
        rmx_optimum_gap(o));
}

// Prints the totals of nodes, largest first.
static void print_folded(const rmx_answer *s) {
  RMX_OWNED_BY(rmx_folded_release) rmx_folded f = {0};
  rmx_err no_memory;
  if (rmx_answer_fold(s, &f, &no_memory) == RMX_OK)
    print_mixture((const char *const *)f.nodes.items, f.weight, f.prior, f.low, f.high, NULL,
                  f.nodes.n);
}

// Prints which weights the guard holds, and which ends of intervals.
static void print_held(const rmx_answer *s) {
  const rmx_uncertainty *u = &s->uncertainty;
  rmx_few held = {0};
  for (size_t d = 0; d < rmx_fit_n_domains(s->fit); d++)
    if (rmx_optimum_at_limit(s->optimum)[d] || (u->low && (u->cut_low[d] || u->cut_high[d])))
      rmx_few_add(&held, rmx_fit_domains(s->fit)[d]);
  if (held.n)
    cli_print(
        "  (|: at the end of the range of the runs, where the guard holds %s; the best weight "
        "may lie beyond it, as ends of intervals may: train runs there, or see --no-guard)\n",
        rmx_shown(held.text));
}

// Prints that the guard holds the mixture, or those of the intervals, at its largest distance.
static void print_held_by_distance(const rmx_answer *s) {
  const rmx_uncertainty *u = &s->uncertainty;
  const double limit = rmx_optimum_distance_limit(s->optimum), draws = u->at_distance_limit;
  const bool cut = u->low && draws > (1 - u->level) / 2;
  if (!rmx_optimum_at_distance_limit(s->optimum) && !cut) return;
  cli_print(
      "  (the guard allows no mixture that differs by more than %.1f %% of the tokens from the "
      "nearest run.",
      100 * limit);
  if (rmx_optimum_at_distance_limit(s->optimum)) cli_print(" The optimum differs by that.");
  if (u->low)
    cli_print(
        " %.0f %% of the mixtures that make the intervals lie at that distance or beyond it%s.",
        100 * draws, cut ? ", so the intervals may end too early" : "");
  cli_print(" Train runs near the optimum, or see --no-guard)\n");
}

// Prints which caps by epochs the optimum is at.
static void print_lifted(const rmx_answer *s) {
  const rmx_lifted_caps *l = &s->lifted;
  char gain[RMX_NUMBER];
  for (size_t i = 0; i < l->n; i++)
    cli_print("%s%s (%.1f %%)", i ? ", " : "Held down by a cap by epochs: ", rmx_shown(l->name[i]),
              100 * l->cap[i]);
  if (l->n)
    cli_print("%s. Without %s the fit predicts %s better.\n",
              l->phases ? ", in all phases together" : "", l->n == 1 ? "it" : "them",
              in_target(s, l->gain, gain));
}

void print_answer(const rmx_answer *s) {
  const rmx_optimum *o = s->optimum;
  const rmx_fit *f = s->fit;
  const rmx_target *t = &s->problem.target;
  const rmx_uncertainty *u = &s->uncertainty;
  const bool stays = strcmp(rmx_optimum_method(o), "prior") == 0;
  const cli_marks marks = {rmx_optimum_at_limit(o), u->cut_low, u->cut_high};
  if (s->fold)
    print_folded(s);
  else
    print_mixture(rmx_fit_domains(f), rmx_optimum_mixture(o), s->problem.prior, u->low, u->high,
                  &marks, rmx_fit_n_domains(f));
  if (u->low)
    cli_print("  (from, to: %.0f %% interval of the best weight, in percent)\n", 100 * u->level);
  print_held(s);
  print_held_by_distance(s);
  char text[RMX_NUMBER];
  cli_table predicted = {.align = "lrrl"};
  cli_cell(&predicted, "  predicted");
  cli_cell(&predicted, "optimum");
  cli_cell(&predicted, "prior");
  cli_cell(&predicted, "%s", "");
  for (size_t m = 0; m < rmx_fit_n_metrics(f); m++) {
    cli_cell(&predicted, "%c %s", t->weight[m] != 0 ? '*' : ' ', rmx_fit_metrics(f)[m]);
    cli_cell(&predicted, "%s", rmx_metric_number(f, m, rmx_optimum_predicted(o)[m], text));
    cli_cell(&predicted, "%s", rmx_metric_number(f, m, rmx_optimum_predicted_prior(o)[m], text));
    cli_cell(&predicted, "%s",
             t->limit[m] < INFINITY ? "(held)"
             : t->weight[m] < 0     ? "(raised)"
                                    : "");
  }
  cli_print("\n");
  cli_table_print(&predicted);
  cli_print("  (prior: %s)\n", rmx_shown(s->problem.prior_text));
  cli_print(
      "\n* target. Nearest run: %.1f %% of the tokens differ (typical between runs: %.1f %%).\n",
      100 * rmx_optimum_distance(o), 100 * rmx_optimum_typical_distance(o));
  cli_print("\n");
  print_directions(s);
  print_lifted(s);
  if (rmx_optimum_why_not(o))
    cli_print("The fit has learnt %s the target%s %s.\n",
              rmx_optimum_learnt(o) ? "something about" : "nothing about",
              rmx_optimum_learnt(o) ? ", but" : ":", rmx_shown(rmx_optimum_why_not(o)));
  if (stays)
    cli_print("So the mixture is the prior (%s) within the constraints. No gain is expected.\n",
              rmx_shown(s->problem.prior_text));
  if (u->n_versus) print_versus(s);
  RMX_OWNED char *drift = rmx_drift_text(s);
  if (drift) cli_print("%s\n", drift);
  if (!stays) print_worth(s);
  RMX_OWNED char *unknown = rmx_fit_no_intervals(f);
  if (unknown && !stays) printf("No interval can be given: %s.\n", unknown);
  if (rmx_optimum_learnt(o)) print_worse(s);  // else all of it is predicted by chance
  if (s->attribution.D) print_losses(s);
  if (s->curve.sentence[0]) cli_print("%s\n", s->curve.sentence);
  if (s->front.n) print_front(s);
}

void print_gain(const json_t *optimum) {
  const json_t *gain = json_object_get(optimum, "gain"),
               *interval = json_object_get(gain, "interval"),
               *text = json_object_get(optimum, "prior_text"),
               *estimate = json_object_get(gain, "estimate");
  const double low = json_number_value(json_array_get(interval, 0)),
               high = json_number_value(json_array_get(interval, 1)),
               like = fmax(fabs(json_number_value(estimate)), high - low);
  char shown[3][RMX_NUMBER];
  if (json_is_string(text)) cli_print("  (prior: %s)\n", rmx_shown(json_string_value(text)));
  if (json_is_number(estimate))
    cli_print("  Expected gain of proxies over the prior: %s, %.0f %% interval %s to %s%s.\n",
              rmx_number_like(json_number_value(estimate), like, shown[0]),
              100 * cli_get(optimum, "level"), rmx_number_like(low, like, shown[1]),
              rmx_number_like(high, like, shown[2]), low > 0 ? "" : ", not clearly better");
}
