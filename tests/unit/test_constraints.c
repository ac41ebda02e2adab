// SPDX-License-Identifier: Apache-2.0
// Every constraint is kept, and those that clash are named.
#include <unistd.h>

#include "base/json.h"
#include "listening.h"
#include "optimize/search.h"
#include "optimum_asks.h"

// Random mixtures are brought into an order by swapping what is wrong, or by making it equal.
START_TEST(orders_are_reached_by_sorting_and_by_levelling) {
  enum { N = 5 };
  static const struct {
    const char *order;
    int chain[4];  // indices; -1: the end
  } cases[] = {{"a<b", {0, 1, -1}},
               {"b<a", {1, 0, -1}},
               {"e<a", {4, 0, -1}},
               {"a<c<e", {0, 2, 4, -1}},
               {"c<b<a", {2, 1, 0, -1}}};
  rmx_rng rng = rmx_rng_make(16, 0, RMX_FOR_TEST);
  double even[N] = {0.2, 0.2, 0.2, 0.2, 0.2}, alpha[N] = {1, 1, 1, 1, 1}, w[N], v[N];
  rmx_regressor *functions[1] = {random_power(&rng, N, 0, false)};
  rmx_fit *f = hand_fit(&rng, N, 1, functions);
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    rmx_problem q = ask(f, NULL, NULL, NULL);
    rmx__feasible r;
    bool clash;
    must(rmx_constraints_order(&q.constraints, cases[k].order, (const char *const *)f->domains,
                               err));
    must(rmx__feasible_make(&r, f, &q.constraints, false, even, &clash, err));
    for (int trial = 0; trial < 50; trial++) {
      const int *c = cases[k].chain;
      rmx_dirichlet(&rng, alpha, N, w);
      for (int level = 0; level < 2; level++) {
        double sum = 0, in = 0, out = 0;
        bool held = true;
        memcpy(v, w, sizeof v);
        (level ? rmx__feasible_level : rmx__feasible_sort)(&r, v);
        for (int d = 0; d < N; d++) sum += v[d];
        ck_assert_double_eq_tol(sum, 1, 1e-12);
        for (int i = 0; c[i] >= 0; i++) {
          in += w[c[i]], out += v[c[i]];
          if (i && w[c[i - 1]] > w[c[i]]) held = false;
          if (i)
            ck_assert_msg(v[c[i - 1]] <= v[c[i]] + 1e-9, "%s: %g > %g", cases[k].order, v[c[i - 1]],
                          v[c[i]]);
        }
        ck_assert_double_eq_tol(in, out, 1e-9);  // the others keep their weights
        for (int d = 0; d < N && held; d++) ck_assert_double_eq_tol(v[d], w[d], 1e-12);
        if (!level && c[2] < 0) {  // of two: the same two weights
          ck_assert_double_eq_tol(v[c[0]], fmin(w[c[0]], w[c[1]]), 1e-12);
          ck_assert_double_eq_tol(v[c[1]], fmax(w[c[0]], w[c[1]]), 1e-12);
        }
        if (level && c[2] < 0 && !held) ck_assert_double_eq_tol(v[c[0]], v[c[1]], 1e-12);
      }
    }
    rmx__feasible_release(&r);
    rmx_problem_release(&q);
  }
  rmx_fit_free(f);
}
END_TEST

static void random_constraints(rmx_rng *rng, const rmx_fit *f, rmx_constraints *k) {
  const char *const *names = (const char *const *)f->domains;
  char text[100];
  size_t n = f->D;
  for (int i = (int)rmx_rng_below(rng, 4); i-- > 0;) {
    static const double most[] = {0.5, 1, 0.4};
    rmx_bound kind = (rmx_bound)rmx_rng_below(rng, 3);
    snprintf(text, sizeof text, "%s=%.3f", names[rmx_rng_below(rng, n)],
             most[kind] * rmx_rng_uniform(rng));
    must(rmx_constraints_bound(k, kind, text, names, err));
  }
  for (int i = (int)rmx_rng_below(rng, 3); i-- > 0;) {
    double low = 0.7 * rmx_rng_uniform(rng), high = low + (1 - low) * rmx_rng_uniform(rng);
    size_t a = rmx_rng_below(rng, n);
    snprintf(text, sizeof text, "s%d=%.3f..%.3f:%s,%s,%s", i, low, high, names[a],
             names[(a + 1) % n], names[(a + 3) % n]);
    must(rmx_constraints_share(k, text, names, err));
  }
  for (int i = (int)rmx_rng_below(rng, 3); i-- > 0;) {
    size_t a = rmx_rng_below(rng, n - 2);  // from left to right, so there is no cycle
    snprintf(text, sizeof text, "%s<%s<%s", names[a], names[a + 1], names[n - 1]);
    if (a + 1 < n - 1) must(rmx_constraints_order(k, text, names, err));
  }
  if (rmx_rng_below(rng, 4) == 0) k->drop_below = 0.1 * rmx_rng_uniform(rng);
  if (rmx_rng_below(rng, 3) == 0) {
    k->reference = rmx_calloc(n, sizeof(double));
    double alpha[32];
    for (size_t d = 0; d < n; d++) alpha[d] = 3;
    rmx_dirichlet(rng, alpha, n, k->reference);
    k->max_kl = 0.5 * rmx_rng_uniform(rng);
  }
}

START_TEST(every_constraint_is_kept) {
  rmx_rng rng = rmx_rng_make(7, 0, RMX_FOR_TEST);
  int kept = 0, refused = 0;
  for (int trial = 0; trial < 80; trial++) {
    size_t n = 4 + rmx_rng_below(&rng, 5);
    rmx_regressor *functions[2] = {random_power(&rng, n, 0.3, false), random_exp(&rng, n)};
    rmx_fit *f = hand_fit(&rng, n, 2, functions);
    rmx_problem q = ask(f, NULL, NULL, NULL);
    random_constraints(&rng, f, &q.constraints);
    rmx_optimize_options options[2] = {usual, climb};
    options[0].samples = 1000;
    options[1].starts = 3;
    double alpha[32], w[32], least = INFINITY;
    rmx_status status[2];
    for (int k = 0; k < 2; k++) {
      rmx_optimum *o;
      options[k].guard = trial % 3 == 0;
      status[k] =
          rmx_optimize(&(rmx_optimize_request){f, &q, &options[k], 1, 1, NULL}, &o, &test_error);
      if (status[k] != RMX_OK) {
        const char *why = test_error.message;
        ck_assert_msg(status[k] == RMX_EINPUT, "trial %d: %s", trial, why);
        ck_assert_msg(strstr(why, "--") || strstr(why, "near the runs"), "trial %d: %s", trial,
                      why);
        continue;
      }
      double excess = rmx_constraints_excess(&q.constraints, o->mixture);
      ck_assert_msg(excess <= 1e-6, "trial %d, %s: passed by %g", trial, o->method, excess);
      // What is dropped may leave the range of the runs, but not their balls.
      ck_assert(!o->guarded || o->followed ||
                (!o->far && (!o->outside || q.constraints.drop_below > 0)));
      kept++;
      rmx_optimum_free(o);
    }
    refused += status[1] != RMX_OK;
    // What is refused has no mixture: at least none of many random ones.
    for (size_t d = 0; d < n; d++) alpha[d] = 0.5;
    for (int i = 0; i < 3000 && status[1] != RMX_OK && !(q.constraints.drop_below > 0); i++) {
      rmx_dirichlet(&rng, alpha, n, w);
      least = fmin(least, rmx_constraints_excess(&q.constraints, w));
    }
    ck_assert_msg(least > 1e-9, "trial %d: refused, but a random mixture keeps all", trial);
    rmx_problem_release(&q);
    rmx_fit_free(f);
  }
  ck_assert_msg(kept > 80 && refused > 5, "%d %d", kept, refused);
}
END_TEST

static double total(const rmx_optimum *o, size_t from, size_t to) {
  double sum = 0;
  for (size_t d = from; d < to; d++) sum += o->mixture[d];
  return sum;
}

// With many domains and metrics one way down from the optimum takes the place of a whole search.
START_TEST(effects_of_many_domains_begin_at_the_optimum) {
  enum { N = 40, METRICS = 26 };
  rmx_rng rng = rmx_rng_make(23, 0, RMX_FOR_TEST);
  rmx_regressor *functions[METRICS];
  for (int m = 0; m < METRICS; m++) functions[m] = random_exp(&rng, N);
  rmx_fit *f = hand_fit(&rng, N, METRICS, functions);
  rmx_problem q = ask(f, NULL, NULL, NULL);
  for (int m = 0; m < METRICS; m++) q.target.weight[m] = 1.0 / METRICS;
  rmx_optimize_options options = climb;
  options.starts = 3;
  const rmx_optimize_request request = {f, &q, &options, 1, 2, NULL};
  rmx_optimum *o;
  rmx_attribution a;
  must(rmx_optimize(&request, &o, err));
  must(rmx_attribution_make(&request, o, &a, err));
  int had = 0;
  for (size_t d = 0; d < N; d++) {
    rmx_optimum *without;
    ck_assert(o->mixture[d] >= 1e-9 || a.loss[d] == 0);
    if (o->mixture[d] < 0.01) continue;
    had++;
    q.constraints.high[d] = 0;
    must(rmx_optimize(&request, &without, err));
    q.constraints.high[d] = 1;
    ck_assert_msg(fabs(a.without[d] - without->score) < 1e-4, "%zu: %g, a search %g", d,
                  a.without[d], without->score);
    rmx_optimum_free(without);
  }
  ck_assert_int_ge(had, 3);
  rmx_attribution_release(&a);
  rmx_optimum_free(o);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

// Both methods keep bounds of nodes and orders, and so do their intervals and what is left without
// a domain.
START_TEST(nodes_and_orders_are_kept) {
  static const char *const tree[] = {"web:q0", "web:q1", "web:q2", "code:c", "code:py", "wiki"};
  enum { N = 6 };
  rmx_rng rng = rmx_rng_make(17, 0, RMX_FOR_TEST);
  for (int trial = 0; trial < 6; trial++) {
    rmx_regressor *functions[2] = {random_power(&rng, N, 0.3, false), random_exp(&rng, N)};
    rmx_fit *f = hand_fit(&rng, N, 2, functions);
    for (size_t d = 0; d < N; d++) {
      free(f->domains[d]);
      f->domains[d] = rmx_strdup(tree[d]);
    }
    rmx_problem q = ask(f, NULL, NULL, NULL);
    must(rmx_constraints_bound(&q.constraints, RMX_CAP, "web=0.5", tree, err));
    must(rmx_constraints_bound(&q.constraints, RMX_FLOOR, "web=0.3", tree, err));
    must(rmx_constraints_bound(&q.constraints, RMX_FLOOR, "code:=0.2", tree, err));
    must(rmx_constraints_order(&q.constraints, "web:q0<web:q1 <= web:q2", tree, err));
    must(rmx_constraints_order(&q.constraints, "wiki < code", tree, err));
    rmx_optimize_options options[2] = {usual, climb};
    options[0].samples = 2000;
    double score[2];
    for (int k = 0; k < 2; k++) {
      options[k].guard = false;
      const rmx_optimize_request request = {f, &q, &options[k], 1, 1, NULL};
      rmx_optimum *o;
      rmx_attribution a;
      must(rmx_optimize(&request, &o, err));
      ck_assert(rmx_constraints_excess(&q.constraints, o->mixture) <= 1e-6);
      ck_assert(total(o, 0, 3) >= 0.3 - 1e-6 && total(o, 0, 3) <= 0.5 + 1e-6);
      ck_assert(total(o, 3, 5) >= 0.2 - 1e-6 && total(o, 5, 6) <= total(o, 3, 5) + 1e-6);
      ck_assert(o->mixture[0] <= o->mixture[1] + 1e-6 && o->mixture[1] <= o->mixture[2] + 1e-6);
      must(rmx_attribution_make(&request, o, &a, err));
      // Without the best part of the web nothing of the web is allowed, but the floor wants some.
      ck_assert(isnan(a.without[2]));
      rmx_attribution_release(&a);
      score[k] = o->score;
      rmx_optimum_free(o);
    }
    ck_assert_msg(score[1] <= score[0] + 1e-6, "trial %d: %g %g", trial, score[0], score[1]);
    json_t *json = rmx_constraints_json(&q.constraints, tree), *web, *order;
    ck_assert(json_unpack(json, "{s:{s:o}, s:o}", "share", "web", &web, "ordered", &order) == 0);
    ck_assert(json_real_value(json_object_get(web, "low")) == 0.3);
    ck_assert(json_real_value(json_object_get(web, "high")) == 0.5);
    ck_assert_uint_eq(json_array_size(json_object_get(web, "domains")), 3);
    ck_assert_str_eq(json_string_value(json_array_get(order, 2)), "wiki<code");
    json_decref(json);
    rmx_problem_release(&q);
    rmx_fit_free(f);
  }
}
END_TEST

static rmx_status find_in_part(const void *domains, const char *text, bool *member, char **name,
                               int *part, rmx_err *e) {
  *part = text[0] - '0';
  return rmx_find_domains(text, domains, 6, member, name, e);
}

// Weights that count within a part of the tokens are bounded and compared within it.
START_TEST(bounds_and_orders_hold_within_parts) {
  static const char *const tree[] = {"0/x/a", "0/x/b", "0/y", "1/x/a", "1/x/b", "1/y"};
  static const double share[] = {0.8, 0.2};
  const rmx__names names = {tree, find_in_part, tree, share};
  rmx_constraints c = {0};
  must(rmx_constraints_make(6, &c, err));
  must(rmx__bound(&c, RMX_CAP, "1/x=0.3", &names, err));
  must(rmx__bound(&c, RMX_FLOOR, "0/x=0.5", &names, err));
  must(rmx__bound(&c, RMX_FIX, "1/y=0.7", &names, err));
  must(rmx__share(&c, "one=0.1..0.6:1/x/a,1/y", &names, err));
  must(rmx__share(&c, "both=0.1..0.6:0/y,1/y", &names, err));
  must(rmx__order(&c, "0/y<1/y", &names, err));
  must(rmx__order(&c, "1/x/a<1/x/b", &names, err));
  static const double wanted[][2] = {{0, 0.06}, {0.4, 0.8}, {0.02, 0.12}, {0.1, 0.6}};
  for (size_t i = 0; i < 4; i++) {
    ck_assert_double_eq_tol(c.shares[i].low, wanted[i][0], 1e-12);
    ck_assert_double_le(c.shares[i].high, i == 1 ? 1 : wanted[i][1] + 1e-12);
    ck_assert_double_ge(c.shares[i].high, wanted[i][1] - 1e-12);
  }
  ck_assert_double_eq_tol(c.low[5], 0.14, 1e-12);
  ck_assert_double_eq_tol(c.high[5], 0.14, 1e-12);
  ck_assert_double_eq_tol(c.shares[4].factor[2], -1, 1e-12);
  ck_assert_double_eq_tol(c.shares[4].factor[5], 4, 1e-12);
  ck_assert_double_eq_tol(c.shares[5].factor[4], 1, 1e-12);
  // A mixture is made level as the order counts.
  double w[6] = {0.1, 0.1, 0.6, 0.1, 0.05, 0.05}, inside[6] = {0.4, 0.3, 0.1, 0.02, 0.04, 0.14};
  const rmx__feasible r = {.D = 6, .constraints = &c, .interior = inside};
  rmx__feasible_level(&r, w);
  ck_assert_double_le(w[2], 4 * w[5] + 1e-9);
  ck_assert_double_ge(w[2], 4 * w[5] - 1e-9);
  rmx_constraints_release(&c);
}
END_TEST

START_TEST(orders_are_checked) {
  static const char *const tree[] = {"web:q0", "web:q1", "web:q2", "wiki"};
  const struct {
    const char *order[3], *message;
  } cases[] = {
      {{"web:q0"}, "--ordered web:q0: wanted two names or more, as A<B<C"},
      {{"web:q0<"}, "a name is missing"},
      {{"web:q0<web:q0"}, "\"web:q0\" is ordered before itself"},
      {{"web<web:q1"}, "\"web\" and \"web:q1\" both contain the domain \"web:q1\""},
      {{"web:q0<wbe"}, "unknown domain or node \"wbe\"; did you mean \"web\"?"},
      {{"web:q0<web:q1<web:q0"}, "the orders web:q0<web:q1, web:q1<web:q0 form a cycle"},
      {{"web:q0<web:q1<web:q2", "web:q2<wiki", "wiki<web:q1"},
       "the orders web:q1<web:q2, web:q2<wiki, wiki<web:q1 form a cycle"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    rmx_constraints k;
    must(rmx_constraints_make(D, &k, err));
    for (int j = 0; j < 3 && cases[i].order[j]; j++) {
      if (j < 2 && cases[i].order[j + 1])
        must(rmx_constraints_order(&k, cases[i].order[j], tree, err));
      else
        must_fail(rmx_constraints_order(&k, cases[i].order[j], tree, err), cases[i].message);
    }
    rmx_constraints_release(&k);
  }
  rmx_constraints k;
  must(rmx_constraints_make(D, &k, err));
  must(rmx_constraints_bound(&k, RMX_CAP, "web:=0.4", tree, err));
  must(rmx_constraints_order(&k, "wiki<web", tree, err));
  must_fail(rmx_constraints_check(&k, tree, err),
            "--cap web:=0.4 and --ordered wiki<web cannot both be kept");
  must_fail(rmx_constraints_share(&k, "wbe=0.1..0.2", tree, err),
            "--share wbe=0.1..0.2: there is no domain or node \"wbe\"; wanted NAME=LOW..HIGH:");
  rmx_constraints_release(&k);
}
END_TEST

START_TEST(clashes_are_named) {
  const char *const names[D] = {"a", "b", "c", "d"};
  const struct {
    const char *floor[3], *cap[4], *fix[2], *share[2], *message, *innocent;
  } cases[] = {
      {{"a=0.6", "b=0.5", "c=0.1"},
       {"d=0.9"},
       {0},
       {0},
       "--floor a=0.6 and --floor b=0.5 sum to 1.1 > 1",
       "c=0.1"},
      {{"a=0.6"},
       {"a=0.5", "b=0.7"},
       {0},
       {0},
       "--floor a=0.6 and --cap a=0.5 cannot both be kept",
       "b=0.7"},
      {{0}, {"a=0.2", "b=0.2", "c=0.2", "d=0.3"}, {0}, {0}, "the caps sum to 0.9 < 1", "floor"},
      {{0},
       {"a=0.1", "b=0.1"},
       {"c=0.05"},
       {"s=0.5..:a,b"},
       "--cap a=0.1, --cap b=0.1 and --share s=0.5.. cannot all be kept",
       "c="},
      {{0},
       {0},
       {"a=0.3"},
       {"s=0.1..0.2:a,b"},
       "--fix a=0.3 and --share s=0.1..0.2 cannot both be kept",
       "floor"},
      {{"d=0.2"},
       {0},
       {0},
       {"s=0.5..:a,b", "t=0.6..0.7:c"},
       "--share s=0.5.. and --share t=0.6..0.7 sum to 1.1 > 1",
       "d=0.2"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    rmx_constraints k;
    must(rmx_constraints_make(D, &k, err));
    for (int j = 0; j < 3 && cases[i].floor[j]; j++)
      must(rmx_constraints_bound(&k, RMX_FLOOR, cases[i].floor[j], names, err));
    for (int j = 0; j < 4 && cases[i].cap[j]; j++)
      must(rmx_constraints_bound(&k, RMX_CAP, cases[i].cap[j], names, err));
    for (int j = 0; j < 2 && cases[i].fix[j]; j++)
      must(rmx_constraints_bound(&k, RMX_FIX, cases[i].fix[j], names, err));
    for (int j = 0; j < 2 && cases[i].share[j]; j++)
      must(rmx_constraints_share(&k, cases[i].share[j], names, err));
    must_fail(rmx_constraints_check(&k, names, err), cases[i].message);
    ck_assert_msg(!strstr(test_error.message, cases[i].innocent), "%s", test_error.message);
    rmx_constraints_release(&k);
  }
  rmx_constraints k;
  must(rmx_constraints_make(D, &k, err));
  must_fail(rmx_constraints_bound(&k, RMX_CAP, "a", names, err), "wanted DOMAIN=WEIGHT");
  must_fail(rmx_constraints_bound(&k, RMX_CAP, "a=2", names, err), "0 to 1");
  must_fail(rmx_constraints_bound(&k, RMX_FLOOR, "z=0.2", names, err),
            "--floor z=0.2: unknown domain \"z\"");
  must_fail(rmx_constraints_share(&k, "s=0.5", names, err), "wanted NAME=LOW..HIGH");
  must_fail(rmx_constraints_share(&k, "s=0.5..0.4:a", names, err), "LOW <= HIGH");
  const double tokens[D] = {1e9, 1e8, 1e7, 1e9};
  must(rmx_constraints_epochs(&k, tokens, 1e10, 4, names, err));
  ck_assert(k.high[0] == 0.4 && fabs(k.high[1] - 0.04) < 1e-15 && fabs(k.high[2] - 0.004) < 1e-15);
  must_fail(rmx_constraints_check(&k, names, err), "the caps sum to 0.844 < 1");
  ck_assert_msg(strstr(test_error.message, "4 epochs of a"), "%s", test_error.message);
  rmx_constraints_release(&k);
}
END_TEST

START_TEST(caps_by_epochs_are_known) {
  enum { D = 4 };
  const char *const names[D] = {"max_epochs", "b", "c", "d"};
  const double tokens[D] = {1e9, 1e9, 1e9, 1e9}, cap[D] = {0.5, 0.05, 0.5, 1};
  rmx_constraints k;
  must(rmx_constraints_make(D, &k, err));
  must(rmx_constraints_bound(&k, RMX_CAP, "max_epochs=0.1", names, err));
  ck_assert(!k.by_epochs[0]);  // whatever its name is
  must(rmx_constraints_epochs(&k, tokens, 1e10, 2, names, err));
  ck_assert(!k.by_epochs[0] && k.by_epochs[1] && k.by_epochs[2] && k.by_epochs[3]);
  // the tighter one counts
  must(rmx_constraints_caps(&k, cap, "cap of %s", names, err));
  ck_assert(!k.by_epochs[1] && k.by_epochs[2] && k.high[1] == 0.05);
  const double tighter[D] = {0.01, 1, 1, 1};
  must(rmx_constraints_epoch_caps(&k, tighter, "epochs of %s", names, err));
  ck_assert(k.by_epochs[0] && !k.by_epochs[1]);
  ck_assert_str_eq(k.high_text[0], "epochs of max_epochs");
  rmx_constraints_release(&k);
}
END_TEST

START_TEST(worst_case_and_front) {
  rmx_rng rng = rmx_rng_make(8, 0, RMX_FOR_TEST);
  enum { N = 5, POINTS = 6 };
  rmx_regressor *functions[2] = {random_exp(&rng, N), random_exp(&rng, N)};
  rmx_fit *f = hand_fit(&rng, N, 2, functions);
  rmx_problem q = ask(f, NULL, NULL, NULL);
  rmx_optimum *sum, *worst;
  must(rmx_optimize(&(rmx_optimize_request){f, &q, &climb, 1, 1, NULL}, &sum, err));
  rmx_target_worst(f, f->mean_mixture, &q.target);
  must(rmx_optimize(&(rmx_optimize_request){f, &q, &climb, 1, 1, NULL}, &worst, err));
  double at_sum;
  rmx_target_score(&q.target, 2, sum->predicted, 1, &at_sum);
  ck_assert(worst->score_prior == 0 && worst->score <= 1e-9 && worst->score <= at_sum + 1e-9);
  ck_assert(fabs(worst->score - 0.5 * fmax(worst->predicted[0] - worst->predicted_prior[0],
                                           worst->predicted[1] - worst->predicted_prior[1])) <
            1e-12);
  for (int k = 0; k < 2; k++) {
    rmx_front front;
    must(rmx_pareto(&(rmx_optimize_request){f, &q, k ? &climb : &usual, 1, 1, NULL}, 0, 1, POINTS,
                    &front, err));
    ck_assert_msg(front.n >= (k ? 4 : 2) && front.n <= POINTS, "%zu", front.n);
    for (size_t i = 0; i < front.n; i++)
      for (size_t j = 0; j < front.n; j++)
        ck_assert(i == j || front.predicted[2 * i] < front.predicted[2 * j] ||
                  front.predicted[2 * i + 1] < front.predicted[2 * j + 1]);
    ck_assert(k == 0 || (front.share[0] == 0 && front.share[front.n - 1] == 1));
    json_t *json = rmx_front_json(&front, f);
    ck_assert(json_array_size(json) == front.n &&
              json_object_get(json_array_get(json, 0), "mixture"));
    json_decref(json);
    rmx_front_release(&front);
  }
  rmx_front front;
  must_fail(
      rmx_pareto(&(rmx_optimize_request){f, &q, &climb, 1, 1, NULL}, 1, 1, POINTS, &front, err),
      "two metrics");
  rmx_optimum_free(sum);
  rmx_optimum_free(worst);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

START_TEST(linear_programs) {
  rmx_rng rng = rmx_rng_make(10, 0, RMX_FOR_TEST);
  int solved = 0;
  for (int trial = 0; trial < 200; trial++) {
    rmx_arena arena = {0};
    rmx__lp lp;
    size_t n = 3 + rmx_rng_below(&rng, 6), m = 1 + rmx_rng_below(&rng, 3);
    must(rmx__lp_make(&lp, n, m, &arena, err));
    double inside[16], x[16], cost, alpha[16];
    for (size_t j = 0; j < n; j++) alpha[j] = 1;
    rmx_dirichlet(&rng, alpha, n, inside);
    for (size_t j = 0; j < n; j++) {
      lp.c[j] = rmx_rng_normal(&rng);
      lp.low[j] = inside[j] * rmx_rng_uniform(&rng);
      lp.high[j] = inside[j] + rmx_rng_uniform(&rng);
      lp.A[j] = 1;
    }
    lp.row_low[0] = lp.row_high[0] = 1;
    for (size_t i = 1; i < m; i++) {
      double at = 0;
      for (size_t j = 0; j < n; j++) at += (lp.A[i * n + j] = rmx_rng_normal(&rng)) * inside[j];
      lp.row_low[i] = rmx_rng_below(&rng, 2) ? -INFINITY : at - 0.1 * rmx_rng_uniform(&rng);
      lp.row_high[i] = at + 0.1 * rmx_rng_uniform(&rng);
    }
    bool feasible;
    must(rmx__lp_solve(&lp, x, &cost, &feasible, err));
    ck_assert_msg(feasible, "trial %d", trial);
    for (size_t i = 0; i < m; i++) {
      double at = 0;
      for (size_t j = 0; j < n; j++) at += lp.A[i * n + j] * x[j];
      ck_assert(at >= lp.row_low[i] - 1e-8 && at <= lp.row_high[i] + 1e-8);
    }
    // With the sum alone, filling up the cheapest first is best.
    if (m == 1) {
      double left = 1, greedy = 0;
      bool full[16] = {0};
      for (size_t j = 0; j < n; j++) {
        left -= lp.low[j];
        greedy += lp.c[j] * lp.low[j];
      }
      for (size_t k = 0; k < n; k++) {
        size_t best = n;
        for (size_t j = 0; j < n; j++)
          if (!full[j] && (best == n || lp.c[j] < lp.c[best])) best = j;
        double by = fmin(left, lp.high[best] - lp.low[best]);
        greedy += by * lp.c[best];
        left -= by;
        full[best] = true;
      }
      ck_assert_msg(fabs(greedy - cost) < 1e-9, "trial %d: %g %g", trial, greedy, cost);
      solved++;
    }
    double there = 0;  // no way from the optimum towards what is inside goes down
    for (size_t j = 0; j < n; j++) there += lp.c[j] * inside[j];
    ck_assert(cost <= there + 1e-9);
    rmx_arena_release(&arena);
  }
  ck_assert(solved > 20);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, orders_are_reached_by_sorting_and_by_levelling);
  tcase_add_test(tc, every_constraint_is_kept);
  tcase_add_test(tc, effects_of_many_domains_begin_at_the_optimum);
  tcase_add_test(tc, nodes_and_orders_are_kept);
  tcase_add_test(tc, bounds_and_orders_hold_within_parts);
  tcase_add_test(tc, orders_are_checked);
  tcase_add_test(tc, clashes_are_named);
  tcase_add_test(tc, caps_by_epochs_are_known);
  tcase_add_test(tc, worst_case_and_front);
  tcase_add_test(tc, linear_programs);
}
