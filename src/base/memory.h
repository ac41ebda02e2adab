// SPDX-License-Identifier: Apache-2.0
// Memory: what the other files of the library need beyond base.h.
#ifndef RMX_BASE_MEMORY_H
#define RMX_BASE_MEMORY_H

#include <regmix/base.h>

// Makes room for `more` bytes and a zero after what the buffer has. False: no memory, and `failed`
// is set.
bool rmx__buf_reserve(rmx_buf *b, size_t more);

// Calls the handler of rmx_on_shortage. bytes: 0 if only the library knows.
void rmx__short_of(size_t bytes);

#endif
