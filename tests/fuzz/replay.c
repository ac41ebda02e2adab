// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without a fuzzer: on each file of a folder of seeds, and on so many changed
// copies of each. The changes depend on nothing but their number, so a finding comes again. Speaks
// TAP.
//
//   fuzz_x SEEDS CHANGES [DICTIONARY]
#include <dirent.h>
#include <stdio.h>

#include "fuzz.h"

enum { MOST = 1 << 20, WORDS = 256 };

static char *words[WORDS];
static size_t words_n;

// The quoted words of a libFuzzer dictionary; \xAB is a byte.
static void read_dictionary(const char *path) {
  char line[512];
  FILE *f = fopen(path, "r");
  while (f && fgets(line, sizeof line, f) && words_n < WORDS) {
    char *from = strchr(line, '"'), *to = strrchr(line, '"');
    if (line[0] == '#' || !from || to == from) continue;
    char *out = words[words_n++] = calloc(1, (size_t)(to - from));
    if (!out) abort();
    for (char *c = from + 1; c < to; c++) {
      unsigned byte;
      if (c[0] == '\\' && c[1] == 'x' && sscanf(c + 2, "%2x", &byte) == 1) {
        *out++ = (char)byte;
        c += 3;
      } else if (c[0] == '\\') {
        *out++ = *++c;
      } else {
        *out++ = *c;
      }
    }
  }
  if (f) fclose(f);
}

static uint64_t state;
static size_t draw(size_t n) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return n ? (size_t)((state >> 33) % n) : 0;
}

// One change: a bit, a byte, a number, a piece taken out, repeated or put elsewhere, a word, the
// end cut off.
static size_t change(uint8_t *data, size_t n) {
  const size_t at = draw(n), length = 1 + draw(n - at < 64 ? n - at : 64);
  static const char *const numbers[] = {"0",   "-1",        "1e999", "NaN", "99999999999999999999",
                                        "0.1", "4294967296"};
  const char *text = words_n && draw(2) ? words[draw(words_n)] : numbers[draw(7)];
  switch (draw(7)) {
    case 0:
      data[at] ^= (uint8_t)(1u << draw(8));
      return n;
    case 1:
      data[at] = (uint8_t)draw(256);
      return n;
    case 2:
      return at;
    case 3:
      if (n <= length) return n;
      memmove(data + at, data + at + length, n - at - length);
      return n - length;
    case 4:
      if (n + length > MOST) return n;
      memmove(data + at + length, data + at, n - at);
      return n + length;
    case 5:
      memmove(data + draw(n - length + 1), data + at, length);
      return n;
    default: {
      const size_t size = strlen(text);
      if (n + size > MOST) return n;
      memmove(data + at + size, data + at, n - at);
      memcpy(data + at, text, size);
      return n + size;
    }
  }
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  static uint8_t seed[MOST + 64], data[MOST + 64];
  const size_t changes = (size_t)strtoul(argv[2], NULL, 10);
  size_t seeds = 0, inputs = 0;
  if (argc > 3) read_dictionary(argv[3]);
  DIR *folder = opendir(argv[1]);
  for (struct dirent *entry; folder && (entry = readdir(folder));) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
    FILE *f = entry->d_name[0] == '.' ? NULL : fopen(path, "rb");
    if (!f) continue;
    const size_t n = fread(seed, 1, MOST, f);
    fclose(f);
    seeds++;
    for (size_t k = 0; k <= changes; k++, inputs++) {
      size_t size = n;
      state = k * 2654435761u + n;
      memcpy(data, seed, n);
      for (size_t i = k ? 1 + draw(4) : 0; i > 0 && size > 0; i--) size = change(data, size);
      // of just this size, so that a sanitizer sees the first byte too far
      uint8_t *exact = malloc(size ? size : 1);
      if (!exact) abort();
      memcpy(exact, data, size);
      LLVMFuzzerTestOneInput(exact, size);
      free(exact);
    }
  }
  if (folder) closedir(folder);
  fuzz_remove();
  printf("1..1\n%s 1 - %zu inputs made from %zu seeds end in a result or an error\n",
         seeds ? "ok" : "not ok", inputs, seeds);
  return seeds ? 0 : 1;
}
