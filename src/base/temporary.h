// SPDX-License-Identifier: Apache-2.0
// Files that stand beside others while they are written.
#ifndef BASE_TEMPORARY_H
#define BASE_TEMPORARY_H

// Makes an empty file in `folder`, locked while it is open, for writing and reading; *path is its name, for rmx__temporary_done.
// The first time in a process, such files of writers that are gone are removed from the folder. -1: errno says why.
int rmx__temporary(const char *folder, char **path);
// Removes such files of writers that are gone.
void rmx__sweep(const char *folder);
// The file has its final name, or was removed: frees the name. NULL is fine.
void rmx__temporary_done(char *path);

#endif
