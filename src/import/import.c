// SPDX-License-Identifier: Apache-2.0
// Reads a table of runs in any format: the first format that recognises it reads it.

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "formats.h"

// In the order in which they are asked: first by the path and the first bytes of files, then, of a
// file that is CSV, by its header and cells. The plain table is last, since it accepts every CSV.
static const rmx__table_format *const formats[] = {
    &rmx__format_tensorboard, &rmx__format_wandb_offline, &rmx__format_blends, &rmx__format_harness,
    &rmx__format_yaml,        &rmx__format_chart,         &rmx__format_mlflow, &rmx__format_wandb,
    &rmx__format_long,        &rmx__format_history,       &rmx__format_olmix,  &rmx__format_csv};
enum { FORMATS = sizeof formats / sizeof *formats, DEEPEST = 8 };

static rmx_status unknown_form(const char *path, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf known = {0};
  for (size_t i = 0; i < FORMATS; i++)
    rmx_buf_printf(&known, "%s%s", i ? "; " : "", formats[i]->help);
  return rmx_fail(err, RMX_EINPUT, "%s: unknown format of a table; wanted %s", path,
                  known.failed ? "CSV" : known.data);
}

// The files in a folder and in the folders in it.
static rmx_status walk(const char *folder, int depth, rmx_strings *out, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  RMX_TRY(rmx_list(folder, &names, err));
  for (size_t i = 0; i < names.n; i++) {
    RMX_OWNED char *path = rmx_path_in(folder, names.items[i]);
    struct stat info;
    if (!path) return rmx_fail_memory(err, 64, folder);
    if (stat(path, &info) != 0) continue;  // a link to nothing
    if (S_ISDIR(info.st_mode))
      RMX_TRY(depth < DEEPEST ? walk(path, depth + 1, out, err) : RMX_OK);
    else if (S_ISREG(info.st_mode) && !rmx_strings_add(out, path))
      return rmx_fail_memory(err, 64, folder);
  }
  return RMX_OK;
}

static const rmx__table_format *recognise(const rmx__source *s) {
  if (rmx__is_own_table(s)) return &rmx__format_csv;
  for (size_t i = 0; i < FORMATS; i++)
    if (formats[i]->sniff(s)) return formats[i];
  return NULL;
}

// Mixtures of another format in the folder are not read. A folder of Weights & Biases has files of
// its own that look like some.
static void warn_of_others(const rmx__source *s, const rmx__table_format *taken) {
  rmx_few others = {0};
  const char *help = NULL;
  if (s->options->what != RMX_IMPORT_MIXTURES || taken == &rmx__format_wandb_offline) return;
  for (size_t i = 0; s->folder && i < s->files.n; i++) {
    const rmx__source one = {.path = s->files.items[i], .options = s->options};
    const rmx__table_format *f = recognise(&one);
    if (!f || f == taken) continue;
    rmx_few_add(&others, s->files.items[i] + strlen(s->path) + 1);
    help = f->name;
  }
  if (others.n)
    rmx_warn(s->listener,
             "%s: it is read as %s; %zu file%s of another kind (%s) %s not read: %s; put each kind "
             "into a folder of its own",
             s->path, taken->name, others.n, rmx_s(others.n), help, rmx_is(others.n), others.text);
}

static rmx_status look(rmx__source *s, rmx_err *err) {
  struct stat info;
  const bool there = stat(s->path, &info) == 0;
  s->folder = there && S_ISDIR(info.st_mode);
  s->pattern = !there && strpbrk(s->path, "*?[") != NULL;
  if (s->folder) return walk(s->path, 0, &s->files, err);
  return s->pattern ? rmx_glob(s->path, &s->files, err) : RMX_OK;
}

static rmx_status read_source(rmx__source *s, rmx_cells *cells, rmx_table *out, rmx_err *err) {
  const rmx__table_format *format = recognise(s);
  if (!format && !s->folder && !s->pattern) {
    RMX_TRY(rmx__refuse_text(s->path, err));
    RMX_TRY(rmx_csv_cells(s->path, cells, err));
    s->cells = cells;
    format = recognise(s);
  }
  RMX_TRY(format ? format->read(s, out, err) : unknown_form(s->path, err));
  warn_of_others(s, format);
  if (!out->path && !(out->path = rmx_strdup(s->path)))
    return rmx_fail_memory(err, strlen(s->path), "a path");
  return RMX_OK;
}

rmx_status rmx_import_table(const char *path, const rmx_import_options *options,
                            const rmx_listener *listener, rmx_table *out, rmx_err *err) {
  rmx_cells cells = {0};
  rmx__source s = {.path = path, .options = options, .listener = listener};
  *out = (rmx_table){0};
  rmx_status status = look(&s, err);
  if (status == RMX_OK) status = read_source(&s, &cells, out, err);
  rmx_cells_release(&cells);
  rmx_strings_release(&s.files);
  if (status != RMX_OK) rmx_table_release(out);
  return status;
}
