// SPDX-License-Identifier: Apache-2.0
// Finds the files that a program wrote for runs, and the run of each. The harness, for one, writes
// OUTPUT/MODEL/results_DATE.json, or STEM_DATE.json if OUTPUT ends in .json. Users give each run
// its own OUTPUT. So the run is the first folder in which the paths differ, else the part before
// the date, else the folder itself.

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "formats.h"

// The start of "_2024-05-01T12-00-00.123456" in a stem of n bytes; n if there is none.
static size_t date_at(const char *stem, size_t n) {
  static const char shape[] = "_dddd-dd-ddT";
  for (size_t i = 0; i + sizeof shape - 1 <= n; i++) {
    size_t k = 0;
    while (shape[k] &&
           (shape[k] == 'd' ? isdigit((unsigned char)stem[i + k]) != 0 : stem[i + k] == shape[k]))
      k++;
    if (!shape[k]) return i;
  }
  return n;
}

// Folder k of a relative path; NULL if it has fewer.
static const char *folder_of(const char *path, size_t k, size_t *length) {
  while (*path == '/') path++;
  for (;; k--) {
    const char *slash = strchr(path, '/');
    if (!slash) return NULL;
    *length = (size_t)(slash - path);
    if (k == 0) return path;
    path = slash + 1;
  }
}

// The number of leading folders that all paths share.
static size_t shared_folders(const rmx_strings *paths, size_t skip) {
  for (size_t k = 0;; k++) {
    size_t n = 0, m = 0;
    const char *first = folder_of(paths->items[0] + skip, k, &n);
    if (!first) return k;
    for (size_t i = 1; i < paths->n; i++) {
      const char *other = folder_of(paths->items[i] + skip, k, &m);
      if (!other || m != n || strncmp(other, first, n) != 0) return k;
    }
  }
}

// The name of a file without its folder, and the length of what is before its ending.
static const char *stem_of(const char *path, size_t *n) {
  const char *stem = rmx__file_name(path), *dot = strrchr(stem, '.');
  *n = dot ? (size_t)(dot - stem) : strlen(stem);
  return stem;
}

static char *run_of(const rmx__source *s, const rmx__file_kind *kind, const char *relative,
                    size_t shared) {
  size_t length = 0, n;
  const char *folder = folder_of(relative, shared, &length);
  if (folder) return rmx_format("%.*s", (int)length, folder);
  const char *stem = stem_of(relative, &n);
  n = date_at(stem, n);
  if (kind->by_stem && n > 0 && !(n == strlen("results") && strncmp(stem, "results", n) == 0))
    return rmx_format("%.*s", (int)n, stem);
  // For one run: the outermost folder below the given one, else the innermost folder of the file.
  folder = shared ? folder_of(relative, s->folder ? 0 : shared - 1, &length) : NULL;
  if (folder && length) return rmx_format("%.*s", (int)length, folder);
  if (!s->folder) return rmx_strdup("results");
  size_t end = strlen(s->path);
  while (end > 1 && s->path[end - 1] == '/') end--;
  size_t start = end;
  while (start > 0 && s->path[start - 1] != '/') start--;
  return rmx_format("%.*s", (int)(end - start), s->path + start);
}

// The folders of a relative path after the first `n`.
static char *below(const char *relative, size_t n) {
  size_t length = 0;
  const char *from = folder_of(relative, n, &length), *slash = strrchr(relative, '/');
  return from ? rmx_format("%.*s", (int)(slash - from), from) : rmx_strdup("");
}

static int by_run_then_date(const void *a, const void *b) {
  const rmx__run_file *x = a, *y = b;
  int order = rmx__by_number(&x->run, &y->run);
  if (!order) order = strcmp(x->order, y->order);
  return order ? order : strcmp(x->path, y->path);
}

// The paths of the kind. One of a pattern that is of another kind is an error.
static rmx_status list_paths(const rmx__source *s, const rmx__file_kind *kind, rmx_strings *paths,
                             rmx_err *err) {
  for (size_t i = 0; i < s->files.n; i++) {
    const char *path = s->files.items[i];
    if (!kind->is(path) && s->pattern)
      return rmx_fail(err, RMX_EINPUT, "%s: no %s; wanted a pattern that matches only these", path,
                      kind->name);
    if (kind->is(path) && !rmx_strings_add(paths, path)) return rmx_fail_memory(err, 64, s->path);
  }
  if (!s->folder && !s->pattern && !rmx_strings_add(paths, s->path))
    return rmx_fail_memory(err, 64, s->path);
  if (paths->n) return RMX_OK;
  if (s->folder && !s->files.n)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: no file in this folder or below; wanted the files of the runs, such as "
                    ".json results or event files of TensorBoard",
                    s->path);
  return rmx_fail(err, RMX_EINPUT, "%s: no %s %s", s->path, kind->name,
                  s->folder ? "in this folder or below" : "matches");
}

static bool make_file(const rmx__source *s, const rmx__file_kind *kind, const char *path,
                      size_t skip, size_t shared, rmx__run_file *f) {
  size_t n;
  const char *relative = path + skip;
  while (*relative == '/') relative++;
  const char *stem = stem_of(relative, &n);
  f->path = rmx_strdup(path);
  f->run = run_of(s, kind, relative, shared);
  f->order = rmx_strdup(stem + date_at(stem, strlen(stem)));
  f->below = below(relative, shared + 1);
  return f->path && f->run && f->order && f->below;
}

rmx_status rmx__run_files_find(const rmx__source *s, const rmx__file_kind *kind,
                               rmx__run_files *out, rmx_err *err) {
  *out = (rmx__run_files){0};
  RMX_OWNED_BY(rmx_strings_release) rmx_strings paths = {0};
  RMX_TRY(list_paths(s, kind, &paths, err));
  const size_t skip = s->folder ? strlen(s->path) : 0, shared = shared_folders(&paths, skip);
  out->items = rmx_calloc(paths.n, sizeof *out->items);
  bool good = out->items != NULL;
  for (size_t i = 0; good && i < paths.n; i++)
    good = make_file(s, kind, paths.items[i], skip, shared, &out->items[out->n++]);
  if (good) {
    qsort(out->items, out->n, sizeof *out->items, by_run_then_date);
    return RMX_OK;
  }
  rmx__run_files_release(out);
  return rmx_fail_memory(err, paths.n * sizeof *out->items, s->path);
}

void rmx__run_files_release(rmx__run_files *f) {
  for (size_t i = 0; f->items && i < f->n; i++) {
    free(f->items[i].path);
    free(f->items[i].run);
    free(f->items[i].order);
    free(f->items[i].below);
  }
  free(f->items);
  *f = (rmx__run_files){0};
}
