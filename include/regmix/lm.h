/* lm.h: language models that score and continue text: any small checkpoint of the Llama
 * architecture. Part of the door of the room `model`.
 *
 * A model is read from a folder as Hugging Face's library writes it (config.json and safetensors
 * files), which is also what this program writes, or from a model.bin of its version 0.1.0. Numbers
 * of type bfloat16 and float16 are converted to float32. All products are made in float32.
 */
#ifndef RMX_LM_H
#define RMX_LM_H

#include <regmix/base.h>
#include <regmix/kernels.h>
#include <regmix/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Every value is set. */
typedef rmx_model_config rmx_lm_config;

typedef struct rmx_lm rmx_lm;

/* Opens a model. `path`: a folder with config.json and model.safetensors (or the shards that
 * model.safetensors.index.json lists), a folder with a model.safetensors or model.bin of this
 * program, or one of these files alone. Free it with rmx_lm_free(). `k` must outlive the model; a
 * level that multiplies in bfloat16 would round, so choose it with rmx_lm_kernels(). RMX_EINPUT:
 * another architecture, tensors that the config does not have, sizes that disagree, a damaged file;
 * the message names the file and what is wrong. Cost: the memory of all numbers as float32, and the
 * file once. */
rmx_status rmx_lm_open(const char *path, const rmx_kernels *k, int threads, rmx_lm **out,
                       rmx_err *err);
void rmx_lm_free(rmx_lm *m);
const rmx_lm_config *rmx_lm_config_of(const rmx_lm *m);
size_t rmx_lm_parameters(const rmx_lm *m);
/* The sizes of the model at `path` (as in rmx_lm_open()), from its config.json if it has one. */
rmx_status rmx_lm_read_config(const char *path, rmx_lm_config *out, rmx_err *err);
/* A hash of the files of the model at `path`. A file of this program has its own, so it is not read
 * from end to end; others are. */
rmx_status rmx_lm_hash(const char *path, uint64_t *hash, rmx_err *err);
/* Gives `m`, which is to be trained, the weights of the model at `path`. RMX_EINPUT: it has other
 * sizes; or as for rmx_lm_open(). */
rmx_status rmx_lm_init(rmx_model *m, const char *path, rmx_err *err);
/* The best level of this machine whose products are in float32; `isa` as in rmx_kernels_get(). */
rmx_status rmx_lm_kernels(const char *isa, const rmx_kernels **out, rmx_err *err);

/* A continuation, and what is found out about it. */
typedef struct rmx_lm_branch {
  const int32_t *tokens; /* (n), n >= 1; borrowed */
  size_t n;
  double log_likelihood; /* out: the sum over its tokens, in nats */
  bool greedy;           /* out: each token is the most likely one at its place */
} rmx_lm_branch;
/* Some text, and its continuations. */
typedef struct rmx_lm_item {
  const int32_t *shared; /* (shared_n), shared_n >= 1; borrowed */
  size_t shared_n;
  rmx_lm_branch *branches; /* (branches_n) */
  size_t branches_n;
} rmx_lm_item;
/* Scores the branches of items (n). What branches share is computed once for all of them. No result
 * depends on the other items or on the number of threads. RMX_EINPUT: an item is longer than the
 * context (the last token of a branch is not an input), or has an id outside the vocabulary.
 * RMX_EINTERRUPTED. Cost: of each item a pass over shared_n + the lengths of its branches, and the
 * head for the branches; memory for about 2,000 tokens, or for the longest item. */
rmx_status rmx_lm_score(rmx_lm *m, rmx_lm_item *items, size_t n, const rmx_listener *listener,
                        rmx_err *err);
/* logits (n, V): of what follows each of the tokens (n), n up to the context. */
rmx_status rmx_lm_logits(rmx_lm *m, const int32_t *tokens, size_t n, float *logits, rmx_err *err);
/* logits (V): of what follows the last of the tokens (n). The head is computed for it alone. */
rmx_status rmx_lm_next(rmx_lm *m, const int32_t *tokens, size_t n, float *logits, rmx_err *err);

/* Writes a model of this program as Hugging Face's library keeps a Llama, into `folder`, which is
 * made: model.safetensors (see rmx_model_save()), config.json, generation_config.json, and where
 * `tokenizer` (a tokenizer.json) is not NULL a copy of it, tokenizer_config.json and
 * special_tokens_map.json. end_of_text is the token before and after a text; UINT32_MAX: none. A
 * reader sees each file as it was or whole; model.safetensors is the last. */
rmx_status rmx_lm_write(const rmx_model *m, uint32_t end_of_text, const char *tokenizer,
                        const char *folder, rmx_err *err);

/* How numbers are kept in a GGUF file. */
typedef enum rmx_gguf_type {
  RMX_GGUF_F32,
  RMX_GGUF_F16,
  RMX_GGUF_BF16,
  RMX_GGUF_Q8_0
} rmx_gguf_type;
/* Writes a model with its tokenizer (a tokenizer.json) as a GGUF file, which llama.cpp reads. Norms
 * stay float32, and so do matrices whose rows are not whole blocks of Q8_0 (32 numbers).
 * RMX_EINPUT: llama.cpp has no such tokenizer. RMX_EINTERRUPTED. */
rmx_status rmx_lm_write_gguf(const rmx_lm *m, const char *tokenizer, rmx_gguf_type type,
                             const char *path, rmx_err *err);

#ifdef __cplusplus
}
#endif
#endif
