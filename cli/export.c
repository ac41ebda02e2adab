// SPDX-License-Identifier: Apache-2.0
// regmix export: a mixture as another trainer reads it.
#include <regmix/export.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct export_args {
  char *to, *mixture, *prefix, *suffix, *valid_prefix, *tokens, *out;
  rmx_strings data;
  double budget;
  int64_t sequence_length;
};

// A mixture file names its own domains; these are they, in its order. The weights are then read by
// rmx_mixture_read.
static rmx_status names_in_table(const char *path, rmx_strings *names, rmx_err *err) {
  rmx_table t = {0};
  RMX_TRY(rmx_csv_read(path, &t, err));
  bool one_a_line =
      t.D == 1 && (strcmp(t.id_name, "domain") == 0 || strcmp(t.names[0], "weight") == 0);
  rmx_status status = RMX_OK;
  for (size_t i = 0; status == RMX_OK && i < (one_a_line ? t.N : t.D); i++)
    if (!rmx_strings_add(names, one_a_line ? t.ids[i] : t.names[i]))
      status = rmx_fail_memory(err, 0, path);
  rmx_table_release(&t);
  return status;
}

static rmx_status names_in_map(const char *path, bool json, rmx_strings *names, rmx_err *err) {
  rmx_yaml yaml = {0};
  json_t *root = NULL;
  RMX_TRY(json ? rmx_json_read(path, &root, err) : rmx_yaml_read(path, &yaml, err));
  if (!json) root = yaml.root;
  json_t *map = json_object_get(root, "mixture");
  if (!json_is_object(map)) map = json_object_get(root, "train");
  if (!json_is_object(map)) map = root;
  rmx_status status = RMX_OK;
  const char *name;
  json_t *value;
  json_object_foreach(map, name, value)
    if (status == RMX_OK && !rmx_strings_add(names, name)) status = rmx_fail_memory(err, 0, path);
  if (json)
    json_decref(root);
  else
    rmx_yaml_release(&yaml);
  if (status == RMX_OK && names->n == 0)
    status = rmx_fail(err, RMX_EINPUT, "%s: no mixture in it; wanted a map `domain: weight`", path);
  return status;
}

static rmx_status domain_names(const char *path, rmx_strings *names, rmx_err *err) {
  const char *dot = strrchr(path, '.');
  if (dot && strcmp(dot, ".csv") == 0) return names_in_table(path, names, err);
  return names_in_map(path, dot && strcmp(dot, ".json") == 0, names, err);
}

// --data DOMAIN=PATH into paths (D), which point into the arguments. A name may hold "=": the
// longest that is known wins, else the part before the first "=" is looked up as people type names.
static rmx_status data_paths(const rmx_strings *data, const rmx_strings *names, const char **paths,
                             rmx_err *err) {
  for (size_t i = 0; i < data->n; i++) {
    char *text = data->items[i], *equals = strchr(text, '=');
    if (!equals) return rmx_fail(err, RMX_EUSAGE, "--data %s: wanted DOMAIN=PATH", text);
    size_t d = names->n, longest = 0;
    for (size_t k = 0; k < names->n; k++) {
      size_t n = strlen(names->items[k]);
      if (n < longest || strncmp(text, names->items[k], n) != 0 || text[n] != '=') continue;
      longest = n;
      d = k;
    }
    const char *path = text + longest + 1;
    if (d == names->n) {
      *equals = '\0';
      RMX_TRY(rmx_find_name("domain", text, (const char *const *)names->items, names->n, &d, err));
      path = equals + 1;
    }
    if (paths[d])
      return rmx_fail(err, RMX_EUSAGE, "--data gives domain \"%s\" two paths", names->items[d]);
    paths[d] = path;
  }
  return RMX_OK;
}

// Mean tokens per document (D) from corpus.json; *known is set only if it has those of all domains
// with weight.
static rmx_status mean_lengths(const rmx_experiment *e, const rmx_strings *names, const double *w,
                               double *lengths, bool *known, rmx_err *err) {
  char *path = rmx_experiment_path(e, "corpus/corpus.json");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  json_t *corpus = NULL;
  rmx_status status = rmx_exists(path) ? rmx_json_read(path, &corpus, err) : RMX_OK;
  size_t i;
  json_t *domain;
  json_array_foreach(json_object_get(corpus, "domains"), i, domain) {
    const char *name = json_string_value(json_object_get(domain, "name"));
    double tokens = json_number_value(json_object_get(domain, "train_tokens"));
    double documents = json_number_value(json_object_get(domain, "train_documents"));
    for (size_t d = 0; name && tokens > 0 && documents > 0 && d < names->n; d++)
      if (strcmp(name, names->items[d]) == 0) lengths[d] = tokens / documents;
  }
  *known = true;
  for (size_t d = 0; d < names->n; d++) *known = *known && (w[d] == 0 || lengths[d] > 0);
  json_decref(corpus);
  free(path);
  return status;
}

// The tokens there are of each domain (D) from --tokens; NULL where it was not given.
static rmx_status tokens_there(cli *c, const struct export_args *args, const rmx_strings *names,
                               double **tokens, rmx_err *err) {
  *tokens = NULL;
  if (!args->tokens) return RMX_OK;
  if ((*tokens = rmx_calloc(names->n, sizeof **tokens)) == NULL)
    return rmx_fail_memory(err, names->n, "token counts");
  return rmx_tokens_by_domain(&c->listener, args->tokens, (const char *const *)names->items,
                              names->n, *tokens, err);
}

static rmx_status write_mixture(cli *c, const struct export_args *args, const rmx_experiment *e,
                                const char *file, const rmx_strings *names, double *w,
                                double *lengths, const char **paths, rmx_err *err) {
  bool known = false;
  RMX_TRY(rmx_mixture_read(file, (const char *const *)names->items, names->n, w, err));
  if (data_paths(&args->data, names, paths, err) != RMX_OK) return rmx_refused(true, err);
  RMX_TRY(mean_lengths(e, names, w, lengths, &known, err));
  double *tokens;
  rmx_status status = tokens_there(c, args, names, &tokens, err);
  rmx_export_request request = {.names = (const char *const *)names->items,
                                .weights = w,
                                .D = names->n,
                                .paths = paths,
                                .prefix = args->prefix,
                                .suffix = args->suffix,
                                .valid_prefix = args->valid_prefix,
                                .tokens_per_document = known ? lengths : NULL,
                                .tokens = tokens,
                                .budget = args->budget,
                                .sequence_length = (double)args->sequence_length,
                                .listener = &c->listener};
  rmx_buf text = {0};
  if (status == RMX_OK) status = rmx_export(args->to, &request, &text, err);
  if (status == RMX_OK && args->out) status = rmx_write_file(args->out, text.data, text.size, err);
  if (status == RMX_OK && c->common.json)
    cli_print_json(json_pack("{s:s, s:s, s:o, s:o, s:o}", "to", args->to, "from", file, "mixture",
                             rmx_mixture_json(w, request.names, request.D), "out",
                             args->out ? json_string(args->out) : json_null(), "text",
                             args->out ? json_null() : json_stringn(text.data, text.size)));
  else if (status == RMX_OK && !args->out)
    fwrite(text.data, 1, text.size, stdout);
  rmx_buf_release(&text);
  free(tokens);
  return status;
}

static rmx_status run_export(cli *c, rmx_err *err) {
  struct export_args *args = c->own;
  rmx_experiment *e = &c->pipeline.experiment;
  rmx_strings names = {0};
  double *w = NULL, *lengths = NULL;
  const char **paths = NULL;
  if (!args->to)
    return rmx_fail(err, RMX_EUSAGE, "wanted --to FORMAT; `regmix export --help` lists them");
  RMX_TRY(cli_open(c, NULL, false, err));
  char *file = args->mixture ? rmx_strdup(args->mixture) : rmx_experiment_path(e, "optimum.yaml");
  rmx_status status = file ? RMX_OK : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK && !args->mixture && !rmx_exists(file))
    status = rmx_fail(err, RMX_EINPUT,
                      "no optimum.yaml in %s; `regmix optimize` writes it, or give --mixture FILE",
                      e->folder);
  if (status == RMX_OK) rmx_optimum_warn(file, &c->pipeline.listener);
  if (status == RMX_OK) status = domain_names(file, &names, err);
  if (status == RMX_OK) {
    w = rmx_calloc(names.n, sizeof *w);
    lengths = rmx_calloc(names.n, sizeof *lengths);
    paths = rmx_calloc(names.n, sizeof *paths);
    status = w && lengths && paths ? write_mixture(c, args, e, file, &names, w, lengths, paths, err)
                                   : rmx_fail_memory(err, names.n * sizeof *w, "a mixture");
  }
  free(paths);
  free(lengths);
  free(w);
  free(file);
  rmx_strings_release(&names);
  return status;
}

#define AT(member) offsetof(struct export_args, member)
static const rmx_option options[] = {
    {"to", RMX_TEXT, AT(to), NULL, 0, 0, "FORMAT", "how to write it, see above"},
    {"mixture", RMX_TEXT, AT(mixture), NULL, 0, 0, "FILE",
     "YAML, JSON or CSV; default: the experiment's optimum.yaml"},
    {"data", RMX_LIST, AT(data), NULL, 0, 0, "DOMAIN=PATH",
     "where the trainer finds a domain; may be given several times"},
    {"prefix", RMX_TEXT, AT(prefix), NULL, 0, 0, "TEXT",
     "the other domains are at TEXT, name, suffix"},
    {"suffix", RMX_TEXT, AT(suffix), NULL, 0, 0, "TEXT",
     "what follows the name in such paths (_text_document)"},
    {"valid-prefix", RMX_TEXT, AT(valid_prefix), NULL, 0, 0, "TEXT",
     "validation and test data are at TEXT, name, suffix"},
    {"tokens", RMX_TEXT, AT(tokens), NULL, 0, 0, "FILE",
     "tokens that exist of each domain, YAML (domain: tokens) or CSV (domain,tokens): for the "
     "passes over small domains"},
    {"budget", RMX_REAL, AT(budget), NULL, 1, 1e18, "TOKENS",
     "tokens that the trainer will train on"},
    {"sequence-length", RMX_INT, AT(sequence_length), NULL, 1, 1 << 30, "TOKENS",
     "tokens of one sequence of the trainer"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE", "where it goes; default: stdout"},
};
#define PARAGRAPH(name, needs, help) "\n\n" name ": " help
const cli_command cli_export = {
    .name = "export",
    .words = "",
    .run = run_export,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .own_size = sizeof(struct export_args),
    .summary = "write a mixture as another trainer reads it",
    .about =
        "Weights are shares of tokens. Where a trainer draws whole documents they are converted by "
        "the mean lengths in "
        "corpus/corpus.json, and a comment in the output says so. A trainer that must be told how "
        "often a small domain may "
        "be repeated gets that from --tokens and --budget. Formats:" RMX_EXPORT_FORMATS(PARAGRAPH),
    .examples =
        "  regmix export -C exp --to megatron --prefix /data/ --suffix _text_document\n"
        "  regmix export --mixture optimum.yaml --to olmo-core --prefix s3://corpus/ --suffix "
        "'/*.npy' --out mix.yaml\n",
};
