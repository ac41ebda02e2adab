// SPDX-License-Identifier: Apache-2.0
// rows [--time] FILE TEXT [FIELD...]: the documents of a file, each as a line of JSON: the text and
// the fields. With --time only their number, their bytes, and the processor time of reading them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "corpus/readers/reader.h"

static void print_row(const rmx__reader *r, size_t n) {
  json_t *row = json_pack("[s#]", r->text.data, (int)r->text.size);
  for (size_t i = 0; i < n; i++)
    json_array_append_new(
        row, r->has[i] ? json_stringn(r->values[i].data, r->values[i].size) : json_null());
  json_dumpf(row, stdout, JSON_COMPACT);
  putchar('\n');
  json_decref(row);
}

int main(int argc, char **argv) {
  const bool timed = argc > 1 && strcmp(argv[1], "--time") == 0;
  if (argc < 3 + timed) return 2;
  char **words = argv + 1 + timed;
  rmx_strings fields = {words + 2, (size_t)(argc - 3 - timed), 0};
  const rmx__reader_options o = {words[1], "none", false, 0, &fields, NULL, NULL, NULL};
  rmx__reader r;
  rmx_err err;
  size_t documents = 0, bytes = 0;
  rmx_status status = rmx__reader_open(&r, words[0], &o, &err);
  for (bool more = true; status == RMX_OK && more; documents += more) {
    status = rmx__reader_next(&r, &more, &err);
    if (status != RMX_OK || !more) break;
    bytes += r.text.size;
    if (!timed) print_row(&r, fields.n);
  }
  if (status != RMX_OK) fprintf(stderr, "%s\n", err.message);
  if (timed)
    printf("{\"documents\": %zu, \"bytes\": %zu, \"seconds\": %.4f}\n", documents, bytes,
           (double)clock() / CLOCKS_PER_SEC);
  if (status == RMX_OK) rmx__reader_close(&r);
  return status != RMX_OK;
}
