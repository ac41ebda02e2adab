// SPDX-License-Identifier: Apache-2.0
// The table of the methods, and what is looked up in it.
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "comparison.h"

const rmx_baseline *const rmx_baselines[] = {
    &rmx__human,        &rmx__prior,  &rmx__uniform, &rmx__single, &rmx__unimax, &rmx__regmix,
    &rmx__regmix_paper, &rmx__olmix,  &rmx__ppl,     &rmx__mixmin, &rmx__merge,  &rmx__law,
    &rmx__climb,        &rmx__doremi, &rmx__odm,     &rmx__aioli,  &rmx__rho1,
};
const size_t rmx_baselines_n = sizeof rmx_baselines / sizeof *rmx_baselines;

rmx_status rmx_baseline_find(const char *name, const rmx_baseline **out, rmx_err *err) {
  const char *names[sizeof rmx_baselines / sizeof *rmx_baselines];
  for (size_t i = 0; i < rmx_baselines_n; i++) {
    names[i] = rmx_baselines[i]->name;
    if (strcmp(name, names[i]) != 0) continue;
    *out = rmx_baselines[i];
    return RMX_OK;
  }
  const int nearest = rmx_nearest(name, names, rmx_baselines_n);
  if (nearest >= 0)
    return rmx_fail(err, RMX_EINPUT, "no method \"%s\"; did you mean \"%s\"?", name,
                    names[nearest]);
  RMX_OWNED_BY(rmx_buf_release) rmx_buf known = {0};
  for (size_t i = 0; i < rmx_baselines_n; i++)
    rmx_buf_printf(&known, "%s%s", i ? ", " : "", names[i]);
  return rmx_fail(err, RMX_EINPUT, "no method \"%s\"; there are: %s", name,
                  known.data ? known.data : "");
}

rmx_status rmx_baselines_controller(const rmx_run *r, const rmx_corpus *corpus,
                                    const rmx_kernels *kernels, rmx_controller *out, rmx_err *err) {
  const char *name;
  const rmx_baseline *b;
  RMX_TRY(rmx__json_string(r->controller, "method", &name, r->name, err));
  RMX_TRY(rmx_baseline_find(name, &b, err));
  if (!b->make_controller)
    return rmx_fail(err, RMX_EINPUT, "run %s: the method \"%s\" has no controller", r->name, name);
  return b->make_controller(r, corpus, kernels, out, err);
}

void rmx_baseline_result_release(rmx_baseline_result *f) {
  free(f->mixture);
  free(f->experiment);
  json_decref(f->controller);
  json_decref(f->notes);
  *f = (rmx_baseline_result){0};
}
