// SPDX-License-Identifier: Apache-2.0
// Constraints on domains that a virtual domain stands for (rmx_reuse). They are read over the
// domains of the small space and the members together; then each weight of a member is its ratio
// times that of the virtual domain.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimize/problem.h"

rmx_status rmx__members_make(const rmx_reuse *r, const char *const *domains, size_t D,
                             rmx__members *out, rmx_err *err) {
  const size_t n = r->members.n;
  *out = (rmx__members){.D = D};
  while (out->at < D && strcmp(domains[out->at], r->name) != 0) out->at++;
  if (out->at == D) return RMX_OK;
  out->names = rmx_calloc(D + n, sizeof *out->names);
  out->factor = rmx_calloc(D + n, sizeof *out->factor);
  if (!out->names || !out->factor) return rmx_fail_memory(err, n * sizeof *out->names, "members");
  for (size_t d = 0; d < D + n; d++) {
    out->names[d] = d < D ? domains[d] : r->members.items[d - D];
    out->factor[d] = d < D ? 1 : r->ratio[d - D];
  }
  return rmx_constraints_make(D + n, &out->all, err);
}

void rmx__members_release(rmx__members *m) {
  if (m->all.D) rmx_constraints_release(&m->all);
  free(m->names);
  free(m->factor);
  *m = (rmx__members){0};
}

// The bounds of domain d of all.
static rmx_status fold_bounds(const rmx__members *m, size_t d, rmx_constraints *to, rmx_err *err) {
  const double low = m->all.low[d], high = m->all.high[d], factor = m->factor[d];
  const size_t into = d < m->D ? d : m->at;
  if (low > factor + 1e-9)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: \"%s\" is %.4g of \"%s\", so its weight cannot exceed that; give less, or "
                    "name it with --changed of `regmix domains --reuse`, so that its ratio is free",
                    m->all.low_text[d], m->names[d], factor, m->names[m->at]);
  if (low > 0) RMX_TRY(rmx__set_low(to, into, fmin(low / factor, 1), m->all.low_text[d], err));
  return high < factor
             ? rmx__set_high(to, into, high / factor, m->all.high_text[d], m->all.by_epochs[d], err)
             : RMX_OK;
}

// A member in one group with its virtual domain counts once.
static rmx_status fold_share(const rmx__members *m, const rmx_share *s, rmx_constraints *to,
                             rmx_err *err) {
  RMX_OWNED bool *none = rmx_calloc(to->D, sizeof *none);
  if (!none) return rmx_fail_memory(err, to->D, "a share");
  RMX_TRY(rmx__add_share(to, s->name, s->text, none, s->low, s->high, err));
  double *factor = to->shares[to->n_shares - 1].factor;
  memcpy(factor, s->factor, m->D * sizeof *factor);
  for (size_t d = m->D; d < m->all.D; d++)
    if (s->factor[d] != s->factor[m->at]) factor[m->at] += s->factor[d] * m->factor[d];
  bool possible = s->low > 0 || isfinite(s->high);  // if not, the search says so
  for (size_t d = 0; d < m->D; d++) possible |= factor[d] > 0 || s->factor[d] != 0;
  return possible || factor[m->at] == 0
             ? RMX_OK
             : rmx_fail(err, RMX_EINPUT,
                        "%s: both are parts of \"%s\" and keep their ratio, which is the other way "
                        "round; name one of them with --changed of `regmix domains --reuse`",
                        s->text, m->names[m->at]);
}

// A virtual domain with enough for the smallest of its members.
static rmx_status fold_drop(const rmx__members *m, rmx_constraints *to, rmx_err *err) {
  const double below = m->all.drop_below;
  size_t smallest = m->at;
  to->drop_below = below;
  if (!(to->least = rmx_calloc(to->D, sizeof *to->least)))
    return rmx_fail_memory(err, to->D * sizeof *to->least, "constraints");
  for (size_t d = m->D; d < m->all.D; d++)
    if (m->factor[d] > 0 && m->factor[d] < m->factor[smallest]) smallest = d;
  for (size_t d = 0; d < to->D; d++) to->least[d] = below / m->factor[d == m->at ? smallest : d];
  if (below <= m->factor[smallest]) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "--drop-below %.4g: \"%s\" is %.4g of \"%s\", so its weight cannot reach that; "
                  "give less, or name it with --changed of `regmix domains --reuse`, so that its "
                  "ratio is free",
                  below, m->names[smallest], m->factor[smallest], m->names[m->at]);
}

rmx_status rmx__members_fold(const rmx__members *m, rmx_constraints *to, rmx_err *err) {
  if (m->all.drop_below > 0) RMX_TRY(fold_drop(m, to, err));
  for (size_t d = 0; d < m->all.D; d++) RMX_TRY(fold_bounds(m, d, to, err));
  for (size_t i = 0; i < m->all.n_shares; i++) RMX_TRY(fold_share(m, &m->all.shares[i], to, err));
  return RMX_OK;
}
