// SPDX-License-Identifier: Apache-2.0
// Suggestions: their names, what they say of domains never tried, and their forms as table and
// JSON.

#include "optimize/suggest.h"

#include <ctype.h>
#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

rmx_status rmx__suggestion_make(rmx_suggestion *s, size_t K, size_t D, rmx_err *err) {
  s->K = K;
  s->D = D;
  s->mixtures = rmx_calloc(K, D * sizeof(double));
  s->predicted = rmx_calloc(K, sizeof(double));
  s->sd = rmx_calloc(K, sizeof(double));
  s->improvement = rmx_calloc(K, sizeof(double));
  s->why = rmx_calloc(K, sizeof(*s->why));
  s->ids = rmx_calloc(K, sizeof(char *));
  if (s->mixtures && s->predicted && s->sd && s->improvement && s->why && s->ids) return RMX_OK;
  return rmx_fail_memory(err, K * D * sizeof(double), "suggestions");
}

void rmx_suggestion_release(rmx_suggestion *s) {
  for (size_t i = 0; s->ids && i < s->K; i++) free(s->ids[i]);
  free(s->ids);
  free(s->mixtures);
  free(s->predicted);
  free(s->sd);
  free(s->improvement);
  free(s->why);
  *s = (rmx_suggestion){0};
}

// ---- names ----

// Length of the name without a number of its repetition, which comes after a #.
static size_t base_of(const char *name) {
  const char *mark = strrchr(name, '#');
  if (!mark || mark == name || !mark[1] || strspn(mark + 1, "0123456789") < strlen(mark + 1))
    return strlen(name);
  return (size_t)(mark - name);
}

// Whether # counts repetitions: rows that differ in nothing else have one mixture.
static bool marks_repetitions(const rmx_fit *fit) {
  for (size_t i = 1; fit->run_ids && fit->groups && i < fit->N; i++) {
    const char *a = fit->run_ids[i - 1], *b = fit->run_ids[i];
    const size_t n = base_of(a);
    if (fit->groups[i - 1] != fit->groups[i] && n == base_of(b) && strncmp(a, b, n) == 0)
      return false;
  }
  return true;
}

// Length of the text before the last number in the first n characters of a name; its value and
// digits. SIZE_MAX: they end in none.
static size_t head_of(const char *name, size_t n, unsigned long long *value, int *digits) {
  size_t head = n;
  while (head > 0 && isdigit((unsigned char)name[head - 1]) && n - head < 15) head--;
  if (head == n) return SIZE_MAX;
  *value = strtoull(name + head, NULL, 10);
  *digits = (int)(n - head);
  return head;
}

static bool is_taken(const char *name, const rmx_fit *fit, const char *const *taken,
                     size_t n_taken) {
  for (size_t i = 0; fit->run_ids && i < fit->N; i++)
    if (strcmp(fit->run_ids[i], name) == 0) return true;
  for (size_t i = 0; i < n_taken; i++)
    if (strcmp(taken[i], name) == 0) return true;
  return false;
}

rmx_status rmx__suggestion_name(rmx_suggestion *s, const rmx_fit *fit, const char *const *taken,
                                size_t n_taken, rmx_err *err) {
  // The pattern of the name with the largest number: what comes before it, and how many digits.
  const char *pattern = "";
  size_t head = 0, n_runs = fit->run_ids ? fit->N : 0;
  const bool repeats = marks_repetitions(fit);
  unsigned long long last = 0;
  int width = n_runs + n_taken ? 1 : 4;
  for (size_t i = 0; i < n_runs + n_taken; i++) {
    const char *name = i < n_runs ? fit->run_ids[i] : taken[i - n_runs];
    unsigned long long value;
    int digits;
    size_t at = head_of(name, repeats ? base_of(name) : strlen(name), &value, &digits);
    if (at == SIZE_MAX || value < last) continue;
    last = value;
    pattern = name;
    head = at;
    // A number with a zero in front was padded.
    width = name[at] == '0' || digits < width ? digits : width;
  }
  for (size_t i = 0; i < s->K; i++) do {
      free(s->ids[i]);
      s->ids[i] = rmx_format("%.*s%0*llu", (int)head, pattern, width, ++last);
      if (s->ids[i] == NULL) return rmx_fail_memory(err, head + 20, "a name");
    } while (is_taken(s->ids[i], fit, taken, n_taken));
  return RMX_OK;
}

// ---- what was never tried ----

static void add_text(char *to, size_t room, const char *text) {
  size_t used = strlen(to), n = strlen(text);
  if (used + n + 3 > room) return;
  snprintf(to + used, room - used, "%s%s", used ? ", " : "", text);
}

void rmx__suggestion_untried(rmx_suggestion *s, const double *X, size_t N, char *const *domains,
                             const rmx_constraints *c) {
  size_t D = s->D;
  RMX_OWNED double *sum = rmx_calloc(D, sizeof(double));
  char text[256];
  for (size_t d = 0; sum && d < D; d++) {
    for (size_t i = 0; i < N; i++) sum[d] += X[i * D + d];
    if (sum[d] == 0 && c->high[d] > 0)
      add_text(s->untried_domains, sizeof(s->untried_domains), domains[d]);
  }
  for (size_t d = 0; sum && d < D; d++)
    for (size_t e = d + 1; e < D; e++) {
      if (!(sum[d] > 0 && sum[e] > 0)) continue;
      bool same = true;
      for (size_t i = 0; i < N && same; i++)
        same = fabs(X[i * D + d] * sum[e] - X[i * D + e] * sum[d]) <= 1e-6 * (sum[d] + sum[e]);
      if (!same) continue;
      snprintf(text, sizeof(text), "%s with %s", domains[d], domains[e]);
      add_text(s->untried_domains, sizeof(s->untried_domains), text);
    }
}

// ---- forms ----

rmx_status rmx_suggestion_table(const rmx_suggestion *s, const char *const *domains, rmx_table *out,
                                rmx_err *err) {
  RMX_TRY(rmx_table_make(out, "run", s->K, s->D, err));
  bool failed = false;
  for (size_t d = 0; d < s->D; d++) failed |= (out->names[d] = rmx_strdup(domains[d])) == NULL;
  for (size_t i = 0; i < s->K; i++) failed |= (out->ids[i] = rmx_strdup(s->ids[i])) == NULL;
  if (failed) {
    rmx_table_release(out);
    return rmx_fail_memory(err, s->K * s->D * sizeof(double), "suggestions");
  }
  memcpy(out->x, s->mixtures, s->K * s->D * sizeof(double));
  return RMX_OK;
}

json_t *rmx_suggestion_json(const rmx_suggestion *s, const char *const *domains) {
  static const char *const why[] = {"may improve", "untried", "spreads out"};
  json_t *list = json_array();
  for (size_t i = 0; list && i < s->K; i++) {
    json_t *o = json_pack("{s:s, s:o, s:o, s:o, s:o, s:s}", "run", s->ids[i], "mixture",
                          rmx_mixture_json(s->mixtures + i * s->D, domains, s->D), "predicted",
                          rmx__json_known(s->predicted[i]), "sd", rmx__json_known(s->sd[i]),
                          "improvement", rmx__json_known(s->improvement[i]), "why", why[s->why[i]]);
    if (json_array_append_new(list, o) != 0) {
      json_decref(list);
      return NULL;
    }
  }
  return json_pack("{s:o, s:I, s:o, s:{s:I, s:s}, s:s?}", "suggestions", list, "runs",
                   (json_int_t)s->runs, "best", rmx__json_known(s->best), "untried", "directions",
                   (json_int_t)s->untried, "domains", s->untried_domains, "why_not",
                   *s->why_not ? s->why_not : NULL);
}
