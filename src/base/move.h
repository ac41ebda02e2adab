// SPDX-License-Identifier: Apache-2.0
// move.h: moves a file, a folder or a link by one rename.
#ifndef RMX_BASE_MOVE_H
#define RMX_BASE_MOVE_H

#include <stdbool.h>

// A relative link gets the absolute path of what it leads to, since elsewhere it would lead to
// nothing. False: errno says why.
bool rmx__move(const char *from, const char *to);

#endif
