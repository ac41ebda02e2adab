// SPDX-License-Identifier: Apache-2.0
// How much text a task has.
#include <regmix/eval.h>

#include "corpus/readers/input.h"

enum { LONGEST = 1 << 20 };  // of a longer line only the length is of interest

rmx_status rmx_eval_bytes(const char *path, int64_t max_items, double *bytes, rmx_err *err) {
  rmx__input in = {0};
  rmx__line line;
  bool more = true;
  *bytes = 0;
  rmx_status status = rmx__input_open(&in, path, false, err);
  for (int64_t items = 0; status == RMX_OK && (max_items <= 0 || items < max_items); items++) {
    status = rmx__input_line(&in, LONGEST, &line, &more, err);
    if (status != RMX_OK || !more) break;
    *bytes += (double)(line.cut ? line.whole : line.size);
  }
  rmx__input_close(&in);
  return status;
}
