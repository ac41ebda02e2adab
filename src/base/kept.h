// SPDX-License-Identifier: Apache-2.0
// kept.h: files of a user's own that an output would replace.
#ifndef RMX_BASE_KEPT_H
#define RMX_BASE_KEPT_H

#include <regmix/base.h>

// The outputs of one question: the names that a user gave, and where what was there is now.
typedef struct rmx__outputs {
  rmx_strings given, kept;
} rmx__outputs;
void rmx__outputs_release(rmx__outputs *o);
// Exchanges those of this thread (rmx_keep_others) with *o.
void rmx__outputs_exchange(rmx__outputs *o);
void rmx__outputs_tell(const rmx__outputs *o, const rmx_listener *to);

// Before the file `next` becomes `target`, which the user named as `given` (rmx_keep_others): what
// is there is moved to target~ if it begins otherwise.
rmx_status rmx__keep_other(const char *given, const char *target, const char *next, rmx_err *err);

// Gives a file the name target~ as well, or moves it there. What takes its place is written next.
rmx_status rmx__keep(const char *target, rmx_err *err);

// Whether the old file is empty or begins like the next: an output of the same kind.
bool rmx__begin_alike(const char *old, const char *next);
// path~, or the first of path~2, ... that is not there; free() it. NULL: no memory.
char *rmx__kept_name(const char *path);
// Remembers that a file is kept under this name; false: no memory.
bool rmx__kept(const char *name);

#endif
