// SPDX-License-Identifier: Apache-2.0
// See scales.h.

#include "scales.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/c_number.h"
#include "fit_warnings.h"
#include "registry.h"
#include "rows.h"

enum { ENOUGH = 5 };
static const double SAME_LENGTH = 1.03;
static const double FAR = 2;  // times the measured sizes: beyond, a warning

// Both tables may have the size (tokens) of a run, if they agree; a percent is rounding.
static rmx_status agree(const rmx_table *mixtures, size_t row, const rmx_table *metrics, size_t run,
                        rmx_err *err) {
  const struct {
    const char *what;
    const double *of[2];
  } both[] = {{"parameters", {mixtures->sizes, metrics->sizes}},
              {"tokens", {mixtures->tokens, metrics->tokens}}};
  for (size_t k = 0; k < 2; k++) {
    if (!both[k].of[0] || !both[k].of[1]) continue;
    const double a = both[k].of[0][row], b = both[k].of[1][run];
    if (!(fabs(a - b) > 0.01 * fmax(a, b))) continue;
    return rmx_fail(err, RMX_EINPUT,
                    "run \"%s\" has %g %s in %s, but %g in %s; correct one, or leave the column "
                    "out of one of the tables",
                    metrics->ids[run], a, both[k].what,
                    mixtures->path ? mixtures->path : "the mixtures", b,
                    metrics->path ? metrics->path : "the metrics");
  }
  return RMX_OK;
}

rmx_status rmx__take_scales(rmx_fit *f, const rmx_table *mixtures, const rmx_table *metrics,
                            const size_t *row_of, const size_t *run_of, rmx_err *err) {
  if (!mixtures->sizes && !metrics->sizes && !mixtures->tokens && !metrics->tokens) return RMX_OK;
  if (!(f->scales = rmx_calloc(f->N, sizeof *f->scales)))
    return rmx_fail_memory(err, f->N * sizeof *f->scales, "the scales of runs");
  for (size_t i = 0; i < f->N; i++) {
    RMX_TRY(agree(mixtures, row_of[i], metrics, run_of[i], err));
    f->scales[i] = (rmx_scale){.size = metrics->sizes    ? metrics->sizes[run_of[i]]
                                       : mixtures->sizes ? mixtures->sizes[row_of[i]]
                                                         : 0,
                               .tokens = metrics->tokens    ? metrics->tokens[run_of[i]]
                                         : mixtures->tokens ? mixtures->tokens[row_of[i]]
                                                            : 0};
  }
  return RMX_OK;
}

static bool all_equal(const rmx_fit *f, bool size) {
  const rmx_scale *a = f->scales;
  size_t i = 1;
  while (i < f->N && (size ? a[i].size == a[0].size : a[i].tokens == a[0].tokens)) i++;
  return i >= f->N;
}

void rmx__weigh_scales(rmx_fit *f, const rmx_listener *listener) {
  if (!f->scales || f->N == 0) return;
  const bool size = all_equal(f, true), tokens = all_equal(f, false);
  RMX_OWNED char *at = rmx_scale_text(f->scales[0]);
  RMX_OWNED char *one = rmx_scale_text(size ? (rmx_scale){.size = f->scales[0].size}
                                            : (rmx_scale){.tokens = f->scales[0].tokens});
  const bool known = size ? f->scales[0].size > 0 : f->scales[0].tokens > 0;
  if (size != tokens && known)
    rmx_warn(listener,
             "all runs have one %s, %s: they do not tell what changes with it, so an answer for "
             "another assumes that nothing does",
             size ? "size" : "length", one ? one : "");
  if (!size || !tokens) return;
  rmx_warn(listener,
           "all runs have the size and length %s: the fit is one of runs of one size, and cannot "
           "answer for another (--for)",
           at ? at : "");
  free(f->scales);
  free(f->size_column);
  free(f->tokens_column);
  f->scales = NULL;
  f->size_column = f->tokens_column = NULL;
}

bool rmx__is_as_long(double tokens, double longest) {
  return tokens * SAME_LENGTH >= longest;
}

// The longest length among runs of a size, and how many of them have it.
static double longest(const rmx_scale *scales, size_t N, double size, size_t *runs) {
  double tokens = 0;
  for (size_t i = 0; i < N; i++)
    if (scales[i].size == size) tokens = fmax(tokens, scales[i].tokens);
  *runs = 0;
  for (size_t i = 0; i < N; i++)
    *runs += scales[i].size == size && rmx__is_as_long(scales[i].tokens, tokens);
  return tokens;
}

bool rmx__is_last(const rmx_scale *scales, const int *groups, size_t N, size_t i) {
  for (size_t k = 0; groups && k < N; k++)
    if (groups[k] == groups[i] && scales[k].size == scales[i].size &&
        scales[k].tokens > scales[i].tokens)
      return false;
  return true;
}

void rmx__judge(const rmx_scale *scales, const int *groups, size_t N, bool *judged) {
  double size = -1, tokens = 0;
  for (size_t i = 0; i < N; i++) {
    size_t n;
    if (scales[i].size <= size) continue;
    const double last = longest(scales, N, scales[i].size, &n);
    if (n < ENOUGH) continue;
    size = scales[i].size;
    tokens = last;
  }
  for (size_t i = 0; i < N; i++)
    judged[i] = size < 0 || (scales[i].size == size && rmx__is_as_long(scales[i].tokens, tokens) &&
                             rmx__is_last(scales, groups, N, i));
}

rmx_status rmx__judge_runs(rmx_fit *f, rmx_err *err) {
  if (!f->scales) return RMX_OK;
  if (!(f->judged = rmx_calloc(f->N, sizeof *f->judged)))
    return rmx_fail_memory(err, f->N, "the scales of runs");
  rmx__judge(f->scales, f->groups, f->N, f->judged);
  return RMX_OK;
}

char *rmx_scale_text(rmx_scale at) {
  static const struct {
    double count;
    const char *unit;
  } units[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {0, ""}};
  RMX_OWNED_BY(rmx_buf_release) rmx_buf b = {0};
  const double counts[] = {at.size, at.tokens};
  for (int k = 0; k < 2; k++) {
    size_t i = 0;
    while (counts[k] < units[i].count) i++;
    if (counts[k] > 0)
      rmx_buf_printf(&b, "%s%.4g%s", b.size ? "," : "", counts[k] / fmax(units[i].count, 1),
                     units[i].count == 1e9 && k == 0 ? "B" : units[i].unit);
  }
  rmx_buf_puts(&b, "");
  return b.failed ? NULL : rmx_strdup(b.data ? b.data : "");
}

const char *rmx__scale_wanted(bool size, bool tokens) {
  return size && tokens ? "SIZE,TOKENS, as in 1.2B,100G"
         : size         ? "SIZE, as in 1.2B"
                        : "TOKENS, as in 100G";
}

static rmx_status positive(const char *text, const char *what, const char *wanted, double *out,
                           rmx_err *err) {
  rmx_err why;
  char *unit;
  if (rmx_parse_count(text, "", out, &why) != RMX_OK) {
    rmx__strtod(text, &unit);
    return rmx_fail(err, RMX_EUSAGE, "\"%s\" is not a number of %s%s; wanted %s", text, what,
                    unit > text && isalpha((unsigned char)*unit)
                        ? ": its unit is none of k, M, G (or B) and T"
                        : "",
                    wanted);
  }
  if (!(*out > 0)) return rmx_fail(err, RMX_EUSAGE, "%s %s; wanted a positive number", text, what);
  return RMX_OK;
}

rmx_status rmx_scale_parse(const char *text, bool size, bool tokens, rmx_scale *at, rmx_err *err) {
  const char *wanted = rmx__scale_wanted(size, tokens);
  *at = (rmx_scale){0};
  RMX_OWNED char *first = rmx_strdup(text);
  if (!first) return rmx_fail_memory(err, 0, "a scale");
  char *comma = strchr(first, ',');
  if (!comma != !(size && tokens)) return rmx_fail(err, RMX_EUSAGE, "wanted %s", wanted);
  if (comma) *comma = 0;
  if (size) RMX_TRY(positive(first, "parameters", wanted, &at->size, err));
  return tokens ? positive(comma ? comma + 1 : first, "tokens", wanted, &at->tokens, err) : RMX_OK;
}

// ---- a fit at one scale ----

void rmx_fit_set_scale(rmx_fit *f, rmx_scale at) {
  for (size_t m = 0; m < f->M; m++) rmx__regressor_set_scale(f->regressors[m], at);
}

bool rmx_fit_has_scales(const rmx_fit *f) {
  return f->scales != NULL;
}

const char *rmx_fit_size_column(const rmx_fit *f) {
  return f->size_column;
}

const char *rmx_fit_tokens_column(const rmx_fit *f) {
  return f->tokens_column;
}

// The row of each mixture that stands for it: that of the largest size, and then the longest.
static size_t choose_rows(const rmx_fit *f, size_t *row) {
  size_t n = 0;
  for (size_t i = 0; i < f->N; i++) row[i] = SIZE_MAX;
  for (size_t i = 0; i < f->N; i++) {
    size_t *best = &row[f->groups[i]];
    const rmx_scale *a = &f->scales[i], *b = *best == SIZE_MAX ? NULL : &f->scales[*best];
    if (!b || a->size > b->size || (a->size == b->size && a->tokens > b->tokens)) *best = i;
  }
  for (size_t g = 0; g < f->N; g++)
    if (row[g] != SIZE_MAX) row[n++] = row[g];
  return n;
}

// Whether all runs of the size of run i were left out together. The fit that predicted them knew no
// run of their size, so its error is that of the level, and says little of the mixtures.
static bool left_out_whole(const rmx_fit *f, size_t i, size_t m) {
  if (!f->fold) return false;
  for (size_t k = 0; k < f->N; k++)
    if (f->scales[k].size == f->scales[i].size && f->fold[k * f->M + m] != f->fold[i * f->M + m])
      return false;
  return true;
}

// Adds to the values of the chosen runs what the fit predicts to change on the way to `at`.
static rmx_status carry(rmx_fit *f, rmx_scale at, const size_t *row, size_t n, rmx_err *err) {
  RMX_OWNED double *X = rmx_calloc(n, f->D * sizeof(double)),
                   *here = rmx_calloc(2 * n, sizeof *here),
                   *there = rmx_calloc(2 * n, sizeof *there);
  RMX_OWNED rmx_scale *scales = rmx_calloc(n, sizeof *scales);
  if (!X || !here || !there || !scales)
    return rmx_fail_memory(err, n * f->D * sizeof(double), "a fit at one scale");
  for (size_t k = 0; k < n; k++) {
    memcpy(X + k * f->D, f->runs + row[k] * f->D, f->D * sizeof(double));
    scales[k] = f->scales[row[k]];
  }
  for (size_t m = 0; m < f->M; m++) {
    rmx__predict_rows(f->regressors[m], X, scales, n, here, here + n);
    rmx__regressor_set_scale(f->regressors[m], at);
    rmx_regressor_predict(f->regressors[m], X, n, there, there + n);
    double more = 0;
    for (size_t k = 0; k < n; k++) {
      more += (there[n + k] * there[n + k] - here[n + k] * here[n + k]) / (double)n;
      f->truth[row[k] * f->M + m] += there[k] - here[k];
      f->out_of_fold[row[k] * f->M + m] += left_out_whole(f, row[k], m) ? NAN : there[k] - here[k];
    }
    f->doubt[m] = isnan(more) || f->size_unknown || f->tokens_unknown ? NAN
                  : more > 0                                          ? sqrt(more)
                                                                      : 0;
  }
  return RMX_OK;
}

// Keeps the rows (n) only.
static rmx_status keep_rows(rmx_fit *f, const size_t *row, size_t n, rmx_err *err) {
  const size_t D = f->D, M = f->M;
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  double *runs = rmx_arena_alloc(&arena, n, D * sizeof(double)),
         *truth = rmx_arena_alloc(&arena, n, M * sizeof(double)),
         *out = rmx_arena_alloc(&arena, n, M * sizeof(double));
  int *fold = rmx_arena_alloc(&arena, n, M * sizeof(int));
  char **ids = rmx_arena_alloc(&arena, f->N, sizeof *ids);
  if (!runs || !truth || !out || !fold || !ids)
    return rmx_fail_memory(err, n * D * sizeof(double), "a fit at one scale");
  memcpy(ids, f->run_ids, f->N * sizeof *ids);
  for (size_t k = 0; k < n; k++) {
    memcpy(runs + k * D, f->runs + row[k] * D, D * sizeof(double));
    memcpy(truth + k * M, f->truth + row[k] * M, M * sizeof(double));
    memcpy(out + k * M, f->out_of_fold + row[k] * M, M * sizeof(double));
    if (f->fold) memcpy(fold + k * M, f->fold + row[k] * M, M * sizeof(int));
    f->run_ids[k] = ids[row[k]];
    ids[row[k]] = NULL;
  }
  for (size_t i = 0; i < f->N; i++) {
    free(ids[i]);
    if (i >= n) f->run_ids[i] = NULL;
  }
  f->N = n;
  memcpy(f->runs, runs, n * D * sizeof(double));
  memcpy(f->truth, truth, n * M * sizeof(double));
  memcpy(f->out_of_fold, out, n * M * sizeof(double));
  if (f->fold) memcpy(f->fold, fold, n * M * sizeof(int));
  memset(f->mean_mixture, 0, D * sizeof(double));
  for (size_t i = 0; i < n * D; i++) f->mean_mixture[i % D] += f->runs[i] / (double)n;
  return rmx__replicate_groups(f->runs, n, D, f->groups, err);
}

static rmx_status check_scale(const rmx_fit *f, rmx_scale at, rmx_err *err) {
  if (!f->scales)
    return rmx_fail(err, RMX_EUSAGE,
                    "the fit was made from runs of one size and length, so it cannot predict for "
                    "another; fit runs of several sizes or lengths, with --size-column and "
                    "--tokens-column");
  if (!f->truth) return rmx_fail(err, RMX_EINPUT, "the fit does not hold its runs; make it again");
  if (f->size_column && !(at.size > 0))
    return rmx_fail(err, RMX_EUSAGE, "the size is %g parameters; wanted a positive number",
                    at.size);
  if (f->tokens_column && !(at.tokens > 0))
    return rmx_fail(err, RMX_EUSAGE, "the length is %g tokens; wanted a positive number",
                    at.tokens);
  return RMX_OK;
}

void rmx__scale_range(const rmx_scale *scales, size_t n, rmx_scale *least, rmx_scale *most) {
  *least = (rmx_scale){INFINITY, INFINITY};
  *most = (rmx_scale){0};
  for (size_t i = 0; i < n; i++) {
    least->size = fmin(least->size, scales[i].size);
    least->tokens = fmin(least->tokens, scales[i].tokens);
    most->size = fmax(most->size, scales[i].size);
    most->tokens = fmax(most->tokens, scales[i].tokens);
  }
}

static bool is_unknown(double least, double most, double at) {
  return least > 0 && at > 0 && most <= SAME_LENGTH * least &&
         (at > SAME_LENGTH * most || at * SAME_LENGTH < least);
}

bool rmx__size_is_unknown(rmx_scale least, rmx_scale most, rmx_scale at) {
  return is_unknown(least.size, most.size, at.size);
}

bool rmx__tokens_are_unknown(rmx_scale least, rmx_scale most, rmx_scale at) {
  return is_unknown(least.tokens, most.tokens, at.tokens);
}

char *rmx_fit_no_intervals(const rmx_fit *f) {
  rmx_scale least = f->least, most = f->most;
  bool size = f->size_unknown, tokens = f->tokens_unknown;
  if (f->scales) {
    rmx__scale_range(f->scales, f->N, &least, &most);
    size = least.size > 0 && most.size <= SAME_LENGTH * least.size;
    tokens = least.tokens > 0 && most.tokens <= SAME_LENGTH * least.tokens;
  }
  if (!size && !tokens) return NULL;
  RMX_OWNED char *one = rmx_scale_text((rmx_scale){size ? most.size : 0, tokens ? most.tokens : 0});
  return rmx_format(
      "all runs have one %s%s%s, %s, and nothing tells how wrong an answer for another "
      "is",
      size ? "size" : "", size && tokens ? " and " : "", tokens ? "length" : "", one ? one : "");
}

// The scales and the values of the runs, as they were measured.
static rmx_status remember_runs(rmx_fit *f, rmx_err *err) {
  f->range = rmx_calloc(f->M, 2 * sizeof(double));
  f->doubt = rmx_calloc(f->M, sizeof(double));
  if (!f->range || !f->doubt)
    return rmx_fail_memory(err, f->M * 2 * sizeof(double), "a fit at one scale");
  rmx__scale_range(f->scales, f->N, &f->least, &f->most);
  for (size_t m = 0; m < f->M; m++) rmx__measured_range(f, m, f->range + 2 * m);
  return RMX_OK;
}

// "its size is 20 times the largest of the runs (50M)", unless it is near them.
static void put_far(rmx_buf *b, bool size, double at, double least, double most) {
  const bool above = at > FAR * most;
  if (!(at > 0 && least > 0) || !(above || at * FAR < least)) return;
  const double near = above ? most : least;
  RMX_OWNED char *text =
      rmx_scale_text(size ? (rmx_scale){.size = near} : (rmx_scale){.tokens = near});
  rmx_buf_printf(b, "%sits %s is %.3g times %s%s of the runs (%s)", b->size ? ", " : "",
                 size ? "size" : "length", above ? at / near : near / at,
                 above ? "" : "smaller than ", above ? "the largest" : "the smallest",
                 text ? text : "");
}

void rmx__warn_of_scale(const rmx_fit *f, const rmx_listener *listener) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf b = {0};
  if (!f->range) return;
  if (f->size_unknown || f->tokens_unknown) {
    RMX_OWNED char *why = rmx_fit_no_intervals(f);
    rmx_warn(listener, "%s: no interval can be given; add runs of another %s", why ? why : "",
             f->size_unknown ? "size" : "length");
    return;
  }
  put_far(&b, true, f->at.size, f->least.size, f->most.size);
  put_far(&b, false, f->at.tokens, f->least.tokens, f->most.tokens);
  RMX_OWNED char *at = rmx_scale_text(f->at);
  if (b.size && !b.failed)
    rmx_warn(listener,
             "%s is far from the runs: %s; no run tells how far the laws of the fit hold, so the "
             "errors and intervals may be too small; add runs nearer to it",
             at ? at : "", b.data);
}

rmx_status rmx_fit_for(rmx_fit *f, rmx_scale at, rmx_err *err) {
  RMX_TRY(check_scale(f, at, err));
  RMX_OWNED size_t *row = rmx_calloc(f->N, sizeof *row);
  if (!row) return rmx_fail_memory(err, f->N * sizeof *row, "a fit at one scale");
  const size_t n = choose_rows(f, row);
  RMX_TRY(remember_runs(f, err));
  f->size_unknown = rmx__size_is_unknown(f->least, f->most, at);
  f->tokens_unknown = rmx__tokens_are_unknown(f->least, f->most, at);
  RMX_TRY(carry(f, at, row, n, err));
  RMX_TRY(keep_rows(f, row, n, err));
  free(f->scales);
  free(f->judged);
  f->scales = NULL;
  f->judged = NULL;
  f->at = at;
  return RMX_OK;
}
