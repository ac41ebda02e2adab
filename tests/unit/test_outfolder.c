// SPDX-License-Identifier: Apache-2.0
// A folder that takes the place of another: where the system exchanges the two in one step, where
// it takes two, and where the files are moved one by one.
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "corpus_folder.h"

// The system call of this program: 0 for the system's own, or the error that it ends with.
static int exchange_fails;
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
  (void)flags;
  if (exchange_fails) {
    errno = exchange_fails;
    return -1;
  }
  char aside[300];
  snprintf(aside, sizeof aside, "%s.swap", from);
  return renameat(from_at, from, from_at, aside) || renameat(to_at, to, from_at, from) ||
                 renameat(from_at, aside, to_at, to)
             ? -1
             : 0;
}

static void holds(const char *name, const char *wanted) {
  if (!wanted) {
    ck_assert_msg(access(in_folder(name), F_OK) != 0, "%s is there", name);
    return;
  }
  RMX_OWNED char *text = NULL;
  size_t size;
  must(rmx_read_file(in_folder(name), &text, &size, err));
  ck_assert_str_eq(text, wanted);
}

static void write_into(const rmx_outfolder *o, const char *name, const char *text) {
  RMX_OWNED char *path = rmx_path_in(o->temporary, name);
  must(rmx_write_file(path, text, strlen(text), err));
}

// What the user has in the folder stays, what the program had goes, and nothing is left beside it.
static void check_commit(int error) {
  char *names[] = {"a", "old", "last"};
  const rmx_strings ours = {names, 3, 3};
  exchange_fails = error;
  folder_make();
  for (int time = 0; time < 2; time++) {
    rmx_outfolder o = {0};
    if (time) put_text("out/user", "mine"), put_text("out/old", "1"), put_text("out/new", "mine");
    must(rmx_outfolder_open(&o, in_folder("out"), err));
    write_into(&o, "a", time ? "2" : "1");
    write_into(&o, "last", time ? "2" : "1");
    if (time) write_into(&o, "new", "of the program");
    holds("out/a", time ? "1" : NULL);
    must(rmx_outfolder_commit(&o, &ours, "last", err));
    holds("out/a", time ? "2" : "1");
    holds("out/last", time ? "2" : "1");
  }
  holds("out/user", "mine");
  holds("out/old", NULL);
  holds("out/new", "of the program");
  holds("out/new~", "mine");
  ck_assert_uint_eq(rmx_kept_others()->n, 1);
  rmx_forget_others();
  rmx_strings beside = {0};
  must(rmx_list(test_folder, &beside, err));
  ck_assert_uint_eq(beside.n, 1);
  rmx_strings_release(&beside);
  rmx_outfolder o = {0};
  must(rmx_outfolder_open(&o, in_folder("out"), err));
  write_into(&o, "a", "3");
  rmx_outfolder_discard(&o);
  holds("out/a", "2");
  folder_remove();
}

START_TEST(a_folder_with_the_name_of_a_new_file_is_kept) {
  char *names[] = {"last"};
  const rmx_strings ours = {names, 1, 1};
  folder_make();
  put_text("out/a/user", "mine");
  rmx_outfolder o = {0};
  must(rmx_outfolder_open(&o, in_folder("out"), err));
  write_into(&o, "a", "1");
  write_into(&o, "last", "1");
  must(rmx_outfolder_commit(&o, &ours, "last", err));
  holds("out/a", "1");
  holds("out/a~/user", "mine");
  rmx_forget_others();
  folder_remove();
}
END_TEST

START_TEST(in_one_step) {
  check_commit(0);
}
END_TEST

START_TEST(in_two_steps) {
  check_commit(EINVAL);
}
END_TEST

START_TEST(file_by_file) {
  check_commit(EBUSY);
  check_commit(EXDEV);
}
END_TEST

// A writer that is killed after the first of two renames, or after the second.
static void killed_writer(bool after_second) {
  rmx_outfolder o = {0};
  char old[400];
  if (rmx_outfolder_open(&o, in_folder("out"), &(rmx_err){0}) != RMX_OK) _exit(1);
  snprintf(old, sizeof old, "%s.old", o.temporary);
  if (rename(o.path, old) != 0 || (after_second && rename(o.temporary, o.path) != 0)) _exit(1);
  _exit(0);
}

START_TEST(killed_between_two_steps) {
  char *names[] = {"a"};
  const rmx_strings ours = {names, 1, 1};
  for (int after_second = 0; after_second < 2; after_second++) {
    int code = 1;
    folder_make();
    put_text("out/user", "mine");
    const pid_t pid = fork();
    if (pid == 0) killed_writer(after_second);
    ck_assert_int_eq(waitpid(pid, &code, 0), pid);
    ck_assert_int_eq(code, 0);
    holds("out/user", NULL);
    rmx_outfolder o = {0};
    must(rmx_outfolder_open(&o, in_folder("out"), err));
    holds("out/user", after_second ? NULL : "mine");
    write_into(&o, "a", "1");
    must(rmx_outfolder_commit(&o, &ours, "a", err));
    holds("out/a", "1");
    rmx_strings beside = {0};
    must(rmx_list(test_folder, &beside, err));
    ck_assert_uint_eq(beside.n, 1);
    rmx_strings_release(&beside);
    folder_remove();
  }
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, a_folder_with_the_name_of_a_new_file_is_kept);
  tcase_add_test(tc, in_one_step);
  tcase_add_test(tc, in_two_steps);
  tcase_add_test(tc, file_by_file);
  tcase_add_test(tc, killed_between_two_steps);
}
