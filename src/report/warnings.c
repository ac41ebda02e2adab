// SPDX-License-Identifier: Apache-2.0
// Reasons to doubt the optimum. Each warning is one fact with its numbers and what to do. The
// thresholds are rules of thumb; each is next to its warning.
#include <ctype.h>
#include <math.h>
#include <regmix/report.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/c_number.h"
#include "base/decimals.h"
#include "base/json.h"
#include "report/parts.h"

static rmx_status warn(json_t *data, rmx_err *err, const char *fmt, ...) RMX_PRINTF(3, 4);
static rmx_status warn(json_t *data, rmx_err *err, const char *fmt, ...) {
  RMX_OWNED char *text = NULL;
  va_list args;
  va_start(args, fmt);
  int length = vasprintf(&text, fmt, args);
  va_end(args);
  if (length < 0) return rmx_fail_memory(err, strlen(fmt), "a warning");
  return rmx__add(json_object_get(data, "warnings"), rmx__text(text), err);
}

// A difference of two losses, by its own size.
static const char *shown(double x, char out[RMX__DECIMAL]) {
  return rmx__decimal(x, rmx__decimals(fabs(x) < 1e-4 ? 10 * fabs(x) : fmax(fabs(x), 1)), out);
}

// Whether the search stayed at the prior.
static bool is_prior(const json_t *optimum) {
  const char *method = json_string_value(json_object_get(optimum, "method"));
  return method && strcmp(method, "prior") == 0;
}

// Where the answer is the prior the page says why, and that no gain is expected.
static rmx_status about_gain(json_t *data, const json_t *optimum, rmx_err *err) {
  // The headline is the corrected estimate, since the best of many predictions looks too good.
  double gain = rmx__get(json_object_get(optimum, "gain"), "estimate");
  if (isnan(gain)) gain = rmx__get(optimum, "score_prior") - rmx__get(optimum, "score");
  if (!(gain <= 0) || is_prior(optimum)) return RMX_OK;
  return warn(data, err, "No gain is expected: the prior should be as good as the optimum.");
}

// Appends the names in list to `names`, except those that are in `but`.
static void add_names(rmx_buf *names, const json_t *list, const json_t *but) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    bool known = false;
    for (size_t k = 0; k < json_array_size(but) && !known; k++)
      known = json_equal(json_array_get(but, k), json_array_get(list, i));
    const char *name = json_string_value(json_array_get(list, i));
    if (!known) rmx_buf_printf(names, "%s%s", names->size ? ", " : "", name ? name : "?");
  }
}

// The weights that the guard holds at the end of the range of the runs, and the intervals that end
// there.
static rmx_status about_held(json_t *data, const json_t *optimum, rmx_err *err) {
  const json_t *held = json_object_get(optimum, "at_limit"),
               *cut = json_object_get(optimum, "interval_cut");
  RMX_OWNED_BY(rmx_buf_release) rmx_buf weights = {0}, low = {0}, high = {0};
  add_names(&weights, held, NULL);
  add_names(&low, json_object_get(cut, "low"), held);
  add_names(&high, json_object_get(cut, "high"), held);
  if (weights.failed || low.failed || high.failed) return rmx_fail_memory(err, 0, "a warning");
  if (weights.size)
    RMX_TRY(
        warn(data, err,
             "The weight of %s is at the end of the range of the runs, where the guard holds it. "
             "The best weight may lie beyond it, as its interval may. Train runs there.",
             weights.data));
  if (low.size)
    RMX_TRY(warn(data, err,
                 "The interval of %s begins at the smallest weight of the runs or below it. No run "
                 "shows what happens below it. Train runs there.",
                 low.data));
  if (high.size)
    RMX_TRY(warn(data, err,
                 "The interval of %s ends at the largest weight of the runs or above it. No run "
                 "shows what happens above it. Train runs there.",
                 high.data));
  return RMX_OK;
}

// The guard holds the mixture, or those of the intervals, at its distance from the runs.
static rmx_status about_held_by_distance(json_t *data, const json_t *optimum, rmx_err *err) {
  const double limit = rmx__get(optimum, "distance_limit"), level = rmx__get(optimum, "level"),
               draws = rmx__get(json_object_get(optimum, "interval_cut"), "distance");
  const bool held = json_is_true(json_object_get(optimum, "at_distance_limit")),
             cut = draws > (1 - level) / 2;
  char share[160] = "";
  if (!isfinite(limit) || (!held && !cut)) return RMX_OK;
  if (isfinite(draws))
    snprintf(
        share, sizeof share,
        " %.0f %% of the mixtures that make the intervals lie at that distance or beyond it%s.",
        100 * draws, cut ? ", so the intervals may end too early" : "");
  return warn(
      data, err,
      "The guard allows no mixture that differs by more than %.0f %% of the tokens from the "
      "nearest run.%s%s Train runs near the optimum.",
      100 * limit, held ? " The optimum differs by that." : "", share);
}

// The caps by epochs that the optimum is at.
static rmx_status about_lifted(json_t *data, const json_t *optimum, rmx_err *err) {
  char gain[RMX__DECIMAL];
  json_t *lifted = json_object_get(optimum, "lifted_caps"), *cap;
  RMX_OWNED_BY(rmx_buf_release) rmx_buf names = {0};
  const char *name;
  json_object_foreach(json_object_get(lifted, "caps"), name, cap)
    rmx_buf_printf(&names, "%s%s (%.1f %%)", names.size ? ", " : "", name,
                   100 * json_number_value(cap));
  if (names.failed) return rmx_fail_memory(err, names.size, "a warning");
  if (!names.size) return RMX_OK;
  return warn(
      data, err, "A cap by epochs holds down %s%s. Without it the fit predicts %s better.",
      names.data,
      json_is_true(json_object_get(lifted, "over_phases")) ? ", in all phases together" : "",
      shown(rmx__get(lifted, "gain"), gain));
}

// The warnings of `regmix optimize`, as sentences. An older optimum.yaml has none.
static const json_t *kept_of(const json_t *data) {
  return json_object_get(json_object_get(data, "optimum"), "warnings");
}

// Whether one of them says this.
static bool is_kept(const json_t *data, const char *text) {
  const json_t *kept = kept_of(data);
  bool found = false;
  for (size_t i = 0; i < json_array_size(kept) && !found; i++) {
    const char *one = json_string_value(json_array_get(kept, i));
    found = one && strstr(one, text);
  }
  return found;
}

static rmx_status about_kept(json_t *data, rmx_err *err) {
  const json_t *kept = kept_of(data);
  for (size_t i = 0; i < json_array_size(kept); i++) {
    const char *text = json_string_value(json_array_get(kept, i));
    if (!text || !*text) continue;
    const bool ends = strchr(".!?", text[strlen(text) - 1]) != NULL;
    RMX_TRY(warn(data, err, "%c%s%s", toupper((unsigned char)*text), text + 1, ends ? "" : "."));
  }
  return RMX_OK;
}

// Where the optimum lies outside the range of the runs, or far from them.
static rmx_status about_place(json_t *data, const json_t *optimum, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf names = {0};
  add_names(&names, json_object_get(optimum, "outside"), NULL);
  if (names.failed) return rmx_fail_memory(err, names.size, "a warning");
  if (names.size)
    RMX_TRY(warn(data, err,
                 "The weight of %s is outside the range of the runs, so the prediction is a guess. "
                 "Train more runs around the optimum, or measure it, before you rely on it.",
                 names.data));
  double far = rmx__get(optimum, "distance"), typical = rmx__get(optimum, "typical_distance");
  if (!(far > 2 * typical)) return RMX_OK;
  return warn(data, err,
              "The optimum is far from every run: %.0f %% of its tokens differ from the nearest "
              "run, while typical runs differ by %.0f %%. The prediction is an extrapolation.",
              100 * far, 100 * typical);
}

static rmx_status about_optimum(json_t *data, rmx_err *err) {
  const json_t *optimum = json_object_get(data, "optimum");
  const char *unknown = json_string_value(json_object_get(optimum, "no_intervals"));
  if (unknown && !is_kept(data, unknown))
    RMX_TRY(warn(data, err, "No interval can be given: %s.", unknown));
  RMX_TRY(kept_of(data) ? about_kept(data, err) : about_place(data, optimum, err));
  RMX_TRY(about_held(data, optimum, err));
  RMX_TRY(about_held_by_distance(data, optimum, err));
  RMX_TRY(about_lifted(data, optimum, err));
  return about_gain(data, optimum, err);
}

static bool is_score(const json_t *fit, const char *metric) {
  const json_t *one;
  size_t i;
  json_array_foreach(json_object_get(fit, "metrics"), i, one) {
    const char *name = json_string_value(json_object_get(one, "name"));
    if (name && strcmp(name, metric) == 0)
      return json_is_true(json_object_get(one, "higher_is_better"));
  }
  return false;
}

// A metric that is not in the target may get worse, which the target does not show.
static rmx_status about_others(json_t *data, rmx_err *err) {
  const json_t *optimum = json_object_get(data, "optimum"),
               *weights = json_object_get(optimum, "target"),
               *before = json_object_get(optimum, "predicted_prior"), *value;
  json_t *after = json_object_get(optimum, "predicted");
  const char *metric, *worst = NULL;
  size_t others = 0, worse = 0;
  char by[RMX__DECIMAL];
  double most = 0;
  json_object_foreach(after, metric, value) {
    double change = json_number_value(value) - rmx__get(before, metric);
    if (json_object_get(weights, metric) || !isfinite(change)) continue;
    if (is_score(json_object_get(data, "fit"), metric)) change = -change;
    others++;
    worse += change > 5e-5 * fmin(1, fabs(json_number_value(value)));
    if (change > most) most = change, worst = metric;
  }
  if (!worse || !worst || json_is_false(json_object_get(optimum, "learnt"))) return RMX_OK;
  return warn(data, err,
              "%zu of %zu other metric%s %s predicted to be worse than at the prior. The worst one "
              "is %s, by %s. `regmix optimize --no-worse '%s'` keeps it as good as at the prior.",
              worse, others, rmx_s(others), rmx_is(worse), worst, shown(most, by), worst);
}

static rmx_status about_runs(json_t *data, rmx_err *err) {
  const json_t *runs = json_object_get(data, "runs"), *proxies = json_object_get(data, "proxies");
  size_t N = json_array_size(json_object_get(runs, "ids")),
         D = json_array_size(json_object_get(runs, "domains"));
  json_int_t wanted = json_integer_value(json_object_get(data, "mixtures_n"));
  json_int_t diverged = json_integer_value(json_object_get(proxies, "diverged"));
  json_int_t unreadable = json_integer_value(json_object_get(proxies, "unreadable_lines"));
  // Published fits use 30 runs per domain. With fewer than two per domain, even a plane is barely
  // determined.
  if (N && N < 2 * D && !kept_of(data))
    RMX_TRY(
        warn(data, err,
             "There are few runs: %zu for %zu domain%s. At least %zu are recommended. More runs "
             "help more than longer runs.",
             N, D, rmx_s(D), 2 * D));
  if (N && wanted > (json_int_t)N)
    RMX_TRY(warn(data, err, "Only %zu of %lld mixtures %s been measured so far.", N,
                 (long long)wanted, rmx_has(N)));
  if (diverged)
    RMX_TRY(warn(
        data, err, "%lld of %lld runs diverged and %s left out. A lower proxy.lr may prevent that.",
        (long long)diverged, (long long)json_integer_value(json_object_get(proxies, "done")),
        rmx_is((double)diverged)));
  if (unreadable)
    RMX_TRY(warn(data, err,
                 "%lld line(s) of the logs could not be read and are left out of the curves. A run "
                 "was probably killed.",
                 (long long)unreadable));
  return RMX_OK;
}

static rmx_status about_fit(json_t *data, rmx_err *err) {
  const char *target = json_string_value(json_object_get(json_object_get(data, "target"), "name"));
  if (!target) return RMX_OK;
  const json_t *scores =
      json_object_get(json_object_get(json_object_get(data, "folds"), target), "scores");
  double spearman = rmx__get(scores, "spearman"), r2 = rmx__get(scores, "r2"),
         half = rmx__get(json_object_get(data, "half_agreement"), target);
  if (r2 < 0 && !kept_of(data))
    RMX_TRY(warn(data, err,
                 "The fit has learnt nothing about %s: on runs that it has not seen, it is worse "
                 "than their mean (R2 %.2f). %s More runs are needed.",
                 target, r2,
                 is_prior(json_object_get(data, "optimum")) ? "So the answer is the prior."
                                                            : "So the optimum is only a guess."));
  else if (!(r2 < 0) && spearman < 0.7)
    RMX_TRY(warn(
        data, err,
        "The fit ranks unseen runs poorly: Spearman %.2f on %s. More or longer runs are needed.",
        spearman, target));
  if (half < 0.8)
    RMX_TRY(warn(data, err,
                 "Half way through training, the ranking of the runs differs from the final one: "
                 "Spearman %.2f on %s. The proxies may be too short for a stable ranking.",
                 half, target));
  return RMX_OK;
}

static const char *words_of(const char *name) {
  static const char *const known[][2] = {{"prior", "the prior"},
                                         {"uniform", "the uniform mixture"},
                                         {"best_run", "the best run"},
                                         {"best_single", "the best single domain"}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(name, known[i][0]) == 0) return known[i][1];
  return name;
}

// A difference is the loss of the row minus the loss of the optimum: above 0 the optimum is better.
static rmx_status about_comparison(json_t *data, rmx_err *err) {
  const json_t *edited = json_object_get(data, "edited");
  for (size_t i = 0; i < json_array_size(edited); i++)
    RMX_TRY(warn(data, err,
                 "%s was changed by hand since regmix wrote it; its numbers may not belong "
                 "together.",
                 json_string_value(json_array_get(edited, i))));
  const json_t *rows = json_object_get(json_object_get(data, "comparison"), "rows");
  for (size_t i = 0; i < json_array_size(rows); i++) {
    const json_t *row = json_array_get(rows, i), *gap = json_object_get(row, "against_optimum");
    const char *name = json_string_value(json_object_get(row, "name"));
    double mean = rmx__get(gap, "mean"), low = rmx__get(gap, "low"), high = rmx__get(gap, "high");
    if (!name || strcmp(name, "optimum") == 0 || !isfinite(mean)) continue;
    if (high < 0)
      RMX_TRY(warn(data, err,
                   "On the large models, %s is better than the optimum by %.4f (95 %% interval "
                   "%.4f to %.4f).",
                   words_of(name), -mean, -high, -low));
    else if (strcmp(name, "prior") == 0 && !isfinite(low))
      RMX_TRY(warn(data, err,
                   "The measured gain over the prior (%.4f) comes from too few seeds to be "
                   "reliable. At least 3 are needed.",
                   mean));
    else if (strcmp(name, "prior") == 0 && low <= 0)
      RMX_TRY(warn(data, err,
                   "The measured gain over the prior (%.4f) may be noise (95 %% interval %.4f to "
                   "%.4f). More seeds would narrow the interval.",
                   mean, low, high));
  }
  return RMX_OK;
}

// Small domains beside other data gain from 15 to 20 repetitions (Sedova et al. 2026). Proxies that
// repeat less than the large run do not show what repetition costs.
enum { MANY_EPOCHS = 20, SOME_EPOCHS = 4 };
static rmx_status about_epochs(json_t *data, rmx_err *err) {
  const double budget = rmx__get(data, "budget_tokens"), run = rmx__get(data, "proxy_tokens");
  const json_t *mixture = json_object_get(json_object_get(data, "optimum"), "mixture"),
               *read = json_object_get(data, "proxy_domain_tokens");
  const char *name;
  json_t *tokens;
  json_object_foreach(json_object_get(data, "tokens"), name, tokens) {
    const double w = rmx__get(mixture, name), epochs = w * budget / json_number_value(tokens),
                 seen = w * run / rmx__get(read, name);
    if (!(epochs > SOME_EPOCHS) || !isfinite(epochs)) continue;
    if (epochs > MANY_EPOCHS)
      RMX_TRY(warn(data, err,
                   "The large model would see %s %.1f times. In published runs 15 to 20 times was "
                   "the most that paid.",
                   name, epochs));
    else if (!(seen > epochs / 2))
      RMX_TRY(
          warn(data, err,
               "The large model would see %s %.1f times, and the runs of the fit did not repeat "
               "it as often, so what that costs is not measured (proxy.repeat: match).",
               name, epochs));
  }
  return RMX_OK;
}

// {text: where it stands in the list}
static json_t *places(const json_t *list) {
  json_t *map = json_object(), *item;
  size_t i;
  json_array_foreach((json_t *)list, i, item)
    if (json_is_string(item))
      json_object_set_new(map, json_string_value(item), json_integer((json_int_t)i));
  return map;
}

static const json_t *at(const json_t *list, const json_t *place) {
  return place ? json_array_get(list, (size_t)json_integer_value(place)) : NULL;
}

// Whether a value of the tables differs from the value that the fit was made from. A value that is
// not a number never differs.
static bool other_value(const json_t *a, const json_t *b) {
  const double x = json_number_value(a), y = json_number_value(b);
  return json_is_number(a) && json_is_number(b) && fabs(x - y) > 1e-9 * (fabs(x) + fabs(y));
}

// Runs of the fit that the tables do not have, or have with another value of a metric.
static size_t changed_runs(const json_t *fit, const json_t *runs) {
  json_t *rows = places(json_object_get(runs, "ids")),
         *columns = places(json_object_get(runs, "metrics")), *id, *metric;
  size_t changed = 0, i, m;
  json_array_foreach(json_object_get(fit, "ids"), i, id) {
    const char *name = json_string_value(id);
    const json_t *row =
        name ? at(json_object_get(runs, "values"), json_object_get(rows, name)) : NULL;
    bool other = !row;
    json_array_foreach(json_object_get(fit, "metrics"), m, metric) {
      const char *key = json_string_value(json_object_get(metric, "name"));
      other = other || (key && other_value(json_array_get(json_object_get(metric, "values"), i),
                                           at(row, json_object_get(columns, key))));
    }
    changed += other;
  }
  json_decref(rows);
  json_decref(columns);
  return changed;
}

// Runs of the tables, with a number for each metric, that the fit does not have.
static size_t new_runs(const json_t *fit, const json_t *runs) {
  json_auto_t *had = places(json_object_get(fit, "ids"));
  json_t *id, *value;
  size_t new = 0, i, m;
  json_array_foreach(json_object_get(runs, "ids"), i, id) {
    bool whole = json_is_string(id);
    json_array_foreach(json_array_get(json_object_get(runs, "values"), i), m, value)
      whole = whole && json_is_number(value);
    new += whole && !json_object_get(had, json_string_value(id));
  }
  return new;
}

// Of a fit to several swarms, whose rows have names like 0001@300000, the rows that the tables
// have too: the last of each run of the section `proxy`, with the name of the run. Other fits as
// they are. A new reference.
static json_t *comparable(json_t *fit, const json_t *runs) {
  json_auto_t *rows = places(json_object_get(runs, "ids")), *last = json_object();
  json_t *ids = json_object_get(fit, "ids"), *id, *metric, *row;
  size_t i, m;
  const char *name;
  if (!json_is_object(json_object_get(fit, "scales"))) return json_incref(fit);
  json_array_foreach(ids, i, id) {
    const char *text = json_string_value(id), *at = text ? strrchr(text, '@') : NULL;
    RMX_OWNED char *run = at ? rmx_format("%.*s", (int)(at - text), text) : NULL;
    if (!run || !json_object_get(rows, run)) continue;
    const json_t *had = json_object_get(last, run);
    const char *other =
        had ? strrchr(json_string_value(json_array_get(ids, (size_t)json_integer_value(had))), '@')
            : NULL;
    if (!other || rmx__strtod(at + 1, NULL) > rmx__strtod(other + 1, NULL))
      json_object_set_new(last, run, json_integer((json_int_t)i));
  }
  if (json_object_size(last) == 0) return json_incref(fit);
  json_t *out = json_pack("{s:[], s:[]}", "ids", "metrics");
  json_array_foreach(json_object_get(fit, "metrics"), m, metric) {
    json_t *values = json_array();
    json_object_foreach(last, name, row)
      json_array_append(values, (json_t *)at(json_object_get(metric, "values"), row));
    json_array_append_new(
        json_object_get(out, "metrics"),
        json_pack("{s:O, s:o}", "name", json_object_get(metric, "name"), "values", values));
  }
  json_object_foreach(last, name, row)
    json_array_append_new(json_object_get(out, "ids"), json_string(name));
  return out;
}

// Whether fit, tables and optimum are of each other.
static rmx_status about_age(json_t *data, rmx_err *err) {
  const json_t *fit = json_object_get(data, "fit"), *runs = json_object_get(data, "runs");
  const char *made_from = json_string_value(
      json_object_get(json_object_get(json_object_get(data, "optimum"), "made_by"), "fit"));
  const char *hash = json_string_value(json_object_get(data, "fit_hash"));
  if (made_from && !hash)
    RMX_TRY(warn(data, err,
                 "The fit that the mixture was found with is not here any more: `regmix fit` makes "
                 "it again."));
  if (made_from && hash && strcmp(made_from, hash) != 0)
    RMX_TRY(warn(data, err,
                 "The mixture was found with another fit than the one shown here: run `regmix "
                 "optimize` again."));
  // only tables say how many mixtures there are
  if (!json_object_get(data, "mixtures_n") || !json_array_size(json_object_get(fit, "ids")) ||
      !json_array_size(json_object_get(runs, "ids")))
    return RMX_OK;
  json_auto_t *shared = comparable(json_object_get(data, "fit"), runs);
  const size_t changed = changed_runs(shared, runs), new = new_runs(shared, runs);
  if (!changed && !new) return RMX_OK;
  return warn(data, err,
              "The fit is older than the tables: %zu of its runs %s gone from them or %s other "
              "values, and %zu run%s %s new. Run `regmix fit` again, then `regmix optimize`.",
              changed, rmx_is(changed), rmx_has(changed), new, rmx_s(new), rmx_is(new));
}

rmx_status rmx__collect_warnings(json_t *data, rmx_err *err) {
  RMX_TRY(rmx__put(data, "warnings", json_array(), err));
  RMX_TRY(about_age(data, err));
  RMX_TRY(about_optimum(data, err));
  RMX_TRY(about_others(data, err));
  RMX_TRY(about_comparison(data, err));
  RMX_TRY(about_runs(data, err));
  RMX_TRY(about_fit(data, err));
  return about_epochs(data, err);
}

rmx_status rmx__note_edited(json_t *data, const char *name, rmx_err *err) {
  if (!json_object_get(data, "edited")) RMX_TRY(rmx__put(data, "edited", json_array(), err));
  return rmx__add(json_object_get(data, "edited"), json_string(name), err);
}
