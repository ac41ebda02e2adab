// SPDX-License-Identifier: Apache-2.0
// The options of a command: its own, and those that the library has in a table.

#include <math.h>
#include <regmix/command.h>
#include <regmix/optimize.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 64, MAX_KEY = 24 };

static bool is_how(const rmx_option *row) {
  return row->offset < offsetof(rmx_search_options, problem);
}

// `guard` is given as --no-guard, an option of the command's own.
static bool takes(const rmx_command *c, const rmx_option *row) {
  return is_how(row) ? c->how_at && strcmp(row->key, "guard") != 0 : c->problem_at != 0;
}

// A row of the library's table as an option; key (MAX_KEY) holds its name.
static rmx_option as_option(const rmx_command *c, const rmx_option *row, char *key) {
  rmx_option o = *row;
  snprintf(key, MAX_KEY, "%s", row->key);
  for (char *p = key; (p = strchr(p, '_')) != NULL;) *p = '-';
  o.key = key;
  if (is_how(row)) {
    o.offset = c->how_at + row->offset;
    return o;
  }
  o.offset = c->problem_at + row->offset - offsetof(rmx_search_options, problem);
  if (o.type == RMX_REAL) {
    // 0 stands for what is not given: it cannot take back what the config says.
    o.initial = NULL;
    o.min = fmax(o.min, 1e-9);
  }
  if (o.type == RMX_CHOICE) o.initial = NULL;
  return o;
}

const rmx_option *rmx_command_options(const rmx_command *c, size_t *n) {
  static _Thread_local const rmx_command *of;
  static _Thread_local rmx_option table[MAX_OPTIONS];
  static _Thread_local char keys[MAX_OPTIONS][MAX_KEY];
  static _Thread_local size_t filled;
  *n = c->n_options;
  if (!c->problem_at) return c->options;
  if (of != c) {
    of = c;
    for (filled = 0; filled < c->n_options; filled++) table[filled] = c->options[filled];
    for (size_t i = 0; i < rmx_search_option_table_n && filled < MAX_OPTIONS; i++)
      if (takes(c, &rmx_search_option_table[i])) {
        table[filled] = as_option(c, &rmx_search_option_table[i], keys[filled]);
        filled++;
      }
  }
  *n = filled;
  return table;
}

static bool names_place(const rmx_option *o) {
  return o->choices && (strcmp(o->choices, "FILE") == 0 || strcmp(o->choices, "DIR") == 0);
}

// Often this is an unset variable of a script: --out "$OUT".
rmx_status rmx_check_place(const rmx_option *o, const char *value, rmx_err *err) {
  if (*value || !names_place(o)) return RMX_OK;
  return rmx_fail(err, RMX_EUSAGE, "--%s \"\": the value is empty; wanted a %s", o->key,
                  o->choices);
}

bool rmx_names_output(const rmx_option *o) {
  static const char *const written[] = {"out", "per-item", "train-classifier"};
  if (!names_place(o)) return false;
  for (size_t i = 0; i < sizeof written / sizeof *written; i++)
    if (strcmp(o->key, written[i]) == 0) return true;
  return false;
}

rmx_status rmx_command_keep_how(const rmx_command *c, const rmx_option *o, const char *value,
                                rmx_strings *how, rmx_err *err) {
  const size_t at = c->how_at;
  if (!at || o->offset < at || o->offset >= at + sizeof(rmx_optimize_options)) return RMX_OK;
  RMX_OWNED char *text = rmx_format("%s=%s", o->key, value);
  const bool good = text && rmx_strings_add(how, text);
  return good ? RMX_OK : rmx_fail_memory(err, 0, "the command line");
}
