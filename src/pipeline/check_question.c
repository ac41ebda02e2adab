// SPDX-License-Identifier: Apache-2.0
// What `check` finds in the question: bounds, metrics, directions, and the mixtures that the
// optimum is compared with.
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "optimize/problem.h"
#include "regress/directions.h"

// ---- bounds of the mixtures, and the mixtures that they are compared with

// What names of the config may stand for: the domains, or columns of phases.
typedef struct weights {
  rmx_strings columns;  // empty without phases
  rmx_phase_columns phases;
  double *share;
  rmx__phased_names typed;
  rmx_constraints c;
} weights;

static void release_weights(weights *w) {
  rmx_strings_release(&w->columns);
  rmx_phase_columns_release(&w->phases);
  free(w->share);
  rmx_constraints_release(&w->c);
}

static rmx_status make_weights(const struct rmx__check *k, weights *w, rmx_err *err) {
  size_t n;
  RMX_TRY(rmx_phase_shares(&k->p->experiment.config.sample.phases, "sample.phases", &w->share, &n,
                           err));
  for (size_t i = 0; i < n * k->n_train; i++) {
    RMX_OWNED char *name = rmx_format("phase_%zu_%s", i / k->n_train, k->names[i % k->n_train]);
    if (!name || !rmx_strings_add(&w->columns, name))
      return rmx_fail_memory(err, 0, "names of columns");
  }
  const char *const *names = n ? (const char *const *)w->columns.items : k->names;
  RMX_TRY(rmx_phase_columns_find(names, w->columns.n, &w->phases, err));
  rmx__phased_names_make(names, &w->phases, w->share, &w->typed);
  RMX_TRY(rmx_constraints_make(n ? w->columns.n : k->n_train, &w->c, err));
  return rmx__hold_phases(names, &w->phases, w->share, &w->c, err);
}

static void check_bounds(struct rmx__check *k) {
  const rmx_problem_options *q = &k->p->experiment.config.search.problem;
  RMX_OWNED_BY(release_weights) weights w = {0};
  const rmx__names *names = &w.typed.names;
  rmx_err err;
  if (k->uncertain || k->n_train == 0 || make_weights(k, &w, &err) != RMX_OK) return;
  const struct {
    const char *key;
    const rmx_strings *texts;
    rmx_bound kind;
  } bounds[] = {{"optimize.floor", &q->floor, RMX_FLOOR},
                {"optimize.cap", &q->cap, RMX_CAP},
                {"optimize.fix", &q->fix, RMX_FIX}};
  for (size_t b = 0; b < 3; b++)
    for (size_t i = 0; i < bounds[b].texts->n; i++)
      rmx__hold(k, bounds[b].key,
                rmx__bound(&w.c, bounds[b].kind, bounds[b].texts->items[i], names, &err), &err);
  for (size_t i = 0; i < q->share.n; i++)
    rmx__hold(k, "optimize.share", rmx__share(&w.c, q->share.items[i], names, &err), &err);
  for (size_t i = 0; i < q->ordered.n; i++)
    rmx__hold(k, "optimize.ordered", rmx__order(&w.c, q->ordered.items[i], names, &err), &err);
  rmx__hold(k, "optimize", rmx_constraints_check(&w.c, names->domains, &err), &err);
}

// ---- the question

// The losses of the domains, which are all metrics that there will be; n = 0: that is not known.
static rmx_status losses_of(const struct rmx__check *k, rmx_strings *out, rmx_err *err) {
  const rmx_config *c = &k->p->experiment.config;
  if (c->proxy.command || c->eval.tasks.n || k->uncertain || rmx_sources_are_open(&k->sources))
    return RMX_OK;
  for (size_t i = 0; i < k->sources.n_named; i++) {
    RMX_OWNED char *name = rmx_format("%s_val_loss", k->sources.domains[i].name);
    if (!name || !rmx_strings_add(out, name)) return rmx_fail_memory(err, 0, "names of metrics");
  }
  return RMX_OK;
}

// METRIC or METRIC=SLACK, a metric or a group.
static rmx_status check_limit(const rmx_strings *losses, const rmx_strings *groups,
                              const char *text, rmx_err *err) {
  const char *const *names = (const char *const *)losses->items, *equals = strrchr(text, '=');
  RMX_OWNED char *name = rmx_format("%.*s", equals ? (int)(equals - text) : -1, text);
  RMX_OWNED size_t *members = rmx_calloc(losses->n, sizeof *members);
  size_t n;
  if (!name || !members) return rmx_fail_memory(err, 0, "a limit");
  RMX_TRY(rmx__find_group(names, losses->n, groups, name, members, &n, err));
  return n ? RMX_OK : rmx_find_name("metric", name, names, losses->n, members, err);
}

static void check_groups(struct rmx__check *k, const rmx_strings *groups) {
  rmx_err err;
  for (size_t i = 0; i < groups->n; i++) {
    const char *parts, *text = groups->items[i];
    RMX_OWNED char *name = rmx_format("%.*s", (int)strcspn(text, "="), text);
    if (name) rmx__hold(k, NULL, rmx__metric_group(groups, name, &parts, &err), &err);
  }
}

static void check_metrics(struct rmx__check *k) {
  const rmx_search_options *s = &k->p->experiment.config.search;
  const rmx_problem_options *q = &s->problem;
  RMX_OWNED_BY(rmx_strings_release) rmx_strings losses = {0};
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  rmx_err err;
  rmx__hold(k, NULL, rmx__check_replicates(&s->how, &err), &err);
  if (q->than && !q->worst && q->no_worse.n == 0)
    rmx__problem(k, "optimize.than needs optimize.no_worse or optimize.worst");
  if (q->reference && !(q->max_kl > 0) && !(q->kl_penalty > 0))
    rmx__problem(k, "optimize.reference needs optimize.max_kl or optimize.kl_penalty");
  check_groups(k, &q->metric_group);
  rmx__hold(k, NULL, losses_of(k, &losses, &err), &err);
  for (size_t i = 0; losses.n && i < q->no_worse.n; i++)
    rmx__hold(k, "optimize.no_worse",
              check_limit(&losses, &q->metric_group, q->no_worse.items[i], &err), &err);
  if (losses.n == 0) return;
  rmx_status status = rmx_table_make(&t, "run", 0, losses.n, &err);
  for (size_t i = 0; i < losses.n && status == RMX_OK; i++)
    if (!(t.names[i] = rmx_strdup(losses.items[i]))) status = rmx_fail_memory(&err, 0, "a name");
  if (status == RMX_OK) status = rmx__check_directions(&k->p->experiment.config.regress, &t, &err);
  rmx__hold(k, "fit", status, &err);
}

static void check_mixture_file(struct rmx__check *k, const char *key, const char *name) {
  RMX_OWNED char *path = rmx_experiment_path(&k->p->experiment, name);
  RMX_OWNED double *w = rmx_calloc(k->n_train, sizeof *w);
  rmx_err err;
  if (path && !rmx_exists(path))
    rmx__problem(k, "%s: no file %s", key, path);
  else if (path && w && k->n_train && !k->uncertain)
    rmx__hold(k, key, rmx_mixture_read(path, k->names, k->n_train, w, &err), &err);
}

static void check_rivals(struct rmx__check *k) {
  static const char *const known[] = {"prior", "uniform", "best_single", "best_run"};
  enum { KNOWN = sizeof known / sizeof *known };
  const rmx_config *c = &k->p->experiment.config;
  rmx_err err;
  for (size_t i = 0; i < c->compare.against.n; i++) {
    const char *name = c->compare.against.items[i];
    bool is_known = false;
    for (size_t j = 0; j < KNOWN; j++) is_known = is_known || strcmp(name, known[j]) == 0;
    if (is_known || k->n_train == 0 || k->uncertain) continue;
    size_t at;
    RMX_OWNED char *path = rmx_experiment_path(&k->p->experiment, name);
    const int nearest = rmx_nearest(name, known, KNOWN);
    if (strncmp(name, "single:", 7) == 0)
      rmx__hold(k, "compare.against",
                rmx_find_name("domain", name + 7, k->names, k->n_train, &at, &err), &err);
    else if (path && !rmx_exists(path) && nearest >= 0)
      rmx__problem(k, "compare.against: no file \"%s\"; did you mean \"%s\"?", name,
                   known[nearest]);
    else
      check_mixture_file(k, "compare.against", name);
  }
  rmx__hold(k, NULL, rmx_methods_check(k->p, false, false, &err), &err);
  if (c->search.problem.than) check_mixture_file(k, "optimize.than", c->search.problem.than);
  if (c->search.problem.reference)
    check_mixture_file(k, "optimize.reference", c->search.problem.reference);
}

void rmx__check_question(struct rmx__check *k) {
  check_bounds(k);
  check_metrics(k);
  check_rivals(k);
}
