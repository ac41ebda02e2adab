// SPDX-License-Identifier: Apache-2.0
// What the methods that control a training share: checks before the training, numbers in their
// states, the mean of a mixture.
#include "controller.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

rmx_status rmx__check_ours(const char *method, const char *section, const rmx_training *t,
                           rmx_err *err) {
  if (!rmx_training_is_outside(t)) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s: the method controls the training, which works only with the trainer of "
                  "regmix, not with %s.command or PyTorch; leave out %s, or set %s.trainer to "
                  "regmix",
                  method, section, method, section);
}

rmx_status rmx__check_domains(const rmx_comparison *c, const char *method, const rmx_training *t,
                              rmx_err *err) {
  if (c->corpus->D_train < 2)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: \"%s\" is the only domain; wanted two or more to choose between", method,
                    c->corpus->names[0]);
  for (size_t d = 0; d < c->corpus->D_train; d++)
    if (c->corpus->domains[d].train_tokens < (size_t)t->context + 1)
      return rmx_fail(
          err, RMX_EINPUT,
          "%s: the method draws from every domain, but \"%s\" has %zu training tokens, and a "
          "sequence needs %lld; lower the context, or leave the domain out of the corpus",
          method, c->corpus->names[d], c->corpus->domains[d].train_tokens,
          (long long)t->context + 1);
  return RMX_OK;
}

double rmx__step_tokens(const rmx_training *t) {
  return (double)(rmx_training_batch(t) * t->context);
}

rmx_status rmx__check_tokens(const rmx_comparison *c, const char *method, const rmx_training *t,
                             double tokens, const char *spent, rmx_err *err) {
  enum { LEAST = 10 };
  if (tokens >= LEAST * rmx__step_tokens(t)) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s: with %.3g FLOPs, %s can train on %.0f tokens, fewer than %d steps of %.0f; "
                  "raise compare.budget",
                  method, c->budget, spent, tokens > 0 ? tokens : 0, LEAST, rmx__step_tokens(t));
}

double rmx__comparison_all_valid_flops(const rmx_comparison *c, const rmx_training *t,
                                       double flop_per_token) {
  return (t->eval_half ? 2 : 1) * rmx__comparison_valid_flops(c, t, flop_per_token);
}

json_t *rmx__state_numbers(const double *x, size_t n) {
  json_t *list = json_array();
  for (size_t i = 0; i < n; i++) json_array_append_new(list, json_real(x[i]));
  return list;
}

rmx_status rmx__state_numbers_read(const json_t *o, const char *key, double *x, size_t n,
                                   const char *what, rmx_err *err) {
  const json_t *list = json_object_get(o, key);
  bool good = json_array_size(list) == n;
  for (size_t i = 0; good && i < n; i++) {
    const json_t *number = json_array_get(list, i);
    if ((good = json_is_number(number))) x[i] = json_number_value(number);
  }
  return good ? RMX_OK
              : rmx_fail(err, RMX_EINPUT, "%s: \"%s\" is not a list of %zu numbers", what, key, n);
}

rmx_status rmx__mean_make(rmx__mean *m, size_t D, rmx_err *err) {
  *m = (rmx__mean){.D = D, .sum = rmx_calloc(D, sizeof *m->sum)};
  return m->sum ? RMX_OK : rmx_fail_memory(err, D * sizeof *m->sum, "a mixture");
}

void rmx__mean_add(rmx__mean *m, const double *mixture) {
  for (size_t d = 0; d < m->D; d++) m->sum[d] += mixture[d];
  m->steps++;
}

json_t *rmx__mean_json(const rmx__mean *m, const char *const *names) {
  json_t *o = json_object();
  for (size_t d = 0; d < m->D; d++)
    json_object_set_new(o, names[d], json_real(m->steps > 0 ? m->sum[d] / m->steps : 0));
  return o;
}

json_t *rmx__mean_save(const rmx__mean *m) {
  return json_pack("{s:f, s:o}", "steps", m->steps, "sum", rmx__state_numbers(m->sum, m->D));
}

rmx_status rmx__mean_load(rmx__mean *m, const json_t *state, const char *what, rmx_err *err) {
  RMX_TRY(rmx__json_number(state, "steps", &m->steps, what, err));
  return rmx__state_numbers_read(state, "sum", m->sum, m->D, what, err);
}
