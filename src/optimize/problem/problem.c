// SPDX-License-Identifier: Apache-2.0
// A problem: what is to be improved, under which constraints, and from which prior.

#include "optimize/problem.h"

#include <stdio.h>
#include <stdlib.h>

rmx_status rmx_problem_make(const rmx_fit *fit, rmx_problem *out, rmx_err *err) {
  rmx_problem q = {0};
  rmx_status status = rmx_target_make(fit, &q.target, err);
  if (status == RMX_OK) status = rmx_constraints_make(fit->D, &q.constraints, err);
  rmx_problem_set_origin(&q, fit, RMX_PRIOR_RUNS, NULL);
  if (status != RMX_OK)
    rmx_problem_release(&q);
  else
    *out = q;
  return status;
}

const char *rmx_prior_kind_name(rmx_prior_kind kind) {
  static const char *const names[] = {"runs", "corpus", "file"};
  return names[kind];
}

void rmx_problem_set_origin(rmx_problem *q, const rmx_fit *fit, rmx_prior_kind kind,
                            const char *file) {
  char *text = q->prior_text;
  q->prior_kind = kind;
  if (kind == RMX_PRIOR_RUNS)
    snprintf(text, sizeof(q->prior_text), "the mean of the %zu run%s", fit->N, rmx_s(fit->N));
  else if (kind == RMX_PRIOR_CORPUS)
    snprintf(text, sizeof(q->prior_text), "the share of the available tokens");
  else
    snprintf(text, sizeof(q->prior_text), "the mixture in %s", file);
}

void rmx_problem_release(rmx_problem *q) {
  rmx_target_release(&q->target);
  rmx_constraints_release(&q->constraints);
  free(q->prior);
  free(q->than);
  free(q->tokens);
  rmx_strings_release(&q->counted);
  *q = (rmx_problem){0};
}
