// SPDX-License-Identifier: Apache-2.0
// Phases: a training that changes its mixture on the way, and the columns of tables of such
// trainings: phase_0_web, phase_1_web.

#include <ctype.h>
#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"

enum { MOST_PHASES = 16 };

// ---- phases of one training

rmx_status rmx_phases_make(size_t n, size_t D, rmx_phases *out, rmx_err *err) {
  *out = (rmx_phases){.n = n, .D = D};
  out->share = rmx_calloc(n, sizeof *out->share);
  out->mixture = rmx_calloc(n * D, sizeof *out->mixture);
  if (out->share && out->mixture) return RMX_OK;
  rmx_phases_release(out);
  return rmx_fail_memory(err, n * D * sizeof *out->mixture, "phases");
}

void rmx_phases_release(rmx_phases *p) {
  free(p->share);
  free(p->mixture);
  *p = (rmx_phases){0};
}

rmx_status rmx_phases_copy(const rmx_phases *from, rmx_phases *to, rmx_err *err) {
  if (!from || from->n == 0) return *to = (rmx_phases){0}, RMX_OK;
  RMX_TRY(rmx_phases_make(from->n, from->D, to, err));
  memcpy(to->share, from->share, from->n * sizeof *to->share);
  memcpy(to->mixture, from->mixture, from->n * from->D * sizeof *to->mixture);
  return RMX_OK;
}

void rmx_phases_mean(const rmx_phases *p, double *w) {
  for (size_t d = 0; d < p->D; d++) {
    w[d] = 0;
    for (size_t k = 0; k < p->n; k++) w[d] += p->share[k] * p->mixture[k * p->D + d];
  }
}

size_t rmx_phase_at(const rmx_phases *p, int64_t step, int64_t steps) {
  double before = 0;
  for (size_t k = 0; k + 1 < p->n; k++) {
    before += p->share[k];
    if (step < llround(before * (double)steps)) return k;
  }
  return p->n ? p->n - 1 : 0;
}

// ---- shares of the tokens, as people type them

static rmx_status add_share(const char *text, const char *what, double *share, size_t *n,
                            rmx_err *err) {
  double x;
  RMX_TRY(rmx_parse_real(text, what, &x, err));
  if (!(x > 0 && x < 1))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: %s is not the share of a phase; wanted a number between "
                    "0 and 1",
                    what, text);
  if (*n == MOST_PHASES)
    return rmx_fail(err, RMX_EINPUT, "%s: more than %d phases", what, MOST_PHASES);
  share[(*n)++] = x;
  return RMX_OK;
}

rmx_status rmx_phase_shares(const rmx_strings *texts, const char *what, double **out, size_t *n,
                            rmx_err *err) {
  RMX_OWNED double *share = rmx_calloc(MOST_PHASES, sizeof *share);
  double sum = 0;
  *out = NULL;
  *n = 0;
  if (texts->n == 0) return RMX_OK;
  if (!share) return rmx_fail_memory(err, MOST_PHASES * sizeof *share, "phases");
  for (size_t i = 0; i < texts->n; i++) {
    RMX_OWNED char *copy = rmx_strdup(texts->items[i]);
    if (!copy) return rmx_fail_memory(err, 0, "phases");
    for (char *rest = copy, *part; (part = strsep(&rest, ",")) != NULL;)
      RMX_TRY(add_share(part, what, share, n, err));
  }
  for (size_t k = 0; k < *n; k++) sum += share[k];
  if (!(fabs(sum - 1) <= 1e-6))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: the shares of the phases sum to %.6g, wanted 1: they are shares of the "
                    "tokens, such as 0.8, 0.2",
                    what, sum);
  for (size_t k = 0; k < *n; k++) share[k] /= sum;
  *out = share;
  share = NULL;
  return RMX_OK;
}

// ---- columns of tables

const char *rmx_phase_of(const char *name, long *number) {
  static const char *const words[] = {"phase", "stage"};
  for (const char *at = name; *at; at++) {
    if (at > name && isalnum((unsigned char)at[-1])) continue;
    for (size_t k = 0; k < 2; k++) {
      const char *p = at + strlen(words[k]);
      char *end;
      if (strncasecmp(at, words[k], strlen(words[k])) != 0) continue;
      if (*p == '_' || *p == '-') p++;
      if (!isdigit((unsigned char)*p)) continue;
      *number = strtol(p, &end, 10);
      if (*end && strchr("_-/.:", *end) && end[1]) return end + 1;
    }
  }
  return NULL;
}

// The phase of each column by its number, counted from the lowest; false: they are not phases.
static rmx_status number_phases(const char *const *names, size_t D, const long *number,
                                rmx_phase_columns *c, rmx_err *err) {
  long low = number[0], high = number[0];
  for (size_t d = 1; d < D; d++) {
    if (number[d] < low) low = number[d];
    if (number[d] > high) high = number[d];
  }
  if (high == low) return RMX_OK;
  if (high - low >= MOST_PHASES)
    return rmx_fail(err, RMX_EINPUT, "the columns are of phases %ld to %ld; wanted no more than %d",
                    low, high, MOST_PHASES);
  bool there[MOST_PHASES] = {false};
  for (size_t d = 0; d < D; d++) there[c->of[d] = (size_t)(number[d] - low)] = true;
  for (long k = 0; k <= high - low; k++)
    if (!there[k])
      return rmx_fail(err, RMX_EINPUT,
                      "there are columns of phase %ld and of phase %ld, but none "
                      "of phase %ld",
                      low, high, low + k);
  for (size_t d = 0; d < D; d++)
    for (size_t e = 0; e < d; e++)
      if (c->of[d] == c->of[e] && strcmp(c->domain[d], c->domain[e]) == 0)
        return rmx_fail(err, RMX_EINPUT,
                        "the columns \"%s\" and \"%s\" are of the same phase and "
                        "domain",
                        names[e], names[d]);
  c->n = (size_t)(high - low + 1);
  return RMX_OK;
}

// The domains, each once, in the order of the columns.
static void list_domains(rmx_phase_columns *c) {
  for (size_t d = 0; d < c->D; d++) {
    size_t k = 0;
    while (k < c->n_domains && strcmp(c->domains[k], c->domain[d]) != 0) k++;
    if (k == c->n_domains) c->domains[c->n_domains++] = c->domain[d];
    c->index[d] = k;
  }
}

rmx_status rmx_phase_columns_find(const char *const *names, size_t D, rmx_phase_columns *out,
                                  rmx_err *err) {
  rmx_phase_columns c = {.D = D};
  const char *with = NULL, *without = NULL;
  RMX_OWNED long *number = rmx_calloc(D, sizeof *number);
  c.of = rmx_calloc(D, sizeof *c.of);
  c.index = rmx_calloc(D, sizeof *c.index);
  c.domain = rmx_calloc(D, sizeof *c.domain);
  c.domains = rmx_calloc(D, sizeof *c.domains);
  *out = (rmx_phase_columns){0};
  rmx_status status = number && c.of && c.index && c.domain && c.domains
                          ? RMX_OK
                          : rmx_fail_memory(err, D * sizeof *number, "phases");
  for (size_t d = 0; status == RMX_OK && d < D; d++) {
    c.domain[d] = rmx_phase_of(names[d], &number[d]);
    if (c.domain[d])
      with = names[d];
    else
      without = names[d];
  }
  if (status == RMX_OK && with && !without) status = number_phases(names, D, number, &c, err);
  bool several = false;
  for (size_t d = 0; status == RMX_OK && with && without && d < D; d++)
    for (size_t e = 0; e < d; e++)
      several = several || (c.domain[d] && c.domain[e] && number[d] != number[e]);
  if (several)
    status = rmx_fail(err, RMX_EINPUT,
                      "column \"%s\" is of a phase, but \"%s\" is not; wanted "
                      "columns of phases alone, or none",
                      with, without);
  if (status == RMX_OK && c.n) {
    list_domains(&c);
    *out = c;
    return RMX_OK;
  }
  rmx_phase_columns_release(&c);
  return status;
}

void rmx_phase_columns_release(rmx_phase_columns *c) {
  free(c->of);
  free(c->index);
  free(c->domain);
  free(c->domains);
  *c = (rmx_phase_columns){0};
}

// ---- rows

rmx_status rmx_phases_of_row(const rmx_phase_columns *c, const double *share, double *x,
                             const char *where, rmx_err *err) {
  double sum[MOST_PHASES] = {0};
  bool whole = true, parts = true;
  for (size_t d = 0; d < c->D; d++) {
    if (!isfinite(x[d]) || x[d] < 0)
      return rmx_fail(err, RMX_EINPUT, "%s: a weight of \"%s\" is %g; weights are 0 to 1", where,
                      c->domain[d], x[d]);
    sum[c->of[d]] += x[d];
  }
  for (size_t k = 0; k < c->n; k++) {
    whole = whole && rmx__is_one(sum[k], 0.01);
    parts = parts && rmx__is_one(sum[k] / share[k], 0.01);
  }
  for (size_t k = 0; k < c->n && !whole && !parts; k++)
    if (!rmx__is_one(sum[k], 0.01))
      return rmx_fail(err, RMX_EINPUT,
                      "%s: the weights of phase %zu sum to %.6g, wanted 1 within "
                      "0.01",
                      where, k, sum[k]);
  for (size_t d = 0; d < c->D; d++) x[d] *= share[c->of[d]] / sum[c->of[d]];
  return RMX_OK;
}
