// SPDX-License-Identifier: Apache-2.0
// Any bytes given as a table of each form, mixtures or metrics, end in a table or in an error. For
// the logs with checksums the bytes are a message, too.
#include <regmix/import.h>
#include <zlib.h>

#include "fuzz.h"
#include "import/records.h"

static void read_table(const char *path, int what) {
  rmx_err err = {0};
  rmx_table t;
  rmx_import_options o = {.what = what & 1 ? RMX_IMPORT_METRICS : RMX_IMPORT_MIXTURES,
                          .mixed = what > 1};
  if (rmx_import_table(path, &o, NULL, &t, &err) != RMX_OK) return;
  if (t.N == 0 || t.D == 0) abort();
  rmx_table_release(&t);
}

static void put_u32(rmx_buf *b, uint32_t x) {
  rmx_buf_add(b, &x, sizeof x);
}

static void put_masked(rmx_buf *b, const void *data, size_t size) {
  const uint32_t crc = rmx__crc32c(data, size);
  put_u32(b, (crc >> 15 | crc << 17) + 0xA282EAD8u);
}

static void read_event(const uint8_t *data, size_t size) {
  rmx_buf b = {0};
  const uint64_t length = size;
  rmx_buf_add(&b, &length, sizeof length);
  put_masked(&b, &length, sizeof length);
  rmx_buf_add(&b, data, size);
  put_masked(&b, data, size);
  read_table(fuzz_file("x.tfevents.1", (const uint8_t *)b.data, b.size), 1);
  rmx_buf_release(&b);
}

static void read_wandb(const uint8_t *data, size_t size) {
  rmx_buf b = {0};
  const uint16_t length = (uint16_t)(size < 30000 ? size : 30000);
  const uint8_t type = 1;
  const uint32_t crc = (uint32_t)crc32(0, &type, 1);
  rmx_buf_add(&b, ":W&B\xE1\xBE\0", 7);
  put_u32(&b, length ? (uint32_t)crc32(crc, data, length) : crc);
  rmx_buf_add(&b, &length, sizeof length);
  rmx_buf_add(&b, &type, 1);
  rmx_buf_add(&b, data, length);
  const char *path = fuzz_file("run-x.wandb", (const uint8_t *)b.data, b.size);
  for (int what = 0; what < 2; what++) read_table(path, what);
  rmx_buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const files[] = {"table.json",    "table.csv",    "table.yaml",
                                      "metrics.jsonl", "y.tfevents.1", "run-y.wandb"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    const char *path = fuzz_file(files[i], data, size);
    for (int what = 0; what < 4; what++) read_table(path, what);
  }
  read_event(data, size);
  read_wandb(data, size);
  return 0;
}
