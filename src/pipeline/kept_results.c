// SPDX-License-Identifier: Apache-2.0
// Which rows of a table are results of runs: where no record says who wrote them, the numbers of
// result.json do.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/c_number.h"
#include "kept_rows.h"

// To the digits that an older version wrote.
static bool agrees(const char *cell, const json_t *value) {
  char *end;
  const double x = rmx__strtod(cell, &end), y = json_number_value(value);
  if (!json_is_number(value)) return !*cell;
  return *cell && !*end && fabs(x - y) <= 1e-5 * fmax(fabs(y), 1e-9);
}

// The value of a column in a result; NULL: the result does not have it.
static const json_t *value_of(const json_t *result, const char *column, bool half) {
  static const char ending[] = "_val_loss";
  const size_t n = strlen(column), m = strlen(ending);
  if (n <= m || strcmp(column + n - m, ending) != 0)
    return half ? NULL : json_object_get(json_object_get(result, "metrics"), column);
  RMX_OWNED char *domain = rmx_format("%.*s", (int)(n - m), column);
  const json_t *from = half ? json_object_get(result, "half") : result;
  return domain ? json_object_get(json_object_get(from, "loss_nats"), domain) : NULL;
}

static bool is_of(const json_t *result, const rmx_cells *c, size_t i, bool half) {
  size_t numbers = 0;
  for (size_t j = 1; j < c->C; j++) {
    const json_t *value = value_of(result, c->header[j], half);
    if (!value) continue;
    if (!agrees(c->cells[i * c->C + j], value)) return false;
    numbers += json_is_number(value);
  }
  return numbers > 0;
}

static bool is_in(const char *folder, const rmx_cells *c, size_t i, bool half, char of[17]) {
  RMX_OWNED char *path = folder ? rmx_path_in(folder, "result.json") : NULL;
  json_auto_t *result = NULL;
  rmx_err ignored;
  if (!path || !rmx_exists(path) || rmx__json_read(path, &result, &ignored) != RMX_OK) return false;
  const char *fingerprint = rmx__fingerprint_in(result, "answers");
  if (!is_of(result, c, i, half)) return false;
  snprintf(of, 17, "%s", fingerprint ? fingerprint : "");
  return true;
}

bool rmx__row_is_result(const rmx_experiment *e, const rmx_cells *c, size_t i, bool half,
                        char of[17]) {
  const char *id = c->cells[i * c->C];
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  rmx_err ignored;
  *of = '\0';
  if (!*id || strchr(id, '/') || *id == '.') return false;
  RMX_OWNED char *inside = rmx_format("runs/%s", id),
                 *folder = inside ? rmx_experiment_path(e, inside) : NULL,
                 *shelf = folder ? rmx_run_shelf(folder) : NULL;
  if (!shelf) return false;
  if (is_in(folder, c, i, half, of)) return true;
  if (!rmx_exists(shelf) || rmx_list(shelf, &names, &ignored) != RMX_OK) return false;
  for (size_t s = 0; s < names.n; s++) {
    RMX_OWNED char *one = rmx_path_in(shelf, names.items[s]);
    if (is_in(one, c, i, half, of)) return true;
  }
  return false;
}

static bool is_number(const char *name) {
  return *name && name[strspn(name, "0123456789")] == '\0';
}

static const char *without_zeros(const char *number) {
  while (number[0] == '0' && number[1]) number++;
  return number;
}

size_t rmx__numbered_name(const char *id, const char *const *names, size_t n) {
  size_t found = n, times = 0;
  for (size_t k = 0; k < n; k++)
    if (strcmp(names[k], id) == 0) return k;
  for (size_t k = 0; k < n && is_number(id); k++)
    if (is_number(names[k]) && strcmp(without_zeros(names[k]), without_zeros(id)) == 0)
      found = k, times++;
  return times == 1 ? found : n;
}
