// SPDX-License-Identifier: Apache-2.0
// `search`: every start its own way down, side by side; the lowest end is the optimum, of equals
// that of the first start. With many domains the ways are sketched first, and the best ones go on.

#include "optimize/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GO_ON = 3 };

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

// All n ways down.
static rmx_status go_all(ways *s, size_t n, rmx_err *err) {
  rmx_parallel(s->task->threads, n, go, s);
  bool any = false;
  for (size_t i = 0; i < n; i++) {
    any |= s->errors[i].status == RMX_OK;
    if (s->errors[i].status != RMX_ENOMEM && s->errors[i].status != RMX_EINTERRUPTED) continue;
    *err = s->errors[i];
    return err->status;
  }
  if (any) return RMX_OK;
  *err = s->errors[0];
  return err->status;
}

// The way that ended lowest; SIZE_MAX: none did.
static size_t lowest(const ways *s, size_t n) {
  size_t best = SIZE_MAX;
  for (size_t i = 0; i < n; i++)
    if (s->errors[i].status == RMX_OK && (best == SIZE_MAX || s->score[i] < s->score[best]))
      best = i;
  return best;
}

// Replaces the starts by the ends of the best sketches; *n: how many there are.
static rmx_status sketch(const ways *s, double *starts, size_t *n, rmx_err *err) {
  RMX_OWNED_BY(rmx__feasible_release) rmx__feasible rough = {0};
  RMX_TRY(rmx__feasible_copy(&rough, s->set, err));
  rough.coarse = rough.sketch = true;
  ways w = *s;
  w.set = &rough;
  const size_t D = s->task->fit->D, all = *n;
  RMX_TRY(go_all(&w, all, err));
  for (*n = 0; *n < GO_ON; (*n)++) {
    const size_t best = lowest(&w, all);
    if (best == SIZE_MAX) break;
    w.errors[best].status = RMX_ENUMERIC;  // taken
    memcpy(starts + *n * D, w.ends + best * D, D * sizeof *starts);
  }
  return RMX_OK;
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
  o->starts = (int64_t)n;
  if (n > GO_ON && rmx__narrows(&a->problem->target, a->fit->M, D))
    RMX_TRY_GOTO(sketch(&s, starts, &n, err), done);
  RMX_TRY_GOTO(go_all(&s, n, err), done);
  memcpy(o->mixture, s.ends + lowest(&s, n) * D, D * sizeof(double));
done:
  rmx_arena_release(&arena);
  return status;
}

const rmx__method rmx__multistart = {
    .name = "search",
    .run = climb,
};
