// SPDX-License-Identifier: Apache-2.0
// A listener between a step and its caller, which keeps the warnings, so that an answer can list
// them.
#include <regmix/base.h>

static void progress(void *context, const char *what, double done, double total, const char *unit,
                     const char *detail) {
  const rmx_kept_warnings *k = context;
  rmx_progress(k->to, what, done, total, unit, detail);
}

static void note(void *context, const char *message) {
  const rmx_kept_warnings *k = context;
  rmx_note(k->to, "%s", message);
}

static void warn(void *context, const char *message) {
  rmx_kept_warnings *k = context;
  if (!rmx_strings_have(&k->texts, message)) rmx_strings_add(&k->texts, message);
  rmx_warn(k->to, "%s", message);
}

static void part(void *context, const char *noun, size_t i, size_t n) {
  const rmx_kept_warnings *k = context;
  rmx_part(k->to, noun, i, n);
}

static void detail(void *context, const char *message) {
  const rmx_kept_warnings *k = context;
  rmx_detail(k->to, "%s", message);
}

rmx_listener rmx_keep_warnings(rmx_kept_warnings *kept, const rmx_listener *to) {
  *kept = (rmx_kept_warnings){.to = to};
  return (rmx_listener){kept, progress, note, warn, part, detail};
}
