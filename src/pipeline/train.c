// SPDX-License-Identifier: Apache-2.0
// regmix train: trains one proxy per mixture in worker processes, then writes metrics.csv.
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <unistd.h>

#include "base/json.h"
#include "corpus/tokenizer/of_corpus.h"
#include "scored.h"
#include "steps.h"
#include "swarm/locks.h"
#include "swarm/look.h"

json_t *rmx_run_states_json(const rmx_run *runs, size_t n) {
  size_t count[RMX_RUN_STATES] = {0};
  json_t *o = json_object();
  for (size_t i = 0; i < n; i++) count[rmx_run_look(&runs[i], NULL)]++;
  json_object_set_new(o, "runs", json_integer((json_int_t)n));
  for (size_t s = 0; s < RMX_RUN_STATES; s++)
    if (count[s])
      json_object_set_new(o, rmx_run_state_names[s], json_integer((json_int_t)count[s]));
  return o;
}

// A domain that can't fill one sequence would fail every run that draws from it, so it is reported
// once, before any run.
static rmx_status check_lengths(const rmx_corpus *corpus, const rmx_run *runs, size_t n,
                                const char *what, rmx_err *err) {
  for (size_t i = 0; i < n; i++) {
    for (size_t d = 0; d < runs[i].D; d++)
      if (runs[i].mixture[d] > 0 &&
          (int64_t)corpus->domains[d].train_tokens <= runs[i].training.context)
        return rmx_fail(
            err, RMX_EINPUT,
            "%s: domain \"%s\" has %zu training tokens, fewer than one sequence of %lld tokens and "
            "the next token; give it more text, leave it out, or lower the context",
            what, corpus->names[d], corpus->domains[d].train_tokens,
            (long long)runs[i].training.context);
  }
  return RMX_OK;
}

// Models to be kept get a copy of their corpus' tokenizer, which must be that of its ids.
static rmx_status check_tokenizers(const rmx_run *runs, size_t n, rmx_err *err) {
  const char *checked = "";
  for (size_t i = 0; i < n; i++) {
    RMX_OWNED char *tokenizer = NULL;
    if (!runs[i].keep_model || strcmp(runs[i].corpus, checked) == 0) continue;
    RMX_TRY(rmx__corpus_tokenizer(runs[i].corpus, &tokenizer, err));
    checked = runs[i].corpus;
  }
  return RMX_OK;
}

// A run that is trained again moves what is in its folder away.
static rmx_status check_init_place(const rmx_run *r, rmx_err *err) {
  const char *init = r->training.init;
  RMX_OWNED char *folder = rmx_realpath(r->folder);
  const size_t n = folder ? strlen(folder) : 0;
  if (!init || !folder || strncmp(init, folder, n) != 0 || (init[n] && init[n] != '/'))
    return RMX_OK;
  if (rmx_run_look(r, NULL) == RMX_RUN_DONE) return RMX_OK;
  return rmx_fail(
      err, RMX_EINPUT,
      "init: the model in %s is in the folder of run %s, which would be set aside; copy "
      "it to another folder and give that one",
      init, r->name);
}

static rmx_status run_swarm(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *runs,
                            size_t n, const char *what, size_t *failed, rmx_err *err) {
  RMX_TRY(check_lengths(corpus, runs, n, what, err));
  RMX_TRY(check_tokenizers(runs, n, err));
  if (n) RMX_TRY(rmx_run_check_init(&runs[0], err));
  for (size_t i = 0; i < n; i++) RMX_TRY(check_init_place(&runs[i], err));
  if (rmx__would_train(p, what, runs, n)) return RMX_OK;
  const bool proxies = strncmp(what, "train", 5) == 0;
  RMX_TRY(rmx__agree_to_outdate(p, runs, n, proxies, err));
  rmx_swarm_options options = {
      .program = p->program,
      .isa = p->experiment.config.general.isa,
      .experiment = p->experiment.folder,
      .jobs = rmx_worker_jobs(&p->experiment),
      .jobs_given = p->experiment.config.general.jobs > 0,
      .tries = 2,
      .what = what,
      .comm = p->comm,
      .together = strcmp(what, "pretrain") == 0 || strcmp(what, "compare") == 0,
      .mixtures_move = !proxies};
  rmx_swarm_outcome outcome;
  char time[32], rate[16];
  RMX_TRY(rmx_swarm_train(runs, n, &options, &p->listener, &outcome, err));
  if (outcome.done + outcome.diverged + outcome.failed == 0) {
    if (n == 1)
      rmx_note(&p->listener, "%s: its run is done", what);
    else
      rmx_note(&p->listener, "%s: all %zu runs are done", what, n);
  } else {
    rmx_note(&p->listener, "%s: %zu run%s done in %s (%s tokens/s)%s%s", what, outcome.done,
             rmx_s(outcome.done), rmx_duration(outcome.wall_s, time),
             rmx_count(outcome.tokens / outcome.wall_s, rate),
             outcome.diverged ? ", some diverged" : "", outcome.failed ? ", some failed" : "");
  }
  *failed = outcome.failed;
  return RMX_OK;
}

size_t rmx__count_open(const rmx_run *runs, size_t n) {
  size_t open = 0;
  for (size_t i = 0; i < n; i++) open += rmx_run_look(&runs[i], NULL) < RMX_RUN_DIVERGED;
  return open;
}

// More runs than proxy.may_fail allows.
static bool too_many(const rmx_run *runs, size_t n, size_t failed) {
  return (double)failed > runs[0].training.may_fail * (double)n + 1e-9;
}

// The key of the config that allows some of these runs to fail.
static const char *may_fail_of(const rmx_pipeline *p, const rmx_run *run) {
  static const char *const parts[][2] = {{"runs", "proxy.may_fail"}, {"large", "large.may_fail"}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    RMX_OWNED char *folder = rmx_experiment_path(&p->experiment, parts[i][0]);
    const size_t n = folder ? strlen(folder) : 0;
    if (n && strncmp(run->folder, folder, n) == 0 && run->folder[n] == '/') return parts[i][1];
  }
  return "proxy.may_fail or large.may_fail";
}

// Failed runs stop the later steps, unless may_fail allows them.
static rmx_status judge(rmx_pipeline *p, const rmx_run *runs, size_t n, size_t failed,
                        rmx_err *err) {
  if (failed == 0) return RMX_OK;
  const bool own = rmx_training_is_outside(&runs[0].training);
  if (too_many(runs, n, failed) && failed == n)
    return rmx_fail(err, RMX_EINPUT,
                    "%zu of %zu run%s failed (see the reason%s above%s). Mend the cause; the same "
                    "command tries %s again",
                    failed, n, rmx_s((double)n), rmx_s((double)n),
                    !own     ? ""
                    : n == 1 ? ", and log.txt in its folder"
                             : ", and log.txt in their folders",
                    n == 1 ? "it" : "them");
  if (too_many(runs, n, failed))
    return rmx_fail(
        err, RMX_EINPUT,
        "%zu of %zu run%s failed (see the reasons above%s); the same command tries them "
        "again. To continue without them, set %s to a share of %.2g or more",
        failed, n, rmx_s(n), own ? ", and log.txt in their folders" : "", may_fail_of(p, runs),
        ceil(100.0 * (double)failed / (double)n) / 100);
  rmx_warn(&p->listener,
           "%zu of %zu run%s failed and %s left out, as may_fail allows; the same command tries "
           "them again",
           failed, n, rmx_s(n), rmx_is(failed));
  return RMX_OK;
}

rmx_status rmx__train_runs(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *runs, size_t n,
                           const char *what, size_t *failed, rmx_err *err) {
  *failed = 0;
  RMX_TRY(run_swarm(p, corpus, runs, n, what, failed, err));
  return judge(p, runs, n, *failed, err);
}

// Cells that are empty, and columns that are empty whole.
static void tell_empty(rmx_pipeline *p, const rmx_table *t, const rmx_corpus *corpus) {
  rmx_few names = {0}, never = {0};
  size_t empty = 0;
  for (size_t k = corpus->D; k < t->D; k++) {
    size_t none = 0;
    for (size_t i = 0; i < t->N; i++) none += isnan(t->x[i * t->D + k]);
    if (none) rmx_few_add(none == t->N ? &never : &names, t->names[k]);
    if (none < t->N) empty += none;
  }
  if (names.n)
    rmx_warn(&p->listener,
             "metrics.csv: %zu empty cell%s in %zu metric%s that some runs did not measure (%s); "
             "these runs are left out of the fits of these metrics",
             empty, rmx_s(empty), names.n, rmx_s(names.n), names.text);
  if (never.n)
    rmx_warn(&p->listener,
             "metrics.csv: %zu metric%s that no run measured (%s); nothing can be fitted to %s",
             never.n, rmx_s(never.n), never.text, never.n == 1 ? "it" : "them");
}

// The directions of the metrics, as the trainer reported them, and what is known of the scores go
// into a file next to metrics.csv.
static rmx_status write_directions(const rmx_experiment *e, const rmx_table *t, json_t *facts,
                                   rmx_err *err) {
  if (!t->better) {
    char *path = rmx_experiment_path(e, "metrics.json");
    if (path) unlink(path);
    free(path);
    return RMX_OK;
  }
  json_t *map = json_object();
  for (size_t k = 0; k < t->D; k++)
    if (t->better[k] != RMX_BETTER_UNSAID)
      json_object_set_new(map, t->names[k], json_boolean(t->better[k] == RMX_BETTER_HIGH));
  json_t *tree = json_pack("{s:o}", "higher_is_better", map);
  if (tree && json_object_size(facts)) json_object_set(tree, "scores", facts);
  return rmx__experiment_write(e, "metrics.json", tree, err);
}

// No run has a result: a metrics.csv of the user's own stays as it is.
static rmx_status have_own_rows(const rmx_pipeline *p, const rmx_run *runs, size_t n,
                                rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings added = {0};
  const struct rmx__runs_of of = {.runs = (rmx_run *)runs, .n = n};
  rmx_few changed = {0};
  RMX_TRY(rmx__table_look(&p->experiment, "metrics.csv", &of, &changed, &added, err));
  if (added.n) return RMX_OK;
  return rmx_fail(err, RMX_ENUMERIC,
                  "none of the %zu runs finished with a loss, so there is nothing to fit", n);
}

static rmx_status write_metrics(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *runs,
                                size_t n, bool half, const char *name, rmx_err *err) {
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  json_auto_t *facts = json_object();
  RMX_TRY(rmx_swarm_metrics(runs, n, corpus, half, &t, NULL, err));
  if (!half) RMX_TRY(rmx__add_task_scores(p, runs, n, &t, facts, err));
  const struct rmx__runs_of of = {.runs = (rmx_run *)runs, .n = n};
  if (t.N == 0) RMX_TRY(have_own_rows(p, runs, n, err));
  if (t.N == 0 && !rmx__table_has_results(&p->experiment, name)) return RMX_OK;
  RMX_TRY(rmx__table_write(p, name, &t, &of, err));
  if (!half) RMX_TRY(write_directions(&p->experiment, &t, facts, err));
  tell_empty(p, &t, corpus);
  return RMX_OK;
}

// Reports how often a domain was repeated.
static rmx_status tell_epochs(rmx_pipeline *p, const char *what, const rmx_run *runs, size_t n,
                              const rmx_corpus *whole, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf text = {0};
  RMX_OWNED_BY(rmx__proxy_corpus_release) rmx__proxy_corpus from = {0};
  RMX_TRY(rmx__proxy_corpus_open(&p->experiment, whole, &from, err));
  const rmx_corpus *corpus = from.corpus;
  for (size_t d = 0; d < corpus->D_train; d++) {
    double most = 0;
    for (size_t i = 0; i < n; i++) {
      double seen = runs[i].mixture[d] * (double)runs[i].training.tokens /
                    (double)corpus->domains[d].train_tokens;
      if (seen > most) most = seen;
    }
    if (most > 1.0)
      rmx_buf_printf(&text, "%s%s %.1f", text.size ? ", " : "", corpus->names[d], most);
  }
  if (text.size)
    rmx_note(&p->listener,
             "%s: most epochs of a domain in one run: %s (each epoch has a new order)", what,
             text.data);
  return RMX_OK;
}

static void tell_left(rmx_pipeline *p, const char *what, const rmx_run *runs, size_t n) {
  size_t left = 0;
  if (!rmx__keeps_models(&p->experiment.config)) return;
  for (size_t i = 0; i < n; i++) left += !runs[i].keep_model;
  if (left)
    rmx_note(&p->listener,
             "%s: %zu finished run%s kept no model; --redo trains %s again, with the same results",
             what, left, rmx_s((double)left), left == 1 ? "it" : "them");
}

// The parts of the corpus that the swarms read; each may have its own.
static rmx_status match_corpora(const rmx_pipeline *p, const rmx_corpus *corpus, rmx_err *err) {
  for (size_t k = 0; k <= p->experiment.config.n_swarms && !p->would; k++) {
    rmx_pipeline one = *p;
    one.experiment = rmx__swarm_view(&p->experiment, k);
    RMX_TRY(rmx__match_corpus(&one, corpus, err));
  }
  return RMX_OK;
}

// With --redo finished runs that left no model are trained again.
static void keep_models(const rmx_pipeline *p, rmx_run *runs, size_t n) {
  for (size_t i = 0; i < n && p->redo; i++)
    runs[i].keep_model = rmx__keeps_models(&p->experiment.config);
}

rmx_status rmx__runs_open(rmx_pipeline *p, bool write, struct rmx__runs_of *out, rmx_err *err) {
  *out = (struct rmx__runs_of){0};
  RMX_TRY(rmx_experiment_corpus(&p->experiment, &out->corpus, err));
  if (write) RMX_TRY(match_corpora(p, out->corpus, err));
  RMX_TRY(rmx__all_runs(&p->experiment, out->corpus, &out->runs, &out->n, err));
  keep_models(p, out->runs, out->n);
  return RMX_OK;
}

void rmx__runs_close(struct rmx__runs_of *r) {
  if (r->runs) rmx_runs_release(r->runs, r->n);
  rmx_corpus_free(r->corpus);
  *r = (struct rmx__runs_of){0};
}

// Calls `work` with the corpus and the runs of all swarms.
static rmx_status with_runs(rmx_pipeline *p,
                            rmx_status (*work)(rmx_pipeline *p, const rmx_corpus *corpus,
                                               const rmx_run *runs, size_t n, rmx_err *err),
                            rmx_err *err) {
  RMX_OWNED_BY(rmx__runs_close) struct rmx__runs_of r = {0};
  RMX_TRY(rmx__runs_open(p, !p->would, &r, err));
  return work(p, r.corpus, r.runs, r.n, err);
}

static rmx_status agree(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *runs, size_t n,
                        rmx_err *err) {
  (void)corpus;
  bool some;
  RMX_TRY(rmx__agree_to_leave(p, runs, n, &some, err));
  RMX_TRY(rmx__agree_to_outdate(p, runs, n, true, err));
  RMX_TRY(rmx__agree_to_keep_models(p, runs, n, err));
  return rmx_experiment_resolve(&p->experiment, err);
}

rmx_status rmx__agree_to_train(rmx_pipeline *p, rmx_err *err) {
  return with_runs(p, agree, err);
}

static rmx_status are_trained(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *runs,
                              size_t n, rmx_err *err) {
  const size_t left = rmx__count_open(runs, n);
  if (left == 0 || !too_many(runs, n, left)) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%zu of %zu run%s %s not done, so the steps after training do not begin; `regmix "
                  "launch slurm --then`, with the same options as before, submits what is missing, "
                  "and these steps after it",
                  left, n, rmx_s((double)n), rmx_is((double)left));
}

rmx_status rmx__are_trained(rmx_pipeline *p, rmx_err *err) {
  return with_runs(p, are_trained, err);
}

static bool is_sliced(const rmx_pipeline *p) {
  return p->slice.n || p->slice.runs;
}

static rmx_status write_all_metrics(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *all,
                                    size_t n_all, rmx_err *err) {
  rmx_run *runs;
  size_t n;
  RMX_TRY(rmx_proxy_runs(&p->experiment, corpus, &runs, &n, err));
  rmx_status status = write_metrics(p, corpus, runs, n, false, "metrics.csv", err);
  if (status == RMX_OK) status = write_metrics(p, corpus, runs, n, true, "metrics-half.csv", err);
  rmx_runs_release(runs, n);
  RMX_TRY(status);
  RMX_TRY(rmx__write_evaluations(p, corpus, all, n_all, err));
  return rmx__scored_look(&p->experiment, RMX__SCORED_NOTE, NULL, err);
}

// One process at a time: the tables share a record of what regmix wrote into them.
static rmx_status write_tables(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *all,
                               size_t n_all, rmx_err *err) {
  rmx_lock lock;
  RMX_TRY(rmx__score_runs(p, all, n_all, "train", err));
  const char *folder = p->experiment.folder;
  const bool locks = rmx__locks_work(folder);  // if not, `train` has said so
  RMX_TRY(rmx_folder_lock(folder,
                          "train: another process writes in this experiment; waiting until it ends",
                          locks ? &p->listener : NULL, &lock, err));
  const rmx_status status = write_all_metrics(p, corpus, all, n_all, err);
  rmx_folder_unlock(&lock);
  return status;
}

// A swarm of more runs than there are mixtures trains them all.
static void tell_too_few(const rmx_pipeline *p, size_t k, size_t n) {
  const rmx_swarm_config *s = k ? &p->experiment.config.swarms[k - 1] : NULL;
  if (s && s->runs > (int64_t)n && !is_sliced(p))
    rmx_warn(&p->listener,
             "swarms.%s.runs is %lld, but there are only %zu mixtures; raise sample.runs, or lower "
             "it",
             s->name, (long long)s->runs, n);
}

// Trains the runs (n) of swarm k.
static rmx_status train_swarm(rmx_pipeline *p, const rmx_corpus *corpus, size_t k,
                              const rmx_run *runs, size_t n, size_t *failed, rmx_err *err) {
  rmx_pipeline one = *p;
  one.experiment = rmx__swarm_view(&p->experiment, k);
  RMX_OWNED char *what =
      k ? rmx_format("train %s", p->experiment.config.swarms[k - 1].name) : rmx_strdup("train");
  if (!what) return rmx_fail_memory(err, 0, "a name");
  if (!is_sliced(p)) RMX_TRY(tell_epochs(&one, what, runs, n, corpus, err));
  tell_left(&one, what, runs, n);
  tell_too_few(p, k, n);
  rmx_status status = run_swarm(&one, corpus, runs, n, what, failed, err);
  p->redo = one.redo;
  p->pending = one.pending;
  return status;
}

// Of these runs (n), those that are among the chosen (m), in their order.
static rmx_status pick(const rmx_run *chosen, size_t m, const rmx_run *runs, size_t n,
                       rmx_run **part, size_t *count, rmx_err *err) {
  if (!(*part = rmx_calloc(m + 1, sizeof **part)))
    return rmx_fail_memory(err, m * sizeof **part, "a part of the runs");
  *count = 0;
  for (size_t i = 0; i < m; i++)
    for (size_t k = 0; k < n; k++)
      if (strcmp(chosen[i].name, runs[k].name) == 0) (*part)[(*count)++] = chosen[i];
  return RMX_OK;
}

// What came of the runs.
struct trained {
  size_t failed;
  bool measured;  // enough of them ended for tables to be written
};

// The swarms follow each other; if too many runs of one failed, the later ones are not begun.
// chosen (m): the runs to be trained; NULL: all.
static rmx_status train_swarms(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *chosen,
                               size_t m, struct trained *out, rmx_err *err) {
  rmx_status status = RMX_OK;
  for (size_t k = 0; k <= p->experiment.config.n_swarms && status == RMX_OK; k++) {
    size_t n, count, failed = 0;
    rmx_run *runs;
    RMX_OWNED rmx_run *part = NULL;
    RMX_TRY(rmx_swarm_runs(&p->experiment, k, corpus, &runs, &n, err));
    keep_models(p, runs, n);
    count = n;
    if (chosen) status = pick(chosen, m, runs, n, &part, &count, err);
    if (status == RMX_OK && count)
      status = train_swarm(p, corpus, k, chosen ? part : runs, count, &failed, err);
    out->measured = status == RMX_OK && (k ? out->measured : failed < n);
    out->failed += failed;
    if (status == RMX_OK && count) status = judge(p, chosen ? part : runs, count, failed, err);
    rmx_runs_release(runs, n);
  }
  return status;
}

// Runs that are not done. Where one seems not to be, its folder is listed and looked at once more.
static size_t count_open_anew(const rmx_run *runs, size_t n) {
  size_t open = 0;
  for (size_t i = 0; i < n; i++) {
    if (rmx__count_open(&runs[i], 1) == 0) continue;
    rmx__list_anew(&runs[i]);
    open += rmx__count_open(&runs[i], 1);
  }
  return open;
}

// Whether another part may still train one of the runs: it works on it, or has not begun it. One
// that was begun, and let go without a result, has failed.
static size_t count_to_come(const rmx_run *runs, size_t n) {
  size_t to_come = 0;
  for (size_t i = 0; i < n; i++) {
    const rmx_run_state state = rmx_run_look(&runs[i], NULL);
    RMX_OWNED char *begun = rmx_path_in(runs[i].folder, "run.json");
    to_come +=
        state == RMX_RUN_RUNNING || (state < RMX_RUN_DIVERGED && (!begun || !rmx_exists(begun)));
  }
  return to_come;
}

// The slice that ends last finds no run left to train, and writes the tables. Each slice looks
// after its own results are written, so two that end at once cannot both miss a result of the
// other. Both may find all done; then one writes after the other, and the same.
static rmx_status end_slice(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *chosen,
                            size_t m, const rmx_run *all, size_t n_all, size_t failed,
                            rmx_err *err) {
  RMX_TRY(rmx__score_runs(p, chosen, m, "train", err));
  const size_t left = count_open_anew(all, n_all);
  const bool last = left == 0 || count_to_come(all, n_all) == 0;
  if (last) RMX_TRY(write_tables(p, corpus, all, n_all, err));
  if (left > failed || (left && last))
    rmx_note(
        &p->listener, "train: %zu of %zu run%s of the experiment %s not done%s", left, n_all,
        rmx_s((double)n_all), rmx_is((double)left),
        last ? "; metrics.csv has the others" : " yet; the part that ends last writes metrics.csv");
  return RMX_OK;
}

// Notes which runs are not trained, since the user gave their metrics.
static void tell_own_rows(rmx_pipeline *p, const rmx_few *own, size_t n_all) {
  const bool one = own->n == 1;
  if (own->n)
    rmx_note(&p->listener,
             "train: run%s %s ha%s a row that you added to metrics.csv, so %s not "
             "trained; without that row, %s trained",
             one ? "" : "s", own->text, one ? "s" : "ve", one ? "it is" : "they are",
             one ? "it is" : "they are");
  if (own->n == n_all && p->would)
    rmx__would(p, "train", false, "each of the %zu runs has a row that you added to metrics.csv",
               n_all);
}

// Chooses the runs without a row that the user added to metrics.csv; *chosen stays NULL if that are
// all. The table of a fit of several swarms is another one.
static rmx_status without_own_rows(rmx_pipeline *p, const rmx_run *all, size_t n_all,
                                   rmx_run **chosen, size_t *m, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings added = {0};
  rmx_few changed = {0}, own = {0};
  if (p->experiment.config.n_swarms) return RMX_OK;
  const struct rmx__runs_of of = {.runs = (rmx_run *)all, .n = n_all};
  if (rmx__table_look(&p->experiment, "metrics.csv", &of, &changed, &added, err) != RMX_OK)
    return err->status == RMX_ENOMEM ? RMX_ENOMEM : RMX_OK;  // it is set aside when it is written
  RMX_OWNED rmx_run *left = rmx_calloc(n_all + 1, sizeof *left);
  size_t n = 0;
  if (!left) return rmx_fail_memory(err, n_all * sizeof *left, "runs");
  for (size_t i = 0; i < n_all; i++) {
    if (!rmx_strings_have(&added, all[i].name) || rmx_run_look(&all[i], NULL) >= RMX_RUN_DIVERGED)
      left[n++] = all[i];
    else
      rmx_few_add(&own, all[i].name);
  }
  tell_own_rows(p, &own, n_all);
  if (n) RMX_TRY(rmx__table_may_grow(&p->experiment, "metrics.csv", err));
  if (n == n_all) return RMX_OK;
  *chosen = left, left = NULL;
  *m = n;
  return RMX_OK;
}

// All runs (n) have ended but those that failed. Another process with other settings may have set
// some of them aside: what is left is no answer.
rmx_status rmx__are_still_ours(const rmx_run *runs, size_t n, size_t failed, rmx_err *err) {
  const size_t lost = rmx__count_open(runs, n);
  size_t theirs = 0;
  for (size_t i = 0; i < n; i++) theirs += rmx_run_is_another(&runs[i]);
  if (theirs == 0 && lost <= failed) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "another process works in this folder with other settings: %zu of %zu run%s of "
                  "these settings %s set aside or not trained meanwhile. No answer is made from "
                  "the others. Wait until it has ended and give the same command again, or use a "
                  "folder for each of them",
                  theirs ? theirs : lost, n, rmx_s(n),
                  (theirs ? theirs : lost) == 1 ? "was" : "were");
}

// Results in folders of other names are those of the runs that they are of.
static rmx_status take_renamed(rmx_pipeline *p, const rmx_run *all, size_t n_all, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0}, folders = {0};
  rmx_few few = {0};
  if (p->would) return RMX_OK;
  RMX_TRY(rmx__runs_elsewhere(all, n_all, true, &names, &folders, err));
  for (size_t i = 0; i < names.n; i++) rmx_few_add(&few, names.items[i]);
  if (names.n)
    rmx_note(&p->listener, "train: %zu run%s (%s) %s finished under %s; %s not trained again",
             names.n, rmx_s(names.n), few.text, names.n == 1 ? "was" : "were",
             names.n == 1 ? "another name" : "other names", names.n == 1 ? "it is" : "they are");
  return RMX_OK;
}

// The user's rows of mixtures that have their names again.
static rmx_status bring_rows_back(rmx_pipeline *p, rmx_err *err) {
  rmx_few rows = {0};
  if (p->would || is_sliced(p)) return RMX_OK;
  RMX_TRY(rmx__scored_bring_back(&p->experiment, &rows, err));
  if (rows.n)
    rmx_note(&p->listener,
             "train: %zu row%s of yours (%s) %s back in metrics.csv, since mixtures.csv has %s "
             "again",
             rows.n, rmx_s(rows.n), rows.text, rmx_is(rows.n),
             rows.n == 1 ? "its mixture" : "their mixtures");
  return RMX_OK;
}

static rmx_status train(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *all, size_t n_all,
                        rmx_err *err) {
  RMX_OWNED rmx_run *chosen = NULL;
  struct trained done = {0};
  if (rmx__mixtures_are_stale(&p->experiment, corpus))
    rmx_warn(&p->listener, "%s; `regmix sample` draws it now", RMX__STALE_MIXTURES);
  size_t m = n_all;
  rmx_err other;
  bool some;
  rmx__warn_of_repetition(p, corpus);
  RMX_TRY(bring_rows_back(p, err));
  RMX_TRY(rmx__agree_to_leave(p, all, n_all, &some, err));
  if (!is_sliced(p)) RMX_TRY(rmx__tell_unused(p, all, n_all, err));
  RMX_TRY(rmx__agree_to_keep_models(p, all, n_all, err));
  if (is_sliced(p)) RMX_TRY(rmx__check_level(p, all, n_all, err));
  RMX_TRY(is_sliced(p) ? rmx__slice_runs(p, all, n_all, &chosen, &m, err)
                       : without_own_rows(p, all, n_all, &chosen, &m, err));
  if (is_sliced(p) && m == 0)
    rmx_note(&p->listener, "train: part %lld of %lld has no run", (long long)p->slice.i,
             (long long)p->slice.n);
  if (!p->would)  // of all swarms at once
    RMX_TRY(rmx__agree_to_outdate(p, chosen ? chosen : all, m, true, err));
  RMX_TRY(take_renamed(p, all, n_all, err));
  rmx_status status = train_swarms(p, corpus, chosen, m, &done, err);
  // after a failure the later swarms were not begun
  if (!p->would && (status == RMX_OK || (status == RMX_EINPUT && done.failed)))
    RMX_TRY(rmx__are_still_ours(chosen ? chosen : all, m, status == RMX_OK ? done.failed : m, err));
  if (p->would || !done.measured) return status;
  // what there is is written even if too many runs failed
  const rmx_status written = is_sliced(p)
                                 ? end_slice(p, corpus, chosen, m, all, n_all, done.failed, &other)
                                 : write_tables(p, corpus, all, n_all, &other);
  if (status == RMX_OK && written != RMX_OK) *err = other;
  return status == RMX_OK ? written : status;
}

rmx_status rmx__step_train(rmx_pipeline *p, rmx_err *err) {
  return with_runs(p, train, err);
}

// The runs of the section `proxy` alone. No table is written: what there is may be of all swarms.
static rmx_status train_first(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *all,
                              size_t n_all, rmx_err *err) {
  RMX_OWNED rmx_run *part = NULL;
  rmx_run *runs;
  size_t n, count, failed = 0;
  RMX_TRY(rmx_proxy_runs(&p->experiment, corpus, &runs, &n, err));
  rmx_status status = pick(all, n_all, runs, n, &part, &count, err);
  if (status == RMX_OK) status = rmx__agree_to_keep_models(p, part, count, err);
  if (status == RMX_OK && !p->would) status = rmx__agree_to_outdate(p, part, count, true, err);
  if (status == RMX_OK) status = train_swarm(p, corpus, 0, part, count, &failed, err);
  if (status == RMX_OK) status = judge(p, part, count, failed, err);
  rmx_runs_release(runs, n);
  return status;
}

rmx_status rmx__train_proxies(rmx_pipeline *p, rmx_err *err) {
  return p->experiment.config.n_swarms ? with_runs(p, train_first, err) : rmx__step_train(p, err);
}

rmx_status rmx_swarm_states_json(const rmx_experiment *e, const rmx_corpus *corpus, json_t *out,
                                 rmx_err *err) {
  json_t *swarms = json_object();
  for (size_t k = 0; k <= e->config.n_swarms; k++) {
    rmx_run *runs;
    size_t n;
    if (rmx_swarm_runs(e, k, corpus, &runs, &n, err) != RMX_OK) {
      json_decref(swarms);
      return err->status;
    }
    json_object_set_new(k ? swarms : out, k ? e->config.swarms[k - 1].name : "proxies",
                        rmx_run_states_json(runs, n));
    rmx_runs_release(runs, n);
  }
  if (e->config.n_swarms)
    json_object_set_new(out, "swarms", swarms);
  else
    json_decref(swarms);
  return RMX_OK;
}
