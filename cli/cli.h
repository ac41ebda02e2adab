// SPDX-License-Identifier: Apache-2.0
// What the commands share: the table of them, their parsed arguments, the terminal.
#ifndef REGMIX_CLI_H
#define REGMIX_CLI_H

#include <regmix/base.h>
#include <regmix/experiment.h>

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
  // NULL: the work is done; else it is only said what would be (dry_run.c)
  struct cli_dry_run *dry;
  bool *may_redo;  // finished runs may go out of use: --redo was given, or a person said yes
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
// Whether --set gave this key, or one below it.
bool cli_was_set(const cli *c, const char *key);
// What failed only once the data were known, such as a name that they do not have: misuse where the
// command line gave it (`typed`), which is what the exit code says. Not for what is wrong in a file
// that the command line names.
rmx_status cli_refused(bool typed, rmx_err *err);
// The other way round: a name that would be misuse on the command line came from a file.
rmx_status cli_from_file(bool from_file, rmx_err *err);

// Each as text, or as one JSON object.
void cli_print_help(FILE *f, const cli_command *command, bool json);
void cli_print_overview(FILE *f, bool json);
extern const char cli_commit[];  // that is built; "" where that is not known, as from a tarball
void cli_print_version(bool json);
void cli_tell_version(void);  // with --verbose

// The listener that writes to stderr: notes and warnings as lines, progress as one line that moves
// on a terminal, and as a line now and then elsewhere.
rmx_listener cli_terminal(const cli_common *common);
void cli_clear_progress(void);
// Progress from now on is of step i (from 1) of n: "step 3 of 7". n = 0: of nothing larger.
void cli_step(const char *noun, size_t i, size_t n);
// A line that only --verbose shows.
void cli_detail(const char *fmt, ...) RMX_PRINTF(1, 2);

// With --json a command prints one object and nothing else on stdout: this takes the tree over and
// prints it, the first time; main prints {"error": {"message", "exit_code"}} where a command fails
// before.
void cli_print_json(json_t *tree);
bool cli_printed_json(void);
// {run: {column: number}}, null for what is no number; NULL when memory is short.
json_t *cli_table_json(const rmx_table *t);
// Refuses an --out that is the file read (either may be NULL), or a table with one of these n runs
// in it.
rmx_status cli_keep_input(const char *out, const char *input, rmx_err *err);
rmx_status cli_keep_runs(const char *out, char *const *runs, size_t n, rmx_err *err);
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
// "1.23 M", "12 k": a count in few characters.
const char *cli_count(double x, char out[16]);
// "3 s", "4 min 10 s", "2 h 5 min".
const char *cli_duration(double seconds, char out[32]);

#endif
