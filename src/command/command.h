// SPDX-License-Identifier: Apache-2.0
// Functions that help and man pages share.
#ifndef RMX_COMMAND_COMMAND_H
#define RMX_COMMAND_COMMAND_H

#include <regmix/command.h>

#include "base/json.h"

// The placeholder of an option's value: "FILE", "N"; "" for a flag.
const char *rmx__metavariable(const rmx_option *o);
/* The default to print after the help; NULL where there is none, or the help names it. */
const char *rmx__default_of(const rmx_option *o, const char *initial);

// The two parts of a command's text; free() both. NULL: there is none, or out of memory.
typedef struct rmx__texts {
  char *about;     // a paragraph a line; blank lines between
  char *examples;  // as they are written
} rmx__texts;
rmx__texts rmx__texts_of(const rmx_program *p, const rmx_command *c);

#endif
