// SPDX-License-Identifier: Apache-2.0
// The settings of a training: the table of its options, and what follows from them.
#include <math.h>
#include <regmix/train.h>
#include <stdlib.h>
#include <string.h>

#include "places.h"

#define AT(member) offsetof(rmx_training, member)
const rmx_option rmx_training_options[] = {
    {"init", RMX_TEXT, AT(init), NULL, 0, 0, "DIR",
     "folder of a model of the Llama architecture whose weights each training begins with; its "
     "sizes are kept, and its tokenizer must be that of the corpus"},
    {"model", RMX_TEXT, AT(preset), NULL, 0, 0, "PRESET",
     "name of a model size: nano, micro, mini, ... 1M, 60M, 1B"},
    {"layers", RMX_INT, AT(layers), "0", 0, 1000, "N", "number of layers; 0: as in the model size"},
    {"heads", RMX_INT, AT(heads), "0", 0, 1000, "N",
     "number of attention heads; 0: as in the model size"},
    {"width", RMX_INT, AT(width), "0", 0, 65536, "N",
     "width of the residual stream; 0: as in the model size"},
    {"ffn", RMX_INT, AT(ffn), "0", 0, 262144, "N",
     "width of the feed-forward layers; 0: as in the model size"},
    {"context", RMX_INT, AT(context), "256", 8, 65536, "TOKENS", "length of a training sequence"},
    {"tokens", RMX_INT, AT(tokens), "1M", 1, 1e14, "TOKENS",
     "number of tokens that a model is trained on"},
    {"batch_tokens", RMX_INT, AT(batch_tokens), "4096", 1, 1e9, "TOKENS",
     "number of tokens per optimiser step"},
    {"micro_tokens", RMX_INT, AT(micro_tokens), "1024", 1, 1e8, "TOKENS",
     "number of tokens per forward and backward pass; more tokens need more memory"},
    {"lr", RMX_REAL, AT(lr), "0", 0, 10, "RATE",
     "peak learning rate; 0: chosen from the size of the model"},
    {"min_lr", RMX_REAL, AT(min_lr), "0.1", 0, 1, "SHARE",
     "learning rate at the end of a cosine schedule, as a share of lr"},
    {"warmup", RMX_REAL, AT(warmup), "0.05", 0, 1, "SHARE",
     "share of the steps at the start in which the learning rate rises"},
    {"schedule", RMX_CHOICE, AT(schedule), "constant", 0, 0, "constant|cosine",
     "course of the learning rate after the warm-up"},
    {"beta1", RMX_REAL, AT(adamw.beta1), "0.9", 0, 0.9999999, "X",
     "AdamW: decay of the first moment"},
    {"beta2", RMX_REAL, AT(adamw.beta2), "0.95", 0, 0.9999999, "X",
     "AdamW: decay of the second moment"},
    {"eps", RMX_REAL, AT(adamw.eps), "1e-8", 1e-30, 1, "X",
     "AdamW: constant that is added to the root of the second moment"},
    {"weight_decay", RMX_REAL, AT(adamw.weight_decay), "0.1", 0, 10, "X",
     "AdamW: decoupled weight decay of the matrices"},
    {"clip", RMX_REAL, AT(adamw.clip), "1", 0, 1e9, "NORM",
     "largest gradient norm; a larger gradient is scaled down to it; 0: no limit"},
    {"eval_tokens", RMX_INT, AT(eval_tokens), "0", 0, 1e12, "TOKENS",
     "number of validation tokens used per domain; 0: all of them"},
    {"eval_half", RMX_BOOL, AT(eval_half), "true", 0, 0, NULL,
     "measure the metrics half-way too, to show whether the runs were long enough"},
    {"evals", RMX_INT, AT(evals), "0", 0, 1e6, "N",
     "number of extra evaluations during the training, evenly spaced, for log.jsonl; no result "
     "depends on it"},
    {"checkpoint_s", RMX_REAL, AT(checkpoint_s), "60", 0, 1e9, "SECONDS",
     "time between checkpoints"},
    {"threads", RMX_INT, AT(threads), "0", 0, 64, "N",
     "number of threads per run; 0: the processors divided by the number of runs at a time; no "
     "result depends on it"},
    {"trainer", RMX_CHOICE, AT(trainer), NULL, 0, 0, "regmix|pytorch|command",
     "program that trains the models: regmix itself, PyTorch on GPUs (trainers/pytorch), or the "
     "one "
     "in `command`; by default regmix, or the command if there is one"},
    {"command", RMX_TEXT, AT(command), NULL, 0, 0, "COMMAND",
     "command of your own trainer, which sh runs in the folder of the run; it reads run.json and "
     "mixture.yaml and writes result.json (see docs/trainer.md)"},
    {"timeout", RMX_DURATION, AT(timeout_s), "0", 0, 1e9, "DURATION",
     "time limit of one try of the command (90s, 15min, 12h, 2d); 0: no limit"},
    {"grace", RMX_DURATION, AT(grace_s), "10s", 0, 1e6, "DURATION",
     "time that the command has to end after SIGTERM, before it gets SIGKILL"},
    {"may_fail", RMX_REAL, AT(may_fail), "0", 0, 1, "SHARE",
     "share of the runs that may fail; they are left out of the fit; if more fail, the pipeline "
     "stops"},
};
const size_t rmx_training_options_n = sizeof rmx_training_options / sizeof *rmx_training_options;

bool rmx_training_is_pytorch(const rmx_training *t) {
  return t->trainer && strcmp(t->trainer, "pytorch") == 0;
}

bool rmx_training_is_outside(const rmx_training *t) {
  return t->command || rmx_training_is_pytorch(t);
}

rmx_status rmx_training_settle(rmx_training *t, const char *section, rmx_err *err) {
  if (!t->trainer) return RMX_OK;
  if (strcmp(t->trainer, "command") == 0)
    return t->command ? RMX_OK
                      : rmx_fail(err, RMX_EINPUT,
                                 "%s.trainer is \"command\", but there is no %s.command; give the "
                                 "command of your trainer (docs/trainer.md), or set %s.trainer to "
                                 "regmix or pytorch",
                                 section, section, section);
  free(t->command);
  t->command = NULL;
  return RMX_OK;
}

rmx_status rmx_training_model(const rmx_training *t, int vocab, rmx_model_config *out,
                              rmx_err *err) {
  rmx_model_config c = {
      .vocab = vocab, .context = t->context, .rope_base = 10000, .norm_eps = 1e-5};
  if (t->init) return rmx__init_config(t, out, err);
  if (t->preset) {
    const rmx_model_preset *p = rmx_model_preset_find(t->preset);
    if (!p) {
      rmx_buf known = {0};
      for (size_t i = 0; i < rmx_model_presets_n; i++)
        rmx_buf_printf(&known, "%s%s", i ? ", " : "", rmx_model_presets[i].name);
      rmx_status status = rmx_fail(err, RMX_EINPUT, "model: no preset \"%s\"; there are: %s",
                                   t->preset, known.data ? known.data : "");
      rmx_buf_release(&known);
      return status;
    }
    c.layers = p->layers;
    c.heads = p->heads;
    c.width = p->width;
    c.ffn = p->ffn;
  }
  if (t->layers) c.layers = t->layers;
  if (t->heads) c.heads = t->heads;
  if (t->width) c.width = t->width;
  if (t->ffn) c.ffn = t->ffn;
  if (!c.layers || !c.heads || !c.width || !c.ffn)
    return rmx_fail(err, RMX_EINPUT,
                    "model: give a preset, or all of layers, heads, width and ffn");
  if (c.width % c.heads || (c.width / c.heads) % 2)
    return rmx_fail(err, RMX_EINPUT, "model: width %lld must be heads (%lld) times an even number",
                    (long long)c.width, (long long)c.heads);
  *out = c;
  return RMX_OK;
}

double rmx_training_lr(const rmx_training *t, const rmx_model_config *c) {
  if (t->lr > 0) return t->lr;
  bool as_preset = !t->init && !t->layers && !t->width && !t->ffn;
  const rmx_model_preset *p = t->preset && as_preset ? rmx_model_preset_find(t->preset) : NULL;
  if (p) return p->lr;
  double lr = 1.0 / sqrt((double)rmx_model_parameters_body(c));
  return lr < 4e-4 ? 4e-4 : lr > 6e-3 ? 6e-3 : lr;
}

double rmx_schedule_lr(const rmx_training *t, double peak, int64_t step, int64_t steps) {
  int64_t warm = (int64_t)ceil(t->warmup * (double)steps);
  if (step < warm) return peak * (double)(step + 1) / (double)warm;
  if (strcmp(t->schedule, "constant") == 0 || steps <= warm) return peak;
  double progress = (double)(step - warm) / (double)(steps - warm);
  return peak *
         (t->min_lr + (1.0 - t->min_lr) * 0.5 * (1.0 + cos(3.14159265358979323846 * progress)));
}

int64_t rmx_training_batch(const rmx_training *t) {
  int64_t sequences = t->batch_tokens / t->context;
  return sequences > 0 ? sequences : 1;
}

int64_t rmx_training_steps(const rmx_training *t) {
  int64_t per_step = rmx_training_batch(t) * t->context,
          steps = (t->tokens + per_step - 1) / per_step;
  return steps > 0 ? steps : 1;
}

int64_t rmx_training_micro_batch(const rmx_training *t) {
  int64_t batch = rmx_training_batch(t), micro = t->micro_tokens / t->context;
  if (micro < 1) micro = 1;
  return micro < batch ? micro : batch;
}

int rmx_training_threads(const rmx_training *t, size_t at_once) {
  if (t->threads > 0) return (int)t->threads;
  const int each = rmx_processors() / (int)(at_once < 1         ? 1
                                            : at_once > 1 << 20 ? 1 << 20
                                                                : at_once);
  return each < 1 ? 1 : each > 64 ? 64 : each;
}
