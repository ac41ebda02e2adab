// SPDX-License-Identifier: Apache-2.0
// Prints JSON, text, tables and numbers on stdout.
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static bool printed_json;

bool cli_printed_json(void) {
  return printed_json;
}

void cli_print_json(json_t *tree) {
  char *text = printed_json || !tree ? NULL : rmx__json_dump(tree);
  if (text) {
    rmx_terminal_clear();
    fputs(text, stdout);
    printed_json = true;
  }
  free(text);
  json_decref(tree);
}

rmx_status cli_show(const cli *c, json_t *tree, void (*print)(const json_t *tree)) {
  if (c->common.json)
    cli_print_json(json_incref(tree));
  else
    print(tree);
  json_decref(tree);
  return RMX_OK;
}

double cli_get(const json_t *o, const char *key) {
  return json_number_value(json_object_get(o, key));
}

double cli_known(const json_t *o, const char *key) {
  const json_t *x = json_object_get(o, key);
  return json_is_number(x) ? json_number_value(x) : NAN;
}

const char *cli_text(const json_t *o, const char *key) {
  const char *value = json_string_value(json_object_get(o, key));
  return value ? value : "";
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

char *cli_vformat(const char *fmt, va_list args) {
  va_list again;
  va_copy(again, args);
  const int n = vsnprintf(NULL, 0, fmt, again);
  va_end(again);
  char *text = n < 0 ? NULL : rmx_calloc((size_t)n + 1, 1);
  if (text) vsnprintf(text, (size_t)n + 1, fmt, args);
  return text;
}

void cli_print(const char *fmt, ...) {
  static rmx_buf line;  // the beginning of one
  va_list args;
  va_start(args, fmt);
  RMX_OWNED char *text = cli_vformat(fmt, args);
  va_end(args);
  if (text) rmx_buf_puts(&line, text);
  if (!line.size || line.data[line.size - 1] != '\n') return;
  rmx_terminal_clear();
  rmx_print_wrapped(stdout, line.data, 0);
  rmx_buf_release(&line);
}

bool cli_is_stdout(const char *out) {
  return out && strcmp(out, CLI_STDOUT) == 0;
}

bool cli_means_stdout(const char *out) {
  static const char *const names[] = {"-", CLI_STDOUT, "/dev/stdout", "/proc/self/fd/1"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(out, names[i]) == 0) return true;
  return false;
}

void cli_print_text(const rmx_buf *text) {
  rmx_terminal_clear();
  RMX_OWNED char *shown =
      isatty(STDOUT_FILENO) ? rmx_format("%.*s", (int)text->size, text->data) : NULL;
  if (shown) rmx_make_printable(shown, "\n\t");
  if (shown)
    fputs(shown, stdout);
  else if (text->size)
    fwrite(text->data, 1, text->size, stdout);
}

rmx_status cli_print_table(const rmx_table *t, rmx_err *err) {
  if (!isatty(STDOUT_FILENO)) return rmx_csv_print(stdout, t, err);
  rmx_buf text = {0};
  FILE *f = open_memstream(&text.data, &text.size);
  rmx_status status = f ? rmx_csv_print(f, t, err) : rmx_fail_memory(err, 0, "a table");
  if (f && fclose(f) != 0) status = rmx_fail_memory(err, 0, "a table");
  if (status == RMX_OK) cli_print_text(&text);
  free(text.data);
  return status;
}
