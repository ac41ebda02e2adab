// SPDX-License-Identifier: Apache-2.0
// Ranks by MPI. Only the thread that opened them calls it. All waiting polls, and sleeps between
// the looks after a moment, so that a rank that waits leaves its processor to others.
#include <mpi.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "comm.h"

enum { CHUNK = 1 << 30 };  // bytes of one message: MPI counts in int

struct state {
  MPI_Comm comm;
  MPI_Request *requests;  // (RMX__TRANSFERS, 2 size)
  double stopping;  // since when this rank waits although it was asked to stop; 0: it does not
  bool warned;
  long pauses;  // since a transfer was done
};

// This rank was asked to stop and waits for another one, which may be gone. mpirun ends us soon.
static void warn_of_wait(rmx_comm *c) {
  struct state *s = c->state;
  if (!rmx_interrupted() || s->warned || c->rank != 0 || !c->listener) return;
  if (s->stopping == 0) s->stopping = rmx_now();
  if (rmx_now() - s->stopping < 0.3) return;
  s->warned = true;
  rmx_warn(c->listener,
           "this process was asked to stop, and waits for the other ranks. If one of them was "
           "killed, mpirun ends all of them, and the same command continues from the last "
           "checkpoint");
}

static void wait_for(rmx_comm *c, MPI_Request *requests, int n, bool idle) {
  int done = 0;
  struct state *s = c->state;
  for (long looks = 0;; looks++) {
    MPI_Testall(n, requests, &done, MPI_STATUSES_IGNORE);
    if (done) break;
    if (looks < 2000)
      sched_yield();
    else
      usleep(looks < 4000 ? 50 : idle ? 5000 : 200);
    if (!idle) warn_of_wait(c);
  }
  s->stopping = 0;
}

static void pause_mpi(rmx_comm *c) {
  struct state *s = c->state;
  sched_yield();
  usleep(s->pauses++ < 200 ? 20 : 200);
  warn_of_wait(c);
}

static void gather(rmx_comm *c, const void *mine, size_t bytes, void *all) {
  const struct state *s = c->state;
  MPI_Request request;
  MPI_Iallgather(mine, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, s->comm, &request);
  wait_for(c, &request, 1, false);
}

static void broadcast(rmx_comm *c, void *data, size_t bytes, bool idle) {
  const struct state *s = c->state;
  for (size_t at = 0; at < bytes; at += CHUNK) {
    MPI_Request request;
    const size_t n = bytes - at < CHUNK ? bytes - at : CHUNK;
    MPI_Ibcast((char *)data + at, (int)n, MPI_BYTE, 0, s->comm, &request);
    wait_for(c, &request, 1, idle);
  }
}

static void start(rmx_comm *c, struct rmx__transfer *t, int place) {
  const struct state *s = c->state;
  MPI_Request *requests = s->requests + (size_t)place * 2 * (size_t)c->size;
  t->state = requests;
  for (int i = 0; i < c->size; i++) {
    const int to = (c->rank + i) % c->size, from = (c->rank - i + c->size) % c->size;
    requests[2 * i] = requests[2 * i + 1] = MPI_REQUEST_NULL;
    if (i && t->in[from].n)
      MPI_Irecv(t->in[from].data, (int)t->in[from].n, MPI_FLOAT, from, place, s->comm,
                &requests[2 * i]);
    if (i && t->out[to].n)
      MPI_Isend(t->out[to].data, (int)t->out[to].n, MPI_FLOAT, to, place, s->comm,
                &requests[2 * i + 1]);
  }
}

static bool done(rmx_comm *c, struct rmx__transfer *t, int place) {
  struct state *s = c->state;
  int all = 0;
  MPI_Testall(2 * c->size, t->state, &all, MPI_STATUSES_IGNORE);
  if (all) s->pauses = 0;
  return all;
}

static void close_mpi(rmx_comm *c) {
  struct state *s = c->state;
  MPI_Comm_free(&s->comm);
  free(s->requests);
  free(s);
  MPI_Finalize();
}

static void abort_mpi(rmx_comm *c, int code) {
  MPI_Abort(MPI_COMM_WORLD, code);
}

static const struct rmx__comm_type mpi = {
    "MPI", gather, broadcast, start, done, pause_mpi, close_mpi, abort_mpi,
};

// The processors that this rank may use, shared evenly with the ranks that may use the same ones.
static void share_processors(rmx_comm *c) {
  struct own {
    char host[256];
    cpu_set_t set;
  } own = {{0}, {{0}}}, *all = rmx_calloc((size_t)c->size, sizeof *all);
  if (!all) c->type->abort(c, 1);
  int sharing = 0;
  gethostname(own.host, sizeof own.host - 1);
  sched_getaffinity(0, sizeof own.set, &own.set);
  gather(c, &own, sizeof own, all);
  for (int r = 0; r < c->size; r++) {
    cpu_set_t both;
    CPU_AND(&both, &own.set, &all[r].set);
    sharing += strcmp(own.host, all[r].host) == 0 && CPU_COUNT(&both) > 0;
  }
  const int each = sharing ? CPU_COUNT(&own.set) / sharing : 0;
  rmx_limit_processors(each > 1 ? each : 1);
  free(all);
}

static rmx_status open_mpi(rmx_comm *c, rmx_err *err) {
  int given;
  MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given);
  struct state *s = rmx_calloc(1, sizeof *s);
  if (!s) return rmx_fail_memory(err, sizeof *s, "the ranks");
  *c = (rmx_comm){.type = &mpi, .state = s};
  MPI_Comm_dup(MPI_COMM_WORLD, &s->comm);
  MPI_Comm_rank(s->comm, &c->rank);
  MPI_Comm_size(s->comm, &c->size);
  s->requests = rmx_calloc((size_t)(2 * RMX__TRANSFERS) * (size_t)c->size, sizeof *s->requests);
  if (!s->requests || c->size > RMX__MOST_RANKS) {
    const bool many = s->requests != NULL;
    const int size = c->size;
    close_mpi(c);
    return many ? rmx_fail(err, RMX_EUSAGE,
                           "mpirun started %d ranks; wanted %d or fewer: start one for each node, "
                           "since a rank uses all processors that it has",
                           size, RMX__MOST_RANKS)
                : rmx_fail_memory(err, 0, "the ranks");
  }
  share_processors(c);
  return RMX_OK;
}

static const char *library(void) {
  static char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int n;
  MPI_Get_library_version(text, &n);
  text[strcspn(text, ",\n")] = '\0';
  return text;
}

const struct rmx__mpi rmx__mpi = {library, open_mpi};
