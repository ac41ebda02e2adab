// SPDX-License-Identifier: Apache-2.0
// value_name.h: how the value of a field becomes the name of a domain.
#ifndef RMX_CORPUS_DOMAINS_VALUE_NAME_H
#define RMX_CORPUS_DOMAINS_VALUE_NAME_H

#include <regmix/base.h>

enum { RMX__LONGEST_NAME = 199 };  // bytes

// Appends a value as a name, or as a part of one. The name is the value, with its case and its
// spaces. What a name cannot have is written as in a web address, % and two hexadecimal digits, so
// that two values never give the same name:
//   - / , " =, control characters and bytes that are not UTF-8, anywhere
//   - a dot or a minus at the start of a name, and a space at either end of a value
//   - a colon, if the name has several parts, which colons separate
//   - % itself, before two hexadecimal digits
// start: the value begins the name. part: it is one of several. False: the value is empty or has
// only white space; nothing is appended.
bool rmx__value_name(const char *value, size_t size, bool start, bool part, rmx_buf *out);

// RMX_EINPUT: the name of a domain cannot be the name of a folder, or has control characters.
rmx_status rmx__domain_name_check(const char *name, const char *where, rmx_err *err);

#endif
