// SPDX-License-Identifier: Apache-2.0
// Columns by their dotted paths.
#include "column_names.h"

#include <string.h>

// Whether the dotted path of column i is `wanted`. With `all`, the levels of lists are part of it.
static bool has_path(const struct rmx__column_name *names, size_t i, const char *wanted, bool all) {
  size_t n = strlen(wanted);
  for (bool first = true; i; i = names[i].parent) {
    if (names[i].part_of_list && !all) continue;
    if (!first && (n == 0 || wanted[--n] != '.')) return false;
    const size_t size = names[i].size;
    if (size > n || memcmp(wanted + n - size, names[i].name, size) != 0) return false;
    n -= size;
    first = false;
  }
  return n == 0;
}

size_t rmx__column_find(const struct rmx__column_name *names, size_t n, const char *path) {
  for (int all = 0; all < 2; all++)
    for (size_t i = 1; i < n; i++)
      if ((all || !names[i].part_of_list) && has_path(names, i, path, all)) return i;
  return 0;
}

// Appends the path of column i below `from`.
static void add_path(const struct rmx__column_name *names, size_t i, size_t from, rmx_buf *out) {
  size_t chain[RMX__COLUMN_DEPTH], n = 0;
  for (; i != from && n < RMX__COLUMN_DEPTH; i = names[i].parent)
    if (!names[i].part_of_list) chain[n++] = i;
  while (n--) {
    rmx_buf_add(out, names[chain[n]].name, names[chain[n]].size);
    if (n) rmx_buf_puts(out, ".");
  }
}

static rmx_status fail(const struct rmx__column_name *names, size_t from, size_t end,
                       const char *file, const char *what, const char *path, const char *then,
                       rmx_err *err) {
  enum { SOME = 500 };
  rmx_buf list = {0};
  const char *separator = "";
  for (size_t i = from + 1; i < end; i++) {
    if (names[i].end > i + 1) continue;  // it has parts
    rmx_buf_puts(&list, separator);
    if (list.size > SOME) {
      rmx_buf_puts(&list, "...");
      break;
    }
    add_path(names, i, from, &list);
    separator = ", ";
  }
  if (list.data) rmx_make_printable(list.data, "");
  rmx_fail(err, RMX_EINPUT, "%s: %s \"%.200s\"%s%s", file, what, path, then,
           list.data ? list.data : "");
  rmx_buf_release(&list);
  return err->status;
}

rmx_status rmx__column_missing(const struct rmx__column_name *names, size_t n, const char *file,
                               const char *path, rmx_err *err) {
  return fail(names, 0, n, file, "no column", path, "; its columns are ", err);
}

rmx_status rmx__column_divided(const struct rmx__column_name *names, size_t i, const char *file,
                               const char *path, rmx_err *err) {
  return fail(names, i, names[i].end, file, "column", path,
              " has parts; name one of them after it, with a dot: ", err);
}

rmx_status rmx__texts_found(const struct rmx__wanted *w, size_t found, const rmx_err *why,
                            const struct rmx__column_name *names, size_t n, const char *file,
                            rmx_err *err) {
  enum { COLUMNS = 64 };
  for (size_t i = 1; i < n && w->columns->n < COLUMNS; i++) {
    rmx_buf path = {0};
    if (names[i].end > i + 1) continue;  // it has parts
    add_path(names, i, 0, &path);
    const bool good = path.data && !path.failed && rmx_strings_add(w->columns, path.data);
    rmx_buf_release(&path);
    if (!good) return rmx_fail_memory(err, 0, file);
  }
  if (found) return RMX_OK;
  if (why->status == RMX_OK) return rmx__column_missing(names, n, file, w->text_field, err);
  *err = *why;
  return err->status;
}
