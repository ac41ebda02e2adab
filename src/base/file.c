// SPDX-License-Identifier: Apache-2.0
// Files and folders: read, mapped, listed, made and removed. What writes them is in outfile.c.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/opened.h"

static void *opened(void *p) {
  if (!p && errno == ENOMEM) rmx__short_of(0);
  return p;
}

static void (*_Atomic file_handler)(const char *path, bool wrote);

void rmx_on_file(void (*handler)(const char *path, bool wrote)) {
  atomic_store(&file_handler, handler);
}

void rmx__opened(const char *path, bool wrote) {
  void (*handler)(const char *, bool) = atomic_load(&file_handler);
  if (handler) handler(path, wrote);
}

// A fifo is opened when it has a writer; a signal ends the wait for it.
FILE *rmx_fopen(const char *path, const char *mode) {
  FILE *file;
  do file = opened(fopen(path, mode));
  while (!file && errno == EINTR && !rmx_interrupted());
  if (file && *mode != 'w') rmx__opened(path, *mode == 'a');  // "w": a temporary file
  return file;
}
FILE *rmx_fdopen(int fd, const char *mode) {
  return opened(fdopen(fd, mode));
}
DIR *rmx_opendir(const char *path) {
  return opened(opendir(path));
}
char *rmx_realpath(const char *path) {
  return opened(realpath(path, NULL));
}

bool rmx_exists(const char *path) {
  return access(path, F_OK) == 0;
}

rmx_status rmx_mkdirs(const char *path, rmx_err *err) {
  char *copy = rmx_strdup(path);
  if (!copy) return rmx_fail_memory(err, strlen(path), "a path");
  rmx_status status = RMX_OK;
  for (char *p = copy + 1; status == RMX_OK; p++) {
    if (*p != '/' && *p) continue;
    char kept = *p;
    *p = '\0';
    struct stat info;
    int made = mkdir(copy, 0777), why = errno;
    bool there = made == 0 || (stat(copy, &info) == 0 && S_ISDIR(info.st_mode));
    errno = why;  // of mkdir: stat would say of a folder that may not be made that it is not there
    if (!there) status = rmx_fail_errno(err, "cannot make the folder %s", copy);
    *p = kept;
    if (!kept) break;
  }
  free(copy);
  return status;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk) {
  (void)info, (void)type, (void)walk;
  return remove(path);
}

rmx_status rmx_remove_tree(const char *path, rmx_err *err) {
  if (!rmx_exists(path)) return RMX_OK;
  if (nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS) != 0)
    return rmx_fail_errno(err, "cannot remove %s", path);
  return RMX_OK;
}

static rmx_status cannot_read(const char *path, rmx_err *err) {
  if (errno == EINTR && rmx_interrupted())
    return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while %s was read", path);
  return rmx_fail_errno(err, "cannot read %s", path);
}

rmx_status rmx_read_file(const char *path, char **data, size_t *size, rmx_err *err) {
  FILE *f = rmx_fopen(path, "rb");
  if (!f) return cannot_read(path, err);
  rmx_buf b = {0};
  char block[1 << 16];
  bool again;
  do {
    const size_t n = fread(block, 1, sizeof block, f);
    rmx_buf_add(&b, block, n);
    again = n > 0 || (ferror(f) && errno == EINTR && !rmx_interrupted());
    if (again) clearerr(f);
  } while (again);
  rmx_status status = RMX_OK;
  if (ferror(f)) status = cannot_read(path, err);
  fclose(f);
  if (status == RMX_OK && b.size == 0) rmx_buf_add(&b, "", 0);
  if (status == RMX_OK && b.failed) status = rmx_fail_memory(err, b.size, path);
  if (status != RMX_OK) {
    rmx_buf_release(&b);
    return status;
  }
  *data = b.data;
  if (size) *size = b.size;
  return RMX_OK;
}

// A folder that cannot be read has no matches; one for which memory was short may have some.
static int ends_glob(const char *path, int number) {
  return number == ENOMEM;
}

rmx_status rmx_glob(const char *pattern, rmx_strings *out, rmx_err *err) {
  glob_t found;
  int code = glob(pattern, GLOB_BRACE | GLOB_TILDE, ends_glob, &found);
  if (code == GLOB_NOMATCH) return RMX_OK;
  if (code == GLOB_NOSPACE || code == GLOB_ABORTED) {
    rmx__short_of(0);
    globfree(&found);
    return rmx_fail_memory(err, 0, "a list of files");
  }
  if (code != 0) return rmx_fail(err, RMX_EIO, "cannot look for %s", pattern);
  bool good = true;
  for (size_t i = 0; i < found.gl_pathc && good; i++)
    good = rmx_strings_add(out, found.gl_pathv[i]);
  globfree(&found);
  return good ? RMX_OK : rmx_fail_memory(err, 0, "a list of files");
}

rmx_status rmx_list(const char *folder, rmx_strings *out, rmx_err *err) {
  DIR *d = rmx_opendir(folder);
  if (!d)
    return errno == ENOENT ? RMX_OK : rmx_fail_errno(err, "cannot read the folder %s", folder);
  size_t first = out->n;
  bool good = true;
  for (struct dirent *e; good && (e = readdir(d));)
    if (e->d_name[0] != '.') good = rmx_strings_add(out, e->d_name);
  closedir(d);
  if (!good) return rmx_fail_memory(err, 0, "a list of files");
  rmx_strings added = {out->items ? out->items + first : NULL, out->n - first, 0};
  rmx_strings_sort(&added);
  return RMX_OK;
}

char *rmx_path_in(const char *folder, const char *path) {
  if (strncmp(path, "~/", 2) == 0 && getenv("HOME"))
    return rmx_format("%s/%s", getenv("HOME"), path + 2);
  if (path[0] == '/' || !folder || !*folder || strcmp(folder, ".") == 0) return rmx_strdup(path);
  size_t n = strlen(folder);
  return rmx_format("%s%s%s", folder, folder[n - 1] == '/' ? "" : "/", path);
}

rmx_status rmx_map_open(rmx_map *map, const char *path, rmx_err *err) {
  *map = (rmx_map){0};
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return rmx_fail_errno(err, "cannot read %s", path);
  struct stat info;
  rmx_status status = RMX_OK;
  if (fstat(fd, &info) != 0) status = rmx_fail_errno(err, "cannot read %s", path);
  if (status == RMX_OK && info.st_size > 0) {
    void *data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED)
      status = rmx_fail_errno(err, "cannot map %s", path);
    else
      *map = (rmx_map){data, (size_t)info.st_size};
  }
  close(fd);
  if (status == RMX_OK) rmx__opened(path, false);
  return status;
}

void rmx_map_release(rmx_map *map) {
  if (map->data) munmap((void *)map->data, map->size);
  *map = (rmx_map){0};
}
