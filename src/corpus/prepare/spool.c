// SPDX-License-Identifier: Apache-2.0
// Goes through the documents of a spool, in their order or by their numbers, and reads their texts.
// Files are read in pieces and not mapped, so memory does not grow with the corpus.
#include "spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/temporary.h"

enum { HEADER = 64, BUFFERED = 4096 };  // bytes of an index; records

rmx_status rmx__spool_init(rmx__spool *s, const char *folder, rmx_err *err) {
  *s = (rmx__spool){.folder = rmx_strdup(folder)};
  return s->folder ? rmx_mkdirs(folder, err) : rmx_fail_memory(err, strlen(folder), "a path");
}

void rmx__spool_release(rmx__spool *s) {
  for (size_t i = 0; i < s->n; i++) rmx__part_clear(&s->parts[i]);
  if (s->fates) munmap(s->fates, s->documents);
  free(s->parts);
  free(s->folder);
  *s = (rmx__spool){0};
}

static bool is_of_part(const rmx__spool *s, const char *name) {
  char *end;
  const unsigned long long key = strtoull(name, &end, 16);
  if (strcmp(end, ".text") != 0 && strcmp(end, ".index") != 0) return false;
  for (size_t i = 0; i < s->n; i++)
    if (s->parts[i].key == key) return true;
  return false;
}

rmx_status rmx__spool_sweep(const rmx__spool *s, rmx_err *err) {
  DIR *d = rmx_opendir(s->folder);
  rmx_status status = d ? RMX_OK : rmx_fail_errno(err, "cannot read the folder %s", s->folder);
  for (struct dirent *e; status == RMX_OK && (e = readdir(d));) {
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
    if (is_of_part(s, e->d_name)) continue;
    char *path = rmx_path_in(s->folder, e->d_name);
    if (!path) status = rmx_fail_memory(err, 0, "a path");
    if (path) unlink(path);
    free(path);
  }
  if (d) closedir(d);
  return status;
}

// ---- files of parts

static int open_part(const rmx__spool *s, size_t part, const char *ending, rmx_err *err) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%016llx.%s", s->folder, (unsigned long long)s->parts[part].key,
           ending);
  int fd;
  while ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0 && errno == EINTR && !rmx_interrupted()) {
  }
  if (fd < 0) rmx_fail_errno(err, "cannot read the temporary file %s", path);
  return fd;
}

static rmx_status read_at(const rmx__spool *s, int fd, void *into, size_t size, uint64_t at,
                          rmx_err *err) {
  for (size_t done = 0; done < size;) {
    const ssize_t k = pread(fd, (char *)into + done, size - done, (off_t)(at + done));
    if (k < 0 && errno == EINTR) continue;
    if (k == 0) errno = EIO;
    if (k <= 0) return rmx_fail_errno(err, "cannot read a temporary file in %s", s->folder);
    done += (size_t)k;
  }
  return RMX_OK;
}

// ---- documents

static rmx__located located(const rmx__spool *s, size_t part, uint64_t i, const rmx__document *d) {
  return (rmx__located){s->parts[part].first + i,
                        d->hash,
                        d->offset,
                        d->size,
                        (uint32_t)part,
                        (uint32_t)s->parts[part].domains[d->name],
                        s->parts[part].stray[d->name]};
}

static bool is_wanted(const rmx__part *p, const bool *domains) {
  if (p->documents == 0) return false;
  for (size_t i = 0; i == 0 || i < p->names.n; i++)
    if (!domains || (domains[p->domains[i]] && p->counts[i])) return true;
  return false;
}

// Fills the buffer with the next records of a part that is wanted. At the end of all, n = 0.
static rmx_status fill(rmx__cursor *c, rmx_err *err) {
  const rmx__spool *s = c->spool;
  c->used = c->n = 0;
  if (!c->buffer && !(c->buffer = rmx_calloc(BUFFERED, sizeof *c->buffer)))
    return rmx_fail_memory(err, BUFFERED * sizeof *c->buffer, "records of documents");
  while (c->part < s->n &&
         (c->at == s->parts[c->part].documents || !is_wanted(&s->parts[c->part], c->domains))) {
    if (c->opened) close(c->file);
    c->opened = false;
    c->at = 0;
    if (++c->part % 64 == 0) rmx__spool_cool(s);
  }
  if (c->part == s->n) return RMX_OK;
  if (rmx_interrupted()) return rmx_fail(err, RMX_EINTERRUPTED, "interrupted");
  if (!c->opened && (c->file = open_part(s, c->part, "index", err)) < 0) return err->status;
  c->opened = true;
  const uint64_t left = s->parts[c->part].documents - c->at;
  c->n = left < BUFFERED ? (size_t)left : BUFFERED;
  return read_at(s, c->file, c->buffer, c->n * sizeof *c->buffer,
                 HEADER + c->at * sizeof *c->buffer, err);
}

rmx_status rmx__cursor_next(rmx__cursor *c, const rmx__located **out, rmx_err *err) {
  *out = NULL;
  do {
    if (c->used == c->n) RMX_TRY(fill(c, err));
    if (c->n == 0) return RMX_OK;
    c->document = located(c->spool, c->part, c->at++, &c->buffer[c->used++]);
  } while (c->domains && !c->domains[c->document.domain]);
  *out = &c->document;
  return RMX_OK;
}

void rmx__cursor_release(rmx__cursor *c) {
  if (c->opened) close(c->file);
  free(c->buffer);
  *c = (rmx__cursor){0};
}

rmx_status rmx__spool_locate(const rmx__spool *s, uint64_t number, rmx__located *out,
                             rmx_err *err) {
  size_t low = 0, high = s->n;  // the last part that begins at `number` or before
  while (high - low > 1) {
    const size_t mid = low + (high - low) / 2;
    *(s->parts[mid].first <= number ? &low : &high) = mid;
  }
  const int fd = open_part(s, low, "index", err);
  if (fd < 0) return err->status;
  rmx__document d;
  const uint64_t i = number - s->parts[low].first;
  rmx_status status = read_at(s, fd, &d, sizeof d, HEADER + i * sizeof d, err);
  close(fd);
  if (status == RMX_OK) *out = located(s, low, i, &d);
  return status;
}

// ---- fates

void rmx__spool_cool(const rmx__spool *s) {
  if (s->fates) madvise(s->fates, s->documents, MADV_DONTNEED);  // what was changed is in the file
}

static rmx_status map_fates(rmx__spool *s, FILE *file, rmx_err *err) {
  if (fflush(file) != 0)
    return rmx_fail_errno(err, "cannot write a temporary file in %s", s->folder);
  if (s->documents == 0) return RMX_OK;
  void *data = mmap(NULL, s->documents, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
  if (data == MAP_FAILED)
    return rmx_fail_errno(err, "cannot map a temporary file in %s", s->folder);
  s->fates = data;
  return RMX_OK;
}

rmx_status rmx__spool_begin(rmx__spool *s, const bool *valid_only, rmx_err *err) {
  char *path = NULL;
  const int fd = rmx__temporary(s->folder, &path);
  FILE *file = fd >= 0 ? rmx_fdopen(fd, "w+b") : NULL;
  if (path) unlink(path);
  rmx__temporary_done(path);
  if (!file) {
    if (fd >= 0) close(fd);
    return rmx_fail_errno(err, "cannot make a temporary file in %s", s->folder);
  }
  s->documents = s->bytes = 0;
  for (size_t i = 0; i < s->n; i++) {
    s->parts[i].first = s->documents;
    s->documents += s->parts[i].documents;
    s->bytes += s->parts[i].bytes;
  }
  rmx__cursor c = {.spool = s};
  const rmx__located *d;
  rmx_status status;
  while ((status = rmx__cursor_next(&c, &d, err)) == RMX_OK && d)
    putc(d->stray                                           ? RMX__DUPLICATE
         : s->parts[d->part].valid || valid_only[d->domain] ? RMX__VALID
                                                            : RMX__TRAIN,
         file);
  rmx__cursor_release(&c);
  if (status == RMX_OK) status = map_fates(s, file, err);
  fclose(file);
  return status;
}

// ---- texts

bool rmx__make_room(char **data, size_t *room, size_t size) {
  if (size < *room) return true;
  free(*data);
  *room = 0;
  *data = rmx_calloc(size + size / 4 + 1, 1);
  if (*data) *room = size + size / 4 + 1;
  return *data;
}

rmx_status rmx__batch_add(rmx__batch *b, const rmx__located *d, rmx_err *err) {
  if (b->n == b->capacity) {
    const size_t capacity = b->capacity ? 2 * b->capacity : 64;
    rmx__located *documents = rmx_realloc(b->documents, capacity, sizeof *documents);
    if (!documents) return rmx_fail_memory(err, capacity * sizeof *documents, "a batch");
    b->documents = documents;
    b->capacity = capacity;
  }
  b->documents[b->n++] = *d;
  b->bytes += d->size;
  return RMX_OK;
}

// Documents that are next to each other in a file are read in one go.
rmx_status rmx__batch_read(rmx__batch *b, const rmx__spool *s, rmx_err *err) {
  if (!rmx__make_room(&b->text, &b->room, b->bytes))
    return rmx_fail_memory(err, b->bytes, "the text of documents");
  rmx_status status = RMX_OK;
  char *to = b->text;
  for (size_t i = 0; i < b->n && status == RMX_OK;) {
    const rmx__located *first = &b->documents[i];
    const int fd = open_part(s, first->part, "text", err);
    if (fd < 0) return err->status;
    while (i < b->n && b->documents[i].part == first->part && status == RMX_OK) {
      const uint64_t from = b->documents[i].offset;
      uint64_t end = from;
      for (; i < b->n && b->documents[i].part == first->part && b->documents[i].offset == end; i++)
        end += b->documents[i].size;
      status = read_at(s, fd, to, end - from, from, err);
      to += end - from;
    }
    close(fd);
  }
  return status;
}

void rmx__batch_clear(rmx__batch *b) {
  b->n = 0;
  b->bytes = 0;
}

void rmx__batch_release(rmx__batch *b) {
  free(b->documents);
  free(b->text);
  *b = (rmx__batch){0};
}
