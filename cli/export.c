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

#define AT(member) offsetof(rmx_export_job, member)
static const rmx_option options[] = {
    {"to", RMX_TEXT, AT(to), NULL, 0, 0, "FORMAT", "name of the format; see the list above"},
    {"mixture", RMX_TEXT, AT(mixture), NULL, 0, 0, "FILE",
     "mixture to export, as YAML, JSON or CSV; default: optimum.yaml of the experiment"},
    {"data", RMX_LIST, AT(data), NULL, 0, 0, "DOMAIN=PATH",
     "path of the data of a domain; may be given several times"},
    {"prefix", RMX_TEXT, AT(prefix), NULL, 0, 0, "TEXT",
     "prefix of the path of every other domain: the path is prefix, name of the domain, suffix"},
    {"suffix", RMX_TEXT, AT(suffix), NULL, 0, 0, "TEXT",
     "suffix of these paths, for example _text_document"},
    {"valid-prefix", RMX_TEXT, AT(valid_prefix), NULL, 0, 0, "TEXT",
     "prefix of the paths of validation and test data"},
    {"tokens", RMX_TEXT, AT(tokens), NULL, 0, 0, "FILE",
     "number of available tokens of each domain, as YAML (domain: tokens) or CSV (domain,tokens); "
     "needed to repeat small domains"},
    {"budget", RMX_REAL, AT(budget), NULL, 1, 1e18, "TOKENS",
     "number of tokens that the trainer will train on"},
    {"sequence-length", RMX_INT, AT(sequence_length), NULL, 1, 1 << 30, "TOKENS",
     "tokens per sequence of the trainer"},
    {"fold", RMX_INT, AT(fold), "0", 0, 2, "LEVELS",
     "write the total weights of nodes instead of all domains: 1: sources; 2: source:topic; 0: all "
     "domains"},
    {"phase", RMX_INT, AT(phase), "-1", -1, 15, "N",
     "export only this phase of a mixture with phases, counted from 0; default: all, by stage"},
    {"steps", RMX_INT, AT(steps), NULL, 1, 1e15, "N",
     "optimiser steps of the training, for stages"},
    {"token-files", RMX_CHOICE, AT(token_files), NULL, 0, 0, "megatron|nanogpt|olmo|npy",
     "write the corpus as token files of another program into the folder --out"},
    {"model", RMX_TEXT, AT(model), NULL, 0, 0, "DIR",
     "write this model with its tokenizer instead, with --to gguf, for llama.cpp"},
    {"type", RMX_CHOICE, AT(type), "f32", 0, 0, "f32|f16|bf16|q8_0",
     "numbers of a model that is written"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE", "write to this file; default: stdout"},
};

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
    CLI_OPTIONS(options, rmx_export_job),
    .items = "Formats",
    .item = format_item,
    .summary = "write a mixture in the format of another trainer",
};
