// SPDX-License-Identifier: Apache-2.0
// Keeps the runs that are still valid when the domains of the corpus change.
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

// Domains that no remaining run drew from, since the runs that did were left out.
static rmx_status find_empty_columns(const rmx_table *t, const rmx_domains_request *q,
                                     rmx_redomain_report *r, rmx_err *err) {
  for (size_t d = 0; d < t->D && t->N > 0; d++) {
    double sum = 0;
    for (size_t i = 0; i < t->N; i++) sum += t->x[i * t->D + d];
    if (sum > 0 || rmx_strings_have(&q->add, t->names[d])) continue;
    char *text = rmx_format("%s compared with all other domains: no remaining run drew from it",
                            t->names[d]);
    bool good = text && rmx_strings_add(&r->unseen, text);
    free(text);
    if (!good) return rmx_fail_memory(err, 64, "a report");
  }
  return RMX_OK;
}

// Counts the runs that drew from no domain that must be held at 0. They are points of the new
// simplex.
static size_t exact_runs(const rmx_table *t, const rmx_strings *fix) {
  size_t n = 0;
  for (size_t i = 0; i < t->N; i++) {
    bool exact = true;
    for (size_t d = 0; d < t->D; d++)
      exact = exact && !(t->x[i * t->D + d] > 0 && rmx_strings_have(fix, t->names[d]));
    n += exact;
  }
  return n;
}

static void next_step(const rmx_redomain_report *r, const rmx_table *t, size_t rank,
                      char out[512]) {
  int n = 0;
  if (t->N == 0)
    n = snprintf(out, 512, "no run stays; `regmix sample` draws new mixtures");
  else if (r->redo.n || r->unseen.n || rank + 1 < t->D)
    n = snprintf(out, 512, "`regmix suggest` proposes the cheapest set of new runs");
  else
    n = snprintf(out, 512, "`regmix fit` reads the new table");
  for (size_t i = 0; i < r->fix.n && n < 480; i++)
    n += snprintf(out + n, 512 - (size_t)n, "%s --fix %.80s=0", i ? "" : "; then `regmix optimize",
                  r->fix.items[i]);
  if (r->fix.n && n < 511) snprintf(out + n, 512 - (size_t)n, "`");
}

static json_t *report_tree(const rmx_table *t, size_t had, const rmx_redomain_report *r,
                           size_t rank, const char *next) {
  json_t *root = json_object(), *runs = json_object(), *redo = json_array(),
         *directions = json_object(), *domains = json_array();
  for (size_t i = 0; i < r->redo.n; i++) {
    json_t *one = json_object();
    json_object_set_new(one, "run", json_string(r->redo.items[i]));
    json_object_set_new(one, "why", json_string(r->why.items[i]));
    json_array_append_new(redo, one);
  }
  json_object_set_new(runs, "had", json_integer((json_int_t)had));
  json_object_set_new(runs, "stay", json_integer((json_int_t)t->N));
  json_object_set_new(runs, "exact", json_integer((json_int_t)exact_runs(t, &r->fix)));
  json_object_set_new(runs, "redo", redo);
  for (size_t d = 0; d < t->D; d++) json_array_append_new(domains, json_string(t->names[d]));
  json_object_set_new(directions, "of", json_integer((json_int_t)t->D - 1));
  json_object_set_new(directions, "covered", json_integer((json_int_t)rank));
  json_object_set_new(directions, "unseen", rmx__strings_json(&r->unseen));
  json_object_set_new(root, "domains", domains);
  json_object_set_new(root, "runs", runs);
  json_object_set_new(root, "directions", directions);
  json_object_set_new(root, "fix_at_zero", rmx__strings_json(&r->fix));
  json_object_set_new(root, "not_measured", rmx__strings_json(&r->measure));
  json_object_set_new(root, "next", json_string(next));
  return root;
}

static void report_changes(const rmx_listener *to, const rmx_table *t, size_t had,
                           const rmx_redomain_report *r, size_t rank, const char *next) {
  rmx_note(to, "domains: %zu of %zu run%s %s, over %zu domain%s", t->N, had, rmx_s(had),
           t->N == 1 ? "stays" : "stay", t->D, rmx_s(t->D));
  for (size_t i = 0; i < r->redo.n && i < 20; i++)
    rmx_note(to, "  must be trained again: %s (%s)", r->redo.items[i], r->why.items[i]);
  if (r->redo.n > 20) rmx_note(to, "  and %zu more (--json lists all)", r->redo.n - 20);
  for (size_t i = 0; i < r->fix.n; i++)
    rmx_warn(to,
             "\"%s\" is removed, but some runs used it; they and its column stay. Hold it at 0 "
             "from now on (regmix optimize --fix %s=0), or leave these runs out with --drop",
             r->fix.items[i], r->fix.items[i]);
  const size_t exact = exact_runs(t, &r->fix);
  if (r->fix.n)
    rmx_note(to, "  %zu run%s did not use it and %s exact", exact, rmx_s(exact), rmx_is(exact));
  if (t->N)
    rmx_note(to, "domains: the remaining runs differ in %zu of %zu directions", rank, t->D - 1);
  for (size_t i = 0; i < r->unseen.n; i++) rmx_note(to, "  no run measures %s", r->unseen.items[i]);
  for (size_t i = 0; i < r->measure.n; i++)
    rmx_note(to, "  no run has a loss on the text of %s; evaluate the checkpoints again to get one",
             r->measure.items[i]);
  rmx_note(to, "next: %s", next);
}

static bool is_in(const rmx_strings *list, const char *name) {
  for (size_t i = 0; i < list->n; i++)
    if (strcmp(list->items[i], name) == 0) return true;
  return false;
}

// A domain that is added and removed is no change: one of the two is a slip.
static rmx_status check_added(const rmx_domains_request *q, rmx_err *err) {
  for (size_t i = 0; i < q->add.n; i++)
    if (is_in(&q->remove, q->add.items[i]))
      return rmx_fail(err, RMX_EUSAGE, "--add %s and --remove %s: leave one of them out",
                      q->add.items[i], q->add.items[i]);
  return RMX_OK;
}

// Where the new name of a column is the old name of another that is renamed too, no order of the
// renamings works. So both columns first get names that no table has.
static bool swaps_names(const rmx_table *t, const rmx_strings *renames) {
  for (size_t i = 0; i < renames->n; i++) {
    const char *to = strchr(renames->items[i], '=');
    for (size_t j = 0; to && j < renames->n; j++) {
      const size_t n = strcspn(renames->items[j], "=");
      if (i == j || strlen(to + 1) != n || strncmp(to + 1, renames->items[j], n) != 0) continue;
      for (size_t d = 0; d < t->D; d++)
        if (strcmp(t->names[d], to + 1) == 0) return true;
    }
  }
  return false;
}

static rmx_status rename_at_once(rmx_table *t, const rmx_strings *renames,
                                 const rmx_redomain_options *rules, rmx_redomain_report *report,
                                 rmx_err *err) {
  for (int pass = 0; pass < 2; pass++)
    for (size_t i = 0; i < renames->n; i++) {
      const char *text = renames->items[i], *equals = strchr(text, '=');
      RMX_OWNED char *one = !equals || equals == text || !equals[1] ? rmx_strdup(text)
                            : pass == 0 ? rmx_format("%.*s=\1%zu", (int)(equals - text), text, i)
                                        : rmx_format("\1%zu=%s", i, equals + 1);
      if (!one) return rmx_fail_memory(err, strlen(text), "a change of domains");
      RMX_TRY(rmx_redomain(t, RMX_DOMAIN_RENAME, one, rules, report, err));
    }
  return RMX_OK;
}

static rmx_status change(rmx_table *t, const rmx_domains_request *q, rmx_redomain_report *report,
                         rmx_err *err) {
  const struct {
    rmx_redomain_kind kind;
    const rmx_strings *changes;
  } order[] = {{RMX_DOMAIN_RENAME, &q->rename},
               {RMX_DOMAIN_SPLIT, &q->split},
               {RMX_DOMAIN_MERGE, &q->merge},
               {RMX_DOMAIN_ADD, &q->add},
               {RMX_DOMAIN_REMOVE, &q->remove}};
  const rmx_redomain_options rules = {q->tolerance, q->drop};
  RMX_TRY(check_added(q, err));
  const bool swap = swaps_names(t, &q->rename);
  if (swap && rename_at_once(t, &q->rename, &rules, report, err) != RMX_OK)
    return rmx_refused(true, err);
  for (size_t k = swap; k < sizeof order / sizeof *order; k++)
    for (size_t i = 0; i < order[k].changes->n; i++)
      if (rmx_redomain(t, order[k].kind, order[k].changes->items[i], &rules, report, err) != RMX_OK)
        return rmx_refused(true, err);
  if (t->D <= report->fix.n)
    return rmx_fail(err, RMX_EUSAGE,
                    "--remove: this removes all %zu domains; at least one must stay", t->D);
  return find_empty_columns(t, q, report, err);
}

// The virtual domain of the file, before a table is looked for.
static rmx_status read_reuse(const char *path, rmx_reuse *r, rmx_err *err) {
  RMX_TRY(rmx_reuse_read(path, r, err));
  if (r->name) return RMX_OK;
  return rmx_fail(err, RMX_EUSAGE,
                  "%s has no `reuse:`; with --prior FILE, the mixture of the new corpus, `regmix "
                  "domains --reuse %s` makes the file that has",
                  path, path);
}

// The table with the virtual domain instead of its members, or the other way round.
static rmx_status convert(const rmx_listener *to, const rmx_domains_request *q, const rmx_reuse *r,
                          rmx_table *t, json_t **out, rmx_err *err) {
  RMX_OWNED_BY(rmx_redomain_report_release) rmx_redomain_report report = {0};
  const size_t had = t->N;
  size_t rank = 0;
  RMX_TRY(rmx_reuse_table(r, t, q->tolerance, &report, err));
  RMX_TRY(rmx_mixture_rank(t, &rank, err));
  rmx_strings_release(&report.unseen);  // the members keep their ratios on purpose
  rmx_strings_release(&report.measure);
  report_changes(to, t, had, &report, rank, "`regmix train` or `regmix fit` reads the new table");
  *out = report_tree(t, had, &report, rank, "");
  return RMX_OK;
}

rmx_status rmx_domains_change(const rmx_listener *to, const char *mixtures,
                              const rmx_domains_request *q, rmx_table *t, json_t **out,
                              rmx_err *err) {
  RMX_OWNED_BY(rmx_redomain_report_release) rmx_redomain_report report = {0};
  char next[512];
  size_t rank = 0;
  if (q->rename.n + q->split.n + q->merge.n + q->add.n + q->remove.n == 0 && !q->reuse)
    return rmx_fail(err, RMX_EUSAGE,
                    "nothing to change; give --add, --remove, --split, --merge, --rename or "
                    "--reuse");
  RMX_OWNED_BY(rmx_reuse_release) rmx_reuse r = {0};
  if (q->reuse) RMX_TRY(read_reuse(q->reuse, &r, err));
  RMX_TRY(rmx_tables_read(to, mixtures, NULL, &q->tables, t, NULL, err));
  const size_t had = t->N;
  if (q->reuse) return convert(to, q, &r, t, out, err);
  RMX_TRY(change(t, q, &report, err));
  RMX_TRY(rmx_mixture_rank(t, &rank, err));
  next_step(&report, t, rank, next);
  report_changes(to, t, had, &report, rank, next);
  *out = report_tree(t, had, &report, rank, next);
  return RMX_OK;
}
