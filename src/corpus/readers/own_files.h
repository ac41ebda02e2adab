// SPDX-License-Identifier: Apache-2.0
// own_files.h: what an experiment writes beside its config. It is not text.
#ifndef RMX_CORPUS_READERS_OWN_FILES_H
#define RMX_CORPUS_READERS_OWN_FILES_H

#include <regmix/base.h>

// Whether a folder is that of an experiment: it has a regmix.yaml, or a corpus that was prepared.
bool rmx__is_experiment(const char *folder);

typedef enum rmx__own {
  RMX__OWN_NOT,   // another name
  RMX__OWN_IS,    // the experiment has written it
  RMX__OWN_NAMED  // the experiment will write it, but what is there now is somebody else's
} rmx__own;
// What a name in the folder of an experiment is.
rmx__own rmx__own_file(const char *folder, const char *name);

// Finds a file in the folder `corpus` of an experiment that prepare has not written. Hidden files
// do not count. *out NULL: there is none; else free() it.
rmx_status rmx__foreign_file(const char *corpus, char **out, rmx_err *err);

#endif
