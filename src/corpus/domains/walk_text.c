// SPDX-License-Identifier: Apache-2.0
// The files below a folder of text. What is not read is listed with the reason, so that nothing is
// lost silently.
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "corpus/readers/file_type.h"
#include "corpus/readers/find_text.h"
#include "corpus/readers/format.h"
#include "corpus/readers/own_files.h"
#include "corpus/readers/shard_name.h"
#include "value_name.h"
#include "walk_text.h"

rmx_status rmx__no_files(rmx__walk *w) {
  return rmx_fail_memory(w->err, 0, "a list of files");
}

rmx_status rmx__leave_out(rmx__walk *w, const char *kept, const char *why, bool matters) {
  rmx_discovery *f = w->out;
  rmx_left_out *more = rmx_realloc(f->left_out, f->n_left_out + 1, sizeof *more);
  if (!more) return rmx__no_files(w);
  f->left_out = more;
  more[f->n_left_out] = (rmx_left_out){rmx_strdup(kept), why, matters};
  return more[f->n_left_out].path ? (f->n_left_out++, RMX_OK) : rmx__no_files(w);
}

static rmx_status lose(rmx__walk *w, const char *domain, size_t size, const char *kept,
                       const char *why) {
  for (size_t i = 0; i < w->n_lost; i++)
    if (strlen(w->lost[i].domain) == size && memcmp(w->lost[i].domain, domain, size) == 0) {
      w->lost[i].n++;
      return RMX_OK;
    }
  rmx__lost *more = rmx_realloc(w->lost, w->n_lost + 1, sizeof *more);
  if (!more) return rmx__no_files(w);
  w->lost = more;
  rmx__lost *l = &more[w->n_lost++];
  *l = (rmx__lost){rmx_format("%.*s", (int)size, domain), rmx_strdup(kept), why, 1};
  return l->domain && l->path ? RMX_OK : rmx__no_files(w);
}

// Whether a pattern of corpus.leave_out matches its name or its path in the corpus folder.
static bool is_named_out(rmx__walk *w, const char *path, const char *name) {
  bool named = false;
  for (size_t i = 0; w->leave_out && i < w->leave_out->n; i++) {
    const char *pattern = w->leave_out->items[i];
    if (fnmatch(pattern, name, 0) != 0 && fnmatch(pattern, path, 0) != 0) continue;
    named = true;
    w->left_out_hits[i]++;
  }
  return named;
}

// The name that a folder or file (size bytes of its name) gives to a domain: free() it.
static char *domain_name(const char *name, size_t size) {
  rmx_buf b = {0};
  rmx_buf_add(&b, "", 0);
  if (!rmx__value_name(name, size, true, false, &b)) rmx_buf_add(&b, name, size);
  if (b.failed) rmx_buf_release(&b);
  return b.data;
}

static rmx_status add_file(rmx__walk *w, const char *domain, const char *inside, const char *kept) {
  if (w->n == w->capacity) {
    size_t capacity = w->capacity ? 2 * w->capacity : 256;
    rmx__found *more = rmx_realloc(w->files, capacity, sizeof *more);
    if (!more) return rmx__no_files(w);
    w->files = more;
    w->capacity = capacity;
  }
  const char *name = rmx__file_name(inside);
  rmx__found *f = &w->files[w->n++];
  *f = (rmx__found){.domain = domain ? rmx_strdup(domain) : NULL,
                    .inside = rmx_strdup(inside),
                    .kept = rmx_strdup(kept),
                    .stem = domain_name(name, rmx__without_shard(name, rmx__stem(name)))};
  return (f->domain || !domain) && f->inside && f->kept && f->stem ? RMX_OK : rmx__no_files(w);
}

// Length of the name of the domain that a file in the corpus folder would belong to, if it could be
// read: the name up to the first ending.
static size_t part_of_name(const char *name) {
  const char *dot = strchr(name + 1, '.');
  return rmx__without_shard(name, dot ? (size_t)(dot - name) : strlen(name));
}

static const char is_empty[] = "empty files have no text";

// unread: why the file cannot be read even if its name is known; NULL: it can.
static rmx_status take_file(rmx__walk *w, const char *domain, const char *inside, const char *kept,
                            const char *unread) {
  const char *name = rmx__file_name(inside);
  rmx__file_use use = RMX__FILE_UNKNOWN;
  const char *why = rmx__type_of_name(name, &use);
  const bool readable = !why;
  if (readable && !domain && !w->whole && rmx__format_of(name)->flags & RMX__FORMAT_FILE)
    return rmx__leave_out(
        w, kept,
        unread ? unread
               : "a file that is one document is not a domain; put it into the folder "
                 "of one",
        true);
  if (readable && !unread) return add_file(w, domain, inside, kept);
  if (unread && (readable || (unread != is_empty && use != RMX__FILE_NOT_DATA))) why = unread;
  RMX_TRY(rmx__leave_out(w, kept, why, use != RMX__FILE_NOT_DATA));
  if (use == RMX__FILE_NOT_DATA) return RMX_OK;
  if (domain) return lose(w, domain, strlen(domain), kept, why);
  // A stray file of unknown type is not a domain.
  if (use == RMX__FILE_UNKNOWN && !readable) return RMX_OK;
  RMX_OWNED char *lost = domain_name(name, part_of_name(name));
  return lost ? lose(w, lost, strlen(lost), kept, why) : rmx__no_files(w);
}

// A name in the folder of an experiment that the experiment writes.
static rmx_status take_own(rmx__walk *w, const char *domain, const char *name, const char *kept,
                           rmx__own own) {
  if (own == RMX__OWN_IS) return rmx__leave_out(w, kept, "the experiment itself writes it", false);
  static const char why[] =
      "the experiment writes a folder of this name here; give the folder of the text another name";
  RMX_TRY(rmx__leave_out(w, kept, why, true));
  return lose(w, domain ? domain : name, strlen(domain ? domain : name), kept, why);
}

static rmx_status walk_folder(rmx__walk *w, const char *path, const char *kept, const char *domain,
                              const char *inside, int depth);

static rmx_status take_folder(rmx__walk *w, const char *path, const char *kept, const char *domain,
                              const char *inside, const struct stat *info, int depth) {
  for (int i = 0; i <= depth; i++)
    if (w->above[i].device == info->st_dev && w->above[i].inode == info->st_ino)
      return rmx__leave_out(w, kept, "a link to a folder that contains it is not followed", false);
  if (depth + 1 == RMX__DEEPEST)
    return rmx_fail(w->err, RMX_EINPUT, "%s: more than %d nested folders", path, RMX__DEEPEST);
  w->above[depth + 1].device = info->st_dev;
  w->above[depth + 1].inode = info->st_ino;
  return walk_folder(w, path, kept, domain, inside, depth + 1);
}

static const char *why_no_file(int number) {
  return number == ELOOP    ? "a link that leads to itself"
         : number == EACCES ? "a link into a folder that may not be read"
                            : "a link that leads nowhere";
}

// One name in a folder. inside: the path of the folder in the domain's; "" for the domain's folder
// itself and for the corpus folder.
static rmx_status take_name(rmx__walk *w, const char *folder, const char *kept_folder,
                            const char *domain, const char *inside, const char *name, int depth) {
  // `path` is relative to the current folder, `kept` is relative to `base`.
  char *path = rmx_path_in(folder, name), *kept = rmx_path_in(kept_folder, name);
  char *below = *inside ? rmx_format("%s/%s", inside, name) : rmx_strdup(name);
  char *whole = domain && !w->whole ? rmx_format("%s/%s", domain, below ? below : "")
                : below             ? rmx_strdup(below)
                                    : NULL;
  char *first = domain_name(name, rmx__without_folder_number(name));
  rmx_status status = RMX_OK;
  struct stat info;
  rmx__file_use use;
  const char *why = rmx__type_of_name(name, &use);
  const rmx__own own = w->own ? rmx__own_file(folder, name) : RMX__OWN_NOT;
  if (!path || !kept || !below || !whole || !first)
    status = rmx__no_files(w);
  else if (is_named_out(w, whole, name))
    status = rmx__leave_out(w, kept, "a pattern of corpus.leave_out matches it", false);
  else if (name[0] == '.')
    status = rmx__leave_out(w, kept, why, false);
  else if (own != RMX__OWN_NOT)
    status = take_own(w, domain, name, kept, own);
  else if (stat(path, &info) != 0)
    status = errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EACCES
                 ? take_file(w, domain, below, kept, why_no_file(errno))
                 : rmx_fail_errno(w->err, "cannot read %s", path);
  else if (S_ISDIR(info.st_mode))
    status = take_folder(w, path, kept, domain ? domain : first, domain ? below : "", &info, depth);
  else if (!S_ISREG(info.st_mode))
    status = take_file(w, domain, below, kept, "only regular files are read");
  else
    status = take_file(w, domain, below, kept,
                       access(path, R_OK) != 0 ? "files that may not be read (see `ls -l`)"
                       : info.st_size == 0     ? is_empty
                                               : NULL);
  free(path), free(kept), free(below), free(whole), free(first);
  return status;
}

static rmx_status list(const char *folder, rmx_strings *out, rmx_err *err) {
  DIR *d = rmx_opendir(folder);
  if (!d)
    return errno == ENOENT ? RMX_OK : rmx_fail_errno(err, "cannot read the folder %s", folder);
  bool good = true;
  for (struct dirent *e; good && (e = readdir(d));)
    if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
      good = rmx_strings_add(out, e->d_name);
  closedir(d);
  rmx_strings_sort(out);
  return good ? RMX_OK : rmx_fail_memory(err, 0, "a list of files");
}

static bool is_at(const rmx__place *p, const rmx__place *q) {
  return p->device == q->device && p->inode == q->inode;
}

static rmx_status walk_folder(rmx__walk *w, const char *path, const char *kept, const char *domain,
                              const char *inside, int depth) {
  rmx_strings names = {0};
  const bool own = is_at(&w->above[depth], &w->experiment) || rmx__is_experiment(path);
  if (depth && access(path, R_OK | X_OK) != 0) {
    RMX_TRY(rmx__leave_out(w, kept, "folders that may not be read (see `ls -ld`)", true));
    return domain ? lose(w, domain, strlen(domain), kept, "it may not be read") : RMX_OK;
  }
  rmx_status status = list(path, &names, w->err);
  const size_t files = w->n, left = w->out->n_left_out;
  for (size_t i = 0; i < names.n && status == RMX_OK; i++) {
    w->own = own;
    if (rmx_interrupted())
      status = rmx_fail(w->err, RMX_EINTERRUPTED, "interrupted while %s was searched", path);
    else
      status = take_name(w, path, kept, domain, inside, names.items[i], depth);
  }
  rmx_strings_release(&names);
  if (status == RMX_OK && domain && !*inside && depth && w->n == files &&
      w->out->n_left_out == left)
    status = rmx__leave_out(w, kept, "an empty folder is not a domain", true);
  return status;
}

// Whether a file in the corpus folder has a name like `stem` (size bytes, hexadecimal digits from
// `from` on) in which these digits are clearly no word.
static bool has_shard_like(const rmx__walk *w, const char *stem, size_t size, size_t from) {
  for (size_t i = 0; i < w->n; i++) {
    if (w->files[i].domain) continue;
    const char *name = w->files[i].inside;
    RMX_OWNED char *other = rmx_format("%.*s", (int)rmx__stem(name), name);
    if (other && strlen(other) == size && strncmp(other, stem, from) == 0 &&
        rmx__hex_before(other, size) == from &&
        (rmx__without_shard(other, size) < size || rmx__is_shard_id(other)))
      return true;
  }
  return false;
}

// Of files whose names differ only in hexadecimal digits, all of these digits are numbers of shards
// if some are.
static void unite_hex(rmx__walk *w) {
  for (size_t i = 0; i < w->n; i++) {
    char *stem = w->files[i].stem;
    const size_t size = strlen(stem), from = rmx__hex_before(stem, size);
    if (!w->files[i].domain && from < size && !rmx__is_shard_id(stem) &&
        has_shard_like(w, stem, size, from))
      stem[from ? from - 1 : 0] = '\0';
  }
}

rmx_status rmx__walk_text(rmx__walk *w) {
  RMX_OWNED char *path = rmx_path_in(w->base, w->folder);
  w->left_out_hits = rmx_calloc(w->leave_out ? w->leave_out->n : 0, sizeof *w->left_out_hits);
  struct stat info;
  if (!path || !w->left_out_hits) return rmx__no_files(w);
  if (stat(path, &info) == 0) w->above[0] = (rmx__place){info.st_dev, info.st_ino};
  if (stat(w->base && *w->base ? w->base : ".", &info) == 0)
    w->experiment = (rmx__place){info.st_dev, info.st_ino};
  RMX_TRY(walk_folder(w, path, w->folder, w->whole, "", 0));
  unite_hex(w);
  return RMX_OK;
}
