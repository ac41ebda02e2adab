// SPDX-License-Identifier: Apache-2.0
#include "plan_pytorch.h"

#include <stdlib.h>
#include <string.h>

#include "base/call.h"
#include "base/json.h"
#include "swarm/pytorch.h"

// PyTorch takes seconds to start, the more where a GPU must wake up. It measures for about 15 s.
enum { TIMEOUT_S = 120 };

static char *question(const rmx_training *t, int vocab, size_t runs) {
  json_auto_t *o = json_object();
  json_t *training = json_object();
  rmx_buf out = {0};
  for (size_t i = 0; i < rmx_training_options_n; i++)
    json_object_set_new(training, rmx_training_options[i].key,
                        rmx__option_json(&rmx_training_options[i], t));
  json_object_set_new(o, "training", training);
  json_object_set_new(o, "vocab", json_integer(vocab));
  json_object_set_new(o, "runs", json_integer((json_int_t)runs));
  rmx__put_json(&out, o);
  if (out.failed) rmx_buf_release(&out);
  return out.data;
}

// The answer, or NULL and the reason.
static json_t *understood(struct rmx__reply *r, rmx_buf *why) {
  json_t *o = NULL;
  if (r->missing || r->timed_out || r->code != 0)
    rmx_buf_puts(why, rmx__reply_why(r));
  else if (!(o = json_loads(rmx__reply_text(r), 0, NULL)) ||
           !(json_number_value(json_object_get(o, "tokens_per_s")) > 0) ||
           !(json_number_value(json_object_get(o, "valid_tokens_per_s")) > 0))
    rmx_buf_puts(why, "it did not print its speed; use the train.py of this version");
  if (!why->size) return o;
  json_decref(o);
  return NULL;
}

static rmx_status ask(const rmx_pipeline *p, const char *settings, json_t **answer, rmx_buf *why,
                      rmx_err *err) {
  const char *given = getenv("REGMIX_PYTORCH"), *python = getenv("REGMIX_PYTHON");
  RMX_OWNED char *file =
      given && *given ? rmx_strdup(given) : rmx__pytorch_file(p->program ? p->program : "");
  if (!file) {
    rmx_buf_puts(why, "there is no trainers/pytorch/train.py; set REGMIX_PYTORCH to its path");
    return RMX_OK;
  }
  rmx_err missing;
  if (rmx__pytorch_check(&missing) != RMX_OK) {
    rmx_buf_puts(why, missing.message);
    return RMX_OK;
  }
  const char *argv[] = {python && *python ? python : "python3", file, "--speed", settings, NULL};
  struct rmx__reply reply;
  const rmx_status status = rmx__call(argv, TIMEOUT_S, &reply, err);
  if (status == RMX_OK) *answer = understood(&reply, why);
  rmx__reply_release(&reply);
  return status;
}

static const char *text_of(const json_t *o, const char *key) {
  const char *text = json_string_value(json_object_get(o, key));
  return text ? text : "?";
}

static void tell(const rmx_pipeline *p, const char *what, const json_t *o) {
  const json_int_t stacked = json_integer_value(json_object_get(o, "stacked")),
                   measured = json_integer_value(json_object_get(o, "measured"));
  char fewer[80] = "";
  if (measured < stacked)
    snprintf(fewer, sizeof fewer, "; measured with %lld, since more take long",
             (long long)measured);
  rmx_note(&p->listener, "%s: trained by PyTorch %s on %s in %s, up to %lld run%s stacked%s", what,
           text_of(o, "torch"), text_of(o, "name"), text_of(o, "precision"), (long long)stacked,
           rmx_s((double)stacked), fewer);
}

rmx_status rmx__pytorch_speed(const rmx_pipeline *p, const char *what, const rmx_training *t,
                              int vocab, size_t runs, struct rmx__pytorch_speed *out,
                              rmx_err *err) {
  const int64_t jobs = p->experiment.config.general.jobs;
  size_t n = jobs > 0 ? (size_t)jobs : (size_t)rmx__pytorch_gpus();
  if (n > runs) n = runs;
  if (n < 1) n = 1;
  *out = (struct rmx__pytorch_speed){.processes = (int)n};
  RMX_OWNED char *settings = question(t, vocab, (runs + n - 1) / n);
  if (!settings) return rmx_fail_memory(err, 0, "settings");
  rmx_buf why = {0};
  rmx_status status = ask(p, settings, &out->answer, &why, err);
  if (status == RMX_OK && why.failed) status = rmx_fail_memory(err, 0, "a reason");
  if (status == RMX_OK && !out->answer)
    rmx_warn(&p->listener,
             "%s: PyTorch's speed cannot be measured: %s. The time is that of regmix's own trainer "
             "on this processor",
             what, why.data ? why.data : "it gave no answer");
  rmx_buf_release(&why);
  if (!out->answer) return status;
  const bool gpu = strcmp(text_of(out->answer, "device"), "cuda") == 0;
  const int devices = gpu ? rmx__pytorch_gpus() : 1;
  out->at_once = out->processes < devices ? out->processes : devices;
  out->tokens_per_s = json_number_value(json_object_get(out->answer, "tokens_per_s"));
  out->valid_tokens_per_s = json_number_value(json_object_get(out->answer, "valid_tokens_per_s"));
  out->memory = json_number_value(json_object_get(out->answer, "memory"));
  tell(p, what, out->answer);
  return status;
}
