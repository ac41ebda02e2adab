// SPDX-License-Identifier: Apache-2.0
// blanks.h: white space as Python sees it, and so lm-evaluation-harness.
#ifndef RMX_EVAL_BLANKS_H
#define RMX_EVAL_BLANKS_H

#include <stdbool.h>

#include "corpus/utf8.h"

// Reads the character at p (p < end): its length in bytes, and whether str.isspace() of Python says
// that it is a blank: white space of Unicode, and the separators 0x1c to 0x1f.
static inline size_t rmx__blank_next(const char *p, const char *end, bool *blank) {
  rmx__class class;
  const size_t n = rmx__class_next(p, end, &class);
  *blank = class == RMX__SPACE || (*p >= 0x1c && *p <= 0x1f);
  return n;
}

#endif
