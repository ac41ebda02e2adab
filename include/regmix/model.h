/* model.h: a Llama-style transformer, forward and backward written out, and AdamW.
 *
 * Uses: base, comm, kernels.
 *
 * RMSNorm, full rotary embedding, causal attention, SwiGLU, no biases: Llama's architecture, with
 * its grouped queries, its scalings of positions and its tied embeddings. Letters: B sequences, T
 * tokens of each, C width, H heads, KV of keys and values, S channels of a head, F feed-forward
 * width, L layers, V vocabulary.
 */
#ifndef RMX_MODEL_H
#define RMX_MODEL_H

#include <regmix/base.h>
#include <regmix/kernels.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The sizes of a model, and how it turns positions into angles. What is 0 or false after norm_eps
 * is as usual: as many heads of keys and values as of queries, channels C / H, no scaling, a head
 * of its own. */
typedef struct rmx_model_config {
  int64_t layers, heads, width, ffn;         /* L H C F */
  int64_t vocab;                             /* V */
  int64_t context;                           /* T, the longest sequence */
  double rope_base;                          /* 10000 */
  double norm_eps;                           /* 1e-5 */
  int64_t kv_heads;                          /* KV, divides H: grouped-query attention */
  int64_t head_width;                        /* S, even; H S need not be C */
  double rope_factor;                        /* angles are divided by it */
  double rope_low, rope_high, rope_original; /* Llama 3's scaling; rope_original 0: there is none */
  bool tied;                                 /* the embedding is the head */
} rmx_model_config;

/* A preset by name ("1M", "60M", "1B", and smaller ones for CPUs); fills layers, heads, width,
 * ffn. */
typedef struct rmx_model_preset {
  const char *name;
  int layers, heads, width, ffn;
  double lr; /* a sensible peak learning rate */
  const char *for_what;
} rmx_model_preset;
extern const rmx_model_preset rmx_model_presets[];
extern const size_t rmx_model_presets_n;
const rmx_model_preset *rmx_model_preset_find(const char *name); /* NULL if unknown */

size_t rmx_model_parameters(const rmx_model_config *c);      /* all of them */
size_t rmx_model_parameters_body(const rmx_model_config *c); /* without embedding and head */
/* FLOPs to train one token: 6 * (matmul parameters with the head) + 6 L T H S (causal attention).
 * */
double rmx_model_flop_per_token(const rmx_model_config *c, int T);
/* Training costs as much as this number of forward passes, since a backward pass costs two. */
enum { RMX_FORWARD_PASSES = 3 };
/* Bytes of memory a model in training takes with micro-batches of B sequences: all that
 * rmx_model_new and rmx_model_threads allocate. */
size_t rmx_model_memory(const rmx_model_config *c, int B, int T, int threads);

typedef struct rmx_model rmx_model;

/* All memory is allocated here (for micro-batches of at most B x T, T <= context); later calls
 * allocate nothing. A micro-batch goes through the layers in slices of whole sequences, about 512
 * tokens each, so activations take the same memory for any B. Weights are N(0, 2 / (5 C)), those
 * that write into the residual stream scaled by 1/sqrt(2L), norms 1; from Philox keyed by `seed`
 * and the tensor, so a weight depends on nothing else. (With a fixed deviation of 0.02 a model of
 * width 64 was at 2.31 nats a byte after 300 steps, with this one at 1.73.) With `training` false,
 * no gradients or moments are held. `k` must outlive the model, as tables do. A bad config is
 * RMX_EINPUT, a bad B or T RMX_EUSAGE. */
rmx_status rmx_model_new(const rmx_model_config *c, int B, int T, bool training,
                         const rmx_kernels *k, uint64_t seed, rmx_model **out, rmx_err *err);
void rmx_model_free(rmx_model *m);
/* With every value set. */
const rmx_model_config *rmx_model_config_of(const rmx_model *m);

/* From now on the model computes with so many threads, 1 .. 64, which stay until it is freed; a new
 * one has 1. No result depends on it, not by a bit. Allocates what each thread needs for itself, so
 * that passes and steps still allocate nothing. On failure all is as it was. */
rmx_status rmx_model_threads(rmx_model *m, int threads, rmx_err *err);

/* Where the time goes: from now on the seconds spent in each part (matrix products by what they are
 * for, and the rest) are added to seconds (rmx_model_parts_n), as the calling thread sees them.
 * NULL, the default: nothing is timed. "softmax" is the one of attention, "clipping" is the norm of
 * the gradient.
 */
extern const char *const rmx_model_parts[]; /* (rmx_model_parts_n) names */
extern const size_t rmx_model_parts_n;
void rmx_model_clock(rmx_model *m, double *seconds);

/* Cross-entropy of each label, in nats: losses (B, T). Forward only. Here and below tokens (B, T)
 * must lie in 0 .. V - 1, labels (B, T) below V; a negative label is none: its loss is 0, and so is
 * its gradient. */
void rmx_model_losses(rmx_model *m, const int32_t *tokens, const int32_t *labels, int B, int T,
                      float *losses);
/* Forward and backward of sum_bt weights_bt * loss_bt; gradients are *added* to those held. losses
 * (B, T) are written (unweighted). weights NULL: all 1. */
void rmx_model_backward(rmx_model *m, const int32_t *tokens, const int32_t *labels,
                        const float *weights, int B, int T, float *losses);

/* The same with weights that depend on the losses. `weigh` is called once for a micro-batch: from
 * its n = B T losses it sets weights (n), which hold what the caller put there. No logits are kept:
 * the head's product is made a second time, and where the micro-batch is more than a slice the
 * whole forward pass is (so that a step costs 4/3). With weights of 1 all bits are those of
 * rmx_model_backward. Divide by the sum of the weights in the step, as always. */
typedef struct rmx_weigher {
  void *context;
  void (*weigh)(void *context, const float *losses, size_t n, float *weights);
} rmx_weigher;
void rmx_model_backward_weighed(rmx_model *m, const int32_t *tokens, const int32_t *labels,
                                const rmx_weigher *by, int B, int T, float *losses, float *weights);

typedef struct rmx_adamw {
  double beta1, beta2, eps, weight_decay; /* 0.9 0.95 1e-8 0.1; decay on matrices, not on norms */
  double clip;                            /* largest global gradient norm; 0: no limit */
} rmx_adamw;
/* One AdamW step (Loshchilov & Hutter 2019, eq. as in docs) with gradients divided by `weight_sum`
 * (the sum of the token weights of the whole optimiser step), then clipped; gradients are zeroed,
 * the step counter t goes up by one. Returns the gradient norm before clipping. NaN or Inf:
 * parameters and t were left alone, gradients zeroed. */
double rmx_model_step(rmx_model *m, const rmx_adamw *o, double lr, double weight_sum);

/* All named tensors, for checkpoints, exports and the gradient check. A matrix is (out, in): y = x
 * W^T. In order: embedding (V, C); for each layer l layers.<l>. attention.norm (C), attention.wq
 * (H S, C), .wk, .wv (KV S, C), .wo (C, H S), ffn.norm (C), ffn.gate, ffn.up (F, C), ffn.down (C,
 * F); norm (C); head (V, C), which a tied model does not have. Head h of wq and wk has rows
 * h S .. (h + 1) S - 1; the rotation pairs row i of a
 * head with row i + S / 2 (as Hugging Face's Llama does). */
typedef struct rmx_tensor {
  char name[48]; /* "layers.0.attention.wq" */
  int ndim;
  int64_t shape[3];
  size_t offset, size; /* in floats, into the flat blocks below */
} rmx_tensor;
size_t rmx_model_tensors(const rmx_model *m, const rmx_tensor **out);
float *rmx_model_weights(rmx_model *m);   /* flat block of all parameters */
float *rmx_model_gradients(rmx_model *m); /* the same layout; NULL if not training */

/* A safetensors file: the weights, named as in Hugging Face's library, and with `state` the moments
 * of AdamW ("moment1.<name>", "moment2.<name>"). Its metadata has the config, the step, `extra`
 * (may be NULL: the trainer's JSON, an object) and a hash of the file. Atomic. */
rmx_status rmx_model_save(const rmx_model *m, const char *path, bool state,
                          const struct json_t *extra, rmx_err *err);
/* The model in the folder of a run: model.safetensors, or the model.bin of version 0.1.0 if there
 * is only that. free() it; NULL: no memory. */
char *rmx_model_path(const char *folder);
/* Loads such a file, or a model.bin or checkpoint.bin of version 0.1.0, into a model of the same
 * config; everything is checked before it is believed. Without state in the file (or `training`),
 * moments and step start at 0. *extra: new reference, or NULL (as `extra` itself may be).
 * Truncated, corrupt, of another config: RMX_EINPUT, and the model is as it was. */
rmx_status rmx_model_load(rmx_model *m, const char *path, struct json_t **extra, rmx_err *err);
/* The config of a checkpoint, to make a model for it. Reads and checks all of the file. */
rmx_status rmx_model_read_config(const char *path, rmx_model_config *out, rmx_err *err);
/* The hash that a checkpoint has of itself, which distinguishes checkpoints. The rest of the file
 * is not read. */
rmx_status rmx_model_file_hash(const char *path, uint64_t *hash, rmx_err *err);

#ifdef __cplusplus
}
#endif
#endif
