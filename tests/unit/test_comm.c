// SPDX-License-Identifier: Apache-2.0
// One rank alone: what is sent is there, what is added up is what it was, and a failure is its own.
#include "comm/comm.h"

#include "swarm/supervisor.h"
#include "testing.h"

START_TEST(one_rank_is_all) {
  rmx_comm *c = rmx__comm_of(NULL);
  double x[20];
  int mine = 7, all = 0;
  ck_assert(rmx__comm_of(c) == c);
  ck_assert_int_eq(rmx_comm_size(c), 1);
  ck_assert_int_eq(rmx_comm_rank(c), 0);
  for (int i = 0; i < 20; i++) x[i] = i * 0.1;
  rmx__comm_add(c, x, 20);
  for (int i = 0; i < 20; i++) ck_assert(x[i] == i * 0.1);
  c->type->gather(c, &mine, sizeof mine, &all);
  ck_assert_int_eq(all, 7);
  c->type->broadcast(c, &mine, sizeof mine, false);
  ck_assert_int_eq(mine, 7);
  rmx__comm_meet(c);
  char *text = rmx__comm_text(c, "the first one's", false);
  ck_assert_str_eq(text, "the first one's");
  free(text);
}
END_TEST

// Nobody else has to send anything.
START_TEST(transfers_of_one_rank_are_done) {
  rmx_comm *c = rmx__comm_of(NULL);
  const struct rmx__piece out = {0}, in = {0};
  struct rmx__transfer t = {&out, &in, NULL};
  for (int place = 0; place < RMX__TRANSFERS; place++) {
    c->type->start(c, &t, place);
    ck_assert(c->type->done(c, &t, place));
  }
  rmx__comm_pause(c);
}
END_TEST

static rmx_status own_failure(rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT, "its own");
}

START_TEST(one_rank_agrees_with_itself) {
  rmx_comm *c = rmx__comm_of(NULL);
  must(rmx__comm_agree(c, RMX_OK, err));
  must_fail(rmx__comm_agree(c, own_failure(err), err), "its own");
}
END_TEST

START_TEST(without_a_launcher) {
  rmx_comm *c;
  unsetenv("OMPI_COMM_WORLD_SIZE");
  unsetenv("PMI_SIZE");
  unsetenv("SLURM_PROCID");
  unsetenv("MPI_LOCALNRANKS");
  must(rmx_comm_open(&c, err));
  ck_assert_int_eq(rmx_comm_size(c), 1);
  rmx_comm_close(c);
  setenv("PMI_SIZE", "1", 1);
  must(rmx_comm_open(&c, err));
  ck_assert_int_eq(rmx_comm_size(c), 1);
  rmx_comm_close(c);
  if (rmx_comm_library()) return;  // it would wait for a second rank
  setenv("PMI_SIZE", "2", 1);
  must_fail(rmx_comm_open(&c, err),
            "2 processes were started by mpirun, but this regmix was built without MPI");
  // srun says the same to a program that has no MPI
  setenv("SLURM_PROCID", "1", 1);
  must(rmx_comm_open(&c, err));
  ck_assert_int_eq(rmx_comm_size(c), 1);
  ck_assert_int_eq(rmx_comm_tasks(), 2);
  // an mpirun in a job of Slurm is one
  setenv("MPI_LOCALNRANKS", "1", 1);
  ck_assert_int_eq(rmx_comm_tasks(), 1);
  must_fail(rmx_comm_open(&c, err), "2 processes were started by mpirun");
  unsetenv("MPI_LOCALNRANKS");
  setenv("OMPI_COMM_WORLD_SIZE", "3", 1);
  must_fail(rmx_comm_open(&c, err), "3 processes were started by mpirun");
}
END_TEST

static const char *value_in(char **environment, const char *name) {
  const size_t n = strlen(name);
  for (; *environment; environment++)
    if (strncmp(*environment, name, n) == 0 && (*environment)[n] == '=')
      return *environment + n + 1;
  return NULL;
}

// A program that a rank starts is no rank. One that no rank starts inherits all.
START_TEST(programs_of_a_rank_are_none) {
  char *own[] = {"REGMIX_SLOT=3", "REGMIX_TRY=1"};
  setenv("REGMIX_SLOT", "7", 1);
  setenv("REGMIX_SLOTS", "7", 1);
  setenv("PMIX_RANK", "1", 1);
  setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
  for (int rank = 0; rank < 3; rank++) {
    unsetenv("PMI_SIZE");
    unsetenv("OMPI_COMM_WORLD_SIZE");
    if (rank) setenv(rank == 1 ? "PMI_SIZE" : "OMPI_COMM_WORLD_SIZE", "2", 1);
    ck_assert(rmx_comm_is_rank() == (rank > 0));
    RMX_OWNED char **all = rmx__worker_environment(own, 2);
    ck_assert_str_eq(value_in(all, "REGMIX_SLOT"), "3");
    ck_assert_str_eq(value_in(all, "REGMIX_TRY"), "1");
    ck_assert_str_eq(value_in(all, "REGMIX_SLOTS"), "7");
    ck_assert_str_eq(value_in(all, "OMPI_ALLOW_RUN_AS_ROOT"), "1");
    ck_assert(!value_in(all, "PMIX_RANK") == (rank > 0));
    ck_assert(!value_in(all, "PMI_SIZE") && !value_in(all, "OMPI_COMM_WORLD_SIZE"));
  }
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, programs_of_a_rank_are_none);
  tcase_add_test(tc, one_rank_is_all);
  tcase_add_test(tc, transfers_of_one_rank_are_done);
  tcase_add_test(tc, one_rank_agrees_with_itself);
  tcase_add_test(tc, without_a_launcher);
}
