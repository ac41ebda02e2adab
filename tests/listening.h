// SPDX-License-Identifier: Apache-2.0
/* listening.h: a listener that keeps what it hears, one line each, in `said`. forget() before each
 * part, and at the end. */
#ifndef RMX_TESTS_LISTENING_H
#define RMX_TESTS_LISTENING_H

#include <regmix/base.h>
#include <stdlib.h>

static char *said;
static inline void hear(void *context, const char *text) {
  (void)context;
  char *more = rmx_format("%s%s\n", said ? said : "", text);
  free(said);
  said = more;
}
static const rmx_listener listener = {.note = hear, .warn = hear};
static inline void forget(void) {
  free(said);
  said = NULL;
}

#endif
