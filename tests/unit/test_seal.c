// SPDX-License-Identifier: Apache-2.0
#include <regmix/train.h>

#include "testing.h"

static json_t *tree(const char *text) {
  json_t *o = json_loads(text, 0, NULL);
  ck_assert_msg(o != NULL, "%s", text);
  return o;
}

// Whether a file that was sealed with the content `was` passes with the content `now`.
static bool passes(const char *was, const char *now) {
  json_t *a = tree(was), *b = tree(now);
  ck_assert(!rmx__json_seal_broken(a));  // none yet
  ck_assert(rmx__json_seal(a));
  ck_assert(!rmx__json_seal_broken(a));
  json_object_set(b, "content_hash", json_object_get(a, "content_hash"));
  const bool whole = !rmx__json_seal_broken(b);
  json_decref(a);
  json_decref(b);
  return whole;
}

START_TEST(a_seal_breaks_with_the_content) {
  const char *was = "{\"a\": 1.5, \"b\": {\"x\": [1, 2], \"y\": null}, \"c\": true, \"d\": \"1\"}";
  ck_assert(passes(was, was));
  static const char *const others[] = {
      "{\"a\": 1.6, \"b\": {\"x\": [1, 2], \"y\": null}, \"c\": true, \"d\": \"1\"}",
      "{\"a\": 1.5, \"b\": {\"x\": [2, 1], \"y\": null}, \"c\": true, \"d\": \"1\"}",
      "{\"a\": 1.5, \"b\": {\"y\": [1, 2], \"x\": null}, \"c\": true, \"d\": \"1\"}",
      "{\"a\": 1.5, \"b\": {\"x\": [1, 2]}, \"c\": true, \"d\": \"1\"}",
      "{\"a\": 1.5, \"b\": {\"x\": [1, 2], \"y\": null}, \"c\": false, \"d\": \"1\"}",
      "{\"a\": 1.5, \"b\": {\"x\": [1, 2], \"y\": null}, \"c\": true, \"d\": 1}",
      "{\"a\": 1.5, \"b\": {\"x\": [1, 2], \"y\": null}, \"c\": true, \"d\": \"1\", \"e\": 0}"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    ck_assert_msg(!passes(was, others[i]), "%s", others[i]);
}
END_TEST

START_TEST(how_it_is_written_does_not_count) {
  ck_assert(passes("{\"a\": 1, \"b\": 0.0, \"c\": [], \"d\": 2}",
                   "{\"d\": 2.0, \"c\": [ ], \"b\": -0.0, \"a\": 1.0e0}"));
}
END_TEST

START_TEST(the_losses_of_a_result_are_sealed_alone) {
  json_t *o = tree("{\"loss_nats\": {\"a\": 1.5}, \"half\": {\"loss_nats\": {\"a\": 2}}}");
  ck_assert(!rmx_result_seal_broken(o));  // none yet
  rmx_result_seal(o);
  json_object_set_new(o, "metrics", tree("{\"acc\": 0.5}"));
  ck_assert(!rmx_result_seal_broken(o));
  json_object_set_new(json_object_get(o, "half"), "loss_nats", tree("{\"a\": 2.5}"));
  ck_assert(rmx_result_seal_broken(o));
  rmx_result_seal(o);
  ck_assert(!rmx_result_seal_broken(o));
  json_object_set_new(o, "loss_nats", json_null());
  ck_assert(rmx_result_seal_broken(o));
  json_decref(o);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, a_seal_breaks_with_the_content);
  tcase_add_test(tc, how_it_is_written_does_not_count);
  tcase_add_test(tc, the_losses_of_a_result_are_sealed_alone);
}
