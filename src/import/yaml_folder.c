// SPDX-License-Identifier: Apache-2.0
// Mixtures as the RegMix authors store them: a folder of n1.yaml, n2.yaml, ..., one run per file,
// with its weights in the map under `train:` (or `mixture:`, or at the top). The file's stem is the
// run's name.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <regmix/mixture.h>

#include "base/compare_names.h"
#include "base/json.h"
#include "base/path.h"
#include "formats.h"

int rmx__by_number(const void *a, const void *b) {
  const char *x = *(char *const *)a, *y = *(char *const *)b;
  return rmx__compare_names(x, y);
}

static size_t stem_length(const char *name) {
  size_t n = strlen(name);
  return n - (rmx__ends_in(name, ".yaml") ? 5 : rmx__ends_in(name, ".yml") ? 4 : 0);
}

static bool is_yaml(const char *name) {
  return stem_length(name) < strlen(name);
}

static bool sniff(const rmx__source *s) {
  if (s->cells || s->pattern) return false;
  if (!s->folder) return is_yaml(s->path);
  // A folder with both kinds of file is read as the requested kind.
  return s->options->what == RMX_IMPORT_MIXTURES;
}

typedef struct reading {
  const rmx__source *s;
  rmx_strings files, ids, domains;  // domains in the order in which they were found
  double *x;                        // of the current file, (domains.n)
  json_t **maps;                    // (files.n) domain: weight
} reading;

static const char *pick(json_t *root, json_t **map) {
  static const char *const under[] = {"train", "mixture"};
  for (size_t i = 0; i < 2; i++) {
    json_t *inner = json_object_get(root, under[i]);
    if (!json_is_object(inner)) continue;
    *map = inner;
    return under[i];
  }
  *map = root;
  return NULL;
}

static rmx_status add_domain(reading *r, const char *name, rmx_err *err) {
  return rmx_strings_have(&r->domains, name) || rmx_strings_add(&r->domains, name)
             ? RMX_OK
             : rmx_fail_memory(err, strlen(name), "domains");
}

// Checks and keeps the map of one file: every value must be a weight, and their sum 1.
static rmx_status take_file(reading *r, size_t f, rmx_err *err) {
  const char *path = r->files.items[f];
  RMX_OWNED_BY(rmx__yaml_release) rmx__yaml yaml = {0};
  RMX_TRY(rmx__yaml_read(path, &yaml, err));
  json_t *map, *value;
  const char *name, *key = pick(yaml.root, &map);
  RMX_OWNED double *w = NULL;
  RMX_OWNED const char **names = NULL;
  size_t n = 0, D = json_is_object(map) ? json_object_size(map) : 0;
  if (D == 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: wanted a map `domain: weight`, under `train:`, `mixture:` or at the top",
                    path);
  w = rmx_calloc(D, sizeof *w);
  names = rmx_calloc(D, sizeof *names);
  if (!w || !names) return rmx_fail_memory(err, D * sizeof *w, path);
  json_object_foreach(map, name, value) {
    if (!json_is_number(value)) {
      int line = rmx__yaml_line(&yaml, value);  // 0: unknown
      char at[16] = "";
      if (line > 0) snprintf(at, sizeof at, ":%d", line);
      return rmx_fail(err, RMX_EINPUT, "%s%s: the weight of \"%s\"%s%s is not a number", path, at,
                      name, key ? " under " : "", key ? key : "");
    }
    names[n] = name;
    w[n++] = json_number_value(value);
    RMX_TRY(add_domain(r, name, err));
  }
  RMX_TRY(rmx_mixture_check(w, D, names, r->s->options->any_sum ? INFINITY : 0.01, path, err));
  r->maps[f] = json_incref(map);
  return RMX_OK;
}

static rmx_status list_files(reading *r, rmx_err *err) {
  const rmx__source *s = r->s;
  rmx_strings names = {0};
  rmx_status status = RMX_OK;
  if (!s->folder)
    return rmx_strings_add(&r->files, s->path) ? RMX_OK : rmx_fail_memory(err, 64, s->path);
  RMX_TRY_GOTO(rmx_list(s->path, &names, err), done);
  if (names.n) qsort(names.items, names.n, sizeof *names.items, rmx__by_number);
  for (size_t i = 0; i < names.n; i++) {
    if (!is_yaml(names.items[i])) continue;
    char *path = rmx_path_in(s->path, names.items[i]);
    bool good = path && rmx_strings_add(&r->files, path);
    free(path);
    if (!good) status = rmx_fail_memory(err, 64, s->path);
    if (!good) goto done;
  }
  char *other = r->files.n == 0 && names.n ? rmx_path_in(s->path, names.items[0]) : NULL;
  if (other) status = rmx__refuse_text(other, err);
  free(other);
  if (r->files.n == 0 && status == RMX_OK)
    status = rmx_fail(
        err, RMX_EINPUT,
        "%s: no .yaml file in this folder; wanted one mixture per file (n1.yaml, ...)", s->path);
done:
  rmx_strings_release(&names);
  return status;
}

// Files of folders in the folder are not read: two of them may have one name.
static void tell_deeper(const reading *r) {
  const rmx__source *s = r->s;
  rmx_few deeper = {0};
  for (size_t i = 0; i < s->files.n; i++) {
    const char *inside = s->files.items[i] + strlen(s->path);
    inside += strspn(inside, "/");
    if (strchr(inside, '/') && is_yaml(inside)) rmx_few_add(&deeper, inside);
  }
  if (deeper.n)
    rmx_warn(s->listener,
             "%s: %zu YAML file%s in folders below it %s not read: %s; put all mixtures into one "
             "folder",
             s->path, deeper.n, rmx_s((double)deeper.n), rmx_is((double)deeper.n), deeper.text);
}

static rmx_status fill(reading *r, rmx_table *out, rmx_err *err) {
  size_t N = r->files.n, D = r->domains.n;
  RMX_TRY(rmx_table_make(out, "run", N, D, err));
  for (size_t d = 0; d < D; d++)
    if (!(out->names[d] = rmx_strdup(r->domains.items[d])))
      return rmx_fail_memory(err, 64, "domains");
  for (size_t i = 0; i < N; i++) {
    const char *name = rmx__file_name(r->files.items[i]);
    if (!(out->ids[i] = rmx_format("%.*s", (int)stem_length(name), name)))
      return rmx_fail_memory(err, 64, "runs");
    if (i > 0 && strcmp(out->ids[i], out->ids[i - 1]) == 0)
      return rmx_fail(err, RMX_EINPUT, "%s and %s are files of the same run; delete one of them",
                      r->files.items[i - 1], r->files.items[i]);
    out->lines[i] = 1;
    for (size_t d = 0; d < D; d++)
      out->x[i * D + d] = json_number_value(json_object_get(r->maps[i], r->domains.items[d]));
  }
  return RMX_OK;
}

static rmx_status read_yaml(const rmx__source *s, rmx_table *out, rmx_err *err) {
  if (s->options->what != RMX_IMPORT_MIXTURES)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: a YAML file contains a mixture, not metrics; wanted CSV or results of "
                    "lm-evaluation-harness",
                    s->path);
  if (s->options->n_columns)
    return rmx_fail(err, RMX_EUSAGE,
                    "%s: --mixture-columns chooses columns of a CSV; YAML mixtures have none",
                    s->path);
  reading r = {.s = s};
  rmx_status status = list_files(&r, err);
  if (status == RMX_OK && !(r.maps = rmx_calloc(r.files.n, sizeof *r.maps)))
    status = rmx_fail_memory(err, r.files.n, s->path);
  for (size_t f = 0; status == RMX_OK && f < r.files.n; f++) status = take_file(&r, f, err);
  if (status == RMX_OK) status = fill(&r, out, err);
  if (status == RMX_OK)
    rmx_note(s->listener, "%s: %zu mixture%s of %zu domain%s, one per YAML file", s->path, out->N,
             rmx_s(out->N), out->D, rmx_s(out->D));
  if (status == RMX_OK) tell_deeper(&r);
  for (size_t f = 0; r.maps && f < r.files.n; f++) json_decref(r.maps[f]);
  free(r.maps);
  rmx_strings_release(&r.files);
  rmx_strings_release(&r.domains);
  return status;
}

const rmx__table_format rmx__format_yaml = {
    .name = "yaml",
    .help = "a folder of YAML mixtures with one run per file",
    .sniff = sniff,
    .read = read_yaml,
};
