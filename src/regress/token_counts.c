// SPDX-License-Identifier: Apache-2.0
// How many tokens each domain has, for a fit by epochs.

#include "token_counts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fit.h"
#include "registry.h"

static void warn_of_no_repetition(const rmx_fit *f, const rmx_listener *listener) {
  if (strcmp(f->options.regressor, rmx__exposure.name) != 0 || !(f->budget > 0)) return;
  double per = f->run_tokens > 0 ? f->run_tokens : f->budget, max_epochs = 0;
  size_t where = 0;
  for (size_t i = 0; i < f->N * f->D; i++) {
    double epochs = f->runs[i] * per / f->tokens[i % f->D];
    if (epochs <= max_epochs) continue;
    max_epochs = epochs;
    where = i % f->D;
  }
  if (max_epochs < 2)
    rmx_warn(
        listener,
        "no run repeated its data (\"%s\" most often, %.2g times), so the effect of repetition "
        "is assumed (R* = 15.39, Muennighoff et al. 2023), not fitted; proxy.repeat: match makes "
        "proxies that repeat it",
        f->domains[where], max_epochs);
}

rmx_status rmx__take_token_counts(rmx_fit *f, const rmx_exposure *x, const rmx_listener *listener,
                                  rmx_err *err) {
  if ((f->tokens = rmx_calloc(f->D, sizeof(double))) == NULL)
    return rmx_fail_memory(err, f->D * sizeof(double), "token counts");
  size_t *index = rmx_calloc(x->D, sizeof *index);
  rmx_status status = index ? rmx_match_names("domain", x->domains, x->D,
                                              (const char *const *)f->domains, f->D, index, err)
                            : rmx_fail_memory(err, x->D * sizeof *index, "token counts");
  rmx_few others = {0};
  for (size_t k = 0; k < x->D && status == RMX_OK; k++) {
    if (index[k] == f->D) {
      rmx_few_add(&others, x->domains[k]);
      continue;
    }
    if (!(x->tokens[k] > 0) || !isfinite(x->tokens[k]))
      status = rmx_fail(err, RMX_EINPUT, "domain \"%s\" has %g tokens: wanted more than 0",
                        x->domains[k], x->tokens[k]);
    f->tokens[index[k]] = x->tokens[k];
  }
  free(index);
  RMX_TRY(status);
  if (others.n)
    rmx_note(listener, "token counts: %zu name%s no domain and %s not used: %s", others.n,
             others.n == 1 ? " matches" : "s match", rmx_is(others.n), others.text);
  for (size_t d = 0; d < f->D; d++)
    if (f->tokens[d] == 0)
      return rmx_fail(err, RMX_EINPUT,
                      "domain \"%s\" has no token count: wanted one for each domain",
                      f->domains[d]);
  f->budget = x->budget;
  f->run_tokens = x->run_tokens;
  warn_of_no_repetition(f, listener);
  return RMX_OK;
}
