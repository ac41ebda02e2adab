// SPDX-License-Identifier: Apache-2.0
// Files that the build puts into the library as text (embed.c).
#ifndef RMX_BASE_ASSET_H
#define RMX_BASE_ASSET_H

#include <stddef.h>

typedef struct rmx__asset {
  const char *name;
  const char *data;  // ends with a NUL, which size does not count
  size_t size;
} rmx__asset;

#endif
