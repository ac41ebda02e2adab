// SPDX-License-Identifier: Apache-2.0
// Exports a mixture as the config of a trainer. This file finds the mixture, its names, the paths
// of the data and the document lengths of the corpus.
#include <regmix/export.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "corpus/tokenizer/of_corpus.h"
#include "steps.h"

// --data DOMAIN=PATH into paths (D), which point into the arguments. A name may contain "=": the
// longest known name wins; otherwise the part before the first "=" is looked up, tolerantly.
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

// Mean tokens per document (D) from corpus.json; *known is set only if every domain with a weight
// has one.
static rmx_status mean_lengths(const rmx_experiment *e, const rmx_strings *names, const double *w,
                               double *lengths, bool *known, rmx_err *err) {
  json_auto_t *corpus = NULL;
  RMX_TRY(rmx__experiment_read(e, "corpus/corpus.json", &corpus, err));
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
  return RMX_OK;
}

// The available tokens of each domain (D) from --tokens; NULL if it was not given.
static rmx_status tokens_there(const rmx_listener *to, const rmx_export_job *job,
                               const rmx_strings *names, double **tokens, rmx_err *err) {
  *tokens = NULL;
  if (!job->tokens) return RMX_OK;
  if ((*tokens = rmx_calloc(names->n, sizeof **tokens)) == NULL)
    return rmx_fail_memory(err, names->n, "token counts");
  return rmx_tokens_by_domain(to, job->tokens, (const char *const *)names->items, names->n, *tokens,
                              err);
}

// Nodes instead of domains, in place.
static rmx_status fold(const rmx_listener *to, int64_t levels, rmx_strings *names, double *w,
                       rmx_err *err) {
  const size_t D = names->n;
  rmx_strings folded = {0};
  RMX_OWNED size_t *into = rmx_calloc(D, sizeof *into);
  RMX_OWNED double *sum = rmx_calloc(D, sizeof *sum);
  if (!into || !sum) return rmx_fail_memory(err, D * sizeof *sum, "a mixture");
  rmx_status status =
      rmx_fold((const char *const *)names->items, D, (size_t)levels, &folded, into, err);
  if (status != RMX_OK) {
    rmx_strings_release(&folded);
    return status;
  }
  rmx_fold_sum(into, D, folded.n, w, sum);
  if (folded.n < D)
    rmx_warn(to,
             "the weights inside the nodes are not exported, so the trainer draws the domains of a "
             "node as they lie in its data");
  rmx_strings_release(names);
  *names = folded;
  memcpy(w, sum, folded.n * sizeof *w);
  return RMX_OK;
}

// The weights of the mixture, or of the phase that is wanted; else the phases and their mean.
static rmx_status read_weights(const rmx_export_job *job, const char *from,
                               const char *const *names, size_t D, double *w, rmx_phases *phases,
                               rmx_err *err) {
  RMX_TRY(rmx__phases_read(from, names, D, phases, err));
  if (job->phase >= 0 && (size_t)job->phase >= phases->n)
    return rmx_fail(err, RMX_EUSAGE, "--phase %lld: %s has %zu phase%s", (long long)job->phase,
                    from, phases->n, rmx_s(phases->n));
  if (phases->n == 0) return rmx_mixture_read(from, names, D, w, err);
  if (job->phase >= 0)
    memcpy(w, phases->mixture + (size_t)job->phase * D, D * sizeof *w);
  else
    rmx_phases_mean(phases, w);
  return RMX_OK;
}

static rmx_status fill(const rmx_pipeline *p, const rmx_export_job *job, rmx_exported *x,
                       rmx_strings *names, double *w, double *lengths, const char **paths,
                       rmx_err *err) {
  bool known = false;
  RMX_OWNED_BY(rmx_phases_release) rmx_phases phases = {0};
  RMX_OWNED double *tokens = NULL;
  RMX_TRY(read_weights(job, x->from, (const char *const *)names->items, names->n, w, &phases, err));
  if (job->fold && phases.n && job->phase < 0)
    return rmx_fail(err, RMX_EUSAGE, "--fold takes one phase of a mixture; give --phase N");
  if (job->fold) RMX_TRY(fold(&p->listener, job->fold, names, w, err));
  const char *const *domains = (const char *const *)names->items;
  if (data_paths(&job->data, names, paths, err) != RMX_OK) return rmx_refused(true, err);
  RMX_TRY(mean_lengths(&p->experiment, names, w, lengths, &known, err));
  RMX_TRY(tokens_there(&p->listener, job, names, &tokens, err));
  const rmx_export_request request = {.names = domains,
                                      .weights = w,
                                      .phases = job->phase < 0 ? &phases : NULL,
                                      .steps = (double)job->steps,
                                      .D = names->n,
                                      .paths = paths,
                                      .prefix = job->prefix,
                                      .suffix = job->suffix,
                                      .valid_prefix = job->valid_prefix,
                                      .tokens_per_document = known ? lengths : NULL,
                                      .tokens = tokens,
                                      .budget = job->budget,
                                      .sequence_length = (double)job->sequence_length,
                                      .listener = &p->listener};
  RMX_TRY(rmx_export(job->to, &request, &x->text, err));
  x->mixture = rmx_mixture_json(w, domains, names->n);
  return RMX_OK;
}

static rmx_status export_tokens(const rmx_pipeline *p, const rmx_export_job *job, rmx_exported *x,
                                rmx_err *err) {
  const rmx_experiment *e = &p->experiment;
  RMX_OWNED char *tokenizer = NULL;
  rmx_corpus *corpus;
  int width = 0;
  if (job->to)
    return rmx_fail(err, RMX_EUSAGE,
                    "give --to or --token-files, and run the other one afterwards");
  if (!job->out)
    return rmx_fail(err, RMX_EUSAGE, "--token-files writes into a folder; name it with --out DIR");
  *x = (rmx_exported){.from = rmx_experiment_path(e, "corpus/corpus.json")};
  if (!x->from) return rmx_fail_memory(err, 0, "a path");
  RMX_TRY(rmx__corpus_tokenizer(e->folder, &tokenizer, err));
  RMX_TRY(rmx_experiment_corpus(e, &corpus, err));
  const rmx_token_export how = {.format = job->token_files,
                                .folder = job->out,
                                .tokenizer = tokenizer,
                                .listener = &p->listener};
  const rmx_status status = rmx_corpus_export(corpus, &how, &width, err);
  if (status == RMX_OK)
    rmx_note(&p->listener, "%zu domains in %s/train and %s/valid, %d bytes for an id", corpus->D,
             job->out, job->out, width);
  if (status == RMX_OK && width == 4 && strcmp(job->token_files, "nanogpt") == 0)
    rmx_warn(&p->listener,
             "the vocabulary has %d tokens, so an id has 4 bytes: nanoGPT's train.py reads 2, "
             "change its np.uint16 to np.uint32",
             corpus->vocab);
  rmx_corpus_free(corpus);
  return status;
}

static rmx_status export_mixture(const rmx_pipeline *p, const rmx_export_job *job, rmx_exported *x,
                                 rmx_err *err) {
  const rmx_experiment *e = &p->experiment;
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  *x = (rmx_exported){.from = job->mixture ? rmx_strdup(job->mixture)
                                           : rmx_experiment_path(e, "optimum.yaml")};
  if (!x->from) return rmx_fail_memory(err, 0, "a path");
  if (!job->mixture && !rmx_exists(x->from))
    return rmx_fail(err, RMX_EINPUT,
                    "no optimum.yaml in %s; `regmix optimize` writes one, or give --mixture FILE",
                    e->folder);
  RMX_TRY(rmx__phase_names(x->from, &names, err));
  if (names.n == 0) RMX_TRY(rmx_mixture_names(x->from, &names, err));
  rmx__optimum_warn(x->from, &p->listener);
  RMX_OWNED double *w = rmx_calloc(names.n, sizeof *w),
                   *lengths = rmx_calloc(names.n, sizeof *lengths);
  RMX_OWNED const char **paths = rmx_calloc(names.n, sizeof *paths);
  return w && lengths && paths ? fill(p, job, x, &names, w, lengths, paths, err)
                               : rmx_fail_memory(err, names.n * sizeof *w, "a mixture");
}

rmx_status rmx_pipeline_export(const rmx_pipeline *p, const rmx_export_job *job, rmx_exported *x,
                               rmx_err *err) {
  if (job->token_files) return export_tokens(p, job, x, err);
  RMX_TRY(export_mixture(p, job, x, err));
  return job->out ? rmx_write_file(job->out, x->text.data, x->text.size, err) : RMX_OK;
}

void rmx_exported_release(rmx_exported *x) {
  free(x->from);
  json_decref(x->mixture);
  rmx_buf_release(&x->text);
}
