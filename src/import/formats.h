// SPDX-License-Identifier: Apache-2.0
// The formats of a table. Each has a function that recognises it and a function that reads it.
#ifndef RMX_IMPORT_FORMATS_H
#define RMX_IMPORT_FORMATS_H

#include <regmix/import.h>

typedef struct rmx__source {
  const char *path;
  const rmx_import_options *options;
  const rmx_listener *listener;
  bool folder, pattern;    // what the path is; neither: a file
  rmx_strings files;       // in the folder and in those in it, or of the pattern: sorted paths
  const rmx_cells *cells;  // of a file that is CSV, else NULL
} rmx__source;

typedef struct rmx__table_format {
  const char *name, *help;
  bool (*sniff)(const rmx__source *s);
  rmx_status (*read)(const rmx__source *s, rmx_table *out, rmx_err *err);
} rmx__table_format;

extern const rmx__table_format rmx__format_csv, rmx__format_olmix, rmx__format_wandb,
    rmx__format_yaml, rmx__format_harness, rmx__format_tensorboard, rmx__format_wandb_offline,
    rmx__format_chart, rmx__format_long, rmx__format_mlflow, rmx__format_history,
    rmx__format_blends;

// How a format interprets the columns and rows of its CSV.
typedef struct rmx__view {
  size_t id;            // column with the names of the runs; SIZE_MAX: the row numbers
  const bool *skip;     // (C) columns that never contain values, or NULL
  const bool *out;      // (N) rows left out, or NULL
  bool guess;           // the table contains more than values: choose columns by their names
  bool may_lack_names;  // the column `id` may hold values: then the row numbers name the runs
} rmx__view;
// Reads the table of a view: the requested columns, with each cell checked.
rmx_status rmx__import_view(const rmx__source *s, const rmx__view *view, rmx_table *out,
                            rmx_err *err);

// The columns of a table that are read.
typedef struct rmx__chosen {
  const rmx__source *s;
  const bool *chosen;  // (C)
  const bool *out;     // (N) rows left out, or NULL
} rmx__chosen;
// Settings of the runs among them (settings.c). Of mixtures, RMX_EINPUT: the rows sum to 1 or to
// 100 without some columns, and not with them. Of metrics: a warning, by the names.
rmx_status rmx__check_weights(const rmx__chosen *c, rmx_err *err);
void rmx__tell_settings(const rmx__chosen *c);

// Reads cells that were gathered, with the name of the run in the column `id`. guess: as in a view.
struct rmx__gather;
rmx_status rmx__import_gathered(const rmx__source *s, const struct rmx__gather *g, const char *id,
                                const char *missing, bool guess, rmx_table *out, rmx_err *err);

// Whether column j holds the size or the tokens of the runs (scales.c).
bool rmx__is_scale(const rmx__source *s, size_t j);
// Reads these columns into out->sizes and out->tokens. left_out (N): rows that are not in `out`, or
// NULL.
rmx_status rmx__import_scales(const rmx__source *s, const bool *left_out, rmx_table *out,
                              rmx_err *err);

// Whether a cell says that there is no value ("", "-", "NA"), and whether it is a number.
bool rmx__is_missing(const char *text);
bool rmx__is_number(const char *text, double *out);

// Whether the cells are a table of mixtures as regmix writes it: "run", then weights that sum to 1.
// Its domains have any names, also those that other programs give to columns.
bool rmx__is_own_table(const rmx__source *s);

// in any case; SIZE_MAX: there is none
size_t rmx__column_called(const rmx_cells *c, const char *name);
// Whether this is the header of the row numbers that a data frame saves ("" or "Unnamed: 0").
bool rmx__is_row_number(const char *header);
// The column with the names of the runs of a plain table: the first one, unless it has row numbers,
// values or the like, and another column has the names. rmx__tell_id notes that.
rmx_status rmx__id_column(const rmx__source *s, size_t *id, rmx_err *err);
void rmx__tell_id(const rmx__source *s, size_t id);
// The column of the steps ("step", "tokens", ...), or SIZE_MAX; and the step of row i, such as 1000
// or 2B.
size_t rmx__step_column(const rmx_cells *c);
bool rmx__is_step(const char *header);
rmx_status rmx__step_of(const rmx_cells *c, size_t i, size_t column, double *step, rmx_err *err);
// Warns of values that were given twice for one run and one step.
void rmx__tell_again(const rmx__source *s, size_t again);
// The column State or status that contains a finished run, or SIZE_MAX.
size_t rmx__state_column(const rmx_cells *c);
// Marks the rows (N) whose run did not finish, and reports their names from column `name`. If none
// finished, that is an error. many: a run has many rows. state SIZE_MAX: no run is left out.
rmx_status rmx__leave_unfinished(const rmx__source *s, size_t state, size_t name, bool many,
                                 bool *left_out, rmx_err *err);

// Formats that are recognised but not read (refuse.c), by the first bytes of a file. The error
// names the format and explains what to do.
rmx_status rmx__refuse_text(const char *path, rmx_err *err);
// Whether a text is "weight path weight path ..."; `whole`: it does not go on.
bool rmx__is_blend(const char *text, bool whole);

// Compares names so that n2 comes before n10: for qsort of char *.
int rmx__by_number(const void *a, const void *b);

// A file of a run, and its run (run_files.c).
typedef struct rmx__run_file {
  char *path, *run;
  char *order;  // the date in its name: the newest result of a task counts
  char *below;  // the folders between that of the run and the file: "version_0", ""
} rmx__run_file;
typedef struct rmx__run_files {
  rmx__run_file *items;  // (n) by run, then date
  size_t n;
} rmx__run_files;
typedef struct rmx__file_kind {
  bool (*is)(const char *path);
  const char *name;  // ".json file"
  bool by_stem;      // where all files are in one folder, the name of a file names its run
} rmx__file_kind;
rmx_status rmx__run_files_find(const rmx__source *s, const rmx__file_kind *kind,
                               rmx__run_files *out, rmx_err *err);
void rmx__run_files_release(rmx__run_files *f);

// Results of OLMES and lighteval in the layout of the harness (olmes.c). *out: a new reference;
// NULL: they are neither.
struct json_t;
rmx_status rmx__as_harness(struct json_t *tree, struct json_t **out, rmx_err *err);

// Moves row `from` to row `to`, whose name is gone.
void rmx__table_move_row(rmx_table *t, size_t from, size_t to);

#endif
