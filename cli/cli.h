// SPDX-License-Identifier: Apache-2.0
// What the commands share: the table of them, their parsed arguments, the terminal.
#ifndef REGMIX_CLI_H
#define REGMIX_CLI_H

#include <regmix/base.h>
#include <regmix/pipeline.h>

#include "base/json.h"

// Options every command takes.
typedef struct cli_common {
  char *folder;          // -C: the experiment; NULL: the current folder
  rmx_strings settings;  // --set key=value
  bool json, quiet, verbose;
} cli_common;

typedef struct cli {
  const struct cli_command *command;
  const char *program;  // path of this program, to start workers with
  cli_common common;
  void *own;          // the command's own options
  rmx_strings words;  // what is no option
  rmx_listener listener;
  rmx_pipeline pipeline;  // of the experiment, once cli_open was called
} cli;

// What a command chooses from: a line of its help, a paragraph of its man page.
typedef struct cli_item {
  const char *name, *help;
  const char *suits, *source;  // for which question; the paper; either may be empty
} cli_item;

typedef struct cli_command {
  const char *name;
  const char *words;  // "[REGMIX.YAML]", "": takes none
  int most_words;
  const char *summary;   // one line, lower case, no full stop
  const char *about;     // paragraphs; blank lines between
  const char *examples;  // "command\n    what it does\n..."
  const rmx_option *options;
  size_t n_options, own_size;
  // "Methods": heads the list of them; NULL: there is none
  const char *items;
  bool (*item)(size_t i, cli_item *out);  // false: there are no more
  rmx_status (*run)(cli *c, rmx_err *err);
  bool hidden;
} cli_command;

extern const cli_command cli_init, cli_check, cli_plan, cli_prepare, cli_sample, cli_train, cli_fit,
    cli_score, cli_predict, cli_optimize, cli_suggest, cli_pretrain, cli_compare, cli_export,
    cli_domains, cli_report, cli_status, cli_gc, cli_bench, cli_run, cli_worker, cli_help, cli_man,
    cli_completion, cli_complete, cli_doctor;
extern const cli_command *const cli_commands[];
extern const size_t cli_commands_n;
extern const rmx_option cli_common_options[];
extern const size_t cli_common_options_n;
const cli_command *cli_find(const char *name);

// Parses argv behind the command's name into c->common, c->own, c->words. *help: it was asked for.
rmx_status cli_parse(cli *c, int argc, char **argv, bool *help, rmx_err *err);
// Opens the experiment of -C, or of `yaml`, with --set applied, as c->pipeline. `needed`: it must
// have a regmix.yaml.
rmx_status cli_open(cli *c, const char *yaml, bool needed, rmx_err *err);
// Runs steps as a dry run, and prints what each would do.
rmx_status cli_dry_run(cli *c, rmx_status (*steps)(rmx_pipeline *, rmx_err *), rmx_err *err);

// Each as text, or as one JSON object.
void cli_print_help(FILE *f, const cli_command *command, bool json);
void cli_print_overview(FILE *f, bool json);
extern const char cli_commit[];  // that is built; "" where that is not known, as from a tarball
void cli_print_version(bool json);
void cli_tell_version(const rmx_listener *to);  // with --verbose

// The listener that writes to stderr: notes and warnings as lines, progress as one line that moves
// on a terminal, and as a line now and then elsewhere.
rmx_listener cli_terminal(const cli_common *common);
void cli_clear_progress(void);
// With --json a command prints one object and nothing else on stdout: this takes the tree over and
// prints it, the first time; main prints {"error": {"message", "exit_code"}} where a command fails
// before.
void cli_print_json(json_t *tree);
bool cli_printed_json(void);
// {run: {column: number}}, null for what is no number; NULL when memory is short.
json_t *cli_table_json(const rmx_table *t);
// Columns that a text takes on a terminal; the width to give to printf's "%-*s" for it to take
// `width` of them.
int cli_columns(const char *text);
int cli_pad(const char *text, int width);
// The name without what would move a terminal's cursor; the last 8 that were changed (and cut at
// 255 bytes) stay.
const char *cli_shown(const char *name);
// Columns that the longest of some names takes, at least `least`.
int cli_width(char *const *names, size_t n, int least);
enum { CLI_NUMBER = 32 };
// x with so many digits, behind the point (form 'f') or in all ('g'); "-" where it is not known.
const char *cli_number(double x, int digits, char form, char out[CLI_NUMBER]);

#endif
