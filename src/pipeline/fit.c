// SPDX-License-Identifier: Apache-2.0
// regmix fit: fits functions from mixture to metric and cross-validates them.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "import/formats.h"
#include "outdated.h"
#include "regress/directions.h"
#include "regress/fit.h"
#include "scored.h"
#include "steps.h"

// A fit and the files that it reads and writes.
struct job {
  const rmx_fit_request *request;
  char *mixtures, *metrics, *out;
  char *half;   // the half-way metrics of the experiment's own runs; NULL: tables of the user
  bool swarms;  // its own runs are of several swarms, all in evaluations.csv
};

// Below this rank correlation, half of the training ranks the mixtures differently from the full
// training.
static const double low_agreement = 0.9;

// The row of the run `name`; of a fit of several scales, where names are like 0001@300000, the
// longest of its rows. f->N: there is none.
static size_t row_of(const rmx_fit *f, const char *name) {
  const size_t n = strlen(name);
  size_t best = f->N;
  for (size_t i = 0; i < f->N; i++) {
    const char *id = f->run_ids[i];
    if (strncmp(id, name, n) != 0 || (id[n] && !(f->scales && id[n] == '@'))) continue;
    if (best == f->N || (f->scales && f->scales[i].tokens > f->scales[best].tokens)) best = i;
  }
  return best;
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
    for (size_t j = 0; j < half.N; j++) {
      const size_t i = row_of(f, half.ids[j]);
      const double at_half = half.x[j * half.D + column];
      if (i < f->N && isfinite(at_half) && isfinite(f->truth[i * f->M + m])) {
        a[n] = at_half;
        b[n++] = f->truth[i * f->M + m];
      }
    }
    double agreement = n > 2 ? rmx_spearman(a, b, n) : NAN;
    if (isfinite(agreement)) json_object_set_new(o, f->metrics[m], json_real(agreement));
  }
  free(a);
  rmx_table_release(&half);
  return o;
}

static void tell_agreement(rmx_pipeline *p, const json_t *agreement) {
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
    rmx_warn(&p->listener,
             "half-way losses rank the mixtures differently from the final losses for %zu metric%s "
             "(%s: Spearman %.2f): the proxies were trained on too few tokens; raise proxy.tokens "
             "(`regmix plan` prints what that costs)",
             low, rmx_s(low), worst, least);
}

// Adds a key to fit.json that only the experiment knows. Takes ownership of the value.
static rmx_status put_more(rmx_fit *f, const char *key, json_t *value, rmx_err *err) {
  if (!f->more) f->more = json_object();
  return json_object_set_new(f->more, key, value) == 0 ? RMX_OK
                                                       : rmx_fail_memory(err, 64, "fit.json");
}

// Epochs follow from a budget and the tokens of each domain, so a budget alone says nothing.
static rmx_status without_tokens(const rmx_experiment *e, const rmx_fit_request *r, rmx_err *err) {
  if (r->mixtures && strcmp(e->config.regress.regressor, "exposure") == 0)
    return rmx_fail(
        err, RMX_EUSAGE,
        "regressor \"exposure\" must know how many tokens there are of each domain, and "
        "how many the large run will see: give --tokens FILE and --budget TOKENS");
  if (!(r->budget > 0) && !(r->run_tokens > 0)) return RMX_OK;
  return rmx_fail(err, RMX_EUSAGE,
                  "--%s counts epochs, so it needs the tokens of each domain; give --tokens FILE",
                  r->budget > 0 ? "budget" : "run-tokens");
}

// The token counts, from --tokens or from the experiment's corpus; *known false: there are none.
// `names` and `counts` hold it. *tokenizer: hash of what made the corpus, or 0.
static rmx_status find_exposure(const rmx_experiment *e, const struct job *job, rmx_exposure *x,
                                bool *known, rmx_strings *names, double **counts,
                                uint64_t *tokenizer, rmx_err *err) {
  *known = false;
  *tokenizer = 0;
  *x = (rmx_exposure){.budget = job->request->budget, .run_tokens = job->request->run_tokens};
  if (job->request->tokens) {
    RMX_TRY(rmx_tokens_read(job->request->tokens, names, counts, err));
  } else if (job->half) {  // the experiment's own runs
    json_t *corpus, *domain;
    size_t k;
    rmx_status status = rmx__experiment_read(e, "corpus/corpus.json", &corpus, err);
    if (!corpus) return status == RMX_OK ? without_tokens(e, job->request, err) : status;
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
    if (!(x->run_tokens > 0) && !rmx__proxies_match(e))
      x->run_tokens = (double)e->config.proxy.tokens;
  }
  x->tokens = *counts;
  x->domains = (const char *const *)names->items;
  x->D = names->n;
  *known = names->n > 0;
  return *known ? RMX_OK : without_tokens(e, job->request, err);
}

// Diverged runs of the experiment have no metrics and are left out; in tables of the user --skip-
// missing must allow that.
static rmx_regress_options options_of(const rmx_experiment *e, const struct job *job) {
  rmx_regress_options o = e->config.regress;
  o.skip_missing |= job->request->skip_missing || job->half;
  o.normalize |= job->request->normalize;
  return o;
}

// Tables that a fit of several scales is used on are read in the same way.
static rmx_status remember_columns(rmx_fit *f, const rmx_table_form *tables, rmx_err *err) {
  const rmx_strings *from[] = {&tables->mixture_columns, &tables->metric_columns};
  rmx_strings *to[] = {&f->mixture_columns, &f->metric_columns};
  for (int k = 0; k < 2; k++)
    for (size_t i = 0; i < from[k]->n; i++)
      if (!rmx_strings_add(to[k], from[k]->items[i])) return rmx_fail_memory(err, 0, "a pattern");
  return RMX_OK;
}

static bool typed_regressor(const rmx_pipeline *p, const rmx_fit_request *r) {
  return r->regressor || rmx__was_set(p, "fit.regressor");
}

// The shares of the phases: as typed, else as the config has them if the columns are of phases.
static rmx_status phase_shares(rmx_pipeline *p, const struct job *job, const rmx_table *mixtures,
                               double **share, size_t *n, rmx_err *err) {
  const rmx_strings *typed = &job->request->phases;
  RMX_OWNED_BY(rmx_phase_columns_release) rmx_phase_columns c = {0};
  if (typed->n && rmx_phase_shares(typed, "--phases", share, n, err) != RMX_OK)
    return rmx_refused(true, err);
  if (rmx_phase_columns_find((const char *const *)mixtures->names, mixtures->D, &c, err) != RMX_OK)
    return mixtures->path ? rmx_fail_in(err, "%s", mixtures->path) : err->status;
  if (typed->n && c.n && c.n != *n)
    return rmx_fail(err, RMX_EUSAGE,
                    "--phases: the columns of %s are of %zu phases, but %zu shares "
                    "are given",
                    mixtures->path ? mixtures->path : "the table", c.n, *n);
  if (typed->n && c.n == 0)
    return rmx_fail(err, RMX_EUSAGE,
                    "--phases: the columns of %s are of one mixture; wanted columns such as "
                    "phase_0_%s and phase_1_%s",
                    mixtures->path ? mixtures->path : "the table", mixtures->names[0],
                    mixtures->names[0]);
  if (c.n && strcmp(p->experiment.config.regress.regressor, "exposure") == 0)
    return rmx_fail(
        err, typed_regressor(p, job->request) ? RMX_EUSAGE : RMX_EINPUT,
        "regressor \"exposure\" counts the epochs of a whole run, and these runs have %zu "
        "phases; choose another, such as --regressor auto",
        c.n);
  return c.n && !typed->n
             ? rmx_phase_shares(&p->experiment.config.sample.phases, "sample.phases", share, n, err)
             : RMX_OK;
}

// Adds a pattern that matches the name alone.
static bool add_exactly(rmx_strings *patterns, const char *name) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf b = {0};
  for (const char *c = name; *c; c++)
    rmx_buf_printf(&b, "%s%c", strchr("*?[\\", *c) ? "\\" : "", *c);
  return !b.failed && b.data && rmx_strings_add(patterns, b.data);
}

// The columns of evaluations.csv.
static rmx_status name_columns(const char *path, rmx_table_form *form, rmx_err *err) {
  static char size[] = "size", tokens[] = "tokens";
  RMX_OWNED_BY(rmx_cells_release) rmx_cells cells = {0};
  RMX_TRY(rmx_csv_cells(path, &cells, err));
  form->size_column = size;
  form->tokens_column = tokens;
  bool good = rmx_strings_add(&form->mixture_columns, "mixture.*");
  for (size_t j = 1; j < cells.C && good; j++)
    if (strcmp(cells.header[j], size) != 0 && strcmp(cells.header[j], tokens) != 0 &&
        strncmp(cells.header[j], "mixture.", 8) != 0)
      good = add_exactly(&form->metric_columns, cells.header[j]);
  return good ? RMX_OK : rmx_fail_memory(err, 0, "columns");
}

// The tables of the experiment's own swarms.
static rmx_status read_swarms(rmx_pipeline *p, const struct job *job, rmx_table *mixtures,
                              rmx_table *metrics, rmx_err *err) {
  const rmx_listener quiet = {0};
  rmx_table_form form = {0};
  rmx_status status = name_columns(job->metrics, &form, err);
  if (status == RMX_OK)
    status = rmx_tables_read(&quiet, job->mixtures, job->metrics, &form, mixtures, metrics, err);
  rmx_strings_release(&form.mixture_columns);
  rmx_strings_release(&form.metric_columns);
  return status == RMX_OK ? rmx__reported_directions(&p->experiment, metrics, err) : status;
}

// Whether the row is one of these runs: 0001, or 0001#2 where a name has several rows.
static bool is_row_of(const rmx_strings *runs, const char *id) {
  const char *number = strrchr(id, '#');
  RMX_OWNED char *name = number ? rmx_format("%.*s", (int)(number - id), id) : NULL;
  return rmx_strings_have(runs, id) || (name && rmx_strings_have(runs, name));
}

// Rows of metrics.csv that were measured with other mixtures than those of their names today say
// nothing about these.
static rmx_status leave_others_out(rmx_pipeline *p, rmx_table *metrics, rmx_err *err) {
  const rmx_experiment *e = &p->experiment;
  RMX_OWNED_BY(rmx_strings_release) rmx_strings others = {0};
  rmx_few left = {0};
  size_t n = 0;
  // a folder may be for reading alone
  if (rmx__scored_look(e, RMX__SCORED_NOTE, &others, err) != RMX_OK) {
    if (err->status == RMX_ENOMEM) return RMX_ENOMEM;
    RMX_TRY(rmx__scored_look(e, RMX__SCORED_LOOK, &others, err));
  }
  for (size_t i = 0; i < metrics->N; i++) {
    if (!is_row_of(&others, metrics->ids[i])) {
      rmx__table_move_row(metrics, i, n++);
    } else {
      rmx_few_add(&left, metrics->ids[i]);
      free(metrics->ids[i]);
    }
  }
  metrics->N = n;
  if (left.n == 0) return RMX_OK;
  if (n)
    rmx_warn(&p->listener,
             "metrics.csv: %zu row%s (%s) %s measured with another mixture than mixtures.csv has "
             "now under %s, and %s left out of the fit",
             left.n, rmx_s(left.n), left.text, left.n == 1 ? "was" : "were",
             left.n == 1 ? "its name" : "their names", rmx_is(left.n));
  return n ? RMX_OK
           : rmx_fail(err, RMX_EINPUT,
                      "metrics.csv: all %zu rows (%s) were measured with other mixtures than "
                      "mixtures.csv has now under their names; put the mixtures.csv back that "
                      "they belong to (regmix keeps those it replaces in " RMX_SET_ASIDE
                      "/), or write what the runs of today measure",
                      left.n, left.text);
}

// The tables that are fitted: those in memory, else those of the files, in `read`.
static rmx_status find_tables(rmx_pipeline *p, const struct job *job, const rmx_table_form *tables,
                              rmx_table read[2], const rmx_table *use[2], rmx_err *err) {
  use[0] = job->request->mixture_table;
  use[1] = job->request->metric_table;
  if (use[0]) return RMX_OK;
  use[0] = &read[0];
  use[1] = &read[1];
  if (job->swarms) return read_swarms(p, job, &read[0], &read[1], err);
  RMX_TRY(
      rmx_tables_read(&p->listener, job->mixtures, job->metrics, tables, &read[0], &read[1], err));
  if (!job->half) return RMX_OK;
  RMX_TRY(leave_others_out(p, &read[1], err));
  RMX_TRY(rmx__take_own_runs(p, &read[0], &read[1], err));
  return rmx__reported_directions(&p->experiment, &read[1], err);
}

static void release_tables(rmx_table (*read)[2]) {
  rmx_table_release(&(*read)[0]);
  rmx_table_release(&(*read)[1]);
}

static bool typed_directions(const rmx_pipeline *p, const rmx_fit_request *r) {
  return r->higher.n || r->lower.n || rmx__was_set(p, "fit.higher_is_better") ||
         rmx__was_set(p, "fit.lower_is_better");
}

// A regressor of runs of several sizes needs the columns that tell them.
static rmx_status check_scales(const rmx_pipeline *p, const rmx_fit_request *r,
                               const rmx_table *const use[2], rmx_err *err) {
  const char *name = p->experiment.config.regress.regressor;
  for (size_t k = 0; k < 2; k++)
    if (use[k]->sizes || use[k]->tokens) return RMX_OK;
  if (!rmx_regressor_needs_scales(name)) return RMX_OK;
  return rmx_fail(err, typed_regressor(p, r) ? RMX_EUSAGE : RMX_EINPUT,
                  "regressor \"%s\" needs the size or the tokens of each run: name their columns "
                  "with --size-column and --tokens-column",
                  name);
}

static rmx_status fit_files(rmx_pipeline *p, const struct job *job, json_t *by, rmx_fit **out,
                            rmx_err *err) {
  const rmx_regress_options regress = options_of(&p->experiment, job);
  RMX_TRY(rmx_fit_may_write(job->out, err));
  rmx_table_form tables = job->request->tables;
  tables.any_sum = regress.normalize;
  RMX_OWNED_BY(release_tables) rmx_table read[2] = {{0}};
  const rmx_table *use[2];
  RMX_OWNED_BY(rmx_fit_free_at) rmx_fit *fit = NULL;
  RMX_TRY(find_tables(p, job, &tables, read, use, err));
  if (typed_directions(p, job->request) && rmx__check_directions(&regress, use[1], err) != RMX_OK)
    return rmx_refused(true, err);
  RMX_TRY(check_scales(p, job->request, use, err));
  if (job->swarms) tables.size_column = "size", tables.tokens_column = "tokens";
  const double began = rmx_now();
  RMX_OWNED double *counts = NULL;
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  rmx_exposure exposure;
  bool known = false;
  uint64_t tokenizer = 0;
  char time[32];
  RMX_OWNED double *share = NULL;
  size_t n_phases = 0;
  RMX_TRY(phase_shares(p, job, use[0], &share, &n_phases, err));
  RMX_TRY(find_exposure(&p->experiment, job, &exposure, &known, &names, &counts, &tokenizer, err));
  RMX_TRY(rmx_fit_tables(
      &(rmx_fit_tables_request){.options = &regress,
                                .mixtures = use[0],
                                .metrics = use[1],
                                .only = (const char *const *)job->request->only.items,
                                .n_only = job->request->only.n,
                                .phase_share = share,
                                .n_phases = n_phases,
                                .raw = job->request->raw,
                                .exposure = known ? &exposure : NULL,
                                .size_column = tables.size_column,
                                .tokens_column = tables.tokens_column,
                                .seed = (uint64_t)p->experiment.config.general.seed,
                                .threads = rmx_worker_jobs(&p->experiment),
                                .listener = &p->listener},
      &fit, err));
  fit->tokenizer = tokenizer;
  RMX_TRY(remember_columns(fit, &tables, err));
  if (job->half && rmx_exists(job->half)) {
    json_t *agreement = half_agreement(fit, job->half, err);
    if (!agreement) return err->status;
    tell_agreement(p, agreement);
    RMX_TRY(put_more(fit, "half_agreement", agreement, err));
  }
  RMX_TRY(rmx__fit_write(fit, job->out, by, err));
  rmx_note(&p->listener, "fit: %zu metric%s on %zu run%s in %s, in %s", fit->M, rmx_s(fit->M),
           fit->N, rmx_s(fit->N), rmx_duration(rmx_now() - began, time), job->out);
  *out = fit;
  fit = NULL;
  return RMX_OK;
}

// What the fit of an experiment is made from. Release it.
static struct rmx__stamp stamp_of(const rmx_experiment *e, const struct job *job) {
  struct rmx__stamp s = {.fingerprint = (uint64_t)e->config.general.seed};
  rmx__stamp_note(&s, "seed", (uint64_t)e->config.general.seed);
  for (size_t i = 0; i < rmx_regress_option_table_n; i++) {
    json_auto_t *value = rmx__option_json(&rmx_regress_option_table[i], &e->config.regress);
    rmx__stamp_add_json(&s, "settings", value, JSON_ENCODE_ANY);
  }
  // The tokens of the large run matter to this kind alone.
  if (strcmp(e->config.regress.regressor, "exposure") == 0) {
    char tokens[64];
    snprintf(tokens, sizeof tokens, "%lld %lld", (long long)e->config.proxy.tokens,
             (long long)e->config.large.tokens);
    rmx__stamp_add_text(&s, "tokens", tokens);
    if (rmx__proxies_match(e)) rmx__stamp_add_text(&s, "proxy.repeat", "match");
  }
  RMX_OWNED char *directions = rmx_experiment_path(e, "metrics.json");
  if (!job->swarms) rmx__stamp_add_file(&s, "mixtures.csv", job->mixtures);
  rmx__stamp_add_file(&s, job->swarms ? "evaluations.csv" : "metrics.csv", job->metrics);
  rmx__stamp_add_file(&s, "metrics.json", directions);
  return s;
}

// Whether there is a whole fit with this stamp. If not, a note says why it is made again.
static bool is_current(rmx_pipeline *p, const char *out, const struct rmx__stamp *stamp) {
  rmx_err why;
  json_auto_t *tree = NULL;
  RMX_OWNED_BY(rmx_fit_free_at) rmx_fit *whole = NULL;
  RMX_OWNED_BY(rmx_buf_release) rmx_buf changed = {0};
  RMX_OWNED char *path = rmx_path_in(out, "fit.json");
  const bool there = path && rmx_exists(path) && rmx__json_read(path, &tree, &why) == RMX_OK;
  bool same =
      there && rmx__stamp_same(stamp, json_object_get(tree, "made_by"), "question", &changed);
  if (changed.size) rmx_note(&p->listener, "fit: made again, since %s changed", changed.data);
  if (same && rmx_fit_read(out, &whole, &why) != RMX_OK) {
    rmx_note(&p->listener, "fit: made again, since %s", why.message);
    same = false;
  }
  return same;
}

static bool is_of_experiment(const rmx_fit_request *r) {
  return !r->mixtures && !r->mixture_table;
}

// Runs of the experiment may have diverged and lack metrics; in tables of the user --skip-missing
// must allow that.
static rmx_status fill_job(const rmx_experiment *e, const rmx_fit_request *request, struct job *job,
                           rmx_err *err) {
  const bool own = is_of_experiment(request), memory = request->mixture_table,
             swarms = own && e->config.n_swarms > 0;
  const char *mixtures = swarms ? "evaluations.csv" : "mixtures.csv",
             *metrics = swarms ? "evaluations.csv" : "metrics.csv";
  *job =
      (struct job){.request = request,
                   .swarms = swarms,
                   .mixtures = own      ? rmx_experiment_path(e, mixtures)
                               : memory ? rmx_strdup("")
                                        : rmx_strdup(request->mixtures),
                   .metrics = own      ? rmx_experiment_path(e, metrics)
                              : memory ? rmx_strdup("")
                                       : rmx_strdup(request->metrics),
                   .out = request->out ? rmx_strdup(request->out) : rmx_experiment_path(e, "fit"),
                   .half = own ? rmx_experiment_path(e, "metrics-half.csv") : NULL};
  const bool good = job->mixtures && job->metrics && job->out && (job->half || !own);
  return good ? RMX_OK : rmx_fail_memory(err, 0, "a path");
}

static void release_job(struct job *job) {
  free(job->mixtures), free(job->metrics), free(job->half), free(job->out);
}

// Of an experiment: which step makes the table that is not there.
static rmx_status have_tables(const rmx_pipeline *p, const struct job *job, rmx_err *err) {
  const bool mixtures = job->swarms || rmx_exists(job->mixtures);
  if (mixtures && rmx_exists(job->metrics)) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT, "no %s yet; `regmix %s` makes it%s",
                  mixtures ? job->metrics : job->mixtures, mixtures ? "train" : "sample",
                  p->experiment.config_path
                      ? ""
                      : ". For tables of your own give --mixtures FILE and --metrics FILE");
}

// The request for the fit that rmx__step_fit makes.
static bool is_the_step(const rmx_experiment *e, const rmx_fit_request *r) {
  return e->config_path && is_of_experiment(r) && !r->metrics && !r->out && !r->tokens &&
         !r->only.n && !r->phases.n && !r->raw && !r->normalize && !(r->budget > 0) &&
         !(r->run_tokens > 0) && !r->tables.id && !r->tables.mixture_columns.n &&
         !r->tables.metric_columns.n && !r->tables.size_column && !r->tables.tokens_column;
}

static rmx_status check_request(const rmx_fit_request *r, rmx_err *err) {
  if (!r->mixtures != !r->metrics)
    return rmx_fail(err, RMX_EUSAGE,
                    "--mixtures and --metrics need each other: give both, or neither to use the "
                    "tables of the experiment");
  if (r->tokens && !(r->budget > 0))
    return rmx_fail(err, RMX_EUSAGE, "--tokens needs --budget TOKENS, the tokens of the large run");
  if (r->raw && r->normalize)
    return rmx_fail(err, RMX_EUSAGE,
                    "--normalize divides mixtures by their sum, and --raw keeps them as they are; "
                    "give only one of them");
  return RMX_OK;
}

// The regressor and the directions of the request replace those of the config.
static rmx_status take_options(const rmx_fit_request *r, rmx_config *config, rmx_err *err) {
  if (r->regressor) {
    RMX_OWNED char *setting = rmx_format("fit.regressor=%s", r->regressor);
    RMX_TRY(setting ? rmx_config_set(config, setting, err) : rmx_fail_memory(err, 0, "a setting"));
  }
  bool good = true;
  for (size_t i = 0; i < r->higher.n && good; i++)
    good = rmx_strings_add(&config->regress.higher_is_better, r->higher.items[i]);
  for (size_t i = 0; i < r->lower.n && good; i++)
    good = rmx_strings_add(&config->regress.lower_is_better, r->lower.items[i]);
  return good ? RMX_OK : rmx_fail_memory(err, 0, "a pattern");
}

rmx_status rmx_pipeline_fit(rmx_pipeline *p, const rmx_fit_request *request, rmx_fit **fit,
                            rmx_err *err) {
  RMX_TRY(check_request(request, err));
  RMX_TRY(take_options(request, &p->experiment.config, err));
  RMX_OWNED_BY(release_job) struct job job = {0};
  json_auto_t *by = rmx__made_by(&p->experiment, NULL);
  RMX_TRY(fill_job(&p->experiment, request, &job, err));
  if (job.half) RMX_TRY(have_tables(p, &job, err));
  if (job.half) rmx__warn_of_unused_runs(p, job.metrics);
  if (is_the_step(&p->experiment, request)) {
    RMX_OWNED_BY(rmx__stamp_release) struct rmx__stamp stamp = stamp_of(&p->experiment, &job);
    rmx__stamp_put(&stamp, by);
  }
  return fit_files(p, &job, by, fit, err);
}

rmx_status rmx__step_fit(rmx_pipeline *p, rmx_err *err) {
  const rmx_fit_request request = {0};
  RMX_OWNED_BY(release_job) struct job job = {0};
  RMX_OWNED_BY(rmx_fit_free_at) rmx_fit *fit = NULL;
  RMX_TRY(fill_job(&p->experiment, &request, &job, err));
  RMX_TRY(have_tables(p, &job, err));
  RMX_OWNED_BY(rmx__stamp_release) struct rmx__stamp stamp = stamp_of(&p->experiment, &job);
  if (is_current(p, job.out, &stamp)) {
    rmx__would(p, "fit", false, "up to date");
  } else if (!rmx__would(p, "fit", true, "would fit the metrics")) {
    json_auto_t *by = rmx__made_by(&p->experiment, NULL);
    rmx__stamp_put(&stamp, by);
    RMX_TRY(fit_files(p, &job, by, &fit, err));
  }
  return RMX_OK;
}

void rmx__fit_outdated(const rmx_experiment *e, rmx_buf *why) {
  const rmx_fit_request request = {0};
  RMX_OWNED_BY(release_job) struct job job = {0};
  json_auto_t *tree = NULL;
  rmx_err ignored;
  if (fill_job(e, &request, &job, &ignored) != RMX_OK ||
      rmx__experiment_read(e, "fit/fit.json", &tree, &ignored) != RMX_OK)
    return;
  RMX_OWNED_BY(rmx__stamp_release) struct rmx__stamp stamp = stamp_of(e, &job);
  // a fit of options that no config has keeps no fingerprint
  rmx__stamp_tell(&stamp, json_object_get(tree, "made_by"), "question", why);
}

json_t *rmx_fit_json(const rmx_fit *f, const char *out) {
  rmx_err ignored;
  json_t *root = json_object(), *metrics = json_object();
  for (size_t m = 0; m < rmx_fit_n_metrics(f); m++) {
    rmx_diagnostics errors;
    bool known = rmx_fit_diagnose(f, m, &errors, &ignored) == RMX_OK;
    json_t *one = rmx_scores_json(rmx_fit_cv(f, m), known ? &errors : NULL);
    json_object_set_new(one, "higher_is_better", json_boolean(rmx_fit_higher_is_better(f, m)));
    json_object_set_new(one, "kind", json_string(rmx_metric_kind_text(rmx_fit_kind(f, m))));
    json_object_set_new(one, "direction_from",
                        json_string(rmx_direction_from_text(rmx_fit_direction_from(f, m))));
    json_object_set_new(one, "regressor", json_string(rmx_regressor_name(rmx_fit_regressor(f, m))));
    json_object_set_new(metrics, rmx_fit_metrics(f)[m], one);
  }
  json_object_set_new(root, "fit", json_string(out));
  json_object_set_new(root, "runs", json_integer((json_int_t)rmx_fit_n_runs(f)));
  json_object_set_new(root, "cross_validation", metrics);
  return root;
}
