// SPDX-License-Identifier: Apache-2.0
// What the commands share: the table of them, their parsed arguments, the terminal.
#ifndef RMX_CLI_CLI_H
#define RMX_CLI_CLI_H

#include <regmix/command.h>
#include <regmix/pipeline.h>
#include <stdarg.h>

#include "base/json.h"

// Options every command takes.
typedef struct cli_common {
  char *folder;          // -C: the experiment; NULL: the current folder
  rmx_strings settings;  // --set key=value
  bool json, quiet, verbose;
} cli_common;

typedef struct cli {
  const rmx_program *all;  // the commands
  const rmx_command *command;
  const char *program;  // path of this program, to start workers with
  cli_common common;
  void *own;          // the command's own options
  rmx_strings words;  // the arguments that are not options
  rmx_strings given;  // an option with one value that was given, then that value, and so on
  rmx_strings how;    // the options of rmx_optimize_options that were given: "samples=1000"
  rmx_listener listener;
  bool to_stdout;         // --out - was given, or a name of standard output
  bool part;              // --slice was given
  rmx_comm *comm;         // the ranks that mpirun started
  rmx_pipeline pipeline;  // of the experiment, once cli_open was called
} cli;

extern const rmx_command cli_init, cli_check, cli_plan, cli_prepare, cli_sample, cli_train, cli_fit,
    cli_score, cli_predict, cli_optimize, cli_suggest, cli_pretrain, cli_compare, cli_export,
    cli_domains, cli_report, cli_status, cli_gc, cli_bench, cli_run, cli_worker, cli_help, cli_man,
    cli_completion, cli_complete, cli_correlate, cli_doctor, cli_encode, cli_eval, cli_launch,
    cli_logits, cli_generate;
// The options of a command, and the struct that they fill.
#define CLI_OPTIONS(table, type) \
  .options = table, .n_options = sizeof table / sizeof *table, .own_size = sizeof(type)
enum { N_COMMON = 5 };
extern const rmx_option cli_common_options[N_COMMON];

// Parses argv after the command's name into c->common, c->own, c->words. *help: --help was given.
rmx_status cli_parse(cli *c, int argc, char **argv, bool *help, rmx_err *err);
// Opens the experiment of -C, or of `yaml`, with --set applied, as c->pipeline. `needed`: it must
// have a regmix.yaml.
rmx_status cli_open(cli *c, const char *yaml, bool needed, rmx_err *err);
// Reads a JSON file of the experiment. RMX_EINPUT where another process replaced a file that this
// command left, this one or another.
rmx_status cli_read(const cli *c, const char *name, json_t **tree, rmx_err *err);
// Runs steps as a dry run, and prints what each would do.
rmx_status cli_dry_run(cli *c, rmx_status (*steps)(rmx_pipeline *, rmx_err *), rmx_err *err);

extern const char cli_commit[];  // that is built; "" where that is not known, as from a tarball
void cli_print_version(bool json);
void cli_tell_version(const rmx_listener *to);  // with --verbose

// With --json a command prints one object and nothing else on stdout: this takes the tree over and
// prints it, the first time; main prints {"error": {"message", "exit_code"}} where a command fails
// before.
void cli_print_json(json_t *tree);
bool cli_printed_json(void);
// Prints a result, as JSON or for people, and releases it.
rmx_status cli_show(const cli *c, json_t *tree, void (*print)(const json_t *tree));
// The number of a key, or its text; 0 and "" where there is none.
double cli_get(const json_t *o, const char *key);
double cli_known(const json_t *o, const char *key);  // NAN: it is no number
const char *cli_text(const json_t *o, const char *key);
#define CLI_STDOUT "/dev/fd/1"  // what `--out -` stands for
bool cli_is_stdout(const char *out);
bool cli_means_stdout(const char *given);  // "-", or a file that is standard output
// Text, or a table as CSV, on stdout: as it is, but on a terminal without what would move its
// cursor.
void cli_print_text(const rmx_buf *text);
rmx_status cli_print_table(const rmx_table *t, rmx_err *err);
// What a person reads: like printf, but lines are wrapped on a terminal. A line that is printed in
// several parts ends before anything else is printed.
void cli_print(const char *fmt, ...) RMX_PRINTF(1, 2);
char *cli_vformat(const char *fmt, va_list args);  // NULL: no memory
// A table: its heads are the first row. align: 'l' or 'r' for each column; in upper case for one
// that may be left out where it is the same in all rows. Printing releases the cells.
typedef struct cli_table {
  const char *align;
  int indent;
  rmx_strings cells;
  bool failed;
} cli_table;
void cli_cell(cli_table *t, const char *fmt, ...) RMX_PRINTF(2, 3);
void cli_table_print(cli_table *t);
enum { CLI_NUMBER = 32 };
// x with `digits` digits, after the point (form 'f') or in all ('g'); "-" if it is unknown.
const char *cli_number(double x, int digits, char form, char out[CLI_NUMBER]);

#endif
