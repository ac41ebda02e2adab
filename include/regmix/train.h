/* train.h: from a run (a mixture, a model, a seed) to a result: the training loop.
 *
 * Uses: base, comm, mixture, corpus, kernels, model.
 */
#ifndef RMX_TRAIN_H
#define RMX_TRAIN_H

#include <regmix/base.h>
#include <regmix/comm.h>
#include <regmix/corpus.h>
#include <regmix/kernels.h>
#include <regmix/mixture.h>
#include <regmix/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A model and how it is trained: the sections `proxy` and `large` of the config. */
typedef struct rmx_training {
  char *init;         /* a model whose weights the training begins with; NULL: random ones */
  uint64_t init_hash; /* of its files, see rmx_training_find_init() */
  char *preset;       /* of rmx_model_presets; the sizes below, where not 0, go before it */
  int64_t layers, heads, width, ffn;
  int64_t context;      /* T: tokens of a sequence */
  int64_t tokens;       /* of the whole run */
  int64_t batch_tokens; /* of one optimiser step; at least one sequence */
  int64_t micro_tokens; /* of one forward and backward pass: memory against speed */
  double lr;            /* peak; 0: by size (rmx_training_lr) */
  double min_lr;        /* where the cosine ends, as a share of lr */
  double warmup;        /* share of the steps */
  char *schedule;       /* "constant" or "cosine" */
  rmx_adamw adamw;
  int64_t eval_tokens; /* largest number of validation tokens per domain; 0: all */
  bool eval_half;      /* measure the metrics at half way too */
  /* number of extra evaluations, evenly spaced, for log.jsonl only; 0: half-way and the end */
  int64_t evals;
  double checkpoint_s; /* seconds between checkpoints */
  int64_t threads;     /* of one run; 0: see rmx_training_threads. No result depends on it */
  /* "regmix", "pytorch" (trainers/pytorch, many runs in a process) or "command"; NULL: "command" if
   * there is a command, else "regmix" */
  char *trainer;
  char *command;    /* the user's own trainer, run by sh (docs/trainer.md); NULL: ours */
  double timeout_s; /* limit of one try of the command; 0: no limit */
  double grace_s;   /* between SIGTERM and SIGKILL, if it must end */
  double may_fail;  /* share of the runs that may fail without stopping what comes after */
} rmx_training;

/* Everything one training depends on. Plain data: written to run.json, read by the worker
 * process. */
typedef struct rmx_run {
  char *name;
  char *folder; /* runs/0001: where its files go */
  char *corpus; /* the folder whose corpus/ it trains on */
  size_t D;
  char **domains;    /* (D) names of the training domains */
  double *mixture;   /* (D) of all tokens */
  rmx_phases phases; /* of which that is the mean; n = 0: there are none */
  uint64_t seed;
  bool keep_model; /* leave a model in the folder at the end: see rmx_lm_write() */
  uint64_t corpus_hash;
  int vocab;
  rmx_training training; /* text members borrowed by rmx_run_make, owned after rmx_run_read */
  bool owns_training;
  /* {"method": NAME, ...}: what controls it beside its mixture, see rmx_controller; owned; NULL:
   * nothing */
  struct json_t *controller;
} rmx_run;

/* The option table of an rmx_training, keys without their section ("lr", "tokens"). */
extern const rmx_option rmx_training_options[];
extern const size_t rmx_training_options_n;
/* False: the key only says how the work is cut up, or how long to wait for it, so no result depends
 * on it ("threads"). The size of a pass changes the order of sums, so it counts. */
bool rmx_training_key_counts(const char *key);

/* Whether our PyTorch trainer trains it, or any other program than regmix itself. */
bool rmx_training_is_pytorch(const rmx_training *t);
bool rmx_training_is_outside(const rmx_training *t);
/* Makes `trainer` and `command` agree: a command that is not to be used is dropped. RMX_EINPUT
 * where there is none for "command"; `section` heads the message. */
rmx_status rmx_training_settle(rmx_training *t, const char *section, rmx_err *err);

/* Makes t->init, which is relative to `folder`, an absolute path, and sets t->init_hash: of what
 * cannot be read, the hash of its name. A model that is not there is no error. */
rmx_status rmx_training_find_init(rmx_training *t, const char *folder, rmx_err *err);

/* The model's sizes: those of t->init, or preset and own ones together; RMX_EINPUT for an unknown
 * preset or sizes that do not fit. */
rmx_status rmx_training_model(const rmx_training *t, int vocab, rmx_model_config *out,
                              rmx_err *err);
/* Peak learning rate: t->lr, else the preset's, else 1/sqrt(body parameters) kept within [4e-4,
 * 6e-3]. */
double rmx_training_lr(const rmx_training *t, const rmx_model_config *c);
/* Learning rate of step `step` (0-based) of `steps`: linear warm-up, then constant or cosine. */
double rmx_schedule_lr(const rmx_training *t, double peak, int64_t step, int64_t steps);
/* Sequences of an optimiser step, and steps of the run. */
int64_t rmx_training_batch(const rmx_training *t);
int64_t rmx_training_steps(const rmx_training *t);
int64_t rmx_training_micro_batch(const rmx_training *t); /* sequences of one pass */

/* Threads of a run where `at_once` run at a time here: t->threads, or if that is 0 an equal share
 * of the processors. */
int rmx_training_threads(const rmx_training *t, size_t at_once);

/* What a run is made of: all borrowed. */
typedef struct rmx_run_request {
  const char *name, *folder; /* "0001", where its files go */
  const char *experiment;    /* the folder whose corpus/ it trains on */
  const rmx_corpus *corpus;  /* that corpus */
  const double *mixture;     /* (corpus->D_train); NULL: the mean of the phases */
  const rmx_phases *phases;  /* NULL: one mixture */
  const rmx_training *training;
  uint64_t seed;
  bool keep_model;
} rmx_run_request;
rmx_status rmx_run_make(const rmx_run_request *request, rmx_run *out, rmx_err *err);
void rmx_run_release(rmx_run *r);
/* Whether the model that the run begins with can be trained on its corpus: RMX_EINPUT if it cannot
 * be read, was changed since the run was made, has other sizes or a shorter context than the
 * settings ask for, or another tokenizer than the corpus. A command of the user checks it itself.
 * */
rmx_status rmx_run_check_init(const rmx_run *r, rmx_err *err);
/* run.json and mixture.yaml of the run's folder, written and read. */
rmx_status rmx_run_write(const rmx_run *r, rmx_err *err);
rmx_status rmx_run_read(const char *folder, rmx_run *out, rmx_err *err);
struct json_t *rmx_run_json(const rmx_run *r); /* all it depends on; a new reference */
/* Hash of that, which result.json keeps as "fingerprint" ("answers" in version 0.1.0). Of
 * training.command it only counts whether there is one. out: 17 bytes. */
void rmx_run_fingerprint(const rmx_run *r, char out[17]);
/* Whether a result with this fingerprint is one of the run. Those of version 0.1.0 are too: their
 * mixtures may differ in their last bit, and their hash had the text of the command in it:
 * `command`, as run.json has it beside the result, or NULL. */
bool rmx_run_has_fingerprint(const rmx_run *r, const char *fingerprint, const char *command);

/* How a training stands; given to `tick` after every optimiser step. */
typedef struct rmx_train_state {
  int64_t step, steps;
  int64_t tokens;
  double loss_nats, tokens_per_s;
} rmx_train_state;

/* What controls one training beside its mixture: where its batches come from, what their tokens
 * weigh, what is looked at between steps. Any function may be NULL; with all of them NULL the
 * training is the plain one, bit for bit. */
typedef struct rmx_controller {
  void *context;
  /* what draws the batches, freed by the trainer; NULL: the run's mixture, fixed */
  rmx_stream *stream;
  /* Before optimiser step `step` (0-based) of `steps`: may evaluate the model, which keeps its
   * state, and change the mixture of its stream. scratch and losses are what rmx_evaluate takes. */
  rmx_status (*before_step)(void *context, rmx_model *m, int64_t step, int64_t steps,
                            rmx_batch *scratch, float *losses, rmx_err *err);
  /* From the losses (B, T) of a micro-batch sets batch->weights (B, T), which the stream made. */
  void (*weigh)(void *context, rmx_batch *batch, const float *losses);
  /* State as JSON, and back: with the stream's, all it takes to go on with the same bits. save
   * gives a new reference. */
  struct json_t *(*save)(const void *context);
  rmx_status (*load)(void *context, const struct json_t *state, rmx_err *err);
  /* an object for "steering" of result.json (keys of files keep their names); a new reference */
  struct json_t *(*report)(const void *context);
  /* spent so far beside training the model: forward passes of others, evaluations */
  double (*flops)(const void *context);
  void (*free)(void *context);
} rmx_controller;
/* Makes the controller that r->controller describes; `out` is all NULL before. */
typedef rmx_status rmx_make_controller(const rmx_run *r, const rmx_corpus *corpus,
                                       const rmx_kernels *kernels, rmx_controller *out,
                                       rmx_err *err);

typedef struct rmx_train_hooks {
  void *context;
  void (*tick)(void *context, const rmx_train_state *s);
  /* called for a run with a controller; NULL: such a run is RMX_EINPUT */
  rmx_make_controller *make_controller;
  /* called for files that cannot be used; may be NULL */
  void (*warn)(void *context, const char *message);
  /* the ranks that train this run together, each of which calls rmx_train; NULL: this process */
  rmx_comm *comm;
} rmx_train_hooks;

/* Trains one run, with training.threads (0: all processors), and writes into its folder log.jsonl
 * as it goes, checkpoint.safetensors now and then, result.json at the end (and the model, whose
 * hash result.json keeps). Resumes from a checkpoint of the same run; the result has the same bits
 * as without a stop. The checkpoint holds the log so far, which replaces the file. If a checkpoint
 * is damaged, `warn` is called, and the run starts again. A run whose loss is not a number is
 * RMX_OK with "status": "diverged". RMX_EINTERRUPTED: checkpoint written. With several ranks each
 * trains its sequences of every step, and the first alone writes files. The losses are those of one
 * rank but for rounding. The same number of ranks gives the same bits each time. If one rank fails,
 * all do. Such a run has no controller. */
rmx_status rmx_train(const rmx_run *r, const rmx_corpus *corpus, const rmx_kernels *kernels,
                     const rmx_train_hooks *hooks, rmx_err *err);

/* Sets "nats_hash" of a result: the hash of its loss_nats and half. */
void rmx_result_seal(struct json_t *result);
/* Its losses were changed since. One without a hash (of version 0.1.0) was not. */
bool rmx_result_seal_broken(const struct json_t *result);

/* Of the evaluations in log.jsonl, which result.json has as "log_hash". Lines that are no JSON do
 * not count. */
rmx_status rmx_log_hash(const char *text, size_t size, uint64_t *out, rmx_err *err);

typedef struct rmx_speed {
  double tokens_per_s;       /* of whole optimiser steps, data among them: the median */
  double valid_tokens_per_s; /* of validation */
  /* processors this process had meanwhile: below its threads where others took some */
  double processor;
  /* the caller's (rmx_model_parts_n), or NULL: gets the share of each part of the model */
  double *parts;
  /* memory of the process meanwhile, and how much of it is no file's */
  double rss_mib, rss_anon_mib;
  double data, other; /* shares of the step: getting batches; what is none of all these */
} rmx_speed;
/* How fast this training goes here, on random tokens, measured for about `seconds` and a quarter
 * more for validation. */
rmx_status rmx_training_speed(const rmx_training *t, int vocab, const rmx_kernels *kernels,
                              double seconds, rmx_speed *out, rmx_err *err);

/* Mean loss over the first `max_tokens` validation tokens (0: all) of domain `d`, nats per token.
 * `losses` is scratch of B * T floats, where the model was made for B x T. */
double rmx_evaluate(rmx_model *m, const rmx_corpus *corpus, size_t d, int64_t max_tokens,
                    rmx_batch *scratch, float *losses);
/* Validation tokens rmx_evaluate looks at: windows of T, the last one shorter. */
size_t rmx_evaluate_tokens(const rmx_corpus *corpus, size_t d, int64_t max_tokens);

#ifdef __cplusplus
}
#endif
#endif
