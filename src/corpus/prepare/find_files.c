// SPDX-License-Identifier: Apache-2.0
// Where the text of a corpus is: from globs to files.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/order.h"
#include "corpus/readers/find_text.h"
#include "documents.h"

// ---- globs to files ----------------------------------------------------------------------

// No file may be named twice.
static rmx_status check_once(const char *name, const rmx_strings *files, rmx_err *err) {
  char **sorted = rmx_calloc(files->n, sizeof *sorted);
  if (!sorted) return rmx_fail_memory(err, files->n * sizeof *sorted, "a list of files");
  for (size_t i = 0; i < files->n; i++) sorted[i] = files->items[i];
  qsort(sorted, files->n, sizeof *sorted, rmx__by_text);
  rmx_status status = RMX_OK;
  for (size_t i = 1; i < files->n && status == RMX_OK; i++)
    if (strcmp(sorted[i - 1], sorted[i]) == 0)
      status = rmx_fail(err, RMX_EINPUT, "domain \"%s\": %s matches two of its patterns", name,
                        sorted[i]);
  free(sorted);
  return status;
}

// A pipe without a writer would never end, and text is read more than once.
static rmx_status not_a_file(const char *domain, const char *path, mode_t mode, rmx_err *err) {
  const char *kind = S_ISFIFO(mode) ? "a pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
  if (S_ISDIR(mode))
    return rmx_fail(err, RMX_EINPUT,
                    "domain \"%s\": %s is not a file; give a pattern for the files in it, such as "
                    "%s/*.jsonl",
                    domain, path, path);
  return rmx_fail(err, RMX_EINPUT,
                  "domain \"%s\": %s is %s, which is not read; write its data to a file, and give "
                  "that",
                  domain, path, kind);
}

static rmx_status find(const char *name, const rmx_strings *globs, const char *base,
                       rmx_strings *out, rmx__files *all, rmx_err *err) {
  for (size_t i = 0; i < globs->n; i++) {
    char *folder = rmx__as_pattern(base ? base : ""),
         *pattern = folder ? rmx_path_in(folder, globs->items[i]) : NULL;
    free(folder);
    if (!pattern) return rmx_fail_memory(err, strlen(globs->items[i]), "a path");
    size_t first = out->n;
    rmx_status status = rmx__find_text(pattern, out, &all->unread, err);
    if (status == RMX_OK && out->n == first)
      status = rmx_fail(err, RMX_EINPUT, "domain \"%s\": no file matches %s", name, pattern);
    free(pattern);
    RMX_TRY(status);
    for (size_t j = first; j < out->n; j++) {
      const char *path = out->items[j];
      struct stat info;
      if (stat(path, &info) != 0)
        return rmx_fail_errno(err, "domain \"%s\": cannot read %s", name, path);
      if (!S_ISREG(info.st_mode)) return not_a_file(name, path, info.st_mode, err);
      all->bytes += (uint64_t)info.st_size;
    }
  }
  return check_once(name, out, err);
}

rmx_status rmx__files_find(const rmx_domain_source *source, const char *base, rmx__files *out,
                           rmx_err *err) {
  *out = (rmx__files){0};
  if (source->values.n) return RMX_OK;
  if (source->files.n == 0 && !(source->valid_only && source->valid_files.n))
    return rmx_fail(err, RMX_EINPUT, "domain \"%s\": no files are given", source->name);
  rmx_status status = find(source->name, &source->files, base, &out->train, out, err);
  if (status == RMX_OK)
    status = find(source->name, &source->valid_files, base, &out->valid, out, err);
  if (status != RMX_OK) rmx__files_release(out);
  return status;
}

void rmx__warn_unread(const char *domain, const rmx_few *unread, const rmx_listener *to) {
  if (unread->n)
    rmx_warn(to, "%s: %zu file%s with %s not read (%s); if %s plain text, end %s in .txt", domain,
             unread->n, rmx_s(unread->n),
             unread->n == 1 ? "an unknown ending is" : "unknown endings are", unread->text,
             unread->n == 1 ? "it is" : "they are", unread->n == 1 ? "its name" : "their names");
}

void rmx__warn_unused(const rmx_strings *unused, const char *none, const rmx_listener *to) {
  rmx_few few = {0};
  for (size_t i = 0; i < unused->n; i++) rmx_few_add(&few, unused->items[i]);
  if (few.n)
    rmx_warn(to, "%s has %s that the config names: %s", none,
             few.n == 1 ? "this value" : "these values", few.text);
}

void rmx__files_release(rmx__files *f) {
  rmx_strings_release(&f->train);
  rmx_strings_release(&f->valid);
}
