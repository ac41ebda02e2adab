// SPDX-License-Identifier: Apache-2.0
// Files that stand beside others while they are written.
#ifndef BASE_TEMPORARY_H
#define BASE_TEMPORARY_H

// Makes an empty file in `folder`, locked while it is open, for writing and reading; *path is its name, to be freed.
// The first time in a process, such files of writers that are gone are removed from the folder. -1: errno says why.
int rmx__temporary(const char *folder, char **path);
// Removes such files of writers that are gone.
void rmx__sweep(const char *folder);

#endif
