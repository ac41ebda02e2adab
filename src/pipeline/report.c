// SPDX-License-Identifier: Apache-2.0
// regmix report: the page.
#include <regmix/report.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

rmx_status rmx__step_report(rmx_pipeline *p, rmx_err *err) {
  char *path = rmx_experiment_path(&p->experiment, "report.html");
  const rmx_report_files files = {.folder = p->experiment.folder};
  rmx_status status = path ? rmx_keep_others(path, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) status = rmx_report_write(&files, path, err);
  if (status == RMX_OK) rmx_note(&p->listener, "report: %s", path);
  free(path);
  return status;
}

// An empty page would look like a finished one.
static rmx_status has_something(const rmx_report_files *files, rmx_err *err) {
  static const char *const any[] = {"regmix.yaml", "resolved.yaml", "corpus",
                                    "fit",         "optimum.yaml",  "mixtures.csv"};
  bool there = files->fit || files->optimum;
  for (size_t i = 0; i < sizeof any / sizeof *any && !there; i++) {
    char *path = rmx_path_in(files->folder, any[i]);
    if (!path) return rmx_fail_memory(err, 0, "a path");
    there = rmx_exists(path);
    free(path);
  }
  if (there) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s: nothing to report: found no regmix.yaml, no fit and no optimum.yaml; "
                  "`regmix fit` makes a fit, -C DIR chooses another folder",
                  files->folder);
}

static void warn_of_optimum(const char *path, const rmx_listener *to) {
  rmx_err edited;
  if (rmx__optimum_is_whole(path, &edited) != RMX_OK)
    rmx_warn(to,
             "%s was changed by hand since `regmix optimize` wrote it; the page shows it as it is, "
             "and its gain may not be that of the changed mixture",
             path);
}

// The page of a fit with an optimum that another fit found would show what neither says.
static void warn_of_other_fit(const rmx_report_request *r, const rmx_listener *to) {
  RMX_OWNED_BY(rmx__yaml_release) rmx__yaml yaml = {0};
  RMX_OWNED char *json = rmx_path_in(r->fit, "fit.json");
  rmx_err ignored;
  uint64_t now;
  char text[17];
  if (!json || rmx__file_hash(json, 0, &now, &ignored) != RMX_OK ||
      rmx__yaml_read(r->optimum, &yaml, &ignored) != RMX_OK)
    return;
  rmx__hex(now, text);
  const json_t *by = json_object_get(yaml.root, "made_by");
  const char *hash = json_string_value(json_object_get(by, "fit"));
  if (hash && strcmp(hash, text) != 0)
    rmx_warn(to, "%s was found with another fit than %s: the page mixes the two", r->optimum,
             r->fit);
}

// The next runs have the domains of the fit.
static rmx_status check_next(const rmx_report_request *r, rmx_err *err) {
  RMX_OWNED_BY(rmx_fit_free_at) rmx_fit *fit = NULL;
  RMX_OWNED_BY(rmx_table_release) rmx_table next = {0};
  RMX_OWNED double *X = NULL;
  RMX_TRY(rmx_fit_read(r->fit, &fit, err));
  RMX_TRY(rmx_csv_read(r->next, &next, err));
  return rmx_fit_mixtures(fit, &next, &X, err);
}

rmx_status rmx_pipeline_report(rmx_pipeline *p, const rmx_report_request *r, char **path,
                               rmx_err *err) {
  const rmx_experiment *e = &p->experiment;
  RMX_OWNED_BY(rmx_strings_release) rmx_strings domains = {0};
  RMX_OWNED double *tokens = NULL;
  *path = r->out ? rmx_strdup(r->out) : rmx_experiment_path(e, "report.html");
  if (!*path) return rmx_fail_memory(err, 0, "a path");
  RMX_TRY(rmx_keep_others(*path, err));
  if (r->tokens) RMX_TRY(rmx_tokens_read(r->tokens, &domains, &tokens, err));
  const rmx_report_files files = {.folder = e->folder,
                                  .fit = r->fit,
                                  .optimum = r->optimum,
                                  .next = r->next,
                                  .budget = r->budget,
                                  .domains = (const char *const *)domains.items,
                                  .tokens = tokens,
                                  .n_domains = domains.n};
  RMX_TRY(has_something(&files, err));
  RMX_OWNED char *own = rmx_experiment_path(e, "optimum.yaml");
  if (!own) return rmx_fail_memory(err, 0, "a path");
  if (r->optimum || !r->fit) warn_of_optimum(r->optimum ? r->optimum : own, &p->listener);
  if (r->optimum && r->fit) warn_of_other_fit(r, &p->listener);
  if (r->next && r->fit) RMX_TRY(check_next(r, err));
  return rmx_report_write(&files, *path, err);
}
