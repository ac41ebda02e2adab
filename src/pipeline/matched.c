// SPDX-License-Identifier: Apache-2.0
// The corpus of the proxies. A large run of L tokens reads a domain of n tokens w L / n times; a
// proxy of p tokens reads it w p / n times, which is far less. So what repetition costs would not
// be in the proxies' losses. With proxy.repeat: match, the proxies read only p / L of the documents
// of each domain, and so repeat it as often as the large run will (Zhou et al. 2026). That part of
// the corpus is a corpus of its own, in matched/KEY of the experiment, where KEY is of what it is.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/stamp.h"
#include "steps.h"

// Of each domain's tokens, those that the proxies read if they match the large run.
static double share_of(const rmx_config *c) {
  return (double)c->proxy.tokens / (double)c->large.tokens;
}

// Whether a mixture within the caps repeats a domain in the large run.
static bool may_repeat(const rmx_experiment *e, const rmx_corpus *corpus) {
  RMX_OWNED double *cap = rmx_calloc(corpus->D_train, sizeof *cap);
  rmx_err ignored;
  bool found = false;
  if (!cap || rmx_weight_caps(e, corpus, cap, &ignored) != RMX_OK) return false;
  for (size_t d = 0; d < corpus->D_train; d++)
    found = found || cap[d] * (double)e->config.large.tokens >
                         (double)corpus->domains[d].train_tokens * (1 + 1e-9);
  return found;
}

// Whether a finished proxy was trained on the whole corpus. `auto` keeps such runs. One of another
// swarm that has as many tokens as the large run has no other corpus.
static bool has_unmatched_runs(const rmx_experiment *e, const rmx_corpus *corpus) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  RMX_OWNED char *runs = rmx_experiment_path(e, "runs");
  rmx_err ignored;
  bool found = false;
  if (!runs || rmx_list(runs, &names, &ignored) != RMX_OK) return false;
  for (size_t i = 0; i < names.n && !found; i++) {
    RMX_OWNED_BY(rmx_run_release) rmx_run was = {0};
    RMX_OWNED char *folder = rmx_path_in(runs, names.items[i]),
                   *result = folder ? rmx_path_in(folder, "result.json") : NULL;
    found = result && rmx_exists(result) && rmx_run_read(folder, &was, &ignored) == RMX_OK &&
            was.corpus_hash == corpus->hash && was.training.tokens < e->config.large.tokens;
  }
  return found;
}

rmx__repeat rmx__repeat_of(const rmx_experiment *e, const rmx_corpus *corpus) {
  const rmx_config *c = &e->config;
  if (strcmp(c->proxies.repeat, "none") == 0) return RMX__REPEAT_NONE;
  if (share_of(c) >= 1) return RMX__REPEAT_SAME;
  if (strcmp(c->proxies.repeat, "match") == 0) return RMX__REPEAT_MATCH;
  if (!c->large_tokens_given || !may_repeat(e, corpus)) return RMX__REPEAT_NONE;
  return has_unmatched_runs(e, corpus) ? RMX__REPEAT_KEEP : RMX__REPEAT_MATCH;
}

// ---- the part of the corpus

// Its folder, for a corpus with this hash.
static char *folder_of(const rmx_experiment *e, uint64_t source) {
  const struct {
    uint64_t source;
    int64_t tokens, large_tokens, context;
  } key = {source, e->config.proxy.tokens, e->config.large.tokens, e->config.proxy.context};
  char hex[17];
  rmx__hex(rmx_hash(&key, sizeof key, 0), hex);
  RMX_OWNED char *name = rmx_format("matched/%s", hex);
  return name ? rmx_experiment_path(e, name) : NULL;
}

// Whether it is there: its record is written last.
static bool is_there(const char *folder) {
  RMX_OWNED char *path = rmx_path_in(folder, "matched.json");
  return path && rmx_exists(path);
}

// *whole: it is there and can be used. One that cannot be read now is an error, since it may be.
static rmx_status look_at(const rmx_pipeline *p, const char *folder, bool *whole, rmx_err *err) {
  rmx_corpus *corpus = NULL;
  *whole = false;
  if (!is_there(folder)) return RMX_OK;
  const rmx_status status = rmx_corpus_open(folder, &corpus, err);
  rmx_corpus_free(corpus);
  *whole = status == RMX_OK;
  if (status != RMX_EINPUT) return status;
  rmx_warn(&p->listener, "the corpus of the proxies is damaged and is made again: %s",
           err->message);
  return RMX_OK;
}

// Choices of whole documents may miss the tokens that are wanted.
static void tell_differences(const rmx_pipeline *p, const rmx_corpus *corpus,
                             const size_t *tokens) {
  rmx_few names = {0};
  for (size_t d = 0; d < corpus->D_train; d++) {
    const double wanted = share_of(&p->experiment.config) * (double)corpus->domains[d].train_tokens,
                 ratio = wanted > 0 ? (double)tokens[d] / wanted : 1;
    char text[128];
    if (ratio < 1.25 && ratio > 0.8) continue;
    snprintf(text, sizeof text, "%.60s (%zu tokens instead of %.0f)", corpus->names[d], tokens[d],
             wanted);
    rmx_few_add(&names, text);
  }
  if (names.n)
    rmx_warn(&p->listener,
             "train: the documents of %zu domain%s are too long, or too few, to be cut to the "
             "share that the proxies need, so the proxies do not repeat %s as often as the large "
             "run will: %s",
             names.n, rmx_s(names.n), names.n == 1 ? "it" : "them", names.text);
}

static rmx_status choose(const rmx_pipeline *p, const rmx_corpus *corpus, bool **keep,
                         size_t *tokens, rmx_err *err) {
  const rmx_config *c = &p->experiment.config;
  for (size_t d = 0; d < corpus->D_train; d++)
    RMX_TRY(rmx_corpus_choose(corpus, d, share_of(c) * (double)corpus->domains[d].train_tokens,
                              (size_t)c->proxy.context + 1, &keep[d], &tokens[d], err));
  return RMX_OK;
}

static rmx_status write_record(const rmx_experiment *e, const rmx_corpus *corpus,
                               const size_t *tokens, const char *folder, rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(folder, "matched.json");
  json_t *o = json_object(), *by_domain = json_object();
  json_object_set_new(o, "source", rmx__hex_json(corpus->hash));
  json_object_set_new(o, "share", json_real(share_of(&e->config)));
  for (size_t d = 0; d < corpus->D_train; d++)
    json_object_set_new(by_domain, corpus->names[d], json_integer((json_int_t)tokens[d]));
  json_object_set_new(o, "tokens", by_domain);
  rmx_status status = path ? rmx__json_write(path, o, err) : rmx_fail_memory(err, 0, "a path");
  json_decref(o);
  return status;
}

static rmx_status make(const rmx_pipeline *p, const rmx_corpus *corpus, const char *folder,
                       rmx_err *err) {
  const size_t D = corpus->D_train;
  RMX_OWNED bool **keep = rmx_calloc(D, sizeof *keep);
  RMX_OWNED size_t *tokens = rmx_calloc(D, sizeof *tokens);
  if (!keep || !tokens) return rmx_fail_memory(err, 0, "a part of the corpus");
  rmx_status status = choose(p, corpus, keep, tokens, err);
  if (status == RMX_OK)
    status =
        rmx_corpus_subset(corpus, p->experiment.folder, (const bool *const *)keep, folder, err);
  for (size_t d = 0; d < D; d++) free(keep[d]);
  RMX_TRY(status);
  tell_differences(p, corpus, tokens);
  return write_record(&p->experiment, corpus, tokens, folder, err);
}

rmx_status rmx__match_corpus(rmx_pipeline *p, const rmx_corpus *corpus, rmx_err *err) {
  if (rmx__repeat_of(&p->experiment, corpus) != RMX__REPEAT_MATCH) return RMX_OK;
  RMX_OWNED char *folder = folder_of(&p->experiment, corpus->hash);
  RMX_TRY(folder ? rmx_mkdirs(folder, err) : rmx_fail_memory(err, 0, "a path"));
  rmx_lock lock;
  RMX_TRY(rmx_folder_lock(folder, "another process is writing the corpus of the proxies",
                          &p->listener, &lock, err));
  bool whole;
  rmx_status status = look_at(p, folder, &whole, err);
  if (status == RMX_OK && !whole) {
    rmx_note(&p->listener,
             "train: the proxies read %.3g of each domain, so they repeat it as often as the large "
             "run will (proxy.repeat: match)",
             share_of(&p->experiment.config));
    status = make(p, corpus, folder, err);
  }
  rmx_folder_unlock(&lock);
  return status;
}

void rmx__warn_of_repetition(rmx_pipeline *p, const rmx_corpus *corpus) {
  if (rmx__repeat_of(&p->experiment, corpus) == RMX__REPEAT_KEEP)
    rmx_warn(&p->listener,
             "the finished proxies do not repeat text as the large run will. They are kept. "
             "proxy.repeat: match trains proxies that do; proxy.repeat: none keeps these without "
             "this warning");
}

rmx_status rmx__proxy_corpus_open(const rmx_experiment *e, const rmx_corpus *corpus,
                                  rmx__proxy_corpus *out, rmx_err *err) {
  *out = (rmx__proxy_corpus){.corpus = corpus, .folder = e->folder};
  if (rmx__repeat_of(e, corpus) != RMX__REPEAT_MATCH) return RMX_OK;
  if (!(out->path = folder_of(e, corpus->hash))) return rmx_fail_memory(err, 0, "a path");
  out->folder = out->path;
  rmx_err ignored;
  if (is_there(out->path) && rmx_corpus_open(out->path, &out->opened, &ignored) == RMX_OK) {
    out->corpus = out->opened;
  } else {  // it is not there yet, so no run can have been trained on it
    out->missing = *corpus;
    out->missing.hash = 0;
    out->corpus = &out->missing;
  }
  return RMX_OK;
}

void rmx__proxy_corpus_release(rmx__proxy_corpus *c) {
  rmx_corpus_free(c->opened);
  free(c->path);
  *c = (rmx__proxy_corpus){0};
}

bool rmx__proxies_match(const rmx_experiment *e) {
  json_auto_t *corpus = NULL;
  rmx_err ignored;
  if (strcmp(e->config.proxies.repeat, "none") == 0 ||
      rmx__experiment_read(e, "corpus/corpus.json", &corpus, &ignored) != RMX_OK)
    return false;
  const char *hash = json_string_value(json_object_get(corpus, "hash"));
  RMX_OWNED char *folder = hash ? folder_of(e, strtoull(hash, NULL, 16)) : NULL;
  return folder && is_there(folder);
}

// ---- for a plan

json_t *rmx__epochs_json(const rmx_experiment *e, const rmx_corpus *corpus) {
  static const char *const names[] = {"none", "same", "match", "kept as it was"};
  const rmx__repeat repeat = rmx__repeat_of(e, corpus);
  const double share = repeat == RMX__REPEAT_MATCH ? share_of(&e->config) : 1;
  RMX_OWNED double *cap = rmx_calloc(corpus->D_train, sizeof *cap);
  json_t *root = json_object(), *domains = json_object();
  rmx_err ignored;
  if (cap && rmx_weight_caps(e, corpus, cap, &ignored) != RMX_OK) cap[0] = NAN;
  for (size_t d = 0; cap && isfinite(cap[0]) && d < corpus->D_train; d++) {
    const double tokens = (double)corpus->domains[d].train_tokens, read = tokens * share;
    json_object_set_new(
        domains, corpus->names[d],
        json_pack("{s:f, s:f, s:f, s:f, s:f}", "tokens", tokens, "proxy_tokens", read,
                  "largest_weight", cap[d], "proxies",
                  read > 0 ? cap[d] * (double)e->config.proxy.tokens / read : 0, "large",
                  tokens > 0 ? cap[d] * (double)e->config.large.tokens / tokens : 0));
  }
  json_object_set_new(root, "repeat", json_string(names[repeat]));
  json_object_set_new(root, "share", json_real(share));
  json_object_set_new(root, "domains", domains);
  return root;
}
