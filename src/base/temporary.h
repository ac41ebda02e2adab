// SPDX-License-Identifier: Apache-2.0
// Files that stand beside others while they are written.
#ifndef RMX_BASE_TEMPORARY_H
#define RMX_BASE_TEMPORARY_H

#include <stdbool.h>

enum { RMX__HOST_SIZE = 80 };
// The name of this host and of this container on it, with nothing in it that the names of temporary
// files have a meaning for.
void rmx__own_host(char host[RMX__HOST_SIZE]);

// Makes an empty file in `folder`, locked while it is open, for writing and reading; *path is its
// name, for rmx__temporary_done. The first time in a process, such files of writers that are gone
// are removed from the folder. -1: errno says why.
int rmx__temporary(const char *folder, char **path);
// Removes such files of writers that are gone.
void rmx__sweep(const char *folder);
// The file has its final name, or was removed: frees the name. NULL is fine.
void rmx__temporary_done(char *path);

#endif
