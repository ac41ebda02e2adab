// SPDX-License-Identifier: Apache-2.0
// The search over functions given by their parameters: convexity, the bound of the gap.
#include <unistd.h>

#include "base/json.h"
#include "listening.h"
#include "optimize/search.h"
#include "optimum_asks.h"

START_TEST(convexity_is_established) {
  rmx_rng rng = rmx_rng_make(5, 0, RMX_FOR_TEST);
  enum { N = 6 };
  const double alpha[N] = {0.5, 0.5, 0.5, 0.5, 0.5, 0.5};
  int claimed = 0, broken = 0, bending = 0;
  for (int trial = 0; trial < 30; trial++) {
    bool bent = trial % 6 == 4;
    rmx_regressor *r = trial % 3 == 0 ? random_exp(&rng, N)
                                      : random_power(&rng, N, trial % 3 == 1 ? 0 : 0.8, bent);
    double below, y[3], x[3][N];
    bool yes = rmx__regressor_convex(r, 1, &below);
    ck_assert(!rmx__regressor_convex(r, -1, &(double){0}));  // none of them is concave
    ck_assert(yes == (trial % 3 != 2));                      // a power above 1 is not claimed
    claimed += yes;
    bending += yes && isfinite(below);
    ck_assert(bent || !yes || isinf(below));
    for (int i = 0; i < 3000; i++) {
      rmx_dirichlet(&rng, alpha, N, x[0]);
      rmx_dirichlet(&rng, alpha, N, x[1]);
      for (int d = 0; d < N; d++) x[2][d] = (x[0][d] + x[1][d]) / 2;
      rmx_regressor_predict(r, x[0], 3, y, NULL);
      bool hollow = y[2] > (y[0] + y[1]) / 2 + 1e-12;
      if (yes && y[0] <= below && y[1] <= below)
        ck_assert_msg(!hollow, "trial %d: %g %g %g", trial, y[0], y[1], y[2]);
      broken += !yes && hollow;
    }
    rmx_regressor_free(r);
  }
  ck_assert(claimed == 20 && bending > 0 && broken > 0);  // and the test can tell
}
END_TEST

// The lowest score of many mixtures that keep the constraints, each improved by pairwise moves.
static double brute_force(const rmx_fit *f, const rmx_problem *q, const rmx__feasible *r,
                          rmx_rng *rng) {
  double best = INFINITY, w[32], v[32], alpha[32], y[8], score;
  size_t n = f->D;
  for (int i = 0; i < 100; i++) {
    for (size_t d = 0; d < n; d++) alpha[d] = 0.5;
    rmx_dirichlet(rng, alpha, n, w);
    rmx__feasible_project(r, w);
    double here = INFINITY, step = 0.2;
    for (int k = 0; k < 600; k++) {
      memcpy(v, w, sizeof v);
      if (k) {
        size_t a = rmx_rng_below(rng, n), b = rmx_rng_below(rng, n);
        double by = fmin(v[a], step * rmx_rng_uniform(rng));
        v[a] -= by;
        v[b] += by;
        if (!rmx__feasible_contains(r, v)) continue;
      }
      for (size_t m = 0; m < f->M; m++) rmx_regressor_predict(f->regressors[m], v, 1, &y[m], NULL);
      rmx_target_score(&q->target, f->M, y, 1, &score);
      score += q->constraints.kl_penalty * rmx__kl(&q->constraints, v);
      if (k % 100 == 99) step /= 3;
      if (!(score < here)) continue;
      here = score;
      memcpy(w, v, sizeof w);
    }
    best = fmin(best, here);
  }
  return best;
}

// Most domains stay at their bounds, and the quadratic programs leave them out.
START_TEST(many_domains) {
  rmx_rng rng = rmx_rng_make(8, 0, RMX_FOR_TEST);
  enum { N = 50 };
  for (int trial = 0; trial < 4; trial++) {
    rmx_regressor *functions[2] = {random_power(&rng, N, 0, false), random_exp(&rng, N)};
    rmx_fit *f = hand_fit(&rng, N, 2, functions);
    const char *const *names = (const char *const *)f->domains;
    rmx_problem q = ask(f, NULL, NULL, NULL);
    rmx_optimum *o;
    if (trial % 2) must(rmx_constraints_share(&q.constraints, "s=0.3..0.5:a,b", names, err));
    if (trial % 2) must(rmx_constraints_bound(&q.constraints, RMX_FLOOR, "more=0.4", names, err));
    if (trial == 3) must(rmx_constraints_order(&q.constraints, "c<d<e", names, err));
    if (trial == 2) rmx_target_worst(f, f->mean_mixture, &q.target);  // is not narrowed
    must(rmx_optimize(&(rmx_optimize_request){f, &q, &climb, 1, 2, NULL}, &o, err));
    ck_assert_msg(o->convex && o->gap >= 0 && o->gap < 3e-4, "trial %d: %g", trial, o->gap);
    ck_assert(rmx_constraints_excess(&q.constraints, o->mixture) < 1e-6);
    ck_assert(o->starts == climb.starts && o->score < o->score_prior - 100 * o->gap);
    rmx_optimum_free(o);
    rmx_problem_release(&q);
    rmx_fit_free(f);
  }
}
END_TEST

START_TEST(the_gap_bounds) {
  rmx_rng rng = rmx_rng_make(6, 0, RMX_FOR_TEST);
  enum { N = 5 };
  for (int trial = 0; trial < 12; trial++) {
    rmx_regressor *functions[2] = {random_power(&rng, N, 0, false), random_exp(&rng, N)};
    rmx_fit *f = hand_fit(&rng, N, 2, functions);
    const char *const *names = (const char *const *)f->domains;
    rmx_problem q = ask(f, NULL, NULL, NULL);
    rmx_optimum *o, *sim;
    double even[N] = {0.2, 0.2, 0.2, 0.2, 0.2};
    if (trial % 4 == 1) must(rmx_constraints_share(&q.constraints, "s=0.3..0.5:a,b", names, err));
    if (trial % 4 == 1) must(rmx_constraints_share(&q.constraints, "t=..0.4:b,c", names, err));
    if (trial % 3 == 0) must(rmx_constraints_order(&q.constraints, "c<a<e", names, err));
    if (trial % 4 == 2) {
      q.constraints.reference = rmx_calloc(N, sizeof(double));
      for (size_t d = 0; d < N; d++) q.constraints.reference[d] = 0.2;
      q.constraints.max_kl = 0.1;
    }
    if (trial % 4 == 3) rmx_target_worst(f, even, &q.target);
    must(rmx_optimize(&(rmx_optimize_request){f, &q, &climb, 1, 1, NULL}, &o, err));
    ck_assert_msg(o->convex && o->gap >= 0 && o->gap < 1e-3, "trial %d: %g", trial, o->gap);
    must(rmx_optimize(&(rmx_optimize_request){f, &q, &usual, 1, 1, NULL}, &sim, err));
    rmx__feasible r;
    bool clash;
    must(rmx__feasible_make(&r, f, &q.constraints, false, even, &clash, err));
    double best = brute_force(f, &q, &r, &rng);
    // Constraints are kept to 1e-9, which leaves a little to gain.
    ck_assert_msg(best >= o->score - o->gap - 1e-7, "trial %d: %.9g beats %.9g by more than %g",
                  trial, best, o->score, o->gap);
    ck_assert_msg(o->score <= best + 1e-5, "trial %d: %.9g, search %.9g", trial, best, o->score);
    ck_assert_msg(sim->convex && sim->score - o->score <= sim->gap + 1e-7, "trial %d", trial);
    rmx__feasible_release(&r);
    rmx_optimum_free(o);
    rmx_optimum_free(sim);
    rmx_problem_release(&q);
    rmx_fit_free(f);
  }
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, convexity_is_established);
  tcase_add_test(tc, many_domains);
  tcase_add_test(tc, the_gap_bounds);
}
