// SPDX-License-Identifier: Apache-2.0
// bench_readers [-t FIELD] [-f FIELD]... FILE...: how fast the documents of each file are read, on
// one core: MB of the file and of its text per second of processor time (user and system), the
// median of five rounds. The first round, not counted, brings the file into memory.
//   -t   the field with the text ("text"); -f: a further field
// bench_readers --make MB FILE.jsonl: writes lines like those of web corpora: about 3 kB of text
// with a line feed, a quote and a character beyond ASCII every 200 bytes or so, and nine fields.
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "corpus/readers/reader.h"

enum { ROUNDS = 5 };

static double processor_seconds(void) {
  struct rusage use;
  getrusage(RUSAGE_SELF, &use);
  return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
         1e-6 * (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

static int fail(const rmx_err *err) {
  fprintf(stderr, "bench_readers: %s\n", err->message);
  return 1;
}

static void add_words(rmx_buf *line, rmx_rng *rng, size_t bytes) {
  for (size_t end = line->size + bytes; line->size < end;) {
    char word[16];
    size_t n = 1 + rmx_rng_below(rng, 8);
    for (size_t i = 0; i < n; i++) word[i] = (char)('a' + rmx_rng_below(rng, 26));
    rmx_buf_add(line, word, n);
    const uint64_t kind = rmx_rng_below(rng, 100);
    rmx_buf_puts(line, kind < 2 ? ".\\n" : kind < 4 ? " \\\"" : kind < 6 ? "\xE2\x80\x99s " : " ");
  }
}

static int make(double megabytes, const char *path) {
  FILE *f = fopen(path, "wb");
  rmx_rng rng = rmx_rng_make(1, 0, RMX_FOR_TEST);
  rmx_buf line = {0};
  for (double bytes = 0; f && bytes < megabytes * 1e6; bytes += (double)line.size) {
    const uint64_t id = rmx_rng_u32(&rng);
    line.size = 0;
    rmx_buf_puts(&line, "{\"text\":\"");
    add_words(&line, &rng, 500 + rmx_rng_below(&rng, 5000));
    rmx_buf_printf(&line,
                   "\",\"id\":\"<urn:uuid:%08x>\",\"dump\":\"CC-MAIN-2013-20\",\"url\":"
                   "\"http://www.example-%u.org/page/%u.html\",\"date\":\"2013-05-18T05:48:54Z\","
                   "\"file_path\":\"s3://commoncrawl/crawl-data/CC-MAIN-2013-20/%u.warc.gz\","
                   "\"language\":\"en\",\"language_score\":0.97%u,\"token_count\":%u}\n",
                   (unsigned)id, (unsigned)(id % 1000), (unsigned)id, (unsigned)id,
                   (unsigned)(id % 1000), (unsigned)(line.size / 4));
    fwrite(line.data, 1, line.size, f);
  }
  rmx_buf_release(&line);
  return f && fclose(f) == 0 ? 0 : 1;
}

static rmx_status read_once(const char *path, const rmx__reader_options *o, uint64_t *file,
                            uint64_t *text, size_t *documents, rmx_err *err) {
  rmx__reader r;
  bool more = true;
  rmx_status status = RMX_OK;
  *text = *documents = 0;
  RMX_TRY(rmx__reader_open(&r, path, o, err));
  while ((status = rmx__reader_next(&r, &more, err)) == RMX_OK && more) {
    *text += r.text.size;
    ++*documents;
  }
  *file = r.input.compressed;
  rmx__reader_close(&r);
  return status;
}

static int by_size(const void *a, const void *b) {
  const double *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "--make") == 0) return make(atof(argv[2]), argv[3]);
  rmx_strings fields = {0};
  rmx__reader_options o = {"text", "%", false, 0, &fields, NULL, NULL, NULL};
  int i = 1;
  for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
    if (argv[i][1] == 't') o.text_field = argv[i + 1];
    if (argv[i][1] == 'f') rmx_strings_add(&fields, argv[i + 1]);
  }
  printf("%-32s %10s %10s %9s %14s %14s\n", "file", "MB", "MB of text", "documents", "MB/s of file",
         "MB/s of text");
  for (; i < argc; i++) {
    double seconds[ROUNDS];
    uint64_t file, text;
    size_t documents;
    rmx_err err = {0};
    for (int round = -1; round < ROUNDS; round++) {
      const double start = processor_seconds();
      if (read_once(argv[i], &o, &file, &text, &documents, &err) != RMX_OK) return fail(&err);
      if (round >= 0) seconds[round] = processor_seconds() - start;
    }
    qsort(seconds, ROUNDS, sizeof *seconds, by_size);
    const double s = seconds[ROUNDS / 2], mb = (double)file / 1e6, text_mb = (double)text / 1e6;
    printf("%-32s %10.1f %10.1f %9zu %14.0f %14.0f\n", argv[i], mb, text_mb, documents, mb / s,
           text_mb / s);
  }
  rmx_strings_release(&fields);
  return 0;
}
