// SPDX-License-Identifier: Apache-2.0
// Mixtures as maps: our own files, and the YAML and JSON configs of trainers. What each trainer does with the
// weights stands above its writer, with the place in its source or documents that says so.
#include <string.h>

#include "export/blend.h"

void rmx__export_csv(const rmx__blend *b, rmx_buf *out) {
  rmx_buf_puts(out, "domain,weight\n");
  for (size_t i = 0; i < b->n; i++) {
    rmx_csv_field(out, b->sources[i].name);
    rmx_buf_puts(out, ",");
    rmx_put_number(out, b->sources[i].weight);
    rmx_buf_puts(out, "\n");
  }
}

static void json_map(const rmx__blend *b, rmx_buf *out, int indent) {
  rmx_buf_puts(out, "{\n");
  for (size_t i = 0; i < b->n; i++) {
    rmx_buf_printf(out, "%*s", indent + 2, "");
    rmx_put_quoted(out, b->sources[i].name);
    rmx_buf_puts(out, ": ");
    rmx_put_number(out, b->sources[i].weight);
    rmx_buf_puts(out, i + 1 < b->n ? ",\n" : "\n");
  }
  rmx_buf_printf(out, "%*s}", indent, "");
}

void rmx__export_json(const rmx__blend *b, rmx_buf *out) {
  json_map(b, out, 0);
  rmx_buf_puts(out, "\n");
}

// DoReMi (doremi/train.py, doremi/trainer.py): the config has the weights of training and of evaluation, and
// draws examples that preprocessing packed to one length.
void rmx__export_doremi(const rmx__blend *b, rmx_buf *out) {
  rmx_buf_puts(out, "{\n  \"train_domain_weights\": ");
  json_map(b, out, 2);
  rmx_buf_puts(out, ",\n  \"eval_domain_weights\": ");
  json_map(b, out, 2);
  rmx_buf_puts(out, "\n}\n");
}

static void yaml_entry(rmx_buf *out, int indent, const char *key, double weight) {
  rmx_put_yaml_key(out, indent, key);
  rmx_buf_puts(out, " ");
  rmx_put_number(out, weight);
  rmx_buf_puts(out, "\n");
}

static void yaml_text(rmx_buf *out, int indent, const char *key, const char *value) {
  rmx_buf_printf(out, "%*s%s", indent, "", key);
  rmx_put_yaml(out, value);
  rmx_buf_puts(out, "\n");
}

void rmx__export_yaml(const rmx__blend *b, rmx_buf *out) {
  for (size_t i = 0; i < b->n; i++) yaml_entry(out, 0, b->sources[i].name, b->sources[i].weight);
}

// RegMix (sail-sg/regmix, mixture_config/config_1b/regmix.yaml): `valid:` and `model_name:` stand in the same
// file.
void rmx__export_regmix(const rmx__blend *b, rmx_buf *out) {
  rmx_buf_puts(out, "train:\n");
  for (size_t i = 0; i < b->n; i++) yaml_entry(out, 2, b->sources[i].name, b->sources[i].weight);
}

// MosaicML streaming (streaming/base/stream.py, class Stream; LLM Foundry takes the map as
// train_loader.dataset.streams): `proportion` is of samples, which are of one length where the data were
// written with concatenated tokens, and must be positive; a stream has a remote or a local path.
void rmx__export_streaming(const rmx__blend *b, rmx_buf *out) {
  rmx_buf_printf(out, "# %s For samples of concatenated tokens, which are all of one length.\nstreams:\n",
                 b->unit);
  for (size_t i = 0; i < b->n; i++) {
    const rmx__source *s = &b->sources[i];
    rmx_put_yaml_key(out, 2, s->name);
    rmx_buf_puts(out, "\n");
    yaml_text(out, 4, strstr(s->path, "://") ? "remote: " : "local: ", s->path);
    yaml_entry(out, 4, "proportion", s->weight);
  }
}

// OLMo-core (src/olmo_core/data/source_mixture.py, SourceMixtureList.from_yaml): target_ratio is of tokens,
// in (0, 1], the ratios sum to 1; a path is a file or a glob.
void rmx__export_olmo_core(const rmx__blend *b, rmx_buf *out) {
  rmx_buf_printf(out, "# %s A source too small for its share also needs max_repetition_ratio.\nsources:\n",
                 b->unit);
  for (size_t i = 0; i < b->n; i++) {
    const rmx__source *s = &b->sources[i];
    yaml_text(out, 2, "- source_name: ", s->name);
    yaml_entry(out, 4, "target_ratio", s->weight);
    rmx_buf_puts(out, "    paths:\n");
    yaml_text(out, 6, "- ", s->path);
  }
}

// nanotron (src/nanotron/config/config.py, NanosetDatasetsArgs; docs/nanoset.md): samples are of one length;
// the block stands under data_stages[].data.
void rmx__export_nanotron(const rmx__blend *b, rmx_buf *out) {
  rmx_buf_printf(out, "# %s Goes under data_stages[].data.\ndataset:\n  dataset_folder:\n", b->unit);
  for (size_t i = 0; i < b->n; i++) yaml_text(out, 4, "- ", b->sources[i].path);
  rmx_buf_puts(out, "  dataset_weights:\n");
  for (size_t i = 0; i < b->n; i++) {
    rmx_buf_puts(out, "    - ");
    rmx_put_number(out, b->sources[i].weight);
    rmx_buf_puts(out, "\n");
  }
}

// Meta Lingua (lingua/data.py, choose_source): a source is drawn for every line of its files, before tokens
// are packed, so the weights are of documents. A source is joined to root_dir, which may be empty.
void rmx__export_lingua(const rmx__blend *b, rmx_buf *out) {
  rmx_buf_printf(out, "# %s\ndata:\n  root_dir: \"\"\n  sources:\n", b->unit);
  for (size_t i = 0; i < b->n; i++) yaml_entry(out, 4, b->sources[i].path, b->sources[i].weight);
}
