// SPDX-License-Identifier: Apache-2.0
// Globs with **, and folders as patterns.
#include "find_text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "file_type.h"
#include "own_files.h"

enum { DEEPEST = 32 };  // nested folders

struct search {
  const char *rest;  // of the pattern, after **/; NULL: any file of text
  rmx_strings *out;
  rmx_few *unread;
  const char *folder;          // that is searched
  bool own;                    // it is that of an experiment
  struct stat above[DEEPEST];  // the folders that the search is in
  rmx_err *err;
};

char *rmx__as_pattern(const char *path) {
  rmx_buf b = {0};
  rmx_buf_add(&b, "", 0);
  for (; *path; path++) {
    if (strchr("*?[]{}\\", *path)) rmx_buf_puts(&b, "\\");
    rmx_buf_add(&b, path, 1);
  }
  if (b.failed) rmx_buf_release(&b);
  return b.data;
}

// Keeps a path if it is a file of text.
static rmx_status take(struct search *s, const char *path) {
  struct stat info;
  rmx__file_use use;
  if (s->own && rmx__own_file(s->folder, rmx__file_name(path)) == RMX__OWN_IS) return RMX_OK;
  const char *why = rmx__type_of_name(rmx__file_name(path), &use);
  if (use == RMX__FILE_NOT_DATA) return RMX_OK;
  if (stat(path, &info) != 0) return rmx_fail_errno(s->err, "cannot read %s", path);
  if (S_ISDIR(info.st_mode) || (why && !S_ISREG(info.st_mode))) return RMX_OK;
  if (!s->rest && why && use == RMX__FILE_UNKNOWN) {
    rmx_few_add(s->unread, rmx__file_name(path));
    return RMX_OK;
  }
  if (!s->rest && why)
    return rmx_fail(s->err, RMX_EINPUT,
                    "%s: %s; give a pattern for the files of this folder that are text, such as "
                    "FOLDER/**/*.jsonl",
                    path, why);
  return rmx_strings_add(s->out, path) ? RMX_OK : rmx_fail_memory(s->err, 0, "a list of files");
}

// The part of a pattern from the first folder ** on, or NULL.
static const char *any_depth(const char *pattern) {
  for (const char *p = pattern; (p = strstr(p, "**")); p++)
    if ((p == pattern || p[-1] == '/') && (p[2] == '/' || p[2] == '\0')) return p;
  return NULL;
}

// The files of a folder that the rest of the pattern matches.
static rmx_status match_in(struct search *s, const char *folder) {
  rmx_strings found = {0};
  char *escaped = rmx__as_pattern(folder),
       *pattern = escaped ? rmx_format("%s/%s", escaped, s->rest ? s->rest : "*") : NULL;
  rmx_status status = RMX_OK;
  if (!pattern)
    status = rmx_fail_memory(s->err, 0, "a path");
  else if (s->rest && any_depth(s->rest))
    status = rmx__find_text(pattern, s->out, s->unread, s->err);
  else
    status = rmx_glob(pattern, &found, s->err);
  for (size_t i = 0; i < found.n && status == RMX_OK; i++) status = take(s, found.items[i]);
  rmx_strings_release(&found);
  free(escaped);
  free(pattern);
  return status;
}

static bool is_above(const struct search *s, const struct stat *info, int depth) {
  for (int i = 0; i < depth; i++)
    if (s->above[i].st_dev == info->st_dev && s->above[i].st_ino == info->st_ino) return true;
  return false;
}

static rmx_status search_folder(struct search *s, const char *folder, int depth) {
  if (rmx_interrupted())
    return rmx_fail(s->err, RMX_EINTERRUPTED, "interrupted while %s was searched", folder);
  if (depth == DEEPEST)
    return rmx_fail(s->err, RMX_EINPUT, "%s: more than %d nested folders", folder, DEEPEST);
  if (stat(folder, &s->above[depth]) != 0) return rmx_fail_errno(s->err, "cannot read %s", folder);
  if (is_above(s, &s->above[depth], depth)) return RMX_OK;  // a link leads back
  DIR *d = rmx_opendir(folder);
  if (!d) return rmx_fail_errno(s->err, "cannot read the folder %s", folder);
  s->folder = folder;
  const bool own = s->own = rmx__is_experiment(folder);
  rmx_status status = match_in(s, folder);
  errno = 0;
  for (struct dirent *e; status == RMX_OK && (e = readdir(d));) {
    if (e->d_name[0] == '.') continue;
    if (e->d_type != DT_DIR && e->d_type != DT_LNK && e->d_type != DT_UNKNOWN) continue;
    if (own && rmx__own_file(folder, e->d_name) == RMX__OWN_IS) continue;
    char *path = rmx_format("%s/%s", folder, e->d_name);
    struct stat info;
    if (!path)
      status = rmx_fail_memory(s->err, 0, "a path");
    else if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
      status = search_folder(s, path, depth + 1);
    free(path);
  }
  closedir(d);
  return status;
}

// Searches each folder that a pattern matches.
static rmx_status search_folders(const char *pattern, const char *rest, rmx_strings *out,
                                 rmx_few *unread, rmx_err *err) {
  rmx_strings folders = {0};
  struct search s = {.rest = rest, .out = out, .unread = unread, .err = err};
  rmx_status status = rmx_glob(pattern, &folders, err);
  for (size_t i = 0; i < folders.n && status == RMX_OK; i++) {
    struct stat info;
    size_t n = strlen(folders.items[i]);
    while (n > 1 && folders.items[i][n - 1] == '/') folders.items[i][--n] = '\0';
    if (stat(folders.items[i], &info) == 0 && S_ISDIR(info.st_mode))
      status = search_folder(&s, folders.items[i], 0);
  }
  rmx_strings_release(&folders);
  return status;
}

// Sorts the files from `first` on. A file can be found twice: a/a/b matches **/a/** in two ways.
static void sort_once(rmx_strings *files, size_t first) {
  rmx_strings found = {files->items ? files->items + first : NULL, files->n - first, 0};
  rmx_strings_sort(&found);
  size_t n = 0;
  for (size_t i = 0; i < found.n; i++) {
    if (n && strcmp(found.items[n - 1], found.items[i]) == 0)
      free(found.items[i]);
    else
      found.items[n++] = found.items[i];
  }
  files->n = first + n;
}

rmx_status rmx__find_text(const char *pattern, rmx_strings *out, rmx_few *unread, rmx_err *err) {
  const size_t first = out->n;
  const char *any = any_depth(pattern);
  bool searched = any;
  rmx_status status;
  struct stat info;
  if (any) {
    char *above =
        any > pattern ? rmx_format("%.*s", (int)(any - pattern), pattern) : rmx_strdup(".");
    const char *rest = any[2] ? any + 3 : any + 2;
    status = above ? search_folders(above, *rest ? rest : NULL, out, unread, err)
                   : rmx_fail_memory(err, 0, "a path");
    free(above);
  } else {
    status = rmx_glob(pattern, out, err);
    // A single match that is a folder.
    if (status == RMX_OK && out->n == first + 1 && stat(out->items[first], &info) == 0 &&
        S_ISDIR(info.st_mode)) {
      free(out->items[--out->n]);
      searched = true;
      status = search_folders(pattern, NULL, out, unread, err);
    }
  }
  if (status == RMX_OK && searched) sort_once(out, first);
  return status;
}
