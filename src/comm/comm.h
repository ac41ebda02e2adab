// SPDX-License-Identifier: Apache-2.0
// comm.h: the table of functions of an implementation, and what is made of them. All ranks call
// them in the same order. A failure of the network ends the program, as MPI does.
#ifndef RMX_COMM_COMM_H
#define RMX_COMM_COMM_H

#include <regmix/comm.h>

// Floats that go to a rank, or come from it; n = 0: none.
struct rmx__piece {
  float *data;
  size_t n;
};
// A transfer that is under way: `out` (size) and `in` (size), by rank. The own ones are not used.
struct rmx__transfer {
  const struct rmx__piece *out, *in;
  void *state;  // of the implementation
};

struct rmx__comm_type {
  const char *name;
  // all (size, bytes): what each rank gives, in the order of the ranks.
  void (*gather)(rmx_comm *c, const void *mine, size_t bytes, void *all);
  // Rank 0 gives `data` to the others. `idle`: it may come in hours.
  void (*broadcast)(rmx_comm *c, void *data, size_t bytes, bool idle);
  // Starts a transfer, and looks whether it is done: both return at once. All ranks start their
  // transfers in the same order. place: from 0 to RMX__TRANSFERS - 1; no two transfers under way
  // have the same.
  void (*start)(rmx_comm *c, struct rmx__transfer *t, int place);
  bool (*done)(rmx_comm *c, struct rmx__transfer *t, int place);
  // Between two looks at a transfer that is not done.
  void (*pause)(rmx_comm *c);
  void (*close)(rmx_comm *c);
  void (*abort)(rmx_comm *c, int code);
};
enum { RMX__TRANSFERS = 4, RMX__MOST_RANKS = 1024 };

struct rmx_comm {
  const struct rmx__comm_type *type;
  int rank, size;
  const rmx_listener *listener;
  bool agreed;
  void *state;  // of the implementation
};

// The implementation with MPI; in a build without it open is NULL.
extern const struct rmx__mpi {
  const char *(*library)(void);
  rmx_status (*open)(rmx_comm *c, rmx_err *err);
} rmx__mpi;

static inline void rmx__comm_pause(rmx_comm *c) {
  c->type->pause(c);
}
// One rank, for those who were given no ranks.
rmx_comm *rmx__comm_of(rmx_comm *c);
// x (n) becomes the sum over the ranks, added up in their order.
void rmx__comm_add(rmx_comm *c, double *x, size_t n);
// Returns when all ranks are here.
void rmx__comm_meet(rmx_comm *c);
// Where some rank failed, all fail, with the message of the first of them.
rmx_status rmx__comm_agree(rmx_comm *c, rmx_status status, rmx_err *err);
// The text of rank 0, which others get as a copy to be freed. NULL: no memory.
char *rmx__comm_text(rmx_comm *c, const char *text, bool idle);

#endif
