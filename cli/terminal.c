// SPDX-License-Identifier: Apache-2.0
// What a person sees on stderr.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"

static struct {
  bool terminal, quiet, line_shown;
  char what[64];
  double began, began_done, shown;
} state;

static int columns(void) {
  struct winsize size;
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

void cli_clear_progress(void) {
  if (!state.line_shown) return;
  fputs("\r\033[K", stderr);
  fflush(stderr);
  state.line_shown = false;
}

static void show_progress(void *context, const char *what, double done, double total, const char *unit,
                          const char *detail) {
  (void)context;
  if (!state.terminal || state.quiet) return;
  double now = rmx_now();
  if (strncmp(state.what, what, sizeof state.what - 1) != 0) {
    snprintf(state.what, sizeof state.what, "%s", what);
    state.began = now;
    state.began_done = done;
  }
  if (now - state.shown < 0.2) return;
  state.shown = now;
  char left[48] = "", line[512], time_left[32], a[16], b[16];
  double elapsed = now - state.began, gone = done - state.began_done;
  if (elapsed > 1.0 && gone > 0 && total > done)
    snprintf(left, sizeof left, ", %s left", cli_duration(elapsed * (total - done) / gone, time_left));
  snprintf(line, sizeof line, "%s: %3.0f %% (%s of %s %s)%s%s%s", what, total > 0 ? 100.0 * done / total : 0.0,
           cli_count(done, a), cli_count(total, b), unit, detail ? ", " : "", detail ? detail : "", left);
  fprintf(stderr, "\r\033[K%.*s", columns() - 1, line);
  fflush(stderr);
  state.line_shown = true;
}

static void say(void *context, const char *message) {
  (void)context;
  if (state.quiet) return;
  cli_clear_progress();
  fprintf(stderr, "%s\n", message);
}

static void caution(void *context, const char *message) {
  (void)context;
  cli_clear_progress();
  fprintf(stderr, state.terminal ? "\033[33mwarning:\033[0m %s\n" : "warning: %s\n", message);
}

rmx_listener cli_terminal(const cli_common *common) {
  const char *term = getenv("TERM");
  state.terminal = isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0);
  state.quiet = common->quiet;
  return (rmx_listener){NULL, show_progress, say, caution};
}

static bool printed_json;

bool cli_printed_json(void) { return printed_json; }

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

int cli_width(char *const *names, size_t n, int least) {
  for (size_t i = 0; i < n; i++)
    if ((int)strlen(names[i]) > least) least = (int)strlen(names[i]);
  return least;
}

const char *cli_number(double x, int digits, char form, char out[CLI_NUMBER]) {
  if (isnan(x)) snprintf(out, CLI_NUMBER, "-");
  else if (form == 'f') snprintf(out, CLI_NUMBER, "%.*f", digits, x);
  else snprintf(out, CLI_NUMBER, "%.*g", digits, x);
  return out;
}

const char *cli_count(double x, char out[16]) {
  if (x >= 9.995e11) snprintf(out, 16, "%.3g T", x / 1e12);
  else if (x >= 9.995e8) snprintf(out, 16, "%.3g G", x / 1e9);
  else if (x >= 9.995e5) snprintf(out, 16, "%.3g M", x / 1e6);
  else if (x >= 1e4) snprintf(out, 16, "%.0f k", x / 1e3);
  else snprintf(out, 16, "%.0f", x);
  return out;
}

const char *cli_duration(double s, char out[32]) {
  if (s < 9.95) snprintf(out, 32, "%.1f s", s);
  else if (s < 90) snprintf(out, 32, "%.0f s", s);
  else if (s < 5400) snprintf(out, 32, "%d min %d s", (int)s / 60, (int)s % 60);
  else if (s < 2 * 86400.0) snprintf(out, 32, "%d h %d min", (int)(s / 3600), (int)(s / 60) % 60);
  else snprintf(out, 32, "%.1f days", s / 86400);
  return out;
}

void cli_print_version(bool json) {
  if (json) cli_print_json(json_pack("{s:s}", "version", rmx_version()));
  else printf("regmix %s\n", rmx_version());
}
