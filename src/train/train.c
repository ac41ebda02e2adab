// SPDX-License-Identifier: Apache-2.0
// The training loop: batches from a stream, gradients over micro-batches, an AdamW step, and
// now and then a checkpoint from which a later process goes on with the same bits.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "loop.h"

static void log_line(struct rmx__loop *l, json_t *line) {
  json_object_set_new(line, "wall_s", json_real(rmx__loop_wall_s(l)));
  char *text = l->first ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
  if (text) fprintf(l->log, "%s\n", text);
  if (text) rmx_buf_printf(&l->logged, "%s\n", text);
  free(text);
  json_decref(line);
}

static void log_step(struct rmx__loop *l, double lr, double norm, double tokens_per_s) {
  json_t *line = json_object();
  json_object_set_new(line, "step", json_integer(l->step));
  json_object_set_new(line, "tokens", json_integer(l->step * rmx__loop_tokens_per_step(l)));
  json_object_set_new(line, "loss_nats", rmx__json_known(l->loss));
  json_object_set_new(line, "lr", json_real(lr));
  json_object_set_new(line, "grad_norm", rmx__json_known(norm));
  json_object_set_new(line, "tokens_per_s", json_real(tokens_per_s));
  // A mixture that moves leaves its track.
  if (l->controller.stream)
    json_object_set_new(
        line, "mixture",
        rmx_mixture_json(l->stepper.stream->mixture, l->corpus->names, l->corpus->D_train));
  log_line(l, line);
}

static void evaluate_all(struct rmx__loop *l, double *nats) {
  for (size_t d = 0; d < l->corpus->D; d++)
    nats[d] = rmx_evaluate_tokens(l->corpus, d, l->run->training.eval_tokens)
                  ? rmx__evaluate_shared(&l->stepper, l->corpus, d, l->run->training.eval_tokens)
                  : NAN;
  json_t *line = json_object();
  json_object_set_new(line, "step", json_integer(l->step));
  json_object_set_new(line, "tokens", json_integer(l->step * rmx__loop_tokens_per_step(l)));
  json_object_set_new(line, "valid_nats", rmx__loop_nats_json(l, nats));
  log_line(l, line);
}

// The stream of a run with phases draws from the mixture of the phase that the step is in. Its
// credits and epochs go on, so every share is met over the phases that it is asked in.
static void choose_phase(struct rmx__loop *l) {
  const rmx_phases *p = &l->run->phases;
  if (p->n)
    memcpy(l->stepper.stream->mixture, p->mixture + rmx_phase_at(p, l->step, l->steps) * p->D,
           p->D * sizeof *p->mixture);
}

// Asked to stop, or a checkpoint is due: what some rank finds, all do.
static void agree_to_stop(struct rmx__loop *l, bool *stop, bool *save) {
  const bool due = rmx_now() - l->checkpointed >= l->run->training.checkpoint_s;
  double flags[] = {rmx_interrupted(), l->first && due && l->step < l->steps};
  rmx__comm_add(l->comm, flags, 2);
  *stop = flags[0] > 0;
  *save = *stop || flags[1] > 0;
}

static rmx_status train_steps(struct rmx__loop *l, rmx_err *err) {
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
           tokens_per_s =
               (double)((l->step - since_step) * rmx__loop_tokens_per_step(l)) / (now - since);
    l->diverged = !isfinite(l->loss) || !isfinite(norm);
    if (l->step % l->log_every == 0 || l->step == l->steps || l->diverged) {
      log_step(l, lr, norm, tokens_per_s);
      since = now;
      since_step = l->step;
    }
    if (l->diverged) return RMX_OK;
    if (l->step == l->half_step)
      evaluate_all(l, l->half_nats);
    else if (l->step < l->steps && rmx__loop_evaluation_due(l, l->step))
      evaluate_all(l, l->final_nats);
    if (l->first && l->hooks && l->hooks->tick) {
      rmx_train_state state = {l->step, l->steps, l->step * rmx__loop_tokens_per_step(l), l->loss,
                               tokens_per_s};
      l->hooks->tick(l->hooks->context, &state);
    }
    bool stop, save;
    agree_to_stop(l, &stop, &save);
    if (save) RMX_TRY(rmx__checkpoint_save(l, err));
    if (stop) {
      rmx_fail(err, RMX_EINTERRUPTED, "stopped at step %lld; the same command continues from there",
               (long long)l->step);
      return rmx__comm_agree(l->comm, err->status, err);
    }
  }
  return RMX_OK;
}

static rmx_status finish(struct rmx__loop *l, rmx_err *err) {
  if (!l->diverged) evaluate_all(l, l->final_nats);
  return rmx__comm_agree(l->comm, l->first ? rmx__result_write(l, err) : RMX_OK, err);
}

// The file gets what is known of the log, whatever it held.
static rmx_status open_log(struct rmx__loop *l, rmx_err *err) {
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

static rmx_status set_up(struct rmx__loop *l, rmx_err *err) {
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
  return rmx__loop_new_model(l, err);
}

// All ranks must go on from the same step of the same training.
static rmx_status check_ranks(const struct rmx__loop *l, rmx_err *err) {
  double steps = (double)l->step;
  rmx__comm_add(l->comm, &steps, 1);
  if (steps == (double)l->step * l->comm->size) return RMX_OK;
  return rmx_fail(err, RMX_EIO,
                  "run %s: the ranks read different checkpoints (%lld steps here); they need one "
                  "folder that all of them see. Try again when the file system shows the same "
                  "files everywhere",
                  l->run->name, (long long)l->step);
}

static rmx_status go_on(struct rmx__loop *l, rmx_err *err) {
  RMX_TRY(rmx__comm_agree(l->comm, rmx__checkpoint_load(l, err), err));
  RMX_TRY(rmx__comm_agree(l->comm, check_ranks(l, err), err));
  return rmx__comm_agree(l->comm, open_log(l, err), err);
}

rmx_status rmx_train(const rmx_run *r, const rmx_corpus *corpus, const rmx_kernels *kernels,
                     const rmx_train_hooks *hooks, rmx_err *err) {
  struct rmx__loop l = {.run = r, .corpus = corpus, .kernels = kernels, .hooks = hooks};
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
