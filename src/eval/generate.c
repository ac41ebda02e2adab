// SPDX-License-Identifier: Apache-2.0
// Continues a text, token by token.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "items.h"

rmx_status rmx_eval_tokenizer_path(const char *model, char **out, rmx_err *err) {
  static const char *const places[] = {".", "..", "../..", "../../..", "../../../.."};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    *out = rmx_format("%s/%s/tokenizer.json", model, places[i]);
    if (!*out) return rmx_fail_memory(err, 0, "a path");
    if (rmx_exists(*out)) return RMX_OK;
    free(*out);
    *out = NULL;
  }
  return rmx_fail(
      err, RMX_EINPUT,
      "%s: no tokenizer.json there or in the four folders above; put a copy of it there", model);
}

rmx_status rmx_eval_tokenizer(const char *model, rmx_tokenizer **out, rmx_err *err) {
  RMX_OWNED char *path = NULL;
  RMX_TRY(rmx_eval_tokenizer_path(model, &path, err));
  return rmx_tokenizer_read(path, out, err);
}

struct choice {
  float logit;
  int32_t id;
};

static int by_logit(const void *a, const void *b) {
  const struct choice *x = a, *y = b;
  if (x->logit != y->logit) return x->logit < y->logit ? 1 : -1;
  return (x->id > y->id) - (x->id < y->id);
}

// Draws an id by its probability at the temperature, among the most likely ones.
static int32_t draw(const float *logits, size_t V, const rmx_generate_options *o, rmx_rng *rng,
                    struct choice *all) {
  for (size_t i = 0; i < V; i++) all[i] = (struct choice){logits[i], (int32_t)i};
  qsort(all, V, sizeof *all, by_logit);
  const size_t n = o->top > 0 ? rmx__min((size_t)o->top, V) : V;
  if (o->temperature <= 0) return all[0].id;
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += exp(((double)all[i].logit - (double)all[0].logit) / o->temperature);
  double left = rmx_rng_uniform(rng) * sum;
  for (size_t i = 0; i < n; i++) {
    left -= exp(((double)all[i].logit - (double)all[0].logit) / o->temperature);
    if (left < 0) return all[i].id;
  }
  return all[n - 1].id;
}

static rmx_status add(rmx_tokens *ids, uint32_t id, rmx_err *err) {
  uint32_t *grown = rmx_realloc(ids->ids, ids->n + 1, sizeof *grown);
  if (!grown) return rmx_fail_memory(err, ids->n * sizeof *grown, "ids");
  ids->ids = grown;
  ids->capacity = ids->n + 1;
  ids->ids[ids->n++] = id;
  return RMX_OK;
}

// The ids of the prompt; the end of text where it is empty.
static rmx_status begin(const rmx_tokenizer *t, const char *prompt, rmx_tokens *ids, rmx_err *err) {
  const uint32_t end = rmx_tokenizer_end_of_text(t);
  RMX_TRY(rmx_tokenizer_encode(t, RMX_SPECIALS_TEXT, prompt, strlen(prompt), ids, err));
  if (ids->n > 0) return RMX_OK;
  if (end != UINT32_MAX) return add(ids, end, err);
  return rmx_fail(err, RMX_EINPUT,
                  "the tokenizer has no known end of text to begin with; give a text");
}

rmx_status rmx_generate(rmx_lm *m, const rmx_tokenizer *t, const char *prompt,
                        const rmx_generate_options *o, rmx_buf *out, rmx_err *err) {
  const size_t V = (size_t)rmx_lm_config_of(m)->vocab, room = (size_t)rmx_lm_config_of(m)->context;
  RMX_OWNED_BY(rmx_tokens_release) rmx_tokens ids = {0};
  RMX_OWNED struct choice *all = rmx_calloc(V, sizeof *all);
  rmx_rng rng = rmx_rng_make((uint64_t)o->seed, 0, RMX_FOR_EXPLORATION);
  if (!all) return rmx_fail_memory(err, V * sizeof *all, "a vocabulary");
  RMX_TRY(begin(t, prompt, &ids, err));
  const size_t from = ids.n;
  RMX_OWNED float *logits = rmx_calloc(V, sizeof *logits);
  if (!logits) return rmx_fail_memory(err, V * sizeof *logits, "logits");
  while (ids.n - from < (size_t)o->tokens) {
    const size_t n = rmx__min(ids.n, room);
    RMX_TRY(rmx_lm_next(m, (const int32_t *)ids.ids + ids.n - n, n, logits, err));
    const int32_t next = draw(logits, V, o, &rng, all);
    if ((uint32_t)next == rmx_tokenizer_end_of_text(t)) break;
    RMX_TRY(add(&ids, (uint32_t)next, err));
    if (rmx_interrupted()) return rmx_fail(err, RMX_EINTERRUPTED, "interrupted");
  }
  return rmx_tokenizer_decode(t, ids.ids + from, ids.n - from, out, err);
}
