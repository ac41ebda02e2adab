// SPDX-License-Identifier: Apache-2.0
// Prints help, as text and as JSON, from the tables of commands and options.
#include <stdlib.h>
#include <string.h>

#include <regmix/experiment.h>

#include "command.h"

// Columns: the widest page and the least; where the text of an option and of a key of the config
// begins; how much room that text needs there, else it begins at BELOW.
enum { WIDEST = 80, LEAST = 20, OPTION = 28, KEY = 34, ROOM = 28, BELOW = 6 };

static int width_of(FILE *f) {
  const int columns = rmx_terminal_columns(fileno(f));
  return columns > WIDEST ? WIDEST : columns < LEAST ? LEAST : columns;
}

static int column_of(FILE *f, int usual) {
  return width_of(f) < usual + ROOM ? BELOW : usual;
}

const rmx_command *rmx_command_find(const rmx_program *p, const char *name) {
  for (size_t i = 0; i < p->n; i++)
    if (strcmp(p->commands[i]->name, name) == 0) return p->commands[i];
  return NULL;
}

// `at`: the columns that are taken in front of it.
static void print_wrapped(FILE *f, const char *text, int indent, int at) {
  const int width = width_of(f);
  while (*text) {
    size_t n = strcspn(text, " \n");
    if (at > indent && at + (int)n + 1 > width) {
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

// An option and what it does, from `column` on: beside it, or below it if it is long.
static void print_entry(FILE *f, const char *head, const char *help, int column) {
  const int n = fprintf(f, "  %s", head);
  if (n > column - 2)
    fprintf(f, "\n%*s", column, "");
  else
    fprintf(f, "%*s", column - n, "");
  print_wrapped(f, help, column, column);
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
  char head[128], text[512];
  const bool is_flag = o->type == RMX_BOOL;
  const char *initial = is_flag ? NULL : rmx__default_of(o, o->initial);
  snprintf(head, sizeof head, "--%s%s%s", o->key, is_flag ? "" : " ", rmx__metavariable(o));
  snprintf(text, sizeof text, "%s%s%s%s", o->help, initial ? " (default " : "",
           initial ? initial : "", initial ? ")" : "");
  print_entry(f, head, text, column_of(f, OPTION));
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

// Where to break a command that does not fit: before the last option that ends within `room`
// bytes, else before the last word, but not within quotes. 0: nowhere.
static size_t break_of(const char *line, size_t room) {
  size_t option = 0, word = 0;
  char quote = '\0';
  for (size_t i = 0; line[i] && i <= room; i++) {
    if (quote ? line[i] == quote : line[i] == '"' || line[i] == '\'')
      quote = quote ? '\0' : line[i];
    if (line[i] != ' ' || quote || i < 3) continue;
    word = i;
    if (line[i + 1] == '-') option = i;
  }
  return option ? option : word;
}

// A line of the examples: a command, or deeper in, what it does. A command that is too long for a
// terminal is broken as the shell accepts it.
static void print_example(FILE *f, const char *line) {
  enum { DEEPER = 6 };
  const size_t width = (size_t)width_of(f), blanks = strspn(line, " ");
  size_t at = 0, cut;
  if (blanks > 2) {
    fprintf(f, "%*s", (int)blanks, "");
    print_wrapped(f, line + blanks, (int)blanks, (int)blanks);
    return;
  }
  while (at + strlen(line) > width && (cut = break_of(line, width - 2 - at)) > 0) {
    fprintf(f, "%.*s \\\n%*s", (int)cut, line, DEEPER, "");
    line += cut + 1;
    at = DEEPER;
  }
  fprintf(f, "%s\n", line);
}

void rmx_help_overview(const rmx_program *p, FILE *f) {
  fprintf(f, "regmix %s", rmx_version());
  print_wrapped(f,
                "finds in which proportions to mix the domains of a corpus. It trains many small "
                "proxy models and fits their losses by regression.",
                0, (int)strlen("regmix ") + (int)strlen(rmx_version()));
  fputs("\nUsage: regmix COMMAND [options]\n\n", f);
  for (size_t i = 0; i < p->n; i++)
    if (!p->commands[i]->hidden) {
      fprintf(f, "  %-12s ", p->commands[i]->name);
      print_wrapped(f, p->commands[i]->summary, 15, 15);
    }
  fputc('\n', f);
  print_wrapped(f,
                "Every command accepts --help, --json, -q and -v. The exit code is 0 (done), 1 "
                "(failed), 2 (misuse), 130 (interrupted) or 75 (interrupted by SIGUSR1).\n\n"
                "See also `regmix COMMAND --help`. Start with `regmix init`. If you have the "
                "results of your own runs in two CSV files, start with:",
                0, 0);
  print_example(f, "  regmix fit --mixtures mixtures.csv --metrics metrics.csv");
  print_example(f, "  regmix optimize --fit fit --target pile_cc");
}

// The texts of `rmx__texts_of`, whose lines end in line feeds.
static void print_examples(FILE *f, const char *text) {
  fputs("\nExamples:\n", f);
  for (const char *line = text; *line;) {
    const size_t n = strcspn(line, "\n");
    RMX_OWNED char *copy = rmx_format("%.*s", (int)n, line);
    if (copy) print_example(f, copy);
    line += n + (line[n] == '\n');
  }
}

static void print_items(FILE *f, const rmx_command *c) {
  rmx_command_item item;
  fprintf(f, "%s:\n", c->items);
  for (size_t i = 0; c->item(i, &item); i++)
    print_entry(f, item.name, item.help, column_of(f, OPTION));
  fputc('\n', f);
}

void rmx_help_command(const rmx_program *p, const rmx_command *c, FILE *f) {
  static const rmx_option help = {.key = "help", .help = "print this text (also -h)"};
  const rmx__texts t = rmx__texts_of(p, c);
  const int at = fprintf(f, "regmix %s:", c->name);
  print_wrapped(f, c->summary, 2, at);
  const int used = fprintf(f, "\nUsage: regmix %s", c->name) - 1;
  RMX_OWNED char *words = rmx_format("[options] %s", c->words);
  print_wrapped(f, words ? words : "[options]", 7, used);
  fputc('\n', f);
  if (t.about) {
    print_wrapped(f, t.about, 0, 0);
    fputc('\n', f);
  }
  if (c->items) print_items(f, c);
  size_t n_options;
  const rmx_option *options = rmx_command_options(c, &n_options);
  if (n_options) fputs("Options:\n", f);
  for (size_t i = 0; i < n_options; i++) print_option(f, &options[i]);
  fputs(n_options ? "\nOptions of every command:\n" : "Options:\n", f);
  for (size_t i = 0; i < p->n_common; i++) print_option(f, &p->common[i]);
  print_option(f, &help);
  fputc('\n', f);
  print_wrapped(f,
                "Exit codes: 0 done; 1 failed; 2 misuse of the command line; 130 interrupted by "
                "Ctrl-C or a signal (the same command continues from there), 75 if the signal was "
                "SIGUSR1.",
                0, 0);
  if (t.examples) print_examples(f, t.examples);
  free(t.about), free(t.examples);
}

// ---- the keys of the config: `regmix help config`

void rmx_help_config(FILE *f) {
  const int column = column_of(f, KEY);
  print_wrapped(f,
                "These are the keys of regmix.yaml (and of --set KEY=VALUE) with their defaults. "
                "Three more keys are maps with names of your own: corpus.domains (domain: files), "
                "target (metric: weight) and swarms (name: settings), which adds proxies of other "
                "sizes or lengths. Their settings are those of proxy, and runs, the number of "
                "mixtures that they train.",
                0, 0);
  for (size_t i = 0; i < rmx_config_sections_n; i++) {
    const rmx_section *s = &rmx_config_sections[i];
    RMX_OWNED char *what = rmx_format("(%s)", s->help);
    const int at = fprintf(f, "\n%s", s->prefix) - 1;
    if (what) print_wrapped(f, what, 0, at);
    for (size_t j = 0; j < *s->n; j++) {
      char key[128];
      snprintf(key, sizeof key, "%s%s%s", s->prefix, *s->prefix ? "." : "", s->table[j].key);
      const char *initial = rmx_config_initial(key, &s->table[j]);
      int n = fprintf(f, "  %s = %s", key, initial ? initial : "(none)");
      fprintf(f, "%*s", n < column ? column - n : 1, "");
      print_wrapped(f, s->table[j].help, column, n < column ? column : n + 1);
    }
  }
}
