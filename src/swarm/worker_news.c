// SPDX-License-Identifier: Apache-2.0
// What workers print while they train, and the progress of all of them.
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "supervisor.h"

static void mark_begun(const rmx__supervisor *s, rmx__worker *w, const char *name) {
  for (size_t i = 0; i < w->n; i++)
    if (strcmp(s->runs[w->runs[i]].name, name) == 0) w->begun[i] = true;
}

// A line is how far it is, "! " and a warning, or "+ " and a run that it begins.
static void hear(const rmx__supervisor *s, rmx__worker *w, const char *line) {
  long long step, steps, tokens;
  double loss, rate;
  if (line[0] == '+') mark_begun(s, w, line + 1 + (line[1] == ' '));
  if (line[0] == '!')
    rmx_warn(s->listener, "run %s: %s", s->runs[w->runs[0]].name, line + 1 + (line[1] == ' '));
  if (sscanf(line, "%lld %lld %lld %lf %lf", &step, &steps, &tokens, &loss, &rate) == 5) {
    w->tokens = (double)tokens;
    w->tokens_per_s = rate;
  }
}

void rmx__listen_to(const rmx__supervisor *s, rmx__worker *w) {
  char block[RMX__LINE];
  ssize_t n;
  while ((n = read(w->out, block, sizeof block)) > 0)
    for (ssize_t i = 0; i < n; i++) {
      if (block[i] == '\n') {
        w->line[w->line_size] = '\0';
        hear(s, w, w->line);
        w->line_size = 0;
      } else if (w->line_size + 1 < RMX__LINE) {
        w->line[w->line_size++] = block[i];
      }
    }
  while ((n = read(w->errors, block, sizeof block)) > 0)
    for (ssize_t i = 0; i < n; i++) {
      // Only the last words are kept: they say why it failed.
      if (w->last_stderr_size + 1 == RMX__LINE) {
        memmove(w->last_stderr, w->last_stderr + RMX__LINE / 2, RMX__LINE / 2);
        w->last_stderr_size -= RMX__LINE / 2;
      }
      w->last_stderr[w->last_stderr_size++] = block[i] == '\n' ? ' ' : block[i];
    }
  w->last_stderr[w->last_stderr_size] = '\0';
}

void rmx__tell_progress(rmx__supervisor *s) {
  double tokens = s->tokens_done, rate = 0.0;
  size_t running = 0;
  for (int i = 0; i < s->options->jobs; i++) {
    if (!s->workers[i].pid) continue;
    tokens += s->workers[i].tokens;
    rate += s->workers[i].tokens_per_s;
    running += s->workers[i].n ? s->workers[i].n : 1;
  }
  size_t ended = s->outcome->done + s->outcome->diverged + s->outcome->failed;
  char detail[128];
  snprintf(detail, sizeof detail, "%zu of %zu run%s done, %zu running, %.0f k tokens/s",
           ended + s->outcome->skipped, s->n, rmx_s(s->n), running, rate / 1e3);
  rmx_progress(s->listener, s->options->what, tokens, s->tokens_all, "tokens", detail);
}

void rmx__wait_a_little(rmx__supervisor *s) {
  struct pollfd ends[2 * RMX__MAX_JOBS];
  nfds_t n = 0;
  for (int i = 0; i < s->options->jobs; i++)
    if (s->workers[i].pid) {
      ends[n++] = (struct pollfd){.fd = s->workers[i].out, .events = POLLIN};
      ends[n++] = (struct pollfd){.fd = s->workers[i].errors, .events = POLLIN};
    }
  poll(ends, n, 100);
  bool closing = false;
  for (nfds_t i = 0; i < n; i++) closing = closing || (ends[i].revents & POLLHUP);
  if (closing) usleep(1000);  // about to end: do not spin until it is gone
  for (int i = 0; i < s->options->jobs; i++)
    if (s->workers[i].pid) rmx__listen_to(s, &s->workers[i]);
}
