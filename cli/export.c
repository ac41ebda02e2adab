// SPDX-License-Identifier: Apache-2.0
// regmix export: writes a mixture in the format of a trainer.
#include <regmix/eval.h>
#include <regmix/export.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

// A model in another program's format, with its tokenizer.
static rmx_status export_model(const cli *c, const rmx_export_job *job, rmx_err *err) {
  static const char *const types[] = {"f32", "f16", "bf16", "q8_0"};  // as rmx_gguf_type
  const rmx_kernels *k;
  rmx_lm *m;
  RMX_OWNED char *tokenizer = NULL;
  size_t type = 0;
  if (!job->to || strcmp(job->to, "gguf") != 0)
    return rmx_fail(err, RMX_EUSAGE, "a model is written with --to gguf");
  if (!job->out) return rmx_fail(err, RMX_EUSAGE, "--out FILE is missing");
  while (strcmp(types[type], job->type) != 0) type++;
  RMX_TRY(rmx_lm_kernels(NULL, &k, err));
  RMX_TRY(rmx_eval_tokenizer_path(job->model, &tokenizer, err));
  RMX_TRY(rmx_lm_open(job->model, k, 1, &m, err));
  const rmx_status status = rmx_lm_write_gguf(m, tokenizer, (rmx_gguf_type)type, job->out, err);
  if (status == RMX_OK && c->common.json)
    cli_print_json(json_pack("{s:s, s:s, s:s, s:s}", "to", "gguf", "from", job->model, "type",
                             job->type, "out", job->out));
  rmx_lm_free(m);
  return status;
}

static rmx_status run_export(cli *c, rmx_err *err) {
  const rmx_export_job *job = c->own;
  const char *out = job->out;
  rmx_exported x = {0};
  if (job->model) return export_model(c, job, err);
  if (!job->to && !job->token_files)
    return rmx_fail(err, RMX_EUSAGE,
                    "--to FORMAT is missing; `regmix export --help` lists the formats");
  if (job->to) RMX_TRY(rmx_export_check(job->to, err));
  RMX_TRY(cli_open(c, NULL, false, err));
  if (!job->mixture)
    rmx_pipeline_warn_outdated(&c->pipeline, job->to ? RMX_STEP_COMPARE : RMX_STEP_SAMPLE);
  rmx_status status = rmx_pipeline_export(&c->pipeline, job, &x, err);
  if (status == RMX_OK && c->common.json)
    cli_print_json(json_pack("{s:s, s:s, s:O?, s:o, s:o}", "to",
                             job->to ? job->to : job->token_files, "from", x.from, "mixture",
                             x.mixture, "out", out ? json_string(out) : json_null(), "text",
                             out ? json_null() : json_stringn(x.text.data, x.text.size)));
  else if (status == RMX_OK && !out)
    cli_print_text(&x.text);
  rmx_exported_release(&x);
  return status;
}

static bool format_item(size_t i, rmx_command_item *out) {
#define ITEM(name, needs, help) {name, help, "", ""},
  static const rmx_command_item formats[] = {RMX_EXPORT_FORMATS(ITEM)};
#undef ITEM
  if (i >= sizeof formats / sizeof *formats) return false;
  *out = formats[i];
  return true;
}

const rmx_command cli_export = {
    .name = "export",
    .words = "",
    .run = run_export,
    CLI_OPTIONS(rmx_export_option_table, rmx_export_job),
    .items = "Formats",
    .item = format_item,
    .summary = "write a mixture in the format of another trainer",
};
