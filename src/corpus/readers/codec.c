// SPDX-License-Identifier: Apache-2.0
// The compressions of blocks in files of columns.
#include "codec.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#ifdef REGMIX_LZ4
#include <lz4.h>
#include <lz4frame.h>
#endif

bool rmx__codec_can_give(rmx__codec codec, size_t compressed, uint64_t size) {
  // The most bytes that one byte can become, with some room for the headers.
  static const uint64_t most[] = {
      [RMX__CODEC_NONE] = 1,        [RMX__CODEC_SNAPPY] = 22, [RMX__CODEC_GZIP] = 1032,
      [RMX__CODEC_ZSTD] = 1 << 16,  [RMX__CODEC_LZ4] = 255,   [RMX__CODEC_LZ4_HADOOP] = 255,
      [RMX__CODEC_LZ4_FRAME] = 255,
  };
  return size / most[codec] <= (uint64_t)compressed + 64;
}

void rmx__codec_release(rmx__codec_state *s) {
  ZSTD_freeDCtx(s->zstd);
  s->zstd = NULL;
}

static const char *gunzip(const void *from, size_t n, void *to, size_t size) {
  if (n > UINT_MAX || size > UINT_MAX) return "it is too large";
  z_stream z = {0};
  if (inflateInit2(&z, 32 + MAX_WBITS) != Z_OK) return "there is no memory for it";
  z.next_in = (Bytef *)from;
  z.avail_in = (uInt)n;
  z.next_out = to;
  z.avail_out = (uInt)size;
  int code = inflate(&z, Z_FINISH);
  // Several members may follow each other.
  while (code == Z_STREAM_END && z.avail_in && z.avail_out && inflateReset(&z) == Z_OK)
    code = inflate(&z, Z_FINISH);
  const bool good = code == Z_STREAM_END && z.avail_out == 0;
  inflateEnd(&z);
  return good ? NULL : "it is not a gzip block of the stated size";
}

static const char *unzstd(rmx__codec_state *s, const void *from, size_t n, void *to, size_t size) {
  if (!s->zstd && !(s->zstd = ZSTD_createDCtx())) return "there is no memory for it";
  const size_t got = ZSTD_decompressDCtx(s->zstd, to, size, from, n);
  if (ZSTD_isError(got)) return ZSTD_getErrorName(got);
  return got == size ? NULL : "it has fewer bytes than stated";
}

#ifdef REGMIX_LZ4
static const char *unlz4(const void *from, size_t n, void *to, size_t size) {
  if (n > INT_MAX || size > INT_MAX) return "it is too large";
  const int got = LZ4_decompress_safe(from, to, (int)n, (int)size);
  return got >= 0 && (size_t)got == size ? NULL : "it is not an LZ4 block of the stated size";
}

static size_t big_endian(const uint8_t *p) {
  return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

// Hadoop puts the size of the text and of the block before each block. Some writers of the codec
// "LZ4" leave them out.
static const char *unlz4_hadoop(const uint8_t *from, size_t n, uint8_t *to, size_t size) {
  const uint8_t *p = from, *end = from + n;
  uint8_t *at = to;
  while (end - p >= 8) {
    const size_t text = big_endian(p), block = big_endian(p + 4);
    if (block > (size_t)(end - p) - 8 || text > (size_t)(to + size - at) ||
        unlz4(p + 8, block, at, text))
      break;
    p += 8 + block;
    at += text;
  }
  return p == end && at == to + size ? NULL : unlz4(from, n, to, size);
}

static const char *unlz4_frame(const uint8_t *from, size_t n, uint8_t *to, size_t size) {
  LZ4F_dctx *context;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
    return "there is no memory for it";
  size_t wants = 1, written = 0, read = 0;
  while (wants && !LZ4F_isError(wants)) {
    size_t out = size - written, in = n - read;
    wants = LZ4F_decompress(context, to + written, &out, from + read, &in, NULL);
    if (out == 0 && in == 0) break;
    written += out;
    read += in;
  }
  LZ4F_freeDecompressionContext(context);
  return wants == 0 && written == size ? NULL : "it is not an LZ4 frame of the stated size";
}
#else
static const char no_lz4[] = "this program was built without liblz4 (Debian: liblz4-dev)";
#define unlz4(from, n, to, size) no_lz4
#define unlz4_hadoop(from, n, to, size) no_lz4
#define unlz4_frame(from, n, to, size) no_lz4
#endif

const char *rmx__codec_decompress(rmx__codec_state *s, rmx__codec codec, const void *from, size_t n,
                                  void *to, size_t size) {
  switch (codec) {
    case RMX__CODEC_NONE:
      if (n != size) return "it has another size than stated";
      if (n) memcpy(to, from, n);
      return NULL;
    case RMX__CODEC_SNAPPY:
      return rmx__snappy(from, n, to, size);
    case RMX__CODEC_GZIP:
      return gunzip(from, n, to, size);
    case RMX__CODEC_ZSTD:
      return unzstd(s, from, n, to, size);
    case RMX__CODEC_LZ4:
      return unlz4(from, n, to, size);
    case RMX__CODEC_LZ4_HADOOP:
      return unlz4_hadoop(from, n, to, size);
    case RMX__CODEC_LZ4_FRAME:
      return unlz4_frame(from, n, to, size);
  }
  return "its compression is unknown";
}
