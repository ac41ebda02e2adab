// SPDX-License-Identifier: Apache-2.0
// walk_text.h: the files of a folder of text, on the way to its domains.
#ifndef RMX_CORPUS_DOMAINS_WALK_TEXT_H
#define RMX_CORPUS_DOMAINS_WALK_TEXT_H

#include <regmix/corpus.h>
#include <sys/types.h>

#include "corpus/readers/shard_name.h"

enum { RMX__DEEPEST = 32 };  // nested folders

typedef struct rmx__found {
  // the folder's name; NULL for a file in the corpus folder itself, until its name is parsed
  char *domain;
  char *inside;  // path in the domain's folder, or the file's name
  char *kept;    // path in the result
  char *stem;    // name without endings and shard number
  rmx__role role;
  // in the corpus folder: the file whose domain it belongs to; NULL: its own
  const struct rmx__found *owner;
} rmx__found;

// Files of a domain that are not read.
typedef struct rmx__lost {
  char *domain, *path;  // of the first file
  const char *why;
  size_t n;
} rmx__lost;

typedef struct rmx__place {
  dev_t device;
  ino_t inode;
} rmx__place;

typedef struct rmx__walk {
  const char *folder, *base;
  const char *whole;  // all files are one divided source with this name; NULL: they are domains
  const rmx_strings *leave_out;
  size_t *left_out_hits;  // (leave_out->n)
  rmx_discovery *out;
  rmx__found *files;
  size_t n, capacity;
  rmx__lost *lost;
  size_t n_lost;
  rmx__place above[RMX__DEEPEST];
  rmx__place experiment;  // `base`
  bool own;               // the present folder is that of an experiment
  rmx_err *err;
} rmx__walk;

// Lists the files below w->folder, and what of it is not read.
rmx_status rmx__walk_text(rmx__walk *w);
// Lists what is not read. matters: the user may have wanted it.
rmx_status rmx__leave_out(rmx__walk *w, const char *kept, const char *why, bool matters);
rmx_status rmx__no_files(rmx__walk *w);

// Finds the role of each file, and the file whose domain it belongs to.
rmx_status rmx__find_roles(rmx__walk *w);
// Makes the domains of the files.
rmx_status rmx__make_domains(rmx__walk *w);

#endif
