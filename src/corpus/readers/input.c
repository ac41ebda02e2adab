// SPDX-License-Identifier: Apache-2.0
// The bytes of plain and compressed files. An archive that is cut off is an error that names the
// file, so that half a file is not taken for a whole one.
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_type.h"

static rmx_status read_file(rmx__input *s, void *into, size_t size, size_t *got, rmx_err *err) {
  errno = 0;
  if (s->range && size > s->range - s->compressed) size = (size_t)(s->range - s->compressed);
  *got = fread(into, 1, size, s->file);
  s->compressed += *got;
  if (*got == 0 && ferror(s->file)) return rmx_fail_errno(err, "cannot read %s", s->path);
  return RMX_OK;
}

// ---- compressed files --------------------------------------------------------------------------

struct rmx__unpacking {
  void *state;  // of the compression
  rmx__unpack u;
  uint64_t ended_at;  // the end of the last stream that is whole; 0: there is none
  uint8_t compressed[RMX__BLOCK];
};

static rmx_status open_packed(rmx__input *s, rmx_err *err) {
  const rmx__compression *c = s->compression;
  if (c->library)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: this build cannot read %s, because it was made without %s: install it and "
                    "build regmix again, or compress the file as .gz or .zst",
                    s->path, c->name, c->library);
  s->unpacking = rmx_calloc(1, sizeof *s->unpacking);
  if (s->unpacking) s->unpacking->state = c->open();
  if (s->unpacking && s->unpacking->state) return RMX_OK;
  free(s->unpacking);
  s->unpacking = NULL;
  return rmx_fail_memory(err, sizeof *s->unpacking, s->path);
}

// Refuses a file that does not begin as its ending says. The message says what it is instead.
static rmx_status check_magic(const rmx__input *s, const uint8_t *data, size_t n, rmx_err *err) {
  const rmx__compression *c = s->compression;
  if (memcmp(data, c->magic, n < c->magic_size ? n : c->magic_size) == 0) return RMX_OK;
  // Frames that Zstandard and lz4 skip (pzstd writes them): 5?2A4D18.
  if ((c == &rmx__zstd || c == &rmx__lz4) && n >= 4 && (data[0] & 0xF0) == 0x50 &&
      memcmp(data + 1, "\x2A\x4D\x18", 3) == 0)
    return RMX_OK;
  char what[160];
  const char *kind = rmx__page_of_bytes((const char *)data, n, what);
  if (!kind) kind = rmx__type_of_bytes((const char *)data, n);
  return rmx_fail(err, RMX_EINPUT, "%s: broken %s file: it is %s", s->path, c->name,
                  kind ? kind : "not compressed; remove the ending from its name");
}

// Gives the decoder the next bytes of the file.
static rmx_status feed(rmx__input *s, rmx_err *err) {
  struct rmx__unpacking *p = s->unpacking;
  const bool first = s->compressed == 0;
  size_t n;
  RMX_TRY(read_file(s, p->compressed, sizeof p->compressed, &n, err));
  p->u.in = p->compressed;
  p->u.in_left = n;
  p->u.last = n == 0;
  return first && n > 0 ? check_magic(s, p->compressed, n, err) : RMX_OK;
}

static rmx_status broken_archive(const rmx__input *s, rmx_err *err) {
  const struct rmx__unpacking *p = s->unpacking;
  const unsigned long long end = p->ended_at;
  if (!end)
    return rmx_fail(err, RMX_EINPUT, "%s: broken %s file: %s", s->path, s->compression->name,
                    p->u.why);
  return rmx_fail(
      err, RMX_EINPUT,
      "%s: broken %s file: it ends well at byte %llu, but what follows is not %s (%s); "
      "fetch it again, or, if nothing belongs there, cut it off with `head -c %llu FILE "
      "> NEW`",
      s->path, s->compression->name, end, s->compression->name, p->u.why, end);
}

static rmx_status read_packed(rmx__input *s, void *into, size_t size, size_t *got, rmx_err *err) {
  struct rmx__unpacking *p = s->unpacking;
  const rmx__compression *c = s->compression;
  p->u.out = into;
  p->u.out_left = size;
  while (p->u.out_left == size) {
    if (p->u.in_left == 0 && !p->u.last) RMX_TRY(feed(s, err));
    const size_t in = p->u.in_left;
    const rmx__unpacked now = c->step(p->state, &p->u);
    if (now == RMX__UNPACK_NO_MEMORY)
      return rmx_fail(err, RMX_ENOMEM, "%s: no memory to uncompress it: %s", s->path, p->u.why);
    if (now == RMX__UNPACK_BROKEN) return broken_archive(s, err);
    if (now == RMX__UNPACK_BETWEEN) p->ended_at = s->compressed - p->u.in_left;
    if (p->u.out_left < size || p->u.in_left < in || !p->u.last) continue;
    if (now == RMX__UNPACK_BETWEEN && s->compressed > 0) break;
    return rmx_fail(err, RMX_EINPUT,
                    "%s: the %s file ends too early, after %llu bytes: fetch it again", s->path,
                    c->name, (unsigned long long)s->compressed);
  }
  *got = size - p->u.out_left;
  return RMX_OK;
}

// ---- character sets ----------------------------------------------------------------------------

static rmx_status read_plain(rmx__input *s, void *into, size_t size, size_t *got, rmx_err *err) {
  return (s->unpacking ? read_packed : read_file)(s, into, size, got, err);
}

// Moves what is left of the raw bytes to the start, and reads more.
static rmx_status read_raw(rmx__input *s, rmx_err *err) {
  size_t got;
  memmove(s->raw.data, s->raw.data + s->raw.at, s->raw.end - s->raw.at);
  s->raw.end -= s->raw.at;
  s->raw.at = 0;
  RMX_TRY(read_plain(s, s->raw.data + s->raw.end, RMX__BLOCK - s->raw.end, &got, err));
  s->raw.end += got;
  s->raw.ended = got == 0;
  return RMX_OK;
}

static rmx_status read_bytes(rmx__input *s, void *into, size_t size, size_t *got, rmx_err *err) {
  if (!s->charset) return read_plain(s, into, size, got, err);
  enum { LONGEST = 16 };  // bytes of a character in any set
  for (bool first = true;; first = false) {
    if (!s->raw.ended && (!first || s->raw.end - s->raw.at < LONGEST)) RMX_TRY(read_raw(s, err));
    const char *from = s->raw.data + s->raw.at;
    size_t n = s->raw.end - s->raw.at;
    *got = rmx__charset_convert(s->charset, &from, &n, s->raw.ended, into, size, &s->undecodable);
    s->raw.at = s->raw.end - n;
    if (*got > 0 || s->raw.ended) return RMX_OK;
  }
}

rmx_status rmx__input_convert(rmx__input *s, const char *charset, size_t mark, rmx_err *err) {
  s->raw.data = rmx_calloc(RMX__BLOCK, 1);
  if (!s->raw.data) return rmx_fail_memory(err, RMX__BLOCK, s->path);
  s->charset = rmx__charset_open(s->path, charset, err);
  if (!s->charset) return err->status;
  s->raw.end = s->end - s->at - mark;
  memcpy(s->raw.data, s->block + s->at + mark, s->raw.end);
  s->raw.ended = s->file_ended;
  s->at = s->end = 0;
  s->started = s->file_ended = s->ended = false;
  return RMX_OK;
}

// ---- blocks and lines --------------------------------------------------------------------------

// Only regular files are read: reading a pipe without a writer would never end.
static FILE *open_regular(const char *path, rmx_err *err) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat info;
  FILE *file = NULL;
  if (fd < 0 || fstat(fd, &info) != 0) {
    rmx_fail_errno(err, "cannot read %s", path);
  } else if (!S_ISREG(info.st_mode)) {
    rmx_fail(err, RMX_EINPUT, "cannot read %s: it is not a regular file", path);
  } else if (!(file = rmx_fdopen(fd, "rb"))) {
    rmx_fail_errno(err, "cannot read %s", path);
  } else {
    setvbuf(file, NULL, _IONBF, 0);  // blocks are large already
  }
  if (!file && fd >= 0) close(fd);
  return file;
}

rmx_status rmx__input_open(rmx__input *s, const char *path, bool file_alone, rmx_err *err) {
  size_t stem;
  *s = (rmx__input){.path = path, .compression = rmx__compression_of(path, &stem)};
  if (file_alone && s->compression)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: this format cannot be read while it is compressed as a whole: uncompress "
                    "it",
                    path);
  if (!(s->file = open_regular(path, err))) return err->status;
  if (file_alone) return RMX_OK;
  rmx_status status = s->compression ? open_packed(s, err) : RMX_OK;
  if (status == RMX_OK && !(s->block = rmx_calloc(RMX__BLOCK, 1)))
    status = rmx_fail_memory(err, RMX__BLOCK, path);
  if (status != RMX_OK) rmx__input_close(s);
  return status;
}

rmx_status rmx__input_range(rmx__input *s, uint64_t begin, uint64_t end, rmx_err *err) {
  s->range = end - begin;
  return fseeko(s->file, (off_t)begin, SEEK_SET) == 0
             ? RMX_OK
             : rmx_fail_errno(err, "cannot read %s", s->path);
}

// Reads more bytes after those that are not used yet, which move to the start of the block.
static rmx_status read_more(rmx__input *s, rmx_err *err) {
  size_t got;
  if (s->at > 0) memmove(s->block, s->block + s->at, s->end - s->at);
  s->end -= s->at;
  s->at = 0;
  if (rmx_interrupted())
    return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while %s was read", s->path);
  const size_t again = s->again.end - s->again.at, room = RMX__BLOCK - s->end;
  if (again) {
    got = again < room ? again : room;
    memcpy(s->block + s->end, s->again.data + s->again.at, got);
    s->again.at += got;
  } else {
    RMX_TRY(read_bytes(s, s->block + s->end, room, &got, err));
  }
  s->end += got;
  s->file_ended = got == 0;
  return RMX_OK;
}

rmx_status rmx__input_peek(rmx__input *s, size_t size, rmx_err *err) {
  while (s->end < size && !s->file_ended) RMX_TRY(read_more(s, err));
  s->started = true;
  if (s->end >= 3 && memcmp(s->block, "\xEF\xBB\xBF", 3) == 0) s->at = 3;
  return RMX_OK;
}

rmx_status rmx__input_fill(rmx__input *s, rmx_err *err) {
  if (!s->started) RMX_TRY(rmx__input_peek(s, 3, err));
  if (s->at == s->end && !s->file_ended) RMX_TRY(read_more(s, err));
  s->ended = s->at == s->end;
  return RMX_OK;
}

rmx_status rmx__input_again(rmx__input *s, const char *data, size_t n, bool *done, rmx_err *err) {
  enum { SOME = 64 << 20, TIMES = 8 };  // a file cannot make it read for ever
  const size_t block = s->end - s->at, rest = s->again.end - s->again.at, all = n + block + rest;
  *done = s->reread + n <= SOME || s->reread + n <= TIMES * s->compressed;
  if (!*done) return RMX_OK;
  char *joined = rmx_realloc(NULL, all, 1);
  if (!joined) return rmx_fail_memory(err, all, s->path);
  memcpy(joined, data, n);
  memcpy(joined + n, s->block + s->at, block);
  if (rest) memcpy(joined + n + block, s->again.data + s->again.at, rest);
  free(s->again.data);
  s->again.data = joined;
  s->again.at = 0;
  s->again.end = all;
  s->reread += n;
  s->at = s->end = 0;
  s->file_ended = s->ended = false;
  return RMX_OK;
}

// The line that begins at s->at and fills the rest of the block, and has no end in it.
static rmx_status take_long_line(rmx__input *s, size_t max, rmx__line *line, rmx_err *err) {
  rmx_buf *b = &s->long_line;
  const char *feed = NULL;
  b->size = 0;
  while (!feed && !s->ended) {
    const char *from = s->block + s->at;
    feed = memchr(from, '\n', s->end - s->at);
    const size_t n = feed ? (size_t)(feed - from) : s->end - s->at, room = max ? max - b->size : n;
    line->cut = line->cut || n > room;
    rmx_buf_add(b, from, n < room ? n : room);
    if (b->failed) return rmx_fail_memory(err, b->size + n, s->path);
    line->whole += n;
    s->at += n + (feed != NULL);
    if (!feed) RMX_TRY(rmx__input_fill(s, err));
  }
  s->fed = feed != NULL;
  line->data = b->data;
  line->size = b->size;
  return RMX_OK;
}

rmx_status rmx__input_line(rmx__input *s, size_t max, rmx__line *line, bool *more, rmx_err *err) {
  *line = (rmx__line){.data = ""};
  RMX_TRY(rmx__input_fill(s, err));
  *more = !s->ended;
  const char *feed = NULL;
  for (size_t seen = 0; *more;) {  // no end of a line in the first `seen` bytes
    const char *from = s->block + s->at + seen;
    if ((feed = memchr(from, '\n', (size_t)(s->block + s->end - from)))) break;
    if (s->file_ended) break;
    seen = s->end - s->at;
    if (seen > RMX__BLOCK - 64) return take_long_line(s, max, line, err);
    RMX_TRY(read_more(s, err));
  }
  if (!*more) return RMX_OK;
  s->fed = feed != NULL;
  line->data = s->block + s->at;
  line->size = (size_t)((feed ? feed : s->block + s->end) - line->data);
  s->at += line->size + (feed != NULL);
  line->whole = line->size;
  line->cut = max && line->size > max;
  if (line->cut) line->size = max;
  return RMX_OK;
}

void rmx__input_close(rmx__input *s) {
  if (s->unpacking) s->compression->close(s->unpacking->state);
  free(s->unpacking);
  if (s->file) fclose(s->file);
  rmx__charset_close(s->charset);
  free(s->raw.data);
  free(s->again.data);
  free(s->block);
  rmx_buf_release(&s->long_line);
  *s = (rmx__input){0};
}
