// SPDX-License-Identifier: Apache-2.0
// Finds files that are named as further parts of a file of the corpus (wiki.jsonl, and then
// wiki-2.jsonl), and that no pattern of regmix.yaml matches: they came after it was written.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "corpus/prepare/documents.h"
#include "steps.h"

// Whether `name` is `file` with a number before its ending: wiki-2.jsonl, wiki_00002.jsonl.
static bool is_part_of(const char *name, const char *file) {
  const size_t stem = strcspn(file, ".");
  if (stem == 0 || strncmp(name, file, stem) != 0 || !name[stem] || !strchr("-_.", name[stem]))
    return false;
  const char *number = name + stem + 1, *end = number;
  while (isdigit((unsigned char)*end)) end++;
  return end > number && strcmp(end, file + stem) == 0;
}

// Adds those in the folder of a file that is named whole, and not by a pattern.
static void look_beside(const char *path, const rmx_strings *read, rmx_few *out) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  const char *file = rmx__file_name(path);
  RMX_OWNED char *folder = file > path ? rmx_format("%.*s", (int)(file - path - 1), path) : NULL;
  rmx_err ignored;
  if (!folder || rmx_list(*folder ? folder : "/", &names, &ignored) != RMX_OK) return;
  for (size_t i = 0; i < names.n; i++) {
    RMX_OWNED char *other =
        is_part_of(names.items[i], file) ? rmx_path_in(folder, names.items[i]) : NULL;
    if (other && !rmx_strings_have(read, other)) rmx_few_add(out, other);
  }
}

static bool add_files(rmx_strings *all, const rmx_strings *files) {
  bool good = true;
  for (size_t i = 0; i < files->n && good; i++) good = rmx_strings_add(all, files->items[i]);
  return good;
}

void rmx__tell_more_parts(const rmx_pipeline *p, const rmx_sources *s) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings read = {0};
  rmx_err ignored;  // it is reported when the files are read
  for (size_t i = 0; i < s->n; i++) {
    rmx__files found;
    if (rmx__files_find(&s->domains[i], p->experiment.folder, &found, &ignored) != RMX_OK) continue;
    const bool good = add_files(&read, &found.train) && add_files(&read, &found.valid);
    rmx__files_release(&found);
    if (!good) return;
  }
  for (size_t i = 0; i < s->n; i++) {
    const rmx_strings *globs = &s->domains[i].files;
    rmx_few more = {0};
    for (size_t k = 0; k < globs->n; k++) {
      RMX_OWNED char *path = strpbrk(globs->items[k], "*?[")
                                 ? NULL
                                 : rmx_path_in(p->experiment.folder, globs->items[k]);
      if (path) look_beside(path, &read, &more);
    }
    if (more.n)
      rmx_warn(&p->listener,
               "%s: %zu file%s beside its text %s named as further parts of it, but %s in no "
               "pattern and not read (%s); add %s to corpus.domains, or give %s another name",
               s->domains[i].name, more.n, rmx_s((double)more.n), rmx_is((double)more.n),
               rmx_is((double)more.n), more.text, more.n == 1 ? "it" : "them",
               more.n == 1 ? "it" : "them");
  }
}
