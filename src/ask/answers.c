// SPDX-License-Identifier: Apache-2.0
// What each question is answered with: the JSON of its command.
#include "ask.h"

#include <regmix/export.h>
#include <regmix/regress.h>
#include <stdlib.h>

#include "base/json.h"

static rmx_status missing(const char *what, rmx_err *err) {
  return rmx_fail(err, RMX_EUSAGE, "--%s is missing", what);
}

static rmx_status answer_fit(rmx_ask *a, json_t **out, rmx_err *err) {
  rmx_fit_request *r = a->own;
  RMX_OWNED_BY(rmx_fit_free_at) rmx_fit *fit = NULL;
  r->mixture_table = a->mixtures;
  r->metric_table = a->metrics;
  if (!r->out) return missing("out", err);
  if (!a->mixtures && !r->mixtures) return missing("mixtures", err);
  RMX_TRY(rmx_pipeline_fit(&a->pipeline, r, &fit, err));
  *out = rmx_fit_json(fit, r->out);
  return RMX_OK;
}

static rmx_status answer_score(rmx_ask *a, json_t **out, rmx_err *err) {
  rmx_score_request *r = a->own;
  RMX_OWNED_BY(rmx_fit_free_at) rmx_fit *fit = NULL;
  RMX_OWNED_BY(rmx_fit_scores_release) rmx_fit_scores scores = {0};
  r->mixture_table = a->mixtures;
  r->metric_table = a->metrics;
  if (!r->fit) return missing("fit", err);
  if (!a->mixtures && !(r->mixtures && r->metrics)) return missing("mixtures or --metrics", err);
  RMX_TRY(rmx_fit_read(r->fit, &fit, err));
  RMX_TRY(rmx_score_tables(fit, r, &a->pipeline.listener, &scores, err));
  *out = rmx_fit_scores_json(fit, &scores);
  return RMX_OK;
}

static rmx_status answer_optimize(rmx_ask *a, json_t **out, rmx_err *err) {
  rmx_answer_request *r = a->own;
  RMX_OWNED_BY(rmx_answer_release) rmx_answer answer = {0};
  if (!r->fit) return missing("fit", err);
  r->search = a->how;
  r->print_only = true;
  RMX_TRY(rmx_pipeline_optimize(&a->pipeline, r, &answer, err));
  if (r->out) RMX_TRY(rmx_optimum_write(&a->pipeline.experiment, r->out, &answer, r->fit, err));
  *out = rmx_answer_json(&answer);
  return RMX_OK;
}

static rmx_status answer_suggest(rmx_ask *a, json_t **out, rmx_err *err) {
  rmx_next_request *r = a->own;
  RMX_OWNED_BY(rmx_next_release) rmx_next next = {0};
  RMX_OWNED_BY(rmx_table_release) rmx_table table = {0};
  if (!r->fit && !r->problem.prior) return missing("fit or --prior", err);
  RMX_TRY(rmx_pipeline_suggest(&a->pipeline, r, &next, err));
  RMX_TRY(rmx_suggestion_table(&next.suggestion, rmx_fit_domains(next.fit), &table, err));
  if (r->out) RMX_TRY(rmx_csv_write(r->out, &table, err));
  *out = rmx_next_json(&next);
  return RMX_OK;
}

struct scores {
  char *fit;
};

static rmx_status answer_scores(rmx_ask *a, json_t **out, rmx_err *err) {
  const struct scores *r = a->own;
  RMX_OWNED_BY(rmx_fit_free_at) rmx_fit *fit = NULL;
  if (!r->fit) return missing("fit", err);
  RMX_TRY(rmx_fit_read(r->fit, &fit, err));
  *out = rmx_fit_json(fit, r->fit);
  return RMX_OK;
}

struct sample {
  char *prior, *out;
};

static rmx_status answer_sample(rmx_ask *a, json_t **out, rmx_err *err) {
  const struct sample *r = a->own;
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  if (!r->prior) return missing("prior", err);
  RMX_TRY(rmx_sample_around(&a->pipeline, r->prior, &t, err));
  if (r->out) RMX_TRY(rmx_csv_write(r->out, &t, err));
  *out = json_pack("{s:s?, s:I, s:o}", "path", r->out, "runs", (json_int_t)t.N, "mixtures",
                   rmx__table_json(&t));
  return RMX_OK;
}

static rmx_status answer_report(rmx_ask *a, json_t **out, rmx_err *err) {
  const rmx_report_request *r = a->own;
  RMX_OWNED char *path = NULL;
  if (!r->fit || !r->out) return missing(r->fit ? "out" : "fit", err);
  RMX_TRY(rmx_pipeline_report(&a->pipeline, r, &path, err));
  *out = json_pack("{s:s}", "report", path);
  return RMX_OK;
}

static rmx_status answer_export(rmx_ask *a, json_t **out, rmx_err *err) {
  const rmx_export_job *job = a->own;
  RMX_OWNED_BY(rmx_exported_release) rmx_exported x = {0};
  if (!job->to || !job->mixture) return missing(job->to ? "mixture" : "to", err);
  RMX_TRY(rmx_export_check(job->to, err));
  RMX_TRY(rmx_pipeline_export(&a->pipeline, job, &x, err));
  *out = json_pack("{s:s, s:s, s:O?, s:o}", "to", job->to, "from", x.from, "mixture", x.mixture,
                   "text", json_stringn(x.text.data ? x.text.data : "", x.text.size));
  return RMX_OK;
}

static const rmx_option scores_options[] = {
    {"fit", RMX_TEXT, offsetof(struct scores, fit), NULL, 0, 0, "DIR", "folder of the fit"},
};
static const rmx_option sample_options[] = {
    {"prior", RMX_TEXT, offsetof(struct sample, prior), NULL, 0, 0, "FILE",
     "mixture to sample around"},
    {"out", RMX_TEXT, offsetof(struct sample, out), NULL, 0, 0, "FILE", "CSV file to write"},
};

#define OPTIONS(table, type) \
  .options = table, .n_options = sizeof table / sizeof *table, .own_size = sizeof(type)
const rmx__ask_kind rmx__ask_kinds[] = {
    {{.name = "fit", OPTIONS(rmx_fit_option_table, rmx_fit_request)}, answer_fit},
    {{.name = "score", OPTIONS(rmx_score_option_table, rmx_score_request)}, answer_score},
    {{.name = "scores", OPTIONS(scores_options, struct scores)}, answer_scores},
    {{.name = "optimize",
      OPTIONS(rmx_optimize_option_table, rmx_answer_request),
      .problem_at = offsetof(rmx_answer_request, problem.keep),
      .how_at = offsetof(rmx_answer_request, how)},
     answer_optimize},
    {{.name = "suggest",
      OPTIONS(rmx_suggest_option_table, rmx_next_request),
      .problem_at = offsetof(rmx_next_request, problem.keep)},
     answer_suggest},
    {{.name = "sample", OPTIONS(sample_options, struct sample)}, answer_sample},
    {{.name = "report", OPTIONS(rmx_report_option_table, rmx_report_request)}, answer_report},
    {{.name = "export", OPTIONS(rmx_export_option_table, rmx_export_job)}, answer_export},
};
const size_t rmx__ask_kinds_n = sizeof rmx__ask_kinds / sizeof *rmx__ask_kinds;
