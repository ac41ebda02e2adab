// SPDX-License-Identifier: Apache-2.0
// The file locks of a file system: whether they work, and taking one without waiting.
#ifndef RMX_SWARM_LOCKS_H
#define RMX_SWARM_LOCKS_H

#include <stdbool.h>

// NONE: the file system has no locks, or they do not lock.
typedef enum rmx__lock_state { RMX__LOCK_TAKEN, RMX__LOCK_HELD, RMX__LOCK_NONE } rmx__lock_state;
// flock(), `kind` LOCK_EX or LOCK_SH. HELD: somebody else has it. NONE: any other failure, such as
// ENOLCK, ENOSYS or EOPNOTSUPP.
rmx__lock_state rmx__lock(int fd, int kind);

// Whether two openings of one file in `folder` cannot both lock it. True where that cannot be
// tried. It is tried once for each file system.
bool rmx__locks_work(const char *folder);

// What kind of file system `path` is on, and where it is mounted: "nfs4, mounted at /home".
enum { RMX__FILE_SYSTEM_SIZE = 400 };
void rmx__file_system_of(const char *path, char out[RMX__FILE_SYSTEM_SIZE]);

#endif
