// SPDX-License-Identifier: Apache-2.0
// Mixtures: checked, normalised, tempered, capped, read from every form of file.

#include <regmix/mixture.h>
#include <unistd.h>

#include "base/json.h"
#include "mixture/domain_tree.h"
#include "testing.h"

static const char *const names[] = {"train_the_pile_a", "train_the_pile_b", "train_the_pile_c"};

static const char *file(const char *ending, const char *text) {
  static char path[128];
  rmx_err err;
  snprintf(path, sizeof path, "%s/mixture.%s", scratch_folder, ending);
  ck_assert_int_eq(rmx_write_file(path, text, strlen(text), &err), RMX_OK);
  return path;
}

START_TEST(checks) {
  double good[] = {0.2, 0.3, 0.502};
  must(rmx_mixture_check(good, 3, names, 0.01, "m.csv:2", err));
  ck_assert(fabs(good[0] + good[1] + good[2] - 1) < 1e-15);
  ck_assert(fabs(good[0] - 0.2 / 1.002) < 1e-15);
  double negative[] = {-0.1, 0.6, 0.5}, nan[] = {NAN, 0.5, 0.5}, percent[] = {20, 30, 50};
  must_fail(rmx_mixture_check(negative, 3, names, 0.01, "m.csv:7", err),
            "m.csv:7: the weight of \"train_the_pile_a\" is -0.1");
  must_fail(rmx_mixture_check(nan, 3, names, 0.01, "m.csv:7", err), "missing or not a number");
  must_fail(rmx_mixture_check(percent, 3, names, 0.01, "m.csv:9", err),
            "m.csv:9: the weights sum to 100");
  double zero[] = {0, 0, 0};
  must_fail(rmx_mixture_normalise(zero, 3, err), "sum to 0");
}
END_TEST

START_TEST(tempers) {
  double tokens[] = {1, 4, 0}, prior[3], out[3];
  rmx_mixture_prior(tokens, 3, prior);
  ck_assert(fabs(prior[0] - 0.2) < 1e-15 && prior[2] == 0);
  rmx_mixture_temper(prior, 3, 0.5, out);
  ck_assert(fabs(out[0] - 1.0 / 3) < 1e-15 && fabs(out[1] - 2.0 / 3) < 1e-15 && out[2] == 0);
  rmx_mixture_temper(prior, 3, 0, out);
  ck_assert(out[0] == 0.5 && out[2] == 0);
}
END_TEST

START_TEST(caps) {
  // One scale for all that stay free: 0.5 is kept at 0.3, the others grow by 0.7 / 0.5.
  double w[] = {0.5, 0.3, 0.2}, cap[] = {0.3, 1, 1};
  rmx_mixture_cap(w, cap, 3);
  ck_assert(w[0] == 0.3 && fabs(w[1] - 0.42) < 1e-15 && fabs(w[2] - 0.28) < 1e-15);
  // The second is pushed over its cap in turn.
  double v[] = {0.5, 0.3, 0.2}, two[] = {0.3, 0.35, 1};
  rmx_mixture_cap(v, two, 3);
  ck_assert(v[0] == 0.3 && v[1] == 0.35 && fabs(v[2] - 0.35) < 1e-15);
  // All weight capped: the rest goes where there is room.
  double alone[] = {1, 0, 0}, three[] = {0.4, 0.3, 0.9};
  rmx_mixture_cap(alone, three, 3);
  ck_assert(alone[0] == 0.4 && fabs(alone[1] - 0.15) < 1e-15 && fabs(alone[2] - 0.45) < 1e-15);
}
END_TEST

START_TEST(reads) {
  double w[3];
  must(rmx_mixture_read(
      file("yaml", "train:\n  train_the_pile_a: 0.25\n  train_the_pile_c: 0.75\nvalid:\n  x: 1\n"),
      names, 3, w, err));
  ck_assert(w[0] == 0.25 && w[1] == 0 && w[2] == 0.75);
  must(rmx_mixture_read(file("yaml", "a: 0.5\nb: 0.5\n"), names, 3, w, err));
  ck_assert(w[0] == 0.5 && w[1] == 0.5 && w[2] == 0);
  must(rmx_mixture_read(file("json", "{\"mixture\": {\"b\": 1}}"), names, 3, w, err));
  ck_assert(w[1] == 1);
  must(rmx_mixture_read(file("csv", "domain,weight\na,0.1\nb,0.9\n"), names, 3, w, err));
  ck_assert(w[0] == 0.1 && w[1] == 0.9);
  must(rmx_mixture_read(file("csv", "run,c,b,a\nbest,0.5,0.25,0.25\n"), names, 3, w, err));
  ck_assert(w[2] == 0.5 && w[0] == 0.25);
  json_t *json = rmx_mixture_json(w, names, 3);
  ck_assert(json_number_value(json_object_get(json, "train_the_pile_c")) == 0.5);
  json_decref(json);
}
END_TEST

START_TEST(refuses) {
  double w[3] = {7, 7, 7};
  must_fail(rmx_mixture_read(file("yaml", "a: 0.5\nzebra: 0.5\n"), names, 3, w, err), "zebra");
  must_fail(rmx_mixture_read(file("yaml", "a: 0.5\nzebra: 0.5\n"), names, 3, w, err), ".yaml:2");
  must_fail(rmx_mixture_read(file("yaml", "a: 0.5\ntrain_the_pile_a: 0.5\n"), names, 3, w, err),
            "given twice");
  must_fail(rmx_mixture_read(file("yaml", "a: lots\n"), names, 3, w, err), "is not a number");
  must_fail(rmx_mixture_read(file("yaml", "- a\n- b\n"), names, 3, w, err), "wanted a map");
  must_fail(rmx_mixture_read(file("yaml", "a: 0.4\nb: 0.4\n"), names, 3, w, err), "sum to 0.8");
  must_fail(rmx_mixture_read(file("csv", "run,a,b\n1,0.5,0.5\n2,0.5,0.5\n"), names, 3, w, err),
            "2 rows");
  must_fail(rmx_mixture_read("/nowhere/m.yaml", names, 3, w, err), "/nowhere/m.yaml");
  rmx_strings none = {0};
  must_fail(rmx_mixture_names(file("yaml", "a: 0.5\n\"\": 0.5\n"), &none, err),
            ".yaml:2: a domain");
  must_fail(rmx_mixture_names(file("csv", "domain,weight\n,0.5\nb,0.5\n"), &none, err), "no name");
  rmx_strings_release(&none);
  ck_assert(w[0] == 7);
}
END_TEST

// Members of a node as digits: "014" are the domains 0, 1 and 4.
static void node_is(const rmx__domain_tree *t, const char *name, const char *members,
                    const char *parent) {
  size_t k = rmx__domain_tree_find(t, name);
  ck_assert_msg(k != SIZE_MAX, "%s is not there", name);
  const rmx__domain_node *v = &t->node[k];
  ck_assert_uint_eq(v->n, strlen(members));
  for (size_t i = 0; i < v->n; i++) ck_assert_uint_eq(v->member[i], (size_t)(members[i] - '0'));
  ck_assert_uint_eq(v->level, parent ? 1 : 0);
  ck_assert(parent ? v->parent < k && strcmp(t->node[v->parent].name, parent) == 0
                   : v->parent == SIZE_MAX);
}

START_TEST(tree) {
  static const char *const domains[] = {"web:code:q1", "books", "web:code/q2", "web:law", "pdf/law",
                                        "a:b:c:d:e",   ":odd",  "odd:",        "b::c",    ""};
  rmx__domain_tree t;
  must(rmx__domain_tree_make(domains, 10, &t, err));
  ck_assert_uint_eq(t.n, 5);
  node_is(&t, "web", "023", NULL);
  node_is(&t, "web:code", "02", "web");
  node_is(&t, "pdf", "4", NULL);
  node_is(&t, "a", "5", NULL);
  node_is(&t, "a:b", "5", "a");
  ck_assert(rmx__domain_tree_find(&t, "books") == SIZE_MAX &&
            rmx__domain_tree_find(&t, "we") == SIZE_MAX);
  ck_assert_str_eq(rmx__domain_leaf("web:code:q1"), "q1");
  ck_assert_str_eq(rmx__domain_leaf("a:b:c:d:e"), "c:d:e");
  ck_assert_str_eq(rmx__domain_leaf("books"), "books");
  ck_assert_str_eq(rmx__domain_leaf("b::c"), "b::c");
  rmx__domain_tree_release(&t);
}
END_TEST

static const char *const grown[] = {"web:news:q0", "web:news:q1", "web:blogs", "code/py",
                                    "code/c",      "wiki",        "web"};
enum { GROWN = sizeof grown / sizeof *grown };

// The domains that a name stands for, as digits: "012".
static const char *stands_for(const char *name) {
  static char text[GROWN + 1];
  bool member[GROWN];
  size_t n = 0;
  must(rmx_find_domains(name, grown, GROWN, member, NULL, err));
  for (size_t d = 0; d < GROWN; d++)
    if (member[d]) text[n++] = (char)('0' + d);
  text[n] = '\0';
  return text;
}

START_TEST(nodes_are_found) {
  ck_assert_str_eq(stands_for("web:news"), "01");
  ck_assert_str_eq(stands_for("code"), "34");
  ck_assert_str_eq(stands_for("code/"), "34");
  ck_assert_str_eq(stands_for("web:blogs"), "2");
  ck_assert_str_eq(stands_for("train_wiki"), "5");
  // A domain has the name of the node: the name is the domain, and with a colon the node.
  ck_assert_str_eq(stands_for("web"), "6");
  ck_assert_str_eq(stands_for("web:"), "012");
  RMX_OWNED char *whole = NULL, *other = NULL;
  bool member[GROWN];
  must(rmx_find_domains("web/", grown, GROWN, member, &whole, err));
  ck_assert_str_eq(whole, "web:");
  must(rmx_find_domains("code:", grown, GROWN, member, &other, err));
  ck_assert_str_eq(other, "code");
  must_fail(rmx_find_domains("web:nwes", grown, GROWN, member, NULL, err),
            "unknown domain or node \"web:nwes\"; did you mean \"web:news\"?");
  must_fail(rmx_find_domains("zebra", names, 3, member, NULL, err), "unknown domain \"zebra\"");
}
END_TEST

START_TEST(folds) {
  static const double w[GROWN] = {0.1, 0.2, 0.05, 0.1, 0.2, 0.25, 0.1};
  static const struct {
    size_t levels, n;
    const char *names[6];
    double sum[6];
  } cases[] = {
      {1, 4, {"web:", "code", "wiki", "web"}, {0.35, 0.3, 0.25, 0.1}},
      {2,
       6,
       {"web:news", "web:blogs", "code/py", "code/c", "wiki", "web"},
       {0.3, 0.05, 0.1, 0.2, 0.25, 0.1}},
  };
  for (size_t c = 0; c < 2; c++) {
    rmx_strings folded = {0};
    size_t into[GROWN];
    double sum[GROWN];
    must(rmx_fold(grown, GROWN, cases[c].levels, &folded, into, err));
    rmx_fold_sum(into, GROWN, folded.n, w, sum);
    ck_assert_uint_eq(folded.n, cases[c].n);
    for (size_t k = 0; k < folded.n; k++) {
      ck_assert_str_eq(folded.items[k], cases[c].names[k]);
      ck_assert(fabs(sum[k] - cases[c].sum[k]) < 1e-12);
    }
    rmx_strings_release(&folded);
  }
}
END_TEST

static rmx_strings texts_of(const char *a, const char *b) {
  rmx_strings s = {0};
  ck_assert(rmx_strings_add(&s, a) && (!b || rmx_strings_add(&s, b)));
  return s;
}

START_TEST(shares_of_phases) {
  RMX_OWNED double *one = NULL, *two = NULL, *none = NULL;
  size_t n;
  rmx_strings joined = texts_of("0.8,0.2", NULL), apart = texts_of("0.8", "0.2");
  rmx_strings over = texts_of("0.8", "0.3"), below = texts_of("1.2,-0.2", NULL), empty = {0};
  must(rmx_phase_shares(&joined, "--phases", &one, &n, err));
  ck_assert(n == 2 && one[0] == 0.8 && one[1] == 0.2);
  must(rmx_phase_shares(&apart, "sample.phases", &two, &n, err));
  ck_assert(n == 2 && two[0] == 0.8);
  must(rmx_phase_shares(&empty, "--phases", &none, &n, err));
  ck_assert(n == 0 && !none);
  must_fail(rmx_phase_shares(&over, "--phases", &none, &n, err), "sum to 1.1, wanted 1");
  must_fail(rmx_phase_shares(&below, "--phases", &none, &n, err), "between 0 and 1");
  // 0.8 of 32 steps are 25.6: the second phase begins at step 26
  const rmx_phases phases = {.n = 2, .share = one};
  ck_assert(rmx_phase_at(&phases, 25, 32) == 0 && rmx_phase_at(&phases, 26, 32) == 1);
  rmx_strings *all[] = {&joined, &apart, &over, &below};
  for (size_t i = 0; i < 4; i++) rmx_strings_release(all[i]);
}
END_TEST

START_TEST(columns_of_phases) {
  RMX_OWNED_BY(rmx_phase_columns_release) rmx_phase_columns c = {0}, none = {0};
  const char *good[] = {"phase_1_web", "phase_1_code", "phase_2_code", "phase_2_web"},
             *single[] = {"phase_1_web", "phase_1_code"}, *gap[] = {"stage0/web", "stage2/web"},
             *mixed[] = {"phase_0_web", "phase_1_web", "web"},
             *twice[] = {"phase_0_web", "phase-0_web", "phase_1_web"};
  must(rmx_phase_columns_find(good, 4, &c, err));
  ck_assert(c.n == 2 && c.n_domains == 2 && c.of[1] == 0 && c.of[2] == 1 && c.index[3] == 0);
  ck_assert_str_eq(c.domains[1], "code");
  must(rmx_phase_columns_find(single, 2, &none, err));
  ck_assert(none.n == 0);
  must_fail(rmx_phase_columns_find(gap, 2, &none, err), "none of phase 1");
  must_fail(rmx_phase_columns_find(mixed, 3, &none, err), "\"web\" is not");
  must_fail(rmx_phase_columns_find(twice, 3, &none, err), "the same phase and domain");
  const double share[] = {0.8, 0.2};
  double weights[] = {0.25, 0.75, 0.5, 0.5}, parts[] = {0.2, 0.6, 0.1, 0.1},
         wrong[] = {0.25, 0.25, 0.5, 0.5};
  must(rmx_phases_of_row(&c, share, weights, "m.csv:2", err));
  must(rmx_phases_of_row(&c, share, parts, "m.csv:3", err));
  for (size_t d = 0; d < 4; d++) ck_assert_double_eq_tol(weights[d], parts[d], 1e-12);
  must_fail(rmx_phases_of_row(&c, share, wrong, "m.csv:4", err),
            "m.csv:4: the weights of phase 0 sum to 0.5");
}
END_TEST

START_TEST(ratios_that_are_reused) {
  rmx_reuse r;
  must(rmx_reuse_read(file("yaml", "a: 0.5\nold: 0.5\n"), &r, err));
  ck_assert(!r.name);
  must(rmx_reuse_read(file("csv", "a,b\n"), &r, err));
  ck_assert(!r.name);
  must(rmx_reuse_read(file("yaml", "reuse: {old: {b: 0.25, c: 0.75, d: 0}}\n"), &r, err));
  ck_assert_str_eq(r.name, "old");
  ck_assert_uint_eq(r.members.n, 3);
  ck_assert_str_eq(r.members.items[1], "c");
  ck_assert(r.ratio[0] == 0.25 && r.ratio[1] == 0.75 && r.ratio[2] == 0);
  json_t *map = json_pack("{s:f, s:f}", "a", 0.5, "old", 0.5), *out = rmx_reuse_expand(&r, map);
  ck_assert_uint_eq(json_object_size(out), 4);
  ck_assert(json_number_value(json_object_get(out, "a")) == 0.5);
  ck_assert(json_number_value(json_object_get(out, "c")) == 0.375);
  json_decref(map);
  json_decref(out);
  rmx_reuse_release(&r);
  // Ratios that are rounded are made to sum to 1.
  must(rmx_reuse_read(file("yaml", "reuse: {old: {b: 0.333, c: 0.666}}\n"), &r, err));
  ck_assert(fabs(r.ratio[0] - 1.0 / 3) < 1e-15 && fabs(r.ratio[1] - 2.0 / 3) < 1e-15);
  rmx_reuse_release(&r);
  must_fail(rmx_reuse_read(file("yaml", "reuse: {old: {b: 0.4, c: 0.5}}\n"), &r, err),
            "reuse: the ratios of \"old\" sum to 0.9; wanted 1");
  must_fail(rmx_reuse_read(file("yaml", "reuse: {old: {b: 0.506, c: 0.505}}\n"), &r, err),
            "sum to 1.011; wanted 1");
  must_fail(rmx_reuse_read(file("yaml", "reuse: {old: {b: 1.5, c: -0.5}}\n"), &r, err),
            "reuse: the ratio of \"b\" is not a number from 0 to 1");
  must_fail(rmx_reuse_read(file("yaml", "reuse: {old: 1}\n"), &r, err),
            "reuse: wanted one virtual domain");
  must_fail(rmx_reuse_read(file("yaml", "reuse: {old: {b: 1}, new: {c: 1}}\n"), &r, err),
            "reuse: wanted one virtual domain");
  unlink(file("yaml", ""));
  unlink(file("csv", ""));
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, ratios_that_are_reused);
  tcase_add_test(tc, checks);
  tcase_add_test(tc, tempers);
  tcase_add_test(tc, caps);
  tcase_add_test(tc, reads);
  tcase_add_test(tc, refuses);
  tcase_add_test(tc, tree);
  tcase_add_test(tc, nodes_are_found);
  tcase_add_test(tc, folds);
  tcase_add_test(tc, shares_of_phases);
  tcase_add_test(tc, columns_of_phases);
}
