// SPDX-License-Identifier: Apache-2.0
// Prints man pages from the tables of commands and options.
#include <ctype.h>
#include <regmix/experiment.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

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
  // Must be one line: the tag of a .TP is only the next line.
  fprintf(f, ".TP\n.BI \"%s", prefix);
  roff_text(f, o->key);
  if (o->type != RMX_BOOL) {
    fputs(" \" \"", f);
    roff_text(f, rmx__metavariable(o));
  }
  fputs("\"", f);
  fputc('\n', f);
  roff_text(f, o->help);
  if (rmx__default_of(o, initial) && o->type != RMX_BOOL) {
    fputs(" (default ", f);
    roff_text(f, initial);
    fputs(")", f);
  }
  fputs(".\n", f);
}

static void roff_items(FILE *f, const rmx_command *c) {
  rmx_command_item item;
  fputs(".SH ", f);
  for (const char *at = c->items; *at; at++) fputc(toupper((unsigned char)*at), f);
  fputc('\n', f);
  for (size_t i = 0; c->item(i, &item); i++) {
    fprintf(f, ".TP\n.B %s\n", item.name);
    roff_text(f, item.help);
    fputs(".\n", f);
    if (*item.suits) {
      roff_text(f, item.suits);
      fputs(".\n", f);
    }
    if (*item.source) {
      roff_text(f, item.source);
      fputs(".\n", f);
    }
  }
}

void rmx_man_command(const rmx_program *p, const rmx_command *c, FILE *f) {
  const rmx__texts t = rmx__texts_of(p, c);
  fprintf(f, ".TH REGMIX-%s 1 \"\" \"regmix %s\"\n.SH NAME\nregmix-%s \\- %s\n", c->name,
          rmx_version(), c->name, c->summary);
  fprintf(f, ".SH SYNOPSIS\n.B regmix %s\n[options] %s\n", c->name, c->words);
  if (t.about) {
    fputs(".SH DESCRIPTION\n", f);
    roff_text(f, t.about);
    fputc('\n', f);
  }
  if (c->items) roff_items(f, c);
  fputs(".SH OPTIONS\n", f);
  size_t n;
  const rmx_option *options = rmx_command_options(c, &n);
  for (size_t i = 0; i < n; i++) roff_option(f, "\\-\\-", &options[i], options[i].initial);
  for (size_t i = 0; i < p->n_common; i++) roff_option(f, "\\-\\-", &p->common[i], NULL);
  if (t.examples) {
    fputs(".SH EXAMPLES\n.nf\n", f);
    roff_text(f, t.examples);
    fputs(".fi\n", f);
  }
  fputs(
      ".SH EXIT STATUS\n0 done, 1 failed, 2 misuse of the command line, 130 interrupted by a "
      "signal, 75 if the signal was SIGUSR1.\n.SH SEE ALSO\n.BR regmix (1)\n",
      f);
  free(t.about), free(t.examples);
}

void rmx_man_overview(const rmx_program *p, FILE *f) {
  fprintf(f,
          ".TH REGMIX 1 \"\" \"regmix %s\"\n.SH NAME\nregmix \\- data mixtures for language "
          "models, by regression\n",
          rmx_version());
  fputs(
      ".SH SYNOPSIS\n.B regmix\nCOMMAND [options]\n.SH DESCRIPTION\nFinds in which proportions the "
      "domains of a corpus should be mixed to pre\\-train a language model. It trains many\nsmall "
      "proxy models on random mixtures, fits their losses as a function of the mixture, and "
      "searches for the minimum.\n.SH COMMANDS\n",
      f);
  for (size_t i = 0; i < p->n; i++)
    if (!p->commands[i]->hidden)
      fprintf(f, ".TP\n.BR regmix\\-%s (1)\n%s\n", p->commands[i]->name, p->commands[i]->summary);
  fputs(
      ".SH CONFIGURATION\nThe settings of an experiment are in regmix.yaml: see\n.BR regmix.yaml "
      "(5).\n.SH EXIT STATUS\n0 done, 1 failed, 2 misuse of the command line, 130 interrupted by a "
      "signal, 75 if the signal was SIGUSR1.\nWith \\-\\-json every command prints one JSON object "
      "on stdout. If it fails, this "
      "object is\n{\"error\": {\"message\": TEXT, \"exit_code\": N}}.\n.SH ENVIRONMENT\n.TP\n.B "
      "REGMIX_ISA\nThe processor level of the kernels, if the config does not set it.\n.TP\n.B "
      "NO_COLOR\nIf set, warnings have no colour.\n.TP\n.B TERM\nIf \"dumb\" or unset, progress is "
      "printed in plain lines.\n",
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
      return "a duration in seconds, or a number with s, min, h or d after it";
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

// regmix.yaml(5), from the same tables as the config itself.
void rmx_man_config(FILE *f) {
  fprintf(f,
          ".TH REGMIX.YAML 5 \"\" \"regmix %s\"\n.SH NAME\nregmix.yaml \\- the settings of an "
          "experiment of regmix\n",
          rmx_version());
  fputs(
      ".SH DESCRIPTION\nAn experiment is a folder with a file regmix.yaml.\n.BR regmix\\-init "
      "(1)\nwrites this file with every default as a comment.\nThe key \"proxy.lr\" is the key lr "
      "in the map proxy. The command line can set any key: \\-\\-set proxy.lr=0.001.\nThe steps "
      "write resolved.yaml, which contains all keys with the values that were used.\n.PP\nThree "
      "keys "
      "are maps with names of your own.\n.TP\n.B corpus.domains\nMap from each domain to its "
      "files: a glob or a list of globs, or a map with files, valid_files, valid_only, text_field, "
      "separator and encoding.\n.TP\n.B target\nThe metric (or domain) to improve, or a map from "
      "metric to "
      "weight.\n.TP\n.B swarms\nMap from a name to settings: further proxies of another size or "
      "length. A swarm has the keys of proxy, and takes from proxy those that it does not give (of "
      "another model also the layers, heads, width and ffn). Its key runs is the number of the "
      "mixtures that it trains, from the first (default: all). One fit takes the runs of all "
      "swarms, and the optimum is searched for the large model, or for optimize.for.\n.SH "
      "EXAMPLE\n.nf\ncorpus:\n  domains:\n    web: text/web/*.jsonl.gz\n    books: "
      "text/books/*.txt\n    exam: {files: text/exam.txt, valid_only: true}\ntarget: exam\nproxy: "
      "{tokens: 2M}\nswarms:\n  larger: {model: 1M, tokens: 8M, runs: 16}\n.fi\n.SH KEYS\n",
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
