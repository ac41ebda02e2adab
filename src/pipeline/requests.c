// SPDX-License-Identifier: Apache-2.0
// The options of the requests, by name: what a command line and other languages fill them with.
#include <regmix/requests.h>

#define AT(member) offsetof(rmx_fit_request, member)
const rmx_option rmx_fit_option_table[RMX_FIT_OPTIONS] = {
    {"mixtures", RMX_TEXT, AT(mixtures), NULL, 0, 0, "FILE",
     "table of the mixtures: CSV with one run per row and one column per domain, or another format "
     "named above; default: mixtures.csv of the experiment"},
    {"metrics", RMX_TEXT, AT(metrics), NULL, 0, 0, "FILE",
     "table of the metrics: CSV with one run per row, joined on the first column, or another "
     "format named above"},
    RMX_MIXTURE_COLUMNS_OPTION(rmx_fit_request, tables),
    RMX_METRIC_COLUMNS_OPTION(rmx_fit_request, tables),
    RMX_ID_OPTION(rmx_fit_request, tables),
    {"size-column", RMX_TEXT, AT(tables.size_column), NULL, 0, 0, "COLUMN",
     "column with the parameters of each run's model (122M, 1.2B), for runs of several sizes"},
    {"tokens-column", RMX_TEXT, AT(tables.tokens_column), NULL, 0, 0, "COLUMN",
     "column with the tokens that each run was trained on (20G), for runs of several lengths"},
    {"regressor", RMX_TEXT, AT(regressor), NULL, 0, 0, "NAME",
     "kind of function to fit: ridge, trees, ... (the same as --set fit.regressor)"},
    {"metric", RMX_LIST, AT(only), NULL, 0, 0, "NAME",
     "metric to fit; may be given several times; default: all metrics"},
    {"higher-is-better", RMX_LIST, AT(higher), NULL, 0, 0, "PATTERN",
     "metrics that are scores, for example '*_acc'; optimize raises them; may be given several "
     "times; default: derived from the name of the metric"},
    {"lower-is-better", RMX_LIST, AT(lower), NULL, 0, 0, "PATTERN",
     "metrics that are losses; optimize lowers them; may be given several times"},
    {"tokens", RMX_TEXT, AT(tokens), NULL, 0, 0, "FILE",
     "number of available tokens of each domain, as YAML (domain: tokens) or CSV (domain,tokens); "
     "default: as in the corpus of the experiment"},
    {"budget", RMX_REAL, AT(budget), NULL, 1, 1e18, "TOKENS",
     "number of tokens of the large run, for regressor exposure"},
    {"run-tokens", RMX_REAL, AT(run_tokens), NULL, 1, 1e18, "TOKENS",
     "number of tokens of each run in --metrics; default: the runs saw each domain as often as the "
     "large run will"},
    {"phases", RMX_LIST, AT(phases), NULL, 0, 0, "SHARE,SHARE",
     "shares of the tokens of the phases, if the columns are phase_0_DOMAIN, phase_1_DOMAIN"},
    {"skip-missing", RMX_BOOL, AT(skip_missing), "false", 0, 0, NULL,
     "leave runs without a value of a metric out of its fit; otherwise a missing value is an "
     "error"},
    {"normalize", RMX_BOOL, AT(normalize), "false", 0, 0, NULL,
     "divide every mixture by its sum, also if the sum differs from 1 by more than 1 % "
     "(percentages, rounded shares); predict and score with this fit do the same"},
    {"raw", RMX_BOOL, AT(raw), "false", 0, 0, NULL,
     "do not divide rows that sum to 1 within 1 % by their sum; predict and score with this fit do "
     "the same"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "DIR",
     "folder that the fit is written to (default: fit)"},
};
#undef AT

#define AT(member) offsetof(rmx_answer_request, member)
const rmx_option rmx_optimize_option_table[RMX_OPTIMIZE_OPTIONS] = {
    {"fit", RMX_TEXT, AT(fit), NULL, 0, 0, "DIR",
     "folder of the fit (default: the fit of the experiment)"},
    RMX_PROBLEM_OPTIONS(rmx_answer_request),
    {"no-guard", RMX_BOOL, AT(no_guard), "false", 0, 0, NULL,
     "allow mixtures far from all runs, and weights outside the range they covered"},
    {"against", RMX_LIST, AT(against), NULL, 0, 0, "FILE",
     "mixture to compare the optimum with, in addition to the prior; may be given several times; "
     "answers call it by the name of its file, and a second one of that name NAME-2"},
    {"quick", RMX_BOOL, AT(quick), "false", 0, 0, NULL,
     "find the mixture only: no intervals, no learning curve, no attribution. Without intervals it "
     "is not tested whether the prior is expected to be better, which would then be the answer"},
    {"pareto", RMX_TEXT, AT(pareto), NULL, 0, 0, "METRIC,METRIC",
     "also find the Pareto front of two metrics: no mixture on it is better than another in both"},
    {"points", RMX_INT, AT(points), "11", 2, 1000, "N", "number of points on the Pareto front"},
    {"fold", RMX_INT, AT(fold), "0", 0, 2, "LEVELS",
     "print the totals of nodes instead of all domains: 1: sources; 2: source:topic; 0: all "
     "domains"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE",
     "YAML file to write; default: optimum.yaml next to the fit (--json without --out writes no "
     "file)"},
};
#undef AT

#define AT(member) offsetof(rmx_next_request, member)
const rmx_option rmx_suggest_option_table[RMX_SUGGEST_OPTIONS] = {
    {"runs", RMX_INT, AT(runs), "8", 1, 10000, "K", "number of mixtures to suggest (also -n)"},
    {"fit", RMX_TEXT, AT(fit), NULL, 0, 0, "DIR",
     "folder of the fit of the existing runs (default: the fit of the experiment)"},
    {"pending", RMX_TEXT, AT(pending), NULL, 0, 0, "FILE",
     "mixtures that were chosen earlier and have no results yet; they are taken into account and "
     "not suggested again (default: mixtures.csv of the experiment)"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE", "CSV file to write; default: stdout"},
    {"more", RMX_INT, AT(more), "0", 0, 1e6, "M",
     "number of further runs for the estimate of what more runs would gain (0: as many as there "
     "are)"},
    {"no-curve", RMX_BOOL, AT(no_curve), "false", 0, 0, NULL,
     "skip this estimate, which takes a few seconds"},
    RMX_PROBLEM_OPTIONS(rmx_next_request),
};
#undef AT

#define AT(member) offsetof(rmx_score_request, member)
const rmx_option rmx_score_option_table[RMX_SCORE_OPTIONS] = {
    {"fit", RMX_TEXT, AT(fit), NULL, 0, 0, "DIR", "folder of the fit (default: fit)"},
    {"mixtures", RMX_TEXT, AT(mixtures), NULL, 0, 0, "FILE",
     "table of the mixtures: CSV, or another format named above"},
    {"metrics", RMX_TEXT, AT(metrics), NULL, 0, 0, "FILE",
     "table of the measured metrics of these mixtures"},
    {"budget", RMX_REAL, AT(budget), NULL, 1, 1e18, "TOKENS",
     "tokens of each of these runs, if the fit depends on epochs (exposure); default: as in the "
     "runs of the fit"},
    RMX_MIXTURE_COLUMNS_OPTION(rmx_score_request, tables),
    RMX_METRIC_COLUMNS_OPTION(rmx_score_request, tables),
    RMX_ID_OPTION(rmx_score_request, tables),
};
#undef AT

#define AT(member) offsetof(rmx_report_request, member)
const rmx_option rmx_report_option_table[RMX_REPORT_OPTIONS] = {
    {"fit", RMX_TEXT, AT(fit), NULL, 0, 0, "DIR",
     "folder of the fit to report (default: `fit` in the folder); with this option the optimum "
     "next to the fit is used, and no runs of an experiment"},
    {"optimum", RMX_TEXT, AT(optimum), NULL, 0, 0, "FILE",
     "optimum to report (default: optimum.yaml in the folder, or next to the fit)"},
    {"next", RMX_TEXT, AT(next), NULL, 0, 0, "FILE",
     "mixtures to train next, written by `regmix suggest --out FILE` (default: next.csv in the "
     "folder)"},
    {"budget", RMX_REAL, AT(budget), NULL, 1, 1e18, "TOKENS",
     "tokens of the real training run, for the table of tokens and epochs (default: large.tokens)"},
    {"tokens", RMX_TEXT, AT(tokens), NULL, 0, 0, "FILE",
     "number of available tokens of each domain, as YAML, JSON or CSV (default: as in the corpus)"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE",
     "write the page to this file (default: report.html in the folder)"},
};
#undef AT

#define AT(member) offsetof(rmx_export_job, member)
const rmx_option rmx_export_option_table[RMX_EXPORT_OPTIONS] = {
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
#undef AT
