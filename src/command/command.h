// SPDX-License-Identifier: Apache-2.0
// What help and man pages share.
#ifndef RMX_COMMAND_COMMAND_H
#define RMX_COMMAND_COMMAND_H

#include <regmix/command.h>

#include "base/json.h"

// What stands for the value of an option: "FILE", "N"; "" for a flag.
const char *rmx__metavariable(const rmx_option *o);

#endif
