// SPDX-License-Identifier: Apache-2.0
// `search`: every start its own way down, side by side; the lowest end is the optimum, of equals
// that of the first start.

#include "optimize/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct ways {
  const rmx__task *task;
  const rmx__feasible *set;
  const double *starts;  // (n, D)
  double *ends;          // (n, D)
  double *score;         // (n)
  rmx_err *errors;       // (n)
} ways;

static void go(void *context, size_t i) {
  ways *s = context;
  const rmx__task *a = s->task;
  size_t D = a->fit->D;
  s->errors[i].status = rmx__search(a->fit, &a->problem->target, s->set, s->starts + i * D, 1,
                                    s->ends + i * D, &s->score[i], &s->errors[i]);
}

static rmx_status climb(const rmx__task *a, const rmx__feasible *set, rmx_optimum *o,
                        rmx_err *err) {
  size_t D = a->fit->D, n = (size_t)a->options->starts;
  if (a->options->starts < 1)
    return rmx_fail(err, RMX_EINPUT, "optimize.starts is %lld: wanted 1 or more",
                    (long long)a->options->starts);
  rmx_arena arena = {0};
  rmx_status status = RMX_OK;
  double *starts = rmx_arena_alloc(&arena, n, D * sizeof(double));
  ways s = {.task = a, .set = set, .starts = starts};
  s.ends = rmx_arena_alloc(&arena, n, D * sizeof(double));
  s.score = rmx_arena_alloc(&arena, n, sizeof(double));
  s.errors = rmx_arena_alloc(&arena, n, sizeof(rmx_err));
  if (!starts || !s.ends || !s.score || !s.errors) {
    status = rmx_fail_memory(err, n * D * sizeof(double), "a search");
    goto done;
  }
  RMX_TRY_GOTO(rmx__starts(a, set, n, starts, err), done);
  rmx_parallel(a->threads, n, go, &s);
  size_t best = n;
  for (size_t i = 0; i < n; i++) {
    if (s.errors[i].status == RMX_OK && (best == n || s.score[i] < s.score[best])) best = i;
    if (s.errors[i].status != RMX_ENOMEM && s.errors[i].status != RMX_EINTERRUPTED) continue;
    *err = s.errors[i];
    status = err->status;
  }
  if (status == RMX_OK && best == n) {
    *err = s.errors[0];
    status = err->status;
  }
  if (status == RMX_OK) memcpy(o->mixture, s.ends + best * D, D * sizeof(double));
  o->starts = (int64_t)n;
done:
  rmx_arena_release(&arena);
  return status;
}

const rmx__method rmx__multistart = {
    .name = "search",
    .run = climb,
};
