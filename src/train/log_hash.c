// SPDX-License-Identifier: Apache-2.0
// The hash of the evaluations in a log, by which a result knows its log. The other lines have times
// in them, which no two trainings share.
#include <regmix/train.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

rmx_status rmx_log_hash(const char *text, size_t size, uint64_t *out, rmx_err *err) {
  static const char *const keys[] = {"step", "tokens", "valid_nats"};
  uint64_t hash = 0;
  for (const char *line = text, *end = text + size; line < end;) {
    const char *stop = memchr(line, '\n', (size_t)(end - line));
    const size_t length = (size_t)((stop ? stop : end) - line);
    json_error_t why;
    json_auto_t *o = json_loadb(line, length, 0, &why);
    if (!o && json_error_code(&why) == json_error_out_of_memory)
      return rmx_fail_memory(err, length, "a log");
    for (size_t k = 0; json_object_get(o, keys[2]) && k < sizeof keys / sizeof *keys; k++) {
      const uint64_t part = rmx__json_hash(json_object_get(o, keys[k]));
      hash = rmx_hash(&part, sizeof part, hash);
    }
    line += length + 1;
  }
  *out = hash;
  return RMX_OK;
}
