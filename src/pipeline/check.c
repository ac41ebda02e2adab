// SPDX-License-Identifier: Apache-2.0
// Tests whether a config can be run, without running it. A check that finds a problem does not stop
// the others, so one call reports all problems.
#include "check.h"

#include <stdlib.h>
#include <sys/statvfs.h>

static void check_machine(struct rmx__check *k) {
  const rmx_config *c = &k->p->experiment.config;
  const rmx_kernels *kernels;
  rmx_err err;
  rmx__hold(k, NULL, rmx_kernels_get(c->general.isa, &kernels, &err), &err);
  struct statvfs disk;
  if (statvfs(k->p->experiment.folder, &disk) != 0) return;
  rmx_model_config model;
  double weights = 0;
  if (!c->large.command &&
      rmx_training_model(&c->large, (int)c->corpus.vocab, &model, &err) == RMX_OK)
    weights = 4.0 * (double)rmx_model_parameters(&model);
  double models = weights * (double)(c->compare.against.n + 1) * (double)c->compare.seeds;
  if (rmx__keeps_models(c) && !c->proxy.command &&
      rmx_training_model(&c->proxy, (int)c->corpus.vocab, &model, &err) == RMX_OK)
    models += 4.0 * (double)rmx_model_parameters(&model) * (double)c->sample.runs;
  // A second copy of the text while it is prepared, then its tokens: two bytes for about four bytes
  // of text.
  const double wanted = 1.5 * k->text_bytes + models + 25e3 * (double)c->sample.runs,
               there = (double)disk.f_bavail * (double)disk.f_frsize;
  char a[16], b[16];
  if (wanted > there)
    rmx__problem(k, "%s: about %sB of disk space are needed, but only %sB are free",
                 k->p->experiment.folder, rmx_count(wanted, a), rmx_count(there, b));
}

// What a later step would refuse.
static void check_later(struct rmx__check *k) {
  bool there = true;
  rmx_err err;
  for (size_t i = 0; there; i++)
    rmx__hold(k, NULL, rmx__refused_later(k->p, i, &there, &err), &err);
}

// Tables that a fit reads, in which numbers were changed by hand.
static void check_tables(struct rmx__check *k) {
  static const char *const names[] = {"metrics.csv", "evaluations.csv"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    RMX_OWNED_BY(rmx_strings_release) rmx_strings added = {0};
    rmx_few changed = {0};
    rmx_err err;
    rmx__hold(k, names[i],
              rmx__table_look(&k->p->experiment, names[i], NULL, &changed, &added, &err), &err);
    if (changed.n)
      rmx__problem(
          k,
          "%s: the numbers of %zu run%s are not those that `regmix train` wrote (%s); `regmix "
          "train` writes those of result.json again, and keeps the changed file",
          names[i], changed.n, rmx_s(changed.n), changed.text);
  }
}

static json_t *left_out(const struct rmx__check *k) {
  json_t *list = NULL;
  rmx_err ignored;  // it is a problem of its domain
  return rmx__left_out_json(k->p, &k->sources, &list, &ignored) == RMX_OK ? list : json_array();
}

rmx_status rmx_pipeline_check(rmx_pipeline *p, json_t **out, rmx_err *err) {
  struct rmx__check k = {.p = p, .problems = json_array(), .domains = json_array()};
  rmx__check_text(&k);
  rmx__check_question(&k);
  rmx__check_trainings(&k);
  check_later(&k);
  check_tables(&k);
  check_machine(&k);
  *out = json_pack("{s:b, s:o, s:o, s:o, s:o}", "ok", json_array_size(k.problems) == 0, "problems",
                   k.problems, "domains", k.domains, "values", rmx__values_json(&k.values),
                   "left_out", left_out(&k));
  rmx_values_look_release(&k.values);
  rmx_sources_release(&k.sources);
  free(k.names);
  return rmx_interrupted() ? rmx_fail(err, RMX_EINTERRUPTED, "interrupted") : RMX_OK;
}
