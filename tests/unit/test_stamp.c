// SPDX-License-Identifier: Apache-2.0
#include "base/stamp.h"

#include <unistd.h>

#include "testing.h"

static struct rmx__stamp stamp_of(const char *settings, const char *runs, const char *prior) {
  struct rmx__stamp s = {.fingerprint = 7};
  rmx__stamp_add_text(&s, "settings", settings);
  rmx__stamp_add_text(&s, "runs", runs);
  if (prior) rmx__stamp_add_text(&s, "prior", prior);
  return s;
}

// What differs between an output made from `made` and one wanted now; "" if nothing.
static void expect(struct rmx__stamp wanted, struct rmx__stamp made, bool same,
                   const char *changed) {
  json_t *output = json_object();
  rmx_buf b = {0};
  rmx__stamp_put(&made, output);
  ck_assert_int_eq(rmx__stamp_same(&wanted, output, NULL, &b), same);
  ck_assert_str_eq(b.data ? b.data : "", changed);
  json_decref(output);
  rmx_buf_release(&b);
  rmx__stamp_release(&wanted);
  rmx__stamp_release(&made);
}

START_TEST(says_which_input_changed) {
  expect(stamp_of("a", "b", NULL), stamp_of("a", "b", NULL), true, "");
  expect(stamp_of("a", "c", NULL), stamp_of("a", "b", NULL), false, "runs");
  expect(stamp_of("x", "c", NULL), stamp_of("a", "b", NULL), false, "settings, runs");
  expect(stamp_of("a", "b", "p"), stamp_of("a", "b", NULL), false, "prior");
  expect(stamp_of("a", "b", NULL), stamp_of("a", "b", "p"), false, "prior");
}
END_TEST

// The chain of hashes that version 0.1.0 kept under other keys.
START_TEST(reads_the_keys_of_0_1_0) {
  struct rmx__stamp s = stamp_of("a", "b", NULL);
  const uint64_t was = rmx_hash_string("b", rmx_hash_string("a", 7));
  ck_assert_uint_eq(s.fingerprint, was);
  rmx_buf b = {0};
  json_t *old = json_pack("{s:o}", "question", rmx__hex_json(was));
  ck_assert(rmx__stamp_same(&s, old, "question", &b));
  ck_assert(!rmx__stamp_same(&s, old, "answers", &b));
  ck_assert(!rmx__stamp_same(&s, old, NULL, &b));
  ck_assert(!rmx__stamp_same(&s, NULL, "question", &b));
  ck_assert_uint_eq(b.size, 0);  // 0.1.0 did not keep the inputs
  json_decref(old);
  rmx__stamp_release(&s);
}
END_TEST

START_TEST(pieces_and_files_are_inputs_too) {
  char path[] = "/tmp/regmix-test-XXXXXX";
  const int fd = mkstemp(path);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq((int)write(fd, "one", 3), 3);
  struct rmx__stamp s = {0}, t = {0};
  ck_assert(rmx__stamp_add_file(&s, "f", path));
  rmx__stamp_add_text(&s, "f", "two");
  rmx__stamp_add_text(&t, "f", "one");
  rmx__stamp_add_text(&t, "f", "two");
  ck_assert_uint_eq(s.fingerprint, t.fingerprint);
  ck_assert(json_equal(s.inputs, t.inputs));
  ck_assert(!rmx__stamp_add_file(&s, "g", "/tmp/regmix-test-no-such-file"));
  ck_assert(!rmx__stamp_add_file(&s, "g", NULL));
  ck_assert_uint_eq(json_object_size(s.inputs), 1);
  close(fd);
  unlink(path);
  rmx__stamp_release(&s);
  rmx__stamp_release(&t);
}
END_TEST

START_TEST(a_noted_input_is_only_named) {
  struct rmx__stamp s = {.fingerprint = 5}, t = {.fingerprint = 5};
  rmx__stamp_note(&s, "corpus", 5);
  rmx__stamp_add_text(&s, "config", "c");
  rmx__stamp_add_text(&t, "config", "c");
  ck_assert_uint_eq(s.fingerprint, t.fingerprint);
  ck_assert_str_eq(json_string_value(json_object_get(s.inputs, "corpus")), "0000000000000005");
  rmx__stamp_release(&s);
  rmx__stamp_release(&t);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, says_which_input_changed);
  tcase_add_test(tc, reads_the_keys_of_0_1_0);
  tcase_add_test(tc, pieces_and_files_are_inputs_too);
  tcase_add_test(tc, a_noted_input_is_only_named);
}
