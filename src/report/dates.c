// SPDX-License-Identifier: Apache-2.0
// The dates on the page. They come from its files, not from the clock, so the same files give the
// same page. SOURCE_DATE_EPOCH (reproducible-builds.org) limits them, for files that were copied.
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/json.h"
#include "report/parts.h"

int64_t rmx__changed(const char *path) {
  struct stat info;
  if (stat(path, &info) != 0) return 0;
  const char *said = getenv("SOURCE_DATE_EPOCH");
  char *end;
  long long latest = said ? strtoll(said, &end, 10) : 0;
  bool bounded = said && *said && !*end && latest > 0;
  return bounded && (long long)info.st_mtime > latest ? latest : (int64_t)info.st_mtime;
}

json_t *rmx__date(int64_t when) {
  time_t seconds = (time_t)when;
  struct tm at;
  char text[32];
  if (!gmtime_r(&seconds, &at) || strftime(text, sizeof text, "%Y-%m-%d", &at) == 0)
    return json_null();
  return json_string(text);
}

rmx_status rmx__note_change(json_t *data, const char *path, rmx_err *err) {
  int64_t when = rmx__changed(path);
  if (when <= json_integer_value(json_object_get(data, "changed"))) return RMX_OK;
  return rmx__put(data, "changed", json_integer(when), err);
}
