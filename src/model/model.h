// SPDX-License-Identifier: Apache-2.0
// model.h: what the files of the model share: the table of parameter tensors and the memory of a
// model.
#ifndef RMX_MODEL_MODEL_H
#define RMX_MODEL_MODEL_H

#include <regmix/model.h>

#include "comm/comm.h"
#include "kernels/threaded.h"

// What the time of a training step goes to.
#define RMX__PARTS(X)          \
  X(QKV, "qkv")                \
  X(ATTENTION, "attention")    \
  X(PROJECTION, "projections") \
  X(MLP, "mlp")                \
  X(HEAD, "head")              \
  X(SOFTMAX, "softmax")        \
  X(NORMS, "norms")            \
  X(ROPE, "rope")              \
  X(SWIGLU, "swiglu")          \
  X(LOSS, "cross_entropy")     \
  X(EMBEDDING, "embedding")    \
  X(CLIPPING, "clipping")      \
  X(ADAMW, "adamw")
#define RMX__PART_NAME(part, name) RMX__##part,
enum rmx__part { RMX__PARTS(RMX__PART_NAME) RMX__PARTS_N };

// Runs `call`, and adds its time to that of a part if the times of model `m` are measured.
#define RMX__TIMED(m, part, call)                                      \
  do {                                                                 \
    const double since_ = (m)->seconds ? rmx_now() : 0;                \
    call;                                                              \
    if ((m)->seconds) (m)->seconds[RMX__##part] += rmx_now() - since_; \
  } while (0)

// The parameter tensors, in the order in which they lie in the flat block. A matrix is (out, in): y
// = x W^T. BEFORE the layers, once in EACH of them, and AFTER them: X(member, name, shape, how it
// starts). What lies side by side is multiplied at once: wq, wk, wv are one matrix, gate and up
// one (2 F, C). Q = H S channels of the queries, K = KV S of the keys. A tied model has no head.
#define RMX__TENSORS(BEFORE, EACH, AFTER)                  \
  BEFORE(embedding, "embedding", SHAPE(V, C), NORMAL)      \
  EACH(attention_norm, "attention.norm", SHAPE(C, 1), ONE) \
  EACH(wq, "attention.wq", SHAPE(Q, C), NORMAL)            \
  EACH(wk, "attention.wk", SHAPE(K, C), NORMAL)            \
  EACH(wv, "attention.wv", SHAPE(K, C), NORMAL)            \
  EACH(wo, "attention.wo", SHAPE(C, Q), RESIDUAL)          \
  EACH(ffn_norm, "ffn.norm", SHAPE(C, 1), ONE)             \
  EACH(gate, "ffn.gate", SHAPE(F, C), NORMAL)              \
  EACH(up, "ffn.up", SHAPE(F, C), NORMAL)                  \
  EACH(down, "ffn.down", SHAPE(C, F), RESIDUAL)            \
  AFTER(norm, "norm", SHAPE(C, 1), ONE)                    \
  AFTER(head, "head", SHAPE(V, C), NORMAL)

#define RMX__MEMBER(member, name, shape, start) float *member;
#define RMX__NOTHING(member, name, shape, start)

// Where each tensor lies, in the block of weights or in that of gradients.
struct rmx__layer_parameters {
  RMX__TENSORS(RMX__NOTHING, RMX__MEMBER, RMX__NOTHING)
};
struct rmx__parameters {
  RMX__TENSORS(RMX__MEMBER, RMX__NOTHING, RMX__MEMBER)
  struct rmx__layer_parameters *layers;  // (L)
};

// What the backward pass needs of a layer; M rows are those of a slice. Norms and SwiGLU are
// computed again.
struct rmx__layer_activations {
  float *x;            // (M, C) what came in
  float *rstd;         // (M)
  float *qkv;          // (M, 3 Q), after the rotation; keys and values once for each head
  float *lse;          // (M H)
  float *attention;    // (M, Q)
  float *middle;       // (M, C) x with attention added
  float *middle_rstd;  // (M)
  float *gate_up;      // (M, 2 F)
};

struct rmx_model {
  rmx_model_config c;
  struct rmx__threaded threaded;  // the kernels and their threads
  double *seconds;                // (RMX__PARTS_N), added to; NULL: nothing is timed
  bool training;
  size_t B, T;   // the largest micro-batch
  size_t rows;   // M, of a slice: whole sequences that go through the layers together
  int64_t step;  // AdamW steps done

  rmx_tensor *tensors;
  size_t tensors_n, size;                          // size: floats of all tensors
  float *weights, *gradients, *moment1, *moment2;  // (size); all but weights NULL if not training
  struct rmx__shards *shards;  // of several ranks, each of which has a part of the moments; or NULL
  struct rmx__parameters w, g;

  float *cosine, *sine;                   // (T, S / 2)
  struct rmx__layer_activations *layers;  // (L); one and the same memory if not training
  float *x, *rstd;                        // (M, C), (M): after the last layer
  float *normed;                          // (M, C)
  float *hidden, *dhidden;                // (M, F)
  float *dx, *dnormed;                    // (M, C), (M, max(C, Q))
  float *dwide;                           // (M, max(3 Q, 2 F)): gradient of qkv or of gate_up
  float *narrow;                          // (M, Q + 2 K) where K is less than Q, else NULL
  float *head_memory;                     // rmx__head_memory(C, V)
  float *norm_sums;                       // rmx__norm_scratch(M, C)
  double *sums;                           // of pieces of the gradient, for its norm
  float *scratch;                         // of the first thread
  float *block;                           // all of the above, one allocation
  float *more_scratch;                    // of the other threads
};

// ---- shards.c: one model that several ranks train together

// As rmx_model_new() for training, with this rank's part of the moments. One rank: the same.
rmx_status rmx__model_new_shared(const rmx_model_config *c, int B, int T, const rmx_kernels *k,
                                 uint64_t seed, rmx_comm *comm, rmx_model **out, rmx_err *err);
rmx_status rmx__shards_new(const rmx_model *m, rmx_comm *comm, struct rmx__shards **out,
                           rmx_err *err);
void rmx__shards_free(struct rmx__shards *s);
size_t rmx__shards_moments(const struct rmx__shards *s);  // floats that this rank has of one
// The next backward pass is the last one of this step: what it is done with is added up meanwhile.
void rmx__shards_last_pass(rmx_model *m);
// Of the backward pass: the gradients of `section` are complete (layer + 1; 0: embedding, layers +
// 1: what comes after the layers), and `slice_is_last`: no later slice adds to them.
void rmx__shards_ready(const rmx_model *m, size_t section, bool slice_is_last);
double rmx__shards_step(rmx_model *m, const rmx_adamw *o, double lr, double weight_sum);
// Around rmx_model_save() with state, on all ranks: the first one has the moments of all in
// between. A failure is one of all ranks.
rmx_status rmx__shards_begin_save(rmx_model *m, rmx_err *err);
void rmx__shards_end_save(rmx_model *m);
// This rank's part of a moment, from the whole (size); NULL: zeros.
void rmx__shards_take(const rmx_model *m, const void *whole, float *part);

// One step of AdamW with gradients of this norm, of the floats first to first + n - 1. The moments
// are those of these floats.
void rmx__adamw_of(rmx_model *m, const struct rmx__adamw *constants, double decay, size_t first,
                   size_t n, float *moment1, float *moment2);
// The constants of the step that comes next.
struct rmx__adamw rmx__adamw_constants(const rmx_model *m, const rmx_adamw *o, double lr,
                                       double weight_sum, double norm);

// With every value set; then what cannot be is an error.
rmx_model_config rmx__model_config_full(const rmx_model_config *c);
rmx_status rmx__model_config_check(const rmx_model_config *full, rmx_err *err);
// Radians a position of pair i of the channels of a head.
double rmx__model_frequency(const rmx_model_config *full, size_t i);
// Channels of the queries, and of the keys.
static inline size_t rmx__model_queries(const rmx_model_config *full) {
  return (size_t)(full->heads * full->head_width);
}
static inline size_t rmx__model_keys(const rmx_model_config *full) {
  return (size_t)(full->kv_heads * full->head_width);
}
// Fills tensors (rmx__tensors_n of them) for a config with every value set.
size_t rmx__tensors_n(const rmx_model_config *c);
void rmx__tensors_of(const rmx_model_config *c, rmx_tensor *tensors);

#endif
