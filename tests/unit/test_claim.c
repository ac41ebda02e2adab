// SPDX-License-Identifier: Apache-2.0
#include "swarm/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing.h"

// The file locks of this program: those of the system, or locks that always succeed. Some calls may
// be interrupted by a signal first.
static bool locks_lie;
static int signals;
int flock(int fd, int operation) {
  if (signals > 0) {
    signals--;
    errno = EINTR;
    return -1;
  }
  return locks_lie ? 0 : (int)syscall(SYS_flock, fd, operation);
}

// A holder that is at one long piece of work, as a validation, is not taken for silent.
START_TEST(beats_while_its_process_is_busy) {
  char folder[48];
  snprintf(folder, sizeof folder, "%s/XXXXXX", scratch_folder);
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

// Tries until it had the claim `n` times; ends with 1 if another process had it meanwhile.
static _Noreturn void take_often(const char *folder, const char *inside, int n) {
  for (int had = 0; had < n;) {
    rmx__claim claim;
    rmx_err err;
    bool taken;
    if (rmx__claim_take(&claim, folder, &taken, &err) != RMX_OK) _exit(2);
    if (taken) {
      const int fd = open(inside, O_CREAT | O_EXCL | O_WRONLY, 0666);
      if (fd < 0) _exit(1);
      close(fd);
      usleep(200);
      unlink(inside);
      had++;
    }
    rmx__claim_release(&claim);
  }
  _exit(0);
}

// Nothing but the file itself keeps two processes apart, and none is left over.
START_TEST(one_at_a_time_without_locks) {
  enum { PROCESSES = 6, TIMES = 40 };
  char folder[48], inside[64], path[64];
  snprintf(folder, sizeof folder, "%s/XXXXXX", scratch_folder);
  ck_assert(mkdtemp(folder) != NULL);
  snprintf(inside, sizeof inside, "%s/inside", folder);
  snprintf(path, sizeof path, "%s/claim", folder);
  locks_lie = true;
  pid_t pids[PROCESSES];
  for (int i = 0; i < PROCESSES; i++)
    if ((pids[i] = fork()) == 0) take_often(folder, inside, TIMES);
  for (int i = 0; i < PROCESSES; i++) {
    int code = -1;
    ck_assert_int_eq(waitpid(pids[i], &code, 0), pids[i]);
    ck_assert_int_eq(code, 0);
  }
  locks_lie = false;
  ck_assert_int_ne(access(path, F_OK), 0);
  ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

// An empty claim is one whose process was killed before it wrote its name. A lock that is free
// shows this at once. Without locks it may be a process that writes its name right now.
static void look_at_an_empty_claim(bool lying, bool held) {
  char folder[48], path[64];
  snprintf(folder, sizeof folder, "%s/XXXXXX", scratch_folder);
  ck_assert(mkdtemp(folder) != NULL);
  snprintf(path, sizeof path, "%s/claim", folder);
  close(open(path, O_CREAT | O_WRONLY, 0666));
  locks_lie = lying;
  rmx__claim claim;
  rmx__holder by;
  bool taken;
  must(rmx__claim_look(folder, &by, err));
  ck_assert_int_eq(by.held, held);
  must(rmx__claim_take(&claim, folder, &taken, err));
  ck_assert_int_eq(taken, !held);
  rmx__claim_release(&claim);
  ck_assert_int_eq(access(path, F_OK) == 0, held);
  unlink(path);
  ck_assert_int_eq(rmdir(folder), 0);
}

START_TEST(an_empty_claim_with_locks_is_free) {
  look_at_an_empty_claim(false, false);
}
END_TEST

START_TEST(an_empty_claim_without_locks_is_held_for_a_while) {
  look_at_an_empty_claim(true, true);
}
END_TEST

// ---- what a claim says

START_TEST(claims_are_read) {
  static const struct {
    const char *text, *host, *boot;
    long pid;
    unsigned long long began;
    bool exclusive;
  } cases[] = {
      {"", "", "-", 0, 0, false},
      {"node3", "node3", "-", 0, 0, false},
      {"node3\n17", "node3", "-", 17, 0, false},
      {"node3\n17\nb p 99\n", "node3", "b", 17, 99, false},
      {"node3\n17\nb p 99\nexclusive\n", "node3", "b", 17, 99, true},
      {"node3\n17\nb p 99\nexclusive", "node3", "b", 17, 99, false},
      {"node3\n17\nb p 99\nshared\n", "node3", "b", 17, 99, false},
      {"node3\n17\nb p\nexclusive\n", "node3", "-", 17, 0, true},
      {"exclusive\nexclusive\nexclusive\n", "exclusive", "-", 0, 0, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    rmx__holder h = {0};
    rmx__holder_parse(cases[i].text, &h);
    ck_assert_str_eq(h.host, cases[i].host);
    ck_assert_str_eq(h.place.host, cases[i].host);
    ck_assert_str_eq(h.place.boot, cases[i].boot);
    ck_assert_int_eq(h.pid, cases[i].pid);
    ck_assert_uint_eq(h.began, cases[i].began);
    ck_assert(h.exclusive == cases[i].exclusive);
  }
  for (int exclusive = 0; exclusive < 2; exclusive++) {
    char text[RMX__HOLDER_SIZE];
    rmx__holder h = {0};
    rmx__holder_text(exclusive, text);
    rmx__holder_parse(text, &h);
    ck_assert_int_eq(h.pid, getpid());
    ck_assert(h.exclusive == exclusive);
  }
}
END_TEST

// ---- folders

static atomic_int notes, warnings;

static void count_note(void *context, const char *text) {
  (void)context;
  ck_assert_str_eq(text, "another one works here");
  notes++;
}

static void count_warning(void *context, const char *text) {
  (void)context, (void)text;
  warnings++;
}

static const rmx_listener counter = {.note = count_note, .warn = count_warning};

// Waits until it is known that the other one waits, and some looks more.
static void *hold_for_a_while(void *lock) {
  for (int i = 0; i < 3000 && !notes; i++) usleep(1000);
  usleep(350000);
  rmx_folder_unlock(lock);
  return NULL;
}

START_TEST(a_folder_is_locked_by_one) {
  char folder[48];
  rmx_lock first, second;
  pthread_t thread;
  snprintf(folder, sizeof folder, "%s/XXXXXX", scratch_folder);
  ck_assert(mkdtemp(folder) != NULL);
  signals = 2;
  must(rmx_folder_lock(folder, "another one works here", &counter, &first, err));
  ck_assert(!first.elsewhere && first.fd >= 0);
  ck_assert_int_eq(signals, 0);
  must(rmx_folder_lock(folder, NULL, &counter, &second, err));
  ck_assert(second.elsewhere && second.fd < 0);
  ck_assert_int_eq(notes, 0);
  ck_assert_int_eq(pthread_create(&thread, NULL, hold_for_a_while, &first), 0);
  must(rmx_folder_lock(folder, "another one works here", &counter, &second, err));
  ck_assert(!second.elsewhere && second.fd >= 0);
  ck_assert_int_eq(notes, 1);
  pthread_join(thread, NULL);
  ck_assert_int_lt(first.fd, 0);
  rmx_folder_unlock(&second);
  ck_assert_int_eq(warnings, 0);
  ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

// A folder that cannot be locked is worked in, and one warning says so.
START_TEST(a_folder_that_is_not_there) {
  rmx_lock lock;
  for (int time = 0; time < 2; time++) {
    must(rmx_folder_lock("/nowhere/at/all", "another one works here", &counter, &lock, err));
    ck_assert(!lock.elsewhere && lock.fd < 0);
    ck_assert_int_eq(warnings, 1);
  }
  ck_assert_int_eq(notes, 0);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, claims_are_read);
  tcase_add_test(tc, a_folder_is_locked_by_one);
  tcase_add_test(tc, a_folder_that_is_not_there);
  tcase_add_test(tc, an_empty_claim_with_locks_is_free);
  tcase_add_test(tc, an_empty_claim_without_locks_is_held_for_a_while);
  tcase_add_test(tc, one_at_a_time_without_locks);
  tcase_add_test(tc, beats_while_its_process_is_busy);
}
