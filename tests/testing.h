/* testing.h: the main() of every C test: one file, one Check suite, TAP on stdout.
 *
 * A test file defines its tests with START_TEST/END_TEST and lists them in
 *   static void add_tests(TCase *tc) { tcase_add_test(tc, round_trip); ... }
 */
#ifndef RMX_TESTS_TESTING_H
#define RMX_TESTS_TESTING_H

#include <check.h>
#include <math.h>
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"

static void add_tests(TCase *tc);

/* Under a sanitizer everything takes five to twenty times as long, and what is sought are races and
 * wrong uses of memory, not wrong numbers: long loops over cases try only some of them. */
#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
enum { FEW_CASES = 1 };
#else
enum { FEW_CASES = 0 };
#endif

/* The folder with data that is not part of the project: $REGMIX_SHARED, else ../shared beside the
 * project. See CONTRIBUTING.md, "Data for the tests". */
static inline const char *shared_folder(void) {
  const char *from_env = getenv("REGMIX_SHARED");
  return from_env && *from_env ? from_env : SHARED_FOLDER;
}
/* Whether `file` is in it. If not, says that `test` is skipped: the test must then return. */
static inline bool shared_has(const char *test, const char *file) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", shared_folder(), file);
  if (rmx_exists(path)) return true;
  printf("# skipped: %s (no data: %s)\n", test, path);
  return false;
}

/* A folder for the files of all tests of this program. It goes away, also when a test fails. */
static char scratch_folder[32] = "/tmp/regmix-tests-XXXXXX";

/* What `err` stands for in the calls below. */
static rmx_err test_error __attribute__((unused));

/* Fails the test with the library's own message. */
#define must(call)                                                   \
  do {                                                               \
    rmx_err *const err = &test_error;                                \
    rmx_status status_ = (call);                                     \
    ck_assert_msg(status_ == RMX_OK, "%s: %s", #call, err->message); \
  } while (0)

/* The call must fail with a message that contains `text`. */
#define must_fail(call, text)                                                                    \
  do {                                                                                           \
    rmx_err *const err = &test_error;                                                            \
    rmx_status status_ = (call);                                                                 \
    ck_assert_msg(status_ != RMX_OK, "%s: did not fail", #call);                                 \
    ck_assert_msg(strstr(err->message, text) != NULL, "%s: message \"%s\" has no \"%s\"", #call, \
                  err->message, text);                                                           \
  } while (0)

int main(int argc, char **argv) {
  (void)argc;
  const char *slash = strrchr(argv[0], '/');
  Suite *suite = suite_create(slash ? slash + 1 : argv[0]);
  TCase *tc = tcase_create("all");
  tcase_set_timeout(tc, 0);
  add_tests(tc);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_set_tap(runner, "-");
  if (!mkdtemp(scratch_folder)) return EXIT_FAILURE;
  srunner_run_all(runner, CK_SILENT);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  if (rmx_remove_tree(scratch_folder, &test_error) != RMX_OK) return EXIT_FAILURE;
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
