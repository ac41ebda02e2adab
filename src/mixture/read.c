// SPDX-License-Identifier: Apache-2.0
// Reads one mixture from a file: a YAML or JSON map `domain: weight` (at the top, or under
// `mixture:` or `train:`), a CSV table domain,weight, or a CSV table with one row.

#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"

// The content of the file, before its names are matched with domains, which needs all of them.
typedef struct taker {
  const char *path;
  rmx_strings given;
  double *weight;  // (given.n)
  int *line;       // (given.n) 0: unknown
  size_t room;
} taker;

static rmx_status take(taker *t, int line, const char *name, double weight, rmx_err *err) {
  if (!*name) {
    rmx_fail(err, RMX_EINPUT, "a domain has no name; give it one, or remove it");
    return line > 0 ? rmx_fail_in(err, "%s:%d", t->path, line) : rmx_fail_in(err, "%s", t->path);
  }
  if (t->given.n == t->room) {
    size_t room = 2 * t->room + 16;
    double *w = rmx_realloc(t->weight, room, sizeof *w);
    if (w) t->weight = w;
    int *lines = w ? rmx_realloc(t->line, room, sizeof *lines) : NULL;
    if (!lines) return rmx_fail_memory(err, room * sizeof(double), "a mixture");
    t->line = lines;
    t->room = room;
  }
  t->line[t->given.n] = line;
  t->weight[t->given.n] = weight;
  return rmx_strings_add(&t->given, name) ? RMX_OK : rmx_fail_memory(err, strlen(name), "a name");
}

static rmx_status fail_at(const taker *t, size_t i, rmx_err *err) {
  return t->line[i] > 0 ? rmx_fail_in(err, "%s:%d", t->path, t->line[i])
                        : rmx_fail_in(err, "%s", t->path);
}

// The weights by domain. A name that is not a domain must have weight 0.
static rmx_status sort_out(const taker *t, const char *const *names, size_t D, double *w,
                           rmx_err *err) {
  const char *const *given = (const char *const *)t->given.items;
  size_t *index = rmx_calloc(t->given.n, sizeof *index);
  if (!index) return rmx_fail_memory(err, t->given.n * sizeof *index, "a mixture");
  rmx_status status = rmx_match_names("domain", given, t->given.n, names, D, index, err);
  if (status != RMX_OK) rmx_fail_in(err, "%s", t->path);
  for (size_t i = 0; i < t->given.n && status == RMX_OK; i++) {
    if (index[i] < D) {
      w[index[i]] = t->weight[i];
    } else if (t->weight[i] != 0) {
      status = rmx_unknown_name("domain", given[i], names, D, err);
      fail_at(t, i, err);
    }
  }
  free(index);
  return status;
}

static rmx_status take_csv(taker *t, const char *path, rmx_err *err) {
  RMX_OWNED_BY(rmx_table_release) rmx_table table = {0};
  RMX_TRY(rmx_csv_read(path, &table, err));
  bool one_a_line = table.D == 1 &&
                    (strcmp(table.id_name, "domain") == 0 || strcmp(table.names[0], "weight") == 0);
  if (!one_a_line && table.N != 1)
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: wanted one row with one column per domain, or the columns domain,weight; got %zu rows",
        path, table.N);
  size_t n = one_a_line ? table.N : table.D;
  for (size_t i = 0; i < n; i++) {
    RMX_TRY(take(t, table.lines[one_a_line ? i : 0], one_a_line ? table.ids[i] : table.names[i],
                 table.x[i], err));
  }
  return RMX_OK;
}

static rmx_status take_map(taker *t, const char *path, const rmx__yaml *yaml, json_t *root,
                           rmx_err *err) {
  json_t *map = root;
  const char *const under[] = {"mixture", "train"};
  for (size_t i = 0; i < 2 && json_is_object(map); i++) {
    json_t *inner = json_object_get(root, under[i]);
    if (json_is_object(inner)) {
      map = inner;
      break;
    }
  }
  if (!json_is_object(map))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: wanted a map `domain: weight`, at the top or under `mixture:`", path);
  const char *name;
  json_t *value;
  json_object_foreach(map, name, value) {
    RMX_TRY(take(t, yaml ? rmx__yaml_line(yaml, value) : 0, name, json_number_value(value), err));
    if (json_is_number(value)) continue;
    rmx_fail(err, RMX_EINPUT, "the weight of \"%s\" is not a number", name);
    return fail_at(t, t->given.n - 1, err);
  }
  return RMX_OK;
}

static rmx_status take_file(taker *t, const char *path, rmx_err *err) {
  *t = (taker){.path = path};
  rmx__yaml yaml = {0};
  json_t *root = NULL;
  rmx_status status;
  if (rmx__ends_in(path, ".csv")) return take_csv(t, path, err);
  if (rmx__ends_in(path, ".json")) {
    status = rmx__json_read(path, &root, err);
    if (status == RMX_OK) status = take_map(t, path, NULL, root, err);
    json_decref(root);
    return status;
  }
  status = rmx__yaml_read(path, &yaml, err);
  if (status == RMX_OK) status = take_map(t, path, &yaml, yaml.root, err);
  if (yaml.root) rmx__yaml_release(&yaml);
  return status;
}

static void release(taker *t) {
  rmx_strings_release(&t->given);
  free(t->weight);
  free(t->line);
  *t = (taker){0};
}

rmx_status rmx_mixture_read(const char *path, const char *const *names, size_t D, double *w,
                            rmx_err *err) {
  RMX_OWNED_BY(release) taker t = {0};
  RMX_OWNED double *out = rmx_calloc(D, sizeof *out);
  RMX_TRY(take_file(&t, path, err));
  if (!out) return rmx_fail_memory(err, D * sizeof *out, "a mixture");
  RMX_TRY(sort_out(&t, names, D, out, err));
  RMX_TRY(rmx_mixture_check(out, D, names, 0.01, path, err));
  memcpy(w, out, D * sizeof *out);
  return RMX_OK;
}

rmx_status rmx_mixture_names(const char *path, rmx_strings *names, rmx_err *err) {
  RMX_OWNED_BY(release) taker t = {0};
  RMX_TRY(take_file(&t, path, err));
  if (t.given.n == 0)
    return rmx_fail(err, RMX_EINPUT, "%s: contains no mixture; wanted a map `domain: weight`",
                    path);
  for (size_t i = 0; i < t.given.n; i++)
    if (!rmx_strings_add(names, t.given.items[i])) return rmx_fail_memory(err, 0, "a name");
  return RMX_OK;
}

json_t *rmx_mixture_json(const double *w, const char *const *names, size_t D) {
  json_t *map = json_object();
  for (size_t d = 0; map && d < D; d++) {
    if (json_object_set_new(map, names[d], json_real(w[d])) != 0) {
      json_decref(map);
      return NULL;
    }
  }
  return map;
}
