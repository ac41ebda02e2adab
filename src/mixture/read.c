// SPDX-License-Identifier: Apache-2.0
// One mixture from a file, in the forms people have it: a YAML or JSON map `domain: weight` (at the top, or
// under `mixture:` or `train:`), a CSV table domain,weight, or a CSV table with one row.

#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

typedef struct taker {
  const char *const *names;
  size_t D;
  double *w;
  bool *seen;
} taker;

static rmx_status take(taker *t, const char *where, const char *name, double weight, rmx_err *err) {
  size_t d = 0;
  if (rmx_find_name("domain", name, t->names, t->D, &d, err) != RMX_OK) return rmx_fail_in(err, "%s", where);
  if (t->seen[d])
    return rmx_fail(err, RMX_EINPUT, "%s: the weight of domain \"%s\" is given twice", where, t->names[d]);
  t->seen[d] = true;
  t->w[d] = weight;
  return RMX_OK;
}

static rmx_status take_csv(taker *t, const char *path, rmx_err *err) {
  rmx_table table = {0};
  RMX_TRY(rmx_csv_read(path, &table, err));
  rmx_status status = RMX_OK;
  char *where = NULL;
  bool one_a_line =
      table.D == 1 && (strcmp(table.id_name, "domain") == 0 || strcmp(table.names[0], "weight") == 0);
  if (!one_a_line && table.N != 1) {
    status = rmx_fail(
        err, RMX_EINPUT,
        "%s: a mixture is one row with a column for each domain, or the columns domain,weight; got %zu rows",
        path, table.N);
    goto done;
  }
  size_t n = one_a_line ? table.N : table.D;
  for (size_t i = 0; i < n; i++) {
    free(where);
    where = rmx_format("%s:%d", path, table.lines[one_a_line ? i : 0]);
    if (where == NULL) {
      status = rmx_fail_memory(err, strlen(path), "a message");
      goto done;
    }
    RMX_TRY_GOTO(take(t, where, one_a_line ? table.ids[i] : table.names[i], table.x[i], err), done);
  }
done:
  free(where);
  rmx_table_release(&table);
  return status;
}

static rmx_status take_map(taker *t, const char *path, const rmx_yaml *yaml, json_t *root, rmx_err *err) {
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
    return rmx_fail(err, RMX_EINPUT, "%s: wanted a map `domain: weight`, at the top or under `mixture:`",
                    path);
  const char *name;
  json_t *value;
  json_object_foreach(map, name, value) {
    int line = yaml ? rmx_yaml_line(yaml, value) : 0;
    char *where = line > 0 ? rmx_format("%s:%d", path, line) : rmx_strdup(path);
    if (where == NULL) return rmx_fail_memory(err, strlen(path), "a message");
    rmx_status status;
    if (json_is_number(value))
      status = take(t, where, name, json_number_value(value), err);
    else
      status = rmx_fail(err, RMX_EINPUT, "%s: the weight of \"%s\" is no number", where, name);
    free(where);
    if (status != RMX_OK) return status;
  }
  return RMX_OK;
}

static bool ends_in(const char *path, const char *suffix) {
  size_t n = strlen(path), m = strlen(suffix);
  return n >= m && strcmp(path + n - m, suffix) == 0;
}

rmx_status rmx_mixture_read(const char *path, const char *const *names, size_t D, double *w, rmx_err *err) {
  taker t = {names, D, rmx_calloc(D, sizeof(double)), rmx_calloc(D, sizeof(bool))};
  rmx_yaml yaml = {0};
  json_t *root = NULL;
  rmx_status status = RMX_OK;
  if (t.w == NULL || t.seen == NULL) {
    status = rmx_fail_memory(err, D * sizeof(double), "a mixture");
    goto done;
  }
  if (ends_in(path, ".csv")) {
    RMX_TRY_GOTO(take_csv(&t, path, err), done);
  } else if (ends_in(path, ".json")) {
    RMX_TRY_GOTO(rmx_json_read(path, &root, err), done);
    RMX_TRY_GOTO(take_map(&t, path, NULL, root, err), done);
  } else {
    RMX_TRY_GOTO(rmx_yaml_read(path, &yaml, err), done);
    RMX_TRY_GOTO(take_map(&t, path, &yaml, yaml.root, err), done);
  }
  RMX_TRY_GOTO(rmx_mixture_check(t.w, D, names, 0.01, path, err), done);
  memcpy(w, t.w, D * sizeof(double));
done:
  if (yaml.root) rmx_yaml_release(&yaml);
  json_decref(root);
  free(t.w);
  free(t.seen);
  return status;
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
