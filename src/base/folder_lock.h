// SPDX-License-Identifier: Apache-2.0
// folder_lock.h: a lock on what is put in place in several steps.
#ifndef RMX_BASE_FOLDER_LOCK_H
#define RMX_BASE_FOLDER_LOCK_H

#include <regmix/base.h>

// Waits for the lock of a file or folder, which need not be there yet. The lock lies beside the
// path, so a folder that takes its place leaves the lock as it is. Where nothing can be locked,
// lock->fd is -1. Free it with rmx_folder_unlock().
rmx_status rmx__lock_beside(const char *path, rmx_lock *lock, rmx_err *err);

#endif
