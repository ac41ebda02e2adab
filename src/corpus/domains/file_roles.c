// SPDX-License-Identifier: Apache-2.0
// Which of the files that were found hold training text, validation text or test text.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "corpus/readers/shard_name.h"
#include "walk_text.h"

static int by_stem(const void *a, const void *b) {
  const rmx__found *x = *(const rmx__found *const *)a, *y = *(const rmx__found *const *)b;
  int order = !x->domain || !y->domain ? !!x->domain - !!y->domain : strcmp(x->domain, y->domain);
  return order ? order : strcasecmp(x->stem, y->stem);
}

// The file of this stem in the same domain, or NULL.
static const rmx__found *with_stem(rmx__found *const *sorted, size_t n, const rmx__found *like,
                                   const char *stem) {
  rmx__found wanted = {.domain = like->domain, .stem = (char *)stem};
  const rmx__found *key = &wanted;
  rmx__found *const *found = bsearch(&key, sorted, n, sizeof *sorted, by_stem);
  return found ? *found : NULL;
}

// A name with valid or test counts only if the files that it belongs to exist: train.jsonl or other
// files of its folder for valid.jsonl, c4-train or c4 for c4-validation.
static rmx_status find_role(rmx__found *f, rmx__found *const *sorted, size_t n, rmx_err *err) {
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

rmx_status rmx__find_roles(rmx__walk *w) {
  rmx__found **sorted = rmx_calloc(w->n, sizeof *sorted);
  if (!sorted) return rmx__no_files(w);
  for (size_t i = 0; i < w->n; i++) sorted[i] = &w->files[i];
  qsort(sorted, w->n, sizeof *sorted, by_stem);
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < w->n && status == RMX_OK; i++)
    status = find_role(&w->files[i], sorted, w->n, w->err);
  free(sorted);
  return status;
}
