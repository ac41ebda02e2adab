// SPDX-License-Identifier: Apache-2.0
// Finds the result files of lm-evaluation-harness and the run of each. The harness writes
// OUTPUT/MODEL/results_DATE.json, or STEM_DATE.json if OUTPUT ends in .json. Users give each run
// its own OUTPUT. So the run is the first folder in which the paths differ, else the part before
// the date, else the folder itself.

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "formats.h"

enum { DEEPEST = 8 };

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

static rmx_status walk(const char *folder, int depth, rmx_strings *out, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  RMX_TRY(rmx_list(folder, &names, err));
  for (size_t i = 0; i < names.n; i++) {
    RMX_OWNED char *path = rmx_path_in(folder, names.items[i]);
    struct stat info;
    if (!path)
      return rmx_fail_memory(err, 64, folder);
    else if (stat(path, &info) != 0)
      return rmx_fail_errno(err, "cannot read %s", path);
    else if (S_ISDIR(info.st_mode))
      RMX_TRY(depth < DEEPEST ? walk(path, depth + 1, out, err) : RMX_OK);
    else if (rmx__ends_in(path, ".json") && !rmx_strings_add(out, path))
      return rmx_fail_memory(err, 64, folder);
  }
  return RMX_OK;
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

static char *run_of(const rmx__source *s, const char *relative, size_t shared) {
  size_t length = 0;
  const char *folder = folder_of(relative, shared, &length);
  if (folder) return rmx_format("%.*s", (int)length, folder);
  const char *slash = strrchr(relative, '/'), *stem = slash ? slash + 1 : relative;
  size_t n = date_at(stem, strlen(stem) - strlen(".json"));
  if (n > 0 && !(n == strlen("results") && strncmp(stem, "results", n) == 0))
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

static int by_run_then_date(const void *a, const void *b) {
  const rmx__results_file *x = a, *y = b;
  int order = rmx__by_number(&x->run, &y->run);
  if (!order) order = strcmp(x->order, y->order);
  return order ? order : strcmp(x->path, y->path);
}

rmx_status rmx__find_results(const rmx__source *s, rmx__results_files *out, rmx_err *err) {
  *out = (rmx__results_files){0};
  rmx_strings paths = {0};
  rmx_status status = RMX_OK;
  if (s->folder)
    status = walk(s->path, 0, &paths, err);
  else if (s->pattern)
    status = rmx_glob(s->path, &paths, err);
  else if (!rmx_strings_add(&paths, s->path))
    status = rmx_fail_memory(err, 64, s->path);
  if (status != RMX_OK) goto done;
  if (paths.n == 0) {
    status = rmx_fail(err, RMX_EINPUT,
                      "%s: no .json file %s; wanted results_DATE.json of lm-evaluation-harness",
                      s->path, s->folder ? "in this folder or below" : "matches");
    goto done;
  }
  for (size_t i = 0; i < paths.n; i++)
    if (!rmx__ends_in(paths.items[i], ".json")) {
      status = rmx_fail(err, RMX_EINPUT,
                        "%s: not a .json file; wanted a pattern that matches only results of "
                        "lm-evaluation-harness",
                        paths.items[i]);
      goto done;
    }
  size_t skip = s->folder ? strlen(s->path) : 0, shared = shared_folders(&paths, skip);
  out->items = rmx_calloc(paths.n, sizeof *out->items);
  bool good = out->items != NULL;
  for (size_t i = 0; good && i < paths.n; i++) {
    const char *relative = paths.items[i] + skip;
    while (*relative == '/') relative++;
    const char *slash = strrchr(relative, '/'), *stem = slash ? slash + 1 : relative;
    rmx__results_file *f = &out->items[out->n++];
    f->path = rmx_strdup(paths.items[i]);
    f->run = run_of(s, relative, shared);
    f->order = rmx_strdup(stem + date_at(stem, strlen(stem)));
    good = f->path && f->run && f->order;
  }
  if (good)
    qsort(out->items, out->n, sizeof *out->items, by_run_then_date);
  else
    status = rmx_fail_memory(err, paths.n * sizeof *out->items, s->path);
done:
  rmx_strings_release(&paths);
  if (status != RMX_OK) rmx__results_files_release(out);
  return status;
}

void rmx__results_files_release(rmx__results_files *f) {
  for (size_t i = 0; f->items && i < f->n; i++) {
    free(f->items[i].path);
    free(f->items[i].run);
    free(f->items[i].order);
  }
  free(f->items);
  *f = (rmx__results_files){0};
}
