// SPDX-License-Identifier: Apache-2.0
// The ranks of this process, and what is made of the functions of their table.
#include "comm.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A number in the environment; 0: it is not there.
static long number_in(const char *name) {
  const char *value = getenv(name);
  return value ? strtol(value, NULL, 10) : 0;
}

// Number of processes that a launcher says to have started with this one; 0: no launcher.
static long launched(void) {
  // Open MPI; MPICH, Intel MPI and Slurm's PMI
  static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (number_in(names[i])) return number_in(names[i]);
  // `srun --mpi=pmix`: PMIx tells a process its rank alone, and Slurm the size of the step
  return getenv("PMIX_RANK") && getenv("SLURM_PROCID") ? number_in("SLURM_STEP_NUM_TASKS") : 0;
}

bool rmx_comm_is_rank(void) {
  return launched() > 0;
}

// srun sets PMI_SIZE for programs without MPI too. So does the mpirun of MPICH and Intel MPI, which
// may itself run in a job of Slurm, and says how many of its processes are on this machine.
bool rmx_comm_by_srun(void) {
  return getenv("SLURM_PROCID") && !getenv("OMPI_COMM_WORLD_SIZE") && !getenv("MPI_LOCALNRANKS");
}

int rmx_comm_tasks(void) {
  const long size = launched();
  return !rmx__mpi.open && size > 1 && rmx_comm_by_srun() ? (int)size : 1;
}

rmx_status rmx_comm_open(rmx_comm **out, rmx_err *err) {
  *out = rmx__comm_of(NULL);
  const long size = launched();
  if (size < 2 || rmx_comm_tasks() > 1) return RMX_OK;
  if (!rmx__mpi.open)
    return rmx_fail(err, RMX_EUSAGE,
                    "%ld processes were started by mpirun, but this regmix was built without MPI: "
                    "each of them would do all the work. Build it with `meson setup build "
                    "-Dmpi=enabled` (Debian: libopenmpi-dev), or start it without mpirun, or give "
                    "each process its part of the runs (`regmix train --slice I/N`)",
                    size);
  rmx_comm *c = rmx_calloc(1, sizeof *c);
  if (!c) return rmx_fail_memory(err, sizeof *c, "the ranks");
  const rmx_status status = rmx__mpi.open(c, err);
  if (status == RMX_OK)
    *out = c;
  else
    free(c);
  return status;
}

void rmx_comm_close(rmx_comm *c) {
  if (!c || c == rmx__comm_of(NULL)) return;
  c->type->close(c);
  free(c);
}

void rmx_comm_abort(rmx_comm *c, int code) {
  if (c) c->type->abort(c, code);
}

int rmx_comm_rank(const rmx_comm *c) {
  return c ? c->rank : 0;
}

int rmx_comm_size(const rmx_comm *c) {
  return c ? c->size : 1;
}

void rmx_comm_listen(rmx_comm *c, const rmx_listener *listener) {
  if (c) c->listener = listener;
}

bool rmx_comm_agreed(const rmx_comm *c) {
  return c && c->agreed;
}

const char *rmx_comm_library(void) {
  return rmx__mpi.library ? rmx__mpi.library() : NULL;
}

void rmx__comm_add(rmx_comm *c, double *x, size_t n) {
  enum { MOST = 8 };
  double all[MOST * RMX__MOST_RANKS];
  for (size_t at = 0; at < n; at += MOST) {
    const size_t m = n - at < MOST ? n - at : MOST;
    c->type->gather(c, x + at, m * sizeof *x, all);
    for (size_t i = 0; i < m; i++) {
      x[at + i] = 0;
      for (int r = 0; r < c->size; r++) x[at + i] += all[(size_t)r * m + i];
    }
  }
}

void rmx__comm_meet(rmx_comm *c) {
  double nothing = 0;
  rmx__comm_add(c, &nothing, 1);
}

struct verdict {
  char host[64];
  rmx_err err;
};

// The first rank prints the message. If another rank failed, the message names it.
static void name_rank(const rmx_comm *c, int rank, const struct verdict *v, rmx_err *err) {
  *err = v->err;
  if (rank > 0) rmx_fail_in(err, "rank %d of %d, on %s", rank, c->size, v->host);
}

rmx_status rmx__comm_agree(rmx_comm *c, rmx_status status, rmx_err *err) {
  if (c->size == 1) return status;
  int mine = (int)status, first = 0;
  RMX_OWNED int *codes = rmx_calloc((size_t)c->size, sizeof *codes);
  RMX_OWNED struct verdict *all = rmx_calloc((size_t)c->size, sizeof *all);
  if (!codes || !all) rmx_comm_abort(c, 1);
  c->type->gather(c, &mine, sizeof mine, codes);
  while (first < c->size && codes[first] == RMX_OK) first++;
  if (first == c->size) return RMX_OK;
  struct verdict own = {.err = status == RMX_OK ? (rmx_err){0} : *err};
  gethostname(own.host, sizeof own.host - 1);
  c->type->gather(c, &own, sizeof own, all);
  name_rank(c, first, &all[first], err);
  c->agreed = true;
  return err->status = (rmx_status)codes[first];
}

rmx_status rmx_comm_alike(rmx_comm *c, const char *line, rmx_err *err) {
  struct {
    uint64_t hash;
    char text[200];
  } mine = {.hash = rmx_hash_string(line, 0)}, *all = rmx_calloc((size_t)c->size, sizeof *all);
  if (!all) rmx_comm_abort(c, 1);
  snprintf(mine.text, sizeof mine.text, "%s", line);
  c->type->gather(c, &mine, sizeof mine, all);
  int r = 1;
  while (r < c->size && all[r].hash == all[0].hash) r++;
  c->agreed = c->agreed || r < c->size;
  const rmx_status status =
      r == c->size ? RMX_OK
                   : rmx_fail(err, RMX_EUSAGE,
                              "rank %d was started as `regmix %s`, and rank 0 as `regmix %s`: the "
                              "ranks of one mpirun work together, so all their options must be the "
                              "same. Give parts of the runs (--slice) to commands of their own",
                              r, all[r].text, all[0].text);
  free(all);
  return status;
}

char *rmx__comm_text(rmx_comm *c, const char *text, bool idle) {
  uint64_t size = text ? strlen(text) : 0;
  c->type->broadcast(c, &size, sizeof size, idle);
  char *copy = rmx_calloc((size_t)size + 1, 1);
  if (!copy) return NULL;
  if (c->rank == 0 && text) memcpy(copy, text, (size_t)size);
  c->type->broadcast(c, copy, (size_t)size, false);
  return copy;
}
