// SPDX-License-Identifier: Apache-2.0
// Which domains the files that were found are. A folder is a domain with all files below it. A file
// in the folder of the text belongs to the domain of its name without the number of its shard.
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "corpus/readers/file_type.h"
#include "corpus/readers/find_text.h"
#include "corpus/readers/format.h"
#include "corpus/readers/shard_name.h"
#include "value_name.h"
#include "walk_text.h"

// The domain of a file: its folder, or the name of the file (or of the one it belongs to). If that
// is only a number: the name of the corpus folder.
static const char *domain_of(const rmx__walk *w, const rmx__found *f) {
  if (f->domain) return f->domain;
  const char *name = f->owner ? f->owner->stem : f->stem;
  if (!rmx__is_shard_id(name)) return name;
  name = rmx__file_name(w->folder);
  return *name && strcmp(name, ".") != 0 ? name : "text";
}

struct numbered {
  const char *domain;
  const rmx__found *file;
  size_t at;
};

static int by_domain(const void *a, const void *b) {
  const struct numbered *x = a, *y = b;
  int order = strcmp(x->domain, y->domain);
  return order ? order : (x->at > y->at) - (x->at < y->at);
}

static rmx_status add_pattern(rmx__walk *w, rmx_strings *to, const char *kept) {
  char *pattern = rmx__as_pattern(kept);
  bool good = pattern && rmx_strings_add(to, pattern);
  free(pattern);
  return good ? RMX_OK : rmx__no_files(w);
}

// The tags of web pages are text to this program, and not to everybody.
static rmx_status note_markup(rmx__walk *w, const char *domain, const struct numbered *list,
                              size_t n) {
  size_t pages = 0;
  for (size_t i = 0; i < n; i++) pages += rmx__is_markup_name(list[i].file->inside);
  if (pages == 0) return RMX_OK;
  char *note = rmx_format("%s: %zu HTML file%s read as %s, with all tags", domain, pages,
                          pages == 1 ? " is" : "s are", pages == 1 ? "it is" : "they are");
  const bool good = note && rmx_strings_add(&w->out->notes, note);
  free(note);
  return good ? RMX_OK : rmx__no_files(w);
}

// Files test.jsonl or valid.jsonl next to the files of domains belong to none of them.
static rmx_status leave_split(rmx__walk *w, const struct numbered *list, size_t n, rmx__role role) {
  for (size_t i = 0; i < n; i++)
    RMX_TRY(
        rmx__leave_out(w, list[i].file->kept,
                       role == RMX__ROLE_TEST
                           ? "a test file that belongs to no domain"
                           : "validation text that belongs to no domain; put it into the folder of "
                             "one, or make it a valid_only domain of corpus.domains",
                       true));
  return RMX_OK;
}

// Makes a domain of files list[0 .. n-1].
static rmx_status make_domain(rmx__walk *w, const struct numbered *list, size_t n) {
  rmx_discovery *out = w->out;
  rmx_domain_source *more = rmx_realloc(out->domains, out->n + 1, sizeof *more);
  if (!more) return rmx__no_files(w);
  out->domains = more;
  rmx_domain_source *d = &more[out->n++];
  *d = (rmx_domain_source){.name = rmx_strdup(list[0].domain), .divided = w->whole};
  if (!d->name) return rmx__no_files(w);
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
    return rmx__no_files(w);
  }
  free(note);
  for (size_t i = 0; i < n; i++) {
    const rmx__found *f = list[i].file;
    rmx__role role = apart ? f->role : RMX__ROLE_NONE;
    RMX_TRY(role == RMX__ROLE_TEST
                ? rmx__leave_out(w, f->kept, "test files of a domain are not read", true)
                : add_pattern(w, role == RMX__ROLE_VALID ? &d->valid_files : &d->files, f->kept));
  }
  return note_markup(w, d->name, list, n);
}

rmx_status rmx__make_domains(rmx__walk *w) {
  struct numbered *list = rmx_calloc(w->n, sizeof *list);
  if (!list) return rmx__no_files(w);
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
