// SPDX-License-Identifier: Apache-2.0
// One rank: there is no other one to send to.
#include <string.h>

#include "comm.h"

static void gather(rmx_comm *c, const void *mine, size_t bytes, void *all) {
  memcpy(all, mine, bytes);
}

static void broadcast(rmx_comm *c, void *data, size_t bytes, bool idle) {}

static void start(rmx_comm *c, struct rmx__transfer *t, int place) {}

static bool done(rmx_comm *c, struct rmx__transfer *t, int place) {
  return true;
}

static void pause_serial(rmx_comm *c) {}

static void close_serial(rmx_comm *c) {}

static void abort_serial(rmx_comm *c, int code) {}

static const struct rmx__comm_type serial = {
    "serial", gather, broadcast, start, done, pause_serial, close_serial, abort_serial,
};

rmx_comm *rmx__comm_of(rmx_comm *c) {
  static rmx_comm alone = {.type = &serial, .size = 1};
  return c ? c : &alone;
}
