// SPDX-License-Identifier: Apache-2.0
#include "own_files.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"

bool rmx__is_experiment(const char *folder) {
  return rmx__exists_in(folder, "regmix.yaml") || rmx__exists_in(folder, "corpus/corpus.json");
}

// written: a file that is there if the experiment has written this; NULL: it needs no proof.
static const struct {
  const char *name, *written;
} own[] = {
    {"corpus", "corpus/corpus.json"},
    {"runs", "mixtures.csv"},
    {"fit", "fit/fit.json"},
    {"large", "mixtures.csv"},
    {"compare", "mixtures.csv"},
    {"regmix.yaml", NULL},
    {"resolved.yaml", NULL},
    {"tokenizer.json", NULL},
    {"mixtures.csv", NULL},
    {"metrics.csv", NULL},
    {"metrics-half.csv", NULL},
    {"evaluations.csv", NULL},
    {"tables.json", "metrics.csv"},
    {"scored.json", "metrics.csv"},
    {"optimum.yaml", NULL},
    {"next.csv", NULL},
    {"report.html", NULL},
};

rmx__own rmx__own_file(const char *folder, const char *name) {
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    if (strcmp(own[i].name, name) == 0)
      return !own[i].written || rmx__exists_in(folder, own[i].written) ? RMX__OWN_IS
                                                                       : RMX__OWN_NAMED;
  return RMX__OWN_NOT;
}

// Names of the files of a corpus, also while they are written.
static bool is_of_corpus(const char *name) {
  static const char *const patterns[] = {"train.bin*", "valid.bin*", "corpus.json*", "files.json*",
                                         "tokenizer.json*"};
  for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
    if (fnmatch(patterns[i], name, 0) == 0) return true;
  return false;
}

static rmx_status search(const char *folder, bool inner, char **out, rmx_err *err) {
  DIR *d = rmx_opendir(folder);
  if (!d)
    return errno == ENOENT || errno == ENOTDIR
               ? RMX_OK
               : rmx_fail_errno(err, "cannot read the folder %s", folder);
  rmx_status status = RMX_OK;
  for (struct dirent *e; status == RMX_OK && !*out && (e = readdir(d));) {
    if (e->d_name[0] == '.') continue;
    char *path = rmx_path_in(folder, e->d_name);
    struct stat info;
    if (!path) status = rmx_fail_memory(err, 0, "a path");
    const bool is_folder = path && lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
    if (is_folder && !inner)
      status = search(path, true, out, err);
    else if (path && (is_folder || !is_of_corpus(e->d_name)))
      *out = path, path = NULL;
    free(path);
  }
  closedir(d);
  return status;
}

rmx_status rmx__foreign_file(const char *corpus, char **out, rmx_err *err) {
  *out = NULL;
  return search(corpus, false, out, err);
}
