// SPDX-License-Identifier: Apache-2.0
// regmix eval, logits, generate: what a language model makes of text.
#include <math.h>
#include <regmix/eval.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

struct eval_args {
  char *model, *tokenizer, *out, *per_item, *isa;
  rmx_strings tasks;
  int64_t limit, threads;
  rmx_generate_options generate;
};

static rmx_status open_model(const struct eval_args *args, rmx_lm **out, rmx_err *err) {
  const rmx_kernels *k;
  if (!args->model) return rmx_fail(err, RMX_EUSAGE, "--model DIR is missing");
  RMX_TRY(rmx_lm_kernels(args->isa, &k, err));
  return rmx_lm_open(args->model, k, args->threads ? (int)args->threads : rmx_processors(), out,
                     err);
}

static rmx_status open_tokenizer(const struct eval_args *args, rmx_tokenizer **out, rmx_err *err) {
  return args->tokenizer ? rmx_tokenizer_read(args->tokenizer, out, err)
                         : rmx_eval_tokenizer(args->model, out, err);
}

// "a,b" are two files, unless there is a file of that name.
static rmx_status list_tasks(const rmx_strings *given, rmx_strings *files, rmx_err *err) {
  for (size_t i = 0; i < given->n; i++) {
    RMX_OWNED char *text = rmx_strdup(given->items[i]);
    char *rest = NULL;
    bool good = text;
    if (good && rmx_exists(text))
      good = rmx_strings_add(files, text);
    else
      for (char *one = text ? strtok_r(text, ",", &rest) : NULL; one && good;
           one = strtok_r(NULL, ",", &rest))
        good = rmx_strings_add(files, one);
    if (!good) return rmx_fail_memory(err, 0, "the names of files");
  }
  if (files->n) return RMX_OK;
  return rmx_fail(err, RMX_EUSAGE, "--tasks FILE is missing");
}

static void print_scores(const json_t *tree) {
  const char *task, *key;
  json_t *scores, *value;
  json_object_foreach(json_object_get(tree, "results"), task, scores) {
    const json_t *chance = json_object_get(json_object_get(tree, "chance"), task),
                 *text = json_object_get(json_object_get(tree, "texts"), task);
    cli_print("%s", task);
    const char *before = " (";
    static const char *const counts[] = {"documents", "words", "bytes", "tokens"};
    for (size_t i = 0; text && i < sizeof counts / sizeof *counts; i++, before = ", ") {
      const double n = cli_get(text, counts[i]);
      cli_print("%s%.0f %.*s", before, n, (int)strlen(counts[i]) - (n == 1), counts[i]);
    }
    cli_print(text ? ")\n" : "\n");
    json_object_foreach(scores, key, value) {
      char name[64], number[CLI_NUMBER], error[CLI_NUMBER], error_key[96];
      snprintf(name, sizeof name, "%.*s", (int)strcspn(key, ","), key);
      if (!json_is_number(value) || strstr(name, "_stderr")) continue;
      snprintf(error_key, sizeof error_key, "%s_stderr,none", name);
      const char form = json_number_value(value) < 1000 ? 'f' : 'g';
      cli_print("  %-15s %s", name, cli_number(json_number_value(value), 4, form, number));
      if (!isnan(cli_known(scores, error_key)))
        cli_print(" +- %s", cli_number(cli_known(scores, error_key), 4, form, error));
      if (strncmp(name, "acc", 3) == 0 && json_is_number(chance))
        cli_print("  (guessing: %s)", cli_number(json_number_value(chance), 4, 'f', number));
      cli_print("\n");
    }
  }
}

static rmx_status score(cli *c, const struct eval_args *args, rmx_lm *m, const rmx_tokenizer *t,
                        FILE *per_item, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings files = {0};
  json_t *tree;
  const rmx_eval_job job = {.model = m,
                            .tokenizer = t,
                            .max_items = args->limit,
                            .per_item = per_item,
                            .listener = &c->listener};
  RMX_TRY(list_tasks(&args->tasks, &files, err));
  RMX_TRY(rmx_eval(&job, (const char *const *)files.items, files.n, &tree, err));
  json_object_set_new(tree, "model_name", json_string(args->model));
  const rmx_status status = args->out ? rmx__json_write(args->out, tree, err) : RMX_OK;
  return status == RMX_OK ? cli_show(c, tree, print_scores) : status;
}

static rmx_status run_eval(cli *c, rmx_err *err) {
  const struct eval_args *args = c->own;
  rmx_lm *m = NULL;
  rmx_tokenizer *t = NULL;
  rmx_outfile items = {0};
  if (!args->tasks.n) return rmx_fail(err, RMX_EUSAGE, "--tasks FILE is missing");
  RMX_TRY(open_model(args, &m, err));
  rmx_status status = open_tokenizer(args, &t, err);
  if (status == RMX_OK && args->per_item) status = rmx_outfile_open(&items, args->per_item, err);
  if (status == RMX_OK) status = score(c, args, m, t, items.file, err);
  if (items.file && status == RMX_OK)
    status = rmx_outfile_commit(&items, err);
  else
    rmx_outfile_discard(&items);
  rmx_tokenizer_free(t);
  rmx_lm_free(m);
  return status;
}

static rmx_status run_logits(cli *c, rmx_err *err) {
  const struct eval_args *args = c->own;
  const char *name = c->words.n ? c->words.items[0] : "-";
  const bool standard = strcmp(name, "-") == 0;
  if (!args->out) return rmx_fail(err, RMX_EUSAGE, "--out FILE.npy is missing");
  rmx_lm *m;
  RMX_TRY(open_model(args, &m, err));
  FILE *in = standard ? stdin : rmx_fopen(name, "r");
  rmx_status status =
      in ? rmx_eval_logits(m, in, standard ? "standard input" : name, args->out, err)
         : rmx_fail_errno(err, "cannot open %s", name);
  if (in && !standard) fclose(in);
  if (status == RMX_OK && c->common.json)
    cli_print_json(
        json_pack("{s:s, s:I}", "out", args->out, "vocab", (json_int_t)rmx_lm_config_of(m)->vocab));
  rmx_lm_free(m);
  return status;
}

static rmx_status run_generate(cli *c, rmx_err *err) {
  const struct eval_args *args = c->own;
  const char *prompt = c->words.n ? c->words.items[0] : "";
  rmx_lm *m;
  rmx_tokenizer *t = NULL;
  RMX_OWNED_BY(rmx_buf_release) rmx_buf out = {0};
  RMX_TRY(open_model(args, &m, err));
  rmx_status status = open_tokenizer(args, &t, err);
  if (status == RMX_OK) status = rmx_generate(m, t, prompt, &args->generate, &out, err);
  // the last token of a text may be a part of a character
  if (status == RMX_OK && out.data) rmx_make_printable(out.data, "\n\r\t");
  if (status == RMX_OK && c->common.json) {
    cli_print_json(json_pack("{s:s, s:s}", "prompt", prompt, "text", out.data ? out.data : ""));
  } else if (status == RMX_OK) {
    printf("%s", prompt);
    cli_print_text(&out);
    printf("\n");
  }
  rmx_tokenizer_free(t);
  rmx_lm_free(m);
  return status;
}

#define AT(member) offsetof(struct eval_args, member)
#define MODEL_OPTION                                                                              \
  {"model",   RMX_TEXT,                                                                           \
   AT(model), NULL,                                                                               \
   0,         0,                                                                                  \
   "DIR",     "folder of the model: config.json with safetensors files, or model.bin"},           \
      {"threads", RMX_INT, AT(threads), "0", 0, 64, "K", "number of threads; 0: all processors"}, \
  {                                                                                               \
    "isa", RMX_TEXT, AT(isa), NULL, 0, 0, "LEVEL",                                                \
        "processor level, as in bench; those that multiply in bfloat16 are not used"              \
  }
#define TOKENIZER_OPTION                                                                   \
  {                                                                                        \
    "tokenizer", RMX_TEXT, AT(tokenizer), NULL, 0, 0, "FILE",                              \
        "tokenizer of the model; default: tokenizer.json in its folder or in one above it" \
  }
static const rmx_option eval_options[] = {
    MODEL_OPTION,
    TOKENIZER_OPTION,
    {"tasks", RMX_LIST, AT(tasks), NULL, 0, 0, "FILE,...",
     "files of tasks or of text; may be given several times"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE", "write the results to this JSON file too"},
    {"per-item", RMX_TEXT, AT(per_item), NULL, 0, 0, "FILE",
     "write a line of JSON for each item, with the score of each choice"},
    {"limit", RMX_INT, AT(limit), "0", 0, 1e9, "N", "only the first N items of each file; 0: all"},
};
const rmx_command cli_eval = {
    .name = "eval",
    .words = "",
    .run = run_eval,
    CLI_OPTIONS(eval_options, struct eval_args),
    .summary = "score a language model on tasks",
};
static const rmx_option logits_options[] = {
    MODEL_OPTION,
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE", "file to write, in NumPy's format"},
};
const rmx_command cli_logits = {
    .name = "logits",
    .words = "[FILE]",
    .max_words = 1,
    .run = run_logits,
    CLI_OPTIONS(logits_options, struct eval_args),
    .summary = "write the logits of a language model for lines of ids",
};
static const rmx_option generate_options[] = {
    MODEL_OPTION,
    TOKENIZER_OPTION,
    {"tokens", RMX_INT, AT(generate.tokens), "64", 1, 1e6, "N", "add no more than N tokens"},
    {"temperature", RMX_REAL, AT(generate.temperature), "0.8", 0, 100, "X",
     "0: always the most likely token; 1: by the probabilities of the model"},
    {"top", RMX_INT, AT(generate.top), "0", 0, 1e8, "K",
     "draw among the K most likely tokens only; 0: among all"},
    {"seed", RMX_INT, AT(generate.seed), "1", 0, 1e9, "S", "another seed draws another text"},
};
const rmx_command cli_generate = {
    .name = "generate",
    .words = "[TEXT]",
    .max_words = 1,
    .run = run_generate,
    CLI_OPTIONS(generate_options, struct eval_args),
    .summary = "continue a text, to see what a language model has learnt",
};
