// SPDX-License-Identifier: Apache-2.0
// The bytes of plain files, gzip files and Zstandard files. An archive that is cut off is an error
// that names the file, so that half a file is not taken for a whole one.
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "file_type.h"

static rmx_status read_file(rmx__input *s, void *into, size_t size, size_t *got, rmx_err *err) {
  errno = 0;
  if (s->range && size > s->range - s->compressed) size = (size_t)(s->range - s->compressed);
  *got = fread(into, 1, size, s->file);
  s->compressed += *got;
  if (*got == 0 && ferror(s->file)) return rmx_fail_errno(err, "cannot read %s", s->path);
  return RMX_OK;
}

// Refuses a file that does not begin as its ending says. The message says what it is instead.
static rmx_status check_magic(const rmx__input *s, const char *what, const char *magic, size_t size,
                              const void *data, size_t n, rmx_err *err) {
  if (n == 0 || memcmp(data, magic, n < size ? n : size) == 0) return RMX_OK;
  const char *kind = rmx__is_html(data, n) ? "a web page; the download failed, fetch it again"
                                           : rmx__type_of_bytes(data, n);
  return rmx_fail(err, RMX_EINPUT, "%s: broken %s file: it is %s", s->path, what,
                  kind ? kind : "not compressed; remove the ending from its name");
}

static rmx_status open_plain(rmx__input *s, rmx_err *err) {
  (void)s, (void)err;
  return RMX_OK;
}

static void close_plain(rmx__input *s) {
  (void)s;
}

// ---- gzip -----------------------------------------------------------------------------

struct gzip {
  z_stream z;
  bool inside;  // of a member
  unsigned char compressed[RMX__BLOCK];
};

static rmx_status open_gzip(rmx__input *s, rmx_err *err) {
  struct gzip *g = rmx_calloc(1, sizeof *g);
  if (!g) return rmx_fail_memory(err, sizeof *g, s->path);
  if (inflateInit2(&g->z, 16 + MAX_WBITS) != Z_OK) {  // 16: only gzip headers
    free(g);
    return rmx_fail_memory(err, 1 << 15, s->path);
  }
  s->state = g;
  return RMX_OK;
}

static rmx_status read_gzip(rmx__input *s, void *into, size_t size, size_t *got, rmx_err *err) {
  struct gzip *g = s->state;
  g->z.next_out = into;
  g->z.avail_out = (uInt)size;
  while (g->z.avail_out == size) {
    if (g->z.avail_in == 0) {
      size_t n;
      RMX_TRY(read_file(s, g->compressed, sizeof g->compressed, &n, err));
      if (n == 0 && (g->inside || s->compressed == 0))
        return rmx_fail(err, RMX_EINPUT,
                        "%s: the gzip file ends too early, after %llu bytes: fetch it again",
                        s->path, (unsigned long long)s->compressed);
      if (n == 0) break;
      if (s->compressed == n) RMX_TRY(check_magic(s, "gzip", "\x1F\x8B", 2, g->compressed, n, err));
      g->z.next_in = g->compressed;
      g->z.avail_in = (uInt)n;
    }
    g->inside = true;
    int code = inflate(&g->z, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {  // there may be more members
      g->inside = false;
      code = inflateReset(&g->z);
    }
    if (code != Z_OK && code != Z_BUF_ERROR)
      return rmx_fail(err, RMX_EINPUT, "%s: broken gzip file: %s", s->path,
                      g->z.msg ? g->z.msg : "unknown reason");
  }
  *got = size - g->z.avail_out;
  return RMX_OK;
}

static void close_gzip(rmx__input *s) {
  struct gzip *g = s->state;
  inflateEnd(&g->z);
  free(g);
}

// ---- Zstandard ---------------------------------------------------------------------------

struct zstd {
  ZSTD_DStream *stream;
  ZSTD_inBuffer in;
  size_t wants;  // bytes that the decoder expects; 0: between two frames
  unsigned char compressed[RMX__BLOCK];
};

static rmx_status open_zstd(rmx__input *s, rmx_err *err) {
  struct zstd *z = rmx_calloc(1, sizeof *z);
  if (!z || !(z->stream = ZSTD_createDStream())) {
    free(z);
    return rmx_fail_memory(err, sizeof *z, s->path);
  }
  ZSTD_DCtx_setParameter(z->stream, ZSTD_d_windowLogMax, 31);  // files of zstd --long need it
  z->in.src = z->compressed;
  z->wants = 1;  // a first frame
  s->state = z;
  return RMX_OK;
}

static rmx_status read_zstd(rmx__input *s, void *into, size_t size, size_t *got, rmx_err *err) {
  struct zstd *z = s->state;
  ZSTD_outBuffer out = {into, size, 0};
  while (out.pos == 0) {
    bool dry = false;
    if (z->in.pos == z->in.size) {
      z->in.pos = 0;
      RMX_TRY(read_file(s, z->compressed, sizeof z->compressed, &z->in.size, err));
      dry = z->in.size == 0;
      // Skippable frames (pzstd writes them) have another magic number: 5?2A4D18.
      bool skippable = z->in.size >= 4 && (z->compressed[0] & 0xF0) == 0x50 &&
                       memcmp(z->compressed + 1, "\x2A\x4D\x18", 3) == 0;
      if (s->compressed == z->in.size && !skippable)
        RMX_TRY(check_magic(s, "Zstandard", "\x28\xB5\x2F\xFD", 4, z->compressed, z->in.size, err));
      if (dry && z->wants == 0) break;
    }
    z->wants = ZSTD_decompressStream(z->stream, &out, &z->in);
    if (ZSTD_isError(z->wants) && ZSTD_getErrorCode(z->wants) == ZSTD_error_memory_allocation)
      return rmx_fail(err, RMX_ENOMEM,
                      "%s: no memory for its window (it was made by zstd --long or --ultra): "
                      "compress it without these options, or provide more memory",
                      s->path);
    if (ZSTD_isError(z->wants))
      return rmx_fail(err, RMX_EINPUT, "%s: broken Zstandard file: %s", s->path,
                      ZSTD_getErrorName(z->wants));
    if (dry && out.pos == 0 && z->wants != 0)
      return rmx_fail(err, RMX_EINPUT,
                      "%s: the Zstandard file ends too early, after %llu bytes: fetch it again",
                      s->path, (unsigned long long)s->compressed);
  }
  *got = out.pos;
  return RMX_OK;
}

static void close_zstd(rmx__input *s) {
  struct zstd *z = s->state;
  ZSTD_freeDStream(z->stream);
  free(z);
}

// ---- the table, and reading by lines ---------------------------------------------------------

static const rmx__compression compressions[] = {
    {".gz", open_gzip, read_gzip, close_gzip},
    {".zst", open_zstd, read_zstd, close_zstd},
    {".zstd", open_zstd, read_zstd, close_zstd},
    {"", open_plain, read_file, close_plain},
};
const char rmx__compressions_known[] = ".gz, .zst, .zstd";

const rmx__compression *rmx__compression_of(const char *path, size_t *stem) {
  size_t n = strlen(path);
  for (const rmx__compression *p = compressions;; p++) {
    size_t k = strlen(p->suffix);
    if (k > n || strcasecmp(path + n - k, p->suffix) != 0) continue;
    *stem = n - k;
    return p;
  }
}

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
  if (file_alone && s->compression->open != open_plain) {
    rmx_fail(err, RMX_EINPUT,
             "%s: this format cannot be read while it is compressed as a whole: uncompress it",
             path);
    *s = (rmx__input){0};
    return err->status;
  }
  s->file = open_regular(path, err);
  if (s->file && file_alone) return RMX_OK;
  rmx_status status = s->file ? RMX_OK : err->status;
  if (status == RMX_OK && !(s->block = rmx_calloc(RMX__BLOCK, 1)))
    status = rmx_fail_memory(err, RMX__BLOCK, path);
  if (status == RMX_OK) status = s->compression->open(s, err);
  if (status == RMX_OK) return RMX_OK;
  s->compression = NULL;  // `open` has released its state
  rmx__input_close(s);
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
  RMX_TRY(s->compression->read(s, s->block + s->end, RMX__BLOCK - s->end, &got, err));
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
    s->at += n + (feed != NULL);
    if (!feed) RMX_TRY(rmx__input_fill(s, err));
  }
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
    if (seen == RMX__BLOCK) return take_long_line(s, max, line, err);
    RMX_TRY(read_more(s, err));
  }
  if (!*more) return RMX_OK;
  line->data = s->block + s->at;
  line->size = (size_t)((feed ? feed : s->block + s->end) - line->data);
  s->at += line->size + (feed != NULL);
  line->cut = max && line->size > max;
  if (line->cut) line->size = max;
  return RMX_OK;
}

void rmx__input_close(rmx__input *s) {
  if (s->compression) s->compression->close(s);
  if (s->file) fclose(s->file);
  free(s->block);
  rmx_buf_release(&s->long_line);
  *s = (rmx__input){0};
}
