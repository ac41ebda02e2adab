// SPDX-License-Identifier: Apache-2.0
// regmix fit: functions from mixture to metric, cross-validated.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct fit_args {
  char *mixtures, *metrics, *regressor, *out, *half, *tokens;
  double budget, run_tokens;
  rmx_strings only, higher, lower;
  table_args tables;
  bool normalize, raw, skip_missing;
};

// Below this, half of the training ranked the mixtures differently from all of it.
static const double low_agreement = 0.9;

static const char *better_of(const rmx_fit *f, size_t m) {
  if (f->higher_is_better[m]) return "high";
  return f->direction_from[m] == RMX_DIRECTION_ASSUMED ? "low?" : "low";
}

// Spearman and R2 out of fold; then what to make of the errors, in the metric's own unit.
static rmx_status print_scores(const rmx_fit *f, size_t runs, rmx_err *err) {
  int width = cli_width(f->metrics, f->M, 24);
  bool noise = false, assumed = false;
  printf("%-*s %-9s %8s %7s %9s %9s %9s %9s %7s\n", width, "metric", "regressor", "spearman", "r2",
         "rmse", "noise", "regret@1", "optimism", "better");
  for (size_t m = 0; m < f->M; m++) {
    rmx_diagnostics d;
    char text[6][CLI_NUMBER];
    RMX_TRY(rmx_fit_diagnose(f, m, &d, err));
    noise |= isfinite(d.noise);
    printf("%-*s %-9s %8s %7s %9s %9s %9s %9s %7s\n", cli_pad(cli_shown(f->metrics[m]), width),
           cli_shown(f->metrics[m]), rmx_regressor_name(f->regressors[m]),
           cli_number(f->cv[m].spearman, 4, 'f', text[0]), cli_number(f->cv[m].r2, 4, 'f', text[1]),
           cli_number(d.rmse, 3, 'g', text[2]), cli_number(d.noise, 3, 'g', text[3]),
           cli_number(d.regret_at_1, 2, 'g', text[4]), cli_number(d.optimism, 2, 'g', text[5]),
           better_of(f, m));
    assumed |= f->direction_from[m] == RMX_DIRECTION_ASSUMED;
  }
  // Replicates stay together: there are no more folds than different mixtures.
  int64_t mixtures = 0;
  for (size_t i = 0; f->groups && i < f->N; i++) mixtures += f->groups[i] == (int)i;
  int64_t folds = f->groups && mixtures < f->folds ? mixtures : f->folds;
  printf(
      "(out of fold, %lld fold%s of %zu run%s, %zu domains; regret@1: how far the run predicted "
      "best is from\n"
      "the best; optimism: of the best predictions, above 0 they promise too much%s%s)\n",
      (long long)folds, folds == 1 ? "" : "s", runs, runs == 1 ? "" : "s", f->D,
      noise ? "; noise: sd of equal\nruns, below which no rmse can go" : "",
      assumed ? "; low?: assumed, since nobody says which way is better" : "");
  return RMX_OK;
}

static json_t *scores_tree(const rmx_fit *f, const char *out) {
  rmx_err ignored;
  json_t *root = json_object(), *metrics = json_object();
  for (size_t m = 0; m < f->M; m++) {
    json_t *one = rmx_scores_json(&f->cv[m]);
    rmx_diagnostics errors;
    if (rmx_fit_diagnose(f, m, &errors, &ignored) == RMX_OK) rmx_diagnostics_add(&errors, one);
    json_object_set_new(one, "higher_is_better", json_boolean(f->higher_is_better[m]));
    json_object_set_new(one, "direction_from",
                        json_string(rmx_direction_from_text(f->direction_from[m])));
    json_object_set_new(one, "regressor", json_string(rmx_regressor_name(f->regressors[m])));
    json_object_set_new(metrics, f->metrics[m], one);
  }
  json_object_set_new(root, "fit", json_string(out));
  json_object_set_new(root, "runs", json_integer((json_int_t)f->N));
  json_object_set_new(root, "cross_validation", metrics);
  return root;
}

// Rank agreement of each metric at half way with its value at the end, over the runs.
static json_t *half_agreement(const rmx_fit *f, const char *half_path, rmx_err *err) {
  rmx_table half;
  if (rmx_csv_read(half_path, &half, err) != RMX_OK) return NULL;
  json_t *o = json_object();
  double *a = rmx_calloc(2 * f->N, sizeof *a), *b = a ? a + f->N : NULL;
  if (!o || !a) {
    json_decref(o);
    free(a);
    rmx_table_release(&half);
    rmx_fail_memory(err, 2 * f->N * sizeof *a, "half-way ranks");
    return NULL;
  }
  for (size_t m = 0; a && m < f->M; m++) {
    size_t n = 0, column;
    rmx_err ignored;
    if (rmx_find_name("metric", f->metrics[m], (const char *const *)half.names, half.D, &column,
                      &ignored) != RMX_OK)
      continue;
    for (size_t i = 0; i < f->N; i++)
      for (size_t j = 0; j < half.N; j++)
        if (strcmp(f->run_ids[i], half.ids[j]) == 0 && isfinite(half.x[j * half.D + column]) &&
            isfinite(f->truth[i * f->M + m])) {
          a[n] = half.x[j * half.D + column];
          b[n++] = f->truth[i * f->M + m];
        }
    double agreement = n > 2 ? rmx_spearman(a, b, n) : NAN;
    if (isfinite(agreement)) json_object_set_new(o, f->metrics[m], json_real(agreement));
  }
  free(a);
  rmx_table_release(&half);
  return o;
}

static void tell_agreement(const cli *c, const json_t *agreement) {
  const char *metric;
  json_t *value;
  size_t low = 0;
  double least = 1;
  const char *worst = "";
  json_object_foreach((json_t *)agreement, metric, value) {
    if (json_real_value(value) >= low_agreement) continue;
    low++;
    if (json_real_value(value) < least) {
      least = json_real_value(value);
      worst = metric;
    }
  }
  if (low)
    rmx_warn(&c->listener,
             "half-way losses rank the mixtures differently from the final ones for %zu metrics "
             "(%s: Spearman %.2f): the proxies "
             "were trained too short to be believed; raise proxy.tokens (`regmix plan` says what "
             "that costs)",
             low, worst, least);
}

// fit.json gets what only the experiment knows. Takes the value over.
static rmx_status put_more(rmx_fit *f, const char *key, json_t *value, rmx_err *err) {
  if (!f->more) f->more = json_object();
  return json_object_set_new(f->more, key, value) == 0 ? RMX_OK
                                                       : rmx_fail_memory(err, 64, "fit.json");
}

// What is known of tokens: from --tokens, or from the experiment's corpus; *known false: nothing.
// `names` and `counts` hold it. *tokenizer: hash of what made the corpus, or 0.
static rmx_status find_exposure(const rmx_experiment *e, const struct fit_args *args,
                                rmx_exposure *x, bool *known, rmx_strings *names, double **counts,
                                uint64_t *tokenizer, rmx_err *err) {
  *known = false;
  *tokenizer = 0;
  *x = (rmx_exposure){.budget = args->budget, .run_tokens = args->run_tokens};
  if (args->tokens) {
    RMX_TRY(read_tokens(args->tokens, names, counts, err));
  } else if (args->half) {  // the experiment's own runs
    char *manifest = rmx_experiment_path(e, "corpus/corpus.json");
    json_t *corpus = NULL, *domain;
    size_t k;
    rmx_status status = manifest ? RMX_OK : rmx_fail_memory(err, 0, "a path");
    if (status == RMX_OK && rmx_exists(manifest)) status = rmx_json_read(manifest, &corpus, err);
    free(manifest);
    if (status != RMX_OK || !corpus) return status;
    const json_t *domains = json_object_get(corpus, "domains");
    const char *hash = json_string_value(json_object_get(corpus, "tokenizer_hash"));
    if (hash) *tokenizer = strtoull(hash, NULL, 16);
    if (!(*counts = rmx_calloc(json_array_size(domains) + 1, sizeof **counts)))
      status = rmx_fail_memory(err, 0, "token counts");
    if (status == RMX_OK)
      json_array_foreach(domains, k, domain) {
        const char *name = json_string_value(json_object_get(domain, "name"));
        if (!name || json_is_true(json_object_get(domain, "valid_only"))) continue;
        (*counts)[names->n] = json_number_value(json_object_get(domain, "train_tokens"));
        if (!rmx_strings_add(names, name)) status = rmx_fail_memory(err, 0, "a name");
      }
    json_decref(corpus);
    RMX_TRY(status);
    if (!(x->budget > 0)) x->budget = (double)e->config.large.tokens;
    if (!(x->run_tokens > 0)) x->run_tokens = (double)e->config.proxy.tokens;
  }
  x->tokens = *counts;
  x->domains = (const char *const *)names->items;
  x->D = names->n;
  *known = names->n > 0;
  return RMX_OK;
}

// An experiment's own diverged runs have no metrics and are left out; files of the user's must say
// so.
static rmx_regress_options options_of(const rmx_experiment *e, const struct fit_args *args) {
  rmx_regress_options o = e->config.regress;
  o.skip_missing |= args->skip_missing;
  o.normalize |= args->normalize;
  return o;
}

// What the runs of the experiment said of their metrics: metrics.json beside metrics.csv (written
// by train).
static rmx_status add_directions(const rmx_experiment *e, rmx_table *metrics, rmx_err *err) {
  char *path = rmx_experiment_path(e, "metrics.json");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  json_t *tree = NULL;
  rmx_status status = rmx_exists(path) ? rmx_json_read(path, &tree, err) : RMX_OK;
  free(path);
  const json_t *said = json_object_get(tree, "higher_is_better");
  if (status == RMX_OK && said && !metrics->better &&
      !(metrics->better = rmx_calloc(metrics->D, sizeof *metrics->better)))
    status = rmx_fail_memory(err, 0, "a table");
  for (size_t k = 0; status == RMX_OK && said && k < metrics->D; k++) {
    const json_t *high = json_object_get(said, metrics->names[k]);
    if (json_is_boolean(high))
      metrics->better[k] = json_is_true(high) ? RMX_BETTER_HIGH : RMX_BETTER_LOW;
  }
  json_decref(tree);
  return status;
}

static rmx_status fit_files(const cli *c, const rmx_experiment *e, const struct fit_args *args,
                            bool print, json_t *by, rmx_err *err) {
  const rmx_regress_options regress = options_of(e, args);
  RMX_TRY(rmx_fit_may_write(args->out, err));
  table_args tables = args->tables;
  tables.any_sum = regress.normalize;
  rmx_table mixtures = {0}, metrics = {0};
  rmx_fit *fit = NULL;
  rmx_status status =
      read_tables(c, args->mixtures, args->metrics, &tables, &mixtures, &metrics, err);
  if (status == RMX_OK && args->half) status = take_own_runs(c, e, &mixtures, &metrics, err);
  if (status == RMX_OK && args->half) status = add_directions(e, &metrics, err);
  double began = rmx_now(), *counts = NULL;
  rmx_strings names = {0};
  rmx_exposure exposure;
  bool known = false;
  uint64_t tokenizer = 0;
  if (status == RMX_OK)
    status = find_exposure(e, args, &exposure, &known, &names, &counts, &tokenizer, err);
  if (status == RMX_OK)
    status = rmx_fit_tables_exposed(&regress, &mixtures, &metrics,
                                    (const char *const *)args->only.items, args->only.n, args->raw,
                                    known ? &exposure : NULL, (uint64_t)e->config.general.seed,
                                    worker_jobs(e), &c->listener, &fit, NULL, err);
  if (status == RMX_OK) fit->tokenizer = tokenizer;
  if (status == RMX_OK && args->half && rmx_exists(args->half)) {
    json_t *agreement = half_agreement(fit, args->half, err);
    if (agreement) tell_agreement(c, agreement);
    status = agreement ? put_more(fit, "half_agreement", agreement, err) : err->status;
  }
  if (status == RMX_OK) status = rmx_fit_write(fit, args->out, by, err);
  char time[32];
  if (status == RMX_OK)
    rmx_note(&c->listener, "fit: %zu metric%s on %zu run%s in %s, in %s", fit->M,
             fit->M == 1 ? "" : "s", fit->N, fit->N == 1 ? "" : "s",
             cli_duration(rmx_now() - began, time), args->out);
  if (status == RMX_OK && c->common.json && print)
    cli_print_json(scores_tree(fit, args->out));
  else if (status == RMX_OK && print)
    status = print_scores(fit, fit->N, err);
  free(counts);
  rmx_strings_release(&names);
  rmx_fit_free(fit);
  rmx_table_release(&mixtures);
  rmx_table_release(&metrics);
  return status;
}

// The hash of the files and settings a fit was made from.
static uint64_t question_of(const rmx_experiment *e, const char *mixtures, const char *metrics) {
  char *directions = rmx_experiment_path(e, "metrics.json");
  uint64_t hash = (uint64_t)e->config.general.seed;
  for (size_t i = 0; i < rmx_regress_option_table_n; i++) {
    json_t *value = rmx_option_json(&rmx_regress_option_table[i], &e->config.regress);
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    hash = rmx_hash_string(text ? text : "", hash);
    free(text);
    json_decref(value);
  }
  // what the large run is matters to no other
  if (strcmp(e->config.regress.regressor, "exposure") == 0) {
    char tokens[64];
    snprintf(tokens, sizeof tokens, "%lld %lld", (long long)e->config.proxy.tokens,
             (long long)e->config.large.tokens);
    hash = rmx_hash_string(tokens, hash);
  }
  const char *const files[] = {mixtures, metrics, directions};
  rmx_err ignored;
  for (size_t i = 0; i < 3; i++) {
    char *text;
    size_t size;
    if (!files[i] || rmx_read_file(files[i], &text, &size, &ignored) != RMX_OK) continue;
    hash = rmx_hash(text, size, hash);
    free(text);
  }
  free(directions);
  return hash;
}

// A fit that is not whole any more answers nothing.
static bool answered(const cli *c, const char *out, const char *question) {
  rmx_err ignored;
  json_t *tree = NULL;
  char *path = rmx_path_in(out, "fit.json");
  bool same = false;
  if (path && rmx_exists(path) && rmx_json_read(path, &tree, &ignored) == RMX_OK) {
    const char *had =
        json_string_value(json_object_get(json_object_get(tree, "made_by"), "question"));
    same = had && strcmp(had, question) == 0;
  }
  rmx_fit *whole = NULL;
  if (same && rmx_fit_read(out, &whole, &ignored) != RMX_OK) {
    rmx_note(&c->listener, "fit: made again, since %s", ignored.message);
    same = false;
  }
  rmx_fit_free(whole);
  json_decref(tree);
  free(path);
  return same;
}

rmx_status step_fit(const cli *c, const rmx_experiment *e, rmx_err *err) {
  struct fit_args args = {.mixtures = rmx_experiment_path(e, "mixtures.csv"),
                          .metrics = rmx_experiment_path(e, "metrics.csv"),
                          .half = rmx_experiment_path(e, "metrics-half.csv"),
                          .out = rmx_experiment_path(e, "fit"),
                          .skip_missing = true};
  rmx_status status = RMX_OK;
  if (!args.mixtures || !args.metrics || !args.half || !args.out) {
    status = rmx_fail_memory(err, 0, "a path");
  } else if (!rmx_exists(args.metrics)) {
    status = rmx_fail(err, RMX_EINPUT, "no %s yet; `regmix train` makes it", args.metrics);
  } else {
    char question[17];
    snprintf(question, sizeof question, "%016llx",
             (unsigned long long)question_of(e, args.mixtures, args.metrics));
    if (answered(c, args.out, question)) {
      step_tells(c, "fit", false, "up to date");
    } else if (!step_tells(c, "fit", true, "would fit the metrics")) {
      json_t *by = made_by(e, NULL);
      json_object_set_new(by, "question", json_string(question));
      status = fit_files(c, e, &args, false, by, err);
      json_decref(by);
    }
  }
  free(args.mixtures), free(args.metrics), free(args.half), free(args.out);
  return status;
}

static rmx_status run_fit(cli *c, rmx_err *err) {
  struct fit_args *args = c->own;
  if (!args->mixtures != !args->metrics)
    return rmx_fail(err, RMX_EUSAGE,
                    "--mixtures and --metrics go together (or neither, with the experiment's own)");
  if (args->tokens && !(args->budget > 0))
    return rmx_fail(err, RMX_EUSAGE, "--tokens goes with --budget TOKENS, those of the large run");
  if (args->raw && args->normalize)
    return rmx_fail(err, RMX_EUSAGE,
                    "--normalize divides mixtures by their sum and --raw leaves them as they are: "
                    "give one of the two");
  rmx_experiment e = {0};
  bool files = args->mixtures && !c->common.folder;
  // Two files of the user's are a job of their own: a regmix.yaml that happens to lie here is not
  // asked.
  if (files) {
    RMX_TRY(rmx_config_read(NULL, (const char *const *)c->common.settings.items,
                            c->common.settings.n, &e.config, err));
    e.folder = rmx_strdup(".");
  } else {
    RMX_TRY(open_experiment(c, NULL, false, &e, err));
  }
  struct fit_args own = {
      .mixtures =
          args->mixtures ? rmx_strdup(args->mixtures) : rmx_experiment_path(&e, "mixtures.csv"),
      .metrics = args->metrics ? rmx_strdup(args->metrics) : rmx_experiment_path(&e, "metrics.csv"),
      .half = args->mixtures ? NULL : rmx_experiment_path(&e, "metrics-half.csv"),
      .out = args->out ? rmx_strdup(args->out) : rmx_experiment_path(&e, "fit"),
      .only = args->only,
      .tables = args->tables,
      .raw = args->raw,
      .normalize = args->normalize,
      .skip_missing = args->skip_missing || !args->mixtures,
      .tokens = args->tokens,
      .budget = args->budget,
      .run_tokens = args->run_tokens};
  rmx_status status = e.folder && own.mixtures && own.metrics && own.out
                          ? RMX_OK
                          : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK && args->regressor) {
    char *setting = rmx_format("fit.regressor=%s", args->regressor);
    status =
        setting ? rmx_config_set(&e.config, setting, err) : rmx_fail_memory(err, 0, "a setting");
    free(setting);
  }
  for (size_t i = 0; i < args->higher.n && status == RMX_OK; i++)
    if (!rmx_strings_add(&e.config.regress.higher_is_better, args->higher.items[i]))
      status = rmx_fail_memory(err, 0, "a pattern");
  for (size_t i = 0; i < args->lower.n && status == RMX_OK; i++)
    if (!rmx_strings_add(&e.config.regress.lower_is_better, args->lower.items[i]))
      status = rmx_fail_memory(err, 0, "a pattern");
  json_t *by = made_by(&e, NULL);
  if (status == RMX_OK) status = fit_files(c, &e, &own, true, by, err);
  json_decref(by);
  free(own.mixtures), free(own.metrics), free(own.half), free(own.out);
  rmx_experiment_release(&e);
  return status;
}

#define AT(member) offsetof(struct fit_args, member)
static const rmx_option options[] = {
    {"mixtures", RMX_TEXT, AT(mixtures), NULL, 0, 0, "FILE",
     "CSV: a run a row, its weight of each domain; or a form named above; default: the "
     "experiment's"},
    {"metrics", RMX_TEXT, AT(metrics), NULL, 0, 0, "FILE",
     "CSV: a run a row, its metrics; joined on the first column; or a form named above"},
    MIXTURE_COLUMNS_OPTION(struct fit_args),
    METRIC_COLUMNS_OPTION(struct fit_args),
    ID_OPTION(struct fit_args),
    {"regressor", RMX_TEXT, AT(regressor), NULL, 0, 0, "NAME",
     "the function fitted: ridge, trees, ... (the same as --set fit.regressor)"},
    {"metric", RMX_LIST, AT(only), NULL, 0, 0, "NAME",
     "fit this metric only; may be given several times; default: all"},
    {"higher-is-better", RMX_LIST, AT(higher), NULL, 0, 0, "PATTERN",
     "metrics that are scores, as '*_acc': optimize raises them; may be given several times; "
     "default: as the metric's name says"},
    {"lower-is-better", RMX_LIST, AT(lower), NULL, 0, 0, "PATTERN",
     "metrics that are losses: optimize lowers them; may be given several times"},
    {"tokens", RMX_TEXT, AT(tokens), NULL, 0, 0, "FILE",
     "YAML (domain: tokens) or CSV (domain,tokens): the tokens there are of each domain; "
     "default: the experiment's"},
    {"budget", RMX_REAL, AT(budget), NULL, 1, 1e18, "TOKENS",
     "tokens of the large run, for regressor exposure"},
    {"run-tokens", RMX_REAL, AT(run_tokens), NULL, 1, 1e18, "TOKENS",
     "tokens of each run behind --metrics; default: they saw each domain as often as the large run "
     "will"},
    {"skip-missing", RMX_BOOL, AT(skip_missing), "false", 0, 0, NULL,
     "leave runs without a value of a metric out of its fit; else they are an error"},
    {"normalize", RMX_BOOL, AT(normalize), "false", 0, 0, NULL,
     "divide mixtures that do not sum to 1 within 1 % (percentages, rounded shares) by their sum; "
     "the fit remembers it, predict and score obey"},
    {"raw", RMX_BOOL, AT(raw), "false", 0, 0, NULL,
     "do not normalise rows that sum to 1 within 1 %; the fit remembers it, predict and score "
     "obey"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "DIR", "where the fit goes (default fit)"},
};
const cli_command cli_fit = {
    .name = "fit",
    .words = "",
    .run = run_fit,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .own_size = sizeof(struct fit_args),
    .summary = "fit each metric as a function of the mixture, with cross-validated scores",
    .about =
        "Reads two CSV files that share their first column: mixtures (weights of the domains, rows "
        "sum to 1) and metrics. Fits "
        "one function per metric, scores it on runs it has not seen (k-fold cross-validation), and "
        "writes a folder that "
        "predict, score and optimize read.\n\n" TABLES_ABOUT,
    .examples =
        "  regmix fit --mixtures mixtures.csv --metrics losses.csv --regressor trees\n"
        "  regmix fit --mixtures m.csv --metrics l.csv --metric pile_cc --set trees.rounds=500 "
        "--out fit-cc\n"
        "  regmix fit --mixtures m.csv --metrics l.csv --regressor exposure --tokens tokens.yaml "
        "--budget 20G --run-tokens 1G\n"
        "    for a large run that will repeat its small domains: 20 G tokens, after proxies of 1 "
        "G\n",
};
