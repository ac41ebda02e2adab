// SPDX-License-Identifier: Apache-2.0
// A command may not write the file that it reads: the runs in the file would be lost.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "steps.h"

bool rmx__same_file(const char *a, const char *b, struct stat *info) {
  struct stat other;
  return stat(a, info) == 0 && stat(b, &other) == 0 && info->st_dev == other.st_dev &&
         info->st_ino == other.st_ino;
}

rmx_status rmx_keep_input(const char *out, const char *input, rmx_err *err) {
  struct stat info;
  if (!out || !input || !rmx__same_file(out, input, &info) || !S_ISREG(info.st_mode)) return RMX_OK;
  return rmx_fail(
      err, RMX_EUSAGE,
      "--out %s is also the input file (%s), which would be lost; give --out another name", out,
      input);
}

rmx_status rmx_keep_runs(const char *out, char *const *runs, size_t n, rmx_err *err) {
  struct stat info;
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  rmx_err ignored;
  if (!out || stat(out, &info) != 0 || !S_ISREG(info.st_mode) ||
      rmx_csv_read(out, &t, &ignored) != RMX_OK)
    return RMX_OK;
  for (size_t i = 0; i < t.N; i++)
    for (size_t k = 0; k < n; k++)
      if (strcmp(t.ids[i], runs[k]) == 0)
        return rmx_fail(
            err, RMX_EUSAGE,
            "--out %s contains the run \"%s\" that the fit was made from, which would be "
            "lost; give --out another name, then add the new rows to this table",
            out, runs[k]);
  return RMX_OK;
}
