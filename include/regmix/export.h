/* export.h: a mixture as each trainer reads it.
 *
 * Uses: base, mixture.
 *
 * A mixture is shares of *tokens*. Most trainers draw sequences of one length, and then the share
 * of the sequences is the share of the tokens; some draw whole documents, and want
 *
 *   p_d = (w_d / L_d) / sum_e (w_e / L_e),  L_d = mean tokens per document of domain d.
 */
#ifndef RMX_EXPORT_H
#define RMX_EXPORT_H

#include <regmix/mixture.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a format needs. */
enum {
  RMX_EXPORT_PATHS = 1, /* every domain written needs a path */
  /* domains of weight 0 are left out: the trainer refuses them or waits for them */
  RMX_EXPORT_NO_ZEROS = 2,
  RMX_EXPORT_DOCUMENTS = 4, /* the trainer draws documents: weights are converted */
  RMX_EXPORT_NO_SPACES = 8, /* the trainer splits the text at white space: paths cannot have any */
  /* the format lists passes: tokens of the domains and a budget must be given */
  RMX_EXPORT_EPOCHS = 16,
  RMX_EXPORT_BLOCKS = 32, /* the trainer draws in blocks: small weights may get nothing */
  RMX_EXPORT_FEW = 64,    /* the trainer takes fewer than 255 sources */
};

/* The formats: X(name, needs, help). The file src/export/formats/<name> is the template of its
 * output. Table, help and errors are all read off this list. */
#define RMX_EXPORT_SOURCES (RMX_EXPORT_PATHS | RMX_EXPORT_NO_ZEROS)
#define RMX_EXPORT_FORMATS(X)                                                                     \
  X("csv", 0, "table domain,weight")                                                              \
  X("json", 0, "JSON map of domain to weight")                                                    \
  X("yaml", 0, "YAML map of domain to weight: a mixture file of ours")                            \
  X("regmix", 0, "the RegMix authors' training config (train and valid: domain: weight)")         \
  X("megatron", RMX_EXPORT_SOURCES | RMX_EXPORT_NO_SPACES,                                        \
    "Megatron-LM, the arguments of --data-path")                                                  \
  X("megatron-args", RMX_EXPORT_SOURCES | RMX_EXPORT_NO_SPACES,                                   \
    "Megatron-LM, the file of --data-args-path")                                                  \
  X("megatron-json", RMX_EXPORT_SOURCES, "Megatron-LM, the file of --per-split-data-args-path")   \
  X("megatron-bridge", RMX_EXPORT_SOURCES, "Megatron Bridge, Python: the blend of a recipe")      \
  X("nemo", RMX_EXPORT_SOURCES, "NVIDIA NeMo, model.data.data_prefix")                            \
  X("gpt-neox", RMX_EXPORT_SOURCES | RMX_EXPORT_FEW,                                              \
    "GPT-NeoX, train-data-paths and train-data-weights")                                          \
  X("streaming", RMX_EXPORT_SOURCES, "MosaicML streaming and LLM Foundry, streams")               \
  X("olmo-core", RMX_EXPORT_SOURCES, "OLMo-core, the YAML of a SourceMixtureList")                \
  X("olmo-core-composable", RMX_EXPORT_SOURCES, "OLMo-core, Python: a MixingInstanceSource")      \
  X("nanotron", RMX_EXPORT_SOURCES, "nanotron, dataset_folder and dataset_weights")               \
  X("lingua", RMX_EXPORT_SOURCES | RMX_EXPORT_DOCUMENTS, "Meta Lingua, data.sources")             \
  X("levanter", RMX_EXPORT_SOURCES | RMX_EXPORT_BLOCKS, "Levanter and Marin, data.train_weights") \
  X("maxtext", RMX_EXPORT_SOURCES | RMX_EXPORT_DOCUMENTS,                                         \
    "MaxText, the file of grain_train_mixture_config_path")                                       \
  X("litgpt", RMX_EXPORT_SOURCES, "LitGPT, Python: a litdata CombinedStreamingDataset")           \
  X("torchtitan", RMX_EXPORT_SOURCES, "torchtitan, Python: a data loader of packed sources")      \
  X("torchtune", RMX_EXPORT_SOURCES | RMX_EXPORT_DOCUMENTS, "torchtune, datasets with weights")   \
  X("trl", RMX_EXPORT_SOURCES | RMX_EXPORT_DOCUMENTS, "TRL, datasets with fractions")             \
  X("axolotl", RMX_EXPORT_SOURCES | RMX_EXPORT_EPOCHS,                                            \
    "Axolotl, a list of passes over the datasets")                                                \
  X("dclm", RMX_EXPORT_SOURCES,                                                                   \
    "DCLM and OpenLM, --dataset-manifest and --train-data-mix-weights")                           \
  X("doremi", 0, "DoReMi, the JSON of --domain_config_path")                                      \
  X("huggingface", RMX_EXPORT_SOURCES | RMX_EXPORT_DOCUMENTS,                                     \
    "Hugging Face datasets, Python: interleave_datasets")

/* What to write. The caller owns all of it. */
typedef struct rmx_export_request {
  const char *const *names; /* (D) domains; UTF-8, each once */
  const double *weights;    /* (D) shares of tokens, >= 0, sum 1 to 1e-6; written to the last bit */
  const rmx_phases *phases; /* instead of them, in formats with stages; NULL: none */
  double steps;             /* optimiser steps of the training, for stages; 0: not known */
  size_t D;
  /* (D) where the data are, or NULL; a NULL entry: <prefix><name><suffix> */
  const char *const *paths;
  const char *prefix; /* NULL: a domain without an entry in `paths` has no path */
  const char *suffix; /* NULL: "" */
  /* validation and test data are <valid_prefix><name><suffix>, in the formats that have splits
   * (megatron-json, gpt-neox); NULL: none */
  const char *valid_prefix;
  const double *tokens_per_document; /* (D) mean lengths, > 0 where a weight is; NULL: not known */
  /* (D) tokens there are of each domain, > 0 where a weight is; NULL: not known */
  const double *tokens;
  /* tokens of the training; 0: not known. With `tokens` it gives the passes over each domain */
  double budget;
  /* tokens of a sequence; 0: not known. With `budget` it gives the samples of the training */
  double sequence_length;
  /* may be NULL: receives notes on conversions and on domains left out */
  const rmx_listener *listener;
} rmx_export_request;

/* Appends the mixture in the named format to `out`. Formats of trainers that draw documents convert
 * by tokens_per_document, with a comment line and a note about it; without the lengths there is a
 * warning that the weights are shares of tokens. RMX_EUSAGE: an unknown format; the
 * message has the nearest and the list. RMX_EINPUT: weights that are not a mixture, a domain
 * without a path where one is needed, the same name or path twice, a path the format cannot hold,
 * text that is not UTF-8. With phases the template is src/export/formats/<name>.stages; RMX_EUSAGE
 * for a format without one. Cost O(D^2). */
rmx_status rmx_export(const char *format, const rmx_export_request *r, rmx_buf *out, rmx_err *err);
/* Names and one line of help of up to `max` formats; either array may be NULL. Returns how many
 * there are. */
size_t rmx_export_formats(const char *names[], const char *help[], size_t max);
/* The template of a format, for programs that fill it in themselves (src/export/template.c has its
 * syntax); NULL where there is no such format. Static. */
const char *rmx_export_template(const char *format);
/* RMX_EUSAGE for a format that there is not, with the ones there are. */
rmx_status rmx_export_check(const char *format, rmx_err *err);

#ifdef __cplusplus
}
#endif
#endif
