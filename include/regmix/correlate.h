/* correlate.h: which validation loss predicts which score. Part of the door of the room `regress`.
 *
 * Over the runs of a swarm, the rank correlation of each validation loss with each score (as
 * RegMix, section 5, shows it), with an interval.
 */
#ifndef RMX_CORRELATE_H
#define RMX_CORRELATE_H

#include <regmix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rmx_correlate_options {
  /* glob patterns of metrics; none: the losses are the metrics whose names end in "loss", and the
   * scores all others */
  rmx_strings losses, scores;
  int64_t replicates; /* bootstrap samples of the runs: 2000 */
  uint64_t seed;
  int threads; /* the result does not depend on it */
} rmx_correlate_options;

/* What is known about a pair of a loss and a score. Numbers that are not known are NaN. */
typedef struct rmx_correlation {
  size_t n;         /* runs with both */
  double rho;       /* Spearman's rank correlation; ties share the mean rank */
  double low, high; /* 95 % interval: percentiles over bootstrap samples of the runs */
  double agreement; /* rho with its sign turned so that 1 is: the lower the loss, the better the
                       score */
  bool told;        /* the interval does not contain 0 */
  bool clear;       /* it is not 0 after Holm's correction for all pairs, at 5 % */
} rmx_correlation;

typedef struct rmx_correlations {
  size_t L, S; /* losses, scores */
  char **losses, **scores;
  rmx_better *better;     /* (S) */
  rmx_correlation *pairs; /* (L, S) */
  size_t tests;           /* pairs with a correlation */
  size_t *best;           /* (S) the loss with the highest agreement; L: none is known */
  size_t runs, replicates;
} rmx_correlations;

/* metrics: a run in each row; metrics->better says which way each is better, where it is known, and
 * else its name does. A pair needs 5 runs and more than one value of both. RMX_EINPUT: there is no
 * loss, or no score; RMX_EUSAGE: a pattern matches no metric. Release the result. Cost: O((L + S) N
 * + L S N) for each bootstrap sample. */
rmx_status rmx_correlate(const rmx_table *metrics, const rmx_correlate_options *options,
                         rmx_correlations *out, rmx_err *err);
void rmx_correlations_release(rmx_correlations *c);

/* {"losses": [name], "scores": [name], "higher_is_better": [truth], "runs", "replicates", "level":
 * 0.95, "tests", "spearman", "low", "high", "agreement", "n", "told", "clear": [[of each score] of
 * each loss], "best": {score: loss}}; what is not known is null. A new reference; NULL where memory
 * is short. */
struct json_t *rmx_correlations_json(const rmx_correlations *c);
/* What is to be said about them, in a few sentences, appended to `out`. */
void rmx_correlations_text(const rmx_correlations *c, rmx_buf *out);

#ifdef __cplusplus
}
#endif
#endif
