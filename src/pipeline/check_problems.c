// SPDX-License-Identifier: Apache-2.0
// The list of what `check` finds.
#include "check.h"

#include <string.h>

static bool is_known(const json_t *problems, const char *text) {
  for (size_t i = 0; i < json_array_size(problems); i++)
    if (strcmp(json_string_value(json_array_get(problems, i)), text) == 0) return true;
  return false;
}

void rmx__problem(struct rmx__check *k, const char *fmt, ...) {
  char text[1200];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  rmx_make_printable(text, "\n\t");
  if (!is_known(k->problems, text)) json_array_append_new(k->problems, json_string(text));
}

void rmx__hold(struct rmx__check *k, const char *where, rmx_status status, const rmx_err *err) {
  if (status == RMX_OK) return;
  if (where)
    rmx__problem(k, "%s: %s", where, err->message);
  else
    rmx__problem(k, "%s", err->message);
}
