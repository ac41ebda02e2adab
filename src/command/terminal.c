// SPDX-License-Identifier: Apache-2.0
// Prints progress on stderr. On a terminal it is one line that is drawn again, with the time left
// first and not wider than the terminal. In a file it is a plain line from time to time.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <regmix/command.h>

enum { LINE = 512 };
// seconds between the lines of a log
static const double FIRST = 10, SPACING = 30, GROWTH = 1.5, WIDEST = 300;

static struct {
  bool terminal, color, quiet, verbose, shown;
  char step[64];  // "step 3 of 7: "
  char what[64];
  double began, began_done, drawn, next, spacing;
} state;

// ---- the line

// Adds a part, with two blanks before it, if it fits; false: it does not, so less important parts
// must be left out too.
static bool add_part(char line[LINE], const char *part, int room) {
  if (!*part) return true;
  const int have = rmx_columns(line), gap = have ? 2 : 0;
  const size_t bytes = strlen(line);
  if (have + gap + rmx_columns(part) > room || bytes + 2 + strlen(part) >= LINE) return false;
  sprintf(line + bytes, "%*s%s", gap, "", part);
  return true;
}

// "12 of 32 runs done, 2 running": its parts one by one.
static void add_detail(char line[LINE], const char *detail, int room) {
  char part[128];
  while (*detail) {
    const char *comma = strstr(detail, ", ");
    const size_t n = comma ? (size_t)(comma - detail) : strlen(detail);
    snprintf(part, sizeof part, "%.*s", (int)n, detail);
    if (!add_part(line, part, room)) return;
    detail += n + (comma ? 2 : 0);
  }
}

static void draw(const char *what, const char *left, const char *percent, const char *detail) {
  const int room = rmx_terminal_columns(STDERR_FILENO) - 1;  // a full line would wrap
  char line[LINE] = "", head[160], cut[RMX_CUT];
  snprintf(head, sizeof head, "%s%s", state.step, what);
  // On a narrow terminal the time left matters more than the name of the step.
  if (!(rmx_columns(head) + 2 + rmx_columns(*left ? left : percent) <= room &&
        add_part(line, head, room)) &&
      *left)
    add_part(line, left, room);
  else
    add_part(line, left, room);
  if (add_part(line, percent, room)) add_detail(line, detail, room);
  if (!*line && room >= 4) snprintf(line, sizeof line, "%s", rmx_cut(head, room, cut));
  fprintf(stderr, "\r\033[K%s", line);
  fflush(stderr);
  state.shown = true;
}

static void log_line(const char *what, const char *left, const char *percent, const char *detail,
                     double elapsed) {
  char time[32];
  fprintf(stderr, "%s%s: %s, %s; %s gone%s%s\n", state.step, what, percent, detail,
          rmx_duration(elapsed, time), *left ? ", " : "", left);
  fflush(stderr);
}

// ETAs to the second would only flicker.
static const char *about(double s, char out[32]) {
  if (s < 90)
    snprintf(out, 32, "%.0f s", s < 1 ? 1 : s);
  else if (s < 5400)
    snprintf(out, 32, "%.0f min", s / 60);
  else if (s < 2 * 86400.0)
    snprintf(out, 32, "%d h %d min", (int)(s / 3600), (int)(s / 60) % 60);
  else
    snprintf(out, 32, "%.1f days", s / 86400);
  return out;
}

static void begin(const char *what, double done, double now) {
  snprintf(state.what, sizeof state.what, "%s", what);
  state.began = now;
  state.began_done = done;
  state.next = now + FIRST;
  state.spacing = SPACING;
}

// ---- files, for -v

// Files are opened in any thread, but only the main thread prints. So they wait in a list for its
// next message. Each file is listed once for reading and once for writing.
static struct {
  pthread_mutex_t lock;
  rmx_strings waiting;
  uint64_t listed[1 << 14];  // hashes, in an open hash table that is never full
  size_t n;
} files = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool is_new(uint64_t hash) {
  const size_t size = sizeof files.listed / sizeof *files.listed;
  size_t at = hash % size;
  for (; files.listed[at]; at = (at + 1) % size)
    if (files.listed[at] == hash) return false;
  if (files.n > size / 2) return false;
  files.listed[at] = hash;
  files.n++;
  return true;
}

static void take_file(const char *path, bool wrote) {
  if (strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/sys/", 5) == 0) return;
  if (strstr(path, "/.regmix.")) return;  // will get its name
  pthread_mutex_lock(&files.lock);
  char *line = is_new(rmx_hash_string(path, 1 + wrote) | 1)
                   ? rmx_format("%s %s", wrote ? "wrote" : "read", path)
                   : NULL;
  if (line) rmx_strings_add(&files.waiting, line);
  free(line);
  pthread_mutex_unlock(&files.lock);
}

static void show_files(void) {
  if (!state.verbose) return;
  pthread_mutex_lock(&files.lock);
  if (files.waiting.n) rmx_terminal_clear();
  for (size_t i = 0; i < files.waiting.n; i++) fprintf(stderr, "%s\n", files.waiting.items[i]);
  rmx_strings_release(&files.waiting);
  pthread_mutex_unlock(&files.lock);
}

// ---- progress

static void show_progress(void *context, const char *what, double done, double total,
                          const char *unit, const char *detail) {
  (void)context;
  if (state.quiet) return;
  show_files();
  const double now = rmx_now();
  if (strncmp(state.what, what, sizeof state.what - 1) != 0 || done < state.began_done)
    begin(what, done, now);
  if (state.terminal ? now - state.drawn < 0.2 : now < state.next) return;
  state.drawn = now;
  char left[48] = "", percent[16], counts[64], time[32], a[16], b[16];
  const double elapsed = now - state.began, gone = done - state.began_done;
  if (elapsed > 1 && gone > 0 && total > done)
    snprintf(left, sizeof left, "%s left", about(elapsed * (total - done) / gone, time));
  snprintf(percent, sizeof percent, "%.0f %%", total > 0 ? 100 * done / total : 0.0);
  snprintf(counts, sizeof counts, "%s of %s %s", rmx_count(done, a), rmx_count(total, b), unit);
  if (state.terminal) {
    draw(what, left, percent, detail && *detail ? detail : counts);
    return;
  }
  log_line(what, left, percent, detail && *detail ? detail : counts, elapsed);
  state.next = now + state.spacing;
  state.spacing = state.spacing * GROWTH < WIDEST ? state.spacing * GROWTH : WIDEST;
}

void rmx_terminal_clear(void) {
  if (!state.shown) return;
  fputs("\r\033[K", stderr);
  fflush(stderr);
  state.shown = false;
}

static void show_part(void *context, const char *noun, size_t i, size_t n) {
  (void)context;
  state.step[0] = state.what[0] = '\0';
  if (n > 1) snprintf(state.step, sizeof state.step, "%s %zu of %zu: ", noun, i, n);
}

// ---- notes and warnings

static void print_line(const char *head, const char *message) {
  RMX_OWNED char *line = rmx_format("%s\n", message);
  rmx_terminal_clear();
  fputs(head, stderr);
  if (line) rmx_print_wrapped(stderr, line, *head ? (int)strlen("warning: ") : 0);
}

static void say(void *context, const char *message) {
  (void)context;
  if (state.quiet) return;
  show_files();
  print_line("", message);
}

static void caution(void *context, const char *message) {
  (void)context;
  show_files();
  print_line(state.color ? "\033[33mwarning:\033[0m " : "warning: ", message);
}

static void show_detail(void *context, const char *message) {
  (void)context;
  if (!state.verbose) return;
  show_files();
  print_line("", message);
}

rmx_listener rmx_terminal(bool quiet, bool verbose) {
  const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
  const bool terminal = isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
  state.terminal = terminal;
  state.color = terminal && !(no_color && *no_color);
  state.quiet = quiet;
  state.verbose = verbose && !quiet;
  if (state.verbose) rmx_on_file(take_file);
  return (rmx_listener){NULL, show_progress, say, caution, show_part, show_detail};
}
