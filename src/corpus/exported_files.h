// SPDX-License-Identifier: Apache-2.0
// exported_files.h: which files of a folder an export of token files wrote. token-files.json lists
// them. Ids have no magic number, so nothing else tells these files from a user's own.
#ifndef RMX_CORPUS_EXPORTED_FILES_H
#define RMX_CORPUS_EXPORTED_FILES_H

#include <jansson.h>
#include <regmix/base.h>

typedef struct rmx__exported {
  const char *folder, *format;
  json_t *before;   // {name: format} of the files that earlier exports wrote
  rmx_strings now;  // names of the files that this one writes
} rmx__exported;

rmx_status rmx__exported_open(rmx__exported *e, const char *folder, const char *format,
                              rmx_err *err);
rmx_status rmx__exported_add(rmx__exported *e, const char *name, rmx_err *err);
// Before the first file: what is in the way and not listed is moved to NAME~, and the list is
// written with the new names, so that an export after a kill knows its files.
rmx_status rmx__exported_begin(rmx__exported *e, rmx_err *err);
// After the last file: removes those of this format that are listed and were not written.
rmx_status rmx__exported_end(rmx__exported *e, rmx_err *err);
void rmx__exported_release(rmx__exported *e);

#endif
