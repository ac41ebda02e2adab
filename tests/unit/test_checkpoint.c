// SPDX-License-Identifier: Apache-2.0
/* Checkpoints: going on gives the same bits, and no bytes whatever are believed unchecked. */
#include "../testing.h"

#include <regmix/lm.h>
#include <regmix/model.h>
#include <unistd.h>

#include "../model_bin.h"

static const rmx_model_config small = {.layers = 2,
                                       .heads = 2,
                                       .width = 16,
                                       .ffn = 24,
                                       .vocab = 40,
                                       .context = 16,
                                       .rope_base = 10000,
                                       .norm_eps = 1e-5};
enum { B = 3, T = 16 };

static char folder[64], path[96];
static void before(void) {
  snprintf(folder, sizeof folder, "%s/XXXXXX", scratch_folder);
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/model.safetensors", folder);
}
static void behind(void) {
  must(rmx_remove_tree(folder, err));
}

static rmx_model *model_of(const rmx_model_config *c, bool training, uint64_t seed) {
  const rmx_kernels *k = NULL;
  rmx_model *m = NULL;
  must(rmx_kernels_get(NULL, &k, err));
  must(rmx_model_new(c, B, T, training, k, seed, &m, err));
  return m;
}

static void steps(rmx_model *m, int from, int to) {
  const rmx_adamw o = {0.9, 0.95, 1e-8, 0.1, 1.0};
  int32_t tokens[B * T], labels[B * T];
  float losses[B * T];
  for (int s = from; s < to; s++) {
    for (int i = 0; i < B * T; i++)
      tokens[i] = (s * 7 + i * 3) % 40, labels[i] = (s * 7 + i * 3 + 3) % 40;
    rmx_model_backward(m, tokens, labels, NULL, B, T, losses);
    rmx_model_step(m, &o, 1e-2, B * T);
  }
}

START_TEST(going_on_gives_the_same_bits) {
  const size_t bytes = rmx_model_parameters(&small) * sizeof(float);
  json_t *extra = json_pack("{s:i, s:s, s:{s:f}}", "tokens", 480, "log", "{\"a\": 1}\n", "stream",
                            "credit", 0.1),
         *back = NULL;
  rmx_model *a = model_of(&small, true, 1), *b = model_of(&small, true, 2);
  steps(a, 0, 5);
  must(rmx_model_save(a, path, true, extra, err));
  must(rmx_model_load(b, path, &back, err));
  ck_assert(json_equal(extra, back));
  ck_assert_mem_eq(rmx_model_weights(a), rmx_model_weights(b), bytes);
  steps(a, 5, 9);
  steps(b, 5, 9);
  ck_assert_mem_eq(rmx_model_weights(a), rmx_model_weights(b), bytes);
  json_decref(extra), json_decref(back);
  rmx_model_free(a), rmx_model_free(b);
}
END_TEST

/* A file of version 0.1.0 is read as one of today. */
START_TEST(version_0_1_0_is_read) {
  const size_t bytes = rmx_model_parameters(&small) * sizeof(float);
  json_t *extra = json_pack("{s:i, s:s}", "tokens", 480, "log", "x"), *back = NULL;
  rmx_model *a = model_of(&small, true, 1), *b = model_of(&small, true, 2);
  rmx_model_config c;
  uint64_t hash;
  steps(a, 0, 5);
  write_model_bin(a, path, true, extra);
  must(rmx_model_read_config(path, &c, err));
  ck_assert(c.layers == 2 && c.kv_heads == 2 && c.head_width == 8 && c.rope_factor == 1 && !c.tied);
  must(rmx_model_file_hash(path, &hash, err));
  must(rmx_model_load(b, path, &back, err));
  ck_assert(json_equal(extra, back));
  steps(a, 5, 9);
  steps(b, 5, 9);
  ck_assert_mem_eq(rmx_model_weights(a), rmx_model_weights(b), bytes);
  /* cut and changed */
  char *file = NULL;
  size_t size;
  must(rmx_read_file(path, &file, &size, err));
  for (size_t n = 8; n < size; n += n < 2048 ? 401 : 9001) {
    must(rmx_write_file(path, file, n, err));
    must_fail(rmx_model_read_config(path, &c, err), path);
    file[n] ^= 0x10;
    must(rmx_write_file(path, file, size, err));
    must_fail(rmx_model_read_config(path, &c, err), path);
    file[n] ^= 0x10;
  }
  free(file);
  json_decref(extra), json_decref(back);
  rmx_model_free(a), rmx_model_free(b);
}
END_TEST

START_TEST(weights_alone) {
  rmx_model *a = model_of(&small, true, 1), *b = model_of(&small, false, 2);
  steps(a, 0, 2);
  must(rmx_model_save(a, path, false, NULL, err));
  json_t *back = (json_t *)1;
  must(rmx_model_load(b, path, &back, err));
  ck_assert_ptr_null(back);
  ck_assert_mem_eq(rmx_model_weights(a), rmx_model_weights(b),
                   rmx_model_parameters(&small) * sizeof(float));
  rmx_model_config c;
  must(rmx_model_read_config(path, &c, err));
  ck_assert(c.layers == 2 && c.heads == 2 && c.width == 16 && c.ffn == 24 && c.vocab == 40 &&
            c.context == 16);
  ck_assert(c.rope_base == 10000 && c.norm_eps == 1e-5);
  must(rmx_model_load(a, path, NULL, err)); /* into a model in training: it starts at step 0 */
  must(rmx_model_save(b, path, false, NULL, err));
  must_fail(rmx_model_save(b, path, true, NULL, err), "not in training");
  rmx_model_free(a), rmx_model_free(b);
}
END_TEST

START_TEST(other_models_are_refused) {
  rmx_model *a = model_of(&small, true, 1);
  must(rmx_model_save(a, path, true, NULL, err));
  rmx_model_config other = small;
  other.ffn = 32;
  rmx_model *b = model_of(&other, true, 1);
  must_fail(rmx_model_load(b, path, NULL, err), "ffn 24, wanted 32");
  rmx_model_free(b);
  other = small, other.rope_base = 500;
  b = model_of(&other, true, 1);
  must_fail(rmx_model_load(b, path, NULL, err), "rope_base 10000, wanted 500");
  must_fail(rmx_model_load(b, "/nowhere/model.safetensors", NULL, err),
            "/nowhere/model.safetensors");
  must_fail(rmx_model_save(b, "/nowhere/model.safetensors", true, NULL, err),
            "/nowhere/model.safetensors");
  rmx_model_free(a), rmx_model_free(b);
}
END_TEST

static char *saved(size_t *size) {
  rmx_model *m = model_of(&small, true, 1);
  char *bytes = NULL;
  must(rmx_model_save(m, path, true, NULL, err));
  must(rmx_read_file(path, &bytes, size, err));
  rmx_model_free(m);
  return bytes;
}

START_TEST(truncated_at_any_length) {
  size_t size;
  char *bytes = saved(&size);
  rmx_model_config c;
  for (size_t n = 0; n < size; n += n < 2048 ? 17 : 4099) {
    must(rmx_write_file(path, bytes, n, err));
    must_fail(rmx_model_read_config(path, &c, err), path);
  }
  must(rmx_write_file(path, bytes, size, err));
  must(rmx_model_read_config(path, &c, err));
  free(bytes);
}
END_TEST

START_TEST(one_byte_wrong_anywhere) {
  size_t size;
  char *bytes = saved(&size);
  rmx_model_config c;
  for (size_t n = 0; n < size; n += n < 2048 ? 13 : 2053) {
    bytes[n] ^= 0x10;
    must(rmx_write_file(path, bytes, size, err));
    must_fail(rmx_model_read_config(path, &c, err), path);
    bytes[n] ^= 0x10;
  }
  free(bytes);
}
END_TEST

START_TEST(arbitrary_bytes) {
  size_t size;
  char *bytes = saved(&size);
  rmx_rng rng = rmx_rng_make(1, 0, RMX_FOR_TEST);
  rmx_model_config c;
  for (int round = 0; round < 300; round++) {
    char *fuzz = malloc(4096);
    ck_assert_ptr_nonnull(fuzz);
    memcpy(fuzz, bytes, 4096);
    /* the size of the header and the hash kept or not */
    const size_t from = round % 3 == 0 ? 0 : round % 3 == 1 ? 8 : 60;
    for (int i = 0; i < 1 + round % 40; i++)
      fuzz[from + rmx_rng_below(&rng, 2048 - from)] = (char)rmx_rng_u32(&rng);
    must(rmx_write_file(path, fuzz, 64 * (1 + rmx_rng_below(&rng, 64)), err));
    must_fail(rmx_model_read_config(path, &c, err), path);
    free(fuzz);
  }
  free(bytes);
}
END_TEST

/* A file with this header and `bytes` zeros; what its own metadata says is `own`. */
static void write_header(const char *own, const char *tensors, size_t bytes) {
  rmx_buf header = {0}, b = {0};
  json_t *text = json_string(own);
  char *quoted = json_dumps(text, JSON_ENCODE_ANY);
  rmx_buf_printf(&header, "{\"__metadata__\":{\"xxh3\":\"0000000000000000\",\"regmix\":%s}%s}",
                 quoted, tensors);
  const uint64_t size = header.size;
  rmx_buf_add(&b, &size, sizeof size);
  rmx_buf_add(&b, header.data, header.size);
  for (size_t i = 0; i < bytes; i++) rmx_buf_add(&b, "", 1);
  must(rmx_write_file(path, b.data, b.size, err));
  rmx_buf_release(&b), rmx_buf_release(&header);
  free(quoted), json_decref(text);
}

/* Sizes are checked before they are believed: a header that asks for a petabyte. */
START_TEST(sizes_that_lie) {
#define CONFIG(sizes) "{\"config\":{" sizes ",\"rope_base\":1e4,\"norm_eps\":1e-5},"
#define LARGE                                                                           \
  CONFIG(                                                                               \
      "\"layers\":1024,\"heads\":8,\"width\":65536,\"ffn\":1048576,\"vocab\":16777216," \
      "\"context\":4")
#define TINY CONFIG("\"layers\":1,\"heads\":1,\"width\":2,\"ffn\":1,\"vocab\":1,\"context\":4")
#define ALL(n, end) ",\"a\":{\"dtype\":\"F32\",\"shape\":[" #n "],\"data_offsets\":[0," #end "]}"
  static const struct {
    const char *own, *tensors, *error;
    size_t bytes;
  } lies[] = {
      {LARGE "\"step\":0,\"state\":true}", ALL(16, 64), "truncated or corrupt", 64},
      {TINY "\"step\":0,\"state\":false}", "", "the last 128 bytes are of no tensor", 32 * 4},
      {TINY "\"step\":0,\"state\":false}", ALL(32, 128), "has 1 tensors", 128},
      {TINY "\"step\":-1,\"state\":false}", ALL(32, 128), "no \"step\"", 128},
      {TINY "\"step\":0}", ALL(32, 128), "no \"step\" or \"state\"", 128},
      {"{\"config\":{\"layers\":9223372036854775807}}", "", "no whole number \"heads\"", 0},
      {"{\"config\":[]}", "", "no whole number", 0},
      {"[]", "", "no whole number", 0},
      {"{", "", "config.json must be beside it", 0},
  };
  for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
    rmx_model_config c;
    write_header(lies[i].own, lies[i].tensors, lies[i].bytes);
    must_fail(rmx_model_read_config(path, &c, err), lies[i].error);
  }
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_checked_fixture(tc, before, behind);
  tcase_add_test(tc, going_on_gives_the_same_bits);
  tcase_add_test(tc, version_0_1_0_is_read);
  tcase_add_test(tc, weights_alone);
  tcase_add_test(tc, other_models_are_refused);
  tcase_add_test(tc, truncated_at_any_length);
  tcase_add_test(tc, one_byte_wrong_anywhere);
  tcase_add_test(tc, arbitrary_bytes);
  tcase_add_test(tc, sizes_that_lie);
}
