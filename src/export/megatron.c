// SPDX-License-Identifier: Apache-2.0
// Megatron-LM and its relatives: weights beside the prefixes of indexed datasets (the path without .bin and
// .idx). All of them draw sequences of one length, and refuse a weight of 0 or gain nothing by it
// (megatron/core/datasets/blended_dataset.py).
#include "export/blend.h"

// Megatron-LM (megatron/core/datasets/utils.py, get_blend_from_list): weight prefix weight prefix ...
static void pairs(const rmx__blend *b, rmx_buf *out, const char *between) {
  for (size_t i = 0; i < b->n; i++) {
    rmx_put_number(out, b->sources[i].weight);
    rmx_buf_printf(out, " %s%s", b->sources[i].path, i + 1 < b->n ? between : "\n");
  }
}

void rmx__export_megatron(const rmx__blend *b, rmx_buf *out) {
  pairs(b, out, " ");
}

// megatron/training/utils.py, get_blend_and_blend_per_split: the file is split at white space.
void rmx__export_megatron_args(const rmx__blend *b, rmx_buf *out) {
  pairs(b, out, "\n");
}

// The same function reads a list of strings for each split; null is a split without data, which an empty list
// is not.
static void json_split(const rmx__blend *b, rmx_buf *out, const char *split, bool valid, const char *end) {
  rmx_buf_printf(out, "  \"%s\": ", split);
  if (valid && !b->has_valid) {
    rmx_buf_printf(out, "null%s", end);
    return;
  }
  rmx_buf_puts(out, "[\n");
  for (size_t i = 0; i < b->n; i++) {
    const rmx__source *s = &b->sources[i];
    rmx_buf_puts(out, "    \"");
    rmx_put_number(out, s->weight);
    rmx_buf_puts(out, "\", ");
    rmx_put_quoted(out, valid ? s->valid : s->path);
    rmx_buf_puts(out, i + 1 < b->n ? ",\n" : "\n");
  }
  rmx_buf_printf(out, "  ]%s", end);
}

void rmx__export_megatron_json(const rmx__blend *b, rmx_buf *out) {
  rmx_buf_puts(out, "{\n");
  json_split(b, out, "train", false, ",\n");
  json_split(b, out, "valid", true, ",\n");
  json_split(b, out, "test", true, "\n}\n");
}

// NVIDIA NeMo (the GPT pre-training configs, model.data.data_prefix): the same pairs as one YAML list.
void rmx__export_nemo(const rmx__blend *b, rmx_buf *out) {
  rmx_buf_printf(out, "# %s\nmodel:\n  data:\n    data_prefix:\n", b->unit);
  for (size_t i = 0; i < b->n; i++) {
    rmx_buf_puts(out, "      - ");
    rmx_put_number(out, b->sources[i].weight);
    rmx_buf_puts(out, "\n      - ");
    rmx_put_yaml(out, b->sources[i].path);
    rmx_buf_puts(out, "\n");
  }
}

static void neox_split(const rmx__blend *b, rmx_buf *out, const char *split, bool valid) {
  rmx_buf_printf(out, "\"%s-data-paths\":\n", split);
  for (size_t i = 0; i < b->n; i++) {
    rmx_buf_puts(out, "  - ");
    rmx_put_yaml(out, valid ? b->sources[i].valid : b->sources[i].path);
    rmx_buf_puts(out, "\n");
  }
  rmx_buf_printf(out, "\"%s-data-weights\":\n", split);
  for (size_t i = 0; i < b->n; i++) {
    rmx_buf_puts(out, "  - ");
    rmx_put_number(out, b->sources[i].weight);
    rmx_buf_puts(out, "\n");
  }
}

// GPT-NeoX (megatron/neox_arguments/neox_args.py and arguments.py): all three splits are named, or none;
// weights stand unless weight_by_num_documents is set.
void rmx__export_gpt_neox(const rmx__blend *b, rmx_buf *out) {
  rmx_buf_printf(out, "# %s\n", b->unit);
  if (!b->has_valid)
    rmx_buf_puts(
        out, "# GPT-NeoX wants valid-data-paths and test-data-paths beside these (--valid-prefix TEXT).\n");
  neox_split(b, out, "train", false);
  if (!b->has_valid) return;
  neox_split(b, out, "valid", true);
  neox_split(b, out, "test", true);
}
