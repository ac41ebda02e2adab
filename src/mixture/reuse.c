// SPDX-License-Identifier: Apache-2.0
// A corpus of which only some domains changed: the others keep the ratios of an optimum that was
// found before, and become one virtual domain (Olmix, 2026).

#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"

void rmx_reuse_release(rmx_reuse *r) {
  rmx_strings_release(&r->members);
  free(r->name);
  free(r->ratio);
  *r = (rmx_reuse){0};
}

static rmx_status take_ratios(rmx_reuse *r, const char *path, json_t *map, rmx_err *err) {
  const char *member;
  json_t *value;
  double sum = 0;
  if (!(r->ratio = rmx_calloc(json_object_size(map) + 1, sizeof *r->ratio)))
    return rmx_fail_memory(err, json_object_size(map), "ratios");
  json_object_foreach(map, member, value) {
    const double x = json_number_value(value);
    if (!json_is_number(value) || !(x >= 0 && x <= 1))
      return rmx_fail(err, RMX_EINPUT, "%s: reuse: the ratio of \"%s\" is not a number from 0 to 1",
                      path, member);
    sum += r->ratio[r->members.n] = x;
    if (!rmx_strings_add(&r->members, member)) return rmx_fail_memory(err, 0, "a name");
  }
  if (!rmx__is_one(sum, 0.01))
    return rmx_fail(err, RMX_EINPUT, "%s: reuse: the ratios of \"%s\" sum to %g; wanted 1", path,
                    r->name, sum);
  for (size_t i = 0; i < r->members.n; i++) r->ratio[i] /= sum;
  return RMX_OK;
}

rmx_status rmx_reuse_read(const char *path, rmx_reuse *out, rmx_err *err) {
  const size_t n = strlen(path);
  RMX_OWNED_BY(rmx__yaml_release) rmx__yaml yaml = {0};
  *out = (rmx_reuse){0};
  if (n >= 4 && strcmp(path + n - 4, ".csv") == 0) return RMX_OK;  // a table has no ratios
  RMX_TRY(rmx__yaml_read(path, &yaml, err));
  json_t *reuse = json_object_get(yaml.root, "reuse");
  void *first = json_object_iter(reuse);
  if (!first) return RMX_OK;
  if (json_object_size(reuse) != 1 || !json_is_object(json_object_iter_value(first)))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: reuse: wanted one virtual domain with a map `domain: ratio`", path);
  out->name = rmx_strdup(json_object_iter_key(first));
  rmx_status status = out->name ? take_ratios(out, path, json_object_iter_value(first), err)
                                : rmx_fail_memory(err, n, "a name");
  if (status != RMX_OK) rmx_reuse_release(out);
  return status;
}

json_t *rmx_reuse_json(const rmx_reuse *r) {
  return json_pack("{s:o}", r->name,
                   rmx_mixture_json(r->ratio, (const char *const *)r->members.items, r->members.n));
}

// A number, or a list of numbers, times x.
static json_t *scaled(const json_t *value, double x) {
  if (json_is_number(value)) return json_real(x * json_number_value(value));
  json_t *list = json_array();
  for (size_t i = 0; i < json_array_size(value); i++)
    json_array_append_new(list, json_real(x * json_number_value(json_array_get(value, i))));
  return list;
}

json_t *rmx_reuse_expand(const rmx_reuse *r, const json_t *map) {
  json_t *out = json_object(), *value;
  const char *domain;
  json_object_foreach((json_t *)map, domain, value) {
    if (strcmp(domain, r->name) != 0) json_object_set(out, domain, value);
    for (size_t i = 0; i < r->members.n && strcmp(domain, r->name) == 0; i++)
      json_object_set_new(out, r->members.items[i], scaled(value, r->ratio[i]));
  }
  return out;
}

// A virtual domain with one member that has a weight.
static rmx_status rename_column(const rmx_reuse *r, size_t i, rmx_table *t, bool expand,
                                rmx_redomain_report *report, rmx_err *err) {
  const char *member = r->members.items[i];
  const rmx_redomain_options rules = {0};
  RMX_OWNED char *text = rmx_format("%s=%s", expand ? r->name : member, expand ? member : r->name);
  return text ? rmx_redomain(t, RMX_DOMAIN_RENAME, text, &rules, report, err)
              : rmx_fail_memory(err, 0, "a change of domains");
}

rmx_status rmx_reuse_table(const rmx_reuse *r, rmx_table *t, double tolerance,
                           rmx_redomain_report *report, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf text = {0};
  bool expand = false;
  size_t n = 0;
  for (size_t d = 0; d < t->D; d++) expand |= strcmp(t->names[d], r->name) == 0;
  rmx_buf_printf(&text, "%s=", r->name);
  for (size_t i = 0; i < r->members.n; i++)
    if (r->ratio[i] > 0 && r->ratio[i] < 1)
      rmx_buf_printf(&text, "%s%s:%.17g", n++ ? "," : "", r->members.items[i], r->ratio[i]);
  for (size_t i = 0; i < r->members.n; i++)
    if (r->ratio[i] == 1) return rename_column(r, i, t, expand, report, err);
  if (text.failed) return rmx_fail_memory(err, 0, "a change of domains");
  const rmx_redomain_options rules = {.tolerance = tolerance};
  return rmx_redomain(t, expand ? RMX_DOMAIN_SPLIT : RMX_DOMAIN_MERGE, text.data, &rules, report,
                      err);
}
