// SPDX-License-Identifier: Apache-2.0
// Files as they are, gzip files and Zstandard files, all seen as one run of bytes. An archive that stops
// before its end is an error that names the file: half a file must not pass for a whole one.
#include "source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

static rmx_status read_packed(rmx__source *s, void *into, size_t size, size_t *got, rmx_err *err) {
  errno = 0;
  *got = fread(into, 1, size, s->file);
  s->packed += *got;
  if (*got == 0 && ferror(s->file)) return rmx_fail_errno(err, "cannot read %s", s->path);
  return RMX_OK;
}

static rmx_status open_plain(rmx__source *s, rmx_err *err) {
  (void)s, (void)err;
  return RMX_OK;
}

static void close_plain(rmx__source *s) {
  (void)s;
}

// ---- gzip -----------------------------------------------------------------------------

struct gzip {
  z_stream z;
  bool inside;  // a member has begun and not ended
  unsigned char packed[RMX__BLOCK];
};

static rmx_status open_gzip(rmx__source *s, rmx_err *err) {
  struct gzip *g = rmx_calloc(1, sizeof *g);
  if (!g) return rmx_fail_memory(err, sizeof *g, s->path);
  if (inflateInit2(&g->z, 16 + MAX_WBITS) != Z_OK) {  // 16: gzip headers and nothing else
    free(g);
    return rmx_fail_memory(err, 1 << 15, s->path);
  }
  s->state = g;
  return RMX_OK;
}

static rmx_status read_gzip(rmx__source *s, void *into, size_t size, size_t *got, rmx_err *err) {
  struct gzip *g = s->state;
  g->z.next_out = into;
  g->z.avail_out = (uInt)size;
  while (g->z.avail_out == size) {
    if (g->z.avail_in == 0) {
      size_t n;
      RMX_TRY(read_packed(s, g->packed, sizeof g->packed, &n, err));
      if (n == 0 && (g->inside || s->packed == 0))
        return rmx_fail(err, RMX_EINPUT, "%s: the gzip file ends too early, after %llu bytes: fetch it again",
                        s->path, (unsigned long long)s->packed);
      if (n == 0) break;
      g->z.next_in = g->packed;
      g->z.avail_in = (uInt)n;
    }
    g->inside = true;
    int code = inflate(&g->z, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {  // members may follow one another
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

static void close_gzip(rmx__source *s) {
  struct gzip *g = s->state;
  inflateEnd(&g->z);
  free(g);
}

// ---- Zstandard ---------------------------------------------------------------------------

struct zstd {
  ZSTD_DStream *stream;
  ZSTD_inBuffer in;
  size_t wants;  // bytes the decoder hopes for; 0: between two frames
  unsigned char packed[RMX__BLOCK];
};

static rmx_status open_zstd(rmx__source *s, rmx_err *err) {
  struct zstd *z = rmx_calloc(1, sizeof *z);
  if (!z || !(z->stream = ZSTD_createDStream())) {
    free(z);
    return rmx_fail_memory(err, sizeof *z, s->path);
  }
  ZSTD_DCtx_setParameter(z->stream, ZSTD_d_windowLogMax, 31);  // as made by zstd --long
  z->in.src = z->packed;
  z->wants = 1;  // a first frame
  s->state = z;
  return RMX_OK;
}

static rmx_status read_zstd(rmx__source *s, void *into, size_t size, size_t *got, rmx_err *err) {
  struct zstd *z = s->state;
  ZSTD_outBuffer out = {into, size, 0};
  while (out.pos == 0) {
    bool dry = false;
    if (z->in.pos == z->in.size) {
      z->in.pos = 0;
      RMX_TRY(read_packed(s, z->packed, sizeof z->packed, &z->in.size, err));
      dry = z->in.size == 0;
      if (dry && z->wants == 0) break;
    }
    z->wants = ZSTD_decompressStream(z->stream, &out, &z->in);
    if (ZSTD_isError(z->wants))
      return rmx_fail(err, RMX_EINPUT, "%s: broken Zstandard file: %s", s->path, ZSTD_getErrorName(z->wants));
    if (dry && out.pos == 0 && z->wants != 0)
      return rmx_fail(err, RMX_EINPUT,
                      "%s: the Zstandard file ends too early, after %llu bytes: fetch it again", s->path,
                      (unsigned long long)s->packed);
  }
  *got = out.pos;
  return RMX_OK;
}

static void close_zstd(rmx__source *s) {
  struct zstd *z = s->state;
  ZSTD_freeDStream(z->stream);
  free(z);
}

// ---- the table, and reading by lines ---------------------------------------------------------

static const rmx__packing packings[] = {
    {".gz", open_gzip, read_gzip, close_gzip},
    {".zst", open_zstd, read_zstd, close_zstd},
    {"", open_plain, read_packed, close_plain},
};
const char rmx__packings_known[] = ".gz, .zst";

const rmx__packing *rmx__packing_of(const char *path, size_t *stem) {
  size_t n = strlen(path);
  for (const rmx__packing *p = packings;; p++) {
    size_t k = strlen(p->suffix);
    if (k > n || memcmp(path + n - k, p->suffix, k) != 0) continue;
    *stem = n - k;
    return p;
  }
}

rmx_status rmx__source_open(rmx__source *s, const char *path, rmx_err *err) {
  size_t stem;
  *s = (rmx__source){.path = path, .packing = rmx__packing_of(path, &stem)};
  s->file = fopen(path, "rb");
  if (!s->file) return rmx_fail_errno(err, "cannot read %s", path);
  setvbuf(s->file, NULL, _IONBF, 0);  // blocks are large already
  s->block = rmx_calloc(RMX__BLOCK, 1);
  rmx_status status = s->block ? s->packing->open(s, err) : rmx_fail_memory(err, RMX__BLOCK, path);
  if (status == RMX_OK) return RMX_OK;
  s->packing = NULL;  // its open released what it had
  rmx__source_close(s);
  return status;
}

static rmx_status fill(rmx__source *s, rmx_err *err) {
  s->at = s->end = 0;
  RMX_TRY(s->packing->read(s, s->block, RMX__BLOCK, &s->end, err));
  // Reads may be short, and a mark of three bytes that is cut in two is no text we have ever met.
  if (!s->started && s->end >= 3 && memcmp(s->block, "\xEF\xBB\xBF", 3) == 0) s->at = 3;
  s->started = true;
  s->ended = s->end == 0;
  return RMX_OK;
}

rmx_status rmx__source_line(rmx__source *s, rmx_buf *line, bool *more, rmx_err *err) {
  line->size = 0;
  rmx_buf_add(line, "", 0);
  *more = false;
  while (!s->ended) {
    if (s->at == s->end) {
      RMX_TRY(fill(s, err));
      continue;
    }
    const char *from = s->block + s->at, *feed = memchr(from, '\n', s->end - s->at);
    size_t n = feed ? (size_t)(feed - from) : s->end - s->at;
    rmx_buf_add(line, from, n);
    if (line->failed) return rmx_fail_memory(err, line->size + n, s->path);
    *more = true;
    s->at += n + (feed != NULL);
    if (feed) break;
  }
  return RMX_OK;
}

void rmx__source_close(rmx__source *s) {
  if (s->packing) s->packing->close(s);
  if (s->file) fclose(s->file);
  free(s->block);
  *s = (rmx__source){0};
}
