// SPDX-License-Identifier: Apache-2.0
#include "compression.h"

#include <string.h>
#include <strings.h>

static const rmx__compression *const compressions[] = {&rmx__gzip, &rmx__zstd, &rmx__xz,
                                                       &rmx__bzip2, &rmx__lz4};
enum { N = sizeof compressions / sizeof *compressions };
const char rmx__compressions_known[] = ".gz, .zst, .zstd, .xz, .bz2, .lz4";

const rmx__compression *rmx__compression_of(const char *path, size_t *stem) {
  const size_t n = *stem = strlen(path);
  for (size_t i = 0; i < N; i++)
    for (const char *const *suffix = compressions[i]->suffixes; *suffix; suffix++) {
      const size_t k = strlen(*suffix);
      if (k > n || strcasecmp(path + n - k, *suffix) != 0) continue;
      *stem = n - k;
      return compressions[i];
    }
  return NULL;
}

const rmx__compression *rmx__compression_of_bytes(const char *data, size_t size) {
  for (size_t i = 0; i < N; i++)
    if (size >= compressions[i]->magic_size &&
        memcmp(data, compressions[i]->magic, compressions[i]->magic_size) == 0)
      return compressions[i];
  return NULL;
}
