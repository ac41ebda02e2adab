// SPDX-License-Identifier: Apache-2.0
// What is printed on stdout: JSON and numbers.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static bool printed_json;

bool cli_printed_json(void) {
  return printed_json;
}

void cli_print_json(json_t *tree) {
  char *text = printed_json || !tree ? NULL : rmx_json_text(tree);
  if (text) {
    fputs(text, stdout);
    printed_json = true;
  }
  free(text);
  json_decref(tree);
}

json_t *cli_table_json(const rmx_table *t) {
  json_t *root = json_object();
  for (size_t i = 0; i < t->N; i++) {
    json_t *row = json_object();
    for (size_t j = 0; j < t->D; j++) {
      const double x = t->x[i * t->D + j];
      json_object_set_new(row, t->names[j], isfinite(x) ? json_real(x) : json_null());
    }
    json_object_set_new(root, t->ids[i], row);
  }
  return root;
}

const char *cli_number(double x, int digits, char form, char out[CLI_NUMBER]) {
  if (isnan(x))
    snprintf(out, CLI_NUMBER, "-");
  else if (form == 'f')
    snprintf(out, CLI_NUMBER, "%.*f", digits, x);
  else
    snprintf(out, CLI_NUMBER, "%.*g", digits, x);
  return out;
}

const char *cli_count(double x, char out[16]) {
  if (x >= 9.995e11)
    snprintf(out, 16, "%.3g T", x / 1e12);
  else if (x >= 9.995e8)
    snprintf(out, 16, "%.3g G", x / 1e9);
  else if (x >= 9.995e5)
    snprintf(out, 16, "%.3g M", x / 1e6);
  else if (x >= 1e4)
    snprintf(out, 16, "%.0f k", x / 1e3);
  else
    snprintf(out, 16, "%.0f", x);
  return out;
}

const char *cli_duration(double s, char out[32]) {
  if (s < 9.95)
    snprintf(out, 32, "%.1f s", s);
  else if (s < 90)
    snprintf(out, 32, "%.0f s", s);
  else if (s < 5400)
    snprintf(out, 32, "%d min %d s", (int)s / 60, (int)s % 60);
  else if (s < 2 * 86400.0)
    snprintf(out, 32, "%d h %d min", (int)(s / 3600), (int)(s / 60) % 60);
  else
    snprintf(out, 32, "%.1f days", s / 86400);
  return out;
}
