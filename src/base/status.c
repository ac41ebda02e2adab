// SPDX-License-Identifier: Apache-2.0
// Status, errors, the wish to stop, and what the library tells its caller.
#include <errno.h>
#include <regmix/base.h>
#include <string.h>
#include <time.h>

const char *rmx_version(void) {
  return REGMIX_VERSION;  // meson.build defines it
}

rmx_status rmx_fail(rmx_err *err, rmx_status status, const char *fmt, ...) {
  // The arguments may point into err->message, so the text is made beside it.
  char text[sizeof err->message];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  // names and values in it are other people's, and a long text may end within a character
  rmx_make_printable(text, "\n\t");
  memcpy(err->message, text, sizeof text);
  err->status = status;
  err->os_error = 0;
  return status;
}

rmx_status rmx_fail_errno(rmx_err *err, const char *fmt, ...) {
  int number = errno;
  char text[sizeof err->message];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  const char *advice = number == ENOSPC || number == EDQUOT
                           ? "; free some space and run the same command again"
                           : "";
  rmx_fail(err, RMX_EIO, "%s: %s%s", text, strerror(number), advice);
  err->os_error = number;
  return RMX_EIO;
}

rmx_status rmx_fail_in(rmx_err *err, const char *fmt, ...) {
  char text[sizeof err->message];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  const int number = err->os_error;
  rmx_fail(err, err->status, "%s: %s", text, err->message);
  err->os_error = number;
  return err->status;
}

rmx_status rmx_fail_memory(rmx_err *err, size_t bytes, const char *for_what) {
  return rmx_fail(err, RMX_ENOMEM, "no memory for %s (%.1f MB)", for_what, (double)bytes / 1e6);
}

static atomic_bool stop_wanted;

void rmx_interrupt(void) {
  atomic_store(&stop_wanted, true);
}
void rmx_uninterrupt(void) {
  atomic_store(&stop_wanted, false);
}
bool rmx_interrupted(void) {
  return atomic_load(&stop_wanted);
}

void rmx_progress(const rmx_listener *to, const char *what, double done, double total,
                  const char *unit, const char *detail) {
  if (to && to->progress) to->progress(to->context, what, done, total, unit, detail);
}

static void send(const rmx_listener *to, void (*take)(void *, const char *), const char *fmt,
                 va_list args) {
  char text[1024];
  if (!take) return;
  vsnprintf(text, sizeof text, fmt, args);
  rmx_make_printable(text, "\n\t");
  take(to->context, text);
}

void rmx_note(const rmx_listener *to, const char *fmt, ...) {
  if (!to) return;
  va_list args;
  va_start(args, fmt);
  send(to, to->note, fmt, args);
  va_end(args);
}

void rmx_warn(const rmx_listener *to, const char *fmt, ...) {
  if (!to) return;
  va_list args;
  va_start(args, fmt);
  send(to, to->warn, fmt, args);
  va_end(args);
}

void rmx_part(const rmx_listener *to, const char *noun, size_t i, size_t n) {
  if (to && to->part) to->part(to->context, noun, i, n);
}

void rmx_detail(const rmx_listener *to, const char *fmt, ...) {
  if (!to) return;
  va_list args;
  va_start(args, fmt);
  send(to, to->detail, fmt, args);
  va_end(args);
}

double rmx_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
