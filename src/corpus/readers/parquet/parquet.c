// SPDX-License-Identifier: Apache-2.0
// A Parquet file is divided into row groups. Each has all its columns one after the other, in
// pages.
// Format: apache/parquet-format, README.md.
#include "parquet.h"

#include <stdlib.h>

#include "column.h"

struct rmx__parquet {
  rmx__random_access file;
  rmx__parquet_footer footer;
  rmx__parquet_column *columns;  // (footer.n)
  size_t texts;                  // columns that can be the text
  uint64_t most;
  size_t group;   // the next row group
  uint64_t left;  // rows of the present one
};

rmx_status rmx__parquet_open(rmx__input *file, const struct rmx__wanted *w, rmx__parquet **out,
                             rmx_err *err) {
  rmx__parquet *p = rmx_calloc(1, sizeof *p);
  rmx_status status;
  if (!p) return rmx_fail_memory(err, sizeof *p, file->path);
  p->most = w->most;
  p->texts = w->texts;
  RMX_TRY_GOTO(rmx__random_access_begin(&p->file, file, err), failed);
  RMX_TRY_GOTO(rmx__parquet_footer_read(&p->footer, &p->file, w, err), failed);
  p->columns = rmx_calloc(w->n, sizeof *p->columns);
  if (!p->columns) {
    status = rmx_fail_memory(err, w->n * sizeof *p->columns, file->path);
    goto failed;
  }
  for (size_t i = 0; i < w->n; i++) {
    p->columns[i].leaf = &p->footer.leaves[i];
    p->columns[i].file = &p->file;
  }
  *out = p;
  return RMX_OK;
failed:
  rmx__parquet_close(p);
  return status;
}

static bool is_missing(const rmx__parquet *p, size_t i) {
  return p->footer.leaves[i].ordinal == RMX__PARQUET_MISSING;
}

// Begins row groups until there is one with rows.
static rmx_status next_group(rmx__parquet *p, bool *more, rmx_err *err) {
  const size_t n = p->footer.n;
  while (p->left == 0) {
    for (size_t i = 0; i < n; i++)
      if (!is_missing(p, i)) RMX_TRY(rmx__parquet_column_end(&p->columns[i], err));
    *more = p->group < p->footer.groups;
    if (!*more) return RMX_OK;
    for (size_t i = 0; i < n; i++)
      if (!is_missing(p, i))
        rmx__parquet_column_begin(&p->columns[i], &p->footer.chunks[p->group * n + i],
                                  p->group + 1);
    p->left = p->footer.rows[p->group++];
  }
  *more = true;
  return RMX_OK;
}

rmx_status rmx__parquet_next(rmx__parquet *p, rmx_buf *const *values, bool *has, bool *cut,
                             bool *more, rmx_err *err) {
  RMX_TRY(next_group(p, more, err));
  if (!*more) return RMX_OK;
  *cut = false;
  for (size_t i = 0; i < p->footer.n; i++) {
    bool long_value;
    values[i]->size = 0;
    rmx_buf_add(values[i], "", 0);
    has[i] = false;
    if (is_missing(p, i)) continue;
    RMX_TRY(
        rmx__parquet_column_next(&p->columns[i], p->most, values[i], &has[i], &long_value, err));
    *cut = *cut || long_value;
    // A list can be the text; as a field it is not a single value.
    if (i >= p->texts && p->footer.leaves[i].max_rep) has[i] = false;
  }
  p->left--;
  return RMX_OK;
}

void rmx__parquet_close(rmx__parquet *p) {
  if (!p) return;
  for (size_t i = 0; p->columns && i < p->footer.n; i++)
    rmx__parquet_column_release(&p->columns[i]);
  rmx__parquet_footer_release(&p->footer);
  free(p->columns);
  free(p);
}
