// SPDX-License-Identifier: Apache-2.0
// Prints help, as text and as JSON, from the tables of commands and options.
#include <stdlib.h>
#include <string.h>

#include <regmix/experiment.h>

#include "command.h"

enum { WIDTH = 80 };

const rmx_command *rmx_command_find(const rmx_program *p, const char *name) {
  for (size_t i = 0; i < p->n; i++)
    if (strcmp(p->commands[i]->name, name) == 0) return p->commands[i];
  return NULL;
}

static void print_wrapped(FILE *f, const char *text, int indent, int at) {
  while (*text) {
    size_t n = strcspn(text, " \n");
    if (at > indent && at + (int)n + 1 > WIDTH) {
      fprintf(f, "\n%*s", indent, "");
      at = indent;
    } else if (at > indent) {
      fputc(' ', f);
      at++;
    }
    fwrite(text, 1, n, f);
    at += (int)n;
    text += n;
    if (text[0] == '\n' && text[1] == '\n') {
      fprintf(f, "\n\n%*s", indent, "");
      at = indent;
      text++;
    }
    if (*text) text++;
  }
  fputc('\n', f);
}

const char *rmx__metavariable(const rmx_option *o) {
  static const char *const by_type[] = {
      [RMX_INT] = "N",     [RMX_REAL] = "X",        [RMX_DURATION] = "DURATION",
      [RMX_TEXT] = "TEXT", [RMX_CHOICE] = "CHOICE", [RMX_LIST] = "TEXT"};
  if (o->type == RMX_BOOL) return "";
  return o->choices ? o->choices : by_type[o->type];
}

const char *rmx__default_of(const rmx_option *o, const char *initial) {
  return initial && *initial && !strstr(o->help, "(default") ? initial : NULL;
}

static void print_option(FILE *f, const rmx_option *o) {
  char head[128];
  bool is_flag = o->type == RMX_BOOL;
  int n =
      snprintf(head, sizeof head, "  --%s%s%s", o->key, is_flag ? "" : " ", rmx__metavariable(o));
  fputs(head, f);
  if (n > 26) {
    fprintf(f, "\n%28s", "");
  } else {
    fprintf(f, "%*s", 28 - n, "");
  }
  char text[512];
  const char *initial = is_flag ? NULL : rmx__default_of(o, o->initial);
  snprintf(text, sizeof text, "%s%s%s%s", o->help, initial ? " (default " : "",
           initial ? initial : "", initial ? ")" : "");
  print_wrapped(f, text, 28, 28);
}

// ---- as JSON, for other programs

static json_t *option_json(const char *prefix, const rmx_option *o, const char *initial) {
  static const char *const types[] = {
      [RMX_BOOL] = "flag",        [RMX_INT] = "integer",   [RMX_REAL] = "number",
      [RMX_TEXT] = "text",        [RMX_CHOICE] = "choice", [RMX_LIST] = "list",
      [RMX_DURATION] = "duration"};
  char *name = rmx_format("%s%s", prefix, o->key);
  json_t *tree =
      name ? json_pack("{s:s, s:s, s:s}", "name", name, "type", types[o->type], "help", o->help)
           : NULL;
  free(name);
  if (rmx__default_of(o, initial)) json_object_set_new(tree, "default", json_string(initial));
  if (o->type != RMX_BOOL)
    json_object_set_new(tree, o->type == RMX_CHOICE ? "choices" : "value",
                        json_string(rmx__metavariable(o)));
  if (o->min != 0 || o->max != 0) {
    json_object_set_new(tree, "min", json_real(o->min));
    json_object_set_new(tree, "max", json_real(o->max));
  }
  return tree;
}

static json_t *options_json(const char *prefix, const rmx_option *table, size_t n) {
  json_t *list = json_array();
  for (size_t i = 0; i < n; i++)
    json_array_append_new(list, option_json(prefix, &table[i], table[i].initial));
  return list;
}

rmx__texts rmx__texts_of(const rmx_program *p, const rmx_command *c) {
  static const char head[] = "Examples:\n";
  const char *text = p->text(c->name);
  if (!text) return (rmx__texts){0};
  const char *examples =
      strncmp(text, head, strlen(head)) == 0 ? text : strstr(text, "\n\nExamples:\n");
  rmx__texts t = {.about = rmx_format(
                      "%.*s", (int)(examples ? (size_t)(examples - text) : strlen(text)), text)};
  if (examples) t.examples = rmx_strdup(strstr(examples, head) + strlen(head));
  for (char *at = t.about; at && *at; at++)  // join the lines of a paragraph
    if (at[0] == '\n' && at[1] != '\n' && at > t.about && at[-1] != '\n') *at = at[1] ? ' ' : '\0';
  if (t.about && !*t.about) free(t.about), t.about = NULL;
  return t;
}

json_t *rmx_help_command_json(const rmx_program *p, const rmx_command *c) {
  rmx__texts t = rmx__texts_of(p, c);
  json_t *tree = json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", c->name, "words", c->words,
                           "summary", c->summary, "about", t.about ? t.about : "", "examples",
                           t.examples ? t.examples : "");
  size_t n;
  const rmx_option *options = rmx_command_options(c, &n);
  json_object_set_new(tree, "options", options_json("--", options, n));
  json_t *items = json_array();
  rmx_command_item item;
  for (size_t i = 0; c->items && c->item(i, &item); i++)
    json_array_append_new(items, json_pack("{s:s, s:s}", "name", item.name, "help", item.help));
  if (c->items) json_object_set(tree, "items", items);
  json_decref(items);
  free(t.about), free(t.examples);
  return tree;
}

json_t *rmx_help_overview_json(const rmx_program *p) {
  json_t *root = json_object(), *list = json_array();
  for (size_t i = 0; i < p->n; i++)
    if (!p->commands[i]->hidden)
      json_array_append_new(list, rmx_help_command_json(p, p->commands[i]));
  json_object_set_new(root, "version", json_string(rmx_version()));
  json_object_set_new(root, "commands", list);
  json_object_set_new(root, "options_of_every_command", options_json("--", p->common, p->n_common));
  return root;
}

json_t *rmx_help_config_json(void) {
  json_t *root = json_object(), *keys = json_array();
  for (size_t i = 0; i < rmx_config_sections_n; i++) {
    const rmx_section *s = &rmx_config_sections[i];
    char prefix[64], key[128];
    snprintf(prefix, sizeof prefix, "%s%s", s->prefix, *s->prefix ? "." : "");
    for (size_t j = 0; j < *s->n; j++) {
      snprintf(key, sizeof key, "%s%s", prefix, s->table[j].key);
      json_array_append_new(
          keys, option_json(prefix, &s->table[j], rmx_config_initial(key, &s->table[j])));
    }
  }
  json_object_set_new(root, "keys", keys);
  return root;
}

void rmx_help_overview(const rmx_program *p, FILE *f) {
  fprintf(f,
          "regmix %s finds in which proportions to mix the domains of a corpus. It\ntrains many "
          "small proxy models and fits their losses by regression.\n\nUsage: regmix COMMAND "
          "[options]\n\n",
          rmx_version());
  for (size_t i = 0; i < p->n; i++)
    if (!p->commands[i]->hidden) {
      fprintf(f, "  %-12s ", p->commands[i]->name);
      print_wrapped(f, p->commands[i]->summary, 15, 15);
    }
  fputs(
      "\nEvery command accepts --help, --json, -q and -v. The exit code is 0 (done),\n1 (failed), "
      "2 (misuse), 130 (interrupted) or 75 (interrupted by SIGUSR1).\n\nSee also `regmix COMMAND "
      "--help`. Start with `regmix init`. If you have the\nresults of your own runs in two CSV "
      "files, start with:\n  regmix "
      "fit --mixtures mixtures.csv --metrics metrics.csv\n  regmix optimize --fit fit --target "
      "pile_cc\n",
      f);
}

// A line of the examples. A command that is too long for a terminal is broken before an option, as
// the shell accepts it.
static void print_example(FILE *f, const char *line, int n) {
  const int blanks = (int)strspn(line, " ");
  if (n > WIDTH && blanks > 2) {  // an explanation
    char text[512];
    snprintf(text, sizeof text, "%.*s", n - blanks, line + blanks);
    fprintf(f, "%*s", blanks, "");
    print_wrapped(f, text, blanks, blanks);
    return;
  }
  while (n > WIDTH) {
    int cut = 0;
    for (int i = 3; i < WIDTH - 2; i++)
      if (strncmp(line + i, " -", 2) == 0) cut = i;
    if (cut == 0) break;
    fprintf(f, "%.*s \\\n      ", cut, line);
    line += cut + 1;
    n -= cut + 1;
    if (n + 6 <= WIDTH) break;
  }
  fprintf(f, "%.*s\n", n, line);
}

void rmx_help_command(const rmx_program *p, const rmx_command *c, FILE *f) {
  const rmx__texts t = rmx__texts_of(p, c);
  const int at = fprintf(f, "regmix %s:", c->name);
  print_wrapped(f, c->summary, 2, at);
  fprintf(f, "\nUsage: regmix %s [options]%s%s\n\n", c->name, *c->words ? " " : "", c->words);
  if (t.about) {
    print_wrapped(f, t.about, 0, 0);
    fputc('\n', f);
  }
  if (c->items) fprintf(f, "%s:\n", c->items);
  rmx_command_item item;
  for (size_t i = 0; c->items && c->item(i, &item); i++) {
    fprintf(f, "  %-25s ", item.name);
    print_wrapped(f, item.help, 28, 28);
  }
  if (c->items) fputc('\n', f);
  size_t n_options;
  const rmx_option *options = rmx_command_options(c, &n_options);
  if (n_options) fputs("Options:\n", f);
  for (size_t i = 0; i < n_options; i++) print_option(f, &options[i]);
  fputs(n_options ? "\nOptions of every command:\n" : "Options:\n", f);
  for (size_t i = 0; i < p->n_common; i++) print_option(f, &p->common[i]);
  fputs(
      "  --help                    print this text (also -h)\n\nExit codes: 0 done; 1 failed; 2 "
      "misuse of the command line; 130 interrupted by\nCtrl-C or a signal (the same command "
      "continues from there), 75 if the signal was\nSIGUSR1.\n",
      f);
  if (t.examples) fputs("\nExamples:\n", f);
  for (const char *line = t.examples ? t.examples : ""; *line;) {
    const int n = (int)strcspn(line, "\n");
    print_example(f, line, n);
    line += n + (line[n] == '\n');
  }
  free(t.about), free(t.examples);
}

// ---- the keys of the config: `regmix help config`

void rmx_help_config(FILE *f) {
  fputs(
      "These are the keys of regmix.yaml (and of --set KEY=VALUE) with their defaults.\nThree more "
      "keys are maps with names of your own: corpus.domains (domain: files),\ntarget (metric: "
      "weight) and swarms (name: settings), which adds proxies of other\nsizes or lengths. Their "
      "settings are those of proxy, and runs, the number of\nmixtures that they train.\n",
      f);
  for (size_t i = 0; i < rmx_config_sections_n; i++) {
    const rmx_section *s = &rmx_config_sections[i];
    fprintf(f, "\n%s%s(%s)\n", s->prefix, *s->prefix ? " " : "", s->help);
    for (size_t j = 0; j < *s->n; j++) {
      char key[128];
      snprintf(key, sizeof key, "%s%s%s", s->prefix, *s->prefix ? "." : "", s->table[j].key);
      const char *initial = rmx_config_initial(key, &s->table[j]);
      int n = fprintf(f, "  %s = %s", key, initial ? initial : "(none)");
      fprintf(f, "%*s", n < 34 ? 34 - n : 1, "");
      print_wrapped(f, s->table[j].help, 34, n < 34 ? 34 : n + 1);
    }
  }
}
