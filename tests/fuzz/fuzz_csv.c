// SPDX-License-Identifier: Apache-2.0
// Any bytes given as a table of mixtures and of metrics end in a fit or in an error.

#include <regmix/regress.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The input up to its first zero byte is the one table, the rest the other.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char path[64];
  rmx_err err;
  rmx_table t[2] = {{0}};
  const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
  size_t n[2] = {zero ? (size_t)(zero - data) : size, zero ? size - (size_t)(zero - data) - 1 : size};
  const uint8_t *part[2] = {data, zero ? zero + 1 : data};
  int good = 0;
  snprintf(path, sizeof(path), "/tmp/regmix-fuzz-csv-%d", (int)getpid());
  for (; good < 2; good++) {
    if (rmx_write_file(path, part[good], n[good], &err) != RMX_OK) abort();
    if (rmx_csv_read(path, &t[good], &err) != RMX_OK) break;
  }
  rmx_regress_options o = {0};
  if (rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, &o, &err) != RMX_OK) abort();
  o.trees.rounds = 2;
  o.trees.min_data_in_leaf = 1;
  rmx_fit *f;
  if (good == 2 && t[0].D * t[1].D < 4096 &&
      rmx_fit_tables(&o, &t[0], &t[1], NULL, 0, false, 1, 1, NULL, &f, NULL, &err) == RMX_OK)
    rmx_fit_free(f);
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &o);
  for (int i = 0; i < good; i++) rmx_table_release(&t[i]);
  unlink(path);
  return 0;
}
