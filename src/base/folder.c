// SPDX-License-Identifier: Apache-2.0
// Folders: whole or not at all, as files are. What is written goes to a new folder beside its
// place, which is then exchanged with what is there.
//
// Other people's files in the old folder are linked into the new one first; one whose name a file
// of another kind in the new one has is kept under another name. Where folders cannot change places
// (the folder is a mount point, or somebody stands in it), the new files are moved into the old
// folder, the last one last.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <regmix/base.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/kept.h"
#include "base/opened.h"
#include "base/place.h"
#include "base/temporary.h"

enum { TAIL_SIZE = RMX__HOST_SIZE + 8 };

// "@HOST.tmp": what ends the name of a folder that is being written here.
static void tail_of(char out[TAIL_SIZE]) {
  char host[RMX__HOST_SIZE];
  rmx__own_host(host);
  snprintf(out, TAIL_SIZE, "@%s.tmp", host);
}

// What is left at `left` by a writer that is gone. Where folders cannot change places in one step,
// the one that was there before has ".old" after its name for a moment: it goes back if nothing is
// in its place.
static void clear(const char *left, const char *path, bool old) {
  rmx_err ignored;
  if (old && !rmx_exists(path))
    rename(left, path);
  else
    rmx_remove_tree(left, &ignored);
}

// Entries START PID@HOST.tmp and START PID-N@HOST.tmp of a folder, for writers that were on this
// host and are gone; with ".old" after it if `old`.
static void sweep_in(const char *folder, const char *start, const char *path, bool old) {
  char tail[TAIL_SIZE + 4];
  tail_of(tail);
  if (old) strcat(tail, ".old");
  DIR *d = rmx_opendir(folder);
  const size_t n = strlen(start);
  for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
    char *end;
    if (strncmp(e->d_name, start, n) != 0) continue;
    const long pid = strtol(e->d_name + n, &end, 10);
    if (*end == '-') strtoul(end + 1, &end, 10);
    if (pid <= 0 || strcmp(end, tail) != 0 || !rmx__is_gone(pid)) continue;
    RMX_OWNED char *left = rmx_format("%s/%s", folder, e->d_name);
    if (left) clear(left, path, old);
  }
  if (d) closedir(d);
}

// Folders BASE.PID@HOST.tmp beside the path, and PID@HOST.tmp in it.
static void sweep(const char *path) {
  const char *slash = strrchr(path, '/');
  RMX_OWNED char *parent = slash ? rmx_format("%.*s", (int)(slash - path), path) : rmx_strdup(".");
  RMX_OWNED char *start = rmx_format("%s.", slash ? slash + 1 : path);
  if (!parent || !start) return;
  const char *folder = *parent ? parent : "/";
  sweep_in(folder, start, path, true);
  sweep_in(folder, start, path, false);
  sweep_in(path, "", path, false);
}

// "PID", and "PID-N" for the folders after the first: several threads may write one folder.
static void writer_name(char out[32]) {
  static atomic_uint opened;
  const unsigned n = atomic_fetch_add(&opened, 1);
  snprintf(out, 32, n ? "%ld-%u" : "%ld", (long)getpid(), n);
}

rmx_status rmx_outfolder_open(rmx_outfolder *o, const char *path, rmx_err *err) {
  *o = (rmx_outfolder){0};
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/') n--;
  char *plain = rmx_format("%.*s", (int)n, path),
       *real = rmx_exists(path) ? rmx_realpath(path) : NULL;
  struct stat info;
  char tail[TAIL_SIZE], writer[32];
  bool there = false;
  rmx_status status = plain ? RMX_OK : rmx_fail_memory(err, n, "a path");
  if (status == RMX_OK && real && (stat(real, &info) != 0 || !S_ISDIR(info.st_mode)))
    status = rmx_fail(err, RMX_EIO, "%s is not a folder, so nothing can be written into it", path);
  if (status == RMX_OK) {  // links are followed: what they lead to is replaced
    o->path = real ? real : plain;
    real = real ? NULL : real;
    plain = o->path == plain ? NULL : plain;
    tail_of(tail);
    writer_name(writer);
    o->temporary = rmx_format("%s.%s%s", o->path, writer, tail);
    if (!o->temporary) status = rmx_fail_memory(err, n, "a path");
  }
  if (status == RMX_OK) {
    sweep(o->path);
    there = stat(o->path, &info) == 0;
  }
  if (status == RMX_OK) status = rmx_remove_tree(o->temporary, err);
  if (status == RMX_OK) status = rmx_mkdirs(o->temporary, err);
  // whoever may write in the folder may not write beside it
  if (status == RMX_EIO && there && o->temporary) {
    free(o->temporary);
    o->inside = true;
    o->temporary = rmx_format("%s/%s%s", o->path, writer, tail);
    status = o->temporary ? rmx_mkdirs(o->temporary, err) : rmx_fail_memory(err, n, "a path");
  } else if (status == RMX_OK && there) {
    chmod(o->temporary, info.st_mode & 07777);
  }
  if (status == RMX_EIO && o->temporary)
    status = rmx_fail_errno(err, "cannot write %s: no new folder can be made beside it%s", path,
                            o->inside ? " or in it" : "");
  free(plain);
  free(real);
  if (status != RMX_OK) rmx_outfolder_discard(o);
  return status;
}

// The names in a folder, dot files too.
static rmx_status all_names(const char *folder, rmx_strings *out, rmx_err *err) {
  DIR *d = rmx_opendir(folder);
  if (!d) return rmx_fail_errno(err, "cannot read the folder %s", folder);
  bool good = true;
  for (struct dirent *e; good && (e = readdir(d)) != NULL;)
    if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
      good = rmx_strings_add(out, e->d_name);
  closedir(d);
  return good ? RMX_OK : rmx_fail_memory(err, 256, "a list of files");
}

// What has the name of a new file, is not `ours` and does not begin like it is moved to NAME~.
static rmx_status keep_other(const rmx_outfolder *o, const char *name, rmx_err *err) {
  RMX_OWNED char *old = rmx_format("%s/%s", o->path, name),
                 *next = rmx_format("%s/%s", o->temporary, name), *kept = NULL;
  struct stat info;
  if (!old || !next) return rmx_fail_memory(err, 256, "a path");
  if (lstat(old, &info) != 0 || (S_ISREG(info.st_mode) && rmx__begin_alike(old, next)))
    return RMX_OK;
  if (!(kept = rmx__kept_name(old))) return rmx_fail_memory(err, 256, "a path");
  if (rename(old, kept) != 0) return rmx_fail_errno(err, "cannot move %s to %s", old, kept);
  return rmx__kept(kept) ? RMX_OK : rmx_fail_memory(err, 256, "a path");
}

static rmx_status keep_others(const rmx_outfolder *o, const rmx_strings *ours, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  RMX_TRY(all_names(o->temporary, &names, err));
  for (size_t i = 0; i < names.n; i++)
    if (!rmx_strings_have(ours, names.items[i])) RMX_TRY(keep_other(o, names.items[i], err));
  return RMX_OK;
}

// Links every file of the old folder that is not `ours` into the new one. *linked false: there is
// one that cannot be.
static rmx_status link_others(const rmx_outfolder *o, const rmx_strings *ours, bool *linked,
                              rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  RMX_TRY(all_names(o->path, &names, err));
  *linked = true;
  for (size_t i = 0; *linked && i < names.n; i++) {
    if (rmx_strings_have(ours, names.items[i])) continue;
    RMX_OWNED char *from = rmx_format("%s/%s", o->path, names.items[i]),
                   *to = rmx_format("%s/%s", o->temporary, names.items[i]);
    if (!from || !to)
      return rmx_fail_memory(err, 256, "a path");
    else
      *linked = link(from, to) == 0 || errno == EEXIST;
  }
  return RMX_OK;
}

static void sync_folder(const char *path) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

static void sync_parent(const char *path) {
  const char *slash = strrchr(path, '/');
  RMX_OWNED char *parent = !slash          ? rmx_strdup(".")
                           : slash == path ? rmx_strdup("/")
                                           : rmx_format("%.*s", (int)(slash - path), path);
  if (parent) sync_folder(parent);
}

static bool somebody_stands_in(const char *path) {
  char here[PATH_MAX];
  size_t n = strlen(path);
  return getcwd(here, sizeof here) && strncmp(here, path, n) == 0 && (here[n] == '/' || !here[n]);
}

// Moves the files into the folder that is there, `last` last; files of its own that have gone out
// of use are removed.
static rmx_status move_in(const rmx_outfolder *o, const rmx_strings *ours, const char *last,
                          rmx_err *err) {
  rmx_strings names = {0};
  rmx_status status = all_names(o->temporary, &names, err);
  if (status == RMX_OK && !rmx_strings_add(&names, last))
    status = rmx_fail_memory(err, 64, "a list of files");
  for (size_t i = 0; status == RMX_OK && i < names.n; i++) {
    if (i + 1 < names.n && strcmp(names.items[i], last) == 0) continue;
    RMX_OWNED char *from = rmx_format("%s/%s", o->temporary, names.items[i]),
                   *to = rmx_format("%s/%s", o->path, names.items[i]);
    if (!from || !to)
      status = rmx_fail_memory(err, 256, "a path");
    else if (rename(from, to) != 0)
      status = rmx_fail_errno(err, "cannot write %s", to);
  }
  for (size_t i = 0; status == RMX_OK && i < ours->n; i++) {
    if (rmx_strings_have(&names, ours->items[i])) continue;
    RMX_OWNED char *old = rmx_format("%s/%s", o->path, ours->items[i]);
    if (old) unlink(old);
  }
  rmx_strings_release(&names);
  return status;
}

// The two folders change places; where the system cannot do that in one step, in two. False: they
// cannot.
static bool exchange(const rmx_outfolder *o) {
#ifdef RENAME_EXCHANGE
  if (renameat2(AT_FDCWD, o->temporary, AT_FDCWD, o->path, RENAME_EXCHANGE) == 0) return true;
  if (errno == EBUSY || errno == EXDEV) return false;
#endif
  RMX_OWNED char *aside = rmx_format("%s.old", o->temporary);
  bool good = aside && rename(o->path, aside) == 0;
  if (good && rename(o->temporary, o->path) != 0) {
    good = false;
    rename(aside, o->path);
  }
  if (good) rename(aside, o->temporary);
  return good;
}

static rmx_status put_in_place(const rmx_outfolder *o, const rmx_strings *ours, const char *last,
                               rmx_err *err) {
  bool there = rmx_exists(o->path), linked = false;
  if (!there && rename(o->temporary, o->path) == 0) return RMX_OK;
  if (!there && !(there = rmx_exists(o->path)))  // nor has another writer made it meanwhile
    return rmx_fail_errno(err, "cannot write %s", o->path);
  RMX_TRY(keep_others(o, ours, err));
  if (!o->inside && !somebody_stands_in(o->path)) RMX_TRY(link_others(o, ours, &linked, err));
  return linked && exchange(o) ? RMX_OK : move_in(o, ours, last, err);
}

rmx_status rmx_outfolder_commit(rmx_outfolder *o, const rmx_strings *ours, const char *last,
                                rmx_err *err) {
  static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;  // of this process
  sync_folder(o->temporary);
  pthread_mutex_lock(&one_at_a_time);
  const rmx_status status = put_in_place(o, ours, last, err);
  pthread_mutex_unlock(&one_at_a_time);
  if (status == RMX_OK) sync_parent(o->path), rmx__opened(o->path, true);
  rmx_outfolder_discard(o);  // what is now under the temporary name is the old folder
  return status;
}

void rmx_outfolder_discard(rmx_outfolder *o) {
  rmx_err ignored;
  if (o->temporary) rmx_remove_tree(o->temporary, &ignored);
  free(o->temporary);
  free(o->path);
  *o = (rmx_outfolder){0};
}
