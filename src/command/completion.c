// SPDX-License-Identifier: Apache-2.0
// Completion of the command line. The shell scripts in completion/ call `regmix complete --
// WORD...`, which prints the candidates for the last word. All shells use the tables of the
// options.
#include <regmix/baselines.h>
#include <regmix/export.h>
#include <regmix/model.h>
#include <stdlib.h>
#include <string.h>

#include <regmix/command.h>
#include <regmix/experiment.h>

#include "base/asset.h"
#include "base/json.h"

extern const rmx__asset rmx__completion_scripts[];
extern const size_t rmx__completion_scripts_n;

const char *rmx_completion_script(const char *shell) {
  for (size_t i = 0; i < rmx__completion_scripts_n; i++)
    if (strcmp(rmx__completion_scripts[i].name, shell) == 0) return rmx__completion_scripts[i].data;
  return NULL;
}

// ---- the candidates

struct offer {
  const rmx_program *p;
  FILE *f;
  json_t *list;        // of --json, else NULL
  const char *word;    // begun
  const char *before;  // put before each candidate ("--to=")
};

static void offer(const struct offer *o, const char *head, const char *name, const char *tail,
                  const char *help) {
  RMX_OWNED char *whole = rmx_format("%s%s%s%s", o->before, head, name, tail);
  if (whole && strncmp(whole, o->word, strlen(o->word)) == 0) {
    if (o->list)
      json_array_append_new(o->list, json_string(whole));
    else
      fprintf(o->f, "%s\t%s\n", whole, help ? help : "");
  }
}

static void offer_files(const struct offer *o, bool folders) {
  if (o->list)
    json_array_append_new(o->list, json_string(folders ? ":folders" : ":files"));
  else
    fprintf(o->f, "%s\n", folders ? ":folders" : ":files");
}

// Adds each of "ridge|trees|auto", after `head`.
static void offer_choices(const struct offer *o, const char *head, const char *choices) {
  while (*choices) {
    const size_t n = strcspn(choices, "|");
    char *one = rmx_format("%.*s", (int)n, choices);
    if (one) offer(o, head, one, "", NULL);
    free(one);
    choices += n + (choices[n] == '|');
  }
}

static void offer_methods(const struct offer *o, const char *head) {
  for (size_t i = 0; i < rmx_baselines_n; i++)
    offer(o, head, rmx_baselines[i]->name, "", rmx_baselines[i]->help);
}

static void offer_mixtures(const struct offer *o, const char *head) {
  offer_choices(o, head, "prior|uniform|best_single|best_run|single:");
}

static void offer_levels(const struct offer *o, const char *head) {
  const char *names[16];
  const size_t n = rmx_kernels_available(names, sizeof names / sizeof *names);
  offer(o, head, "auto", "", "the best level of this processor");
  for (size_t i = 0; i < n; i++) offer(o, head, names[i], "", NULL);
}

static void offer_presets(const struct offer *o, const char *head) {
  for (size_t i = 0; i < rmx_model_presets_n; i++)
    offer(o, head, rmx_model_presets[i].name, "", NULL);
}

static void offer_formats(const struct offer *o, const char *head) {
#define FORMAT(name, needs, help) offer(o, head, name, "", help);
  RMX_EXPORT_FORMATS(FORMAT)
#undef FORMAT
}

static void offer_regressors(const struct offer *o, const char *head) {
  offer_choices(
      o, head,
      rmx_option_find(rmx_regress_option_table, rmx_regress_option_table_n, "fit.regressor")
          ->choices);
}

static void offer_settings(const struct offer *o, const char *head);

// Options whose values are names that the program knows. The last part of a config key is also
// looked up here.
static const struct {
  const char *key;
  void (*offer)(const struct offer *o, const char *head);
} values[] = {
    {"set", offer_settings},     {"to", offer_formats},       {"regressor", offer_regressors},
    {"isa", offer_levels},       {"model", offer_presets},    {"methods", offer_methods},
    {"mixture", offer_mixtures}, {"against", offer_mixtures},
};

static bool takes_file(const rmx_option *o) {
  return o->choices && strstr(o->choices, "FILE");
}

// The values of an option; `key` is the last part of its name.
static void offer_values(const struct offer *o, const char *head, const char *key,
                         const rmx_option *option) {
  if (option->type == RMX_BOOL)
    offer_choices(o, head, "true|false");
  else if (option->type == RMX_CHOICE)
    offer_choices(o, head, option->choices);
  else
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
      if (strcmp(values[i].key, key) == 0) values[i].offer(o, head);
  if (takes_file(option))
    offer_files(o, false);
  else if (option->choices && strcmp(option->choices, "DIR") == 0)
    offer_files(o, true);
}

static const char *last_part(const char *key) {
  return strrchr(key, '.') ? strrchr(key, '.') + 1 : key;
}

// Keys of the config and, after "=", their values.
static void offer_settings(const struct offer *o, const char *head) {
  for (size_t i = 0; i < rmx_config_sections_n; i++)
    for (size_t j = 0; j < *rmx_config_sections[i].n; j++) {
      const rmx_section *s = &rmx_config_sections[i];
      char key[128];
      snprintf(key, sizeof key, "%s%s%s=", s->prefix, *s->prefix ? "." : "", s->table[j].key);
      const char *typed = o->word + strlen(o->before);
      if (strncmp(typed, key, strlen(key)) == 0)
        offer_values(o, key, last_part(s->table[j].key), &s->table[j]);
      else
        offer(o, head, key, "", s->table[j].help);
    }
}

static const rmx_option *option_named(const struct offer *o, const rmx_command *c, const char *name,
                                      size_t n) {
  size_t own_n;
  const rmx_option *own = rmx_command_options(c, &own_n);
  const struct {
    const rmx_option *table;
    size_t n;
  } both[] = {{own, own_n}, {o->p->common, o->p->n_common}};
  if (n == 2 && strncmp(name, "-C", 2) == 0) return option_named(o, c, "--experiment", 12);
  for (size_t k = 0; k < 2; k++)
    for (size_t i = 0; i < both[k].n; i++)
      if (n > 2 && strlen(both[k].table[i].key) == n - 2 &&
          strncmp(both[k].table[i].key, name + 2, n - 2) == 0)
        return &both[k].table[i];
  return NULL;
}

static void offer_options(const struct offer *o, const rmx_option *table, size_t n) {
  for (size_t i = 0; i < n; i++) offer(o, "--", table[i].key, "", table[i].help);
}

static void offer_commands(const struct offer *o) {
  for (size_t i = 0; i < o->p->n; i++)
    if (!o->p->commands[i]->hidden)
      offer(o, "", o->p->commands[i]->name, "", o->p->commands[i]->summary);
}

// Candidates for a word that is not an option, as the command's help describes it.
static void offer_words(const struct offer *o, const rmx_command *c) {
  if (strstr(c->words, "COMMAND")) {
    offer_commands(o);
    if (strstr(c->words, "config")) offer(o, "", "config", "", "the keys of regmix.yaml");
  } else if (strstr(c->words, "bash")) {
    offer_choices(o, "", "bash|zsh|fish");
  } else if (strstr(c->words, "DIR") || strstr(c->words, "FOLDER")) {
    offer_files(o, true);
  } else if (*c->words) {
    offer_files(o, false);
  }
}

static void complete(struct offer *o, char *const *words, size_t n) {
  const rmx_command *c = n > 1 ? rmx_command_find(o->p, words[0]) : NULL;
  if (n < 2) {
    offer_commands(o);
    offer_choices(o, "", "--help|--version");
    return;
  }
  if (!c) return;
  const char *last = words[n - 2], *equals = strchr(o->word, '=');
  const rmx_option *option =
      last[0] == '-' && !strchr(last, '=') ? option_named(o, c, last, strlen(last)) : NULL;
  if (option && option->type != RMX_BOOL) {
    offer_values(o, "", option->key, option);
  } else if (o->word[0] == '-' && equals) {
    RMX_OWNED char *head = rmx_format("%.*s", (int)(equals - o->word + 1), o->word);
    if (head && (option = option_named(o, c, o->word, (size_t)(equals - o->word)))) {
      o->before = head;
      offer_values(o, "", option->key, option);
      o->before = "";
    }
  } else if (o->word[0] == '-') {
    size_t n_options;
    const rmx_option *options = rmx_command_options(c, &n_options);
    offer_options(o, options, n_options);
    offer_options(o, o->p->common, o->p->n_common);
    offer(o, "--", "help", "", "what the command does");
  } else {
    offer_words(o, c);
  }
}

void rmx_complete(const rmx_program *p, char *const *words, size_t n, FILE *f, json_t *list) {
  struct offer o = {.p = p, .f = f, .list = list, .word = n ? words[n - 1] : "", .before = ""};
  complete(&o, words, n);
}
