// SPDX-License-Identifier: Apache-2.0
// A part of the runs, for one of several processes that share an experiment: a task of a batch
// system, for example.
//
// A part must be the same whenever its process starts, and others may have finished by then. So it
// does not depend on what is done: it is every N-th run, of a list that does not change. Where the
// runs cost the same, parts differ by one run at most; else by the cost of the longest.
#include <stdlib.h>
#include <string.h>

#include "steps.h"
#include "swarm/cost.h"

rmx_status rmx_slice_parse(const char *text, rmx_slice *out, rmx_err *err) {
  long long i, n;
  int end = 0;
  if (strspn(text, "0123456789/") != strlen(text) ||
      sscanf(text, "%9lld/%9lld%n", &i, &n, &end) != 2 || text[end])
    return rmx_fail(err, RMX_EUSAGE,
                    "--slice %s: wanted I/N, such as 0/8 for the first of eight parts", text);
  if (n < 1)
    return rmx_fail(err, RMX_EUSAGE,
                    "--slice %s: there must be at least one part; wanted I/N, such as 0/8 for the "
                    "first of eight parts",
                    text);
  if (i >= n)
    return rmx_fail(err, RMX_EUSAGE,
                    "--slice %s: there is no part %lld of %lld; the parts are numbered from 0 to "
                    "N-1, so the last is %lld/%lld",
                    text, i, n, n - 1, n);
  out->i = i, out->n = n;
  return RMX_OK;
}

static rmx_status run_named(const char *path, int line, const char *name, const rmx_run *runs,
                            size_t n, size_t *run, rmx_err *err) {
  for (*run = 0; *run < n; ++*run)
    if (strcmp(runs[*run].name, name) == 0) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s:%d: no run \"%s\" in mixtures.csv; the list is of other mixtures, so make a "
                  "new one (`regmix launch` does)",
                  path, line, name);
}

rmx_status rmx__runs_in_file(const char *path, const rmx_run *runs, size_t n, size_t *order,
                             size_t *m, rmx_err *err) {
  RMX_OWNED char *text = NULL;
  RMX_OWNED bool *listed = rmx_calloc(n, sizeof *listed);
  size_t size = 0, run;
  int line = 0;
  if (!listed) return rmx_fail_memory(err, n, "the runs of a list");
  RMX_TRY(rmx_read_file(path, &text, &size, err));
  *m = 0;
  for (char *name = text, *next; name && *name; name = next) {
    line++;
    next = strchr(name, '\n');
    if (next) *next++ = '\0';
    name[strcspn(name, "\r")] = '\0';
    if (!*name) continue;
    RMX_TRY(run_named(path, line, name, runs, n, &run, err));
    if (!listed[run]) order[(*m)++] = run;
    listed[run] = true;
  }
  return RMX_OK;
}

rmx_status rmx__slice_runs(const rmx_pipeline *p, const rmx_run *runs, size_t n, rmx_run **chosen,
                           size_t *m, rmx_err *err) {
  const rmx_slice *s = &p->slice;
  const size_t parts = s->n > 0 ? (size_t)s->n : 1, part = s->n > 0 ? (size_t)s->i : 0;
  RMX_OWNED size_t *order = rmx_calloc(n, sizeof *order);
  size_t listed = n;
  *m = 0;
  *chosen = rmx_calloc(n, sizeof **chosen);
  if (!order || !*chosen) return rmx_fail_memory(err, n * sizeof **chosen, "a part of the runs");
  if (s->runs) RMX_TRY(rmx__runs_in_file(s->runs, runs, n, order, &listed, err));
  if (s->runs && !listed)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: it names no run; wanted one name a line, such as %s, as in mixtures.csv",
                    s->runs, n ? runs[0].name : "0001");
  if (!s->runs) rmx__longest_first(runs, n, order);
  for (size_t k = part; k < listed; k += parts) (*chosen)[(*m)++] = runs[order[k]];
  return RMX_OK;
}
