// SPDX-License-Identifier: Apache-2.0
// What this build can read, by the libraries that it was made with.
#include <regmix/corpus.h>

#ifdef REGMIX_LZMA
#define HAS_LZMA true
#else
#define HAS_LZMA false
#endif
#ifdef REGMIX_BZ2
#define HAS_BZ2 true
#else
#define HAS_BZ2 false
#endif
#ifdef REGMIX_LZ4
#define HAS_LZ4 true
#else
#define HAS_LZ4 false
#endif
#ifdef REGMIX_UCHARDET
#define HAS_UCHARDET true
#else
#define HAS_UCHARDET false
#endif
#ifdef REGMIX_LIBPSL
#define HAS_LIBPSL true
#else
#define HAS_LIBPSL false
#endif

static const rmx_library libraries[] = {
    {"zlib", ".gz, gzip in Parquet", true},
    {"libzstd", ".zst, Zstandard in Parquet and Arrow", true},
    {"snappy", "Snappy in Parquet (own code)", true},
    {"liblzma", ".xz", HAS_LZMA},
    {"libbz2", ".bz2", HAS_BZ2},
    {"liblz4", ".lz4, LZ4 in Parquet and Arrow", HAS_LZ4},
    {"libuchardet", "guesses of character sets", HAS_UCHARDET},
    {"libpsl", "web hosts by the public suffix list", HAS_LIBPSL},
};

const rmx_library *rmx_corpus_libraries(size_t *n) {
  *n = sizeof libraries / sizeof *libraries;
  return libraries;
}
