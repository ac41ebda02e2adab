// SPDX-License-Identifier: Apache-2.0
// Another program, called once: what it printed, and how it ended.
#ifndef RMX_BASE_CALL_H
#define RMX_BASE_CALL_H

#include <regmix/base.h>

struct rmx__reply {
  bool missing;    // there is no such program
  bool timed_out;  // it was killed, since it took too long
  int code;        // its exit code; 128 + the signal that ended it
  int signal;      // the signal that ended it; 0: it ended by itself
  rmx_buf text;    // its stdout; data is NULL where it printed nothing
  rmx_buf errors;  // its stderr
};
// Runs argv (NULL at its end; argv[0] is looked for in PATH) for `seconds` at most. An error is
// about this process: no memory, no pipe, RMX_EINTERRUPTED. Where it took too long or this process
// was asked to stop, the program and what it started are killed. Release the reply in any case.
rmx_status rmx__call(const char *const *argv, double seconds, struct rmx__reply *out, rmx_err *err);
// Whether PATH has such a program.
bool rmx__on_path(const char *program);
// The same as rmx__call, without the variables of the environment that `hidden` names.
rmx_status rmx__call_without(const char *const *argv, const rmx_strings *hidden, double seconds,
                             struct rmx__reply *out, rmx_err *err);
// Our environment without the variables that `hides` is true of, then `more` (n of them). The array
// alone is to be freed; NULL: memory is short.
char **rmx__environment(bool (*hides)(const char *variable, const void *of), const void *of,
                        char *const more[], size_t n);
void rmx__reply_release(struct rmx__reply *r);
// What it printed, or "".
const char *rmx__reply_text(const struct rmx__reply *r);
// The last line of its stderr, or what else says why it failed. Lasts as long as r.
const char *rmx__reply_why(struct rmx__reply *r);

#endif
