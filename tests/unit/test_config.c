// SPDX-License-Identifier: Apache-2.0
#include "testing.h"

#include <regmix/experiment.h>
#include <unistd.h>

static const char *file_with(const char *text) {
  static char made[64];
  snprintf(made, sizeof made, "%s/XXXXXX", scratch_folder);
  int fd = mkstemp(made);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq((int)write(fd, text, strlen(text)), (int)strlen(text));
  close(fd);
  return made;
}

START_TEST(reads_sections_maps_and_settings) {
  const char *f = file_with(
      "corpus:\n  domains:\n    web: text/*.jsonl\n    exam:\n      files: [a.txt, b.txt]\n      "
      "valid_only: true\n"
      "target: {exam: 1, web: 0.5}\nproxy: {tokens: 600k, lr: 1e-3}\ncompare:\n  against: "
      "[prior]\n");
  const char *settings[] = {"large.tokens=2M", "trees.rounds=7", "target.code=-1"};
  rmx_config c;
  must(rmx_config_read(f, settings, 3, &c, err));
  unlink(f);
  ck_assert_uint_eq(c.n_domains, 2);
  ck_assert_str_eq(c.domains[1].name, "exam");
  ck_assert_uint_eq(c.domains[1].files.n, 2);
  ck_assert(c.domains[1].valid_only && !c.domains[0].valid_only);
  ck_assert_uint_eq(c.n_target, 3);
  ck_assert(c.target[1].weight == 0.5 && c.target[2].weight == -1);
  ck_assert_int_eq(c.proxy.tokens, 600000);
  ck_assert(c.proxy.lr == 1e-3);
  ck_assert_int_eq(c.large.tokens, 2000000);
  ck_assert_str_eq(c.large.schedule, "cosine");
  ck_assert_str_eq(c.proxy.schedule, "constant");
  ck_assert_int_eq(c.regress.trees.rounds, 7);
  ck_assert_uint_eq(c.compare.against.n, 1);
  rmx_config_release(&c);
}
END_TEST

START_TEST(a_setting_replaces_the_list_of_the_file) {
  const char *f = file_with("sample: {phases: [0.7, 0.3]}\ncompare: {against: [prior, a.yaml]}\n");
  static const struct {
    const char *settings[2];
    size_t n_against;
    const char *against[2];
  } cases[] = {
      {{"sample.phases=[0.8, 0.2]", "compare.against=uniform"}, 1, {"uniform"}},
      {{"compare.against=uniform", "compare.against=b.yaml"}, 2, {"uniform", "b.yaml"}},
      {{"compare.against=[ uniform , b.yaml ]", "seed=3"}, 2, {"uniform", "b.yaml"}},
      {{"seed=3", "jobs=1"}, 2, {"prior", "a.yaml"}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    rmx_config c;
    must(rmx_config_read(f, cases[i].settings, 2, &c, err));
    ck_assert_uint_eq(c.compare.against.n, cases[i].n_against);
    for (size_t j = 0; j < c.compare.against.n; j++)
      ck_assert_str_eq(c.compare.against.items[j], cases[i].against[j]);
    ck_assert_uint_eq(c.sample.phases.n, 2);
    ck_assert_str_eq(c.sample.phases.items[0], i == 0 ? "0.8" : "0.7");
    rmx_config_release(&c);
  }
  unlink(f);
}
END_TEST

// What resolved.yaml holds is itself a config, and the same one.
START_TEST(resolved_reads_back_the_same) {
  const char *settings[] = {"proxy.model=mini", "sample.grid=0.001", "target=exam"};
  rmx_config c, again;
  must(rmx_config_read(NULL, settings, 3, &c, err));
  json_t *tree = rmx_config_json(&c);
  const char *f = file_with("");
  must(rmx__yaml_write(f, tree, "a heading\nof two lines", err));
  must(rmx_config_read(f, NULL, 0, &again, err));
  unlink(f);
  json_t *second = rmx_config_json(&again);
  ck_assert(json_equal(tree, second));
  json_decref(tree);
  json_decref(second);
  rmx_config_release(&c);
  rmx_config_release(&again);
}
END_TEST

static void refuse(const char *yaml, const char *setting, const char *message) {
  const char *f = file_with(yaml);
  rmx_config c;
  must_fail(rmx_config_read(f, &setting, setting ? 1 : 0, &c, err), message);
  unlink(f);
}

START_TEST(errors_say_where_and_what) {
  refuse("proxy:\n  tokns: 5\n", NULL,
         ":2: unknown key \"proxy.tokns\"; did you mean \"proxy.tokens\"?");
  refuse("a: 1\n", NULL, "unknown key \"a\"");
  refuse("proxy:\n  lr: fast\n", NULL, "\"fast\" is not a number");
  refuse("proxy:\n  lr: -1\n", NULL, "out of bounds");
  refuse("proxy:\n  schedule: linear\n", NULL, "none of constant|cosine");
  refuse("proxy: {lr: 1, lr: 2}\n", NULL, "given twice");
  refuse("proxy: [1\n", NULL, "not YAML");
  refuse("corpus:\n  domains:\n    web: {files: x, valid: true}\n", NULL,
         "corpus.domains.web: unknown key \"valid\"");
  refuse("corpus:\n  domains:\n    a/b: x\n", NULL, "can't be a name");
  refuse("- 1\n", NULL, "wanted a map");
  refuse("", "proxy.tokens", "wanted key=value");
  refuse("", "proxy.tokens=many", "not a whole number");
  refuse("", "proxi.tokens=1", "did you mean \"proxy.tokens\"");
}
END_TEST

START_TEST(yaml_scalars_keep_their_kind) {
  rmx__yaml y;
  const char *text =
      "a: 1\nb: 1.5\nc: \"1\"\nd: yes-man\ne: true\nf: ~\ng: 'it''s'\nh: |\n  two\n  lines\n";
  must(rmx__yaml_parse(text, strlen(text), "test", &y, err));
  ck_assert(json_is_integer(json_object_get(y.root, "a")));
  ck_assert(json_is_real(json_object_get(y.root, "b")));
  ck_assert(json_is_string(json_object_get(y.root, "c")));
  ck_assert_str_eq(json_string_value(json_object_get(y.root, "d")), "yes-man");
  ck_assert(json_is_true(json_object_get(y.root, "e")));
  ck_assert(json_is_null(json_object_get(y.root, "f")));
  ck_assert_str_eq(json_string_value(json_object_get(y.root, "g")), "it's");
  ck_assert_str_eq(json_string_value(json_object_get(y.root, "h")), "two\nlines\n");
  ck_assert_int_eq(rmx__yaml_line(&y, json_object_get(y.root, "g")), 7);
  rmx__yaml_release(&y);
}
END_TEST

START_TEST(numbers_with_suffixes) {
  int64_t i;
  double x;
  must(rmx_parse_int("600k", "n", &i, err));
  ck_assert_int_eq(i, 600000);
  must(rmx_parse_int("1.5M", "n", &i, err));
  ck_assert_int_eq(i, 1500000);
  must(rmx_parse_int("9007199254740993", "n", &i, err));
  ck_assert_int_eq(i, 9007199254740993);
  must(rmx_parse_real("1T", "x", &x, err));
  ck_assert_double_eq(x, 1e12);
  must(rmx_parse_real("2e-4", "x", &x, err));
  ck_assert(x == 2e-4);
  must_fail(rmx_parse_int("1.5", "n", &i, err), "not a whole number");
  must_fail(rmx_parse_real("nan", "x", &x, err), "not a number");
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, reads_sections_maps_and_settings);
  tcase_add_test(tc, a_setting_replaces_the_list_of_the_file);
  tcase_add_test(tc, resolved_reads_back_the_same);
  tcase_add_test(tc, errors_say_where_and_what);
  tcase_add_test(tc, yaml_scalars_keep_their_kind);
  tcase_add_test(tc, numbers_with_suffixes);
}
