// SPDX-License-Identifier: Apache-2.0
// Finds the domains in a folder of text. A folder in it is a domain with all files below it. A file
// in it belongs to the domain of its name without the number of its shard. What is not read is
// listed with the reason, so that nothing is lost silently. A domain of which nothing can be read
// is an error.
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <regmix/corpus.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "corpus/readers/file_type.h"
#include "corpus/readers/find_text.h"
#include "corpus/readers/format.h"
#include "corpus/readers/own_files.h"
#include "corpus/readers/shard_name.h"
#include "value_name.h"

enum { DEEPEST = 32 };  // nested folders

struct file {
  // the folder's name; NULL for a file in the corpus folder itself, until its name is parsed
  char *domain;
  char *inside;  // path in the domain's folder, or the file's name
  char *kept;    // path in the result
  char *stem;    // name without endings and shard number
  rmx__role role;
  const struct file
      *owner;  // in the corpus folder: the file whose domain it belongs to; NULL: its own
};

// Files of a domain that are not read.
struct lost {
  char *domain, *path;  // of the first file
  const char *why;
  size_t n;
};

struct walk {
  const char *folder, *base;
  const char *whole;  // all files are one divided source with this name; NULL: they are domains
  const rmx_strings *leave_out;
  size_t *left_out_hits;  // (leave_out->n)
  rmx_discovery *out;
  struct file *files;
  size_t n, capacity;
  struct lost *lost;
  size_t n_lost;
  struct place {
    dev_t device;
    ino_t inode;
  } above[DEEPEST];
  struct place experiment;  // `base`
  bool own;                 // the present folder is that of an experiment
  rmx_err *err;
};

static rmx_status no_memory(struct walk *w) {
  return rmx_fail_memory(w->err, 0, "a list of files");
}

// ---- what is not read --------------------------------------------------------------------------

static rmx_status leave_out(struct walk *w, const char *kept, const char *why, bool matters) {
  rmx_discovery *f = w->out;
  rmx_left_out *more = rmx_realloc(f->left_out, f->n_left_out + 1, sizeof *more);
  if (!more) return no_memory(w);
  f->left_out = more;
  more[f->n_left_out] = (rmx_left_out){rmx_strdup(kept), why, matters};
  return more[f->n_left_out].path ? (f->n_left_out++, RMX_OK) : no_memory(w);
}

static rmx_status lose(struct walk *w, const char *domain, size_t size, const char *kept,
                       const char *why) {
  for (size_t i = 0; i < w->n_lost; i++)
    if (strlen(w->lost[i].domain) == size && memcmp(w->lost[i].domain, domain, size) == 0) {
      w->lost[i].n++;
      return RMX_OK;
    }
  struct lost *more = rmx_realloc(w->lost, w->n_lost + 1, sizeof *more);
  if (!more) return no_memory(w);
  w->lost = more;
  struct lost *l = &more[w->n_lost++];
  *l = (struct lost){rmx_format("%.*s", (int)size, domain), rmx_strdup(kept), why, 1};
  return l->domain && l->path ? RMX_OK : no_memory(w);
}

// Whether a pattern of corpus.leave_out matches its name or its path in the corpus folder.
static bool is_named_out(struct walk *w, const char *path, const char *name) {
  bool named = false;
  for (size_t i = 0; w->leave_out && i < w->leave_out->n; i++) {
    const char *pattern = w->leave_out->items[i];
    if (fnmatch(pattern, name, 0) != 0 && fnmatch(pattern, path, 0) != 0) continue;
    named = true;
    w->left_out_hits[i]++;
  }
  return named;
}

// ---- the walk ---------------------------------------------------------------------------------

// The name that a folder or file (size bytes of its name) gives to a domain: free() it.
static char *domain_name(const char *name, size_t size) {
  rmx_buf b = {0};
  rmx_buf_add(&b, "", 0);
  if (!rmx__value_name(name, size, true, false, &b)) rmx_buf_add(&b, name, size);
  if (b.failed) rmx_buf_release(&b);
  return b.data;
}

static rmx_status add_file(struct walk *w, const char *domain, const char *inside,
                           const char *kept) {
  if (w->n == w->capacity) {
    size_t capacity = w->capacity ? 2 * w->capacity : 256;
    struct file *more = rmx_realloc(w->files, capacity, sizeof *more);
    if (!more) return no_memory(w);
    w->files = more;
    w->capacity = capacity;
  }
  const char *slash = strrchr(inside, '/'), *name = slash ? slash + 1 : inside;
  struct file *f = &w->files[w->n++];
  *f = (struct file){.domain = domain ? rmx_strdup(domain) : NULL,
                     .inside = rmx_strdup(inside),
                     .kept = rmx_strdup(kept),
                     .stem = domain_name(name, rmx__without_shard(name, rmx__stem(name)))};
  return (f->domain || !domain) && f->inside && f->kept && f->stem ? RMX_OK : no_memory(w);
}

// Length of the name of the domain that a file in the corpus folder would belong to, if it could be
// read: the name up to the first ending.
static size_t part_of_name(const char *name) {
  const char *dot = strchr(name + 1, '.');
  return rmx__without_shard(name, dot ? (size_t)(dot - name) : strlen(name));
}

static const char is_empty[] = "empty files have no text";

// unread: why the file cannot be read even if its name is known; NULL: it can.
static rmx_status take_file(struct walk *w, const char *domain, const char *inside,
                            const char *kept, const char *unread) {
  const char *slash = strrchr(inside, '/'), *name = slash ? slash + 1 : inside;
  rmx__file_use use = RMX__FILE_UNKNOWN;
  const char *why = rmx__type_of_name(name, &use);
  const bool readable = !why;
  if (readable && !domain && !w->whole && rmx__format_of(name)->flags & RMX__FORMAT_FILE)
    return leave_out(w, kept,
                     unread ? unread
                            : "a file that is one document is not a domain; put it into the folder "
                              "of one",
                     true);
  if (readable && !unread) return add_file(w, domain, inside, kept);
  if (unread && (readable || (unread != is_empty && use != RMX__FILE_NOT_DATA))) why = unread;
  RMX_TRY(leave_out(w, kept, why, use != RMX__FILE_NOT_DATA));
  if (use == RMX__FILE_NOT_DATA) return RMX_OK;
  if (domain) return lose(w, domain, strlen(domain), kept, why);
  // A stray file of unknown type is not a domain.
  if (use == RMX__FILE_UNKNOWN && !readable) return RMX_OK;
  RMX_OWNED char *lost = domain_name(name, part_of_name(name));
  return lost ? lose(w, lost, strlen(lost), kept, why) : no_memory(w);
}

// A name in the folder of an experiment that the experiment writes.
static rmx_status take_own(struct walk *w, const char *domain, const char *name, const char *kept,
                           rmx__own own) {
  if (own == RMX__OWN_IS) return leave_out(w, kept, "the experiment itself writes it", false);
  static const char why[] =
      "the experiment writes a folder of this name here; give the folder of the text another name";
  RMX_TRY(leave_out(w, kept, why, true));
  return lose(w, domain ? domain : name, strlen(domain ? domain : name), kept, why);
}

static rmx_status walk_folder(struct walk *w, const char *path, const char *kept,
                              const char *domain, const char *inside, int depth);

static rmx_status take_folder(struct walk *w, const char *path, const char *kept,
                              const char *domain, const char *inside, const struct stat *info,
                              int depth) {
  for (int i = 0; i <= depth; i++)
    if (w->above[i].device == info->st_dev && w->above[i].inode == info->st_ino)
      return leave_out(w, kept, "a link to a folder that contains it is not followed", false);
  if (depth + 1 == DEEPEST)
    return rmx_fail(w->err, RMX_EINPUT, "%s: more than %d nested folders", path, DEEPEST);
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
static rmx_status take_name(struct walk *w, const char *folder, const char *kept_folder,
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
    status = no_memory(w);
  else if (is_named_out(w, whole, name))
    status = leave_out(w, kept, "a pattern of corpus.leave_out matches it", false);
  else if (name[0] == '.')
    status = leave_out(w, kept, why, false);
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

static bool is_at(const struct place *p, const struct place *q) {
  return p->device == q->device && p->inode == q->inode;
}

static rmx_status walk_folder(struct walk *w, const char *path, const char *kept,
                              const char *domain, const char *inside, int depth) {
  rmx_strings names = {0};
  const bool own = is_at(&w->above[depth], &w->experiment) || rmx__is_experiment(path);
  if (depth && access(path, R_OK | X_OK) != 0) {
    RMX_TRY(leave_out(w, kept, "folders that may not be read (see `ls -ld`)", true));
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
    status = leave_out(w, kept, "an empty folder is not a domain", true);
  return status;
}

// ---- training, validation and test files ------------------------------------

static int by_stem(const void *a, const void *b) {
  const struct file *x = *(const struct file *const *)a, *y = *(const struct file *const *)b;
  int order = !x->domain || !y->domain ? !!x->domain - !!y->domain : strcmp(x->domain, y->domain);
  return order ? order : strcasecmp(x->stem, y->stem);
}

// The file of this stem in the same domain, or NULL.
static const struct file *with_stem(struct file *const *sorted, size_t n, const struct file *like,
                                    const char *stem) {
  struct file wanted = {.domain = like->domain, .stem = (char *)stem};
  const struct file *key = &wanted;
  struct file *const *found = bsearch(&key, sorted, n, sizeof *sorted, by_stem);
  return found ? *found : NULL;
}

// A name with valid or test counts only if the files that it belongs to exist: train.jsonl or other
// files of its folder for valid.jsonl, c4-train or c4 for c4-validation.
static rmx_status find_role(struct file *f, struct file *const *sorted, size_t n, rmx_err *err) {
  f->role = f->domain ? rmx__role_of_path(f->inside) : RMX__ROLE_NONE;
  if (f->role == RMX__ROLE_NONE && f->domain) f->role = rmx__role_of_word(f->stem, strlen(f->stem));
  if (f->role != RMX__ROLE_NONE) return RMX_OK;
  size_t from, size;
  rmx__role role = rmx__role_in_name(f->stem, &from, &size);
  if (role == RMX__ROLE_NONE || role == RMX__ROLE_TRAIN) return RMX_OK;
  const int before = (int)from;
  const char *behind = f->stem + from + size;
  char *siblings[] = {
      rmx_format("%.*strain%s", before, f->stem, behind),
      rmx_format("%.*straining%s", before, f->stem, behind),
      rmx_format("%.*s%s", from ? before - 1 : 0, f->stem, from ? behind : behind + 1)};
  bool good = true;
  for (size_t i = 0; i < 3; i++) {
    good = good && siblings[i];
    if (good && !f->owner) f->owner = with_stem(sorted, n, f, siblings[i]);
    free(siblings[i]);
  }
  if (f->owner) f->role = role;
  return good ? RMX_OK : rmx_fail_memory(err, 0, "a list of files");
}

static rmx_status find_roles(struct walk *w) {
  struct file **sorted = rmx_calloc(w->n, sizeof *sorted);
  if (!sorted) return no_memory(w);
  for (size_t i = 0; i < w->n; i++) sorted[i] = &w->files[i];
  qsort(sorted, w->n, sizeof *sorted, by_stem);
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < w->n && status == RMX_OK; i++)
    status = find_role(&w->files[i], sorted, w->n, w->err);
  free(sorted);
  return status;
}

// ---- the domains ------------------------------------------------------------

// Whether a file in the corpus folder has a name like `stem` (size bytes, hexadecimal digits from
// `from` on) in which these digits are clearly no word.
static bool has_shard_like(const struct walk *w, const char *stem, size_t size, size_t from) {
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
static void unite_hex(struct walk *w) {
  for (size_t i = 0; i < w->n; i++) {
    char *stem = w->files[i].stem;
    const size_t size = strlen(stem), from = rmx__hex_before(stem, size);
    if (!w->files[i].domain && from < size && !rmx__is_shard_id(stem) &&
        has_shard_like(w, stem, size, from))
      stem[from ? from - 1 : 0] = '\0';
  }
}

// The domain of a file: its folder, or the name of the file (or of the one it belongs to). If that
// is only a number: the name of the corpus folder.
static const char *domain_of(const struct walk *w, const struct file *f) {
  if (f->domain) return f->domain;
  const char *name = f->owner ? f->owner->stem : f->stem;
  if (!rmx__is_shard_id(name)) return name;
  const char *slash = strrchr(w->folder, '/');
  name = slash ? slash + 1 : w->folder;
  return *name && strcmp(name, ".") != 0 ? name : "text";
}

struct numbered {
  const char *domain;
  const struct file *file;
  size_t at;
};

static int by_domain(const void *a, const void *b) {
  const struct numbered *x = a, *y = b;
  int order = strcmp(x->domain, y->domain);
  return order ? order : (x->at > y->at) - (x->at < y->at);
}

static rmx_status add_pattern(struct walk *w, rmx_strings *to, const char *kept) {
  char *pattern = rmx__as_pattern(kept);
  bool good = pattern && rmx_strings_add(to, pattern);
  free(pattern);
  return good ? RMX_OK : no_memory(w);
}

// The tags of web pages are text to this program, and not to everybody.
static rmx_status note_markup(struct walk *w, const char *domain, const struct numbered *list,
                              size_t n) {
  size_t pages = 0;
  for (size_t i = 0; i < n; i++) pages += rmx__is_markup_name(list[i].file->inside);
  if (pages == 0) return RMX_OK;
  char *note = rmx_format("%s: %zu HTML file%s read as %s, with all tags", domain, pages,
                          pages == 1 ? " is" : "s are", pages == 1 ? "it is" : "they are");
  const bool good = note && rmx_strings_add(&w->out->notes, note);
  free(note);
  return good ? RMX_OK : no_memory(w);
}

// Files test.jsonl or valid.jsonl next to the files of domains belong to none of them.
static rmx_status leave_split(struct walk *w, const struct numbered *list, size_t n,
                              rmx__role role) {
  for (size_t i = 0; i < n; i++)
    RMX_TRY(leave_out(w, list[i].file->kept,
                      role == RMX__ROLE_TEST
                          ? "a test file that belongs to no domain"
                          : "validation text that belongs to no domain; put it into the folder of "
                            "one, or make it a valid_only domain of corpus.domains",
                      true));
  return RMX_OK;
}

// Makes a domain of files list[0 .. n-1].
static rmx_status make_domain(struct walk *w, const struct numbered *list, size_t n) {
  rmx_discovery *out = w->out;
  rmx_domain_source *more = rmx_realloc(out->domains, out->n + 1, sizeof *more);
  if (!more) return no_memory(w);
  out->domains = more;
  rmx_domain_source *d = &more[out->n++];
  *d = (rmx_domain_source){.name = rmx_strdup(list[0].domain), .divided = w->whole};
  if (!d->name) return no_memory(w);
  RMX_TRY(rmx__domain_name_check(d->name, w->folder, w->err));
  size_t of_role[RMX__ROLES] = {0};
  for (size_t i = 0; i < n; i++) of_role[list[i].file->role]++;
  // If all files are named valid or test, there is nothing to separate them from.
  const bool apart = of_role[RMX__ROLE_NONE] + of_role[RMX__ROLE_TRAIN] > 0;
  char *note = NULL;
  if (!apart)
    note = rmx_format(
        "%s: all of its files are named as validation or test files; they are read as its text",
        d->name);
  else if (of_role[RMX__ROLE_VALID])
    note =
        rmx_format("%s: %zu file%s named as validation text %s its validation text (%s)", d->name,
                   of_role[RMX__ROLE_VALID], of_role[RMX__ROLE_VALID] == 1 ? "" : "s",
                   of_role[RMX__ROLE_VALID] == 1 ? "is" : "are", "corpus.domains can change this");
  if ((!apart || of_role[RMX__ROLE_VALID]) && !(note && rmx_strings_add(&out->notes, note))) {
    free(note);
    return no_memory(w);
  }
  free(note);
  for (size_t i = 0; i < n; i++) {
    const struct file *f = list[i].file;
    rmx__role role = apart ? f->role : RMX__ROLE_NONE;
    RMX_TRY(role == RMX__ROLE_TEST
                ? leave_out(w, f->kept, "test files of a domain are not read", true)
                : add_pattern(w, role == RMX__ROLE_VALID ? &d->valid_files : &d->files, f->kept));
  }
  return note_markup(w, d->name, list, n);
}

static rmx_status make_domains(struct walk *w) {
  struct numbered *list = rmx_calloc(w->n, sizeof *list);
  if (!list) return no_memory(w);
  for (size_t i = 0; i < w->n; i++)
    list[i] = (struct numbered){domain_of(w, &w->files[i]), &w->files[i], i};
  qsort(list, w->n, sizeof *list, by_domain);
  bool train = false;
  for (size_t i = 0; i < w->n; i++)
    train = train || rmx__role_of_word(list[i].domain, strlen(list[i].domain)) == RMX__ROLE_TRAIN;
  rmx_status status = RMX_OK;
  for (size_t i = 0, j; i < w->n && status == RMX_OK; i = j) {
    for (j = i + 1; j < w->n && strcmp(list[i].domain, list[j].domain) == 0; j++) {
    }
    const rmx__role role = list[i].file->domain
                               ? RMX__ROLE_NONE
                               : rmx__role_of_word(list[i].domain, strlen(list[i].domain));
    const bool apart =
        (role == RMX__ROLE_VALID || role == RMX__ROLE_TEST) && j - i < w->n && !train;
    status = apart ? leave_split(w, list + i, j - i, role) : make_domain(w, list + i, j - i);
  }
  free(list);
  return status;
}

// ---- checks of the result ---------------------------------------------------

static bool has_domain(const rmx_discovery *f, const char *name) {
  for (size_t i = 0; i < f->n; i++)
    if (strcmp(f->domains[i].name, name) == 0) return true;
  return false;
}

static rmx_status check_lost(struct walk *w) {
  const struct lost *first = NULL;
  size_t domains = 0;
  rmx_buf names = {0};
  for (size_t i = 0; i < w->n_lost; i++) {
    const struct lost *l = &w->lost[i];
    if (has_domain(w->out, l->domain)) continue;
    if (!first) first = l;
    if (++domains <= 3) rmx_buf_printf(&names, "%s\"%s\"", domains > 1 ? ", " : "", l->domain);
  }
  if (domains > 3) rmx_buf_printf(&names, " and %zu more", domains - 3);
  rmx_status status = RMX_OK;
  if (names.failed)
    status = no_memory(w);
  else if (first)
    status = rmx_fail(w->err, RMX_EINPUT,
                      "%s: %zu domain%s would be lost: %s. No file of \"%s\" can be read (%zu; the "
                      "first is %s: %s). Repair the files, or leave the domain out with "
                      "corpus.leave_out: %s",
                      w->folder, domains, domains == 1 ? "" : "s", names.data, first->domain,
                      first->n, first->path, first->why, first->domain);
  rmx_buf_release(&names);
  return status;
}

// The name of the first domain that is named like a training split, or like another one.
static const char *name_of_role(const rmx_discovery *f, bool train) {
  for (size_t i = 0; i < f->n; i++) {
    const rmx__role role = rmx__role_of_word(f->domains[i].name, strlen(f->domains[i].name));
    if (role != RMX__ROLE_NONE && (role == RMX__ROLE_TRAIN) == train) return f->domains[i].name;
  }
  return "";
}

// train.jsonl and valid.jsonl in the corpus folder itself are one domain, not two.
static rmx_status check_names(struct walk *w) {
  const rmx_discovery *f = w->out;
  size_t of_role[RMX__ROLES] = {0};
  for (size_t i = 0; i < f->n; i++)
    of_role[rmx__role_of_word(f->domains[i].name, strlen(f->domains[i].name))]++;
  if (of_role[RMX__ROLE_TRAIN] == 0 || of_role[RMX__ROLE_VALID] + of_role[RMX__ROLE_TEST] == 0)
    return RMX_OK;
  return rmx_fail(w->err, RMX_EINPUT,
                  "%s: \"%s\" and \"%s\" are splits of one domain, not domains: put them into a "
                  "folder with the name of the domain, or name the files in corpus.domains",
                  w->folder, name_of_role(f, true), name_of_role(f, false));
}

static rmx_status check_some(struct walk *w) {
  if (w->out->n) return RMX_OK;
  rmx_buf known = {0};
  rmx__formats_known(&known);
  rmx_status status = rmx_fail(w->err, RMX_EINPUT,
                               "%s: no domains here; wanted a folder for each domain, or files "
                               "<domain>-0001.jsonl; formats that are read: %s",
                               w->folder, known.data ? known.data : "");
  rmx_buf_release(&known);
  return status;
}

static rmx_status note_unused_patterns(struct walk *w) {
  for (size_t i = 0; w->leave_out && i < w->leave_out->n; i++) {
    if (w->left_out_hits[i]) continue;
    char *note = rmx_format("corpus.leave_out: nothing in %s matches \"%s\"", w->folder,
                            w->leave_out->items[i]);
    bool good = note && rmx_strings_add(&w->out->notes, note);
    free(note);
    if (!good) return no_memory(w);
  }
  return RMX_OK;
}

static int by_why(const void *a, const void *b) {
  const rmx_left_out *x = a, *y = b;
  if (x->matters != y->matters) return x->matters ? -1 : 1;
  int order = strcmp(x->why, y->why);
  return order ? order : strcmp(x->path, y->path);
}

static rmx_status discover(struct walk *w) {
  char *path = rmx_path_in(w->base, w->folder);
  w->left_out_hits = rmx_calloc(w->leave_out ? w->leave_out->n : 0, sizeof *w->left_out_hits);
  struct stat info;
  rmx_status status = path && w->left_out_hits ? RMX_OK : no_memory(w);
  if (status == RMX_OK && stat(path, &info) == 0)
    w->above[0] = (struct place){info.st_dev, info.st_ino};
  if (status == RMX_OK && stat(w->base && *w->base ? w->base : ".", &info) == 0)
    w->experiment = (struct place){info.st_dev, info.st_ino};
  if (status == RMX_OK) status = walk_folder(w, path, w->folder, w->whole, "", 0);
  free(path);
  RMX_TRY(status);
  unite_hex(w);
  RMX_TRY(find_roles(w));
  RMX_TRY(make_domains(w));
  RMX_TRY(check_lost(w));
  RMX_TRY(check_some(w));
  RMX_TRY(check_names(w));
  RMX_TRY(note_unused_patterns(w));
  if (w->out->n_left_out)
    qsort(w->out->left_out, w->out->n_left_out, sizeof *w->out->left_out, by_why);
  return RMX_OK;
}

// whole: see struct walk.
static rmx_status discover_in(const char *folder, const char *whole, const rmx_strings *leave,
                              const char *base, rmx_discovery *out, rmx_err *err) {
  *out = (rmx_discovery){0};
  struct walk w = {
      .folder = folder, .base = base, .whole = whole, .leave_out = leave, .out = out, .err = err};
  rmx_status status = discover(&w);
  for (size_t i = 0; i < w.n; i++)
    free(w.files[i].domain), free(w.files[i].inside), free(w.files[i].kept), free(w.files[i].stem);
  for (size_t i = 0; i < w.n_lost; i++) free(w.lost[i].domain), free(w.lost[i].path);
  free(w.files);
  free(w.lost);
  free(w.left_out_hits);
  if (status != RMX_OK) rmx_discovery_release(out);
  return status;
}

rmx_status rmx_corpus_discover(const char *folder, const rmx_strings *leave, const char *base,
                               rmx_discovery *out, rmx_err *err) {
  return discover_in(folder, NULL, leave, base, out, err);
}

rmx_status rmx_corpus_discover_files(const char *folder, const rmx_strings *leave, const char *base,
                                     rmx_discovery *out, rmx_err *err) {
  const char *slash = strrchr(folder, '/'), *name = slash && slash[1] ? slash + 1 : folder;
  return discover_in(folder, *name == '.' || strchr(name, '/') ? "text" : name, leave, base, out,
                     err);
}

void rmx_discovery_report(const rmx_discovery *f, const rmx_listener *to) {
  for (size_t i = 0; i < f->notes.n; i++) rmx_note(to, "%s", f->notes.items[i]);
  for (size_t i = 0, j; i < f->n_left_out; i = j) {
    const rmx_left_out *first = &f->left_out[i];
    rmx_buf names = {0};
    for (j = i; j < f->n_left_out && f->left_out[j].matters == first->matters &&
                strcmp(f->left_out[j].why, first->why) == 0;
         j++)
      if (j - i < 3) rmx_buf_printf(&names, "%s%s", j > i ? ", " : "", f->left_out[j].path);
    (first->matters ? rmx_warn : rmx_note)(to, "not read: %zu (%s%s): %s", j - i,
                                           names.data ? names.data : "", j - i > 3 ? ", ..." : "",
                                           first->why);
    rmx_buf_release(&names);
  }
}

void rmx_domain_sources_release(rmx_domain_source *sources, size_t n) {
  for (size_t i = 0; i < n; i++) {
    free(sources[i].name);
    free(sources[i].text_field);
    free(sources[i].separator);
    free(sources[i].encoding);
    rmx_strings_release(&sources[i].files);
    rmx_strings_release(&sources[i].valid_files);
    rmx_strings_release(&sources[i].values);
  }
  free(sources);
}

void rmx_discovery_release(rmx_discovery *f) {
  rmx_domain_sources_release(f->domains, f->n);
  for (size_t i = 0; i < f->n_left_out; i++) free(f->left_out[i].path);
  free(f->left_out);
  rmx_strings_release(&f->notes);
  *f = (rmx_discovery){0};
}
