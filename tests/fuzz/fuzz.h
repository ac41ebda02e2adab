// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets share: files in memory, so that no input waits for a disk, and inputs of
// several parts.
#ifndef RMX_TESTS_FUZZ_FUZZ_H
#define RMX_TESTS_FUZZ_FUZZ_H

#include <errno.h>
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A folder of this process. It lies in memory where the system has such a place.
static inline const char *fuzz_folder(void) {
  static char folder[64];
  if (!*folder) {
    snprintf(folder, sizeof folder, "%s/regmix-fuzz-%d",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)getpid());
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) abort();
  }
  return folder;
}

// Removes it. Not called by libFuzzer, whose script does.
static inline void fuzz_remove(void) {
  rmx_err ignored;
  rmx_remove_tree(fuzz_folder(), &ignored);
}

// Writes <folder>/<name> and returns its path, which the next call overwrites.
static inline const char *fuzz_file(const char *name, const uint8_t *data, size_t size) {
  static char path[128];
  snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
  FILE *f = fopen(path, "wb");
  if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0) abort();
  return path;
}

// Takes the next part of an input: up to a zero byte, or the rest.
static inline size_t fuzz_part(const uint8_t **data, size_t *left, const uint8_t **part) {
  const uint8_t *zero = *left ? memchr(*data, 0, *left) : NULL;
  const size_t n = zero ? (size_t)(zero - *data) : *left;
  *part = *data;
  *data += zero ? n + 1 : n;
  *left -= zero ? n + 1 : n;
  return n;
}

#endif
