// SPDX-License-Identifier: Apache-2.0
// Recognises formats of tables that are not read. The error names the format and explains what to
// do. Without this a later error would be about something else.

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "formats.h"

// ---- by the first bytes ----

static bool is_number(const char *text, size_t n) {
  char word[64], *end;
  if (n == 0 || n >= sizeof word) return false;
  memcpy(word, text, n);
  word[n] = '\0';
  strtod(word, &end);
  return !*end;
}

// "0.3 path 0.7 path ...": the weights and prefixes of a Megatron blend, with blanks or line feeds
// between.
static bool is_blend(const char *text) {
  size_t words = 0, paths = 0;
  const char *end = text + strlen(text);
  while (*text) {
    size_t blank = strspn(text, " \t\r\n"), n = strcspn(text += blank, " \t\r\n");
    if (n == 0 || text + n == end) break;  // the last word may be truncated
    if (words % 2 == 0 ? !is_number(text, n) : is_number(text, n) || memchr(text, ',', n))
      return false;
    paths += words++ % 2;
    text += n;
  }
  return paths > 0;
}

rmx_status rmx__refuse_text(const char *path, rmx_err *err) {
  char head[4096];
  FILE *f = rmx_fopen(path, "rb");
  if (!f) return RMX_OK;  // the reader reports why
  size_t n = fread(head, 1, sizeof head - 1, f);
  fclose(f);
  head[n] = '\0';
  if (strlen(head) < n) return RMX_OK;
  const char *text = strncmp(head, "\xEF\xBB\xBF", 3) == 0 ? head + 3 : head;
  const char *start = text + strspn(text, " \t\r\n");
  if (*start == '{' || *start == '[')
    return rmx_fail(err, RMX_EINPUT,
                    "%s: this is JSON (objects in lines, or a list), which can't be read as a "
                    "table of runs; write it as CSV with one run per row and its name in the first "
                    "column. Results of lm-evaluation-harness must end in .json",
                    path);
  size_t header = strcspn(start, "\r\n");
  if (memchr(start, ',', header) == NULL && memchr(start, ';', header))
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: the columns are separated by semicolons; wanted commas, and decimal points in numbers "
        "(if there are no decimal commas: tr ';' ',' < old.csv > new.csv)",
        path);
  if (memchr(start, ',', header) == NULL && memchr(start, '\t', header) && !is_blend(start))
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: the columns are separated by tabs; wanted commas (tr '\\t' ',' < old.tsv > new.csv)",
        path);
  if (is_blend(start))
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: this is a Megatron blend (weight, path, weight, path, ...), which is one mixture and "
        "not a table of runs; write a CSV with one run per row and one column per domain",
        path);
  return RMX_OK;
}

// ---- by header and cells ----

static size_t column_among(const rmx_cells *c, const char *const *names) {
  for (; *names; names++)
    for (size_t j = 0; j < c->C; j++)
      if (strcasecmp(c->header[j], *names) == 0) return j;
  return SIZE_MAX;
}

// A chart of Weights & Biases has one column per run: "n1 - eval/loss" with its __MIN and __MAX.
static bool is_chart(const rmx_cells *c) {
  for (size_t j = 1; j < c->C; j++)
    if (strstr(c->header[j], " - ") &&
        (rmx__ends_in(c->header[j], "__MIN") || rmx__ends_in(c->header[j], "__MAX")))
      return true;
  if (c->C < 2 || strcasecmp(c->header[0], "Step") != 0) return false;
  for (size_t j = 1; j < c->C; j++)
    if (!strstr(c->header[j], " - ")) return false;
  return true;
}

// One row per run and domain: a column of names that repeat, and a column of values.
static bool is_long(const rmx_cells *c, const char **of, const char **value) {
  static const char *const keys[] = {"domain", "domains",   "source", "dataset",
                                     "metric", "metrics",   "task",   "variable",
                                     "key",    "benchmark", NULL};
  static const char *const values[] = {"weight",     "weights", "value",    "share",
                                       "proportion", "ratio",   "fraction", "loss",
                                       "score",      "result",  NULL};
  size_t k = column_among(c, keys), v = column_among(c, values);
  if (k == SIZE_MAX || v == SIZE_MAX || c->C > 8) return false;
  bool repeats = false;
  for (size_t i = 0; i < c->N; i++) {
    const char *key = c->cells[i * c->C + k];
    if (is_number(key, strlen(key))) return false;
    for (size_t e = 0; e < i && e < 1000 && !repeats; e++)
      repeats = strcmp(key, c->cells[e * c->C + k]) == 0 ||
                strcmp(c->cells[i * c->C], c->cells[e * c->C]) == 0;
  }
  *of = c->header[k];
  *value = c->header[v];
  return repeats;
}

rmx_status rmx__refuse_cells(const rmx__source *s, rmx_err *err) {
  const rmx_cells *c = s->cells;
  const char *of, *value;
  if (is_chart(c))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: this is the export of a Weights & Biases chart, with one column per run "
                    "(\"%.60s\"); export the table of runs instead, which has one run per row and "
                    "the columns Name and State",
                    s->path, c->header[1]);
  if (s->options->n_columns == 0 && is_long(c, &of, &value))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: this is a long table with one row for each run and %.60s; wanted one row "
                    "per run, with one column per %.60s that contains its %.60s",
                    s->path, of, of, value);
  return RMX_OK;
}
