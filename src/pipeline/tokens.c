// SPDX-License-Identifier: Apache-2.0
// Reads the number of available tokens of each domain from a file.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "steps.h"

static rmx_status add_count(const char *path, int line, const char *domain, const char *text,
                            rmx_strings *domains, double *count, rmx_err *err) {
  char where[256];
  snprintf(where, sizeof where, "%s:%d: tokens of \"%s\"", path, line, domain);
  RMX_TRY(rmx_parse_real(text, where, count, err));
  if (!(*count > 0) || !isfinite(*count))
    return rmx_fail(err, RMX_EINPUT, "%s: %s; wanted more than 0", where, text);
  return rmx_strings_add(domains, domain) ? RMX_OK : rmx_fail_memory(err, strlen(domain), "a name");
}

// Whether the header of a column names something else than tokens, or their unit.
static bool is_no_tokens(const char *header) {
  static const char *const words[] = {"doc",   "byte",  "char",  "word",  "weight",
                                      "share", "ratio", "epoch", "file",  "sampl",
                                      "line",  "size",  "(",     "illion"};
  for (size_t k = 0; k < sizeof words / sizeof *words; k++)
    if (strcasestr(header, words[k])) return true;
  return false;
}

// Two columns, or one named "tokens".
static rmx_status read_csv(const char *path, rmx_strings *domains, double **tokens, rmx_err *err) {
  RMX_OWNED_BY(rmx_cells_release) rmx_cells t = {0};
  RMX_TRY(rmx_csv_cells(path, &t, err));
  size_t column = 1;
  for (size_t c = 1; c < t.C; c++)
    if (strcmp(t.header[c], "tokens") == 0) column = c;
  if (t.N == 0 || t.C < 2 || (t.C > 2 && strcmp(t.header[column], "tokens") != 0))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: wanted two columns, domain and tokens (or one headed \"tokens\"), got %zu",
                    path, t.C);
  if (is_no_tokens(t.header[column]))
    return rmx_fail(err, RMX_EINPUT,
                    "%s:1: the column \"%.60s\" does not look like tokens; if it has them, name it "
                    "\"tokens\", and write the numbers with their unit, as in 1.2G",
                    path, t.header[column]);
  if (!(*tokens = rmx_calloc(t.N, sizeof **tokens)))
    return rmx_fail_memory(err, t.N * sizeof **tokens, "token counts");
  for (size_t i = 0; i < t.N; i++)
    RMX_TRY(add_count(path, t.lines[i], t.cells[i * t.C], t.cells[i * t.C + column], domains,
                      &(*tokens)[i], err));
  return RMX_OK;
}

static rmx_status read_map(const char *path, rmx_strings *domains, double **tokens, rmx_err *err) {
  rmx__yaml yaml = {0};
  RMX_TRY(rmx__yaml_read(path, &yaml, err));
  rmx_status status = RMX_OK;
  size_t i = 0;
  const char *domain;
  json_t *value;
  if (!json_is_object(yaml.root) || json_object_size(yaml.root) == 0)
    status = rmx_fail(err, RMX_EINPUT, "%s: wanted a map, domain: tokens", path);
  else if ((*tokens = rmx_calloc(json_object_size(yaml.root), sizeof **tokens)) == NULL)
    status = rmx_fail_memory(err, json_object_size(yaml.root) * sizeof **tokens, "token counts");
  if (status == RMX_OK)
    json_object_foreach(yaml.root, domain, value) {
      char *text = json_is_string(value) ? rmx_strdup(json_string_value(value))
                                         : json_dumps(value, JSON_ENCODE_ANY);
      status = text ? add_count(path, rmx__yaml_line(&yaml, value), domain, text, domains,
                                &(*tokens)[i++], err)
                    : rmx_fail_memory(err, 64, "a token count");
      free(text);
      if (status != RMX_OK) break;
    }
  rmx__yaml_release(&yaml);
  return status;
}

rmx_status rmx_tokens_read(const char *path, rmx_strings *domains, double **tokens, rmx_err *err) {
  size_t length = strlen(path);
  bool csv = length > 4 && strcmp(path + length - 4, ".csv") == 0;
  *tokens = NULL;
  *domains = (rmx_strings){0};
  rmx_status status =
      csv ? read_csv(path, domains, tokens, err) : read_map(path, domains, tokens, err);
  if (status == RMX_OK) return RMX_OK;
  free(*tokens);
  *tokens = NULL;
  rmx_strings_release(domains);
  return status;
}

rmx_status rmx_tokens_by_domain(const rmx_listener *to, const char *path,
                                const char *const *domains, size_t D, double *tokens,
                                rmx_err *err) {
  rmx_strings names;
  double *counts;
  RMX_TRY(rmx_tokens_read(path, &names, &counts, err));
  size_t *index = rmx_calloc(names.n, sizeof *index);
  rmx_status status = index ? rmx_match_names("domain", (const char *const *)names.items, names.n,
                                              domains, D, index, err)
                            : rmx_fail_memory(err, names.n * sizeof *index, "token counts");
  if (status != RMX_OK) rmx_fail_in(err, "%s", path);
  rmx_few others = {0};
  for (size_t d = 0; d < D; d++) tokens[d] = NAN;
  for (size_t i = 0; i < names.n && status == RMX_OK; i++) {
    if (index[i] < D)
      tokens[index[i]] = counts[i];
    else
      rmx_few_add(&others, names.items[i]);
  }
  for (size_t d = 0; d < D && status == RMX_OK; d++)
    if (isnan(tokens[d]))
      status = rmx_fail(err, RMX_EINPUT, "%s: no token count for domain \"%s\"%s%s%s", path,
                        domains[d], others.n ? "; it has one for " : "", others.text,
                        others.n ? ", which is not a domain" : "");
  if (status == RMX_OK && others.n)
    rmx_note(to, "%s: %zu name%s not a domain and ignored: %s", path, others.n,
             others.n == 1 ? " is" : "s are", others.text);
  free(index);
  free(counts);
  rmx_strings_release(&names);
  return status;
}
