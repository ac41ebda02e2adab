// SPDX-License-Identifier: Apache-2.0
// Help, man pages and shell completion, all printed from the tables of commands and options.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

enum { WIDTH = 80 };

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

static const char *metavariable(const rmx_option *o) {
  static const char *const by_type[] = {"", "N", "X", "TEXT", "CHOICE", "TEXT", "DURATION"};
  if (o->type == RMX_BOOL) return "";
  return o->choices ? o->choices : by_type[o->type];
}

static void print_option(FILE *f, const rmx_option *o) {
  char head[128];
  bool is_flag = o->type == RMX_BOOL;
  int n = snprintf(head, sizeof head, "  --%s%s%s", o->key, is_flag ? "" : " ", metavariable(o));
  fputs(head, f);
  if (n > 26) {
    fprintf(f, "\n%28s", "");
  } else {
    fprintf(f, "%*s", 28 - n, "");
  }
  char text[512];
  bool with_default = o->initial && !is_flag && *o->initial;
  snprintf(text, sizeof text, "%s%s%s%s", o->help, with_default ? " (default " : "",
           with_default ? o->initial : "", with_default ? ")" : "");
  print_wrapped(f, text, 28, 28);
}

// ---- as JSON: what other programs offer people is read off it

static json_t *option_json(const char *prefix, const rmx_option *o, const char *initial) {
  static const char *const types[] = {"flag",   "integer", "number",  "text",
                                      "choice", "list",    "duration"};
  char *name = rmx_format("%s%s", prefix, o->key);
  json_t *tree =
      name ? json_pack("{s:s, s:s, s:s}", "name", name, "type", types[o->type], "help", o->help)
           : NULL;
  free(name);
  if (initial && *initial) json_object_set_new(tree, "default", json_string(initial));
  if (o->type != RMX_BOOL)
    json_object_set_new(tree, o->type == RMX_CHOICE ? "choices" : "value",
                        json_string(metavariable(o)));
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

static json_t *command_json(const cli_command *c) {
  json_t *tree = json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", c->name, "words", c->words,
                           "summary", c->summary, "about", c->about ? c->about : "", "examples",
                           c->examples ? c->examples : "");
  json_object_set_new(tree, "options", options_json("--", c->options, c->n_options));
  json_t *items = json_array();
  cli_item item;
  for (size_t i = 0; c->items && c->item(i, &item); i++)
    json_array_append_new(items, json_pack("{s:s, s:s}", "name", item.name, "help", item.help));
  if (c->items) json_object_set(tree, "items", items);
  json_decref(items);
  return tree;
}

static json_t *overview_json(void) {
  json_t *root = json_object(), *list = json_array();
  for (size_t i = 0; i < cli_commands_n; i++)
    if (!cli_commands[i]->hidden) json_array_append_new(list, command_json(cli_commands[i]));
  json_object_set_new(root, "version", json_string(rmx_version()));
  json_object_set_new(root, "commands", list);
  json_object_set_new(root, "options_of_every_command",
                      options_json("--", cli_common_options, cli_common_options_n));
  return root;
}

static json_t *config_json(void) {
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

void cli_print_overview(FILE *f, bool json) {
  if (json) {
    cli_print_json(overview_json());
    return;
  }
  fprintf(f,
          "regmix %s: in what proportions to mix the domains of a corpus, found by\n"
          "regression over many small proxy models.\n\n"
          "Usage: regmix COMMAND [options]\n\n",
          rmx_version());
  for (size_t i = 0; i < cli_commands_n; i++)
    if (!cli_commands[i]->hidden) {
      fprintf(f, "  %-12s ", cli_commands[i]->name);
      print_wrapped(f, cli_commands[i]->summary, 15, 15);
    }
  fputs(
      "\nEvery command takes --help, --json, -q and -v, and ends with 0 (done), 1\n(failed), 2 "
      "(misuse) or 130 (interrupted).\n"
      "\n`regmix COMMAND --help` tells more. Start with `regmix init`, or, with runs of\nyour own "
      "in two CSV files:\n"
      "  regmix fit --mixtures mixtures.csv --metrics metrics.csv\n"
      "  regmix optimize --fit fit --target pile_cc\n",
      f);
}

// A line of the examples. A command that is too long for a terminal goes on below, as the shell
// takes it: before an option.
static void print_example(FILE *f, const char *line, int n) {
  const int blanks = (int)strspn(line, " ");
  if (n > WIDTH && blanks > 2) {  // what it does, in words
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

void cli_print_help(FILE *f, const cli_command *c, bool json) {
  if (json) {
    cli_print_json(command_json(c));
    return;
  }
  const int at = fprintf(f, "regmix %s:", c->name);
  print_wrapped(f, c->summary, 2, at);
  fprintf(f, "\nUsage: regmix %s [options]%s%s\n\n", c->name, *c->words ? " " : "", c->words);
  if (c->about) {
    print_wrapped(f, c->about, 0, 0);
    fputc('\n', f);
  }
  if (c->items) fprintf(f, "%s:\n", c->items);
  cli_item item;
  for (size_t i = 0; c->items && c->item(i, &item); i++) {
    fprintf(f, "  %-25s ", item.name);
    print_wrapped(f, item.help, 28, 28);
  }
  if (c->items) fputc('\n', f);
  if (c->n_options) fputs("Options:\n", f);
  for (size_t i = 0; i < c->n_options; i++) print_option(f, &c->options[i]);
  fputs(c->n_options ? "\nOptions of every command:\n" : "Options:\n", f);
  for (size_t i = 0; i < cli_common_options_n; i++) print_option(f, &cli_common_options[i]);
  fputs(
      "  --help                    print this text (also -h)\n"
      "\nExit codes: 0 done; 1 failed; 2 misuse of the command line; 130 interrupted (by\nCtrl-C "
      "or a signal: the same command goes on from there).\n",
      f);
  if (!c->examples) return;
  fputs("\nExamples:\n", f);
  for (const char *line = c->examples; *line;) {
    const int n = (int)strcspn(line, "\n");
    print_example(f, line, n);
    line += n + (line[n] == '\n');
  }
}

// ---- the keys of the config: `regmix help config`

static void print_config_keys(FILE *f) {
  fputs(
      "The keys of regmix.yaml (and of --set KEY=VALUE), with their defaults.\n"
      "Two more have free names in them: corpus.domains (domain: files) and target\n(metric: "
      "weight).\n",
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

static rmx_status run_help(cli *c, rmx_err *err) {
  if (c->words.n == 0) {
    cli_print_overview(stdout, c->common.json);
    return RMX_OK;
  }
  if (strcmp(c->words.items[0], "config") == 0) {
    if (c->common.json)
      cli_print_json(config_json());
    else
      print_config_keys(stdout);
    return RMX_OK;
  }
  const cli_command *command = cli_find(c->words.items[0]);
  if (!command)
    return rmx_fail(err, RMX_EUSAGE, "no command \"%s\"; `regmix help` lists them",
                    c->words.items[0]);
  cli_print_help(stdout, command, c->common.json);
  return RMX_OK;
}

// ---- man pages

static void roff_text(FILE *f, const char *text) {
  bool line_start = true;
  for (; *text; text++) {
    if (line_start && (*text == '.' || *text == '\'')) fputs("\\&", f);
    if (*text == '\\')
      fputs("\\e", f);
    else if (*text == '-')
      fputs("\\-", f);
    else if (text[0] == '\n' && text[1] == '\n') {
      fputs("\n.PP\n", f);
      text++;
      line_start = true;
      continue;
    } else
      fputc(*text, f);
    line_start = *text == '\n';
  }
}

static void roff_option(FILE *f, const char *prefix, const rmx_option *o, const char *initial) {
  // One line: the tag of a .TP is the next one and no more.
  fprintf(f, ".TP\n.BI \"%s", prefix);
  roff_text(f, o->key);
  if (o->type != RMX_BOOL) {
    fputs(" \" \"", f);
    roff_text(f, metavariable(o));
  }
  fputs("\"", f);
  fputc('\n', f);
  roff_text(f, o->help);
  if (initial && *initial && o->type != RMX_BOOL) {
    fputs(" (default ", f);
    roff_text(f, initial);
    fputs(")", f);
  }
  fputs(".\n", f);
}

static void roff_items(FILE *f, const cli_command *c) {
  cli_item item;
  fputs(".SH ", f);
  for (const char *p = c->items; *p; p++) fputc(toupper((unsigned char)*p), f);
  fputc('\n', f);
  for (size_t i = 0; c->item(i, &item); i++) {
    fprintf(f, ".TP\n.B %s\n", item.name);
    roff_text(f, item.help);
    fputs(".\n", f);
    if (*item.suits) {
      fputs("Suits: ", f);
      roff_text(f, item.suits);
      fputs(".\n", f);
    }
    if (*item.source) {
      roff_text(f, item.source);
      fputs(".\n", f);
    }
  }
}

static void roff_command(FILE *f, const void *command) {
  const cli_command *c = command;
  fprintf(f, ".TH REGMIX-%s 1 \"\" \"regmix %s\"\n.SH NAME\nregmix-%s \\- %s\n", c->name,
          rmx_version(), c->name, c->summary);
  fprintf(f, ".SH SYNOPSIS\n.B regmix %s\n[options] %s\n", c->name, c->words);
  if (c->about) {
    fputs(".SH DESCRIPTION\n", f);
    roff_text(f, c->about);
    fputc('\n', f);
  }
  if (c->items) roff_items(f, c);
  fputs(".SH OPTIONS\n", f);
  for (size_t i = 0; i < c->n_options; i++)
    roff_option(f, "\\-\\-", &c->options[i], c->options[i].initial);
  for (size_t i = 0; i < cli_common_options_n; i++)
    roff_option(f, "\\-\\-", &cli_common_options[i], NULL);
  if (c->examples) {
    fputs(".SH EXAMPLES\n.nf\n", f);
    roff_text(f, c->examples);
    fputs(".fi\n", f);
  }
  fputs(
      ".SH EXIT STATUS\n0 done, 1 failed, 2 misuse of the command line, 130 interrupted by a "
      "signal.\n.SH SEE ALSO\n.BR regmix (1)\n",
      f);
}

static void roff_overview(FILE *f, const void *nothing) {
  fprintf(f,
          ".TH REGMIX 1 \"\" \"regmix %s\"\n.SH NAME\nregmix \\- data mixtures for language "
          "models, by regression\n",
          rmx_version());
  fputs(
      ".SH SYNOPSIS\n.B regmix\nCOMMAND [options]\n.SH DESCRIPTION\n"
      "Finds in what proportions the domains of a corpus should be mixed to pre\\-train a language "
      "model: trains many small\n"
      "proxy models on random mixtures, fits their losses as a function of the mixture, and "
      "searches that function.\n.SH COMMANDS\n",
      f);
  for (size_t i = 0; i < cli_commands_n; i++)
    if (!cli_commands[i]->hidden)
      fprintf(f, ".TP\n.BR regmix\\-%s (1)\n%s\n", cli_commands[i]->name, cli_commands[i]->summary);
  fputs(
      ".SH CONFIGURATION\nThe settings of an experiment are in regmix.yaml: see\n.BR regmix.yaml "
      "(5).\n"
      ".SH EXIT STATUS\n0 done, 1 failed, 2 misuse of the command line, 130 interrupted by a "
      "signal.\n"
      "With \\-\\-json every command prints one JSON object on stdout; where it fails that is\n"
      "{\"error\": {\"message\": TEXT, \"exit_code\": N}}.\n"
      ".SH ENVIRONMENT\n.TP\n.B REGMIX_ISA\nThe processor level of the kernels, where the config "
      "says none.\n"
      ".TP\n.B NO_COLOR\nIf set, warnings have no colour.\n.TP\n.B TERM\nIf \"dumb\" or unset, "
      "progress is printed in plain lines.\n",
      f);
  fputs(
      ".SH FILES\nregmix.yaml, resolved.yaml, mixtures.csv, metrics.csv, runs/, fit/, "
      "optimum.yaml, large/, report.html in the\n"
      "experiment's folder.\n",
      f);
}

static const char *type_of(const rmx_option *o) {
  switch (o->type) {
    case RMX_BOOL:
      return "true or false";
    case RMX_INT:
      return "a whole number; 600k, 1.5M, 1G are powers of 1000";
    case RMX_REAL:
      return "a number";
    case RMX_DURATION:
      return "a duration in seconds, or with s, min, h or d behind it";
    case RMX_CHOICE:
      return "one of these words";
    case RMX_LIST:
      return "a list";
    case RMX_TEXT:
      return "text";
  }
  return "";
}

static void roff_key(FILE *f, const char *prefix, const rmx_option *o) {
  char key[128];
  snprintf(key, sizeof key, "%s%s", prefix, o->key);
  const char *initial = rmx_config_initial(key, o);
  fputs(".TP\n.B \"", f);
  roff_text(f, key);
  fputs("\"\n", f);
  roff_text(f, o->help);
  fprintf(f, ".\n.br\nValue: %s", type_of(o));
  if (o->type != RMX_BOOL && o->choices) {
    fputs(" (", f);
    roff_text(f, o->choices);
    fputc(')', f);
  }
  if (o->min != 0 || o->max != 0) fprintf(f, ", %.10g to %.10g", o->min, o->max);
  fputs(". Default: ", f);
  roff_text(f, initial && *initial ? initial : "none");
  fputs(".\n", f);
}

// regmix.yaml(5), off the same tables as the config itself.
static void roff_config(FILE *f, const void *nothing) {
  fprintf(f,
          ".TH REGMIX.YAML 5 \"\" \"regmix %s\"\n.SH NAME\nregmix.yaml \\- the settings of an "
          "experiment of regmix\n",
          rmx_version());
  fputs(
      ".SH DESCRIPTION\nAn experiment is a folder with a regmix.yaml in it, which\n.BR "
      "regmix\\-init (1)\nwrites with every default as a comment.\n"
      "A key \"proxy.lr\" is the key lr of the map proxy. Any key can be set on the command line "
      "too: \\-\\-set proxy.lr=0.001.\n"
      "resolved.yaml, written by the steps, holds all of them as they are used.\n.PP\nTwo keys are "
      "maps with free names.\n"
      ".TP\n.B corpus.domains\nDomain: its files, a glob or a list of globs; or a map with files, "
      "valid_files, valid_only, text_field and separator.\n"
      ".TP\n.B target\nThe metric (or domain) to be improved; or a map from metric to weight.\n"
      ".SH EXAMPLE\n.nf\ncorpus:\n  domains:\n    web: text/web/*.jsonl.gz\n    books: "
      "text/books/*.txt\n    exam: {files: text/exam.txt, valid_only: true}\n"
      "target: exam\nproxy: {tokens: 2M}\n.fi\n.SH KEYS\n",
      f);
  for (size_t i = 0; i < rmx_config_sections_n; i++) {
    const rmx_section *s = &rmx_config_sections[i];
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%s%s", s->prefix, *s->prefix ? "." : "");
    fprintf(f, ".SS %s%s(%s)\n", s->prefix, *s->prefix ? " " : "", s->help);
    for (size_t j = 0; j < *s->n; j++) roff_key(f, prefix, &s->table[j]);
  }
  fputs(".SH SEE ALSO\n.BR regmix (1),\n.BR regmix\\-init (1),\n.BR regmix\\-plan (1)\n", f);
}

// Text of a command that prints nothing else, as text or as {"text"}.
static rmx_status print_text(const cli *c, void (*print)(FILE *f, const void *what),
                             const void *what, rmx_err *err) {
  char *text = NULL;
  size_t size;
  if (!c->common.json) {
    print(stdout, what);
    return RMX_OK;
  }
  FILE *f = open_memstream(&text, &size);
  if (f) print(f, what);
  const bool good = f && fclose(f) == 0;
  if (good) cli_print_json(json_pack("{s:s}", "text", text));
  free(text);
  return good ? RMX_OK : rmx_fail_memory(err, 0, "a text");
}

static rmx_status run_man(cli *c, rmx_err *err) {
  const cli_command *command = NULL;
  if (c->words.n && strcmp(c->words.items[0], "config") == 0)
    return print_text(c, roff_config, NULL, err);
  if (c->words.n && !(command = cli_find(c->words.items[0])))
    return rmx_fail(err, RMX_EUSAGE, "no command \"%s\"; `regmix help` lists them",
                    c->words.items[0]);
  return print_text(c, command ? roff_command : roff_overview, command, err);
}

const cli_command cli_help = {
    .name = "help",
    .words = "[COMMAND|config]",
    .most_words = 1,
    .run = run_help,
    .summary = "help on a command, or on the keys of regmix.yaml (`regmix help config`)",
};
const cli_command cli_man = {
    .name = "man",
    .words = "[COMMAND|config]",
    .most_words = 1,
    .run = run_man,
    .hidden = true,
    .summary = "print a man page",
};
