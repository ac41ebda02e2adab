// SPDX-License-Identifier: Apache-2.0
// Trainers whose mixture is code: short Python that builds the mixed dataset, to be put into one's own.
#include "export/blend.h"

// SOURCES = [(name, path, weight), ...]
static void sources(const rmx__blend *b, rmx_buf *out) {
  rmx_buf_printf(out, "# %s\nSOURCES = [  # name, path, weight\n", b->unit);
  for (size_t i = 0; i < b->n; i++) {
    rmx_buf_puts(out, "    (");
    rmx_put_quoted(out, b->sources[i].name);
    rmx_buf_puts(out, ", ");
    rmx_put_quoted(out, b->sources[i].path);
    rmx_buf_puts(out, ", ");
    rmx_put_number(out, b->sources[i].weight);
    rmx_buf_puts(out, "),\n");
  }
  rmx_buf_puts(out, "]\n");
}

// LitGPT (litgpt/data/tinyllama.py) mixes with litdata (src/litdata/streaming/combined.py), whose weights are
// of items; its TokensLoader makes every item a block of one length. Weights and iterate_over_all exclude
// each other.
void rmx__export_litgpt(const rmx__blend *b, rmx_buf *out) {
  rmx_buf_puts(out,
               "from litdata.streaming import CombinedStreamingDataset, StreamingDataset, TokensLoader\n\n");
  sources(b, out);
  rmx_buf_puts(out,
               "\n\ndef mixed_dataset(seq_length, seed=42):\n"
               "    # Blocks hold one token more than the model sees: the last label.\n"
               "    return CombinedStreamingDataset(\n"
               "        datasets=[\n"
               "            StreamingDataset(\n"
               "                input_dir=path,\n"
               "                item_loader=TokensLoader(block_size=seq_length + 1),\n"
               "                shuffle=True,\n"
               "                drop_last=True,\n"
               "            )\n"
               "            for _, path, _ in SOURCES\n"
               "        ],\n"
               "        weights=[weight for _, _, weight in SOURCES],\n"
               "        seed=seed,\n"
               "        iterate_over_all=False,\n"
               "    )\n");
}

// torchtitan (torchtitan/hf_datasets/text_datasets.py, docs/datasets.md): the interleaved loader draws
// sequences that each source packed for itself, so the weights are of tokens.
void rmx__export_torchtitan(const rmx__blend *b, rmx_buf *out) {
  rmx_buf_puts(out,
               "from torchtitan.hf_datasets.text_datasets import HFDataSource, "
               "InterleavedHuggingFaceTextDataLoader\n\n");
  sources(b, out);
  rmx_buf_puts(
      out,
      "\n# Each name must be registered in torchtitan's DATASETS, which says how its files are read.\n"
      "dataloader = InterleavedHuggingFaceTextDataLoader.Config(\n"
      "    sources=[\n"
      "        HFDataSource(dataset=name, dataset_path=path, weight=weight, infinite=True)\n"
      "        for name, path, weight in SOURCES\n"
      "    ],\n"
      "    seed=42,\n"
      ")\n");
}

// Hugging Face datasets (src/datasets/combine.py, interleave_datasets): examples are drawn, here documents.
// "all_exhausted" starts a source again until each was gone through once; the first to run dry would end it
// otherwise.
void rmx__export_huggingface(const rmx__blend *b, rmx_buf *out) {
  rmx_buf_puts(out, "from datasets import interleave_datasets, load_dataset\n\n");
  sources(b, out);
  rmx_buf_puts(out,
               "\ndataset = interleave_datasets(\n"
               "    [load_dataset(path, split=\"train\", streaming=True) for _, path, _ in SOURCES],\n"
               "    probabilities=[weight for _, _, weight in SOURCES],\n"
               "    seed=42,\n"
               "    stopping_strategy=\"all_exhausted\",\n"
               ")\n");
}
