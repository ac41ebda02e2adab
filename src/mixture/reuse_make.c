// SPDX-License-Identifier: Apache-2.0
// Which domains of a changed corpus keep their ratios, and the prior of the small space.

#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

typedef struct found {
  rmx_strings old_names, new_names;
  double *old_w, *new_w;
  size_t *old_of;  // (new_names.n) the domain of the optimum that it is; old_names.n: none
  bool *changed;   // (new_names.n)
} found;

static void release(found *f) {
  rmx_strings_release(&f->old_names);
  rmx_strings_release(&f->new_names);
  free(f->old_w);
  free(f->new_w);
  free(f->old_of);
  free(f->changed);
}

static rmx_status read_mixture(const char *path, rmx_strings *names, double **w, rmx_err *err) {
  RMX_TRY(rmx_mixture_names(path, names, err));
  if (!(*w = rmx_calloc(names->n, sizeof **w)))
    return rmx_fail_memory(err, names->n * sizeof **w, "a mixture");
  return rmx_mixture_read(path, (const char *const *)names->items, names->n, *w, err);
}

static rmx_status match(const rmx_reuse_request *q, found *f, rmx_err *err) {
  const size_t D = f->new_names.n;
  const char *const *names = (const char *const *)f->new_names.items;
  RMX_OWNED bool *member = rmx_calloc(D, sizeof *member);
  f->old_of = rmx_calloc(D, sizeof *f->old_of);
  f->changed = rmx_calloc(D, sizeof *f->changed);
  if (!member || !f->old_of || !f->changed)
    return rmx_fail_memory(err, D * sizeof *f->old_of, "domains");
  RMX_TRY(rmx_match_names("domain", names, D, (const char *const *)f->old_names.items,
                          f->old_names.n, f->old_of, err));
  for (size_t i = 0; i < q->changed->n; i++) {
    RMX_TRY(rmx_find_domains(q->changed->items[i], names, D, member, NULL, err));
    for (size_t d = 0; d < D; d++) f->changed[d] |= member[d];
  }
  for (size_t d = 0; d < D; d++) {
    f->changed[d] |= f->old_of[d] == f->old_names.n;
    if (strcmp(names[d], q->name) == 0)
      return rmx_fail(err, RMX_EINPUT,
                      "a domain \"%s\" already exists; give the virtual domain another name",
                      q->name);
  }
  return RMX_OK;
}

static rmx_status keep(const rmx_reuse_request *q, const found *f, rmx_reuse *out, double *prior,
                       rmx_err *err) {
  double sum = 0;
  for (size_t d = 0; d < f->new_names.n; d++) {
    if (f->changed[d]) continue;
    out->ratio[out->members.n] = f->old_w[f->old_of[d]];
    sum += out->ratio[out->members.n];
    *prior += f->new_w[d];
    if (!rmx_strings_add(&out->members, f->new_names.items[d]))
      return rmx_fail_memory(err, 0, "a name");
  }
  const size_t n = out->members.n;
  if (n == f->new_names.n)
    return rmx_fail(err, RMX_EINPUT,
                    "no domain of %s changed; name those whose text changed with --changed",
                    q->prior);
  if (n < 2)
    return rmx_fail(
        err, RMX_EINPUT,
        "%zu domain%s of %s %s unchanged; wanted two or more, so that ratios can be kept", n,
        n == 1 ? "" : "s", q->prior, n == 1 ? "is" : "are");
  if (!(sum > 0) || !(*prior > 0))
    return rmx_fail(err, RMX_EINPUT,
                    "%s gives no weight to the domains that did not change, so they have no ratios",
                    sum > 0 ? q->prior : q->optimum);
  for (size_t i = 0; i < n; i++) out->ratio[i] /= sum;
  return RMX_OK;
}

static rmx_status make(const rmx_reuse_request *q, found *f, rmx_reuse *out, rmx_strings *names,
                       double **w, rmx_err *err) {
  RMX_TRY(read_mixture(q->optimum, &f->old_names, &f->old_w, err));
  RMX_TRY(read_mixture(q->prior, &f->new_names, &f->new_w, err));
  const size_t D = f->new_names.n;
  RMX_TRY(match(q, f, err));
  out->name = rmx_strdup(q->name);
  out->ratio = rmx_calloc(D, sizeof *out->ratio);
  *w = rmx_calloc(D + 1, sizeof **w);
  if (!out->name || !out->ratio || !*w || !rmx_strings_add(names, q->name))
    return rmx_fail_memory(err, D * sizeof **w, "a mixture");
  RMX_TRY(keep(q, f, out, &(*w)[0], err));
  for (size_t d = 0; d < D; d++) {
    if (!f->changed[d]) continue;
    (*w)[names->n] = f->new_w[d];
    if (!rmx_strings_add(names, f->new_names.items[d])) return rmx_fail_memory(err, 0, "a name");
  }
  return RMX_OK;
}

rmx_status rmx_reuse_make(const rmx_reuse_request *q, rmx_reuse *out, rmx_strings *names,
                          double **w, rmx_err *err) {
  RMX_OWNED_BY(release) found f = {0};
  *out = (rmx_reuse){0};
  *names = (rmx_strings){0};
  *w = NULL;
  rmx_status status = make(q, &f, out, names, w, err);
  if (status == RMX_OK) return RMX_OK;
  rmx_reuse_release(out);
  rmx_strings_release(names);
  free(*w);
  *w = NULL;
  return status;
}
