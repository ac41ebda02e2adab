/* command.h: a program of commands: the table of them, their help, man pages and completion, and a
 * listener for a terminal. All of it is read off the option tables.
 *
 * Uses: base, kernels, model, regress, optimize, baselines, experiment, export.
 */
#ifndef RMX_COMMAND_H
#define RMX_COMMAND_H

#include <regmix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cli; /* what a command is given: the program defines it */

/* What a command chooses from: a line of its help, a paragraph of its man page. */
typedef struct rmx_command_item {
  const char *name, *help;
  const char *suits, *source; /* which problem it suits; the paper; either may be empty */
} rmx_command_item;

typedef struct rmx_command {
  const char *name;
  const char *words; /* "[REGMIX.YAML]"; "": takes none */
  int max_words;
  const char *summary;        /* one line, lower case, no full stop */
  const rmx_option *options;  /* its own; see rmx_command_options */
  size_t n_options, own_size; /* of the struct that the options fill */
  /* Offsets in that struct of an rmx_problem_options and an rmx_optimize_options, for a command
   * that takes the options of rmx_search_option_table; 0: it takes none */
  size_t problem_at, how_at;
  const char *items; /* "Methods": heads the list of them; NULL: there is none */
  bool (*item)(size_t i, rmx_command_item *out); /* false: there are no more */
  rmx_status (*run)(struct cli *c, rmx_err *err);
  bool hidden;
} rmx_command;

typedef struct rmx_program {
  const rmx_command *const *commands; /* (n) in the order of the help */
  size_t n;
  const rmx_option *common; /* (n_common) options of every command */
  size_t n_common;
  /* What a command does, in paragraphs; then a line "Examples:" and commands, each with what it
   * does below it. NULL: nothing to add to the summary. */
  const char *(*text)(const char *command);
} rmx_program;

/* All options of a command but the common ones: its own, then those of rmx_search_option_table,
 * with "-" for "_". Valid until the next call for another command in this thread. */
const rmx_option *rmx_command_options(const rmx_command *c, size_t *n);
/* An option that was given: if it says how to search (of how_at), it is also added to `how` as a
 * setting of the config, "samples=1000". */
rmx_status rmx_command_keep_how(const rmx_command *c, const rmx_option *o, const char *value,
                                rmx_strings *how, rmx_err *err);
/* RMX_EUSAGE for an empty name of a file or folder. */
rmx_status rmx_check_place(const rmx_option *o, const char *value, rmx_err *err);
/* The value names a file or folder that is written: see rmx_keep_others(). */
bool rmx_names_output(const rmx_option *o);
const rmx_command *rmx_command_find(const rmx_program *p, const char *name); /* NULL: none */

/* ---- help: each as text, 80 columns wide or as a narrower terminal is, or as a JSON object (a new
 * reference) */
void rmx_help_overview(const rmx_program *p, FILE *f);
void rmx_help_command(const rmx_program *p, const rmx_command *c, FILE *f);
void rmx_help_config(FILE *f); /* the keys of regmix.yaml */
struct json_t *rmx_help_overview_json(const rmx_program *p);
struct json_t *rmx_help_command_json(const rmx_program *p, const rmx_command *c);
struct json_t *rmx_help_config_json(void);

/* ---- man pages, as roff */
void rmx_man_overview(const rmx_program *p, FILE *f);
void rmx_man_command(const rmx_program *p, const rmx_command *c, FILE *f);
void rmx_man_config(FILE *f); /* regmix.yaml(5) */

/* ---- completion */

/* The script of a shell; NULL: none for it. */
const char *rmx_completion_script(const char *shell);
/* What the last of these words (n) could become, the command first: "candidate<TAB>help" lines into
 * `f`, or strings into the JSON list. ":files" and ":folders" stand for the shell's own names. */
void rmx_complete(const rmx_program *p, char *const *words, size_t n, FILE *f, struct json_t *list);

/* ---- a listener for a terminal */

/* Writes to stderr: notes and warnings as lines, progress as one line that moves on a terminal, and
 * as a line now and then elsewhere. One a process. */
rmx_listener rmx_terminal(bool quiet, bool verbose);
void rmx_terminal_clear(void); /* takes the line of progress away, if there is one */

/* Columns of the terminal behind a file descriptor; 80 where there is none. */
int rmx_terminal_columns(int fd);
/* Prints a text. On a terminal its lines are wrapped between words; `at` columns of the first are
 * taken already. A word that is wider stays whole. */
void rmx_print_wrapped(FILE *f, const char *text, int at);
/* The name, or if it takes more than `width` columns (4 or more) its ends, "dolma..v2", in out. */
#define RMX_CUT 512
const char *rmx_cut(const char *name, int width, char out[RMX_CUT]);
/* The least width of `width` and more at which these names (n), cut, still differ. */
int rmx_cut_width(const char *const *names, size_t n, int width);

/* Columns that a text takes on a terminal; the width to give to printf's "%-*s" for it to take
 * `width` of them. */
int rmx_columns(const char *text);
int rmx_pad(const char *text, int width);
/* The name without what would move a terminal's cursor; the last 8 that were changed (and cut at
 * 255 bytes) stay. */
const char *rmx_shown(const char *name);
/* Columns that the longest of some names needs, or `min` if that is more. */
int rmx_width(const char *const *names, size_t n, int min);

#ifdef __cplusplus
}
#endif
#endif
