// SPDX-License-Identifier: Apache-2.0
// A question, and the table of what can be asked.
#ifndef RMX_ASK_ASK_H
#define RMX_ASK_ASK_H

#include <regmix/ask.h>
#include <regmix/command.h>
#include <regmix/requests.h>

#include "base/json.h"
#include "base/kept.h"

struct rmx_ask {
  const struct rmx__ask_kind *kind;
  void *own;                            // what the options of the command fill
  rmx_strings settings;                 // of the config: "key=value"
  rmx_strings how;                      // options of the search, as settings of its section
  const rmx_table *mixtures, *metrics;  // borrowed; NULL: none
  rmx__outputs outputs;                 // the names that were given for what is written
  rmx_pipeline pipeline;                // of no experiment
};

typedef struct rmx__ask_kind {
  rmx_command command;  // its options; `run` is not used
  rmx_status (*answer)(rmx_ask *a, json_t **out, rmx_err *err);
} rmx__ask_kind;
extern const rmx__ask_kind rmx__ask_kinds[];
extern const size_t rmx__ask_kinds_n;

#endif
