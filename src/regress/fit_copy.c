// SPDX-License-Identifier: Apache-2.0
// Copies a fit: the files that fit.json names, into another folder, whole or not at all.

#include <stdlib.h>
#include <string.h>

#include "base/kept.h"
#include "fit.h"
#include "fit_parts.h"

// Copies the parts of the fit at `from` into a new folder.
static rmx_status copy_parts(const char *from, const rmx_strings *parts, const char *to,
                             rmx_err *err) {
  for (size_t i = 0; i < parts->n; i++) {
    RMX_OWNED char *old = rmx_path_in(from, parts->items[i]),
                   *next = rmx_path_in(to, parts->items[i]), *data = NULL;
    size_t size;
    if (!old || !next) return rmx_fail_memory(err, 256, "a path");
    if (!rmx_exists(old) || rmx_exists(next)) continue;
    RMX_TRY(rmx_read_file(old, &data, &size, err));
    RMX_TRY(rmx_write_file(next, data, size, err));
  }
  return RMX_OK;
}

static bool are_one_folder(const char *a, const char *b) {
  RMX_OWNED char *x = rmx_realpath(a), *y = rmx_realpath(b);
  return x && y && strcmp(x, y) == 0;
}

static rmx_status copy(const char *from, const char *to, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings parts = {0};
  RMX_OWNED_BY(rmx_outfolder_discard) rmx_outfolder out = {0};
  RMX_OWNED_BY(rmx_fit_free_at) rmx_fit *whole = NULL;
  RMX_TRY(rmx_fit_read(from, &whole, err));
  if (are_one_folder(from, to)) return RMX_OK;
  RMX_TRY(rmx_fit_may_write(to, err));
  RMX_TRY(rmx__fit_parts(from, &parts, err));
  RMX_TRY(rmx_outfolder_open(&out, to, err));
  RMX_TRY(copy_parts(from, &parts, out.temporary, err));
  return rmx__fit_put(&out, err);
}

rmx_status rmx_fit_copy(const char *from, const char *to, const rmx_listener *listener,
                        rmx_err *err) {
  RMX_OWNED_BY(rmx__outputs_release) rmx__outputs outputs = {0};
  rmx__outputs_exchange(&outputs);
  const rmx_status status = copy(from, to, err);
  rmx__outputs_exchange(&outputs);
  rmx__outputs_tell(&outputs, listener);
  return status;
}
