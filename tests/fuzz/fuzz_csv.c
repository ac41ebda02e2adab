// SPDX-License-Identifier: Apache-2.0
// Any bytes given as a table of mixtures and of metrics end in a fit or in an error.
#include <regmix/regress.h>

#include "fuzz.h"

// The input up to its first zero byte is the one table, the rest the other.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  rmx_err err;
  rmx_table t[2] = {{0}};
  int good = 0;
  for (; good < 2; good++) {
    const uint8_t *part;
    const size_t n = fuzz_part(&data, &size, &part);
    if (rmx_csv_read(fuzz_file("table.csv", part, n), &t[good], &err) != RMX_OK) break;
  }
  static rmx_regress_options o;
  if (!o.regressor &&
      rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, &o, &err) != RMX_OK)
    abort();
  rmx_regress_options quick = o;
  quick.regressor = (char *)(t[0].N % 2 ? "ridge" : "trees");
  quick.trees.rounds = 2;
  quick.trees.min_data_in_leaf = 1;
  rmx_fit *f;
  if (good == 2 && t[0].D * t[1].D < 256 && t[0].N < 256 &&
      rmx_fit_tables(
          &(rmx_fit_tables_request){
              .options = &quick, .mixtures = &t[0], .metrics = &t[1], .seed = 1, .threads = 1},
          &f, &err) == RMX_OK)
    rmx_fit_free(f);
  for (int i = 0; i < good; i++) rmx_table_release(&t[i]);
  return 0;
}
