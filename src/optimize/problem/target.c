// SPDX-License-Identifier: Apache-2.0
// Targets as people type them: NAME or NAME=WEIGHT, to be minimised or maximised, NAME a metric or
// a group of them; limits on metrics; and the score that comes of it all.

#include "optimize/problem.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double SLACK = 1e-6;  // that limits are kept to, of metrics that vary by 1 or more

// That of metric m: a loss in a small unit needs a smaller one.
static double slack_of(const rmx_fit *fit, size_t m) {
  double low = INFINITY, high = -INFINITY;
  for (size_t i = 0; fit->truth && i < fit->N; i++) {
    low = fmin(low, fit->truth[i * fit->M + m]);  // fmin ignores NaN
    high = fmax(high, fit->truth[i * fit->M + m]);
  }
  return high > low ? SLACK * fmin(high - low, 1) : SLACK;
}

double rmx__slack(const rmx_target *t, size_t m) {
  return t->slack ? t->slack[m] : SLACK;
}

rmx_status rmx_target_make(const rmx_fit *fit, rmx_target *out, rmx_err *err) {
  rmx_target t = {0};
  t.weight = rmx_calloc(fit->M, sizeof(double));
  t.base = rmx_calloc(fit->M, sizeof(double));
  t.sign = rmx_calloc(fit->M, sizeof(double));
  t.limit = rmx_calloc(fit->M, sizeof(double));
  t.slack = rmx_calloc(fit->M, sizeof(double));
  t.group = rmx_calloc(fit->M, sizeof(int));
  t.left_out = rmx_calloc(fit->M, sizeof(bool));
  if (!t.weight || !t.base || !t.sign || !t.limit || !t.slack || !t.group || !t.left_out) {
    rmx_target_release(&t);
    return rmx_fail_memory(err, 4 * fit->M * sizeof(double), "a target");
  }
  for (size_t m = 0; m < fit->M; m++) {
    t.sign[m] = fit->higher_is_better && fit->higher_is_better[m] ? -1 : 1;
    t.limit[m] = INFINITY;
    t.slack[m] = slack_of(fit, m);
  }
  *out = t;
  return RMX_OK;
}

void rmx_target_release(rmx_target *t) {
  free(t->weight);
  free(t->base);
  free(t->sign);
  free(t->limit);
  free(t->slack);
  free(t->group);
  free(t->left_out);
  *t = (rmx_target){0};
}

// ---- names ----

static rmx_status find_metric(const rmx_fit *fit, const char *name, size_t *m, rmx_err *err) {
  return rmx_find_name("metric", name, (const char *const *)fit->metrics, fit->M, m, err);
}

static rmx_status add_member(const char *metric, const char *name, size_t m, size_t *members,
                             size_t *n, rmx_err *err) {
  for (size_t k = 0; k < *n; k++)
    if (members[k] == m)
      return rmx_fail(err, RMX_EINPUT, "metric group \"%s\" has \"%s\" twice", name, metric);
  members[(*n)++] = m;
  return RMX_OK;
}

// Adds a metric, or those that match a pattern, to the group `name`.
static rmx_status add_members(const char *const *metrics, size_t M, const char *name,
                              const char *part, size_t *members, size_t *n, rmx_err *err) {
  size_t m, before = *n;
  rmx_err unknown;
  if (!strpbrk(part, "*?[") || rmx_find_name("metric", part, metrics, M, &m, &unknown) == RMX_OK) {
    if (rmx_find_name("metric", part, metrics, M, &m, err) != RMX_OK)
      return rmx_fail_in(err, "metric group \"%s\"", name);
    return add_member(metrics[m], name, m, members, n, err);
  }
  for (m = 0; m < M; m++)
    if (fnmatch(part, metrics[m], 0) == 0)
      RMX_TRY(add_member(metrics[m], name, m, members, n, err));
  if (*n > before) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "metric group \"%s\": pattern \"%s\" matches none of the %zu metrics", name, part,
                  M);
}

rmx_status rmx__metric_group(const rmx_strings *groups, const char *name, const char **parts,
                             rmx_err *err) {
  *parts = NULL;
  for (size_t i = 0; groups && i < groups->n; i++) {
    const char *text = groups->items[i], *equals = strchr(text, '=');
    if (equals == NULL || equals == text || !equals[1])
      return rmx_fail(err, RMX_EINPUT, "metric group \"%s\": wanted NAME=METRIC,METRIC,...", text);
    if (strlen(name) != (size_t)(equals - text) || strncmp(name, text, strlen(name)) != 0) continue;
    if (*parts)
      return rmx_fail(err, RMX_EINPUT,
                      "metric group \"%s\" is given twice, as \"%s\" and as \"%s\"; give it once, "
                      "with all its metrics: %s=%s,%s",
                      name, *parts, equals + 1, name, *parts, equals + 1);
    *parts = equals + 1;
  }
  return RMX_OK;
}

rmx_status rmx__find_group(const char *const *metrics, size_t M, const rmx_strings *groups,
                           const char *name, size_t *members, size_t *n, rmx_err *err) {
  const char *parts;
  *n = 0;
  RMX_TRY(rmx__metric_group(groups, name, &parts, err));
  if (!parts) return RMX_OK;
  for (size_t m = 0; m < M; m++)
    if (strcmp(metrics[m], name) == 0)
      return rmx_fail(err, RMX_EINPUT,
                      "metric group \"%s\": a metric has this name; give the group another", name);
  char *list = rmx_strdup(parts), *rest = list;
  if (list == NULL) return rmx_fail_memory(err, strlen(parts), "a metric group");
  rmx_status status = RMX_OK;
  for (char *part; status == RMX_OK && (part = strsep(&rest, ",")) != NULL;)
    status = add_members(metrics, M, name, part, members, n, err);
  free(list);
  return status;
}

// NAME or NAME=NUMBER, NAME a group or a metric: at most M members (n), free() them; number
// unchanged where none was given. A name that itself has an "=" is found whole; else the last "="
// parts the number.
static rmx_status parse(const rmx_fit *fit, const char *text, const rmx_strings *groups,
                        const char *what, size_t **members, size_t *n, double *number,
                        rmx_err *err) {
  char *name = rmx_strdup(text);
  size_t *found = rmx_calloc(fit->M, sizeof(size_t));
  rmx_status status = name && found ? RMX_OK : rmx_fail_memory(err, strlen(text), "a target");
  rmx_err whole;
  char *equals = name ? strrchr(name, '=') : NULL;
  *n = 0;
  if (status == RMX_OK && equals && find_metric(fit, name, found, &whole) != RMX_OK) {
    *equals = '\0';
    status = rmx_parse_real(equals + 1, what, number, err);
  }
  if (status == RMX_OK)
    status =
        rmx__find_group((const char *const *)fit->metrics, fit->M, groups, name, found, n, err);
  if (status == RMX_OK && *n == 0) {
    *n = 1;
    status = find_metric(fit, name, found, err);
  }
  free(name);
  if (status == RMX_OK)
    *members = found;
  else
    free(found);
  return status;
}

// ---- what was typed ----

// number: of this text among all, from 1.
static rmx_status add(const rmx_fit *fit, const char *text, const rmx_strings *groups, double sign,
                      int number, const rmx_listener *listener, rmx_target *t, rmx_err *err) {
  double weight = 1;
  RMX_OWNED size_t *members = NULL;
  size_t n = 0;
  RMX_TRY(parse(fit, text, groups, "the weight of a target", &members, &n, &weight, err));
  if (!(weight > 0) || !isfinite(weight))
    return rmx_fail(
        err, RMX_EINPUT,
        "target \"%s\": the weight must be positive; use maximize for what should be high", text);
  for (size_t k = 0; k < n; k++) {
    size_t m = members[k];
    bool turned = sign > 0 && t->sign[m] < 0;
    if (t->weight[m] != 0)
      return rmx_fail(err, RMX_EINPUT, "metric \"%s\" is a target twice", fit->metrics[m]);
    t->weight[m] = (turned ? -sign : sign) * weight / (double)n;
    t->group[m] = n > 1 ? number : 0;
    if (sign < 0 && t->sign[m] > 0 && fit->direction_from &&
        fit->direction_from[m] != RMX_DIRECTION_ASSUMED)
      rmx_warn(listener, "\"%s\" is a loss, lower is better (%s): it is maximised, as you asked",
               fit->metrics[m], rmx_direction_from_text(fit->direction_from[m]));
    if (sign < 0) t->sign[m] = -1;
    if (turned)
      rmx_note(listener, "\"%s\" is a score, higher is better: it is maximised", fit->metrics[m]);
  }
  return RMX_OK;
}

rmx_status rmx_target_parse(const rmx_fit *fit, const rmx_strings *minimize,
                            const rmx_strings *maximize, const rmx_strings *groups,
                            const rmx_listener *listener, rmx_target *out, rmx_err *err) {
  rmx_target t;
  RMX_TRY(rmx_target_make(fit, &t, err));
  rmx_status status = RMX_OK;
  size_t n = (minimize ? minimize->n : 0) + (maximize ? maximize->n : 0);
  int number = 0;
  for (size_t i = 0; minimize && i < minimize->n && status == RMX_OK; i++)
    status = add(fit, minimize->items[i], groups, 1, ++number, listener, &t, err);
  for (size_t i = 0; maximize && i < maximize->n && status == RMX_OK; i++)
    status = add(fit, maximize->items[i], groups, -1, ++number, listener, &t, err);
  for (size_t m = 0; m < fit->M && n == 0; m++) {
    t.weight[m] = t.sign[m] / (double)fit->M;
    t.group[m] = 1;
  }
  if (status != RMX_OK) {
    rmx_target_release(&t);
    return status;
  }
  *out = t;
  return RMX_OK;
}

rmx_status rmx_target_no_worse(const rmx_fit *fit, const char *text, const rmx_strings *groups,
                               const double *than, rmx_target *t, rmx_err *err) {
  double slack = 0;
  size_t *members = NULL, n = 0;
  RMX_TRY(parse(fit, text, groups, "the slack of a limit", &members, &n, &slack, err));
  for (size_t k = 0; k < n; k++) {
    double value;
    rmx_regressor_predict(fit->regressors[members[k]], than, 1, &value, NULL);
    t->limit[members[k]] = fmin(t->limit[members[k]], t->sign[members[k]] * value + slack);
  }
  free(members);
  if (!isfinite(slack) || slack < 0)
    return rmx_fail(err, RMX_EINPUT,
                    "limit \"%s\": the slack must be 0 or more, in the metric's unit", text);
  return RMX_OK;
}

void rmx_target_worst(const rmx_fit *fit, const double *than, rmx_target *t) {
  t->worst = true;
  for (size_t m = 0; m < fit->M; m++)
    rmx_regressor_predict(fit->regressors[m], than, 1, &t->base[m], NULL);
}

void rmx__target_by(const rmx_target *t, const rmx_fit *by, const double *than,
                    const double *before, rmx_target *out) {
  double *limit = out->limit, *base = out->base;
  *out = *t;
  out->limit = limit;
  out->base = base;
  for (size_t m = 0; m < by->M; m++) {
    double now = before[m];
    if (than && (t->worst || t->limit[m] < INFINITY))
      rmx_regressor_predict(by->regressors[m], than, 1, &now, NULL);
    limit[m] = t->limit[m] + t->sign[m] * (now - before[m]);
    base[m] = t->base[m] + now - before[m];
  }
}

rmx_status rmx_target_best_domain(const rmx_fit *fit, const rmx_target *t, size_t *domain,
                                  rmx_err *err) {
  double best = INFINITY, score;
  RMX_OWNED double *w = rmx_calloc(fit->D, sizeof(double)), *y = rmx_calloc(fit->M, sizeof(double));
  if (!w || !y) return rmx_fail_memory(err, fit->D * sizeof(double), "a mixture");
  *domain = 0;
  for (size_t d = 0; d < fit->D; d++) {
    w[d] = 1;
    rmx__plain_scores(fit, t, w, 1, y, &score);
    w[d] = 0;
    if (!(score < best)) continue;
    best = score;
    *domain = d;
  }
  return RMX_OK;
}

// ---- the score ----

double rmx__plain_score(const rmx_target *t, size_t M, const double *y) {
  double sum = 0, max = -INFINITY;
  for (size_t m = 0; m < M; m++) {
    if (t->weight[m] == 0) continue;
    if (isnan(y[m])) return NAN;
    sum += t->weight[m] * y[m];
    max = fmax(max, t->weight[m] * (y[m] - t->base[m]));
  }
  return t->worst ? max : sum;
}

void rmx_target_score(const rmx_target *t, size_t M, const double *predicted, size_t n,
                      double *score) {
  for (size_t i = 0; i < n; i++) {
    const double *y = predicted + i * M;
    score[i] = rmx__plain_score(t, M, y);
    for (size_t m = 0; m < M; m++)
      if (t->limit[m] < INFINITY && !(t->sign[m] * y[m] <= t->limit[m] + rmx__slack(t, m)))
        score[i] = INFINITY;
  }
}

void rmx__predict_target(const rmx_fit *fit, const rmx_target *t, const double *X, size_t n,
                         double *y, double *column) {
  size_t M = fit->M;
  for (size_t m = 0; m < M; m++) {
    if (t->weight[m] == 0 && !(t->limit[m] < INFINITY)) continue;
    rmx_regressor_predict(fit->regressors[m], X, n, column, NULL);
    for (size_t i = 0; i < n; i++) y[i * M + m] = column[i];
  }
}

void rmx__plain_scores(const rmx_fit *fit, const rmx_target *t, const double *X, size_t n,
                       double *y, double *score) {
  rmx__predict_target(fit, t, X, n, y, score);
  for (size_t i = 0; i < n; i++) score[i] = rmx__plain_score(t, fit->M, y + i * fit->M);
}
