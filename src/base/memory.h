// SPDX-License-Identifier: Apache-2.0
// Memory that was not given to a library that regmix calls.
#ifndef RMX_BASE_MEMORY_H
#define RMX_BASE_MEMORY_H

#include <stddef.h>

// Tells whoever asked with rmx_on_shortage. bytes: 0 if only the library knows.
void rmx__short_of(size_t bytes);

#endif
