// SPDX-License-Identifier: Apache-2.0
// What the folder of a run holds, and which run it was made for.
#ifndef RMX_SWARM_LOOK_H
#define RMX_SWARM_LOOK_H

#include <regmix/swarm.h>

#include "base/json.h"

// <folder>/<name> as a tree; NULL: it is not there, or is not JSON.
json_t *rmx__read_in(const char *folder, const char *name);
// <folder> holds a result of r, and all that belongs to it.
bool rmx__finished_in(const char *folder, const rmx_run *r);
// Whether the result of r, and its model, can be read, if there are any. What cannot, for an error
// of the disk or for want of memory, may be that of a finished run, and is not to be replaced.
rmx_status rmx__can_read_result(const rmx_run *r, rmx_err *err);
// Lists the folder of r, and the one above it. A network file system may remember for a minute that
// a file was not there when it was looked for; a folder that is opened is asked for again.
void rmx__list_anew(const rmx_run *r);
// Removes what killed processes left half written in folders of these runs that were set aside.
void rmx__sweep_shelves(const rmx_run *runs, size_t n);
// <folder> is of a training of r that has no result yet.
bool rmx__begun_in(const char *folder, const rmx_run *r);
// Finished results of these runs (n) that have folders of other names, which no other of the runs
// uses. Adds the names of the runs, and for each the folder. `move`: sets them aside, from where
// the runs take them back. The runs must be all that may use the folders beside theirs.
rmx_status rmx__runs_elsewhere(const rmx_run *runs, size_t n, bool move, rmx_strings *names,
                               rmx_strings *folders, rmx_err *err);

#endif
