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
  const rmx_cells *cells;  // of a file that is CSV, else NULL
} rmx__source;

typedef struct rmx__table_format {
  const char *name, *help;
  bool (*sniff)(const rmx__source *s);
  rmx_status (*read)(const rmx__source *s, rmx_table *out, rmx_err *err);
} rmx__table_format;

extern const rmx__table_format rmx__format_csv, rmx__format_olmix, rmx__format_wandb,
    rmx__format_yaml, rmx__format_harness;

// How a format interprets the columns and rows of its CSV.
typedef struct rmx__view {
  size_t id;         // column with the names of the runs; SIZE_MAX: the row numbers
  const bool *skip;  // (C) columns that never contain values, or NULL
  const bool *out;   // (N) rows left out, or NULL
  bool guess;        // the table contains more than values: choose columns by their names
} rmx__view;
// Reads the table of a view: the requested columns, with each cell checked.
rmx_status rmx__import_view(const rmx__source *s, const rmx__view *view, rmx_table *out,
                            rmx_err *err);

// Whether column j holds the size or the tokens of the runs (scales.c).
bool rmx__is_scale(const rmx__source *s, size_t j);
// Reads these columns into out->sizes and out->tokens. left_out (N): rows that are not in `out`, or
// NULL.
rmx_status rmx__import_scales(const rmx__source *s, const bool *left_out, rmx_table *out,
                              rmx_err *err);

// in any case; SIZE_MAX: there is none
size_t rmx__column_called(const rmx_cells *c, const char *name);
// The column State or status that contains a finished run, or SIZE_MAX.
size_t rmx__state_column(const rmx_cells *c);
// Marks the rows (N) whose run did not finish, and reports their names from column `name`. If none
// finished, that is an error.
rmx_status rmx__leave_unfinished(const rmx__source *s, size_t state, size_t name, bool *left_out,
                                 rmx_err *err);

// Formats that are recognised but not read (refuse.c). The error names the format and explains what
// to do. By the first bytes of a file; by its header and cells.
rmx_status rmx__refuse_text(const char *path, rmx_err *err);
rmx_status rmx__refuse_cells(const rmx__source *s, rmx_err *err);

// Compares names so that n2 comes before n10: for qsort of char *.
int rmx__by_number(const void *a, const void *b);
bool rmx__ends_in(const char *text, const char *suffix);

// One results file of the harness and its run.
typedef struct rmx__results_file {
  char *path, *run, *order;  // order: the date in its name; the newest result of a task counts
} rmx__results_file;
typedef struct rmx__results_files {
  rmx__results_file *items;  // (n) by run, then date
  size_t n;
} rmx__results_files;
rmx_status rmx__find_results(const rmx__source *s, rmx__results_files *out, rmx_err *err);
void rmx__results_files_release(rmx__results_files *f);

#endif
