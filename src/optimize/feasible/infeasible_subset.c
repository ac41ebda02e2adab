// SPDX-License-Identifier: Apache-2.0
// An irreducible infeasible subset (IIS) of the bounds and shares: no mixture keeps all of them,
// but some mixture keeps all but any one. By the deletion filter (Chinneck & Dravnieks 1991): leave
// out each in turn, and for good where the rest is still infeasible.
//
// Cost: one linear program a rule.

#include "optimize/feasible.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAMED = 6 };

typedef enum which { LOW, HIGH } which;

typedef struct rule {
  which side;
  size_t domain;           // of a bound
  const rmx_share *share;  // NULL: a bound
  double value;
  const char *text;
} rule;

typedef struct filter {
  const rmx_constraints *c;
  rule *rules;  // (n)
  size_t n;
  rmx_arena arena;
  rmx__lp lp;
  double *x;
} filter;

static void add(filter *f, which side, size_t domain, const rmx_share *share, double value,
                const char *text) {
  f->rules[f->n++] = (rule){side, domain, share, value, text};
}

// Any of what the reference has none of is infinitely far from it, which is a cap of 0.
static rmx_status add_reference(filter *f, const char *const *domains, rmx_err *err) {
  const rmx_constraints *c = f->c;
  for (size_t d = 0; d < c->D && c->reference; d++) {
    if (c->reference[d] > 0) continue;
    RMX_OWNED char *name = rmx_format("the reference without %s", domains[d]);
    const char *text = name ? rmx_arena_strdup(&f->arena, name) : NULL;
    if (!text) return rmx_fail_memory(err, 0, "constraints");
    add(f, HIGH, d, NULL, 0, text);
  }
  return RMX_OK;
}

static rmx_status collect(filter *f, const char *const *domains, rmx_err *err) {
  const rmx_constraints *c = f->c;
  f->rules = rmx_arena_alloc(&f->arena, 3 * c->D + 2 * c->n_shares, sizeof(rule));
  f->x = rmx_arena_alloc(&f->arena, c->D, sizeof(double));
  if (!f->rules || !f->x) return rmx_fail_memory(err, c->D * sizeof(rule), "constraints");
  for (size_t d = 0; d < c->D; d++) {
    char name[300];
    for (which s = LOW; s <= HIGH; s++) {
      if (s == LOW ? c->low[d] <= 0 : c->high[d] >= 1) continue;
      const char *text = s == LOW ? c->low_text[d] : c->high_text[d];
      snprintf(name, sizeof(name), "the %s of %s", s == LOW ? "floor" : "cap", domains[d]);
      if (!text && !(text = rmx_arena_strdup(&f->arena, name)))
        return rmx_fail_memory(err, 0, "constraints");
      add(f, s, d, NULL, s == LOW ? c->low[d] : c->high[d], text);
    }
  }
  for (size_t i = 0; i < c->n_shares; i++) {
    const rmx_share *s = &c->shares[i];
    const bool order = isinf(s->high);
    if (s->low > 0 || order) add(f, LOW, 0, s, s->low, s->text ? s->text : s->name);
    if (s->high < 1) add(f, HIGH, 0, s, s->high, s->text ? s->text : s->name);
  }
  RMX_TRY(add_reference(f, domains, err));
  return rmx__lp_make(&f->lp, c->D, 1 + 2 * c->n_shares, &f->arena, err);
}

// Whether some mixture keeps all rules but `without` (n: none).
static rmx_status possible(filter *f, size_t without, bool *yes, rmx_err *err) {
  rmx__lp *lp = &f->lp;
  size_t row = 1;
  memset(lp->A, 0, lp->n * lp->m * sizeof(double));
  for (size_t d = 0; d < lp->n; d++) {
    lp->low[d] = 0;
    lp->high[d] = 1;
    lp->A[d] = 1;
  }
  lp->row_low[0] = lp->row_high[0] = 1;
  for (size_t i = 0; i < f->n; i++) {
    const rule *q = &f->rules[i];
    if (i == without) continue;
    if (!q->share && q->side == LOW) lp->low[q->domain] = q->value;
    if (!q->share && q->side == HIGH) lp->high[q->domain] = fmin(lp->high[q->domain], q->value);
    if (!q->share) continue;
    for (size_t d = 0; d < lp->n; d++) lp->A[row * lp->n + d] = q->share->factor[d];
    lp->row_low[row] = q->side == LOW ? q->value : -INFINITY;
    lp->row_high[row++] = q->side == LOW ? INFINITY : q->value;
  }
  for (; row < lp->m; row++) {
    lp->row_low[row] = 0;
    lp->row_high[row] = 1;
  }
  return rmx__lp_solve(lp, f->x, NULL, yes, err);
}

static rmx_status report(const filter *f, rmx_err *err) {
  double sum = 0;
  bool lows = true, highs = true, bounds = true, typed = false;
  for (size_t i = 0; i < f->n; i++) {
    sum += f->rules[i].value;
    lows = lows && f->rules[i].side == LOW;
    highs = highs && f->rules[i].side == HIGH;
    bounds = bounds && !f->rules[i].share;
    typed = typed || strncmp(f->rules[i].text, "--", 2) == 0;
  }
  RMX_OWNED_BY(rmx_buf_release) rmx_buf text = {0};
  for (size_t i = 0; i < f->n && i < MAX_NAMED; i++)
    rmx_buf_printf(&text, "%s%s", i == 0 ? "" : i + 1 == f->n ? " and " : ", ", f->rules[i].text);
  if (f->n > MAX_NAMED) rmx_buf_printf(&text, " and %zu others", f->n - MAX_NAMED);
  const char *list = text.data ? text.data : "";
  if (text.failed)
    return rmx_fail_memory(err, 0, "a message");
  else if (highs && bounds)
    return rmx_fail(err, RMX_EINPUT, "the caps sum to %.4g < 1 (%s): %s", sum, list,
                    typed ? "raise one"
                          : "allow more epochs (--max-epochs, sample.max_epochs) or lower the "
                            "tokens of the large run (--budget, large.tokens)");
  else if (lows && sum > 1)
    return rmx_fail(err, RMX_EINPUT, "%s sum to %.4g > 1: lower one", list, sum);
  else if (f->n == 1)
    return rmx_fail(err, RMX_EINPUT,
                    "%s cannot be kept: it is about all domains, whose weights sum to 1", list);
  else
    return rmx_fail(err, RMX_EINPUT, "%s cannot %s be kept: loosen one", list,
                    f->n > 2 ? "all" : "both");
  return RMX_OK;
}

rmx_status rmx_constraints_check(const rmx_constraints *c, const char *const *domains,
                                 rmx_err *err) {
  filter f = {.c = c};
  bool yes = true;
  rmx_status status = RMX_OK;
  if (c->reference && c->kl_penalty < 0)
    return rmx_fail(err, RMX_EINPUT, "the penalty of the divergence is %g: wanted 0 or more",
                    c->kl_penalty);
  for (size_t d = 0; d < c->D; d++) {
    if (!(c->low[d] >= 0) || !(c->high[d] >= 0) || c->low[d] > 1)
      return rmx_fail(err, RMX_EINPUT, "the %s of domain \"%s\" is %g: wanted 0 to 1",
                      c->high[d] >= 0 ? "floor" : "cap", domains[d],
                      c->high[d] >= 0 ? c->low[d] : c->high[d]);
    if (c->reference && c->low[d] > 0 && !(c->reference[d] > 0))
      return rmx_fail(
          err, RMX_EINPUT,
          "%s: the reference has nothing of \"%s\", so any of it is infinitely far from it",
          c->low_text[d] ? c->low_text[d] : "a floor", domains[d]);
  }
  RMX_TRY_GOTO(collect(&f, domains, err), done);
  RMX_TRY_GOTO(possible(&f, f.n, &yes, err), done);
  if (yes) goto done;
  for (size_t i = f.n; i-- > 0;) {
    RMX_TRY_GOTO(possible(&f, i, &yes, err), done);
    if (yes) continue;
    memmove(f.rules + i, f.rules + i + 1, (--f.n - i) * sizeof(rule));
  }
  status = report(&f, err);
done:
  rmx_arena_release(&f.arena);
  return status;
}
