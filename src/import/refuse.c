// SPDX-License-Identifier: Apache-2.0
// Recognises formats of tables that are not read. The error names the format and explains what to
// do. Without this a later error would be about something else.

#include <stdlib.h>
#include <string.h>

#include "formats.h"

// Kinds of files by their first bytes, with what is to be done.
static const struct binary {
  const char *bytes;
  size_t n;
  const char *name, *advice;
} binaries[] = {
    {"PAR1", 4, "a Parquet file", "save it as CSV (df.to_csv(\"runs.csv\", index=False))"},
    {"ARROW1", 6, "an Arrow file", "save it as CSV (df.to_csv(\"runs.csv\", index=False))"},
    {"SQLite format 3", 15, "an SQLite database",
     "save the table as CSV (of MLflow: search_runs().to_csv(\"runs.csv\"))"},
    {"PK\3\4", 4, "a zip archive, as .xlsx and .npz files are", "save the table as CSV"},
    {"\x93NUMPY", 6, "an array of NumPy", "save it as CSV with the names of the columns"},
    {"\x89HDF", 4, "an HDF5 file", "save the table as CSV"},
    {"\x80\x04", 2, "a pickle of Python", "save the table as CSV"},
    {"\x80\x05", 2, "a pickle of Python", "save the table as CSV"},
    {"\x1F\x8B", 2, "compressed with gzip", "decompress it (gunzip)"},
    {"\x28\xB5\x2F\xFD", 4, "compressed with zstd", "decompress it (unzstd)"},
};

static rmx_status refuse_binary(const char *path, const char *head, size_t n, rmx_err *err) {
  for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++)
    if (n >= binaries[i].n && memcmp(head, binaries[i].bytes, binaries[i].n) == 0)
      return rmx_fail(err, RMX_EINPUT, "%s: this is %s, which can't be read as a table of runs; %s",
                      path, binaries[i].name, binaries[i].advice);
  return RMX_OK;
}

rmx_status rmx__refuse_text(const char *path, rmx_err *err) {
  char head[4096];
  FILE *f = rmx_fopen(path, "rb");
  if (!f) return RMX_OK;  // the reader reports why
  size_t n = fread(head, 1, sizeof head - 1, f);
  fclose(f);
  head[n] = '\0';
  RMX_TRY(refuse_binary(path, head, n, err));
  if (strlen(head) < n) return RMX_OK;
  const char *text = strncmp(head, "\xEF\xBB\xBF", 3) == 0 ? head + 3 : head;
  const char *start = text + strspn(text, " \t\r\n");
  if (*start == '{' || *start == '[')
    return rmx_fail(err, RMX_EINPUT,
                    "%s: this is JSON (objects in lines, or a list), which can't be read as a "
                    "table of runs; write it as CSV with one run per row and its name in the first "
                    "column. Results of lm-evaluation-harness must end in .json",
                    path);
  size_t header = strcspn(start, "\r\n");
  if (memchr(start, ',', header) == NULL && memchr(start, ';', header))
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: the columns are separated by semicolons; wanted commas, and decimal points in numbers "
        "(if there are no decimal commas: tr ';' ',' < old.csv > new.csv)",
        path);
  if (memchr(start, ',', header) == NULL && memchr(start, '\t', header))
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: the columns are separated by tabs; wanted commas (tr '\\t' ',' < old.tsv > new.csv)",
        path);
  return RMX_OK;
}
