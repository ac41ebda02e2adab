// SPDX-License-Identifier: Apache-2.0
// What does not fit into memory is sorted in runs, which are written to a temporary file without a
// name. The runs are then merged in one pass.
#include "sorter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/temporary.h"
#include "limits.h"

struct rmx__sorted_run {
  uint64_t at, end;  // records in the file
  rmx__record *block;
  size_t used, n;  // of the block
};

static int compare(const void *x, const void *y) {
  const uint64_t *a = ((const rmx__record *)x)->key, *b = ((const rmx__record *)y)->key;
  for (int i = 0; i < 3; i++)
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  return 0;
}

static int open_temporary(const char *folder) {
  char *path = NULL;
  const int fd = rmx__temporary(folder, &path);
  if (path) unlink(path);
  rmx__temporary_done(path);
  return fd;
}

static rmx_status put(const rmx__sorter *s, int fd, const rmx__record *r, size_t n, uint64_t at,
                      rmx_err *err) {
  const char *data = (const char *)r;
  for (size_t done = 0, size = n * sizeof *r; done < size;) {
    const ssize_t k = pwrite(fd, data + done, size - done, (off_t)(at * sizeof *r + done));
    if (k < 0 && errno == EINTR) continue;
    if (k <= 0)
      return rmx_fail_errno(err, "cannot write %llu records to a temporary file in %s",
                            (unsigned long long)s->total, s->folder);
    done += (size_t)k;
  }
  return RMX_OK;
}

static rmx_status get(const rmx__sorter *s, uint64_t at, size_t n, rmx__record *out, rmx_err *err) {
  char *data = (char *)out;
  for (size_t done = 0, size = n * sizeof *out; done < size;) {
    const ssize_t k = pread(s->file, data + done, size - done, (off_t)(at * sizeof *out + done));
    if (k < 0 && errno == EINTR) continue;
    if (k == 0) errno = EIO;
    if (k <= 0) return rmx_fail_errno(err, "cannot read a temporary file in %s", s->folder);
    done += (size_t)k;
  }
  return RMX_OK;
}

// Sorts what is in memory, and writes it as a run.
static rmx_status spill(rmx__sorter *s, rmx_err *err) {
  qsort(s->records, s->n, sizeof *s->records, compare);
  if (!s->spilled && (s->file = open_temporary(s->folder)) < 0)
    return rmx_fail_errno(err, "cannot make a temporary file in %s", s->folder);
  s->spilled = true;
  struct rmx__sorted_run *runs = rmx_realloc(s->runs, s->n_runs + 1, sizeof *runs);
  if (!runs) return rmx_fail_memory(err, (s->n_runs + 1) * sizeof *runs, "a sort");
  s->runs = runs;
  RMX_TRY(put(s, s->file, s->records, s->n, s->total - s->n, err));
  runs[s->n_runs++] = (struct rmx__sorted_run){.at = s->total - s->n, .end = s->total};
  s->n = 0;
  return RMX_OK;
}

rmx_status rmx__sorter_add(rmx__sorter *s, uint64_t a, uint64_t b, uint64_t c, rmx_err *err) {
  if (s->n >= rmx__limits.sort_records) RMX_TRY(spill(s, err));
  if (s->n == s->capacity) {
    const size_t capacity = s->capacity ? 2 * s->capacity : 1024;
    rmx__record *records = rmx_realloc(s->records, capacity, sizeof *records);
    if (!records) return rmx_fail_memory(err, capacity * sizeof *records, "a sort");
    s->records = records;
    s->capacity = capacity;
  }
  s->records[s->n++] = (rmx__record){{a, b, c}};
  s->total++;
  return RMX_OK;
}

// ---- the merge

// The head of a run, or NULL if the run is at its end.
static rmx_status head_of(rmx__sorter *s, struct rmx__sorted_run *run, size_t block,
                          const rmx__record **out, rmx_err *err) {
  *out = NULL;
  if (run->used == run->n && run->at < run->end) {
    run->n = run->end - run->at < block ? (size_t)(run->end - run->at) : block;
    run->used = 0;
    RMX_TRY(get(s, run->at, run->n, run->block, err));
    run->at += run->n;
  }
  *out = run->used < run->n ? &run->block[run->used] : NULL;
  return RMX_OK;
}

// A binary heap of runs by their heads.
struct heap {
  struct rmx__sorted_run **runs;
  size_t n;
};

static void sink(struct heap *h, size_t i) {
  for (;;) {
    size_t least = i;
    for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < h->n; child++)
      if (compare(&h->runs[child]->block[h->runs[child]->used],
                  &h->runs[least]->block[h->runs[least]->used]) < 0)
        least = child;
    if (least == i) return;
    struct rmx__sorted_run *run = h->runs[i];
    h->runs[i] = h->runs[least];
    h->runs[least] = run;
    i = least;
  }
}

static rmx_status merge_into(rmx__sorter *s, struct heap *h, size_t block, int to, rmx_err *err) {
  enum { BUFFERED = 4096 };
  rmx__record *out = rmx_calloc(BUFFERED, sizeof *out);
  rmx_status status = out ? RMX_OK : rmx_fail_memory(err, BUFFERED * sizeof *out, "a sort");
  uint64_t written = 0;
  size_t n = 0;
  while (h->n && status == RMX_OK) {
    struct rmx__sorted_run *run = h->runs[0];
    const rmx__record *head;
    out[n++] = run->block[run->used++];
    status = head_of(s, run, block, &head, err);
    if (!head) h->runs[0] = h->runs[--h->n];
    sink(h, 0);
    if (status != RMX_OK || (n < BUFFERED && h->n)) continue;
    status = put(s, to, out, n, written, err);
    written += n;
    n = 0;
    if (status == RMX_OK && rmx_interrupted())
      status = rmx_fail(err, RMX_EINTERRUPTED, "interrupted during a sort");
  }
  free(out);
  return status;
}

static rmx_status merge(rmx__sorter *s, rmx_err *err) {
  const size_t share = rmx__limits.sort_records / s->n_runs, block = share < 16 ? 16 : share;
  struct heap h = {.runs = rmx_calloc(s->n_runs, sizeof *h.runs)};
  const int to = open_temporary(s->folder);
  rmx_status status = to < 0 ? rmx_fail_errno(err, "cannot make a temporary file in %s", s->folder)
                      : !h.runs ? rmx_fail_memory(err, s->n_runs * sizeof *h.runs, "a sort")
                                : RMX_OK;
  for (size_t i = 0; i < s->n_runs && status == RMX_OK; i++) {
    struct rmx__sorted_run *run = h.runs[h.n++] = &s->runs[i];
    const rmx__record *head;
    run->block = rmx_calloc(block, sizeof *run->block);
    status = run->block ? head_of(s, run, block, &head, err)
                        : rmx_fail_memory(err, block * sizeof *run->block, "a sort");
  }
  for (size_t i = h.n; i-- > 0 && status == RMX_OK;) sink(&h, i);
  if (status == RMX_OK) status = merge_into(s, &h, block, to, err);
  for (size_t i = 0; i < s->n_runs; i++) free(s->runs[i].block);
  free(h.runs);
  close(s->file);
  s->file = to;
  s->spilled = to >= 0;
  return status;
}

rmx_status rmx__sorter_finish(rmx__sorter *s, rmx_err *err) {
  if (!s->spilled) {
    if (s->n) qsort(s->records, s->n, sizeof *s->records, compare);
    return RMX_OK;
  }
  if (s->n) RMX_TRY(spill(s, err));
  free(s->records);
  s->records = NULL;
  s->capacity = 0;
  return s->n_runs > 1 ? merge(s, err) : RMX_OK;
}

rmx_status rmx__sorter_read(const rmx__sorter *s, uint64_t at, size_t n, rmx__record *out,
                            rmx_err *err) {
  if (s->spilled) return get(s, at, n, out, err);
  if (n) memcpy(out, s->records + at, n * sizeof *out);
  return RMX_OK;
}

rmx_status rmx__sorted_next(rmx__sorted *r, const rmx__record **out, rmx_err *err) {
  enum { N = sizeof r->buffer / sizeof *r->buffer };
  *out = NULL;
  if (r->used == r->n && r->at < r->end) {
    r->n = r->end - r->at < N ? (size_t)(r->end - r->at) : N;
    r->used = 0;
    RMX_TRY(rmx__sorter_read(r->sorter, r->at, r->n, r->buffer, err));
    r->at += r->n;
  }
  if (r->used < r->n) *out = &r->buffer[r->used++];
  return RMX_OK;
}

void rmx__sorter_release(rmx__sorter *s) {
  free(s->records);
  free(s->runs);
  if (s->spilled) close(s->file);
  *s = (rmx__sorter){0};
}
