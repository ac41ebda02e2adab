/* baselines.h: the methods to choose data, so that they can be compared: each one file in
 * src/baselines, with its paper, equations and cost on top.
 *
 * Uses: base, mixture, corpus, kernels, model, train, swarm, regress, optimize.
 *
 * A method is given the same corpus, target, models and budget as the others. It trains what it
 * needs, and yields a mixture, or a training that chooses while it goes on, or a smaller corpus.
 * Every FLOP it spends on the way is counted: references, proxies, scoring, validation. Where paper
 * and published code differ, the paper's form is the default and the code's an option; `notes` says
 * which was used.
 */
#ifndef RMX_BASELINES_H
#define RMX_BASELINES_H

#include <regmix/optimize.h>
#include <regmix/swarm.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- options: one struct and one table of keys ("doremi.eta") for all methods ---- */

typedef struct rmx_doremi_options {
  /* "paper": sum_i alpha_i mean loss_i; "code": weights alpha_i / s_i, normalised over the batch */
  char *form;
  int64_t rounds;   /* max: 1; the next reference is trained on the mixture of the last round */
  double eta;       /* step of the exponentiated gradient: 1 */
  double smoothing; /* c: 1e-3 */
  double tolerance; /* rounds have converged when no weight moved by more: 1e-3 */
} rmx_doremi_options;

typedef struct rmx_odm_options {
  /* "paper": EXP3 with importance weights; "code": smoothed means of exp(loss), linear */
  char *form;
  double smoothing; /* a: share of the old reward: 0.9 */
  double warmup;    /* share of the steps on the natural mixture: 0.02 */
  double explore;   /* times the scheduled exploration: 1; 0: none */
} rmx_odm_options;

typedef struct rmx_ppl_options {
  char *band;  /* "low", "middle", "high": which part of the ranks is kept; "middle" */
  double keep; /* share of the training tokens kept: 0.5 */
  /* a rank in each domain, which keeps the mixture; false: one rank over all, which shifts it */
  bool by_domain;
} rmx_ppl_options;

typedef struct rmx_rho_options {
  double keep;   /* share of a batch's tokens that count: 0.6 */
  double warmup; /* share of the steps in which all count: 0.1 */
} rmx_rho_options;

typedef struct rmx_law_options {
  int64_t mixtures; /* sampled: 20 */
  int64_t sizes;    /* of models below the large one that each is trained at: 2 */
} rmx_law_options;

typedef struct rmx_aioli_options {
  /* 0: the published value for up to 2, up to 4, and more domains: */
  double eta;     /* step of the mixture: .2, .1, 1 */
  double one_hot; /* h, share of the domain explored: .625, .5, .75 */
  int64_t sweeps; /* over the domains in a round: 4, 4, 2 */
  double explore; /* share of a round's steps spent on them: .13, .29, .7 */
  /* updates of the mixture in a training: one each 250, 250, 200 steps, 4 or more */
  int64_t rounds;
  /* form "code": share of the old in the moving mean of A; 0: the paper's form, without: 0 */
  double smoothing;
  /* validation tokens per domain in each evaluation, if the budget allows: 4096 */
  int64_t eval_tokens;
} rmx_aioli_options;

typedef struct rmx_climb_options {
  int64_t rounds; /* of propose, train, fit, each with half as many runs as the last: 3 */
  int64_t pool;   /* candidates ranked in each: 10000 */
  double top;     /* share of them the next runs are drawn from: 0.02 */
} rmx_climb_options;

typedef struct rmx_mixmin_options {
  int64_t window;   /* tokens of target text that count as one document; 0: documents as they are */
  double tolerance; /* of the certificate: 1e-6 */
} rmx_mixmin_options;

typedef struct rmx_merge_options {
  double start;        /* share of the training budget for the common start: 0.5 */
  double score;        /* largest share of the budget for scoring merged models: 0.2 */
  double lr;           /* peak learning rate of the branches, as a share of the proxy's: 0.3 */
  int64_t mixtures;    /* largest number of mixtures scored: 2000 */
  int64_t eval_tokens; /* validation tokens per domain of the target in each score: 4096 */
} rmx_merge_options;

typedef struct rmx_olmix_options {
  double kl;     /* weight of the divergence from the prior: 0.05 */
  double repeat; /* largest number of repetitions of a domain: 4 */
} rmx_olmix_options;

typedef struct rmx_unimax_options {
  double epochs; /* largest number of repetitions of a domain: 1 */
} rmx_unimax_options;

typedef struct rmx_baseline_options {
  char *human; /* a mixture file: what people chose */
  rmx_doremi_options doremi;
  rmx_odm_options odm;
  rmx_ppl_options ppl;
  rmx_rho_options rho;
  rmx_law_options law;
  rmx_aioli_options aioli;
  rmx_climb_options climb;
  rmx_mixmin_options mixmin;
  rmx_merge_options merge;
  rmx_olmix_options olmix;
  rmx_unimax_options unimax;
} rmx_baseline_options;
extern const rmx_option rmx_baseline_option_table[];
extern const size_t rmx_baseline_option_table_n;

/* ---- a method, what it is given, what it finds ------------------------------ */

/* What every method is given. All borrowed. */
typedef struct rmx_comparison {
  /* where the runs that methods train go, each under a name: <experiment>/compare */
  const char *folder;
  const char *experiment; /* the folder whose corpus/ they train on */
  const rmx_corpus *corpus;
  const rmx_kernels *kernels;
  /* (corpus->D) weight of each domain's validation loss in the target */
  const double *target;
  const double *cap; /* (D_train) largest weight, from the epochs of the large run */
  const rmx_training *proxy, *large;
  const rmx_run *swarm; /* (swarm_n) proxies on random mixtures, for the methods that fit them */
  size_t swarm_n;
  const rmx_sample_options *sample;
  const rmx_regress_options *regress;
  const rmx_optimize_options *optimize;
  const rmx_baseline_options *options;
  double budget; /* FLOPs to find a mixture with, for the methods that let one choose */
  uint64_t seed;
  int threads;
  /* Trains those of the runs (n) that have no result yet, in processes of their own. */
  rmx_status (*train)(void *context, const rmx_run *runs, size_t n, const char *what, rmx_err *err);
  void *context;
  const rmx_listener *listener;
} rmx_comparison;

typedef enum rmx_converged { RMX_NO_ROUNDS, RMX_NOT_CONVERGED, RMX_CONVERGED } rmx_converged;

/* What a method found, and what the large model is to be trained with. */
typedef struct rmx_baseline_result {
  /* (D_train) the mixture; of a method that chooses while training, where it starts */
  double *mixture;
  struct json_t *controller; /* of the large run, see rmx_run; NULL: none */
  char *experiment;          /* the folder whose corpus/ it trains on; NULL: the comparison's */
  double flops, wall_s;      /* spent */
  rmx_converged converged;   /* whether its rounds came to rest */
  /* an object: form, rounds, certificates, "track": [{"tokens", "mixture"}] */
  struct json_t *notes;
} rmx_baseline_result;
void rmx_baseline_result_release(rmx_baseline_result *f);

typedef struct rmx_baseline {
  const char *name, *help;
  const char *source; /* the paper */
  const char *suits;  /* when to use it, for the man page: one sentence */
  bool sees_target;   /* may look at the target's loss when it chooses */
  /* fits comparison->swarm: its runs must be made before check, trained before find */
  bool needs_swarm;
  /* RMX_EINPUT, before any training, if something it needs is missing; NULL: it needs nothing. */
  rmx_status (*check)(const rmx_comparison *c, rmx_err *err);
  /* Trains and computes. out is zero before; released by the caller, after a failure too. */
  rmx_status (*find)(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err);
  /* Makes the controller of its runs that have one; NULL: it controls none. */
  rmx_make_controller *make_controller;
} rmx_baseline;

/* In the order in which help lists them. */
extern const rmx_baseline *const rmx_baselines[];
extern const size_t rmx_baselines_n;
/* By name; RMX_EINPUT with the nearest known one. */
rmx_status rmx_baseline_find(const char *name, const rmx_baseline **out, rmx_err *err);
/* rmx_make_controller of any run that a method made: by "method" of its controller. */
rmx_status rmx_baselines_controller(const rmx_run *r, const rmx_corpus *corpus,
                                    const rmx_kernels *kernels, rmx_controller *out, rmx_err *err);

#ifdef __cplusplus
}
#endif
#endif
