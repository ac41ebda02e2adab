// SPDX-License-Identifier: Apache-2.0
// hasher.h: rmx_hash() of data that comes in pieces.
#ifndef RMX_BASE_HASHER_H
#define RMX_BASE_HASHER_H

#include <stddef.h>
#include <stdint.h>

typedef struct rmx__hasher rmx__hasher;
rmx__hasher *rmx__hasher_new(uint64_t seed);  // NULL: no memory
void rmx__hasher_add(rmx__hasher *h, const void *data, size_t size);
// Of all that was added.
uint64_t rmx__hasher_value(const rmx__hasher *h);
void rmx__hasher_free(rmx__hasher *h);

#endif
