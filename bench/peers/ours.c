// SPDX-License-Identifier: Apache-2.0
/* ours.c: our side of the comparison of losses.
 *
 *   peer_ours FOLDER MODEL VOCAB T BATCH STEPS [LEVEL]
 *
 * Makes a model and writes all a peer needs to train the same one on the same text:
 *   weights.bin  float32, the tensors of tensors.json one behind the other
 *   batches.bin  int32 (STEPS, BATCH, T + 1): tokens, and labels one further on
 *   peer.json    sizes of the model, constants of AdamW, the learning rate of each step, names and
 *                shapes of the tensors
 *   ours.txt     and then, a line a step, the loss it had (nats per token)
 */
#include <math.h>
#include <regmix/train.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static rmx_err err;
static void must(rmx_status status) {
  if (status == RMX_OK) return;
  fprintf(stderr, "peer_ours: %s\n", err.message);
  exit(1);
}

static void *room(size_t n, size_t size) {
  void *p = rmx_calloc(n, size);
  if (!p) must(rmx_fail_memory(&err, n * size, "a comparison"));
  return p;
}

static void put(const char *folder, const char *name, const void *data, size_t bytes) {
  char *path = rmx_path_in(folder, name);
  must(rmx_write_file(path, data, bytes, &err));
  free(path);
}

/* Text with something to learn in it: half of the tokens follow from the one before (each has one
 * successor), the others are drawn with a probability that falls as 1 / (rank + 1). */
static void write_text(int32_t *ids, size_t n, int V) {
  rmx_rng rng = rmx_rng_make(1, 0, RMX_FOR_TEST);
  const double most = log1p((double)V);
  for (size_t i = 0; i < n; i++) {
    const bool follows = i > 0 && rmx_rng_uniform(&rng) < 0.5;
    const int drawn = (int)expm1(rmx_rng_uniform(&rng) * most);
    ids[i] = follows ? (int32_t)(((int64_t)ids[i - 1] * 31 + 7) % V) : drawn < V ? drawn : V - 1;
  }
}

static json_t *tensors_json(const rmx_model *m) {
  const rmx_tensor *tensors;
  const size_t n = rmx_model_tensors(m, &tensors);
  json_t *list = json_array();
  for (size_t i = 0; i < n; i++) {
    json_t *shape = json_array();
    for (int d = 0; d < tensors[i].ndim; d++)
      json_array_append_new(shape, json_integer(tensors[i].shape[d]));
    json_array_append_new(list, json_pack("{s:s, s:o}", "name", tensors[i].name, "shape", shape));
  }
  return list;
}

static void write_peer(const char *folder, const rmx_model *m, const rmx_training *t, int64_t batch,
                       int64_t steps) {
  const rmx_model_config *c = rmx_model_config_of(m);
  json_t *lr = json_array();
  const double peak = rmx_training_lr(t, c);
  for (int64_t step = 0; step < steps; step++)
    json_array_append_new(lr, json_real(rmx_schedule_lr(t, peak, step, steps)));
  json_t *o = json_pack(
      "{s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:o, s:o}", "layers",
      (json_int_t)c->layers, "heads", (json_int_t)c->heads, "width", (json_int_t)c->width, "ffn",
      (json_int_t)c->ffn, "vocab", (json_int_t)c->vocab, "rope_base", c->rope_base, "norm_eps",
      c->norm_eps, "context", (json_int_t)c->context, "batch", (json_int_t)batch, "beta1",
      t->adamw.beta1, "beta2", t->adamw.beta2, "eps", t->adamw.eps, "weight_decay",
      t->adamw.weight_decay, "clip", t->adamw.clip, "lr", lr, "tensors", tensors_json(m));
  char *path = rmx_path_in(folder, "peer.json");
  must(rmx__json_write(path, o, &err));
  free(path);
  json_decref(o);
}

int main(int argc, char **argv) {
  if (argc < 7) {
    fprintf(stderr, "usage: peer_ours FOLDER MODEL VOCAB T BATCH STEPS [LEVEL]\n");
    return 2;
  }
  const char *folder = argv[1];
  const int V = atoi(argv[3]), T = atoi(argv[4]), B = atoi(argv[5]), steps = atoi(argv[6]);
  const rmx_kernels *kernels;
  rmx_training t = {0};
  rmx_model_config c;
  rmx_model *m;
  must(rmx_kernels_get(argc > 7 ? argv[7] : NULL, &kernels, &err));
  must(rmx_options_init(rmx_training_options, rmx_training_options_n, &t, &err));
  must(rmx_option_set(rmx_training_options, rmx_training_options_n, &t, "model", argv[2], &err));
  t.context = T;
  must(rmx_training_model(&t, V, &c, &err));
  must(rmx_model_new(&c, B, T, true, kernels, 1, &m, &err));
  must(rmx_mkdirs(folder, &err));

  const size_t sequences = (size_t)steps * (size_t)B, row = (size_t)T + 1,
               n = (size_t)B * (size_t)T;
  int32_t *ids = room(sequences * row, sizeof *ids), *tokens = room(n, sizeof *tokens),
          *labels = room(n, sizeof *labels);
  float *losses = room(n, sizeof *losses);
  write_text(ids, sequences * row, V);
  write_peer(folder, m, &t, B, steps);
  put(folder, "weights.bin", rmx_model_weights(m), rmx_model_parameters(&c) * sizeof(float));
  put(folder, "batches.bin", ids, sequences * row * sizeof *ids);

  rmx_buf text = {0};
  const double peak = rmx_training_lr(&t, &c);
  for (int step = 0; step < steps; step++) {
    for (size_t b = 0; b < (size_t)B; b++) {
      const int32_t *from = ids + ((size_t)step * (size_t)B + b) * row;
      memcpy(tokens + b * (size_t)T, from, (size_t)T * sizeof *tokens);
      memcpy(labels + b * (size_t)T, from + 1, (size_t)T * sizeof *labels);
    }
    rmx_model_backward(m, tokens, labels, NULL, B, T, losses);
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)losses[i];
    rmx_buf_printf(&text, "%.7f\n", sum / (double)n);
    rmx_model_step(m, &t.adamw, rmx_schedule_lr(&t, peak, step, steps), (double)n);
  }
  put(folder, "ours.txt", text.data, text.size);
  rmx_buf_release(&text);
  free(ids), free(tokens), free(labels), free(losses);
  rmx_model_free(m);
  rmx_options_release(rmx_training_options, rmx_training_options_n, &t);
  return 0;
}
