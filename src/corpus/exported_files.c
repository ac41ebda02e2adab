// SPDX-License-Identifier: Apache-2.0
#include "exported_files.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/kept.h"

static const char LIST[] = "token-files.json";

rmx_status rmx__exported_open(rmx__exported *e, const char *folder, const char *format,
                              rmx_err *err) {
  *e = (rmx__exported){.folder = folder, .format = format};
  RMX_OWNED char *path = rmx_path_in(folder, LIST);
  json_auto_t *list = NULL;
  rmx_err why;
  if (!path) return rmx_fail_memory(err, 0, "a path");
  // a list that cannot be read is not ours: it is kept, too
  if (rmx_exists(path) && rmx__json_read(path, &list, &why) != RMX_OK && why.status != RMX_EINPUT)
    return *err = why, why.status;
  json_t *files = json_object_get(list, "files");
  e->before = json_is_object(files) ? json_incref(files) : json_object();
  if (list && json_is_object(files)) json_object_set_new(files, LIST, json_string(""));
  return e->before ? RMX_OK : rmx_fail_memory(err, 0, "a list of files");
}

rmx_status rmx__exported_add(rmx__exported *e, const char *name, rmx_err *err) {
  return rmx_strings_add(&e->now, name) ? RMX_OK : rmx_fail_memory(err, 0, "a list of files");
}

static rmx_status keep_other(const rmx__exported *e, const char *name, rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(e->folder, name);
  struct stat info;
  if (!path) return rmx_fail_memory(err, 0, "a path");
  if (lstat(path, &info) != 0) return RMX_OK;
  const bool ours = S_ISREG(info.st_mode) && json_object_get(e->before, name) != NULL;
  return ours ? RMX_OK : rmx__keep(path, err);
}

// Writes the list: `before` and `now`.
static rmx_status write_list(const rmx__exported *e, rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(e->folder, LIST);
  json_auto_t *list = json_pack("{s:i, s:O}", "version", 1, "files", e->before);
  json_t *files = json_object_get(list, "files");
  bool good = path && files;
  for (size_t i = 0; i < e->now.n && good; i++)
    good = json_object_set_new(files, e->now.items[i], json_string(e->format)) == 0;
  json_object_del(files, LIST);
  return good ? rmx__json_write(path, list, err) : rmx_fail_memory(err, 0, "a list of files");
}

rmx_status rmx__exported_begin(rmx__exported *e, rmx_err *err) {
  RMX_TRY(keep_other(e, LIST, err));
  for (size_t i = 0; i < e->now.n; i++) RMX_TRY(keep_other(e, e->now.items[i], err));
  return write_list(e, err);
}

// Only names as this program gives them: the list may be somebody else's.
static bool is_plain(const char *name) {
  return (strncmp(name, "train/", 6) == 0 || strncmp(name, "valid/", 6) == 0) &&
         !strchr(name + 6, '/');
}

rmx_status rmx__exported_end(rmx__exported *e, rmx_err *err) {
  const char *name;
  json_t *format;
  void *next;
  json_object_foreach_safe(e->before, next, name, format) {
    if (rmx_strings_have(&e->now, name) || !is_plain(name) || !json_is_string(format) ||
        strcmp(json_string_value(format), e->format) != 0)
      continue;
    RMX_OWNED char *path = rmx_path_in(e->folder, name);
    if (!path) return rmx_fail_memory(err, 0, "a path");
    unlink(path);
    json_object_del(e->before, name);
  }
  return write_list(e, err);
}

void rmx__exported_release(rmx__exported *e) {
  json_decref(e->before);
  rmx_strings_release(&e->now);
  *e = (rmx__exported){0};
}
