// SPDX-License-Identifier: Apache-2.0
// Reads a table of runs in any format: the first format that recognises it reads it.

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "formats.h"

// The plain table is last, since it accepts every CSV.
static const rmx__table_format *const formats[] = {&rmx__format_harness, &rmx__format_yaml,
                                                   &rmx__format_wandb, &rmx__format_olmix,
                                                   &rmx__format_csv};
enum { FORMATS = sizeof formats / sizeof *formats };

bool rmx__ends_in(const char *text, const char *suffix) {
  size_t n = strlen(text), m = strlen(suffix);
  return n >= m && strcmp(text + n - m, suffix) == 0;
}

static rmx_status unknown_form(const char *path, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf known = {0};
  for (size_t i = 0; i < FORMATS; i++)
    rmx_buf_printf(&known, "%s%s", i ? "; " : "", formats[i]->help);
  return rmx_fail(err, RMX_EINPUT, "%s: unknown format of a table; wanted %s", path,
                  known.failed ? "CSV" : known.data);
}

rmx_status rmx_import_table(const char *path, const rmx_import_options *options,
                            const rmx_listener *listener, rmx_table *out, rmx_err *err) {
  *out = (rmx_table){0};
  rmx_cells cells = {0};
  struct stat info;
  bool there = stat(path, &info) == 0;
  rmx__source s = {.path = path, .options = options, .listener = listener};
  s.folder = there && S_ISDIR(info.st_mode);
  s.pattern = !there && strpbrk(path, "*?[") != NULL;
  rmx_status status = RMX_OK;
  if (!s.folder && !s.pattern && !rmx__ends_in(path, ".json") && !rmx__ends_in(path, ".yaml") &&
      !rmx__ends_in(path, ".yml")) {
    RMX_TRY(rmx__refuse_text(path, err));
    RMX_TRY(rmx_csv_cells(path, &cells, err));
    s.cells = &cells;
    status = rmx__refuse_cells(&s, err);
  }
  const rmx__table_format *format = NULL;
  for (size_t i = 0; i < FORMATS && !format && status == RMX_OK; i++)
    if (formats[i]->sniff(&s)) format = formats[i];
  if (status == RMX_OK) status = format ? format->read(&s, out, err) : unknown_form(path, err);
  if (status == RMX_OK && !out->path && !(out->path = rmx_strdup(path)))
    status = rmx_fail_memory(err, strlen(path), "a path");
  rmx_cells_release(&cells);
  if (status != RMX_OK) rmx_table_release(out);
  return status;
}
