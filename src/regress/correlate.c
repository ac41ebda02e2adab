// SPDX-License-Identifier: Apache-2.0
// Rank correlations of losses with scores. A bootstrap sample draws runs with replacement; the
// ranks of a column in it come from counting, since the order of its values is known.
#include <fnmatch.h>
#include <math.h>
#include <regmix/correlate.h>
#include <regmix/regress.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/order.h"

static const double LEVEL = 0.95;
enum { FEWEST = 5 };

// ---- what is a loss, and what a score

static bool matches(const rmx_strings *patterns, const char *name) {
  for (size_t p = 0; p < patterns->n; p++)
    if (fnmatch(patterns->items[p], name, 0) == 0) return true;
  return false;
}

static bool is_loss_name(const char *name) {
  const size_t n = strlen(name);
  return n >= 4 && strcmp(name + n - 4, "loss") == 0;
}

// Lists the columns of losses or scores. An exact name is a pattern, too.
static rmx_status choose(const rmx_table *t, const rmx_strings *patterns, const rmx_strings *others,
                         bool losses, size_t *list, size_t *n, rmx_err *err) {
  *n = 0;
  for (size_t p = 0; p < patterns->n; p++) {
    size_t d = 0;
    while (d < t->D && fnmatch(patterns->items[p], t->names[d], 0) != 0) d++;
    if (d == t->D)
      return rmx_fail(err, RMX_EUSAGE, "no metric matches \"%s\"; the first of %zu is \"%s\"",
                      patterns->items[p], t->D, t->D ? t->names[0] : "");
  }
  for (size_t d = 0; d < t->D; d++)
    if (patterns->n ? matches(patterns, t->names[d])
                    : is_loss_name(t->names[d]) == losses && !matches(others, t->names[d]))
      list[(*n)++] = d;
  if (*n) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  losses ? "none of the %zu metrics is a validation loss (no name ends in loss); "
                           "--losses 'PATTERN' chooses them"
                         : "none of the %zu metrics is a score: all their names end in loss. "
                           "eval.tasks in the config measures scores, --metrics FILE adds a table "
                           "of them, and --scores 'PATTERN' chooses them",
                  t->D);
}

// A metric is a loss or a score, not both.
static rmx_status check_apart(const rmx_table *t, const size_t *losses, size_t L,
                              const size_t *scores, size_t S, rmx_err *err) {
  for (size_t i = 0; i < L; i++)
    for (size_t k = 0; k < S; k++)
      if (losses[i] == scores[k])
        return rmx_fail(err, RMX_EUSAGE,
                        "metric \"%s\" is named by both --losses and --scores; name it by one",
                        t->names[losses[i]]);
  return RMX_OK;
}

// ---- columns as places in their order

// The runs that have both a loss and a score, as a set; pairs share it mostly.
struct runs {
  uint8_t *has;  // (N)
  size_t *list;  // (n)
  size_t n;
};
// A column: of each run the place of its value among the different values.
struct column {
  const double *x;  // stride D
  uint32_t *place;  // (N)
  size_t values;    // how many different ones
};
struct work {
  const rmx_table *t;
  const rmx_correlate_options *o;
  struct column *columns;  // (L + S)
  struct runs *sets;       // (n_sets)
  size_t n_sets;
  size_t *set_of;  // (L, S)
  rmx_correlations *c;
  double *samples;  // (L, S, replicates)
  bool failed;
};

typedef struct placed {
  double x;
  size_t run;
} placed;

static int by_x(const void *a, const void *b) {
  const double x = ((const placed *)a)->x, y = ((const placed *)b)->x;
  return (x > y) - (x < y);
}

static rmx_status make_column(const rmx_table *t, size_t d, struct column *c, rmx_err *err) {
  RMX_OWNED placed *order = rmx_calloc(t->N, sizeof *order);
  size_t n = 0;
  *c = (struct column){.x = t->x + d, .place = rmx_calloc(t->N, sizeof *c->place)};
  if (!order || !c->place) return rmx_fail_memory(err, t->N * sizeof *order, "correlations");
  for (size_t i = 0; i < t->N; i++)
    if (isfinite(c->x[i * t->D])) order[n++] = (placed){c->x[i * t->D], i};
  qsort(order, n, sizeof *order, by_x);
  for (size_t i = 0; i < n; i++) {
    if (i == 0 || order[i].x != order[i - 1].x) c->values++;
    c->place[order[i].run] = (uint32_t)(c->values - 1);
  }
  return RMX_OK;
}

static rmx_status find_set(struct work *w, size_t loss, size_t score, size_t *at, rmx_err *err) {
  const rmx_table *t = w->t;
  struct runs s = {.has = rmx_calloc(t->N, 1), .list = rmx_calloc(t->N, sizeof *s.list)};
  bool good = s.has && s.list;
  for (size_t i = 0; good && i < t->N; i++) {
    s.has[i] = isfinite(w->columns[loss].x[i * t->D]) && isfinite(w->columns[score].x[i * t->D]);
    if (s.has[i]) s.list[s.n++] = i;
  }
  *at = 0;
  while (good && *at < w->n_sets && memcmp(w->sets[*at].has, s.has, t->N) != 0) ++*at;
  const bool known = *at < w->n_sets;
  struct runs *grown = good && !known ? rmx_realloc(w->sets, w->n_sets + 1, sizeof *grown) : NULL;
  if (grown) {
    w->sets = grown;
    w->sets[w->n_sets++] = s;
    return RMX_OK;
  }
  free(s.has), free(s.list);
  return good && known ? RMX_OK : rmx_fail_memory(err, t->N * sizeof *s.list, "correlations");
}

// ---- one sample

// The mean ranks of the runs drawn (n), less their mean, divided by the root of the sum of their
// squares; false: all are equal. counts (values) is scratch.
static bool ranks(const struct column *c, const size_t *drawn, size_t n, double *counts,
                  double *out) {
  double before = 0, squares = 0;
  const double mean = ((double)n - 1) / 2;
  memset(counts, 0, c->values * sizeof *counts);
  for (size_t i = 0; i < n; i++) counts[c->place[drawn[i]]]++;
  for (size_t v = 0; v < c->values; v++) {
    const double k = counts[v];
    counts[v] = before + (k - 1) / 2 - mean;
    before += k;
  }
  for (size_t i = 0; i < n; i++) {
    out[i] = counts[c->place[drawn[i]]];
    squares += out[i] * out[i];
  }
  for (size_t i = 0; i < n && squares > 0; i++) out[i] /= sqrt(squares);
  return squares > 0;
}

static double product(const double *a, const double *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
  return fmin(1, fmax(-1, sum));
}

// The correlations of the pairs of one set of runs, in the runs drawn (n): out, one each stride.
static bool correlate_set(const struct work *w, size_t set, const size_t *drawn, size_t n,
                          double *out, size_t stride) {
  const size_t L = w->c->L, S = w->c->S;
  RMX_OWNED double *rank = rmx_calloc((L + S) * n, sizeof *rank);
  RMX_OWNED double *counts = rmx_calloc(w->t->N + 1, sizeof *counts);
  RMX_OWNED bool *varies = rmx_calloc(L + S, sizeof *varies);
  if (!rank || !counts || !varies) return false;
  for (size_t k = 0; k < L + S; k++)
    varies[k] = ranks(&w->columns[k], drawn, n, counts, rank + k * n);
  for (size_t l = 0; l < L; l++)
    for (size_t s = 0; s < S; s++) {
      if (w->set_of[l * S + s] != set) continue;
      out[(l * S + s) * stride] =
          varies[l] && varies[L + s] ? product(rank + l * n, rank + (L + s) * n, n) : NAN;
    }
  return true;
}

static void draw_sample(void *context, size_t b) {
  struct work *w = context;
  RMX_OWNED size_t *drawn = rmx_calloc(w->t->N, sizeof *drawn);
  if (!drawn) w->failed = true;
  for (size_t k = 0; k < w->n_sets && drawn; k++) {
    rmx_rng rng = rmx_rng_make(w->o->seed, b, RMX_FOR_BOOTSTRAP);
    const struct runs *r = &w->sets[k];
    if (r->n < FEWEST) continue;
    for (size_t i = 0; i < r->n; i++) drawn[i] = r->list[rmx_rng_below(&rng, r->n)];
    if (!correlate_set(w, k, drawn, r->n, w->samples + b, w->c->replicates)) w->failed = true;
  }
}

// ---- what follows

// Percentiles of the samples that are known, if most are.
static void interval(double *x, size_t n, rmx_correlation *p) {
  size_t k = 0;
  for (size_t i = 0; i < n; i++)
    if (isfinite(x[i])) x[k++] = x[i];
  if (k < n / 2 || k < 20) return;
  qsort(x, k, sizeof *x, rmx__ascending);
  const double tail = (1 - LEVEL) / 2 * (double)(k - 1);
  p->low = x[(size_t)floor(tail)];
  p->high = x[k - 1 - (size_t)floor(tail)];
  p->told = p->low > 0 || p->high < 0;
}

// |t| of a correlation, with n - 2 degrees of freedom.
static double t_of(const rmx_correlation *p) {
  return fabs(p->rho) * sqrt(((double)p->n - 2) / fmax(1 - p->rho * p->rho, 1e-12));
}

struct test {
  rmx_correlation *pair;
  double level;  // 1 - its p value is above this where t exceeds the width
  double t;
};

static int by_t(const void *a, const void *b) {
  const double x = ((const struct test *)a)->t, y = ((const struct test *)b)->t;
  return (x < y) - (x > y);
}

// Holm's procedure: the k-th largest of m tests must pass 0.05 / (m - k). Tests of fewer runs with
// the same t are weaker, but a run that lacks a score is rare.
static rmx_status correct_for_all(rmx_correlations *c, rmx_err *err) {
  RMX_OWNED struct test *tests = rmx_calloc(c->L * c->S, sizeof *tests);
  if (!tests) return rmx_fail_memory(err, c->L * c->S * sizeof *tests, "correlations");
  for (size_t i = 0; i < c->L * c->S; i++)
    if (isfinite(c->pairs[i].rho))
      tests[c->tests++] = (struct test){&c->pairs[i], 0, t_of(&c->pairs[i])};
  qsort(tests, c->tests, sizeof *tests, by_t);
  for (size_t k = 0; k < c->tests; k++) {
    const double level = 1 - (1 - LEVEL) / (double)(c->tests - k);
    if (!(tests[k].t > rmx_student_width(level, (double)tests[k].pair->n - 2))) break;
    tests[k].pair->clear = tests[k].pair->told;
  }
  return RMX_OK;
}

static void find_best(rmx_correlations *c) {
  for (size_t s = 0; s < c->S; s++) {
    c->best[s] = c->L;
    for (size_t l = 0; l < c->L; l++) {
      const double x = c->pairs[l * c->S + s].agreement;
      if (isfinite(x) && (c->best[s] == c->L || x > c->pairs[c->best[s] * c->S + s].agreement))
        c->best[s] = l;
    }
  }
}

static rmx_status measure(struct work *w, rmx_err *err) {
  rmx_correlations *c = w->c;
  const size_t pairs = c->L * c->S;
  RMX_OWNED double *rho = rmx_calloc(pairs, sizeof *rho);
  if (!rho) return rmx_fail_memory(err, pairs * sizeof *rho, "correlations");
  for (size_t i = 0; i < pairs; i++) rho[i] = NAN;
  for (size_t i = 0; i < pairs * c->replicates; i++) w->samples[i] = NAN;
  for (size_t k = 0; k < w->n_sets; k++)
    if (w->sets[k].n >= FEWEST && !correlate_set(w, k, w->sets[k].list, w->sets[k].n, rho, 1))
      return rmx_fail_memory(err, 0, "correlations");
  rmx_parallel(w->o->threads > 0 ? w->o->threads : 1, c->replicates, draw_sample, w);
  if (w->failed) return rmx_fail_memory(err, 0, "correlations");
  for (size_t i = 0; i < pairs; i++) {
    rmx_correlation *p = &c->pairs[i];
    *p = (rmx_correlation){
        .n = w->sets[w->set_of[i]].n, .rho = rho[i], .low = NAN, .high = NAN, .agreement = rho[i]};
    if (c->better[i % c->S] == RMX_BETTER_HIGH) p->agreement = -p->agreement;
    if (isfinite(p->rho)) interval(w->samples + i * c->replicates, c->replicates, p);
  }
  RMX_TRY(correct_for_all(c, err));
  find_best(c);
  return RMX_OK;
}

// ---- the whole

static rmx_status make_result(struct work *w, const size_t *losses, const size_t *scores,
                              rmx_err *err) {
  rmx_correlations *c = w->c;
  const rmx_table *t = w->t;
  c->losses = rmx_calloc(c->L, sizeof *c->losses);
  c->scores = rmx_calloc(c->S, sizeof *c->scores);
  c->better = rmx_calloc(c->S, sizeof *c->better);
  c->pairs = rmx_calloc(c->L * c->S, sizeof *c->pairs);
  c->best = rmx_calloc(c->S, sizeof *c->best);
  bool good = c->losses && c->scores && c->better && c->pairs && c->best;
  for (size_t l = 0; good && l < c->L; l++)
    good = (c->losses[l] = rmx_strdup(t->names[losses[l]])) != NULL;
  for (size_t s = 0; good && s < c->S; s++) {
    const size_t d = scores[s];
    good = (c->scores[s] = rmx_strdup(t->names[d])) != NULL;
    c->better[s] = t->better && t->better[d]
                       ? t->better[d]
                       : rmx_better_by_values(t->names[d], t->x + d, t->N, t->D);
  }
  return good ? RMX_OK : rmx_fail_memory(err, 0, "correlations");
}

static rmx_status make_sets(struct work *w, const size_t *losses, const size_t *scores,
                            rmx_err *err) {
  const size_t L = w->c->L, S = w->c->S;
  for (size_t k = 0; k < L + S; k++)
    RMX_TRY(make_column(w->t, k < L ? losses[k] : scores[k - L], &w->columns[k], err));
  for (size_t l = 0; l < L; l++)
    for (size_t s = 0; s < S; s++) RMX_TRY(find_set(w, l, L + s, &w->set_of[l * S + s], err));
  return RMX_OK;
}

static void release_work(struct work *w) {
  for (size_t k = 0; w->columns && k < w->c->L + w->c->S; k++) free(w->columns[k].place);
  for (size_t k = 0; k < w->n_sets; k++) free(w->sets[k].has), free(w->sets[k].list);
  free(w->columns), free(w->sets), free(w->set_of), free(w->samples);
}

static rmx_status correlate(struct work *w, const size_t *losses, const size_t *scores,
                            rmx_err *err) {
  const size_t L = w->c->L, S = w->c->S;
  if (L * S > SIZE_MAX / 16 / w->c->replicates)
    return rmx_fail(err, RMX_EINPUT, "%zu losses and %zu scores are too many", L, S);
  w->columns = rmx_calloc(L + S, sizeof *w->columns);
  w->set_of = rmx_calloc(L * S, sizeof *w->set_of);
  w->samples = rmx_calloc(L * S * w->c->replicates, sizeof *w->samples);
  if (!w->columns || !w->set_of || !w->samples)
    return rmx_fail_memory(err, L * S * w->c->replicates * sizeof *w->samples, "correlations");
  RMX_TRY(make_result(w, losses, scores, err));
  RMX_TRY(make_sets(w, losses, scores, err));
  return measure(w, err);
}

rmx_status rmx_correlate(const rmx_table *metrics, const rmx_correlate_options *options,
                         rmx_correlations *out, rmx_err *err) {
  RMX_OWNED size_t *losses = rmx_calloc(metrics->D, sizeof *losses),
                   *scores = rmx_calloc(metrics->D, sizeof *scores);
  *out = (rmx_correlations){.runs = metrics->N, .replicates = (size_t)options->replicates};
  if (!losses || !scores) return rmx_fail_memory(err, metrics->D * sizeof *losses, "correlations");
  struct work w = {.t = metrics, .o = options, .c = out};
  RMX_TRY(choose(metrics, &options->losses, &options->scores, true, losses, &out->L, err));
  rmx_status status =
      choose(metrics, &options->scores, &options->losses, false, scores, &out->S, err);
  if (status == RMX_OK) status = check_apart(metrics, losses, out->L, scores, out->S, err);
  if (status == RMX_OK) status = correlate(&w, losses, scores, err);
  release_work(&w);
  if (status != RMX_OK) rmx_correlations_release(out);
  return status;
}

void rmx_correlations_release(rmx_correlations *c) {
  for (size_t l = 0; c->losses && l < c->L; l++) free(c->losses[l]);
  for (size_t s = 0; c->scores && s < c->S; s++) free(c->scores[s]);
  free(c->losses), free(c->scores), free(c->better), free(c->pairs), free(c->best);
  *c = (rmx_correlations){0};
}

// ---- in words, and as JSON

static json_t *value_of(const rmx_correlation *p, size_t key) {
  const double numbers[] = {p->rho, p->low, p->high, p->agreement};
  if (key < 4) return rmx__json_known(numbers[key]);
  return key == 4   ? json_integer((json_int_t)p->n)
         : key == 5 ? json_boolean(p->told)
                    : json_boolean(p->clear);
}

static json_t *matrix(const rmx_correlations *c, size_t key) {
  json_t *rows = json_array();
  for (size_t l = 0; l < c->L; l++) {
    json_t *row = json_array();
    for (size_t s = 0; s < c->S; s++)
      json_array_append_new(row, value_of(&c->pairs[l * c->S + s], key));
    json_array_append_new(rows, row);
  }
  return rows;
}

static json_t *names_of(char *const *names, size_t n) {
  json_t *list = json_array();
  for (size_t i = 0; i < n; i++) json_array_append_new(list, json_string(names[i]));
  return list;
}

json_t *rmx_correlations_json(const rmx_correlations *c) {
  static const char *const keys[] = {"spearman", "low", "high", "agreement", "n", "told", "clear"};
  json_t *o = json_object(), *better = json_array(), *best = json_object();
  for (size_t s = 0; s < c->S; s++) {
    json_array_append_new(better, c->better[s] == RMX_BETTER_UNSAID
                                      ? json_null()
                                      : json_boolean(c->better[s] == RMX_BETTER_HIGH));
    json_object_set_new(best, c->scores[s],
                        c->best[s] < c->L ? json_string(c->losses[c->best[s]]) : json_null());
  }
  json_object_set_new(o, "losses", names_of(c->losses, c->L));
  json_object_set_new(o, "scores", names_of(c->scores, c->S));
  json_object_set_new(o, "higher_is_better", better);
  json_object_set_new(o, "runs", json_integer((json_int_t)c->runs));
  json_object_set_new(o, "replicates", json_integer((json_int_t)c->replicates));
  json_object_set_new(o, "level", json_real(LEVEL));
  json_object_set_new(o, "tests", json_integer((json_int_t)c->tests));
  for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
    json_object_set_new(o, keys[k], matrix(c, k));
  if (json_object_set_new(o, "best", best) == 0) return o;
  json_decref(o);
  return NULL;
}

void rmx_correlations_text(const rmx_correlations *c, rmx_buf *out) {
  size_t told = 0, clear = 0;
  for (size_t i = 0; i < c->L * c->S; i++) {
    told += c->pairs[i].told;
    clear += c->pairs[i].clear;
  }
  if (c->tests == 0) {
    rmx_buf_printf(out,
                   "Nothing is known: no pair of a loss and a score has %d runs with different "
                   "values.",
                   FEWEST);
    return;
  }
  rmx_buf_printf(out,
                 "%zu of %zu interval%s not contain 0; of pairs without any relation, about 1 in "
                 "20 would not, which is %.0f here. After Holm's correction for all pairs, %zu %s "
                 "clear.",
                 told, c->tests, c->tests == 1 ? " does" : "s do", ceil(0.05 * (double)c->tests),
                 clear, clear == 1 ? "is" : "are");
  size_t least = SIZE_MAX, most = 0;
  for (size_t i = 0; i < c->L * c->S; i++) {
    if (c->pairs[i].n < FEWEST) continue;
    if (c->pairs[i].n < least) least = c->pairs[i].n;
    if (c->pairs[i].n > most) most = c->pairs[i].n;
  }
  if (least < 30)
    rmx_buf_printf(out,
                   " %s%zu runs are few: the intervals are wide, and too narrow rather than too "
                   "wide.",
                   least < most ? "Some pairs have fewer runs than others. " : "", least);
}
