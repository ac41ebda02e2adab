// SPDX-License-Identifier: Apache-2.0
// Checkpoints of a training: the model's file with the loop's state and the log inside.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/stamp.h"
#include "loop.h"
#include "model/model.h"

enum { LOG_MAX = 32 << 20 };  // of the log in a checkpoint, whose header has bounds

static rmx_status write_checkpoint(struct rmx__loop *l, rmx_err *err) {
  if (fflush(l->log) != 0) return rmx_fail_errno(err, "cannot write %s", l->log_path);
  json_t *state = json_object();
  json_object_set_new(state, "fingerprint", json_string(l->fingerprint));
  json_object_set_new(state, "step", json_integer(l->step));
  json_object_set_new(state, "wall_s", json_real(rmx__loop_wall_s(l)));
  json_object_set_new(state, "log_bytes", json_integer((json_int_t)l->logged.size));
  if (l->logged.size <= LOG_MAX && !l->logged.failed)
    json_object_set_new(state, "log",
                        json_stringn(l->logged.data ? l->logged.data : "", l->logged.size));
  json_object_set_new(state, "stream", l->stepper.stream->type->save(l->stepper.stream));
  if (l->controller.save)
    json_object_set_new(state, "steering", l->controller.save(l->controller.context));
  if (l->half_step > 0 && l->step >= l->half_step)
    json_object_set_new(state, "half_nats", rmx__loop_nats_json(l, l->half_nats));
  rmx_status status = rmx_model_save(l->stepper.model, l->checkpoint_path, true, state, err);
  json_decref(state);
  if (status == RMX_OK) unlink(l->old_checkpoint_path);
  return status;
}

// The first rank writes it, with the moments of all.
rmx_status rmx__checkpoint_save(struct rmx__loop *l, rmx_err *err) {
  RMX_TRY(rmx__shards_begin_save(l->stepper.model, err));
  const rmx_status status = l->first ? write_checkpoint(l, err) : RMX_OK;
  rmx__shards_end_save(l->stepper.model);
  l->checkpointed = rmx_now();
  return rmx__comm_agree(l->comm, status, err);
}

// The log up to the checkpoint: from the checkpoint itself, else (those of version 0.1.0 and very
// long logs) from its file, which may be longer, since what a process logged after its last
// checkpoint will be logged again. False: that is not possible.
static bool recover_log(struct rmx__loop *l, const json_t *state) {
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

static rmx_status take_state(struct rmx__loop *l, const json_t *state, rmx_err *err) {
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
static void remove_checkpoint(const struct rmx__loop *l, const char *path) {
  if (l->first) unlink(path);
}

// Resumes from a checkpoint if there is one of the same run. One that is damaged is no loss but of
// time: that is reported, and the run starts again. One that cannot be read now, for an error of
// the disk or for want of memory, is not given up.
rmx_status rmx__checkpoint_load(struct rmx__loop *l, rmx_err *err) {
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
    rmx__loop_warn(l, why.message);
    return RMX_OK;
  }
  const char *fingerprint = rmx__fingerprint_in(state, "answers");
  const bool same = fingerprint && rmx_run_has_fingerprint(l->run, fingerprint, NULL),
             logged = same && recover_log(l, state);
  rmx_status status = logged ? take_state(l, state, err) : RMX_OK;
  json_decref(state);
  if (status != RMX_OK) remove_checkpoint(l, path);  // the next try does without
  if (logged) return status;
  if (same)
    rmx__loop_warn(l, "log.jsonl is shorter than the checkpoint says, so the run starts again");
  // Weights that are not this run's were loaded: back to the initial ones.
  l->logged.size = 0;
  rmx_model_free(l->stepper.model);
  l->stepper.model = NULL;
  return rmx__loop_new_model(l, err);
}
