// SPDX-License-Identifier: Apache-2.0
// find_text.h: the files that a pattern of a domain matches.
#ifndef RMX_CORPUS_READERS_FIND_TEXT_H
#define RMX_CORPUS_READERS_FIND_TEXT_H

#include <regmix/base.h>

// Appends the files that a pattern matches, sorted. In addition to what rmx_glob() knows, the
// folder ** stands for any number of nested folders, and the name of a folder for FOLDER/**. These
// two find files of text only: no hidden files, readmes, licences, checksums or metadata; links to
// a folder above are not followed. The names of files with unknown endings are added to `unread`.
// RMX_EINPUT: a folder holds data in a format that is not read,
// or more than 32 nested folders. RMX_EINTERRUPTED.
rmx_status rmx__find_text(const char *pattern, rmx_strings *out, rmx_few *unread, rmx_err *err);

// A path as a glob that matches only this path; free() it. NULL: no memory.
char *rmx__as_pattern(const char *path);

#endif
