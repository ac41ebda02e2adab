// SPDX-License-Identifier: Apache-2.0
// Token files: a header and an array. A training maps them and reads the ids in place.
#include "token_file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hasher.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "token files are mapped as they are, little endian"
#endif

static const char magic[8] = {'R', 'M', 'X', 'T', 'O', 'K', 'E', 'N'};
enum { VERSION = 1 };

rmx_status rmx__token_writer_open(rmx__token_writer *w, const char *path, int vocab,
                                  uint64_t tokenizer_hash, rmx_err *err) {
  *w = (rmx__token_writer){.width = vocab <= 65536 ? 2 : 4, .tokenizer_hash = tokenizer_hash};
  if (!(w->hasher = rmx__hasher_new(0))) return rmx_fail_memory(err, sizeof *w, path);
  RMX_TRY(rmx_outfile_open(&w->out, path, err));
  rmx__token_header blank = {0};  // without the magic it is not a token file yet
  fwrite(&blank, sizeof blank, 1, w->out.file);
  return RMX_OK;
}

// Keeps the reason of the first write that fails: when the file is committed, errno is another one.
static void put(rmx__token_writer *w, const void *ids, size_t bytes) {
  if (fwrite(ids, 1, bytes, w->out.file) != bytes && !w->error) w->error = errno;
  rmx__hasher_add(w->hasher, ids, bytes);
}

void rmx__token_writer_add(rmx__token_writer *w, const uint32_t *ids, size_t n) {
  uint16_t narrow[4096];
  w->tokens += n;
  if (w->width == 4) {
    put(w, ids, n * sizeof *ids);
    return;
  }
  for (size_t at = 0; at < n;) {
    size_t k = n - at < 4096 ? n - at : 4096;
    for (size_t i = 0; i < k; i++) narrow[i] = (uint16_t)ids[at + i];
    put(w, narrow, k * sizeof *narrow);
    at += k;
  }
}

rmx_status rmx__token_writer_commit(rmx__token_writer *w, uint64_t *hash, rmx_err *err) {
  const uint64_t size = sizeof(rmx__token_header) + w->tokens * (uint64_t)w->width;
  errno = w->error;
  rmx_status status = RMX_OK;
  if (ferror(w->out.file) || fflush(w->out.file) != 0)
    status = rmx_fail_errno(err, "cannot write %s", w->out.path);
  else if ((uint64_t)ftello(w->out.file) != size)
    status = rmx_fail(err, RMX_EIO, "%s: %llu bytes were written, but the file has %lld",
                      w->out.path, (unsigned long long)size, (long long)ftello(w->out.file));
  *hash = rmx__hasher_value(w->hasher);
  rmx__token_header header = {.version = VERSION,
                              .width = (uint32_t)w->width,
                              .tokens = w->tokens,
                              .tokenizer_hash = w->tokenizer_hash,
                              .hash = *hash};
  memcpy(header.magic, magic, sizeof magic);
  if (status == RMX_OK) {
    rewind(w->out.file);
    fwrite(&header, sizeof header, 1, w->out.file);
    status = rmx_outfile_commit(&w->out, err);
  }
  rmx__token_writer_discard(w);
  return status;
}

void rmx__token_writer_discard(rmx__token_writer *w) {
  rmx_outfile_discard(&w->out);
  rmx__hasher_free(w->hasher);
  w->hasher = NULL;
}

// The hash of the ids, and the largest of them. The file is in pieces in memory: each is given back
// after it was read.
static uint64_t hash_ids(rmx__hasher *h, const char *ids, size_t n, int width, uint32_t *max) {
  enum { PIECE = 16 << 20 };
  const size_t size = n * (size_t)width;
  *max = 0;
  for (size_t at = 0; at < size; at += PIECE) {
    const size_t k = size - at < PIECE ? size - at : PIECE;
    rmx__hasher_add(h, ids + at, k);
    for (size_t i = 0; i < k / (size_t)width; i++) {
      const uint32_t id = rmx_token_at(ids + at, width, i);
      *max = id > *max ? id : *max;
    }
    // Whole pages within the piece; the rest is given back with the next one or stays.
    const uintptr_t page = 4096, from = ((uintptr_t)ids + at) / page * page;
    madvise((void *)from, k / page * page, MADV_DONTNEED);
  }
  return rmx__hasher_value(h);
}

rmx_status rmx__token_file_check(const void *data, size_t size, uint64_t tokenizer_hash, int vocab,
                                 const char *path, rmx__token_header *header, rmx_err *err) {
  static const char again[] = "prepare the corpus again";
  rmx__token_header h;
  if (size < sizeof h || memcmp(data, magic, sizeof magic) != 0)
    return rmx_fail(err, RMX_EINPUT, "%s: not a token file: %s", path, again);
  memcpy(&h, data, sizeof h);
  if (h.version != VERSION)
    return rmx_fail(err, RMX_EINPUT, "%s: a token file of version %u; this program reads %d: %s",
                    path, h.version, VERSION, again);
  if (h.width != 2 && h.width != 4)
    return rmx_fail(err, RMX_EINPUT, "%s: %u bytes per id; wanted 2 or 4: %s", path, h.width,
                    again);
  size_t room = (size - sizeof h) / h.width;
  if (h.tokens != room || (size - sizeof h) % h.width)
    return rmx_fail(err, RMX_EINPUT, "%s: %llu tokens in its header, but %zu by its size: %s", path,
                    (unsigned long long)h.tokens, room, again);
  if (h.tokenizer_hash != tokenizer_hash)
    return rmx_fail(
        err, RMX_EINPUT, "%s: tokens of another tokenizer (%016llx, the corpus has %016llx): %s",
        path, (unsigned long long)h.tokenizer_hash, (unsigned long long)tokenizer_hash, again);
  const char *ids = (const char *)data + sizeof h;
  rmx__hasher *hasher = rmx__hasher_new(0);
  if (!hasher) return rmx_fail_memory(err, 0, path);
  uint32_t max;
  const uint64_t hash = hash_ids(hasher, ids, room, (int)h.width, &max);
  rmx__hasher_free(hasher);
  if (hash != h.hash)
    return rmx_fail(err, RMX_EINPUT, "%s: damaged: the ids do not have the hash of the header: %s",
                    path, again);
  if (room && max >= (uint32_t)vocab)
    return rmx_fail(err, RMX_EINPUT, "%s: token %u in a vocabulary of %d: %s", path, max, vocab,
                    again);
  *header = h;
  return RMX_OK;
}
