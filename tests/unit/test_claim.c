// SPDX-License-Identifier: Apache-2.0
#include "swarm/claim.h"

#include <sys/stat.h>
#include <unistd.h>

#include "testing.h"

// A holder that is at one long piece of work, as a validation, is not taken for silent.
START_TEST(beats_while_its_process_is_busy) {
  char folder[] = "/tmp/regmix-test-XXXXXX";
  ck_assert(mkdtemp(folder) != NULL);
  rmx__claim claim;
  rmx__holder by;
  bool taken;
  must(rmx__claim_take(&claim, folder, &taken, err));
  ck_assert(taken);
  const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
  ck_assert_int_eq(futimens(claim.fd, old), 0);
  must(rmx__claim_look(folder, &by, err));
  ck_assert(by.held && by.age_s > RMX__SILENT_S);
  must(rmx__claim_beat(&claim, true, err));
  for (int beats = 0; beats < 2; beats++) {
    ck_assert_int_eq(futimens(claim.fd, old), 0);
    for (int i = 0; i < 600; i++) {
      must(rmx__claim_look(folder, &by, err));
      if (by.age_s < RMX__SILENT_S) break;
      usleep(100000);
    }
    ck_assert(by.held && by.age_s < RMX__SILENT_S);
  }
  rmx__claim_release(&claim);
  must(rmx__claim_look(folder, &by, err));
  ck_assert(!by.held);
  ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, beats_while_its_process_is_busy);
}
