// SPDX-License-Identifier: Apache-2.0
// Reads parts of a file.
#include "random_access.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_type.h"

rmx_status rmx__random_access_begin(rmx__random_access *f, rmx__input *input, rmx_err *err) {
  struct stat info;
  *f = (rmx__random_access){.path = input->path, .input = input, .fd = fileno(input->file)};
  if (fstat(f->fd, &info) != 0) return rmx_fail_errno(err, "cannot read %s", f->path);
  f->size = (uint64_t)info.st_size;
  return RMX_OK;
}

rmx_status rmx__random_access_read(rmx__random_access *f, uint64_t at, void *into, size_t size,
                                   rmx_err *err) {
  char *to = into;
  for (size_t done = 0; done < size;) {
    ssize_t n = pread(f->fd, to + done, size - done, (off_t)(at + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return rmx_fail_errno(err, "cannot read %s", f->path);
    if (n == 0)
      return rmx_fail(err, RMX_EINPUT, "%s: the file ends at byte %llu, but goes on by its index",
                      f->path, (unsigned long long)(at + done));
    done += (size_t)n;
    f->input->compressed += (uint64_t)n;
  }
  return RMX_OK;
}

rmx_status rmx__not_of_type(rmx__random_access *f, const char *type, rmx_err *err) {
  char first[4096];
  const size_t n = f->size < sizeof first ? (size_t)f->size : sizeof first;
  if (n == 0) return rmx_fail(err, RMX_EINPUT, "%s: the file is empty", f->path);
  RMX_TRY(rmx__random_access_read(f, 0, first, n, err));
  char what[160];
  const char *kind = rmx__page_of_bytes(first, n, what);
  if (!kind) kind = rmx__type_of_bytes(first, n);
  return rmx_fail(err, RMX_EINPUT, "%s: not %s%s%s", f->path, type, kind ? ": this is " : "",
                  kind ? kind : "");
}

rmx_status rmx__block_reserve(rmx__block *b, size_t size, const char *path, rmx_err *err) {
  b->size = 0;
  if (size <= b->capacity) return RMX_OK;
  free(b->data);
  b->capacity = 0;
  b->data = rmx_calloc(size, 1);
  if (!b->data) return rmx_fail_memory(err, size, path);
  b->capacity = size;
  return RMX_OK;
}

void rmx__block_release(rmx__block *b) {
  free(b->data);
  *b = (rmx__block){0};
}
