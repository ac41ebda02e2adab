// SPDX-License-Identifier: Apache-2.0
// The list of what `check` finds.
#include "check.h"

void rmx__problem(struct rmx__check *k, const char *fmt, ...) {
  char text[1200];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  rmx_make_printable(text, "\n\t");
  json_array_append_new(k->problems, json_string(text));
}

void rmx__hold(struct rmx__check *k, const char *where, rmx_status status, const rmx_err *err) {
  if (status == RMX_OK) return;
  if (where)
    rmx__problem(k, "%s: %s", where, err->message);
  else
    rmx__problem(k, "%s", err->message);
}
