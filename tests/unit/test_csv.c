// SPDX-License-Identifier: Apache-2.0
#include "testing.h"

#include <locale.h>
#include <unistd.h>

static char path[] = "/tmp/regmix-test-XXXXXX";

static const char *file_with(const char *text) {
  static char made[64];
  snprintf(made, sizeof made, "%s", path);
  int fd = mkstemp(made);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq((int)write(fd, text, strlen(text)), (int)strlen(text));
  close(fd);
  return made;
}

START_TEST(reads_quotes_blanks_and_crlf) {
  const char *f =
      file_with("\xEF\xBB\xBFrun,\"a,b\",c\r\n1,0.5, 0.5\r\n\r\n\"two \"\"x\"\"\",NaN,\r\n");
  rmx_table t;
  must(rmx_csv_read(f, &t, err));
  unlink(f);
  ck_assert_str_eq(t.id_name, "run");
  ck_assert_str_eq(t.names[0], "a,b");
  ck_assert_uint_eq(t.N, 2);
  ck_assert_uint_eq(t.D, 2);
  ck_assert_str_eq(t.ids[1], "two \"x\"");
  ck_assert(t.x[0] == 0.5 && t.x[1] == 0.5);
  ck_assert(isnan(t.x[2]) && isnan(t.x[3]));
  ck_assert_int_eq(t.lines[1], 4);
  rmx_table_release(&t);
}
END_TEST

static void refuse(const char *text, const char *message) {
  const char *f = file_with(text);
  rmx_table t;
  must_fail(rmx_csv_read(f, &t, err), message);
  unlink(f);
}

START_TEST(blanks_around_quotes_and_old_line_ends) {
  rmx_table t;
  const char *f = file_with("run, \"a, b\" ,\t\"c\"\n \"r \"\"1\" , 0.5, \"0.25\"\n");
  must(rmx_csv_read(f, &t, err));
  unlink(f);
  ck_assert_uint_eq(t.D, 2);
  ck_assert_str_eq(t.names[0], "a, b");
  ck_assert_str_eq(t.names[1], "c");
  ck_assert_str_eq(t.ids[0], "r \"1");
  ck_assert(t.x[0] == 0.5 && t.x[1] == 0.25);
  rmx_table_release(&t);
  f = file_with("run,a\r1,0.5\r2,\"0.25\"\r");
  must(rmx_csv_read(f, &t, err));
  unlink(f);
  ck_assert_uint_eq(t.N, 2);
  ck_assert(t.x[1] == 0.25 && t.lines[1] == 3);
  rmx_table_release(&t);
}
END_TEST

// A program that the library is part of may have chosen a locale with a decimal comma.
START_TEST(numbers_have_a_point_in_any_locale) {
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "ru_RU.UTF-8"};
  bool found = false;
  for (size_t i = 0; i < sizeof names / sizeof *names && !found; i++)
    found = setlocale(LC_NUMERIC, names[i]) && strcmp(localeconv()->decimal_point, ",") == 0;
  if (!found) {
    printf("# skipped: numbers_have_a_point_in_any_locale (no locale with a decimal comma)\n");
    return;
  }
  rmx_table t, again;
  double x;
  char text[32];
  const char *f = file_with("run,a,b\n1,0.5,1e-3\n2,0.25,-1.5\n");
  must(rmx_csv_read(f, &t, err));
  ck_assert(t.x[0] == 0.5 && t.x[1] == 1e-3 && t.x[2] == 0.25 && t.x[3] == -1.5);
  must(rmx_csv_write(f, &t, err));
  must(rmx_csv_read(f, &again, err));
  ck_assert_mem_eq(t.x, again.x, 4 * sizeof *t.x);
  rmx_double_text(0.1, text);
  ck_assert_str_eq(text, "0.1");
  rmx_double_text(2.2250738585072011e-308, text);
  ck_assert_ptr_null(strchr(text, ','));
  must(rmx_parse_real("1.5", "a number", &x, err));
  ck_assert(x == 1.5);
  snprintf(text, sizeof text, "%.1f", 0.5);  // and the program keeps its own
  ck_assert_str_eq(text, "0,5");
  setlocale(LC_NUMERIC, "C");
  unlink(f);
  rmx_table_release(&t);
  rmx_table_release(&again);
}
END_TEST

START_TEST(errors_name_the_line) {
  refuse("", "empty");
  refuse("run,a\n", "no rows");
  refuse("run,a,a\n1,2,3\n", "two columns are named \"a\"");
  refuse("run,a\n1,2\n2,x\n", ":3: column \"a\": \"x\" is not a number");
  refuse("run,a\n1,2,3\n", ":2: 3 fields, the header has 2");
  refuse("run,a\n\"1,2\n", "does not end");
  refuse("run,a\n\"1\"\r2,3\n", ":2: text after a closing quote");
  refuse("run,a\n1,\"2\"\r3,4\n", ":2: text after a closing quote");
  refuse("run,a\n1,inf\n", "not a number");
  refuse("run\n1\n", "one column only");
  refuse("run,a\n1,\"3,5\"\n", "\"3,5\" is not a number; write a point for the decimal comma");
  refuse("run,a\n1,\"0,500\"\n", "write a point for the decimal comma");
  refuse("run,a\n1,\"1,500\"\n", "without the comma if it is between thousands, or with a point");
  refuse("run,a\n1,\"1,500.5\"\n", "write it without commas between its digits");
  refuse("run,a\n1,\"1.500,5\"\n", "without points between its digits, and with a point");
}
END_TEST

START_TEST(written_numbers_read_back_exactly) {
  rmx_table t, again;
  must(rmx_table_make(&t, "run", 2, 3, err));
  double values[] = {0.1, 1.0 / 3.0, 1e-300, -2.5e17, NAN, 5};
  memcpy(t.x, values, sizeof values);
  for (int j = 0; j < 3; j++) t.names[j] = rmx_format("d%d", j);
  t.ids[0] = rmx_strdup("with,comma");
  t.ids[1] = rmx_strdup("plain");
  const char *f = file_with("");
  must(rmx_csv_write(f, &t, err));
  must(rmx_csv_read(f, &again, err));
  unlink(f);
  for (int i = 0; i < 6; i++)
    ck_assert(isnan(values[i]) ? isnan(again.x[i]) : again.x[i] == values[i]);
  ck_assert_str_eq(again.ids[0], "with,comma");
  rmx_table_release(&t);
  rmx_table_release(&again);
}
END_TEST

START_TEST(a_failed_write_leaves_the_old_file) {
  const char *f = file_with("old");
  rmx_outfile o;
  must(rmx_outfile_open(&o, f, err));
  fputs("new, but half", o.file);
  rmx_outfile_discard(&o);
  char *text;
  must(rmx_read_file(f, &text, NULL, err));
  ck_assert_str_eq(text, "old");
  free(text);
  unlink(f);
  must_fail(rmx_write_file("/nonexistent/folder/file", "x", 1, err), "/nonexistent/folder/file");
}
END_TEST

START_TEST(a_full_disk_is_an_error) {
  if (access("/dev/full", W_OK) != 0) return;
  rmx_outfile o = {.file = fopen("/dev/full", "w"),
                   .path = rmx_strdup("results.csv"),
                   .temporary = rmx_strdup("/tmp/none")};
  fputs("x", o.file);
  must_fail(rmx_outfile_commit(&o, err), "No space left");
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, reads_quotes_blanks_and_crlf);
  tcase_add_test(tc, blanks_around_quotes_and_old_line_ends);
  tcase_add_test(tc, errors_name_the_line);
  tcase_add_test(tc, numbers_have_a_point_in_any_locale);
  tcase_add_test(tc, written_numbers_read_back_exactly);
  tcase_add_test(tc, a_failed_write_leaves_the_old_file);
  tcase_add_test(tc, a_full_disk_is_an_error);
}
