// SPDX-License-Identifier: Apache-2.0
// write_report FOLDER PAGE: the library's report of a folder, for the browser test.
#include <regmix/report.h>

int main(int argc, char **argv) {
  rmx_err err = {0};
  if (argc != 3) return 2;
  if (rmx_report_write(&(rmx_report_files){.folder = argv[1]}, argv[2], &err) == RMX_OK) return 0;
  fprintf(stderr, "%s\n", err.message);
  return 1;
}
