// SPDX-License-Identifier: Apache-2.0
// Prints the sizes and offsets of the structs that the Python package fills: "rmx_table.x 56".
#include <regmix/regress.h>
#include <stddef.h>
#include <stdio.h>

#define SIZE(type) printf(#type " %zu\n", sizeof(type))
#define AT(type, member) printf(#type "." #member " %zu\n", offsetof(type, member))

int main(void) {
  SIZE(rmx_err);
  AT(rmx_err, status), AT(rmx_err, message), AT(rmx_err, os_error);
  SIZE(rmx_listener);
  AT(rmx_listener, context), AT(rmx_listener, progress), AT(rmx_listener, note);
  AT(rmx_listener, warn), AT(rmx_listener, part), AT(rmx_listener, detail);
  SIZE(rmx_table);
  AT(rmx_table, path), AT(rmx_table, id_name), AT(rmx_table, N), AT(rmx_table, D);
  AT(rmx_table, ids), AT(rmx_table, lines), AT(rmx_table, names), AT(rmx_table, x);
  AT(rmx_table, better), AT(rmx_table, sizes), AT(rmx_table, tokens);
  SIZE(rmx_scale);
  AT(rmx_scale, size), AT(rmx_scale, tokens);
  SIZE(rmx_dataset);
  AT(rmx_dataset, N), AT(rmx_dataset, D), AT(rmx_dataset, X), AT(rmx_dataset, y);
  AT(rmx_dataset, row_weights), AT(rmx_dataset, groups), AT(rmx_dataset, domains);
  AT(rmx_dataset, metric), AT(rmx_dataset, own_domain), AT(rmx_dataset, tokens);
  AT(rmx_dataset, budget), AT(rmx_dataset, run_tokens), AT(rmx_dataset, scales);
  AT(rmx_dataset, higher_is_better);
  return 0;
}
