// SPDX-License-Identifier: Apache-2.0
// Paths: their parts, and what is at them.
#ifndef RMX_BASE_PATH_H
#define RMX_BASE_PATH_H

#include <stdbool.h>

// What follows the last slash of a path, as part of it; all of it where there is no slash.
const char *rmx__file_name(const char *path);
// A file of this name is in the folder.
bool rmx__exists_in(const char *folder, const char *name);
// The open file is the one that is at the path.
bool rmx__is_at(int fd, const char *path);
bool rmx__ends_in(const char *text, const char *suffix);

#endif
