// SPDX-License-Identifier: Apache-2.0
// What a careful reader would ask before believing the optimum. Each warning is one fact with its numbers and
// what to do; thresholds are rules of thumb and stand here, each beside its warning.
#include <math.h>
#include <regmix/report.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "report/parts.h"

static rmx_status warn(json_t *data, rmx_err *err, const char *fmt, ...) RMX_PRINTF(3, 4);
static rmx_status warn(json_t *data, rmx_err *err, const char *fmt, ...) {
  char *text;
  va_list args;
  va_start(args, fmt);
  int length = vasprintf(&text, fmt, args);
  va_end(args);
  if (length < 0) return rmx_fail_memory(err, strlen(fmt), "a warning");
  rmx_status status = rmx__add(json_object_get(data, "warnings"), rmx__text(text), err);
  free(text);
  return status;
}

static rmx_status about_optimum(json_t *data, rmx_err *err) {
  const json_t *optimum = json_object_get(data, "optimum"), *outside = json_object_get(optimum, "outside");
  rmx_buf names = {0};
  for (size_t i = 0; i < json_array_size(outside); i++) {
    const char *name = json_string_value(json_array_get(outside, i));
    rmx_buf_printf(&names, "%s%s", i ? ", " : "", name ? name : "?");
  }
  rmx_status status = RMX_OK;
  if (names.failed)
    status = rmx_fail_memory(err, names.size, "a warning");
  else if (names.size)
    status = warn(
        data, err,
        "Outside what the runs covered: the weight of %s. The prediction there is a guess; train more runs "
        "around the optimum, or measure it, before relying on it.",
        names.data);
  rmx_buf_release(&names);
  RMX_TRY(status);

  double far = rmx__get(optimum, "distance"), typical = rmx__get(optimum, "typical_distance");
  if (far > 2 * typical)
    RMX_TRY(warn(data, err,
                 "Far from every run: %.0f %% of the optimum's tokens lie elsewhere than in the nearest "
                 "run's mixture, "
                 "while runs lie %.0f %% from each other. The prediction is stretched.",
                 100 * far, 100 * typical));
  double score = rmx__get(optimum, "score"), prior = rmx__get(optimum, "score_prior");
  if (score >= prior)
    RMX_TRY(
        warn(data, err, "No gain predicted: the fit expects the prior to do as well as the mixture found."));
  return RMX_OK;
}

static rmx_status about_runs(json_t *data, rmx_err *err) {
  const json_t *runs = json_object_get(data, "runs"), *proxies = json_object_get(data, "proxies");
  size_t N = json_array_size(json_object_get(runs, "ids")),
         D = json_array_size(json_object_get(runs, "domains"));
  json_int_t wanted = json_integer_value(json_object_get(data, "mixtures_n"));
  json_int_t diverged = json_integer_value(json_object_get(proxies, "diverged"));
  json_int_t unreadable = json_integer_value(json_object_get(proxies, "unreadable_lines"));
  // Published fits use 30 runs a domain; with under two a plane through them is barely determined.
  if (N && N < 2 * D)
    RMX_TRY(warn(
        data, err,
        "Few runs: %zu for %zu domains. At least %zu are advised, and more runs help more than longer ones.",
        N, D, 2 * D));
  if (N && wanted > (json_int_t)N)
    RMX_TRY(warn(data, err, "Not all in: %zu of %lld mixtures have been measured.", N, (long long)wanted));
  if (diverged)
    RMX_TRY(warn(data, err, "%lld of %lld runs diverged and are left out. A lower proxy.lr would keep them.",
                 (long long)diverged, (long long)json_integer_value(json_object_get(proxies, "done"))));
  if (unreadable)
    RMX_TRY(warn(
        data, err,
        "%lld line(s) of the logs could not be read (a run was probably killed); the curves leave them out.",
        (long long)unreadable));
  return RMX_OK;
}

static rmx_status about_fit(json_t *data, rmx_err *err) {
  const char *target = json_string_value(json_object_get(json_object_get(data, "target"), "name"));
  if (!target) return RMX_OK;
  const json_t *scores = json_object_get(json_object_get(json_object_get(data, "folds"), target), "scores");
  double spearman = rmx__get(scores, "spearman"),
         half = rmx__get(json_object_get(data, "half_agreement"), target);
  if (spearman < 0.7)
    RMX_TRY(
        warn(data, err,
             "The fit ranks unseen runs poorly: Spearman %.2f on %s. More runs, or longer ones, are needed.",
             spearman, target));
  if (half < 0.8)
    RMX_TRY(warn(data, err,
                 "Half way through training the runs rank otherwise than at the end: Spearman %.2f on %s. "
                 "The proxies may "
                 "be too short for their order to last.",
                 half, target));
  return RMX_OK;
}

static rmx_status about_comparison(json_t *data, rmx_err *err) {
  const json_t *rows = json_object_get(json_object_get(data, "comparison"), "rows");
  for (size_t i = 0; i < json_array_size(rows); i++) {
    const json_t *row = json_array_get(rows, i), *gap = json_object_get(row, "against_optimum");
    const char *name = json_string_value(json_object_get(row, "name"));
    const char *verdict = json_string_value(json_object_get(gap, "verdict"));
    double mean = rmx__get(gap, "mean"), low = rmx__get(gap, "low"), high = rmx__get(gap, "high");
    if (!name || !verdict || strcmp(name, "optimum") == 0) continue;
    if (high < 0)
      RMX_TRY(warn(data, err, "Measured against the optimum, %s is better: by %.4f, 95 %% interval %.4f to %.4f.", name,
                   -mean, -high, -low));
    else if (strcmp(name, "prior") == 0 && !(low > 0))
      RMX_TRY(isfinite(low)
                  ? warn(data, err,
                         "The measured gain over the prior, %.4f, is within the noise (95 %% interval %.4f to %.4f). More "
                         "seeds would tell.",
                         mean, low, high)
                  : warn(data, err, "The measured gain over the prior, %.4f, is of too few seeds to tell. It takes 3.", mean));
  }
  return RMX_OK;
}

// Muennighoff et al. 2023: up to four epochs a repeated token is worth about a fresh one.
static rmx_status about_epochs(json_t *data, rmx_err *err) {
  double budget = rmx__get(data, "budget_tokens");
  const json_t *mixture = json_object_get(json_object_get(data, "optimum"), "mixture");
  const json_t *domains = json_object_get(json_object_get(data, "corpus"), "domains");
  for (size_t i = 0; i < json_array_size(domains); i++) {
    const json_t *domain = json_array_get(domains, i);
    const char *name = json_string_value(json_object_get(domain, "name"));
    double epochs = name ? rmx__get(mixture, name) * budget / rmx__get(domain, "train_tokens") : NAN;
    if (epochs > 4 && isfinite(epochs))
      RMX_TRY(warn(data, err,
                   "The large model would see %s %.1f times; past four times repeated text teaches little.",
                   name, epochs));
  }
  return RMX_OK;
}

rmx_status rmx__collect_warnings(json_t *data, rmx_err *err) {
  RMX_TRY(rmx__put(data, "warnings", json_array(), err));
  RMX_TRY(about_optimum(data, err));
  RMX_TRY(about_comparison(data, err));
  RMX_TRY(about_runs(data, err));
  RMX_TRY(about_fit(data, err));
  return about_epochs(data, err);
}
