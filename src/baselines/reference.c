// SPDX-License-Identifier: Apache-2.0
// A reference: a trained model that scores the batches of another training. DoReMi and token
// selection use the excess loss of a token over that of the reference.
//
// If the sequences of the training are longer than the context of the reference, it reads them in
// windows of its context. The first tokens of a window then have a higher loss, since fewer tokens
// are before them.
#include <stdlib.h>
#include <string.h>

#include "base/stamp.h"
#include "controller.h"

// The folder is relative to the experiment, so that the fingerprint of a run does not change when
// the experiment is moved.
json_t *rmx__reference_json(const rmx_comparison *c, const rmx_run *ref) {
  char answers[17];
  rmx_run_fingerprint(ref, answers);
  const char *folder = ref->folder;
  const size_t n = strlen(c->experiment);
  if (n > 0 && strncmp(folder, c->experiment, n) == 0 && folder[n] == '/')
    for (folder += n; *folder == '/';) folder++;
  // The key is that of version 0.1.0: this object is part of what a run's fingerprint is made of.
  return json_pack("{s:s, s:s}", "folder", folder, "answers", answers);
}

// The reference must have the expected fingerprint, which its result keeps.
static rmx_status check_answers(const rmx_run *r, const char *folder, const char *wanted,
                                rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(folder, "result.json");
  json_auto_t *result = NULL;
  const char *got;
  RMX_TRY(path ? rmx__json_read(path, &result, err) : rmx_fail_memory(err, 0, "a path"));
  if (!(got = rmx__fingerprint_in(result, "answers")))
    return rmx_fail(err, RMX_EINPUT, "%s: \"fingerprint\" is missing", path);
  if (strcmp(got, wanted) != 0)
    return rmx_fail(
        err, RMX_EINPUT,
        "run %s: its reference %s was trained again with other settings; run the method again",
        r->name, folder);
  return RMX_OK;
}

static rmx_status open_model(const rmx_run *r, const char *folder, const rmx_kernels *k,
                             rmx__reference *out, rmx_err *err) {
  char *path = rmx_model_path(folder);
  rmx_model_config config = {0};
  rmx_status status =
      path ? rmx_model_read_config(path, &config, err) : rmx_fail_memory(err, 0, "a path");
  free(path);
  RMX_TRY(status);
  const size_t T = (size_t)r->training.context,
               micro = (size_t)rmx_training_micro_batch(&r->training);
  if (config.vocab < r->vocab)
    return rmx_fail(err, RMX_EINPUT,
                    "run %s: the vocabulary of its reference has %lld tokens, but that of the "
                    "corpus has %d; run the method again",
                    r->name, (long long)config.vocab, r->vocab);
  out->window = T <= (size_t)config.context ? T : (size_t)config.context;
  // Sequences that fall into whole windows are more, shorter sequences; others are scored one
  // window at a time.
  const size_t B = T % out->window == 0 ? micro * (T / out->window) : 1;
  out->flop_per_token = rmx_model_flop_per_token(&config, (int)out->window) / RMX_FORWARD_PASSES;
  if (!(out->losses = rmx_calloc(micro * T, sizeof *out->losses)))
    return rmx_fail_memory(err, micro * T * sizeof *out->losses, "a reference");
  RMX_TRY(rmx__model_of_run(folder, (int)B, (int)out->window, k, &out->model, err));
  return rmx_model_threads(out->model, rmx_training_threads(&r->training, 1), err);
}

rmx_status rmx__reference_open(const rmx_run *r, const rmx_kernels *k, rmx__reference *out,
                               rmx_err *err) {
  const json_t *o = json_object_get(r->controller, "reference");
  const char *name, *answers;
  *out = (rmx__reference){0};
  RMX_TRY(rmx__json_string(o, "folder", &name, "the reference of a run", err));
  RMX_TRY(rmx__json_string(o, "answers", &answers, "the reference of a run", err));
  char *folder = rmx_path_in(r->corpus, name);
  rmx_status status =
      folder ? check_answers(r, folder, answers, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) status = open_model(r, folder, k, out, err);
  if (status != RMX_OK) rmx__reference_release(out);
  free(folder);
  return status;
}

void rmx__reference_release(rmx__reference *f) {
  rmx_model_free(f->model);
  free(f->losses);
  *f = (rmx__reference){0};
}

const float *rmx__reference_losses(rmx__reference *f, const rmx_batch *b) {
  const size_t T = (size_t)b->T, n = (size_t)b->B * T;
  f->tokens += (double)n;
  if (T % f->window == 0) {
    rmx_model_losses(f->model, b->tokens, b->labels, (int)(n / f->window), (int)f->window,
                     f->losses);
    return f->losses;
  }
  for (size_t row = 0; row < n; row += T)
    for (size_t t = 0; t < T; t += f->window) {
      const size_t at = row + t, length = T - t < f->window ? T - t : f->window;
      rmx_model_losses(f->model, b->tokens + at, b->labels + at, 1, (int)length, f->losses + at);
    }
  return f->losses;
}
