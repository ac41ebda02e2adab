// SPDX-License-Identifier: Apache-2.0
// Finds files that belong to several domains, whose documents are duplicates in all but one, and
// files that are both for training and for validation.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "corpus/prepare/documents.h"
#include "steps.h"

struct entry {
  dev_t device;
  ino_t inode;
  size_t source;
  bool valid;  // for validation alone
  char *path;
};

struct entries {
  struct entry *items;  // (n)
  size_t n, capacity;
};

static bool add(struct entries *e, const rmx_strings *files, size_t source, bool valid) {
  for (size_t i = 0; i < files->n; i++) {
    struct stat info;
    if (stat(files->items[i], &info) != 0) continue;
    if (e->n == e->capacity) {
      const size_t capacity = e->capacity ? 2 * e->capacity : 256;
      struct entry *more = rmx_realloc(e->items, capacity, sizeof *more);
      if (!more) return false;
      e->items = more;
      e->capacity = capacity;
    }
    char *path = rmx_strdup(files->items[i]);
    if (!path) return false;
    e->items[e->n++] = (struct entry){info.st_dev, info.st_ino, source, valid, path};
  }
  return true;
}

static int by_file(const void *a, const void *b) {
  const struct entry *x = a, *y = b;
  if (x->device != y->device) return x->device < y->device ? -1 : 1;
  if (x->inode != y->inode) return x->inode < y->inode ? -1 : 1;
  if (x->source != y->source) return x->source < y->source ? -1 : 1;
  return (x->valid > y->valid) - (x->valid < y->valid);
}

static bool are_same(const struct entry *a, const struct entry *b) {
  return a->device == b->device && a->inode == b->inode;
}

// Without corpus.dedup nothing keeps the text of a file for validation out of the training text.
static void tell_leaks(const rmx_pipeline *p, const rmx_sources *s, const struct entries *e) {
  rmx_few files = {0};
  for (size_t i = 0, j; i < e->n && !p->experiment.config.corpus.dedup; i = j) {
    bool valid = false, train = false;
    for (j = i; j < e->n && are_same(&e->items[i], &e->items[j]); j++) {
      const bool is_valid = e->items[j].valid || s->domains[e->items[j].source].valid_only;
      valid = valid || is_valid;
      train = train || !is_valid;
    }
    if (valid && train) rmx_few_add(&files, e->items[i].path);
  }
  if (files.n)
    rmx_warn(&p->listener,
             "%zu file%s for training and for validation, so losses may be measured on text that "
             "was trained on: %s; name each file for one of them, or set corpus.dedup to true",
             files.n, files.n == 1 ? " is" : "s are", files.text);
}

// Where the second domain of a file is for validation only, this may be on purpose.
static void tell(const rmx_pipeline *p, const rmx_sources *s, const struct entries *e) {
  size_t shared = 0;
  const struct entry *first = NULL, *second = NULL;
  for (size_t i = 1; i < e->n; i++) {
    const struct entry *a = &e->items[i - 1], *b = &e->items[i];
    if (!are_same(a, b) || a->source == b->source) continue;
    if (!shared++) first = a, second = b;
  }
  if (!shared) return;
  const rmx_domain_source *x = &s->domains[first->source], *y = &s->domains[second->source];
  const bool apart = x->valid_only || y->valid_only, dedup = p->experiment.config.corpus.dedup;
  (apart ? rmx_note : rmx_warn)(
      &p->listener, "%zu file%s to two domains (%s to %s and %s)%s", shared,
      shared == 1 ? " belongs" : "s belong", first->path, x->name, y->name,
      !dedup  ? "; narrow the patterns"
      : apart ? ". Duplicates are dropped, so the text of the validation-only domain is not "
                "trained on"
              : ". Duplicates are dropped, so one of them loses this text; narrow the patterns");
}

void rmx__tell_shared_files(const rmx_pipeline *p, const rmx_sources *s) {
  struct entries e = {0};
  bool good = true;
  for (size_t i = 0; i < s->n && good; i++) {
    rmx__files files;
    rmx_err ignored;  // it is reported when the files are read
    if (rmx__files_find(&s->domains[i], p->experiment.folder, &files, &ignored) != RMX_OK) continue;
    good = add(&e, &files.train, i, false) && add(&e, &files.valid, i, true);
    rmx__files_release(&files);
  }
  if (e.n) qsort(e.items, e.n, sizeof *e.items, by_file);
  if (good) tell(p, s, &e);
  if (good) tell_leaks(p, s, &e);
  for (size_t i = 0; i < e.n; i++) free(e.items[i].path);
  free(e.items);
}
