// SPDX-License-Identifier: Apache-2.0
// Help, man pages and shell completion, all printed from the tables of commands and options.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

enum { WIDTH = 98 };

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
  static const char *const by_type[] = {"", "N", "X", "TEXT", "CHOICE", "TEXT"};
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
  snprintf(text, sizeof text, "%s%s%s%s", o->help, with_default ? " (default " : "", with_default ? o->initial : "", with_default ? ")" : "");
  print_wrapped(f, text, 28, 28);
}

// ---- as JSON: what other programs offer people is read off it

static json_t *option_json(const char *prefix, const rmx_option *o, const char *initial) {
  static const char *const types[] = {"flag", "integer", "number", "text", "choice", "list"};
  char *name = rmx_format("%s%s", prefix, o->key);
  json_t *tree = name ? json_pack("{s:s, s:s, s:s}", "name", name, "type", types[o->type], "help", o->help) : NULL;
  free(name);
  if (initial && *initial) json_object_set_new(tree, "default", json_string(initial));
  if (o->type != RMX_BOOL) json_object_set_new(tree, o->type == RMX_CHOICE ? "choices" : "value", json_string(metavariable(o)));
  if (o->min != 0 || o->max != 0) {
    json_object_set_new(tree, "min", json_real(o->min));
    json_object_set_new(tree, "max", json_real(o->max));
  }
  return tree;
}

static json_t *options_json(const char *prefix, const rmx_option *table, size_t n) {
  json_t *list = json_array();
  for (size_t i = 0; i < n; i++) json_array_append_new(list, option_json(prefix, &table[i], table[i].initial));
  return list;
}

static json_t *command_json(const cli_command *c) {
  json_t *tree = json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", c->name, "words", c->words, "summary", c->summary, "about",
                           c->about ? c->about : "", "examples", c->examples ? c->examples : "");
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
  json_object_set_new(root, "options_of_every_command", options_json("--", cli_common_options, cli_common_options_n));
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
      json_array_append_new(keys, option_json(prefix, &s->table[j], rmx_config_initial(key, &s->table[j])));
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
          "regmix %s: in what proportions to mix the domains of a corpus, found by regression over many\n"
          "small proxy models.\n\n"
          "Usage: regmix COMMAND [options]\n\n",
          rmx_version());
  for (size_t i = 0; i < cli_commands_n; i++)
    if (!cli_commands[i]->hidden) fprintf(f, "  %-12s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
  fputs("\n`regmix COMMAND --help` tells more. Start with `regmix init`, or, with runs of your own in two CSV files:\n"
        "  regmix fit --mixtures mixtures.csv --metrics metrics.csv\n"
        "  regmix optimize --fit fit --target pile_cc\n", f);
}

void cli_print_help(FILE *f, const cli_command *c, bool json) {
  if (json) {
    cli_print_json(command_json(c));
    return;
  }
  fprintf(f, "regmix %s: %s\n\nUsage: regmix %s [options]%s%s\n\n", c->name, c->summary, c->name, *c->words ? " " : "", c->words);
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
  fputs("  --help                    this text (also -h)\n", f);
  if (c->examples) fprintf(f, "\nExamples:\n%s", c->examples);
}

// ---- the keys of the config: `regmix help config`

static void print_config_keys(FILE *f) {
  fputs("The keys of regmix.yaml (and of --set KEY=VALUE), with their defaults.\n"
        "Two more have free names in them: corpus.domains (domain: files) and target (metric: weight).\n", f);
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
    if (c->common.json) cli_print_json(config_json());
    else print_config_keys(stdout);
    return RMX_OK;
  }
  const cli_command *command = cli_find(c->words.items[0]);
  if (!command) return rmx_fail(err, RMX_EUSAGE, "no command \"%s\"; `regmix help` lists them", c->words.items[0]);
  cli_print_help(stdout, command, c->common.json);
  return RMX_OK;
}

// ---- man pages

static void roff_text(FILE *f, const char *text) {
  bool line_start = true;
  for (; *text; text++) {
    if (line_start && (*text == '.' || *text == '\'')) fputs("\\&", f);
    if (*text == '\\') fputs("\\e", f);
    else if (*text == '-') fputs("\\-", f);
    else if (text[0] == '\n' && text[1] == '\n') {
      fputs("\n.PP\n", f);
      text++;
      line_start = true;
      continue;
    } else fputc(*text, f);
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
  fprintf(f, ".TH REGMIX-%s 1 \"\" \"regmix %s\"\n.SH NAME\nregmix-%s \\- %s\n", c->name, rmx_version(), c->name, c->summary);
  fprintf(f, ".SH SYNOPSIS\n.B regmix %s\n[options] %s\n", c->name, c->words);
  if (c->about) {
    fputs(".SH DESCRIPTION\n", f);
    roff_text(f, c->about);
    fputc('\n', f);
  }
  if (c->items) roff_items(f, c);
  fputs(".SH OPTIONS\n", f);
  for (size_t i = 0; i < c->n_options; i++) roff_option(f, "\\-\\-", &c->options[i], c->options[i].initial);
  for (size_t i = 0; i < cli_common_options_n; i++) roff_option(f, "\\-\\-", &cli_common_options[i], NULL);
  if (c->examples) {
    fputs(".SH EXAMPLES\n.nf\n", f);
    roff_text(f, c->examples);
    fputs(".fi\n", f);
  }
  fputs(".SH EXIT STATUS\n0 done, 1 failed, 2 misuse.\n.SH SEE ALSO\n.BR regmix (1)\n", f);
}

static void roff_overview(FILE *f, const void *nothing) {
  fprintf(f, ".TH REGMIX 1 \"\" \"regmix %s\"\n.SH NAME\nregmix \\- data mixtures for language models, by regression\n", rmx_version());
  fputs(".SH SYNOPSIS\n.B regmix\nCOMMAND [options]\n.SH DESCRIPTION\n"
        "Finds in what proportions the domains of a corpus should be mixed to pre\\-train a language model: trains many small\n"
        "proxy models on random mixtures, fits their losses as a function of the mixture, and searches that function.\n.SH COMMANDS\n", f);
  for (size_t i = 0; i < cli_commands_n; i++)
    if (!cli_commands[i]->hidden) fprintf(f, ".TP\n.BR regmix\\-%s (1)\n%s\n", cli_commands[i]->name, cli_commands[i]->summary);
  fputs(".SH CONFIGURATION\nThe keys of regmix.yaml; any of them can be given as \\-\\-set KEY=VALUE.\n", f);
  for (size_t i = 0; i < rmx_config_sections_n; i++) {
    const rmx_section *s = &rmx_config_sections[i];
    fprintf(f, ".SS %s%s(%s)\n", s->prefix, *s->prefix ? " " : "", s->help);
    for (size_t j = 0; j < *s->n; j++) {
      char prefix[64], key[128];
      snprintf(prefix, sizeof prefix, "%s%s", s->prefix, *s->prefix ? "." : "");
      snprintf(key, sizeof key, "%s%s", prefix, s->table[j].key);
      roff_option(f, prefix, &s->table[j], rmx_config_initial(key, &s->table[j]));
    }
  }
  fputs(".SH FILES\nregmix.yaml, resolved.yaml, mixtures.csv, metrics.csv, runs/, fit/, optimum.yaml, large/, report.html in the\n"
        "experiment's folder.\n", f);
}

// Text of a command that prints nothing else, as text or as {"text"}.
static rmx_status print_text(const cli *c, void (*print)(FILE *f, const void *what), const void *what, rmx_err *err) {
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
  if (c->words.n && !(command = cli_find(c->words.items[0])))
    return rmx_fail(err, RMX_EUSAGE, "no command \"%s\"; `regmix help` lists them", c->words.items[0]);
  return print_text(c, command ? roff_command : roff_overview, command, err);
}

const cli_command cli_help = {
    .name = "help", .words = "[COMMAND|config]", .most_words = 1, .run = run_help,
    .summary = "help on a command, or on the keys of regmix.yaml (`regmix help config`)",
};
const cli_command cli_man = {
    .name = "man", .words = "[COMMAND]", .most_words = 1, .run = run_man, .hidden = true,
    .summary = "print a man page",
};
