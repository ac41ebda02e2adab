/* optimize.h: from fitted functions and a target to the mixture to train on.
 *
 * Uses: base, mixture, regress.
 */
#ifndef REGMIX_OPTIMIZE_H
#define REGMIX_OPTIMIZE_H

#include <regmix/base.h>
#include <regmix/regress.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rmx_optimize_options {
  int64_t samples; /* mixtures simulated: 100000 */
  int64_t top;     /* the mean of this many best is the optimum: 128 */
  double strength; /* alpha = strength * prior (so sum alpha = strength): 1 */
} rmx_optimize_options;

/* What is to be improved: score(w) = sum_m weight_m * metric_m(w), to be minimised (a metric to be maximised
 * has a negative weight). */
typedef struct rmx_target {
  double *weight; /* (M) of the fit's metrics */
} rmx_target;
/* From what a user typed: each of `minimize` and `maximize` is NAME or NAME=WEIGHT (weight > 0, 1 if not
 * given; a name found as by rmx_find_name; a metric named twice is RMX_EINPUT). Both empty: the fit's
 * metrics, equally. */
rmx_status rmx_target_parse(const rmx_fit *fit, const char *const *minimize, size_t n_minimize,
                            const char *const *maximize, size_t n_maximize, rmx_target *out, rmx_err *err);
void rmx_target_release(rmx_target *t);

typedef struct rmx_optimum {
  size_t D, M;
  double *mixture;         /* (D) */
  double *spread;          /* (D) standard deviation over the best k */
  double *predicted;       /* (M) at the mixture */
  double *predicted_prior; /* (M) at the prior */
  double score, score_prior;
  double best_run_score;     /* the lowest predicted score among the runs of the fit */
  double distance;           /* L1 distance to the nearest run, halved: share of tokens that differ */
  double typical_distance;   /* median over runs of the same to their nearest neighbour */
  bool outside;              /* some weight lies outside the range the runs covered */
  char outside_domains[256]; /* their names, comma between; cut off at whole names */
  bool *outside_domain;      /* (D) which */
  bool far;                  /* distance is over twice the typical one */
  int64_t samples, top;      /* as asked */
  int64_t projected;         /* samples that no draw brought under the caps, so a projection did */
} rmx_optimum;

/* Draws options->samples mixtures from Dirichlet(strength * prior), predicts, and averages the best `top`.
 * prior (D), or NULL: the mean mixture of the runs. cap (D) or NULL: a sample over a cap is drawn again, up
 * to 20 times, then the last one is brought under the caps (rmx_mixture_cap). Streams in blocks: memory does
 * not grow with samples. Each block has random numbers of its own and equal scores go by sample number, so
 * any number of threads gives the same answer. Where the optimum lies outside what the runs covered, or far
 * from all of them, that is told through the listener. */
rmx_status rmx_optimize_simulate(const rmx_fit *fit, const rmx_target *target, const double *prior,
                                 const double *cap, const rmx_optimize_options *options, uint64_t seed,
                                 int threads, const rmx_listener *listener, rmx_optimum *out, rmx_err *err);
void rmx_optimum_release(rmx_optimum *o);
/* {"mixture":{domain:weight},"predicted":{metric:value},...}: a new reference. */
json_t *rmx_optimum_json(const rmx_optimum *o, const rmx_fit *fit);

#ifdef __cplusplus
}
#endif
#endif
