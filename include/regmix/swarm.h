/* swarm.h: which runs are to do, who does them, what came back.
 *
 * Uses: base, comm, mixture, corpus, kernels, model, train.
 *
 * The state of a run is its folder: no result.json means to do; a locked claim means that somebody
 * is at it; result.json (written whole, renamed) means done, whatever happens after. Workers are
 * fresh processes.
 */
#ifndef RMX_SWARM_H
#define RMX_SWARM_H

#include <regmix/train.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rmx_run_state {
  RMX_RUN_TODO,
  RMX_RUN_STARTED,  /* nothing trains it now, but it has a checkpoint to resume from */
  RMX_RUN_RUNNING,  /* somebody holds the claim */
  RMX_RUN_OUTDATED, /* has a result, of another question (config or corpus changed), or whose
                       losses were changed by hand */
  RMX_RUN_DAMAGED,  /* has a result that cannot be read, or whose model is missing or damaged */
  RMX_RUN_DIVERGED, /* its loss became NaN or infinite: left out of fits */
  RMX_RUN_DONE,
  RMX_RUN_STATES
} rmx_run_state;
extern const char *const rmx_run_state_names[]; /* by rmx_run_state */

/* How run `r` stands. *result (may be NULL) gets result.json where state is DIVERGED, DONE or
 * OUTDATED: new reference. */
rmx_run_state rmx_run_look(const rmx_run *r, struct json_t **result);
/* What differs between the question an outdated run answered and `r`: "training.lr, seed". Empty if
 * unknown. */
void rmx_run_difference(const rmx_run *r, rmx_buf *out);
/* Whether such a difference is of the mixture alone, or of what steers it. */
bool rmx_run_is_of_mixture(const char *difference);

/* ---- nothing finished is overwritten: what answers another question is set aside ------------ */

/* A run <parent>/<name> is set aside as <parent>/.set-aside/<name>/<hash of its question>. */
#define RMX_SET_ASIDE ".set-aside"
/* <parent>/.set-aside/<name> of <parent>/<name>. free() it; NULL if memory is short. */
char *rmx_run_shelf(const char *folder);
/* The folder holds a result, or a training on its way, of another question than `r`. */
bool rmx_run_is_another(const rmx_run *r);
/* Moves the folder of `r`, whatever it answers, to where it is set aside. Nothing where there is
 * none, or where somebody is at it. */
rmx_status rmx_run_set_aside(const rmx_run *r, rmx_err *err);
/* A finished result of `r` was set aside. */
bool rmx_run_is_aside(const rmx_run *r);
/* Moves it back into its folder, whose present content is set aside; a training of `r` on its way,
 * where nothing is finished. *taken: there was one. */
rmx_status rmx_run_take_back(const rmx_run *r, bool *taken, rmx_err *err);

typedef struct rmx_swarm_options {
  const char *program; /* this program's file: workers are `program worker FOLDER` */
  const char *isa;     /* passed on to the workers, or NULL */
  /* its folder, which the user's commands get as REGMIX_EXPERIMENT; NULL: the run's corpus */
  const char *experiment;
  int jobs;         /* workers at a time */
  bool jobs_given;  /* false: for PyTorch, one worker for each GPU instead */
  int tries;        /* times a run that crashes is begun: 2 */
  const char *what; /* "train", "compare": heads the progress */
  /* The ranks that share the work, of which this is the first; the others are in
   * rmx_swarm_serve(). NULL: this process alone. */
  rmx_comm *comm;
  bool together; /* all ranks train one run at a time, not each its own ones */
  /* The mixtures are found on the way: a run of another one is set aside without a warning. */
  bool mixtures_move;
} rmx_swarm_options;

typedef struct rmx_swarm_outcome {
  size_t done, diverged, failed, skipped; /* skipped: had their result already */
  size_t taken_back;                      /* of those, from where they had been set aside */
  double tokens, wall_s;                  /* trained by this call */
} rmx_swarm_outcome;

/* Trains the runs (n) that have no result of this question, in their folders or set aside, `jobs`
 * at a time, each in a process of its own. A crash fails that run alone: there is a warning, it is
 * tried again, then counted as failed. RMX_EINTERRUPTED when asked to stop: workers write their
 * checkpoints first. */
rmx_status rmx_swarm_train(const rmx_run *runs, size_t n, const rmx_swarm_options *options,
                           const rmx_listener *listener, rmx_swarm_outcome *outcome, rmx_err *err);

/* What the other ranks do: they wait for what the first one has to train, until there is no more. A
 * failure that all ranks know of ends the work alone; any other ends this function. */
typedef struct rmx_ranks {
  rmx_comm *comm;
  const char *program;          /* as in rmx_swarm_options */
  const rmx_listener *listener; /* warnings of this rank */
} rmx_ranks;
rmx_status rmx_swarm_serve(const rmx_ranks *to, rmx_err *err);
/* The first rank: there is no more to train. */
void rmx_swarm_dismiss(rmx_comm *c);

/* The worker's whole life: claims the run in folders[0], trains it (or has the user's command do
 * it), lets go. Several folders (n) are those of runs that PyTorch trains, stacked: those that
 * others train or that are done are left out. make: the make_controller of rmx_train_hooks. Prints
 * a line `step steps tokens loss tokens_per_s` to `progress` (may be NULL) about four times a
 * second, and lines `! MESSAGE` of warnings. */
rmx_status rmx_swarm_work(char *const *folders, size_t n, const char *isa,
                          rmx_make_controller *make, FILE *progress, rmx_err *err);

/* Metrics of the runs that are done: one row a run, one column `<domain>_val_loss` a domain (nats
 * per token), at half way (`half`) or at the end; then, at the end, one for each name under
 * "metrics" of some result (NaN where a run has none), with their directions in out->better.
 * `left_out` (may be NULL) counts the runs without. */
rmx_status rmx_swarm_metrics(const rmx_run *runs, size_t n, const rmx_corpus *corpus, bool half,
                             rmx_table *out, size_t *left_out, rmx_err *err);

#ifdef __cplusplus
}
#endif
#endif
