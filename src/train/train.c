// SPDX-License-Identifier: Apache-2.0
// The training loop: batches from a stream, gradients over micro-batches, an AdamW step, and
// now and then a checkpoint from which a later process goes on with the same bits.
#include <math.h>
#include <regmix/lm.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/stamp.h"
#include "corpus/tokenizer/of_corpus.h"
#include "model/model.h"
#include "places.h"
#include "step.h"

struct loop {
  const rmx_run *run;
  const rmx_corpus *corpus;
  const rmx_kernels *kernels;
  const rmx_train_hooks *hooks;
  rmx_comm *comm;
  bool first;  // of the ranks: it writes the files
  rmx_model_config config;
  struct rmx__stepper stepper;     // with the model and the stream
  rmx_controller controller;       // all NULL where nothing controls it
  double *final_nats, *half_nats;  // (D)
  double peak_lr;
  int64_t step, steps, half_step, log_every;
  double wall_before;  // seconds of earlier processes
  double started, checkpointed;
  double loss;  // of the step done last
  FILE *log;
  rmx_buf logged;  // all of the log so far
  char fingerprint[17], model_hash[17];
  char *log_path, *checkpoint_path, *old_checkpoint_path, *result_path;
  bool diverged;
};

static double wall_s(const struct loop *l) {
  return l->wall_before + rmx_now() - l->started;
}

static int64_t tokens_per_step(const struct loop *l) {
  return rmx_training_batch(&l->run->training) * l->run->training.context;
}

static json_t *nats_json(const struct loop *l, const double *nats) {
  json_t *o = json_object();
  for (size_t d = 0; d < l->corpus->D; d++)
    json_object_set_new(o, l->corpus->names[d],
                        isfinite(nats[d]) ? json_real(nats[d]) : json_null());
  return o;
}

static void log_line(struct loop *l, json_t *line) {
  json_object_set_new(line, "wall_s", json_real(wall_s(l)));
  char *text = l->first ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
  if (text) fprintf(l->log, "%s\n", text);
  if (text) rmx_buf_printf(&l->logged, "%s\n", text);
  free(text);
  json_decref(line);
}

static void log_step(struct loop *l, double lr, double norm, double tokens_per_s) {
  json_t *line = json_object();
  json_object_set_new(line, "step", json_integer(l->step));
  json_object_set_new(line, "tokens", json_integer(l->step * tokens_per_step(l)));
  json_object_set_new(line, "loss_nats", isfinite(l->loss) ? json_real(l->loss) : json_null());
  json_object_set_new(line, "lr", json_real(lr));
  json_object_set_new(line, "grad_norm", isfinite(norm) ? json_real(norm) : json_null());
  json_object_set_new(line, "tokens_per_s", json_real(tokens_per_s));
  // A mixture that moves leaves its track.
  if (l->controller.stream)
    json_object_set_new(
        line, "mixture",
        rmx_mixture_json(l->stepper.stream->mixture, l->corpus->names, l->corpus->D_train));
  log_line(l, line);
}

static void evaluate_all(struct loop *l, double *nats) {
  for (size_t d = 0; d < l->corpus->D; d++)
    nats[d] = rmx_evaluate_tokens(l->corpus, d, l->run->training.eval_tokens)
                  ? rmx__evaluate_shared(&l->stepper, l->corpus, d, l->run->training.eval_tokens)
                  : NAN;
  json_t *line = json_object();
  json_object_set_new(line, "step", json_integer(l->step));
  json_object_set_new(line, "tokens", json_integer(l->step * tokens_per_step(l)));
  json_object_set_new(line, "valid_nats", nats_json(l, nats));
  log_line(l, line);
}

// ---- checkpoints: the model's file with the loop's state and the log inside

enum { LOG_MAX = 32 << 20 };  // of the log in a checkpoint, whose header has bounds

static rmx_status write_checkpoint(struct loop *l, rmx_err *err) {
  if (fflush(l->log) != 0) return rmx_fail_errno(err, "cannot write %s", l->log_path);
  json_t *state = json_object();
  json_object_set_new(state, "fingerprint", json_string(l->fingerprint));
  json_object_set_new(state, "step", json_integer(l->step));
  json_object_set_new(state, "wall_s", json_real(wall_s(l)));
  json_object_set_new(state, "log_bytes", json_integer((json_int_t)l->logged.size));
  if (l->logged.size <= LOG_MAX && !l->logged.failed)
    json_object_set_new(state, "log",
                        json_stringn(l->logged.data ? l->logged.data : "", l->logged.size));
  json_object_set_new(state, "stream", l->stepper.stream->type->save(l->stepper.stream));
  if (l->controller.save)
    json_object_set_new(state, "steering", l->controller.save(l->controller.context));
  if (l->half_step > 0 && l->step >= l->half_step)
    json_object_set_new(state, "half_nats", nats_json(l, l->half_nats));
  rmx_status status = rmx_model_save(l->stepper.model, l->checkpoint_path, true, state, err);
  json_decref(state);
  if (status == RMX_OK) unlink(l->old_checkpoint_path);
  return status;
}

// The first rank writes it, with the moments of all.
static rmx_status save_checkpoint(struct loop *l, rmx_err *err) {
  RMX_TRY(rmx__shards_begin_save(l->stepper.model, err));
  const rmx_status status = l->first ? write_checkpoint(l, err) : RMX_OK;
  rmx__shards_end_save(l->stepper.model);
  l->checkpointed = rmx_now();
  return rmx__comm_agree(l->comm, status, err);
}

static rmx_status new_model(struct loop *l, rmx_err *err) {
  const rmx_run *r = l->run;
  RMX_TRY(rmx__model_new_shared(&l->config, l->stepper.micro, (int)r->training.context, l->kernels,
                                r->seed, l->comm, &l->stepper.model, err));
  if (r->training.init) {
    const rmx_status status = rmx_lm_init(l->stepper.model, r->training.init, err);
    RMX_TRY(rmx__comm_agree(l->comm, status, err));
  }
  int threads = rmx_training_threads(&r->training, 1);
  if (l->comm->size > 1 && threads > rmx_processors()) threads = rmx_processors();
  return rmx_model_threads(l->stepper.model, threads, err);
}

static void warn(const struct loop *l, const char *message) {
  if (l->first && l->hooks && l->hooks->warn) l->hooks->warn(l->hooks->context, message);
}

// The log up to the checkpoint: from the checkpoint itself, else (those of version 0.1.0 and very
// long logs) from its file, which may be longer, since what a process logged after its last
// checkpoint will be logged again. False: that is not possible.
static bool recover_log(struct loop *l, const json_t *state) {
  const json_t *log = json_object_get(state, "log");
  const json_int_t wanted = json_integer_value(json_object_get(state, "log_bytes"));
  l->logged.size = 0;
  if (json_is_string(log)) {
    rmx_buf_add(&l->logged, json_string_value(log), json_string_length(log));
    return !l->logged.failed;
  }
  rmx_err ignored;
  RMX_OWNED char *text = NULL;
  size_t size = 0;
  if (!rmx_exists(l->log_path) || rmx_read_file(l->log_path, &text, &size, &ignored) != RMX_OK)
    return wanted == 0;
  const bool whole = wanted >= 0 && (size_t)wanted <= size &&
                     (wanted == 0 || text[wanted - 1] == '\n') &&
                     !memchr(text, '\0', (size_t)wanted);
  if (whole) rmx_buf_add(&l->logged, text, (size_t)wanted);
  return whole && !l->logged.failed;
}

static rmx_status take_state(struct loop *l, const json_t *state, rmx_err *err) {
  RMX_TRY(l->stepper.stream->type->load(l->stepper.stream, json_object_get(state, "stream"), err));
  if (l->controller.load)
    RMX_TRY(l->controller.load(l->controller.context, json_object_get(state, "steering"), err));
  l->step = json_integer_value(json_object_get(state, "step"));
  l->wall_before = json_number_value(json_object_get(state, "wall_s"));
  const json_t *half = json_object_get(state, "half_nats");
  for (size_t d = 0; half && d < l->corpus->D; d++) {
    const json_t *x = json_object_get(half, l->corpus->names[d]);
    l->half_nats[d] = json_is_number(x) ? json_number_value(x) : NAN;
  }
  return RMX_OK;
}

// When all ranks have read it, the first one removes a checkpoint that cannot be used.
static void remove_checkpoint(const struct loop *l, const char *path) {
  if (l->first) unlink(path);
}

// Resumes from a checkpoint if there is one of the same run. One that is damaged is no loss but of
// time: that is reported, and the run starts again. One that cannot be read now, for an error of
// the disk or for want of memory, is not given up.
static rmx_status load_checkpoint(struct loop *l, rmx_err *err) {
  json_t *state = NULL;
  rmx_err why;
  const char *path = rmx_exists(l->checkpoint_path) ? l->checkpoint_path : l->old_checkpoint_path;
  const bool there = rmx_exists(path);
  const rmx_status loaded = there ? rmx_model_load(l->stepper.model, path, &state, &why) : RMX_OK;
  rmx__comm_meet(l->comm);
  if (!there) return RMX_OK;
  if (loaded != RMX_OK && why.status != RMX_EINPUT) {
    *err = why;
    return rmx_fail_in(err, "run %s is not begun again, since its checkpoint may be whole",
                       l->run->name);
  }
  if (loaded != RMX_OK) {
    remove_checkpoint(l, path);
    rmx_fail_in(&why, "the checkpoint cannot be used, so the run starts again");
    warn(l, why.message);
    return RMX_OK;
  }
  const char *fingerprint = rmx__fingerprint_in(state, "answers");
  const bool same = fingerprint && rmx_run_has_fingerprint(l->run, fingerprint, NULL),
             logged = same && recover_log(l, state);
  rmx_status status = logged ? take_state(l, state, err) : RMX_OK;
  json_decref(state);
  if (status != RMX_OK) remove_checkpoint(l, path);  // the next try does without
  if (logged) return status;
  if (same) warn(l, "log.jsonl is shorter than the checkpoint says, so the run starts again");
  // Weights that are not this run's were loaded: back to the initial ones.
  l->logged.size = 0;
  rmx_model_free(l->stepper.model);
  l->stepper.model = NULL;
  return new_model(l, err);
}

// ---- the loop

// One of the `evals` on the way: the first step at or past each of as many even parts of the run.
static bool evaluation_due(const struct loop *l, int64_t step) {
  const int64_t evals = l->run->training.evals;
  return step * evals / l->steps > (step - 1) * evals / l->steps;
}

// The stream of a run with phases draws from the mixture of the phase that the step is in. Its
// credits and epochs go on, so every share is met over the phases that it is asked in.
static void choose_phase(struct loop *l) {
  const rmx_phases *p = &l->run->phases;
  if (p->n)
    memcpy(l->stepper.stream->mixture, p->mixture + rmx_phase_at(p, l->step, l->steps) * p->D,
           p->D * sizeof *p->mixture);
}

// Asked to stop, or a checkpoint is due: what some rank finds, all do.
static void agree_to_stop(struct loop *l, bool *stop, bool *save) {
  const bool due = rmx_now() - l->checkpointed >= l->run->training.checkpoint_s;
  double flags[] = {rmx_interrupted(), l->first && due && l->step < l->steps};
  rmx__comm_add(l->comm, flags, 2);
  *stop = flags[0] > 0;
  *save = *stop || flags[1] > 0;
}

static rmx_status train_steps(struct loop *l, rmx_err *err) {
  double since = rmx_now();
  int64_t since_step = l->step;
  while (l->step < l->steps) {
    double lr = rmx_schedule_lr(&l->run->training, l->peak_lr, l->step, l->steps), norm;
    choose_phase(l);
    if (l->controller.before_step)
      RMX_TRY(l->controller.before_step(l->controller.context, l->stepper.model, l->step, l->steps,
                                        &l->stepper.batch, l->stepper.losses, err));
    RMX_TRY(rmx__stepper_take(&l->stepper, lr, &l->loss, &norm, err));
    l->step++;
    double now = rmx_now(),
           tokens_per_s = (double)((l->step - since_step) * tokens_per_step(l)) / (now - since);
    l->diverged = !isfinite(l->loss) || !isfinite(norm);
    if (l->step % l->log_every == 0 || l->step == l->steps || l->diverged) {
      log_step(l, lr, norm, tokens_per_s);
      since = now;
      since_step = l->step;
    }
    if (l->diverged) return RMX_OK;
    if (l->step == l->half_step)
      evaluate_all(l, l->half_nats);
    else if (l->step < l->steps && evaluation_due(l, l->step))
      evaluate_all(l, l->final_nats);
    if (l->first && l->hooks && l->hooks->tick) {
      rmx_train_state state = {l->step, l->steps, l->step * tokens_per_step(l), l->loss,
                               tokens_per_s};
      l->hooks->tick(l->hooks->context, &state);
    }
    bool stop, save;
    agree_to_stop(l, &stop, &save);
    if (save) RMX_TRY(save_checkpoint(l, err));
    if (stop) {
      rmx_fail(err, RMX_EINTERRUPTED, "stopped at step %lld; the same command continues from there",
               (long long)l->step);
      return rmx__comm_agree(l->comm, err->status, err);
    }
  }
  return RMX_OK;
}

// ---- the result

// Each validation, at the end and on the way, is a forward pass: a third of training.
static double valid_flops(const struct loop *l) {
  double tokens = 0;
  for (size_t d = 0; d < l->corpus->D; d++)
    tokens += (double)rmx_evaluate_tokens(l->corpus, d, l->run->training.eval_tokens);
  int64_t times = !l->diverged;
  for (int64_t s = 1; s < l->steps && s <= l->step; s++)
    times += s == l->half_step || evaluation_due(l, s);
  return (double)times * tokens *
         rmx_model_flop_per_token(&l->config, (int)l->run->training.context) / RMX_FORWARD_PASSES;
}

static json_t *model_json(const rmx_model_config *c) {
  json_t *o = json_object();
  json_object_set_new(o, "layers", json_integer(c->layers));
  json_object_set_new(o, "heads", json_integer(c->heads));
  json_object_set_new(o, "width", json_integer(c->width));
  json_object_set_new(o, "ffn", json_integer(c->ffn));
  json_object_set_new(o, "vocab", json_integer(c->vocab));
  json_object_set_new(o, "context", json_integer(c->context));
  if (c->kv_heads && c->kv_heads != c->heads)
    json_object_set_new(o, "kv_heads", json_integer(c->kv_heads));
  if (c->head_width && c->head_width * c->heads != c->width)
    json_object_set_new(o, "head_width", json_integer(c->head_width));
  if (c->tied) json_object_set_new(o, "tied", json_true());
  return o;
}

static json_t *bits_json(const struct loop *l) {
  json_t *o = json_object();
  for (size_t d = 0; d < l->corpus->D; d++) {
    const rmx_domain *domain = &l->corpus->domains[d];
    double tokens_per_byte =
        (double)domain->valid_tokens / (double)(domain->valid_bytes ? domain->valid_bytes : 1);
    double bpb = l->final_nats[d] * tokens_per_byte / 0.69314718055994530942;
    json_object_set_new(o, domain->name, isfinite(bpb) ? json_real(bpb) : json_null());
  }
  return o;
}

static json_t *half_json(const struct loop *l) {
  json_t *o = json_object();
  json_object_set_new(o, "steps", json_integer(l->half_step));
  json_object_set_new(o, "tokens", json_integer(l->half_step * tokens_per_step(l)));
  json_object_set_new(o, "loss_nats", nats_json(l, l->half_nats));
  return o;
}

static json_t *made_by_json(const struct loop *l) {
  json_t *o = json_object();
  char hash[17];
  rmx__hex(l->run->corpus_hash, hash);
  json_object_set_new(o, "version", json_string(rmx_version()));
  json_object_set_new(o, "isa", json_string(rmx_kernels_name(l->kernels)));
  json_object_set_new(o, "corpus", json_string(hash));
  if (l->comm->size > 1) json_object_set_new(o, "ranks", json_integer(l->comm->size));
  return o;
}

// What each domain gave: how often it was gone through, and how many tokens.
static void add_drawn(json_t *o, const struct loop *l) {
  json_t *epochs = json_object(), *drawn = json_object();
  const rmx_corpus *c = l->corpus;
  for (size_t d = 0; d < c->D_train; d++) {
    json_object_set_new(epochs, c->names[d], json_real(l->stepper.stream->epochs[d]));
    json_object_set_new(
        drawn, c->names[d],
        json_integer((json_int_t)l->stepper.stream->sequences[d] * l->run->training.context));
  }
  json_object_set_new(o, "epochs", epochs);
  json_object_set_new(o, "tokens_by_domain", drawn);
}

static json_t *result_json(const struct loop *l) {
  const rmx_run *r = l->run;
  double tokens = (double)(l->step * tokens_per_step(l)), wall = wall_s(l);
  json_t *o = json_object();
  json_object_set_new(o, "run", json_string(r->name));
  json_object_set_new(o, "status", json_string(l->diverged ? "diverged" : "done"));
  json_object_set_new(o, "seed", json_integer((json_int_t)r->seed));
  json_object_set_new(o, "mixture",
                      rmx_mixture_json(r->mixture, (const char *const *)r->domains, r->D));
  if (r->phases.n) {
    json_auto_t *asked = rmx_run_json(r);
    json_object_set(o, "phases", json_object_get(asked, "phases"));
  }
  json_object_set_new(o, "model", model_json(&l->config));
  if (r->training.init) json_object_set_new(o, "init", rmx__hex_json(r->training.init_hash));
  json_object_set_new(o, "parameters", json_integer((json_int_t)rmx_model_parameters(&l->config)));
  json_object_set_new(o, "lr", json_real(l->peak_lr));
  json_object_set_new(o, "steps", json_integer(l->step));
  json_object_set_new(o, "tokens", json_real(tokens));
  json_object_set_new(
      o, "flops",
      json_real(tokens * rmx_model_flop_per_token(&l->config, (int)r->training.context)));
  json_object_set_new(o, "valid_flops", json_real(valid_flops(l)));
  if (l->controller.flops)
    json_object_set_new(o, "steering_flops", json_real(l->controller.flops(l->controller.context)));
  json_object_set_new(o, "wall_s", json_real(wall));
  json_object_set_new(o, "tokens_per_s", json_real(tokens / wall));
  json_object_set_new(o, "loss_nats", l->diverged ? json_null() : nats_json(l, l->final_nats));
  json_object_set_new(o, "bits_per_byte", l->diverged ? json_null() : bits_json(l));
  if (l->half_step > 0) json_object_set_new(o, "half", half_json(l));
  add_drawn(o, l);
  if (l->controller.report)
    json_object_set_new(o, "steering", l->controller.report(l->controller.context));
  json_object_set_new(o, "fingerprint", json_string(l->fingerprint));
  if (*l->model_hash) json_object_set_new(o, "model_hash", json_string(l->model_hash));
  json_object_set_new(o, "made_by", made_by_json(l));
  uint64_t log_hash;
  rmx_err ignored;  // without a hash the log is taken as it is
  if (!l->logged.failed && rmx_log_hash(l->logged.data ? l->logged.data : "", l->logged.size,
                                        &log_hash, &ignored) == RMX_OK)
    json_object_set_new(o, "log_hash", rmx__hex_json(log_hash));
  rmx_result_seal(o);
  return o;
}

// A model of version 0.1.0 that was there before is not this run's.
static rmx_status write_model(struct loop *l, rmx_err *err) {
  const char *folder = l->run->folder;
  RMX_OWNED char *tokenizer = NULL;
  RMX_TRY(rmx__corpus_tokenizer(l->run->corpus, &tokenizer, err));
  RMX_TRY(rmx_lm_write(l->stepper.model, l->corpus->end_of_text, tokenizer, folder, err));
  RMX_OWNED char *old = rmx_path_in(folder, "model.bin"), *path = rmx_model_path(folder);
  if (!old || !path) return rmx_fail_memory(err, 0, "a path");
  uint64_t hash;
  unlink(old);
  RMX_TRY(rmx_model_file_hash(path, &hash, err));
  rmx__hex(hash, l->model_hash);
  return RMX_OK;
}

static rmx_status write_result(struct loop *l, rmx_err *err) {
  bool bad = ferror(l->log) || fflush(l->log) != 0;
  if (bad) return rmx_fail_errno(err, "cannot write %s", l->log_path);
  if (l->run->keep_model && !l->diverged) RMX_TRY(write_model(l, err));
  json_t *result = result_json(l);
  rmx_status status = rmx__json_write(l->result_path, result, err);
  json_decref(result);
  if (status == RMX_OK) unlink(l->checkpoint_path), unlink(l->old_checkpoint_path);
  return status;
}

static rmx_status finish(struct loop *l, rmx_err *err) {
  if (!l->diverged) evaluate_all(l, l->final_nats);
  return rmx__comm_agree(l->comm, l->first ? write_result(l, err) : RMX_OK, err);
}

// The file gets what is known of the log, whatever it held.
static rmx_status open_log(struct loop *l, rmx_err *err) {
  if (!l->first) return RMX_OK;
  RMX_TRY(rmx_write_file(l->log_path, l->logged.data ? l->logged.data : "", l->logged.size, err));
  l->log = rmx_fopen(l->log_path, "a");
  return l->log ? RMX_OK : rmx_fail_errno(err, "cannot write %s", l->log_path);
}

// Every phase must have a step.
static rmx_status check_phases(const rmx_run *r, rmx_err *err) {
  const int64_t steps = rmx_training_steps(&r->training);
  size_t seen = 0;
  if (r->phases.n && r->controller)
    return rmx_fail(err, RMX_EINPUT, "run %s has phases, which its method does not know", r->name);
  for (int64_t s = 0; s < steps && seen < r->phases.n; s++)
    if (rmx_phase_at(&r->phases, s, steps) == seen) seen++;
  if (seen == r->phases.n) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "run %s: %lld steps are too few for its %zu phases; phase %zu gets none. Raise "
                  "the tokens, or lower batch_tokens",
                  r->name, (long long)steps, r->phases.n, seen);
}

static rmx_status set_up(struct loop *l, rmx_err *err) {
  const rmx_run *r = l->run;
  const rmx_corpus *c = l->corpus;
  if (c->hash != r->corpus_hash || c->D_train != r->D || c->vocab != r->vocab)
    return rmx_fail(
        err, RMX_EINPUT,
        "run %s was made for another corpus than the one in %s; run `regmix train` again", r->name,
        r->corpus);
  for (size_t d = 0; d < r->D; d++)
    if (strcmp(r->domains[d], c->names[d]) != 0)
      return rmx_fail(err, RMX_EINPUT,
                      "run %s: domain %zu is \"%s\" in run.json, \"%s\" in the corpus", r->name, d,
                      r->domains[d], c->names[d]);
  RMX_TRY(check_phases(r, err));
  RMX_TRY(rmx_run_check_init(r, err));
  int T = (int)r->training.context;
  l->stepper.training = &r->training;
  l->steps = rmx_training_steps(&r->training);
  l->half_step = r->training.eval_half ? l->steps / 2 : -1;
  l->log_every = l->steps > 200 ? l->steps / 100 : 1;
  rmx_run_fingerprint(r, l->fingerprint);
  l->log_path = rmx_path_in(r->folder, "log.jsonl");
  l->checkpoint_path = rmx_path_in(r->folder, "checkpoint.safetensors");
  l->old_checkpoint_path = rmx_path_in(r->folder, "checkpoint.bin");  // of version 0.1.0
  l->result_path = rmx_path_in(r->folder, "result.json");
  l->final_nats = rmx_calloc(2 * c->D, sizeof(double));
  if (!l->log_path || !l->checkpoint_path || !l->old_checkpoint_path || !l->result_path ||
      !l->final_nats)
    return rmx_fail_memory(err, 0, "a training");
  l->half_nats = l->final_nats + c->D;
  for (size_t d = 0; d < 2 * c->D; d++) l->final_nats[d] = NAN;
  RMX_TRY(rmx_training_model(&r->training, r->vocab, &l->config, err));
  l->peak_lr = rmx_training_lr(&r->training, &l->config);
  RMX_TRY(rmx__stepper_make(&l->stepper, err));
  if (r->controller) {
    if (!l->hooks || !l->hooks->make_controller)
      return rmx_fail(err, RMX_EINPUT, "run %s needs method \"%s\"; no controller for it was given",
                      r->name, json_string_value(json_object_get(r->controller, "method")));
    RMX_TRY(l->hooks->make_controller(r, c, l->kernels, &l->controller, err));
    l->stepper.controller = &l->controller;
  }
  l->stepper.stream = l->controller.stream;
  if (!l->stepper.stream)
    RMX_TRY(rmx_stream_fixed(c, r->mixture, T, r->seed, &l->stepper.stream, err));
  return new_model(l, err);
}

// All ranks must go on from the same step of the same training.
static rmx_status check_ranks(const struct loop *l, rmx_err *err) {
  double steps = (double)l->step;
  rmx__comm_add(l->comm, &steps, 1);
  if (steps == (double)l->step * l->comm->size) return RMX_OK;
  return rmx_fail(err, RMX_EIO,
                  "run %s: the ranks read different checkpoints (%lld steps here); they need one "
                  "folder that all of them see. Try again when the file system shows the same "
                  "files everywhere",
                  l->run->name, (long long)l->step);
}

static rmx_status go_on(struct loop *l, rmx_err *err) {
  RMX_TRY(rmx__comm_agree(l->comm, load_checkpoint(l, err), err));
  RMX_TRY(rmx__comm_agree(l->comm, check_ranks(l, err), err));
  return rmx__comm_agree(l->comm, open_log(l, err), err);
}

rmx_status rmx_train(const rmx_run *r, const rmx_corpus *corpus, const rmx_kernels *kernels,
                     const rmx_train_hooks *hooks, rmx_err *err) {
  struct loop l = {.run = r, .corpus = corpus, .kernels = kernels, .hooks = hooks};
  l.comm = l.stepper.comm = rmx__comm_of(hooks ? hooks->comm : NULL);
  l.first = l.comm->rank == 0;
  l.started = l.checkpointed = rmx_now();
  rmx_status status = rmx__comm_agree(l.comm, set_up(&l, err), err);
  if (status == RMX_OK) status = go_on(&l, err);
  if (status == RMX_OK) status = train_steps(&l, err);
  if (status == RMX_OK) status = finish(&l, err);
  if (l.log) fclose(l.log);
  if (l.stepper.stream) l.stepper.stream->type->free(l.stepper.stream);
  if (l.controller.free) l.controller.free(l.controller.context);
  rmx_model_free(l.stepper.model);
  rmx__stepper_release(&l.stepper);
  rmx_buf_release(&l.logged);
  free(l.final_nats);
  free(l.log_path);
  free(l.checkpoint_path);
  free(l.result_path);
  free(l.old_checkpoint_path);
  return status;
}
