// SPDX-License-Identifier: Apache-2.0
// What `check` finds in the trainings: commands, sizes, caps of the mixtures, swarms.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/call.h"
#include "check.h"
#include "swarm/pytorch.h"

static void check_context(struct rmx__check *k, const rmx_corpus *corpus, const char *section,
                          const rmx_training *t) {
  for (size_t d = 0; d < corpus->D_train; d++)
    if (corpus->domains[d].train_tokens < (size_t)t->context + 1)
      rmx__problem(
          k, "domain \"%s\": its %zu tokens are fewer than one sequence of %lld (%s.context)",
          corpus->names[d], corpus->domains[d].train_tokens, (long long)t->context, section);
}

// ---- caps of the mixtures

// Before the corpus is prepared, the sizes of the files may show that the caps are too small.
static void check_caps_of_files(struct rmx__check *k) {
  struct rmx__plan_text text;
  rmx_err ignored;  // it is a problem of the files
  char message[400];
  const rmx_status status = rmx__plan_text(k->p, false, &text, &ignored);
  free(text.valid_tokens);
  json_decref(text.epochs);
  if (status != RMX_OK) return;
  rmx__caps_text(&k->p->experiment, text.most_caps < 1 ? text.most_caps : text.caps, message);
  if (text.most_caps < 1)
    rmx__problem(k, "%s", message);
  else if (text.caps < 1)
    rmx_warn(&k->p->listener, "by the sizes of the files, %s", message);
}

// The upper bounds of sampling follow from the corpus. Their sum must be at least 1.
static void check_caps(struct rmx__check *k) {
  rmx_corpus *corpus = NULL;
  rmx_err err;
  if (!k->current || rmx_experiment_corpus(&k->p->experiment, &corpus, &err) != RMX_OK) {
    check_caps_of_files(k);
    return;
  }
  double *cap = rmx_calloc(corpus->D_train, sizeof *cap), sum = 0;
  const rmx_status status =
      cap ? rmx_weight_caps(&k->p->experiment, corpus, cap, &err) : RMX_ENOMEM;
  const bool known = status == RMX_OK;
  if (cap) rmx__hold(k, NULL, status, &err);
  for (size_t d = 0; known && d < corpus->D_train; d++) sum += cap[d];
  char message[400];
  rmx__caps_text(&k->p->experiment, sum, message);
  if (known && sum < 1) rmx__problem(k, "%s", message);
  check_context(k, corpus, "proxy", &k->p->experiment.config.proxy);
  if (rmx__mixtures_are_stale(&k->p->experiment, corpus))
    rmx_warn(&k->p->listener, "%s", RMX__STALE_MIXTURES);
  free(cap);
  rmx_corpus_free(corpus);
}

// ---- commands and models

// The first word of a command that is a program, after assignments. NULL: a builtin of the shell,
// or too complex to analyse.
static char *program_of(const char *command) {
  static const char *const own[] = {
      "cd",    "exec",  "set",   "export", "if",     "for",     "while",  "case", "echo", "test",
      "[",     "true",  "false", ".",      "source", "eval",    "printf", "read", "trap", "ulimit",
      "umask", "unset", "until", "exit",   ":",      "command", "time",   "!"};
  for (;;) {
    command += strspn(command, " \t\n");
    const size_t n = strcspn(command, " \t\n;&|<>");
    if (n == 0 || strcspn(command, "'\"`$(){}\\*?") < n) return NULL;
    const char *equals = memchr(command, '=', n);
    if (equals && equals > command) {
      command += n;
      continue;
    }
    char *word = rmx_format("%.*s", (int)n, command);
    for (size_t i = 0; word && i < sizeof own / sizeof *own; i++)
      if (strcmp(word, own[i]) == 0) {
        free(word);
        return NULL;
      }
    return word;
  }
}

static void check_command(struct rmx__check *k, const char *key, const char *command) {
  RMX_OWNED char *program = command ? program_of(command) : NULL;
  if (!program) return;
  // A word with a dot or a slash that is a file of the experiment means that file.
  RMX_OWNED char *path = rmx_experiment_path(&k->p->experiment, program);
  const bool there = path && rmx_exists(path),
             here = strchr(program, '/') || (strchr(program, '.') && there);
  if (path && here && access(path, X_OK) != 0)
    rmx__problem(k, "%s: %s %s", key, path,
                 there ? "is not executable (chmod +x)" : "does not exist");
  else if (!here && !rmx__on_path(program))
    rmx__problem(k, "%s: no program \"%s\" on the PATH", key, program);
}

static void check_training(struct rmx__check *k, const char *what, const rmx_training *t) {
  rmx_model_config model;
  rmx_err err;
  char key[96];
  snprintf(key, sizeof key, "%s.command", what);
  check_command(k, key, t->command);
  if (rmx_training_is_pytorch(t)) rmx__hold(k, what, rmx__pytorch_check(&err), &err);
  if (t->command) return;  // only the command knows its model
  rmx__hold(k, what, rmx_training_model(t, (int)k->p->experiment.config.corpus.vocab, &model, &err),
            &err);
  const int64_t sequences = t->context > 0 ? t->tokens / t->context : 0;
  if (sequences > 0 && sequences < (int64_t)k->n_train)
    rmx__problem(k,
                 "%s.tokens: %lld tokens give %lld sequences of %lld tokens, fewer than the %zu "
                 "domains; raise it",
                 what, (long long)t->tokens, (long long)sequences, (long long)t->context,
                 k->n_train);
}

// Mixtures that there are, or that will be drawn.
static size_t mixtures_of(const rmx_pipeline *p) {
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  RMX_OWNED char *path = rmx_experiment_path(&p->experiment, "mixtures.csv");
  rmx_err ignored;
  const bool there = path && rmx_exists(path) && rmx_csv_read(path, &t, &ignored) == RMX_OK;
  return there ? t.N : (size_t)p->experiment.config.sample.runs;
}

static void check_swarms(struct rmx__check *k) {
  const rmx_config *c = &k->p->experiment.config;
  const char *scale = c->search.problem.scale;
  rmx_scale at;
  rmx_err err;
  if (scale) rmx__hold(k, "optimize.for", rmx_scale_parse(scale, true, true, &at, &err), &err);
  if (scale && c->n_swarms == 0)
    rmx__problem(k,
                 "optimize.for: the runs have one size and one length; add a swarm of another "
                 "(`swarms`), or remove the key");
  if (c->n_swarms && !rmx_regressor_takes_scales(c->regress.regressor))
    rmx__problem(k,
                 "fit.regressor: \"%s\" fits runs of one size and length, but there are several "
                 "swarms; use \"auto\" or \"scaling\"",
                 c->regress.regressor);
  for (size_t i = 0; i < c->n_swarms; i++) {
    const rmx_swarm_config *s = &c->swarms[i];
    char section[80];
    snprintf(section, sizeof section, "swarms.%s", s->name);
    check_training(k, section, &s->training);
    if (s->runs > (int64_t)mixtures_of(k->p))
      rmx__problem(k,
                   "%s.runs: %lld runs, but there are %zu mixtures; raise sample.runs or lower it",
                   section, (long long)s->runs, mixtures_of(k->p));
    rmx_corpus *corpus = NULL;
    if (k->current && rmx_experiment_corpus(&k->p->experiment, &corpus, &err) == RMX_OK)
      check_context(k, corpus, section, &s->training);
    rmx_corpus_free(corpus);
  }
}

void rmx__check_trainings(struct rmx__check *k) {
  check_caps(k);
  check_training(k, "proxy", &k->p->experiment.config.proxy);
  check_training(k, "large", &k->p->experiment.config.large);
  check_swarms(k);
}
